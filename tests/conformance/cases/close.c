/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Closing and NDK_FN_CLOSE_COMPLETION: what a close waits for and what it does not wait for, from
 * everywhere where a consumer may call it. Orders of closing several objects are in lifetime.c. Runs
 * where a case runs.
 */
#include "stages.h"

/* One object of every type that can be created, with nothing depending on it. */
struct set {
	NDK_ADAPTER *adapter;
	NDK_OBJECT_HEADER *object[7];
};
#define SET_SIZE 7

static BOOLEAN set_make(struct set *t)
{
	struct kit_address at = kit_address(0, NDK_V4, 0);
	struct kit_listener *l;
	struct kit_conn *c;
	struct kit_cq *q;
	NDK_PD *pd;
	int i;

	memset(t, 0, sizeof(*t));
	t->adapter = kit_open(0);
	if (!t->adapter)
		return FALSE;
	l = kit_create_listener(t->adapter);
	c = kit_create_connector(t->adapter);
	q = kit_create_cq(t->adapter, 64);
	pd = kit_create_pd(t->adapter);
	if (!l || !c || !q || !pd)
		return FALSE;
	t->object[0] = (NDK_OBJECT_HEADER *)kit_create_qp(pd, q, q, (struct kit_shape *)0);
	t->object[1] = (NDK_OBJECT_HEADER *)kit_create_mr(pd, FALSE);
	t->object[2] = (NDK_OBJECT_HEADER *)kit_create_shared(t->adapter, &at);
	t->object[3] = &c->connector->Header;
	t->object[4] = &l->listener->Header;
	t->object[5] = &q->cq->Header;
	t->object[6] = &pd->Header;
	for (i = 0; i < SET_SIZE; i++)
		if (!CHECK(t->object[i] != (NDK_OBJECT_HEADER *)0))
			return FALSE;
	return TRUE;
}

/* ---- success or pending ---- */

NDK_CASE(close_succeeds_or_pends, "CLOSE-1 CLOSE-2 CLOSE-3 CLOSE-9", NDK_ON_ALL,
	 "every type: STATUS_SUCCESS without a callback, or STATUS_PENDING and exactly one")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *c;
		struct set t;
		int i;

		REQUIRE(set_make(&t));
		for (i = 0; i < SET_SIZE; i++) {
			c = kit_close(t.object[i]);
			CHECK(c->returned == STATUS_SUCCESS || c->returned == STATUS_PENDING);
			if (mode == NDK_ANSWER_PEND)
				CHECK_STATUS(c->returned, STATUS_PENDING);
			REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
			conf_settle();
			CHECK(stage_once(c));
		}
	}
}

/* ---- the context ---- */

static struct {
	long calls;
	PVOID context[SET_SIZE];
	long lows; /* callbacks at DISPATCH_LEVEL or below */
	struct conf_signal done;
} own_closed;

static VOID own_close_done(PVOID context)
{
	BOOLEAN low = stage_irql_fits();
	unsigned long flags = conf_lock();

	if (own_closed.calls < SET_SIZE)
		own_closed.context[own_closed.calls] = context;
	own_closed.calls++;
	own_closed.lows += low ? 1 : 0;
	conf_unlock(flags);
	conf_signal(&own_closed.done);
}

static void own_closed_reset(void)
{
	memset(&own_closed, 0, sizeof(own_closed));
	conf_signal_init(&own_closed.done);
}

/* How often that context came. */
static int own_closed_with(PVOID context)
{
	int i, n = 0;

	for (i = 0; i < SET_SIZE && i < own_closed.calls; i++)
		n += own_closed.context[i] == context;
	return n;
}

