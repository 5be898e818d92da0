// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Boxes and their lanes, see box.h. Pushing is possible in any context; the worker runs in process
 * context with no lock held, because nearly everything it does may sleep (LNX-7).
 */
#include <linux/slab.h>

#include "objects.h"

/*
 * Connections have a queue of their own without WQ_MEM_RECLAIM: destroying an identity waits for work
 * of the CM's address queue, which has no rescuer either, and a queue that promises progress must not
 * wait for one that does not.
 */
static struct workqueue_struct *ndk_cm_wq; /* connectors, listeners, endpoints */
static struct workqueue_struct *ndk_wq; /* all other device work */
/*
 * Memory and protection domains: its workers may wait for requests of queue pairs to end, so those must
 * not wait for them. Over iWARP they connect, so like connections they promise no progress.
 */
static struct workqueue_struct *ndk_memory_wq;
/* Windows: memory waits for requests of theirs that failed, which their workers see to. They wait for nobody. */
static struct workqueue_struct *ndk_window_wq;
static struct workqueue_struct *ndk_cq_wq; /* completion notifications: latency matters */

static const struct {
	size_t size;
	unsigned int tasks;
} ndk_boxes[NdkObjectTypeMax] = {
	/* every object: create and close completions (never both), destroy, build */
	[NdkObjectTypeAdapter] = { sizeof(struct ndk_kadapter), 0 },
	[NdkObjectTypePd] = { sizeof(struct ndk_kpd), 3 },
	[NdkObjectTypeSharedEndpoint] = { sizeof(struct ndk_kshared), 3 },
	/* and: notification, hardware events, two request completions, resize, moderation */
	[NdkObjectTypeCq] = { sizeof(struct ndk_kcq), 3 + 6 },
	/* and: notification, hardware events, two request completions, modify */
	[NdkObjectTypeSrq] = { sizeof(struct ndk_ksrq), 3 + 5 },
	/* and: flush, hardware events */
	[NdkObjectTypeQp] = { sizeof(struct ndk_kqp), 3 + 2 },
	/* and: two request completions, register, deregister, initialize, settle, repair */
	[NdkObjectTypeMr] = { sizeof(struct ndk_kmr), 3 + 7 },
	/* and: settle, repair */
	[NdkObjectTypeMw] = { sizeof(struct ndk_kmw), 3 + 2 },
	/* and: two request completions, listen, unlisten */
	[NdkObjectTypeListener] = { sizeof(struct ndk_klistener), 3 + 4 },
	/*
	 * and: two request completions, connect and disconnect event, one step of the handshake
	 * (connect, accept, complete, reject exclude each other), routed, disconnect, teardown, drain,
	 * broken
	 */
	[NdkObjectTypeConnector] = { sizeof(struct ndk_kconn), 3 + 10 },
};

static void box_work(struct work_struct *work)
{
	struct ndk_box *box = container_of(work, struct ndk_box, work);
	struct ndk_task *task;
	struct ndk_effect e;
	u32 merged;

	for (;;) {
		spin_lock_irq(&box->lock);
		task = list_first_entry_or_null(&box->todo, struct ndk_task, link);
		if (!task) {
			box->active = false;
			spin_unlock_irq(&box->lock);
			break;
		}
		e = task->fx;
		merged = task->merged;
		if (task->extra) {
			list_del(&task->link);
			kfree(task);
		} else {
			list_move(&task->link, &box->spare);
		}
		spin_unlock_irq(&box->lock);

		ndk_params_jitter();
		ndk_exec(box, &e);
		while (merged--)
			ndk_api_done(&box->dev->site.host, &e);
		cond_resched();
	}
	ndk_box_put(box);
}

struct ndk_obj *ndk_box_make(struct ndk_device *dev, NDK_OBJECT_TYPE type, gfp_t gfp)
{
	size_t size = round_up(ndk_boxes[type].size, sizeof(unsigned long long));
	unsigned int n = ndk_boxes[type].tasks;
	struct ndk_task *task;
	struct ndk_box *box;

	if (!size)
		return NULL;
	box = kzalloc(sizeof(*box) + size + n * sizeof(*task), gfp | __GFP_NOWARN);
	if (!box)
		return NULL;
	INIT_WORK(&box->work, box_work);
	refcount_set(&box->refs, 1);
	spin_lock_init(&box->lock);
	INIT_LIST_HEAD(&box->todo);
	INIT_LIST_HEAD(&box->spare);
	INIT_LIST_HEAD(&box->part);
	task = (struct ndk_task *)((char *)box->object + size);
	while (n--)
		list_add(&task++->link, &box->spare);
	ndk_device_hold(dev);
	box->dev = dev;
	return ndk_box_obj(box);
}

void ndk_box_put(struct ndk_box *box)
{
	struct ndk_device *dev = box->dev;

	if (!refcount_dec_and_test(&box->refs))
		return;
	WARN_ON_ONCE(!list_empty(&box->part));
	kfree(box);
	ndk_device_put(dev);
}

static struct workqueue_struct *wq_of(UCHAR type)
{
	switch (type) {
	case NdkObjectTypeCq:
		return ndk_cq_wq;
	case NdkObjectTypePd:
	case NdkObjectTypeMr:
		return ndk_memory_wq;
	case NdkObjectTypeMw:
		return ndk_window_wq;
	case NdkObjectTypeConnector:
	case NdkObjectTypeListener:
	case NdkObjectTypeSharedEndpoint:
		return ndk_cm_wq;
	default:
		return ndk_wq;
	}
}

