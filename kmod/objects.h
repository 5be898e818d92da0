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

#define NDK_MAX_SGE    16u /* SGEs of one request; they are translated on the stack */
#define NDK_MAX_INLINE 64u /* inline bytes of one request; likewise */

struct ndk_kadapter {
	struct ndk_adapter a;
	struct completion idle; /* carried NDK_FX_ADAPTER_IDLE */
};

/* ---- protection domain (pd.c) and its hidden registration QP (regqp.c) ---- */
struct ndk_regqp {
	struct mutex lock; /* one registration at a time */
	struct ib_cq *cq;
	struct ib_qp *qp; /* NULL until the first registration, and after an error killed it */
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

/* ---- memory region (mr.c) ---- */
struct ndk_kmr {
	struct ndk_mr mr;
	struct ib_mr *ib;
	struct scatterlist *sg;
	int sg_count; /* entries to unmap; 0: not mapped */
	int sg_mapped; /* entries after mapping, which may have merged some */
};

void ndk_mr_register_hw(struct ndk_kmr *kmr); /* hw; answers */
void ndk_mr_deregister_hw(struct ndk_kmr *kmr); /* hw; answers */
void ndk_mr_unbuild(struct ndk_kmr *kmr); /* hw */

/* ---- completion queue (cq.c) and parked results (shelf.c) ---- */
#define NDK_CQ_EVENT_PLAIN     0 /* bits of kcq->events: a completion event, armed for ANY */
#define NDK_CQ_EVENT_SOLICITED 1 /* ... armed for SOLICITED, or results were parked */
#define NDK_CQ_EVENT_ERROR     2 /* overrun */

struct ndk_kcq {
	struct ndk_cq cq;
	struct ib_cq *ib;
	/* Polling, the parked list, and done/tail of the rings that complete here. Any context. */
	spinlock_t lock;
	struct list_head parked; /* struct ndk_parked, oldest first */
	ULONG parked_ever; /* how many were parked in its life */
	unsigned long events;
	unsigned long armed_any; /* the hardware arm in force is for any completion */
	bool armed_ever; /* the hardware may have had reason to call us */
};

NTSTATUS ndk_cq_build(struct ndk_kcq *kcq); /* hw */
void ndk_cq_kill(struct ndk_kcq *kcq); /* hw: hardware only, parked results stay */
void ndk_cq_unbuild(struct ndk_kcq *kcq); /* hw */
void ndk_cq_events(struct ndk_kcq *kcq); /* the lane's answer to kcq->events */
void ndk_cq_raise(struct ndk_kcq *kcq, unsigned int event); /* any context */
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
	struct ndk_shelf *shelf;
	u32 index; /* slot of the ring; NDK_SHELF_MARKER for the drain marker */
	NDK_RESULT_EX result;
};

#define NDK_SHELF_MARKER (~0u)

struct ndk_shelf {
	struct rcu_head rcu;
	struct ndk_kqp *kqp; /* NULL once the QP is gone */
	struct ndk_ring *ring;
	struct ndk_parked marker;
	ULONG mark; /* ring->head when the marker was posted */
	u32 waiting; /* places in kcq->parked */
	u32 depth;
	struct ndk_parked place[];
};

struct ndk_shelf *ndk_shelf_make(struct ndk_kqp *kqp, struct ndk_ring *ring); /* may sleep */
void ndk_shelf_leave(struct ndk_shelf *s, struct ndk_kcq *kcq); /* the QP goes */
/* All under kcq->lock: */
bool ndk_shelf_complete(const struct ib_wc *wc, NDK_RESULT_EX *out, struct ndk_parked **place);
void ndk_shelf_park(struct ndk_kcq *kcq, struct ndk_parked *p);
bool ndk_shelf_take(struct ndk_kcq *kcq, NDK_RESULT_EX *out);
/* Ends every busy slot as cancelled, first to `upto`; the device has forgotten them. Returns whether any. */
bool ndk_shelf_cancel(struct ndk_kcq *kcq, struct ndk_shelf *s, ULONG upto);
void ndk_shelf_clear(struct ndk_kcq *kcq);

/* ---- queue pair (qp.c, qp_move.c, post.c) ---- */
#define NDK_QP_EVENT_BROKEN   0 /* bits of kqp->events: fatal, or a request ended in error */
#define NDK_QP_EVENT_COMM_EST 1 /* data came before the peer's confirmation (LNX-15) */

/* A receive that waits for a reset of its QP to be over. */
struct ndk_held {
	struct list_head link; /* in kqp->held, under kqp->take */
	ULONG position; /* ring head when it was posted */
	u64 wr_id;
	int nsge;
	struct ib_sge sge[];
};

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
	bool gated; /* a reset is due: receives wait in held, under take */
	bool reset_due; /* asked for and not yet carried out, under take */
	u32 gate_seq; /* counts the closings of the gate: only the last one's reset opens it */
	ULONG gate_mark; /* ring head at the flush: earlier receives are to be cancelled */
	struct list_head held; /* struct ndk_held */
	unsigned long events;
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
void ndk_qp_raise(struct ndk_kqp *kqp, unsigned int event); /* any context */
int ndk_qp_move_init(struct ndk_kqp *kqp); /* qp_move.c, under mutex */
int ndk_qp_move_rts(struct ndk_kqp *kqp, struct rdma_cm_id *id, ULONG in,
		    ULONG out); /* under mutex */
int ndk_qp_move(struct ndk_kqp *kqp, enum ib_qp_state state); /* ERR or RESET, under mutex */

/* post.c */
NDK_FN_SEND ndk_post_send;
NDK_FN_RECEIVE ndk_post_receive;
NDK_FN_FLUSH ndk_qp_flush_call;
int ndk_post_marker(struct ndk_kqp *kqp); /* under mutex, QP in error */
void ndk_post_gate(struct ndk_kqp *kqp); /* under take: closes the gate for a reset */
void ndk_post_held(struct ndk_kqp *kqp, bool usable); /* under mutex; opens the gate */
NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN ndk_pd_token;
NDK_FN_BUILD_LAM ndk_lam_build;
NDK_FN_RELEASE_LAM ndk_lam_release;
void ndk_lam_drop_all(struct ndk_device *dev); /* removal */

/* ---- connections (cm.c, cm_event.c, listen.c, endpoint.c, timer.c) ---- */
struct ndk_kconn {
	struct ndk_connector c;
	/* Written by the lane, by the request handler before anyone knows kc, and by removal. */
	struct rdma_cm_id *id;
	spinlock_t id_lock; /* for rdma_notify(), which comes from the QP's lane */
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
void ndk_cm_limits(bool iwarp, const struct rdma_conn_param *p, ULONG *peer_in, ULONG *peer_out);
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
NTSTATUS ndk_status_wc(enum ib_wc_status status, bool receive);

/* mdl.c: walks the first length bytes of a chain as runs within pages; fn's nonzero result ends it */
int ndk_mdl_walk(const MDL *mdl, SIZE_T length,
		 int (*fn)(void *ctx, struct page *page, u32 offset, u32 len), void *ctx);

#endif
