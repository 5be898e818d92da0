// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Completion queues: events, arming, notification. Polling is in cq.c.
 *
 * The driver's handlers may run under the driver's locks, even inside our own posting calls, so they
 * only raise an event; the lane asks the core and calls the consumer. Nothing is lost between polling
 * and arming: the hardware arm asks for missed events, and parked results raise an event of their own.
 *
 * Which completions are solicited only the hardware knows, and it tells only by paying an arm for such.
 * So from the first arm for solicited results on, the hardware is kept armed for them when the consumer
 * is not, and the core remembers what came (CQ-5). Where the kind of what waits is not known all the
 * same, one wake-up too many beats one too few.
 *
 * The same arm serves queue pairs that receive here: a device may tell of a failed one only by a receive
 * that ends in error, and a consumer that neither polls nor arms would not see it. So when the arm is paid
 * and the consumer is not armed, the lane takes what there is, which parks results and tells of failures.
 * While no solicited message comes this costs nothing; after a notification the arm is made when the
 * consumer has returned, because it may have armed by itself.
 *
 * Where the device keeps that to itself (siw), each completion counts as solicited: told in vain rather
 * than never.
 *
 * A failure counts as solicited (CQ-12). Where the device does not think so, a timer looks for failures
 * as long as the consumer is armed for solicited results.
 */
#include "objects.h"
#include "compat/compat.h"

#define NDK_LOOK_MS 20

static struct ndk_device *dev_of(const struct ndk_kcq *kcq)
{
	return ndk_box_of(&kcq->cq.obj)->dev;
}

/* In an RCU section. An event may also come behind the end of the queue itself. */
static bool at_device(const struct ndk_kcq *kcq)
{
	return !READ_ONCE(dev_of(kcq)->gone) && READ_ONCE(kcq->ib);
}

/* ---- events ---- */
void ndk_cq_raise(struct ndk_kcq *kcq, unsigned int event)
{
	if (!test_and_set_bit(event, &kcq->events))
		ndk_box_step(ndk_box_of(&kcq->cq.obj), NDK_STEP_CQ_EVENT);
}

void ndk_cq_completed(struct ib_cq *ib, void *context)
{
	struct ndk_kcq *kcq = context;
	bool any = atomic_xchg(&kcq->armed, NDK_HW_ARM_NONE) == NDK_HW_ARM_ANY;

	any = any && !ndk_compat_messages_unsolicited(ib->device);
	ndk_cq_raise(kcq, any ? NDK_CQ_EVENT_PLAIN : NDK_CQ_EVENT_SOLICITED);
}

void ndk_cq_async(struct ib_event *event, void *context)
{
	if (event->event == IB_EVENT_CQ_ERR)
		ndk_cq_raise(context, NDK_CQ_EVENT_ERROR);
}

/* ---- looking for failures ---- */
static void look(struct timer_list *t)
{
	struct ndk_kcq *kcq = ndk_compat_from_timer(kcq, t, look);

	ndk_cq_raise(kcq, NDK_CQ_EVENT_LOOK);
	ndk_box_put(ndk_box_of(&kcq->cq.obj));
}

void ndk_cq_arm_init(struct ndk_kcq *kcq)
{
	spin_lock_init(&kcq->arm_lock);
	timer_setup(&kcq->look, look, 0);
}

/* Under arm_lock, the device not gone. A set timer holds the box. */
static void look_later(struct ndk_kcq *kcq)
{
	if (!ndk_compat_failures_unsolicited(kcq->ib->device))
		return;
	if (!mod_timer(&kcq->look, jiffies + msecs_to_jiffies(NDK_LOOK_MS)))
		ndk_box_get(ndk_box_of(&kcq->cq.obj));
}

/* Nobody arms any more. Process context. */
void ndk_cq_arm_end(struct ndk_kcq *kcq)
{
	if (ndk_compat_timer_delete_sync(&kcq->look))
		ndk_box_put(ndk_box_of(&kcq->cq.obj));
}

/* ---- the hardware arm, under arm_lock ---- */
/* TRUE: something waits. */
static bool notify(struct ndk_kcq *kcq, enum ndk_hw_arm kind)
{
	return ib_req_notify_cq(kcq->ib,
				(kind == NDK_HW_ARM_ANY ? IB_CQ_NEXT_COMP : IB_CQ_SOLICITED) |
					IB_CQ_REPORT_MISSED_EVENTS) > 0;
}

/*
 * The handler has to know of which kind the arm is that it reports paid. An arm for solicited
 * completions in the place of one for any may leave the latter in force, and then counts as what it
 * was meant for. An arm for any in the place of the other takes over once the device has it; if the
 * other was paid in between, it is made again, on its own.
 */
