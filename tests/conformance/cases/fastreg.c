/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Fast registration: initialising, what NdkFastRegister takes and refuses, page lists of any order,
 * tokens that are good before the result, and a long life of registering and invalidating. Runs where
 * a case runs.
 */
#include "linked.h"

#define FASTREG_PAGE ((ULONG)NDK_PAGE_SIZE)
#define FASTREG_BOTH (NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE)

/* The peer writes a piece of what is registered, reads it back, and it lies at offset of the memory. */
static BOOLEAN fastreg_serves(struct linked *l, const struct kit_fast *f, UINT64 at, ULONG offset, ULONG length)
{
	struct kit_buffer *mine = kit_sink(l->a.pd, length);
	UCHAR seed = (UCHAR)(offset + length * 3 + 1);
	BOOLEAN fine;

	if (!mine)
		return FALSE;
	kit_fill(mine, 0, length, seed);
	fine = kit_write_now(&l->a, mine, 0, length, at, f->remote) && kit_verify(f->memory, offset, length, seed);
	kit_fill(mine, 0, length, (UCHAR)(seed + 1));
	fine = fine && kit_read_now(&l->a, mine, 0, length, at, f->remote) && kit_verify(mine, 0, length, seed);
	kit_release(mine);
	return fine;
}

/* What the passive side tells of a region, as the bytes of a message. */
struct fastreg_note {
	UINT64 at;
	UINT32 token;
};

