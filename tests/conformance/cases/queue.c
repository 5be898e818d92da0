/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Completion queues and queue pairs as a connection uses them: arming, taking results, depths, limits
 * of a post, sends and receives of every size. Runs where a case runs.
 */
#include "stages.h"

/* ---- arming ---- */

/* One message from a to the given QP of b, of which only the receive's result is left. */
static BOOLEAN queue_message(struct staged *s, NDK_QP *from, NDK_QP *to)
{
	PVOID sent = kit_context();

	return CHECK_STATUS(kit_receive(to, kit_context(), s->b->buffer, 0, 8), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_send(from, sent, s->a->buffer, 0, 8, 0), STATUS_SUCCESS) &&
	       kit_expect(s->a->cq, sent, STATUS_SUCCESS);
}

static BOOLEAN queue_take(struct kit_cq *q, unsigned count)
{
	NDK_RESULT_EX r;
	unsigned i;

	for (i = 0; i < count; i++)
		if (!kit_result(q, &r) || !CHECK_STATUS(r.Status, STATUS_SUCCESS))
			return FALSE;
	return CHECK_EQ(kit_poll(q, &r, 1), 0);
}

/* Messages for two queues in a round's own order; bits of `order` say which queue is next. */
static BOOLEAN queue_round(struct staged *s, struct staged *m, unsigned order)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		if (!(order >> i & 1 ? queue_message(m, m->a->qp, m->b->qp) : queue_message(s, s->a->qp, s->b->qp)))
			return FALSE;
	return TRUE;
}

NDK_CASE(queue_two_armed, "CQ-3 CQ-4 CQ-10 CQ-13", NDK_ON_ALL,
	 "T-CQ-03 no callback before an arm, then one for each, on the right queue: 1000 rounds (T: 100, K: 12)")
{
	static const unsigned orders[] = { 0xc, 0x3, 0xa, 0x5 }; /* in order, reversed, alternating */
	unsigned rounds = conf_place() == NDK_ON_S ? 1000 : conf_place() == NDK_ON_T ? 100 : 12, i;
	struct kit_cq *one, *two;
	struct staged s, m;
	NDK_QP *qp;

	REQUIRE(stage_to(&s, STAGE_UP));
	REQUIRE(stage_more(&s, &m, STAGE_IDLE));
	one = s.b->cq;
	two = kit_create_cq(s.b->adapter, 64);
	REQUIRE(two != (struct kit_cq *)0);
	qp = kit_create_qp(s.b->pd, two, two, (struct kit_shape *)0);
	REQUIRE(qp != (NDK_QP *)0);
	m.b->qp = qp;
	REQUIRE(stage_from_idle(&m, STAGE_UP));
	for (i = 0; i < 50; i++)
		REQUIRE(queue_message(&s, s.a->qp, s.b->qp) && queue_take(one, 1));
	conf_settle();
	CHECK_EQ(one->told.notifications + two->told.notifications, 0);
	for (i = 0; i < rounds; i++) {
		kit_arm(one, NDK_CQ_NOTIFY_ANY);
		kit_arm(two, NDK_CQ_NOTIFY_ANY);
		REQUIRE(queue_round(&s, &m, orders[i % 4]));
		REQUIRE(kit_notified(one, KIT_PATIENCE_MS));
		REQUIRE(kit_notified(two, KIT_PATIENCE_MS));
		REQUIRE(queue_take(one, 2));
		REQUIRE(queue_take(two, 2));
		conf_settle();
		REQUIRE(CHECK_EQ(one->told.notifications, i + 1) && CHECK_EQ(two->told.notifications, i + 1));
	}
	CHECK_STATUS(one->told.status, STATUS_SUCCESS);
	CHECK_EQ(one->told.most, 1);
}

