// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Shared receive queues: making and ending them, posting, modifying, and who a consumed receive
 * belongs to. Control in the queue's lane with hw held, or called by removal; posting in any context.
 *
 * A receive comes back through the QP whose message used it up, and its wr_id names its place here,
 * which belongs to no QP. The QP is looked up by its hardware QP: one that is gone is not found, and
 * the receive is free again without a result. Both software devices, and every device that keeps to
 * the rules, report a receive that a QP had begun to fill when it fell into error; end() in qp.c waits
 * for that report.
 *
 * Falling below the threshold has two detectors: the device's limit event, which comes when a message
 * arrives, and our own count, which follows when completions are taken. The device is told the limit
 * only while the core watches (U-37), so that it does not report a queue that never was full.
 *
 * Memory: results may wait in a completion queue when the SRQ is gone. Each holds the box, and the
 * last of them frees the slots.
 */
#include <linux/hash.h>
#include <linux/slab.h>

#include "post.h"
#include "compat/compat.h"

/* A device that cannot resize its queue gets room for growing at once, if that is not too much. */
#define NDK_SRQ_GROWTH	 4u
#define NDK_SRQ_GROWN_TO 1024u

struct ndk_kchunk {
	struct rcu_head rcu;
	struct ndk_kchunk *next;
	struct ndk_kslot slot[];
};

static struct ndk_device *dev_of(const struct ndk_ksrq *ksrq)
{
	return ndk_box_of(&ksrq->srq.obj)->dev;
}

/* ---- memory ---- */
static int add_slots(struct ndk_ksrq *ksrq, ULONG n)
{
	struct ndk_kchunk *c;
	ULONG i;

	c = ndk_api_alloc_fails(ksrq->srq.obj.host) ? NULL :
						      kvzalloc(struct_size(c, slot, n), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		c->slot[i].parked.srq = ksrq;
		c->slot[i].parked.index = NDK_SHELF_SRQ;
	}
	spin_lock_bh(&ksrq->lock);
	c->next = ksrq->chunks;
	ksrq->chunks = c;
	for (i = n; i--;)
		ndk_srq_add_slot(&ksrq->srq, &c->slot[i].slot);
	spin_unlock_bh(&ksrq->lock);
	ksrq->slots += n;
	return 0;
}

/* Any context. */
static void free_chunks(struct ndk_kchunk *c)
{
	struct ndk_kchunk *next;

	for (; c; c = next) {
		next = c->next;
		kvfree_rcu(c, rcu);
	}
}

/* ---- events ---- */
static void raise_event(struct ndk_ksrq *ksrq, unsigned int event)
{
	if (!test_and_set_bit(event, &ksrq->events))
		ndk_box_step(ndk_box_of(&ksrq->srq.obj), NDK_STEP_SRQ_EVENT);
}

static void event_handler(struct ib_event *event, void *context)
{
	switch (event->event) {
	case IB_EVENT_SRQ_LIMIT_REACHED:
		raise_event(context, NDK_SRQ_EVENT_FELL);
		break;
	case IB_EVENT_SRQ_ERR:
		raise_event(context, NDK_SRQ_EVENT_ERROR);
		break;
	default:
		break;
	}
}

/* A device that cannot watch leaves it to our own count. */
static void watch(struct ndk_ksrq *ksrq)
{
	struct ib_srq_attr attr = { .srq_limit = ndk_srq_watching(&ksrq->srq) };

	if (ksrq->ib && attr.srq_limit)
		ib_modify_srq(ksrq->ib, &attr, IB_SRQ_LIMIT);
}

/*
 * From here on the device says nothing about the limit it had, and most have said what they were about to say. Where
 * one says it later it costs a notification too many.
 */
static void look_away(struct ndk_ksrq *ksrq)
{
	struct ib_srq_attr attr = { .srq_limit = 0 };

	if (ksrq->ib && ndk_srq_watching(&ksrq->srq) && !ib_modify_srq(ksrq->ib, &attr, IB_SRQ_LIMIT))
		ndk_compat_settle_limit(ksrq->ib->device);
	clear_bit(NDK_SRQ_EVENT_REACHED, &ksrq->events); /* or the device would be told of that limit again */
}

/* How low our own count has been, which is forgotten with that. */
static ULONG take_low(struct ndk_ksrq *ksrq)
{
	ULONG least;

	spin_lock_bh(&ksrq->lock);
	least = ksrq->low;
	ksrq->low = ~0u;
	spin_unlock_bh(&ksrq->lock);
	return least;
}

void ndk_srq_events(struct ndk_ksrq *ksrq)
{
	unsigned long events = xchg(&ksrq->events, 0);
	/*
	 * Below the threshold that is in force now: it may have been another when the receive was counted. In the moment
	 * of the change that may cost a notification too many.
	 */
	bool fell = events & BIT(NDK_SRQ_EVENT_LOW) && take_low(ksrq) < ndk_srq_watching(&ksrq->srq);

	if (events & BIT(NDK_SRQ_EVENT_ERROR)) {
		ndk_api_srq_failed(&ksrq->srq, STATUS_INTERNAL_ERROR);
		ndk_qp_break_users(dev_of(ksrq), &ksrq->srq.obj);
	}
	if (fell || events & BIT(NDK_SRQ_EVENT_FELL))
		ndk_api_srq_fell(&ksrq->srq);
	if (events & BIT(NDK_SRQ_EVENT_REACHED))
		watch(ksrq);
}