NDK_CASE(fastreg_early, "MR-16 DEFER-2 DEFER-6 QP-17 QP-18", NDK_ON_ALL,
	 "T-MM-14 a token read right after the call, and sent behind it, is good when the peer gets it, and stays")
{
	PVOID reg = kit_context(), send = kit_context(), receive = kit_context();
	struct fastreg_note note;
	struct kit_fast *f;
	struct kit_pair *p;
	struct linked l;

	memset(&note, 0, sizeof(note));
	p = linked_first(&l);
	REQUIRE(p && linked_greet(&l));
	f = kit_fast(p->b, 8 * FASTREG_PAGE, TRUE);
	REQUIRE(f != (struct kit_fast *)0);
	REQUIRE_STATUS(kit_receive(l.a.qp, receive, l.a.buffer, 0, sizeof(note)), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_fast_register(l.b.qp, reg, f, FASTREG_BOTH | NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
	note.at = KIT_FAST_AT(f, 0);
	note.token = f->remote;
	memcpy(l.b.buffer->data, &note, sizeof(note));
	REQUIRE_STATUS(kit_send(l.b.qp, send, l.b.buffer, 0, sizeof(note), 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(l.a.cq, receive, STATUS_SUCCESS));
	memcpy(&note, l.a.buffer->data, sizeof(note));
	CHECK_EQ(note.token, f->remote);
	REQUIRE(fastreg_serves(&l, f, note.at, 0, 8 * FASTREG_PAGE));
	REQUIRE(kit_expect_type(l.b.cq, reg, NdkOperationTypeFastRegister));
	REQUIRE(kit_expect_type(l.b.cq, send, NdkOperationTypeSend));
	CHECK_EQ(f->mr->Dispatch->NdkGetRemoteTokenFromMr(f->mr), note.token);
}

NDK_CASE(fastreg_local_only, "MR-13 QP-2 QP-9 QP-18 QP-20 QP-21", NDK_ON_ALL,
	 "T-MM-15 initialised without remote access: remote rights are refused in the call, local use works")
{
	PVOID sent = kit_context(), received = kit_context();
	struct kit_buffer *source;
	struct kit_fast *f;
	struct kit_pair *p;
	struct linked l;
	NDK_SGE sge;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	f = kit_fast(p->a, 3 * FASTREG_PAGE, FALSE);
	source = kit_exposed(p->b->pd, 3 * FASTREG_PAGE);
	REQUIRE(f && source);
	CHECK_STATUS(kit_fast_register(l.a.qp, kit_context(), f, NDK_OP_FLAG_ALLOW_REMOTE_READ),
		     STATUS_ACCESS_VIOLATION);
	CHECK_STATUS(kit_fast_register(l.a.qp, kit_context(), f, NDK_OP_FLAG_ALLOW_REMOTE_WRITE),
		     STATUS_ACCESS_VIOLATION);
	CHECK_STATUS(kit_fast_register(l.a.qp, kit_context(), f, FASTREG_BOTH), STATUS_ACCESS_VIOLATION);
	CHECK_STATUS(KIT_INVALIDATE(l.a.qp, kit_context(), f->mr, 0), STATUS_INVALID_DEVICE_REQUEST);
	CHECK(linked_silent(&l));
	REQUIRE(kit_fast_register_now(&l.a, f, NDK_OP_FLAG_ALLOW_LOCAL_WRITE | NDK_OP_FLAG_RDMA_READ_SINK));
	/* as the target of a read, as the source of a send across a seam, as a receive */
	kit_fill(source, 0, 3 * FASTREG_PAGE, 0x63);
	sge = kit_fast_sge(f, 0, 3 * FASTREG_PAGE);
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkRead(l.a.qp, sent, &sge, 1, KIT_AT(source, 0), source->remote, 0),
		       STATUS_SUCCESS);
	REQUIRE(kit_expect_type(l.a.cq, sent, NdkOperationTypeRead));
	REQUIRE(kit_verify(f->memory, 0, 3 * FASTREG_PAGE, 0x63));
	kit_fill(f->memory, FASTREG_PAGE - 50, 100, 0x17);
	sge = kit_fast_sge(f, FASTREG_PAGE - 50, 100);
	REQUIRE_STATUS(kit_receive(l.b.qp, received, l.b.buffer, 0, 100), STATUS_SUCCESS);
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkSend(l.a.qp, sent, &sge, 1, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(l.b.cq, received, STATUS_SUCCESS) && kit_expect(l.a.cq, sent, STATUS_SUCCESS));
	REQUIRE(kit_verify(l.b.buffer, 0, 100, 0x17));
	sge = kit_fast_sge(f, 2 * FASTREG_PAGE - 30, 60);
	REQUIRE_STATUS(l.a.qp->Dispatch->NdkReceive(l.a.qp, received, &sge, 1), STATUS_SUCCESS);
	kit_fill(l.b.buffer, 0, 60, 0x44);
	REQUIRE_STATUS(kit_send(l.b.qp, sent, l.b.buffer, 0, 60, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(l.a.cq, received, STATUS_SUCCESS) && kit_expect(l.b.cq, sent, STATUS_SUCCESS));
	REQUIRE(kit_verify(f->memory, 2 * FASTREG_PAGE - 30, 60, 0x44));
}

NDK_CASE(fastreg_offset, "QP-2 QP-17 QP-18 QP-19 U-28", NDK_ON_ALL,
	 "T-MM-16 the region begins at the base that was given, offset in the first page included, and ends in bounds")
{
	const UINT64 base = 100 + 3 * (UINT64)NDK_PAGE_SIZE;
	struct kit_fast *f;
	struct kit_pair *p;
	struct linked l;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	f = kit_fast(p->b, 4 * FASTREG_PAGE, TRUE);
	REQUIRE(f != (struct kit_fast *)0);
	f->fbo = 100;
	f->length = 4 * NDK_PAGE_SIZE - 100;
	f->base = (PVOID)(ULONG_PTR)base;
	REQUIRE(kit_fast_register_now(&l.b, f, FASTREG_BOTH));
	REQUIRE(fastreg_serves(&l, f, base, 100, (ULONG)f->length));
	REQUIRE(fastreg_serves(&l, f, base + f->length - 1, 4 * FASTREG_PAGE - 1, 1));
	REQUIRE(fastreg_serves(&l, f, base + FASTREG_PAGE - 105, FASTREG_PAGE - 5, 10));
	REQUIRE(linked_refuses(&l, LINKED_WRITE, 1, base - 1, f->remote));
	REQUIRE(linked_refused(p, LINKED_WRITE, 2, base + f->length - 1, f->remote));
	REQUIRE(linked_open(&l, p));
	REQUIRE(KIT_INVALIDATE_NOW(&l.b, f->mr));
	f->base = (PVOID)(ULONG_PTR)(base + 1);
	CHECK_STATUS(kit_fast_register(l.b.qp, kit_context(), f, FASTREG_BOTH), STATUS_INVALID_PARAMETER);
	f->base = (PVOID)0; /* zero-based */
	CHECK_STATUS(kit_fast_register(l.b.qp, kit_context(), f, FASTREG_BOTH), STATUS_INVALID_PARAMETER);
	CHECK(linked_silent(&l));
}

NDK_CASE(fastreg_limits, "MR-11 MR-12 MR-15 MR-17", NDK_ON_ALL,
	 "T-MM-17 initialising for more pages than the adapter has, or for none, is refused; for the most it works")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_side *s = kit_side(0);
		NDK_MR *mr;

		REQUIRE(s != (struct kit_side *)0);
		CHECK(s->info->FRMRPageCount >= 16);
		mr = kit_create_mr(s->pd, TRUE);
		REQUIRE(mr != (NDK_MR *)0);
		CHECK_STATUS(kit_initialize(mr, s->info->FRMRPageCount + 1, TRUE), STATUS_IMPLEMENTATION_LIMIT);
		CHECK_STATUS(kit_initialize(mr, 0xffffffffu, TRUE), STATUS_IMPLEMENTATION_LIMIT);
		CHECK_STATUS(kit_initialize(mr, 0, TRUE), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(kit_initialize(mr, s->info->FRMRPageCount, TRUE), STATUS_SUCCESS);
		REQUIRE(KIT_CLOSED(mr));
	}
}

NDK_CASE(fastreg_initialise_again, "MR-11 MR-13 MR-14 QP-20 U-28 U-35", NDK_ON_ALL,
	 "initialised again, an MR takes the new number of pages and rights, and what was registered is revoked")
{
	struct kit_fast *f;
	struct kit_pair *p;
	struct linked l;
	UINT32 old;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	f = kit_fast(p->b, 8 * FASTREG_PAGE, TRUE);
	REQUIRE(f != (struct kit_fast *)0);
	REQUIRE_STATUS(kit_initialize(f->mr, 4, TRUE), STATUS_SUCCESS);
	CHECK_STATUS(kit_fast_register(l.b.qp, kit_context(), f, FASTREG_BOTH), STATUS_INVALID_PARAMETER);
	f->pages = 4;
	f->length = 4 * NDK_PAGE_SIZE;
	REQUIRE(kit_fast_register_now(&l.b, f, FASTREG_BOTH));
	REQUIRE(fastreg_serves(&l, f, KIT_FAST_AT(f, 0), 0, 4 * FASTREG_PAGE));
	old = f->remote;
	REQUIRE_STATUS(kit_initialize(f->mr, 8, FALSE), STATUS_SUCCESS);
	CHECK_STATUS(KIT_INVALIDATE(l.b.qp, kit_context(), f->mr, 0), STATUS_INVALID_DEVICE_REQUEST);
	CHECK_STATUS(kit_fast_register(l.b.qp, kit_context(), f, FASTREG_BOTH), STATUS_ACCESS_VIOLATION);
	REQUIRE(linked_refuses(&l, LINKED_WRITE, 8, KIT_FAST_AT(f, 0), old));
	REQUIRE_STATUS(kit_initialize(f->mr, 8, TRUE), STATUS_SUCCESS);
	REQUIRE(linked_open(&l, p));
	f->pages = 8;
	f->length = 8 * NDK_PAGE_SIZE;
	REQUIRE(kit_fast_register_now(&l.b, f, FASTREG_BOTH));
	REQUIRE(fastreg_serves(&l, f, KIT_FAST_AT(f, 0), 0, 8 * FASTREG_PAGE));
	REQUIRE(linked_refuses(&l, LINKED_READ, 8, KIT_FAST_AT(f, 0), old));
}

NDK_CASE(fastreg_initialise_at_once, "MR-14 U-35 REQ-1", NDK_ON_ALL,
	 "several MRs are initialised at the same time; of two calls for one MR the second is told to wait")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_side *s = kit_side(0);
		struct kit_call *c[8], *first, *second;
		NTSTATUS status;
		NDK_MR *mr[8];
		int i;

		REQUIRE(s != (struct kit_side *)0);
		for (i = 0; i < 8; i++) {
			mr[i] = kit_create_mr(s->pd, TRUE);
			REQUIRE(mr[i] != (NDK_MR *)0);
		}
		for (i = 0; i < 8; i++)
			c[i] = kit_begin_initialize(mr[i], 4, TRUE);
		for (i = 0; i < 8; i++)
			CHECK_STATUS(kit_wait(c[i]), STATUS_SUCCESS);
		first = kit_begin_initialize(mr[0], 16, TRUE);
		second = kit_begin_initialize(mr[0], 8, TRUE);
		status = kit_wait(second);
		/* the first may be over before its callback says so */
		CHECK(status == STATUS_DEVICE_BUSY || status == STATUS_SUCCESS);
		if (status == STATUS_DEVICE_BUSY)
			CHECK(kit_pended(first));
		CHECK_STATUS(kit_wait(first), STATUS_SUCCESS);
	}
}

