/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitors of requests, creations, closes and events: M-01, M-02, M-03, M-07, M-11. What runs
 * between the consumer's call and the provider, and between the provider's callback and the
 * consumer. Any context; locking as monitor_i.h says.
 */
#include "monitor_i.h"

static const char *who(const struct mon_object *o)
{
	return mon_type(o->type);
}

/* ---- ties of a connector to its QP and shared endpoint (LIFE-3, U-24) ---- */

/* With the lock, when the call is known to have been accepted. */
static void tie(struct mon_call *k)
{
	if (k->tie)
		return;
	k->tie = TRUE;
	mon_add_parent(k->object, k->tied[0]);
	mon_add_parent(k->object, k->tied[1]);
}

static void untie(struct mon_call *k)
{
	if (!k->tie)
		return;
	k->tie = FALSE;
	mon_drop_parent(k->object, k->tied[0]);
	mon_drop_parent(k->object, k->tied[1]);
}

/* ---- the function returned ---- */

/* With the lock: the request is over, the object has one less pending. */
static void over(struct mon_call *k)
{
	if (k->over)
		return;
	k->over = TRUE;
	if (k->fn != MON_NdkClose)
		k->object->pending--;
}

/* Its final status is known, either way. With the lock. */
static void ended(struct mon_call *k, NTSTATUS status)
{
	mon_modify_answered(k, status);
	mon_count(k, status);
}

NTSTATUS mon_call_end(struct mon_call *k, NTSTATUS returned)
{
	unsigned long flags;

	mon_watched(k->fn, k->mark);
	mon_check_status(k->fn, returned, TRUE);
	flags = conf_lock();
	k->returned = returned;
	if (returned != STATUS_PENDING) {
		if (!k->callbacks)
			ended(k, returned);
		if (k->callbacks)
			mon_violate(1, "%s on %s %u was called back and then returned %s", mon_fn_name(k->fn),
				    who(k->object), k->object->id, conf_status_name(returned));
		over(k);
	}
	if (returned == STATUS_SUCCESS || (returned == STATUS_PENDING && !k->over))
		tie(k);
	conf_unlock(flags);
	return returned;
}

static struct mon_call *call_of(PVOID context, const char *what)
{
	unsigned long flags = conf_lock();
	struct mon_call *k = (struct mon_call *)mon_resolve(context, MON_KIND_CALL);

	conf_unlock(flags);
	if (!k)
		mon_violate(1, "a %s came with a context that no call gave (REQ-3)", what);
	return k;
}

/* TRUE if the consumer may be told. With the lock. */
static BOOLEAN may_complete(struct mon_call *k)
{
	if (k->callbacks++ > 0)
		return mon_violate(1, "%s on %s %u was called back again", mon_fn_name(k->fn), who(k->object),
				   k->object->id);
	if (k->returned != MON_INSIDE && k->returned != STATUS_PENDING)
		return mon_violate(1, "%s on %s %u returned %s and was called back all the same",
				   mon_fn_name(k->fn), who(k->object), k->object->id,
				   conf_status_name(k->returned));
	if (k->object->life == MON_CLOSED)
		return mon_violate(2, "%s of %s %u was called back after its close", mon_fn_name(k->fn),
				   who(k->object), k->object->id);
	k->object->running++;
	return TRUE;
}

/* With the lock, when the consumer's callback has returned. */
static void completed(struct mon_call *k, NTSTATUS status)
{
	k->object->running--;
	if (!NT_SUCCESS(status))
		untie(k);
	over(k);
}

VOID mon_request_done(PVOID context, NTSTATUS status)
{
	struct mon_call *k = call_of(context, "request completion");
	unsigned long flags;
	BOOLEAN tell;

	if (!k)
		return;
	mon_check_status(k->fn, status, FALSE);
	flags = conf_lock();
	tell = may_complete(k);
	if (tell)
		ended(k, status);
	if (tell && NT_SUCCESS(status))
		tie(k);
	conf_unlock(flags);
	if (!tell)
		return;
	if (k->done.request)
		k->done.request(k->context, status);
	flags = conf_lock();
	completed(k, status);
	conf_unlock(flags);
}

/* ---- creation ---- */

/* The new object, seen by us before the consumer. */
static void born(struct mon_call *k, NDK_OBJECT_HEADER *header)
{
	mon_add_parent(k->fresh, k->object);
	mon_bind(k->fresh, header, k->object);
}

