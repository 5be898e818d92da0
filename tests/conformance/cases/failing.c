/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Requests that fail for want of memory leave everything as it was and can be made again; and reads under
 * way when what they need goes away. The fabric alone can do the latter at a chosen moment, and says which
 * allocation of a request comes first. May sleep.
 */
#include "linked.h"
#include "fabric.h"

/* The next allocation of adapter 1 fails, and no other. */
static BOOLEAN failing_next(void)
{
	return CHECK_EQ(ndk_control_fail_alloc(conf_adapter_name(1), 1, 0), 0);
}

/* ---- requests ---- */
/* A message from a to b, whose result stays with b. */
static BOOLEAN failing_message(struct linked *l, PVOID received)
{
	PVOID sent = kit_context();

	return CHECK_STATUS(kit_receive(l->b.qp, received, l->b.buffer, 0, 8), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_send(l->a.qp, sent, l->a.buffer, 0, 8, 0), STATUS_SUCCESS) &&
	       kit_expect(l->a.cq, sent, STATUS_SUCCESS);
}

NDK_CASE(failing_resize, "CQ-20 REQ-2 REQ-12 ORD-1", NDK_ON_FABRIC,
	 "a CQ that cannot be resized keeps its results and its arm, and is resized at the second try")
{
	PVOID first = kit_context(), second = kit_context();
	struct linked l;

	KIT_EACH_ANSWER(mode) {
		REQUIRE(linked_first(&l) != (struct kit_pair *)0);
		REQUIRE(failing_message(&l, first));
		REQUIRE(failing_next());
		CHECK_STATUS(kit_resize(l.b.cq, 256), STATUS_INSUFFICIENT_RESOURCES);
		REQUIRE(kit_expect(l.b.cq, first, STATUS_SUCCESS));
		kit_arm(l.b.cq, NDK_CQ_NOTIFY_ANY);
		REQUIRE(failing_next());
		CHECK_STATUS(kit_resize(l.b.cq, 256), STATUS_INSUFFICIENT_RESOURCES);
		REQUIRE(failing_message(&l, second));
		CHECK(kit_notified(l.b.cq, KIT_PATIENCE_MS));
		CHECK_STATUS(kit_resize(l.b.cq, 256), STATUS_SUCCESS);
		REQUIRE(kit_expect(l.b.cq, second, STATUS_SUCCESS));
	}
}

NDK_CASE(failing_modify, "SRQ-2 SRQ-3 REQ-2 REQ-12", NDK_ON_FABRIC,
	 "an SRQ that cannot be made deeper has its depth and its receives, and becomes deeper at the second try")
{
	struct kit_side *s;
	struct kit_srq *q;
	ULONG i;

	KIT_EACH_ANSWER(mode) {
		s = kit_side(1);
		REQUIRE(s != (struct kit_side *)0);
		q = kit_create_srq(s->pd, 4, 1, 0);
		REQUIRE(q != (struct kit_srq *)0);
		for (i = 0; i < 3; i++)
			REQUIRE_STATUS(kit_srq_receive(q, kit_context(), s->buffer, 0, 8), STATUS_SUCCESS);
		REQUIRE(failing_next());
		CHECK_STATUS(kit_modify(q, 64, 2), STATUS_INSUFFICIENT_RESOURCES);
		REQUIRE_STATUS(kit_srq_receive(q, kit_context(), s->buffer, 0, 8), STATUS_SUCCESS);
		CHECK_STATUS(kit_srq_receive(q, kit_context(), s->buffer, 0, 8), STATUS_NO_MORE_ENTRIES);
		CHECK_STATUS(kit_modify(q, 64, 2), STATUS_SUCCESS);
		CHECK_STATUS(kit_srq_receive(q, kit_context(), s->buffer, 0, 8), STATUS_SUCCESS);
	}
}

NDK_CASE(failing_register, "MR-2 MR-10 REQ-2 REQ-12", NDK_ON_FABRIC,
	 "memory that cannot be registered is not, and at the second try it is, for the peer as well")
{
	struct kit_buffer *mine, *theirs;
	struct linked l;
	NDK_MR *mr;

	KIT_EACH_ANSWER(mode) {
		REQUIRE(linked_first(&l) != (struct kit_pair *)0);
		mine = kit_sink(l.a.pd, 64);
		theirs = kit_plain(64);
		mr = kit_create_mr(l.b.pd, FALSE);
		REQUIRE(mine && theirs && mr);
		REQUIRE(failing_next());
		CHECK_STATUS(kit_register(mr, theirs->mdl, 64, NDK_MR_FLAG_ALLOW_REMOTE_READ),
			     STATUS_INSUFFICIENT_RESOURCES);
		CHECK_STATUS(kit_deregister(mr), STATUS_INVALID_DEVICE_REQUEST);
		REQUIRE_STATUS(kit_register(mr, theirs->mdl, 64, NDK_MR_FLAG_ALLOW_REMOTE_READ), STATUS_SUCCESS);
		kit_fill(theirs, 0, 64, 7);
		REQUIRE(kit_read_now(&l.a, mine, 0, 64, KIT_AT(theirs, 0), mr->Dispatch->NdkGetRemoteTokenFromMr(mr)));
		CHECK(kit_verify(mine, 0, 64, 7));
		/* the memory goes before the case does */
		CHECK_STATUS(kit_deregister(mr), STATUS_SUCCESS);
	}
}

