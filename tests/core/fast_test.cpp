/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Regions for fast registration, and what posts of registrations, invalidations and bindings refuse.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

class Fast : public testing::Test {
protected:
	World w;
	struct ndk_pd *pd = w.pd();
	struct ndk_cq *cq = w.cq();
	struct ndk_qp *qp = w.qp(pd, cq);
	struct ndk_mr *mr = w.mr(pd, true);
	NDK_LOGICAL_ADDRESS page[4] = {};
	struct ndk_pages p = { 4, page, 100, 10000, 0x40000 + 100 };

	void SetUp() override
	{
		w.established_active(qp);
		for (int i = 0; i < 4; i++)
			page[i].QuadPart = 0x7000 + i * 0x10000;
	}
	NTSTATUS init(ULONG pages, BOOLEAN remote = TRUE)
	{
		NTSTATUS status = w.call([&](struct ndk_fx *fx) {
			return ndk_mr_initialize(mr, pages, remote, on_request, tag_of(9), fx);
		});
		if (status != STATUS_PENDING)
			return status;
		w.settle();
		return w.last(NDK_FX_CALL_REQUEST).status;
	}
	NTSTATUS check(ULONG flags = 0) { return ndk_fast_register_check(qp, mr, &p, flags); }
};

constexpr ULONG kRead = NDK_OP_FLAG_ALLOW_REMOTE_READ;
constexpr ULONG kWrite = NDK_OP_FLAG_ALLOW_REMOTE_WRITE;

}

TEST_F(Fast, initialised_then_registered)
{
	NDK_COVERS("MR-11 MR-13 MR-15 QP-18 QP-19 REQ-3");
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, check()) << "not yet";
	EXPECT_STATUS(STATUS_SUCCESS, init(4));
	EXPECT_EQ(w.last(NDK_FX_CALL_REQUEST).tag, 9u);
	EXPECT_STATUS(STATUS_SUCCESS, check());
	EXPECT_STATUS(STATUS_SUCCESS, check(kRead | kWrite | NDK_OP_FLAG_RDMA_READ_SINK));
	EXPECT_TRUE(ndk_mr_claim(mr));
	EXPECT_FALSE(ndk_mr_claim(mr)) << "still in force";
	EXPECT_TRUE(ndk_mr_unclaim(mr));
	EXPECT_FALSE(ndk_mr_unclaim(mr)) << "CQ-18: not twice";
}

TEST_F(Fast, limits_of_initialisation)
{
	NDK_COVERS("MR-11 MR-12 MR-17 U-34");
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, init(0));
	EXPECT_STATUS(STATUS_IMPLEMENTATION_LIMIT, init(33));
	EXPECT_STATUS(STATUS_IMPLEMENTATION_LIMIT, init(0xffffffffu));
	EXPECT_STATUS(STATUS_SUCCESS, init(32));
	mr = w.mr(pd);
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, init(1)) << "an ordinary region";
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.call([&](struct ndk_fx *fx) {
		return ndk_mr_initialize(mr, 1, TRUE, nullptr, nullptr, fx);
	}));
}

TEST_F(Fast, again_and_at_once)
{
	NDK_COVERS("MR-14 U-35");
	EXPECT_STATUS(STATUS_SUCCESS, init(4));
	EXPECT_TRUE(ndk_mr_claim(mr));
	EXPECT_STATUS(STATUS_PENDING, w.call([&](struct ndk_fx *fx) {
		return ndk_mr_initialize(mr, 8, FALSE, on_request, nullptr, fx);
	}));
	EXPECT_STATUS(STATUS_DEVICE_BUSY, init(8));
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, check()) << "meanwhile";
	w.settle();
	EXPECT_EQ(mr->pages, 8u);
	EXPECT_STATUS(STATUS_ACCESS_VIOLATION, check(kRead)) << "the last one counts";
	EXPECT_TRUE(ndk_mr_claim(mr)) << "what was registered is revoked";
}

