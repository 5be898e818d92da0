/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The device goes away while it is in use (U-45): what becomes of requests, connections and work, what
 * a husk still does, and the device's return. Runs where a case runs; skipped where no device can be
 * removed.
 */
#include "fabric.h"
#include "stages.h"

#define REMOVE(which) SKIP_UNLESS(conf_remove(which), "this place cannot remove a device")

/* The end of a case that removed adapter `which`: all closes end, and the device comes back. */
static void removal_over(unsigned which)
{
	kit_close_all(KIT_CHILDREN_FIRST);
	CHECK(conf_return(which));
}

/* ---- in use ---- */

#define REMOVAL_CONNECTIONS 8
#define REMOVAL_TURNS 2	   /* sends, and writes, each way on each connection */
#define REMOVAL_RECEIVES 3 /* one more than there are sends: it is still there when the device goes */
#define REMOVAL_POSTS (REMOVAL_RECEIVES + 2 * REMOVAL_TURNS)
#define REMOVAL_LENGTH 512u

/* One end of each connection. */
struct removal_end {
	struct kit_side *side; /* the first one's, with the CQ of all */
	struct kit_buffer *open;
	NDK_QP *qp[REMOVAL_CONNECTIONS];
	struct kit_conn *conn[REMOVAL_CONNECTIONS];
	PVOID posted[REMOVAL_CONNECTIONS][REMOVAL_POSTS]; /* NULL once it has its result */
};

static BOOLEAN removal_receives(struct removal_end *e)
{
	int i, k;

	for (i = 0; i < REMOVAL_CONNECTIONS; i++)
		for (k = 0; k < REMOVAL_RECEIVES; k++) {
			e->posted[i][k] = kit_context();
			if (!CHECK_STATUS(kit_receive(e->qp[i], e->posted[i][k], e->side->buffer, 2048, REMOVAL_LENGTH),
					  STATUS_SUCCESS))
				return FALSE;
		}
	return TRUE;
}

static BOOLEAN removal_traffic(struct removal_end *e, const struct removal_end *to)
{
	PVOID *next;
	int i, k;

	for (i = 0; i < REMOVAL_CONNECTIONS; i++)
		for (k = 0, next = &e->posted[i][REMOVAL_RECEIVES]; k < REMOVAL_TURNS; k++, next += 2) {
			next[0] = kit_context();
			next[1] = kit_context();
			if (!CHECK_STATUS(kit_write(e->qp[i], next[0], e->side->buffer, 0, REMOVAL_LENGTH,
						    KIT_AT(to->open, 0), to->open->remote, 0),
					  STATUS_SUCCESS) ||
			    !CHECK_STATUS(kit_send(e->qp[i], next[1], e->side->buffer, 0, REMOVAL_LENGTH, 0),
					  STATUS_SUCCESS))
				return FALSE;
		}
	return TRUE;
}

/* One result for each request, and no other; how many of them failed. */
static int removal_results(struct removal_end *e)
{
	int i, k, left = REMOVAL_CONNECTIONS * REMOVAL_POSTS, failed = 0;
	PVOID *p, *end = &e->posted[0][0] + left;
	NDK_RESULT_EX r;

	for (; left && kit_result(e->side->cq, &r); left--) {
		if (r.RequestContext == (PVOID)e) { /* it has only been asked whether the peer is there */
			left++;
			continue;
		}
		for (p = &e->posted[0][0]; p < end && *p != r.RequestContext; p++)
			;
		if (!CHECK(p < end))
			return 0;
		*p = (PVOID)0;
		failed += r.Status != STATUS_SUCCESS;
	}
	for (i = 0; i < REMOVAL_CONNECTIONS; i++)
		for (k = 0; k < REMOVAL_POSTS; k++)
			CHECK(!e->posted[i][k]);
	return failed;
}

/* Eight connections; the receives are posted, so that nobody waits for one. */
static BOOLEAN removal_prepare(struct staged *s, struct removal_end *a, struct removal_end *b)
{
	struct staged m;
	int i;

	if (!stage_to(s, STAGE_UP))
		return FALSE;
	m = *s;
	a->side = s->a;
	b->side = s->b;
	a->open = kit_exposed(s->a->pd, REMOVAL_LENGTH);
	b->open = kit_exposed(s->b->pd, REMOVAL_LENGTH);
	for (i = 0; i < REMOVAL_CONNECTIONS; i++) {
		if (i && !stage_more(s, &m, STAGE_UP))
			return FALSE;
		a->qp[i] = m.a->qp;
		a->conn[i] = m.ca;
		b->qp[i] = m.b->qp;
		b->conn[i] = m.cb;
	}
	return a->open && b->open && removal_receives(a) && removal_receives(b);
}

