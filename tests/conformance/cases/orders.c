/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The full chain of objects, closed in every kind of order by one thread and by several; and closing
 * from elsewhere what the provider is just calling back about. The monitors watch that no parent ends
 * before its children (M-03) and nothing follows a close (M-02). Runs where a case runs.
 */
#include "stages.h"

/* In order of creation, so that each comes after all it depends on. */
enum chain_link {
	CHAIN_PD,
	CHAIN_MR,
	CHAIN_MW,
	CHAIN_RECEIVE_CQ,
	CHAIN_INITIATOR_CQ,
	CHAIN_SRQ,
	CHAIN_QP,
	CHAIN_LISTENER,
	CHAIN_CONNECTOR,
	CHAIN_LINKS
};

struct chain {
	NDK_OBJECT_HEADER *object[CHAIN_LINKS]; /* NULL: not offered here */
	struct kit_call *shut[CHAIN_LINKS];
};

/* On s, whose listener is l: the connector is one that l delivered and that uses the chain's QP. */
static BOOLEAN chain_make(struct chain *t, struct staged *s, BOOLEAN connected)
{
	struct kit_address at = kit_address(1, NDK_V4, kit_fresh_port());
	struct kit_cq *in = kit_create_cq(s->b->adapter, KIT_DEPTH), *out = kit_create_cq(s->b->adapter, KIT_DEPTH);
	NDK_PD *pd = kit_create_pd(s->b->adapter);
	struct kit_listener *l = kit_create_listener(s->b->adapter);
	struct kit_shape shape;
	struct kit_srq *srq;
	NDK_QP *qp;

	memset(t, 0, sizeof(*t));
	if (!in || !out || !pd || !l)
		return FALSE;
	memset(&shape, 0, sizeof(shape));
	shape.receive_depth = shape.initiator_depth = 4;
	t->object[CHAIN_PD] = &pd->Header;
	t->object[CHAIN_MR] = (NDK_OBJECT_HEADER *)kit_create_mr(pd, FALSE);
	t->object[CHAIN_MW] = (NDK_OBJECT_HEADER *)kit_create_mw(pd);
	t->object[CHAIN_RECEIVE_CQ] = &in->cq->Header;
	t->object[CHAIN_INITIATOR_CQ] = &out->cq->Header;
	srq = s->b->info->MaxSrqDepth ? kit_create_srq(pd, 4, 1, 0) : (struct kit_srq *)0;
	t->object[CHAIN_SRQ] = srq ? &srq->srq->Header : (NDK_OBJECT_HEADER *)0;
	qp = srq ? kit_create_qp_on(pd, in, out, srq->srq, &shape) : kit_create_qp(pd, in, out, &shape);
	t->object[CHAIN_QP] = (NDK_OBJECT_HEADER *)qp;
	t->object[CHAIN_LISTENER] = &l->listener->Header;
	if (!qp || !t->object[CHAIN_MR] || !t->object[CHAIN_MW] || !CHECK_STATUS(kit_listen(l, &at), STATUS_SUCCESS))
		return FALSE;
	s->ca = kit_create_connector(s->a->adapter);
	if (!s->ca)
		return FALSE;
	s->b->listener = l;
	s->b->qp = qp;
	s->a->qp = kit_another_qp(s->a);
	if (!s->a->qp || !stage_from_idle(s, connected ? STAGE_UP : STAGE_ANNOUNCED))
		return FALSE;
	t->object[CHAIN_CONNECTOR] = &s->cb->connector->Header;
	return TRUE;
}

/* The other end, which is not part of the chain. */
static BOOLEAN chain_other_end(struct staged *s)
{
	return CHECK(KIT_CLOSED(s->ca->connector)) && CHECK(KIT_CLOSED(s->a->qp));
}

static BOOLEAN chain_ended(struct chain *t)
{
	unsigned i;

	for (i = 0; i < CHAIN_LINKS; i++)
		if (t->object[i] && (!CHECK_STATUS(kit_wait(t->shut[i]), STATUS_SUCCESS) || !stage_once(t->shut[i])))
			return FALSE;
	return TRUE;
}

/* ---- in order of creation ---- */

static void chain_outlives(const struct chain *t, int parent, int child)
{
	const struct kit_call *p = t->shut[parent], *c = t->shut[child];

	if (!p || !c)
		return;
	CHECK(kit_pended(p));
	CHECK(p->entered > (kit_pended(c) ? c->left : c->began));
}

