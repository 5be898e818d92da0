/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The kernel's part of each object. Each structure begins with the core's; the memory lies in a box
 * (box.h). Functions whose comment says "hw" are called by workers that hold dev->hw for reading, or
 * by removal, which holds it for writing; they may sleep, and doing them twice does no harm.
 */
#ifndef NDK_OBJECTS_H
#define NDK_OBJECTS_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/timer.h>
#include <rdma/rdma_cm.h>

#include "box.h"
#include "region.h"

#define NDK_MAX_SGE    16u /* SGEs of one request */
#define NDK_RNR_TRIES  6 /* of a sender without a receiver, see qp_move.c; also told to the peer */
#define NDK_MAX_INLINE 64u /* inline bytes of one request; they are gathered on the stack */

struct ndk_kadapter {
	struct ndk_adapter a;
	struct completion idle; /* carried NDK_FX_ADAPTER_IDLE */
};

/* ---- protection domain (pd.c) and its hidden registration QP (regqp.c) ---- */
struct ndk_regpair; /* regpair.c: two QPs that the CM connected */

struct ndk_regqp {
	struct mutex lock; /* one registration at a time */
	/* NULL until the first registration, and after an error killed it */
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct ndk_regpair *pair; /* on iWARP: whose active end qp is */
};

struct ndk_kpd {
	struct ndk_pd pd;
	struct ib_pd *ib;
	UINT32 token; /* privileged; outlives the hardware */
	struct ndk_regqp reg;
};

NTSTATUS ndk_pd_build(struct ndk_kpd *kpd); /* hw */
void ndk_pd_unbuild(struct ndk_kpd *kpd); /* hw */
int ndk_regqp_run(struct ndk_kpd *kpd, struct ib_reg_wr *wr); /* hw */
void ndk_regqp_end(struct ndk_regqp *reg); /* hw */
/* hw; ERR_PTR */
struct ndk_regpair *ndk_regpair_make(struct ndk_device *dev, struct ib_pd *pd);
void ndk_regpair_end(struct ndk_regpair *pair); /* hw */
struct ib_qp *ndk_regpair_qp(const struct ndk_regpair *pair); /* NULL: its connection has ended */
struct ib_cq *ndk_regpair_cq(const struct ndk_regpair *pair);

/* ---- memory region (mr.c) and memory window (mw.c) ---- */
struct ndk_kmr {
	struct ndk_mr mr;
	/* posted requests that concern it and are not over: its own, and those that end a window's hold on it */
	atomic_t posted;
	/* of NdkRegisterMr; posts read sg of a region that a window holds */
	struct ib_mr *ib;
	struct scatterlist *sg;
	int sg_count; /* entries to unmap; 0: not mapped */
	int sg_mapped; /* entries after mapping, which may have merged some */
	/* of NdkInitializeFastRegisterMr; posts read it inside an RCU section */
	struct ndk_regions *regions;
};

struct ndk_kmw {
	struct ndk_mw mw;
	atomic_t posted; /* binds and invalidations that are not over */
	struct ndk_regions *regions;
};

void ndk_mr_register_hw(struct ndk_kmr *kmr); /* hw; answers */
void ndk_mr_deregister_hw(struct ndk_kmr *kmr); /* hw, settled; answers */
void ndk_mr_initialize_hw(struct ndk_kmr *kmr); /* hw, settled; answers */
void ndk_mr_unbuild(struct ndk_kmr *kmr); /* hw, settled */
NTSTATUS ndk_mw_build(struct ndk_kmw *kmw); /* hw */
void ndk_mw_kill(struct ndk_kmw *kmw); /* hw: hardware only */
void ndk_mw_unbuild(struct ndk_kmw *kmw); /* hw, settled */
void ndk_memory_repair(struct ndk_obj *o); /* hw; NDK_STEP_REPAIR */
/* Rights at the device: of NDK_MR_FLAG_*, of NDK_OP_FLAG_*. */
int ndk_access_of_mr(const struct ndk_host *h, ULONG flags);
int ndk_access_of_op(const struct ndk_host *h, ULONG flags);

