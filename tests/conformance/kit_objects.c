/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The kit's objects: creating, closing, completion queues and their results. Context: kit.h.
 */
#include "kit.h"
#include "kit_i.h"

/* ---- creating ---- */

static struct kit_call *creation(const char *name, kit_inside inside, PVOID arg)
{
	struct kit_call *c = kit_call(name);

	c->inside = inside;
	c->arg = arg;
	return c;
}

/* The object of a short form. */
static NDK_OBJECT_HEADER *created(struct kit_call *c)
{
	CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
	return c->object;
}

void kit_told_enter(struct kit_told *t, NTSTATUS status)
{
	long stamp = kit_stamp();
	unsigned long flags = conf_lock();

	t->notifications++;
	t->status = status;
	t->entered = stamp;
	if (++t->running > t->most)
		t->most = t->running;
	conf_unlock(flags);
}

void kit_told_leave(struct kit_told *t)
{
	long stamp = kit_stamp();
	unsigned long flags = conf_lock();

	t->left = stamp;
	t->running--;
	conf_unlock(flags);
	conf_signal(&t->signal);
}

static VOID cq_notified(PVOID context, NTSTATUS status)
{
	struct kit_cq *q = (struct kit_cq *)context;

	kit_told_enter(&q->told, status);
	if (q->inside && kit_hooked())
		q->inside(q, status);
	kit_told_leave(&q->told);
}

static struct kit_call *begin_cq(struct kit_cq **q, NDK_ADAPTER *a, ULONG depth, GROUP_AFFINITY *affinity,
				 kit_inside inside, PVOID arg)
{
	struct kit_call *c;

	*q = (struct kit_cq *)kit_alloc(sizeof(**q));
	conf_signal_init(&(*q)->told.signal);
	c = creation("NdkCreateCq", inside, arg);
	c->store = (PVOID *)&(*q)->cq;
	return kit_return(c, a->Dispatch->NdkCreateCq(a, depth, cq_notified, *q, affinity, kit_create_done, c,
						      (NDK_CQ **)&c->output));
}

struct kit_call *kit_begin_cq(struct kit_cq **q, NDK_ADAPTER *a, ULONG depth, kit_inside inside, PVOID arg)
{
	return begin_cq(q, a, depth, (GROUP_AFFINITY *)0, inside, arg);
}

struct kit_call *kit_begin_cq_at(struct kit_cq **q, NDK_ADAPTER *a, ULONG depth, GROUP_AFFINITY *affinity)
{
	return begin_cq(q, a, depth, affinity, (kit_inside)0, (PVOID)0);
}

struct kit_call *kit_begin_pd(NDK_ADAPTER *a, kit_inside inside, PVOID arg)
{
	struct kit_call *c = creation("NdkCreatePd", inside, arg);

	return kit_return(c, a->Dispatch->NdkCreatePd(a, kit_create_done, c, (NDK_PD **)&c->output));
}

static ULONG or_default(ULONG value, ULONG otherwise)
{
	return value ? value : otherwise;
}

struct kit_call *kit_begin_qp(NDK_PD *pd, struct kit_cq *receive, struct kit_cq *initiator,
			      const struct kit_shape *shape, kit_inside inside, PVOID arg)
{
	struct kit_call *c = creation("NdkCreateQp", inside, arg);
	struct kit_shape s;

	memset(&s, 0, sizeof(s));
	if (shape)
		s = *shape;
	return kit_return(c, pd->Dispatch->NdkCreateQp(
				     pd, receive->cq, initiator->cq, s.context ? s.context : kit_context(),
				     or_default(s.receive_depth, KIT_DEPTH), or_default(s.initiator_depth, KIT_DEPTH),
				     or_default(s.receive_sge, 2), or_default(s.initiator_sge, 2), s.inline_size,
				     kit_create_done, c, (NDK_QP **)&c->output));
}

struct kit_call *kit_begin_mr(NDK_PD *pd, BOOLEAN fast, kit_inside inside, PVOID arg)
{
	struct kit_call *c = creation("NdkCreateMr", inside, arg);

	return kit_return(c, pd->Dispatch->NdkCreateMr(pd, fast, kit_create_done, c, (NDK_MR **)&c->output));
}

struct kit_call *kit_begin_mw(NDK_PD *pd, kit_inside inside, PVOID arg)
{
	struct kit_call *c = creation("NdkCreateMw", inside, arg);

	return kit_return(c, pd->Dispatch->NdkCreateMw(pd, kit_create_done, c, (NDK_MW **)&c->output));
}

struct kit_call *kit_begin_srq(NDK_PD *pd, ULONG depth, ULONG sge, ULONG threshold, kit_inside inside, PVOID arg)
{
	struct kit_call *c = creation("NdkCreateSrq", inside, arg);

	return kit_return(c, pd->Dispatch->NdkCreateSrq(pd, depth, sge, threshold,
							(NDK_FN_SRQ_NOTIFICATION_CALLBACK *)0, (PVOID)0,
							(GROUP_AFFINITY *)0, kit_create_done, c,
							(NDK_SRQ **)&c->output));
}

struct kit_call *kit_begin_shared(NDK_ADAPTER *a, const struct kit_address *at, kit_inside inside, PVOID arg)
{
	struct kit_call *c = creation("NdkCreateSharedEndpoint", inside, arg);

