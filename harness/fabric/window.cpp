/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory windows: which binding is in force, and what is owed to the core for each posted request.
 * World's lock held, except for planning, which is under the host's lock, and upcalls.
 *
 * Whoever replaces or ends a binding releases its region exactly once: the request posted for it, when
 * it is executed or fails, or the peer's invalidation, whose token is remembered (Mw::ended) so that
 * the request posted meanwhile does not do it again.
 */
#include "fabric.hpp"

namespace ndk::fabric
{

/* ---- posting ---- */
static void plan(Mw *mw, ndk_mr *old, Work &w)
{
	w.mw = mw;
	w.old = old;
	w.old_token = mw->core.remote_token;
	w.number = ++mw->numbers;
}

bool plan_bind(Mw *mw, Mr *mr, Work &w)
{
	ndk_mr *old = nullptr;

	if (!ndk_mw_bind(&mw->core, &mr->core, &old))
		return false;
	plan(mw, old, w);
	w.mr = mr;
	mw->bound = w.number;
	__atomic_store_n(&mw->core.remote_token, w.token, __ATOMIC_RELAXED); /* MW-1 */
	return true;
}

bool plan_unbind(Mw *mw, Work &w)
{
	ndk_mr *old = nullptr;

	if (!ndk_mw_unbind(&mw->core, &old))
		return false;
	plan(mw, old, w);
	w.mr = nullptr;
	w.token = w.old_token;
	__atomic_store_n(&mw->core.remote_token, 0u, __ATOMIC_RELAXED);
	return true;
}

/* ---- execution ---- */
static void release_old(const Work &w)
{
	if (w.old && w.old_token != w.mw->ended)
		ndk_mw_released(w.old);
}

NTSTATUS execute_bind(const Work &w, ULONG flags)
{
	Mw *mw = w.mw;
	Region &r = mw->region;

	if (w.number <= mw->failed)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (w.number > mw->executed) {
		mw->executed = w.number;
		revoke(r);
		r.pd = mw->core.pd;
		r.base = w.remote;
		r.length = w.length;
		r.rights = (flags & NDK_OP_FLAG_ALLOW_REMOTE_READ ? right_remote_read : 0) |
			   ((flags & NDK_OP_FLAG_ALLOW_REMOTE_WRITE) == NDK_OP_FLAG_ALLOW_REMOTE_WRITE ?
				    right_remote_write :
				    0);
		r.token = w.token;
		r.window = mw;
		mw->mr = &w.mr->core;
		enforce(site_of(mw->core.obj), r);
	}
	release_old(w);
	return STATUS_SUCCESS;
}

NTSTATUS execute_unbind(const Work &w)
{
	Mw *mw = w.mw;

	if (w.number <= mw->failed)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (w.number > mw->executed) {
		if (!mw->region.in_force() || mw->region.token != w.token)
			return STATUS_INVALID_DEVICE_REQUEST; /* the peer was faster (CQ-18) */
		mw->executed = w.number;
		revoke(mw->region);
	}
	release_old(w);
	return STATUS_SUCCESS;
}

/* ---- the end of a request ---- */
/* n: with which numbers the window's binding has failed; 0: it has not. */
static void run_done(const Upcall &u)
{
	Mw *mw = static_cast<Mw *>(u.a);

	with_core(mw->core.obj.host, [&](ndk_fx *fx) {
		bool failed = u.n && mw->bound <= u.n;

		if (failed && mw->core.mr && mw->core.remote_token == mw->ended)
			__atomic_fetch_add(&mw->core.mr->windows, 1, __ATOMIC_ACQ_REL);
		ndk_mw_done(&mw->core, static_cast<ndk_mr *>(u.b), failed, fx);
	});
}

void end_mw_work(const Work &w, bool executed, bool failed, Upcalls &up)
{
	Mw *mw = w.mw;
	UINT64 with = 0;

	if (failed) {
		if (!executed)
			release_old(w);
		if (w.number > mw->failed) {
			revoke(mw->region);
			with = mw->numbers;
			mw->failed = with;
		}
	}
	up.add({ run_done, mw, w.old, with });
}

/* ---- by the peer ---- */
static void run_ended(const Upcall &u)
{
	Mw *mw = static_cast<Mw *>(u.a);
	ndk_mr *old = nullptr;

	with_core(mw->core.obj.host, [&](ndk_fx *fx) {
		if (!mw->core.mr || mw->core.remote_token != (UINT32)u.n)
			return;
		if (ndk_mw_unbind(&mw->core, &old)) {
			__atomic_store_n(&mw->core.remote_token, 0u, __ATOMIC_RELAXED);
			ndk_mw_done(&mw->core, old, FALSE, fx);
		} else {
			/* it is being closed, and that releases the region: not twice */
			__atomic_fetch_add(&mw->core.mr->windows, 1, __ATOMIC_ACQ_REL);
		}
	});
	unpin(mw->pin, mw->core.obj);
}

/* The region is released now, before anybody can see the result that tells of it. */
void end_by_peer(Mw *mw, Upcalls &up)
{
	revoke(mw->region);
	mw->ended = mw->region.token;
	ndk_mw_released(mw->mr);
	pin(mw->pin);
	up.add({ run_ended, mw, nullptr, mw->region.token });
}

void forget_mw(Mw *mw)
{
	revoke(mw->region);
}

} /* namespace ndk::fabric */
