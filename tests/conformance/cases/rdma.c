/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Reads and writes: every size, gathered and scattered, inline, empty, as long and as many as the
 * adapter allows, and in which order with sends. Runs where a case runs.
 */
#include "linked.h"
#include "fabric.h"

#define RDMA_PAGE ((ULONG)NDK_PAGE_SIZE)

/* One write and one read of that size, from where the other left off. */
static BOOLEAN rdma_one(struct linked *l, struct kit_buffer *mine, struct kit_buffer *theirs, ULONG length)
{
	UCHAR seed = (UCHAR)(length * 3 + 1);

	kit_fill(mine, 0, length, seed);
	if (length)
		theirs->data[length - 1] = (UCHAR)~mine->data[length - 1];
	if (!kit_write_now(&l->a, mine, 0, length, KIT_AT(theirs, 0), theirs->remote) ||
	    !kit_verify(theirs, 0, length, seed))
		return FALSE;
	kit_fill(theirs, 0, length, (UCHAR)(seed + 1));
	return kit_read_now(&l->a, mine, 0, length, KIT_AT(theirs, 0), theirs->remote) &&
	       kit_verify(mine, 0, length, (UCHAR)(seed + 1));
}

NDK_CASE(rdma_sizes, "QP-8 QP-11 POST-1", NDK_ON_ALL,
	 "T-DP-01 written and read in every size to 257 (K: every 17th), and around powers of two to 4 MiB (K: 64 KiB)")
{
	ULONG most = conf_place() == NDK_ON_K ? 65536 : 4194304, size, step = conf_place() == NDK_ON_K ? 17 : 1;
	struct kit_buffer *mine, *theirs;
	struct kit_pair *p;
	struct linked l;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	if (most > p->a->info->MaxTransferLength)
		most = p->a->info->MaxTransferLength;
	mine = kit_sink(p->a->pd, most);
	theirs = kit_exposed(p->b->pd, most);
	REQUIRE(mine && theirs);
	for (size = 0; size <= 257; size += step)
		REQUIRE(rdma_one(&l, mine, theirs, size));
	for (size = 512; size <= most; size *= 2) {
		REQUIRE(rdma_one(&l, mine, theirs, size - 1));
		REQUIRE(rdma_one(&l, mine, theirs, size));
		if (size < most)
			REQUIRE(rdma_one(&l, mine, theirs, size + 1));
	}
}

NDK_CASE(rdma_gather_scatter, "QP-7 QP-9 QP-11", NDK_ON_ALL,
	 "a write gathers three uneven pieces, a read scatters into as many as the adapter's reads may have, no more")
{
	static const ULONG length[3] = { 333, 1, 666 }, offset[3] = { 2000, 10, 500 };
	PVOID done = kit_context();
	struct kit_buffer *mine, *theirs;
	struct kit_shape shape;
	struct kit_pair *p;
	struct linked l;
	NDK_SGE sgl[32];
	ULONG i, n;

	memset(&shape, 0, sizeof(shape));
	p = kit_pair(NDK_V4);
	REQUIRE(p != (struct kit_pair *)0);
	SKIP_UNLESS(p->a->info->MaxInitiatorRequestSge >= 3, "the adapter gathers no three pieces");
	n = p->a->info->MaxReadRequestSge;
	SKIP_UNLESS(n < 32, "the adapter reads into more pieces than the case has");
	shape.receive_sge = 1;
	shape.initiator_sge = 3; /* which is no limit for reads: the adapter's is (QP-7) */
	REQUIRE(linked_shaped(&l, p, &shape));
	mine = kit_sink(p->a->pd, RDMA_PAGE);
	theirs = kit_exposed(p->b->pd, RDMA_PAGE);
	REQUIRE(mine && theirs);
	for (i = 0; i < 3; i++) {
		kit_fill(mine, offset[i], length[i], (UCHAR)(0x30 + i));
		REQUIRE(kit_sgl(mine, offset[i], length[i], &sgl[i], 1) == 1);
	}
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkWrite(l.a.qp, done, sgl, 3, KIT_AT(theirs, 5), theirs->remote, 0),
		       STATUS_SUCCESS);
	/* the list was only lent (U-49) */
	memset(sgl, 0xff, sizeof(sgl));
	REQUIRE(kit_expect_type(l.a.cq, done, NdkOperationTypeWrite));
	CHECK(kit_verify(theirs, 5, 333, 0x30) && kit_verify(theirs, 338, 1, 0x31) &&
	      kit_verify(theirs, 339, 666, 0x32));
	/* pieces of 7, 8, 9 ... bytes, last ones first */
	for (i = 0; i <= n; i++)
		REQUIRE(kit_sgl(mine, 3000 - 40 * i, 7 + i, &sgl[i], 1) == 1);
	CHECK_STATUS(l.a.qp->Dispatch->NdkRead(l.a.qp, kit_context(), sgl, n + 1, KIT_AT(theirs, 0), theirs->remote, 0),
		     STATUS_DATA_OVERRUN);
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkRead(l.a.qp, done, sgl, n, KIT_AT(theirs, 0), theirs->remote, 0),
		       STATUS_SUCCESS);
	REQUIRE(kit_expect_type(l.a.cq, done, NdkOperationTypeRead));
	for (i = 0; i < n; i++)
		CHECK(memcmp(mine->data + 3000 - 40 * i, theirs->data + i * (i - 1) / 2 + 7 * i, 7 + i) == 0);
	CHECK(linked_silent(&l));
}

