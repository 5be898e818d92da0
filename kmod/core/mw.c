/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory windows: which region each one holds, in order of posting. Under the host's lock.
 *
 * A posted bind or invalidation is work on the window until it is over (NDK_REF_WORK). The region a
 * window is bound to has it as a successor (LIFE-3); when the window is bound elsewhere or unbound,
 * the old region stays held until that request is over, because the device honours it till then.
 */
#include "mr.h"
#include "hooks.h"

static void hold(struct ndk_mr *mr)
{
	__atomic_fetch_add(&mr->windows, 1, __ATOMIC_ACQ_REL);
	ndk_ref_get(&mr->obj, NDK_REF_CHILD);
}

BOOLEAN ndk_mw_bind(struct ndk_mw *mw, struct ndk_mr *mr, struct ndk_mr **old)
{
	if (!ndk_obj_live(&mw->obj) || !ndk_obj_live(&mr->obj) || mr->state != NDK_MR_REGISTERED)
		return FALSE;
	ndk_ref_get(&mw->obj, NDK_REF_WORK);
	hold(mr);
	*old = mw->mr;
	mw->mr = mr;
	return TRUE;
}

BOOLEAN ndk_mw_unbind(struct ndk_mw *mw, struct ndk_mr **old)
{
	if (!mw->mr || mw->obj.life > NDK_LIFE_CLOSING)
		return FALSE;
	ndk_ref_get(&mw->obj, NDK_REF_WORK);
	*old = mw->mr;
	mw->mr = (struct ndk_mr *)0;
	return TRUE;
}

void ndk_mw_undo(struct ndk_mw *mw, struct ndk_mr *old, struct ndk_fx *fx)
{
	struct ndk_mr *mr = mw->mr;

	mw->mr = old;
	if (mr) {
		ndk_mw_released(mr);
		ndk_ref_put(&mr->obj, NDK_REF_CHILD, fx);
	}
	ndk_ref_put(&mw->obj, NDK_REF_WORK, fx);
}

void ndk_mw_done(struct ndk_mw *mw, struct ndk_mr *old, BOOLEAN failed, struct ndk_fx *fx)
{
	struct ndk_mr *mr = mw->mr;

	if (failed && mr) {
		mw->mr = (struct ndk_mr *)0;
		__atomic_store_n(&mw->remote_token, 0, __ATOMIC_RELAXED); /* its getter takes no lock */
		ndk_mw_released(mr);
		ndk_ref_put(&mr->obj, NDK_REF_CHILD, fx);
	}
	if (old)
		ndk_ref_put(&old->obj, NDK_REF_CHILD, fx);
	ndk_ref_put(&mw->obj, NDK_REF_WORK, fx);
}

void ndk_hook_mw_release(struct ndk_mw *mw, struct ndk_fx *fx)
{
	struct ndk_mr *mr = mw->mr;

	if (!mr)
		return;
	mw->mr = (struct ndk_mr *)0;
	ndk_ref_put(&mr->obj, NDK_REF_CHILD, fx); /* LIFE-5: the close completion has returned */
}

void ndk_hook_mw_unbuilt(struct ndk_mw *mw)
{
	__atomic_store_n(&mw->remote_token, 0, __ATOMIC_RELAXED); /* its getter takes no lock */
	ndk_mw_released(mw->mr);
}
