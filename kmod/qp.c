// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Queue pairs: making and ending the hardware QP, flushing, draining. In a lane with hw held, or
 * called by removal; kqp->mutex orders the lanes of the QP and of its connector. The transitions
 * themselves are in qp_move.c, posting is in post.c.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "objects.h"
#include "compat/compat.h"

/* A flushed QP reports all it has in far less; a device that does not is not waited for longer. */
#define NDK_DRAIN_MS 5000
/* An overrun CQ has lost some of them. */
#define NDK_DRAIN_LOSSY_MS 100
/* For a device to say that it takes no more receives of a shared queue. */
#define NDK_LAST_WQE_MS 200
/* For a device to be in one state again. */
#define NDK_GATE_MS 1000
/* Looks in vain before the drain marker goes out: a millisecond or two. */
#define NDK_STALLED_ROUNDS 10u

static struct ndk_device *dev_of(const struct ndk_kqp *kqp)
{
	return ndk_box_of(&kqp->qp.obj)->dev;
}

static struct ndk_kcq *rcq_of(const struct ndk_kqp *kqp)
{
	return (struct ndk_kcq *)kqp->qp.rcq;
}

static struct ndk_kcq *icq_of(const struct ndk_kqp *kqp)
{
	return (struct ndk_kcq *)kqp->qp.icq;
}

static bool iwarp(const struct ndk_kqp *kqp)
{
	return kqp->qp.obj.host->transport == NDK_TRANSPORT_IWARP;
}

static void pump(struct ndk_kqp *kqp)
{
	ndk_cq_pump(rcq_of(kqp), NDK_PUMP_ALL);
	if (icq_of(kqp) != rcq_of(kqp))
		ndk_cq_pump(icq_of(kqp), NDK_PUMP_ALL);
}

/* ---- events ---- */
void ndk_qp_raise(struct ndk_kqp *kqp, unsigned int event)
{
	if (event == NDK_QP_EVENT_BROKEN)
		WRITE_ONCE(kqp->failed, true);
	if (event == NDK_QP_EVENT_COMM_EST)
		WRITE_ONCE(kqp->spoken, true);
	if (!test_and_set_bit(event, &kqp->events))
		ndk_box_step(ndk_box_of(&kqp->qp.obj), NDK_STEP_QP_EVENT);
}

static void event_handler(struct ib_event *event, void *context)
{
	switch (event->event) {
	case IB_EVENT_COMM_EST:
		ndk_qp_raise(context, NDK_QP_EVENT_COMM_EST);
		break;
	case IB_EVENT_QP_FATAL:
	case IB_EVENT_QP_REQ_ERR:
		/*
		 * siw says so of an answer to a read that was cut short, by the end of the connection or by a region
		 * that went; nothing tells them apart, and what follows is the end either way.
		 */
		ndk_qp_raise(context, ndk_compat_fails_at_end(event->device) ? NDK_QP_EVENT_LOOK :
									       NDK_QP_EVENT_BROKEN);
		break;
	case IB_EVENT_QP_ACCESS_ERR:
		ndk_qp_raise(context, NDK_QP_EVENT_BROKEN);
		break;
	case IB_EVENT_QP_LAST_WQE_REACHED:
		complete(&((struct ndk_kqp *)context)->last_wqe);
		break;
	default:
		break;
	}
}

/* The connector it is tied to or connected by, with its box held, or NULL. */
static struct ndk_box *connector_of(struct ndk_kqp *kqp)
{
	struct ndk_host *h = kqp->qp.obj.host;
	struct ndk_box *box = NULL;
	unsigned long flags;

	flags = ndk_kernel_ops.lock(h);
	if (kqp->qp.conn && ndk_box_tryget(ndk_box_of(&kqp->qp.conn->obj)))
		box = ndk_box_of(&kqp->qp.conn->obj);
	ndk_kernel_ops.unlock(h, flags);
	return box;
}

static void comm_est(struct ndk_kqp *kqp)
{
	struct ndk_box *box = connector_of(kqp);

	if (!box)
		return;
	ndk_cm_comm_est((struct ndk_kconn *)ndk_box_obj(box));
	ndk_box_put(box);
}

