/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Arming a completion queue: merging, satisfying, serialising, faults.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

class Cq : public testing::Test {
protected:
	World w;
	struct ndk_cq *cq = w.cq();

	void arm(ULONG type)
	{
		w.call([&](struct ndk_fx *fx) { ndk_cq_arm(cq, type, fx); });
	}
	void arrive(bool solicited = false)
	{
		w.call([&](struct ndk_fx *fx) { ndk_cq_arrived(cq, solicited, fx); });
	}
	void fail(NTSTATUS status)
	{
		w.call([&](struct ndk_fx *fx) { ndk_cq_failed(cq, status, fx); });
	}
	unsigned told() const { return w.told(NDK_FX_CALL_CQ); }
};

constexpr ULONG kErrors = NDK_CQ_NOTIFY_ERRORS;
constexpr ULONG kAny = NDK_CQ_NOTIFY_ANY;
constexpr ULONG kSolicited = NDK_CQ_NOTIFY_SOLICITED;

}

TEST_F(Cq, two_arms_merge_as_the_table_says)
{
	NDK_COVERS("CQ-8");
	const struct {
		ULONG first, second;
		UCHAR result;
	} table[] = {
		{ kErrors, kErrors, NDK_CQ_ERRORS },	  { kErrors, kSolicited, NDK_CQ_SOLICITED },
		{ kErrors, kAny, NDK_CQ_ANY },		  { kSolicited, kErrors, NDK_CQ_SOLICITED },
		{ kSolicited, kSolicited, NDK_CQ_SOLICITED }, { kSolicited, kAny, NDK_CQ_ANY },
		{ kAny, kErrors, NDK_CQ_ANY },		  { kAny, kSolicited, NDK_CQ_ANY },
		{ kAny, kAny, NDK_CQ_ANY },
	};

	for (const auto &row : table) {
		struct ndk_cq *fresh = w.cq();
		w.call([&](struct ndk_fx *fx) { ndk_cq_arm(fresh, row.first, fx); });
		w.call([&](struct ndk_fx *fx) { ndk_cq_arm(fresh, row.second, fx); });
		EXPECT_EQ(fresh->armed, row.result) << row.first << " then " << row.second;
	}
}

TEST_F(Cq, the_hardware_is_asked_for_what_can_satisfy_the_arm)
{
	EXPECT_EQ(ndk_cq_wants(cq), 0u);
	arm(kErrors);
	EXPECT_EQ(ndk_cq_wants(cq), 0u) << "errors of the queue come by themselves";
	arm(kSolicited);
	EXPECT_EQ(ndk_cq_wants(cq), kSolicited);
	arm(kAny);
	EXPECT_EQ(ndk_cq_wants(cq), kAny);
}

TEST_F(Cq, an_unknown_type_loses_no_wake_up)
{
	arm(12345);
	EXPECT_EQ(cq->armed, NDK_CQ_ANY);
}

TEST_F(Cq, nobody_is_called_who_did_not_arm)
{
	NDK_COVERS("CQ-3");
	arrive();
	arrive(true);
	w.settle();
	EXPECT_EQ(told(), 0u);
}

TEST_F(Cq, one_arm_pays_for_one_callback)
{
	NDK_COVERS("CQ-4 CQ-10 CQ-13");
	cq->notify_ctx = tag_of(5);
	arm(kAny);
	arrive();
	EXPECT_EQ(cq->armed, NDK_CQ_NONE) << "cleared before the call";
	arrive();
	w.settle();
	EXPECT_EQ(told(), 1u);
	EXPECT_EQ(w.last(NDK_FX_CALL_CQ).tag, 5u);
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_CQ).status);
}

TEST_F(Cq, what_satisfies_which_arm)
{
	NDK_COVERS("CQ-9 CQ-10 CQ-11 CQ-12");
	arm(kErrors);
	arrive();
	arrive(true);
	w.settle();
	EXPECT_EQ(told(), 0u);
	ndk_cq_emptied(cq);
	arm(kSolicited);
	arrive();
	w.settle();
	EXPECT_EQ(told(), 0u);
	arrive(true);
	w.settle();
	EXPECT_EQ(told(), 1u);
	ndk_cq_emptied(cq);
	arm(kAny);
	arrive();
	w.settle();
	EXPECT_EQ(told(), 2u);
	ndk_cq_emptied(cq);
	arm(kAny);
	arrive(true);
	w.settle();
	EXPECT_EQ(told(), 3u);
}

