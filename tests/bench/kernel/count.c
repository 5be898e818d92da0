// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Instructions of posting and polling, on a machine whose time stamp counter counts them: QEMU with
 * -icount shift=0 advances it by one for each instruction executed. There is one processor and no noise:
 * the median is the number, and the least says whether it is.
 *
 * Counted are one call of a way and its few lines around the call to ndk.ko or to ib_core. Bottom halves
 * are off meanwhile, so that the device's own work, which a post sets off, comes after it. The raw
 * way of this is bench_bare, which has no lock and leaves bottom halves alone: all that ndk.ko does
 * more counts as added.
 */
#define pr_fmt(fmt) "ndk_bench: " fmt

#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/timex.h>

#include "bench.h"

enum counted {
	COUNT_NOTHING, /* reading the counter twice */
	COUNT_SEND,
	COUNT_SEND_SILENT,
	COUNT_RECEIVE,
	COUNT_WRITE,
	COUNT_READ,
	COUNT_REGISTER,
	COUNT_INVALIDATE,
	COUNT_POLL_REQUEST, /* one result is there */
	COUNT_POLL_RECEIVE,
	COUNT_POLL_EMPTY,
	/* parts of what the way through NDKPI adds */
	COUNT_REGISTER_PAGE,
	COUNT_POST_LOCK,
	COUNT_POLL_LOCK,
	COUNTED
};

static const char *const names[COUNTED] = {
	[COUNT_NOTHING] = "nothing",
	[COUNT_SEND] = "send",
	[COUNT_SEND_SILENT] = "send_silent",
	[COUNT_RECEIVE] = "receive",
	[COUNT_WRITE] = "write",
	[COUNT_READ] = "read",
	[COUNT_REGISTER] = "register",
	[COUNT_INVALIDATE] = "invalidate",
	[COUNT_POLL_REQUEST] = "poll_request",
	[COUNT_POLL_RECEIVE] = "poll_receive",
	[COUNT_POLL_EMPTY] = "poll_empty",
	[COUNT_REGISTER_PAGE] = "register_page",
	[COUNT_POST_LOCK] = "post_lock",
	[COUNT_POLL_LOCK] = "poll_lock",
};

struct counts {
	u32 samples;
	u32 taken[COUNTED];
	u32 *of[COUNTED]; /* samples of each */
};

#define COUNT(counts, what, call)                          \
	({                                                 \
		u64 began_;                                \
		int r_;                                    \
		local_bh_disable();                        \
		began_ = get_cycles();                     \
		r_ = (call);                               \
		note(counts, what, get_cycles() - began_); \
		local_bh_enable();                         \
		r_;                                        \
	})

static void note(struct counts *c, enum counted what, u64 cost)
{
	if (c->taken[what] < c->samples)
		c->of[what][c->taken[what]++] = cost;
}

/* Waits, and counts the first poll that finds exactly one result, where there is to be but one. */
static int count_poll(struct counts *c, struct bench_stage *s, enum bench_end end,
		      enum counted what)
{
	struct bench_result r[BENCH_BATCH];
	int n, turns;

	for (turns = 0; turns < 1000000; turns++) {
		u64 began, cost;

		local_bh_disable();
		began = get_cycles();
		n = s->way->poll(s->host, end, r);
		cost = get_cycles() - began;
		local_bh_enable();
		if (n == 1 && !r[0].error) {
			note(c, what, cost);
			return 0;
		}
		if (n)
			return -EIO;
		note(c, COUNT_POLL_EMPTY, cost);
		cond_resched();
	}
	return -ETIMEDOUT;
}

static int count_message(struct counts *c, struct bench_stage *s)
{
	const struct bench_way *way = s->way;
	int err = COUNT(c, COUNT_RECEIVE, way->receive(s->conn, BENCH_PASSIVE, 0));

	if (!err)
		err = COUNT(c, COUNT_SEND, way->send(s->conn, BENCH_ACTIVE, true));
	if (!err)
		err = count_poll(c, s, BENCH_PASSIVE, COUNT_POLL_RECEIVE);
	return err ? err : count_poll(c, s, BENCH_ACTIVE, COUNT_POLL_REQUEST);
}

