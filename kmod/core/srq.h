/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Shared receive queue: slots, occupation, low-water notification.
 *
 * Control functions run under the host's lock. Slot functions run under the shell's lock of the SRQ:
 * posts are serialised by the consumer (POST-2), but slots come back from the completion queues of
 * many queue pairs. queued and threshold are read and written on both sides, so they are atomic.
 */
#ifndef NDK_CORE_SRQ_H
#define NDK_CORE_SRQ_H

#include "qp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One receive. The shell's own slot begins with it; memory of slots is the shell's, and never moves. */
struct ndk_srq_slot {
	struct ndk_srq_slot *next; /* in the free list */
	PVOID ctx;		   /* RequestContext */
};

struct ndk_srq {
	struct ndk_obj obj;
	struct ndk_pd *pd;
	NDK_FN_SRQ_NOTIFICATION_CALLBACK *notify; /* may be NULL */
	PVOID notify_ctx;
	ULONG max_sge;
	UCHAR state;	 /* enum ndk_srq_state */
	UCHAR calling;	 /* a notification is due or running */
	UCHAR again;	 /* another fell due meanwhile */
	UCHAR modifying; /* NdkModifySrq pending */
	UCHAR told;	 /* a notification has carried the fault (SRQ-6: once) */
	NTSTATUS fault;	 /* STATUS_INTERNAL_ERROR once lost */
	struct ndk_req req;
	ULONG asked_depth;     /* of the pending NdkModifySrq: the depth to have */
	ULONG asked_threshold; /* 0: leave as it is (SRQ-3) */
	ULONG threshold;       /* atomic; 0 none */
	/* under the shell's lock of the SRQ */
	struct ndk_srq_slot *free;
	ULONG depth;   /* slots a consumer may occupy; there may be memory for more */
	ULONG used;    /* occupied: posted, or its result not yet taken (3.13) */
	ULONG queued;  /* posted and not yet used up by a message; atomic */
	UCHAR reached; /* queued was at the threshold since it was armed (U-37); atomic */
};

/* ---- control ---- */
/* Depth and threshold of a new one; the shell has put depth slots into the free list by then. */
void ndk_srq_start(struct ndk_srq *srq, ULONG threshold);
/* NdkModifySrq. STATUS_PENDING: carry out NDK_FX_SRQ_MODIFY to srq->asked_depth, then ndk_srq_answer(). */
NTSTATUS ndk_srq_modify(struct ndk_srq *srq, ULONG depth, ULONG threshold, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx,
			struct ndk_fx *fx);
/*
 * Outcome. The shell has called ndk_srq_set_depth() on success; a new threshold is armed here (SRQ-4),
 * and whether the device has to be told about it says ndk_srq_watching() afterwards.
 */
void ndk_srq_answer(struct ndk_srq *srq, NTSTATUS status, struct ndk_fx *fx);
/* The queue fell below the threshold: ndk_srq_used_up() said so, or the device. Spurious calls do no harm. */
void ndk_srq_fell(struct ndk_srq *srq, struct ndk_fx *fx);
/* The device lost it (SRQ-6); its queue pairs are the shell's to break. */
void ndk_srq_failed(struct ndk_srq *srq, NTSTATUS status, struct ndk_fx *fx);
/* Threshold to watch for, 0 if none: not armed, or never reached since (U-37). Any lock. */
ULONG ndk_srq_watching(const struct ndk_srq *srq);

/* ---- slots, under the shell's lock of the SRQ ---- */
/* Checks one receive without changing anything (U-27). */
NTSTATUS ndk_srq_check(const struct ndk_srq *srq, const NDK_SGE *sgl, ULONG nsge);
/* After a successful check: an occupied, queued slot. TRUE in *reached: the threshold was reached just now. */
struct ndk_srq_slot *ndk_srq_post(struct ndk_srq *srq, PVOID ctx, BOOLEAN *reached);
/* The device did not take it. */
void ndk_srq_unpost(struct ndk_srq *srq, struct ndk_srq_slot *slot);
/* A message used one up. TRUE: call ndk_srq_fell(). */
BOOLEAN ndk_srq_used_up(struct ndk_srq *srq);
/* Its result was taken, or will never be: the slot is free. */
void ndk_srq_give_back(struct ndk_srq *srq, struct ndk_srq_slot *slot);
/* Adds memory: a slot nobody has used yet. */
void ndk_srq_add_slot(struct ndk_srq *srq, struct ndk_srq_slot *slot);
/* FALSE: more slots are occupied than that (U-38). */
BOOLEAN ndk_srq_set_depth(struct ndk_srq *srq, ULONG depth);
/* The result of a receive that came through qp. */
void ndk_srq_result(const struct ndk_qp *qp, const struct ndk_srq_slot *slot, NTSTATUS status, ULONG bytes,
		    NDK_RESULT_EX *out);

#ifdef __cplusplus
}
#endif
#endif
