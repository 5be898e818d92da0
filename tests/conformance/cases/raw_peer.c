/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Connections with a peer that is no NDK provider and does not keep its rules: limits of zero, limits
 * that are nonsense, private data as long as it gets. In the kernel; on the fabric every peer runs the
 * same core and cannot say what that would not.
 */
#include "stages.h"

#define RAW_PLACE "every peer on the fabric is an NDK provider too"

#ifdef __KERNEL__
#include "../raw_peer.h"

/* A side of ours, and the address of the other one, which is on the same device. */
struct raw_stage {
	struct kit_side *s;
	struct kit_listener *l;
	struct kit_conn *c;
	struct raw_peer *peer;
	struct kit_address here, there;
	PVOID received;
};

static BOOLEAN raw_open(struct raw_stage *t, BOOLEAN we_listen)
{
	memset(t, 0, sizeof(*t));
	t->s = kit_side(0);
	if (!t->s)
		return FALSE;
	t->here = kit_address(0, NDK_V4, we_listen ? kit_fresh_port() : 0);
	t->there = kit_address(0, NDK_V4, we_listen ? 0 : kit_fresh_port());
	t->received = kit_context();
	if (!CHECK_STATUS(kit_receive(t->s->qp, t->received, t->s->buffer, 512, RAW_MESSAGE), STATUS_SUCCESS))
		return FALSE;
	if (!we_listen)
		return (t->c = kit_create_connector(t->s->adapter)) != (struct kit_conn *)0;
	t->l = kit_create_listener(t->s->adapter);
	return t->l && CHECK_STATUS(kit_listen(t->l, &t->here), STATUS_SUCCESS);
}

/* Reads the peer's data with a guarded buffer; the effective limits before ours are given (U-14). */
static BOOLEAN raw_asked(struct raw_stage *t, ULONG *in, ULONG *out, ULONG *len)
{
	NDK_CONNECTOR *n = t->c->connector;
	UCHAR data[300];
	ULONG i;

	memset(data, 0x77, sizeof(data));
	*len = 256;
	if (!CHECK_STATUS(n->Dispatch->NdkGetConnectionData(n, in, out, data, len), STATUS_SUCCESS))
		return FALSE;
	CHECK(*len <= 256);
	for (i = *len; i < sizeof(data); i++)
		if (!CHECK(data[i] == 0x77))
			return FALSE;
	return TRUE;
}

