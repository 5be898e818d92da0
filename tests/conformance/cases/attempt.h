/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * One attempt to connect, in either form: what the cases about NdkConnect and
 * NdkConnectWithSharedEndpoint have in common, so that each condition is shown for both (CONN-35).
 *
 * An attempt owns a pair of sides with a listener, an idle connector, and a receive posted on the
 * QP from the beginning: whatever goes wrong later, that receive has to survive it (CONN-24).
 *
 * For the files of cases only; runs where a case runs, may sleep.
 */
#ifndef CONF_ATTEMPT_H
#define CONF_ATTEMPT_H

#include "../kit.h"

/* Read limits 0, no private data. */
#define NO_PARAMS ((const struct kit_params *)0)

#define ATTEMPT_MESSAGE 64u
/* Where in the active side's buffer the early receive lies. */
#define ATTEMPT_EARLY_AT (KIT_BUFFER / 2)

enum attempt_form { ATTEMPT_PLAIN, ATTEMPT_SHARED, ATTEMPT_FORMS };
#define ATTEMPT_EACH_FORM(form_) for (int form_ = ATTEMPT_PLAIN; form_ < ATTEMPT_FORMS; form_++)

/* How an answer has to come. */
enum attempt_way { ATTEMPT_ANY_WAY, ATTEMPT_AT_ONCE, ATTEMPT_LATER };

struct attempt {
	int family;
	struct kit_pair *pair;
	struct kit_conn *conn;
	NDK_QP *qp;
	NDK_SHARED_ENDPOINT *shared; /* NULL: the plain form */
	struct kit_address from;     /* of the plain form; port 0 unless the case sets one */
	struct kit_address to;	     /* where the pair's listener listens */
	PVOID early;		     /* context of the receive posted at the beginning */
	struct kit_conn *peer;	     /* the passive connector, once there is one */
};

/* Local checks are answered at once unless the adapter is told to pend everything. */
static inline enum attempt_way attempt_local(int mode)
{
	return mode == NDK_ANSWER_PEND ? ATTEMPT_LATER : ATTEMPT_AT_ONCE;
}

static inline BOOLEAN attempt_open(struct attempt *t, int family, int form)
{
	memset(t, 0, sizeof(*t));
	t->family = family;
	t->pair = kit_pair(family);
	if (!t->pair)
		return FALSE;
	t->conn = t->pair->a->conn;
	t->qp = t->pair->a->qp;
	t->from = kit_address(0, family, 0);
	t->to = t->pair->b->listener->at;
	if (form == ATTEMPT_SHARED) {
		t->shared = kit_create_shared(t->pair->a->adapter, &t->from);
		if (!t->shared)
			return FALSE;
	}
	t->early = kit_context();
	return CHECK_STATUS(kit_receive(t->qp, t->early, t->pair->a->buffer, ATTEMPT_EARLY_AT,
					ATTEMPT_MESSAGE),
			    STATUS_SUCCESS);
}

static inline struct kit_call *attempt_begin(struct attempt *t, const struct kit_address *to,
					     const struct kit_params *p)
{
	return t->shared ? kit_begin_connect_shared(t->conn, t->qp, t->shared, to, p) :
			   kit_begin_connect(t->conn, t->qp, &t->from, to, p);
}

/* As attempt_begin(), with inside() run in the completion callback. Any context. */
static inline struct kit_call *attempt_begin_inside(struct attempt *t, const struct kit_address *to,
						    kit_inside inside, PVOID arg)
{
	NDK_CONNECTOR *c = t->conn->connector;
	struct kit_call *k;

	if (!t->shared)
		return kit_connect_inside(t->conn, t->qp, &t->from, to, NO_PARAMS, inside, arg);
	k = kit_call("NdkConnectWithSharedEndpoint");
	k->inside = inside;
	k->arg = arg;
	return kit_return(k, c->Dispatch->NdkConnectWithSharedEndpoint(c, t->qp, t->shared, KIT_SA(to), to->len, 0, 0,
								       (const VOID *)0, 0, kit_request_done, k));
}

