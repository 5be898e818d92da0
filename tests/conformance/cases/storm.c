/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Many clients that connect, say one thing and leave, as fast as they can, to one listener that takes
 * every second of them. Clients are threads; on the deterministic fabric, which has none, their
 * attempts overlap all the same. The case's own thread is the server. Runs where a case runs.
 */
#include "stages.h"

#define STORM_CLIENTS 16u
#define STORM_MESSAGE 16u

struct storm;

/* One client, used by its own thread only. */
struct storm_client {
	struct storm *storm;
	struct kit_side *side;
	struct kit_conn *conn;
	NDK_QP *qp;
	struct kit_call *connecting;
	unsigned rounds;
	unsigned taken, refused;
	UINT64 connect_us, talk_us, leave_us; /* over all rounds */
};

/* A connection at the server, from its arrival until it is closed. */
struct storm_guest {
	struct kit_conn *conn;
	NDK_QP *qp;
	struct storm_guest *next;
};

struct storm {
	struct kit_side *server;
	struct kit_cq *cq;
	struct kit_listener *listener;
	struct kit_address from;
	struct storm_client client[STORM_CLIENTS];
	struct storm_guest *guests;
	unsigned accepted, rejected, messages; /* messages: results of receives */
	long running; /* clients; with conf_lock() */
};

static unsigned storm_clients(void)
{
	return conf_place() == NDK_ON_K ? 4 : STORM_CLIENTS;
}

static unsigned storm_rounds(void)
{
	return conf_place() == NDK_ON_K ? 25 : 20;
}

/* ---- a client ---- */

static BOOLEAN storm_begin(struct storm_client *k)
{
	k->conn = kit_create_connector(k->side->adapter);
	k->qp = kit_another_qp(k->side);
	if (!k->conn || !k->qp)
		return FALSE;
	k->connecting = kit_begin_connect(k->conn, k->qp, &k->storm->from, &k->storm->listener->at, NO_PARAMS);
	return TRUE;
}

static BOOLEAN storm_talk(struct storm_client *k)
{
	UINT64 began = conf_now_us(), said;
	PVOID sent = kit_context();

	if (!CHECK_STATUS(kit_complete(k->conn), STATUS_SUCCESS) ||
	    !CHECK_STATUS(kit_send(k->qp, sent, k->side->buffer, 0, STORM_MESSAGE, 0), STATUS_SUCCESS) ||
	    !kit_expect(k->side->cq, sent, STATUS_SUCCESS))
		return FALSE;
	said = conf_now_us();
	k->talk_us += said - began;
	if (!CHECK_STATUS(kit_disconnect(k->conn), STATUS_SUCCESS))
		return FALSE;
	k->leave_us += conf_now_us() - said;
	return TRUE;
}

static BOOLEAN storm_end(struct storm_client *k)
{
	NTSTATUS status = kit_wait(k->connecting);

	k->connect_us += k->connecting->done_us - k->connecting->began_us;
	CHECK(stage_once(k->connecting));
	if (status == STATUS_SUCCESS) {
		k->taken++;
		if (!storm_talk(k))
			return FALSE;
	} else if (CHECK_STATUS(status, STATUS_CONNECTION_REFUSED)) {
		k->refused++;
	}
	return CHECK(KIT_CLOSED(k->conn->connector)) && CHECK(KIT_CLOSED(k->qp));
}

static void storm_client(PVOID arg)
{
	struct storm_client *k = (struct storm_client *)arg;
	unsigned long flags;
	unsigned i;

	for (i = 0; i < k->rounds && !conf_failed() && storm_begin(k) && storm_end(k); i++)
		;
	flags = conf_lock();
	k->storm->running--;
	conf_unlock(flags);
}

/* ---- the server ---- */

static void storm_answer_goodbye(struct kit_conn *c)
{
	c->arg = kit_begin_disconnect(c);
}

