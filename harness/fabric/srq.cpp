/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Shared receive queues: slots in chunks that never move, consumed in order of posting by whichever
 * queue pair gets a message. The slots are under the queue's own lock, because taking results gives
 * them back without the world's lock. A queue pair that dies takes nothing with it.
 */
#include "fabric.hpp"

namespace ndk::fabric
{

struct Chunk {
	Chunk *next;
	ULONG count;

	SrqSlot *slots() { return reinterpret_cast<SrqSlot *>(this + 1); }
};

/* Slots with their scatter lists behind them; NULL without memory. */
static Chunk *make_chunk(Site *s, ULONG count, ULONG sges)
{
	size_t each = sizeof(SrqSlot) + (size_t)sges * sizeof(NDK_SGE);
	Chunk *c = reinterpret_cast<Chunk *>(make_array<UCHAR>(s, sizeof(Chunk) + count * each));
	NDK_SGE *sge;

	if (!c)
		return nullptr;
	c->count = count;
	sge = reinterpret_cast<NDK_SGE *>(c->slots() + count);
	for (ULONG i = 0; i < count; i++)
		c->slots()[i].sge = sge + (size_t)i * sges;
	return c;
}

/* The queue's lock held, or the queue is nobody's yet. */
static void add_chunk(Srq *srq, Chunk *c)
{
	c->next = srq->chunks;
	srq->chunks = c;
	srq->slots += c->count;
	for (ULONG i = c->count; i--;)
		ndk_srq_add_slot(&srq->core, &c->slots()[i].core);
}

NTSTATUS build_srq(Srq *srq)
{
	Chunk *c = make_chunk(site_of(srq->core.obj), srq->core.depth, srq->core.max_sge);

	if (!c)
		return STATUS_INSUFFICIENT_RESOURCES;
	add_chunk(srq, c);
	return STATUS_SUCCESS;
}

void free_srq(Srq *srq)
{
	while (Chunk *c = srq->chunks) {
		srq->chunks = c->next;
		free(c);
	}
}

/* ---- consumption ---- */
const SrqSlot *first_receive(Srq *srq)
{
	std::lock_guard<std::mutex> hold(srq->lock);

	return srq->lost ? nullptr : srq->first;
}

static void run_fell(const Upcall &u)
{
	Srq *srq = static_cast<Srq *>(u.a);

	ndk_api_srq_fell(&srq->core);
	unpin(srq->pin, srq->core.obj);
}

SrqSlot *use_receive(Srq *srq, Upcalls &up)
{
	SrqSlot *slot;
	bool fell;

	{
		std::lock_guard<std::mutex> hold(srq->lock);

		slot = srq->first;
		srq->first = slot->after;
		if (!srq->first)
			srq->last = nullptr;
		fell = ndk_srq_used_up(&srq->core);
	}
	if (fell) {
		pin(srq->pin);
		up.add({ run_fell, srq, nullptr, 0 });
	}
	return slot;
}

void give_back(Srq *srq, SrqSlot *slot)
{
	std::lock_guard<std::mutex> hold(srq->lock);

	ndk_srq_give_back(&srq->core, &slot->core);
}

/* ---- control ---- */
static NTSTATUS resize(Site *s, Srq *srq, ULONG depth)
{
	Chunk *more = nullptr;

	if (removed(s))
		return STATUS_DEVICE_REMOVED;
	if (depth > srq->slots) {
		more = make_chunk(s, depth - srq->slots, srq->core.max_sge);
		if (!more)
			return STATUS_INSUFFICIENT_RESOURCES;
	}
	HostLock host(&s->core.host); /* NdkModifySrq reads the depth */
	std::lock_guard<std::mutex> hold(srq->lock);

	if (more)
		add_chunk(srq, more);
	return ndk_srq_set_depth(&srq->core, depth) ? STATUS_SUCCESS :
						      STATUS_BUFFER_OVERFLOW; /* U-38 */
}

void modify_srq(ndk_host *h, const ndk_effect *e)
{
	Srq *srq = reinterpret_cast<Srq *>(e->obj);
	ULONG depth;

	{
		HostLock hold(h);

		depth = srq->core.asked_depth;
	}
	ndk_api_srq_answer(&srq->core, resize(site_of(h), srq, depth));
	ndk_api_done(h, e);
}

static void run_failed(const Upcall &u)
{
	Srq *srq = static_cast<Srq *>(u.a);

	ndk_api_srq_failed(&srq->core, STATUS_INTERNAL_ERROR);
	unpin(srq->pin, srq->core.obj);
}

void lose_srq(Srq *srq, Upcalls &up)
{
	if (srq->lost)
		return;
	srq->lost = true;
	pin(srq->pin);
	/* first: whoever is told of the loss finds them broken (SRQ-6) */
	for (Qp *q = site_of(srq->core.obj)->qps; q; q = q->next) {
		if (q->core.srq == &srq->core)
			break_qp(q, up);
	}
	up.add({ run_failed, srq, nullptr, 0 });
}

/* ---- posting ---- */
NTSTATUS post_srq_receive(NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
	Srq *srq = reinterpret_cast<Srq *>(pNdkSrq);
	std::lock_guard<std::mutex> hold(srq->lock);
	NTSTATUS status = ndk_srq_check(&srq->core, pSgl, nSge);
	BOOLEAN reached;
	SrqSlot *slot;

	if (status != STATUS_SUCCESS)
		return status;
	slot = reinterpret_cast<SrqSlot *>(ndk_srq_post(&srq->core, RequestContext, &reached));
	slot->after = nullptr;
	slot->nsge = nSge;
	slot->bytes = 0;
	for (ULONG i = 0; i < nSge; i++) {
		slot->sge[i] = pSgl[i];
		slot->bytes += pSgl[i].Length;
	}
	if (srq->last)
		srq->last->after = slot;
	else
		srq->first = slot;
	srq->last = slot;
	return STATUS_SUCCESS;
}

} /* namespace ndk::fabric */
