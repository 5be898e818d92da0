/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Memory regions: registering and deregistering.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

class Mr : public testing::Test {
protected:
	World w;
	struct ndk_mr *mr = w.mr(w.pd());
	MDL first = {}, second = {};
	ULONG_PTR base = 0x10000;

	void SetUp() override
	{
		first.VirtualAddress = (PVOID)base;
		first.ByteCount = 4096;
		first.Next = &second;
		second.VirtualAddress = (PVOID)(base + 4096);
		second.ByteCount = 100;
	}

	NTSTATUS reg(SIZE_T length, ULONG flags = 0, ULONG_PTR tag = 0)
	{
		return w.call([&](struct ndk_fx *fx) {
			return ndk_mr_register(mr, &first, length, flags, on_request, tag_of(tag), fx);
		});
	}
	NTSTATUS dereg()
	{
		return w.call([&](struct ndk_fx *fx) {
			return ndk_mr_deregister(mr, on_request, nullptr, fx);
		});
	}
};

}

TEST_F(Mr, registered_and_back)
{
	NDK_COVERS("MR-2 MR-6 MR-10 MR-15 REQ-1 REQ-3");
	EXPECT_STATUS(STATUS_PENDING, reg(4196, NDK_MR_FLAG_ALLOW_REMOTE_WRITE, 6));
	EXPECT_EQ(mr->base, base);
	EXPECT_EQ(mr->length, 4196u);
	EXPECT_EQ(mr->mdl, &first);
	w.settle();
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_EQ(w.last(NDK_FX_CALL_REQUEST).tag, 6u);
	EXPECT_EQ(mr->mdl, nullptr) << "borrowed while the request was pending";
	mr->token = 1;
	mr->remote_token = 2;
	EXPECT_STATUS(STATUS_PENDING, dereg());
	w.settle();
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_EQ(mr->token, 0u);
	EXPECT_EQ(mr->remote_token, 0u);
	EXPECT_STATUS(STATUS_PENDING, reg(1)) << "and again";
}

TEST_F(Mr, malformed_arguments)
{
	NDK_COVERS("MR-7 CONN-21");
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, reg(0));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, reg(10, 0x100));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, reg((1 << 20) + 1)) << "MaxRegistrationSize";
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.call([&](struct ndk_fx *fx) {
		return ndk_mr_register(mr, nullptr, 10, 0, on_request, nullptr, fx);
	}));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.call([&](struct ndk_fx *fx) {
		return ndk_mr_register(mr, &first, 10, 0, nullptr, nullptr, fx);
	}));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.call([&](struct ndk_fx *fx) {
		return ndk_mr_deregister(mr, nullptr, nullptr, fx);
	}));
	EXPECT_STATUS(STATUS_PENDING,
		      reg(10, NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_ALLOW_REMOTE_READ |
				      NDK_MR_FLAG_ALLOW_REMOTE_WRITE | NDK_MR_FLAG_RDMA_READ_SINK))
		<< "MR-9: the sink flag is tolerated";
}

TEST_F(Mr, more_than_the_chain_describes)
{
	NDK_COVERS("MR-2");
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, reg(4197));
	EXPECT_EQ(mr->state, NDK_MR_EMPTY);
	w.host.answer = NDK_ANSWER_PEND;
	EXPECT_STATUS(STATUS_PENDING, reg(4197));
	w.settle();
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.last(NDK_FX_CALL_REQUEST).status);
}

TEST_F(Mr, a_hole_in_the_chain)
{
	NDK_COVERS("MR-3");
	second.VirtualAddress = (PVOID)(base + 8192);
	EXPECT_EQ(ndk_mdl_span(&first, 4196), 0u);
	EXPECT_EQ(ndk_mdl_span(&first, 4096), 4096u) << "behind what is asked for";
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, reg(4196));
	EXPECT_STATUS(STATUS_PENDING, reg(4096));
}

TEST_F(Mr, misuse)
{
	NDK_COVERS("U-34 MR-1 MR-10");
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, dereg());
	EXPECT_STATUS(STATUS_PENDING, reg(10));
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, reg(10));
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, dereg());
	w.settle();
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, reg(10));
	struct ndk_mr *fast = w.mr(w.pd(), true);
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, w.call([&](struct ndk_fx *fx) {
		return ndk_mr_register(fast, &first, 10, 0, on_request, nullptr, fx);
	}));
}

TEST_F(Mr, a_registration_that_fails)
{
	NDK_COVERS("CONN-10 REQ-12");
	EXPECT_STATUS(STATUS_PENDING, reg(10));
	w.call([&](struct ndk_fx *fx) { ndk_mr_answer(mr, STATUS_INSUFFICIENT_RESOURCES, fx); });
	{
		/* the answer of the lazy shell comes second and is noticed */
		port::Expecting trouble;
		w.settle();
		EXPECT_GE(trouble.illegal(), 1u);
	}
	EXPECT_STATUS(STATUS_INSUFFICIENT_RESOURCES, w.said[0].status);
	EXPECT_EQ(w.told(NDK_FX_CALL_REQUEST), 1u);
}

TEST_F(Mr, close_waits_for_the_request)
{
	NDK_COVERS("CLOSE-5 U-34");
	EXPECT_STATUS(STATUS_PENDING, reg(10));
	EXPECT_STATUS(STATUS_PENDING, w.close(mr));
	EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY));
	w.settle();
	ASSERT_EQ(w.said.size(), 2u);
	EXPECT_EQ(w.said[0].kind, NDK_FX_CALL_REQUEST);
	EXPECT_EQ(w.said[1].kind, NDK_FX_CALL_CLOSE);
	EXPECT_FALSE(w.exists(mr)) << "closed while registered: an implicit deregistration";
}

TEST_F(Mr, on_a_removed_device)
{
	NDK_COVERS("U-45");
	EXPECT_STATUS(STATUS_PENDING, reg(10));
	w.settle();
	w.remove_device();
	EXPECT_STATUS(STATUS_PENDING, dereg()) << "what ends something still works";
	w.settle();
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, reg(10));
}

TEST_F(Mr, a_deregistration_the_device_cannot_answer)
{
	NDK_COVERS("U-45 MR-10");
	EXPECT_STATUS(STATUS_PENDING, reg(10));
	w.settle();
	EXPECT_STATUS(STATUS_PENDING, dereg());
	w.work_status = STATUS_DEVICE_REMOVED;
	w.settle();
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_EQ(mr->state, NDK_MR_EMPTY) << "gone with its device";
}
