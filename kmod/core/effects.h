/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Effects: what the core asks its shell to do, as a bounded list of plain values.
 *
 * A core call fills a list under the host's lock; the shell drops the lock and carries the effects
 * out, in order of the list unless it hands one to a worker. An effect holds what it names: the core
 * took a reference of the right kind when it emitted it and drops it when ndk_effect_done() reports
 * the effect finished, so nothing an effect points at can vanish before. For a callback, finished
 * means that the consumer's function has returned; that is what makes CLOSE-5..8, CLOSE-17 and
 * LIFE-5 exact.
 */
#ifndef NDK_CORE_EFFECTS_H
#define NDK_CORE_EFFECTS_H

#include "base.h"

enum ndk_effect_kind {
	NDK_FX_NONE = 0,
	/* callbacks of the consumer; the shell calls, then reports done */
	NDK_FX_CALL_CREATE,	/* fn.create(ctx, status, target or NULL) */
	NDK_FX_CALL_REQUEST,	/* fn.request(ctx, status) */
	NDK_FX_CALL_CLOSE,	/* fn.close(ctx) */
	NDK_FX_CALL_CONNECT,	/* fn.connect(ctx, target): obj is the listener */
	NDK_FX_CALL_DISCONNECT, /* ask ndk_connector_event_start(), then fn.disconnect or fn.disconnect_ex */
	NDK_FX_CALL_CQ,		/* fn.cq(ctx, status) */
	NDK_FX_CALL_SRQ,	/* fn.srq(ctx, status) */
#define NDK_FX_CALL_LAST NDK_FX_CALL_SRQ
	/* work on the device or the connection manager; the shell does it, then reports done */
	NDK_FX_HW_DESTROY,   /* free all device resources of obj; must not fail */
	NDK_FX_CM_LISTEN,    /* obj is a listener; ndk_listener_answer(), then done */
	NDK_FX_CM_UNLISTEN,  /* stop accepting; nothing may be delivered after done */
	NDK_FX_CM_CONNECT,   /* resolve and send the request; outcome by ndk_connector_cm() */
	NDK_FX_CM_ACCEPT,    /* prepare the QP, send the reply */
	NDK_FX_CM_COMPLETE,  /* move the QP to RTS, confirm; then ndk_connector_cm(ESTABLISHED...) */
	NDK_FX_CM_REJECT,    /* send a consumer reject with the connector's outgoing private data */
	NDK_FX_CM_DISCONNECT,/* send the graceful notification, or answer the peer's */
	NDK_FX_CM_TEARDOWN,  /* arg != 0: flush and drain the QP; then destroy the CM identity */
	NDK_FX_QP_FLUSH,     /* obj is a QP; arg is enum ndk_qp_flush */
	NDK_FX_QP_DRAIN,     /* obj is a connector: flush its QP, done when no DMA is left (DISC-4) */
	NDK_FX_MR_REGISTER,  /* register mr->mdl, mr->length, mr->flags; ndk_mr_answer(), then done */
	NDK_FX_MR_DEREGISTER,/* undo it; ndk_mr_answer(), then done */
	NDK_FX_MR_INITIALIZE,/* make it ready for mr->asked_pages; ndk_mr_answer(), then done */
	NDK_FX_SRQ_MODIFY,   /* to srq->asked_depth; ndk_srq_answer(), then done */
	NDK_FX_CQ_RESIZE,    /* to cq->asked entries; ndk_cq_resized(), then done */
	NDK_FX_CQ_MODERATE,  /* cq->interval and cq->gather apply from now on; then done */
	NDK_FX_SETTLE,	     /* closing waits for posted requests that concern obj: take from the device what has
			      * completed, whether the consumer polls or not; then done */
#define NDK_FX_WORK_LAST NDK_FX_SETTLE
	/* timers: immediate, no done. arg = generation, number = milliseconds; a stop ends older ones only */
	NDK_FX_TIMER_SET,
	NDK_FX_TIMER_STOP,
	/* memory: immediate, no done; the object is nobody's any more */
	NDK_FX_FREE,
	/* the adapter's last descendant is gone: wake NdkCloseAdapter. Immediate, no done */
	NDK_FX_ADAPTER_IDLE
};

enum ndk_qp_flush {
	NDK_QP_FLUSH_END = 1,	/* to the error state for good */
	NDK_QP_FLUSH_RESET = 2	/* cancel what is posted, then usable as if fresh (U-25) */
};

struct ndk_obj;

struct ndk_effect {
	UCHAR kind; /* enum ndk_effect_kind */
	NTSTATUS status;
	ULONG arg;
	ULONG number;
	struct ndk_obj *obj;	/* whose effect this is; kept by a reference until done */
	struct ndk_obj *target; /* object handed to a create or connect callback */
	union {
		NDK_FN_CREATE_COMPLETION *create;
		NDK_FN_REQUEST_COMPLETION *request;
		NDK_FN_CLOSE_COMPLETION *close;
		NDK_FN_CONNECT_EVENT_CALLBACK *connect;
		NDK_FN_CQ_NOTIFICATION_CALLBACK *cq;
		NDK_FN_SRQ_NOTIFICATION_CALLBACK *srq;
	} fn;
	PVOID ctx;
	/* relations that end when a failed attempt's callback has returned (U-24) */
	struct ndk_obj *release[2];
};

/*
 * The longest list one core call can make: closing the last successor of an object with five
 * antecedents, each of which then starts to unbuild, with the timer, the work and the callback of
 * the successor itself. tests/core checks the high-water mark against it.
 */
#define NDK_FX_MAX 16

struct ndk_fx {
	ULONG count;
	struct ndk_effect e[NDK_FX_MAX];
};

static inline void ndk_fx_init(struct ndk_fx *fx)
{
	fx->count = 0;
}

static inline struct ndk_effect *ndk_fx_add(struct ndk_fx *fx, enum ndk_effect_kind kind, struct ndk_obj *obj)
{
	struct ndk_effect *e;

	if (fx->count >= NDK_FX_MAX) {
		ndk_port_bug("effect list full", __FILE__, __LINE__);
		fx->count = NDK_FX_MAX - 1;
	}
	e = &fx->e[fx->count++];
	ndk_zero(e, sizeof(*e));
	e->kind = (UCHAR)kind;
	e->obj = obj;
	return e;
}

#endif
