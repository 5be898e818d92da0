/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory under load and in trouble: many threads that register, invalidate and bind as fast as they can,
 * and connections, regions and devices that go while such requests are posted and nobody has polled. A
 * checker of memory then has the most to see. Runs where a case runs; the first needs threads.
 */
#include "linked.h"

#define STRESS_THREADS 4u
#define STRESS_SIZE 4096u
#define STRESS_PIECE 256u
#define STRESS_BOTH (NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE)
#define STRESS_CHAIN 4u /* binds in a row; all that is posted at once fits KIT_DEPTH */

/* A connection whose active end exposes memory in all three ways, and whose passive end writes there. */
struct stress {
	struct linked l;
	struct kit_fast *fast;
	struct kit_buffer *region, *from;
	NDK_MW *mw; /* NULL: the adapter has none */
	unsigned rounds;
};

static BOOLEAN stress_open(struct stress *s, const struct kit_pair *p)
{
	memset(s, 0, sizeof(*s));
	if (!linked_open(&s->l, p) || !linked_greet(&s->l))
		return FALSE;
	s->fast = kit_fast(&s->l.a, STRESS_SIZE, TRUE);
	s->region = kit_buffer_mr(s->l.a.pd, STRESS_SIZE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	s->from = kit_sink(s->l.b.pd, STRESS_PIECE);
	if (s->l.a.info->MaxWindowSize)
		s->mw = kit_create_mw(s->l.a.pd);
	return s->fast && s->region && s->from && (s->mw || !s->l.a.info->MaxWindowSize);
}

/* The peer's write arrives. */
static BOOLEAN stress_write(struct stress *s, const struct kit_buffer *to, ULONG offset, UINT64 at, UINT32 token,
			    UCHAR seed)
{
	kit_fill(s->from, 0, STRESS_PIECE, seed);
	return kit_write_now(&s->l.b, s->from, 0, STRESS_PIECE, at, token) &&
	       kit_verify(to, offset, STRESS_PIECE, seed);
}

static BOOLEAN stress_fast(struct stress *s, unsigned round)
{
	ULONG offset = round * 64 % (STRESS_SIZE - STRESS_PIECE);

	return kit_fast_register_now(&s->l.a, s->fast, STRESS_BOTH) &&
	       stress_write(s, s->fast->memory, offset, KIT_FAST_AT(s->fast, offset), s->fast->remote, (UCHAR)round) &&
	       KIT_INVALIDATE_NOW(&s->l.a, s->fast->mr);
}

/* After requests for it failed, a window takes no binds until it has been put right. */
static NTSTATUS stress_bind(struct stress *s, PVOID context, ULONG offset)
{
	UINT64 end = conf_now_us() + KIT_PATIENCE_MS * 1000u;
	NTSTATUS status;

	do {
		status = kit_bind(s->l.a.qp, context, s->mw, s->region, offset, STRESS_PIECE, STRESS_BOTH);
	} while (status == STATUS_NO_MORE_ENTRIES && conf_now_us() < end && conf_nap());
	return status;
}

/* Binds in a row, the last of which counts. TRUE: all were posted. */
static BOOLEAN stress_binds(struct stress *s, PVOID *bind, ULONG last)
{
	unsigned i;

	for (i = 0; i < STRESS_CHAIN; i++) {
		bind[i] = kit_context();
		if (!CHECK_STATUS(stress_bind(s, bind[i], i + 1 < STRESS_CHAIN ? i * STRESS_PIECE : last), STATUS_SUCCESS))
			return FALSE;
	}
	return TRUE;
}

static BOOLEAN stress_window(struct stress *s, unsigned round)
{
	ULONG offset = round * 32 % (STRESS_SIZE - STRESS_PIECE);
	PVOID bind[STRESS_CHAIN];
	unsigned i;

	if (!s->mw)
		return TRUE;
	if (!stress_binds(s, bind, offset))
		return FALSE;
	for (i = 0; i < STRESS_CHAIN; i++)
		if (!kit_expect_type(s->l.a.cq, bind[i], NdkOperationTypeBind))
			return FALSE;
	return stress_write(s, s->region, offset, KIT_AT(s->region, offset), kit_window_token(s->mw), (UCHAR)~round) &&
	       KIT_INVALIDATE_NOW(&s->l.a, s->mw);
}

static void stress_run(PVOID arg)
{
	struct stress *s = (struct stress *)arg;
	unsigned i;

	for (i = 0; i < s->rounds && !conf_failed(); i++)
		if (!stress_fast(s, i) || !stress_window(s, i))
			return;
}

NDK_CASE(stress_together, "QP-15 QP-18 QP-22 MW-1 MW-3 MR-16", NDK_ON_ALL,
	 "several connections at once register, bind, write and invalidate many times over")
{
	struct stress s[STRESS_THREADS];
	PVOID thread[STRESS_THREADS];
	struct kit_pair *p = kit_pair(NDK_V4);
	unsigned i;

	REQUIRE(p != (struct kit_pair *)0);
	for (i = 0; i < STRESS_THREADS; i++) {
		REQUIRE(stress_open(&s[i], p));
		s[i].rounds = conf_place() == NDK_ON_K ? 60 : 300;
	}
	for (i = 0; i < STRESS_THREADS; i++) {
		thread[i] = conf_place() == NDK_ON_S ? (PVOID)0 : conf_spawn(stress_run, &s[i]);
		if (!thread[i])
			stress_run(&s[i]);
	}
	for (i = 0; i < STRESS_THREADS; i++)
		if (thread[i])
			conf_join(thread[i]);
}

/* Taken; or refused because the connection has ended already, or a request before it has failed. */
static BOOLEAN stress_taken(NTSTATUS status, BOOLEAN doomed)
{
	if (doomed && (status == STATUS_CONNECTION_INVALID || status == STATUS_INVALID_DEVICE_REQUEST ||
		       status == STATUS_NO_MORE_ENTRIES))
		return TRUE;
	return CHECK_STATUS(status, STATUS_SUCCESS);
}

static BOOLEAN stress_chain(struct stress *s, BOOLEAN doomed)
{
	unsigned i;

	for (i = 0; i < STRESS_CHAIN; i++)
		if (!stress_taken(kit_bind(s->l.a.qp, kit_context(), s->mw, s->region, i * STRESS_PIECE, STRESS_PIECE,
					   STRESS_BOTH),
				  doomed))
			return FALSE;
	return TRUE;
}

/* Everything at once, and nobody polls: registration, invalidation, registration, binds, an unbinding. */
static BOOLEAN stress_post_all(struct stress *s, BOOLEAN doomed)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (!stress_taken(kit_fast_register(s->l.a.qp, kit_context(), s->fast, STRESS_BOTH), doomed) ||
		    !stress_taken(KIT_INVALIDATE(s->l.a.qp, kit_context(), s->fast->mr, 0), doomed))
			return FALSE;
	return !s->mw ||
	       (stress_chain(s, doomed) &&
		stress_taken(KIT_INVALIDATE(s->l.a.qp, kit_context(), s->mw, 0), doomed) && stress_chain(s, doomed));
}