/* The peer may have noticed nothing, or only its device has: the connector tells it (U-28). */
static void broken(struct ndk_kqp *kqp)
{
	struct ndk_box *box = connector_of(kqp);

	ndk_api_qp_broken(&kqp->qp);
	if (!box)
		return;
	ndk_box_step(box, NDK_STEP_LEAVE);
	ndk_box_put(box);
}

void ndk_qp_events(struct ndk_kqp *kqp)
{
	unsigned long events = xchg(&kqp->events, 0);

	if ((events & BIT(NDK_QP_EVENT_LOOK)) && kqp->qp.obj.magic == NDK_OBJ_MAGIC) {
		pump(kqp); /* which may add to them */
		events |= xchg(&kqp->events, 0);
	}
	if (events & BIT(NDK_QP_EVENT_COMM_EST))
		comm_est(kqp);
	if ((events & BIT(NDK_QP_EVENT_BROKEN)) && kqp->qp.obj.magic == NDK_OBJ_MAGIC)
		broken(kqp);
}

/* Holds the boxes of a connector's queue pair, which comes first, and of its completion queues. */
static bool hold_queues(struct ndk_kconn *kc, struct ndk_box *box[3])
{
	struct ndk_host *h = kc->c.obj.host;
	struct ndk_qp *qp;
	unsigned long flags;
	bool there;

	flags = ndk_kernel_ops.lock(h);
	qp = kc->c.qp; /* which the connector keeps alive, and its queues with it */
	there = qp && ndk_box_tryget(ndk_box_of(&qp->obj));
	if (there) {
		box[0] = ndk_box_of(&qp->obj);
		box[1] = ndk_box_of(&qp->rcq->obj);
		box[2] = ndk_box_of(&qp->icq->obj);
		ndk_box_get(box[1]);
		ndk_box_get(box[2]);
	}
	ndk_kernel_ops.unlock(h, flags);
	return there;
}

void ndk_qp_before_end(struct ndk_kconn *kc)
{
	struct ndk_box *box[3];
	struct ndk_kqp *kqp;
	unsigned int i;

	if (!hold_queues(kc, box))
		return;
	kqp = (struct ndk_kqp *)ndk_box_obj(box[0]);
	if (kqp->qp.obj.magic == NDK_OBJ_MAGIC) {
		pump(kqp);
		/* not by the events: the lane may have taken them, and not yet told the core */
		if (READ_ONCE(kqp->spoken))
			ndk_cm_comm_est(kc);
		if (READ_ONCE(kqp->failed))
			broken(kqp);
	}
	for (i = 0; i < ARRAY_SIZE(box); i++)
		ndk_box_put(box[i]);
}

/* The QP of that queue with the lowest id beyond `after`, with its box held. */
static struct ndk_box *next_user(struct ndk_device *dev, const struct ndk_obj *queue, u32 after)
{
	struct ndk_box *box, *found = NULL;
	struct ndk_qp *qp;

	spin_lock_irq(&dev->part_lock);
	list_for_each_entry(box, &dev->part[NDK_PART_QP], part) {
		qp = (struct ndk_qp *)ndk_box_obj(box);
		if (&qp->rcq->obj != queue && &qp->icq->obj != queue &&
		    (!qp->srq || &qp->srq->obj != queue))
			continue;
		if (qp->obj.id > after && (!found || qp->obj.id < ndk_box_obj(found)->id))
			found = box;
	}
	if (found && !ndk_box_tryget(found))
		found = NULL;
	spin_unlock_irq(&dev->part_lock);
	return found;
}

void ndk_qp_break_users(struct ndk_device *dev, const struct ndk_obj *queue)
{
	struct ndk_box *box;
	struct ndk_kqp *kqp;
	u32 id = 0;

	while ((box = next_user(dev, queue, id))) {
		kqp = (struct ndk_kqp *)ndk_box_obj(box);
		id = kqp->qp.obj.id;
		ndk_qp_to_error(kqp);
		/* now, not in its lane: when the consumer is told of the queue, they refuse posts */
		if (kqp->qp.obj.magic == NDK_OBJ_MAGIC)
			ndk_api_qp_broken(&kqp->qp);
		ndk_box_put(box);
	}
}

