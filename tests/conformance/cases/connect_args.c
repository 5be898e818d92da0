/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Connect calls that a careful consumer never makes: missing or malformed arguments, a QP or shared
 * endpoint that does not belong there, the wrong moment. Each gets a clear error and changes nothing:
 * the same connector and QP connect afterwards. Context and ownership: conf.h, attempt.h.
 */
#include "attempt.h"

/* A call with nothing checked beforehand; every argument as given. */
struct odd_call {
	NDK_QP *qp;
	NDK_SHARED_ENDPOINT *shared;
	const struct sockaddr *from;
	ULONG from_len;
	const struct sockaddr *to;
	ULONG to_len;
	const VOID *data;
	ULONG data_len;
};

static struct odd_call proper(struct attempt *t)
{
	struct odd_call o;

	memset(&o, 0, sizeof(o));
	o.qp = t->qp;
	o.shared = t->shared;
	o.from = KIT_SA(&t->from);
	o.from_len = t->from.len;
	o.to = KIT_SA(&t->to);
	o.to_len = t->to.len;
	return o;
}

/* Refused at once with `want`, whatever the answer mode: it never became a request (REQ-12). */
static BOOLEAN refused(struct attempt *t, int form, const struct odd_call *o, NTSTATUS want)
{
	NDK_CONNECTOR *c = t->conn->connector;
	struct kit_call *k = kit_call(form == ATTEMPT_SHARED ? "NdkConnectWithSharedEndpoint" : "NdkConnect");

	if (form == ATTEMPT_SHARED)
		kit_return(k, c->Dispatch->NdkConnectWithSharedEndpoint(c, o->qp, o->shared, o->to, o->to_len, 0, 0,
									o->data, o->data_len, kit_request_done, k));
	else
		kit_return(k, c->Dispatch->NdkConnect(c, o->qp, o->from, o->from_len, o->to, o->to_len, 0, 0, o->data,
						      o->data_len, kit_request_done, k));
	return CHECK_STATUS(k->returned, want) && attempt_answered(k, ATTEMPT_AT_ONCE);
}

/* ---- missing ---- */
static void missing(int form)
{
	struct odd_call o;
	struct attempt t;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	o = proper(&t);
	o.qp = (NDK_QP *)0;
	refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	o = proper(&t);
	o.to = (const struct sockaddr *)0;
	refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	o = proper(&t);
	if (form == ATTEMPT_SHARED)
		o.shared = (NDK_SHARED_ENDPOINT *)0;
	else
		o.from = (const struct sockaddr *)0;
	refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	o = proper(&t);
	o.data_len = 1;
	refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	CHECK(attempt_recovers(&t));
}

NDK_CASE(connect_missing, "CONN-4 CONN-30 CONN-35 REQ-12 U-49", NDK_ON_ALL,
	 "no QP, no source or shared endpoint, no destination, a length without data: refused at once")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			missing(form);
	}
}

/* ---- malformed addresses ---- */
static void malformed_source(int family)
{
	struct kit_address bad;
	struct odd_call o;
	struct attempt t;
	ULONG i;

	REQUIRE(attempt_open(&t, family, ATTEMPT_PLAIN));
	for (i = 0; i < 3; i++) {
		const ULONG lengths[] = { 0, 1, t.from.len - 1 };

		o = proper(&t);
		o.from_len = lengths[i];
		refused(&t, ATTEMPT_PLAIN, &o, STATUS_INVALID_ADDRESS);
	}
	bad = t.from;
	bad.at.ss_family = 1; /* AF_UNIX */
	o = proper(&t);
	o.from = KIT_SA(&bad);
	refused(&t, ATTEMPT_PLAIN, &o, STATUS_INVALID_ADDRESS);
	bad = kit_address(0, family == NDK_V4 ? NDK_V6 : NDK_V4, 0);
	o.from = KIT_SA(&bad);
	o.from_len = bad.len;
	refused(&t, ATTEMPT_PLAIN, &o, STATUS_INVALID_PARAMETER);
	CHECK(attempt_recovers(&t));
}

