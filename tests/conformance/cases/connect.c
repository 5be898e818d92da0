/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * NdkConnect and NdkConnectWithSharedEndpoint when all goes well: what is connected with what, how
 * the answer comes, and how patient the provider is. Context and ownership: conf.h, attempt.h.
 */
#include "attempt.h"

/* ---- who is connected with whom ---- */

/* Success says that the peer accepted, and no more (CONN-23). */
static BOOLEAN accepted_is_not_established(struct attempt *t, struct kit_call *accepting)
{
	struct kit_call *early;

	conf_settle();
	if (!conf_iwarp())
		CHECK(!kit_answered(accepting)); /* a two-way handshake is over by now */
	CHECK_STATUS(kit_send(t->qp, kit_context(), t->pair->a->buffer, 0, ATTEMPT_MESSAGE, 0),
		     STATUS_CONNECTION_INVALID);
	early = kit_begin_disconnect(t->conn);
	return CHECK_STATUS(kit_wait(early), STATUS_CONNECTION_INVALID);
}

static void connect_family(int family)
{
	struct kit_call *c, *accepting;
	struct kit_address seen;
	struct attempt t;
	NDK_QP *other;

	REQUIRE(attempt_open(&t, family, ATTEMPT_PLAIN));
	/* Another QP with a receive of its own: the connection must not choose it (CONN-2). */
	other = kit_another_qp(t.pair->a);
	REQUIRE(other);
	REQUIRE_STATUS(kit_receive(other, kit_context(), t.pair->a->buffer, 0, ATTEMPT_MESSAGE), STATUS_SUCCESS);
	kit_set_port(&t.from, kit_fresh_port());
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	conf_settle();
	CHECK(!kit_answered(c));
	accepting = kit_begin_accept(t.peer, t.pair->b->qp, NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	CHECK(attempt_answered(c, ATTEMPT_LATER));
	REQUIRE(accepted_is_not_established(&t, accepting));
	REQUIRE(attempt_finish(&t, accepting));
	seen = kit_local_address(t.conn->connector);
	CHECK(kit_same_address(&seen, &t.from));
	seen = kit_peer_address(t.conn->connector);
	CHECK(kit_same_address(&seen, &t.to));
	seen = kit_local_address(t.peer->connector);
	CHECK(kit_same_address(&seen, &t.to));
	seen = kit_peer_address(t.peer->connector);
	CHECK(kit_same_address(&seen, &t.from));
	CHECK(attempt_carries(&t));
}

NDK_CASE(connect_families, "CONN-1 CONN-2 CONN-4 CONN-5 CONN-6 CONN-23 CTR-5 ADDR-1", NDK_ON_ALL,
	 "T-CN-01 connect, accept, complete: the QP given, from the address given, to the address given")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family)
			connect_family(family);
	}
}

/* ---- a port of the provider's choice ---- */
#define CHOSEN 8u

static void in_range(const struct kit_address *a, const struct kit_address *asked, const USHORT *others,
		     unsigned count)
{
	struct kit_address same = *a;
	unsigned i;

	CHECK(kit_port(a) >= 49152u);
	for (i = 0; i < count; i++)
		CHECK(others[i] != kit_port(a));
	kit_set_port(&same, kit_port(asked));
	CHECK(kit_same_address(&same, asked));
}

static void ports_chosen(int family)
{
	USHORT ports[CHOSEN + 2];
	struct kit_listener *l;
	NDK_SHARED_ENDPOINT *e;
	struct kit_address at;
	struct attempt t, u;
	struct kit_call *c;
	unsigned i;

	REQUIRE(attempt_open(&t, family, ATTEMPT_PLAIN));
	for (i = 0; i < CHOSEN; i++) {
		REQUIRE(attempt_another(&t, &u));
		c = attempt_begin(&u, &t.to, NO_PARAMS);
		u.peer = kit_arrival(t.pair->b->listener);
		REQUIRE(u.peer);
		kit_begin_accept(u.peer, kit_another_qp(t.pair->b), NO_PARAMS, KIT_EVENT);
		REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
		at = kit_local_address(u.conn->connector);
		in_range(&at, &t.from, ports, i);
		ports[i] = kit_port(&at);
		/* the peer is told the same port */
		at = kit_peer_address(u.peer->connector);
		CHECK_EQ(kit_port(&at), ports[i]);
	}
	l = kit_create_listener(t.pair->a->adapter);
	REQUIRE(l);
	REQUIRE_STATUS(kit_listen(l, &t.from), STATUS_SUCCESS);
	in_range(&l->at, &t.from, ports, CHOSEN);
	ports[CHOSEN] = kit_port(&l->at);
	e = kit_create_shared(t.pair->a->adapter, &t.from);
	REQUIRE(e);
	at = kit_shared_address(e);
	in_range(&at, &t.from, ports, CHOSEN + 1);
}