NDK_CASE(queue_armed_late, "CQ-5 CQ-4", NDK_ON_ALL,
	 "T-CQ-04 a completion that came before the arm satisfies it at once")
{
	struct staged s;
	int i;

	REQUIRE(stage_to(&s, STAGE_UP));
	for (i = 0; i < 5; i++) {
		REQUIRE(queue_message(&s, s.a->qp, s.b->qp));
		conf_settle();
		if (conf_place() != NDK_ON_S)
			conf_sleep(20);
		kit_arm(s.b->cq, NDK_CQ_NOTIFY_ANY);
		REQUIRE(kit_notified(s.b->cq, KIT_PATIENCE_MS));
		REQUIRE(queue_take(s.b->cq, 1));
		conf_settle();
		CHECK_EQ(s.b->cq->told.notifications, i + 1);
	}
}

static long queue_taken;

static long queue_taken_now(void)
{
	unsigned long flags = conf_lock();
	long n = queue_taken;

	conf_unlock(flags);
	return n;
}

/* Arms again and takes what there is, as consumers do. */
static void queue_take_and_arm(struct kit_cq *q, NTSTATUS status)
{
	unsigned long flags;
	NDK_RESULT_EX r;

	(void)status;
	kit_arm(q, NDK_CQ_NOTIFY_ANY);
	while (kit_poll(q, &r, 1) == 1) {
		flags = conf_lock();
		queue_taken++;
		conf_unlock(flags);
	}
	conf_stall(2000);
}

/* Until the callbacks have taken that many; FALSE if they do not. */
static BOOLEAN queue_wait_taken(long count)
{
	int i;

	for (i = 0; i < 4000 && queue_taken_now() < count; i++)
		conf_sleep(10);
	return CHECK(queue_taken_now() >= count);
}

NDK_CASE(queue_armed_inside, "CQ-5 CQ-7 CONC-7 CONC-11 REQ-9 IRQL-3", NDK_ON_ALL,
	 "T-CQ-05 taken and armed inside the callback: no result is missed, callbacks never overlap")
{
	long count = 40, i;
	struct staged s;

	queue_taken = 0;
	REQUIRE(stage_to(&s, STAGE_UP));
	s.b->cq->inside = queue_take_and_arm;
	kit_arm(s.b->cq, NDK_CQ_NOTIFY_ANY);
	for (i = 0; i < count; i++) {
		REQUIRE(queue_wait_taken(i - (long)KIT_DEPTH / 2));
		REQUIRE(queue_message(&s, s.a->qp, s.b->qp));
	}
	REQUIRE(queue_wait_taken(count));
	conf_settle();
	CHECK_EQ(queue_taken_now(), count);
	CHECK(s.b->cq->told.notifications >= 1);
	CHECK_EQ(s.b->cq->told.most, 1);
}

/* ---- taking results ---- */

#define QUEUE_PARTS 7u

/*
 * The sender's word that all arrived is not that all results are there, and nobody can look without
 * taking. TRUE: seven in order; *again if not yet all of them when they were asked for.
 */
static BOOLEAN queue_parts(struct staged *s, int try_, BOOLEAN *again)
{
	PVOID context[QUEUE_PARTS];
	NDK_RESULT_EX r[10];
	ULONG i, first, rest;

	for (i = 0; i < QUEUE_PARTS; i++) {
		context[i] = kit_context();
		if (!CHECK_STATUS(kit_receive(s->b->qp, context[i], s->b->buffer, i * 16, 16), STATUS_SUCCESS))
			return FALSE;
	}
	for (i = 0; i < QUEUE_PARTS; i++) {
		PVOID sent = kit_context();

		if (!CHECK_STATUS(kit_send(s->a->qp, sent, s->a->buffer, 0, i + 1, 0), STATUS_SUCCESS) ||
		    !kit_expect(s->a->cq, sent, STATUS_SUCCESS))
			return FALSE;
	}
	stage_rest(try_);
	CHECK_EQ(kit_poll(s->b->cq, r, 0), 0);
	first = kit_poll(s->b->cq, r, 3);
	if (!CHECK(first <= 3))
		return FALSE;
	rest = kit_poll(s->b->cq, r + first, 10 - first);
	if (!CHECK(first + rest <= QUEUE_PARTS))
		return FALSE;
	*again = first != 3 || rest != 4;
	for (i = first + rest; i < QUEUE_PARTS; i++)
		if (!kit_result(s->b->cq, &r[i]))
			return FALSE;
	for (i = 0; i < QUEUE_PARTS; i++)
		if (!CHECK(r[i].RequestContext == context[i]) || !CHECK_EQ(r[i].BytesTransferred, i + 1))
			return FALSE;
	return CHECK(!*again || conf_place() != NDK_ON_S);
}

