/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitors' records and verdicts: cookies, objects and who depends on whom, the beginning and
 * the end of a case (M-08 and everything that can only be judged then). Rules of locking and of the
 * life of records: monitor_i.h.
 */
#include "monitor_i.h"
#include "env.h"

#define MON_CHUNK 128u /* slots, allocated in any context */
#define MON_CHUNKS 16384u
#define MON_BUCKETS 512u
#define MON_REST 8192u /* posts that rest before their cookie is used again */
#define MON_KEY 0x9e3779b97f4a7c15ull
#define MON_TAG 0x5ca1abull

struct mon_slot {
	PVOID body;
	UCHAR kind;	/* enum mon_kind */
	USHORT generation;
};

static struct {
	struct mon_slot *chunk[MON_CHUNKS];
	UINT32 slots;
	struct mon_object *hash[MON_BUCKETS];
	struct mon_object *active, *active_last, *all, *graves;
	struct mon_call *calls;
	struct mon_post *rest, *rest_last;
	unsigned resting, ids;
	long stamp;
	long spoke[MON_IDS];
	BOOLEAN excused[MON_IDS];
	BOOLEAN capture;
	void (*close_adapter)(NDK_ADAPTER *adapter); /* NULL: NdkCloseAdapter */
	struct ndk_live live[MON_ADAPTERS];
} mon;

/* ---- verdicts ---- */

BOOLEAN mon_violate(unsigned id, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	env_add(&mon.spoke[id], 1);
	if (mon.capture || mon.excused[id])
		return FALSE;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return conf_fail("monitor", (int)id, "M-%02u: %s", id, text);
}

void monitor_excuse(unsigned id, const char *reason)
{
	mon.excused[id] = TRUE;
	conf_note("M-%02u is excused: %s", id, reason);
}

void monitor_capture(BOOLEAN on)
{
	memset(mon.spoke, 0, sizeof(mon.spoke));
	mon.capture = on;
}

void monitor_closes_adapters_with(void (*fn)(NDK_ADAPTER *adapter))
{
	mon.close_adapter = fn;
}

long monitor_spoke(unsigned id)
{
	return mon.spoke[id];
}

long mon_stamp(void)
{
	unsigned long flags = conf_lock();
	long stamp = ++mon.stamp;

	conf_unlock(flags);
	return stamp;
}

const char *mon_type(NDK_OBJECT_TYPE type)
{
	static const char *const names[] = { "object of no type", "adapter", "QP", "CQ", "MR", "MW", "PD",
					     "shared endpoint", "connector", "listener", "SRQ" };

	return (unsigned)type < sizeof(names) / sizeof(names[0]) ? names[type] : "object of an unknown type";
}

/* ---- cookies: what the provider gets as context, so that a wrong one is noticed, not followed ---- */

static PVOID cookie_of(UINT32 index, USHORT generation)
{
	UINT64 v = ((UINT64)index << 40) | ((UINT64)generation << 24) | MON_TAG;

	return (PVOID)(ULONG_PTR)(v ^ MON_KEY);
}

static struct mon_slot *slot_at(UINT32 index)
{
	return &mon.chunk[index / MON_CHUNK][index % MON_CHUNK];
}

/* With the lock. */
static PVOID cookie_new(enum mon_kind kind, PVOID body)
{
	UINT32 index = mon.slots;
	struct mon_slot *slot;

	if (index / MON_CHUNK >= MON_CHUNKS)
		env_out_of_memory("monitor records");
	if (!mon.chunk[index / MON_CHUNK])
		mon.chunk[index / MON_CHUNK] =
			(struct mon_slot *)conf_alloc(MON_CHUNK * sizeof(struct mon_slot));
	mon.slots++;
	slot = slot_at(index);
	slot->body = body;
	slot->kind = (UCHAR)kind;
	return cookie_of(index, slot->generation);
}

static struct mon_slot *slot_of(PVOID cookie, enum mon_kind kind, UINT32 *index)
{
	UINT64 v = (UINT64)(ULONG_PTR)cookie ^ MON_KEY;
	struct mon_slot *slot;

	*index = (UINT32)(v >> 40);
	if ((v & 0xffffffull) != MON_TAG || *index >= mon.slots)
		return (struct mon_slot *)0;
	slot = slot_at(*index);
	if (slot->kind != (UCHAR)kind || slot->generation != (USHORT)(v >> 24))
		return (struct mon_slot *)0;
	return slot;
}

