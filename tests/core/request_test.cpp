/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Requests: inline or pending, answered once, with the right context; seen through NdkListen, which
 * has the simplest life of all requests.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

class Request : public testing::Test {
protected:
	World w;
	struct ndk_listener *l = w.listener();
};

}

TEST_F(Request, pending_means_one_callback)
{
	NDK_COVERS("REQ-1 REQ-3 REQ-4 REQ-11 LISTEN-1");
	EXPECT_STATUS(STATUS_PENDING, w.listen(l, v4("192.0.2.1", 80), 0x123456789abcull));
	EXPECT_EQ(w.told(NDK_FX_CALL_REQUEST), 0u);
	w.settle();
	ASSERT_EQ(w.told(NDK_FX_CALL_REQUEST), 1u);
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_EQ(w.last(NDK_FX_CALL_REQUEST).tag, 0x123456789abcull);
}

TEST_F(Request, anything_else_means_none)
{
	NDK_COVERS("REQ-2 REQ-12");
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, w.listen(l, v4("198.51.100.1", 80)));
	EXPECT_TRUE(w.effects.empty());
	EXPECT_EQ(l->obj.refs[NDK_REF_REQUEST], 0u);
	EXPECT_EQ(l->req.phase, NDK_REQ_IDLE);
	EXPECT_EQ(l->state, NDK_LISTENER_CREATED);
	EXPECT_STATUS(STATUS_PENDING, w.listen(l, v4("192.0.2.1", 80)));
}

TEST_F(Request, in_pend_mode_even_a_known_answer_takes_the_callback)
{
	NDK_COVERS("REQ-1 REQ-4");
	w.host.answer = NDK_ANSWER_PEND;
	EXPECT_STATUS(STATUS_PENDING, w.listen(l, v4("198.51.100.1", 80), 4));
	w.settle();
	ASSERT_EQ(w.told(NDK_FX_CALL_REQUEST), 1u);
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_EQ(w.last(NDK_FX_CALL_REQUEST).tag, 4u);
}

TEST_F(Request, what_is_no_request_is_answered_inline_in_every_mode)
{
	NDK_COVERS("REQ-12 U-9 U-40");
	Sa bad = v4("192.0.2.1", 80);

	bad.len = 3;
	for (UCHAR mode : { NDK_ANSWER_NATURAL, NDK_ANSWER_PEND, NDK_ANSWER_WAIT }) {
		w.host.answer = mode;
		EXPECT_STATUS(STATUS_INVALID_ADDRESS, w.listen(l, bad));
		EXPECT_EQ(l->req.phase, NDK_REQ_IDLE);
		EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.call([&](struct ndk_fx *fx) {
			return ndk_listener_listen(l, bad.data(), 16, nullptr, nullptr, fx);
		}));
	}
}

TEST_F(Request, in_wait_mode_the_answer_is_the_return_value)
{
	NDK_COVERS("REQ-2");
	NTSTATUS status;

	w.host.answer = NDK_ANSWER_WAIT;
	EXPECT_STATUS(STATUS_PENDING, w.listen(l, v4("192.0.2.1", 80)));
	EXPECT_EQ(l->req.phase, NDK_REQ_CALLING) << "the shell is to wait";
	EXPECT_TRUE(w.finish(NDK_FX_CM_LISTEN));
	EXPECT_EQ(l->req.phase, NDK_REQ_ANSWERED);
	status = w.call([&](struct ndk_fx *fx) { return ndk_req_return(&l->obj, &l->req, fx); });
	EXPECT_STATUS(STATUS_SUCCESS, status);
	EXPECT_EQ(l->req.phase, NDK_REQ_IDLE);
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_REQUEST), 0u);
}

TEST_F(Request, the_callback_may_come_before_the_call_has_returned)
{
	NDK_COVERS("REQ-5 CLOSE-16");
	struct ndk_fx fx;
	NTSTATUS status;
	Sa at = v4("192.0.2.1", 80);

	ndk_fx_init(&fx);
	status = ndk_listener_listen(l, at.data(), at.len, on_request, nullptr, &fx);
	/* the shell carries the effects out before it returns to the consumer */
	ASSERT_EQ(fx.count, 1u);
	w.call([&](struct ndk_fx *inner) { ndk_listener_answer(l, 0, inner); });
	w.inside(NDK_FX_CALL_REQUEST, [&] { EXPECT_STATUS(STATUS_PENDING, w.close(l)); });
	EXPECT_TRUE(w.finish(NDK_FX_CALL_REQUEST));
	w.call([&](struct ndk_fx *inner) { ndk_effect_done(&fx.e[0], inner); });
	EXPECT_STATUS(STATUS_PENDING, status);
	w.settle();
	EXPECT_FALSE(w.exists(l));
}

