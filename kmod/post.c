// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Posting data to the initiator queue: send, write, read, each as lean as it can be, because their
 * rate is the interface's: one function each, into which all that is usual is inlined. See post.h for
 * context and lock; memory requests are in post_memory.c.
 *
 * NDK_OP_FLAG_DEFER is a permission (DEFER-2) of which no use is made: what is posted is at the device
 * when the call returns, so there is never anything to hand over later (DEFER-4, DEFER-7).
 */
#include "post.h"

static struct ndk_device *dev_of(const struct ndk_kqp *kqp)
{
	return ndk_box_of(&kqp->qp.obj)->dev;
}

/* Completions of silent requests free slots, but a consumer of only those may never poll. */
static noinline bool make_room(struct ndk_kqp *kqp)
{
	const struct ndk_ring *r = &kqp->qp.init;

	ndk_cq_pump((struct ndk_kcq *)kqp->qp.icq, NDK_PUMP_WHEN_FULL);
	return r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) < r->depth;
}

static inline int send_flags(struct ndk_kqp *kqp, UCHAR op, ULONG flags)
{
	int f = op == NDK_OP_READ ? 0 : kqp->fence;

	if (likely(!flags)) {
		kqp->unsignaled = 0;
		return f | IB_SEND_SIGNALED;
	}
	if (ndk_slot_signalled(kqp, flags))
		f |= IB_SEND_SIGNALED;
	/* a driver that needs our fence executes reads one after the other, and refuses to fence one */
	if (flags & NDK_OP_FLAG_READ_FENCE && !(op == NDK_OP_READ && kqp->fence))
		f |= IB_SEND_FENCE;
	if (flags & NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT)
		f |= IB_SEND_SOLICITED;
	return f;
}

static inline NTSTATUS hand_over(struct ndk_kqp *kqp, UCHAR op, struct ib_send_wr *wr, PVOID ctx,
				 ULONG flags)
{
	int err;

	wr->wr_id = (uintptr_t)ndk_slot_begin(kqp->init_shelf, &kqp->qp.init, ctx, op, flags);
	err = ib_post_send(kqp->ib, wr, NULL);
	if (likely(!err))
		return STATUS_SUCCESS;
	ndk_slot_undo(&kqp->qp.init);
	return ndk_post_status(err);
}

/* Inline SGEs may be more than the queue's limit (QP-6), so their bytes go into one. */
static noinline NTSTATUS post_inline(struct ndk_kqp *kqp, UCHAR op, struct ib_send_wr *wr, PVOID ctx,
				     const NDK_SGE *sgl, ULONG n, ULONG flags)
{
	UCHAR bytes[NDK_MAX_INLINE] NDK_UNINIT;
	struct ib_sge sge = { .addr = (uintptr_t)bytes };
	ULONG i;

	for (i = 0; i < n; i++) {
		memcpy(bytes + sge.length, sgl[i].VirtualAddress, sgl[i].Length);
		sge.length += sgl[i].Length;
	}
	wr->send_flags = send_flags(kqp, op, flags);
	if (sge.length) { /* of nothing, some drivers do not make an inline request */
		wr->send_flags |= IB_SEND_INLINE;
		wr->sg_list = &sge;
		wr->num_sge = 1;
	}
	return hand_over(kqp, op, wr, ctx, flags);
}

/* iWARP has no read without a sink. */
static noinline NTSTATUS read_nothing(struct ndk_kqp *kqp, struct ib_send_wr *wr, PVOID ctx, ULONG flags)
{
	struct ib_sge none = { .lkey = ((struct ndk_kpd *)kqp->qp.pd)->token };

	wr->sg_list = &none;
	wr->num_sge = 1;
	wr->send_flags = send_flags(kqp, NDK_OP_READ, flags);
	return hand_over(kqp, NDK_OP_READ, wr, ctx, flags);
}

