/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Carrying effects out, and the one-event wrappers around the core. Called without the host's lock,
 * in whatever context the shell is in; takes the lock only around core calls.
 */
#include "internal.h"

/* Memory for bigger tables is asked for after the call that made them too small, never inside it. */
static void grow(struct ndk_host *h, struct ndk_hash *t)
{
	const struct ndk_shell_ops *ops = ndk_ops(h);
	struct ndk_node **mem, **spare;
	unsigned long flags;
	UINT32 n;

	flags = ops->lock(h);
	n = ndk_hash_wants(t);
	spare = ndk_hash_spare(t);
	ops->unlock(h, flags);
	if (spare)
		ops->free_buckets(h, spare);
	if (!n)
		return;
	mem = ops->alloc_buckets(h, n);
	if (!mem)
		return; /* longer chains until the next try */
	flags = ops->lock(h);
	if (ndk_hash_offer(t, mem, n))
		mem = (struct ndk_node **)0;
	ops->unlock(h, flags);
	if (mem)
		ops->free_buckets(h, mem);
}

void ndk_call_grow(struct ndk_host *h)
{
	grow(h, &h->endpoints);
	grow(h, &h->tuples);
}

void ndk_api_run(struct ndk_host *h, struct ndk_fx *fx)
{
	ULONG i;

	for (i = 0; i < fx->count; i++)
		ndk_ops(h)->carry(h, &fx->e[i]);
}

void ndk_api_done(struct ndk_host *h, const struct ndk_effect *e)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, h);
	ndk_effect_done(e, &k.fx);
	ndk_call_end(&k);
}

static void call_disconnect(struct ndk_connector *c)
{
	if (c->event_ex)
		c->event_ex(c->event_ctx, c->reason);
	else
		c->event(c->event_ctx);
}

void ndk_api_call(struct ndk_host *h, const struct ndk_effect *e)
{
	struct ndk_call k NDK_UNINIT;
	NTSTATUS fault = STATUS_SUCCESS;
	BOOLEAN go;

	ndk_call_begin(&k, h);
	go = ndk_effect_start(e, &k.fx);
	if (e->kind == NDK_FX_CALL_CQ)
		fault = ((struct ndk_cq *)e->obj)->fault;
	else if (e->kind == NDK_FX_CALL_SRQ)
		fault = ((struct ndk_srq *)e->obj)->fault;
	ndk_call_end(&k);
	if (go) {
		switch (e->kind) {
		case NDK_FX_CALL_CREATE:
			e->fn.create(e->ctx, e->status, e->target ? &e->target->ndk.header : (NDK_OBJECT_HEADER *)0);
			break;
		case NDK_FX_CALL_REQUEST:
			e->fn.request(e->ctx, e->status);
			break;
		case NDK_FX_CALL_CLOSE:
			e->fn.close(e->ctx);
			break;
		case NDK_FX_CALL_CONNECT:
			e->fn.connect(e->ctx, &e->target->ndk.connector);
			break;
		case NDK_FX_CALL_DISCONNECT:
			call_disconnect((struct ndk_connector *)e->obj);
			break;
		case NDK_FX_CALL_CQ:
			e->fn.cq(e->ctx, fault);
			break;
		case NDK_FX_CALL_SRQ:
			e->fn.srq(e->ctx, fault);
			break;
		default:
			ndk_port_bug("not a callback", __FILE__, __LINE__);
			break;
		}
	}
	ndk_api_done(h, e);
}

void ndk_api_built(struct ndk_obj *o, NTSTATUS status)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, o->host);
	if (status == STATUS_SUCCESS && o->host->removed)
		status = STATUS_DEVICE_REMOVED;
	ndk_obj_built(o, status, &k.fx);
	ndk_call_end(&k);
}

void ndk_api_cm(struct ndk_connector *c, const struct ndk_cm_news *n)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, c->obj.host);
	ndk_connector_cm(c, n, &k.fx);
	ndk_call_end(&k);
}

void ndk_api_deadline(struct ndk_connector *c, ULONG generation)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, c->obj.host);
	ndk_connector_deadline(c, generation, &k.fx);
	ndk_call_end(&k);
}

void ndk_api_listener_answer(struct ndk_listener *l, int err)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, l->obj.host);
	ndk_listener_answer(l, err, &k.fx);
	ndk_call_end(&k);
}

enum ndk_verdict ndk_api_request(struct ndk_listener *l, struct ndk_connector *c, const struct ndk_cm_request *r)
{
	const struct ndk_shell_ops *ops = ndk_ops(l->obj.host);
	enum ndk_verdict v;
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, l->obj.host);
	v = ndk_listener_request(l, c, r, &k.fx);
	if (v == NDK_DELIVERED)
		c->obj.ndk.connector.Dispatch = (const NDK_CONNECTOR_DISPATCH *)ops->dispatch(NdkObjectTypeConnector);
	ndk_call_end(&k);
	return v;
}

void ndk_api_qp_broken(struct ndk_qp *qp)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, qp->obj.host);
	ndk_qp_broken(qp, &k.fx);
	ndk_call_end(&k);
}

