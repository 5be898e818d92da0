/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Inside the monitors: records of objects, calls and posts, shared by monitor.c (records, verdicts),
 * monitor_calls.c (requests, creations, closes, events), monitor_posts.c (work requests, results),
 * monitor_arms.c (arms, notifications), monitor_count.c (counters, blocking, clocks),
 * monitor_tables.c (dispatch tables) and monitor_status.c (statuses). For them only.
 *
 * Everything here is guarded by conf_lock(), which is never held over a call of provider or consumer.
 * Records of objects and calls live until the case ends, so that a callback that comes too late still
 * finds something to be held against; posts are reused after a long rest.
 */
#ifndef CONF_MONITOR_I_H
#define CONF_MONITOR_I_H

#include "monitor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MON_IDS 15u
#define MON_PARENTS 8u
/* Returned value of a call that has not returned; a value no provider uses. */
#define MON_INSIDE ((NTSTATUS)0xE0000002)

/* Every watched function: name, whether it takes a completion, statuses beside SUCCESS, if it has any. */
#define MON_COMMON STATUS_INSUFFICIENT_RESOURCES, STATUS_DEVICE_REMOVED
#define MON_ADDRESS STATUS_SHARING_VIOLATION, STATUS_INVALID_ADDRESS, STATUS_TOO_MANY_ADDRESSES
#define MON_TAKE                                                                             \
	STATUS_NO_MORE_ENTRIES, STATUS_DATA_OVERRUN, STATUS_BUFFER_OVERFLOW,                 \
		STATUS_INVALID_PARAMETER, STATUS_DEVICE_REMOVED,                             \
		STATUS_INSUFFICIENT_RESOURCES
/* only initiator requests need a connection (QP-3) */
#define MON_POST STATUS_CONNECTION_INVALID, MON_TAKE
/* of requests that name an MR or MW, which may be unfit for it (U-28, U-34) */
#define MON_POST_ON MON_POST, STATUS_ACCESS_VIOLATION, STATUS_INVALID_DEVICE_REQUEST
#define MON_SIZE STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER
/* CONNECTION_INVALID: of a QP that has been connected before (DISC-11) */
#define MON_ESTABLISH                                                                        \
	STATUS_INVALID_DEVICE_STATE, STATUS_CONNECTION_ACTIVE, STATUS_CONNECTION_INVALID,    \
		STATUS_INVALID_PARAMETER, STATUS_INVALID_BUFFER_SIZE, STATUS_IO_TIMEOUT
#define MON_CONNECT                                                                          \
	MON_COMMON, MON_ESTABLISH, STATUS_NETWORK_UNREACHABLE, STATUS_HOST_UNREACHABLE,      \
		STATUS_CONNECTION_REFUSED, STATUS_ADDRESS_ALREADY_EXISTS