static bool arm_hw(struct ndk_kcq *kcq, enum ndk_hw_arm kind)
{
	bool waits;

	kcq->armed_ever = true;
	if (kind == NDK_HW_ARM_ANY && atomic_read(&kcq->armed) == NDK_HW_ARM_SOLICITED) {
		waits = notify(kcq, kind);
		if (atomic_cmpxchg(&kcq->armed, NDK_HW_ARM_SOLICITED, NDK_HW_ARM_ANY) ==
		    NDK_HW_ARM_SOLICITED)
			return waits;
	}
	/* until the device has it, what is taken may be of a kind that nobody was told of: see untold() */
	WRITE_ONCE(kcq->arming, true);
	smp_wmb();
	atomic_set(&kcq->armed, kind);
	waits = notify(kcq, kind);
	smp_store_release(&kcq->arming, false);
	return waits;
}

/* For any completion. Returns what is due at once, a set of events. */
static unsigned long arm_any(struct ndk_kcq *kcq)
{
	return arm_hw(kcq, NDK_HW_ARM_ANY) ? BIT(NDK_CQ_EVENT_PLAIN) : 0;
}

/* Under its lock, or what is just being taken from the hardware might show in neither. */
static bool parked(struct ndk_kcq *kcq)
{
	bool some;

	spin_lock(&kcq->lock);
	some = kcq->parked_now;
	spin_unlock(&kcq->lock);
	return some;
}

/*
 * If an arm was in force, the core knows what waits, but for failures the device keeps to itself. Without one, or where
 * the device tells no kinds apart, what is parked was told of as plain.
 */
static unsigned long arm_solicited(struct ndk_kcq *kcq)
{
	bool blind = ndk_compat_messages_unsolicited(kcq->ib->device);
	bool known = !blind && kcq->shadow && atomic_read(&kcq->armed) != NDK_HW_ARM_NONE;
	bool waits = arm_hw(kcq, blind ? NDK_HW_ARM_ANY : NDK_HW_ARM_SOLICITED);

	look_later(kcq);
	waits = waits || ((blind || !kcq->shadow) && parked(kcq));
	kcq->shadow = true;
	WRITE_ONCE(kcq->kinds, !blind);
	if (!waits)
		return 0;
	return known ? BIT(NDK_CQ_EVENT_LOOK) : BIT(NDK_CQ_EVENT_SOLICITED);
}

/* wants: what the core is armed for. Any context. */
static void arm(struct ndk_kcq *kcq, ULONG wants)
{
	unsigned long due = 0, flags;
	unsigned int i;

	rcu_read_lock();
	if (at_device(kcq)) {
		spin_lock_irqsave(&kcq->arm_lock, flags);
		due = wants == NDK_CQ_NOTIFY_ANY ? arm_any(kcq) : arm_solicited(kcq);
		spin_unlock_irqrestore(&kcq->arm_lock, flags);
	}
	rcu_read_unlock();
	for (i = 0; i < NDK_CQ_EVENT_BITS; i++)
		if (due & BIT(i))
			ndk_cq_raise(kcq, i);
}

VOID ndk_cq_arm_hw(NDK_CQ *pNdkCq, ULONG Type)
{
	struct ndk_kcq *kcq = (struct ndk_kcq *)ndk_obj_of(pNdkCq, NdkObjectTypeCq);
	struct ndk_host *h;
	unsigned long flags;
	struct ndk_fx fx NDK_UNINIT;
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
	if (wants)
		arm(kcq, wants);
}

/* ---- the lane ---- */
/*
 * The consumer is not armed: only to know what kind of results come. What came while the hardware was
 * not armed may have been solicited, unless the core remembers one anyway.
 */
static void keep_watch(struct ndk_kcq *kcq)
{
	struct ndk_host *h = kcq->cq.obj.host;
	bool waits = false, known;
	unsigned long flags;

	rcu_read_lock();
	if (at_device(kcq)) {
		spin_lock_irqsave(&kcq->arm_lock, flags);
		if (atomic_read(&kcq->armed) == NDK_HW_ARM_NONE)
			waits = arm_hw(kcq, NDK_HW_ARM_SOLICITED);
		spin_unlock_irqrestore(&kcq->arm_lock, flags);
	}
	rcu_read_unlock();
	if (!waits)
		return;
	if (!kcq->shadow) { /* no consumer has asked for the kind yet: only look for failures */
		ndk_cq_raise(kcq, NDK_CQ_EVENT_LOOK);
		return;
	}
	flags = ndk_kernel_ops.lock(h);
	known = kcq->cq.fresh & 2;
	/* a poll that began before must not make it forget, see emptied() */
	smp_store_release(&kcq->arrivals, kcq->arrivals + known);
	ndk_kernel_ops.unlock(h, flags);
	if (!known)
		ndk_cq_raise(kcq, NDK_CQ_EVENT_SOLICITED);
}