NDK_CASE(rdma_inline, "QP-6 U-29", NDK_ON_ALL,
	 "an inline write takes its bytes in the call, whatever the tokens, up to what the QP was made for")
{
	PVOID done = kit_context();
	struct kit_buffer *theirs;
	struct kit_shape shape;
	UCHAR piece[3][16];
	struct kit_pair *p;
	struct linked l;
	NDK_SGE sgl[3];
	ULONG i;

	memset(&shape, 0, sizeof(shape));
	p = kit_pair(NDK_V4);
	REQUIRE(p != (struct kit_pair *)0);
	SKIP_UNLESS(p->a->info->MaxInlineDataSize >= 48, "the adapter takes no 48 bytes inline");
	shape.receive_sge = shape.initiator_sge = 1;
	shape.inline_size = 48;
	REQUIRE(linked_shaped(&l, p, &shape));
	theirs = kit_exposed(p->b->pd, 64);
	REQUIRE(theirs != (struct kit_buffer *)0);
	for (i = 0; i < 3; i++) {
		memset(piece[i], (int)(0x40 + i), 16);
		sgl[i].VirtualAddress = piece[i];
		sgl[i].Length = 16;
		sgl[i].MemoryRegionToken = 0xbadbad;
	}
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkWrite(l.a.qp, done, sgl, 3, KIT_AT(theirs, 8), theirs->remote,
						  NDK_OP_FLAG_INLINE),
		       STATUS_SUCCESS);
	memset(piece, 0xee, sizeof(piece));
	REQUIRE(kit_expect_type(l.a.cq, done, NdkOperationTypeWrite));
	/* over real iWARP it is done when on its way: what is behind it has come when it is there */
	REQUIRE(linked_greet(&l));
	for (i = 0; i < 64; i++)
		CHECK_EQ(theirs->data[i], i < 8 || i >= 56 ? 0 : 0x40 + (i - 8) / 16);
	sgl[0].Length = 17;
	CHECK_STATUS(l.a.qp->Dispatch->NdkWrite(l.a.qp, kit_context(), sgl, 3, KIT_AT(theirs, 0), theirs->remote,
						NDK_OP_FLAG_INLINE),
		     STATUS_BUFFER_OVERFLOW);
	CHECK(linked_silent(&l));
}

NDK_CASE(rdma_nothing, "QP-1 U-27", NDK_ON_ALL, "a read and a write without an SGE succeed and touch nothing")
{
	PVOID done = kit_context();
	struct kit_buffer *theirs;
	struct kit_pair *p;
	struct linked l;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	theirs = kit_exposed(p->b->pd, 64);
	REQUIRE(theirs != (struct kit_buffer *)0);
	kit_fill(theirs, 0, 64, 0x20);
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkWrite(l.a.qp, done, (NDK_SGE *)0, 0, KIT_AT(theirs, 0), theirs->remote, 0),
		       STATUS_SUCCESS);
	REQUIRE(kit_expect_type(l.a.cq, done, NdkOperationTypeWrite));
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkRead(l.a.qp, done, (NDK_SGE *)0, 0, KIT_AT(theirs, 0), theirs->remote, 0),
		       STATUS_SUCCESS);
	REQUIRE(kit_expect_type(l.a.cq, done, NdkOperationTypeRead));
	CHECK(kit_verify(theirs, 0, 64, 0x20));
	REQUIRE(kit_send_recv_verify(&l.a, &l.b, 64));
}

