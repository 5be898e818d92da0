/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Lives that depend on each other: orders of closing, what follows a close, closing at every point of
 * a connection's life, and all functions in atomic context. Runs where a case runs.
 */
#include "stages.h"

/* ---- parents first ---- */

/* The close of a parent came after its child's had returned (LIFE-5). */
static void life_outlived(struct kit_call *parent, struct kit_call *child)
{
	CHECK_STATUS(kit_wait(parent), STATUS_SUCCESS);
	CHECK(kit_pended(parent));
	CHECK(stage_once(parent));
	if (kit_pended(child))
		CHECK(parent->entered > child->left);
	else
		CHECK(parent->entered > child->began);
}

NDK_CASE(life_parents_first, "LIFE-1 LIFE-2 LIFE-3 LIFE-4 LIFE-5 CLOSE-1 CLOSE-8 LISTEN-13", NDK_ON_ALL,
	 "T-LC-06 in order of creation, each parent before its children: pending until the last has gone")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *pd, *cq, *qp, *listener, *mr, *a, *b;
		struct staged s;
		NDK_MR *region;

		REQUIRE(stage_to(&s, STAGE_UP));
		region = kit_create_mr(s.a->pd, FALSE);
		REQUIRE(region != (NDK_MR *)0);
		pd = KIT_CLOSE(s.a->pd);
		cq = KIT_CLOSE(s.a->cq->cq);
		qp = KIT_CLOSE(s.a->qp);
		listener = KIT_CLOSE(s.b->listener->listener);
		conf_settle();
		CHECK(!kit_answered(pd) && !kit_answered(cq) && !kit_answered(qp) && !kit_answered(listener));
		mr = KIT_CLOSE(region);
		REQUIRE_STATUS(kit_wait(mr), STATUS_SUCCESS);
		conf_settle();
		CHECK(!kit_answered(pd));
		a = KIT_CLOSE(s.ca->connector);
		REQUIRE_STATUS(kit_wait(a), STATUS_SUCCESS);
		life_outlived(qp, a);
		life_outlived(cq, qp);
		life_outlived(pd, qp);
		life_outlived(pd, mr);
		conf_settle();
		CHECK(!kit_answered(listener));
		b = KIT_CLOSE(s.cb->connector);
		REQUIRE_STATUS(kit_wait(b), STATUS_SUCCESS);
		life_outlived(listener, b);
	}
}

NDK_CASE(life_parent_closing, "LIFE-6 LIFE-2 LIFE-4", NDK_ON_ALL,
	 "a parent's pending close is no more than a dropped reference: its children work on")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *pd[2], *listener;
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_UP));
		pd[0] = KIT_CLOSE(s.a->pd);
		pd[1] = KIT_CLOSE(s.b->pd);
		listener = KIT_CLOSE(s.b->listener->listener);
		conf_settle();
		CHECK(!kit_answered(pd[0]) && !kit_answered(pd[1]) && !kit_answered(listener));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 256));
		REQUIRE(kit_send_recv_verify(s.b, s.a, 256));
		REQUIRE(stage_leave(&s) && stage_part(&s));
	}
}

static ULONG life_rounds(void)
{
	return conf_place() == NDK_ON_S ? 150 : conf_place() == NDK_ON_T ? 30 : 4;
}

NDK_CASE(life_any_order, "LIFE-2 LIFE-4 LIFE-5 CLOSE-1", NDK_ON_ALL,
	 "T-LC-06 everything of a connection closed at once in random orders: no order hangs")
{
	struct staged s;
	ULONG i;

	for (i = 0; i < life_rounds() && !conf_failed(); i++) {
		REQUIRE(kit_answer(0, i & 1 ? NDK_ANSWER_PEND : NDK_ANSWER_NATURAL));
		REQUIRE(kit_answer(1, i & 2 ? NDK_ANSWER_PEND : NDK_ANSWER_NATURAL));
		REQUIRE(stage_to(&s, STAGE_UP));
		kit_close_all(KIT_ANY_ORDER);
	}
}

/* Whatever was pending has been answered, once. */
static void life_answered(const struct staged *s)
{
	const struct kit_call *c[3];
	int i;

	c[0] = s->connecting;
	c[1] = s->accepting;
	c[2] = s->leaving;
	for (i = 0; i < 3; i++)
		if (c[i])
			CHECK(kit_answered(c[i]) && stage_once(c[i]));
}