NDK_CASE(close_context, "CLOSE-2 CLOSE-3 CLOSE-4 CLOSE-9 CLOSE-10 GEN-2 GEN-3 IRQL-3", NDK_ON_ALL,
	 "each close request has a context of its own, which comes back as it was; NULL is one")
{
	KIT_EACH_ANSWER(mode)
	{
		NDK_OBJECT_HEADER *o;
		NTSTATUS status[SET_SIZE];
		PVOID context[SET_SIZE];
		struct set t;
		int i, pended = 0;

		REQUIRE(set_make(&t));
		own_closed_reset();
		/* all at once, so that a mixed-up context would show */
		for (i = 0; i < SET_SIZE; i++) {
			o = t.object[i];
			context[i] = i == 3 ? (PVOID)0 : kit_context();
			status[i] = ((NDK_PD *)o)->Dispatch->NdkClosePd(o, own_close_done, context[i]);
			CHECK(status[i] == STATUS_SUCCESS || status[i] == STATUS_PENDING);
			pended += status[i] == STATUS_PENDING;
		}
		for (i = 0; i < pended; i++)
			REQUIRE(conf_wait(&own_closed.done, KIT_PATIENCE_MS));
		conf_settle();
		CHECK_EQ(own_closed.calls, pended);
		CHECK_EQ(own_closed.lows, pended);
		for (i = 0; i < SET_SIZE; i++)
			CHECK_EQ(own_closed_with(context[i]), status[i] == STATUS_PENDING ? 1 : 0);
		if (mode == NDK_ANSWER_PEND)
			CHECK_EQ(pended, SET_SIZE);
	}
}

/* ---- IRQL ---- */

struct close_atomically {
	NDK_OBJECT_HEADER *object;
	struct kit_call *call;
	BOOLEAN fits;
};

static void close_look(struct kit_call *c)
{
	((struct close_atomically *)c->arg)->fits = stage_irql_fits();
}

static void close_in_atomic(PVOID arg)
{
	struct close_atomically *a = (struct close_atomically *)arg;

	a->call = kit_close_inside(a->object, close_look, a);
}

NDK_CASE(close_at_dispatch_level, "CLOSE-10 GEN-3 IRQL-1 IRQL-3 IRQL-4", NDK_ON_ALL,
	 "close may be called at DISPATCH_LEVEL; its completion comes at or below it and has no result")
{
	KIT_EACH_ANSWER(mode)
	{
		struct close_atomically a;
		struct set t;
		int i;

		REQUIRE(set_make(&t));
		for (i = 0; i < SET_SIZE; i++) {
			a.object = t.object[i];
			a.fits = TRUE;
			conf_atomic(close_in_atomic, &a);
			REQUIRE_STATUS(kit_wait(a.call), STATUS_SUCCESS);
			CHECK(a.fits);
		}
	}
}

/* ---- with a request pending ---- */

/*
 * A close whose object has a request pending ends soon: in 200 ms where time is ours to say. Elsewhere
 * nobody knows how fast the machine is, and the request's own deadline is set to an hour: a close that
 * waited for it would outlast whoever waits for the close.
 */
#define CLOSE_SOON_US 200000u
#define CLOSE_HOUR_MS 3600000u

static BOOLEAN close_unhurried(void)
{
	unsigned which;
	int kind;

	for (which = 0; which < 2 && conf_place() != NDK_ON_S; which++)
		for (kind = 0; kind < NDK_TIME_KINDS; kind++)
			if (kind != NDK_TIME_RESOLVE && !attempt_deadline(which, kind, CLOSE_HOUR_MS))
				return FALSE;
	return TRUE;
}

static BOOLEAN close_cancels(NDK_OBJECT_HEADER *o, struct kit_call *pending, BOOLEAN may_succeed)
{
	struct kit_call *shut;
	NTSTATUS status;

	shut = kit_close(o);
	if (!CHECK(kit_pended(shut)) || !CHECK_STATUS(kit_wait(shut), STATUS_SUCCESS))
		return FALSE;
	status = kit_wait(pending);
	if (!may_succeed || status != STATUS_SUCCESS)
		CHECK_STATUS(status, STATUS_CANCELLED);
	conf_settle();
	CHECK(stage_once(pending));
	CHECK(stage_once(shut));
	if (conf_place() == NDK_ON_S)
		CHECK(shut->done_us - shut->began_us < CLOSE_SOON_US);
	/* first the request's completion returned, then the close's began */
	return CHECK(pending->left < shut->entered);
}

