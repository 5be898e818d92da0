/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_listener.h - the listener: waiting for connection requests.
 *
 * Owns: NDK_LISTENER, its dispatch table and the connect event. Made by
 * NdkCreateListener of an adapter.
 *
 * Context and locks: every function is atomic; see ndkpi_common.h. Connect
 * events of one listener may run concurrently (LISTEN-15).
 */
#ifndef NDKPI_LISTENER_H
#define NDKPI_LISTENER_H

#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Consumer callback: a connection request arrived. pNdkConnector is new, stands
 * for this request and belongs to the consumer, who closes it in the end
 * (LISTEN-7, LISTEN-9). The answer, NdkAccept, NdkAcceptEx or NdkReject, may be
 * given inside or later (LISTEN-8); NdkGetConnectionData tells what the peer
 * sent (CTR-1). Closing it unanswered rejects (U-41). Context: atomic.
 */
typedef VOID(NDK_FN_CONNECT_EVENT_CALLBACK)(PVOID ConnectEventContext,
					    NDK_CONNECTOR *pNdkConnector);

/*
 * Starts listening on a local address and port (LISTEN-1); AddressLength in
 * bytes. The wildcard address means all of this adapter's (U-8); port 0 one the
 * provider picks from 49152-65535 (LISTEN-4). The backlog is the provider's
 * (LISTEN-6). STATUS_SHARING_VIOLATION: in use (LISTEN-2, U-52);
 * STATUS_INVALID_ADDRESS: not the adapter's, or malformed (LISTEN-3, U-9);
 * STATUS_TOO_MANY_ADDRESSES: no port left; STATUS_INVALID_DEVICE_STATE: already
 * listening or about to (U-40); STATUS_INSUFFICIENT_RESOURCES. After a failure
 * it may be tried again. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_LISTEN)(NDK_LISTENER *pNdkListener, const struct sockaddr *pAddress,
				ULONG AddressLength, NDK_FN_REQUEST_COMPLETION RequestCompletion,
				PVOID RequestContext);

/*
 * Stores the address listened on, with the port in force (LISTEN-5).
 * *pAddressLength: in, bytes at pAddress; out, bytes written, or needed with
 * STATUS_BUFFER_TOO_SMALL (LISTEN-14). pAddress NULL asks for the size (U-42).
 * Inline only. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_GET_LISTENER_LOCAL_ADDRESS)(NDK_LISTENER *pNdkListener, PSOCKADDR pAddress,
						    ULONG *pAddressLength);

/*
 * Pause TRUE: requests are refused as if nobody listened, without a callback
 * (LISTEN-10); FALSE: new ones are delivered again (LISTEN-11). Not a barrier:
 * a callback already started may still run. The setting is kept before
 * NdkListen too (U-39). Context: atomic.
 */
typedef VOID(NDK_FN_CONTROL_CONNECT_EVENTS)(NDK_LISTENER *pNdkListener, BOOLEAN Pause);

typedef struct _NDK_LISTENER_DISPATCH {
	NDK_FN_CLOSE_OBJECT *NdkCloseListener;
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_LISTEN *NdkListen;
	NDK_FN_GET_LISTENER_LOCAL_ADDRESS *NdkGetLocalAddress;
	NDK_FN_CONTROL_CONNECT_EVENTS *NdkControlConnectEvents;
} NDK_LISTENER_DISPATCH;

/*
 * Closing refuses further requests at once (LISTEN-12) but pends until all
 * connectors it delivered are closed (LISTEN-13); only then is the address free
 * (EP-5, EP-6). Connectors already delivered may still be accepted (U-41).
 */
struct _NDK_LISTENER {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypeListener */
	const NDK_LISTENER_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

NDKPI_ASSERT_OBJECT(NDK_LISTENER, 5);

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_LISTENER_H */
