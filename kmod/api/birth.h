/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The way all ten creators go (CREATE-1): memory, the core's part, antecedents (LIFE-9), the device
 * part, the answer.
 * Internal to the entry points. Atomic context allowed, without the host's lock.
 */
#ifndef NDK_API_BIRTH_H
#define NDK_API_BIRTH_H

#include "internal.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ndk_birth {
	struct ndk_adapter *adapter;
	NDK_OBJECT_TYPE type;
	ULONG depth[2]; /* see ndk_shell_ops.alloc */
	NDK_FN_CREATE_COMPLETION *fn;
	PVOID ctx;
};

/* STATUS_SUCCESS: *out exists, is a child of the adapter, and must go on to one of the two below. */
NTSTATUS ndk_birth_begin(struct ndk_birth *b, struct ndk_obj **out);
/* One more antecedent. */
void ndk_birth_depend(struct ndk_obj *o, struct ndk_obj *on);
/* Builds, and gives the creator's answer. *handle is written on inline success only (CREATE-4..7). */
NTSTATUS ndk_birth_finish(struct ndk_obj *o, VOID **handle);
/* The creator's own checks failed after all. */
NTSTATUS ndk_birth_refuse(struct ndk_obj *o, NTSTATUS status);

#ifdef __cplusplus
}
#endif
#endif
