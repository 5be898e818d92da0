/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What two consumers tell each other while connecting: private data and read limits.
 */
#include "world.h"

#include <gtest/gtest.h>

#include <cstring>

namespace {

class Data : public testing::Test {
protected:
	World w;
	struct ndk_qp *qp = w.qp();
	struct ndk_connector *c = w.connector();
	UCHAR buffer[256];
	ULONG in = 99, out = 99;

	void respond(struct ndk_connector *conn, ULONG peer_in, ULONG peer_out, const char *data = nullptr)
	{
		struct ndk_cm_news n = {};

		n.event = NDK_CM_RESPONSE;
		n.peer_in = peer_in;
		n.peer_out = peer_out;
		n.data = data;
		n.data_len = data ? (ULONG)strlen(data) : 0;
		w.call([&](struct ndk_fx *fx) { ndk_connector_cm(conn, &n, fx); });
		w.settle();
	}

	void connect(ULONG in_limit, ULONG out_limit)
	{
		Sa from = v4("192.0.2.1", 1000), to = v4("192.0.2.99", 2000);
		struct ndk_connect_args a = w.connect_args(qp, from, to);

		a.in_limit = in_limit;
		a.out_limit = out_limit;
		EXPECT_STATUS(STATUS_PENDING, w.connect(c, a));
	}

	NTSTATUS get(struct ndk_connector *conn, VOID *data, ULONG *len)
	{
		return ndk_connector_get_data(conn, &in, &out, data, len);
	}

	void expect_limits(ULONG i, ULONG o)
	{
		ULONG len = 0;

		EXPECT_STATUS(STATUS_SUCCESS, get(c, nullptr, &len));
		EXPECT_EQ(in, i);
		EXPECT_EQ(out, o);
	}

	void rejected(int reason, const char *data)
	{
		struct ndk_cm_news n = {};

		n.event = NDK_CM_REJECTED;
		n.err = reason;
		n.data = data;
		n.data_len = (ULONG)strlen(data);
		w.call([&](struct ndk_fx *fx) { ndk_connector_cm(c, &n, fx); });
		w.settle();
	}
};

}

/* ---- read limits: the adapter has 16 in, 8 out ---- */
TEST_F(Data, limits_above_the_adapters_are_capped_silently)
{
	NDK_COVERS("RDL-1 RDL-2 RDL-3 RDL-6 U-15 CONN-22");
	connect(1000, 1000);
	EXPECT_EQ(c->want_in, 16u);
	EXPECT_EQ(c->want_out, 8u);
	respond(c, 1000, 1000);
	expect_limits(16, 8);
}

TEST_F(Data, a_lower_limit_of_the_peer_wins_crosswise)
{
	NDK_COVERS("RDL-4 RDL-5 RDL-8 CTR-2");
	connect(10, 7);
	respond(c, 3, 5); /* it accepts 3 reads, and will issue 5 */
	expect_limits(5, 3);
}

TEST_F(Data, a_higher_limit_of_the_peer_changes_nothing)
{
	NDK_COVERS("RDL-4 RDL-5");
	connect(2, 1);
	respond(c, 100, 100);
	expect_limits(2, 1);
}

TEST_F(Data, zero_means_no_reads)
{
	NDK_COVERS("RDL-9");
	connect(0, 0);
	respond(c, 4, 4);
	expect_limits(0, 0);
}

TEST_F(Data, the_passive_side_sees_the_peers_and_then_the_common_limits)
{
	NDK_COVERS("U-14 RDL-7 RDL-4 RDL-5 RDL-8 CTR-1 ACPT-8");
	struct ndk_listener *l = w.listener();
	struct ndk_accept_args a = w.accept_args(qp);

	w.listen(l, v4("192.0.2.1", 80));
	w.settle();
	c = w.incoming(l); /* accepts 16 reads, will issue 8 */
	w.settle();
	expect_limits(8, 8);
	a.in_limit = 3;
	a.out_limit = 100;
	w.call([&](struct ndk_fx *fx) { return ndk_connector_accept(c, &a, fx); });
	EXPECT_EQ(c->want_in, 3u);
	EXPECT_EQ(c->want_out, 8u);
	EXPECT_EQ(c->eff_in, 3u);
	EXPECT_EQ(c->eff_out, 8u);
}

TEST_F(Data, both_limits_are_optional)
{
	NDK_COVERS("CTR-4");
	ULONG len = 0;

	connect(4, 4);
	respond(c, 4, 4);
	EXPECT_STATUS(STATUS_SUCCESS, ndk_connector_get_data(c, nullptr, nullptr, nullptr, &len));
	EXPECT_STATUS(STATUS_SUCCESS, ndk_connector_get_data(c, &in, nullptr, nullptr, &len));
	EXPECT_EQ(in, 4u);
}

/* ---- private data ---- */
TEST_F(Data, its_size_can_be_asked_first)
{
	NDK_COVERS("PRIV-2 PRIV-4 PRIV-5 PRIV-9");
	ULONG len = 0;

	connect(4, 4);
	respond(c, 4, 4, "hello");
	EXPECT_STATUS(STATUS_SUCCESS, get(c, nullptr, &len));
	EXPECT_EQ(len, 5u);
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, get(c, nullptr, &len));
	EXPECT_STATUS(STATUS_INVALID_PARAMETER, get(c, buffer, nullptr));
}

