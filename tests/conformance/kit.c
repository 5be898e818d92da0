/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The kit's ground: memory that lives as long as the case, the order of things, one call and its
 * answer, addresses, adapters, and the end of a case. Context: kit.h. What callbacks touch is guarded
 * by conf_lock().
 */
#include "kit.h"
#include "kit_i.h"

struct kit_block {
	struct kit_block *next;
	UINT64 align;
};

static struct {
	struct kit_block *blocks;
	struct kit_buffer *buffers;
	long stamp;
	UINT64 contexts;
	USHORT port; /* goes on over all cases, so that nothing of the last one is in the way */
	enum kit_order order;
	BOOLEAN stuck; /* a close did not end: adapters cannot be closed either */
	BOOLEAN ended; /* the case has returned: what its hooks refer to may be gone */
} kit;

PVOID kit_alloc(SIZE_T size)
{
	struct kit_block *b = (struct kit_block *)conf_alloc(sizeof(*b) + size);
	unsigned long flags = conf_lock();

	b->next = kit.blocks;
	kit.blocks = b;
	conf_unlock(flags);
	return b + 1;
}

long kit_stamp(void)
{
	unsigned long flags = conf_lock();
	long stamp = ++kit.stamp;

	conf_unlock(flags);
	return stamp;
}

PVOID kit_context(void)
{
	unsigned long flags = conf_lock();
	UINT64 n = ++kit.contexts;

	conf_unlock(flags);
	return (PVOID)(ULONG_PTR)((n << 20 | (n & 0xfffff)) * 0x9e3779b97f4a7c15ull ^ 0xc3a5c85c97cb3127ull);
}

BOOLEAN kit_hooked(void)
{
	unsigned long flags = conf_lock();
	BOOLEAN hooked = !kit.ended;

	conf_unlock(flags);
	return hooked;
}

/* ---- one call ---- */

struct kit_call *kit_call(const char *name)
{
	struct kit_call *c = (struct kit_call *)kit_alloc(sizeof(*c));

	c->name = name;
	c->returned = c->status = KIT_NO_ANSWER;
	c->output = KIT_POISON;
	conf_signal_init(&c->done);
	c->began_us = conf_now_us();
	c->began = kit_stamp();
	return c;
}

struct kit_call *kit_return(struct kit_call *c, NTSTATUS returned)
{
	UINT64 now = conf_now_us();
	unsigned long flags = conf_lock();

	c->ended = ++kit.stamp;
	c->returned = returned;
	if (returned != STATUS_PENDING) {
		c->status = returned;
		c->done_us = now;
		if (NT_SUCCESS(returned) && c->output != KIT_POISON) {
			c->object = (NDK_OBJECT_HEADER *)c->output;
			if (c->store)
				*c->store = c->output;
		}
		c->over = TRUE;
	}
	conf_unlock(flags);
	if (returned != STATUS_PENDING)
		conf_signal(&c->done);
	return c;
}

static void answered(struct kit_call *c, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	UINT64 now = conf_now_us();
	unsigned long flags = conf_lock();

	c->entered = ++kit.stamp;
	c->callbacks++;
	c->status = status;
	c->object = object;
	c->done_us = now;
	if (object && c->store)
		*c->store = object;
	conf_unlock(flags);
	if (c->inside && kit_hooked())
		c->inside(c);
	flags = conf_lock();
	c->left = ++kit.stamp;
	c->over = TRUE;
	conf_unlock(flags);
	conf_signal(&c->done);
}

VOID kit_request_done(PVOID context, NTSTATUS status)
{
	answered((struct kit_call *)context, status, (NDK_OBJECT_HEADER *)0);
}

VOID kit_create_done(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	answered((struct kit_call *)context, status, object);
}

VOID kit_close_done(PVOID context)
{
	answered((struct kit_call *)context, STATUS_SUCCESS, (NDK_OBJECT_HEADER *)0);
}

