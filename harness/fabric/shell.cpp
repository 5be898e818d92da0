/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What the core asks of its shell, on the fabric: the host's lock, memory, dispatch tables, building.
 * Any thread. Everything is built inside the creating call; what pends, pends because the core was
 * told to (NDK_ANSWER_PEND), or because a test wants creations to take time.
 */
#include <algorithm>
#include <memory>

#include "fabric.hpp"

namespace ndk::fabric
{

Site *site_of(ndk_host *h)
{
	return reinterpret_cast<Site *>(NDK_CONTAINER(h, ndk_site, host));
}

Site *site_of(const ndk_obj &o)
{
	return site_of(o.host);
}

bool removed(Site *s)
{
	std::lock_guard<std::mutex> hold(world().loop.lock);

	return s->removed;
}

static unsigned long lock(ndk_host *h)
{
	site_of(h)->host_lock.lock();
	return 0;
}

static void unlock(ndk_host *h, unsigned long)
{
	site_of(h)->host_lock.unlock();
}

/* ---- memory ---- */
/*
 * The core gets one zeroed block. The structures around it have members with constructors, so the
 * block is made by value-initialisation, which zeroes it as well.
 */
template <class T>
static T *place(size_t more = 0)
{
	void *mem = calloc(1, sizeof(T) + more);

	return mem ? new (mem) T() : nullptr;
}

template <class T>
static void displace(ndk_obj *o)
{
	T *t = reinterpret_cast<T *>(o);

	t->~T();
	free(t);
}

static ndk_obj *alloc_qp(ULONG init, ULONG recv)
{
	size_t slots = (size_t)init + recv;
	Qp *qp = place<Qp>(slots * sizeof(ndk_slot) + init * sizeof(Work) + recv * sizeof(Receive));
	ndk_slot *slot;

	if (!qp)
		return nullptr;
	slot = reinterpret_cast<ndk_slot *>(qp + 1);
	qp->core.init.slot = slot;
	qp->core.init.depth = init;
	qp->core.recv.slot = slot + init;
	qp->core.recv.depth = recv;
	qp->init = reinterpret_cast<Work *>(slot + slots);
	qp->recv = reinterpret_cast<Receive *>(qp->init + init);
	qp->arrive.fire = arrive_fire;
	qp->arrive.owner = qp;
	qp->acked.fire = acked_fire;
	qp->acked.owner = qp;
	return &qp->core.obj;
}

static ndk_obj *alloc_cq()
{
	Cq *cq = place<Cq>();

	if (!cq)
		return nullptr;
	cq->timer.fire = moderation_fire;
	cq->timer.owner = cq;
	return &cq->core.obj;
}

static ndk_obj *alloc_connector()
{
	Connector *c = place<Connector>();

	if (!c)
		return nullptr;
	c->retry.fire = cm_fire;
	c->retry.owner = c;
	c->deadline.fire = deadline_fire;
	c->deadline.owner = c;
	return &c->core.obj;
}

template <class T>
static ndk_obj *alloc_as()
{
	return reinterpret_cast<ndk_obj *>(place<T>());
}

static ndk_obj *alloc(ndk_host *, NDK_OBJECT_TYPE type, ULONG depth0, ULONG depth1)
{
	ndk_obj *o;

	switch (type) {
	case NdkObjectTypeAdapter:
		o = alloc_as<Adapter>();
		break;
	case NdkObjectTypeQp:
		return alloc_qp(depth0, depth1); /* upcalls about it may be under way: never light */
	case NdkObjectTypeMw:
		return alloc_as<Mw>(); /* likewise */
	case NdkObjectTypeCq:
		o = alloc_cq();
		break;
	case NdkObjectTypeSrq:
		o = alloc_as<Srq>();
		break;
	case NdkObjectTypeMr:
		o = alloc_as<Mr>();
		break;
	case NdkObjectTypeListener:
		o = alloc_as<Listener>();
		break;
	case NdkObjectTypeConnector:
		o = alloc_connector();
		break;
	case NdkObjectTypeSharedEndpoint:
		o = reinterpret_cast<ndk_obj *>(place<ndk_shared>());
		break;
	case NdkObjectTypePd:
		o = reinterpret_cast<ndk_obj *>(place<ndk_pd>());
		break;
	default:
		o = alloc_as<Plain>();
		break;
	}
	if (o)
		o->light = 1;
	return o;
}

static void free_now(ndk_obj *o)
{
	Connector *c;
	Qp *qp;

	switch (o->type) {
	case NdkObjectTypeQp:
		qp = reinterpret_cast<Qp *>(o);
		free(qp->init_sge);
		free(qp->recv_sge);
		free(qp->inline_data);
		displace<Qp>(o);
		break;
	case NdkObjectTypeCq:
		free(reinterpret_cast<Cq *>(o)->ring);
		displace<Cq>(o);
		break;
	case NdkObjectTypeMr:
		free_mr(reinterpret_cast<Mr *>(o));
		displace<Mr>(o);
		break;
	case NdkObjectTypeMw:
		displace<Mw>(o);
		break;
	case NdkObjectTypeSrq:
		free_srq(reinterpret_cast<Srq *>(o));
		displace<Srq>(o);
		break;
	case NdkObjectTypeListener:
		displace<Listener>(o);
		break;
	case NdkObjectTypeConnector:
		c = reinterpret_cast<Connector *>(o);
		free(c->core.data);
		displace<Connector>(o);
		break;
	default:
		free(o); /* plain data only */
		break;
	}
}

static Pinned *pinned(ndk_obj *o)
{
	switch (o->type) {
	case NdkObjectTypeQp:
		return &reinterpret_cast<Qp *>(o)->pin;
	case NdkObjectTypeCq:
		return &reinterpret_cast<Cq *>(o)->pin;
	case NdkObjectTypeSrq:
		return &reinterpret_cast<Srq *>(o)->pin;
	case NdkObjectTypeMr:
		return &reinterpret_cast<Mr *>(o)->pin;
	case NdkObjectTypeMw:
		return &reinterpret_cast<Mw *>(o)->pin;
	case NdkObjectTypeListener:
		return &reinterpret_cast<Listener *>(o)->pin;
	case NdkObjectTypeConnector:
		return &reinterpret_cast<Connector *>(o)->pin;
	default:
		return nullptr;
	}
}

static void release(ndk_host *, ndk_obj *o)
{
	Pinned *p = pinned(o);

	if (p) {
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (o->type == NdkObjectTypeConnector)
			world().loop.cancel(reinterpret_cast<Connector *>(o)->deadline);
		else if (o->type == NdkObjectTypeCq)
			world().loop.cancel(reinterpret_cast<Cq *>(o)->timer);
		if (p->pins) {
			p->freed = true;
			return;
		}
	}
	free_now(o);
}

void pin(Pinned &p)
{
	p.pins++;
}

void unpin(Pinned &p, ndk_obj &o)
{
	std::vector<ndk_effect> owed;
	ndk_host *h = o.host;
	bool freed;

	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		NDK_ASSERT(p.pins > 0);
		if (--p.pins)
			return;
		owed.swap(p.owed);
		freed = p.freed;
	}
	/* an effect owed keeps the object, so it is either that or freed */
	for (const ndk_effect &e : owed)
		ndk_api_done(h, &e);
	if (freed)
		free_now(&o);
}

