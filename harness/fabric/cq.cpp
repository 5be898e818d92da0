/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Completion queues: a ring of results under a lock of its own; arming is the core's, under the
 * host's lock. Resizing, interrupt moderation on the fabric's clock, overrun and fatal errors.
 *
 * A result is in the ring before the core hears of it. The consumer may have taken it by then: an arm
 * is satisfied all the same (CQ-10), but nothing stays behind that would satisfy the next one.
 */
#include "fabric.hpp"

namespace ndk::fabric
{

/* What an upcall tells: bits, and above them how many results. */
static constexpr UINT64 solicited_bit = 1;
static constexpr UINT64 overrun_bit = 2;
static constexpr UINT64 one_result = 4;
static constexpr ULONG unlimited = 0xffffffff;

/* ---- telling the core ---- */
static bool satisfies_arm(const Cq *cq, UINT64 bits)
{
	ULONG wants = ndk_cq_wants(&cq->core);

	return wants == NDK_CQ_NOTIFY_ANY ||
	       (wants == NDK_CQ_NOTIFY_SOLICITED && (bits & solicited_bit));
}

/*
 * Interrupt moderation (CQ-23, CQ-24): from the result on that satisfies an arm, results are gathered
 * until there are enough or the first has waited long enough. FALSE: *bits are to be told now. Host's
 * lock held.
 */
static bool gather(Cq *cq, UINT64 *bits, bool *begin)
{
	const ndk_cq &c = cq->core;

	if (!cq->gathered && (!c.interval || c.gather < 2 || !satisfies_arm(cq, *bits)))
		return false;
	*begin = !cq->gathered && c.interval != unlimited;
	cq->gathered += (ULONG)(*bits / one_result);
	cq->gathered_bits |= *bits;
	if (c.gather == unlimited || cq->gathered < c.gather)
		return true;
	*begin = false;
	*bits = cq->gathered_bits;
	cq->gathered = 0;
	cq->gathered_bits = 0;
	return false;
}

static void tell_core(Cq *cq, UINT64 bits, ndk_fx *fx)
{
	ndk_cq_arrived(&cq->core, (bits & solicited_bit) != 0, fx);
	std::lock_guard<std::mutex> ring(cq->lock);

	if (!cq->count)
		ndk_cq_emptied(&cq->core);
}

static void tell_gathered(Cq *cq)
{
	with_core(cq->core.obj.host, [&](ndk_fx *fx) {
		if (cq->gathered)
			tell_core(cq, cq->gathered_bits, fx);
		cq->gathered = 0;
		cq->gathered_bits = 0;
	});
}

static void run_gathered(const Upcall &u)
{
	Cq *cq = static_cast<Cq *>(u.a);

	tell_gathered(cq);
	unpin(cq->pin, cq->core.obj);
}

/* A timer that is late finds nothing, or speaks early for the next ones: both are allowed. */
void moderation_fire(Event &e, Upcalls &up)
{
	Cq *cq = static_cast<Cq *>(e.owner);

	pin(cq->pin);
	up.add({ run_gathered, cq, nullptr, 0 });
}

static void start_timer(Cq *cq, ULONG interval)
{
	Loop &loop = world().loop;
	std::lock_guard<std::mutex> hold(loop.lock);

	loop.schedule(cq->timer, loop.now() + interval);
}

static void run_arrived(const Upcall &u)
{
	Qp *qp = static_cast<Qp *>(u.a);
	Cq *cq = static_cast<Cq *>(u.b);
	UINT64 bits = u.n;
	bool begin = false;
	ULONG interval = 0;

	with_core(cq->core.obj.host, [&](ndk_fx *fx) {
		interval = cq->core.interval;
		if (bits & overrun_bit)
			ndk_cq_failed(&cq->core, STATUS_BUFFER_OVERFLOW, fx);
		else if (!gather(cq, &bits, &begin))
			tell_core(cq, bits, fx);
	});
	if (begin)
		start_timer(cq, interval);
	unpin(qp->pin, qp->core.obj);
}

/* The queue pair keeps the CQ, the pin keeps the queue pair. */
static void tell(Qp *qp, Cq *cq, UINT64 bits, Upcalls &up)
{
	Upcall *last = up.last();

	if (last && last->fn == run_arrived && last->a == qp && last->b == cq &&
	    ((last->n ^ bits) & overrun_bit) == 0) {
		last->n = (last->n + (bits & ~(one_result - 1))) | (bits & (one_result - 1));
		return;
	}
	pin(qp->pin);
	up.add({ run_arrived, qp, cq, bits });
}

/* ---- the end of a queue ---- */
static void break_all(const Cq *cq, Upcalls &up)
{
	for (Qp *q = site_of(cq->core.obj)->qps; q; q = q->next) {
		if (q->core.rcq == &cq->core || q->core.icq == &cq->core)
			break_qp(q, up);
	}
}

static void run_failed(const Upcall &u)
{
	Cq *cq = static_cast<Cq *>(u.a);

	with_core(cq->core.obj.host,
		  [&](ndk_fx *fx) { ndk_cq_failed(&cq->core, STATUS_INTERNAL_ERROR, fx); });
	unpin(cq->pin, cq->core.obj);
}

/* The result will never be taken, or its queue pair is gone. The queue's lock held. */
static void disown(Result &r)
{
	if (r.qp && r.slot)
		give_back(reinterpret_cast<Srq *>(r.qp->core.srq), r.slot);
	r.qp = nullptr;
	r.slot = nullptr;
}

/* The queue's lock held. */
static void drop_results(Cq *cq)
{
	for (; cq->count; cq->count--) {
		disown(cq->ring[cq->head]);
		cq->head = (cq->head + 1) % cq->size;
	}
}

void lose_cq(Cq *cq, Upcalls &up)
{
	{
		std::lock_guard<std::mutex> hold(cq->lock);

		if (cq->lost)
			return;
		cq->lost = true;
		drop_results(cq);
	}
	pin(cq->pin);
	break_all(cq, up); /* first: whoever is told of the loss finds them broken (CQ-14) */
	up.add({ run_failed, cq, nullptr, 0 });
}

/* ---- completion ---- */
/* The queue's lock held. FALSE: that was one too many (CQ-14). */
static bool put(Cq *cq, const Result &r)
{
	if (cq->count == cq->size) {
		cq->lost = true;
		drop_results(cq);
		return false;
	}
	cq->ring[(cq->head + cq->count) % cq->size] = r;
	cq->count++;
	return true;
}

static void report(Qp *qp, Cq *cq, bool fits, bool solicited, Upcalls &up)
{
	if (fits) {
		tell(qp, cq, one_result | (solicited ? solicited_bit : 0), up);
		return;
	}
	break_all(cq, up); /* likewise */
	tell(qp, cq, overrun_bit, up);
}

void complete(Qp *qp, NTSTATUS status, Upcalls &up)
{
	Cq *cq = reinterpret_cast<Cq *>(qp->core.icq);
	bool fits;
	Result r{};

	{
		std::lock_guard<std::mutex> hold(cq->lock);

		if (!ndk_ring_complete(&qp->core, &qp->core.init, status, 0, &r.out) || cq->lost)
			return;
		r.qp = qp;
		fits = put(cq, r);
	}
	report(qp, cq, fits, status != STATUS_SUCCESS, up); /* CQ-12 */
}

void complete_receive(Qp *qp, const Arrival &a, Upcalls &up)
{
	Cq *cq = reinterpret_cast<Cq *>(qp->core.rcq);
	Srq *srq = reinterpret_cast<Srq *>(qp->core.srq);
	SrqSlot *slot = srq ? use_receive(srq, up) : nullptr;
	bool fits;
	Result r{};

	{
		std::lock_guard<std::mutex> hold(cq->lock);

		if (slot)
			ndk_srq_result(&qp->core, &slot->core, a.status, a.bytes, &r.out);
		else
			ndk_ring_complete(&qp->core, &qp->core.recv, a.status, a.bytes, &r.out);
		if (a.invalidated)
			ndk_result_invalidated(&r.out, a.token);
		r.qp = qp;
		r.slot = slot;
		r.receive = true;
		if (cq->lost) {
			disown(r);
			return;
		}
		fits = put(cq, r);
		if (!fits)
			disown(r);
	}
	report(qp, cq, fits, a.solicited || a.status != STATUS_SUCCESS, up); /* CQ-12 */
}

static void forget_in(Cq *cq, const Qp *qp)
{
	std::lock_guard<std::mutex> hold(cq->lock);

	for (ULONG i = 0; i < cq->count; i++) {
		Result &r = cq->ring[(cq->head + i) % cq->size];

		if (r.qp == qp)
			disown(r);
	}
}

void forget_qp(Qp *qp)
{
	forget_in(reinterpret_cast<Cq *>(qp->core.rcq), qp);
	if (qp->core.icq != qp->core.rcq)
		forget_in(reinterpret_cast<Cq *>(qp->core.icq), qp);
}

/* ---- control ---- */
static NTSTATUS resize(Cq *cq, ULONG depth)
{
	Site *s = site_of(cq->core.obj);
	Result *ring, *old;

	if (removed(s))
		return STATUS_DEVICE_REMOVED;
	ring = make_array<Result>(s, depth);
	if (!ring)
		return STATUS_INSUFFICIENT_RESOURCES;
	{
		std::lock_guard<std::mutex> hold(cq->lock);
		bool fits = cq->count <= depth;

		old = fits ? cq->ring : ring;
		if (fits) {
			for (ULONG i = 0; i < cq->count; i++)
				ring[i] = cq->ring[(cq->head + i) % cq->size];
			cq->ring = ring;
			cq->size = depth;
			cq->head = 0;
		}
	}
	free(old);
	return old == ring ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS; /* U-33 */
}

void resize_cq(ndk_host *h, const ndk_effect *e)
{
	Cq *cq = reinterpret_cast<Cq *>(e->obj);
	ULONG depth;

	{
		HostLock hold(h);

		depth = cq->core.asked;
	}
	ndk_api_cq_resized(&cq->core, resize(cq, depth));
	ndk_api_done(h, e);
}

/* The settings are the core's already; what they would have kept waiting waits no more (CQ-27). */
void moderate_cq(ndk_host *h, const ndk_effect *e)
{
	tell_gathered(reinterpret_cast<Cq *>(e->obj));
	ndk_api_done(h, e);
}

/* ---- entry points ---- */
static void give(NDK_RESULT &to, const NDK_RESULT_EX &r)
{
	to.Status = r.Status;
	to.BytesTransferred = r.BytesTransferred;
	to.QPContext = r.QPContext;
	to.RequestContext = r.RequestContext;
}

static void give(NDK_RESULT_EX &to, const NDK_RESULT_EX &r)
{
	to = r;
}

template <class R>
static ULONG take(NDK_CQ *handle, R *results, ULONG n)
{
	Cq *cq = reinterpret_cast<Cq *>(handle);
	ULONG taken = 0;
	bool empty;

	{
		std::lock_guard<std::mutex> hold(cq->lock);

		while (taken < n && cq->count) {
			const Result &r = cq->ring[cq->head];

			give(results[taken++], r.out);
			if (r.qp && r.slot)
				give_back(reinterpret_cast<Srq *>(r.qp->core.srq), r.slot);
			else if (r.qp)
				ndk_ring_taken(r.receive ? &r.qp->core.recv : &r.qp->core.init);
			cq->head = (cq->head + 1) % cq->size;
			cq->count--;
		}
		empty = !cq->count;
	}
	if (taken && empty) {
		HostLock host(cq->core.obj.host);
		std::lock_guard<std::mutex> hold(cq->lock);

		if (!cq->count)
			ndk_cq_emptied(&cq->core);
	}
	return taken;
}

ULONG get_cq_results(NDK_CQ *pNdkCq, NDK_RESULT *Results, ULONG nResults)
{
	return take(pNdkCq, Results, nResults);
}

ULONG get_cq_results_ex(NDK_CQ *pNdkCq, NDK_RESULT_EX *Results, ULONG nResults)
{
	return take(pNdkCq, Results, nResults);
}

VOID arm_cq(NDK_CQ *pNdkCq, ULONG Type)
{
	Cq *cq = reinterpret_cast<Cq *>(pNdkCq);

	with_core(cq->core.obj.host, [&](ndk_fx *fx) { ndk_cq_arm(&cq->core, Type, fx); });
}

} /* namespace ndk::fabric */
