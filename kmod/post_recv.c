// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Posting to the receive queue of a QP, and NdkFlush. See post.h for context and lock.
 *
 * The gate: a flush of a QP that was never connected resets it, which takes a worker. What is posted
 * meanwhile waits at the gate.
 */
#include <linux/slab.h>

#include "post.h"

static struct ndk_device *dev_of(const struct ndk_kqp *kqp)
{
	return ndk_box_of(&kqp->qp.obj)->dev;
}

/* ---- receive queue ---- */
static noinline NTSTATUS hold(struct ndk_kqp *kqp, const struct ib_recv_wr *wr)
{
	struct ndk_held *held;

	if (ndk_api_alloc_fails(kqp->qp.obj.host))
		return STATUS_INSUFFICIENT_RESOURCES;
	held = kzalloc(struct_size(held, sge, wr->num_sge), GFP_ATOMIC | __GFP_NOWARN);
	if (!held)
		return STATUS_INSUFFICIENT_RESOURCES;
	held->position = kqp->qp.recv.head - 1;
	held->wr_id = wr->wr_id;
	held->nsge = wr->num_sge;
	memcpy(held->sge, wr->sg_list, wr->num_sge * sizeof(held->sge[0]));
	list_add_tail(&held->link, &kqp->held);
	return STATUS_SUCCESS;
}

/*
 * The device is between two states and takes nothing (siw). A receive is welcome in all of them (U-25), so it
 * waits for the queue pair's lane.
 */
static noinline NTSTATUS hold_for_lane(struct ndk_kqp *kqp, const struct ib_recv_wr *wr)
{
	NTSTATUS status = hold(kqp, wr);

	if (status != STATUS_SUCCESS)
		return status;
	kqp->gated = true;
	kqp->await_lane = true;
	ndk_box_step(ndk_box_of(&kqp->qp.obj), NDK_STEP_QP_EVENT);
	return status;
}

static __always_inline NTSTATUS receive_locked(struct ndk_kqp *kqp, PVOID ctx, const NDK_SGE *sgl,
					       ULONG n)
{
	struct ib_recv_wr wr = { .sg_list = ndk_sge_list(sgl), .num_sge = n };
	NTSTATUS status = ndk_post_check(&kqp->qp, NDK_OP_RECEIVE, sgl, n, 0);
	int err;

	if (unlikely(status != STATUS_SUCCESS))
		return status;
	wr.wr_id = (uintptr_t)ndk_slot_begin(kqp->recv_shelf, &kqp->qp.recv, ctx, NDK_OP_RECEIVE, 0);
	if (unlikely(kqp->gated)) {
		status = hold(kqp, &wr);
	} else {
		err = likely(kqp->ib) ? ib_post_recv(kqp->ib, &wr, NULL) :
					-ENODEV; /* none: it could not be rebuilt */
		status = likely(!err)	    ? STATUS_SUCCESS :
			 err == -ENOTCONN ? hold_for_lane(kqp, &wr) :
					    ndk_post_status(err);
	}
	if (unlikely(status != STATUS_SUCCESS))
		ndk_slot_undo(&kqp->qp.recv);
	return status;
}

NTSTATUS ndk_post_receive(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
	struct ndk_kqp *kqp = (struct ndk_kqp *)ndk_obj_of(pNdkQp, NdkObjectTypeQp);
	NTSTATUS status = STATUS_DEVICE_REMOVED;
	bool bh;

	if (unlikely(!kqp))
		return STATUS_INVALID_PARAMETER;
	bh = ndk_queue_lock(&kqp->take);
	if (likely(!READ_ONCE(dev_of(kqp)->gone)))
		status = receive_locked(kqp, RequestContext, pSgl, nSge);
	ndk_queue_unlock(&kqp->take, bh);
	return status;
}

/* ---- the gate ---- */
static void cancel_upto(struct ndk_kqp *kqp, UINT64 upto)
{
	struct ndk_kcq *kcq = (struct ndk_kcq *)kqp->qp.rcq;
	unsigned long flags;
	bool any;

	spin_lock_irqsave(&kcq->lock, flags);
	any = ndk_shelf_cancel(kcq, kqp->recv_shelf, upto);
	spin_unlock_irqrestore(&kcq->lock, flags);
	if (any)
		ndk_cq_raise(kcq, NDK_CQ_EVENT_SOLICITED);
}

