/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What all NDK objects have in common: the consumer's header, a life (object_rows.h), references by
 * kind, antecedents, one create or close completion, and the host they live on.
 *
 * Memory is the shell's: it allocates a zeroed block that begins with the core structure, and gets
 * it back through NDK_FX_FREE. Lock: the host's, for every function here.
 */
#ifndef NDK_CORE_OBJECT_H
#define NDK_CORE_OBJECT_H

#include "machines.h"
#include "effects.h"
#include "endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who may keep an object from ending. The consumer's own handle is the life state. */
enum ndk_ref {
	NDK_REF_CHILD,	  /* a successor exists (LIFE-4) */
	NDK_REF_REQUEST,  /* a request is pending (CLOSE-5) */
	NDK_REF_CALLBACK, /* a callback is due or running (CLOSE-6, CLOSE-7) */
	NDK_REF_WORK,	  /* device or CM work is under way */
	NDK_REF_KINDS
};

/* How requests are answered; the harness and a module parameter can change it at any time. */
enum ndk_answer {
	NDK_ANSWER_NATURAL, /* inline what is known inline, else pend */
	NDK_ANSWER_PEND,    /* always through the callback */
	NDK_ANSWER_WAIT	    /* always inline: the shell waits inside the call (harness only) */
};

enum ndk_req_phase { NDK_REQ_IDLE, NDK_REQ_CALLING, NDK_REQ_PENDED, NDK_REQ_ANSWERED };

/* One request slot. The next request may begin as soon as the last one's callback was emitted. */
struct ndk_req {
	UCHAR phase; /* enum ndk_req_phase */
	NTSTATUS status;
	union {
		NDK_FN_REQUEST_COMPLETION *request;
		NDK_FN_CREATE_COMPLETION *create;
		NDK_FN_CLOSE_COMPLETION *close;
	} fn;
	PVOID ctx;
};

#define NDK_MAX_PARENTS 6
#define NDK_OBJ_MAGIC 0x4e444b4fu /* "NDKO": a freed or foreign pointer does not have it */

struct ndk_adapter;

struct ndk_obj {
	union {			 /* what the consumer sees; first, so that OBJ-1 holds */
		NDK_OBJECT_HEADER header;
		NDK_ADAPTER adapter;
		NDK_PD pd;
		NDK_CQ cq;
		NDK_QP qp;
		NDK_MR mr;
		NDK_MW mw;
		NDK_SRQ srq;
		NDK_LISTENER listener;
		NDK_CONNECTOR connector;
		NDK_SHARED_ENDPOINT endpoint;
	} ndk;
	UINT32 magic;
	UINT32 id; /* small number for traces, unique per host */
	UCHAR type; /* NDK_OBJECT_TYPE */
	UCHAR life; /* enum ndk_life, written by ndk_step_take() only */
	UCHAR light; /* no device part that needs a worker: the shell may unbuild inside the call */
	UCHAR parents;
	UINT32 refs[NDK_REF_KINDS];
	struct ndk_host *host;
	struct ndk_adapter *adapter;	/* NULL for an adapter */
	struct ndk_obj *parent[NDK_MAX_PARENTS];
	struct ndk_link sibling;	/* in adapter->objects */
	struct ndk_req birth;		/* create request, later the close request */
};

struct ndk_adapter {
	struct ndk_obj obj;
	struct ndk_link objects;	/* all descendants, in order of creation */
	struct ndk_link link;		/* in host->adapters */
	UCHAR idle_told;
};

enum ndk_transport { NDK_TRANSPORT_IB, NDK_TRANSPORT_IWARP };

enum ndk_deadline { NDK_TIME_RESOLVE, NDK_TIME_CONNECT, NDK_TIME_ACCEPT, NDK_TIME_DISCONNECT, NDK_TIME_KINDS };

/* Defaults in milliseconds, the same on every binding. */
#define NDK_DEFAULT_RESOLVE_MS 3000u
#define NDK_DEFAULT_CONNECT_MS 10000u
#define NDK_DEFAULT_ACCEPT_MS 30000u
#define NDK_DEFAULT_DISCONNECT_MS 5000u
#define NDK_DEFAULT_BACKLOG 256u

struct ndk_counters {
	UINT64 connect;	     /* outbound established */
	UINT64 accept;	     /* inbound established */
	UINT64 connect_fail; /* attempts failed, both directions */
	UINT64 conn_error;   /* established, then broken before the consumer disconnected */
	UINT64 active;	     /* established now */
	UINT64 cq_error;
};

