/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The life of every object, requests, references, and the end of effects. Under the host's lock.
 *
 * An object dies in two steps. ndk_obj_close() takes it from LIVE to CLOSING: from then on no new
 * event callback starts (CLOSE-13). poke() looks, whenever a reference goes, whether it is quiet: no
 * successor (LIFE-4), no pending request (CLOSE-5), no callback due or running (CLOSE-6, CLOSE-7), no
 * device work. Only then is the device part destroyed, the close completion delivered, and, when that
 * has returned, are the antecedents released (LIFE-5). Nothing can revive a quiet object: the consumer
 * may not touch it (CLOSE-15), calls on it are refused where they would begin something (LIFE-7),
 * lookups by event ask for LIVE, and every effect in flight is a reference.
 */
#include "connector.h"
#include "hooks.h"

static void poke(struct ndk_obj *o, struct ndk_fx *fx);

void ndk_host_init(struct ndk_host *h, UCHAR transport)
{
	ndk_zero(h, sizeof(*h));
	h->transport = transport;
	h->time_ms[NDK_TIME_RESOLVE] = NDK_DEFAULT_RESOLVE_MS;
	h->time_ms[NDK_TIME_CONNECT] = NDK_DEFAULT_CONNECT_MS;
	h->time_ms[NDK_TIME_ACCEPT] = NDK_DEFAULT_ACCEPT_MS;
	h->time_ms[NDK_TIME_DISCONNECT] = NDK_DEFAULT_DISCONNECT_MS;
	h->backlog = NDK_DEFAULT_BACKLOG;
	ndk_link_init(&h->adapters);
	ndk_link_init(&h->locals);
	ndk_hash_init(&h->endpoints);
	ndk_hash_init(&h->tuples);
}

/* ---- references ---- */
void ndk_ref_get(struct ndk_obj *o, enum ndk_ref kind)
{
	o->refs[kind]++;
}

void ndk_ref_put(struct ndk_obj *o, enum ndk_ref kind, struct ndk_fx *fx)
{
	NDK_ASSERT(o->refs[kind] > 0);
	if (o->refs[kind] == 0)
		return;
	o->refs[kind]--;
	poke(o, fx);
}

void ndk_obj_depend(struct ndk_obj *o, struct ndk_obj *on)
{
	NDK_ASSERT(o->parents < NDK_MAX_PARENTS);
	if (o->parents >= NDK_MAX_PARENTS)
		return;
	o->parent[o->parents++] = on;
	on->refs[NDK_REF_CHILD]++;
}

void ndk_obj_forget(struct ndk_obj *o, struct ndk_obj *on)
{
	unsigned i;

	for (i = 0; i < o->parents; i++) {
		if (o->parent[i] == on) {
			o->parent[i] = o->parent[--o->parents];
			return;
		}
	}
	ndk_port_bug("not an antecedent", __FILE__, __LINE__);
}

void ndk_obj_undepend(struct ndk_obj *o, struct ndk_obj *on, struct ndk_fx *fx)
{
	ndk_obj_forget(o, on);
	ndk_ref_put(on, NDK_REF_CHILD, fx);
}

static void release(struct ndk_obj *o, struct ndk_fx *fx)
{
	struct ndk_obj *parent[NDK_MAX_PARENTS];
	unsigned n = o->parents;
	unsigned i;

	ndk_copy(parent, o->parent, sizeof(parent));
	o->parents = 0;
	ndk_link_del(&o->sibling);
	o->host->live[o->type]--;
	o->magic = 0;
	if (o->type == NdkObjectTypeMw)
		ndk_hook_mw_release((struct ndk_mw *)o, fx);
	ndk_fx_add(fx, NDK_FX_FREE, o);
	for (i = 0; i < n; i++)
		ndk_ref_put(parent[i], NDK_REF_CHILD, fx);
}

static void life(struct ndk_obj *o, unsigned event, struct ndk_fx *fx)
{
	struct ndk_step step = ndk_step_take(o, NDK_MACHINE_LIFE, &o->life, event);
	struct ndk_effect *e;

	if (step.acts & NDK_LIFE_ACT(UNBUILD)) {
		ndk_ref_get(o, NDK_REF_WORK);
		ndk_fx_add(fx, NDK_FX_HW_DESTROY, o);
	}
	if (step.acts & NDK_LIFE_ACT(UNBUILD_NOW)) {
		ndk_hook_unbuilt(o);
		ndk_fx_add(fx, NDK_FX_HW_DESTROY, o)->arg = 1;
	}
	if (step.acts & NDK_LIFE_ACT(TELL_CLOSED)) {
		ndk_hook_unbuilt(o);
		ndk_ref_get(o, NDK_REF_CALLBACK);
		e = ndk_fx_add(fx, NDK_FX_CALL_CLOSE, o);
		e->fn.close = o->birth.fn.close;
		e->ctx = o->birth.ctx;
	}
	if (step.acts & NDK_LIFE_ACT(RELEASE))
		release(o, fx);
}

