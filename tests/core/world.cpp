/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * See world.h: memory, effects and callbacks. Calls on connectors and listeners are in world_calls.cpp.
 */
#include "world.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

World *World::current = nullptr;

World::World(UCHAR transport)
{
	NDK_VERSION version = { 2, 1 };
	struct ndk_addr a;

	EXPECT_EQ(current, nullptr) << "one World at a time";
	current = this;
	port::forget_history();
	ndk_host_init(&host, transport);
	host.info.MaxRegistrationSize = 1 << 20;
	host.info.MaxInitiatorRequestSge = 4;
	host.info.MaxReceiveRequestSge = 3;
	host.info.MaxReadRequestSge = 2;
	host.info.MaxTransferLength = 1 << 16;
	host.info.MaxWindowSize = 1 << 16;
	host.info.FRMRPageCount = 32;
	host.info.MaxSrqDepth = 64;
	host.info.MaxCqDepth = 128;
	host.info.AdapterFlags = NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED | NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED;
	host.info.MaxInlineDataSize = 64;
	host.info.MaxInboundReadLimit = 16;
	host.info.MaxOutboundReadLimit = 8;
	host.info.MaxCallerData = 56;
	host.info.MaxCalleeData = 148;
	a = parsed(v4("192.0.2.1", 0));
	ndk_local_add(&host, &local4, &a, 0);
	a = parsed(v4("192.0.2.2", 0));
	ndk_local_add(&host, &local4b, &a, 0);
	a = parsed(v6("2001:db8::1", 0));
	ndk_local_add(&host, &local6, &a, 0);
	adapter = static_cast<struct ndk_adapter *>(calloc(1, sizeof(*adapter)));
	ndk_adapter_init(adapter, &host, version);
}

World::~World()
{
	end();
	free(adapter);
	current = nullptr;
}

template <typename T> T *World::allocate(NDK_OBJECT_TYPE type)
{
	T *o = static_cast<T *>(calloc(1, sizeof(T)));

	memory[o] = type;
	return o;
}

struct ndk_connector *World::allocate_connector()
{
	struct ndk_connector *c = allocate<struct ndk_connector>(NdkObjectTypeConnector);

	c->data = static_cast<struct ndk_conn_data *>(calloc(1, sizeof(struct ndk_conn_data)));
	return c;
}

struct ndk_obj *World::begin(NDK_OBJECT_TYPE type, ULONG_PTR tag)
{
	struct ndk_obj *o = nullptr;

	switch (type) {
	case NdkObjectTypeCq:
		o = &allocate<struct ndk_cq>(type)->obj;
		break;
	case NdkObjectTypeQp:
		o = &allocate<struct ndk_qp>(type)->obj;
		break;
	case NdkObjectTypeMr:
		o = &allocate<struct ndk_mr>(type)->obj;
		break;
	case NdkObjectTypeMw:
		o = &allocate<struct ndk_mw>(type)->obj;
		break;
	case NdkObjectTypeSrq:
		o = &allocate<struct ndk_srq>(type)->obj;
		break;
	case NdkObjectTypePd:
		o = &allocate<struct ndk_pd>(type)->obj;
		break;
	case NdkObjectTypeSharedEndpoint:
		o = &allocate<struct ndk_shared>(type)->obj;
		break;
	case NdkObjectTypeConnector:
		o = &allocate_connector()->obj;
		break;
	case NdkObjectTypeListener:
		o = &allocate<struct ndk_listener>(type)->obj;
		break;
	default:
		ADD_FAILURE() << "no such type " << type;
		abort();
	}
	ndk_obj_begin(o, adapter, type, on_created, tag_of(tag));
	if (type == NdkObjectTypeSharedEndpoint) {
		struct ndk_shared *s = (struct ndk_shared *)o;
		EXPECT_STATUS(STATUS_SUCCESS, ndk_shared_reserve(s, shared_at.data(), shared_at.len));
		EXPECT_STATUS(STATUS_SUCCESS, ndk_shared_bound(s, 0));
	}
	return o;
}

NTSTATUS World::built(struct ndk_obj *o, NTSTATUS status)
{
	return call([&](struct ndk_fx *fx) { return ndk_obj_built(o, status, fx); });
}

template <typename T> T *World::create(NDK_OBJECT_TYPE type, std::vector<struct ndk_obj *> on)
{
	struct ndk_obj *o = begin(type, 0);

	for (struct ndk_obj *antecedent : on)
		ndk_obj_depend(o, antecedent);
	if (built(o, STATUS_SUCCESS) == STATUS_PENDING) {
		EXPECT_TRUE(finish(NDK_FX_CALL_CREATE, o));
	}
	EXPECT_TRUE(ndk_obj_live(o));
	return (T *)(VOID *)o;
}

