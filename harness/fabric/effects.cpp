/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Carrying out the core's effects. Called without lock, in the context of whoever caused them: a
 * consumer's call, an upcall of the loop, a callback thread.
 *
 * Two threads may carry the effects of two steps of one object in the wrong order. Work on a
 * connection is therefore never done on the word of the effect alone: CONNECT looks whether the
 * connector is still connecting, all others whether there still is an identity to work on, timers
 * compare generations.
 */
#include "fabric.hpp"

namespace ndk::fabric
{

static Connector *connector_of(const ndk_effect *e)
{
	return reinterpret_cast<Connector *>(e->obj);
}

/* ---- timers ---- */
static void run_deadline(const Upcall &u)
{
	Connector *c = static_cast<Connector *>(u.a);
	bool freed;

	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		freed = c->pin.freed;
	}
	if (!freed)
		ndk_api_deadline(&c->core, (ULONG)u.n);
	unpin(c->pin, c->core.obj);
}

void deadline_fire(Event &e, Upcalls &up)
{
	Connector *c = static_cast<Connector *>(e.owner);

	pin(c->pin);
	up.add({ run_deadline, c, nullptr, c->deadline_generation });
}

static ULONG generation_of(Connector *c)
{
	HostLock hold(c->core.obj.host);

	return c->core.timer_gen;
}

static void timer(Connector *c, const ndk_effect *e)
{
	ULONG now = generation_of(c);
	Loop &loop = world().loop;
	std::lock_guard<std::mutex> hold(loop.lock);

	if (e->kind == NDK_FX_TIMER_SET) {
		if (e->arg != now)
			return; /* stopped, or set anew, before this got here */
		c->deadline_generation = e->arg;
		loop.schedule(c->deadline, loop.now() + (UINT64)e->number * 1000);
	} else if (c->deadline_generation != now) {
		loop.cancel(c->deadline);
	}
}

/* ---- listeners ---- */
static void listen(ndk_host *h, const ndk_effect *e)
{
	Listener *l = reinterpret_cast<Listener *>(e->obj);
	Site *s = site_of(h);
	int err = 0;

	{
		HostLock hold(h);

		l->at = l->core.ep.addr;
	}
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (s->removed)
			err = -19; /* ENODEV */
		else {
			l->listening = true;
			s->listeners.push_back(l);
		}
	}
	ndk_api_listener_answer(&l->core, err);
	ndk_api_done(h, e);
}

static void unlisten(ndk_host *h, const ndk_effect *e)
{
	Listener *l = reinterpret_cast<Listener *>(e->obj);
	Site *s = site_of(h);
	Upcalls up;

	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (l->listening)
			std::erase(s->listeners, l);
		l->listening = false;
		finish(l->pin, *e, up);
	}
	up.run();
}

/* ---- connections ---- */
static void cm_step(const ndk_effect *e, void (*step)(Connector *c, Upcalls &up))
{
	Connector *c = connector_of(e);
	Upcalls up;

	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (c->attempt)
			step(c, up);
	}
	up.run();
	ndk_api_done(e->obj->host, e);
}

static void cm_reject(ndk_host *h, const ndk_effect *e)
{
	Connector *c = connector_of(e);
	std::unique_ptr<Payload> why(make<Payload>(site_of(h)));
	Upcalls up;

	if (why) {
		HostLock hold(h);

		why->length = c->core.data->out_len;
		ndk_copy(why->data, c->core.data->out, why->length);
	}
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (c->attempt)
			world().flavour->reject(c, std::move(why), up);
	}
	up.run();
	ndk_api_done(h, e);
}

static void cm_teardown(const ndk_effect *e)
{
	Connector *c = connector_of(e);
	Upcalls up;
	bool late;

	{
		HostLock hold(e->obj->host);

		late = c->core.state == NDK_CONN_ENDING && c->core.verdict == STATUS_IO_TIMEOUT;
	}
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (c->attempt)
			world().flavour->teardown(c, late, up);
		if (c->qp && e->arg)
			kill_qp(c->qp, up);
		detach(c);
		finish(c->pin, *e, up);
	}
	up.run();
}

/* ---- queue pairs ---- */
static void qp_flush(const ndk_effect *e)
{
	Qp *qp = reinterpret_cast<Qp *>(e->obj);
	Upcalls up;

	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (e->arg == NDK_QP_FLUSH_END)
			kill_qp(qp, up);
		else
			flush_qp(qp, up);
	}
	up.run();
	ndk_api_done(e->obj->host, e);
}

/* Data moves under the world's lock only, so after the flush nothing moves any more (DISC-4). */
static void qp_drain(const ndk_effect *e)
{
	Connector *c = connector_of(e);
	Upcalls up;

	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		if (c->qp)
			kill_qp(c->qp, up);
	}
	up.run();
	ndk_api_done(e->obj->host, e);
}

/* ---- memory ---- */
static void mr_register(ndk_host *h, const ndk_effect *e)
{
	Mr *mr = reinterpret_cast<Mr *>(e->obj);
	SIZE_T length;
	UINT64 base;
	ULONG flags;

	{
		HostLock hold(h);

		base = mr->core.base;
		length = mr->core.length;
		flags = mr->core.flags;
	}
	ndk_api_mr_answer(&mr->core, register_mr(site_of(h), mr, base, length, flags));
	ndk_api_done(h, e);
}

static void mr_initialize(ndk_host *h, const ndk_effect *e)
{
	Mr *mr = reinterpret_cast<Mr *>(e->obj);
	ULONG pages;

	{
		HostLock hold(h);

		pages = mr->core.asked_pages;
	}
	ndk_api_mr_answer(&mr->core, initialize_mr(site_of(h), mr, pages));
	ndk_api_done(h, e);
}

