// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Logical address mappings: DMA addresses of consumer memory, page by page. All of it inline and in
 * any context. The mapping's own record keeps the addresses, because what lies in the consumer's
 * buffer is the consumer's; removal undoes what is left.
 *
 * Memory that would have to be synchronised is refused, see mr.c. Pages are mapped one by one, so an
 * IOMMU neither merges nor reorders them, and FastRegister gets each page's own address.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "objects.h"

struct ndk_lam {
	struct list_head link; /* in dev->lams, under part_lock; empty once undone */
	struct ndk_adapter *adapter;
	struct ib_device *ib;
	ULONG n; /* pages mapped */
	struct page *last;
	u32 end; /* offset after the last byte mapped, in the last page */
	u64 addr[];
};

bool ndk_dma_coherent(struct ib_device *ib, u64 addr)
{
	if (ib_uses_virt_dma(ib) || !dma_need_sync(ib->dma_device, addr))
		return true;
	pr_warn_once("ndk: %s: memory is refused that the device reaches only through copies or uncached\n",
		     dev_name(&ib->dev));
	return false;
}

static int no_work(void *ctx, struct page *page, u32 offset, u32 len)
{
	return 0;
}

static int map_page(void *ctx, struct page *page, u32 offset, u32 len)
{
	struct ndk_lam *lam = ctx;
	u64 addr;

	if (lam->n && lam->last == page && lam->end == offset) { /* two MDLs share a page */
		lam->end = offset + len;
		return 0;
	}
	if (lam->n && (lam->end != PAGE_SIZE || offset))
		return -EINVAL;
	if (ndk_api_alloc_fails(lam->adapter->obj.host))
		return -ENOMEM;
	addr = ib_dma_map_page(lam->ib, page, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (ib_dma_mapping_error(lam->ib, addr))
		return -ENOMEM;
	lam->addr[lam->n++] = addr;
	if (!ndk_dma_coherent(lam->ib, addr))
		return -ENOMEM; /* it is undone with the others */
	lam->last = page;
	lam->end = offset + len;
	return 0;
}

static void unmap(struct ndk_lam *lam)
{
	while (lam->n)
		ib_dma_unmap_page(lam->ib, lam->addr[--lam->n], PAGE_SIZE, DMA_BIDIRECTIONAL);
}

static void hold(struct ndk_lam *lam, struct ndk_device *dev)
{
	unsigned long flags;

	flags = ndk_kernel_ops.lock(&dev->site.host);
	ndk_adapter_hold(lam->adapter); /* LAM-12 */
	ndk_kernel_ops.unlock(&dev->site.host, flags);
	spin_lock_irqsave(&dev->part_lock, flags);
	list_add_tail(&lam->link, &dev->lams);
	spin_unlock_irqrestore(&dev->part_lock, flags);
}

static NTSTATUS map_all(struct ndk_device *dev, struct ndk_lam *lam, const MDL *mdl, SIZE_T length)
{
	NTSTATUS status = STATUS_DEVICE_REMOVED;
	int err;

	rcu_read_lock(); /* removal waits before it undoes what is in the list */
	if (!READ_ONCE(dev->gone)) {
		lam->ib = dev->ib;
		err = ndk_mdl_walk(mdl, length, map_page, lam);
		status = err ? ndk_status_local(err) : STATUS_SUCCESS;
		if (err)
			unmap(lam); /* LAM-7 */
		else
			hold(lam, dev);
	}
	rcu_read_unlock();
	return status;
}

static void give(const struct ndk_lam *lam, NDK_LOGICAL_ADDRESS_MAPPING *out)
{
	ULONG i;

	out->AdapterContext = (PVOID)lam;
	out->AdapterPageCount = lam->n;
	for (i = 0; i < lam->n; i++)
		out->AdapterPageArray[i].QuadPart = lam->addr[i];
}

NTSTATUS ndk_lam_build(NDK_ADAPTER *pNdkAdapter, MDL *Mdl, SIZE_T Length,
		       NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext,
		       NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM, ULONG *pLAMSize, ULONG *pFBO)
{
	struct ndk_obj *o = ndk_obj_of(pNdkAdapter, NdkObjectTypeAdapter);
	struct ndk_lam *lam;
	NTSTATUS status;
	UINT64 need;
	ULONG pages;

	if (!o || !Mdl || !Length || !pLAMSize || !pFBO || !RequestCompletion)
		return STATUS_INVALID_PARAMETER;
	if (ndk_mdl_span(Mdl, Length) < Length || ndk_mdl_walk(Mdl, Length, no_work, NULL))
		return STATUS_INVALID_PARAMETER; /* LAM-1, LAM-2 */
	pages = (MmGetMdlByteOffset(Mdl) + (UINT64)Length + PAGE_SIZE - 1) >> PAGE_SHIFT;
	need = offsetof(NDK_LOGICAL_ADDRESS_MAPPING, AdapterPageArray) +
	       (UINT64)pages * sizeof(NDK_LOGICAL_ADDRESS);
	if (need > U32_MAX)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!pNdkLAM || *pLAMSize < need) {
		*pLAMSize = need; /* LAM-4 */
		return STATUS_BUFFER_TOO_SMALL;
	}
	if (ndk_api_alloc_fails(o->host))
		return STATUS_INSUFFICIENT_RESOURCES;
	lam = kzalloc(struct_size(lam, addr, pages), GFP_ATOMIC | __GFP_NOWARN);
	if (!lam)
		return STATUS_INSUFFICIENT_RESOURCES;
	INIT_LIST_HEAD(&lam->link);
	lam->adapter = (struct ndk_adapter *)o;
	status = map_all(ndk_device_of(o->host), lam, Mdl, Length);
	if (status != STATUS_SUCCESS) {
		kfree(lam);
		return status;
	}
	give(lam, pNdkLAM);
	*pLAMSize = need;
	*pFBO = MmGetMdlByteOffset(Mdl); /* LAM-3 */
	return STATUS_SUCCESS;
}

VOID ndk_lam_release(NDK_ADAPTER *pNdkAdapter, NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM)
{
	struct ndk_obj *o = ndk_obj_of(pNdkAdapter, NdkObjectTypeAdapter);
	struct ndk_device *dev;
	unsigned long flags;
	struct ndk_lam *lam;
	struct ndk_fx fx NDK_UNINIT;

	if (!o || !pNdkLAM || !pNdkLAM->AdapterContext)
		return;
	lam = pNdkLAM->AdapterContext;
	pNdkLAM->AdapterContext = NULL;
	dev = ndk_device_of(o->host);
	spin_lock_irqsave(&dev->part_lock, flags);
	if (!list_empty(&lam->link)) {
		list_del_init(&lam->link);
		unmap(lam); /* under the lock: removal may not pass before it is done */
	}
	spin_unlock_irqrestore(&dev->part_lock, flags);
	kfree(lam);
	ndk_fx_init(&fx);
	flags = ndk_kernel_ops.lock(o->host);
	ndk_adapter_unhold((struct ndk_adapter *)o, &fx);
	ndk_kernel_ops.unlock(o->host, flags);
	ndk_api_run(&dev->site.host, &fx);
}

/* The records stay for their consumers to release. */
void ndk_lam_drop_all(struct ndk_device *dev)
{
	struct ndk_lam *lam, *next;

	spin_lock_irq(&dev->part_lock);
	list_for_each_entry_safe(lam, next, &dev->lams, link) {
		list_del_init(&lam->link);
		unmap(lam);
	}
	spin_unlock_irq(&dev->part_lock);
}