#define MON_FUNCTIONS(fn)                                                                    \
	fn(NdkClose, 1, STATUS_SUCCESS)                                                      \
	fn(NdkQueryExtension, 0, STATUS_NOT_SUPPORTED)                                       \
	fn(NdkQueryAdapterInfo, 0, MON_SIZE, STATUS_DEVICE_REMOVED)                          \
	fn(NdkCreateCq, 1, MON_COMMON, STATUS_INVALID_PARAMETER)                             \
	fn(NdkCreatePd, 1, MON_COMMON)                                                       \
	fn(NdkCreateSharedEndpoint, 1, MON_COMMON, MON_ADDRESS)                              \
	fn(NdkCreateConnector, 1, MON_COMMON)                                                \
	fn(NdkCreateListener, 1, MON_COMMON)                                                 \
	fn(NdkBuildLAM, 1, MON_COMMON, MON_SIZE)                                             \
	fn(NdkCreateMr, 1, MON_COMMON)                                                       \
	fn(NdkCreateMw, 1, MON_COMMON, STATUS_NOT_SUPPORTED)                                 \
	fn(NdkCreateSrq, 1, MON_COMMON, STATUS_INVALID_PARAMETER)                            \
	fn(NdkCreateQp, 1, MON_COMMON, STATUS_INVALID_PARAMETER)                             \
	fn(NdkCreateQpWithSrq, 1, MON_COMMON, STATUS_INVALID_PARAMETER)                      \
	fn(NdkRegisterMr, 1, MON_COMMON, STATUS_INVALID_PARAMETER,                           \
	   STATUS_INVALID_DEVICE_REQUEST)                                                    \
	fn(NdkDeregisterMr, 1, MON_COMMON, STATUS_INVALID_DEVICE_REQUEST, STATUS_DEVICE_BUSY)\
	fn(NdkInitializeFastRegisterMr, 1, MON_COMMON, STATUS_IMPLEMENTATION_LIMIT,          \
	   STATUS_DEVICE_BUSY, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER)      \
	fn(NdkResizeCq, 1, MON_COMMON, STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED,       \
	   STATUS_BUFFER_OVERFLOW, STATUS_DEVICE_BUSY, STATUS_INVALID_DEVICE_REQUEST)        \
	fn(NdkControlCqInterruptModeration, 0, MON_COMMON, STATUS_NOT_SUPPORTED,             \
	   STATUS_INVALID_PARAMETER_MIX)                                                     \
	fn(NdkModifySrq, 1, MON_COMMON, STATUS_INVALID_PARAMETER, STATUS_BUFFER_OVERFLOW,    \
	   STATUS_DEVICE_BUSY, STATUS_INVALID_DEVICE_REQUEST)                                \
	fn(NdkSend, 0, MON_POST)                                                             \
	fn(NdkReceive, 0, MON_TAKE, STATUS_INVALID_DEVICE_REQUEST)                           \
	fn(NdkSrqReceive, 0, MON_TAKE)                                                       \
	fn(NdkBind, 0, MON_POST_ON, STATUS_NOT_SUPPORTED)                                    \
	fn(NdkFastRegister, 0, MON_POST_ON)                                                  \
	fn(NdkInvalidate, 0, MON_POST_ON)                                                    \
	fn(NdkRead, 0, MON_POST, STATUS_INVALID_DEVICE_REQUEST)                              \
	fn(NdkWrite, 0, MON_POST)                                                            \
	fn(NdkSendAndInvalidate, 0, MON_POST)                                                \
	fn(NdkListen, 1, MON_COMMON, MON_ADDRESS, STATUS_INVALID_DEVICE_STATE)               \
	fn(NdkGetLocalAddress, 0, MON_SIZE, STATUS_INVALID_DEVICE_STATE,                     \
	   STATUS_CONNECTION_INVALID)                                                        \
	fn(NdkGetPeerAddress, 0, MON_SIZE, STATUS_INVALID_DEVICE_STATE,                      \
	   STATUS_CONNECTION_INVALID)                                                        \
	fn(NdkConnect, 1, MON_CONNECT, MON_ADDRESS)                                          \
	fn(NdkConnectWithSharedEndpoint, 1, MON_CONNECT)                                     \
	fn(NdkCompleteConnect, 1, MON_COMMON, STATUS_CONNECTION_INVALID,                     \
	   STATUS_CONNECTION_ABORTED, STATUS_IO_TIMEOUT)                                     \
	fn(NdkAccept, 1, MON_COMMON, MON_ESTABLISH, STATUS_CONNECTION_ABORTED)               \
	fn(NdkReject, 0, STATUS_CONNECTION_ABORTED, STATUS_INVALID_DEVICE_STATE,             \
	   STATUS_INVALID_BUFFER_SIZE, STATUS_DEVICE_REMOVED)                                \
	fn(NdkGetConnectionData, 0, MON_SIZE, STATUS_CONNECTION_INVALID)                     \
	fn(NdkDisconnect, 1, MON_COMMON, STATUS_IO_TIMEOUT, STATUS_CONNECTION_INVALID,       \
	   STATUS_CONNECTION_ABORTED)                                                        \
	fn(NdkFlush, 0, STATUS_SUCCESS)                                                      \
	fn(NdkArmCq, 0, STATUS_SUCCESS)                                                      \
	fn(NdkGetCqResults, 0, STATUS_SUCCESS)                                               \
	fn(NdkGetCqResultsEx, 0, STATUS_SUCCESS)                                             \
	fn(NdkReleaseLAM, 0, STATUS_SUCCESS)                                                 \
	fn(NdkGetToken, 0, STATUS_SUCCESS)                                                   \
	fn(NdkControlConnectEvents, 0, STATUS_SUCCESS)                                       \
	fn(Result, 0, STATUS_CANCELLED, STATUS_DATA_OVERRUN, STATUS_BUFFER_OVERFLOW,         \
	   STATUS_ACCESS_VIOLATION, STATUS_INVALID_DEVICE_REQUEST, STATUS_IO_TIMEOUT,        \
	   STATUS_REMOTE_RESOURCES, STATUS_INTERNAL_ERROR)                                   \
	fn(CqStatus, 0, STATUS_BUFFER_OVERFLOW, STATUS_INTERNAL_ERROR)                       \
	fn(SrqStatus, 0, STATUS_INTERNAL_ERROR)

#define MON_FN_ENUM(name_, pends_, ...) MON_##name_,
enum mon_fn { MON_FUNCTIONS(MON_FN_ENUM) MON_FN_COUNT };

