/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * First cases: everything the kit does, end to end, in its shortest form. If these fail, look here
 * before looking anywhere else.
 */
#include "../kit.h"

NDK_CASE(basic_adapter, "VER-1 VER-5 OBJ-2 OBJ-3 ADP-9", NDK_ON_ALL, "an adapter opens, tells about itself and closes")
{
	NDK_ADAPTER *a = kit_open(0);
	const NDK_ADAPTER_INFO *info;

	REQUIRE(a);
	CHECK_EQ(a->Header.ObjectType, NdkObjectTypeAdapter);
	CHECK_EQ(a->Header.Version.Major, 2);
	CHECK_EQ(a->Header.Version.Minor, 1);
	info = kit_info(a);
	CHECK_EQ(info->Version.Major, 2);
	CHECK_EQ(info->Version.Minor, 1);
	CHECK(info->MaxCqDepth > 0 && info->MaxReceiveQueueDepth > 0 && info->MaxInitiatorQueueDepth > 0);
	kit_close_adapter(a);
}

NDK_CASE(basic_objects, "CREATE-2 CREATE-3 CREATE-4 CREATE-5 CLOSE-1 CLOSE-9", NDK_ON_ALL,
	 "every kind of object is created and closed, inline and pended")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_address at = kit_address(0, NDK_V4, kit_fresh_port());
		NDK_ADAPTER *a = kit_open(0);
		NDK_PD *pd;
		struct kit_cq *cq;
		struct kit_call *c;

		REQUIRE(a);
		pd = kit_create_pd(a);
		cq = kit_create_cq(a, 8);
		REQUIRE(pd && cq);
		REQUIRE(kit_create_qp(pd, cq, cq, (const struct kit_shape *)0));
		REQUIRE(kit_create_mr(pd, FALSE));
		REQUIRE(kit_create_connector(a));
		REQUIRE(kit_create_listener(a));
		REQUIRE(kit_create_shared(a, &at));
		c = kit_begin_pd(a, (kit_inside)0, (PVOID)0);
		CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
		REQUIRE(c->object);
		CHECK_EQ(c->object->ObjectType, NdkObjectTypePd);
		CHECK_EQ(c->callbacks, kit_pended(c));
		CHECK(mode != NDK_ANSWER_PEND || kit_pended(c));
		CHECK(kit_closed(c->object));
	}
}

static void whole_life(int family)
{
	struct kit_pair *p = kit_pair_up(family);
	ULONG n;

	REQUIRE(p);
	for (n = 0; n < 4; n++) {
		CHECK(kit_send_recv_verify(p->a, p->b, 1 + n * 700));
		CHECK(kit_send_recv_verify(p->b, p->a, KIT_BUFFER - n));
	}
	CHECK(kit_part(p));
	CHECK_EQ(p->a->conn->events, 0);
	CHECK_EQ(p->b->conn->events, 1);
}

NDK_CASE(basic_life, "CONN-1 CMPL-1 CMPL-6 ACPT-1 ACPT-4 QP-1 DISC-1 DISC-2", NDK_ON_ALL,
	 "a connection is made, used both ways and ended, in both families")
{
	KIT_EACH_FAMILY(family)
	{
		whole_life(family);
	}
}

NDK_CASE(basic_life_pended, "REQ-1 REQ-3 CONN-1 CMPL-1 ACPT-1 DISC-1", NDK_ON_ALL,
	 "the same with every request answered as natural, then every one pended")
{
	KIT_EACH_ANSWER(mode)
	{
		whole_life(NDK_V4);
		CHECK(mode == NDK_ANSWER_NATURAL || mode == NDK_ANSWER_PEND);
	}
}

NDK_CASE(basic_parents_first, "LIFE-2 LIFE-4 LIFE-5 U-22 U-24", NDK_ON_ALL,
	 "an established pair is closed parents before children")
{
	kit_close_order(KIT_PARENTS_FIRST);
	KIT_EACH_ANSWER(mode)
	{
		struct kit_pair *p = kit_pair_up(NDK_V4);
		struct kit_call *pd, *cq, *qp;

		REQUIRE(p);
		pd = KIT_CLOSE(p->a->pd);
		cq = KIT_CLOSE(p->a->cq->cq);
		qp = KIT_CLOSE(p->a->qp);
		conf_settle();
		CHECK(!kit_answered(pd) && !kit_answered(cq) && !kit_answered(qp));
		CHECK(KIT_CLOSED(p->a->conn->connector));
		CHECK_STATUS(kit_wait(qp), STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(cq), STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(pd), STATUS_SUCCESS);
		CHECK(qp->left < cq->entered && qp->left < pd->entered);
		CHECK(kit_disconnected(p->b->conn, KIT_PATIENCE_MS));
		CHECK(mode >= 0);
	}
}

