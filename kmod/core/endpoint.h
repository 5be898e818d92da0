/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Who owns which local address and port, and which 4-tuples exist: EP-*, ADDR-*, U-6, U-7, U-8, U-52.
 *
 * Both tables belong to one host (one RDMA device): ND ports are a space of their own per local
 * address (ADDR-3). Records live inside the listener, shared endpoint or connector that holds them.
 * Lock: the host's.
 */
#ifndef NDK_CORE_ENDPOINT_H
#define NDK_CORE_ENDPOINT_H

#include "address.h"
#include "hash.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ndk_host;

enum ndk_ep_kind { NDK_EP_LISTENER, NDK_EP_SHARED, NDK_EP_PLAIN };

struct ndk_ep {
	struct ndk_node node;
	struct ndk_addr addr;
	UCHAR kind; /* enum ndk_ep_kind */
};

struct ndk_tuple {
	struct ndk_node node;
	struct ndk_addr local;
	struct ndk_addr remote;
};

/*
 * One address of the adapter with its map of ephemeral ports in use. The shell owns the memory and
 * adds or removes addresses as the interface gains or loses them; a removed one stays in the list,
 * invisible to new endpoints, until ndk_local_idle().
 */
struct ndk_local {
	struct ndk_link link;
	struct ndk_addr addr; /* port 0 */
	UCHAR gone;
	ULONG taken;  /* ephemeral ports in use */
	ULONG cursor; /* next port to try, as an offset into the range */
	UINT64 used[NDK_EPHEMERAL_COUNT / 64];
};

void ndk_local_add(struct ndk_host *h, struct ndk_local *l, const struct ndk_addr *a, ULONG seed);
struct ndk_local *ndk_local_find(const struct ndk_host *h, const struct ndk_addr *a);
BOOLEAN ndk_local_idle(const struct ndk_local *l);

/*
 * Takes (addr, port) for ep. Port 0 picks one (LISTEN-4, SEP-4, CONN-18). Wildcard addresses are for
 * listeners only (U-8). remote, if given, makes a taken 4-tuple win over a taken port (U-6).
 * STATUS_INVALID_ADDRESS, STATUS_TOO_MANY_ADDRESSES, STATUS_ADDRESS_ALREADY_EXISTS,
 * STATUS_SHARING_VIOLATION; nothing is taken then.
 */
NTSTATUS ndk_ep_take(struct ndk_host *h, struct ndk_ep *ep, UCHAR kind, const struct ndk_addr *want,
		     const struct ndk_addr *remote);
/* Idempotent. */
void ndk_ep_give(struct ndk_host *h, struct ndk_ep *ep);

BOOLEAN ndk_tuple_exists(const struct ndk_host *h, const struct ndk_addr *local, const struct ndk_addr *remote);
void ndk_tuple_take(struct ndk_host *h, struct ndk_tuple *t, const struct ndk_addr *local,
		    const struct ndk_addr *remote);
/* Idempotent. */
void ndk_tuple_give(struct ndk_host *h, struct ndk_tuple *t);

#ifdef __cplusplus
}
#endif
#endif
