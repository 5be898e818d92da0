/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * PD, CQ, QP as the core sees them: control state, arming, posting checks and accounting. Memory is
 * in mr.h, shared receive queues are in srq.h.
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
	UCHAR resizing;	  /* a resize is pending */
	ULONG asked;	  /* the depth it asks for */
	struct ndk_req req;
	/* moderation in force (CQ-22..24); interval 0 or count 0: none */
	ULONG interval; /* microseconds, 0xFFFFFFFF: count alone governs */
	ULONG gather;	/* completions, 0xFFFFFFFF: interval alone governs */
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
/* NdkResizeCq. STATUS_PENDING: carry out NDK_FX_CQ_RESIZE to cq->asked, then ndk_cq_resized(). */
NTSTATUS ndk_cq_resize(struct ndk_cq *cq, ULONG depth, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx);
/* Outcome; on success cq->depth is what was asked. */
void ndk_cq_resized(struct ndk_cq *cq, NTSTATUS status, struct ndk_fx *fx);
/* NdkControlCqInterruptModeration: checks, and asks the shell by NDK_FX_CQ_MODERATE (CQ-23..29). */
NTSTATUS ndk_cq_moderate(struct ndk_cq *cq, ULONG interval, ULONG count, struct ndk_fx *fx);

/* ---- rings: who is posted, in order ---- */
enum ndk_op { NDK_OP_SEND = 1, NDK_OP_RECEIVE, NDK_OP_READ, NDK_OP_WRITE, NDK_OP_BIND, NDK_OP_FAST_REGISTER,
	      NDK_OP_INVALIDATE, NDK_OP_SEND_INVALIDATE, NDK_OP_COUNT };

struct ndk_slot {
	PVOID ctx;   /* RequestContext */
	ULONG flags; /* NDK_OP_FLAG_* */
	UCHAR op;    /* enum ndk_op */
};

/*
 * Requests of one ring complete in the order of posting, those of two rings in any (U-26, ORD-1, ORD-2).
 * head: next slot to post, written by the poster. done: next slot to complete. tail: oldest slot not
 * yet taken by the consumer (3.13: a slot is occupied until its result is taken). All count upwards,
 * and beside each is its slot, the count modulo depth, because dividing is slow. 64 bits, because a wrap
 * would have to fall on a multiple of every depth: 32 bits are used up in minutes.
 */
struct ndk_ring {
	struct ndk_slot *slot;
	ULONG depth;
	ULONG head_at;
	ULONG done_at;
	ULONG tail_at;
	UINT64 head;
	UINT64 done;
	UINT64 tail;
};

/* ---- queue pair ---- */
struct ndk_connector;
struct ndk_srq;

struct ndk_qp {
	struct ndk_obj obj;
	struct ndk_pd *pd;
	struct ndk_cq *rcq;
	struct ndk_cq *icq;
	struct ndk_srq *srq;	/* NULL: receives of its own; else recv.depth is 0 */
	PVOID ctx;		/* QPContext (PD-9) */
	ULONG max_recv_sge;
	ULONG max_init_sge;
	ULONG inline_size;
	UCHAR state;		/* enum ndk_qp_state */
	UCHAR can_initiate;	/* mirrors state == CONNECTED for the posting calls */
	UCHAR can_read;		/* the outbound limit in force is not zero (RDL-9) */
	struct ndk_connector *conn; /* while tied or connected */
	struct ndk_ring init;
	struct ndk_ring recv;
};

void ndk_qp_step(struct ndk_qp *qp, unsigned event, struct ndk_fx *fx);
/* NdkFlush. */
void ndk_qp_flush(struct ndk_qp *qp, struct ndk_fx *fx);
/* The device reported a fatal error, or a request ended in error (U-28). */
void ndk_qp_broken(struct ndk_qp *qp, struct ndk_fx *fx);

/* ---- posting: inline, because its rate is the interface's ---- */
/* Flags each operation accepts (2.7); DEFER is permission only and needs no more than tolerance. */
static inline ULONG ndk_op_flags(UCHAR op)
{
	const ULONG common = NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_READ_FENCE | NDK_OP_FLAG_DEFER;

	switch (op) {
	case NDK_OP_SEND:
	case NDK_OP_SEND_INVALIDATE:
		return common | NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT | NDK_OP_FLAG_INLINE;
	case NDK_OP_WRITE:
		return common | NDK_OP_FLAG_INLINE; /* U-29 */
	case NDK_OP_READ:
		return common | NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE;
	case NDK_OP_BIND:
		return common | NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE;
	case NDK_OP_FAST_REGISTER:
		return common | NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE |
		       NDK_OP_FLAG_RDMA_READ_SINK;
	case NDK_OP_INVALIDATE:
		return common;
	default:
		return 0;
	}
}

/*
 * Checks one post (QP-3, QP-6..8, U-27) without changing anything; STATUS_SUCCESS means there is a
 * slot. The caller then hands the request to the device and calls ndk_ring_post() if that worked.
 */
