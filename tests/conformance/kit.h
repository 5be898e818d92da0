/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * A consumer's toolkit for conformance cases: NDKPI in blocking style. Everything the kit makes
 * belongs to the running case and goes with it (kit_end); nothing needs to be freed by the case.
 *
 * Two levels. The short forms (kit_create_qp, kit_connect, kit_pair_up) do the usual thing, wait for
 * the answer, and record a failure if it is not success. The long form works with any NDK function:
 *
 *	struct kit_call *c = kit_call("NdkConnect");
 *	kit_return(c, conn->Dispatch->NdkConnect(conn, ..., kit_request_done, c));
 *	CHECK_STATUS(kit_wait(c), STATUS_CONNECTION_REFUSED);
 *
 * The monitors sit between: they have repointed the Dispatch of every object (OBJ-6), so a case may
 * call dispatch tables directly and is watched all the same.
 *
 * What a case hangs into callbacks (inside, custom, next_qp) may use its stack: it is no longer called
 * once the case has returned.
 *
 * Context: everything may sleep unless it says "any context"; callbacks given to the kit run in the
 * provider's context, may be atomic, and use only what says so.
 */
#ifndef CONF_KIT_H
#define CONF_KIT_H

#include "conf.h"
#include "monitor.h"
#include "kit_ops.h"
#include "kit_srq.h"

#ifdef __KERNEL__
/* Everyday names that the kernel makes macros of, and cases want for themselves. */
#undef in_range
#undef unreachable
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* How long the kit waits for what ought to happen; virtual on S. Longer than every default deadline. */
#define KIT_PATIENCE_MS 40000u
/* How long to look for what ought not to happen. */
#define KIT_QUIET_MS 50u
/* kit_wait() when no answer came; no provider returns it. */
#define KIT_NO_ANSWER ((NTSTATUS)0xE0000001)

/* ---- order ---- */
/* The next number of the order of all things; any context. Every call and callback takes some. */
long kit_stamp(void);

/* ---- one call ---- */
struct kit_call {
	const char *name;
	NTSTATUS returned;	   /* by the function itself; KIT_NO_ANSWER while it runs */
	NTSTATUS status;	   /* final: inline or by callback; KIT_NO_ANSWER before */
	long callbacks;		   /* how often the callback came: 0 or 1 */
	NDK_OBJECT_HEADER *object; /* what a creator gave, either way; else NULL */
	PVOID output;		   /* to be a creator's output parameter; KIT_POISON before the call */
	/* kit_stamp() when the call began and returned, when its callback began and was about to return */
	long began, ended, entered, left;
	UINT64 began_us, done_us; /* conf_now_us() at the beginning and when answered */
	struct conf_signal done;
	BOOLEAN over; /* answered; with the lock */
	/* Run inside the callback, before the answer is signalled; any context rules apply. */
	void (*inside)(struct kit_call *call);
	PVOID arg;		/* for inside() */
	struct kit_call *then;	/* for inside(): a call begun there */
	PVOID *store;		/* where a created object is put as well, before inside() */
};

/* A fresh record; began is stamped. name must be a literal. Any context. */
struct kit_call *kit_call(const char *name);
/* To be given as completion functions, with the record as context. */
NDK_FN_REQUEST_COMPLETION kit_request_done;
NDK_FN_CREATE_COMPLETION kit_create_done;
NDK_FN_CLOSE_COMPLETION kit_close_done;
/* Takes what the function returned; gives the record back. Any context. */
struct kit_call *kit_return(struct kit_call *c, NTSTATUS returned);
/* Waits for the answer and returns it; fails the case and returns KIT_NO_ANSWER if none comes. */
NTSTATUS kit_wait(struct kit_call *c);
NTSTATUS kit_wait_ms(struct kit_call *c, ULONG ms); /* without failing the case */
BOOLEAN kit_answered(const struct kit_call *c);	     /* any context */
BOOLEAN kit_pended(const struct kit_call *c);	     /* returned STATUS_PENDING */
#define KIT_POISON ((PVOID)(ULONG_PTR)0x5a5a5a5a5a5a5a5aull)

