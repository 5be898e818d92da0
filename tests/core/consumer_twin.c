/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * consumer_twin.c - one source, C and C++ at once, that implements every
 * function type of the interface.
 *
 * Owns: the proof that the signatures are what a Windows consumer writes. Each
 * of the 61 function types is declared the Windows way, by its type, and then
 * defined with its parameters spelled out, so a difference in one of them does
 * not compile. The functions fill all dispatch tables by position; main() looks
 * at every slot by name, so that two slots of one type cannot be swapped
 * unnoticed, and counts functions and slots. Built and run by header_alone.sh,
 * as C and as C++; single-threaded, needs no provider.
 */
#include <ndkpi/ndkpi.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- shared by all objects ---- */

static NDK_FN_REQUEST_COMPLETION MyRequestCompletion;
static VOID MyRequestCompletion(PVOID Context, NTSTATUS Status) {}

static NDK_FN_CREATE_COMPLETION MyCreateCompletion;
static VOID MyCreateCompletion(PVOID Context, NTSTATUS Status, NDK_OBJECT_HEADER *pNdkObject) {}

static NDK_FN_CLOSE_COMPLETION MyCloseCompletion;
static VOID MyCloseCompletion(PVOID Context) {}

static NDK_FN_CLOSE_OBJECT MyCloseObject;
static NTSTATUS MyCloseObject(NDK_OBJECT_HEADER *pNdkObject,
			      NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_QUERY_EXTENSION_INTERFACE MyQueryExtensionInterface;
static NTSTATUS MyQueryExtensionInterface(NDK_OBJECT_HEADER *pNdkObject,
					  const GUID *ExtensionInterfaceID,
					  NDK_VERSION ExtensionInterfaceVersion,
					  NDK_EXTENSION_INTERFACE *pExtensionInterface)
{
	return STATUS_SUCCESS;
}

/* ---- adapter ---- */

static NDK_FN_QUERY_ADAPTER_INFO MyQueryAdapterInfo;
static NTSTATUS MyQueryAdapterInfo(NDK_ADAPTER *pNdkAdapter, NDK_ADAPTER_INFO *pInfo,
				   ULONG *pBufferSize)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CREATE_CQ MyCreateCq;
static NTSTATUS MyCreateCq(NDK_ADAPTER *pNdkAdapter, ULONG CqDepth,
			   NDK_FN_CQ_NOTIFICATION_CALLBACK CqNotification,
			   PVOID CqNotificationContext, GROUP_AFFINITY *Affinity,
			   NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
			   NDK_CQ **ppNdkCq)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CREATE_PD MyCreatePd;
static NTSTATUS MyCreatePd(NDK_ADAPTER *pNdkAdapter, NDK_FN_CREATE_COMPLETION CreateCompletion,
			   PVOID RequestContext, NDK_PD **ppNdkPd)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CREATE_SHARED_ENDPOINT MyCreateSharedEndpoint;
static NTSTATUS MyCreateSharedEndpoint(NDK_ADAPTER *pNdkAdapter, const struct sockaddr *pAddress,
				       ULONG AddressLength,
				       NDK_FN_CREATE_COMPLETION CreateCompletion,
				       PVOID RequestContext,
				       NDK_SHARED_ENDPOINT **ppNdkSharedEndpoint)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CREATE_CONNECTOR MyCreateConnector;
static NTSTATUS MyCreateConnector(NDK_ADAPTER *pNdkAdapter,
				  NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
				  NDK_CONNECTOR **ppNdkConnector)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CREATE_LISTENER MyCreateListener;
static NTSTATUS MyCreateListener(NDK_ADAPTER *pNdkAdapter,
				 NDK_FN_CONNECT_EVENT_CALLBACK ConnectEvent,
				 PVOID ConnectEventContext,
				 NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
				 NDK_LISTENER **ppNdkListener)
{
	return STATUS_SUCCESS;
}

static NDK_FN_BUILD_LAM MyBuildLam;
static NTSTATUS MyBuildLam(NDK_ADAPTER *pNdkAdapter, MDL *Mdl, SIZE_T Length,
			   NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext,
			   NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM, ULONG *pLAMSize, ULONG *pFBO)
{
	return STATUS_SUCCESS;
}

static NDK_FN_RELEASE_LAM MyReleaseLam;
static VOID MyReleaseLam(NDK_ADAPTER *pNdkAdapter, NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM) {}

/* ---- protection domain ---- */

static NDK_FN_CREATE_MR MyCreateMr;
static NTSTATUS MyCreateMr(NDK_PD *pNdkPd, BOOLEAN FastRegister,
			   NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
			   NDK_MR **ppNdkMr)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CREATE_MW MyCreateMw;
static NTSTATUS MyCreateMw(NDK_PD *pNdkPd, NDK_FN_CREATE_COMPLETION CreateCompletion,
			   PVOID RequestContext, NDK_MW **ppNdkMw)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CREATE_SRQ MyCreateSrq;
static NTSTATUS MyCreateSrq(NDK_PD *pNdkPd, ULONG SrqDepth, ULONG MaxReceiveRequestSge,
			    ULONG NotifyThreshold, NDK_FN_SRQ_NOTIFICATION_CALLBACK SrqNotification,
			    PVOID SrqNotificationContext, GROUP_AFFINITY *Affinity,
			    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
			    NDK_SRQ **ppNdkSrq)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CREATE_QP MyCreateQp;
static NTSTATUS MyCreateQp(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
			   PVOID QPContext, ULONG ReceiveQueueDepth, ULONG InitiatorQueueDepth,
			   ULONG MaxReceiveRequestSge, ULONG MaxInitiatorRequestSge,
			   ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion,
			   PVOID RequestContext, NDK_QP **ppNdkQp)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CREATE_QP_WITH_SRQ MyCreateQpWithSrq;
static NTSTATUS MyCreateQpWithSrq(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
				  NDK_SRQ *pSrq, PVOID QPContext, ULONG InitiatorQueueDepth,
				  ULONG MaxInitiatorRequestSge, ULONG InlineDataSize,
				  NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
				  NDK_QP **ppNdkQp)
{
	return STATUS_SUCCESS;
}

static NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN MyGetPrivilegedMemoryRegionToken;
static VOID MyGetPrivilegedMemoryRegionToken(NDK_PD *pNdkPd, UINT32 *pToken) {}

/* ---- memory region and memory window ---- */

static NDK_FN_REGISTER_MR MyRegisterMr;
static NTSTATUS MyRegisterMr(NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags,
			     NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_DEREGISTER_MR MyDeregisterMr;
static NTSTATUS MyDeregisterMr(NDK_MR *pNdkMr, NDK_FN_REQUEST_COMPLETION RequestCompletion,
			       PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_INITIALIZE_FAST_REGISTER_MR MyInitializeFastRegisterMr;
static NTSTATUS MyInitializeFastRegisterMr(NDK_MR *pNdkMr, ULONG AdapterPageCount,
					   BOOLEAN RemoteAccess,
					   NDK_FN_REQUEST_COMPLETION RequestCompletion,
					   PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_GET_REMOTE_TOKEN_FROM_MR MyGetRemoteTokenFromMr;
static UINT32 MyGetRemoteTokenFromMr(NDK_MR *pNdkMr)
{
	return 0;
}

static NDK_FN_GET_LOCAL_TOKEN_FROM_MR MyGetLocalTokenFromMr;
static UINT32 MyGetLocalTokenFromMr(NDK_MR *pNdkMr)
{
	return 0;
}

static NDK_FN_GET_REMOTE_TOKEN_FROM_MW MyGetRemoteTokenFromMw;
static UINT32 MyGetRemoteTokenFromMw(NDK_MW *pNdkMw)
{
	return 0;
}

/* ---- completion queue ---- */

static NDK_FN_CQ_NOTIFICATION_CALLBACK MyCqNotificationCallback;
static VOID MyCqNotificationCallback(PVOID CqNotificationContext, NTSTATUS CqStatus) {}

static NDK_FN_RESIZE_CQ MyResizeCq;
static NTSTATUS MyResizeCq(NDK_CQ *pNdkCq, ULONG CqDepth,
			   NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_ARM_CQ MyArmCq;
static VOID MyArmCq(NDK_CQ *pNdkCq, ULONG Type) {}

static NDK_FN_GET_CQ_RESULTS MyGetCqResults;
static ULONG MyGetCqResults(NDK_CQ *pNdkCq, NDK_RESULT *Results, ULONG nResults)
{
	return 0;
}

static NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION MyControlCqInterruptModeration;
static NTSTATUS MyControlCqInterruptModeration(NDK_CQ *pNdkCq, ULONG ModerationInterval,
					       ULONG ModerationCount)
{
	return STATUS_SUCCESS;
}

static NDK_FN_GET_CQ_RESULTS_EX MyGetCqResultsEx;
static ULONG MyGetCqResultsEx(NDK_CQ *pNdkCq, NDK_RESULT_EX *Results, ULONG nResults)
{
	return 0;
}

/* ---- queue pair ---- */

static NDK_FN_FLUSH MyFlush;
static VOID MyFlush(NDK_QP *pNdkQp) {}

static NDK_FN_SEND MySend;
static NTSTATUS MySend(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
		       ULONG Flags)
{
	return STATUS_SUCCESS;
}

static NDK_FN_RECEIVE MyReceive;
static NTSTATUS MyReceive(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
	return STATUS_SUCCESS;
}

static NDK_FN_BIND MyBind;
static NTSTATUS MyBind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
		       PVOID VirtualAddress, SIZE_T Length, ULONG Flags)
{
	return STATUS_SUCCESS;
}

static NDK_FN_FAST_REGISTER MyFastRegister;
static NTSTATUS MyFastRegister(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
			       ULONG AdapterPageCount, const NDK_LOGICAL_ADDRESS *AdapterPageArray,
			       ULONG FBO, SIZE_T Length, PVOID BaseVirtualAddress, ULONG Flags)
{
	return STATUS_SUCCESS;
}

static NDK_FN_INVALIDATE MyInvalidate;
static NTSTATUS MyInvalidate(NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw,
			     ULONG Flags)
{
	return STATUS_SUCCESS;
}

static NDK_FN_READ MyRead;
static NTSTATUS MyRead(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
		       UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
	return STATUS_SUCCESS;
}

static NDK_FN_WRITE MyWrite;
static NTSTATUS MyWrite(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
			UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
	return STATUS_SUCCESS;
}

static NDK_FN_SEND_AND_INVALIDATE MySendAndInvalidate;
static NTSTATUS MySendAndInvalidate(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
				    ULONG nSge, ULONG Flags, UINT32 RemoteToken)
{
	return STATUS_SUCCESS;
}

/* ---- shared receive queue ---- */

static NDK_FN_SRQ_NOTIFICATION_CALLBACK MySrqNotificationCallback;
static VOID MySrqNotificationCallback(PVOID SrqNotificationContext, NTSTATUS SrqStatus) {}

static NDK_FN_MODIFY_SRQ MyModifySrq;
static NTSTATUS MyModifySrq(NDK_SRQ *pNdkSrq, ULONG SrqDepth, ULONG NotifyThreshold,
			    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_SRQ_RECEIVE MySrqReceive;
static NTSTATUS MySrqReceive(NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl,
			     ULONG nSge)
{
	return STATUS_SUCCESS;
}

/* ---- listener ---- */

static NDK_FN_CONNECT_EVENT_CALLBACK MyConnectEventCallback;
static VOID MyConnectEventCallback(PVOID ConnectEventContext, NDK_CONNECTOR *pNdkConnector) {}

static NDK_FN_LISTEN MyListen;
static NTSTATUS MyListen(NDK_LISTENER *pNdkListener, const struct sockaddr *pAddress,
			 ULONG AddressLength, NDK_FN_REQUEST_COMPLETION RequestCompletion,
			 PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_GET_LISTENER_LOCAL_ADDRESS MyGetListenerLocalAddress;
static NTSTATUS MyGetListenerLocalAddress(NDK_LISTENER *pNdkListener, PSOCKADDR pAddress,
					  ULONG *pAddressLength)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CONTROL_CONNECT_EVENTS MyControlConnectEvents;
static VOID MyControlConnectEvents(NDK_LISTENER *pNdkListener, BOOLEAN Pause) {}

/* ---- connector ---- */

static NDK_FN_DISCONNECT_EVENT_CALLBACK MyDisconnectEventCallback;
static VOID MyDisconnectEventCallback(PVOID DisconnectEventContext) {}

static NDK_FN_DISCONNECT_EVENT_CALLBACK_EX MyDisconnectEventCallbackEx;
static VOID MyDisconnectEventCallbackEx(PVOID DisconnectEventContext,
					ULONG ProviderDisconnectReason)
{
}

static NDK_FN_CONNECT MyConnect;
static NTSTATUS MyConnect(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
			  const struct sockaddr *pSrcAddress, ULONG SrcAddressLength,
			  const struct sockaddr *pDestAddress, ULONG DestAddressLength,
			  ULONG InboundReadLimit, ULONG OutboundReadLimit, const VOID *pPrivateData,
			  ULONG PrivateDataLength, NDK_FN_REQUEST_COMPLETION RequestCompletion,
			  PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_CONNECT_WITH_SHARED_ENDPOINT MyConnectWithSharedEndpoint;
static NTSTATUS MyConnectWithSharedEndpoint(
	NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, NDK_SHARED_ENDPOINT *pNdkSharedEndpoint,
	const struct sockaddr *pDestAddress, ULONG DestAddressLength, ULONG InboundReadLimit,
	ULONG OutboundReadLimit, const VOID *pPrivateData, ULONG PrivateDataLength,
	NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_COMPLETE_CONNECT MyCompleteConnect;
static NTSTATUS MyCompleteConnect(NDK_CONNECTOR *pNdkConnector,
				  NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent,
				  PVOID DisconnectEventContext,
				  NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_ACCEPT MyAccept;
static NTSTATUS MyAccept(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
			 ULONG OutboundReadLimit, const VOID *pPrivateData, ULONG PrivateDataLength,
			 NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent,
			 PVOID DisconnectEventContext, NDK_FN_REQUEST_COMPLETION RequestCompletion,
			 PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_REJECT MyReject;
static NTSTATUS MyReject(NDK_CONNECTOR *pNdkConnector, const VOID *pPrivateData,
			 ULONG PrivateDataLength)
{
	return STATUS_SUCCESS;
}

static NDK_FN_GET_CONNECTION_DATA MyGetConnectionData;
static NTSTATUS MyGetConnectionData(NDK_CONNECTOR *pNdkConnector, ULONG *pInboundReadLimit,
				    ULONG *pOutboundReadLimit, PVOID pPrivateData,
				    ULONG *pPrivateDataLength)
{
	return STATUS_SUCCESS;
}

static NDK_FN_GET_LOCAL_ADDRESS MyGetLocalAddress;
static NTSTATUS MyGetLocalAddress(NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress,
				  ULONG *pAddressLength)
{
	return STATUS_SUCCESS;
}

static NDK_FN_GET_PEER_ADDRESS MyGetPeerAddress;
static NTSTATUS MyGetPeerAddress(NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress,
				 ULONG *pAddressLength)
{
	return STATUS_SUCCESS;
}

static NDK_FN_DISCONNECT MyDisconnect;
static NTSTATUS MyDisconnect(NDK_CONNECTOR *pNdkConnector,
			     NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_COMPLETE_CONNECT_EX MyCompleteConnectEx;
static NTSTATUS MyCompleteConnectEx(NDK_CONNECTOR *pNdkConnector,
				    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent,
				    PVOID DisconnectEventContext,
				    NDK_FN_REQUEST_COMPLETION RequestCompletion,
				    PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

static NDK_FN_ACCEPT_EX MyAcceptEx;
static NTSTATUS MyAcceptEx(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
			   ULONG OutboundReadLimit, const VOID *pPrivateData,
			   ULONG PrivateDataLength,
			   NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent,
			   PVOID DisconnectEventContext,
			   NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
	return STATUS_SUCCESS;
}

/* ---- shared endpoint ---- */

static NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS MyGetSharedEndpointLocalAddress;
static NTSTATUS MyGetSharedEndpointLocalAddress(NDK_SHARED_ENDPOINT *pNdkSharedEndpoint,
						PSOCKADDR pAddress, ULONG *pAddressLength)
{
	return STATUS_SUCCESS;
}

/*
 * Every table, filled by position, in the order of the interface.
 */

static const NDK_ADAPTER_DISPATCH MyAdapterDispatch = {
	MyQueryExtensionInterface,
	MyQueryAdapterInfo,
	MyCreateCq,
	MyCreatePd,
	MyCreateSharedEndpoint,
	MyCreateConnector,
	MyCreateListener,
	MyBuildLam,
	MyReleaseLam,
};

static const NDK_PD_DISPATCH MyPdDispatch = {
	MyCloseObject,	   MyQueryExtensionInterface,
	MyCreateMr,	   MyCreateMw,
	MyCreateSrq,	   MyCreateQp,
	MyCreateQpWithSrq, MyGetPrivilegedMemoryRegionToken,
};

static const NDK_MR_DISPATCH MyMrDispatch = {
	MyCloseObject,	       MyQueryExtensionInterface,  MyRegisterMr,
	MyDeregisterMr,	       MyInitializeFastRegisterMr, MyGetRemoteTokenFromMr,
	MyGetLocalTokenFromMr,
};

static const NDK_MW_DISPATCH MyMwDispatch = {
	MyCloseObject,
	MyQueryExtensionInterface,
	MyGetRemoteTokenFromMw,
};

static const NDK_CQ_DISPATCH MyCqDispatch = {
	MyCloseObject,	MyQueryExtensionInterface,	MyResizeCq,	  MyArmCq,
	MyGetCqResults, MyControlCqInterruptModeration, MyGetCqResultsEx,
};

static const NDK_QP_DISPATCH MyQpDispatch = {
	MyCloseObject,
	MyQueryExtensionInterface,
	MyFlush,
	MySend,
	MyReceive,
	MyBind,
	MyFastRegister,
	MyInvalidate,
	MyRead,
	MyWrite,
	MySendAndInvalidate,
};

static const NDK_SRQ_DISPATCH MySrqDispatch = {
	MyCloseObject,
	MyQueryExtensionInterface,
	MyModifySrq,
	MySrqReceive,
};

static const NDK_LISTENER_DISPATCH MyListenerDispatch = {
	MyCloseObject,		MyQueryExtensionInterface, MyListen, MyGetListenerLocalAddress,
	MyControlConnectEvents,
};

static const NDK_CONNECTOR_DISPATCH MyConnectorDispatch = {
	MyCloseObject,	   MyQueryExtensionInterface,
	MyConnect,	   MyConnectWithSharedEndpoint,
	MyCompleteConnect, MyAccept,
	MyReject,	   MyGetConnectionData,
	MyGetLocalAddress, MyGetPeerAddress,
	MyDisconnect,	   MyCompleteConnectEx,
	MyAcceptEx,
};

static const NDK_SHARED_ENDPOINT_DISPATCH MySharedEndpointDispatch = {
	MyCloseObject,
	MyQueryExtensionInterface,
	MyGetSharedEndpointLocalAddress,
};

/* Different functions seen, and slots that do not hold what they should. */
static int functions, failures;

static void wrong(const char *what)
{
	failures++;
	printf("# wrong: %s\n", what);
}

/* One slot of the table in hand; first is 0 where the function was seen before. */
#define SLOT(slot, function, first)      \
	do {                             \
		if (d->slot != function) \
			wrong(#slot);    \
		functions += first;      \
		slots++;                 \
	} while (0)

/* The slots looked at must be all the table has. */
#define ALL_SLOTS()                                      \
	do {                                             \
		if (slots * sizeof(PVOID) != sizeof(*d)) \
			wrong("number of slots");        \
	} while (0)

/* A callback has no slot: it is what a parameter of its type accepts. */
#define CALLBACK(type, function)           \
	do {                               \
		type *callback = function; \
		if (callback == NULL)      \
			wrong(#function);  \
		functions++;               \
	} while (0)

static void look_at_adapter(void)
{
	const NDK_ADAPTER_DISPATCH *d = &MyAdapterDispatch;
	unsigned int slots = 0;

	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 1);
	SLOT(NdkQueryAdapterInfo, MyQueryAdapterInfo, 1);
	SLOT(NdkCreateCq, MyCreateCq, 1);
	SLOT(NdkCreatePd, MyCreatePd, 1);
	SLOT(NdkCreateSharedEndpoint, MyCreateSharedEndpoint, 1);
	SLOT(NdkCreateConnector, MyCreateConnector, 1);
	SLOT(NdkCreateListener, MyCreateListener, 1);
	SLOT(NdkBuildLAM, MyBuildLam, 1);
	SLOT(NdkReleaseLAM, MyReleaseLam, 1);
	ALL_SLOTS();
}

static void look_at_pd(void)
{
	const NDK_PD_DISPATCH *d = &MyPdDispatch;
	unsigned int slots = 0;

	SLOT(NdkClosePd, MyCloseObject, 1);
	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 0);
	SLOT(NdkCreateMr, MyCreateMr, 1);
	SLOT(NdkCreateMw, MyCreateMw, 1);
	SLOT(NdkCreateSrq, MyCreateSrq, 1);
	SLOT(NdkCreateQp, MyCreateQp, 1);
	SLOT(NdkCreateQpWithSrq, MyCreateQpWithSrq, 1);
	SLOT(NdkGetPrivilegedMemoryRegionToken, MyGetPrivilegedMemoryRegionToken, 1);
	ALL_SLOTS();
}

static void look_at_mr(void)
{
	const NDK_MR_DISPATCH *d = &MyMrDispatch;
	unsigned int slots = 0;

	SLOT(NdkCloseMr, MyCloseObject, 0);
	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 0);
	SLOT(NdkRegisterMr, MyRegisterMr, 1);
	SLOT(NdkDeregisterMr, MyDeregisterMr, 1);
	SLOT(NdkInitializeFastRegisterMr, MyInitializeFastRegisterMr, 1);
	SLOT(NdkGetRemoteTokenFromMr, MyGetRemoteTokenFromMr, 1);
	SLOT(NdkGetLocalTokenFromMr, MyGetLocalTokenFromMr, 1);
	ALL_SLOTS();
}

static void look_at_mw(void)
{
	const NDK_MW_DISPATCH *d = &MyMwDispatch;
	unsigned int slots = 0;

	SLOT(NdkCloseMw, MyCloseObject, 0);
	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 0);
	SLOT(NdkGetRemoteTokenFromMw, MyGetRemoteTokenFromMw, 1);
	ALL_SLOTS();
}

static void look_at_cq(void)
{
	const NDK_CQ_DISPATCH *d = &MyCqDispatch;
	unsigned int slots = 0;

	SLOT(NdkCloseCq, MyCloseObject, 0);
	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 0);
	SLOT(NdkResizeCq, MyResizeCq, 1);
	SLOT(NdkArmCq, MyArmCq, 1);
	SLOT(NdkGetCqResults, MyGetCqResults, 1);
	SLOT(NdkControlCqInterruptModeration, MyControlCqInterruptModeration, 1);
	SLOT(NdkGetCqResultsEx, MyGetCqResultsEx, 1);
	ALL_SLOTS();
}

static void look_at_qp(void)
{
	const NDK_QP_DISPATCH *d = &MyQpDispatch;
	unsigned int slots = 0;

	SLOT(NdkCloseQp, MyCloseObject, 0);
	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 0);
	SLOT(NdkFlush, MyFlush, 1);
	SLOT(NdkSend, MySend, 1);
	SLOT(NdkReceive, MyReceive, 1);
	SLOT(NdkBind, MyBind, 1);
	SLOT(NdkFastRegister, MyFastRegister, 1);
	SLOT(NdkInvalidate, MyInvalidate, 1);
	SLOT(NdkRead, MyRead, 1);
	SLOT(NdkWrite, MyWrite, 1);
	SLOT(NdkSendAndInvalidate, MySendAndInvalidate, 1);
	ALL_SLOTS();
}

static void look_at_srq(void)
{
	const NDK_SRQ_DISPATCH *d = &MySrqDispatch;
	unsigned int slots = 0;

	SLOT(NdkCloseSrq, MyCloseObject, 0);
	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 0);
	SLOT(NdkModifySrq, MyModifySrq, 1);
	SLOT(NdkSrqReceive, MySrqReceive, 1);
	ALL_SLOTS();
}

static void look_at_listener(void)
{
	const NDK_LISTENER_DISPATCH *d = &MyListenerDispatch;
	unsigned int slots = 0;

	SLOT(NdkCloseListener, MyCloseObject, 0);
	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 0);
	SLOT(NdkListen, MyListen, 1);
	SLOT(NdkGetLocalAddress, MyGetListenerLocalAddress, 1);
	SLOT(NdkControlConnectEvents, MyControlConnectEvents, 1);
	ALL_SLOTS();
}

static void look_at_connector(void)
{
	const NDK_CONNECTOR_DISPATCH *d = &MyConnectorDispatch;
	unsigned int slots = 0;

	SLOT(NdkCloseConnector, MyCloseObject, 0);
	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 0);
	SLOT(NdkConnect, MyConnect, 1);
	SLOT(NdkConnectWithSharedEndpoint, MyConnectWithSharedEndpoint, 1);
	SLOT(NdkCompleteConnect, MyCompleteConnect, 1);
	SLOT(NdkAccept, MyAccept, 1);
	SLOT(NdkReject, MyReject, 1);
	SLOT(NdkGetConnectionData, MyGetConnectionData, 1);
	SLOT(NdkGetLocalAddress, MyGetLocalAddress, 1);
	SLOT(NdkGetPeerAddress, MyGetPeerAddress, 1);
	SLOT(NdkDisconnect, MyDisconnect, 1);
	SLOT(NdkCompleteConnectEx, MyCompleteConnectEx, 1);
	SLOT(NdkAcceptEx, MyAcceptEx, 1);
	ALL_SLOTS();
}

static void look_at_endpoint(void)
{
	const NDK_SHARED_ENDPOINT_DISPATCH *d = &MySharedEndpointDispatch;
	unsigned int slots = 0;

	SLOT(NdkCloseSharedEndpoint, MyCloseObject, 0);
	SLOT(NdkQueryExtension, MyQueryExtensionInterface, 0);
	SLOT(NdkGetLocalAddress, MyGetSharedEndpointLocalAddress, 1);
	ALL_SLOTS();
}

static void look_at_callbacks(void)
{
	CALLBACK(NDK_FN_REQUEST_COMPLETION, MyRequestCompletion);
	CALLBACK(NDK_FN_CREATE_COMPLETION, MyCreateCompletion);
	CALLBACK(NDK_FN_CLOSE_COMPLETION, MyCloseCompletion);
	CALLBACK(NDK_FN_CQ_NOTIFICATION_CALLBACK, MyCqNotificationCallback);
	CALLBACK(NDK_FN_SRQ_NOTIFICATION_CALLBACK, MySrqNotificationCallback);
	CALLBACK(NDK_FN_CONNECT_EVENT_CALLBACK, MyConnectEventCallback);
	CALLBACK(NDK_FN_DISCONNECT_EVENT_CALLBACK, MyDisconnectEventCallback);
	CALLBACK(NDK_FN_DISCONNECT_EVENT_CALLBACK_EX, MyDisconnectEventCallbackEx);
}

#ifdef __cplusplus
}
#endif

int main(void)
{
	look_at_adapter();
	look_at_pd();
	look_at_mr();
	look_at_mw();
	look_at_cq();
	look_at_qp();
	look_at_srq();
	look_at_listener();
	look_at_connector();
	look_at_endpoint();
	look_at_callbacks();
	if (functions != 61)
		wrong("number of function types");
	printf("# %d functions, %d failures\n", functions, failures);
	return failures != 0;
}