static int offer(struct ndk_kqp *kqp, const struct ndk_held *held)
{
	struct ib_recv_wr wr = {
		.wr_id = held->wr_id,
		.sg_list = (struct ib_sge *)held->sge,
		.num_sge = held->nsge,
	};

	return ib_post_recv(kqp->ib, &wr, NULL);
}

/*
 * One that the latest flush meant, or that the device does not take, ends like the rest of what was
 * flushed. A QP in the error state takes all of them and says so itself, in order.
 */
static void post_one(struct ndk_kqp *kqp, const struct ndk_held *held, bool usable)
{
	bool flushed = kqp->hw_state != IB_QPS_ERR && held->position < kqp->gate_mark;

	if (usable && kqp->ib && !flushed && !offer(kqp, held))
		return;
	cancel_upto(kqp, held->position + 1);
}

/* In the order of posting. Unless the QP is in the error state, all before them are reported. */
void ndk_post_held(struct ndk_kqp *kqp, enum ndk_gate how)
{
	struct ndk_held *held, *next;

	spin_lock_bh(&kqp->take);
	/*
	 * A flush may have closed it again for a reset of its own, which then opens it: what waits here is that one's
	 * to cancel, or was posted behind it and must not meet it in the device.
	 */
	if (how == NDK_GATE_RESET && kqp->reset_due)
		goto out;
	list_for_each_entry_safe(held, next, &kqp->held, link) {
		list_del(&held->link);
		post_one(kqp, held, how != NDK_GATE_GONE);
		kfree(held);
	}
	kqp->reset_due = false; /* nor will it be, if it was not reset now */
	kqp->gated = false;
out:
	spin_unlock_bh(&kqp->take);
}

int ndk_post_waiting(struct ndk_kqp *kqp)
{
	struct ndk_held *held;
	int err = 0;

	spin_lock_bh(&kqp->take);
	while (!err && kqp->await_lane && !kqp->reset_due) { /* else a reset opens it */
		held = list_first_entry_or_null(&kqp->held, struct ndk_held, link);
		if (held)
			err = kqp->ib ? offer(kqp, held) : -ENODEV;
		else
			kqp->await_lane = kqp->gated = false;
		if (held && !err) {
			list_del(&held->link);
			kfree(held);
		}
	}
	spin_unlock_bh(&kqp->take);
	return err;
}

void ndk_post_gate(struct ndk_kqp *kqp)
{
	kqp->gated = true;
	kqp->reset_due = true;
	kqp->gate_mark = kqp->qp.recv.head;
}

static bool wants_reset(const struct ndk_fx *fx)
{
	ULONG i;

	for (i = 0; i < fx->count; i++)
		if (fx->e[i].kind == NDK_FX_QP_FLUSH && fx->e[i].arg == NDK_QP_FLUSH_RESET)
			return true;
	return false;
}

/*
 * A QP that was never connected stays usable (U-25), but the hardware has to be reset for that, by a
 * worker. Receives posted from now on are not among the flushed: they wait at the gate.
 */
VOID ndk_qp_flush_call(NDK_QP *pNdkQp)
{
	struct ndk_kqp *kqp = (struct ndk_kqp *)ndk_obj_of(pNdkQp, NdkObjectTypeQp);
	struct ndk_host *h;
	unsigned long flags;
	struct ndk_fx fx NDK_UNINIT;
	bool bh;

	if (!kqp)
		return;
	h = kqp->qp.obj.host;
	ndk_fx_init(&fx);
	/* in one: a connection that begins behind the flush has to find the gate closed, see ndk_qp_settle() */
	bh = ndk_queue_lock(&kqp->take);
	flags = ndk_kernel_ops.lock(h);
	ndk_qp_flush(&kqp->qp, &fx);
	ndk_kernel_ops.unlock(h, flags);
	if (wants_reset(&fx))
		ndk_post_gate(kqp);
	ndk_queue_unlock(&kqp->take, bh);
	ndk_api_run(h, &fx);
}
