/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Listeners: listening, announcing, pausing, refusing, and closing with connectors alive. Runs where
 * a case runs.
 */
#include "stages.h"

/* ---- listening ---- */

static void listener_address_sizes(struct kit_listener *l)
{
	NDK_LISTENER *n = l->listener;
	struct sockaddr_storage at;
	ULONG len = l->at.len - 1;

	CHECK_STATUS(n->Dispatch->NdkGetLocalAddress(n, (PSOCKADDR)&at, &len), STATUS_BUFFER_TOO_SMALL);
	CHECK_EQ(len, l->at.len);
	len = 0;
	CHECK_STATUS(n->Dispatch->NdkGetLocalAddress(n, (PSOCKADDR)0, &len), STATUS_BUFFER_TOO_SMALL);
	CHECK_EQ(len, l->at.len);
	len = sizeof(at);
	CHECK_STATUS(n->Dispatch->NdkGetLocalAddress(n, (PSOCKADDR)&at, &len), STATUS_SUCCESS);
	CHECK_EQ(len, l->at.at.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
}

NDK_CASE(listener_port_zero, "LISTEN-1 LISTEN-4 LISTEN-5 LISTEN-14 U-42", NDK_ON_ALL,
	 "T-LS-01 port 0: one of 49152 to 65535 is chosen, can be read, and can be connected to")
{
	KIT_EACH_FAMILY(family)
	{
		struct kit_address any = kit_address(1, family, 0);
		struct kit_listener *l;
		struct staged s;

		REQUIRE(stage_open(&s, family));
		l = kit_create_listener(s.b->adapter);
		REQUIRE(l != (struct kit_listener *)0);
		REQUIRE_STATUS(kit_listen(l, &any), STATUS_SUCCESS);
		CHECK(kit_port(&l->at) >= 49152);
		CHECK_EQ(l->at.at.ss_family, any.at.ss_family);
		kit_set_port(&any, kit_port(&l->at));
		CHECK(kit_same_address(&l->at, &any));
		listener_address_sizes(l);
		s.b->listener = l;
		REQUIRE(stage_from_idle(&s, STAGE_UP));
	}
}

NDK_CASE(listener_bad_addresses, "LISTEN-2 LISTEN-3 U-9 U-40 REQ-12", NDK_ON_ALL,
	 "T-LS-03 taken, foreign and malformed addresses are refused; the listener takes a proper one then")
{
	KIT_EACH_ANSWER(mode)
	{
		static const enum conf_bad_address bad[] = { CONF_FOREIGN, CONF_OTHER_ADAPTER };
		struct kit_address at;
		struct kit_listener *l;
		struct staged s;
		unsigned i;

		REQUIRE(stage_open(&s, NDK_V4));
		l = kit_create_listener(s.b->adapter);
		REQUIRE(l != (struct kit_listener *)0);
		CHECK_STATUS(kit_listen(l, &s.b->listener->at), STATUS_SHARING_VIOLATION);
		for (i = 0; i < 2; i++) {
			memset(&at, 0, sizeof(at));
			/* the address of "another adapter" is seen from adapter 0; we listen on 1 */
			if (bad[i] == CONF_OTHER_ADAPTER)
				at = kit_address(0, NDK_V4, kit_fresh_port());
			else if (!conf_bad(bad[i], kit_fresh_port(), &at.at, &at.len))
				continue;
			if (bad[i] == CONF_OTHER_ADAPTER &&
			    strcmp(conf_adapter_name(0), conf_adapter_name(1)) == 0)
				continue;
			CHECK_STATUS(kit_listen(l, &at), STATUS_INVALID_ADDRESS);
		}
		at = kit_address(1, NDK_V4, kit_fresh_port());
		at.len = 3;
		CHECK_STATUS(kit_listen(l, &at), STATUS_INVALID_ADDRESS);
		at = kit_address(1, NDK_V4, kit_fresh_port());
		at.at.ss_family = 77;
		CHECK_STATUS(kit_listen(l, &at), STATUS_INVALID_ADDRESS);
		at = kit_address(1, NDK_V4, kit_fresh_port());
		CHECK_STATUS(kit_listen(l, &at), STATUS_SUCCESS);
		/* once is enough */
		kit_set_port(&at, kit_fresh_port());
		CHECK_STATUS(kit_listen(l, &at), STATUS_INVALID_DEVICE_STATE);
		s.b->listener = l;
		REQUIRE(stage_from_idle(&s, STAGE_UP));
	}
}

NDK_CASE(listener_again_at_once, "LISTEN-1 LISTEN-2 CONN-13 EP-5", NDK_ON_ALL,
	 "T-LS-07 closed and listening again on the same address, 100 times (K: 20) without pause")
{
	unsigned rounds = conf_place() == NDK_ON_K ? 20 : 100, i;
	struct kit_listener *l;
	struct kit_address at;
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	at = s.b->listener->at;
	REQUIRE(KIT_CLOSED(s.b->listener->listener));
	CHECK_STATUS(kit_connect(s.ca, s.a->qp, &s.from, &at, (struct kit_params *)0), STATUS_CONNECTION_REFUSED);
	for (i = 0; i < rounds && !conf_failed(); i++) {
		l = kit_create_listener(s.b->adapter);
		REQUIRE(l != (struct kit_listener *)0);
		REQUIRE_STATUS(kit_listen(l, &at), STATUS_SUCCESS);
		REQUIRE(KIT_CLOSED(l->listener));
	}
	l = kit_create_listener(s.b->adapter);
	REQUIRE(l != (struct kit_listener *)0);
	REQUIRE_STATUS(kit_listen(l, &at), STATUS_SUCCESS);
	s.b->listener = l;
	REQUIRE(stage_from_idle(&s, STAGE_UP));
}

/* ---- announcing ---- */

#define LISTENER_CLIENTS 4
#define LISTENER_MOST 10 /* in any case */

/* Several clients that connect to b's listener at once. */
struct clients {
	struct {
		struct kit_conn *ca;
		struct kit_call *connecting;
	} c[LISTENER_MOST];
};

static BOOLEAN clients_begin(struct clients *k, const struct staged *s, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		k->c[i].ca = kit_create_connector(s->a->adapter);
		if (!k->c[i].ca)
			return FALSE;
	}
	for (i = 0; i < count; i++) {
		NDK_QP *qp = kit_another_qp(s->a);

		if (!qp)
			return FALSE;
		k->c[i].connecting = kit_begin_connect(k->c[i].ca, qp, &s->from, &s->b->listener->at,
						       (struct kit_params *)0);
	}
	return TRUE;
}

