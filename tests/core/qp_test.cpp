/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Queue pairs: what may be posted, and the rings that account for it.
 */
#include "world.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

class Post : public testing::Test {
protected:
	World w;
	struct ndk_qp *qp = w.qp();
	NDK_SGE sge[8] = {};

	void connect() { w.established_active(qp); }

	NTSTATUS check(UCHAR op, ULONG nsge, ULONG flags = 0)
	{
		return ndk_post_check(qp, op, nsge ? sge : nullptr, nsge, flags);
	}
};

/* A ring alone, with the slots the shell would give it. */
class Ring : public testing::Test {
protected:
	World w;
	struct ndk_qp *qp = nullptr;
	ULONG_PTR next_tag = 1;

	struct ndk_ring *ring(ULONG depth)
	{
		struct ndk_pd *pd = w.pd();

		qp = w.qp(pd, w.cq(), depth);
		qp->ctx = tag_of(0xc0de);
		return &qp->init;
	}

	bool post(struct ndk_ring *r, ULONG flags = 0, UCHAR op = NDK_OP_SEND)
	{
		if (full())
			return false;
		ndk_ring_fill(r, tag_of(next_tag++), op, flags);
		ndk_ring_post(r);
		return true;
	}

	/* What the posting functions ask before they post. */
	bool full()
	{
		qp->can_initiate = 1;
		return ndk_post_check(qp, NDK_OP_SEND, nullptr, 0, 0) == STATUS_NO_MORE_ENTRIES;
	}

	/* As if 2^32 requests had gone through, less a few: slots must not jump there. */
	static void wind(struct ndk_ring *r)
	{
		r->head = r->done = r->tail = (ULONG)-100;
		r->head_at = r->done_at = r->tail_at = (ULONG)-100 % r->depth;
	}

	/* Tag of the result, or 0 if there is none. */
	ULONG_PTR complete(struct ndk_ring *r, NTSTATUS status = STATUS_SUCCESS)
	{
		NDK_RESULT_EX out;

		return ndk_ring_complete(qp, r, status, 0, &out) ? (ULONG_PTR)out.RequestContext : 0;
	}
};

constexpr ULONG kSilent = NDK_OP_FLAG_SILENT_SUCCESS;

}

/* ---- posting ---- */
TEST_F(Post, a_limit_of_zero_is_no_reads)
{
	NDK_COVERS("RDL-9");
	struct ndk_connector *c = w.connector();
	struct ndk_connect_args a = w.connect_args(qp, v4("192.0.2.1", 1000), v4("192.0.2.9", 2000));

	a.out_limit = 0;
	EXPECT_STATUS(STATUS_PENDING, w.connect(c, a));
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	EXPECT_STATUS(STATUS_PENDING, w.complete(c));
	w.news(c, NDK_CM_ESTABLISHED);
	w.settle();
	EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, check(NDK_OP_READ, 1));
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_WRITE, 1));
}

TEST_F(Post, the_settled_values)
{
	NDK_COVERS("U-30 U-31");
	EXPECT_EQ(NDK_CQ_NOTIFY_ERRORS, 0u);
	EXPECT_EQ(NDK_CQ_NOTIFY_ANY, 1u);
	EXPECT_EQ(NDK_CQ_NOTIFY_SOLICITED, 2u);
	EXPECT_EQ(NDK_OP_FLAG_RDMA_READ_SINK, 0x80u);
	EXPECT_EQ(NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE, 0x100u);
	const ULONG single[] = { NDK_OP_FLAG_SILENT_SUCCESS, NDK_OP_FLAG_READ_FENCE, NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT,
				 NDK_OP_FLAG_ALLOW_REMOTE_READ, NDK_OP_FLAG_ALLOW_LOCAL_WRITE, NDK_OP_FLAG_INLINE,
				 NDK_OP_FLAG_RDMA_READ_SINK, NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE,
				 NDK_OP_FLAG_DEFER };
	ULONG all = 0;
	for (ULONG flag : single) {
		EXPECT_EQ(all & flag, 0u) << std::hex << flag;
		all |= flag;
	}
}

