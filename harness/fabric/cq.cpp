/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Completion queues: a ring of results under a lock of its own, which is innermost; arming is the
 * core's, under the host's lock.
 *
 * A result is in the ring before the core hears of it. The consumer may have taken it by then: an arm
 * is satisfied all the same (CQ-10), but nothing stays behind that would satisfy the next one.
 */
#include "fabric.hpp"

namespace ndk::fabric
{

static constexpr UINT64 solicited_bit = 1;
static constexpr UINT64 overrun_bit = 2;

static void run_arrived(const Upcall &u)
{
	Qp *qp = static_cast<Qp *>(u.a);
	Cq *cq = static_cast<Cq *>(u.b);
	ndk_host *h = cq->core.obj.host;
	ndk_fx fx;

	ndk_fx_init(&fx);
	{
		HostLock hold(h);

		if (u.n & overrun_bit)
			ndk_cq_failed(&cq->core, STATUS_BUFFER_OVERFLOW, &fx);
		else
			ndk_cq_arrived(&cq->core, (u.n & solicited_bit) != 0, &fx);
		std::lock_guard<std::mutex> ring(cq->lock);

		if (!cq->count)
			ndk_cq_emptied(&cq->core);
	}
	ndk_api_run(h, &fx);
	unpin(qp->pin, qp->core.obj);
}

/* The queue pair keeps the CQ, the pin keeps the queue pair. */
static void tell(Qp *qp, Cq *cq, UINT64 bits, Upcalls &up)
{
	Upcall *last = up.last();

	if (last && last->fn == run_arrived && last->a == qp && last->b == cq &&
	    ((last->n ^ bits) & overrun_bit) == 0) {
		last->n |= bits;
		return;
	}
	pin(qp->pin);
	up.add({ run_arrived, qp, cq, bits });
}

/* The CQ and all its queue pairs are lost (CQ-14). */
static void overrun(Qp *qp, Cq *cq, Upcalls &up)
{
	tell(qp, cq, overrun_bit, up);
	for (Qp *q = site_of(cq->core.obj)->qps; q; q = q->next) {
		if (q->core.rcq == &cq->core || q->core.icq == &cq->core)
			break_qp(q, up);
	}
}

void complete(Qp *qp, bool receive, NTSTATUS status, ULONG bytes, bool solicited, Upcalls &up)
{
	Cq *cq = reinterpret_cast<Cq *>(receive ? qp->core.rcq : qp->core.icq);
	ndk_ring *ring = receive ? &qp->core.recv : &qp->core.init;
	bool visible = false;
	bool full = false;
	Result r{};

	{
		std::lock_guard<std::mutex> hold(cq->lock);

		visible = ndk_ring_complete(&qp->core, ring, status, bytes, &r.out);
		if (cq->lost)
			return;
		full = visible && cq->count == cq->core.depth;
		if (full) {
			cq->lost = true;
			cq->count = 0;
		} else if (visible) {
			r.qp = qp;
			r.receive = receive;
			cq->ring[(cq->head + cq->count) % cq->core.depth] = r;
			cq->count++;
		}
	}
	if (full)
		overrun(qp, cq, up);
	else if (visible)
		tell(qp, cq, solicited || status != STATUS_SUCCESS ? solicited_bit : 0,
		     up); /* CQ-12 */
}

static void forget_in(Cq *cq, const Qp *qp)
{
	std::lock_guard<std::mutex> hold(cq->lock);

	for (ULONG i = 0; i < cq->count; i++) {
		Result &r = cq->ring[(cq->head + i) % cq->core.depth];

		if (r.qp == qp)
			r.qp = nullptr;
	}
}

void forget_qp(Qp *qp)
{
	forget_in(reinterpret_cast<Cq *>(qp->core.rcq), qp);
	if (qp->core.icq != qp->core.rcq)
		forget_in(reinterpret_cast<Cq *>(qp->core.icq), qp);
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
			if (r.qp)
				ndk_ring_taken(r.receive ? &r.qp->core.recv : &r.qp->core.init);
			cq->head = (cq->head + 1) % cq->core.depth;
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
	ndk_host *h = cq->core.obj.host;
	ndk_fx fx;

	ndk_fx_init(&fx);
	{
		HostLock hold(h);

		ndk_cq_arm(&cq->core, Type, &fx);
	}
	ndk_api_run(h, &fx);
}

} /* namespace ndk::fabric */
