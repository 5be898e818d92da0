/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Listening, delivering requests, pausing, accepting and rejecting them, and closing in between.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

class Listening : public testing::Test {
protected:
	World w;
	struct ndk_listener *l = w.listener();
	struct ndk_qp *qp = w.qp();
	Sa at = v4("192.0.2.1", 80);

	void SetUp() override
	{
		EXPECT_STATUS(STATUS_PENDING, w.listen(l, at));
		w.settle();
		ASSERT_EQ(l->state, NDK_LISTENER_LISTENING);
	}

	enum ndk_verdict knock(USHORT port)
	{
		enum ndk_verdict verdict;

		w.incoming(l, port, &verdict);
		return verdict;
	}

	NTSTATUS answer()
	{
		w.settle();
		return w.last(NDK_FX_CALL_REQUEST).status;
	}
};

}

/* ---- NdkListen ---- */
TEST(Listen, port_zero_is_picked_and_can_be_read_afterwards)
{
	NDK_COVERS("LISTEN-4 LISTEN-5 LISTEN-14 ADDR-2");
	World w;
	struct ndk_listener *l = w.listener();
	UCHAR buffer[28];
	ULONG len = sizeof(buffer);

	EXPECT_STATUS(STATUS_CONNECTION_INVALID, ndk_listener_local_address(l, buffer, &len));
	w.listen(l, v4("192.0.2.1", 0));
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, ndk_listener_local_address(l, buffer, &len));
	w.settle();
	EXPECT_STATUS(STATUS_SUCCESS, ndk_listener_local_address(l, buffer, &len));
	EXPECT_GE(buffer[2] << 8 | buffer[3], 49152);
	len = 0;
	EXPECT_STATUS(STATUS_BUFFER_TOO_SMALL, ndk_listener_local_address(l, nullptr, &len));
	EXPECT_EQ(len, 16u);
}

TEST(Listen, failures_leave_it_ready_for_another_try)
{
	NDK_COVERS("LISTEN-2 LISTEN-3 U-40 U-52 CONN-16");
	World w;
	struct ndk_listener *l = w.listener(), *other = w.listener();
	Sa at = v4("192.0.2.1", 80);
	UCHAR buffer[28];
	ULONG len = sizeof(buffer);

	w.listen(other, at);
	w.settle();
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, w.listen(l, at));
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, w.listen(l, v4("198.51.100.1", 80)));
	w.listen_error = -98; /* somebody outside has the port */
	EXPECT_STATUS(STATUS_PENDING, w.listen(l, v4("192.0.2.1", 81)));
	w.settle();
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_EQ(w.host.endpoints.count, 1u) << "the address was given back";
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, ndk_listener_local_address(l, buffer, &len));
	w.listen_error = 0;
	EXPECT_STATUS(STATUS_PENDING, w.listen(l, v4("192.0.2.1", 81)));
	w.settle();
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_REQUEST).status);
}

TEST_F(Listening, twice_is_once_too_often)
{
	NDK_COVERS("U-40");
	EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE, w.listen(l, v4("192.0.2.1", 81)));
	struct ndk_listener *pending = w.listener();
	w.listen(pending, v4("192.0.2.1", 82));
	EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE, w.listen(pending, v4("192.0.2.1", 83)));
}

TEST(Listen, on_a_removed_device)
{
	NDK_COVERS("U-45");
	World w;
	struct ndk_listener *l = w.listener(), *binding = w.listener();

	w.listen(binding, v4("192.0.2.1", 81));
	w.remove_device();
	w.settle();
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, w.last(NDK_FX_CALL_REQUEST).status);
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, w.listen(l, v4("192.0.2.1", 80)));
	EXPECT_STATUS(STATUS_PENDING, w.close(l));
	w.settle();
}