TEST_F(Post, initiators_need_a_connection_and_receives_do_not)
{
	NDK_COVERS("QP-3 QP-2 POST-1 U-25");
	for (UCHAR op : { NDK_OP_SEND, NDK_OP_READ, NDK_OP_WRITE, NDK_OP_BIND, NDK_OP_FAST_REGISTER,
			  NDK_OP_INVALIDATE })
		EXPECT_STATUS(STATUS_CONNECTION_INVALID, check(op, 0)) << (int)op;
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_RECEIVE, 1));
	connect();
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_SEND, 1));
	w.call([&](struct ndk_fx *fx) { ndk_qp_flush(qp, fx); });
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, check(NDK_OP_SEND, 1));
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_RECEIVE, 1));
}

TEST_F(Post, each_operation_has_its_flags)
{
	NDK_COVERS("U-27 U-29 DEFER-1 QP-4 QP-5 QP-10 QP-12 QP-14");
	const ULONG common = NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_READ_FENCE | NDK_OP_FLAG_DEFER;
	const struct {
		UCHAR op;
		ULONG allowed;
	} table[] = {
		{ NDK_OP_SEND, common | NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT | NDK_OP_FLAG_INLINE },
		{ NDK_OP_WRITE, common | NDK_OP_FLAG_INLINE },
		{ NDK_OP_READ, common | NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE },
		{ NDK_OP_BIND, common | NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE },
		{ NDK_OP_FAST_REGISTER, common | NDK_OP_FLAG_ALLOW_REMOTE_READ |
						NDK_OP_FLAG_ALLOW_REMOTE_WRITE |
						NDK_OP_FLAG_RDMA_READ_SINK },
		{ NDK_OP_INVALIDATE, common },
		{ NDK_OP_RECEIVE, 0 },
		{ 99, 0 },
	};

	connect();
	for (const auto &row : table) {
		for (unsigned bit = 0; bit < 32; bit++) {
			ULONG flag = 1u << bit;
			EXPECT_STATUS(row.allowed & flag ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER,
				      check(row.op, 0, flag))
				<< (int)row.op << " flag " << std::hex << flag;
		}
	}
}

TEST_F(Post, the_number_of_sges_is_limited_by_kind)
{
	NDK_COVERS("QP-7 U-27");
	connect(); /* 4 for initiators, 3 for receives, 2 for reads */
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_SEND, 4));
	EXPECT_STATUS(STATUS_DATA_OVERRUN, check(NDK_OP_SEND, 5));
	EXPECT_STATUS(STATUS_DATA_OVERRUN, check(NDK_OP_WRITE, 5));
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_READ, 2));
	EXPECT_STATUS(STATUS_DATA_OVERRUN, check(NDK_OP_READ, 3));
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_RECEIVE, 3));
	EXPECT_STATUS(STATUS_DATA_OVERRUN, check(NDK_OP_RECEIVE, 4));
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_SEND, 8, NDK_OP_FLAG_INLINE)) << "QP-6";
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_SEND, 0)) << "nothing is legal";
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, ndk_post_check(qp, NDK_OP_SEND, nullptr, 1, 0));
}

TEST_F(Post, the_number_of_bytes_is_limited)
{
	NDK_COVERS("QP-6 QP-8 U-27 U-29");
	connect();
	sge[0].Length = 1 << 16;
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_SEND, 1));
	sge[1].Length = 1;
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, check(NDK_OP_SEND, 2));
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, check(NDK_OP_RECEIVE, 2));
	/* lengths that overflow 32 bits together are still too long */
	sge[0].Length = sge[1].Length = 0x80000000u;
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, check(NDK_OP_SEND, 2));
	sge[0].Length = 32;
	sge[1].Length = 32;
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_SEND, 2, NDK_OP_FLAG_INLINE));
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_WRITE, 2, NDK_OP_FLAG_INLINE));
	sge[1].Length = 33;
	EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, check(NDK_OP_SEND, 2, NDK_OP_FLAG_INLINE));
}