PVOID mon_resolve(PVOID cookie, enum mon_kind kind)
{
	UINT32 index;
	struct mon_slot *slot = slot_of(cookie, kind, &index);

	return slot ? slot->body : (PVOID)0;
}

/* ---- objects ---- */

static unsigned bucket(const NDK_OBJECT_HEADER *header)
{
	return (unsigned)(((UINT64)(ULONG_PTR)header * MON_KEY) >> 40) % MON_BUCKETS;
}

struct mon_object *mon_object_new(NDK_OBJECT_TYPE type)
{
	struct mon_object *o = (struct mon_object *)conf_alloc(sizeof(*o));
	unsigned long flags;

	o->type = type;
	flags = conf_lock();
	o->id = ++mon.ids;
	o->cookie = cookie_new(MON_KIND_OBJECT, o);
	o->next_all = mon.all;
	mon.all = o;
	conf_unlock(flags);
	return o;
}

/* With the lock. */
static void activate(struct mon_object *o)
{
	struct mon_object **b = &mon.hash[bucket(o->header)];

	o->next_hash = *b;
	*b = o;
	o->prev_active = mon.active_last;
	if (mon.active_last)
		mon.active_last->next_active = o;
	else
		mon.active = o;
	mon.active_last = o;
}

void mon_unhash(struct mon_object *o)
{
	struct mon_object **p = &mon.hash[bucket(o->header)];

	while (*p && *p != o)
		p = &(*p)->next_hash;
	if (*p)
		*p = o->next_hash;
}

void mon_inactive(struct mon_object *o)
{
	if (o->prev_active)
		o->prev_active->next_active = o->next_active;
	else
		mon.active = o->next_active;
	if (o->next_active)
		o->next_active->prev_active = o->prev_active;
	else
		mon.active_last = o->prev_active;
	o->next_active = o->prev_active = (struct mon_object *)0;
}

struct mon_object *mon_first_active(void)
{
	return mon.active;
}

struct mon_object *mon_all(void)
{
	return mon.all;
}

void mon_bury(struct mon_object *qp)
{
	qp->closed_at = ++mon.stamp;
	qp->next_grave = mon.graves;
	mon.graves = qp;
}

struct mon_object *mon_graves(void)
{
	return mon.graves;
}

void mon_add_parent(struct mon_object *o, struct mon_object *parent)
{
	if (parent && o->parents < MON_PARENTS)
		o->parent[o->parents++] = parent;
}

void mon_drop_parent(struct mon_object *o, struct mon_object *parent)
{
	unsigned i;

	for (i = 0; i < o->parents; i++) {
		if (o->parent[i] != parent)
			continue;
		o->parent[i] = o->parent[--o->parents];
		return;
	}
}

struct mon_object *mon_look(const NDK_OBJECT_HEADER *header)
{
	struct mon_object *o;

	for (o = header ? mon.hash[bucket(header)] : (struct mon_object *)0; o; o = o->next_hash)
		if (o->header == header)
			return o;
	return (struct mon_object *)0;
}

struct mon_object *mon_find(const NDK_OBJECT_HEADER *header)
{
	unsigned long flags = conf_lock();
	struct mon_object *o = mon_look(header);

	conf_unlock(flags);
	if (!o)
		conf_fail("monitor", 0, "the case uses an object that it closed or never had");
	return o;
}

/* OBJ-2 to OBJ-5 and GEN-1, which hold at hand-over. */
static void check_hand_over(struct mon_object *o, struct mon_object *from)
{
	const NDK_OBJECT_HEADER *h = o->header;
	const PVOID *slot = (const PVOID *)o->real;
	unsigned i, slots = 0;

	mon_table(o->type, &slots);
	if (h->ObjectType != o->type)
		mon_violate(7, "a %s was handed over with object type %d (OBJ-2)", mon_type(o->type),
			    (int)h->ObjectType);
	if (from && (h->Version.Major != from->header->Version.Major ||
		     h->Version.Minor != from->header->Version.Minor))
		mon_violate(7, "a %s has version %u.%u, its adapter another (OBJ-3)", mon_type(o->type),
			    h->Version.Major, h->Version.Minor);
	for (i = 0; i < 4; i++)
		if (h->NdkReserved.rf[i])
			mon_violate(7, "a %s has reserved word %u set at hand-over (OBJ-4)",
				    mon_type(o->type), i);
	for (i = 0; slot && i < slots; i++)
		if (!slot[i])
			mon_violate(7, "a %s has no function in slot %u (GEN-1)", mon_type(o->type), i);
	if (!slot)
		mon_violate(7, "a %s has no dispatch table at hand-over (OBJ-5)", mon_type(o->type));
}

