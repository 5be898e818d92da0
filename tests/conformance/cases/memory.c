/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory regions of NdkRegisterMr: what may be registered, in which order, and that it then is what the
 * peer reaches. What a peer must not reach is in access.c. Runs where a case runs.
 */
#include "linked.h"

#ifdef __KERNEL__
#include <linux/mm.h>
#include <linux/vmalloc.h>
#endif

#define MEMORY_PAGE ((ULONG)NDK_PAGE_SIZE)
#define MEMORY_ALL \
	(NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE)

/* The peer writes a piece of the region and reads it back; it is there, and comes back as it went. */
static BOOLEAN memory_there_and_back(struct linked *l, const struct kit_buffer *target, ULONG offset, ULONG length,
				     UINT64 at, UINT32 token)
{
	struct kit_buffer *from = kit_buffer_mr(l->a.pd, length, NDK_MR_FLAG_ALLOW_LOCAL_READ);
	struct kit_buffer *back = kit_sink(l->a.pd, length);
	UCHAR seed = (UCHAR)(length + offset * 5 + 1);
	BOOLEAN fine;

	if (!from || !back)
		return FALSE;
	kit_fill(from, 0, length, seed);
	fine = kit_write_now(&l->a, from, 0, length, at, token) && kit_verify(target, offset, length, seed) &&
	       kit_read_now(&l->a, back, 0, length, at, token) && kit_verify(back, 0, length, seed);
	kit_release(from);
	kit_release(back);
	return fine;
}

NDK_CASE(memory_register, "MR-2 MR-6 MR-7 MR-15 QP-9 QP-11", NDK_ON_ALL,
	 "T-MM-01 64 KiB registered with all rights: the peer writes them and reads them back, from any offset")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_pair *p;
		struct linked l;
		NDK_MR *mr;
		struct kit_buffer *b;

		p = linked_first(&l);
		REQUIRE(p != (struct kit_pair *)0);
		b = kit_plain(65536);
		mr = kit_create_mr(p->b->pd, FALSE);
		REQUIRE(b && mr);
		REQUIRE_STATUS(kit_register(mr, b->mdl, b->size, MEMORY_ALL), STATUS_SUCCESS);
		b->remote = mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
		REQUIRE(memory_there_and_back(&l, b, 0, 65536, KIT_AT(b, 0), b->remote));
		REQUIRE(memory_there_and_back(&l, b, 5001, 333, KIT_AT(b, 5001), b->remote));
		REQUIRE(memory_there_and_back(&l, b, 65535, 1, KIT_AT(b, 65535), b->remote));
		CHECK_EQ(mr->Dispatch->NdkGetRemoteTokenFromMr(mr), b->remote);
		CHECK_STATUS(kit_deregister(mr), STATUS_SUCCESS);
		REQUIRE(KIT_CLOSED(mr));
	}
}

/* Three members: half of a page and two whole ones, the last of them `hole` pages late. */
static MDL *memory_chain_of(struct kit_buffer *b, unsigned hole)
{
	MDL *first = kit_piece(b, 0, 200, MEMORY_PAGE - 200), *second, *third;

	second = kit_piece(b, 1, MEMORY_PAGE, MEMORY_PAGE);
	third = kit_piece(b, 2, (2 + hole) * MEMORY_PAGE, MEMORY_PAGE);
	if (!first || !second || !third)
		return (MDL *)0;
	first->Next = second;
	second->Next = third;
	return first;
}