/* ---- building ---- */
static int make_ring(struct ndk_kqp *kqp, struct ndk_ring *ring, struct ndk_shelf **shelf)
{
	if (!ring->depth)
		return 0; /* its receives are a shared queue's */
	ring->slot = kvcalloc(ring->depth, sizeof(*ring->slot), GFP_KERNEL);
	*shelf = ndk_shelf_make(kqp, ring);
	return ring->slot && *shelf ? 0 : -ENOMEM;
}

static int make_memory(struct ndk_kqp *kqp)
{
	int err;

	if (ndk_api_alloc_fails(kqp->qp.obj.host))
		return -ENOMEM;
	err = make_ring(kqp, &kqp->qp.init, &kqp->init_shelf);
	return err ? err : make_ring(kqp, &kqp->qp.recv, &kqp->recv_shelf);
}

static void free_memory(struct ndk_kqp *kqp)
{
	ndk_shelf_leave(kqp->init_shelf, icq_of(kqp));
	ndk_shelf_leave(kqp->recv_shelf, rcq_of(kqp));
	kqp->init_shelf = NULL;
	kqp->recv_shelf = NULL;
	kvfree(kqp->qp.init.slot);
	kvfree(kqp->qp.recv.slot);
	kqp->qp.init.slot = NULL;
	kqp->qp.recv.slot = NULL;
}

/* What it may add to its initiator's CQ beside the results of requests: see hidden_of(). */
static ULONG send_depth(const struct ndk_kqp *kqp)
{
	/* the drain marker, and the invalidations that go ahead of binds */
	return kqp->qp.init.depth + 1 + ndk_rebind_room(kqp);
}

/*
 * Completions no consumer sees: of the requests that are ours, and of silent ones that are signalled
 * now and then, of which eight can be under way.
 */
static ULONG hidden_of(const struct ndk_kqp *kqp)
{
	return send_depth(kqp) - kqp->qp.init.depth + min(kqp->qp.init.depth, 8u) + NDK_QUIET_MAX;
}

/*
 * Under mutex. Posts look at kqp->ib under the locks of the queues. A receive of a shared queue that
 * is reported from now on came through nobody.
 */
static void destroy_hw(struct ndk_kqp *kqp)
{
	struct ib_qp *ib;

	spin_lock_bh(&kqp->post);
	spin_lock(&kqp->take);
	ib = kqp->ib;
	kqp->ib = NULL;
	spin_unlock(&kqp->take);
	spin_unlock_bh(&kqp->post);
	ndk_srq_leave(kqp);
	ib_destroy_qp(ib);
	pump(kqp); /* no completion may be left that names a place on our shelves */
}

/* Under mutex. */
static int make_hw(struct ndk_kqp *kqp)
{
	struct ndk_ksrq *ksrq = (struct ndk_ksrq *)kqp->qp.srq;
	struct ib_qp_init_attr attr = {
		.event_handler = event_handler,
		.qp_context = kqp,
		.send_cq = icq_of(kqp)->ib,
		.recv_cq = rcq_of(kqp)->ib,
		.srq = ksrq ? ksrq->ib : NULL,
		.cap = {
			.max_send_wr = send_depth(kqp),
			.max_recv_wr = kqp->qp.recv.depth,
			/* the adapter's limit of reads overrides the QP's (QP-7) */
			.max_send_sge = max3(kqp->qp.max_init_sge, kqp->qp.obj.host->info.MaxReadRequestSge, 1u),
			.max_recv_sge = ksrq ? 0 : max(kqp->qp.max_recv_sge, 1u),
			.max_inline_data = kqp->qp.inline_size,
		},
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.qp_type = IB_QPT_RC,
	};
	struct ib_qp *ib;
	int err;

	reinit_completion(&kqp->last_wqe);
	ib = ib_create_qp(((struct ndk_kpd *)kqp->qp.pd)->ib, &attr);
	if (IS_ERR(ib))
		return PTR_ERR(ib);
	kqp->ib = ib;
	kqp->hw_state = IB_QPS_RESET;
	WRITE_ONCE(kqp->failed, false);
	WRITE_ONCE(kqp->spoken, false);
	ndk_srq_join(kqp);
	err = ndk_qp_move_init(kqp);
	if (err)
		destroy_hw(kqp);
	return err;
}

