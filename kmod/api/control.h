/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Knobs and gauges of a provider, by the name NdkOpenAdapter() takes: what an administrator sets
 * (deadlines, backlog) and what a test needs (answer mode, failing allocations, object counts). The
 * same functions exist in libndk and, exported, in ndk.ko. Any context. -ENODEV (-19) for an unknown
 * name, -EINVAL (-22) for a bad value, else 0.
 */
#ifndef NDK_API_CONTROL_H
#define NDK_API_CONTROL_H

#include "../core/object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* enum ndk_answer; NDK_ANSWER_WAIT only where the shell can wait (deterministic fabric), else -22. */
int ndk_control_answer(const char *name, int mode);
/* enum ndk_deadline; 1 .. 3600000 milliseconds; governs requests begun afterwards. */
int ndk_control_deadline(const char *name, int which, ULONG ms);
int ndk_control_get_deadline(const char *name, int which, ULONG *ms);
/* 1 .. 65536 unanswered connection requests per listener. */
int ndk_control_backlog(const char *name, ULONG requests);
/* Live objects by NDK_OBJECT_TYPE, adapters included, plus ports and 4-tuples held. */
struct ndk_live {
	UINT32 objects[NdkObjectTypeMax];
	UINT32 endpoints;
	UINT32 tuples;
};
int ndk_control_live(const char *name, struct ndk_live *live);
int ndk_control_counters(const char *name, struct ndk_counters *counters);
/* The in-th allocation from now fails, then every every-th one (0: only that). in 0: off. */
int ndk_control_fail_alloc(const char *name, long in, long every);
/* Allocations asked for, and failed on purpose, since the host exists. */
int ndk_control_allocs(const char *name, long *asked, long *failed);

struct ndk_site;
/* The shell's half: the site of that name, held until put. */
struct ndk_site *ndk_shell_site_get(const char *name);
void ndk_shell_site_put(struct ndk_site *s);
/* Writes the name of the adapter that has this address; FALSE if none has, or the name does not fit. */
BOOLEAN ndk_shell_name_at(const struct ndk_addr *a, char *name, ULONG size);

#ifdef __cplusplus
}
#endif
#endif
