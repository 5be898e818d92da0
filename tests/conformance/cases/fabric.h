/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What only the fabric can do, or tell, about messages between queue pairs and about creations. Elsewhere
 * nobody delays them (FALSE) and nobody counts (0).
 *
 * For the files of cases only; runs where a case runs.
 */
#ifndef CONF_FABRIC_H
#define CONF_FABRIC_H

#include "../conf.h"

#ifdef __KERNEL__
static inline BOOLEAN fabric_read_delay(ULONG ms)
{
	(void)ms;
	return FALSE;
}

static inline BOOLEAN fabric_create_delay(unsigned which, ULONG ms)
{
	(void)which;
	(void)ms;
	return FALSE;
}

static inline UINT64 fabric_most_reads(void)
{
	return 0;
}

static inline UINT64 fabric_not_ready(void)
{
	return 0;
}
#else
#include <ndk_fabric.h>

/* Answers to reads are late by that much. */
static inline BOOLEAN fabric_read_delay(ULONG ms)
{
	return ndk_fabric_read_delay(ms * 1000ull) == 0;
}

/* Creations of adapter `which` pend that long; on S only. */
static inline BOOLEAN fabric_create_delay(unsigned which, ULONG ms)
{
	return ndk_fabric_create_delay((int)which, ms * 1000ull) == 0;
}

/* Reads in flight at once on one queue pair, at most, so far in this case. */
static inline UINT64 fabric_most_reads(void)
{
	struct ndk_fabric_stats stats;

	ndk_fabric_stats(&stats);
	return stats.most_reads;
}

/* Messages that found no receive, so far in this case. */
static inline UINT64 fabric_not_ready(void)
{
	struct ndk_fabric_stats stats;

	ndk_fabric_stats(&stats);
	return stats.rnr;
}
#endif

#endif
