/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory regions and memory windows.
 *
 * Control (registering, initialising, closing) is a table (mr_rows.h) under the host's lock. What
 * posting changes is not: whether a fast registration or a binding is in force, in order of posting,
 * is one atomic flag, and a window's hold on its region is taken by the post and given up when the
 * device is known to honour it no more.
 *
 * A region is held by its windows (LIFE-3, U-36): mr->windows counts them for NdkDeregisterMr, which
 * must be right the moment a consumer has seen an invalidation complete; the references that keep a
 * closing region follow with ndk_mw_done().
 */
#ifndef NDK_CORE_MR_H
#define NDK_CORE_MR_H

#include "qp.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ndk_mw;

struct ndk_mr {
	struct ndk_obj obj;
	struct ndk_pd *pd;
	struct ndk_req req;
	UCHAR state;   /* enum ndk_mr_state */
	UCHAR fast;    /* created with FastRegister TRUE (MR-1) */
	UCHAR remote;  /* initialised with RemoteAccess TRUE (MR-13) */
	UCHAR valid;   /* a fast registration is in force, in order of posting; atomic */
	ULONG pages;   /* initialised for that many (MR-11) */
	UINT32 windows;/* bound to it; atomic */
	/* written by the shell: when registered or initialised, and by every fast registration (MR-15, MR-16) */
	UINT32 token;
	UINT32 remote_token;
	/* of the request under way: NdkRegisterMr ... */
	MDL *mdl; /* borrowed while it is pending (MR-4) */
	UINT64 base;
	SIZE_T length;
	ULONG flags; /* NDK_MR_FLAG_* */
	/* ... or NdkInitializeFastRegisterMr */
	ULONG asked_pages;
	UCHAR asked_remote;
};

/* A new one, before it is handed over. */
void ndk_mr_start(struct ndk_mr *mr, BOOLEAN fast);
/* Each checks and begins; STATUS_PENDING: carry out the effect of the same name, then ndk_mr_answer(). */
NTSTATUS ndk_mr_register(struct ndk_mr *mr, MDL *mdl, SIZE_T length, ULONG flags,
			 NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx);
NTSTATUS ndk_mr_deregister(struct ndk_mr *mr, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx);
NTSTATUS ndk_mr_initialize(struct ndk_mr *mr, ULONG pages, BOOLEAN remote, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx,
			   struct ndk_fx *fx);
/*
 * Outcome of either. A failed initialisation must have left what there was before. A successful one has
 * revoked whatever was registered.
 */
void ndk_mr_answer(struct ndk_mr *mr, NTSTATUS status, struct ndk_fx *fx);
/* Length covered by the chain if virtually contiguous, else 0 (MR-3, LAM-1). */
SIZE_T ndk_mdl_span(const MDL *mdl, SIZE_T length);

/* ---- posting; no lock but the consumer's own order per queue ---- */
/* Arguments of NdkFastRegister beside queue pair, region and flags. */
struct ndk_pages {
	ULONG count;
	const NDK_LOGICAL_ADDRESS *page;
	ULONG fbo;
	SIZE_T length;
	UINT64 base;
};

/*
 * Everything that NdkFastRegister refuses inline, slots of the queue included (QP-16..20). Success
 * changes nothing: claim, hand to the device, give the claim back if that failed.
 */
NTSTATUS ndk_fast_register_check(const struct ndk_qp *qp, const struct ndk_mr *mr, const struct ndk_pages *p,
				 ULONG flags);
/* FALSE: a registration is in force already, STATUS_INVALID_DEVICE_REQUEST. */
static inline BOOLEAN ndk_mr_claim(struct ndk_mr *mr)
{
	return !__atomic_exchange_n(&mr->valid, 1, __ATOMIC_ACQ_REL);
}
/* Also for an invalidation: FALSE: there was none in force (QP-22, CQ-18), STATUS_INVALID_DEVICE_REQUEST. */
static inline BOOLEAN ndk_mr_unclaim(struct ndk_mr *mr)
{
	return __atomic_exchange_n(&mr->valid, 0, __ATOMIC_ACQ_REL) != 0;
}

/*
 * NdkInvalidate: which of the two is meant is written to *mr or *mw, NULL to the other. The caller
 * then unclaims the region, or begins the end of the binding with ndk_mw_unbind().
 */
NTSTATUS ndk_invalidate_check(const struct ndk_qp *qp, NDK_OBJECT_HEADER *what, ULONG flags, struct ndk_mr **mr,
			      struct ndk_mw **mw);

/* ---- windows ---- */
struct ndk_mw {
	struct ndk_obj obj;
	struct ndk_pd *pd;
	struct ndk_mr *mr;   /* bound to, in order of posting; under the host's lock */
	UINT32 remote_token; /* written by the shell with each binding (MW-1); 0 unbound */
};

/* Everything that NdkBind refuses inline (QP-15..17). The region is one of NdkRegisterMr. */
NTSTATUS ndk_bind_check(const struct ndk_qp *qp, const struct ndk_mr *mr, const struct ndk_mw *mw, UINT64 va,
			SIZE_T length, ULONG flags);
/*
 * Under the host's lock, before the device gets the request. The window holds mr from now on. *old is
 * the region it held before, or NULL, and is to be given to ndk_mw_done() with this request.
 * FALSE: window or region is being closed or deregistered, STATUS_INVALID_DEVICE_REQUEST.
 */
BOOLEAN ndk_mw_bind(struct ndk_mw *mw, struct ndk_mr *mr, struct ndk_mr **old);
/* Likewise for NdkInvalidate and for an invalidation by the peer. FALSE: not bound. */
BOOLEAN ndk_mw_unbind(struct ndk_mw *mw, struct ndk_mr **old);
/* The device refused the post: all as it was. old is what the call above returned. */
void ndk_mw_undo(struct ndk_mw *mw, struct ndk_mr *old, struct ndk_fx *fx);
/* Atomic, any lock: from here on NdkDeregisterMr does not count the old binding. Before ndk_mw_done(). */
static inline void ndk_mw_released(struct ndk_mr *old)
{
	if (old)
		__atomic_fetch_sub(&old->windows, 1, __ATOMIC_ACQ_REL);
}
/*
 * Under the host's lock: the request is over and the device does not honour the old binding (released
 * before). failed: nor the window's present one; the shell has seen to that.
 */
void ndk_mw_done(struct ndk_mw *mw, struct ndk_mr *old, BOOLEAN failed, struct ndk_fx *fx);

#ifdef __cplusplus
}
#endif
#endif
