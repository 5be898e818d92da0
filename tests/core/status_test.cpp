/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * From errno and reject reasons to NTSTATUS, and the negotiation of versions.
 */
#include "world.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace {

struct Mapping {
	int err;
	NTSTATUS status;
};

/* One piece of news while connecting, on one transport. */
struct News {
	UCHAR transport;
	bool connecting, disconnecting;
	enum ndk_cm_event event;
	int err;
	unsigned to;
	NTSTATUS status;
};

void check(const News &n)
{
	struct ndk_cm_news news = {};
	NTSTATUS status = -1;

	news.event = (UCHAR)n.event;
	news.err = n.err;
	unsigned event = ndk_cm_translate(n.transport, n.connecting, n.disconnecting, &news, &status);
	EXPECT_STREQ(ndk_event_name(NDK_MACHINE_CONNECTOR, n.to),
		     ndk_event_name(NDK_MACHINE_CONNECTOR, event))
		<< "news " << n.event << " err " << n.err;
	EXPECT_EQ(status_name(n.status), status_name(status)) << "news " << n.event << " err " << n.err;
}

constexpr UCHAR kIb = NDK_TRANSPORT_IB;
constexpr UCHAR kIwarp = NDK_TRANSPORT_IWARP;

}

TEST(Status, of_binding)
{
	NDK_COVERS("ADDR-4 ADDR-6 CONN-16 CONN-17 LISTEN-2 LISTEN-3");
	for (Mapping m : { Mapping{ EADDRINUSE, STATUS_SHARING_VIOLATION },
			   Mapping{ EADDRNOTAVAIL, STATUS_SHARING_VIOLATION },
			   Mapping{ ENODEV, STATUS_INVALID_ADDRESS },
			   Mapping{ EAFNOSUPPORT, STATUS_INVALID_ADDRESS },
			   Mapping{ EINVAL, STATUS_INVALID_ADDRESS },
			   Mapping{ ENOMEM, STATUS_INSUFFICIENT_RESOURCES },
			   Mapping{ EIO, STATUS_INTERNAL_ERROR } }) {
		EXPECT_STATUS(m.status, ndk_status_bind(-m.err)) << m.err;
		EXPECT_STATUS(m.status, ndk_status_bind(m.err)) << "of either sign";
	}
}

TEST(Status, of_resolving)
{
	NDK_COVERS("CONN-10 CONN-11 CONN-12");
	for (Mapping m : { Mapping{ ENETUNREACH, STATUS_NETWORK_UNREACHABLE },
			   Mapping{ ENETDOWN, STATUS_NETWORK_UNREACHABLE },
			   Mapping{ ENODEV, STATUS_NETWORK_UNREACHABLE },
			   Mapping{ EHOSTUNREACH, STATUS_HOST_UNREACHABLE },
			   Mapping{ ETIMEDOUT, STATUS_HOST_UNREACHABLE },
			   Mapping{ ENODATA, STATUS_HOST_UNREACHABLE },
			   Mapping{ EADDRNOTAVAIL, STATUS_INVALID_ADDRESS },
			   Mapping{ ECONNREFUSED, STATUS_CONNECTION_REFUSED },
			   Mapping{ ECONNRESET, STATUS_CONNECTION_REFUSED },
			   Mapping{ ENOMEM, STATUS_INSUFFICIENT_RESOURCES } })
		EXPECT_STATUS(m.status, ndk_status_resolve(-m.err)) << m.err;
}

TEST(Status, of_local_steps)
{
	NDK_COVERS("CONN-10 CONN-21 U-45");
	for (Mapping m : { Mapping{ ENOMEM, STATUS_INSUFFICIENT_RESOURCES },
			   Mapping{ ENOBUFS, STATUS_INSUFFICIENT_RESOURCES },
			   Mapping{ EMFILE, STATUS_INSUFFICIENT_RESOURCES },
			   Mapping{ ENODEV, STATUS_DEVICE_REMOVED },
			   Mapping{ ETIMEDOUT, STATUS_IO_TIMEOUT },
			   Mapping{ EINVAL, STATUS_INVALID_PARAMETER },
			   Mapping{ EIO, STATUS_INTERNAL_ERROR } })
		EXPECT_STATUS(m.status, ndk_status_local(-m.err)) << m.err;
}

