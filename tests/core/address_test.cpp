/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Addresses: in and out of sockaddrs, and what counts as the same.
 */
#include "world.h"

#include <gtest/gtest.h>

#include <cstring>
#include <netinet/in.h>

TEST(Address, the_families_and_layouts_are_those_of_the_system)
{
	NDK_COVERS("ADDR-1 ADP-8");
	struct sockaddr_in in = {};
	struct sockaddr_in6 in6 = {};
	struct ndk_addr a;

	EXPECT_EQ(NDK_FAMILY_V4, AF_INET);
	EXPECT_EQ(NDK_FAMILY_V6, AF_INET6);
	EXPECT_EQ(NDK_SOCKADDR_V4_LEN, sizeof(in));
	EXPECT_EQ(NDK_SOCKADDR_V6_LEN, sizeof(in6));
	in.sin_family = AF_INET;
	in.sin_port = htons(0x1234);
	in.sin_addr.s_addr = htonl(0xc0000201);
	ASSERT_TRUE(ndk_addr_parse(&in, sizeof(in), &a));
	EXPECT_EQ(a.port, 0x1234);
	EXPECT_EQ(a.ip[0], 0xc0);
	EXPECT_EQ(a.ip[3], 0x01);
	EXPECT_EQ(a.ip[4], 0);
	in6.sin6_family = AF_INET6;
	in6.sin6_port = htons(80);
	in6.sin6_scope_id = 7;
	in6.sin6_addr.s6_addr[0] = 0xfe;
	in6.sin6_addr.s6_addr[1] = 0x80;
	in6.sin6_addr.s6_addr[15] = 9;
	ASSERT_TRUE(ndk_addr_parse(&in6, sizeof(in6), &a));
	EXPECT_EQ(a.family, AF_INET6);
	EXPECT_EQ(a.ip[15], 9);
	EXPECT_EQ(a.scope, 7u);
}

TEST(Address, malformed_ones_are_told_from_good_ones)
{
	NDK_COVERS("U-9");
	Sa good4 = v4("192.0.2.1", 1), good6 = v6("2001:db8::1", 1);
	struct ndk_addr a;
	USHORT family = AF_UNIX;

	EXPECT_FALSE(ndk_addr_parse(nullptr, 16, &a));
	EXPECT_FALSE(ndk_addr_parse(good4.data(), 0, &a));
	EXPECT_FALSE(ndk_addr_parse(good4.data(), 1, &a));
	EXPECT_FALSE(ndk_addr_parse(good4.data(), 15, &a));
	EXPECT_TRUE(ndk_addr_parse(good4.data(), 16, &a));
	EXPECT_TRUE(ndk_addr_parse(good4.data(), 28, &a)); /* sizeof(sockaddr_storage) is common */
	EXPECT_FALSE(ndk_addr_parse(good6.data(), 27, &a));
	EXPECT_TRUE(ndk_addr_parse(good6.data(), 28, &a));
	memcpy(good4.bytes, &family, sizeof(family));
	EXPECT_FALSE(ndk_addr_parse(good4.data(), 28, &a));
	memset(good4.bytes, 0, 2);
	EXPECT_FALSE(ndk_addr_parse(good4.data(), 28, &a));
}

TEST(Address, getters_tell_the_size_they_need)
{
	NDK_COVERS("CTR-6 LISTEN-14 SEP-5 U-42");
	for (const Sa &sa : { v4("192.0.2.1", 4711), v6("2001:db8::5", 4711) }) {
		struct ndk_addr a = parsed(sa);
		UCHAR buffer[64];
		ULONG len = 0;

		EXPECT_STATUS(STATUS_BUFFER_TOO_SMALL, ndk_addr_give(&a, nullptr, &len));
		EXPECT_EQ(len, sa.len);
		len = sa.len - 1;
		memset(buffer, 0x5a, sizeof(buffer));
		EXPECT_STATUS(STATUS_BUFFER_TOO_SMALL, ndk_addr_give(&a, buffer, &len));
		EXPECT_EQ(len, sa.len);
		EXPECT_EQ(buffer[0], 0x5a) << "nothing is written into a buffer that is too small";
		EXPECT_STATUS(STATUS_INVALID_PARAMETER, ndk_addr_give(&a, nullptr, &len));
		EXPECT_STATUS(STATUS_INVALID_PARAMETER, ndk_addr_give(&a, buffer, nullptr));
		len = sizeof(buffer);
		EXPECT_STATUS(STATUS_SUCCESS, ndk_addr_give(&a, buffer, &len));
		EXPECT_EQ(len, sa.len);
		EXPECT_EQ(memcmp(buffer, sa.bytes, sa.len), 0);
		EXPECT_EQ(buffer[len], 0x5a) << "nothing behind the address is touched";
	}
}

TEST(Address, a_scope_counts_for_link_local_addresses_only)
{
	struct ndk_addr a = parsed(v6("fe80::1", 0, 2)), b = parsed(v6("fe80::1", 0, 3));

	EXPECT_EQ(a.scope, 2u);
	EXPECT_FALSE(ndk_addr_same_ip(&a, &b));
	a = parsed(v6("2001:db8::1", 0, 2));
	b = parsed(v6("2001:db8::1", 0, 3));
	EXPECT_EQ(a.scope, 0u);
	EXPECT_TRUE(ndk_addr_same_ip(&a, &b));
	/* the end of the fe80::/10 block */
	EXPECT_EQ(parsed(v6("febf::1", 0, 5)).scope, 5u);
	EXPECT_EQ(parsed(v6("fec0::1", 0, 5)).scope, 0u);
}

TEST(Address, same_ip_looks_at_the_family_and_not_at_the_port)
{
	struct ndk_addr a = parsed(v4("192.0.2.1", 1)), b = parsed(v4("192.0.2.1", 2));
	struct ndk_addr c = parsed(v6("c000:201::", 1)); /* the same leading bytes */

	EXPECT_TRUE(ndk_addr_same_ip(&a, &b));
	EXPECT_FALSE(ndk_addr_same_ip(&a, &c));
	b = parsed(v4("192.0.2.2", 1));
	EXPECT_FALSE(ndk_addr_same_ip(&a, &b));
	EXPECT_NE(ndk_addr_hash(&a, 0), ndk_addr_hash(&b, 0));
	EXPECT_NE(ndk_addr_hash(&a, 0), ndk_addr_hash(&a, 1));
}

TEST(Address, the_wildcard_is_all_zero_in_both_families)
{
	NDK_COVERS("U-8");
	struct ndk_addr a = parsed(v4("0.0.0.0", 5));

	EXPECT_TRUE(ndk_addr_any(&a));
	a = parsed(v6("::", 5));
	EXPECT_TRUE(ndk_addr_any(&a));
	a = parsed(v6("::1", 5));
	EXPECT_FALSE(ndk_addr_any(&a));
}
