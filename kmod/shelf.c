// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Shelves: from a hardware completion to a result, and the place where a result waits that was taken
 * from the hardware by someone other than the consumer. See objects.h. Except for making one, all
 * under the lock of the CQ the ring completes to, in any context.
 *
 * Silent requests are mostly posted unsignalled, so a completion also stands for the unsignalled ones
 * before it: they succeeded, because the device reports every failure. After the last completion of a
 * QP that is going, the drain marker does the same for the rest.
 */
#include <linux/slab.h>

#include "objects.h"

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

static bool silent(const struct ndk_shelf *s)
{
	return s->ring->slot[s->ring->done % s->depth].flags & NDK_OP_FLAG_SILENT_SUCCESS;
}

/*
 * Retires what was posted before a request that is reported now. Silent ones succeeded. A visible one
 * should have been reported before; a device that reports a later request as flushed first (siw can)
 * has flushed the earlier one too, anything else is a loss.
 */
static void retire(struct ndk_kcq *kcq, struct ndk_shelf *s, ULONG upto, bool flushed)
{
	struct ndk_parked *p;
	NTSTATUS status;

	while (s->ring->done != upto && ndk_ring_busy(s->ring)) {
		p = &s->place[s->ring->done % s->depth];
		status = silent(s) ? STATUS_SUCCESS :
			 flushed   ? STATUS_CANCELLED :
				     STATUS_INTERNAL_ERROR;
		WARN_ON_ONCE(status == STATUS_INTERNAL_ERROR);
		if (ndk_ring_complete(&s->kqp->qp, s->ring, status, 0, &p->result))
			ndk_shelf_park(kcq, p);
	}
}

/* The drain marker came: silent requests before it that were not reported succeeded. */
static void retire_silent(struct ndk_shelf *s)
{
	NDK_RESULT_EX none;

	while (s->ring->done != s->mark && ndk_ring_busy(s->ring) && silent(s))
		ndk_ring_complete(&s->kqp->qp, s->ring, STATUS_SUCCESS, 0, &none);
}

static struct ndk_kcq *cq_of(const struct ndk_shelf *s)
{
	return (struct ndk_kcq *)(s == s->kqp->recv_shelf ? s->kqp->qp.rcq : s->kqp->qp.icq);
}

/* What a completion means beyond its result. */
static void notice(struct ndk_kqp *kqp, const struct ib_wc *wc, bool receive)
{
	if (wc->status == IB_WC_SUCCESS) {
		if (receive && READ_ONCE(kqp->qp.state) == NDK_QP_TIED)
			ndk_qp_raise(kqp, NDK_QP_EVENT_COMM_EST);
	} else if (wc->status != IB_WC_WR_FLUSH_ERR) {
		ndk_qp_raise(kqp, NDK_QP_EVENT_BROKEN); /* U-28 */
	}
}

bool ndk_shelf_complete(const struct ib_wc *wc, NDK_RESULT_EX *out, struct ndk_parked **place)
{
	struct ndk_parked *p = (struct ndk_parked *)(uintptr_t)wc->wr_id;
	struct ndk_shelf *s = p->shelf;
	struct ndk_kqp *kqp = s->kqp;
	bool receive;
	ULONG ahead;

	if (!kqp)
		return false; /* a completion the device should have dropped with its QP */
	receive = s == kqp->recv_shelf;
	if (p->index == NDK_SHELF_MARKER) {
		retire_silent(s);
		return false;
	}
	ahead = (p->index + s->depth - s->ring->done % s->depth) % s->depth;
	if (ahead >= ndk_ring_busy(s->ring))
		return false; /* cancelled before, see ndk_shelf_cancel() */
	retire(cq_of(s), s, s->ring->done + ahead, wc->status == IB_WC_WR_FLUSH_ERR);
	notice(kqp, wc, receive);
	*place = p;
	if (!ndk_ring_complete(&kqp->qp, s->ring, ndk_status_wc(wc->status, receive),
			       wc->status == IB_WC_SUCCESS ? wc->byte_len : 0, out))
		return false;
	if (wc->status != IB_WC_SUCCESS)
		out->ProviderErrorCode = wc->vendor_err ? wc->vendor_err : wc->status;
	return true;
}

void ndk_shelf_park(struct ndk_kcq *kcq, struct ndk_parked *p)
{
	list_add_tail(&p->link, &kcq->parked);
	p->shelf->waiting++;
	kcq->parked_ever++;
}

bool ndk_shelf_take(struct ndk_kcq *kcq, NDK_RESULT_EX *out)
{
	struct ndk_parked *p = list_first_entry_or_null(&kcq->parked, struct ndk_parked, link);
	struct ndk_shelf *s;

	if (!p)
		return false;
	list_del(&p->link);
	*out = p->result;
	s = p->shelf;
	s->waiting--;
	if (s->ring)
		ndk_ring_taken(s->ring);
	else if (!s->waiting)
		shelf_free(s);
	return true;
}

bool ndk_shelf_cancel(struct ndk_kcq *kcq, struct ndk_shelf *s, ULONG upto)
{
	struct ndk_parked *p;
	bool any = false;

	while (s->ring->done != upto && ndk_ring_busy(s->ring)) {
		p = &s->place[s->ring->done % s->depth];
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
