/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Local addresses, the endpoint table, the 4-tuple table and the ephemeral ports of one host. Under
 * the host's lock. A port is in use while its endpoint is in the table; the bitmap of an address is
 * only a way to find a free one without 16384 look-ups. Linux would pick from another range, frees a
 * listener's port too early and knows no 4-tuples, so none of it is left to the CM (LNX-10, LNX-11).
 */
#include "object.h"

void ndk_local_add(struct ndk_host *h, struct ndk_local *l, const struct ndk_addr *a, ULONG seed)
{
	ndk_zero(l, sizeof(*l));
	l->addr = *a;
	l->addr.port = 0;
	l->cursor = seed % NDK_EPHEMERAL_COUNT;
	ndk_link_add(&h->locals, &l->link);
}

struct ndk_local *ndk_local_find(const struct ndk_host *h, const struct ndk_addr *a)
{
	struct ndk_link *i;
	struct ndk_local *l;

	for (i = h->locals.next; i != &h->locals; i = i->next) {
		l = NDK_CONTAINER(i, struct ndk_local, link);
		if (!l->gone && ndk_addr_same_ip(&l->addr, a))
			return l;
	}
	return (struct ndk_local *)0;
}

BOOLEAN ndk_local_idle(const struct ndk_local *l)
{
	return l->taken == 0;
}

/* The map of an address, also of one that left the interface while a port of it was held. */
static struct ndk_local *map_of(const struct ndk_host *h, const struct ndk_addr *a, unsigned port)
{
	struct ndk_local *l = (struct ndk_local *)0;
	struct ndk_link *i;
	ULONG bit = port - NDK_EPHEMERAL_FIRST;

	for (i = h->locals.next; i != &h->locals; i = i->next) {
		l = NDK_CONTAINER(i, struct ndk_local, link);
		if (ndk_addr_same_ip(&l->addr, a) && (l->used[bit / 64] >> (bit % 64) & 1))
			return l;
	}
	return (struct ndk_local *)0;
}

static struct ndk_ep *find_ep(const struct ndk_host *h, const struct ndk_addr *a)
{
	UINT32 hash = ndk_addr_hash(a, 0);
	struct ndk_node *n;
	struct ndk_ep *ep;

	for (n = ndk_hash_first(&h->endpoints, hash); n; n = ndk_hash_next(&h->endpoints, n)) {
		ep = NDK_CONTAINER(n, struct ndk_ep, node);
		if (ep->addr.port == a->port && ndk_addr_same_ip(&ep->addr, a))
			return ep;
	}
	return (struct ndk_ep *)0;
}

/* Does anything hold this address and port, wildcards of the same family included? */
static BOOLEAN taken(const struct ndk_host *h, const struct ndk_addr *a)
{
	struct ndk_addr other = *a;
	struct ndk_link *i;

	if (find_ep(h, a))
		return TRUE;
	if (!ndk_addr_any(a)) {
		ndk_zero(other.ip, sizeof(other.ip));
		other.scope = 0;
		return find_ep(h, &other) != (struct ndk_ep *)0;
	}
	for (i = h->locals.next; i != &h->locals; i = i->next) {
		other = NDK_CONTAINER(i, struct ndk_local, link)->addr;
		other.port = a->port;
		if (other.family == a->family && find_ep(h, &other))
			return TRUE;
	}
	return FALSE;
}

/* A free ephemeral port of one address; its bit is set by the caller's ep_insert(). */
static BOOLEAN pick_port(struct ndk_host *h, struct ndk_local *l, struct ndk_addr *a)
{
	ULONG tries;
	ULONG bit;

	if (l->taken >= NDK_EPHEMERAL_COUNT)
		return FALSE;
	for (tries = 0; tries < NDK_EPHEMERAL_COUNT; tries++) {
		bit = l->cursor;
		l->cursor = (l->cursor + 1) % NDK_EPHEMERAL_COUNT;
		if (l->used[bit / 64] >> (bit % 64) & 1)
			continue;
		a->port = (USHORT)(NDK_EPHEMERAL_FIRST + bit);
		if (!taken(h, a))
			return TRUE;
	}
	return FALSE;
}

