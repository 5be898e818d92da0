/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Attempts that fail because of the network, the peer or a lack of memory. Each status is shown for
 * both forms of connect, by callback and, where the place can wait inside a call, at once; and after
 * each the same connector and QP connect, with the receive that was posted before (CONN-24).
 * Context and ownership: conf.h, attempt.h.
 */
#include "stages.h"

/* ---- nowhere to go ---- */
static BOOLEAN unreachable(enum conf_bad_address kind, int family, int form, NTSTATUS want, enum attempt_way way)
{
	struct kit_address to;
	struct attempt t;

	if (!attempt_open(&t, family, form) || !attempt_bad(kind, family, kit_fresh_port(), &to))
		return FALSE;
	if (way == ATTEMPT_AT_ONCE && !CHECK(kit_answer(0, NDK_ANSWER_WAIT)))
		return FALSE;
	/* nobody should have to wait for three seconds of unanswered address resolution */
	if (kind == CONF_NO_NEIGHBOUR && !attempt_deadline(0, NDK_TIME_RESOLVE, 700))
		return FALSE;
	if (!attempt_fails(&t, &to, want, way) || !attempt_fails(&t, &to, want, way))
		return FALSE;
	attempt_deadlines_default();
	if (way == ATTEMPT_AT_ONCE)
		CHECK(kit_answer(0, NDK_ANSWER_NATURAL));
	return CHECK(attempt_recovers(&t));
}

/* In both families where the place has such an address, in both forms. */
static void unreachable_everyhow(enum conf_bad_address kind, NTSTATUS want, enum attempt_way way)
{
	struct kit_address probe;
	unsigned shown = 0;

	KIT_EACH_FAMILY(family) {
		if (attempt_bad(kind, family, 7, &probe)) {
			ATTEMPT_EACH_FORM(form)
				shown += unreachable(kind, family, form, want, way);
		}
	}
	attempt_deadlines_default();
	if (!shown && !conf_failed())
		conf_skip("the place has no address with this defect");
}

NDK_CASE(connect_no_route, "CONN-11 CONN-24 CONN-35 U-5", NDK_ON_ALL,
	 "T-CN-04 no route to the network: STATUS_NETWORK_UNREACHABLE by callback, then the retry connects")
{
	KIT_EACH_ANSWER(mode)
		unreachable_everyhow(CONF_NO_ROUTE, STATUS_NETWORK_UNREACHABLE, ATTEMPT_LATER);
}

NDK_CASE(connect_no_neighbour, "CONN-12 CONN-24 CONN-35 U-5", NDK_ON_ALL,
	 "T-CN-04 nobody answers for the host: STATUS_HOST_UNREACHABLE by callback, then the retry connects")
{
	KIT_EACH_ANSWER(mode)
		unreachable_everyhow(CONF_NO_NEIGHBOUR, STATUS_HOST_UNREACHABLE, ATTEMPT_LATER);
}

NDK_CASE(connect_unreachable_at_once, "CONN-11 CONN-12 CONN-24 CONN-35 REQ-2", NDK_ON_S,
	 "STATUS_NETWORK_UNREACHABLE and STATUS_HOST_UNREACHABLE as what the call returns, without a callback")
{
	unreachable_everyhow(CONF_NO_ROUTE, STATUS_NETWORK_UNREACHABLE, ATTEMPT_AT_ONCE);
	unreachable_everyhow(CONF_NO_NEIGHBOUR, STATUS_HOST_UNREACHABLE, ATTEMPT_AT_ONCE);
}

/* ---- nobody home ---- */
static void no_listener(int family, int form)
{
	struct kit_listener *l;
	struct kit_address to;
	struct attempt t;

	REQUIRE(attempt_open(&t, family, form));
	to = kit_address(1, family, kit_fresh_port());
	REQUIRE(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	l = kit_create_listener(t.pair->b->adapter);
	REQUIRE(l);
	/* a listener that does not listen yet is none */
	REQUIRE(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	REQUIRE_STATUS(kit_listen(l, &to), STATUS_SUCCESS);
	REQUIRE(attempt_connect_to(&t, l));
	CHECK(attempt_carries(&t));
	CHECK_EQ(l->events, 1);
}

NDK_CASE(connect_no_listener, "CONN-13 CONN-24 CONN-35 U-5", NDK_ON_ALL,
	 "T-CN-03 T-SE-06 nobody listens: STATUS_CONNECTION_REFUSED; somebody does: the same connector connects")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family) {
			ATTEMPT_EACH_FORM(form)
				no_listener(family, form);
		}
	}
}

