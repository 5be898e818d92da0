/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Entry points that open, query, create and close. Atomic context allowed, except for opening,
 * querying and closing an adapter (IRQL-2).
 */
#include "internal.h"

/* ---- adapter ---- */
NDIS_STATUS ndk_api_open(struct ndk_host *h, NDK_VERSION version, struct ndk_adapter **out)
{
	const struct ndk_shell_ops *ops = ndk_ops(h);
	NDK_VERSION in_force;
	NDIS_STATUS status = ndk_version_pick(version, &in_force);
	struct ndk_adapter *a;
	struct ndk_call k;

	if (status != NDIS_STATUS_SUCCESS)
		return status;
	a = ndk_api_alloc_fails(h) ? (struct ndk_adapter *)0 :
				     (struct ndk_adapter *)ops->alloc(h, NdkObjectTypeAdapter, 0, 0);
	if (!a)
		return NDIS_STATUS_RESOURCES;
	ndk_call_begin(&k, h);
	if (h->removed)
		status = NDIS_STATUS_ADAPTER_NOT_READY;
	else
		ndk_adapter_init(a, h, in_force);
	ndk_call_end(&k);
	if (status != NDIS_STATUS_SUCCESS) {
		ops->free(h, &a->obj);
		return status;
	}
	a->obj.ndk.adapter.Dispatch = (const NDK_ADAPTER_DISPATCH *)ops->dispatch(NdkObjectTypeAdapter);
	*out = a;
	return NDIS_STATUS_SUCCESS;
}

void ndk_api_close_adapter(struct ndk_adapter *a, void (*wait_idle)(struct ndk_adapter *a))
{
	struct ndk_host *h = a->obj.host;
	struct ndk_call k;

	ndk_call_begin(&k, h);
	ndk_adapter_close(a, &k.fx);
	ndk_call_end(&k);
	wait_idle(a);
	ndk_call_begin(&k, h);
	ndk_adapter_end(a);
	ndk_call_end(&k);
	ndk_ops(h)->free(h, &a->obj);
}

NTSTATUS ndk_api_query_adapter_info(NDK_ADAPTER *pNdkAdapter, NDK_ADAPTER_INFO *pInfo, ULONG *pBufferSize)
{
	struct ndk_adapter *a = NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter);
	ULONG need = (ULONG)sizeof(NDK_ADAPTER_INFO);

	if (!a || !pBufferSize)
		return STATUS_INVALID_PARAMETER;
	if (*pBufferSize < need) {
		*pBufferSize = need;
		return STATUS_BUFFER_TOO_SMALL; /* ADP-10 */
	}
	if (!pInfo)
		return STATUS_INVALID_PARAMETER; /* U-42 */
	*pInfo = a->obj.host->info;
	pInfo->Version = a->obj.ndk.header.Version; /* VER-5 */
	*pBufferSize = need;
	return STATUS_SUCCESS;
}

NTSTATUS ndk_api_query_extension(NDK_OBJECT_HEADER *pNdkObject, CONST GUID *ExtensionInterfaceID,
				 NDK_VERSION ExtensionInterfaceVersion, NDK_EXTENSION_INTERFACE *pExtensionInterface)
{
	(void)pNdkObject;
	(void)ExtensionInterfaceID;
	(void)ExtensionInterfaceVersion;
	(void)pExtensionInterface; /* U-43: not written */
	return STATUS_NOT_SUPPORTED; /* EXT-3, EXT-4 */
}

/* ---- creation ---- */
struct birth {
	struct ndk_adapter *adapter;
	NDK_OBJECT_TYPE type;
	ULONG depth[2];
	NDK_FN_CREATE_COMPLETION *fn;
	PVOID ctx;
};

static struct ndk_obj *alloc(struct birth *b)
{
	struct ndk_host *h = b->adapter->obj.host;

	return ndk_api_alloc_fails(h) ? (struct ndk_obj *)0 :
					ndk_ops(h)->alloc(h, b->type, b->depth[0], b->depth[1]);
}

static void set_dispatch(struct ndk_obj *o)
{
	/* all object structures are { Header; Dispatch }: one store serves them all (OBJ-1, OBJ-5) */
	o->ndk.pd.Dispatch = (const NDK_PD_DISPATCH *)ndk_ops(o->host)->dispatch((NDK_OBJECT_TYPE)o->type);
}

/* From a begun object to the creator's answer. *handle is written on inline success only (CREATE-4..7). */
static NTSTATUS finish(struct ndk_obj *o, VOID **handle)
{
	struct ndk_host *h = o->host;
	BOOLEAN heavy = (h->heavy >> o->type & 1) != 0;
	NTSTATUS status;
	struct ndk_call k;

	set_dispatch(o);
	status = ndk_ops(h)->build(o);
	if (heavy)
		return STATUS_PENDING; /* a worker answers; o may be gone */
	ndk_call_begin(&k, h);
	status = ndk_obj_built(o, status, &k.fx);
	if (status == STATUS_SUCCESS)
		*handle = o;
	ndk_call_end(&k);
	return status;
}

