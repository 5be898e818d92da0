/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory windows: what a binding may be, and how long it holds its region.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

class Window : public testing::Test {
protected:
	World w;
	struct ndk_pd *pd = w.pd();
	struct ndk_qp *qp = w.qp(pd, w.cq());
	struct ndk_mr *mr = w.registered(pd);
	struct ndk_mw *mw = w.mw(pd);
	struct ndk_mr *old = nullptr;

	void SetUp() override { w.established_active(qp); }

	NTSTATUS check(UINT64 va, SIZE_T length, ULONG flags = 0)
	{
		return ndk_bind_check(qp, mr, mw, va, length, flags);
	}
	bool bind(struct ndk_mr *to) { return ndk_mw_bind(mw, to, &old); }
	void done(struct ndk_mr *before, bool failed = false)
	{
		ndk_mw_released(before);
		w.call([&](struct ndk_fx *fx) { ndk_mw_done(mw, before, failed, fx); });
	}
	NTSTATUS dereg(struct ndk_mr *m)
	{
		NTSTATUS status = w.call([&](struct ndk_fx *fx) {
			return ndk_mr_deregister(m, on_request, nullptr, fx);
		});
		w.settle();
		return status;
	}
};

}

TEST_F(Window, lies_inside_its_region)
{
	NDK_COVERS("QP-15 QP-17 U-27");
	EXPECT_STATUS(STATUS_SUCCESS, check(0x10000, 4096));
	EXPECT_STATUS(STATUS_SUCCESS, check(0x10fff, 1));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x10000, 4097));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x10fff, 2));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0xffff, 1));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x11000, 1));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x10000, 0));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x10000, ~(SIZE_T)0));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(~0ull, 4096));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0, 16)) << "zero-based";
	w.host.info.MaxWindowSize = 100;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x10000, 101));
	EXPECT_STATUS(STATUS_SUCCESS, check(0x10000, 100));
}

TEST_F(Window, rights_and_owners)
{
	NDK_COVERS("QP-16 U-11 U-34 QP-3");
	EXPECT_STATUS(STATUS_SUCCESS, check(0x10000, 1, NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x10000, 1, NDK_OP_FLAG_ALLOW_LOCAL_WRITE));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x10000, 1, 0x20));
	mr = w.registered(pd, 0);
	EXPECT_STATUS(STATUS_ACCESS_VIOLATION, check(0x10000, 1, NDK_OP_FLAG_ALLOW_REMOTE_WRITE));
	EXPECT_STATUS(STATUS_SUCCESS, check(0x10000, 1, NDK_OP_FLAG_ALLOW_REMOTE_READ));
	mr = w.mr(pd);
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, check(0x10000, 1)) << "not registered";
	mr = w.registered(w.pd());
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x10000, 1)) << "another domain's";
	mr = nullptr;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x10000, 1));
}

TEST_F(Window, holds_its_region)
{
	NDK_COVERS("MW-2 LIFE-3 LIFE-4 U-34 U-36");
	ASSERT_TRUE(bind(mr));
	EXPECT_EQ(old, nullptr);
	EXPECT_STATUS(STATUS_DEVICE_BUSY, dereg(mr)) << "from the bind call on";
	done(nullptr);
	EXPECT_STATUS(STATUS_DEVICE_BUSY, dereg(mr));
	ASSERT_TRUE(ndk_mw_unbind(mw, &old));
	EXPECT_EQ(old, mr);
	EXPECT_STATUS(STATUS_DEVICE_BUSY, dereg(mr)) << "until the invalidation completes";
	EXPECT_FALSE(ndk_mw_unbind(mw, &old)) << "CQ-18: it is on its way already";
	ndk_mw_released(mr);
	EXPECT_STATUS(STATUS_PENDING, dereg(mr)) << "the moment it is seen";
	w.call([&](struct ndk_fx *fx) { ndk_mw_done(mw, mr, FALSE, fx); });
	EXPECT_EQ(mr->state, NDK_MR_EMPTY);
}