/* ---- what is refused ---- */

struct fastreg_wrong {
	struct linked l;
	struct kit_fast *f, right; /* right: what would be taken */
};

/* Tried with what the case has changed in *f, which then is as it was. */
static BOOLEAN fastreg_refused(struct fastreg_wrong *w, ULONG flags, NTSTATUS expected)
{
	BOOLEAN fine = CHECK_STATUS(kit_fast_register(w->l.b.qp, kit_context(), w->f, flags), expected);

	*w->f = w->right;
	return fine;
}

NDK_CASE(fastreg_wrong, "QP-2 QP-17 QP-18 QP-19 U-27", NDK_ON_ALL,
	 "pages too many or not aligned, offsets, lengths, bases and flags that make no sense: refused in the call")
{
	struct fastreg_wrong w;
	NDK_LOGICAL_ADDRESS page[4];
	struct kit_pair *p;
	unsigned i;

	p = linked_first(&w.l);
	REQUIRE(p != (struct kit_pair *)0);
	w.f = kit_fast(p->b, 4 * FASTREG_PAGE, TRUE);
	REQUIRE(w.f != (struct kit_fast *)0);
	w.right = *w.f;
	w.f->pages = 5;
	REQUIRE(fastreg_refused(&w, FASTREG_BOTH, STATUS_INVALID_PARAMETER));
	for (i = 0; i < 4; i++)
		page[i] = w.f->page[i];
	page[2].QuadPart += 512;
	w.f->page = page;
	REQUIRE(fastreg_refused(&w, FASTREG_BOTH, STATUS_INVALID_PARAMETER));
	w.f->fbo = FASTREG_PAGE;
	w.f->length = 8;
	REQUIRE(fastreg_refused(&w, FASTREG_BOTH, STATUS_INVALID_PARAMETER));
	w.f->length = 0;
	REQUIRE(fastreg_refused(&w, FASTREG_BOTH, STATUS_INVALID_PARAMETER));
	w.f->length++;
	REQUIRE(fastreg_refused(&w, FASTREG_BOTH, STATUS_INVALID_PARAMETER));
	w.f->fbo = 16;
	w.f->base = (UCHAR *)w.f->base + 16;
	REQUIRE(fastreg_refused(&w, FASTREG_BOTH, STATUS_INVALID_PARAMETER)); /* too long by its offset */
	w.f->pages = 0;
	REQUIRE(fastreg_refused(&w, FASTREG_BOTH, STATUS_INVALID_PARAMETER));
	w.f->base = (UCHAR *)w.f->base + 1;
	REQUIRE(fastreg_refused(&w, FASTREG_BOTH, STATUS_INVALID_PARAMETER));
	w.f->length = ~(SIZE_T)0;
	REQUIRE(fastreg_refused(&w, FASTREG_BOTH, STATUS_INVALID_PARAMETER));
	REQUIRE(fastreg_refused(&w, NDK_OP_FLAG_INLINE, STATUS_INVALID_PARAMETER));
	REQUIRE(fastreg_refused(&w, NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT, STATUS_INVALID_PARAMETER));
	REQUIRE(fastreg_refused(&w, 0x8000, STATUS_INVALID_PARAMETER));
	CHECK(linked_silent(&w.l));
	REQUIRE(kit_fast_register_now(&w.l.b, w.f, FASTREG_BOTH));
	REQUIRE(fastreg_serves(&w.l, w.f, KIT_FAST_AT(w.f, 0), 0, 4 * FASTREG_PAGE));
}