BOOLEAN kit_answered(const struct kit_call *c)
{
	unsigned long flags = conf_lock();
	BOOLEAN over = c->over;

	conf_unlock(flags);
	return over;
}

BOOLEAN kit_pended(const struct kit_call *c)
{
	unsigned long flags = conf_lock();
	BOOLEAN pended = c->returned == STATUS_PENDING;

	conf_unlock(flags);
	return pended;
}

NTSTATUS kit_wait_ms(struct kit_call *c, ULONG ms)
{
	if (!kit_answered(c))
		conf_wait(&c->done, ms);
	return kit_answered(c) ? c->status : KIT_NO_ANSWER;
}

NTSTATUS kit_wait(struct kit_call *c)
{
	NTSTATUS status = kit_wait_ms(c, KIT_PATIENCE_MS);

	if (status == KIT_NO_ANSWER)
		conf_fail("kit", 0, "%s was not answered in %u ms", c->name, KIT_PATIENCE_MS);
	return status;
}

/* ---- rounds ---- */

BOOLEAN kit_answer(unsigned which, enum ndk_answer mode)
{
	if (ndk_control_answer(conf_adapter_name(which), (int)mode) != 0)
		return FALSE;
	monitor_waits(which, mode == NDK_ANSWER_WAIT);
	return TRUE;
}

static int answer_both(int mode)
{
	if (!kit_answer(0, (enum ndk_answer)mode) || !kit_answer(1, (enum ndk_answer)mode))
		conf_fail("kit", 0, "the place does not offer answer mode %d", mode);
	return mode;
}

int kit_answer_first(void)
{
	return answer_both(NDK_ANSWER_NATURAL);
}

int kit_answer_next(int mode)
{
	kit_close_all(kit.order);
	if (mode == NDK_ANSWER_NATURAL && !conf_failed()) {
		conf_scene(CONF_SCENE_ANSWER, "every request pends");
		return answer_both(NDK_ANSWER_PEND);
	}
	conf_scene(CONF_SCENE_ANSWER, "");
	answer_both(NDK_ANSWER_NATURAL);
	return -1;
}

int kit_family_next(int family)
{
	kit_close_all(kit.order);
	if (family != NDK_V4 || conf_failed()) {
		conf_scene(CONF_SCENE_FAMILY, "");
		return 0;
	}
	conf_scene(CONF_SCENE_FAMILY, "IPv6");
	return NDK_V6;
}

/* ---- addresses ---- */

static USHORT turned(USHORT port)
{
	const UCHAR *b = (const UCHAR *)&port;

	return (USHORT)(b[0] << 8 | b[1]); /* its own inverse, and right on either kind of machine */
}

struct kit_address kit_address(unsigned which, int family, USHORT port)
{
	struct kit_address a;

	memset(&a, 0, sizeof(a));
	a.len = conf_address(which, (enum conf_family)family, port, &a.at);
	return a;
}

static USHORT *port_of(const struct kit_address *a)
{
	/* Both families keep it in the same place, behind the family. */
	return (USHORT *)(ULONG_PTR)((const UCHAR *)&a->at + 2);
}

USHORT kit_port(const struct kit_address *a)
{
	USHORT port;

	memcpy(&port, port_of(a), sizeof(port));
	return turned(port);
}

void kit_set_port(struct kit_address *a, USHORT port)
{
	USHORT wire = turned(port);

	memcpy(port_of(a), &wire, sizeof(wire));
}

BOOLEAN kit_same_address(const struct kit_address *a, const struct kit_address *b)
{
	const UCHAR *x = (const UCHAR *)&a->at, *y = (const UCHAR *)&b->at;

	if (a->at.ss_family != b->at.ss_family || kit_port(a) != kit_port(b))
		return FALSE;
	/* Address bytes: after port in IPv4, after port and flow label in IPv6. */
	return a->at.ss_family == AF_INET ? memcmp(x + 4, y + 4, 4) == 0 : memcmp(x + 8, y + 8, 16) == 0;
}

