/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_ndis.h - the management side: registration, capabilities, connection
 * tables and counters, in the shapes Windows gives them.
 *
 * Owns: the NDIS_NDK_* structures. On Windows they travel between NDIS and a
 * miniport driver; here they are the vocabulary of the management plane, for
 * which netlink is the carrier. A consumer that only opens an adapter needs
 * none of this. Anyone may include it; it holds declarations only.
 */
#ifndef NDKPI_NDIS_H
#define NDKPI_NDIS_H

#include <ndkpi/ndkpi_adapter.h>
#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __KERNEL__
#include <linux/in.h>
#include <linux/in6.h>
#else
#include <netinet/in.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A driver's own handle of one adapter; opaque. */
typedef PVOID NDIS_HANDLE;

/* First member of every structure that may grow. */
typedef struct _NDIS_OBJECT_HEADER {
	UCHAR Type; /* kind of structure */
	UCHAR Revision; /* of that kind, from 1 */
	USHORT Size; /* bytes, this header included */
} NDIS_OBJECT_HEADER;

/* An IPv4 or IPv6 address with port; si_family tells which (ADDR-1). */
typedef union _SOCKADDR_INET {
	struct sockaddr_in Ipv4;
	struct sockaddr_in6 Ipv6;
	USHORT si_family;
} SOCKADDR_INET;

/* What an opener asks for. */
typedef struct _NDIS_OPEN_NDK_ADAPTER_PARAMETERS {
	NDK_VERSION Version; /* major, and lowest acceptable minor (VER-1) */
	ULONG SwitchId; /* virtual switch; 0 here */
	ULONG VPortId; /* port of that switch; 0 here */
} NDIS_OPEN_NDK_ADAPTER_PARAMETERS;

/*
 * Opens an adapter for one consumer. NDIS_STATUS_BAD_VERSION (VER-2, VER-3),
 * NDIS_STATUS_ADAPTER_NOT_READY while disabled (ADP-2), NDIS_STATUS_RESOURCES.
 * Inline only. May sleep (IRQL-2).
 */
typedef NDIS_STATUS(OPEN_NDK_ADAPTER_HANDLER)(NDIS_HANDLE MiniportAdapterContext,
					      NDIS_OPEN_NDK_ADAPTER_PARAMETERS *Parameters,
					      NDK_ADAPTER **ppNdkAdapter);

/* Closes it; returns when no callback of any descendant runs or will run
 * (ADP-4, ADP-5). May sleep; never from inside a callback (ADP-6). */
typedef VOID(CLOSE_NDK_ADAPTER_HANDLER)(NDIS_HANDLE MiniportAdapterContext,
					NDK_ADAPTER *pNdkAdapter);

/* A provider's two entry points (MGMT-1). */
typedef struct _NDIS_NDK_PROVIDER_CHARACTERISTICS {
	NDIS_OBJECT_HEADER Header;
	ULONG Flags; /* zero */
	OPEN_NDK_ADAPTER_HANDLER *OpenNDKAdapterHandler;
	CLOSE_NDK_ADAPTER_HANDLER *CloseNDKAdapterHandler;
} NDIS_NDK_PROVIDER_CHARACTERISTICS;

/* What the whole adapter can hold; reported while disabled too (MGMT-2). */
typedef struct _NDIS_NDK_CAPABILITIES {
	NDIS_OBJECT_HEADER Header;
	ULONG Flags; /* zero */
	ULONG MaxQpCount; /* queue pairs */
	ULONG MaxCqCount; /* completion queues */
	ULONG MaxMrCount; /* memory regions */
	ULONG MaxPdCount; /* protection domains */
	ULONG MaxInboundReadLimit; /* reads over all QPs; 0: only per QP */
	ULONG MaxOutboundReadLimit; /* the same, outgoing */
	ULONG MaxMwCount; /* memory windows */
	ULONG MaxSrqCount; /* shared receive queues; 0: none */
	ULONG64 MissingCounterMask; /* bit n: counter n is not kept (MGMT-8) */
	NDK_ADAPTER_INFO *NdkInfo; /* limits of single objects */
} NDIS_NDK_CAPABILITIES;

