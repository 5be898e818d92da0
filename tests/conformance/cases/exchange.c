/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Regions that are handed to the peer and taken back: registered anew every turn, invalidated by their
 * owner, by the peer's message, or by the read that filled them. Runs where a case runs.
 */
#include "linked.h"

#define EXCHANGE_PAGE ((ULONG)NDK_PAGE_SIZE)
#define EXCHANGE_BOTH (NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE)

/* What one side tells the other of a region, as the bytes of a message. */
struct exchange_note {
	UINT64 at;
	UINT32 token, length;
};

/* In a message of its own, at the beginning of each side's buffer. The receive has been posted. */
static NTSTATUS exchange_tell(struct kit_side *from, PVOID context, const struct kit_fast *f, ULONG length, ULONG flags)
{
	struct exchange_note note;

	memset(&note, 0, sizeof(note));
	note.at = KIT_FAST_AT(f, 0);
	note.token = f->remote;
	note.length = length;
	memcpy(from->buffer->data, &note, sizeof(note));
	return kit_send(from->qp, context, from->buffer, 0, sizeof(note), flags);
}

static struct exchange_note exchange_told(const struct kit_side *to)
{
	struct exchange_note note;

	memcpy(&note, to->buffer->data, sizeof(note));
	return note;
}

/* ---- T-MM-18 ---- */

#define EXCHANGE_PAGES 4u
#define EXCHANGE_BYTES 64u
#define EXCHANGE_KEPT 8u

struct exchange {
	struct linked l;
	struct kit_fast *f;
	struct kit_buffer *mine;
	NDK_LOGICAL_ADDRESS page[EXCHANGE_PAGES];
	UINT32 former[EXCHANGE_KEPT];
	PVOID context[6];
};

/* The passive side registers another list of its pages and tells; four slots, just enough for it. */
static BOOLEAN exchange_offer(struct exchange *x, ULONG turn)
{
	NDK_QP *qp = x->l.b.qp;
	ULONG i;

	for (i = 0; i < EXCHANGE_PAGES; i++)
		x->page[i] = x->f->memory->lam->AdapterPageArray[(i + turn) % EXCHANGE_PAGES];
	if (turn && !CHECK_STATUS(KIT_INVALIDATE(qp, x->context[0], x->f->mr, NDK_OP_FLAG_DEFER), STATUS_SUCCESS))
		return FALSE;
	return CHECK_STATUS(kit_fast_register(qp, x->context[1], x->f, EXCHANGE_BOTH | NDK_OP_FLAG_DEFER),
			    STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_receive(x->l.a.qp, x->context[2], x->l.a.buffer, 0, 64), STATUS_SUCCESS) &&
	       CHECK_STATUS(exchange_tell(&x->l.b, x->context[3], x->f, EXCHANGE_BYTES, 0), STATUS_SUCCESS) &&
	       (!turn || kit_expect_type(x->l.b.cq, x->context[0], NdkOperationTypeInvalidate)) &&
	       kit_expect_type(x->l.b.cq, x->context[1], NdkOperationTypeFastRegister) &&
	       kit_expect_type(x->l.b.cq, x->context[3], NdkOperationTypeSend) &&
	       kit_expect_type(x->l.a.cq, x->context[2], NdkOperationTypeReceive);
}

/* The active side writes where it was told, and says so; the last page of the list is where it lands. */
static BOOLEAN exchange_use(struct exchange *x, ULONG turn)
{
	const ULONG last = EXCHANGE_PAGES - 1, there = (last + turn) % EXCHANGE_PAGES * EXCHANGE_PAGE;
	struct exchange_note note = exchange_told(&x->l.a);
	UCHAR seed = (UCHAR)(turn * 11 + 1);

	kit_fill(x->mine, 0, EXCHANGE_BYTES, seed);
	return CHECK_EQ(note.token, x->f->remote) &&
	       CHECK_STATUS(kit_receive(x->l.b.qp, x->context[4], x->l.b.buffer, 64, 8), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_write(x->l.a.qp, x->context[5], x->mine, 0, note.length,
				      note.at + last * EXCHANGE_PAGE, note.token, NDK_OP_FLAG_SILENT_SUCCESS),
			    STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_send(x->l.a.qp, x->context[5], x->l.a.buffer, 64, 8, 0), STATUS_SUCCESS) &&
	       kit_expect_type(x->l.b.cq, x->context[4], NdkOperationTypeReceive) &&
	       kit_verify(x->f->memory, there, EXCHANGE_BYTES, seed) &&
	       kit_expect_type(x->l.a.cq, x->context[5], NdkOperationTypeSend);
}

