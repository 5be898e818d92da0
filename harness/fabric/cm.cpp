/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What both handshakes have in common: resolving, requests and who gets them, retransmission, news
 * for the core. World's lock held unless a function says otherwise; the core is reached by upcalls.
 */
#include <algorithm>

#include "fabric.hpp"

namespace ndk::fabric
{

enum {
	E_NOMEM = -12,
	E_NETUNREACH = -101,
	E_TIMEDOUT = -110,
	E_HOSTUNREACH = -113
};

/* ---- news ---- */
struct News {
	News *next;
	ndk_cm_news news;
	UCHAR data[NDK_PRIVATE_MAX];
};

namespace
{

struct Request {
	ndk_cm_request request;
	Attempt *attempt;
	UCHAR data[NDK_PRIVATE_MAX];
};

} /* namespace */

static News *take_news(Connector *c)
{
	News *n = c->news_first;

	if (!n) {
		c->telling = false;
		return nullptr;
	}
	c->news_first = n->next;
	if (!n->next)
		c->news_last = nullptr;
	return n;
}

static News *next_news(Connector *c)
{
	std::lock_guard<std::mutex> hold(world().loop.lock);

	return take_news(c);
}

/*
 * Without the lock, with c->telling and its pin, which it gives back. What befell a connector is told in
 * the order in which it did, by one thread at a time: the peer's goodbye may be found by another thread
 * before this one has said that the connection stands.
 */
static void tell(Connector *c)
{
	while (News *n = next_news(c)) {
		ndk_api_cm(&c->core, &n->news);
		delete n;
	}
	unpin(c->pin, c->core.obj);
}

static void run_news(const Upcall &u)
{
	tell(static_cast<Connector *>(u.a));
}

/* field: the size of the field the data travelled in, 0 for its exact length. */
void news(Connector *c, UCHAR event, int err, const Payload *p, ULONG field, Upcalls &up)
{
	News *n = new News{};

	n->news.event = event;
	n->news.err = err;
	if (p) {
		ndk_copy(n->data, p->data, p->length);
		n->news.data = n->data;
		n->news.data_len = field ? field : p->length;
		n->news.peer_in = p->in;
		n->news.peer_out = p->out;
	}
	(c->news_last ? c->news_last->next : c->news_first) = n;
	c->news_last = n;
	if (c->telling)
		return;
	c->telling = true;
	pin(c->pin);
	up.add({ run_news, c, nullptr, 0 });
}

void goodbye(Connector *c, int err, Upcalls &up)
{
	if (c->goodbye_told)
		return;
	c->goodbye_told = true;
	news(c, NDK_CM_DISCONNECTED, err, nullptr, 0, up);
}

/* ---- identity ---- */
void detach(Connector *c)
{
	world().loop.cancel(c->retry);
	c->cm = Cm::none;
	c->sent.reset();
	if (c->qp && c->qp->conn == c)
		c->qp->conn = nullptr;
	c->qp = nullptr;
	if (!c->attempt)
		return;
	c->attempt->end[c->side] = nullptr;
	attempt_put(c->attempt);
	c->attempt = nullptr;
}

static void attach(Connector *c, Attempt *a, UCHAR side)
{
	c->attempt = a;
	c->side = side;
	c->tries = 0;
	c->goodbye_told = false;
	a->end[side] = c;
	a->refs++;
}

/* ---- retransmission ---- */
void start_retry(Connector *c)
{
	Loop &loop = world().loop;

	c->tries = 0;
	loop.schedule(c->retry, loop.now() + (UINT64)world().config.cm_retry_ms * 1000);
}

bool try_again(Connector *c)
{
	Loop &loop = world().loop;

	if (c->tries >= world().config.cm_retries)
		return false;
	c->tries++;
	loop.schedule(c->retry, loop.now() + (UINT64)world().config.cm_retry_ms * 1000);
	return true;
}

void repeat(Connector *c, ULONG kind)
{
	if (c->sent)
		send(c->attempt, c->side, kind, *c->sent); /* no memory: as if it were lost */
}

void cm_fire(Event &e, Upcalls &up)
{
	Connector *c = static_cast<Connector *>(e.owner);

	if (c->cm == Cm::failing) {
		c->cm = Cm::over;
		news(c, c->fail_event, c->fail_err, nullptr, 0, up);
	} else if (c->cm == Cm::req_sent) {
		if (try_again(c)) {
			repeat(c, NDK_FABRIC_REQ);
		} else {
			c->cm = Cm::over;
			news(c, NDK_CM_UNREACHABLE, E_TIMEDOUT, nullptr, 0, up);
		}
	} else {
		world().flavour->retry(c, up);
	}
}

/* ---- resolving ---- */
static bool same_subnet(const ndk_addr &a, const ndk_addr &b)
{
	return a.family == b.family && ndk_same(a.ip, b.ip, a.family == NDK_FAMILY_V4 ? 3 : 8);
}

static bool has_address(const Site *s, const ndk_addr &a)
{
	return std::any_of(s->addresses.begin(), s->addresses.end(),
			   [&](const ndk_addr &own) { return ndk_addr_same_ip(&own, &a); });
}

/* TRUE and *site (NULL: a black hole), or the event and errno that say why not. */
static bool resolve(const Site *from, const ndk_addr &to, Site **site, UCHAR *event, int *err)
{
	World &w = world();
	bool near = std::any_of(from->addresses.begin(), from->addresses.end(),
				[&](const ndk_addr &own) { return same_subnet(own, to); });

	*site = nullptr;
	*event = NDK_CM_ROUTE_ERROR;
	*err = E_NETUNREACH;
	if (!near)
		return false;
	for (const ndk_addr &hole : w.black_holes) {
		if (ndk_addr_same_ip(&hole, &to))
			return true;
	}
	*event = NDK_CM_ADDR_ERROR;
	*err = E_HOSTUNREACH;
	for (const std::unique_ptr<Site> &s : w.sites) {
		if (!s || !has_address(s.get(), to))
			continue;
		if (s->dead || s->removed || from->dead)
			return false;
		*site = s.get();
		return true;
	}
	return false;
}

/*
 * An outcome without a message. Known at once, but for an address resolution that nobody answers:
 * that is known after its deadline, or at once where callbacks may come within the call.
 */
static void fail(Connector *c, UCHAR event, int err, Upcalls &up)
{
	Loop &loop = world().loop;
	UINT64 wait_ms;

	if (event != NDK_CM_ADDR_ERROR || loop.direct()) {
		c->cm = Cm::over;
		news(c, event, err, nullptr, 0, up);
		return;
	}
	wait_ms = __atomic_load_n(&c->core.obj.host->time_ms[NDK_TIME_RESOLVE], __ATOMIC_RELAXED);
	c->cm = Cm::failing;
	c->fail_event = event;
	c->fail_err = err;
	loop.schedule(c->retry, loop.now() + wait_ms * 1000);
}

/* ---- connecting and accepting: without lock ---- */
namespace
{

struct Plan {
	Qp *qp = nullptr;
	ndk_addr local{};
	ndk_addr remote{};
	std::unique_ptr<Payload> payload; /* NULL: no memory */
};

} /* namespace */

/* What the core wants sent; FALSE: it has changed its mind since. */
static bool plan(Connector *c, UCHAR state, Plan &p)
{
	p.payload.reset(make<Payload>(site_of(c->core.obj)));
	HostLock hold(c->core.obj.host);

	if (c->core.state != state || !c->core.qp)
		return false;
	p.qp = reinterpret_cast<Qp *>(c->core.qp);
	p.local = c->core.local;
	p.remote = c->core.remote;
	if (p.payload) {
		p.payload->in = c->core.want_in;
		p.payload->out = c->core.want_out;
		p.payload->length = c->core.data->out_len;
		ndk_copy(p.payload->data, c->core.data->out, p.payload->length);
	}
	return true;
}

static void take_qp(Connector *c, Qp *qp)
{
	c->qp = qp;
	qp->conn = c;
	qp->rnr = 0;
	qp->unheard = 0;
}

/* Two threads may carry this and the attempt's end in either order: the state decides. */
static void begin(Connector *c, Plan &p, Attempt *a, Upcalls &up)
{
	Site *to = nullptr;
	UCHAR event = 0;
	int err = 0;

	attach(c, a, 0);
	take_qp(c, p.qp);
	a->site[0] = site_of(c->core.obj);
	a->from = p.local;
	a->to = p.remote;
	if (!resolve(a->site[0], p.remote, &to, &event, &err))
		return fail(c, event, err, up);
	a->site[1] = to;
	c->sent = std::move(p.payload);
	c->cm = Cm::req_sent;
	if (!c->sent || !send(a, 0, NDK_FABRIC_REQ, *c->sent))
		return fail(c, NDK_CM_LOCAL_ERROR, E_NOMEM, up);
	start_retry(c);
}

void cm_connect(ndk_host *h, const ndk_effect *e)
{
	Connector *c = reinterpret_cast<Connector *>(e->obj);
	Attempt *a = make<Attempt>(site_of(h));
	Upcalls up;
	Plan p;

	if (plan(c, NDK_CONN_CONNECTING, p)) {
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (c->cm != Cm::none) {
			/* a later attempt has overtaken this effect */
		} else if (!a) {
			fail(c, NDK_CM_LOCAL_ERROR, E_NOMEM, up);
		} else {
			begin(c, p, a, up);
			a = nullptr;
		}
	}
	delete a;
	up.run();
	ndk_api_done(h, e);
}

void cm_accept(ndk_host *h, const ndk_effect *e)
{
	Connector *c = reinterpret_cast<Connector *>(e->obj);
	Upcalls up;
	Plan p;

	if (plan(c, NDK_CONN_ACCEPTING, p)) {
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (c->attempt && c->cm == Cm::req_rcvd) {
			take_qp(c, p.qp);
			c->sent = std::move(p.payload);
			if (!c->sent || !send(c->attempt, 1, NDK_FABRIC_REP, *c->sent))
				news(c, NDK_CM_STEP_FAILED, E_NOMEM, nullptr, 0, up);
			else
				world().flavour->accept(c, up);
		}
	}
	up.run();
	ndk_api_done(h, e);
}

/* ---- refusing ---- */
/* Remembered, so that a repeated request or reply gets the same answer and not a second hearing. */
void refuse(Attempt *a, UCHAR side, std::unique_ptr<Payload> why)
{
	a->refusal[side] = std::move(why);
	if (a->refusal[side])
		send(a, side, NDK_FABRIC_REJ, *a->refusal[side]);
}

static void refuse_request(Attempt *a, int reason)
{
	std::unique_ptr<Payload> why(make<Payload>(a->site[1]));

	if (why)
		why->reason = reason;
	refuse(a, 1, std::move(why)); /* no memory: silence; the peer asks again */
}

/* ---- requests ---- */
static Listener *find_listener(const Site *s, const ndk_addr &to)
{
	Listener *wild = nullptr;

	for (Listener *l : s->listeners) {
		if (l->at.port != to.port || l->at.family != to.family)
			continue;
		if (ndk_addr_same_ip(&l->at, &to))
			return l;
		if (ndk_addr_any(&l->at))
			wild = l;
	}
	return wild;
}

static void run_request(const Upcall &u)
{
	Listener *l = static_cast<Listener *>(u.a);
	Connector *c = static_cast<Connector *>(u.b);
	Request *r = reinterpret_cast<Request *>((ULONG_PTR)u.n);
	ndk_host *h = l->core.obj.host;
	enum ndk_verdict v = ndk_api_request(&l->core, &c->core, &r->request);

	if (v == NDK_DELIVERED) {
		tell(c);
	} else {
		{
			const Flavour *f = world().flavour;
			std::lock_guard<std::mutex> hold(world().loop.lock);

			detach(c);
			r->attempt->taken = false;
			refuse_request(r->attempt,
				       v == NDK_REFUSE_BACKLOG ? f->backlog : f->refused);
			while (News *n = take_news(c))
				delete n;
			c->pin.pins = 0;
		}
		/* the core never saw it, so it has no type of its own yet */
		c->core.obj.type = NdkObjectTypeConnector;
		ndk_ops(h)->free(h, &c->core.obj);
	}
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		attempt_put(r->attempt);
	}
	delete r;
	unpin(l->pin, l->core.obj);
}

