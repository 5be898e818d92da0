/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Shared by the entry points: one core call under the lock, then its effects without it.
 */
#ifndef NDK_API_INTERNAL_H
#define NDK_API_INTERNAL_H

#include "shell.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ndk_call {
	struct ndk_host *host;
	unsigned long flags;
	struct ndk_fx fx;
};

static inline void ndk_call_begin(struct ndk_call *k, struct ndk_host *h)
{
	k->host = h;
	ndk_fx_init(&k->fx);
	k->flags = ndk_ops(h)->lock(h);
}

/* Finds memory for tables that have become too small, and frees what they outgrew. Without the lock. */
void ndk_call_grow(struct ndk_host *h);

static inline void ndk_call_end(struct ndk_call *k)
{
	BOOLEAN tight = ndk_hash_tight(&k->host->endpoints) || ndk_hash_tight(&k->host->tuples);

	if (k->fx.count > k->host->fx_high)
		k->host->fx_high = k->fx.count;
	ndk_ops(k->host)->unlock(k->host, k->flags);
	if (tight)
		ndk_call_grow(k->host);
	ndk_api_run(k->host, &k->fx);
}

/* Like ndk_call_end(); with NDK_ANSWER_WAIT waits for the answer and returns it. */
NTSTATUS ndk_call_answer(struct ndk_call *k, struct ndk_obj *o, struct ndk_req *r, NTSTATUS status);

/* Objects by type, from pointers a consumer gave; NULL when it is not one. */
#define NDK_OBJ_AS(type_, ptr_, kind_) ((struct type_ *)ndk_obj_of(ptr_, kind_))

#ifdef __cplusplus
}
#endif
#endif