NDK_CASE(memory_chain, "MR-2 MR-3 MR-6 REQ-1 REQ-2", NDK_ON_ALL,
	 "T-MM-02 a chain with a hole is refused, which costs the MR nothing; one without serves across its seams")
{
	const ULONG all = 3 * MEMORY_PAGE - 200;

	KIT_EACH_ANSWER(mode) {
		struct kit_buffer *holed = kit_plain(4 * MEMORY_PAGE), *whole = kit_plain(4 * MEMORY_PAGE);
		MDL *bad = memory_chain_of(holed, 1), *good = memory_chain_of(whole, 0);
		struct kit_pair *p;
		struct kit_call *c;
		struct linked l;
		UINT32 token;
		NDK_MR *mr;

		REQUIRE(bad && good);
		p = linked_first(&l);
		REQUIRE(p != (struct kit_pair *)0);
		mr = kit_create_mr(p->b->pd, FALSE);
		REQUIRE(mr != (NDK_MR *)0);
		c = kit_begin_register(mr, bad, all, MEMORY_ALL);
		REQUIRE_STATUS(kit_wait(c), STATUS_INVALID_PARAMETER);
		conf_settle();
		CHECK_EQ(c->callbacks, kit_pended(c));
		if (mode == NDK_ANSWER_NATURAL)
			CHECK(!kit_pended(c));
		REQUIRE_STATUS(kit_register(mr, good, all, MEMORY_ALL), STATUS_SUCCESS);
		token = mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
		REQUIRE(memory_there_and_back(&l, whole, 200, all, KIT_AT(whole, 200), token));
		REQUIRE(memory_there_and_back(&l, whole, MEMORY_PAGE - 3, 6, KIT_AT(whole, MEMORY_PAGE - 3), token));
		REQUIRE(memory_there_and_back(&l, whole, 2 * MEMORY_PAGE - 1, 2, KIT_AT(whole, 2 * MEMORY_PAGE - 1),
					      token));
		/* a hole behind what is registered is nobody's business */
		REQUIRE_STATUS(kit_deregister(mr), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_register(mr, bad, 2 * MEMORY_PAGE - 200, MEMORY_ALL), STATUS_SUCCESS);
		token = mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
		REQUIRE(memory_there_and_back(&l, holed, MEMORY_PAGE - 3, 6, KIT_AT(holed, MEMORY_PAGE - 3), token));
		REQUIRE(KIT_CLOSED(mr));
	}
}

/* Refused, once, whichever way it is answered. */
static BOOLEAN memory_wrong(NDK_MR *mr, MDL *mdl, SIZE_T length, ULONG flags, NTSTATUS expected)
{
	struct kit_call *c = kit_begin_register(mr, mdl, length, flags);

	return CHECK_STATUS(kit_wait(c), expected) && CHECK_EQ(c->callbacks, kit_pended(c) ? 1 : 0);
}

NDK_CASE(memory_register_wrong, "MR-2 MR-7 REQ-2", NDK_ON_ALL,
	 "T-MM-03 no buffer, no length, more than the chain has or the adapter can, unknown rights: refused")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_side *s = kit_side(0);
		struct kit_buffer *b = kit_plain(2 * MEMORY_PAGE);
		NDK_MR *mr;

		REQUIRE(s && b);
		mr = kit_create_mr(s->pd, FALSE);
		REQUIRE(mr != (NDK_MR *)0);
		REQUIRE(memory_wrong(mr, (MDL *)0, MEMORY_PAGE, 0, STATUS_INVALID_PARAMETER));
		REQUIRE(memory_wrong(mr, b->mdl, 0, 0, STATUS_INVALID_PARAMETER));
		REQUIRE(memory_wrong(mr, b->mdl, b->size + 1, 0, STATUS_INVALID_PARAMETER));
		REQUIRE(memory_wrong(mr, b->mdl, s->info->MaxRegistrationSize + 1, 0, STATUS_INVALID_PARAMETER));
		REQUIRE(memory_wrong(mr, b->mdl, b->size, 0x10, STATUS_INVALID_PARAMETER));
		REQUIRE(memory_wrong(mr, b->mdl, b->size, 0x80000000u, STATUS_INVALID_PARAMETER));
		/* none of it took hold */
		REQUIRE_STATUS(kit_deregister(mr), STATUS_INVALID_DEVICE_REQUEST);
		REQUIRE_STATUS(kit_register(mr, b->mdl, b->size, 0), STATUS_SUCCESS);
		REQUIRE(KIT_CLOSED(mr));
	}
}