NDK_CASE(failing_initialize, "MR-11 MR-14 REQ-12", NDK_ON_FABRIC,
	 "a region that cannot be initialised anew can still be registered for as many pages as before")
{
	struct kit_fast *f;
	struct linked l;
	unsigned nth;

	KIT_EACH_ANSWER(mode) {
		REQUIRE(linked_first(&l) && linked_greet(&l));
		f = kit_fast(&l.b, NDK_PAGE_SIZE, TRUE);
		REQUIRE(f != (struct kit_fast *)0);
		for (nth = 1; nth <= 2; nth++) {
			REQUIRE(!ndk_control_fail_alloc(conf_adapter_name(1), (long)nth, 0));
			CHECK_STATUS(kit_initialize(f->mr, 8, TRUE), STATUS_INSUFFICIENT_RESOURCES);
		}
		REQUIRE(kit_fast_register_now(&l.b, f, NDK_OP_FLAG_ALLOW_REMOTE_READ));
		CHECK(KIT_INVALIDATE_NOW(&l.b, f->mr));
		CHECK_STATUS(kit_initialize(f->mr, 8, TRUE), STATUS_SUCCESS);
	}
}

/* Two registrations of a region have room ready for their pages; the third of one chain needs more. */
NDK_CASE(failing_chain, "QP-2 U-27", NDK_ON_S,
	 "a fast registration that finds no memory to wait in is refused, and what was posted before it is done")
{
	PVOID done[4];
	struct kit_fast *f;
	struct linked l;
	unsigned i;

	REQUIRE(linked_first(&l) && linked_greet(&l));
	f = kit_fast(&l.b, NDK_PAGE_SIZE, TRUE);
	REQUIRE(f != (struct kit_fast *)0);
	for (i = 0; i < 4; i++) {
		done[i] = kit_context();
		REQUIRE_STATUS(i % 2 ? KIT_INVALIDATE(l.b.qp, done[i], f->mr, 0) :
				       kit_fast_register(l.b.qp, done[i], f, NDK_OP_FLAG_ALLOW_REMOTE_READ),
			       STATUS_SUCCESS);
	}
	REQUIRE(failing_next());
	CHECK_STATUS(kit_fast_register(l.b.qp, kit_context(), f, NDK_OP_FLAG_ALLOW_REMOTE_READ),
		     STATUS_INSUFFICIENT_RESOURCES);
	for (i = 0; i < 4; i++)
		REQUIRE(kit_expect(l.b.cq, done[i], STATUS_SUCCESS));
	CHECK(kit_fast_register_now(&l.b, f, NDK_OP_FLAG_ALLOW_REMOTE_READ));
}

/* ---- reads under way ---- */
#define FAILING_READS 3u
#define FAILING_BYTES 64u

struct failing_reads {
	struct linked l;
	struct kit_buffer *mine, *theirs;
	PVOID asked[FAILING_READS];
};

/* Some reads are at the peer, and their answers are a second away. */
static BOOLEAN failing_begin(struct failing_reads *r)
{
	unsigned i;

	if (!CHECK(fabric_read_delay(1000)) || !linked_first(&r->l))
		return FALSE;
	r->mine = kit_sink(r->l.a.pd, FAILING_READS * FAILING_BYTES);
	r->theirs = kit_exposed(r->l.b.pd, FAILING_READS * FAILING_BYTES);
	if (!r->mine || !r->theirs)
		return FALSE;
	kit_fill(r->mine, 0, FAILING_READS * FAILING_BYTES, 1);
	kit_fill(r->theirs, 0, FAILING_READS * FAILING_BYTES, 200);
	for (i = 0; i < FAILING_READS; i++) {
		r->asked[i] = kit_context();
		if (!CHECK_STATUS(kit_read(r->l.a.qp, r->asked[i], r->mine, i * FAILING_BYTES, FAILING_BYTES,
					   KIT_AT(r->theirs, i * FAILING_BYTES), r->theirs->remote, 0),
				  STATUS_SUCCESS))
			return FALSE;
	}
	conf_sleep(10);
	return CHECK_EQ(fabric_most_reads(), FAILING_READS);
}

/* The first of them ended so, those behind it were cancelled, and no byte came. */
static BOOLEAN failing_end(struct failing_reads *r, NTSTATUS first)
{
	unsigned i;

	for (i = 0; i < FAILING_READS; i++)
		if (!kit_expect(r->l.a.cq, r->asked[i], i ? STATUS_CANCELLED : first))
			return FALSE;
	return kit_verify(r->mine, 0, FAILING_READS * FAILING_BYTES, 1);
}

