/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The runner: which cases there are, running them one after the other, verdicts and result lines.
 * Results are TAP 13, in the kernel KTAP 1. One thread runs cases; verdicts may come from any
 * context.
 */
#include "runner.h"
#include "env.h"
#include "kit.h"
#include "monitor.h"
#include "cases/list.h"

#define CONF_LINE 320u

#define CONF_DECLARE(name_) struct conf_case *cases_##name_(void);
#define CONF_FILE_OF(name_) cases_##name_,
#ifdef __cplusplus
extern "C" {
#endif
CONF_CASE_FILES(CONF_DECLARE)
struct conf_case *cases_selftest(void);
struct conf_case *cases_selftest_queues(void);
#ifdef __cplusplus
}
#endif

/* The monitors first: what they say about the others is worth nothing if they do not work. */
static struct conf_case *(*const files[])(void) = { cases_selftest, cases_selftest_queues,
						   CONF_CASE_FILES(CONF_FILE_OF) };
#define CONF_FILES ((unsigned)(sizeof(files) / sizeof(files[0])))

static struct {
	const struct conf_options *options;
	long failures; /* of the running case */
	long excused;  /* that do not count, because memory was made to fail */
	const char *skipped;
	const char *name; /* of the running case; NULL between cases */
	const char *scene[CONF_SCENE_SLOTS];
	/* starving: the allocation of which adapter fails, whether it did, how often one did in this case */
	unsigned which;
	long nth, starved;
	ULONG tripped; /* runs of this case that failed on purpose */
	BOOLEAN reached;
	UINT64 began_us; /* for the budget */
} run;

const char *conf_running(void)
{
	return run.name;
}

struct conf_case *conf_chain(struct conf_case *const *list, unsigned count)
{
	unsigned i;

	for (i = 0; i + 1 < count; i++)
		list[i]->next = list[i + 1];
	list[count - 1]->next = (struct conf_case *)0;
	return list[0];
}

/* ---- verdicts ---- */

static const char *base_name(const char *path)
{
	const char *slash = path;

	for (; *path; path++)
		if (*path == '/')
			slash = path + 1;
	return slash;
}

static void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void print(const char *fmt, ...)
{
	char line[CONF_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	env_print(line);
}

/* When memory fails, a case need not get what it wants; the monitors (with their number) still judge. */
static BOOLEAN counts(const char *file, int line)
{
	return !run.options->starve || !strcmp(file, "runner") || (line && !strcmp(file, "monitor"));
}

BOOLEAN conf_fail(const char *file, int line, const char *fmt, ...)
{
	char text[CONF_LINE - 100];
	va_list ap;
	unsigned i;

	if (!counts(file, line)) {
		env_add(&run.excused, 1);
		return FALSE;
	}
	/* A case that fails in a loop says enough with the first ones. */
	if (env_add(&run.failures, 1) > 10)
		return FALSE;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line)
		print("# %s:%d: %s", base_name(file), line, text);
	else
		print("# %s: %s", file, text);
	for (i = 0; i < CONF_SCENE_SLOTS; i++)
		if (run.scene[i] && *run.scene[i])
			print("#   where: %s", run.scene[i]);
	return FALSE;
}

BOOLEAN conf_check_status(const char *file, int line, const char *what, NTSTATUS got, NTSTATUS want)
{
	if (got == want)
		return TRUE;
	return conf_fail(file, line, "%.120s is %s, not %s", what, conf_status_name(got), conf_status_name(want));
}

BOOLEAN conf_check_eq(const char *file, int line, const char *what, long long got, const char *wanted,
		      long long want)
{
	if (got == want)
		return TRUE;
	return conf_fail(file, line, "%.80s is %lld, not %.80s (%lld)", what, got, wanted, want);
}

void conf_skip(const char *reason)
{
	run.skipped = reason;
}

BOOLEAN conf_failed(void)
{
	return env_add(&run.failures, 0) + env_add(&run.excused, 0) > 0;
}

void conf_note(const char *fmt, ...)
{
	char text[CONF_LINE - 10];
	va_list ap;

	if (!run.options->verbose)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print("# %s", text);
}

void conf_scene(enum conf_scene_slot slot, const char *text)
{
	run.scene[slot] = text;
	if (*text)
		conf_note("%s", text);
}

/* ---- filters ---- */

/* A glob ends with the list's next comma. */
static BOOLEAN matches(const char *glob, const char *name)
{
	for (; *glob && *glob != ','; glob++, name++) {
		if (*glob == '*') {
			do {
				if (matches(glob + 1, name))
					return TRUE;
			} while (*name++);
			return FALSE;
		}
		if (!*name || (*glob != '?' && *glob != *name))
			return FALSE;
	}
	return !*name;
}

