/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * See small_world.h: what can happen, and making it happen. The checks are in small_checks.cpp.
 */
#include "small_world.h"

#include "port.h"
#include "small_memory.h"

#include <algorithm>
#include <cstring>

Memory M;

namespace {

/* The consumer is played by the walk; the functions are here to be pointed at. */
void created(PVOID, NTSTATUS, NDK_OBJECT_HEADER *) {}
void requested(PVOID, NTSTATUS) {}
void closed(PVOID) {}
void connected(PVOID, NDK_CONNECTOR *) {}
void disconnected(PVOID) {}
void notified(PVOID, NTSTATUS) {}

constexpr NDK_OBJECT_TYPE kTypes[SLOTS] = { NdkObjectTypePd, NdkObjectTypeCq, NdkObjectTypeQp,
					    NdkObjectTypeMr, NdkObjectTypeConnector,
					    NdkObjectTypeSharedEndpoint, NdkObjectTypeListener };
constexpr size_t kSizes[SLOTS] = { sizeof(struct ndk_pd), sizeof(struct ndk_cq),
				   sizeof(struct ndk_qp), sizeof(struct ndk_mr),
				   sizeof(struct ndk_connector), sizeof(struct ndk_shared),
				   sizeof(struct ndk_listener) };

struct ndk_addr address(UCHAR last, USHORT port)
{
	struct ndk_addr a = {};

	a.ip[0] = 192;
	a.ip[2] = 2;
	a.ip[3] = last;
	a.family = NDK_FAMILY_V4;
	a.port = port;
	return a;
}

struct Sockaddr {
	UCHAR bytes[NDK_SOCKADDR_V4_LEN];
	ULONG len = sizeof(bytes);

	Sockaddr(UCHAR last, USHORT port)
	{
		struct ndk_addr a = address(last, port);

		ndk_addr_give(&a, bytes, &len);
	}
};

}

struct ndk_obj *SmallWorld::object(unsigned slot) const
{
	struct ndk_obj *objects[SLOTS] = { &M.pd.obj,	     &M.cq.obj,	    &M.qp.obj,
					   &M.mr.obj,	     &M.connector.obj, &M.shared.obj,
					   &M.listener.obj };

	return objects[slot];
}

Slot SmallWorld::slot_of(const struct ndk_obj *o) const
{
	unsigned s = 0;

	while (s < SLOTS && object(s) != o)
		s++;
	return (Slot)s;
}

template <typename Call> auto SmallWorld::call(Call f)
{
	struct ndk_fx fx;

	ndk_fx_init(&fx);
	if constexpr (std::is_void_v<decltype(f(&fx))>) {
		f(&fx);
		absorb(fx);
	} else {
		auto result = f(&fx);
		absorb(fx);
		return result;
	}
}

SmallWorld::SmallWorld(const Variant &v)
	: variant(v)
{
	NDK_VERSION version = { 2, 1 };
	struct ndk_addr a = address(1, 0);

	memset(&M, 0, sizeof(M));
	ndk_host_init(&M.host, v.iwarp ? NDK_TRANSPORT_IWARP : NDK_TRANSPORT_IB);
	M.host.info.MaxRegistrationSize = 4096;
	M.host.info.MaxInboundReadLimit = 1;
	M.host.info.MaxOutboundReadLimit = 1;
	if (v.pend)
		M.host.answer = NDK_ANSWER_PEND;
	ndk_local_add(&M.host, &M.local, &a, 0);
	ndk_adapter_init(&M.adapter, &M.host, version);
	M.mdl.ByteCount = 64;
	if (v.life)
		return;
	M.host.answer = NDK_ANSWER_NATURAL;
	for (Slot s : { PD, CQ, QP, CONNECTOR, SHARED, LISTENER }) {
		if ((s == CONNECTOR && !v.active) || (s == SHARED && !v.shared) ||
		    (s == LISTENER && !v.passive))
			continue;
		begin(s);
		built(s, STATUS_SUCCESS);
	}
	if (v.pend)
		M.host.answer = NDK_ANSWER_PEND;
}