NTSTATUS ndk_qp_build(struct ndk_kqp *kqp)
{
	int err = make_memory(kqp);

	mutex_lock(&kqp->mutex);
	if (!err)
		err = ndk_api_alloc_fails(kqp->qp.obj.host) ? -ENOMEM : make_hw(kqp);
	mutex_unlock(&kqp->mutex);
	if (err) {
		free_memory(kqp);
		return ndk_status_local(err);
	}
	kqp->hidden = hidden_of(kqp);
	kqp->fence = ndk_compat_overtakes_reads(dev_of(kqp)->ib) ? IB_SEND_FENCE : 0;
	ndk_cq_hide(icq_of(kqp), kqp->hidden);
	ndk_cq_watch(rcq_of(kqp));
	ndk_box_part(ndk_box_of(&kqp->qp.obj), NDK_PART_QP);
	return STATUS_SUCCESS;
}

/* ---- draining, under mutex ---- */
/* What waits at the gate is not at the device. */
static UINT64 posted_to_device(struct ndk_kqp *kqp)
{
	struct ndk_held *first;
	UINT64 upto;

	spin_lock_bh(&kqp->take);
	first = list_first_entry_or_null(&kqp->held, struct ndk_held, link);
	upto = first ? first->position : kqp->qp.recv.head;
	spin_unlock_bh(&kqp->take);
	return upto;
}

static bool quiet(struct ndk_kqp *kqp)
{
	return !ndk_ring_busy(&kqp->qp.init) &&
	       READ_ONCE(kqp->qp.recv.done) >= posted_to_device(kqp);
}

static void cancel(struct ndk_kcq *kcq, struct ndk_shelf *s, UINT64 upto)
{
	unsigned long flags;
	bool any;

	spin_lock_irqsave(&kcq->lock, flags);
	any = ndk_shelf_cancel(kcq, s, upto);
	spin_unlock_irqrestore(&kcq->lock, flags);
	if (any)
		ndk_cq_raise(kcq, NDK_CQ_EVENT_SOLICITED);
}

/*
 * The device has forgotten its requests: those without a result get one here. The queues are locked,
 * because a post that is about to fail has its slot in the ring until it does.
 */
static void cancel_rest(struct ndk_kqp *kqp)
{
	spin_lock_bh(&kqp->post);
	cancel(icq_of(kqp), kqp->init_shelf, kqp->qp.init.head);
	spin_unlock_bh(&kqp->post);
	if (!kqp->recv_shelf)
		return;
	spin_lock_bh(&kqp->take);
	cancel(rcq_of(kqp), kqp->recv_shelf, kqp->qp.recv.head);
	spin_unlock_bh(&kqp->take);
}

/*
 * A software device flushes in a tasklet, which was scheduled outside an interrupt and so waits for a
 * thread. Bottom halves going on let it run here and now.
 */
static void run_softirqs(void)
{
	local_bh_disable();
	local_bh_enable();
}

static unsigned int patience(const struct ndk_kqp *kqp)
{
	return READ_ONCE(kqp->qp.rcq->fault) || READ_ONCE(kqp->qp.icq->fault) ? NDK_DRAIN_LOSSY_MS :
										NDK_DRAIN_MS;
}

/* Removal has one deadline for all. */
static unsigned long deadline(const struct ndk_kqp *kqp)
{
	unsigned long end = jiffies + msecs_to_jiffies(patience(kqp));
	struct ndk_device *dev = dev_of(kqp);

	return dev->gone && time_after(end, dev->drain_end) ? dev->drain_end : end;
}

/*
 * The marker is for silent requests of which nothing will be heard: it goes out when nothing has been
 * heard for a while, not before, because a device may report it ahead of what it is still flushing.
 */