NDK_CASE(connect_to_port_zero, "CONN-13 CONN-6 CONN-34 CONN-35", NDK_ON_ALL,
	 "nobody can listen on port 0: STATUS_CONNECTION_REFUSED, at once or by callback")
{
	struct kit_address to;
	struct attempt t;

	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form) {
			REQUIRE(attempt_open(&t, NDK_V4, form));
			to = t.to;
			kit_set_port(&to, 0);
			CHECK(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, attempt_local(mode)));
			CHECK(attempt_recovers(&t));
		}
	}
}

static void paused(int form)
{
	NDK_LISTENER *l;
	struct attempt t;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	l = t.pair->b->listener->listener;
	l->Dispatch->NdkControlConnectEvents(l, TRUE);
	REQUIRE(attempt_fails(&t, &t.to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	REQUIRE(attempt_fails(&t, &t.to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	CHECK_EQ(t.pair->b->listener->events, 0);
	l->Dispatch->NdkControlConnectEvents(l, FALSE);
	conf_sleep(KIT_QUIET_MS);
	CHECK_EQ(t.pair->b->listener->events, 0); /* what was refused is not replayed (LISTEN-11) */
	CHECK(attempt_recovers(&t));
	CHECK_EQ(t.pair->b->listener->events, 1);
}

NDK_CASE(connect_paused, "CONN-13 LISTEN-10 LISTEN-11 CONN-24 CONN-35", NDK_ON_ALL,
	 "a paused listener refuses as if it were not there, without an event; resumed it serves the retry")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			paused(form);
	}
}

/* ---- a full backlog ---- */
#define BACKLOG 2u

static void backlog_full(int form)
{
	struct kit_conn *waiting[BACKLOG];
	struct kit_call *calls[BACKLOG];
	struct attempt first, t, u;
	unsigned i;

	REQUIRE(attempt_open(&first, NDK_V4, form));
	t = first; /* its connector and early receive are for the one that is refused */
	for (i = 0; i < BACKLOG; i++) {
		REQUIRE(attempt_another(&first, &u));
		if (form == ATTEMPT_SHARED) /* one 4-tuple each: from another shared endpoint */
			u.shared = kit_create_shared(first.pair->a->adapter, &first.from);
		REQUIRE(u.shared || form == ATTEMPT_PLAIN);
		calls[i] = attempt_begin(&u, &first.to, NO_PARAMS);
		waiting[i] = kit_arrival(first.pair->b->listener);
		REQUIRE(waiting[i]);
	}
	REQUIRE(attempt_fails(&t, &t.to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	CHECK_EQ(t.pair->b->listener->events, BACKLOG);
	CHECK(!kit_answered(calls[0]) && !kit_answered(calls[1]));
	/* one answered makes room for one: an accept counts, and so does a reject */
	kit_begin_accept(waiting[0], kit_another_qp(first.pair->b), NO_PARAMS, KIT_EVENT);
	CHECK_STATUS(kit_wait(calls[0]), STATUS_SUCCESS);
	CHECK_STATUS(kit_reject(waiting[1], (const VOID *)0, 0), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(calls[1]), STATUS_CONNECTION_REFUSED);
	CHECK(attempt_recovers(&t));
	CHECK_EQ(t.pair->b->listener->events, BACKLOG + 1);
}

NDK_CASE(connect_backlog, "CONN-13 LISTEN-6 CONN-24 CONN-35", NDK_ON_ALL,
	 "a listener with its limit of unanswered requests refuses the next one, and takes it when one is answered")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form) {
			REQUIRE(ndk_control_backlog(conf_adapter_name(1), BACKLOG) == 0);
			backlog_full(form);
			ndk_control_backlog(conf_adapter_name(1), NDK_DEFAULT_BACKLOG);
		}
	}
}

/* ---- a peer that says no ---- */

/* The rejecting peer's data, limits 0 (U-12). */
static void read_refusal(struct attempt *t, const UCHAR *data, ULONG len)
{
	NDK_CONNECTOR *c = t->conn->connector;
	ULONG in = 77, out = 77, size = 512;
	UCHAR *got = (UCHAR *)conf_alloc(size);

	if (CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, &in, &out, got, &size), STATUS_SUCCESS)) {
		CHECK_EQ(in, 0);
		CHECK_EQ(out, 0);
		if (CHECK(size >= len))
			CHECK(memcmp(got, data, len) == 0);
	}
	conf_free(got);
}