static void malformed_destination(int family, int form)
{
	struct kit_address bad;
	struct odd_call o;
	struct attempt t;
	ULONG i;

	REQUIRE(attempt_open(&t, family, form));
	for (i = 0; i < 3; i++) {
		const ULONG lengths[] = { 0, 1, t.to.len - 1 };

		o = proper(&t);
		o.to_len = lengths[i];
		refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	}
	bad = t.to;
	bad.at.ss_family = 0;
	o = proper(&t);
	o.to = KIT_SA(&bad);
	refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	bad = kit_wildcard(family, kit_port(&t.to));
	refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	bad = kit_address(1, family == NDK_V4 ? NDK_V6 : NDK_V4, kit_port(&t.to));
	o.to_len = bad.len;
	refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	CHECK(attempt_recovers(&t));
}

NDK_CASE(connect_malformed, "CONN-4 CONN-5 CONN-6 CONN-34 CONN-35 REQ-12 U-9", NDK_ON_ALL,
	 "addresses too short, of no known family, of different families, a wildcard destination: refused at once")
{
	KIT_EACH_ANSWER(mode) {
		KIT_EACH_FAMILY(family) {
			malformed_source(family);
			ATTEMPT_EACH_FORM(form)
				malformed_destination(family, form);
		}
	}
}

/* Addresses longer than they need be are as good: the family says what counts. */
NDK_CASE(connect_long_addresses, "CONN-4 CONN-5 CONN-6 CONN-34", NDK_ON_ALL,
	 "an address given with all the room of a sockaddr_storage is taken for what its family says")
{
	struct attempt t;

	KIT_EACH_FAMILY(family) {
		ATTEMPT_EACH_FORM(form) {
			REQUIRE(attempt_open(&t, family, form));
			t.from.len = sizeof(t.from.at);
			t.pair->b->listener->at.len = sizeof(t.to.at);
			CHECK(attempt_recovers(&t));
		}
	}
}

/* ---- strangers ---- */
static void strangers(int form)
{
	struct kit_side *other;
	struct odd_call o;
	struct attempt t;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	other = kit_side(0); /* the same device, but another open adapter */
	REQUIRE(other);
	o = proper(&t);
	o.qp = other->qp;
	refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	o.qp = t.pair->b->qp;
	refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	if (form == ATTEMPT_SHARED) {
		o = proper(&t);
		o.shared = kit_create_shared(other->adapter, &t.from);
		REQUIRE(o.shared);
		refused(&t, form, &o, STATUS_INVALID_PARAMETER);
	}
	CHECK(attempt_recovers(&t));
}

NDK_CASE(connect_strangers, "CONN-2 CONN-30 CONN-35 REQ-12 U-11", NDK_ON_ALL,
	 "a QP or shared endpoint of another adapter, even one on the same device, is refused at once")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			strangers(form);
	}
}

static void busy_qp(int form)
{
	struct attempt t, u;
	struct odd_call o;
	struct kit_call *c;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	REQUIRE(attempt_another(&t, &u));
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	/* pending */
	o = proper(&u);
	o.qp = t.qp;
	refused(&u, form, &o, STATUS_CONNECTION_ACTIVE);
	REQUIRE_STATUS(kit_reject(t.peer, (const VOID *)0, 0), STATUS_SUCCESS);
	CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_REFUSED);
	/* established, once that attempt has failed and another not */
	REQUIRE(attempt_connect_to(&t, t.pair->b->listener));
	refused(&u, form, &o, STATUS_CONNECTION_ACTIVE);
	CHECK(attempt_carries(&t));
}

NDK_CASE(connect_busy_qp, "CONN-2 CONN-21 CONN-35 REQ-12 U-11", NDK_ON_ALL,
	 "a QP that another connector uses is refused at once with STATUS_CONNECTION_ACTIVE and goes on")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			busy_qp(form);
	}
}

/* ---- the wrong moment ---- */
static BOOLEAN too_late(struct attempt *t, NDK_QP *qp, int form)
{
	struct odd_call o = proper(t);

	o.qp = qp;
	return refused(t, form, &o, STATUS_INVALID_DEVICE_STATE);
}

