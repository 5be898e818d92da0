/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_common.h - what all NDK objects share: version, object header,
 * completion callbacks, close, extension query.
 *
 * Owns: the types named above and the forward declarations of all objects.
 * Anyone may include it; it needs only ndkpi_types.h.
 *
 * Ids like CONN-7 or U-28 name rules of the interface and holes in it with our
 * reading: Documentation/requirements has them all.
 *
 * The words used in the comments of all these headers:
 *
 *   atomic     may be called, and a callback may be made, where sleeping is
 *              forbidden: in softirq, with a spinlock held. Not in a hard
 *              interrupt. What would sleep is queued and the call pends
 *              (IRQL-1, IRQL-3, IRQL-4; CONN-3 and CMPL-13 for
 *              connecting, CREATE-12 and CLOSE-10 for their callbacks).
 *   may sleep  process context only (IRQL-2).
 *   inline     returned by the call itself; the request is then over and its
 *              callback is never called (REQ-2, CREATE-3).
 *   async      passed to the completion callback of a call that returned
 *              STATUS_PENDING; exactly once (REQ-1, CREATE-2).
 *
 * Unless a comment says otherwise, a status listed may be inline or async (U-16), a
 * call that takes a completion callback may return STATUS_PENDING, a call
 * without one never does (REQ-10), and any negative status not listed is a
 * plain failure that changed nothing (REQ-12, CONN-21). A completion callback
 * may run on another processor before the call has returned (REQ-5,
 * CREATE-13, CLOSE-19). Every function is atomic except NdkQueryAdapterInfo,
 * NdkOpenAdapter and NdkCloseAdapter.
 *
 * Callbacks are the consumer's own functions, given with the call they answer
 * (GEN-2, CREATE-11); they return nothing, and their return says only that they
 * are over (GEN-3). Their context is the one given, bit for bit (REQ-3, CMPL-5).
 *
 * Locks: the provider takes its own and holds none across a callback, so any
 * NDK function may be called from inside one or beside it (REQ-8, REQ-9, CONC-9),
 * except NdkCloseAdapter (ADP-6). Calls run concurrently in any mix (CONC-8) but for
 * the pairs that the consumer must serialise itself: posts to one queue, and
 * arming and polling one CQ (CONC-1, CONC-2, CONC-6). Both queues of a queue pair
 * may be posted to at once, NdkFlush and NdkCloseConnector may come between
 * (CONC-3, CONC-4, CONC-5).
 *
 * Arguments are borrowed for the duration of the call only: addresses, private
 * data, SGE and page arrays may live on the stack (U-49). MDLs and the
 * memory they name are not copied (MR-4).
 */
#ifndef NDKPI_COMMON_H
#define NDKPI_COMMON_H

#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An interface version. A higher minor contains every lower minor of the same
 * major (VER-6). 1.1 is the base; 1.2 added SendAndInvalidate, the Ex results
 * and deferral; 2.1 added the Ex forms of accept and complete-connect. These
 * headers always declare all of it.
 */
typedef struct _NDK_VERSION {
	USHORT Major; /* incompatible generations: 1 or 2 */
	USHORT Minor; /* asked: the lowest acceptable; reported: in force */
} NDK_VERSION;

/* What kind of object a header begins (OBJ-2). */
typedef enum _NDK_OBJECT_TYPE {
	NdkObjectTypeUndefined = 0, /* no object carries it */
	NdkObjectTypeAdapter = 1, /* NDK_ADAPTER */
	NdkObjectTypeQp = 2, /* NDK_QP */
	NdkObjectTypeCq = 3, /* NDK_CQ */
	NdkObjectTypeMr = 4, /* NDK_MR */
	NdkObjectTypeMw = 5, /* NDK_MW */
	NdkObjectTypePd = 6, /* NDK_PD */
	NdkObjectTypeSharedEndpoint = 7, /* NDK_SHARED_ENDPOINT */
	NdkObjectTypeConnector = 8, /* NDK_CONNECTOR */
	NdkObjectTypeListener = 9, /* NDK_LISTENER */
	NdkObjectTypeSrq = 10, /* NDK_SRQ */
	NdkObjectTypeMax = 11 /* first unused value; may grow */
} NDK_OBJECT_TYPE;

