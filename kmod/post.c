// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Posting. Any context the interface allows. The consumer serialises the posts to one queue; the
 * queue's lock is against our own workers, and it turns bottom halves off, which a software device
 * rewards: its tasklet then runs in the poster when they come back on, not in a thread later.
 *
 * The slot counts as posted before the device has the request: its completion may be polled on
 * another processor before the post has returned.
 */
#include <linux/slab.h>

#include "objects.h"

/* Batches of completions a post takes from the hardware when its queue is full. */
#define NDK_PUMP_WHEN_FULL 16u

static struct ndk_device *dev_of(const struct ndk_kqp *kqp)
{
	return ndk_box_of(&kqp->qp.obj)->dev;
}

/* Turning bottom halves back on is not allowed where interrupts are off. */
static bool lock_queue(spinlock_t *lock)
{
	if (irqs_disabled()) {
		spin_lock(lock);
		return false;
	}
	spin_lock_bh(lock);
	return true;
}

static void unlock_queue(spinlock_t *lock, bool bh)
{
	if (bh)
		spin_unlock_bh(lock);
	else
		spin_unlock(lock);
}

static void to_ib_sge(struct ib_sge *to, const NDK_SGE *from, ULONG n)
{
	ULONG i;

	/* one 64-bit word, whichever of the two it is: the token decides (QP-9) */
	for (i = 0; i < n; i++) {
		to[i].addr = from[i].LogicalAddress.QuadPart;
		to[i].length = from[i].Length;
		to[i].lkey = from[i].MemoryRegionToken;
	}
}

static u64 begin_slot(struct ndk_shelf *s, PVOID ctx, UCHAR op, ULONG flags)
{
	struct ndk_parked *p = &s->place[ndk_ring_next(s->ring)];

	ndk_ring_fill(s->ring, ctx, op, flags);
	ndk_ring_post(s->ring);
	return (uintptr_t)p;
}

/* The device did not take it: nothing but the poster writes head, and nothing completed the slot. */
static void undo_slot(struct ndk_shelf *s)
{
	smp_store_release(&s->ring->head, s->ring->head - 1);
}

static NTSTATUS post_status(int err)
{
	return err == -ENOMEM ? STATUS_NO_MORE_ENTRIES : STATUS_INTERNAL_ERROR;
}

/* ---- initiator queue ---- */
/* Inline SGEs may be more than the queue's limit (QP-6), so their bytes go into one. */
static ULONG gather_inline(UCHAR *to, const NDK_SGE *sgl, ULONG n)
{
	ULONG i, len = 0;

	for (i = 0; i < n; i++) {
		memcpy(to + len, sgl[i].VirtualAddress, sgl[i].Length);
		len += sgl[i].Length;
	}
	return len;
}

/*
 * Silent requests are signalled now and then, so that their slots come back. The consumer does not
 * see those completions.
 */
static bool signal_this(struct ndk_kqp *kqp, ULONG flags)
{
	if ((flags & NDK_OP_FLAG_SILENT_SUCCESS) && ++kqp->unsignaled < kqp->qp.init.depth / 4)
		return false;
	kqp->unsignaled = 0;
	return true;
}

static int send_flags(struct ndk_kqp *kqp, ULONG flags)
{
	int f = 0;

	if (signal_this(kqp, flags))
		f |= IB_SEND_SIGNALED;
	if (flags & NDK_OP_FLAG_READ_FENCE)
		f |= IB_SEND_FENCE;
	if (flags & NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT)
		f |= IB_SEND_SOLICITED;
	if (flags & NDK_OP_FLAG_INLINE)
		f |= IB_SEND_INLINE;
	return f;
}

static NTSTATUS check_send(struct ndk_kqp *kqp, const NDK_SGE *sgl, ULONG n, ULONG flags)
{
	NTSTATUS status = ndk_post_check(&kqp->qp, NDK_OP_SEND, sgl, n, flags);

	if (status != STATUS_NO_MORE_ENTRIES)
		return status;
	/* completions of silent requests free slots, but a consumer of only those may never poll */
	ndk_cq_pump((struct ndk_kcq *)kqp->qp.icq, NDK_PUMP_WHEN_FULL);
	return ndk_post_check(&kqp->qp, NDK_OP_SEND, sgl, n, flags);
}

static NTSTATUS send_locked(struct ndk_kqp *kqp, PVOID ctx, const NDK_SGE *sgl, ULONG n,
			    ULONG flags)
{
	UCHAR bytes[NDK_MAX_INLINE];
	struct ib_sge sge[NDK_MAX_SGE];
	struct ib_send_wr wr = { .opcode = IB_WR_SEND, .sg_list = sge, .num_sge = n };
	NTSTATUS status = check_send(kqp, sgl, n, flags);
	int err;

	if (status != STATUS_SUCCESS)
		return status;
	if (flags & NDK_OP_FLAG_INLINE) {
		sge[0].addr = (uintptr_t)bytes;
		sge[0].length = gather_inline(bytes, sgl, n);
		sge[0].lkey = 0;
		wr.num_sge = sge[0].length ? 1 : 0;
	} else {
		to_ib_sge(sge, sgl, n);
	}
	wr.wr_id = begin_slot(kqp->init_shelf, ctx, NDK_OP_SEND, flags);
	wr.send_flags = send_flags(kqp, flags);
	err = ib_post_send(kqp->ib, &wr, NULL);
	if (!err)
		return STATUS_SUCCESS;
	undo_slot(kqp->init_shelf);
	return post_status(err);
}

