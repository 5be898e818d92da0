/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Every pair of state and event of the connector, by public calls: a listed pair goes where its row
 * says and asks for what its row says, an unlisted one changes nothing and is seen. The small machines
 * are gone through the same way at the end.
 */
#include "lab.h"

#include <gtest/gtest.h>

#include <map>

namespace {

bool consumer_event(unsigned event) { return event <= NDK_CONN_EV_CLOSE; }

/* U-4, U-20, CMPL-8: what a call in the wrong state returns. */
NTSTATUS wrong_state(unsigned event)
{
	return event == NDK_CONN_EV_COMPLETE || event == NDK_CONN_EV_DISCONNECT ?
		STATUS_CONNECTION_INVALID :
		STATUS_INVALID_DEVICE_STATE;
}

/* Work that an act begins, as the kind of effect that shows it. */
struct Sign {
	UINT32 act;
	UCHAR kind;
};

const Sign kSigns[] = {
	{ NDK_CONN_ACT(CM_CONNECT), NDK_FX_CM_CONNECT },
	{ NDK_CONN_ACT(CM_ACCEPT), NDK_FX_CM_ACCEPT },
	{ NDK_CONN_ACT(CM_COMPLETE), NDK_FX_CM_COMPLETE },
	{ NDK_CONN_ACT(CM_REJECT), NDK_FX_CM_REJECT },
	{ NDK_CONN_ACT(CM_DISCONNECT), NDK_FX_CM_DISCONNECT },
	{ NDK_CONN_ACT(TEARDOWN), NDK_FX_CM_TEARDOWN },
	{ NDK_CONN_ACT(DRAIN), NDK_FX_QP_DRAIN },
	{ NDK_CONN_ACT(EVENT), NDK_FX_CALL_DISCONNECT },
	{ NDK_CONN_ACT(DONE), NDK_FX_CALL_REQUEST },
};

const UINT32 kTimes = NDK_CONN_ACT(TIME_CONNECT) | NDK_CONN_ACT(TIME_ACCEPT) |
		      NDK_CONN_ACT(TIME_COMPLETE) | NDK_CONN_ACT(TIME_DISCONNECT);

class Pair : public testing::TestWithParam<unsigned> {
protected:
	void legal(Lab &lab, unsigned event, const struct ndk_step &row)
	{
		std::map<UCHAR, unsigned> before;
		const struct ndk_machine *m = ndk_machine(NDK_MACHINE_CONNECTOR);

		for (const Sign &s : kSigns)
			before[s.kind] = lab.w.count(s.kind);
		bool answer_due = lab.c && lab.c->req.phase == NDK_REQ_PENDED;
		bool removed = lab.w.host.removed;
		struct ndk_counters counted = lab.w.host.count;
		ASSERT_TRUE(lab.event(event));
		if (!lab.c || !lab.w.exists(lab.c))
			return; /* closed inside the call */
		EXPECT_EQ(lab.c->state, row.to) << m->state_names[lab.c->state];
		if (event == NDK_CONN_EV_TORN || event == NDK_CONN_EV_DRAINED ||
		    event == NDK_CONN_EV_DELIVER || removed != (bool)lab.w.host.removed)
			return; /* the event itself is made of effects */
		for (const Sign &s : kSigns) {
			bool expected = (row.acts & s.act) != 0;
			/* answers: only if somebody waits; close may have work of the object besides */
			if (s.act == NDK_CONN_ACT(DONE))
				expected = answer_due && (row.acts & (s.act | NDK_CONN_ACT(CANCEL)));
			EXPECT_EQ(lab.w.count(s.kind), before[s.kind] + expected)
				<< ndk_effect_name(s.kind);
		}
		expect_counts(lab.w.host.count, counted, row.acts);
		if (row.acts & kTimes) {
			EXPECT_TRUE(lab.w.timer(lab.c));
		} else if (row.acts & NDK_CONN_ACT(TIME_STOP)) {
			EXPECT_FALSE(lab.w.timer(lab.c));
		}
	}

