// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Hardware regions behind fast-register MRs and memory windows: making them, choosing one, what the
 * end of a request means for them, repairing them after an error. See region.h for contexts and locks.
 *
 * After a failed request nobody knows whether the device has the region registered. It is doubtful
 * then, and its object's lane replaces it, which revokes it. A window whose request failed is bound
 * to nothing (the core is told so), so all that it has is replaced, and only then is the core told.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "objects.h"
#include "compat/compat.h"

#define NDK_SETTLE_MIN_US 100u
#define NDK_SETTLE_MAX_US 10000u

static struct ndk_device *dev_of(const struct ndk_regions *rs)
{
	return ndk_box_of(rs->obj)->dev;
}

static bool is_window(const struct ndk_regions *rs)
{
	return rs->obj->type == NdkObjectTypeMw;
}

/* ---- making ---- */
/* The index of a region at the device; the rest of a key is ours to count. */
static unsigned long key_of(const struct ib_mr *ib)
{
	return ib->rkey >> 8;
}

/* At the device, and to be found by its tokens. ERR_PTR. */
static struct ib_mr *alloc_one(struct ndk_region *r, struct ib_pd *pd)
{
	struct ib_mr *ib;
	int err;

	if (ndk_api_alloc_fails(r->of->obj->host))
		return ERR_PTR(-ENOMEM);
	ib = ib_alloc_mr(pd, IB_MR_TYPE_MEM_REG, ndk_compat_asked_pages(pd->device, r->of->pages));
	if (IS_ERR(ib))
		return ib;
	err = xa_err(xa_store(&dev_of(r->of)->regions, key_of(ib), r, GFP_KERNEL));
	if (!err)
		return ib;
	ib_dereg_mr(ib);
	return ERR_PTR(err);
}

static int make_one(struct ndk_region *r, struct ib_pd *pd)
{
	struct ib_mr *ib = alloc_one(r, pd);
	unsigned long flags;

	if (IS_ERR(ib))
		return PTR_ERR(ib);
	spin_lock_irqsave(&r->of->lock, flags);
	r->ib = ib;
	r->valid = false;
	r->doubtful = false;
	r->worn = false;
	r->turn = 0;
	spin_unlock_irqrestore(&r->of->lock, flags);
	return 0;
}

/* Revokes it. */
static void end_one(struct ndk_region *r)
{
	unsigned long flags;
	struct ib_mr *ib;

	spin_lock_irqsave(&r->of->lock, flags);
	ib = r->ib;
	r->ib = NULL;
	r->valid = false;
	spin_unlock_irqrestore(&r->of->lock, flags);
	if (!ib)
		return;
	xa_erase(&dev_of(r->of)->regions, key_of(ib));
	ib_dereg_mr(ib);
}

struct ndk_regions *ndk_regions_make(struct ndk_obj *obj, struct ib_pd *pd, u32 n, u32 pages)
{
	struct ndk_regions *rs;
	int err = -ENOMEM;
	u32 i;

	rs = ndk_api_alloc_fails(obj->host) ? NULL :
					      kvzalloc(struct_size(rs, at, n), GFP_KERNEL);
	if (!rs)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&rs->lock);
	rs->obj = obj;
	rs->pages = pages;
	rs->n = n;
	for (i = 0; i < n; i++)
		rs->at[i].of = rs;
	rs->sg = kvcalloc(pages, sizeof(*rs->sg), GFP_KERNEL);
	if (rs->sg) {
		sg_init_table(rs->sg, pages);
		for (i = 0, err = 0; i < n && !err; i++) {
			err = make_one(&rs->at[i], pd);
			rs->at[i].turn = i * NDK_REGION_KEYS / n; /* so that they do not wear out together */
		}
	}
	if (!err)
		return rs;
	ndk_regions_end(rs);
	return ERR_PTR(err);
}

void ndk_regions_revoke(struct ndk_regions *rs)
{
	u32 i;

	for (i = 0; i < rs->n; i++) {
		WARN_ON_ONCE(rs->at[i].uses);
		end_one(&rs->at[i]);
	}
}

void ndk_regions_end(struct ndk_regions *rs)
{
	ndk_regions_revoke(rs);
	kvfree(rs->sg);
	kvfree_rcu(rs, rcu); /* ndk_region_invalidated() may have found it */
}

/* ---- choosing ---- */
static bool is_free(const struct ndk_region *r)
{
	return r->ib && !r->valid && !r->doubtful && !r->uses;
}