/* An answer came the way it had to, once, and nothing comes after it (CONN-8, CONN-9, REQ-1, REQ-2). */
static inline BOOLEAN attempt_answered(struct kit_call *c, enum attempt_way way)
{
	conf_settle();
	if (way == ATTEMPT_AT_ONCE && !CHECK(!kit_pended(c)))
		return FALSE;
	if (way == ATTEMPT_LATER && !CHECK(kit_pended(c)))
		return FALSE;
	return CHECK_EQ(c->callbacks, kit_pended(c) ? 1 : 0);
}

/* Connects to `to`, which has to fail with `want`. */
static inline BOOLEAN attempt_fails(struct attempt *t, const struct kit_address *to, NTSTATUS want,
				    enum attempt_way way)
{
	struct kit_call *c = attempt_begin(t, to, NO_PARAMS);

	return CHECK_STATUS(kit_wait(c), want) && attempt_answered(c, way);
}

/* Accepts, completes, and checks both answers; the connect has succeeded, the event has come. */
static inline BOOLEAN attempt_finish(struct attempt *t, struct kit_call *accepting)
{
	if (!CHECK_STATUS(kit_complete(t->conn), STATUS_SUCCESS) ||
	    !CHECK_STATUS(kit_wait(accepting), STATUS_SUCCESS))
		return FALSE;
	t->pair->b->conn = t->peer;
	return TRUE;
}

/* From the idle connector to an established connection with `to`, where `l` listens and holds. */
static inline BOOLEAN attempt_connect_to(struct attempt *t, struct kit_listener *l)
{
	struct kit_call *c = attempt_begin(t, &l->at, NO_PARAMS);
	struct kit_call *accepting;

	t->peer = kit_arrival(l);
	if (!t->peer) {
		CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
		return FALSE;
	}
	accepting = kit_begin_accept(t->peer, t->pair->b->qp, NO_PARAMS, KIT_EVENT);
	if (!CHECK_STATUS(kit_wait(c), STATUS_SUCCESS))
		return FALSE;
	return attempt_finish(t, accepting);
}

/*
 * A queue pair of siw does not survive an attempt that got as far as the peer: the provider gives it a
 * successor, at the price of its receives. Where that happened the early one is posted again.
 */
static inline BOOLEAN attempt_renews(struct attempt *t)
{
	struct kit_side *a = t->pair->a;
	NDK_RESULT_EX r;

	if (!kit_on_siw() || !kit_poll(a->cq, &r, 1))
		return TRUE;
	return CHECK(r.RequestContext == t->early) && CHECK_STATUS(r.Status, STATUS_CANCELLED) &&
	       CHECK_STATUS(kit_receive(t->qp, t->early, a->buffer, ATTEMPT_EARLY_AT, ATTEMPT_MESSAGE),
			    STATUS_SUCCESS);
}

/* The connection carries data both ways, and the early receive is the first to be used (CONN-24). */
static inline BOOLEAN attempt_carries(struct attempt *t)
{
	struct kit_side *a = t->pair->a, *b = t->pair->b;
	PVOID sent = kit_context();
	NDK_RESULT_EX r;

	if (!attempt_renews(t) || !kit_send_recv_verify(a, b, ATTEMPT_MESSAGE))
		return FALSE;
	kit_fill(b->buffer, 0, ATTEMPT_MESSAGE, 0x5d);
	if (!CHECK_STATUS(kit_send(b->qp, sent, b->buffer, 0, ATTEMPT_MESSAGE, 0), STATUS_SUCCESS) ||
	    !kit_expect(b->cq, sent, STATUS_SUCCESS) || !kit_result(a->cq, &r))
		return FALSE;
	return CHECK(r.RequestContext == t->early) && CHECK_STATUS(r.Status, STATUS_SUCCESS) &&
	       CHECK_EQ(r.BytesTransferred, ATTEMPT_MESSAGE) &&
	       kit_verify(a->buffer, ATTEMPT_EARLY_AT, ATTEMPT_MESSAGE, 0x5d);
}

