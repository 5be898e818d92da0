// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Memory descriptor lists in the kernel: the Windows names and the native builders. An MDL and its
 * page array are one allocation. Contexts as ndkpi_mdl.h says; nothing here locks.
 */
#include <linux/bvec.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "objects.h"

static ULONG pages_of(PVOID va, ULONG length)
{
	return (offset_in_page(va) + (UINT64)length + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* Room for the pages comes with it; Pages stays NULL until they are known. */
static MDL *make(PVOID va, ULONG length, ULONG pages, gfp_t gfp)
{
	MDL *mdl = kzalloc(sizeof(*mdl) + array_size(pages, sizeof(PVOID)), gfp | __GFP_NOWARN);

	if (!mdl)
		return NULL;
	mdl->VirtualAddress = va;
	mdl->ByteCount = length;
	mdl->PageCount = 0;
	return mdl;
}

static PVOID *room(MDL *mdl)
{
	return (PVOID *)(mdl + 1);
}

MDL *IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota,
		   PVOID Irp)
{
	if (!Length)
		return NULL;
	return make(VirtualAddress, Length, pages_of(VirtualAddress, Length), GFP_ATOMIC);
}
EXPORT_SYMBOL_GPL(IoAllocateMdl);

static struct page *page_at(const void *va)
{
	bool mapped = is_vmalloc_addr(va);

#ifdef MODULES_VADDR
	mapped = mapped || ((ULONG_PTR)va >= MODULES_VADDR && (ULONG_PTR)va < MODULES_END);
#endif
	if (mapped)
		return vmalloc_to_page(va);
	return virt_addr_valid(va) ? virt_to_page(va) : NULL;
}

/* Memory that has no page leaves the MDL unbuilt; using it then fails with STATUS_INVALID_PARAMETER. */
VOID MmBuildMdlForNonPagedPool(MDL *Mdl)
{
	ULONG n = pages_of(Mdl->VirtualAddress, Mdl->ByteCount);
	char *va = (char *)((ULONG_PTR)Mdl->VirtualAddress & PAGE_MASK);
	PVOID *pages = room(Mdl);
	ULONG i;

	for (i = 0; i < n; i++) {
		pages[i] = page_at(va + (size_t)i * PAGE_SIZE);
		if (!pages[i])
			return;
	}
	Mdl->Pages = pages;
	Mdl->PageCount = n;
	Mdl->Flags = MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL;
}
EXPORT_SYMBOL_GPL(MmBuildMdlForNonPagedPool);

VOID IoFreeMdl(MDL *Mdl)
{
	kfree(Mdl);
}
EXPORT_SYMBOL_GPL(IoFreeMdl);

/* ---- native builders ---- */
static MDL *finish(MDL *mdl, ULONG pages)
{
	mdl->Pages = room(mdl);
	mdl->PageCount = pages;
	mdl->Flags = MDL_PAGES_LOCKED;
	return mdl;
}

/* The address of the range: the caller's, if its offset fits, else that of the first byte. */
static bool base_of(struct page *first, ULONG offset, PVOID *va)
{
	if (*va)
		return offset_in_page(*va) == offset;
	if (PageHighMem(first))
		return false;
	*va = (char *)page_address(first) + offset;
	return true;
}

MDL *NdkMdlFromPages(struct page *const *Pages, ULONG PageCount, ULONG ByteOffset, ULONG ByteCount,
		     PVOID VirtualAddress, gfp_t Gfp)
{
	MDL *mdl;

	if (!Pages || !PageCount || !ByteCount || ByteOffset >= PAGE_SIZE)
		return NULL;
	if ((UINT64)ByteOffset + ByteCount > (UINT64)PageCount << PAGE_SHIFT)
		return NULL;
	if (!base_of(Pages[0], ByteOffset, &VirtualAddress))
		return NULL;
	PageCount = pages_of(VirtualAddress, ByteCount);
	mdl = make(VirtualAddress, ByteCount, PageCount, Gfp);
	if (!mdl)
		return NULL;
	memcpy(room(mdl), Pages, PageCount * sizeof(PVOID));
	return finish(mdl, PageCount);
}
EXPORT_SYMBOL_GPL(NdkMdlFromPages);

/* Pieces in, pages out: every piece but the first begins, every piece but the last ends, on a page boundary. */
struct gather {
	PVOID *pages; /* NULL: only count */
	ULONG n;
	UINT64 bytes;
	bool open; /* the last piece did not end on a boundary */
	bool bad;
};

static void gather(struct gather *g, struct page *page, ULONG offset, ULONG len)
{
	ULONG i, n;

	if (!len)
		g->bad = true; /* its page would be part of the memory, and its offset that of the whole */
	page = nth_page(page, offset >> PAGE_SHIFT);
	offset = offset_in_page(offset);
	if (g->bytes && (g->open || offset))
		g->bad = true;
	n = (offset + (UINT64)len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	for (i = 0; g->pages && i < n; i++)
		g->pages[g->n + i] = nth_page(page, i);
	g->n += n;
	g->bytes += len;
	g->open = offset_in_page(offset + len) != 0;
	if (g->bytes > U32_MAX)
		g->bad = true;
}

MDL *NdkMdlFromBvec(const struct bio_vec *Segments, ULONG SegmentCount, PVOID VirtualAddress,
		    gfp_t Gfp)
{
	struct gather g = {};
	ULONG i;
	MDL *mdl;

	for (i = 0; i < SegmentCount; i++)
		gather(&g, Segments[i].bv_page, Segments[i].bv_offset, Segments[i].bv_len);
	if (!g.bytes || g.bad)
		return NULL;
	if (!base_of(nth_page(Segments->bv_page, Segments->bv_offset >> PAGE_SHIFT),
		     offset_in_page(Segments->bv_offset), &VirtualAddress))
		return NULL;
	mdl = make(VirtualAddress, g.bytes, g.n, Gfp);
	if (!mdl)
		return NULL;
	g = (struct gather){ .pages = room(mdl) };
	for (i = 0; i < SegmentCount; i++)
		gather(&g, Segments[i].bv_page, Segments[i].bv_offset, Segments[i].bv_len);
	return finish(mdl, g.n);
}
EXPORT_SYMBOL_GPL(NdkMdlFromBvec);

MDL *NdkMdlFromScatterlist(struct scatterlist *List, ULONG EntryCount, PVOID VirtualAddress,
			   gfp_t Gfp)
{
	struct scatterlist *sg;
	struct gather g = {};
	ULONG i;
	MDL *mdl;

	for_each_sg(List, sg, EntryCount, i)
		gather(&g, sg_page(sg), sg->offset, sg->length);
	if (!g.bytes || g.bad)
		return NULL;
	if (!base_of(nth_page(sg_page(List), List->offset >> PAGE_SHIFT),
		     offset_in_page(List->offset), &VirtualAddress))
		return NULL;
	mdl = make(VirtualAddress, g.bytes, g.n, Gfp);
	if (!mdl)
		return NULL;
	g = (struct gather){ .pages = room(mdl) };
	for_each_sg(List, sg, EntryCount, i)
		gather(&g, sg_page(sg), sg->offset, sg->length);
	return finish(mdl, g.n);
}
EXPORT_SYMBOL_GPL(NdkMdlFromScatterlist);

/* ---- reading a chain ---- */
static int walk_one(const MDL *mdl, ULONG length,
		    int (*fn)(void *ctx, struct page *page, u32 offset, u32 len), void *ctx)
{
	ULONG offset = MmGetMdlByteOffset(mdl);
	ULONG i = 0, len;
	int err;

	while (length) {
		if (i >= mdl->PageCount)
			return -EINVAL;
		len = min_t(ULONG, length, PAGE_SIZE - offset);
		err = fn(ctx, mdl->Pages[i++], offset, len);
		if (err)
			return err;
		length -= len;
		offset = 0;
	}
	return 0;
}

int ndk_mdl_walk(const MDL *mdl, SIZE_T length,
		 int (*fn)(void *ctx, struct page *page, u32 offset, u32 len), void *ctx)
{
	ULONG len;
	int err;

	for (; length; mdl = mdl->Next) {
		if (!mdl || !mdl->Pages)
			return -EINVAL;
		len = min_t(SIZE_T, length, mdl->ByteCount);
		err = walk_one(mdl, len, fn, ctx);
		if (err)
			return err;
		length -= len;
	}
	return 0;
}
