/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_endpoint.h - the shared endpoint: one local address and port for many
 * outgoing connections.
 *
 * Owns: NDK_SHARED_ENDPOINT and its dispatch table. Made by
 * NdkCreateSharedEndpoint of an adapter, used by NdkConnectWithSharedEndpoint.
 *
 * Context and locks: every function is atomic; see ndkpi_common.h.
 */
#ifndef NDKPI_ENDPOINT_H
#define NDKPI_ENDPOINT_H

#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Stores the reserved address with the port in force (SEP-5). *pAddressLength:
 * in, bytes at pAddress; out, bytes written, or needed with
 * STATUS_BUFFER_TOO_SMALL (CTR-6). pAddress NULL asks for the size (U-42).
 * Inline only. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS)(NDK_SHARED_ENDPOINT *pNdkSharedEndpoint,
							   PSOCKADDR pAddress,
							   ULONG *pAddressLength);

typedef struct _NDK_SHARED_ENDPOINT_DISPATCH {
	NDK_FN_CLOSE_OBJECT *NdkCloseSharedEndpoint;
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS *NdkGetLocalAddress;
} NDK_SHARED_ENDPOINT_DISPATCH;

/* Closing pends until all connectors connected over it are closed (SEP-6);
 * then the address is free (EP-4, EP-5). */
struct _NDK_SHARED_ENDPOINT {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypeSharedEndpoint */
	const NDK_SHARED_ENDPOINT_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

NDKPI_ASSERT_OBJECT(NDK_SHARED_ENDPOINT, 3);

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_ENDPOINT_H */
