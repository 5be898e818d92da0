/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The end of a connection: graceful, broken, timed out, closed; and the event that tells about it.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

class Established : public testing::Test {
protected:
	World w;
	struct ndk_qp *qp = w.qp();
	struct ndk_connector *c = w.established_active(qp);

	NTSTATUS answer()
	{
		w.settle();
		return w.last(NDK_FX_CALL_REQUEST).status;
	}

	unsigned events() const { return w.told(NDK_FX_CALL_DISCONNECT); }
};

/* A connector whose completion of establishment is due and has not run. */
class Young : public testing::Test {
protected:
	World w;
	struct ndk_qp *qp = w.qp();
	struct ndk_connector *c = w.connector();

	void SetUp() override
	{
		w.connect(c, qp);
		w.news(c, NDK_CM_RESPONSE);
		w.settle();
		w.complete(c);
		w.news(c, NDK_CM_ESTABLISHED);
	}
};

}

/* ---- graceful ---- */
TEST_F(Established, disconnect_waits_for_the_peers_goodbye_and_then_for_dma)
{
	NDK_COVERS("DISC-1 DISC-2 DISC-4 DISC-5 DISC-12 DISC-11");
	ULONG ms = 0;

	EXPECT_STATUS(STATUS_PENDING, w.disconnect(c));
	EXPECT_TRUE(w.due(NDK_FX_CM_DISCONNECT));
	EXPECT_FALSE(w.due(NDK_FX_QP_DRAIN));
	EXPECT_EQ(qp->state, NDK_QP_CONNECTED) << "no flush before the exchange";
	EXPECT_TRUE(w.timer(c, &ms));
	EXPECT_EQ(ms, NDK_DEFAULT_DISCONNECT_MS);
	w.finish(NDK_FX_CM_DISCONNECT);
	w.news(c, NDK_CM_DISCONNECTED);
	EXPECT_FALSE(w.due(NDK_FX_CALL_REQUEST)) << "DMA may still go on";
	EXPECT_EQ(w.count(NDK_FX_CM_DISCONNECT), 1u) << "the peer's own goodbye is answered";
	EXPECT_EQ(qp->can_initiate, 0);
	w.finish(NDK_FX_QP_DRAIN);
	EXPECT_STATUS(STATUS_SUCCESS, answer());
	EXPECT_EQ(c->state, NDK_CONN_DISCONNECTED);
	EXPECT_EQ(events(), 0u);
	EXPECT_EQ(w.host.count.active, 0u);
	EXPECT_EQ(w.host.count.conn_error, 0u);
	/* over for good: neither connector nor QP can be used again */
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, w.disconnect(c));
	EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE, w.connect(c, w.qp(), 1500));
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, w.connect(w.connector(), qp, 1500));
}

TEST_F(Established, the_peers_goodbye_is_told_once_and_flushes_nothing)
{
	NDK_COVERS("DISC-6 DISC-7 DISC-9 DISC-10 DISC-14 CMPL-3 CMPL-4 U-54");
	c->event_ctx = tag_of(0x77);
	w.news(c, NDK_CM_DISCONNECTED);
	EXPECT_EQ(w.effects.size(), 1u) << "the event and nothing else: no flush, no answer";
	w.settle();
	EXPECT_EQ(events(), 1u);
	EXPECT_EQ(w.last(NDK_FX_CALL_DISCONNECT).tag, 0x77u);
	EXPECT_EQ(qp->state, NDK_QP_CONNECTED);
	EXPECT_EQ(qp->can_initiate, 1);
	w.news(c, NDK_CM_DISCONNECTED);
	w.news(c, NDK_CM_UNREACHABLE, -110);
	w.settle();
	EXPECT_EQ(events(), 1u);
}

TEST_F(Established, disconnect_after_the_peers_goodbye_succeeds_without_another)
{
	NDK_COVERS("DISC-2 DISC-4 DISC-5 U-54");
	w.news(c, NDK_CM_DISCONNECTED);
	w.settle();
	EXPECT_STATUS(STATUS_PENDING, w.disconnect(c));
	EXPECT_TRUE(w.due(NDK_FX_CM_DISCONNECT));
	EXPECT_TRUE(w.due(NDK_FX_QP_DRAIN));
	EXPECT_FALSE(w.timer(c));
	EXPECT_STATUS(STATUS_SUCCESS, answer());
}

