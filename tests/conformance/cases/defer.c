/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Deferred requests, and posting beside a flush or a close: whatever was accepted ends once. Runs where
 * a case runs.
 */
#include "stages.h"

/* ---- chains ---- */

#define DEFER_CHAIN 8u

/* Receives at b for that many messages. */
static BOOLEAN defer_receives(struct staged *s, unsigned count)
{
	while (count--)
		if (!CHECK_STATUS(kit_receive(s->b->qp, kit_context(), s->b->buffer, 0, 16), STATUS_SUCCESS))
			return FALSE;
	return TRUE;
}

NDK_CASE(defer_chain, "DEFER-1 DEFER-2 DEFER-3 DEFER-6 ORD-1 QP-1", NDK_ON_ALL,
	 "sends deferred behind each other and one that is not: all are carried out, in order")
{
	PVOID context[DEFER_CHAIN];
	struct staged s;
	NDK_RESULT_EX r;
	unsigned i, round;

	REQUIRE(stage_to(&s, STAGE_UP));
	for (round = 0; round < 3; round++) {
		REQUIRE(defer_receives(&s, DEFER_CHAIN));
		for (i = 0; i < DEFER_CHAIN; i++) {
			context[i] = kit_context();
			REQUIRE_STATUS(kit_send(s.a->qp, context[i], s.a->buffer, 0, i + 1,
						i + 1 < DEFER_CHAIN ? NDK_OP_FLAG_DEFER : 0),
				       STATUS_SUCCESS);
		}
		for (i = 0; i < DEFER_CHAIN; i++)
			REQUIRE(kit_expect(s.a->cq, context[i], STATUS_SUCCESS));
		for (i = 0; i < DEFER_CHAIN; i++)
			REQUIRE(kit_result(s.b->cq, &r) && CHECK_EQ(r.BytesTransferred, i + 1));
	}
}

NDK_CASE(defer_silent_chain, "DEFER-3 DEFER-6 QP-4 ORD-3", NDK_ON_ALL,
	 "deferred and silent: the one result at the end says that all before it are done")
{
	PVOID last = kit_context();
	struct staged s;
	NDK_RESULT_EX r;
	unsigned i;

	REQUIRE(stage_to(&s, STAGE_UP));
	REQUIRE(defer_receives(&s, DEFER_CHAIN));
	for (i = 0; i + 1 < DEFER_CHAIN; i++)
		REQUIRE_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, i + 1,
					NDK_OP_FLAG_DEFER | NDK_OP_FLAG_SILENT_SUCCESS),
			       STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send(s.a->qp, last, s.a->buffer, 0, DEFER_CHAIN, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(s.a->cq, last, STATUS_SUCCESS));
	CHECK_EQ(kit_drain(s.a->cq), 0);
	for (i = 0; i < DEFER_CHAIN; i++)
		REQUIRE(kit_result(s.b->cq, &r) && CHECK_EQ(r.BytesTransferred, i + 1));
}

NDK_CASE(defer_broken_chain, "DEFER-3 DEFER-4 DEFER-1 QP-2 ORD-1", NDK_ON_ALL,
	 "T-QP-15 a chain whose third call fails: the two before it are carried out, and nothing else")
{
	PVOID context[2];
	struct kit_buffer *there;
	struct kit_fast *mine;
	struct staged s;
	NDK_RESULT_EX r;
	NTSTATUS status;

	REQUIRE(stage_to(&s, STAGE_UP));
	there = kit_exposed(s.b->pd, 256);
	mine = kit_fast(s.a, NDK_PAGE_SIZE, FALSE);
	REQUIRE(there && mine);
	kit_fill(s.a->buffer, 0, 64, 0x21);
	context[0] = kit_context();
	context[1] = kit_context();
	REQUIRE_STATUS(kit_fast_register(s.a->qp, context[0], mine,
					 NDK_OP_FLAG_ALLOW_LOCAL_WRITE | NDK_OP_FLAG_DEFER),
		       STATUS_SUCCESS);
	REQUIRE_STATUS(kit_write(s.a->qp, context[1], s.a->buffer, 0, 64, KIT_AT(there, 0), there->remote,
				 NDK_OP_FLAG_DEFER),
		       STATUS_SUCCESS);
	/* no invalidation has data to be inline */
	status = KIT_INVALIDATE(s.a->qp, kit_context(), mine->mr, NDK_OP_FLAG_DEFER | NDK_OP_FLAG_INLINE);
	REQUIRE_STATUS(status, STATUS_INVALID_PARAMETER);
	REQUIRE(kit_result(s.a->cq, &r));
	CHECK(r.RequestContext == context[0]);
	CHECK_STATUS(r.Status, STATUS_SUCCESS);
	REQUIRE(kit_expect(s.a->cq, context[1], STATUS_SUCCESS));
	CHECK(kit_verify(there, 0, 64, 0x21));
	CHECK_EQ(kit_drain(s.a->cq), 0);
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
}

