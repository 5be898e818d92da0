// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The raw peer. Its QP is not attached to the identity, so that it can announce other limits than
 * its own device could keep: what goes into the QP is clamped, what goes to the peer is not.
 *
 * Events come in the connection manager's thread, which is the only writer of a peer's state; the
 * thread of the case reads it and owns the rest.
 */
#define pr_fmt(fmt) "ndk_conformance: " fmt

#include <linux/slab.h>
#include <net/net_namespace.h>
#include <rdma/ib_verbs.h>
#include <rdma/rdma_cm.h>

#include "raw_peer.h"

#define RAW_RESOLVE_MS 3000
#define RAW_CQ 64
#define RAW_SEND_ID 1000
#define RAW_MEMORY (2 * PAGE_SIZE)
#define RAW_SEND_AT 2048
#define RAW_MOST_READS 4 /* what the QP is really made for */

enum raw_state { RAW_BEGUN, RAW_UP, RAW_OVER };

struct raw_peer {
	struct raw_params params;
	struct rdma_cm_id *listener, *id;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_qp *qp;
	u8 *memory; /* receives, at RAW_SEND_AT what is sent, then the exposed page */
	u64 dma;
	enum raw_state state;
	struct conf_signal changed;
	unsigned int in_limit, out_limit, data_len;
	u8 data[256];
};

static bool is_iwarp(const struct raw_peer *r)
{
	return rdma_protocol_iwarp(r->id->device, r->id->port_num);
}

static void become(struct raw_peer *r, enum raw_state state)
{
	WRITE_ONCE(r->state, state);
	conf_signal(&r->changed);
}

/* ---- queues and memory ---- */

static int post_receive(struct raw_peer *r, unsigned int i)
{
	struct ib_sge sge = { .addr = r->dma + i * RAW_MESSAGE, .length = RAW_MESSAGE, .lkey = r->pd->local_dma_lkey };
	struct ib_recv_wr wr = { .wr_id = i, .sg_list = &sge, .num_sge = 1 };

	return ib_post_recv(r->qp, &wr, NULL);
}

static int move(struct raw_peer *r, enum ib_qp_state state)
{
	struct ib_qp_attr attr = { .qp_state = state };
	int mask, err;

	err = rdma_init_qp_attr(r->id, &attr, &mask);
	if (err)
		return err;
	attr.max_rd_atomic = min_t(u8, attr.max_rd_atomic, RAW_MOST_READS);
	attr.max_dest_rd_atomic = min_t(u8, attr.max_dest_rd_atomic, RAW_MOST_READS);
	if (state == IB_QPS_INIT) {
		attr.qp_access_flags |= IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_READ;
		mask |= IB_QP_ACCESS_FLAGS;
	}
	return ib_modify_qp(r->qp, &attr, mask);
}

static int build(struct raw_peer *r)
{
	struct ib_device *dev = r->id->device;
	struct ib_cq_init_attr cq = { .cqe = RAW_CQ };
	struct ib_qp_init_attr qp = {
		.cap = { .max_send_wr = 8, .max_recv_wr = RAW_RECEIVES, .max_send_sge = 1, .max_recv_sge = 1 },
		.sq_sig_type = IB_SIGNAL_ALL_WR,
		.qp_type = IB_QPT_RC,
	};
	unsigned int i;
	int err;

	r->pd = ib_alloc_pd(dev, IB_PD_UNSAFE_GLOBAL_RKEY);
	if (IS_ERR(r->pd))
		return PTR_ERR(r->pd);
	r->cq = ib_create_cq(dev, NULL, NULL, NULL, &cq);
	if (IS_ERR(r->cq))
		return PTR_ERR(r->cq);
	qp.send_cq = qp.recv_cq = r->cq;
	r->qp = ib_create_qp(r->pd, &qp);
	if (IS_ERR(r->qp))
		return PTR_ERR(r->qp);
	r->dma = ib_dma_map_single(dev, r->memory, RAW_MEMORY, DMA_BIDIRECTIONAL);
	if (ib_dma_mapping_error(dev, r->dma)) {
		r->dma = 0;
		return -ENOMEM;
	}
	err = move(r, IB_QPS_INIT);
	for (i = 0; !err && i < RAW_RECEIVES; i++)
		err = post_receive(r, i);
	return err;
}

/* ---- connecting ---- */