NDK_CASE(rdma_refused, "QP-2 QP-7 QP-8 U-27 U-53", NDK_ON_ALL,
	 "reads and writes with too many SGEs, unknown or foreign flags, or no room in the queue: refused in the call")
{
	struct kit_buffer *mine, *theirs;
	struct kit_shape shape;
	struct kit_pair *p;
	struct linked l;
	NDK_SGE sgl[3];
	PVOID done[4];
	ULONG i;

	memset(&shape, 0, sizeof(shape));
	shape.receive_sge = 1;
	shape.initiator_sge = 2;
	shape.initiator_depth = 4;
	p = kit_pair(NDK_V4);
	REQUIRE(p && linked_shaped(&l, p, &shape));
	mine = kit_sink(p->a->pd, 64);
	theirs = kit_exposed(p->b->pd, 64);
	REQUIRE(mine && theirs);
	for (i = 0; i < 3; i++)
		REQUIRE(kit_sgl(mine, 8 * i, 8, &sgl[i], 1) == 1);
	CHECK_STATUS(l.a.qp->Dispatch->NdkWrite(l.a.qp, kit_context(), sgl, 3, KIT_AT(theirs, 0), theirs->remote, 0),
		     STATUS_DATA_OVERRUN);
	CHECK_STATUS(kit_write(l.a.qp, kit_context(), mine, 0, 8, KIT_AT(theirs, 0), theirs->remote, 0x8000),
		     STATUS_INVALID_PARAMETER);
	CHECK_STATUS(kit_write(l.a.qp, kit_context(), mine, 0, 8, KIT_AT(theirs, 0), theirs->remote,
			       NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT),
		     STATUS_INVALID_PARAMETER);
	CHECK_STATUS(kit_read(l.a.qp, kit_context(), mine, 0, 8, KIT_AT(theirs, 0), theirs->remote, NDK_OP_FLAG_INLINE),
		     STATUS_INVALID_PARAMETER);
	CHECK_STATUS(kit_read(l.a.qp, kit_context(), mine, 0, 8, KIT_AT(theirs, 0), theirs->remote, 0x40000000),
		     STATUS_INVALID_PARAMETER);
	CHECK(linked_silent(&l));
	/* the queue is full until a result has been taken, whatever the results wait for */
	for (i = 0; i < 4; i++) {
		done[i] = kit_context();
		if (i & 1)
			REQUIRE_STATUS(kit_read(l.a.qp, done[i], mine, 0, 8, KIT_AT(theirs, 0), theirs->remote, 0),
				       STATUS_SUCCESS);
		else
			REQUIRE_STATUS(kit_write(l.a.qp, done[i], mine, 0, 8, KIT_AT(theirs, 0), theirs->remote, 0),
				       STATUS_SUCCESS);
	}
	CHECK_STATUS(kit_write(l.a.qp, kit_context(), mine, 0, 8, KIT_AT(theirs, 0), theirs->remote, 0),
		     STATUS_NO_MORE_ENTRIES);
	CHECK_STATUS(kit_read(l.a.qp, kit_context(), mine, 0, 8, KIT_AT(theirs, 0), theirs->remote, 0),
		     STATUS_NO_MORE_ENTRIES);
	for (i = 0; i < 4; i++)
		REQUIRE(kit_expect_type(l.a.cq, done[i], i & 1 ? NdkOperationTypeRead : NdkOperationTypeWrite));
	REQUIRE(kit_read_now(&l.a, mine, 0, 8, KIT_AT(theirs, 0), theirs->remote));
	CHECK(linked_silent(&l));
}

/* ---- as much as there may be ---- */

#define RDMA_WHOLE (64u << 20) /* what a case can have of memory */
#define RDMA_LARGE (16u << 20)

