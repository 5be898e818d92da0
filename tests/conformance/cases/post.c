/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Posts that are refused in the call: on a QP without a connection, with flags that do not belong to
 * them, too long, or of too many pieces; limits of QPs; objects that do not go together. Runs where a
 * case runs.
 */
#include "stages.h"

/*
 * A connection over which both sides may read, since no other takes reads. shape, for the active QP, may
 * be NULL.
 */
static BOOLEAN post_up(struct staged *s, const struct kit_shape *shape)
{
	static const struct kit_params limits = { 1, 1, (const VOID *)0, 0 };
	struct kit_pair *p = kit_pair(NDK_V4);

	memset(s, 0, sizeof(*s));
	if (!p)
		return FALSE;
	s->a = p->a;
	s->b = p->b;
	if (shape)
		s->a->qp = kit_create_qp(s->a->pd, s->a->cq, s->a->cq, shape);
	return s->a->qp && kit_establish(p, &limits, &limits);
}

/* ---- one of each request ---- */

enum post_kind {
	POST_SEND,
	POST_SEND_INVALIDATE,
	POST_READ,
	POST_WRITE,
	POST_BIND,
	POST_FAST_REGISTER,
	POST_INVALIDATE,
	POST_KINDS
};

static const char *const post_names[POST_KINDS] = { "Send", "SendAndInvalidate", "Read", "Write", "Bind",
						    "FastRegister", "Invalidate" };

/* What the requests name; objects may be NULL where they are not looked at. */
struct post_on {
	NDK_MR *mr, *fast;
	NDK_MW *mw;
	NDK_LOGICAL_ADDRESS page;
};

static NTSTATUS post_one(NDK_QP *qp, enum post_kind kind, struct post_on *on, const NDK_SGE *sgl, ULONG n,
			 ULONG flags)
{
	const NDK_QP_DISPATCH *d = qp->Dispatch;
	PVOID context = kit_context();

	switch (kind) {
	case POST_SEND:
		return d->NdkSend(qp, context, sgl, n, flags);
	case POST_SEND_INVALIDATE:
		return d->NdkSendAndInvalidate(qp, context, sgl, n, flags, 0x777);
	case POST_READ:
		return d->NdkRead(qp, context, sgl, n, 0x1000, 0x777, flags);
	case POST_WRITE:
		return d->NdkWrite(qp, context, sgl, n, 0x1000, 0x777, flags);
	case POST_BIND:
		return d->NdkBind(qp, context, on->mr, on->mw, (PVOID)0, 8, flags);
	case POST_FAST_REGISTER:
		return d->NdkFastRegister(qp, context, on->fast, 1, &on->page, 0, 8, (PVOID)0, flags);
	default:
		return d->NdkInvalidate(qp, context, on->fast ? &on->fast->Header : (NDK_OBJECT_HEADER *)0, flags);
	}
}

NDK_CASE(post_not_connected, "QP-2 QP-3 POST-1", NDK_ON_ALL,
	 "T-QP-05 without a connection every initiator request is refused so, whatever else is wrong with it")
{
	struct kit_side *s = kit_side(0);
	PVOID received = kit_context();
	struct kit_fast *fast;
	struct kit_buffer *region;
	struct post_on on;
	NDK_SGE sge;
	int kind;

	REQUIRE(s != (struct kit_side *)0);
	memset(&on, 0, sizeof(on));
	region = kit_exposed(s->pd, 64);
	fast = kit_fast(s, NDK_PAGE_SIZE, TRUE);
	REQUIRE(region && fast && kit_sgl(region, 0, 8, &sge, 1) == 1);
	for (kind = 0; kind < POST_KINDS; kind++) {
		memset(&on, 0, sizeof(on));
		CHECK_STATUS(post_one(s->qp, (enum post_kind)kind, &on, &sge, 1, 0), STATUS_CONNECTION_INVALID);
		CHECK_STATUS(post_one(s->qp, (enum post_kind)kind, &on, &sge, 1000, 0), STATUS_CONNECTION_INVALID);
		CHECK_STATUS(post_one(s->qp, (enum post_kind)kind, &on, &sge, 1, 0xffffffffu),
			     STATUS_CONNECTION_INVALID);
		on.mr = region->mr;
		on.fast = fast->mr;
		on.page = fast->page[0];
		CHECK_STATUS(post_one(s->qp, (enum post_kind)kind, &on, &sge, 1, NDK_OP_FLAG_DEFER),
			     STATUS_CONNECTION_INVALID);
	}
	CHECK_EQ(kit_drain(s->cq), 0);
	REQUIRE_STATUS(kit_receive(s->qp, received, s->buffer, 0, 8), STATUS_SUCCESS);
	s->qp->Dispatch->NdkFlush(s->qp);
	REQUIRE(kit_expect(s->cq, received, STATUS_CANCELLED));
}