void SmallWorld::save(Memory *to) const { memcpy(to, &M, sizeof(M)); }

void SmallWorld::restore(const Memory &from)
{
	memcpy(&M, &from, sizeof(M));
	problem.clear();
}

void SmallWorld::complain(const char *text, const struct ndk_obj *o)
{
	if (!problem.empty())
		return;
	problem = text;
	if (o)
		problem += std::string(" (") + ndk_type_name(o->type) + ")";
}

/* ---- creation and close ---- */
void SmallWorld::begin(Slot s)
{
	struct ndk_obj *o = object(s);
	Sockaddr at(1, 1000);

	memset(o, 0, kSizes[s]);
	M.watch[s] = {};
	M.watch[s].exists = 1;
	M.watch[s].building = 1;
	M.created[s] = 1;
	ndk_obj_begin(o, &M.adapter, kTypes[s], created, nullptr);
	o->light = variant.light;
	if (s == QP) {
		ndk_obj_depend(o, &M.pd.obj);
		ndk_obj_depend(o, &M.cq.obj);
		ndk_obj_depend(o, &M.cq.obj);
		M.qp.init.slot = &M.slots[0];
		M.qp.init.depth = 1;
		M.qp.recv.slot = &M.slots[1];
		M.qp.recv.depth = 1;
	} else if (s == MR) {
		ndk_obj_depend(o, &M.pd.obj);
		M.mr.pd = &M.pd;
	} else if (s == CQ) {
		M.cq.notify = notified;
	} else if (s == CONNECTOR) {
		M.connector.data = &M.data;
	} else if (s == LISTENER) {
		M.listener.event = connected;
	} else if (s == SHARED) {
		ndk_shared_reserve(&M.shared, at.bytes, at.len);
		ndk_shared_bound(&M.shared, 0);
	}
}

void SmallWorld::built(Slot s, NTSTATUS status)
{
	NTSTATUS answer = call([&](struct ndk_fx *fx) { return ndk_obj_built(object(s), status, fx); });

	M.watch[s].building = 0;
	if (answer == STATUS_PENDING)
		M.watch[s].owed++;
	else if (NT_SUCCESS(answer))
		M.watch[s].held = 1;
	else
		M.watch[s].over = 1;
}

void SmallWorld::close(Slot s)
{
	struct Watch *w = &M.watch[s];

	w->held = 0;
	w->closing = 1;
	w->quiet_event = 1;
	if (call([&](struct ndk_fx *fx) { return ndk_obj_close(object(s), closed, nullptr, fx); }) ==
	    STATUS_SUCCESS) {
		w->closing = 0;
		w->over = 1;
		if (w->owed || w->exists)
			complain("close ended inside the call although something was left", object(s));
	}
}

/* ---- effects ---- */
void SmallWorld::absorb(const struct ndk_fx &fx)
{
	for (ULONG i = 0; i < fx.count; i++) {
		const struct ndk_effect &e = fx.e[i];
		Slot s = slot_of(e.obj);
		if (s != SLOTS && !M.watch[s].exists)
			complain("effect of a freed object", e.obj);
		switch (e.kind) {
		case NDK_FX_TIMER_SET:
			M.timer = 1;
			continue;
		case NDK_FX_TIMER_STOP:
			M.timer = 0;
			continue;
		case NDK_FX_FREE:
			M.watch[s].exists = 0;
			if (s == CONNECTOR) {
				M.timer = 0;
				M.cm = CM_NONE;
			}
			continue;
		case NDK_FX_ADAPTER_IDLE:
			M.idle++;
			continue;
		case NDK_FX_HW_DESTROY:
			if (e.arg)
				continue;
			break;
		case NDK_FX_CM_CONNECT:
			M.cm = CM_ASKED;
			break;
		case NDK_FX_CM_COMPLETE:
		case NDK_FX_CM_ACCEPT:
			M.cm = CM_CONFIRMING;
			break;
		default:
			break;
		}
		if (M.dues == kMaxDue) {
			complain("more effects are due than the walk can hold");
			return;
		}
		M.due[M.dues].e = e;
		M.due[M.dues].running = 0;
		M.dues++;
	}
	std::sort(M.due, M.due + M.dues, [](const Due &a, const Due &b) {
		return memcmp(&a, &b, sizeof(Due)) < 0;
	});
}