	static void expect_counts(const struct ndk_counters &now, const struct ndk_counters &before,
				  UINT32 acts)
	{
		EXPECT_EQ(now.connect_fail - before.connect_fail,
			  (acts & NDK_CONN_ACT(COUNT_FAIL)) ? 1u : 0u);
		EXPECT_EQ(now.conn_error - before.conn_error,
			  (acts & NDK_CONN_ACT(COUNT_ERROR)) ? 1u : 0u);
		EXPECT_EQ(now.connect + now.accept - before.connect - before.accept,
			  (acts & NDK_CONN_ACT(UP)) ? 1u : 0u);
	}

	void illegal(Lab &lab, unsigned state, unsigned event)
	{
		port::Expecting trouble;
		size_t effects = lab.w.effects.size();

		if (event == NDK_CONN_EV_DELIVER || event == NDK_CONN_EV_TORN ||
		    event == NDK_CONN_EV_DRAINED)
			return; /* the core itself is the only source, and it has none here */
		if (consumer_event(event) && !ndk_obj_live(&lab.c->obj))
			return; /* no handle any more */
		ASSERT_TRUE(lab.event(event));
		EXPECT_EQ(lab.c->state, state);
		EXPECT_EQ(lab.w.effects.size(), effects);
		if (consumer_event(event)) {
			EXPECT_STATUS(wrong_state(event), lab.status);
			EXPECT_EQ(trouble.illegal(), 0u) << "a consumer's mistake is no bug of ours";
		} else {
			EXPECT_EQ(trouble.illegal(), 1u);
		}
		EXPECT_EQ(trouble.bugs(), 0u);
	}
};

}

TEST_P(Pair, does_what_its_row_says)
{
	NDK_COVERS("U-4 U-20 REQ-12 CMPL-8 CMPL-11 CMPL-16 DISC-11 ACPT-4 ACPT-5 ACPT-6 ACPT-7 "
		   "REJ-4 CONN-23 DISC-1 U-21 U-22 U-45 U-48");
	const struct ndk_machine *m = ndk_machine(NDK_MACHINE_CONNECTOR);
	unsigned state = GetParam() / m->events, event = GetParam() % m->events;
	struct ndk_step row = m->row(state, event);
	Lab lab;

	SCOPED_TRACE(std::string(m->state_names[state]) + " + " + m->event_names[event]);
	lab.to(state, event);
	if (HasFatalFailure())
		return;
	if (row.legal)
		legal(lab, event, row);
	else
		illegal(lab, state, event);
}

INSTANTIATE_TEST_SUITE_P(Connector, Pair,
			 testing::Range(0u, (unsigned)NDK_CONN_STATE_COUNT *
						      (unsigned)NDK_CONN_EVENT_COUNT),
			 [](const auto &info) {
				 unsigned s = info.param / NDK_CONN_EVENT_COUNT;
				 unsigned e = info.param % NDK_CONN_EVENT_COUNT;
				 return std::string(ndk_state_name(NDK_MACHINE_CONNECTOR, s)) + "_" +
					ndk_event_name(NDK_MACHINE_CONNECTOR, e);
			 });

/* ---- the queue pair: its step function is public ---- */
TEST(QpRows, every_pair)
{
	const struct ndk_machine *m = ndk_machine(NDK_MACHINE_QP);

	for (unsigned i = 0; i < m->states * m->events; i++) {
		World w;
		struct ndk_qp *qp = w.qp();
		unsigned state = i / m->events, event = i % m->events;
		struct ndk_step row = m->row(state, event);
		port::Expecting trouble;

		SCOPED_TRACE(std::string(m->state_names[state]) + " + " + m->event_names[event]);
		qp->state = (UCHAR)state;
		w.call([&](struct ndk_fx *fx) { ndk_qp_step(qp, event, fx); });
		EXPECT_EQ(qp->state, row.legal ? row.to : state);
		EXPECT_EQ(trouble.illegal(), row.legal ? 0u : 1u);
		EXPECT_EQ(qp->can_initiate, qp->state == NDK_QP_CONNECTED);
		bool flush = row.acts & (NDK_QP_ACT(FLUSH) | NDK_QP_ACT(RESET));
		ASSERT_EQ(w.effects.size(), flush ? 1u : 0u);
		if (flush) {
			EXPECT_EQ(w.effects[0].kind, NDK_FX_QP_FLUSH);
			EXPECT_EQ(w.effects[0].arg, (ULONG)(row.acts & NDK_QP_ACT(RESET) ?
								    NDK_QP_FLUSH_RESET :
								    NDK_QP_FLUSH_END));
		}
		w.settle();
	}
}

