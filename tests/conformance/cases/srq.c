/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Shared receive queues: limits, who gets which receive and where its result goes, depths, and what
 * becomes of receives when QPs or the queue itself go. Notifications are in srq_notify.c. Runs where
 * a case runs.
 */
#include "shared_receive.h"

/* ---- limits ---- */

static NTSTATUS srq_created(struct kit_srq **q, NDK_PD *pd, ULONG depth, ULONG sge, ULONG threshold)
{
	return kit_wait(kit_begin_told_srq(q, pd, depth, sge, threshold, (GROUP_AFFINITY *)0));
}

/* One that may be refused for want of memory, but not for its size. */
static void srq_fits(struct kit_side *s, ULONG depth, ULONG sge)
{
	struct kit_srq *q;
	NTSTATUS status = srq_created(&q, s->pd, depth, sge, 0);

	if (status == STATUS_INSUFFICIENT_RESOURCES)
		return;
	if (CHECK_STATUS(status, STATUS_SUCCESS))
		CHECK(KIT_CLOSED(q->srq));
}

NDK_CASE(srq_limits, "PD-5 U-33 CREATE-16", NDK_ON_ALL,
	 "T-SQ-01 an SRQ as deep and with as many SGEs as the adapter says, but no more, and none of nothing")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_side *s = kit_side(1);
		const NDK_ADAPTER_INFO *i;
		struct kit_srq *q;

		REQUIRE(s != (struct kit_side *)0);
		i = s->info;
		SKIP_UNLESS(i->MaxSrqDepth, "the adapter has no SRQs");
		srq_fits(s, 1, 1);
		srq_fits(s, i->MaxSrqDepth, 1);
		srq_fits(s, 1, i->MaxReceiveRequestSge);
		if (i->MaxSrqDepth != 0xffffffffu)
			CHECK_STATUS(srq_created(&q, s->pd, i->MaxSrqDepth + 1, 1, 0), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(srq_created(&q, s->pd, 1, i->MaxReceiveRequestSge + 1, 0), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(srq_created(&q, s->pd, 0, 1, 0), STATUS_INVALID_PARAMETER);
	}
}

NDK_CASE(srq_not_offered, "PD-5", NDK_ON_ALL,
	 "an adapter that says it has no SRQs refuses every one of them")
{
	unsigned which = conf_adapter_name(2) ? 2 : 0;
	NDK_ADAPTER *a = kit_open(which);
	struct kit_srq *q;
	NDK_PD *pd;

	REQUIRE(a != (NDK_ADAPTER *)0);
	SKIP_UNLESS(!kit_info(a)->MaxSrqDepth, "every adapter here has SRQs");
	pd = kit_create_pd(a);
	REQUIRE(pd != (NDK_PD *)0);
	CHECK_STATUS(srq_created(&q, pd, 1, 1, 0), STATUS_INVALID_PARAMETER);
	CHECK_STATUS(srq_created(&q, pd, 16, 1, 4), STATUS_INVALID_PARAMETER);
	CHECK_STATUS(srq_created(&q, pd, 0, 1, 0), STATUS_INVALID_PARAMETER);
}

NDK_CASE(srq_affinity, "SRQ-8 CQ-2", NDK_ON_ALL,
	 "an SRQ for processors that are there, or are not, or for none in particular: a wish, no condition")
{
	GROUP_AFFINITY wish[3];
	struct kit_side *s = kit_side(1);
	struct kit_srq *q;
	unsigned i;

	REQUIRE(s != (struct kit_side *)0);
	SKIP_UNLESS(s->info->MaxSrqDepth, "the adapter has no SRQs");
	memset(wish, 0, sizeof(wish));
	wish[0].Mask = 1;
	wish[1].Mask = ~0ull;
	wish[1].Group = 500; /* no machine has these */
	/* wish[2] names no processor at all */
	for (i = 0; i < 3; i++) {
		REQUIRE_STATUS(kit_wait(kit_begin_told_srq(&q, s->pd, 8, 1, 1, &wish[i])), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_srq_receive(q, kit_context(), s->buffer, 0, 8), STATUS_SUCCESS);
	}
}