struct kit_address kit_wildcard(int family, USHORT port)
{
	struct kit_address a;

	memset(&a, 0, sizeof(a));
	a.at.ss_family = family == NDK_V4 ? AF_INET : AF_INET6;
	a.len = family == NDK_V4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	kit_set_port(&a, port);
	return a;
}

USHORT kit_fresh_port(void)
{
	unsigned long flags = conf_lock();
	USHORT port;

	kit.port = kit.port < 20000 || kit.port >= 40000 ? 20000 : (USHORT)(kit.port + 1);
	port = kit.port;
	conf_unlock(flags);
	return port;
}

#define KIT_GETTER(object_, slot_)                                                                   \
	struct kit_address a;                                                                        \
	memset(&a, 0, sizeof(a));                                                                    \
	a.len = sizeof(a.at);                                                                        \
	CHECK_STATUS((object_)->Dispatch->slot_((object_), (PSOCKADDR)&a.at, &a.len), STATUS_SUCCESS); \
	return a

struct kit_address kit_local_address(NDK_CONNECTOR *c)
{
	KIT_GETTER(c, NdkGetLocalAddress);
}

struct kit_address kit_peer_address(NDK_CONNECTOR *c)
{
	KIT_GETTER(c, NdkGetPeerAddress);
}

struct kit_address kit_listener_address(NDK_LISTENER *l)
{
	KIT_GETTER(l, NdkGetLocalAddress);
}

struct kit_address kit_shared_address(NDK_SHARED_ENDPOINT *e)
{
	KIT_GETTER(e, NdkGetLocalAddress);
}

/* ---- adapters ---- */

NDIS_STATUS kit_open_version(unsigned which, NDK_VERSION version, NDK_ADAPTER **out)
{
	NDIS_STATUS status = NdkOpenAdapter(conf_adapter_name(which), version, out);

	if (status == NDIS_STATUS_SUCCESS)
		monitor_adopt(*out, which);
	return status;
}

NDK_ADAPTER *kit_open(unsigned which)
{
	const NDK_VERSION version = { 2, 1 };
	NDK_ADAPTER *a = (NDK_ADAPTER *)0;

	CHECK_STATUS(kit_open_version(which, version, &a), NDIS_STATUS_SUCCESS);
	return a;
}

void kit_close_adapter(NDK_ADAPTER *a)
{
	kit_release_all(a);
	monitor_close_adapter(a);
}

const NDK_ADAPTER_INFO *kit_info(NDK_ADAPTER *a)
{
	NDK_ADAPTER_INFO *info = (NDK_ADAPTER_INFO *)kit_alloc(sizeof(*info));
	ULONG size = sizeof(*info);

	CHECK_STATUS(a->Dispatch->NdkQueryAdapterInfo(a, info, &size), STATUS_SUCCESS);
	return info;
}

/* ---- the end ---- */

/* Children before parents. */
static const NDK_OBJECT_TYPE closing_order[] = {
	NdkObjectTypeConnector, NdkObjectTypeQp, NdkObjectTypeSrq,	NdkObjectTypeMw,	     NdkObjectTypeMr,
	NdkObjectTypeCq,	NdkObjectTypePd, NdkObjectTypeListener, NdkObjectTypeSharedEndpoint,
};
#define KIT_TYPES ((unsigned)(sizeof(closing_order) / sizeof(closing_order[0])))

static NDK_OBJECT_HEADER *next_of_type(NDK_OBJECT_TYPE type)
{
	NDK_OBJECT_HEADER *h;
	unsigned n = 0;

	while ((h = monitor_open_object(n++)) != (NDK_OBJECT_HEADER *)0)
		if (h->ObjectType == type)
			return h;
	return h;
}

static void wait_closed(struct kit_call *c)
{
	if (kit_wait(c) == KIT_NO_ANSWER)
		kit.stuck = TRUE;
}

