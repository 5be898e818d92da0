/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_pd.h - the protection domain: parent of memory objects and queues.
 *
 * Owns: NDK_PD, its dispatch table and the creators in it. A memory object
 * serves only QPs of its own domain. Made by NdkCreatePd.
 *
 * Context and locks: every function is atomic; see ndkpi_common.h.
 */
#ifndef NDKPI_PD_H
#define NDKPI_PD_H

#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_srq.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Creates a memory region without memory. FastRegister TRUE: for
 * NdkInitializeFastRegisterMr and NdkFastRegister only; FALSE: for
 * NdkRegisterMr only (MR-1). STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_MR)(NDK_PD *pNdkPd, BOOLEAN FastRegister,
				   NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
				   NDK_MR **ppNdkMr);

/*
 * Creates a memory window, unbound; NdkBind gives it memory.
 * STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_MW)(NDK_PD *pNdkPd, NDK_FN_CREATE_COMPLETION CreateCompletion,
				   PVOID RequestContext, NDK_MW **ppNdkMw);

/*
 * Creates a shared receive queue: SrqDepth receives of up to
 * MaxReceiveRequestSge SGEs. SrqNotification (may be NULL) is called when the
 * number of queued receives falls from NotifyThreshold or more to below it;
 * armed at once if NotifyThreshold is above 0 (SRQ-1, U-37). Affinity is a
 * hint, may be NULL (SRQ-8). STATUS_INVALID_PARAMETER: depth 0 or a limit of
 * NDK_ADAPTER_INFO exceeded, which MaxSrqDepth 0 makes always so (PD-5, U-33);
 * STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_SRQ)(NDK_PD *pNdkPd, ULONG SrqDepth, ULONG MaxReceiveRequestSge,
				    ULONG NotifyThreshold,
				    NDK_FN_SRQ_NOTIFICATION_CALLBACK SrqNotification,
				    PVOID SrqNotificationContext, GROUP_AFFINITY *Affinity,
				    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
				    NDK_SRQ **ppNdkSrq);

/*
 * Creates a queue pair. Results of receives go to pReceiveCq, all others to
 * pInitiatorCq; the two may be one, and a CQ may serve many QPs (PD-8).
 * QPContext returns in every result (PD-9). Depths count requests, the SGE
 * limits hold per request, InlineDataSize is in bytes. STATUS_INVALID_PARAMETER:
 * a limit of NDK_ADAPTER_INFO exceeded (PD-6), a depth of 0 (U-33);
 * STATUS_INSUFFICIENT_RESOURCES. Both CQs become antecedents (LIFE-3).
 * Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_QP)(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
				   PVOID QPContext, ULONG ReceiveQueueDepth,
				   ULONG InitiatorQueueDepth, ULONG MaxReceiveRequestSge,
				   ULONG MaxInitiatorRequestSge, ULONG InlineDataSize,
				   NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
				   NDK_QP **ppNdkQp);

/*
 * Creates a queue pair that takes its receives from pSrq, whose depth and SGE
 * limit then apply; otherwise as NDK_FN_CREATE_QP (PD-7). pSrq becomes an
 * antecedent too. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_QP_WITH_SRQ)(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq,
					    NDK_CQ *pInitiatorCq, NDK_SRQ *pSrq, PVOID QPContext,
					    ULONG InitiatorQueueDepth, ULONG MaxInitiatorRequestSge,
					    ULONG InlineDataSize,
					    NDK_FN_CREATE_COMPLETION CreateCompletion,
					    PVOID RequestContext, NDK_QP **ppNdkQp);

/*
 * Stores the token with which SGEs address memory by logical address, without
 * registration (PD-1, QP-9). It gives local read and write, never remote
 * access (PD-2, PD-3). Cannot fail (PD-4). Context: atomic.
 */
typedef VOID(NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN)(NDK_PD *pNdkPd, UINT32 *pToken);

typedef struct _NDK_PD_DISPATCH {
	NDK_FN_CLOSE_OBJECT *NdkClosePd;
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_CREATE_MR *NdkCreateMr;
	NDK_FN_CREATE_MW *NdkCreateMw;
	NDK_FN_CREATE_SRQ *NdkCreateSrq;
	NDK_FN_CREATE_QP *NdkCreateQp;
	NDK_FN_CREATE_QP_WITH_SRQ *NdkCreateQpWithSrq;
	NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN
	*NdkGetPrivilegedMemoryRegionToken;
} NDK_PD_DISPATCH;

struct _NDK_PD {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypePd */
	const NDK_PD_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

NDKPI_ASSERT_OBJECT(NDK_PD, 8);

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_PD_H */
