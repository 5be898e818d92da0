/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Shared receive queue: control, notification, slots. The only writer of ndk_srq.state. Locks: srq.h.
 */
#include "srq.h"
#include "hooks.h"

/* ---- notification ---- */
static void emit(struct ndk_srq *srq, struct ndk_fx *fx)
{
	struct ndk_effect *e;

	srq->calling = 1;
	ndk_ref_get(&srq->obj, NDK_REF_CALLBACK);
	e = ndk_fx_add(fx, NDK_FX_CALL_SRQ, &srq->obj);
	e->fn.srq = srq->notify;
	e->ctx = srq->notify_ctx;
	/* the status is read when the callback is made, see ndk_api_call() */
}

static void step_srq(struct ndk_srq *srq, unsigned event, struct ndk_fx *fx)
{
	struct ndk_step step = ndk_step_take(&srq->obj, NDK_MACHINE_SRQ, &srq->state, event);

	if (!(step.acts & NDK_SRQ_ACT(FIRE)) || !srq->notify || !ndk_obj_live(&srq->obj))
		return; /* CLOSE-13 */
	if (srq->calling)
		srq->again = 1;
	else
		emit(srq, fx);
}

/* One that was due for the threshold when the queue was lost carries the fault; then that is told. */
BOOLEAN ndk_hook_srq_start(struct ndk_srq *srq)
{
	if (srq->fault && srq->told)
		return FALSE;
	srq->told = srq->fault != STATUS_SUCCESS;
	return TRUE;
}

void ndk_hook_srq_told(struct ndk_srq *srq, struct ndk_fx *fx)
{
	srq->calling = 0;
	if (!srq->again)
		return;
	srq->again = 0;
	if (ndk_obj_live(&srq->obj))
		emit(srq, fx);
}

static ULONG threshold_of(const struct ndk_srq *srq)
{
	return __atomic_load_n(&srq->threshold, __ATOMIC_SEQ_CST);
}

static ULONG queued_of(const struct ndk_srq *srq)
{
	return __atomic_load_n(&srq->queued, __ATOMIC_SEQ_CST);
}

void ndk_srq_start(struct ndk_srq *srq, ULONG threshold)
{
	struct ndk_fx none NDK_UNINIT;

	ndk_fx_init(&none);
	__atomic_store_n(&srq->threshold, threshold, __ATOMIC_SEQ_CST);
	if (threshold)
		step_srq(srq, NDK_SRQ_EV_ARM, &none); /* U-37: an empty one has not fallen */
}

void ndk_srq_fell(struct ndk_srq *srq, struct ndk_fx *fx)
{
	if (srq->state == NDK_SRQ_WATCH && __atomic_load_n(&srq->reached, __ATOMIC_ACQUIRE))
		step_srq(srq, NDK_SRQ_EV_FELL, fx);
}

void ndk_srq_failed(struct ndk_srq *srq, NTSTATUS status, struct ndk_fx *fx)
{
	if (srq->fault)
		return;
	__atomic_store_n(&srq->fault, status, __ATOMIC_RELAXED);
	step_srq(srq, NDK_SRQ_EV_FAULT, fx);
}

ULONG ndk_srq_watching(const struct ndk_srq *srq)
{
	if (__atomic_load_n(&srq->state, __ATOMIC_ACQUIRE) != NDK_SRQ_WATCH ||
	    !__atomic_load_n(&srq->reached, __ATOMIC_ACQUIRE))
		return 0;
	return threshold_of(srq);
}

/* ---- modify ---- */
NTSTATUS ndk_srq_modify(struct ndk_srq *srq, ULONG depth, ULONG threshold, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx,
			struct ndk_fx *fx)
{
	struct ndk_host *h = srq->obj.host;
	ULONG wanted = depth ? depth : srq->depth; /* SRQ-2 */

	if (!fn || depth > h->info.MaxSrqDepth || threshold > wanted)
		return STATUS_INVALID_PARAMETER; /* SRQ-2 */
	if (h->removed)
		return STATUS_DEVICE_REMOVED;
	if (!ndk_obj_live(&srq->obj))
		return STATUS_INVALID_DEVICE_REQUEST;
	if (srq->modifying)
		return STATUS_DEVICE_BUSY;
	ndk_req_begin(&srq->obj, &srq->req, fn, ctx);
	srq->modifying = 1;
	srq->asked_depth = wanted;
	srq->asked_threshold = threshold;
	ndk_ref_get(&srq->obj, NDK_REF_WORK);
	ndk_fx_add(fx, NDK_FX_SRQ_MODIFY, &srq->obj);
	return ndk_req_return(&srq->obj, &srq->req, fx);
}