void ndk_api_mr_answer(struct ndk_mr *mr, NTSTATUS status)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, mr->obj.host);
	ndk_mr_answer(mr, status, &k.fx);
	ndk_call_end(&k);
}

void ndk_api_mw_done(struct ndk_mw *mw, struct ndk_mr *old, BOOLEAN failed)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, mw->obj.host);
	ndk_mw_done(mw, old, failed, &k.fx);
	ndk_call_end(&k);
}

void ndk_api_srq_answer(struct ndk_srq *srq, NTSTATUS status)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, srq->obj.host);
	ndk_srq_answer(srq, status, &k.fx);
	ndk_call_end(&k);
}

void ndk_api_srq_fell(struct ndk_srq *srq)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, srq->obj.host);
	ndk_srq_fell(srq, &k.fx);
	ndk_call_end(&k);
}

void ndk_api_srq_failed(struct ndk_srq *srq, NTSTATUS status)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, srq->obj.host);
	ndk_srq_failed(srq, status, &k.fx);
	ndk_call_end(&k);
}

void ndk_api_cq_resized(struct ndk_cq *cq, NTSTATUS status)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, cq->obj.host);
	ndk_cq_resized(cq, status, &k.fx);
	ndk_call_end(&k);
}

/* The next connector or listener after id `from`, or NULL: the list may change between two steps. */
static struct ndk_obj *next_to_remove(struct ndk_host *h, UINT32 from)
{
	struct ndk_obj *best = (struct ndk_obj *)0;
	struct ndk_link *i, *j;
	struct ndk_adapter *a;
	struct ndk_obj *o;

	for (i = h->adapters.next; i != &h->adapters; i = i->next) {
		a = NDK_CONTAINER(i, struct ndk_adapter, link);
		for (j = a->objects.next; j != &a->objects; j = j->next) {
			o = NDK_CONTAINER(j, struct ndk_obj, sibling);
			if (o->type != NdkObjectTypeConnector && o->type != NdkObjectTypeListener)
				continue;
			if (o->id > from && (!best || o->id < best->id))
				best = o;
		}
	}
	return best;
}

void ndk_api_removed(struct ndk_host *h)
{
	struct ndk_call k NDK_UNINIT;
	struct ndk_obj *o;
	UINT32 from = 0;

	for (;;) {
		ndk_call_begin(&k, h);
		__atomic_store_n(&h->removed, 1, __ATOMIC_RELAXED); /* read by creators without the lock */
		o = next_to_remove(h, from);
		if (o) {
			from = o->id;
			if (o->type == NdkObjectTypeConnector)
				ndk_connector_removed((struct ndk_connector *)o, &k.fx);
			else
				ndk_listener_removed((struct ndk_listener *)o, &k.fx);
		}
		ndk_call_end(&k);
		if (!o)
			return;
	}
}

BOOLEAN ndk_api_alloc_fails(struct ndk_host *h)
{
	struct ndk_site *s = NDK_CONTAINER(h, struct ndk_site, host);
	long left;

	__atomic_fetch_add(&s->asked, 1, __ATOMIC_RELAXED);
	left = __atomic_load_n(&s->fail_in, __ATOMIC_RELAXED);
	do {
		if (left <= 0)
			return FALSE;
	} while (!__atomic_compare_exchange_n(&s->fail_in, &left, left == 1 ? s->fail_every : left - 1, 0,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (left != 1)
		return FALSE;
	__atomic_fetch_add(&s->failed, 1, __ATOMIC_RELAXED);
	return TRUE;
}

NTSTATUS ndk_call_answer(struct ndk_call *k, struct ndk_obj *o, struct ndk_req *r, NTSTATUS status)
{
	struct ndk_host *h = k->host;
	const struct ndk_shell_ops *ops = ndk_ops(h);
	BOOLEAN waiting = status == STATUS_PENDING && h->answer == NDK_ANSWER_WAIT && ops->wait &&
			  r->phase != NDK_REQ_PENDED && r->phase != NDK_REQ_IDLE;

	ndk_call_end(k);
	while (waiting) {
		ndk_call_begin(k, h);
		if (r->phase == NDK_REQ_ANSWERED) {
			status = ndk_req_return(o, r, &k->fx);
			waiting = FALSE;
		}
		ndk_call_end(k);
		if (waiting && !ops->wait(h)) {
			/* nothing more will happen by itself: let it pend after all */
			ndk_call_begin(k, h);
			if (r->phase == NDK_REQ_CALLING)
				r->phase = NDK_REQ_PENDED;
			waiting = r->phase == NDK_REQ_ANSWERED;
			ndk_call_end(k);
		}
	}
	return status;
}

void ndk_api_host_end(struct ndk_host *h)
{
	const struct ndk_shell_ops *ops = ndk_ops(h);
	struct ndk_hash *t[2];
	struct ndk_node **b;
	unsigned i;

	t[0] = &h->endpoints;
	t[1] = &h->tuples;
	for (i = 0; i < 2; i++) {
		NDK_ASSERT(t[i]->count == 0);
		b = ndk_hash_end(t[i]);
		if (b)
			ops->free_buckets(h, b);
		b = ndk_hash_spare(t[i]);
		if (b)
			ops->free_buckets(h, b);
	}
}
