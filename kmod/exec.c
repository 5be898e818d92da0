// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The shell's half of api/shell.h: memory, the host's lock, and carrying effects out.
 *
 * carry() is called in any context and never sleeps nor calls the consumer: timers and memory are
 * dealt with on the spot, everything else goes to the lane of its object. ndk_exec() is the other
 * end of the lane, in process context without a lock.
 */
#include <linux/slab.h>

#include "objects.h"

static unsigned long shell_lock(struct ndk_host *h)
{
	unsigned long flags;

	spin_lock_irqsave(&ndk_device_of(h)->lock, flags);
	return flags;
}

static void shell_unlock(struct ndk_host *h, unsigned long flags)
{
	spin_unlock_irqrestore(&ndk_device_of(h)->lock, flags);
}

/* ---- memory ---- */
static struct ndk_obj *shell_alloc(struct ndk_host *h, NDK_OBJECT_TYPE type, ULONG depth0,
				   ULONG depth1)
{
	struct ndk_obj *o = ndk_box_make(ndk_device_of(h), type, GFP_ATOMIC);
	struct ndk_ksrq *ksrq;
	struct ndk_kqp *kqp;
	struct ndk_kcq *kcq;

	if (!o)
		return NULL;
	o->type = (UCHAR)type; /* also for one that is freed before the core begins it */
	switch (type) {
	case NdkObjectTypeAdapter:
		init_completion(&((struct ndk_kadapter *)o)->idle);
		break;
	case NdkObjectTypePd:
		mutex_init(&((struct ndk_kpd *)o)->reg.lock);
		break;
	case NdkObjectTypeCq:
		kcq = (struct ndk_kcq *)o;
		spin_lock_init(&kcq->lock);
		ndk_cq_arm_init(kcq);
		mutex_init(&kcq->size);
		INIT_LIST_HEAD(&kcq->parked);
		break;
	case NdkObjectTypeSrq:
		ksrq = (struct ndk_ksrq *)o;
		spin_lock_init(&ksrq->lock);
		ksrq->low = ~0u;
		ksrq->srq.depth = depth0;
		ksrq->srq.max_sge = depth1;
		break;
	case NdkObjectTypeQp:
		kqp = (struct ndk_kqp *)o;
		/* slots and shelves are made where it may sleep, by ndk_qp_build() */
		kqp->qp.init.depth = depth0;
		kqp->qp.recv.depth = depth1;
		mutex_init(&kqp->mutex);
		spin_lock_init(&kqp->post);
		spin_lock_init(&kqp->take);
		INIT_LIST_HEAD(&kqp->held);
		INIT_HLIST_NODE(&kqp->srq_link);
		init_completion(&kqp->last_wqe);
		break;
	case NdkObjectTypeConnector:
		ndk_timer_init((struct ndk_kconn *)o);
		o->light = 1; /* what it has at the CM goes by a teardown of its own */
		break;
	case NdkObjectTypeListener: /* likewise */
	case NdkObjectTypeMr: /* until it is registered or initialised */
		o->light = 1;
		break;
	default:
		break;
	}
	return o;
}

static void shell_free(struct ndk_host *h, struct ndk_obj *o)
{
	if (o->type == NdkObjectTypeConnector) {
		ndk_timer_stop((struct ndk_kconn *)o, ((struct ndk_kconn *)o)->timer_gen + 1);
		kfree(((struct ndk_connector *)o)->data);
	}
	ndk_box_put(ndk_box_of(o));
}

static struct ndk_conn_data *shell_alloc_data(struct ndk_host *h)
{
	return kzalloc(sizeof(struct ndk_conn_data), GFP_ATOMIC | __GFP_NOWARN);
}

static void shell_free_data(struct ndk_host *h, struct ndk_conn_data *d)
{
	kfree(d);
}

static struct ndk_node **shell_alloc_buckets(struct ndk_host *h, UINT32 n)
{
	return kcalloc(n, sizeof(struct ndk_node *), GFP_ATOMIC | __GFP_NOWARN);
}

static void shell_free_buckets(struct ndk_host *h, struct ndk_node **b)
{
	kfree(b);
}

/* ---- building ---- */
static NTSTATUS shell_build(struct ndk_obj *o)
{
	if (o->host->heavy >> o->type & 1)
		ndk_box_step(ndk_box_of(o), NDK_STEP_BUILD);
	return STATUS_SUCCESS; /* of a light object nothing exists at the device yet */
}