static ULONG exchange_turns(void)
{
	return conf_place() == NDK_ON_K ? 500 : 10000;
}

NDK_CASE(exchange_anew, "MR-16 QP-18 QP-22 DEFER-6 U-28", NDK_ON_ALL,
	 "T-MM-18 invalidated and registered over another page list 10 000 times (K: 500): right, former tokens refused")
{
	struct exchange *x = (struct exchange *)kit_alloc(sizeof(*x));
	ULONG turns = exchange_turns(), turn, i;
	struct kit_shape shape;
	struct kit_pair *p;

	memset(&shape, 0, sizeof(shape));
	shape.receive_depth = 2;
	shape.initiator_depth = 3;
	p = kit_pair(NDK_V4);
	REQUIRE(p && linked_shaped(&x->l, p, &shape) && linked_greet(&x->l));
	x->f = kit_fast(p->b, EXCHANGE_PAGES * EXCHANGE_PAGE, TRUE);
	x->mine = kit_sink(p->a->pd, EXCHANGE_BYTES);
	REQUIRE(x->f && x->mine);
	x->f->page = x->page;
	for (i = 0; i < 6; i++)
		x->context[i] = kit_context();
	for (turn = 0; turn < turns; turn++) {
		if (!exchange_offer(x, turn) || !exchange_use(x, turn)) {
			conf_note("in turn %u", turn);
			return;
		}
		if (turn % (turns / EXCHANGE_KEPT) == 0 && turn / (turns / EXCHANGE_KEPT) < EXCHANGE_KEPT)
			x->former[turn / (turns / EXCHANGE_KEPT)] = x->f->remote;
	}
	kit_fill(x->f->memory, 0, EXCHANGE_PAGE, 0x70);
	for (i = 0; i < EXCHANGE_KEPT; i++) {
		/* keys are counted in few bits on some devices, and so come again */
		if (x->former[i] == x->f->remote)
			continue;
		REQUIRE(linked_refused(p, LINKED_WRITE, 8, KIT_FAST_AT(x->f, 0), x->former[i]));
	}
	REQUIRE(kit_verify(x->f->memory, 0, EXCHANGE_PAGE, 0x70));
	/* the last one still stands */
	REQUIRE(kit_write_now(&x->l.a, x->mine, 0, 8, KIT_FAST_AT(x->f, 0), x->f->remote));
}

/* ---- invalidation by the peer ---- */

/* The passive side's region is taken back by the active side's message; then the message's result. */
static BOOLEAN exchange_take_back(struct linked *l, UINT32 token, ULONG length, NDK_RESULT_EX *r)
{
	PVOID sent = kit_context(), received = kit_context();

	kit_fill(l->a.buffer, 0, length, 0x1b);
	kit_fill(l->b.buffer, 0, length, 0x2c);
	if (!CHECK_STATUS(kit_receive(l->b.qp, received, l->b.buffer, 0, KIT_BUFFER), STATUS_SUCCESS) ||
	    !CHECK_STATUS(kit_send_invalidate(l->a.qp, sent, l->a.buffer, 0, length, token,
					      NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT),
			  STATUS_SUCCESS) ||
	    !kit_result(l->b.cq, r))
		return FALSE;
	return CHECK(r->RequestContext == received) && CHECK_STATUS(r->Status, STATUS_SUCCESS) &&
	       CHECK_EQ(r->BytesTransferred, length) && CHECK_EQ(r->Type, NdkOperationTypeReceiveAndInvalidate) &&
	       CHECK_EQ(r->TypeSpecificCompletionOutput, token) && kit_verify(l->b.buffer, 0, length, 0x1b) &&
	       kit_expect_type(l->a.cq, sent, NdkOperationTypeSend);
}

