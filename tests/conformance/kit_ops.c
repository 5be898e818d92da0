/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The kit's reads, writes, invalidations, fast registrations and windows, and registering in long and
 * in short form. Context: kit_ops.h, kit.h. What it makes goes with the case.
 */
#include "kit.h"
#include "kit_i.h"

#define KIT_SGES 8u

/* ---- memory ---- */

struct kit_buffer *kit_exposed(NDK_PD *pd, ULONG size)
{
	return kit_buffer_mr(pd, size, NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE);
}

struct kit_buffer *kit_sink(NDK_PD *pd, ULONG size)
{
	return kit_buffer_mr(pd, size, NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_RDMA_READ_SINK);
}

struct kit_call *kit_begin_register(NDK_MR *mr, MDL *mdl, SIZE_T length, ULONG flags)
{
	struct kit_call *c = kit_call("NdkRegisterMr");

	return kit_return(c, mr->Dispatch->NdkRegisterMr(mr, mdl, length, flags, kit_request_done, c));
}

struct kit_call *kit_begin_deregister(NDK_MR *mr)
{
	struct kit_call *c = kit_call("NdkDeregisterMr");

	return kit_return(c, mr->Dispatch->NdkDeregisterMr(mr, kit_request_done, c));
}

struct kit_call *kit_begin_initialize(NDK_MR *mr, ULONG pages, BOOLEAN remote)
{
	struct kit_call *c = kit_call("NdkInitializeFastRegisterMr");

	return kit_return(c, mr->Dispatch->NdkInitializeFastRegisterMr(mr, pages, remote, kit_request_done, c));
}

NTSTATUS kit_register(NDK_MR *mr, MDL *mdl, SIZE_T length, ULONG flags)
{
	return kit_wait(kit_begin_register(mr, mdl, length, flags));
}

NTSTATUS kit_deregister(NDK_MR *mr)
{
	return kit_wait(kit_begin_deregister(mr));
}

NTSTATUS kit_initialize(NDK_MR *mr, ULONG pages, BOOLEAN remote)
{
	return kit_wait(kit_begin_initialize(mr, pages, remote));
}

struct kit_call *kit_begin_lam(NDK_ADAPTER *a, MDL *mdl, SIZE_T length, NDK_LOGICAL_ADDRESS_MAPPING *lam, ULONG *size,
			       ULONG *fbo)
{
	struct kit_call *c = kit_call("NdkBuildLAM");

	return kit_return(c, a->Dispatch->NdkBuildLAM(a, mdl, length, kit_request_done, c, lam, size, fbo));
}

/* ---- fast registration ---- */

struct kit_fast *kit_fast(const struct kit_side *s, ULONG size, BOOLEAN remote)
{
	struct kit_fast *f = (struct kit_fast *)kit_alloc(sizeof(*f)), *none = (struct kit_fast *)0;

	f->memory = kit_buffer(s->adapter, s->pd, size);
	f->mr = f->memory ? kit_create_mr(s->pd, TRUE) : (NDK_MR *)0;
	if (!f->mr)
		return none;
	f->page = f->memory->lam->AdapterPageArray;
	f->pages = f->memory->lam->AdapterPageCount;
	f->fbo = f->memory->fbo;
	f->length = size;
	f->base = f->memory->data;
	return CHECK_STATUS(kit_initialize(f->mr, f->pages, remote), STATUS_SUCCESS) ? f : none;
}

NDK_SGE kit_fast_sge(const struct kit_fast *f, ULONG offset, ULONG length)
{
	NDK_SGE sge;

	memset(&sge, 0, sizeof(sge));
	sge.VirtualAddress = (UCHAR *)f->base + offset;
	sge.Length = length;
	sge.MemoryRegionToken = f->local;
	return sge;
}

/* ---- posting ---- */

NTSTATUS kit_read(NDK_QP *qp, PVOID context, const struct kit_buffer *to, ULONG offset, ULONG length, UINT64 at,
		  UINT32 token, ULONG flags)
{
	NDK_SGE sgl[KIT_SGES];
	ULONG n = kit_sgl(to, offset, length, sgl, KIT_SGES);

	return qp->Dispatch->NdkRead(qp, context, sgl, n, at, token, flags);
}

NTSTATUS kit_write(NDK_QP *qp, PVOID context, const struct kit_buffer *from, ULONG offset, ULONG length, UINT64 at,
		   UINT32 token, ULONG flags)
{
	NDK_SGE sgl[KIT_SGES];
	ULONG n = kit_sgl(from, offset, length, sgl, KIT_SGES);

	return qp->Dispatch->NdkWrite(qp, context, sgl, n, at, token, flags);
}

