/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Connector, listener, shared endpoint: everything about connections. Lock: the host's.
 */
#ifndef NDK_CORE_CONNECTOR_H
#define NDK_CORE_CONNECTOR_H

#include "object.h"
#include "qp.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NDK_PRIVATE_MAX 256u

/* Private data, both ways. Allocated with the first connect, accept or request; freed with the connector. */
struct ndk_conn_data {
	ULONG out_len;
	ULONG in_len; /* size the CM reports, not what the peer wrote (PRIV-2, PRIV-4) */
	UCHAR out[NDK_PRIVATE_MAX];
	UCHAR in[NDK_PRIVATE_MAX];
};

struct ndk_shared {
	struct ndk_obj obj;
	struct ndk_ep ep;
	UCHAR state; /* enum ndk_shared_state */
};

struct ndk_listener {
	struct ndk_obj obj;
	struct ndk_ep ep;
	struct ndk_req req;
	NDK_FN_CONNECT_EVENT_CALLBACK *event;
	PVOID event_ctx;
	UCHAR state;  /* enum ndk_listener_state */
	UCHAR paused; /* LISTEN-10, U-39 */
	UCHAR named;  /* ep.addr is valid for NdkGetLocalAddress */
	ULONG waiting; /* delivered, not yet answered (LISTEN-6) */
};

struct ndk_connector {
	struct ndk_obj obj;
	struct ndk_ep ep;	/* of a plain NdkConnect (EP-3) */
	struct ndk_tuple tuple;
	struct ndk_req req;
	struct ndk_addr local;
	struct ndk_addr remote;
	struct ndk_conn_data *data;
	struct ndk_qp *qp;	/* while tied */
	struct ndk_shared *shared;
	struct ndk_listener *listener;
	NTSTATUS verdict;
	UCHAR state;		/* enum ndk_conn_state */
	UCHAR active;		/* the side that called connect */
	UCHAR named;		/* local and remote are valid */
	UCHAR readable;		/* NdkGetConnectionData window is open (CTR-1, CTR-2, U-12) */
	UCHAR refused;		/* ... because the peer rejected: limits read as 0 */
	UCHAR dropped;		/* its listener closed before the connect event ran (U-41) */
	UCHAR unanswered;	/* counted in listener->waiting */
	UCHAR event_due;	/* disconnect event emitted or held back */
	UCHAR event_held;	/* ... until the establishment callback returned (U-18) */
	UCHAR event_over;	/* told, or suppressed for good */
	UCHAR establishing;	/* the callback of complete-connect or accept has not returned */
	UCHAR engaged;		/* the QP's device part left the state in which it could be connected afresh */
	UCHAR was_up;		/* counted as active */
	ULONG timer_gen;	/* generation of the running deadline, see NDK_FX_TIMER_SET */
	ULONG want_in, want_out; /* capped to the adapter's (RDL-2, RDL-3, U-15) */
	ULONG peer_in, peer_out; /* reads the peer accepts, reads the peer will issue */
	ULONG eff_in, eff_out;	/* known when connect succeeded, in force with complete connect (RDL-10) */
	NDK_FN_DISCONNECT_EVENT_CALLBACK *event;
	NDK_FN_DISCONNECT_EVENT_CALLBACK_EX *event_ex; /* one of the two, or none (DISC-15, DISC-17) */
	PVOID event_ctx;
	ULONG reason;		/* for the Ex form; 0 unknown (DISC-16) */
};

/* ---- calls of the consumer; return what the call returns, see ndk_req_return() ---- */
struct ndk_connect_args {
	NDK_QP *qp;
	const VOID *src; /* NULL with a shared endpoint */
	ULONG src_len;
	NDK_SHARED_ENDPOINT *shared;
	const VOID *dst;
	ULONG dst_len;
	ULONG in_limit, out_limit;
	const VOID *data;
	ULONG data_len;
	NDK_FN_REQUEST_COMPLETION *fn;
	PVOID ctx;
};

struct ndk_accept_args {
	NDK_QP *qp;
	ULONG in_limit, out_limit;
	const VOID *data;
	ULONG data_len;
	NDK_FN_DISCONNECT_EVENT_CALLBACK *event;
	NDK_FN_DISCONNECT_EVENT_CALLBACK_EX *event_ex;
	PVOID event_ctx;
	NDK_FN_REQUEST_COMPLETION *fn;
	PVOID ctx;
};

/* c->data must have been set by the caller (it allocates); see struct ndk_conn_data. */
NTSTATUS ndk_connector_connect(struct ndk_connector *c, const struct ndk_connect_args *a, struct ndk_fx *fx);
NTSTATUS ndk_connector_accept(struct ndk_connector *c, const struct ndk_accept_args *a, struct ndk_fx *fx);
/* only event*, fn and ctx of the arguments are read */
NTSTATUS ndk_connector_complete(struct ndk_connector *c, const struct ndk_accept_args *a, struct ndk_fx *fx);
NTSTATUS ndk_connector_reject(struct ndk_connector *c, const VOID *data, ULONG len, struct ndk_fx *fx);
NTSTATUS ndk_connector_disconnect(struct ndk_connector *c, NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx,
				  struct ndk_fx *fx);
NTSTATUS ndk_connector_get_data(const struct ndk_connector *c, ULONG *in_limit, ULONG *out_limit, VOID *data,
				ULONG *len);