/* ---- completion queue (cq.c) and parked results (shelf.c) ---- */
#define NDK_CQ_EVENT_PLAIN     0 /* bits of kcq->events: a completion event, armed for ANY */
#define NDK_CQ_EVENT_SOLICITED 1 /* ... armed for SOLICITED, or failures were parked */
#define NDK_CQ_EVENT_ERROR     2 /* overrun */
#define NDK_CQ_EVENT_LOOK      3 /* there may be failures that nobody told of */
#define NDK_CQ_EVENT_BITS	       4

struct ndk_kcq {
	struct ndk_cq cq;
	struct ib_cq *ib;
	/* Polling, the parked list, and done/tail of the rings that complete here. Any context. */
	spinlock_t lock;
	struct list_head parked; /* struct ndk_parked, oldest first */
	ULONG parked_now; /* how many there are */
	ULONG parked_ever; /* how many were parked in its life */
	ULONG failed_ever; /* of them, those that did not succeed */
	ULONG arrivals; /* how often the core was told of results; under the host's lock, read without */
	unsigned long events;
	spinlock_t arm_lock; /* one hardware arm at a time; not taken by the driver's handlers */
	atomic_t armed; /* the hardware arm in force: enum ndk_hw_arm */
	bool arming; /* armed says so, and the hardware does not know yet; under arm_lock, read without */
	bool armed_ever; /* the hardware may have had reason to call us */
	bool shadow; /* the hardware is kept armed for solicited completions, see cq_arm.c */
	bool kinds; /* likewise, and it tells the kinds apart */
	bool watched; /* likewise, on behalf of queue pairs */
	struct timer_list look;
	struct mutex size; /* the hardware's size, and what it is made of */
	ULONG hidden; /* entries that completions no consumer sees may take, under size */
};

enum ndk_hw_arm { NDK_HW_ARM_NONE, NDK_HW_ARM_SOLICITED, NDK_HW_ARM_ANY };

NTSTATUS ndk_cq_build(struct ndk_kcq *kcq); /* hw */
void ndk_cq_kill(struct ndk_kcq *kcq); /* hw: hardware only, parked results stay */
void ndk_cq_unbuild(struct ndk_kcq *kcq); /* hw */
void ndk_cq_arm_init(struct ndk_kcq *kcq);
void ndk_cq_watch(struct ndk_kcq *kcq); /* hw: queue pairs receive here */
void ndk_cq_arm_end(struct ndk_kcq *kcq); /* hw: the CQ goes; may sleep */
void ndk_cq_completed(struct ib_cq *ib, void *context); /* the driver's, any context */
void ndk_cq_async(struct ib_event *event, void *context); /* likewise */
void ndk_cq_events(struct ndk_kcq *kcq); /* the lane's answer to kcq->events */
/* It lost results, and the consumer knows or will soon. Any context. */
static inline bool ndk_cq_faulty(const struct ndk_kcq *kcq)
{
	return READ_ONCE(kcq->cq.fault) || test_bit(NDK_CQ_EVENT_ERROR, &kcq->events);
}
void ndk_cq_raise(struct ndk_kcq *kcq, unsigned int event); /* any context */
void ndk_cq_resize_hw(struct ndk_kcq *kcq); /* hw; answers */
void ndk_cq_moderate_hw(struct ndk_kcq *kcq); /* hw */
/* Room for so many more completions that no consumer sees, or for so many fewer. */
void ndk_cq_hide(struct ndk_kcq *kcq, long entries); /* hw */
/* Takes what there is from the hardware, at most `rounds` batches, and parks what the consumer is to see. Any context. */
#define NDK_PUMP_ALL (~0u)
void ndk_cq_pump(struct ndk_kcq *kcq, unsigned int rounds);
NDK_FN_ARM_CQ ndk_cq_arm_hw;
NDK_FN_GET_CQ_RESULTS ndk_cq_get_results;
NDK_FN_GET_CQ_RESULTS_EX ndk_cq_get_results_ex;