NDK_CASE(fastreg_state, "MR-1 MR-11 QP-2 QP-22 U-34", NDK_ON_ALL,
	 "not initialised, of the other kind, registered already, of another domain: refused, and the rest goes on")
{
	struct kit_fast *f, *strange, raw;
	struct kit_side other;
	struct kit_pair *p;
	struct linked l;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	f = kit_fast(p->b, 2 * FASTREG_PAGE, TRUE);
	other = *p->b;
	other.pd = kit_create_pd(p->b->adapter);
	REQUIRE(f && other.pd);
	strange = kit_fast(&other, 2 * FASTREG_PAGE, TRUE);
	REQUIRE(strange != (struct kit_fast *)0);
	raw = *f;
	raw.mr = kit_create_mr(p->b->pd, TRUE);
	REQUIRE(raw.mr != (NDK_MR *)0);
	CHECK_STATUS(kit_fast_register(l.b.qp, kit_context(), &raw, FASTREG_BOTH), STATUS_INVALID_DEVICE_REQUEST);
	CHECK_STATUS(KIT_INVALIDATE(l.b.qp, kit_context(), raw.mr, 0), STATUS_INVALID_DEVICE_REQUEST);
	raw.mr = kit_create_mr(p->b->pd, FALSE);
	REQUIRE(raw.mr != (NDK_MR *)0);
	CHECK_STATUS(kit_fast_register(l.b.qp, kit_context(), &raw, FASTREG_BOTH), STATUS_INVALID_DEVICE_REQUEST);
	CHECK_STATUS(kit_fast_register(l.b.qp, kit_context(), strange, FASTREG_BOTH), STATUS_INVALID_PARAMETER);
	CHECK_STATUS(KIT_INVALIDATE(l.b.qp, kit_context(), f->mr, 0), STATUS_INVALID_DEVICE_REQUEST);
	CHECK(linked_silent(&l));
	REQUIRE(kit_fast_register_now(&l.b, f, FASTREG_BOTH));
	raw = *f;
	CHECK_STATUS(kit_fast_register(l.b.qp, kit_context(), &raw, FASTREG_BOTH), STATUS_INVALID_DEVICE_REQUEST);
	CHECK(linked_silent(&l));
	CHECK_EQ(f->mr->Dispatch->NdkGetRemoteTokenFromMr(f->mr), f->remote);
	REQUIRE(fastreg_serves(&l, f, KIT_FAST_AT(f, 0), 0, 2 * FASTREG_PAGE));
	REQUIRE(KIT_INVALIDATE_NOW(&l.b, f->mr));
	CHECK_STATUS(KIT_INVALIDATE(l.b.qp, kit_context(), f->mr, 0), STATUS_INVALID_DEVICE_REQUEST);
	REQUIRE(linked_refuses(&l, LINKED_WRITE, 8, KIT_FAST_AT(f, 0), f->remote));
}

