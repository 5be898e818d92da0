/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What the life of objects (object.c) needs from the types. Internal to the core, under the host's lock.
 */
#ifndef NDK_CORE_HOOKS_H
#define NDK_CORE_HOOKS_H

#include "connector.h"
#include "mr.h"
#include "srq.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Removes an antecedent from o's list but keeps its reference: an effect's release[] drops that. */
void ndk_obj_forget(struct ndk_obj *o, struct ndk_obj *on);
/* Building failed: give back what was taken for the object. */
void ndk_hook_unborn(struct ndk_obj *o);
/* Close was accepted: start what close itself must start (CLOSE-14, LISTEN-12). */
void ndk_hook_close(struct ndk_obj *o, struct ndk_fx *fx);
/* The device part is gone: give back addresses. */
void ndk_hook_unbuilt(struct ndk_obj *o);
/* Work effects ended. */
void ndk_hook_work_done(const struct ndk_effect *e, struct ndk_fx *fx);
/* The work reference was dropped: a connector nobody ever heard of can go. */
void ndk_hook_work_gone(struct ndk_obj *o, struct ndk_fx *fx);
/* A request completion of a connector returned. */
void ndk_hook_told(const struct ndk_effect *e, struct ndk_fx *fx);
void ndk_hook_cq_told(struct ndk_obj *o, struct ndk_fx *fx);
BOOLEAN ndk_hook_srq_start(struct ndk_srq *srq);
void ndk_hook_srq_told(struct ndk_srq *srq, struct ndk_fx *fx);
/* A window's device part is gone; later, its close completion has returned. */
void ndk_hook_mw_unbuilt(struct ndk_mw *mw);
void ndk_hook_mw_release(struct ndk_mw *mw, struct ndk_fx *fx);
BOOLEAN ndk_hook_connect_start(const struct ndk_effect *e, struct ndk_fx *fx);
BOOLEAN ndk_hook_disconnect_start(const struct ndk_effect *e);

/* The only writers of these states. */
void ndk_connector_step(struct ndk_connector *c, unsigned event, NTSTATUS status, struct ndk_fx *fx);
/* A connector made for a connection request starts here. */
void ndk_connector_incoming(struct ndk_connector *c);
void ndk_shared_event(struct ndk_shared *s, unsigned event);
void ndk_listener_step(struct ndk_listener *l, unsigned event, NTSTATUS status, struct ndk_fx *fx);

#ifdef __cplusplus
}
#endif
#endif