TEST(Status, of_reject_reasons_while_connecting)
{
	NDK_COVERS("CONN-12 CONN-13 CONN-14");
	for (int refused : { NDK_REJ_NO_QP, NDK_REJ_NO_RESOURCES, NDK_REJ_INVALID_SERVICE_ID,
			     NDK_REJ_STALE_CONN, NDK_REJ_CONSUMER_DEFINED, 27, 255 })
		EXPECT_STATUS(STATUS_CONNECTION_REFUSED, ndk_status_reject_connecting(kIb, refused));
	for (int unreachable : { NDK_REJ_INVALID_GID, NDK_REJ_INVALID_LID, NDK_REJ_PORT_REDIRECT,
				 NDK_REJ_PORT_CM_REDIRECT })
		EXPECT_STATUS(STATUS_HOST_UNREACHABLE, ndk_status_reject_connecting(kIb, unreachable));
	EXPECT_STATUS(STATUS_IO_TIMEOUT, ndk_status_reject_connecting(kIb, NDK_REJ_TIMEOUT));
	/* the numbers of the other transport are errno */
	EXPECT_STATUS(STATUS_CONNECTION_REFUSED, ndk_status_reject_connecting(kIwarp, -ECONNREFUSED));
	EXPECT_STATUS(STATUS_CONNECTION_REFUSED, ndk_status_reject_connecting(kIwarp, -ECONNRESET));
	EXPECT_STATUS(STATUS_CONNECTION_REFUSED, ndk_status_reject_connecting(kIwarp, NDK_REJ_TIMEOUT));
	EXPECT_STATUS(STATUS_IO_TIMEOUT, ndk_status_reject_connecting(kIwarp, -ETIMEDOUT));
}

TEST(Status, of_news_while_connecting)
{
	NDK_COVERS("CONN-11 CONN-12 CONN-13 CONN-14 CONN-16 CONN-20");
	const News news[] = {
		{ kIb, true, false, NDK_CM_RESPONSE, 0, NDK_CONN_EV_RESPONSE, STATUS_SUCCESS },
		{ kIb, true, false, NDK_CM_ADDR_ERROR, -ENETUNREACH, NDK_CONN_EV_UNREACHABLE,
		  STATUS_NETWORK_UNREACHABLE },
		{ kIb, true, false, NDK_CM_ADDR_ERROR, -ETIMEDOUT, NDK_CONN_EV_UNREACHABLE,
		  STATUS_HOST_UNREACHABLE },
		{ kIb, true, false, NDK_CM_ROUTE_ERROR, -EHOSTUNREACH, NDK_CONN_EV_UNREACHABLE,
		  STATUS_HOST_UNREACHABLE },
		{ kIb, true, false, NDK_CM_BIND_ERROR, -EADDRINUSE, NDK_CONN_EV_UNREACHABLE,
		  STATUS_SHARING_VIOLATION },
		{ kIb, true, false, NDK_CM_CONNECT_ERROR, -ETIMEDOUT, NDK_CONN_EV_UNREACHABLE,
		  STATUS_IO_TIMEOUT },
		{ kIwarp, true, false, NDK_CM_CONNECT_ERROR, -EINVAL, NDK_CONN_EV_UNREACHABLE,
		  STATUS_CONNECTION_REFUSED },
		{ kIwarp, true, false, NDK_CM_CONNECT_ERROR, -EADDRNOTAVAIL, NDK_CONN_EV_UNREACHABLE,
		  STATUS_ADDRESS_ALREADY_EXISTS },
		{ kIwarp, true, false, NDK_CM_CONNECT_ERROR, -EADDRINUSE, NDK_CONN_EV_UNREACHABLE,
		  STATUS_SHARING_VIOLATION },
		{ kIwarp, true, false, NDK_CM_CONNECT_ERROR, -ECONNRESET, NDK_CONN_EV_UNREACHABLE,
		  STATUS_CONNECTION_REFUSED },
		{ kIb, true, false, NDK_CM_UNREACHABLE, -ETIMEDOUT, NDK_CONN_EV_UNREACHABLE,
		  STATUS_IO_TIMEOUT },
		{ kIb, true, false, NDK_CM_REJECTED, NDK_REJ_CONSUMER_DEFINED, NDK_CONN_EV_REJECTED,
		  STATUS_CONNECTION_REFUSED },
		{ kIb, true, false, NDK_CM_DISCONNECTED, 0, NDK_CONN_EV_BYE, STATUS_CONNECTION_REFUSED },
		{ kIb, true, false, NDK_CM_LOCAL_ERROR, -ENOMEM, NDK_CONN_EV_FAULT,
		  STATUS_INSUFFICIENT_RESOURCES },
		{ kIb, true, false, NDK_CM_STEP_FAILED, -ENODEV, NDK_CONN_EV_FAULT,
		  STATUS_DEVICE_REMOVED },
	};

	for (const News &n : news)
		check(n);
	/* the peer of a two-way CM broke the handshake off: by how far it had got */
	for (int err : { -EPIPE, -EPROTO, -ECONNABORTED, -ENOTCONN })
		check({ kIwarp, true, false, NDK_CM_CONNECT_ERROR, err, NDK_CONN_EV_UNREACHABLE,
			STATUS_CONNECTION_REFUSED });
}

