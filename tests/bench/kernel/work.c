// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The workloads, written once for all ways. Each leaves the stage as it found it: nothing outstanding.
 * Called by the bench's thread.
 */
#define pr_fmt(fmt) "ndk_bench: " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/string.h>
#include <linux/slab.h>

#include "bench.h"
#include "mark.h"

#define WINDOW	      128u /* messages on their way */
#define SIGNAL_EVERY  16u
#define BULK_WINDOW   8u
#define CONNECT_LIMIT (30 * HZ)

/* ---- the clock ---- */
static u64 start(struct bench_stage *s)
{
	s->switches = bench_switches();
	if (s->way == &bench_ndk)
		BENCH_MARK(BENCH_MARK_NDK);
	else
		BENCH_MARK(BENCH_MARK_RAW);
	return ktime_get_ns();
}

static u64 stop(struct bench_stage *s)
{
	u64 now = ktime_get_ns();

	BENCH_MARK(BENCH_MARK_END);
	s->switches = bench_switches() - s->switches;
	return now;
}

/* ---- connections ---- */
static void hang_up(struct bench_conn *c)
{
	if (!c->error)
		c->host->way->disconnect(c);
	else
		bench_ended(c); /* of which there will be no more news that anyone waits for */
}

/* From idle, `outstanding` at a time, to all of them gone again. */
static int connect_some(struct bench_stage *s, struct bench_conn **c, u32 count)
{
	int err = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		c[i]->established = hang_up;
		err = s->way->connect(c[i]);
		if (err)
			return err;
	}
	for (i = 0; i < count; i++) {
		if (!wait_for_completion_timeout(&c[i]->over, CONNECT_LIMIT))
			return -ETIMEDOUT;
		if (c[i]->error)
			return c[i]->error;
	}
	return 0;
}

static int connect_all(struct bench_stage *s, u32 count, u32 outstanding, u64 *ns)
{
	struct bench_conn **c = kcalloc(count, sizeof(*c), GFP_KERNEL);
	u32 i, made = 0;
	int err = c ? 0 : -ENOMEM;

	for (; !err && made < count; made++) {
		c[made] = s->way->make(s->host, made, false);
		if (IS_ERR(c[made])) {
			err = PTR_ERR(c[made]);
			break;
		}
	}
	*ns = start(s);
	for (i = 0; !err && i < count; i += outstanding)
		err = connect_some(s, c + i, min(outstanding, count - i));
	*ns = stop(s) - *ns;
	if (err)
		pr_err("%s: of %u connections one failed: error %d\n", s->way->name, count, err);
	while (made--)
		s->way->unmake(c[made]);
	kfree(c);
	return err;
}

static int connect_1(struct bench_stage *s, u32 count, u64 *ns)
{
	return connect_all(s, count, 1, ns);
}

static int connect_256(struct bench_stage *s, u32 count, u64 *ns)
{
	return connect_all(s, count, 256, ns);
}

/* ---- messages ---- */
static int volley(struct bench_stage *s, enum bench_end from, enum bench_end to)
{
	int err = s->way->send(s->conn, from, true);

	return err ? err : bench_await(s, to, s->received[to] + 1, s->done[to]);
}

static int round_trip(struct bench_stage *s, u32 count, u64 *ns)
{
	u32 sent[BENCH_ENDS] = { s->done[BENCH_ACTIVE] + count, s->done[BENCH_PASSIVE] + count };
	int err = 0;
	u32 i;

	*ns = start(s);
	for (i = 0; !err && i < count; i++) {
		err = s->way->receive(s->conn, BENCH_PASSIVE, i);
		if (!err)
			err = s->way->receive(s->conn, BENCH_ACTIVE, i);
		if (!err)
			err = volley(s, BENCH_ACTIVE, BENCH_PASSIVE);
		if (!err)
			err = volley(s, BENCH_PASSIVE, BENCH_ACTIVE);
	}
	for (i = 0; !err && i < BENCH_ENDS; i++)
		err = bench_await(s, i, s->received[i], sent[i]);
	*ns = stop(s) - *ns;
	return err;
}

/* Keeps the passive end's receives at twice the window, until `count` were posted since `before`. */
static int repost(struct bench_stage *s, u32 before, u32 count, u32 *posted)
{
	int err = 0;

	while (!err && *posted < count &&
	       *posted - (s->received[BENCH_PASSIVE] - before) < 2 * WINDOW)
		err = s->way->receive(s->conn, BENCH_PASSIVE, (*posted)++);
	return err;
}

static int send_batch(struct bench_stage *s)
{
	int err = 0;
	u32 i;

	for (i = 1; !err && i <= SIGNAL_EVERY; i++)
		err = s->way->send(s->conn, BENCH_ACTIVE, i == SIGNAL_EVERY);
	return err;
}