NDK_CASE(close_connecting, "CLOSE-2 CLOSE-5 CLOSE-7 CLOSE-8 CLOSE-14 U-3", NDK_ON_ALL,
	 "T-LC-09 a pending connect ends STATUS_CANCELLED, then the close; soon, and the address is free")
{
	SKIP_UNLESS(!kit_on_siw(), KIT_SIW_HOLDS);
	KIT_EACH_ANSWER(mode)
	{
		struct kit_address from;
		struct staged s;
		int round;

		REQUIRE(close_unhurried());
		REQUIRE(stage_to(&s, STAGE_IDLE));
		from = s.from;
		kit_set_port(&from, kit_fresh_port());
		s.from = from;
		for (round = 0; round < 3; round++) {
			REQUIRE(stage_announce(&s));
			REQUIRE(close_cancels(&s.ca->connector->Header, s.connecting, FALSE));
			CHECK(KIT_CLOSED(s.cb->connector));
			/* the very same source address once more */
			s.ca = kit_create_connector(s.a->adapter);
			REQUIRE(s.ca != (struct kit_conn *)0);
		}
		REQUIRE(stage_from_idle(&s, STAGE_UP));
	}
	attempt_deadlines_default();
}

NDK_CASE(close_connecting_to_silence, "CLOSE-5 CLOSE-14 U-3 CONN-24", NDK_ON_ALL,
	 "T-LC-09 the same towards an address where nobody answers at all; the QP can be used again")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_address silent;
		struct staged s;

		memset(&silent, 0, sizeof(silent));
		SKIP_UNLESS(conf_bad(CONF_SILENT, 4000, &silent.at, &silent.len), "no silent address here");
		REQUIRE(close_unhurried());
		REQUIRE(stage_to(&s, STAGE_IDLE));
		s.connecting = kit_begin_connect(s.ca, s.a->qp, &s.from, &silent, (struct kit_params *)0);
		conf_sleep(20);
		REQUIRE(close_cancels(&s.ca->connector->Header, s.connecting, FALSE));
		s.ca = kit_create_connector(s.a->adapter);
		REQUIRE(s.ca != (struct kit_conn *)0);
		REQUIRE(stage_from_idle(&s, STAGE_UP));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
	}
	attempt_deadlines_default();
}

NDK_CASE(close_accepting, "CLOSE-2 CLOSE-5 CLOSE-7 CLOSE-8 CLOSE-14 U-3", NDK_ON_ALL,
	 "T-LC-09 a pending accept ends STATUS_CANCELLED, then the close, soon")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(close_unhurried());
		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		if (conf_iwarp()) {
			/* the accept is over with the reply; closing is then that of a connection */
			REQUIRE_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
			REQUIRE(KIT_CLOSED(s.cb->connector));
		} else {
			REQUIRE(close_cancels(&s.cb->connector->Header, s.accepting, FALSE));
		}
		CHECK_EQ(s.cb->events, 0);
		CHECK(stage_still_well(&s));
	}
	attempt_deadlines_default();
}

NDK_CASE(close_disconnecting, "CLOSE-2 CLOSE-5 CLOSE-7 CLOSE-8 CLOSE-14 U-3 U-54", NDK_ON_ALL,
	 "T-LC-10 a pending disconnect, which the peer's consumer does not answer, ends STATUS_CANCELLED")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(close_unhurried());
		REQUIRE(stage_to(&s, STAGE_LEAVING));
		if (conf_iwarp()) {
			/* the transport answers by itself */
			REQUIRE_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
			REQUIRE(KIT_CLOSED(s.ca->connector));
		} else {
			REQUIRE(close_cancels(&s.ca->connector->Header, s.leaving, FALSE));
		}
		CHECK(KIT_CLOSED(s.a->qp));
		CHECK_EQ(s.cb->events, 1);
	}
	attempt_deadlines_default();
}

NDK_CASE(close_listening, "CLOSE-2 CLOSE-5 CLOSE-7 CLOSE-8 CLOSE-14 U-3", NDK_ON_ALL,
	 "T-LC-09 a pending listen ends, cancelled or done, before the close; the address is free afterwards")
{
	struct kit_address at = kit_address(0, NDK_V4, kit_fresh_port());
	NDK_ADAPTER *a = kit_open(0);
	struct kit_listener *l;
	struct kit_call *c;
	int i;

	REQUIRE(a != (NDK_ADAPTER *)0);
	for (i = 0; i < 5; i++) {
		l = kit_create_listener(a);
		REQUIRE(l != (struct kit_listener *)0);
		REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
		c = kit_begin_listen(l, &at);
		REQUIRE(kit_pended(c));
		REQUIRE(close_cancels(&l->listener->Header, c, TRUE));
		REQUIRE(kit_answer(0, NDK_ANSWER_NATURAL));
	}
	l = kit_create_listener(a);
	REQUIRE(l != (struct kit_listener *)0);
	CHECK_STATUS(kit_listen(l, &at), STATUS_SUCCESS);
}

