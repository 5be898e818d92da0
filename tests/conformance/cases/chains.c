/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Requests of every kind in one queue: their order, silent ones, deferred ones, and all of them where
 * there is no connection any more. Runs where a case runs.
 */
#include "linked.h"

#define CHAINS_PAGE ((ULONG)NDK_PAGE_SIZE)
#define CHAINS_BOTH (NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE)

/* A connection with something for every operation. */
struct chains {
	struct kit_pair *p;
	struct linked l;
	struct kit_buffer *mine, *theirs;
	struct kit_fast *fast; /* of the active side */
	NDK_MW *mw;	       /* likewise, over `mine`; NULL where there are no windows */
};

static BOOLEAN chains_open(struct chains *c, ULONG depth)
{
	struct kit_shape shape;

	memset(c, 0, sizeof(*c));
	memset(&shape, 0, sizeof(shape));
	shape.receive_sge = shape.initiator_sge = 1;
	shape.initiator_depth = depth;
	c->p = kit_pair(NDK_V4);
	if (!c->p || !linked_shaped(&c->l, c->p, &shape))
		return FALSE;
	c->mine = kit_buffer_mr(c->p->a->pd, 4096,
				NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE |
					NDK_MR_FLAG_RDMA_READ_SINK);
	c->theirs = kit_exposed(c->p->b->pd, 4096);
	c->fast = kit_fast(c->p->a, CHAINS_PAGE, TRUE);
	if (c->p->a->info->MaxWindowSize) {
		c->mw = kit_create_mw(c->p->a->pd);
		if (!c->mw)
			return FALSE;
	}
	return c->mine && c->theirs && c->fast;
}

/* ---- one of each ---- */

enum chains_kind { CHAINS_WRITE, CHAINS_READ, CHAINS_OPEN, CHAINS_SEND, CHAINS_SHUT };

/* CHAINS_OPEN binds or registers, CHAINS_SHUT undoes it: with the window, or with the fast region. */
static NTSTATUS chains_post(struct chains *c, enum chains_kind kind, BOOLEAN window, PVOID context, ULONG flags)
{
	NDK_QP *qp = c->l.a.qp;

	switch (kind) {
	case CHAINS_WRITE:
		return kit_write(qp, context, c->mine, 0, 256, KIT_AT(c->theirs, 0), c->theirs->remote, flags);
	case CHAINS_READ:
		return kit_read(qp, context, c->mine, 512, 256, KIT_AT(c->theirs, 0), c->theirs->remote, flags);
	case CHAINS_OPEN:
		return window ? kit_bind(qp, context, c->mw, c->mine, 0, 512, CHAINS_BOTH | flags) :
				kit_fast_register(qp, context, c->fast, CHAINS_BOTH | flags);
	case CHAINS_SEND:
		return kit_send(qp, context, c->mine, 0, 64, flags);
	case CHAINS_SHUT:
		return window ? KIT_INVALIDATE(qp, context, c->mw, flags) :
				KIT_INVALIDATE(qp, context, c->fast->mr, flags);
	default:
		return STATUS_INVALID_PARAMETER;
	}
}

static NDK_OPERATION_TYPE chains_type(enum chains_kind kind, BOOLEAN window)
{
	switch (kind) {
	case CHAINS_WRITE:
		return NdkOperationTypeWrite;
	case CHAINS_READ:
		return NdkOperationTypeRead;
	case CHAINS_OPEN:
		return window ? NdkOperationTypeBind : NdkOperationTypeFastRegister;
	case CHAINS_SHUT:
		return NdkOperationTypeInvalidate;
	default:
		return NdkOperationTypeSend;
	}
}

#define CHAINS_LINKS 5u
#define CHAINS_MANY 10u

static const enum chains_kind chains_order[CHAINS_LINKS] = { CHAINS_WRITE, CHAINS_READ, CHAINS_OPEN, CHAINS_SEND,
							      CHAINS_SHUT };

/*
 * A device that works more slowly than we post has for a while no room for another registration: each takes one
 * of the few hardware regions that stand behind the fast one until it is over.
 */