NDK_CASE(memory_misuse, "MR-1 MR-10 MR-11 U-34", NDK_ON_ALL,
	 "registering twice, ending what is not registered, and each kind of MR used as the other: refused, no more")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_buffer *b = kit_plain(MEMORY_PAGE);
		NDK_MR *plain, *fast;
		struct kit_pair *p;
		struct linked l;

		p = linked_first(&l);
		REQUIRE(p && b);
		plain = kit_create_mr(p->b->pd, FALSE);
		fast = kit_create_mr(p->b->pd, TRUE);
		REQUIRE(plain && fast);
		CHECK_STATUS(kit_deregister(plain), STATUS_INVALID_DEVICE_REQUEST);
		CHECK_STATUS(kit_initialize(plain, 4, TRUE), STATUS_INVALID_DEVICE_REQUEST);
		REQUIRE_STATUS(kit_register(plain, b->mdl, b->size, MEMORY_ALL), STATUS_SUCCESS);
		CHECK_STATUS(kit_register(plain, b->mdl, b->size, MEMORY_ALL), STATUS_INVALID_DEVICE_REQUEST);
		CHECK_STATUS(kit_initialize(plain, 4, TRUE), STATUS_INVALID_DEVICE_REQUEST);
		REQUIRE(memory_there_and_back(&l, b, 0, b->size, KIT_AT(b, 0),
					      plain->Dispatch->NdkGetRemoteTokenFromMr(plain)));
		REQUIRE_STATUS(kit_deregister(plain), STATUS_SUCCESS);
		CHECK_STATUS(kit_deregister(plain), STATUS_INVALID_DEVICE_REQUEST);
		CHECK_STATUS(kit_register(fast, b->mdl, b->size, 0), STATUS_INVALID_DEVICE_REQUEST);
		REQUIRE_STATUS(kit_initialize(fast, 4, TRUE), STATUS_SUCCESS);
		CHECK_STATUS(kit_register(fast, b->mdl, b->size, 0), STATUS_INVALID_DEVICE_REQUEST);
		CHECK_STATUS(kit_deregister(fast), STATUS_INVALID_DEVICE_REQUEST);
		REQUIRE(KIT_CLOSED(plain) && KIT_CLOSED(fast));
	}
}

/*
 * Where the flag is needed, memory without it takes no reads, nor does any behind the privileged token.
 * Devices may be more generous than they say; the fabric is not, so that consumers notice.
 */
