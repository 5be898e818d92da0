/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Running cases: for main.cpp and module.c.
 */
#ifndef CONF_RUNNER_H
#define CONF_RUNNER_H

#include "conf.h"

#ifdef __cplusplus
extern "C" {
#endif

struct conf_options {
	const char *filter; /* glob over names: * and ?; NULL for all */
	const char *again;  /* how this run was started, without filter and seed: for failures */
	UINT64 seed;
	ULONG repeat; /* how often each case runs, with seeds counted up */
	BOOLEAN verbose;
	BOOLEAN kernel; /* KTAP rather than TAP */
};

struct conf_totals {
	ULONG passed, failed, skipped;
};

/* Runs the cases the filter names. FALSE: the place broke down and the rest did not run. */
BOOLEAN conf_run(const struct conf_options *options, struct conf_totals *totals);
/* One line per case: name, places, rules, title, separated by tabs. */
void conf_list(const struct conf_options *options);

#ifdef __cplusplus
}
#endif
#endif