TEST_F(Post, a_full_queue)
{
	NDK_COVERS("U-27 QP-2");
	connect();
	for (ULONG i = 0; i < qp->init.depth; i++) {
		EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_SEND, 0));
		ndk_ring_fill(&qp->init, nullptr, NDK_OP_SEND, 0);
		ndk_ring_post(&qp->init);
	}
	EXPECT_STATUS(STATUS_NO_MORE_ENTRIES, check(NDK_OP_SEND, 0));
	EXPECT_STATUS(STATUS_SUCCESS, check(NDK_OP_RECEIVE, 0)) << "the other queue is another queue";
}

/* ---- flush and break ---- */
TEST_F(Post, flush_of_a_qp_that_was_never_connected_leaves_it_connectable)
{
	NDK_COVERS("FLUSH-1 U-25");
	w.call([&](struct ndk_fx *fx) { ndk_qp_flush(qp, fx); });
	ASSERT_EQ(w.effects.size(), 1u);
	EXPECT_EQ(w.effects[0].arg, (ULONG)NDK_QP_FLUSH_RESET);
	w.settle();
	EXPECT_STATUS(STATUS_PENDING, w.connect(w.connector(), qp));
}

TEST_F(Post, flush_of_a_qp_that_is_being_closed_does_nothing)
{
	connect();
	w.close(qp);
	w.call([&](struct ndk_fx *fx) { ndk_qp_flush(qp, fx); });
	EXPECT_FALSE(w.due(NDK_FX_QP_FLUSH));
}

TEST_F(Post, a_broken_qp_is_dead)
{
	NDK_COVERS("U-28 DISC-11");
	w.call([&](struct ndk_fx *fx) { ndk_qp_broken(qp, fx); });
	EXPECT_EQ(qp->state, NDK_QP_DEAD);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, w.connect(w.connector(), qp));
}

TEST_F(Post, a_connection_hears_of_a_break_once)
{
	NDK_COVERS("U-28 DISC-7");
	connect();
	w.call([&](struct ndk_fx *fx) { ndk_qp_broken(qp, fx); });
	w.call([&](struct ndk_fx *fx) { ndk_qp_broken(qp, fx); });
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_DISCONNECT), 1u);
	EXPECT_EQ(w.host.count.conn_error, 1u);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, check(NDK_OP_SEND, 0));
}

/* ---- close ---- */
TEST_F(Post, a_qp_that_was_never_connected_flushes_its_receives_when_it_closes)
{
	NDK_COVERS("U-23 FLUSH-2");
	EXPECT_STATUS(STATUS_PENDING, w.close(qp));
	ASSERT_EQ(w.effects.size(), 1u);
	EXPECT_EQ(w.effects[0].kind, NDK_FX_QP_FLUSH);
	EXPECT_EQ(w.effects[0].arg, (ULONG)NDK_QP_FLUSH_END);
	w.finish(NDK_FX_QP_FLUSH);
	EXPECT_TRUE(w.due(NDK_FX_HW_DESTROY));
}

TEST_F(Post, a_qp_whose_connector_lives_is_not_flushed_by_its_close)
{
	NDK_COVERS("U-23 LIFE-6");
	struct ndk_connector *c = w.established_active(qp);

	EXPECT_STATUS(STATUS_PENDING, w.close(qp));
	EXPECT_TRUE(w.effects.empty());
	EXPECT_EQ(qp->state, NDK_QP_CONNECTED);
	w.close(c);
	EXPECT_NE(w.effects[0].arg, 0u) << "the teardown flushes";
	w.settle();
	EXPECT_FALSE(w.exists(qp));
}

