/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The hardware regions behind a fast-register MR or a memory window.
 *
 * A device looks at a region when a request that names it is executed, not when it is posted, and it
 * does not register one that is registered already. A consumer may post registration, invalidation
 * and the next registration in a row. So each object has several hardware regions and uses them in
 * turn: one is registered anew only when it is not registered and nothing that is posted names it.
 *
 * Verbs have no memory windows for kernel consumers: a window is a registration of its own, over a
 * part of the pages of the region it is bound to.
 *
 * Locks: ndk_regions.lock (interrupts off) is taken inside kqp->post and kcq->lock, and is outside the
 * host's lock. Making, repairing and unmaking regions sleeps: in the object's lane, or by removal.
 */
#ifndef NDK_REGION_H
#define NDK_REGION_H

#include <linux/scatterlist.h>

#include "device.h"

struct ndk_parked;
struct ndk_regions;

/* What a posted request does with a region. */
enum ndk_use {
	NDK_USE_REGISTER, /* NdkFastRegister */
	NDK_USE_BIND, /* NdkBind, which may invalidate another region first */
	NDK_USE_INVALIDATE /* NdkInvalidate, or a read that invalidates its sink */
};

/* All under ndk_regions.lock. */
struct ndk_region {
	struct ndk_regions *of;
	struct ib_mr *ib; /* NULL: none, making one failed */
	u32 uses; /* posted requests that name it and are not over */
	bool valid; /* registered, in order of posting */
	bool doubtful; /* a request failed: what the device makes of it is unknown until it is repaired */
	bool worn; /* with doubtful: it is well, but is to be replaced because its tokens are used up */
	u8 turn; /* registrations since it was made, at most NDK_REGION_KEYS */
	/* windows only */
	u8 failed; /* bits by enum ndk_use: requests that failed, to be told to the core after the repair */
	struct ndk_region *was; /* of a bind under way: the region that it invalidates */
	struct ndk_mr *parent; /* what it is a part of, while the device may honour it */
};

struct ndk_regions {
	struct rcu_head rcu;
	spinlock_t lock;
	struct ndk_obj *obj; /* the MR or the window */
	bool failed; /* windows: nothing is bound until the repair */
	u32 pages; /* room of each region, and of sg */
	u32 n;
	u32 next; /* whose turn it is */
	struct scatterlist *sg; /* to hand pages to the driver, under lock */
	struct ndk_region at[];
};

#define NDK_MR_TURNS 5u
/*
 * A token names a region at the device and has eight bits that count its registrations. Before they
 * repeat, an MR's region is replaced, one at a time, which takes the lane; while that is under way the
 * others go on, and repeat their tokens rather than refuse a post. Windows have more regions and keep
 * them: a token of theirs comes back after NDK_MW_TURNS times 256 binds.
 */
#define NDK_REGION_KEYS 255u
/* A chain of binds and invalidations that is posted without waiting needs a turn for each bind. */
#define NDK_MW_TURNS 12u
/* Pages of a window: what costs little to have that many times. */
#define NDK_MW_PAGES 256u

/* ---- making; may sleep, hw ---- */
/* ERR_PTR(-ENOMEM) and what the driver says. */
struct ndk_regions *ndk_regions_make(struct ndk_obj *obj, struct ib_pd *pd, u32 n, u32 pages);
/* Their end at the device. Nothing posted names them any more. */
void ndk_regions_revoke(struct ndk_regions *rs);
/* And of their memory. */
void ndk_regions_end(struct ndk_regions *rs);
/* The lane's answer to failed requests; `pd` NULL: the device is gone. */
void ndk_regions_repair(struct ndk_regions *rs, struct ib_pd *pd);

/* ---- posting, under ndk_regions.lock ---- */
/* The next one that is free, or NULL. */
struct ndk_region *ndk_region_pick(struct ndk_regions *rs);
/* The one that is registered, or NULL. */
struct ndk_region *ndk_region_valid(struct ndk_regions *rs);
/* Pages from rs->sg; a new key, `iova` for the first byte. Negative errno on failure. */
int ndk_region_map(struct ndk_region *r, u32 entries, u64 iova);

/* ---- the end of a request, any context ---- */
/* The request in place `p` is over; under kcq->lock. p->region is not NULL. */
void ndk_region_over(struct ndk_parked *p, bool ok);
/* The peer invalidated `rkey` by a message that a queue pair of this device received. */
void ndk_region_invalidated(struct ndk_device *dev, u32 rkey);

/* ---- closing; in the object's lane, hw not held ---- */
/* Returns when no posted request concerns the MR or window. */
void ndk_memory_settle(struct ndk_obj *o);

#endif