NTSTATUS mon_create_end(struct mon_call *k, NTSTATUS returned, PVOID *out)
{
	if (returned == STATUS_SUCCESS) {
		if (k->out == k->cookie || !k->out)
			mon_violate(7, "%s succeeded and stored no object (CREATE-4)", mon_fn_name(k->fn));
		else
			born(k, (NDK_OBJECT_HEADER *)k->out);
		if (k->out != k->cookie)
			*out = k->out;
	} else if (k->out != k->cookie) {
		mon_violate(7, "%s returned %s and wrote its output parameter (CREATE-6, CREATE-16)",
			    mon_fn_name(k->fn), conf_status_name(returned));
		k->out = k->cookie;
	}
	return mon_call_end(k, returned);
}

VOID mon_create_done(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	struct mon_call *k = call_of(context, "create completion");
	unsigned long flags;
	BOOLEAN tell;

	if (!k)
		return;
	mon_check_status(k->fn, status, FALSE);
	if (NT_SUCCESS(status) != (object != (NDK_OBJECT_HEADER *)0))
		mon_violate(7, "%s completed with %s and %s object (CREATE-5, CREATE-15)", mon_fn_name(k->fn),
			    conf_status_name(status), object ? "an" : "no");
	flags = conf_lock();
	tell = may_complete(k);
	conf_unlock(flags);
	if (!tell)
		return;
	if (object)
		born(k, object);
	if (k->done.create)
		k->done.create(k->context, status, object);
	flags = conf_lock();
	completed(k, status);
	conf_unlock(flags);
}

/* ---- closing ---- */

/* M-03, when the close of o completes: what descends from it must be gone. With the lock. */
static void check_successors(struct mon_object *o)
{
	struct mon_object *c;
	unsigned i;

	for (c = mon_first_active(); c; c = c->next_active) {
		/* Its close may have completed inside the function, which is about to return so. */
		if (c->life == MON_CLOSING && c->close_inside)
			continue;
		for (i = 0; i < c->parents; i++)
			if (c->parent[i] == o)
				break;
		if (i == c->parents)
			continue;
		mon_violate(3, "the close of %s %u completed before %s %u %s", who(o), o->id, who(c), c->id,
			    c->life == MON_CLOSED ? "had returned from its close callback" :
			    c->life == MON_OPEN	  ? "was closed" :
						    "was called back for its close");
	}
}

static BOOLEAN results_due(const struct mon_object *qp)
{
	return qp->type == NdkObjectTypeQp &&
	       (qp->queue[MON_INITIATOR].first || qp->queue[MON_RECEIVE].first);
}

/* The close of o has completed, at this moment. With the lock. */
static void closed(struct mon_object *o)
{
	if (o->running)
		mon_violate(2, "the close of %s %u completed while a callback of it ran (CLOSE-8, CLOSE-17)",
			    who(o), o->id);
	if (o->pending)
		mon_violate(1, "the close of %s %u completed before %ld pending calls (CLOSE-5)", who(o), o->id,
			    o->pending);
	check_successors(o);
	o->life = MON_CLOSED;
	if (results_due(o))
		mon_bury(o);
}

static VOID mon_close_done(PVOID context)
{
	struct mon_call *k = call_of(context, "close completion");
	struct mon_object *o;
	unsigned long flags;
	unsigned i;

	if (!k)
		return;
	o = k->object;
	flags = conf_lock();
	if (k->callbacks++ > 0 || (k->returned != MON_INSIDE && k->returned != STATUS_PENDING)) {
		mon_violate(1, "the close of %s %u returned %s and was called back %ld times", who(o), o->id,
			    conf_status_name(k->returned), k->callbacks);
		conf_unlock(flags);
		return;
	}
	for (i = 0; i < o->parents; i++)
		if (o->parent[i]->life == MON_CLOSED)
			mon_violate(3, "the close callback of %s %u came after that of %s %u (LIFE-5)", who(o),
				    o->id, who(o->parent[i]), o->parent[i]->id);
	closed(o);
	o->close_late = TRUE;
	conf_unlock(flags);
	if (k->done.close)
		k->done.close(k->context);
	flags = conf_lock();
	o->close_late = FALSE;
	mon_inactive(o);
	over(k);
	conf_unlock(flags);
}

