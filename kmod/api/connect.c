/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Entry points of connectors, listeners and shared endpoints. All callable in atomic context.
 */
#include "internal.h"

static struct ndk_connector *connector(const NDK_CONNECTOR *p)
{
	return NDK_OBJ_AS(ndk_connector, p, NdkObjectTypeConnector);
}

/*
 * Private data lives apart from the connector: a million idle connectors should not carry two
 * buffers each. FALSE: no memory.
 */
static BOOLEAN with_data(struct ndk_connector *c)
{
	struct ndk_host *h = c->obj.host;
	const struct ndk_shell_ops *ops = ndk_ops(h);
	struct ndk_conn_data *d;
	struct ndk_call k NDK_UNINIT;

	if (c->data)
		return TRUE;
	d = ndk_api_alloc_fails(h) ? (struct ndk_conn_data *)0 : ops->alloc_data(h);
	if (!d)
		return FALSE;
	ndk_call_begin(&k, h);
	if (!c->data) {
		c->data = d;
		d = (struct ndk_conn_data *)0;
	}
	ndk_call_end(&k);
	if (d)
		ops->free_data(h, d);
	return TRUE;
}

static NTSTATUS do_connect(NDK_CONNECTOR *handle, const struct ndk_connect_args *a)
{
	struct ndk_connector *c = connector(handle);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!c)
		return STATUS_INVALID_PARAMETER;
	if (!with_data(c))
		return STATUS_INSUFFICIENT_RESOURCES; /* CONN-10 */
	ndk_call_begin(&k, c->obj.host);
	status = ndk_connector_connect(c, a, &k.fx);
	return ndk_call_answer(&k, &c->obj, &c->req, status);
}

NTSTATUS ndk_api_connect(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, CONST struct sockaddr *pSrcAddress,
			 ULONG SrcAddressLength, CONST struct sockaddr *pDestAddress, ULONG DestAddressLength,
			 ULONG InboundReadLimit, ULONG OutboundReadLimit, CONST VOID *pPrivateData,
			 ULONG PrivateDataLength, NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_connect_args a;

	if (!pSrcAddress)
		return STATUS_INVALID_PARAMETER; /* CONN-4 */
	ndk_zero(&a, sizeof(a));
	a.qp = pNdkQp;
	a.src = pSrcAddress;
	a.src_len = SrcAddressLength;
	a.dst = pDestAddress;
	a.dst_len = DestAddressLength;
	a.in_limit = InboundReadLimit;
	a.out_limit = OutboundReadLimit;
	a.data = pPrivateData;
	a.data_len = PrivateDataLength;
	a.fn = RequestCompletion;
	a.ctx = RequestContext;
	return do_connect(pNdkConnector, &a);
}

NTSTATUS ndk_api_connect_with_shared_endpoint(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
					      NDK_SHARED_ENDPOINT *pNdkSharedEndpoint,
					      CONST struct sockaddr *pDestAddress, ULONG DestAddressLength,
					      ULONG InboundReadLimit, ULONG OutboundReadLimit,
					      CONST VOID *pPrivateData, ULONG PrivateDataLength,
					      NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_connect_args a;

	if (!pNdkSharedEndpoint)
		return STATUS_INVALID_PARAMETER;
	ndk_zero(&a, sizeof(a));
	a.qp = pNdkQp;
	a.shared = pNdkSharedEndpoint;
	a.dst = pDestAddress;
	a.dst_len = DestAddressLength;
	a.in_limit = InboundReadLimit;
	a.out_limit = OutboundReadLimit;
	a.data = pPrivateData;
	a.data_len = PrivateDataLength;
	a.fn = RequestCompletion;
	a.ctx = RequestContext;
	return do_connect(pNdkConnector, &a);
}

static NTSTATUS do_complete(NDK_CONNECTOR *handle, const struct ndk_accept_args *a)
{
	struct ndk_connector *c = connector(handle);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!c)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, c->obj.host);
	status = ndk_connector_complete(c, a, &k.fx);
	return ndk_call_answer(&k, &c->obj, &c->req, status);
}

NTSTATUS ndk_api_complete_connect(NDK_CONNECTOR *pNdkConnector, NDK_FN_DISCONNECT_EVENT_CALLBACK *DisconnectEvent,
				  PVOID DisconnectEventContext, NDK_FN_REQUEST_COMPLETION *RequestCompletion,
				  PVOID RequestContext)
{
	struct ndk_accept_args a;

	ndk_zero(&a, sizeof(a));
	a.event = DisconnectEvent;
	a.event_ctx = DisconnectEventContext;
	a.fn = RequestCompletion;
	a.ctx = RequestContext;
	return do_complete(pNdkConnector, &a);
}

NTSTATUS ndk_api_complete_connect_ex(NDK_CONNECTOR *pNdkConnector,
				     NDK_FN_DISCONNECT_EVENT_CALLBACK_EX *DisconnectEvent,
				     PVOID DisconnectEventContext, NDK_FN_REQUEST_COMPLETION *RequestCompletion,
				     PVOID RequestContext)
{
	struct ndk_accept_args a;

	ndk_zero(&a, sizeof(a));
	a.event_ex = DisconnectEvent;
	a.event_ctx = DisconnectEventContext;
	a.fn = RequestCompletion;
	a.ctx = RequestContext;
	return do_complete(pNdkConnector, &a);
}

static NTSTATUS run_accept(NDK_CONNECTOR *handle, const struct ndk_accept_args *a)
{
	struct ndk_connector *c = connector(handle);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!c)
		return STATUS_INVALID_PARAMETER;
	if (!with_data(c))
		return STATUS_INSUFFICIENT_RESOURCES;
	ndk_call_begin(&k, c->obj.host);
	status = ndk_connector_accept(c, a, &k.fx);
	return ndk_call_answer(&k, &c->obj, &c->req, status);
}

