/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Notifications of shared receive queues: thresholds, arming, what a consumer does inside them, and
 * the loss of a queue. Runs where a case runs.
 */
#include "shared_receive.h"

/* An SRQ with one connection on it; FALSE: the case has failed, or is to be skipped. */
static BOOLEAN notify_open(struct staged *s, struct srq_link *l, struct kit_srq **q, ULONG depth, ULONG threshold)
{
	if (!stage_to(s, STAGE_IDLE))
		return FALSE;
	if (s->b->info->MaxSrqDepth < 32) {
		conf_skip("the adapter has no SRQ of that depth");
		return FALSE;
	}
	*q = kit_create_srq(s->b->pd, depth, 1, threshold);
	return *q && srq_link(s, l, *q);
}

NDK_CASE(srq_low_at_once, "SRQ-4 SRQ-5 SRQ-6", NDK_ON_ALL,
	 "T-SQ-03 armed when it holds less than that already, an SRQ notifies at once, and once")
{
	struct srq_link l;
	struct kit_srq *q;
	struct staged s;

	if (!notify_open(&s, &l, &q, 16, 0))
		return;
	REQUIRE(srq_post(&s, q, (PVOID *)0, 0, 3));
	REQUIRE_STATUS(kit_modify(q, 0, 5), STATUS_SUCCESS);
	REQUIRE(kit_srq_notified(q, KIT_PATIENCE_MS));
	CHECK_STATUS(q->told.status, STATUS_SUCCESS);
	/* one-shot: down, up again and down, and nobody is told */
	REQUIRE(srq_use(&s, &l, 2));
	REQUIRE(srq_post(&s, q, (PVOID *)0, 3, 6));
	REQUIRE(srq_use(&s, &l, 4));
	CHECK_EQ(kit_srq_notifications(q), 1);
	REQUIRE_STATUS(kit_modify(q, 0, 5), STATUS_SUCCESS);
	REQUIRE(kit_srq_notified(q, KIT_PATIENCE_MS));
	CHECK_EQ(kit_srq_notifications(q), 2);
}

NDK_CASE(srq_low_from_start, "SRQ-1 SRQ-5 U-37", NDK_ON_ALL,
	 "created with a threshold, an SRQ is armed, but has to reach it before it can fall below it")
{
	struct srq_link l;
	struct kit_srq *q;
	struct staged s;

	if (!notify_open(&s, &l, &q, 16, 3))
		return;
	REQUIRE(srq_post(&s, q, (PVOID *)0, 0, 2));
	REQUIRE(srq_use(&s, &l, 2));
	CHECK_EQ(kit_srq_notifications(q), 0);
	REQUIRE(srq_post(&s, q, (PVOID *)0, 2, 4));
	REQUIRE(srq_use(&s, &l, 1));
	CHECK_EQ(kit_srq_notifications(q), 0);
	REQUIRE(srq_use(&s, &l, 1));
	REQUIRE(kit_srq_notified(q, KIT_PATIENCE_MS));
	CHECK_STATUS(q->told.status, STATUS_SUCCESS);
	REQUIRE(srq_use(&s, &l, 2));
	REQUIRE(srq_post(&s, q, (PVOID *)0, 6, 5));
	REQUIRE(srq_use(&s, &l, 5));
	CHECK_EQ(kit_srq_notifications(q), 1);
}

NDK_CASE(srq_low_later, "SRQ-1 SRQ-4 SRQ-5", NDK_ON_ALL,
	 "armed while it holds enough, an SRQ notifies when the first message takes it below, not before")
{
	struct srq_link l;
	struct kit_srq *q;
	struct staged s;
	int i;

	if (!notify_open(&s, &l, &q, 16, 0))
		return;
	for (i = 1; i <= 3; i++) {
		REQUIRE(srq_post(&s, q, (PVOID *)0, 0, 6));
		REQUIRE_STATUS(kit_modify(q, 0, 4), STATUS_SUCCESS);
		REQUIRE(srq_use(&s, &l, 2));
		CHECK_EQ(kit_srq_notifications(q), i - 1);
		REQUIRE(srq_use(&s, &l, 1));
		REQUIRE(kit_srq_notified(q, KIT_PATIENCE_MS));
		REQUIRE(srq_use(&s, &l, 3));
		CHECK_EQ(kit_srq_notifications(q), i);
	}
}

