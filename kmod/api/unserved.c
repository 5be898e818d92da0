/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The slots that are not served yet. Each answers STATUS_NOT_SUPPORTED inline, touches nothing, and
 * is listed by `make requirements`; none is NULL (GEN-1). Any context.
 */
#include "internal.h"

#define UNUSED(x) ((void)(x))

NTSTATUS ndk_api_create_mw(NDK_PD *pNdkPd, NDK_FN_CREATE_COMPLETION *CreateCompletion, PVOID RequestContext,
			   NDK_MW **ppNdkMw)
{
	UNUSED(pNdkPd), UNUSED(CreateCompletion), UNUSED(RequestContext), UNUSED(ppNdkMw);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_create_srq(NDK_PD *pNdkPd, ULONG SrqDepth, ULONG MaxReceiveRequestSge, ULONG NotifyThreshold,
			    NDK_FN_SRQ_NOTIFICATION_CALLBACK *SrqNotification, PVOID SrqNotificationContext,
			    GROUP_AFFINITY *Affinity, NDK_FN_CREATE_COMPLETION *CreateCompletion,
			    PVOID RequestContext, NDK_SRQ **ppNdkSrq)
{
	UNUSED(pNdkPd), UNUSED(SrqDepth), UNUSED(MaxReceiveRequestSge), UNUSED(NotifyThreshold);
	UNUSED(SrqNotification), UNUSED(SrqNotificationContext), UNUSED(Affinity), UNUSED(CreateCompletion);
	UNUSED(RequestContext), UNUSED(ppNdkSrq);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_create_qp_with_srq(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq, NDK_SRQ *pSrq,
				    PVOID QPContext, ULONG InitiatorQueueDepth, ULONG MaxInitiatorRequestSge,
				    ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION *CreateCompletion,
				    PVOID RequestContext, NDK_QP **ppNdkQp)
{
	UNUSED(pNdkPd), UNUSED(pReceiveCq), UNUSED(pInitiatorCq), UNUSED(pSrq), UNUSED(QPContext);
	UNUSED(InitiatorQueueDepth), UNUSED(MaxInitiatorRequestSge), UNUSED(InlineDataSize);
	UNUSED(CreateCompletion), UNUSED(RequestContext), UNUSED(ppNdkQp);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_initialize_fast_register_mr(NDK_MR *pNdkMr, ULONG AdapterPageCount, BOOLEAN RemoteAccess,
					     NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	UNUSED(pNdkMr), UNUSED(AdapterPageCount), UNUSED(RemoteAccess), UNUSED(RequestCompletion);
	UNUSED(RequestContext);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_resize_cq(NDK_CQ *pNdkCq, ULONG CqDepth, NDK_FN_REQUEST_COMPLETION *RequestCompletion,
			   PVOID RequestContext)
{
	UNUSED(pNdkCq), UNUSED(CqDepth), UNUSED(RequestCompletion), UNUSED(RequestContext);
	return STATUS_NOT_SUPPORTED; /* the adapter does not announce CQ_RESIZE_SUPPORTED (CQ-21, U-33) */
}

NTSTATUS ndk_api_control_cq_moderation(NDK_CQ *pNdkCq, ULONG ModerationInterval, ULONG ModerationCount)
{
	UNUSED(pNdkCq), UNUSED(ModerationInterval), UNUSED(ModerationCount);
	return STATUS_NOT_SUPPORTED; /* the adapter does not announce moderation (CQ-26) */
}

NTSTATUS ndk_api_bind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw, PVOID VirtualAddress,
		      SIZE_T Length, ULONG Flags)
{
	UNUSED(pNdkQp), UNUSED(RequestContext), UNUSED(pMr), UNUSED(pMw), UNUSED(VirtualAddress);
	UNUSED(Length), UNUSED(Flags);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_fast_register(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, ULONG AdapterPageCount,
			       const NDK_LOGICAL_ADDRESS *AdapterPageArray, ULONG FBO, SIZE_T Length,
			       PVOID BaseVirtualAddress, ULONG Flags)
{
	UNUSED(pNdkQp), UNUSED(RequestContext), UNUSED(pMr), UNUSED(AdapterPageCount), UNUSED(AdapterPageArray);
	UNUSED(FBO), UNUSED(Length), UNUSED(BaseVirtualAddress), UNUSED(Flags);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_invalidate(NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw, ULONG Flags)
{
	UNUSED(pNdkQp), UNUSED(RequestContext), UNUSED(pNdkMrOrMw), UNUSED(Flags);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_read(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge, UINT64 RemoteAddress,
		      UINT32 RemoteToken, ULONG Flags)
{
	UNUSED(pNdkQp), UNUSED(RequestContext), UNUSED(pSgl), UNUSED(nSge), UNUSED(RemoteAddress);
	UNUSED(RemoteToken), UNUSED(Flags);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_write(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge, UINT64 RemoteAddress,
		       UINT32 RemoteToken, ULONG Flags)
{
	UNUSED(pNdkQp), UNUSED(RequestContext), UNUSED(pSgl), UNUSED(nSge), UNUSED(RemoteAddress);
	UNUSED(RemoteToken), UNUSED(Flags);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_send_and_invalidate(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
				     ULONG Flags, UINT32 RemoteToken)
{
	UNUSED(pNdkQp), UNUSED(RequestContext), UNUSED(pSgl), UNUSED(nSge), UNUSED(Flags), UNUSED(RemoteToken);
	return STATUS_NOT_SUPPORTED;
}

UINT32 ndk_api_remote_token_mw(NDK_MW *pNdkMw)
{
	UNUSED(pNdkMw); /* no window can exist yet; 0 is never a valid token */
	return 0;
}

NTSTATUS ndk_api_modify_srq(NDK_SRQ *pNdkSrq, ULONG SrqDepth, ULONG NotifyThreshold,
			    NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	UNUSED(pNdkSrq), UNUSED(SrqDepth), UNUSED(NotifyThreshold), UNUSED(RequestCompletion);
	UNUSED(RequestContext);
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS ndk_api_srq_receive(NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
	UNUSED(pNdkSrq), UNUSED(RequestContext), UNUSED(pSgl), UNUSED(nSge);
	return STATUS_NOT_SUPPORTED;
}
