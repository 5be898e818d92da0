/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Every function of the dispatch tables, NdkQueryAdapterInfo excepted, called where sleeping is not
 * allowed. In the kernel conf_atomic() disables bottom halves, and a debug kernel complains about
 * whatever sleeps; the data path is called with interrupts masked as well; elsewhere the cases show that the calls work. Context and ownership: conf.h.
 */
#include "attempt.h"

/* What one step in atomic context works on and leaves behind. */
struct step {
	struct attempt *t;
	struct kit_call *call, *other;
	struct kit_address *to;
	PVOID object;
	ULONG value;
	NTSTATUS status;
};

static void step_connect(PVOID arg)
{
	struct step *s = (struct step *)arg;

	s->call = attempt_begin(s->t, s->to, NO_PARAMS);
}

static NTSTATUS connect_atomically(struct attempt *t, struct kit_address *to)
{
	struct step s;

	memset(&s, 0, sizeof(s));
	s.t = t;
	s.to = to;
	conf_atomic(step_connect, &s);
	return kit_wait(s.call);
}

/* ---- connect, in all its outcomes ---- */
static void connect_outcomes(int family, int form)
{
	struct kit_address to, from;
	struct attempt t;

	REQUIRE(attempt_open(&t, family, form));
	from = t.from;
	to = t.to;
	kit_set_port(&to, 0);
	CHECK_STATUS(connect_atomically(&t, &to), STATUS_CONNECTION_REFUSED);
	to = kit_address(1, family, kit_fresh_port());
	CHECK_STATUS(connect_atomically(&t, &to), STATUS_CONNECTION_REFUSED);
	if (attempt_bad(CONF_NO_ROUTE, family, 7, &to))
		CHECK_STATUS(connect_atomically(&t, &to), STATUS_NETWORK_UNREACHABLE);
	if (form == ATTEMPT_PLAIN && attempt_bad(CONF_FOREIGN, family, 0, &t.from))
		CHECK_STATUS(connect_atomically(&t, &t.to), STATUS_INVALID_ADDRESS);
	t.from = from;
	t.pair->b->listener->mode = KIT_ACCEPT;
	REQUIRE_STATUS(connect_atomically(&t, &t.to), STATUS_SUCCESS);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer && t.peer->accepting);
	REQUIRE(attempt_finish(&t, t.peer->accepting));
	CHECK(attempt_carries(&t));
}

NDK_CASE(atomic_connect, "ADP-11 CONN-3 CONN-35 IRQL-1 IRQL-4", NDK_ON_ALL,
	 "T-FT-12 both forms of connect, called in atomic context, with every kind of outcome")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family) {
			ATTEMPT_EACH_FORM(form)
				connect_outcomes(family, form);
		}
	}
}

/* ---- creators ---- */
enum { MADE_PD, MADE_CQ, MADE_QP, MADE_MR, MADE_CONNECTOR, MADE_LISTENER, MADE_SHARED, MADE };

struct makers {
	struct kit_side *side;
	struct kit_address any;
	struct kit_cq *cq;
	struct kit_listener *listener;
	struct kit_call *made[MADE];
	struct kit_call *closing[MADE];
	struct kit_call *windowing; /* a window */
};

static void make_all(PVOID arg)
{
	struct makers *m = (struct makers *)arg;
	struct kit_side *s = m->side;

	m->made[MADE_PD] = kit_begin_pd(s->adapter, (kit_inside)0, (PVOID)0);
	m->made[MADE_CQ] = kit_begin_cq(&m->cq, s->adapter, KIT_DEPTH, (kit_inside)0, (PVOID)0);
	m->made[MADE_QP] = kit_begin_qp(s->pd, s->cq, s->cq, (const struct kit_shape *)0, (kit_inside)0, (PVOID)0);
	m->made[MADE_MR] = kit_begin_mr(s->pd, FALSE, (kit_inside)0, (PVOID)0);
	m->made[MADE_CONNECTOR] = kit_begin_connector(s->adapter, (kit_inside)0, (PVOID)0);
	m->made[MADE_LISTENER] = kit_begin_listener(&m->listener, s->adapter, (kit_inside)0, (PVOID)0);
	m->made[MADE_SHARED] = kit_begin_shared(s->adapter, &m->any, (kit_inside)0, (PVOID)0);
	m->windowing = kit_begin_mw(s->pd, (kit_inside)0, (PVOID)0);
}

static void close_all(PVOID arg)
{
	struct makers *m = (struct makers *)arg;
	unsigned i;

	for (i = MADE; i-- > 0;)
		m->closing[i] = kit_close(m->made[i]->object);
}

