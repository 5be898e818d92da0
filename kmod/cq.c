// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Completion queues: polling in any context, size, making and ending. Arming and notification are in
 * cq_arm.c. kcq->lock serialises whoever takes completions from the hardware: the consumer, and workers
 * that drain a QP.
 */
#include "objects.h"
#include "compat/compat.h"

#define NDK_POLL_BATCH 8u

static struct ndk_device *dev_of(const struct ndk_kcq *kcq)
{
	return ndk_box_of(&kcq->cq.obj)->dev;
}

/* Not every driver writes it, and what was on the stack is nobody's business. */
static __always_inline void prepare(struct ib_wc wc[NDK_POLL_BATCH])
{
	int i;

#pragma GCC unroll 8
	for (i = 0; i < (int)NDK_POLL_BATCH; i++)
		wc[i].vendor_err = 0;
}

/* ---- polling: of either kind of result, the longer of which begins like the other ---- */
static __always_inline size_t size_of(bool ex)
{
	return ex ? sizeof(NDK_RESULT_EX) : sizeof(NDK_RESULT);
}

/* What nearly all completions are, in short. FALSE: it is another kind. Under the lock. */
static __always_inline bool plain(const struct ib_wc *wc, NDK_RESULT_EX *out, bool ex)
{
	const struct ndk_parked *p = (struct ndk_parked *)(uintptr_t)wc->wr_id;
	const struct ndk_slot *slot;
	struct ndk_kqp *kqp;
	ULONG bytes = 0;

	if (wc->status != IB_WC_SUCCESS || wc->wc_flags & IB_WC_WITH_INVALIDATE)
		return false;
	if (p->index >= NDK_SHELF_SRQ || p->region)
		return false;
	kqp = p->shelf->kqp;
	if (!kqp || !ndk_ring_plain(p->shelf->ring, p->index))
		return false;
	slot = &p->shelf->ring->slot[p->index];
	if (slot->op == NDK_OP_RECEIVE) {
		if (READ_ONCE(kqp->qp.state) == NDK_QP_TIED)
			return false; /* it says that there is a connection */
		bytes = wc->byte_len; /* QP-28 */
	}
	out->Status = STATUS_SUCCESS;
	out->BytesTransferred = bytes;
	out->QPContext = kqp->qp.ctx;
	out->RequestContext = slot->ctx;
	if (ex) {
		out->Type = ndk_result_type(slot->op);
		out->ProviderErrorCode = 0;
		out->TypeSpecificCompletionOutput = 0;
	}
	ndk_ring_pass(p->shelf->ring);
	return true;
}

/*
 * The others. Under the lock. A failure may have shown what was before it, which is parked then: it lines
 * up behind that, and so do its like. Plain results that follow are of other queue pairs.
 */
static noinline ULONG other(struct ndk_kcq *kcq, const struct ib_wc *wc, void *out, size_t size)
{
	struct ndk_parked *p;
	NDK_RESULT_EX r;

	if (!ndk_shelf_complete(wc, &r, &p))
		return 0;
	if (!list_empty(&kcq->parked)) {
		p->result = r;
		ndk_shelf_park(kcq, p);
		return 0;
	}
	ndk_shelf_taken(p);
	memcpy(out, &r, size);
	return 1;
}

/* Under the lock: moves results straight to the consumer. */
static __always_inline ULONG poll_hw(struct ndk_kcq *kcq, char *out, ULONG max, bool ex)
{
	struct ib_wc wc[NDK_POLL_BATCH] NDK_UNINIT;
	char *to = out, *end = out + max * size_of(ex);
	int i, n, want;

	prepare(wc);
	while (to != end) {
		want = min_t(size_t, (end - to) / size_of(ex), NDK_POLL_BATCH);
		n = ib_poll_cq(kcq->ib, want, wc);
		for (i = 0; i < n; i++) {
			if (likely(plain(&wc[i], (NDK_RESULT_EX *)to, ex)))
				to += size_of(ex);
			else if (other(kcq, &wc[i], to, size_of(ex)))
				to += size_of(ex);
		}
		if (n < want)
			break;
	}
	return (to - out) / size_of(ex);
}

/* Under the lock: those that someone else took from the hardware come first. */
static noinline ULONG take_parked(struct ndk_kcq *kcq, char *out, ULONG max, size_t size)
{
	NDK_RESULT_EX r;
	ULONG got = 0;

	while (got < max && ndk_shelf_take(kcq, &r))
		memcpy(out + got++ * size, &r, size);
	return got;
}