TEST_F(Fast, a_failed_initialisation_changes_nothing)
{
	NDK_COVERS("REQ-12 MR-14");
	w.work_status = STATUS_INSUFFICIENT_RESOURCES;
	EXPECT_STATUS(STATUS_INSUFFICIENT_RESOURCES, init(4));
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, check());
	w.work_status = STATUS_SUCCESS;
	EXPECT_STATUS(STATUS_SUCCESS, init(4));
	w.work_status = STATUS_INSUFFICIENT_RESOURCES;
	EXPECT_STATUS(STATUS_INSUFFICIENT_RESOURCES, init(8));
	EXPECT_EQ(mr->pages, 4u);
	EXPECT_STATUS(STATUS_SUCCESS, check());
	w.work_status = STATUS_SUCCESS;
}

TEST_F(Fast, on_a_removed_device)
{
	NDK_COVERS("U-45");
	w.remove_device();
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, init(4));
}

TEST_F(Fast, bad_page_lists)
{
	NDK_COVERS("QP-17 QP-18 QP-19 MR-11");
	struct ndk_pages good = p;

	EXPECT_STATUS(STATUS_SUCCESS, init(4));
	p.count = 5;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check()) << "more than initialised";
	p = good, p.count = 0;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check());
	p = good, p.page = nullptr;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check());
	p = good, p.fbo = 4096, p.base = 0x40000;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check());
	p = good, p.length = 4 * 4096 - 99;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check());
	p.length = 4 * 4096 - 100;
	EXPECT_STATUS(STATUS_SUCCESS, check());
	p = good, p.length = 0;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check());
	p = good, p.base = 0x40000 + 101;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check()) << "does not share the offset";
	p = good, p.base = 0;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check()) << "zero-based";
	p = good, p.base = ~0ull - 4095 + 100;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check()) << "beyond the end of addresses";
	p = good, page[2].QuadPart++;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check());
}

TEST_F(Fast, rights_and_owners)
{
	NDK_COVERS("QP-20 MR-13 U-27 U-11 QP-3");
	EXPECT_STATUS(STATUS_SUCCESS, init(4, FALSE));
	EXPECT_STATUS(STATUS_ACCESS_VIOLATION, check(kRead));
	EXPECT_STATUS(STATUS_ACCESS_VIOLATION, check(kWrite));
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_FLAG_ALLOW_LOCAL_WRITE));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(0x20)) << "half a right";
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, check(NDK_OP_FLAG_INLINE));
	struct ndk_qp *other = w.qp(w.pd(), cq);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, ndk_fast_register_check(other, mr, &p, 0));
	w.established_active(other);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, ndk_fast_register_check(other, mr, &p, 0));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, ndk_fast_register_check(qp, nullptr, &p, 0));
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, ndk_fast_register_check(qp, w.mr(pd), &p, 0));
}

TEST_F(Fast, what_can_be_invalidated)
{
	NDK_COVERS("QP-22 MW-3 U-11");
	struct ndk_mr *m, *plain = w.registered(pd);
	struct ndk_mw *v, *mw = w.mw(pd);

	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, ndk_invalidate_check(qp, &mr->obj.ndk.header, 0, &m, &v))
		<< "not initialised";
	EXPECT_STATUS(STATUS_SUCCESS, init(4));
	EXPECT_STATUS(STATUS_SUCCESS, ndk_invalidate_check(qp, &mr->obj.ndk.header, 0, &m, &v));
	EXPECT_TRUE(m == mr && !v);
	EXPECT_STATUS(STATUS_SUCCESS, ndk_invalidate_check(qp, &mw->obj.ndk.header, 0, &m, &v));
	EXPECT_TRUE(v == mw && !m);
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST,
		      ndk_invalidate_check(qp, &plain->obj.ndk.header, 0, &m, &v));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, ndk_invalidate_check(qp, &cq->obj.ndk.header, 0, &m, &v));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, ndk_invalidate_check(qp, nullptr, 0, &m, &v));
	struct ndk_mr *foreign = w.mr(w.pd(), true);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER,
		      ndk_invalidate_check(qp, &foreign->obj.ndk.header, 0, &m, &v));
	struct ndk_mw *window = w.mw(w.pd());
	EXPECT_STATUS(STATUS_INVALID_PARAMETER,
		      ndk_invalidate_check(qp, &window->obj.ndk.header, 0, &m, &v));
}
