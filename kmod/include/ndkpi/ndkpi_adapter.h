/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_adapter.h - the adapter: capabilities, the creators of top-level
 * objects, and logical address mappings.
 *
 * Owns: NDK_ADAPTER and its dispatch table, NDK_ADAPTER_INFO,
 * NDK_LOGICAL_ADDRESS_MAPPING. An adapter comes from NdkOpenAdapter and goes
 * with NdkCloseAdapter (ndkpi.h); its table has no close slot (ADP-7). Several
 * may be open on one device, each with objects of its own (ADP-1).
 *
 * Context and locks: as ndkpi_common.h says; NdkQueryAdapterInfo may sleep.
 */
#ifndef NDKPI_ADAPTER_H
#define NDKPI_ADAPTER_H

#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_cq.h>
#include <ndkpi/ndkpi_listener.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The transport under an adapter (MGMT-9). */
typedef enum _NDK_RDMA_TECHNOLOGY {
	NdkUndefined = 0, /* none of the below */
	NdkiWarp = 1, /* RDMA over TCP; two-step handshake */
	NdkInfiniBand = 2,
	NdkRoCE = 3, /* RoCE version 1, one Ethernet segment */
	NdkRoCEv2 = 4, /* RoCE version 2, routable */
	NdkMaxTechnology = 5 /* first unused value */
} NDK_RDMA_TECHNOLOGY;

/* ---- NDK_ADAPTER_INFO.AdapterFlags ---- */

/* The last byte of a consumer buffer is never updated before earlier ones. */
#define NDK_ADAPTER_FLAG_IN_ORDER_DMA_SUPPORTED 0x00000001
/* Memory that receives RDMA read data needs no special right, and the
 * privileged token serves as well; the sink flags are ignored (MR-9, QP-21). */
#define NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED 0x00000002
/* NdkControlCqInterruptModeration works (CQ-26). */
#define NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED 0x00000004
/* Several connections may be faster than one. */
#define NDK_ADAPTER_FLAG_MULTI_ENGINE_SUPPORTED 0x00000008
/* NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE is honoured (QP-12); since 1.2. */
#define NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED 0x00000010
/* NdkResizeCq works; a consumer does not call it otherwise (CQ-21). */
#define NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED 0x00000100
/* A local address can connect to itself on this adapter. */
#define NDK_ADAPTER_FLAG_LOOPBACK_CONNECTIONS_SUPPORTED 0x00010000

/*
 * What the adapter is and can do. All limits are inclusive: asking for exactly
 * the maximum works (PD-6, CQ-1). They hold for one object, not for the sum.
 */
typedef struct _NDK_ADAPTER_INFO {
	NDK_VERSION Version; /* interface version in force (VER-5) */
	UINT32 VendorId; /* vendor's OUI, 24 bits */
	UINT32 DeviceId; /* device number, chosen by the vendor */
	SIZE_T MaxRegistrationSize; /* bytes, largest single registration */
	SIZE_T MaxWindowSize; /* bytes, largest memory window */
	/* Pages per fast-register MR at which the adapter has the most such
	 * MRs; at least 16 (MR-17). */
	ULONG FRMRPageCount;
	ULONG MaxInitiatorRequestSge; /* SGEs per initiator request (QP-7) */
	ULONG MaxReceiveRequestSge; /* SGEs per receive */
	ULONG MaxReadRequestSge; /* SGEs per read, in place of the former */
	ULONG MaxTransferLength; /* bytes over all SGEs of a request (QP-8) */
	ULONG MaxInlineDataSize; /* bytes of inline data (QP-6) */
	ULONG MaxInboundReadLimit; /* incoming reads in progress per QP */
	ULONG MaxOutboundReadLimit; /* outgoing reads in progress per QP */
	ULONG MaxReceiveQueueDepth; /* outstanding receives per QP */
	ULONG MaxInitiatorQueueDepth; /* outstanding initiator requests per QP */
	ULONG MaxSrqDepth; /* outstanding receives per SRQ; 0: no SRQ */
	ULONG MaxCqDepth; /* entries per CQ */
	ULONG LargeRequestThreshold; /* bytes, hint: above, read and write beat send */
	ULONG MaxCallerData; /* private data bytes of connect (PRIV-1) */
	ULONG MaxCalleeData; /* private data bytes of accept and reject */
	ULONG AdapterFlags; /* NDK_ADAPTER_FLAG_* */
	NDK_RDMA_TECHNOLOGY RdmaTechnology;
} NDK_ADAPTER_INFO;