/* Under the lock, so that nothing is parked between the look and the forgetting. */
static noinline void emptied(struct ndk_kcq *kcq, ULONG arrivals)
{
	unsigned long flags = ndk_kernel_ops.lock(kcq->cq.obj.host);

	if (kcq->arrivals == arrivals) /* else what has been told of since may not be among what was taken */
		ndk_cq_emptied(&kcq->cq);
	ndk_kernel_ops.unlock(kcq->cq.obj.host, flags);
}

/*
 * Of solicited ones the hardware tells, but only while it is armed for just them, and knows it: what is taken from it
 * otherwise may be solicited. Asked before it is taken.
 */
static __always_inline bool untold(const struct ndk_kcq *kcq)
{
	if (likely(!READ_ONCE(kcq->kinds)))
		return false;
	if (atomic_read(&kcq->armed) != NDK_HW_ARM_SOLICITED)
		return true;
	smp_rmb(); /* with that in arm_hw() */
	return READ_ONCE(kcq->arming);
}

/* What this poll parked and does not return counts as arrived, or an arm would miss it (CQ-5). */
static noinline void tell_parked(struct ndk_kcq *kcq, bool solicited)
{
	ndk_cq_raise(kcq, solicited ? NDK_CQ_EVENT_SOLICITED : NDK_CQ_EVENT_PLAIN);
}

static __always_inline ULONG get_results(NDK_CQ *cq, void *out, ULONG max, bool ex)
{
	struct ndk_kcq *kcq = (struct ndk_kcq *)ndk_obj_of(cq, NdkObjectTypeCq);
	ULONG got = 0, parked_ever, failed_ever, arrivals;
	unsigned long flags;
	bool left, solicited;

	if (unlikely(!kcq || !max || !out || READ_ONCE(kcq->cq.fault)))
		return 0; /* CQ-14, CQ-15: a lost one reports nothing more */
	spin_lock_irqsave(&kcq->lock, flags);
	arrivals = smp_load_acquire(&kcq->arrivals); /* before anything is taken */
	solicited = untold(kcq);
	parked_ever = kcq->parked_ever;
	failed_ever = kcq->failed_ever;
	if (unlikely(!list_empty(&kcq->parked)))
		got = take_parked(kcq, out, max, size_of(ex));
	if (got < max && likely(kcq->ib))
		got += poll_hw(kcq, (char *)out + got * size_of(ex), max - got, ex);
	if (got < max && unlikely(!list_empty(&kcq->parked)))
		got += take_parked(kcq, (char *)out + got * size_of(ex), max - got, size_of(ex));
	if (got < max && unlikely(READ_ONCE(kcq->cq.fresh)))
		emptied(kcq, arrivals);
	left = unlikely(kcq->parked_ever != parked_ever) && !list_empty(&kcq->parked);
	spin_unlock_irqrestore(&kcq->lock, flags);
	if (unlikely(left))
		tell_parked(kcq, solicited || READ_ONCE(kcq->failed_ever) != failed_ever);
	return got;
}

ULONG ndk_cq_get_results_ex(NDK_CQ *pNdkCq, NDK_RESULT_EX *Results, ULONG nResults)
{
	return get_results(pNdkCq, Results, nResults, true);
}

ULONG ndk_cq_get_results(NDK_CQ *pNdkCq, NDK_RESULT *Results, ULONG nResults)
{
	return get_results(pNdkCq, Results, nResults, false);
}

void ndk_cq_pump(struct ndk_kcq *kcq, unsigned int rounds)
{
	struct ib_wc wc[NDK_POLL_BATCH] NDK_UNINIT;
	NDK_RESULT_EX result;
	struct ndk_parked *p;
	unsigned long flags;
	ULONG parked, failed;
	bool solicited;
	int i, n;

	prepare(wc);
	do {
		n = 0;
		spin_lock_irqsave(&kcq->lock, flags);
		parked = kcq->parked_ever;
		failed = kcq->failed_ever;
		solicited = untold(kcq);
		if (kcq->ib)
			n = ib_poll_cq(kcq->ib, NDK_POLL_BATCH, wc);
		for (i = 0; i < n; i++) {
			if (!ndk_shelf_complete(&wc[i], &result, &p))
				continue;
			p->result = result;
			ndk_shelf_park(kcq, p);
		}
		parked -= kcq->parked_ever;
		failed -= kcq->failed_ever;
		spin_unlock_irqrestore(&kcq->lock, flags);
		if (failed || (parked && solicited))
			ndk_cq_raise(kcq, NDK_CQ_EVENT_SOLICITED);
		else if (parked)
			ndk_cq_raise(kcq, NDK_CQ_EVENT_PLAIN);
	} while (n == NDK_POLL_BATCH && --rounds);
}