/* ---- building ---- */
static ULONG first_room(struct ndk_ksrq *ksrq)
{
	const NDK_ADAPTER_INFO *info = &ksrq->srq.obj.host->info;
	ULONG depth = ksrq->srq.depth;

	if (dev_of(ksrq)->ib->attrs.device_cap_flags & IB_DEVICE_SRQ_RESIZE)
		return depth;
	return min(info->MaxSrqDepth, max(depth * NDK_SRQ_GROWTH, NDK_SRQ_GROWN_TO));
}

NTSTATUS ndk_srq_build(struct ndk_ksrq *ksrq)
{
	struct ib_srq_init_attr attr = {
		.event_handler = event_handler,
		.srq_context = ksrq,
		.attr = { .max_sge = max(ksrq->srq.max_sge, 1u) },
		.srq_type = IB_SRQT_BASIC,
	};
	int err = add_slots(ksrq, ksrq->srq.depth);
	struct ib_srq *ib;

	if (!err && ndk_api_alloc_fails(ksrq->srq.obj.host))
		err = -ENOMEM;
	if (!err) {
		ksrq->room = first_room(ksrq);
		attr.attr.max_wr = ksrq->room;
		ib = ib_create_srq(((struct ndk_kpd *)ksrq->srq.pd)->ib, &attr);
		err = PTR_ERR_OR_ZERO(ib);
	}
	if (err) {
		free_chunks(ksrq->chunks);
		ksrq->chunks = NULL;
		return ndk_status_local(err);
	}
	ksrq->room = max(ksrq->room, attr.attr.max_wr); /* devices round up */
	ksrq->ib = ib;
	ndk_box_part(ndk_box_of(&ksrq->srq.obj), NDK_PART_SRQ);
	return STATUS_SUCCESS;
}

/* Its QPs are gone. Receives nobody used are forgotten: no completion queue is theirs. */
void ndk_srq_kill(struct ndk_ksrq *ksrq)
{
	struct ib_srq *ib;

	ndk_box_unpart(ndk_box_of(&ksrq->srq.obj));
	spin_lock_bh(&ksrq->lock);
	ib = ksrq->ib;
	ksrq->ib = NULL;
	spin_unlock_bh(&ksrq->lock);
	if (ib)
		ib_destroy_srq(ib);
}

void ndk_srq_unbuild(struct ndk_ksrq *ksrq)
{
	struct ndk_kchunk *c = NULL;

	ndk_srq_kill(ksrq);
	spin_lock_bh(&ksrq->lock);
	ksrq->over = true;
	if (!ksrq->waiting)
		swap(c, ksrq->chunks);
	spin_unlock_bh(&ksrq->lock);
	free_chunks(c);
}

/* ---- modifying ---- */
/* The device's queue only grows; what is beyond the depth is not used. */
static int grow(struct ndk_ksrq *ksrq, ULONG depth)
{
	struct ib_srq_attr attr = { .max_wr = depth };
	int err = 0;

	if (depth > ksrq->slots)
		err = add_slots(ksrq, depth - ksrq->slots);
	if (err || depth <= ksrq->room)
		return err;
	err = ib_modify_srq(ksrq->ib, &attr, IB_SRQ_MAX_WR);
	if (!err)
		ksrq->room = depth;
	return err;
}

static NTSTATUS modify(struct ndk_ksrq *ksrq)
{
	bool fits;

	if (!ksrq->ib)
		return STATUS_DEVICE_REMOVED;
	if (grow(ksrq, ksrq->srq.asked_depth))
		return STATUS_INSUFFICIENT_RESOURCES;
	spin_lock_bh(&ksrq->lock);
	fits = ndk_srq_set_depth(&ksrq->srq, ksrq->srq.asked_depth);
	spin_unlock_bh(&ksrq->lock);
	return fits ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW; /* U-38 */
}

void ndk_srq_modify_hw(struct ndk_ksrq *ksrq)
{
	NTSTATUS status = modify(ksrq);
	bool anew = NT_SUCCESS(status) && ksrq->srq.asked_threshold;

	if (anew)
		look_away(ksrq);
	ndk_srq_events(ksrq); /* what is due is due to the old threshold */
	if (anew)
		take_low(ksrq); /* what was counted meanwhile the new one judges, by the count itself */
	ndk_api_srq_answer(&ksrq->srq, status);
	watch(ksrq);
}