/*
 * A range of memory as the adapter sees it, made by NdkBuildLAM. Entries are
 * NDK_PAGE_SIZE long and aligned (LAM-3); the array really has AdapterPageCount
 * entries, so the structure takes
 * offsetof(AdapterPageArray) + AdapterPageCount * sizeof(entry) bytes.
 */
typedef struct _NDK_LOGICAL_ADDRESS_MAPPING {
	PVOID AdapterContext; /* the provider's; not to be altered (LAM-11) */
	ULONG AdapterPageCount; /* entries of AdapterPageArray */
	NDK_LOGICAL_ADDRESS AdapterPageArray[1]; /* for SGEs and fast register (LAM-8) */
} NDK_LOGICAL_ADDRESS_MAPPING;

/*
 * Fills *pInfo. *pBufferSize: in, bytes at pInfo; out, bytes written (ADP-9).
 * Too small, or pInfo NULL with a size too small: STATUS_BUFFER_TOO_SMALL and
 * the needed size (ADP-10); pInfo NULL with a sufficient size:
 * STATUS_INVALID_PARAMETER (U-42). Inline only. May sleep (ADP-11).
 */
typedef NTSTATUS(NDK_FN_QUERY_ADAPTER_INFO)(NDK_ADAPTER *pNdkAdapter, NDK_ADAPTER_INFO *pInfo,
					    ULONG *pBufferSize);

/*
 * Creates a completion queue of at least CqDepth entries. CqNotification is
 * called when an arm is satisfied, and never unarmed (CQ-3); it is not NULL.
 * Affinity is a hint and may be NULL (CQ-2). STATUS_INVALID_PARAMETER: no
 * CqNotification, CqDepth 0 or above MaxCqDepth (CQ-1, U-33); STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_CQ)(NDK_ADAPTER *pNdkAdapter, ULONG CqDepth,
				   NDK_FN_CQ_NOTIFICATION_CALLBACK CqNotification,
				   PVOID CqNotificationContext, GROUP_AFFINITY *Affinity,
				   NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
				   NDK_CQ **ppNdkCq);

/*
 * Creates a protection domain, the parent of MRs, MWs, SRQs and QPs (LIFE-1).
 * STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_PD)(NDK_ADAPTER *pNdkAdapter,
				   NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
				   NDK_PD **ppNdkPd);

/*
 * Reserves a local address and port for many outgoing connections (SEP-1).
 * AddressLength is in bytes. Port 0 lets the provider choose from 49152-65535
 * (SEP-4). STATUS_SHARING_VIOLATION: in use (SEP-2, U-52);
 * STATUS_INVALID_ADDRESS: not the adapter's, a wildcard, or malformed (SEP-3,
 * U-8, U-9); STATUS_TOO_MANY_ADDRESSES: no port left;
 * STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_SHARED_ENDPOINT)(NDK_ADAPTER *pNdkAdapter,
						const struct sockaddr *pAddress,
						ULONG AddressLength,
						NDK_FN_CREATE_COMPLETION CreateCompletion,
						PVOID RequestContext,
						NDK_SHARED_ENDPOINT **ppNdkSharedEndpoint);

/*
 * Creates an idle connector for an outgoing connection.
 * STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_CONNECTOR)(NDK_ADAPTER *pNdkAdapter,
					  NDK_FN_CREATE_COMPLETION CreateCompletion,
					  PVOID RequestContext, NDK_CONNECTOR **ppNdkConnector);

/*
 * Creates a listener that does not listen yet (NdkListen does). ConnectEvent
 * is called, perhaps concurrently, for each connection request that arrives
 * (LISTEN-7, LISTEN-15). STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CREATE_LISTENER)(NDK_ADAPTER *pNdkAdapter,
					 NDK_FN_CONNECT_EVENT_CALLBACK ConnectEvent,
					 PVOID ConnectEventContext,
					 NDK_FN_CREATE_COMPLETION CreateCompletion,
					 PVOID RequestContext, NDK_LISTENER **ppNdkListener);

/*
 * Maps the first Length bytes of the MDL chain for the adapter (LAM-1).
 * *pLAMSize: in, bytes at pNdkLAM; out, bytes written, or needed with
 * STATUS_BUFFER_TOO_SMALL (LAM-4); pNdkLAM may be NULL to ask. *pFBO: out,
 * offset of the first byte in the first page (LAM-3). If the call pends, all
 * three must stay valid until the completion, and hold values only after
 * success (U-50). STATUS_INVALID_PARAMETER: not virtually contiguous, or
 * Length beyond the chain (LAM-1, LAM-2); STATUS_INSUFFICIENT_RESOURCES. A
 * failure leaves nothing mapped (LAM-7). The memory stays pinned by the
 * consumer, the chain unchanged, until release (LAM-5). Context: atomic.
 */
