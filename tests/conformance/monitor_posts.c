/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitors of work requests and results: M-04, M-05. A post carries a cookie in place of the
 * consumer's context, which is put back when the result is taken. Any context; locking as monitor_i.h
 * says.
 *
 * Receives of an SRQ belong to no QP when they are posted. Their results are held against the QPs of
 * that SRQ: which one is told by the QP context, and its receive CQ has to be the one asked. What is
 * left in an SRQ when it closes never gives a result, so nothing is missed there.
 */
#include "monitor_i.h"

/* ---- posts ---- */

static unsigned long long posts; /* so far, of all cases */

/* With the lock. */
static void unqueue(struct mon_post *p)
{
	struct mon_queue *q = &p->qp->queue[p->queue];

	if (!p->queued)
		return;
	if (p->prev)
		p->prev->next = p->next;
	else
		q->first = p->next;
	if (p->next)
		p->next->prev = p->prev;
	else
		q->last = p->prev;
	p->next = p->prev = (struct mon_post *)0;
	p->queued = FALSE;
}

static void post_over(struct mon_post *p)
{
	unqueue(p);
	p->over = TRUE;
	mon_post_rest(p);
}

struct mon_post *mon_post_begin(enum mon_fn fn, struct mon_object *o, unsigned queue, PVOID context,
				ULONG flags_)
{
	struct mon_queue *q = &o->queue[queue];
	unsigned long flags = conf_lock();
	struct mon_post *p = mon_post_new();

	p->fn = fn;
	p->number = ++posts;
	p->qp = o;
	p->queue = queue;
	p->context = context;
	p->silent = (flags_ & NDK_OP_FLAG_SILENT_SUCCESS) != 0;
	p->queued = TRUE;
	p->prev = q->last;
	if (q->last)
		q->last->next = p;
	else
		q->first = p;
	q->last = p;
	conf_unlock(flags);
	return p;
}

/* After a success the record is not ours any more: its result may have been taken. */
NTSTATUS mon_post_end(struct mon_post *p, enum mon_fn fn, UINT64 mark, NTSTATUS status)
{
	unsigned long flags;

	mon_watched(fn, mark);
	mon_check_status(fn, status, TRUE);
	if (status == STATUS_SUCCESS)
		return status;
	flags = conf_lock();
	if (p->over)
		mon_violate(4, "%s was refused and gave a result", mon_fn_name(fn));
	else
		post_over(p);
	conf_unlock(flags);
	return status;
}

/* ---- windows and their regions, for M-03 ---- */

/* With the lock. */
static void unbind(struct mon_object *mw)
{
	mw->turn++;
	if (mw->bound_to)
		mon_drop_parent(mw, mw->bound_to);
	mw->bound_to = (struct mon_object *)0;
}

void mon_unsettle(struct mon_object *mw)
{
	unsigned long flags = conf_lock();

	unbind(mw);
	conf_unlock(flags);
}

void mon_unsettle_token(UINT32 token)
{
	unsigned long flags = conf_lock();
	struct mon_object *o;

	for (o = mon_first_active(); o; o = o->next_active)
		if (o->type == NdkObjectTypeMw && o->bound_to && o->token == token)
			unbind(o);
	conf_unlock(flags);
}

/*
 * From here on the region's close has to wait for the window (MW-2). It does from the post on (U-36),
 * but until its result is taken the binding may have failed unnoticed. With the lock.
 */
static void settle(struct mon_post *p)
{
	if (p->mw->life != MON_OPEN || p->turn != p->mw->turn)
		return;
	p->mw->bound_to = p->mr;
	mon_add_parent(p->mw, p->mr);
}

/* ---- results ---- */

/* What one result says. */
struct mon_said {
	NTSTATUS status;
	PVOID qp_context;
	const NDK_RESULT_EX *more; /* NULL: taken by the plain call */
};