static void wrong_moments(int form)
{
	struct kit_call *c, *accepting;
	struct attempt t, passive;
	NDK_QP *fresh;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	fresh = kit_another_qp(t.pair->a);
	REQUIRE(fresh);
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	too_late(&t, fresh, form);
	/* a connector from a connect event has nothing to connect; it is there to be accepted */
	passive = t;
	passive.conn = t.peer;
	passive.from = kit_address(1, NDK_V4, 0);
	too_late(&passive, t.pair->b->qp, ATTEMPT_PLAIN);
	accepting = kit_begin_accept(t.peer, t.pair->b->qp, NO_PARAMS, KIT_EVENT);
	REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
	too_late(&t, fresh, form);
	REQUIRE(attempt_finish(&t, accepting));
	too_late(&t, fresh, form);
	too_late(&passive, kit_another_qp(t.pair->b), ATTEMPT_PLAIN);
	CHECK(attempt_carries(&t));
	t.pair->a->conn = t.conn;
	REQUIRE(kit_part(t.pair));
	too_late(&t, fresh, form);
	REQUIRE(KIT_CLOSED(t.conn->connector));
	/* the QP that was refused so often is as good as new */
	t.conn = kit_create_connector(t.pair->a->adapter);
	t.qp = fresh;
	t.pair->b->qp = kit_another_qp(t.pair->b);
	REQUIRE(t.conn && t.pair->b->qp);
	CHECK(attempt_connect_to(&t, t.pair->b->listener));
}

NDK_CASE(connect_wrong_moments, "CONN-21 CONN-35 REQ-12 U-4", NDK_ON_ALL,
	 "connecting, accepted, established, disconnected or delivered connectors refuse to connect, unharmed")
{
	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form)
			wrong_moments(form);
	}
}

/* ---- statuses beyond the list ---- */
static void cancelled(int form)
{
	struct kit_call *c, *closing;
	struct attempt t;

	REQUIRE(attempt_open(&t, NDK_V4, form));
	c = attempt_begin(&t, &t.to, NO_PARAMS);
	t.peer = kit_arrival(t.pair->b->listener);
	REQUIRE(t.peer);
	closing = KIT_CLOSE(t.conn->connector);
	CHECK(kit_pended(closing));
	CHECK_STATUS(kit_wait(c), STATUS_CANCELLED);
	CHECK_STATUS(kit_wait(closing), STATUS_SUCCESS);
	CHECK(c->left < closing->entered);
	CHECK(attempt_answered(c, ATTEMPT_LATER));
	CHECK(KIT_CLOSED(t.peer->connector));
	/* the QP is as it was; only the connector is gone */
	t.conn = kit_create_connector(t.pair->a->adapter);
	REQUIRE(t.conn);
	CHECK(attempt_recovers(&t));
}

NDK_CASE(connect_other_statuses, "CONN-21 CONN-9 CONN-35 U-3", NDK_ON_ALL,
	 "statuses that are not in the list are failures: at once as in the cases above, later by a close")
{
	struct odd_call o;
	struct attempt t;
	UCHAR *data;

	KIT_EACH_ANSWER(mode) {
		ATTEMPT_EACH_FORM(form) {
			REQUIRE(attempt_open(&t, NDK_V4, form));
			data = (UCHAR *)conf_alloc(t.pair->a->info->MaxCallerData + 1);
			o = proper(&t);
			o.data = data;
			o.data_len = t.pair->a->info->MaxCallerData + 1;
			refused(&t, form, &o, STATUS_INVALID_BUFFER_SIZE);
			conf_free(data);
			CHECK(attempt_recovers(&t));
			cancelled(form);
		}
	}
}

CONF_CASES(connect_args, CASE(connect_missing), CASE(connect_malformed), CASE(connect_long_addresses),
	   CASE(connect_strangers), CASE(connect_busy_qp), CASE(connect_wrong_moments),
	   CASE(connect_other_statuses));