TEST_F(Data, as_much_as_fits_is_copied)
{
	NDK_COVERS("PRIV-7 PRIV-8 PRIV-9 PRIV-10");
	ULONG len;

	connect(4, 4);
	respond(c, 4, 4, "hello");
	for (ULONG room : { 0u, 3u, 5u, 200u }) {
		memset(buffer, '#', sizeof(buffer));
		in = out = 99;
		len = room;
		EXPECT_STATUS(room < 5 ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS, get(c, buffer, &len));
		EXPECT_EQ(len, 5u);
		EXPECT_EQ(memcmp(buffer, "hello", room < 5 ? room : 5), 0);
		EXPECT_EQ(buffer[room < 5 ? room : 5], '#');
		EXPECT_EQ(in, 4u);
		EXPECT_EQ(out, 4u);
	}
}

TEST_F(Data, more_than_we_can_keep_is_cut)
{
	NDK_COVERS("PRIV-4");
	std::string much(400, 'x');
	ULONG len = 0;

	connect(4, 4);
	respond(c, 4, 4, much.c_str());
	EXPECT_STATUS(STATUS_SUCCESS, get(c, nullptr, &len));
	EXPECT_EQ(len, (ULONG)NDK_PRIVATE_MAX);
}

/* ---- windows ---- */
TEST_F(Data, the_active_sides_window)
{
	NDK_COVERS("CTR-2 U-13");
	ULONG len = 0;

	EXPECT_STATUS(STATUS_CONNECTION_INVALID, get(c, nullptr, &len));
	connect(4, 4);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, get(c, nullptr, &len));
	respond(c, 4, 4, "x");
	EXPECT_STATUS(STATUS_SUCCESS, get(c, nullptr, &len));
	w.complete(c);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, get(c, nullptr, &len));
}

TEST_F(Data, the_passive_sides_window)
{
	NDK_COVERS("CTR-1 U-13 LISTEN-8");
	struct ndk_listener *l = w.listener();
	ULONG len = 0;

	w.listen(l, v4("192.0.2.1", 80));
	w.settle();
	c = w.incoming(l);
	w.inside(NDK_FX_CALL_CONNECT, [&] {
		EXPECT_STATUS(STATUS_SUCCESS, get(c, nullptr, &len));
		EXPECT_STATUS(STATUS_PENDING, w.accept(c, qp));
		EXPECT_STATUS(STATUS_CONNECTION_INVALID, get(c, nullptr, &len));
	});
	w.settle();
	EXPECT_EQ(c->state, NDK_CONN_ACCEPTING);
}

TEST_F(Data, what_a_rejecting_peer_sent_can_be_read_until_the_next_attempt)
{
	NDK_COVERS("U-12");
	ULONG len = sizeof(buffer);

	connect(4, 4);
	rejected(NDK_REJ_CONSUMER_DEFINED, "no");
	EXPECT_EQ(c->state, NDK_CONN_IDLE);
	EXPECT_STATUS(STATUS_SUCCESS, get(c, buffer, &len));
	EXPECT_EQ(len, 2u);
	EXPECT_EQ(memcmp(buffer, "no", 2), 0);
	EXPECT_EQ(in, 0u);
	EXPECT_EQ(out, 0u);
	connect(4, 4);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, get(c, buffer, &len));
	respond(c, 4, 4);
	expect_limits(4, 4);
}

TEST_F(Data, what_a_provider_put_into_its_own_reject_is_not_the_consumers)
{
	NDK_COVERS("U-12 U-13");
	ULONG len = 0;

	connect(4, 4);
	rejected(NDK_REJ_INVALID_SERVICE_ID, "ari");
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, get(c, nullptr, &len));
}

TEST(DataIwarp, a_reject_has_no_reason_there_so_its_data_counts)
{
	NDK_COVERS("U-12");
	World w(NDK_TRANSPORT_IWARP);
	struct ndk_connector *c = w.connector();
	struct ndk_cm_news n = {};
	ULONG len = 0;

	w.connect(c, w.qp());
	n.event = NDK_CM_REJECTED;
	n.err = -111;
	n.data = "bye";
	n.data_len = 3;
	w.call([&](struct ndk_fx *fx) { ndk_connector_cm(c, &n, fx); });
	w.settle();
	EXPECT_STATUS(STATUS_SUCCESS, ndk_connector_get_data(c, nullptr, nullptr, nullptr, &len));
	EXPECT_EQ(len, 3u);
}

TEST_F(Data, nothing_can_be_read_from_a_connector_that_is_being_closed)
{
	NDK_COVERS("U-13");
	ULONG len = 0;

	connect(4, 4);
	respond(c, 4, 4, "x");
	w.close(c);
	EXPECT_STATUS(STATUS_CONNECTION_INVALID, get(c, nullptr, &len));
	w.settle();
}