TEST_F(Established, both_sides_at_once)
{
	NDK_COVERS("DISC-2 CONC-10");
	w.disconnect(c);
	w.news(c, NDK_CM_DISCONNECTED);
	EXPECT_STATUS(STATUS_SUCCESS, answer());
	EXPECT_EQ(events(), 0u);
}

TEST_F(Established, disconnect_wants_an_answer_function)
{
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.call([&](struct ndk_fx *fx) {
		return ndk_connector_disconnect(c, nullptr, nullptr, fx);
	}));
	EXPECT_EQ(c->state, NDK_CONN_ESTABLISHED);
}

/* ---- not graceful ---- */
TEST_F(Established, a_peer_that_never_answers)
{
	NDK_COVERS("DISC-3 DISC-4 DISC-12");
	w.disconnect(c);
	w.deadline(c);
	EXPECT_FALSE(w.due(NDK_FX_CALL_REQUEST));
	w.finish(NDK_FX_QP_DRAIN);
	EXPECT_STATUS(STATUS_IO_TIMEOUT, answer());
	EXPECT_EQ(c->state, NDK_CONN_DISCONNECTED);
}

TEST_F(Established, a_connection_that_breaks_during_the_handshake)
{
	NDK_COVERS("DISC-3 U-21 DISC-4");
	w.disconnect(c);
	w.call([&](struct ndk_fx *fx) { ndk_qp_broken(qp, fx); });
	EXPECT_STATUS(STATUS_CONNECTION_ABORTED, answer());
	EXPECT_EQ(events(), 0u);
	EXPECT_EQ(c->state, NDK_CONN_DISCONNECTED);
}

TEST_F(Established, a_goodbye_that_times_out_in_the_connection_manager)
{
	NDK_COVERS("DISC-3");
	w.disconnect(c);
	w.news(c, NDK_CM_DISCONNECTED, -110);
	EXPECT_STATUS(STATUS_IO_TIMEOUT, answer());
}

TEST_F(Established, an_abort_is_told_and_disconnect_cannot_succeed_any_more)
{
	NDK_COVERS("DISC-6 DISC-3 DISC-10 U-21 U-28 DISC-12");
	w.call([&](struct ndk_fx *fx) { ndk_qp_broken(qp, fx); });
	EXPECT_FALSE(w.due(NDK_FX_QP_FLUSH));
	w.settle();
	EXPECT_EQ(events(), 1u);
	EXPECT_EQ(c->state, NDK_CONN_ABORTED);
	EXPECT_EQ(w.host.count.conn_error, 1u);
	EXPECT_STATUS(STATUS_PENDING, w.disconnect(c));
	EXPECT_STATUS(STATUS_CONNECTION_ABORTED, answer());
	EXPECT_EQ(c->state, NDK_CONN_DISCONNECTED);
}

TEST_F(Established, a_request_that_failed_before_a_flush_and_is_reported_behind_it_is_an_abort)
{
	NDK_COVERS("DISC-6 DISC-3 FLUSH-1 U-21 U-28");
	w.call([&](struct ndk_fx *fx) { ndk_qp_flush(qp, fx); });
	w.settle();
	EXPECT_EQ(c->state, NDK_CONN_ESTABLISHED);
	w.call([&](struct ndk_fx *fx) { ndk_qp_broken(qp, fx); });
	w.settle();
	EXPECT_EQ(events(), 1u);
	EXPECT_EQ(c->state, NDK_CONN_ABORTED);
	EXPECT_STATUS(STATUS_PENDING, w.disconnect(c));
	EXPECT_STATUS(STATUS_CONNECTION_ABORTED, answer());
}

TEST_F(Established, a_failure_from_before_a_flush_that_is_reported_during_the_handshake_is_an_abort)
{
	NDK_COVERS("DISC-3 FLUSH-1 U-21 U-28");
	w.call([&](struct ndk_fx *fx) { ndk_qp_flush(qp, fx); });
	w.settle();
	EXPECT_STATUS(STATUS_PENDING, w.disconnect(c));
	w.call([&](struct ndk_fx *fx) { ndk_qp_broken(qp, fx); });
	EXPECT_STATUS(STATUS_CONNECTION_ABORTED, answer());
	EXPECT_EQ(events(), 0u);
	EXPECT_EQ(c->state, NDK_CONN_DISCONNECTED);
}

