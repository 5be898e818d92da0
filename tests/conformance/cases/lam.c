/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Logical address mappings: what NdkBuildLAM writes and refuses, that its addresses lead to the memory,
 * and that nothing stays behind. Runs where a case runs.
 */
#include "linked.h"

#define LAM_PAGE ((ULONG)NDK_PAGE_SIZE)
#define LAM_PAGES 7u
#define LAM_OFFSET 333u
#define LAM_POISON 0xa6

/* A mapping to be, with room for a few pages and something behind them. */
struct lam {
	NDK_LOGICAL_ADDRESS_MAPPING *lam;
	ULONG room, size, fbo;
};

static void lam_new(struct lam *m, ULONG pages)
{
	m->room = KIT_LAM_SIZE(pages);
	m->size = m->room;
	m->fbo = 0xdeadu;
	m->lam = (NDK_LOGICAL_ADDRESS_MAPPING *)kit_alloc(KIT_LAM_SIZE(16));
	memset(m->lam, LAM_POISON, KIT_LAM_SIZE(16));
}

static NTSTATUS lam_build(NDK_ADAPTER *a, struct lam *m, MDL *mdl, SIZE_T length)
{
	return kit_wait(kit_begin_lam(a, mdl, length, m->lam, &m->size, &m->fbo));
}

/* Nothing written beyond the room that was given. */
static BOOLEAN lam_in_bounds(const struct lam *m)
{
	const UCHAR *byte = (const UCHAR *)m->lam;
	ULONG i;

	for (i = m->room; i < KIT_LAM_SIZE(16); i++)
		if (byte[i] != LAM_POISON)
			return conf_fail("lam", 0, "byte %u of a mapping with room for %u was written", i, m->room);
	return TRUE;
}

/* Bytes of the buffer as the mapping has them, sent from there and received. */
static BOOLEAN lam_leads_there(struct linked *l, const struct lam *m, const struct kit_buffer *b, ULONG offset,
			       ULONG length)
{
	PVOID sent = kit_context(), received = kit_context();
	ULONG at = m->fbo + offset;
	NDK_SGE sge;

	memset(&sge, 0, sizeof(sge));
	sge.LogicalAddress.QuadPart = m->lam->AdapterPageArray[at / LAM_PAGE].QuadPart + at % LAM_PAGE;
	sge.Length = length;
	sge.MemoryRegionToken = l->a.buffer->token;
	if (!CHECK_STATUS(kit_receive(l->b.qp, received, l->b.buffer, 0, length), STATUS_SUCCESS) ||
	    !CHECK_STATUS(l->a.qp->Dispatch->NdkSend(l->a.qp, sent, &sge, 1, 0), STATUS_SUCCESS))
		return FALSE;
	return kit_expect(l->b.cq, received, STATUS_SUCCESS) && kit_expect(l->a.cq, sent, STATUS_SUCCESS) &&
	       CHECK(memcmp(l->b.buffer->data, b->data + LAM_OFFSET + offset, length) == 0);
}

NDK_CASE(lam_pages, "LAM-3 LAM-4 LAM-8 LAM-9 U-50", NDK_ON_ALL,
	 "seven pages entered at an odd offset: too little room is told with the need, then one entry a page")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_buffer *b = kit_plain(8 * LAM_PAGE);
		const ULONG length = LAM_PAGES * LAM_PAGE - LAM_OFFSET - 5;
		struct kit_pair *p;
		struct linked l;
		struct lam m;
		MDL *mdl, before;
		ULONG i;

		p = linked_first(&l);
		REQUIRE(p != (struct kit_pair *)0);
		kit_fill(b, 0, b->size, 0x15);
		mdl = kit_piece(b, 0, LAM_OFFSET, length);
		REQUIRE(mdl != (MDL *)0);
		before = *mdl;
		lam_new(&m, 3);
		REQUIRE_STATUS(lam_build(p->a->adapter, &m, mdl, length), STATUS_BUFFER_TOO_SMALL);
		CHECK_EQ(m.size, KIT_LAM_SIZE(LAM_PAGES));
		CHECK(lam_in_bounds(&m));
		m.room = m.size;
		REQUIRE_STATUS(lam_build(p->a->adapter, &m, mdl, length), STATUS_SUCCESS);
		CHECK_EQ(m.size, KIT_LAM_SIZE(LAM_PAGES));
		CHECK_EQ(m.fbo, LAM_OFFSET);
		CHECK_EQ(m.lam->AdapterPageCount, LAM_PAGES);
		CHECK(lam_in_bounds(&m));
		for (i = 0; i < LAM_PAGES; i++)
			CHECK_EQ(m.lam->AdapterPageArray[i].QuadPart % LAM_PAGE, 0);
		for (i = 0; i < LAM_PAGES; i++)
			REQUIRE(lam_leads_there(&l, &m, b, i * LAM_PAGE, 64));
		REQUIRE(lam_leads_there(&l, &m, b, length - 9, 9));
		p->a->adapter->Dispatch->NdkReleaseLAM(p->a->adapter, m.lam);
		CHECK(memcmp(&before, mdl, sizeof(before)) == 0);
	}
}