typedef NTSTATUS(NDK_FN_BUILD_LAM)(NDK_ADAPTER *pNdkAdapter, MDL *Mdl, SIZE_T Length,
				   NDK_FN_REQUEST_COMPLETION RequestCompletion,
				   PVOID RequestContext, NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM,
				   ULONG *pLAMSize, ULONG *pFBO);

/*
 * Undoes a mapping, after every request that used it has completed (LAM-10),
 * and leaves the MDL as it was (LAM-9). A mapping not released keeps the
 * adapter from closing (LAM-12). Context: atomic.
 */
typedef VOID(NDK_FN_RELEASE_LAM)(NDK_ADAPTER *pNdkAdapter, NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM);

typedef struct _NDK_ADAPTER_DISPATCH {
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_QUERY_ADAPTER_INFO *NdkQueryAdapterInfo;
	NDK_FN_CREATE_CQ *NdkCreateCq;
	NDK_FN_CREATE_PD *NdkCreatePd;
	NDK_FN_CREATE_SHARED_ENDPOINT *NdkCreateSharedEndpoint;
	NDK_FN_CREATE_CONNECTOR *NdkCreateConnector;
	NDK_FN_CREATE_LISTENER *NdkCreateListener;
	NDK_FN_BUILD_LAM *NdkBuildLAM;
	NDK_FN_RELEASE_LAM *NdkReleaseLAM;
} NDK_ADAPTER_DISPATCH;

/* One consumer's opening of a device: the root of all its objects (LIFE-1). */
struct _NDK_ADAPTER {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypeAdapter */
	const NDK_ADAPTER_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

NDKPI_ASSERT_OBJECT(NDK_ADAPTER, 9);
NDKPI_ASSERT_SIZE(NDK_RDMA_TECHNOLOGY, 4);
static_assert(NdkUndefined == 0 && NdkiWarp == 1 && NdkInfiniBand == 2 && NdkRoCE == 3 &&
		      NdkRoCEv2 == 4 && NdkMaxTechnology == 5,
	      "technologies are part of the binary interface");
NDKPI_ASSERT_SIZE(NDK_ADAPTER_INFO, 104);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, Version, 0);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, VendorId, 4);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, DeviceId, 8);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxRegistrationSize, 16);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxWindowSize, 24);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, FRMRPageCount, 32);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxInitiatorRequestSge, 36);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxReceiveRequestSge, 40);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxReadRequestSge, 44);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxTransferLength, 48);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxInlineDataSize, 52);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxInboundReadLimit, 56);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxOutboundReadLimit, 60);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxReceiveQueueDepth, 64);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxInitiatorQueueDepth, 68);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxSrqDepth, 72);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxCqDepth, 76);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, LargeRequestThreshold, 80);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxCallerData, 84);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, MaxCalleeData, 88);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, AdapterFlags, 92);
NDKPI_ASSERT_OFFSET(NDK_ADAPTER_INFO, RdmaTechnology, 96);
NDKPI_ASSERT_SIZE(NDK_LOGICAL_ADDRESS_MAPPING, 24);
NDKPI_ASSERT_OFFSET(NDK_LOGICAL_ADDRESS_MAPPING, AdapterContext, 0);
NDKPI_ASSERT_OFFSET(NDK_LOGICAL_ADDRESS_MAPPING, AdapterPageCount, 8);
NDKPI_ASSERT_OFFSET(NDK_LOGICAL_ADDRESS_MAPPING, AdapterPageArray, 16);

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_ADAPTER_H */
