/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Messages in number: there and back, over many connections at once, and under credits that keep the
 * receiver ready. Runs where a case runs; how many depends on the place.
 */
#include "linked.h"
#include "fabric.h"

/* ---- there and back ---- */

static BOOLEAN traffic_pass(struct kit_side *from, struct kit_side *to, const struct kit_buffer *out,
			    struct kit_buffer *in, ULONG length)
{
	PVOID sent = kit_context(), received = kit_context();
	NDK_RESULT_EX r;

	if (!CHECK_STATUS(kit_receive(to->qp, received, in, 0, in->size), STATUS_SUCCESS) ||
	    !CHECK_STATUS(kit_send(from->qp, sent, out, 0, length, 0), STATUS_SUCCESS) || !kit_result(to->cq, &r))
		return FALSE;
	return CHECK(r.RequestContext == received) && CHECK_STATUS(r.Status, STATUS_SUCCESS) &&
	       CHECK_EQ(r.BytesTransferred, length) && kit_expect_type(from->cq, sent, NdkOperationTypeSend);
}

NDK_CASE(traffic_ping_pong, "QP-1 QP-28 ORD-2", NDK_ON_ALL,
	 "T-DP-01 messages to the peer and back again, every power of two to 1 MiB (K: 64 KiB): what returns is what left")
{
	ULONG most = conf_place() == NDK_ON_K ? 65536 : 1048576, rounds = conf_place() == NDK_ON_K ? 5 : 20, size, i;
	struct kit_buffer *out, *there, *back;
	struct kit_pair *p;
	struct linked l;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	if (most > p->a->info->MaxTransferLength)
		most = p->a->info->MaxTransferLength;
	out = kit_buffer_mr(p->a->pd, most, NDK_MR_FLAG_ALLOW_LOCAL_READ);
	back = kit_buffer_mr(p->a->pd, most, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	there = kit_buffer_mr(p->b->pd, most, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REQUIRE(out && there && back);
	for (size = 1; size <= most; size *= 2)
		for (i = 0; i < rounds; i++) {
			kit_fill(out, 0, size, (UCHAR)(size + i));
			back->data[size - 1] = (UCHAR)~out->data[size - 1];
			REQUIRE(traffic_pass(&l.a, &l.b, out, there, size));
			REQUIRE(traffic_pass(&l.b, &l.a, there, back, size));
			REQUIRE(kit_verify(back, 0, size, (UCHAR)(size + i)));
		}
}

/* ---- many connections ---- */

#define TRAFFIC_MANY 100u
#define TRAFFIC_SIZE 32u

struct traffic_many {
	struct kit_side a, b;
	NDK_QP *near[TRAFFIC_MANY], *far[TRAFFIC_MANY];
	struct kit_buffer *out, *in, *echo; /* a slice of TRAFFIC_SIZE for each connection */
};

/* Connection i, its number in the context of both queue pairs. */
static BOOLEAN traffic_connect(struct traffic_many *m, const struct kit_pair *p, ULONG i)
{
	struct kit_shape shape;
	struct kit_pair ends;

	memset(&shape, 0, sizeof(shape));
	shape.receive_depth = shape.initiator_depth = 2;
	shape.receive_sge = shape.initiator_sge = 1;
	shape.context = (PVOID)(ULONG_PTR)(i + 1);
	ends.a = &m->a;
	ends.b = &m->b;
	m->near[i] = m->a.qp = kit_create_qp(p->a->pd, m->a.cq, m->a.cq, &shape);
	m->far[i] = m->b.qp = kit_create_qp(p->b->pd, m->b.cq, m->b.cq, &shape);
	m->a.conn = kit_create_connector(p->a->adapter);
	return m->a.qp && m->b.qp && m->a.conn &&
	       kit_establish(&ends, (const struct kit_params *)0, (const struct kit_params *)0);
}

static ULONG traffic_which(const NDK_RESULT_EX *r)
{
	return (ULONG)(ULONG_PTR)r->QPContext - 1;
}

/* One message to and fro on every connection, all under way at once. */
static BOOLEAN traffic_round(struct traffic_many *m, ULONG round)
{
	ULONG i, heard = 0, answered = 0, sent = 0;
	NDK_RESULT_EX r;

	for (i = 0; i < TRAFFIC_MANY; i++) {
		kit_fill(m->out, i * TRAFFIC_SIZE, TRAFFIC_SIZE, (UCHAR)(i + round));
		if (!CHECK_STATUS(kit_receive(m->far[i], m, m->echo, i * TRAFFIC_SIZE, TRAFFIC_SIZE), STATUS_SUCCESS) ||
		    !CHECK_STATUS(kit_receive(m->near[i], m, m->in, i * TRAFFIC_SIZE, TRAFFIC_SIZE), STATUS_SUCCESS) ||
		    !CHECK_STATUS(kit_send(m->near[i], m, m->out, i * TRAFFIC_SIZE, TRAFFIC_SIZE, 0), STATUS_SUCCESS))
			return FALSE;
	}
	/* the far side echoes as it hears; its own sends' results come between */
	while (heard < TRAFFIC_MANY || sent < TRAFFIC_MANY) {
		if (!kit_result(m->b.cq, &r) || !CHECK_STATUS(r.Status, STATUS_SUCCESS))
			return FALSE;
		i = traffic_which(&r);
		if (r.Type == NdkOperationTypeSend) {
			sent++;
			continue;
		}
		heard++;
		if (!CHECK(i < TRAFFIC_MANY) || !CHECK_EQ(r.BytesTransferred, TRAFFIC_SIZE) ||
		    !CHECK_STATUS(kit_send(m->far[i], m, m->echo, i * TRAFFIC_SIZE, TRAFFIC_SIZE, 0), STATUS_SUCCESS))
			return FALSE;
	}
	for (sent = 0; answered < TRAFFIC_MANY || sent < TRAFFIC_MANY;) {
		if (!kit_result(m->a.cq, &r) || !CHECK_STATUS(r.Status, STATUS_SUCCESS))
			return FALSE;
		i = traffic_which(&r);
		sent += r.Type == NdkOperationTypeSend;
		answered += r.Type == NdkOperationTypeReceive;
		if (r.Type == NdkOperationTypeReceive &&
		    (!CHECK(i < TRAFFIC_MANY) ||
		     !kit_verify(m->in, i * TRAFFIC_SIZE, TRAFFIC_SIZE, (UCHAR)(i + round))))
			return FALSE;
	}
	return TRUE;
}

NDK_CASE(traffic_crowd, "ORD-2 PD-8 PD-9 QP-1", NDK_ON_ALL,
	 "T-DP-14 100 connections on one pair of queues, each with 100 messages (K: 10) to and fro: all right")
{
	const ULONG rounds = conf_place() == NDK_ON_K ? 10 : 100;
	struct traffic_many *m = (struct traffic_many *)kit_alloc(sizeof(*m));
	struct kit_pair *p = kit_pair(NDK_V4);
	ULONG i;

	REQUIRE(p != (struct kit_pair *)0);
	m->a = *p->a;
	m->b = *p->b;
	m->a.cq = kit_create_cq(p->a->adapter, 4 * TRAFFIC_MANY);
	m->b.cq = kit_create_cq(p->b->adapter, 4 * TRAFFIC_MANY);
	m->out = kit_buffer_mr(p->a->pd, TRAFFIC_MANY * TRAFFIC_SIZE, NDK_MR_FLAG_ALLOW_LOCAL_READ);
	m->in = kit_buffer_mr(p->a->pd, TRAFFIC_MANY * TRAFFIC_SIZE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	m->echo = kit_buffer_mr(p->b->pd, TRAFFIC_MANY * TRAFFIC_SIZE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REQUIRE(m->a.cq && m->b.cq && m->out && m->in && m->echo);
	for (i = 0; i < TRAFFIC_MANY; i++)
		REQUIRE(traffic_connect(m, p, i));
	for (i = 0; i < rounds; i++)
		if (!traffic_round(m, i)) {
			conf_note("in round %u", i);
			return;
		}
}

/* ---- credits ---- */

#define TRAFFIC_CREDITS 16u
#define TRAFFIC_GIVE (TRAFFIC_CREDITS / 2) /* credits that an empty message gives back */
#define TRAFFIC_WORD 8u

struct traffic_flow {
	struct linked l;
	ULONG credits, total;
	UINT64 sent, heard;	/* messages */
	ULONG owed;		/* receives posted again and not told */
	UINT64 giving;		/* empty messages whose results are due */
	struct kit_buffer *out, *in;
	BOOLEAN wrong;
};

/* The passive side states in its private data how many receives it has posted. */
static BOOLEAN traffic_flow_connect(struct traffic_flow *f, const struct kit_pair *p)
{
	struct kit_params says = linked_reads();
	struct kit_call *connecting, *accepting;
	struct kit_address from = kit_address(0, NDK_V4, 0);
	ULONG stated = TRAFFIC_CREDITS, heard = 0, len = sizeof(heard), i;
	NDK_CONNECTOR *c;

	says.data = &stated;
	says.data_len = sizeof(stated);
	for (i = 0; i < TRAFFIC_CREDITS; i++)
		if (!CHECK_STATUS(kit_receive(f->l.b.qp, f, f->in, i * TRAFFIC_WORD, TRAFFIC_WORD), STATUS_SUCCESS))
			return FALSE;
	connecting = kit_begin_connect(f->l.a.conn, f->l.a.qp, &from, &p->b->listener->at,
				       (const struct kit_params *)0);
	f->l.b.conn = kit_arrival(p->b->listener);
	if (!f->l.b.conn)
		return FALSE;
	accepting = kit_begin_accept(f->l.b.conn, f->l.b.qp, &says, KIT_EVENT);
	if (!CHECK_STATUS(kit_wait(connecting), STATUS_SUCCESS))
		return FALSE;
	c = f->l.a.conn->connector;
	{
		UCHAR data[256];

		memset(data, 0, sizeof(data));
		len = sizeof(data);
		if (!CHECK_STATUS(c->Dispatch->NdkGetConnectionData(c, (ULONG *)0, (ULONG *)0, data, &len),
				  STATUS_SUCCESS))
			return FALSE;
		memcpy(&heard, data, sizeof(heard));
	}
	f->credits = f->total = heard;
	return CHECK_EQ(heard, TRAFFIC_CREDITS) && CHECK_STATUS(kit_complete(f->l.a.conn), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_wait(accepting), STATUS_SUCCESS);
}

/* What a message says is its number; its receive's context is where it lies. */
static void traffic_hear(struct traffic_flow *f, const NDK_RESULT_EX *r)
{
	ULONG slot = (ULONG)(f->heard % TRAFFIC_CREDITS);
	UINT64 number;

	if (r->Type == NdkOperationTypeSend) {
		f->giving--;
		return;
	}
	memcpy(&number, f->in->data + slot * TRAFFIC_WORD, sizeof(number));
	if (number != f->heard || r->BytesTransferred != TRAFFIC_WORD)
		f->wrong = TRUE;
	f->heard++;
	f->wrong |= kit_receive(f->l.b.qp, f, f->in, slot * TRAFFIC_WORD, TRAFFIC_WORD) != STATUS_SUCCESS;
	if (++f->owed < TRAFFIC_GIVE)
		return;
	f->owed = 0;
	f->giving++;
	f->wrong |= f->l.b.qp->Dispatch->NdkSend(f->l.b.qp, f, (NDK_SGE *)0, 0, 0) != STATUS_SUCCESS;
}

/* An empty message gives credits back, and its receive is wanted again. */
static void traffic_gain(struct traffic_flow *f, const NDK_RESULT_EX *r)
{
	if (r->Type == NdkOperationTypeSend)
		return;
	f->wrong |= r->BytesTransferred != 0;
	f->credits += TRAFFIC_GIVE;
	f->wrong |= f->l.a.qp->Dispatch->NdkReceive(f->l.a.qp, f, (NDK_SGE *)0, 0) != STATUS_SUCCESS;
}

/* Takes what is there on both sides; FALSE: nothing was. */
static BOOLEAN traffic_take(struct traffic_flow *f)
{
	NDK_RESULT_EX r[16];
	ULONG n, i, m;

	n = kit_poll(f->l.b.cq, r, 16);
	for (i = 0; i < n; i++) {
		f->wrong |= r[i].Status != STATUS_SUCCESS;
		traffic_hear(f, &r[i]);
	}
	m = kit_poll(f->l.a.cq, r, 16);
	for (i = 0; i < m; i++) {
		f->wrong |= r[i].Status != STATUS_SUCCESS;
		traffic_gain(f, &r[i]);
	}
	return n + m > 0;
}

/* Until `count` have been heard and all credits are back. */
static BOOLEAN traffic_flow_run(struct traffic_flow *f, UINT64 count)
{
	UINT64 since = conf_now_us();
	ULONG slot;

	while ((f->heard < count || f->credits < f->total || f->giving) && !f->wrong) {
		while (f->sent < count && f->credits) {
			slot = (ULONG)(f->sent % TRAFFIC_CREDITS);
			memcpy(f->out->data + slot * TRAFFIC_WORD, &f->sent, TRAFFIC_WORD);
			if (kit_send(f->l.a.qp, f, f->out, slot * TRAFFIC_WORD, TRAFFIC_WORD, 0) != STATUS_SUCCESS)
				break; /* its results have not been taken yet */
			f->sent++;
			f->credits--;
		}
		if (traffic_take(f))
			since = conf_now_us();
		else if (!conf_nap() || conf_now_us() - since > KIT_PATIENCE_MS * 1000ull)
			return traffic_take(f) || conf_fail("traffic", 0, "%llu sent, %llu heard, %u credits, silence",
							    f->sent, f->heard, f->credits);
	}
	return CHECK(!f->wrong);
}

/* A million where time is virtual; where it is real that would take minutes, and where waits are stretched, too. */
static UINT64 traffic_count(void)
{
	if (conf_place() == NDK_ON_S)
		return 1000000;
	return conf_patient_ms(100) > 100 ? 5000 : 20000;
}

NDK_CASE(traffic_credits, "QP-1 QP-28 ORD-1 PRIV-1 U-27", NDK_ON_ALL,
	 "T-DP-15 a million messages (T, K: 20 000, debug 5000) under credits that empty ones return: the receiver is ready, none is lost")
{
	struct traffic_flow *f = (struct traffic_flow *)kit_alloc(sizeof(*f));
	UINT64 count = traffic_count();
	struct kit_pair *p = kit_pair(NDK_V4);
	struct kit_shape shape;
	ULONG i;

	memset(&shape, 0, sizeof(shape));
	shape.receive_depth = TRAFFIC_CREDITS;
	shape.initiator_depth = TRAFFIC_CREDITS;
	shape.receive_sge = shape.initiator_sge = 1;
	REQUIRE(p && linked_prepare(&f->l, p, &shape));
	f->out = kit_buffer_mr(p->a->pd, TRAFFIC_CREDITS * TRAFFIC_WORD, NDK_MR_FLAG_ALLOW_LOCAL_READ);
	f->in = kit_buffer_mr(p->b->pd, TRAFFIC_CREDITS * TRAFFIC_WORD, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REQUIRE(f->out && f->in);
	for (i = 0; i < 4; i++)
		REQUIRE_STATUS(f->l.a.qp->Dispatch->NdkReceive(f->l.a.qp, f, (NDK_SGE *)0, 0), STATUS_SUCCESS);
	REQUIRE(traffic_flow_connect(f, p));
	count -= count % TRAFFIC_GIVE; /* so that the last credits come back */
	REQUIRE(traffic_flow_run(f, count));
	conf_note("%llu messages", f->heard);
	CHECK_EQ(f->credits, TRAFFIC_CREDITS);
	CHECK_EQ(f->heard, count);
	CHECK_EQ(fabric_not_ready(), 0);
}

CONF_CASES(traffic, CASE(traffic_ping_pong), CASE(traffic_crowd), CASE(traffic_credits));
