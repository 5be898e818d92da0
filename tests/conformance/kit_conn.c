/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The kit's connections: connectors, listeners with their ways of answering, sides and pairs.
 * Context: kit.h. What events record is guarded by conf_lock().
 */
#include "kit.h"
#include "kit_i.h"

/* ---- connectors ---- */

struct kit_conn *kit_conn_of(NDK_CONNECTOR *connector)
{
	struct kit_conn *c = (struct kit_conn *)kit_alloc(sizeof(*c));

	c->connector = connector;
	conf_signal_init(&c->disconnected);
	return c;
}

struct kit_call *kit_begin_connector(NDK_ADAPTER *a, kit_inside inside, PVOID arg)
{
	struct kit_call *c = kit_call("NdkCreateConnector");

	c->inside = inside;
	c->arg = arg;
	return kit_return(c, a->Dispatch->NdkCreateConnector(a, kit_create_done, c, (NDK_CONNECTOR **)&c->output));
}

struct kit_conn *kit_create_connector(NDK_ADAPTER *a)
{
	struct kit_call *c = kit_begin_connector(a, (kit_inside)0, (PVOID)0);

	CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
	return c->object ? kit_conn_of((NDK_CONNECTOR *)c->object) : (struct kit_conn *)0;
}

static void gone(struct kit_conn *c, ULONG reason)
{
	long stamp = kit_stamp();
	unsigned long flags = conf_lock();

	c->events++;
	c->reason = reason;
	c->event_entered = stamp;
	conf_unlock(flags);
	if (c->inside && kit_hooked())
		c->inside(c);
	stamp = kit_stamp();
	flags = conf_lock();
	c->event_left = stamp;
	conf_unlock(flags);
	conf_signal(&c->disconnected);
}

static VOID disconnect_event(PVOID context)
{
	gone((struct kit_conn *)context, 0);
}

static VOID disconnect_event_ex(PVOID context, ULONG reason)
{
	gone((struct kit_conn *)context, reason);
}

BOOLEAN kit_disconnected(struct kit_conn *c, ULONG ms)
{
	return conf_wait(&c->disconnected, ms);
}

static const struct kit_params no_params = { 0, 0, (const VOID *)0, 0 };

struct kit_call *kit_connect_inside(struct kit_conn *c, NDK_QP *qp, const struct kit_address *from,
				    const struct kit_address *to, const struct kit_params *p, kit_inside inside,
				    PVOID arg)
{
	struct kit_call *k = kit_call("NdkConnect");

	k->inside = inside;
	k->arg = arg;
	if (!p)
		p = &no_params;
	return kit_return(k, c->connector->Dispatch->NdkConnect(c->connector, qp, KIT_SA(from), from->len, KIT_SA(to),
								to->len, p->in_limit, p->out_limit, p->data,
								p->data_len, kit_request_done, k));
}

struct kit_call *kit_begin_connect(struct kit_conn *c, NDK_QP *qp, const struct kit_address *from,
				   const struct kit_address *to, const struct kit_params *p)
{
	return kit_connect_inside(c, qp, from, to, p, (kit_inside)0, (PVOID)0);
}

struct kit_call *kit_begin_connect_shared(struct kit_conn *c, NDK_QP *qp, NDK_SHARED_ENDPOINT *e,
					  const struct kit_address *to, const struct kit_params *p)
{
	struct kit_call *k = kit_call("NdkConnectWithSharedEndpoint");

	if (!p)
		p = &no_params;
	return kit_return(k, c->connector->Dispatch->NdkConnectWithSharedEndpoint(
				     c->connector, qp, e, KIT_SA(to), to->len, p->in_limit, p->out_limit, p->data,
				     p->data_len, kit_request_done, k));
}

struct kit_call *kit_begin_complete(struct kit_conn *c, enum kit_event event)
{
	struct kit_call *k = kit_call("NdkCompleteConnect");
	NDK_CONNECTOR *n = c->connector;