static inline NTSTATUS ndk_post_check(const struct ndk_qp *qp, UCHAR op, const NDK_SGE *sgl, ULONG nsge, ULONG flags)
{
	const NDK_ADAPTER_INFO *info = &qp->obj.host->info;
	const BOOLEAN receive = op == NDK_OP_RECEIVE;
	const struct ndk_ring *r = receive ? &qp->recv : &qp->init;
	ULONG limit = receive ? qp->max_recv_sge : op == NDK_OP_READ ? info->MaxReadRequestSge : qp->max_init_sge;
	UINT64 total = 0;
	ULONG i;

	if (!receive && !__atomic_load_n(&qp->can_initiate, __ATOMIC_ACQUIRE))
		return STATUS_CONNECTION_INVALID; /* QP-3, U-25 */
	if (receive && qp->srq)
		return STATUS_INVALID_DEVICE_REQUEST; /* its receives are the shared queue's */
	if (op == NDK_OP_READ && !qp->can_read)
		return STATUS_INVALID_DEVICE_REQUEST; /* no reads in this direction: a device would wait for ever (RDL-9) */
	if (flags & ~ndk_op_flags(op))
		return STATUS_INVALID_PARAMETER; /* U-27 */
	if (nsge && !sgl)
		return STATUS_INVALID_PARAMETER;
	if (nsge > limit && !(flags & NDK_OP_FLAG_INLINE))
		return STATUS_DATA_OVERRUN; /* QP-7, U-27 */
	for (i = 0; i < nsge; i++)
		total += sgl[i].Length;
	if (total > info->MaxTransferLength)
		return STATUS_BUFFER_OVERFLOW; /* QP-8 */
	if ((flags & NDK_OP_FLAG_INLINE) && total > qp->inline_size)
		return STATUS_BUFFER_OVERFLOW; /* QP-6 */
	if (r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) >= r->depth)
		return STATUS_NO_MORE_ENTRIES; /* U-27 */
	return STATUS_SUCCESS;
}

static inline ULONG ndk_ring_after(const struct ndk_ring *r, ULONG at)
{
	return at + 1 == r->depth ? 0 : at + 1;
}

/* Index of the slot the next post will use; stable until ndk_ring_post(). */
static inline ULONG ndk_ring_next(const struct ndk_ring *r)
{
	return r->head_at;
}

static inline void ndk_ring_fill(struct ndk_ring *r, PVOID ctx, UCHAR op, ULONG flags)
{
	struct ndk_slot *s = &r->slot[r->head_at];

	s->ctx = ctx;
	s->op = op;
	s->flags = flags;
}

/* Makes the filled slot count. */
static inline void ndk_ring_post(struct ndk_ring *r)
{
	r->head_at = ndk_ring_after(r, r->head_at);
	__atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
}

/* Takes that back; nothing has completed it. */
static inline void ndk_ring_unpost(struct ndk_ring *r)
{
	r->head_at = (r->head_at ? r->head_at : r->depth) - 1;
	__atomic_store_n(&r->head, r->head - 1, __ATOMIC_RELEASE);
}

/* Posted and not yet completed by the device. */
static inline ULONG ndk_ring_busy(const struct ndk_ring *r)
{
	return (ULONG)(__atomic_load_n(&r->head, __ATOMIC_ACQUIRE) - r->done);
}

/* ---- completing ---- */
/*
 * By far the most frequent case in short: the next slot to complete is `at`, what it holds succeeded
 * and is visible, and the result goes straight to the consumer, who has taken all before it. The caller
 * makes the result from the slot, then passes it.
 */
static inline BOOLEAN ndk_ring_plain(const struct ndk_ring *r, ULONG at)
{
	return at == r->done_at && r->tail == r->done && ndk_ring_busy(r) &&
	       !(r->slot[at].flags & NDK_OP_FLAG_SILENT_SUCCESS);
}

static inline void ndk_ring_pass(struct ndk_ring *r)
{
	ULONG at = ndk_ring_after(r, r->done_at);

	r->done_at = at;
	r->tail_at = at;
	__atomic_store_n(&r->done, r->done + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
}

/* What a result says of the operation. */
NDK_OPERATION_TYPE ndk_result_type(UCHAR op);
/*
 * The oldest posted slot completed with status. Returns TRUE and fills *out when the consumer is to
 * see a result, FALSE for a silent success (QP-4), whose slot is free again.
 */
BOOLEAN ndk_ring_complete(struct ndk_qp *qp, struct ndk_ring *r, NTSTATUS status, ULONG bytes, NDK_RESULT_EX *out);
/* The consumer took one visible result of this ring: its slot, and silent ones before it, are free. */
void ndk_ring_taken(struct ndk_ring *r);
/* The peer invalidated token with its message: what a receive result says then (QP-27). */
static inline void ndk_result_invalidated(NDK_RESULT_EX *out, UINT32 token)
{
	out->Type = NdkOperationTypeReceiveAndInvalidate;
	out->TypeSpecificCompletionOutput = token;
}

#ifdef __cplusplus
}
#endif
#endif