/* What an adapter says of itself when it appears (MGMT-2). */
typedef struct _NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES {
	NDIS_OBJECT_HEADER Header;
	BOOLEAN Enabled; /* may be opened now */
	NDIS_NDK_CAPABILITIES *NdkCapabilities; /* never NULL */
} NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES;

/* One active connection (MGMT-5). */
typedef struct _NDIS_NDK_CONNECTION_ENTRY {
	SOCKADDR_INET Local;
	SOCKADDR_INET Remote;
	BOOLEAN UserModeOwner; /* FALSE: a kernel consumer */
	ULONG OwnerPid; /* process id of a user consumer */
} NDIS_NDK_CONNECTION_ENTRY;

/* All of them (MGMT-5, MGMT-7). */
typedef struct _NDIS_NDK_CONNECTIONS {
	NDIS_OBJECT_HEADER Header;
	ULONG Flags; /* zero */
	ULONG Count; /* entries of Connections */
	/* TRUE: entries come in pairs, ND address first, its TCP twin second. */
	BOOLEAN NDConnectionsMappedtoTCPConnections;
	NDIS_NDK_CONNECTION_ENTRY Connections[1]; /* really Count */
} NDIS_NDK_CONNECTIONS;

/* One listener or shared endpoint (MGMT-6). */
typedef struct _NDIS_NDK_LOCAL_ENDPOINT_ENTRY {
	SOCKADDR_INET Local;
	BOOLEAN UserModeOwner; /* FALSE: a kernel consumer */
	BOOLEAN Listener; /* FALSE: a shared endpoint */
	ULONG OwnerPid; /* process id of a user consumer */
} NDIS_NDK_LOCAL_ENDPOINT_ENTRY;

/* All of them (MGMT-6, MGMT-7). */
typedef struct _NDIS_NDK_LOCAL_ENDPOINTS {
	NDIS_OBJECT_HEADER Header;
	ULONG Flags; /* zero */
	ULONG Count; /* entries of LocalEndpoints */
	/* As NDConnectionsMappedtoTCPConnections. */
	BOOLEAN NDLocalEndpointsMappedtoTCPLocalEndpoints;
	NDIS_NDK_LOCAL_ENDPOINT_ENTRY LocalEndpoints[1]; /* really Count */
} NDIS_NDK_LOCAL_ENDPOINTS;

/*
 * Counters of one adapter since it appeared (MGMT-8). The position of a counter
 * is its bit in MissingCounterMask. Octets and frames include the overhead of
 * the link layer. Reserved ones are zero.
 */
typedef struct _NDIS_NDK_PERFORMANCE_COUNTERS {
	ULONG64 Connect; /* 0: outgoing connections established */
	ULONG64 Accept; /* 1: incoming connections established */
	ULONG64 ConnectFailure; /* 2: attempts that failed, both ways */
	ULONG64 ConnectionError; /* 3: broke before the consumer disconnected */
	ULONG64 ActiveConnection; /* 4: established at present */
	ULONG64 Reserved01; /* 5 */
	ULONG64 Reserved02;
	ULONG64 Reserved03;
	ULONG64 Reserved04;
	ULONG64 Reserved05;
	ULONG64 Reserved06;
	ULONG64 Reserved07;
	ULONG64 Reserved08;
	ULONG64 Reserved09;
	ULONG64 Reserved10;
	ULONG64 Reserved11;
	ULONG64 Reserved12;
	ULONG64 Reserved13;
	ULONG64 Reserved14;
	ULONG64 Reserved15;
	ULONG64 Reserved16;
	ULONG64 Reserved17;
	ULONG64 Reserved18;
	ULONG64 Reserved19;
	ULONG64 Reserved20; /* 24 */
	ULONG64 CQError; /* 25: completion queues lost */
	ULONG64 RDMAInOctets; /* 26 */
	ULONG64 RDMAOutOctets; /* 27 */
	ULONG64 RDMAInFrames; /* 28 */
	ULONG64 RDMAOutFrames; /* 29 */
} NDIS_NDK_PERFORMANCE_COUNTERS;