/*
 * A shelf has one place for each slot of a ring, so that a result that someone other than the
 * consumer took from the hardware always has where to wait, and wr_id names a place. When the QP
 * goes while results wait, the shelf stays with the CQ until the last is taken.
 */
struct ndk_parked {
	struct list_head link; /* in kcq->parked while waiting */
	union {
		struct ndk_shelf *shelf;
		struct ndk_ksrq *srq; /* NDK_SHELF_SRQ */
	};
	u32 index; /* slot of the ring, or one of those below */
	u8 use; /* enum ndk_use of region */
	bool quiet; /* silent, and signalled for our own sake */
	struct ndk_region *region; /* that the request of this slot names, or NULL */
	NDK_RESULT_EX result;
};

#define NDK_WR_FIRST	 1u /* in a work request's id, beside the address: one of two that stand for one request, not the last */
#define NDK_SHELF_MARKER (~0u) /* the drain marker */
#define NDK_SHELF_SRQ	 (~0u - 1) /* a receive of a shared queue, see struct ndk_kslot */

struct ndk_shelf {
	struct rcu_head rcu;
	struct ndk_kqp *kqp; /* NULL once the QP is gone */
	struct ndk_ring *ring;
	struct ndk_parked marker;
	UINT64 mark; /* ring->head when the marker was posted */
	u32 waiting; /* places in kcq->parked */
	u32 depth;
	struct ndk_parked place[];
};

struct ndk_shelf *ndk_shelf_make(struct ndk_kqp *kqp, struct ndk_ring *ring); /* may sleep */
void ndk_shelf_leave(struct ndk_shelf *s, struct ndk_kcq *kcq); /* the QP goes */
/* All under kcq->lock: */
bool ndk_shelf_complete(const struct ib_wc *wc, NDK_RESULT_EX *out, struct ndk_parked **place);
void ndk_shelf_park(struct ndk_kcq *kcq, struct ndk_parked *p);
void ndk_shelf_taken(struct ndk_parked *p); /* its result went to the consumer without being parked */
bool ndk_shelf_take(struct ndk_kcq *kcq, NDK_RESULT_EX *out);
/* Ends every busy slot as cancelled, first to `upto`; the device has forgotten them. Returns whether any. */
bool ndk_shelf_cancel(struct ndk_kcq *kcq, struct ndk_shelf *s, UINT64 upto);
void ndk_shelf_clear(struct ndk_kcq *kcq);

/* ---- shared receive queue (srq.c) ---- */
#define NDK_SRQ_EVENT_FELL    0 /* bits of ksrq->events: below the threshold, says the device */
#define NDK_SRQ_EVENT_REACHED 1 /* the threshold was reached: the device may watch from now on */
#define NDK_SRQ_EVENT_ERROR   2 /* lost for good */
#define NDK_SRQ_EVENT_LOW     3 /* below the threshold, says our count: as low as ksrq->low */

/* A receive, and the place where its result waits: both belong to the queue, whichever QP it comes through. */
struct ndk_kslot {
	struct ndk_srq_slot slot; /* first member */
	struct ndk_parked parked;
};

struct ndk_kchunk; /* memory of slots, which never moves */

#define NDK_SRQ_BUCKETS 64u

struct ndk_ksrq {
	struct ndk_srq srq;
	struct ib_srq *ib; /* posts look at it under lock */
	/* The core's slot functions, and what follows down to qps. Inside kcq->lock; bottom halves off. */
	spinlock_t lock;
	struct ndk_kchunk *chunks;
	u32 waiting; /* slots in parked lists */
	bool over; /* unbuilt: the last result taken frees the memory */
	ULONG low; /* the least our count was since an event of it was handled; ~0: there is none */
	struct hlist_head qps[NDK_SRQ_BUCKETS]; /* struct ndk_kqp, by hardware QP */
	ULONG slots; /* in all chunks; the lane's own */
	ULONG room; /* receives the device has room for; the lane's own */
	unsigned long events;
};