NDK_CASE(listener_announces, "LISTEN-7 LISTEN-8 LISTEN-9 CTR-7", NDK_ON_ALL,
	 "each request is announced once, with a connector of its own, answered now or later")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_conn *got[LISTENER_CLIENTS];
		struct clients k;
		struct staged s;
		unsigned i, j;

		REQUIRE(stage_to(&s, STAGE_IDLE));
		REQUIRE(clients_begin(&k, &s, LISTENER_CLIENTS));
		for (i = 0; i < LISTENER_CLIENTS; i++) {
			got[i] = kit_arrival(s.b->listener);
			REQUIRE(got[i] != (struct kit_conn *)0);
			CHECK(got[i]->from == s.b->listener);
			for (j = 0; j < i; j++)
				CHECK(got[j]->connector != got[i]->connector);
		}
		conf_settle();
		CHECK_EQ(s.b->listener->events, LISTENER_CLIENTS);
		for (i = 0; i < LISTENER_CLIENTS; i++)
			CHECK_STATUS(kit_reject(got[i], (PVOID)0, 0), STATUS_SUCCESS);
		for (i = 0; i < LISTENER_CLIENTS; i++) {
			CHECK_STATUS(kit_wait(k.c[i].connecting), STATUS_CONNECTION_REFUSED);
			/* the consumer's to close, and to close only by it */
			CHECK(KIT_CLOSED(got[i]->connector));
		}
	}
}

static struct {
	NTSTATUS data;
	ULONG len;
	UCHAR first;
	BOOLEAN fits;
} listener_seen;

static void listener_reads_data(struct kit_listener *l, struct kit_conn *c)
{
	UCHAR data[256];
	ULONG len = sizeof(data);

	(void)l;
	listener_seen.fits = stage_irql_fits();
	listener_seen.data = c->connector->Dispatch->NdkGetConnectionData(c->connector, (ULONG *)0, (ULONG *)0, data,
									 &len);
	listener_seen.len = len;
	listener_seen.first = data[0];
}