static NTSTATUS chains_post_soon(struct chains *c, enum chains_kind kind, BOOLEAN window, PVOID context, ULONG flags)
{
	unsigned tries = kind == CHAINS_OPEN && conf_place() == NDK_ON_K ? KIT_PATIENCE_MS : 0;
	NTSTATUS status = chains_post(c, kind, window, context, flags);

	while (status == STATUS_NO_MORE_ENTRIES && tries--) {
		conf_sleep(1);
		status = chains_post(c, kind, window, context, flags);
	}
	return status;
}

/* All chains posted without looking at a result; then every result, and nothing behind them. */
static BOOLEAN chains_run(struct chains *c, BOOLEAN window, ULONG flags)
{
	PVOID context[CHAINS_MANY][CHAINS_LINKS];
	ULONG i, k;

	for (i = 0; i < CHAINS_MANY; i++)
		if (!CHECK_STATUS(kit_receive(c->l.b.qp, kit_context(), c->l.b.buffer, 0, 64), STATUS_SUCCESS))
			return FALSE;
	kit_fill(c->mine, 0, 256, 0x35);
	for (i = 0; i < CHAINS_MANY; i++)
		for (k = 0; k < CHAINS_LINKS; k++) {
			BOOLEAN last = i + 1 == CHAINS_MANY && k + 1 == CHAINS_LINKS;

			context[i][k] = kit_context();
			if (!CHECK_STATUS(chains_post_soon(c, chains_order[k], window, context[i][k],
							   last ? 0 : flags),
					  STATUS_SUCCESS))
				return FALSE;
		}
	for (i = 0; i < CHAINS_MANY; i++)
		for (k = 0; k < CHAINS_LINKS; k++)
			if (!kit_expect_type(c->l.a.cq, context[i][k], chains_type(chains_order[k], window)))
				return FALSE;
	return kit_take(c->l.b.cq, CHAINS_MANY) && kit_verify(c->theirs, 0, 256, 0x35) &&
	       kit_verify(c->mine, 512, 256, 0x35) && CHECK(linked_silent(&c->l));
}

NDK_CASE(chains_mixed, "ORD-1 POST-1 QP-1", NDK_ON_ALL,
	 "T-DP-10 write, read, bind or register, send, invalidate, ten times over: results in post order, by kind")
{
	struct chains c;

	REQUIRE(chains_open(&c, CHAINS_MANY * CHAINS_LINKS));
	REQUIRE(chains_run(&c, FALSE, 0));
	if (c.mw)
		REQUIRE(chains_run(&c, TRUE, 0));
}

NDK_CASE(chains_fenced, "QP-5 ORD-1", NDK_ON_ALL,
	 "the read fence is good for every kind of request, and changes neither results nor their order")
{
	struct chains c;

	REQUIRE(chains_open(&c, CHAINS_MANY * CHAINS_LINKS));
	REQUIRE(chains_run(&c, FALSE, NDK_OP_FLAG_READ_FENCE));
	if (c.mw)
		REQUIRE(chains_run(&c, TRUE, NDK_OP_FLAG_READ_FENCE));
}

