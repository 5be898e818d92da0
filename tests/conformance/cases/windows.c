/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory windows: what a bound one opens and what not, binding again, unbinding, what NdkBind refuses,
 * and the hold of a window on its region. A window is bound over the connection on which it is tried,
 * so that nothing but the window can be the reason of a refusal. Runs where a case runs.
 */
#include "linked.h"

#define WINDOWS_THIRD 1000u
#define WINDOWS_BOTH (NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE)
#define WINDOWS_NONE "the adapter has no memory windows"

struct windows {
	struct kit_pair *p;
	struct linked l;
	struct kit_buffer *region, *mine;
	NDK_MW *mw;
	BOOLEAN none; /* the adapter has no windows */
};

/* A connection, a region of three thirds with these rights, and a window that is not bound. */
static BOOLEAN windows_open(struct windows *w, ULONG rights)
{
	memset(w, 0, sizeof(*w));
	w->p = kit_pair(NDK_V4);
	if (!w->p)
		return FALSE;
	w->none = w->p->b->info->MaxWindowSize == 0;
	if (w->none)
		return TRUE;
	w->region = kit_buffer_mr(w->p->b->pd, 3 * WINDOWS_THIRD, rights);
	w->mine = kit_sink(w->p->a->pd, 3 * WINDOWS_THIRD);
	w->mw = kit_create_mw(w->p->b->pd);
	return w->region && w->mine && w->mw && linked_open(&w->l, w->p);
}

static BOOLEAN windows_bind(struct windows *w, ULONG offset, ULONG length, ULONG flags)
{
	return kit_bind_now(&w->l.b, w->mw, w->region, offset, length, flags);
}

/* The peer writes length bytes through the window, and they are there. */
static BOOLEAN windows_write(struct windows *w, ULONG offset, ULONG length)
{
	UCHAR seed = (UCHAR)(offset * 3 + length);

	kit_fill(w->mine, 0, length, seed);
	return kit_write_now(&w->l.a, w->mine, 0, length, KIT_AT(w->region, offset), kit_window_token(w->mw)) &&
	       kit_verify(w->region, offset, length, seed);
}

static BOOLEAN windows_read(struct windows *w, ULONG offset, ULONG length)
{
	kit_fill(w->region, offset, length, 0x42);
	kit_fill(w->mine, 0, length, 0);
	return kit_read_now(&w->l.a, w->mine, 0, length, KIT_AT(w->region, offset), kit_window_token(w->mw)) &&
	       kit_verify(w->mine, 0, length, 0x42);
}

NDK_CASE(windows_reach, "MW-1 QP-15 U-28", NDK_ON_ALL,
	 "T-MM-09 a window over the middle third: its first and last byte can be written, one further cannot")
{
	static const struct {
		enum linked_access access;
		ULONG at, length;
	} outside[] = {
		{ LINKED_WRITE, WINDOWS_THIRD - 1, 1 },	   { LINKED_WRITE, 2 * WINDOWS_THIRD, 1 },
		{ LINKED_WRITE, 2 * WINDOWS_THIRD - 1, 2 }, { LINKED_READ, WINDOWS_THIRD, 1 },
	};
	struct windows w;
	unsigned i;

	REQUIRE(windows_open(&w, NDK_MR_FLAG_ALLOW_LOCAL_WRITE));
	SKIP_UNLESS(!w.none, WINDOWS_NONE);
	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		if (outside[i].access == LINKED_READ && !linked_checks_reading()) /* it is inside, without the right */
			continue;
		REQUIRE(windows_bind(&w, WINDOWS_THIRD, WINDOWS_THIRD, NDK_OP_FLAG_ALLOW_REMOTE_WRITE));
		REQUIRE(windows_write(&w, WINDOWS_THIRD, 1) && windows_write(&w, 2 * WINDOWS_THIRD - 1, 1) &&
			windows_write(&w, WINDOWS_THIRD, WINDOWS_THIRD));
		kit_fill(w.region, 0, w.region->size, 0x31);
		REQUIRE(linked_refuses(&w.l, outside[i].access, outside[i].length, KIT_AT(w.region, outside[i].at),
				       kit_window_token(w.mw)));
		REQUIRE(kit_verify(w.region, 0, w.region->size, 0x31));
		REQUIRE(linked_open(&w.l, w.p));
	}
}