NDK_CASE(queue_take_in_parts, "CQ-16 ORD-1 QP-28", NDK_ON_ALL,
	 "T-CQ-09 seven results taken by 0, 3 and 10: 0, 3 and 4 come, in order")
{
	BOOLEAN again = TRUE;
	struct staged s;
	int i;

	REQUIRE(stage_to(&s, STAGE_UP));
	for (i = 0; i < STAGE_TRIES && again; i++)
		REQUIRE(queue_parts(&s, i, &again));
	CHECK(!again);
}

NDK_CASE(queue_shared_by_two, "ORD-1 ORD-2 PD-9 CQ-16", NDK_ON_ALL,
	 "T-CQ-10 two QPs on one CQ: each result has its QP's context, order is kept within each")
{
	PVOID qp_context[2], next[2][8];
	struct kit_shape shape;
	struct staged s, m;
	NDK_RESULT_EX r;
	unsigned seen[2] = { 0, 0 }, i, which;

	memset(&shape, 0, sizeof(shape));
	REQUIRE(stage_to(&s, STAGE_IDLE));
	REQUIRE(stage_more(&s, &m, STAGE_IDLE));
	for (i = 0; i < 2; i++) {
		shape.context = qp_context[i] = kit_context();
		(i ? m.b : s.b)->qp = kit_create_qp(s.b->pd, s.b->cq, s.b->cq, &shape);
		REQUIRE((i ? m.b : s.b)->qp != (NDK_QP *)0);
	}
	REQUIRE(stage_from_idle(&s, STAGE_UP) && stage_from_idle(&m, STAGE_UP));
	for (i = 0; i < 16; i++) {
		which = i & 1;
		next[which][i / 2] = kit_context();
		REQUIRE_STATUS(kit_receive((which ? m.b : s.b)->qp, next[which][i / 2], s.b->buffer, i * 8, 8),
			       STATUS_SUCCESS);
	}
	for (i = 0; i < 16; i++)
		REQUIRE_STATUS(kit_send((i & 1 ? m.a : s.a)->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_SUCCESS);
	for (i = 0; i < 16; i++) {
		REQUIRE(kit_result(s.b->cq, &r));
		REQUIRE(r.QPContext == qp_context[0] || r.QPContext == qp_context[1]);
		which = r.QPContext == qp_context[1];
		REQUIRE(seen[which] < 8);
		CHECK(r.RequestContext == next[which][seen[which]]);
		seen[which]++;
	}
	for (i = 0; i < 16; i++)
		REQUIRE(kit_result(s.a->cq, &r) && CHECK_STATUS(r.Status, STATUS_SUCCESS));
}

/* ---- depths ---- */

#define QUEUE_DEEP 256u

NDK_CASE(queue_depths, "PD-6 QP-1 QP-2 U-27", NDK_ON_ALL,
	 "T-QP-02 a deep and a shallow queue on one QP: each takes what it was made for, and no more")
{
	ULONG i, deep = QUEUE_DEEP;
	struct kit_shape shape;
	struct kit_cq *q[2];
	struct staged s;
	NDK_RESULT_EX r;

	memset(&shape, 0, sizeof(shape));
	REQUIRE(stage_to(&s, STAGE_IDLE));
	if (deep > s.a->info->MaxInitiatorQueueDepth)
		deep = s.a->info->MaxInitiatorQueueDepth;
	if (deep > s.a->info->MaxReceiveQueueDepth)
		deep = s.a->info->MaxReceiveQueueDepth;
	q[0] = kit_create_cq(s.a->adapter, deep + 8);
	q[1] = kit_create_cq(s.b->adapter, deep + 8);
	REQUIRE(q[0] && q[1]);
	shape.initiator_depth = deep;
	shape.receive_depth = 1;
	s.a->qp = kit_create_qp(s.a->pd, q[0], q[0], &shape);
	shape.initiator_depth = 1;
	shape.receive_depth = deep;
	s.b->qp = kit_create_qp(s.b->pd, q[1], q[1], &shape);
	REQUIRE(s.a->qp && s.b->qp);
	REQUIRE(stage_from_idle(&s, STAGE_UP));
	REQUIRE_STATUS(kit_receive(s.a->qp, kit_context(), s.a->buffer, 0, 8), STATUS_SUCCESS);
	CHECK_STATUS(kit_receive(s.a->qp, kit_context(), s.a->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	for (i = 0; i < deep; i++)
		REQUIRE_STATUS(kit_receive(s.b->qp, kit_context(), s.b->buffer, 0, 8), STATUS_SUCCESS);
	CHECK_STATUS(kit_receive(s.b->qp, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	for (i = 0; i < deep; i++)
		REQUIRE_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_SUCCESS);
	CHECK_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_NO_MORE_ENTRIES);
	for (i = 0; i < deep; i++)
		REQUIRE(kit_result(q[0], &r) && CHECK_STATUS(r.Status, STATUS_SUCCESS));
	/* the passive side speaks second (POST-7) */
	REQUIRE_STATUS(kit_send(s.b->qp, kit_context(), s.b->buffer, 0, 8, 0), STATUS_SUCCESS);
	CHECK_STATUS(kit_send(s.b->qp, kit_context(), s.b->buffer, 0, 8, 0), STATUS_NO_MORE_ENTRIES);
	for (i = 0; i < deep + 1; i++)
		REQUIRE(kit_result(q[1], &r) && CHECK_STATUS(r.Status, STATUS_SUCCESS));
	REQUIRE(kit_result(q[0], &r) && CHECK_STATUS(r.Status, STATUS_SUCCESS));
}

NDK_CASE(queue_full, "QP-1 QP-2 U-27", NDK_ON_ALL,
	 "T-QP-03 the fifth of four sends fails in the call; with one result taken there is room for one")
{
	PVOID context[5];
	struct kit_shape shape;
	struct staged s;
	int i;

	memset(&shape, 0, sizeof(shape));
	shape.initiator_depth = 4;
	REQUIRE(stage_to(&s, STAGE_IDLE));
	s.a->qp = kit_create_qp(s.a->pd, s.a->cq, s.a->cq, &shape);
	REQUIRE(s.a->qp != (NDK_QP *)0);
	REQUIRE(stage_from_idle(&s, STAGE_UP));
	/* the peer has nothing to receive into; where time is real it gives up soon, so it is let go first */
	for (i = 0; i < 5 && conf_place() != NDK_ON_S; i++)
		REQUIRE_STATUS(kit_receive(s.b->qp, kit_context(), s.b->buffer, 0, 8), STATUS_SUCCESS);
	for (i = 0; i < 4; i++) {
		context[i] = kit_context();
		REQUIRE_STATUS(kit_send(s.a->qp, context[i], s.a->buffer, 0, 8, 0), STATUS_SUCCESS);
	}
	CHECK_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_NO_MORE_ENTRIES);
	for (i = 0; i < 5 && conf_place() == NDK_ON_S; i++)
		REQUIRE_STATUS(kit_receive(s.b->qp, kit_context(), s.b->buffer, 0, 8), STATUS_SUCCESS);
	REQUIRE(kit_expect(s.a->cq, context[0], STATUS_SUCCESS));
	context[4] = kit_context();
	REQUIRE_STATUS(kit_send(s.a->qp, context[4], s.a->buffer, 0, 8, 0), STATUS_SUCCESS);
	for (i = 1; i < 5; i++)
		REQUIRE(kit_expect(s.a->cq, context[i], STATUS_SUCCESS));
	CHECK_EQ(kit_drain(s.a->cq), 0);
}

NDK_CASE(queue_silent, "QP-4 QP-1 ORD-3", NDK_ON_ALL,
	 "T-QP-04 a hundred silent sends through a queue of eight: room comes back without a result")
{
	struct kit_shape shape;
	struct staged s;
	NDK_RESULT_EX r;
	int i, tries;

	memset(&shape, 0, sizeof(shape));
	shape.initiator_depth = 8;
	REQUIRE(stage_to(&s, STAGE_IDLE));
	s.a->qp = kit_create_qp(s.a->pd, s.a->cq, s.a->cq, &shape);
	REQUIRE(s.a->qp != (NDK_QP *)0);
	REQUIRE(stage_from_idle(&s, STAGE_UP));
	for (i = 0; i < 100; i++) {
		NTSTATUS status = STATUS_NO_MORE_ENTRIES;

		REQUIRE_STATUS(kit_receive(s.b->qp, kit_context(), s.b->buffer, 0, 8), STATUS_SUCCESS);
		for (tries = 0; tries < (int)KIT_PATIENCE_MS && status == STATUS_NO_MORE_ENTRIES; tries++) {
			status = kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, NDK_OP_FLAG_SILENT_SUCCESS);
			if (status == STATUS_NO_MORE_ENTRIES)
				conf_sleep(1);
		}
		REQUIRE_STATUS(status, STATUS_SUCCESS);
		REQUIRE(kit_result(s.b->cq, &r) && CHECK_STATUS(r.Status, STATUS_SUCCESS));
		CHECK_EQ(kit_poll(s.a->cq, &r, 1), 0);
	}
}

/* ---- posts that are not taken ---- */

NDK_CASE(queue_not_connected, "QP-2 QP-3", NDK_ON_ALL,
	 "T-QP-05 without a connection sends are refused and receives are taken")
{
	struct kit_side *s = kit_side(0);
	PVOID receive = kit_context();

	REQUIRE(s != (struct kit_side *)0);
	CHECK_STATUS(kit_send(s->qp, kit_context(), s->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK_STATUS(kit_send(s->qp, kit_context(), s->buffer, 0, 0, NDK_OP_FLAG_SILENT_SUCCESS),
		     STATUS_CONNECTION_INVALID);
	REQUIRE_STATUS(kit_receive(s->qp, receive, s->buffer, 0, 8), STATUS_SUCCESS);
	CHECK_EQ(kit_drain(s->cq), 0);
	s->qp->Dispatch->NdkFlush(s->qp);
	REQUIRE(kit_expect(s->cq, receive, STATUS_CANCELLED));
	CHECK_EQ(kit_drain(s->cq), 0);
}

NDK_CASE(queue_too_many_sges, "QP-2 QP-7 U-27", NDK_ON_ALL,
	 "T-QP-07 more SGEs than the QP was made for: STATUS_DATA_OVERRUN, and the QP goes on")
{
	struct kit_shape shape;
	struct staged s;
	NDK_SGE sgl[3];
	int i;

	memset(&shape, 0, sizeof(shape));
	shape.initiator_sge = shape.receive_sge = 2;
	REQUIRE(stage_to(&s, STAGE_IDLE));
	s.a->qp = kit_create_qp(s.a->pd, s.a->cq, s.a->cq, &shape);
	REQUIRE(s.a->qp != (NDK_QP *)0);
	REQUIRE(stage_from_idle(&s, STAGE_UP));
	for (i = 0; i < 3; i++)
		REQUIRE(kit_sgl(s.a->buffer, (ULONG)i * 16, 8, &sgl[i], 1) == 1);
	CHECK_STATUS(s.a->qp->Dispatch->NdkSend(s.a->qp, kit_context(), sgl, 3, 0), STATUS_DATA_OVERRUN);
	CHECK_STATUS(s.a->qp->Dispatch->NdkReceive(s.a->qp, kit_context(), sgl, 3), STATUS_DATA_OVERRUN);
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
	CHECK_EQ(kit_drain(s.a->cq), 0);
}

NDK_CASE(queue_inline, "QP-6 QP-2 U-27", NDK_ON_ALL,
	 "T-QP-08 T-QP-09 inline data is copied in the call, tokens do not matter; the QP's size is the limit")
{
	PVOID sent = kit_context(), received = kit_context();
	UCHAR piece[4][16];
	struct staged s;
	NDK_SGE sgl[4];
	ULONG i;

	REQUIRE(stage_to(&s, STAGE_UP));
	SKIP_UNLESS(s.a->info->MaxInlineDataSize >= 64, "the adapter takes no 64 bytes inline");
	for (i = 0; i < 4; i++) {
		memset(piece[i], (int)(0x40 + i), 16);
		sgl[i].VirtualAddress = piece[i];
		sgl[i].Length = 16;
		sgl[i].MemoryRegionToken = 0xbadbad;
	}
	REQUIRE_STATUS(kit_receive(s.b->qp, received, s.b->buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(s.a->qp->Dispatch->NdkSend(s.a->qp, sent, sgl, 4, NDK_OP_FLAG_INLINE), STATUS_SUCCESS);
	memset(piece, 0xee, sizeof(piece));
	REQUIRE(kit_expect(s.b->cq, received, STATUS_SUCCESS));
	for (i = 0; i < 64; i++)
		CHECK_EQ(s.b->buffer->data[i], 0x40 + i / 16);
	REQUIRE(kit_expect(s.a->cq, sent, STATUS_SUCCESS));
	/* kit_side() made it for 64 */
	sgl[0].Length = 17;
	CHECK_STATUS(s.a->qp->Dispatch->NdkSend(s.a->qp, kit_context(), sgl, 4, NDK_OP_FLAG_INLINE),
		     STATUS_BUFFER_OVERFLOW);
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
}

NDK_CASE(queue_inline_nothing, "QP-6 QP-2 U-27", NDK_ON_ALL,
	 "T-QP-09 made for no inline data, a QP takes none of it, and no byte more")
{
	PVOID sent = kit_context(), received = kit_context();
	struct kit_shape shape;
	struct staged s;
	NDK_SGE sge;
	UCHAR byte = 1;

	memset(&shape, 0, sizeof(shape));
	REQUIRE(stage_to(&s, STAGE_IDLE));
	s.a->qp = kit_create_qp(s.a->pd, s.a->cq, s.a->cq, &shape);
	REQUIRE(s.a->qp != (NDK_QP *)0);
	REQUIRE(stage_from_idle(&s, STAGE_UP));
	REQUIRE_STATUS(kit_receive(s.b->qp, received, s.b->buffer, 0, 64), STATUS_SUCCESS);
	memset(&sge, 0, sizeof(sge));
	sge.VirtualAddress = &byte;
	sge.Length = 1;
	CHECK_STATUS(s.a->qp->Dispatch->NdkSend(s.a->qp, kit_context(), &sge, 1, NDK_OP_FLAG_INLINE),
		     STATUS_BUFFER_OVERFLOW);
	REQUIRE_STATUS(s.a->qp->Dispatch->NdkSend(s.a->qp, sent, (NDK_SGE *)0, 0, NDK_OP_FLAG_INLINE), STATUS_SUCCESS);
	REQUIRE(kit_expect(s.b->cq, received, STATUS_SUCCESS));
	REQUIRE(kit_expect(s.a->cq, sent, STATUS_SUCCESS));
}

/* ---- flush and failed attempts ---- */

NDK_CASE(queue_flush_idle, "FLUSH-1 FLUSH-2 FLUSH-3 FLUSH-4 U-25 CQ-10", NDK_ON_ALL,
	 "T-QP-12 flushing a QP that was never connected: its receives end, another's do not, it can connect")
{
	PVOID mine[2], other = kit_context();
	struct staged s;
	NDK_QP *beside;
	int i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	beside = kit_another_qp(s.a);
	REQUIRE(beside != (NDK_QP *)0);
	for (i = 0; i < 2; i++) {
		mine[i] = kit_context();
		REQUIRE_STATUS(kit_receive(s.a->qp, mine[i], s.a->buffer, 0, 16), STATUS_SUCCESS);
	}
	REQUIRE_STATUS(kit_receive(beside, other, s.a->buffer, 0, 16), STATUS_SUCCESS);
	kit_arm(s.a->cq, NDK_CQ_NOTIFY_ANY);
	s.a->qp->Dispatch->NdkFlush(s.a->qp);
	REQUIRE(kit_notified(s.a->cq, KIT_PATIENCE_MS));
	for (i = 0; i < 2; i++)
		REQUIRE(kit_expect(s.a->cq, mine[i], STATUS_CANCELLED));
	CHECK_EQ(kit_drain(s.a->cq), 0);
	CHECK_EQ(s.a->cq->told.notifications, 1);
	REQUIRE(stage_from_idle(&s, STAGE_UP));
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
	REQUIRE(kit_send_recv_verify(s.b, s.a, 64));
}

NDK_CASE(queue_flush_connected, "FLUSH-1 FLUSH-2 FLUSH-3 U-25 QP-3", NDK_ON_ALL,
	 "flushing a connected QP: everything on it ends, sends are refused from then on, receives end cancelled")
{
	PVOID late = kit_context();
	struct staged s;
	NDK_RESULT_EX r;
	NTSTATUS status;
	int i;

	REQUIRE(stage_to(&s, STAGE_UP));
	for (i = 0; i < 5; i++)
		REQUIRE_STATUS(kit_receive(s.a->qp, kit_context(), s.a->buffer, 0, 16), STATUS_SUCCESS);
	s.a->qp->Dispatch->NdkFlush(s.a->qp);
	for (i = 0; i < 5; i++)
		REQUIRE(kit_result(s.a->cq, &r) && CHECK_STATUS(r.Status, STATUS_CANCELLED));
	CHECK_STATUS(kit_send(s.a->qp, kit_context(), s.a->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
	status = kit_receive(s.a->qp, late, s.a->buffer, 0, 8);
	CHECK_STATUS(status, STATUS_SUCCESS);
	if (status == STATUS_SUCCESS)
		CHECK(kit_expect(s.a->cq, late, STATUS_CANCELLED));
	CHECK(KIT_CLOSED(s.ca->connector));
	CHECK(kit_disconnected(s.cb, KIT_PATIENCE_MS));
}

NDK_CASE(queue_after_refusal, "CONN-24 U-5 U-24", NDK_ON_ALL,
	 "T-QP-13 the QP of a refused attempt serves a fresh connector, its receive included")
{
	PVOID receive = kit_context(), sent = kit_context();
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	REQUIRE_STATUS(kit_receive(s.a->qp, receive, s.a->buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE(stage_announce(&s));
	REQUIRE_STATUS(kit_reject(s.cb, (PVOID)0, 0), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_wait(s.connecting), STATUS_CONNECTION_REFUSED);
	REQUIRE(KIT_CLOSED(s.ca->connector));
	s.ca = kit_create_connector(s.a->adapter);
	REQUIRE(s.ca != (struct kit_conn *)0);
	if (kit_on_siw()) { /* whose attempts cost the receives, see attempt_renews() */
		REQUIRE(kit_expect(s.a->cq, receive, STATUS_CANCELLED));
		REQUIRE_STATUS(kit_receive(s.a->qp, receive, s.a->buffer, 0, 64), STATUS_SUCCESS);
	}
	REQUIRE(stage_from_idle(&s, STAGE_UP));
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
	REQUIRE_STATUS(kit_send(s.b->qp, sent, s.b->buffer, 0, 64, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(s.a->cq, receive, STATUS_SUCCESS));
	REQUIRE(kit_expect(s.b->cq, sent, STATUS_SUCCESS));
}

#define QUEUE_MEANWHILE 12u /* even */

/* One message for each of the receives, which end in the order in which they were posted. */
static BOOLEAN queue_used_in_order(struct kit_side *from, struct kit_side *to, const PVOID *receive)
{
	PVOID sent = kit_context();
	ULONG i;

	for (i = 0; i < QUEUE_MEANWHILE; i++) {
		kit_fill(from->buffer, 0, 16, (UCHAR)i);
		if (!CHECK_STATUS(kit_send(from->qp, sent, from->buffer, 0, 16, 0), STATUS_SUCCESS) ||
		    !kit_expect(to->cq, receive[i], STATUS_SUCCESS) || !kit_expect(from->cq, sent, STATUS_SUCCESS) ||
		    !kit_verify(to->buffer, 64 * i, 16, (UCHAR)i))
			return FALSE;
	}
	return TRUE;
}

static BOOLEAN queue_receive_at(struct kit_side *side, PVOID context, ULONG i)
{
	return CHECK_STATUS(kit_receive(side->qp, context, side->buffer, 64 * i, 64), STATUS_SUCCESS);
}

NDK_CASE(queue_posted_meanwhile, "QP-1 U-25 ORD-1 ACPT-4", NDK_ON_ALL,
	 "receives posted while the connection is being made, on both sides: all are used, in order, none is cancelled")
{
	PVOID mine[QUEUE_MEANWHILE], theirs[QUEUE_MEANWHILE];
	unsigned round, rounds = conf_place() == NDK_ON_S ? 3 : 12;
	struct kit_call *completing;
	struct staged s;
	ULONG i;

	for (round = 0; round < rounds; round++) {
		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		s.accepting = kit_begin_accept(s.cb, s.b->qp, (const struct kit_params *)0, KIT_EVENT);
		for (i = 0; i < QUEUE_MEANWHILE; i++) {
			mine[i] = kit_context();
			theirs[i] = kit_context();
			REQUIRE(queue_receive_at(s.b, theirs[i], i));
			if (i < QUEUE_MEANWHILE / 2)
				REQUIRE(queue_receive_at(s.a, mine[i], i));
			conf_stall((ULONG)(conf_random() % 64));
		}
		REQUIRE_STATUS(kit_wait(s.connecting), STATUS_SUCCESS);
		/* the device is taken to the states in which it sends and receives */
		completing = kit_begin_complete(s.ca, KIT_EVENT);
		for (i = QUEUE_MEANWHILE / 2; i < QUEUE_MEANWHILE; i++) {
			REQUIRE(queue_receive_at(s.a, mine[i], i));
			conf_stall((ULONG)(conf_random() % 64));
		}
		REQUIRE_STATUS(kit_wait(completing), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		REQUIRE(queue_used_in_order(s.a, s.b, theirs));
		REQUIRE(queue_used_in_order(s.b, s.a, mine));
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

CONF_CASES(queue, CASE(queue_two_armed), CASE(queue_armed_late), CASE(queue_armed_inside),
	   CASE(queue_take_in_parts), CASE(queue_shared_by_two), CASE(queue_depths), CASE(queue_full),
	   CASE(queue_silent), CASE(queue_not_connected), CASE(queue_too_many_sges), CASE(queue_inline),
	   CASE(queue_inline_nothing), CASE(queue_flush_idle), CASE(queue_flush_connected),
	   CASE(queue_after_refusal), CASE(queue_posted_meanwhile));