/* ---- how requests are answered ---- */
/* FALSE if the place cannot (NDK_ANSWER_WAIT off S). Holds until the case ends. */
BOOLEAN kit_answer(unsigned which, enum ndk_answer mode);
/*
 * Runs the following block once per answer mode (natural, pend) on both adapters, each round with
 * everything closed behind it:
 *	KIT_EACH_ANSWER(mode) { ... }
 * Leave it by return only.
 */
#define KIT_EACH_ANSWER(mode_) \
	for (int mode_ = kit_answer_first(); mode_ >= 0; mode_ = kit_answer_next(mode_))
int kit_answer_first(void);
int kit_answer_next(int mode);
/* The same for both address families; also closes everything after each round. */
#define KIT_EACH_FAMILY(family_) \
	for (int family_ = NDK_V4; family_ != 0; family_ = kit_family_next(family_))
int kit_family_next(int family);

/*
 * The kernel's soft iWARP. While it waits for the peer's answer it does not let go of a connection that is
 * being made (10 s), tells nobody of it, and a queue pair flushed meanwhile takes the attempt with it.
 */
static inline BOOLEAN kit_on_siw(void)
{
	return conf_iwarp() && conf_place() == NDK_ON_K;
}
#define KIT_SIW_HOLDS "siw holds a connection being made for 10 s and tells nobody of its end"

/* ---- addresses ---- */
struct kit_address {
	struct sockaddr_storage at;
	ULONG len;
};
#define KIT_SA(address_) ((const struct sockaddr *)&(address_)->at)
struct kit_address kit_address(unsigned which, int family, USHORT port);
USHORT kit_port(const struct kit_address *a); /* host order */
void kit_set_port(struct kit_address *a, USHORT port);
BOOLEAN kit_same_address(const struct kit_address *a, const struct kit_address *b); /* ports too */
struct kit_address kit_wildcard(int family, USHORT port);
/* A port outside the ephemeral range, different at each call of a case. */
USHORT kit_fresh_port(void);
struct kit_address kit_local_address(NDK_CONNECTOR *c);
struct kit_address kit_peer_address(NDK_CONNECTOR *c);
struct kit_address kit_listener_address(NDK_LISTENER *l);
struct kit_address kit_shared_address(NDK_SHARED_ENDPOINT *e);

/* ---- adapters ---- */
/* Opens at 2.1. NULL and a failed case if that does not work. */
NDK_ADAPTER *kit_open(unsigned which);
NDIS_STATUS kit_open_version(unsigned which, NDK_VERSION version, NDK_ADAPTER **out);
void kit_close_adapter(NDK_ADAPTER *a);
/* Of the adapter; zeroes if it cannot be had. */
const NDK_ADAPTER_INFO *kit_info(NDK_ADAPTER *a);

/* ---- completion queues ---- */
struct kit_cq {
	NDK_CQ *cq;
	struct kit_told told;
	/* Run inside the notification, any context rules apply. */
	void (*inside)(struct kit_cq *q, NTSTATUS status);
	PVOID arg;
};
/* Arms; any context. */
void kit_arm(struct kit_cq *q, ULONG type);
/* Waits for the next notification. */
BOOLEAN kit_notified(struct kit_cq *q, ULONG ms);
/* Up to count results, those that are there; any context. */
ULONG kit_poll(struct kit_cq *q, NDK_RESULT_EX *out, ULONG count);
/* The next result, waiting for it (by polling, no arm). FALSE and a failed case if none comes. */
BOOLEAN kit_result(struct kit_cq *q, NDK_RESULT_EX *out);
BOOLEAN kit_result_ms(struct kit_cq *q, NDK_RESULT_EX *out, ULONG ms); /* without failing */
/* The next result is that of context, with that status. */
BOOLEAN kit_expect(struct kit_cq *q, PVOID context, NTSTATUS status);
/* As kit_result(), by the call that tells less of each. */
BOOLEAN kit_result_plain(struct kit_cq *q, NDK_RESULT *out);
/* The next count results, waiting for each; then no more come. FALSE and a failed case if it is not so. */
BOOLEAN kit_take(struct kit_cq *q, ULONG count);
/*
 * Takes results until none came for KIT_QUIET_MS; returns how many. Not a way to count what has to come:
 * who has waited for that may learn here that there was no more.
 */
