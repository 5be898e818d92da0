/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The listener: listening, delivering connection requests, pausing, retiring. The only writer of
 * ndk_listener.state. Under the host's lock.
 */
#include "connector.h"
#include "hooks.h"

#define ACT(name) (step.acts & NDK_LISTENER_ACT(name))

void ndk_listener_step(struct ndk_listener *l, unsigned event, NTSTATUS status, struct ndk_fx *fx)
{
	struct ndk_step step = ndk_step_take(&l->obj, NDK_MACHINE_LISTENER, &l->state, event);

	if (ACT(RELEASE)) {
		ndk_ep_give(l->obj.host, &l->ep); /* U-40: the next NdkListen starts afresh */
		l->named = 0;
	}
	if (ACT(CM_LISTEN)) {
		ndk_ref_get(&l->obj, NDK_REF_WORK);
		ndk_fx_add(fx, NDK_FX_CM_LISTEN, &l->obj);
	}
	if (ACT(DONE) && l->req.phase != NDK_REQ_IDLE)
		ndk_req_end(&l->obj, &l->req, status, fx);
	if (ACT(CANCEL) && l->req.phase != NDK_REQ_IDLE)
		ndk_req_end(&l->obj, &l->req, STATUS_CANCELLED, fx);
	if (ACT(CM_UNLISTEN)) {
		ndk_ref_get(&l->obj, NDK_REF_WORK);
		ndk_fx_add(fx, NDK_FX_CM_UNLISTEN, &l->obj);
	}
}

NTSTATUS ndk_listener_listen(struct ndk_listener *l, const VOID *sockaddr, ULONG len,
			     NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx)
{
	struct ndk_host *h = l->obj.host;
	struct ndk_addr want;
	NTSTATUS status;

	if (!fn)
		return STATUS_INVALID_PARAMETER;
	if (!ndk_obj_live(&l->obj) || !ndk_step_has(NDK_MACHINE_LISTENER, l->state, NDK_LISTENER_EV_LISTEN))
		return h->removed ? STATUS_DEVICE_REMOVED : STATUS_INVALID_DEVICE_STATE; /* U-40, U-45 */
	if (h->removed)
		return STATUS_DEVICE_REMOVED;
	if (!ndk_addr_parse(sockaddr, len, &want))
		return STATUS_INVALID_ADDRESS; /* U-9 */
	ndk_req_begin(&l->obj, &l->req, fn, ctx);
	status = ndk_ep_take(h, &l->ep, NDK_EP_LISTENER, &want, (const struct ndk_addr *)0);
	if (status != STATUS_SUCCESS) {
		ndk_req_end(&l->obj, &l->req, status, fx);
		return ndk_req_return(&l->obj, &l->req, fx);
	}
	l->named = 1;
	ndk_listener_step(l, NDK_LISTENER_EV_LISTEN, STATUS_SUCCESS, fx);
	return ndk_req_return(&l->obj, &l->req, fx);
}

NTSTATUS ndk_listener_local_address(const struct ndk_listener *l, VOID *sockaddr, ULONG *len)
{
	if (!l->named || l->state == NDK_LISTENER_BINDING)
		return STATUS_CONNECTION_INVALID; /* no address before NdkListen succeeded (LISTEN-5) */
	return ndk_addr_give(&l->ep.addr, sockaddr, len);
}

void ndk_listener_pause(struct ndk_listener *l, BOOLEAN pause)
{
	l->paused = pause ? 1 : 0; /* U-39: a switch, kept from before NdkListen too */
}

void ndk_listener_answer(struct ndk_listener *l, int err, struct ndk_fx *fx)
{
	if (err)
		ndk_listener_step(l, NDK_LISTENER_EV_REFUSED, ndk_status_bind(err), fx);
	else
		ndk_listener_step(l, NDK_LISTENER_EV_BOUND, STATUS_SUCCESS, fx);
}

void ndk_listener_removed(struct ndk_listener *l, struct ndk_fx *fx)
{
	ndk_listener_step(l, NDK_LISTENER_EV_REMOVED, STATUS_DEVICE_REMOVED, fx);
}

enum ndk_verdict ndk_listener_request(struct ndk_listener *l, struct ndk_connector *c,
				      const struct ndk_cm_request *r, struct ndk_fx *fx)
{
	struct ndk_host *h = l->obj.host;
	struct ndk_effect *e;

	if (l->paused || h->removed || !ndk_obj_live(&l->obj) ||
	    !ndk_step_has(NDK_MACHINE_LISTENER, l->state, NDK_LISTENER_EV_REQUEST)) {
		h->count.connect_fail++;
		return NDK_REFUSE_NO_ONE; /* LISTEN-10, LISTEN-12 */
	}
	if (l->waiting >= h->backlog) {
		h->count.connect_fail++;
		return NDK_REFUSE_BACKLOG; /* LISTEN-6, CONN-13 */
	}
	ndk_listener_step(l, NDK_LISTENER_EV_REQUEST, STATUS_SUCCESS, fx);
	ndk_obj_begin(&c->obj, l->obj.adapter, NdkObjectTypeConnector, (NDK_FN_CREATE_COMPLETION *)0, (PVOID)0);
	ndk_obj_depend(&c->obj, &l->obj); /* EP-2, U-46 */
	ndk_connector_incoming(c);
	c->listener = l;
	c->local = r->local;
	c->remote = r->remote;
	c->named = 1;
	c->peer_in = r->peer_in;
	c->peer_out = r->peer_out;
	c->eff_in = ndk_min(h->info.MaxInboundReadLimit, r->peer_out); /* U-14 */
	c->eff_out = ndk_min(h->info.MaxOutboundReadLimit, r->peer_in);
	c->data->in_len = ndk_min(r->data_len, NDK_PRIVATE_MAX);
	if (c->data->in_len)
		ndk_copy(c->data->in, r->data, c->data->in_len);
	c->readable = 1;
	c->unanswered = 1;
	l->waiting++;
	ndk_ref_get(&l->obj, NDK_REF_CALLBACK);
	/* the connector must not end before the consumer has heard of it */
	ndk_ref_get(&c->obj, NDK_REF_WORK);
	e = ndk_fx_add(fx, NDK_FX_CALL_CONNECT, &l->obj);
	e->target = &c->obj;
	e->fn.connect = l->event;
	e->ctx = l->event_ctx;
	return NDK_DELIVERED;
}

/* Right before the callback: hand the connector over, or drop it if the listener was closed (U-41). */
BOOLEAN ndk_hook_connect_start(const struct ndk_effect *e, struct ndk_fx *fx)
{
	struct ndk_connector *c = (struct ndk_connector *)e->target;

	if (ndk_obj_live(e->obj)) {
		ndk_obj_hand_over(&c->obj);
		c->obj.refs[NDK_REF_WORK]--;
		return TRUE;
	}
	c->dropped = 1;
	c->obj.refs[NDK_REF_WORK]--;
	ndk_connector_step(c, NDK_CONN_EV_CLOSE, STATUS_CANCELLED, fx);
	return FALSE;
}
