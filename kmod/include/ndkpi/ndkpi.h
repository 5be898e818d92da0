/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi.h - the whole consumer interface, and the way in and out of it.
 *
 * Owns: opening and closing an adapter. Everything else is in the headers it
 * includes, one for each object; ndkpi_common.h explains the words they use.
 * Kernel consumers link against ndk.ko, user-space ones against libndk; the
 * same source serves both.
 *
 * Life of a consumer: NdkOpenAdapter; create CQ, PD, QP and a connector or a
 * listener; connect or accept; post and poll; disconnect; close everything, in
 * any order (LIFE-2); NdkCloseAdapter.
 */
#ifndef NDKPI_H
#define NDKPI_H

#include <ndkpi/ndkpi_adapter.h>
#include <ndkpi/ndkpi_common.h>
#include <ndkpi/ndkpi_connector.h>
#include <ndkpi/ndkpi_cq.h>
#include <ndkpi/ndkpi_endpoint.h>
#include <ndkpi/ndkpi_listener.h>
#include <ndkpi/ndkpi_mdl.h>
#include <ndkpi/ndkpi_mr.h>
#include <ndkpi/ndkpi_ndis.h>
#include <ndkpi/ndkpi_pd.h>
#include <ndkpi/ndkpi_qp.h>
#include <ndkpi/ndkpi_srq.h>
#include <ndkpi/ndkpi_status.h>
#include <ndkpi/ndkpi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opens the adapter called Name and stores it in *ppNdkAdapter; on failure that
 * is left alone. In the kernel Name is an RDMA device ("rxe0") or its network
 * interface; in user space it carries the binding first ("fabric:0"), and a
 * binding that the library does not have is an unknown name.
 *
 * Version names the major and the lowest minor that will do (VER-1). Majors 1
 * and 2 exist: 1.x opens at 1.2, 2.x at 2.1, which Header.Version then reports
 * (VER-4, VER-5). NDIS_STATUS_BAD_VERSION: another major, or a minor above
 * these (VER-2, VER-3); NDIS_STATUS_ADAPTER_NOT_FOUND: no such name;
 * NDIS_STATUS_ADAPTER_NOT_READY: NDK is disabled on it (ADP-2);
 * NDIS_STATUS_RESOURCES. May sleep; never pends.
 */
NTSTATUS NdkOpenAdapter(const char *Name, NDK_VERSION Version, NDK_ADAPTER **ppNdkAdapter);

/*
 * Closes an adapter. Waits until every object made from it is closed and every
 * callback of theirs has returned; the consumer's code may then be unloaded
 * (ADP-4, ADP-5, LIFE-8). Close all objects first, or it waits for whoever
 * does. May sleep; never from inside a callback (ADP-6).
 */
VOID NdkCloseAdapter(NDK_ADAPTER *pNdkAdapter);

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_H */
