/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Attempts that end on this side of the network: the local address, its port, and what already goes
 * out from there. All are known at once, so each is shown as a return value and, with the adapter
 * told to pend, by callback; the same connector and QP connect afterwards. With them, how long
 * endpoints hold an address. Context and ownership: conf.h, attempt.h.
 */
#include "attempt.h"

/* From that local address, whoever has it: fails with want; and with a port of its own it connects. */
static BOOLEAN fails_from(struct attempt *t, const struct kit_address *from, NTSTATUS want, int mode)
{
	struct kit_address own = t->from;
	BOOLEAN right;

	t->from = *from;
	right = attempt_fails(t, &t->to, want, attempt_local(mode));
	t->from = own;
	return right;
}

/* ---- taken by somebody ---- */
static void taken_by_listener(int mode, int family, BOOLEAN wild)
{
	struct kit_listener *l;
	struct kit_address at;
	struct attempt t;
	USHORT port = kit_fresh_port();

	REQUIRE(attempt_open(&t, family, ATTEMPT_PLAIN));
	l = kit_create_listener(t.pair->a->adapter);
	REQUIRE(l);
	at = wild ? kit_wildcard(family, port) : kit_address(0, family, port);
	REQUIRE_STATUS(kit_listen(l, &at), STATUS_SUCCESS);
	at = kit_address(0, family, port);
	CHECK(fails_from(&t, &at, STATUS_SHARING_VIOLATION, mode));
	/* free as soon as the listener is gone */
	REQUIRE(KIT_CLOSED(l->listener));
	t.from = at;
	CHECK(attempt_recovers(&t));
}

static void taken_by_shared(int mode, int family)
{
	NDK_SHARED_ENDPOINT *e;
	struct kit_address at;
	struct attempt t;

	REQUIRE(attempt_open(&t, family, ATTEMPT_PLAIN));
	e = kit_create_shared(t.pair->a->adapter, &t.from);
	REQUIRE(e);
	at = kit_shared_address(e);
	CHECK(fails_from(&t, &at, STATUS_SHARING_VIOLATION, mode));
	REQUIRE(KIT_CLOSED(e));
	t.from = at;
	CHECK(attempt_recovers(&t));
}

/* Taken by another connector: while its attempt is under way, and when it is established. */
static void taken_by_connector(int mode, int family)
{
	struct kit_address from = kit_address(0, family, kit_fresh_port());
	struct kit_call *c, *accepting;
	struct kit_listener *l;
	struct attempt t, first;

	REQUIRE(attempt_open(&first, family, ATTEMPT_PLAIN));
	REQUIRE(attempt_another(&first, &t));
	l = attempt_listener(&first);
	REQUIRE(l);
	t.to = l->at; /* another destination, or it would be STATUS_ADDRESS_ALREADY_EXISTS */
	first.from = from;
	c = attempt_begin(&first, &first.to, NO_PARAMS);
	first.peer = kit_arrival(first.pair->b->listener);
	REQUIRE(first.peer);
	CHECK(fails_from(&t, &from, STATUS_SHARING_VIOLATION, mode));
	accepting = kit_begin_accept(first.peer, first.pair->b->qp, NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	REQUIRE(attempt_finish(&first, accepting));
	CHECK(fails_from(&t, &from, STATUS_SHARING_VIOLATION, mode));
	CHECK(attempt_carries(&first));
	/* refused here: the peer was not even asked */
	CHECK_EQ(l->events, 0);
	first.pair->b->qp = kit_another_qp(first.pair->b);
	CHECK(attempt_connect_to(&t, l));
}

NDK_CASE(connect_sharing, "CONN-16 ADDR-4 EP-7 CONN-24 U-5 U-52", NDK_ON_ALL,
	 "T-CN-02 a local address that a listener, shared endpoint or connector holds: STATUS_SHARING_VIOLATION")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family) {
			taken_by_listener(mode, family, FALSE);
			taken_by_listener(mode, family, TRUE);
			taken_by_shared(mode, family);
			taken_by_connector(mode, family);
		}
	}
}

