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
	const char *filter; /* globs over names, * and ?, with commas between them; NULL for all */
	const char *areas;  /* "LS,CN": only cases whose title names such an id; NULL for all */
	const char *again;  /* how this run was started, up to the name of a case: for failures */
	const char *again_seed; /* what stands between that name and the seed */
	UINT64 seed;
	ULONG repeat; /* how often each case runs, with seeds counted up */
	BOOLEAN verbose;
	BOOLEAN kernel; /* KTAP rather than TAP */
	/*
	 * Not 0: no case begins after that many seconds; the rest is skipped, and says so. So that what is
	 * left out is not always the same end of the list, every fifth case runs first, then the next.
	 */
	ULONG budget;
	/*
	 * Not 0: each case runs once for every allocation it causes on each adapter, with that one failing;
	 * beyond the first `starve` of them, with ever larger steps. Then a case may not get far, so only
	 * monitors and leaks have a say.
	 */
	ULONG starve;
	/*
	 * Not NULL: runs a case where its end by a signal is only its own: fn(arg) in another process.
	 * Returns what fn did, or -1 when it did not return.
	 */
	int (*apart)(int (*fn)(PVOID arg), PVOID arg);
	/*
	 * Not 0: a case that failed runs so many times more. If it passes each time it counts as passed, and as
	 * unsteady: the report has what it said, and judges how many of them a run may have.
	 */
	ULONG confirm;
	ULONG trip; /* so many runs of each case fail on purpose: a test of the runner itself */
};

struct conf_totals {
	ULONG passed, failed, skipped, unsteady; /* unsteady ones are among the passed */
	unsigned long long starved; /* allocations that failed on purpose */
};

/* Runs the cases the filter names. FALSE: the place broke down and the rest did not run. */
BOOLEAN conf_run(const struct conf_options *options, struct conf_totals *totals);
/* The case that runs, or NULL. Any context: it is for reports of crashes. */
const char *conf_running(void);
/* One line per case: name, places, rules, title, separated by tabs. */
void conf_list(const struct conf_options *options);

#ifdef __cplusplus
}
#endif
#endif