NDK_CASE(life_every_stage, "CLOSE-1 CLOSE-5 CLOSE-14 LIFE-2 LIFE-4 LIFE-5", NDK_ON_ALL,
	 "everything closed at every point of a connection's life, in every order")
{
	KIT_EACH_ANSWER(mode)
	{
		static const enum kit_order orders[] = { KIT_CHILDREN_FIRST, KIT_PARENTS_FIRST, KIT_ANY_ORDER };
		struct staged s;
		int stage, i;

		for (stage = STAGE_IDLE; stage < STAGES; stage++)
			for (i = 0; i < 3; i++) {
				REQUIRE(stage_to(&s, stage));
				kit_close_all(orders[i]);
				life_answered(&s);
			}
	}
}

/* ---- one side goes ---- */

/* What the passive side sees of the active side's close at that stage. */
static void life_active_goes(struct staged *s, int stage)
{
	REQUIRE(KIT_CLOSED(s->ca->connector));
	if (stage == STAGE_ACCEPTED)
		CHECK(stage_accept_ends(s, STATUS_CONNECTION_ABORTED));
	if (stage == STAGE_UP)
		CHECK(kit_disconnected(s->cb, KIT_PATIENCE_MS));
	if (stage == STAGE_LEAVING && !conf_iwarp())
		CHECK_STATUS(kit_wait(s->leaving), STATUS_CANCELLED);
	CHECK(!s->cb || s->cb->events <= 1);
	CHECK_EQ(s->ca->events, 0);
}

/* What the active side sees of the passive side's close at that stage. */
static void life_passive_goes(struct staged *s, int stage)
{
	if (!s->cb)
		return;
	REQUIRE(KIT_CLOSED(s->cb->connector));
	if (stage == STAGE_ANNOUNCED)
		CHECK_STATUS(kit_wait(s->connecting), STATUS_CONNECTION_REFUSED);
	if (stage == STAGE_UP)
		CHECK(kit_disconnected(s->ca, KIT_PATIENCE_MS));
	if (stage == STAGE_LEAVING)
		CHECK_STATUS(kit_wait(s->leaving), STATUS_SUCCESS);
	CHECK(s->ca->events <= 1);
	CHECK(s->cb->events == (stage >= STAGE_LEAVING ? 1 : 0));
}

NDK_CASE(life_one_side_goes, "CLOSE-1 CLOSE-11 CLOSE-14 ACPT-6 REJ-5 DISC-6 DISC-7 U-22 U-41", NDK_ON_ALL,
	 "one side closes its connector at every point; the other learns of it, and the sides go on")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;
		int stage, side;

		for (stage = STAGE_IDLE; stage < STAGES; stage++)
			for (side = 0; side < 2; side++) {
				conf_note("side %d at stage %d", side, stage);
				REQUIRE(stage_to(&s, stage));
				if (side == 0)
					life_active_goes(&s, stage);
				else
					life_passive_goes(&s, stage);
				if (stage != STAGE_IDLE)
					CHECK(stage_still_well(&s));
				kit_close_all(KIT_CHILDREN_FIRST);
			}
	}
}

/* ---- nothing after the close ---- */

/* Memory of the consumer, gone with the close's completion; whoever uses it later is found out. */
struct life_memory {
	long events;
};

static VOID life_event(PVOID context)
{
	struct life_memory *m = (struct life_memory *)context;

	m->events++;
}

static VOID life_freed(PVOID context)
{
	conf_free(context);
}

NDK_CASE(life_nothing_follows, "CLOSE-11 CLOSE-12 CLOSE-13 CLOSE-18 U-22", NDK_ON_ALL,
	 "no event follows a close, and the consumer's memory is free to go in its completion")
{
	KIT_EACH_ANSWER(mode)
	{
		struct life_memory *m;
		struct kit_call *c;
		struct staged s;
		NDK_CONNECTOR *n;
		NTSTATUS status;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		m = (struct life_memory *)conf_alloc(sizeof(*m));
		n = s.ca->connector;
		c = kit_call("NdkCompleteConnect");
		kit_return(c, n->Dispatch->NdkCompleteConnect(n, life_event, m, kit_request_done, c));
		if (kit_wait(c) == STATUS_SUCCESS && kit_wait(s.accepting) == STATUS_SUCCESS) {
			/* the peer's goodbye is on its way when we close */
			s.leaving = kit_begin_disconnect(s.cb);
			status = n->Dispatch->NdkCloseConnector(&n->Header, life_freed, m);
			CHECK(status == STATUS_SUCCESS || status == STATUS_PENDING);
			if (status == STATUS_SUCCESS)
				conf_free(m);
			CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
			conf_settle();
		} else {
			CHECK(KIT_CLOSED(n));
			conf_free(m);
			CHECK(conf_failed());
		}
	}
}

