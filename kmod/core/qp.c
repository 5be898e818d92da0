/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Queue pair: control state, posting checks, and the rings that say who is posted. The only writer
 * of ndk_qp.state. Control functions run under the host's lock, ring functions see qp.h.
 */
#include "connector.h"
#include "hooks.h"

void ndk_qp_step(struct ndk_qp *qp, unsigned event, struct ndk_fx *fx)
{
	struct ndk_step step = ndk_step_take(&qp->obj, NDK_MACHINE_QP, &qp->state, event);
	ULONG how = 0;

	__atomic_store_n(&qp->can_initiate, (UCHAR)(qp->state == NDK_QP_CONNECTED), __ATOMIC_RELEASE);
	if (step.acts & NDK_QP_ACT(FLUSH))
		how = NDK_QP_FLUSH_END;
	else if (step.acts & NDK_QP_ACT(RESET))
		how = NDK_QP_FLUSH_RESET;
	if (how) {
		ndk_ref_get(&qp->obj, NDK_REF_WORK);
		ndk_fx_add(fx, NDK_FX_QP_FLUSH, &qp->obj)->arg = how;
	}
}

void ndk_qp_flush(struct ndk_qp *qp, struct ndk_fx *fx)
{
	BOOLEAN was_tied = qp->state == NDK_QP_TIED;

	if (!ndk_obj_live(&qp->obj))
		return;
	ndk_qp_step(qp, NDK_QP_EV_FLUSH, fx);
	if (was_tied && qp->conn)
		ndk_connector_qp_event(qp->conn, NDK_CONN_EV_SPOILED, fx);
}

void ndk_qp_broken(struct ndk_qp *qp, struct ndk_fx *fx)
{
	BOOLEAN first = qp->state == NDK_QP_TIED || qp->state == NDK_QP_CONNECTED;

	ndk_qp_step(qp, NDK_QP_EV_BREAK, fx);
	if (first && qp->conn)
		ndk_connector_qp_event(qp->conn, NDK_CONN_EV_BROKEN, fx);
}

/* Flags each operation accepts (2.7); DEFER is permission only and needs no more than tolerance. */
static ULONG flags_of(UCHAR op)
{
	const ULONG common = NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_READ_FENCE | NDK_OP_FLAG_DEFER;

	switch (op) {
	case NDK_OP_SEND:
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

static ULONG ring_used(const struct ndk_ring *r)
{
	return (ULONG)(r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE));
}

NTSTATUS ndk_post_check(const struct ndk_qp *qp, UCHAR op, const NDK_SGE *sgl, ULONG nsge, ULONG flags)
{
	const NDK_ADAPTER_INFO *info = &qp->obj.host->info;
	BOOLEAN receive = op == NDK_OP_RECEIVE;
	ULONG limit = receive ? qp->max_recv_sge : qp->max_init_sge;
	UINT64 total = 0;
	ULONG i;

	if (!receive && !__atomic_load_n(&qp->can_initiate, __ATOMIC_ACQUIRE))
		return STATUS_CONNECTION_INVALID; /* QP-3, U-25 */
	if (flags & ~flags_of(op))
		return STATUS_INVALID_PARAMETER; /* U-27 */
	if (nsge && !sgl)
		return STATUS_INVALID_PARAMETER;
	if (op == NDK_OP_READ)
		limit = info->MaxReadRequestSge;
	if (!(flags & NDK_OP_FLAG_INLINE) && nsge > limit)
		return STATUS_DATA_OVERRUN; /* QP-7, U-27 */
	for (i = 0; i < nsge; i++)
		total += sgl[i].Length;
	if (total > info->MaxTransferLength)
		return STATUS_BUFFER_OVERFLOW; /* QP-8 */
	if ((flags & NDK_OP_FLAG_INLINE) && total > qp->inline_size)
		return STATUS_BUFFER_OVERFLOW; /* QP-6 */
	if (ring_used(receive ? &qp->recv : &qp->init) >= (receive ? qp->recv.depth : qp->init.depth))
		return STATUS_NO_MORE_ENTRIES; /* U-27 */
	return STATUS_SUCCESS;
}

void ndk_ring_fill(struct ndk_ring *r, PVOID ctx, UCHAR op, ULONG flags)
{
	struct ndk_slot *s = &r->slot[ndk_ring_next(r)];

	s->ctx = ctx;
	s->op = op;
	s->flags = flags;
}

void ndk_ring_post(struct ndk_ring *r)
{
	__atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
}

ULONG ndk_ring_busy(const struct ndk_ring *r)
{
	return (ULONG)(__atomic_load_n(&r->head, __ATOMIC_ACQUIRE) - r->done);
}

static NDK_OPERATION_TYPE type_of(UCHAR op)
{
	switch (op) {
	case NDK_OP_RECEIVE:
		return NdkOperationTypeReceive;
	case NDK_OP_READ:
		return NdkOperationTypeRead;
	case NDK_OP_WRITE:
		return NdkOperationTypeWrite;
	case NDK_OP_BIND:
		return NdkOperationTypeBind;
	case NDK_OP_FAST_REGISTER:
		return NdkOperationTypeFastRegister;
	case NDK_OP_INVALIDATE:
		return NdkOperationTypeInvalidate;
	default:
		return NdkOperationTypeSend;
	}
}

BOOLEAN ndk_ring_complete(struct ndk_qp *qp, struct ndk_ring *r, NTSTATUS status, ULONG bytes, NDK_RESULT_EX *out)
{
	struct ndk_slot *s = &r->slot[r->done % r->depth];

	NDK_ASSERT(ndk_ring_busy(r) > 0);
	r->done++;
	if ((s->flags & NDK_OP_FLAG_SILENT_SUCCESS) && status == STATUS_SUCCESS) {
		s->op = 0; /* free with the next one taken, or at once if nothing visible is before it */
		if (r->tail + 1 == r->done)
			__atomic_store_n(&r->tail, r->done, __ATOMIC_RELEASE);
		return FALSE;
	}
	ndk_zero(out, sizeof(*out));
	out->Status = status;
	out->BytesTransferred = s->op == NDK_OP_RECEIVE ? bytes : 0; /* QP-28 */
	out->QPContext = qp->ctx;
	out->RequestContext = s->ctx;
	out->Type = type_of(s->op);
	return TRUE;
}

void ndk_ring_taken(struct ndk_ring *r)
{
	UINT64 t = r->tail;

	while (t != r->done && r->slot[t % r->depth].op == 0)
		t++;
	NDK_ASSERT(t != r->done);
	if (t != r->done)
		t++;
	while (t != r->done && r->slot[t % r->depth].op == 0)
		t++;
	__atomic_store_n(&r->tail, t, __ATOMIC_RELEASE);
}