void mon_bind(struct mon_object *o, NDK_OBJECT_HEADER *header, struct mon_object *from)
{
	/* All objects look alike behind their header (OBJ-1). */
	NDK_PD *any = (NDK_PD *)header;
	const PVOID *slot = (const PVOID *)(const VOID *)any->Dispatch;
	unsigned slots;
	unsigned long flags;

	o->header = header;
	o->adapter = from ? from->adapter : o;
	o->real = any->Dispatch;
	check_hand_over(o, from);
	if (!slot)
		return;
	if (o->type == NdkObjectTypeAdapter) {
		o->query = ((const NDK_ADAPTER_DISPATCH *)o->real)->NdkQueryExtension;
	} else { /* the first two slots are these in every other table */
		o->close = ((const NDK_PD_DISPATCH *)o->real)->NdkClosePd;
		o->query = ((const NDK_PD_DISPATCH *)o->real)->NdkQueryExtension;
	}
	any->Dispatch = (const NDK_PD_DISPATCH *)mon_table(o->type, &slots);
	flags = conf_lock();
	o->bound = TRUE;
	activate(o);
	conf_unlock(flags);
}

NDK_OBJECT_HEADER *monitor_open_object(unsigned n)
{
	unsigned long flags = conf_lock();
	struct mon_object *o = mon.active;

	while (o && (o->life != MON_OPEN || n-- > 0))
		o = o->next_active;
	conf_unlock(flags);
	return o ? o->header : (NDK_OBJECT_HEADER *)0;
}

/* ---- calls and posts ---- */

struct mon_call *mon_call_new(enum mon_fn fn, struct mon_object *o)
{
	struct mon_call *k = (struct mon_call *)conf_alloc(sizeof(*k));
	unsigned long flags;

	k->fn = fn;
	k->object = o;
	k->returned = MON_INSIDE;
	k->mark = mon_watch();
	flags = conf_lock();
	k->cookie = cookie_new(MON_KIND_CALL, k);
	k->event_had = o->disconnects > 0;
	k->next_all = mon.calls;
	mon.calls = k;
	if (fn != MON_NdkClose)
		o->pending++;
	conf_unlock(flags);
	return k;
}

long monitor_pending_calls(void)
{
	unsigned long flags = conf_lock();
	struct mon_call *k;
	long n = 0;

	for (k = mon.calls; k; k = k->next_all)
		n += !k->over;
	conf_unlock(flags);
	return n;
}

/* Posts are many, so they are used again; a result with the former cookie is noticed all the same. */
struct mon_post *mon_post_new(void)
{
	struct mon_post *p = mon.rest;
	struct mon_slot *slot;
	PVOID cookie;
	UINT32 index;

	if (mon.resting < MON_REST) {
		p = (struct mon_post *)conf_alloc(sizeof(*p));
		p->cookie = cookie_new(MON_KIND_POST, p);
		return p;
	}
	mon.rest = p->next;
	mon.resting--;
	slot = slot_of(p->cookie, MON_KIND_POST, &index);
	cookie = cookie_of(index, ++slot->generation);
	memset(p, 0, sizeof(*p));
	p->cookie = cookie;
	return p;
}

void mon_post_rest(struct mon_post *p)
{
	p->next = (struct mon_post *)0;
	if (mon.resting++ == 0)
		mon.rest = p;
	else
		mon.rest_last->next = p;
	mon.rest_last = p;
}

/* ---- beginning and end of a case ---- */

static void take_numbers(struct ndk_live *live)
{
	unsigned i;

	for (i = 0; i < MON_ADAPTERS; i++) {
		memset(&live[i], 0, sizeof(live[i]));
		if (conf_adapter_name(i))
			ndk_control_live(conf_adapter_name(i), &live[i]); /* nothing lives there if it fails */
	}
}