ULONG kit_drain(struct kit_cq *q);

/* ---- objects. Short forms: the object, or NULL and a failed case ---- */
struct kit_shape { /* of a QP; zero members mean the default */
	ULONG receive_depth, initiator_depth, receive_sge, initiator_sge, inline_size;
	PVOID context; /* default: the address of the shape's copy, unique */
};
struct kit_cq *kit_create_cq(NDK_ADAPTER *a, ULONG depth);
NDK_PD *kit_create_pd(NDK_ADAPTER *a);
NDK_QP *kit_create_qp(NDK_PD *pd, struct kit_cq *receive, struct kit_cq *initiator,
		      const struct kit_shape *shape);
NDK_MR *kit_create_mr(NDK_PD *pd, BOOLEAN fast);
NDK_MW *kit_create_mw(NDK_PD *pd);
NDK_SHARED_ENDPOINT *kit_create_shared(NDK_ADAPTER *a, const struct kit_address *at);

/*
 * Long forms: the call, begun; kit_wait() it, then c->object. inside (may be NULL) runs in the create
 * callback, not when the answer is inline.
 */
typedef void (*kit_inside)(struct kit_call *call);
struct kit_call *kit_begin_cq(struct kit_cq **q, NDK_ADAPTER *a, ULONG depth, kit_inside inside, PVOID arg);
struct kit_call *kit_begin_pd(NDK_ADAPTER *a, kit_inside inside, PVOID arg);
struct kit_call *kit_begin_qp(NDK_PD *pd, struct kit_cq *receive, struct kit_cq *initiator,
			      const struct kit_shape *shape, kit_inside inside, PVOID arg);
struct kit_call *kit_begin_mr(NDK_PD *pd, BOOLEAN fast, kit_inside inside, PVOID arg);
struct kit_call *kit_begin_mw(NDK_PD *pd, kit_inside inside, PVOID arg);
struct kit_call *kit_begin_srq(NDK_PD *pd, ULONG depth, ULONG sge, ULONG threshold, kit_inside inside, PVOID arg);
struct kit_call *kit_begin_shared(NDK_ADAPTER *a, const struct kit_address *at, kit_inside inside, PVOID arg);

/* ---- closing ---- */
/* Begins the close of any object but an adapter; kit_pended() tells how it was answered. Any context. */
struct kit_call *kit_close(NDK_OBJECT_HEADER *object);
struct kit_call *kit_close_inside(NDK_OBJECT_HEADER *object, kit_inside inside, PVOID arg);
#define KIT_CLOSE(object_) kit_close(&(object_)->Header)
/* Closes and waits; TRUE if it ended. */
BOOLEAN kit_closed(NDK_OBJECT_HEADER *object);
#define KIT_CLOSED(object_) kit_closed(&(object_)->Header)

/* In which order kit_end() closes what is left. */
enum kit_order { KIT_CHILDREN_FIRST, KIT_PARENTS_FIRST, KIT_ANY_ORDER };
void kit_close_order(enum kit_order order);
/* Closes everything the case has open, adapters too, and checks that each close ends. */
void kit_close_all(enum kit_order order);

/* ---- connectors ---- */
struct kit_listener;

struct kit_params { /* of connect and accept; NULL pointer: limits 0, no data */
	ULONG in_limit, out_limit;
	const VOID *data;
	ULONG data_len;
};

/* Which disconnect event to register. */
enum kit_event { KIT_EVENT, KIT_EVENT_EX, KIT_NO_EVENT };

struct kit_conn {
	NDK_CONNECTOR *connector;
	struct kit_listener *from; /* passive: which delivered it */
	long arrived, arrived_left; /* stamps of the connect event */
	struct kit_call *accepting; /* of kit_begin_accept(), which the listener calls in mode KIT_ACCEPT */
	NTSTATUS answered;	    /* what reject or close inside the event returned */
	/* disconnect events */
	long events;
	long event_entered, event_left;
	ULONG reason;
	struct conf_signal disconnected;
	/* Run inside the disconnect event, any context rules apply. */
	void (*inside)(struct kit_conn *c);
	PVOID arg;
	struct kit_conn *next; /* waiting in the listener */
};