/* A silent one and a signalled one behind it; the poll also retires the former and is not counted. */
static int count_silent(struct counts *c, struct bench_stage *s)
{
	const struct bench_way *way = s->way;
	u32 received = s->received[BENCH_PASSIVE] + 2, done = s->done[BENCH_ACTIVE] + 1;
	int err = way->receive(s->conn, BENCH_PASSIVE, 0);

	if (!err)
		err = way->receive(s->conn, BENCH_PASSIVE, 1);
	if (!err)
		err = COUNT(c, COUNT_SEND_SILENT, way->send(s->conn, BENCH_ACTIVE, false));
	if (!err)
		err = way->send(s->conn, BENCH_ACTIVE, true);
	if (!err)
		err = bench_await(s, BENCH_PASSIVE, received, s->done[BENCH_PASSIVE]);
	return err ? err : bench_await(s, BENCH_ACTIVE, s->received[BENCH_ACTIVE], done);
}

static int await_one(struct bench_stage *s)
{
	return bench_await(s, BENCH_ACTIVE, s->received[BENCH_ACTIVE], s->done[BENCH_ACTIVE] + 1);
}

static int count_region(struct counts *c, struct bench_stage *s, enum counted what, u32 pages)
{
	const struct bench_way *way = s->way;
	int err = COUNT(c, what, way->reg(s->conn, 0, pages, true));

	if (!err)
		err = await_one(s);
	if (!err)
		err = COUNT(c, COUNT_INVALIDATE, way->invalidate(s->conn, 0));
	return err ? err : await_one(s);
}

/* What ndk.ko takes and gives back around a post and around a poll. */
static int post_lock(spinlock_t *lock)
{
	if (irqs_disabled())
		return -EINVAL;
	spin_lock_bh(lock);
	spin_unlock_bh(lock);
	return 0;
}

static int poll_lock(spinlock_t *lock)
{
	unsigned long flags;

	spin_lock_irqsave(lock, flags);
	spin_unlock_irqrestore(lock, flags);
	return 0;
}

static void count_locks(struct counts *c)
{
	static DEFINE_SPINLOCK(lock);

	COUNT(c, COUNT_POST_LOCK, post_lock(&lock));
	COUNT(c, COUNT_POLL_LOCK, poll_lock(&lock));
}

static int count_memory(struct counts *c, struct bench_stage *s)
{
	const struct bench_way *way = s->way;
	int err = COUNT(c, COUNT_WRITE, way->write(s->conn));

	if (!err)
		err = count_poll(c, s, BENCH_ACTIVE, COUNT_POLL_REQUEST);
	if (!err)
		err = COUNT(c, COUNT_READ, way->read(s->conn));
	if (!err)
		err = count_poll(c, s, BENCH_ACTIVE, COUNT_POLL_REQUEST);
	if (!err)
		err = count_region(c, s, COUNT_REGISTER, BENCH_PAGES);
	return err ? err : count_region(c, s, COUNT_REGISTER_PAGE, 1);
}

static int order(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void report(struct counts *c, const char *way)
{
	u32 i, n, *v;

	for (i = 0; i < COUNTED; i++) {
		n = c->taken[i];
		v = c->of[i];
		if (!n)
			continue;
		sort(v, n, sizeof(*v), order, NULL);
		pr_info("{\"instructions\": \"%s\", \"way\": \"%s\", \"samples\": %u, \"least\": %u, \"median\": %u, \"most\": %u}\n",
			names[i], way, n, v[0], v[n / 2], v[n - 1]);
	}
}

static int count_way(const struct bench_way *way, const struct bench_setup *setup, struct counts *c)
{
	struct bench_stage s;
	int err = bench_stage_open(&s, way, setup, true);
	u32 i;

	if (err)
		return err;
	memset(c->taken, 0, sizeof(c->taken));
	for (i = 0; !err && i < c->samples; i++) {
		COUNT(c, COUNT_NOTHING, 0);
		if (way == &bench_ndk)
			count_locks(c);
		err = count_message(c, &s);
		if (!err)
			err = count_silent(c, &s);
		if (!err)
			err = count_memory(c, &s);
	}
	bench_stage_close(&s);
	if (err)
		pr_err("instructions, %s: failed with error %d\n", way->name, err);
	else
		report(c, way->name);
	return err;
}

int bench_count(const struct bench_setup *setup, u32 samples)
{
	struct counts c = { .samples = samples };
	int i, err = 0;

	for (i = 0; i < COUNTED; i++) {
		c.of[i] = kcalloc(samples, sizeof(u32), GFP_KERNEL);
		if (!c.of[i])
			err = -ENOMEM;
	}
	if (!err)
		err = count_way(&bench_ndk, setup, &c);
	if (!err)
		err = count_way(&bench_bare, setup, &c);
	for (i = 0; i < COUNTED; i++)
		kfree(c.of[i]);
	return err;
}
