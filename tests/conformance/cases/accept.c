/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * NdkAccept, NdkAcceptEx and NdkReject: the passive side's answers and how they end, and the getters
 * of a connector. Runs where a case runs.
 */
#include "stages.h"

/* ---- the accept's success ---- */

NDK_CASE(accept_completes_last, "ACPT-1 ACPT-4 ACPT-5 CONN-23", NDK_ON_ALL,
	 "accepting lets the other's connect succeed, and succeeds itself when the other completes")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		REQUIRE(stage_accept(&s));
		conf_settle();
		/* a two-way handshake is over for the acceptor with its own reply (N-13) */
		if (!conf_iwarp())
			CHECK(!kit_answered(s.accepting));
		REQUIRE(stage_complete(&s));
		CHECK(stage_once(s.accepting));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
	}
}

static void accept_slowly_body(void)
{
	struct kit_call *c;
	struct staged s;

	attempt_deadline(0, NDK_TIME_CONNECT, 3600000);
	REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
	conf_sleep(60000);
	REQUIRE(stage_accept(&s));
	c = kit_begin_complete(s.ca, KIT_EVENT);
	CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
}

NDK_CASE(accept_slowly, "CONN-26 LISTEN-8", NDK_ON_S,
	 "T-CN-06 accepted after a minute: nobody times out because the consumer is slow")
{
	accept_slowly_body();
	attempt_deadlines_default();
}

NDK_CASE(accept_early_data, "ACPT-4 QP-3", NDK_ON_S,
	 "T-CN-22 data that comes before the confirmation is not lost, nor is the confirmation")
{
	PVOID sent = kit_context(), received = kit_context();
	struct kit_call *c;
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_ACCEPTED));
	SKIP_UNLESS(conf_fault_delay(0, CONF_RTU, 1, 100), "messages cannot be delayed here");
	REQUIRE_STATUS(kit_receive(s.b->qp, received, s.b->buffer, 0, 64), STATUS_SUCCESS);
	c = kit_begin_complete(s.ca, KIT_EVENT);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	kit_fill(s.a->buffer, 0, 64, 0x31);
	REQUIRE_STATUS(kit_send(s.a->qp, sent, s.a->buffer, 0, 64, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(s.b->cq, received, STATUS_SUCCESS));
	REQUIRE(kit_verify(s.b->buffer, 0, 64, 0x31));
	REQUIRE(kit_expect(s.a->cq, sent, STATUS_SUCCESS));
	CHECK_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
	REQUIRE(kit_send_recv_verify(s.b, s.a, 64));
}

/* ---- the other side withdraws ---- */

enum accept_withdrawal { BY_REJECT, BY_CLOSE };

static void accept_withdrawn(int how)
{
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_ACCEPTED));
	if (how == BY_REJECT)
		REQUIRE_STATUS(kit_reject(s.ca, "no", 2), STATUS_SUCCESS);
	else
		REQUIRE(KIT_CLOSED(s.ca->connector));
	CHECK(stage_accept_ends(&s, STATUS_CONNECTION_ABORTED));
	CHECK(stage_once(s.accepting));
	CHECK(KIT_CLOSED(s.cb->connector));
	CHECK(stage_still_well(&s));
}

NDK_CASE(accept_rejected, "ACPT-6 REJ-2 REJ-3 REJ-6", NDK_ON_ALL,
	 "T-CN-08 the active side rejects after its connect succeeded: STATUS_CONNECTION_ABORTED")
{
	KIT_EACH_ANSWER(mode)
		accept_withdrawn(BY_REJECT);
}

NDK_CASE(accept_closed_upon, "ACPT-6", NDK_ON_ALL,
	 "the active side closes after its connect succeeded: STATUS_CONNECTION_ABORTED")
{
	KIT_EACH_ANSWER(mode)
		accept_withdrawn(BY_CLOSE);
}

