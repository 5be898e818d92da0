/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The calls of a consumer on a connector: argument checks, wrong states, local checks, then one step.
 * Under the host's lock.
 *
 * Malformed arguments and wrong states are answered inline, whatever the answer mode: such a call
 * never became a request (REQ-12). Everything after that is a request.
 */
#include "connector.h"
#include "hooks.h"

static BOOLEAN may(const struct ndk_connector *c, unsigned event)
{
	return ndk_obj_live(&c->obj) && ndk_step_has(NDK_MACHINE_CONNECTOR, c->state, event);
}

/* The QP of a connect or accept (U-11). */
static NTSTATUS check_qp(const struct ndk_connector *c, NDK_QP *handle, struct ndk_qp **out)
{
	struct ndk_obj *o = ndk_obj_of(handle, NdkObjectTypeQp);
	struct ndk_qp *qp = (struct ndk_qp *)o;

	if (!o || o->host != c->obj.host || o->adapter != c->obj.adapter || !ndk_obj_live(o))
		return STATUS_INVALID_PARAMETER;
	if (qp->state == NDK_QP_DEAD || qp->state == NDK_QP_SPOILED)
		return STATUS_CONNECTION_INVALID; /* DISC-11 */
	if (qp->state != NDK_QP_IDLE || qp->conn)
		return STATUS_CONNECTION_ACTIVE;
	*out = qp;
	return STATUS_SUCCESS;
}

static NTSTATUS check_data(const VOID *data, ULONG len, ULONG max)
{
	if (len && !data)
		return STATUS_INVALID_PARAMETER;
	return len > ndk_min(max, NDK_PRIVATE_MAX) ? STATUS_INVALID_BUFFER_SIZE : STATUS_SUCCESS; /* U-10 */
}

static void put_data(struct ndk_connector *c, const VOID *data, ULONG len)
{
	c->data->out_len = len;
	if (len)
		ndk_copy(c->data->out, data, len); /* U-49: borrowed for the call only */
}

static void tie(struct ndk_connector *c, struct ndk_qp *qp, struct ndk_fx *fx)
{
	ndk_obj_depend(&c->obj, &qp->obj);
	c->qp = qp;
	qp->conn = c;
	ndk_qp_step(qp, NDK_QP_EV_TIE, fx);
}

static NTSTATUS check_connect(const struct ndk_connector *c, const struct ndk_connect_args *a, struct ndk_qp **qp,
			      struct ndk_addr *src, struct ndk_addr *dst)
{
	const struct ndk_host *h = c->obj.host;
	struct ndk_shared *s;
	NTSTATUS status;

	if (!a->fn || !a->qp)
		return STATUS_INVALID_PARAMETER;
	if (!may(c, NDK_CONN_EV_CONNECT))
		return STATUS_INVALID_DEVICE_STATE; /* U-4 */
	if (h->removed)
		return STATUS_DEVICE_REMOVED; /* U-45 */
	if (!ndk_addr_parse(a->dst, a->dst_len, dst) || ndk_addr_any(dst))
		return STATUS_INVALID_PARAMETER; /* U-9; both forms take the same (CONN-6, CONN-34) */
	if (a->shared) {
		s = (struct ndk_shared *)ndk_obj_of(a->shared, NdkObjectTypeSharedEndpoint);
		if (!s || s->obj.adapter != c->obj.adapter || s->state != NDK_SHARED_OPEN)
			return STATUS_INVALID_PARAMETER;
		*src = s->ep.addr;
	} else if (!ndk_addr_parse(a->src, a->src_len, src)) {
		return STATUS_INVALID_ADDRESS; /* U-9 */
	}
	if (src->family != dst->family)
		return STATUS_INVALID_PARAMETER;
	status = check_data(a->data, a->data_len, h->info.MaxCallerData);
	if (status != STATUS_SUCCESS)
		return status;
	return check_qp(c, a->qp, qp);
}

