// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The server of ndkping: listens, accepts whoever asks in our way, answers each message with its
 * counterpart, and disconnects when the peer does. Several connections at a time, one thread: every
 * callback leaves word in the box, and serve() acts on one piece of news after the other.
 *
 * Life of a slot: used -> answered -> leaving -> left and its requests back -> closed and free.
 *
 * ping_server_stop() may be called from any thread between init and end, all else by one thread.
 */
#include "ping_end.h"

#define BATCH 16
/* How often to look up, and how many looks without any news a connection on its way out is given. */
#define LOOK_MS	 1000u
#define PATIENCE 10u

#define SERVER_NEWS                                                                         \
	(PING_NEWS_CONNECT | PING_NEWS_ACCEPTED | PING_NEWS_GONE | PING_NEWS_DISCONNECTED | \
	 PING_NEWS_STOP)

struct serving {
	struct ping_end end;
	struct ping_server *server;
	struct ping_conn conn[PING_SLOTS];
	ULONG live; /* slots in use */
	ULONG leaving; /* ... of which on the way out */
	ULONG finished; /* connections that have come and gone */
	ULONG quiet; /* looks without news */
	BOOLEAN stopping;
};

/* ---- callbacks ---- */

static VOID refused_closed(PVOID context)
{
	(VOID) context;
}

static VOID connect_event(PVOID context, NDK_CONNECTOR *connector)
{
	struct ping_end *e = context;

	if (ping_box_post(e->box, PING_NEWS_CONNECT, connector, STATUS_SUCCESS))
		return;
	/* No room to remember it: refused here. The close of the listener waits for this one (LISTEN-13). */
	connector->Dispatch->NdkReject(connector, NULL, 0);
	connector->Dispatch->NdkCloseConnector(&connector->Header, refused_closed, NULL);
}

static VOID tell(struct ping_conn *c, ULONG kind, NTSTATUS status)
{
	if (!ping_box_post(c->end->box, kind, c, status))
		ping_complain("server: the box is full, news of kind %u is lost", kind);
}

static VOID accepted(PVOID context, NTSTATUS status)
{
	tell(context, PING_NEWS_ACCEPTED, status);
}

static VOID disconnected(PVOID context, NTSTATUS status)
{
	tell(context, PING_NEWS_DISCONNECTED, status);
}

/* ---- listening ---- */

static BOOLEAN listen_one(struct serving *s, ULONG which, USHORT port)
{
	struct ping_end *e = &s->end;
	union ping_address address = e->config->local;
	ULONG bytes = sizeof(address);
	NDK_LISTENER *l = NULL;
	NTSTATUS status;

	status = e->adapter->Dispatch->NdkCreateListener(e->adapter, connect_event, e, ping_created,
							 e, &l);
	l = ping_made(e, "NdkCreateListener", status, l);
	e->listener[which] = l;
	if (!l)
		return FALSE;
	ping_address_set_port(&address, port);
	status = l->Dispatch->NdkListen(l, &address.any, ping_address_length(&address),
					ping_request_done, e);
	if (!ping_done(e, "NdkListen", status))
		return FALSE;
	status = l->Dispatch->NdkGetLocalAddress(l, &address.any, &bytes);
	if (!ping_done(e, "NdkGetLocalAddress", status))
		return FALSE;
	s->server->port[which] = ping_address_port(&address);
	return TRUE;
}

static BOOLEAN start_listening(struct serving *s)
{
	const struct ping_config *config = s->end.config;
	USHORT port = ping_address_port(&config->local);

	if (!listen_one(s, 0, port))
		return FALSE;
	/* A pair has its second port behind the first, or wherever the provider likes. */
	return !config->second || listen_one(s, 1, port ? (USHORT)(port + 1) : 0);
}

/* ---- one connection ---- */

static BOOLEAN reply(struct ping_conn *c)
{
	/* Nothing may be sent before the accept is done, nor from memory that is still being sent. */
	if (!c->owed || !c->answered || c->leaving || c->send.posted)
		return TRUE;
	c->owed = FALSE;
	if (!ping_conn_post_send(c, c->number - 1, PING_BACK))
		return FALSE;
	c->end->result->messages++;
	c->end->result->bytes += c->size;
	return TRUE;
}

static VOID has_left(struct ping_conn *c, NTSTATUS status)
{
	c->left = TRUE;
	if (!NT_SUCCESS(status))
		ping_fail(c->end, PING_BAD_STATUS, "NdkDisconnect of the server", status);
}

