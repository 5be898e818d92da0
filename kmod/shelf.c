// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Shelves: from a hardware completion to a result, and the place where a result waits that was taken
 * from the hardware by someone other than the consumer. See objects.h. Except for making one, all
 * under the lock of the CQ the ring completes to, in any context.
 *
 * The device's completion queue is polled here, by whoever needs to know, and not only by the consumer
 * (LNX-16). Silent requests are mostly posted unsignalled (LNX-17), so a completion also stands for the unsignalled ones
 * before it: they succeeded, because the device reports every failure. After the last completion of a
 * QP that is going, the drain marker does the same for the rest.
 */
#include <linux/slab.h>

#include "objects.h"
#include "compat/compat.h"

struct ndk_shelf *ndk_shelf_make(struct ndk_kqp *kqp, struct ndk_ring *ring)
{
	struct ndk_shelf *s;
	u32 i;

	if (ndk_api_alloc_fails(kqp->qp.obj.host))
		return NULL;
	s = kvzalloc(struct_size(s, place, ring->depth), GFP_KERNEL);
	if (!s)
		return NULL;
	s->kqp = kqp;
	s->ring = ring;
	s->depth = ring->depth;
	s->marker.shelf = s;
	s->marker.index = NDK_SHELF_MARKER;
	for (i = 0; i < ring->depth; i++) {
		s->place[i].shelf = s;
		s->place[i].index = i;
	}
	return s;
}

static void shelf_free(struct ndk_shelf *s)
{
	kvfree_rcu(s, rcu); /* any context, unlike kvfree() */
}

void ndk_shelf_leave(struct ndk_shelf *s, struct ndk_kcq *kcq)
{
	unsigned long flags;

	if (!s)
		return;
	spin_lock_irqsave(&kcq->lock, flags);
	s->kqp = NULL;
	s->ring = NULL;
	if (!s->waiting)
		shelf_free(s);
	spin_unlock_irqrestore(&kcq->lock, flags);
}

/* What the end of a request means for a hardware region it names. */
static void over(struct ndk_parked *p, bool ok)
{
	if (unlikely(p->region))
		ndk_region_over(p, ok);
}

static bool silent(const struct ndk_shelf *s)
{
	return s->ring->slot[s->ring->done_at].flags & NDK_OP_FLAG_SILENT_SUCCESS;
}

/*
 * Retires what was posted before a request that is reported now. Silent ones succeeded. A visible one
 * should have been reported before; a device that reports a later request as flushed first (siw can)
 * has flushed the earlier one too, anything else is a loss.
 */
static void retire(struct ndk_kcq *kcq, struct ndk_shelf *s, UINT64 upto, bool flushed)
{
	struct ndk_parked *p;
	NTSTATUS status;

	while (s->ring->done != upto && ndk_ring_busy(s->ring)) {
		p = &s->place[s->ring->done_at];
		status = silent(s) ? STATUS_SUCCESS :
			 flushed   ? STATUS_CANCELLED :
				     STATUS_INTERNAL_ERROR;
		/* a queue that overran lost it, and its fault is on the way to be told (CQ-14) */
		WARN_ON_ONCE(status == STATUS_INTERNAL_ERROR && !ndk_cq_faulty(kcq));
		over(p, status == STATUS_SUCCESS);
		if (ndk_ring_complete(&s->kqp->qp, s->ring, status, 0, &p->result))
			ndk_shelf_park(kcq, p);
	}
}

/* The drain marker came: silent requests before it that were not reported succeeded. */
static void retire_silent(struct ndk_shelf *s)
{
	NDK_RESULT_EX none;

	while (s->ring->done != s->mark && ndk_ring_busy(s->ring) && silent(s)) {
		over(&s->place[s->ring->done_at], true);
		ndk_ring_complete(&s->kqp->qp, s->ring, STATUS_SUCCESS, 0, &none);
	}
}

static struct ndk_kcq *cq_of(const struct ndk_shelf *s)
{
	return (struct ndk_kcq *)(s == s->kqp->recv_shelf ? s->kqp->qp.rcq : s->kqp->qp.icq);
}

/* That of the completion, or of what the device means by it. */
static enum ib_wc_status status_of(const struct ndk_kqp *kqp, const struct ib_wc *wc, UCHAR op)
{
	bool data = op == NDK_OP_SEND || op == NDK_OP_SEND_INVALIDATE || op == NDK_OP_WRITE || op == NDK_OP_READ;

	if (wc->status == IB_WC_LOC_QP_OP_ERR && data &&
	    ndk_compat_fails_at_end(ndk_box_of(&kqp->qp.obj)->dev->ib))
		return IB_WC_WR_FLUSH_ERR;
	return wc->status;
}

/* What a completion means beyond its result. */
static void notice(struct ndk_kqp *kqp, enum ib_wc_status status, bool receive)
{
	if (status == IB_WC_SUCCESS) {
		if (receive && READ_ONCE(kqp->qp.state) == NDK_QP_TIED)
			ndk_qp_raise(kqp, NDK_QP_EVENT_COMM_EST);
	} else if (status != IB_WC_WR_FLUSH_ERR) {
		ndk_qp_raise(kqp, NDK_QP_EVENT_BROKEN); /* U-28 */
	}
}

