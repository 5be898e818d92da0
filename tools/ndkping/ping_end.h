/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Inside ndkping: one end, its connections, and the steps that client and server share.
 *
 * An end and its connections belong to the one thread that runs it. Callbacks touch nothing of them
 * but the box, in which they leave word (ping_port.h). So there is no lock here, and the posts and
 * polls that a consumer must serialise are serial (POST-2, CONC-1).
 */
#ifndef NDKPING_PING_END_H
#define NDKPING_PING_END_H

#include "ping.h"
#include "ping_port.h"

/* Connections a server serves at a time. */
#define PING_SLOTS 16
/* Requests of either kind that one connection has posted at most, and CQ room for all of them. */
#define PING_QUEUE_DEPTH 4
#define PING_CQ_DEPTH	 (2 * PING_QUEUE_DEPTH * PING_SLOTS)
/* Pieces of one message: more than one only where logical pages do not follow each other. */
#define PING_MAX_SGES 16

/* What travels as private data: magic, then big-endian numbers. */
#define PING_ASK_BYTES	  16
#define PING_ANSWER_BYTES 8

struct ping_end;

/* Closes that pend; the context of their callbacks. */
struct ping_closing {
	struct ping_end *end;
	ULONG pending;
};

struct ping_end {
	const struct ping_config *config;
	struct ping_result *result;
	struct ping_box *box; /* not owned */
	const char *name; /* "client" or "server", for messages */
	NDK_ADAPTER *adapter;
	NDK_ADAPTER_INFO info;
	NDK_CQ *cq;
	NDK_PD *pd;
	NDK_LISTENER *listener[2];
	NDK_SHARED_ENDPOINT *shared;
	BOOLEAN armed; /* the CQ will tell */
	struct ping_closing closing; /* of the above */
};

enum ping_direction {
	PING_THERE,
	PING_BACK
};

/* A request on its way; its address is the RequestContext. */
struct ping_slot {
	BOOLEAN posted;
};

struct ping_conn {
	struct ping_end *end;
	NDK_CONNECTOR *connector;
	NDK_QP *qp;
	NDK_MR *mr;
	MDL *mdl;
	NDK_LOGICAL_ADDRESS_MAPPING *lam;
	ULONG lam_offset; /* of the first byte in the first page */
	BOOLEAN lam_built;
	UCHAR *memory; /* what is sent, then what is received, stride bytes each */
	ULONG stride;
	ULONG size; /* of one message */
	ULONG seed; /* of the pattern; the client's choice */
	UINT32 token; /* for SGEs: of the MR, or privileged */
	struct ping_slot send, receive;
	struct ping_closing closing;
	/* server */
	ULONG number; /* of the message expected next */
	BOOLEAN used; /* slot taken */
	BOOLEAN answered; /* NdkAccept is done */
	BOOLEAN leaving; /* NdkDisconnect was called, or the connection never came about */
	BOOLEAN left; /* ... and is done */
	BOOLEAN owed; /* reply waits for the send before it */
};

/* ---- ping_end.c ---- */
/* The first failure stands; later ones are consequences. */
VOID ping_fail(struct ping_end *e, enum ping_outcome outcome, const char *step, NTSTATUS status);
BOOLEAN ping_end_open(struct ping_end *e);
/* Closes what end_open made and the listeners and shared endpoint; they pend while children live. */
VOID ping_end_close_parents(struct ping_end *e);
/* ... waits for those, and closes the adapter. */
VOID ping_end_close_adapter(struct ping_end *e);

/* Completion callbacks with the end as context: for ping_done() and ping_made(). */
NDK_FN_REQUEST_COMPLETION ping_request_done;
NDK_FN_CREATE_COMPLETION ping_created;
/* What became of a call that returned status: waits if it pends; FALSE: failed, and noted. */
BOOLEAN ping_done(struct ping_end *e, const char *step, NTSTATUS status);
/* The same for a creator; made: what it stored through its output parameter. NULL: failed. */
PVOID ping_made(struct ping_end *e, const char *step, NTSTATUS status, PVOID made);
/* Begins a close. */
VOID ping_close(struct ping_closing *closing, NDK_FN_CLOSE_OBJECT *close,
		NDK_OBJECT_HEADER *object);
/* Waits until none pends; those of the end itself turn away who still asks for a connection. */
VOID ping_wait_closed(struct ping_closing *closing);
/* Refuses a connection request. */
VOID ping_turn_away(struct ping_end *e, NDK_CONNECTOR *connector);

/*
 * Waits for results. 0: other news of the kinds `also` came and is in *news, or the time is up
 * (news->kind 0), or the CQ is lost (news->kind PING_NEWS_CQ; noted).
 */
ULONG ping_results(struct ping_end *e, NDK_RESULT_EX *results, ULONG max, ULONG also,
		   struct ping_news *news, ULONG timeout_ms);

/* ---- ping_conn.c ---- */
/* Memory, registration or mapping, and QP. FALSE: noted; ping_conn_close() cleans up. */
BOOLEAN ping_conn_prepare(struct ping_conn *c, ULONG size, ULONG seed);
VOID ping_conn_close(struct ping_conn *c);
BOOLEAN ping_conn_post_receive(struct ping_conn *c);
BOOLEAN ping_conn_post_send(struct ping_conn *c, ULONG number, enum ping_direction direction);
/* Is what was received the message of that number? Says where not, and notes it. */
BOOLEAN ping_conn_check(struct ping_conn *c, ULONG number, enum ping_direction direction,
			ULONG bytes);
/* Private data. */
VOID ping_ask_write(UCHAR data[PING_ASK_BYTES], ULONG size, ULONG count, ULONG seed);
BOOLEAN ping_ask_read(const UCHAR *data, ULONG bytes, ULONG *size, ULONG *seed);
VOID ping_answer_write(UCHAR data[PING_ANSWER_BYTES], ULONG size);
BOOLEAN ping_answer_read(const UCHAR *data, ULONG bytes, ULONG *size);
/* Disconnect event, with the connection as context. */
NDK_FN_DISCONNECT_EVENT_CALLBACK ping_conn_gone;

/* ---- ping_report.c ---- */
/* Time samples; beyond its room the newest replace the oldest, but min and max are of all. */
struct ping_samples {
	ULONG *time;
	ULONG room;
	ULONG next;
	ULONG used;
	ULONG min, max;
};

BOOLEAN ping_samples_init(struct ping_samples *s, ULONG wanted);
VOID ping_samples_add(struct ping_samples *s, UINT64 time);
VOID ping_samples_summary(struct ping_samples *s, struct ping_times *times);
VOID ping_samples_end(struct ping_samples *s);

#endif /* NDKPING_PING_END_H */
