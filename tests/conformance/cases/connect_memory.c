/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Attempts that run out of memory, at every allocation there is: the entry's own, which shows in what
 * the call returns, and those made later on its behalf, which show in the callback. Context and
 * ownership: conf.h, attempt.h.
 */
#include "attempt.h"

/* More allocations than an attempt makes on this side; the search ends earlier, when none fails. */
#define DEEPEST 40

struct shortage {
	unsigned at_once, later; /* how often the status came which way */
	BOOLEAN over;		 /* the last attempt did not reach the allocation that would have failed */
};

static long failed_so_far(void)
{
	long failed = 0;

	CHECK_EQ(ndk_control_allocs(conf_adapter_name(0), (long *)0, &failed), 0);
	return failed;
}

/* Until the attempt is answered or arrives; then memory is there again. */
static void until_known(struct attempt *t, struct kit_call *c)
{
	UINT64 until = conf_now_us() + KIT_PATIENCE_MS * 1000ull;

	while (!kit_answered(c) && conf_now_us() < until) {
		t->peer = kit_arrival_ms(t->pair->b->listener, 2);
		if (t->peer)
			break;
	}
	CHECK_EQ(ndk_control_fail_alloc(conf_adapter_name(0), 0, 0), 0);
}

static BOOLEAN goes_on(struct attempt *t, struct kit_call *c)
{
	struct kit_call *accepting = kit_begin_accept(t->peer, t->pair->b->qp, NO_PARAMS, KIT_EVENT);

	return CHECK_STATUS(kit_wait(c), STATUS_SUCCESS) && attempt_finish(t, accepting) && attempt_carries(t);
}

/* The n-th allocation of the attempt fails. FALSE: no use going on. */
static BOOLEAN starve(struct shortage *s, int form, long n)
{
	struct kit_call *c;
	struct attempt t;
	NTSTATUS status;
	long failed;

	if (!attempt_open(&t, NDK_V4, form))
		return FALSE;
	failed = failed_so_far();
	/* if it is the peer who has no memory, it is silent and asked again, for a while */
	attempt_deadline(0, NDK_TIME_CONNECT, 3000);
	if (!CHECK_EQ(ndk_control_fail_alloc(conf_adapter_name(0), n, 0), 0))
		return FALSE;
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	until_known(&t, c);
	attempt_deadlines_default();
	s->over = failed_so_far() == failed;
	if (t.peer)
		return CHECK(goes_on(&t, c)); /* it could do without, or the peer could */
	status = kit_wait(c);
	CHECK(attempt_answered(c, ATTEMPT_ANY_WAY));
	CHECK(!s->over);
	if (status == STATUS_INSUFFICIENT_RESOURCES) {
		s->later += kit_pended(c);
		s->at_once += !kit_pended(c);
	} else if (conf_place() != NDK_ON_K || (status != STATUS_CONNECTION_REFUSED && status != STATUS_IO_TIMEOUT)) {
		/* one device is both sides in the kernel: there the peer's allocation may have failed */
		CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
	}
	return CHECK(attempt_recovers(&t));
}

NDK_CASE(connect_no_memory, "CONN-10 CONN-24 CONN-35 REQ-1 REQ-2 U-5", NDK_ON_ALL,
	 "each allocation fails in turn: STATUS_INSUFFICIENT_RESOURCES, at once or by callback; then the retry connects")
{
	struct shortage s;
	long n;

	ATTEMPT_EACH_FORM(form) {
		memset(&s, 0, sizeof(s));
		for (n = 1; n <= DEEPEST && !s.over; n++) {
			if (!starve(&s, form, n)) {
				conf_note("form %d, allocation %ld", form, n);
				return;
			}
			kit_close_all(KIT_CHILDREN_FIRST);
		}
		CHECK(s.at_once > 0);
		CHECK(s.later > 0);
		CHECK(s.over);
	}
}

NDK_CASE(connect_no_memory_at_once, "CONN-10 CONN-35 REQ-2", NDK_ON_S,
	 "allocations that fail later show in what the call returns when the call waits for its answer")
{
	unsigned seen = 0;
	struct attempt t;
	struct kit_call *c;
	long n;

	ATTEMPT_EACH_FORM(form) {
		for (n = 1; n <= 3; n++) {
			REQUIRE(attempt_open(&t, NDK_V4, form));
			t.pair->b->listener->mode = KIT_REJECT;
			REQUIRE(kit_answer(0, NDK_ANSWER_WAIT));
			REQUIRE(ndk_control_fail_alloc(conf_adapter_name(0), n, 0) == 0);
			c = attempt_begin(&t, &t.to, NO_PARAMS);
			ndk_control_fail_alloc(conf_adapter_name(0), 0, 0);
			REQUIRE(kit_answer(0, NDK_ANSWER_NATURAL));
			CHECK(attempt_answered(c, ATTEMPT_AT_ONCE));
			seen += c->returned == STATUS_INSUFFICIENT_RESOURCES;
			if (c->returned != STATUS_INSUFFICIENT_RESOURCES)
				CHECK_STATUS(c->returned, STATUS_CONNECTION_REFUSED);
			kit_close_all(KIT_CHILDREN_FIRST);
		}
	}
	CHECK(seen >= 4);
}

CONF_CASES(connect_memory, CASE(connect_no_memory), CASE(connect_no_memory_at_once));