static unsigned stress_posted(const struct stress *s)
{
	return 4 + (s->mw ? 2 * STRESS_CHAIN + 1 : 0);
}

/* Each of so many requests has one result, whatever it is. */
static BOOLEAN stress_results(struct stress *s, unsigned n)
{
	NDK_RESULT_EX r;

	while (n--)
		if (!CHECK(kit_result(s->l.a.cq, &r)))
			return FALSE;
	return CHECK_EQ(kit_drain(s->l.a.cq), 0);
}

NDK_CASE(stress_broken, "U-28 MW-3 QP-18 QP-22", NDK_ON_ALL,
	 "a refused write ahead of them ends the connection with registrations and binds posted: the objects serve the next one")
{
	struct kit_pair *p = kit_pair(NDK_V4);
	struct stress s;
	unsigned i;

	REQUIRE(p != (struct kit_pair *)0);
	REQUIRE(stress_open(&s, p));
	for (i = 0; i < 6; i++) {
		struct kit_buffer *mine = kit_sink(s.l.a.pd, 64);

		REQUIRE(mine != (struct kit_buffer *)0);
		/* what ends with the connection: with nothing to complete, a device has nothing to tell */
		REQUIRE_STATUS(kit_receive(s.l.a.qp, kit_context(), s.l.a.buffer, 0, 16), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_receive(s.l.b.qp, kit_context(), s.l.b.buffer, 0, 16), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_write(s.l.a.qp, kit_context(), mine, 0, 64, KIT_AT(s.from, 0),
					 s.from->remote ^ 0x00a5a500u, 0),
			       STATUS_SUCCESS);
		REQUIRE(stress_post_all(&s, TRUE));
		REQUIRE(kit_disconnected(s.l.a.conn, KIT_PATIENCE_MS));
		REQUIRE(linked_close(&s.l));
		REQUIRE(linked_open(&s.l, p) && linked_greet(&s.l));
		REQUIRE(stress_fast(&s, i) && stress_window(&s, i));
	}
}

NDK_CASE(stress_closing, "CLOSE-1 CLOSE-2 LIFE-3 MW-2", NDK_ON_ALL,
	 "regions and windows are closed with requests for them posted and not polled: closes end, every request has its result")
{
	struct kit_pair *p = kit_pair(NDK_V4);
	struct stress s;
	unsigned i;

	REQUIRE(p != (struct kit_pair *)0);
	for (i = 0; i < 4; i++) {
		REQUIRE(stress_open(&s, p));
		REQUIRE(stress_post_all(&s, FALSE));
		if (i & 1)
			REQUIRE(KIT_CLOSED(s.fast->mr));
		REQUIRE(!s.mw || KIT_CLOSED(s.mw));
		REQUIRE(stress_results(&s, stress_posted(&s)));
		REQUIRE(linked_close(&s.l));
	}
}

NDK_CASE(stress_removed, "U-45 CLOSE-1 MW-2", NDK_ON_ALL,
	 "the device goes with a window bound and registrations posted: every close ends, every request has its result")
{
	struct kit_pair *p = kit_pair(NDK_V4);
	struct stress s;

	REQUIRE(p != (struct kit_pair *)0);
	REQUIRE(stress_open(&s, p));
	REQUIRE(stress_post_all(&s, FALSE));
	SKIP_UNLESS(conf_remove(0), "this place cannot remove a device");
	CHECK(kit_disconnected(s.l.a.conn, KIT_PATIENCE_MS));
	CHECK(stress_results(&s, stress_posted(&s)));
	kit_close_all(KIT_CHILDREN_FIRST);
	CHECK(conf_return(0));
}

CONF_CASES(memory_stress, CASE(stress_together), CASE(stress_broken), CASE(stress_closing), CASE(stress_removed));