/* Until the next connect, even if that is not answered yet. */
static void data_is_gone(struct attempt *t)
{
	NDK_CONNECTOR *c = t->conn->connector;
	struct kit_call *again = attempt_begin(t, &t->to, NO_PARAMS);
	struct kit_conn *peer = kit_arrival(t->pair->b->listener);
	ULONG in, out, none = 0;

	REQUIRE(peer);
	CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, &in, &out, (PVOID)0, &none), STATUS_CONNECTION_INVALID);
	CHECK(KIT_CLOSED(peer->connector));
	CHECK_STATUS(kit_wait(again), STATUS_CONNECTION_REFUSED);
}

static void peer_rejects(int form)
{
	struct kit_listener *l;
	struct attempt t;
	ULONG len, i;
	UCHAR *data;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	l = t.pair->b->listener;
	l->mode = KIT_REJECT;
	REQUIRE(attempt_fails(&t, &t.to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	CHECK_STATUS(kit_arrival(l)->answered, STATUS_SUCCESS);
	len = t.pair->b->info->MaxCalleeData;
	data = (UCHAR *)conf_alloc(len);
	for (i = 0; i < len; i++)
		data[i] = (UCHAR)(i * 7 + 1);
	l->params.data = data;
	l->params.data_len = len;
	if (CHECK(attempt_fails(&t, &t.to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER))) {
		CHECK_STATUS(kit_arrival(l)->answered, STATUS_SUCCESS);
		read_refusal(&t, data, len);
		l->mode = KIT_HOLD;
		data_is_gone(&t);
		CHECK(attempt_recovers(&t));
	}
	l->params.data = (const VOID *)0;
	l->params.data_len = 0;
	conf_free(data);
}

NDK_CASE(connect_rejected, "CONN-13 REJ-5 REJ-1 CONN-24 CONN-35 U-12", NDK_ON_ALL,
	 "a rejecting consumer: STATUS_CONNECTION_REFUSED, its data readable, and the retry may please it")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			peer_rejects(form);
	}
}

/* Failed attempts, on either end; one device may be both. */
static BOOLEAN turned_counts(UINT64 *count)
{
	struct ndk_counters now[2];
	int i;

	for (i = 0; i < 2; i++)
		if (!CHECK(ndk_control_counters(conf_adapter_name((unsigned)i), &now[i]) == 0))
			return FALSE;
	count[0] = now[0].connect_fail;
	count[1] = now[1].connect_fail;
	return TRUE;
}

static void turned_down(int form)
{
	const UINT64 both = strcmp(conf_adapter_name(0), conf_adapter_name(1)) ? 2 : 4;
	UINT64 before[2], after[2];
	struct kit_conn *one, *two;
	struct kit_call *c, *d;
	struct attempt t, u;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	REQUIRE(attempt_another(&t, &u));
	if (form == ATTEMPT_SHARED)
		u.shared = kit_create_shared(t.pair->a->adapter, &t.from);
	REQUIRE(turned_counts(before));
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	one = kit_arrival(t.pair->b->listener);
	d = attempt_begin(&u, &t.to, NO_PARAMS);
	two = kit_arrival(t.pair->b->listener);
	REQUIRE(one && two);
	CHECK_STATUS(kit_reject(one, (const VOID *)0, 0), STATUS_SUCCESS);
	CHECK(KIT_CLOSED(two->connector));
	CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_REFUSED);
	CHECK_STATUS(kit_wait(d), STATUS_CONNECTION_REFUSED);
	CHECK(attempt_answered(c, ATTEMPT_LATER) && attempt_answered(d, ATTEMPT_LATER));
	REQUIRE(turned_counts(after));
	CHECK_EQ(after[0] - before[0], both);
	CHECK_EQ(after[1] - before[1], both);
	CHECK(attempt_recovers(&t));
}