struct kit_conn *kit_create_connector(NDK_ADAPTER *a);
struct kit_call *kit_begin_connector(NDK_ADAPTER *a, kit_inside inside, PVOID arg);
/* A kit_conn for a connector made otherwise; any context. */
struct kit_conn *kit_conn_of(NDK_CONNECTOR *connector);

/* Each begins the request, any context (but give every address in a variable that lives till then). */
struct kit_call *kit_begin_connect(struct kit_conn *c, NDK_QP *qp, const struct kit_address *from,
				   const struct kit_address *to, const struct kit_params *p);
struct kit_call *kit_begin_connect_shared(struct kit_conn *c, NDK_QP *qp, NDK_SHARED_ENDPOINT *e,
					  const struct kit_address *to, const struct kit_params *p);
struct kit_call *kit_begin_complete(struct kit_conn *c, enum kit_event event);
struct kit_call *kit_begin_accept(struct kit_conn *c, NDK_QP *qp, const struct kit_params *p,
				  enum kit_event event);
struct kit_call *kit_begin_disconnect(struct kit_conn *c);
/* As above, with inside() run in the completion callback. */
struct kit_call *kit_connect_inside(struct kit_conn *c, NDK_QP *qp, const struct kit_address *from,
				    const struct kit_address *to, const struct kit_params *p,
				    kit_inside inside, PVOID arg);
struct kit_call *kit_disconnect_inside(struct kit_conn *c, kit_inside inside, PVOID arg);
/* Begin and wait; the status, no check of it. */
NTSTATUS kit_connect(struct kit_conn *c, NDK_QP *qp, const struct kit_address *from,
		     const struct kit_address *to, const struct kit_params *p);
NTSTATUS kit_complete(struct kit_conn *c);
NTSTATUS kit_disconnect(struct kit_conn *c);
NTSTATUS kit_reject(struct kit_conn *c, const VOID *data, ULONG len); /* any context */
/* Waits for the disconnect event. */
BOOLEAN kit_disconnected(struct kit_conn *c, ULONG ms);

/* ---- listeners ---- */
enum kit_mode { /* what the connect event does, inside the callback */
	KIT_HOLD,   /* queues the connector for kit_arrival() */
	KIT_ACCEPT, /* accepts with what next_qp() gives, then queues it */
	KIT_REJECT, /* rejects with params.data, then queues it */
	KIT_SHUT,   /* closes it, then queues the record (connector NULL) */
	KIT_CUSTOM  /* calls custom(), then queues it */
};

struct kit_listener {
	NDK_LISTENER *listener;
	enum kit_mode mode;
	struct kit_params params; /* for KIT_ACCEPT and KIT_REJECT */
	enum kit_event event;
	/* For KIT_ACCEPT, any context: the QP for this one. Default: qps[] in turn. */
	NDK_QP *(*next_qp)(struct kit_listener *l, struct kit_conn *c);
	NDK_QP *qps[16];
	unsigned qps_used;
	void (*custom)(struct kit_listener *l, struct kit_conn *c);
	PVOID arg;
	long events;		   /* connect events so far */
	long running, most;	   /* events running now, most at once */
	ULONG stall_us;		   /* the event stays busy that long */
	void (*stall)(struct kit_listener *l); /* and then as long as this takes; any context */
	struct kit_call *last_shut; /* KIT_SHUT: the last close */
	struct conf_signal arrived;
	struct kit_conn *first, *last;
	struct kit_address at; /* after kit_listen() */
};

struct kit_listener *kit_create_listener(NDK_ADAPTER *a);
struct kit_call *kit_begin_listener(struct kit_listener **l, NDK_ADAPTER *a, kit_inside inside, PVOID arg);
struct kit_call *kit_begin_listen(struct kit_listener *l, const struct kit_address *at);
/* Begin and wait; on success l->at is the address with the port in force. */
NTSTATUS kit_listen(struct kit_listener *l, const struct kit_address *at);
/* The next connector that arrived. NULL and a failed case if none comes. */
struct kit_conn *kit_arrival(struct kit_listener *l);
struct kit_conn *kit_arrival_ms(struct kit_listener *l, ULONG ms); /* without failing */
/* The same, but waits no longer when the call that should bring it has been answered. */
struct kit_conn *kit_arrival_unless(struct kit_listener *l, struct kit_call *connecting, ULONG ms);