NDK_CASE(atomic_create_close, "ADP-11 IRQL-1 IRQL-4", NDK_ON_ALL,
	 "T-FT-12 objects of every type are created and closed from atomic context")
{
	struct makers m;
	unsigned i;

	KIT_EACH_ANSWER(mode) {
		memset(&m, 0, sizeof(m));
		m.side = kit_side(0);
		REQUIRE(m.side);
		m.any = kit_address(0, NDK_V4, 0);
		conf_atomic(make_all, &m);
		for (i = 0; i < MADE; i++)
			REQUIRE_STATUS(kit_wait(m.made[i]), STATUS_SUCCESS);
		kit_wait(m.windowing);
		conf_atomic(close_all, &m);
		for (i = 0; i < MADE; i++)
			CHECK_STATUS(kit_wait(m.closing[i]), STATUS_SUCCESS);
	}
}

/* ---- a connection from beginning to end ---- */
static void step_listen(PVOID arg)
{
	struct step *s = (struct step *)arg;

	s->call = kit_begin_listen((struct kit_listener *)s->object, s->to);
}

static void step_questions(PVOID arg)
{
	struct step *s = (struct step *)arg;
	NDK_CONNECTOR *c = (NDK_CONNECTOR *)s->object;
	const NDK_VERSION version = { 1, 0 };
	NDK_EXTENSION_INTERFACE extension;
	struct kit_address at;
	ULONG in, out, none = 0;
	GUID id;

	memset(&id, 0x33, sizeof(id));
	memset(&extension, 0, sizeof(extension));
	s->status = c->Dispatch->NdkGetConnectionData(c, &in, &out, (PVOID)0, &none);
	at = kit_local_address(c);
	at = kit_peer_address(c);
	CHECK(at.len > 0);
	CHECK_STATUS(c->Dispatch->NdkQueryExtension(&c->Header, &id, version, &extension), STATUS_NOT_SUPPORTED);
}

static void step_accept(PVOID arg)
{
	struct step *s = (struct step *)arg;

	s->call = kit_begin_accept(s->t->peer, s->t->pair->b->qp, NO_PARAMS, KIT_EVENT_EX);
}

static void step_complete(PVOID arg)
{
	struct step *s = (struct step *)arg;

	s->call = kit_begin_complete(s->t->conn, KIT_EVENT);
}

/* Posts, arms, polls; what is posted is finished later. */
static void step_data(PVOID arg)
{
	struct step *s = (struct step *)arg;
	struct kit_side *a = s->t->pair->a, *b = s->t->pair->b;
	NDK_RESULT_EX r;

	kit_arm(b->cq, NDK_CQ_NOTIFY_ANY);
	CHECK_EQ(kit_poll(b->cq, &r, 1), 0);
	CHECK_STATUS(kit_receive(b->qp, s, b->buffer, 0, ATTEMPT_MESSAGE), STATUS_SUCCESS);
	CHECK_STATUS(kit_send(a->qp, s, a->buffer, 0, ATTEMPT_MESSAGE, 0), STATUS_SUCCESS);
}

static void step_flush(PVOID arg)
{
	struct step *s = (struct step *)arg;
	struct kit_side *b = s->t->pair->b;

	CHECK_STATUS(kit_receive(b->qp, s, b->buffer, 0, ATTEMPT_MESSAGE), STATUS_SUCCESS);
	b->qp->Dispatch->NdkFlush(b->qp);
}

static void step_pause(PVOID arg)
{
	struct step *s = (struct step *)arg;
	NDK_LISTENER *l = s->t->pair->b->listener->listener;

	l->Dispatch->NdkControlConnectEvents(l, TRUE);
	l->Dispatch->NdkControlConnectEvents(l, FALSE);
}

static void step_disconnect(PVOID arg)
{
	struct step *s = (struct step *)arg;

	s->call = kit_begin_disconnect(s->t->conn);
	s->other = kit_begin_disconnect(s->t->peer);
}

static void step_reject(PVOID arg)
{
	struct step *s = (struct step *)arg;

	s->status = kit_reject(s->t->peer, (const VOID *)0, 0);
}

