// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The raw way: connections. Every step is taken in the CM's handler, which sleeps and calls the CM as
 * it likes; only destroying an identity needs a worker. The same three steps as ndk.ko: the active end
 * moves its QP and confirms with rdma_accept(id, NULL) when the reply has come. DISCONNECTED is
 * answered, the QP goes to the error state, which ends its DMA as nothing is outstanding, and the
 * identity is destroyed.
 */
#define pr_fmt(fmt) "ndk_bench: raw: " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "raw.h"

#define SHALLOW	   16u
#define RESOLVE_MS 2000
#define RETRIES	   7
#define RNR_TIMER  26 /* as in ndk.ko: 82 ms, and not for ever */
#define RNR_TRIES  6
#define ANSWER_MS  1000u /* for the completion of a registration */

/* ---- the QP ---- */
static int move_to(struct raw_end *e, enum ib_qp_state state)
{
	struct ib_qp_attr attr = { .qp_state = state };
	int mask = 0;
	int err = rdma_init_qp_attr(e->id, &attr, &mask);

	if (err)
		return err;
	if (mask & IB_QP_ACCESS_FLAGS)
		attr.qp_access_flags = IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_READ;
	if (mask & IB_QP_MAX_DEST_RD_ATOMIC)
		attr.max_dest_rd_atomic = BENCH_READS;
	if (mask & IB_QP_MAX_QP_RD_ATOMIC)
		attr.max_rd_atomic = BENCH_READS;
	if (mask & IB_QP_MIN_RNR_TIMER)
		attr.min_rnr_timer = RNR_TIMER;
	if (mask & IB_QP_RETRY_CNT)
		attr.retry_cnt = RETRIES;
	if (mask & IB_QP_RNR_RETRY)
		attr.rnr_retry = RNR_TRIES;
	return ib_modify_qp(e->qp, &attr, mask);
}

static int move_up(struct raw_end *e)
{
	int err = move_to(e, IB_QPS_INIT);

	if (!err)
		err = move_to(e, IB_QPS_RTR);
	return err ? err : move_to(e, IB_QPS_RTS);
}

static int move_alone(struct ib_qp *qp, enum ib_qp_state state)
{
	struct ib_qp_attr attr = {
		.qp_state = state,
		.port_num = 1,
		.qp_access_flags = IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE,
	};
	int mask = IB_QP_STATE;

	if (state == IB_QPS_INIT)
		mask |= IB_QP_PORT | IB_QP_ACCESS_FLAGS | IB_QP_PKEY_INDEX;
	return ib_modify_qp(qp, &attr, mask);
}

/* ---- up ---- */
static void fail(struct raw_pair *p, const char *what, int err)
{
	pr_err("%s: error %d\n", what, err);
	bench_established(&p->conn, err ? err : -ECONNABORTED);
}

static void half_up(struct raw_pair *p)
{
	if (atomic_inc_return(&p->up) == BENCH_ENDS)
		bench_established(&p->conn, 0);
}

static int request(struct raw_end *e)
{
	struct rdma_conn_param param = {
		.flow_control = 1,
		.retry_count = RETRIES,
		.rnr_retry_count = RNR_TRIES,
		.responder_resources = BENCH_READS,
		.initiator_depth = BENCH_READS,
		.qp_num = e->qp->qp_num,
		.private_data = &e->pair->conn.index,
		.private_data_len = sizeof(e->pair->conn.index),
	};

	return rdma_connect_locked(e->id, &param);
}

static int confirm(struct raw_end *e)
{
	int err = move_up(e);

	if (!err)
		err = rdma_accept(e->id, NULL);
	if (!err)
		half_up(e->pair);
	return err;
}

static void end_work(struct work_struct *work)
{
	struct raw_end *e = container_of(work, struct raw_end, end);

	rdma_destroy_id(e->id);
	e->id = NULL;
	if (atomic_inc_return(&e->pair->gone) == BENCH_ENDS)
		bench_ended(&e->pair->conn);
}