/* The longest write, or the longest that there is memory for, and one byte more than the longest. */
static void rdma_longest_of(struct linked *l, ULONG size)
{
	const ULONG most = l->a.info->MaxTransferLength;
	struct kit_buffer *mine = kit_sink(l->a.pd, size), *theirs = kit_exposed(l->b.pd, size);
	PVOID done = kit_context();
	NDK_RESULT_EX r;
	NDK_SGE sgl[2];

	REQUIRE(mine && theirs);
	/* the list names more than there is, which nobody looks at if the length is refused */
	REQUIRE(kit_sgl(mine, 0, 1, &sgl[0], 1) == 1);
	sgl[1] = sgl[0];
	sgl[0].Length = most;
	CHECK_STATUS(l->a.qp->Dispatch->NdkWrite(l->a.qp, kit_context(), sgl, 2, KIT_AT(theirs, 0), theirs->remote, 0),
		     STATUS_BUFFER_OVERFLOW);
	sgl[0].Length = most + 1;
	CHECK_STATUS(l->a.qp->Dispatch->NdkWrite(l->a.qp, kit_context(), sgl, 1, KIT_AT(theirs, 0), theirs->remote, 0),
		     STATUS_BUFFER_OVERFLOW);
	CHECK_STATUS(l->a.qp->Dispatch->NdkRead(l->a.qp, kit_context(), sgl, 1, KIT_AT(theirs, 0), theirs->remote, 0),
		     STATUS_BUFFER_OVERFLOW);
	CHECK_STATUS(l->a.qp->Dispatch->NdkSend(l->a.qp, kit_context(), sgl, 1, 0), STATUS_BUFFER_OVERFLOW);
	CHECK_STATUS(l->a.qp->Dispatch->NdkReceive(l->a.qp, kit_context(), sgl, 1), STATUS_BUFFER_OVERFLOW);
	CHECK(linked_silent(l));
	kit_fill(mine, 0, size, 0x61);
	REQUIRE(kit_write_now(&l->a, mine, 0, size, KIT_AT(theirs, 0), theirs->remote));
	REQUIRE(kit_verify(theirs, 0, size, 0x61));
	kit_fill(theirs, 0, size, 0x62);
	REQUIRE(kit_read_now(&l->a, mine, 0, size, KIT_AT(theirs, 0), theirs->remote));
	REQUIRE(kit_verify(mine, 0, size, 0x62));
	if (size == most)
		return;
	/* the call takes the longest; what it names is not there, and that comes out later */
	sgl[0].Length = most;
	REQUIRE_STATUS(l->a.qp->Dispatch->NdkWrite(l->a.qp, done, sgl, 1, KIT_AT(theirs, 0), theirs->remote, 0),
		       STATUS_SUCCESS);
	REQUIRE(kit_result(l->a.cq, &r));
	CHECK(r.RequestContext == done);
	CHECK(linked_is_refusal(r.Status));
}

NDK_CASE(rdma_longest, "QP-2 QP-8 U-27", NDK_ON_ALL,
	 "T-DP-17 one transfer takes what the adapter says at most; one byte more is refused in the call")
{
	struct kit_shape shape;
	struct kit_pair *p;
	struct linked l;
	ULONG which, size;

	memset(&shape, 0, sizeof(shape));
	shape.receive_sge = 1;
	shape.initiator_sge = 2;
	for (which = 0; which <= 2; which += 2) {
		if (!conf_adapter_name(which))
			continue;
		p = linked_pair(which, 1);
		REQUIRE(p && linked_shaped(&l, p, &shape));
		size = p->a->info->MaxTransferLength;
		if (size > RDMA_WHOLE)
			size = RDMA_LARGE;
		if (size > p->b->info->MaxRegistrationSize)
			size = (ULONG)p->b->info->MaxRegistrationSize;
		if (size > p->a->info->MaxRegistrationSize)
			size = (ULONG)p->a->info->MaxRegistrationSize;
		rdma_longest_of(&l, size);
	}
}

/* ---- many reads ---- */

#define RDMA_READ 500u

/* A pipeline of reads, `deep` of them under way at a time, each into its own place; results in order. */
static BOOLEAN rdma_pipeline(struct linked *l, struct kit_buffer *into, struct kit_buffer *from, ULONG count,
			     ULONG deep)
{
	PVOID context[64];
	ULONG posted = 0, taken = 0, at;

	while (taken < count) {
		for (; posted < count && posted - taken < deep; posted++) {
			at = posted % deep * RDMA_READ;
			context[posted % deep] = kit_context();
			kit_fill(into, at, RDMA_READ, 0);
			if (!CHECK_STATUS(kit_read(l->a.qp, context[posted % deep], into, at, RDMA_READ,
						   KIT_AT(from, posted % 7 * RDMA_READ), from->remote, 0),
					  STATUS_SUCCESS))
				return FALSE;
		}
		if (!kit_expect_type(l->a.cq, context[taken % deep], NdkOperationTypeRead) ||
		    !kit_verify(into, taken % deep * RDMA_READ, RDMA_READ, (UCHAR)(taken % 7)))
			return FALSE;
		taken++;
	}
	return TRUE;
}