/* The consumer's function was entered. */
void SmallWorld::told(const struct ndk_effect &e)
{
	Slot s = slot_of(e.obj);
	struct Watch *w = &M.watch[s];

	if (w->over)
		complain("callback after the last one", e.obj);
	switch (e.kind) {
	case NDK_FX_CALL_CREATE:
		if (!w->owed--)
			complain("created twice", e.obj);
		if ((e.target != nullptr) != NT_SUCCESS(e.status))
			complain("create completion with the wrong object", e.obj);
		w->held = NT_SUCCESS(e.status);
		w->over = !NT_SUCCESS(e.status);
		break;
	case NDK_FX_CALL_REQUEST:
		if (!w->owed--)
			complain("an answer nobody waits for", e.obj);
		if (e.status == STATUS_PENDING)
			complain("answer says pending", e.obj);
		if (e.arg)
			w->was_up = 1;
		break;
	case NDK_FX_CALL_CLOSE:
		if (w->owed || !w->closing)
			complain("closed before its requests were answered, or twice", e.obj);
		w->closing = 0;
		w->over = 1;
		break;
	case NDK_FX_CALL_CONNECT:
		if (w->quiet_event)
			complain("connect event after close", e.obj);
		M.watch[CONNECTOR].held = 1;
		break;
	case NDK_FX_CALL_DISCONNECT:
		if (w->quiet_event)
			complain("disconnect event that must not come any more", e.obj);
		if (w->establishing && !w->was_up)
			complain("disconnect event before the consumer heard of success", e.obj);
		for (unsigned i = 0; i < M.dues; i++)
			if (M.due[i].e.kind == NDK_FX_CALL_REQUEST && M.due[i].e.arg)
				complain("disconnect event beside the establishing callback", e.obj);
		w->quiet_event = 1;
		break;
	default:
		if (w->quiet_event)
			complain("notification after close", e.obj);
		break;
	}
}

void SmallWorld::start(unsigned i, bool well)
{
	struct ndk_effect e = M.due[i].e;
	int err = well ? 0 : -98;

	M.due[i].running = 1;
	if (e.kind == NDK_FX_CM_LISTEN) {
		M.listening = well;
		call([&](struct ndk_fx *fx) { ndk_listener_answer(&M.listener, err, fx); });
	} else if (e.kind == NDK_FX_MR_REGISTER || e.kind == NDK_FX_MR_DEREGISTER) {
		call([&](struct ndk_fx *fx) {
			ndk_mr_answer(&M.mr, well ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES, fx);
		});
	} else if (call([&](struct ndk_fx *fx) { return ndk_effect_start(&e, fx); })) {
		told(e);
		call([](struct ndk_fx *) {}); /* the list stays sorted */
	} else {
		for (i = 0; memcmp(&M.due[i].e, &e, sizeof(e)) != 0 || !M.due[i].running;)
			i++;
		end(i);
	}
}

void SmallWorld::end(unsigned i)
{
	struct ndk_effect e = M.due[i].e;

	if (e.kind == NDK_FX_CM_TEARDOWN)
		M.cm = CM_NONE;
	if (e.kind == NDK_FX_CM_UNLISTEN)
		M.listening = 0;
	M.dues--;
	memmove(&M.due[i], &M.due[i + 1], (M.dues - i) * sizeof(Due));
	memset(&M.due[M.dues], 0, sizeof(Due));
	call([&](struct ndk_fx *fx) { ndk_effect_done(&e, fx); });
}

