/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * All that ndkping asks of its surroundings besides NDKPI: a box in which callbacks leave news for
 * the thread that waits, memory, a clock, threads, and a place to print. Implemented in ping_kernel.c
 * and in ping_user.c with ping_fabric.c.
 *
 * What was written before ping_box_post() is seen after the ping_box_take() that returns it.
 */
#ifndef NDKPING_PING_PORT_H
#define NDKPING_PING_PORT_H

#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What happened; a bit each, so that a wait names those it is for. */
enum ping_news_kind {
	PING_NEWS_CALL = 1, /* the call that pended is done; who: what it created, if it did */
	PING_NEWS_CLOSED = 2, /* a close that pended is done; who: its ping_closing */
	PING_NEWS_CONNECT = 4, /* a connection request; who: its connector */
	PING_NEWS_ACCEPTED = 8, /* NdkAccept is done; who: the connection */
	PING_NEWS_GONE = 16, /* the peer disconnected; who: the connection */
	PING_NEWS_DISCONNECTED = 32, /* NdkDisconnect is done; who: the connection */
	PING_NEWS_CQ = 64, /* the arm of the CQ is spent */
	PING_NEWS_STOP = 128, /* the server shall stop */
	PING_NEWS_READY = 256, /* the server listens, or failed */
};

struct ping_news {
	ULONG kind; /* enum ping_news_kind */
	NTSTATUS status; /* if the kind has one */
	PVOID who;
};

#define PING_FOREVER 0xffffffffu

struct ping_box *ping_box_create(void); /* NULL: no memory */
VOID ping_box_destroy(struct ping_box *b);
/*
 * Puts news in; any context in which NDKPI calls back. FALSE: full. Connection requests find the
 * box full when it is half full, so that strangers cannot crowd out what must not be lost.
 */
BOOLEAN ping_box_post(struct ping_box *b, ULONG kind, PVOID who, NTSTATUS status);
/* Takes the oldest news of these kinds, waiting up to timeout_ms; FALSE: none came. */
BOOLEAN ping_box_take(struct ping_box *b, ULONG kinds, struct ping_news *news, ULONG timeout_ms);

PVOID ping_alloc(SIZE_T bytes); /* zeroed; what an MDL may describe; or NULL */
VOID ping_free(PVOID memory);

UINT64 ping_now(void); /* units of 100 ns since some beginning */
VOID ping_relax(ULONG looks); /* between two looks at a CQ, after so many in vain: let others run */

/* NULL: could not start. run is to return by itself; join waits for that. */
struct ping_thread *ping_thread_start(VOID (*run)(PVOID), PVOID arg);
VOID ping_thread_join(struct ping_thread *t);

/* One line each, without its end: results, and what went wrong. */
__attribute__((format(printf, 1, 2))) VOID ping_say(const char *format, ...);
__attribute__((format(printf, 1, 2))) VOID ping_complain(const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif /* NDKPING_PING_PORT_H */