NDK_CASE(chains_deferred, "DEFER-1 DEFER-2 DEFER-3 DEFER-6 ORD-1", NDK_ON_ALL,
	 "every kind of request deferred, behind them one that is not: all are carried out, in order")
{
	PVOID sent = kit_context(), written = kit_context(), received = kit_context();
	struct kit_fast *f;
	NDK_RESULT_EX r;
	struct chains c;

	REQUIRE(chains_open(&c, CHAINS_MANY * CHAINS_LINKS));
	REQUIRE(chains_run(&c, FALSE, NDK_OP_FLAG_DEFER));
	if (c.mw)
		REQUIRE(chains_run(&c, TRUE, NDK_OP_FLAG_DEFER));
	/* the one that is left */
	f = kit_fast(c.p->b, CHAINS_PAGE, TRUE);
	REQUIRE(f && kit_fast_register_now(&c.l.b, f, CHAINS_BOTH));
	REQUIRE_STATUS(kit_receive(c.l.b.qp, received, c.l.b.buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send_invalidate(c.l.a.qp, sent, c.mine, 0, 64, f->remote, NDK_OP_FLAG_DEFER),
		       STATUS_SUCCESS);
	REQUIRE_STATUS(chains_post(&c, CHAINS_WRITE, FALSE, written, 0), STATUS_SUCCESS);
	REQUIRE(kit_result(c.l.b.cq, &r));
	CHECK_EQ(r.Type, NdkOperationTypeReceiveAndInvalidate);
	REQUIRE(kit_expect_type(c.l.a.cq, sent, NdkOperationTypeSend));
	REQUIRE(kit_expect_type(c.l.a.cq, written, NdkOperationTypeWrite));
}

NDK_CASE(chains_deferred_refused, "DEFER-4 DEFER-3 QP-2", NDK_ON_ALL,
	 "deferred requests are on their way when a later one is refused, though none follows")
{
	PVOID context[3];
	struct chains c;
	NDK_SGE sgl[2];
	int i;

	for (i = 0; i < 3; i++)
		context[i] = kit_context();
	REQUIRE(chains_open(&c, 8));
	memset(sgl, 0, sizeof(sgl));
	kit_fill(c.mine, 0, 256, 0x35);
	/* too many SGEs, a flag that is unknown, a request for a state that is not there */
	REQUIRE_STATUS(chains_post(&c, CHAINS_OPEN, FALSE, context[0], NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
	REQUIRE_STATUS(chains_post(&c, CHAINS_WRITE, FALSE, context[1], NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
	CHECK_STATUS(c.l.a.qp->Dispatch->NdkSend(c.l.a.qp, kit_context(), sgl, 2, 0), STATUS_DATA_OVERRUN);
	REQUIRE(kit_expect_type(c.l.a.cq, context[0], NdkOperationTypeFastRegister));
	REQUIRE(kit_expect_type(c.l.a.cq, context[1], NdkOperationTypeWrite));
	CHECK(kit_verify(c.theirs, 0, 256, 0x35));
	REQUIRE_STATUS(chains_post(&c, CHAINS_READ, FALSE, context[0], NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
	CHECK_STATUS(chains_post(&c, CHAINS_WRITE, FALSE, kit_context(), 0x8000), STATUS_INVALID_PARAMETER);
	REQUIRE(kit_expect_type(c.l.a.cq, context[0], NdkOperationTypeRead));
	REQUIRE_STATUS(chains_post(&c, CHAINS_SHUT, FALSE, context[1], NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
	REQUIRE_STATUS(chains_post(&c, CHAINS_WRITE, FALSE, context[2], NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
	CHECK_STATUS(chains_post(&c, CHAINS_SHUT, FALSE, kit_context(), 0), STATUS_INVALID_DEVICE_REQUEST);
	REQUIRE(kit_expect_type(c.l.a.cq, context[1], NdkOperationTypeInvalidate));
	REQUIRE(kit_expect_type(c.l.a.cq, context[2], NdkOperationTypeWrite));
	CHECK(linked_silent(&c.l));
}

/* Deferred requests, and then the end of the connection in one of three ways: each gives its result. */
static void chains_deferred_end(int how)
{
	static const enum chains_kind kind[4] = { CHAINS_WRITE, CHAINS_OPEN, CHAINS_READ, CHAINS_SHUT };
	PVOID context[4];
	struct kit_call *leaving = (struct kit_call *)0;
	NTSTATUS status;
	NDK_RESULT_EX r;
	struct chains c;
	int i;

	REQUIRE(chains_open(&c, 8));
	for (i = 0; i < 4; i++) {
		context[i] = kit_context();
		REQUIRE_STATUS(chains_post(&c, kind[i], FALSE, context[i], NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
	}
	if (how == 0)
		c.l.a.qp->Dispatch->NdkFlush(c.l.a.qp);
	else if (how == 1)
		leaving = kit_begin_disconnect(c.l.a.conn);
	else
		REQUIRE(KIT_CLOSED(c.l.a.conn->connector));
	for (i = 0; i < 4; i++) {
		REQUIRE(kit_result(c.l.a.cq, &r));
		CHECK(r.RequestContext == context[i]);
		CHECK(r.Status == STATUS_CANCELLED || r.Status == STATUS_SUCCESS);
	}
	CHECK(linked_silent(&c.l));
	if (!leaving)
		return;
	REQUIRE(kit_disconnected(c.l.b.conn, KIT_PATIENCE_MS));
	status = kit_disconnect(c.l.b.conn);
	/* siw may have been answering the read when the socket went: then the end is an abort there (U-21) */
	CHECK(status == STATUS_SUCCESS || (kit_on_siw() && status == STATUS_CONNECTION_ABORTED));
	CHECK_STATUS(kit_wait(leaving), STATUS_SUCCESS);
}

NDK_CASE(chains_deferred_ends, "DEFER-7 DEFER-3 FLUSH-1 FLUSH-2 DISC-5", NDK_ON_ALL,
	 "requests that were deferred and never followed up end with a flush, a disconnect, the connector's close")
{
	int how;

	for (how = 0; how < 3 && !conf_failed(); how++) {
		conf_note("way %d", how);
		chains_deferred_end(how);
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

/* ---- silence ---- */

NDK_CASE(chains_silent, "QP-4 ORD-3 QP-1 FLUSH-5", NDK_ON_ALL,
	 "T-DP-11 silent requests between two others: unseen when they succeed; one that fails is seen, others with it")
{
	PVOID ends[2], silent = kit_context(), behind[2];
	NTSTATUS posted[2];
	struct kit_pair *p;
	NDK_RESULT_EX r;
	struct chains c;
	int i;

	ends[0] = kit_context();
	ends[1] = kit_context();
	behind[0] = kit_context();
	behind[1] = kit_context();
	REQUIRE(chains_open(&c, 16));
	p = c.p;
	kit_fill(c.mine, 0, 256, 0x35);
	REQUIRE_STATUS(kit_receive(c.l.b.qp, kit_context(), c.l.b.buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(chains_post(&c, CHAINS_WRITE, FALSE, ends[0], 0), STATUS_SUCCESS);
	for (i = 0; i < (int)CHAINS_LINKS; i++)
		REQUIRE_STATUS(chains_post(&c, chains_order[i], FALSE, kit_context(), NDK_OP_FLAG_SILENT_SUCCESS),
			       STATUS_SUCCESS);
	if (c.mw) {
		REQUIRE_STATUS(chains_post(&c, CHAINS_OPEN, TRUE, kit_context(), NDK_OP_FLAG_SILENT_SUCCESS),
			       STATUS_SUCCESS);
		REQUIRE_STATUS(chains_post(&c, CHAINS_SHUT, TRUE, kit_context(), NDK_OP_FLAG_SILENT_SUCCESS),
			       STATUS_SUCCESS);
	}
	REQUIRE_STATUS(chains_post(&c, CHAINS_WRITE, FALSE, ends[1], 0), STATUS_SUCCESS);
	for (i = 0; i < 2; i++)
		REQUIRE(kit_expect_type(c.l.a.cq, ends[i], NdkOperationTypeWrite));
	/* what was silent has been done all the same */
	CHECK(kit_verify(c.mine, 512, 256, 0x35));
	CHECK(kit_take(c.l.b.cq, 1));
	CHECK(linked_silent(&c.l));
	/* one that the peer refuses, behind one that succeeds and before two that are cancelled */
	REQUIRE_STATUS(chains_post(&c, CHAINS_WRITE, FALSE, kit_context(), NDK_OP_FLAG_SILENT_SUCCESS), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_write(c.l.a.qp, silent, c.mine, 0, 8, KIT_AT(c.theirs, 4092), c.theirs->remote,
				 NDK_OP_FLAG_SILENT_SUCCESS),
		       STATUS_SUCCESS);
	/* where time goes on, the failure may be known before these are posted */
	posted[0] = chains_post(&c, CHAINS_WRITE, FALSE, behind[0], NDK_OP_FLAG_SILENT_SUCCESS);
	posted[1] = chains_post(&c, CHAINS_WRITE, FALSE, behind[1], 0);
	if (!kit_on_siw()) { /* to which a write that is on its way has succeeded, and is not seen */
		REQUIRE(kit_result(c.l.a.cq, &r));
		CHECK(r.RequestContext == silent);
		CHECK(linked_is_refusal(r.Status));
	}
	for (i = 0; i < 2 && !kit_on_siw(); i++) {
		if (conf_place() != NDK_ON_S && posted[i] == STATUS_CONNECTION_INVALID)
			continue;
		REQUIRE_STATUS(posted[i], STATUS_SUCCESS);
		REQUIRE(kit_expect(c.l.a.cq, behind[i], STATUS_CANCELLED));
	}
	CHECK(kit_on_siw() ? kit_disconnected(c.l.a.conn, KIT_PATIENCE_MS) && kit_drain(c.l.a.cq) <= 4 :
			     linked_silent(&c.l));
	REQUIRE(linked_open(&c.l, p) && kit_send_recv_verify(&c.l.a, &c.l.b, 64));
}

/* ---- no connection ---- */

/* The connection is asked for first: whatever else is wrong, that is what the consumer hears. */
static BOOLEAN chains_invalid(struct chains *c)
{
	const NTSTATUS none = STATUS_CONNECTION_INVALID;
	NDK_QP *qp = c->l.a.qp;
	NDK_SGE sgl[4];
	ULONG k, flags;

	memset(sgl, 0xff, sizeof(sgl));
	for (flags = 0; flags <= NDK_OP_FLAG_DEFER; flags += NDK_OP_FLAG_DEFER)
		for (k = 0; k < CHAINS_LINKS; k++) {
			CHECK_STATUS(chains_post(c, chains_order[k], FALSE, kit_context(), flags), none);
			if (c->mw)
				CHECK_STATUS(chains_post(c, chains_order[k], TRUE, kit_context(), flags), none);
		}
	CHECK_STATUS(kit_send_invalidate(qp, kit_context(), c->mine, 0, 8, 1, 0), none);
	CHECK_STATUS(qp->Dispatch->NdkSend(qp, kit_context(), sgl, 4, 0x8000), none);
	CHECK_STATUS(qp->Dispatch->NdkSendAndInvalidate(qp, kit_context(), sgl, 4, 0x8000, 0), none);
	CHECK_STATUS(qp->Dispatch->NdkRead(qp, kit_context(), sgl, 4, 0, 0, 0x8000), none);
	CHECK_STATUS(qp->Dispatch->NdkWrite(qp, kit_context(), sgl, 4, 0, 0, 0x8000), none);
	CHECK_STATUS(qp->Dispatch->NdkFastRegister(qp, kit_context(), c->mine->mr, 0, (NDK_LOGICAL_ADDRESS *)0, 1, 0,
						   (PVOID)0, 0x8000),
		     none);
	CHECK_STATUS(KIT_INVALIDATE(qp, kit_context(), c->mine->mr, 0x8000), none);
	if (c->mw)
		CHECK_STATUS(qp->Dispatch->NdkBind(qp, kit_context(), c->fast->mr, c->mw, (PVOID)0, 0, 0x8000), none);
	return CHECK(linked_silent(&c->l));
}

NDK_CASE(chains_after_connection, "QP-2 QP-3 POST-1 U-25", NDK_ON_ALL,
	 "after a connection every initiator request is refused for that, whatever else is wrong with it")
{
	struct kit_call *leaving;
	struct chains c;

	REQUIRE(chains_open(&c, 8));
	leaving = kit_begin_disconnect(c.l.a.conn);
	REQUIRE(kit_disconnected(c.l.b.conn, KIT_PATIENCE_MS));
	REQUIRE_STATUS(kit_disconnect(c.l.b.conn), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_wait(leaving), STATUS_SUCCESS);
	REQUIRE(chains_invalid(&c));
}

CONF_CASES(chains, CASE(chains_mixed), CASE(chains_fenced), CASE(chains_deferred), CASE(chains_deferred_refused),
	   CASE(chains_deferred_ends), CASE(chains_silent), CASE(chains_after_connection));