NDK_CASE(exchange_remote_end, "QP-23 QP-26 QP-27 CQ-18 QP-22 U-28", NDK_ON_ALL,
	 "T-DP-12 the peer's message ends a fast registration: the result says which, and the token is dead")
{
	struct kit_fast *f, *other;
	struct kit_buffer *mine;
	struct kit_pair *p;
	NDK_RESULT_EX r;
	struct linked l;
	UINT32 old;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	f = kit_fast(p->b, 2 * EXCHANGE_PAGE, TRUE);
	other = kit_fast(p->b, EXCHANGE_PAGE, TRUE);
	mine = kit_sink(p->a->pd, 64);
	REQUIRE(f && other && mine);
	REQUIRE(kit_fast_register_now(&l.b, f, EXCHANGE_BOTH) && kit_fast_register_now(&l.b, other, EXCHANGE_BOTH));
	REQUIRE(kit_write_now(&l.a, mine, 0, 64, KIT_FAST_AT(f, 0), f->remote));
	REQUIRE(exchange_take_back(&l, f->remote, 200, &r));
	CHECK_STATUS(KIT_INVALIDATE(l.b.qp, kit_context(), f->mr, 0), STATUS_INVALID_DEVICE_REQUEST);
	CHECK(linked_silent(&l));
	/* the other registration is not concerned; the MR is free for the next */
	REQUIRE(kit_write_now(&l.a, mine, 0, 64, KIT_FAST_AT(other, 0), other->remote));
	old = f->remote;
	REQUIRE(kit_fast_register_now(&l.b, f, EXCHANGE_BOTH));
	CHECK(f->remote != old);
	REQUIRE(kit_write_now(&l.a, mine, 0, 64, KIT_FAST_AT(f, 0), f->remote));
	REQUIRE(exchange_take_back(&l, f->remote, 0, &r));
	kit_fill(f->memory, 0, 64, 0x33);
	REQUIRE(linked_refuses(&l, LINKED_WRITE, 8, KIT_FAST_AT(f, 0), f->remote));
	REQUIRE(kit_verify(f->memory, 0, 64, 0x33));
}

