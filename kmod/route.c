// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Is there a route at all? The CM looks its route up with the interface of the source address given,
 * and with that the kernel takes a destination without a route for one on the link. The consumer
 * would wait for an answer that cannot come instead of hearing STATUS_NETWORK_UNREACHABLE (CONN-11).
 * Which interface the route leaves by is not judged: with several ports in one network the tables
 * name only one of them, and the CM goes by the source. Process context.
 */
#include <net/ip6_route.h>
#include <net/ipv6_stubs.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include "objects.h"

static int check_v4(const struct ndk_addr *from, const struct ndk_addr *to)
{
	struct rtable *rt;
	__be32 saddr, daddr;

	memcpy(&saddr, from->ip, sizeof(saddr));
	memcpy(&daddr, to->ip, sizeof(daddr));
	rt = ip_route_output(&init_net, daddr, saddr, 0, 0);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	ip_rt_put(rt);
	return 0;
}

#if IS_ENABLED(CONFIG_IPV6)
static int check_v6(const struct ndk_addr *from, const struct ndk_addr *to)
{
	struct flowi6 fl6 = { .flowi6_oif = to->scope };
	struct dst_entry *dst;

	memcpy(&fl6.saddr, from->ip, sizeof(fl6.saddr));
	memcpy(&fl6.daddr, to->ip, sizeof(fl6.daddr));
	dst = ipv6_stub->ipv6_dst_lookup_flow(&init_net, NULL, &fl6, NULL);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	dst_release(dst);
	return 0;
}
#else
static int check_v6(const struct ndk_addr *from, const struct ndk_addr *to)
{
	return -EAFNOSUPPORT;
}
#endif

int ndk_route_check(const struct ndk_addr *from, const struct ndk_addr *to)
{
	return to->family == NDK_FAMILY_V4 ? check_v4(from, to) : check_v6(from, to);
}