NDK_CASE(lam_shapes, "LAM-1 LAM-2 LAM-3", NDK_ON_ALL,
	 "a part of the chain, a chain of three, a byte at either end of a page: as many entries as pages are touched")
{
	static const struct {
		ULONG offset, length, pages;
	} shape[] = {
		{ 0, 1, 1 }, { 4095, 1, 1 }, { 4095, 2, 2 }, { 0, 4096, 1 }, { 1, 4096, 2 }, { 100, 8192, 3 },
	};
	struct kit_side *s = kit_side(0);
	struct kit_buffer *b;
	struct lam m;
	unsigned i;
	MDL *mdl;

	REQUIRE(s != (struct kit_side *)0);
	SKIP_UNLESS(LAM_PAGE == 4096, "the table is for pages of 4096 bytes");
	for (i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		b = kit_plain(4 * LAM_PAGE);
		mdl = kit_piece(b, 0, shape[i].offset, 3 * LAM_PAGE - shape[i].offset);
		REQUIRE(mdl != (MDL *)0);
		lam_new(&m, 16);
		REQUIRE_STATUS(lam_build(s->adapter, &m, mdl, shape[i].length), STATUS_SUCCESS);
		CHECK_EQ(m.lam->AdapterPageCount, shape[i].pages);
		CHECK_EQ(m.size, KIT_LAM_SIZE(shape[i].pages));
		CHECK_EQ(m.fbo, shape[i].offset);
		s->adapter->Dispatch->NdkReleaseLAM(s->adapter, m.lam);
	}
	/* three members that adjoin */
	b = kit_plain(4 * LAM_PAGE);
	mdl = kit_piece(b, 0, LAM_OFFSET, LAM_PAGE - LAM_OFFSET);
	REQUIRE(mdl && kit_piece(b, 1, LAM_PAGE, LAM_PAGE) && kit_piece(b, 2, 2 * LAM_PAGE, 77));
	mdl->Next = b->piece[1];
	b->piece[1]->Next = b->piece[2];
	lam_new(&m, 16);
	REQUIRE_STATUS(lam_build(s->adapter, &m, mdl, 2 * LAM_PAGE - LAM_OFFSET + 77), STATUS_SUCCESS);
	CHECK_EQ(m.lam->AdapterPageCount, 3);
	s->adapter->Dispatch->NdkReleaseLAM(s->adapter, m.lam);
}

