// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Posting memory requests: NdkFastRegister, NdkBind, NdkInvalidate, and reads that invalidate their
 * sink. See post.h for context and lock, region.h for what they work on.
 *
 * Each is tried in one go under the queue's lock and, inside it, ndk_regions.lock: check, take a region in
 * order of posting, hand to the device, take all of it back if the device refuses. Two queue pairs may name
 * one region: as the lock is held over the post, what is taken back is what was there. When there is no
 * room, what the device has completed is taken from it, and the whole is tried once more.
 *
 * A region comes back, and whoever closes its object goes on, when the request that names it is over, and
 * of silent requests nobody hears. So they are signalled for our own sake: quietly, and never more at a
 * time than the CQ was made larger for.
 */
#include "post.h"

struct memory {
	struct ndk_kqp *kqp;
	PVOID ctx;
	ULONG flags;
	UCHAR op;
	/* arguments, by operation */
	struct ndk_kmr *kmr;
	struct ndk_kmw *kmw;
	NDK_OBJECT_HEADER *what;
	struct ndk_pages pages;
	UINT64 va;
	SIZE_T length;
	const NDK_SGE *sgl;
	ULONG nsge;
	struct ib_rdma_wr *read;
	/* of the attempt */
	bool quiet;
	bool posted_some; /* of two work requests, the device took only the first */
};

typedef NTSTATUS attempt_fn(struct memory *m);

static NTSTATUS run(NDK_QP *qp, struct memory *m, attempt_fn *attempt)
{
	struct ndk_kqp *kqp = (struct ndk_kqp *)ndk_obj_of(qp, NdkObjectTypeQp);
	NTSTATUS status = STATUS_CONNECTION_INVALID;
	bool bh;

	if (!kqp)
		return STATUS_INVALID_PARAMETER;
	m->kqp = kqp;
	rcu_read_lock();
	bh = ndk_queue_lock(&kqp->post);
	if (!READ_ONCE(ndk_box_of(&kqp->qp.obj)->dev->gone) && kqp->ib) {
		status = attempt(m);
		if (status == STATUS_NO_MORE_ENTRIES) {
			ndk_cq_pump((struct ndk_kcq *)kqp->qp.icq, NDK_PUMP_WHEN_FULL);
			status = attempt(m);
		}
	}
	ndk_queue_unlock(&kqp->post, bh);
	rcu_read_unlock();
	return status;
}

/* ---- what all attempts do ---- */
/* FALSE: it would have to be signalled quietly, and there is no room for that. */
static bool may_be_quiet(struct memory *m)
{
	struct ndk_kqp *kqp = m->kqp;

	m->quiet = (m->flags & NDK_OP_FLAG_SILENT_SUCCESS) != 0;
	return !m->quiet || kqp->quiet - READ_ONCE(kqp->quiet_over) < NDK_QUIET_MAX;
}

static void mark_slot(struct memory *m, struct ndk_region *r, enum ndk_use use)
{
	struct ndk_shelf *s = m->kqp->init_shelf;
	struct ndk_parked *p = &s->place[ndk_ring_next(s->ring)];

	p->use = use;
	p->quiet = m->quiet;
	p->region = r;
	m->kqp->quiet += m->quiet;
}

static void unmark_slot(struct memory *m)
{
	struct ndk_shelf *s = m->kqp->init_shelf;

	s->place[ndk_ring_next(s->ring)].region = NULL;
	m->kqp->quiet -= m->quiet;
}

static int flags_of(struct memory *m)
{
	return m->flags & NDK_OP_FLAG_READ_FENCE ? IB_SEND_FENCE : m->kqp->fence;
}

/* first to last, of which only the last is reported if all goes well. */
static NTSTATUS hand_over(struct memory *m, struct ndk_region *r, enum ndk_use use,
			  struct ib_send_wr *first, struct ib_send_wr *last)
{
	const struct ib_send_wr *bad = first;
	struct ndk_kqp *kqp = m->kqp;
	int err;

