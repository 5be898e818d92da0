/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_connector.h - the connector: establishing and ending one connection.
 *
 * Owns: NDK_CONNECTOR, its dispatch table and the disconnect events. The active
 * side makes one with NdkCreateConnector and calls NdkConnect, then
 * NdkCompleteConnect; the passive side gets one with the connect event and
 * calls NdkAccept. Both then have an established connection; the active side
 * sends first (POST-7). Either ends it with NdkDisconnect.
 *
 * Read limits, in requests in progress on the QP: inbound those the peer sends
 * us, outbound those we send. Values above NDK_ADAPTER_INFO are capped without
 * an error (RDL-2, RDL-3); a lower opposite limit of the peer wins (RDL-4,
 * RDL-5); 0 means none (RDL-9). NdkGetConnectionData tells the effective ones
 * (RDL-6).
 *
 * Private data: NULL with length 0, or up to MaxCallerData bytes with connect
 * and MaxCalleeData with accept and reject, else STATUS_INVALID_BUFFER_SIZE
 * inline (PRIV-1, U-10). The peer may see padding after it (PRIV-3, PRIV-4).
 *
 * A call that does not fit the connector's state fails inline with
 * STATUS_INVALID_DEVICE_STATE, or STATUS_CONNECTION_INVALID where a comment
 * says so (U-4). Context and locks: every function is atomic; see
 * ndkpi_common.h.
 */
#ifndef NDKPI_CONNECTOR_H
#define NDKPI_CONNECTOR_H

#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Consumer callback: the peer disconnected or the connection broke. At most
 * once per connection (DISC-7), never before the establishing call's completion
 * has returned (U-18), and not after local NdkDisconnect but for a race (DISC-6,
 * DISC-8, U-19). Says nothing of work requests and flushes none (DISC-9,
 * DISC-10). DisconnectEventContext as registered (CMPL-4). Context: atomic.
 */
typedef VOID(NDK_FN_DISCONNECT_EVENT_CALLBACK)(PVOID DisconnectEventContext);

/*
 * The same with the device's own reason; 0 is unknown (DISC-16, U-47). Called
 * exactly if an Ex function registered it (DISC-17). Since 2.1. Context: atomic.
 */
typedef VOID(NDK_FN_DISCONNECT_EVENT_CALLBACK_EX)(PVOID DisconnectEventContext,
						  ULONG ProviderDisconnectReason);

/*
 * Asks the peer at pDestAddress for a connection of pNdkQp, from pSrcAddress
 * (CONN-1, CONN-2, CONN-4); address lengths in bytes, IP address and ND port
 * each (CONN-5, CONN-6). Source port 0: one of 49152-65535 is picked (CONN-18).
 * Success: the peer accepted; NdkCompleteConnect is still owed (CONN-23).
 * May be retried (CONN-11..14, U-5), the QP is as before (CONN-24):
 *   STATUS_NETWORK_UNREACHABLE, STATUS_HOST_UNREACHABLE  no route
 *   STATUS_CONNECTION_REFUSED      no listener, full, or rejected; port 0
 *   STATUS_IO_TIMEOUT              no answer; 10 s unless configured (CONN-15)
 * Local, also retryable; the first that applies (U-6):
 *   STATUS_INVALID_ADDRESS         not the adapter's (CONN-17, U-8, U-9)
 *   STATUS_TOO_MANY_ADDRESSES      source port 0 and none free (CONN-19)
 *   STATUS_ADDRESS_ALREADY_EXISTS  the four-tuple is taken (CONN-20, U-7)
 *   STATUS_SHARING_VIOLATION       the local address is taken (CONN-16, EP-7)
 *   STATUS_INSUFFICIENT_RESOURCES  (CONN-10)
 * Inline: STATUS_CONNECTION_ACTIVE, the QP is in use; STATUS_INVALID_PARAMETER,
 * a malformed destination or a foreign QP (U-9, U-11). RequestCompletion is
 * required, RequestContext may be NULL (CONN-25). Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CONNECT)(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
				 const struct sockaddr *pSrcAddress, ULONG SrcAddressLength,
				 const struct sockaddr *pDestAddress, ULONG DestAddressLength,
				 ULONG InboundReadLimit, ULONG OutboundReadLimit,
				 const VOID *pPrivateData, ULONG PrivateDataLength,
				 NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * NdkConnect from the address of a shared endpoint, which many connections to
 * different destinations may use (CONN-30, CONN-31). The same statuses but for
 * the three about the local address, which its creation has settled (CONN-33);
 * a second connection to one destination gets STATUS_ADDRESS_ALREADY_EXISTS
 * (CONN-32). The endpoint becomes an antecedent (LIFE-3, SEP-6).
 * Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CONNECT_WITH_SHARED_ENDPOINT)(
	NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, NDK_SHARED_ENDPOINT *pNdkSharedEndpoint,
	const struct sockaddr *pDestAddress, ULONG DestAddressLength, ULONG InboundReadLimit,
	ULONG OutboundReadLimit, const VOID *pPrivateData, ULONG PrivateDataLength,
	NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * Finishes a connection that the peer has accepted (CMPL-1, CMPL-2, U-51);
 * success means established (CMPL-6). DisconnectEvent may be NULL: then there
 * is no event (CMPL-3, DISC-15). STATUS_CONNECTION_INVALID: not at this step
 * (CMPL-8); STATUS_CONNECTION_ABORTED: the peer gave up (CMPL-9, U-17);
 * STATUS_IO_TIMEOUT (CMPL-10). After any failure but the first the connector
 * can only be closed (CMPL-11, CMPL-16). The consumer has no deadline of ours
 * to keep, but the peer may have one (CMPL-14). Context: atomic.
 */
