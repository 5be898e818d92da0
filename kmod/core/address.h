/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Addresses as the core keeps them, and their way in and out of the consumer's sockaddr. Pure.
 */
#ifndef NDK_CORE_ADDRESS_H
#define NDK_CORE_ADDRESS_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NDK_FAMILY_NONE 0
#define NDK_FAMILY_V4 2	 /* AF_INET, the same number on every Linux */
#define NDK_FAMILY_V6 10 /* AF_INET6 */

#define NDK_SOCKADDR_V4_LEN 16u
#define NDK_SOCKADDR_V6_LEN 28u

#define NDK_EPHEMERAL_FIRST 49152u /* ADDR-2 */
#define NDK_EPHEMERAL_LAST 65535u
#define NDK_EPHEMERAL_COUNT 16384u

struct ndk_addr {
	UCHAR ip[16];	/* network order; IPv4 in the first four, rest zero */
	UINT32 scope;	/* IPv6 link-local scope, else 0 */
	USHORT port;	/* host order */
	USHORT family;	/* NDK_FAMILY_* */
};

/*
 * Reads a sockaddr of len bytes. FALSE for NULL, an unknown family or a length below that of the
 * family (U-9). Longer is accepted: callers pass sizeof(sockaddr_storage).
 */
BOOLEAN ndk_addr_parse(const VOID *sockaddr, ULONG len, struct ndk_addr *out);

/* Bytes the address takes as a sockaddr. */
ULONG ndk_addr_sockaddr_len(const struct ndk_addr *a);

/*
 * The getter algebra of CTR-6, LISTEN-14, SEP-5 and U-42 in one place: *len in = buffer, out = size
 * needed or written.
 */
NTSTATUS ndk_addr_give(const struct ndk_addr *a, VOID *sockaddr, ULONG *len);

BOOLEAN ndk_addr_any(const struct ndk_addr *a);
BOOLEAN ndk_addr_same_ip(const struct ndk_addr *a, const struct ndk_addr *b);
UINT32 ndk_addr_hash(const struct ndk_addr *a, UINT32 seed);

#ifdef __cplusplus
}
#endif
#endif
