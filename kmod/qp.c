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

/* A flushed QP reports all it has in far less; a device that does not is not waited for longer. */
#define NDK_DRAIN_MS 5000
/* An overrun CQ has lost some of them. */
#define NDK_DRAIN_LOSSY_MS 100
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

/* ---- events ---- */
void ndk_qp_raise(struct ndk_kqp *kqp, unsigned int event)
{
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
	case IB_EVENT_QP_ACCESS_ERR:
		ndk_qp_raise(context, NDK_QP_EVENT_BROKEN);
		break;
	default:
		break;
	}
}

static void comm_est(struct ndk_kqp *kqp)
{
	struct ndk_host *h = kqp->qp.obj.host;
	struct ndk_box *box = NULL;
	unsigned long flags;

	flags = ndk_kernel_ops.lock(h);
	if (kqp->qp.conn && ndk_box_tryget(ndk_box_of(&kqp->qp.conn->obj)))
		box = ndk_box_of(&kqp->qp.conn->obj);
	ndk_kernel_ops.unlock(h, flags);
	if (!box)
		return;
	ndk_cm_comm_est((struct ndk_kconn *)ndk_box_obj(box));
	ndk_box_put(box);
}

void ndk_qp_events(struct ndk_kqp *kqp)
{
	unsigned long events = xchg(&kqp->events, 0);

	if (events & BIT(NDK_QP_EVENT_COMM_EST))
		comm_est(kqp);
	if ((events & BIT(NDK_QP_EVENT_BROKEN)) && kqp->qp.obj.magic == NDK_OBJ_MAGIC)
		ndk_api_qp_broken(&kqp->qp);
}

/* ---- building ---- */
static int make_memory(struct ndk_kqp *kqp)
{
	struct ndk_qp *qp = &kqp->qp;

	if (ndk_api_alloc_fails(qp->obj.host))
		return -ENOMEM;
	qp->init.slot = kvcalloc(qp->init.depth, sizeof(*qp->init.slot), GFP_KERNEL);
	qp->recv.slot = kvcalloc(qp->recv.depth, sizeof(*qp->recv.slot), GFP_KERNEL);
	kqp->init_shelf = ndk_shelf_make(kqp, &qp->init);
	kqp->recv_shelf = ndk_shelf_make(kqp, &qp->recv);
	return qp->init.slot && qp->recv.slot && kqp->init_shelf && kqp->recv_shelf ? 0 : -ENOMEM;
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

/* Under mutex. */
static int make_hw(struct ndk_kqp *kqp)
{
	struct ib_qp_init_attr attr = {
		.event_handler = event_handler,
		.qp_context = kqp,
		.send_cq = icq_of(kqp)->ib,
		.recv_cq = rcq_of(kqp)->ib,
		.cap = {
			.max_send_wr = kqp->qp.init.depth + 1, /* the drain marker */
			.max_recv_wr = kqp->qp.recv.depth,
			.max_send_sge = max(kqp->qp.max_init_sge, 1u),
			.max_recv_sge = max(kqp->qp.max_recv_sge, 1u),
			.max_inline_data = kqp->qp.inline_size,
		},
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.qp_type = IB_QPT_RC,
	};
	struct ib_qp *ib;
	int err;

	ib = ib_create_qp(((struct ndk_kpd *)kqp->qp.pd)->ib, &attr);
	if (IS_ERR(ib))
		return PTR_ERR(ib);
	kqp->ib = ib;
	err = ndk_qp_move_init(kqp);
	if (err) {
		kqp->ib = NULL;
		ib_destroy_qp(ib);
	}
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
	ndk_box_part(ndk_box_of(&kqp->qp.obj), NDK_PART_QP);
	return STATUS_SUCCESS;
}

/* ---- draining, under mutex ---- */
static void pump(struct ndk_kqp *kqp)
{
	ndk_cq_pump(rcq_of(kqp), NDK_PUMP_ALL);
	if (icq_of(kqp) != rcq_of(kqp))
		ndk_cq_pump(icq_of(kqp), NDK_PUMP_ALL);
}

/* What waits at the gate is not at the device. */
static ULONG posted_to_device(struct ndk_kqp *kqp)
{
	struct ndk_held *first;
	ULONG upto;

	spin_lock_bh(&kqp->take);
	first = list_first_entry_or_null(&kqp->held, struct ndk_held, link);
	upto = first ? first->position : kqp->qp.recv.head;
	spin_unlock_bh(&kqp->take);
	return upto;
}

static bool quiet(struct ndk_kqp *kqp)
{
	return !ndk_ring_busy(&kqp->qp.init) &&
	       (LONG)(READ_ONCE(kqp->qp.recv.done) - posted_to_device(kqp)) >= 0;
}

static void cancel(struct ndk_kcq *kcq, struct ndk_shelf *s, ULONG upto)
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

/*
 * The marker is for silent requests of which nothing will be heard: it goes out when nothing has been
 * heard for a while, not before, because a device may report it ahead of what it is still flushing.
 */
static bool drain(struct ndk_kqp *kqp)
{
	unsigned long end = jiffies + msecs_to_jiffies(patience(kqp));
	ULONG done = kqp->qp.init.done;
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
 * For good. No DMA is left at return (DISC-4): flushed requests have all been reported, or the QP is
 * in RESET, where the device has none. What waited at the gate comes last, as it was posted last.
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
		ndk_qp_move(kqp, IB_QPS_RESET);
		pump(kqp);
		synchronize_rcu(); /* posts that began before the reset */
		cancel_rest(kqp);
	}
	ndk_post_held(kqp, false);
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
	struct ib_qp *old = kqp->ib;

	spin_lock_bh(&kqp->take); /* receives look at it under this lock */
	kqp->ib = NULL;
	spin_unlock_bh(&kqp->take);
	ib_destroy_qp(old);
	pump(kqp);
	return make_hw(kqp);
}