/* ---- size ---- */
static bool resizable(const struct ndk_kcq *kcq)
{
	return dev_of(kcq)->ib->ops.resize_cq;
}

/*
 * Entries the hardware needs so that its overrun is the consumer's: the completions that no consumer
 * sees come on top. Where the size is for good they are not known yet.
 */
static u32 room(const struct ndk_kcq *kcq, ULONG depth)
{
	u32 more = max(depth / 4 + 16, kcq->hidden);

	if (!resizable(kcq))
		more = depth + 64;
	return min_t(u32, depth + more, dev_of(kcq)->ib->attrs.max_cqe);
}

void ndk_cq_hide(struct ndk_kcq *kcq, long entries)
{
	u32 need;

	mutex_lock(&kcq->size);
	kcq->hidden += entries;
	if (kcq->ib && entries > 0 && resizable(kcq)) {
		need = room(kcq, kcq->cq.depth);
		if (need > kcq->ib->cqe) /* by more than this one needs; failing that, there is still some room */
			ib_resize_cq(kcq->ib, min_t(u32, need + need / 4,
						    dev_of(kcq)->ib->attrs.max_cqe));
	}
	mutex_unlock(&kcq->size);
}

static NTSTATUS resize(struct ndk_kcq *kcq)
{
	unsigned long flags;
	ULONG waiting;
	int err;

	if (!kcq->ib)
		return STATUS_DEVICE_REMOVED;
	if (ndk_api_alloc_fails(kcq->cq.obj.host))
		return STATUS_INSUFFICIENT_RESOURCES;
	ndk_cq_pump(kcq, NDK_PUMP_ALL);
	spin_lock_irqsave(&kcq->lock, flags);
	waiting = kcq->parked_now;
	spin_unlock_irqrestore(&kcq->lock, flags);
	if (waiting > kcq->cq.asked)
		return STATUS_BUFFER_OVERFLOW; /* U-33 */
	mutex_lock(&kcq->size);
	err = ib_resize_cq(kcq->ib, room(kcq, kcq->cq.asked));
	mutex_unlock(&kcq->size);
	if (err && kcq->cq.asked < kcq->cq.depth)
		return STATUS_SUCCESS; /* more room than it needs */
	return err ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

void ndk_cq_resize_hw(struct ndk_kcq *kcq)
{
	ndk_api_cq_resized(&kcq->cq, resize(kcq));
}

/* The hardware's fields have 16 bits. */
static u16 narrow(ULONG value)
{
	return min_t(ULONG, value, U16_MAX);
}

/* Settings are the latest at the time; a device that does not take them goes on as before (CQ-23). */
void ndk_cq_moderate_hw(struct ndk_kcq *kcq)
{
	ULONG interval = READ_ONCE(kcq->cq.interval);
	ULONG gather = READ_ONCE(kcq->cq.gather);
	bool none = !interval || gather <= 1;

	if (kcq->ib)
		rdma_set_cq_moderation(kcq->ib, none ? 0 : narrow(gather), none ? 0 : narrow(interval));
}

/* ---- building ---- */
NTSTATUS ndk_cq_build(struct ndk_kcq *kcq)
{
	struct ndk_device *dev = dev_of(kcq);
	struct ib_cq_init_attr attr = { .cqe = room(kcq, kcq->cq.depth) };
	struct ib_cq *ib;

	if (ndk_api_alloc_fails(kcq->cq.obj.host))
		return STATUS_INSUFFICIENT_RESOURCES;
	attr.comp_vector =
		(unsigned int)atomic_inc_return(&dev->vector) % max(dev->ib->num_comp_vectors, 1);
	ib = ib_create_cq(dev->ib, ndk_cq_completed, ndk_cq_async, kcq, &attr);
	if (IS_ERR(ib))
		return ndk_status_local(PTR_ERR(ib));
	kcq->ib = ib;
	ndk_box_part(ndk_box_of(&kcq->cq.obj), NDK_PART_CQ);
	return STATUS_SUCCESS;
}

void ndk_cq_kill(struct ndk_kcq *kcq)
{
	struct ib_cq *ib;
	unsigned long flags;

	ndk_box_unpart(ndk_box_of(&kcq->cq.obj));
	spin_lock_irqsave(&kcq->lock, flags);
	ib = kcq->ib;
	kcq->ib = NULL;
	spin_unlock_irqrestore(&kcq->lock, flags);
	if (!ib)
		return;
	ndk_cq_arm_end(kcq);
	if (kcq->armed_ever)
		ndk_compat_settle_cq(ib);
	ib_destroy_cq(ib);
}

void ndk_cq_unbuild(struct ndk_kcq *kcq)
{
	ndk_cq_kill(kcq);
	ndk_shelf_clear(kcq);
}