NDK_CASE(srq_modify_keeps, "SRQ-2 SRQ-3 SRQ-4 SRQ-1", NDK_ON_ALL,
	 "T-SQ-04 a change of depth leaves threshold and arming alone, one of the threshold the depth")
{
	struct srq_link l;
	struct kit_srq *q;
	struct staged s;

	if (!notify_open(&s, &l, &q, 16, 4))
		return;
	REQUIRE(srq_post(&s, q, (PVOID *)0, 0, 16));
	CHECK_STATUS(kit_srq_receive(q, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	REQUIRE_STATUS(kit_modify(q, 32, 0), STATUS_SUCCESS);
	REQUIRE(srq_post(&s, q, (PVOID *)0, 16, 16));
	CHECK_STATUS(kit_srq_receive(q, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	REQUIRE(srq_use(&s, &l, 28));
	CHECK_EQ(kit_srq_notifications(q), 0);
	REQUIRE(srq_use(&s, &l, 1));
	REQUIRE(kit_srq_notified(q, KIT_PATIENCE_MS));
	REQUIRE(srq_post(&s, q, (PVOID *)0, 0, 29));
	REQUIRE_STATUS(kit_modify(q, 0, 6), STATUS_SUCCESS);
	CHECK_STATUS(kit_srq_receive(q, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	REQUIRE(srq_use(&s, &l, 26));
	CHECK_EQ(kit_srq_notifications(q), 1);
	REQUIRE(srq_use(&s, &l, 1));
	REQUIRE(kit_srq_notified(q, KIT_PATIENCE_MS));
	CHECK_EQ(kit_srq_notifications(q), 2);
}

NDK_CASE(srq_low_unheard, "SRQ-1 GEN-2", NDK_ON_ALL, "without a callback an SRQ works, and tells nobody")
{
	struct kit_call *c;
	struct srq_link l;
	struct kit_srq q;
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	SRQ_SKIP(s, 16);
	memset(&q, 0, sizeof(q));
	c = kit_begin_srq(s.b->pd, 16, 1, 3, (kit_inside)0, (PVOID)0);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	q.srq = (NDK_SRQ *)c->object;
	REQUIRE(srq_link(&s, &l, &q));
	REQUIRE(srq_post(&s, &q, (PVOID *)0, 0, 5));
	REQUIRE(srq_use(&s, &l, 4));
	REQUIRE_STATUS(kit_modify(&q, 0, 3), STATUS_SUCCESS);
	REQUIRE(srq_use(&s, &l, 1));
	conf_settle();
}

/* ---- inside a notification ---- */

struct refill {
	struct kit_buffer *buffer;
	struct kit_call *last;
	long posted;
};

/* As consumers do: more receives, and armed again. */
static void refill_now(struct kit_srq *q, NTSTATUS status)
{
	struct refill *r = (struct refill *)q->arg;
	unsigned long flags;
	long posted = 0;
	int i;

	if (status != STATUS_SUCCESS)
		return;
	for (i = 0; i < 6; i++)
		posted += kit_srq_receive(q, kit_context(), r->buffer, 0, SRQ_PIECE) == STATUS_SUCCESS;
	flags = conf_lock();
	r->posted += posted;
	conf_unlock(flags);
	r->last = kit_begin_modify(q, 0, 4);
}

/* A sender is not to outrun the notifications: until that many receives were posted in them. */
static BOOLEAN refill_keeps_up(const struct refill *r, long posted)
{
	UINT64 until = conf_now_us() + KIT_PATIENCE_MS * 1000ull;
	unsigned long flags;
	long now;

	for (;;) {
		flags = conf_lock();
		now = r->posted;
		conf_unlock(flags);
		if (now >= posted)
			return TRUE;
		if (conf_now_us() > until || !conf_nap())
			return conf_fail(__FILE__, __LINE__, "%ld receives posted inside, %ld wanted", now, posted);
	}
}

NDK_CASE(srq_refilled_inside, "SRQ-1 SRQ-4 SRQ-5 REQ-9 IRQL-3", NDK_ON_ALL,
	 "receives posted and the SRQ armed inside its notification keep a connection going")
{
	unsigned messages = conf_place() == NDK_ON_K ? 40 : 200;
	struct refill r = { (struct kit_buffer *)0, (struct kit_call *)0, 0 };
	long posted, notified, most;
	unsigned long flags;
	struct srq_link l;
	struct kit_srq *q;
	struct staged s;
	unsigned i;

	if (!notify_open(&s, &l, &q, 16, 0))
		return;
	r.buffer = s.b->buffer;
	q->arg = &r;
	q->inside = refill_now;
	REQUIRE(srq_post(&s, q, (PVOID *)0, 0, 5));
	REQUIRE_STATUS(kit_modify(q, 0, 4), STATUS_SUCCESS);
	for (i = 0; i < messages; i++)
		REQUIRE(refill_keeps_up(&r, (long)i + 1 - 5) && srq_use(&s, &l, 1));
	conf_settle();
	flags = conf_lock();
	posted = r.posted;
	notified = q->told.notifications;
	most = q->told.most;
	conf_unlock(flags);
	CHECK(posted + 5 >= (long)messages);
	CHECK(notified >= (long)messages / 12);
	CHECK_EQ(most, 1);
}

static void close_now(struct kit_srq *q, NTSTATUS status)
{
	struct kit_call **closing = (struct kit_call **)q->arg;

	(void)status;
	*closing = KIT_CLOSE(q->srq);
	conf_stall(500);
}

NDK_CASE(srq_closed_inside, "CLOSE-6 CLOSE-8 CLOSE-13 CLOSE-17", NDK_ON_ALL,
	 "closed inside its notification, an SRQ ends after that has returned, and notifies no more")
{
	struct kit_call *closing = (struct kit_call *)0;
	struct kit_side *s = kit_side(1);
	struct kit_srq *q;

	REQUIRE(s != (struct kit_side *)0);
	SKIP_UNLESS(s->info->MaxSrqDepth >= 4, "the adapter has no SRQ of that depth");
	q = kit_create_srq(s->pd, 4, 1, 0);
	REQUIRE(q != (struct kit_srq *)0);
	q->arg = &closing;
	q->inside = close_now;
	REQUIRE_STATUS(kit_modify(q, 0, 2), STATUS_SUCCESS);
	REQUIRE(kit_srq_notified(q, KIT_PATIENCE_MS));
	REQUIRE(closing != (struct kit_call *)0);
	CHECK(kit_pended(closing));
	CHECK_STATUS(kit_wait(closing), STATUS_SUCCESS);
	CHECK(closing->entered > q->told.left);
	CHECK_EQ(kit_srq_notifications(q), 1);
}

/* ---- at DISPATCH_LEVEL ---- */

struct level {
	struct kit_side *side;
	struct kit_srq *q;
	struct kit_call *creating, *modifying, *closing;
	NTSTATUS posted;
};

static void level_create(PVOID arg)
{
	struct level *v = (struct level *)arg;

	v->creating = kit_begin_told_srq(&v->q, v->side->pd, 8, 1, 0, (GROUP_AFFINITY *)0);
}

static void level_use(PVOID arg)
{
	struct level *v = (struct level *)arg;

	v->posted = kit_srq_receive(v->q, kit_context(), v->side->buffer, 0, 8);
	v->modifying = kit_begin_modify(v->q, 16, 3);
}

static void level_close(PVOID arg)
{
	struct level *v = (struct level *)arg;

	v->closing = KIT_CLOSE(v->q->srq);
}

NDK_CASE(srq_at_dispatch_level, "IRQL-1 IRQL-3 IRQL-4", NDK_ON_ALL,
	 "an SRQ is created, filled, changed and closed where sleeping is not allowed")
{
	KIT_EACH_ANSWER(mode) {
		struct level v;

		memset(&v, 0, sizeof(v));
		v.side = kit_side(1);
		REQUIRE(v.side != (struct kit_side *)0);
		SKIP_UNLESS(v.side->info->MaxSrqDepth >= 16, "the adapter has no SRQ of that depth");
		conf_atomic(level_create, &v);
		REQUIRE_STATUS(kit_wait(v.creating), STATUS_SUCCESS);
		conf_atomic(level_use, &v);
		CHECK_STATUS(v.posted, STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(v.modifying), STATUS_SUCCESS);
		REQUIRE(kit_srq_notified(v.q, KIT_PATIENCE_MS));
		conf_atomic(level_close, &v);
		CHECK_STATUS(kit_wait(v.closing), STATUS_SUCCESS);
	}
}

/* ---- lost ---- */

NDK_CASE(srq_lost, "SRQ-6 CLOSE-1 DISC-6", NDK_ON_FABRIC,
	 "T-FT-06 an SRQ that the device lost: told once, armed or not; its QPs are of no use, closes end")
{
	struct srq_link l[2];
	struct kit_srq *q;
	struct staged s;

	if (!notify_open(&s, &l[0], &q, 16, 0))
		return;
	REQUIRE(srq_link(&s, &l[1], q));
	REQUIRE(srq_post(&s, q, (PVOID *)0, 0, 4));
	REQUIRE(srq_use(&s, &l[0], 1));
	SKIP_UNLESS(conf_srq_fault(q->srq), "no SRQ can be lost here");
	REQUIRE(kit_srq_notified(q, KIT_PATIENCE_MS));
	CHECK_STATUS(q->told.status, STATUS_INTERNAL_ERROR);
	conf_srq_fault(q->srq);
	CHECK_EQ(kit_srq_notifications(q), 1);
	CHECK_STATUS(kit_send(l[0].far, kit_context(), s.b->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK_STATUS(kit_send(l[1].far, kit_context(), s.b->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK(kit_disconnected(l[0].cb, KIT_PATIENCE_MS));
	CHECK(kit_disconnected(l[1].cb, KIT_PATIENCE_MS));
	CHECK_EQ(kit_drain(l[0].cq) + kit_drain(l[1].cq), 0);
	CHECK_EQ(kit_srq_notifications(q), 1);
	CHECK(KIT_CLOSED(l[0].cb->connector) && KIT_CLOSED(l[1].cb->connector));
	CHECK(KIT_CLOSED(l[0].far) && KIT_CLOSED(l[1].far) && KIT_CLOSED(q->srq));
}

CONF_CASES(srq_notify, CASE(srq_low_at_once), CASE(srq_low_from_start), CASE(srq_low_later),
	   CASE(srq_modify_keeps), CASE(srq_low_unheard), CASE(srq_refilled_inside), CASE(srq_closed_inside),
	   CASE(srq_at_dispatch_level), CASE(srq_lost));