struct ndk_pd *World::pd() { return create<struct ndk_pd>(NdkObjectTypePd); }

struct ndk_cq *World::cq()
{
	struct ndk_cq *cq = create<struct ndk_cq>(NdkObjectTypeCq);

	cq->notify = on_cq;
	cq->depth = 16;
	return cq;
}

struct ndk_qp *World::qp(struct ndk_pd *pd, struct ndk_cq *cq, ULONG depth)
{
	struct ndk_qp *qp = create<struct ndk_qp>(NdkObjectTypeQp, { &pd->obj, &cq->obj, &cq->obj });

	qp->pd = pd;
	qp->rcq = cq;
	qp->icq = cq;
	qp->max_recv_sge = 3;
	qp->max_init_sge = 4;
	qp->inline_size = 64;
	qp->init.depth = depth;
	qp->init.slot = static_cast<struct ndk_slot *>(calloc(depth, sizeof(struct ndk_slot)));
	qp->recv.depth = depth;
	qp->recv.slot = static_cast<struct ndk_slot *>(calloc(depth, sizeof(struct ndk_slot)));
	return qp;
}

struct ndk_qp *World::qp()
{
	if (!spare_pd)
		spare_pd = pd();
	if (!spare_cq)
		spare_cq = cq();
	return qp(spare_pd, spare_cq);
}

struct ndk_mr *World::mr(struct ndk_pd *pd, bool fast)
{
	struct ndk_mr *mr = create<struct ndk_mr>(NdkObjectTypeMr, { &pd->obj });

	mr->pd = pd;
	ndk_mr_start(mr, fast);
	return mr;
}

struct ndk_mr *World::registered(struct ndk_pd *pd, ULONG flags)
{
	struct ndk_mr *m = mr(pd);

	region.VirtualAddress = (PVOID)(ULONG_PTR)0x10000;
	region.ByteCount = 4096;
	call([&](struct ndk_fx *fx) {
		return ndk_mr_register(m, &region, 4096, flags, on_request, nullptr, fx);
	});
	while (finish(NDK_FX_MR_REGISTER, &m->obj) || finish(NDK_FX_CALL_REQUEST, &m->obj))
		;
	EXPECT_EQ(m->state, NDK_MR_REGISTERED);
	return m;
}

struct ndk_mw *World::mw(struct ndk_pd *pd)
{
	struct ndk_mw *mw = create<struct ndk_mw>(NdkObjectTypeMw, { &pd->obj });

	mw->pd = pd;
	return mw;
}

struct ndk_srq *World::srq(struct ndk_pd *pd, ULONG depth, ULONG threshold)
{
	struct ndk_srq *q = create<struct ndk_srq>(NdkObjectTypeSrq, { &pd->obj });

	q->pd = pd;
	q->depth = depth;
	q->max_sge = 3;
	q->notify = on_srq;
	q->notify_ctx = q;
	slots[q].resize(64);
	for (struct ndk_srq_slot &s : slots[q])
		ndk_srq_add_slot(q, &s);
	ndk_srq_start(q, threshold);
	return q;
}

struct ndk_connector *World::connector()
{
	return create<struct ndk_connector>(NdkObjectTypeConnector);
}

struct ndk_listener *World::listener()
{
	struct ndk_listener *l = create<struct ndk_listener>(NdkObjectTypeListener);

	l->event = on_connect;
	return l;
}

struct ndk_shared *World::shared(const Sa &at)
{
	shared_at = at;
	return create<struct ndk_shared>(NdkObjectTypeSharedEndpoint);
}

NTSTATUS World::close(struct ndk_obj *o, ULONG_PTR tag)
{
	return call([&](struct ndk_fx *fx) { return ndk_obj_close(o, on_closed, tag_of(tag), fx); });
}

/* ---- effects ---- */
void World::absorb(const struct ndk_fx &fx)
{
	EXPECT_LE(fx.count, (ULONG)NDK_FX_MAX);
	if (fx.count > host.fx_high)
		host.fx_high = fx.count;
	for (ULONG i = 0; i < fx.count; i++) {
		const struct ndk_effect &e = fx.e[i];
		EXPECT_TRUE(e.obj == &adapter->obj || exists(e.obj)) << ndk_effect_name(e.kind);
		switch (e.kind) {
		case NDK_FX_TIMER_SET:
			timers[e.obj] = { e.arg, e.number };
			break;
		case NDK_FX_TIMER_STOP:
			timers.erase(e.obj);
			break;
		case NDK_FX_FREE:
			free_memory(e.obj);
			break;
		case NDK_FX_ADAPTER_IDLE:
			idle++;
			break;
		case NDK_FX_HW_DESTROY:
			if (e.arg) /* inside the closing call: there is nothing to wait for */
				break;
			effects.push_back(e);
			break;
		default:
			effects.push_back(e);
			break;
		}
	}
}