NTSTATUS ndk_connector_local_address(const struct ndk_connector *c, VOID *sockaddr, ULONG *len);
NTSTATUS ndk_connector_peer_address(const struct ndk_connector *c, VOID *sockaddr, ULONG *len);

/* ---- news for a connector ---- */
enum ndk_cm_event {
	NDK_CM_ADDR_ERROR = 1, /* err: negative errno; 0 is no news */
	NDK_CM_ROUTE_ERROR,   /* err */
	NDK_CM_BIND_ERROR,    /* err: binding the local address failed */
	NDK_CM_LOCAL_ERROR,   /* err: a step of ours failed before the peer was involved */
	NDK_CM_RESPONSE,      /* the peer accepted; limits and data. On iWARP: ESTABLISHED of the active side */
	NDK_CM_ESTABLISHED,   /* passive: confirmed. Active: our confirmation is out */
	NDK_CM_CONNECT_ERROR, /* err */
	NDK_CM_UNREACHABLE,   /* err */
	NDK_CM_REJECTED,      /* reason: IB_CM_REJ_* (positive) or iWARP errno (negative); data */
	NDK_CM_DISCONNECTED,  /* err: 0 graceful, else errno */
	NDK_CM_STEP_FAILED    /* our QP transition, reply or confirmation failed, err */
};

struct ndk_cm_news {
	UCHAR event; /* enum ndk_cm_event */
	int err;     /* errno or reject reason */
	const VOID *data;
	ULONG data_len;
	/* RESPONSE: reads the peer accepts from us, reads the peer will issue; our perspective (LNX-8) */
	ULONG peer_in, peer_out;
};

void ndk_connector_cm(struct ndk_connector *c, const struct ndk_cm_news *n, struct ndk_fx *fx);
/* A deadline set by NDK_FX_TIMER_SET with this generation expired; stale ones are ignored. */
void ndk_connector_deadline(struct ndk_connector *c, ULONG generation, struct ndk_fx *fx);
/* The device goes away (U-45). */
void ndk_connector_removed(struct ndk_connector *c, struct ndk_fx *fx);
/* From the QP. */
void ndk_connector_qp_event(struct ndk_connector *c, unsigned event, struct ndk_fx *fx);

/* ---- listener ---- */
NTSTATUS ndk_listener_listen(struct ndk_listener *l, const VOID *sockaddr, ULONG len,
			     NDK_FN_REQUEST_COMPLETION *fn, PVOID ctx, struct ndk_fx *fx);
NTSTATUS ndk_listener_local_address(const struct ndk_listener *l, VOID *sockaddr, ULONG *len);
void ndk_listener_pause(struct ndk_listener *l, BOOLEAN pause);
/* Outcome of NDK_FX_CM_LISTEN; err is 0 or a negative errno. */
void ndk_listener_answer(struct ndk_listener *l, int err, struct ndk_fx *fx);
void ndk_listener_removed(struct ndk_listener *l, struct ndk_fx *fx);

struct ndk_cm_request {
	struct ndk_addr local;
	struct ndk_addr remote;
	const VOID *data;
	ULONG data_len;
	ULONG peer_in, peer_out;
};

enum ndk_verdict {
	NDK_DELIVERED,	     /* c now belongs to the core; the connect event follows */
	NDK_REFUSE_NO_ONE,   /* paused or closing: answer as if there were no listener (LNX-22) */
	NDK_REFUSE_BACKLOG   /* full: a refusal too (LISTEN-6) */
};

/* c is zeroed memory with c->data set; unless DELIVERED it stays the caller's. */
enum ndk_verdict ndk_listener_request(struct ndk_listener *l, struct ndk_connector *c,
				      const struct ndk_cm_request *r, struct ndk_fx *fx);

/* ---- shared endpoint ---- */
/* Between ndk_obj_begin() and building. */
NTSTATUS ndk_shared_reserve(struct ndk_shared *s, const VOID *sockaddr, ULONG len);
/* Outcome of building; maps errno and gives the address back on failure. */
NTSTATUS ndk_shared_bound(struct ndk_shared *s, int err);
NTSTATUS ndk_shared_local_address(const struct ndk_shared *s, VOID *sockaddr, ULONG *len);

/* ---- statuses ---- */
/* errno of binding a local address whose validity was already checked. */
NTSTATUS ndk_status_bind(int err);
/* errno of address or route resolution. */
NTSTATUS ndk_status_resolve(int err);
/* reject reason while connecting. */
NTSTATUS ndk_status_reject_connecting(UCHAR transport, int reason);
/* generic errno of resources and local steps. */
NTSTATUS ndk_status_local(int err);

/* The event of the machine and the status that a piece of CM news amounts to (NDK_CONN_EV_*). */
unsigned ndk_cm_translate(UCHAR transport, BOOLEAN connecting, BOOLEAN disconnecting, const struct ndk_cm_news *n,
			  NTSTATUS *status);

/* reject reasons of the IB CM that matter here; names after the specification's */
#define NDK_REJ_NO_QP 1
#define NDK_REJ_NO_RESOURCES 3
#define NDK_REJ_TIMEOUT 4
#define NDK_REJ_INVALID_SERVICE_ID 8
#define NDK_REJ_STALE_CONN 10
#define NDK_REJ_INVALID_GID 12
#define NDK_REJ_INVALID_LID 13
#define NDK_REJ_PORT_REDIRECT 24
#define NDK_REJ_PORT_CM_REDIRECT 25
#define NDK_REJ_CONSUMER_DEFINED 28

#ifdef __cplusplus
}
#endif
#endif
