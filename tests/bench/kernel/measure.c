// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * One workload, the two ways in turn: many short samples, A B, B A, A B ..., so that whatever else the
 * machine does meets both. Every sample becomes a line of JSON in the kernel log; what is made of them
 * is the business of tests/bench/report.py. Called by the bench's thread.
 */
#define pr_fmt(fmt) "ndk_bench: " fmt

#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/sched.h>

#include "bench.h"
#include "mark.h"

static int sample(const struct bench_work *w, struct bench_stage *s, u32 count, u64 *ns)
{
	int err = w->run(s, count, ns);

	s->pieces += count;
	if (err)
		pr_err("%s, %s: failed with error %d\n", w->name, s->way->name, err);
	cond_resched();
	return err;
}

/* How many make a sample of that length. The trials warm both ways up. */
static int settle(const struct bench_work *w, struct bench_stage *stage, u32 target_ms, u32 *count)
{
	u64 ns[2], slower;
	int err;

	for (*count = w->start;; *count = min(*count * 2, w->most)) {
		err = sample(w, &stage[0], *count, &ns[0]);
		if (!err)
			err = sample(w, &stage[1], *count, &ns[1]);
		if (err)
			return err;
		slower = max(ns[0], ns[1]);
		if (*count == w->most || slower >= target_ms * (u64)NSEC_PER_MSEC / 2)
			break;
	}
	/* a multiple of the start, which is one of every batch there is */
	*count = (u32)div64_u64((u64)*count * target_ms * NSEC_PER_MSEC, slower) / w->start *
		 w->start;
	*count = clamp(*count, w->start, w->most);
	return 0;
}

static int alternate(const struct bench_work *w, struct bench_stage *stage, u32 count, u32 pairs)
{
	u32 pair, turn, which;
	u64 ns;
	int err;

	for (pair = 0; pair < pairs; pair++) {
		for (turn = 0; turn < 2; turn++) {
			which = (pair ^ turn) & 1;
			err = sample(w, &stage[which], count, &ns);
			if (err)
				return err;
			pr_info("{\"sample\": \"%s\", \"way\": \"%s\", \"pair\": %u, \"count\": %u, \"ns\": %llu, \"switches\": %llu}\n",
				w->name, stage[which].way->name, pair, count, ns,
				stage[which].switches);
		}
	}
	return 0;
}

int bench_measure(const struct bench_work *w, const struct bench_setup *setup, u32 pairs,
		  u32 target_ms)
{
	static const struct bench_way *const ways[] = { &bench_ndk, &bench_raw };
	struct bench_setup at[2] = { *setup, *setup };
	struct bench_stage stage[2] = {};
	u32 i, count;
	int err = 0;

	pr_info("{\"work\": \"%s\", \"unit\": \"%s\", \"bytes\": %u, \"time\": %s}\n", w->name,
		w->unit, w->bytes, w->time ? "true" : "false");
	for (i = 0; !err && i < 2; i++) {
		/* two listeners */
		at[i].local.sin_port = htons(ntohs(setup->local.sin_port) + i);
		err = bench_stage_open(&stage[i], ways[i], &at[i], w->connected);
	}
	if (!err)
		err = settle(w, stage, target_ms, &count);
	if (!err)
		err = alternate(w, stage, count, pairs);
	BENCH_MARK(BENCH_MARK_NEXT);
	if (!err)
		pr_info("{\"pieces\": \"%s\", \"ndk\": %llu, \"raw\": %llu}\n", w->name, stage[0].pieces,
			stage[1].pieces);
	while (i--)
		bench_stage_close(&stage[i]);
	return err;
}
