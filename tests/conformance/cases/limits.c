/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Read limits of both forms of connect: lowered to what the adapter can, matched crosswise with the
 * peer's, read with NdkGetConnectionData on either side. Context and ownership: conf.h, attempt.h.
 */
#include "attempt.h"

struct limits {
	ULONG in, out;
};

static ULONG least(ULONG a, ULONG b, ULONG c)
{
	ULONG m = a < b ? a : b;

	return m < c ? m : c;
}

/* What NdkGetConnectionData says; poisoned beforehand, so that what is not stored is noticed. */
static BOOLEAN effective(NDK_CONNECTOR *c, struct limits *l)
{
	ULONG none = 0;

	l->in = l->out = 0xdeadu;
	return CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, &l->in, &l->out, (PVOID)0, &none), STATUS_SUCCESS);
}

/* siw accepts as many reads as the peer has announced, even if its consumer wants fewer, and says so. */
static ULONG accepted_in(const struct limits *a, const struct limits *b)
{
	return kit_on_siw() && b->in < a->out ? a->out : b->in;
}

struct meeting {
	struct attempt base; /* the pair; its connector stays idle */
	struct attempt now;  /* the attempt under way */
	struct kit_params active, passive;
	NDK_QP *far;
	struct kit_call *accepting;
};

/* One attempt with these wishes, up to the accept; what each side sees on the way is checked. */
static BOOLEAN meet(struct meeting *m, const struct limits *a, const struct limits *b)
{
	const NDK_ADAPTER_INFO *ai = m->base.pair->a->info, *bi = m->base.pair->b->info;
	struct attempt *t = &m->now;
	struct kit_call *c;
	struct limits seen;

	m->active.in_limit = a->in;
	m->active.out_limit = a->out;
	m->passive.in_limit = b->in;
	m->passive.out_limit = b->out;
	m->far = kit_another_qp(m->base.pair->b);
	if (!m->far || !attempt_another(&m->base, t))
		return FALSE;
	c = attempt_begin(t, &t->to, &m->active);
	t->peer = kit_arrival(t->pair->b->listener);
	/* before the passive side has said anything: its adapter's limits, the peer's wishes (U-14) */
	if (!t->peer || !effective(t->peer->connector, &seen))
		return FALSE;
	CHECK_EQ(seen.in, least(bi->MaxInboundReadLimit, a->out, ai->MaxOutboundReadLimit));
	CHECK_EQ(seen.out, least(bi->MaxOutboundReadLimit, a->in, ai->MaxInboundReadLimit));
	m->accepting = kit_begin_accept(t->peer, m->far, &m->passive, KIT_EVENT);
	if (!CHECK_STATUS(kit_wait(c), STATUS_SUCCESS) || !effective(t->conn->connector, &seen))
		return FALSE;
	return CHECK_EQ(seen.in, least(least(a->in, ai->MaxInboundReadLimit, b->out), bi->MaxOutboundReadLimit,
				       0xffffffffu)) &
	       CHECK_EQ(seen.out, least(least(a->out, ai->MaxOutboundReadLimit, accepted_in(a, b)),
					bi->MaxInboundReadLimit, 0xffffffffu));
}

/* Leaves nothing behind; some become connections first, with the limits in force. */
static BOOLEAN leave(struct meeting *m, BOOLEAN establish)
{
	struct attempt *t = &m->now;
	struct kit_pair *p = t->pair;
	NDK_QP *near = p->a->qp;
	BOOLEAN right = TRUE;

	if (establish) {
		right = attempt_finish(t, m->accepting);
		p->a->qp = t->qp;
		p->b->qp = m->far;
		right = right && kit_send_recv_verify(p->a, p->b, ATTEMPT_MESSAGE) &&
			kit_send_recv_verify(p->b, p->a, ATTEMPT_MESSAGE);
		p->a->qp = near;
	}
	return KIT_CLOSED(t->conn->connector) && KIT_CLOSED(t->peer->connector) && KIT_CLOSED(t->qp) &&
	       KIT_CLOSED(m->far) && right;
}

/* ---- every wish against every other ---- */
#define WISHES 6u

static ULONG wish(unsigned i, ULONG max)
{
	static const ULONG fixed[] = { 0, 1, 2 };

	if (i < 3)
		return fixed[i];
	return i == 3 ? max : i == 4 ? max + 10 : 0xffffffffu;
}