/* count is a multiple of SIGNAL_EVERY. */
static int message_rate(struct bench_stage *s, u32 count, u64 *ns)
{
	u32 received = s->received[BENCH_PASSIVE], done = s->done[BENCH_ACTIVE];
	u32 sent = 0, posted = 0;
	int err = repost(s, received, count, &posted);

	*ns = start(s);
	while (!err && sent < count) {
		if (sent - (s->done[BENCH_ACTIVE] - done) * SIGNAL_EVERY >= WINDOW)
			err = bench_await(s, BENCH_ACTIVE, s->received[BENCH_ACTIVE],
					  s->done[BENCH_ACTIVE] + 1);
		if (!err)
			err = send_batch(s);
		sent += SIGNAL_EVERY;
		if (!err)
			err = min(bench_look(s, BENCH_PASSIVE), 0);
		if (!err)
			err = repost(s, received, count, &posted);
	}
	if (!err)
		err = bench_await(s, BENCH_ACTIVE, s->received[BENCH_ACTIVE],
				  done + count / SIGNAL_EVERY);
	while (!err && s->received[BENCH_PASSIVE] - received < count) {
		err = bench_await(s, BENCH_PASSIVE, s->received[BENCH_PASSIVE] + 1,
				  s->done[BENCH_PASSIVE]);
		if (!err)
			err = repost(s, received, count, &posted);
	}
	*ns = stop(s) - *ns;
	return err;
}

/* ---- RDMA ---- */
static int stream(struct bench_stage *s, u32 count, int (*post)(struct bench_conn *c), u64 *ns)
{
	u32 done = s->done[BENCH_ACTIVE], posted;
	int err = 0;

	*ns = start(s);
	for (posted = 0; !err && posted < count; posted++) {
		if (posted >= BULK_WINDOW)
			err = bench_await(s, BENCH_ACTIVE, s->received[BENCH_ACTIVE],
					  done + posted + 1 - BULK_WINDOW);
		if (!err)
			err = post(s->conn);
	}
	if (!err)
		err = bench_await(s, BENCH_ACTIVE, s->received[BENCH_ACTIVE], done + count);
	*ns = stop(s) - *ns;
	return err;
}

/* The bytes went where they should: from one end's memory, which got a new pattern, to the other's. */
static int checked(struct bench_stage *s, u32 count, enum bench_end from, u64 *ns)
{
	void *const *memory = s->host->setup->memory;
	u8 pattern = *(u8 *)memory[from] + 1;
	int err;

	memset(memory[from], pattern, BENCH_BULK);
	memset(memory[!from], pattern ^ 0x55, BENCH_BULK);
	err = stream(s, count, from == BENCH_ACTIVE ? s->way->write : s->way->read, ns);
	if (!err && memcmp(memory[BENCH_ACTIVE], memory[BENCH_PASSIVE], BENCH_BULK)) {
		pr_err("%s: the bytes did not arrive\n", s->way->name);
		err = -EIO;
	}
	return err;
}

static int bulk_write(struct bench_stage *s, u32 count, u64 *ns)
{
	return checked(s, count, BENCH_ACTIVE, ns);
}

static int bulk_read(struct bench_stage *s, u32 count, u64 *ns)
{
	return checked(s, count, BENCH_PASSIVE, ns);
}

/* count is a multiple of BENCH_REGIONS. */
static int registrations(struct bench_stage *s, u32 count, u64 *ns)
{
	int err = 0;
	u32 i, r;

	*ns = start(s);
	for (i = 0; !err && i < count; i += BENCH_REGIONS) {
		for (r = 0; !err && r < BENCH_REGIONS; r++) {
			err = s->way->reg(s->conn, r, BENCH_PAGES, false);
			if (!err)
				err = s->way->invalidate(s->conn, r);
		}
		if (!err)
			err = bench_await(s, BENCH_ACTIVE, s->received[BENCH_ACTIVE],
					  s->done[BENCH_ACTIVE] + BENCH_REGIONS);
	}
	*ns = stop(s) - *ns;
	return err;
}

const struct bench_work bench_works[] = {
	{ "connect_1", false, 8, BENCH_CONNECTIONS, connect_1, "conn/s", 0, false },
	{ "connect_256", false, 256, BENCH_CONNECTIONS, connect_256, "conn/s", 0, false },
	{ "round_trip", true, 256, 1u << 24, round_trip, "us", BENCH_SMALL, true },
	{ "message_rate", true, 1024, 1u << 24, message_rate, "msg/s", BENCH_SMALL, false },
	{ "bulk_write", true, 16, 1u << 20, bulk_write, "MB/s", BENCH_BULK, false },
	{ "bulk_read", true, 16, 1u << 20, bulk_read, "MB/s", BENCH_BULK, false },
	{ "register", true, 128, 1u << 24, registrations, "reg/s", 0, false },
};

const unsigned int bench_works_count = ARRAY_SIZE(bench_works);
