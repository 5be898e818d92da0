/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * NdkCompleteConnect and NdkCompleteConnectEx: when they may be called, what they register, and every
 * way in which they end. Runs where a case runs.
 */
#include "stages.h"

/* ---- what it is for ---- */

NDK_CASE(complete_follows_accept, "CMPL-1 CMPL-2 CONN-23 ACPT-5 QP-3", NDK_ON_ALL,
	 "T-CN-01 connecting needs both halves: the peer's acceptance, then completing")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		conf_settle();
		CHECK(!kit_answered(s.connecting));
		REQUIRE(stage_accept(&s));
		conf_settle();
		/* accepted, yet not connected: nothing can be sent */
		CHECK_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
		CHECK_EQ(s.ca->events + s.cb->events, 0);
		REQUIRE(stage_complete(&s));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
		REQUIRE(kit_send_recv_verify(s.b, s.a, 64));
	}
}

/* ---- its arguments ---- */

/* What the consumer was told, with which contexts. */
static struct {
	long answers, events, events_ex;
	PVOID answer_context, event_context;
	NTSTATUS status;
	struct conf_signal answered, gone;
} told;

static void told_reset(void)
{
	memset(&told, 0, sizeof(told));
	conf_signal_init(&told.answered);
	conf_signal_init(&told.gone);
}

static VOID told_answer(PVOID context, NTSTATUS status)
{
	unsigned long flags = conf_lock();

	told.answers++;
	told.answer_context = context;
	told.status = status;
	conf_unlock(flags);
	conf_signal(&told.answered);
}

static VOID told_event(PVOID context)
{
	unsigned long flags = conf_lock();

	told.events++;
	told.event_context = context;
	conf_unlock(flags);
	conf_signal(&told.gone);
}

static VOID told_event_ex(PVOID context, ULONG reason)
{
	unsigned long flags = conf_lock();

	(void)reason;
	told.events_ex++;
	told.event_context = context;
	conf_unlock(flags);
	conf_signal(&told.gone);
}

/* Completes with exactly these contexts, and checks which of them came back where, and how often. */
static BOOLEAN complete_with(struct staged *s, BOOLEAN ex, PVOID event_context, PVOID answer_context)
{
	NDK_CONNECTOR *n = s->ca->connector;
	NTSTATUS status;

	told_reset();
	status = ex ? n->Dispatch->NdkCompleteConnectEx(n, told_event_ex, event_context, told_answer,
							answer_context) :
		      n->Dispatch->NdkCompleteConnect(n, told_event, event_context, told_answer, answer_context);
	if (!CHECK(status == STATUS_SUCCESS || status == STATUS_PENDING))
		return FALSE;
	if (status == STATUS_PENDING) {
		if (!CHECK(conf_wait(&told.answered, KIT_PATIENCE_MS)))
			return FALSE;
		CHECK(told.answer_context == answer_context);
		CHECK_STATUS(told.status, STATUS_SUCCESS);
	}
	conf_settle();
	CHECK_EQ(told.answers, status == STATUS_PENDING ? 1 : 0);
	CHECK_EQ(told.events + told.events_ex, 0);
	if (!CHECK_STATUS(kit_wait(s->accepting), STATUS_SUCCESS))
		return FALSE;
	s->leaving = kit_begin_disconnect(s->cb);
	if (!CHECK(conf_wait(&told.gone, KIT_PATIENCE_MS)))
		return FALSE;
	CHECK(told.event_context == event_context);
	CHECK_STATUS(kit_disconnect(s->ca), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(s->leaving), STATUS_SUCCESS);
	conf_settle();
	CHECK_EQ(told.events, ex ? 0 : 1);
	return CHECK_EQ(told.events_ex, ex ? 1 : 0);
}

NDK_CASE(complete_arguments,
	 "CMPL-3 CMPL-4 CMPL-5 CMPL-6 CMPL-7 CMPL-15 DISC-14 DISC-17 REQ-1 REQ-2 REQ-3", NDK_ON_ALL,
	 "five arguments: event, its context, completion, its context; every context comes back as it was")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s, m;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		REQUIRE(complete_with(&s, FALSE, kit_context(), kit_context()));
		REQUIRE(stage_more(&s, &m, STAGE_ACCEPTED));
		REQUIRE(complete_with(&m, TRUE, kit_context(), kit_context()));
		/* a context is optional: NULL is one as good as any */
		REQUIRE(stage_more(&s, &m, STAGE_ACCEPTED));
		REQUIRE(complete_with(&m, FALSE, (PVOID)0, (PVOID)0));
		REQUIRE(stage_more(&s, &m, STAGE_ACCEPTED));
		REQUIRE(complete_with(&m, TRUE, (PVOID)0, (PVOID)0));
	}
}