NDK_CASE(connect_turned_down, "CONN-13 REJ-5 CONN-24 CONN-35 U-41", NDK_ON_ALL,
	 "T-CN-14 rejected without a word or closed unanswered: STATUS_CONNECTION_REFUSED, and both ends count it")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			turned_down(form);
	}
}

NDK_CASE(connect_refused_at_once, "CONN-13 REJ-5 LISTEN-6 LISTEN-10 CONN-35 REQ-2", NDK_ON_S,
	 "STATUS_CONNECTION_REFUSED as what the call returns: nobody, paused, full, rejected")
{
	struct kit_listener *l;
	struct kit_address to;
	struct attempt t, u;

	ATTEMPT_EACH_FORM(form) {
		REQUIRE(attempt_open(&t, NDK_V4, form));
		REQUIRE(attempt_another(&t, &u));
		l = t.pair->b->listener;
		to = kit_address(1, NDK_V4, kit_fresh_port());
		REQUIRE(kit_answer(0, NDK_ANSWER_WAIT));
		CHECK(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_AT_ONCE));
		l->listener->Dispatch->NdkControlConnectEvents(l->listener, TRUE);
		CHECK(attempt_fails(&t, &t.to, STATUS_CONNECTION_REFUSED, ATTEMPT_AT_ONCE));
		l->listener->Dispatch->NdkControlConnectEvents(l->listener, FALSE);
		l->mode = KIT_REJECT;
		CHECK(attempt_fails(&t, &t.to, STATUS_CONNECTION_REFUSED, ATTEMPT_AT_ONCE));
		REQUIRE(kit_arrival(l));
		/* one held unanswered, which is all that fits */
		l->mode = KIT_HOLD;
		REQUIRE(kit_answer(0, NDK_ANSWER_NATURAL));
		if (form == ATTEMPT_SHARED)
			u.shared = kit_create_shared(t.pair->a->adapter, &t.from);
		REQUIRE(ndk_control_backlog(conf_adapter_name(1), 1) == 0);
		attempt_begin(&u, &t.to, NO_PARAMS);
		REQUIRE(kit_arrival(l));
		REQUIRE(kit_answer(0, NDK_ANSWER_WAIT));
		CHECK(attempt_fails(&t, &t.to, STATUS_CONNECTION_REFUSED, ATTEMPT_AT_ONCE));
		REQUIRE(kit_answer(0, NDK_ANSWER_NATURAL));
		REQUIRE(ndk_control_backlog(conf_adapter_name(1), NDK_DEFAULT_BACKLOG) == 0);
		CHECK(attempt_recovers(&t));
	}
}

/* ---- no answer at all ---- */

/* A destination that swallows requests; TRUE if `undo` has to make the peer speak again. */
static BOOLEAN silent_place(struct attempt *t, struct kit_address *to, BOOLEAN *undo)
{
	*undo = FALSE;
	if (attempt_bad(CONF_SILENT, t->family, kit_fresh_port(), to))
		return TRUE;
	*to = t->to;
	*undo = conf_silence(1, TRUE);
	return *undo;
}

static void times_out(int family, int form, ULONG limit)
{
	struct kit_address to;
	struct kit_call *c;
	struct attempt t;
	BOOLEAN undo;

	REQUIRE(attempt_open(&t, family, form));
	SKIP_UNLESS(silent_place(&t, &to, &undo), "the place has nobody who stays silent");
	attempt_deadline(0, NDK_TIME_CONNECT, limit);
	c = attempt_begin(&t, &to, NO_PARAMS);
	CHECK_STATUS(kit_wait(c), STATUS_IO_TIMEOUT);
	CHECK(attempt_answered(c, ATTEMPT_LATER));
	attempt_in_time(c, limit);
	attempt_deadlines_default();
	if (undo)
		conf_silence(1, FALSE);
	CHECK(attempt_recovers(&t));
}