/* ---- not ours ---- */
static unsigned not_ours(int mode, int family, enum conf_bad_address kind)
{
	struct kit_address from;
	struct attempt t;

	if (!attempt_bad(kind, family, 0, &from) || !attempt_open(&t, family, ATTEMPT_PLAIN))
		return 0;
	CHECK(fails_from(&t, &from, STATUS_INVALID_ADDRESS, mode));
	kit_set_port(&from, kit_fresh_port());
	CHECK(fails_from(&t, &from, STATUS_INVALID_ADDRESS, mode));
	CHECK(attempt_recovers(&t));
	return 1;
}

static void wildcard_source(int mode, int family)
{
	struct kit_address from = kit_wildcard(family, 0);
	struct attempt t;

	REQUIRE(attempt_open(&t, family, ATTEMPT_PLAIN));
	CHECK(fails_from(&t, &from, STATUS_INVALID_ADDRESS, mode));
	kit_set_port(&from, kit_fresh_port());
	CHECK(fails_from(&t, &from, STATUS_INVALID_ADDRESS, mode));
	CHECK(attempt_recovers(&t));
}

NDK_CASE(connect_invalid_address, "CONN-17 ADDR-6 CONN-24 U-5 U-8", NDK_ON_ALL,
	 "T-CN-02 a local address that is not this adapter's, or none in particular: STATUS_INVALID_ADDRESS")
{
	KIT_EACH_ANSWER(mode) {
		unsigned foreign = 0;

		KIT_EACH_FAMILY(family) {
			foreign += not_ours(mode, family, CONF_FOREIGN);
			foreign += not_ours(mode, family, CONF_OTHER_ADAPTER);
			wildcard_source(mode, family);
		}
		CHECK(foreign > 0 || conf_failed());
	}
}

/* ---- the whole range taken ---- */
#define RANGE 16384u
#define LOT 32u /* how many creations or closes are under way together */

/*
 * Who holds the ports: an opening of the device that the monitors do not know, for they would look at
 * every one of so many objects whenever one closes. Closed here, therefore, whatever happens.
 */
struct crowd {
	NDK_ADAPTER *adapter;
	NDK_SHARED_ENDPOINT **held;
	unsigned count;
};

static BOOLEAN crowd_open(struct crowd *w)
{
	const NDK_VERSION version = { 2, 1 };

	memset(w, 0, sizeof(*w));
	if (!CHECK_STATUS(NdkOpenAdapter(conf_adapter_name(0), version, &w->adapter), NDIS_STATUS_SUCCESS))
		return FALSE;
	w->held = (NDK_SHARED_ENDPOINT **)conf_alloc(RANGE * sizeof(w->held[0]));
	return TRUE;
}

/* Takes ports until none is left. */
static void crowd_in(struct crowd *w, const struct kit_address *any, unsigned ports)
{
	struct kit_call *c[LOT];
	unsigned i, lot;

	while (w->count < ports && !conf_failed()) {
		lot = ports - w->count < LOT ? ports - w->count : LOT;
		for (i = 0; i < lot; i++)
			c[i] = kit_begin_shared(w->adapter, any, (kit_inside)0, (PVOID)0);
		for (i = 0; i < lot; i++)
			if (CHECK_STATUS(kit_wait(c[i]), STATUS_SUCCESS))
				w->held[w->count++] = (NDK_SHARED_ENDPOINT *)c[i]->object;
	}
}

static void crowd_out(struct crowd *w)
{
	struct kit_call *c[LOT];
	unsigned i, lot;

	while (w->count > 0) {
		for (lot = 0; lot < LOT && w->count > 0;)
			c[lot++] = KIT_CLOSE(w->held[--w->count]);
		for (i = 0; i < lot; i++)
			CHECK_STATUS(kit_wait(c[i]), STATUS_SUCCESS);
	}
	conf_free(w->held);
	NdkCloseAdapter(w->adapter);
}