	if (event == KIT_EVENT_EX)
		return kit_return(k, n->Dispatch->NdkCompleteConnectEx(n, disconnect_event_ex, c, kit_request_done, k));
	return kit_return(k, n->Dispatch->NdkCompleteConnect(
				     n, event == KIT_EVENT ? disconnect_event : (NDK_FN_DISCONNECT_EVENT_CALLBACK *)0,
				     c, kit_request_done, k));
}

struct kit_call *kit_begin_accept(struct kit_conn *c, NDK_QP *qp, const struct kit_params *p, enum kit_event event)
{
	struct kit_call *k = kit_call("NdkAccept");
	NDK_CONNECTOR *n = c->connector;

	c->accepting = k; /* first: who hears of the connection may look for it before NdkAccept returns */
	if (!p)
		p = &no_params;
	if (event == KIT_EVENT_EX)
		return kit_return(k, n->Dispatch->NdkAcceptEx(n, qp, p->in_limit, p->out_limit, p->data, p->data_len,
							      disconnect_event_ex, c, kit_request_done, k));
	return kit_return(k, n->Dispatch->NdkAccept(
				     n, qp, p->in_limit, p->out_limit, p->data, p->data_len,
				     event == KIT_EVENT ? disconnect_event : (NDK_FN_DISCONNECT_EVENT_CALLBACK *)0, c,
				     kit_request_done, k));
}

struct kit_call *kit_disconnect_inside(struct kit_conn *c, kit_inside inside, PVOID arg)
{
	struct kit_call *k = kit_call("NdkDisconnect");

	k->inside = inside;
	k->arg = arg;
	return kit_return(k, c->connector->Dispatch->NdkDisconnect(c->connector, kit_request_done, k));
}

struct kit_call *kit_begin_disconnect(struct kit_conn *c)
{
	return kit_disconnect_inside(c, (kit_inside)0, (PVOID)0);
}

NTSTATUS kit_connect(struct kit_conn *c, NDK_QP *qp, const struct kit_address *from, const struct kit_address *to,
		     const struct kit_params *p)
{
	return kit_wait(kit_begin_connect(c, qp, from, to, p));
}

NTSTATUS kit_complete(struct kit_conn *c)
{
	return kit_wait(kit_begin_complete(c, KIT_EVENT));
}

NTSTATUS kit_disconnect(struct kit_conn *c)
{
	return kit_wait(kit_begin_disconnect(c));
}

NTSTATUS kit_reject(struct kit_conn *c, const VOID *data, ULONG len)
{
	return c->connector->Dispatch->NdkReject(c->connector, data, len);
}

/* ---- listeners ---- */

static NDK_QP *qp_in_turn(struct kit_listener *l)
{
	unsigned long flags = conf_lock();
	NDK_QP *qp = l->qps_used < 16 ? l->qps[l->qps_used++] : (NDK_QP *)0;

	conf_unlock(flags);
	return qp;
}

static void answer(struct kit_listener *l, struct kit_conn *c)
{
	NDK_QP *qp;

	switch (l->mode) {
	case KIT_ACCEPT:
		qp = l->next_qp ? l->next_qp(l, c) : qp_in_turn(l);
		if (!qp)
			conf_fail("kit", 0, "the listener has no QP left to accept with");
		else
			kit_begin_accept(c, qp, &l->params, l->event);
		break;
	case KIT_REJECT:
		c->answered = kit_reject(c, l->params.data, l->params.data_len);
		break;
	case KIT_SHUT:
		l->last_shut = KIT_CLOSE(c->connector);
		c->connector = (NDK_CONNECTOR *)0;
		break;
	case KIT_CUSTOM:
		if (l->custom)
			l->custom(l, c);
		break;
	case KIT_HOLD:
		break;
	}
}

static VOID connect_event(PVOID context, NDK_CONNECTOR *connector)
{
	struct kit_listener *l = (struct kit_listener *)context;
	struct kit_conn *c = kit_conn_of(connector);
	unsigned long flags;
	long stamp;

	c->arrived = kit_stamp();
	c->from = l;
	flags = conf_lock();
	l->events++;
	if (++l->running > l->most)
		l->most = l->running;
	conf_unlock(flags);
	if (l->stall_us)
		conf_stall(l->stall_us);
	if (l->stall && kit_hooked())
		l->stall(l);
	if (kit_hooked())
		answer(l, c);
	stamp = kit_stamp();
	flags = conf_lock();
	c->arrived_left = stamp;
	l->running--;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
	conf_unlock(flags);
	conf_signal(&l->arrived);
}