NDK_CASE(close_registering, "CLOSE-2 CLOSE-5 CLOSE-7 CLOSE-8 CLOSE-14 U-34", NDK_ON_ALL,
	 "a pending registration ends, cancelled or done, before the region's close")
{
	struct kit_buffer *b;
	struct kit_side *s = kit_side(0);
	struct kit_call *c;
	NDK_MR *mr;
	int i;

	REQUIRE(s != (struct kit_side *)0);
	b = kit_buffer(s->adapter, s->pd, 4096);
	REQUIRE(b != (struct kit_buffer *)0);
	for (i = 0; i < 5; i++) {
		mr = kit_create_mr(s->pd, FALSE);
		REQUIRE(mr != (NDK_MR *)0);
		REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
		c = kit_call("NdkRegisterMr");
		kit_return(c, mr->Dispatch->NdkRegisterMr(mr, b->mdl, 4096, NDK_MR_FLAG_ALLOW_LOCAL_WRITE,
							  kit_request_done, c));
		REQUIRE(kit_pended(c));
		REQUIRE(close_cancels(&mr->Header, c, TRUE));
		REQUIRE(kit_answer(0, NDK_ANSWER_NATURAL));
	}
}

/* ---- inside a request's completion ---- */

/* c->arg is the object to close. */
static void close_its_object(struct kit_call *c)
{
	c->then = kit_close((NDK_OBJECT_HEADER *)c->arg);
}

/* A close begun inside a callback that ran from entered to left (CLOSE-17). */
static BOOLEAN closed_after(struct kit_call *shut, const long *left)
{
	if (!CHECK(shut != (struct kit_call *)0) || !CHECK_STATUS(kit_wait(shut), STATUS_SUCCESS))
		return FALSE;
	conf_settle();
	CHECK(kit_pended(shut));
	CHECK(stage_once(shut));
	return CHECK(shut->entered > *left);
}

NDK_CASE(close_inside_connect, "CLOSE-7 CLOSE-8 CLOSE-16 CLOSE-17 REQ-6 REQ-7 REQ-9", NDK_ON_ALL,
	 "closed inside its connect's completion, success or failure, a connector ends after it returned")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;
		BOOLEAN accept;
		int round;

		REQUIRE(stage_to(&s, STAGE_IDLE));
		for (round = 0; round < 2; round++) {
			accept = round == 1;
			s.b->listener->mode = accept ? KIT_ACCEPT : KIT_REJECT;
			s.connecting = kit_connect_inside(s.ca, s.a->qp, &s.from, &s.b->listener->at,
							  (struct kit_params *)0, close_its_object,
							  &s.ca->connector->Header);
			REQUIRE_STATUS(kit_wait(s.connecting), accept ? STATUS_SUCCESS : STATUS_CONNECTION_REFUSED);
			CHECK(kit_pended(s.connecting));
			REQUIRE(closed_after(s.connecting->then, &s.connecting->left));
			s.cb = kit_arrival(s.b->listener);
			REQUIRE(s.cb != (struct kit_conn *)0);
			s.accepting = s.cb->accepting;
			if (accept)
				CHECK(stage_accept_ends(&s, STATUS_CONNECTION_ABORTED));
			s.ca = kit_create_connector(s.a->adapter);
			REQUIRE(s.ca != (struct kit_conn *)0);
		}
	}
}

/* The close began inside c's callback; if c was answered inline there was none to close in. */
static void closed_inside(struct kit_call *c, NTSTATUS status)
{
	REQUIRE_STATUS(kit_wait(c), status);
	if (kit_pended(c))
		CHECK(closed_after(c->then, &c->left));
}