static void say(struct raw_peer *r, struct rdma_conn_param *p, unsigned int most)
{
	memset(p, 0, sizeof(*p));
	p->qp_num = r->qp->qp_num;
	p->flow_control = 1;
	p->retry_count = p->rnr_retry_count = 7;
	p->responder_resources = r->params.in_limit;
	p->initiator_depth = r->params.out_limit;
	if (is_iwarp(r)) { /* there the device itself refuses to say more than it has */
		p->responder_resources = min_t(int, p->responder_resources, r->id->device->attrs.max_qp_rd_atom);
		p->initiator_depth = min_t(int, p->initiator_depth, r->id->device->attrs.max_qp_init_rd_atom);
	}
	memset(r->data, RAW_FILL, sizeof(r->data));
	p->private_data = r->data;
	p->private_data_len = min(r->params.data_len, most);
}

/* What fits is for the connection manager to say; over iWARP it says yes to more than works. */
static int ask(struct raw_peer *r)
{
	unsigned int most = is_iwarp(r) ? 251 : 255;
	struct rdma_conn_param p;
	int err = build(r);

	if (err)
		return err;
	do {
		say(r, &p, most--);
		err = rdma_connect_locked(r->id, &p); /* inside the handler */
	} while (err == -EINVAL && r->params.data_len == RAW_LONGEST && most);
	return err;
}

static int take(struct raw_peer *r)
{
	struct rdma_conn_param p;
	int err = build(r);

	if (!err && !is_iwarp(r))
		err = move(r, IB_QPS_RTR) ?: move(r, IB_QPS_RTS);
	if (err)
		return err;
	say(r, &p, is_iwarp(r) ? 251 : 196);
	return rdma_accept(r->id, &p);
}

static int confirm(struct raw_peer *r)
{
	int err = move(r, IB_QPS_RTR) ?: move(r, IB_QPS_RTS) ?: rdma_accept(r->id, NULL);

	if (!err)
		become(r, RAW_UP);
	return err;
}

static void hear(struct raw_peer *r, const struct rdma_cm_event *e)
{
	r->in_limit = e->param.conn.responder_resources;
	r->out_limit = e->param.conn.initiator_depth;
	r->data_len = e->param.conn.private_data_len;
}

static int on_event(struct rdma_cm_id *id, struct rdma_cm_event *e)
{
	struct raw_peer *r = id->context;
	int err = 0;

	switch (e->event) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
		err = rdma_resolve_route(id, RAW_RESOLVE_MS);
		break;
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
		err = ask(r);
		break;
	case RDMA_CM_EVENT_CONNECT_REQUEST:
		if (r->id)
			return -1; /* one is enough: this destroys the new identity, which refuses it */
		r->id = id;
		hear(r, e);
		err = take(r);
		break;
	case RDMA_CM_EVENT_CONNECT_RESPONSE:
		hear(r, e);
		err = confirm(r);
		break;
	case RDMA_CM_EVENT_ESTABLISHED:
		if (is_iwarp(r) && !r->listener)
			hear(r, e);
		become(r, RAW_UP);
		break;
	case RDMA_CM_EVENT_TIMEWAIT_EXIT:
		break;
	default:
		become(r, RAW_OVER);
	}
	if (err) {
		pr_info("# raw peer: %s failed with %d\n", rdma_event_msg(e->event), err);
		become(r, RAW_OVER);
	}
	return 0; /* identities are destroyed by raw_close() */
}

static struct raw_peer *make(const struct raw_params *p)
{
	struct raw_peer *r = kzalloc(sizeof(*r), GFP_KERNEL);
	struct rdma_cm_id *id;

	if (!r)
		return NULL;
	r->memory = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, get_order(RAW_MEMORY));
	id = rdma_create_id(&init_net, on_event, r, RDMA_PS_TCP, IB_QPT_RC);
	if (!r->memory || IS_ERR(id)) {
		if (!IS_ERR(id))
			rdma_destroy_id(id);
		free_pages((unsigned long)r->memory, get_order(RAW_MEMORY));
		kfree(r);
		return NULL;
	}
	conf_signal_init(&r->changed);
	r->params = *p;
	r->id = id;
	return r;
}

struct raw_peer *raw_listen(const struct sockaddr_storage *at, const struct raw_params *p)
{
	struct sockaddr_storage own = *at;
	struct raw_peer *r = make(p);
	int err;

	if (!CHECK(r))
		return NULL;
	r->listener = r->id;
	r->id = NULL;
	err = rdma_bind_addr(r->listener, (struct sockaddr *)&own);
	if (!err)
		err = rdma_listen(r->listener, 4);
	if (CHECK_EQ(err, 0))
		return r;
	raw_close(r);
	return NULL;
}

struct raw_peer *raw_connect(const struct sockaddr_storage *from, const struct sockaddr_storage *to,
			     const struct raw_params *p)
{
	struct sockaddr_storage src = *from, dst = *to;
	struct raw_peer *r = make(p);
	int err;

	if (!CHECK(r))
		return NULL;
	err = rdma_resolve_addr(r->id, (struct sockaddr *)&src, (struct sockaddr *)&dst, RAW_RESOLVE_MS);
	if (CHECK_EQ(err, 0))
		return r;
	raw_close(r);
	return NULL;
}