static void run_unpin(const Upcall &u)
{
	unpin(*static_cast<Pinned *>(u.a), *static_cast<ndk_obj *>(u.b));
}

void unpin(Pinned &p, ndk_obj &o, Upcalls &up)
{
	NDK_ASSERT(p.pins > 0);
	if (p.pins > 1 || (!p.freed && p.owed.empty()))
		p.pins--;
	else
		up.add({ run_unpin, &p, &o, 0 });
}

static void run_done(const Upcall &u)
{
	ndk_effect *e = static_cast<ndk_effect *>(u.a);

	ndk_api_done(static_cast<ndk_host *>(u.b), e);
	delete e;
}

void finish(Pinned &p, const ndk_effect &e, Upcalls &up)
{
	if (p.pins)
		p.owed.push_back(e);
	else
		up.add({ run_done, new ndk_effect(e), e.obj->host, 0 });
}

static ndk_conn_data *alloc_data(ndk_host *)
{
	return static_cast<ndk_conn_data *>(calloc(1, sizeof(ndk_conn_data)));
}

static void free_data(ndk_host *, ndk_conn_data *d)
{
	free(d);
}

static ndk_node **alloc_buckets(ndk_host *h, UINT32 n)
{
	return make_array<ndk_node *>(site_of(h), n);
}