NDK_CASE(defer_full, "DEFER-4 DEFER-3 U-27", NDK_ON_ALL,
	 "a queue that is full of deferred requests refuses the next one, and carries them out")
{
	struct kit_shape shape;
	PVOID context[4];
	struct staged s;
	unsigned i;

	memset(&shape, 0, sizeof(shape));
	shape.initiator_depth = 4;
	REQUIRE(stage_to(&s, STAGE_IDLE));
	s.a->qp = kit_create_qp(s.a->pd, s.a->cq, s.a->cq, &shape);
	REQUIRE(s.a->qp && stage_from_idle(&s, STAGE_UP));
	REQUIRE(defer_receives(&s, 4));
	for (i = 0; i < 4; i++) {
		context[i] = kit_context();
		REQUIRE_STATUS(kit_send(s.a->qp, context[i], s.a->buffer, 0, 8, NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
	}
	CHECK_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, NDK_OP_FLAG_DEFER), STATUS_NO_MORE_ENTRIES);
	for (i = 0; i < 4; i++)
		REQUIRE(kit_expect(s.a->cq, context[i], STATUS_SUCCESS));
}

/* ---- chains that are never ended ---- */

enum defer_end { DEFER_CLOSE, DEFER_DISCONNECT, DEFER_FLUSH, DEFER_ENDS };

/* Sends without a receiver are given up after half a second; where time goes on, so much may have passed before the end. */
struct defer_times {
	UINT64 posted_us, ended_us; /* before the first, behind the call that ends them */
	BOOLEAN gave_up;
};

static BOOLEAN defer_cancelled(struct kit_cq *q, const PVOID *context, struct defer_times *t)
{
	const BOOLEAN late = conf_place() != NDK_ON_S && t->ended_us - t->posted_us > 400000;
	NDK_RESULT_EX r;
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (!kit_result(q, &r) || !CHECK(r.RequestContext == context[i]))
			return FALSE;
		/* a provider that did not hold them back has tried the first */
		if (!i && late && r.Status == STATUS_IO_TIMEOUT)
			t->gave_up = TRUE;
		else
			CHECK_STATUS(r.Status, STATUS_CANCELLED);
	}
	return TRUE;
}

/* To siw a send is a success as soon as it is on its way: those at the front may be, and are silent if asked to. */
static BOOLEAN defer_cancelled_by_siw(struct kit_cq *q, const PVOID *context, ULONG flags)
{
	BOOLEAN silent = (flags & NDK_OP_FLAG_SILENT_SUCCESS) != 0, cancelled = FALSE;
	NDK_RESULT_EX r;
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (silent && !cancelled && !kit_result_ms(q, &r, conf_patient_ms(200)))
			return TRUE;
		if ((!silent || cancelled) && !kit_result(q, &r))
			return FALSE;
		while (silent && !cancelled && i < 3 && r.RequestContext != context[i])
			i++;
		if (!CHECK(r.RequestContext == context[i]))
			return FALSE;
		cancelled = cancelled || silent || r.Status != STATUS_SUCCESS;
		CHECK_STATUS(r.Status, cancelled ? STATUS_CANCELLED : STATUS_SUCCESS);
	}
	return TRUE;
}