NDK_CASE(windows_again, "MW-1 MW-3 QP-15 U-28", NDK_ON_ALL,
	 "T-MM-10 bound again over another range: the new token works at once, the old one never more")
{
	struct windows w;
	UINT32 old;
	int i;

	REQUIRE(windows_open(&w, NDK_MR_FLAG_ALLOW_LOCAL_WRITE));
	SKIP_UNLESS(!w.none, WINDOWS_NONE);
	for (i = 0; i < 2; i++) {
		PVOID bind = kit_context();

		REQUIRE(windows_bind(&w, 0, WINDOWS_THIRD, WINDOWS_BOTH));
		REQUIRE(windows_write(&w, 0, WINDOWS_THIRD));
		old = kit_window_token(w.mw);
		REQUIRE_STATUS(kit_bind(w.l.b.qp, bind, w.mw, w.region, WINDOWS_THIRD, WINDOWS_THIRD, WINDOWS_BOTH),
			       STATUS_SUCCESS);
		CHECK(kit_window_token(w.mw) != old);
		REQUIRE(kit_expect_type(w.l.b.cq, bind, NdkOperationTypeBind));
		REQUIRE(windows_write(&w, WINDOWS_THIRD, WINDOWS_THIRD) && windows_read(&w, WINDOWS_THIRD, 10));
		kit_fill(w.region, 0, w.region->size, 0x31);
		/* where the window was, and where it is */
		REQUIRE(linked_refuses(&w.l, LINKED_WRITE, 8, KIT_AT(w.region, (ULONG)i * WINDOWS_THIRD), old));
		REQUIRE(kit_verify(w.region, 0, w.region->size, 0x31));
		REQUIRE(linked_open(&w.l, w.p));
	}
}

NDK_CASE(windows_right_missing, "QP-16 QP-2", NDK_ON_ALL,
	 "T-MM-11 remote write over a region without local write: refused in the call, the window stays unbound")
{
	struct windows w;

	REQUIRE(windows_open(&w, NDK_MR_FLAG_ALLOW_LOCAL_READ));
	SKIP_UNLESS(!w.none, WINDOWS_NONE);
	CHECK_STATUS(kit_bind(w.l.b.qp, kit_context(), w.mw, w.region, 0, 8, NDK_OP_FLAG_ALLOW_REMOTE_WRITE),
		     STATUS_ACCESS_VIOLATION);
	CHECK_STATUS(kit_bind(w.l.b.qp, kit_context(), w.mw, w.region, 0, 8, WINDOWS_BOTH), STATUS_ACCESS_VIOLATION);
	CHECK_STATUS(KIT_INVALIDATE(w.l.b.qp, kit_context(), w.mw, 0), STATUS_INVALID_DEVICE_REQUEST);
	CHECK(linked_silent(&w.l));
	/* local read is all that remote read wants */
	REQUIRE(windows_bind(&w, 0, WINDOWS_THIRD, NDK_OP_FLAG_ALLOW_REMOTE_READ));
	REQUIRE(windows_read(&w, 0, WINDOWS_THIRD));
	REQUIRE(linked_refuses(&w.l, LINKED_WRITE, 1, KIT_AT(w.region, 0), kit_window_token(w.mw)));
	if (linked_checks_reading())
		REQUIRE(linked_refused(w.p, LINKED_READ, 1, KIT_AT(w.region, 0), w.region->remote));
}

NDK_CASE(windows_busy, "MR-10 MW-2 U-34 U-36", NDK_ON_ALL,
	 "T-MM-12 no deregistering under a bound window: STATUS_DEVICE_BUSY, and both go on as before")
{
	KIT_EACH_ANSWER(mode) {
		struct windows w;
		int i;

		REQUIRE(windows_open(&w, NDK_MR_FLAG_ALLOW_REMOTE_WRITE));
		SKIP_UNLESS(!w.none, WINDOWS_NONE);
		for (i = 0; i < 2; i++) {
			REQUIRE(windows_bind(&w, 0, WINDOWS_THIRD, WINDOWS_BOTH));
			CHECK_STATUS(kit_deregister(w.region->mr), STATUS_DEVICE_BUSY);
			CHECK_STATUS(kit_deregister(w.region->mr), STATUS_DEVICE_BUSY);
			REQUIRE(windows_write(&w, 0, WINDOWS_THIRD));
			kit_fill(w.mine, 0, 8, (UCHAR)(0x51 + i));
			REQUIRE(kit_write_now(&w.l.a, w.mine, 0, 8, KIT_AT(w.region, 2 * WINDOWS_THIRD),
					      w.region->remote));
			REQUIRE(kit_verify(w.region, 2 * WINDOWS_THIRD, 8, (UCHAR)(0x51 + i)));
			/* once unbound, once closed */
			if (i)
				REQUIRE(KIT_CLOSED(w.mw));
			else
				REQUIRE(KIT_INVALIDATE_NOW(&w.l.b, w.mw));
			REQUIRE_STATUS(kit_deregister(w.region->mr), STATUS_SUCCESS);
			if (i)
				break;
			REQUIRE_STATUS(kit_register(w.region->mr, w.region->mdl, w.region->size,
						    NDK_MR_FLAG_ALLOW_REMOTE_WRITE),
				       STATUS_SUCCESS);
			w.region->remote = w.region->mr->Dispatch->NdkGetRemoteTokenFromMr(w.region->mr);
		}
	}
}

