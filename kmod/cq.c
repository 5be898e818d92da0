// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Completion queues: polling, arming, notification.
 *
 * kcq->lock serialises whoever takes completions from the hardware: the consumer, and workers that
 * drain a QP. The driver's handlers may run under the driver's locks, even inside our own posting
 * calls, so they only raise an event; the lane asks the core and calls the consumer.
 *
 * Nothing is lost between polling and arming: the hardware arm asks for missed events, and parked
 * results raise an event of their own.
 */
#include "objects.h"
#include "compat/compat.h"

#define NDK_POLL_BATCH 8u

static struct ndk_device *dev_of(const struct ndk_kcq *kcq)
{
	return ndk_box_of(&kcq->cq.obj)->dev;
}

/* ---- events ---- */
void ndk_cq_raise(struct ndk_kcq *kcq, unsigned int event)
{
	if (!test_and_set_bit(event, &kcq->events))
		ndk_box_step(ndk_box_of(&kcq->cq.obj), NDK_STEP_CQ_EVENT);
}

static void comp_handler(struct ib_cq *ib, void *context)
{
	struct ndk_kcq *kcq = context;

	ndk_cq_raise(kcq, test_and_clear_bit(0, &kcq->armed_any) ? NDK_CQ_EVENT_PLAIN :
								   NDK_CQ_EVENT_SOLICITED);
}

static void event_handler(struct ib_event *event, void *context)
{
	if (event->event == IB_EVENT_CQ_ERR)
		ndk_cq_raise(context, NDK_CQ_EVENT_ERROR);
}

/* The next QP of this CQ after `last` in the device's list, with its box held. */
static struct ndk_box *next_qp(struct ndk_kcq *kcq, struct ndk_box *last)
{
	struct ndk_device *dev = dev_of(kcq);
	struct ndk_box *box, *found = NULL;
	bool past = !last;
	struct ndk_qp *qp;

	spin_lock_irq(&dev->part_lock);
	list_for_each_entry(box, &dev->part[NDK_PART_QP], part) {
		qp = (struct ndk_qp *)ndk_box_obj(box);
		if (past && (qp->rcq == &kcq->cq || qp->icq == &kcq->cq) && ndk_box_tryget(box)) {
			found = box;
			break;
		}
		if (box == last)
			past = true;
	}
	spin_unlock_irq(&dev->part_lock);
	return found;
}

/* An overrun CQ has lost completions: its QPs cannot go on (CQ-14). */
static void break_qps(struct ndk_kcq *kcq)
{
	struct ndk_box *box = next_qp(kcq, NULL), *next;
	struct ndk_kqp *kqp;

	while (box) {
		kqp = (struct ndk_kqp *)ndk_box_obj(box);
		ndk_qp_to_error(kqp);
		ndk_qp_raise(kqp, NDK_QP_EVENT_BROKEN);
		next = next_qp(kcq, box);
		ndk_box_put(box);
		box = next;
	}
}

/* In the lane. A notification is called right here, which saves it a turn in the queue. */
void ndk_cq_events(struct ndk_kcq *kcq)
{
	struct ndk_host *h = kcq->cq.obj.host;
	unsigned long events = xchg(&kcq->events, 0);
	unsigned long flags;
	struct ndk_fx fx;
	ULONG i;

	ndk_fx_init(&fx);
	flags = ndk_kernel_ops.lock(h);
	if (events & BIT(NDK_CQ_EVENT_ERROR))
		ndk_cq_failed(&kcq->cq, STATUS_BUFFER_OVERFLOW, &fx);
	if (events & BIT(NDK_CQ_EVENT_SOLICITED))
		ndk_cq_arrived(&kcq->cq, TRUE, &fx);
	else if (events & BIT(NDK_CQ_EVENT_PLAIN))
		ndk_cq_arrived(&kcq->cq, FALSE, &fx);
	ndk_kernel_ops.unlock(h, flags);
	if (events & BIT(NDK_CQ_EVENT_ERROR)) {
		down_read(&dev_of(kcq)->hw);
		break_qps(kcq);
		up_read(&dev_of(kcq)->hw);
	}
	for (i = 0; i < fx.count; i++) {
		if (fx.e[i].kind == NDK_FX_CALL_CQ)
			ndk_api_call(h, &fx.e[i]);
		else
			ndk_kernel_ops.carry(h, &fx.e[i]);
	}
}

/* ---- arming ---- */
VOID ndk_cq_arm_hw(NDK_CQ *pNdkCq, ULONG Type)
{
	struct ndk_kcq *kcq = (struct ndk_kcq *)ndk_obj_of(pNdkCq, NdkObjectTypeCq);
	struct ndk_host *h;
	unsigned long flags;
	struct ndk_fx fx;
	int missed = 0;
	ULONG wants;

	if (!kcq)
		return;
	h = kcq->cq.obj.host;
	ndk_fx_init(&fx);
	flags = ndk_kernel_ops.lock(h);
	ndk_cq_arm(&kcq->cq, Type, &fx);
	wants = ndk_cq_wants(&kcq->cq);
	ndk_kernel_ops.unlock(h, flags);
	ndk_api_run(h, &fx);
	if (!wants)
		return;
	rcu_read_lock();
	if (!READ_ONCE(dev_of(kcq)->gone)) {
		kcq->armed_ever = true;
		if (wants == NDK_CQ_NOTIFY_ANY)
			set_bit(0, &kcq->armed_any);
		missed = ib_req_notify_cq(kcq->ib, (wants == NDK_CQ_NOTIFY_ANY ? IB_CQ_NEXT_COMP :
										 IB_CQ_SOLICITED) |
							   IB_CQ_REPORT_MISSED_EVENTS);
	}
	rcu_read_unlock();
	/* which kind the missed ones are is not known; one wake-up too many beats one too few (CQ-5) */
	if (missed > 0)
		ndk_cq_raise(kcq, wants == NDK_CQ_NOTIFY_ANY ? NDK_CQ_EVENT_PLAIN :
							       NDK_CQ_EVENT_SOLICITED);
}