/* The active side closes before it was answered; TRUE if the news of that was here in time. */
static BOOLEAN accept_abandoned(int mode, int try_, BOOLEAN reject, BOOLEAN *again)
{
	struct kit_call *c;
	struct staged s;
	NTSTATUS status;

	*again = FALSE;
	if (!stage_to(&s, STAGE_ANNOUNCED) || !CHECK(KIT_CLOSED(s.ca->connector)))
		return FALSE;
	CHECK_STATUS(kit_wait(s.connecting), STATUS_CANCELLED);
	stage_rest(try_);
	if (reject) {
		status = kit_reject(s.cb, (PVOID)0, 0);
		*again = conf_place() != NDK_ON_S && status == STATUS_SUCCESS;
		return *again || CHECK_STATUS(status, STATUS_CONNECTION_ABORTED);
	}
	c = kit_begin_accept(s.cb, s.b->qp, (struct kit_params *)0, KIT_EVENT);
	status = kit_wait(c);
	if (conf_place() != NDK_ON_S && (status == STATUS_SUCCESS || (kit_pended(c) && mode != NDK_ANSWER_PEND))) {
		*again = TRUE; /* the news met the accept half way, and ended it all the same */
		return CHECK(status == STATUS_CONNECTION_ABORTED || conf_iwarp());
	}
	return stage_known(c, mode, STATUS_CONNECTION_ABORTED) && CHECK(KIT_CLOSED(s.cb->connector)) &&
	       CHECK_EQ(s.cb->events, 0);
}

static void accept_abandoned_body(int mode, BOOLEAN reject)
{
	BOOLEAN again = TRUE;
	int i;

	for (i = 0; i < STAGE_TRIES && again; i++) {
		REQUIRE(accept_abandoned(mode, i, reject, &again));
		kit_close_all(KIT_CHILDREN_FIRST);
	}
	CHECK(!again);
}

NDK_CASE(accept_after_abandonment, "ACPT-6 CLOSE-1", NDK_ON_ALL,
	 "T-LS-12 the active side is gone before the answer: accepting is STATUS_CONNECTION_ABORTED")
{
	SKIP_UNLESS(!kit_on_siw(), KIT_SIW_HOLDS);
	KIT_EACH_ANSWER(mode)
		accept_abandoned_body(mode, FALSE);
}

NDK_CASE(reject_after_abandonment, "REJ-4 CLOSE-1", NDK_ON_ALL,
	 "the active side is gone before the answer: rejecting is STATUS_CONNECTION_ABORTED")
{
	SKIP_UNLESS(!kit_on_siw(), KIT_SIW_HOLDS);
	accept_abandoned_body(NDK_ANSWER_NATURAL, TRUE);
}

NDK_CASE(accept_flushed, "ACPT-6 FLUSH-1 FLUSH-2 CLOSE-1", NDK_ON_ALL,
	 "flushing the QP of a pending accept ends the accept, with STATUS_CONNECTION_ABORTED")
{
	KIT_EACH_ANSWER(mode)
	{
		PVOID posted = kit_context();
		struct staged s;

		REQUIRE(stage_to(&s, STAGE_ACCEPTED));
		REQUIRE_STATUS(kit_receive(s.b->qp, posted, s.b->buffer, 0, 16), STATUS_SUCCESS);
		if (conf_iwarp())
			REQUIRE_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		s.b->qp->Dispatch->NdkFlush(s.b->qp);
		CHECK(kit_expect(s.b->cq, posted, STATUS_CANCELLED));
		if (!conf_iwarp()) {
			CHECK_STATUS(kit_wait(s.accepting), STATUS_CONNECTION_ABORTED);
			CHECK_EQ(s.cb->events, 0);
		}
		CHECK(KIT_CLOSED(s.cb->connector));
		CHECK(KIT_CLOSED(s.ca->connector));
		CHECK(stage_still_well(&s));
	}
}

/* ---- the other side does not complete ---- */