static BOOLEAN quiet(const struct ndk_obj *o)
{
	unsigned i;

	for (i = 0; i < NDK_REF_KINDS; i++)
		if (o->refs[i])
			return FALSE;
	return TRUE;
}

static void poke(struct ndk_obj *o, struct ndk_fx *fx)
{
	struct ndk_adapter *a;

	if (o->life != NDK_LIFE_CLOSING || !quiet(o))
		return;
	if (o->type == NdkObjectTypeAdapter) {
		a = (struct ndk_adapter *)o;
		if (!a->idle_told) {
			a->idle_told = 1;
			ndk_fx_add(fx, NDK_FX_ADAPTER_IDLE, o);
		}
		return;
	}
	life(o, NDK_LIFE_EV_QUIET, fx);
}

/* ---- requests ---- */
void ndk_req_begin(struct ndk_obj *o, struct ndk_req *r, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx)
{
	NDK_ASSERT(r->phase == NDK_REQ_IDLE);
	r->phase = o->host->answer == NDK_ANSWER_PEND ? NDK_REQ_PENDED : NDK_REQ_CALLING;
	r->fn.request = fn;
	r->ctx = ctx;
	ndk_ref_get(o, NDK_REF_REQUEST);
}

void ndk_req_end(struct ndk_obj *o, struct ndk_req *r, NTSTATUS status, struct ndk_fx *fx)
{
	struct ndk_effect *e;

	NDK_ASSERT(status != STATUS_PENDING);
	if (r->phase == NDK_REQ_CALLING) {
		r->phase = NDK_REQ_ANSWERED;
		r->status = status;
		return;
	}
	NDK_ASSERT(r->phase == NDK_REQ_PENDED);
	if (r->phase != NDK_REQ_PENDED)
		return;
	r->phase = NDK_REQ_IDLE;
	ndk_ref_get(o, NDK_REF_CALLBACK);
	e = ndk_fx_add(fx, NDK_FX_CALL_REQUEST, o);
	e->fn.request = r->fn.request;
	e->ctx = r->ctx;
	e->status = status;
	ndk_ref_put(o, NDK_REF_REQUEST, fx);
}

NTSTATUS ndk_req_return(struct ndk_obj *o, struct ndk_req *r, struct ndk_fx *fx)
{
	if (r->phase == NDK_REQ_ANSWERED) {
		r->phase = NDK_REQ_IDLE;
		ndk_ref_put(o, NDK_REF_REQUEST, fx);
		return r->status;
	}
	if (r->phase == NDK_REQ_CALLING && o->host->answer != NDK_ANSWER_WAIT)
		r->phase = NDK_REQ_PENDED;
	return STATUS_PENDING;
}

/* ---- birth and close ---- */
void ndk_obj_begin(struct ndk_obj *o, struct ndk_adapter *a, NDK_OBJECT_TYPE type, NDK_FN_CREATE_COMPLETION *fn,
		   PVOID ctx)
{
	struct ndk_host *h = a->obj.host;

	o->magic = NDK_OBJ_MAGIC;
	o->type = (UCHAR)type;
	o->host = h;
	o->adapter = a;
	o->id = ++h->next_id;
	o->ndk.header.Version = a->obj.ndk.header.Version;
	o->ndk.header.ObjectType = type;
	o->life = NDK_LIFE_CREATING;
	o->birth.fn.create = fn;
	o->birth.ctx = ctx;
	o->birth.phase = NDK_REQ_CALLING;
	/* a heavy type answers from a worker, which may be done before the creator returns (CREATE-13) */
	if (h->answer == NDK_ANSWER_PEND || (h->heavy >> type & 1))
		o->birth.phase = NDK_REQ_PENDED;
	h->live[type]++;
	ndk_link_add(&a->objects, &o->sibling);
	ndk_obj_depend(o, &a->obj);
}