/* A source of seven different pieces. */
static struct kit_buffer *rdma_source(const struct kit_side *s)
{
	struct kit_buffer *b = kit_exposed(s->pd, 7 * RDMA_READ);
	ULONG i;

	for (i = 0; b && i < 7; i++)
		kit_fill(b, i * RDMA_READ, RDMA_READ, (UCHAR)i);
	return b;
}

NDK_CASE(rdma_pipelined, "ORD-1 RDL-1 RDL-5 QP-11", NDK_ON_ALL,
	 "T-DP-08 1000 reads (K: 200), as many at a time as the limits allow: all right, and in order")
{
	ULONG deep, count = conf_place() == NDK_ON_K ? 200 : 1000;
	struct kit_pair *p;
	struct linked l;
	struct kit_buffer *into, *from;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	deep = p->a->info->MaxOutboundReadLimit;
	if (deep > p->b->info->MaxInboundReadLimit)
		deep = p->b->info->MaxInboundReadLimit;
	REQUIRE(deep > 0);
	if (deep > KIT_DEPTH)
		deep = KIT_DEPTH;
	into = kit_sink(p->a->pd, deep * RDMA_READ);
	from = rdma_source(p->b);
	REQUIRE(into && from);
	REQUIRE(rdma_pipeline(&l, into, from, count, deep));
	/* and with the queue full, beyond the limits: the rest waits its turn */
	into = kit_sink(p->a->pd, KIT_DEPTH * RDMA_READ);
	REQUIRE(into && rdma_pipeline(&l, into, from, count, KIT_DEPTH));
}

/* Connected so that the active side has at most `limit` reads under way. */
static BOOLEAN rdma_limited(struct linked *l, const struct kit_pair *p, ULONG limit)
{
	struct kit_params active = linked_reads(), passive = linked_reads();
	struct kit_shape shape;

	memset(&shape, 0, sizeof(shape));
	shape.receive_sge = shape.initiator_sge = 1;
	active.out_limit = limit;
	return linked_prepare(l, p, &shape) && kit_establish(&l->ends, &active, &passive);
}

/* Ten reads at once over a connection with that limit. */
static BOOLEAN rdma_ten(const struct kit_pair *p, ULONG limit)
{
	struct kit_buffer *into = kit_sink(p->a->pd, 10 * RDMA_READ), *from = rdma_source(p->b);
	PVOID context[10];
	struct linked l;
	ULONG i;

	if (!into || !from || !rdma_limited(&l, p, limit))
		return FALSE;
	for (i = 0; i < 10; i++) {
		context[i] = kit_context();
		if (!CHECK_STATUS(kit_read(l.a.qp, context[i], into, i * RDMA_READ, RDMA_READ,
					   KIT_AT(from, i % 7 * RDMA_READ), from->remote, 0),
				  STATUS_SUCCESS))
			return FALSE;
	}
	for (i = 0; i < 10; i++)
		if (!kit_expect_type(l.a.cq, context[i], NdkOperationTypeRead) ||
		    !kit_verify(into, i * RDMA_READ, RDMA_READ, (UCHAR)(i % 7)))
			return FALSE;
	return linked_close(&l);
}

NDK_CASE(rdma_read_limit, "RDL-1 RDL-5 ORD-1", NDK_ON_ALL,
	 "T-CN-16 ten reads where two may be under way: all come, in order, never more than two on the wire")
{
	struct kit_pair *p = kit_pair(NDK_V4);
	ULONG most;

	REQUIRE(p != (struct kit_pair *)0);
	most = p->a->info->MaxOutboundReadLimit;
	if (most > p->b->info->MaxInboundReadLimit)
		most = p->b->info->MaxInboundReadLimit;
	REQUIRE(most > 2);
	REQUIRE(rdma_ten(p, 1));
	if (conf_place() != NDK_ON_K)
		CHECK_EQ(fabric_most_reads(), 1);
	REQUIRE(rdma_ten(p, 2));
	if (conf_place() != NDK_ON_K)
		CHECK_EQ(fabric_most_reads(), 2);
	REQUIRE(rdma_ten(p, most));
	/* only where nothing is slower than the wire are they surely all under way at once */
	if (conf_place() == NDK_ON_S)
		CHECK_EQ(fabric_most_reads(), most < 10 ? most : 10);
	else
		CHECK(fabric_most_reads() <= most);
}