NDK_CASE(removal_in_use, "U-45 DISC-6 DISC-7 QP-1 CLOSE-1", NDK_ON_ALL,
	 "T-DR-02 eight connections with sends and writes both ways, a listener: one result and event each, all closes end")
{
	struct removal_end *a = (struct removal_end *)kit_alloc(sizeof(*a));
	struct removal_end *b = (struct removal_end *)kit_alloc(sizeof(*b));
	struct kit_call *c;
	struct staged s;
	int i, failed;

	REQUIRE(removal_prepare(&s, a, b));
	REQUIRE(removal_traffic(a, b) && removal_traffic(b, a));
	REMOVE(0);
	for (i = 0; i < REMOVAL_CONNECTIONS; i++)
		CHECK(kit_disconnected(a->conn[i], KIT_PATIENCE_MS));
	failed = removal_results(a);
	/* the receive that nothing came for has failed; where no time has passed, so has everything */
	CHECK(failed >= REMOVAL_CONNECTIONS);
	if (conf_place() == NDK_ON_S)
		CHECK_EQ(failed, REMOVAL_CONNECTIONS * REMOVAL_POSTS);
	/* the other end learns of it by sending into the void, if it has not been told */
	for (i = 0; i < REMOVAL_CONNECTIONS; i++) {
		kit_send(b->qp[i], (PVOID)b, b->side->buffer, 0, 16, NDK_OP_FLAG_SILENT_SUCCESS);
		CHECK(kit_disconnected(b->conn[i], KIT_PATIENCE_MS));
	}
	CHECK(removal_results(b) >= REMOVAL_CONNECTIONS);
	c = kit_begin_disconnect(a->conn[0]);
	CHECK(kit_wait(c) != STATUS_SUCCESS);
	for (i = 0; i < REMOVAL_CONNECTIONS; i++) {
		CHECK(KIT_CLOSED(a->conn[i]->connector) && KIT_CLOSED(b->conn[i]->connector));
		CHECK_EQ(a->conn[i]->events, 1);
		CHECK_EQ(b->conn[i]->events, 1);
	}
	removal_over(0);
}

/* ---- with a request pending ---- */

static void removal_ends(struct kit_call *c)
{
	CHECK_STATUS(kit_wait(c), STATUS_DEVICE_REMOVED);
	conf_settle();
	CHECK(stage_once(c));
}

NDK_CASE(removal_connecting, "U-45 CONN-21 CLOSE-1", NDK_ON_ALL,
	 "T-DR-03 a pending connect, and an announced one, end with the device")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		REMOVE(0);
		removal_ends(s.connecting);
		CHECK_STATUS(kit_connect(s.ca, s.a->qp, &s.from, &s.b->listener->at, (struct kit_params *)0),
			     STATUS_INVALID_DEVICE_STATE);
		CHECK(KIT_CLOSED(s.ca->connector));
		removal_over(0);
	}
}

NDK_CASE(removal_accepting, "U-45 CLOSE-1", NDK_ON_ALL,
	 "T-DR-03 a pending accept ends with the device; one that is tried afterwards fails")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		if (kit_on_siw()) /* the peer may have heard of it before its own end has */
			kit_wait(s.accepting);
		REMOVE(1);
		if (conf_iwarp())
			CHECK_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		else
			removal_ends(s.accepting);
		CHECK(KIT_CLOSED(s.cb->connector));
		removal_over(1);
		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		REMOVE(1);
		s.accepting = kit_begin_accept(s.cb, s.b->qp, (struct kit_params *)0, KIT_EVENT);
		CHECK_STATUS(kit_wait(s.accepting), STATUS_DEVICE_REMOVED);
		CHECK(KIT_CLOSED(s.cb->connector));
		removal_over(1);
	}
}

NDK_CASE(removal_disconnecting, "U-45 DISC-3 CLOSE-1", NDK_ON_ALL,
	 "T-DR-03 a pending disconnect ends with the device")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_LEAVING));
		if (kit_on_siw())
			kit_wait(s.leaving);
		REMOVE(0);
		/* On iWARP the peer's end may have answered before; with threads either comes first. */
		if (conf_iwarp() && (conf_place() != NDK_ON_T || kit_wait(s.leaving) == STATUS_SUCCESS))
			CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
		else
			removal_ends(s.leaving);
		CHECK(KIT_CLOSED(s.ca->connector));
		removal_over(0);
	}
}

/* Whether the answer was made up before the device went is a race, but on S; that it is one answer is none. */
static void removal_either(struct kit_call *c, BOOLEAN creates)
{
	NTSTATUS status = kit_wait(c);

	CHECK(status == STATUS_DEVICE_REMOVED || (status == STATUS_SUCCESS && conf_place() != NDK_ON_S));
	CHECK(kit_pended(c) && stage_once(c));
	CHECK(c->output == KIT_POISON);
	if (creates)
		CHECK((c->object != (NDK_OBJECT_HEADER *)0) == (status == STATUS_SUCCESS));
}