NTSTATUS ndk_srq_build(struct ndk_ksrq *ksrq); /* hw */
void ndk_srq_kill(struct ndk_ksrq *ksrq); /* hw: hardware only, parked results stay */
void ndk_srq_unbuild(struct ndk_ksrq *ksrq); /* hw */
void ndk_srq_modify_hw(struct ndk_ksrq *ksrq); /* hw; answers */
void ndk_srq_events(struct ndk_ksrq *ksrq); /* hw; the lane's answer to ksrq->events */
/* From the making of the hardware QP until nothing of it can complete: receives are told apart by it. */
void ndk_srq_join(struct ndk_kqp *kqp); /* hw */
void ndk_srq_leave(struct ndk_kqp *kqp); /* hw */
/* Under kcq->lock: whose it was, or NULL for a QP that is gone, and the receive is free again. */
struct ndk_kqp *ndk_srq_complete(const struct ib_wc *wc, struct ndk_parked *p, NDK_RESULT_EX *out);
void ndk_srq_parked(struct ndk_parked *p); /* under kcq->lock: waits now */
void ndk_srq_taken(struct ndk_parked *p, bool parked); /* under kcq->lock: the consumer has it */
NDK_FN_SRQ_RECEIVE ndk_srq_receive;

/* ---- queue pair (qp.c, qp_move.c, post.c) ---- */
#define NDK_QP_EVENT_BROKEN   0 /* bits of kqp->events: fatal, or a request ended in error */
#define NDK_QP_EVENT_COMM_EST 1 /* data came before the peer's confirmation (LNX-15) */
#define NDK_QP_EVENT_LOOK     2 /* something failed, and the results tell whether it was a request */

/* A receive that waits for a reset of its QP to be over. */
struct ndk_held {
	struct list_head link; /* in kqp->held, under kqp->take */
	UINT64 position; /* ring head when it was posted */
	u64 wr_id;
	int nsge;
	struct ib_sge sge[];
};

struct ndk_kconn;

struct ndk_kqp {
	struct ndk_qp qp;
	struct ib_qp *ib;
	struct mutex mutex; /* state changes of the hardware QP */
	enum ib_qp_state hw_state; /* under mutex */
	bool ended; /* drained for good, under mutex */
	spinlock_t post; /* initiator queue; bottom halves off */
	spinlock_t take; /* receive queue and the gate; bottom halves off */
	struct ndk_shelf *init_shelf;
	struct ndk_shelf *recv_shelf;
	u32 unsignaled; /* silent requests since the last signalled one, under post */
	int fence; /* IB_SEND_FENCE where whatever is no read needs it for its order, else 0 */
	/* Requests of our own kind: how many were posted, under post, and how many are over, under the CQ's lock. */
	u32 quiet; /* silent, and signalled for our own sake */
	u32 quiet_over;
	u32 rebinds; /* binds that took two entries of the hardware queue */
	u32 rebinds_over;
	bool gated; /* receives wait in held, for a reset that is due or for the lane; under take */
	bool await_lane; /* the device would not have one at the time; likewise */
	bool reset_due; /* asked for and not yet carried out, under take */
	UINT64 gate_mark; /* ring head at the flush: earlier receives are to be cancelled */
	struct list_head held; /* struct ndk_held */
	unsigned long events;
	bool failed; /* this hardware QP has been found broken, whatever became of the event */
	bool spoken; /* likewise: a message came while it was tied */
	/* with a shared receive queue */
	struct hlist_node srq_link; /* in ksrq->qps, under ksrq->lock */
	const struct ib_qp *srq_key; /* the hardware QP it is found by */
	struct completion last_wqe; /* the device takes no more receives for it */
	ULONG hidden; /* entries it reserved in its initiator's CQ */
};