void ndk_srq_answer(struct ndk_srq *srq, NTSTATUS status, struct ndk_fx *fx)
{
	ULONG threshold = srq->asked_threshold;

	NDK_ASSERT(srq->modifying);
	srq->modifying = 0;
	ndk_req_end(&srq->obj, &srq->req, status, fx);
	if (!NT_SUCCESS(status) || !threshold)
		return; /* SRQ-3 */
	/* whoever uses one up after this store sees the threshold; what happened before it shows in queued */
	__atomic_store_n(&srq->reached, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&srq->threshold, threshold, __ATOMIC_SEQ_CST);
	step_srq(srq, queued_of(srq) < threshold ? NDK_SRQ_EV_ARM_LOW : NDK_SRQ_EV_ARM, fx); /* SRQ-4 */
	/* a read that is a write as well: nothing used up before it may have missed WATCH */
	if (__atomic_add_fetch(&srq->queued, 0, __ATOMIC_SEQ_CST) < threshold)
		ndk_srq_fell(srq, fx); /* does nothing if that fired already */
}

/* ---- slots ---- */
NTSTATUS ndk_srq_check(const struct ndk_srq *srq, const NDK_SGE *sgl, ULONG nsge)
{
	UINT64 total = 0;
	ULONG i;

	if (__atomic_load_n(&srq->obj.host->removed, __ATOMIC_RELAXED))
		return STATUS_DEVICE_REMOVED; /* U-45 */
	if (__atomic_load_n(&srq->fault, __ATOMIC_RELAXED))
		return srq->fault; /* nothing will be heard of it (SRQ-6) */
	if (nsge && !sgl)
		return STATUS_INVALID_PARAMETER;
	if (nsge > srq->max_sge)
		return STATUS_DATA_OVERRUN; /* QP-7, U-27 */
	for (i = 0; i < nsge; i++)
		total += sgl[i].Length;
	if (total > srq->obj.host->info.MaxTransferLength)
		return STATUS_BUFFER_OVERFLOW; /* QP-8 */
	if (srq->used >= srq->depth || !srq->free)
		return STATUS_NO_MORE_ENTRIES; /* U-27 */
	return STATUS_SUCCESS;
}

struct ndk_srq_slot *ndk_srq_post(struct ndk_srq *srq, PVOID ctx, BOOLEAN *reached)
{
	struct ndk_srq_slot *slot = srq->free;
	ULONG threshold, queued;

	srq->free = slot->next;
	slot->next = (struct ndk_srq_slot *)0;
	slot->ctx = ctx;
	srq->used++;
	queued = __atomic_add_fetch(&srq->queued, 1, __ATOMIC_SEQ_CST);
	threshold = threshold_of(srq);
	*reached = threshold && queued >= threshold && !__atomic_exchange_n(&srq->reached, 1, __ATOMIC_ACQ_REL);
	return slot;
}

void ndk_srq_unpost(struct ndk_srq *srq, struct ndk_srq_slot *slot)
{
	__atomic_sub_fetch(&srq->queued, 1, __ATOMIC_SEQ_CST);
	ndk_srq_give_back(srq, slot);
}

BOOLEAN ndk_srq_used_up(struct ndk_srq *srq)
{
	ULONG queued = __atomic_sub_fetch(&srq->queued, 1, __ATOMIC_SEQ_CST);

	return queued < threshold_of(srq) && ndk_srq_watching(srq) != 0;
}

void ndk_srq_give_back(struct ndk_srq *srq, struct ndk_srq_slot *slot)
{
	NDK_ASSERT(srq->used > 0);
	srq->used--;
	ndk_srq_add_slot(srq, slot);
}

void ndk_srq_add_slot(struct ndk_srq *srq, struct ndk_srq_slot *slot)
{
	slot->next = srq->free;
	srq->free = slot;
}

BOOLEAN ndk_srq_set_depth(struct ndk_srq *srq, ULONG depth)
{
	if (srq->used > depth)
		return FALSE; /* U-38 */
	srq->depth = depth;
	return TRUE;
}

void ndk_srq_result(const struct ndk_qp *qp, const struct ndk_srq_slot *slot, NTSTATUS status, ULONG bytes,
		    NDK_RESULT_EX *out)
{
	ndk_zero(out, sizeof(*out));
	out->Status = status;
	out->BytesTransferred = bytes;
	out->QPContext = qp->ctx; /* PD-9 */
	out->RequestContext = slot->ctx;
	out->Type = NdkOperationTypeReceive;
}
