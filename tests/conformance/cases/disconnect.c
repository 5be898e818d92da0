/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * NdkDisconnect and the disconnect event: leaving in good order, crossing, alone, after a break; what
 * becomes of the requests. Runs where a case runs.
 */
#include "stages.h"

#define LEAVE_POSTS 8

/* Receives on both sides. */
static BOOLEAN leave_posts(struct staged *s)
{
	int i;

	for (i = 0; i < LEAVE_POSTS; i++)
		if (!CHECK_STATUS(kit_receive(s->a->qp, kit_context(), s->a->buffer, 0, 32), STATUS_SUCCESS) ||
		    !CHECK_STATUS(kit_receive(s->b->qp, kit_context(), s->b->buffer, 0, 32), STATUS_SUCCESS))
			return FALSE;
	return TRUE;
}

/* Exactly that many results with STATUS_CANCELLED, and no other. */
static BOOLEAN leave_cancelled(struct kit_cq *q, unsigned count)
{
	NDK_RESULT_EX r;
	unsigned i;

	for (i = 0; i < count; i++)
		if (!kit_result(q, &r) || !CHECK_STATUS(r.Status, STATUS_CANCELLED))
			return FALSE;
	return CHECK_EQ(kit_drain(q), 0);
}

/* ---- in good order ---- */

NDK_CASE(leave_in_order, "DISC-1 DISC-2 DISC-5 DISC-6 DISC-7 DISC-12 FLUSH-6", NDK_ON_ALL,
	 "T-CN-18 one disconnects, the other on its event: both succeed, one event, every request one result")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_UP));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
		REQUIRE(leave_posts(&s));
		REQUIRE(stage_leave(&s));
		conf_settle();
		/* success needs the peer's own notice (U-54); where the transport gives it by itself there is none */
		if (!conf_iwarp())
			CHECK(!kit_answered(s.leaving));
		REQUIRE(stage_part(&s));
		CHECK(leave_cancelled(s.a->cq, LEAVE_POSTS));
		CHECK(leave_cancelled(s.b->cq, LEAVE_POSTS));
		CHECK_EQ(s.cb->events, 1);
		CHECK_EQ(s.ca->events, 0);
		CHECK(stage_still_well(&s));
	}
}

/* The next result, which may be a success or a cancellation. */
static BOOLEAN leave_ended(struct kit_cq *q, NDK_RESULT_EX *r)
{
	return kit_result(q, r) && CHECK(r->Status == STATUS_SUCCESS || r->Status == STATUS_CANCELLED);
}

#define LEAVE_SENDS 10

static void leave_sends_body(void)
{
	PVOID sent[LEAVE_SENDS];
	unsigned n, loud = 0;
	NDK_RESULT_EX r;
	struct staged s;
	int i;

	REQUIRE(stage_to(&s, STAGE_UP));
	for (i = 0; i < LEAVE_SENDS; i++)
		REQUIRE_STATUS(kit_receive(s.b->qp, kit_context(), s.b->buffer, 0, 64), STATUS_SUCCESS);
	for (i = 0; i < LEAVE_SENDS; i++) {
		sent[i] = kit_context();
		REQUIRE_STATUS(kit_send(s.a->qp, sent[i], s.a->buffer, 0, 64, i & 1 ? NDK_OP_FLAG_SILENT_SUCCESS : 0),
			       STATUS_SUCCESS);
	}
	REQUIRE(stage_leave(&s));
	REQUIRE(stage_part(&s));
	/* each request is accounted for: the five loud ones for certain, silent ones only if they failed */
	for (n = 0; loud < LEAVE_SENDS / 2 && n < LEAVE_SENDS; n++) {
		REQUIRE(leave_ended(s.a->cq, &r));
		for (i = 0; i < LEAVE_SENDS; i += 2)
			loud += r.RequestContext == sent[i];
	}
	CHECK_EQ(loud, LEAVE_SENDS / 2);
	CHECK(n + kit_drain(s.a->cq) <= LEAVE_SENDS);
	for (i = 0; i < LEAVE_SENDS; i++)
		REQUIRE(leave_ended(s.b->cq, &r));
	CHECK_EQ(kit_drain(s.b->cq), 0);
}

NDK_CASE(leave_with_sends, "DISC-1 DISC-4 DISC-5 QP-1 QP-4 FLUSH-5", NDK_ON_ALL,
	 "T-CN-18 disconnecting with sends under way: each ends once, with success or STATUS_CANCELLED")
{
	KIT_EACH_ANSWER(mode)
		leave_sends_body();
}

