/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_qp.h - the queue pair: posting work requests.
 *
 * Owns: NDK_QP, its dispatch table, NDK_SGE, NDK_OP_FLAG_*. Made by
 * NdkCreateQp or NdkCreateQpWithSrq of a PD, connected by a connector.
 *
 * A QP has two queues. NdkReceive posts to the receive queue; Send,
 * SendAndInvalidate, Read, Write, Bind, FastRegister and Invalidate post to the
 * initiator queue (POST-1). The consumer serialises posts to one queue
 * (POST-2); posts to the two queues, NdkFlush and closing the connector may run
 * concurrently (POST-3, POST-5, POST-6). Every function is atomic.
 *
 * All posting functions share these outcomes, always inline:
 *   STATUS_SUCCESS             posted; one result follows in the CQ (QP-1)
 *   STATUS_CONNECTION_INVALID  initiator queue only: not connected (QP-3, U-25)
 *   STATUS_NO_MORE_ENTRIES     no free slot; a slot stays taken until its
 *                              result has been taken from the CQ (U-27)
 *   STATUS_DATA_OVERRUN        more SGEs than allowed (QP-7, U-27)
 *   STATUS_BUFFER_OVERFLOW     more bytes than MaxTransferLength, or with
 *                              NDK_OP_FLAG_INLINE than InlineDataSize (QP-6,
 *                              QP-8, U-27)
 *   STATUS_INVALID_PARAMETER   unknown flag (U-27), or as the function says
 *   STATUS_INSUFFICIENT_RESOURCES  no memory to keep the request in (U-27)
 * A failure means not posted, no result (QP-2), but deferred requests posted
 * before are handed to the hardware first (DEFER-4). nSge 0 transfers nothing
 * and pSgl may then be NULL. RequestContext may be NULL and returns in the
 * result. An error result ends the connection and everything behind it ends
 * STATUS_CANCELLED. Statuses of results (U-28):
 *   STATUS_CANCELLED           flushed: NdkFlush, or the connection ended
 *   STATUS_ACCESS_VIOLATION    a token, right or bound, local or the peer's
 *   STATUS_BUFFER_OVERFLOW     a receive that is shorter than its message
 *   STATUS_DATA_OVERRUN        more bytes than the device takes
 *   STATUS_IO_TIMEOUT          the peer, or its receive, did not come
 *   STATUS_REMOTE_RESOURCES    the peer could not: its device, its receive
 *   STATUS_INVALID_DEVICE_REQUEST  Bind, FastRegister or Invalidate on a region
 *                              that is not in the state for it
 *   STATUS_INTERNAL_ERROR      anything else; ProviderErrorCode of the longer
 *                              result says what the device called it
 * Initiator results come in posting
 * order, receive results too, with no order between the two (ORD-1, ORD-2).
 */
#ifndef NDKPI_QP_H
#define NDKPI_QP_H

#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Flags of work requests ---- */

/* No result if it succeeds; any failure, flush included, makes one (QP-4,
 * FLUSH-5). All initiator requests. */
#define NDK_OP_FLAG_SILENT_SUCCESS 0x00000001
/* Start only when all earlier reads are complete (QP-5). All initiator
 * requests. */
#define NDK_OP_FLAG_READ_FENCE 0x00000002
/* The receive this consumes satisfies a SOLICITED arm at the peer; has no other
 * effect (QP-10). Send, SendAndInvalidate. */
#define NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT 0x00000004
/* The peer may read. Bind, FastRegister. */
#define NDK_OP_FLAG_ALLOW_REMOTE_READ 0x00000008
/* Local requests may write. FastRegister. */
#define NDK_OP_FLAG_ALLOW_LOCAL_WRITE 0x00000010
/* The peer may write; contains local write. Bind, FastRegister. */
#define NDK_OP_FLAG_ALLOW_REMOTE_WRITE 0x00000030
/* Copy the data during the call, from the virtual addresses; tokens are
 * ignored, the number of SGEs is free (QP-6). Send, SendAndInvalidate, Write
 * (U-29). */
#define NDK_OP_FLAG_INLINE 0x00000040
/* RDMA read data may land here; as NDK_MR_FLAG_RDMA_READ_SINK (QP-21, U-31).
 * FastRegister. */
#define NDK_OP_FLAG_RDMA_READ_SINK 0x00000080
/* Invalidate the first SGE's token when the read succeeds; on failure buffer
 * and token are undefined; ignored without the adapter flag (QP-12..14). Read;
 * since 1.2. The value printed elsewhere is a misprint (U-30). */
#define NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE 0x00000100
/* The provider may hold the request back until one without the flag follows,
 * as it must in the end; changes nothing else (DEFER-1..6). All initiator
 * requests; since 1.2. */