/* The checks whose outcome is an answer of the request: CONN-16..20, in the order of U-6. */
static NTSTATUS take_addresses(struct ndk_connector *c, struct ndk_shared *s, const struct ndk_addr *src,
			       const struct ndk_addr *dst)
{
	struct ndk_host *h = c->obj.host;
	NTSTATUS status;

	if (s) {
		if (ndk_tuple_exists(h, &s->ep.addr, dst))
			return STATUS_ADDRESS_ALREADY_EXISTS; /* CONN-32 */
		c->local = s->ep.addr;
	} else { /* one endpoint each (EP-1) */
		status = ndk_ep_take(h, &c->ep, NDK_EP_PLAIN, src, dst);
		if (status != STATUS_SUCCESS)
			return status;
		c->local = c->ep.addr;
	}
	if (dst->port == 0) {
		ndk_ep_give(h, &c->ep);
		return STATUS_CONNECTION_REFUSED; /* no listener can have it */
	}
	c->remote = *dst;
	ndk_tuple_take(h, &c->tuple, &c->local, &c->remote);
	return STATUS_SUCCESS;
}

NTSTATUS ndk_connector_connect(struct ndk_connector *c, const struct ndk_connect_args *a, struct ndk_fx *fx)
{
	struct ndk_addr src, dst;
	struct ndk_qp *qp = (struct ndk_qp *)0;
	struct ndk_shared *s = (struct ndk_shared *)ndk_obj_of(a->shared, NdkObjectTypeSharedEndpoint);
	struct ndk_host *h = c->obj.host;
	NTSTATUS status = check_connect(c, a, &qp, &src, &dst);

	if (status != STATUS_SUCCESS)
		return status;
	c->readable = 0;
	c->refused = 0;
	ndk_req_begin(&c->obj, &c->req, a->fn, a->ctx);
	status = take_addresses(c, s, &src, &dst);
	if (status != STATUS_SUCCESS) {
		h->count.connect_fail++;
		ndk_req_end(&c->obj, &c->req, status, fx);
		return ndk_req_return(&c->obj, &c->req, fx);
	}
	c->active = 1;
	c->named = 1;
	if (s) { /* all else is the same for both forms (CONN-35) */
		ndk_obj_depend(&c->obj, &s->obj);
		c->shared = s;
		ndk_shared_event(s, NDK_SHARED_EV_CONNECT);
	}
	tie(c, qp, fx);
	put_data(c, a->data, a->data_len); /* CONN-7 */
	c->want_in = ndk_min(a->in_limit, h->info.MaxInboundReadLimit);	     /* CONN-22, RDL-2 */
	c->want_out = ndk_min(a->out_limit, h->info.MaxOutboundReadLimit); /* RDL-3 */
	ndk_connector_step(c, NDK_CONN_EV_CONNECT, STATUS_SUCCESS, fx);
	return ndk_req_return(&c->obj, &c->req, fx); /* CONN-8, CONN-9 */
}

static void keep_event(struct ndk_connector *c, const struct ndk_accept_args *a)
{
	c->event = a->event;
	c->event_ex = a->event_ex;
	c->event_ctx = a->event_ctx;
}

NTSTATUS ndk_connector_accept(struct ndk_connector *c, const struct ndk_accept_args *a, struct ndk_fx *fx)
{
	struct ndk_host *h = c->obj.host;
	struct ndk_qp *qp = (struct ndk_qp *)0;
	NTSTATUS status;

	if (!a->fn || !a->qp)
		return STATUS_INVALID_PARAMETER;
	if (!may(c, NDK_CONN_EV_ACCEPT))
		return STATUS_INVALID_DEVICE_STATE; /* U-4 */
	status = check_data(a->data, a->data_len, h->info.MaxCalleeData);
	if (status != STATUS_SUCCESS)
		return status;
	status = check_qp(c, a->qp, &qp);
	if (status != STATUS_SUCCESS)
		return status;
	ndk_req_begin(&c->obj, &c->req, a->fn, a->ctx);
	c->readable = 0; /* CTR-1 */
	if (c->state == NDK_CONN_INCOMING) {
		tie(c, qp, fx);
		ndk_tuple_take(h, &c->tuple, &c->local, &c->remote); /* U-7 */
		put_data(c, a->data, a->data_len); /* ACPT-2 */
		keep_event(c, a);
		c->want_in = ndk_min(a->in_limit, h->info.MaxInboundReadLimit); /* ACPT-8, RDL-7 */
		c->want_out = ndk_min(a->out_limit, h->info.MaxOutboundReadLimit);
		c->eff_in = ndk_min(c->want_in, c->peer_out); /* my inbound meets the peer's outbound (RDL-8) */
		c->eff_out = ndk_min(c->want_out, c->peer_in);
	}
	ndk_connector_step(c, NDK_CONN_EV_ACCEPT, STATUS_SUCCESS, fx);
	return ndk_req_return(&c->obj, &c->req, fx);
}