TEST_F(Post, a_qp_closed_during_an_attempt_that_fails_is_flushed_then)
{
	NDK_COVERS("U-23 CONN-24");
	struct ndk_connector *c = w.connector();

	w.connect(c, qp);
	w.close(qp);
	EXPECT_FALSE(w.due(NDK_FX_QP_FLUSH));
	w.news(c, NDK_CM_REJECTED);
	w.finish(NDK_FX_CM_CONNECT);
	w.finish(NDK_FX_CM_TEARDOWN);
	EXPECT_TRUE(w.due(NDK_FX_QP_FLUSH, &qp->obj));
	w.settle();
	EXPECT_FALSE(w.exists(qp));
}

/* ---- rings ---- */
TEST_F(Ring, results_come_in_posting_order_with_both_contexts)
{
	NDK_COVERS("ORD-1 PD-9 QP-1 QP-28 U-26");
	struct ndk_ring *r = ring(4);
	NDK_RESULT_EX out;

	post(r, 0, NDK_OP_SEND);
	post(r, 0, NDK_OP_READ);
	EXPECT_EQ(ndk_ring_busy(r), 2u);
	ASSERT_TRUE(ndk_ring_complete(qp, r, STATUS_SUCCESS, 55, &out));
	EXPECT_EQ(out.RequestContext, tag_of(1));
	EXPECT_EQ(out.QPContext, tag_of(0xc0de));
	EXPECT_EQ(out.Type, NdkOperationTypeSend);
	EXPECT_EQ(out.BytesTransferred, 0u) << "meaningful for receives only";
	ASSERT_TRUE(ndk_ring_complete(qp, r, STATUS_CANCELLED, 0, &out));
	EXPECT_EQ(out.RequestContext, tag_of(2));
	EXPECT_EQ(out.Type, NdkOperationTypeRead);
	EXPECT_STATUS(STATUS_CANCELLED, out.Status);
	EXPECT_EQ(ndk_ring_busy(r), 0u);
}

TEST_F(Ring, each_operation_is_named_in_its_result)
{
	NDK_COVERS("QP-26");
	const struct {
		UCHAR op;
		NDK_OPERATION_TYPE type;
	} table[] = { { NDK_OP_SEND, NdkOperationTypeSend },
		      { NDK_OP_RECEIVE, NdkOperationTypeReceive },
		      { NDK_OP_READ, NdkOperationTypeRead },
		      { NDK_OP_WRITE, NdkOperationTypeWrite },
		      { NDK_OP_BIND, NdkOperationTypeBind },
		      { NDK_OP_FAST_REGISTER, NdkOperationTypeFastRegister },
		      { NDK_OP_INVALIDATE, NdkOperationTypeInvalidate } };
	struct ndk_ring *r = ring(2);
	NDK_RESULT_EX out;

	for (const auto &row : table) {
		ASSERT_TRUE(post(r, 0, row.op));
		ASSERT_TRUE(ndk_ring_complete(qp, r, STATUS_SUCCESS, 7, &out));
		ndk_ring_taken(r);
		EXPECT_EQ(out.Type, row.type);
		EXPECT_EQ(out.BytesTransferred, row.op == NDK_OP_RECEIVE ? 7u : 0u);
	}
}

TEST_F(Ring, a_slot_is_occupied_until_its_result_is_taken)
{
	NDK_COVERS("U-27");
	struct ndk_ring *r = ring(2);

	EXPECT_TRUE(post(r));
	EXPECT_TRUE(post(r));
	EXPECT_FALSE(post(r));
	EXPECT_EQ(complete(r), 1u);
	EXPECT_FALSE(post(r)) << "completed, but the consumer has not seen it";
	ndk_ring_taken(r);
	EXPECT_TRUE(post(r));
	EXPECT_FALSE(post(r));
}

TEST_F(Ring, silent_successes_make_no_result_and_free_their_slots)
{
	NDK_COVERS("QP-4 ORD-3");
	struct ndk_ring *r = ring(3);

	post(r, kSilent);
	post(r, kSilent);
	post(r);
	EXPECT_FALSE(post(r));
	EXPECT_EQ(complete(r), 0u);
	EXPECT_TRUE(post(r)) << "nothing visible is before it: free at once";
	EXPECT_EQ(complete(r), 0u);
	EXPECT_TRUE(post(r, kSilent));
	EXPECT_EQ(complete(r), 3u);
	EXPECT_FALSE(post(r));
	ndk_ring_taken(r);
	EXPECT_TRUE(post(r));
}