/* One RDMA device. Embedded in the shell's own structure. */
struct ndk_host {
	NDK_ADAPTER_INFO info; /* what NdkQueryAdapterInfo reports, except the version */
	UCHAR transport;       /* enum ndk_transport */
	UCHAR removed;	       /* the device is gone (U-45) */
	UCHAR disabled;	       /* by the administrator: no more opens (ADP-2) */
	UCHAR forbidden;       /* the administrative keyword is 0: cannot be enabled (MGMT-3) */
	ULONG owner_pid;       /* of the process all consumers live in; 0: the kernel */
	NDIS_NDK_CAPABILITIES caps; /* counts of objects, filled by the shell; the rest is not used */
	UCHAR answer;	       /* enum ndk_answer */
	UINT32 heavy;	       /* bit per NDK_OBJECT_TYPE whose building pends */
	ULONG time_ms[NDK_TIME_KINDS];
	ULONG backlog;
	UINT32 next_id;
	UINT32 live[NdkObjectTypeMax]; /* objects by type, adapters included */
	struct ndk_counters count;
	struct ndk_link adapters;
	struct ndk_link locals;
	struct ndk_hash endpoints;
	struct ndk_hash tuples;
	ULONG fx_high; /* longest effect list seen, for the tests */
};

void ndk_host_init(struct ndk_host *h, UCHAR transport);

/* ---- requests ---- */
void ndk_req_begin(struct ndk_obj *o, struct ndk_req *r, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx);
/* Ends the request: as the call's return value while the call runs, else by a callback effect. */
void ndk_req_end(struct ndk_obj *o, struct ndk_req *r, NTSTATUS status, struct ndk_fx *fx);
/*
 * What the call returns. STATUS_PENDING when the answer comes later; with NDK_ANSWER_WAIT an
 * unanswered request stays in phase CALLING and the shell must wait for ANSWERED and ask again.
 */
NTSTATUS ndk_req_return(struct ndk_obj *o, struct ndk_req *r, struct ndk_fx *fx);

/* ---- life ---- */
/* Antecedents are given before building; obj must be zeroed memory. Object is not yet usable. */
void ndk_obj_begin(struct ndk_obj *o, struct ndk_adapter *a, NDK_OBJECT_TYPE type, NDK_FN_CREATE_COMPLETION *fn,
		   PVOID ctx);
void ndk_obj_depend(struct ndk_obj *o, struct ndk_obj *on);
/* Ends one dependency early (U-24); the antecedent may start to end. */
void ndk_obj_undepend(struct ndk_obj *o, struct ndk_obj *on, struct ndk_fx *fx);
/* The object was built, or not. Inline answer or callback as for requests. */
NTSTATUS ndk_obj_built(struct ndk_obj *o, NTSTATUS status, struct ndk_fx *fx);
/* Never fails: STATUS_SUCCESS or STATUS_PENDING (CLOSE-1). */
NTSTATUS ndk_obj_close(struct ndk_obj *o, NDK_FN_CLOSE_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx);
/* Marks the object handed over without a create call: connectors made for a connect event. */
void ndk_obj_hand_over(struct ndk_obj *o);
/* Gives up an object that was never handed over. */
void ndk_obj_abandon(struct ndk_obj *o, struct ndk_fx *fx);

void ndk_ref_get(struct ndk_obj *o, enum ndk_ref kind);
void ndk_ref_put(struct ndk_obj *o, enum ndk_ref kind, struct ndk_fx *fx);

static inline BOOLEAN ndk_obj_live(const struct ndk_obj *o)
{
	return o->life == NDK_LIFE_LIVE;
}

/* Is this pointer one of our objects of that type? NULL, freed and foreign pointers are not. */
static inline struct ndk_obj *ndk_obj_of(const VOID *p, NDK_OBJECT_TYPE type)
{
	struct ndk_obj *o = (struct ndk_obj *)(ULONG_PTR)p;

	return o && o->magic == NDK_OBJ_MAGIC && o->type == (UCHAR)type ? o : (struct ndk_obj *)0;
}

/* ---- effects ---- */
/*
 * Asked right before a consumer's event callback is called. FALSE: no longer wanted (U-19, CLOSE-13,
 * U-41), do not call; report done all the same.
 */
BOOLEAN ndk_effect_start(const struct ndk_effect *e, struct ndk_fx *fx);
/* The effect is finished; for callbacks: the consumer's function returned. */
void ndk_effect_done(const struct ndk_effect *e, struct ndk_fx *fx);

/* ---- adapter ---- */
void ndk_adapter_init(struct ndk_adapter *a, struct ndk_host *h, NDK_VERSION version);
/* NDK_FX_ADAPTER_IDLE follows, now or later, when nothing descends from the adapter any more. */
void ndk_adapter_close(struct ndk_adapter *a, struct ndk_fx *fx);
/* The shell frees an idle adapter after this. */
void ndk_adapter_end(struct ndk_adapter *a);
/* A logical address mapping holds the adapter like a child (LAM-12). */
void ndk_adapter_hold(struct ndk_adapter *a);
void ndk_adapter_unhold(struct ndk_adapter *a, struct ndk_fx *fx);

/* VER-1..VER-4: major 1 runs at 1.2, major 2 at 2.1. */
NDIS_STATUS ndk_version_pick(NDK_VERSION asked, NDK_VERSION *in_force);

const char *ndk_type_name(unsigned type);
const char *ndk_effect_name(unsigned kind);

#ifdef __cplusplus
}
#endif
#endif