NTSTATUS ndk_connector_complete(struct ndk_connector *c, const struct ndk_accept_args *a, struct ndk_fx *fx)
{
	if (!a->fn)
		return STATUS_INVALID_PARAMETER;
	if (!may(c, NDK_CONN_EV_COMPLETE))
		return STATUS_CONNECTION_INVALID; /* CMPL-8, CMPL-11 */
	/* flushed while the peer was deciding: no longer connecting */
	if (c->state == NDK_CONN_ACCEPTED && c->qp->state != NDK_QP_TIED)
		ndk_connector_qp_event(c, NDK_CONN_EV_SPOILED, fx);
	ndk_req_begin(&c->obj, &c->req, a->fn, a->ctx);
	c->readable = 0; /* CTR-2 */
	keep_event(c, a);
	ndk_connector_step(c, NDK_CONN_EV_COMPLETE, STATUS_SUCCESS, fx);
	return ndk_req_return(&c->obj, &c->req, fx);
}

NTSTATUS ndk_connector_reject(struct ndk_connector *c, const VOID *data, ULONG len, struct ndk_fx *fx)
{
	NTSTATUS status = check_data(data, len, c->obj.host->info.MaxCalleeData);

	if (!may(c, NDK_CONN_EV_REJECT))
		return STATUS_INVALID_DEVICE_STATE; /* U-4 */
	if (status != STATUS_SUCCESS)
		return status;
	c->readable = 0;
	if (c->state == NDK_CONN_LOST || c->state == NDK_CONN_ABANDONED)
		status = STATUS_CONNECTION_ABORTED; /* REJ-4, whatever became of the peer */
	else
		put_data(c, data, len);
	ndk_connector_step(c, NDK_CONN_EV_REJECT, STATUS_SUCCESS, fx);
	return status;
}

NTSTATUS ndk_connector_disconnect(struct ndk_connector *c, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx,
				  struct ndk_fx *fx)
{
	NTSTATUS verdict = c->state == NDK_CONN_ABORTED ? STATUS_CONNECTION_ABORTED : STATUS_SUCCESS; /* U-21 */

	if (!fn)
		return STATUS_INVALID_PARAMETER;
	if (!may(c, NDK_CONN_EV_DISCONNECT))
		return STATUS_CONNECTION_INVALID; /* U-20 */
	c->event_over = 1; /* U-19, CONC-10: the race with an incoming one is decided here */
	ndk_req_begin(&c->obj, &c->req, fn, ctx);
	ndk_connector_step(c, NDK_CONN_EV_DISCONNECT, verdict, fx);
	return ndk_req_return(&c->obj, &c->req, fx);
}

NTSTATUS ndk_connector_get_data(const struct ndk_connector *c, ULONG *in_limit, ULONG *out_limit, VOID *data,
				ULONG *len)
{
	ULONG rds, room;

	if (!c->readable || !ndk_obj_live(&c->obj))
		return STATUS_CONNECTION_INVALID; /* U-13 */
	if (!len || (!data && *len))
		return STATUS_INVALID_PARAMETER; /* PRIV-6 */
	if (in_limit)
		*in_limit = c->refused ? 0 : c->eff_in;
	if (out_limit)
		*out_limit = c->refused ? 0 : c->eff_out;
	rds = c->data->in_len;
	room = *len;
	*len = rds; /* PRIV-9 */
	if (!data)
		return STATUS_SUCCESS; /* PRIV-5 */
	ndk_copy(data, c->data->in, ndk_min(room, rds));
	return room < rds ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

NTSTATUS ndk_connector_local_address(const struct ndk_connector *c, VOID *sockaddr, ULONG *len)
{
	return c->named ? ndk_addr_give(&c->local, sockaddr, len) : STATUS_CONNECTION_INVALID;
}

NTSTATUS ndk_connector_peer_address(const struct ndk_connector *c, VOID *sockaddr, ULONG *len)
{
	return c->named ? ndk_addr_give(&c->remote, sockaddr, len) : STATUS_CONNECTION_INVALID;
}