static void free_buckets(ndk_host *, ndk_node **b)
{
	free(b);
}

/* ---- building ---- */
/* For nothing, nothing: most queue pairs send nothing inline. */
template <class T>
static bool make_room(Site *s, T **to, size_t n)
{
	if (n)
		*to = make_array<T>(s, n);
	return !n || *to;
}

static NTSTATUS build_qp(Qp *qp)
{
	Site *s = site_of(qp->core.obj);
	const ndk_qp &c = qp->core;

	/* QP-7: reads have a limit of their own, whatever the queue pair's */
	qp->init_sges = std::max(c.max_init_sge, s->core.host.info.MaxReadRequestSge);
	if (!make_room(s, &qp->init_sge, (size_t)c.init.depth * qp->init_sges) ||
	    !make_room(s, &qp->recv_sge, (size_t)c.recv.depth * c.max_recv_sge) ||
	    !make_room(s, &qp->inline_data, (size_t)c.init.depth * c.inline_size))
		return STATUS_INSUFFICIENT_RESOURCES; /* FREE takes what there is */
	std::lock_guard<std::mutex> hold(world().loop.lock);

	qp->next = s->qps;
	qp->prev = &s->qps;
	if (s->qps)
		s->qps->prev = &qp->next;
	s->qps = qp;
	return STATUS_SUCCESS;
}

static NTSTATUS build_now(ndk_obj *o)
{
	NTSTATUS status = STATUS_SUCCESS;
	Cq *cq;

	switch (o->type) {
	case NdkObjectTypeQp:
		status = build_qp(reinterpret_cast<Qp *>(o));
		break;
	case NdkObjectTypeCq:
		cq = reinterpret_cast<Cq *>(o);
		cq->size = cq->core.depth;
		cq->ring = make_array<Result>(site_of(*o), cq->size);
		status = cq->ring ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
		break;
	case NdkObjectTypeSrq:
		status = build_srq(reinterpret_cast<Srq *>(o));
		break;
	case NdkObjectTypeSharedEndpoint: {
		HostLock hold(o->host);

		status = ndk_shared_bound(reinterpret_cast<ndk_shared *>(o), 0);
		break;
	}
	default:
		break;
	}
	return status;
}

struct Birth : Event {
	ndk_obj *obj;
};

static void run_birth(const Upcall &u)
{
	std::unique_ptr<Birth> b(static_cast<Birth *>(u.a));

	ndk_api_built(b->obj, removed(site_of(*b->obj)) ? STATUS_DEVICE_REMOVED : build_now(b->obj));
}

static void birth_fire(Event &e, Upcalls &up)
{
	up.add({ run_birth, static_cast<Birth *>(&e), nullptr, 0 });
}

/* Some pend if somebody wants them to: ndk_fabric_create_delay(). */
static NTSTATUS build(ndk_obj *o)
{
	Loop &loop = world().loop;
	Birth *b;

	if (!(o->host->heavy >> o->type & 1))
		return build_now(o);
	b = new Birth{};
	b->fire = birth_fire;
	b->obj = o;
	std::lock_guard<std::mutex> hold(loop.lock);

	loop.schedule(*b, loop.now() + site_of(*o)->create_delay_us);
	return STATUS_SUCCESS;
}

static BOOLEAN wait(ndk_host *)
{
	return world().loop.progress();
}

const ndk_shell_ops shell_ops = {
	.lock = lock,
	.unlock = unlock,
	.alloc = alloc,
	.free = release,
	.alloc_data = alloc_data,
	.free_data = free_data,
	.dispatch = dispatch_of,
	.build = build,
	.carry = carry,
	.wait = wait,
	.alloc_buckets = alloc_buckets,
	.free_buckets = free_buckets,
	.announce = announce_host,
	.closing = nullptr,
};

} /* namespace ndk::fabric */
