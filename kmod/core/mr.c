/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory regions registered with NdkRegisterMr. The only writer of ndk_mr.mr_state. Under the host's lock.
 */
#include "qp.h"
#include "hooks.h"

#define MR_FLAGS                                                                                   \
	(NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE | \
	 NDK_MR_FLAG_RDMA_READ_SINK)

SIZE_T ndk_mdl_span(const MDL *mdl, SIZE_T length)
{
	SIZE_T span = 0;
	UINT64 next = 0;

	for (; mdl && span < length; mdl = mdl->Next) {
		if (span && (UINT64)(ULONG_PTR)MmGetMdlVirtualAddress(mdl) != next)
			return 0; /* a hole in virtual space (MR-3, LAM-1) */
		span += MmGetMdlByteCount(mdl);
		next = (UINT64)(ULONG_PTR)MmGetMdlVirtualAddress(mdl) + MmGetMdlByteCount(mdl);
	}
	return span;
}

NTSTATUS ndk_mr_register(struct ndk_mr *mr, MDL *mdl, SIZE_T length, ULONG flags,
			 NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx)
{
	struct ndk_host *h = mr->obj.host;

	if (!fn || !mdl || length == 0 || (flags & ~(ULONG)MR_FLAGS))
		return STATUS_INVALID_PARAMETER;
	if (h->removed)
		return STATUS_DEVICE_REMOVED;
	if (!ndk_obj_live(&mr->obj) || mr->fast || mr->mr_state != NDK_MR_EMPTY)
		return STATUS_INVALID_DEVICE_REQUEST; /* MR-1, U-34 */
	if (length > h->info.MaxRegistrationSize)
		return STATUS_INVALID_PARAMETER;
	ndk_req_begin(&mr->obj, &mr->req, fn, ctx);
	if (ndk_mdl_span(mdl, length) < length) {
		ndk_req_end(&mr->obj, &mr->req, STATUS_INVALID_PARAMETER, fx); /* MR-2, MR-3 */
		return ndk_req_return(&mr->obj, &mr->req, fx);
	}
	mr->mr_state = NDK_MR_REGISTERING;
	mr->mdl = mdl;
	mr->base = (UINT64)(ULONG_PTR)MmGetMdlVirtualAddress(mdl);
	mr->length = length;
	mr->flags = flags;
	ndk_ref_get(&mr->obj, NDK_REF_WORK);
	ndk_fx_add(fx, NDK_FX_MR_REGISTER, &mr->obj);
	return ndk_req_return(&mr->obj, &mr->req, fx);
}

NTSTATUS ndk_mr_deregister(struct ndk_mr *mr, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx)
{
	if (!fn)
		return STATUS_INVALID_PARAMETER;
	if (!ndk_obj_live(&mr->obj) || mr->mr_state != NDK_MR_REGISTERED)
		return STATUS_INVALID_DEVICE_REQUEST; /* MR-10, U-34 */
	ndk_req_begin(&mr->obj, &mr->req, fn, ctx);
	mr->mr_state = NDK_MR_DEREGISTERING;
	ndk_ref_get(&mr->obj, NDK_REF_WORK);
	ndk_fx_add(fx, NDK_FX_MR_DEREGISTER, &mr->obj);
	return ndk_req_return(&mr->obj, &mr->req, fx);
}

void ndk_mr_answer(struct ndk_mr *mr, NTSTATUS status, struct ndk_fx *fx)
{
	BOOLEAN registered = mr->mr_state == NDK_MR_REGISTERING && NT_SUCCESS(status);

	NDK_ASSERT(mr->mr_state == NDK_MR_REGISTERING || mr->mr_state == NDK_MR_DEREGISTERING);
	mr->mr_state = registered ? NDK_MR_REGISTERED : NDK_MR_EMPTY;
	mr->mdl = (MDL *)0;
	if (!registered) {
		mr->token = 0;
		mr->remote_token = 0;
	}
	ndk_req_end(&mr->obj, &mr->req, status, fx);
}