static void none_left(struct attempt *t, struct attempt *via, const struct crowd *w, int mode)
{
	struct kit_address any = t->from, from;
	struct kit_listener *l;
	struct kit_call *c;

	REQUIRE(kit_answer(0, (enum ndk_answer)mode));
	CHECK(fails_from(t, &any, STATUS_TOO_MANY_ADDRESSES, mode));
	c = kit_begin_shared(t->pair->a->adapter, &any, (kit_inside)0, (PVOID)0);
	CHECK_STATUS(kit_wait(c), STATUS_TOO_MANY_ADDRESSES);
	l = kit_create_listener(t->pair->a->adapter);
	REQUIRE(l);
	CHECK_STATUS(kit_listen(l, &any), STATUS_TOO_MANY_ADDRESSES);
	/* never when the port was given: neither for one that is taken */
	from = kit_shared_address(w->held[0]);
	CHECK(fails_from(t, &from, STATUS_SHARING_VIOLATION, mode));
	/* nor for the shared form, whose port was found when the endpoint was created (CONN-33) */
	c = attempt_begin(via, &via->to, NO_PARAMS);
	via->peer = kit_arrival(via->pair->b->listener);
	REQUIRE(via->peer);
	CHECK_STATUS(kit_reject(via->peer, (const VOID *)0, 0), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_REFUSED);
}

/* One port is given back, and it is the one that is found; then a port below the range. */
static void one_left(struct attempt *t, struct crowd *w)
{
	struct kit_address freed, mine;
	struct attempt u;

	freed = kit_shared_address(w->held[100]);
	REQUIRE(KIT_CLOSED(w->held[100]));
	w->held[100] = w->held[--w->count];
	REQUIRE(attempt_another(t, &u));
	REQUIRE(attempt_recovers(t));
	mine = kit_local_address(t->conn->connector);
	CHECK(kit_same_address(&mine, &freed));
	kit_set_port(&u.from, kit_fresh_port());
	t->pair->b->qp = kit_another_qp(t->pair->b);
	CHECK(attempt_connect_to(&u, t->pair->b->listener));
}

NDK_CASE(connect_exhausted, "CONN-18 CONN-19 CONN-33 ADDR-2 SEP-4 LISTEN-4 CONN-24 U-5", NDK_ON_ALL,
	 "all 16384 ports taken and none asked for: STATUS_TOO_MANY_ADDRESSES, and only then")
{
	struct attempt t, via;
	struct crowd w;

	REQUIRE(attempt_open(&t, NDK_V4, ATTEMPT_PLAIN));
	REQUIRE(attempt_another(&t, &via));
	via.shared = kit_create_shared(t.pair->a->adapter, &t.from);
	REQUIRE(via.shared);
	REQUIRE(crowd_open(&w));
	crowd_in(&w, &t.from, RANGE - 1); /* one is in via's hands */
	if (CHECK_EQ(w.count, RANGE - 1)) {
		none_left(&t, &via, &w, NDK_ANSWER_NATURAL);
		none_left(&t, &via, &w, NDK_ANSWER_PEND);
		kit_answer(0, NDK_ANSWER_NATURAL);
		one_left(&t, &w);
	}
	crowd_out(&w);
}

#define FEW 4u

NDK_CASE(listen_exhausted, "LISTEN-4 LISTEN-2 LISTEN-5 ADDR-2 EP-5 REQ-12", NDK_ON_ALL,
	 "T-LS-02 four ports left, five listeners without one: STATUS_TOO_MANY_ADDRESSES until one of them closes")
{
	struct kit_address any = kit_address(0, NDK_V4, 0), at[FEW];
	struct kit_listener *l[FEW + 1];
	NDK_ADAPTER *a = kit_open(0);
	struct crowd w;
	unsigned i, j;

	REQUIRE(a && crowd_open(&w));
	crowd_in(&w, &any, RANGE - FEW);
	for (i = 0; i <= FEW && CHECK_EQ(w.count, RANGE - FEW); i++) {
		l[i] = kit_create_listener(a);
		if (!l[i])
			break;
		CHECK_STATUS(kit_listen(l[i], &any), i < FEW ? STATUS_SUCCESS : STATUS_TOO_MANY_ADDRESSES);
		if (i < FEW)
			at[i] = l[i]->at;
		for (j = 0; i < FEW && j < i; j++)
			CHECK(kit_port(&at[j]) != kit_port(&at[i]));
	}
	if (CHECK_EQ(i, FEW + 1) && CHECK(KIT_CLOSED(l[1]->listener)) &&
	    CHECK_STATUS(kit_listen(l[FEW], &any), STATUS_SUCCESS))
		CHECK_EQ(kit_port(&l[FEW]->at), kit_port(&at[1]));
	crowd_out(&w);
}