struct kit_call *kit_begin_listener(struct kit_listener **l, NDK_ADAPTER *a, kit_inside inside, PVOID arg)
{
	struct kit_call *c;

	*l = (struct kit_listener *)kit_alloc(sizeof(**l));
	conf_signal_init(&(*l)->arrived);
	c = kit_call("NdkCreateListener");
	c->inside = inside;
	c->arg = arg;
	c->store = (PVOID *)&(*l)->listener;
	return kit_return(c, a->Dispatch->NdkCreateListener(a, connect_event, *l, kit_create_done, c,
							    (NDK_LISTENER **)&c->output));
}

struct kit_listener *kit_create_listener(NDK_ADAPTER *a)
{
	struct kit_listener *l;
	struct kit_call *c = kit_begin_listener(&l, a, (kit_inside)0, (PVOID)0);

	return CHECK_STATUS(kit_wait(c), STATUS_SUCCESS) ? l : (struct kit_listener *)0;
}

struct kit_call *kit_begin_listen(struct kit_listener *l, const struct kit_address *at)
{
	struct kit_call *c = kit_call("NdkListen");

	return kit_return(c, l->listener->Dispatch->NdkListen(l->listener, KIT_SA(at), at->len, kit_request_done, c));
}

NTSTATUS kit_listen(struct kit_listener *l, const struct kit_address *at)
{
	NTSTATUS status = kit_wait(kit_begin_listen(l, at));

	if (status == STATUS_SUCCESS)
		l->at = kit_listener_address(l->listener);
	return status;
}

struct kit_conn *kit_arrival_ms(struct kit_listener *l, ULONG ms)
{
	struct kit_conn *c;
	unsigned long flags;

	if (!conf_wait(&l->arrived, ms))
		return (struct kit_conn *)0;
	flags = conf_lock();
	c = l->first;
	l->first = c->next;
	if (!l->first)
		l->last = l->first;
	conf_unlock(flags);
	return c;
}

struct kit_conn *kit_arrival_unless(struct kit_listener *l, struct kit_call *connecting, ULONG ms)
{
	UINT64 until = conf_now_us() + ms * 1000ull;
	struct kit_conn *c;

	do {
		c = kit_arrival_ms(l, 1);
	} while (!c && !kit_answered(connecting) && conf_now_us() < until && conf_nap());
	/* It may have arrived just before the answer. */
	return c ? c : kit_arrival_ms(l, 1);
}

struct kit_conn *kit_arrival(struct kit_listener *l)
{
	struct kit_conn *c = kit_arrival_ms(l, KIT_PATIENCE_MS);

	if (!c)
		conf_fail("kit", 0, "no connect event in %u ms", KIT_PATIENCE_MS);
	return c;
}

/* ---- sides and pairs ---- */

static struct kit_shape side_shape(const NDK_ADAPTER_INFO *info)
{
	struct kit_shape s;

	memset(&s, 0, sizeof(s));
	s.receive_sge = info->MaxReceiveRequestSge < 4 ? info->MaxReceiveRequestSge : 4;
	s.initiator_sge = info->MaxInitiatorRequestSge < 4 ? info->MaxInitiatorRequestSge : 4;
	s.inline_size = info->MaxInlineDataSize < 64 ? info->MaxInlineDataSize : 64;
	return s;
}

NDK_QP *kit_another_qp(struct kit_side *s)
{
	struct kit_shape shape = side_shape(s->info);

	return kit_create_qp(s->pd, s->cq, s->cq, &shape);
}

struct kit_side *kit_side(unsigned which)
{
	struct kit_side *s = (struct kit_side *)kit_alloc(sizeof(*s)), *none = (struct kit_side *)0;

