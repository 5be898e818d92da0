/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Connecting and accepting: arguments, local checks, outcomes, retries, the QP and the addresses.
 */
#include "world.h"

#include <gtest/gtest.h>

#include <cstring>

namespace {

class Connecting : public testing::Test {
protected:
	World w;
	struct ndk_qp *qp = w.qp();
	struct ndk_connector *c = w.connector();
	Sa from = v4("192.0.2.1", 1000), to = v4("192.0.2.99", 2000);

	NTSTATUS answer()
	{
		w.settle();
		return w.last(NDK_FX_CALL_REQUEST).status;
	}
};

/* One way an attempt can fail: the news and what the consumer is told. */
struct Failure {
	enum ndk_cm_event event;
	int err;
	NTSTATUS status;
};

class Failing : public Connecting, public testing::WithParamInterface<Failure> {};

}

/* ---- arguments ---- */
TEST_F(Connecting, malformed_arguments_are_refused_inline)
{
	NDK_COVERS("CONN-4 CONN-25 U-9 REQ-12 CONN-21");
	struct ndk_connect_args a = w.connect_args(qp, from, to);
	Sa six = v6("2001:db8::99", 1);

	w.host.answer = NDK_ANSWER_PEND; /* inline whatever the mode */
	a.fn = nullptr;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, a));
	a = w.connect_args(qp, from, to);
	a.qp = nullptr;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, a));
	a = w.connect_args(qp, from, to);
	a.dst_len = 15;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, a));
	a.dst_len = 16;
	a.src_len = 15;
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, w.connect(c, a));
	a = w.connect_args(qp, from, six);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, a));
	Sa any = v4("0.0.0.0", 5);
	a = w.connect_args(qp, from, any);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, a));
	a = w.connect_args(qp, from, to);
	a.data_len = 1;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, a));
	EXPECT_EQ(c->state, NDK_CONN_IDLE);
	EXPECT_TRUE(w.effects.empty());
	EXPECT_EQ(w.host.endpoints.count, 0u);
}

TEST_F(Connecting, private_data_beyond_the_adapters_maximum_is_refused)
{
	NDK_COVERS("U-10 PRIV-1 CONN-7");
	struct ndk_connect_args a = w.connect_args(qp, from, to);
	UCHAR data[64] = { 1, 2, 3 };

	a.data = data;
	a.data_len = 57;
	EXPECT_STATUS(STATUS_INVALID_BUFFER_SIZE, w.connect(c, a));
	a.data_len = 56;
	EXPECT_STATUS(STATUS_PENDING, w.connect(c, a));
	memset(data, 0xff, sizeof(data)); /* U-49: borrowed for the call only */
	EXPECT_EQ(c->data->out_len, 56u);
	EXPECT_EQ(c->data->out[2], 3);
}

TEST_F(Connecting, only_a_fresh_qp_of_the_same_adapter_will_do)
{
	NDK_COVERS("U-11 CONN-2 DISC-11");
	struct ndk_adapter other = {};
	NDK_VERSION version = { 2, 1 };
	struct ndk_connector *second = w.connector();
	struct ndk_connect_args a = w.connect_args(qp, from, to);

	a.qp = (NDK_QP *)(VOID *)qp->pd; /* another kind of object */
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, a));
	ndk_adapter_init(&other, &w.host, version);
	qp->obj.adapter = &other;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, qp));
	qp->obj.adapter = w.adapter;
	EXPECT_STATUS(STATUS_PENDING, w.connect(c, qp));
	EXPECT_STATUS(STATUS_CONNECTION_ACTIVE, w.connect(second, qp, 1001));
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	EXPECT_STATUS(STATUS_CONNECTION_ACTIVE, w.connect(second, qp, 1001));
	w.complete(c);
	w.news(c, NDK_CM_REJECTED);
	w.settle();
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, w.connect(second, qp, 1001));
	ndk_link_del(&other.link);
	w.host.live[NdkObjectTypeAdapter]--;
}

TEST_F(Connecting, a_closed_qp_cannot_be_used)
{
	NDK_COVERS("U-11 LIFE-7");
	w.close(qp);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, qp));
	w.settle();
}