static void memory_sink_missing(struct linked *l, const struct kit_pair *p, const struct kit_buffer *source)
{
	struct kit_buffer *plain = kit_buffer_mr(p->a->pd, MEMORY_PAGE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	NDK_RESULT_EX r;
	int i;

	if (conf_place() == NDK_ON_K)
		return;
	REQUIRE(plain != (struct kit_buffer *)0);
	for (i = 0; i < 2; i++) {
		PVOID read = kit_context();

		REQUIRE_STATUS(kit_read(l->a.qp, read, i ? l->a.buffer : plain, 0, 64, KIT_AT(source, 0),
					source->remote, 0),
			       STATUS_SUCCESS);
		REQUIRE(kit_result(l->a.cq, &r));
		CHECK(r.RequestContext == read);
		CHECK(linked_is_refusal(r.Status));
		REQUIRE(linked_close(l) && linked_open(l, p));
	}
}

/* The flag together with all others on that adapter; reads land in whatever can be written. */
static void memory_sink_on(unsigned which)
{
	struct kit_pair *p = linked_pair(which, 1);
	struct kit_buffer *source, *into;
	struct linked l;
	ULONG rights;

	REQUIRE(p && linked_open(&l, p));
	source = kit_exposed(p->b->pd, MEMORY_PAGE);
	REQUIRE(source != (struct kit_buffer *)0);
	kit_fill(source, 0, MEMORY_PAGE, 0x21);
	/* bit 2 alone is remote write without the local write that belongs to it */
	for (rights = 0; rights < 8; rights++) {
		if ((rights & NDK_MR_FLAG_ALLOW_REMOTE_WRITE) == 4)
			continue;
		into = kit_buffer_mr(p->a->pd, MEMORY_PAGE, rights | NDK_MR_FLAG_RDMA_READ_SINK);
		REQUIRE(into != (struct kit_buffer *)0);
		if (rights & NDK_MR_FLAG_ALLOW_LOCAL_WRITE)
			REQUIRE(kit_read_now(&l.a, into, 0, MEMORY_PAGE, KIT_AT(source, 0), source->remote) &&
				kit_verify(into, 0, MEMORY_PAGE, 0x21));
		kit_release(into);
	}
	if (!(p->a->info->AdapterFlags & NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED)) {
		memory_sink_missing(&l, p, source);
		return;
	}
	into = kit_buffer_mr(p->a->pd, MEMORY_PAGE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REQUIRE(into != (struct kit_buffer *)0);
	REQUIRE(kit_read_now(&l.a, into, 0, MEMORY_PAGE, KIT_AT(source, 0), source->remote));
	REQUIRE(kit_verify(into, 0, MEMORY_PAGE, 0x21));
	REQUIRE(kit_read_now(&l.a, l.a.buffer, 0, 100, KIT_AT(source, 0), source->remote));
	REQUIRE(kit_verify(l.a.buffer, 0, 100, 0x21));
}

NDK_CASE(memory_sink_flag, "MR-7 MR-8 MR-9", NDK_ON_ALL,
	 "T-MM-04 the read sink flag goes with any other right on any adapter, and reads land there")
{
	memory_sink_on(0);
	if (conf_adapter_name(2))
		memory_sink_on(2);
}

NDK_CASE(memory_close_pending, "CLOSE-2 REQ-1 REQ-2 U-3 U-34", NDK_ON_ALL,
	 "T-MM-08 an MR closed while it is being registered: both are answered, the close last")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_side *s = kit_side(0);
		struct kit_buffer *b = kit_plain(8 * MEMORY_PAGE);
		struct kit_call *registering, *closing;
		NTSTATUS status;
		NDK_MR *mr;

		REQUIRE(s && b);
		mr = kit_create_mr(s->pd, FALSE);
		REQUIRE(mr != (NDK_MR *)0);
		registering = kit_begin_register(mr, b->mdl, b->size, MEMORY_ALL);
		closing = KIT_CLOSE(mr);
		REQUIRE_STATUS(kit_wait(closing), STATUS_SUCCESS);
		/* nothing is left to come once the close has been answered */
		REQUIRE(kit_answered(registering));
		status = kit_wait(registering);
		CHECK(status == STATUS_SUCCESS || status == STATUS_CANCELLED);
		CHECK_EQ(registering->callbacks, kit_pended(registering) ? 1 : 0);
		if (kit_pended(registering) && kit_pended(closing))
			CHECK(registering->left < closing->entered);
	}
}