static bool drain(struct ndk_kqp *kqp)
{
	unsigned long end = deadline(kqp);
	UINT64 done = kqp->qp.init.done;
	unsigned int stalled = 0;

	for (;;) {
		run_softirqs();
		pump(kqp);
		if (quiet(kqp))
			return true;
		if (time_after(jiffies, end))
			return false;
		if (done != READ_ONCE(kqp->qp.init.done))
			stalled = 0;
		done = READ_ONCE(kqp->qp.init.done);
		if (++stalled % NDK_STALLED_ROUNDS == 0 && ndk_ring_busy(&kqp->qp.init))
			ndk_post_marker(kqp);
		usleep_range(50, 200);
	}
}

/*
 * Receives stay with the shared queue, but for one that a message had begun to fill: it is reported
 * as flushed, and nothing of ours counts it.
 */
static void drain_shared(struct ndk_kqp *kqp)
{
	if (!ndk_compat_settle_begun(kqp->ib->device))
		wait_for_completion_timeout(&kqp->last_wqe, msecs_to_jiffies(NDK_LAST_WQE_MS));
	pump(kqp);
}

/* The device has nothing of it any more. On iWARP only destroying it is a proof. */
static void forget(struct ndk_kqp *kqp)
{
	if (iwarp(kqp) || ndk_qp_move(kqp, IB_QPS_RESET))
		destroy_hw(kqp);
	pump(kqp);
	synchronize_rcu(); /* posts that began before */
	cancel_rest(kqp);
}

/*
 * For good. No DMA is left at return (DISC-4): flushed requests have all been reported, or the QP is
 * in RESET, where the device has none, or there is no hardware QP any more. What waited at the gate
 * comes last, as it was posted last.
 */
static void end(struct ndk_kqp *kqp)
{
	kqp->ended = true;
	/* a QP that does not even go to the error state flushes nothing: no use in waiting */
	if (ndk_qp_move(kqp, IB_QPS_ERR) || !drain(kqp)) {
		if (patience(kqp) == NDK_DRAIN_MS)
			pr_warn_ratelimited(
				"ndk: %s: a flushed queue pair did not report all its requests\n",
				dev_of(kqp)->name);
		forget(kqp);
	} else if (kqp->qp.srq) {
		drain_shared(kqp);
	}
	ndk_post_held(kqp, NDK_GATE_GONE);
}

void ndk_qp_to_error(struct ndk_kqp *kqp)
{
	mutex_lock(&kqp->mutex);
	if (kqp->ib)
		ndk_qp_move(kqp, IB_QPS_ERR);
	mutex_unlock(&kqp->mutex);
}

void ndk_qp_drain_hw(struct ndk_kqp *kqp)
{
	mutex_lock(&kqp->mutex);
	if (kqp->ib)
		end(kqp);
	mutex_unlock(&kqp->mutex);
}

/* ---- flushing ---- */
/*
 * An iWARP QP does not come back from the error state, whatever the device says about it: it gets a
 * successor. Nothing of the old one may be left, and the gate keeps receives away meanwhile.
 */
static int rebuild(struct ndk_kqp *kqp)
{
	destroy_hw(kqp);
	return make_hw(kqp);
}

static int reset(struct ndk_kqp *kqp)
{
	int err = ndk_qp_move(kqp, IB_QPS_ERR);

	if (!err && !drain(kqp))
		err = -ETIMEDOUT;
	if (!err && iwarp(kqp))
		return rebuild(kqp);
	if (!err)
		err = ndk_qp_move(kqp, IB_QPS_RESET);
	if (!err)
		err = ndk_qp_move_init(kqp);
	return err;
}

/* Carries out the reset that is due. */
static void carry_reset(struct ndk_kqp *kqp)
{
	int err;

	spin_lock_bh(&kqp->take);
	kqp->reset_due = false;
	spin_unlock_bh(&kqp->take);
	err = reset(kqp);
	if (err && kqp->ib)
		end(kqp);
	else
		ndk_post_held(kqp, err ? NDK_GATE_GONE : NDK_GATE_RESET);
	if (err)
		ndk_qp_raise(kqp, NDK_QP_EVENT_BROKEN);
}

