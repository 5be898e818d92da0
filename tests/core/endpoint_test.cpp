/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Who owns which address and port: the tables behind listeners, shared endpoints and plain connectors.
 */
#include "world.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

NTSTATUS take(World &w, struct ndk_ep *ep, UCHAR kind, const Sa &sa, const Sa *remote = nullptr)
{
	struct ndk_addr a = parsed(sa), r = {};

	if (remote)
		r = parsed(*remote);
	return ndk_ep_take(&w.host, ep, kind, &a, remote ? &r : nullptr);
}

}

/* The three kinds of owners of an address exclude each other. */
class EndpointKinds : public testing::TestWithParam<int> {};

TEST_P(EndpointKinds, exclude_each_other)
{
	NDK_COVERS("U-52 ADDR-4 CONN-16 LISTEN-2 SEP-2");
	World w;
	struct ndk_ep first = {}, second = {};
	UCHAR holder = (UCHAR)(GetParam() / 3), taker = (UCHAR)(GetParam() % 3);

	EXPECT_STATUS(STATUS_SUCCESS, take(w, &first, holder, v4("192.0.2.1", 80)));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, take(w, &second, taker, v4("192.0.2.1", 80)));
	EXPECT_EQ(second.node.linked, 0u);
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &second, taker, v4("192.0.2.1", 81)));
	ndk_ep_give(&w.host, &second);
	ndk_ep_give(&w.host, &first);
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &second, taker, v4("192.0.2.1", 80)));
	ndk_ep_give(&w.host, &second);
	ndk_ep_give(&w.host, &second); /* idempotent */
}

INSTANTIATE_TEST_SUITE_P(Pairs, EndpointKinds, testing::Range(0, 9));

TEST(Endpoint, ports_are_a_space_of_their_own_per_address)
{
	NDK_COVERS("ADDR-3 ADDR-1");
	World w;
	struct ndk_ep a = {}, b = {}, c = {};

	EXPECT_STATUS(STATUS_SUCCESS, take(w, &a, NDK_EP_LISTENER, v4("192.0.2.1", 80)));
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &b, NDK_EP_LISTENER, v4("192.0.2.2", 80)));
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &c, NDK_EP_LISTENER, v6("2001:db8::1", 80)));
	ndk_ep_give(&w.host, &a);
	ndk_ep_give(&w.host, &b);
	ndk_ep_give(&w.host, &c);
}

TEST(Endpoint, foreign_addresses_are_invalid)
{
	NDK_COVERS("ADDR-6 CONN-17 LISTEN-3 SEP-3");
	World w;
	struct ndk_ep ep = {};

	for (UCHAR kind : { NDK_EP_LISTENER, NDK_EP_SHARED, NDK_EP_PLAIN }) {
		EXPECT_STATUS(STATUS_INVALID_ADDRESS, take(w, &ep, kind, v4("198.51.100.1", 80)));
		EXPECT_STATUS(STATUS_INVALID_ADDRESS, take(w, &ep, kind, v4("198.51.100.1", 0)));
		EXPECT_STATUS(STATUS_INVALID_ADDRESS, take(w, &ep, kind, v6("2001:db8::2", 80)));
	}
	EXPECT_EQ(w.host.endpoints.count, 0u);
}

TEST(Endpoint, the_wildcard_is_for_listeners_and_stands_for_every_address)
{
	NDK_COVERS("U-8");
	World w;
	struct ndk_ep wild = {}, ep = {}, wild6 = {};

	for (UCHAR kind : { NDK_EP_SHARED, NDK_EP_PLAIN })
		for (USHORT port : { 0, 80 })
			EXPECT_STATUS(STATUS_INVALID_ADDRESS, take(w, &ep, kind, v4("0.0.0.0", port)));
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &wild, NDK_EP_LISTENER, v4("0.0.0.0", 80)));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, take(w, &ep, NDK_EP_PLAIN, v4("192.0.2.1", 80)));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, take(w, &ep, NDK_EP_SHARED, v4("192.0.2.2", 80)));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, take(w, &ep, NDK_EP_LISTENER, v4("0.0.0.0", 80)));
	/* but for its own family only */
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &ep, NDK_EP_LISTENER, v6("2001:db8::1", 80)));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, take(w, &wild6, NDK_EP_LISTENER, v6("::", 80)));
	ndk_ep_give(&w.host, &ep);
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &wild6, NDK_EP_LISTENER, v6("::", 80)));
	ndk_ep_give(&w.host, &wild);
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &ep, NDK_EP_PLAIN, v4("192.0.2.2", 80)));
	/* and the other way round */
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, take(w, &wild, NDK_EP_LISTENER, v4("0.0.0.0", 80)));
	ndk_ep_give(&w.host, &ep);
	ndk_ep_give(&w.host, &wild6);
}