TEST(Status, of_news_once_the_peer_is_known)
{
	NDK_COVERS("ACPT-6 ACPT-7 CMPL-9 CMPL-10 DISC-2 DISC-3 U-21 U-17");
	const News news[] = {
		{ kIb, false, false, NDK_CM_ESTABLISHED, 0, NDK_CONN_EV_ESTABLISH, STATUS_SUCCESS },
		{ kIb, false, false, NDK_CM_REJECTED, NDK_REJ_CONSUMER_DEFINED, NDK_CONN_EV_REJECTED,
		  STATUS_CONNECTION_ABORTED },
		{ kIb, false, false, NDK_CM_REJECTED, NDK_REJ_TIMEOUT, NDK_CONN_EV_REJECTED,
		  STATUS_IO_TIMEOUT },
		{ kIwarp, false, false, NDK_CM_REJECTED, NDK_REJ_TIMEOUT, NDK_CONN_EV_REJECTED,
		  STATUS_CONNECTION_ABORTED },
		{ kIb, false, false, NDK_CM_UNREACHABLE, -ETIMEDOUT, NDK_CONN_EV_UNREACHABLE,
		  STATUS_IO_TIMEOUT },
		{ kIb, false, false, NDK_CM_CONNECT_ERROR, -ETIMEDOUT, NDK_CONN_EV_UNREACHABLE,
		  STATUS_IO_TIMEOUT },
		{ kIb, false, false, NDK_CM_CONNECT_ERROR, -ECONNRESET, NDK_CONN_EV_UNREACHABLE,
		  STATUS_CONNECTION_ABORTED },
		{ kIb, false, false, NDK_CM_DISCONNECTED, 0, NDK_CONN_EV_BYE, STATUS_CONNECTION_ABORTED },
		{ kIb, false, true, NDK_CM_DISCONNECTED, 0, NDK_CONN_EV_BYE, STATUS_SUCCESS },
		{ kIb, false, true, NDK_CM_DISCONNECTED, -ETIMEDOUT, NDK_CONN_EV_UNREACHABLE,
		  STATUS_IO_TIMEOUT },
		{ kIb, false, true, NDK_CM_DISCONNECTED, -ECONNRESET, NDK_CONN_EV_UNREACHABLE,
		  STATUS_CONNECTION_ABORTED },
		{ kIb, false, true, NDK_CM_REJECTED, NDK_REJ_CONSUMER_DEFINED, NDK_CONN_EV_REJECTED,
		  STATUS_CONNECTION_ABORTED },
		{ kIb, false, false, NDK_CM_STEP_FAILED, -ENOMEM, NDK_CONN_EV_FAULT,
		  STATUS_INSUFFICIENT_RESOURCES },
		{ kIb, false, false, NDK_CM_STEP_FAILED, -EIO, NDK_CONN_EV_FAULT,
		  STATUS_CONNECTION_ABORTED },
	};

	for (const News &n : news)
		check(n);
}

/* ---- versions ---- */
TEST(Version, the_highest_minor_of_the_major_is_in_force)
{
	NDK_COVERS("VER-1 VER-2 VER-3 VER-4 VER-6 U-44");
	struct {
		NDK_VERSION asked, in_force;
		NDIS_STATUS status;
	} const cases[] = {
		{ { 1, 0 }, { 1, 2 }, NDIS_STATUS_SUCCESS },	   { { 1, 1 }, { 1, 2 }, NDIS_STATUS_SUCCESS },
		{ { 1, 2 }, { 1, 2 }, NDIS_STATUS_SUCCESS },	   { { 2, 0 }, { 2, 1 }, NDIS_STATUS_SUCCESS },
		{ { 2, 1 }, { 2, 1 }, NDIS_STATUS_SUCCESS },	   { { 1, 3 }, {}, NDIS_STATUS_BAD_VERSION },
		{ { 2, 2 }, {}, NDIS_STATUS_BAD_VERSION },	   { { 0, 0 }, {}, NDIS_STATUS_BAD_VERSION },
		{ { 3, 0 }, {}, NDIS_STATUS_BAD_VERSION },	   { { 0xffff, 0xffff }, {}, NDIS_STATUS_BAD_VERSION },
	};

	for (const auto &c : cases) {
		NDK_VERSION got = { 0, 0 };
		EXPECT_EQ(ndk_version_pick(c.asked, &got), c.status) << c.asked.Major << "." << c.asked.Minor;
		EXPECT_EQ(got.Major, c.in_force.Major);
		EXPECT_EQ(got.Minor, c.in_force.Minor);
	}
}

TEST(Version, every_object_reports_the_one_of_its_adapter)
{
	NDK_COVERS("VER-5 OBJ-3");
	World w;
	NDK_VERSION version = { 1, 2 };

	w.adapter->obj.ndk.header.Version = version;
	EXPECT_EQ(w.pd()->obj.ndk.header.Version.Major, 1);
	EXPECT_EQ(w.connector()->obj.ndk.header.Version.Minor, 2);
	struct ndk_listener *l = w.listener();
	w.listen(l, v4("192.0.2.1", 80));
	w.settle();
	EXPECT_EQ(w.incoming(l)->obj.ndk.header.Version.Major, 1) << "also one the provider made";
	w.settle();
}
