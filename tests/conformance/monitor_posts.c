/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitors of work requests, results, arms and notifications: M-04, M-05, M-06. A post carries a
 * cookie in place of the consumer's context, which is put back when the result is taken. Any context;
 * locking as monitor_i.h says.
 */
#include "monitor_i.h"

/* ---- posts ---- */

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

NTSTATUS mon_post_end(struct mon_post *p, NTSTATUS status)
{
	unsigned long flags;

	mon_check_status(p->fn, status, TRUE);
	if (status == STATUS_SUCCESS)
		return status;
	flags = conf_lock();
	if (p->over)
		mon_violate(4, "%s was refused and gave a result", mon_fn_name(p->fn));
	else
		post_over(p);
	conf_unlock(flags);
	return status;
}

/* ---- results ---- */

/* M-05: everything before p in its queue must have been silent, and so has succeeded. With the lock. */
static void check_order(struct mon_post *p)
{
	struct mon_queue *q = &p->qp->queue[p->queue];

	if (p->qp->type == NdkObjectTypeSrq)
		return;
	while (q->first != p) {
		if (!q->first->silent) {
			mon_violate(5, "the result of a %s came before that of an earlier %s on QP %u",
				    mon_fn_name(p->fn), mon_fn_name(q->first->fn), p->qp->id);
			return;
		}
		post_over(q->first);
	}
}

/* With the lock. Puts the consumer's context back. */
static void take_result(struct mon_object *cq, PVOID *context, NTSTATUS status, PVOID qp_context)
{
	struct mon_post *p = (struct mon_post *)mon_resolve(*context, MON_KIND_POST);

	if (!p) {
		mon_violate(4, "a result with a context that no post gave, or that came long ago");
		return;
	}
	*context = p->context;
	if (p->over) {
		mon_violate(4, "a second result of a %s, or one of a refused or silent one", mon_fn_name(p->fn));
		return;
	}
	if (p->silent && status == STATUS_SUCCESS)
		mon_violate(4, "a silent %s succeeded and gave a result (QP-4)", mon_fn_name(p->fn));
	if (p->qp->type == NdkObjectTypeQp) {
		if (p->qp->queue[p->queue].cq != cq)
			mon_violate(4, "a result of a %s came to another CQ (PD-8)", mon_fn_name(p->fn));
		if (p->qp->qp_context != qp_context)
			mon_violate(4, "a result of a %s names another QP's context (PD-9)", mon_fn_name(p->fn));
	}
	check_order(p);
	post_over(p);
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

ULONG mon_get_results_ex(NDK_CQ *cq, NDK_RESULT_EX *results, ULONG count)
{
	struct mon_object *o = mon_find(&cq->Header);
	long asked_at = mon_stamp();
	unsigned long flags;
	ULONG got, i;

	if (!o)
		return 0;
	got = ((const NDK_CQ_DISPATCH *)o->real)->NdkGetCqResultsEx(cq, results, count);
	if (got > count) {
		mon_violate(4, "%u results where %u were asked for (CQ-16)", got, count);
		got = count;
	}
	for (i = 0; i < got; i++)
		mon_check_status(MON_Result, results[i].Status, FALSE);
	flags = conf_lock();
	for (i = 0; i < got; i++)
		take_result(o, &results[i].RequestContext, results[i].Status, results[i].QPContext);
	if (got < count && !o->dead)
		check_lost(o, asked_at);
	conf_unlock(flags);
	return got;
}

ULONG mon_get_results(NDK_CQ *cq, NDK_RESULT *results, ULONG count)
{
	struct mon_object *o = mon_find(&cq->Header);
	long asked_at = mon_stamp();
	unsigned long flags;
	ULONG got, i;

	if (!o)
		return 0;
	got = ((const NDK_CQ_DISPATCH *)o->real)->NdkGetCqResults(cq, results, count);
	if (got > count) {
		mon_violate(4, "%u results where %u were asked for (CQ-16)", got, count);
		got = count;
	}
	for (i = 0; i < got; i++)
		mon_check_status(MON_Result, results[i].Status, FALSE);
	flags = conf_lock();
	for (i = 0; i < got; i++)
		take_result(o, &results[i].RequestContext, results[i].Status, results[i].QPContext);
	if (got < count && !o->dead)
		check_lost(o, asked_at);
	conf_unlock(flags);
	return got;
}

/* ---- arms and notifications ---- */

VOID mon_arm_cq(NDK_CQ *cq, ULONG type)
{
	struct mon_object *o = mon_find(&cq->Header);
	unsigned long flags;

	if (!o)
		return;
	flags = conf_lock();
	o->arms++;
	conf_unlock(flags);
	((const NDK_CQ_DISPATCH *)o->real)->NdkArmCq(cq, type);
}

/*
 * M-06. Arms are counted, not merged: one that the provider has satisfied already is spent, though
 * its callback may not have begun when the consumer arms again.
 */
static struct mon_object *notified(PVOID context, NDK_OBJECT_TYPE type, const char *what)
{
	unsigned long flags = conf_lock();
	struct mon_object *o = (struct mon_object *)mon_resolve(context, MON_KIND_OBJECT);

	conf_unlock(flags);
	if (!o || o->type != type) {
		mon_violate(6, "a %s came with a context that no creation gave", what);
		return (struct mon_object *)0;
	}
	if (!mon_event_entered(o, what))
		return (struct mon_object *)0;
	flags = conf_lock();
	if (++o->notifications > o->arms)
		mon_violate(6, "%s %u was notified %ld times for %ld arms (CQ-3, CQ-4)", mon_type(type), o->id,
			    o->notifications, o->arms);
	if (o->notifying++ > 0)
		mon_violate(6, "notifications of %s %u overlap (CQ-7)", mon_type(type), o->id);
	conf_unlock(flags);
	return o;
}

static void notified_left(struct mon_object *o)
{
	unsigned long flags = conf_lock();

	o->notifying--;
	conf_unlock(flags);
	mon_event_left(o);
}

static void died(struct mon_object *cq)
{
	unsigned long flags = conf_lock();

	cq->dead = TRUE;
	conf_unlock(flags);
}

VOID mon_cq_event(PVOID context, NTSTATUS status)
{
	struct mon_object *o = notified(context, NdkObjectTypeCq, "CQ notification");

	if (!o)
		return;
	mon_check_status(MON_CqStatus, status, FALSE);
	if (status != STATUS_SUCCESS)
		died(o);
	if (o->event.cq)
		o->event.cq(o->event_context, status);
	notified_left(o);
}

VOID mon_srq_event(PVOID context, NTSTATUS status)
{
	struct mon_object *o = notified(context, NdkObjectTypeSrq, "SRQ notification");

	if (!o)
		return;
	mon_check_status(MON_SrqStatus, status, FALSE);
	if (o->event.srq)
		o->event.srq(o->event_context, status);
	notified_left(o);
}