static void storm_take(struct storm *t, struct kit_conn *c)
{
	struct storm_guest *g = (struct storm_guest *)kit_alloc(sizeof(*g));
	struct kit_shape shape;

	memset(&shape, 0, sizeof(shape));
	shape.receive_depth = shape.initiator_depth = shape.receive_sge = shape.initiator_sge = 1;
	g->conn = c;
	g->qp = kit_create_qp(t->server->pd, t->cq, t->cq, &shape);
	REQUIRE(g->qp != (NDK_QP *)0);
	CHECK_STATUS(kit_receive(g->qp, kit_context(), t->server->buffer, 0, STORM_MESSAGE), STATUS_SUCCESS);
	c->inside = storm_answer_goodbye;
	kit_begin_accept(c, g->qp, NO_PARAMS, KIT_EVENT);
	g->next = t->guests;
	t->guests = g;
	t->accepted++;
}

/* Every second arrival is taken. FALSE: none came. */
static BOOLEAN storm_serve(struct storm *t, ULONG ms)
{
	struct kit_conn *c = kit_arrival_ms(t->listener, ms);

	if (!c)
		return FALSE;
	if ((t->accepted + t->rejected) & 1) {
		CHECK_STATUS(kit_reject(c, (const VOID *)0, 0), STATUS_SUCCESS);
		CHECK(KIT_CLOSED(c->connector));
		t->rejected++;
	} else {
		storm_take(t, c);
	}
	return TRUE;
}

static void storm_results(struct storm *t)
{
	NDK_RESULT_EX r;

	while (kit_poll(t->cq, &r, 1)) {
		t->messages++;
		/* where leaving takes the byte stream down, it may take the last message with it (N-21) */
		if (conf_iwarp() && conf_place() == NDK_ON_K && r.Status == STATUS_CANCELLED)
			continue;
		CHECK_STATUS(r.Status, STATUS_SUCCESS);
		CHECK_EQ(r.BytesTransferred, STORM_MESSAGE);
	}
}

/* The answer to its client's goodbye, once the event has returned. */
static struct kit_call *storm_left(const struct storm_guest *g)
{
	unsigned long flags = conf_lock();
	struct kit_call *leaving = g->conn->event_left ? (struct kit_call *)g->conn->arg : (struct kit_call *)0;

	conf_unlock(flags);
	return leaving;
}

/* In the kernel the goodbye may overtake the confirmation: then the accept has failed, and there is no event. */
static BOOLEAN storm_overtaken(const struct storm_guest *g)
{
	const struct kit_call *c = g->conn->accepting;

	return conf_place() == NDK_ON_K && kit_answered(c) && c->status == STATUS_CONNECTION_ABORTED;
}

/* Closes those whose client has left. */
static void storm_sweep(struct storm *t)
{
	struct storm_guest **at = &t->guests, *g;

	storm_results(t);
	while ((g = *at) != (struct storm_guest *)0) {
		struct kit_call *leaving = storm_left(g);

		if (storm_overtaken(g)) {
			conf_note("a goodbye overtook the confirmation");
			*at = g->next;
			CHECK_EQ(g->conn->events, 0);
			CHECK(KIT_CLOSED(g->conn->connector));
			CHECK(KIT_CLOSED(g->qp));
			continue;
		}
		if (!leaving || !kit_answered(leaving)) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		CHECK_STATUS(leaving->status, STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(g->conn->accepting), STATUS_SUCCESS);
		CHECK_EQ(g->conn->events, 1);
		CHECK(KIT_CLOSED(g->conn->connector));
		CHECK(KIT_CLOSED(g->qp));
	}
}

static BOOLEAN storm_open(struct storm *t)
{
	struct kit_address at = kit_address(1, NDK_V4, kit_fresh_port());
	unsigned i;

	t->from = kit_address(0, NDK_V4, 0);
	t->server = kit_side(1);
	t->cq = t->server ? kit_create_cq(t->server->adapter, 4 * STORM_CLIENTS) : (struct kit_cq *)0;
	t->listener = t->cq ? kit_create_listener(t->server->adapter) : (struct kit_listener *)0;
	if (!t->listener || !CHECK_STATUS(kit_listen(t->listener, &at), STATUS_SUCCESS))
		return FALSE;
	for (i = 0; i < storm_clients(); i++) {
		t->client[i].storm = t;
		t->client[i].rounds = storm_rounds();
		t->client[i].side = kit_side(0);
		if (!t->client[i].side)
			return FALSE;
	}
	return TRUE;
}