/* Before its consumer can see the result (QP-23, QP-27). */
static void peer_invalidated(struct ndk_kqp *kqp, const struct ib_wc *wc, NDK_RESULT_EX *out)
{
	if (likely(!(wc->wc_flags & IB_WC_WITH_INVALIDATE)) || wc->status != IB_WC_SUCCESS)
		return;
	ndk_region_invalidated(ndk_box_of(&kqp->qp.obj)->dev, wc->ex.invalidate_rkey);
	ndk_result_invalidated(out, wc->ex.invalidate_rkey);
}

static bool complete_shared(const struct ib_wc *wc, NDK_RESULT_EX *out, struct ndk_parked *p)
{
	struct ndk_kqp *kqp = ndk_srq_complete(wc, p, out);

	if (!kqp)
		return false;
	notice(kqp, wc->status, true);
	peer_invalidated(kqp, wc, out);
	if (wc->status != IB_WC_SUCCESS)
		out->ProviderErrorCode = wc->vendor_err ? wc->vendor_err : wc->status;
	return true;
}

bool ndk_shelf_complete(const struct ib_wc *wc, NDK_RESULT_EX *out, struct ndk_parked **place)
{
	struct ndk_parked *p = (struct ndk_parked *)(uintptr_t)(wc->wr_id & ~(u64)NDK_WR_FIRST);
	struct ndk_shelf *s = p->shelf;
	struct ndk_kqp *kqp;
	enum ib_wc_status status;
	bool receive;
	ULONG ahead;
	UCHAR op;

	if (wc->wr_id & NDK_WR_FIRST && (wc->status == IB_WC_SUCCESS || wc->status == IB_WC_WR_FLUSH_ERR))
		return false; /* the one behind it says the same of both */
	if (p->index == NDK_SHELF_SRQ) {
		*place = p;
		return complete_shared(wc, out, p);
	}
	kqp = s->kqp;
	if (!kqp)
		return false; /* a completion the device should have dropped with its QP */
	receive = s == kqp->recv_shelf;
	if (p->index == NDK_SHELF_MARKER) {
		retire_silent(s);
		return false;
	}
	ahead = p->index - s->ring->done_at + (p->index < s->ring->done_at ? s->depth : 0);
	if (ahead >= ndk_ring_busy(s->ring))
		return false; /* cancelled before, see ndk_shelf_cancel() */
	op = s->ring->slot[p->index].op;
	status = status_of(kqp, wc, op);
	retire(cq_of(s), s, s->ring->done + ahead, status == IB_WC_WR_FLUSH_ERR);
	notice(kqp, status, receive);
	over(p, wc->status == IB_WC_SUCCESS);
	*place = p;
	if (!ndk_ring_complete(&kqp->qp, s->ring, ndk_status_wc(status, op),
			       wc->status == IB_WC_SUCCESS ? wc->byte_len : 0, out))
		return false;
	if (receive)
		peer_invalidated(kqp, wc, out);
	if (wc->status != IB_WC_SUCCESS)
		out->ProviderErrorCode = wc->vendor_err ? wc->vendor_err : wc->status;
	return true;
}

void ndk_shelf_park(struct ndk_kcq *kcq, struct ndk_parked *p)
{
	list_add_tail(&p->link, &kcq->parked);
	kcq->parked_ever++;
	kcq->failed_ever += p->result.Status != STATUS_SUCCESS;
	kcq->parked_now++;
	if (p->index == NDK_SHELF_SRQ)
		ndk_srq_parked(p);
	else
		p->shelf->waiting++;
}

void ndk_shelf_taken(struct ndk_parked *p)
{
	if (p->index == NDK_SHELF_SRQ)
		ndk_srq_taken(p, false);
	else
		ndk_ring_taken(p->shelf->ring);
}

bool ndk_shelf_take(struct ndk_kcq *kcq, NDK_RESULT_EX *out)
{
	struct ndk_parked *p = list_first_entry_or_null(&kcq->parked, struct ndk_parked, link);
	struct ndk_shelf *s;

	if (!p)
		return false;
	list_del(&p->link);
	kcq->parked_now--;
	*out = p->result;
	if (p->index == NDK_SHELF_SRQ) {
		ndk_srq_taken(p, true);
		return true;
	}
	s = p->shelf;
	s->waiting--;
	if (s->ring)
		ndk_ring_taken(s->ring);
	else if (!s->waiting)
		shelf_free(s);
	return true;
}

bool ndk_shelf_cancel(struct ndk_kcq *kcq, struct ndk_shelf *s, UINT64 upto)
{
	struct ndk_parked *p;
	bool any = false;

	while (s->ring->done != upto && ndk_ring_busy(s->ring)) {
		p = &s->place[s->ring->done_at];
		over(p, false);
		if (ndk_ring_complete(&s->kqp->qp, s->ring, STATUS_CANCELLED, 0, &p->result)) {
			ndk_shelf_park(kcq, p);
			any = true;
		}
	}
	return any;
}

/* The CQ goes, and with it what its consumer did not take. */
void ndk_shelf_clear(struct ndk_kcq *kcq)
{
	NDK_RESULT_EX unused;
	unsigned long flags;

	spin_lock_irqsave(&kcq->lock, flags);
	while (ndk_shelf_take(kcq, &unused))
		;
	spin_unlock_irqrestore(&kcq->lock, flags);
}