TEST_F(Request, the_object_survives_until_the_callback_returned)
{
	NDK_COVERS("REQ-6 REQ-7 CLOSE-7 CLOSE-8 CLOSE-17");
	w.listen(l, v4("192.0.2.1", 80));
	w.finish(NDK_FX_CM_LISTEN);
	w.inside(NDK_FX_CALL_REQUEST, [&] {
		w.close(l);
		w.finish(NDK_FX_CM_UNLISTEN);
		EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY));
		EXPECT_TRUE(w.exists(l));
	});
	w.finish(NDK_FX_CALL_REQUEST);
	EXPECT_TRUE(w.due(NDK_FX_HW_DESTROY));
}

TEST_F(Request, further_calls_are_free_while_a_callback_runs)
{
	NDK_COVERS("REQ-8 CONC-9");
	Sa at = v4("192.0.2.1", 80);
	UCHAR buffer[28];
	ULONG len = sizeof(buffer);

	w.listen_error = -98; /* EADDRINUSE */
	w.listen(l, at);
	w.finish(NDK_FX_CM_LISTEN);
	w.listen_error = 0;
	w.inside(NDK_FX_CALL_REQUEST, [&] {
		/* the slot of the request is free: the next one begins inside the answer to the last */
		EXPECT_STATUS(STATUS_PENDING, w.listen(l, at, 2));
	});
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_REQUEST), 2u);
	EXPECT_EQ(w.last(NDK_FX_CALL_REQUEST).tag, 2u);
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_STATUS(STATUS_SUCCESS, ndk_listener_local_address(l, buffer, &len));
}

TEST_F(Request, close_waits_for_a_pending_one_and_cancels_it)
{
	NDK_COVERS("CLOSE-5 CLOSE-14 CLOSE-8 U-3");
	w.listen(l, v4("192.0.2.1", 80), 1);
	EXPECT_STATUS(STATUS_PENDING, w.close(l, 2));
	EXPECT_TRUE(w.finish(NDK_FX_CALL_REQUEST));
	EXPECT_STATUS(STATUS_CANCELLED, w.last(NDK_FX_CALL_REQUEST).status);
	w.settle();
	ASSERT_EQ(w.said.size(), 2u);
	EXPECT_EQ(w.said[0].kind, NDK_FX_CALL_REQUEST);
	EXPECT_EQ(w.said[1].kind, NDK_FX_CALL_CLOSE);
}

/* The shell has the answer and the close in either order. */
TEST_F(Request, an_answer_that_arrives_after_the_cancellation_is_ignored)
{
	NDK_COVERS("REQ-1 U-3");
	w.listen(l, v4("192.0.2.1", 80));
	w.close(l);
	w.finish(NDK_FX_CM_UNLISTEN);
	w.finish(NDK_FX_CM_LISTEN); /* BOUND in RETIRED */
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_REQUEST), 1u);
	EXPECT_STATUS(STATUS_CANCELLED, w.said[0].status);
}

TEST_F(Request, ending_one_that_is_not_pending_is_reported)
{
	NDK_COVERS("REQ-1");
	port::Expecting trouble;

	w.call([&](struct ndk_fx *fx) { ndk_req_end(&l->obj, &l->req, STATUS_SUCCESS, fx); });
	EXPECT_EQ(trouble.bugs(), 1u);
	EXPECT_TRUE(w.effects.empty());
}

TEST_F(Request, who_takes_no_callback_never_pends)
{
	NDK_COVERS("REQ-10 CQ-29 REJ-3");
	struct ndk_cq *cq = w.cq();

	for (UCHAR mode : { NDK_ANSWER_NATURAL, NDK_ANSWER_PEND, NDK_ANSWER_WAIT }) {
		w.host.answer = mode;
		NTSTATUS moderated = w.call([&](struct ndk_fx *fx) { return ndk_cq_moderate(cq, 100, 4, fx); });
		EXPECT_STATUS(STATUS_SUCCESS, moderated);
		NTSTATUS posted = ndk_post_check(w.qp(), NDK_OP_SEND, nullptr, 0, 0);
		EXPECT_STATUS(STATUS_CONNECTION_INVALID, posted);
		w.settle();
	}
	w.host.answer = NDK_ANSWER_NATURAL;
	struct ndk_listener *l = w.listener();
	EXPECT_STATUS(STATUS_PENDING, w.listen(l, v4("192.0.2.1", 2000)));
	w.settle();
	struct ndk_connector *c = w.incoming(l);
	w.settle();
	w.host.answer = NDK_ANSWER_PEND;
	EXPECT_STATUS(STATUS_SUCCESS, w.reject(c));
}