static int over(struct raw_end *e)
{
	struct raw_pair *p = e->pair;
	int err;

	if (e == &p->end[BENCH_PASSIVE])
		rdma_disconnect(e->id); /* the answer */
	err = move_alone(e->qp, IB_QPS_ERR);
	if (err)
		p->conn.error = err;
	queue_work(raw_bench_of(p->conn.host)->wq, &e->end);
	return 0;
}

static int on_event(struct rdma_cm_id *id, struct rdma_cm_event *event)
{
	struct raw_end *e = id->context;
	int err = event->status;

	switch (event->event) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
		err = rdma_resolve_route(id, RESOLVE_MS);
		break;
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
		err = request(e);
		break;
	case RDMA_CM_EVENT_CONNECT_RESPONSE:
		err = confirm(e);
		break;
	case RDMA_CM_EVENT_ESTABLISHED:
		half_up(e->pair);
		break;
	case RDMA_CM_EVENT_DISCONNECTED:
		err = over(e);
		break;
	case RDMA_CM_EVENT_TIMEWAIT_EXIT:
		err = 0;
		break;
	default:
		err = err ? err : -ECONNABORTED;
		break;
	}
	if (err)
		fail(e->pair, rdma_event_msg(event->event), err);
	return 0;
}

int raw_conn_connect(struct bench_conn *c)
{
	struct raw_end *e = &raw_pair_of(c)->end[BENCH_ACTIVE];
	struct sockaddr_in to = c->host->setup->local, from = to;
	struct rdma_cm_id *id = rdma_create_id(&init_net, on_event, e, RDMA_PS_TCP, IB_QPT_RC);

	if (IS_ERR(id))
		return PTR_ERR(id);
	e->id = id;
	from.sin_port = 0;
	return rdma_resolve_addr(id, (struct sockaddr *)&from, (struct sockaddr *)&to, RESOLVE_MS);
}

void raw_conn_disconnect(struct bench_conn *c)
{
	int err = rdma_disconnect(raw_pair_of(c)->end[BENCH_ACTIVE].id);

	if (err)
		pr_err("rdma_disconnect: error %d\n", err);
}

/* ---- the passive end ---- */
static struct raw_pair *find_pair(struct raw_bench *b, const struct rdma_cm_event *event)
{
	u32 index;

	if (event->param.conn.private_data_len < sizeof(index))
		return NULL;
	memcpy(&index, event->param.conn.private_data, sizeof(index));
	return index < BENCH_CONNECTIONS ? READ_ONCE(b->pair[index]) : NULL;
}

int raw_conn_requested(struct rdma_cm_id *id, struct rdma_cm_event *event)
{
	struct rdma_conn_param param = {
		.flow_control = 1,
		.rnr_retry_count = RNR_TRIES,
		.responder_resources = BENCH_READS,
		.initiator_depth = BENCH_READS,
	};
	struct raw_pair *p;
	struct raw_end *e;
	int err;

	if (event->event != RDMA_CM_EVENT_CONNECT_REQUEST)
		return 0;
	p = find_pair(id->context, event);
	if (!p) {
		pr_err("a request from nobody\n");
		return -ECONNREFUSED;
	}
	e = &p->end[BENCH_PASSIVE];
	e->id = id;
	id->context = e;
	id->event_handler = on_event;
	param.qp_num = e->qp->qp_num;
	err = move_up(e);
	if (!err)
		err = rdma_accept(id, &param);
	if (!err)
		return 0;
	e->id = NULL; /* the CM destroys it */
	fail(p, "accept", err);
	return err;
}

/* ---- the pair ---- */
void raw_conn_unmake(struct bench_conn *c)
{
	struct raw_bench *b = raw_bench_of(c->host);
	struct raw_pair *p = raw_pair_of(c);
	int i;

	for (i = 0; i < BENCH_ENDS; i++) {
		flush_work(&p->end[i].end);
		if (p->end[i].id) /* left by a failure */
			rdma_destroy_id(p->end[i].id);
	}
	for (i = 0; i < BENCH_ENDS; i++)
		if (p->end[i].qp)
			ib_destroy_qp(p->end[i].qp);
	WRITE_ONCE(b->pair[c->index], NULL);
	kfree(p);
}