static void matrix(int form, unsigned step)
{
	struct meeting *m = (struct meeting *)conf_alloc(sizeof(*m));
	const NDK_ADAPTER_INFO *ai, *bi;
	struct limits a, b;
	unsigned k, other;

	if (!attempt_open(&m->base, NDK_V4, form)) {
		conf_free(m);
		return;
	}
	ai = m->base.pair->a->info;
	bi = m->base.pair->b->info;
	for (k = 0; k < WISHES * WISHES; k += step) {
		/* the two directions do not depend on each other: all pairs of each, in different order */
		other = (k * 7 + 3) % (WISHES * WISHES);
		a.in = wish(k % WISHES, ai->MaxInboundReadLimit);
		b.out = wish(k / WISHES, bi->MaxOutboundReadLimit);
		a.out = wish(other % WISHES, ai->MaxOutboundReadLimit);
		b.in = wish(other / WISHES, bi->MaxInboundReadLimit);
		if (!meet(m, &a, &b) || !CHECK(leave(m, k % 5 == 0))) {
			conf_note("active wants %u in, %u out; passive %u in, %u out", a.in, a.out, b.in, b.out);
			break;
		}
	}
	conf_free(m);
}

NDK_CASE(limits_matrix, "CONN-22 RDL-2 RDL-3 RDL-4 RDL-5 RDL-6 RDL-7 RDL-9 CONN-35 U-14 U-15", NDK_ON_ALL,
	 "T-CN-15 each limit is the least of own wish, own adapter and the peer's opposite, for every pair of wishes")
{
	matrix(ATTEMPT_PLAIN, 1);
	kit_close_all(KIT_CHILDREN_FIRST);
	matrix(ATTEMPT_SHARED, conf_place() == NDK_ON_K ? 5 : 1);
}

/* ---- crosswise ---- */
static void crosswise(int form)
{
	/* no two alike, so that no confusion of in and out, or of the sides, goes unnoticed */
	static const struct limits mine[] = { { 1, 4 }, { 4, 1 }, { 3, 2 } };
	static const struct limits theirs[] = { { 2, 3 }, { 2, 3 }, { 1, 4 } };
	struct meeting *m = (struct meeting *)conf_alloc(sizeof(*m));
	struct limits seen;
	unsigned i;

	if (!attempt_open(&m->base, NDK_V4, form) || m->base.pair->a->info->MaxInboundReadLimit < 4 ||
	    m->base.pair->a->info->MaxOutboundReadLimit < 4) {
		conf_free(m);
		SKIP("the adapter has no room for four different limits");
	}
	for (i = 0; i < 3; i++) {
		if (!meet(m, &mine[i], &theirs[i]) || !effective(m->now.conn->connector, &seen))
			break;
		CHECK_EQ(seen.in, i == 0 ? 1 : i == 1 ? 3 : 3);
		CHECK_EQ(seen.out, kit_on_siw() ? mine[i].out : i == 0 ? 2 : 1);
		if (!CHECK(leave(m, TRUE)))
			break;
	}
	conf_free(m);
}

NDK_CASE(limits_crosswise, "CONN-22 RDL-1 RDL-4 RDL-5 RDL-8 RDL-6 CONN-35", NDK_ON_ALL,
	 "reads coming in meet the peer's reads going out, never its reads coming in")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			crosswise(form);
	}
}

/* ---- how they are read ---- */
NDK_CASE(limits_reading, "RDL-6 RDL-1 CTR-2 CTR-4 PRIV-10", NDK_ON_ALL,
	 "either limit may be left out of the question, and reading them twice gives the same")
{
	static const struct limits mine = { 2, 1 }, theirs = { 1, 2 };
	struct meeting *m = (struct meeting *)conf_alloc(sizeof(*m));
	NDK_CONNECTOR *c;
	ULONG in = 77, out = 77, len = 0;
	struct limits seen;

	if (attempt_open(&m->base, NDK_V4, ATTEMPT_PLAIN) && meet(m, &mine, &theirs)) {
		c = m->now.conn->connector;
		CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, &in, (ULONG *)0, (PVOID)0, &len), STATUS_SUCCESS);
		len = 0;
		CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, (ULONG *)0, &out, (PVOID)0, &len), STATUS_SUCCESS);
		len = 0;
		CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, (ULONG *)0, (ULONG *)0, (PVOID)0, &len),
			     STATUS_SUCCESS);
		CHECK(effective(c, &seen));
		CHECK_EQ(in, seen.in);
		CHECK_EQ(out, seen.out);
		CHECK(leave(m, TRUE));
	}
	conf_free(m);
}

CONF_CASES(limits, CASE(limits_matrix), CASE(limits_crosswise), CASE(limits_reading));