/*
 * The device is between two states for as long as it takes it, and has receives from before, which nobody but itself
 * may end. If it stays there the QP has come to its end, and flushes all of them in order.
 */
void ndk_qp_open_gate(struct ndk_kqp *kqp)
{
	unsigned long until = jiffies + msecs_to_jiffies(NDK_GATE_MS);
	bool again;
	int err;

	do {
		mutex_lock(&kqp->mutex);
		err = ndk_post_waiting(kqp);
		again = err == -ENOTCONN && time_before(jiffies, until) && !READ_ONCE(dev_of(kqp)->going);
		if (err && !again && kqp->ib)
			end(kqp);
		else if (err && !again)
			ndk_post_held(kqp, NDK_GATE_GONE);
		mutex_unlock(&kqp->mutex);
		if (again)
			usleep_range(100, 300);
	} while (again);
	if (err)
		ndk_qp_raise(kqp, NDK_QP_EVENT_BROKEN);
}

/* The lock also waits for a flush that the core knows of and that is about to close the gate. */
static bool reset_due(struct ndk_kqp *kqp)
{
	bool due;

	spin_lock_bh(&kqp->take);
	due = kqp->reset_due;
	spin_unlock_bh(&kqp->take);
	return due;
}

/*
 * The lane of the QP and that of its connector are not ordered with each other: a connection that
 * begins after a flush must not be met by its reset. So it carries the reset out itself, and the lane
 * then finds nothing due.
 */
void ndk_qp_settle(struct ndk_kqp *kqp)
{
	while (kqp->ib && !kqp->ended && reset_due(kqp))
		carry_reset(kqp);
}

u32 ndk_qp_number(struct ndk_kqp *kqp)
{
	u32 number;

	mutex_lock(&kqp->mutex);
	ndk_qp_settle(kqp);
	number = kqp->ib ? kqp->ib->qp_num : 0;
	mutex_unlock(&kqp->mutex);
	return number;
}

static void flush(struct ndk_kqp *kqp, ULONG how)
{
	if (how == NDK_QP_FLUSH_RESET && !kqp->ended) {
		ndk_qp_settle(kqp);
		return;
	}
	ndk_qp_move(kqp, IB_QPS_ERR);
	ndk_post_held(kqp, NDK_GATE_ERROR);
}

void ndk_qp_flush_hw(struct ndk_kqp *kqp, ULONG how)
{
	mutex_lock(&kqp->mutex);
	if (kqp->ib)
		flush(kqp, how);
	else
		ndk_post_held(kqp, NDK_GATE_GONE); /* it could not be rebuilt */
	mutex_unlock(&kqp->mutex);
}

/*
 * After a failed attempt to connect that got as far as the peer, over iWARP: the CM's driver has
 * spoiled the QP. It becomes as good as new for the next attempt, at the price of its receives.
 */
void ndk_qp_revive(struct ndk_kqp *kqp)
{
	spin_lock_bh(&kqp->take);
	ndk_post_gate(kqp);
	spin_unlock_bh(&kqp->take);
	ndk_qp_flush_hw(kqp, NDK_QP_FLUSH_RESET);
}

/* ---- the end ---- */
/* The results of what was posted stay retrievable: they are on the shelves (U-23). */
void ndk_qp_kill(struct ndk_kqp *kqp)
{
	ndk_box_unpart(ndk_box_of(&kqp->qp.obj));
	ndk_qp_drain_hw(kqp);
	mutex_lock(&kqp->mutex);
	if (kqp->ib) {
		destroy_hw(kqp);
		cancel_rest(kqp);
	}
	ndk_post_held(kqp, NDK_GATE_GONE); /* of one that could not be rebuilt */
	mutex_unlock(&kqp->mutex);
	ndk_cq_hide(icq_of(kqp), -(long)kqp->hidden);
	kqp->hidden = 0;
}

void ndk_qp_unbuild(struct ndk_kqp *kqp)
{
	ndk_qp_kill(kqp);
	free_memory(kqp);
}