#define NDK_OP_FLAG_DEFER 0x00000200

/*
 * A piece of local memory. With the privileged token LogicalAddress counts,
 * with any other VirtualAddress, which then lies in the registered range
 * (QP-9).
 */
typedef struct _NDK_SGE {
	union {
		PVOID VirtualAddress;
		NDK_LOGICAL_ADDRESS LogicalAddress;
	};
	ULONG Length; /* bytes */
	UINT32 MemoryRegionToken; /* local token of the MR, or privileged */
} NDK_SGE;

/*
 * Cancels what is queued on both queues, deferred requests included (FLUSH-1,
 * DEFER-7): results of STATUS_CANCELLED follow, perhaps after the call has
 * returned; silent requests get one too (FLUSH-2, FLUSH-3, FLUSH-5). Other QPs
 * on the same CQ or SRQ are unaffected (FLUSH-4). A connected QP takes no
 * initiator requests afterwards and cancels receives; one never connected stays
 * connectable (U-25). May run beside posts (POST-5). Context: atomic.
 */
typedef VOID(NDK_FN_FLUSH)(NDK_QP *pNdkQp);

/*
 * Sends the bytes of the SGEs as one message, which consumes one receive of
 * the peer. Flags: SILENT_SUCCESS, READ_FENCE, SEND_AND_SOLICIT_EVENT, INLINE,
 * DEFER. The passive side waits for a message of the active one (POST-7).
 * Context: atomic, serialised.
 */
typedef NTSTATUS(NDK_FN_SEND)(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
			      ULONG Flags);

/*
 * Offers memory for one incoming message; BytesTransferred of the result is its
 * length. May be posted before the QP is connected (QP-3). A message longer
 * than the memory ends in an error (U-28). For QPs without an SRQ.
 * Context: atomic, serialised.
 */
typedef NTSTATUS(NDK_FN_RECEIVE)(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
				 ULONG nSge);

/*
 * Binds the window pMw to Length bytes at VirtualAddress, which must lie in
 * pMr's registered range; an index, never dereferenced (QP-15, QP-17). Flags:
 * SILENT_SUCCESS, READ_FENCE, ALLOW_REMOTE_READ, ALLOW_REMOTE_WRITE, DEFER.
 * STATUS_ACCESS_VIOLATION: a right pMr lacks; remote write needs its local
 * write (QP-16). STATUS_INVALID_DEVICE_REQUEST: pMr is none of NdkRegisterMr, or
 * not registered. The window's token is readable at return (MW-1).
 * Context: atomic, serialised.
 */
typedef NTSTATUS(NDK_FN_BIND)(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
			      PVOID VirtualAddress, SIZE_T Length, ULONG Flags);

/*
 * Gives an initialised fast-register MR its memory: AdapterPageCount
 * page-aligned addresses from a LAM (QP-18), the first byte FBO bytes into the
 * first page. Length <= AdapterPageCount * NDK_PAGE_SIZE - FBO;
 * BaseVirtualAddress, the region's base, is FBO plus a multiple of the page
 * size (QP-19, QP-17), else STATUS_INVALID_PARAMETER. Flags: SILENT_SUCCESS,
 * READ_FENCE, ALLOW_REMOTE_READ, ALLOW_LOCAL_WRITE, ALLOW_REMOTE_WRITE,
 * RDMA_READ_SINK, DEFER. STATUS_ACCESS_VIOLATION: remote rights on an MR
 * initialised without (QP-20). STATUS_INVALID_DEVICE_REQUEST: not initialised, or
 * a registration is in force. Tokens are readable at return (MR-16).
 * Context: atomic, serialised.
 */
typedef NTSTATUS(NDK_FN_FAST_REGISTER)(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
				       ULONG AdapterPageCount,
				       const NDK_LOGICAL_ADDRESS *AdapterPageArray, ULONG FBO,
				       SIZE_T Length, PVOID BaseVirtualAddress, ULONG Flags);

/*
 * Invalidates the token of a window or of a fast-registered MR, named by its
 * header; never of one registered by NdkRegisterMr (QP-22). There is nothing to
 * invalidate, or the peer already did (CQ-18): STATUS_INVALID_DEVICE_REQUEST. Flags: SILENT_SUCCESS, READ_FENCE, DEFER.
 * Context: atomic, serialised.
 */
typedef NTSTATUS(NDK_FN_INVALIDATE)(NDK_QP *pNdkQp, PVOID RequestContext,
				    NDK_OBJECT_HEADER *pNdkMrOrMw, ULONG Flags);