static void accept_too_late_body(int mode)
{
	const ULONG limit = conf_patient_ms(300);
	struct staged s;

	(void)mode;
	attempt_deadline(1, NDK_TIME_ACCEPT, limit);
	REQUIRE(stage_to(&s, STAGE_ACCEPTED));
	if (conf_iwarp()) {
		/* nobody waits for us there; the connection stands, and both closes have to end */
		CHECK_STATUS(kit_wait(s.accepting), STATUS_SUCCESS);
		conf_sleep(3 * limit);
	} else {
		CHECK_STATUS(kit_wait(s.accepting), STATUS_IO_TIMEOUT);
		attempt_in_time(s.accepting, limit);
		CHECK_EQ(s.cb->events, 0);
	}
	CHECK(stage_once(s.accepting));
	CHECK(KIT_CLOSED(s.cb->connector));
	CHECK(KIT_CLOSED(s.ca->connector));
	attempt_deadlines_default();
	CHECK(stage_still_well(&s));
}

NDK_CASE(accept_too_late, "ACPT-7 CLOSE-1", NDK_ON_ALL,
	 "T-CN-07 STATUS_IO_TIMEOUT when the other side never completes; both connectors close")
{
	KIT_EACH_ANSWER(mode)
		accept_too_late_body(mode);
	attempt_deadlines_default();
}

/* ---- arguments and states ---- */

NDK_CASE(accept_private_data, "ACPT-2 REQ-12 U-10", NDK_ON_ALL,
	 "as much private data as MaxCalleeData goes back, one byte more does not, and harms nothing")
{
	UCHAR *data = (UCHAR *)conf_alloc(512), *got = (UCHAR *)conf_alloc(512);
	struct kit_params p;
	struct staged s;
	ULONG len = 512, max;

	memset(&p, 0, sizeof(p));
	if (stage_to(&s, STAGE_ANNOUNCED)) {
		max = s.b->info->MaxCalleeData;
		memset(data, 0xa7, 512);
		p.data = data;
		p.data_len = max + 1;
		s.accepting = kit_begin_accept(s.cb, s.b->qp, &p, KIT_EVENT);
		CHECK_STATUS(s.accepting->returned, STATUS_INVALID_BUFFER_SIZE);
		p.data_len = max;
		s.accepting = kit_begin_accept(s.cb, s.b->qp, &p, KIT_EVENT);
		CHECK_STATUS(kit_wait(s.connecting), STATUS_SUCCESS);
		CHECK_STATUS(s.ca->connector->Dispatch->NdkGetConnectionData(s.ca->connector, (ULONG *)0,
									     (ULONG *)0, got, &len),
			     STATUS_SUCCESS);
		CHECK(len >= max);
		CHECK(memcmp(got, data, max) == 0);
		CHECK(stage_complete(&s));
	}
	conf_free(data);
	conf_free(got);
}

