// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The dispatch tables consumers see. Every slot is filled: an option that is not served answers
 * STATUS_NOT_SUPPORTED (GEN-1).
 */
#include "objects.h"

static const NDK_ADAPTER_DISPATCH ndk_adapter_dispatch = {
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkQueryAdapterInfo = ndk_api_query_adapter_info,
	.NdkCreateCq = ndk_api_create_cq,
	.NdkCreatePd = ndk_api_create_pd,
	.NdkCreateSharedEndpoint = ndk_api_create_shared_endpoint,
	.NdkCreateConnector = ndk_api_create_connector,
	.NdkCreateListener = ndk_api_create_listener,
	.NdkBuildLAM = ndk_lam_build,
	.NdkReleaseLAM = ndk_lam_release,
};

static const NDK_PD_DISPATCH ndk_pd_dispatch = {
	.NdkClosePd = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkCreateMr = ndk_api_create_mr,
	.NdkCreateMw = ndk_api_create_mw,
	.NdkCreateSrq = ndk_api_create_srq,
	.NdkCreateQp = ndk_api_create_qp,
	.NdkCreateQpWithSrq = ndk_api_create_qp_with_srq,
	.NdkGetPrivilegedMemoryRegionToken = ndk_pd_token,
};

static const NDK_MR_DISPATCH ndk_mr_dispatch = {
	.NdkCloseMr = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkRegisterMr = ndk_api_register_mr,
	.NdkDeregisterMr = ndk_api_deregister_mr,
	.NdkInitializeFastRegisterMr = ndk_api_initialize_fast_register_mr,
	.NdkGetRemoteTokenFromMr = ndk_api_remote_token_mr,
	.NdkGetLocalTokenFromMr = ndk_api_local_token_mr,
};

static const NDK_MW_DISPATCH ndk_mw_dispatch = {
	.NdkCloseMw = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkGetRemoteTokenFromMw = ndk_api_remote_token_mw,
};

static const NDK_CQ_DISPATCH ndk_cq_dispatch = {
	.NdkCloseCq = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkResizeCq = ndk_api_resize_cq,
	.NdkArmCq = ndk_cq_arm_hw,
	.NdkGetCqResults = ndk_cq_get_results,
	.NdkControlCqInterruptModeration = ndk_api_control_cq_moderation,
	.NdkGetCqResultsEx = ndk_cq_get_results_ex,
};

static const NDK_QP_DISPATCH ndk_qp_dispatch = {
	.NdkCloseQp = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkFlush = ndk_qp_flush_call,
	.NdkSend = ndk_post_send,
	.NdkReceive = ndk_post_receive,
	.NdkBind = ndk_post_bind,
	.NdkFastRegister = ndk_post_fast_register,
	.NdkInvalidate = ndk_post_invalidate,
	.NdkRead = ndk_post_read,
	.NdkWrite = ndk_post_write,
	.NdkSendAndInvalidate = ndk_post_send_and_invalidate,
};

static const NDK_SRQ_DISPATCH ndk_srq_dispatch = {
	.NdkCloseSrq = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkModifySrq = ndk_api_modify_srq,
	.NdkSrqReceive = ndk_srq_receive,
};

static const NDK_LISTENER_DISPATCH ndk_listener_dispatch = {
	.NdkCloseListener = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkListen = ndk_api_listen,
	.NdkGetLocalAddress = ndk_api_listener_local_address,
	.NdkControlConnectEvents = ndk_api_control_connect_events,
};

static const NDK_CONNECTOR_DISPATCH ndk_connector_dispatch = {
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

static const NDK_SHARED_ENDPOINT_DISPATCH ndk_endpoint_dispatch = {
	.NdkCloseSharedEndpoint = ndk_api_close,
	.NdkQueryExtension = ndk_api_query_extension,
	.NdkGetLocalAddress = ndk_api_shared_local_address,
};

const VOID *ndk_dispatch_of(NDK_OBJECT_TYPE type)
{
	static const void *const tables[NdkObjectTypeMax] = {
		[NdkObjectTypeAdapter] = &ndk_adapter_dispatch,
		[NdkObjectTypeQp] = &ndk_qp_dispatch,
		[NdkObjectTypeCq] = &ndk_cq_dispatch,
		[NdkObjectTypeMr] = &ndk_mr_dispatch,
		[NdkObjectTypeMw] = &ndk_mw_dispatch,
		[NdkObjectTypePd] = &ndk_pd_dispatch,
		[NdkObjectTypeSharedEndpoint] = &ndk_endpoint_dispatch,
		[NdkObjectTypeConnector] = &ndk_connector_dispatch,
		[NdkObjectTypeListener] = &ndk_listener_dispatch,
		[NdkObjectTypeSrq] = &ndk_srq_dispatch,
	};

	return type < NdkObjectTypeMax ? tables[type] : NULL;
}
