/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * PD, CQ, QP, MR as the core sees them: control state, arming, posting checks and accounting.
 *
 * Control functions run under the host's lock. The data path does not: ndk_post_*() runs in the
 * posting call, which the consumer serialises per queue (POST-2); ndk_ring_take()/ndk_ring_free()
 * run under the shell's lock of the CQ. One writer per index, so a release store and an acquire
 * load are all the synchronisation between the two (POST-4).
 */
#ifndef NDK_CORE_QP_H
#define NDK_CORE_QP_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ndk_pd {
	struct ndk_obj obj;
};

/* ---- completion queue: arming ---- */
struct ndk_cq {
	struct ndk_obj obj;
	NDK_FN_CQ_NOTIFICATION_CALLBACK *notify;
	PVOID notify_ctx;
	ULONG depth;
	UCHAR armed;	  /* enum ndk_cq_state */
	UCHAR calling;	  /* a notification is due or running */
	UCHAR fire_again; /* fell due meanwhile (CQ-7) */
	UCHAR fresh;	  /* 1: plain, 2: solicited results arrived since the last callback started */
	NTSTATUS fault;	  /* STATUS_BUFFER_OVERFLOW, STATUS_INTERNAL_ERROR, or success (CQ-14, CQ-15) */
};

/* type is NDK_CQ_NOTIFY_*. An unknown type is treated as ANY, the one that never loses a wake-up. */
void ndk_cq_arm(struct ndk_cq *cq, ULONG type, struct ndk_fx *fx);
/* Results arrived. solicited counts errors too (CQ-12). */
void ndk_cq_arrived(struct ndk_cq *cq, BOOLEAN solicited, struct ndk_fx *fx);
/* The consumer took every result there was: an arm no longer has anything to be satisfied by. */
void ndk_cq_emptied(struct ndk_cq *cq);
/* First fault wins; reported at once if armed, else at the next arm (U-32). */
void ndk_cq_failed(struct ndk_cq *cq, NTSTATUS status, struct ndk_fx *fx);
/* Does the hardware have to be asked for an event? 0 no, else NDK_CQ_NOTIFY_SOLICITED or _ANY. */
ULONG ndk_cq_wants(const struct ndk_cq *cq);

/* ---- rings: who is posted, in order ---- */
enum ndk_op { NDK_OP_SEND = 1, NDK_OP_RECEIVE, NDK_OP_READ, NDK_OP_WRITE, NDK_OP_BIND, NDK_OP_FAST_REGISTER,
	      NDK_OP_INVALIDATE };

struct ndk_slot {
	PVOID ctx;   /* RequestContext */
	ULONG flags; /* NDK_OP_FLAG_* */
	UCHAR op;    /* enum ndk_op */
};

/*
 * head: next slot to post, written by the poster. done: next slot to complete. tail: oldest slot not
 * yet taken by the consumer (3.13: a slot is occupied until its result is taken). All count upwards;
 * the slot is index % depth. 64 bits, because a wrap would have to fall on a multiple of every depth:
 * 32 bits are used up in minutes.
 */
struct ndk_ring {
	struct ndk_slot *slot;
	ULONG depth;
	UINT64 head;
	UINT64 done;
	UINT64 tail;
};

/* ---- queue pair ---- */
struct ndk_connector;

struct ndk_qp {
	struct ndk_obj obj;
	struct ndk_pd *pd;
	struct ndk_cq *rcq;
	struct ndk_cq *icq;
	PVOID ctx;		/* QPContext (PD-9) */
	ULONG max_recv_sge;
	ULONG max_init_sge;
	ULONG inline_size;
	UCHAR state;		/* enum ndk_qp_state */
	UCHAR can_initiate;	/* mirrors state == CONNECTED for the posting calls */
	struct ndk_connector *conn; /* while tied or connected */
	struct ndk_ring init;
	struct ndk_ring recv;
};

void ndk_qp_step(struct ndk_qp *qp, unsigned event, struct ndk_fx *fx);
/* NdkFlush. */
void ndk_qp_flush(struct ndk_qp *qp, struct ndk_fx *fx);
/* The device reported a fatal error, or a request ended in error (U-28). */
void ndk_qp_broken(struct ndk_qp *qp, struct ndk_fx *fx);

/*
 * Checks one post (QP-3, QP-6..8, U-27) without changing anything; STATUS_SUCCESS means there is a
 * slot. The caller then hands the request to the device and calls ndk_ring_post() if that worked.
 */
NTSTATUS ndk_post_check(const struct ndk_qp *qp, UCHAR op, const NDK_SGE *sgl, ULONG nsge, ULONG flags);
/* Index of the slot the next post will use; stable until ndk_ring_post(). */
static inline ULONG ndk_ring_next(const struct ndk_ring *r)
{
	return (ULONG)(r->head % r->depth);
}
void ndk_ring_fill(struct ndk_ring *r, PVOID ctx, UCHAR op, ULONG flags);
/* Makes the filled slot count. */
void ndk_ring_post(struct ndk_ring *r);
/* Posted and not yet completed by the device. */
ULONG ndk_ring_busy(const struct ndk_ring *r);
/*
 * The oldest posted slot completed with status. Returns TRUE and fills *out when the consumer is to
 * see a result, FALSE for a silent success (QP-4), whose slot is free again.
 */
BOOLEAN ndk_ring_complete(struct ndk_qp *qp, struct ndk_ring *r, NTSTATUS status, ULONG bytes, NDK_RESULT_EX *out);
/* The consumer took one visible result of this ring: its slot, and silent ones before it, are free. */
void ndk_ring_taken(struct ndk_ring *r);

/* ---- memory regions: what a connection needs; windows and fast registration come on top ---- */
enum ndk_mr_state { NDK_MR_EMPTY, NDK_MR_REGISTERING, NDK_MR_REGISTERED, NDK_MR_DEREGISTERING };

struct ndk_mr {
	struct ndk_obj obj;
	struct ndk_pd *pd;
	struct ndk_req req;
	UCHAR mr_state;
	UCHAR fast;
	UINT32 token;
	UINT32 remote_token;
	MDL *mdl;	/* borrowed while a request is pending (MR-4) */
	UINT64 base;
	SIZE_T length;
	ULONG flags;
};

/* Checks and begins; STATUS_PENDING means: register the device part, then ndk_mr_answer(). */
NTSTATUS ndk_mr_register(struct ndk_mr *mr, MDL *mdl, SIZE_T length, ULONG flags,
			 NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx);
NTSTATUS ndk_mr_deregister(struct ndk_mr *mr, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx);
/* Outcome of either. */
void ndk_mr_answer(struct ndk_mr *mr, NTSTATUS status, struct ndk_fx *fx);
/* Length covered by the chain if virtually contiguous, else 0 (MR-3, LAM-1). */
SIZE_T ndk_mdl_span(const MDL *mdl, SIZE_T length);

#ifdef __cplusplus
}
#endif
#endif