/* Flags that the interface gives each request (2.7). */
static ULONG post_flags(int kind)
{
	const ULONG common = NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_READ_FENCE | NDK_OP_FLAG_DEFER;

	switch (kind) {
	case POST_SEND:
	case POST_SEND_INVALIDATE:
		return common | NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT | NDK_OP_FLAG_INLINE;
	case POST_READ:
		return common | NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE;
	case POST_WRITE:
		return common | NDK_OP_FLAG_INLINE;
	case POST_BIND:
		return common | NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE;
	case POST_FAST_REGISTER:
		return common | NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE |
		       NDK_OP_FLAG_ALLOW_LOCAL_WRITE | NDK_OP_FLAG_RDMA_READ_SINK;
	default:
		return common;
	}
}

NDK_CASE(post_unknown_flags, "U-27 QP-2 DEFER-1 U-29 U-30", NDK_ON_ALL,
	 "each single flag that does not belong to a request is refused in the call, and the QP goes on")
{
	struct post_on on;
	struct staged s;
	struct kit_fast *fast;
	struct kit_buffer *region;
	struct kit_call *window;
	NDK_SGE sge;
	ULONG bit;
	int kind;

	REQUIRE(post_up(&s, (const struct kit_shape *)0));
	memset(&on, 0, sizeof(on));
	region = kit_exposed(s.a->pd, 64);
	fast = kit_fast(s.a, NDK_PAGE_SIZE, TRUE);
	window = kit_begin_mw(s.a->pd, (kit_inside)0, (PVOID)0);
	kit_wait(window);
	REQUIRE(region && fast && kit_sgl(region, 0, 8, &sge, 1) == 1);
	on.mr = region->mr;
	on.fast = fast->mr;
	on.mw = (NDK_MW *)window->object;
	on.page = fast->page[0];
	for (kind = 0; kind < POST_KINDS; kind++) {
		if (kind == POST_BIND && !on.mw)
			continue;
		for (bit = 1; bit; bit <<= 1) {
			if (post_flags(kind) & bit)
				continue;
			if (!CHECK_STATUS(post_one(s.a->qp, (enum post_kind)kind, &on, &sge, 1, bit),
					  STATUS_INVALID_PARAMETER))
				conf_note("%s with flag 0x%x", post_names[kind], bit);
		}
	}
	CHECK_EQ(kit_drain(s.a->cq), 0);
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
}

/* ---- too many, too long ---- */

#define POST_SGES 40u

static NTSTATUS post_pieces(struct staged *s, enum post_kind kind, const NDK_SGE *sgl, ULONG n)
{
	struct post_on none;

	memset(&none, 0, sizeof(none));
	return post_one(s->a->qp, kind, &none, sgl, n, 0);
}

NDK_CASE(post_too_many_pieces, "QP-7 QP-2 U-27", NDK_ON_ALL,
	 "T-QP-07 one piece more than the QP was made for, or than the adapter reads into: refused in the call")
{
	struct kit_shape shape;
	NDK_SGE sgl[POST_SGES];
	struct staged s;
	ULONG i, reads;

	memset(&shape, 0, sizeof(shape));
	shape.initiator_sge = shape.receive_sge = 2;
	REQUIRE(post_up(&s, &shape));
	for (i = 0; i < POST_SGES; i++)
		REQUIRE(kit_sgl(s.a->buffer, i * 16, 8, &sgl[i], 1) == 1);
	CHECK_STATUS(post_pieces(&s, POST_SEND, sgl, 3), STATUS_DATA_OVERRUN);
	CHECK_STATUS(post_pieces(&s, POST_SEND_INVALIDATE, sgl, 3), STATUS_DATA_OVERRUN);
	CHECK_STATUS(post_pieces(&s, POST_WRITE, sgl, 3), STATUS_DATA_OVERRUN);
	CHECK_STATUS(s.a->qp->Dispatch->NdkReceive(s.a->qp, kit_context(), sgl, 3), STATUS_DATA_OVERRUN);
	reads = s.a->info->MaxReadRequestSge;
	if (reads < POST_SGES)
		CHECK_STATUS(post_pieces(&s, POST_READ, sgl, reads + 1), STATUS_DATA_OVERRUN);
	CHECK_EQ(kit_drain(s.a->cq), 0);
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
}

