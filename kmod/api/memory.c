/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Entry points of memory regions and windows; what posts of them do is the shell's. Atomic context
 * allowed.
 */
#include "internal.h"

NTSTATUS ndk_api_register_mr(NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags,
			     NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_mr *mr = NDK_OBJ_AS(ndk_mr, pNdkMr, NdkObjectTypeMr);
	struct ndk_call k NDK_UNINIT;
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
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!mr)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, mr->obj.host);
	status = ndk_mr_deregister(mr, RequestCompletion, RequestContext, &k.fx);
	return ndk_call_answer(&k, &mr->obj, &mr->req, status);
}

NTSTATUS ndk_api_initialize_fast_register_mr(NDK_MR *pNdkMr, ULONG AdapterPageCount, BOOLEAN RemoteAccess,
					     NDK_FN_REQUEST_COMPLETION *RequestCompletion, PVOID RequestContext)
{
	struct ndk_mr *mr = NDK_OBJ_AS(ndk_mr, pNdkMr, NdkObjectTypeMr);
	struct ndk_call k NDK_UNINIT;
	NTSTATUS status;

	if (!mr)
		return STATUS_INVALID_PARAMETER;
	ndk_call_begin(&k, mr->obj.host);
	status = ndk_mr_initialize(mr, AdapterPageCount, RemoteAccess, RequestCompletion, RequestContext, &k.fx);
	return ndk_call_answer(&k, &mr->obj, &mr->req, status);
}

UINT32 ndk_api_local_token_mr(NDK_MR *pNdkMr)
{
	struct ndk_mr *mr = NDK_OBJ_AS(ndk_mr, pNdkMr, NdkObjectTypeMr);

	return mr ? __atomic_load_n(&mr->token, __ATOMIC_RELAXED) : 0;
}

UINT32 ndk_api_remote_token_mr(NDK_MR *pNdkMr)
{
	struct ndk_mr *mr = NDK_OBJ_AS(ndk_mr, pNdkMr, NdkObjectTypeMr);

	return mr ? __atomic_load_n(&mr->remote_token, __ATOMIC_RELAXED) : 0;
}

UINT32 ndk_api_remote_token_mw(NDK_MW *pNdkMw)
{
	struct ndk_mw *mw = NDK_OBJ_AS(ndk_mw, pNdkMw, NdkObjectTypeMw);

	return mw ? __atomic_load_n(&mw->remote_token, __ATOMIC_RELAXED) : 0; /* MW-1 */
}