NTSTATUS ndk_post_send(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
		       ULONG Flags)
{
	struct ndk_kqp *kqp = (struct ndk_kqp *)ndk_obj_of(pNdkQp, NdkObjectTypeQp);
	NTSTATUS status = STATUS_CONNECTION_INVALID;
	bool bh;

	if (!kqp)
		return STATUS_INVALID_PARAMETER;
	rcu_read_lock();
	bh = lock_queue(&kqp->post);
	if (!READ_ONCE(dev_of(kqp)->gone))
		status = send_locked(kqp, RequestContext, pSgl, nSge, Flags);
	unlock_queue(&kqp->post, bh);
	rcu_read_unlock();
	return status;
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

/* ---- receive queue ---- */
static NTSTATUS hold(struct ndk_kqp *kqp, const struct ib_recv_wr *wr)
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

static NTSTATUS receive_locked(struct ndk_kqp *kqp, PVOID ctx, const NDK_SGE *sgl, ULONG n)
{
	struct ib_sge sge[NDK_MAX_SGE];
	struct ib_recv_wr wr = { .sg_list = sge, .num_sge = n };
	NTSTATUS status = ndk_post_check(&kqp->qp, NDK_OP_RECEIVE, sgl, n, 0);
	int err;

	if (status != STATUS_SUCCESS)
		return status;
	to_ib_sge(sge, sgl, n);
	wr.wr_id = begin_slot(kqp->recv_shelf, ctx, NDK_OP_RECEIVE, 0);
	if (kqp->gated) {
		status = hold(kqp, &wr);
	} else {
		err = kqp->ib ? ib_post_recv(kqp->ib, &wr, NULL) :
				-ENODEV; /* none: it could not be rebuilt */
		status = err ? post_status(err) : STATUS_SUCCESS;
	}
	if (status != STATUS_SUCCESS)
		undo_slot(kqp->recv_shelf);
	return status;
}

NTSTATUS ndk_post_receive(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
	struct ndk_kqp *kqp = (struct ndk_kqp *)ndk_obj_of(pNdkQp, NdkObjectTypeQp);
	NTSTATUS status = STATUS_DEVICE_REMOVED;
	bool bh;

	if (!kqp)
		return STATUS_INVALID_PARAMETER;
	rcu_read_lock();
	bh = lock_queue(&kqp->take);
	if (!READ_ONCE(dev_of(kqp)->gone))
		status = receive_locked(kqp, RequestContext, pSgl, nSge);
	unlock_queue(&kqp->take, bh);
	rcu_read_unlock();
	return status;
}

/* ---- the gate ---- */
static void cancel_upto(struct ndk_kqp *kqp, ULONG upto)
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

/*
 * One that the latest flush meant, or that the device does not take, ends like the rest of what was
 * flushed. A QP in the error state takes all of them and says so itself, in order.
 */
static void post_one(struct ndk_kqp *kqp, const struct ndk_held *held, bool usable)
{
	bool flushed = kqp->hw_state != IB_QPS_ERR && (LONG)(held->position - kqp->gate_mark) < 0;
	struct ib_recv_wr wr = {
		.wr_id = held->wr_id,
		.sg_list = (struct ib_sge *)held->sge,
		.num_sge = held->nsge,
	};

	if (usable && kqp->ib && !flushed && !ib_post_recv(kqp->ib, &wr, NULL))
		return;
	cancel_upto(kqp, held->position + 1);
}

/* In the order of posting. Unless the QP is in the error state and usable, all before them are reported. */
void ndk_post_held(struct ndk_kqp *kqp, bool usable)
{
	struct ndk_held *held, *next;

	spin_lock_bh(&kqp->take);
	list_for_each_entry_safe(held, next, &kqp->held, link) {
		list_del(&held->link);
		post_one(kqp, held, usable);
		kfree(held);
	}
	kqp->gated = false;
	spin_unlock_bh(&kqp->take);
}

void ndk_post_gate(struct ndk_kqp *kqp)
{
	kqp->gated = true;
	kqp->reset_due = true;
	kqp->gate_seq++;
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
	struct ndk_fx fx;
	bool bh;

	if (!kqp)
		return;
	h = kqp->qp.obj.host;
	ndk_fx_init(&fx);
	flags = ndk_kernel_ops.lock(h);
	ndk_qp_flush(&kqp->qp, &fx);
	ndk_kernel_ops.unlock(h, flags);
	if (wants_reset(&fx)) {
		bh = lock_queue(&kqp->take);
		ndk_post_gate(kqp);
		unlock_queue(&kqp->take, bh);
	}
	ndk_api_run(h, &fx);
}
