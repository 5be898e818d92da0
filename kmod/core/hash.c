/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The growing hash table behind the endpoint and 4-tuple tables. Under the host's lock.
 */
#include "hash.h"

void ndk_hash_init(struct ndk_hash *h)
{
	ndk_zero(h, sizeof(*h));
	h->cur = h->first;
	h->cur_mask = NDK_HASH_FIRST - 1;
}

static struct ndk_node **bucket_of(const struct ndk_hash *h, UINT32 hash)
{
	if (h->old && (hash & h->old_mask) >= h->moved)
		return &h->old[hash & h->old_mask];
	return &h->cur[hash & h->cur_mask];
}

static void move_some(struct ndk_hash *h)
{
	UINT32 moves = NDK_HASH_MOVES;
	struct ndk_node *n;
	struct ndk_node **to;

	while (h->old && moves--) {
		while ((n = h->old[h->moved]) != (struct ndk_node *)0) {
			h->old[h->moved] = n->next;
			to = &h->cur[n->hash & h->cur_mask];
			n->next = *to;
			*to = n;
		}
		if (h->moved++ == h->old_mask) {
			if (h->old != h->first)
				h->spare = h->old;
			h->old = (struct ndk_node **)0;
		}
	}
}

void ndk_hash_add(struct ndk_hash *h, struct ndk_node *n, UINT32 hash)
{
	struct ndk_node **b;

	NDK_ASSERT(!n->linked);
	move_some(h);
	b = bucket_of(h, hash);
	n->hash = hash;
	n->linked = 1;
	n->next = *b;
	*b = n;
	h->count++;
}

void ndk_hash_del(struct ndk_hash *h, struct ndk_node *n)
{
	struct ndk_node **b = bucket_of(h, n->hash);

	NDK_ASSERT(n->linked);
	while (*b && *b != n)
		b = &(*b)->next;
	NDK_ASSERT(*b == n);
	if (*b == n) {
		*b = n->next;
		n->linked = 0;
		h->count--;
	}
}

struct ndk_node *ndk_hash_first(const struct ndk_hash *h, UINT32 hash)
{
	struct ndk_node *n = *bucket_of(h, hash);

	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct ndk_node *ndk_hash_next(const struct ndk_hash *h, const struct ndk_node *n)
{
	UINT32 hash = n->hash;
	struct ndk_node *next = n->next;

	(void)h;
	while (next && next->hash != hash)
		next = next->next;
	return next;
}

UINT32 ndk_hash_wants(const struct ndk_hash *h)
{
	if (h->old || h->spare || h->count <= h->cur_mask)
		return 0;
	return (h->cur_mask + 1) * 4;
}

BOOLEAN ndk_hash_offer(struct ndk_hash *h, struct ndk_node **buckets, UINT32 n)
{
	if (ndk_hash_wants(h) == 0 || n != ndk_hash_wants(h))
		return FALSE;
	h->old = h->cur;
	h->old_mask = h->cur_mask;
	h->moved = 0;
	h->cur = buckets;
	h->cur_mask = n - 1;
	return TRUE;
}

struct ndk_node **ndk_hash_spare(struct ndk_hash *h)
{
	struct ndk_node **spare = h->spare;

	h->spare = (struct ndk_node **)0;
	return spare;
}

struct ndk_node **ndk_hash_end(struct ndk_hash *h)
{
	struct ndk_node **end = h->cur == h->first ? (struct ndk_node **)0 : h->cur;
	struct ndk_node **spare = h->spare;

	/* a half finished move leaves a second array; the caller asks for it with ndk_hash_spare() */
	if (h->old && h->old != h->first)
		spare = h->old;
	ndk_hash_init(h);
	h->spare = spare;
	return end;
}