/* Whether one of the ids in the title, T-LS-01, belongs to an area of the list. */
static BOOLEAN in_area(const char *areas, const char *title)
{
	const char *at;

	for (; title[0] == 'T' && title[1] == '-'; title += 8)
		for (at = areas; at[0] && at[1]; at += at[2] ? 3 : 2)
			if (at[0] == title[2] && at[1] == title[3])
				return TRUE;
	return FALSE;
}

static BOOLEAN wanted(const struct conf_case *c)
{
	const char *glob, *next;

	if (run.options->areas && !in_area(run.options->areas, c->title))
		return FALSE;
	for (glob = run.options->filter; glob; glob = next) {
		if (matches(glob, c->name))
			return TRUE;
		next = strchr(glob, ',');
		next = next ? next + 1 : next;
	}
	return !run.options->filter;
}

static struct conf_case *next_case(struct conf_case *c, unsigned *file)
{
	c = c ? c->next : files[*file]();
	for (;;) {
		for (; c; c = c->next)
			if (wanted(c))
				return c;
		if (++*file == CONF_FILES)
			return c;
		c = files[*file]();
	}
}

static const char *places(unsigned where)
{
	static const char *const names[] = { "",	      "S",	  "T",		 "S, T",
					     "K",	      "S, K",	  "T, K",	 "S, T, K" };

	return names[where & NDK_ON_ALL];
}

/* ---- one case ---- */

static UINT64 seed_of(const struct conf_case *c, UINT64 seed)
{
	UINT64 h = 0xcbf29ce484222325ull ^ seed;
	const char *p;

	for (p = c->name; *p; p++)
		h = (h ^ (UCHAR)*p) * 0x100000001b3ull;
	return h ? h : 1;
}

/* The next run is one in which memory fails once. */
static void starve(void)
{
	if (run.options->starve)
		ndk_control_fail_alloc(conf_adapter_name(run.which), run.nth, 0);
}

/* Whether it came to that; a case that asks for memory less often is through. */
static BOOLEAN starved(void)
{
	long asked = 0;

	if (run.options->starve)
		ndk_control_allocs(conf_adapter_name(run.which), &asked, (long *)0);
	return asked >= run.nth;
}

/* FALSE: the place cannot go on. */
static BOOLEAN run_once(struct conf_case *c, UINT64 seed)
{
	long blocks = conf_blocks();

	run.excused = 0;
	if (!env_begin(seed_of(c, seed)))
		return FALSE;
	starve();
	monitor_begin();
	kit_begin();
	conf_note("%s begins", c->name);
	run.name = c->name;
	c->run();
	if (run.tripped < run.options->trip) {
		run.tripped++;
		conf_fail("runner", 0, "fails on purpose");
	}
	run.reached = starved();
	kit_end();
	monitor_end();
	env_end();
	run.name = (const char *)0;
	/* who leaves early may leave blocks behind: a matter of the case alone */
	if (conf_blocks() != blocks && !run.failures && !run.excused)
		conf_fail("runner", 0, "%ld blocks of memory were not given back", conf_blocks() - blocks);
	memset(run.scene, 0, sizeof(run.scene));
	return TRUE;
}

/* Once for each allocation on each adapter. */
static BOOLEAN run_starving(struct conf_case *c)
{
	const long all = (long)run.options->starve;

	for (run.which = 0; conf_adapter_name(run.which); run.which++) {
		for (run.nth = 1;; run.nth += run.nth < all ? 1 : 1 + (run.nth - all) / 4) {
			if (!run_once(c, run.options->seed))
				return FALSE;
			if (run.failures) {
				print("# with allocation %ld of %s failing", run.nth, conf_adapter_name(run.which));
				return TRUE;
			}
			if (!run.reached)
				break;
			run.starved++;
		}
	}
	if (run.starved)
		run.skipped = (const char *)0;
	return TRUE;
}

static BOOLEAN run_repeated(struct conf_case *c, UINT64 *seed)
{
	ULONG i;

	for (i = 0; i < run.options->repeat && !run.failures && !run.skipped; i++)
		if (!run_once(c, (*seed)++))
			return FALSE;
	return TRUE;
}

/*
 * Real devices and an emulated machine that stands still at the wrong moment can fail a case once in
 * thousands of runs. One that failed is run again: TRUE, it passed every time. What it said when it failed stays
 * on record.
 */
static BOOLEAN passes_again(struct conf_case *c, UINT64 seed, BOOLEAN *fine)
{
	const ULONG times = run.options->confirm;
	ULONG passed;

	print("# now %u times more", times);
	run.failures = 0;
	for (passed = 0; passed < times && *fine && !run.failures && !run.skipped; passed++)
		*fine = run_once(c, seed);
	if (passed == times && *fine && !run.failures && !run.skipped)
		return TRUE;
	run.failures++; /* also if that did not fail which could not be run */
	return FALSE;
}

static void print_command(const struct conf_case *c, UINT64 seed)
{
	print("# reproduce: %s%s%s%llu", run.options->again, c->name, run.options->again_seed, seed);
}

