/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * See small_world.h: what is possible, which states are the same, and what must hold in each.
 */
#include "small_world.h"

#include "port.h"
#include "small_memory.h"

#include <cstring>
#include <sstream>

namespace {

bool is_call(UCHAR kind) { return kind >= NDK_FX_CALL_CREATE && kind <= NDK_FX_CALL_LAST; }

/* Effects that the shell answers before it reports them done. */
bool is_answered(UCHAR kind)
{
	return kind == NDK_FX_CM_LISTEN || kind == NDK_FX_MR_REGISTER ||
	       kind == NDK_FX_MR_DEREGISTER;
}

bool is_work(const struct ndk_effect &e)
{
	return e.kind >= NDK_FX_HW_DESTROY && e.kind <= NDK_FX_WORK_LAST;
}

/* A request slot of an object, or NULL. */
const struct ndk_req *request_of(unsigned slot)
{
	switch (slot) {
	case CONNECTOR:
		return &M.connector.req;
	case LISTENER:
		return &M.listener.req;
	case MR:
		return &M.mr.req;
	default:
		return nullptr;
	}
}

UINT64 mixed(UINT64 h, const void *data, size_t n)
{
	const unsigned char *p = static_cast<const unsigned char *>(data);
	UINT64 word;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0x9fb21c651e98df25ull;
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, p, n);
	h = (h ^ word ^ n) * 0x9fb21c651e98df25ull;
	return h ^ (h >> 29);
}

}

/* ---- what can happen ---- */
void SmallWorld::possible_calls(std::vector<Action> *out) const
{
	const struct Watch *c = &M.watch[CONNECTOR];

	for (UCHAR s = 0; s < SLOTS; s++)
		if (M.watch[s].held)
			out->push_back({ CLOSE, s });
	if (c->held) {
		for (UCHAR what : { COMPLETE, ACCEPT, REJECT, DISCONNECT })
			if (!c->owed)
				out->push_back({ what, 0 });
		if (!c->owed && variant.active)
			out->push_back({ CONNECT, 0 });
	}
	if (M.watch[LISTENER].held) {
		out->push_back({ PAUSE, 0 });
		if (!M.watch[LISTENER].owed)
			out->push_back({ LISTEN, 0 });
	}
	if (M.watch[QP].held)
		out->push_back({ FLUSH, 0 });
	if (!variant.life)
		return;
	if (M.watch[MR].held && !M.watch[MR].owed) {
		out->push_back({ REGISTER, 0 });
		out->push_back({ DEREGISTER, 0 });
	}
	if (M.watch[CQ].held)
		out->push_back({ ARM, NDK_CQ_NOTIFY_ANY });
	if (M.watch[CQ].exists && !M.watch[CQ].building && M.cq.obj.life <= NDK_LIFE_CLOSING) {
		out->push_back({ ARRIVED, 0 });
		if (!M.cq.fault)
			out->push_back({ CQ_FAULT, 0 });
	}
	if (!M.adapter_closing) {
		bool ready[SLOTS] = { true, true, M.watch[PD].held && M.watch[CQ].held,
				      (bool)M.watch[PD].held };
		for (UCHAR s : { PD, CQ, QP, MR })
			if (!M.created[s] && ready[s])
				out->push_back({ CREATE, s });
		out->push_back({ CLOSE_ADAPTER, 0 });
	}
}

void SmallWorld::possible_news(std::vector<Action> *out) const
{
	if (M.cm == CM_NONE)
		return;
	if (M.cm == CM_ASKED)
		out->push_back({ NEWS, NDK_CM_RESPONSE });
	if (M.cm == CM_CONFIRMING)
		out->push_back({ NEWS, NDK_CM_ESTABLISHED });
	for (UCHAR e : { NDK_CM_REJECTED, NDK_CM_UNREACHABLE, NDK_CM_DISCONNECTED, NDK_CM_STEP_FAILED })
		out->push_back({ NEWS, e });
}

void SmallWorld::possible(std::vector<Action> *out)
{
	out->clear();
	possible_calls(out);
	possible_news(out);
	for (UCHAR s = 0; s < SLOTS; s++) {
		if (!M.watch[s].building || (s == CONNECTOR && variant.passive))
			continue;
		out->push_back({ BUILT, s });
		out->push_back({ BUILD_FAILED, s });
	}
	if (M.listening && !M.watch[CONNECTOR].exists)
		out->push_back({ REQUEST, 0 });
	if (M.timer)
		out->push_back({ DEADLINE, 0 });
	if (!M.broke && M.watch[QP].exists && !M.watch[QP].building && M.qp.obj.life <= NDK_LIFE_CLOSING)
		out->push_back({ BROKEN, 0 });
	if (!M.removed)
		out->push_back({ REMOVE, 0 });
	for (UCHAR i = 0; i < M.dues; i++) {
		const Due &d = M.due[i];
		if (i && memcmp(&d, &M.due[i - 1], sizeof(d)) == 0)
			continue; /* the same twice: the same future */
		if (d.running || !(is_call(d.e.kind) || is_answered(d.e.kind)))
			out->push_back({ END, i });
		else
			out->push_back({ START, i });
		if (!d.running && is_answered(d.e.kind))
			out->push_back({ START_FAILED, i });
	}
}

