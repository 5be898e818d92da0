/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What is particular to NdkConnectWithSharedEndpoint: one local address for many connections, the
 * statuses it can and cannot have, and how long a shared endpoint holds its address. What it has in
 * common with NdkConnect is shown where that is shown. Context and ownership: conf.h, attempt.h.
 */
#include "attempt.h"

/* ---- one connection ---- */
static void shared_address_sizes(NDK_SHARED_ENDPOINT *e, const struct kit_address *own)
{
	struct sockaddr_storage at;
	ULONG len = own->len - 1;

	memset(&at, 0x5a, sizeof(at));
	CHECK_STATUS(e->Dispatch->NdkGetLocalAddress(e, (PSOCKADDR)&at, &len), STATUS_BUFFER_TOO_SMALL);
	CHECK_EQ(len, own->len);
	CHECK_EQ(at.ss_family, 0x5a5a);
	len = 0;
	CHECK_STATUS(e->Dispatch->NdkGetLocalAddress(e, (PSOCKADDR)0, &len), STATUS_BUFFER_TOO_SMALL);
	CHECK_EQ(len, own->len);
}

static void connect_from_shared(int family, USHORT port)
{
	struct kit_address own, seen;
	struct attempt t;

	REQUIRE(attempt_open(&t, family, ATTEMPT_PLAIN));
	kit_set_port(&t.from, port);
	t.shared = kit_create_shared(t.pair->a->adapter, &t.from);
	REQUIRE(t.shared);
	own = kit_shared_address(t.shared);
	shared_address_sizes(t.shared, &own);
	if (port)
		CHECK(kit_same_address(&own, &t.from));
	else
		CHECK(kit_port(&own) >= 49152u);
	REQUIRE(attempt_recovers(&t));
	seen = kit_local_address(t.conn->connector);
	CHECK(kit_same_address(&seen, &own));
	seen = kit_peer_address(t.conn->connector);
	CHECK(kit_same_address(&seen, &t.to));
	seen = kit_local_address(t.peer->connector);
	CHECK(kit_same_address(&seen, &t.to));
	seen = kit_peer_address(t.peer->connector);
	CHECK(kit_same_address(&seen, &own));
	/* the endpoint itself is none the wiser */
	seen = kit_shared_address(t.shared);
	CHECK(kit_same_address(&seen, &own));
}

NDK_CASE(shared_connects, "CONN-30 CONN-2 CONN-34 CONN-23 EP-1 SEP-1 SEP-5 U-42 U-51", NDK_ON_ALL,
	 "T-SE-01 a connection from a shared endpoint has its address and port, and the destination given")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family) {
			connect_from_shared(family, kit_fresh_port());
			connect_from_shared(family, 0);
		}
	}
}

/* ---- many connections ---- */
#define MANY 4u

struct many {
	struct attempt base; /* the pair and the shared endpoint; its connector stays idle */
	struct attempt each[MANY];
	struct kit_listener *at[MANY];
	NDK_QP *far[MANY];
	PVOID got[MANY];
};

static BOOLEAN connect_one_of_many(struct many *m, unsigned i)
{
	struct attempt *t = &m->each[i];
	struct kit_address own, seen;

	m->at[i] = attempt_listener(&m->base);
	m->far[i] = m->base.pair->b->qp = kit_another_qp(m->base.pair->b);
	if (!m->at[i] || !m->far[i] || !attempt_another(&m->base, t))
		return FALSE;
	if (!attempt_connect_to(t, m->at[i]))
		return FALSE;
	own = kit_shared_address(m->base.shared);
	seen = kit_local_address(t->conn->connector);
	CHECK(kit_same_address(&seen, &own));
	seen = kit_peer_address(t->peer->connector);
	CHECK(kit_same_address(&seen, &own));
	seen = kit_peer_address(t->conn->connector);
	return CHECK(kit_same_address(&seen, &m->at[i]->at));
}