NDK_CASE(connect_silence, "CONN-14 CONN-15 CONN-24 CONN-35 U-5", NDK_ON_ALL,
	 "T-CN-05 no answer: STATUS_IO_TIMEOUT when the provider's own time is up, whatever it is set to")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form) {
			times_out(NDK_V4, form, 400);
			times_out(NDK_V4, form, 1100);
		}
	}
}

NDK_CASE(connect_silence_default, "CONN-14 CONN-15 CONN-24 CONN-35", NDK_ON_S,
	 "T-CN-05 every request lost, or the peer cut off: STATUS_IO_TIMEOUT after exactly ten seconds")
{
	struct kit_call *c;
	struct attempt t;

	KIT_EACH_FAMILY(family) {
		ATTEMPT_EACH_FORM(form) {
			REQUIRE(attempt_open(&t, family, form));
			REQUIRE(conf_fault_drop(0, CONF_REQ, 100000));
			c = attempt_begin(&t, &t.to, NO_PARAMS);
			CHECK_STATUS(kit_wait(c), STATUS_IO_TIMEOUT);
			attempt_in_time(c, NDK_DEFAULT_CONNECT_MS);
			REQUIRE(conf_fault_clear());
			REQUIRE(conf_partition(TRUE));
			c = attempt_begin(&t, &t.to, NO_PARAMS);
			CHECK_STATUS(kit_wait(c), STATUS_IO_TIMEOUT);
			attempt_in_time(c, NDK_DEFAULT_CONNECT_MS);
			REQUIRE(conf_partition(FALSE));
			CHECK_EQ(t.pair->b->listener->events, 0);
			CHECK(attempt_recovers(&t));
		}
	}
}

NDK_CASE(connect_silence_at_once, "CONN-14 CONN-15 CONN-35 REQ-2", NDK_ON_S,
	 "STATUS_IO_TIMEOUT as what the call returns, without a callback")
{
	struct attempt t;

	ATTEMPT_EACH_FORM(form) {
		REQUIRE(attempt_open(&t, NDK_V4, form));
		REQUIRE(conf_silence(1, TRUE));
		REQUIRE(kit_answer(0, NDK_ANSWER_WAIT));
		CHECK(attempt_fails(&t, &t.to, STATUS_IO_TIMEOUT, ATTEMPT_AT_ONCE));
		REQUIRE(kit_answer(0, NDK_ANSWER_NATURAL));
		REQUIRE(conf_silence(1, FALSE));
		CHECK(attempt_recovers(&t));
	}
}

/*
 * The request has to get there before the time is up, and its withdrawal before the peer accepts; how
 * fast the machine is, is not known, so each try gives both more time. FALSE: the case has failed.
 */
static BOOLEAN held_too_long(int form, int try_, BOOLEAN *again)
{
	ULONG limit = 600u << (2 * try_);
	struct kit_call *c;
	struct attempt t;
	NTSTATUS status;

	*again = FALSE;
	if (!attempt_open(&t, NDK_V4, form) || !attempt_deadline(0, NDK_TIME_CONNECT, limit))
		return FALSE;
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	t.peer = kit_arrival_unless(t.pair->b->listener, c, KIT_PATIENCE_MS);
	CHECK_STATUS(kit_wait(c), STATUS_IO_TIMEOUT);
	attempt_in_time(c, limit);
	attempt_deadlines_default();
	if (!t.peer) {
		*again = conf_place() != NDK_ON_S;
		return CHECK(*again);
	}
	stage_rest(try_);
	/* then there is nothing to accept */
	status = kit_wait(kit_begin_accept(t.peer, kit_another_qp(t.pair->b), NO_PARAMS, KIT_EVENT));
	if (conf_place() != NDK_ON_S && status == STATUS_SUCCESS) {
		*again = TRUE; /* the news was slower than we; then it has to come as an event */
		return CHECK(kit_disconnected(t.peer, KIT_PATIENCE_MS));
	}
	CHECK_STATUS(status, STATUS_CONNECTION_ABORTED);
	return CHECK(attempt_recovers(&t));
}