NDK_CASE(rdma_no_reads, "RDL-9 RDL-5", NDK_ON_ALL,
	 "with a limit of zero sends and writes go as ever, and a read is no success, told in the call or later")
{
	struct kit_buffer *mine, *theirs;
	PVOID read = kit_context();
	struct kit_pair *p;
	NDK_RESULT_EX r;
	struct linked l;
	NTSTATUS status;

	p = kit_pair(NDK_V4);
	REQUIRE(p && rdma_limited(&l, p, 0));
	mine = kit_sink(p->a->pd, 64);
	theirs = kit_exposed(p->b->pd, 64);
	REQUIRE(mine && theirs);
	kit_fill(mine, 0, 64, 0x19);
	kit_fill(theirs, 0, 64, 0x91);
	REQUIRE(kit_send_recv_verify(&l.a, &l.b, 64));
	REQUIRE(kit_write_now(&l.a, mine, 0, 32, KIT_AT(theirs, 0), theirs->remote));
	status = kit_read(l.a.qp, read, mine, 32, 32, KIT_AT(theirs, 0), theirs->remote, 0);
	if (status == STATUS_SUCCESS) {
		REQUIRE(kit_result(l.a.cq, &r));
		CHECK(r.RequestContext == read);
		CHECK(r.Status != STATUS_SUCCESS);
	}
	CHECK(kit_verify(theirs, 0, 32, 0x19));
	CHECK(memcmp(mine->data + 32, theirs->data, 32) != 0);
}

/* ---- order with sends ---- */

NDK_CASE(rdma_write_then_send, "ORD-1 QP-11 QP-4", NDK_ON_ALL,
	 "T-DP-06 what was written before a send is there when the receive completes")
{
	ULONG rounds = conf_place() == NDK_ON_K ? 50 : 500, i, length;
	struct kit_buffer *mine, *theirs;
	struct kit_pair *p;
	struct linked l;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	mine = kit_sink(p->a->pd, 16 * RDMA_PAGE);
	theirs = kit_exposed(p->b->pd, 16 * RDMA_PAGE);
	REQUIRE(mine && theirs);
	for (i = 0; i < rounds; i++) {
		PVOID sent = kit_context(), received = kit_context();

		length = 1 + (ULONG)(conf_random() % mine->size);
		kit_fill(mine, 0, length, (UCHAR)i);
		REQUIRE_STATUS(kit_receive(l.b.qp, received, l.b.buffer, 0, 8), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_write(l.a.qp, kit_context(), mine, 0, length, KIT_AT(theirs, 0), theirs->remote,
					 NDK_OP_FLAG_SILENT_SUCCESS),
			       STATUS_SUCCESS);
		REQUIRE_STATUS(kit_send(l.a.qp, sent, l.a.buffer, 0, 8, 0), STATUS_SUCCESS);
		REQUIRE(kit_expect(l.b.cq, received, STATUS_SUCCESS));
		REQUIRE(kit_verify(theirs, 0, length, (UCHAR)i));
		REQUIRE(kit_expect_type(l.a.cq, sent, NdkOperationTypeSend));
	}
}

#if defined(__SANITIZE_THREAD__)
#define RDMA_WATCHED FALSE /* looking at memory while it is written is a race by intent */
#else
#define RDMA_WATCHED TRUE
#endif

/* Until the last byte is what it is to become. */
static BOOLEAN rdma_watch(const struct kit_buffer *b, ULONG length, UCHAR last)
{
	UINT64 until = conf_now_us() + KIT_PATIENCE_MS * 1000ull;

	while (__atomic_load_n(&b->data[length - 1], __ATOMIC_ACQUIRE) != last)
		if (conf_now_us() > until || (conf_place() == NDK_ON_S && !conf_nap()))
			return CHECK(b->data[length - 1] == last);
	return TRUE;
}

/* A send behind the write tells that all of it is there. */
static BOOLEAN rdma_told(struct linked *l)
{
	PVOID sent = kit_context(), received = kit_context();

	return CHECK_STATUS(kit_receive(l->b.qp, received, l->b.buffer, 0, 8), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_send(l->a.qp, sent, l->a.buffer, 0, 8, NDK_OP_FLAG_SILENT_SUCCESS), STATUS_SUCCESS) &&
	       kit_expect(l->b.cq, received, STATUS_SUCCESS);
}

