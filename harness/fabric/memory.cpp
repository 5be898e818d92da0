/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory regions: registering, fast registration, invalidation; and logical address mappings. On the
 * fabric a logical address is a pointer of this process. World's lock held where it says so.
 *
 * A fast registration that is posted has its page list copied, and its token is the region's from then
 * on; it is in force when the queue pair comes to it. Two page lists per region suffice for an
 * invalidation and the next registration in one go; a longer chain allocates.
 */
#include "fabric.hpp"

namespace ndk::fabric
{

/* ---- page lists ---- */
static PageList *make_list(Site *s, ULONG room)
{
	PageList *p = reinterpret_cast<PageList *>(
		make_array<UCHAR>(s, sizeof(PageList) + (size_t)room * sizeof(UINT64)));

	if (p)
		p->room = room;
	return p;
}

static void free_lists(PageList *p)
{
	while (p) {
		PageList *next = p->next;

		free(p);
		p = next;
	}
}

static void put_list(Mr *mr, PageList *p)
{
	if (!p)
		return;
	if (p->room != mr->room || mr->gone) {
		free(p);
		return;
	}
	p->next = mr->spare;
	mr->spare = p;
}

static void drop_region(Mr *mr)
{
	revoke(mr->region);
	put_list(mr, mr->region.pages);
	mr->region.pages = nullptr;
}

/* ---- control ---- */
static void set_tokens(Mr *mr, UINT32 token)
{
	__atomic_store_n(&mr->core.token, token, __ATOMIC_RELAXED);
	__atomic_store_n(&mr->core.remote_token, token, __ATOMIC_RELAXED);
}

NTSTATUS register_mr(Site *s, Mr *mr, UINT64 base, SIZE_T length, ULONG flags)
{
	Region &r = mr->region;

	if (ndk_api_alloc_fails(&s->core.host))
		return STATUS_INSUFFICIENT_RESOURCES;
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (s->removed)
			return STATUS_DEVICE_REMOVED;
		r.pd = mr->core.pd;
		r.base = base;
		r.length = length;
		r.rights = flags;
		r.token = new_token(s);
		enforce(s, r);
		set_tokens(mr, r.token); /* nobody else's before the answer */
	}
	return STATUS_SUCCESS;
}

/* Both lists before anything changes: a failure leaves what there was. */
NTSTATUS initialize_mr(Site *s, Mr *mr, ULONG pages)
{
	PageList *list = make_list(s, pages);
	PageList *old;

	if (list)
		list->next = make_list(s, pages);
	if (!list || !list->next) {
		free_lists(list);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (s->removed) {
			old = list;
		} else {
			drop_region(mr);
			old = mr->spare;
			mr->spare = list;
			mr->room = pages;
			mr->epoch++;
			set_tokens(mr, new_token(s));
			list = nullptr;
		}
	}
	free_lists(old);
	return list ? STATUS_DEVICE_REMOVED : STATUS_SUCCESS;
}

void forget_mr(Mr *mr, bool for_good)
{
	std::lock_guard<std::mutex> hold(world().loop.lock);

	mr->gone = mr->gone || for_good;
	drop_region(mr);
}

void free_mr(Mr *mr)
{
	free_lists(mr->spare);
}

VOID get_privileged_token(NDK_PD *, UINT32 *pToken)
{
	*pToken = privileged_token;
}

/* ---- posted requests: may they be? ---- */
static PageList *take_list(Mr *mr, ULONG count)
{
	PageList *p = mr->spare;

	if (count > mr->room)
		return nullptr; /* initialised for fewer since the check */
	if (!p)
		return make_list(site_of(mr->core.obj), mr->room);
	mr->spare = p->next;
	return p;
}

NTSTATUS plan_fast_register(Mr *mr, const ndk_pages &p, Work &w)
{
	PageList *list = take_list(mr, p.count);

	if (!list)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!ndk_mr_claim(&mr->core)) {
		put_list(mr, list);
		return STATUS_INVALID_DEVICE_REQUEST;
	}
	list->next = nullptr;
	for (ULONG i = 0; i < p.count; i++)
		list->page()[i] = (UINT64)p.page[i].QuadPart;
	w.mr = mr;
	w.mw = nullptr;
	w.pages = list;
	w.remote = p.base;
	w.length = p.length;
	w.fbo = p.fbo;
	w.number = mr->epoch;
	w.token = new_token(site_of(mr->core.obj));
	set_tokens(mr, w.token); /* MR-16 */
	pin(mr->pin);
	return STATUS_SUCCESS;
}