static BOOLEAN becomes(struct raw_peer *r, enum raw_state wanted)
{
	while (READ_ONCE(r->state) < wanted && conf_wait(&r->changed, RAW_PATIENCE_MS))
		;
	return READ_ONCE(r->state) == wanted;
}

BOOLEAN raw_up(struct raw_peer *r)
{
	return becomes(r, RAW_UP);
}

BOOLEAN raw_over(struct raw_peer *r)
{
	return becomes(r, RAW_OVER);
}

void raw_heard(const struct raw_peer *r, unsigned *in_limit, unsigned *out_limit, unsigned *data_len)
{
	*in_limit = r->in_limit;
	*out_limit = r->out_limit;
	*data_len = r->data_len;
}

/* ---- data ---- */

/* The next completion that is a receive, or is not. Others are not expected meanwhile. */
static bool completion(struct raw_peer *r, bool receive, struct ib_wc *wc)
{
	unsigned int tries;

	for (tries = 0; tries < RAW_PATIENCE_MS; tries++) {
		if (ib_poll_cq(r->cq, 1, wc) == 1)
			return (wc->wr_id != RAW_SEND_ID) == receive && wc->status == IB_WC_SUCCESS;
		conf_sleep(1);
	}
	return false;
}

static void fill(u8 *at, u8 seed)
{
	unsigned int i;

	for (i = 0; i < RAW_MESSAGE; i++)
		at[i] = seed + i;
}

static bool is(const u8 *at, u8 seed)
{
	unsigned int i;

	for (i = 0; i < RAW_MESSAGE; i++)
		if (at[i] != (u8)(seed + i))
			return false;
	return true;
}

static BOOLEAN initiate(struct raw_peer *r, struct ib_rdma_wr *wr, u8 seed)
{
	struct ib_sge sge = { .addr = r->dma + RAW_SEND_AT, .length = RAW_MESSAGE, .lkey = r->pd->local_dma_lkey };
	struct ib_wc wc;

	fill(r->memory + RAW_SEND_AT, seed);
	wr->wr.wr_id = RAW_SEND_ID;
	wr->wr.sg_list = &sge;
	wr->wr.num_sge = 1;
	return ib_post_send(r->qp, &wr->wr, NULL) == 0 && completion(r, false, &wc);
}

BOOLEAN raw_send(struct raw_peer *r, UCHAR seed)
{
	struct ib_rdma_wr wr = { .wr = { .opcode = IB_WR_SEND } };

	return initiate(r, &wr, seed);
}

BOOLEAN raw_write(struct raw_peer *r, UINT64 at, UINT32 token, UCHAR seed)
{
	struct ib_rdma_wr wr = { .wr = { .opcode = IB_WR_RDMA_WRITE }, .remote_addr = at, .rkey = token };

	return initiate(r, &wr, seed);
}

BOOLEAN raw_receive(struct raw_peer *r, UCHAR seed)
{
	struct ib_wc wc;

	return completion(r, true, &wc) && wc.byte_len == RAW_MESSAGE && is(r->memory + wc.wr_id * RAW_MESSAGE, seed) &&
	       post_receive(r, wc.wr_id) == 0;
}

void raw_page(const struct raw_peer *r, UINT64 *at, UINT32 *token)
{
	*at = r->dma + PAGE_SIZE;
	*token = r->pd->unsafe_global_rkey;
}

BOOLEAN raw_page_is(const struct raw_peer *r, UCHAR seed)
{
	return is(r->memory + PAGE_SIZE, seed);
}

/* ---- the end ---- */

void raw_close(struct raw_peer *r)
{
	struct ib_device *dev;

	if (!r)
		return;
	/* first the listener, so that nothing new comes; then no event of ours runs any more */
	if (r->listener)
		rdma_destroy_id(r->listener);
	if (r->id && READ_ONCE(r->state) == RAW_UP)
		rdma_disconnect(r->id);
	if (r->id)
		rdma_destroy_id(r->id);
	dev = IS_ERR_OR_NULL(r->pd) ? NULL : r->pd->device;
	if (!IS_ERR_OR_NULL(r->qp))
		ib_destroy_qp(r->qp);
	if (r->dma)
		ib_dma_unmap_single(dev, r->dma, RAW_MEMORY, DMA_BIDIRECTIONAL);
	if (!IS_ERR_OR_NULL(r->cq))
		ib_destroy_cq(r->cq);
	if (dev)
		ib_dealloc_pd(r->pd);
	free_pages((unsigned long)r->memory, get_order(RAW_MEMORY));
	kfree(r);
}
