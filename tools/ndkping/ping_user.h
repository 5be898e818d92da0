/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What the user-space program adds to ndkping: the choice between real threads and a pumped fabric,
 * and its reports. Called by main.cpp and ping_user.c, on the main thread unless said otherwise.
 */
#ifndef NDKPING_PING_USER_H
#define NDKPING_PING_USER_H

#include "ping.h"
#include "ping_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * With a deterministic fabric nothing moves by itself: whoever waits drives the fabric, and threads
 * become coroutines of the one thread that may. To be chosen before the first box and thread.
 */
VOID ping_fabric_drive(VOID);
BOOLEAN ping_fabric_driven(VOID);

/* ---- ping_fabric.c, for ping_user.c; only if driven ---- */
/* Lets the others run and the fabric take a step. FALSE: nobody has anything to do any more. */
BOOLEAN ping_fabric_step(VOID);
/* Somebody got what it waited for: there is something to do again. */
VOID ping_fabric_busy(VOID);
/* The one coroutine beside the main program; NULL if it is taken or without memory. */
struct ping_coroutine *ping_coroutine_start(VOID (*run)(PVOID), PVOID arg);
VOID ping_coroutine_join(struct ping_coroutine *c);

/* ---- ping_print.c ---- */
/* What was asked, for the reports. */
struct ping_view {
	const char *from, *to; /* adapters; to may be NULL */
	const struct ping_config *config;
	BOOLEAN virtual_time;
};

VOID ping_print_text(const struct ping_view *view, const struct ping_result *result);
VOID ping_print_json(const struct ping_view *view, const struct ping_result *result);

#ifdef __cplusplus
}
#endif

#endif /* NDKPING_PING_USER_H */
