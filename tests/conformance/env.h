/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What the runner, the kit and the monitors ask of a place beyond what cases may use. Implemented by
 * env_fabric.cpp and env_kernel.c.
 */
#ifndef CONF_ENV_H
#define CONF_ENV_H

#include "conf.h"

#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/stdarg.h>
#else
#include <stdarg.h>
#include <stdio.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The place is made ready for a case: fabric anew, answers natural, no faults. FALSE: it cannot be. */
BOOLEAN env_begin(UINT64 seed);
/* After kit and monitors have ended. */
void env_end(void);
/* What went wrong on purpose since env_begin(), that M-14 has to know of. */
#define ENV_TROUBLE_MESSAGES 1u /* messages were lost, repeated or late, hosts were silent or lost */
#define ENV_TROUBLE_DEVICE 2u	/* a device was removed */
unsigned env_troubles(void);
/*
 * M-10: a number that stays as it is as long as the calling thread does not wait for others. S: time
 * and events of the fabric; K: how often this task gave way of its own accord; T: always the same.
 */
UINT64 env_mark(void);
/* K under PREEMPT_RT: waiting for a spinlock is giving way too, so that env_mark() stays as it is. */
BOOLEAN env_locks_sleep(void);
/*
 * M-13: how often clocks and random sources of the system were read since the program began. Always 0
 * where there is none but the system's. env_read_foreign() reads source number n, and is FALSE if
 * there are no so many.
 */
long env_foreign_reads(void);
BOOLEAN env_read_foreign(unsigned n);
/* One line of output, without its newline; any context, atomic as a line. */
void env_print(const char *line);
/* Adds to a counter atomically and returns the new value. */
long env_add(long *counter, long by);
/* Does not return. */
void env_out_of_memory(const char *what);

#ifdef __cplusplus
}
#endif
#endif