NDK_CASE(exchange_remote_unbind, "QP-23 QP-27 MW-3 MR-10 U-36", NDK_ON_ALL,
	 "T-DP-12 the peer's message ends the binding of a window, and the region is free of it")
{
	struct kit_buffer *region, *mine;
	struct kit_pair *p;
	NDK_RESULT_EX r;
	struct linked l;
	UINT32 token;
	NDK_MW *mw;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	SKIP_UNLESS(p->b->info->MaxWindowSize, "the adapter has no memory windows");
	region = kit_buffer_mr(p->b->pd, 256, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	mine = kit_sink(p->a->pd, 64);
	mw = kit_create_mw(p->b->pd);
	REQUIRE(region && mine && mw);
	REQUIRE(kit_bind_now(&l.b, mw, region, 64, 128, EXCHANGE_BOTH));
	token = kit_window_token(mw);
	REQUIRE(kit_write_now(&l.a, mine, 0, 64, KIT_AT(region, 64), token));
	CHECK_STATUS(kit_deregister(region->mr), STATUS_DEVICE_BUSY);
	REQUIRE(exchange_take_back(&l, token, 16, &r));
	CHECK_STATUS(KIT_INVALIDATE(l.b.qp, kit_context(), mw, 0), STATUS_INVALID_DEVICE_REQUEST);
	CHECK_STATUS(kit_deregister(region->mr), STATUS_SUCCESS);
	REQUIRE(linked_refuses(&l, LINKED_WRITE, 8, KIT_AT(region, 64), token));
}

NDK_CASE(exchange_plain_result, "CQ-17 CQ-18 QP-23", NDK_ON_ALL,
	 "the result taken by the plain call: a receive that says nothing of it, and the token is dead all the same")
{
	PVOID sent = kit_context(), received = kit_context();
	struct kit_fast *f;
	struct kit_pair *p;
	struct linked l;
	NDK_RESULT r;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	f = kit_fast(p->b, EXCHANGE_PAGE, TRUE);
	REQUIRE(f && kit_fast_register_now(&l.b, f, EXCHANGE_BOTH));
	REQUIRE_STATUS(kit_receive(l.b.qp, received, l.b.buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send_invalidate(l.a.qp, sent, l.a.buffer, 0, 40, f->remote, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect_type(l.a.cq, sent, NdkOperationTypeSend));
	REQUIRE(kit_result_plain(l.b.cq, &r));
	CHECK(r.RequestContext == received);
	CHECK_STATUS(r.Status, STATUS_SUCCESS);
	CHECK_EQ(r.BytesTransferred, 40);
	CHECK_STATUS(KIT_INVALIDATE(l.b.qp, kit_context(), f->mr, 0), STATUS_INVALID_DEVICE_REQUEST);
	REQUIRE(linked_refuses(&l, LINKED_READ, 8, KIT_FAST_AT(f, 0), f->remote));
}

/* The sender may learn it or not: some transports acknowledge a message before they look into it. */
NDK_CASE(exchange_invented, "QP-24 U-28", NDK_ON_ALL,
	 "T-DP-13 a message that invalidates what never was ends the connection, and is no success for its receiver")
{
	/* devices of the kernel cannot tell an ordinary region from a fast one */
	const unsigned tries = conf_place() == NDK_ON_K ? 1 : 2;
	struct kit_buffer *ordinary;
	struct kit_pair *p;
	struct linked l;
	NDK_RESULT_EX r;
	unsigned i;

	p = kit_pair(NDK_V4);
	REQUIRE(p != (struct kit_pair *)0);
	/* a token that nobody holds; then one of a region that is not to be invalidated (QP-22) */
	ordinary = kit_exposed(p->b->pd, 64);
	REQUIRE(ordinary != (struct kit_buffer *)0);
	for (i = 0; i < tries; i++) {
		UINT32 token = i ? ordinary->remote : ordinary->remote ^ 0x00a5a500u;
		PVOID sent = kit_context(), received = kit_context();

		REQUIRE(linked_open(&l, p));
		REQUIRE_STATUS(kit_receive(l.b.qp, received, l.b.buffer, 0, 64), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_send_invalidate(l.a.qp, sent, l.a.buffer, 0, 8, token, 0), STATUS_SUCCESS);
		/* first the result: a device may tell of the failure in no other way */
		REQUIRE(kit_result(l.b.cq, &r));
		CHECK(r.RequestContext == received);
		CHECK(r.Status != STATUS_SUCCESS);
		CHECK(r.Type != NdkOperationTypeReceiveAndInvalidate);
		REQUIRE(kit_disconnected(l.b.conn, KIT_PATIENCE_MS));
		REQUIRE(kit_disconnected(l.a.conn, KIT_PATIENCE_MS));
		REQUIRE(KIT_CLOSED(l.a.conn->connector));
		REQUIRE(kit_result(l.a.cq, &r));
		CHECK(r.RequestContext == sent);
		REQUIRE(linked_open(&l, p) && linked_close(&l));
	}
}

NDK_CASE(exchange_read_end, "QP-12 QP-14 QP-22", NDK_ON_ALL,
	 "a read that is to invalidate its sink does so where the adapter says it can, else it is just a read")
{
	PVOID read = kit_context();
	struct kit_buffer *source;
	struct kit_fast *f;
	struct kit_pair *p;
	BOOLEAN able;
	struct linked l;
	NDK_SGE sge;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	able = (p->a->info->AdapterFlags & NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED) != 0;
	f = kit_fast(p->a, EXCHANGE_PAGE, FALSE);
	source = kit_exposed(p->b->pd, 512);
	REQUIRE(f && source);
	kit_fill(source, 0, 512, 0x5e);
	REQUIRE(kit_fast_register_now(&l.a, f, NDK_OP_FLAG_ALLOW_LOCAL_WRITE | NDK_OP_FLAG_RDMA_READ_SINK));
	sge = kit_fast_sge(f, 0, 512);
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkRead(l.a.qp, read, &sge, 1, KIT_AT(source, 0), source->remote,
						 NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE),
		       STATUS_SUCCESS);
	REQUIRE(kit_expect_type(l.a.cq, read, NdkOperationTypeRead));
	REQUIRE(kit_verify(f->memory, 0, 512, 0x5e));
	if (able)
		CHECK_STATUS(KIT_INVALIDATE(l.a.qp, kit_context(), f->mr, 0), STATUS_INVALID_DEVICE_REQUEST);
	else
		REQUIRE(KIT_INVALIDATE_NOW(&l.a, f->mr));
	/* either way it is free now */
	REQUIRE(kit_fast_register_now(&l.a, f, NDK_OP_FLAG_ALLOW_LOCAL_WRITE | NDK_OP_FLAG_RDMA_READ_SINK));
	sge = kit_fast_sge(f, 0, 512);
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkRead(l.a.qp, read, &sge, 1, KIT_AT(source, 0), source->remote, 0),
		       STATUS_SUCCESS);
	REQUIRE(kit_expect_type(l.a.cq, read, NdkOperationTypeRead));
}

/* ---- there and back ---- */

struct exchange_echo {
	struct linked l;
	struct kit_fast *source, *sink; /* the active side's, lent turn by turn */
	struct kit_buffer *store;	/* where the passive side keeps what it read */
};

/* The active side lends a region; the passive side hears of it. */
static BOOLEAN exchange_lend(struct exchange_echo *e, struct kit_fast *f, ULONG length, ULONG flags,
			     struct exchange_note *note)
{
	PVOID sent = kit_context(), received = kit_context();

	f->length = length;
	if (!kit_fast_register_now(&e->l.a, f, flags) ||
	    !CHECK_STATUS(kit_receive(e->l.b.qp, received, e->l.b.buffer, 0, 64), STATUS_SUCCESS) ||
	    !CHECK_STATUS(exchange_tell(&e->l.a, sent, f, length, 0), STATUS_SUCCESS) ||
	    !kit_expect(e->l.b.cq, received, STATUS_SUCCESS) || !kit_expect(e->l.a.cq, sent, STATUS_SUCCESS))
		return FALSE;
	*note = exchange_told(&e->l.b);
	return CHECK_EQ(note->length, length);
}

/* The passive side gives it back: with the message that says so, or the owner ends it by itself. */
static BOOLEAN exchange_return(struct exchange_echo *e, struct kit_fast *f, UINT32 token, BOOLEAN with_message)
{
	PVOID sent = kit_context(), received = kit_context();
	NDK_RESULT_EX r;
	NTSTATUS posted;

	if (!CHECK_STATUS(kit_receive(e->l.a.qp, received, e->l.a.buffer, 64, 8), STATUS_SUCCESS))
		return FALSE;
	posted = with_message ? kit_send_invalidate(e->l.b.qp, sent, e->l.b.buffer, 64, 8, token, 0) :
				kit_send(e->l.b.qp, sent, e->l.b.buffer, 64, 8, 0);
	if (!CHECK_STATUS(posted, STATUS_SUCCESS) || !kit_result(e->l.a.cq, &r) ||
	    !CHECK_STATUS(r.Status, STATUS_SUCCESS) || !kit_expect(e->l.b.cq, sent, STATUS_SUCCESS))
		return FALSE;
	CHECK_EQ(r.Type, with_message ? NdkOperationTypeReceiveAndInvalidate : NdkOperationTypeReceive);
	return with_message || KIT_INVALIDATE_NOW(&e->l.a, f->mr);
}

/* One turn: the passive side reads the source, and writes what it has into the sink. */
static BOOLEAN exchange_turn(struct exchange_echo *e, ULONG length, BOOLEAN with_message)
{
	struct exchange_note note;
	UCHAR seed = (UCHAR)(length * 7 + 3);

	kit_fill(e->source->memory, 0, length, seed);
	kit_fill(e->sink->memory, 0, length, (UCHAR)(seed + 1));
	return exchange_lend(e, e->source, length, NDK_OP_FLAG_ALLOW_REMOTE_READ, &note) &&
	       kit_read_now(&e->l.b, e->store, 0, length, note.at, note.token) &&
	       exchange_return(e, e->source, note.token, with_message) &&
	       exchange_lend(e, e->sink, length, NDK_OP_FLAG_ALLOW_REMOTE_WRITE, &note) &&
	       kit_write_now(&e->l.b, e->store, 0, length, note.at, note.token) &&
	       exchange_return(e, e->sink, note.token, with_message) && kit_verify(e->sink->memory, 0, length, seed);
}

NDK_CASE(exchange_echo, "QP-11 QP-22 QP-23 QP-27 MR-16 PD-2", NDK_ON_ALL,
	 "lent to be read, returned, lent to be written, returned, at random sizes: what was read comes back as it was")
{
	const ULONG most = 16 * EXCHANGE_PAGE, turns = conf_place() == NDK_ON_S ? 200 : 25;
	struct exchange_echo e;
	struct kit_pair *p;
	int with_message;
	ULONG i;

	p = linked_first(&e.l);
	REQUIRE(p != (struct kit_pair *)0);
	e.source = kit_fast(p->a, most, TRUE);
	e.sink = kit_fast(p->a, most, TRUE);
	e.store = kit_sink(p->b->pd, most);
	REQUIRE(e.source && e.sink && e.store);
	for (with_message = 0; with_message < 2; with_message++)
		for (i = 0; i < turns; i++)
			REQUIRE(exchange_turn(&e, 1 + (ULONG)(conf_random() % most), (BOOLEAN)with_message));
}

CONF_CASES(exchange, CASE(exchange_anew), CASE(exchange_remote_end), CASE(exchange_remote_unbind),
	   CASE(exchange_plain_result), CASE(exchange_invented), CASE(exchange_read_end), CASE(exchange_echo));