NDK_CASE(leave_memory_alone, "DISC-4 DISC-5", NDK_ON_ALL,
	 "when a disconnect has completed, nothing is written into the memory of its QP any more")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;
		int i;

		REQUIRE(stage_to(&s, STAGE_UP));
		for (i = 0; i < 4; i++)
			REQUIRE_STATUS(kit_receive(s.b->qp, kit_context(), s.b->buffer, 0, 1024), STATUS_SUCCESS);
		kit_fill(s.a->buffer, 0, 1024, 1);
		for (i = 0; i < 4; i++)
			REQUIRE_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 1024,
						NDK_OP_FLAG_SILENT_SUCCESS),
				       STATUS_SUCCESS);
		s.leaving = kit_begin_disconnect(s.cb);
		REQUIRE(kit_disconnected(s.ca, KIT_PATIENCE_MS));
		CHECK_STATUS(kit_disconnect(s.ca), STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
		kit_fill(s.b->buffer, 0, 1024, 99);
		conf_settle();
		conf_sleep(20);
		CHECK(kit_verify(s.b->buffer, 0, 1024, 99));
		kit_drain(s.a->cq);
		kit_drain(s.b->cq);
	}
}

NDK_CASE(leave_both_at_once, "DISC-1 DISC-2 DISC-7 DISC-12 CONC-10 U-19", NDK_ON_ALL,
	 "T-CN-19 both disconnect at the same moment: both succeed, no deadlock, at most one event each")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *other;
		struct staged s;
		int i;

		REQUIRE(stage_to(&s, STAGE_UP));
		for (i = 0; i < 5; i++) {
			s.leaving = kit_begin_disconnect(s.ca);
			other = kit_begin_disconnect(s.cb);
			CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
			CHECK_STATUS(kit_wait(other), STATUS_SUCCESS);
			conf_settle();
			CHECK(s.ca->events <= 1 && s.cb->events <= 1);
			/* on the deterministic fabric neither could have heard before it spoke */
			if (conf_place() == NDK_ON_S)
				CHECK_EQ(s.ca->events + s.cb->events, 0);
			REQUIRE(stage_more(&s, &s, STAGE_UP));
		}
	}
}

static void leave_on_event(struct kit_conn *c)
{
	c->arg = kit_begin_disconnect(c);
}

NDK_CASE(leave_inside_event, "DISC-2 DISC-6 REQ-8 REQ-9 CONC-9 IRQL-3", NDK_ON_ALL,
	 "disconnecting inside the disconnect event")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_UP));
		s.cb->inside = leave_on_event;
		REQUIRE(stage_leave(&s));
		REQUIRE(s.cb->arg != (PVOID)0);
		CHECK_STATUS(kit_wait((struct kit_call *)s.cb->arg), STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
		CHECK_EQ(s.cb->events, 1);
	}
}

NDK_CASE(leave_right_after, "DISC-6 DISC-7 U-18 DISC-14", NDK_ON_ALL,
	 "the peer leaves the moment the connection stands: first the completion returns, then the event comes")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *c;
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		c = kit_begin_complete(s.ca, KIT_EVENT);
		REQUIRE_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		s.leaving = kit_begin_disconnect(s.cb);
		if (kit_wait(c) == STATUS_CONNECTION_ABORTED && kit_on_siw()) {
			/* a two-way handshake may bring the goodbye while we are still completing (CMPL-9): no event then */
			CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
			CHECK_EQ(s.ca->events, 0);
			continue;
		}
		REQUIRE_STATUS(c->status, STATUS_SUCCESS);
		REQUIRE(kit_disconnected(s.ca, KIT_PATIENCE_MS));
		if (kit_pended(c))
			CHECK(s.ca->event_entered > c->left);
		CHECK_STATUS(kit_disconnect(s.ca), STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
	}
}

static void leave_on_answer(struct kit_call *c)
{
	c->then = kit_begin_disconnect((struct kit_conn *)c->arg);
}

static VOID leave_event(PVOID context)
{
	unsigned long flags = conf_lock();

	((struct kit_conn *)context)->events++;
	conf_unlock(flags);
}

