/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Lookups and names of the state machines, generated from the row lists. Pure, no lock, any context;
 * ndk_step_take() writes the state it is given, under whatever lock covers that state.
 */
#include "machines.h"

#define STEP(f, e, t, a, r)                    \
	{                                      \
		step.legal = 1;                \
		step.to = (UCHAR)(t);          \
		step.acts = (UINT32)(a);       \
		step.rules = (r);              \
		break;                         \
	}

#define NO_STEP { 0, 0, 0, "" }

#define A(name) NDK_LIFE_ACT(name)
#define ROW(f, e, t, a, r) \
	case NDK_PAIR(NDK_LIFE_##f, NDK_LIFE_EV_##e): \
		STEP(f, e, NDK_LIFE_##t, a, r)
struct ndk_step ndk_life_row(unsigned state, unsigned event)
{
	struct ndk_step step = NO_STEP;

	switch (NDK_PAIR(state, event)) { NDK_LIFE_ROWS(ROW) default: break; }
	return step;
}
#undef A
#undef ROW

#define A(name) NDK_CONN_ACT(name)
#define ROW(f, e, t, a, r) \
	case NDK_PAIR(NDK_CONN_##f, NDK_CONN_EV_##e): \
		STEP(f, e, NDK_CONN_##t, a, r)
struct ndk_step ndk_conn_row(unsigned state, unsigned event)
{
	struct ndk_step step = NO_STEP;

	switch (NDK_PAIR(state, event)) { NDK_CONN_ROWS(ROW) default: break; }
	return step;
}
#undef A
#undef ROW

#define A(name) NDK_LISTENER_ACT(name)
#define ROW(f, e, t, a, r) \
	case NDK_PAIR(NDK_LISTENER_##f, NDK_LISTENER_EV_##e): \
		STEP(f, e, NDK_LISTENER_##t, a, r)
struct ndk_step ndk_listener_row(unsigned state, unsigned event)
{
	struct ndk_step step = NO_STEP;

	switch (NDK_PAIR(state, event)) { NDK_LISTENER_ROWS(ROW) default: break; }
	return step;
}
#undef A
#undef ROW

#define A(name) NDK_SHARED_ACT(name)
#define ROW(f, e, t, a, r) \
	case NDK_PAIR(NDK_SHARED_##f, NDK_SHARED_EV_##e): \
		STEP(f, e, NDK_SHARED_##t, a, r)
struct ndk_step ndk_shared_row(unsigned state, unsigned event)
{
	struct ndk_step step = NO_STEP;

	switch (NDK_PAIR(state, event)) { NDK_SHARED_ROWS(ROW) default: break; }
	return step;
}
#undef A
#undef ROW

#define A(name) NDK_QP_ACT(name)
#define ROW(f, e, t, a, r) \
	case NDK_PAIR(NDK_QP_##f, NDK_QP_EV_##e): \
		STEP(f, e, NDK_QP_##t, a, r)
struct ndk_step ndk_qp_row(unsigned state, unsigned event)
{
	struct ndk_step step = NO_STEP;

	switch (NDK_PAIR(state, event)) { NDK_QP_ROWS(ROW) default: break; }
	return step;
}
#undef A
#undef ROW

#define A(name) NDK_CQ_ACT(name)
#define ROW(f, e, t, a, r) \
	case NDK_PAIR(NDK_CQ_##f, NDK_CQ_EV_##e): \
		STEP(f, e, NDK_CQ_##t, a, r)
struct ndk_step ndk_cq_row(unsigned state, unsigned event)
{
	struct ndk_step step = NO_STEP;

	switch (NDK_PAIR(state, event)) { NDK_CQ_ROWS(ROW) default: break; }
	return step;
}
#undef A
#undef ROW

#define A(name) NDK_MR_ACT(name)
#define ROW(f, e, t, a, r) \
	case NDK_PAIR(NDK_MR_##f, NDK_MR_EV_##e): \
		STEP(f, e, NDK_MR_##t, a, r)
struct ndk_step ndk_mr_row(unsigned state, unsigned event)
{
	struct ndk_step step = NO_STEP;

	switch (NDK_PAIR(state, event)) { NDK_MR_ROWS(ROW) default: break; }
	return step;
}
#undef A
#undef ROW

#define A(name) NDK_SRQ_ACT(name)
#define ROW(f, e, t, a, r) \
	case NDK_PAIR(NDK_SRQ_##f, NDK_SRQ_EV_##e): \
		STEP(f, e, NDK_SRQ_##t, a, r)
struct ndk_step ndk_srq_row(unsigned state, unsigned event)
{
	struct ndk_step step = NO_STEP;

	switch (NDK_PAIR(state, event)) { NDK_SRQ_ROWS(ROW) default: break; }
	return step;
}
#undef A
#undef ROW

#define N(name) #name,
static const char *const life_states[] = { NDK_LIFE_STATES(N) };
static const char *const life_events[] = { NDK_LIFE_EVENTS(N) };
static const char *const life_acts[] = { NDK_LIFE_ACTS(N) };
static const char *const conn_states[] = { NDK_CONN_STATES(N) };
static const char *const conn_events[] = { NDK_CONN_EVENTS(N) };
static const char *const conn_acts[] = { NDK_CONN_ACTS(N) };
static const char *const listener_states[] = { NDK_LISTENER_STATES(N) };
static const char *const listener_events[] = { NDK_LISTENER_EVENTS(N) };
static const char *const listener_acts[] = { NDK_LISTENER_ACTS(N) };
static const char *const shared_states[] = { NDK_SHARED_STATES(N) };
static const char *const shared_events[] = { NDK_SHARED_EVENTS(N) };
static const char *const shared_acts[] = { NDK_SHARED_ACTS(N) };
static const char *const qp_states[] = { NDK_QP_STATES(N) };
static const char *const qp_events[] = { NDK_QP_EVENTS(N) };
static const char *const qp_acts[] = { NDK_QP_ACTS(N) };
static const char *const cq_states[] = { NDK_CQ_STATES(N) };
static const char *const cq_events[] = { NDK_CQ_EVENTS(N) };
static const char *const cq_acts[] = { NDK_CQ_ACTS(N) };
static const char *const mr_states[] = { NDK_MR_STATES(N) };
static const char *const mr_events[] = { NDK_MR_EVENTS(N) };
static const char *const mr_acts[] = { NDK_MR_ACTS(N) };
static const char *const srq_states[] = { NDK_SRQ_STATES(N) };
static const char *const srq_events[] = { NDK_SRQ_EVENTS(N) };
static const char *const srq_acts[] = { NDK_SRQ_ACTS(N) };
#undef N

static const struct ndk_machine machines[NDK_MACHINES] = {
	{ "life", NDK_LIFE_STATE_COUNT, NDK_LIFE_EVENT_COUNT, NDK_LIFE_ACT_COUNT,
	  life_states, life_events, life_acts, ndk_life_row },
	{ "connector", NDK_CONN_STATE_COUNT, NDK_CONN_EVENT_COUNT, NDK_CONN_ACT_COUNT,
	  conn_states, conn_events, conn_acts, ndk_conn_row },
	{ "listener", NDK_LISTENER_STATE_COUNT, NDK_LISTENER_EVENT_COUNT, NDK_LISTENER_ACT_COUNT,
	  listener_states, listener_events, listener_acts, ndk_listener_row },
	{ "shared_endpoint", NDK_SHARED_STATE_COUNT, NDK_SHARED_EVENT_COUNT, NDK_SHARED_ACT_COUNT,
	  shared_states, shared_events, shared_acts, ndk_shared_row },
	{ "qp", NDK_QP_STATE_COUNT, NDK_QP_EVENT_COUNT, NDK_QP_ACT_COUNT,
	  qp_states, qp_events, qp_acts, ndk_qp_row },
	{ "cq", NDK_CQ_STATE_COUNT, NDK_CQ_EVENT_COUNT, NDK_CQ_ACT_COUNT,
	  cq_states, cq_events, cq_acts, ndk_cq_row },
	{ "mr", NDK_MR_STATE_COUNT, NDK_MR_EVENT_COUNT, NDK_MR_ACT_COUNT,
	  mr_states, mr_events, mr_acts, ndk_mr_row },
	{ "srq", NDK_SRQ_STATE_COUNT, NDK_SRQ_EVENT_COUNT, NDK_SRQ_ACT_COUNT,
	  srq_states, srq_events, srq_acts, ndk_srq_row },
};

const struct ndk_machine *ndk_machine(unsigned index)
{
	return index < NDK_MACHINES ? &machines[index] : (const struct ndk_machine *)0;
}

const char *ndk_state_name(unsigned machine, unsigned state)
{
	if (machine >= NDK_MACHINES || state >= machines[machine].states)
		return "?";
	return machines[machine].state_names[state];
}

const char *ndk_event_name(unsigned machine, unsigned event)
{
	if (machine >= NDK_MACHINES || event >= machines[machine].events)
		return "?";
	return machines[machine].event_names[event];
}

BOOLEAN ndk_step_has(unsigned machine, unsigned state, unsigned event)
{
	return machines[machine].row(state, event).legal != 0;
}

struct ndk_step ndk_step_take(const struct ndk_obj *obj, unsigned machine, UCHAR *state, unsigned event)
{
	struct ndk_step step = machines[machine].row(*state, event);

	if (!step.legal) {
		ndk_port_illegal(obj, machines[machine].name, ndk_state_name(machine, *state),
				 ndk_event_name(machine, event));
		return step;
	}
	ndk_port_trace(obj, machines[machine].name, ndk_state_name(machine, *state),
		       ndk_event_name(machine, event), ndk_state_name(machine, step.to));
	*state = step.to;
	return step;
}