static void listener_acts_body(int mode_in_event)
{
	struct kit_params p;
	struct staged s;

	memset(&p, 0, sizeof(p));
	p.data = "x";
	p.data_len = 1;
	REQUIRE(stage_to(&s, STAGE_IDLE));
	s.b->listener->mode = (enum kit_mode)mode_in_event;
	s.b->listener->custom = listener_reads_data;
	s.connecting = kit_begin_connect(s.ca, s.a->qp, &s.from, &s.b->listener->at, &p);
	s.cb = kit_arrival(s.b->listener);
	REQUIRE(s.cb != (struct kit_conn *)0);
	switch (mode_in_event) {
	case KIT_ACCEPT:
		REQUIRE_STATUS(kit_wait(s.connecting), STATUS_SUCCESS);
		s.accepting = s.cb->accepting;
		REQUIRE(stage_complete(&s));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
		break;
	case KIT_REJECT:
		CHECK_STATUS(s.cb->answered, STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(s.connecting), STATUS_CONNECTION_REFUSED);
		break;
	case KIT_SHUT:
		CHECK_STATUS(kit_wait(s.connecting), STATUS_CONNECTION_REFUSED);
		CHECK_STATUS(kit_wait(s.b->listener->last_shut), STATUS_SUCCESS);
		break;
	default:
		CHECK_STATUS(listener_seen.data, STATUS_SUCCESS);
		CHECK(listener_seen.len >= 1);
		CHECK_EQ(listener_seen.first, 'x');
		CHECK(listener_seen.fits);
		CHECK(!kit_answered(s.connecting));
		break;
	}
}

NDK_CASE(listener_acts_inside, "LISTEN-8 REQ-9 CONC-9 CTR-1 U-41 IRQL-3", NDK_ON_ALL,
	 "T-LS-11 inside the connect event: accept, reject, close, read the data")
{
	KIT_EACH_ANSWER(mode)
	{
		static const enum kit_mode modes[] = { KIT_ACCEPT, KIT_REJECT, KIT_SHUT, KIT_CUSTOM };
		unsigned i;

		for (i = 0; i < 4; i++) {
			listener_acts_body(modes[i]);
			kit_close_all(KIT_CHILDREN_FIRST);
		}
	}
}

/* How many of them have been answered by now. */
static unsigned clients_answered(const struct clients *k, unsigned count)
{
	unsigned i, n = 0;

	for (i = 0; i < count; i++)
		n += kit_answered(k->c[i].connecting);
	return n;
}

/* The first connect event of a slow consumer; but on S it is over when it is told so. With the lock. */
static struct {
	BOOLEAN begun, told, over;
} listener_slow;

/* Connect events come from a worker of their own in the kernel: to sleep there leaves the processor to others. */
static void listener_doze(void)
{
	UINT64 until = conf_now_us() + KIT_PATIENCE_MS * 1000ull;
	unsigned long flags;
	BOOLEAN stay = TRUE;

	while (stay && conf_now_us() < until) {
		conf_sleep(1);
		flags = conf_lock();
		stay = !listener_slow.told;
		conf_unlock(flags);
	}
}

static void listener_stay(struct kit_listener *l)
{
	unsigned long flags = conf_lock();
	BOOLEAN first = !listener_slow.begun;

	(void)l;
	listener_slow.begun = TRUE;
	conf_unlock(flags);
	if (!first)
		return;
	if (conf_place() == NDK_ON_K)
		listener_doze();
	else
		stage_hold(&listener_slow.told);
	stage_release(&listener_slow.over);
}

/* All other requests, and another listener's, while the first event lasts. */
static void listener_served_meanwhile(struct clients *k, struct staged *s)
{
	UINT64 until = conf_now_us() + KIT_PATIENCE_MS * 1000ull;
	unsigned long flags;

	REQUIRE(stage_from_idle(s, STAGE_UP));
	while (clients_answered(k, LISTENER_MOST) < LISTENER_MOST - 1 && conf_now_us() < until)
		conf_nap();
	CHECK_EQ(clients_answered(k, LISTENER_MOST), LISTENER_MOST - 1);
	flags = conf_lock();
	CHECK(listener_slow.begun && !listener_slow.over);
	conf_unlock(flags);
}