/* ---- delivery ---- */
TEST_F(Listening, each_request_makes_one_connector_and_one_event)
{
	NDK_COVERS("LISTEN-7 LISTEN-9 LISTEN-15 U-46");
	l->event_ctx = tag_of(0x1234);
	struct ndk_connector *a = w.incoming(l, 7000), *b = w.incoming(l, 7001);

	EXPECT_EQ(w.count(NDK_FX_CALL_CONNECT), 2u) << "not one after the other";
	EXPECT_FALSE(ndk_obj_live(&a->obj));
	EXPECT_EQ(l->obj.refs[NDK_REF_CHILD], 2u) << "the endpoint is shared from delivery on";
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CONNECT), 2u);
	EXPECT_EQ(w.last(NDK_FX_CALL_CONNECT).tag, 0x1234u);
	EXPECT_EQ(w.last(NDK_FX_CALL_CONNECT).target, &b->obj.ndk.connector);
	EXPECT_TRUE(ndk_obj_live(&a->obj));
	EXPECT_EQ(a->obj.ndk.header.ObjectType, NdkObjectTypeConnector);
}

TEST_F(Listening, a_delivered_connector_knows_both_addresses)
{
	NDK_COVERS("CTR-5 CTR-7 EP-1");
	struct ndk_connector *c = w.incoming(l, 7000);
	UCHAR buffer[28];
	ULONG len = sizeof(buffer);

	w.settle();
	EXPECT_STATUS(STATUS_SUCCESS, ndk_connector_local_address(c, buffer, &len));
	EXPECT_EQ(buffer[3], 80);
	EXPECT_STATUS(STATUS_SUCCESS, ndk_connector_peer_address(c, buffer, &len));
	EXPECT_EQ(buffer[2] << 8 | buffer[3], 7000);
}

TEST_F(Listening, a_full_backlog_refuses_until_one_is_answered)
{
	NDK_COVERS("LISTEN-6 CONN-13");
	w.host.backlog = 2;
	struct ndk_connector *a = w.incoming(l, 7000);

	EXPECT_EQ(knock(7001), NDK_DELIVERED);
	EXPECT_EQ(knock(7002), NDK_REFUSE_BACKLOG);
	w.settle();
	EXPECT_EQ(knock(7002), NDK_REFUSE_BACKLOG) << "being told is no answer";
	w.reject(a);
	EXPECT_EQ(knock(7002), NDK_DELIVERED);
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CONNECT), 3u);
	EXPECT_GE(w.host.count.connect_fail, 2u);
}

TEST_F(Listening, pausing_looks_like_no_listener)
{
	NDK_COVERS("LISTEN-10 LISTEN-11 U-39");
	ndk_listener_pause(l, TRUE);
	ndk_listener_pause(l, TRUE);
	EXPECT_EQ(knock(7000), NDK_REFUSE_NO_ONE);
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CONNECT), 0u);
	ndk_listener_pause(l, FALSE);
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CONNECT), 0u) << "what was refused is not replayed";
	EXPECT_EQ(knock(7000), NDK_DELIVERED);
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CONNECT), 1u);
}

TEST(Listen, a_pause_before_listening_counts)
{
	NDK_COVERS("U-39");
	World w;
	struct ndk_listener *l = w.listener();
	enum ndk_verdict verdict;

	ndk_listener_pause(l, TRUE);
	w.listen(l, v4("192.0.2.1", 80));
	w.settle();
	w.incoming(l, 7000, &verdict);
	EXPECT_EQ(verdict, NDK_REFUSE_NO_ONE);
	/* not a barrier: what is under way when the pause comes is delivered */
	ndk_listener_pause(l, FALSE);
	w.incoming(l, 7000, &verdict);
	ndk_listener_pause(l, TRUE);
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CONNECT), 1u);
}

/* ---- accept ---- */
TEST_F(Listening, accepting_is_done_when_the_peer_confirmed)
{
	NDK_COVERS("ACPT-1 ACPT-2 ACPT-4 LISTEN-8 ACPT-3");
	struct ndk_connector *c = w.incoming(l);
	struct ndk_accept_args a = w.accept_args(qp);
	UCHAR data[149] = { 9 };
	ULONG ms = 0;

	w.settle();
	a.data = data;
	a.data_len = 149;
	auto accept = [&] {
		return w.call([&](struct ndk_fx *fx) { return ndk_connector_accept(c, &a, fx); });
	};
	EXPECT_STATUS(STATUS_INVALID_BUFFER_SIZE, accept());
	a.data_len = 148;
	a.fn = nullptr;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, accept());
	a.fn = on_request;
	a.qp = nullptr;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, accept());
	a.qp = &qp->obj.ndk.qp;
	EXPECT_STATUS(STATUS_PENDING, accept());
	EXPECT_EQ(c->data->out_len, 148u);
	EXPECT_TRUE(w.due(NDK_FX_CM_ACCEPT));
	EXPECT_TRUE(w.timer(c, &ms));
	EXPECT_EQ(ms, NDK_DEFAULT_ACCEPT_MS);
	EXPECT_EQ(w.host.tuples.count, 1u);
	EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE, accept());
	w.settle();
	EXPECT_EQ(qp->can_initiate, 0);
	w.news(c, NDK_CM_ESTABLISHED);
	EXPECT_STATUS(STATUS_SUCCESS, answer());
	EXPECT_EQ(qp->can_initiate, 1);
	EXPECT_EQ(w.host.count.accept, 1u);
}