/* ---- posting ---- */
static NTSTATUS receive_locked(struct ndk_ksrq *ksrq, PVOID ctx, const NDK_SGE *sgl, ULONG n,
			       BOOLEAN *reached)
{
	struct ib_recv_wr wr = { .sg_list = ndk_sge_list(sgl), .num_sge = n };
	NTSTATUS status = ndk_srq_check(&ksrq->srq, sgl, n);
	struct ndk_srq_slot *slot;
	int err;

	if (status != STATUS_SUCCESS)
		return status;
	if (!ksrq->ib)
		return STATUS_DEVICE_REMOVED;
	slot = ndk_srq_post(&ksrq->srq, ctx, reached);
	wr.wr_id = (uintptr_t)&((struct ndk_kslot *)slot)->parked;
	err = ib_post_srq_recv(ksrq->ib, &wr, NULL);
	if (!err)
		return STATUS_SUCCESS;
	ndk_srq_unpost(&ksrq->srq, slot);
	return ndk_post_status(err);
}

NTSTATUS ndk_srq_receive(NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
	struct ndk_ksrq *ksrq = (struct ndk_ksrq *)ndk_obj_of(pNdkSrq, NdkObjectTypeSrq);
	NTSTATUS status = STATUS_DEVICE_REMOVED;
	BOOLEAN reached = FALSE;
	bool bh;

	if (!ksrq)
		return STATUS_INVALID_PARAMETER;
	rcu_read_lock();
	bh = ndk_queue_lock(&ksrq->lock);
	if (!READ_ONCE(dev_of(ksrq)->gone))
		status = receive_locked(ksrq, RequestContext, pSgl, nSge, &reached);
	ndk_queue_unlock(&ksrq->lock, bh);
	rcu_read_unlock();
	if (reached)
		raise_event(ksrq, NDK_SRQ_EVENT_REACHED);
	return status;
}

/* ---- whose it was ---- */
static struct hlist_head *bucket(struct ndk_ksrq *ksrq, const struct ib_qp *ib)
{
	return &ksrq->qps[hash_ptr((void *)ib, ilog2(NDK_SRQ_BUCKETS))];
}

void ndk_srq_join(struct ndk_kqp *kqp)
{
	struct ndk_ksrq *ksrq = (struct ndk_ksrq *)kqp->qp.srq;

	if (!ksrq)
		return;
	spin_lock_bh(&ksrq->lock);
	kqp->srq_key = kqp->ib;
	hlist_add_head(&kqp->srq_link, bucket(ksrq, kqp->ib));
	spin_unlock_bh(&ksrq->lock);
}

void ndk_srq_leave(struct ndk_kqp *kqp)
{
	struct ndk_ksrq *ksrq = (struct ndk_ksrq *)kqp->qp.srq;

	if (!ksrq)
		return;
	spin_lock_bh(&ksrq->lock);
	hlist_del_init(&kqp->srq_link);
	spin_unlock_bh(&ksrq->lock);
}

static struct ndk_kqp *find_qp(struct ndk_ksrq *ksrq, const struct ib_qp *ib)
{
	struct ndk_kqp *kqp;

	hlist_for_each_entry(kqp, bucket(ksrq, ib), srq_link)
		if (kqp->srq_key == ib)
			return kqp;
	return NULL;
}

/* The QP stays while kcq->lock is held: before it goes, its CQs are looked through under that lock. */
struct ndk_kqp *ndk_srq_complete(const struct ib_wc *wc, struct ndk_parked *p, NDK_RESULT_EX *out)
{
	struct ndk_kslot *ks = container_of(p, struct ndk_kslot, parked);
	struct ndk_ksrq *ksrq = p->srq;
	struct ndk_kqp *kqp;
	bool fell;

	spin_lock(&ksrq->lock);
	fell = ndk_srq_used_up(&ksrq->srq);
	if (fell)
		ksrq->low = min(ksrq->low, ksrq->srq.queued);
	kqp = find_qp(ksrq, wc->qp);
	if (kqp)
		ndk_srq_result(&kqp->qp, &ks->slot, ndk_status_wc(wc->status, NDK_OP_RECEIVE),
			       wc->status == IB_WC_SUCCESS ? wc->byte_len : 0, out);
	else
		ndk_srq_give_back(&ksrq->srq, &ks->slot);
	if (fell)
		raise_event(ksrq, NDK_SRQ_EVENT_LOW);
	spin_unlock(&ksrq->lock);
	return kqp;
}

void ndk_srq_parked(struct ndk_parked *p)
{
	struct ndk_ksrq *ksrq = p->srq;

	spin_lock(&ksrq->lock);
	ksrq->waiting++;
	spin_unlock(&ksrq->lock);
	ndk_box_get(ndk_box_of(&ksrq->srq.obj));
}

void ndk_srq_taken(struct ndk_parked *p, bool parked)
{
	struct ndk_kslot *ks = container_of(p, struct ndk_kslot, parked);
	struct ndk_ksrq *ksrq = p->srq;
	struct ndk_kchunk *c = NULL;

	spin_lock(&ksrq->lock);
	ksrq->waiting -= parked;
	if (!ksrq->over)
		ndk_srq_give_back(&ksrq->srq, &ks->slot);
	else if (!ksrq->waiting)
		swap(c, ksrq->chunks);
	spin_unlock(&ksrq->lock);
	free_chunks(c);
	if (parked)
		ndk_box_put(ndk_box_of(&ksrq->srq.obj));
}
