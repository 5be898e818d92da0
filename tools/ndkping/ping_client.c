// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The client of ndkping: connects, sends and waits for the reply, disconnects, as often as asked.
 *
 * ping_client() is called by any thread that may sleep; nothing outlives the call.
 */
#include "ping_end.h"

/* Results taken from the CQ at a time; a round trip has two. */
#define BATCH 4

struct client {
	struct ping_end end;
	struct ping_conn conn[2]; /* the second of a pair only with config->second */
	struct ping_samples connect, round_trip;
};

static BOOLEAN open_shared_endpoint(struct ping_end *e)
{
	const struct ping_config *config = e->config;
	NDK_SHARED_ENDPOINT *shared = NULL;
	NTSTATUS status;

	if (!config->shared && !config->second)
		return TRUE;
	status = e->adapter->Dispatch->NdkCreateSharedEndpoint(e->adapter, &config->local.any,
							       ping_address_length(&config->local),
							       ping_created, e, &shared);
	e->shared = ping_made(e, "NdkCreateSharedEndpoint", status, shared);
	return e->shared != NULL;
}

static NTSTATUS call_connect(struct ping_conn *c, const union ping_address *dest)
{
	struct ping_end *e = c->end;
	const struct ping_config *config = e->config;
	const NDK_CONNECTOR_DISPATCH *fn = c->connector->Dispatch;
	UCHAR ask[PING_ASK_BYTES];

	ping_ask_write(ask, config->size, config->count, c->seed);
	if (e->shared)
		return fn->NdkConnectWithSharedEndpoint(c->connector, c->qp, e->shared, &dest->any,
							ping_address_length(dest), 0, 0, ask,
							sizeof(ask), ping_request_done, e);
	return fn->NdkConnect(c->connector, c->qp, &config->local.any,
			      ping_address_length(&config->local), &dest->any,
			      ping_address_length(dest), 0, 0, ask, sizeof(ask), ping_request_done,
			      e);
}

/* The server's answer, readable between connect and complete-connect (CTR-2). */
static BOOLEAN check_answer(struct ping_conn *c)
{
	UCHAR answer[256];
	ULONG bytes = sizeof(answer), size = 0;
	NTSTATUS status = c->connector->Dispatch->NdkGetConnectionData(c->connector, NULL, NULL,
								       answer, &bytes);

	if (!NT_SUCCESS(status)) {
		ping_fail(c->end, PING_BAD_STATUS, "NdkGetConnectionData", status);
		return FALSE;
	}
	if (ping_answer_read(answer, bytes, &size) && size == c->size)
		return TRUE;
	ping_fail(c->end, PING_BAD_PEER, "the private data of the server", 0);
	return FALSE;
}

/* From nothing to established, and how long that took. */
static BOOLEAN establish(struct client *cl, struct ping_conn *c, USHORT port)
{
	struct ping_end *e = c->end;
	union ping_address dest = e->config->dest;
	NDK_CONNECTOR *connector = NULL;
	NTSTATUS status;
	UINT64 began;

	status = e->adapter->Dispatch->NdkCreateConnector(e->adapter, ping_created, e, &connector);
	c->connector = ping_made(e, "NdkCreateConnector", status, connector);
	if (!c->connector)
		return FALSE;
	ping_address_set_port(&dest, port);
	began = ping_now();
	if (!ping_done(e, e->shared ? "NdkConnectWithSharedEndpoint" : "NdkConnect",
		       call_connect(c, &dest)))
		return FALSE;
	if (!check_answer(c))
		return FALSE;
	status = c->connector->Dispatch->NdkCompleteConnect(c->connector, ping_conn_gone, c,
							    ping_request_done, e);
	if (!ping_done(e, "NdkCompleteConnect", status))
		return FALSE;
	ping_samples_add(&cl->connect, ping_now() - began);
	e->result->connections++;
	return TRUE;
}

static BOOLEAN take_result(struct ping_conn *c, const NDK_RESULT_EX *r, ULONG number)
{
	BOOLEAN is_send = r->RequestContext == &c->send;

	if (r->QPContext != c || (!is_send && r->RequestContext != &c->receive) ||
	    r->Type != (is_send ? NdkOperationTypeSend : NdkOperationTypeReceive) ||
	    !(is_send ? c->send.posted : c->receive.posted)) {
		ping_fail(c->end, PING_BAD_PEER, "a result belongs to no request", 0);
		return FALSE;
	}
	/* Some transports flush before the news that the peer has gone. */
	if (r->Status == STATUS_CANCELLED) {
		ping_fail(c->end, PING_BAD_PEER, "the peer disconnected", 0);
		return FALSE;
	}
	if (!NT_SUCCESS(r->Status)) {
		ping_fail(c->end, PING_BAD_STATUS, is_send ? "a send" : "a receive", r->Status);
		return FALSE;
	}
	if (is_send)
		c->send.posted = FALSE;
	else
		c->receive.posted = FALSE;
	return is_send || ping_conn_check(c, number, PING_BACK, r->BytesTransferred);
}