static NTSTATUS create(struct birth *b, struct ndk_obj **out)
{
	struct ndk_host *h = b->adapter->obj.host;
	struct ndk_call k;
	struct ndk_obj *o;

	if (!b->fn)
		return STATUS_INVALID_PARAMETER;
	if (__atomic_load_n(&h->removed, __ATOMIC_RELAXED))
		return STATUS_DEVICE_REMOVED; /* U-45; who comes too late for this is told when building */
	o = alloc(b);
	if (!o)
		return STATUS_INSUFFICIENT_RESOURCES;
	ndk_call_begin(&k, h);
	ndk_obj_begin(o, b->adapter, b->type, b->fn, b->ctx);
	ndk_call_end(&k);
	*out = o;
	return STATUS_SUCCESS;
}

static void depend(struct ndk_obj *o, struct ndk_obj *on)
{
	struct ndk_call k;

	ndk_call_begin(&k, o->host);
	ndk_obj_depend(o, on);
	ndk_call_end(&k);
}

NTSTATUS ndk_api_create_cq(NDK_ADAPTER *pNdkAdapter, ULONG CqDepth, NDK_FN_CQ_NOTIFICATION_CALLBACK *CqNotification,
			   PVOID CqNotificationContext, GROUP_AFFINITY *Affinity,
			   NDK_FN_CREATE_COMPLETION *CreateCompletion, PVOID RequestContext, NDK_CQ **ppNdkCq)
{
	struct birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypeCq, { 0, 0 },
			   CreateCompletion, RequestContext };
	struct ndk_obj *o;
	struct ndk_cq *cq;
	VOID *handle;
	NTSTATUS status;

	(void)Affinity; /* CQ-2: a hint nobody may rely on */
	if (!b.adapter || !ppNdkCq || !CqNotification || CqDepth == 0 ||
	    CqDepth > b.adapter->obj.host->info.MaxCqDepth)
		return STATUS_INVALID_PARAMETER; /* CQ-1, U-33 */
	status = create(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	cq = (struct ndk_cq *)o;
	cq->depth = CqDepth;
	cq->notify = CqNotification;
	cq->notify_ctx = CqNotificationContext;
	status = finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkCq = (NDK_CQ *)handle;
	return status;
}

NTSTATUS ndk_api_create_pd(NDK_ADAPTER *pNdkAdapter, NDK_FN_CREATE_COMPLETION *CreateCompletion,
			   PVOID RequestContext, NDK_PD **ppNdkPd)
{
	struct birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypePd, { 0, 0 },
			   CreateCompletion, RequestContext };
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!b.adapter || !ppNdkPd)
		return STATUS_INVALID_PARAMETER;
	status = create(&b, &o);
	if (status == STATUS_SUCCESS)
		status = finish(o, &handle);
	else
		return status;
	if (status == STATUS_SUCCESS)
		*ppNdkPd = (NDK_PD *)handle;
	return status;
}

/* The address check is the creator's own answer; in PEND mode it travels through the callback. */
static NTSTATUS refuse(struct ndk_obj *o, NTSTATUS status)
{
	struct ndk_call k;

	ndk_call_begin(&k, o->host);
	if (o->host->answer != NDK_ANSWER_PEND)
		o->birth.phase = NDK_REQ_CALLING; /* known now, so said now, also for a heavy type */
	status = ndk_obj_built(o, status, &k.fx);
	ndk_call_end(&k);
	return status;
}

NTSTATUS ndk_api_create_shared_endpoint(NDK_ADAPTER *pNdkAdapter, CONST struct sockaddr *pAddress,
					ULONG AddressLength, NDK_FN_CREATE_COMPLETION *CreateCompletion,
					PVOID RequestContext, NDK_SHARED_ENDPOINT **ppNdkSharedEndpoint)
{
	struct birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypeSharedEndpoint,
			   { 0, 0 }, CreateCompletion, RequestContext };
	struct ndk_call k;
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!b.adapter || !ppNdkSharedEndpoint)
		return STATUS_INVALID_PARAMETER;
	status = create(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	ndk_call_begin(&k, o->host);
	status = ndk_shared_reserve((struct ndk_shared *)o, pAddress, AddressLength);
	ndk_call_end(&k);
	if (status != STATUS_SUCCESS)
		return refuse(o, status);
	status = finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkSharedEndpoint = (NDK_SHARED_ENDPOINT *)handle;
	return status;
}

NTSTATUS ndk_api_create_connector(NDK_ADAPTER *pNdkAdapter, NDK_FN_CREATE_COMPLETION *CreateCompletion,
				  PVOID RequestContext, NDK_CONNECTOR **ppNdkConnector)
{
	struct birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypeConnector,
			   { 0, 0 }, CreateCompletion, RequestContext };
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!b.adapter || !ppNdkConnector)
		return STATUS_INVALID_PARAMETER;
	status = create(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	status = finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkConnector = (NDK_CONNECTOR *)handle;
	return status;
}

