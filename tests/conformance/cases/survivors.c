/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The network and the peer, not the provider, do what is not nice: a peer that dies at work, an address
 * that leaves its interface, a neighbour that is somebody else each moment. Runs where a case runs;
 * skipped where the place has no such thing.
 */
#include "stages.h"
#include "../world.h"

/* ---- the peer dies ---- */

#define SURVIVOR_PIECE 65536u
#define SURVIVOR_PIECES 8u

/* What stays when the peer is dead: an event, an end for every request, and what was received. */
static void survivor_looks(struct kit_side *s, struct kit_conn *c, const struct kit_buffer *got, ULONG good,
			   unsigned outstanding)
{
	unsigned i, n;
	NDK_RESULT_EX r;

	CHECK(kit_disconnected(c, KIT_PATIENCE_MS));
	CHECK_EQ(c->events, 1);
	/* what the device does not end by itself the goodbye to the dead ends */
	CHECK(kit_wait(kit_begin_disconnect(c)) != KIT_NO_ANSWER);
	for (n = 0; n < outstanding && kit_result(s->cq, &r); n++)
		CHECK(r.Status != STATUS_SUCCESS || r.Type == NdkOperationTypeReceive);
	CHECK_EQ(kit_drain(s->cq), 0);
	for (i = 0; i < good; i++)
		kit_verify(got, i * SURVIVOR_PIECE, SURVIVOR_PIECE, (UCHAR)(i + 1));
	CHECK(KIT_CLOSED(c->connector));
	CHECK(KIT_CLOSED(s->qp));
}

