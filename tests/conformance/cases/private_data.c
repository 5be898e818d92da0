/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Private data of both forms of connect, there and back, and the lengths NdkGetConnectionData deals
 * in. Context and ownership: conf.h, attempt.h.
 */
#include "attempt.h"

#define ROOM 512u /* more than any transport reports */

struct luggage {
	UCHAR sent[ROOM], back[ROOM], got[ROOM];
};

static void pack(UCHAR *data, ULONG len, UCHAR seed)
{
	ULONG i;

	for (i = 0; i < len; i++)
		data[i] = (UCHAR)(seed + i * 5);
}

/* On that side: at least what was sent, unchanged, and zeroes after it (T-CN-11). */
static void unpack(NDK_CONNECTOR *c, UCHAR *got, ULONG len, UCHAR seed)
{
	ULONG size = ROOM, i;

	memset(got, 0xa5, ROOM);
	REQUIRE_STATUS(c->Dispatch->NdkGetConnectionData(c, (ULONG *)0, (ULONG *)0, got, &size), STATUS_SUCCESS);
	if (!CHECK(size >= len && size <= ROOM))
		return;
	for (i = 0; i < size && got[i] == (i < len ? (UCHAR)(seed + i * 5) : 0); i++)
		;
	CHECK_EQ(i, size);
	/* nothing behind the size reported is touched (PRIV-7) */
	CHECK(size == ROOM || got[size] == 0xa5);
}

/* lengths: i-th of 0, 1, half and all */
static ULONG portion(unsigned i, ULONG max)
{
	return i == 0 ? 0 : i == 1 ? 1 : i == 2 ? max / 2 : max;
}

static void travel(struct luggage *g, struct attempt *base, unsigned there, unsigned back)
{
	struct kit_address to = base->to;
	struct kit_params active, passive;
	struct kit_call *c, *accepting;
	struct attempt t;

	memset(&active, 0, sizeof(active));
	memset(&passive, 0, sizeof(passive));
	REQUIRE(attempt_another(base, &t));
	active.data_len = portion(there, t.pair->a->info->MaxCallerData);
	active.data = active.data_len ? g->sent : (UCHAR *)0;
	passive.data_len = portion(back, t.pair->b->info->MaxCalleeData);
	passive.data = passive.data_len ? g->back : (UCHAR *)0;
	pack(g->sent, active.data_len, 0x11);
	pack(g->back, passive.data_len, 0x77);
	c = attempt_begin(&t, &to, &active);
	/* borrowed for the call only (U-49) */
	memset(g->sent, 0xff, ROOM);
	memset(&to, 0xff, sizeof(to));
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	unpack(t.peer->connector, g->got, active.data_len, 0x11);
	t.pair->b->qp = kit_another_qp(t.pair->b);
	accepting = kit_begin_accept(t.peer, t.pair->b->qp, &passive, KIT_EVENT);
	memset(g->back, 0xff, ROOM);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	unpack(t.conn->connector, g->got, passive.data_len, 0x77);
	REQUIRE(attempt_finish(&t, accepting));
	REQUIRE(KIT_CLOSED(t.conn->connector));
	REQUIRE(KIT_CLOSED(t.peer->connector));
	REQUIRE(KIT_CLOSED(t.qp));
	REQUIRE(KIT_CLOSED(t.pair->b->qp));
}

NDK_CASE(private_data, "CONN-7 CONN-35 PRIV-1 PRIV-2 PRIV-4 PRIV-7 CTR-1 CTR-2 ACPT-2 U-49", NDK_ON_ALL,
	 "T-CN-11 private data of every size arrives unchanged, with the request and with the acceptance")
{
	struct luggage *g = (struct luggage *)conf_alloc(sizeof(*g));
	struct attempt base;
	unsigned i;

	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form) {
			if (!attempt_open(&base, NDK_V4, form))
				continue;
			for (i = 0; i < 4; i++)
				travel(g, &base, i, 3 - i);
		}
	}
	conf_free(g);
}

