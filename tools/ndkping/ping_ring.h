/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The inside of a ping_box, shared by its implementations: a short list of news, oldest first. They
 * own the lock under which both functions are called.
 */
#ifndef NDKPING_PING_RING_H
#define NDKPING_PING_RING_H

#include "ping_port.h"

/* More than one end can have under way: two per object of all connections of a server. */
#define PING_RING_SIZE 256

struct ping_ring {
	ULONG count;
	struct ping_news news[PING_RING_SIZE];
};

static inline BOOLEAN ping_ring_put(struct ping_ring *r, ULONG kind, PVOID who, NTSTATUS status)
{
	ULONG limit = kind == PING_NEWS_CONNECT ? PING_RING_SIZE / 2 : PING_RING_SIZE;

	if (r->count >= limit)
		return FALSE;
	r->news[r->count].kind = kind;
	r->news[r->count].status = status;
	r->news[r->count].who = who;
	r->count++;
	return TRUE;
}

static inline BOOLEAN ping_ring_get(struct ping_ring *r, ULONG kinds, struct ping_news *news)
{
	ULONG i;

	for (i = 0; i < r->count; i++)
		if (r->news[i].kind & kinds)
			break;
	if (i == r->count)
		return FALSE;
	*news = r->news[i];
	for (r->count--; i < r->count; i++)
		r->news[i] = r->news[i + 1];
	return TRUE;
}

#endif /* NDKPING_PING_RING_H */