	mark_slot(m, r, use);
	last->send_flags = flags_of(m);
	if (ndk_slot_signalled(kqp, m->flags) || m->quiet)
		last->send_flags |= IB_SEND_SIGNALED;
	last->wr_id = (uintptr_t)ndk_slot_begin(kqp->init_shelf, &kqp->qp.init, m->ctx, m->op, m->flags);
	if (first != last)
		first->wr_id = last->wr_id | NDK_WR_FIRST;
	err = ib_post_send(kqp->ib, first, &bad);
	if (!err)
		return STATUS_SUCCESS;
	ndk_slot_undo(&kqp->qp.init);
	unmark_slot(m);
	m->posted_some = first != last && bad == last;
	return ndk_post_status(err);
}

static NTSTATUS map_status(int err)
{
	return err == -ENOMEM ? STATUS_INSUFFICIENT_RESOURCES : STATUS_INVALID_PARAMETER;
}

/* ---- NdkFastRegister ---- */
/* Under ndk_regions.lock. Whole pages, then less of the first and of the last. */
static u32 list_pages(struct ndk_regions *rs, const struct ndk_pages *p)
{
	const u32 n = (p->fbo + p->length + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct scatterlist *sg = rs->sg;
	u32 i;

	for (i = 0; i < n; i++, sg++) {
		sg_dma_address(sg) = p->page[i].QuadPart;
		sg_dma_len(sg) = PAGE_SIZE;
	}
	sg_dma_len(sg - 1) -= ((SIZE_T)n << PAGE_SHIFT) - p->fbo - p->length;
	sg_dma_address(rs->sg) += p->fbo;
	sg_dma_len(rs->sg) -= p->fbo;
	return n;
}

static NTSTATUS register_locked(struct memory *m, struct ndk_regions *rs, struct ndk_region **out)
{
	struct ndk_mr *mr = &m->kmr->mr;
	struct ndk_region *r;
	int err;

	if (!may_be_quiet(m))
		return STATUS_NO_MORE_ENTRIES;
	if (mr->valid)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (m->pages.count > rs->pages) /* checked before, but not against these: it is being initialised */
		return STATUS_INVALID_PARAMETER;
	r = ndk_region_pick(rs);
	if (!r)
		return STATUS_NO_MORE_ENTRIES;
	err = ndk_region_map(r, list_pages(rs, &m->pages), m->pages.base);
	if (err)
		return map_status(err);
	if (!ndk_mr_claim(mr))
		return STATUS_INVALID_DEVICE_REQUEST;
	r->valid = true;
	r->uses++;
	atomic_inc(&m->kmr->posted);
	*out = r;
	return STATUS_SUCCESS;
}

static void unregister(struct memory *m, struct ndk_region *r)
{
	r->uses--;
	r->valid = false;
	ndk_mr_unclaim(&m->kmr->mr);
	atomic_fetch_sub_release(1, &m->kmr->posted);
}

static NTSTATUS post_register(struct memory *m, struct ndk_region *r)
{
	struct ndk_mr *mr = &m->kmr->mr;
	struct ib_reg_wr wr = {
		.wr.opcode = IB_WR_REG_MR,
		.mr = r->ib,
		.key = r->ib->rkey,
		.access = ndk_access_of_op(m->kqp->qp.obj.host, m->flags),
	};
	UINT32 token = mr->token, remote_token = mr->remote_token;
	NTSTATUS status;

	/* before the device has it: whoever polls its completion reads them (MR-16) */
	WRITE_ONCE(mr->token, r->ib->lkey);
	WRITE_ONCE(mr->remote_token, r->ib->rkey);
	status = hand_over(m, r, NDK_USE_REGISTER, &wr.wr, &wr.wr);
	if (status == STATUS_SUCCESS)
		return status;
	WRITE_ONCE(mr->token, token);
	WRITE_ONCE(mr->remote_token, remote_token);
	unregister(m, r);
	return status;
}

static NTSTATUS fast_register(struct memory *m)
{
	NTSTATUS status =
		ndk_fast_register_check(&m->kqp->qp, m->kmr ? &m->kmr->mr : NULL, &m->pages, m->flags);
	struct ndk_regions *rs;
	struct ndk_region *r;
	unsigned long flags;

	if (status != STATUS_SUCCESS)
		return status;
	rs = smp_load_acquire(&m->kmr->regions);
	if (!rs)
		return STATUS_INVALID_DEVICE_REQUEST;
	spin_lock_irqsave(&rs->lock, flags);
	status = register_locked(m, rs, &r);
	if (status == STATUS_SUCCESS)
		status = post_register(m, r);
	spin_unlock_irqrestore(&rs->lock, flags);
	return status;
}

NTSTATUS ndk_post_fast_register(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
				ULONG AdapterPageCount, const NDK_LOGICAL_ADDRESS *AdapterPageArray,
				ULONG FBO, SIZE_T Length, PVOID BaseVirtualAddress, ULONG Flags)
{
	struct memory m = {
		.ctx = RequestContext,
		.flags = Flags,
		.op = NDK_OP_FAST_REGISTER,
		.kmr = (struct ndk_kmr *)ndk_obj_of(pMr, NdkObjectTypeMr),
		.pages = { AdapterPageCount, AdapterPageArray, FBO, Length,
			   (ULONG_PTR)BaseVirtualAddress },
	};

	return run(pNdkQp, &m, fast_register);
}

/* ---- NdkInvalidate ---- */
static NTSTATUS take_mr(struct memory *m, struct ndk_regions *rs, struct ndk_region **out)
{
	struct ndk_region *r = ndk_region_valid(rs);

	if (!may_be_quiet(m))
		return STATUS_NO_MORE_ENTRIES;
	if (!ndk_mr_unclaim(&m->kmr->mr) || !r)
		return STATUS_INVALID_DEVICE_REQUEST; /* CQ-18 */
	r->valid = false;
	r->uses++;
	atomic_inc(&m->kmr->posted);
	*out = r;
	return STATUS_SUCCESS;
}

static void give_mr_back(struct memory *m, struct ndk_region *r)
{
	r->uses--;
	r->valid = true;
	ndk_mr_claim(&m->kmr->mr);
	atomic_fetch_sub_release(1, &m->kmr->posted);
}

/* As it was before ndk_mw_bind() or ndk_mw_unbind(). */
static void undo_window(struct memory *m, struct ndk_mr *old, struct ndk_fx *fx)
{
	struct ndk_host *h = m->kmw->mw.obj.host;
	unsigned long flags = ndk_kernel_ops.lock(h);

	ndk_mw_undo(&m->kmw->mw, old, fx);
	ndk_kernel_ops.unlock(h, flags);
}

static NTSTATUS take_window(struct memory *m, struct ndk_regions *rs, struct ndk_region **out)
{
	struct ndk_region *r = ndk_region_valid(rs);
	struct ndk_mw *mw = &m->kmw->mw;
	struct ndk_mr *old = NULL;
	unsigned long flags;
	bool bound;

	if (!may_be_quiet(m))
		return STATUS_NO_MORE_ENTRIES;
	if (!r || rs->failed)
		return STATUS_INVALID_DEVICE_REQUEST;
	flags = ndk_kernel_ops.lock(mw->obj.host);
	bound = ndk_mw_unbind(mw, &old);
	ndk_kernel_ops.unlock(mw->obj.host, flags);
	if (!bound)
		return STATUS_INVALID_DEVICE_REQUEST;
	WRITE_ONCE(mw->remote_token, 0);
	r->valid = false;
	r->uses++;
	atomic_inc(&m->kmw->posted);
	atomic_inc(&((struct ndk_kmr *)old)->posted);
	*out = r;
	return STATUS_SUCCESS;
}

static void give_window_back(struct memory *m, struct ndk_region *r, struct ndk_fx *fx)
{
	struct ndk_mr *old = r->parent;

	r->uses--;
	r->valid = true;
	WRITE_ONCE(m->kmw->mw.remote_token, r->ib->rkey);
	undo_window(m, old, fx);
	atomic_fetch_sub_release(1, &((struct ndk_kmr *)old)->posted);
	atomic_fetch_sub_release(1, &m->kmw->posted);
}

static NTSTATUS invalidate_region(struct memory *m, struct ndk_region *r)
{
	struct ib_send_wr wr = {
		.opcode = IB_WR_LOCAL_INV,
		.ex.invalidate_rkey = r->ib->rkey,
	};

	return hand_over(m, r, NDK_USE_INVALIDATE, &wr, &wr);
}

static NTSTATUS invalidate(struct memory *m)
{
	struct ndk_fx fx NDK_UNINIT;
	struct ndk_regions *rs;
	struct ndk_region *r;
	unsigned long flags;
	struct ndk_mr *mr;
	struct ndk_mw *mw;
	NTSTATUS status = ndk_invalidate_check(&m->kqp->qp, m->what, m->flags, &mr, &mw);

	if (status != STATUS_SUCCESS)
		return status;
	m->kmr = (struct ndk_kmr *)mr;
	m->kmw = (struct ndk_kmw *)mw;
	rs = mr ? smp_load_acquire(&m->kmr->regions) : m->kmw->regions;
	if (!rs)
		return STATUS_INVALID_DEVICE_REQUEST;
	ndk_fx_init(&fx);
	spin_lock_irqsave(&rs->lock, flags);
	status = mr ? take_mr(m, rs, &r) : take_window(m, rs, &r);
	if (status == STATUS_SUCCESS) {
		status = invalidate_region(m, r);
		if (status != STATUS_SUCCESS && mr)
			give_mr_back(m, r);
		else if (status != STATUS_SUCCESS)
			give_window_back(m, r, &fx);
	}
	spin_unlock_irqrestore(&rs->lock, flags);
	ndk_api_run(m->kqp->qp.obj.host, &fx);
	return status;
}

NTSTATUS ndk_post_invalidate(NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw,
			     ULONG Flags)
{
	struct memory m = {
		.ctx = RequestContext,
		.flags = Flags,
		.op = NDK_OP_INVALIDATE,
		.what = pNdkMrOrMw,
	};

	return run(pNdkQp, &m, invalidate);
}

/* ---- reads that invalidate their sink (QP-12) ---- */
/* Under r's lock: it is what that local token names, and may be invalidated through this queue pair. */
static bool is_sink(struct memory *m, const struct ndk_region *r, u32 token)
{
	const struct ndk_mr *mr = (struct ndk_mr *)r->of->obj;

	/* while one of its regions is valid the object is there */
	return r->ib && r->valid && r->ib->lkey == token && r->of->obj->type == NdkObjectTypeMr &&
	       mr->pd == m->kqp->qp.pd && mr->state == NDK_MR_READY;
}

/* Under r's lock. */
static NTSTATUS read_into(struct memory *m, struct ndk_region *r)
{
	struct ndk_region *taken;
	NTSTATUS status;

	m->kmr = (struct ndk_kmr *)r->of->obj;
	status = take_mr(m, r->of, &taken);
	if (status != STATUS_SUCCESS)
		return status;
	m->read->wr.opcode = IB_WR_RDMA_READ_WITH_INV;
	m->read->wr.ex.invalidate_rkey = r->ib->rkey;
	mark_slot(m, r, NDK_USE_INVALIDATE);
	if (m->quiet)
		m->kqp->unsignaled = m->kqp->qp.init.depth; /* it is signalled next */
	status = ndk_post_read_locked(m->kqp, m->read, m->ctx, m->sgl, m->nsge, m->flags);
	if (status != STATUS_SUCCESS) {
		unmark_slot(m);
		give_mr_back(m, r);
	}
	return status;
}

static NTSTATUS read_invalidate(struct memory *m)
{
	NTSTATUS status = ndk_post_check(&m->kqp->qp, NDK_OP_READ, m->sgl, m->nsge, m->flags);
	struct ndk_region *r;
	unsigned long flags;

	if (status != STATUS_SUCCESS)
		return status;
	/* in the RCU section of run(): the list of regions stays, the object they belong to may not */
	r = m->nsge ? xa_load(&ndk_box_of(&m->kqp->qp.obj)->dev->regions, m->sgl[0].MemoryRegionToken >> 8) :
		      NULL;
	if (!r)
		return STATUS_INVALID_DEVICE_REQUEST; /* only what was fast-registered can be invalidated */
	spin_lock_irqsave(&r->of->lock, flags);
	status = is_sink(m, r, m->sgl[0].MemoryRegionToken) ? read_into(m, r) : STATUS_INVALID_DEVICE_REQUEST;
	spin_unlock_irqrestore(&r->of->lock, flags);
	return status;
}

static NTSTATUS plain_read(struct memory *m)
{
	return ndk_post_read_locked(m->kqp, m->read, m->ctx, m->sgl, m->nsge, m->flags);
}

NTSTATUS ndk_post_read_invalidate(NDK_QP *qp, PVOID ctx, const NDK_SGE *sgl, ULONG n,
				  struct ib_rdma_wr *wr, ULONG flags)
{
	struct ndk_obj *o = ndk_obj_of(qp, NdkObjectTypeQp);
	struct memory m = {
		.ctx = ctx,
		.flags = flags,
		.op = NDK_OP_READ,
		.sgl = sgl,
		.nsge = n,
		.read = wr,
	};
	bool able;

	if (!o)
		return STATUS_INVALID_PARAMETER;
	able = o->host->info.AdapterFlags & NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED;
	return run(qp, &m, able ? read_invalidate : plain_read); /* QP-14 */
}

/* ---- NdkBind ---- */
/* The part of the parent's pages that begins `offset` bytes into it. Under ndk_regions.lock. */
static int list_part(struct ndk_regions *rs, const struct ndk_kmr *parent, u64 offset, u64 length)
{
	struct scatterlist *from;
	u32 n = 0;
	u64 len;
	int i;

	for_each_sg(parent->sg, from, parent->sg_mapped, i) {
		len = sg_dma_len(from);
		if (offset >= len) {
			offset -= len;
			continue;
		}
		if (n == rs->pages)
			return -EINVAL;
		len = min(len - offset, length);
		sg_dma_address(&rs->sg[n]) = sg_dma_address(from) + offset;
		sg_dma_len(&rs->sg[n++]) = len;
		length -= len;
		offset = 0;
		if (!length)
			return n;
	}
	return -EINVAL;
}

/* Under the host's lock too: the window holds its new parent, or all is as it was. */
static bool hold_parent(struct memory *m, struct ndk_mr **old)
{
	struct ndk_host *h = m->kmw->mw.obj.host;
	unsigned long flags = ndk_kernel_ops.lock(h);
	bool held = ndk_mw_bind(&m->kmw->mw, &m->kmr->mr, old);

	ndk_kernel_ops.unlock(h, flags);
	return held;
}

static bool room_to_rebind(const struct ndk_kqp *kqp)
{
	return kqp->rebinds - READ_ONCE(kqp->rebinds_over) < ndk_rebind_room(kqp);
}

static NTSTATUS bind_locked(struct memory *m, struct ndk_regions *rs, struct ndk_region **out,
			    struct ndk_fx *fx)
{
	struct ndk_region *was = ndk_region_valid(rs);
	struct ndk_mr *old = NULL;
	struct ndk_region *r;
	int n;

	if (rs->failed || !may_be_quiet(m) || (was && !room_to_rebind(m->kqp)))
		return STATUS_NO_MORE_ENTRIES;
	r = ndk_region_pick(rs);
	if (!r)
		return STATUS_NO_MORE_ENTRIES;
	if (!hold_parent(m, &old))
		return STATUS_INVALID_DEVICE_REQUEST;
	n = list_part(rs, m->kmr, m->va - m->kmr->mr.base, m->length);
	if (n > 0)
		n = ndk_region_map(r, n, m->va);
	if (n < 0 || WARN_ON_ONCE(!old != !was)) {
		undo_window(m, old, fx);
		return map_status(n);
	}
	r->valid = true;
	r->uses++;
	r->parent = &m->kmr->mr;
	r->was = was;
	if (was) {
		was->valid = false;
		was->uses++;
		m->kqp->rebinds++;
		atomic_inc(&((struct ndk_kmr *)old)->posted);
	}
	atomic_inc(&m->kmw->posted);
	WRITE_ONCE(m->kmw->mw.remote_token, r->ib->rkey); /* MW-1 */
	*out = r;
	return STATUS_SUCCESS;
}

/*
 * The device took the invalidation of what was bound but not the binding: that is a request that
 * failed, although its poster is told so by the call.
 */
static void bind_half_done(struct ndk_region *r)
{
	r->uses--;
	r->was->uses--;
	r->failed |= BIT(NDK_USE_BIND);
	r->of->failed = true;
	ndk_box_step(ndk_box_of(r->of->obj), NDK_STEP_REPAIR);
}

static void unbind(struct memory *m, struct ndk_region *r, struct ndk_fx *fx)
{
	struct ndk_region *was = r->was;
	struct ndk_mr *old = was ? was->parent : NULL;

	r->uses--;
	r->valid = false;
	r->parent = NULL;
	r->was = NULL;
	if (was) {
		was->valid = true;
		was->uses--;
	}
	WRITE_ONCE(m->kmw->mw.remote_token, was ? was->ib->rkey : 0);
	undo_window(m, old, fx);
	if (old)
		atomic_fetch_sub_release(1, &((struct ndk_kmr *)old)->posted);
	atomic_fetch_sub_release(1, &m->kmw->posted);
}

static NTSTATUS bind_region(struct memory *m, struct ndk_region *r)
{
	struct ib_send_wr inv = { .opcode = IB_WR_LOCAL_INV, .send_flags = flags_of(m) };
	struct ib_reg_wr reg = {
		.wr.opcode = IB_WR_REG_MR,
		.mr = r->ib,
		.key = r->ib->rkey,
		.access = ndk_access_of_op(m->kqp->qp.obj.host, m->flags),
	};

	if (!r->was)
		return hand_over(m, r, NDK_USE_BIND, &reg.wr, &reg.wr);
	inv.ex.invalidate_rkey = r->was->ib->rkey;
	inv.next = &reg.wr;
	return hand_over(m, r, NDK_USE_BIND, &inv, &reg.wr);
}

static NTSTATUS bind(struct memory *m)
{
	NTSTATUS status = ndk_bind_check(&m->kqp->qp, m->kmr ? &m->kmr->mr : NULL,
					 m->kmw ? &m->kmw->mw : NULL, m->va, m->length, m->flags);
	struct ndk_regions *rs;
	struct ndk_region *r;
	unsigned long flags;
	struct ndk_fx fx NDK_UNINIT;

	if (status != STATUS_SUCCESS)
		return status;
	rs = m->kmw->regions;
	ndk_fx_init(&fx);
	spin_lock_irqsave(&rs->lock, flags);
	status = bind_locked(m, rs, &r, &fx);
	if (status == STATUS_SUCCESS) {
		status = bind_region(m, r);
		if (status != STATUS_SUCCESS && r->was)
			m->kqp->rebinds--;
		if (status != STATUS_SUCCESS && m->posted_some)
			bind_half_done(r);
		else if (status != STATUS_SUCCESS)
			unbind(m, r, &fx);
	}
	spin_unlock_irqrestore(&rs->lock, flags);
	ndk_api_run(m->kqp->qp.obj.host, &fx);
	return status;
}

NTSTATUS ndk_post_bind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
		       PVOID VirtualAddress, SIZE_T Length, ULONG Flags)
{
	struct memory m = {
		.ctx = RequestContext,
		.flags = Flags,
		.op = NDK_OP_BIND,
		.kmr = (struct ndk_kmr *)ndk_obj_of(pMr, NdkObjectTypeMr),
		.kmw = (struct ndk_kmw *)ndk_obj_of(pMw, NdkObjectTypeMw),
		.va = (ULONG_PTR)VirtualAddress,
		.length = Length,
	};

	return run(pNdkQp, &m, bind);
}