/* All of them have been accepted, and get through. */
static void clients_served(struct clients *k, struct kit_listener *l)
{
	struct kit_conn *c;
	unsigned i;

	for (i = 0; i < LISTENER_MOST; i++)
		if (CHECK_STATUS(kit_wait(k->c[i].connecting), STATUS_SUCCESS))
			CHECK_STATUS(kit_complete(k->c[i].ca), STATUS_SUCCESS);
	for (i = 0; i < LISTENER_MOST; i++) {
		c = kit_arrival(l);
		if (CHECK(c && c->accepting))
			CHECK_STATUS(kit_wait(c->accepting), STATUS_SUCCESS);
	}
}

#define LISTENER_STALL_US 200000u

static void listener_slowly(void)
{
	struct kit_address at = kit_address(1, NDK_V4, kit_fresh_port());
	struct kit_listener *slow, *other;
	struct clients k;
	struct staged s;
	UINT64 began;
	unsigned i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	slow = s.b->listener;
	slow->mode = KIT_ACCEPT;
	for (i = 0; i < LISTENER_MOST; i++) {
		slow->qps[i] = kit_another_qp(s.b);
		REQUIRE(slow->qps[i] != (NDK_QP *)0);
	}
	memset(&listener_slow, 0, sizeof(listener_slow));
	if (conf_place() == NDK_ON_S)
		slow->stall_us = LISTENER_STALL_US;
	else
		slow->stall = listener_stay;
	other = kit_create_listener(s.b->adapter);
	REQUIRE(other != (struct kit_listener *)0);
	REQUIRE_STATUS(kit_listen(other, &at), STATUS_SUCCESS);
	REQUIRE(clients_begin(&k, &s, LISTENER_MOST));
	s.b->listener = other;
	began = conf_now_us();
	if (conf_place() != NDK_ON_S) {
		listener_served_meanwhile(&k, &s);
	} else {
		REQUIRE(stage_from_idle(&s, STAGE_UP));
		CHECK(conf_now_us() - began < LISTENER_MOST * LISTENER_STALL_US);
	}
	stage_release(&listener_slow.told);
	clients_served(&k, slow);
}

NDK_CASE(listener_slow_consumer, "LISTEN-15 CONN-26", NDK_ON_ALL,
	 "T-LS-10 a connect event takes 200 ms (T, K: for ever): all ten clients are served, other listeners meanwhile")
{
	attempt_deadline(0, NDK_TIME_CONNECT, 3600000);
	attempt_deadline(1, NDK_TIME_ACCEPT, 3600000);
	listener_slowly();
	/* whatever came of it, nobody may be left waiting */
	stage_release(&listener_slow.told);
	attempt_deadlines_default();
}

/* ---- refusing what is too much ---- */

static void listener_backlog_body(void)
{
	const struct kit_conn *none = (struct kit_conn *)0;
	struct kit_conn *got[3];
	struct clients k;
	struct staged s, m;
	unsigned i;

	REQUIRE(ndk_control_backlog(conf_adapter_name(1), 3) == 0);
	REQUIRE(stage_to(&s, STAGE_IDLE));
	REQUIRE(clients_begin(&k, &s, 5));
	for (i = 0; i < 3; i++) {
		got[i] = kit_arrival(s.b->listener);
		REQUIRE(got[i] != none);
	}
	for (i = 0; i < KIT_PATIENCE_MS / 50 && clients_answered(&k, 5) < 2; i++)
		conf_sleep(50);
	CHECK_EQ(clients_answered(&k, 5), 2);
	for (i = 0; i < 5; i++)
		if (kit_answered(k.c[i].connecting))
			CHECK_STATUS(k.c[i].connecting->status, STATUS_CONNECTION_REFUSED);
	CHECK_EQ(s.b->listener->events, 3);
	/* one is answered, so there is room for one */
	CHECK_STATUS(kit_reject(got[0], (PVOID)0, 0), STATUS_SUCCESS);
	REQUIRE(stage_more(&s, &m, STAGE_ANNOUNCED));
	CHECK_STATUS(kit_reject(m.cb, (PVOID)0, 0), STATUS_SUCCESS);
	/* closing unanswered is an answer too, and so is an accept */
	CHECK(KIT_CLOSED(got[1]->connector));
	REQUIRE(stage_more(&s, &m, STAGE_UP));
	REQUIRE(stage_more(&s, &m, STAGE_UP));
}