/*
 * The same connector and the same QP, after whatever happened to them, connect and carry data (U-5,
 * CONN-24).
 */
static inline BOOLEAN attempt_recovers(struct attempt *t)
{
	return attempt_connect_to(t, t->pair->b->listener) && attempt_carries(t);
}

/* Another connector and QP on the active side, for the same or another destination. */
static inline BOOLEAN attempt_another(struct attempt *t, struct attempt *fresh)
{
	*fresh = *t;
	fresh->peer = (struct kit_conn *)0;
	fresh->conn = kit_create_connector(t->pair->a->adapter);
	fresh->qp = kit_another_qp(t->pair->a);
	return fresh->conn && fresh->qp;
}

/* A further listener on the passive side. */
static inline struct kit_listener *attempt_listener(struct attempt *t)
{
	struct kit_listener *l = kit_create_listener(t->pair->b->adapter);
	struct kit_address at = kit_address(1, t->family, kit_fresh_port());

	if (!l || !CHECK_STATUS(kit_listen(l, &at), STATUS_SUCCESS))
		return (struct kit_listener *)0;
	return l;
}

/*
 * An address with a defect, in that family. Where the place offers IPv4 only, the IPv6 one is made
 * of what is known of the fabric's networks: /64 around an adapter's address, two adapters.
 */
static inline BOOLEAN attempt_bad(enum conf_bad_address kind, int family, USHORT port,
				  struct kit_address *out)
{
	struct sockaddr_in6 v6;

	memset(out, 0, sizeof(*out));
	if (conf_bad(kind, port, &out->at, &out->len) &&
	    out->at.ss_family == (family == NDK_V6 ? AF_INET6 : AF_INET))
		return TRUE;
	if (family != NDK_V6 || !(conf_place() & NDK_ON_FABRIC) || kind == CONF_SILENT)
		return FALSE;
	*out = kit_address(1, family, port);
	memcpy(&v6, &out->at, sizeof(v6));
	if (kind == CONF_NO_ROUTE)
		v6.sin6_addr.s6_addr[5] ^= 0x5a;
	else if (kind != CONF_OTHER_ADAPTER)
		v6.sin6_addr.s6_addr[13] ^= 0x5a;
	memcpy(&out->at, &v6, sizeof(v6));
	return TRUE;
}

/* Deadlines of the active (0) or passive (1) adapter for what begins from now on. */
static inline BOOLEAN attempt_deadline(unsigned which, int kind, ULONG ms)
{
	return CHECK_EQ(ndk_control_deadline(conf_adapter_name(which), kind, ms), 0);
}

static inline void attempt_deadlines_default(void)
{
	static const ULONG ms[NDK_TIME_KINDS] = { NDK_DEFAULT_RESOLVE_MS, NDK_DEFAULT_CONNECT_MS,
						  NDK_DEFAULT_ACCEPT_MS, NDK_DEFAULT_DISCONNECT_MS };
	unsigned which;
	int kind;

	for (which = 0; which < 2; which++)
		for (kind = 0; kind < NDK_TIME_KINDS; kind++)
			attempt_deadline(which, kind, conf_place() == NDK_ON_K ? conf_patient_ms(ms[kind]) : ms[kind]);
}

/* The answer came when `limit` had passed, in virtual time at once then. */
static inline void attempt_in_time(const struct kit_call *c, ULONG limit)
{
	ULONG took = (ULONG)((c->done_us - c->began_us) / 1000u);
	BOOLEAN exact = conf_place() == NDK_ON_S;
	/*
	 * Elsewhere than in virtual time a busy machine may be as late as who waits is patient, and timers
	 * that count ticks of a clock which was held up run a little faster than the one that is read here.
	 */
	ULONG early = exact ? 1 : limit / 4;

	if (took + early < limit || (exact && took > limit + 20))
		conf_fail(__FILE__, __LINE__, "limit %u ms, answered after %u ms", limit, took);
}

#endif
