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
	/* a request may have failed before a flush, and be reported after it */
	BOOLEAN matters = qp->state == NDK_QP_TIED || qp->state == NDK_QP_CONNECTED || qp->state == NDK_QP_FLUSHED;

	ndk_qp_step(qp, NDK_QP_EV_BREAK, fx);
	if (matters && qp->conn)
		ndk_connector_qp_event(qp->conn, NDK_CONN_EV_BROKEN, fx);
}

NDK_OPERATION_TYPE ndk_result_type(UCHAR op)
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
	struct ndk_slot *s = &r->slot[r->done_at];

	NDK_ASSERT(ndk_ring_busy(r) > 0);
	r->done++;
	r->done_at = ndk_ring_after(r, r->done_at);
	if ((s->flags & NDK_OP_FLAG_SILENT_SUCCESS) && status == STATUS_SUCCESS) {
		s->op = 0; /* free with the next one taken, or at once if nothing visible is before it */
		if (r->tail + 1 == r->done) {
			r->tail_at = r->done_at;
			__atomic_store_n(&r->tail, r->done, __ATOMIC_RELEASE);
		}
		return FALSE;
	}
	ndk_zero(out, sizeof(*out));
	out->Status = status;
	out->BytesTransferred = s->op == NDK_OP_RECEIVE ? bytes : 0; /* QP-28 */
	out->QPContext = qp->ctx;
	out->RequestContext = s->ctx;
	out->Type = ndk_result_type(s->op);
	return TRUE;
}

/* Silent ones that succeeded, up to the next visible one. */
static UINT64 skip_silent(struct ndk_ring *r, UINT64 t)
{
	while (t != r->done && r->slot[r->tail_at].op == 0) {
		r->tail_at = ndk_ring_after(r, r->tail_at);
		t++;
	}
	return t;
}

void ndk_ring_taken(struct ndk_ring *r)
{
	UINT64 t = skip_silent(r, r->tail);

	NDK_ASSERT(t != r->done);
	if (t != r->done) {
		r->tail_at = ndk_ring_after(r, r->tail_at);
		t++;
	}
	__atomic_store_n(&r->tail, skip_silent(r, t), __ATOMIC_RELEASE);
}