static int reset(struct ndk_kqp *kqp)
{
	int err = ndk_qp_move(kqp, IB_QPS_ERR);

	if (!err && !drain(kqp))
		err = -ETIMEDOUT;
	if (!err && kqp->qp.obj.host->transport == NDK_TRANSPORT_IWARP)
		return rebuild(kqp);
	if (!err)
		err = ndk_qp_move(kqp, IB_QPS_RESET);
	if (!err)
		err = ndk_qp_move_init(kqp);
	return err;
}

/*
 * Carries out the reset that is due. If another flush closed the gate again meanwhile, its own reset
 * is due and opens it: what waits there was posted between the two and is that one's to cancel.
 */
static void carry_reset(struct ndk_kqp *kqp)
{
	bool again;
	u32 seq;
	int err;

	spin_lock_bh(&kqp->take);
	kqp->reset_due = false;
	seq = kqp->gate_seq;
	spin_unlock_bh(&kqp->take);
	err = reset(kqp);
	spin_lock_bh(&kqp->take);
	again = kqp->gate_seq != seq;
	spin_unlock_bh(&kqp->take);
	if (err && kqp->ib)
		end(kqp);
	else if (!again)
		ndk_post_held(kqp, !err);
	if (err)
		ndk_qp_raise(kqp, NDK_QP_EVENT_BROKEN);
}

/*
 * The lane of the QP and that of its connector are not ordered with each other: a connection that
 * begins after a flush must not be met by its reset. So it carries the reset out itself, and the lane
 * then finds nothing due.
 */
void ndk_qp_settle(struct ndk_kqp *kqp)
{
	while (kqp->ib && !kqp->ended && READ_ONCE(kqp->reset_due))
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
	ndk_post_held(kqp, true);
}

void ndk_qp_flush_hw(struct ndk_kqp *kqp, ULONG how)
{
	mutex_lock(&kqp->mutex);
	if (kqp->ib)
		flush(kqp, how);
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
	struct ib_qp *ib;

	ndk_box_unpart(ndk_box_of(&kqp->qp.obj));
	ndk_qp_drain_hw(kqp);
	mutex_lock(&kqp->mutex);
	ib = kqp->ib;
	kqp->ib = NULL;
	mutex_unlock(&kqp->mutex);
	if (!ib)
		return;
	ib_destroy_qp(ib);
	pump(kqp); /* no completion may be left that names a place on our shelves */
	cancel_rest(kqp);
}

void ndk_qp_unbuild(struct ndk_kqp *kqp)
{
	ndk_qp_kill(kqp);
	free_memory(kqp);
}