NDK_CASE(listener_backlog, "LISTEN-6 CONN-13", NDK_ON_ALL,
	 "T-LS-09 as many requests wait as the provider's backlog says, the next one is refused")
{
	listener_backlog_body();
	ndk_control_backlog(conf_adapter_name(1), NDK_DEFAULT_BACKLOG);
}

NDK_CASE(listener_backlog_freed, "LISTEN-6 REJ-4", NDK_ON_ALL,
	 "T-LS-12 requests whose sender has gone take room until answered, and give it back then")
{
	struct staged s;
	int i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	/* siw takes 10 s to close what is connecting and not answered */
	for (i = 0; i < (kit_on_siw() ? 3 : 6) && !conf_failed(); i++) {
		REQUIRE(ndk_control_backlog(conf_adapter_name(1), 1) == 0);
		if (CHECK(stage_announce(&s))) {
			CHECK(KIT_CLOSED(s.ca->connector));
			CHECK(KIT_CLOSED(s.cb->connector));
		}
		s.ca = kit_create_connector(s.a->adapter);
		if (!s.ca)
			break;
	}
	ndk_control_backlog(conf_adapter_name(1), NDK_DEFAULT_BACKLOG);
}

/* ---- pausing ---- */

static void listener_pause(struct kit_listener *l, BOOLEAN pause)
{
	l->listener->Dispatch->NdkControlConnectEvents(l->listener, pause);
}

NDK_CASE(listener_pauses, "LISTEN-10 LISTEN-11 CONN-13 U-39", NDK_ON_ALL,
	 "T-LS-13 paused it announces nothing and refuses; a switch, not a counter; connections are not touched")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_address elsewhere = kit_address(1, NDK_V4, kit_fresh_port());
		struct staged s, m;
		long events;
		NTSTATUS nobody;

		REQUIRE(stage_to(&s, STAGE_UP));
		REQUIRE(stage_more(&s, &m, STAGE_IDLE));
		nobody = kit_connect(m.ca, m.a->qp, &s.from, &elsewhere, (struct kit_params *)0);
		events = s.b->listener->events;
		listener_pause(s.b->listener, TRUE);
		listener_pause(s.b->listener, TRUE);
		/* exactly as if nobody listened */
		CHECK_STATUS(kit_connect(m.ca, m.a->qp, &s.from, &s.b->listener->at, (struct kit_params *)0), nobody);
		CHECK_STATUS(nobody, STATUS_CONNECTION_REFUSED);
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
		listener_pause(s.b->listener, FALSE);
		conf_settle();
		/* what was turned away does not come back */
		CHECK_EQ(s.b->listener->events, events);
		REQUIRE(stage_from_idle(&m, STAGE_UP));
		CHECK_EQ(s.b->listener->events, events + 1);
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
	}
}

NDK_CASE(listener_paused_before, "LISTEN-10 LISTEN-11 U-39", NDK_ON_ALL,
	 "paused before it listens, a listener is paused when it does")
{
	struct kit_address at = kit_address(1, NDK_V4, kit_fresh_port());
	struct kit_listener *l;
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	l = kit_create_listener(s.b->adapter);
	REQUIRE(l != (struct kit_listener *)0);
	listener_pause(l, TRUE);
	REQUIRE_STATUS(kit_listen(l, &at), STATUS_SUCCESS);
	CHECK_STATUS(kit_connect(s.ca, s.a->qp, &s.from, &at, (struct kit_params *)0), STATUS_CONNECTION_REFUSED);
	listener_pause(l, FALSE);
	s.b->listener = l;
	REQUIRE(stage_from_idle(&s, STAGE_UP));
}

/* ---- closing ---- */

