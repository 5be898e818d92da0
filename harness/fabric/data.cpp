/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Messages between connected queue pairs: reliable, in order. World's lock held, but for the entry
 * points, which take it.
 *
 * Nothing is buffered: a posted request stays in its slot until the moment it arrives, then its bytes
 * go from the sender's memory straight to the receiver's, and a delay later the acknowledgement
 * completes it. So the data path allocates nothing, and a sender sees a success only for what the
 * peer has. A request that finds no receive, or no path, is tried again, and given up in the end
 * (STATUS_IO_TIMEOUT); an error at either end puts the queue pair concerned into the error state
 * (U-28).
 */
#include <cstring>

#include "fabric.hpp"

namespace ndk::fabric
{

/* ---- error state ---- */
void flush_qp(Qp *qp, Upcalls &up)
{
	Loop &loop = world().loop;

	loop.cancel(qp->arrive);
	loop.cancel(qp->acked);
	while (ndk_ring_busy(&qp->core.init))
		complete(qp, false, STATUS_CANCELLED, 0, false, up);
	while (ndk_ring_busy(&qp->core.recv))
		complete(qp, true, STATUS_CANCELLED, 0, false, up);
	qp->arrived = qp->core.init.done;
	qp->rnr = 0;
	qp->unheard = 0;
}

void kill_qp(Qp *qp, Upcalls &up)
{
	qp->dead = true;
	flush_qp(qp, up);
}

static void run_broken(const Upcall &u)
{
	Qp *qp = static_cast<Qp *>(u.a);

	ndk_api_qp_broken(&qp->core);
	unpin(qp->pin, qp->core.obj);
}

void break_qp(Qp *qp, Upcalls &up)
{
	kill_qp(qp, up);
	if (qp->broken_told)
		return;
	qp->broken_told = true;
	if (qp->conn && qp->conn->attempt)
		world().flavour->broken(qp->conn, up);
	pin(qp->pin);
	up.add({ run_broken, qp, nullptr, 0 });
}

void unlink_qp(Qp *qp)
{
	if (qp->prev) {
		*qp->prev = qp->next;
		if (qp->next)
			qp->next->prev = qp->prev;
		qp->prev = nullptr;
	}
	forget_qp(qp);
}

/* The oldest initiator request failed: it says why, what is behind it is cancelled. */
static void fail_request(Qp *qp, NTSTATUS status, Upcalls &up)
{
	if (!qp->dead) /* not lost with its CQ a moment ago */
		complete(qp, false, status, 0, false, up);
	break_qp(qp, up);
}

/* Before a request fails at the peer, those before it succeed: they are there. */
static void settle(Qp *qp, Upcalls &up)
{
	while (!qp->dead && qp->core.init.done != qp->arrived)
		complete(qp, false, STATUS_SUCCESS, 0, false, up);
}

static void give_up(Qp *qp, NTSTATUS status, Upcalls &up)
{
	settle(qp, up);
	fail_request(qp, status, up);
}

/* ---- moving bytes ---- */
static NDK_SGE *sges_of(const Qp *qp, bool receive, ULONG index)
{
	const ndk_qp &c = qp->core;

	return receive ? qp->recv_sge + (size_t)(index % c.recv.depth) * c.max_recv_sge :
			 qp->init_sge + (size_t)(index % c.init.depth) * c.max_init_sge;
}

/* May this side touch all memory its request names? */
static bool allowed(const Qp *qp, bool receive, ULONG index)
{
	const Work &w = receive ? qp->recv[index % qp->core.recv.depth] :
				  qp->init[index % qp->core.init.depth];
	const NDK_SGE *sge = sges_of(qp, receive, index);

	if (w.flags & NDK_OP_FLAG_INLINE)
		return true;
	for (ULONG i = 0; i < w.nsge; i++) {
		if (sge[i].Length && !reach(qp, sge[i], receive))
			return false;
	}
	return true;
}

/* Copies n contiguous bytes into a scatter list, from position `at` of it on. */
static void scatter(const Qp *qp, const NDK_SGE *sge, ULONG at, const UCHAR *from, ULONG n)
{
	for (; n; sge++) {
		ULONG room;

		if (at >= sge->Length) {
			at -= sge->Length;
			continue;
		}
		room = ndk_min(sge->Length - at, n);
		memcpy(reach(qp, *sge, true) + at, from, room);
		from += room;
		n -= room;
		at = 0;
	}
}

static void move(const Qp *from, const Work &w, ULONG index, const Qp *to, ULONG receive)
{
	const NDK_SGE *target = sges_of(to, true, receive);
	const NDK_SGE *sge = sges_of(from, false, index);
	ULONG at = 0;

	if (w.flags & NDK_OP_FLAG_INLINE) {
		ULONG slot = index % from->core.init.depth;

		scatter(to, target, 0, from->inline_data + (size_t)slot * from->core.inline_size,
			w.bytes);
		return;
	}
	for (ULONG i = 0; i < w.nsge; i++) {
		if (!sge[i].Length)
			continue;
		scatter(to, target, at, reach(from, sge[i], false), sge[i].Length);
		at += sge[i].Length;
	}
}

/* ---- arrival ---- */
/* The queue pair at the other end, if it can take messages. */
static Qp *peer_of(const Qp *qp)
{
	const Connector *c = qp->conn;
	const Connector *p;

	if (!c || !c->attempt || !path_up(c->attempt))
		return nullptr;
	p = c->attempt->end[!c->side];
	if (!p || !p->qp || p->qp->dead)
		return nullptr;
	switch (p->cm) {
	case Cm::rep_sent:
	case Cm::up:
	case Cm::dreq_sent:
	case Cm::dreq_rcvd:
		return p->qp;
	case Cm::over: /* disconnected at the connection manager, but not flushed yet */
		return p->qp;
	default:
		return nullptr;
	}
}

static void no_answer(Qp *qp, Event &e, Upcalls &up)
{
	Loop &loop = world().loop;

	if (qp->unheard++ < path_retries)
		loop.schedule(e, loop.now() + path_retry_us);
	else
		fail_request(qp, STATUS_IO_TIMEOUT, up);
}

static void not_ready(Qp *qp, Upcalls &up)
{
	World &w = world();

	w.stats.rnr++;
	if (qp->rnr++ < w.config.rnr_retries)
		w.loop.schedule(qp->arrive, w.loop.now() + (UINT64)w.config.rnr_retry_ms * 1000);
	else
		give_up(qp, STATUS_IO_TIMEOUT, up);
}

/* A message before the confirmation proves that the active side confirmed. */
static void establish(Qp *peer, Upcalls &up)
{
	Connector *c = peer->conn;

	if (c->cm != Cm::rep_sent)
		return;
	world().loop.cancel(c->retry);
	c->cm = Cm::up;
	news(c, NDK_CM_ESTABLISHED, 0, nullptr, 0, up);
}

/* The receive cannot take it: an error there, and at the sender unless its transport never hears. */
static void refuse_message(Qp *qp, Qp *peer, NTSTATUS status, Upcalls &up)
{
	bool heard = world().flavour == &ib_flavour;

	settle(qp, up);
	complete(peer, true, status, 0, false, up);
	break_qp(peer, up);
	fail_request(qp, heard ? STATUS_REMOTE_RESOURCES : STATUS_SUCCESS, up);
}

/* One message; FALSE when none can follow now. */
static bool arrive_one(Qp *qp, Upcalls &up)
{
	World &w = world();
	Work &work = qp->init[qp->arrived % qp->core.init.depth];
	Qp *peer = peer_of(qp);
	ULONG index;

	if (!allowed(qp, false, qp->arrived)) {
		give_up(qp, STATUS_ACCESS_VIOLATION, up);
		return false;
	}
	if (!peer) {
		no_answer(qp, qp->arrive, up);
		return false;
	}
	establish(peer, up);
	qp->unheard = 0;
	if (!ndk_ring_busy(&peer->core.recv)) {
		not_ready(qp, up);
		return false;
	}
	qp->rnr = 0;
	index = peer->core.recv.done;
	if (peer->recv[index % peer->core.recv.depth].bytes < work.bytes) {
		refuse_message(qp, peer, STATUS_BUFFER_OVERFLOW, up);
		return false;
	}
	if (!allowed(peer, true, index)) {
		refuse_message(qp, peer, STATUS_ACCESS_VIOLATION, up);
		return false;
	}
	move(qp, work, qp->arrived, peer, index);
	w.stats.messages++;
	w.stats.bytes += work.bytes;
	complete(peer, true, STATUS_SUCCESS, work.bytes,
		 (work.flags & NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT) != 0, up);
	if (qp->dead)
		return false; /* that lost a CQ, and this queue pair with it */
	work.due = w.loop.now() + w.config.delay_us;
	qp->arrived++;
	if (!qp->acked.queued())
		w.loop.schedule(qp->acked, work.due);
	return true;
}

void arrive_fire(Event &e, Upcalls &up)
{
	Qp *qp = static_cast<Qp *>(e.owner);
	Loop &loop = world().loop;
	UINT64 now = loop.now();

	while (!qp->dead && qp->arrived != qp->core.init.head) {
		const Work &w = qp->init[qp->arrived % qp->core.init.depth];

		if (w.due > now && w.due > e.when) {
			loop.schedule(e, w.due);
			return;
		}
		if (!arrive_one(qp, up))
			return;
	}
}

void acked_fire(Event &e, Upcalls &up)
{
	Qp *qp = static_cast<Qp *>(e.owner);
	Loop &loop = world().loop;
	UINT64 now = loop.now();

	if (!qp->conn || !qp->conn->attempt || !path_up(qp->conn->attempt))
		return no_answer(qp, e, up);
	qp->unheard = 0;
	while (qp->core.init.done != qp->arrived) {
		const Work &w = qp->init[qp->core.init.done % qp->core.init.depth];

		if (w.due > now && w.due > e.when) {
			loop.schedule(e, w.due);
			return;
		}
		complete(qp, false, STATUS_SUCCESS, 0, false, up);
	}
}

/* ---- posting ---- */
static void fill(Work &w, NDK_SGE *own, const NDK_SGE *sgl, ULONG nsge, ULONG flags)
{
	w.nsge = nsge;
	w.flags = flags;
	w.bytes = 0;
	for (ULONG i = 0; i < nsge; i++) {
		w.bytes += sgl[i].Length;
		if (own)
			own[i] = sgl[i];
	}
}

/* QP-6: the bytes now, by virtual address, whatever the token. */
static void fill_inline(Work &w, UCHAR *to, const NDK_SGE *sgl, ULONG nsge, ULONG flags)
{
	fill(w, nullptr, sgl, nsge, flags);
	for (ULONG i = 0; i < nsge; i++) {
		if (!sgl[i].Length)
			continue;
		memcpy(to, sgl[i].VirtualAddress, sgl[i].Length);
		to += sgl[i].Length;
	}
}

NTSTATUS post_send(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
		   ULONG Flags)
{
	Qp *qp = reinterpret_cast<Qp *>(pNdkQp);
	Loop &loop = world().loop;
	NTSTATUS status = ndk_post_check(&qp->core, NDK_OP_SEND, pSgl, nSge, Flags);
	ndk_ring *ring = &qp->core.init;
	Upcalls up;

	if (status != STATUS_SUCCESS)
		return status;
	{
		std::lock_guard<std::mutex> hold(loop.lock);
		ULONG slot = ndk_ring_next(ring);
		Work &w = qp->init[slot];

		if (Flags & NDK_OP_FLAG_INLINE)
			fill_inline(w, qp->inline_data + (size_t)slot * qp->core.inline_size, pSgl,
				    nSge, Flags);
		else
			fill(w, qp->init_sge + (size_t)slot * qp->core.max_init_sge, pSgl, nSge,
			     Flags);
		w.due = loop.now() + world().config.delay_us;
		ndk_ring_fill(ring, RequestContext, NDK_OP_SEND, Flags);
		ndk_ring_post(ring);
		if (qp->dead)
			flush_qp(qp, up); /* flushed since the check (POST-5) */
		else if (!qp->arrive.queued())
			loop.schedule(qp->arrive, w.due);
	}
	up.run();
	return STATUS_SUCCESS;
}

NTSTATUS post_receive(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
	Qp *qp = reinterpret_cast<Qp *>(pNdkQp);
	NTSTATUS status = ndk_post_check(&qp->core, NDK_OP_RECEIVE, pSgl, nSge, 0);
	ndk_ring *ring = &qp->core.recv;
	Upcalls up;

	if (status != STATUS_SUCCESS)
		return status;
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);
		ULONG slot = ndk_ring_next(ring);

		fill(qp->recv[slot], qp->recv_sge + (size_t)slot * qp->core.max_recv_sge, pSgl,
		     nSge, 0);
		ndk_ring_fill(ring, RequestContext, NDK_OP_RECEIVE, 0);
		ndk_ring_post(ring);
		if (qp->dead)
			flush_qp(qp, up); /* U-25 */
	}
	up.run();
	return STATUS_SUCCESS;
}

VOID flush(NDK_QP *pNdkQp)
{
	Qp *qp = reinterpret_cast<Qp *>(pNdkQp);
	ndk_host *h = qp->core.obj.host;
	ndk_fx fx;

	ndk_fx_init(&fx);
	{
		HostLock hold(h);

		ndk_qp_flush(&qp->core, &fx);
	}
	ndk_api_run(h, &fx);
}

} /* namespace ndk::fabric */