NTSTATUS ndk_api_create_listener(NDK_ADAPTER *pNdkAdapter, NDK_FN_CONNECT_EVENT_CALLBACK *ConnectEvent,
				 PVOID ConnectEventContext, NDK_FN_CREATE_COMPLETION *CreateCompletion,
				 PVOID RequestContext, NDK_LISTENER **ppNdkListener)
{
	struct birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypeListener,
			   { 0, 0 }, CreateCompletion, RequestContext };
	struct ndk_listener *l;
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!b.adapter || !ppNdkListener || !ConnectEvent)
		return STATUS_INVALID_PARAMETER;
	status = create(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	l = (struct ndk_listener *)o;
	l->event = ConnectEvent;
	l->event_ctx = ConnectEventContext;
	status = finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkListener = (NDK_LISTENER *)handle;
	return status;
}

NTSTATUS ndk_api_create_mr(NDK_PD *pNdkPd, BOOLEAN FastRegister, NDK_FN_CREATE_COMPLETION *CreateCompletion,
			   PVOID RequestContext, NDK_MR **ppNdkMr)
{
	struct ndk_pd *pd = NDK_OBJ_AS(ndk_pd, pNdkPd, NdkObjectTypePd);
	struct birth b = { pd ? pd->obj.adapter : (struct ndk_adapter *)0, NdkObjectTypeMr, { 0, 0 },
			   CreateCompletion, RequestContext };
	struct ndk_mr *mr;
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!pd || !ppNdkMr)
		return STATUS_INVALID_PARAMETER;
	if (FastRegister)
		return STATUS_NOT_SUPPORTED;
	status = create(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	depend(o, &pd->obj);
	mr = (struct ndk_mr *)o;
	mr->pd = pd;
	status = finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkMr = (NDK_MR *)handle;
	return status;
}

static BOOLEAN qp_limits(const NDK_ADAPTER_INFO *i, ULONG rdepth, ULONG idepth, ULONG rsge, ULONG isge, ULONG inl)
{
	/* zero depths have no use and no meaning (U-33); zero SGEs have both */
	return rdepth && idepth && rdepth <= i->MaxReceiveQueueDepth && idepth <= i->MaxInitiatorQueueDepth &&
	       rsge <= i->MaxReceiveRequestSge && isge <= i->MaxInitiatorRequestSge && inl <= i->MaxInlineDataSize;
}

NTSTATUS ndk_api_create_qp(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq, PVOID QPContext,
			   ULONG ReceiveQueueDepth, ULONG InitiatorQueueDepth, ULONG MaxReceiveRequestSge,
			   ULONG MaxInitiatorRequestSge, ULONG InlineDataSize,
			   NDK_FN_CREATE_COMPLETION *CreateCompletion, PVOID RequestContext, NDK_QP **ppNdkQp)
{
	struct ndk_pd *pd = NDK_OBJ_AS(ndk_pd, pNdkPd, NdkObjectTypePd);
	struct ndk_cq *rcq = NDK_OBJ_AS(ndk_cq, pReceiveCq, NdkObjectTypeCq);
	struct ndk_cq *icq = NDK_OBJ_AS(ndk_cq, pInitiatorCq, NdkObjectTypeCq);
	struct birth b = { pd ? pd->obj.adapter : (struct ndk_adapter *)0, NdkObjectTypeQp,
			   { InitiatorQueueDepth, ReceiveQueueDepth }, CreateCompletion, RequestContext };
	struct ndk_obj *o;
	struct ndk_qp *qp;
	VOID *handle;
	NTSTATUS status;

	if (!pd || !rcq || !icq || !ppNdkQp || rcq->obj.adapter != b.adapter || icq->obj.adapter != b.adapter)
		return STATUS_INVALID_PARAMETER; /* U-11: nothing foreign */
	if (!qp_limits(&b.adapter->obj.host->info, ReceiveQueueDepth, InitiatorQueueDepth, MaxReceiveRequestSge,
		       MaxInitiatorRequestSge, InlineDataSize))
		return STATUS_INVALID_PARAMETER; /* PD-6 */
	status = create(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	depend(o, &pd->obj);
	depend(o, &rcq->obj);
	depend(o, &icq->obj);
	qp = (struct ndk_qp *)o;
	qp->pd = pd;
	qp->rcq = rcq;
	qp->icq = icq;
	qp->ctx = QPContext;
	qp->max_recv_sge = MaxReceiveRequestSge;
	qp->max_init_sge = MaxInitiatorRequestSge;
	qp->inline_size = InlineDataSize;
	status = finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkQp = (NDK_QP *)handle;
	return status;
}

/* ---- closing, all types alike (CLOSE-9) ---- */
NTSTATUS ndk_api_close(NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION *CloseCompletion, PVOID RequestContext)
{
	struct ndk_obj *o = (struct ndk_obj *)(VOID *)pNdkObject;
	NTSTATUS status;
	struct ndk_call k;

	if (!o || o->magic != NDK_OBJ_MAGIC || !CloseCompletion) {
		ndk_port_bug("close of something that is no open object", __FILE__, __LINE__);
		return STATUS_SUCCESS; /* CLOSE-1 leaves no room for a failure */
	}
	ndk_call_begin(&k, o->host);
	status = ndk_obj_close(o, CloseCompletion, RequestContext, &k.fx);
	ndk_call_end(&k);
	return status;
}