TEST_F(Cq, arming_is_satisfied_at_once_by_what_came_after_the_last_callback)
{
	NDK_COVERS("CQ-5 CQ-6");
	arrive();
	arm(kAny);
	w.settle();
	EXPECT_EQ(told(), 1u);
	arm(kAny); /* the same result: already told */
	w.settle();
	EXPECT_EQ(told(), 1u);
	arrive();
	w.settle();
	EXPECT_EQ(told(), 2u);
}

TEST_F(Cq, arming_for_solicited_is_satisfied_at_once_by_a_solicited_one_only)
{
	NDK_COVERS("CQ-5 CQ-11");
	arrive();
	arm(kSolicited);
	w.settle();
	EXPECT_EQ(told(), 0u);
	arrive(true);
	w.settle();
	EXPECT_EQ(told(), 1u);
	arrive(true);
	arrive();
	arm(kSolicited);
	w.settle();
	EXPECT_EQ(told(), 2u);
}

TEST_F(Cq, arming_an_empty_queue_waits)
{
	NDK_COVERS("CQ-5");
	arrive();
	ndk_cq_emptied(cq);
	arm(kAny);
	w.settle();
	EXPECT_EQ(told(), 0u);
}

TEST_F(Cq, a_result_during_the_callback_counts_as_after_it_started)
{
	NDK_COVERS("CQ-5 CQ-7 CONC-7 CONC-11");
	arm(kAny);
	arrive();
	w.inside(NDK_FX_CALL_CQ, [&] {
		arrive();
		arm(kAny);
		EXPECT_FALSE(w.count(NDK_FX_CALL_CQ) > 1) << "one after the other";
		EXPECT_TRUE(cq->fire_again);
	});
	w.finish(NDK_FX_CALL_CQ);
	EXPECT_EQ(told(), 1u);
	EXPECT_TRUE(w.due(NDK_FX_CALL_CQ)) << "what fell due meanwhile follows";
	w.settle();
	EXPECT_EQ(told(), 2u);
}

TEST_F(Cq, several_that_fall_due_during_a_callback_are_one)
{
	NDK_COVERS("CQ-4 CQ-7");
	arm(kAny);
	arrive();
	w.inside(NDK_FX_CALL_CQ, [&] {
		for (int i = 0; i < 3; i++) {
			arrive();
			arm(kAny);
		}
	});
	w.settle();
	EXPECT_EQ(told(), 2u);
}

/* ---- close ---- */
TEST_F(Cq, close_waits_for_a_running_callback_and_drops_one_that_is_due)
{
	NDK_COVERS("CQ-19 CLOSE-6 CLOSE-13 CLOSE-17");
	arm(kAny);
	arrive();
	w.inside(NDK_FX_CALL_CQ, [&] {
		arrive();
		arm(kAny);
		EXPECT_STATUS(STATUS_PENDING, w.close(cq));
		EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY));
	});
	w.settle();
	EXPECT_EQ(told(), 1u) << "the second is dropped";
	EXPECT_FALSE(w.exists(cq));
}

TEST_F(Cq, close_suppresses_a_callback_that_has_not_started)
{
	NDK_COVERS("CLOSE-13 CQ-19");
	arm(kAny);
	arrive();
	w.close(cq);
	w.settle();
	EXPECT_EQ(told(), 0u);
}

TEST_F(Cq, nothing_starts_after_close_was_asked_for)
{
	NDK_COVERS("CLOSE-13");
	struct ndk_qp *qp = w.qp(w.pd(), cq);

	arm(kAny);
	w.close(cq);
	arrive();
	EXPECT_FALSE(w.due(NDK_FX_CALL_CQ));
	w.close(qp);
	w.settle();
	EXPECT_EQ(told(), 0u);
}

/* ---- faults ---- */
class CqFault : public Cq, public testing::WithParamInterface<ULONG> {};

TEST_P(CqFault, satisfies_any_arm)
{
	NDK_COVERS("U-32 CQ-9 CQ-14 CQ-15");
	arm(GetParam());
	fail(STATUS_BUFFER_OVERFLOW);
	w.settle();
	EXPECT_EQ(told(), 1u);
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, w.last(NDK_FX_CALL_CQ).status);
	EXPECT_EQ(w.host.count.cq_error, 1u);
}