/* ---- local checks: outcomes of the request, so either place is allowed ---- */
class LocalChecks : public Connecting, public testing::WithParamInterface<UCHAR> {
protected:
	/* The answer wherever the mode puts it. */
	NTSTATUS outcome(NTSTATUS status)
	{
		if (GetParam() != NDK_ANSWER_PEND)
			return status;
		EXPECT_STATUS(STATUS_PENDING, status);
		return answer();
	}
};

TEST_P(LocalChecks, name_what_is_wrong_with_the_local_address)
{
	NDK_COVERS("CONN-16 CONN-17 CONN-20 U-6 U-8 U-16 ADDR-4 ADDR-5 ADDR-6 EP-7 CONN-8 CONN-9 REQ-2");
	struct ndk_connector *held = w.connector();
	struct ndk_qp *second = w.qp();
	Sa foreign = v4("198.51.100.7", 1000), any = v4("0.0.0.0", 1000), zero = v4("192.0.2.99", 0);

	EXPECT_STATUS(STATUS_PENDING, w.connect(held, second));
	w.news(held, NDK_CM_RESPONSE);
	w.settle();
	w.host.answer = GetParam();
	EXPECT_STATUS(STATUS_INVALID_ADDRESS,
		      outcome(w.connect(c, w.connect_args(qp, foreign, to))));
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, outcome(w.connect(c, w.connect_args(qp, any, to))));
	EXPECT_STATUS(STATUS_ADDRESS_ALREADY_EXISTS, outcome(w.connect(c, qp, 1000, 2000)));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, outcome(w.connect(c, qp, 1000, 2001)));
	EXPECT_STATUS(STATUS_CONNECTION_REFUSED,
		      outcome(w.connect(c, w.connect_args(qp, v4("192.0.2.1", 1001), zero))));
	/* nothing was taken by any of them, and connector and QP are as good as new (U-5) */
	EXPECT_EQ(w.host.endpoints.count, 1u);
	EXPECT_EQ(w.host.tuples.count, 1u);
	EXPECT_EQ(w.host.count.connect_fail, 5u);
	EXPECT_EQ(c->state, NDK_CONN_IDLE);
	EXPECT_STATUS(STATUS_PENDING, w.connect(c, qp, 1001));
}

INSTANTIATE_TEST_SUITE_P(Modes, LocalChecks, testing::Values(NDK_ANSWER_NATURAL, NDK_ANSWER_PEND));

TEST_F(Connecting, port_zero_is_given_a_port_and_the_consumer_can_read_it)
{
	NDK_COVERS("CONN-18 CTR-5 CONN-5 CONN-6 ADDR-2");
	Sa zero = v4("192.0.2.1", 0);
	UCHAR buffer[28];
	ULONG len = sizeof(buffer);

	EXPECT_STATUS(STATUS_CONNECTION_INVALID, ndk_connector_local_address(c, buffer, &len));
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, ndk_connector_peer_address(c, buffer, &len));
	EXPECT_STATUS(STATUS_PENDING, w.connect(c, w.connect_args(qp, zero, to)));
	EXPECT_STATUS(STATUS_SUCCESS, ndk_connector_local_address(c, buffer, &len));
	EXPECT_GE(buffer[2] << 8 | buffer[3], 49152);
	EXPECT_EQ(memcmp(buffer + 4, zero.bytes + 4, 4), 0);
	EXPECT_STATUS(STATUS_SUCCESS, ndk_connector_peer_address(c, buffer, &len));
	EXPECT_EQ(memcmp(buffer, to.bytes, 16), 0);
}

TEST_F(Connecting, no_port_left)
{
	NDK_COVERS("CONN-19");
	std::vector<struct ndk_ep> ep(NDK_EPHEMERAL_COUNT);
	struct ndk_addr a = parsed(v4("192.0.2.1", 0));

	for (struct ndk_ep &e : ep)
		ASSERT_STATUS(STATUS_SUCCESS, ndk_ep_take(&w.host, &e, NDK_EP_SHARED, &a, nullptr));
	EXPECT_STATUS(STATUS_TOO_MANY_ADDRESSES, w.connect(c, qp, 0));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, w.connect(c, qp, 50000));
	for (struct ndk_ep &e : ep)
		ndk_ep_give(&w.host, &e);
	EXPECT_STATUS(STATUS_PENDING, w.connect(c, qp, 0));
}