NDK_CASE(close_inside_establishment, "CLOSE-7 CLOSE-8 CLOSE-17 U-22", NDK_ON_ALL,
	 "closed inside the completion of complete-connect or accept, a connector ends after it returned")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *c;
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		c = kit_call("NdkCompleteConnect");
		c->inside = close_its_object;
		c->arg = &s.ca->connector->Header;
		kit_return(c, s.ca->connector->Dispatch->NdkCompleteConnect(
				      s.ca->connector, (NDK_FN_DISCONNECT_EVENT_CALLBACK *)0, (PVOID)0,
				      kit_request_done, c));
		closed_inside(c, STATUS_SUCCESS);
		if (kit_wait(s.accepting) == STATUS_CONNECTION_ABORTED && conf_place() == NDK_ON_K && !conf_iwarp()) {
			/* messages of the CM are worked on by every processor: the goodbye may overtake the confirmation */
			CHECK_EQ(s.cb->events, 0);
		} else {
			CHECK_STATUS(s.accepting->status, STATUS_SUCCESS);
			if (kit_pended(c))
				CHECK(kit_disconnected(s.cb, KIT_PATIENCE_MS));
		}
		kit_close_all(KIT_CHILDREN_FIRST);

		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		c = kit_call("NdkAccept");
		c->inside = close_its_object;
		c->arg = &s.cb->connector->Header;
		kit_return(c, s.cb->connector->Dispatch->NdkAccept(
				      s.cb->connector, s.b->qp, 0, 0, (PVOID)0, 0,
				      (NDK_FN_DISCONNECT_EVENT_CALLBACK *)0, (PVOID)0, kit_request_done, c));
		REQUIRE_STATUS(kit_wait(s.connecting), STATUS_SUCCESS);
		/* a two-way handshake may have lost the peer by now */
		kit_wait(kit_begin_complete(s.ca, KIT_EVENT));
		closed_inside(c, STATUS_SUCCESS);
	}
}

NDK_CASE(close_inside_disconnect, "CLOSE-7 CLOSE-8 CLOSE-17", NDK_ON_ALL,
	 "closed inside its disconnect's completion, a connector ends after it returned")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_UP));
		s.leaving = kit_disconnect_inside(s.ca, close_its_object, &s.ca->connector->Header);
		REQUIRE(kit_disconnected(s.cb, KIT_PATIENCE_MS));
		CHECK_STATUS(kit_disconnect(s.cb), STATUS_SUCCESS);
		closed_inside(s.leaving, STATUS_SUCCESS);
	}
}

NDK_CASE(close_inside_listen, "CLOSE-7 CLOSE-8 CLOSE-17", NDK_ON_ALL,
	 "closed inside its listen's completion, a listener ends after it returned")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_address at = kit_address(0, NDK_V4, kit_fresh_port());
		NDK_ADAPTER *a = kit_open(0);
		struct kit_listener *l;
		struct kit_call *c;

		REQUIRE(a != (NDK_ADAPTER *)0);
		l = kit_create_listener(a);
		REQUIRE(l != (struct kit_listener *)0);
		c = kit_call("NdkListen");
		c->inside = close_its_object;
		c->arg = &l->listener->Header;
		kit_return(c, l->listener->Dispatch->NdkListen(l->listener, KIT_SA(&at), at.len, kit_request_done, c));
		closed_inside(c, STATUS_SUCCESS);
	}
}

/* ---- inside an event ---- */

static struct kit_call *shut_inside;

static void close_listener_and_connector(struct kit_listener *l, struct kit_conn *c)
{
	shut_inside = KIT_CLOSE(l->listener);
	c->accepting = KIT_CLOSE(c->connector);
}

NDK_CASE(close_inside_connect_event, "CLOSE-6 CLOSE-8 CLOSE-17 LISTEN-13 U-41", NDK_ON_ALL,
	 "closed inside its connect event, a listener ends after that and after the connector has gone")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		shut_inside = (struct kit_call *)0;
		REQUIRE(stage_to(&s, STAGE_IDLE));
		s.b->listener->mode = KIT_CUSTOM;
		s.b->listener->custom = close_listener_and_connector;
		REQUIRE(stage_announce(&s));
		REQUIRE_STATUS(kit_wait(s.connecting), STATUS_CONNECTION_REFUSED);
		REQUIRE(closed_after(shut_inside, &s.cb->arrived_left));
		/* the connector's close had to be over, callback returned (LIFE-5) */
		CHECK_STATUS(kit_wait(s.cb->accepting), STATUS_SUCCESS);
		if (kit_pended(s.cb->accepting))
			CHECK(s.cb->accepting->left < shut_inside->entered);
	}
}

