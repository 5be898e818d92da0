/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Between the files of the kit; for them only.
 */
#ifndef CONF_KIT_I_H
#define CONF_KIT_I_H

#include "kit.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Whether functions that the case hung into callbacks may be called: not when it has returned, since
 * they may refer to its stack. Any context.
 */
BOOLEAN kit_hooked(void);
/* The buffers of the case, newest first; only the case's own thread touches the list. */
struct kit_buffer **kit_buffers(void);
/* Releases the buffers of that adapter, NULL: of all. */
void kit_release_all(NDK_ADAPTER *a);
/* A notification begins and ends: around what the case hung into it. Any context. */
void kit_told_enter(struct kit_told *t, NTSTATUS status);
void kit_told_leave(struct kit_told *t);

#ifdef __cplusplus
}
#endif
#endif