/* ---- the request goes out ---- */
TEST_F(Connecting, the_request_carries_what_was_asked)
{
	NDK_COVERS("CONN-1 CONN-9 CONN-15 CONN-22");
	ULONG ms = 0;

	EXPECT_STATUS(STATUS_PENDING, w.connect(c, qp));
	EXPECT_EQ(w.count(NDK_FX_CM_CONNECT), 1u);
	EXPECT_TRUE(w.timer(c, &ms));
	EXPECT_EQ(ms, NDK_DEFAULT_CONNECT_MS);
	EXPECT_EQ(c->qp, qp);
	EXPECT_EQ(qp->state, NDK_QP_TIED);
	EXPECT_EQ(w.host.endpoints.count, 1u);
	EXPECT_EQ(w.host.tuples.count, 1u);
}

TEST_P(Failing, is_answered_and_can_be_retried)
{
	NDK_COVERS("CONN-10 CONN-11 CONN-12 CONN-13 CONN-14 CONN-21 CONN-24 U-5 U-46 REJ-5");
	Failure f = GetParam();

	EXPECT_STATUS(STATUS_PENDING, w.connect(c, qp));
	w.finish(NDK_FX_CM_CONNECT);
	w.news(c, f.event, f.err);
	EXPECT_FALSE(w.timer(c));
	/* the answer waits until the failed identity is gone */
	EXPECT_FALSE(w.due(NDK_FX_CALL_REQUEST));
	EXPECT_EQ(w.effects[0].kind, NDK_FX_CM_TEARDOWN);
	EXPECT_EQ(w.effects[0].arg, 0u) << "CONN-24: the QP is left alone";
	EXPECT_STATUS(f.status, answer());
	EXPECT_EQ(c->state, NDK_CONN_IDLE);
	EXPECT_EQ(qp->state, NDK_QP_IDLE);
	EXPECT_EQ(w.host.endpoints.count, 0u);
	EXPECT_EQ(w.host.tuples.count, 0u);
	EXPECT_EQ(w.host.count.connect_fail, 1u);
	/* the same addresses, the same QP, the same connector */
	EXPECT_STATUS(STATUS_PENDING, w.connect(c, qp));
	w.news(c, NDK_CM_RESPONSE);
	EXPECT_STATUS(STATUS_SUCCESS, answer());
}

INSTANTIATE_TEST_SUITE_P(
	Ways, Failing,
	testing::Values(Failure{ NDK_CM_ADDR_ERROR, -101, STATUS_NETWORK_UNREACHABLE },
			Failure{ NDK_CM_ADDR_ERROR, -113, STATUS_HOST_UNREACHABLE },
			Failure{ NDK_CM_ROUTE_ERROR, -101, STATUS_NETWORK_UNREACHABLE },
			Failure{ NDK_CM_BIND_ERROR, -98, STATUS_SHARING_VIOLATION },
			Failure{ NDK_CM_LOCAL_ERROR, -12, STATUS_INSUFFICIENT_RESOURCES },
			Failure{ NDK_CM_CONNECT_ERROR, -110, STATUS_IO_TIMEOUT },
			Failure{ NDK_CM_UNREACHABLE, -110, STATUS_IO_TIMEOUT },
			Failure{ NDK_CM_REJECTED, NDK_REJ_CONSUMER_DEFINED, STATUS_CONNECTION_REFUSED },
			Failure{ NDK_CM_REJECTED, NDK_REJ_INVALID_SERVICE_ID,
				 STATUS_CONNECTION_REFUSED },
			Failure{ NDK_CM_DISCONNECTED, 0, STATUS_CONNECTION_REFUSED },
			Failure{ NDK_CM_STEP_FAILED, -12, STATUS_INSUFFICIENT_RESOURCES }));

