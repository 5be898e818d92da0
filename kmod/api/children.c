/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Creators of what descends from a protection domain: regions, windows, shared receive queues, queue
 * pairs. Atomic context allowed.
 */
#include "birth.h"

NTSTATUS ndk_api_create_mr(NDK_PD *pNdkPd, BOOLEAN FastRegister, NDK_FN_CREATE_COMPLETION *CreateCompletion,
			   PVOID RequestContext, NDK_MR **ppNdkMr)
{
	struct ndk_pd *pd = NDK_OBJ_AS(ndk_pd, pNdkPd, NdkObjectTypePd);
	struct ndk_birth b = { pd ? pd->obj.adapter : (struct ndk_adapter *)0, NdkObjectTypeMr, { 0, 0 },
			       CreateCompletion, RequestContext };
	struct ndk_mr *mr;
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!pd || !ppNdkMr)
		return STATUS_INVALID_PARAMETER;
	status = ndk_birth_begin(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	ndk_birth_depend(o, &pd->obj);
	mr = (struct ndk_mr *)o;
	mr->pd = pd;
	ndk_mr_start(mr, FastRegister);
	status = ndk_birth_finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkMr = (NDK_MR *)handle;
	return status;
}

NTSTATUS ndk_api_create_mw(NDK_PD *pNdkPd, NDK_FN_CREATE_COMPLETION *CreateCompletion, PVOID RequestContext,
			   NDK_MW **ppNdkMw)
{
	struct ndk_pd *pd = NDK_OBJ_AS(ndk_pd, pNdkPd, NdkObjectTypePd);
	struct ndk_birth b = { pd ? pd->obj.adapter : (struct ndk_adapter *)0, NdkObjectTypeMw, { 0, 0 },
			       CreateCompletion, RequestContext };
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!pd || !ppNdkMw)
		return STATUS_INVALID_PARAMETER;
	status = ndk_birth_begin(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	ndk_birth_depend(o, &pd->obj);
	((struct ndk_mw *)o)->pd = pd;
	status = ndk_birth_finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkMw = (NDK_MW *)handle;
	return status;
}