NDK_CASE(basic_any_order, "LIFE-2 LIFE-4 U-22", NDK_ON_ALL, "established pairs are closed in random orders")
{
	unsigned round;

	for (round = 0; round < 20 && !conf_failed(); round++) {
		REQUIRE(kit_pair_up(round % 2 ? NDK_V6 : NDK_V4));
		kit_close_all(KIT_ANY_ORDER);
	}
}

static void take_one(struct kit_cq *q, NTSTATUS status)
{
	CHECK_STATUS(status, STATUS_SUCCESS);
	CHECK_EQ(kit_poll(q, (NDK_RESULT_EX *)q->arg, 1), 1);
}

NDK_CASE(basic_notification, "CQ-3 CQ-4 CQ-10 CONC-11", NDK_ON_ALL,
	 "a CQ stays silent unarmed, and an arm brings one notification")
{
	struct kit_pair *p = kit_pair_up(NDK_V4);
	NDK_RESULT_EX r;
	PVOID context = kit_context();

	REQUIRE(p);
	CHECK(kit_send_recv_verify(p->a, p->b, 64));
	CHECK_EQ(p->b->cq->told.notifications, 0);
	memset(&r, 0, sizeof(r));
	p->b->cq->inside = take_one;
	p->b->cq->arg = &r;
	kit_arm(p->b->cq, NDK_CQ_NOTIFY_ANY);
	REQUIRE_STATUS(kit_receive(p->b->qp, context, p->b->buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send(p->a->qp, kit_context(), p->a->buffer, 0, 64, 0), STATUS_SUCCESS);
	REQUIRE(kit_notified(p->b->cq, KIT_PATIENCE_MS));
	CHECK(r.RequestContext == context);
	CHECK_EQ(r.BytesTransferred, 64);
	CHECK(!kit_notified(p->b->cq, KIT_QUIET_MS));
}

NDK_CASE(basic_listener_modes, "LISTEN-7 LISTEN-8 LISTEN-9 CONN-13 U-5", NDK_ON_ALL,
	 "a connect event is answered inside: reject with data, close, accept")
{
	static const char no[] = "not today";
	struct kit_pair *p = kit_pair(NDK_V4);
	struct kit_address from = kit_address(0, NDK_V4, 0);
	struct kit_listener *l;
	struct kit_conn *arrived;

	REQUIRE(p);
	l = p->b->listener;
	l->mode = KIT_REJECT;
	l->params.data = no;
	l->params.data_len = sizeof(no);
	CHECK_STATUS(kit_connect(p->a->conn, p->a->qp, &from, &l->at, (struct kit_params *)0),
		     STATUS_CONNECTION_REFUSED);
	arrived = kit_arrival(l);
	REQUIRE(arrived);
	CHECK_STATUS(arrived->answered, STATUS_SUCCESS);
	l->mode = KIT_SHUT;
	CHECK_STATUS(kit_connect(p->a->conn, p->a->qp, &from, &l->at, (struct kit_params *)0),
		     STATUS_CONNECTION_REFUSED);
	REQUIRE(kit_arrival(l) && l->last_shut);
	CHECK_STATUS(kit_wait(l->last_shut), STATUS_SUCCESS);
	l->mode = KIT_ACCEPT;
	memset(&l->params, 0, sizeof(l->params));
	CHECK(kit_establish(p, (struct kit_params *)0, (struct kit_params *)0));
	CHECK(kit_send_recv_verify(p->a, p->b, 100));
	CHECK_EQ(l->events, 3);
}

NDK_CASE(basic_registered, "MR-2 MR-7 MR-15 QP-9", NDK_ON_ALL, "a message goes from and to registered memory")
{
	struct kit_pair *p = kit_pair_up(NDK_V4);
	struct kit_buffer *from, *to;
	PVOID sent = kit_context(), received = kit_context();

	REQUIRE(p);
	from = kit_buffer_mr(p->a->pd, 10000, NDK_MR_FLAG_ALLOW_LOCAL_READ);
	to = kit_buffer_mr(p->b->pd, 10000, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REQUIRE(from && to);
	kit_fill(from, 5, 9000, 3);
	REQUIRE_STATUS(kit_receive(p->b->qp, received, to, 11, 9000), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send(p->a->qp, sent, from, 5, 9000, 0), STATUS_SUCCESS);
	CHECK(kit_expect(p->b->cq, received, STATUS_SUCCESS));
	CHECK(kit_expect(p->a->cq, sent, STATUS_SUCCESS));
	CHECK(kit_verify(to, 11, 9000, 3));
	CHECK(kit_part(p));
	kit_release(from);
}

CONF_CASES(basic, CASE(basic_adapter), CASE(basic_objects), CASE(basic_life), CASE(basic_life_pended),
	   CASE(basic_parents_first), CASE(basic_any_order), CASE(basic_notification), CASE(basic_listener_modes),
	   CASE(basic_registered));