TEST_F(Connecting, a_silent_peer_runs_into_the_deadline)
{
	NDK_COVERS("CONN-14 CONN-15");
	w.host.time_ms[NDK_TIME_CONNECT] = 77;
	w.connect(c, qp);
	ULONG ms = 0;
	EXPECT_TRUE(w.timer(c, &ms));
	EXPECT_EQ(ms, 77u);
	w.deadline(c);
	EXPECT_STATUS(STATUS_IO_TIMEOUT, answer());
	EXPECT_EQ(c->state, NDK_CONN_IDLE);
}

TEST_F(Connecting, a_deadline_of_an_earlier_attempt_is_ignored)
{
	w.connect(c, qp);
	ULONG stale = c->timer_gen;
	w.news(c, NDK_CM_REJECTED);
	w.settle();
	w.connect(c, qp);
	w.call([&](struct ndk_fx *fx) { ndk_connector_deadline(c, stale, fx); });
	EXPECT_EQ(c->state, NDK_CONN_CONNECTING);
	w.deadline(c);
	EXPECT_EQ(c->state, NDK_CONN_FAILING);
}

TEST_F(Connecting, the_same_qp_can_be_used_inside_the_callback_that_reports_the_failure)
{
	NDK_COVERS("U-24 U-46 U-5 CONN-24");
	struct ndk_connector *second = w.connector();

	w.connect(c, qp);
	w.news(c, NDK_CM_REJECTED);
	w.inside(NDK_FX_CALL_REQUEST, [&] {
		EXPECT_STATUS(STATUS_PENDING, w.connect(second, qp));
	});
	w.settle();
	EXPECT_EQ(qp->conn, second);
	EXPECT_EQ(qp->obj.refs[NDK_REF_CHILD], 1u);
}

TEST_F(Connecting, the_qp_is_held_until_the_callback_of_the_failure_returned)
{
	NDK_COVERS("U-24 LIFE-4 LIFE-5");
	w.connect(c, qp);
	w.news(c, NDK_CM_REJECTED);
	w.finish(NDK_FX_CM_CONNECT);
	w.finish(NDK_FX_CM_TEARDOWN);
	w.close(qp);
	w.finish(NDK_FX_QP_FLUSH);
	w.inside(NDK_FX_CALL_REQUEST, [&] { EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY)); });
	w.finish(NDK_FX_CALL_REQUEST);
	EXPECT_TRUE(w.due(NDK_FX_HW_DESTROY, &qp->obj));
}

/* ---- accepted by the peer ---- */
TEST_F(Connecting, success_means_accepted_and_not_established)
{
	NDK_COVERS("CONN-23 CMPL-1 CMPL-2 CMPL-14 CMPL-7 CMPL-6 RDL-10");
	ULONG ms = 0;

	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	EXPECT_STATUS(STATUS_SUCCESS, answer());
	EXPECT_EQ(c->state, NDK_CONN_ACCEPTED);
	EXPECT_FALSE(w.timer(c)) << "the consumer has no deadline";
	EXPECT_EQ(w.host.count.connect, 0u);
	EXPECT_EQ(qp->can_initiate, 0);
	EXPECT_STATUS(STATUS_PENDING, w.complete(c));
	EXPECT_TRUE(w.timer(c, &ms));
	EXPECT_EQ(ms, NDK_DEFAULT_ACCEPT_MS);
	w.news(c, NDK_CM_ESTABLISHED);
	EXPECT_STATUS(STATUS_SUCCESS, answer());
	EXPECT_EQ(qp->can_initiate, 1);
	EXPECT_EQ(w.host.count.connect, 1u);
	EXPECT_EQ(w.host.count.active, 1u);
}

TEST_F(Connecting, complete_wants_an_answer_function_and_no_event)
{
	NDK_COVERS("CMPL-3 DISC-15");
	struct ndk_accept_args a = {};

	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	EXPECT_STATUS(STATUS_INVALID_PARAMETER,
		      w.call([&](struct ndk_fx *fx) { return ndk_connector_complete(c, &a, fx); }));
	a.fn = on_request;
	EXPECT_STATUS(STATUS_PENDING,
		      w.call([&](struct ndk_fx *fx) { return ndk_connector_complete(c, &a, fx); }));
}