TEST_F(Listening, a_peer_that_gives_up_while_we_accept)
{
	NDK_COVERS("ACPT-6 ACPT-7 REJ-6");
	struct {
		enum ndk_cm_event event;
		int err;
		NTSTATUS status;
	} const ways[] = {
		{ NDK_CM_REJECTED, NDK_REJ_CONSUMER_DEFINED, STATUS_CONNECTION_ABORTED },
		{ NDK_CM_DISCONNECTED, 0, STATUS_CONNECTION_ABORTED },
		{ NDK_CM_STEP_FAILED, -5, STATUS_CONNECTION_ABORTED },
		{ NDK_CM_UNREACHABLE, -110, STATUS_IO_TIMEOUT },
	};

	for (const auto &way : ways) {
		struct ndk_connector *c = w.incoming(l);
		w.settle();
		w.accept(c, w.qp());
		w.news(c, way.event, way.err);
		EXPECT_STATUS(way.status, answer());
		EXPECT_EQ(c->state, NDK_CONN_DEAD);
		w.close(c);
		w.settle();
	}
	struct ndk_connector *c = w.incoming(l);
	w.settle();
	w.accept(c, qp);
	w.deadline(c);
	EXPECT_STATUS(STATUS_IO_TIMEOUT, answer());
}

TEST_F(Listening, a_peer_that_gave_up_before_our_answer)
{
	NDK_COVERS("ACPT-6 REJ-4 U-17");
	struct ndk_connector *a = w.incoming(l, 7000), *r = w.incoming(l, 7001);

	w.settle();
	w.news(a, NDK_CM_REJECTED);
	w.news(r, NDK_CM_DISCONNECTED);
	EXPECT_TRUE(w.effects.empty()) << "nothing to tell before the consumer answers";
	EXPECT_STATUS(STATUS_CONNECTION_ABORTED, w.accept(a, qp));
	EXPECT_EQ(qp->state, NDK_QP_IDLE) << "the QP was not touched";
	EXPECT_STATUS(STATUS_CONNECTION_ABORTED, w.reject(r));
	EXPECT_EQ(a->state, NDK_CONN_DEAD);
	EXPECT_EQ(r->state, NDK_CONN_DEAD);
	EXPECT_EQ(l->waiting, 0u);
}

/* ---- reject ---- */
TEST_F(Listening, rejecting)
{
	NDK_COVERS("REJ-1 REJ-3 REJ-5 U-48 U-10");
	struct ndk_connector *c = w.incoming(l);
	UCHAR data[200] = { 3 };

	w.settle();
	EXPECT_STATUS(STATUS_INVALID_BUFFER_SIZE, w.call([&](struct ndk_fx *fx) {
		return ndk_connector_reject(c, data, 149, fx);
	}));
	EXPECT_EQ(c->state, NDK_CONN_INCOMING);
	EXPECT_STATUS(STATUS_SUCCESS, w.call([&](struct ndk_fx *fx) {
		return ndk_connector_reject(c, data, 148, fx);
	}));
	EXPECT_EQ(c->data->out[0], 3);
	EXPECT_TRUE(w.due(NDK_FX_CM_REJECT));
	EXPECT_EQ(c->state, NDK_CONN_DEAD);
	EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE, w.accept(c, qp));
	EXPECT_EQ(l->waiting, 0u);
}