NTSTATUS kit_send_invalidate(NDK_QP *qp, PVOID context, const struct kit_buffer *b, ULONG offset, ULONG length,
			     UINT32 token, ULONG flags)
{
	NDK_SGE sgl[KIT_SGES];
	ULONG n = kit_sgl(b, offset, length, sgl, KIT_SGES);

	return qp->Dispatch->NdkSendAndInvalidate(qp, context, sgl, n, flags, token);
}

NTSTATUS kit_fast_register(NDK_QP *qp, PVOID context, struct kit_fast *f, ULONG flags)
{
	NTSTATUS status = qp->Dispatch->NdkFastRegister(qp, context, f->mr, f->pages, f->page, f->fbo, f->length,
							f->base, flags);

	if (status == STATUS_SUCCESS) {
		f->local = f->mr->Dispatch->NdkGetLocalTokenFromMr(f->mr);
		f->remote = f->mr->Dispatch->NdkGetRemoteTokenFromMr(f->mr);
	}
	return status;
}

NTSTATUS kit_bind(NDK_QP *qp, PVOID context, NDK_MW *mw, const struct kit_buffer *b, ULONG offset, SIZE_T length,
		  ULONG flags)
{
	return qp->Dispatch->NdkBind(qp, context, b->mr, mw, b->data + offset, length, flags);
}

NTSTATUS kit_invalidate(NDK_QP *qp, PVOID context, NDK_OBJECT_HEADER *mr_or_mw, ULONG flags)
{
	return qp->Dispatch->NdkInvalidate(qp, context, mr_or_mw, flags);
}

UINT32 kit_window_token(NDK_MW *mw)
{
	return mw->Dispatch->NdkGetRemoteTokenFromMw(mw);
}

/* ---- posting, and its success ---- */

BOOLEAN kit_expect_type(struct kit_cq *q, PVOID context, NDK_OPERATION_TYPE type)
{
	NDK_RESULT_EX r;

	if (!kit_result(q, &r))
		return FALSE;
	if (r.RequestContext != context)
		return conf_fail("kit", 0, "a result of another request (type %d, status %s)", (int)r.Type,
				 conf_status_name(r.Status));
	return CHECK_STATUS(r.Status, STATUS_SUCCESS) && CHECK_EQ(r.Type, type) && CHECK_EQ(r.ProviderErrorCode, 0);
}

static BOOLEAN taken_and_done(struct kit_side *s, NTSTATUS posted, PVOID context, NDK_OPERATION_TYPE type)
{
	return CHECK_STATUS(posted, STATUS_SUCCESS) && kit_expect_type(s->cq, context, type);
}

BOOLEAN kit_read_now(struct kit_side *s, const struct kit_buffer *to, ULONG offset, ULONG length, UINT64 at,
		     UINT32 token)
{
	PVOID context = kit_context();

	return taken_and_done(s, kit_read(s->qp, context, to, offset, length, at, token, 0), context,
			      NdkOperationTypeRead);
}

BOOLEAN kit_write_now(struct kit_side *s, const struct kit_buffer *from, ULONG offset, ULONG length, UINT64 at,
		      UINT32 token)
{
	PVOID context = kit_context();

	return taken_and_done(s, kit_write(s->qp, context, from, offset, length, at, token, 0), context,
			      NdkOperationTypeWrite);
}

BOOLEAN kit_fast_register_now(struct kit_side *s, struct kit_fast *f, ULONG flags)
{
	PVOID context = kit_context();

	return taken_and_done(s, kit_fast_register(s->qp, context, f, flags), context,
			      NdkOperationTypeFastRegister);
}

BOOLEAN kit_bind_now(struct kit_side *s, NDK_MW *mw, const struct kit_buffer *b, ULONG offset, SIZE_T length,
		     ULONG flags)
{
	PVOID context = kit_context();

	return taken_and_done(s, kit_bind(s->qp, context, mw, b, offset, length, flags), context,
			      NdkOperationTypeBind);
}

BOOLEAN kit_invalidate_now(struct kit_side *s, NDK_OBJECT_HEADER *mr_or_mw)
{
	PVOID context = kit_context();

	return taken_and_done(s, kit_invalidate(s->qp, context, mr_or_mw, 0), context, NdkOperationTypeInvalidate);
}