TEST(Endpoint, port_zero_gives_every_port_of_the_range_once_and_then_none)
{
	NDK_COVERS("ADDR-2 CONN-18 CONN-19 LISTEN-4 SEP-4");
	World w;
	std::vector<struct ndk_ep> ep(NDK_EPHEMERAL_COUNT);
	std::vector<bool> seen(65536);
	struct ndk_ep other = {};
	ULONG n = 0;

	for (struct ndk_ep &e : ep) {
		UCHAR kind = (UCHAR)(n++ % 3);
		ASSERT_STATUS(STATUS_SUCCESS, take(w, &e, kind, v4("192.0.2.1", 0)));
		ASSERT_GE(e.addr.port, NDK_EPHEMERAL_FIRST);
		ASSERT_FALSE(seen[e.addr.port]);
		seen[e.addr.port] = true;
	}
	for (UCHAR kind : { NDK_EP_LISTENER, NDK_EP_SHARED, NDK_EP_PLAIN })
		EXPECT_STATUS(STATUS_TOO_MANY_ADDRESSES, take(w, &other, kind, v4("192.0.2.1", 0)));
	/* a given port is never answered that way, and another address has its own ports */
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, take(w, &other, NDK_EP_PLAIN, v4("192.0.2.1", 50000)));
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &other, NDK_EP_PLAIN, v4("192.0.2.2", 0)));
	ndk_ep_give(&w.host, &other);
	EXPECT_STATUS(STATUS_TOO_MANY_ADDRESSES, take(w, &other, NDK_EP_LISTENER, v4("0.0.0.0", 0)));
	/* the one that is given back is the one that is found */
	ndk_ep_give(&w.host, &ep[1234]);
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &other, NDK_EP_PLAIN, v4("192.0.2.1", 0)));
	EXPECT_EQ(other.addr.port, ep[1234].addr.port);
	ndk_ep_give(&w.host, &other);
	for (struct ndk_ep &e : ep)
		ndk_ep_give(&w.host, &e);
	EXPECT_TRUE(ndk_local_idle(&w.local4));
}

TEST(Endpoint, port_zero_steps_around_ports_somebody_asked_for)
{
	World w;
	struct ndk_ep fixed = {}, wild = {}, picked = {};

	EXPECT_STATUS(STATUS_SUCCESS, take(w, &fixed, NDK_EP_PLAIN, v4("192.0.2.1", 49152)));
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &wild, NDK_EP_LISTENER, v4("0.0.0.0", 49153)));
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &picked, NDK_EP_PLAIN, v4("192.0.2.1", 0)));
	EXPECT_EQ(picked.addr.port, 49154);
	ndk_ep_give(&w.host, &picked);
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &picked, NDK_EP_LISTENER, v4("0.0.0.0", 0)));
	EXPECT_GE(picked.addr.port, 49154);
	ndk_ep_give(&w.host, &picked);
	ndk_ep_give(&w.host, &wild);
	ndk_ep_give(&w.host, &fixed);
}