NDK_CASE(listener_closing, "LISTEN-12 LISTEN-13 CONN-13 EP-6 LIFE-4 LIFE-5 LIFE-6", NDK_ON_ALL,
	 "T-LS-08 closing: deaf at once, pending while a connector lives, the address taken till the end")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *shut, *last;
		struct kit_listener *next;
		struct staged s, m;
		struct kit_address at;

		REQUIRE(stage_to(&s, STAGE_UP));
		REQUIRE(stage_more(&s, &m, STAGE_IDLE));
		at = s.b->listener->at;
		shut = KIT_CLOSE(s.b->listener->listener);
		CHECK(kit_pended(shut));
		CHECK_STATUS(kit_connect(m.ca, m.a->qp, &s.from, &at, (struct kit_params *)0),
			     STATUS_CONNECTION_REFUSED);
		next = kit_create_listener(s.b->adapter);
		REQUIRE(next != (struct kit_listener *)0);
		CHECK_STATUS(kit_listen(next, &at), STATUS_SHARING_VIOLATION);
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
		CHECK(!kit_answered(shut));
		last = KIT_CLOSE(s.cb->connector);
		REQUIRE_STATUS(kit_wait(last), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_wait(shut), STATUS_SUCCESS);
		if (kit_pended(last))
			CHECK(last->left < shut->entered);
		CHECK(stage_once(shut));
		REQUIRE_STATUS(kit_listen(next, &at), STATUS_SUCCESS);
		m.b->listener = next;
		REQUIRE(stage_from_idle(&m, STAGE_UP));
	}
}

NDK_CASE(listener_closing_unanswered, "LISTEN-12 LISTEN-13 U-41", NDK_ON_ALL,
	 "what was announced before the close can still be answered, and the close waits for it")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *shut;
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		shut = KIT_CLOSE(s.b->listener->listener);
		CHECK(kit_pended(shut));
		REQUIRE(stage_accept(&s));
		REQUIRE(stage_complete(&s));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
		conf_settle();
		CHECK(!kit_answered(shut));
		REQUIRE(stage_leave(&s) && stage_part(&s));
		CHECK(!kit_answered(shut));
		CHECK(KIT_CLOSED(s.cb->connector));
		REQUIRE_STATUS(kit_wait(shut), STATUS_SUCCESS);
	}
}

/*
 * The iWARP CM of the kernel drops without an answer what it has heard and not yet passed on when the listener
 * goes: such a client waits until siw's patience is over.
 */
static BOOLEAN listener_turned_away(struct kit_call *connecting)
{
	NTSTATUS status = kit_wait(connecting);

	return (kit_on_siw() && status == STATUS_IO_TIMEOUT) || CHECK_STATUS(status, STATUS_CONNECTION_REFUSED);
}

NDK_CASE(listener_closing_against_requests, "LISTEN-12 LISTEN-13 CONN-13 CLOSE-1 U-41", NDK_ON_ALL,
	 "closing while requests come in: each is announced, or refused; none is lost, the close ends")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *shut;
		struct clients k;
		struct kit_conn *c;
		struct staged s;
		unsigned i;

		REQUIRE(stage_to(&s, STAGE_IDLE));
		REQUIRE(clients_begin(&k, &s, LISTENER_CLIENTS));
		shut = KIT_CLOSE(s.b->listener->listener);
		/* those that were announced before the close took hold are ours to answer */
		for (i = 0; i < 1000 && clients_answered(&k, LISTENER_CLIENTS) < LISTENER_CLIENTS; i++) {
			c = kit_arrival_ms(s.b->listener, KIT_QUIET_MS);
			if (c)
				CHECK(KIT_CLOSED(c->connector));
		}
		for (i = 0; i < LISTENER_CLIENTS; i++)
			listener_turned_away(k.c[i].connecting);
		REQUIRE_STATUS(kit_wait(shut), STATUS_SUCCESS);
	}
}

CONF_CASES(listener, CASE(listener_port_zero), CASE(listener_bad_addresses), CASE(listener_again_at_once),
	   CASE(listener_announces), CASE(listener_acts_inside), CASE(listener_slow_consumer),
	   CASE(listener_backlog), CASE(listener_backlog_freed), CASE(listener_pauses),
	   CASE(listener_paused_before), CASE(listener_closing), CASE(listener_closing_unanswered),
	   CASE(listener_closing_against_requests));