/* Four words for the consumer's side of the interface: zero at hand-over, then
 * left alone by the provider until close (OBJ-4). */
typedef struct _NDK_OBJECT_HEADER_RESERVED_BLOCK {
	PVOID rf[4];
} NDK_OBJECT_HEADER_RESERVED_BLOCK;

/*
 * First member of every object, at the object's own address (OBJ-1). The
 * memory belongs to the provider from create until close has finished (OBJ-7).
 */
typedef struct _NDK_OBJECT_HEADER {
	NDK_VERSION Version; /* version in force (OBJ-3, VER-5) */
	NDK_OBJECT_TYPE ObjectType; /* never Undefined (OBJ-2) */
	NDK_OBJECT_HEADER_RESERVED_BLOCK NdkReserved; /* OBJ-4 */
} NDK_OBJECT_HEADER;

/*
 * The objects. Each is its header followed by a pointer to its dispatch table.
 * Both are set before hand-over; the provider never reads the pointer
 * afterwards, so a consumer may repoint it to a table of its own (OBJ-5,
 * OBJ-6). No slot of a table is NULL: an option that the adapter lacks answers
 * with a status (GEN-1).
 */
typedef struct _NDK_ADAPTER NDK_ADAPTER;
typedef struct _NDK_PD NDK_PD;
typedef struct _NDK_MR NDK_MR;
typedef struct _NDK_MW NDK_MW;
typedef struct _NDK_CQ NDK_CQ;
typedef struct _NDK_QP NDK_QP;
typedef struct _NDK_SRQ NDK_SRQ;
typedef struct _NDK_LISTENER NDK_LISTENER;
typedef struct _NDK_CONNECTOR NDK_CONNECTOR;
typedef struct _NDK_SHARED_ENDPOINT NDK_SHARED_ENDPOINT;

/* A 64-bit address as the adapter sees memory (LAM-8). */
typedef PHYSICAL_ADDRESS NDK_LOGICAL_ADDRESS;

/* What a successful extension query fills in. */
typedef struct _NDK_EXTENSION_INTERFACE {
	const VOID *Dispatch; /* table whose type the GUID implies (EXT-2) */
} NDK_EXTENSION_INTERFACE;

/*
 * Consumer callback that ends one pended request. Context is the request's
 * RequestContext, bit for bit (REQ-3); Status its final status, never
 * STATUS_PENDING (REQ-4, REQ-11). The request counts as pending until the
 * callback has returned (CLOSE-7). Closing the object from inside is allowed
 * and then pends (REQ-6, CLOSE-16, CLOSE-17). Context: atomic.
 */
typedef VOID(NDK_FN_REQUEST_COMPLETION)(PVOID Context, NTSTATUS Status);

/*
 * Consumer callback that ends one pended creation. Context is the creator's
 * RequestContext (CREATE-9). Status is one of the creator's (CREATE-10). On
 * success pNdkObject is the header of the new object, ready for use and for
 * close from inside the callback (CREATE-5, CREATE-14); on failure it is NULL
 * (CREATE-15). Context: atomic.
 *
 * A creator that returns STATUS_SUCCESS stores the object through its output
 * parameter instead (CREATE-4). One that pends never touches that parameter
 * (CREATE-6, CREATE-7), one that fails leaves it as it was (CREATE-16).
 */
typedef VOID(NDK_FN_CREATE_COMPLETION)(PVOID Context, NTSTATUS Status,
				       NDK_OBJECT_HEADER *pNdkObject);