/* ---- the outside world ---- */
void SmallWorld::news(UCHAR event)
{
	struct ndk_cm_news n = {};

	n.event = event;
	if (event == NDK_CM_UNREACHABLE)
		n.err = -110;
	else if (event == NDK_CM_REJECTED)
		n.err = NDK_REJ_CONSUMER_DEFINED;
	else if (event == NDK_CM_STEP_FAILED)
		n.err = -12;
	else if (event == NDK_CM_RESPONSE)
		M.cm = CM_ANSWERED;
	else if (event == NDK_CM_ESTABLISHED)
		M.cm = CM_UP;
	call([&](struct ndk_fx *fx) { ndk_connector_cm(&M.connector, &n, fx); });
}

void SmallWorld::request()
{
	struct ndk_cm_request r = {};

	memset(&M.connector, 0, sizeof(M.connector));
	M.connector.data = &M.data;
	r.local = address(1, 1000);
	r.remote = address(9, 2000);
	if (call([&](struct ndk_fx *fx) {
		    return ndk_listener_request(&M.listener, &M.connector, &r, fx);
	    }) != NDK_DELIVERED)
		return;
	M.watch[CONNECTOR] = {};
	M.watch[CONNECTOR].exists = 1;
	M.cm = CM_INCOMING;
}

/* ---- the consumer ---- */
void SmallWorld::connect()
{
	struct ndk_connect_args a = {};
	Sockaddr from(1, 1000), to(9, 2000);

	a.qp = &M.qp.obj.ndk.qp;
	if (variant.shared)
		a.shared = &M.shared.obj.ndk.endpoint;
	a.src = variant.shared ? nullptr : from.bytes;
	a.src_len = from.len;
	a.dst = to.bytes;
	a.dst_len = to.len;
	a.fn = requested;
	NTSTATUS status = call([&](struct ndk_fx *fx) {
		return ndk_connector_connect(&M.connector, &a, fx);
	});
	M.watch[CONNECTOR].owed += status == STATUS_PENDING;
}

/* A call came back: who is owed what, and a refused one must have changed nothing. */
void SmallWorld::answered(Slot s, NTSTATUS status, bool legal, UINT64 before)
{
	if (status == STATUS_PENDING)
		M.watch[s].owed++;
	if (legal)
		return;
	if (status == STATUS_PENDING || NT_SUCCESS(status))
		complain("a call in the wrong state was accepted", object(s));
	if (hash() != before)
		complain("a refused call changed something", object(s));
}

void SmallWorld::consumer(Action a)
{
	struct ndk_accept_args args = {};
	struct ndk_connector *c = &M.connector;
	UINT64 before = hash();
	Sockaddr at(1, 1000);
	NTSTATUS status = STATUS_SUCCESS;

	args.qp = &M.qp.obj.ndk.qp;
	args.event = disconnected;
	args.fn = requested;
	switch (a.what) {
	case COMPLETE: {
		bool legal = ndk_step_has(NDK_MACHINE_CONNECTOR, c->state, NDK_CONN_EV_COMPLETE);
		status = call([&](struct ndk_fx *fx) { return ndk_connector_complete(c, &args, fx); });
		M.watch[CONNECTOR].establishing |= status == STATUS_PENDING;
		answered(CONNECTOR, status, legal, before);
		break;
	}
	case ACCEPT: {
		bool legal = ndk_step_has(NDK_MACHINE_CONNECTOR, c->state, NDK_CONN_EV_ACCEPT);
		status = call([&](struct ndk_fx *fx) { return ndk_connector_accept(c, &args, fx); });
		M.watch[CONNECTOR].establishing |= status == STATUS_PENDING;
		answered(CONNECTOR, status, legal, before);
		break;
	}
	case REJECT: {
		bool legal = ndk_step_has(NDK_MACHINE_CONNECTOR, c->state, NDK_CONN_EV_REJECT);
		status = call([&](struct ndk_fx *fx) { return ndk_connector_reject(c, nullptr, 0, fx); });
		if (status == STATUS_PENDING)
			complain("reject pends", &c->obj);
		answered(CONNECTOR, status, legal, before);
		break;
	}
	case DISCONNECT: {
		bool legal = ndk_step_has(NDK_MACHINE_CONNECTOR, c->state, NDK_CONN_EV_DISCONNECT);
		status = call([&](struct ndk_fx *fx) {
			return ndk_connector_disconnect(c, requested, nullptr, fx);
		});
		M.watch[CONNECTOR].quiet_event |= legal;
		answered(CONNECTOR, status, legal, before);
		break;
	}
	case LISTEN: {
		bool legal = ndk_step_has(NDK_MACHINE_LISTENER, M.listener.state, NDK_LISTENER_EV_LISTEN);
		status = call([&](struct ndk_fx *fx) {
			return ndk_listener_listen(&M.listener, at.bytes, at.len, requested, nullptr, fx);
		});
		answered(LISTENER, status, legal, before);
		break;
	}
	default:
		connect();
		break;
	}
}

