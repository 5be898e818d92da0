/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Entry points of an adapter: open, query, create its children; and closing, which all types share.
 * Atomic context allowed, except for opening, querying and closing an adapter (IRQL-2). Children of a
 * protection domain are in children.c.
 */
#include "birth.h"

/* ---- adapter ---- */
NDIS_STATUS ndk_api_open(struct ndk_host *h, NDK_VERSION version, struct ndk_adapter **out)
{
	const struct ndk_shell_ops *ops = ndk_ops(h);
	NDK_VERSION in_force;
	NDIS_STATUS status = ndk_version_pick(version, &in_force);
	struct ndk_adapter *a;
	struct ndk_call k NDK_UNINIT;

	if (status != NDIS_STATUS_SUCCESS)
		return status;
	a = ndk_api_alloc_fails(h) ? (struct ndk_adapter *)0 :
				     (struct ndk_adapter *)ops->alloc(h, NdkObjectTypeAdapter, 0, 0);
	if (!a)
		return NDIS_STATUS_RESOURCES;
	ndk_call_begin(&k, h);
	if (h->removed || h->disabled)
		status = NDIS_STATUS_ADAPTER_NOT_READY; /* ADP-2 */
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
	struct ndk_call k NDK_UNINIT;

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
NTSTATUS ndk_api_create_cq(NDK_ADAPTER *pNdkAdapter, ULONG CqDepth, NDK_FN_CQ_NOTIFICATION_CALLBACK *CqNotification,
			   PVOID CqNotificationContext, GROUP_AFFINITY *Affinity,
			   NDK_FN_CREATE_COMPLETION *CreateCompletion, PVOID RequestContext, NDK_CQ **ppNdkCq)
{
	struct ndk_birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypeCq, { 0, 0 },
			   CreateCompletion, RequestContext };
	struct ndk_obj *o;
	struct ndk_cq *cq;
	VOID *handle;
	NTSTATUS status;

	(void)Affinity; /* CQ-2: a hint nobody may rely on */
	if (!b.adapter || !ppNdkCq || !CqNotification || CqDepth == 0 ||
	    CqDepth > b.adapter->obj.host->info.MaxCqDepth)
		return STATUS_INVALID_PARAMETER; /* CQ-1, U-33 */
	status = ndk_birth_begin(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	cq = (struct ndk_cq *)o;
	cq->depth = CqDepth;
	cq->notify = CqNotification;
	cq->notify_ctx = CqNotificationContext;
	status = ndk_birth_finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkCq = (NDK_CQ *)handle;
	return status;
}

NTSTATUS ndk_api_create_pd(NDK_ADAPTER *pNdkAdapter, NDK_FN_CREATE_COMPLETION *CreateCompletion,
			   PVOID RequestContext, NDK_PD **ppNdkPd)
{
	struct ndk_birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypePd, { 0, 0 },
			   CreateCompletion, RequestContext };
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!b.adapter || !ppNdkPd)
		return STATUS_INVALID_PARAMETER;
	status = ndk_birth_begin(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	status = ndk_birth_finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkPd = (NDK_PD *)handle;
	return status;
}

NTSTATUS ndk_api_create_shared_endpoint(NDK_ADAPTER *pNdkAdapter, CONST struct sockaddr *pAddress,
					ULONG AddressLength, NDK_FN_CREATE_COMPLETION *CreateCompletion,
					PVOID RequestContext, NDK_SHARED_ENDPOINT **ppNdkSharedEndpoint)
{
	struct ndk_birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypeSharedEndpoint,
			   { 0, 0 }, CreateCompletion, RequestContext };
	struct ndk_call k NDK_UNINIT;
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!b.adapter || !ppNdkSharedEndpoint)
		return STATUS_INVALID_PARAMETER;
	status = ndk_birth_begin(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	ndk_call_begin(&k, o->host);
	status = ndk_shared_reserve((struct ndk_shared *)o, pAddress, AddressLength);
	ndk_call_end(&k);
	if (status != STATUS_SUCCESS)
		return ndk_birth_refuse(o, status);
	status = ndk_birth_finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkSharedEndpoint = (NDK_SHARED_ENDPOINT *)handle;
	return status;
}

NTSTATUS ndk_api_create_connector(NDK_ADAPTER *pNdkAdapter, NDK_FN_CREATE_COMPLETION *CreateCompletion,
				  PVOID RequestContext, NDK_CONNECTOR **ppNdkConnector)
{
	struct ndk_birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypeConnector,
			   { 0, 0 }, CreateCompletion, RequestContext };
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!b.adapter || !ppNdkConnector)
		return STATUS_INVALID_PARAMETER;
	status = ndk_birth_begin(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	status = ndk_birth_finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkConnector = (NDK_CONNECTOR *)handle;
	return status;
}

NTSTATUS ndk_api_create_listener(NDK_ADAPTER *pNdkAdapter, NDK_FN_CONNECT_EVENT_CALLBACK *ConnectEvent,
				 PVOID ConnectEventContext, NDK_FN_CREATE_COMPLETION *CreateCompletion,
				 PVOID RequestContext, NDK_LISTENER **ppNdkListener)
{
	struct ndk_birth b = { NDK_OBJ_AS(ndk_adapter, pNdkAdapter, NdkObjectTypeAdapter), NdkObjectTypeListener,
			   { 0, 0 }, CreateCompletion, RequestContext };
	struct ndk_listener *l;
	struct ndk_obj *o;
	VOID *handle;
	NTSTATUS status;

	if (!b.adapter || !ppNdkListener || !ConnectEvent)
		return STATUS_INVALID_PARAMETER;
	status = ndk_birth_begin(&b, &o);
	if (status != STATUS_SUCCESS)
		return status;
	l = (struct ndk_listener *)o;
	l->event = ConnectEvent;
	l->event_ctx = ConnectEventContext;
	status = ndk_birth_finish(o, &handle);
	if (status == STATUS_SUCCESS)
		*ppNdkListener = (NDK_LISTENER *)handle;
	return status;
}

/* ---- closing, all types alike (CLOSE-9) ---- */
NTSTATUS ndk_api_close(NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION *CloseCompletion, PVOID RequestContext)
{
	struct ndk_obj *o = (struct ndk_obj *)(VOID *)pNdkObject;
	NTSTATUS status;
	struct ndk_call k NDK_UNINIT;

	if (!o || o->magic != NDK_OBJ_MAGIC || !CloseCompletion) {
		ndk_port_bug("close of something that is no open object", __FILE__, __LINE__);
		return STATUS_SUCCESS; /* CLOSE-1 leaves no room for a failure */
	}
	ndk_call_begin(&k, o->host);
	status = ndk_obj_close(o, CloseCompletion, RequestContext, &k.fx);
	if (status == STATUS_PENDING && ndk_ops(k.host)->closing)
		ndk_ops(k.host)->closing(k.host);
	ndk_call_end(&k);
	return status;
}
