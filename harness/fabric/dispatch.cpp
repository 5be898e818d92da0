/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The dispatch tables of the fabric's objects: the common entry points, and the fabric's own on the
 * data path. Constant. No slot is NULL (GEN-1).
 */
#include "fabric.hpp"

namespace ndk::fabric
{

static const NDK_ADAPTER_DISPATCH adapter_table = {
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkQueryAdapterInfo = ndk_api_query_adapter_info,
	.NdkCreateCq = ndk_api_create_cq,
	.NdkCreatePd = ndk_api_create_pd,
	.NdkCreateSharedEndpoint = ndk_api_create_shared_endpoint,
	.NdkCreateConnector = ndk_api_create_connector,
	.NdkCreateListener = ndk_api_create_listener,
	.NdkBuildLAM = build_lam,
	.NdkReleaseLAM = release_lam,
};

static const NDK_PD_DISPATCH pd_table = {
	.NdkClosePd = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkCreateMr = ndk_api_create_mr,
	.NdkCreateMw = ndk_api_create_mw,
	.NdkCreateSrq = ndk_api_create_srq,
	.NdkCreateQp = ndk_api_create_qp,
	.NdkCreateQpWithSrq = ndk_api_create_qp_with_srq,
	.NdkGetPrivilegedMemoryRegionToken = get_privileged_token,
};

static const NDK_MR_DISPATCH mr_table = {
	.NdkCloseMr = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkRegisterMr = ndk_api_register_mr,
	.NdkDeregisterMr = ndk_api_deregister_mr,
	.NdkInitializeFastRegisterMr = ndk_api_initialize_fast_register_mr,
	.NdkGetRemoteTokenFromMr = ndk_api_remote_token_mr,
	.NdkGetLocalTokenFromMr = ndk_api_local_token_mr,
};

static const NDK_MW_DISPATCH mw_table = {
	.NdkCloseMw = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkGetRemoteTokenFromMw = ndk_api_remote_token_mw,
};

static const NDK_CQ_DISPATCH cq_table = {
	.NdkCloseCq = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkResizeCq = ndk_api_resize_cq,
	.NdkArmCq = arm_cq,
	.NdkGetCqResults = get_cq_results,
	.NdkControlCqInterruptModeration = ndk_api_control_cq_moderation,
	.NdkGetCqResultsEx = get_cq_results_ex,
};

static const NDK_QP_DISPATCH qp_table = {
	.NdkCloseQp = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkFlush = flush,
	.NdkSend = post_send,
	.NdkReceive = post_receive,
	.NdkBind = post_bind,
	.NdkFastRegister = post_fast_register,
	.NdkInvalidate = post_invalidate,
	.NdkRead = post_read,
	.NdkWrite = post_write,
	.NdkSendAndInvalidate = post_send_and_invalidate,
};

static const NDK_SRQ_DISPATCH srq_table = {
	.NdkCloseSrq = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkModifySrq = ndk_api_modify_srq,
	.NdkSrqReceive = post_srq_receive,
};

static const NDK_LISTENER_DISPATCH listener_table = {
	.NdkCloseListener = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkListen = ndk_api_listen,
	.NdkGetLocalAddress = ndk_api_listener_local_address,
	.NdkControlConnectEvents = ndk_api_control_connect_events,
};

static const NDK_CONNECTOR_DISPATCH connector_table = {
	.NdkCloseConnector = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkConnect = ndk_api_connect,
	.NdkConnectWithSharedEndpoint = ndk_api_connect_with_shared_endpoint,
	.NdkCompleteConnect = ndk_api_complete_connect,
	.NdkAccept = ndk_api_accept,
	.NdkReject = ndk_api_reject,
	.NdkGetConnectionData = ndk_api_get_connection_data,
	.NdkGetLocalAddress = ndk_api_get_local_address,
	.NdkGetPeerAddress = ndk_api_get_peer_address,
	.NdkDisconnect = ndk_api_disconnect,
	.NdkCompleteConnectEx = ndk_api_complete_connect_ex,
	.NdkAcceptEx = ndk_api_accept_ex,
};

static const NDK_SHARED_ENDPOINT_DISPATCH shared_endpoint_table = {
	.NdkCloseSharedEndpoint = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkGetLocalAddress = ndk_api_shared_local_address,
};

const VOID *dispatch_of(NDK_OBJECT_TYPE type)
{
	switch (type) {
	case NdkObjectTypeAdapter:
		return &adapter_table;
	case NdkObjectTypeQp:
		return &qp_table;
	case NdkObjectTypeCq:
		return &cq_table;
	case NdkObjectTypeMr:
		return &mr_table;
	case NdkObjectTypeMw:
		return &mw_table;
	case NdkObjectTypePd:
		return &pd_table;
	case NdkObjectTypeSharedEndpoint:
		return &shared_endpoint_table;
	case NdkObjectTypeConnector:
		return &connector_table;
	case NdkObjectTypeListener:
		return &listener_table;
	case NdkObjectTypeSrq:
		return &srq_table;
	default:
		return nullptr;
	}
}

} /* namespace ndk::fabric */