/* M-05: everything before p in its queue must have been silent, and so has succeeded. With the lock. */
static void check_order(struct mon_post *p)
{
	struct mon_queue *q = &p->qp->queue[p->queue];

	while (q->first != p) {
		if (!q->first->silent) {
			mon_violate(5, "the result of a %s came before that of an earlier %s on QP %u",
				    mon_fn_name(p->fn), mon_fn_name(q->first->fn), p->qp->id);
			return;
		}
		post_over(q->first);
	}
}

/* A receive of an SRQ came through a QP: through which, and was that its turn? With the lock. */
static void check_shared(struct mon_post *p, struct mon_object *cq, const struct mon_said *said)
{
	struct mon_object *qp, *user = (struct mon_object *)0;
	unsigned named = 0, fit = 0;

	for (qp = p->qp->users; qp; qp = qp->next_user) {
		if (qp->qp_context != said->qp_context)
			continue;
		named++;
		if (qp->queue[MON_RECEIVE].cq != cq)
			continue;
		fit++;
		user = qp;
	}
	if (!named)
		mon_violate(4, "a result of SRQ %u names no QP that uses it (SRQ-7, PD-9)", p->qp->id);
	else if (!fit)
		mon_violate(4, "a result of SRQ %u came to another CQ than that of its QP (SRQ-7)", p->qp->id);
	if (said->status == STATUS_CANCELLED && conf_place() == NDK_ON_S)
		mon_violate(4, "a receive of SRQ %u was cancelled, though no QP had it (FLUSH-4)", p->qp->id);
	if (fit != 1)
		return;
	if (p->number < user->newest)
		mon_violate(5, "QP %u used an older receive of SRQ %u after a younger one", user->id, p->qp->id);
	user->newest = p->number;
}

static NDK_OPERATION_TYPE type_of(enum mon_fn fn)
{
	switch ((int)fn) {
	case MON_NdkReceive:
	case MON_NdkSrqReceive:
		return NdkOperationTypeReceive;
	case MON_NdkFastRegister:
		return NdkOperationTypeFastRegister;
	case MON_NdkBind:
		return NdkOperationTypeBind;
	case MON_NdkInvalidate:
		return NdkOperationTypeInvalidate;
	case MON_NdkRead:
		return NdkOperationTypeRead;
	case MON_NdkWrite:
		return NdkOperationTypeWrite;
	default:
		return NdkOperationTypeSend; /* QP-26 */
	}
}

/* With the lock. */
static void check_kind(const struct mon_post *p, const NDK_RESULT_EX *r)
{
	NDK_OPERATION_TYPE type = r->Type;

	if (type == NdkOperationTypeReceiveAndInvalidate && r->Status == STATUS_SUCCESS)
		type = NdkOperationTypeReceive; /* QP-27 */
	if (type != type_of(p->fn))
		mon_violate(4, "the result of a %s says that it is of type %d (QP-26, QP-27)", mon_fn_name(p->fn),
			    (int)r->Type);
	if (r->Status == STATUS_SUCCESS && r->ProviderErrorCode)
		mon_violate(4, "a successful %s has error code %u", mon_fn_name(p->fn), r->ProviderErrorCode);
}

/* With the lock. Returns the consumer's context, to be put back. */
static PVOID take_result(struct mon_object *cq, PVOID cookie, const struct mon_said *said)
{
	struct mon_post *p = (struct mon_post *)mon_resolve(cookie, MON_KIND_POST);

	if (!p) {
		mon_violate(4, "a result with a context that no post gave, or that came long ago");
		return cookie;
	}
	if (p->over) {
		mon_violate(4, "a second result of a %s, or one of a refused or silent one", mon_fn_name(p->fn));
		return p->context;
	}
	if (p->silent && said->status == STATUS_SUCCESS)
		mon_violate(4, "a silent %s succeeded and gave a result (QP-4)", mon_fn_name(p->fn));
	if (said->more)
		check_kind(p, said->more);
	if (p->qp->type == NdkObjectTypeQp) {
		if (p->qp->queue[p->queue].cq != cq)
			mon_violate(4, "a result of a %s came to another CQ (PD-8)", mon_fn_name(p->fn));
		if (p->qp->qp_context != said->qp_context)
			mon_violate(4, "a result of a %s names another QP's context (PD-9)", mon_fn_name(p->fn));
		check_order(p);
	} else {
		check_shared(p, cq, said);
	}
	if (p->mw && said->status == STATUS_SUCCESS)
		settle(p);
	post_over(p);
	return p->context;
}