enum mon_life { MON_OPEN, MON_CLOSING, MON_CLOSED };

struct mon_post;

/* Work requests of one queue whose results are due, oldest first. */
struct mon_queue {
	struct mon_post *first, *last;
	struct mon_object *cq; /* where the results go; NULL for an SRQ */
};

struct mon_object {
	NDK_OBJECT_HEADER *header; /* the provider's memory: valid until closed */
	NDK_OBJECT_TYPE type;
	const VOID *real; /* the provider's dispatch table */
	NDK_FN_CLOSE_OBJECT *close;
	NDK_FN_QUERY_EXTENSION_INTERFACE *query;
	unsigned id;
	enum mon_life life;
	BOOLEAN bound;	      /* handed over: header and the above are valid */
	BOOLEAN close_inside; /* the close function has not returned yet */
	BOOLEAN close_late;   /* the close callback runs */
	long pending;	      /* requests not answered, creations of successors included */
	long running;	      /* callbacks running, closes excepted */
	struct mon_object *parent[MON_PARENTS];
	unsigned parents;
	struct mon_object *adapter; /* of it; an adapter's own record */
	unsigned which;		    /* adapter: number for conf_adapter_name(), MONITOR_NOWHERE */
	struct mon_object *next_active, *prev_active; /* until closed */
	struct mon_object *next_hash, *next_all;
	PVOID cookie; /* context of its events towards the provider */
	/* the consumer's event callback, as given */
	union {
		NDK_FN_CQ_NOTIFICATION_CALLBACK *cq;
		NDK_FN_SRQ_NOTIFICATION_CALLBACK *srq;
		NDK_FN_CONNECT_EVENT_CALLBACK *connect;
	} event;
	PVOID event_context;
	long arms, notifications, notifying; /* CQ, SRQ */
	BOOLEAN dead;			     /* CQ, SRQ: it told of its failure */
	struct mon_queue queue[2];	     /* QP: initiator, receive; SRQ: [1] */
	PVOID qp_context;
	/* QP: its SRQ, and the youngest of its receives seen; SRQ: its QPs, linked by next_user */
	struct mon_object *srq, *users, *next_user;
	unsigned long long newest;
	/* MW: the MR it is known to be bound to, by which token, and how often that was in question */
	struct mon_object *bound_to;
	UINT32 token;
	unsigned turn;
	long closed_at;			/* QP: mon_stamp() of its end */
	struct mon_object *next_grave;	/* QPs closed with results due */
	/* connector */
	long disconnects;
	BOOLEAN delivered; /* by a connect event */
	BOOLEAN accepted;  /* NdkConnect succeeded */
	BOOLEAN up;	   /* NdkAccept or NdkCompleteConnect succeeded */
	BOOLEAN parted;	   /* NdkDisconnect found the connection unbroken */
	BOOLEAN broken;	   /* its disconnect event came, and then NdkDisconnect found it broken */
};

#define MON_INITIATOR 0
#define MON_RECEIVE 1

struct mon_call {
	enum mon_fn fn;
	struct mon_object *object; /* on which the function was called */
	struct mon_object *fresh;  /* the record of what is being created */
	union {
		NDK_FN_REQUEST_COMPLETION *request;
		NDK_FN_CREATE_COMPLETION *create;
		NDK_FN_CLOSE_COMPLETION *close;
	} done;
	PVOID context, cookie;
	NTSTATUS returned;
	long callbacks;
	BOOLEAN over; /* inline answer returned, or callback returned */
	PVOID out;    /* the output parameter the provider sees */
	struct mon_object *tied[2]; /* QP and shared endpoint of a connect or accept */
	BOOLEAN tie;
	BOOLEAN arming;	   /* NdkModifySrq: an arm that goes back if it fails */
	BOOLEAN event_had; /* NdkDisconnect: the disconnect event had begun before */
	UINT64 mark;	   /* M-10 */
	/* disconnect event registered with this call */
	NDK_FN_DISCONNECT_EVENT_CALLBACK *gone;
	NDK_FN_DISCONNECT_EVENT_CALLBACK_EX *gone_ex;
	PVOID gone_context;
	struct mon_call *next_all;
};

struct mon_post {
	enum mon_fn fn;
	struct mon_object *qp; /* or SRQ */
	unsigned queue;
	BOOLEAN silent, over; /* over: no result may come any more */
	BOOLEAN queued;
	PVOID context, cookie;
	unsigned long long number; /* of all posts, counting up */
	struct mon_object *mr, *mw; /* NdkBind */
	unsigned turn;		    /* of the window */
	struct mon_post *next, *prev; /* in its queue; next also in the rest list */
};