static NTSTATUS build_shared(struct ndk_kshared *ks)
{
	struct ndk_host *h = ks->s.obj.host;
	int err = ndk_device_of(h)->gone ? -ENODEV : ndk_endpoint_build(ks);
	unsigned long flags;
	NTSTATUS status;

	flags = shell_lock(h);
	status = ndk_shared_bound(&ks->s, err);
	shell_unlock(h, flags);
	return ndk_device_of(h)->gone ? STATUS_DEVICE_REMOVED : status;
}

/*
 * hw is held until the core knows: whether the device is gone must not change in between, or the
 * core would refuse an object whose device part exists.
 */
static void exec_build(struct ndk_box *box)
{
	struct ndk_obj *o = ndk_box_obj(box);
	NTSTATUS status = STATUS_DEVICE_REMOVED;

	down_read(&box->dev->hw);
	if (o->type == NdkObjectTypeSharedEndpoint)
		status = build_shared((struct ndk_kshared *)o);
	else if (box->dev->gone)
		;
	else if (o->type == NdkObjectTypePd)
		status = ndk_pd_build((struct ndk_kpd *)o);
	else if (o->type == NdkObjectTypeCq)
		status = ndk_cq_build((struct ndk_kcq *)o);
	else if (o->type == NdkObjectTypeSrq)
		status = ndk_srq_build((struct ndk_ksrq *)o);
	else if (o->type == NdkObjectTypeMw)
		status = ndk_mw_build((struct ndk_kmw *)o);
	else
		status = ndk_qp_build((struct ndk_kqp *)o);
	ndk_api_built(o, status);
	up_read(&box->dev->hw);
}

static void destroy(struct ndk_obj *o)
{
	switch (o->type) {
	case NdkObjectTypePd:
		ndk_pd_unbuild((struct ndk_kpd *)o);
		break;
	case NdkObjectTypeCq:
		ndk_cq_unbuild((struct ndk_kcq *)o);
		break;
	case NdkObjectTypeSrq:
		ndk_srq_unbuild((struct ndk_ksrq *)o);
		break;
	case NdkObjectTypeQp:
		ndk_qp_unbuild((struct ndk_kqp *)o);
		break;
	case NdkObjectTypeMr:
		ndk_mr_unbuild((struct ndk_kmr *)o);
		break;
	case NdkObjectTypeMw:
		ndk_mw_unbuild((struct ndk_kmw *)o);
		break;
	case NdkObjectTypeSharedEndpoint:
		ndk_endpoint_unbuild((struct ndk_kshared *)o);
		break;
	default: /* connectors and listeners were torn down before */
		break;
	}
}

/* ---- the end of the lane ---- */
static void exec_cm(struct ndk_kconn *kc, const struct ndk_effect *e)
{
	switch (e->kind) {
	case NDK_FX_CM_CONNECT:
		ndk_cm_connect(kc);
		break;
	case NDK_FX_CM_ACCEPT:
		ndk_cm_accept(kc);
		break;
	case NDK_FX_CM_COMPLETE:
		ndk_cm_complete(kc);
		break;
	case NDK_FX_CM_REJECT:
		ndk_cm_reject(kc);
		break;
	case NDK_FX_CM_DISCONNECT:
		ndk_cm_disconnect(kc);
		break;
	case NDK_FX_CM_TEARDOWN:
		ndk_cm_teardown(kc, e->arg);
		break;
	default:
		if (kc->c.qp) /* NDK_FX_QP_DRAIN */
			ndk_qp_drain_hw((struct ndk_kqp *)kc->c.qp);
		break;
	}
}

/* A connection that failed; of the attempt that has begun since nobody wants to leave. */
static void leave(struct ndk_kconn *kc)
{
	UCHAR state = READ_ONCE(kc->c.state);

	if (state >= NDK_CONN_ESTABLISHED && state <= NDK_CONN_DRAINING)
		ndk_cm_disconnect(kc);
}