/* The CQ was found empty: QPs that had ended before hold nothing back in it. With the lock. */
static void check_lost(struct mon_object *cq, long asked_at)
{
	struct mon_object *qp;
	struct mon_post *p;
	unsigned i;

	for (qp = mon_graves(); qp; qp = qp->next_grave) {
		if (qp->closed_at > asked_at)
			continue;
		for (i = 0; i < 2; i++) {
			if (qp->queue[i].cq != cq)
				continue;
			while ((p = qp->queue[i].first) != (struct mon_post *)0) {
				if (!p->silent)
					mon_violate(4, "a %s on QP %u never gave a result (QP-1)",
						    mon_fn_name(p->fn), qp->id);
				post_over(p);
			}
		}
	}
}

/* One poll of a CQ. */
struct mon_poll {
	struct mon_object *cq;
	long asked_at;
	BOOLEAN dead; /* it had told of its failure before */
	UINT64 mark;
};

static BOOLEAN poll_begin(struct mon_poll *a, NDK_CQ *cq)
{
	unsigned long flags;

	a->cq = mon_find(&cq->Header);
	if (!a->cq)
		return FALSE;
	a->asked_at = mon_stamp();
	flags = conf_lock();
	a->dead = a->cq->dead;
	conf_unlock(flags);
	a->mark = mon_watch();
	return TRUE;
}

/* The provider's function has returned; how many of the results are to be looked at. */
static ULONG poll_returned(const struct mon_poll *a, enum mon_fn fn, ULONG got, ULONG count)
{
	mon_watched(fn, a->mark);
	if (a->dead && got)
		mon_violate(4, "CQ %u gave %u results after it had told of its failure (CQ-14, CQ-15)", a->cq->id,
			    got);
	if (got <= count)
		return got;
	mon_violate(4, "%u results where %u were asked for (CQ-16)", got, count);
	return count;
}

static void poll_end(const struct mon_poll *a, ULONG got, ULONG count)
{
	unsigned long flags = conf_lock();

	if (got < count && !a->cq->dead)
		check_lost(a->cq, a->asked_at);
	conf_unlock(flags);
}

ULONG mon_get_results_ex(NDK_CQ *cq, NDK_RESULT_EX *results, ULONG count)
{
	struct mon_poll a;
	unsigned long flags;
	ULONG got, i;

	if (!poll_begin(&a, cq))
		return 0;
	got = ((const NDK_CQ_DISPATCH *)a.cq->real)->NdkGetCqResultsEx(cq, results, count);
	got = poll_returned(&a, MON_NdkGetCqResultsEx, got, count);
	for (i = 0; i < got; i++) {
		const struct mon_said said = { results[i].Status, results[i].QPContext, &results[i] };

		mon_check_status(MON_Result, said.status, FALSE);
		flags = conf_lock();
		results[i].RequestContext = take_result(a.cq, results[i].RequestContext, &said);
		conf_unlock(flags);
	}
	poll_end(&a, got, count);
	return got;
}

ULONG mon_get_results(NDK_CQ *cq, NDK_RESULT *results, ULONG count)
{
	struct mon_poll a;
	unsigned long flags;
	ULONG got, i;

	if (!poll_begin(&a, cq))
		return 0;
	got = ((const NDK_CQ_DISPATCH *)a.cq->real)->NdkGetCqResults(cq, results, count);
	got = poll_returned(&a, MON_NdkGetCqResults, got, count);
	for (i = 0; i < got; i++) {
		const struct mon_said said = { results[i].Status, results[i].QPContext, (const NDK_RESULT_EX *)0 };

		mon_check_status(MON_Result, said.status, FALSE);
		flags = conf_lock();
		results[i].RequestContext = take_result(a.cq, results[i].RequestContext, &said);
		conf_unlock(flags);
	}
	poll_end(&a, got, count);
	return got;
}