/*
 * Consumer callback that ends one pended close; Context is that close call's
 * RequestContext (CLOSE-4). It follows every other callback of the object
 * and is the last (CLOSE-8, CLOSE-11); afterwards the provider holds nothing
 * of the consumer's on the object's behalf (CLOSE-18). Context: atomic.
 */
typedef VOID(NDK_FN_CLOSE_COMPLETION)(PVOID Context);

/*
 * Closes any object but the adapter (CLOSE-9). Cannot fail: STATUS_SUCCESS,
 * closed, no callback; or STATUS_PENDING, CloseCompletion will be called
 * (CLOSE-1..3). Pending requests are cancelled and their callbacks made first
 * (CLOSE-5, CLOSE-14, U-3); no new event callback starts (CLOSE-13); the close
 * pends while a callback of the object runs (CLOSE-6) and until all successors
 * are closed (LIFE-4, LIFE-5). The consumer does not touch the object again
 * (CLOSE-15) and calls close once. CloseCompletion is required, RequestContext
 * may be NULL. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_CLOSE_OBJECT)(NDK_OBJECT_HEADER *pNdkObject,
				      NDK_FN_CLOSE_COMPLETION CloseCompletion,
				      PVOID RequestContext);

/*
 * Asks an object for an extension interface, named by GUID and version
 * (EXT-1, EXT-2). No standard extension exists (EXT-4): this provider answers
 * STATUS_NOT_SUPPORTED to every GUID and leaves *pExtensionInterface alone
 * (EXT-3, U-43). Inline only. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_QUERY_EXTENSION_INTERFACE)(NDK_OBJECT_HEADER *pNdkObject,
						   const GUID *ExtensionInterfaceID,
						   NDK_VERSION ExtensionInterfaceVersion,
						   NDK_EXTENSION_INTERFACE *pExtensionInterface);

NDKPI_ASSERT_SIZE(NDK_VERSION, 4);
NDKPI_ASSERT_OFFSET(NDK_VERSION, Minor, 2);
NDKPI_ASSERT_SIZE(NDK_OBJECT_TYPE, 4);
NDKPI_ASSERT_SIZE(NDK_OBJECT_HEADER_RESERVED_BLOCK, 32);
NDKPI_ASSERT_SIZE(NDK_OBJECT_HEADER, 40);
NDKPI_ASSERT_OFFSET(NDK_OBJECT_HEADER, Version, 0);
NDKPI_ASSERT_OFFSET(NDK_OBJECT_HEADER, ObjectType, 4);
NDKPI_ASSERT_OFFSET(NDK_OBJECT_HEADER, NdkReserved, 8);
NDKPI_ASSERT_SIZE(NDK_LOGICAL_ADDRESS, 8);
NDKPI_ASSERT_SLOTS(NDK_EXTENSION_INTERFACE, 1);
static_assert(NdkObjectTypeUndefined == 0, "zero names no object");
static_assert(NdkObjectTypeAdapter == 1 && NdkObjectTypeQp == 2 && NdkObjectTypeCq == 3 &&
		      NdkObjectTypeMr == 4 && NdkObjectTypeMw == 5 && NdkObjectTypePd == 6 &&
		      NdkObjectTypeSharedEndpoint == 7 && NdkObjectTypeConnector == 8 &&
		      NdkObjectTypeListener == 9 && NdkObjectTypeSrq == 10 &&
		      NdkObjectTypeMax == 11,
	      "object types are part of the binary interface");

/*
 * Every object is a header and one pointer (OBJ-1), and every dispatch table
 * the documented number of slots; the object's own header asserts it with this.
 */
#define NDKPI_ASSERT_OBJECT(type, slots)         \
	NDKPI_ASSERT_SIZE(type, 48);             \
	NDKPI_ASSERT_OFFSET(type, Header, 0);    \
	NDKPI_ASSERT_OFFSET(type, Dispatch, 40); \
	NDKPI_ASSERT_SLOTS(type##_DISPATCH, slots)

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_COMMON_H */