TEST(Endpoint, an_address_that_left_keeps_its_ports_until_they_are_given_back)
{
	NDK_COVERS("ADDR-6 EP-5");
	World w;
	struct ndk_ep held = {}, ep = {};
	struct ndk_addr a = parsed(v4("192.0.2.1", 0));
	struct ndk_local again;

	EXPECT_STATUS(STATUS_SUCCESS, take(w, &held, NDK_EP_PLAIN, v4("192.0.2.1", 49152)));
	w.local4.gone = 1;
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, take(w, &ep, NDK_EP_PLAIN, v4("192.0.2.1", 0)));
	EXPECT_FALSE(ndk_local_idle(&w.local4));
	/* a wildcard still meets the port that is held */
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, take(w, &ep, NDK_EP_LISTENER, v4("0.0.0.0", 49152)));
	/* the address comes back before the port does: still one owner per port */
	ndk_local_add(&w.host, &again, &a, 0);
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, take(w, &ep, NDK_EP_PLAIN, v4("192.0.2.1", 49152)));
	EXPECT_STATUS(STATUS_SUCCESS, take(w, &ep, NDK_EP_PLAIN, v4("192.0.2.1", 0)));
	EXPECT_EQ(ep.addr.port, 49153);
	ndk_ep_give(&w.host, &held);
	EXPECT_TRUE(ndk_local_idle(&w.local4));
	EXPECT_FALSE(ndk_local_idle(&again));
	ndk_ep_give(&w.host, &ep);
	EXPECT_TRUE(ndk_local_idle(&again));
	ndk_link_del(&again.link);
}

TEST(Endpoint, the_first_status_in_order_wins)
{
	NDK_COVERS("U-6 CONN-20 ADDR-5");
	World w;
	Sa peer = v4("192.0.2.99", 2000), other = v4("192.0.2.99", 2001);
	struct ndk_addr local = parsed(v4("192.0.2.1", 80)), remote = parsed(peer);
	struct ndk_ep held = {}, ep = {};
	struct ndk_tuple t = {};

	EXPECT_STATUS(STATUS_SUCCESS, take(w, &held, NDK_EP_PLAIN, v4("192.0.2.1", 80)));
	ndk_tuple_take(&w.host, &t, &local, &remote);
	/* both the port and the connection exist: the connection is named */
	EXPECT_STATUS(STATUS_ADDRESS_ALREADY_EXISTS,
		      take(w, &ep, NDK_EP_PLAIN, v4("192.0.2.1", 80), &peer));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION,
		      take(w, &ep, NDK_EP_PLAIN, v4("192.0.2.1", 80), &other));
	/* an address that is none of ours comes before everything */
	EXPECT_STATUS(STATUS_INVALID_ADDRESS,
		      take(w, &ep, NDK_EP_PLAIN, v4("198.51.100.9", 80), &peer));
	ndk_tuple_give(&w.host, &t);
	ndk_tuple_give(&w.host, &t); /* idempotent */
	EXPECT_STATUS(STATUS_SHARING_VIOLATION,
		      take(w, &ep, NDK_EP_PLAIN, v4("192.0.2.1", 80), &peer));
	ndk_ep_give(&w.host, &held);
}

TEST(Endpoint, four_numbers_name_a_connection)
{
	NDK_COVERS("ADDR-5");
	World w;
	struct ndk_addr l = parsed(v4("192.0.2.1", 80)), r = parsed(v4("192.0.2.9", 90));
	struct ndk_addr l2 = parsed(v4("192.0.2.2", 80)), r2 = parsed(v4("192.0.2.8", 90));
	struct ndk_addr lp = parsed(v4("192.0.2.1", 81)), rp = parsed(v4("192.0.2.9", 91));
	struct ndk_tuple t = {};

	ndk_tuple_take(&w.host, &t, &l, &r);
	EXPECT_TRUE(ndk_tuple_exists(&w.host, &l, &r));
	EXPECT_FALSE(ndk_tuple_exists(&w.host, &r, &l));
	EXPECT_FALSE(ndk_tuple_exists(&w.host, &l2, &r));
	EXPECT_FALSE(ndk_tuple_exists(&w.host, &lp, &r));
	EXPECT_FALSE(ndk_tuple_exists(&w.host, &l, &r2));
	EXPECT_FALSE(ndk_tuple_exists(&w.host, &l, &rp));
	ndk_tuple_give(&w.host, &t);
	EXPECT_FALSE(ndk_tuple_exists(&w.host, &l, &r));
}