/* ---- which states are the same ---- */
UINT64 SmallWorld::hash() const
{
	static const size_t sizes[SLOTS] = { sizeof(M.pd), sizeof(M.cq), sizeof(M.qp), sizeof(M.mr),
					     sizeof(M.connector), sizeof(M.shared), sizeof(M.listener) };
	alignas(8) unsigned char copy[sizeof(struct ndk_connector) + sizeof(struct ndk_listener)];
	struct ndk_obj *o = (struct ndk_obj *)copy;
	UINT64 h = mixed(M.host.removed, &M.watch, sizeof(M.watch));

	for (unsigned s = 0; s < SLOTS; s++) {
		if (!M.watch[s].exists)
			continue;
		memcpy(copy, object(s), sizes[s]);
		o->id = 0;
		o->sibling = {};
		if (s == CONNECTOR) {
			struct ndk_connector *c = (struct ndk_connector *)copy;
			c->timer_gen = 0;
			c->ep.node.next = nullptr;
			c->tuple.node.next = nullptr;
		}
		h = mixed(h, copy, sizes[s]);
	}
	h = mixed(h, M.adapter.obj.refs, sizeof(M.adapter.obj.refs));
	h = mixed(h, M.due, M.dues * sizeof(Due));
	return mixed(h, &M.dues, sizeof(M) - offsetof(Memory, dues));
}

/* ---- what must hold ---- */
void SmallWorld::check_references(struct ndk_obj *o, Slot s)
{
	const struct ndk_req *r = s == SLOTS ? nullptr : request_of(s);
	UINT32 expected[NDK_REF_KINDS] = {};

	for (unsigned k = 0; k < SLOTS; k++)
		for (unsigned i = 0; M.watch[k].exists && i < object(k)->parents; i++)
			expected[NDK_REF_CHILD] += object(k)->parent[i] == o;
	for (unsigned i = 0; i < M.dues; i++) {
		const struct ndk_effect &e = M.due[i].e;
		expected[NDK_REF_CHILD] += e.release[0] == o;
		expected[NDK_REF_CHILD] += e.release[1] == o;
		expected[NDK_REF_CALLBACK] += e.obj == o && is_call(e.kind);
		expected[NDK_REF_WORK] += e.obj == o && is_work(e);
		expected[NDK_REF_WORK] += e.kind == NDK_FX_CALL_CONNECT && e.target == o &&
					  !M.due[i].running;
	}
	expected[NDK_REF_REQUEST] = r && r->phase != NDK_REQ_IDLE;
	for (unsigned k = 0; k < NDK_REF_KINDS; k++)
		if (o->refs[k] != expected[k])
			complain(k == NDK_REF_CHILD    ? "wrong number of child references" :
				 k == NDK_REF_REQUEST  ? "wrong number of request references" :
				 k == NDK_REF_CALLBACK ? "wrong number of callback references" :
							 "wrong number of work references",
				 o);
}

/* A pending request of the connector ends by itself: a deadline runs, or work of ours does. */
void SmallWorld::check_progress()
{
	if (!M.watch[CONNECTOR].exists || M.connector.req.phase == NDK_REQ_IDLE || M.timer)
		return;
	for (unsigned i = 0; i < M.dues; i++)
		if (M.due[i].e.obj == &M.connector.obj && (M.due[i].e.kind == NDK_FX_CM_TEARDOWN ||
							   M.due[i].e.kind == NDK_FX_QP_DRAIN))
			return;
	complain("a request that may never end", &M.connector.obj);
}