void monitor_begin(void)
{
	memset(mon.spoke, 0, sizeof(mon.spoke));
	memset(mon.excused, 0, sizeof(mon.excused));
	mon.capture = FALSE;
	mon.close_adapter = (void (*)(NDK_ADAPTER *))0;
	take_numbers(mon.live);
	mon_count_begin();
}

static void judge_numbers(void)
{
	struct ndk_live now[MON_ADAPTERS];
	unsigned i, t;

	take_numbers(now);
	for (i = 0; i < MON_ADAPTERS; i++) {
		for (t = 0; t < NdkObjectTypeMax; t++)
			if (now[i].objects[t] != mon.live[i].objects[t])
				mon_violate(8, "%s: %u objects of type %s, %u at the start",
					    conf_adapter_name(i), now[i].objects[t],
					    mon_type((NDK_OBJECT_TYPE)t), mon.live[i].objects[t]);
		if (now[i].endpoints != mon.live[i].endpoints || now[i].tuples != mon.live[i].tuples)
			mon_violate(8, "%s: %u endpoints and %u tuples, %u and %u at the start",
				    conf_adapter_name(i), now[i].endpoints, now[i].tuples,
				    mon.live[i].endpoints, mon.live[i].tuples);
	}
}

static void judge_calls(void)
{
	struct mon_call *k;

	for (k = mon.calls; k; k = k->next_all) {
		if (k->returned == STATUS_PENDING && k->callbacks == 0)
			mon_violate(1, "%s on %s %u pended and was never answered", mon_fn_name(k->fn),
				    mon_type(k->object->type), k->object->id);
		if (k->fresh && k->returned == STATUS_PENDING && k->out != k->cookie)
			mon_violate(7, "%s pended and wrote its output parameter", mon_fn_name(k->fn));
	}
}

static void free_records(void)
{
	UINT32 i;

	for (i = 0; i < mon.slots; i++)
		conf_free(slot_at(i)->body);
	for (i = 0; i < MON_CHUNKS && mon.chunk[i]; i++) {
		conf_free(mon.chunk[i]);
		mon.chunk[i] = (struct mon_slot *)0;
	}
	memset(mon.hash, 0, sizeof(mon.hash));
	mon.slots = 0;
	mon.active = mon.active_last = mon.all = mon.graves = (struct mon_object *)0;
	mon.calls = (struct mon_call *)0;
	mon.rest = mon.rest_last = (struct mon_post *)0;
	mon.resting = mon.ids = 0;
}

void monitor_end(void)
{
	struct mon_object *o;

	judge_calls();
	for (o = mon.active; o; o = o->next_active)
		mon_violate(2, "%s %u %s", mon_type(o->type), o->id,
			    o->life == MON_OPEN ? "was left open" : "never came to the end of its close");
	judge_numbers();
	mon_count_end();
	free_records();
}

/* ---- adapters, which have no dispatch slot for their end ---- */

void monitor_adopt(NDK_ADAPTER *adapter, unsigned which)
{
	struct mon_object *o = mon_object_new(NdkObjectTypeAdapter);

	o->which = which;
	mon_bind(o, &adapter->Header, (struct mon_object *)0);
}

void monitor_close_adapter(NDK_ADAPTER *adapter)
{
	struct mon_object *o = mon_find(&adapter->Header), *child;
	unsigned long flags;
	unsigned i;

	if (!o)
		return;
	flags = conf_lock();
	o->life = MON_CLOSING;
	mon_unhash(o);
	conf_unlock(flags);
	if (mon.close_adapter)
		mon.close_adapter(adapter);
	else
		NdkCloseAdapter(adapter);
	flags = conf_lock();
	for (child = mon.active; child; child = child->next_active)
		for (i = 0; i < child->parents; i++)
			if (child->parent[i] == o)
				mon_violate(3, "an adapter closed before its %s %u (ADP-4, ADP-5)",
					    mon_type(child->type), child->id);
	if (o->pending || o->running)
		mon_violate(3, "an adapter closed with %ld requests, %ld callbacks under way (ADP-4)",
			    o->pending, o->running);
	o->life = MON_CLOSED;
	mon_inactive(o);
	conf_unlock(flags);
}