NDK_CASE(complete_without_event, "CMPL-3 DISC-14 DISC-15", NDK_ON_ALL,
	 "the disconnect event may be left out: then the peer's leaving raises none")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;
		struct kit_call *c;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		c = kit_begin_complete(s.ca, KIT_NO_EVENT);
		REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		s.leaving = kit_begin_disconnect(s.cb);
		/* succeeds only with the peer's notice in hand (DISC-2), so the event was due by then */
		REQUIRE_STATUS(kit_disconnect(s.ca), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
		conf_settle();
		CHECK_EQ(s.ca->events, 0);
	}
}

NDK_CASE(complete_inline_or_later, "CMPL-6 CMPL-7 REQ-1 REQ-2 REQ-3", NDK_ON_ALL,
	 "success in the call ends it without a callback, pending is followed by exactly one")
{
	static const enum ndk_answer modes[] = { NDK_ANSWER_NATURAL, NDK_ANSWER_PEND, NDK_ANSWER_WAIT };
	struct kit_call *c;
	struct staged s;
	unsigned i;

	for (i = 0; i < 3; i++) {
		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		/* only the deterministic fabric can wait inside a call; elsewhere two modes remain */
		if (!kit_answer(0, modes[i]))
			continue;
		c = kit_begin_complete(s.ca, KIT_EVENT);
		if (modes[i] == NDK_ANSWER_WAIT)
			CHECK_STATUS(c->returned, STATUS_SUCCESS);
		if (modes[i] == NDK_ANSWER_PEND)
			CHECK_STATUS(c->returned, STATUS_PENDING);
		CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
		kit_answer(0, NDK_ANSWER_NATURAL);
		CHECK_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		/* connected, whichever way that was said, and nothing further is said */
		REQUIRE(kit_send_recv_verify(s.a, s.b, 32));
		CHECK(stage_once(c));
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

/* ---- STATUS_CONNECTION_INVALID ---- */

static BOOLEAN complete_refused(struct kit_conn *c)
{
	struct kit_call *k = kit_begin_complete(c, KIT_EVENT);
	BOOLEAN fine = CHECK_STATUS(kit_wait(k), STATUS_CONNECTION_INVALID);

	conf_settle();
	return stage_once(k) && fine;
}

NDK_CASE(complete_outside_its_time, "CMPL-8 CMPL-2 U-4 REQ-2 REQ-12", NDK_ON_ALL,
	 "T-CN-10 STATUS_CONNECTION_INVALID on connectors that are not connecting, which stay as they were")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_IDLE));
		CHECK(complete_refused(s.ca));
		REQUIRE(stage_announce(&s));
		CHECK(complete_refused(s.ca));
		CHECK(complete_refused(s.cb));
		CHECK(!kit_answered(s.connecting));
		REQUIRE(stage_accept(&s));
		REQUIRE(stage_complete(&s));
		CHECK(complete_refused(s.ca));
		CHECK(complete_refused(s.cb));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 16));
		REQUIRE(stage_leave(&s));
		CHECK(complete_refused(s.ca));
		CHECK(complete_refused(s.cb));
		REQUIRE(stage_part(&s));
		CHECK(complete_refused(s.ca));
		CHECK(complete_refused(s.cb));
	}
}

NDK_CASE(complete_after_reject, "CMPL-8 REJ-2 U-48", NDK_ON_ALL,
	 "STATUS_CONNECTION_INVALID after the consumer itself rejected the acceptance")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		REQUIRE_STATUS(kit_reject(s.ca, (PVOID)0, 0), STATUS_SUCCESS);
		CHECK(complete_refused(s.ca));
		CHECK(stage_accept_ends(&s, STATUS_CONNECTION_ABORTED));
	}
}

/* The connector is of no use for establishing any more; the rest of the world is as it was. */
static BOOLEAN complete_is_final(struct staged *s)
{
	NTSTATUS again = kit_connect(s->ca, s->a->qp, &s->from, &s->b->listener->at, (struct kit_params *)0);

	CHECK_STATUS(again, STATUS_INVALID_DEVICE_STATE);
	CHECK_STATUS(kit_reject(s->ca, (PVOID)0, 0), STATUS_INVALID_DEVICE_STATE);
	return CHECK(complete_refused(s->ca)) && CHECK_EQ(s->ca->events, 0);
}