NTSTATUS mon_close(NDK_OBJECT_HEADER *header, NDK_FN_CLOSE_COMPLETION done, PVOID context)
{
	struct mon_object *o = mon_find(header);
	struct mon_call *k;
	unsigned long flags;
	NTSTATUS status;

	if (!o)
		return STATUS_SUCCESS;
	k = mon_call_new(MON_NdkClose, o);
	k->done.close = done;
	k->context = context;
	flags = conf_lock();
	o->life = MON_CLOSING;
	o->close_inside = TRUE;
	mon_unhash(o);
	conf_unlock(flags);
	status = o->close(header, mon_close_done, k->cookie);
	mon_watched(MON_NdkClose, k->mark);
	mon_check_status(MON_NdkClose, status, TRUE);
	flags = conf_lock();
	o->close_inside = FALSE;
	k->returned = status;
	if (status != STATUS_PENDING) {
		if (k->callbacks)
			mon_violate(1, "the close of %s %u was called back and then returned %s", who(o), o->id,
				    conf_status_name(status));
		else
			closed(o);
		if (!k->over)
			mon_inactive(o);
		over(k);
	}
	conf_unlock(flags);
	return status;
}

/* ---- events ---- */

BOOLEAN mon_event_entered(struct mon_object *o, const char *what)
{
	unsigned long flags = conf_lock();
	BOOLEAN tell = TRUE;

	if (o->life == MON_CLOSED)
		tell = mon_violate(2, "%s of %s %u after its close", what, who(o), o->id);
	else if (o->life == MON_CLOSING && !o->close_inside && conf_place() == NDK_ON_S)
		/* Elsewhere it may have been on its way when the close was accepted. */
		mon_violate(2, "%s of %s %u began after its close was accepted (CLOSE-13)", what, who(o), o->id);
	if (tell)
		o->running++;
	conf_unlock(flags);
	return tell;
}

void mon_event_left(struct mon_object *o)
{
	unsigned long flags = conf_lock();

	o->running--;
	conf_unlock(flags);
}

VOID mon_connect_event(PVOID context, NDK_CONNECTOR *connector)
{
	unsigned long flags = conf_lock();
	struct mon_object *l = (struct mon_object *)mon_resolve(context, MON_KIND_OBJECT), *c;

	conf_unlock(flags);
	if (!l || l->type != NdkObjectTypeListener) {
		mon_violate(1, "a connect event came with a context that no listener gave (LISTEN-7)");
		return;
	}
	if (!connector) {
		mon_violate(7, "a connect event came without a connector (LISTEN-7)");
		return;
	}
	if (!mon_event_entered(l, "connect event"))
		return;
	c = mon_object_new(NdkObjectTypeConnector);
	c->delivered = TRUE;
	mon_add_parent(c, l);
	if (l->parents)
		mon_add_parent(c, l->parent[0]);
	mon_bind(c, &connector->Header, l);
	if (l->event.connect)
		l->event.connect(l->event_context, connector);
	mon_event_left(l);
}

/* The call that registered the event, if it may be delivered. */
static struct mon_call *gone(PVOID context)
{
	struct mon_call *k = call_of(context, "disconnect event");
	unsigned long flags;
	BOOLEAN tell = TRUE;

	if (!k)
		return k;
	if (!mon_event_entered(k->object, "disconnect event"))
		return (struct mon_call *)0;
	flags = conf_lock();
	if (k->object->disconnects++ > 0)
		tell = mon_violate(11, "connector %u got a disconnect event again", k->object->id);
	else if (k->returned == STATUS_PENDING && !k->over)
		mon_violate(11, "connector %u got a disconnect event before its %s was answered (U-18)",
			    k->object->id, mon_fn_name(k->fn));
	else if (k->returned != MON_INSIDE && !NT_SUCCESS(k->returned))
		mon_violate(11, "connector %u got a disconnect event registered by a failed %s",
			    k->object->id, mon_fn_name(k->fn));
	conf_unlock(flags);
	if (!tell)
		mon_event_left(k->object);
	return tell ? k : (struct mon_call *)0;
}

VOID mon_disconnect_event(PVOID context)
{
	struct mon_call *k = gone(context);

	if (!k)
		return;
	if (k->gone)
		k->gone(k->gone_context);
	else
		mon_violate(11, "a plain disconnect event where the Ex form or none was registered (DISC-17)");
	mon_event_left(k->object);
}

VOID mon_disconnect_event_ex(PVOID context, ULONG reason)
{
	struct mon_call *k = gone(context);

	if (!k)
		return;
	if (k->gone_ex)
		k->gone_ex(k->gone_context, reason);
	else
		mon_violate(11, "an Ex disconnect event where the plain form or none was registered (DISC-17)");
	mon_event_left(k->object);
}
