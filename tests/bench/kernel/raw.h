/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The raw way, straight on rdma_cm and ib_core, as a kernel consumer would write it for itself: raw.c
 * has device and memory, raw_conn.c connections, raw_post.c posting and polling. QPs are its own
 * (id->qp stays NULL), with the transitions, limits and timers that ndk.ko has too, so that both put the
 * same work on the device and on the wire.
 */
#ifndef NDK_BENCH_WAY_RAW_H
#define NDK_BENCH_WAY_RAW_H

#include <linux/scatterlist.h>
#include <linux/workqueue.h>
#include <rdma/ib_verbs.h>
#include <rdma/rdma_cm.h>

#include "bench.h"

struct raw_bench {
	struct bench_host host; /* first member */
	struct ib_device *ib;
	struct ib_pd *pd;
	struct ib_cq *cq[BENCH_ENDS];
	struct workqueue_struct *wq;
	struct rdma_cm_id *listener;
	u64 dma[BENCH_ENDS];
	struct scatterlist pages[BENCH_PAGES]; /* of the active end, mapped */
	struct raw_pair *pair[BENCH_CONNECTIONS];
};

struct raw_end {
	struct raw_pair *pair;
	struct ib_qp *qp;
	struct rdma_cm_id *id;
	struct work_struct end; /* destroys id, which its handler cannot */
};

struct raw_pair {
	struct bench_conn conn; /* first member */
	struct raw_end end[BENCH_ENDS];
	atomic_t up; /* ends established */
	atomic_t gone; /* ends without an identity again */
	/* of an exposed one */
	struct ib_mr *mr;
	struct ib_mr *region[BENCH_REGIONS];
};

static inline struct raw_bench *raw_bench_of(struct bench_host *h)
{
	return (struct raw_bench *)h;
}

static inline struct raw_pair *raw_pair_of(struct bench_conn *c)
{
	return (struct raw_pair *)c;
}

/* raw_conn.c */
int raw_conn_requested(struct rdma_cm_id *id, struct rdma_cm_event *event); /* the listener's */
struct bench_conn *raw_conn_make(struct bench_host *h, u32 index, bool deep);
void raw_conn_unmake(struct bench_conn *c);
int raw_conn_connect(struct bench_conn *c);
void raw_conn_disconnect(struct bench_conn *c);
int raw_conn_expose(struct bench_conn *c);
void raw_conn_hide(struct bench_conn *c);

/* raw_post.c */
int raw_post_send(struct bench_conn *c, enum bench_end end, bool signalled);
int raw_post_receive(struct bench_conn *c, enum bench_end end, u32 slot);
int raw_post_write(struct bench_conn *c);
int raw_post_read(struct bench_conn *c);
int raw_post_reg(struct bench_conn *c, u32 region, u32 pages, bool signalled);
int raw_post_invalidate(struct bench_conn *c, u32 region);
int raw_poll(struct bench_host *h, enum bench_end end, struct bench_result *out);
/* The same without turning bottom halves off. */
int raw_bare_send(struct bench_conn *c, enum bench_end end, bool signalled);
int raw_bare_receive(struct bench_conn *c, enum bench_end end, u32 slot);
int raw_bare_write(struct bench_conn *c);
int raw_bare_read(struct bench_conn *c);
int raw_bare_reg(struct bench_conn *c, u32 region, u32 pages, bool signalled);
int raw_bare_invalidate(struct bench_conn *c, u32 region);

#endif
