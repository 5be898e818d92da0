/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory regions: control state, and what posting asks about them. The only writer of ndk_mr.state.
 * Control functions run under the host's lock, the checks of posts without.
 */
#include "mr.h"
#include "hooks.h"

#define MR_FLAGS                                                                                   \
	(NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE | \
	 NDK_MR_FLAG_RDMA_READ_SINK)

SIZE_T ndk_mdl_span(const MDL *mdl, SIZE_T length)
{
	SIZE_T span = 0;
	UINT64 next = 0;

	for (; mdl && span < length; mdl = mdl->Next) {
		if (span && (UINT64)(ULONG_PTR)MmGetMdlVirtualAddress(mdl) != next)
			return 0; /* a hole in virtual space (MR-3, LAM-1) */
		span += MmGetMdlByteCount(mdl);
		next = (UINT64)(ULONG_PTR)MmGetMdlVirtualAddress(mdl) + MmGetMdlByteCount(mdl);
	}
	return span;
}

void ndk_mr_start(struct ndk_mr *mr, BOOLEAN fast)
{
	mr->fast = fast ? 1 : 0;
	if (fast)
		ndk_step_take(&mr->obj, NDK_MACHINE_MR, &mr->state, NDK_MR_EV_MADE_FAST);
}

static void begin(struct ndk_mr *mr, unsigned event, enum ndk_effect_kind kind, struct ndk_fx *fx)
{
	ndk_step_take(&mr->obj, NDK_MACHINE_MR, &mr->state, event);
	ndk_ref_get(&mr->obj, NDK_REF_WORK);
	ndk_fx_add(fx, kind, &mr->obj);
}

NTSTATUS ndk_mr_register(struct ndk_mr *mr, MDL *mdl, SIZE_T length, ULONG flags,
			 NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx)
{
	struct ndk_host *h = mr->obj.host;

	if (!fn || !mdl || length == 0 || (flags & ~(ULONG)MR_FLAGS))
		return STATUS_INVALID_PARAMETER;
	if (h->removed)
		return STATUS_DEVICE_REMOVED;
	if (!ndk_obj_live(&mr->obj) || !ndk_step_has(NDK_MACHINE_MR, mr->state, NDK_MR_EV_REGISTER))
		return STATUS_INVALID_DEVICE_REQUEST; /* MR-1, U-34 */
	if (length > h->info.MaxRegistrationSize)
		return STATUS_INVALID_PARAMETER;
	ndk_req_begin(&mr->obj, &mr->req, fn, ctx);
	if (ndk_mdl_span(mdl, length) < length) {
		ndk_req_end(&mr->obj, &mr->req, STATUS_INVALID_PARAMETER, fx); /* MR-2, MR-3 */
		return ndk_req_return(&mr->obj, &mr->req, fx);
	}
	mr->mdl = mdl;
	mr->base = (UINT64)(ULONG_PTR)MmGetMdlVirtualAddress(mdl);
	mr->length = length;
	mr->flags = flags;
	begin(mr, NDK_MR_EV_REGISTER, NDK_FX_MR_REGISTER, fx);
	return ndk_req_return(&mr->obj, &mr->req, fx);
}

NTSTATUS ndk_mr_deregister(struct ndk_mr *mr, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx)
{
	if (!fn)
		return STATUS_INVALID_PARAMETER;
	if (!ndk_obj_live(&mr->obj) || !ndk_step_has(NDK_MACHINE_MR, mr->state, NDK_MR_EV_DEREGISTER))
		return STATUS_INVALID_DEVICE_REQUEST; /* MR-10, U-34 */
	if (__atomic_load_n(&mr->windows, __ATOMIC_ACQUIRE))
		return STATUS_DEVICE_BUSY; /* U-34 */
	ndk_req_begin(&mr->obj, &mr->req, fn, ctx);
	begin(mr, NDK_MR_EV_DEREGISTER, NDK_FX_MR_DEREGISTER, fx);
	return ndk_req_return(&mr->obj, &mr->req, fx);
}

NTSTATUS ndk_mr_initialize(struct ndk_mr *mr, ULONG pages, BOOLEAN remote, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx,
			   struct ndk_fx *fx)
{
	struct ndk_host *h = mr->obj.host;

	if (!fn || pages == 0)
		return STATUS_INVALID_PARAMETER;
	if (h->removed)
		return STATUS_DEVICE_REMOVED;
	if (mr->state == NDK_MR_PREPARING || mr->state == NDK_MR_RENEWING)
		return STATUS_DEVICE_BUSY; /* U-35 */
	if (!ndk_obj_live(&mr->obj) || !ndk_step_has(NDK_MACHINE_MR, mr->state, NDK_MR_EV_INITIALIZE))
		return STATUS_INVALID_DEVICE_REQUEST; /* MR-11 */
	if (pages > h->info.FRMRPageCount)
		return STATUS_IMPLEMENTATION_LIMIT; /* MR-12 */
	ndk_req_begin(&mr->obj, &mr->req, fn, ctx);
	mr->asked_pages = pages;
	mr->asked_remote = remote ? 1 : 0;
	begin(mr, NDK_MR_EV_INITIALIZE, NDK_FX_MR_INITIALIZE, fx);
	return ndk_req_return(&mr->obj, &mr->req, fx);
}

