/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Arming and notification of a completion queue. The only writer of ndk_cq.armed. Under the host's
 * lock: arming is rare compared with polling, and the lock is what serialises callbacks (CQ-7, CONC-7).
 */
#include "qp.h"
#include "hooks.h"

static void emit(struct ndk_cq *cq, struct ndk_fx *fx)
{
	struct ndk_effect *e;

	cq->calling = 1;
	ndk_ref_get(&cq->obj, NDK_REF_CALLBACK);
	e = ndk_fx_add(fx, NDK_FX_CALL_CQ, &cq->obj);
	e->fn.cq = cq->notify;
	e->ctx = cq->notify_ctx;
	/* status is read when the callback is made (3.13), see ndk_api_call() */
}

static void step_cq(struct ndk_cq *cq, unsigned event, struct ndk_fx *fx)
{
	struct ndk_step step = ndk_step_take(&cq->obj, NDK_MACHINE_CQ, &cq->armed, event);

	if (!(step.acts & NDK_CQ_ACT(FIRE)))
		return;
	if (!ndk_obj_live(&cq->obj))
		return; /* CLOSE-13 */
	if (cq->calling)
		cq->fire_again = 1; /* CQ-7 */
	else
		emit(cq, fx);
}

void ndk_cq_arm(struct ndk_cq *cq, ULONG type, struct ndk_fx *fx)
{
	unsigned event = NDK_CQ_EV_ARM_ANY;

	if (type == NDK_CQ_NOTIFY_ERRORS)
		event = NDK_CQ_EV_ARM_ERRORS;
	else if (type == NDK_CQ_NOTIFY_SOLICITED)
		event = NDK_CQ_EV_ARM_SOLICITED;
	step_cq(cq, event, fx);
	if (cq->fault)
		step_cq(cq, NDK_CQ_EV_GOT_FAULT, fx); /* U-32 */
	else if (cq->fresh & 2)
		step_cq(cq, NDK_CQ_EV_GOT_SOLICITED, fx); /* CQ-5 */
	else if (cq->fresh)
		step_cq(cq, NDK_CQ_EV_GOT_PLAIN, fx);
}

void ndk_cq_arrived(struct ndk_cq *cq, BOOLEAN solicited, struct ndk_fx *fx)
{
	cq->fresh |= solicited ? 3 : 1;
	step_cq(cq, solicited ? NDK_CQ_EV_GOT_SOLICITED : NDK_CQ_EV_GOT_PLAIN, fx);
}

void ndk_cq_emptied(struct ndk_cq *cq)
{
	cq->fresh = 0;
}

void ndk_cq_failed(struct ndk_cq *cq, NTSTATUS status, struct ndk_fx *fx)
{
	if (cq->fault)
		return;
	cq->fault = status;
	cq->obj.host->count.cq_error++;
	step_cq(cq, NDK_CQ_EV_GOT_FAULT, fx);
}

ULONG ndk_cq_wants(const struct ndk_cq *cq)
{
	switch (cq->armed) {
	case NDK_CQ_SOLICITED:
		return NDK_CQ_NOTIFY_SOLICITED;
	case NDK_CQ_ANY:
		return NDK_CQ_NOTIFY_ANY;
	default:
		return 0;
	}
}

/* ---- resize and moderation ---- */
NTSTATUS ndk_cq_resize(struct ndk_cq *cq, ULONG depth, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx)
{
	struct ndk_host *h = cq->obj.host;

	if (!(h->info.AdapterFlags & NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED))
		return STATUS_NOT_SUPPORTED; /* U-33 */
	if (!fn || depth == 0 || depth > h->info.MaxCqDepth)
		return STATUS_INVALID_PARAMETER; /* CQ-20, U-33 */
	if (h->removed)
		return STATUS_DEVICE_REMOVED;
	if (!ndk_obj_live(&cq->obj))
		return STATUS_INVALID_DEVICE_REQUEST;
	if (cq->resizing)
		return STATUS_DEVICE_BUSY;
	ndk_req_begin(&cq->obj, &cq->req, fn, ctx);
	cq->resizing = 1;
	cq->asked = depth;
	ndk_ref_get(&cq->obj, NDK_REF_WORK);
	ndk_fx_add(fx, NDK_FX_CQ_RESIZE, &cq->obj);
	return ndk_req_return(&cq->obj, &cq->req, fx);
}

void ndk_cq_resized(struct ndk_cq *cq, NTSTATUS status, struct ndk_fx *fx)
{
	NDK_ASSERT(cq->resizing);
	cq->resizing = 0;
	if (NT_SUCCESS(status))
		cq->depth = cq->asked;
	ndk_req_end(&cq->obj, &cq->req, status, fx);
}

NTSTATUS ndk_cq_moderate(struct ndk_cq *cq, ULONG interval, ULONG count, struct ndk_fx *fx)
{
	const ULONG unlimited = 0xffffffffu;

	if (!(cq->obj.host->info.AdapterFlags & NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED))
		return STATUS_NOT_SUPPORTED; /* CQ-26 */
	if (interval == unlimited && count > cq->depth)
		return STATUS_INVALID_PARAMETER_MIX; /* CQ-25 */
	if (!ndk_obj_live(&cq->obj))
		return STATUS_SUCCESS; /* nothing will be notified any more */
	cq->interval = count > 1 ? interval : 0; /* CQ-24 */
	cq->gather = count > cq->depth ? unlimited : count;
	ndk_ref_get(&cq->obj, NDK_REF_WORK);
	ndk_fx_add(fx, NDK_FX_CQ_MODERATE, &cq->obj);
	return STATUS_SUCCESS;
}

void ndk_hook_cq_told(struct ndk_obj *o, struct ndk_fx *fx)
{
	struct ndk_cq *cq = (struct ndk_cq *)o;

	cq->calling = 0;
	if (cq->fire_again) {
		cq->fire_again = 0;
		if (ndk_obj_live(o))
			emit(cq, fx);
	}
}
