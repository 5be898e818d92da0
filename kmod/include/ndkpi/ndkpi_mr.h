/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_mr.h - memory regions and memory windows.
 *
 * Owns: NDK_MR, NDK_MW, their dispatch tables, NDK_MR_FLAG_*. Made by
 * NdkCreateMr and NdkCreateMw of a PD. Posting a fast registration, a bind or
 * an invalidation is the QP's business (ndkpi_qp.h).
 *
 * Context and locks: every function is atomic; see ndkpi_common.h.
 */
#ifndef NDKPI_MR_H
#define NDKPI_MR_H

#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Rights of NdkRegisterMr (MR-7) ---- */

/* Always given; has no bit. */
#define NDK_MR_FLAG_ALLOW_LOCAL_READ 0x00000000
/* Receives and reads may write the memory. */
#define NDK_MR_FLAG_ALLOW_LOCAL_WRITE 0x00000001
/* The peer may read it, given the remote token. */
#define NDK_MR_FLAG_ALLOW_REMOTE_READ 0x00000002
/* The peer may write it; contains local write. */
#define NDK_MR_FLAG_ALLOW_REMOTE_WRITE 0x00000005
/* RDMA read data may land here. Needed unless the adapter sets
 * NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED, else ignored (MR-8, MR-9). */
#define NDK_MR_FLAG_RDMA_READ_SINK 0x00000008

/*
 * Registers the first Length bytes of the MDL chain with the rights in Flags
 * (MR-2). The region begins at the first MDL's virtual address, an index that
 * is never dereferenced (MR-5, MR-6). The consumer has pinned the memory and
 * leaves the chain alone (MR-4). STATUS_INVALID_PARAMETER: not virtually
 * contiguous, Length beyond the chain or MaxRegistrationSize, unknown flags
 * (MR-2, MR-3); STATUS_INVALID_DEVICE_REQUEST: a fast-register MR, or already
 * registered (U-34); STATUS_INSUFFICIENT_RESOURCES. Context: atomic.
 */
typedef NTSTATUS(NDK_FN_REGISTER_MR)(NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags,
				     NDK_FN_REQUEST_COMPLETION RequestCompletion,
				     PVOID RequestContext);

/*
 * Ends a registration by NdkRegisterMr (MR-10); the MR may be registered
 * again. STATUS_INVALID_DEVICE_REQUEST: not registered so; STATUS_DEVICE_BUSY:
 * windows are bound to it (U-34). Close deregisters by itself.
 * Context: atomic.
 */
typedef NTSTATUS(NDK_FN_DEREGISTER_MR)(NDK_MR *pNdkMr, NDK_FN_REQUEST_COMPLETION RequestCompletion,
				       PVOID RequestContext);

/*
 * Prepares a fast-register MR for registrations of up to AdapterPageCount pages
 * (MR-11). RemoteAccess FALSE forbids remote rights in them (MR-13, QP-20).
 * May be repeated; the last completed call counts, and a second one while the
 * first is pending gets STATUS_DEVICE_BUSY (MR-14, U-35).
 * STATUS_IMPLEMENTATION_LIMIT: too many pages (MR-12). Context: atomic.
 */
typedef NTSTATUS(NDK_FN_INITIALIZE_FAST_REGISTER_MR)(NDK_MR *pNdkMr, ULONG AdapterPageCount,
						     BOOLEAN RemoteAccess,
						     NDK_FN_REQUEST_COMPLETION RequestCompletion,
						     PVOID RequestContext);

/*
 * Token the peer needs to reach the region. Valid once NdkRegisterMr or
 * NdkInitializeFastRegisterMr completed without error (MR-15); after
 * NdkFastRegister has returned it is that registration's, before the result is
 * polled (MR-16). Opaque: sent to the peer as it is. Context: atomic.
 */
typedef UINT32(NDK_FN_GET_REMOTE_TOKEN_FROM_MR)(NDK_MR *pNdkMr);

/* Token for local SGEs; valid as the remote token is (MR-15). Context: atomic. */
typedef UINT32(NDK_FN_GET_LOCAL_TOKEN_FROM_MR)(NDK_MR *pNdkMr);

typedef struct _NDK_MR_DISPATCH {
	NDK_FN_CLOSE_OBJECT *NdkCloseMr;
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_REGISTER_MR *NdkRegisterMr;
	NDK_FN_DEREGISTER_MR *NdkDeregisterMr;
	NDK_FN_INITIALIZE_FAST_REGISTER_MR *NdkInitializeFastRegisterMr;
	NDK_FN_GET_REMOTE_TOKEN_FROM_MR *NdkGetRemoteTokenFromMr;
	NDK_FN_GET_LOCAL_TOKEN_FROM_MR *NdkGetLocalTokenFromMr;
} NDK_MR_DISPATCH;

struct _NDK_MR {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypeMr */
	const NDK_MR_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

/*
 * Token the peer needs to reach the window. Valid as soon as NdkBind has
 * returned, before its result is polled (MW-1). Context: atomic.
 */
typedef UINT32(NDK_FN_GET_REMOTE_TOKEN_FROM_MW)(NDK_MW *pNdkMw);

typedef struct _NDK_MW_DISPATCH {
	NDK_FN_CLOSE_OBJECT *NdkCloseMw;
	NDK_FN_QUERY_EXTENSION_INTERFACE *NdkQueryExtension;
	NDK_FN_GET_REMOTE_TOKEN_FROM_MW *NdkGetRemoteTokenFromMw;
} NDK_MW_DISPATCH;

/*
 * A part of a region with a remote token of its own. Bound by NdkBind, unbound
 * by NdkInvalidate (MW-3); a successor of the MR meanwhile (MW-2, U-36).
 */
struct _NDK_MW {
	NDK_OBJECT_HEADER Header; /* NdkObjectTypeMw */
	const NDK_MW_DISPATCH *Dispatch; /* OBJ-5, OBJ-6 */
};

NDKPI_ASSERT_OBJECT(NDK_MR, 7);
NDKPI_ASSERT_OBJECT(NDK_MW, 3);
static_assert((NDK_MR_FLAG_ALLOW_REMOTE_WRITE & NDK_MR_FLAG_ALLOW_LOCAL_WRITE) ==
		      NDK_MR_FLAG_ALLOW_LOCAL_WRITE,
	      "remote write contains local write (MR-7)");
static_assert((NDK_MR_FLAG_ALLOW_REMOTE_WRITE &
	       (NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_RDMA_READ_SINK)) == 0,
	      "remote write contains nothing else");

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_MR_H */