void ndk_mr_answer(struct ndk_mr *mr, NTSTATUS status, struct ndk_fx *fx)
{
	BOOLEAN renewed = NT_SUCCESS(status) && (mr->state == NDK_MR_PREPARING || mr->state == NDK_MR_RENEWING);
	struct ndk_step step;

	if (renewed) { /* before READY is to be seen: posts go by it */
		mr->pages = mr->asked_pages;
		mr->remote = mr->asked_remote;
		__atomic_store_n(&mr->valid, 0, __ATOMIC_RELEASE);
	}
	step = ndk_step_take(&mr->obj, NDK_MACHINE_MR, &mr->state,
			     NT_SUCCESS(status) ? NDK_MR_EV_DONE : NDK_MR_EV_FAILED);
	if (!step.legal)
		return;
	mr->mdl = (MDL *)0;
	if (step.acts & NDK_MR_ACT(FORGET)) {
		__atomic_store_n(&mr->token, 0, __ATOMIC_RELAXED); /* the getters take no lock */
		__atomic_store_n(&mr->remote_token, 0, __ATOMIC_RELAXED);
	}
	ndk_req_end(&mr->obj, &mr->req, status, fx);
}

/* ---- posting ---- */
static NTSTATUS check_pages(const struct ndk_mr *mr, const struct ndk_pages *p)
{
	UINT64 bits = 0;
	ULONG i;

	if (!p->count || !p->page || p->count > mr->pages)
		return STATUS_INVALID_PARAMETER;
	if (p->fbo >= NDK_PAGE_SIZE || !p->length || p->length > (SIZE_T)p->count * NDK_PAGE_SIZE - p->fbo)
		return STATUS_INVALID_PARAMETER; /* QP-19 */
	/* no zero-based addresses (QP-17): the base shares its offset with the first byte */
	if (p->base % NDK_PAGE_SIZE != p->fbo || p->base + (p->length - 1) < p->base)
		return STATUS_INVALID_PARAMETER; /* QP-19 */
	for (i = 0; i < p->count; i++)
		bits |= (UINT64)p->page[i].QuadPart;
	return bits % NDK_PAGE_SIZE ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS; /* QP-18 */
}

/* Of the two bits of ALLOW_REMOTE_WRITE one is ALLOW_LOCAL_WRITE: the other does not come alone. */
static BOOLEAN sound_rights(ULONG flags)
{
	return !(flags & NDK_OP_FLAG_ALLOW_REMOTE_WRITE & ~(ULONG)NDK_OP_FLAG_ALLOW_LOCAL_WRITE) ||
	       (flags & NDK_OP_FLAG_ALLOW_LOCAL_WRITE);
}

static BOOLEAN asks_remote_write(ULONG flags)
{
	return (flags & NDK_OP_FLAG_ALLOW_REMOTE_WRITE) == NDK_OP_FLAG_ALLOW_REMOTE_WRITE;
}

NTSTATUS ndk_fast_register_check(const struct ndk_qp *qp, const struct ndk_mr *mr, const struct ndk_pages *p,
				 ULONG flags)
{
	NTSTATUS status = ndk_post_check(qp, NDK_OP_FAST_REGISTER, (const NDK_SGE *)0, 0, flags);

	if (status != STATUS_SUCCESS)
		return status;
	if (!mr || mr->pd != qp->pd || !sound_rights(flags))
		return STATUS_INVALID_PARAMETER;
	if (!ndk_obj_live(&mr->obj) || mr->state != NDK_MR_READY)
		return STATUS_INVALID_DEVICE_REQUEST; /* MR-1, MR-11 */
	if (!mr->remote && ((flags & NDK_OP_FLAG_ALLOW_REMOTE_READ) || asks_remote_write(flags)))
		return STATUS_ACCESS_VIOLATION; /* QP-20, MR-13 */
	return check_pages(mr, p);
}

NTSTATUS ndk_invalidate_check(const struct ndk_qp *qp, NDK_OBJECT_HEADER *what, ULONG flags, struct ndk_mr **mr,
			      struct ndk_mw **mw)
{
	NTSTATUS status = ndk_post_check(qp, NDK_OP_INVALIDATE, (const NDK_SGE *)0, 0, flags);

	*mr = (struct ndk_mr *)ndk_obj_of(what, NdkObjectTypeMr);
	*mw = (struct ndk_mw *)ndk_obj_of(what, NdkObjectTypeMw);
	if (status != STATUS_SUCCESS)
		return status;
	if (*mr)
		status = (*mr)->pd != qp->pd ? STATUS_INVALID_PARAMETER :
			 (*mr)->fast && (*mr)->state == NDK_MR_READY ? STATUS_SUCCESS :
					       STATUS_INVALID_DEVICE_REQUEST; /* QP-22 */
	else
		status = *mw && (*mw)->pd == qp->pd ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
	return status;
}

NTSTATUS ndk_bind_check(const struct ndk_qp *qp, const struct ndk_mr *mr, const struct ndk_mw *mw, UINT64 va,
			SIZE_T length, ULONG flags)
{
	NTSTATUS status = ndk_post_check(qp, NDK_OP_BIND, (const NDK_SGE *)0, 0, flags);

	if (status != STATUS_SUCCESS)
		return status;
	if (!mr || !mw || mr->pd != qp->pd || mw->pd != qp->pd)
		return STATUS_INVALID_PARAMETER;
	if ((flags & NDK_OP_FLAG_ALLOW_LOCAL_WRITE) && !asks_remote_write(flags))
		return STATUS_INVALID_PARAMETER; /* a window has no local rights */
	if (!sound_rights(flags))
		return STATUS_INVALID_PARAMETER;
	if (mr->state != NDK_MR_REGISTERED)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (!length || length > qp->obj.host->info.MaxWindowSize || va < mr->base || length > mr->length ||
	    va - mr->base > mr->length - length)
		return STATUS_INVALID_PARAMETER; /* QP-15 */
	/* remote reads need no more than the local right to read, which every region has */
	if (asks_remote_write(flags) && !(mr->flags & NDK_MR_FLAG_ALLOW_LOCAL_WRITE))
		return STATUS_ACCESS_VIOLATION; /* QP-16 */
	return STATUS_SUCCESS;
}