NDK_CASE(survivor_of_host, "DISC-6 DISC-7 QP-1 U-28 CLOSE-1", NDK_ON_FABRIC,
	 "T-FT-05 the peer vanishes in the middle of a large transfer: event, ends, closes; what had come stays")
{
	const ULONG size = SURVIVOR_PIECE * SURVIVOR_PIECES;
	struct kit_buffer *from, *to;
	PVOID context = kit_context();
	struct staged s;
	unsigned i;

	REQUIRE(stage_to(&s, STAGE_UP));
	from = kit_buffer_mr(s.a->pd, size, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	to = kit_buffer_mr(s.b->pd, size, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REQUIRE(from && to);
	for (i = 0; i < SURVIVOR_PIECES; i++) {
		kit_fill(from, i * SURVIVOR_PIECE, SURVIVOR_PIECE, (UCHAR)(i + 1));
		REQUIRE_STATUS(kit_receive(s.b->qp, context, to, i * SURVIVOR_PIECE, SURVIVOR_PIECE), STATUS_SUCCESS);
	}
	for (i = 0; i < SURVIVOR_PIECES / 2; i++) {
		REQUIRE_STATUS(kit_send(s.a->qp, context, from, i * SURVIVOR_PIECE, SURVIVOR_PIECE,
					NDK_OP_FLAG_SILENT_SUCCESS),
			       STATUS_SUCCESS);
		REQUIRE(kit_expect(s.b->cq, context, STATUS_SUCCESS));
	}
	/* the other half is under way when the sender dies, and the receiver has something to say as well */
	for (; i < SURVIVOR_PIECES; i++)
		REQUIRE_STATUS(kit_send(s.a->qp, context, from, i * SURVIVOR_PIECE, SURVIVOR_PIECE, 0),
			       STATUS_SUCCESS);
	REQUIRE(conf_kill(0));
	REQUIRE_STATUS(kit_send(s.b->qp, context, s.b->buffer, 0, 64, 0), STATUS_SUCCESS);
	survivor_looks(s.b, s.cb, to, SURVIVOR_PIECES / 2, SURVIVOR_PIECES / 2 + 1);
	CHECK(KIT_CLOSED(s.ca->connector));
}

/* What rping wants to be told: where to read, with which token, how much; big-endian. */
static void survivor_advert(UCHAR *to, UINT64 at, UINT32 token, UINT32 length)
{
	unsigned i;

	for (i = 0; i < 8; i++)
		to[i] = (UCHAR)(at >> (56 - 8 * i));
	for (i = 0; i < 4; i++) {
		to[8 + i] = (UCHAR)(token >> (24 - 8 * i));
		to[12 + i] = (UCHAR)(length >> (24 - 8 * i));
	}
}
#define SURVIVOR_ADVERT 16u
#define SURVIVOR_READ 60000u

/* Its listener comes up when the process has got so far. */
static BOOLEAN survivor_connects(struct kit_side *s, struct kit_conn *c, const struct kit_address *from,
				 const struct kit_address *to)
{
	struct kit_params p;
	unsigned tries;
	NTSTATUS status = STATUS_CONNECTION_REFUSED;

	memset(&p, 0, sizeof(p));
	p.in_limit = p.out_limit = 1;
	for (tries = 0; tries < 100 && status == STATUS_CONNECTION_REFUSED; tries++) {
		status = kit_connect(c, s->qp, from, to, &p);
		if (status == STATUS_CONNECTION_REFUSED)
			conf_sleep(100);
	}
	return CHECK_STATUS(status, STATUS_SUCCESS) && CHECK_STATUS(kit_complete(c), STATUS_SUCCESS);
}

/*
 * siw, accepting, answers its peer before it listens to the socket with the QP's own ears: what comes in between
 * waits for the next packet, whatever it is (siw_accept() against siw_qp_llp_data_ready()). rping is silent until it
 * has our message, so nothing would ever follow; a write of no bytes follows then.
 */
static BOOLEAN survivor_answered(struct kit_side *s, PVOID context)
{
	NDK_RESULT_EX r;
	unsigned i;

	for (i = 0; kit_on_siw() && i < 8; i++) {
		if (kit_result_ms(s->cq, &r, i ? 5000 : 1000))
			return CHECK(r.RequestContext == context) && CHECK_STATUS(r.Status, STATUS_SUCCESS);
		conf_note("silence: a write of no bytes");
		CHECK_STATUS(kit_write(s->qp, kit_context(), s->buffer, 0, 0, 0, 0, NDK_OP_FLAG_SILENT_SUCCESS),
			     STATUS_SUCCESS);
	}
	return kit_expect(s->cq, context, STATUS_SUCCESS);
}

NDK_CASE(survivor_of_process, "DISC-6 DISC-7 QP-1 CLOSE-1", NDK_ON_K,
	 "T-FT-05 a peer process is killed at work: event, ends, closes; what had come before stays")
{
	struct kit_address from = kit_address(0, NDK_V4, 0), to = kit_address(0, NDK_V4, kit_fresh_port());
	PVOID received = kit_context(), sent = kit_context();
	struct kit_buffer *source;
	struct kit_conn *c;
	struct kit_side *s;
	UCHAR reply[SURVIVOR_ADVERT];
	NTSTATUS status;
	NDK_RESULT_EX r;
	unsigned i;

	SKIP_UNLESS(world_peer_start(&to.at), "no process of another program to talk to (in the kernel: commands=1)");
	s = kit_side(0);
	REQUIRE(s != (struct kit_side *)0);
	c = kit_create_connector(s->adapter);
	source = kit_exposed(s->pd, SURVIVOR_READ);
	REQUIRE(c && source);
	REQUIRE_STATUS(kit_receive(s->qp, received, s->buffer, 1024, SURVIVOR_ADVERT), STATUS_SUCCESS);
	REQUIRE(survivor_connects(s, c, &from, &to));
	/* it reads all of our memory, then says so */
	survivor_advert(s->buffer->data, KIT_AT(source, 0), source->remote, SURVIVOR_READ);
	REQUIRE_STATUS(kit_send(s->qp, sent, s->buffer, 0, SURVIVOR_ADVERT, NDK_OP_FLAG_SILENT_SUCCESS),
		       STATUS_SUCCESS);
	REQUIRE(survivor_answered(s, received));
	memcpy(reply, s->buffer->data + 1024, sizeof(reply));
	/* it stops listening to us, so that what follows is under way when it dies */
	REQUIRE(world_peer_freeze());
	REQUIRE_STATUS(kit_receive(s->qp, received, s->buffer, 2048, SURVIVOR_ADVERT), STATUS_SUCCESS);
	for (i = 0; i < 5; i++) {
		status = kit_send(s->qp, sent, s->buffer, 0, SURVIVOR_ADVERT, NDK_OP_FLAG_SILENT_SUCCESS);
		if (i && kit_on_siw() && status == STATUS_CONNECTION_INVALID)
			break; /* the one before met no receive, which ends the connection at once there */
		REQUIRE_STATUS(status, STATUS_SUCCESS);
	}
	REQUIRE(world_peer_kill());
	CHECK(kit_disconnected(c, KIT_PATIENCE_MS));
	CHECK(kit_wait(kit_begin_disconnect(c)) != KIT_NO_ANSWER);
	CHECK_EQ(c->events, 1);
	CHECK(memcmp(reply, s->buffer->data + 1024, sizeof(reply)) == 0);
	CHECK(KIT_CLOSED(c->connector));
	CHECK(KIT_CLOSED(s->qp));
	CHECK(kit_result(s->cq, &r)); /* the receive at least ... */
	kit_drain(s->cq); /* ... and sends that failed */
}

/* ---- the address goes ---- */

/* A connection made before still works, or has ended and said so. */
static void survivor_lives_or_ends(struct staged *s)
{
	PVOID received = kit_context();
	NDK_RESULT_EX r;

	/* over TCP a message may arrive at any time later, when the address is back */
	if (s->ca->events + s->cb->events == 0 && !kit_on_siw() &&
	    kit_receive(s->b->qp, received, s->b->buffer, 0, 64) == STATUS_SUCCESS &&
	    kit_send(s->a->qp, kit_context(), s->a->buffer, 0, 64, 0) == STATUS_SUCCESS)
		CHECK(kit_result(s->a->cq, &r)); /* it ends, whichever way */
	conf_note("the old connection %s", s->ca->events + s->cb->events ? "has ended" : "lives on");
	kit_drain(s->a->cq);
	kit_drain(s->b->cq);
}

static BOOLEAN survivor_connect_outcome(NTSTATUS status)
{
	return status == STATUS_INVALID_ADDRESS || status == STATUS_NETWORK_UNREACHABLE ||
	       status == STATUS_HOST_UNREACHABLE || status == STATUS_CONNECTION_REFUSED ||
	       status == STATUS_IO_TIMEOUT;
}

NDK_CASE(survivor_of_address, "ADDR-6 ADP-8 LISTEN-1 CONN-17 CONN-24 U-5 U-46", NDK_ON_K,
	 "T-FT-07 the listener's address leaves its interface, moves to another, comes back: the listener serves again")
{
	KIT_EACH_FAMILY(family)
	{
		static const enum world_where places[] = { WORLD_AWAY, WORLD_ELSEWHERE };
		enum conf_family f = (enum conf_family)family;
		struct kit_call *c;
		struct staged s, m;
		unsigned i;

		REQUIRE(stage_open(&s, family) && stage_from_idle(&s, STAGE_UP));
		for (i = 0; i < 2; i++) {
			SKIP_UNLESS(world_move_address(f, places[i]), WORLD_NONE);
			survivor_lives_or_ends(&s);
			REQUIRE(stage_more(&s, &m, STAGE_IDLE));
			attempt_deadline(0, NDK_TIME_CONNECT, 2000);
			c = kit_begin_connect(m.ca, m.a->qp, &s.from, &s.b->listener->at, NO_PARAMS);
			CHECK(survivor_connect_outcome(kit_wait(c)));
			attempt_deadlines_default();
			REQUIRE(world_move_address(f, WORLD_BACK));
			REQUIRE(stage_from_idle(&m, STAGE_UP));
			REQUIRE(kit_send_recv_verify(m.a, m.b, 64));
		}
	}
}

/* ---- the neighbour changes ---- */

NDK_CASE(survivor_of_neighbour, "CONN-12 CONN-14 CONN-24 CLOSE-5 U-3 U-5", NDK_ON_K,
	 "T-FT-08 the neighbour changes again and again while a connect is under way: a listed end, and no other")
{
	struct kit_address silent;
	struct staged s;
	unsigned round, turn;

	memset(&silent, 0, sizeof(silent));
	SKIP_UNLESS(conf_bad(CONF_SILENT, 4000, &silent.at, &silent.len) && world_neighbour(&silent.at, 0), WORLD_NONE);
	REQUIRE(stage_to(&s, STAGE_IDLE));
	for (round = 0; round < 4; round++) {
		struct kit_conn *c = kit_create_connector(s.a->adapter);
		struct kit_call *connecting, *shut;
		NDK_QP *qp = kit_another_qp(s.a);

		REQUIRE(c && qp);
		attempt_deadline(0, NDK_TIME_CONNECT, 3000);
		connecting = kit_begin_connect(c, qp, &s.from, &silent, NO_PARAMS);
		for (turn = 1; turn <= 10; turn++)
			REQUIRE(world_neighbour(&silent.at, round * 10 + turn));
		/* every other time nobody waits for the end */
		shut = round & 1 ? KIT_CLOSE(c->connector) : (struct kit_call *)0;
		CHECK(survivor_connect_outcome(kit_wait(connecting)) ||
		      (shut && connecting->status == STATUS_CANCELLED));
		CHECK(stage_once(connecting));
		if (shut)
			CHECK_STATUS(kit_wait(shut), STATUS_SUCCESS);
		attempt_deadlines_default();
	}
	REQUIRE(stage_from_idle(&s, STAGE_UP));
	for (turn = 1; turn <= 4; turn++)
		REQUIRE(world_neighbour(&silent.at, turn));
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
	REQUIRE(stage_leave(&s) && stage_part(&s));
}

CONF_CASES(survivors, CASE(survivor_of_host), CASE(survivor_of_process), CASE(survivor_of_address),
	   CASE(survivor_of_neighbour));