/* ---- the same pair of addresses ---- */
static void same_pair(int mode, int family)
{
	struct kit_address from = kit_address(0, family, kit_fresh_port());
	struct kit_call *c, *accepting;
	struct attempt t, first;

	REQUIRE(attempt_open(&first, family, ATTEMPT_PLAIN));
	REQUIRE(attempt_another(&first, &t));
	first.from = from;
	/* from the moment the first is under way (U-7) */
	c = attempt_begin(&first, &first.to, NO_PARAMS);
	first.peer = kit_arrival(first.pair->b->listener);
	REQUIRE(first.peer);
	CHECK(fails_from(&t, &from, STATUS_ADDRESS_ALREADY_EXISTS, mode));
	accepting = kit_begin_accept(first.peer, first.pair->b->qp, NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	CHECK(fails_from(&t, &from, STATUS_ADDRESS_ALREADY_EXISTS, mode));
	REQUIRE(attempt_finish(&first, accepting));
	CHECK(fails_from(&t, &from, STATUS_ADDRESS_ALREADY_EXISTS, mode));
	CHECK(attempt_carries(&first));
	CHECK_EQ(first.pair->b->listener->events, 1);
	/* disconnected is not closed (EP-3) */
	first.pair->a->conn = first.conn;
	REQUIRE(kit_part(first.pair));
	CHECK(fails_from(&t, &from, STATUS_ADDRESS_ALREADY_EXISTS, mode));
	REQUIRE(KIT_CLOSED(first.conn->connector));
	REQUIRE(KIT_CLOSED(first.peer->connector));
	first.pair->b->qp = kit_another_qp(first.pair->b);
	t.from = from;
	CHECK(attempt_connect_to(&t, first.pair->b->listener));
}

NDK_CASE(connect_same_pair, "CONN-20 ADDR-5 EP-3 EP-5 EP-7 CONN-24 U-5 U-6 U-7", NDK_ON_ALL,
	 "local and remote address in use with each other: STATUS_ADDRESS_ALREADY_EXISTS until the close")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family)
			same_pair(mode, family);
	}
}

/* A failed attempt keeps nothing: the same four values are free for another connector at once. */
static void failed_keeps_nothing(int mode, int family)
{
	struct kit_address from = kit_address(0, family, kit_fresh_port()), to;
	struct kit_listener *l;
	struct attempt t, u;
	unsigned i;

	REQUIRE(attempt_open(&t, family, ATTEMPT_PLAIN));
	REQUIRE(attempt_another(&t, &u));
	t.from = u.from = from;
	to = kit_address(1, family, kit_fresh_port());
	for (i = 0; i < 3; i++) {
		CHECK(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
		CHECK(attempt_fails(&u, &to, STATUS_CONNECTION_REFUSED, ATTEMPT_LATER));
	}
	kit_set_port(&to, 0);
	CHECK(attempt_fails(&t, &to, STATUS_CONNECTION_REFUSED, attempt_local(mode)));
	l = kit_create_listener(t.pair->a->adapter);
	REQUIRE(l);
	REQUIRE_STATUS(kit_listen(l, &from), STATUS_SUCCESS);
	REQUIRE(KIT_CLOSED(l->listener));
	CHECK(attempt_recovers(&t));
}

NDK_CASE(connect_failed_keeps_nothing, "CONN-24 EP-3 EP-5 U-5 U-46", NDK_ON_ALL,
	 "after a failed attempt its address, port and pair are free for anyone, before the connector closes")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family)
			failed_keeps_nothing(mode, family);
	}
}