TEST_F(Listening, closing_an_unanswered_connector_counts_as_a_reject)
{
	NDK_COVERS("U-41");
	struct ndk_connector *c = w.incoming(l);

	w.settle();
	w.close(c);
	EXPECT_TRUE(w.due(NDK_FX_CM_TEARDOWN));
	EXPECT_EQ(l->waiting, 0u);
	w.settle();
	EXPECT_FALSE(w.exists(c));
}

/* ---- close ---- */
TEST_F(Listening, close_refuses_from_the_moment_it_is_asked_for)
{
	NDK_COVERS("LISTEN-12 LIFE-6");
	struct ndk_connector *c = w.incoming(l);

	w.settle();
	EXPECT_STATUS(STATUS_PENDING, w.close(l));
	EXPECT_EQ(knock(7001), NDK_REFUSE_NO_ONE);
	EXPECT_TRUE(w.due(NDK_FX_CM_UNLISTEN));
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 0u) << "its connector lives";
	EXPECT_TRUE(w.exists(c));
}

TEST_F(Listening, close_waits_for_its_connectors_and_keeps_the_address_meanwhile)
{
	NDK_COVERS("LISTEN-13 EP-2 EP-5 EP-6 LIFE-4 LIFE-5");
	struct ndk_connector *c = w.established_passive(l, qp);
	struct ndk_listener *next = w.listener();

	w.close(l);
	w.settle();
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, w.listen(next, at));
	w.close(c);
	w.finish(NDK_FX_CM_TEARDOWN);
	w.finish(NDK_FX_HW_DESTROY);
	w.inside(NDK_FX_CALL_CLOSE, [&] {
		EXPECT_STATUS(STATUS_SHARING_VIOLATION, w.listen(next, at));
	});
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 2u);
	EXPECT_STATUS(STATUS_PENDING, w.listen(next, at));
}

TEST_F(Listening, what_was_delivered_may_be_accepted_after_the_close_was_asked_for)
{
	NDK_COVERS("U-41 LIFE-2");
	struct ndk_connector *c = w.incoming(l);

	w.settle();
	w.close(l);
	EXPECT_STATUS(STATUS_PENDING, w.accept(c, qp));
	w.news(c, NDK_CM_ESTABLISHED);
	EXPECT_STATUS(STATUS_SUCCESS, answer());
}

TEST_F(Listening, what_was_not_delivered_yet_is_dropped)
{
	NDK_COVERS("U-41 CLOSE-13 LISTEN-12");
	struct ndk_connector *c = w.incoming(l);

	w.close(l);
	EXPECT_TRUE(w.finish(NDK_FX_CALL_CONNECT));
	EXPECT_EQ(w.told(NDK_FX_CALL_CONNECT), 0u);
	EXPECT_TRUE(w.due(NDK_FX_CM_TEARDOWN, &c->obj));
	w.settle();
	EXPECT_FALSE(w.exists(c)) << "nobody closes what nobody heard of";
	EXPECT_FALSE(w.exists(l));
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 1u);
}

TEST_F(Listening, close_from_inside_the_connect_event_waits_for_its_return)
{
	NDK_COVERS("CLOSE-6 CLOSE-17 LISTEN-13");
	struct ndk_connector *c = w.incoming(l);

	w.inside(NDK_FX_CALL_CONNECT, [&] {
		w.close(c);
		w.close(l);
		w.finish(NDK_FX_CM_TEARDOWN);
		w.finish(NDK_FX_CM_UNLISTEN);
		w.finish(NDK_FX_HW_DESTROY, &c->obj);
		w.finish(NDK_FX_CALL_CLOSE, &c->obj);
		EXPECT_FALSE(w.exists(c));
		EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY, &l->obj));
	});
	w.finish(NDK_FX_CALL_CONNECT);
	EXPECT_TRUE(w.due(NDK_FX_HW_DESTROY, &l->obj));
}

TEST_F(Listening, removal_reaches_what_was_not_delivered_yet)
{
	NDK_COVERS("U-45");
	struct ndk_connector *c = w.incoming(l);

	w.remove_device();
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CONNECT), 1u);
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, w.accept(c, qp));
	EXPECT_STATUS(STATUS_PENDING, w.close(c));
	w.settle();
}