NDK_CASE(connect_port_zero, "CONN-18 ADDR-2", NDK_ON_ALL,
	 "source port 0 gets a port from 49152 to 65535 that nobody else has; so do listeners and shared endpoints")
{
	KIT_EACH_FAMILY(family)
		ports_chosen(family);
}

/* ---- how the answer comes ---- */

/* What the last raw call's completion function was given; under conf_lock(). */
static struct {
	struct conf_signal done;
	long calls;
	PVOID context;
	NTSTATUS status;
} told;

static VOID tell(PVOID context, NTSTATUS status)
{
	unsigned long flags = conf_lock();

	told.calls++;
	told.context = context;
	told.status = status;
	conf_unlock(flags);
	conf_signal(&told.done);
}

static NTSTATUS raw_connect(struct attempt *t, const struct kit_address *to, PVOID context)
{
	NDK_CONNECTOR *c = t->conn->connector;

	told.calls = 0;
	told.context = KIT_POISON;
	told.status = KIT_NO_ANSWER;
	conf_signal_init(&told.done);
	if (t->shared)
		return c->Dispatch->NdkConnectWithSharedEndpoint(c, t->qp, t->shared, KIT_SA(to), to->len, 1, 1,
								 (const VOID *)0, 0, tell, context);
	return c->Dispatch->NdkConnect(c, t->qp, KIT_SA(&t->from), t->from.len, KIT_SA(to), to->len, 1, 1,
				       (const VOID *)0, 0, tell, context);
}

/* The one answer of a raw call that returned `returned`. */
static NTSTATUS raw_answer(NTSTATUS returned, PVOID context)
{
	if (returned == STATUS_PENDING) {
		CHECK(conf_wait(&told.done, KIT_PATIENCE_MS));
		conf_settle();
		CHECK_EQ(told.calls, 1);
		CHECK(told.context == context);
		return told.status;
	}
	conf_sleep(KIT_QUIET_MS);
	CHECK_EQ(told.calls, 0);
	return returned;
}

static void answers(int mode, int form, PVOID context)
{
	struct kit_address nowhere;
	struct kit_call *accepting;
	struct attempt t;
	NTSTATUS returned;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	/* a failure that is known at once */
	nowhere = t.to;
	kit_set_port(&nowhere, 0);
	returned = raw_connect(&t, &nowhere, context);
	CHECK_STATUS(returned, mode == NDK_ANSWER_PEND ? STATUS_PENDING : STATUS_CONNECTION_REFUSED);
	CHECK_STATUS(raw_answer(returned, context), STATUS_CONNECTION_REFUSED);
	/* one that the peer decides */
	nowhere = kit_address(1, NDK_V4, kit_fresh_port());
	returned = raw_connect(&t, &nowhere, context);
	CHECK_STATUS(returned, STATUS_PENDING);
	CHECK_STATUS(raw_answer(returned, context), STATUS_CONNECTION_REFUSED);
	/* and success */
	returned = raw_connect(&t, &t.to, context);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	accepting = kit_begin_accept(t.peer, t.pair->b->qp, NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(raw_answer(returned, context), STATUS_SUCCESS);
	REQUIRE(attempt_finish(&t, accepting));
	conf_settle();
	CHECK_EQ(told.calls, returned == STATUS_PENDING ? 1 : 0);
}

NDK_CASE(connect_answers, "CONN-8 CONN-9 CONN-25 CONN-35 REQ-1 REQ-2 REQ-3", NDK_ON_ALL,
	 "a pending connect calls back once with its context, NULL included; one answered at once never does")
{
	PVOID context = kit_context();

	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form) {
			answers(mode, form, context);
			answers(mode, form, (PVOID)0);
		}
	}
}

/* ---- unwatched: what the monitors replace on the way is left alone ---- */
struct bare {
	NDK_ADAPTER *adapter;
	NDK_PD *pd;
	struct kit_cq *cq;
	NDK_QP *qp;
	struct kit_conn *conn;
	NDK_SHARED_ENDPOINT *shared;
};