NDK_CASE(memory_latency, "MR-2 MR-10 MR-15 REQ-4", NDK_ON_ALL,
	 "T-MM-08 registering and deregistering over sizes: the calls return, the answers come, the notes say when")
{
	ULONG rounds = conf_place() == NDK_ON_K ? 5 : 50, most = conf_place() == NDK_ON_K ? 1048576 : 4194304;
	struct kit_side *s = kit_side(0);
	struct kit_buffer *b;
	ULONG size, i;
	NDK_MR *mr;

	REQUIRE(s != (struct kit_side *)0);
	if (most > s->info->MaxRegistrationSize)
		most = (ULONG)s->info->MaxRegistrationSize;
	b = kit_plain(most);
	mr = kit_create_mr(s->pd, FALSE);
	REQUIRE(b && mr);
	for (size = 1; size <= most; size *= 16) {
		UINT64 in_call = 0, till_done = 0, undone = 0, before;

		for (i = 0; i < rounds; i++) {
			struct kit_call *c;

			before = conf_now_us();
			c = kit_begin_register(mr, b->mdl, size, MEMORY_ALL);
			in_call += conf_now_us() - before;
			REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
			till_done += c->done_us - c->began_us;
			c = kit_begin_deregister(mr);
			REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
			undone += c->done_us - c->began_us;
		}
		conf_note("%8u bytes: registered in %llu us, %llu of them in the call; deregistered in %llu us", size,
			  till_done / rounds, in_call / rounds, undone / rounds);
	}
}

/* ---- the address is an index ---- */

#define MEMORY_PAGES 4u
/* Nothing is there, neither in the kernel nor below it. */
#define MEMORY_NOWHERE ((PVOID)(ULONG_PTR)0x7007007000ull)

/* An MDL of the buffer's pages under an address where there is nothing. */
static MDL *memory_elsewhere(struct kit_buffer *b)
{
#ifdef __KERNEL__
	struct page *page[MEMORY_PAGES];
	unsigned i;

	for (i = 0; i < MEMORY_PAGES; i++)
		page[i] = vmalloc_to_page(b->data + i * PAGE_SIZE);
	return NdkMdlFromPages(page, MEMORY_PAGES, 0, b->size, MEMORY_NOWHERE, GFP_KERNEL);
#else
	(void)b;
	return (MDL *)0;
#endif
}

NDK_CASE(memory_index, "MR-5 MR-6 LAM-6 LAM-9", NDK_ON_K,
	 "pages under an address that is not mapped: registered, mapped and reached all the same")
{
	ULONG size = KIT_LAM_SIZE(MEMORY_PAGES), fbo = 1;
	NDK_LOGICAL_ADDRESS_MAPPING *lam = (NDK_LOGICAL_ADDRESS_MAPPING *)kit_alloc(size);
	struct kit_buffer *b = kit_plain(MEMORY_PAGES * MEMORY_PAGE);
	UINT64 at = (UINT64)(ULONG_PTR)MEMORY_NOWHERE;
	MDL *mdl = memory_elsewhere(b), *own = b->mdl;
	struct kit_pair *p;
	struct linked l;
	UINT32 token;
	NDK_MR *mr;

	REQUIRE(mdl != (MDL *)0);
	/* the buffer frees it instead of its own */
	IoFreeMdl(own);
	b->mdl = mdl;
	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	mr = kit_create_mr(p->b->pd, FALSE);
	REQUIRE(mr != (NDK_MR *)0);
	REQUIRE_STATUS(kit_register(mr, mdl, b->size, MEMORY_ALL), STATUS_SUCCESS);
	token = mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
	REQUIRE(memory_there_and_back(&l, b, 0, b->size, at, token));
	REQUIRE(memory_there_and_back(&l, b, MEMORY_PAGE - 1, 2, at + MEMORY_PAGE - 1, token));
	REQUIRE_STATUS(kit_wait(kit_begin_lam(p->b->adapter, mdl, b->size, lam, &size, &fbo)), STATUS_SUCCESS);
	CHECK_EQ(fbo, 0);
	CHECK_EQ(lam->AdapterPageCount, MEMORY_PAGES);
	p->b->adapter->Dispatch->NdkReleaseLAM(p->b->adapter, lam);
	CHECK(MmGetMdlVirtualAddress(mdl) == MEMORY_NOWHERE && MmGetMdlByteCount(mdl) == b->size);
}

CONF_CASES(memory, CASE(memory_register), CASE(memory_chain), CASE(memory_register_wrong), CASE(memory_misuse),
	   CASE(memory_sink_flag), CASE(memory_close_pending), CASE(memory_latency), CASE(memory_index));