void World::free_memory(struct ndk_obj *o)
{
	for (const struct ndk_effect &e : effects) {
		EXPECT_NE(e.obj, o) << ndk_effect_name(e.kind) << " is still due on what is freed";
		if (e.kind == NDK_FX_CALL_CREATE) {
			EXPECT_NE(e.target, o) << "still to be handed over";
		}
	}
	ASSERT_TRUE(exists(o)) << "freed twice";
	switch (memory[o]) {
	case NdkObjectTypeConnector:
		free(((struct ndk_connector *)o)->data);
		break;
	case NdkObjectTypeQp:
		free(((struct ndk_qp *)o)->init.slot);
		free(((struct ndk_qp *)o)->recv.slot);
		break;
	default:
		break;
	}
	if ((VOID *)o == spare_pd)
		spare_pd = nullptr;
	if ((VOID *)o == spare_cq)
		spare_cq = nullptr;
	memory.erase(o);
	slots.erase(o);
	timers.erase(o);
	free(o);
}

static void call_consumer(const struct ndk_effect &e)
{
	struct ndk_connector *c = (struct ndk_connector *)e.obj;

	switch (e.kind) {
	case NDK_FX_CALL_CREATE:
		e.fn.create(e.ctx, e.status, e.target ? &e.target->ndk.header : nullptr);
		break;
	case NDK_FX_CALL_REQUEST:
		e.fn.request(e.ctx, e.status);
		break;
	case NDK_FX_CALL_CLOSE:
		e.fn.close(e.ctx);
		break;
	case NDK_FX_CALL_CONNECT:
		e.fn.connect(e.ctx, &e.target->ndk.connector);
		break;
	case NDK_FX_CALL_DISCONNECT:
		if (c->event_ex)
			c->event_ex(c->event_ctx, c->reason);
		else
			c->event(c->event_ctx);
		break;
	case NDK_FX_CALL_SRQ:
		e.fn.srq(e.ctx, ((struct ndk_srq *)e.obj)->fault);
		break;
	default:
		e.fn.cq(e.ctx, ((struct ndk_cq *)e.obj)->fault);
		break;
	}
}

void World::make_call(const struct ndk_effect &e)
{
	bool wanted = call([&](struct ndk_fx *fx) { return ndk_effect_start(&e, fx); });

	if (wanted)
		call_consumer(e);
}

/* Requests on regions and queues. */
void World::serve(const struct ndk_effect &e)
{
	struct ndk_srq *q = (struct ndk_srq *)e.obj;
	NTSTATUS status = work_status;

	switch (e.kind) {
	case NDK_FX_MR_REGISTER:
	case NDK_FX_MR_DEREGISTER:
	case NDK_FX_MR_INITIALIZE:
		call([&](struct ndk_fx *fx) { ndk_mr_answer((struct ndk_mr *)e.obj, status, fx); });
		break;
	case NDK_FX_CQ_RESIZE:
		call([&](struct ndk_fx *fx) { ndk_cq_resized((struct ndk_cq *)e.obj, status, fx); });
		break;
	case NDK_FX_SRQ_MODIFY:
		if (NT_SUCCESS(status) && !ndk_srq_set_depth(q, q->asked_depth))
			status = STATUS_BUFFER_OVERFLOW;
		call([&](struct ndk_fx *fx) { ndk_srq_answer(q, status, fx); });
		break;
	default:
		break;
	}
}

/* What an effect asks for, all but reporting it done. */
void World::perform(const struct ndk_effect &e)
{
	struct ndk_listener *l = (struct ndk_listener *)e.obj;

	if (e.kind >= NDK_FX_CALL_CREATE && e.kind <= NDK_FX_CALL_LAST)
		make_call(e);
	else if (e.kind == NDK_FX_CM_LISTEN)
		call([&](struct ndk_fx *fx) { ndk_listener_answer(l, listen_error, fx); });
	else
		serve(e);
}

bool World::due(UCHAR kind, const struct ndk_obj *o) const
{
	for (const struct ndk_effect &e : effects)
		if (e.kind == kind && (!o || e.obj == o))
			return true;
	return false;
}