NTSTATUS ndk_qp_build(struct ndk_kqp *kqp); /* hw */
void ndk_qp_kill(struct ndk_kqp *kqp); /* hw: hardware only */
void ndk_qp_unbuild(struct ndk_kqp *kqp); /* hw */
void ndk_qp_flush_hw(struct ndk_kqp *kqp, ULONG how); /* hw; enum ndk_qp_flush */
void ndk_qp_revive(struct ndk_kqp *kqp); /* hw; iWARP */
void ndk_qp_settle(struct ndk_kqp *kqp); /* hw, under mutex: a reset that is due happens now */
u32 ndk_qp_number(struct ndk_kqp *kqp); /* hw: settled; 0 if there is no hardware QP */
void ndk_qp_drain_hw(struct ndk_kqp *kqp); /* hw: no DMA is left at return */
void ndk_qp_to_error(struct ndk_kqp *kqp); /* hw */
void ndk_qp_events(struct ndk_kqp *kqp); /* hw; the lane's answer to kqp->events */
void ndk_qp_open_gate(struct ndk_kqp *kqp); /* hw; to what waits at the gate for the lane */
void ndk_qp_raise(struct ndk_kqp *kqp, unsigned int event); /* any context */
/*
 * Of the CM's handler, before the core hears that the connection is over: that there was one, as a message said, and
 * what failed come first (ACPT-4, U-21, U-28).
 */
void ndk_qp_before_end(struct ndk_kconn *kc);
/* A queue is lost (CQ-14, SRQ-6): its QPs cannot go on. */
void ndk_qp_break_users(struct ndk_device *dev, const struct ndk_obj *queue); /* hw */
int ndk_qp_move_init(struct ndk_kqp *kqp); /* qp_move.c, under mutex */
int ndk_qp_move_rts(struct ndk_kqp *kqp, struct rdma_cm_id *id, ULONG in,
		    ULONG out); /* under mutex */
int ndk_qp_move(struct ndk_kqp *kqp, enum ib_qp_state state); /* ERR or RESET, under mutex */

/* post.c, post_memory.c, post_recv.c */
#define NDK_QUIET_MAX  32u /* at a time, of a QP: its initiator's CQ has room for them */
#define NDK_REBIND_MAX 32u /* at a time, of a QP: its hardware queue has room for them */

static inline u32 ndk_rebind_room(const struct ndk_kqp *kqp)
{
	return min(kqp->qp.init.depth, NDK_REBIND_MAX);
}

NDK_FN_SEND ndk_post_send;
NDK_FN_SEND_AND_INVALIDATE ndk_post_send_and_invalidate;
NDK_FN_WRITE ndk_post_write;
NDK_FN_READ ndk_post_read;
NDK_FN_BIND ndk_post_bind;
NDK_FN_FAST_REGISTER ndk_post_fast_register;
NDK_FN_INVALIDATE ndk_post_invalidate;
NDK_FN_RECEIVE ndk_post_receive;
NDK_FN_FLUSH ndk_qp_flush_call;
int ndk_post_marker(struct ndk_kqp *kqp); /* under mutex, QP in error */
void ndk_post_gate(struct ndk_kqp *kqp); /* under take: closes the gate for a reset */
enum ndk_gate {
	NDK_GATE_RESET, /* the QP has been reset; stays closed if another reset is due */
	NDK_GATE_ERROR, /* the QP is in the error state and takes receives, to flush them */
	NDK_GATE_GONE /* the device has nothing of the QP any more: what waits is cancelled */
};
void ndk_post_held(struct ndk_kqp *kqp, enum ndk_gate how); /* under mutex; opens the gate */
/*
 * Under mutex: what waits for the lane, to a device that has receives from before. -ENOTCONN: it still does not want
 * it, the rest stays in front of what is posted next. Another error: it will not. 0: the gate is open, or a reset's.
 */
