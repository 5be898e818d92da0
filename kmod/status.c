// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * From the status of a hardware completion to that of a result (U-28). Pure.
 */
#include "objects.h"

static bool of_memory(UCHAR op)
{
	return op == NDK_OP_BIND || op == NDK_OP_FAST_REGISTER || op == NDK_OP_INVALIDATE;
}

NTSTATUS ndk_status_wc(enum ib_wc_status status, UCHAR op)
{
	bool receive = op == NDK_OP_RECEIVE;

	switch (status) {
	case IB_WC_SUCCESS:
		return STATUS_SUCCESS;
	case IB_WC_WR_FLUSH_ERR:
		return STATUS_CANCELLED;
	case IB_WC_LOC_LEN_ERR:
		return receive ? STATUS_BUFFER_OVERFLOW : STATUS_DATA_OVERRUN;
	case IB_WC_LOC_PROT_ERR:
	case IB_WC_LOC_ACCESS_ERR:
	case IB_WC_REM_ACCESS_ERR:
		return STATUS_ACCESS_VIOLATION;
	case IB_WC_MW_BIND_ERR:
		return STATUS_INVALID_DEVICE_REQUEST;
	case IB_WC_RETRY_EXC_ERR:
	case IB_WC_RNR_RETRY_EXC_ERR:
	case IB_WC_RESP_TIMEOUT_ERR:
		return STATUS_IO_TIMEOUT;
	case IB_WC_LOC_QP_OP_ERR:
		if (of_memory(op))
			return STATUS_INVALID_DEVICE_REQUEST;
		/* what rxe makes of a message that is longer than the receive it meets, and of a local token it refuses */
		return receive ? STATUS_BUFFER_OVERFLOW : STATUS_ACCESS_VIOLATION;
	case IB_WC_REM_OP_ERR:
		return STATUS_REMOTE_RESOURCES;
	case IB_WC_REM_INV_REQ_ERR:
		/* on a receive: the peer's message did not fit, and the peer has been told so */
		return receive ? STATUS_BUFFER_OVERFLOW : STATUS_REMOTE_RESOURCES;
	default:
		return STATUS_INTERNAL_ERROR;
	}
}