NDK_CASE(rdma_in_order, "QP-11 POST-1", NDK_ON_ALL,
	 "T-DP-07 the last byte of a write tells of all of it if the adapter places in order, else (K) a send does")
{
	struct kit_buffer *mine, *theirs;
	struct kit_pair *p;
	struct linked l;
	ULONG length;
	BOOLEAN watch;
	UCHAR seed;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	watch = RDMA_WATCHED && (p->b->info->AdapterFlags & NDK_ADAPTER_FLAG_IN_ORDER_DMA_SUPPORTED) != 0;
	if (RDMA_WATCHED && !watch)
		CHECK(conf_place() == NDK_ON_K); /* the fabric does */
	mine = kit_sink(p->a->pd, 65536);
	theirs = kit_exposed(p->b->pd, 65536);
	REQUIRE(mine && theirs);
	for (length = 1; length <= 65536; length += length / 3 + 1) {
		PVOID written = kit_context();

		seed = (UCHAR)(length * 5 + 1);
		kit_fill(mine, 0, length, seed);
		memset(theirs->data, (UCHAR)~mine->data[length - 1], length);
		REQUIRE_STATUS(kit_write(l.a.qp, written, mine, 0, length, KIT_AT(theirs, 0), theirs->remote, 0),
			       STATUS_SUCCESS);
		REQUIRE(watch ? rdma_watch(theirs, length, mine->data[length - 1]) : rdma_told(&l));
		REQUIRE(kit_verify(theirs, 0, length, seed));
		REQUIRE(kit_expect_type(l.a.cq, written, NdkOperationTypeWrite));
	}
}

/* A long read, then a send; with the fence the peer hears of it when the read is over. */
static void rdma_fence_round(struct linked *l, struct kit_buffer *into, const struct kit_buffer *from, BOOLEAN fence)
{
	PVOID read = kit_context(), sent = kit_context(), received = kit_context();

	memset(into->data, 0, into->size);
	REQUIRE_STATUS(kit_receive(l->b.qp, received, l->b.buffer, 0, 8), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_read(l->a.qp, read, into, 0, into->size, KIT_AT(from, 0), from->remote, 0), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send(l->a.qp, sent, l->a.buffer, 0, 8, fence ? NDK_OP_FLAG_READ_FENCE : 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(l->b.cq, received, STATUS_SUCCESS));
	/* no one has looked at the read's own result; what nobody fenced overtakes an answer that is late */
	if (fence)
		REQUIRE(kit_verify(into, 0, into->size, 0x7b));
	else if (conf_place() == NDK_ON_S)
		CHECK_EQ(into->data[into->size - 1], 0);
	REQUIRE(kit_expect_type(l->a.cq, read, NdkOperationTypeRead));
	REQUIRE(kit_expect_type(l->a.cq, sent, NdkOperationTypeSend));
	REQUIRE(kit_verify(into, 0, into->size, 0x7b));
}

NDK_CASE(rdma_fence, "QP-5 ORD-1", NDK_ON_ALL,
	 "T-DP-09 a send with the read fence arrives when the read before it is over; one without, some time")
{
	const ULONG size = conf_place() == NDK_ON_K ? 65536 : 1048576;
	int rounds = conf_place() == NDK_ON_S ? 3 : 10, i;
	struct kit_buffer *into, *from;
	struct kit_pair *p;
	struct linked l;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	into = kit_sink(p->a->pd, size);
	from = kit_exposed(p->b->pd, size);
	REQUIRE(into && from);
	kit_fill(from, 0, size, 0x7b);
	REQUIRE(conf_place() == NDK_ON_K || fabric_read_delay(5));
	for (i = 0; i < rounds && !conf_failed(); i++) {
		rdma_fence_round(&l, into, from, TRUE);
		rdma_fence_round(&l, into, from, FALSE);
	}
}

CONF_CASES(rdma, CASE(rdma_sizes), CASE(rdma_gather_scatter), CASE(rdma_inline), CASE(rdma_nothing), CASE(rdma_refused),
	   CASE(rdma_longest), CASE(rdma_pipelined), CASE(rdma_read_limit), CASE(rdma_no_reads),
	   CASE(rdma_write_then_send), CASE(rdma_in_order), CASE(rdma_fence));