int ndk_post_waiting(struct ndk_kqp *kqp);
NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN ndk_pd_token;
NDK_FN_BUILD_LAM ndk_lam_build;
NDK_FN_RELEASE_LAM ndk_lam_release;
void ndk_lam_drop_all(struct ndk_device *dev); /* removal */
/* What the processor and the device write there they both see, without being told. Any context. */
bool ndk_dma_coherent(struct ib_device *ib, u64 addr);

/* ---- connections (cm.c, cm_event.c, listen.c, endpoint.c, timer.c) ---- */
struct ndk_kconn {
	struct ndk_connector c;
	/* Written by the lane, by the request handler before anyone knows kc, and by removal. */
	struct rdma_cm_id *id;
	spinlock_t id_lock; /* of the next three, and of taking id away */
	bool early; /* a message came before the confirmation: established without it */
	bool heard; /* the CM itself has said established, or disconnected */
	bool parting; /* disconnect as soon as it has */
	bool asked; /* the connection request went out; the lane's own */
	struct timer_list timer;
	ULONG timer_gen; /* under id_lock */
};

struct ndk_klistener {
	struct ndk_listener l;
	struct rdma_cm_id *id;
};

struct ndk_kshared {
	struct ndk_shared s;
	struct rdma_cm_id *id; /* the anchor: bound, never connected */
};

void ndk_cm_connect(struct ndk_kconn *kc); /* hw */
void ndk_cm_routed(struct ndk_kconn *kc); /* hw */
void ndk_cm_accept(struct ndk_kconn *kc); /* hw */
void ndk_cm_complete(struct ndk_kconn *kc); /* hw */
void ndk_cm_reject(struct ndk_kconn *kc); /* hw */
void ndk_cm_disconnect(struct ndk_kconn *kc); /* hw */
void ndk_cm_teardown(struct ndk_kconn *kc, bool flush); /* hw */
void ndk_cm_drop(struct ndk_kconn *kc); /* hw: destroys the identity */
void ndk_cm_comm_est(struct ndk_kconn *kc); /* hw */
void ndk_cm_fail(struct ndk_kconn *kc, enum ndk_cm_event what, int err);
int ndk_cm_event(struct rdma_cm_id *id, struct rdma_cm_event *ev);
/* Read limits of an event: what the peer accepts from us, and what it will issue. */
void ndk_cm_limits(const struct rdma_cm_id *id, const struct rdma_cm_event *ev, ULONG *peer_in, ULONG *peer_out);
int ndk_cm_bind(struct ndk_device *dev, struct rdma_cm_id *id, const struct ndk_addr *a);

int ndk_route_check(const struct ndk_addr *from,
		    const struct ndk_addr *to); /* route.c: 0 or negative errno */

void ndk_listen_start(struct ndk_klistener *kl); /* hw; answers */
void ndk_listen_stop(struct ndk_klistener *kl); /* hw */
int ndk_endpoint_build(struct ndk_kshared *ks); /* hw */
void ndk_endpoint_unbuild(struct ndk_kshared *ks); /* hw */

void ndk_timer_init(struct ndk_kconn *kc);
void ndk_timer_set(struct ndk_kconn *kc, ULONG generation, ULONG ms); /* any context */
void ndk_timer_stop(struct ndk_kconn *kc, ULONG generation); /* ends older ones; any context */

/* route.c: 0, or the errno of a destination without a route. */
int ndk_route_check(const struct ndk_addr *from, const struct ndk_addr *to);

/* status.c */
NTSTATUS ndk_status_wc(enum ib_wc_status status, UCHAR op); /* enum ndk_op */

/* mdl.c: walks the first length bytes of a chain as runs within pages; fn's nonzero result ends it */
int ndk_mdl_walk(const MDL *mdl, SIZE_T length,
		 int (*fn)(void *ctx, struct page *page, u32 offset, u32 len), void *ctx);

#endif
