/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Addresses in and out of sockaddrs, by byte offset: the core includes no socket header, and the
 * layout of sockaddr_in and sockaddr_in6 is fixed ABI. Pure, any context.
 */
#include "address.h"

static USHORT get_family(const UCHAR *b)
{
	USHORT f;

	ndk_copy(&f, b, sizeof(f));
	return f;
}

BOOLEAN ndk_addr_parse(const VOID *sockaddr, ULONG len, struct ndk_addr *out)
{
	const UCHAR *b = (const UCHAR *)sockaddr;
	USHORT family;

	ndk_zero(out, sizeof(*out));
	if (!b || len < sizeof(USHORT))
		return FALSE;
	family = get_family(b);
	if (family == NDK_FAMILY_V4) {
		if (len < NDK_SOCKADDR_V4_LEN)
			return FALSE;
		ndk_copy(out->ip, b + 4, 4);
	} else if (family == NDK_FAMILY_V6) {
		if (len < NDK_SOCKADDR_V6_LEN)
			return FALSE;
		ndk_copy(out->ip, b + 8, 16);
		/* a scope says something about link-local addresses only; elsewhere callers leave rubbish */
		if (b[8] == 0xfe && (b[9] & 0xc0) == 0x80)
			ndk_copy(&out->scope, b + 24, 4);
	} else {
		return FALSE;
	}
	out->family = family;
	out->port = (USHORT)((b[2] << 8) | b[3]);
	return TRUE;
}

ULONG ndk_addr_sockaddr_len(const struct ndk_addr *a)
{
	return a->family == NDK_FAMILY_V6 ? NDK_SOCKADDR_V6_LEN : NDK_SOCKADDR_V4_LEN;
}

NTSTATUS ndk_addr_give(const struct ndk_addr *a, VOID *sockaddr, ULONG *len)
{
	UCHAR *b = (UCHAR *)sockaddr;
	ULONG need = ndk_addr_sockaddr_len(a);
	USHORT family = a->family;

	if (!len)
		return STATUS_INVALID_PARAMETER;
	if (*len < need) {
		*len = need;
		return STATUS_BUFFER_TOO_SMALL;
	}
	if (!b)
		return STATUS_INVALID_PARAMETER;
	*len = need;
	ndk_zero(b, need);
	ndk_copy(b, &family, sizeof(family));
	b[2] = (UCHAR)(a->port >> 8);
	b[3] = (UCHAR)a->port;
	if (family == NDK_FAMILY_V6) {
		ndk_copy(b + 8, a->ip, 16);
		ndk_copy(b + 24, &a->scope, 4);
	} else {
		ndk_copy(b + 4, a->ip, 4);
	}
	return STATUS_SUCCESS;
}

BOOLEAN ndk_addr_any(const struct ndk_addr *a)
{
	static const UCHAR none[16] = { 0 };

	return ndk_same(a->ip, none, 16);
}

BOOLEAN ndk_addr_same_ip(const struct ndk_addr *a, const struct ndk_addr *b)
{
	return a->family == b->family && a->scope == b->scope && ndk_same(a->ip, b->ip, 16);
}

UINT32 ndk_addr_hash(const struct ndk_addr *a, UINT32 seed)
{
	UINT32 h = seed ^ 0x9e3779b9u;
	UINT32 word;
	unsigned i;

	for (i = 0; i < 16; i += 4) {
		ndk_copy(&word, a->ip + i, 4);
		h = (h ^ word) * 0x85ebca6bu;
		h ^= h >> 13;
	}
	h = (h ^ a->port) * 0xc2b2ae35u;
	return h ^ (h >> 16);
}