/* ---- all together ---- */

static BOOLEAN storm_busy(struct storm *t)
{
	unsigned long flags = conf_lock();
	BOOLEAN busy = t->running > 0;

	conf_unlock(flags);
	return busy;
}

static void storm_threads(struct storm *t)
{
	PVOID thread[STORM_CLIENTS];
	unsigned i, clients = storm_clients();

	t->running = clients;
	for (i = 0; i < clients; i++) {
		thread[i] = conf_spawn(storm_client, &t->client[i]);
		if (!CHECK(thread[i] != (PVOID)0))
			storm_client(&t->client[i]); /* which ends at once, the case having failed */
	}
	while (storm_busy(t)) {
		storm_serve(t, 5);
		storm_sweep(t);
	}
	for (i = 0; i < clients; i++)
		conf_join(thread[i]);
}

/* All attempts of a round are under way before the first is answered. */
static void storm_in_turns(struct storm *t)
{
	unsigned round, i, clients = storm_clients();

	for (round = 0; round < storm_rounds(); round++) {
		for (i = 0; i < clients; i++)
			REQUIRE(storm_begin(&t->client[i]));
		for (i = 0; i < clients; i++)
			REQUIRE(storm_serve(t, KIT_PATIENCE_MS));
		for (i = 0; i < clients; i++)
			REQUIRE(storm_end(&t->client[(i * 5 + round) % clients]));
		storm_sweep(t);
	}
}

static void storm_judge(struct storm *t, UINT64 us)
{
	UINT64 connect = 0, talk = 0, leave = 0;
	struct storm_guest *g;
	unsigned i, taken = 0, refused = 0, all = storm_clients() * storm_rounds();

	for (i = 0; i < KIT_PATIENCE_MS / 20 && t->guests; i++) {
		conf_settle();
		storm_sweep(t);
	}
	CHECK(t->guests == (struct storm_guest *)0);
	for (g = t->guests; g; g = g->next)
		conf_fail(__FILE__, __LINE__, "a guest stays: accept %s, %ld events, %s", kit_answered(g->conn->accepting) ?
			  conf_status_name(g->conn->accepting->status) : "not answered", g->conn->events,
			  storm_left(g) ? "disconnect not answered" : "no disconnect");
	for (i = 0; i < storm_clients(); i++) {
		taken += t->client[i].taken;
		refused += t->client[i].refused;
		connect += t->client[i].connect_us;
		talk += t->client[i].talk_us;
		leave += t->client[i].leave_us;
	}
	CHECK_EQ(t->listener->events, t->accepted + t->rejected);
	CHECK_EQ(taken + refused, all);
	CHECK_EQ(taken, t->accepted);
	CHECK_EQ(refused, t->rejected);
	CHECK_EQ(t->messages, t->accepted);
	CHECK(t->accepted - t->rejected <= 1);
	if (conf_failed() || !us)
		return;
	conf_note("%u connections, %llu per second; microseconds: connect %llu, complete and talk %llu, leave %llu",
		  taken, (unsigned long long)(taken * 1000000ull / us), (unsigned long long)(connect / all),
		  (unsigned long long)(talk / taken), (unsigned long long)(leave / taken));
}

NDK_CASE(storm, "LISTEN-7 LISTEN-9 CONN-13 REJ-5 REQ-1 DISC-2 CONC-8 QP-1", NDK_ON_ALL,
	 "T-CN-25 16 clients at once (K: 4), every second one taken: one answer for each, one event for each, nothing left")
{
	struct storm *t = (struct storm *)kit_alloc(sizeof(*t));
	UINT64 began;

	REQUIRE(storm_open(t));
	began = conf_now_us();
	if (conf_place() == NDK_ON_S)
		storm_in_turns(t);
	else
		storm_threads(t);
	storm_judge(t, conf_now_us() - began);
}

CONF_CASES(storm, CASE(storm));