void ndk_cq_watch(struct ndk_kcq *kcq)
{
	WRITE_ONCE(kcq->watched, true);
	keep_watch(kcq);
}

/* After the consumer was called, which may have armed. */
static void watch_again(struct ndk_kcq *kcq)
{
	struct ndk_host *h = kcq->cq.obj.host;
	unsigned long flags;
	ULONG wants;

	if (!READ_ONCE(kcq->watched) || atomic_read(&kcq->armed) != NDK_HW_ARM_NONE)
		return;
	flags = ndk_kernel_ops.lock(h);
	wants = ndk_cq_wants(&kcq->cq);
	ndk_kernel_ops.unlock(h, flags);
	if (!wants) /* else its arm was paid since, and an event is due */
		keep_watch(kcq);
}

static void look_again(struct ndk_kcq *kcq)
{
	unsigned long flags;

	rcu_read_lock();
	if (at_device(kcq)) {
		spin_lock_irqsave(&kcq->arm_lock, flags);
		look_later(kcq);
		spin_unlock_irqrestore(&kcq->arm_lock, flags);
	}
	rcu_read_unlock();
}

/* An event has used up the hardware's arm, whether or not it satisfied the consumer's. */
static void arm_again(struct ndk_kcq *kcq, ULONG wants, bool looked)
{
	bool none = atomic_read(&kcq->armed) == NDK_HW_ARM_NONE;

	if (wants && none)
		arm(kcq, wants);
	else if (none && kcq->shadow)
		keep_watch(kcq);
	else if (looked && wants == NDK_CQ_NOTIFY_SOLICITED)
		look_again(kcq);
}

/* The watch was paid, and no arm of the consumer's makes it look. */
static bool unheard(struct ndk_kcq *kcq)
{
	struct ndk_host *h = kcq->cq.obj.host;
	unsigned long flags;
	ULONG wants;

	if (!READ_ONCE(kcq->watched) || !test_bit(NDK_CQ_EVENT_SOLICITED, &kcq->events))
		return false;
	flags = ndk_kernel_ops.lock(h);
	wants = ndk_cq_wants(&kcq->cq);
	ndk_kernel_ops.unlock(h, flags);
	return !wants;
}

/* A notification is called right here, which saves it a turn in the queue. */
void ndk_cq_events(struct ndk_kcq *kcq)
{
	struct ndk_host *h = kcq->cq.obj.host;
	unsigned long events, flags;
	struct ndk_fx fx NDK_UNINIT;
	ULONG wants, i;

	events = test_and_clear_bit(NDK_CQ_EVENT_LOOK, &kcq->events) ? BIT(NDK_CQ_EVENT_LOOK) : 0;
	if (events || unheard(kcq))
		ndk_cq_pump(kcq, NDK_PUMP_ALL);
	events |= xchg(&kcq->events, 0);
	ndk_fx_init(&fx);
	flags = ndk_kernel_ops.lock(h);
	if (events & BIT(NDK_CQ_EVENT_ERROR))
		ndk_cq_failed(&kcq->cq, STATUS_BUFFER_OVERFLOW, &fx);
	if (events & (BIT(NDK_CQ_EVENT_SOLICITED) | BIT(NDK_CQ_EVENT_PLAIN)))
		smp_store_release(&kcq->arrivals, kcq->arrivals + 1);
	if (events & BIT(NDK_CQ_EVENT_SOLICITED))
		ndk_cq_arrived(&kcq->cq, TRUE, &fx);
	else if (events & BIT(NDK_CQ_EVENT_PLAIN))
		ndk_cq_arrived(&kcq->cq, FALSE, &fx);
	wants = ndk_cq_wants(&kcq->cq);
	ndk_kernel_ops.unlock(h, flags);
	arm_again(kcq, wants, events & BIT(NDK_CQ_EVENT_LOOK));
	if (events & BIT(NDK_CQ_EVENT_ERROR)) {
		down_read(&dev_of(kcq)->hw);
		ndk_qp_break_users(dev_of(kcq), &kcq->cq.obj); /* CQ-14 */
		up_read(&dev_of(kcq)->hw);
	}
	for (i = 0; i < fx.count; i++) {
		if (fx.e[i].kind == NDK_FX_CALL_CQ)
			ndk_api_call(h, &fx.e[i]);
		else
			ndk_kernel_ops.carry(h, &fx.e[i]);
	}
	watch_again(kcq);
}