/* A peer that holds the request too long for the time set is no different from a silent one. */
NDK_CASE(connect_held_too_long, "CONN-14 CONN-15 CONN-24 CONN-35 ACPT-6", NDK_ON_ALL,
	 "time runs out while the peer's consumer thinks: STATUS_IO_TIMEOUT; its accept comes too late")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form) {
			BOOLEAN again = TRUE;
			int i;

			for (i = 0; i < STAGE_TRIES && again; i++) {
				REQUIRE(held_too_long(form, i, &again));
				if (again)
					kit_close_all(KIT_CHILDREN_FIRST);
			}
			CHECK(!again);
		}
	}
}

/* ---- from inside the callback that tells of the failure ---- */
struct in_callback {
	struct attempt *t;
	struct kit_call *again, *qp, *shared;
};

static void connect_again(struct kit_call *c)
{
	struct in_callback *in = (struct in_callback *)c->arg;

	in->again = attempt_begin(in->t, &in->t->to, NO_PARAMS);
}

static void retry_in_callback(int form)
{
	struct kit_call *c, *accepting;
	struct in_callback in;
	struct kit_address to;
	struct attempt t;

	memset(&in, 0, sizeof(in));
	in.t = &t;
	REQUIRE(attempt_open(&t, NDK_V4, form));
	if (!t.shared) /* the port that the failed attempt had must be free by then */
		kit_set_port(&t.from, kit_fresh_port());
	to = kit_address(1, NDK_V4, kit_fresh_port());
	c = attempt_begin_inside(&t, &to, connect_again, &in);
	CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_REFUSED);
	REQUIRE(in.again);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	accepting = kit_begin_accept(t.peer, t.pair->b->qp, NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(kit_wait(in.again), STATUS_SUCCESS);
	REQUIRE(attempt_finish(&t, accepting));
	CHECK(attempt_carries(&t));
}

NDK_CASE(connect_retry_in_callback, "CONN-13 CONN-24 CONN-35 REQ-8 REQ-9 U-5 U-46", NDK_ON_ALL,
	 "the retry may begin inside the callback that reports the failure, with the same connector, QP and port")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			retry_in_callback(form);
	}
}

static void close_both(struct kit_call *c)
{
	struct in_callback *in = (struct in_callback *)c->arg;

	in->qp = KIT_CLOSE(in->t->qp);
	if (in->t->shared)
		in->shared = KIT_CLOSE(in->t->shared);
}

static void close_in_callback(int form)
{
	struct in_callback in;
	struct kit_address to;
	struct kit_call *c;
	struct attempt t;

	memset(&in, 0, sizeof(in));
	in.t = &t;
	REQUIRE(attempt_open(&t, NDK_V4, form));
	to = kit_address(1, NDK_V4, kit_fresh_port());
	c = attempt_begin_inside(&t, &to, close_both, &in);
	CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_REFUSED);
	REQUIRE(in.qp);
	CHECK(kit_pended(in.qp));
	CHECK_STATUS(kit_wait(in.qp), STATUS_SUCCESS);
	CHECK(in.qp->entered > c->left);
	if (in.shared) {
		CHECK(kit_pended(in.shared));
		CHECK_STATUS(kit_wait(in.shared), STATUS_SUCCESS);
		CHECK(in.shared->entered > c->left);
	}
	/* the connector lives on and takes another QP, from its own address */
	t.shared = (NDK_SHARED_ENDPOINT *)0;
	t.qp = kit_another_qp(t.pair->a);
	REQUIRE(t.qp);
	CHECK(attempt_connect_to(&t, t.pair->b->listener));
}

NDK_CASE(connect_close_in_callback, "CONN-24 CONN-35 EP-4 U-24", NDK_ON_ALL,
	 "QP and shared endpoint of a failed attempt close, though its connector lives, when the callback has returned")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			close_in_callback(form);
	}
}

CONF_CASES(connect_fail, CASE(connect_no_route), CASE(connect_no_neighbour), CASE(connect_unreachable_at_once),
	   CASE(connect_no_listener), CASE(connect_to_port_zero), CASE(connect_paused), CASE(connect_backlog),
	   CASE(connect_rejected), CASE(connect_turned_down), CASE(connect_refused_at_once),
	   CASE(connect_silence), CASE(connect_silence_default), CASE(connect_silence_at_once),
	   CASE(connect_held_too_long), CASE(connect_retry_in_callback),
	   CASE(connect_close_in_callback));