static BOOLEAN bare_open(struct bare *b, int form)
{
	const NDK_VERSION version = { 2, 1 };
	struct kit_address any = kit_address(0, NDK_V4, 0);

	memset(b, 0, sizeof(*b));
	if (!CHECK_STATUS(NdkOpenAdapter(conf_adapter_name(0), version, &b->adapter), NDIS_STATUS_SUCCESS))
		return FALSE;
	b->pd = kit_create_pd(b->adapter);
	b->cq = kit_create_cq(b->adapter, KIT_DEPTH);
	b->conn = kit_create_connector(b->adapter);
	if (form == ATTEMPT_SHARED)
		b->shared = kit_create_shared(b->adapter, &any);
	if (b->pd && b->cq)
		b->qp = kit_create_qp(b->pd, b->cq, b->cq, (const struct kit_shape *)0);
	return b->qp && b->conn && (b->shared || form == ATTEMPT_PLAIN);
}

/* The monitors do not know these objects, so they close here whatever happened. */
static void bare_close(struct bare *b)
{
	if (b->conn)
		CHECK(KIT_CLOSED(b->conn->connector));
	if (b->shared)
		CHECK(KIT_CLOSED(b->shared));
	if (b->qp)
		CHECK(KIT_CLOSED(b->qp));
	if (b->cq)
		CHECK(KIT_CLOSED(b->cq->cq));
	if (b->pd)
		CHECK(KIT_CLOSED(b->pd));
	if (b->adapter)
		NdkCloseAdapter(b->adapter);
}

static NTSTATUS without_completion(struct attempt *t)
{
	NDK_CONNECTOR *c = t->conn->connector;

	if (t->shared)
		return c->Dispatch->NdkConnectWithSharedEndpoint(c, t->qp, t->shared, KIT_SA(&t->to), t->to.len, 0, 0,
								 (const VOID *)0, 0, (NDK_FN_REQUEST_COMPLETION *)0,
								 (PVOID)0);
	return c->Dispatch->NdkConnect(c, t->qp, KIT_SA(&t->from), t->from.len, KIT_SA(&t->to), t->to.len, 0, 0,
				       (const VOID *)0, 0, (NDK_FN_REQUEST_COMPLETION *)0, (PVOID)0);
}

static void bare_connect(struct kit_pair *p, const struct bare *b, PVOID context)
{
	struct kit_call *accepting;
	struct attempt t;
	NTSTATUS returned;

	memset(&t, 0, sizeof(t));
	t.pair = p;
	t.conn = b->conn;
	t.qp = b->qp;
	t.shared = b->shared;
	t.from = kit_address(0, NDK_V4, 0);
	t.to = p->b->listener->at;
	CHECK_STATUS(without_completion(&t), STATUS_INVALID_PARAMETER);
	returned = raw_connect(&t, &t.to, context);
	t.peer = kit_arrival(p->b->listener);
	REQUIRE(t.peer);
	accepting = kit_begin_accept(t.peer, kit_another_qp(p->b), NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(raw_answer(returned, context), STATUS_SUCCESS);
	REQUIRE(attempt_finish(&t, accepting));
}

NDK_CASE(connect_context, "CONN-25 CONN-35 REQ-1 REQ-3", NDK_ON_ALL,
	 "the provider itself gives back any context, NULL too, and refuses a missing completion function")
{
	monitor_excuse(14, "connects beside the monitors");
	KIT_EACH_ANSWER(mode) {
		struct kit_pair *p = kit_pair(NDK_V4);
		struct bare b;
		int turn;

		REQUIRE(p);
		for (turn = 0; turn < 4; turn++) {
			if (bare_open(&b, turn & 1))
				bare_connect(p, &b, turn & 2 ? kit_context() : (PVOID)0);
			bare_close(&b);
		}
	}
}

NDK_CASE(connect_success_at_once, "CONN-8 CONN-35 REQ-2", NDK_ON_S,
	 "a connect that waits for the peer inside the call returns success and does not call back")
{
	struct kit_call *c;
	struct attempt t;

	ATTEMPT_EACH_FORM(form) {
		REQUIRE(attempt_open(&t, NDK_V4, form));
		t.pair->b->listener->mode = KIT_ACCEPT;
		t.pair->b->listener->qps[0] = t.pair->b->qp;
		REQUIRE(kit_answer(0, NDK_ANSWER_WAIT));
		c = attempt_begin(&t, &t.to, NO_PARAMS);
		CHECK_STATUS(c->returned, STATUS_SUCCESS);
		t.peer = kit_arrival(t.pair->b->listener);
		REQUIRE(t.peer && t.peer->accepting);
		REQUIRE(attempt_finish(&t, t.peer->accepting));
		CHECK(attempt_carries(&t));
		conf_sleep(KIT_QUIET_MS);
		CHECK_EQ(c->callbacks, 0);
		REQUIRE(kit_answer(0, NDK_ANSWER_NATURAL));
	}
}

NDK_CASE(connect_callback_within, "REQ-5 CONN-9 CONN-35", NDK_ON_S,
	 "a callback may come before connect has returned, which returns STATUS_PENDING all the same")
{
	struct kit_address nowhere;
	struct kit_call *c;
	struct attempt t;

	SKIP_UNLESS(conf_callbacks_within(TRUE), "callbacks never come within a call here");
	ATTEMPT_EACH_FORM(form) {
		REQUIRE(attempt_open(&t, NDK_V4, form));
		REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
		nowhere = t.to;
		kit_set_port(&nowhere, 0);
		c = attempt_begin(&t, &nowhere, NO_PARAMS);
		CHECK_STATUS(c->returned, STATUS_PENDING);
		CHECK(kit_answered(c));
		CHECK(c->left < c->ended);
		CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_REFUSED);
		CHECK(attempt_answered(c, ATTEMPT_LATER));
		CHECK(attempt_recovers(&t));
		REQUIRE(kit_answer(0, NDK_ANSWER_NATURAL));
	}
	conf_callbacks_within(FALSE);
}