TEST_F(Ring, silent_ones_behind_a_visible_one_are_freed_with_it)
{
	NDK_COVERS("QP-4");
	struct ndk_ring *r = ring(4);

	post(r);
	post(r, kSilent);
	post(r, kSilent);
	post(r);
	EXPECT_EQ(complete(r), 1u);
	EXPECT_EQ(complete(r), 0u);
	EXPECT_EQ(complete(r), 0u);
	EXPECT_FALSE(post(r));
	ndk_ring_taken(r);
	EXPECT_TRUE(post(r));
	EXPECT_TRUE(post(r));
	EXPECT_TRUE(post(r));
	EXPECT_FALSE(post(r));
	EXPECT_EQ(complete(r), 4u);
}

TEST_F(Ring, a_silent_one_that_fails_is_seen)
{
	NDK_COVERS("QP-4 FLUSH-5 FLUSH-2");
	struct ndk_ring *r = ring(2);

	post(r, kSilent);
	post(r, kSilent);
	EXPECT_EQ(complete(r, STATUS_CANCELLED), 1u);
	EXPECT_EQ(complete(r, STATUS_CANCELLED), 2u);
	ndk_ring_taken(r);
	ndk_ring_taken(r);
	EXPECT_TRUE(post(r));
	EXPECT_TRUE(post(r));
}

TEST_F(Ring, misuse_is_reported)
{
	struct ndk_ring *r = ring(2);
	port::Expecting trouble;

	ndk_ring_taken(r);
	EXPECT_EQ(trouble.bugs(), 1u) << "taken, but nothing was completed";
}

/*
 * Every mix of posting, completing and taking on rings of small depth, against a plain queue as the
 * model; the counters start near 2^32, so that they pass it on the way.
 */
class RingModel : public Ring, public testing::WithParamInterface<ULONG> {};

TEST_P(RingModel, agrees_with_a_queue_over_many_rounds)
{
	NDK_COVERS("QP-4 ORD-1 U-27");
	struct ndk_ring *r = ring(GetParam());
	std::deque<std::pair<ULONG_PTR, ULONG>> posted;
	std::deque<ULONG_PTR> results;
	UINT32 seed = 12345;
	unsigned long took = 0;

	wind(r);
	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 1664525u + 1013904223u;
		ULONG flags = seed >> 20 & 1 ? kSilent : 0;
		switch (seed >> 24 & 3) {
		case 0:
		case 1: {
			ULONG_PTR tag = next_tag;
			if (post(r, flags)) {
				ASSERT_LT(posted.size() + results.size(), GetParam());
				posted.push_back({ tag, flags });
			}
			break;
		}
		case 2:
			if (!posted.empty()) {
				bool silent = posted.front().second != 0;
				ULONG_PTR got = complete(r);
				ASSERT_EQ(got, silent ? 0 : posted.front().first);
				if (!silent)
					results.push_back(got);
				posted.pop_front();
			}
			break;
		default:
			if (!results.empty()) {
				ndk_ring_taken(r);
				results.pop_front();
				took++;
			}
			break;
		}
		ASSERT_EQ(ndk_ring_busy(r), posted.size());
	}
	EXPECT_GT(took, 10000u);
	/* all slots come back */
	while (!posted.empty()) {
		if (complete(r))
			results.push_back(1);
		posted.pop_front();
	}
	for (; !results.empty(); results.pop_front())
		ndk_ring_taken(r);
	for (ULONG i = 0; i < GetParam(); i++)
		EXPECT_TRUE(post(r));
	EXPECT_FALSE(post(r));
}

INSTANTIATE_TEST_SUITE_P(Depths, RingModel, testing::Values(1, 2, 3, 4, 5, 7, 64, 100));