/* What the peer did between its acceptance and our confirmation. */
struct Loss {
	enum ndk_cm_event event;
	int err;
	NTSTATUS status;
};

class Losing : public Connecting, public testing::WithParamInterface<Loss> {};

TEST_P(Losing, before_the_confirmation_waits_for_it)
{
	NDK_COVERS("U-17 CMPL-9 CMPL-10 CMPL-12 CMPL-16");
	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	w.news(c, GetParam().event, GetParam().err);
	EXPECT_TRUE(w.effects.empty()) << "no event, nothing to tell yet";
	EXPECT_STATUS(GetParam().status, w.complete(c));
	EXPECT_EQ(c->state, NDK_CONN_DEAD);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, w.complete(c));
	EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE, w.connect(c, w.qp(), 1001));
}

TEST_P(Losing, during_the_confirmation_answers_it)
{
	NDK_COVERS("CMPL-9 CMPL-10 CMPL-11 CMPL-16 U-17");
	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	EXPECT_STATUS(STATUS_PENDING, w.complete(c));
	w.news(c, GetParam().event, GetParam().err);
	EXPECT_STATUS(GetParam().status, answer());
	EXPECT_EQ(c->state, NDK_CONN_DEAD);
	EXPECT_EQ(w.told(NDK_FX_CALL_DISCONNECT), 0u);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, w.complete(c));
	EXPECT_EQ(w.host.count.connect_fail, 1u);
}

INSTANTIATE_TEST_SUITE_P(
	Ways, Losing,
	testing::Values(Loss{ NDK_CM_REJECTED, NDK_REJ_CONSUMER_DEFINED, STATUS_CONNECTION_ABORTED },
			Loss{ NDK_CM_REJECTED, NDK_REJ_TIMEOUT, STATUS_IO_TIMEOUT },
			Loss{ NDK_CM_UNREACHABLE, -110, STATUS_IO_TIMEOUT },
			Loss{ NDK_CM_DISCONNECTED, 0, STATUS_CONNECTION_ABORTED },
			Loss{ NDK_CM_STEP_FAILED, -12, STATUS_INSUFFICIENT_RESOURCES }));

TEST_F(Connecting, no_confirmation_in_time)
{
	NDK_COVERS("CMPL-10 CMPL-11");
	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	w.complete(c);
	w.deadline(c);
	EXPECT_STATUS(STATUS_IO_TIMEOUT, answer());
	EXPECT_EQ(c->state, NDK_CONN_DEAD);
}

/* ---- a flushed or broken QP is not connecting any more ---- */
TEST_F(Connecting, a_qp_flushed_before_the_confirmation_makes_it_invalid)
{
	NDK_COVERS("CMPL-8 FLUSH-1");
	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	w.call([&](struct ndk_fx *fx) { ndk_qp_flush(qp, fx); });
	EXPECT_EQ(c->state, NDK_CONN_LOST);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, w.complete(c));
	EXPECT_EQ(c->state, NDK_CONN_DEAD);
}

TEST_F(Connecting, a_qp_flushed_while_the_peer_decides_does_not_stop_the_attempt)
{
	NDK_COVERS("CMPL-8");
	w.connect(c, qp);
	w.call([&](struct ndk_fx *fx) { ndk_qp_flush(qp, fx); });
	EXPECT_EQ(c->state, NDK_CONN_CONNECTING);
	w.news(c, NDK_CM_RESPONSE);
	EXPECT_STATUS(STATUS_SUCCESS, answer());
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, w.complete(c));
}

TEST_F(Connecting, a_qp_that_breaks_while_the_peer_decides_is_noticed_at_the_confirmation)
{
	NDK_COVERS("CMPL-8 U-28");
	w.connect(c, qp);
	w.call([&](struct ndk_fx *fx) { ndk_qp_broken(qp, fx); });
	EXPECT_EQ(c->state, NDK_CONN_CONNECTING);
	w.news(c, NDK_CM_RESPONSE);
	EXPECT_STATUS(STATUS_SUCCESS, answer());
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, w.complete(c));
}