TEST_P(CqFault, is_remembered_for_the_next_arm)
{
	NDK_COVERS("U-32");
	fail(STATUS_INTERNAL_ERROR);
	w.settle();
	EXPECT_EQ(told(), 0u);
	arm(GetParam());
	w.settle();
	EXPECT_EQ(told(), 1u);
	EXPECT_STATUS(STATUS_INTERNAL_ERROR, w.last(NDK_FX_CALL_CQ).status);
	arm(GetParam());
	w.settle();
	EXPECT_EQ(told(), 2u) << "it does not go away";
}

INSTANTIATE_TEST_SUITE_P(Arms, CqFault, testing::Values(kErrors, kSolicited, kAny));

TEST_F(Cq, the_first_fault_is_the_one_that_is_told)
{
	NDK_COVERS("CQ-14 U-32");
	fail(STATUS_BUFFER_OVERFLOW);
	fail(STATUS_INTERNAL_ERROR);
	arm(kErrors);
	w.settle();
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, w.last(NDK_FX_CALL_CQ).status);
	EXPECT_EQ(w.host.count.cq_error, 1u);
}

TEST_F(Cq, the_status_is_that_of_the_moment_of_the_callback)
{
	NDK_COVERS("CQ-13 CQ-14");
	arm(kAny);
	arrive();
	fail(STATUS_BUFFER_OVERFLOW);
	w.settle();
	EXPECT_EQ(told(), 1u);
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, w.last(NDK_FX_CALL_CQ).status);
}

/* ---- resize and moderation ---- */
namespace {

class CqKnobs : public testing::Test {
protected:
	World w;
	struct ndk_cq *cq = w.cq();

	NTSTATUS resize(ULONG depth)
	{
		NTSTATUS status = w.call([&](struct ndk_fx *fx) {
			return ndk_cq_resize(cq, depth, on_request, tag_of(4), fx);
		});
		if (status != STATUS_PENDING)
			return status;
		w.settle();
		return w.last(NDK_FX_CALL_REQUEST).status;
	}
	NTSTATUS moderate(ULONG interval, ULONG count)
	{
		NTSTATUS status = w.call([&](struct ndk_fx *fx) {
			return ndk_cq_moderate(cq, interval, count, fx);
		});
		w.settle();
		return status;
	}
};

}

TEST_F(CqKnobs, resize)
{
	NDK_COVERS("CQ-20 U-33 REQ-12 U-45");
	EXPECT_STATUS(STATUS_SUCCESS, resize(128));
	EXPECT_EQ(cq->depth, 128u);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, resize(129));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, resize(0));
	w.work_status = STATUS_BUFFER_OVERFLOW;
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, resize(2));
	EXPECT_EQ(cq->depth, 128u);
	w.work_status = STATUS_SUCCESS;
	EXPECT_STATUS(STATUS_PENDING, w.call([&](struct ndk_fx *fx) {
		return ndk_cq_resize(cq, 3, on_request, nullptr, fx);
	}));
	EXPECT_STATUS(STATUS_DEVICE_BUSY, resize(4));
	w.settle();
	EXPECT_EQ(cq->depth, 3u);
	w.remove_device();
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, resize(4));
	w.host.info.AdapterFlags = 0;
	EXPECT_STATUS(STATUS_NOT_SUPPORTED, resize(4));
}

TEST_F(CqKnobs, moderation)
{
	NDK_COVERS("CQ-22 CQ-23 CQ-24 CQ-25 CQ-26 CQ-29");
	EXPECT_EQ(cq->interval, 0u) << "none by default";
	EXPECT_STATUS(STATUS_SUCCESS, moderate(500, 4));
	EXPECT_EQ(cq->interval, 500u);
	EXPECT_EQ(cq->gather, 4u);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER_MIX, moderate(0xffffffffu, 0xffffffffu));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER_MIX, moderate(0xffffffffu, 17)) << "more than the depth";
	EXPECT_EQ(cq->gather, 4u) << "unchanged";
	EXPECT_STATUS(STATUS_SUCCESS, moderate(0xffffffffu, 16));
	EXPECT_STATUS(STATUS_SUCCESS, moderate(500, 17));
	EXPECT_EQ(cq->gather, 0xffffffffu) << "the interval alone";
	EXPECT_STATUS(STATUS_SUCCESS, moderate(0xffffffffu, 1));
	EXPECT_EQ(cq->interval, 0u) << "a count of one is no moderation";
	EXPECT_STATUS(STATUS_SUCCESS, moderate(0, 4));
	EXPECT_EQ(cq->interval, 0u);
	w.host.info.AdapterFlags = 0;
	EXPECT_STATUS(STATUS_NOT_SUPPORTED, moderate(0xffffffffu, 0xffffffffu));
}