/* Accepts, and disconnects inside the accept's completion. */
static BOOLEAN leave_accept(struct staged *s)
{
	struct kit_call *c = kit_call("NdkAccept");
	NDK_CONNECTOR *n = s->cb->connector;

	c->inside = leave_on_answer;
	c->arg = s->cb;
	s->accepting = c;
	kit_return(c, n->Dispatch->NdkAccept(n, s->b->qp, 0, 0, (PVOID)0, 0, leave_event, s->cb, kit_request_done, c));
	return CHECK_STATUS(kit_wait(s->connecting), STATUS_SUCCESS);
}

NDK_CASE(leave_before_event, "U-18 U-19 DISC-2 DISC-6 CONC-9", NDK_ON_ALL,
	 "disconnecting inside the accept's completion, with the peer's goodbye in hand: its event is not due any more")
{
	struct kit_call *c;
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_ANNOUNCED) && leave_accept(&s));
	c = kit_begin_complete(s.ca, KIT_EVENT);
	/*
	 * On iWARP the accept was over with the reply, and its goodbye is what we find or get, perhaps while we are
	 * still completing. On the deterministic fabric it overtakes the callbacks.
	 */
	if (conf_iwarp()) {
		CHECK(kit_wait(c) == STATUS_SUCCESS || c->status == STATUS_CONNECTION_ABORTED);
		REQUIRE_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(s.accepting->then), STATUS_SUCCESS);
		return;
	}
	if (conf_place() != NDK_ON_S)
		REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	s.leaving = kit_begin_disconnect(s.ca);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	if (kit_wait(s.accepting) == STATUS_CONNECTION_ABORTED && conf_place() == NDK_ON_K) {
		/* the goodbye overtook the confirmation (ACPT-6), see close_inside_establishment */
		CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
		return;
	}
	REQUIRE_STATUS(s.accepting->status, STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(s.accepting->then), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
	conf_settle();
	CHECK(s.cb->events <= 1 && s.ca->events <= 1);
	if (conf_place() == NDK_ON_S)
		CHECK_EQ(s.cb->events, 0);
}

/* ---- the event alone ---- */

NDK_CASE(leave_does_not_flush, "DISC-9 DISC-10 FLUSH-6 FLUSH-1 FLUSH-2", NDK_ON_ALL,
	 "T-CN-20 the peer's goodbye leaves our receives where they are, until we flush (not on iWARP)")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_UP));
		REQUIRE(leave_posts(&s));
		REQUIRE(stage_leave(&s));
		if (!conf_iwarp()) {
			/* a byte stream that ended takes the queues with it (N-21) */
			CHECK_EQ(kit_drain(s.b->cq), 0);
			s.b->qp->Dispatch->NdkFlush(s.b->qp);
		}
		CHECK(leave_cancelled(s.b->cq, LEAVE_POSTS));
		REQUIRE(stage_part(&s));
		CHECK(leave_cancelled(s.a->cq, LEAVE_POSTS));
	}
}

/* ---- not in its time ---- */

static BOOLEAN leave_refused(struct kit_conn *c)
{
	struct kit_call *k = kit_begin_disconnect(c);
	BOOLEAN fine = CHECK_STATUS(k->returned, STATUS_CONNECTION_INVALID);

	conf_settle();
	return stage_once(k) && fine;
}

NDK_CASE(leave_wrong_state, "U-20 DISC-11 REQ-2 REQ-12", NDK_ON_ALL,
	 "T-CN-21 disconnecting what is not connected, or twice: STATUS_CONNECTION_INVALID, no callback")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_IDLE));
		CHECK(leave_refused(s.ca));
		REQUIRE(stage_announce(&s));
		CHECK(leave_refused(s.ca));
		CHECK(leave_refused(s.cb));
		REQUIRE(stage_accept(&s));
		CHECK(leave_refused(s.ca));
		REQUIRE(stage_complete(&s));
		s.leaving = kit_begin_disconnect(s.ca);
		CHECK(leave_refused(s.ca));
		REQUIRE(kit_disconnected(s.cb, KIT_PATIENCE_MS));
		REQUIRE(stage_part(&s));
		CHECK(leave_refused(s.ca));
		CHECK(leave_refused(s.cb));
	}
}