struct ndk_region *ndk_region_pick(struct ndk_regions *rs)
{
	struct ndk_region *r;
	u32 i;

	for (i = 0; i < rs->n; i++) {
		r = &rs->at[(rs->next + i) % rs->n];
		if (!is_free(r))
			continue;
		rs->next = (u32)(r - rs->at) + 1;
		return r;
	}
	return NULL;
}

struct ndk_region *ndk_region_valid(struct ndk_regions *rs)
{
	u32 i;

	for (i = 0; i < rs->n; i++)
		if (rs->at[i].valid)
			return &rs->at[i];
	return NULL;
}

int ndk_region_map(struct ndk_region *r, u32 entries, u64 iova)
{
	int n;

	/* a token of an earlier registration must not work for this one */
	ib_update_fast_reg_key(r->ib, (u8)ib_inc_rkey(r->ib->rkey));
	r->turn = min(r->turn + 1u, NDK_REGION_KEYS);
	n = ib_map_mr_sg(r->ib, r->of->sg, entries, NULL, PAGE_SIZE);
	if (n != (int)entries)
		return n < 0 ? n : -EINVAL;
	r->ib->iova = iova;
	return 0;
}

/* ---- the end of a request ---- */
static void mend(struct ndk_regions *rs)
{
	ndk_box_step(ndk_box_of(rs->obj), NDK_STEP_REPAIR);
}

/* Under the lock: its time has come, and no other is out of service. TRUE: the lane has to be told. */
static bool wear_out(struct ndk_region *r)
{
	u32 i;

	if (likely(r->turn < NDK_REGION_KEYS) || r->valid || r->uses)
		return false;
	for (i = 0; i < r->of->n; i++)
		if (r->of->at[i].doubtful)
			return false;
	r->worn = true;
	r->doubtful = true;
	return true;
}

static void mr_over(struct ndk_region *r, enum ndk_use use, bool ok)
{
	struct ndk_regions *rs = r->of;
	struct ndk_kmr *kmr = (struct ndk_kmr *)rs->obj;
	unsigned long flags;
	bool broken;

	spin_lock_irqsave(&rs->lock, flags);
	r->uses--;
	if (!ok) {
		r->doubtful = true;
		r->worn = false;
		if (use == NDK_USE_REGISTER && r->valid) {
			r->valid = false;
			ndk_mr_unclaim(&kmr->mr);
		}
	}
	broken = wear_out(r) || (r->doubtful && !r->uses);
	spin_unlock_irqrestore(&rs->lock, flags);
	if (broken)
		mend(rs);
	atomic_fetch_sub_release(1, &kmr->posted); /* the last touch: see ndk_memory_settle() */
}

/* The device does not honour the binding to `old` any more. */
static void let_go(struct ndk_mr *old)
{
	if (!old)
		return;
	ndk_mw_released(old);
	atomic_fetch_sub_release(1, &((struct ndk_kmr *)old)->posted);
}

/* Under the lock. Which region of the parent's the request ended the binding to. */
static struct ndk_mr *window_done(struct ndk_region *r, enum ndk_use use)
{
	struct ndk_region *ended = use == NDK_USE_BIND ? r->was : r;
	struct ndk_mr *old = NULL;

	if (ended) {
		old = ended->parent;
		ended->parent = NULL;
	}
	if (use == NDK_USE_BIND)
		r->was = NULL;
	return old;
}

static void window_over(struct ndk_region *r, enum ndk_use use, bool ok)
{
	struct ndk_regions *rs = r->of;
	struct ndk_kmw *kmw = (struct ndk_kmw *)rs->obj;
	struct ndk_mr *old = NULL;
	unsigned long flags;
	bool broken;

	spin_lock_irqsave(&rs->lock, flags);
	r->uses--;
	if (use == NDK_USE_BIND && r->was)
		r->was->uses--;
	if (ok) {
		old = window_done(r, use);
	} else {
		r->failed |= BIT(use);
		rs->failed = true;
	}
	broken = rs->failed;
	spin_unlock_irqrestore(&rs->lock, flags);
	if (broken)
		mend(rs);
	if (!ok)
		return; /* it is over when it is repaired */
	let_go(old);
	ndk_api_mw_done(&kmw->mw, old, FALSE);
	atomic_fetch_sub_release(1, &kmw->posted);
}