/* Under the lock. wr has its opcode and what goes with it. */
static __always_inline NTSTATUS post_data(struct ndk_kqp *kqp, UCHAR op, struct ib_send_wr *wr,
					  PVOID ctx, const NDK_SGE *sgl, ULONG n, ULONG flags)
{
	NTSTATUS status = ndk_post_check(&kqp->qp, op, sgl, n, flags);

	if (unlikely(status != STATUS_SUCCESS) &&
	    (status != STATUS_NO_MORE_ENTRIES || !make_room(kqp)))
		return status;
	if (unlikely(!kqp->ib)) /* the queue pair has ended */
		return STATUS_CONNECTION_INVALID;
	if (unlikely(flags & NDK_OP_FLAG_INLINE))
		return post_inline(kqp, op, wr, ctx, sgl, n, flags);
	if (op == NDK_OP_READ && unlikely(!n))
		return read_nothing(kqp, wr, ctx, flags);
	wr->sg_list = ndk_sge_list(sgl);
	wr->num_sge = n;
	wr->send_flags = send_flags(kqp, op, flags);
	return hand_over(kqp, op, wr, ctx, flags);
}

NTSTATUS ndk_post_read_locked(struct ndk_kqp *kqp, struct ib_rdma_wr *wr, PVOID ctx,
			      const NDK_SGE *sgl, ULONG n, ULONG flags)
{
	return post_data(kqp, NDK_OP_READ, &wr->wr, ctx, sgl, n, flags);
}

static __always_inline NTSTATUS post(NDK_QP *qp, UCHAR op, struct ib_send_wr *wr, PVOID ctx,
				     const NDK_SGE *sgl, ULONG n, ULONG flags)
{
	struct ndk_kqp *kqp = (struct ndk_kqp *)ndk_obj_of(qp, NdkObjectTypeQp);
	NTSTATUS status = STATUS_CONNECTION_INVALID;
	bool bh;

	if (unlikely(!kqp))
		return STATUS_INVALID_PARAMETER;
	bh = ndk_queue_lock(&kqp->post);
	if (likely(!READ_ONCE(dev_of(kqp)->gone)))
		status = post_data(kqp, op, wr, ctx, sgl, n, flags);
	ndk_queue_unlock(&kqp->post, bh);
	return status;
}

NTSTATUS ndk_post_send(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
		       ULONG Flags)
{
	struct ib_send_wr wr = { .opcode = IB_WR_SEND };

	return post(pNdkQp, NDK_OP_SEND, &wr, RequestContext, pSgl, nSge, Flags);
}

NTSTATUS ndk_post_send_and_invalidate(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
				      ULONG nSge, ULONG Flags, UINT32 RemoteToken)
{
	struct ib_send_wr wr = {
		.opcode = IB_WR_SEND_WITH_INV,
		.ex.invalidate_rkey = RemoteToken,
	};

	return post(pNdkQp, NDK_OP_SEND_INVALIDATE, &wr, RequestContext, pSgl, nSge, Flags);
}

NTSTATUS ndk_post_write(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
			UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
	struct ib_rdma_wr wr = {
		.wr.opcode = IB_WR_RDMA_WRITE,
		.remote_addr = RemoteAddress,
		.rkey = RemoteToken,
	};

	return post(pNdkQp, NDK_OP_WRITE, &wr.wr, RequestContext, pSgl, nSge, Flags);
}

NTSTATUS ndk_post_read(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
		       UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
	struct ib_rdma_wr wr = {
		.wr.opcode = IB_WR_RDMA_READ,
		.remote_addr = RemoteAddress,
		.rkey = RemoteToken,
	};

	if (Flags & NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE)
		return ndk_post_read_invalidate(pNdkQp, RequestContext, pSgl, nSge, &wr, Flags);
	return post(pNdkQp, NDK_OP_READ, &wr.wr, RequestContext, pSgl, nSge, Flags);
}

/*
 * Behind everything posted, on a QP in the error state: when it comes back, what was posted
 * unsignalled before it and was not reported has succeeded.
 */
int ndk_post_marker(struct ndk_kqp *kqp)
{
	struct ib_send_wr wr = {
		.wr_id = (uintptr_t)&kqp->init_shelf->marker,
		.opcode = IB_WR_SEND,
		.send_flags = IB_SEND_SIGNALED,
	};
	int err;

	spin_lock_bh(&kqp->post);
	kqp->init_shelf->mark = kqp->qp.init.head;
	err = ib_post_send(kqp->ib, &wr, NULL);
	spin_unlock_bh(&kqp->post);
	return err;
}
