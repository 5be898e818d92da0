/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What goes wrong on the way: messages lost, repeated and late, peers that fall silent or die, every
 * allocation of a connection's life failing in turn. Where the deterministic fabric is needed the
 * case says so; the rest runs where a case runs.
 */
#include "stages.h"

/* ---- lost messages ---- */

/* The other side has given up; here that is known by now, or as soon as something is sent. */
static void hard_look(struct kit_side *here, struct kit_conn *c)
{
	NDK_RESULT_EX r;

	if (!kit_disconnected(c, 1000)) {
		if (kit_send(here->qp, kit_context(), here->buffer, 0, 8, 0) == STATUS_SUCCESS)
			CHECK(kit_result(here->cq, &r) && r.Status != STATUS_SUCCESS);
		CHECK(kit_disconnected(c, KIT_PATIENCE_MS));
	}
	CHECK_EQ(c->events, 1);
}

/* Whatever the outcome, both sides agree on it in the end, and no half of a connection is left. */
static void hard_agree(struct staged *s, NTSTATUS connected)
{
	NTSTATUS status = connected, accepted = STATUS_CONNECTION_ABORTED;

	if (connected == STATUS_SUCCESS)
		status = kit_complete(s->ca);
	if (s->cb && status == STATUS_SUCCESS)
		accepted = kit_wait(s->accepting);
	if (status == STATUS_SUCCESS && accepted == STATUS_SUCCESS) {
		CHECK(kit_send_recv_verify(s->a, s->b, 32));
		return;
	}
	if (status == STATUS_SUCCESS) {
		CHECK(accepted == STATUS_IO_TIMEOUT || accepted == STATUS_CONNECTION_ABORTED);
		hard_look(s->a, s->ca);
		return;
	}
	CHECK(status == STATUS_IO_TIMEOUT || status == STATUS_CONNECTION_ABORTED);
	CHECK(KIT_CLOSED(s->ca->connector));
	if (s->cb && kit_wait(s->accepting) == STATUS_SUCCESS)
		hard_look(s->b, s->cb);
}

/* Connects with an acceptor that takes what comes; the connect's status. */
static NTSTATUS hard_connect(struct staged *s)
{
	NTSTATUS status;

	s->b->listener->mode = KIT_ACCEPT;
	s->connecting = kit_begin_connect(s->ca, s->a->qp, &s->from, &s->b->listener->at, (struct kit_params *)0);
	status = kit_wait(s->connecting);
	s->cb = s->b->conn = kit_arrival_ms(s->b->listener, 1);
	s->accepting = s->cb ? s->cb->accepting : (struct kit_call *)0;
	return status;
}

static void hard_lost(unsigned from, ULONG message, ULONG count)
{
	struct staged s;
	NTSTATUS status;

	conf_note("message %u of adapter %u lost %u times", message, from, count);
	REQUIRE(stage_to(&s, STAGE_IDLE));
	if (count)
		REQUIRE(conf_fault_drop(from, message, count));
	status = hard_connect(&s);
	/* the transport repeats itself every half second; the connect has ten of them */
	if (count <= 10 || message == CONF_RTU)
		CHECK_STATUS(status, STATUS_SUCCESS);
	if (count >= 1000 && message == CONF_REQ)
		CHECK_STATUS(status, STATUS_IO_TIMEOUT);
	hard_agree(&s, status);
	CHECK(conf_fault_clear());
	kit_close_all(KIT_CHILDREN_FIRST);
}

NDK_CASE(hard_lost_handshake, "CONN-14 CONN-15 ACPT-4 ACPT-7 REQ-1", NDK_ON_S,
	 "T-FT-01 requests, replies and confirmations lost any number of times: success, or an end on both sides")
{
	static const ULONG counts[] = { 0, 1, 2, 3, 5, 8, 10, 1000 };
	unsigned i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		hard_lost(0, CONF_REQ, counts[i]);
		hard_lost(1, CONF_REP, counts[i]);
		hard_lost(0, CONF_RTU, counts[i]);
	}
}

