/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Shared receive queues: slots, modification, the low-water notification.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

class Srq : public testing::Test {
protected:
	World w;
	struct ndk_pd *pd = w.pd();
	struct ndk_srq *q = nullptr;
	BOOLEAN reached = FALSE;
	NDK_SGE sge[8] = {};

	void make(ULONG depth, ULONG threshold = 0) { q = w.srq(pd, depth, threshold); }
	/* NULL when it is full. */
	struct ndk_srq_slot *post(ULONG_PTR tag = 0)
	{
		if (ndk_srq_check(q, nullptr, 0) != STATUS_SUCCESS)
			return nullptr;
		return ndk_srq_post(q, tag_of(tag), &reached);
	}
	void use_up(int n = 1)
	{
		while (n--)
			if (ndk_srq_used_up(q))
				w.call([&](struct ndk_fx *fx) { ndk_srq_fell(q, fx); });
	}
	NTSTATUS modify(ULONG depth, ULONG threshold)
	{
		NTSTATUS status = w.call([&](struct ndk_fx *fx) {
			return ndk_srq_modify(q, depth, threshold, on_request, tag_of(3), fx);
		});
		if (status != STATUS_PENDING)
			return status;
		while (w.finish(NDK_FX_SRQ_MODIFY) || w.finish(NDK_FX_CALL_REQUEST))
			;
		return w.last(NDK_FX_CALL_REQUEST).status;
	}
	unsigned told()
	{
		w.settle();
		return w.told(NDK_FX_CALL_SRQ);
	}
};

}

TEST_F(Srq, a_slot_is_occupied_until_its_result_is_taken)
{
	NDK_COVERS("SRQ-7 U-27 PD-9");
	struct ndk_srq_slot *a, *b;
	struct ndk_qp *qp = w.qp();
	NDK_RESULT_EX out;

	make(2);
	a = post(1), b = post(2);
	ASSERT_TRUE(a && b);
	EXPECT_STATUS(STATUS_NO_MORE_ENTRIES, ndk_srq_check(q, nullptr, 0));
	use_up();
	EXPECT_STATUS(STATUS_NO_MORE_ENTRIES, ndk_srq_check(q, nullptr, 0)) << "used up, not taken";
	qp->ctx = tag_of(77);
	ndk_srq_result(qp, a, STATUS_SUCCESS, 12, &out);
	EXPECT_EQ(out.RequestContext, tag_of(1));
	EXPECT_EQ(out.QPContext, tag_of(77));
	EXPECT_EQ(out.BytesTransferred, 12u);
	EXPECT_EQ(out.Type, NdkOperationTypeReceive);
	ndk_srq_give_back(q, a);
	EXPECT_TRUE(post(3));
	ndk_srq_unpost(q, b);
	EXPECT_TRUE(post(4)) << "what the device did not take costs nothing";
	EXPECT_FALSE(post(5));
}

TEST_F(Srq, malformed_receives)
{
	NDK_COVERS("QP-7 QP-8 U-27");
	make(2);
	EXPECT_STATUS(STATUS_DATA_OVERRUN, ndk_srq_check(q, sge, 4));
	EXPECT_STATUS(STATUS_SUCCESS, ndk_srq_check(q, sge, 3));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, ndk_srq_check(q, nullptr, 1));
	sge[0].Length = 1 << 16;
	EXPECT_STATUS(STATUS_SUCCESS, ndk_srq_check(q, sge, 2));
	sge[1].Length = 1;
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, ndk_srq_check(q, sge, 2));
	sge[0].Length = sge[1].Length = 0xffffffffu;
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, ndk_srq_check(q, sge, 2));
}

TEST_F(Srq, a_qp_of_it_has_no_receives_of_its_own)
{
	NDK_COVERS("PD-7 SRQ-7");
	struct ndk_qp *qp = w.qp();

	make(2);
	qp->srq = q;
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, ndk_post_check(qp, NDK_OP_RECEIVE, nullptr, 0, 0));
	qp->srq = nullptr;
}

TEST_F(Srq, armed_at_creation_but_only_for_a_fall)
{
	NDK_COVERS("SRQ-1 SRQ-5 U-37 CQ-4");
	make(8, 3);
	EXPECT_EQ(ndk_srq_watching(q), 0u) << "never reached";
	post(), post();
	use_up(2);
	EXPECT_EQ(told(), 0u) << "it has not been at the threshold";
	post(), post();
	EXPECT_FALSE(reached);
	post();
	EXPECT_TRUE(reached);
	EXPECT_EQ(ndk_srq_watching(q), 3u);
	use_up();
	EXPECT_EQ(told(), 1u);
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_SRQ).status);
	post(), use_up(2);
	EXPECT_EQ(told(), 1u) << "one arm, one notification";
}

TEST_F(Srq, without_threshold_it_is_silent)
{
	NDK_COVERS("SRQ-1 SRQ-5");
	make(4);
	post(), use_up();
	EXPECT_EQ(told(), 0u);
	EXPECT_EQ(ndk_srq_watching(q), 0u);
	w.call([&](struct ndk_fx *fx) { ndk_srq_fell(q, fx); }); /* a device that exaggerates */
	EXPECT_EQ(told(), 0u);
}

