/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The memory of an object, and its lane: what is to be done for it, in order, one thing at a time.
 *
 * Effects are caused in any context, also inside an NDK call with interrupts off, and most of them
 * sleep or call the consumer. So an effect is copied into a task of the object's box and a worker
 * carries it out. Two properties follow:
 *
 *   Order. What the core asked for one object happens in that order, so a teardown never overtakes
 *   the connect it undoes, and a close completion comes after every other callback of the object.
 *
 *   Nothing is lost. A task is never allocated when it is needed: the box has as many as can wait at
 *   once. Device work of one kind waits at most once, because a further effect of the same kind is
 *   merged into the waiting one and counted (doing it once, after the cause of the last, is doing it
 *   for all; each is reported done). Of the callbacks, every kind but request completions can be due
 *   only once per object. Of request completions, two: the next request's device work stands in the
 *   same lane behind the callback of the previous one, so only a close can end a second request
 *   before the first callback has returned. ndk_boxes[] in box.c adds up the numbers.
 *
 * A box lives while its object lives, a worker is at it, or its timer is set.
 */
#ifndef NDK_BOX_H
#define NDK_BOX_H

#include <linux/refcount.h>

#include "device.h"

/* Steps of the shell itself travel the lane as effects with kinds of their own. No done is reported. */
enum ndk_step_kind {
	NDK_STEP_BUILD = 0x80, /* build the device part, then ndk_api_built() */
	NDK_STEP_ROUTED, /* route resolved: send the connection request */
	NDK_STEP_QP_EVENT,
	NDK_STEP_CQ_EVENT,
	NDK_STEP_SRQ_EVENT,
	NDK_STEP_LEAVE, /* tell the peer: the QP failed, or it was too early before */
	NDK_STEP_REPAIR /* hardware regions of an MR or a window are doubtful */
};

struct ndk_task {
	struct list_head link; /* in box->todo or box->spare */
	struct ndk_effect fx;
	u32 merged; /* further effects of this kind, to be reported done too */
	bool extra; /* allocated, see spare_task() in box.c */
};

struct ndk_box {
	struct work_struct work;
	struct ndk_device *dev; /* a reference */
	refcount_t refs;
	spinlock_t lock; /* the lists and active; any context */
	bool active; /* a worker is at it, or will be */
	bool told; /* that closing it takes long; with closing, under the host's lock, see watch.c */
	unsigned long closing; /* when it was first seen closing, in jiffies; 0 not yet */
	struct list_head todo;
	struct list_head spare;
	struct list_head part; /* in dev->part[], under dev->part_lock */
	unsigned long long object[]; /* the object, then its tasks */
};

static inline struct ndk_box *ndk_box_of(const struct ndk_obj *o)
{
	return container_of((unsigned long long *)o, struct ndk_box, object[0]);
}

static inline struct ndk_obj *ndk_box_obj(struct ndk_box *box)
{
	return (struct ndk_obj *)box->object;
}

/* Any context. */
struct ndk_obj *ndk_box_make(struct ndk_device *dev, NDK_OBJECT_TYPE type, gfp_t gfp);
void ndk_box_put(struct ndk_box *box);
static inline void ndk_box_get(struct ndk_box *box)
{
	refcount_inc(&box->refs);
}
static inline bool ndk_box_tryget(struct ndk_box *box)
{
	return refcount_inc_not_zero(&box->refs);
}
void ndk_box_push(struct ndk_box *box, const struct ndk_effect *e);
void ndk_box_step(struct ndk_box *box, enum ndk_step_kind kind);

/* Registers hardware with the device for removal. */
void ndk_box_part(struct ndk_box *box, enum ndk_part kind);
void ndk_box_unpart(struct ndk_box *box);

/* exec.c: one task, called by the worker. */
void ndk_exec(struct ndk_box *box, const struct ndk_effect *e);

/* On a queue of ours, which is emptied before the module goes. Any context; FALSE: it is due already. */
bool ndk_box_later(struct delayed_work *work, unsigned long jiffies);

int ndk_box_init(void);
void ndk_box_exit(void);

#endif