static void complete_after_flush_body(int mode, BOOLEAN early)
{
	struct staged s;
	struct kit_call *c;
	PVOID posted = kit_context();

	REQUIRE(stage_to(&s, early ? STAGE_ANNOUNCED : STAGE_ACCEPTED));
	REQUIRE_STATUS(kit_receive(s.a->qp, posted, s.a->buffer, 0, 16), STATUS_SUCCESS);
	s.a->qp->Dispatch->NdkFlush(s.a->qp);
	REQUIRE(kit_expect(s.a->cq, posted, STATUS_CANCELLED));
	if (early)
		REQUIRE(stage_accept(&s));
	c = kit_begin_complete(s.ca, KIT_EVENT);
	CHECK(stage_known(c, mode, STATUS_CONNECTION_INVALID));
	CHECK(complete_is_final(&s));
	CHECK(KIT_CLOSED(s.ca->connector));
	CHECK(stage_accept_ends(&s, STATUS_CONNECTION_ABORTED));
	CHECK(stage_still_well(&s));
}

NDK_CASE(complete_after_flush, "CMPL-8 CMPL-16 FLUSH-1 FLUSH-2", NDK_ON_ALL,
	 "STATUS_CONNECTION_INVALID, in the call and later, when the QP was flushed and so left connecting")
{
	KIT_EACH_ANSWER(mode)
		complete_after_flush_body(mode, FALSE);
}

NDK_CASE(complete_after_early_flush, "CMPL-8 CMPL-16 U-25", NDK_ON_ALL,
	 "the same when the flush came while the peer was still deciding")
{
	SKIP_UNLESS(!kit_on_siw(), "a queue pair of siw that is flushed while connecting takes the attempt with it");
	KIT_EACH_ANSWER(mode)
		complete_after_flush_body(mode, TRUE);
}

/* ---- STATUS_CONNECTION_ABORTED ---- */

/* TRUE: the peer's withdrawal was there in time, and everything was as it should be. */
static BOOLEAN complete_withdrawn(int mode, int try_, BOOLEAN *again)
{
	struct kit_call *c;
	struct staged s;

	*again = FALSE;
	if (!stage_to(&s, STAGE_ACCEPTED) || !CHECK(KIT_CLOSED(s.cb->connector)))
		return FALSE;
	stage_rest(try_);
	c = kit_begin_complete(s.ca, KIT_EVENT);
	if (conf_place() != NDK_ON_S && kit_wait(c) == STATUS_SUCCESS) {
		*again = TRUE; /* the news was slower than we; then it has to come as an event */
		return CHECK(kit_disconnected(s.ca, KIT_PATIENCE_MS));
	}
	if (conf_place() != NDK_ON_S && kit_pended(c) && mode != NDK_ANSWER_PEND) {
		*again = TRUE; /* it met us half way, and ended the request all the same */
		return CHECK_STATUS(c->status, STATUS_CONNECTION_ABORTED);
	}
	return stage_known(c, mode, STATUS_CONNECTION_ABORTED) && complete_is_final(&s) &&
	       CHECK(KIT_CLOSED(s.ca->connector)) && stage_still_well(&s);
}

static void complete_withdrawn_body(int mode)
{
	BOOLEAN again = TRUE;
	int i;

	for (i = 0; i < STAGE_TRIES && again; i++) {
		REQUIRE(complete_withdrawn(mode, i, &again));
		kit_close_all(KIT_CHILDREN_FIRST);
	}
	CHECK(!again);
}

NDK_CASE(complete_after_withdrawal, "CMPL-9 CMPL-16 U-17 REQ-1 REQ-2", NDK_ON_ALL,
	 "T-CN-09 STATUS_CONNECTION_ABORTED, in the call and later: the peer accepted, then closed")
{
	KIT_EACH_ANSWER(mode)
		complete_withdrawn_body(mode);
}

NDK_CASE(complete_against_withdrawal, "CMPL-9 U-17 U-18 DISC-6", NDK_ON_ALL,
	 "peer closes while we complete: either it is STATUS_CONNECTION_ABORTED, or an event follows")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *c, *shut;
		struct staged s;
		NTSTATUS status;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		shut = KIT_CLOSE(s.cb->connector);
		c = kit_begin_complete(s.ca, KIT_EVENT);
		status = kit_wait(c);
		CHECK(status == STATUS_SUCCESS || status == STATUS_CONNECTION_ABORTED);
		if (status == STATUS_SUCCESS) {
			CHECK(kit_disconnected(s.ca, KIT_PATIENCE_MS));
			CHECK(s.ca->event_entered > c->left);
		}
		CHECK_STATUS(kit_wait(shut), STATUS_SUCCESS);
		CHECK(stage_once(c));
		conf_settle();
		CHECK_EQ(s.ca->events, status == STATUS_SUCCESS ? 1 : 0);
	}
}

