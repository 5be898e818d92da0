/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The kit's shared receive queues, and what completion queues can do beside carrying results. Context:
 * kit.h. What notifications record is guarded by conf_lock().
 */
#include "kit.h"
#include "kit_i.h"

#define KIT_SRQ_SGES 8u

/* ---- shared receive queues ---- */

static VOID srq_notified(PVOID context, NTSTATUS status)
{
	struct kit_srq *q = (struct kit_srq *)context;

	kit_told_enter(&q->told, status);
	if (q->inside && kit_hooked())
		q->inside(q, status);
	kit_told_leave(&q->told);
}

struct kit_call *kit_begin_told_srq(struct kit_srq **q, NDK_PD *pd, ULONG depth, ULONG sge, ULONG threshold,
				    GROUP_AFFINITY *affinity)
{
	struct kit_call *c;

	*q = (struct kit_srq *)kit_alloc(sizeof(**q));
	conf_signal_init(&(*q)->told.signal);
	c = kit_call("NdkCreateSrq");
	c->store = (PVOID *)&(*q)->srq;
	return kit_return(c, pd->Dispatch->NdkCreateSrq(pd, depth, sge, threshold, srq_notified, *q, affinity,
							kit_create_done, c, (NDK_SRQ **)&c->output));
}

struct kit_srq *kit_create_srq(NDK_PD *pd, ULONG depth, ULONG sge, ULONG threshold)
{
	struct kit_srq *q;
	struct kit_call *c = kit_begin_told_srq(&q, pd, depth, sge, threshold, (GROUP_AFFINITY *)0);

	return CHECK_STATUS(kit_wait(c), STATUS_SUCCESS) ? q : (struct kit_srq *)0;
}

struct kit_call *kit_begin_qp_on(NDK_PD *pd, struct kit_cq *receive, struct kit_cq *initiator, NDK_SRQ *srq,
				 const struct kit_shape *shape)
{
	struct kit_call *c = kit_call("NdkCreateQpWithSrq");
	struct kit_shape s;

	memset(&s, 0, sizeof(s));
	if (shape)
		s = *shape;
	return kit_return(c, pd->Dispatch->NdkCreateQpWithSrq(
				     pd, receive->cq, initiator->cq, srq, s.context ? s.context : kit_context(),
				     s.initiator_depth ? s.initiator_depth : KIT_DEPTH,
				     s.initiator_sge ? s.initiator_sge : 2, s.inline_size, kit_create_done, c,
				     (NDK_QP **)&c->output));
}

NDK_QP *kit_create_qp_on(NDK_PD *pd, struct kit_cq *receive, struct kit_cq *initiator, NDK_SRQ *srq,
			 const struct kit_shape *shape)
{
	struct kit_call *c = kit_begin_qp_on(pd, receive, initiator, srq, shape);

	CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
	return (NDK_QP *)c->object;
}

NTSTATUS kit_srq_receive(struct kit_srq *q, PVOID context, const struct kit_buffer *b, ULONG offset, ULONG length)
{
	NDK_SGE sgl[KIT_SRQ_SGES];
	ULONG n = kit_sgl(b, offset, length, sgl, KIT_SRQ_SGES);

	return q->srq->Dispatch->NdkSrqReceive(q->srq, context, sgl, n);
}

struct kit_call *kit_begin_modify(struct kit_srq *q, ULONG depth, ULONG threshold)
{
	struct kit_call *c = kit_call("NdkModifySrq");

	return kit_return(c, q->srq->Dispatch->NdkModifySrq(q->srq, depth, threshold, kit_request_done, c));
}

NTSTATUS kit_modify(struct kit_srq *q, ULONG depth, ULONG threshold)
{
	return kit_wait(kit_begin_modify(q, depth, threshold));
}

BOOLEAN kit_srq_notified(struct kit_srq *q, ULONG ms)
{
	return conf_wait(&q->told.signal, ms);
}

long kit_srq_notifications(struct kit_srq *q)
{
	unsigned long flags;
	long n;

	conf_settle();
	flags = conf_lock();
	n = q->told.notifications;
	conf_unlock(flags);
	return n;
}

/* ---- completion queues ---- */

struct kit_call *kit_begin_resize(struct kit_cq *q, ULONG depth)
{
	struct kit_call *c = kit_call("NdkResizeCq");

	return kit_return(c, q->cq->Dispatch->NdkResizeCq(q->cq, depth, kit_request_done, c));
}

NTSTATUS kit_resize(struct kit_cq *q, ULONG depth)
{
	return kit_wait(kit_begin_resize(q, depth));
}

NTSTATUS kit_moderate(struct kit_cq *q, ULONG interval_us, ULONG count)
{
	return q->cq->Dispatch->NdkControlCqInterruptModeration(q->cq, interval_us, count);
}