static void exec_hw(const struct ndk_effect *e)
{
	struct ndk_obj *o = e->obj;

	switch (e->kind) {
	case NDK_FX_HW_DESTROY:
		destroy(o);
		break;
	case NDK_FX_CM_LISTEN:
		ndk_listen_start((struct ndk_klistener *)o);
		break;
	case NDK_FX_CM_UNLISTEN:
		ndk_listen_stop((struct ndk_klistener *)o);
		break;
	case NDK_FX_QP_FLUSH:
		ndk_qp_flush_hw((struct ndk_kqp *)o, e->arg);
		break;
	case NDK_FX_MR_REGISTER:
		ndk_mr_register_hw((struct ndk_kmr *)o);
		break;
	case NDK_FX_MR_DEREGISTER:
		ndk_mr_deregister_hw((struct ndk_kmr *)o);
		break;
	case NDK_FX_MR_INITIALIZE:
		ndk_mr_initialize_hw((struct ndk_kmr *)o);
		break;
	case NDK_FX_SETTLE: /* done by settle() */
		break;
	case NDK_STEP_REPAIR:
		ndk_memory_repair(o);
		break;
	case NDK_FX_SRQ_MODIFY:
		ndk_srq_modify_hw((struct ndk_ksrq *)o);
		break;
	case NDK_FX_CQ_RESIZE:
		ndk_cq_resize_hw((struct ndk_kcq *)o);
		break;
	case NDK_FX_CQ_MODERATE:
		ndk_cq_moderate_hw((struct ndk_kcq *)o);
		break;
	case NDK_STEP_SRQ_EVENT:
		ndk_srq_events((struct ndk_ksrq *)o);
		break;
	case NDK_STEP_LEAVE:
		leave((struct ndk_kconn *)o);
		break;
	case NDK_STEP_ROUTED:
		ndk_cm_routed((struct ndk_kconn *)o);
		break;
	case NDK_STEP_QP_EVENT:
		ndk_qp_events((struct ndk_kqp *)o);
		ndk_qp_open_gate((struct ndk_kqp *)o);
		break;
	default:
		exec_cm((struct ndk_kconn *)o, e);
		break;
	}
}

/* What ends or replaces memory at the device waits for requests that concern it, and without hw. */
static void settle(const struct ndk_effect *e)
{
	switch (e->kind) {
	case NDK_FX_MR_INITIALIZE:
		if (((struct ndk_kmr *)e->obj)->regions)
			synchronize_rcu(); /* posts that still found it ready */
		break;
	case NDK_FX_SETTLE:
	case NDK_FX_MR_DEREGISTER:
		break;
	case NDK_FX_HW_DESTROY:
		if (e->obj->type == NdkObjectTypeMr || e->obj->type == NdkObjectTypeMw)
			break;
		return;
	default:
		return;
	}
	ndk_memory_settle(e->obj);
}

void ndk_exec(struct ndk_box *box, const struct ndk_effect *e)
{
	struct ndk_host *h = &box->dev->site.host;

	if (e->kind <= NDK_FX_CALL_LAST) {
		ndk_api_call(h, e);
		return;
	}
	if (e->kind == NDK_STEP_BUILD) {
		exec_build(box);
		return;
	}
	if (e->kind == NDK_STEP_CQ_EVENT) {
		ndk_cq_events((struct ndk_kcq *)e->obj);
		return;
	}
	settle(e);
	down_read(&box->dev->hw);
	exec_hw(e);
	up_read(&box->dev->hw);
	if (e->kind < NDK_STEP_BUILD)
		ndk_api_done(h, e);
}

/* ---- the beginning of the lane ---- */
static void shell_carry(struct ndk_host *h, const struct ndk_effect *e)
{
	switch (e->kind) {
	case NDK_FX_TIMER_SET:
		ndk_timer_set((struct ndk_kconn *)e->obj, e->arg, e->number);
		return;
	case NDK_FX_TIMER_STOP:
		ndk_timer_stop((struct ndk_kconn *)e->obj, e->arg);
		return;
	case NDK_FX_FREE:
		shell_free(h, e->obj);
		return;
	case NDK_FX_ADAPTER_IDLE:
		complete(&((struct ndk_kadapter *)e->obj)->idle);
		return;
	case NDK_FX_HW_DESTROY:
		if (e->arg) { /* inside the closing call, of an object that has nothing at the device */
			ndk_api_done(h, e);
			return;
		}
		break;
	default:
		break;
	}
	/* the connector a request made is what its connect event belongs to: events of one listener run concurrently */
	ndk_box_push(ndk_box_of(e->kind == NDK_FX_CALL_CONNECT ? e->target : e->obj), e);
}

static void shell_closing(struct ndk_host *h)
{
	ndk_watch_begin(ndk_device_of(h));
}

const struct ndk_shell_ops ndk_kernel_ops = {
	.lock = shell_lock,
	.unlock = shell_unlock,
	.alloc = shell_alloc,
	.free = shell_free,
	.alloc_data = shell_alloc_data,
	.free_data = shell_free_data,
	.dispatch = ndk_dispatch_of,
	.build = shell_build,
	.carry = shell_carry,
	.wait = NULL, /* NDK_ANSWER_WAIT would have to sleep in atomic context */
	.alloc_buckets = shell_alloc_buckets,
	.free_buckets = shell_free_buckets,
	.announce = ndk_events_announce,
	.closing = shell_closing,
};