TEST_F(Window, bound_elsewhere)
{
	NDK_COVERS("MW-2 U-36 QP-15");
	struct ndk_mr *second = w.registered(pd);

	ASSERT_TRUE(bind(mr));
	done(nullptr);
	ASSERT_TRUE(bind(second));
	EXPECT_EQ(old, mr);
	EXPECT_STATUS(STATUS_DEVICE_BUSY, dereg(mr));
	EXPECT_STATUS(STATUS_DEVICE_BUSY, dereg(second));
	done(mr);
	EXPECT_STATUS(STATUS_PENDING, dereg(mr));
	EXPECT_STATUS(STATUS_DEVICE_BUSY, dereg(second));
}

TEST_F(Window, a_refused_post_leaves_no_trace)
{
	NDK_COVERS("QP-2 MW-2");
	struct ndk_mr *second = w.registered(pd);

	ASSERT_TRUE(bind(mr));
	done(nullptr);
	ASSERT_TRUE(bind(second));
	w.call([&](struct ndk_fx *fx) { ndk_mw_undo(mw, old, fx); });
	EXPECT_EQ(mw->mr, mr);
	EXPECT_STATUS(STATUS_PENDING, dereg(second));
	EXPECT_STATUS(STATUS_DEVICE_BUSY, dereg(mr));
	ASSERT_TRUE(ndk_mw_unbind(mw, &old));
	w.call([&](struct ndk_fx *fx) { ndk_mw_undo(mw, old, fx); });
	EXPECT_STATUS(STATUS_DEVICE_BUSY, dereg(mr)) << "bound as before";
}

TEST_F(Window, a_failed_binding_binds_nothing)
{
	NDK_COVERS("MW-2 U-28 U-36");
	struct ndk_mr *second = w.registered(pd), *before;

	ASSERT_TRUE(bind(mr));
	ASSERT_TRUE(bind(second));
	before = old;
	done(nullptr, true); /* the first fails, and with it whatever the window is bound to */
	EXPECT_EQ(mw->mr, nullptr);
	done(before, true);
	EXPECT_EQ(mr->windows, 0u);
	EXPECT_EQ(second->windows, 0u);
	EXPECT_STATUS(STATUS_PENDING, dereg(mr));
	EXPECT_STATUS(STATUS_PENDING, dereg(second));
}

TEST_F(Window, closing_the_region_first)
{
	NDK_COVERS("LIFE-2 LIFE-4 LIFE-5 MW-2 CLOSE-8");
	ASSERT_TRUE(bind(mr));
	done(nullptr);
	EXPECT_STATUS(STATUS_PENDING, w.close(mr, 1));
	w.settle();
	EXPECT_TRUE(w.exists(mr)) << "held by its window";
	EXPECT_FALSE(bind(mr)) << "a region on its way takes no more";
	EXPECT_STATUS(STATUS_PENDING, w.close(mw, 2));
	w.inside(NDK_FX_CALL_CLOSE, [&] { EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY, &mr->obj)); });
	w.settle();
	EXPECT_FALSE(w.exists(mw));
	EXPECT_FALSE(w.exists(mr));
	EXPECT_EQ(w.last(NDK_FX_CALL_CLOSE).tag, 1u) << "the region last";
}

TEST_F(Window, closing_with_a_request_posted)
{
	NDK_COVERS("CLOSE-5 CLOSE-14 MW-2");
	ASSERT_TRUE(bind(mr));
	EXPECT_STATUS(STATUS_PENDING, w.close(mw, 2));
	EXPECT_TRUE(w.due(NDK_FX_SETTLE, &mw->obj)) << "whether the consumer polls or not";
	EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY, &mw->obj));
	ASSERT_TRUE(w.finish(NDK_FX_SETTLE, &mw->obj));
	EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY, &mw->obj)) << "not before the device is done with it";
	done(nullptr);
	w.settle();
	EXPECT_FALSE(w.exists(mw));
	EXPECT_STATUS(STATUS_PENDING, dereg(mr));
}

TEST_F(Window, closing_a_region_whose_window_is_being_unbound)
{
	NDK_COVERS("CLOSE-14 U-36");
	ASSERT_TRUE(bind(mr));
	done(nullptr);
	ASSERT_TRUE(ndk_mw_unbind(mw, &old));
	EXPECT_STATUS(STATUS_PENDING, w.close(mr, 1));
	EXPECT_TRUE(w.due(NDK_FX_SETTLE, &mr->obj));
	w.settle();
	EXPECT_TRUE(w.exists(mr));
	done(mr);
	w.settle();
	EXPECT_FALSE(w.exists(mr));
}