NDK_CASE(leave_for_good, "DISC-11 DISC-12 QP-3", NDK_ON_ALL,
	 "T-QP-06 after a disconnect neither connector nor QP serves again, and posts do not vanish")
{
	KIT_EACH_ANSWER(mode)
	{
		PVOID receive = kit_context();
		struct kit_conn *fresh;
		struct kit_call *c;
		NTSTATUS status;
		struct staged s;
		NDK_QP *qp;

		REQUIRE(stage_to(&s, STAGE_PARTED));
		CHECK_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
		status = kit_receive(s.a->qp, receive, s.a->buffer, 0, 8);
		if (status == STATUS_SUCCESS)
			CHECK(kit_expect(s.a->cq, receive, STATUS_CANCELLED));
		qp = kit_another_qp(s.a);
		REQUIRE(qp != (NDK_QP *)0);
		c = kit_begin_connect(s.ca, qp, &s.from, &s.b->listener->at, (struct kit_params *)0);
		CHECK_STATUS(c->returned, STATUS_INVALID_DEVICE_STATE);
		fresh = kit_create_connector(s.a->adapter);
		REQUIRE(fresh != (struct kit_conn *)0);
		c = kit_begin_connect(fresh, s.a->qp, &s.from, &s.b->listener->at, (struct kit_params *)0);
		CHECK_STATUS(c->returned, STATUS_CONNECTION_INVALID);
		/* the fresh connector is none the worse */
		s.ca = fresh;
		s.a->qp = qp;
		s.b->qp = kit_another_qp(s.b);
		REQUIRE(s.b->qp != (NDK_QP *)0);
		REQUIRE(stage_from_idle(&s, STAGE_UP));
	}
}

/* ---- without an answer ---- */

static void leave_unanswered_body(void)
{
	struct staged s;
	NTSTATUS status;

	REQUIRE(stage_to(&s, STAGE_UP));
	REQUIRE(leave_posts(&s));
	attempt_deadline(0, NDK_TIME_DISCONNECT, conf_patient_ms(300));
	s.leaving = kit_begin_disconnect(s.ca);
	status = kit_wait(s.leaving);
	/* with both sides on one device the peer's provider answers at about the same time (U-54) */
	if (conf_iwarp() || (conf_place() == NDK_ON_K && status == STATUS_SUCCESS))
		CHECK_STATUS(status, STATUS_SUCCESS);
	else
		CHECK_STATUS(status, STATUS_IO_TIMEOUT);
	CHECK(stage_once(s.leaving));
	/* whatever it was, it is over: everything flushed, nothing half open */
	CHECK(leave_cancelled(s.a->cq, LEAVE_POSTS));
	CHECK_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK(leave_refused(s.ca));
	CHECK(kit_disconnected(s.cb, KIT_PATIENCE_MS));
	CHECK_STATUS(kit_disconnect(s.cb), STATUS_SUCCESS);
	CHECK_EQ(s.cb->events, 1);
	attempt_deadlines_default();
	CHECK(leave_cancelled(s.b->cq, LEAVE_POSTS));
	CHECK(stage_still_well(&s));
}

NDK_CASE(leave_unanswered, "DISC-3 DISC-4 DISC-12 U-54", NDK_ON_ALL,
	 "T-CN-18 the other does nothing: STATUS_IO_TIMEOUT in time (K: or success, both ends being one device), and the end")
{
	KIT_EACH_ANSWER(mode)
		leave_unanswered_body();
	attempt_deadlines_default();
}

/* ---- after a break ---- */

/* A message too big for the receive that meets it ends the connection (U-28). */
static BOOLEAN leave_break(struct staged *s)
{
	PVOID small = kit_context();
	NDK_RESULT_EX r;

	if (!CHECK_STATUS(kit_receive(s->b->qp, small, s->b->buffer, 0, 15), STATUS_SUCCESS) ||
	    !CHECK_STATUS(kit_send(s->a->qp, kit_context(), s->a->buffer, 0, 16, 0), STATUS_SUCCESS))
		return FALSE;
	return kit_result(s->b->cq, &r) && CHECK(r.RequestContext == small) &&
	       CHECK_STATUS(r.Status, STATUS_BUFFER_OVERFLOW) && kit_result(s->a->cq, &r) &&
	       CHECK(kit_disconnected(s->b->conn, KIT_PATIENCE_MS));
}

