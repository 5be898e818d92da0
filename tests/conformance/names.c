/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Names of statuses for messages. Any context.
 */
#include "kit.h"

#define CONF_STATUSES(name)                                                                            \
	name(STATUS_SUCCESS) name(STATUS_PENDING) name(STATUS_BUFFER_OVERFLOW)                         \
	name(STATUS_ACCESS_VIOLATION) name(STATUS_INVALID_PARAMETER) name(STATUS_BUFFER_TOO_SMALL)     \
	name(STATUS_INVALID_PARAMETER_MIX) name(STATUS_SHARING_VIOLATION)                              \
	name(STATUS_INSUFFICIENT_RESOURCES) name(STATUS_IO_TIMEOUT) name(STATUS_NOT_SUPPORTED)         \
	name(STATUS_INTERNAL_ERROR) name(STATUS_CANCELLED) name(STATUS_REMOTE_RESOURCES)               \
	name(STATUS_INVALID_ADDRESS) name(STATUS_TOO_MANY_ADDRESSES)                                   \
	name(STATUS_ADDRESS_ALREADY_EXISTS) name(STATUS_CONNECTION_REFUSED)                            \
	name(STATUS_CONNECTION_INVALID) name(STATUS_NETWORK_UNREACHABLE)                               \
	name(STATUS_HOST_UNREACHABLE) name(STATUS_CONNECTION_ABORTED)                                  \
	name(STATUS_IMPLEMENTATION_LIMIT) name(STATUS_NO_MORE_ENTRIES) name(STATUS_DEVICE_BUSY)        \
	name(STATUS_INVALID_DEVICE_REQUEST) name(STATUS_DATA_OVERRUN)                                  \
	name(STATUS_INVALID_DEVICE_STATE) name(STATUS_INVALID_BUFFER_SIZE)                             \
	name(STATUS_CONNECTION_ACTIVE) name(STATUS_DEVICE_REMOVED) name(NDIS_STATUS_BAD_VERSION)       \
	name(NDIS_STATUS_ADAPTER_NOT_FOUND) name(NDIS_STATUS_ADAPTER_NOT_READY) name(KIT_NO_ANSWER)

#define CONF_NAME_CASE(status_) \
	case status_:           \
		return #status_;

const char *conf_status_name(NTSTATUS status)
{
	switch (status) {
		CONF_STATUSES(CONF_NAME_CASE)
	default:
		return "an unknown status";
	}
}
