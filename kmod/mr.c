// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Memory regions: those of NdkRegisterMr, and what NdkInitializeFastRegisterMr makes ready. In the
 * region's lane with hw held, except ndk_mr_unbuild(), which removal calls too.
 *
 * The region's address is that of its MDL and nothing dereferences it (MR-5, MR-6): the device is
 * told the pages and that their first byte goes by that address, whose offset within the page is the
 * true one by construction.
 *
 * NDK has no call that hands memory back and forth between processor and device. So memory for which
 * this would take one, because the device cannot reach it or does not see the caches, is refused.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "objects.h"
#include "compat/compat.h"

/* Runs within pages, glued where they continue within the same page (two MDLs may share one). */
struct fill {
	struct scatterlist *sg; /* NULL: only count */
	struct scatterlist *last;
	int n;
	struct page *page;
	u32 end; /* offset in page after the last run */
};

static int add_run(void *ctx, struct page *page, u32 offset, u32 len)
{
	struct fill *f = ctx;

	if (f->n && f->end == offset && f->page == page) {
		if (f->last)
			f->last->length += len;
	} else if (f->n && (f->end != PAGE_SIZE || offset)) {
		return -EINVAL; /* continuous addresses over discontinuous bytes of different pages */
	} else {
		if (f->sg) {
			f->last = &f->sg[f->n];
			sg_set_page(f->last, page, len, offset);
		}
		f->n++;
	}
	f->page = page;
	f->end = offset + len;
	return 0;
}

static bool all_coherent(const struct ndk_kmr *kmr, struct ib_device *ib)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(kmr->sg, sg, kmr->sg_mapped, i)
		if (!ndk_dma_coherent(ib, sg_dma_address(sg)))
			return false;
	return true;
}

static int map_memory(struct ndk_kmr *kmr, struct ib_device *ib)
{
	struct fill f = {};
	int err;

	err = ndk_mdl_walk(kmr->mr.mdl, kmr->mr.length, add_run, &f);
	if (err)
		return err;
	if (f.n > ndk_compat_max_pages(ib))
		return -EINVAL;
	kmr->sg = ndk_api_alloc_fails(kmr->mr.obj.host) ?
			  NULL :
			  kvcalloc(f.n, sizeof(*kmr->sg), GFP_KERNEL);
	if (!kmr->sg)
		return -ENOMEM;
	sg_init_table(kmr->sg, f.n);
	f = (struct fill){ .sg = kmr->sg };
	ndk_mdl_walk(kmr->mr.mdl, kmr->mr.length, add_run, &f);
	kmr->sg_mapped = ib_dma_map_sg(ib, kmr->sg, f.n, DMA_BIDIRECTIONAL);
	if (!kmr->sg_mapped)
		return -ENOMEM;
	kmr->sg_count = f.n;
	return all_coherent(kmr, ib) ? 0 : -ENOMEM;
}

/*
 * iWARP names the sink of a read on the wire, where it is written to like any remote memory (MR-8, MR-9):
 * most devices want it open to remote writing, and only those get that.
 */
static int access_of(const struct ndk_host *h, bool local_write, bool read, bool write, bool sink)
{
	int access = 0;

	sink = sink && h->transport == NDK_TRANSPORT_IWARP;
	if (local_write || write || sink)
		access |= IB_ACCESS_LOCAL_WRITE;
	if (read)
		access |= IB_ACCESS_REMOTE_READ;
	if (write || (sink && !ndk_compat_sinks_are_local(ndk_device_of(h)->ib)))
		access |= IB_ACCESS_REMOTE_WRITE;
	return access;
}

int ndk_access_of_mr(const struct ndk_host *h, ULONG flags)
{
	return access_of(h, flags & NDK_MR_FLAG_ALLOW_LOCAL_WRITE,
			 flags & NDK_MR_FLAG_ALLOW_REMOTE_READ,
			 (flags & NDK_MR_FLAG_ALLOW_REMOTE_WRITE) == NDK_MR_FLAG_ALLOW_REMOTE_WRITE,
			 flags & NDK_MR_FLAG_RDMA_READ_SINK);
}

int ndk_access_of_op(const struct ndk_host *h, ULONG flags)
{
	return access_of(h, flags & NDK_OP_FLAG_ALLOW_LOCAL_WRITE,
			 flags & NDK_OP_FLAG_ALLOW_REMOTE_READ,
			 (flags & NDK_OP_FLAG_ALLOW_REMOTE_WRITE) == NDK_OP_FLAG_ALLOW_REMOTE_WRITE,
			 flags & NDK_OP_FLAG_RDMA_READ_SINK);
}

