/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Where the common life of objects meets their types. Under the host's lock.
 */
#include "connector.h"
#include "hooks.h"

/* Posted requests hold it, and their consumer may not poll. */
static void settle(struct ndk_obj *o, struct ndk_fx *fx)
{
	ndk_ref_get(o, NDK_REF_WORK);
	ndk_fx_add(fx, NDK_FX_SETTLE, o);
}

void ndk_hook_close(struct ndk_obj *o, struct ndk_fx *fx)
{
	switch (o->type) {
	case NdkObjectTypeConnector:
		((struct ndk_connector *)o)->event_over = 1; /* CLOSE-13 */
		ndk_connector_step((struct ndk_connector *)o, NDK_CONN_EV_CLOSE, STATUS_CANCELLED, fx);
		break;
	case NdkObjectTypeListener:
		ndk_listener_step((struct ndk_listener *)o, NDK_LISTENER_EV_CLOSE, STATUS_CANCELLED, fx);
		break;
	case NdkObjectTypeSharedEndpoint:
		ndk_shared_event((struct ndk_shared *)o, NDK_SHARED_EV_CLOSE);
		break;
	case NdkObjectTypeQp:
		if (((struct ndk_qp *)o)->state == NDK_QP_IDLE)
			ndk_qp_step((struct ndk_qp *)o, NDK_QP_EV_END, fx); /* nobody else will flush it (U-23) */
		break;
	case NdkObjectTypeMw:
		if (o->refs[NDK_REF_WORK] > 1) /* the closing call has one of them */
			settle(o, fx);
		break;
	case NdkObjectTypeMr:
		if (__atomic_load_n(&((struct ndk_mr *)o)->windows, __ATOMIC_ACQUIRE))
			settle(o, fx);
		break;
	default:
		break; /* a bare dereference until nothing depends on it (LIFE-6, U-23) */
	}
}

void ndk_hook_unborn(struct ndk_obj *o)
{
	/* reserved, or even bound: creation can still fail after that, e.g. because the device went */
	if (o->type == NdkObjectTypeSharedEndpoint && ((struct ndk_shared *)o)->state != NDK_SHARED_FREE)
		ndk_shared_event((struct ndk_shared *)o, NDK_SHARED_EV_BIND_FAILED);
}

void ndk_hook_unbuilt(struct ndk_obj *o)
{
	if (o->type == NdkObjectTypeListener)
		ndk_ep_give(o->host, &((struct ndk_listener *)o)->ep); /* EP-2, EP-5 */
	else if (o->type == NdkObjectTypeSharedEndpoint)
		ndk_shared_event((struct ndk_shared *)o, NDK_SHARED_EV_UNBUILT);
	else if (o->type == NdkObjectTypeMw)
		ndk_hook_mw_unbuilt((struct ndk_mw *)o);
}

void ndk_hook_work_done(const struct ndk_effect *e, struct ndk_fx *fx)
{
	struct ndk_obj *o = e->obj;

	switch (e->kind) {
	case NDK_FX_CM_TEARDOWN:
		ndk_connector_step((struct ndk_connector *)o, NDK_CONN_EV_TORN, STATUS_SUCCESS, fx);
		break;
	case NDK_FX_QP_DRAIN:
		ndk_connector_step((struct ndk_connector *)o, NDK_CONN_EV_DRAINED, STATUS_SUCCESS, fx);
		break;
	case NDK_FX_CM_UNLISTEN:
		ndk_listener_step((struct ndk_listener *)o, NDK_LISTENER_EV_UNLISTENED, STATUS_SUCCESS, fx);
		break;
	default:
		break;
	}
}

/* An undelivered connector whose teardown is over has no consumer to tell. */
void ndk_hook_work_gone(struct ndk_obj *o, struct ndk_fx *fx)
{
	struct ndk_connector *c = (struct ndk_connector *)o;

	if (o->type != NdkObjectTypeConnector || !c->dropped || c->state != NDK_CONN_CLOSED)
		return;
	if (o->refs[NDK_REF_WORK] == 0 && o->life == NDK_LIFE_CREATING)
		ndk_obj_abandon(o, fx);
}