NTSTATUS plan_invalidate(Mr *mr, Work &w)
{
	if (!ndk_mr_unclaim(&mr->core))
		return STATUS_INVALID_DEVICE_REQUEST; /* QP-22, CQ-18 */
	w.mr = mr;
	w.mw = nullptr;
	w.pages = nullptr;
	w.token = mr->core.remote_token;
	pin(mr->pin);
	return STATUS_SUCCESS;
}

/* ---- their turn ---- */
static ULONG rights_of(ULONG flags)
{
	ULONG rights = 0;

	if (flags & NDK_OP_FLAG_ALLOW_LOCAL_WRITE)
		rights |= right_local_write;
	if (flags & NDK_OP_FLAG_ALLOW_REMOTE_READ)
		rights |= right_remote_read;
	if ((flags & NDK_OP_FLAG_ALLOW_REMOTE_WRITE) == NDK_OP_FLAG_ALLOW_REMOTE_WRITE)
		rights |= right_remote_write;
	if (flags & NDK_OP_FLAG_RDMA_READ_SINK)
		rights |= right_read_sink;
	return rights;
}

NTSTATUS execute_fast_register(const Work &w, ULONG flags)
{
	Mr *mr = w.mr;
	Region &r = mr->region;

	if (mr->gone || w.number != mr->epoch)
		return STATUS_INVALID_DEVICE_REQUEST;
	drop_region(mr);
	r.pd = mr->core.pd;
	r.base = w.remote;
	r.length = w.length;
	r.pages = w.pages;
	r.fbo = w.fbo;
	r.rights = rights_of(flags);
	r.token = w.token;
	r.fast = mr;
	enforce(site_of(mr->core.obj), r);
	return STATUS_SUCCESS;
}

static bool in_force(const Mr *mr, UINT32 token)
{
	return mr->region.in_force() && mr->region.token == token;
}

NTSTATUS execute_invalidate(const Work &w)
{
	if (!in_force(w.mr, w.token))
		return STATUS_INVALID_DEVICE_REQUEST; /* the peer was faster (CQ-18) */
	drop_region(w.mr);
	return STATUS_SUCCESS;
}

/* The claim belongs to the registration posted last. */
static void give_up_claim(Mr *mr, UINT32 token)
{
	if (mr->core.remote_token == token)
		ndk_mr_unclaim(&mr->core);
}

void end_mr_work(const Work &w, UCHAR op, bool executed, bool failed, Upcalls &up)
{
	Mr *mr = w.mr;

	if (failed && in_force(mr, w.token))
		drop_region(mr); /* an invalidation's as well: nothing posted stands for it any more */
	else if (failed && !executed && op == NDK_OP_FAST_REGISTER)
		put_list(mr, w.pages);
	if (failed && op == NDK_OP_FAST_REGISTER)
		give_up_claim(mr, w.token);
	unpin(mr->pin, mr->core.obj, up);
}

bool can_invalidate(const Qp *qp, UINT32 token)
{
	const Region *r = find_region(site_of(qp->core.obj), token, qp->core.pd);

	return r && (r->fast || r->window);
}

void invalidate_token(const Qp *qp, UINT32 token, Upcalls &up)
{
	Region *r = find_region(site_of(qp->core.obj), token, qp->core.pd);
	Mr *mr = r->fast;

	if (r->window)
		return end_by_peer(r->window, up);
	drop_region(mr);
	give_up_claim(mr, token);
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
	for (SIZE_T i = 0; i <= pages; i++) /* a record, and each page */
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

	if (!a || reinterpret_cast<NDK_ADAPTER *>(a) != pNdkAdapter) {
		ndk_port_bug("release of a mapping that this adapter did not make", __FILE__,
			     __LINE__);
		return;
	}
	pNdkLAM->AdapterContext = nullptr; /* a second release is seen */
	with_core(a->obj.host, [&](ndk_fx *fx) { ndk_adapter_unhold(a, fx); });
}

} /* namespace ndk::fabric */
