// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * State changes of a hardware QP, under kqp->mutex with hw held. kqp->hw_state is what we did; asking
 * the device is of no use, some do not say.
 */
#include "objects.h"

/*
 * A sender without a receiver is told after half a second (6 tries, code 26 is 82 ms between them): long
 * for a receiver that is merely slow, and an end for one that forgot; 7 tries would mean for ever.
 */
#define NDK_RNR_TIMER 26

static bool iwarp(const struct ndk_kqp *kqp)
{
	return kqp->qp.obj.host->transport == NDK_TRANSPORT_IWARP;
}

static int modify(struct ndk_kqp *kqp, struct ib_qp_attr *attr, int mask)
{
	int err = ib_modify_qp(kqp->ib, attr, mask);

	if (!err)
		kqp->hw_state = attr->qp_state;
	return err;
}

/* From RESET: leaving the error state needs that (LNX-18), and receives can be posted before there is a connection. */
int ndk_qp_move_init(struct ndk_kqp *kqp)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_INIT,
		.port_num = NDK_PORT,
		.qp_access_flags = IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE,
	};
	int mask = IB_QP_STATE | IB_QP_PORT | IB_QP_ACCESS_FLAGS;

	if (!iwarp(kqp))
		mask |= IB_QP_PKEY_INDEX;
	return modify(kqp, &attr, mask);
}

int ndk_qp_move(struct ndk_kqp *kqp, enum ib_qp_state state)
{
	struct ib_qp_attr attr = { .qp_state = state };

	if (kqp->hw_state == state)
		return 0;
	return modify(kqp, &attr, IB_QP_STATE);
}

static int move_with(struct ndk_kqp *kqp, struct rdma_cm_id *id, enum ib_qp_state state, ULONG in,
		     ULONG out)
{
	struct ib_qp_attr attr = { .qp_state = state };
	int mask = 0;
	int err = rdma_init_qp_attr(id, &attr, &mask);

	if (err)
		return err;
	/*
	 * The CM proposes the numbers of the peer's message, unclamped, and no remote rights where reads
	 * are not expected: put what was negotiated in their place (LNX-8).
	 */
	if (mask & IB_QP_ACCESS_FLAGS)
		attr.qp_access_flags = IB_ACCESS_REMOTE_WRITE | (in ? IB_ACCESS_REMOTE_READ : 0);
	if (mask & IB_QP_MAX_DEST_RD_ATOMIC)
		attr.max_dest_rd_atomic = in;
	if (mask & IB_QP_MAX_QP_RD_ATOMIC)
		attr.max_rd_atomic = out;
	if (mask & IB_QP_MIN_RNR_TIMER)
		attr.min_rnr_timer = NDK_RNR_TIMER;
	if (mask & IB_QP_RETRY_CNT)
		attr.retry_cnt = 7;
	if (mask & IB_QP_RNR_RETRY)
		attr.rnr_retry = NDK_RNR_TRIES;
	return modify(kqp, &attr, mask);
}

/* On iWARP the CM's driver takes the QP further by itself. */
int ndk_qp_move_rts(struct ndk_kqp *kqp, struct rdma_cm_id *id, ULONG in, ULONG out)
{
	int err;

	if (kqp->hw_state != IB_QPS_INIT)
		return -EINVAL; /* flushed meanwhile */
	if (iwarp(kqp))
		return 0;
	err = move_with(kqp, id, IB_QPS_INIT, in, out); /* the port and key the CM settled on */
	if (!err)
		err = move_with(kqp, id, IB_QPS_RTR, in, out);
	if (!err)
		err = move_with(kqp, id, IB_QPS_RTS, in, out);
	return err;
}
