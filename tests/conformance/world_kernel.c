// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The world around the kernel's cases, changed by shell commands (ip, rping) that run while the case
 * waits. Only the thread that runs cases calls this. Nothing happens without commands=1.
 */
#define pr_fmt(fmt) "ndk_conformance: " fmt

#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/umh.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/net_namespace.h>

#include <ndkpi/ndkpi_manage.h>

#include "world.h"

#define WORLD_LINE 200
#define WORLD_PATIENCE_MS 5000

static bool commands;
module_param(commands, bool, 0444);
MODULE_PARM_DESC(commands, "cases may change the network of this machine by shell commands (N)");
static char *netdev = "d0";
module_param(netdev, charp, 0444);
MODULE_PARM_DESC(netdev, "network interface of both adapters (d0)");
static char *netdev2 = "d1";
module_param(netdev2, charp, 0444);
MODULE_PARM_DESC(netdev2, "another network interface (d1)");
static char *more4 = "10.9.0.101";
module_param(more4, charp, 0444);
MODULE_PARM_DESC(more4, "further IPv4 address of the network of the adapters (10.9.0.101)");
static char *more6 = "fd09::101";
module_param(more6, charp, 0444);
MODULE_PARM_DESC(more6, "further IPv6 address of the network of the adapters (fd09::101)");

/* What the case has changed; index 0 is IPv4. */
static struct {
	bool added[2];
	enum world_where moved[2]; /* WORLD_BACK: it is where it belongs */
	bool peer;
	bool neighbour;
	char neighbour_of[64];
} changed = { .moved = { WORLD_BACK, WORLD_BACK } };

static bool command(const char *fmt, ...) __printf(1, 2);
static bool command(const char *fmt, ...)
{
	static char *envp[] = { "HOME=/", "PATH=/usr/bin:/usr/sbin:/bin:/sbin", NULL };
	char line[WORLD_LINE];
	char *argv[] = { "/bin/sh", "-c", line, NULL };
	va_list ap;
	int status;

	if (!commands)
		return false;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	status = call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
	if (status)
		pr_info("# '%s' failed with %d\n", line, status);
	return !status;
}

static void text_of(const struct sockaddr_storage *at, char *text, size_t size)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)at;

	if (at->ss_family == AF_INET)
		snprintf(text, size, "%pI4", &((const struct sockaddr_in *)at)->sin_addr);
	else
		snprintf(text, size, "%pI6c", &in6->sin6_addr);
}

/* Whether the provider knows it; it learns of addresses a little later than the kernel. */
static bool known(const struct sockaddr_storage *at, ULONG len)
{
	char name[64];

	return NdkFindAdapter((const struct sockaddr *)at, len, name, sizeof(name)) == STATUS_SUCCESS;
}

static bool becomes_known(const struct sockaddr_storage *at, ULONG len, bool wanted)
{
	unsigned int tries;

	for (tries = 0; tries < WORLD_PATIENCE_MS / 10 && known(at, len) != wanted; tries++)
		conf_sleep(10);
	return known(at, len) == wanted;
}

static bool change_address(const char *verb, const char *text, enum conf_family family, const char *dev)
{
	return family == NDK_V4 ? command("ip addr %s %s/24 dev %s", verb, text, dev) :
				  command("ip -6 addr %s %s/64 dev %s%s", verb, text, dev,
					  *verb == 'a' ? " nodad" : "");
}

BOOLEAN world_address(unsigned which, enum conf_family family, USHORT port, struct sockaddr_storage *out, ULONG *len)
{
	const char *text = family == NDK_V4 ? more4 : more6;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	unsigned int i = family != NDK_V4;

	*len = conf_address(which, family, port, out);
	if (family == NDK_V4)
		in4_pton(text, -1, (u8 *)&((struct sockaddr_in *)out)->sin_addr, -1, NULL);
	else
		in6_pton(text, -1, (u8 *)&in6->sin6_addr, -1, NULL);
	if (!changed.added[i])
		changed.added[i] = change_address("add", text, family, netdev);
	return changed.added[i] && becomes_known(out, *len, true);
}