std::string SmallWorld::wrong()
{
	UINT32 endpoints = 0, tuples = 0, alive = 0;

	for (unsigned s = 0; s < SLOTS; s++) {
		struct ndk_obj *o = object(s);
		const struct Watch *w = &M.watch[s];
		if (!w->exists) {
			if (w->owed || w->closing)
				complain("freed before its last callback", o);
			continue;
		}
		alive += o->type != NdkObjectTypeUndefined;
		if (o->magic != NDK_OBJ_MAGIC)
			complain("object without its mark", o);
		for (unsigned i = 0; i < o->parents; i++) {
			Slot p = slot_of(o->parent[i]);
			if (p != SLOTS && !M.watch[p].exists)
				complain("freed before its successor", o->parent[i]);
		}
		check_references(o, (Slot)s);
	}
	check_references(&M.adapter.obj, SLOTS);
	for (unsigned i = 0; i < M.dues; i++) {
		Slot s = slot_of(M.due[i].e.obj);
		if (s != SLOTS && !M.watch[s].exists)
			complain("effect of a freed object", M.due[i].e.obj);
	}
	if (M.watch[CONNECTOR].exists) {
		endpoints += M.connector.ep.node.linked;
		tuples += M.connector.tuple.node.linked;
		if (M.host.count.active != M.connector.was_up)
			complain("count of active connections is wrong");
	}
	check_progress();
	if (M.watch[LISTENER].exists) {
		endpoints += M.listener.ep.node.linked;
		if (M.listener.waiting != (ULONG)(M.watch[CONNECTOR].exists && M.connector.unanswered))
			complain("count of unanswered requests is wrong");
	}
	if (M.watch[SHARED].exists)
		endpoints += M.shared.ep.node.linked;
	if (M.host.endpoints.count != endpoints || M.host.tuples.count != tuples)
		complain("an address belongs to nobody");
	if (M.idle > 1 || (M.idle && alive))
		complain("adapter idle too early, or twice");
	if (port::quiet_reports().bugs || port::quiet_reports().illegal) {
		complain(port::last_report().c_str());
		port::quiet(true);
	}
	return problem;
}

/* ---- to the end ---- */
bool SmallWorld::finish_all()
{
	bool any = false;

	for (unsigned rounds = 0; M.dues && rounds < 200; rounds++) {
		const Due &d = M.due[0];
		any = true;
		if (d.running || !(is_call(d.e.kind) || is_answered(d.e.kind)))
			end(0);
		else
			start(0, true);
	}
	return any;
}

std::string SmallWorld::drive_to_end(bool antecedents_first)
{
	for (unsigned rounds = 0; rounds < 20; rounds++) {
		bool any = finish_all();
		for (unsigned i = 0; i < SLOTS; i++) {
			unsigned s = antecedents_first ? i : SLOTS - 1 - i;
			if (M.watch[s].building && !(s == CONNECTOR && variant.passive))
				built((Slot)s, STATUS_SUCCESS);
			else if (M.watch[s].held)
				close((Slot)s);
			else
				continue;
			any = true;
		}
		if (!any)
			break;
	}
	if (!M.adapter_closing) {
		M.adapter_closing = 1;
		apply({ CLOSE_ADAPTER, 0 });
	}
	for (unsigned s = 0; s < SLOTS; s++) {
		if (M.watch[s].exists)
			complain("cannot be brought to its end", object(s));
		if (M.watch[s].owed || M.watch[s].closing)
			complain("an answer never came", object(s));
	}
	if (M.idle != 1)
		complain("the adapter did not become idle");
	for (unsigned t = 0; t < NdkObjectTypeMax; t++)
		if (t != NdkObjectTypeAdapter && M.host.live[t])
			complain("the host still counts an object");
	if (!ndk_local_idle(&M.local))
		complain("a port is still taken");
	return wrong();
}

std::string SmallWorld::describe(Action a) const
{
	static const char *const words[] = {
		"create", "close", "close adapter", "connect", "complete", "accept", "reject",
		"disconnect", "listen", "pause or resume", "flush", "register", "deregister", "arm",
		"news", "request arrives", "deadline", "QP breaks", "device removed", "result arrives",
		"CQ fails", "built", "building failed", "start of", "failure of", "end of"
	};
	static const char *const news[] = { "none", "address error", "route error", "bind error", "local error",
					    "response", "established", "connect error", "unreachable",
					    "rejected", "disconnected", "step failed" };
	static const char *const slots[] = { "pd", "cq", "qp", "mr", "connector", "shared endpoint",
					     "listener" };
	std::ostringstream text;

	text << words[a.what];
	if (a.what == CREATE || a.what == CLOSE || a.what == BUILT || a.what == BUILD_FAILED)
		text << " " << slots[a.a];
	else if (a.what == NEWS)
		text << ": " << news[a.a];
	else if (a.what == START || a.what == START_FAILED || a.what == END)
		text << " " << ndk_effect_name(M.due[a.a].e.kind) << " of "
		     << ndk_type_name(M.due[a.a].e.obj->type);
	return text.str();
}
