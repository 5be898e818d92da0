/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Any number of connections between the two sides of a pair, each with queue pairs and completion
 * queues of its own and with all the reads that the adapters allow: for cases about memory, where
 * every refusal costs a connection.
 *
 * For the files of cases only; runs where a case runs, may sleep.
 */
#ifndef CONF_LINKED_H
#define CONF_LINKED_H

#include "../kit.h"

struct linked {
	struct kit_side a, b; /* PD, adapter and buffer are those of the pair */
	struct kit_pair ends; /* of the two above */
};

/* Reads as many as possible, no data. */
static inline struct kit_params linked_reads(void)
{
	struct kit_params p;

	memset(&p, 0, sizeof(p));
	p.in_limit = p.out_limit = 0xffffffffu;
	return p;
}

/* CQs for `depth` requests on each queue of shape. */
static inline BOOLEAN linked_queues(struct kit_side *s, const struct kit_shape *shape)
{
	ULONG receives = shape->receive_depth ? shape->receive_depth : KIT_DEPTH;
	ULONG initiated = shape->initiator_depth ? shape->initiator_depth : KIT_DEPTH;

	s->cq = kit_create_cq(s->adapter, receives + initiated + 1);
	s->qp = s->cq ? kit_create_qp(s->pd, s->cq, s->cq, shape) : (NDK_QP *)0;
	return s->qp != (NDK_QP *)0;
}

/* Queue pairs and connectors, not yet connected. */
static inline BOOLEAN linked_prepare(struct linked *l, const struct kit_pair *p, const struct kit_shape *shape)
{
	struct kit_shape usual;

	memset(&usual, 0, sizeof(usual));
	usual.receive_sge = usual.initiator_sge = 1;
	l->a = *p->a;
	l->b = *p->b;
	l->ends.a = &l->a;
	l->ends.b = &l->b;
	l->a.conn = kit_create_connector(l->a.adapter);
	if (!shape)
		shape = &usual;
	return l->a.conn && linked_queues(&l->a, shape) && linked_queues(&l->b, shape);
}

/* shape NULL: KIT_DEPTH requests of one SGE. FALSE: it failed, and the case has. */
static inline BOOLEAN linked_shaped(struct linked *l, const struct kit_pair *p, const struct kit_shape *shape)
{
	struct kit_params reads = linked_reads();

	return linked_prepare(l, p, shape) && kit_establish(&l->ends, &reads, &reads);
}

static inline BOOLEAN linked_open(struct linked *l, const struct kit_pair *p)
{
	return linked_shaped(l, p, (const struct kit_shape *)0);
}

/* A pair of any two adapters, as kit_pair() makes one of 0 and 1. */
static inline struct kit_pair *linked_pair(unsigned active, unsigned passive)
{
	struct kit_pair *p = (struct kit_pair *)kit_alloc(sizeof(*p)), *none = (struct kit_pair *)0;
	struct kit_address at = kit_address(passive, NDK_V4, kit_fresh_port());

	p->a = kit_side(active);
	p->b = kit_side(passive);
	if (!p->a || !p->b)
		return none;
	p->b->listener = kit_create_listener(p->b->adapter);
	return p->b->listener && CHECK_STATUS(kit_listen(p->b->listener, &at), STATUS_SUCCESS) ? p : none;
}

/* A pair, and the first connection between its sides. */
static inline struct kit_pair *linked_first(struct linked *l)
{
	struct kit_pair *p = kit_pair(NDK_V4);

	return p && linked_open(l, p) ? p : (struct kit_pair *)0;
}

/* After it the passive side may begin something too (POST-7). */
static inline BOOLEAN linked_greet(struct linked *l)
{
	return kit_send_recv_verify(&l->a, &l->b, 8);
}