static bool find_link_local(struct net_device *dev, struct in6_addr *out)
{
	struct inet6_ifaddr *a;
	struct inet6_dev *idev;
	bool there = false;

	rcu_read_lock();
	idev = __in6_dev_get(dev);
	if (idev)
		list_for_each_entry_rcu(a, &idev->addr_list, if_list)
			if (ipv6_addr_type(&a->addr) & IPV6_ADDR_LINKLOCAL) {
				*out = a->addr;
				there = true;
			}
	rcu_read_unlock();
	return there;
}

BOOLEAN world_link_local(unsigned which, USHORT port, struct sockaddr_storage *out, ULONG *len)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct net_device *dev = dev_get_by_name(&init_net, netdev);
	bool there;

	if (!dev)
		return FALSE;
	*len = conf_address(which, NDK_V6, port, out);
	there = find_link_local(dev, &in6->sin6_addr);
	in6->sin6_scope_id = dev->ifindex;
	dev_put(dev);
	return there && becomes_known(out, *len, true);
}

BOOLEAN world_move_address(enum conf_family family, enum world_where where)
{
	unsigned int i = family != NDK_V4;
	struct sockaddr_storage at;
	char text[64];
	ULONG len;

	len = conf_address(0, family, 0, &at);
	text_of(&at, text, sizeof(text));
	if (changed.moved[i] == where)
		return TRUE;
	if (changed.moved[i] != WORLD_AWAY &&
	    !change_address("del", text, family, changed.moved[i] == WORLD_BACK ? netdev : netdev2))
		return FALSE;
	changed.moved[i] = WORLD_AWAY;
	if (where == WORLD_AWAY)
		return becomes_known(&at, len, false);
	if (!change_address("add", text, family, where == WORLD_BACK ? netdev : netdev2))
		return FALSE;
	changed.moved[i] = where;
	return where == WORLD_ELSEWHERE || becomes_known(&at, len, true);
}

BOOLEAN world_neighbour(const struct sockaddr_storage *of, unsigned turn)
{
	text_of(of, changed.neighbour_of, sizeof(changed.neighbour_of));
	changed.neighbour = true;
	if (turn % 4 == 3)
		return command("ip neigh del %s dev %s", changed.neighbour_of, netdev);
	return command("ip neigh replace %s lladdr 02:00:00:00:01:%02x dev %s nud %s", changed.neighbour_of,
		       turn & 0xff, netdev, turn % 4 == 2 ? "stale" : "permanent");
}

BOOLEAN world_peer_start(const struct sockaddr_storage *at)
{
	char text[64];

	text_of(at, text, sizeof(text));
	/* both families keep the port in the same place */
	changed.peer = command("rping -s -a %s -p %u -S 60000 >/dev/null 2>&1 & echo $! >/run/conf_peer.pid", text,
			       ntohs(((const struct sockaddr_in *)at)->sin_port));
	return changed.peer;
}

BOOLEAN world_peer_freeze(void)
{
	return changed.peer && command("kill -STOP $(cat /run/conf_peer.pid)");
}

BOOLEAN world_peer_kill(void)
{
	bool was = changed.peer;

	changed.peer = false;
	return was && command("kill -9 $(cat /run/conf_peer.pid)");
}

void world_end(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		world_move_address(i ? NDK_V6 : NDK_V4, WORLD_BACK);
		if (changed.added[i])
			change_address("del", i ? more6 : more4, i ? NDK_V6 : NDK_V4, netdev);
		changed.added[i] = false;
	}
	if (changed.peer)
		world_peer_kill();
	if (changed.neighbour) /* as the test machine has it */
		command("ip neigh replace %s lladdr 02:00:00:00:00:fa dev %s nud permanent", changed.neighbour_of,
			netdev);
	changed.neighbour = false;
}