NTSTATUS ndk_obj_built(struct ndk_obj *o, NTSTATUS status, struct ndk_fx *fx)
{
	struct ndk_effect *e;

	if (NT_SUCCESS(status))
		life(o, NDK_LIFE_EV_CREATED, fx);
	else
		ndk_hook_unborn(o);
	if (o->birth.phase == NDK_REQ_CALLING) {
		o->birth.phase = NDK_REQ_IDLE;
		if (!NT_SUCCESS(status))
			life(o, NDK_LIFE_EV_CREATE_REFUSED, fx);
		return status;
	}
	NDK_ASSERT(o->birth.phase == NDK_REQ_PENDED);
	o->birth.phase = NDK_REQ_IDLE;
	if (!NT_SUCCESS(status))
		life(o, NDK_LIFE_EV_CREATE_FAILED, fx);
	ndk_ref_get(o, NDK_REF_CALLBACK);
	e = ndk_fx_add(fx, NDK_FX_CALL_CREATE, o);
	e->fn.create = o->birth.fn.create;
	e->ctx = o->birth.ctx;
	e->status = status;
	e->target = NT_SUCCESS(status) ? o : (struct ndk_obj *)0; /* CREATE-8, U-1 */
	return STATUS_PENDING;
}

void ndk_obj_hand_over(struct ndk_obj *o)
{
	struct ndk_fx none NDK_UNINIT;

	ndk_fx_init(&none);
	o->birth.phase = NDK_REQ_IDLE;
	life(o, NDK_LIFE_EV_CREATED, &none);
}

void ndk_obj_abandon(struct ndk_obj *o, struct ndk_fx *fx)
{
	life(o, NDK_LIFE_EV_CREATE_REFUSED, fx);
}

NTSTATUS ndk_obj_close(struct ndk_obj *o, NDK_FN_CLOSE_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx)
{
	if (o->life != NDK_LIFE_LIVE) {
		ndk_port_illegal(o, "life", ndk_state_name(NDK_MACHINE_LIFE, o->life), "CLOSE");
		return STATUS_SUCCESS;
	}
	o->birth.fn.close = fn;
	o->birth.ctx = ctx;
	life(o, NDK_LIFE_EV_CLOSE, fx);
	/* the type's own part first: it may end a request or start device work, which counts below */
	ndk_ref_get(o, NDK_REF_WORK);
	ndk_hook_close(o, fx);
	o->refs[NDK_REF_WORK]--;
	if (o->light && quiet(o) && o->host->answer != NDK_ANSWER_PEND) {
		life(o, NDK_LIFE_EV_QUIET_LIGHT, fx);
		return STATUS_SUCCESS;
	}
	poke(o, fx);
	return STATUS_PENDING;
}

/* ---- effects ---- */
BOOLEAN ndk_effect_start(const struct ndk_effect *e, struct ndk_fx *fx)
{
	struct ndk_cq *cq;

	switch (e->kind) {
	case NDK_FX_CALL_CONNECT:
		return ndk_hook_connect_start(e, fx);
	case NDK_FX_CALL_DISCONNECT:
		return ndk_hook_disconnect_start(e);
	case NDK_FX_CALL_CQ:
		cq = (struct ndk_cq *)e->obj;
		if (!ndk_obj_live(e->obj))
			return FALSE;
		cq->fresh = 0;
		return TRUE;
	case NDK_FX_CALL_SRQ:
		return ndk_obj_live(e->obj) && ndk_hook_srq_start((struct ndk_srq *)e->obj);
	default:
		return TRUE;
	}
}

static void call_done(const struct ndk_effect *e, struct ndk_fx *fx)
{
	struct ndk_obj *o = e->obj;
	unsigned i;

	switch (e->kind) {
	case NDK_FX_CALL_CREATE:
		if (o->life == NDK_LIFE_FAILED) {
			o->refs[NDK_REF_CALLBACK]--;
			life(o, NDK_LIFE_EV_FAIL_TOLD, fx);
			return;
		}
		break;
	case NDK_FX_CALL_CLOSE:
		o->refs[NDK_REF_CALLBACK]--;
		life(o, NDK_LIFE_EV_CLOSE_TOLD, fx);
		return;
	case NDK_FX_CALL_REQUEST:
		if (o->type == NdkObjectTypeConnector)
			ndk_hook_told(e, fx);
		for (i = 0; i < 2; i++)
			if (e->release[i])
				ndk_ref_put(e->release[i], NDK_REF_CHILD, fx);
		break;
	case NDK_FX_CALL_CQ:
		ndk_hook_cq_told(o, fx);
		break;
	case NDK_FX_CALL_SRQ:
		ndk_hook_srq_told((struct ndk_srq *)o, fx);
		break;
	default:
		break;
	}
	ndk_ref_put(o, NDK_REF_CALLBACK, fx);
}