/* ---- monitor.c ---- */
BOOLEAN mon_violate(unsigned id, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
long mon_stamp(void);
enum mon_kind { MON_KIND_NONE, MON_KIND_OBJECT, MON_KIND_CALL, MON_KIND_POST };
/* What a cookie stands for, or NULL. With the lock. */
PVOID mon_resolve(PVOID cookie, enum mon_kind kind);
struct mon_object *mon_object_new(NDK_OBJECT_TYPE type);
/* Fills the record of an object that was handed over; checks it and repoints its Dispatch. */
void mon_bind(struct mon_object *o, NDK_OBJECT_HEADER *header, struct mon_object *from);
void mon_add_parent(struct mon_object *o, struct mon_object *parent);
void mon_drop_parent(struct mon_object *o, struct mon_object *parent);
/* The record of a live object; a failed case and NULL if the consumer should not use it. */
struct mon_object *mon_find(const NDK_OBJECT_HEADER *header);
/* As mon_find() without a failure, for arguments that may be wrong on purpose. With the lock. */
struct mon_object *mon_look(const NDK_OBJECT_HEADER *header);
void mon_unhash(struct mon_object *o); /* with the lock */
void mon_inactive(struct mon_object *o); /* with the lock */
struct mon_object *mon_first_active(void);
void mon_bury(struct mon_object *qp); /* with the lock */
struct mon_object *mon_graves(void);
struct mon_call *mon_call_new(enum mon_fn fn, struct mon_object *o);
struct mon_post *mon_post_new(void);	     /* with the lock */
struct mon_object *mon_all(void);	     /* every record, linked by next_all */
void mon_post_rest(struct mon_post *p); /* with the lock */
const char *mon_type(NDK_OBJECT_TYPE type);

/* ---- monitor_calls.c ---- */
NTSTATUS mon_call_end(struct mon_call *k, NTSTATUS returned);
NTSTATUS mon_create_end(struct mon_call *k, NTSTATUS returned, PVOID *out);
NDK_FN_REQUEST_COMPLETION mon_request_done;
NDK_FN_CREATE_COMPLETION mon_create_done;
NDK_FN_CLOSE_OBJECT mon_close;
NDK_FN_CONNECT_EVENT_CALLBACK mon_connect_event;
NDK_FN_DISCONNECT_EVENT_CALLBACK mon_disconnect_event;
NDK_FN_DISCONNECT_EVENT_CALLBACK_EX mon_disconnect_event_ex;
/* TRUE if the consumer's event callback may be called; then mon_event_left() must follow. */
BOOLEAN mon_event_entered(struct mon_object *o, const char *what);
void mon_event_left(struct mon_object *o);

/* ---- monitor_posts.c ---- */
struct mon_post *mon_post_begin(enum mon_fn fn, struct mon_object *o, unsigned queue, PVOID context,
				ULONG flags);
NTSTATUS mon_post_end(struct mon_post *p, enum mon_fn fn, UINT64 mark, NTSTATUS status);
NDK_FN_GET_CQ_RESULTS mon_get_results;
NDK_FN_GET_CQ_RESULTS_EX mon_get_results_ex;
/* A request was accepted that binds the window anew, or unbinds it: M-03 knows no more. Any context. */
void mon_unsettle(struct mon_object *mw);
/* A token was sent to be invalidated, which may be that of a window of the peer. */
void mon_unsettle_token(UINT32 token);

/* ---- monitor_arms.c ---- */
NDK_FN_CQ_NOTIFICATION_CALLBACK mon_cq_event;
NDK_FN_SRQ_NOTIFICATION_CALLBACK mon_srq_event;
NDK_FN_ARM_CQ mon_arm_cq;
/* NdkModifySrq was answered. With the lock. */
void mon_modify_answered(struct mon_call *k, NTSTATUS status);

/* ---- monitor_count.c ---- */
#define MON_ADAPTERS 3u
/* A request was answered, inline or by callback. With the lock. */
void mon_count(struct mon_call *k, NTSTATUS status);
void mon_count_begin(void);
void mon_count_end(void);
/* M-10: between these two lies one call of the provider. */
UINT64 mon_watch(void);
void mon_watched(enum mon_fn fn, UINT64 mark);

/* ---- monitor_tables.c ---- */
/* Our table for a type; its slots, for the check that none is NULL (GEN-1). */
const VOID *mon_table(NDK_OBJECT_TYPE type, unsigned *slots);

/* ---- monitor_status.c ---- */
const char *mon_fn_name(enum mon_fn fn);
/* M-09. inside: returned by the function, not passed to a callback. */
void mon_check_status(enum mon_fn fn, NTSTATUS status, BOOLEAN inside);

#ifdef __cplusplus
}
#endif
#endif
