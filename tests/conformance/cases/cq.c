/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Completion queues: depth, affinity, results of every kind of request, tokens that died unseen,
 * resizing, overrun and loss. Arming is in cq_arm.c, moderation in moderation.c, taking results in
 * queue.c. Runs where a case runs.
 */
#include "stages.h"

static NTSTATUS cq_created(struct kit_cq **q, NDK_ADAPTER *a, ULONG depth)
{
	return kit_wait(kit_begin_cq(q, a, depth, (kit_inside)0, (PVOID)0));
}

NDK_CASE(cq_depths, "CQ-1 U-33 CREATE-16", NDK_ON_ALL,
	 "T-CQ-01 as deep as the adapter says, but no deeper, and not of depth zero")
{
	KIT_EACH_ANSWER(mode) {
		NDK_ADAPTER *a = kit_open(0);
		struct kit_cq *q;
		ULONG max, i;

		REQUIRE(a != (NDK_ADAPTER *)0);
		max = kit_info(a)->MaxCqDepth;
		for (i = 0; i < 3; i++) {
			NTSTATUS status = cq_created(&q, a, i == 0 ? 1 : i == 1 ? max / 2 : max);

			if (i == 2 && status == STATUS_INSUFFICIENT_RESOURCES)
				continue;
			REQUIRE_STATUS(status, STATUS_SUCCESS);
			CHECK(KIT_CLOSED(q->cq));
		}
		if (max != 0xffffffffu) {
			CHECK_STATUS(cq_created(&q, a, max + 1), STATUS_INVALID_PARAMETER);
			CHECK_STATUS(cq_created(&q, a, 0xffffffffu), STATUS_INVALID_PARAMETER);
		}
		CHECK_STATUS(cq_created(&q, a, 0), STATUS_INVALID_PARAMETER);
	}
}

NDK_CASE(cq_affinity, "CQ-2", NDK_ON_ALL,
	 "T-CQ-02 a CQ for processors that nobody has, or for none: a wish, and it notifies all the same")
{
	GROUP_AFFINITY wish[3];
	struct kit_side *s = kit_side(0);
	struct kit_cq *q;
	NDK_QP *qp;
	unsigned i;

	REQUIRE(s != (struct kit_side *)0);
	memset(wish, 0, sizeof(wish));
	wish[0].Mask = 1;
	wish[1].Mask = ~0ull;
	wish[1].Group = 500;
	/* wish[2] names no processor at all */
	for (i = 0; i < 3; i++) {
		REQUIRE_STATUS(kit_wait(kit_begin_cq_at(&q, s->adapter, 16, &wish[i])), STATUS_SUCCESS);
		qp = kit_create_qp(s->pd, q, q, (const struct kit_shape *)0);
		REQUIRE(qp != (NDK_QP *)0);
		REQUIRE_STATUS(kit_receive(qp, kit_context(), s->buffer, 0, 8), STATUS_SUCCESS);
		kit_arm(q, NDK_CQ_NOTIFY_ANY);
		qp->Dispatch->NdkFlush(qp);
		REQUIRE(kit_notified(q, KIT_PATIENCE_MS));
		CHECK(kit_take(q, 1));
	}
}

/* ---- what results say ---- */

/* A pair that may read. */
static struct kit_pair *cq_pair(void)
{
	static const struct kit_params limits = { 1, 1, (const VOID *)0, 0 };
	struct kit_pair *p = kit_pair(NDK_V4);

	return p && kit_establish(p, &limits, &limits) ? p : (struct kit_pair *)0;
}

static BOOLEAN cq_expect_receive(struct kit_side *s, PVOID context, NDK_OPERATION_TYPE type, ULONG_PTR token)
{
	NDK_RESULT_EX r;

	return kit_result(s->cq, &r) && CHECK(r.RequestContext == context) &&
	       CHECK_STATUS(r.Status, STATUS_SUCCESS) && CHECK_EQ(r.Type, type) && CHECK_EQ(r.ProviderErrorCode, 0) &&
	       (type != NdkOperationTypeReceiveAndInvalidate || CHECK_EQ(r.TypeSpecificCompletionOutput, token));
}