TEST_F(Connecting, a_qp_flushed_during_the_confirmation_ends_it)
{
	NDK_COVERS("CMPL-8 CMPL-16");
	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	w.complete(c);
	w.call([&](struct ndk_fx *fx) { ndk_qp_flush(qp, fx); });
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, answer());
	EXPECT_EQ(c->state, NDK_CONN_DEAD);
}

/* ---- the active side changes its mind ---- */
TEST_F(Connecting, the_active_side_may_reject)
{
	NDK_COVERS("REJ-2 REJ-3 U-48 U-10");
	UCHAR data[200] = { 7 };

	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	EXPECT_STATUS(STATUS_INVALID_BUFFER_SIZE, w.call([&](struct ndk_fx *fx) {
		return ndk_connector_reject(c, data, 149, fx);
	}));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.call([&](struct ndk_fx *fx) {
		return ndk_connector_reject(c, nullptr, 1, fx);
	}));
	EXPECT_STATUS(STATUS_SUCCESS, w.call([&](struct ndk_fx *fx) {
		return ndk_connector_reject(c, data, 148, fx);
	}));
	EXPECT_TRUE(w.due(NDK_FX_CM_REJECT));
	EXPECT_EQ(c->data->out_len, 148u);
	EXPECT_EQ(c->data->out[0], 7);
	EXPECT_EQ(c->state, NDK_CONN_DEAD);
	EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE, w.reject(c));
	EXPECT_EQ(w.host.tuples.count, 1u) << "U-7: until the connector is closed";
	w.close(c);
	w.settle();
	EXPECT_EQ(w.host.tuples.count, 0u);
}

/* ---- close in every state of the attempt ---- */
TEST_F(Connecting, an_attempt_that_fails_is_counted_once)
{
	NDK_COVERS("MGMT-8");
	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	w.news(c, NDK_CM_REJECTED);
	EXPECT_EQ(w.host.count.connect_fail, 0u) << "not decided yet";
	w.close(c);
	w.settle();
	EXPECT_EQ(w.host.count.connect_fail, 1u);
}

TEST_F(Connecting, close_cancels_the_attempt)
{
	NDK_COVERS("CLOSE-5 CLOSE-14 U-3 CLOSE-8 EP-3");
	w.connect(c, qp);
	EXPECT_STATUS(STATUS_PENDING, w.close(c, 5));
	EXPECT_FALSE(w.timer(c));
	w.settle();
	EXPECT_STATUS(STATUS_CANCELLED, w.said[0].status);
	EXPECT_EQ(w.said[1].kind, NDK_FX_CALL_CLOSE);
	EXPECT_EQ(w.host.endpoints.count, 0u);
	EXPECT_EQ(qp->state, NDK_QP_IDLE) << "never connected: as good as new";
}

TEST_F(Connecting, close_from_inside_the_connect_completion)
{
	NDK_COVERS("CLOSE-17 CLOSE-16");
	w.connect(c, qp);
	w.news(c, NDK_CM_RESPONSE);
	w.inside(NDK_FX_CALL_REQUEST, [&] {
		EXPECT_STATUS(STATUS_PENDING, w.close(c));
		w.finish(NDK_FX_CM_CONNECT);
		w.finish(NDK_FX_CM_TEARDOWN);
		EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY));
	});
	w.finish(NDK_FX_CALL_REQUEST);
	EXPECT_TRUE(w.due(NDK_FX_HW_DESTROY));
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 1u);
}

/* ---- the device goes ---- */
TEST_F(Connecting, removal_ends_the_attempt)
{
	NDK_COVERS("U-45");
	w.connect(c, qp);
	w.remove_device();
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, answer());
	EXPECT_EQ(c->state, NDK_CONN_DEAD);
	struct ndk_connector *late = w.connector();
	EXPECT_STATUS(STATUS_DEVICE_REMOVED, w.connect(late, w.qp(), 1001));
}
