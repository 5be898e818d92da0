/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_status.h - every status the interface can produce, and what it means.
 *
 * Owns: the status constants. Anyone may include it. Each is a constant of
 * type NTSTATUS (or NDIS_STATUS), good for case labels and static_assert in C
 * and in C++. The two highest bits are the severity: 0 success or information,
 * 2 warning, 3 error; warnings and errors are negative.
 *
 * A function's comment lists the statuses a consumer should expect from it; a
 * consumer treats every other negative value as a plain failure (CONN-21).
 */
#ifndef NDKPI_STATUS_H
#define NDKPI_STATUS_H

#include <ndkpi/ndkpi_types.h>

/* ---- Success and information ---- */

/* Done. From a posting function: posted, its result will come (QP-1). */
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)

/*
 * Accepted; the completion callback given with the call will be called once
 * (REQ-1, CREATE-2, CLOSE-2). Never passed to a callback (REQ-11).
 */
#define STATUS_PENDING ((NTSTATUS)0x00000103)

/* ---- Statuses the documented interface names ---- */

/*
 * As CqStatus: the CQ received more completions than it holds and is lost with
 * all its QPs (CQ-14). As a return: more bytes than InlineDataSize or
 * MaxTransferLength, or a resize below what is queued (U-27, U-33, U-38). As a
 * result: the receive was too small for the message (U-28).
 */
#define STATUS_BUFFER_OVERFLOW ((NTSTATUS)0x80000005)

/*
 * A right was asked that the memory does not give: Bind or FastRegister at
 * posting (QP-16, QP-20), any request as its result, for local protection
 * errors and for remote rights or bounds (U-28).
 */
#define STATUS_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)

/* A depth or size above the adapter's limit, memory that is not virtually
 * contiguous, an unknown flag, or an argument without meaning. */
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)

/* The caller's buffer is too small; the needed size has been stored. */
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)

/* CQ moderation by neither interval nor count (CQ-25). */
#define STATUS_INVALID_PARAMETER_MIX ((NTSTATUS)0xC0000030)

/* The local address and port belong to another endpoint (ADDR-4, U-52). */
#define STATUS_SHARING_VIOLATION ((NTSTATUS)0xC0000043)

/* Memory, table space or hardware objects are exhausted. */
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009A)

/* No answer in time while connecting, accepting, completing or disconnecting;
 * as a result: the transport gave up retrying (U-28). */
#define STATUS_IO_TIMEOUT ((NTSTATUS)0xC00000B5)

/* The adapter lacks the option: CQ moderation (CQ-26), CQ resize (U-33), any
 * extension interface (EXT-3). */
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)

/* As CqStatus or SrqStatus: the queue and its QPs are lost (CQ-15, SRQ-6). As
 * a result: a failure for which no better status exists (U-28). */
#define STATUS_INTERNAL_ERROR ((NTSTATUS)0xC00000E5)

/* Flushed work request (FLUSH-2), or a request ended by close (U-3). */
#define STATUS_CANCELLED ((NTSTATUS)0xC0000120)

/* As a result: the remote side failed the operation or ran out of resources
 * for it (U-28, U-53). */
#define STATUS_REMOTE_RESOURCES ((NTSTATUS)0xC000013D)

/* The local IP address is none of this adapter's (ADDR-6, U-8, U-9). */
#define STATUS_INVALID_ADDRESS ((NTSTATUS)0xC0000141)

/* Local port 0 was given and no port of 49152-65535 is free (ADDR-2). */
#define STATUS_TOO_MANY_ADDRESSES ((NTSTATUS)0xC0000209)

/* A connection with the same two addresses and ports exists (ADDR-5). */
#define STATUS_ADDRESS_ALREADY_EXISTS ((NTSTATUS)0xC000020A)

/* The peer refused: no listener, paused, full, or rejected (CONN-13). */
#define STATUS_CONNECTION_REFUSED ((NTSTATUS)0xC0000236)

/* The QP or connector is not connected, or not connecting, as the call
 * requires (QP-3, CMPL-8, U-13, U-20). */
#define STATUS_CONNECTION_INVALID ((NTSTATUS)0xC000023A)

/* No route to the remote network; may be retried (CONN-11). */
#define STATUS_NETWORK_UNREACHABLE ((NTSTATUS)0xC000023C)

/* No route to the remote host, or no answer from it; may be retried
 * (CONN-12). */
#define STATUS_HOST_UNREACHABLE ((NTSTATUS)0xC000023D)

/* The peer gave up while the connection was being established, or it broke
 * while being disconnected (CMPL-9, ACPT-6, REJ-4, U-21). */
#define STATUS_CONNECTION_ABORTED ((NTSTATUS)0xC0000241)

/* AdapterPageCount is more than the adapter can do (MR-12). */
#define STATUS_IMPLEMENTATION_LIMIT ((NTSTATUS)0xC000042B)

/*
 * ---- Statuses this provider adds where the interface leaves the choice ----
 * Portable consumers see them as "some other failure".
 */

/* The queue has no free slot for another work request (U-27). */
#define STATUS_NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)

/* Busy: bound windows, or a second initialisation at once (U-34, U-35). */
#define STATUS_DEVICE_BUSY ((NTSTATUS)0x80000011)

/* The MR is not in the state or of the kind the call needs; as a result: a
 * malformed bind or invalidate (U-34, U-28). */
#define STATUS_INVALID_DEVICE_REQUEST ((NTSTATUS)0xC0000010)

/* More SGEs than the queue takes; as a result: a local length error (U-27,
 * U-28). */
#define STATUS_DATA_OVERRUN ((NTSTATUS)0xC000003C)

/* The connector or listener is not in a state that allows the call (U-4,
 * U-40). */
#define STATUS_INVALID_DEVICE_STATE ((NTSTATUS)0xC0000184)

/* Private data longer than MaxCallerData or MaxCalleeData (U-10). */
#define STATUS_INVALID_BUFFER_SIZE ((NTSTATUS)0xC0000206)

/* The QP already serves a connection (U-11). */
#define STATUS_CONNECTION_ACTIVE ((NTSTATUS)0xC000023B)

/* The adapter has gone; closing still succeeds (U-45). */
#define STATUS_DEVICE_REMOVED ((NTSTATUS)0xC00002B6)

/* ---- Opening an adapter ---- */

#define NDIS_STATUS_SUCCESS   ((NDIS_STATUS)0x00000000)
#define NDIS_STATUS_RESOURCES ((NDIS_STATUS)0xC000009A)

/* Unknown major version, or a minor above the provider's (VER-2, VER-3). */
#define NDIS_STATUS_BAD_VERSION ((NDIS_STATUS)0xC0010004)

/* No adapter has the name. */
#define NDIS_STATUS_ADAPTER_NOT_FOUND ((NDIS_STATUS)0xC0010006)

/* The adapter exists but NDK is disabled on it (ADP-2). */
#define NDIS_STATUS_ADAPTER_NOT_READY ((NDIS_STATUS)0xC0010011)

static_assert(NT_SUCCESS(STATUS_SUCCESS), "success succeeds");
static_assert(NT_SUCCESS(STATUS_PENDING), "pending is no failure");
static_assert(!NT_SUCCESS(STATUS_BUFFER_OVERFLOW), "a warning is no success");
static_assert(!NT_SUCCESS(STATUS_CANCELLED), "an error is no success");
static_assert((int)NDIS_STATUS_RESOURCES == (int)STATUS_INSUFFICIENT_RESOURCES, "one number space");

#endif /* NDKPI_STATUS_H */