static void mr_deregister(ndk_host *h, const ndk_effect *e)
{
	Mr *mr = reinterpret_cast<Mr *>(e->obj);

	forget_mr(mr, false);
	ndk_api_mr_answer(&mr->core, STATUS_SUCCESS);
	ndk_api_done(h, e);
}

/* ---- requests that pend ---- */
namespace
{

struct Job : Event {
	ndk_host *host;
	ndk_effect effect;
};

} /* namespace */

/* Inline, or where requests are to pend, from the loop: the device is at work meanwhile. */
static void control(ndk_host *h, const ndk_effect *e)
{
	switch (e->kind) {
	case NDK_FX_MR_REGISTER:
		return mr_register(h, e);
	case NDK_FX_MR_DEREGISTER:
		return mr_deregister(h, e);
	case NDK_FX_MR_INITIALIZE:
		return mr_initialize(h, e);
	case NDK_FX_SRQ_MODIFY:
		return modify_srq(h, e);
	default:
		return resize_cq(h, e);
	}
}

static void run_job(const Upcall &u)
{
	Job *j = static_cast<Job *>(u.a);

	control(j->host, &j->effect);
	delete j;
}

static void job_fire(Event &e, Upcalls &up)
{
	up.add({ run_job, static_cast<Job *>(&e), nullptr, 0 });
}

static bool pends(ndk_host *h)
{
	HostLock hold(h);

	return h->answer == NDK_ANSWER_PEND;
}

static void request(ndk_host *h, const ndk_effect *e)
{
	Loop &loop = world().loop;
	Job *j;

	if (!pends(h))
		return control(h, e);
	j = new Job{};
	j->fire = job_fire;
	j->host = h;
	j->effect = *e;
	std::lock_guard<std::mutex> hold(loop.lock);

	loop.schedule(*j, loop.now());
}

/* ---- the end ---- */
static void destroy(ndk_host *h, const ndk_effect *e)
{
	Qp *qp;
	Upcalls up;

	switch (e->obj->type) {
	case NdkObjectTypeQp: {
		qp = reinterpret_cast<Qp *>(e->obj);
		std::lock_guard<std::mutex> hold(world().loop.lock);

		kill_qp(qp, up); /* receives of a QP that was never connected (U-23) */
		unlink_qp(qp);
		finish(qp->pin, *e, up);
		break;
	}
	case NdkObjectTypeMr:
		/* posted requests about it keep its memory, and find that it is gone */
		forget_mr(reinterpret_cast<Mr *>(e->obj), true);
		ndk_api_done(h, e);
		break;
	case NdkObjectTypeMw: {
		Mw *mw = reinterpret_cast<Mw *>(e->obj);
		std::lock_guard<std::mutex> hold(world().loop.lock);

		forget_mw(mw);
		finish(mw->pin, *e, up);
		break;
	}
	default:
		ndk_api_done(h, e);
		break;
	}
	up.run();
}

static void adapter_idle(const ndk_effect *e)
{
	Loop &loop = world().loop;
	std::lock_guard<std::mutex> hold(loop.lock);

	reinterpret_cast<Adapter *>(e->obj)->idle = true;
	loop.changed();
}

void carry(ndk_host *h, const ndk_effect *e)
{
	switch (e->kind) {
	case NDK_FX_CALL_CREATE:
	case NDK_FX_CALL_REQUEST:
	case NDK_FX_CALL_CLOSE:
	case NDK_FX_CALL_CONNECT:
	case NDK_FX_CALL_DISCONNECT:
	case NDK_FX_CALL_CQ:
	case NDK_FX_CALL_SRQ:
		return world().loop.call(h, *e);
	case NDK_FX_HW_DESTROY:
		return destroy(h, e);
	case NDK_FX_CM_LISTEN:
		return listen(h, e);
	case NDK_FX_CM_UNLISTEN:
		return unlisten(h, e);
	case NDK_FX_CM_CONNECT:
		return cm_connect(h, e);
	case NDK_FX_CM_ACCEPT:
		return cm_accept(h, e);
	case NDK_FX_CM_COMPLETE:
		return cm_step(e, world().flavour->complete);
	case NDK_FX_CM_REJECT:
		return cm_reject(h, e);
	case NDK_FX_CM_DISCONNECT:
		return cm_step(e, world().flavour->disconnect);
	case NDK_FX_CM_TEARDOWN:
		return cm_teardown(e);
	case NDK_FX_QP_FLUSH:
		return qp_flush(e);
	case NDK_FX_QP_DRAIN:
		return qp_drain(e);
	case NDK_FX_MR_REGISTER:
	case NDK_FX_MR_DEREGISTER:
	case NDK_FX_MR_INITIALIZE:
	case NDK_FX_SRQ_MODIFY:
	case NDK_FX_CQ_RESIZE:
		return request(h, e);
	case NDK_FX_CQ_MODERATE:
		return moderate_cq(h, e);
	case NDK_FX_SETTLE: /* results never wait for a poll here */
		return ndk_api_done(h, e);
	case NDK_FX_TIMER_SET:
	case NDK_FX_TIMER_STOP:
		return timer(connector_of(e), e);
	case NDK_FX_FREE:
		return ndk_ops(h)->free(h, e->obj);
	case NDK_FX_ADAPTER_IDLE:
		return adapter_idle(e);
	default:
		ndk_port_bug("unknown effect", __FILE__, __LINE__);
	}
}

} /* namespace ndk::fabric */