static void print_failed(const struct conf_case *c, ULONG number, UINT64 seed)
{
	print_command(c, seed);
	print("not ok %u %s", number, c->name);
}

/* What run_alone() returns; above them how often memory failed. */
#define RUN_FAILED 1
#define RUN_SKIPPED 2
#define RUN_BROKEN 4
#define RUN_UNSTEADY 8
#define RUN_STARVED 16

struct run_arg {
	struct conf_case *c;
	ULONG number;
};

static int run_alone(PVOID arg)
{
	struct run_arg *a = (struct run_arg *)arg;
	UINT64 seed = run.options->seed;
	BOOLEAN fine, unsteady;

	fine = run.options->starve ? run_starving(a->c) : run_repeated(a->c, &seed);
	if (!fine)
		conf_fail("runner", 0, "the place cannot be set up for a case any more");
	if (run.failures > 10)
		print("# ... and %ld more failures", run.failures - 10);
	seed -= !run.options->starve; /* the one that failed, if any did */
	unsteady = fine && run.failures && run.options->confirm && passes_again(a->c, seed, &fine);
	if (unsteady) {
		print_command(a->c, seed);
		print("ok %u %s # UNSTEADY it failed once, then passed %u times", a->number, a->c->name,
		      run.options->confirm);
	} else if (run.failures || !fine) {
		print_failed(a->c, a->number, seed);
		return RUN_FAILED | (fine ? 0 : RUN_BROKEN) | (int)run.starved * RUN_STARVED;
	} else if (run.skipped) {
		print("ok %u %s # SKIP %s", a->number, a->c->name, run.skipped);
	} else {
		print("ok %u %s", a->number, a->c->name);
	}
	return (unsteady ? RUN_UNSTEADY : run.skipped ? RUN_SKIPPED : 0) | (int)run.starved * RUN_STARVED;
}

static BOOLEAN run_case(struct conf_case *c, ULONG number, struct conf_totals *totals)
{
	struct run_arg arg = { c, number };
	int verdict;

	run.failures = run.starved = 0;
	run.tripped = 0;
	run.skipped = (const char *)0;
	if (!(c->where & conf_place())) {
		print("ok %u %s # SKIP not for this place (%s)", number, c->name, places(c->where));
		totals->skipped++;
		return TRUE;
	}
	if (run.options->budget && conf_now_us() - run.began_us > (UINT64)run.options->budget * 1000000) {
		print("ok %u %s # SKIP not within the %u s given", number, c->name, run.options->budget);
		totals->skipped++;
		return TRUE;
	}
	if (run.options->starve && !*c->rules) {
		print("ok %u %s # SKIP shows no rule of the interface", number, c->name);
		totals->skipped++;
		return TRUE;
	}
	verdict = run.options->apart ? run.options->apart(run_alone, &arg) : run_alone(&arg);
	if (verdict < 0) {
		print("# the case ended its process, or memory was lost in it");
		print_failed(c, number, run.options->seed);
		verdict = RUN_FAILED;
	}
	totals->failed += (verdict & RUN_FAILED) != 0;
	totals->skipped += (verdict & RUN_SKIPPED) != 0;
	totals->unsteady += (verdict & RUN_UNSTEADY) != 0;
	totals->passed += !(verdict & (RUN_FAILED | RUN_SKIPPED));
	totals->starved += verdict / RUN_STARVED;
	return !(verdict & RUN_BROKEN);
}

/* ---- all of them ---- */

BOOLEAN conf_run(const struct conf_options *options, struct conf_totals *totals)
{
	const unsigned passes = options->budget ? 5 : 1;
	unsigned file = 0, pass, index;
	struct conf_case *c;
	ULONG count = 0;

	memset(totals, 0, sizeof(*totals));
	run.options = options;
	for (c = next_case((struct conf_case *)0, &file); c; c = next_case(c, &file))
		count++;
	print(options->kernel ? "KTAP version 1" : "TAP version 13");
	print("1..%u", count);
	run.began_us = conf_now_us();
	count = 0;
	for (pass = 0; pass < passes; pass++) {
		index = file = 0;
		for (c = next_case((struct conf_case *)0, &file); c; c = next_case(c, &file)) {
			if (index++ % passes != pass || run_case(c, ++count, totals))
				continue;
			print("Bail out! the place broke down in %s", c->name);
			return FALSE;
		}
	}
	if (options->starve)
		print("# %llu allocations failed", totals->starved);
	print("# %u passed, %u failed, %u skipped", totals->passed, totals->failed, totals->skipped);
	if (totals->unsteady)
		print("# %u of those that passed were unsteady", totals->unsteady);
	return TRUE;
}

void conf_list(const struct conf_options *options)
{
	struct conf_case *c;
	unsigned file = 0;

	run.options = options;
	for (c = next_case((struct conf_case *)0, &file); c; c = next_case(c, &file))
		print("%s\t%s\t%s\t%s", c->name, places(c->where), c->rules, c->title);
}
