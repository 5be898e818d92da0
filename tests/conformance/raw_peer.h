/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * A peer in the kernel that is no NDK provider: one connection on rdma_cm and ib_core, which says of
 * its read limits and sends as private data whatever it is told to. It receives messages of
 * RAW_MESSAGE bytes and exposes one page to its peer.
 *
 * Implemented by raw_peer_kernel.c. Everything may sleep, is called by the thread of the case, and
 * waits at most RAW_PATIENCE_MS.
 */
#ifndef CONF_RAW_PEER_H
#define CONF_RAW_PEER_H

#include "conf.h"

#define RAW_MESSAGE 64u
#define RAW_RECEIVES 8u
#define RAW_PATIENCE_MS 10000u
/* As much private data as the connection manager takes. */
#define RAW_LONGEST 0xffffu

struct raw_params {
	UCHAR in_limit, out_limit; /* announced, true or not */
	ULONG data_len;		   /* bytes of value RAW_FILL, or RAW_LONGEST */
};
#define RAW_FILL 0xc5

struct raw_peer;
/* Takes one connection. NULL and a failed case if that cannot be. */
struct raw_peer *raw_listen(const struct sockaddr_storage *at, const struct raw_params *p);
/* Begins to connect. */
struct raw_peer *raw_connect(const struct sockaddr_storage *from, const struct sockaddr_storage *to,
			     const struct raw_params *p);
BOOLEAN raw_up(struct raw_peer *r);   /* waits until it is established */
BOOLEAN raw_over(struct raw_peer *r); /* waits until it was refused or has ended */
/* What the other side announced, and how much private data that came with. */
void raw_heard(const struct raw_peer *r, unsigned *in_limit, unsigned *out_limit, unsigned *data_len);
/* One message; TRUE if it succeeded. Its bytes are seed, seed + 1 and so on, as of the others below. */
BOOLEAN raw_send(struct raw_peer *r, UCHAR seed);
BOOLEAN raw_receive(struct raw_peer *r, UCHAR seed);
BOOLEAN raw_write(struct raw_peer *r, UINT64 at, UINT32 token, UCHAR seed);
void raw_page(const struct raw_peer *r, UINT64 *at, UINT32 *token);
BOOLEAN raw_page_is(const struct raw_peer *r, UCHAR seed); /* its first RAW_MESSAGE bytes */
void raw_close(struct raw_peer *r);

#endif