NDK_CASE(hard_twice, "LISTEN-7 REQ-1 DISC-7", NDK_ON_S,
	 "T-FT-02 messages repeated, the copy early or late: one connect event, one answer, one goodbye")
{
	static const ULONG late[] = { 0, 1, 100, 3000 };
	struct staged s;
	unsigned i, kind;

	for (kind = CONF_REQ; kind <= CONF_DREP; kind <<= 1) {
		if (kind == CONF_REJ)
			continue;
		for (i = 0; i < 4; i++) {
			REQUIRE(stage_to(&s, STAGE_IDLE));
			REQUIRE(conf_fault_duplicate(0, kind, 1, late[i]));
			REQUIRE(conf_fault_duplicate(1, kind, 1, late[i]));
			REQUIRE(stage_from_idle(&s, STAGE_UP));
			REQUIRE(kit_send_recv_verify(s.a, s.b, 32));
			REQUIRE(stage_leave(&s) && stage_part(&s));
			REQUIRE(KIT_CLOSED(s.ca->connector));
			conf_sleep(late[i] + 10);
			CHECK_EQ(s.b->listener->events, 1);
			CHECK_EQ(s.cb->events, 1);
			CHECK_EQ(s.ca->events, 0);
			CHECK(conf_fault_clear());
			kit_close_all(KIT_CHILDREN_FIRST);
		}
	}
}