typedef NTSTATUS(NDK_FN_COMPLETE_CONNECT)(NDK_CONNECTOR *pNdkConnector,
					  NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent,
					  PVOID DisconnectEventContext,
					  NDK_FN_REQUEST_COMPLETION RequestCompletion,
					  PVOID RequestContext);

/*
 * Accepts the request of a connector from the connect event, for pNdkQp
 * (ACPT-1). Ends with success when the connection is established, which is
 * after the peer's NdkCompleteConnect (ACPT-4). DisconnectEvent as in
 * NdkCompleteConnect (ACPT-3). STATUS_CONNECTION_ABORTED: the peer gave up
 * (ACPT-6); STATUS_IO_TIMEOUT: it did not complete in time, 30 s unless
 * configured (ACPT-7). Inline: STATUS_CONNECTION_ACTIVE and
 * STATUS_INVALID_PARAMETER as NdkConnect (U-11). Context: atomic.
 */
typedef NTSTATUS(NDK_FN_ACCEPT)(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
				ULONG InboundReadLimit, ULONG OutboundReadLimit,
				const VOID *pPrivateData, ULONG PrivateDataLength,
				NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent,
				PVOID DisconnectEventContext,
				NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * Refuses: the passive side instead of accepting, its peer's connect then ends
 * STATUS_CONNECTION_REFUSED (REJ-1, REJ-5); the active side instead of
 * completing, its peer's accept then ends STATUS_CONNECTION_ABORTED (REJ-2,
 * REJ-6). STATUS_CONNECTION_ABORTED: the peer had given up (REJ-4). The
 * connector can only be closed afterwards (U-48). Inline only (REJ-3).
 * Context: atomic.
 */
typedef NTSTATUS(NDK_FN_REJECT)(NDK_CONNECTOR *pNdkConnector, const VOID *pPrivateData,
				ULONG PrivateDataLength);