/* ---- the event ---- */
TEST_F(Established, no_event_where_none_was_asked_for)
{
	NDK_COVERS("DISC-15");
	c->event = nullptr;
	w.news(c, NDK_CM_DISCONNECTED);
	EXPECT_TRUE(w.effects.empty());
	EXPECT_EQ(c->state, NDK_CONN_PEER_GONE);
}

TEST_F(Established, the_ex_form_is_called_if_the_ex_form_was_given)
{
	NDK_COVERS("DISC-16 DISC-17 U-47 CMPL-15 ACPT-9");
	c->event = nullptr;
	c->event_ex = on_disconnect_ex;
	w.news(c, NDK_CM_DISCONNECTED);
	w.settle();
	EXPECT_EQ(events(), 1u);
	EXPECT_EQ(w.last(NDK_FX_CALL_DISCONNECT).target, (VOID *)1);
	EXPECT_EQ(w.last(NDK_FX_CALL_DISCONNECT).status, 0) << "the reason is not known";
}

TEST_F(Established, an_event_that_has_not_started_is_suppressed_by_disconnect)
{
	NDK_COVERS("U-19 DISC-6 CONC-10");
	w.news(c, NDK_CM_DISCONNECTED);
	EXPECT_TRUE(w.due(NDK_FX_CALL_DISCONNECT));
	EXPECT_STATUS(STATUS_PENDING, w.disconnect(c));
	EXPECT_STATUS(STATUS_SUCCESS, answer());
	EXPECT_EQ(events(), 0u);
}

TEST_F(Established, an_event_that_has_started_may_find_the_consumer_disconnecting)
{
	NDK_COVERS("U-19 REQ-8");
	w.news(c, NDK_CM_DISCONNECTED);
	w.inside(NDK_FX_CALL_DISCONNECT, [&] { EXPECT_STATUS(STATUS_PENDING, w.disconnect(c)); });
	EXPECT_STATUS(STATUS_SUCCESS, answer());
	EXPECT_EQ(events(), 1u);
}

TEST_F(Established, an_event_that_has_not_started_is_suppressed_by_close)
{
	NDK_COVERS("CLOSE-13 CLOSE-11");
	w.news(c, NDK_CM_DISCONNECTED);
	w.close(c);
	w.settle();
	EXPECT_EQ(events(), 0u);
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 1u);
}

TEST_F(Established, close_from_inside_the_event_waits_for_its_return)
{
	NDK_COVERS("CLOSE-6 CLOSE-17");
	w.news(c, NDK_CM_DISCONNECTED);
	w.inside(NDK_FX_CALL_DISCONNECT, [&] {
		EXPECT_STATUS(STATUS_PENDING, w.close(c));
		w.finish(NDK_FX_CM_TEARDOWN);
		EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY));
	});
	w.finish(NDK_FX_CALL_DISCONNECT);
	EXPECT_TRUE(w.due(NDK_FX_HW_DESTROY));
}

TEST_F(Young, the_event_comes_after_the_completion_returned)
{
	NDK_COVERS("U-18");
	w.news(c, NDK_CM_DISCONNECTED);
	EXPECT_EQ(c->state, NDK_CONN_PEER_GONE);
	EXPECT_FALSE(w.due(NDK_FX_CALL_DISCONNECT));
	w.inside(NDK_FX_CALL_REQUEST, [&] {
		EXPECT_FALSE(w.due(NDK_FX_CALL_DISCONNECT));
		EXPECT_EQ(w.told(NDK_FX_CALL_DISCONNECT), 0u);
	});
	w.finish(NDK_FX_CALL_REQUEST);
	EXPECT_TRUE(w.due(NDK_FX_CALL_DISCONNECT));
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_DISCONNECT), 1u);
}

TEST_F(Young, an_event_held_back_is_forgotten_if_the_consumer_disconnects_first)
{
	NDK_COVERS("U-18 U-19");
	w.news(c, NDK_CM_DISCONNECTED);
	w.inside(NDK_FX_CALL_REQUEST, [&] { EXPECT_STATUS(STATUS_PENDING, w.disconnect(c)); });
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_DISCONNECT), 0u);
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_REQUEST).status);
}