NDK_CASE(life_no_notification_follows, "CLOSE-12 CLOSE-13 CQ-19", NDK_ON_ALL,
	 "an armed CQ that is being closed notifies nobody")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_side *s = kit_side(0);
		struct kit_call *shut;

		REQUIRE(s != (struct kit_side *)0);
		kit_arm(s->cq, NDK_CQ_NOTIFY_ANY);
		REQUIRE_STATUS(kit_receive(s->qp, kit_context(), s->buffer, 0, 16), STATUS_SUCCESS);
		monitor_excuse(4, "the CQ is closed with results in it");
		shut = KIT_CLOSE(s->cq->cq);
		s->qp->Dispatch->NdkFlush(s->qp);
		conf_settle();
		CHECK_EQ(s->cq->told.notifications, 0);
		CHECK(KIT_CLOSED(s->qp));
		CHECK_STATUS(kit_wait(shut), STATUS_SUCCESS);
		conf_settle();
		CHECK_EQ(s->cq->told.notifications, 0);
	}
}

/* ---- callbacks of children hold their parents ---- */

static void life_linger(struct kit_call *c)
{
	(void)c;
	conf_stall(100000);
}

NDK_CASE(life_child_lingers, "LIFE-5 CLOSE-8", NDK_ON_ALL,
	 "T-LC-07 a CQ's close does not end while the close callback of its QP has not returned")
{
	struct kit_side *s = kit_side(0);
	struct kit_call *cq, *qp;

	REQUIRE(s != (struct kit_side *)0);
	REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
	cq = KIT_CLOSE(s->cq->cq);
	qp = kit_close_inside(&s->qp->Header, life_linger, (PVOID)0);
	REQUIRE_STATUS(kit_wait(qp), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_wait(cq), STATUS_SUCCESS);
	CHECK(kit_pended(qp) && kit_pended(cq));
	CHECK(cq->entered > qp->left);
}

static void life_close_parent(struct kit_call *c)
{
	c->then = kit_close((NDK_OBJECT_HEADER *)c->arg);
}

NDK_CASE(life_parent_from_child, "LIFE-5 CLOSE-8 CLOSE-16", NDK_ON_ALL,
	 "a parent closed inside its child's close callback ends after that has returned")
{
	struct kit_side *s = kit_side(0);
	struct kit_call *qp;

	REQUIRE(s != (struct kit_side *)0);
	REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
	qp = kit_close_inside(&s->qp->Header, life_close_parent, &s->cq->cq->Header);
	REQUIRE_STATUS(kit_wait(qp), STATUS_SUCCESS);
	REQUIRE(qp->then != (struct kit_call *)0);
	life_outlived(qp->then, qp);
}

static struct conf_signal life_lingering;

static void life_signal_and_linger(struct kit_call *c)
{
	(void)c;
	conf_signal(&life_lingering);
	conf_stall(100000);
}

NDK_CASE(life_adapter_last, "LIFE-8 LIFE-5 ADP-4", NDK_ON_ALL,
	 "T-LC-08 closing an adapter returns when the last close callback has left the consumer's code")
{
	NDK_ADAPTER *a = kit_open(0);
	struct kit_call *shut;
	struct kit_cq *q;

	conf_signal_init(&life_lingering);
	REQUIRE(a != (NDK_ADAPTER *)0);
	q = kit_create_cq(a, 8);
	REQUIRE(q != (struct kit_cq *)0);
	REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
	shut = kit_close_inside(&q->cq->Header, life_signal_and_linger, (PVOID)0);
	if (conf_place() != NDK_ON_S)
		REQUIRE(conf_wait(&life_lingering, KIT_PATIENCE_MS));
	kit_close_adapter(a);
	CHECK_EQ(shut->callbacks, 1);
	CHECK(shut->left != 0);
}

/* ---- callbacks within the call ---- */

static void life_shut(struct kit_call *c)
{
	c->then = kit_close((NDK_OBJECT_HEADER *)c->arg);
}

NDK_CASE(life_within_the_call, "REQ-5 REQ-6 REQ-7 CLOSE-16 CLOSE-17 CLOSE-19 CREATE-13", NDK_ON_S,
	 "T-LC-05 a connect whose completion comes within the call, and closes the connector")
{
	struct kit_address far;
	struct kit_call *c;
	struct staged s;

	memset(&far, 0, sizeof(far));
	REQUIRE(stage_to(&s, STAGE_IDLE));
	SKIP_UNLESS(conf_bad(CONF_NO_ROUTE, 4000, &far.at, &far.len), "every network can be reached");
	SKIP_UNLESS(conf_callbacks_within(TRUE), "callbacks never come within a call here");
	c = kit_connect_inside(s.ca, s.a->qp, &s.from, &far, (struct kit_params *)0, life_shut,
			       &s.ca->connector->Header);
	CHECK_STATUS(c->returned, STATUS_PENDING);
	CHECK_EQ(c->callbacks, 1);
	CHECK(c->left && c->left < c->ended);
	REQUIRE_STATUS(kit_wait(c), STATUS_NETWORK_UNREACHABLE);
	REQUIRE_STATUS(kit_wait(c->then), STATUS_SUCCESS);
	CHECK(kit_pended(c->then));
	CHECK(c->then->entered > c->left);
	/* a creation and its close likewise */
	REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
	c = kit_begin_pd(s.a->adapter, (kit_inside)0, (PVOID)0);
	CHECK_STATUS(c->returned, STATUS_PENDING);
	CHECK(c->left && c->left < c->ended);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	c = kit_close(c->object);
	CHECK_STATUS(c->returned, STATUS_PENDING);
	CHECK(c->left && c->left < c->ended);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	conf_callbacks_within(FALSE);
}