/* Rejected first, accepted then. */
static BOOLEAN up_atomically(struct step *s)
{
	struct attempt *t = s->t;
	struct kit_call *connecting, *accepting;

	s->to = &t->to;
	conf_atomic(step_connect, s);
	t->peer = kit_arrival(t->pair->b->listener);
	if (!t->peer)
		return FALSE;
	conf_atomic(step_reject, s);
	CHECK_STATUS(s->status, STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(s->call), STATUS_CONNECTION_REFUSED);
	conf_atomic(step_pause, s);
	conf_atomic(step_connect, s);
	connecting = s->call;
	t->peer = kit_arrival(t->pair->b->listener);
	if (!t->peer)
		return FALSE;
	s->object = t->peer->connector;
	conf_atomic(step_questions, s);
	CHECK_STATUS(s->status, STATUS_SUCCESS);
	conf_atomic(step_accept, s);
	accepting = s->call;
	if (!CHECK_STATUS(kit_wait(connecting), STATUS_SUCCESS))
		return FALSE;
	s->object = t->conn->connector;
	conf_atomic(step_questions, s);
	CHECK_STATUS(s->status, STATUS_SUCCESS);
	conf_atomic(step_complete, s);
	return CHECK_STATUS(kit_wait(s->call), STATUS_SUCCESS) && CHECK_STATUS(kit_wait(accepting), STATUS_SUCCESS);
}

static void connection_atomically(int form)
{
	struct kit_listener *l;
	struct kit_address at = kit_address(0, NDK_V4, kit_fresh_port());
	struct attempt t;
	struct step s;

	memset(&s, 0, sizeof(s));
	s.t = &t;
	REQUIRE(attempt_open(&t, NDK_V4, form));
	l = kit_create_listener(t.pair->a->adapter);
	REQUIRE(l);
	s.object = l;
	s.to = &at;
	conf_atomic(step_listen, &s);
	CHECK_STATUS(kit_wait(s.call), STATUS_SUCCESS);
	REQUIRE(up_atomically(&s));
	REQUIRE(attempt_renews(&t));
	conf_atomic(step_data, &s);
	CHECK(kit_notified(t.pair->b->cq, KIT_PATIENCE_MS));
	CHECK(kit_expect(t.pair->b->cq, &s, STATUS_SUCCESS));
	CHECK(kit_expect(t.pair->a->cq, &s, STATUS_SUCCESS));
	conf_atomic(step_disconnect, &s);
	CHECK_STATUS(kit_wait(s.call), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(s.other), STATUS_SUCCESS);
	/* the early receive, flushed by the disconnect */
	CHECK(kit_expect(t.pair->a->cq, t.early, STATUS_CANCELLED));
}

NDK_CASE(atomic_connection, "ADP-11 CONN-3 CMPL-13 CONN-35 IRQL-1 IRQL-4", NDK_ON_ALL,
	 "T-FT-12 a connection's whole life in calls from atomic context: listen to disconnect, with questions and data")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			connection_atomically(form);
	}
}

/* ---- memory ---- */
struct memory {
	struct kit_side *side;
	struct kit_buffer *buffer;
	NDK_LOGICAL_ADDRESS_MAPPING *lam;
	ULONG lam_size, fbo;
	NDK_MR *mr;
	struct kit_call *call;
	UINT32 local, remote, privileged;
};

static void step_register(PVOID arg)
{
	struct memory *m = (struct memory *)arg;
	struct kit_call *c = kit_call("NdkRegisterMr");

	m->call = kit_return(c, m->mr->Dispatch->NdkRegisterMr(m->mr, m->buffer->mdl, KIT_BUFFER,
							       NDK_MR_FLAG_ALLOW_LOCAL_WRITE, kit_request_done, c));
}

static void step_tokens(PVOID arg)
{
	struct memory *m = (struct memory *)arg;
	NDK_PD *pd = m->side->pd;

	m->local = m->mr->Dispatch->NdkGetLocalTokenFromMr(m->mr);
	m->remote = m->mr->Dispatch->NdkGetRemoteTokenFromMr(m->mr);
	pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(pd, &m->privileged);
}

static void step_deregister(PVOID arg)
{
	struct memory *m = (struct memory *)arg;
	struct kit_call *c = kit_call("NdkDeregisterMr");

	m->call = kit_return(c, m->mr->Dispatch->NdkDeregisterMr(m->mr, kit_request_done, c));
}

static void step_map(PVOID arg)
{
	struct memory *m = (struct memory *)arg;
	NDK_ADAPTER *a = m->side->adapter;
	struct kit_call *c = kit_call("NdkBuildLAM");

	m->call = kit_return(c, a->Dispatch->NdkBuildLAM(a, m->buffer->mdl, KIT_BUFFER, kit_request_done, c, m->lam,
							 &m->lam_size, &m->fbo));
}

static void step_unmap(PVOID arg)
{
	struct memory *m = (struct memory *)arg;
	NDK_ADAPTER *a = m->side->adapter;

	a->Dispatch->NdkReleaseLAM(a, m->lam);
}