static void accept_args(struct ndk_accept_args *a, NDK_QP *qp, ULONG in, ULONG out, const VOID *data, ULONG len)
{
	ndk_zero(a, sizeof(*a));
	a->qp = qp;
	a->in_limit = in;
	a->out_limit = out;
	a->data = data;
	a->data_len = len;
}

NTSTATUS ndk_api_accept(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
			ULONG OutboundReadLimit, CONST VOID *pPrivateData, ULONG PrivateDataLength,
			NDK_FN_DISCONNECT_EVENT_CALLBACK *DisconnectEvent, PVOID DisconnectEventContext,
			NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_accept_args a;

	accept_args(&a, pNdkQp, InboundReadLimit, OutboundReadLimit, pPrivateData, PrivateDataLength);
	a.event = DisconnectEvent;
	a.event_ctx = DisconnectEventContext;
	a.fn = RequestCompletion;
	a.ctx = RequestContext;
	return run_accept(pNdkConnector, &a);
}

NTSTATUS ndk_api_accept_ex(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
			   ULONG OutboundReadLimit, CONST VOID *pPrivateData, ULONG PrivateDataLength,
			   NDK_FN_DISCONNECT_EVENT_CALLBACK_EX *DisconnectEvent, PVOID DisconnectEventContext,
			   NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_accept_args a;

	accept_args(&a, pNdkQp, InboundReadLimit, OutboundReadLimit, pPrivateData, PrivateDataLength);
	a.event_ex = DisconnectEvent;
	a.event_ctx = DisconnectEventContext;
	a.fn = RequestCompletion;
	a.ctx = RequestContext;
	return run_accept(pNdkConnector, &a);
}

NTSTATUS ndk_api_reject(NDK_CONNECTOR *pNdkConnector, CONST VOID *pPrivateData, ULONG PrivateDataLength)
{
	struct ndk_connector *c = connector(pNdkConnector);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!c)
		return STATUS_INVALID_PARAMETER;
	if (!with_data(c))
		return STATUS_INSUFFICIENT_RESOURCES;
	ndk_call_begin(&k, c->obj.host);
	status = ndk_connector_reject(c, pPrivateData, PrivateDataLength, &k.fx);
	ndk_call_end(&k);
	return status;
}

NTSTATUS ndk_api_disconnect(NDK_CONNECTOR *pNdkConnector, NDK_FN_REQUEST_COMPLETION *RequestCompletion,
			    PVOID RequestContext)
{
	struct ndk_connector *c = connector(pNdkConnector);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!c)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, c->obj.host);
	status = ndk_connector_disconnect(c, RequestCompletion, RequestContext, &k.fx);
	return ndk_call_answer(&k, &c->obj, &c->req, status);
}

NTSTATUS ndk_api_get_connection_data(NDK_CONNECTOR *pNdkConnector, ULONG *pInboundReadLimit,
				     ULONG *pOutboundReadLimit, PVOID pPrivateData, ULONG *pPrivateDataLength)
{
	struct ndk_connector *c = connector(pNdkConnector);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!c)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, c->obj.host);
	status = ndk_connector_get_data(c, pInboundReadLimit, pOutboundReadLimit, pPrivateData, pPrivateDataLength);
	ndk_call_end(&k);
	return status;
}

NTSTATUS ndk_api_get_local_address(NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength)
{
	struct ndk_connector *c = connector(pNdkConnector);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!c)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, c->obj.host);
	status = ndk_connector_local_address(c, pAddress, pAddressLength);
	ndk_call_end(&k);
	return status;
}

NTSTATUS ndk_api_get_peer_address(NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength)
{
	struct ndk_connector *c = connector(pNdkConnector);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!c)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, c->obj.host);
	status = ndk_connector_peer_address(c, pAddress, pAddressLength);
	ndk_call_end(&k);
	return status;
}

/* ---- listener ---- */
NTSTATUS ndk_api_listen(NDK_LISTENER *pNdkListener, CONST struct sockaddr *pAddress, ULONG AddressLength,
			NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_listener *l = NDK_OBJ_AS(ndk_listener, pNdkListener, NdkObjectTypeListener);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!l)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, l->obj.host);
	status = ndk_listener_listen(l, pAddress, AddressLength, RequestCompletion, RequestContext, &k.fx);
	return ndk_call_answer(&k, &l->obj, &l->req, status);
}

NTSTATUS ndk_api_listener_local_address(NDK_LISTENER *pNdkListener, PSOCKADDR pAddress, ULONG *pAddressLength)
{
	struct ndk_listener *l = NDK_OBJ_AS(ndk_listener, pNdkListener, NdkObjectTypeListener);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!l)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, l->obj.host);
	status = ndk_listener_local_address(l, pAddress, pAddressLength);
	ndk_call_end(&k);
	return status;
}

VOID ndk_api_control_connect_events(NDK_LISTENER *pNdkListener, BOOLEAN Pause)
{
	struct ndk_listener *l = NDK_OBJ_AS(ndk_listener, pNdkListener, NdkObjectTypeListener);
	struct ndk_call k NDK_UNINIT;

	if (!l)
		return;
	ndk_call_begin(&k, l->obj.host);
	ndk_listener_pause(l, Pause);
	ndk_call_end(&k);
}

NTSTATUS ndk_api_shared_local_address(NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pAddress,
				      ULONG *pAddressLength)
{
	struct ndk_shared *s = NDK_OBJ_AS(ndk_shared, pNdkSharedEndpoint, NdkObjectTypeSharedEndpoint);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!s)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, s->obj.host);
	status = ndk_shared_local_address(s, pAddress, pAddressLength);
	ndk_call_end(&k);
	return status;
}
