/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What all posting calls do alike. Any context the interface allows. The consumer serialises the
 * posts to one queue; the queue's lock is against our own workers, and it turns bottom halves off,
 * which a software device rewards: its tasklet then runs in the poster when they come back on, not in
 * a thread later. That is an RCU read section, too: removal waits for posts that have not seen it.
 */
#ifndef NDK_POST_H
#define NDK_POST_H

#include "objects.h"

/* Turning bottom halves back on is not allowed where interrupts are off. */
static __always_inline bool ndk_queue_lock(spinlock_t *lock)
{
	if (irqs_disabled()) {
		spin_lock(lock);
		return false;
	}
	spin_lock_bh(lock);
	return true;
}

static __always_inline void ndk_queue_unlock(spinlock_t *lock, bool bh)
{
	if (bh)
		spin_unlock_bh(lock);
	else
		spin_unlock(lock);
}

/* An SGE is what verbs take, member for member: one 64-bit word, whichever of the two it is (QP-9). */
static inline struct ib_sge *ndk_sge_list(const NDK_SGE *sgl)
{
	BUILD_BUG_ON(sizeof(NDK_SGE) != sizeof(struct ib_sge));
	BUILD_BUG_ON(offsetof(NDK_SGE, LogicalAddress) != offsetof(struct ib_sge, addr));
	BUILD_BUG_ON(offsetof(NDK_SGE, Length) != offsetof(struct ib_sge, length));
	BUILD_BUG_ON(offsetof(NDK_SGE, MemoryRegionToken) != offsetof(struct ib_sge, lkey));
	return (struct ib_sge *)sgl; /* drivers only read it */
}

/* Batches of completions a post takes from the hardware when it finds no room. */
#define NDK_PUMP_WHEN_FULL 16u

/*
 * Under the queue's lock. The slot counts as posted before the device has the request: its completion
 * may be polled on another processor before the post has returned.
 */
static inline struct ndk_parked *ndk_slot_begin(struct ndk_shelf *s, struct ndk_ring *r, PVOID ctx,
						UCHAR op, ULONG flags)
{
	struct ndk_parked *p = &s->place[ndk_ring_next(r)];

	ndk_ring_fill(r, ctx, op, flags);
	ndk_ring_post(r);
	return p;
}

/* The device did not take it: nothing but the poster writes head, and nothing completed the slot. */
static inline void ndk_slot_undo(struct ndk_ring *r)
{
	ndk_ring_unpost(r);
}

/*
 * Silent requests are signalled now and then, so that their slots come back. The consumer does not
 * see those completions.
 */
static inline bool ndk_slot_signalled(struct ndk_kqp *kqp, ULONG flags)
{
	if ((flags & NDK_OP_FLAG_SILENT_SUCCESS) && ++kqp->unsignaled < kqp->qp.init.depth / 4)
		return false;
	kqp->unsignaled = 0;
	return true;
}

/* Under the initiator queue's lock. */
NTSTATUS ndk_post_read_locked(struct ndk_kqp *kqp, struct ib_rdma_wr *wr, PVOID ctx,
			      const NDK_SGE *sgl, ULONG n, ULONG flags);
NTSTATUS ndk_post_read_invalidate(NDK_QP *qp, PVOID ctx, const NDK_SGE *sgl, ULONG n,
				  struct ib_rdma_wr *wr, ULONG flags);

static inline NTSTATUS ndk_post_status(int err)
{
	switch (err) {
	case -ENOMEM:
		return STATUS_NO_MORE_ENTRIES;
	case -ENOTCONN: /* the connection ends at this moment (siw) */
		return STATUS_CONNECTION_INVALID;
	default:
		return STATUS_INTERNAL_ERROR;
	}
}

#endif