static VOID explain_silence(struct ping_end *e, const struct ping_news *news, ULONG number)
{
	if (news->kind == PING_NEWS_CQ)
		return; /* noted */
	ping_complain("client: %s message %u",
		      news->kind == PING_NEWS_GONE ? "disconnected during" : "no reply in time to",
		      number);
	ping_fail(e, PING_BAD_PEER,
		  news->kind == PING_NEWS_GONE ? "the peer disconnected" : "no reply in time", 0);
}

static BOOLEAN round_trip(struct client *cl, struct ping_conn *c, ULONG number)
{
	struct ping_end *e = c->end;
	NDK_RESULT_EX results[BATCH];
	struct ping_news news = {};
	UINT64 began, ended = 0;
	ULONG n, i;

	if (!ping_conn_post_receive(c))
		return FALSE;
	began = ping_now();
	if (!ping_conn_post_send(c, number, PING_THERE))
		return FALSE;
	while (c->send.posted || c->receive.posted) {
		n = ping_results(e, results, BATCH, PING_NEWS_GONE, &news, e->config->timeout_ms);
		if (!n) {
			explain_silence(e, &news, number);
			return FALSE;
		}
		if (c->receive.posted)
			ended = ping_now();
		for (i = 0; i < n; i++)
			if (!take_result(c, &results[i], number))
				return FALSE;
	}
	ping_samples_add(&cl->round_trip, ended - began);
	e->result->messages++;
	e->result->bytes += c->size;
	return TRUE;
}

/* One connection, or a pair of them side by side, from beginning to end. */
static BOOLEAN converse(struct client *cl, ULONG seed)
{
	struct ping_end *e = &cl->end;
	const struct ping_config *config = e->config;
	ULONG pair = config->second ? 2 : 1, i, number;
	NTSTATUS status;

	for (i = 0; i < pair; i++) {
		cl->conn[i].end = e;
		if (!ping_conn_prepare(&cl->conn[i], config->size, seed + i * 64))
			return FALSE;
		if (!establish(cl, &cl->conn[i],
			       i ? config->second_port : ping_address_port(&config->dest)))
			return FALSE;
	}
	for (number = 0; number < config->count; number++)
		for (i = 0; i < pair; i++)
			if (!round_trip(cl, &cl->conn[i], number))
				return FALSE;
	for (i = 0; i < pair; i++) {
		status = cl->conn[i].connector->Dispatch->NdkDisconnect(cl->conn[i].connector,
									ping_request_done, e);
		if (!ping_done(e, "NdkDisconnect", status))
			return FALSE;
	}
	return TRUE;
}

static VOID close_connections(struct client *cl)
{
	struct ping_news news;
	ULONG i;

	for (i = 0; i < 2; i++)
		if (cl->conn[i].end)
			ping_conn_close(&cl->conn[i]);
	/* After a close no event comes any more, but one may have come before. */
	while (ping_box_take(cl->end.box, PING_NEWS_GONE, &news, 0))
		;
}

static VOID run(struct client *cl)
{
	struct ping_end *e = &cl->end;
	ULONG i = 0;
	BOOLEAN good = ping_end_open(e) && open_shared_endpoint(e);

	while (good && i < e->config->connections) {
		good = converse(cl, i++);
		/* Parents before children, which is allowed in any order (LIFE-2) and here tried. */
		if (!good || i == e->config->connections)
			ping_end_close_parents(e);
		close_connections(cl);
	}
	ping_end_close_parents(e);
	ping_end_close_adapter(e);
}

VOID ping_client(const struct ping_config *config, struct ping_result *result)
{
	ULONG pairs = config->second ? 2 : 1;
	UINT64 rounds = (UINT64)config->connections * config->count * pairs;
	struct client *cl = ping_alloc(sizeof(*cl));

	*result = (struct ping_result){ .outcome = PING_OK };
	if (!cl) {
		result->outcome = PING_BAD_STATUS;
		result->step = "memory";
		result->status = STATUS_INSUFFICIENT_RESOURCES;
		return;
	}
	cl->end.config = config;
	cl->end.result = result;
	cl->end.name = "client";
	cl->end.box = ping_box_create();
	if (!cl->end.box || !ping_samples_init(&cl->connect, config->connections * pairs) ||
	    !ping_samples_init(&cl->round_trip, rounds > 0xffffffffu ? 0xffffffffu : (ULONG)rounds))
		ping_fail(&cl->end, PING_BAD_STATUS, "memory", STATUS_INSUFFICIENT_RESOURCES);
	else
		run(cl);
	ping_samples_summary(&cl->connect, &result->connect);
	ping_samples_summary(&cl->round_trip, &result->round_trip);
	ping_samples_end(&cl->connect);
	ping_samples_end(&cl->round_trip);
	if (cl->end.box)
		ping_box_destroy(cl->end.box);
	ping_free(cl);
}