static void drain(NDK_CQ *cq)
{
	NDK_RESULT_EX result[8];

	while (cq->Dispatch->NdkGetCqResultsEx(cq, result, 8) > 0)
		;
}

static void close_children_first(void)
{
	NDK_OBJECT_HEADER *h;
	unsigned i;

	for (i = 0; i < KIT_TYPES && !kit.stuck; i++)
		while (!kit.stuck && (h = next_of_type(closing_order[i])) != (NDK_OBJECT_HEADER *)0) {
			if (h->ObjectType == NdkObjectTypeCq)
				drain((NDK_CQ *)h);
			wait_closed(kit_close(h));
		}
}

static void close_parents_first(void)
{
	NDK_OBJECT_HEADER *h;
	unsigned i;

	for (i = KIT_TYPES; i-- > 0;)
		while ((h = next_of_type(closing_order[i])) != (NDK_OBJECT_HEADER *)0)
			kit_close(h);
}

static void close_any_order(void)
{
	NDK_OBJECT_HEADER *h, *pick;
	unsigned n, seen;

	do {
		pick = (NDK_OBJECT_HEADER *)0;
		for (n = seen = 0; (h = monitor_open_object(n)) != (NDK_OBJECT_HEADER *)0; n++)
			if (h->ObjectType != NdkObjectTypeAdapter && conf_random() % ++seen == 0)
				pick = h;
		if (pick)
			kit_close(pick);
	} while (pick);
}

/* Every request and close has ended; else there is no closing the adapters. */
static void wait_quiet(void)
{
	UINT64 until = conf_now_us() + KIT_PATIENCE_MS * 1000ull;

	while (monitor_pending_calls() > 0 && !kit.stuck)
		if (conf_now_us() > until || !conf_nap())
			break;
	if (monitor_pending_calls() > 0) {
		conf_fail("kit", 0, "%ld requests or closes never ended; adapters stay open",
			  monitor_pending_calls());
		kit.stuck = TRUE;
	}
}

void kit_close_order(enum kit_order order)
{
	kit.order = order;
}

static void close_objects(enum kit_order order)
{
	if (order == KIT_PARENTS_FIRST)
		close_parents_first();
	else if (order == KIT_ANY_ORDER)
		close_any_order();
	else
		close_children_first();
	wait_quiet();
}

static BOOLEAN only_adapters(void)
{
	NDK_OBJECT_HEADER *h;
	unsigned n = 0;

	while ((h = monitor_open_object(n++)) != (NDK_OBJECT_HEADER *)0)
		if (h->ObjectType != NdkObjectTypeAdapter)
			return FALSE;
	return TRUE;
}

void kit_close_all(enum kit_order order)
{
	NDK_OBJECT_HEADER *h;

	/* a case that left early may have creations under way, whose objects come only now */
	do
		close_objects(order);
	while (!kit.stuck && !only_adapters());
	if (kit.stuck)
		return; /* somebody may still use the memory */
	kit_release_all((NDK_ADAPTER *)0);
	while ((h = next_of_type(NdkObjectTypeAdapter)) != (NDK_OBJECT_HEADER *)0)
		monitor_close_adapter((NDK_ADAPTER *)h);
}

struct kit_buffer **kit_buffers(void)
{
	return &kit.buffers;
}

void kit_begin(void)
{
	kit.stamp = 0;
	kit.ended = FALSE;
	kit.order = KIT_CHILDREN_FIRST;
	kit.stuck = FALSE;
}

void kit_end(void)
{
	struct kit_block *b;
	unsigned long flags = conf_lock();

	kit.ended = TRUE;
	conf_unlock(flags);
	kit_close_all(kit.order);
	while (!kit.stuck && (b = kit.blocks) != (struct kit_block *)0) {
		kit.blocks = b->next;
		conf_free(b);
	}
}
