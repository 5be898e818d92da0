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
#ifdef __cplusplus
}
#endif

/* The monitors first: what they say about the others is worth nothing if they do not work. */
static struct conf_case *(*const files[])(void) = { cases_selftest, CONF_CASE_FILES(CONF_FILE_OF) };
#define CONF_FILES ((unsigned)(sizeof(files) / sizeof(files[0])))

static struct {
	const struct conf_options *options;
	long failures; /* of the running case */
	const char *skipped;
	const char *scene[CONF_SCENE_SLOTS];
} run;

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

BOOLEAN conf_fail(const char *file, int line, const char *fmt, ...)
{
	char text[CONF_LINE - 100];
	va_list ap;
	unsigned i;

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
	return env_add(&run.failures, 0) > 0;
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

static BOOLEAN matches(const char *glob, const char *name)
{
	for (; *glob; glob++, name++) {
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

static BOOLEAN wanted(const struct conf_case *c)
{
	return !run.options->filter || matches(run.options->filter, c->name);
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

/* FALSE: the place cannot go on. */
static BOOLEAN run_once(struct conf_case *c, UINT64 seed)
{
	long blocks = conf_blocks();

	if (!env_begin(seed_of(c, seed)))
		return FALSE;
	monitor_begin();
	kit_begin();
	conf_note("%s begins", c->name);
	c->run();
	kit_end();
	monitor_end();
	env_end();
	if (conf_blocks() != blocks && !run.failures)
		conf_fail("runner", 0, "%ld blocks of memory were not given back", conf_blocks() - blocks);
	memset(run.scene, 0, sizeof(run.scene));
	return TRUE;
}

static BOOLEAN run_case(struct conf_case *c, ULONG number, struct conf_totals *totals)
{
	UINT64 seed = run.options->seed;
	BOOLEAN fine = TRUE;
	ULONG i;

	run.failures = 0;
	run.skipped = (const char *)0;
	if (!(c->where & conf_place())) {
		print("ok %u %s # SKIP not for this place (%s)", number, c->name, places(c->where));
		totals->skipped++;
		return TRUE;
	}
	for (i = 0; fine && i < run.options->repeat && !run.failures && !run.skipped; i++)
		fine = run_once(c, seed++);
	if (!fine)
		conf_fail("runner", 0, "the place cannot be set up for a case any more");
	if (run.failures) {
		if (run.failures > 10)
			print("# ... and %ld more failures", run.failures - 10);
		print("# again: %s%s%s%llu", run.options->again, c->name,
		      run.options->kernel ? " seed=" : "' --verbose --seed ", seed - 1);
		print("not ok %u %s", number, c->name);
		totals->failed++;
	} else if (run.skipped) {
		print("ok %u %s # SKIP %s", number, c->name, run.skipped);
		totals->skipped++;
	} else {
		print("ok %u %s", number, c->name);
		totals->passed++;
	}
	return fine;
}

/* ---- all of them ---- */

BOOLEAN conf_run(const struct conf_options *options, struct conf_totals *totals)
{
	struct conf_case *c;
	unsigned file = 0;
	ULONG count = 0;

	memset(totals, 0, sizeof(*totals));
	run.options = options;
	for (c = next_case((struct conf_case *)0, &file); c; c = next_case(c, &file))
		count++;
	print(options->kernel ? "KTAP version 1" : "TAP version 13");
	print("1..%u", count);
	file = count = 0;
	for (c = next_case((struct conf_case *)0, &file); c; c = next_case(c, &file)) {
		if (run_case(c, ++count, totals))
			continue;
		print("Bail out! the place broke down in %s", c->name);
		return FALSE;
	}
	print("# %u passed, %u failed, %u skipped", totals->passed, totals->failed, totals->skipped);
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
