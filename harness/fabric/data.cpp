/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The initiator queue at work, between connected queue pairs: reliable, in order. World's lock held.
 *
 * Nothing is buffered: a posted request stays in its slot until the moment it arrives, then its bytes
 * go from the sender's memory straight to the receiver's, and a delay later the acknowledgement
 * completes it. A read is different: what arrives is the request, and its bytes move when the answer
 * does, so that sends and writes posted after it may overtake it, unless they are fenced. Requests that
 * concern the initiator only (bind, fast register, invalidate) are executed when it is their turn.
 *
 * So the data path allocates nothing, and a sender sees a success only for what the peer has. A
 * request that finds no receive, or no path, is tried again, and given up in the end
 * (STATUS_IO_TIMEOUT); an error at either end puts the queue pair concerned into the error state
 * (U-28).
 */
#include <algorithm>

#include "fabric.hpp"

namespace ndk::fabric
{

static Work &work_at(Qp *qp, UINT64 index)
{
	return qp->init[index % qp->core.init.depth];
}

static const ndk_slot &slot_at(const Qp *qp, UINT64 index)
{
	return qp->core.init.slot[index % qp->core.init.depth];
}

static bool is_local(UCHAR op)
{
	return op == NDK_OP_BIND || op == NDK_OP_FAST_REGISTER || op == NDK_OP_INVALIDATE;
}

/* ---- error state ---- */
/* The oldest request is about to complete: what it owes to regions and windows. */
static void end_local(Qp *qp, bool failed, Upcalls &up)
{
	UINT64 index = qp->core.init.done;
	UCHAR op = slot_at(qp, index).op;
	bool executed = index != qp->arrived;
	const Work &w = work_at(qp, index);

	if (!is_local(op))
		return;
	if (w.mw)
		end_mw_work(w, executed, failed, up);
	else
		end_mr_work(w, op, executed, failed, up);
}

static void fail_oldest(Qp *qp, NTSTATUS status, Upcalls &up)
{
	end_local(qp, true, up);
	if (qp->arrived == qp->core.init.done)
		qp->arrived++;
	complete(qp, status, up);
}

void flush_qp(Qp *qp, Upcalls &up)
{
	static const Arrival cancelled = { STATUS_CANCELLED, 0, false, false, 0 };
	Loop &loop = world().loop;

	loop.cancel(qp->arrive);
	loop.cancel(qp->acked);
	while (ndk_ring_busy(&qp->core.init))
		fail_oldest(qp, STATUS_CANCELLED, up);
	while (ndk_ring_busy(&qp->core.recv))
		complete_receive(qp, cancelled, up);
	qp->arrived = qp->core.init.done;
	qp->reads = 0;
	qp->held = false;
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
		fail_oldest(qp, status, up);
	break_qp(qp, up);
}

/* ---- the other end ---- */
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

/* The peer's region, if the request may do that to it. A request for nothing needs none. */
static bool reaches(const Qp *peer, const Work &w, ULONG right, const Region **r)
{
	*r = find_region(site_of(peer->core.obj), w.token, peer->core.pd);
	return !w.bytes || covers(*r, w.remote, w.bytes, right);
}

/* ---- completion in order ---- */
static const NDK_SGE *sges_at(const Qp *qp, UINT64 index)
{
	return qp->init_sge + (size_t)(index % qp->core.init.depth) * qp->init_sges;
}

/* QP-12, QP-14 */
static bool takes_sink_away(const Qp *qp, UINT64 index)
{
	return (slot_at(qp, index).flags & NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE) &&
	       (site_of(qp->core.obj)->core.host.info.AdapterFlags &
		NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED);
}

/* The answer to a read. */
static NTSTATUS fetch(Qp *qp, UINT64 index, Upcalls &up)
{
	const Work &w = work_at(qp, index);
	const NDK_SGE *sge = sges_at(qp, index);
	Qp *peer = peer_of(qp);
	const Region *r;

	if (!peer)
		return STATUS_IO_TIMEOUT;
	if (!allowed(qp, sge, w.nsge, Use::read_sink))
		return STATUS_ACCESS_VIOLATION;
	if (!reaches(peer, w, right_remote_read, &r)) {
		break_qp(peer, up);
		return STATUS_ACCESS_VIOLATION;
	}
	if (w.bytes)
		copy(Cursor(qp, sge, w.nsge), Cursor(*r, w.remote, w.bytes));
	world().stats.messages++;
	world().stats.bytes += w.bytes;
	if (!takes_sink_away(qp, index) || !w.nsge)
		return STATUS_SUCCESS;
	if (!can_invalidate(qp, sge[0].MemoryRegionToken))
		return STATUS_INVALID_DEVICE_REQUEST; /* QP-13 */
	invalidate_token(qp, sge[0].MemoryRegionToken, up);
	return STATUS_SUCCESS;
}

/* What waited for reads to end is on its way now. */
static void resume(Qp *qp)
{
	Loop &loop = world().loop;
	Work &w = work_at(qp, qp->arrived);

	qp->held = false;
	w.due = loop.now() +
		(is_local(slot_at(qp, qp->arrived).op) ? 0 : world().config.delay_us);
	loop.schedule(qp->arrive, w.due);
}

/* The oldest request, which is at the peer, is over. */
static void finish_oldest(Qp *qp, Upcalls &up)
{
	UINT64 index = qp->core.init.done;
	NTSTATUS status = STATUS_SUCCESS;

	if (slot_at(qp, index).op == NDK_OP_READ) {
		status = fetch(qp, index, up);
		if (qp->dead)
			return; /* lost together with a CQ that both ends share */
		qp->reads--;
	}
	if (status != STATUS_SUCCESS)
		return fail_request(qp, status, up);
	end_local(qp, false, up);
	complete(qp, STATUS_SUCCESS, up);
	if (!qp->dead && qp->held)
		resume(qp);
}

/* Before a request fails at the peer, those before it succeed: they are there. */
static void settle(Qp *qp, Upcalls &up)
{
	while (!qp->dead && qp->core.init.done != qp->arrived)
		finish_oldest(qp, up);
}

static void give_up(Qp *qp, NTSTATUS status, Upcalls &up)
{
	settle(qp, up);
	fail_request(qp, status, up);
}

/* ---- arrival ---- */
static void not_ready(Qp *qp, Upcalls &up)
{
	World &w = world();

	w.stats.rnr++;
	if (qp->rnr++ < w.config.rnr_retries)
		w.loop.schedule(qp->arrive, w.loop.now() + (UINT64)w.config.rnr_retry_ms * 1000);
	else
		give_up(qp, STATUS_IO_TIMEOUT, up);
}

/*
 * The peer cannot take it, and its connection is over: an error here as well, unless this side's
 * transport never hears of it.
 */
static void refuse_message(Qp *qp, Qp *peer, NTSTATUS status, Upcalls &up)
{
	settle(qp, up);
	break_qp(peer, up);
	fail_request(qp, status, up);
}

static NTSTATUS if_heard(NTSTATUS status)
{
	return world().flavour == &ib_flavour ? status : STATUS_SUCCESS;
}

/* The receive is consumed, with an error. */
static void refuse_receive(Qp *qp, Qp *peer, NTSTATUS status, Upcalls &up)
{
	const Arrival a = { status, 0, false, false, 0 };

	settle(qp, up);
	if (!peer->dead)
		complete_receive(peer, a, up);
	refuse_message(qp, peer, if_heard(STATUS_REMOTE_RESOURCES), up);
}

namespace
{

/* Where a message lands. */
struct Landing {
	const NDK_SGE *sge;
	ULONG nsge;
	ULONG room;
};

} /* namespace */

static bool next_landing(const Qp *peer, Landing &l)
{
	const ndk_ring &ring = peer->core.recv;

	if (peer->core.srq) {
		const SrqSlot *s = first_receive(reinterpret_cast<Srq *>(peer->core.srq));

		if (!s)
			return false;
		l = { s->sge, s->nsge, s->bytes };
		return true;
	}
	if (!ndk_ring_busy(&ring))
		return false;
	const Receive &r = peer->recv[ring.done % ring.depth];

	l = { peer->recv_sge + (size_t)(ring.done % ring.depth) * peer->core.max_recv_sge, r.nsge,
	      r.bytes };
	return true;
}

static Cursor source_of(const Qp *qp, UINT64 index, const Work &w)
{
	ULONG slot = (ULONG)(index % qp->core.init.depth);

	if (slot_at(qp, index).flags & NDK_OP_FLAG_INLINE)
		return Cursor(qp->inline_data + (size_t)slot * qp->core.inline_size, w.bytes);
	return Cursor(qp, sges_at(qp, index), w.nsge);
}

/* Each of the following: FALSE when nothing can follow now. */
static bool arrive_send(Qp *qp, Qp *peer, const Work &w, Upcalls &up)
{
	const ndk_slot &slot = slot_at(qp, qp->arrived);
	Arrival a = { STATUS_SUCCESS, w.bytes,
		      (slot.flags & NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT) != 0,
		      slot.op == NDK_OP_SEND_INVALIDATE, w.token };
	Landing l{};

	if (!next_landing(peer, l)) {
		not_ready(qp, up);
		return false;
	}
	qp->rnr = 0;
	if (l.room < w.bytes) {
		refuse_receive(qp, peer, STATUS_BUFFER_OVERFLOW, up);
		return false;
	}
	if (!allowed(peer, l.sge, l.nsge, Use::sink)) {
		refuse_receive(qp, peer, STATUS_ACCESS_VIOLATION, up);
		return false;
	}
	if (a.invalidated && !can_invalidate(peer, w.token)) {
		refuse_message(qp, peer, if_heard(STATUS_ACCESS_VIOLATION), up); /* QP-24 */
		return false;
	}
	copy(Cursor(peer, l.sge, l.nsge), source_of(qp, qp->arrived, w));
	if (a.invalidated)
		invalidate_token(peer, w.token, up);
	complete_receive(peer, a, up);
	return true;
}

static bool arrive_write(Qp *qp, Qp *peer, const Work &w, Upcalls &up)
{
	const Region *r;

	if (!reaches(peer, w, right_remote_write, &r)) {
		refuse_message(qp, peer, STATUS_ACCESS_VIOLATION, up);
		return false;
	}
	if (w.bytes)
		copy(Cursor(*r, w.remote, w.bytes), source_of(qp, qp->arrived, w));
	return true;
}

static bool arrive_read(Qp *qp, Qp *peer, Work &w, Upcalls &up)
{
	struct ndk_fabric_stats &stats = world().stats;
	const Region *r;

	if (!reaches(peer, w, right_remote_read, &r)) {
		refuse_message(qp, peer, STATUS_ACCESS_VIOLATION, up);
		return false;
	}
	qp->reads++;
	stats.reads++;
	stats.most_reads = std::max<UINT64>(stats.most_reads, qp->reads);
	w.due += world().read_delay_us;
	return true;
}

/* To the peer, and what becomes of it there. */
static bool arrive_remote(Qp *qp, UCHAR op, Work &w, Upcalls &up)
{
	World &world_ = world();
	Qp *peer = peer_of(qp);
	bool here = false;

	if (!peer) {
		no_answer(qp, qp->arrive, up);
		return false;
	}
	establish(peer, up);
	qp->unheard = 0;
	w.due = world_.loop.now() + world_.config.delay_us;
	if (op == NDK_OP_READ)
		return arrive_read(qp, peer, w, up);
	here = op == NDK_OP_WRITE ? arrive_write(qp, peer, w, up) : arrive_send(qp, peer, w, up);
	if (here) {
		world_.stats.messages++;
		world_.stats.bytes += w.bytes;
	}
	return here && !qp->dead; /* dead: that lost a CQ, and this queue pair with it */
}

static bool arrive_local(Qp *qp, UCHAR op, Work &w, Upcalls &up)
{
	ULONG flags = slot_at(qp, qp->arrived).flags;
	NTSTATUS status;

	if (op == NDK_OP_BIND)
		status = execute_bind(w, flags);
	else if (op == NDK_OP_FAST_REGISTER)
		status = execute_fast_register(w, flags);
	else
		status = w.mw ? execute_unbind(w) : execute_invalidate(w);
	w.due = world().loop.now();
	if (status == STATUS_SUCCESS)
		return true;
	give_up(qp, status, up);
	return false;
}

/* What the initiator itself finds wrong with a request, before it sends anything. */
static NTSTATUS own_fault(const Qp *qp, const ndk_slot &slot, const Work &w)
{
	bool read = slot.op == NDK_OP_READ;

	if (read && !qp->read_limit)
		return STATUS_INVALID_DEVICE_REQUEST; /* RDL-9 */
	if (slot.flags & NDK_OP_FLAG_INLINE)
		return STATUS_SUCCESS;
	return allowed(qp, sges_at(qp, qp->arrived), w.nsge, read ? Use::read_sink : Use::source) ?
		       STATUS_SUCCESS :
		       STATUS_ACCESS_VIOLATION;
}

/* One request; FALSE when none can follow now. */
static bool arrive_one(Qp *qp, Upcalls &up)
{
	const ndk_slot &slot = slot_at(qp, qp->arrived);
	Work &w = work_at(qp, qp->arrived);
	bool local = is_local(slot.op);
	NTSTATUS status;

	if (qp->reads && ((slot.flags & NDK_OP_FLAG_READ_FENCE) ||
			  (slot.op == NDK_OP_READ && qp->reads >= qp->read_limit))) {
		qp->held = true; /* QP-5, RDL-1 */
		return false;
	}
	if (!local) {
		status = own_fault(qp, slot, w);
		if (status != STATUS_SUCCESS) {
			give_up(qp, status, up);
			return false;
		}
	}
	if (!(local ? arrive_local(qp, slot.op, w, up) : arrive_remote(qp, slot.op, w, up)))
		return false;
	qp->arrived++;
	if (local && qp->core.init.done + 1 == qp->arrived)
		finish_oldest(qp, up);
	else if (!qp->acked.queued())
		world().loop.schedule(qp->acked, w.due);
	return true;
}

/* Is it not yet the time? The event's own counts, which may be a little ahead of the clock. */
static bool early(const Work &w, const Event &e)
{
	return w.due > e.when && w.due > world().loop.now();
}

void arrive_fire(Event &e, Upcalls &up)
{
	Qp *qp = static_cast<Qp *>(e.owner);

	while (!qp->dead && qp->arrived != qp->core.init.head) {
		const Work &w = work_at(qp, qp->arrived);

		if (early(w, e)) {
			world().loop.schedule(e, w.due);
			return;
		}
		if (!arrive_one(qp, up))
			return;
	}
}

static bool answered(const Qp *qp)
{
	if (slot_at(qp, qp->core.init.done).op == NDK_OP_READ)
		return peer_of(qp) != nullptr;
	return qp->conn && qp->conn->attempt && path_up(qp->conn->attempt);
}

void acked_fire(Event &e, Upcalls &up)
{
	Qp *qp = static_cast<Qp *>(e.owner);

	while (!qp->dead && qp->core.init.done != qp->arrived) {
		const Work &w = work_at(qp, qp->core.init.done);

		if (early(w, e)) {
			world().loop.schedule(e, w.due);
			return;
		}
		if (!answered(qp))
			return no_answer(qp, e, up);
		qp->unheard = 0;
		finish_oldest(qp, up);
	}
}

} /* namespace ndk::fabric */
