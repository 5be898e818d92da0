/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The enumerations, names and lookups generated from the row lists. One block per machine; the
 * blocks differ only in their prefix. Names come back for any value, also a bad one, because they
 * end up in messages about things that went wrong.
 */
#ifndef NDK_CORE_MACHINES_H
#define NDK_CORE_MACHINES_H

#include "step.h"
#include "object_rows.h"
#include "connector_rows.h"
#include "listener_rows.h"
#include "endpoint_rows.h"
#include "qp_rows.h"
#include "cq_rows.h"
#include "mr_rows.h"
#include "srq_rows.h"

#ifdef __cplusplus
extern "C" {
#endif

#define S(name) NDK_LIFE_##name,
enum ndk_life { NDK_LIFE_STATES(S) NDK_LIFE_STATE_COUNT };
#undef S
#define S(name) NDK_CONN_##name,
enum ndk_conn_state { NDK_CONN_STATES(S) NDK_CONN_STATE_COUNT };
#undef S
#define S(name) NDK_LISTENER_##name,
enum ndk_listener_state { NDK_LISTENER_STATES(S) NDK_LISTENER_STATE_COUNT };
#undef S
#define S(name) NDK_SHARED_##name,
enum ndk_shared_state { NDK_SHARED_STATES(S) NDK_SHARED_STATE_COUNT };
#undef S
#define S(name) NDK_QP_##name,
enum ndk_qp_state { NDK_QP_STATES(S) NDK_QP_STATE_COUNT };
#undef S
#define S(name) NDK_CQ_##name,
enum ndk_cq_state { NDK_CQ_STATES(S) NDK_CQ_STATE_COUNT };
#undef S
#define S(name) NDK_MR_##name,
enum ndk_mr_state { NDK_MR_STATES(S) NDK_MR_STATE_COUNT };
#undef S
#define S(name) NDK_SRQ_##name,
enum ndk_srq_state { NDK_SRQ_STATES(S) NDK_SRQ_STATE_COUNT };
#undef S

#define E(name) NDK_LIFE_EV_##name,
enum ndk_life_event { NDK_LIFE_EVENTS(E) NDK_LIFE_EVENT_COUNT };
#undef E
#define E(name) NDK_CONN_EV_##name,
enum ndk_conn_event { NDK_CONN_EVENTS(E) NDK_CONN_EVENT_COUNT };
#undef E
#define E(name) NDK_LISTENER_EV_##name,
enum ndk_listener_event { NDK_LISTENER_EVENTS(E) NDK_LISTENER_EVENT_COUNT };
#undef E
#define E(name) NDK_SHARED_EV_##name,
enum ndk_shared_event { NDK_SHARED_EVENTS(E) NDK_SHARED_EVENT_COUNT };
#undef E
#define E(name) NDK_QP_EV_##name,
enum ndk_qp_event { NDK_QP_EVENTS(E) NDK_QP_EVENT_COUNT };
#undef E
#define E(name) NDK_CQ_EV_##name,
enum ndk_cq_event { NDK_CQ_EVENTS(E) NDK_CQ_EVENT_COUNT };
#undef E
#define E(name) NDK_MR_EV_##name,
enum ndk_mr_event { NDK_MR_EVENTS(E) NDK_MR_EVENT_COUNT };
#undef E
#define E(name) NDK_SRQ_EV_##name,
enum ndk_srq_event { NDK_SRQ_EVENTS(E) NDK_SRQ_EVENT_COUNT };
#undef E

/* acts: a bit each, so that a row can say several */
#define X(name) NDK_LIFE_ACT_BIT_##name,
enum { NDK_LIFE_ACTS(X) NDK_LIFE_ACT_COUNT };
#undef X
#define X(name) NDK_CONN_ACT_BIT_##name,
enum { NDK_CONN_ACTS(X) NDK_CONN_ACT_COUNT };
#undef X
#define X(name) NDK_LISTENER_ACT_BIT_##name,
enum { NDK_LISTENER_ACTS(X) NDK_LISTENER_ACT_COUNT };
#undef X
#define X(name) NDK_SHARED_ACT_BIT_##name,
enum { NDK_SHARED_ACTS(X) NDK_SHARED_ACT_COUNT };
#undef X
#define X(name) NDK_QP_ACT_BIT_##name,
enum { NDK_QP_ACTS(X) NDK_QP_ACT_COUNT };
#undef X
#define X(name) NDK_CQ_ACT_BIT_##name,
enum { NDK_CQ_ACTS(X) NDK_CQ_ACT_COUNT };
#undef X
#define X(name) NDK_MR_ACT_BIT_##name,
enum { NDK_MR_ACTS(X) NDK_MR_ACT_COUNT };
#undef X
#define X(name) NDK_SRQ_ACT_BIT_##name,
enum { NDK_SRQ_ACTS(X) NDK_SRQ_ACT_COUNT };
#undef X

#define NDK_LIFE_ACT(name) (1u << NDK_LIFE_ACT_BIT_##name)
#define NDK_CONN_ACT(name) (1u << NDK_CONN_ACT_BIT_##name)
#define NDK_LISTENER_ACT(name) (1u << NDK_LISTENER_ACT_BIT_##name)
#define NDK_SHARED_ACT(name) (1u << NDK_SHARED_ACT_BIT_##name)
#define NDK_QP_ACT(name) (1u << NDK_QP_ACT_BIT_##name)
#define NDK_CQ_ACT(name) (1u << NDK_CQ_ACT_BIT_##name)
#define NDK_MR_ACT(name) (1u << NDK_MR_ACT_BIT_##name)
#define NDK_SRQ_ACT(name) (1u << NDK_SRQ_ACT_BIT_##name)

struct ndk_step ndk_life_row(unsigned state, unsigned event);
struct ndk_step ndk_conn_row(unsigned state, unsigned event);
struct ndk_step ndk_listener_row(unsigned state, unsigned event);
struct ndk_step ndk_shared_row(unsigned state, unsigned event);
struct ndk_step ndk_qp_row(unsigned state, unsigned event);
struct ndk_step ndk_cq_row(unsigned state, unsigned event);
struct ndk_step ndk_mr_row(unsigned state, unsigned event);
struct ndk_step ndk_srq_row(unsigned state, unsigned event);

/* Everything a generator of matrices and diagrams wants to know about one machine. */
struct ndk_machine {
	const char *name;
	unsigned states;
	unsigned events;
	unsigned acts;
	const char *const *state_names;
	const char *const *event_names;
	const char *const *act_names;
	struct ndk_step (*row)(unsigned state, unsigned event);
};

/* index below NDK_MACHINES; the order is that of the blocks above */
enum ndk_machine_index {
	NDK_MACHINE_LIFE,
	NDK_MACHINE_CONNECTOR,
	NDK_MACHINE_LISTENER,
	NDK_MACHINE_SHARED,
	NDK_MACHINE_QP,
	NDK_MACHINE_CQ,
	NDK_MACHINE_MR,
	NDK_MACHINE_SRQ,
	NDK_MACHINES
};

const struct ndk_machine *ndk_machine(unsigned index);
const char *ndk_state_name(unsigned machine, unsigned state);
const char *ndk_event_name(unsigned machine, unsigned event);

/*
 * Take one step: looks the pair up, traces it, writes *state. The only function that writes a state.
 * An unlisted pair leaves *state alone, is reported through ndk_port_illegal() and comes back with
 * legal == 0 and no acts.
 */
struct ndk_step ndk_step_take(const struct ndk_obj *obj, unsigned machine, UCHAR *state, unsigned event);

/* May this event be taken now? Decides "wrong state" for calls of the consumer (U-4). */
BOOLEAN ndk_step_has(unsigned machine, unsigned state, unsigned event);

#ifdef __cplusplus
}
#endif
#endif