/* Each has its receive posted; then one message each, in another order. */
static void data_of_many(struct many *m)
{
	struct kit_side *a = m->base.pair->a, *b = m->base.pair->b;
	unsigned i, n;
	PVOID sent;

	for (i = 0; i < MANY; i++) {
		m->got[i] = kit_context();
		kit_fill(b->buffer, i * ATTEMPT_MESSAGE, ATTEMPT_MESSAGE, 0);
		kit_fill(a->buffer, i * ATTEMPT_MESSAGE, ATTEMPT_MESSAGE, (UCHAR)(17 * (i + 1)));
		REQUIRE_STATUS(kit_receive(m->far[i], m->got[i], b->buffer, i * ATTEMPT_MESSAGE, ATTEMPT_MESSAGE),
			       STATUS_SUCCESS);
	}
	for (n = 0; n < MANY; n++) {
		i = (n * 3 + 2) % MANY;
		sent = kit_context();
		REQUIRE_STATUS(kit_send(m->each[i].qp, sent, a->buffer, i * ATTEMPT_MESSAGE, ATTEMPT_MESSAGE, 0),
			       STATUS_SUCCESS);
		REQUIRE(kit_expect(b->cq, m->got[i], STATUS_SUCCESS));
		REQUIRE(kit_expect(a->cq, sent, STATUS_SUCCESS));
		CHECK(kit_verify(b->buffer, i * ATTEMPT_MESSAGE, ATTEMPT_MESSAGE, (UCHAR)(17 * (i + 1))));
	}
}

static void many(int family)
{
	struct many *m = (struct many *)conf_alloc(sizeof(*m));
	unsigned i = 0;

	if (attempt_open(&m->base, family, ATTEMPT_SHARED))
		for (; i < MANY && connect_one_of_many(m, i); i++)
			;
	if (CHECK_EQ(i, MANY))
		data_of_many(m);
	conf_free(m);
}

NDK_CASE(shared_many, "CONN-31 CONN-30 EP-1", NDK_ON_ALL,
	 "T-SE-02 one shared endpoint, several destinations: one local address for all, and data that does not mix")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family)
			many(family);
	}
}

/* Under way at the same time, none answered yet. */
NDK_CASE(shared_many_pending, "CONN-31 CONN-9 CONN-35 REQ-1", NDK_ON_ALL,
	 "several connects from one shared endpoint pend at once and end in another order, each for itself")
{
	struct kit_call *c[MANY];
	struct kit_conn *peer[MANY];
	struct kit_listener *l;
	struct attempt t, u;
	unsigned i;

	REQUIRE(attempt_open(&t, NDK_V4, ATTEMPT_SHARED));
	for (i = 0; i < MANY; i++) {
		l = attempt_listener(&t);
		REQUIRE(l && attempt_another(&t, &u));
		c[i] = attempt_begin(&u, &l->at, NO_PARAMS);
		peer[i] = kit_arrival(l);
		REQUIRE(peer[i]);
	}
	for (i = MANY; i-- > 0;) {
		CHECK(!kit_answered(c[i]));
		if (i & 1) {
			CHECK_STATUS(kit_reject(peer[i], (const VOID *)0, 0), STATUS_SUCCESS);
			CHECK_STATUS(kit_wait(c[i]), STATUS_CONNECTION_REFUSED);
		} else {
			kit_begin_accept(peer[i], kit_another_qp(t.pair->b), NO_PARAMS, KIT_EVENT);
			CHECK_STATUS(kit_wait(c[i]), STATUS_SUCCESS);
		}
	}
	CHECK(attempt_recovers(&t));
}

/* ---- the same destination twice ---- */
static void same_destination(int mode, int family)
{
	struct kit_call *c, *accepting;
	struct attempt t, u;

	REQUIRE(attempt_open(&t, family, ATTEMPT_SHARED));
	REQUIRE(attempt_another(&t, &u));
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	CHECK(attempt_fails(&u, &u.to, STATUS_ADDRESS_ALREADY_EXISTS, attempt_local(mode)));
	accepting = kit_begin_accept(t.peer, t.pair->b->qp, NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	REQUIRE(attempt_finish(&t, accepting));
	CHECK(attempt_fails(&u, &u.to, STATUS_ADDRESS_ALREADY_EXISTS, attempt_local(mode)));
	CHECK(attempt_fails(&u, &u.to, STATUS_ADDRESS_ALREADY_EXISTS, attempt_local(mode)));
	CHECK_EQ(t.pair->b->listener->events, 1);
	CHECK(attempt_carries(&t));
	/* it exists as long as the connector does, disconnected or not (U-7) */
	t.pair->a->conn = t.conn;
	REQUIRE(kit_part(t.pair));
	CHECK(attempt_fails(&u, &u.to, STATUS_ADDRESS_ALREADY_EXISTS, attempt_local(mode)));
	REQUIRE(KIT_CLOSED(t.conn->connector));
	REQUIRE(KIT_CLOSED(t.peer->connector));
	t.pair->b->qp = kit_another_qp(t.pair->b);
	CHECK(attempt_connect_to(&u, t.pair->b->listener));
}

NDK_CASE(shared_same_destination, "CONN-32 CONN-20 CONN-24 CONN-35 ADDR-5 U-5 U-7", NDK_ON_ALL,
	 "T-SE-03 T-SE-06 a second connection to one destination: STATUS_ADDRESS_ALREADY_EXISTS until the first closes")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family)
			same_destination(mode, family);
	}
}