NDK_CASE(post_too_long, "QP-8 QP-6 QP-2 U-27 U-29", NDK_ON_ALL,
	 "more bytes than the adapter transfers at once, or than the QP takes inline: refused in the call")
{
	static const enum post_kind kinds[] = { POST_SEND, POST_SEND_INVALIDATE, POST_READ, POST_WRITE };
	struct post_on none;
	struct staged s;
	NDK_SGE sgl[2];
	unsigned i;
	ULONG n;

	REQUIRE(post_up(&s, (const struct kit_shape *)0));
	memset(&none, 0, sizeof(none));
	REQUIRE(kit_sgl(s.a->buffer, 0, 8, &sgl[0], 1) == 1 && kit_sgl(s.a->buffer, 64, 8, &sgl[1], 1) == 1);
	for (i = 0; i < 4 && s.a->info->MaxTransferLength < 0xfffffff0u; i++) {
		n = kinds[i] == POST_READ && s.a->info->MaxReadRequestSge < 2 ? 1 : 2;
		sgl[0].Length = s.a->info->MaxTransferLength + (n == 1);
		sgl[1].Length = 1;
		CHECK_STATUS(post_one(s.a->qp, kinds[i], &none, sgl, n, 0), STATUS_BUFFER_OVERFLOW);
		sgl[0].Length = 0xffffffffu; /* whose sum fits into 32 bits only by wrapping around */
		sgl[1].Length = 16;
		CHECK_STATUS(post_one(s.a->qp, kinds[i], &none, sgl, n, 0), STATUS_BUFFER_OVERFLOW);
	}
	sgl[0].Length = 0xffffffffu;
	if (s.a->info->MaxTransferLength < 0xfffffff0u)
		CHECK_STATUS(s.a->qp->Dispatch->NdkReceive(s.a->qp, kit_context(), sgl, 2), STATUS_BUFFER_OVERFLOW);
	sgl[0].Length = s.a->info->MaxInlineDataSize < 64 ? s.a->info->MaxInlineDataSize : 64;
	sgl[1].Length = 1;
	for (i = 0; i < 4; i++)
		if (kinds[i] != POST_READ)
			CHECK_STATUS(post_one(s.a->qp, kinds[i], &none, sgl, 2, NDK_OP_FLAG_INLINE),
				     STATUS_BUFFER_OVERFLOW);
	CHECK_EQ(kit_drain(s.a->cq), 0);
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
}

/* ---- queues of a QP ---- */

NDK_CASE(post_separate_cqs, "PD-8 PD-9 QP-1 ORD-2", NDK_ON_ALL,
	 "a QP with two CQs: receives end on the one, initiator requests on the other")
{
	PVOID sent = kit_context(), received = kit_context(), qp_context = kit_context();
	struct kit_cq *receive, *initiator;
	struct kit_shape shape;
	struct staged s;
	NDK_RESULT_EX r;
	int i;

	memset(&shape, 0, sizeof(shape));
	shape.context = qp_context;
	REQUIRE(stage_to(&s, STAGE_IDLE));
	receive = kit_create_cq(s.b->adapter, 16);
	initiator = kit_create_cq(s.b->adapter, 16);
	REQUIRE(receive && initiator);
	s.b->qp = kit_create_qp(s.b->pd, receive, initiator, &shape);
	REQUIRE(s.b->qp && stage_from_idle(&s, STAGE_UP));
	for (i = 0; i < 3; i++) {
		REQUIRE_STATUS(kit_receive(s.b->qp, received, s.b->buffer, 0, 8), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_send(s.a->qp, sent, s.a->buffer, 0, 8, 0), STATUS_SUCCESS);
		REQUIRE(kit_result(receive, &r));
		CHECK(r.RequestContext == received && r.QPContext == qp_context);
		REQUIRE(kit_expect(s.a->cq, sent, STATUS_SUCCESS));
		REQUIRE_STATUS(kit_receive(s.a->qp, received, s.a->buffer, 0, 8), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_send(s.b->qp, sent, s.b->buffer, 0, 8, 0), STATUS_SUCCESS);
		REQUIRE(kit_result(initiator, &r));
		CHECK(r.RequestContext == sent && r.QPContext == qp_context);
		REQUIRE(kit_expect(s.a->cq, received, STATUS_SUCCESS));
	}
	CHECK_EQ(kit_drain(receive) + kit_drain(initiator), 0);
}

