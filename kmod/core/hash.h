/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * A chained hash table that grows a few buckets at a time. The core cannot allocate, so the shell
 * offers a larger bucket array when ndk_hash_wants() says so and takes the old one back when the
 * last chain has moved. A growth step costs NDK_HASH_MOVES chains per insertion, so no single call
 * pays for the whole table: a connect with a million live ones must cost what it costs with ten.
 *
 * Lock: the host's.
 */
#ifndef NDK_CORE_HASH_H
#define NDK_CORE_HASH_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NDK_HASH_FIRST 64u /* buckets built in: enough until the shell finds memory for more */
#define NDK_HASH_MOVES 4u

struct ndk_node {
	struct ndk_node *next;
	UINT32 hash;
	UINT32 linked;
};

struct ndk_hash {
	struct ndk_node **cur;
	struct ndk_node **old; /* NULL unless growing */
	UINT32 cur_mask;
	UINT32 old_mask;
	UINT32 moved; /* old buckets already moved */
	UINT32 count;
	struct ndk_node **spare; /* emptied array, waits for ndk_hash_spare() */
	struct ndk_node *first[NDK_HASH_FIRST];
};

void ndk_hash_init(struct ndk_hash *h);
void ndk_hash_add(struct ndk_hash *h, struct ndk_node *n, UINT32 hash);
void ndk_hash_del(struct ndk_hash *h, struct ndk_node *n);
/* Iterate all nodes with this hash: n = ndk_hash_first(h, hash); n; n = ndk_hash_next(h, n) */
struct ndk_node *ndk_hash_first(const struct ndk_hash *h, UINT32 hash);
struct ndk_node *ndk_hash_next(const struct ndk_hash *h, const struct ndk_node *n);

/* Buckets the table would like to have, 0 when content. A power of two. */
UINT32 ndk_hash_wants(const struct ndk_hash *h);
/* Has it something to ask or to give back? Cheap enough for every call. */
static inline BOOLEAN ndk_hash_tight(const struct ndk_hash *h)
{
	return h->spare || (!h->old && h->count > h->cur_mask);
}
/* Offers a zeroed array of n (as wanted) pointers. FALSE: no longer wanted, the caller frees it. */
BOOLEAN ndk_hash_offer(struct ndk_hash *h, struct ndk_node **buckets, UINT32 n);
/* An array to free, or NULL. */
struct ndk_node **ndk_hash_spare(struct ndk_hash *h);
/* For the end of the table's life: the array in use if it is not the built-in one. Table empty. */
struct ndk_node **ndk_hash_end(struct ndk_hash *h);

#ifdef __cplusplus
}
#endif
#endif