/*
 * Effective read limits and the peer's private data. Valid on the passive side
 * from the connect event until accept, on the active side between a successful
 * connect and completing it (CTR-1..3), and after a reject by the peer, with
 * limits 0 (U-12); else STATUS_CONNECTION_INVALID (U-13). Both limit pointers
 * may be NULL (CTR-4). Let R be the size the provider reports, not the length
 * the peer sent (PRIV-4): pPrivateData NULL with *pPrivateDataLength 0 stores R
 * (PRIV-5), NULL with more is invalid (PRIV-6); else as much as fits is copied
 * and R stored, STATUS_BUFFER_TOO_SMALL if R did not fit (PRIV-7..9). Limits
 * are stored all the same (PRIV-10). Inline only. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_GET_CONNECTION_DATA)(NDK_CONNECTOR *pNdkConnector, ULONG *pInboundReadLimit,
					     ULONG *pOutboundReadLimit, PVOID pPrivateData,
					     ULONG *pPrivateDataLength);

/*
 * Stores the connection's local address and port (CTR-5); on an accepted
 * connector the listener's (CTR-7). *pAddressLength: in, bytes at pAddress;
 * out, bytes written, or needed with STATUS_BUFFER_TOO_SMALL (CTR-6). pAddress
 * NULL asks for the size (U-42). Inline only. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_GET_LOCAL_ADDRESS)(NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress,
					   ULONG *pAddressLength);

/* The same for the remote address and port (CTR-5). Context: atomic. */
typedef NTSTATUS(NDK_FN_GET_PEER_ADDRESS)(NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress,
					  ULONG *pAddressLength);

/*
 * Ends the connection in agreement with the peer (DISC-1). Succeeds only once
 * the peer has disconnected as well (DISC-2, U-54), and ends in every case only
 * when the QP's DMA has ceased (DISC-4); then what is queued is flushed
 * (DISC-5). The consumer should have taken all initiator results before
 * (DISC-13). STATUS_IO_TIMEOUT: the peer did not answer, 5 s unless configured;
 * STATUS_CONNECTION_ABORTED: the connection broke (DISC-3, U-21): it is gone
 * either way (DISC-12). STATUS_CONNECTION_INVALID, inline: never established,
 * or a second call (U-20). Neither connector nor QP connects again (DISC-11).
 * Context: atomic.
 */
typedef NTSTATUS(NDK_FN_DISCONNECT)(NDK_CONNECTOR *pNdkConnector,
				    NDK_FN_REQUEST_COMPLETION RequestCompletion,
				    PVOID RequestContext);

/* NdkCompleteConnect with the Ex event (CMPL-15). Since 2.1. Context: atomic. */
typedef NTSTATUS(NDK_FN_COMPLETE_CONNECT_EX)(NDK_CONNECTOR *pNdkConnector,
					     NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent,
					     PVOID DisconnectEventContext,
					     NDK_FN_REQUEST_COMPLETION RequestCompletion,
					     PVOID RequestContext);

/* NdkAccept with the Ex event (ACPT-9). Since 2.1. Context: atomic. */
typedef NTSTATUS(NDK_FN_ACCEPT_EX)(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
				   ULONG InboundReadLimit, ULONG OutboundReadLimit,
				   const VOID *pPrivateData, ULONG PrivateDataLength,
				   NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent,
				   PVOID DisconnectEventContext,
				   NDK_FN_REQUEST_COMPLETION RequestCompletion,
				   PVOID RequestContext);

typedef struct _NDK_CONNECTOR_DISPATCH {
	NDK_FN_CLOSE_OBJECT *NdkCloseConnector;
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_CONNECT *NdkConnect;
	NDK_FN_CONNECT_WITH_SHARED_ENDPOINT *NdkConnectWithSharedEndpoint;
	NDK_FN_COMPLETE_CONNECT *NdkCompleteConnect;
	NDK_FN_ACCEPT *NdkAccept;
	NDK_FN_REJECT *NdkReject;
	NDK_FN_GET_CONNECTION_DATA *NdkGetConnectionData;
	NDK_FN_GET_LOCAL_ADDRESS *NdkGetLocalAddress;
	NDK_FN_GET_PEER_ADDRESS *NdkGetPeerAddress;
	NDK_FN_DISCONNECT *NdkDisconnect;
	NDK_FN_COMPLETE_CONNECT_EX *NdkCompleteConnectEx;
	NDK_FN_ACCEPT_EX *NdkAcceptEx;
} NDK_CONNECTOR_DISPATCH;

/*
 * Closing a connector whose connection lives breaks it: the peer gets its
 * disconnect event, the QP is flushed, no local event follows (U-22). The local
 * address is free when the last connector on it is closed, not when it
 * disconnects (EP-3, EP-5).
 */
struct _NDK_CONNECTOR {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypeConnector */
	const NDK_CONNECTOR_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

NDKPI_ASSERT_OBJECT(NDK_CONNECTOR, 13);

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_CONNECTOR_H */