/* ---- the listener ---- */
namespace {

void bring_listener(World &w, struct ndk_listener *l, unsigned state)
{
	Sa at = v4("192.0.2.1", 80);

	if (state == NDK_LISTENER_RETIRED) {
		w.listen(l, at);
		w.close(l);
		w.finish(NDK_FX_CM_UNLISTEN);
	} else if (state == NDK_LISTENER_RETIRING) {
		w.listen(l, at);
		w.close(l);
	} else if (state == NDK_LISTENER_ADRIFT) {
		w.listen(l, at);
		w.remove_device();
	} else if (state != NDK_LISTENER_CREATED) {
		w.listen(l, at);
	}
	if (state == NDK_LISTENER_LISTENING)
		w.settle();
	ASSERT_EQ(l->state, state);
}

/* FALSE: no such thing can happen to a listener in this state. */
bool listener_event(World &w, struct ndk_listener *l, unsigned event)
{
	switch (event) {
	case NDK_LISTENER_EV_LISTEN:
		w.listen(l, v4("192.0.2.1", 81));
		return true;
	case NDK_LISTENER_EV_BOUND:
	case NDK_LISTENER_EV_REFUSED:
		if (!w.due(NDK_FX_CM_LISTEN))
			return false;
		w.listen_error = event == NDK_LISTENER_EV_REFUSED ? -98 : 0;
		return w.finish(NDK_FX_CM_LISTEN);
	case NDK_LISTENER_EV_REQUEST:
		w.incoming(l);
		return true;
	case NDK_LISTENER_EV_CLOSE:
		if (!ndk_obj_live(&l->obj))
			return false;
		w.close(l);
		return true;
	case NDK_LISTENER_EV_UNLISTENED:
		return w.finish(NDK_FX_CM_UNLISTEN);
	default:
		w.remove_device();
		return true;
	}
}

}

TEST(ListenerRows, every_pair)
{
	NDK_COVERS("U-40 LISTEN-12 U-45");
	const struct ndk_machine *m = ndk_machine(NDK_MACHINE_LISTENER);

	for (unsigned i = 0; i < m->states * m->events; i++) {
		World w;
		struct ndk_listener *l = w.listener();
		unsigned state = i / m->events, event = i % m->events;
		struct ndk_step row = m->row(state, event);

		SCOPED_TRACE(std::string(m->state_names[state]) + " + " + m->event_names[event]);
		bring_listener(w, l, state);
		if (state == NDK_LISTENER_RETIRED && event == NDK_LISTENER_EV_UNLISTENED) {
			/* only if the device went first: then close finds nothing left to undo */
			continue;
		}
		bool happened = listener_event(w, l, event);
		if (row.legal && event != NDK_LISTENER_EV_CLOSE) {
			EXPECT_TRUE(happened);
		}
		EXPECT_EQ(l->state, row.legal && happened ? row.to : state);
	}
}

TEST(ListenerRows, closed_after_the_device_went)
{
	NDK_COVERS("U-45 CLOSE-1");
	World w;
	struct ndk_listener *l = w.listener();

	w.listen(l, v4("192.0.2.1", 80));
	w.remove_device();
	w.close(l);
	EXPECT_EQ(l->state, NDK_LISTENER_RETIRED);
	EXPECT_TRUE(w.finish(NDK_FX_CM_UNLISTEN));
	EXPECT_EQ(l->state, NDK_LISTENER_RETIRED);
	w.settle();
	EXPECT_FALSE(w.exists(l));
}
