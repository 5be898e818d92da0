// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Memory regions of NdkRegisterMr. In the region's lane with hw held, except ndk_mr_unbuild(), which
 * removal calls too.
 *
 * The region's address is that of its MDL and nothing dereferences it (MR-5, MR-6): the device is
 * told the pages and that their first byte goes by that address, whose offset within the page is the
 * true one by construction.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "objects.h"

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

static int map_memory(struct ndk_kmr *kmr, struct ib_device *ib)
{
	struct fill f = {};
	int err;

	err = ndk_mdl_walk(kmr->mr.mdl, kmr->mr.length, add_run, &f);
	if (err)
		return err;
	if (f.n > ib->attrs.max_fast_reg_page_list_len)
		return -EINVAL;
	kmr->sg = ndk_api_alloc_fails(kmr->mr.obj.host) ?
			  NULL :
			  kcalloc(f.n, sizeof(*kmr->sg), GFP_KERNEL);
	if (!kmr->sg)
		return -ENOMEM;
	sg_init_table(kmr->sg, f.n);
	f = (struct fill){ .sg = kmr->sg };
	ndk_mdl_walk(kmr->mr.mdl, kmr->mr.length, add_run, &f);
	kmr->sg_mapped = ib_dma_map_sg(ib, kmr->sg, f.n, DMA_BIDIRECTIONAL);
	if (!kmr->sg_mapped)
		return -ENOMEM;
	kmr->sg_count = f.n;
	return 0;
}

static int access_of(ULONG flags)
{
	int access = 0;

	if (flags & NDK_MR_FLAG_ALLOW_LOCAL_WRITE) /* remote write contains it (MR-7) */
		access |= IB_ACCESS_LOCAL_WRITE;
	if (flags & NDK_MR_FLAG_ALLOW_REMOTE_READ)
		access |= IB_ACCESS_REMOTE_READ;
	if ((flags & NDK_MR_FLAG_ALLOW_REMOTE_WRITE) == NDK_MR_FLAG_ALLOW_REMOTE_WRITE)
		access |= IB_ACCESS_REMOTE_WRITE;
	return access;
}

static int register_pages(struct ndk_kmr *kmr, struct ndk_kpd *kpd)
{
	struct ib_reg_wr wr = { .wr.opcode = IB_WR_REG_MR };
	struct ib_mr *ib;
	int n;

	if (ndk_api_alloc_fails(kmr->mr.obj.host))
		return -ENOMEM;
	ib = ib_alloc_mr(kpd->ib, IB_MR_TYPE_MEM_REG,
			 kmr->sg_count); /* entries, before any were merged */
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
	wr.access = access_of(kmr->mr.flags);
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
	kfree(kmr->sg);
	kmr->ib = NULL;
	kmr->sg = NULL;
	kmr->sg_count = 0;
}

void ndk_mr_register_hw(struct ndk_kmr *kmr)
{
	struct ndk_kpd *kpd = (struct ndk_kpd *)kmr->mr.pd;
	struct ndk_device *dev = ndk_box_of(&kmr->mr.obj)->dev;
	int err = -ENODEV;

	if (dev->site.host.transport == NDK_TRANSPORT_IWARP) {
		/* no QP there reaches RTS without a connection of its own */
		ndk_api_mr_answer(&kmr->mr, STATUS_NOT_SUPPORTED);
		return;
	}
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