/* Callbacks differ in what they carry; device work of one kind does not. */
static bool mergeable(u8 kind)
{
	return kind > NDK_FX_CALL_LAST;
}

static void merge(struct ndk_task *task, const struct ndk_effect *e)
{
	if (e->kind < NDK_STEP_BUILD)
		task->merged++;
	if (e->kind == NDK_FX_CM_TEARDOWN)
		task->fx.arg |= e->arg; /* one of them wants the QP drained */
	else if (e->kind == NDK_FX_QP_FLUSH)
		task->fx.arg = min(task->fx.arg, e->arg); /* an end is stronger than a reset */
}

static struct ndk_task *find_task(struct ndk_box *box, const struct ndk_effect *e)
{
	struct ndk_task *task;

	list_for_each_entry(task, &box->todo, link)
		if (task->fx.kind == e->kind)
			return task;
	return NULL;
}

/*
 * One of those made with the box. Only where every answer is made to pend (NDK_ANSWER_PEND, for
 * tests) can a consumer that does not wait for its callbacks have more of them due.
 */
static struct ndk_task *spare_task(struct ndk_box *box)
{
	struct ndk_task *task = list_first_entry_or_null(&box->spare, struct ndk_task, link);

	if (task)
		return task;
	task = kzalloc(sizeof(*task), GFP_ATOMIC);
	if (task) {
		INIT_LIST_HEAD(&task->link);
		task->extra = true;
	}
	return task;
}

void ndk_box_push(struct ndk_box *box, const struct ndk_effect *e)
{
	struct ndk_task *task = NULL;
	unsigned long flags;
	bool start = false;

	spin_lock_irqsave(&box->lock, flags);
	if (mergeable(e->kind))
		task = find_task(box, e);
	if (task) {
		merge(task, e);
		spin_unlock_irqrestore(&box->lock, flags);
		return;
	}
	task = spare_task(box);
	if (WARN_ONCE(!task, "ndk: no task left for %s of a %s\n", ndk_effect_name(e->kind),
		      ndk_type_name(ndk_box_obj(box)->type))) {
		spin_unlock_irqrestore(&box->lock, flags);
		return;
	}
	task->fx = *e;
	task->merged = 0;
	list_move_tail(&task->link, &box->todo);
	if (!box->active) {
		box->active = true;
		start = true;
		ndk_box_get(box);
	}
	spin_unlock_irqrestore(&box->lock, flags);
	if (start)
		queue_work(wq_of(ndk_box_obj(box)->type), &box->work);
}

void ndk_box_step(struct ndk_box *box, enum ndk_step_kind kind)
{
	struct ndk_effect e = { .kind = kind, .obj = ndk_box_obj(box) };

	ndk_box_push(box, &e);
}

void ndk_box_part(struct ndk_box *box, enum ndk_part kind)
{
	unsigned long flags;

	spin_lock_irqsave(&box->dev->part_lock, flags);
	if (list_empty(&box->part))
		list_add_tail(&box->part, &box->dev->part[kind]);
	spin_unlock_irqrestore(&box->dev->part_lock, flags);
}

void ndk_box_unpart(struct ndk_box *box)
{
	unsigned long flags;

	spin_lock_irqsave(&box->dev->part_lock, flags);
	list_del_init(&box->part);
	spin_unlock_irqrestore(&box->dev->part_lock, flags);
}

bool ndk_box_later(struct delayed_work *work, unsigned long jiffies)
{
	return queue_delayed_work(ndk_wq, work, jiffies);
}

int ndk_box_init(void)
{
	/* a connect over iWARP may hold its worker for the time of a TCP connect: many at once */
	ndk_cm_wq = alloc_workqueue("ndk_cm", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!ndk_cm_wq)
		return -ENOMEM;
	ndk_wq = alloc_workqueue("ndk", WQ_UNBOUND | WQ_MEM_RECLAIM, WQ_MAX_ACTIVE);
	if (!ndk_wq)
		goto out_cm;
	ndk_cq_wq =
		alloc_workqueue("ndk_cq", WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_HIGHPRI, WQ_MAX_ACTIVE);
	if (!ndk_cq_wq)
		goto out_wq;
	ndk_memory_wq = alloc_workqueue("ndk_memory", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!ndk_memory_wq)
		goto out_cq;
	ndk_window_wq = alloc_workqueue("ndk_window", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!ndk_window_wq)
		goto out_memory;
	return 0;

out_memory:
	destroy_workqueue(ndk_memory_wq);
out_cq:
	destroy_workqueue(ndk_cq_wq);
out_wq:
	destroy_workqueue(ndk_wq);
out_cm:
	destroy_workqueue(ndk_cm_wq);
	return -ENOMEM;
}

void ndk_box_exit(void)
{
	destroy_workqueue(ndk_window_wq);
	destroy_workqueue(ndk_memory_wq);
	destroy_workqueue(ndk_cq_wq);
	destroy_workqueue(ndk_wq);
	destroy_workqueue(ndk_cm_wq);
}