/*
 * Reads from the peer's memory at RemoteAddress (host byte order, any offset
 * within the remote range) into the SGEs; RemoteToken as the peer sent it
 * (QP-11). SGEs up to MaxReadRequestSge (QP-7). Flags: SILENT_SUCCESS,
 * READ_FENCE, RDMA_READ_LOCAL_INVALIDATE, DEFER. Reads beyond the effective
 * outbound limit wait (RDL-5); if that is 0, STATUS_INVALID_DEVICE_REQUEST. Remote
 * rights and bounds fail in the result:
 * STATUS_ACCESS_VIOLATION, or STATUS_REMOTE_RESOURCES (U-28, U-53).
 * Context: atomic, serialised.
 */
typedef NTSTATUS(NDK_FN_READ)(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
			      UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags);

/*
 * Writes the SGEs' bytes to the peer's memory; addressing and errors as
 * NDK_FN_READ. Flags: SILENT_SUCCESS, READ_FENCE, INLINE (U-29), DEFER. The
 * peer is not told. Context: atomic, serialised.
 */
typedef NTSTATUS(NDK_FN_WRITE)(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
			       ULONG nSge, UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags);

/*
 * NdkSend that also invalidates RemoteToken at the peer, when its receive
 * completes (QP-23). The consumer knows that the peer supports it (QP-25); a
 * token the peer does not hold breaks the connection (QP-24). Since 1.2.
 * Context: atomic, serialised.
 */
typedef NTSTATUS(NDK_FN_SEND_AND_INVALIDATE)(NDK_QP *pNdkQp, PVOID RequestContext,
					     const NDK_SGE *pSgl, ULONG nSge, ULONG Flags,
					     UINT32 RemoteToken);

typedef struct _NDK_QP_DISPATCH {
	NDK_FN_CLOSE_OBJECT *NdkCloseQp;
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_FLUSH *NdkFlush;
	NDK_FN_SEND *NdkSend;
	NDK_FN_RECEIVE *NdkReceive;
	NDK_FN_BIND *NdkBind;
	NDK_FN_FAST_REGISTER *NdkFastRegister;
	NDK_FN_INVALIDATE *NdkInvalidate;
	NDK_FN_READ *NdkRead;
	NDK_FN_WRITE *NdkWrite;
	NDK_FN_SEND_AND_INVALIDATE *NdkSendAndInvalidate;
} NDK_QP_DISPATCH;

/* Closing pends while a connector is tied to the QP (LIFE-3, U-23, U-24). A
 * disconnected QP does not connect again (DISC-11). */
struct _NDK_QP {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypeQp */
	const NDK_QP_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

NDKPI_ASSERT_OBJECT(NDK_QP, 11);
NDKPI_ASSERT_SIZE(NDK_SGE, 16);
NDKPI_ASSERT_OFFSET(NDK_SGE, VirtualAddress, 0);
NDKPI_ASSERT_OFFSET(NDK_SGE, LogicalAddress, 0);
NDKPI_ASSERT_OFFSET(NDK_SGE, Length, 8);
NDKPI_ASSERT_OFFSET(NDK_SGE, MemoryRegionToken, 12);

/*
 * No two flags of one purpose share a bit (U-30): a sum equals the union only
 * if nothing overlaps. Remote write is left out, as it contains local write by
 * design; its other bit is checked after.
 */
static_assert((NDK_OP_FLAG_SILENT_SUCCESS + NDK_OP_FLAG_READ_FENCE +
	       NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT + NDK_OP_FLAG_ALLOW_REMOTE_READ +
	       NDK_OP_FLAG_ALLOW_LOCAL_WRITE + NDK_OP_FLAG_INLINE + NDK_OP_FLAG_RDMA_READ_SINK +
	       NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE + NDK_OP_FLAG_DEFER) ==
		      (NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_READ_FENCE |
		       NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT | NDK_OP_FLAG_ALLOW_REMOTE_READ |
		       NDK_OP_FLAG_ALLOW_LOCAL_WRITE | NDK_OP_FLAG_INLINE |
		       NDK_OP_FLAG_RDMA_READ_SINK | NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE |
		       NDK_OP_FLAG_DEFER),
	      "single-purpose flags are distinct");
static_assert(((NDK_OP_FLAG_ALLOW_REMOTE_WRITE & ~NDK_OP_FLAG_ALLOW_LOCAL_WRITE) &
	       (NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_READ_FENCE |
		NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT | NDK_OP_FLAG_ALLOW_REMOTE_READ |
		NDK_OP_FLAG_INLINE | NDK_OP_FLAG_RDMA_READ_SINK |
		NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE | NDK_OP_FLAG_DEFER)) == 0,
	      "remote write's own bit is its own");
static_assert((NDK_OP_FLAG_ALLOW_REMOTE_WRITE & NDK_OP_FLAG_ALLOW_LOCAL_WRITE) ==
		      NDK_OP_FLAG_ALLOW_LOCAL_WRITE,
	      "remote write contains local write");

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_QP_H */