void ndk_region_over(struct ndk_parked *p, bool ok)
{
	struct ndk_region *r = p->region;
	struct ndk_kqp *kqp = p->shelf->kqp;

	p->region = NULL;
	if (p->use == NDK_USE_BIND && r->was)
		WRITE_ONCE(kqp->rebinds_over, kqp->rebinds_over + 1);
	if (p->quiet)
		WRITE_ONCE(kqp->quiet_over, kqp->quiet_over + 1);
	if (is_window(r->of))
		window_over(r, p->use, ok);
	else
		mr_over(r, p->use, ok);
}

/* Under the lock: TRUE with the region that the window was bound to. */
static bool window_invalidated(struct ndk_regions *rs, struct ndk_region *r, struct ndk_mr **old)
{
	struct ndk_mw *mw = &((struct ndk_kmw *)rs->obj)->mw;
	unsigned long flags;
	bool was_bound;

	flags = ndk_kernel_ops.lock(rs->obj->host);
	was_bound = ndk_mw_unbind(mw, old);
	ndk_kernel_ops.unlock(rs->obj->host, flags);
	if (was_bound) {
		WRITE_ONCE(mw->remote_token, 0);
		r->parent = NULL;
	}
	return was_bound;
}

static void invalidated(struct ndk_region *r, u32 rkey)
{
	struct ndk_regions *rs = r->of;
	struct ndk_mr *old = NULL;
	bool unbound = false, worn = false;
	unsigned long flags;

	spin_lock_irqsave(&rs->lock, flags);
	if (r->ib && r->valid && r->ib->rkey == rkey) {
		r->valid = false;
		if (is_window(rs))
			unbound = window_invalidated(rs, r, &old);
		else
			ndk_mr_unclaim((struct ndk_mr *)rs->obj);
		worn = !is_window(rs) && wear_out(r);
	}
	if (worn)
		mend(rs); /* under the lock: the object cannot have ended before its regions did */
	spin_unlock_irqrestore(&rs->lock, flags);
	if (unbound) {
		ndk_mw_released(old);
		ndk_api_mw_done((struct ndk_mw *)rs->obj, old, FALSE);
	}
}

void ndk_region_invalidated(struct ndk_device *dev, u32 rkey)
{
	struct ndk_region *r;

	rcu_read_lock();
	r = xa_load(&dev->regions, rkey >> 8);
	if (r)
		invalidated(r, rkey);
	rcu_read_unlock();
}

/* ---- repair ---- */
static void renew(struct ndk_region *r, struct ib_pd *pd)
{
	end_one(r);
	if (make_one(r, pd))
		pr_warn_ratelimited("ndk: %s: a memory region is lost until its object is closed\n",
				    dev_of(r->of)->name);
}

/* Nothing is wrong with it, so that if there is no other it stays. Nobody picks it meanwhile. */
static void replace(struct ndk_region *r, struct ib_pd *pd)
{
	struct ib_mr *old = r->ib, *ib = alloc_one(r, pd);
	unsigned long flags;

	spin_lock_irqsave(&r->of->lock, flags);
	if (!IS_ERR(ib))
		r->ib = ib;
	r->doubtful = false;
	r->worn = false;
	r->turn = 0;
	spin_unlock_irqrestore(&r->of->lock, flags);
	if (IS_ERR(ib))
		return;
	xa_erase(&dev_of(r->of)->regions, key_of(old));
	ib_dereg_mr(old);
}

static void repair_mr(struct ndk_regions *rs, struct ib_pd *pd)
{
	unsigned long flags;
	bool now, worn;
	u32 i;

	for (i = 0; i < rs->n; i++) {
		spin_lock_irqsave(&rs->lock, flags);
		now = rs->at[i].doubtful && !rs->at[i].uses;
		worn = rs->at[i].worn && rs->at[i].ib;
		spin_unlock_irqrestore(&rs->lock, flags);
		if (now && worn)
			replace(&rs->at[i], pd);
		else if (now)
			renew(&rs->at[i], pd); /* nobody picks it while it is doubtful */
	}
}

/* FALSE: there is nothing to repair, or not yet: the last request to end asks for it again. */
static bool window_quiet(struct ndk_regions *rs)
{
	unsigned long flags;
	bool quiet;
	u32 i;

	spin_lock_irqsave(&rs->lock, flags);
	quiet = rs->failed;
	for (i = 0; i < rs->n; i++)
		quiet = quiet && !rs->at[i].uses;
	spin_unlock_irqrestore(&rs->lock, flags);
	return quiet;
}

