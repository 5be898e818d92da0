/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitor of arms and notifications, M-06, for CQs and SRQs. Any context; locking as monitor_i.h
 * says.
 *
 * A CQ is armed by NdkArmCq. An SRQ is armed by its creation with a threshold and by NdkModifySrq with
 * one; the loss of an SRQ is told once, armed or not.
 */
#include "monitor_i.h"

VOID mon_arm_cq(NDK_CQ *cq, ULONG type)
{
	struct mon_object *o = mon_find(&cq->Header);
	unsigned long flags;
	UINT64 mark;

	if (!o)
		return;
	flags = conf_lock();
	o->arms++;
	conf_unlock(flags);
	mark = mon_watch();
	((const NDK_CQ_DISPATCH *)o->real)->NdkArmCq(cq, type);
	mon_watched(MON_NdkArmCq, mark);
}

/* An arm that its call did not take. With the lock. */
void mon_modify_answered(struct mon_call *k, NTSTATUS status)
{
	if (k->arming && !NT_SUCCESS(status))
		k->object->arms--;
	k->arming = FALSE;
}

/*
 * M-06. Arms are counted, not merged: one that the provider has satisfied already is spent, though
 * its callback may not have begun when the consumer arms again. With the lock.
 */
static void check_paid(struct mon_object *o, NTSTATUS status)
{
	if (o->type == NdkObjectTypeSrq && status != STATUS_SUCCESS) {
		if (o->dead)
			mon_violate(6, "the loss of SRQ %u was told again (SRQ-6)", o->id);
	} else if (++o->notifications > o->arms) {
		mon_violate(6, "%s %u was notified %ld times for %ld arms (%s)", mon_type(o->type), o->id,
			    o->notifications, o->arms, o->type == NdkObjectTypeSrq ? "SRQ-5" : "CQ-3, CQ-4");
	}
	if (status != STATUS_SUCCESS)
		o->dead = TRUE;
}

/* The object that may be told, or NULL. */
static struct mon_object *notified(PVOID context, NTSTATUS status, NDK_OBJECT_TYPE type, const char *what)
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
	check_paid(o, status);
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

VOID mon_cq_event(PVOID context, NTSTATUS status)
{
	struct mon_object *o = notified(context, status, NdkObjectTypeCq, "CQ notification");

	if (!o)
		return;
	mon_check_status(MON_CqStatus, status, FALSE);
	if (o->event.cq)
		o->event.cq(o->event_context, status);
	notified_left(o);
}

VOID mon_srq_event(PVOID context, NTSTATUS status)
{
	struct mon_object *o = notified(context, status, NdkObjectTypeSrq, "SRQ notification");

	if (!o)
		return;
	mon_check_status(MON_SrqStatus, status, FALSE);
	if (o->event.srq)
		o->event.srq(o->event_context, status);
	notified_left(o);
}