static void defer_abandoned(enum defer_end how, ULONG flags)
{
	PVOID context[4];
	struct kit_call *c = (struct kit_call *)0;
	struct defer_times t;
	struct staged s;
	unsigned i;

	memset(&t, 0, sizeof(t));
	REQUIRE(stage_to(&s, STAGE_UP));
	t.posted_us = conf_now_us();
	for (i = 0; i < 4; i++) { /* b has nothing to receive into: none of them can succeed */
		context[i] = kit_context();
		REQUIRE_STATUS(kit_send(s.a->qp, context[i], s.a->buffer, 0, 8, flags | NDK_OP_FLAG_DEFER),
			       STATUS_SUCCESS);
	}
	if (how == DEFER_CLOSE)
		c = KIT_CLOSE(s.ca->connector);
	else if (how == DEFER_DISCONNECT)
		c = kit_begin_disconnect(s.ca);
	else
		s.a->qp->Dispatch->NdkFlush(s.a->qp);
	if (how == DEFER_DISCONNECT) {
		REQUIRE(kit_disconnected(s.cb, KIT_PATIENCE_MS));
		REQUIRE_STATUS(kit_disconnect(s.cb), STATUS_SUCCESS);
	}
	t.ended_us = conf_now_us();
	if (c && kit_on_siw()) /* then there is nothing left that could come late */
		CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
	REQUIRE(kit_on_siw() ? defer_cancelled_by_siw(s.a->cq, context, flags) :
			       defer_cancelled(s.a->cq, context, &t));
	/* a broken connection cannot be left in order (U-21) */
	if (c)
		CHECK(kit_wait(c) == STATUS_SUCCESS ||
		      (t.gave_up && how == DEFER_DISCONNECT && c->status == STATUS_CONNECTION_ABORTED));
	CHECK_EQ(kit_drain(s.a->cq), 0);
}