/* ---- memory ---- */
struct kit_buffer {
	UCHAR *data;
	ULONG size;
	MDL *mdl;
	NDK_ADAPTER *adapter;
	/* without an MR: the mapping and the privileged token; with one: its local token */
	NDK_LOGICAL_ADDRESS_MAPPING *lam;
	ULONG lam_size, fbo;
	UINT32 token;
	NDK_MR *mr;
	UINT32 remote; /* the MR's remote token */
	MDL *piece[KIT_PIECES];
	struct kit_buffer *next;
};
/* Mapped by NdkBuildLAM, used with the privileged token. */
struct kit_buffer *kit_buffer(NDK_ADAPTER *a, NDK_PD *pd, ULONG size);
/* Registered by NdkRegisterMr with NDK_MR_FLAG_* rights. */
struct kit_buffer *kit_buffer_mr(NDK_PD *pd, ULONG size, ULONG flags);
/* SGEs for length bytes at offset; returns how many, 0 if they do not fit in max. Any context. */
ULONG kit_sgl(const struct kit_buffer *b, ULONG offset, ULONG length, NDK_SGE *sgl, ULONG max);
void kit_fill(struct kit_buffer *b, ULONG offset, ULONG length, UCHAR seed);
BOOLEAN kit_verify(const struct kit_buffer *b, ULONG offset, ULONG length, UCHAR seed); /* fails the case */
/* Unmaps or closes the MR, and frees. kit_end() does it for all others. */
void kit_release(struct kit_buffer *b);

/* A block that lives as long as the case, zeroed; any context up to a page. */
PVOID kit_alloc(SIZE_T size);

/* ---- posting: the status of the call. Any context; up to 8 SGEs ---- */
NTSTATUS kit_send(NDK_QP *qp, PVOID context, const struct kit_buffer *b, ULONG offset, ULONG length, ULONG flags);
NTSTATUS kit_receive(NDK_QP *qp, PVOID context, const struct kit_buffer *b, ULONG offset, ULONG length);
/* A context no other request of the case has, with all bits in use; any context. */
PVOID kit_context(void);

/* ---- a side, and a pair ---- */
struct kit_side { /* one consumer on one adapter, everything once */
	unsigned which;
	NDK_ADAPTER *adapter;
	const NDK_ADAPTER_INFO *info;
	NDK_PD *pd;
	struct kit_cq *cq; /* of both queues of qp */
	NDK_QP *qp;
	struct kit_buffer *buffer; /* KIT_BUFFER bytes, with a LAM */
	struct kit_conn *conn;	   /* the connection, once there is one */
	struct kit_listener *listener;
};
#define KIT_BUFFER 4096u
#define KIT_DEPTH 16u /* of each queue of a side's QP; its CQ has 4 times that */
/* Adapter, PD, CQ, QP and buffer. NULL and a failed case if that does not work. */
struct kit_side *kit_side(unsigned which);
/* Another QP on the same PD and CQ. */
NDK_QP *kit_another_qp(struct kit_side *s);

struct kit_pair {
	struct kit_side *a; /* active */
	struct kit_side *b; /* passive, with the listener */
};
/* Two sides, b listening, a with a connector that is still idle. */
struct kit_pair *kit_pair(int family);
/* Connects them: connect, accept, complete; TRUE when both are established. */
BOOLEAN kit_establish(struct kit_pair *p, const struct kit_params *active, const struct kit_params *passive);
/* kit_pair() and kit_establish(), without data. NULL and a failed case if that does not work. */
struct kit_pair *kit_pair_up(int family);
/* One message of length bytes: receive posted, sent, both results taken, content compared. */
BOOLEAN kit_send_recv_verify(struct kit_side *from, struct kit_side *to, ULONG length);
/* Both sides disconnect in order: first a, then b on its event; TRUE if both succeeded. */
BOOLEAN kit_part(struct kit_pair *p);

/* ---- by the runner ---- */
void kit_begin(void);
/* Closes what is open in the order chosen, frees what the kit made. */
void kit_end(void);

#ifdef __cplusplus
}
#endif
#endif
