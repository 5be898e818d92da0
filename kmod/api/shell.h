/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Between the core and a shell: the NDKPI entry points that are the same everywhere, and the little
 * they ask of the shell they run in. C that is also C++20, compiled into ndk.ko and into libndk, so
 * that what the harness tests is what the kernel runs.
 *
 * Layering: consumer -> dispatch table -> ndk_api_*() -> core (under the host's lock) -> effects ->
 * ndk_api_run() -> shell. Entry points of the data path (post, flush, poll, arm, tokens) are the
 * shell's own, because they touch the device directly.
 */
#ifndef NDK_API_SHELL_H
#define NDK_API_SHELL_H

#include "../core/connector.h"
#include "../core/mr.h"
#include "../core/srq.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Implemented once by every shell, found through struct ndk_site. All are callable in atomic context
 * unless they say otherwise.
 */
struct ndk_shell_ops {
	/* The host's lock: not recursive, callable in any context; returns saved interrupt flags. */
	unsigned long (*lock)(struct ndk_host *h);
	void (*unlock)(struct ndk_host *h, unsigned long flags);
	/*
	 * Zeroed memory for an object of that type, beginning with the core structure, or NULL.
	 * Must not sleep. depth0/depth1: ring depths (initiator, receive) for a QP, the latter 0 with a
	 * shared receive queue; depth and SGEs for an SRQ; else 0. The shell makes the rings part of
	 * the block, or makes them when building, and fills qp->init/qp->recv slot and depth.
	 */
	struct ndk_obj *(*alloc)(struct ndk_host *h, NDK_OBJECT_TYPE type, ULONG depth0, ULONG depth1);
	void (*free)(struct ndk_host *h, struct ndk_obj *o);
	struct ndk_conn_data *(*alloc_data)(struct ndk_host *h);
	void (*free_data)(struct ndk_host *h, struct ndk_conn_data *d);
	/* The dispatch table of objects of that type. */
	const VOID *(*dispatch)(NDK_OBJECT_TYPE type);
	/*
	 * Build the device part. For a type in host->heavy: queue it; later call ndk_api_built(). For
	 * the others: do it now and return the outcome. Called without the lock; for heavy types the
	 * object may be gone when this returns.
	 */
	NTSTATUS (*build)(struct ndk_obj *o);
	/*
	 * Carry out one effect (all kinds except TIMER_STOP-like immediates are followed by one
	 * ndk_api_done(), now or later). Called without the lock, in the context of whoever caused it:
	 * an NDK call (atomic!) or the shell's own worker. For the CALL kinds the shell decides where the
	 * consumer is called and then uses ndk_api_call(). For FREE the shell frees (ops->free does it).
	 */
	void (*carry)(struct ndk_host *h, const struct ndk_effect *e);
	/*
	 * NDK_ANSWER_WAIT only: let the world go on until something may have changed. FALSE: nothing
	 * more will happen (deterministic fabric ran dry). NULL where the mode is not offered.
	 */
	BOOLEAN (*wait)(struct ndk_host *h);
	/* A table wants n zeroed bucket pointers / gives them back. May return NULL. */
	struct ndk_node **(*alloc_buckets)(struct ndk_host *h, UINT32 n);
	void (*free_buckets)(struct ndk_host *h, struct ndk_node **b);
	/* Tells those registered with NdkRegisterAdapterEvents(), later and from a context of its own (MGMT-3). */
	void (*announce)(struct ndk_host *h, int event);
	/* A close pends. Under the host's lock. NULL: nobody is told when that takes long. */
	void (*closing)(struct ndk_host *h);
};

/* Embedded in the shell's device structure; the core's host is its first member. */
struct ndk_site {
	struct ndk_host host;
	const struct ndk_shell_ops *ops;
	long fail_in;	 /* fault injection: the n-th allocation from now fails; 0 off */
	long fail_every; /* ... and then every n-th; 0 once */
	long failed;	 /* allocations failed on purpose so far */
	long asked;	 /* allocations asked for so far */
};

static inline const struct ndk_shell_ops *ndk_ops(struct ndk_host *h)
{
	return NDK_CONTAINER(h, struct ndk_site, host)->ops;
}

/* ---- for shells ---- */
/*
 * Asked before every allocation made on behalf of this host, by the entry points and by the shell's
 * own builders: TRUE means, behave as if it had failed. Any context, lock-free.
 */
BOOLEAN ndk_api_alloc_fails(struct ndk_host *h);
/* Carries out a list of effects. Without the lock. */
void ndk_api_run(struct ndk_host *h, struct ndk_fx *fx);
/* Makes the callback of a CALL effect: asks ndk_effect_start(), calls the consumer, reports done. */
void ndk_api_call(struct ndk_host *h, const struct ndk_effect *e);
/* An effect other than a CALL is finished. */
void ndk_api_done(struct ndk_host *h, const struct ndk_effect *e);
/* A heavy object was built (or not). */
void ndk_api_built(struct ndk_obj *o, NTSTATUS status);
/* One-event wrappers: lock, core, unlock, run. */
void ndk_api_cm(struct ndk_connector *c, const struct ndk_cm_news *n);
void ndk_api_deadline(struct ndk_connector *c, ULONG generation);
void ndk_api_listener_answer(struct ndk_listener *l, int err);
enum ndk_verdict ndk_api_request(struct ndk_listener *l, struct ndk_connector *c, const struct ndk_cm_request *r);
void ndk_api_qp_broken(struct ndk_qp *qp);
void ndk_api_mr_answer(struct ndk_mr *mr, NTSTATUS status);
void ndk_api_mw_done(struct ndk_mw *mw, struct ndk_mr *old, BOOLEAN failed);
void ndk_api_srq_answer(struct ndk_srq *srq, NTSTATUS status);
void ndk_api_srq_fell(struct ndk_srq *srq);
void ndk_api_srq_failed(struct ndk_srq *srq, NTSTATUS status);
void ndk_api_cq_resized(struct ndk_cq *cq, NTSTATUS status);
/* Walks all objects of the host's adapters with the removal event; the device must be marked first. */
void ndk_api_removed(struct ndk_host *h);

/* ---- NDKPI entry points, for dispatch tables ---- */
NDK_FN_QUERY_EXTENSION_INTERFACE ndk_api_query_extension;
NDK_FN_CLOSE_OBJECT ndk_api_close;
NDK_FN_QUERY_ADAPTER_INFO ndk_api_query_adapter_info;
NDK_FN_CREATE_CQ ndk_api_create_cq;
NDK_FN_CREATE_PD ndk_api_create_pd;
NDK_FN_CREATE_SHARED_ENDPOINT ndk_api_create_shared_endpoint;
NDK_FN_CREATE_CONNECTOR ndk_api_create_connector;
NDK_FN_CREATE_LISTENER ndk_api_create_listener;
NDK_FN_CREATE_MR ndk_api_create_mr;
NDK_FN_CREATE_MW ndk_api_create_mw;
NDK_FN_CREATE_SRQ ndk_api_create_srq;
NDK_FN_CREATE_QP ndk_api_create_qp;
NDK_FN_CREATE_QP_WITH_SRQ ndk_api_create_qp_with_srq;
NDK_FN_LISTEN ndk_api_listen;
NDK_FN_GET_LISTENER_LOCAL_ADDRESS ndk_api_listener_local_address;
NDK_FN_CONTROL_CONNECT_EVENTS ndk_api_control_connect_events;
NDK_FN_CONNECT ndk_api_connect;
NDK_FN_CONNECT_WITH_SHARED_ENDPOINT ndk_api_connect_with_shared_endpoint;
NDK_FN_COMPLETE_CONNECT ndk_api_complete_connect;
NDK_FN_COMPLETE_CONNECT_EX ndk_api_complete_connect_ex;
NDK_FN_ACCEPT ndk_api_accept;
NDK_FN_ACCEPT_EX ndk_api_accept_ex;
NDK_FN_REJECT ndk_api_reject;
NDK_FN_GET_CONNECTION_DATA ndk_api_get_connection_data;
NDK_FN_GET_LOCAL_ADDRESS ndk_api_get_local_address;
NDK_FN_GET_PEER_ADDRESS ndk_api_get_peer_address;
NDK_FN_DISCONNECT ndk_api_disconnect;
NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS ndk_api_shared_local_address;
NDK_FN_REGISTER_MR ndk_api_register_mr;
NDK_FN_DEREGISTER_MR ndk_api_deregister_mr;
NDK_FN_INITIALIZE_FAST_REGISTER_MR ndk_api_initialize_fast_register_mr;
NDK_FN_GET_REMOTE_TOKEN_FROM_MR ndk_api_remote_token_mr;
NDK_FN_GET_LOCAL_TOKEN_FROM_MR ndk_api_local_token_mr;
NDK_FN_GET_REMOTE_TOKEN_FROM_MW ndk_api_remote_token_mw;
NDK_FN_RESIZE_CQ ndk_api_resize_cq;
NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION ndk_api_control_cq_moderation;
NDK_FN_MODIFY_SRQ ndk_api_modify_srq;

/*
 * Opening and closing an adapter on a host; the shell finds the host by name and holds it. May sleep.
 * Closing calls wait_idle, which blocks until ndk_api_run() carried NDK_FX_ADAPTER_IDLE (ADP-4).
 */
NDIS_STATUS ndk_api_open(struct ndk_host *h, NDK_VERSION version, struct ndk_adapter **out);
void ndk_api_close_adapter(struct ndk_adapter *a, void (*wait_idle)(struct ndk_adapter *a));
/* Frees the growable tables of a host that has no objects any more. */
void ndk_api_host_end(struct ndk_host *h);

#ifdef __cplusplus
}
#endif
#endif