NTSTATUS ndk_api_create_srq(NDK_PD *pNdkPd, ULONG SrqDepth, ULONG MaxReceiveRequestSge, ULONG NotifyThreshold,
			    NDK_FN_SRQ_NOTIFICATION_CALLBACK *SrqNotification, PVOID SrqNotificationContext,
			    GROUP_AFFINITY *Affinity, NDK_FN_CREATE_COMPLETION *CreateCompletion,
			    PVOID RequestContext, NDK_SRQ **ppNdkSrq)
{
	struct ndk_pd *pd = NDK_OBJ_AS(ndk_pd, pNdkPd, NdkObjectTypePd);
	struct ndk_birth b = { pd ? pd->obj.adapter : (struct ndk_adapter *)0, NdkObjectTypeSrq,
			       { SrqDepth, MaxReceiveRequestSge }, CreateCompletion, RequestContext };
	const NDK_ADAPTER_INFO *info;
	struct ndk_srq *srq;
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	(void)Affinity; /* SRQ-8: a hint nobody may rely on */
	if (!pd || !ppNdkSrq)
		return STATUS_INVALID_PARAMETER;
	info = &pd->obj.host->info;
	if (!SrqDepth || SrqDepth > info->MaxSrqDepth || MaxReceiveRequestSge > info->MaxReceiveRequestSge ||
	    NotifyThreshold > SrqDepth)
		return STATUS_INVALID_PARAMETER; /* PD-5, U-33 */
	status = ndk_birth_begin(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	ndk_birth_depend(o, &pd->obj);
	srq = (struct ndk_srq *)o;
	srq->pd = pd;
	srq->depth = SrqDepth;
	srq->max_sge = MaxReceiveRequestSge;
	srq->notify = SrqNotification;
	srq->notify_ctx = SrqNotificationContext;
	ndk_srq_start(srq, SrqNotification ? NotifyThreshold : 0);
	status = ndk_birth_finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkSrq = (NDK_SRQ *)handle;
	return status;
}

/* ---- queue pairs ---- */
struct qp_wish {
	NDK_PD *pd;
	NDK_CQ *receive_cq;
	NDK_CQ *initiator_cq;
	struct ndk_srq *srq;
	PVOID ctx;
	ULONG receive_depth;
	ULONG initiator_depth;
	ULONG receive_sge;
	ULONG initiator_sge;
	ULONG inline_size;
	NDK_FN_CREATE_COMPLETION *fn;
	PVOID fn_ctx;
};

static BOOLEAN qp_limits(const NDK_ADAPTER_INFO *i, const struct qp_wish *w)
{
	if (w->initiator_sge > i->MaxInitiatorRequestSge || w->inline_size > i->MaxInlineDataSize)
		return FALSE;
	/* zero depths have no use and no meaning (U-33); zero SGEs have both */
	if (!w->initiator_depth || w->initiator_depth > i->MaxInitiatorQueueDepth)
		return FALSE;
	return w->srq /* PD-7: what concerns receives is the shared queue's */ ||
	       (w->receive_depth && w->receive_depth <= i->MaxReceiveQueueDepth &&
		w->receive_sge <= i->MaxReceiveRequestSge);
}

static NTSTATUS create_qp(const struct qp_wish *w, NDK_QP **out)
{
	struct ndk_pd *pd = NDK_OBJ_AS(ndk_pd, w->pd, NdkObjectTypePd);
	struct ndk_cq *rcq = NDK_OBJ_AS(ndk_cq, w->receive_cq, NdkObjectTypeCq);
	struct ndk_cq *icq = NDK_OBJ_AS(ndk_cq, w->initiator_cq, NdkObjectTypeCq);
	struct ndk_birth b = { pd ? pd->obj.adapter : (struct ndk_adapter *)0, NdkObjectTypeQp,
			       { w->initiator_depth, w->srq ? 0 : w->receive_depth }, w->fn, w->fn_ctx };
	struct ndk_obj *o;
	struct ndk_qp *qp;
	VOID *handle;
	NTSTATUS status;

	if (!pd || !rcq || !icq || !out || rcq->obj.adapter != b.adapter || icq->obj.adapter != b.adapter)
		return STATUS_INVALID_PARAMETER; /* U-11: nothing foreign */
	if (w->srq && w->srq->pd != pd)
		return STATUS_INVALID_PARAMETER;
	if (!qp_limits(&b.adapter->obj.host->info, w))
		return STATUS_INVALID_PARAMETER; /* PD-6 */
	status = ndk_birth_begin(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	ndk_birth_depend(o, &pd->obj);
	ndk_birth_depend(o, &rcq->obj);
	ndk_birth_depend(o, &icq->obj);
	if (w->srq)
		ndk_birth_depend(o, &w->srq->obj); /* LIFE-3 */
	qp = (struct ndk_qp *)o;
	qp->pd = pd;
	qp->rcq = rcq;
	qp->icq = icq;
	qp->srq = w->srq;
	qp->ctx = w->ctx;
	qp->max_recv_sge = w->receive_sge;
	qp->max_init_sge = w->initiator_sge;
	qp->inline_size = w->inline_size;
	status = ndk_birth_finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*out = (NDK_QP *)handle;
	return status;
}

NTSTATUS ndk_api_create_qp(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq, PVOID QPContext,
			   ULONG ReceiveQueueDepth, ULONG InitiatorQueueDepth, ULONG MaxReceiveRequestSge,
			   ULONG MaxInitiatorRequestSge, ULONG InlineDataSize,
			   NDK_FN_CREATE_COMPLETION *CreateCompletion, PVOID RequestContext, NDK_QP **ppNdkQp)
{
	struct qp_wish w = { pNdkPd, pReceiveCq, pInitiatorCq, (struct ndk_srq *)0, QPContext, ReceiveQueueDepth,
			     InitiatorQueueDepth, MaxReceiveRequestSge, MaxInitiatorRequestSge, InlineDataSize,
			     CreateCompletion, RequestContext };

	return create_qp(&w, ppNdkQp);
}

NTSTATUS ndk_api_create_qp_with_srq(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq, NDK_SRQ *pSrq,
				    PVOID QPContext, ULONG InitiatorQueueDepth, ULONG MaxInitiatorRequestSge,
				    ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION *CreateCompletion,
				    PVOID RequestContext, NDK_QP **ppNdkQp)
{
	struct qp_wish w = { pNdkPd, pReceiveCq, pInitiatorCq, NDK_OBJ_AS(ndk_srq, pSrq, NdkObjectTypeSrq),
			     QPContext, 0, InitiatorQueueDepth, 0, MaxInitiatorRequestSge, InlineDataSize,
			     CreateCompletion, RequestContext };

	if (!w.srq)
		return STATUS_INVALID_PARAMETER;
	return create_qp(&w, ppNdkQp);
}