/* Ports are counted per address: the same number on the adapter's other address is another port. */
NDK_CASE(connect_ports_per_address, "CONN-5 ADDR-4", NDK_ON_ALL,
	 "a port taken on the IPv4 address is free on the IPv6 address of the same adapter, and the other way round")
{
	struct kit_address v4, v6;
	struct kit_listener *l;
	struct attempt t, u;

	REQUIRE(attempt_open(&t, NDK_V4, ATTEMPT_PLAIN));
	REQUIRE(attempt_open(&u, NDK_V6, ATTEMPT_PLAIN));
	v4 = kit_address(0, NDK_V4, kit_fresh_port());
	v6 = kit_address(0, NDK_V6, kit_port(&v4));
	l = kit_create_listener(u.pair->a->adapter);
	REQUIRE(l);
	REQUIRE_STATUS(kit_listen(l, &v6), STATUS_SUCCESS);
	t.from = v4;
	CHECK(attempt_recovers(&t));
	REQUIRE(KIT_CLOSED(l->listener));
	u.from = v6;
	CHECK(attempt_recovers(&u));
}

/* ---- endpoints of listeners ---- */

/* Nothing can be had at `at` of the passive adapter, from which `t` would connect back. */
static void held_by_endpoint(struct attempt *t, const struct kit_address *at, int mode)
{
	struct kit_listener *l = kit_create_listener(t->pair->b->adapter);
	struct kit_call *c;

	REQUIRE(l);
	CHECK_STATUS(kit_listen(l, at), STATUS_SHARING_VIOLATION);
	c = kit_begin_shared(t->pair->b->adapter, at, (kit_inside)0, (PVOID)0);
	CHECK_STATUS(kit_wait(c), STATUS_SHARING_VIOLATION);
	CHECK(fails_from(t, at, STATUS_SHARING_VIOLATION, mode));
	CHECK(KIT_CLOSED(l->listener));
}

/* Two connections accepted over a listener; back connects from the passive side, elsewhere. */
static void listener_endpoint(int mode)
{
	struct attempt t, u, back;
	struct kit_listener *far, *l;
	struct kit_address at, seen;
	struct kit_call *closing;

	REQUIRE(attempt_open(&t, NDK_V4, ATTEMPT_PLAIN));
	at = t.to;
	REQUIRE(attempt_another(&t, &u));
	REQUIRE(attempt_connect_to(&t, t.pair->b->listener));
	t.pair->b->qp = kit_another_qp(t.pair->b);
	REQUIRE(attempt_connect_to(&u, t.pair->b->listener));
	seen = kit_local_address(u.peer->connector);
	CHECK(kit_same_address(&seen, &at)); /* EP-1: it has no address of its own */
	far = kit_create_listener(t.pair->a->adapter);
	REQUIRE(far);
	seen = kit_address(0, NDK_V4, kit_fresh_port());
	REQUIRE_STATUS(kit_listen(far, &seen), STATUS_SUCCESS);
	back = t;
	back.conn = kit_create_connector(t.pair->b->adapter);
	back.qp = kit_another_qp(t.pair->b);
	back.to = far->at;
	REQUIRE(back.conn && back.qp);
	held_by_endpoint(&back, &at, mode);
	closing = KIT_CLOSE(t.pair->b->listener->listener);
	CHECK(kit_pended(closing));
	held_by_endpoint(&back, &at, mode);
	CHECK(KIT_CLOSED(t.peer->connector));
	conf_settle();
	CHECK(!kit_answered(closing));
	held_by_endpoint(&back, &at, mode);
	CHECK(KIT_CLOSED(u.peer->connector));
	CHECK_STATUS(kit_wait(closing), STATUS_SUCCESS);
	CHECK_EQ(far->events, 0);
	l = kit_create_listener(t.pair->b->adapter);
	REQUIRE(l);
	CHECK_STATUS(kit_listen(l, &at), STATUS_SUCCESS);
}

NDK_CASE(connect_listener_endpoint, "EP-1 EP-2 EP-5 EP-6 ADDR-4 CONN-16", NDK_ON_ALL,
	 "a closed listener's address stays taken, for listening, sharing and connecting, while its connectors live")
{
	KIT_EACH_ANSWER(mode)
		listener_endpoint(mode);
}

CONF_CASES(connect_local, CASE(connect_sharing), CASE(connect_invalid_address), CASE(connect_exhausted), CASE(listen_exhausted),
	   CASE(connect_same_pair), CASE(connect_failed_keeps_nothing), CASE(connect_ports_per_address),
	   CASE(connect_listener_endpoint));
