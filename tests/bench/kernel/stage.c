// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * A stage: a way that is open, with one established connection if wanted. And what the ways report of
 * connections, once each.
 */
#define pr_fmt(fmt) "ndk_bench: " fmt

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "bench.h"

#define PATIENCE (20 * HZ)

#define REPORTED_UP   1
#define REPORTED_OVER 2

void bench_conn_init(struct bench_conn *c, struct bench_host *h, u32 index)
{
	c->host = h;
	c->index = index;
	atomic_set(&c->reported, 0);
	init_completion(&c->up);
	init_completion(&c->over);
}

void bench_established(struct bench_conn *c, int error)
{
	if (atomic_fetch_or(REPORTED_UP, &c->reported) & REPORTED_UP)
		return;
	c->error = error;
	if (c->established)
		c->established(c);
	complete(&c->up);
}

void bench_ended(struct bench_conn *c)
{
	if (!(atomic_fetch_or(REPORTED_OVER, &c->reported) & REPORTED_OVER))
		complete(&c->over);
}

static int connect_stage(struct bench_stage *s)
{
	int err;

	s->conn = s->way->make(s->host, 0, true);
	if (IS_ERR(s->conn)) {
		err = PTR_ERR(s->conn);
		s->conn = NULL;
		return err;
	}
	err = s->way->connect(s->conn);
	if (!err && !wait_for_completion_timeout(&s->conn->up, PATIENCE))
		err = -ETIMEDOUT;
	if (!err)
		err = s->conn->error;
	if (err)
		return err;
	s->stands = true;
	return s->way->expose(s->conn);
}

int bench_stage_open(struct bench_stage *s, const struct bench_way *way,
		     const struct bench_setup *setup, bool connected)
{
	int err = 0;

	memset(s, 0, sizeof(*s));
	s->way = way;
	s->host = way->open(setup);
	if (IS_ERR(s->host)) {
		err = PTR_ERR(s->host);
		s->host = NULL;
	} else if (connected) {
		err = connect_stage(s);
	}
	if (err) {
		pr_err("%s: the stage cannot be set: error %d\n", way->name, err);
		bench_stage_close(s);
	}
	return err;
}

void bench_stage_close(struct bench_stage *s)
{
	struct bench_conn *c = s->conn;

	if (s->stands) {
		s->way->hide(c);
		s->way->disconnect(c);
		if (!wait_for_completion_timeout(&c->over, PATIENCE))
			pr_err("%s: no end of the connection for 20 s\n", s->way->name);
	}
	if (c)
		s->way->unmake(c);
	if (s->host)
		s->way->close(s->host);
	memset(s, 0, sizeof(*s));
}

int bench_look(struct bench_stage *s, enum bench_end end)
{
	struct bench_result r[BENCH_BATCH];
	int i, n = s->way->poll(s->host, end, r);

	for (i = 0; i < n; i++) {
		if (r[i].error || (r[i].kind == BENCH_RECEIVE && r[i].bytes != BENCH_SMALL)) {
			pr_err("%s: a %s of the %s end: error %#x, %u bytes\n", s->way->name,
			       r[i].kind == BENCH_RECEIVE ? "receive" : "request",
			       end == BENCH_ACTIVE ? "active" : "passive", r[i].error, r[i].bytes);
			return -EIO;
		}
		if (r[i].kind == BENCH_RECEIVE)
			s->received[end]++;
		else
			s->done[end]++;
	}
	return n;
}

int bench_await(struct bench_stage *s, enum bench_end end, u32 received, u32 done)
{
	unsigned long until = jiffies + PATIENCE;
	int n;

	while ((int)(received - s->received[end]) > 0 || (int)(done - s->done[end]) > 0) {
		n = bench_look(s, end);
		if (n < 0)
			return n;
		if (n)
			continue;
		if (time_after(jiffies, until)) {
			pr_err("%s: no result for 20 s\n", s->way->name);
			return -ETIMEDOUT;
		}
		cond_resched();
	}
	return 0;
}