static VOID leave(struct serving *s, struct ping_conn *c)
{
	NTSTATUS status;

	if (c->leaving)
		return;
	c->leaving = TRUE;
	s->leaving++;
	status = c->connector->Dispatch->NdkDisconnect(c->connector, disconnected, c);
	if (status != STATUS_PENDING)
		has_left(c, status);
}

/* The connection never came about: only the receive has to be called back. */
static VOID give_up(struct serving *s, struct ping_conn *c)
{
	c->leaving = TRUE;
	c->left = TRUE;
	s->leaving++;
	if (c->receive.posted)
		c->qp->Dispatch->NdkFlush(c->qp);
}

static VOID release(struct serving *s, struct ping_conn *c)
{
	ping_conn_close(c);
	*c = (struct ping_conn){ .end = NULL };
	s->live--;
}

static struct ping_conn *free_slot(struct serving *s)
{
	ULONG i;

	for (i = 0; i < PING_SLOTS; i++)
		if (!s->conn[i].used)
			return &s->conn[i];
	return NULL;
}

static BOOLEAN accept_request(struct ping_conn *c)
{
	UCHAR answer[PING_ANSWER_BYTES];
	NTSTATUS status;

	ping_answer_write(answer, c->size);
	status = c->connector->Dispatch->NdkAccept(c->connector, c->qp, 0, 0, answer,
						   sizeof(answer), ping_conn_gone, c, accepted, c);
	if (status == STATUS_PENDING)
		return TRUE;
	if (NT_SUCCESS(status)) {
		accepted(c, status);
		return TRUE;
	}
	ping_fail(c->end, PING_BAD_STATUS, "NdkAccept", status);
	return FALSE;
}

static VOID on_connect(struct serving *s, NDK_CONNECTOR *connector)
{
	UCHAR ask[256];
	ULONG bytes = sizeof(ask), size = 0, seed = 0;
	struct ping_conn *c = free_slot(s);
	NTSTATUS status =
		connector->Dispatch->NdkGetConnectionData(connector, NULL, NULL, ask, &bytes);

	if (!c || s->stopping || !NT_SUCCESS(status) || !ping_ask_read(ask, bytes, &size, &seed)) {
		ping_complain("server: a connection request is refused: %s",
			      !c		  ? "all slots are taken" :
			      s->stopping	  ? "stopping" :
			      !NT_SUCCESS(status) ? ping_status_name(status) :
						    "not from ndkping");
		ping_turn_away(&s->end, connector);
		return;
	}
	c->used = TRUE;
	c->end = &s->end;
	c->connector = connector;
	s->live++;
	if (!ping_conn_prepare(c, size, seed)) {
		connector->Dispatch->NdkReject(connector, NULL, 0);
		release(s, c);
		return;
	}
	if (!ping_conn_post_receive(c) || !accept_request(c))
		give_up(s, c);
}

static VOID on_accepted(struct serving *s, struct ping_conn *c, NTSTATUS status)
{
	if (!NT_SUCCESS(status)) {
		ping_fail(&s->end, PING_BAD_STATUS, "NdkAccept", status);
		give_up(s, c);
		return;
	}
	c->answered = TRUE;
	s->end.result->connections++;
	/* The first message may have overtaken this news. */
	if (!reply(c))
		leave(s, c);
}

static VOID on_receive(struct serving *s, struct ping_conn *c, ULONG bytes)
{
	if (c->owed || !ping_conn_check(c, c->number, PING_THERE, bytes)) {
		if (c->owed)
			ping_fail(&s->end, PING_BAD_PEER, "the client does not wait for replies",
				  0);
		leave(s, c);
		return;
	}
	c->number++;
	c->owed = TRUE;
	if (!c->leaving && (!ping_conn_post_receive(c) || !reply(c)))
		leave(s, c);
}

static VOID on_result(struct serving *s, const NDK_RESULT_EX *r)
{
	struct ping_conn *c = r->QPContext;
	BOOLEAN is_send = r->RequestContext == &c->send;
	struct ping_slot *slot = is_send ? &c->send : &c->receive;

	if (r->RequestContext != slot || !slot->posted || !c->used) {
		ping_fail(&s->end, PING_BAD_PEER, "a result belongs to no request", 0);
		return;
	}
	slot->posted = FALSE;
	if (r->Status ==
	    STATUS_CANCELLED) /* flushed: the disconnect event comes, or is being handled */
		return;
	if (!NT_SUCCESS(r->Status)) {
		ping_fail(&s->end, PING_BAD_STATUS,
			  is_send ? "a send of the server" : "a receive of the server", r->Status);
		leave(s, c);
	} else if (!is_send) {
		on_receive(s, c, r->BytesTransferred);
	} else if (!reply(c)) {
		leave(s, c);
	}
}