/* ---- patience ---- */

/* Longer than the handshake repeats itself unheard; elsewhere than in virtual time, only a little. */
static ULONG slow_ms(void)
{
	return conf_place() == NDK_ON_S ? 100000u : 1500u;
}

static void slow_consumers(int form)
{
	struct kit_call *c, *accepting;
	struct attempt t;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	conf_sleep(slow_ms());
	CHECK(!kit_answered(c));
	accepting = kit_begin_accept(t.peer, t.pair->b->qp, NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	conf_sleep(slow_ms());
	REQUIRE(attempt_finish(&t, accepting));
	CHECK(attempt_carries(&t));
	/* one request, one event, however often the handshake repeated itself */
	CHECK_EQ(t.pair->b->listener->events, 1);
}

NDK_CASE(connect_slow_consumers, "CONN-26 CMPL-14 CONN-35", NDK_ON_ALL,
	 "T-CN-06 a passive consumer slow to accept and an active one slow to complete are waited for")
{
	ATTEMPT_EACH_FORM(form) {
		attempt_deadline(0, NDK_TIME_CONNECT, 300000);
		attempt_deadline(1, NDK_TIME_ACCEPT, 300000);
		slow_consumers(form);
		attempt_deadlines_default();
	}
}

/* ---- again and again ---- */
#define ROUNDS 200u

static BOOLEAN reuse_round(struct attempt *t, BOOLEAN graceful)
{
	struct kit_pair *p = t->pair;
	NDK_QP *other;

	if (!attempt_connect_to(t, p->b->listener))
		return FALSE;
	p->a->conn = t->conn;
	if (!kit_send_recv_verify(p->a, p->b, ATTEMPT_MESSAGE) || !kit_send_recv_verify(p->b, p->a, ATTEMPT_MESSAGE))
		return FALSE;
	if (graceful && !CHECK(kit_part(p)))
		return FALSE;
	if (!CHECK(KIT_CLOSED(t->conn->connector)) || !CHECK(KIT_CLOSED(t->peer->connector)))
		return FALSE;
	other = p->b->qp;
	p->b->qp = kit_another_qp(p->b);
	if (!CHECK(KIT_CLOSED(other)))
		return FALSE;
	other = t->qp;
	t->qp = p->a->qp = kit_another_qp(p->a);
	t->conn = kit_create_connector(p->a->adapter);
	return CHECK(KIT_CLOSED(other)) && t->qp && p->b->qp && t->conn;
}

NDK_CASE(connect_same_ports, "EP-3 EP-5 CONN-5 CONN-6", NDK_ON_ALL,
	 "T-CN-26 one local and one remote address and port, 200 times without a pause: free with each close")
{
	struct attempt t;
	unsigned i;

	memset(&t, 0, sizeof(t));
	t.family = NDK_V4;
	t.pair = kit_pair(NDK_V4);
	REQUIRE(t.pair);
	t.conn = t.pair->a->conn;
	t.qp = t.pair->a->qp;
	t.from = kit_address(0, NDK_V4, kit_fresh_port());
	for (i = 0; i < ROUNDS; i++) {
		/* every other time nobody says goodbye */
		if (!reuse_round(&t, (i & 1) == 0)) {
			conf_note("round %u of %u", i + 1, ROUNDS);
			return;
		}
	}
}

/* ---- the handshake on the wire ---- */

NDK_CASE(connect_early_data, "CMPL-6 ACPT-4", NDK_ON_ALL,
	 "T-CN-22 a message sent right after completing is not lost, though the accept may still pend")
{
	struct kit_call *c, *accepting;
	PVOID sent = kit_context(), got = kit_context();
	struct kit_side *a, *b;
	struct attempt t;

	REQUIRE(attempt_open(&t, NDK_V4, ATTEMPT_PLAIN));
	a = t.pair->a;
	b = t.pair->b;
	/* Where messages can be held back, the confirmation comes long after the data. */
	if (!conf_iwarp() && conf_fault_delay(0, CONF_RTU, 1, 200))
		conf_note("the confirmation is late");
	REQUIRE_STATUS(kit_receive(b->qp, got, b->buffer, 0, ATTEMPT_MESSAGE), STATUS_SUCCESS);
	kit_fill(a->buffer, 0, ATTEMPT_MESSAGE, 0x21);
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	t.peer = kit_arrival(b->listener);
	REQUIRE(t.peer);
	accepting = kit_begin_accept(t.peer, b->qp, NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_complete(t.conn), STATUS_SUCCESS);
	if (kit_on_siw()) /* a lone message that comes before its end looks at the socket waits for another */
		REQUIRE_STATUS(kit_wait(accepting), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send(a->qp, sent, a->buffer, 0, ATTEMPT_MESSAGE, 0), STATUS_SUCCESS);
	CHECK(kit_expect(b->cq, got, STATUS_SUCCESS));
	CHECK(kit_verify(b->buffer, 0, ATTEMPT_MESSAGE, 0x21));
	CHECK(kit_expect(a->cq, sent, STATUS_SUCCESS));
	CHECK_STATUS(kit_wait(accepting), STATUS_SUCCESS);
}

enum mishap { LOST, TWICE, LATE, MISHAPS };

static void one_mishap(enum mishap what, ULONG message, int form)
{
	unsigned from = message == CONF_REP ? 1 : 0;
	BOOLEAN possible;
	struct attempt t;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	possible = what == LOST	 ? conf_fault_drop(from, message, 1) :
		   what == TWICE ? conf_fault_duplicate(from, message, 1, 3) :
				   conf_fault_delay(from, message, 1, 700);
	SKIP_UNLESS(possible, "messages cannot be tampered with here");
	if (CHECK(attempt_recovers(&t))) {
		conf_sleep(2000); /* a duplicate that comes late must not be taken for a new request */
		CHECK_EQ(t.pair->b->listener->events, 1);
		CHECK_EQ(t.conn->events + t.peer->events, 0);
	} else {
		conf_note("mishap %d with message %u", (int)what, message);
	}
	conf_fault_clear();
}

NDK_CASE(connect_mishaps, "CONN-9 CONN-26 REQ-1", NDK_ON_S,
	 "a handshake message lost, doubled or late does not harm the attempt, nor make it two")
{
	static const ULONG messages[] = { CONF_REQ, CONF_REP, CONF_RTU };
	unsigned i;
	int what;

	for (what = LOST; what < MISHAPS; what++) {
		for (i = 0; i < 3; i++) {
			ATTEMPT_EACH_FORM(form) {
				if (!conf_iwarp() || messages[i] != CONF_RTU)
					one_mishap((enum mishap)what, messages[i], form);
				kit_close_all(KIT_CHILDREN_FIRST);
			}
		}
	}
}

CONF_CASES(connect, CASE(connect_families), CASE(connect_port_zero), CASE(connect_answers),
	   CASE(connect_context),
	   CASE(connect_success_at_once), CASE(connect_callback_within), CASE(connect_slow_consumers),
	   CASE(connect_same_ports), CASE(connect_early_data), CASE(connect_mishaps));
