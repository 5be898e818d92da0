/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Shared endpoints: one local address for many outgoing connections.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

class Shared : public testing::Test {
protected:
	World w;
	struct ndk_shared *s = w.shared(v4("192.0.2.1", 900));

	/* A connection over it that the peer accepted. */
	struct ndk_connector *over(USHORT to)
	{
		struct ndk_connector *c = w.connector();

		EXPECT_STATUS(STATUS_PENDING, w.connect_shared(c, w.qp(), s, to));
		w.news(c, NDK_CM_RESPONSE);
		w.settle();
		return c;
	}
};

}

TEST(SharedCreate, a_malformed_or_taken_address)
{
	NDK_COVERS("SEP-2 SEP-3 SEP-4 U-8 U-9 U-52 CREATE-16");
	World w;
	struct ndk_shared *held = w.shared(v4("192.0.2.1", 900));
	struct ndk_shared s = {};
	Sa bad = v4("192.0.2.1", 1), any = v4("0.0.0.0", 1), taken = v4("192.0.2.1", 900),
	   foreign = v4("198.51.100.1", 1);

	s.obj.host = &w.host;
	bad.len = 3;
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, ndk_shared_reserve(&s, bad.data(), bad.len));
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, ndk_shared_reserve(&s, nullptr, 16));
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, ndk_shared_reserve(&s, any.data(), any.len));
	EXPECT_STATUS(STATUS_INVALID_ADDRESS, ndk_shared_reserve(&s, foreign.data(), foreign.len));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, ndk_shared_reserve(&s, taken.data(), taken.len));
	EXPECT_EQ(s.state, NDK_SHARED_FREE);
	EXPECT_EQ(held->state, NDK_SHARED_OPEN);
}

TEST(SharedCreate, port_zero_is_picked_and_can_be_read)
{
	NDK_COVERS("SEP-4 SEP-5 SEP-1 ADDR-2");
	World w;
	struct ndk_shared *s = w.shared(v4("192.0.2.1", 0));
	UCHAR buffer[28];
	ULONG len = sizeof(buffer);

	EXPECT_STATUS(STATUS_SUCCESS, ndk_shared_local_address(s, buffer, &len));
	EXPECT_EQ(len, 16u);
	EXPECT_GE(buffer[2] << 8 | buffer[3], 49152);
}

TEST(SharedCreate, binding_can_fail_outside)
{
	NDK_COVERS("SEP-2 CREATE-15");
	World w;
	struct ndk_shared s = {};
	Sa at = v4("192.0.2.1", 900);

	s.obj.host = &w.host;
	EXPECT_STATUS(STATUS_SUCCESS, ndk_shared_reserve(&s, at.data(), at.len));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, ndk_shared_bound(&s, -98));
	EXPECT_EQ(s.state, NDK_SHARED_FREE);
	EXPECT_EQ(w.host.endpoints.count, 0u);
}

/* Creation may fail after the address was bound, or before anybody tried. */
TEST(SharedCreate, an_address_does_not_outlive_a_creation_that_failed)
{
	NDK_COVERS("CREATE-15 U-45 EP-5");
	World w;

	w.host.heavy = 1u << NdkObjectTypeSharedEndpoint;
	for (NTSTATUS why : { STATUS_DEVICE_REMOVED, STATUS_INSUFFICIENT_RESOURCES }) {
		struct ndk_obj *o = w.begin(NdkObjectTypeSharedEndpoint, 0);
		EXPECT_EQ(w.host.endpoints.count, 1u);
		w.built(o, why);
		EXPECT_EQ(w.host.endpoints.count, 0u) << "given back before the consumer is told";
		w.settle();
		EXPECT_STATUS(why, w.last(NDK_FX_CALL_CREATE).status);
	}
}

TEST_F(Shared, carries_many_connections_to_different_places)
{
	NDK_COVERS("CONN-30 CONN-31 CONN-34 SEP-1 EP-4 EP-1 CONN-35");
	struct ndk_connector *a = over(2000), *b = over(2001);

	EXPECT_EQ(a->local.port, 900);
	EXPECT_EQ(b->local.port, 900);
	EXPECT_EQ(w.host.endpoints.count, 1u);
	EXPECT_EQ(w.host.tuples.count, 2u);
}