/* Everything of its own, whatever it has come to. */
static inline BOOLEAN linked_close(struct linked *l)
{
	return CHECK(KIT_CLOSED(l->a.conn->connector)) && CHECK(KIT_CLOSED(l->b.conn->connector)) &&
	       CHECK(KIT_CLOSED(l->a.qp)) && CHECK(KIT_CLOSED(l->b.qp)) && CHECK(KIT_CLOSED(l->a.cq->cq)) &&
	       CHECK(KIT_CLOSED(l->b.cq->cq));
}

/* How a request ends that the peer's memory refuses. Some devices end the connection and say no more (U-28). */
static inline BOOLEAN linked_is_refusal(NTSTATUS status)
{
	if (conf_iwarp() && conf_place() == NDK_ON_K && status == STATUS_CANCELLED)
		return TRUE;
	return CHECK_STATUS(status, STATUS_ACCESS_VIOLATION);
}

enum linked_access { LINKED_READ, LINKED_WRITE };

/* siw answers every read of a valid token within its bounds, whatever its rights are. */
static inline BOOLEAN linked_checks_reading(void)
{
	return !kit_on_siw();
}

/*
 * The active side's access ends in a refusal, the connection with it, and so does what the passive
 * side waits for. Closes the link.
 */
static inline BOOLEAN linked_refuses(struct linked *l, enum linked_access access, ULONG length, UINT64 at, UINT32 token)
{
	struct kit_buffer *mine = kit_sink(l->a.pd, length);
	PVOID asked = kit_context(), waiting = kit_context();
	NTSTATUS posted;
	NDK_RESULT_EX r;
	BOOLEAN late;

	if (!mine || !CHECK_STATUS(kit_receive(l->b.qp, waiting, l->b.buffer, 0, 16), STATUS_SUCCESS))
		return FALSE;
	posted = access == LINKED_READ ? kit_read(l->a.qp, asked, mine, 0, length, at, token, 0) :
					 kit_write(l->a.qp, asked, mine, 0, length, at, token, 0);
	if (!CHECK_STATUS(posted, STATUS_SUCCESS) || !kit_result(l->a.cq, &r) || !CHECK(r.RequestContext == asked))
		return FALSE;
	/* over real iWARP a write is done when it is on its way, and its refusal is the end of the connection */
	late = access == LINKED_WRITE && conf_iwarp() && conf_place() == NDK_ON_K && r.Status == STATUS_SUCCESS;
	if (!late && !linked_is_refusal(r.Status))
		return FALSE;
	if (!CHECK(kit_disconnected(l->a.conn, KIT_PATIENCE_MS)) ||
	    !CHECK(kit_disconnected(l->b.conn, KIT_PATIENCE_MS)))
		return FALSE;
	if (r.Status == STATUS_ACCESS_VIOLATION) /* else nothing of its own has failed, and what it posts is flushed */
		CHECK_STATUS(kit_write(l->a.qp, kit_context(), mine, 0, length, at, token, 0),
			     STATUS_CONNECTION_INVALID);
	if (!CHECK(KIT_CLOSED(l->b.conn->connector)) || !kit_expect(l->b.cq, waiting, STATUS_CANCELLED))
		return FALSE;
	kit_release(mine);
	return CHECK(KIT_CLOSED(l->a.conn->connector)) && CHECK(KIT_CLOSED(l->a.qp)) && CHECK(KIT_CLOSED(l->b.qp)) &&
	       CHECK(KIT_CLOSED(l->a.cq->cq)) && CHECK(KIT_CLOSED(l->b.cq->cq));
}

/* The same over a connection made for it. */
static inline BOOLEAN linked_refused(const struct kit_pair *p, enum linked_access access, ULONG length, UINT64 at,
				     UINT32 token)
{
	struct linked l;

	return linked_open(&l, p) && linked_refuses(&l, access, length, at, token);
}

/* The refusal of a post, its only trace: no result follows (QP-2). */
static inline BOOLEAN linked_silent(struct linked *l)
{
	NDK_RESULT_EX r;

	conf_settle();
	return CHECK_EQ(kit_poll(l->a.cq, &r, 1), 0) & CHECK_EQ(kit_poll(l->b.cq, &r, 1), 0);
}

#endif