NDK_CASE(chain_in_order, "LIFE-1 LIFE-2 LIFE-3 LIFE-4 LIFE-5 CLOSE-1 CLOSE-8 LISTEN-13", NDK_ON_ALL,
	 "T-LC-06 the full chain closed in order of creation: each parent pends until its last child has gone")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;
		struct chain t;
		int i;

		REQUIRE(stage_open(&s, NDK_V4) && chain_make(&t, &s, TRUE));
		for (i = 0; i < CHAIN_CONNECTOR; i++) {
			if (!t.object[i])
				continue;
			t.shut[i] = kit_close(t.object[i]);
			/* all but the leaves have children */
			if (i != CHAIN_MR && i != CHAIN_MW)
				CHECK(!kit_answered(t.shut[i]));
		}
		conf_settle();
		for (i = 0; i < CHAIN_CONNECTOR; i++)
			if (t.shut[i] && i != CHAIN_MR && i != CHAIN_MW)
				CHECK(!kit_answered(t.shut[i]));
		t.shut[CHAIN_CONNECTOR] = kit_close(t.object[CHAIN_CONNECTOR]);
		REQUIRE(chain_ended(&t));
		chain_outlives(&t, CHAIN_QP, CHAIN_CONNECTOR);
		chain_outlives(&t, CHAIN_LISTENER, CHAIN_CONNECTOR);
		for (i = CHAIN_RECEIVE_CQ; i <= CHAIN_SRQ; i++)
			chain_outlives(&t, i, CHAIN_QP);
		for (i = CHAIN_MR; i <= CHAIN_QP; i++)
			if (i != CHAIN_RECEIVE_CQ && i != CHAIN_INITIATOR_CQ)
				chain_outlives(&t, CHAIN_PD, i);
		CHECK(kit_disconnected(s.ca, KIT_PATIENCE_MS));
	}
}

/* ---- in random orders ---- */

#define CHAIN_THREADS 4u

struct chain_part {
	struct chain *chain;
	const unsigned *order;
	unsigned part;
};

/* Every fourth of the order, or all of it. */
static void chain_close_part(PVOID arg)
{
	struct chain_part *p = (struct chain_part *)arg;
	unsigned i;

	for (i = 0; i < CHAIN_LINKS; i++)
		if ((p->part == CHAIN_THREADS || i % CHAIN_THREADS == p->part) && p->chain->object[p->order[i]])
			p->chain->shut[p->order[i]] = kit_close(p->chain->object[p->order[i]]);
}

static void chain_close_all(struct chain *t, BOOLEAN threads)
{
	struct chain_part part[CHAIN_THREADS];
	PVOID thread[CHAIN_THREADS];
	unsigned order[CHAIN_LINKS], i, j;

	for (i = 0; i < CHAIN_LINKS; i++) {
		j = (unsigned)(conf_random() % (i + 1));
		order[i] = order[j];
		order[j] = i;
	}
	for (i = 0; i < CHAIN_THREADS; i++) {
		part[i].chain = t;
		part[i].order = order;
		part[i].part = threads ? i : CHAIN_THREADS;
		thread[i] = threads ? conf_spawn(chain_close_part, &part[i]) : (PVOID)0;
		if (!thread[i] && (threads || i == 0))
			chain_close_part(&part[i]);
	}
	for (i = 0; i < CHAIN_THREADS; i++)
		conf_join(thread[i]);
}

/* A thousand on the fabric; what emulation leaves time for in the kernel. */
static ULONG chain_rounds(void)
{
	return conf_place() == NDK_ON_S ? 1000 : conf_place() == NDK_ON_T ? 250 : 50;
}

static void chain_random(BOOLEAN threads)
{
	struct chain *t;
	struct staged s;
	ULONG i;

	for (i = 0; i < chain_rounds() && !conf_failed(); i++) {
		/* memory of the kit is given back when the case ends; sides serve many rounds */
		if (i % 50 == 0) {
			kit_close_all(KIT_CHILDREN_FIRST);
			REQUIRE(stage_open(&s, NDK_V4));
		}
		REQUIRE(kit_answer(1, i & 1 ? NDK_ANSWER_PEND : NDK_ANSWER_NATURAL));
		t = (struct chain *)kit_alloc(sizeof(*t));
		REQUIRE(chain_make(t, &s, (i & 2) != 0));
		chain_close_all(t, threads);
		REQUIRE(chain_ended(t));
		REQUIRE(chain_other_end(&s));
	}
	kit_answer(1, NDK_ANSWER_NATURAL);
}

NDK_CASE(chain_any_order, "LIFE-2 LIFE-4 LIFE-5 CLOSE-1 CLOSE-5 CLOSE-14", NDK_ON_ALL,
	 "T-LC-06 the full chain closed in random orders, a thousand on the fabric: none hangs, none is forbidden")
{
	chain_random(FALSE);
}

