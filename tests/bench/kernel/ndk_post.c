// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The way through NDKPI: posting and polling. The provider turns bottom halves off around a post by
 * itself. Called by the bench's thread.
 */
#include <linux/errno.h>

#include "ndk.h"

static NDK_SGE piece(const struct ndk_bench *b, enum bench_end end, u32 offset, ULONG length)
{
	NDK_SGE sge = { .Length = length, .MemoryRegionToken = b->token };

	sge.LogicalAddress.QuadPart = b->memory[end].lam->AdapterPageArray[0].QuadPart + offset;
	return sge;
}

static ULONG silence(bool signalled)
{
	return signalled ? 0 : NDK_OP_FLAG_SILENT_SUCCESS;
}

int ndk_post_send_way(struct bench_conn *c, enum bench_end end, bool signalled)
{
	NDK_QP *qp = ndk_pair_of(c)->qp[end];
	NDK_SGE sge = piece(ndk_bench_of(c->host), end, 0, BENCH_SMALL);

	return qp->Dispatch->NdkSend(qp, (PVOID)BENCH_REQUEST, &sge, 1, silence(signalled)) ? -EIO :
											      0;
}

int ndk_post_receive_way(struct bench_conn *c, enum bench_end end, u32 slot)
{
	NDK_QP *qp = ndk_pair_of(c)->qp[end];
	NDK_SGE sge =
		piece(ndk_bench_of(c->host), end, slot % BENCH_DEPTH * BENCH_SMALL, BENCH_SMALL);

	return qp->Dispatch->NdkReceive(qp, (PVOID)BENCH_RECEIVE, &sge, 1) ? -EIO : 0;
}

int ndk_post_write_way(struct bench_conn *c)
{
	struct ndk_pair *p = ndk_pair_of(c);
	NDK_QP *qp = p->qp[BENCH_ACTIVE];
	NDK_SGE sge = piece(ndk_bench_of(c->host), BENCH_ACTIVE, 0, BENCH_BULK);

	return qp->Dispatch->NdkWrite(qp, (PVOID)BENCH_REQUEST, &sge, 1,
				      (uintptr_t)c->host->setup->memory[BENCH_PASSIVE], p->rkey,
				      0) ?
		       -EIO :
		       0;
}

int ndk_post_read_way(struct bench_conn *c)
{
	struct ndk_pair *p = ndk_pair_of(c);
	NDK_QP *qp = p->qp[BENCH_ACTIVE];
	NDK_SGE sge = piece(ndk_bench_of(c->host), BENCH_ACTIVE, 0, BENCH_BULK);

	return qp->Dispatch->NdkRead(qp, (PVOID)BENCH_REQUEST, &sge, 1,
				     (uintptr_t)c->host->setup->memory[BENCH_PASSIVE], p->rkey, 0) ?
		       -EIO :
		       0;
}

int ndk_post_reg_way(struct bench_conn *c, u32 region, u32 pages, bool signalled)
{
	struct ndk_bench *b = ndk_bench_of(c->host);
	struct ndk_pair *p = ndk_pair_of(c);
	NDK_QP *qp = p->qp[BENCH_ACTIVE];

	return qp->Dispatch->NdkFastRegister(
		       qp, (PVOID)BENCH_REQUEST, p->region[region], pages,
		       b->memory[BENCH_ACTIVE].lam->AdapterPageArray, 0, pages * PAGE_SIZE,
		       c->host->setup->memory[BENCH_ACTIVE],
		       NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE |
			       silence(signalled)) ?
		       -EIO :
		       0;
}

int ndk_post_invalidate_way(struct bench_conn *c, u32 region)
{
	struct ndk_pair *p = ndk_pair_of(c);
	NDK_QP *qp = p->qp[BENCH_ACTIVE];

	return qp->Dispatch->NdkInvalidate(qp, (PVOID)BENCH_REQUEST, &p->region[region]->Header,
					   0) ?
		       -EIO :
		       0;
}

int ndk_poll_way(struct bench_host *h, enum bench_end end, struct bench_result *out)
{
	NDK_CQ *cq = ndk_bench_of(h)->cq[end];
	NDK_RESULT results[BENCH_BATCH];
	int i, n = cq->Dispatch->NdkGetCqResults(cq, results, BENCH_BATCH);

	for (i = 0; i < n; i++) {
		out[i].error = results[i].Status;
		out[i].kind = (uintptr_t)results[i].RequestContext;
		out[i].bytes = results[i].BytesTransferred;
	}
	return n;
}
