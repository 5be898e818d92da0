// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The hidden registration QP of a protection domain (LNX-19). Verbs register kernel memory with a
 * work request on a QP that is ready to send, but NdkRegisterMr names no QP and may come before any
 * connection. So each domain has, from its first registration on, a QP connected by hand to itself:
 * no CM, no traffic, only registrations. iWARP has no such QP, there it is one end of a connection
 * (regpair.c). An error kills it; the next registration makes a new one.
 *
 * With hw held; reg->lock serialises the users of one domain.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <rdma/ib_cache.h>

#include "objects.h"

#define NDK_REG_MS 2000 /* a registration involves nobody else; longer means a dead device */

/* Any address of the port will do: nothing is ever sent to it. */
static int own_address(struct ib_device *ib, struct ib_qp_attr *attr)
{
	const struct ib_gid_attr *gid = NULL;
	struct ib_port_attr port;
	union ib_gid raw;
	int i, err;

	err = ib_query_port(ib, NDK_PORT, &port);
	if (err)
		return err;
	for (i = 0; i < port.gid_tbl_len; i++) {
		gid = rdma_get_gid_attr(ib, NDK_PORT, i);
		if (!IS_ERR(gid))
			break;
	}
	if (IS_ERR_OR_NULL(gid))
		return -ENODEV;
	raw = gid->gid;
	attr->ah_attr.type = rdma_ah_find_type(ib, NDK_PORT);
	rdma_ah_set_port_num(&attr->ah_attr, NDK_PORT);
	rdma_ah_set_grh(&attr->ah_attr, &raw, 0, i, 64, 0);
	if (attr->ah_attr.type == RDMA_AH_ATTR_TYPE_ROCE)
		err = rdma_read_gid_l2_fields(gid, NULL, attr->ah_attr.roce.dmac);
	else
		rdma_ah_set_dlid(&attr->ah_attr, port.lid);
	rdma_put_gid_attr(gid);
	attr->path_mtu = port.active_mtu;
	return err;
}

static int to_init(struct ib_qp *qp)
{
	struct ib_qp_attr attr = { .qp_state = IB_QPS_INIT, .port_num = NDK_PORT };

	return ib_modify_qp(qp, &attr,
			    IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_ACCESS_FLAGS);
}

static int to_rtr(struct ib_device *ib, struct ib_qp *qp)
{
	struct ib_qp_attr attr = { .qp_state = IB_QPS_RTR,
				   .dest_qp_num = qp->qp_num,
				   .min_rnr_timer = 12 };
	int err = own_address(ib, &attr);

	if (err)
		return err;
	return ib_modify_qp(qp, &attr,
			    IB_QP_STATE | IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN |
				    IB_QP_RQ_PSN | IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER);
}

static int to_rts(struct ib_qp *qp)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_RTS, .timeout = 14, .retry_cnt = 7, .rnr_retry = 7
	};

	return ib_modify_qp(qp, &attr,
			    IB_QP_STATE | IB_QP_TIMEOUT | IB_QP_RETRY_CNT | IB_QP_RNR_RETRY |
				    IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC);
}

void ndk_regqp_end(struct ndk_regqp *reg)
{
	if (reg->pair) {
		ndk_regpair_end(reg->pair);
	} else {
		if (reg->qp)
			ib_destroy_qp(reg->qp);
		if (reg->cq)
			ib_destroy_cq(reg->cq);
	}
	reg->pair = NULL;
	reg->qp = NULL;
	reg->cq = NULL;
}

static int start_pair(struct ndk_kpd *kpd)
{
	struct ndk_regqp *reg = &kpd->reg;
	struct ndk_regpair *pair;

	pair = ndk_regpair_make(ndk_box_of(&kpd->pd.obj)->dev, kpd->ib);
	if (IS_ERR(pair))
		return PTR_ERR(pair);
	reg->pair = pair;
	reg->cq = ndk_regpair_cq(pair);
	reg->qp = ndk_regpair_qp(pair);
	return reg->qp ? 0 : -ENOTCONN;
}

static int start_self(struct ndk_kpd *kpd)
{
	struct ib_device *ib = kpd->ib->device;
	struct ib_cq_init_attr cq_attr = { .cqe = 4 };
	struct ib_qp_init_attr qp_attr = {
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.cap = { .max_send_wr = 2, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	struct ndk_regqp *reg = &kpd->reg;
	struct ib_cq *cq;
	struct ib_qp *qp;

	cq = ib_create_cq(ib, NULL, NULL, NULL, &cq_attr);
	if (IS_ERR(cq))
		return PTR_ERR(cq);
	reg->cq = cq;
	qp_attr.send_cq = cq;
	qp_attr.recv_cq = cq;
	qp = ib_create_qp(kpd->ib, &qp_attr);
	if (IS_ERR(qp))
		return PTR_ERR(qp);
	reg->qp = qp;
	return to_init(qp) ?: to_rtr(ib, qp) ?: to_rts(qp);
}

static int start(struct ndk_kpd *kpd)
{
	int err;

	if (ndk_api_alloc_fails(kpd->pd.obj.host))
		return -ENOMEM;
	err = rdma_protocol_iwarp(kpd->ib->device, NDK_PORT) ? start_pair(kpd) : start_self(kpd);
	if (err)
		ndk_regqp_end(&kpd->reg);
	/* whatever the reason, to the consumer it is a resource that could not be had */
	return err ? -ENOMEM : 0;
}

/* -EAGAIN: the request was not executed, because the QP had ended before. */
static int wait_for_one(struct ib_cq *cq)
{
	unsigned long end = jiffies + msecs_to_jiffies(NDK_REG_MS);
	struct ib_wc wc;
	int n;

	for (;;) {
		n = ib_poll_cq(cq, 1, &wc);
		if (n < 0)
			return n;
		if (n && wc.status == IB_WC_WR_FLUSH_ERR)
			return -EAGAIN;
		if (n)
			return wc.status == IB_WC_SUCCESS ? 0 : -EIO;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		usleep_range(20, 50);
	}
}

static int run_once(struct ndk_kpd *kpd, struct ib_reg_wr *wr)
{
	struct ndk_regqp *reg = &kpd->reg;
	int err;

	local_bh_disable(); /* a software device then works in our time, not in its thread's */
	err = ib_post_send(reg->qp, &wr->wr, NULL);
	local_bh_enable();
	if (err && reg->pair)
		err = -EAGAIN; /* on iWARP the connection may have ended, which is told later */
	if (!err)
		err = wait_for_one(reg->cq);
	if (err)
		ndk_regqp_end(reg);
	return err;
}

int ndk_regqp_run(struct ndk_kpd *kpd, struct ib_reg_wr *wr)
{
	struct ndk_regqp *reg = &kpd->reg;
	bool fresh;
	int err;

	wr->wr.send_flags = IB_SEND_SIGNALED;
	mutex_lock(&reg->lock);
	if (reg->pair && !ndk_regpair_qp(reg->pair))
		ndk_regqp_end(reg);
	do {
		fresh = !reg->qp;
		err = fresh ? start(kpd) : 0;
		if (!err)
			err = run_once(kpd, wr);
	} while (err == -EAGAIN && !fresh);
	mutex_unlock(&reg->lock);
	return err;
}