/* The connector of a request, before its consumer; NULL without memory. */
static Connector *make_incoming(Site *s)
{
	ndk_host *h = &s->core.host;
	ndk_conn_data *data = nullptr;
	ndk_obj *o = nullptr;

	if (!ndk_api_alloc_fails(h))
		data = ndk_ops(h)->alloc_data(h);
	if (data && !ndk_api_alloc_fails(h))
		o = ndk_ops(h)->alloc(h, NdkObjectTypeConnector, 0, 0);
	if (!o) {
		ndk_ops(h)->free_data(h, data);
		return nullptr;
	}
	reinterpret_cast<ndk_connector *>(o)->data = data;
	return reinterpret_cast<Connector *>(o);
}

void receive_request(Message &m, Upcalls &up)
{
	Attempt *a = m.attempt;
	const Flavour *f = world().flavour;
	Listener *l;
	Connector *c;
	Request *r;

	if (a->refusal[1]) {
		send(a, 1, NDK_FABRIC_REJ, *a->refusal[1]);
		return;
	}
	if (a->end[1])
		return f->request_again(a->end[1], up);
	if (a->taken)
		return; /* late: it was answered and is over */
	l = find_listener(a->site[1], a->to);
	if (!l)
		return refuse_request(a, f->refused);
	c = make_incoming(a->site[1]);
	if (!c)
		return; /* as if it had not arrived; the peer asks again */
	a->taken = true;
	attach(c, a, 1);
	c->cm = Cm::req_rcvd;
	r = new Request{};
	r->request.local = a->to;
	r->request.remote = a->from;
	ndk_copy(r->data, m.payload.data, m.payload.length);
	r->request.data = r->data;
	r->request.data_len = f->request_size ? f->request_size : m.payload.length;
	r->request.peer_in = m.payload.in;
	r->request.peer_out = m.payload.out;
	r->attempt = a;
	a->refs++;
	pin(l->pin);
	pin(c->pin);
	c->telling = true; /* the request is the first that it hears */
	up.add({ run_request, l, c, (UINT64)(ULONG_PTR)r });
}

} /* namespace ndk::fabric */
