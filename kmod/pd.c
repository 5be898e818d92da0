// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Protection domains. Building and unbuilding with hw held; the token getter in any context.
 */
#include "objects.h"

NTSTATUS ndk_pd_build(struct ndk_kpd *kpd)
{
	struct ndk_box *box = ndk_box_of(&kpd->pd.obj);
	struct ib_pd *ib;

	if (ndk_api_alloc_fails(kpd->pd.obj.host))
		return STATUS_INSUFFICIENT_RESOURCES;
	ib = ib_alloc_pd(box->dev->ib, 0);
	if (IS_ERR(ib))
		return ndk_status_local(PTR_ERR(ib));
	kpd->ib = ib;
	kpd->token = ib->local_dma_lkey; /* local rights, never remote ones (LNX-21, PD-2, PD-3) */
	ndk_box_part(box, NDK_PART_PD);
	return STATUS_SUCCESS;
}

void ndk_pd_unbuild(struct ndk_kpd *kpd)
{
	ndk_box_unpart(ndk_box_of(&kpd->pd.obj));
	ndk_regqp_end(&kpd->reg);
	if (kpd->ib)
		ib_dealloc_pd(kpd->ib);
	kpd->ib = NULL;
}

VOID ndk_pd_token(NDK_PD *pNdkPd, UINT32 *pToken)
{
	struct ndk_kpd *kpd = (struct ndk_kpd *)ndk_obj_of(pNdkPd, NdkObjectTypePd);

	if (kpd && pToken)
		*pToken = kpd->token; /* PD-1, PD-4 */
}