NDK_CASE(accept_events, "ACPT-3 ACPT-9 DISC-14 DISC-15 DISC-17", NDK_ON_ALL,
	 "the accept's disconnect event: plain, Ex, or none")
{
	static const enum kit_event events[] = { KIT_EVENT, KIT_EVENT_EX, KIT_NO_EVENT };
	struct staged s;
	unsigned i;

	for (i = 0; i < 3; i++) {
		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		s.accepting = kit_begin_accept(s.cb, s.b->qp, (struct kit_params *)0, events[i]);
		REQUIRE_STATUS(kit_wait(s.connecting), STATUS_SUCCESS);
		REQUIRE(stage_complete(&s));
		CHECK_EQ(s.cb->events, 0);
		s.leaving = kit_begin_disconnect(s.ca);
		if (events[i] != KIT_NO_EVENT)
			CHECK(kit_disconnected(s.cb, KIT_PATIENCE_MS));
		CHECK_STATUS(kit_disconnect(s.cb), STATUS_SUCCESS);
		CHECK_STATUS(kit_wait(s.leaving), STATUS_SUCCESS);
		conf_settle();
		CHECK_EQ(s.cb->events, events[i] == KIT_NO_EVENT ? 0 : 1);
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

static BOOLEAN accept_refused(struct kit_conn *c, NDK_QP *qp, NTSTATUS status)
{
	struct kit_call *k = kit_begin_accept(c, qp, (struct kit_params *)0, KIT_EVENT);
	BOOLEAN fine = CHECK_STATUS(k->returned, status);

	conf_settle();
	return stage_once(k) && fine;
}

NDK_CASE(accept_wrong_state, "U-4 REQ-2 REQ-12", NDK_ON_ALL,
	 "accepting and rejecting where there is nothing to: STATUS_INVALID_DEVICE_STATE, no effect")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s;
		NDK_QP *spare;

		REQUIRE(stage_to(&s, STAGE_IDLE));
		spare = kit_another_qp(s.a);
		REQUIRE(spare != (NDK_QP *)0);
		CHECK(accept_refused(s.ca, spare, STATUS_INVALID_DEVICE_STATE));
		CHECK_STATUS(kit_reject(s.ca, (PVOID)0, 0), STATUS_INVALID_DEVICE_STATE);
		REQUIRE(stage_announce(&s));
		CHECK(accept_refused(s.ca, spare, STATUS_INVALID_DEVICE_STATE));
		CHECK_STATUS(kit_reject(s.ca, (PVOID)0, 0), STATUS_INVALID_DEVICE_STATE);
		REQUIRE(stage_accept(&s));
		CHECK(accept_refused(s.cb, spare, STATUS_INVALID_DEVICE_STATE));
		CHECK_STATUS(kit_reject(s.cb, (PVOID)0, 0), STATUS_INVALID_DEVICE_STATE);
		REQUIRE(stage_complete(&s));
		CHECK_STATUS(kit_reject(s.ca, (PVOID)0, 0), STATUS_INVALID_DEVICE_STATE);
		CHECK_STATUS(kit_reject(s.cb, (PVOID)0, 0), STATUS_INVALID_DEVICE_STATE);
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
	}
}

NDK_CASE(accept_wrong_qp, "ACPT-1 U-11 REQ-12", NDK_ON_ALL,
	 "a QP that is in use or another adapter's is refused, and the request can still be accepted")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s, m;
		NDK_QP *right;

		REQUIRE(stage_to(&s, STAGE_UP));
		REQUIRE(stage_more(&s, &m, STAGE_ANNOUNCED));
		right = m.b->qp;
		CHECK(accept_refused(m.cb, s.b->qp, STATUS_CONNECTION_ACTIVE));
		CHECK(accept_refused(m.cb, m.a->qp, STATUS_INVALID_PARAMETER));
		CHECK(!kit_answered(m.connecting));
		m.b->qp = right;
		REQUIRE(stage_accept(&m));
		REQUIRE(stage_complete(&m));
		REQUIRE(kit_send_recv_verify(m.a, m.b, 64));
		REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
	}
}

/* ---- rejecting ---- */

NDK_CASE(reject_refuses, "REJ-1 REJ-3 REJ-5 U-12 U-48", NDK_ON_ALL,
	 "rejecting ends the other's connect with STATUS_CONNECTION_REFUSED, and may say why")
{
	KIT_EACH_ANSWER(mode)
	{
		UCHAR why[16], got[256];
		ULONG len = sizeof(got), in = 99, out = 99;
		struct staged s;

		memset(why, 0x6b, sizeof(why));
		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		REQUIRE_STATUS(kit_reject(s.cb, why, sizeof(why)), STATUS_SUCCESS);
		REQUIRE_STATUS(kit_wait(s.connecting), STATUS_CONNECTION_REFUSED);
		CHECK_STATUS(s.ca->connector->Dispatch->NdkGetConnectionData(s.ca->connector, &in, &out, got, &len),
			     STATUS_SUCCESS);
		CHECK(len >= sizeof(why));
		CHECK(memcmp(got, why, sizeof(why)) == 0);
		CHECK_EQ(in, 0);
		CHECK_EQ(out, 0);
		/* dead for the one, free to try again for the other */
		CHECK(accept_refused(s.cb, s.b->qp, STATUS_INVALID_DEVICE_STATE));
		CHECK_STATUS(kit_reject(s.cb, (PVOID)0, 0), STATUS_INVALID_DEVICE_STATE);
		CHECK(KIT_CLOSED(s.cb->connector));
		REQUIRE(stage_from_idle(&s, STAGE_UP));
	}
}