static void close_on_event(struct kit_conn *c)
{
	c->arg = KIT_CLOSE(c->connector);
}

NDK_CASE(close_inside_disconnect_event, "CLOSE-6 CLOSE-8 CLOSE-17", NDK_ON_ALL,
	 "closed inside its disconnect event, a connector ends after that returned")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_UP));
		s.cb->inside = close_on_event;
		REQUIRE(stage_leave(&s));
		REQUIRE(closed_after((struct kit_call *)s.cb->arg, &s.cb->event_left));
		/* closing is a goodbye as well */
		CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
	}
}

static void close_on_notification(struct kit_cq *q, NTSTATUS status)
{
	(void)status;
	q->arg = KIT_CLOSE(q->cq);
}

NDK_CASE(close_inside_notification, "CLOSE-6 CLOSE-8 CLOSE-17 CQ-19", NDK_ON_ALL,
	 "closed inside its notification, a CQ ends after that returned, and after its QPs")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_side *s = kit_side(0);

		REQUIRE(s != (struct kit_side *)0);
		s->cq->inside = close_on_notification;
		kit_arm(s->cq, NDK_CQ_NOTIFY_ANY);
		REQUIRE_STATUS(kit_receive(s->qp, kit_context(), s->buffer, 0, 16), STATUS_SUCCESS);
		/* results that will never be taken: the CQ goes with them */
		monitor_excuse(4, "the CQ is closed with results in it");
		s->qp->Dispatch->NdkFlush(s->qp);
		REQUIRE(kit_notified(s->cq, KIT_PATIENCE_MS));
		REQUIRE(s->cq->arg != (PVOID)0);
		conf_settle();
		CHECK(!kit_answered((struct kit_call *)s->cq->arg));
		CHECK(KIT_CLOSED(s->qp));
		REQUIRE(closed_after((struct kit_call *)s->cq->arg, &s->cq->told.left));
		CHECK_EQ(s->cq->told.notifications, 1);
	}
}

/* An event that runs on another thread while we close from here: it ends only when close has returned. */
static struct {
	struct conf_signal began;
	BOOLEAN closing;
} close_event;

static void close_held_up(struct kit_conn *c)
{
	(void)c;
	conf_signal(&close_event.began);
	stage_hold(&close_event.closing);
}

NDK_CASE(close_during_event, "CLOSE-6 CLOSE-8", NDK_ON_T | NDK_ON_K,
	 "closed from another thread while its disconnect event runs: pending until that has returned")
{
	struct kit_call *shut;
	struct staged s;

	memset(&close_event, 0, sizeof(close_event));
	conf_signal_init(&close_event.began);
	REQUIRE(stage_to(&s, STAGE_UP));
	s.cb->inside = close_held_up;
	s.leaving = kit_begin_disconnect(s.ca);
	REQUIRE(conf_wait(&close_event.began, KIT_PATIENCE_MS));
	shut = KIT_CLOSE(s.cb->connector);
	CHECK(!kit_answered(shut));
	stage_release(&close_event.closing);
	CHECK(kit_pended(shut));
	REQUIRE_STATUS(kit_wait(shut), STATUS_SUCCESS);
	CHECK(s.cb->event_left != 0);
	CHECK(shut->entered > s.cb->event_left);
	CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
}

CONF_CASES(close, CASE(close_succeeds_or_pends), CASE(close_context), CASE(close_at_dispatch_level),
	   CASE(close_connecting), CASE(close_connecting_to_silence), CASE(close_accepting),
	   CASE(close_disconnecting), CASE(close_listening), CASE(close_registering), CASE(close_inside_connect),
	   CASE(close_inside_establishment), CASE(close_inside_disconnect), CASE(close_inside_listen),
	   CASE(close_inside_connect_event), CASE(close_inside_disconnect_event), CASE(close_inside_notification),
	   CASE(close_during_event));
