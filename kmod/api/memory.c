/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Entry points of memory regions, and the slots that are not served yet: they answer
 * STATUS_NOT_SUPPORTED (GEN-1: never NULL). Atomic context allowed.
 */
#include "internal.h"

NTSTATUS ndk_api_register_mr(NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags,
			     NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_mr *mr = NDK_OBJ_AS(ndk_mr, pNdkMr, NdkObjectTypeMr);
	struct ndk_call k;
	NTSTATUS status;

	if (!mr)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, mr->obj.host);
	status = ndk_mr_register(mr, Mdl, Length, Flags, RequestCompletion, RequestContext, &k.fx);
	return ndk_call_answer(&k, &mr->obj, &mr->req, status);
}

NTSTATUS ndk_api_deregister_mr(NDK_MR *pNdkMr, NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_mr *mr = NDK_OBJ_AS(ndk_mr, pNdkMr, NdkObjectTypeMr);
	struct ndk_call k;
	NTSTATUS status;

	if (!mr)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, mr->obj.host);
	status = ndk_mr_deregister(mr, RequestCompletion, RequestContext, &k.fx);
	return ndk_call_answer(&k, &mr->obj, &mr->req, status);
}

UINT32 ndk_api_local_token_mr(NDK_MR *pNdkMr)
{
	struct ndk_mr *mr = NDK_OBJ_AS(ndk_mr, pNdkMr, NdkObjectTypeMr);

	return mr ? mr->token : 0;
}

UINT32 ndk_api_remote_token_mr(NDK_MR *pNdkMr)
{
	struct ndk_mr *mr = NDK_OBJ_AS(ndk_mr, pNdkMr, NdkObjectTypeMr);

	return mr ? mr->remote_token : 0;
}
