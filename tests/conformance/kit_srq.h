/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The kit's queues beyond what a pair needs: shared receive queues, QPs on them, resizing and
 * moderating completion queues. Included by kit.h; implemented by kit_srq.c. Contexts as there.
 */
#ifndef CONF_KIT_SRQ_H
#define CONF_KIT_SRQ_H

#ifdef __cplusplus
extern "C" {
#endif

struct kit_buffer;
struct kit_call;
struct kit_cq;
struct kit_shape;

/* ---- what notifications of a queue leave behind ---- */
struct kit_told {
	struct conf_signal signal; /* at the end of each */
	long notifications;	   /* callbacks so far */
	long running, most;	   /* callbacks running now, and most at once */
	NTSTATUS status;	   /* what the last one told */
	long entered, left;	   /* stamps of the last one */
};

/* ---- shared receive queues ---- */
struct kit_srq {
	NDK_SRQ *srq;
	struct kit_told told;
	/* Run inside the notification, any context rules apply. */
	void (*inside)(struct kit_srq *q, NTSTATUS status);
	PVOID arg;
};
/* The object, or NULL and a failed case. Its notifications are counted. */
struct kit_srq *kit_create_srq(NDK_PD *pd, ULONG depth, ULONG sge, ULONG threshold);
/* The long form, with an affinity, which may be NULL. */
struct kit_call *kit_begin_told_srq(struct kit_srq **q, NDK_PD *pd, ULONG depth, ULONG sge, ULONG threshold,
				    GROUP_AFFINITY *affinity);
/* As kit_create_qp(); what the shape says of receives is not used. */
NDK_QP *kit_create_qp_on(NDK_PD *pd, struct kit_cq *receive, struct kit_cq *initiator, NDK_SRQ *srq,
			 const struct kit_shape *shape);
struct kit_call *kit_begin_qp_on(NDK_PD *pd, struct kit_cq *receive, struct kit_cq *initiator, NDK_SRQ *srq,
				 const struct kit_shape *shape);
/* The status of the call; any context. */
NTSTATUS kit_srq_receive(struct kit_srq *q, PVOID context, const struct kit_buffer *b, ULONG offset, ULONG length);
/* Begun; any context. And begun and waited for; the status, no check of it. */
struct kit_call *kit_begin_modify(struct kit_srq *q, ULONG depth, ULONG threshold);
NTSTATUS kit_modify(struct kit_srq *q, ULONG depth, ULONG threshold);
/* Waits for the next notification. */
BOOLEAN kit_srq_notified(struct kit_srq *q, ULONG ms);
/* The number of notifications, when everything due has come. */
long kit_srq_notifications(struct kit_srq *q);

/* ---- completion queues ---- */
/* Begun; any context. And begun and waited for; the status, no check of it. */
struct kit_call *kit_begin_resize(struct kit_cq *q, ULONG depth);
NTSTATUS kit_resize(struct kit_cq *q, ULONG depth);
NTSTATUS kit_moderate(struct kit_cq *q, ULONG interval_us, ULONG count);
#define KIT_UNLIMITED 0xffffffffu
/* As kit_begin_cq(), with an affinity. */
struct kit_call *kit_begin_cq_at(struct kit_cq **q, NDK_ADAPTER *a, ULONG depth, GROUP_AFFINITY *affinity);

#ifdef __cplusplus
}
#endif
#endif