/* ---- STATUS_IO_TIMEOUT ---- */

/* On a three-way handshake the accepting side waits for our confirmation, and gives up. */
static NTSTATUS complete_too_late_for_peer(struct staged *s, struct kit_call **c)
{
	attempt_deadline(1, NDK_TIME_ACCEPT, conf_patient_ms(200));
	if (!stage_to(s, STAGE_ACCEPTED))
		return KIT_NO_ANSWER;
	attempt_deadlines_default();
	CHECK_STATUS(kit_wait(s->accepting), STATUS_IO_TIMEOUT);
	stage_rest(2);
	*c = kit_begin_complete(s->ca, KIT_EVENT);
	return kit_wait(*c);
}

/* On a two-way handshake nobody waits for us; but what we say then has to reach somebody. */
static NTSTATUS complete_too_late_for_transport(struct staged *s, struct kit_call **c)
{
	NTSTATUS status;

	if (!stage_to(s, STAGE_ACCEPTED) || !CHECK(conf_partition(TRUE)))
		return KIT_NO_ANSWER;
	*c = kit_begin_complete(s->ca, KIT_EVENT);
	status = kit_wait(*c);
	CHECK(conf_partition(FALSE));
	return status;
}

static ULONG complete_linger_us;

/* Completes inside the connect's completion, and stays there until the time for completing is up. */
static void complete_and_linger(struct kit_call *connecting)
{
	struct staged *s = (struct staged *)connecting->arg;

	attempt_deadline(0, NDK_TIME_ACCEPT, 20);
	connecting->then = kit_begin_complete(s->ca, KIT_EVENT);
	attempt_deadlines_default();
	conf_stall(complete_linger_us);
}

/* The kernel does one thing at a time for a connector, so our own lingering holds the handshake up. */
static NTSTATUS complete_too_late_by_lingering(struct staged *s, struct kit_call **c)
{
	if (!stage_open(s, NDK_V4))
		return KIT_NO_ANSWER;
	s->connecting = kit_connect_inside(s->ca, s->a->qp, &s->from, &s->b->listener->at,
					   (struct kit_params *)0, complete_and_linger, s);
	s->cb = s->b->conn = kit_arrival(s->b->listener);
	if (!s->cb)
		return KIT_NO_ANSWER;
	s->accepting = kit_begin_accept(s->cb, s->b->qp, (struct kit_params *)0, KIT_EVENT);
	if (!CHECK_STATUS(kit_wait(s->connecting), STATUS_SUCCESS) || !CHECK(s->connecting->then != 0))
		return KIT_NO_ANSWER;
	*c = s->connecting->then;
	return kit_wait(*c);
}

/* A machine that is itself late with its timers gets more time to notice. */
static NTSTATUS complete_too_late_patiently(struct staged *s, struct kit_call **c)
{
	NTSTATUS status = STATUS_SUCCESS;

	for (complete_linger_us = 200000; status == STATUS_SUCCESS; complete_linger_us *= 3) {
		status = complete_too_late_by_lingering(s, c);
		if (status != STATUS_SUCCESS || complete_linger_us > 3000000)
			break;
		kit_close_all(KIT_CHILDREN_FIRST);
	}
	return status;
}

static void complete_too_late_body(void)
{
	struct kit_call *c = (struct kit_call *)0;
	struct kit_address peer;
	struct staged s;
	NTSTATUS status;

	memset(&s, 0, sizeof(s));
	if (conf_place() == NDK_ON_K)
		status = complete_too_late_patiently(&s, &c);
	else if (conf_iwarp())
		status = complete_too_late_for_transport(&s, &c);
	else
		status = complete_too_late_for_peer(&s, &c);
	if (!CHECK_STATUS(status, STATUS_IO_TIMEOUT) || !c)
		return;
	conf_settle();
	CHECK(stage_once(c));
	/* no disaster: the connector answers as ever, though establishing is over for it ... */
	CHECK(complete_is_final(&s));
	peer = kit_peer_address(s.ca->connector);
	CHECK(kit_same_address(&s.b->listener->at, &peer));
	CHECK(KIT_CLOSED(s.ca->connector));
	/* ... nor lasting: the same sides connect the next moment */
	CHECK(stage_still_well(&s));
}

NDK_CASE(complete_too_late, "CMPL-10 CMPL-11 CMPL-16", NDK_ON_ALL,
	 "STATUS_IO_TIMEOUT when completing took too long; over for the connector, not for the world")
{
	complete_too_late_body();
	attempt_deadlines_default();
}