unsigned World::count(UCHAR kind) const
{
	unsigned n = 0;

	for (const struct ndk_effect &e : effects)
		n += e.kind == kind;
	return n;
}

bool World::finish(UCHAR kind, const struct ndk_obj *o)
{
	for (auto i = effects.begin(); i != effects.end(); ++i) {
		if (i->kind != kind || (o && i->obj != o))
			continue;
		struct ndk_effect e = *i;
		/* it stays in the list while it runs, so that freeing under it is noticed */
		perform(e);
		for (i = effects.begin(); memcmp(&*i, &e, sizeof(e)) != 0;)
			++i;
		effects.erase(i);
		call([&](struct ndk_fx *fx) { ndk_effect_done(&e, fx); });
		return true;
	}
	return false;
}

void World::settle()
{
	while (!effects.empty())
		finish(effects.front().kind, effects.front().obj);
}

bool World::timer(const struct ndk_connector *c, ULONG *ms) const
{
	auto i = timers.find(c);

	if (i == timers.end())
		return false;
	EXPECT_EQ(i->second.first, c->timer_gen);
	if (ms)
		*ms = i->second.second;
	return true;
}

/* Antecedents first: the core must put up with that (LIFE-2). */
void World::close_all()
{
	std::vector<struct ndk_obj *> open;

	for (struct ndk_link *i = adapter->objects.next; i != &adapter->objects; i = i->next)
		open.push_back(NDK_CONTAINER(i, struct ndk_obj, sibling));
	for (struct ndk_obj *o : open)
		if (exists(o) && ndk_obj_live(o))
			close(o);
	settle();
}

void World::end()
{
	if (ended)
		return;
	ended = true;
	settle();
	while (adapter->objects.next != &adapter->objects && idle == 0) {
		size_t before = memory.size();
		close_all();
		if (memory.size() == before)
			break;
	}
	call([&](struct ndk_fx *fx) { ndk_adapter_close(adapter, fx); });
	settle();
	EXPECT_EQ(idle, 1u);
	EXPECT_TRUE(memory.empty()) << memory.size() << " objects remain";
	EXPECT_EQ(host.endpoints.count, 0u);
	EXPECT_EQ(host.tuples.count, 0u);
	EXPECT_EQ(host.count.active, 0u);
	EXPECT_TRUE(ndk_local_idle(&local4) && ndk_local_idle(&local4b) && ndk_local_idle(&local6));
	if (idle)
		ndk_adapter_end(adapter);
	for (unsigned t = 0; t < NdkObjectTypeMax; t++)
		EXPECT_EQ(host.live[t], 0u) << ndk_type_name(t);
}

/* ---- the consumer ---- */
void World::record(UCHAR kind, NTSTATUS status, PVOID ctx, const VOID *target)
{
	std::function<void()> f;

	said.push_back({ kind, status, (ULONG_PTR)ctx, target });
	if (!hooks[kind].empty()) {
		f = std::move(hooks[kind].front());
		hooks[kind].pop_front();
		f();
	}
}

unsigned World::told(UCHAR kind) const
{
	unsigned n = 0;

	for (const Said &s : said)
		n += s.kind == kind;
	return n;
}

Said World::last(UCHAR kind) const
{
	for (auto i = said.rbegin(); i != said.rend(); ++i)
		if (i->kind == kind)
			return *i;
	ADD_FAILURE() << "no " << ndk_effect_name(kind);
	return {};
}

void on_created(PVOID ctx, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	World::current->record(NDK_FX_CALL_CREATE, status, ctx, object);
}

void on_request(PVOID ctx, NTSTATUS status)
{
	World::current->record(NDK_FX_CALL_REQUEST, status, ctx, nullptr);
}

void on_closed(PVOID ctx) { World::current->record(NDK_FX_CALL_CLOSE, 0, ctx, nullptr); }

void on_connect(PVOID ctx, NDK_CONNECTOR *connector)
{
	World::current->record(NDK_FX_CALL_CONNECT, 0, ctx, connector);
}

void on_disconnect(PVOID ctx) { World::current->record(NDK_FX_CALL_DISCONNECT, 0, ctx, nullptr); }

void on_disconnect_ex(PVOID ctx, ULONG reason)
{
	World::current->record(NDK_FX_CALL_DISCONNECT, (NTSTATUS)reason, ctx, (VOID *)1);
}

void on_cq(PVOID ctx, NTSTATUS status)
{
	World::current->record(NDK_FX_CALL_CQ, status, ctx, nullptr);
}

void on_srq(PVOID ctx, NTSTATUS status)
{
	World::current->record(NDK_FX_CALL_SRQ, status, ctx, nullptr);
}
