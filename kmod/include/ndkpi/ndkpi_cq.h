/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_cq.h - the completion queue: results, arming, moderation.
 *
 * Owns: NDK_CQ, its dispatch table, NDK_RESULT, NDK_RESULT_EX,
 * NDK_OPERATION_TYPE, NDK_CQ_NOTIFY_*. Made by NdkCreateCq of an adapter.
 *
 * Context and locks: every function is atomic; see ndkpi_common.h. The
 * consumer serialises NdkArmCq, NdkGetCqResults and NdkGetCqResultsEx of one
 * CQ among each other (CONC-1); calling them inside the CQ's own notification
 * callback is the normal case (CONC-11).
 */
#ifndef NDKPI_CQ_H
#define NDKPI_CQ_H

#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ---- What an arm waits for ----
 * A new arm merges with one not yet satisfied: ANY absorbs both others,
 * SOLICITED absorbs ERRORS (CQ-8). A CQ error satisfies every kind (U-32).
 */

/* A failure of the CQ itself (CQ-9). */
#define NDK_CQ_NOTIFY_ERRORS 0
/* The next completion, successful or not (CQ-10). */
#define NDK_CQ_NOTIFY_ANY 1
/* A receive whose sender asked for it, or any completion with an error
 * (CQ-11, CQ-12). */
#define NDK_CQ_NOTIFY_SOLICITED 2

/* Which request a result belongs to; since 1.2. */
typedef enum _NDK_OPERATION_TYPE {
	NdkOperationTypeReceive = 1, /* NdkReceive, NdkSrqReceive */
	NdkOperationTypeSend = 2, /* NdkSend, NdkSendAndInvalidate (QP-26) */
	NdkOperationTypeFastRegister = 4, /* NdkFastRegister */
	NdkOperationTypeBind = 8, /* NdkBind */
	NdkOperationTypeInvalidate = 16, /* NdkInvalidate */
	NdkOperationTypeRead = 32, /* NdkRead */
	NdkOperationTypeWrite = 64, /* NdkWrite */
	/* A receive that the peer's NdkSendAndInvalidate consumed (QP-27);
	 * tests as Receive too. */
	NdkOperationTypeReceiveAndInvalidate = 32769
} NDK_OPERATION_TYPE;

/* One completed work request. */
typedef struct _NDK_RESULT {
	/* STATUS_SUCCESS; STATUS_CANCELLED if flushed; else U-28. */
	NTSTATUS Status;
	ULONG BytesTransferred; /* bytes received; receives only (QP-28) */
	PVOID QPContext; /* of the QP's creation (PD-9) */
	PVOID RequestContext; /* of the posting call, bit for bit */
} NDK_RESULT;

/* The same and more; since 1.2. The first four members are NDK_RESULT. */
typedef struct _NDK_RESULT_EX {
	NTSTATUS Status; /* as NDK_RESULT */
	ULONG BytesTransferred; /* as NDK_RESULT */
	PVOID QPContext; /* as NDK_RESULT */
	PVOID RequestContext; /* as NDK_RESULT */
	NDK_OPERATION_TYPE Type;
	/* Since 2.1: 0 on success; else the device's own code, or 0. */
	ULONG ProviderErrorCode;
	/* ReceiveAndInvalidate: the token invalidated; else undefined (QP-27). */
	ULONG_PTR TypeSpecificCompletionOutput;
} NDK_RESULT_EX;

/*
 * Consumer callback: an arm was satisfied; the arm is spent (CQ-4). CqStatus is
 * the CQ's condition now: STATUS_SUCCESS healthy (CQ-13);
 * STATUS_BUFFER_OVERFLOW overrun (CQ-14) or STATUS_INTERNAL_ERROR (CQ-15):
 * the CQ and its QPs are lost, no results follow. Callbacks of one CQ never
 * overlap (CQ-7). Context: atomic.
 */
typedef VOID(NDK_FN_CQ_NOTIFICATION_CALLBACK)(PVOID CqNotificationContext, NTSTATUS CqStatus);

/*
 * Changes the depth to at least CqDepth entries. Only with
 * NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED (CQ-21), else STATUS_NOT_SUPPORTED.
 * STATUS_INVALID_PARAMETER: 0 or above MaxCqDepth (CQ-20);
 * STATUS_BUFFER_OVERFLOW: more results are queued than would fit, nothing
 * changed (U-33); STATUS_DEVICE_BUSY: another resize is pending;
 * STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_RESIZE_CQ)(NDK_CQ *pNdkCq, ULONG CqDepth,
				   NDK_FN_REQUEST_COMPLETION RequestCompletion,
				   PVOID RequestContext);

/*
 * Asks for one notification (CQ-4); Type is one of NDK_CQ_NOTIFY_*. Satisfied
 * at once if a result that counts arrived after the last callback, perhaps also
 * by older ones (CQ-5, CQ-6), so arming after draining loses nothing. May call
 * the notification callback before it returns. Context: atomic, serialised.
 */