NDK_CASE(leave_after_break, "DISC-3 DISC-6 DISC-7 DISC-12 U-21 U-28", NDK_ON_ALL,
	 "a broken connection raises one event, and disconnecting it fails: STATUS_CONNECTION_ABORTED")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *c;
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_UP));
		REQUIRE(leave_break(&s));
		CHECK_STATUS(kit_send(s.b->qp, kit_context(), s.b->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
		c = kit_begin_disconnect(s.cb);
		CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_ABORTED);
		CHECK(stage_once(c));
		CHECK_EQ(s.cb->events, 1);
		CHECK(KIT_CLOSED(s.cb->connector));
		/* the other side has learned of it, one way or the other */
		CHECK(kit_disconnected(s.ca, KIT_PATIENCE_MS));
		CHECK_EQ(s.ca->events, 1);
		CHECK(stage_still_well(&s));
	}
}

NDK_CASE(leave_broken_during, "DISC-3 DISC-12 U-21", NDK_ON_FABRIC,
	 "the peer dies while a disconnect pends: it fails in time, and everything closes")
{
	struct staged s;
	NTSTATUS status;

	REQUIRE(stage_to(&s, STAGE_UP));
	REQUIRE(conf_kill(1));
	s.leaving = kit_begin_disconnect(s.ca);
	status = kit_wait(s.leaving);
	CHECK(status == STATUS_IO_TIMEOUT || status == STATUS_CONNECTION_ABORTED);
	CHECK(conf_place() != NDK_ON_S || s.leaving->done_us - s.leaving->began_us <= 6000000);
	CHECK(KIT_CLOSED(s.ca->connector));
	CHECK(KIT_CLOSED(s.a->qp));
}

/* ---- the extended event ---- */

/* The link is cut, which is noticed by whoever sends. FALSE: it cannot be here. */
static BOOLEAN leave_lost(struct staged *s)
{
	if (!conf_partition(TRUE))
		return FALSE;
	CHECK_STATUS(kit_send(s->b->qp, kit_context(), s->b->buffer, 0, 8, 0), STATUS_SUCCESS);
	CHECK(kit_disconnected(s->cb, KIT_PATIENCE_MS));
	return CHECK(conf_partition(FALSE));
}

/* Up, with the extended event on both sides. */
static BOOLEAN leave_reasoned(struct staged *s)
{
	struct kit_call *c;

	if (!stage_to(s, STAGE_ANNOUNCED))
		return FALSE;
	s->accepting = kit_begin_accept(s->cb, s->b->qp, (struct kit_params *)0, KIT_EVENT_EX);
	if (!CHECK_STATUS(kit_wait(s->connecting), STATUS_SUCCESS))
		return FALSE;
	c = kit_begin_complete(s->ca, KIT_EVENT_EX);
	s->cb->reason = 0xdeadbeef;
	return CHECK_STATUS(kit_wait(c), STATUS_SUCCESS) && CHECK_STATUS(kit_wait(s->accepting), STATUS_SUCCESS);
}

/* Ours knows no reasons, and has to say so rather than leave it to chance. */
static void leave_told(struct staged *s)
{
	CHECK_EQ(s->cb->events, 1);
	CHECK_EQ(s->cb->reason, 0);
	kit_close_all(KIT_CHILDREN_FIRST);
}

NDK_CASE(leave_reason, "DISC-16 DISC-17 DISC-7", NDK_ON_ALL,
	 "T-CN-24 the extended event comes once, orderly or broken, with reason zero, which tells nothing")
{
	struct staged s;

	REQUIRE(leave_reasoned(&s) && stage_leave(&s));
	leave_told(&s);
	REQUIRE(leave_reasoned(&s) && leave_break(&s));
	leave_told(&s);
}

NDK_CASE(leave_reason_lost, "DISC-16 DISC-17 DISC-7", NDK_ON_FABRIC,
	 "T-CN-24 the extended event comes once when the peer is lost, with reason zero, which tells nothing")
{
	struct staged s;

	REQUIRE(leave_reasoned(&s));
	REQUIRE(leave_lost(&s));
	leave_told(&s);
}

CONF_CASES(disconnect, CASE(leave_in_order), CASE(leave_with_sends), CASE(leave_memory_alone),
	   CASE(leave_both_at_once), CASE(leave_inside_event), CASE(leave_right_after), CASE(leave_before_event),
	   CASE(leave_does_not_flush), CASE(leave_wrong_state), CASE(leave_for_good), CASE(leave_unanswered),
	   CASE(leave_after_break), CASE(leave_broken_during), CASE(leave_reason), CASE(leave_reason_lost));