NDK_CASE(chain_from_threads, "LIFE-2 LIFE-4 LIFE-5 CLOSE-1 CLOSE-5 CLOSE-14 CONC-8", NDK_ON_T | NDK_ON_K,
	 "T-LC-06 the full chain closed in random orders by four threads at once")
{
	chain_random(TRUE);
}

/* ---- while the provider calls ---- */

static struct {
	struct conf_signal running;
	NDK_OBJECT_HEADER *first, *second; /* to be closed by the helper */
	struct kit_call *shut[2];
	BOOLEAN called; /* both closes; with the lock */
} elsewhere;

static void elsewhere_close(PVOID arg)
{
	(void)arg;
	if (!conf_wait(&elsewhere.running, KIT_PATIENCE_MS))
		return;
	elsewhere.shut[0] = elsewhere.first ? kit_close(elsewhere.first) : (struct kit_call *)0;
	elsewhere.shut[1] = elsewhere.second ? kit_close(elsewhere.second) : (struct kit_call *)0;
	stage_release(&elsewhere.called);
}

static void elsewhere_request(struct kit_listener *l, struct kit_conn *c)
{
	elsewhere.first = &c->connector->Header;
	elsewhere.second = &l->listener->Header;
	conf_signal(&elsewhere.running);
	stage_hold(&elsewhere.called);
}

static void elsewhere_goodbye(struct kit_conn *c)
{
	elsewhere.first = &c->connector->Header;
	conf_signal(&elsewhere.running);
	stage_hold(&elsewhere.called);
}

static void elsewhere_here(struct kit_listener *l, struct kit_conn *c)
{
	elsewhere.shut[0] = KIT_CLOSE(c->connector);
	elsewhere.shut[1] = KIT_CLOSE(l->listener);
}

/* A connection request arrives: its connector and the listener are closed, here or from another thread. */
static void elsewhere_request_round(BOOLEAN here)
{
	struct staged s;
	PVOID thread;

	memset(&elsewhere, 0, sizeof(elsewhere));
	conf_signal_init(&elsewhere.running);
	REQUIRE(stage_to(&s, STAGE_IDLE));
	s.b->listener->mode = KIT_CUSTOM;
	s.b->listener->custom = here ? elsewhere_here : elsewhere_request;
	thread = here ? (PVOID)0 : conf_spawn(elsewhere_close, (PVOID)0);
	CHECK(here || thread);
	s.connecting = kit_begin_connect(s.ca, s.a->qp, &s.from, &s.b->listener->at, NO_PARAMS);
	CHECK_STATUS(kit_wait(s.connecting), STATUS_CONNECTION_REFUSED);
	REQUIRE(kit_arrival(s.b->listener) != (struct kit_conn *)0); /* the event has run to its end */
	conf_join(thread);
	REQUIRE(elsewhere.shut[0] && elsewhere.shut[1]);
	CHECK_STATUS(kit_wait(elsewhere.shut[0]), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(elsewhere.shut[1]), STATUS_SUCCESS);
	CHECK(kit_pended(elsewhere.shut[1]));
}

/* The peer's goodbye arrives: the connector is closed from another thread meanwhile. */
static void elsewhere_goodbye_round(void)
{
	struct staged s;
	PVOID thread;

	memset(&elsewhere, 0, sizeof(elsewhere));
	conf_signal_init(&elsewhere.running);
	REQUIRE(stage_to(&s, STAGE_UP));
	s.cb->inside = elsewhere_goodbye;
	thread = conf_spawn(elsewhere_close, (PVOID)0);
	REQUIRE(thread != (PVOID)0);
	s.leaving = kit_begin_disconnect(s.ca);
	CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
	conf_join(thread);
	REQUIRE(elsewhere.shut[0] != (struct kit_call *)0);
	CHECK_STATUS(kit_wait(elsewhere.shut[0]), STATUS_SUCCESS);
	CHECK(!kit_pended(elsewhere.shut[0]) || elsewhere.shut[0]->entered > s.cb->event_left);
}

NDK_CASE(close_from_elsewhere, "CLOSE-6 CLOSE-8 CLOSE-17 LISTEN-13 CONC-8 CONC-9 REQ-9 U-41", NDK_ON_T | NDK_ON_K,
	 "T-LC-16 connector and listener closed in the event, and from another thread while it runs: no deadlock")
{
	int i;

	for (i = 0; i < 12 && !conf_failed(); i++) {
		elsewhere_request_round(TRUE);
		kit_close_all(KIT_CHILDREN_FIRST);
		elsewhere_request_round(FALSE);
		kit_close_all(KIT_CHILDREN_FIRST);
		elsewhere_goodbye_round();
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

CONF_CASES(orders, CASE(chain_in_order), CASE(chain_any_order), CASE(chain_from_threads),
	   CASE(close_from_elsewhere));
