/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The way through NDKPI: ndk.c has device and memory, ndk_conn.c connections, ndk_post.c posting and
 * polling. A consumer of ndk.ko like any other; nothing in it knows the provider.
 */
#ifndef NDK_BENCH_WAY_NDK_H
#define NDK_BENCH_WAY_NDK_H

#include <ndkpi/ndkpi.h>

#include "bench.h"

struct ndk_memory {
	MDL *mdl;
	NDK_LOGICAL_ADDRESS_MAPPING *lam; /* BENCH_PAGES entries */
	bool mapped;
};

struct ndk_bench {
	struct bench_host host; /* first member */
	NDK_ADAPTER *adapter;
	NDK_PD *pd;
	NDK_CQ *cq[BENCH_ENDS];
	NDK_LISTENER *listener;
	UINT32 token; /* privileged */
	struct ndk_memory memory[BENCH_ENDS];
	struct ndk_pair *pair[BENCH_CONNECTIONS];
};

struct ndk_pair {
	struct bench_conn conn; /* first member */
	NDK_QP *qp[BENCH_ENDS];
	NDK_CONNECTOR *connector[BENCH_ENDS];
	atomic_t up; /* ends established */
	atomic_t gone; /* ends closed */
	/* of an exposed one */
	NDK_MR *mr;
	UINT32 rkey;
	NDK_MR *region[BENCH_REGIONS];
};

/* One call and its answer, waited for. */
struct ndk_call {
	struct completion over;
	NTSTATUS status;
	NDK_OBJECT_HEADER *object;
};

static inline struct ndk_bench *ndk_bench_of(struct bench_host *h)
{
	return (struct ndk_bench *)h;
}

static inline struct ndk_pair *ndk_pair_of(struct bench_conn *c)
{
	return (struct ndk_pair *)c;
}

void ndk_call_begin(struct ndk_call *call);
VOID ndk_call_requested(PVOID context, NTSTATUS status);
VOID ndk_call_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object);
VOID ndk_call_closed(PVOID context);
/* 0, or -EIO after saying so. */
int ndk_call_end(struct ndk_call *call, const char *what, NTSTATUS returned);
/* The object, from inline or pended creation, or NULL. */
void *ndk_call_object(struct ndk_call *call, const char *what, NTSTATUS returned,
		      void *inline_object);
/* Of an object whose address may be NULL. */
void ndk_call_close(NDK_OBJECT_HEADER *object, NDK_FN_CLOSE_OBJECT *close);

/* ndk_conn.c */
VOID ndk_conn_requested(PVOID context, NDK_CONNECTOR *connector); /* connect event */
struct bench_conn *ndk_conn_make(struct bench_host *h, u32 index, bool deep);
void ndk_conn_unmake(struct bench_conn *c);
int ndk_conn_connect(struct bench_conn *c);
void ndk_conn_disconnect(struct bench_conn *c);
int ndk_conn_expose(struct bench_conn *c);
void ndk_conn_hide(struct bench_conn *c);

/* ndk_post.c */
int ndk_post_send_way(struct bench_conn *c, enum bench_end end, bool signalled);
int ndk_post_receive_way(struct bench_conn *c, enum bench_end end, u32 slot);
int ndk_post_write_way(struct bench_conn *c);
int ndk_post_read_way(struct bench_conn *c);
int ndk_post_reg_way(struct bench_conn *c, u32 region, u32 pages, bool signalled);
int ndk_post_invalidate_way(struct bench_conn *c, u32 region);
int ndk_poll_way(struct bench_host *h, enum bench_end end, struct bench_result *out);

#endif
