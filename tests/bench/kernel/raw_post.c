// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The raw way: posting and polling. Bottom halves are off around a post, as they are in ndk.ko, because
 * a software device rewards that. Called by the bench's thread.
 */
#include <linux/bottom_half.h>
#include <linux/errno.h>

#include "raw.h"

static struct ib_sge piece(const struct raw_bench *b, enum bench_end end, u32 offset, u32 length)
{
	return (struct ib_sge){
		.addr = b->dma[end] + offset,
		.length = length,
		.lkey = b->pd->local_dma_lkey,
	};
}

int raw_bare_send(struct bench_conn *c, enum bench_end end, bool signalled)
{
	struct ib_sge sge = piece(raw_bench_of(c->host), end, 0, BENCH_SMALL);
	struct ib_send_wr wr = {
		.wr_id = BENCH_REQUEST,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IB_WR_SEND,
		.send_flags = signalled ? IB_SEND_SIGNALED : 0,
	};

	return ib_post_send(raw_pair_of(c)->end[end].qp, &wr, NULL);
}

int raw_bare_receive(struct bench_conn *c, enum bench_end end, u32 slot)
{
	struct ib_sge sge =
		piece(raw_bench_of(c->host), end, slot % BENCH_DEPTH * BENCH_SMALL, BENCH_SMALL);
	struct ib_recv_wr wr = { .wr_id = BENCH_RECEIVE, .sg_list = &sge, .num_sge = 1 };

	return ib_post_recv(raw_pair_of(c)->end[end].qp, &wr, NULL);
}

static int post_rdma(struct bench_conn *c, enum ib_wr_opcode opcode)
{
	struct raw_bench *b = raw_bench_of(c->host);
	struct raw_pair *p = raw_pair_of(c);
	struct ib_sge sge = piece(b, BENCH_ACTIVE, 0, BENCH_BULK);
	struct ib_rdma_wr wr = {
		.wr = {
			.wr_id = BENCH_REQUEST,
			.sg_list = &sge,
			.num_sge = 1,
			.opcode = opcode,
			.send_flags = IB_SEND_SIGNALED,
		},
		.remote_addr = p->mr->iova,
		.rkey = p->mr->rkey,
	};

	return ib_post_send(p->end[BENCH_ACTIVE].qp, &wr.wr, NULL);
}

int raw_bare_write(struct bench_conn *c)
{
	return post_rdma(c, IB_WR_RDMA_WRITE);
}

int raw_bare_read(struct bench_conn *c)
{
	return post_rdma(c, IB_WR_RDMA_READ);
}

int raw_bare_reg(struct bench_conn *c, u32 region, u32 pages, bool signalled)
{
	struct raw_bench *b = raw_bench_of(c->host);
	struct raw_pair *p = raw_pair_of(c);
	struct ib_mr *mr = p->region[region];
	struct ib_reg_wr wr = {
		.wr = {
			.wr_id = BENCH_REQUEST,
			.opcode = IB_WR_REG_MR,
			.send_flags = signalled ? IB_SEND_SIGNALED : 0,
		},
		.mr = mr,
		.access = IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE,
	};

	/* no registration is to be reached with the key of an earlier one */
	ib_update_fast_reg_key(mr, ib_inc_rkey(mr->rkey));
	if (ib_map_mr_sg(mr, b->pages, pages, NULL, PAGE_SIZE) != (int)pages)
		return -EINVAL;
	wr.key = mr->rkey;
	return ib_post_send(p->end[BENCH_ACTIVE].qp, &wr.wr, NULL);
}

int raw_bare_invalidate(struct bench_conn *c, u32 region)
{
	struct raw_pair *p = raw_pair_of(c);
	struct ib_send_wr wr = {
		.wr_id = BENCH_REQUEST,
		.opcode = IB_WR_LOCAL_INV,
		.send_flags = IB_SEND_SIGNALED,
		.ex.invalidate_rkey = p->region[region]->rkey,
	};

	return ib_post_send(p->end[BENCH_ACTIVE].qp, &wr, NULL);
}

/* ---- bottom halves off ---- */
#define WITHOUT_BOTTOM_HALVES(post) \
	({                          \
		int err_;           \
		local_bh_disable(); \
		err_ = (post);      \
		local_bh_enable();  \
		err_;               \
	})

int raw_post_send(struct bench_conn *c, enum bench_end end, bool signalled)
{
	return WITHOUT_BOTTOM_HALVES(raw_bare_send(c, end, signalled));
}

int raw_post_receive(struct bench_conn *c, enum bench_end end, u32 slot)
{
	return WITHOUT_BOTTOM_HALVES(raw_bare_receive(c, end, slot));
}

int raw_post_write(struct bench_conn *c)
{
	return WITHOUT_BOTTOM_HALVES(raw_bare_write(c));
}

int raw_post_read(struct bench_conn *c)
{
	return WITHOUT_BOTTOM_HALVES(raw_bare_read(c));
}

int raw_post_reg(struct bench_conn *c, u32 region, u32 pages, bool signalled)
{
	return WITHOUT_BOTTOM_HALVES(raw_bare_reg(c, region, pages, signalled));
}

int raw_post_invalidate(struct bench_conn *c, u32 region)
{
	return WITHOUT_BOTTOM_HALVES(raw_bare_invalidate(c, region));
}

int raw_poll(struct bench_host *h, enum bench_end end, struct bench_result *out)
{
	struct ib_wc wc[BENCH_BATCH];
	int i, n = ib_poll_cq(raw_bench_of(h)->cq[end], BENCH_BATCH, wc);

	for (i = 0; i < n; i++) {
		out[i].error = wc[i].status;
		out[i].kind = wc[i].wr_id;
		out[i].bytes = wc[i].byte_len;
	}
	return n;
}