TEST_F(Young, an_event_held_back_is_forgotten_if_the_consumer_closes_first)
{
	NDK_COVERS("U-18 CLOSE-13");
	w.news(c, NDK_CM_STEP_FAILED, -5);
	w.inside(NDK_FX_CALL_REQUEST, [&] { w.close(c); });
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_DISCONNECT), 0u);
}

/* ---- close instead of disconnect ---- */
TEST_F(Established, close_tears_down_and_flushes)
{
	NDK_COVERS("U-22 CLOSE-14 DISC-6 EP-3");
	EXPECT_STATUS(STATUS_PENDING, w.close(c));
	ASSERT_EQ(w.effects.size(), 1u);
	EXPECT_EQ(w.effects[0].kind, NDK_FX_CM_TEARDOWN);
	EXPECT_NE(w.effects[0].arg, 0u) << "with flush and drain";
	EXPECT_EQ(qp->state, NDK_QP_DEAD);
	EXPECT_EQ(w.host.endpoints.count, 1u) << "until the teardown is over";
	w.settle();
	EXPECT_EQ(events(), 0u);
	EXPECT_EQ(w.host.endpoints.count, 0u);
	EXPECT_EQ(w.host.tuples.count, 0u);
}

TEST_F(Established, the_address_stays_taken_after_disconnect_until_close)
{
	NDK_COVERS("EP-3 EP-5 EP-7 U-7 EP-1");
	struct ndk_connector *second = w.connector();
	struct ndk_qp *other = w.qp();
	USHORT port = c->local.port;

	w.disconnect(c);
	w.news(c, NDK_CM_DISCONNECTED);
	w.settle();
	EXPECT_STATUS(STATUS_ADDRESS_ALREADY_EXISTS, w.connect(second, other, port, 2000));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, w.connect(second, other, port, 2001));
	w.close(c);
	w.settle();
	EXPECT_STATUS(STATUS_PENDING, w.connect(second, other, port, 2000));
}

TEST_F(Established, close_while_disconnecting_ends_the_disconnect_first)
{
	NDK_COVERS("CLOSE-5 CLOSE-14 U-3 DISC-4");
	w.disconnect(c);
	w.close(c, 8);
	EXPECT_FALSE(w.due(NDK_FX_CALL_REQUEST)) << "not before DMA ended";
	w.settle();
	EXPECT_STATUS(STATUS_CANCELLED, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_EQ(w.said.back().kind, NDK_FX_CALL_CLOSE);
}

TEST_F(Established, close_while_draining_in_either_order)
{
	NDK_COVERS("CLOSE-5 DISC-4");
	w.disconnect(c);
	w.news(c, NDK_CM_DISCONNECTED);
	w.close(c);
	w.finish(NDK_FX_CM_TEARDOWN);
	EXPECT_EQ(c->state, NDK_CONN_CLOSED);
	w.finish(NDK_FX_QP_DRAIN); /* the drain outlived the teardown: nothing to do any more */
	EXPECT_EQ(c->state, NDK_CONN_CLOSED);
	w.settle();
	EXPECT_STATUS(STATUS_CANCELLED, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_FALSE(w.exists(c));
}

TEST_F(Established, a_consumer_that_never_answers_the_goodbye_is_answered_for)
{
	NDK_COVERS("U-54");
	w.news(c, NDK_CM_DISCONNECTED);
	w.settle();
	EXPECT_TRUE(w.timer(c));
	w.deadline(c);
	EXPECT_TRUE(w.due(NDK_FX_CM_DISCONNECT));
	EXPECT_EQ(c->state, NDK_CONN_PEER_GONE);
	EXPECT_EQ(qp->can_initiate, 1);
}

/* ---- the device goes ---- */
TEST_F(Established, removal_is_an_abort)
{
	NDK_COVERS("U-45");
	w.remove_device();
	w.settle();
	EXPECT_EQ(events(), 1u);
	EXPECT_EQ(c->state, NDK_CONN_ABORTED);
	EXPECT_STATUS(STATUS_PENDING, w.disconnect(c));
	EXPECT_STATUS(STATUS_CONNECTION_ABORTED, answer());
	EXPECT_STATUS(STATUS_PENDING, w.close(c));
	w.settle();
	EXPECT_FALSE(w.exists(c));
}

TEST_F(Established, removal_ends_a_disconnect)
{
	NDK_COVERS("U-45");
	w.disconnect(c);
	w.remove_device();
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, answer());
}