NDK_CASE(removal_creating, "U-45 CREATE-2 CREATE-15 CREATE-16 CLOSE-1", NDK_ON_ALL,
	 "T-DR-03 creations and a registration that pend when the device goes: one answer each, no object (T, K: or one)")
{
	struct kit_call *c[5], *registering;
	struct kit_side *s = kit_side(0);
	struct kit_cq *q;
	NDK_MR *mr;
	int i;

	REQUIRE(s != (struct kit_side *)0);
	mr = kit_create_mr(s->pd, FALSE);
	REQUIRE(mr != (NDK_MR *)0);
	REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
	CHECK_EQ(fabric_create_delay(0, 5), conf_place() == NDK_ON_S);
	c[0] = kit_begin_pd(s->adapter, (kit_inside)0, (PVOID)0);
	c[1] = kit_begin_cq(&q, s->adapter, 8, (kit_inside)0, (PVOID)0);
	c[2] = kit_begin_qp(s->pd, s->cq, s->cq, (struct kit_shape *)0, (kit_inside)0, (PVOID)0);
	c[3] = kit_begin_mw(s->pd, (kit_inside)0, (PVOID)0);
	c[4] = kit_begin_srq(s->pd, 4, 1, 0, (kit_inside)0, (PVOID)0);
	registering = kit_begin_register(mr, s->buffer->mdl, 64, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REMOVE(0);
	for (i = 0; i < 5; i++)
		removal_either(c[i], TRUE);
	removal_either(registering, FALSE);
	/* and afterwards there is no doubt */
	c[0] = kit_begin_pd(s->adapter, (kit_inside)0, (PVOID)0);
	CHECK_STATUS(kit_wait(c[0]), STATUS_DEVICE_REMOVED);
	removal_over(0);
}

/* ---- a husk ---- */

static void removal_creators(struct staged *s)
{
	struct kit_address at = s->from;
	struct kit_listener *l;
	struct kit_call *c[7];
	struct kit_cq *q;
	int i;

	c[0] = kit_begin_pd(s->a->adapter, (kit_inside)0, (PVOID)0);
	c[1] = kit_begin_cq(&q, s->a->adapter, 8, (kit_inside)0, (PVOID)0);
	c[2] = kit_begin_qp(s->a->pd, s->a->cq, s->a->cq, (struct kit_shape *)0, (kit_inside)0, (PVOID)0);
	c[3] = kit_begin_mr(s->a->pd, FALSE, (kit_inside)0, (PVOID)0);
	c[4] = kit_begin_connector(s->a->adapter, (kit_inside)0, (PVOID)0);
	c[5] = kit_begin_listener(&l, s->a->adapter, (kit_inside)0, (PVOID)0);
	c[6] = kit_begin_shared(s->a->adapter, &at, (kit_inside)0, (PVOID)0);
	for (i = 0; i < 7; i++) {
		CHECK_STATUS(kit_wait(c[i]), STATUS_DEVICE_REMOVED);
		CHECK(c[i]->object == (NDK_OBJECT_HEADER *)0);
		CHECK(c[i]->output == KIT_POISON);
		CHECK(stage_once(c[i]));
	}
}

NDK_CASE(removal_husk, "U-45 CREATE-15 CREATE-16 CONN-21", NDK_ON_ALL,
	 "T-DR-04 what is left of a removed device answers STATUS_DEVICE_REMOVED, and closes")
{
	const NDK_VERSION version = { 2, 1 };
	struct kit_address at;
	struct kit_listener *idle;
	NDK_ADAPTER *again = (NDK_ADAPTER *)0;
	ULONG size = sizeof(NDK_ADAPTER_INFO);
	struct kit_conn *fresh;
	NDK_ADAPTER_INFO info;
	struct kit_call *c;
	struct staged s;
	NTSTATUS status;
	NDK_MR *mr;

	REQUIRE(stage_to(&s, STAGE_UP));
	fresh = kit_create_connector(s.a->adapter);
	idle = kit_create_listener(s.a->adapter);
	mr = kit_create_mr(s.a->pd, FALSE);
	REQUIRE(fresh && idle && mr);
	REMOVE(0);
	conf_settle();
	removal_creators(&s);
	status = s.a->adapter->Dispatch->NdkQueryAdapterInfo(s.a->adapter, &info, &size);
	CHECK(status == STATUS_SUCCESS || status == STATUS_DEVICE_REMOVED);
	at = kit_address(0, NDK_V4, kit_fresh_port());
	CHECK_STATUS(kit_listen(idle, &at), STATUS_DEVICE_REMOVED);
	c = kit_call("NdkRegisterMr");
	kit_return(c, mr->Dispatch->NdkRegisterMr(mr, s.a->buffer->mdl, 64, 0, kit_request_done, c));
	CHECK_STATUS(kit_wait(c), STATUS_DEVICE_REMOVED);
	CHECK(!NT_SUCCESS(kit_connect(fresh, s.a->qp, &s.from, &s.b->listener->at, (struct kit_params *)0)));
	CHECK_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK(kit_open_version(0, version, &again) != NDIS_STATUS_SUCCESS);
	removal_over(0);
}

/* ---- one of two ---- */

/* Both ends on adapter 1, the passive one listening on the wildcard. */
static BOOLEAN removal_aside(struct kit_pair *p)
{
	struct kit_address any = kit_wildcard(NDK_V4, kit_fresh_port()), to = kit_address(1, NDK_V4, kit_port(&any));

	p->a = kit_side(1);
	p->b = kit_side(1);
	if (!p->a || !p->b)
		return FALSE;
	p->a->conn = kit_create_connector(p->a->adapter);
	p->b->listener = kit_create_listener(p->b->adapter);
	if (!p->a->conn || !p->b->listener || !CHECK_STATUS(kit_listen(p->b->listener, &any), STATUS_SUCCESS))
		return FALSE;
	p->b->listener->at = to; /* where it is connected to */
	return kit_establish(p, (struct kit_params *)0, (struct kit_params *)0);
}

NDK_CASE(removal_of_one, "U-45 LISTEN-1 CONC-8", NDK_ON_ALL,
	 "T-DR-06 one of two devices goes, listeners on the wildcards of both: the other goes on without a hiccup")
{
	struct kit_address any = kit_wildcard(NDK_V4, kit_fresh_port());
	struct kit_listener *gone;
	struct kit_side *s;
	struct kit_pair p;
	int i;

	SKIP_UNLESS(strcmp(conf_adapter_name(0), conf_adapter_name(1)) != 0, "there is one device here");
	s = kit_side(0);
	gone = s ? kit_create_listener(s->adapter) : (struct kit_listener *)0;
	REQUIRE(gone != (struct kit_listener *)0);
	REQUIRE_STATUS(kit_listen(gone, &any), STATUS_SUCCESS);
	REQUIRE(removal_aside(&p));
	REQUIRE(kit_send_recv_verify(p.a, p.b, 64));
	REMOVE(0);
	for (i = 0; i < 3; i++) {
		REQUIRE(kit_send_recv_verify(p.a, p.b, 64));
		CHECK_EQ(p.a->conn->events + p.b->conn->events, 0);
		/* and another connection over the same listener */
		p.a->qp = kit_another_qp(p.a);
		p.b->qp = kit_another_qp(p.b);
		p.a->conn = kit_create_connector(p.a->adapter);
		REQUIRE(p.a->qp && p.b->qp && p.a->conn);
		REQUIRE(kit_establish(&p, (struct kit_params *)0, (struct kit_params *)0));
	}
	CHECK(KIT_CLOSED(gone->listener));
	removal_over(0);
}

/* ---- and back ---- */

NDK_CASE(removal_and_return, "U-45 LIFE-8 CLOSE-1", NDK_ON_ALL,
	 "T-DR-05 back under the same name, it is a new device, and everything works")
{
	struct staged s;
	int i;

	for (i = 0; i < 3; i++) {
		REQUIRE(stage_to(&s, i == 2 ? STAGE_LEAVING : STAGE_UP));
		REMOVE(i & 1);
		kit_close_all(i ? KIT_PARENTS_FIRST : KIT_ANY_ORDER);
		REQUIRE(conf_return(i & 1));
		REQUIRE(stage_to(&s, STAGE_UP));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

NDK_CASE(removal_at_every_stage, "U-45 CLOSE-1 CLOSE-5 DISC-7", NDK_ON_ALL,
	 "T-DR-02 the device of either side removed at every point of a connection's life, closed in any order")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;
		int stage, which;

		for (stage = STAGE_IDLE; stage < STAGES; stage++)
			for (which = 0; which < 2; which++) {
				REQUIRE(stage_to(&s, stage));
				REMOVE((unsigned)which);
				conf_settle();
				kit_close_all(KIT_ANY_ORDER);
				CHECK(!s.connecting || stage_once(s.connecting));
				CHECK(!s.accepting || stage_once(s.accepting));
				CHECK(!s.leaving || stage_once(s.leaving));
				CHECK(s.ca->events <= 1 && (!s.cb || s.cb->events <= 1));
				REQUIRE(conf_return((unsigned)which));
			}
	}
}

CONF_CASES(removal, CASE(removal_in_use), CASE(removal_connecting), CASE(removal_accepting),
	   CASE(removal_disconnecting), CASE(removal_creating), CASE(removal_husk), CASE(removal_of_one), CASE(removal_and_return),
	   CASE(removal_at_every_stage));