NDK_CASE(atomic_memory, "ADP-11 IRQL-1 IRQL-4", NDK_ON_ALL,
	 "T-FT-12 registering, deregistering, mapping, unmapping and asking for tokens in atomic context")
{
	struct memory m;

	memset(&m, 0, sizeof(m));
	m.side = kit_side(0);
	REQUIRE(m.side);
	m.buffer = m.side->buffer;
	m.mr = kit_create_mr(m.side->pd, FALSE);
	REQUIRE(m.mr);
	conf_atomic(step_register, &m);
	REQUIRE_STATUS(kit_wait(m.call), STATUS_SUCCESS);
	conf_atomic(step_tokens, &m);
	conf_atomic(step_deregister, &m);
	CHECK_STATUS(kit_wait(m.call), STATUS_SUCCESS);
	m.lam_size = 512;
	m.lam = (NDK_LOGICAL_ADDRESS_MAPPING *)conf_alloc(m.lam_size);
	conf_atomic(step_map, &m);
	if (CHECK_STATUS(kit_wait(m.call), STATUS_SUCCESS))
		conf_atomic(step_unmap, &m);
	conf_free(m.lam);
}

/* ---- flush ---- */
NDK_CASE(atomic_flush, "IRQL-1", NDK_ON_ALL, "T-FT-12 a QP that never connected is flushed from atomic context")
{
	struct attempt t;
	struct step s;

	memset(&s, 0, sizeof(s));
	s.t = &t;
	REQUIRE(attempt_open(&t, NDK_V4, ATTEMPT_PLAIN));
	conf_atomic(step_flush, &s);
	CHECK(kit_expect(t.pair->b->cq, &s, STATUS_CANCELLED));
}

/* ---- interrupts masked ---- */
/* What is there by now, of either side. */
static void step_take(PVOID arg)
{
	struct step *s = (struct step *)arg;
	struct kit_side *a = s->t->pair->a, *b = s->t->pair->b;
	NDK_RESULT_EX r;

	while (kit_poll(a->cq, &r, 1) || kit_poll(b->cq, &r, 1)) {
		CHECK(r.RequestContext == s);
		CHECK_STATUS(r.Status, STATUS_SUCCESS);
		s->value++;
	}
}

static void step_write(PVOID arg)
{
	struct step *s = (struct step *)arg;
	const struct kit_buffer *there = (const struct kit_buffer *)s->object;
	struct kit_side *a = s->t->pair->a;

	kit_arm(a->cq, NDK_CQ_NOTIFY_ANY);
	CHECK_STATUS(kit_write(a->qp, s, a->buffer, 0, 64, KIT_AT(there, 0), there->remote, 0), STATUS_SUCCESS);
}

/*
 * More than DISPATCH_LEVEL promises: Linux consumers post from under locks that mask interrupts. No other call
 * is for them.
 */
NDK_CASE(atomic_masked, "POST-1 CONC-3 QP-1", NDK_ON_K,
	 "T-FT-12 posting, arming and taking results with interrupts masked; other calls promise DISPATCH_LEVEL only")
{
	struct kit_side *a, *b;
	struct attempt t;
	struct step s;
	UINT64 until;
	unsigned i;

	memset(&s, 0, sizeof(s));
	s.t = &t;
	REQUIRE(attempt_open(&t, NDK_V4, ATTEMPT_PLAIN));
	REQUIRE(kit_establish(t.pair, NO_PARAMS, NO_PARAMS));
	a = t.pair->a;
	b = t.pair->b;
	s.object = kit_exposed(b->pd, 64);
	REQUIRE(s.object != (PVOID)0);
	for (i = 0; i < 20; i++) {
		kit_fill(a->buffer, 0, 64, (UCHAR)i);
		SKIP_UNLESS(conf_masked(step_data, &s), "locks sleep in this kernel, and nothing masks interrupts");
		REQUIRE(kit_notified(b->cq, KIT_PATIENCE_MS)); /* perhaps in vain: what is there is taken below */
		REQUIRE(conf_masked(step_write, &s));
		REQUIRE(kit_notified(a->cq, KIT_PATIENCE_MS));
		until = conf_now_us() + KIT_PATIENCE_MS * 1000ull;
		for (s.value = 0; s.value < 3 && !conf_failed() && conf_now_us() < until; conf_nap())
			REQUIRE(conf_masked(step_take, &s));
		CHECK_EQ(s.value, 3);
		CHECK(kit_verify(b->buffer, 0, ATTEMPT_MESSAGE < 64 ? ATTEMPT_MESSAGE : 64, (UCHAR)i));
		CHECK(kit_verify((const struct kit_buffer *)s.object, 0, 64, (UCHAR)i));
	}
}

CONF_CASES(atomic, CASE(atomic_connect), CASE(atomic_create_close), CASE(atomic_connection), CASE(atomic_memory),
	   CASE(atomic_flush), CASE(atomic_masked));