typedef VOID(NDK_FN_ARM_CQ)(NDK_CQ *pNdkCq, ULONG Type);

/*
 * Moves up to nResults results to Results, oldest first (ORD-1), and returns
 * how many; 0 means empty (CQ-16). The token of a remote invalidation is not
 * reported in this form, but invalidated all the same (CQ-17). Taking a result
 * frees its queue slot and those of the silent successes before it (ORD-3).
 * Context: atomic, serialised.
 */
typedef ULONG(NDK_FN_GET_CQ_RESULTS)(NDK_CQ *pNdkCq, NDK_RESULT *Results, ULONG nResults);

/*
 * Gathers completions before notifying. ModerationInterval: most microseconds
 * a satisfied arm may wait; 0 off, 0xFFFFFFFF count alone (CQ-23).
 * ModerationCount: most completions gathered; 0 or 1 off, 0xFFFFFFFF or above
 * the depth interval alone (CQ-24). Default off (CQ-22). Takes effect soon, the
 * latest call wins (CQ-27). STATUS_INVALID_PARAMETER_MIX: neither governs
 * (CQ-25); STATUS_NOT_SUPPORTED exactly without the adapter flag (CQ-26);
 * STATUS_INSUFFICIENT_RESOURCES. Inline only (CQ-29). The consumer makes no two
 * such calls on one CQ at once (CQ-28). Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION)(NDK_CQ *pNdkCq, ULONG ModerationInterval,
							 ULONG ModerationCount);

/*
 * NDK_FN_GET_CQ_RESULTS with the longer results; the two may be mixed. Since
 * 1.2. Context: atomic, serialised.
 */
typedef ULONG(NDK_FN_GET_CQ_RESULTS_EX)(NDK_CQ *pNdkCq, NDK_RESULT_EX *Results, ULONG nResults);

typedef struct _NDK_CQ_DISPATCH {
	NDK_FN_CLOSE_OBJECT *NdkCloseCq;
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_RESIZE_CQ *NdkResizeCq;
	NDK_FN_ARM_CQ *NdkArmCq;
	NDK_FN_GET_CQ_RESULTS *NdkGetCqResults;
	NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION *NdkControlCqInterruptModeration;
	NDK_FN_GET_CQ_RESULTS_EX *NdkGetCqResultsEx;
} NDK_CQ_DISPATCH;

/* Closing pends while QPs use the CQ or its callback runs (CQ-19, LIFE-3). */
struct _NDK_CQ {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypeCq */
	const NDK_CQ_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

NDKPI_ASSERT_OBJECT(NDK_CQ, 7);
NDKPI_ASSERT_SIZE(NDK_OPERATION_TYPE, 4);
NDKPI_ASSERT_SIZE(NDK_RESULT, 24);
NDKPI_ASSERT_OFFSET(NDK_RESULT, Status, 0);
NDKPI_ASSERT_OFFSET(NDK_RESULT, BytesTransferred, 4);
NDKPI_ASSERT_OFFSET(NDK_RESULT, QPContext, 8);
NDKPI_ASSERT_OFFSET(NDK_RESULT, RequestContext, 16);
NDKPI_ASSERT_SIZE(NDK_RESULT_EX, 40);
NDKPI_ASSERT_OFFSET(NDK_RESULT_EX, Status, 0);
NDKPI_ASSERT_OFFSET(NDK_RESULT_EX, BytesTransferred, 4);
NDKPI_ASSERT_OFFSET(NDK_RESULT_EX, QPContext, 8);
NDKPI_ASSERT_OFFSET(NDK_RESULT_EX, RequestContext, 16);
NDKPI_ASSERT_OFFSET(NDK_RESULT_EX, Type, 24);
NDKPI_ASSERT_OFFSET(NDK_RESULT_EX, ProviderErrorCode, 28);
NDKPI_ASSERT_OFFSET(NDK_RESULT_EX, TypeSpecificCompletionOutput, 32);
static_assert(NDK_CQ_NOTIFY_ERRORS == 0 && NDK_CQ_NOTIFY_ANY == 1 && NDK_CQ_NOTIFY_SOLICITED == 2,
	      "arm types are part of the binary interface (U-31)");
static_assert(NdkOperationTypeReceive == 1 && NdkOperationTypeSend == 2 &&
		      NdkOperationTypeFastRegister == 4 && NdkOperationTypeBind == 8 &&
		      NdkOperationTypeInvalidate == 16 && NdkOperationTypeRead == 32 &&
		      NdkOperationTypeWrite == 64,
	      "operation types are part of the binary interface");
static_assert(NdkOperationTypeReceiveAndInvalidate == 0x8001, "a receive with one more bit");

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_CQ_H */
