/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What tokens give access to, and logical address mappings. On the fabric a logical address is a
 * pointer of this process. World's lock held where it says so.
 */
#include "fabric.hpp"

namespace ndk::fabric
{

/* Without a device to look them up, wrong tokens and addresses must fail as on one that does. */
UCHAR *reach(const Qp *qp, const NDK_SGE &sge, bool write)
{
	Site *s = site_of(qp->core.obj);
	UINT64 va = (UINT64)(ULONG_PTR)sge.VirtualAddress;
	const Mr *mr;

	if (sge.MemoryRegionToken == privileged_token)
		return reinterpret_cast<UCHAR *>((ULONG_PTR)sge.LogicalAddress.QuadPart); /* PD-1 */
	auto found = s->tokens.find(sge.MemoryRegionToken);

	if (found == s->tokens.end())
		return nullptr;
	mr = found->second;
	if (mr->core.pd != qp->core.pd)
		return nullptr;
	if (va < mr->base || va - mr->base > mr->length ||
	    sge.Length > mr->length - (va - mr->base))
		return nullptr;
	if (write && !(mr->flags & NDK_MR_FLAG_ALLOW_LOCAL_WRITE))
		return nullptr;
	return static_cast<UCHAR *>(sge.VirtualAddress);
}

bool register_mr(Site *s, Mr *mr, UINT64 base, SIZE_T length, ULONG flags)
{
	if (ndk_api_alloc_fails(&s->core.host))
		return false;
	std::lock_guard<std::mutex> hold(world().loop.lock);

	do {
		mr->token = s->next_token++ << 8 | (UINT32)(world().random() & 0xff);
	} while (!mr->token || mr->token == privileged_token || s->tokens.count(mr->token));
	mr->base = base;
	mr->length = length;
	mr->flags = flags;
	s->tokens.emplace(mr->token, mr);
	return true;
}

void forget_mr(Site *s, Mr *mr)
{
	std::lock_guard<std::mutex> hold(world().loop.lock);

	if (mr->token)
		s->tokens.erase(mr->token);
	mr->token = 0;
}

VOID get_privileged_token(NDK_PD *, UINT32 *pToken)
{
	*pToken = privileged_token;
}

/* ---- logical address mappings ---- */
/* Inline whatever the answer mode: there is nothing to wait for. */
NTSTATUS build_lam(NDK_ADAPTER *pNdkAdapter, MDL *Mdl, SIZE_T Length,
		   NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext,
		   NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM, ULONG *pLAMSize, ULONG *pFBO)
{
	ndk_adapter *a =
		reinterpret_cast<ndk_adapter *>(ndk_obj_of(pNdkAdapter, NdkObjectTypeAdapter));
	UINT64 base, first;
	SIZE_T pages, need;

	(void)RequestContext;
	if (!a || !Mdl || !Length || !RequestCompletion || !pLAMSize || !pFBO ||
	    ndk_mdl_span(Mdl, Length) < Length)
		return STATUS_INVALID_PARAMETER; /* LAM-1, LAM-2 */
	base = (UINT64)(ULONG_PTR)MmGetMdlVirtualAddress(Mdl);
	first = base & ~(UINT64)(NDK_PAGE_SIZE - 1);
	pages = (base + Length - first + NDK_PAGE_SIZE - 1) / NDK_PAGE_SIZE;
	need = __builtin_offsetof(NDK_LOGICAL_ADDRESS_MAPPING, AdapterPageArray) +
	       pages * sizeof(NDK_LOGICAL_ADDRESS);
	if (need > 0xffffffffu)
		return STATUS_INVALID_PARAMETER; /* its size has no name in a ULONG */
	if (*pLAMSize < need) {
		*pLAMSize = (ULONG)need;
		return STATUS_BUFFER_TOO_SMALL; /* LAM-4 */
	}
	if (!pNdkLAM)
		return STATUS_INVALID_PARAMETER;
	if (ndk_api_alloc_fails(a->obj.host))
		return STATUS_INSUFFICIENT_RESOURCES;
	{
		HostLock hold(a->obj.host);

		if (a->obj.host->removed)
			return STATUS_DEVICE_REMOVED; /* U-45 */
		ndk_adapter_hold(a); /* LAM-12 */
	}
	pNdkLAM->AdapterContext = a;
	pNdkLAM->AdapterPageCount = (ULONG)pages;
	for (SIZE_T i = 0; i < pages; i++)
		pNdkLAM->AdapterPageArray[i].QuadPart = (LONGLONG)(first + i * NDK_PAGE_SIZE);
	*pLAMSize = (ULONG)need;
	*pFBO = (ULONG)(base - first);
	return STATUS_SUCCESS;
}

VOID release_lam(NDK_ADAPTER *pNdkAdapter, NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM)
{
	ndk_adapter *a = static_cast<ndk_adapter *>(pNdkLAM->AdapterContext);
	ndk_host *h;
	ndk_fx fx;

	if (!a || reinterpret_cast<NDK_ADAPTER *>(a) != pNdkAdapter) {
		ndk_port_bug("release of a mapping that this adapter did not make", __FILE__,
			     __LINE__);
		return;
	}
	h = a->obj.host;
	pNdkLAM->AdapterContext = nullptr; /* a second release is seen */
	ndk_fx_init(&fx);
	{
		HostLock hold(h);

		ndk_adapter_unhold(a, &fx);
	}
	ndk_api_run(h, &fx);
}

} /* namespace ndk::fabric */
