/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The device goes away while it is in use (U-45): what becomes of requests, connections and work, what
 * a husk still does, and the device's return. Runs where a case runs; skipped where no device can be
 * removed.
 */
#include "stages.h"

#define REMOVE(which) SKIP_UNLESS(conf_remove(which), "this place cannot remove a device")

/* The end of a case that removed adapter `which`: all closes end, and the device comes back. */
static void removal_over(unsigned which)
{
	kit_close_all(KIT_CHILDREN_FIRST);
	CHECK(conf_return(which));
}

/* ---- in use ---- */

#define REMOVAL_CONNECTIONS 4

NDK_CASE(removal_in_use, "U-45 DISC-6 DISC-7 QP-1 CLOSE-1", NDK_ON_ALL,
	 "T-DR-02 connections, a listener, requests outstanding: one result each, one event each, all closes end")
{
	struct kit_conn *conn[REMOVAL_CONNECTIONS];
	struct staged s, m;
	struct kit_call *c;
	NDK_RESULT_EX r;
	int i;

	REQUIRE(stage_to(&s, STAGE_UP));
	conn[0] = s.ca;
	REQUIRE_STATUS(kit_receive(s.a->qp, kit_context(), s.a->buffer, 0, 16), STATUS_SUCCESS);
	for (i = 1; i < REMOVAL_CONNECTIONS; i++) {
		REQUIRE(stage_more(&s, &m, STAGE_UP));
		conn[i] = m.ca;
		REQUIRE_STATUS(kit_receive(m.a->qp, kit_context(), s.a->buffer, 0, 16), STATUS_SUCCESS);
	}
	REMOVE(0);
	for (i = 0; i < REMOVAL_CONNECTIONS; i++)
		CHECK(kit_disconnected(conn[i], KIT_PATIENCE_MS));
	for (i = 0; i < REMOVAL_CONNECTIONS; i++)
		CHECK(kit_result(s.a->cq, &r) && r.Status != STATUS_SUCCESS);
	CHECK_EQ(kit_drain(s.a->cq), 0);
	c = kit_begin_disconnect(conn[0]);
	CHECK(kit_wait(c) != STATUS_SUCCESS);
	for (i = 0; i < REMOVAL_CONNECTIONS; i++) {
		CHECK(KIT_CLOSED(conn[i]->connector));
		CHECK_EQ(conn[i]->events, 1);
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
	struct kit_conn *fresh;
	struct kit_call *c;
	struct staged s;
	NDK_MR *mr;

	REQUIRE(stage_to(&s, STAGE_UP));
	fresh = kit_create_connector(s.a->adapter);
	idle = kit_create_listener(s.a->adapter);
	mr = kit_create_mr(s.a->pd, FALSE);
	REQUIRE(fresh && idle && mr);
	REMOVE(0);
	conf_settle();
	removal_creators(&s);
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
	   CASE(removal_disconnecting), CASE(removal_husk), CASE(removal_and_return),
	   CASE(removal_at_every_stage));
