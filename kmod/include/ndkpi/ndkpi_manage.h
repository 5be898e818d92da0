/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_manage.h - the management plane as functions: what OIDs and NDIS do on
 * Windows. By adapter name, as NdkOpenAdapter() takes it; no adapter need be
 * open. In the kernel and in user space alike.
 *
 * Context: all may sleep, none pends. NDIS_STATUS_ADAPTER_NOT_FOUND for a name
 * that nothing has, STATUS_INVALID_PARAMETER for a NULL that must not be one.
 */
#ifndef NDKPI_MANAGE_H
#define NDKPI_MANAGE_H

#include <ndkpi/ndkpi_ndis.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The provider's two entry points (MGMT-1). Their MiniportAdapterContext is the
 * adapter's name, a const char pointer.
 */
const NDIS_NDK_PROVIDER_CHARACTERISTICS *NdkProviderCharacteristics(VOID);

/*
 * What the adapter can hold, and whether it may be opened at present; also while
 * it is disabled (MGMT-2). pCapabilities->NdkInfo must point to room for the
 * limits of single objects or be NULL.
 */
NTSTATUS NdkQueryAttributes(const char *Name, NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES *pAttributes,
			    NDIS_NDK_CAPABILITIES *pCapabilities);

/*
 * OID_NDK_SET_STATE (MGMT-3). Synchronous: after Enable FALSE no adapter can be
 * opened (ADP-2); those that are open go on until their consumers, who hear of it
 * by NDK_ADAPTER_EVENT, close them, and the disabling is pending till then
 * (MGMT-4). STATUS_PENDING is not an answer of this function: *pOpen, which may
 * be NULL, is how many adapters it waits for. Enabling at any time is allowed,
 * unless the administrative keyword forbids NDK on the adapter:
 * STATUS_INVALID_DEVICE_STATE (MGMT-3).
 */
NTSTATUS NdkSetState(const char *Name, BOOLEAN Enable, ULONG *pOpen);

/*
 * OID_NDK_CONNECTIONS and OID_NDK_LOCAL_ENDPOINTS (MGMT-5, MGMT-6): connections
 * that are established, listeners and shared endpoints. *pSize: bytes of the
 * buffer in, bytes needed or written out; STATUS_BUFFER_TOO_SMALL writes nothing
 * else. Ports are not mapped onto TCP ports (MGMT-7: the flags are FALSE).
 */
NTSTATUS NdkQueryConnections(const char *Name, NDIS_NDK_CONNECTIONS *pConnections, ULONG *pSize);
NTSTATUS NdkQueryLocalEndpoints(const char *Name, NDIS_NDK_LOCAL_ENDPOINTS *pEndpoints, ULONG *pSize);

/* OID_NDK_STATISTICS (MGMT-8): what MissingCounterMask names is zero. */
NTSTATUS NdkQueryStatistics(const char *Name, NDIS_NDK_STATISTICS_INFO *pStatistics);

/*
 * The adapter's own addresses, IPv4 and IPv6, each once, ports zero (ADP-8). *pSize
 * as above.
 */
NTSTATUS NdkQueryAddresses(const char *Name, SOCKADDR_INET *pAddresses, ULONG *pSize);

/*
 * The name of the adapter that has the address; the port is ignored. Size: bytes of
 * Name, 64 always do. NDIS_STATUS_ADAPTER_NOT_FOUND if no adapter has it or
 * its name does not fit, STATUS_INVALID_ADDRESS for a malformed address.
 */
NTSTATUS NdkFindAdapter(const struct sockaddr *pAddress, ULONG AddressLength, char *Name, ULONG Size);

/* ---- being told ---- */
typedef enum _NDK_ADAPTER_EVENT {
	NdkAdapterArrived = 1, /* can be opened under this name */
	NdkAdapterEnabled,
	NdkAdapterDisabling, /* close what is open: the administrator waits for it (MGMT-4) */
	NdkAdapterRemoved /* the device is gone; what is open stays closable (U-45) */
} NDK_ADAPTER_EVENT;

/* Process context, one after the other; may sleep, open adapters and close them. */
typedef VOID(NDK_FN_ADAPTER_EVENT)(PVOID Context, const char *Name, NDK_ADAPTER_EVENT Event);

/*
 * From now on Event is called for every adapter, first with NdkAdapterArrived for
 * those that are there. *pRegistration is for the function below.
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS NdkRegisterAdapterEvents(NDK_FN_ADAPTER_EVENT *Event, PVOID Context, PVOID *pRegistration);

/* Returns when Event is not running and will not be called again. Not from inside Event. */
VOID NdkDeregisterAdapterEvents(PVOID Registration);

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_MANAGE_H */