/* Closes the region under two windows: it waits until the second of them lets go as well. */
static void windows_hold_round(BOOLEAN invalidate)
{
	struct kit_call *closing;
	struct windows w;
	NDK_MW *second;

	REQUIRE(windows_open(&w, NDK_MR_FLAG_ALLOW_LOCAL_WRITE));
	SKIP_UNLESS(!w.none, WINDOWS_NONE);
	second = kit_create_mw(w.p->b->pd);
	REQUIRE(second != (NDK_MW *)0);
	REQUIRE(windows_bind(&w, 0, WINDOWS_THIRD, WINDOWS_BOTH));
	REQUIRE(kit_bind_now(&w.l.b, second, w.region, WINDOWS_THIRD, 8, NDK_OP_FLAG_ALLOW_REMOTE_READ));
	closing = KIT_CLOSE(w.region->mr);
	w.region->mr = (NDK_MR *)0; /* the buffer's end has nothing to close any more */
	CHECK(kit_pended(closing));
	conf_settle();
	CHECK(!kit_answered(closing));
	REQUIRE(windows_write(&w, 0, WINDOWS_THIRD));
	REQUIRE(KIT_INVALIDATE_NOW(&w.l.b, second));
	conf_settle();
	CHECK(!kit_answered(closing));
	if (invalidate)
		REQUIRE(KIT_INVALIDATE_NOW(&w.l.b, w.mw));
	else
		REQUIRE(KIT_CLOSED(w.mw));
	CHECK_STATUS(kit_wait(closing), STATUS_SUCCESS);
}

NDK_CASE(windows_hold, "MW-2 LIFE-3 CLOSE-2 U-36", NDK_ON_ALL,
	 "closing a region waits for its windows, which serve until then, to be unbound or closed")
{
	windows_hold_round(TRUE);
	kit_close_all(KIT_CHILDREN_FIRST);
	windows_hold_round(FALSE);
}

NDK_CASE(windows_unbound, "MW-3 QP-22 U-28 U-36", NDK_ON_ALL,
	 "an invalidated window refuses the peer, cannot be invalidated again, and can be bound again")
{
	struct windows w;
	UINT32 token;

	REQUIRE(windows_open(&w, NDK_MR_FLAG_ALLOW_LOCAL_WRITE));
	SKIP_UNLESS(!w.none, WINDOWS_NONE);
	CHECK_STATUS(KIT_INVALIDATE(w.l.b.qp, kit_context(), w.mw, 0), STATUS_INVALID_DEVICE_REQUEST);
	REQUIRE(windows_bind(&w, 0, WINDOWS_THIRD, WINDOWS_BOTH));
	REQUIRE(windows_write(&w, 0, 8));
	token = kit_window_token(w.mw);
	REQUIRE(KIT_INVALIDATE_NOW(&w.l.b, w.mw));
	CHECK_STATUS(KIT_INVALIDATE(w.l.b.qp, kit_context(), w.mw, 0), STATUS_INVALID_DEVICE_REQUEST);
	CHECK(linked_silent(&w.l));
	kit_fill(w.region, 0, 8, 0x31);
	REQUIRE(linked_refuses(&w.l, LINKED_WRITE, 8, KIT_AT(w.region, 0), token));
	CHECK(kit_verify(w.region, 0, 8, 0x31));
	REQUIRE(linked_open(&w.l, w.p));
	REQUIRE(windows_bind(&w, 0, WINDOWS_THIRD, WINDOWS_BOTH));
	CHECK(kit_window_token(w.mw) != token);
	REQUIRE(windows_write(&w, 0, 8));
	/* the end of a window unbinds it */
	token = kit_window_token(w.mw);
	REQUIRE(KIT_CLOSED(w.mw));
	REQUIRE(linked_refuses(&w.l, LINKED_READ, 8, KIT_AT(w.region, 0), token));
}