NDK_CASE(fastreg_not_ordinary, "QP-2 QP-22 MR-1", NDK_ON_ALL,
	 "T-MM-19 NdkInvalidate of a region of NdkRegisterMr is refused, and the region serves on")
{
	struct kit_buffer *b, *mine;
	struct kit_pair *p;
	struct linked l;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	b = kit_exposed(p->b->pd, 64);
	mine = kit_sink(p->a->pd, 64);
	REQUIRE(b && mine);
	CHECK_STATUS(KIT_INVALIDATE(l.b.qp, kit_context(), b->mr, 0), STATUS_INVALID_DEVICE_REQUEST);
	CHECK(linked_silent(&l));
	kit_fill(b, 0, 64, 0x29);
	REQUIRE(kit_read_now(&l.a, mine, 0, 64, KIT_AT(b, 0), b->remote) && kit_verify(mine, 0, 64, 0x29));
	REQUIRE_STATUS(kit_deregister(b->mr), STATUS_SUCCESS);
	CHECK_STATUS(KIT_INVALIDATE(l.b.qp, kit_context(), b->mr, 0), STATUS_INVALID_DEVICE_REQUEST);
}

NDK_CASE(fastreg_rights, "QP-18 QP-20 QP-21 U-28", NDK_ON_ALL,
	 "a fast registration opens to the peer what its flags say and no more; the sink flag goes with all of them")
{
	static const struct {
		ULONG flags;
		BOOLEAN read, write;
	} rights[] = {
		{ 0, FALSE, FALSE },
		{ NDK_OP_FLAG_ALLOW_LOCAL_WRITE, FALSE, FALSE },
		{ NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_RDMA_READ_SINK, TRUE, FALSE },
		{ NDK_OP_FLAG_ALLOW_REMOTE_WRITE | NDK_OP_FLAG_RDMA_READ_SINK, FALSE, TRUE },
	};
	struct kit_pair *p = kit_pair(NDK_V4);
	struct kit_buffer *mine;
	struct kit_fast *f;
	struct linked l;
	unsigned i;

	REQUIRE(p != (struct kit_pair *)0);
	f = kit_fast(p->b, FASTREG_PAGE, TRUE);
	mine = kit_sink(p->a->pd, 8);
	REQUIRE(f && mine);
	for (i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
		REQUIRE(linked_open(&l, p));
		REQUIRE(kit_fast_register_now(&l.b, f, rights[i].flags));
		kit_fill(f->memory, 0, FASTREG_PAGE, 0x41);
		if (rights[i].read)
			REQUIRE(kit_read_now(&l.a, mine, 0, 8, KIT_FAST_AT(f, 0), f->remote));
		if (rights[i].write)
			REQUIRE(kit_write_now(&l.a, mine, 0, 8, KIT_FAST_AT(f, 64), f->remote));
		if (!rights[i].read && linked_checks_reading())
			REQUIRE(linked_refuses(&l, LINKED_READ, 8, KIT_FAST_AT(f, 0), f->remote) &&
				linked_open(&l, p));
		if (!rights[i].write)
			REQUIRE(linked_refuses(&l, LINKED_WRITE, 8, KIT_FAST_AT(f, 0), f->remote) &&
				linked_open(&l, p));
		REQUIRE(kit_verify(f->memory, 0, 64, 0x41));
		REQUIRE(KIT_INVALIDATE_NOW(&l.b, f->mr));
		REQUIRE(linked_close(&l));
	}
}