NDK_CASE(failing_read_of_nothing, "QP-11 MR-10 U-28", NDK_ON_S,
	 "memory deregistered while reads of it are under way: they are refused, and its bytes stay at home")
{
	struct failing_reads r;

	REQUIRE(failing_begin(&r));
	REQUIRE_STATUS(kit_deregister(r.theirs->mr), STATUS_SUCCESS);
	REQUIRE(failing_end(&r, STATUS_ACCESS_VIOLATION));
	CHECK(kit_disconnected(r.l.a.conn, KIT_PATIENCE_MS));
	CHECK(kit_disconnected(r.l.b.conn, KIT_PATIENCE_MS));
}

NDK_CASE(failing_read_into_nothing, "QP-11 MR-10 U-28", NDK_ON_S,
	 "the sink deregistered while reads into it are under way: nothing is written there any more")
{
	struct failing_reads r;

	REQUIRE(failing_begin(&r));
	REQUIRE_STATUS(kit_deregister(r.mine->mr), STATUS_SUCCESS);
	REQUIRE(failing_end(&r, STATUS_ACCESS_VIOLATION));
}

NDK_CASE(failing_read_of_nobody, "CLOSE-1 DISC-7 U-28", NDK_ON_S,
	 "the peer closes connector and QP while reads from it are under way: all of them are cancelled")
{
	struct failing_reads r;

	REQUIRE(failing_begin(&r));
	CHECK(KIT_CLOSED(r.l.b.conn->connector));
	CHECK(KIT_CLOSED(r.l.b.qp));
	REQUIRE(CHECK(kit_disconnected(r.l.a.conn, KIT_PATIENCE_MS)));
	REQUIRE_STATUS(kit_disconnect(r.l.a.conn), STATUS_SUCCESS);
	CHECK(failing_end(&r, STATUS_CANCELLED));
}

NDK_CASE(failing_read_interrupted, "QP-11 U-28", NDK_ON_S,
	 "the link is cut while reads are under way: back soon enough nobody notices, else they time out")
{
	struct failing_reads r;
	unsigned i;

	REQUIRE(failing_begin(&r));
	REQUIRE(conf_partition(TRUE));
	conf_sleep(1030);
	REQUIRE(conf_partition(FALSE));
	for (i = 0; i < FAILING_READS; i++)
		REQUIRE(kit_expect(r.l.a.cq, r.asked[i], STATUS_SUCCESS));
	CHECK(kit_verify(r.mine, 0, FAILING_READS * FAILING_BYTES, 200));
	kit_close_all(KIT_CHILDREN_FIRST);

	REQUIRE(failing_begin(&r));
	REQUIRE(conf_partition(TRUE));
	CHECK(failing_end(&r, STATUS_IO_TIMEOUT));
	REQUIRE(conf_partition(FALSE));
}

/* ---- the fabric's own interface ---- */
#ifndef __KERNEL__
NDK_CASE(failing_orders, "", NDK_ON_FABRIC, "the fabric refuses delays that would overflow, and what it does not know")
{
	const UINT64 most = (UINT64)1 << 40;

	CHECK_EQ(ndk_fabric_read_delay(most + 1), -22);
	CHECK_EQ(ndk_fabric_create_delay(0, most + 1), -22);
	CHECK_EQ(ndk_fabric_create_delay(64, 1), -22);
	CHECK_EQ(ndk_fabric_create_delay(0, 1), conf_place() == NDK_ON_S ? 0 : -22);
	CHECK_EQ(ndk_fabric_noise(0, 0, 0, ~(UINT64)0), -22);
	CHECK_EQ(ndk_fabric_noise(1001, 0, 0, 0), -22);
	CHECK_EQ(ndk_fabric_fault(0, NDK_FABRIC_REQ, NDK_FABRIC_DELAY, 1, most + 1), -22);
	CHECK_EQ(ndk_fabric_fault(64, NDK_FABRIC_REQ, NDK_FABRIC_DROP, 1, 0), -22);
	CHECK_EQ(ndk_fabric_fault(0, 0, NDK_FABRIC_DROP, 1, 0), -22);
	CHECK_EQ(ndk_fabric_partition(0, 64, TRUE), -22);
	CHECK_EQ(ndk_fabric_partition(-1, 0, TRUE), -22);
	CHECK_EQ(ndk_fabric_cq_fault((NDK_CQ *)0), -22);
	CHECK_EQ(ndk_fabric_srq_fault((NDK_SRQ *)0), -22);
}
#define FAILING_ORDERS , CASE(failing_orders)
#else
#define FAILING_ORDERS
#endif

CONF_CASES(failing, CASE(failing_resize), CASE(failing_modify), CASE(failing_register), CASE(failing_initialize),
	   CASE(failing_chain), CASE(failing_read_of_nothing), CASE(failing_read_into_nothing),
	   CASE(failing_read_of_nobody), CASE(failing_read_interrupted) FAILING_ORDERS);