/* Neither a failed attempt nor a closed connection keeps the pair of addresses. */
static void same_destination_later(int family)
{
	struct kit_listener *l;
	struct kit_address to;
	struct attempt t, u;

	REQUIRE(attempt_open(&t, family, ATTEMPT_SHARED));
	REQUIRE(attempt_another(&t, &u));
	to = kit_address(1, family, kit_fresh_port());
	CHECK(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	CHECK(attempt_fails(&u, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	l = kit_create_listener(t.pair->b->adapter);
	REQUIRE(l);
	REQUIRE_STATUS(kit_listen(l, &to), STATUS_SUCCESS);
	REQUIRE(attempt_connect_to(&t, l));
	CHECK(attempt_carries(&t));
	REQUIRE(KIT_CLOSED(t.conn->connector));
	REQUIRE(KIT_CLOSED(t.peer->connector));
	t.pair->b->qp = kit_another_qp(t.pair->b);
	CHECK(attempt_connect_to(&u, l));
}

NDK_CASE(shared_destination_later, "CONN-13 CONN-24 CONN-31 CONN-32 CONN-35 EP-4", NDK_ON_ALL,
	 "T-SE-06 refused, connected, closed, connected again to one destination through one shared endpoint")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family)
			same_destination_later(family);
	}
}

/* ---- three statuses that cannot be ---- */
static void settled_at_creation(int mode, int family)
{
	struct kit_address bad, own;
	struct kit_listener *l;
	struct kit_call *c;
	struct attempt t;

	REQUIRE(attempt_open(&t, family, ATTEMPT_SHARED));
	own = kit_shared_address(t.shared);
	/* what a plain connect from there gets */
	CHECK_STATUS(kit_connect(t.conn, t.qp, &own, &t.to, NO_PARAMS), STATUS_SHARING_VIOLATION);
	/* the creator had to say it: in use, by the endpoint itself or by a listener; and not ours */
	c = kit_begin_shared(t.pair->a->adapter, &own, (kit_inside)0, (PVOID)0);
	CHECK_STATUS(kit_wait(c), STATUS_SHARING_VIOLATION);
	CHECK_EQ(kit_pended(c), mode == NDK_ANSWER_PEND);
	l = kit_create_listener(t.pair->a->adapter);
	REQUIRE(l);
	CHECK_STATUS(kit_listen(l, &own), STATUS_SHARING_VIOLATION);
	bad = kit_address(0, family, kit_fresh_port());
	REQUIRE_STATUS(kit_listen(l, &bad), STATUS_SUCCESS);
	c = kit_begin_shared(t.pair->a->adapter, &bad, (kit_inside)0, (PVOID)0);
	CHECK_STATUS(kit_wait(c), STATUS_SHARING_VIOLATION);
	if (attempt_bad(CONF_FOREIGN, family, 0, &bad)) {
		c = kit_begin_shared(t.pair->a->adapter, &bad, (kit_inside)0, (PVOID)0);
		CHECK_STATUS(kit_wait(c), STATUS_INVALID_ADDRESS);
	}
	if (attempt_bad(CONF_OTHER_ADAPTER, family, kit_fresh_port(), &bad)) {
		c = kit_begin_shared(t.pair->a->adapter, &bad, (kit_inside)0, (PVOID)0);
		CHECK_STATUS(kit_wait(c), STATUS_INVALID_ADDRESS);
	}
	bad = kit_wildcard(family, 0);
	c = kit_begin_shared(t.pair->a->adapter, &bad, (kit_inside)0, (PVOID)0);
	CHECK_STATUS(kit_wait(c), STATUS_INVALID_ADDRESS);
	/* connecting itself asks none of these questions */
	CHECK(attempt_recovers(&t));
}

NDK_CASE(shared_settled_at_creation, "CONN-33 SEP-2 SEP-3 U-8 U-52", NDK_ON_ALL,
	 "T-SE-04 trouble with the local address is the creator's to report; from a shared endpoint connect has none")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family)
			settled_at_creation(mode, family);
	}
}

/* ---- how long the address is held ---- */
static void still_held(struct attempt *t, const struct kit_address *own)
{
	struct kit_listener *l = kit_create_listener(t->pair->a->adapter);
	struct kit_conn *other = kit_create_connector(t->pair->a->adapter);
	struct kit_call *c;
	NDK_QP *qp = kit_another_qp(t->pair->a);

	REQUIRE(l && other && qp);
	CHECK_STATUS(kit_listen(l, own), STATUS_SHARING_VIOLATION);
	c = kit_begin_shared(t->pair->a->adapter, own, (kit_inside)0, (PVOID)0);
	CHECK_STATUS(kit_wait(c), STATUS_SHARING_VIOLATION);
	CHECK_STATUS(kit_connect(other, qp, own, &t->to, NO_PARAMS), STATUS_SHARING_VIOLATION);
	CHECK(KIT_CLOSED(l->listener));
}