NDK_CASE(fastreg_scattered, "QP-18 QP-19 MR-17 QP-11", NDK_ON_ALL,
	 "T-DP-18 every other page of a buffer, backwards, as one region: written and read whole, neighbours intact")
{
	ULONG count = 256, i;
	NDK_LOGICAL_ADDRESS *page;
	struct kit_buffer *mine;
	struct kit_fast *f;
	struct kit_pair *p;
	struct linked l;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	if (count > p->b->info->FRMRPageCount)
		count = p->b->info->FRMRPageCount;
	if (count > p->a->info->MaxRegistrationSize / FASTREG_PAGE)
		count = (ULONG)(p->a->info->MaxRegistrationSize / FASTREG_PAGE);
	f = kit_fast(p->b, FASTREG_PAGE, TRUE);
	mine = kit_sink(p->a->pd, count * FASTREG_PAGE);
	page = (NDK_LOGICAL_ADDRESS *)kit_alloc(count * sizeof(*page));
	REQUIRE(f && mine);
	f->memory = kit_buffer(p->b->adapter, p->b->pd, 2 * count * FASTREG_PAGE);
	REQUIRE(f->memory != (struct kit_buffer *)0);
	for (i = 0; i < count; i++)
		page[i] = f->memory->lam->AdapterPageArray[2 * (count - 1 - i)];
	f->page = page;
	f->pages = count;
	f->length = (SIZE_T)count * NDK_PAGE_SIZE;
	f->base = f->memory->data;
	REQUIRE_STATUS(kit_initialize(f->mr, count, TRUE), STATUS_SUCCESS);
	REQUIRE(kit_fast_register_now(&l.b, f, FASTREG_BOTH));
	/* the list was only lent (U-49) */
	memset(page, 0xff, count * sizeof(*page));
	for (i = 0; i < 2 * count; i++)
		kit_fill(f->memory, i * FASTREG_PAGE, FASTREG_PAGE, 0x0d);
	for (i = 0; i < count; i++)
		kit_fill(mine, i * FASTREG_PAGE, FASTREG_PAGE, (UCHAR)i);
	REQUIRE(kit_write_now(&l.a, mine, 0, mine->size, KIT_FAST_AT(f, 0), f->remote));
	for (i = 0; i < count; i++)
		REQUIRE(kit_verify(f->memory, 2 * (count - 1 - i) * FASTREG_PAGE, FASTREG_PAGE, (UCHAR)i));
	kit_fill(mine, 0, mine->size, 0);
	REQUIRE(kit_read_now(&l.a, mine, 0, mine->size, KIT_FAST_AT(f, 0), f->remote));
	for (i = 0; i < count; i++)
		REQUIRE(kit_verify(mine, i * FASTREG_PAGE, FASTREG_PAGE, (UCHAR)i));
	for (i = 0; i < count; i++)
		REQUIRE(kit_verify(f->memory, (2 * i + 1) * FASTREG_PAGE, FASTREG_PAGE, 0x0d));
}

CONF_CASES(fastreg, CASE(fastreg_early), CASE(fastreg_local_only), CASE(fastreg_offset), CASE(fastreg_limits),
	   CASE(fastreg_initialise_again), CASE(fastreg_initialise_at_once), CASE(fastreg_wrong), CASE(fastreg_state),
	   CASE(fastreg_not_ordinary), CASE(fastreg_rights), CASE(fastreg_scattered));