TEST_F(Srq, armed_by_modify)
{
	NDK_COVERS("SRQ-3 SRQ-4 SRQ-5");
	make(16);
	post(), post(), post();
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 5));
	EXPECT_EQ(told(), 1u) << "already below";
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 3));
	EXPECT_EQ(told(), 1u);
	EXPECT_STATUS(STATUS_SUCCESS, modify(32, 0)) << "leaves threshold and arming alone";
	use_up();
	EXPECT_EQ(told(), 2u);
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 1));
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 2)) << "re-arming an armed one";
	use_up();
	EXPECT_EQ(told(), 3u);
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 1));
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 4)) << "an armed one, and it is below the new mark";
	EXPECT_EQ(told(), 4u);
	EXPECT_EQ(q->depth, 32u) << "SRQ-2: depth 0 keeps it";
}

TEST_F(Srq, modify_refuses)
{
	NDK_COVERS("SRQ-2 U-38 U-45 REQ-12");
	make(8);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, modify(65, 0));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, modify(0, 9)) << "could never be reached";
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, modify(4, 5));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.call([&](struct ndk_fx *fx) {
		return ndk_srq_modify(q, 0, 1, nullptr, nullptr, fx);
	}));
	for (int i = 0; i < 6; i++)
		post();
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, modify(5, 0));
	EXPECT_EQ(q->depth, 8u);
	EXPECT_STATUS(STATUS_SUCCESS, modify(6, 0));
	EXPECT_FALSE(post());
	EXPECT_STATUS(STATUS_PENDING, w.call([&](struct ndk_fx *fx) {
		return ndk_srq_modify(q, 0, 1, on_request, nullptr, fx);
	}));
	EXPECT_STATUS(STATUS_DEVICE_BUSY, modify(0, 1));
	w.settle();
	w.work_status = STATUS_INSUFFICIENT_RESOURCES;
	EXPECT_STATUS(STATUS_INSUFFICIENT_RESOURCES, modify(60, 6));
	EXPECT_EQ(q->depth, 6u);
	w.remove_device();
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, modify(0, 1));
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, ndk_srq_check(q, nullptr, 0));
}

TEST_F(Srq, notifications_do_not_overlap)
{
	NDK_COVERS("SRQ-4 CLOSE-6 CLOSE-13");
	make(8);
	w.inside(NDK_FX_CALL_SRQ, [&] {
		w.call([&](struct ndk_fx *fx) {
			return ndk_srq_modify(q, 0, 2, on_request, nullptr, fx);
		});
		w.finish(NDK_FX_SRQ_MODIFY);
		EXPECT_EQ(w.count(NDK_FX_CALL_SRQ), 1u) << "the next one waits";
	});
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 1));
	EXPECT_EQ(told(), 2u);
	w.inside(NDK_FX_CALL_SRQ, [&] { EXPECT_STATUS(STATUS_PENDING, w.close(q, 5)); });
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 1));
	EXPECT_EQ(told(), 3u);
	EXPECT_FALSE(w.exists(q));
}

TEST_F(Srq, nothing_after_close)
{
	NDK_COVERS("CLOSE-11 CLOSE-13");
	make(8);
	EXPECT_STATUS(STATUS_PENDING, w.call([&](struct ndk_fx *fx) {
		return ndk_srq_modify(q, 0, 2, on_request, nullptr, fx);
	}));
	EXPECT_STATUS(STATUS_PENDING, w.close(q, 5));
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_SRQ), 0u);
	EXPECT_EQ(w.told(NDK_FX_CALL_REQUEST), 1u);
	EXPECT_FALSE(w.exists(q));
}

TEST_F(Srq, a_fault_is_told_once)
{
	NDK_COVERS("SRQ-6");
	make(8, 2);
	w.call([&](struct ndk_fx *fx) { ndk_srq_failed(q, STATUS_INTERNAL_ERROR, fx); });
	EXPECT_EQ(told(), 1u);
	EXPECT_STATUS(STATUS_INTERNAL_ERROR, w.last(NDK_FX_CALL_SRQ).status);
	w.call([&](struct ndk_fx *fx) { ndk_srq_failed(q, STATUS_BUFFER_OVERFLOW, fx); });
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 4));
	EXPECT_STATUS(STATUS_INTERNAL_ERROR, ndk_srq_check(q, nullptr, 0)) << "it would never complete";
	EXPECT_EQ(told(), 1u);
}

TEST_F(Srq, a_fault_while_quiet_and_events_that_come_late)
{
	NDK_COVERS("SRQ-6");
	make(8);
	post();
	w.call([&](struct ndk_fx *fx) { ndk_srq_failed(q, STATUS_INTERNAL_ERROR, fx); });
	EXPECT_EQ(told(), 1u);
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 1));
	EXPECT_EQ(told(), 1u);
	EXPECT_EQ(q->state, NDK_SRQ_FAULTY);
}

TEST_F(Srq, a_fault_meets_a_notification_that_is_due)
{
	NDK_COVERS("SRQ-6");
	make(8);
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 1));
	ASSERT_TRUE(w.due(NDK_FX_CALL_SRQ)) << "for the threshold";
	w.call([&](struct ndk_fx *fx) { ndk_srq_failed(q, STATUS_INTERNAL_ERROR, fx); });
	EXPECT_EQ(told(), 1u) << "it carries the fault, which is not told again";
	EXPECT_STATUS(STATUS_INTERNAL_ERROR, w.last(NDK_FX_CALL_SRQ).status);
}

TEST_F(Srq, no_callback_given)
{
	NDK_COVERS("SRQ-1");
	make(8);
	q->notify = nullptr;
	EXPECT_STATUS(STATUS_SUCCESS, modify(0, 1));
	w.call([&](struct ndk_fx *fx) { ndk_srq_failed(q, STATUS_INTERNAL_ERROR, fx); });
	EXPECT_EQ(told(), 0u);
}