static void complete_at_leisure_body(void)
{
	const ULONG deadline = conf_place() == NDK_ON_K ? conf_patient_ms(4000) : 4000;
	struct staged s;

	/* the connect deadline must not go on running, the peer's patience is set for the occasion */
	attempt_deadline(0, NDK_TIME_CONNECT, deadline);
	attempt_deadline(1, NDK_TIME_ACCEPT, 600000);
	REQUIRE(stage_to(&s, STAGE_ACCEPTED));
	conf_sleep(conf_place() == NDK_ON_S ? 120000 : deadline + deadline / 2);
	REQUIRE(stage_complete(&s));
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
}

NDK_CASE(complete_at_leisure, "CMPL-14 CMPL-2", NDK_ON_ALL,
	 "the provider has no deadline of its own between connect's success and completing")
{
	complete_at_leisure_body();
	attempt_deadlines_default();
}

/* ---- any other status ---- */

NDK_CASE(complete_on_removed_device, "CMPL-12 CMPL-16 U-45", NDK_ON_ALL,
	 "another status is an error: STATUS_DEVICE_REMOVED when the device went away meanwhile")
{
	struct staged s;
	struct kit_call *c;

	REQUIRE(stage_to(&s, STAGE_ACCEPTED));
	SKIP_UNLESS(conf_remove(0), "this place cannot remove a device");
	stage_rest(1);
	c = kit_begin_complete(s.ca, KIT_EVENT);
	CHECK_STATUS(kit_wait(c), STATUS_DEVICE_REMOVED);
	conf_settle();
	CHECK(stage_once(c));
	CHECK(complete_refused(s.ca));
	CHECK_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK(KIT_CLOSED(s.ca->connector));
	kit_close_all(KIT_CHILDREN_FIRST);
	CHECK(conf_return(0));
}

static void complete_without_memory_body(void)
{
	const char *name = conf_adapter_name(0);
	long before, after;
	struct staged s;
	struct kit_call *c;
	NTSTATUS status;

	REQUIRE(stage_to(&s, STAGE_ACCEPTED));
	REQUIRE(ndk_control_allocs(name, (long *)0, &before) == 0);
	REQUIRE(ndk_control_fail_alloc(name, 1, 0) == 0);
	c = kit_begin_complete(s.ca, KIT_EVENT);
	status = kit_wait(c);
	REQUIRE(ndk_control_fail_alloc(name, 0, 0) == 0);
	REQUIRE(ndk_control_allocs(name, (long *)0, &after) == 0);
	CHECK(stage_once(c));
	if (after == before) {
		REQUIRE_STATUS(status, STATUS_SUCCESS);
		SKIP("completing needs no memory here");
	}
	if (status == STATUS_SUCCESS) {
		/* some part could do without; then nothing is missing from the connection */
		REQUIRE_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
		return;
	}
	CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
	CHECK(complete_is_final(&s));
	CHECK(KIT_CLOSED(s.ca->connector));
	CHECK(stage_accept_ends(&s, STATUS_CONNECTION_ABORTED));
	CHECK(stage_still_well(&s));
}

NDK_CASE(complete_without_memory, "CMPL-12 CMPL-16", NDK_ON_ALL,
	 "another status is an error: STATUS_INSUFFICIENT_RESOURCES without memory, and the peer learns of it")
{
	complete_without_memory_body();
	ndk_control_fail_alloc(conf_adapter_name(0), 0, 0);
}

/* ---- IRQL ---- */

static void complete_atomically(PVOID arg)
{
	struct staged *s = (struct staged *)arg;

	s->leaving = kit_begin_complete(s->ca, KIT_EVENT);
}

NDK_CASE(complete_at_dispatch_level, "CMPL-13 IRQL-1 IRQL-4", NDK_ON_ALL,
	 "may be called at DISPATCH_LEVEL: in atomic context, where nothing sleeps")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		conf_atomic(complete_atomically, &s);
		REQUIRE_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
		/* and where it fails */
		conf_atomic(complete_atomically, &s);
		REQUIRE_STATUS(kit_wait(s.leaving), STATUS_CONNECTION_INVALID);
	}
}

CONF_CASES(complete, CASE(complete_follows_accept), CASE(complete_arguments), CASE(complete_without_event),
	   CASE(complete_inline_or_later), CASE(complete_outside_its_time), CASE(complete_after_reject),
	   CASE(complete_after_flush), CASE(complete_after_early_flush), CASE(complete_after_withdrawal),
	   CASE(complete_against_withdrawal), CASE(complete_too_late), CASE(complete_at_leisure),
	   CASE(complete_on_removed_device), CASE(complete_without_memory), CASE(complete_at_dispatch_level));