static int register_pages(struct ndk_kmr *kmr, struct ndk_kpd *kpd)
{
	struct ib_reg_wr wr = { .wr.opcode = IB_WR_REG_MR };
	struct ib_mr *ib;
	int n;

	if (ndk_api_alloc_fails(kmr->mr.obj.host))
		return -ENOMEM;
	ib = ib_alloc_mr(kpd->ib, IB_MR_TYPE_MEM_REG,
			 ndk_compat_asked_pages(kpd->ib->device,
						kmr->sg_count)); /* entries, before any were merged */
	if (IS_ERR(ib))
		return PTR_ERR(ib);
	kmr->ib = ib;
	ndk_box_part(ndk_box_of(&kmr->mr.obj), NDK_PART_MR);
	n = ib_map_mr_sg(ib, kmr->sg, kmr->sg_mapped, NULL, PAGE_SIZE);
	if (n != kmr->sg_mapped)
		return n < 0 ? n : -EINVAL;
	ib->iova = kmr->mr.base;
	wr.mr = ib;
	wr.key = ib->rkey;
	wr.access = ndk_access_of_mr(kmr->mr.obj.host, kmr->mr.flags);
	return ndk_regqp_run(kpd, &wr);
}

void ndk_mr_unbuild(struct ndk_kmr *kmr)
{
	struct ndk_device *dev = ndk_box_of(&kmr->mr.obj)->dev;

	ndk_box_unpart(ndk_box_of(&kmr->mr.obj));
	if (kmr->ib)
		ib_dereg_mr(kmr->ib);
	if (kmr->sg_count)
		ib_dma_unmap_sg(dev->ib, kmr->sg, kmr->sg_count, DMA_BIDIRECTIONAL);
	kvfree(kmr->sg);
	kmr->ib = NULL;
	kmr->sg = NULL;
	kmr->sg_count = 0;
	if (kmr->regions)
		ndk_regions_end(kmr->regions);
	kmr->regions = NULL;
}

void ndk_mr_register_hw(struct ndk_kmr *kmr)
{
	struct ndk_kpd *kpd = (struct ndk_kpd *)kmr->mr.pd;
	struct ndk_device *dev = ndk_box_of(&kmr->mr.obj)->dev;
	int err = -ENODEV;

	if (kpd->ib)
		err = map_memory(kmr, dev->ib);
	if (!err)
		err = register_pages(kmr, kpd);
	if (err) {
		ndk_mr_unbuild(kmr);
	} else {
		kmr->mr.token = kmr->ib->lkey;
		kmr->mr.remote_token = kmr->ib->rkey;
		kmr->mr.obj.light = 0; /* closing it now takes a worker */
	}
	ndk_api_mr_answer(&kmr->mr, err ? ndk_status_local(err) : STATUS_SUCCESS);
}

void ndk_mr_deregister_hw(struct ndk_kmr *kmr)
{
	ndk_mr_unbuild(kmr);
	kmr->mr.obj.light = 1;
	ndk_api_mr_answer(&kmr->mr, STATUS_SUCCESS);
}

/* What was registered is revoked with the old regions (MR-14); if there are no new ones, it stays. */
void ndk_mr_initialize_hw(struct ndk_kmr *kmr)
{
	struct ndk_kpd *kpd = (struct ndk_kpd *)kmr->mr.pd;
	struct ndk_regions *old = kmr->regions;
	struct ndk_regions *rs;

	rs = kpd->ib ? ndk_regions_make(&kmr->mr.obj, kpd->ib, NDK_MR_TURNS, kmr->mr.asked_pages) :
		       ERR_PTR(-ENODEV);
	if (IS_ERR(rs)) {
		ndk_api_mr_answer(&kmr->mr, ndk_status_local(PTR_ERR(rs)));
		return;
	}
	smp_store_release(&kmr->regions, rs);
	if (old)
		ndk_regions_end(old);
	kmr->mr.token = rs->at[0].ib->lkey; /* MR-15 */
	kmr->mr.remote_token = rs->at[0].ib->rkey;
	kmr->mr.obj.light = 0;
	ndk_box_part(ndk_box_of(&kmr->mr.obj), NDK_PART_MR);
	ndk_api_mr_answer(&kmr->mr, STATUS_SUCCESS);
}

void ndk_memory_repair(struct ndk_obj *o)
{
	struct ndk_kmr *kmr = (struct ndk_kmr *)o;
	struct ndk_kmw *kmw = (struct ndk_kmw *)o;
	bool window = o->type == NdkObjectTypeMw;
	struct ndk_regions *rs = window ? kmw->regions : kmr->regions;
	struct ndk_pd *pd = window ? kmw->mw.pd : kmr->mr.pd;

	if (rs)
		ndk_regions_repair(rs, ((struct ndk_kpd *)pd)->ib);
}