NDK_CASE(defer_unended, "DEFER-7 DEFER-3 FLUSH-2 FLUSH-5 DISC-5 CLOSE-14 QP-4", NDK_ON_ALL,
	 "T-LC-13 deferred and never ended: a close, a disconnect or a flush ends each with STATUS_CANCELLED")
{
	int how;

	for (how = 0; how < DEFER_ENDS; how++) {
		defer_abandoned((enum defer_end)how, 0);
		kit_close_all(KIT_CHILDREN_FIRST);
		defer_abandoned((enum defer_end)how, NDK_OP_FLAG_SILENT_SUCCESS);
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

/* ---- flushing what is under way ---- */

NDK_CASE(flush_silent, "FLUSH-1 FLUSH-2 FLUSH-3 FLUSH-5 QP-4 ORD-1", NDK_ON_ALL,
	 "silent requests that are flushed do not stay silent; both queues end in order")
{
	PVOID sent[4], received[3];
	struct kit_cq *receive;
	struct defer_times t;
	struct staged s;
	unsigned i;

	memset(&t, 0, sizeof(t));
	REQUIRE(stage_to(&s, STAGE_IDLE));
	receive = kit_create_cq(s.a->adapter, 16);
	REQUIRE(receive != (struct kit_cq *)0);
	s.a->qp = kit_create_qp(s.a->pd, receive, s.a->cq, (const struct kit_shape *)0);
	REQUIRE(s.a->qp && stage_from_idle(&s, STAGE_UP));
	for (i = 0; i < 3; i++) {
		received[i] = kit_context();
		REQUIRE_STATUS(kit_receive(s.a->qp, received[i], s.a->buffer, 0, 8), STATUS_SUCCESS);
	}
	t.posted_us = conf_now_us();
	for (i = 0; i < 4; i++) {
		sent[i] = kit_context();
		REQUIRE_STATUS(kit_send(s.a->qp, sent[i], s.a->buffer, 0, 8, NDK_OP_FLAG_SILENT_SUCCESS),
			       STATUS_SUCCESS);
	}
	s.a->qp->Dispatch->NdkFlush(s.a->qp);
	t.ended_us = conf_now_us();
	for (i = 0; i < 3; i++)
		REQUIRE(kit_expect(receive, received[i], STATUS_CANCELLED));
	REQUIRE(kit_on_siw() ? defer_cancelled_by_siw(s.a->cq, sent, NDK_OP_FLAG_SILENT_SUCCESS) :
			       defer_cancelled(s.a->cq, sent, &t));
	CHECK_EQ(kit_drain(s.a->cq) + kit_drain(receive), 0);
}

/* ---- a flush or a close beside posts ---- */

struct beside {
	struct staged s;
	BOOLEAN close; /* the connector, rather than flush */
	struct kit_call *closing;
	ULONG wait_us;
};

static void beside_end(PVOID arg)
{
	struct beside *b = (struct beside *)arg;

	if (b->wait_us)
		conf_stall(b->wait_us);
	if (b->close)
		b->closing = KIT_CLOSE(b->s.ca->connector);
	else
		b->s.a->qp->Dispatch->NdkFlush(b->s.a->qp);
}

/* Sends until one is refused as not connected; how many were accepted, at most `most`. */
static unsigned beside_post(struct beside *b, unsigned most)
{
	unsigned accepted = 0;
	NTSTATUS status;
	UINT64 until = conf_now_us() + 5000000;

	while (accepted < most && conf_now_us() < until) {
		status = kit_send(b->s.a->qp, kit_context(), b->s.a->buffer, 0, 8, 0);
		if (status == STATUS_CONNECTION_INVALID)
			break;
		if (status == STATUS_SUCCESS)
			accepted++;
		else if (!CHECK_STATUS(status, STATUS_NO_MORE_ENTRIES))
			break;
		else if (conf_place() == NDK_ON_S)
			break; /* nothing else happens meanwhile */
	}
	return accepted;
}

/* Every accepted request ended once: the monitors say which did not, and this how many came. */
static void beside_settle(struct beside *b, unsigned accepted)
{
	NDK_RESULT_EX r;
	unsigned got = 0;

	while (got < accepted && kit_result(b->s.a->cq, &r)) {
		got++;
		if (r.Status != STATUS_SUCCESS && r.Status != STATUS_IO_TIMEOUT)
			CHECK_STATUS(r.Status, STATUS_CANCELLED);
	}
	CHECK_EQ(got, accepted);
	if (b->close)
		CHECK_STATUS(kit_wait(b->closing), STATUS_SUCCESS);
	CHECK_EQ(kit_drain(b->s.a->cq), 0);
	CHECK_STATUS(kit_send(b->s.a->qp, kit_context(), b->s.a->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
}

static BOOLEAN beside_open(struct beside *b, BOOLEAN close)
{
	memset(b, 0, sizeof(*b));
	b->close = close;
	return stage_to(&b->s, STAGE_UP) && defer_receives(&b->s, KIT_DEPTH);
}

/* On S: between any two steps of the fabric. */
static void beside_every_step(BOOLEAN close)
{
	unsigned steps, i, accepted;
	struct beside b;

	for (steps = 0; steps < 12; steps++) {
		REQUIRE(beside_open(&b, close));
		accepted = beside_post(&b, 6);
		CHECK_EQ(accepted, 6);
		for (i = 0; i < steps; i++)
			conf_nap();
		beside_end(&b);
		accepted += beside_post(&b, 1);
		beside_settle(&b, accepted);
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

static void beside_thread(BOOLEAN close)
{
	unsigned rounds = conf_place() == NDK_ON_K ? 5 : 25, i, accepted;
	struct beside b;
	PVOID thread;

	for (i = 0; i < rounds && !conf_failed(); i++) {
		REQUIRE(beside_open(&b, close));
		b.wait_us = (ULONG)(conf_random() % 300);
		thread = conf_spawn(beside_end, &b);
		REQUIRE(thread != (PVOID)0);
		accepted = beside_post(&b, KIT_DEPTH);
		conf_join(thread);
		beside_settle(&b, accepted);
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

NDK_CASE(flush_beside_posts, "POST-5 CONC-4 FLUSH-1 FLUSH-3 QP-1 QP-2 U-25", NDK_ON_ALL,
	 "T-QP-11 a flush at every moment of posting: each post is refused or ends once")
{
	if (conf_place() == NDK_ON_S)
		beside_every_step(FALSE);
	else
		beside_thread(FALSE);
}

NDK_CASE(close_beside_posts, "POST-6 CONC-5 CLOSE-14 QP-1 QP-2 U-22", NDK_ON_ALL,
	 "the connector's close at every moment of posting: each post is refused or ends once")
{
	if (conf_place() == NDK_ON_S)
		beside_every_step(TRUE);
	else
		beside_thread(TRUE);
}

/* ---- both queues at once ---- */

struct both {
	struct staged s;
	struct kit_buffer *there;
	BOOLEAN stop;		 /* with the lock, as the rest */
	long receives, writes;	 /* accepted */
	long received, written, credit; /* taken; receives not yet sent to */
};

static BOOLEAN both_going(struct both *b)
{
	unsigned long flags = conf_lock();
	BOOLEAN going = !b->stop;

	conf_unlock(flags);
	return going && !conf_failed();
}

static void both_count(long *number)
{
	unsigned long flags = conf_lock();

	++*number;
	conf_unlock(flags);
}

static void both_receive(PVOID arg)
{
	struct both *b = (struct both *)arg;
	NTSTATUS status;

	while (both_going(b)) {
		status = kit_receive(b->s.a->qp, kit_context(), b->s.a->buffer, 2048, 64);
		if (status == STATUS_SUCCESS) {
			both_count(&b->receives);
			both_count(&b->credit);
		} else if (CHECK_STATUS(status, STATUS_NO_MORE_ENTRIES)) {
			conf_sleep(1);
		}
	}
}

static void both_write(PVOID arg)
{
	struct both *b = (struct both *)arg;
	NTSTATUS status;

	while (both_going(b)) {
		status = kit_write(b->s.a->qp, kit_context(), b->s.a->buffer, 0, 64, KIT_AT(b->there, 0),
				   b->there->remote, 0);
		if (status == STATUS_SUCCESS)
			both_count(&b->writes);
		else if (CHECK_STATUS(status, STATUS_NO_MORE_ENTRIES))
			conf_sleep(1);
	}
}

/* b sends into the receives of a, as far as its own queue has room. */
static void both_answer(struct both *b)
{
	unsigned long flags;
	NDK_RESULT_EX r;
	BOOLEAN due;

	while (kit_poll(b->s.b->cq, &r, 1) == 1)
		CHECK_STATUS(r.Status, STATUS_SUCCESS);
	flags = conf_lock();
	due = b->credit > 0;
	conf_unlock(flags);
	if (!due || kit_send(b->s.b->qp, kit_context(), b->s.b->buffer, 0, 64, 0) != STATUS_SUCCESS)
		return;
	flags = conf_lock();
	b->credit--;
	conf_unlock(flags);
}

static void both_take(struct both *b)
{
	NDK_RESULT_EX r[8];
	ULONG n = kit_poll(b->s.a->cq, r, 8), i;

	for (i = 0; i < n; i++) {
		CHECK_STATUS(r[i].Status, STATUS_SUCCESS);
		if (r[i].Type == NdkOperationTypeReceive)
			b->received++;
		else
			b->written++;
	}
	if (!n)
		conf_nap();
}

NDK_CASE(post_both_queues, "POST-3 CONC-3 QP-1 ORD-1 ORD-2 U-26", NDK_ON_T | NDK_ON_K,
	 "T-QP-10 receives and writes posted by two threads while a third takes the results, for 2 s: none is lost")
{
	UINT64 until, enough;
	struct both b;
	PVOID receiver, writer;

	memset(&b, 0, sizeof(b));
	REQUIRE(stage_to(&b.s, STAGE_UP));
	b.there = kit_exposed(b.s.b->pd, 64);
	REQUIRE(b.there && kit_send_recv_verify(b.s.a, b.s.b, 16));
	receiver = conf_spawn(both_receive, &b);
	writer = conf_spawn(both_write, &b);
	until = conf_now_us() + 2000000;
	enough = conf_now_us() + KIT_PATIENCE_MS * 1000ull;
	while ((conf_now_us() < until || ((!b.received || !b.written) && conf_now_us() < enough)) && !conf_failed()) {
		both_answer(&b);
		both_take(&b);
	}
	unsigned long flags = conf_lock();
	b.stop = TRUE;
	conf_unlock(flags);
	conf_join(receiver);
	conf_join(writer);
	enough = conf_now_us() + KIT_PATIENCE_MS * 1000ull;
	while ((b.received < b.receives || b.written < b.writes) && conf_now_us() < enough && !conf_failed()) {
		both_answer(&b);
		both_take(&b);
	}
	conf_note("%ld receives, %ld writes", b.receives, b.writes);
	CHECK_EQ(b.received, b.receives);
	CHECK_EQ(b.written, b.writes);
	CHECK(b.received > 0 && b.written > 0);
}

CONF_CASES(defer, CASE(defer_chain), CASE(defer_silent_chain), CASE(defer_broken_chain), CASE(defer_full),
	   CASE(defer_unended), CASE(flush_silent), CASE(flush_beside_posts), CASE(close_beside_posts),
	   CASE(post_both_queues));