/* What the failed requests had still to give back. Returns how many they were. */
static unsigned int gather_failed(struct ndk_regions *rs, struct ndk_mr **old)
{
	unsigned int n = 0;
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&rs->lock, flags);
	for (i = 0; i < rs->n; i++) {
		if (rs->at[i].failed & BIT(NDK_USE_BIND))
			old[n++] = window_done(&rs->at[i], NDK_USE_BIND);
		if (rs->at[i].failed & BIT(NDK_USE_INVALIDATE))
			old[n++] = window_done(&rs->at[i], NDK_USE_INVALIDATE);
		rs->at[i].failed = 0;
	}
	for (i = 0; i < rs->n; i++)
		rs->at[i].parent = NULL;
	spin_unlock_irqrestore(&rs->lock, flags);
	return n;
}

/* Binds are taken again, from the core's "bound to nothing" on. */
static void repaired(struct ndk_regions *rs)
{
	unsigned long flags;

	spin_lock_irqsave(&rs->lock, flags);
	rs->failed = false;
	spin_unlock_irqrestore(&rs->lock, flags);
}

static void repair_window(struct ndk_regions *rs, struct ib_pd *pd)
{
	struct ndk_kmw *kmw = (struct ndk_kmw *)rs->obj;
	struct ndk_mr *old[2 * NDK_MW_TURNS];
	unsigned int n, i;

	if (!window_quiet(rs))
		return;
	for (i = 0; i < rs->n; i++) {
		if (pd)
			renew(&rs->at[i], pd);
		else
			end_one(&rs->at[i]);
	}
	n = gather_failed(rs, old);
	for (i = 0; i < n; i++)
		let_go(old[i]);
	for (i = 0; i < n; i++) {
		ndk_api_mw_done(&kmw->mw, old[i], TRUE);
		atomic_fetch_sub_release(1, &kmw->posted);
	}
	repaired(rs); /* the window ends in this lane only, so it is still there */
}

void ndk_regions_repair(struct ndk_regions *rs, struct ib_pd *pd)
{
	if (is_window(rs))
		repair_window(rs, pd);
	else if (pd)
		repair_mr(rs, pd);
}

/* ---- closing ---- */
/* The CQ after `last`, whose box is held; its own box is held. */
static struct ndk_box *next_cq(struct ndk_device *dev, struct ndk_box *last)
{
	struct list_head *list = &dev->part[NDK_PART_CQ];
	struct ndk_box *box = last;
	struct ndk_box *found = NULL;

	spin_lock_irq(&dev->part_lock);
	if (last && list_empty(&last->part)) /* it went meanwhile; the next round finds the rest */
		goto out;
	box = last ? list_next_entry(last, part) : list_first_entry(list, struct ndk_box, part);
	list_for_each_entry_from(box, list, part) {
		if (ndk_box_tryget(box)) {
			found = box;
			break;
		}
	}
out:
	spin_unlock_irq(&dev->part_lock);
	return found;
}

/* Takes what has completed, on behalf of consumers that do not poll. */
static void pump_all(struct ndk_device *dev)
{
	struct ndk_box *box = next_cq(dev, NULL), *next;

	while (box) {
		ndk_cq_pump((struct ndk_kcq *)ndk_box_obj(box), NDK_PUMP_ALL);
		next = next_cq(dev, box);
		ndk_box_put(box);
		box = next;
	}
}

static void settle_once(struct ndk_obj *o)
{
	struct ndk_device *dev = ndk_box_of(o)->dev;

	down_read(&dev->hw);
	if (!dev->gone)
		pump_all(dev);
	ndk_memory_repair(o); /* its step may be behind us in this very lane */
	up_read(&dev->hw);
}

/*
 * Requests are posted by consumers that hold the object, so there are no new ones. Those of queue
 * pairs that stay connected end when the device says so, which may take its time.
 */
void ndk_memory_settle(struct ndk_obj *o)
{
	atomic_t *posted = o->type == NdkObjectTypeMw ? &((struct ndk_kmw *)o)->posted :
							&((struct ndk_kmr *)o)->posted;
	unsigned int us = NDK_SETTLE_MIN_US;

	while (atomic_read_acquire(posted)) {
		settle_once(o);
		if (!atomic_read_acquire(posted))
			return;
		usleep_range(us, us + us / 2);
		us = min(us * 2, NDK_SETTLE_MAX_US);
	}
}