	return kit_return(c, a->Dispatch->NdkCreateSharedEndpoint(a, KIT_SA(at), at->len, kit_create_done, c,
								  (NDK_SHARED_ENDPOINT **)&c->output));
}

struct kit_cq *kit_create_cq(NDK_ADAPTER *a, ULONG depth)
{
	struct kit_cq *q;

	return created(kit_begin_cq(&q, a, depth, (kit_inside)0, (PVOID)0)) ? q : (struct kit_cq *)0;
}

NDK_PD *kit_create_pd(NDK_ADAPTER *a)
{
	return (NDK_PD *)created(kit_begin_pd(a, (kit_inside)0, (PVOID)0));
}

NDK_QP *kit_create_qp(NDK_PD *pd, struct kit_cq *receive, struct kit_cq *initiator, const struct kit_shape *shape)
{
	return (NDK_QP *)created(kit_begin_qp(pd, receive, initiator, shape, (kit_inside)0, (PVOID)0));
}

NDK_MR *kit_create_mr(NDK_PD *pd, BOOLEAN fast)
{
	return (NDK_MR *)created(kit_begin_mr(pd, fast, (kit_inside)0, (PVOID)0));
}

NDK_MW *kit_create_mw(NDK_PD *pd)
{
	return (NDK_MW *)created(kit_begin_mw(pd, (kit_inside)0, (PVOID)0));
}

NDK_SHARED_ENDPOINT *kit_create_shared(NDK_ADAPTER *a, const struct kit_address *at)
{
	return (NDK_SHARED_ENDPOINT *)created(kit_begin_shared(a, at, (kit_inside)0, (PVOID)0));
}

/* ---- closing ---- */

/* Every table but the adapter's begins with close, so any of them will do. */
struct kit_call *kit_close_inside(NDK_OBJECT_HEADER *object, kit_inside inside, PVOID arg)
{
	struct kit_call *c = creation("close", inside, arg);

	return kit_return(c, ((NDK_PD *)object)->Dispatch->NdkClosePd(object, kit_close_done, c));
}

struct kit_call *kit_close(NDK_OBJECT_HEADER *object)
{
	return kit_close_inside(object, (kit_inside)0, (PVOID)0);
}

BOOLEAN kit_closed(NDK_OBJECT_HEADER *object)
{
	return kit_wait(kit_close(object)) == STATUS_SUCCESS;
}

/* ---- completion queues ---- */

void kit_arm(struct kit_cq *q, ULONG type)
{
	q->cq->Dispatch->NdkArmCq(q->cq, type);
}

BOOLEAN kit_notified(struct kit_cq *q, ULONG ms)
{
	return conf_wait(&q->told.signal, ms);
}

ULONG kit_poll(struct kit_cq *q, NDK_RESULT_EX *out, ULONG count)
{
	return q->cq->Dispatch->NdkGetCqResultsEx(q->cq, out, count);
}

BOOLEAN kit_result_ms(struct kit_cq *q, NDK_RESULT_EX *out, ULONG ms)
{
	UINT64 until = conf_now_us() + ms * 1000ull;

	for (;;) {
		if (kit_poll(q, out, 1) == 1)
			return TRUE;
		if (conf_now_us() > until)
			return FALSE;
		if (!conf_nap())
			return kit_poll(q, out, 1) == 1;
	}
}

BOOLEAN kit_result(struct kit_cq *q, NDK_RESULT_EX *out)
{
	memset(out, 0, sizeof(*out));
	return kit_result_ms(q, out, KIT_PATIENCE_MS) ||
	       conf_fail("kit", 0, "no result in %u ms", KIT_PATIENCE_MS);
}

BOOLEAN kit_expect(struct kit_cq *q, PVOID context, NTSTATUS status)
{
	NDK_RESULT_EX r;

	if (!kit_result(q, &r))
		return FALSE;
	if (r.RequestContext != context)
		return conf_fail("kit", 0, "a result of another request (status %s)", conf_status_name(r.Status));
	return CHECK_STATUS(r.Status, status);
}

BOOLEAN kit_result_plain(struct kit_cq *q, NDK_RESULT *out)
{
	UINT64 until = conf_now_us() + KIT_PATIENCE_MS * 1000ull;

	memset(out, 0, sizeof(*out));
	while (q->cq->Dispatch->NdkGetCqResults(q->cq, out, 1) != 1)
		if (conf_now_us() > until || !conf_nap())
			return q->cq->Dispatch->NdkGetCqResults(q->cq, out, 1) == 1 ||
			       conf_fail("kit", 0, "no result in %u ms", KIT_PATIENCE_MS);
	return TRUE;
}

BOOLEAN kit_take(struct kit_cq *q, ULONG count)
{
	NDK_RESULT_EX r;
	ULONG i;

	for (i = 0; i < count; i++)
		if (!kit_result(q, &r))
			return FALSE;
	return CHECK_EQ(kit_drain(q), 0);
}

ULONG kit_drain(struct kit_cq *q)
{
	NDK_RESULT_EX r;
	ULONG n = 0;

	while (kit_result_ms(q, &r, KIT_QUIET_MS))
		n++;
	return n;
}
