/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_srq.h - the shared receive queue: receives for many QPs.
 *
 * Owns: NDK_SRQ and its dispatch table. Made by NdkCreateSrq of a PD; QPs join
 * it with NdkCreateQpWithSrq.
 *
 * Context and locks: every function is atomic; the consumer serialises
 * NdkSrqReceive on one SRQ (POST-2); else as ndkpi_common.h says.
 */
#ifndef NDKPI_SRQ_H
#define NDKPI_SRQ_H

#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_qp.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Consumer callback. SrqStatus STATUS_SUCCESS: fewer receives are queued than
 * the threshold; the notification is now disarmed (SRQ-1, SRQ-5).
 * STATUS_INTERNAL_ERROR: the SRQ and its QPs are lost, no results follow
 * (SRQ-6). Context: atomic.
 */
typedef VOID(NDK_FN_SRQ_NOTIFICATION_CALLBACK)(PVOID SrqNotificationContext, NTSTATUS SrqStatus);

/*
 * Changes depth and threshold, both in receives. SrqDepth 0 keeps the depth
 * (SRQ-2). NotifyThreshold 0 keeps threshold and arming (SRQ-3); above 0 it
 * arms, and notifies at once if fewer are queued already (SRQ-4).
 * STATUS_INVALID_PARAMETER: above MaxSrqDepth; STATUS_BUFFER_OVERFLOW: more
 * receives are queued than would fit, nothing changed (U-38).
 * Context: atomic.
 */
typedef NTSTATUS(NDK_FN_MODIFY_SRQ)(NDK_SRQ *pNdkSrq, ULONG SrqDepth, ULONG NotifyThreshold,
				    NDK_FN_REQUEST_COMPLETION RequestCompletion,
				    PVOID RequestContext);

/*
 * NdkReceive for whichever QP needs it first; the result, with RequestContext,
 * comes to the receive CQ of that QP (SRQ-7). Inline statuses as posting to a
 * QP (ndkpi_qp.h). Context: atomic, serialised.
 */
typedef NTSTATUS(NDK_FN_SRQ_RECEIVE)(NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl,
				     ULONG nSge);

typedef struct _NDK_SRQ_DISPATCH {
	NDK_FN_CLOSE_OBJECT *NdkCloseSrq;
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_MODIFY_SRQ *NdkModifySrq;
	NDK_FN_SRQ_RECEIVE *NdkSrqReceive;
} NDK_SRQ_DISPATCH;

/* Closing pends while QPs use it (LIFE-3). */
struct _NDK_SRQ {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypeSrq */
	const NDK_SRQ_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

NDKPI_ASSERT_OBJECT(NDK_SRQ, 4);

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_SRQ_H */