/* ---- polling ---- */
/* Under the lock: moves results straight to the consumer. */
static ULONG poll_hw(struct ndk_kcq *kcq, NDK_RESULT_EX *out, ULONG max)
{
	struct ib_wc wc[NDK_POLL_BATCH];
	struct ndk_parked *p;
	ULONG got = 0;
	int i, n, want;

	while (got < max) {
		want = min(max - got, NDK_POLL_BATCH);
		n = ib_poll_cq(kcq->ib, want, wc);
		for (i = 0; i < n; i++) {
			if (!ndk_shelf_complete(&wc[i], &out[got], &p))
				continue;
			ndk_ring_taken(p->shelf->ring);
			got++;
		}
		if (n < want)
			break;
	}
	return got;
}

ULONG ndk_cq_get_results_ex(NDK_CQ *pNdkCq, NDK_RESULT_EX *Results, ULONG nResults)
{
	struct ndk_kcq *kcq = (struct ndk_kcq *)ndk_obj_of(pNdkCq, NdkObjectTypeCq);
	unsigned long flags, host_flags;
	ULONG got = 0;

	if (!kcq || (nResults && !Results))
		return 0;
	spin_lock_irqsave(&kcq->lock, flags);
	while (got < nResults && ndk_shelf_take(kcq, &Results[got]))
		got++;
	if (got < nResults && kcq->ib)
		got += poll_hw(kcq, &Results[got], nResults - got);
	if (got < nResults && READ_ONCE(kcq->cq.fresh)) {
		/* under our lock, so that nothing is parked between the look and the forgetting */
		host_flags = ndk_kernel_ops.lock(kcq->cq.obj.host);
		ndk_cq_emptied(&kcq->cq);
		ndk_kernel_ops.unlock(kcq->cq.obj.host, host_flags);
	}
	spin_unlock_irqrestore(&kcq->lock, flags);
	return got;
}

ULONG ndk_cq_get_results(NDK_CQ *pNdkCq, NDK_RESULT *Results, ULONG nResults)
{
	NDK_RESULT_EX ex[NDK_POLL_BATCH];
	ULONG got = 0, want, n, i;

	while (got < nResults) {
		want = min(nResults - got, NDK_POLL_BATCH);
		n = ndk_cq_get_results_ex(pNdkCq, ex, want);
		for (i = 0; i < n; i++) {
			Results[got].Status = ex[i].Status;
			Results[got].BytesTransferred = ex[i].BytesTransferred;
			Results[got].QPContext = ex[i].QPContext;
			Results[got++].RequestContext = ex[i].RequestContext;
		}
		if (n < want)
			break;
	}
	return got;
}

void ndk_cq_pump(struct ndk_kcq *kcq, unsigned int rounds)
{
	struct ib_wc wc[NDK_POLL_BATCH];
	NDK_RESULT_EX result;
	struct ndk_parked *p;
	unsigned long flags;
	ULONG before;
	bool any = false;
	int i, n;

	do {
		n = 0;
		spin_lock_irqsave(&kcq->lock, flags);
		before = kcq->parked_ever;
		if (kcq->ib)
			n = ib_poll_cq(kcq->ib, NDK_POLL_BATCH, wc);
		for (i = 0; i < n; i++) {
			if (!ndk_shelf_complete(&wc[i], &result, &p))
				continue;
			p->result = result;
			ndk_shelf_park(kcq, p);
		}
		any = any || kcq->parked_ever != before;
		spin_unlock_irqrestore(&kcq->lock, flags);
	} while (n == NDK_POLL_BATCH && --rounds);
	if (any)
		ndk_cq_raise(kcq, NDK_CQ_EVENT_SOLICITED);
}

/* ---- building ---- */
NTSTATUS ndk_cq_build(struct ndk_kcq *kcq)
{
	struct ndk_device *dev = dev_of(kcq);
	struct ib_cq_init_attr attr = {};
	struct ib_cq *ib;

	if (ndk_api_alloc_fails(kcq->cq.obj.host))
		return STATUS_INSUFFICIENT_RESOURCES;
	/* room for the completions that no consumer sees: now and then one of a silent request, drain markers */
	attr.cqe = min_t(u32, kcq->cq.depth + kcq->cq.depth / 4 + 16, dev->ib->attrs.max_cqe);
	attr.comp_vector =
		(unsigned int)atomic_inc_return(&dev->vector) % max(dev->ib->num_comp_vectors, 1);
	ib = ib_create_cq(dev->ib, comp_handler, event_handler, kcq, &attr);
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
	if (kcq->armed_ever)
		ndk_compat_settle_cq(ib);
	ib_destroy_cq(ib);
}

void ndk_cq_unbuild(struct ndk_kcq *kcq)
{
	ndk_cq_kill(kcq);
	ndk_shelf_clear(kcq);
}