static void life_call(Action a, struct ndk_fx *fx, NTSTATUS *status)
{
	switch (a.what) {
	case REGISTER:
		*status = ndk_mr_register(&M.mr, &M.mdl, 64, 0, requested, nullptr, fx);
		break;
	case DEREGISTER:
		*status = ndk_mr_deregister(&M.mr, requested, nullptr, fx);
		break;
	case ARM:
		ndk_cq_arm(&M.cq, a.a, fx);
		break;
	case ARRIVED:
		ndk_cq_arrived(&M.cq, FALSE, fx);
		break;
	case CQ_FAULT:
		ndk_cq_failed(&M.cq, STATUS_INTERNAL_ERROR, fx);
		break;
	case BROKEN:
		ndk_qp_broken(&M.qp, fx);
		break;
	case FLUSH:
		ndk_qp_flush(&M.qp, fx);
		break;
	default:
		ndk_adapter_close(&M.adapter, fx);
		break;
	}
}

static void remove_device(struct ndk_fx *fx, bool listener)
{
	if (listener && M.watch[LISTENER].exists)
		ndk_listener_removed(&M.listener, fx);
	else if (!listener && M.watch[CONNECTOR].exists)
		ndk_connector_removed(&M.connector, fx);
}

void SmallWorld::apply(Action a)
{
	NTSTATUS status = STATUS_SUCCESS;

	switch (a.what) {
	case CREATE:
		begin((Slot)a.a);
		break;
	case BUILT:
		built((Slot)a.a, M.removed ? STATUS_DEVICE_REMOVED : STATUS_SUCCESS);
		break;
	case BUILD_FAILED:
		built((Slot)a.a, STATUS_INSUFFICIENT_RESOURCES);
		break;
	case CLOSE:
		close((Slot)a.a);
		break;
	case PAUSE:
		ndk_listener_pause(&M.listener, !M.listener.paused);
		break;
	case NEWS:
		news(a.a);
		break;
	case REQUEST:
		request();
		break;
	case DEADLINE:
		M.timer = 0;
		call([](struct ndk_fx *fx) {
			ndk_connector_deadline(&M.connector, M.connector.timer_gen, fx);
		});
		break;
	case REMOVE:
		M.removed = 1;
		M.host.removed = 1;
		call([](struct ndk_fx *fx) { remove_device(fx, true); });
		call([](struct ndk_fx *fx) { remove_device(fx, false); });
		break;
	case START:
	case START_FAILED:
		start(a.a, a.what == START);
		break;
	case END:
		end(a.a);
		break;
	case CONNECT:
	case COMPLETE:
	case ACCEPT:
	case REJECT:
	case DISCONNECT:
	case LISTEN:
		consumer(a);
		break;
	default:
		M.broke |= a.what == BROKEN;
		M.adapter_closing |= a.what == CLOSE_ADAPTER;
		call([&](struct ndk_fx *fx) { life_call(a, fx, &status); });
		M.watch[MR].owed += status == STATUS_PENDING;
		break;
	}
}
