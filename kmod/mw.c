// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Memory windows: their hardware regions, made with the window, because binding cannot sleep. With hw
 * held. What binding does with them is in post_memory.c and region.c.
 *
 * Kernel consumers of verbs have no windows (LNX-20). What differs from a window of the device's own: its size
 * is limited (MaxWindowSize), and it is not tied to the queue pair it was bound on.
 */
#include "objects.h"
#include "compat/compat.h"

NTSTATUS ndk_mw_build(struct ndk_kmw *kmw)
{
	struct ndk_box *box = ndk_box_of(&kmw->mw.obj);
	struct ndk_kpd *kpd = (struct ndk_kpd *)kmw->mw.pd;
	u32 pages = min(ndk_compat_max_pages(box->dev->ib), NDK_MW_PAGES);
	struct ndk_regions *rs;

	rs = ndk_regions_make(&kmw->mw.obj, kpd->ib, NDK_MW_TURNS, pages);
	if (IS_ERR(rs))
		return ndk_status_local(PTR_ERR(rs));
	kmw->regions = rs;
	ndk_box_part(box, NDK_PART_MW);
	return STATUS_SUCCESS;
}

/*
 * After removal a request that failed may still have to be told to the core: that is the lane's, and
 * what it needs for it stays until the window is closed.
 */
void ndk_mw_kill(struct ndk_kmw *kmw)
{
	ndk_box_unpart(ndk_box_of(&kmw->mw.obj));
	if (kmw->regions)
		ndk_regions_revoke(kmw->regions);
}

void ndk_mw_unbuild(struct ndk_kmw *kmw)
{
	ndk_mw_kill(kmw);
	if (kmw->regions)
		ndk_regions_end(kmw->regions);
	kmw->regions = NULL;
}