/* One window bound and unbound, if the adapter has windows. */
static BOOLEAN cq_bind_one(struct kit_side *s)
{
	struct kit_call *c = kit_begin_mw(s->pd, (kit_inside)0, (PVOID)0);
	struct kit_buffer *region;
	PVOID context = kit_context();
	NDK_MW *mw;

	if (kit_wait(c) != STATUS_SUCCESS)
		return CHECK_STATUS(c->status, STATUS_NOT_SUPPORTED);
	mw = (NDK_MW *)c->object;
	region = kit_exposed(s->pd, 256);
	if (!region ||
	    !CHECK_STATUS(kit_bind(s->qp, context, mw, region, 0, 128, NDK_OP_FLAG_ALLOW_REMOTE_READ),
			  STATUS_SUCCESS) ||
	    !kit_expect_type(s->cq, context, NdkOperationTypeBind))
		return FALSE;
	context = kit_context();
	return CHECK_STATUS(KIT_INVALIDATE(s->qp, context, mw, 0), STATUS_SUCCESS) &&
	       kit_expect_type(s->cq, context, NdkOperationTypeInvalidate);
}

NDK_CASE(cq_types, "QP-26 QP-27 QP-23 QP-28 PD-9", NDK_ON_ALL,
	 "T-CQ-11 the extended result says what each request was, and whose token a message took")
{
	PVOID sent = kit_context(), received = kit_context();
	struct kit_buffer *there, *here;
	struct kit_fast *mine, *theirs;
	struct kit_pair *p = cq_pair();
	struct kit_side *a, *b;

	REQUIRE(p != (struct kit_pair *)0);
	a = p->a;
	b = p->b;
	there = kit_exposed(b->pd, 256);
	here = kit_sink(a->pd, 256);
	mine = kit_fast(a, NDK_PAGE_SIZE, FALSE);
	theirs = kit_fast(b, NDK_PAGE_SIZE, TRUE);
	REQUIRE(there && here && mine && theirs);

	REQUIRE_STATUS(kit_write(a->qp, sent, here, 0, 64, KIT_AT(there, 0), there->remote, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect_type(a->cq, sent, NdkOperationTypeWrite));
	REQUIRE_STATUS(kit_read(a->qp, sent, here, 0, 64, KIT_AT(there, 0), there->remote, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect_type(a->cq, sent, NdkOperationTypeRead));
	REQUIRE_STATUS(kit_fast_register(a->qp, sent, mine, NDK_OP_FLAG_ALLOW_LOCAL_WRITE), STATUS_SUCCESS);
	REQUIRE(kit_expect_type(a->cq, sent, NdkOperationTypeFastRegister));
	REQUIRE_STATUS(KIT_INVALIDATE(a->qp, sent, mine->mr, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect_type(a->cq, sent, NdkOperationTypeInvalidate));
	REQUIRE(cq_bind_one(a));

	REQUIRE_STATUS(kit_receive(b->qp, received, b->buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send(a->qp, sent, a->buffer, 0, 64, 0), STATUS_SUCCESS);
	REQUIRE(cq_expect_receive(b, received, NdkOperationTypeReceive, 0));
	REQUIRE(kit_expect_type(a->cq, sent, NdkOperationTypeSend));

	REQUIRE(kit_fast_register_now(b, theirs, NDK_OP_FLAG_ALLOW_REMOTE_WRITE));
	REQUIRE_STATUS(kit_receive(b->qp, received, b->buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send_invalidate(a->qp, sent, a->buffer, 0, 64, theirs->remote, 0), STATUS_SUCCESS);
	REQUIRE(cq_expect_receive(b, received, NdkOperationTypeReceiveAndInvalidate, theirs->remote));
	REQUIRE(kit_expect_type(a->cq, sent, NdkOperationTypeSend));
}

NDK_CASE(cq_token_dead, "CQ-17 CQ-18 QP-22 QP-23", NDK_ON_ALL,
	 "T-CQ-12 the plain result does not tell of the token a message took, but it is dead")
{
	PVOID sent = kit_context(), received = kit_context(), late = kit_context();
	struct kit_pair *p = cq_pair();
	struct kit_fast *theirs;
	NDK_RESULT plain;
	NDK_RESULT_EX r;
	NTSTATUS status;

	REQUIRE(p != (struct kit_pair *)0);
	theirs = kit_fast(p->b, NDK_PAGE_SIZE, TRUE);
	REQUIRE(theirs && kit_fast_register_now(p->b, theirs, NDK_OP_FLAG_ALLOW_REMOTE_WRITE));
	REQUIRE_STATUS(kit_receive(p->b->qp, received, p->b->buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send_invalidate(p->a->qp, sent, p->a->buffer, 0, 64, theirs->remote, 0), STATUS_SUCCESS);
	REQUIRE(kit_result_plain(p->b->cq, &plain));
	CHECK(plain.RequestContext == received);
	CHECK_STATUS(plain.Status, STATUS_SUCCESS);
	CHECK_EQ(plain.BytesTransferred, 64);
	REQUIRE(kit_expect(p->a->cq, sent, STATUS_SUCCESS));
	status = KIT_INVALIDATE(p->b->qp, late, theirs->mr, 0);
	if (status == STATUS_SUCCESS && kit_result(p->b->cq, &r)) {
		CHECK(r.RequestContext == late);
		status = r.Status;
	}
	CHECK_STATUS(status, STATUS_INVALID_DEVICE_REQUEST);
}

/* ---- resizing ---- */

/* Messages from a to b, whose results wait at b; context[] of the receives. */
static BOOLEAN cq_messages(struct staged *s, PVOID *context, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		PVOID sent = kit_context();

		context[i] = kit_context();
		if (!CHECK_STATUS(kit_receive(s->b->qp, context[i], s->b->buffer, 0, 8), STATUS_SUCCESS) ||
		    !CHECK_STATUS(kit_send(s->a->qp, sent, s->a->buffer, 0, 8, 0), STATUS_SUCCESS) ||
		    !kit_expect(s->a->cq, sent, STATUS_SUCCESS))
			return FALSE;
	}
	stage_rest(0);
	return TRUE;
}

#define CQ_RESIZES(info_) ((info_)->AdapterFlags & NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED)

NDK_CASE(cq_resize, "CQ-20 CQ-16 U-33 ORD-1 REQ-12", NDK_ON_ALL,
	 "T-CQ-13 grown with results in it, a CQ loses none; too deep, too shallow for them, or zero is refused")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_shape shape;
		PVOID context[16];
		struct staged s;
		struct kit_cq *q;
		unsigned i;

		memset(&shape, 0, sizeof(shape));
		REQUIRE(stage_to(&s, STAGE_IDLE));
		SKIP_UNLESS(CQ_RESIZES(s.b->info), "the adapter does not resize CQs");
		q = kit_create_cq(s.b->adapter, 8);
		REQUIRE(q != (struct kit_cq *)0);
		shape.receive_depth = 16;
		s.b->qp = kit_create_qp(s.b->pd, q, s.b->cq, &shape);
		REQUIRE(s.b->qp && stage_from_idle(&s, STAGE_UP));
		REQUIRE(cq_messages(&s, context, 6));
		REQUIRE_STATUS(kit_resize(q, 64), STATUS_SUCCESS); /* else what follows is too much for it */
		if (s.b->info->MaxCqDepth != 0xffffffffu)
			CHECK_STATUS(kit_resize(q, s.b->info->MaxCqDepth + 1), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(kit_resize(q, 3), STATUS_BUFFER_OVERFLOW);
		CHECK_STATUS(kit_resize(q, 0), STATUS_INVALID_PARAMETER);
		REQUIRE(cq_messages(&s, context + 6, 10));
		for (i = 0; i < 16; i++)
			REQUIRE(kit_expect(q, context[i], STATUS_SUCCESS));
		/* armed, it stays armed */
		kit_arm(q, NDK_CQ_NOTIFY_ANY);
		CHECK_STATUS(kit_resize(q, 4), STATUS_SUCCESS);
		REQUIRE(cq_messages(&s, context, 3));
		REQUIRE(kit_notified(q, KIT_PATIENCE_MS));
		for (i = 0; i < 3; i++)
			REQUIRE(kit_expect(q, context[i], STATUS_SUCCESS));
		CHECK_EQ(q->told.notifications, 1);
	}
}

static void cq_resize_often(PVOID arg)
{
	struct kit_cq *q = (struct kit_cq *)arg;
	unsigned i;

	for (i = 0; i < 200; i++)
		CHECK_STATUS(kit_resize(q, i % 2 ? 32 : 100), STATUS_SUCCESS);
}

NDK_CASE(cq_resize_meanwhile, "CQ-20 ORD-1 REQ-1", NDK_ON_FABRIC,
	 "resized again and again while results come and are taken, a CQ loses none and keeps their order")
{
	BOOLEAN fine = TRUE;
	PVOID context[8], thread;
	struct staged s;
	unsigned i, round;

	REQUIRE(stage_to(&s, STAGE_UP));
	SKIP_UNLESS(CQ_RESIZES(s.b->info), "the adapter does not resize CQs");
	thread = conf_spawn(cq_resize_often, s.b->cq);
	for (round = 0; round < 12 && fine; round++) {
		fine = cq_messages(&s, context, 8);
		if (!thread)
			CHECK_STATUS(kit_resize(s.b->cq, round % 2 ? 32 : 100), STATUS_SUCCESS);
		for (i = 0; i < 8 && fine; i++)
			fine = kit_expect(s.b->cq, context[i], STATUS_SUCCESS);
	}
	conf_join(thread);
	CHECK(fine);
}

NDK_CASE(cq_resize_not_offered, "U-33", NDK_ON_ALL,
	 "an adapter that does not say it resizes CQs does not, whatever the depth")
{
	NDK_ADAPTER *a = kit_open(conf_adapter_name(2) ? 2 : 0);
	struct kit_cq *q;

	REQUIRE(a != (NDK_ADAPTER *)0);
	SKIP_UNLESS(!CQ_RESIZES(kit_info(a)), "every adapter here resizes CQs");
	q = kit_create_cq(a, 8);
	REQUIRE(q != (struct kit_cq *)0);
	CHECK_STATUS(kit_resize(q, 16), STATUS_NOT_SUPPORTED);
	CHECK_STATUS(kit_resize(q, 0), STATUS_NOT_SUPPORTED);
}

NDK_CASE(cq_resize_twice, "CQ-20 REQ-1 REQ-2", NDK_ON_ALL,
	 "a second resize while the first is under way: refused as busy, or after it; each is answered once")
{
	struct kit_call *first, *second;
	NDK_ADAPTER *a = kit_open(0);
	struct kit_cq *q;

	REQUIRE(a != (NDK_ADAPTER *)0);
	SKIP_UNLESS(CQ_RESIZES(kit_info(a)), "the adapter does not resize CQs");
	q = kit_create_cq(a, 8);
	REQUIRE(q != (struct kit_cq *)0);
	REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
	first = kit_begin_resize(q, 16);
	second = kit_begin_resize(q, 32);
	if (conf_place() == NDK_ON_S || kit_wait(second) != STATUS_SUCCESS)
		CHECK_STATUS(kit_wait(second), STATUS_DEVICE_BUSY);
	CHECK_STATUS(kit_wait(first), STATUS_SUCCESS);
	CHECK(stage_once(first) && stage_once(second));
	CHECK_STATUS(kit_resize(q, 24), STATUS_SUCCESS);
}

static void cq_resize_now(PVOID arg)
{
	struct kit_call **c = (struct kit_call **)arg;

	*c = kit_begin_resize((struct kit_cq *)(*c)->arg, 32);
}

NDK_CASE(cq_resize_level, "IRQL-1 IRQL-4 CLOSE-5 CLOSE-8", NDK_ON_ALL,
	 "resized where sleeping is not allowed, and closed before that has ended: both are answered")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_call *c = kit_call("arguments"), *closing;
		NDK_ADAPTER *a = kit_open(0);
		struct kit_cq *q;
		NTSTATUS status;

		REQUIRE(a != (NDK_ADAPTER *)0);
		SKIP_UNLESS(CQ_RESIZES(kit_info(a)), "the adapter does not resize CQs");
		q = kit_create_cq(a, 8);
		REQUIRE(q != (struct kit_cq *)0);
		c->arg = q;
		conf_atomic(cq_resize_now, &c);
		closing = KIT_CLOSE(q->cq);
		status = kit_wait(c);
		if (status != STATUS_CANCELLED)
			CHECK_STATUS(status, STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(closing), STATUS_SUCCESS);
	}
}

/* ---- overrun and loss ---- */

/* Both QPs of a lost CQ refuse initiator requests, and it gives no results. */
static void cq_is_dead(struct kit_cq *q, NDK_QP *one, NDK_QP *two, const struct kit_buffer *b)
{
	NDK_RESULT_EX r;

	CHECK_STATUS(kit_send(one, kit_context(), b, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK_STATUS(kit_send(two, kit_context(), b, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK_EQ(kit_poll(q, &r, 1), 0);
	conf_settle();
	CHECK_EQ(kit_poll(q, &r, 1), 0);
}

/* Two connections whose passive QPs are both on q, with that many receives. */
static BOOLEAN cq_two_on(struct staged *s, struct staged *m, struct kit_cq *q, ULONG receives)
{
	struct kit_shape shape;

	memset(&shape, 0, sizeof(shape));
	shape.receive_depth = receives;
	if (!stage_more(s, m, STAGE_IDLE))
		return FALSE;
	s->b->qp = kit_create_qp(s->b->pd, q, q, &shape);
	m->b->qp = kit_create_qp(s->b->pd, q, q, &shape);
	return s->b->qp && m->b->qp && stage_from_idle(s, STAGE_UP) && stage_from_idle(m, STAGE_UP);
}

static BOOLEAN cq_told(struct kit_cq *q)
{
	unsigned long flags = conf_lock();
	BOOLEAN told = q->told.notifications > 0;

	conf_unlock(flags);
	return told;
}

/* Messages until the CQ has overrun. How deep it truly is, is the provider's affair (3.13). */
static void cq_overflow(struct staged *s, struct kit_cq *q, ULONG most)
{
	UINT64 until = conf_now_us() + KIT_PATIENCE_MS * 1000ull;
	NDK_RESULT_EX r;
	ULONG i, got;

	for (i = 0; i < most; i++)
		if (kit_receive(s->b->qp, kit_context(), s->b->buffer, 0, 8) != STATUS_SUCCESS)
			break;
	for (i = 0; i < most && !cq_told(q); i++) {
		if (kit_send(s->a->qp, kit_context(), s->a->buffer, 0, 8, 0) != STATUS_SUCCESS)
			break;
		/* of the message that is too much, a sender may hear only when it has given up */
		while (!(got = kit_poll(s->a->cq, &r, 1)) && !cq_told(q) && conf_now_us() < until)
			if (!conf_nap())
				break;
		if (!got || r.Status != STATUS_SUCCESS)
			break;
	}
}

NDK_CASE(cq_overrun, "CQ-14 CQ-9 CQ-4 U-28 CLOSE-1", NDK_ON_ALL,
	 "T-CQ-08 more results than fit: one notification, STATUS_BUFFER_OVERFLOW; the CQ and its QPs are lost")
{
	ULONG many = conf_place() == NDK_ON_K ? 256 : 64;
	struct ndk_counters before, after;
	struct staged s, m;
	struct kit_cq *q;
	NDK_RESULT_EX r;
	int i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	if (many > s.b->info->MaxReceiveQueueDepth)
		many = s.b->info->MaxReceiveQueueDepth;
	q = kit_create_cq(s.b->adapter, 2);
	REQUIRE(q && cq_two_on(&s, &m, q, many));
	REQUIRE(ndk_control_counters(conf_adapter_name(1), &before) == 0);
	kit_arm(q, NDK_CQ_NOTIFY_ERRORS);
	for (i = 0; i < 2; i++) {
		PVOID context;

		REQUIRE(cq_messages(&s, &context, 1));
		REQUIRE(kit_result(q, &r) && CHECK(r.RequestContext == context));
	}
	CHECK_EQ(q->told.notifications, 0);
	cq_overflow(&s, q, many);
	REQUIRE(kit_notified(q, KIT_PATIENCE_MS));
	CHECK_STATUS(q->told.status, STATUS_BUFFER_OVERFLOW);
	REQUIRE(ndk_control_counters(conf_adapter_name(1), &after) == 0);
	CHECK_EQ(after.cq_error - before.cq_error, 1);
	cq_is_dead(q, s.b->qp, m.b->qp, s.b->buffer);
	CHECK(kit_disconnected(s.cb, KIT_PATIENCE_MS));
	CHECK(kit_disconnected(m.cb, KIT_PATIENCE_MS));
	CHECK_EQ(q->told.notifications, 1);
	CHECK(KIT_CLOSED(s.cb->connector) && KIT_CLOSED(m.cb->connector));
	CHECK(KIT_CLOSED(s.b->qp) && KIT_CLOSED(m.b->qp) && KIT_CLOSED(q->cq));
}

NDK_CASE(cq_lost, "CQ-15 CQ-9 CQ-4 U-32 CLOSE-1", NDK_ON_FABRIC,
	 "T-FT-06 a CQ that the device lost, armed for whatever: told once for each arm, its QPs are of no use")
{
	static const ULONG types[] = { NDK_CQ_NOTIFY_ERRORS, NDK_CQ_NOTIFY_SOLICITED, NDK_CQ_NOTIFY_ANY };
	unsigned i;

	for (i = 0; i < 3; i++) {
		struct staged s, m;
		struct kit_cq *q;
		PVOID context;

		REQUIRE(stage_to(&s, STAGE_IDLE));
		q = kit_create_cq(s.b->adapter, 16);
		REQUIRE(q && cq_two_on(&s, &m, q, 4));
		REQUIRE(cq_messages(&s, &context, 1) && kit_expect(q, context, STATUS_SUCCESS));
		kit_arm(q, types[i]);
		SKIP_UNLESS(conf_cq_fault(q->cq), "no CQ can be lost here");
		REQUIRE(kit_notified(q, KIT_PATIENCE_MS));
		CHECK_STATUS(q->told.status, STATUS_INTERNAL_ERROR);
		conf_cq_fault(q->cq);
		conf_settle();
		CHECK_EQ(q->told.notifications, 1);
		cq_is_dead(q, s.b->qp, m.b->qp, s.b->buffer);
		CHECK(kit_disconnected(s.cb, KIT_PATIENCE_MS));
		kit_arm(q, NDK_CQ_NOTIFY_ANY);
		REQUIRE(kit_notified(q, KIT_PATIENCE_MS));
		CHECK_STATUS(q->told.status, STATUS_INTERNAL_ERROR);
		kit_close_all(i & 1 ? KIT_PARENTS_FIRST : KIT_CHILDREN_FIRST);
	}
}

NDK_CASE(cq_lost_unarmed, "U-32 CQ-3 CQ-15", NDK_ON_FABRIC,
	 "lost while nobody had armed it, a CQ says so at the next arm, of whatever type")
{
	NDK_ADAPTER *a = kit_open(0);
	struct kit_cq *q;

	REQUIRE(a != (NDK_ADAPTER *)0);
	q = kit_create_cq(a, 16);
	REQUIRE(q != (struct kit_cq *)0);
	SKIP_UNLESS(conf_cq_fault(q->cq), "no CQ can be lost here");
	conf_settle();
	CHECK_EQ(q->told.notifications, 0);
	kit_arm(q, NDK_CQ_NOTIFY_ERRORS);
	REQUIRE(kit_notified(q, KIT_PATIENCE_MS));
	CHECK_STATUS(q->told.status, STATUS_INTERNAL_ERROR);
	conf_settle();
	CHECK_EQ(q->told.notifications, 1);
}

CONF_CASES(cq, CASE(cq_depths), CASE(cq_affinity), CASE(cq_types), CASE(cq_token_dead), CASE(cq_resize),
	   CASE(cq_resize_meanwhile), CASE(cq_resize_not_offered), CASE(cq_resize_twice), CASE(cq_resize_level),
	   CASE(cq_overrun), CASE(cq_lost), CASE(cq_lost_unarmed));