static int make_qp(struct raw_bench *b, struct raw_end *e, struct ib_cq *cq, u32 depth)
{
	struct ib_qp_init_attr attr = {
		.send_cq = cq,
		.recv_cq = cq,
		.cap = {
			.max_send_wr = depth,
			.max_recv_wr = depth,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.qp_type = IB_QPT_RC,
	};
	struct ib_qp *qp = ib_create_qp(b->pd, &attr);

	if (IS_ERR(qp))
		return PTR_ERR(qp);
	e->qp = qp;
	return move_alone(qp, IB_QPS_INIT);
}

struct bench_conn *raw_conn_make(struct bench_host *h, u32 index, bool deep)
{
	struct raw_bench *b = raw_bench_of(h);
	struct raw_pair *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int i, err = 0;

	if (!p)
		return ERR_PTR(-ENOMEM);
	bench_conn_init(&p->conn, h, index);
	for (i = 0; i < BENCH_ENDS; i++) {
		p->end[i].pair = p;
		INIT_WORK(&p->end[i].end, end_work);
	}
	for (i = 0; !err && i < BENCH_ENDS; i++)
		err = make_qp(b, &p->end[i], b->cq[i], deep ? BENCH_DEPTH : SHALLOW);
	if (err) {
		raw_conn_unmake(&p->conn);
		return ERR_PTR(err);
	}
	WRITE_ONCE(b->pair[index], p);
	return &p->conn;
}

/* ---- memory of a connection ---- */
static int register_whole(struct raw_bench *b, struct ib_qp *qp, struct ib_cq *cq, struct ib_mr *mr)
{
	struct scatterlist sg;
	struct ib_reg_wr wr = {
		.wr = { .opcode = IB_WR_REG_MR, .send_flags = IB_SEND_SIGNALED },
		.mr = mr,
		.key = mr->rkey,
		.access = IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE,
	};
	struct ib_wc wc;
	unsigned int ms;
	int err;

	sg_init_one(&sg, b->host.setup->memory[BENCH_PASSIVE], BENCH_BULK);
	sg_dma_address(&sg) = b->dma[BENCH_PASSIVE];
	sg_dma_len(&sg) = BENCH_BULK;
	err = ib_map_mr_sg(mr, &sg, 1, NULL, PAGE_SIZE);
	if (err != 1)
		return err < 0 ? err : -EINVAL;
	err = ib_post_send(qp, &wr.wr, NULL);
	for (ms = 0; !err && ms < ANSWER_MS; ms++) {
		if (ib_poll_cq(cq, 1, &wc) == 1)
			return wc.status == IB_WC_SUCCESS ? 0 : -EIO;
		msleep(1);
	}
	return err ? err : -ETIMEDOUT;
}

int raw_conn_expose(struct bench_conn *c)
{
	struct raw_bench *b = raw_bench_of(c->host);
	struct raw_pair *p = raw_pair_of(c);
	struct ib_mr *mr = ib_alloc_mr(b->pd, IB_MR_TYPE_MEM_REG, BENCH_PAGES);
	int i;

	if (IS_ERR(mr))
		return PTR_ERR(mr);
	p->mr = mr;
	for (i = 0; i < BENCH_REGIONS; i++) {
		mr = ib_alloc_mr(b->pd, IB_MR_TYPE_MEM_REG, BENCH_PAGES);
		if (IS_ERR(mr))
			return PTR_ERR(mr);
		p->region[i] = mr;
	}
	return register_whole(b, p->end[BENCH_PASSIVE].qp, b->cq[BENCH_PASSIVE], p->mr);
}

void raw_conn_hide(struct bench_conn *c)
{
	struct raw_pair *p = raw_pair_of(c);
	int i;

	for (i = 0; i < BENCH_REGIONS; i++)
		if (p->region[i])
			ib_dereg_mr(p->region[i]);
	if (p->mr)
		ib_dereg_mr(p->mr);
}