/* ---- too much ---- */
static void too_much(UCHAR *data, int form)
{
	struct kit_params p;
	struct kit_call *c;
	struct attempt t;

	memset(&p, 0, sizeof(p));
	REQUIRE(attempt_open(&t, NDK_V4, form));
	pack(data, ROOM, 0x42);
	p.data = data;
	p.data_len = t.pair->a->info->MaxCallerData + 1;
	c = attempt_begin(&t, &t.to, &p);
	CHECK_STATUS(c->returned, STATUS_INVALID_BUFFER_SIZE);
	CHECK(attempt_answered(c, ATTEMPT_AT_ONCE));
	p.data_len = 0xffffffffu;
	c = attempt_begin(&t, &t.to, &p);
	CHECK_STATUS(c->returned, STATUS_INVALID_BUFFER_SIZE);
	/* exactly the maximum is right, with the same connector */
	p.data_len = t.pair->a->info->MaxCallerData;
	c = attempt_begin(&t, &t.to, &p);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	unpack(t.peer->connector, data + ROOM, p.data_len, 0x42);
	CHECK_STATUS(kit_reject(t.peer, (const VOID *)0, 0), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_REFUSED);
	CHECK(attempt_recovers(&t));
}

NDK_CASE(private_data_too_much, "CONN-7 CONN-21 CONN-35 PRIV-1 U-10", NDK_ON_ALL,
	 "T-CN-12 one byte more than MaxCallerData is refused at once; exactly as many, by the same connector, are not")
{
	UCHAR *data;

	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form) {
			data = (UCHAR *)conf_alloc(2 * ROOM);
			too_much(data, form);
			conf_free(data);
		}
	}
}

/* ---- sizes of buffers ---- */
#define SENT 20u

static void sizes(NDK_CONNECTOR *c, UCHAR *got)
{
	ULONG size, in = 77, out = 77, needed;

	needed = 0;
	CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, (ULONG *)0, (ULONG *)0, (PVOID)0, &needed), STATUS_SUCCESS);
	REQUIRE(needed >= SENT && needed < ROOM);
	memset(got, 0xa5, ROOM);
	size = 5;
	CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, &in, &out, got, &size), STATUS_BUFFER_TOO_SMALL);
	CHECK_EQ(size, needed);
	CHECK(got[4] == (UCHAR)(0x31 + 4 * 5) && got[5] == 0xa5);
	CHECK(in != 77 && out != 77);
	size = needed;
	CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, (ULONG *)0, (ULONG *)0, got, &size), STATUS_SUCCESS);
	CHECK_EQ(size, needed);
	CHECK(got[SENT - 1] == (UCHAR)(0x31 + (SENT - 1) * 5) && got[needed] == 0xa5);
	unpack(c, got, SENT, 0x31);
}

NDK_CASE(private_data_sizes, "CONN-7 CONN-35 PRIV-5 PRIV-7 PRIV-8 PRIV-9 PRIV-10 CTR-1", NDK_ON_ALL,
	 "T-CN-13 asked for the size, with too little room, with just enough, and with more")
{
	struct luggage *g;
	struct kit_params p;
	struct kit_call *c;
	struct attempt t;

	memset(&p, 0, sizeof(p));
	ATTEMPT_EACH_FORM(form) {
		REQUIRE(attempt_open(&t, NDK_V4, form));
		g = (struct luggage *)conf_alloc(sizeof(*g));
		pack(g->sent, SENT, 0x31);
		p.data = g->sent;
		p.data_len = SENT;
		c = attempt_begin(&t, &t.to, &p);
		t.peer = kit_arrival(t.pair->b->listener);
		if (t.peer)
			sizes(t.peer->connector, g->got);
		conf_free(g);
		REQUIRE(t.peer);
		CHECK_STATUS(kit_reject(t.peer, (const VOID *)0, 0), STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_REFUSED);
	}
}

CONF_CASES(private_data, CASE(private_data), CASE(private_data_too_much), CASE(private_data_sizes));