NDK_CASE(lam_wrong, "LAM-1 LAM-2 LAM-4 LAM-7 REQ-2", NDK_ON_ALL,
	 "no buffer, no length, more than the chain has, a hole, no room at all: refused, and nothing is mapped")
{
	KIT_EACH_ANSWER(mode) {
		struct kit_side *s = kit_side(0);
		struct kit_buffer *b = kit_plain(4 * LAM_PAGE);
		struct lam m, none;
		MDL *first;

		REQUIRE(s && b);
		first = kit_piece(b, 0, 0, LAM_PAGE);
		REQUIRE(first && kit_piece(b, 1, 2 * LAM_PAGE, LAM_PAGE));
		first->Next = b->piece[1];
		lam_new(&m, 16);
		CHECK_STATUS(lam_build(s->adapter, &m, (MDL *)0, 8), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(lam_build(s->adapter, &m, b->mdl, 0), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(lam_build(s->adapter, &m, b->mdl, b->size + 1), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(lam_build(s->adapter, &m, first, 2 * LAM_PAGE), STATUS_INVALID_PARAMETER);
		CHECK_STATUS(lam_build(s->adapter, &m, first, LAM_PAGE + 1), STATUS_INVALID_PARAMETER);
		none.lam = (NDK_LOGICAL_ADDRESS_MAPPING *)0;
		none.size = 0;
		CHECK_STATUS(lam_build(s->adapter, &none, b->mdl, b->size), STATUS_BUFFER_TOO_SMALL);
		CHECK_EQ(none.size, KIT_LAM_SIZE(4));
		/* what came before the hole is whole */
		m.size = m.room;
		REQUIRE_STATUS(lam_build(s->adapter, &m, first, LAM_PAGE), STATUS_SUCCESS);
		s->adapter->Dispatch->NdkReleaseLAM(s->adapter, m.lam);
	}
}

NDK_CASE(lam_no_memory, "LAM-7 REQ-2", NDK_ON_ALL,
	 "each allocation of a mapping fails in turn: STATUS_INSUFFICIENT_RESOURCES, then the next one maps")
{
	const char *name = conf_adapter_name(0);
	struct kit_side *s = kit_side(0);
	struct kit_buffer *b = kit_plain(LAM_PAGES * LAM_PAGE);
	long n, failed, before, refused = 0;
	NTSTATUS status;
	struct lam m;

	REQUIRE(s && b);
	for (n = 1; n < 20; n++) {
		REQUIRE(ndk_control_allocs(name, (long *)0, &before) == 0);
		lam_new(&m, 16);
		REQUIRE(ndk_control_fail_alloc(name, n, 0) == 0);
		status = lam_build(s->adapter, &m, b->mdl, b->size);
		ndk_control_fail_alloc(name, 0, 0);
		REQUIRE(ndk_control_allocs(name, (long *)0, &failed) == 0);
		if (failed == before) {
			REQUIRE_STATUS(status, STATUS_SUCCESS);
			s->adapter->Dispatch->NdkReleaseLAM(s->adapter, m.lam);
			break;
		}
		refused++;
		REQUIRE_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
		m.size = m.room;
		REQUIRE_STATUS(lam_build(s->adapter, &m, b->mdl, b->size), STATUS_SUCCESS);
		s->adapter->Dispatch->NdkReleaseLAM(s->adapter, m.lam);
	}
	CHECK(refused > 0);
	CHECK(n < 20);
}

/* ---- a mapping keeps its adapter ---- */

struct lam_closing {
	NDK_ADAPTER *adapter;
	struct conf_signal closed;
};

static void lam_close_adapter(PVOID arg)
{
	struct lam_closing *c = (struct lam_closing *)arg;

	NdkCloseAdapter(c->adapter);
	conf_signal(&c->closed);
}

/* Past the monitors, for whom an adapter is gone when its close begins. */
NDK_CASE(lam_holds_adapter, "LAM-12", NDK_ON_T | NDK_ON_K,
	 "closing an adapter waits for the release of its mappings")
{
	struct lam_closing *c = (struct lam_closing *)kit_alloc(sizeof(*c));
	struct kit_buffer *b = kit_plain(2 * LAM_PAGE);
	const NDK_VERSION version = { 2, 1 };
	struct lam m;
	PVOID thread;

	conf_signal_init(&c->closed);
	REQUIRE(b && NdkOpenAdapter(conf_adapter_name(0), version, &c->adapter) == NDIS_STATUS_SUCCESS);
	lam_new(&m, 16);
	REQUIRE_STATUS(lam_build(c->adapter, &m, b->mdl, b->size), STATUS_SUCCESS);
	thread = conf_spawn(lam_close_adapter, c);
	CHECK(!conf_wait(&c->closed, 200));
	c->adapter->Dispatch->NdkReleaseLAM(c->adapter, m.lam);
	CHECK(conf_wait(&c->closed, KIT_PATIENCE_MS));
	conf_join(thread);
}

CONF_CASES(lam, CASE(lam_pages), CASE(lam_shapes), CASE(lam_wrong), CASE(lam_no_memory), CASE(lam_holds_adapter));
