/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The kit's operations beyond send and receive: reads, writes, invalidations, fast registrations and
 * memory windows, and the memory that they work on. Included by kit.h; implemented by kit_ops.c.
 *
 * Three forms. kit_write() and its like post and return the status of the post, any context.
 * kit_write_now() and its like post, take the result from the side's CQ and check all of it: the
 * request was alone there. kit_begin_...() is the long form of calls that may pend.
 */
#ifndef CONF_KIT_OPS_H
#define CONF_KIT_OPS_H

#ifdef __cplusplus
extern "C" {
#endif

struct kit_call;
struct kit_cq;
struct kit_side;
struct kit_buffer;

/* ---- memory ---- */
/* Without mapping or MR, for the case to register as it likes. */
struct kit_buffer *kit_plain(ULONG size);
/* An MDL over a piece of the buffer, freed with it; i is below KIT_PIECES and new. The case links them. */
#define KIT_PIECES 4u
MDL *kit_piece(struct kit_buffer *b, unsigned i, ULONG offset, ULONG length);
/* Registered for everything that the peer may do. */
struct kit_buffer *kit_exposed(NDK_PD *pd, ULONG size);
/* Registered to take the data of reads, on whatever adapter. */
struct kit_buffer *kit_sink(NDK_PD *pd, ULONG size);
/* Where a byte of a buffer is to a peer, if it is registered under its own address. */
#define KIT_AT(buffer_, offset_) ((UINT64)(ULONG_PTR)((buffer_)->data + (offset_)))

struct kit_call *kit_begin_register(NDK_MR *mr, MDL *mdl, SIZE_T length, ULONG flags);
struct kit_call *kit_begin_deregister(NDK_MR *mr);
struct kit_call *kit_begin_initialize(NDK_MR *mr, ULONG pages, BOOLEAN remote);
/* Begin and wait; the status, no check of it. */
NTSTATUS kit_register(NDK_MR *mr, MDL *mdl, SIZE_T length, ULONG flags);
NTSTATUS kit_deregister(NDK_MR *mr);
NTSTATUS kit_initialize(NDK_MR *mr, ULONG pages, BOOLEAN remote);
/* *size, *fbo and lam as NdkBuildLAM wants them. What is built the case releases. */
struct kit_call *kit_begin_lam(NDK_ADAPTER *a, MDL *mdl, SIZE_T length, NDK_LOGICAL_ADDRESS_MAPPING *lam, ULONG *size,
			       ULONG *fbo);
/* What a mapping of that many pages takes. */
#define KIT_LAM_SIZE(pages_) \
	((ULONG)(__builtin_offsetof(NDK_LOGICAL_ADDRESS_MAPPING, AdapterPageArray) + \
		 (pages_) * sizeof(NDK_LOGICAL_ADDRESS)))

/* ---- fast registration ---- */
struct kit_fast {
	NDK_MR *mr;
	struct kit_buffer *memory; /* with a LAM, page aligned */
	/* what the next registration covers; at first all of the memory under its own address */
	const NDK_LOGICAL_ADDRESS *page;
	ULONG pages, fbo;
	SIZE_T length;
	PVOID base;
	UINT32 local, remote; /* tokens, read when kit_fast_register() was taken */
};
/* Memory and an MR initialised for its pages. NULL and a failed case if that does not work. */
struct kit_fast *kit_fast(const struct kit_side *s, ULONG size, BOOLEAN remote);
#define KIT_FAST_AT(fast_, offset_) ((UINT64)(ULONG_PTR)(fast_)->base + (offset_))
/* An SGE over a piece of what is registered. Any context. */
NDK_SGE kit_fast_sge(const struct kit_fast *f, ULONG offset, ULONG length);

/* ---- posting: the status of the call. Any context; up to 8 SGEs ---- */
NTSTATUS kit_read(NDK_QP *qp, PVOID context, const struct kit_buffer *to, ULONG offset, ULONG length, UINT64 at,
		  UINT32 token, ULONG flags);
NTSTATUS kit_write(NDK_QP *qp, PVOID context, const struct kit_buffer *from, ULONG offset, ULONG length, UINT64 at,
		   UINT32 token, ULONG flags);
NTSTATUS kit_send_invalidate(NDK_QP *qp, PVOID context, const struct kit_buffer *b, ULONG offset, ULONG length,
			     UINT32 token, ULONG flags);
NTSTATUS kit_fast_register(NDK_QP *qp, PVOID context, struct kit_fast *f, ULONG flags);
/* A window over a piece of a buffer with an MR. */
NTSTATUS kit_bind(NDK_QP *qp, PVOID context, NDK_MW *mw, const struct kit_buffer *b, ULONG offset, SIZE_T length,
		  ULONG flags);
NTSTATUS kit_invalidate(NDK_QP *qp, PVOID context, NDK_OBJECT_HEADER *mr_or_mw, ULONG flags);
#define KIT_INVALIDATE(qp_, context_, object_, flags_) kit_invalidate(qp_, context_, &(object_)->Header, flags_)
UINT32 kit_window_token(NDK_MW *mw);

/* ---- posting, and its success ---- */
BOOLEAN kit_read_now(struct kit_side *s, const struct kit_buffer *to, ULONG offset, ULONG length, UINT64 at,
		     UINT32 token);
BOOLEAN kit_write_now(struct kit_side *s, const struct kit_buffer *from, ULONG offset, ULONG length, UINT64 at,
		      UINT32 token);
BOOLEAN kit_fast_register_now(struct kit_side *s, struct kit_fast *f, ULONG flags);
BOOLEAN kit_bind_now(struct kit_side *s, NDK_MW *mw, const struct kit_buffer *b, ULONG offset, SIZE_T length,
		     ULONG flags);
BOOLEAN kit_invalidate_now(struct kit_side *s, NDK_OBJECT_HEADER *mr_or_mw);
#define KIT_INVALIDATE_NOW(side_, object_) kit_invalidate_now(side_, &(object_)->Header)

/* The next result is that of context, a success of that type. */
BOOLEAN kit_expect_type(struct kit_cq *q, PVOID context, NDK_OPERATION_TYPE type);

#ifdef __cplusplus
}
#endif
#endif
