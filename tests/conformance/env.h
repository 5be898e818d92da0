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
