/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Posting: checks, the request's slot, and sending it on its way. Entry points, any context; each
 * takes the world's lock once, those about windows the host's lock before that. The consumer
 * serialises the posts of one queue (POST-2), so a slot found free stays free.
 */
#include <cstring>

#include "fabric.hpp"

namespace ndk::fabric
{

static Qp *qp_of(NDK_QP *handle)
{
	return reinterpret_cast<Qp *>(handle);
}

/* ---- from slot to wire: world's lock held ---- */
static Work &next_work(Qp *qp)
{
	return qp->init[ndk_ring_next(&qp->core.init)];
}

static ULONG fill(NDK_SGE *own, const NDK_SGE *sgl, ULONG nsge)
{
	ULONG bytes = 0;

	for (ULONG i = 0; i < nsge; i++) {
		bytes += sgl[i].Length;
		own[i] = sgl[i];
	}
	return bytes;
}

/* QP-6: the bytes now, by virtual address, whatever the token. */
static ULONG fill_inline(UCHAR *to, const NDK_SGE *sgl, ULONG nsge)
{
	ULONG bytes = 0;

	for (ULONG i = 0; i < nsge; i++) {
		if (!sgl[i].Length)
			continue;
		memcpy(to + bytes, sgl[i].VirtualAddress, sgl[i].Length);
		bytes += sgl[i].Length;
	}
	return bytes;
}

static void launch(Qp *qp, Work &w, PVOID ctx, UCHAR op, ULONG flags, UINT64 delay, Upcalls &up)
{
	Loop &loop = world().loop;
	ndk_ring *ring = &qp->core.init;

	w.due = loop.now() + delay;
	ndk_ring_fill(ring, ctx, op, flags);
	ndk_ring_post(ring);
	if (qp->dead)
		flush_qp(qp, up); /* flushed since the check (POST-5) */
	else if (!qp->held && !qp->arrive.queued())
		loop.schedule(qp->arrive, w.due);
}

namespace
{

/* What goes to the peer. */
struct Remote {
	UCHAR op;
	UINT64 address;
	UINT32 token;
};

} /* namespace */

static NTSTATUS post(Qp *qp, PVOID ctx, const NDK_SGE *sgl, ULONG nsge, ULONG flags, const Remote &r)
{
	NTSTATUS status = ndk_post_check(&qp->core, r.op, sgl, nsge, flags);
	Upcalls up;

	if (status != STATUS_SUCCESS)
		return status;
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);
		size_t slot = ndk_ring_next(&qp->core.init);
		Work &w = qp->init[slot];

		w.nsge = nsge;
		w.bytes = flags & NDK_OP_FLAG_INLINE ?
				  fill_inline(qp->inline_data + slot * qp->core.inline_size, sgl, nsge) :
				  fill(qp->init_sge + slot * qp->init_sges, sgl, nsge);
		w.remote = r.address;
		w.token = r.token;
		w.mr = nullptr;
		w.mw = nullptr;
		if (r.op == NDK_OP_READ && qp->conn)
			qp->read_limit = qp->conn->core.eff_out; /* settled before it was connected */
		launch(qp, w, ctx, r.op, flags, world().config.delay_us, up);
	}
	up.run();
	return STATUS_SUCCESS;
}

NTSTATUS post_send(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
		   ULONG Flags)
{
	return post(qp_of(pNdkQp), RequestContext, pSgl, nSge, Flags, { NDK_OP_SEND, 0, 0 });
}

NTSTATUS post_send_and_invalidate(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
				  ULONG nSge, ULONG Flags, UINT32 RemoteToken)
{
	return post(qp_of(pNdkQp), RequestContext, pSgl, nSge, Flags,
		    { NDK_OP_SEND_INVALIDATE, 0, RemoteToken });
}

NTSTATUS post_read(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
		   UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
	return post(qp_of(pNdkQp), RequestContext, pSgl, nSge, Flags,
		    { NDK_OP_READ, RemoteAddress, RemoteToken });
}

NTSTATUS post_write(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
		    UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
	return post(qp_of(pNdkQp), RequestContext, pSgl, nSge, Flags,
		    { NDK_OP_WRITE, RemoteAddress, RemoteToken });
}

NTSTATUS post_receive(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
	Qp *qp = qp_of(pNdkQp);
	NTSTATUS status = ndk_post_check(&qp->core, NDK_OP_RECEIVE, pSgl, nSge, 0);
	ndk_ring *ring = &qp->core.recv;
	Upcalls up;

	if (status != STATUS_SUCCESS)
		return status;
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);
		ULONG slot = ndk_ring_next(ring);
		Receive &r = qp->recv[slot];

		r.nsge = nSge;
		r.bytes = fill(qp->recv_sge + (size_t)slot * qp->core.max_recv_sge, pSgl, nSge);
		ndk_ring_fill(ring, RequestContext, NDK_OP_RECEIVE, 0);
		ndk_ring_post(ring);
		if (qp->dead)
			flush_qp(qp, up); /* U-25 */
	}
	up.run();
	return STATUS_SUCCESS;
}