void ndk_effect_done(const struct ndk_effect *e, struct ndk_fx *fx)
{
	struct ndk_obj *o = e->obj;

	if (e->kind >= NDK_FX_CALL_CREATE && e->kind <= NDK_FX_CALL_LAST) {
		call_done(e, fx);
	} else if (e->kind == NDK_FX_HW_DESTROY) {
		if (e->arg)
			return; /* inside the closing call: the life is over already */
		o->refs[NDK_REF_WORK]--;
		life(o, NDK_LIFE_EV_UNBUILT, fx);
	} else if (e->kind >= NDK_FX_CM_LISTEN && e->kind <= NDK_FX_WORK_LAST) {
		/* the reference goes last: the event may still need the object */
		ndk_hook_work_done(e, fx);
		ndk_ref_put(o, NDK_REF_WORK, fx);
		ndk_hook_work_gone(o, fx);
	}
	if (fx->count > o->host->fx_high)
		o->host->fx_high = fx->count;
}

/* ---- adapter ---- */
void ndk_adapter_init(struct ndk_adapter *a, struct ndk_host *h, NDK_VERSION version)
{
	struct ndk_obj *o = &a->obj;

	o->magic = NDK_OBJ_MAGIC;
	o->type = NdkObjectTypeAdapter;
	o->host = h;
	o->id = ++h->next_id;
	o->ndk.header.Version = version;
	o->ndk.header.ObjectType = NdkObjectTypeAdapter;
	o->life = NDK_LIFE_LIVE;
	h->live[NdkObjectTypeAdapter]++;
	ndk_link_init(&a->objects);
	ndk_link_add(&h->adapters, &a->link);
	ndk_link_init(&o->sibling);
}

void ndk_adapter_close(struct ndk_adapter *a, struct ndk_fx *fx)
{
	life(&a->obj, NDK_LIFE_EV_CLOSE, fx);
	poke(&a->obj, fx);
}

void ndk_adapter_end(struct ndk_adapter *a)
{
	NDK_ASSERT(a->idle_told && ndk_link_empty(&a->objects));
	ndk_link_del(&a->link);
	a->obj.host->live[NdkObjectTypeAdapter]--;
	a->obj.magic = 0;
}

void ndk_adapter_hold(struct ndk_adapter *a)
{
	ndk_ref_get(&a->obj, NDK_REF_CHILD);
}

void ndk_adapter_unhold(struct ndk_adapter *a, struct ndk_fx *fx)
{
	ndk_ref_put(&a->obj, NDK_REF_CHILD, fx);
}

/* ADP-3, U-44: nothing is known to be in 2.0 that 2.1 does not lay out alike. */
NDIS_STATUS ndk_version_pick(NDK_VERSION asked, NDK_VERSION *in_force)
{
	USHORT highest;

	if (asked.Major == 1)
		highest = 2;
	else if (asked.Major == 2)
		highest = 1;
	else
		return NDIS_STATUS_BAD_VERSION;
	if (asked.Minor > highest)
		return NDIS_STATUS_BAD_VERSION;
	in_force->Major = asked.Major;
	in_force->Minor = highest;
	return NDIS_STATUS_SUCCESS;
}

const char *ndk_type_name(unsigned type)
{
	static const char *const names[] = { "undefined", "adapter", "qp", "cq", "mr", "mw", "pd",
					     "shared_endpoint", "connector", "listener", "srq" };

	return type < NdkObjectTypeMax ? names[type] : "?";
}

const char *ndk_effect_name(unsigned kind)
{
	static const char *const names[] = {
		"none", "call_create", "call_request", "call_close", "call_connect", "call_disconnect", "call_cq",
		"call_srq", "hw_destroy", "cm_listen", "cm_unlisten", "cm_connect", "cm_accept", "cm_complete", "cm_reject",
		"cm_disconnect", "cm_teardown", "qp_flush", "qp_drain", "mr_register", "mr_deregister",
		"mr_initialize", "srq_modify", "cq_resize", "cq_moderate", "settle", "timer_set", "timer_stop", "free",
		"adapter_idle",
	};

	return kind <= NDK_FX_ADAPTER_IDLE ? names[kind] : "?";
}