NDK_CASE(reject_or_close, "REJ-1 REJ-5 U-41", NDK_ON_ALL,
	 "T-CN-14 rejecting without data and closing unanswered are both refusals")
{
	KIT_EACH_ANSWER(mode)
	{
		struct staged s, m;

		REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
		REQUIRE(stage_more(&s, &m, STAGE_ANNOUNCED));
		REQUIRE_STATUS(kit_reject(s.cb, (PVOID)0, 0), STATUS_SUCCESS);
		REQUIRE(KIT_CLOSED(m.cb->connector));
		CHECK_STATUS(kit_wait(s.connecting), STATUS_CONNECTION_REFUSED);
		CHECK_STATUS(kit_wait(m.connecting), STATUS_CONNECTION_REFUSED);
		CHECK(KIT_CLOSED(s.cb->connector));
		CHECK(KIT_CLOSED(s.ca->connector));
		CHECK(KIT_CLOSED(m.ca->connector));
	}
}

NDK_CASE(reject_too_much, "REJ-1 U-10 REQ-12", NDK_ON_ALL,
	 "more than MaxCalleeData does not go with a reject, and the request stays unanswered")
{
	UCHAR data[256];
	struct staged s;

	memset(data, 1, sizeof(data));
	REQUIRE(stage_to(&s, STAGE_ANNOUNCED));
	CHECK_STATUS(kit_reject(s.cb, data, s.b->info->MaxCalleeData + 1), STATUS_INVALID_BUFFER_SIZE);
	conf_settle();
	CHECK(!kit_answered(s.connecting));
	REQUIRE(stage_accept(&s));
	REQUIRE(stage_complete(&s));
}

/* ---- the getters ---- */

static NTSTATUS accept_data(struct kit_conn *c, ULONG *in, ULONG *out, PVOID data, ULONG *len)
{
	return c->connector->Dispatch->NdkGetConnectionData(c->connector, in, out, data, len);
}

NDK_CASE(getters_of_data, "CTR-1 CTR-2 CTR-4 U-13 U-14", NDK_ON_ALL,
	 "T-CN-13 connection data between announcement and accept, connect and complete; not elsewhere")
{
	UCHAR sent[20], got[300];
	struct kit_params p;
	struct staged s;
	ULONG len, in, out;

	memset(sent, 0x2f, sizeof(sent));
	memset(&p, 0, sizeof(p));
	p.data = sent;
	p.data_len = sizeof(sent);
	p.in_limit = p.out_limit = 1;
	REQUIRE(stage_to(&s, STAGE_IDLE));
	len = 0;
	CHECK_STATUS(accept_data(s.ca, &in, &out, (PVOID)0, &len), STATUS_CONNECTION_INVALID);
	s.connecting = kit_begin_connect(s.ca, s.a->qp, &s.from, &s.b->listener->at, &p);
	s.cb = s.b->conn = kit_arrival(s.b->listener);
	REQUIRE(s.cb != (struct kit_conn *)0);
	CHECK_STATUS(accept_data(s.ca, &in, &out, (PVOID)0, &len), STATUS_CONNECTION_INVALID);
	len = 0;
	CHECK_STATUS(accept_data(s.cb, (ULONG *)0, (ULONG *)0, (PVOID)0, &len), STATUS_SUCCESS);
	CHECK(len >= sizeof(sent));
	len = 5;
	memset(got, 0, sizeof(got));
	CHECK_STATUS(accept_data(s.cb, &in, (ULONG *)0, got, &len), STATUS_BUFFER_TOO_SMALL);
	CHECK(len >= sizeof(sent));
	CHECK(memcmp(got, sent, 5) == 0 && got[5] == 0);
	CHECK(len <= sizeof(got));
	CHECK_STATUS(accept_data(s.cb, &in, &out, got, &len), STATUS_SUCCESS);
	CHECK(memcmp(got, sent, sizeof(sent)) == 0);
	CHECK_EQ(in, 1);
	CHECK_EQ(out, 1);
	s.accepting = kit_begin_accept(s.cb, s.b->qp, &p, KIT_EVENT);
	CHECK_STATUS(accept_data(s.cb, &in, &out, got, &len), STATUS_CONNECTION_INVALID);
	REQUIRE_STATUS(kit_wait(s.connecting), STATUS_SUCCESS);
	len = sizeof(got);
	out = 0;
	CHECK_STATUS(accept_data(s.ca, (ULONG *)0, &out, got, &len), STATUS_SUCCESS);
	CHECK(len >= sizeof(sent) && memcmp(got, sent, sizeof(sent)) == 0);
	CHECK_EQ(out, 1);
	REQUIRE(stage_complete(&s));
	CHECK_STATUS(accept_data(s.ca, &in, &out, got, &len), STATUS_CONNECTION_INVALID);
}

