/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Connections whose passive ends share one receive queue. For the files of cases only; runs where a
 * case runs, may sleep.
 */
#ifndef CONF_SHARED_RECEIVE_H
#define CONF_SHARED_RECEIVE_H

#include "stages.h"

/* Bytes of a receive; receive number i lies i of them into the passive side's buffer. */
#define SRQ_PIECE 16u

struct srq_link {
	NDK_QP *near, *far;
	struct kit_conn *ca, *cb;
	struct kit_cq *cq; /* of far's receives, its own */
	PVOID context;	   /* QPContext of far */
};

#define SRQ_SKIP(s_, depth_) SKIP_UNLESS((s_).b->info->MaxSrqDepth >= (depth_), "the adapter has no SRQ of that depth")

/* s is at STAGE_IDLE; the link is up afterwards. */
static inline BOOLEAN srq_link(struct staged *s, struct srq_link *l, struct kit_srq *q)
{
	struct kit_call *connecting, *accepting;
	struct kit_shape shape;

	memset(l, 0, sizeof(*l));
	memset(&shape, 0, sizeof(shape));
	l->context = shape.context = kit_context();
	l->cq = kit_create_cq(s->b->adapter, 4 * KIT_DEPTH);
	if (!l->cq)
		return FALSE;
	l->far = kit_create_qp_on(s->b->pd, l->cq, s->b->cq, q->srq, &shape);
	l->near = kit_another_qp(s->a);
	l->ca = kit_create_connector(s->a->adapter);
	if (!l->far || !l->near || !l->ca)
		return FALSE;
	connecting = kit_begin_connect(l->ca, l->near, &s->from, &s->b->listener->at, (const struct kit_params *)0);
	l->cb = kit_arrival(s->b->listener);
	if (!l->cb)
		return FALSE;
	accepting = kit_begin_accept(l->cb, l->far, (const struct kit_params *)0, KIT_EVENT);
	return CHECK_STATUS(kit_wait(connecting), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_complete(l->ca), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_wait(accepting), STATUS_SUCCESS);
}

/* Ends it from the active side; both QPs are closed. */
static inline BOOLEAN srq_unlink(struct srq_link *l)
{
	return CHECK(KIT_CLOSED(l->ca->connector)) && CHECK(kit_disconnected(l->cb, KIT_PATIENCE_MS)) &&
	       CHECK(KIT_CLOSED(l->cb->connector)) && CHECK(KIT_CLOSED(l->near)) && CHECK(KIT_CLOSED(l->far));
}

/* Receives number first to first + count - 1, with these contexts if the case wants them. */
static inline BOOLEAN srq_post(struct staged *s, struct kit_srq *q, PVOID *context, unsigned first, unsigned count)
{
	unsigned i;

	for (i = first; i < first + count; i++) {
		PVOID own = kit_context();

		if (context)
			context[i] = own;
		if (!CHECK_STATUS(kit_srq_receive(q, own, s->b->buffer, i * SRQ_PIECE % KIT_BUFFER, SRQ_PIECE),
				  STATUS_SUCCESS))
			return FALSE;
	}
	return TRUE;
}

/* One message over that link, whose sender has seen it succeed. */
static inline BOOLEAN srq_send(struct staged *s, struct srq_link *l, UCHAR seed)
{
	PVOID sent = kit_context();

	kit_fill(s->a->buffer, 0, SRQ_PIECE, seed);
	return CHECK_STATUS(kit_send(l->near, sent, s->a->buffer, 0, SRQ_PIECE, 0), STATUS_SUCCESS) &&
	       kit_expect(s->a->cq, sent, STATUS_SUCCESS);
}

/* That many messages over the link, each taken. */
static inline BOOLEAN srq_use(struct staged *s, struct srq_link *l, unsigned count)
{
	NDK_RESULT_EX r;

	for (; count; count--)
		if (!srq_send(s, l, (UCHAR)count) || !kit_result(l->cq, &r) ||
		    !CHECK_STATUS(r.Status, STATUS_SUCCESS) || !CHECK(r.QPContext == l->context))
			return FALSE;
	return TRUE;
}

#endif