static void held_by_connectors(int mode)
{
	struct kit_listener *l, *anew;
	struct kit_call *closing;
	struct kit_address own;
	struct attempt t, u;

	(void)mode;
	REQUIRE(attempt_open(&t, NDK_V4, ATTEMPT_SHARED));
	REQUIRE(attempt_another(&t, &u));
	own = kit_shared_address(t.shared);
	/* neither connects to the pair's own listener: still_held() tries that destination */
	l = attempt_listener(&t);
	REQUIRE(l && attempt_connect_to(&t, l));
	CHECK(attempt_carries(&t));
	t.pair->b->qp = kit_another_qp(t.pair->b);
	l = attempt_listener(&t);
	REQUIRE(l && attempt_connect_to(&u, l));
	closing = KIT_CLOSE(t.shared);
	CHECK(kit_pended(closing));
	still_held(&t, &own);
	CHECK(KIT_CLOSED(t.conn->connector));
	conf_settle();
	CHECK(!kit_answered(closing));
	still_held(&t, &own);
	CHECK(KIT_CLOSED(u.conn->connector));
	CHECK_STATUS(kit_wait(closing), STATUS_SUCCESS);
	anew = kit_create_listener(t.pair->a->adapter);
	REQUIRE(anew);
	CHECK_STATUS(kit_listen(anew, &own), STATUS_SUCCESS);
}

NDK_CASE(shared_held, "EP-4 EP-5 EP-6 SEP-6 CONN-16 ADDR-4", NDK_ON_ALL,
	 "T-SE-05 a closed shared endpoint's address stays taken until the last of its connectors is closed")
{
	KIT_EACH_ANSWER(mode)
		held_by_connectors(mode);
}

/* A failed attempt holds nothing: the endpoint may go, and its address with it. */
static void not_held_by_failures(int family)
{
	struct kit_address own, to;
	struct attempt t;

	REQUIRE(attempt_open(&t, family, ATTEMPT_SHARED));
	own = kit_shared_address(t.shared);
	to = kit_address(1, family, kit_fresh_port());
	CHECK(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	CHECK(KIT_CLOSED(t.shared));
	t.shared = kit_create_shared(t.pair->a->adapter, &own);
	REQUIRE(t.shared);
	/* the same connector may use another endpoint, or none */
	CHECK(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	t.shared = (NDK_SHARED_ENDPOINT *)0;
	CHECK(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	CHECK(attempt_recovers(&t));
}

NDK_CASE(shared_not_held_by_failures, "EP-4 EP-5 SEP-6 CONN-24 CONN-35 U-24", NDK_ON_ALL,
	 "after a failed attempt the shared endpoint closes while the connector lives, which may use another or none")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family)
			not_held_by_failures(family);
	}
}

/* ---- at once ---- */
NDK_CASE(shared_at_once, "CONN-8 CONN-32 CONN-35 REQ-2", NDK_ON_S,
	 "success and STATUS_ADDRESS_ALREADY_EXISTS as what the call returns, one after the other")
{
	struct kit_call *c;
	struct attempt t, u;

	REQUIRE(attempt_open(&t, NDK_V4, ATTEMPT_SHARED));
	REQUIRE(attempt_another(&t, &u));
	t.pair->b->listener->mode = KIT_ACCEPT;
	REQUIRE(kit_answer(0, NDK_ANSWER_WAIT));
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	CHECK_STATUS(c->returned, STATUS_SUCCESS);
	CHECK(attempt_fails(&u, &u.to, STATUS_ADDRESS_ALREADY_EXISTS, ATTEMPT_AT_ONCE));
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer && t.peer->accepting);
	REQUIRE(attempt_finish(&t, t.peer->accepting));
	CHECK(attempt_carries(&t));
	CHECK_EQ(c->callbacks, 0);
	REQUIRE(kit_answer(0, NDK_ANSWER_NATURAL));
}

CONF_CASES(shared, CASE(shared_connects), CASE(shared_many), CASE(shared_many_pending),
	   CASE(shared_same_destination), CASE(shared_destination_later), CASE(shared_settled_at_creation),
	   CASE(shared_held), CASE(shared_not_held_by_failures), CASE(shared_at_once));