typedef NTSTATUS (*accept_getter)(NDK_CONNECTOR *n, PSOCKADDR at, ULONG *len);

static void accept_sizes(NDK_CONNECTOR *n, accept_getter get, ULONG need)
{
	struct sockaddr_storage at;
	ULONG len = need - 1;

	CHECK_STATUS(get(n, (PSOCKADDR)&at, &len), STATUS_BUFFER_TOO_SMALL);
	CHECK_EQ(len, need);
	len = 0;
	CHECK_STATUS(get(n, (PSOCKADDR)0, &len), STATUS_BUFFER_TOO_SMALL);
	CHECK_EQ(len, need);
	len = sizeof(at);
	CHECK_STATUS(get(n, (PSOCKADDR)&at, &len), STATUS_SUCCESS);
	CHECK_EQ(len, need);
}

NDK_CASE(getters_of_addresses, "CTR-5 CTR-6 CTR-7 U-42", NDK_ON_ALL,
	 "T-CN-01 local of one is peer of the other, ports included; the accepted one has the listener's")
{
	KIT_EACH_FAMILY(family)
	{
		struct kit_address la, pa, lb, pb;
		struct staged s;

		REQUIRE(stage_open(&s, family));
		REQUIRE(stage_from_idle(&s, STAGE_ANNOUNCED));
		lb = kit_local_address(s.cb->connector);
		CHECK(kit_same_address(&lb, &s.b->listener->at));
		REQUIRE(stage_accept(&s) && stage_complete(&s));
		la = kit_local_address(s.ca->connector);
		pa = kit_peer_address(s.ca->connector);
		lb = kit_local_address(s.cb->connector);
		pb = kit_peer_address(s.cb->connector);
		CHECK(kit_same_address(&la, &pb));
		CHECK(kit_same_address(&pa, &lb));
		CHECK(kit_same_address(&lb, &s.b->listener->at));
		CHECK(kit_port(&la) >= 49152);
		accept_sizes(s.ca->connector, s.ca->connector->Dispatch->NdkGetLocalAddress, s.from.len);
		accept_sizes(s.ca->connector, s.ca->connector->Dispatch->NdkGetPeerAddress, s.from.len);
		accept_sizes(s.cb->connector, s.cb->connector->Dispatch->NdkGetLocalAddress, s.from.len);
		accept_sizes(s.cb->connector, s.cb->connector->Dispatch->NdkGetPeerAddress, s.from.len);
	}
}

CONF_CASES(accept, CASE(accept_completes_last), CASE(accept_slowly), CASE(accept_early_data),
	   CASE(accept_rejected), CASE(accept_closed_upon), CASE(accept_flushed), CASE(accept_after_abandonment),
	   CASE(reject_after_abandonment), CASE(accept_too_late), CASE(accept_private_data),
	   CASE(accept_events), CASE(accept_wrong_state), CASE(accept_wrong_qp), CASE(reject_refuses),
	   CASE(reject_or_close), CASE(reject_too_much), CASE(getters_of_data), CASE(getters_of_addresses));