/* All they can do with each other: a message from the raw peer first (POST-7), one back, a write each way. */
static void raw_traffic(struct raw_stage *t)
{
	struct kit_buffer *target = kit_exposed(t->s->pd, 4096);
	PVOID sent = kit_context();
	UINT64 at;
	UINT32 token;
	ULONG i;

	REQUIRE(target != (struct kit_buffer *)0);
	if (t->l) {
		CHECK(raw_send(t->peer, 40));
		REQUIRE(kit_expect(t->s->cq, t->received, STATUS_SUCCESS));
		for (i = 0; i < RAW_MESSAGE; i++)
			REQUIRE(t->s->buffer->data[512 + i] == (UCHAR)(40 + i));
	}
	for (i = 0; i < RAW_MESSAGE; i++)
		t->s->buffer->data[i] = (UCHAR)(90 + i);
	REQUIRE_STATUS(kit_send(t->s->qp, sent, t->s->buffer, 0, RAW_MESSAGE, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(t->s->cq, sent, STATUS_SUCCESS));
	CHECK(raw_receive(t->peer, 90));
	raw_page(t->peer, &at, &token);
	REQUIRE_STATUS(kit_write(t->s->qp, sent, t->s->buffer, 0, RAW_MESSAGE, at, token, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(t->s->cq, sent, STATUS_SUCCESS));
	/* a write is known to be placed when something sent behind it has arrived */
	REQUIRE_STATUS(kit_send(t->s->qp, sent, t->s->buffer, 0, RAW_MESSAGE, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(t->s->cq, sent, STATUS_SUCCESS));
	CHECK(raw_receive(t->peer, 90));
	CHECK(raw_page_is(t->peer, 90));
	CHECK(raw_write(t->peer, KIT_AT(target, 0), target->remote, 17));
	if (!t->l) {
		CHECK(raw_send(t->peer, 40));
		REQUIRE(kit_expect(t->s->cq, t->received, STATUS_SUCCESS));
	}
}

/* The raw peer connects to us; our side accepts with as much as it can. */
static BOOLEAN raw_comes(struct raw_stage *t, const struct raw_params *p, ULONG *in, ULONG *out, ULONG *len)
{
	t->peer = raw_connect(&t->there.at, &t->here.at, p);
	t->c = t->peer ? kit_arrival_ms(t->l, RAW_PATIENCE_MS) : (struct kit_conn *)0;
	return CHECK(t->c != (struct kit_conn *)0) && raw_asked(t, in, out, len);
}

static BOOLEAN raw_accepted(struct raw_stage *t)
{
	struct kit_params ours;
	struct kit_call *accepting;

	memset(&ours, 0, sizeof(ours));
	ours.in_limit = ours.out_limit = 0xffffffffu;
	accepting = kit_begin_accept(t->c, t->s->qp, &ours, KIT_EVENT);
	return CHECK(raw_up(t->peer)) && CHECK_STATUS(kit_wait(accepting), STATUS_SUCCESS);
}

/* We connect to the raw peer. */
static BOOLEAN raw_reached(struct raw_stage *t, const struct raw_params *p, ULONG *in, ULONG *out, ULONG *len)
{
	struct kit_params ours;

	memset(&ours, 0, sizeof(ours));
	ours.in_limit = ours.out_limit = 0xffffffffu;
	t->peer = raw_listen(&t->there.at, p);
	return t->peer &&
	       CHECK_STATUS(kit_connect(t->c, t->s->qp, &t->here, &t->there, &ours), STATUS_SUCCESS) &&
	       raw_asked(t, in, out, len) && CHECK_STATUS(kit_complete(t->c), STATUS_SUCCESS) && CHECK(raw_up(t->peer));
}

static void raw_without_reads_body(struct raw_stage *t, BOOLEAN we_listen)
{
	static const struct raw_params nothing = { 0, 0, 0 };
	ULONG in = 99, out = 99, len;

	REQUIRE(raw_open(t, we_listen));
	if (we_listen)
		REQUIRE(raw_comes(t, &nothing, &in, &out, &len) && raw_accepted(t));
	else
		REQUIRE(raw_reached(t, &nothing, &in, &out, &len));
	/* iWARP devices announce limits of their own, or none, whatever they are told (LNX-8) */
	if (!conf_iwarp()) {
		CHECK_EQ(in, 0);
		CHECK_EQ(out, 0);
	}
	raw_traffic(t);
}

static void raw_nonsense_body(struct raw_stage *t, BOOLEAN we_listen, BOOLEAN reject)
{
	static const struct raw_params nonsense = { 255, 255, RAW_LONGEST };
	unsigned heard_in, heard_out, heard_len;
	ULONG in = 0, out = 0, len = 0;

	REQUIRE(raw_open(t, we_listen));
	if (!we_listen)
		REQUIRE(raw_reached(t, &nonsense, &in, &out, &len));
	else
		REQUIRE(raw_comes(t, &nonsense, &in, &out, &len));
	CHECK(in >= 1 && in <= t->s->info->MaxInboundReadLimit);
	CHECK(out >= 1 && out <= t->s->info->MaxOutboundReadLimit);
	if (reject) {
		CHECK_STATUS(kit_reject(t->c, (const VOID *)0, 0), STATUS_SUCCESS);
		CHECK(raw_over(t->peer));
		return;
	}
	if (we_listen)
		REQUIRE(raw_accepted(t));
	raw_heard(t->peer, &heard_in, &heard_out, &heard_len);
	CHECK(heard_in <= t->s->info->MaxOutboundReadLimit || heard_in <= t->s->info->MaxInboundReadLimit);
	CHECK(heard_out <= t->s->info->MaxOutboundReadLimit || heard_out <= t->s->info->MaxInboundReadLimit);
	raw_traffic(t);
}

/* After either: the peer has to go before the case does, whatever came of it. */
static void raw_done(struct raw_stage *t)
{
	if (t->peer)
		raw_close(t->peer);
	if (t->c && !conf_failed())
		conf_settle();
	kit_close_all(KIT_CHILDREN_FIRST);
}
#endif

NDK_CASE(raw_without_reads, "RDL-4 RDL-5 RDL-6 RDL-9 RDL-10 CONN-22 ACPT-4 U-14", NDK_ON_K,
	 "T-CN-17 a peer that announces no reads, either way round: limits of zero, and sends and writes work")
{
#ifdef __KERNEL__
	struct raw_stage t;

	raw_without_reads_body(&t, TRUE);
	raw_done(&t);
	raw_without_reads_body(&t, FALSE);
	raw_done(&t);
#else
	SKIP(RAW_PLACE);
#endif
}

NDK_CASE(raw_nonsense, "RDL-2 RDL-4 RDL-5 PRIV-1 PRIV-4 PRIV-9 REJ-1 CONN-22 U-14", NDK_ON_K,
	 "T-FT-09 a peer with nonsense limits and all the private data it can send: clamped, no overrun, can be rejected")
{
#ifdef __KERNEL__
	struct raw_stage t;
	int i;

	for (i = 0; i < 3; i++) {
		raw_nonsense_body(&t, i != 2, i == 1);
		raw_done(&t);
	}
#else
	SKIP(RAW_PLACE);
#endif
}

CONF_CASES(raw_peer, CASE(raw_without_reads), CASE(raw_nonsense));