typedef struct _NDIS_NDK_STATISTICS_INFO {
	NDIS_OBJECT_HEADER Header;
	ULONG Flags; /* zero */
	NDIS_NDK_PERFORMANCE_COUNTERS CounterSet;
} NDIS_NDK_STATISTICS_INFO;

NDKPI_ASSERT_SIZE(NDIS_OBJECT_HEADER, 4);
NDKPI_ASSERT_SIZE(SOCKADDR_INET, 28);
NDKPI_ASSERT_SIZE(NDIS_OPEN_NDK_ADAPTER_PARAMETERS, 12);
NDKPI_ASSERT_OFFSET(NDIS_OPEN_NDK_ADAPTER_PARAMETERS, SwitchId, 4);
NDKPI_ASSERT_SIZE(NDIS_NDK_PROVIDER_CHARACTERISTICS, 24);
NDKPI_ASSERT_OFFSET(NDIS_NDK_PROVIDER_CHARACTERISTICS, OpenNDKAdapterHandler, 8);
NDKPI_ASSERT_SIZE(NDIS_NDK_CAPABILITIES, 56);
NDKPI_ASSERT_OFFSET(NDIS_NDK_CAPABILITIES, MaxQpCount, 8);
NDKPI_ASSERT_OFFSET(NDIS_NDK_CAPABILITIES, MaxInboundReadLimit, 24);
NDKPI_ASSERT_OFFSET(NDIS_NDK_CAPABILITIES, MaxSrqCount, 36);
NDKPI_ASSERT_OFFSET(NDIS_NDK_CAPABILITIES, MissingCounterMask, 40);
NDKPI_ASSERT_OFFSET(NDIS_NDK_CAPABILITIES, NdkInfo, 48);
NDKPI_ASSERT_SIZE(NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES, 16);
NDKPI_ASSERT_OFFSET(NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES, NdkCapabilities, 8);
NDKPI_ASSERT_SIZE(NDIS_NDK_CONNECTION_ENTRY, 64);
NDKPI_ASSERT_OFFSET(NDIS_NDK_CONNECTION_ENTRY, Remote, 28);
NDKPI_ASSERT_OFFSET(NDIS_NDK_CONNECTION_ENTRY, OwnerPid, 60);
NDKPI_ASSERT_SIZE(NDIS_NDK_CONNECTIONS, 80);
NDKPI_ASSERT_OFFSET(NDIS_NDK_CONNECTIONS, Connections, 16);
NDKPI_ASSERT_SIZE(NDIS_NDK_LOCAL_ENDPOINT_ENTRY, 36);
NDKPI_ASSERT_OFFSET(NDIS_NDK_LOCAL_ENDPOINT_ENTRY, Listener, 29);
NDKPI_ASSERT_OFFSET(NDIS_NDK_LOCAL_ENDPOINT_ENTRY, OwnerPid, 32);
NDKPI_ASSERT_SIZE(NDIS_NDK_LOCAL_ENDPOINTS, 52);
NDKPI_ASSERT_OFFSET(NDIS_NDK_LOCAL_ENDPOINTS, LocalEndpoints, 16);
NDKPI_ASSERT_SIZE(NDIS_NDK_PERFORMANCE_COUNTERS, 240);
NDKPI_ASSERT_OFFSET(NDIS_NDK_PERFORMANCE_COUNTERS, Reserved01, 5 * 8);
NDKPI_ASSERT_OFFSET(NDIS_NDK_PERFORMANCE_COUNTERS, CQError, 25 * 8);
NDKPI_ASSERT_OFFSET(NDIS_NDK_PERFORMANCE_COUNTERS, RDMAOutFrames, 29 * 8);
NDKPI_ASSERT_SIZE(NDIS_NDK_STATISTICS_INFO, 248);
NDKPI_ASSERT_OFFSET(NDIS_NDK_STATISTICS_INFO, CounterSet, 8);

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_NDIS_H */