NDK_CASE(srq_full, "SRQ-7 QP-2 QP-7 QP-8 U-27", NDK_ON_ALL,
	 "T-SQ-01 two receives fit into a depth of two, a third when a result was taken; too long lists do not")
{
	PVOID context[3];
	struct srq_link l;
	struct kit_srq *q;
	struct staged s;
	NDK_SGE sgl[3];
	unsigned i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	SRQ_SKIP(s, 2);
	q = kit_create_srq(s.b->pd, 2, 2, 0);
	REQUIRE(q && srq_link(&s, &l, q));
	for (i = 0; i < 3; i++)
		REQUIRE(kit_sgl(s.b->buffer, i * 64, 4, &sgl[i], 1) == 1);
	CHECK_STATUS(q->srq->Dispatch->NdkSrqReceive(q->srq, kit_context(), sgl, 3), STATUS_DATA_OVERRUN);
	if (s.b->info->MaxTransferLength < 0xfffffff0u) {
		sgl[0].Length = s.b->info->MaxTransferLength;
		CHECK_STATUS(q->srq->Dispatch->NdkSrqReceive(q->srq, kit_context(), sgl, 2), STATUS_BUFFER_OVERFLOW);
	}
	REQUIRE(srq_post(&s, q, context, 0, 2));
	CHECK_STATUS(kit_srq_receive(q, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	REQUIRE(srq_send(&s, &l, 1));
	conf_settle();
	/* used up, but its result is still to be taken */
	CHECK_STATUS(kit_srq_receive(q, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	REQUIRE(kit_expect(l.cq, context[0], STATUS_SUCCESS));
	REQUIRE(srq_post(&s, q, context, 2, 1));
	CHECK_STATUS(kit_srq_receive(q, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	for (i = 1; i < 3; i++)
		REQUIRE(srq_send(&s, &l, (UCHAR)i) && kit_expect(l.cq, context[i], STATUS_SUCCESS));
	CHECK_EQ(kit_drain(l.cq), 0);
}

/* ---- QPs on it ---- */

NDK_CASE(srq_qp, "PD-7 PD-9 SRQ-7 U-11", NDK_ON_ALL,
	 "T-SQ-06 a QP on an SRQ has the limits of its initiator queue, and takes no receives of its own")
{
	struct kit_shape one, over;
	struct kit_side *s = kit_side(1);
	struct kit_srq *q;
	NDK_PD *other;
	NDK_QP *qp;

	REQUIRE(s != (struct kit_side *)0);
	SKIP_UNLESS(s->info->MaxSrqDepth >= 4, "the adapter has no SRQ of that depth");
	q = kit_create_srq(s->pd, 4, 1, 0);
	REQUIRE(q != (struct kit_srq *)0);
	memset(&one, 0, sizeof(one));
	one.initiator_depth = one.initiator_sge = 1;
	over = one;
	over.initiator_depth = s->info->MaxInitiatorQueueDepth + 1;
	CHECK_STATUS(kit_wait(kit_begin_qp_on(s->pd, s->cq, s->cq, q->srq, &over)), STATUS_INVALID_PARAMETER);
	over = one;
	over.initiator_sge = s->info->MaxInitiatorRequestSge + 1;
	CHECK_STATUS(kit_wait(kit_begin_qp_on(s->pd, s->cq, s->cq, q->srq, &over)), STATUS_INVALID_PARAMETER);
	over = one;
	over.inline_size = s->info->MaxInlineDataSize + 1;
	CHECK_STATUS(kit_wait(kit_begin_qp_on(s->pd, s->cq, s->cq, q->srq, &over)), STATUS_INVALID_PARAMETER);
	other = kit_create_pd(s->adapter);
	REQUIRE(other != (NDK_PD *)0);
	CHECK_STATUS(kit_wait(kit_begin_qp_on(other, s->cq, s->cq, q->srq, &one)), STATUS_INVALID_PARAMETER);
	qp = kit_create_qp_on(s->pd, s->cq, s->cq, q->srq, &one);
	REQUIRE(qp != (NDK_QP *)0);
	CHECK_STATUS(kit_receive(qp, kit_context(), s->buffer, 0, 8), STATUS_INVALID_DEVICE_REQUEST);
	CHECK_STATUS(kit_send(qp, kit_context(), s->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK_EQ(kit_drain(s->cq), 0);
	CHECK(KIT_CLOSED(qp));
}

NDK_CASE(srq_three_qps, "SRQ-7 PD-8 PD-9 ORD-1 ORD-2 QP-28", NDK_ON_ALL,
	 "T-SQ-02 one SRQ under three QPs: receives go in the order of their posts, each result to its QP's CQ")
{
	static const unsigned turn[6] = { 0, 2, 1, 1, 2, 0 };
	struct srq_link l[3];
	PVOID context[9];
	struct kit_srq *q;
	struct staged s;
	NDK_RESULT_EX r;
	unsigned i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	SRQ_SKIP(s, 16);
	q = kit_create_srq(s.b->pd, 16, 1, 0);
	REQUIRE(q != (struct kit_srq *)0);
	for (i = 0; i < 3; i++)
		REQUIRE(srq_link(&s, &l[i], q));
	REQUIRE(srq_post(&s, q, context, 0, 9));
	for (i = 0; i < 6; i++)
		REQUIRE(srq_send(&s, &l[turn[i]], (UCHAR)(i * 16)));
	for (i = 0; i < 6; i++) {
		REQUIRE(kit_result(l[turn[i]].cq, &r));
		CHECK_STATUS(r.Status, STATUS_SUCCESS);
		CHECK(r.RequestContext == context[i]);
		CHECK(r.QPContext == l[turn[i]].context);
		CHECK_EQ(r.BytesTransferred, SRQ_PIECE);
		CHECK_EQ(r.Type, NdkOperationTypeReceive);
		CHECK(kit_verify(s.b->buffer, i * SRQ_PIECE, SRQ_PIECE, (UCHAR)(i * 16)));
	}
	for (i = 0; i < 3; i++)
		CHECK_EQ(kit_drain(l[i].cq), 0);
	CHECK_EQ(q->told.notifications, 0);
}

/* ---- its depth ---- */

NDK_CASE(srq_modify_refused, "SRQ-2 U-38 REQ-12", NDK_ON_ALL,
	 "T-SQ-05 too deep, too shallow for what it holds, or with a threshold beyond its depth: all stays as it was")
{
	KIT_EACH_ANSWER(mode) {
		PVOID context[16];
		struct srq_link l;
		struct kit_srq *q;
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_IDLE));
		SRQ_SKIP(s, 16);
		q = kit_create_srq(s.b->pd, 16, 1, 0);
		REQUIRE(q && srq_link(&s, &l, q));
		REQUIRE(srq_post(&s, q, context, 0, 10));
		if (s.b->info->MaxSrqDepth != 0xffffffffu)
			CHECK_STATUS(kit_modify(q, s.b->info->MaxSrqDepth + 1, 0), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(kit_modify(q, 4, 0), STATUS_BUFFER_OVERFLOW);
		CHECK_STATUS(kit_modify(q, 4, 2), STATUS_BUFFER_OVERFLOW);
		CHECK_STATUS(kit_modify(q, 0, 17), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(kit_modify(q, 12, 13), STATUS_INVALID_PARAMETER);
		REQUIRE(srq_post(&s, q, context, 10, 6));
		CHECK_STATUS(kit_srq_receive(q, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
		REQUIRE(srq_use(&s, &l, 16));
		CHECK_EQ(kit_srq_notifications(q), 0);
	}
}

NDK_CASE(srq_modify_depth, "SRQ-2 U-38", NDK_ON_ALL,
	 "an SRQ becomes deeper and shallower; a receive counts until its result was taken")
{
	PVOID context[24];
	struct srq_link l;
	struct kit_srq *q;
	struct staged s;
	unsigned i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	SRQ_SKIP(s, 24);
	q = kit_create_srq(s.b->pd, 10, 1, 0);
	REQUIRE(q && srq_link(&s, &l, q));
	REQUIRE(srq_post(&s, q, context, 0, 10));
	for (i = 0; i < 3; i++)
		REQUIRE(srq_send(&s, &l, (UCHAR)i));
	conf_settle();
	CHECK_STATUS(kit_modify(q, 8, 0), STATUS_BUFFER_OVERFLOW);
	for (i = 0; i < 3; i++)
		REQUIRE(kit_expect(l.cq, context[i], STATUS_SUCCESS));
	REQUIRE_STATUS(kit_modify(q, 8, 0), STATUS_SUCCESS);
	REQUIRE(srq_post(&s, q, context, 10, 1));
	CHECK_STATUS(kit_srq_receive(q, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	REQUIRE_STATUS(kit_modify(q, 20, 0), STATUS_SUCCESS);
	REQUIRE(srq_post(&s, q, context, 11, 12));
	CHECK_STATUS(kit_srq_receive(q, kit_context(), s.b->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
	for (i = 3; i < 23; i++) {
		REQUIRE(srq_send(&s, &l, (UCHAR)i) && kit_expect(l.cq, context[i], STATUS_SUCCESS));
		CHECK(kit_verify(s.b->buffer, i * SRQ_PIECE, SRQ_PIECE, (UCHAR)i));
	}
}

NDK_CASE(srq_modify_twice, "SRQ-2 REQ-1 REQ-2", NDK_ON_ALL,
	 "a second change while the first is under way: refused as busy, or after it; each is answered once")
{
	struct kit_call *first, *second;
	struct kit_side *s = kit_side(1);
	struct kit_srq *q;

	REQUIRE(s != (struct kit_side *)0);
	SKIP_UNLESS(s->info->MaxSrqDepth >= 32, "the adapter has no SRQ of that depth");
	q = kit_create_srq(s->pd, 8, 1, 0);
	REQUIRE(q != (struct kit_srq *)0);
	REQUIRE(kit_answer(1, NDK_ANSWER_PEND));
	first = kit_begin_modify(q, 16, 0);
	second = kit_begin_modify(q, 32, 0);
	if (conf_place() == NDK_ON_S || kit_wait(second) != STATUS_SUCCESS)
		CHECK_STATUS(kit_wait(second), STATUS_DEVICE_BUSY);
	CHECK_STATUS(kit_wait(first), STATUS_SUCCESS);
	CHECK(stage_once(first) && stage_once(second));
	CHECK_STATUS(kit_modify(q, 24, 0), STATUS_SUCCESS);
}

/* ---- what remains ---- */

NDK_CASE(srq_one_leaves, "FLUSH-4 FLUSH-6 SRQ-7 DISC-5 CLOSE-14", NDK_ON_ALL,
	 "T-SQ-07 one of two QPs goes while the other works: unused receives stay, and serve the other")
{
	struct kit_call *leaving;
	struct srq_link l[2];
	PVOID context[8];
	struct kit_srq *q;
	struct staged s;
	unsigned i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	SRQ_SKIP(s, 8);
	q = kit_create_srq(s.b->pd, 8, 1, 0);
	REQUIRE(q && srq_link(&s, &l[0], q) && srq_link(&s, &l[1], q));
	REQUIRE(srq_post(&s, q, context, 0, 8));
	REQUIRE(srq_send(&s, &l[0], 0) && kit_expect(l[0].cq, context[0], STATUS_SUCCESS));
	leaving = kit_begin_disconnect(l[0].cb);
	REQUIRE(srq_send(&s, &l[1], 1) && kit_expect(l[1].cq, context[1], STATUS_SUCCESS));
	REQUIRE(kit_disconnected(l[0].ca, KIT_PATIENCE_MS));
	REQUIRE_STATUS(kit_disconnect(l[0].ca), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_wait(leaving), STATUS_SUCCESS);
	REQUIRE(srq_send(&s, &l[1], 2) && kit_expect(l[1].cq, context[2], STATUS_SUCCESS));
	REQUIRE(KIT_CLOSED(l[0].cb->connector) && KIT_CLOSED(l[0].far));
	CHECK_EQ(kit_drain(l[0].cq), 0);
	for (i = 3; i < 8; i++)
		REQUIRE(srq_send(&s, &l[1], (UCHAR)i) && kit_expect(l[1].cq, context[i], STATUS_SUCCESS));
	CHECK_EQ(kit_drain(l[1].cq), 0);
}

NDK_CASE(srq_one_flushed, "FLUSH-1 FLUSH-4 SRQ-7", NDK_ON_ALL,
	 "flushing one QP cancels nothing of the SRQ: the next QP finds every receive that was unused")
{
	struct srq_link l[2];
	PVOID context[4];
	struct kit_srq *q;
	struct staged s;
	unsigned i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	SRQ_SKIP(s, 8);
	q = kit_create_srq(s.b->pd, 8, 1, 0);
	REQUIRE(q && srq_link(&s, &l[0], q) && srq_link(&s, &l[1], q));
	REQUIRE(srq_post(&s, q, context, 0, 4));
	l[0].far->Dispatch->NdkFlush(l[0].far);
	CHECK_EQ(kit_drain(l[0].cq), 0);
	for (i = 0; i < 4; i++)
		REQUIRE(srq_send(&s, &l[1], (UCHAR)i) && kit_expect(l[1].cq, context[i], STATUS_SUCCESS));
}

NDK_CASE(srq_close_first, "LIFE-3 LIFE-5 SRQ-7 CLOSE-14", NDK_ON_ALL,
	 "T-SQ-08 closed before its QP, an SRQ ends after it; what was left in it is never written")
{
	struct kit_call *closing, *qp_closing;
	struct srq_link l;
	struct kit_srq *q;
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	SRQ_SKIP(s, 8);
	q = kit_create_srq(s.b->pd, 8, 1, 0);
	REQUIRE(q && srq_link(&s, &l, q));
	kit_fill(s.b->buffer, 0, 8 * SRQ_PIECE, 0x33);
	REQUIRE(srq_post(&s, q, (PVOID *)0, 0, 6));
	closing = KIT_CLOSE(q->srq);
	CHECK(kit_pended(closing));
	conf_settle();
	CHECK(!kit_answered(closing));
	qp_closing = KIT_CLOSE(l.far);
	REQUIRE(KIT_CLOSED(l.ca->connector));
	REQUIRE(KIT_CLOSED(l.cb->connector));
	CHECK_STATUS(kit_wait(qp_closing), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(closing), STATUS_SUCCESS);
	CHECK(closing->entered > (kit_pended(qp_closing) ? qp_closing->left : qp_closing->began));
	CHECK_EQ(kit_drain(l.cq), 0);
	CHECK(kit_verify(s.b->buffer, 0, 8 * SRQ_PIECE, 0x33));
}

NDK_CASE(srq_results_survive, "QP-1 SRQ-7 CLOSE-1", NDK_ON_ALL,
	 "messages that came in are there to be taken, though QP and SRQ have been closed")
{
	struct srq_link l;
	PVOID context[3];
	struct kit_srq *q;
	struct staged s;
	unsigned i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	SRQ_SKIP(s, 4);
	q = kit_create_srq(s.b->pd, 4, 1, 0);
	REQUIRE(q && srq_link(&s, &l, q));
	REQUIRE(srq_post(&s, q, context, 0, 3));
	for (i = 0; i < 3; i++)
		REQUIRE(srq_send(&s, &l, (UCHAR)(i * 9)));
	stage_rest(0);
	REQUIRE(srq_unlink(&l));
	REQUIRE(KIT_CLOSED(q->srq));
	for (i = 0; i < 3; i++) {
		REQUIRE(kit_expect(l.cq, context[i], STATUS_SUCCESS));
		CHECK(kit_verify(s.b->buffer, i * SRQ_PIECE, SRQ_PIECE, (UCHAR)(i * 9)));
	}
}

CONF_CASES(srq, CASE(srq_limits), CASE(srq_not_offered), CASE(srq_affinity), CASE(srq_full), CASE(srq_qp),
	   CASE(srq_three_qps), CASE(srq_modify_refused), CASE(srq_modify_depth), CASE(srq_modify_twice),
	   CASE(srq_one_leaves), CASE(srq_one_flushed), CASE(srq_close_first), CASE(srq_results_survive));