/* ---- what concerns the initiator only ---- */
/* A planned request about a region or window; world's lock not held. */
static void post_planned(Qp *qp, const Work &planned, PVOID ctx, UCHAR op, ULONG flags)
{
	Upcalls up;

	{
		std::lock_guard<std::mutex> hold(world().loop.lock);
		Work &w = next_work(qp);

		w = planned;
		launch(qp, w, ctx, op, flags, 0, up);
	}
	up.run();
}

NTSTATUS post_bind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
		   PVOID VirtualAddress, SIZE_T Length, ULONG Flags)
{
	Qp *qp = qp_of(pNdkQp);
	Mr *mr = reinterpret_cast<Mr *>(ndk_obj_of(pMr, NdkObjectTypeMr));
	Mw *mw = reinterpret_cast<Mw *>(ndk_obj_of(pMw, NdkObjectTypeMw));
	UINT64 va = (UINT64)(ULONG_PTR)VirtualAddress;
	NTSTATUS status = ndk_bind_check(&qp->core, mr ? &mr->core : nullptr,
					 mw ? &mw->core : nullptr, va, Length, Flags);
	Work w{};

	if (status != STATUS_SUCCESS)
		return status;
	w.remote = va;
	w.length = Length;
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		w.token = new_token(site_of(qp->core.obj));
	}
	{
		HostLock hold(qp->core.obj.host);

		if (!plan_bind(mw, mr, w))
			return STATUS_INVALID_DEVICE_REQUEST;
	}
	post_planned(qp, w, RequestContext, NDK_OP_BIND, Flags);
	return STATUS_SUCCESS;
}

NTSTATUS post_fast_register(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
			    ULONG AdapterPageCount, const NDK_LOGICAL_ADDRESS *AdapterPageArray,
			    ULONG FBO, SIZE_T Length, PVOID BaseVirtualAddress, ULONG Flags)
{
	Qp *qp = qp_of(pNdkQp);
	Mr *mr = reinterpret_cast<Mr *>(ndk_obj_of(pMr, NdkObjectTypeMr));
	const ndk_pages pages = { AdapterPageCount, AdapterPageArray, FBO, Length,
				  (UINT64)(ULONG_PTR)BaseVirtualAddress };
	NTSTATUS status =
		ndk_fast_register_check(&qp->core, mr ? &mr->core : nullptr, &pages, Flags);
	Upcalls up;

	if (status != STATUS_SUCCESS)
		return status;
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);
		Work &w = next_work(qp);

		status = plan_fast_register(mr, pages, w);
		if (status == STATUS_SUCCESS)
			launch(qp, w, RequestContext, NDK_OP_FAST_REGISTER, Flags, 0, up);
	}
	up.run();
	return status;
}

static NTSTATUS invalidate_region(Qp *qp, Mr *mr, PVOID ctx, ULONG flags)
{
	NTSTATUS status;
	Upcalls up;

	{
		std::lock_guard<std::mutex> hold(world().loop.lock);
		Work &w = next_work(qp);

		status = plan_invalidate(mr, w);
		if (status == STATUS_SUCCESS)
			launch(qp, w, ctx, NDK_OP_INVALIDATE, flags, 0, up);
	}
	up.run();
	return status;
}

static NTSTATUS invalidate_window(Qp *qp, Mw *mw, PVOID ctx, ULONG flags)
{
	Work w{};

	{
		HostLock hold(qp->core.obj.host);

		if (!plan_unbind(mw, w))
			return STATUS_INVALID_DEVICE_REQUEST;
	}
	post_planned(qp, w, ctx, NDK_OP_INVALIDATE, flags);
	return STATUS_SUCCESS;
}

NTSTATUS post_invalidate(NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw,
			 ULONG Flags)
{
	Qp *qp = qp_of(pNdkQp);
	ndk_mr *mr = nullptr;
	ndk_mw *mw = nullptr;
	NTSTATUS status = ndk_invalidate_check(&qp->core, pNdkMrOrMw, Flags, &mr, &mw);

	if (status != STATUS_SUCCESS)
		return status;
	if (mr)
		return invalidate_region(qp, reinterpret_cast<Mr *>(mr), RequestContext, Flags);
	return invalidate_window(qp, reinterpret_cast<Mw *>(mw), RequestContext, Flags);
}

VOID flush(NDK_QP *pNdkQp)
{
	Qp *qp = qp_of(pNdkQp);

	with_core(qp->core.obj.host, [&](ndk_fx *fx) { ndk_qp_flush(&qp->core, fx); });
}

} /* namespace ndk::fabric */