NDK_CASE(hard_twice_refused, "CONN-13 LISTEN-7 REJ-5", NDK_ON_S,
	 "T-FT-02 a refusal that comes twice, and a request that comes again after it")
{
	struct staged s;
	ULONG late;

	for (late = 1; late <= 1000; late *= 10) {
		REQUIRE(stage_to(&s, STAGE_IDLE));
		REQUIRE(conf_fault_duplicate(0, CONF_REQ, 1, late));
		REQUIRE(conf_fault_duplicate(1, CONF_REJ, 1, late));
		REQUIRE(stage_announce(&s));
		REQUIRE_STATUS(kit_reject(s.cb, (PVOID)0, 0), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_wait(s.connecting), STATUS_CONNECTION_REFUSED);
		/* the next attempt of the same connector is not taken for the last one */
		REQUIRE(stage_from_idle(&s, STAGE_UP));
		conf_sleep(late + 10);
		CHECK_EQ(s.b->listener->events, 2);
		REQUIRE(kit_send_recv_verify(s.a, s.b, 32));
		CHECK(conf_fault_clear());
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

NDK_CASE(hard_late, "ACPT-4 CONN-26 REQ-1", NDK_ON_S,
	 "each message of the handshake late by up to five seconds: nothing but patience is lost")
{
	static const ULONG late[] = { 1, 400, 600, 5000 };
	struct staged s;
	unsigned i, kind;

	for (kind = CONF_REQ; kind <= CONF_RTU; kind <<= 1)
		for (i = 0; i < 4; i++) {
			REQUIRE(stage_to(&s, STAGE_IDLE));
			REQUIRE(conf_fault_delay(kind == CONF_REP ? 1 : 0, kind, 1, late[i]));
			REQUIRE(stage_from_idle(&s, STAGE_UP));
			REQUIRE(kit_send_recv_verify(s.a, s.b, 32));
			CHECK_EQ(s.b->listener->events, 1);
			CHECK(conf_fault_clear());
			kit_close_all(KIT_CHILDREN_FIRST);
		}
}

NDK_CASE(hard_lost_goodbye, "DISC-2 DISC-3 DISC-5 DISC-12", NDK_ON_S,
	 "T-FT-03 goodbyes and their answers lost: success or STATUS_IO_TIMEOUT in time, flushed, closed")
{
	static const ULONG counts[] = { 1, 2, 5, 1000 };
	PVOID posted;
	struct staged s;
	NTSTATUS status;
	unsigned i, what;

	for (what = 0; what < 2; what++)
		for (i = 0; i < 4; i++) {
			posted = kit_context();
			REQUIRE(stage_to(&s, STAGE_UP));
			REQUIRE_STATUS(kit_receive(s.a->qp, posted, s.a->buffer, 0, 16), STATUS_SUCCESS);
			REQUIRE(what ? conf_fault_drop(1, CONF_DREP, counts[i]) :
				       conf_fault_drop(0, CONF_DREQ, counts[i]));
			s.leaving = kit_begin_disconnect(s.ca);
			if (kit_disconnected(s.cb, 4000))
				CHECK(kit_wait(kit_begin_disconnect(s.cb)) == STATUS_SUCCESS);
			status = kit_wait(s.leaving);
			CHECK(status == STATUS_SUCCESS || status == STATUS_IO_TIMEOUT);
			if (counts[i] <= 2)
				CHECK_STATUS(status, STATUS_SUCCESS);
			CHECK(s.leaving->done_us - s.leaving->began_us <= 5100000);
			CHECK(kit_expect(s.a->cq, posted, STATUS_CANCELLED));
			CHECK(conf_fault_clear());
			kit_close_all(KIT_CHILDREN_FIRST);
		}
}

/* ---- peers that fall silent, or die ---- */

enum hard_end { HARD_SILENT, HARD_CUT, HARD_DEAD, HARD_ENDS };

static BOOLEAN hard_lose_peer(int how)
{
	return how == HARD_SILENT ? conf_silence(1, TRUE) : how == HARD_CUT ? conf_partition(TRUE) : conf_kill(1);
}

NDK_CASE(hard_peer_lost, "CLOSE-1 CLOSE-5 CLOSE-14 REQ-1 LIFE-4", NDK_ON_FABRIC,
	 "T-LC-14 the peer is lost at every point of a connection's life: all requests and closes end in time")
{
	struct staged s;
	UINT64 began;
	int stage, how;

	for (how = 0; how < HARD_ENDS; how++)
		for (stage = STAGE_ANNOUNCED; stage < STAGES && !conf_failed(); stage++) {
			conf_note("lost in way %d at stage %d", how, stage);
			REQUIRE(stage_to(&s, stage));
			REQUIRE(hard_lose_peer(how));
			began = conf_now_us();
			CHECK(KIT_CLOSED(s.ca->connector));
			CHECK(KIT_CLOSED(s.a->qp));
			CHECK(KIT_CLOSED(s.a->cq->cq));
			CHECK(conf_place() != NDK_ON_S || conf_now_us() - began < 2000000);
			kit_close_all(KIT_CHILDREN_FIRST);
			/* the dead come back as another device, the others by being heard again */
			if (how == HARD_DEAD)
				REQUIRE(conf_remove(1) && conf_return(1));
			conf_silence(1, FALSE);
			conf_partition(FALSE);
		}
}

#define HARD_SENDS 4

/* Of those under way when the link was cut the first ends with the reason, the others with it. */
static void hard_sends_end(struct kit_side *s, struct kit_conn *c, PVOID *sent)
{
	int i;

	REQUIRE(kit_expect(s->cq, sent[0], STATUS_IO_TIMEOUT));
	for (i = 1; i < HARD_SENDS; i++)
		REQUIRE(kit_expect(s->cq, sent[i], STATUS_CANCELLED));
	CHECK(kit_disconnected(c, KIT_PATIENCE_MS));
	CHECK_STATUS(kit_wait(kit_begin_disconnect(c)), STATUS_CONNECTION_ABORTED);
	CHECK_EQ(c->events, 1);
}

NDK_CASE(hard_peer_lost_sending, "U-28 DISC-6 DISC-3 QP-1 ORD-1 MGMT-8", NDK_ON_FABRIC,
	 "T-FT-04 the link is cut under traffic both ways: STATUS_IO_TIMEOUT, the rest STATUS_CANCELLED, one event each")
{
	struct ndk_counters before[2], after[2];
	struct kit_conn *conn[2];
	struct kit_side *side[2];
	PVOID sent[2][HARD_SENDS];
	struct staged s;
	int i, k;

	REQUIRE(stage_to(&s, STAGE_UP));
	side[0] = s.a;
	side[1] = s.b;
	conn[0] = s.ca;
	conn[1] = s.cb;
	/* for less than the transport's patience, if that can be done to the millisecond: nobody notices */
	SKIP_UNLESS(conf_partition(TRUE), "this place cannot cut the link: both ends are one device");
	if (conf_place() != NDK_ON_S)
		REQUIRE(conf_partition(FALSE));
	for (k = 0; k < 2; k++) {
		REQUIRE_STATUS(kit_receive(side[!k]->qp, kit_context(), side[!k]->buffer, 0, 64), STATUS_SUCCESS);
		sent[k][0] = kit_context();
	}
	REQUIRE_STATUS(kit_send(s.a->qp, sent[0][0], s.a->buffer, 0, 64, 0), STATUS_SUCCESS);
	conf_sleep(30);
	REQUIRE(conf_partition(FALSE));
	REQUIRE(kit_expect(s.a->cq, sent[0][0], STATUS_SUCCESS));
	REQUIRE_STATUS(kit_send(s.b->qp, sent[1][0], s.b->buffer, 0, 64, 0), STATUS_SUCCESS);
	REQUIRE(kit_take(s.b->cq, 2)); /* the receive and the send */
	REQUIRE(kit_take(s.a->cq, 1));
	CHECK_EQ(s.ca->events + s.cb->events, 0);
	/* for good */
	REQUIRE(conf_partition(TRUE));
	for (k = 0; k < 2; k++) {
		ndk_control_counters(conf_adapter_name((unsigned)k), &before[k]);
		for (i = 0; i < HARD_SENDS; i++) {
			sent[k][i] = kit_context();
			REQUIRE_STATUS(kit_send(side[k]->qp, sent[k][i], side[k]->buffer, 0, 64, 0), STATUS_SUCCESS);
		}
	}
	for (k = 0; k < 2; k++) {
		hard_sends_end(side[k], conn[k], sent[k]);
		ndk_control_counters(conf_adapter_name((unsigned)k), &after[k]);
		CHECK_EQ(after[k].conn_error - before[k].conn_error, 1);
	}
	CHECK(conf_partition(FALSE));
}

NDK_CASE(hard_left_alone, "CLOSE-1 CLOSE-14 DISC-3 DISC-12 U-3", NDK_ON_FABRIC,
	 "T-LC-10 disconnecting from a silent peer, then closing: cancelled or timed out, and over")
{
	KIT_EACH_ANSWER(mode)
	{
		struct kit_call *shut;
		struct staged s;
		NTSTATUS status;

		REQUIRE(stage_to(&s, STAGE_UP));
		REQUIRE(conf_silence(1, TRUE));
		s.leaving = kit_begin_disconnect(s.ca);
		conf_sleep(100);
		shut = KIT_CLOSE(s.ca->connector);
		status = kit_wait(s.leaving);
		CHECK(status == STATUS_CANCELLED || status == STATUS_IO_TIMEOUT || status == STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(shut), STATUS_SUCCESS);
		CHECK(conf_place() != NDK_ON_S || shut->done_us - shut->began_us < 1000000);
		CHECK(KIT_CLOSED(s.a->qp));
		CHECK(conf_silence(1, FALSE));
	}
}

/* ---- no memory ---- */

/* A status that a request may end with for want of memory, on this side or the other. */
static BOOLEAN hard_status(NTSTATUS status)
{
	return status == STATUS_SUCCESS || status == STATUS_INSUFFICIENT_RESOURCES || status == STATUS_IO_TIMEOUT ||
	       status == STATUS_CONNECTION_REFUSED || status == STATUS_CONNECTION_ABORTED ||
	       status == STATUS_CONNECTION_INVALID;
}

/* The end of a life in which something failed: all of it closes, whatever its state. */
static BOOLEAN hard_step(NTSTATUS status)
{
	CHECK(hard_status(status));
	return status == STATUS_SUCCESS;
}

/*
 * Connects, exchanges a message, disconnects, with each step checked for a documented outcome. Ends
 * at the first step that fails.
 */
static void hard_life(struct staged *s)
{
	struct kit_call *c;
	NTSTATUS status;

	s->connecting = kit_begin_connect(s->ca, s->a->qp, &s->from, &s->b->listener->at, (struct kit_params *)0);
	s->cb = kit_arrival_unless(s->b->listener, s->connecting, 12000);
	if (!s->cb) {
		/* refused, lost, or never sent */
		CHECK(kit_wait(s->connecting) != STATUS_SUCCESS);
		CHECK(hard_status(s->connecting->status));
		return;
	}
	s->b->conn = s->cb;
	s->accepting = kit_begin_accept(s->cb, s->b->qp, (struct kit_params *)0, KIT_EVENT);
	status = kit_wait(s->connecting);
	if (!hard_step(status))
		return;
	c = kit_begin_complete(s->ca, KIT_EVENT);
	if (!hard_step(kit_wait(c)) || !hard_step(kit_wait(s->accepting)))
		return;
	CHECK(kit_send_recv_verify(s->a, s->b, 100));
	s->leaving = kit_begin_disconnect(s->ca);
	kit_disconnected(s->cb, 6000);
	c = kit_begin_disconnect(s->cb);
	hard_step(kit_wait(c));
	hard_step(kit_wait(s->leaving));
}

/* TRUE: there was an n-th allocation, and it failed. */
static BOOLEAN hard_without(unsigned which, long n)
{
	const char *name = conf_adapter_name(which);
	long before, after;
	struct staged s;

	conf_note("allocation %ld of adapter %u", n, which);
	if (!stage_to(&s, STAGE_IDLE))
		return FALSE;
	ndk_control_allocs(name, (long *)0, &before);
	ndk_control_fail_alloc(name, n, 0);
	hard_life(&s);
	ndk_control_fail_alloc(name, 0, 0);
	ndk_control_allocs(name, (long *)0, &after);
	/* the sides and the listener are none the worse for it */
	CHECK(stage_still_well(&s));
	kit_close_all(KIT_CHILDREN_FIRST);
	return after != before;
}

NDK_CASE(hard_without_memory, "CONN-10 CONN-21 REQ-1 CLOSE-1", NDK_ON_ALL,
	 "every allocation of a connection's whole life fails in turn: a documented status, nothing left behind")
{
	KIT_EACH_ANSWER(mode)
	{
		unsigned which;
		BOOLEAN more;
		long n;

		for (which = 0; which < 2; which++) {
			more = TRUE;
			for (n = 1; n < 200 && more && !conf_failed(); n++)
				more = hard_without(which, n);
			CHECK(!more);
			CHECK(n > 2);
		}
	}
}

/* Sets a whole pair of sides up while allocations of adapter 0 fail; the last one not. */
static BOOLEAN hard_set_up_without(long n)
{
	const char *name = conf_adapter_name(0);
	const NDK_VERSION version = { 2, 1 };
	NDK_ADAPTER *a = (NDK_ADAPTER *)0;
	struct kit_call *c;
	struct kit_cq *q;
	long before, after;
	NDIS_STATUS opened;
	NDK_PD *pd;

	ndk_control_allocs(name, (long *)0, &before);
	ndk_control_fail_alloc(name, n, 0);
	opened = kit_open_version(0, version, &a);
	if (opened != NDIS_STATUS_SUCCESS) {
		CHECK_STATUS(opened, NDIS_STATUS_RESOURCES);
	} else {
		c = kit_begin_pd(a, (kit_inside)0, (PVOID)0);
		pd = hard_step(kit_wait(c)) ? (NDK_PD *)c->object : (NDK_PD *)0;
		c = kit_begin_cq(&q, a, 16, (kit_inside)0, (PVOID)0);
		if (hard_step(kit_wait(c)) && pd) {
			c = kit_begin_qp(pd, q, q, (struct kit_shape *)0, (kit_inside)0, (PVOID)0);
			hard_step(kit_wait(c));
			c = kit_begin_mr(pd, FALSE, (kit_inside)0, (PVOID)0);
			hard_step(kit_wait(c));
		}
	}
	ndk_control_fail_alloc(name, 0, 0);
	ndk_control_allocs(name, (long *)0, &after);
	kit_close_all(KIT_PARENTS_FIRST);
	return after != before;
}

NDK_CASE(hard_set_up_without_memory, "CREATE-10 CREATE-15 CREATE-16 ADP-3 CLOSE-1", NDK_ON_ALL,
	 "every allocation from opening an adapter on fails in turn, and what exists then is closed")
{
	KIT_EACH_ANSWER(mode)
	{
		BOOLEAN more = TRUE;
		long n;

		for (n = 1; n < 100 && more && !conf_failed(); n++)
			more = hard_set_up_without(n);
		CHECK(!more);
		CHECK(n > 4);
	}
}

CONF_CASES(hard_times, CASE(hard_lost_handshake), CASE(hard_twice), CASE(hard_twice_refused), CASE(hard_late),
	   CASE(hard_lost_goodbye), CASE(hard_peer_lost), CASE(hard_peer_lost_sending), CASE(hard_left_alone),
	   CASE(hard_without_memory), CASE(hard_set_up_without_memory));