TEST_F(Shared, the_same_place_again_exists_already)
{
	NDK_COVERS("CONN-32 CONN-20 CONN-33 ADDR-5");
	struct ndk_connector *a = over(2000), *b = w.connector();
	struct ndk_qp *qp = w.qp();

	EXPECT_STATUS(STATUS_ADDRESS_ALREADY_EXISTS, w.connect_shared(b, qp, s, 2000));
	EXPECT_STATUS(STATUS_PENDING, w.connect_shared(b, qp, s, 2001));
	w.news(b, NDK_CM_REJECTED);
	w.settle();
	w.close(a);
	w.settle();
	EXPECT_STATUS(STATUS_PENDING, w.connect_shared(b, qp, s, 2000)) << "closed: it may come again";
}

TEST_F(Shared, a_port_that_a_stranger_has_is_no_sharing_violation)
{
	NDK_COVERS("CONN-33");
	struct ndk_connector *c = w.connector();

	EXPECT_STATUS(STATUS_PENDING, w.connect_shared(c, w.qp(), s));
	w.news(c, NDK_CM_CONNECT_ERROR, -98);
	w.settle();
	EXPECT_STATUS(STATUS_ADDRESS_ALREADY_EXISTS, w.last(NDK_FX_CALL_REQUEST).status);
}

TEST_F(Shared, a_failed_attempt_frees_the_place_before_it_is_told)
{
	NDK_COVERS("U-46 U-5 U-24 CONN-24 CONN-35");
	struct ndk_connector *c = w.connector();
	struct ndk_qp *qp = w.qp();

	w.connect_shared(c, qp, s);
	EXPECT_EQ(s->obj.refs[NDK_REF_CHILD], 1u);
	w.news(c, NDK_CM_REJECTED);
	w.inside(NDK_FX_CALL_REQUEST, [&] {
		EXPECT_EQ(w.host.tuples.count, 0u);
		EXPECT_EQ(s->obj.refs[NDK_REF_CHILD], 1u) << "held until the callback returned";
		EXPECT_STATUS(STATUS_PENDING, w.connect_shared(c, qp, s));
	});
	w.settle();
	EXPECT_EQ(s->obj.refs[NDK_REF_CHILD], 1u);
	EXPECT_EQ(c->state, NDK_CONN_CONNECTING);
}

TEST_F(Shared, close_waits_for_its_connectors_and_keeps_the_address)
{
	NDK_COVERS("SEP-6 EP-4 EP-5 EP-6 LIFE-4");
	struct ndk_connector *c = over(2000);
	struct ndk_listener *l = w.listener();
	struct ndk_connector *late = w.connector();

	EXPECT_STATUS(STATUS_PENDING, w.close(s));
	w.settle();
	EXPECT_TRUE(w.exists(s));
	EXPECT_STATUS(STATUS_SHARING_VIOLATION, w.listen(l, v4("192.0.2.1", 900)));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect_shared(late, w.qp(), s, 2001));
	w.close(c);
	w.settle();
	EXPECT_FALSE(w.exists(s));
	EXPECT_STATUS(STATUS_PENDING, w.listen(l, v4("192.0.2.1", 900)));
}

TEST_F(Shared, port_zero_of_the_destination_is_refused_and_leaves_the_endpoint_alone)
{
	NDK_COVERS("CONN-13");
	struct ndk_connector *c = w.connector();
	struct ndk_qp *qp = w.qp();

	EXPECT_STATUS(STATUS_CONNECTION_REFUSED, w.connect_shared(c, qp, s, 0));
	EXPECT_EQ(s->state, NDK_SHARED_OPEN);
	EXPECT_EQ(w.host.endpoints.count, 1u);
	EXPECT_STATUS(STATUS_PENDING, w.connect_shared(c, qp, s, 2000));
}

TEST_F(Shared, completing_is_the_same_as_for_a_plain_connect)
{
	NDK_COVERS("U-51 CONN-35 CMPL-1");
	struct ndk_connector *c = over(2000);

	EXPECT_STATUS(STATUS_PENDING, w.complete(c));
	w.news(c, NDK_CM_ESTABLISHED);
	w.settle();
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_REQUEST).status);
}

TEST_F(Shared, only_a_shared_endpoint_of_the_same_adapter_will_do)
{
	NDK_COVERS("U-11");
	struct ndk_connector *c = w.connector();
	struct ndk_qp *qp = w.qp();
	Sa to = v4("192.0.2.99", 2000), six = v6("2001:db8::9", 2000);
	struct ndk_connect_args a = w.connect_args(qp, to, to);

	a.src = nullptr;
	a.shared = (NDK_SHARED_ENDPOINT *)(VOID *)qp;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, a));
	a.shared = &s->obj.ndk.endpoint;
	a.dst = six.data();
	a.dst_len = six.len;
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, w.connect(c, a)) << "the families differ";
}