	s->which = which;
	s->adapter = kit_open(which);
	if (!s->adapter)
		return none;
	s->info = kit_info(s->adapter);
	s->pd = kit_create_pd(s->adapter);
	s->cq = kit_create_cq(s->adapter, 4 * KIT_DEPTH);
	if (!s->pd || !s->cq)
		return none;
	s->qp = kit_another_qp(s);
	s->buffer = s->qp ? kit_buffer(s->adapter, s->pd, KIT_BUFFER) : (struct kit_buffer *)0;
	return s->buffer ? s : none;
}

struct kit_pair *kit_pair(int family)
{
	struct kit_pair *p = (struct kit_pair *)kit_alloc(sizeof(*p)), *none = (struct kit_pair *)0;
	struct kit_address at = kit_address(1, family, kit_fresh_port());

	p->a = kit_side(0);
	p->b = kit_side(1);
	if (!p->a || !p->b)
		return none;
	p->b->listener = kit_create_listener(p->b->adapter);
	p->a->conn = kit_create_connector(p->a->adapter);
	if (!p->b->listener || !p->a->conn)
		return none;
	p->b->listener->qps[0] = p->b->qp;
	return CHECK_STATUS(kit_listen(p->b->listener, &at), STATUS_SUCCESS) ? p : none;
}

BOOLEAN kit_establish(struct kit_pair *p, const struct kit_params *active, const struct kit_params *passive)
{
	struct kit_listener *l = p->b->listener;
	struct kit_address from = kit_address(p->a->which, l->at.at.ss_family == AF_INET ? NDK_V4 : NDK_V6, 0);
	struct kit_call *connect = kit_begin_connect(p->a->conn, p->a->qp, &from, &l->at, active), *accept, *complete;

	p->b->conn = kit_arrival(l);
	if (!p->b->conn)
		return CHECK_STATUS(kit_wait(connect), STATUS_SUCCESS) && FALSE;
	accept = l->mode == KIT_ACCEPT ? p->b->conn->accepting :
					 kit_begin_accept(p->b->conn, p->b->qp, passive, KIT_EVENT);
	if (!CHECK_STATUS(kit_wait(connect), STATUS_SUCCESS))
		return FALSE;
	complete = kit_begin_complete(p->a->conn, KIT_EVENT);
	return CHECK_STATUS(kit_wait(complete), STATUS_SUCCESS) && CHECK_STATUS(kit_wait(accept), STATUS_SUCCESS);
}

struct kit_pair *kit_pair_up(int family)
{
	struct kit_pair *p = kit_pair(family);

	return p && kit_establish(p, (struct kit_params *)0, (struct kit_params *)0) ? p : (struct kit_pair *)0;
}

BOOLEAN kit_send_recv_verify(struct kit_side *from, struct kit_side *to, ULONG length)
{
	PVOID sent = kit_context(), received = kit_context();
	UCHAR seed = (UCHAR)(ULONG_PTR)sent;
	NDK_RESULT_EX r;

	kit_fill(from->buffer, 0, length, seed);
	kit_fill(to->buffer, 0, length, (UCHAR)(seed + 128));
	if (!CHECK_STATUS(kit_receive(to->qp, received, to->buffer, 0, length), STATUS_SUCCESS) ||
	    !CHECK_STATUS(kit_send(from->qp, sent, from->buffer, 0, length, 0), STATUS_SUCCESS) ||
	    !kit_result(to->cq, &r))
		return FALSE;
	return CHECK(r.RequestContext == received) && CHECK_STATUS(r.Status, STATUS_SUCCESS) &&
	       CHECK_EQ(r.BytesTransferred, length) && CHECK_EQ(r.Type, NdkOperationTypeReceive) &&
	       kit_verify(to->buffer, 0, length, seed) && kit_expect(from->cq, sent, STATUS_SUCCESS);
}

BOOLEAN kit_part(struct kit_pair *p)
{
	struct kit_call *first = kit_begin_disconnect(p->a->conn), *second;

	if (!CHECK(kit_disconnected(p->b->conn, KIT_PATIENCE_MS)))
		return FALSE;
	second = kit_begin_disconnect(p->b->conn);
	return CHECK_STATUS(kit_wait(first), STATUS_SUCCESS) && CHECK_STATUS(kit_wait(second), STATUS_SUCCESS);
}