/* ---- all connections ---- */

static VOID on_stop(struct serving *s)
{
	ULONG i;

	s->stopping = TRUE;
	for (i = 0; i < 2; i++)
		if (s->end.listener[i])
			s->end.listener[i]->Dispatch->NdkControlConnectEvents(s->end.listener[i],
									      TRUE);
	/* Who is still talking is shown the door; in a normal end nobody is. */
	for (i = 0; i < PING_SLOTS; i++)
		if (s->conn[i].used && s->conn[i].answered)
			leave(s, &s->conn[i]);
}

static VOID on_news(struct serving *s, const struct ping_news *news)
{
	switch (news->kind) {
	case PING_NEWS_CONNECT:
		on_connect(s, news->who);
		break;
	case PING_NEWS_ACCEPTED:
		on_accepted(s, news->who, news->status);
		break;
	case PING_NEWS_GONE:
		leave(s, news->who);
		break;
	case PING_NEWS_DISCONNECTED:
		has_left(news->who, news->status);
		break;
	case PING_NEWS_STOP:
		on_stop(s);
		break;
	}
}

/* Closes who has left and has nothing under way any more. */
static VOID see_off(struct serving *s)
{
	struct ping_conn *c;

	for (c = s->conn; c < s->conn + PING_SLOTS; c++)
		if (c->used && c->left && !c->receive.posted && !c->send.posted) {
			s->leaving--;
			s->finished++;
			release(s, c);
		}
}

static BOOLEAN finished(const struct serving *s)
{
	const struct ping_config *config = s->end.config;

	if (s->live)
		return FALSE;
	return s->stopping || (config->connections && s->finished >= config->connections);
}

static VOID serve(struct serving *s)
{
	struct ping_end *e = &s->end;
	NDK_RESULT_EX results[BATCH];
	struct ping_news news;
	ULONG n, i;

	while (!finished(s)) {
		n = ping_results(e, results, BATCH, SERVER_NEWS, &news,
				 s->stopping || s->leaving ? LOOK_MS : PING_FOREVER);
		for (i = 0; i < n; i++)
			on_result(s, &results[i]);
		if (!n && news.kind == PING_NEWS_CQ)
			return; /* the CQ is lost, and noted */
		if (!n)
			on_news(s, &news);
		s->quiet = n || news.kind ? 0 : s->quiet + 1;
		if (s->quiet > PATIENCE) {
			ping_complain("server: %u of %u connections do not come to their end",
				      s->leaving, s->live);
			ping_fail(e, PING_BAD_PEER, "a connection does not end", 0);
			return;
		}
		see_off(s);
	}
}

static VOID close_all(struct serving *s)
{
	struct ping_conn *c;

	ping_end_close_parents(&s->end);
	for (c = s->conn; c < s->conn + PING_SLOTS; c++)
		if (c->used)
			release(s, c);
	ping_end_close_adapter(&s->end);
}

/* ---- the outside ---- */

BOOLEAN ping_server_init(struct ping_server *s, const struct ping_config *config,
			 struct ping_box *ready)
{
	*s = (struct ping_server){ .config = config, .ready = ready };
	s->box = ping_box_create();
	return s->box != NULL;
}

VOID ping_server_run(PVOID server)
{
	struct ping_server *ps = server;
	struct serving *s = ping_alloc(sizeof(*s));
	BOOLEAN ready;

	if (!s) {
		ps->result.outcome = PING_BAD_STATUS;
		ps->result.step = "memory";
		ps->result.status = STATUS_INSUFFICIENT_RESOURCES;
	} else {
		s->server = ps;
		s->end.config = ps->config;
		s->end.result = &ps->result;
		s->end.box = ps->box;
		s->end.name = "server";
	}
	ready = s && ping_end_open(&s->end) && start_listening(s);
	if (ps->ready)
		ping_box_post(ps->ready, PING_NEWS_READY, ps, ps->result.status);
	if (ready)
		serve(s);
	if (s)
		close_all(s);
	ping_free(s);
}

VOID ping_server_stop(struct ping_server *s)
{
	ping_box_post(s->box, PING_NEWS_STOP, NULL, STATUS_SUCCESS);
}

VOID ping_server_end(struct ping_server *s)
{
	ping_box_destroy(s->box);
}