/* A bind that is refused in the call, and gives no result. */
static BOOLEAN windows_refused(struct windows *w, NDK_MR *mr, const UCHAR *at, SIZE_T length, ULONG flags,
			       NTSTATUS expected)
{
	NDK_QP *qp = w->l.b.qp;

	return CHECK_STATUS(qp->Dispatch->NdkBind(qp, kit_context(), mr, w->mw, (PVOID)(ULONG_PTR)at, length, flags),
			    expected);
}

NDK_CASE(windows_wrong, "QP-2 QP-15 QP-17 MR-1 U-27", NDK_ON_ALL,
	 "NdkBind over anything but a piece of a registered region is refused, and the window stays as it was")
{
	struct kit_fast *fast;
	struct windows w;
	const UCHAR *at;
	NDK_MR *mr, *empty;

	REQUIRE(windows_open(&w, NDK_MR_FLAG_ALLOW_LOCAL_WRITE));
	SKIP_UNLESS(!w.none, WINDOWS_NONE);
	fast = kit_fast(w.p->b, (ULONG)NDK_PAGE_SIZE, TRUE);
	empty = kit_create_mr(w.p->b->pd, FALSE);
	REQUIRE(fast && empty);
	REQUIRE(kit_fast_register_now(&w.l.b, fast, WINDOWS_BOTH));
	mr = w.region->mr;
	at = w.region->data;
	REQUIRE(windows_refused(&w, fast->mr, fast->memory->data, 8, WINDOWS_BOTH, STATUS_INVALID_DEVICE_REQUEST));
	REQUIRE(windows_refused(&w, empty, at, 8, WINDOWS_BOTH, STATUS_INVALID_DEVICE_REQUEST));
	REQUIRE(windows_refused(&w, mr, at, 0, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, mr, at - 1, 8, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, mr, at + 1, 3 * WINDOWS_THIRD, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, mr, at + 3 * WINDOWS_THIRD, 1, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, mr, (UCHAR *)0, 8, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, mr, at, ~(SIZE_T)0, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, mr, at, w.p->b->info->MaxWindowSize + 1, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, mr, at, 8, NDK_OP_FLAG_INLINE, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, mr, at, 8, NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, mr, at, 8, 0x8000, STATUS_INVALID_PARAMETER));
	CHECK_STATUS(KIT_INVALIDATE(w.l.b.qp, kit_context(), w.mw, 0), STATUS_INVALID_DEVICE_REQUEST);
	REQUIRE(windows_bind(&w, 0, 3 * WINDOWS_THIRD, WINDOWS_BOTH));
	REQUIRE(windows_refused(&w, mr, at, 0, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	CHECK(linked_silent(&w.l));
	REQUIRE(windows_write(&w, 0, 3 * WINDOWS_THIRD));
}

#define WINDOWS_WHOLE (64u << 20) /* what a case can have of memory */

NDK_CASE(windows_longest, "QP-2 QP-15", NDK_ON_ALL,
	 "a window of the adapter's greatest size can be bound and used at both ends, one byte more is refused")
{
	struct kit_buffer *region, *mine;
	struct kit_pair *p;
	struct linked l;
	BOOLEAN any = FALSE;
	unsigned which;
	ULONG most;
	NDK_MW *mw;

	for (which = 0; which <= 2; which += 2) {
		if (!conf_adapter_name(which))
			continue;
		p = linked_pair(0, which ? which : 1);
		REQUIRE(p && linked_open(&l, p) && linked_greet(&l));
		if (!p->b->info->MaxWindowSize || p->b->info->MaxWindowSize > WINDOWS_WHOLE ||
		    p->b->info->MaxWindowSize >= p->b->info->MaxRegistrationSize)
			continue;
		any = TRUE;
		most = (ULONG)p->b->info->MaxWindowSize;
		region = kit_buffer_mr(p->b->pd, most + 1, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
		mine = kit_sink(p->a->pd, 8);
		mw = kit_create_mw(p->b->pd);
		REQUIRE(region && mine && mw);
		CHECK_STATUS(kit_bind(l.b.qp, kit_context(), mw, region, 0, (SIZE_T)most + 1, WINDOWS_BOTH),
			     STATUS_INVALID_PARAMETER);
		CHECK(linked_silent(&l));
		REQUIRE(kit_bind_now(&l.b, mw, region, 1, most, WINDOWS_BOTH));
		kit_fill(mine, 0, 8, 0x2d);
		REQUIRE(kit_write_now(&l.a, mine, 0, 8, KIT_AT(region, 1), kit_window_token(mw)));
		REQUIRE(kit_write_now(&l.a, mine, 0, 8, KIT_AT(region, most - 7), kit_window_token(mw)));
		CHECK(kit_verify(region, 1, 8, 0x2d) && kit_verify(region, most - 7, 8, 0x2d));
	}
	SKIP_UNLESS(any, "no adapter has windows smaller than its regions");
}

NDK_CASE(windows_strangers, "QP-2 QP-15", NDK_ON_ALL,
	 "T-MM-13 window, region and queue pair of different protection domains do not bind")
{
	struct kit_buffer *elsewhere;
	struct windows w;
	NDK_MW *mw, *own;
	NDK_PD *other;

	REQUIRE(windows_open(&w, NDK_MR_FLAG_ALLOW_LOCAL_WRITE));
	SKIP_UNLESS(!w.none, WINDOWS_NONE);
	other = kit_create_pd(w.p->b->adapter);
	REQUIRE(other != (NDK_PD *)0);
	elsewhere = kit_buffer_mr(other, 64, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	mw = kit_create_mw(other);
	own = w.mw;
	REQUIRE(elsewhere && mw);
	REQUIRE(windows_refused(&w, elsewhere->mr, elsewhere->data, 8, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	w.mw = mw;
	REQUIRE(windows_refused(&w, w.region->mr, w.region->data, 8, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	REQUIRE(windows_refused(&w, elsewhere->mr, elsewhere->data, 8, WINDOWS_BOTH, STATUS_INVALID_PARAMETER));
	CHECK(KIT_INVALIDATE(w.l.b.qp, kit_context(), mw, 0) != STATUS_SUCCESS);
	CHECK_STATUS(KIT_INVALIDATE(w.l.b.qp, kit_context(), own, 0), STATUS_INVALID_DEVICE_REQUEST);
	CHECK(linked_silent(&w.l));
	REQUIRE(linked_refuses(&w.l, LINKED_WRITE, 8, KIT_AT(elsewhere, 0), elsewhere->remote));
}

NDK_CASE(windows_early, "MW-1 DEFER-2 DEFER-6 QP-15", NDK_ON_ALL,
	 "a token read before its bind completed, and sent behind it, is good when the peer gets it")
{
	PVOID bind = kit_context(), send = kit_context(), receive = kit_context();
	struct windows w;
	UINT32 token;

	REQUIRE(windows_open(&w, NDK_MR_FLAG_ALLOW_LOCAL_WRITE));
	SKIP_UNLESS(!w.none, WINDOWS_NONE);
	REQUIRE(linked_greet(&w.l));
	REQUIRE_STATUS(kit_receive(w.l.a.qp, receive, w.l.a.buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_bind(w.l.b.qp, bind, w.mw, w.region, 0, WINDOWS_THIRD, WINDOWS_BOTH | NDK_OP_FLAG_DEFER),
		       STATUS_SUCCESS);
	token = kit_window_token(w.mw);
	memcpy(w.l.b.buffer->data, &token, sizeof(token));
	REQUIRE_STATUS(kit_send(w.l.b.qp, send, w.l.b.buffer, 0, sizeof(token), 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(w.l.a.cq, receive, STATUS_SUCCESS));
	memcpy(&token, w.l.a.buffer->data, sizeof(token));
	kit_fill(w.mine, 0, WINDOWS_THIRD, 0x55);
	REQUIRE(kit_write_now(&w.l.a, w.mine, 0, WINDOWS_THIRD, KIT_AT(w.region, 0), token));
	REQUIRE(kit_verify(w.region, 0, WINDOWS_THIRD, 0x55));
	REQUIRE(kit_expect_type(w.l.b.cq, bind, NdkOperationTypeBind));
	REQUIRE(kit_expect_type(w.l.b.cq, send, NdkOperationTypeSend));
	CHECK_EQ(kit_window_token(w.mw), token);
}

CONF_CASES(windows, CASE(windows_reach), CASE(windows_again), CASE(windows_right_missing), CASE(windows_busy),
	   CASE(windows_hold), CASE(windows_unbound), CASE(windows_wrong), CASE(windows_longest),
	   CASE(windows_strangers), CASE(windows_early));