/* ---- limits of a QP ---- */

/* The limit number i of the adapter, and where a shape has it. */
static ULONG *post_limit(const NDK_ADAPTER_INFO *info, struct kit_shape *shape, unsigned i, ULONG *max)
{
	const ULONG limits[] = { info->MaxReceiveQueueDepth, info->MaxInitiatorQueueDepth,
				 info->MaxReceiveRequestSge, info->MaxInitiatorRequestSge, info->MaxInlineDataSize };
	ULONG *const places[] = { &shape->receive_depth, &shape->initiator_depth, &shape->receive_sge,
				  &shape->initiator_sge, &shape->inline_size };

	*max = limits[i];
	return places[i];
}

NDK_CASE(post_qp_limits, "PD-6 U-16 CREATE-16", NDK_ON_ALL,
	 "T-QP-01 T-AD-05 each limit of a QP can be used, with everything else at one, and none can be exceeded")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_side *s = kit_side(0);
		struct kit_shape one, shape;
		NTSTATUS status;
		unsigned i;
		ULONG max, *place;
		struct kit_call *c;

		REQUIRE(s != (struct kit_side *)0);
		memset(&one, 0, sizeof(one));
		one.receive_depth = one.initiator_depth = one.receive_sge = one.initiator_sge = 1;
		for (i = 0; i < 5; i++) {
			shape = one;
			place = post_limit(s->info, &shape, i, &max);
			*place = max;
			c = kit_begin_qp(s->pd, s->cq, s->cq, &shape, (kit_inside)0, (PVOID)0);
			status = kit_wait(c);
			if (status != STATUS_INSUFFICIENT_RESOURCES && CHECK_STATUS(status, STATUS_SUCCESS))
				CHECK(kit_closed(c->object));
			if (max == 0xffffffffu)
				continue;
			*place = max + 1;
			c = kit_begin_qp(s->pd, s->cq, s->cq, &shape, (kit_inside)0, (PVOID)0);
			if (!CHECK_STATUS(kit_wait(c), STATUS_INVALID_PARAMETER))
				conf_note("limit %u is %u", i, max);
		}
	}
}

NDK_CASE(post_private_data_limits, "PRIV-1 PRIV-2 U-10", NDK_ON_ALL,
	 "T-AD-05 as much private data as the adapter says goes either way with a connection")
{
	struct kit_pair *p = kit_pair(NDK_V4);
	struct kit_params active, passive;
	UCHAR *data;

	REQUIRE(p != (struct kit_pair *)0);
	memset(&active, 0, sizeof(active));
	memset(&passive, 0, sizeof(passive));
	active.data_len = p->a->info->MaxCallerData;
	passive.data_len = p->b->info->MaxCalleeData;
	data = (UCHAR *)kit_alloc(active.data_len + passive.data_len);
	memset(data, 0x5c, active.data_len + passive.data_len);
	active.data = passive.data = data;
	REQUIRE(kit_establish(p, &active, &passive));
	REQUIRE(kit_send_recv_verify(p->a, p->b, 32));
}

NDK_CASE(post_foreign_objects, "U-11 PD-8 CREATE-16 LIFE-3", NDK_ON_ALL,
	 "T-QP-14 a QP of one adapter's PD and another's CQ is refused, and holds no reference afterwards")
{
	struct kit_side *a, *b;
	struct kit_call *c;
	unsigned i;

	KIT_EACH_ANSWER(mode) {
		a = kit_side(0);
		b = kit_side(1);
		REQUIRE(a && b);
		for (i = 0; i < 3; i++) {
			struct kit_cq *receive = i == 1 ? a->cq : b->cq, *initiator = i == 0 ? a->cq : b->cq;

			c = kit_begin_qp(a->pd, receive, initiator, (const struct kit_shape *)0, (kit_inside)0,
					 (PVOID)0);
			CHECK_STATUS(kit_wait(c), STATUS_INVALID_PARAMETER);
		}
		REQUIRE(KIT_CLOSED(b->qp) && KIT_CLOSED(a->qp));
		/* nothing holds them: neither close has anything to wait for */
		c = KIT_CLOSE(b->cq->cq);
		CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
		c = KIT_CLOSE(a->pd);
		CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
	}
}

CONF_CASES(post, CASE(post_not_connected), CASE(post_unknown_flags), CASE(post_too_many_pieces),
	   CASE(post_too_long), CASE(post_separate_cqs), CASE(post_qp_limits), CASE(post_private_data_limits),
	   CASE(post_foreign_objects));