/* ---- with requests outstanding ---- */

#define LIFE_POSTS 5

/* All results of a QP's posts, whatever they are; TRUE if there were that many and no more. */
static BOOLEAN life_results(struct kit_cq *q, unsigned count, long *cancelled)
{
	NDK_RESULT_EX r;
	unsigned i;

	*cancelled = 0;
	for (i = 0; i < count; i++) {
		if (!kit_result(q, &r))
			return FALSE;
		if (r.Status != STATUS_SUCCESS && CHECK_STATUS(r.Status, STATUS_CANCELLED))
			(*cancelled)++;
	}
	return CHECK_EQ(kit_drain(q), 0);
}

NDK_CASE(life_close_connected, "U-22 CLOSE-14 CLOSE-13 QP-1 DISC-6", NDK_ON_ALL,
	 "T-LC-11 closing an established connector: event for the peer, a result for every request, no event here")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;
		long cancelled;
		int i;

		REQUIRE(stage_to(&s, STAGE_UP));
		for (i = 0; i < LIFE_POSTS; i++)
			REQUIRE_STATUS(kit_receive(s.a->qp, kit_context(), s.a->buffer, 0, 64), STATUS_SUCCESS);
		for (i = 0; i < LIFE_POSTS; i++)
			REQUIRE_STATUS(kit_receive(s.b->qp, kit_context(), s.b->buffer, 0, 64), STATUS_SUCCESS);
		for (i = 0; i < LIFE_POSTS; i++)
			REQUIRE_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 64, 0), STATUS_SUCCESS);
		REQUIRE(KIT_CLOSED(s.ca->connector));
		CHECK(kit_disconnected(s.cb, KIT_PATIENCE_MS));
		CHECK(life_results(s.a->cq, 2 * LIFE_POSTS, &cancelled));
		CHECK(cancelled >= LIFE_POSTS); /* the receives, to which nothing was sent */
		CHECK_EQ(s.ca->events, 0);
	}
}

NDK_CASE(life_results_survive, "QP-1 CLOSE-1 U-23", NDK_ON_ALL,
	 "T-LC-12 results of a QP that is closed are still there to be taken")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;
		long cancelled;
		int i;

		REQUIRE(stage_to(&s, STAGE_UP));
		for (i = 0; i < LIFE_POSTS; i++)
			REQUIRE_STATUS(kit_receive(s.a->qp, kit_context(), s.a->buffer, 0, 64), STATUS_SUCCESS);
		REQUIRE(KIT_CLOSED(s.ca->connector));
		REQUIRE(KIT_CLOSED(s.a->qp));
		CHECK(life_results(s.a->cq, LIFE_POSTS, &cancelled));
		CHECK_EQ(cancelled, LIFE_POSTS);
	}
}

NDK_CASE(life_receives_of_idle_qp, "QP-1 QP-3 U-23", NDK_ON_ALL,
	 "receives of a QP that was never connected end with its close, and are still there to be taken")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_side *s = kit_side(0);
		long cancelled;
		int i;

		REQUIRE(s != (struct kit_side *)0);
		for (i = 0; i < LIFE_POSTS; i++)
			REQUIRE_STATUS(kit_receive(s->qp, kit_context(), s->buffer, 0, 64), STATUS_SUCCESS);
		REQUIRE(KIT_CLOSED(s->qp));
		CHECK(life_results(s->cq, LIFE_POSTS, &cancelled));
		CHECK_EQ(cancelled, LIFE_POSTS);
	}
}

CONF_CASES(lifetime, CASE(life_parents_first), CASE(life_parent_closing), CASE(life_any_order),
	   CASE(life_every_stage), CASE(life_one_side_goes), CASE(life_nothing_follows),
	   CASE(life_no_notification_follows), CASE(life_child_lingers), CASE(life_parent_from_child),
	   CASE(life_adapter_last), CASE(life_within_the_call), CASE(life_close_connected),
	   CASE(life_results_survive), CASE(life_receives_of_idle_qp));