/* For a wildcard listener: a port that is free on every address. Rare, so a plain search. */
static BOOLEAN pick_wild_port(struct ndk_host *h, struct ndk_addr *a)
{
	ULONG i;

	for (i = 0; i < NDK_EPHEMERAL_COUNT; i++) {
		a->port = (USHORT)(NDK_EPHEMERAL_FIRST + (h->next_id + i) % NDK_EPHEMERAL_COUNT);
		if (!taken(h, a))
			return TRUE;
	}
	return FALSE;
}

static void ep_insert(struct ndk_host *h, struct ndk_ep *ep)
{
	struct ndk_local *l;
	ULONG bit;

	ndk_hash_add(&h->endpoints, &ep->node, ndk_addr_hash(&ep->addr, 0));
	if (ep->addr.port < NDK_EPHEMERAL_FIRST)
		return;
	l = ndk_local_find(h, &ep->addr);
	bit = ep->addr.port - NDK_EPHEMERAL_FIRST;
	if (l) {
		l->used[bit / 64] |= (UINT64)1 << (bit % 64);
		l->taken++;
	}
}

NTSTATUS ndk_ep_take(struct ndk_host *h, struct ndk_ep *ep, UCHAR kind, const struct ndk_addr *want,
		     const struct ndk_addr *remote)
{
	struct ndk_addr a = *want;
	struct ndk_local *l = (struct ndk_local *)0;

	NDK_ASSERT(!ep->node.linked);
	if (!ndk_addr_any(&a)) {
		l = ndk_local_find(h, &a);
		if (!l)
			return STATUS_INVALID_ADDRESS;
	} else if (kind != NDK_EP_LISTENER) {
		return STATUS_INVALID_ADDRESS;
	}
	if (a.port == 0) {
		if (!(l ? pick_port(h, l, &a) : pick_wild_port(h, &a)))
			return STATUS_TOO_MANY_ADDRESSES;
	} else {
		if (remote && ndk_tuple_exists(h, &a, remote))
			return STATUS_ADDRESS_ALREADY_EXISTS;
		if (taken(h, &a))
			return STATUS_SHARING_VIOLATION;
	}
	ep->addr = a;
	ep->kind = kind;
	ep_insert(h, ep);
	return STATUS_SUCCESS;
}

void ndk_ep_give(struct ndk_host *h, struct ndk_ep *ep)
{
	struct ndk_local *l;
	ULONG bit;

	if (!ep->node.linked)
		return;
	ndk_hash_del(&h->endpoints, &ep->node);
	if (ep->addr.port < NDK_EPHEMERAL_FIRST)
		return;
	l = map_of(h, &ep->addr, ep->addr.port);
	bit = ep->addr.port - NDK_EPHEMERAL_FIRST;
	if (l) {
		l->used[bit / 64] &= ~((UINT64)1 << (bit % 64));
		l->taken--;
	}
}

static UINT32 tuple_hash(const struct ndk_addr *local, const struct ndk_addr *remote)
{
	return ndk_addr_hash(remote, ndk_addr_hash(local, 1));
}

BOOLEAN ndk_tuple_exists(const struct ndk_host *h, const struct ndk_addr *local, const struct ndk_addr *remote)
{
	UINT32 hash = tuple_hash(local, remote);
	struct ndk_node *n;
	struct ndk_tuple *t;

	for (n = ndk_hash_first(&h->tuples, hash); n; n = ndk_hash_next(&h->tuples, n)) {
		t = NDK_CONTAINER(n, struct ndk_tuple, node);
		if (t->local.port == local->port && t->remote.port == remote->port &&
		    ndk_addr_same_ip(&t->local, local) && ndk_addr_same_ip(&t->remote, remote))
			return TRUE;
	}
	return FALSE;
}

void ndk_tuple_take(struct ndk_host *h, struct ndk_tuple *t, const struct ndk_addr *local,
		    const struct ndk_addr *remote)
{
	t->local = *local;
	t->remote = *remote;
	ndk_hash_add(&h->tuples, &t->node, tuple_hash(local, remote));
}

void ndk_tuple_give(struct ndk_host *h, struct ndk_tuple *t)
{
	if (t->node.linked)
		ndk_hash_del(&h->tuples, &t->node);
}
