/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Requests on queues: resize, moderation, modify. Posting, polling and arming are the shell's. Atomic
 * context allowed.
 */
#include "internal.h"

NTSTATUS ndk_api_resize_cq(NDK_CQ *pNdkCq, ULONG CqDepth, NDK_FN_REQUEST_COMPLETION *RequestCompletion,
			   PVOID RequestContext)
{
	struct ndk_cq *cq = NDK_OBJ_AS(ndk_cq, pNdkCq, NdkObjectTypeCq);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!cq)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, cq->obj.host);
	status = ndk_cq_resize(cq, CqDepth, RequestCompletion, RequestContext, &k.fx);
	return ndk_call_answer(&k, &cq->obj, &cq->req, status);
}

NTSTATUS ndk_api_control_cq_moderation(NDK_CQ *pNdkCq, ULONG ModerationInterval, ULONG ModerationCount)
{
	struct ndk_cq *cq = NDK_OBJ_AS(ndk_cq, pNdkCq, NdkObjectTypeCq);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!cq)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, cq->obj.host);
	status = ndk_cq_moderate(cq, ModerationInterval, ModerationCount, &k.fx);
	ndk_call_end(&k);
	return status;
}

NTSTATUS ndk_api_modify_srq(NDK_SRQ *pNdkSrq, ULONG SrqDepth, ULONG NotifyThreshold,
			    NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_srq *srq = NDK_OBJ_AS(ndk_srq, pNdkSrq, NdkObjectTypeSrq);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!srq)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, srq->obj.host);
	status = ndk_srq_modify(srq, SrqDepth, NotifyThreshold, RequestCompletion, RequestContext, &k.fx);
	return ndk_call_answer(&k, &srq->obj, &srq->req, status);
}
