/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * See world.h: addresses, and the calls on connectors and listeners.
 */
#include "world.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>

Sa v4(const char *text, USHORT port)
{
	Sa sa;
	USHORT family = NDK_FAMILY_V4;

	memcpy(sa.bytes, &family, sizeof(family));
	sa.bytes[2] = (UCHAR)(port >> 8);
	sa.bytes[3] = (UCHAR)port;
	EXPECT_EQ(inet_pton(AF_INET, text, sa.bytes + 4), 1) << text;
	sa.len = NDK_SOCKADDR_V4_LEN;
	return sa;
}

Sa v6(const char *text, USHORT port, UINT32 scope)
{
	Sa sa;
	USHORT family = NDK_FAMILY_V6;

	memcpy(sa.bytes, &family, sizeof(family));
	sa.bytes[2] = (UCHAR)(port >> 8);
	sa.bytes[3] = (UCHAR)port;
	EXPECT_EQ(inet_pton(AF_INET6, text, sa.bytes + 8), 1) << text;
	memcpy(sa.bytes + 24, &scope, sizeof(scope));
	sa.len = NDK_SOCKADDR_V6_LEN;
	return sa;
}

struct ndk_addr parsed(const Sa &sa)
{
	struct ndk_addr a;

	EXPECT_TRUE(ndk_addr_parse(sa.data(), sa.len, &a));
	return a;
}

NTSTATUS World::listen(struct ndk_listener *l, const Sa &at, ULONG_PTR tag)
{
	return call([&](struct ndk_fx *fx) {
		return ndk_listener_listen(l, at.data(), at.len, on_request, tag_of(tag), fx);
	});
}

struct ndk_connect_args World::connect_args(struct ndk_qp *qp, const Sa &from, const Sa &to)
{
	struct ndk_connect_args a = {};

	a.qp = &qp->obj.ndk.qp;
	a.src = from.data();
	a.src_len = from.len;
	a.dst = to.data();
	a.dst_len = to.len;
	a.in_limit = 4;
	a.out_limit = 4;
	a.fn = on_request;
	return a;
}

NTSTATUS World::connect(struct ndk_connector *c, const struct ndk_connect_args &a)
{
	return call([&](struct ndk_fx *fx) { return ndk_connector_connect(c, &a, fx); });
}

NTSTATUS World::connect(struct ndk_connector *c, struct ndk_qp *qp, USHORT from, USHORT to)
{
	Sa src = v4("192.0.2.1", from), dst = v4("192.0.2.99", to);

	return connect(c, connect_args(qp, src, dst));
}

NTSTATUS World::connect_shared(struct ndk_connector *c, struct ndk_qp *qp, struct ndk_shared *s,
			       USHORT to)
{
	Sa dst = v4("192.0.2.99", to);
	struct ndk_connect_args a = connect_args(qp, dst, dst);

	a.src = nullptr;
	a.src_len = 0;
	a.shared = &s->obj.ndk.endpoint;
	return connect(c, a);
}

struct ndk_accept_args World::accept_args(struct ndk_qp *qp)
{
	struct ndk_accept_args a = {};

	a.qp = qp ? &qp->obj.ndk.qp : nullptr;
	a.in_limit = 4;
	a.out_limit = 4;
	a.event = on_disconnect;
	a.fn = on_request;
	return a;
}

NTSTATUS World::accept(struct ndk_connector *c, struct ndk_qp *qp)
{
	struct ndk_accept_args a = accept_args(qp);

	return call([&](struct ndk_fx *fx) { return ndk_connector_accept(c, &a, fx); });
}

NTSTATUS World::complete(struct ndk_connector *c)
{
	struct ndk_accept_args a = accept_args(nullptr);

	return call([&](struct ndk_fx *fx) { return ndk_connector_complete(c, &a, fx); });
}

NTSTATUS World::reject(struct ndk_connector *c)
{
	return call([&](struct ndk_fx *fx) { return ndk_connector_reject(c, nullptr, 0, fx); });
}

NTSTATUS World::disconnect(struct ndk_connector *c)
{
	return call([&](struct ndk_fx *fx) {
		return ndk_connector_disconnect(c, on_request, nullptr, fx);
	});
}

void World::news(struct ndk_connector *c, enum ndk_cm_event event, int err)
{
	struct ndk_cm_news n = {};

	n.event = (UCHAR)event;
	n.err = err;
	n.peer_in = 16;
	n.peer_out = 8;
	call([&](struct ndk_fx *fx) { ndk_connector_cm(c, &n, fx); });
}

void World::deadline(struct ndk_connector *c)
{
	timers.erase(c);
	call([&](struct ndk_fx *fx) { ndk_connector_deadline(c, c->timer_gen, fx); });
}

void World::remove_device()
{
	std::vector<struct ndk_obj *> all;

	host.removed = 1;
	for (struct ndk_link *i = adapter->objects.next; i != &adapter->objects; i = i->next)
		all.push_back(NDK_CONTAINER(i, struct ndk_obj, sibling));
	for (struct ndk_obj *o : all) {
		if (!exists(o))
			continue;
		if (o->type == NdkObjectTypeConnector)
			call([&](struct ndk_fx *fx) {
				ndk_connector_removed((struct ndk_connector *)o, fx);
			});
		else if (o->type == NdkObjectTypeListener)
			call([&](struct ndk_fx *fx) {
				ndk_listener_removed((struct ndk_listener *)o, fx);
			});
	}
}

struct ndk_connector *World::incoming(struct ndk_listener *l, USHORT peer_port,
				      enum ndk_verdict *verdict)
{
	struct ndk_connector *c = allocate_connector();
	struct ndk_cm_request r = {};
	enum ndk_verdict v;

	r.local = l->ep.addr;
	if (ndk_addr_any(&r.local))
		r.local = parsed(v4("192.0.2.1", l->ep.addr.port));
	r.remote = parsed(v4("192.0.2.77", peer_port));
	r.peer_in = 16;
	r.peer_out = 8;
	v = call([&](struct ndk_fx *fx) { return ndk_listener_request(l, c, &r, fx); });
	if (verdict)
		*verdict = v;
	if (v == NDK_DELIVERED)
		return c;
	free_memory(&c->obj);
	return nullptr;
}

struct ndk_connector *World::established_active(struct ndk_qp *qp)
{
	static USHORT port = 1000;
	struct ndk_connector *c = connector();

	port = (USHORT)(port < 40000 ? port + 1 : 1001);
	EXPECT_STATUS(STATUS_PENDING, connect(c, qp, port));
	news(c, NDK_CM_RESPONSE);
	settle();
	EXPECT_STATUS(STATUS_PENDING, complete(c));
	news(c, NDK_CM_ESTABLISHED);
	settle();
	EXPECT_EQ(c->state, NDK_CONN_ESTABLISHED);
	return c;
}

struct ndk_connector *World::established_passive(struct ndk_listener *l, struct ndk_qp *qp)
{
	struct ndk_connector *c = incoming(l);

	settle();
	EXPECT_STATUS(STATUS_PENDING, accept(c, qp));
	news(c, NDK_CM_ESTABLISHED);
	settle();
	EXPECT_EQ(c->state, NDK_CONN_ESTABLISHED);
	return c;
}

std::string status_name(NTSTATUS status)
{
#define NAME(s) \
	case s: \
		return #s
	switch (status) {
		NAME(STATUS_SUCCESS);
		NAME(STATUS_PENDING);
		NAME(STATUS_BUFFER_OVERFLOW);
		NAME(STATUS_INVALID_PARAMETER);
		NAME(STATUS_BUFFER_TOO_SMALL);
		NAME(STATUS_SHARING_VIOLATION);
		NAME(STATUS_INSUFFICIENT_RESOURCES);
		NAME(STATUS_IO_TIMEOUT);
		NAME(STATUS_INTERNAL_ERROR);
		NAME(STATUS_CANCELLED);
		NAME(STATUS_INVALID_ADDRESS);
		NAME(STATUS_TOO_MANY_ADDRESSES);
		NAME(STATUS_ADDRESS_ALREADY_EXISTS);
		NAME(STATUS_CONNECTION_REFUSED);
		NAME(STATUS_CONNECTION_INVALID);
		NAME(STATUS_NETWORK_UNREACHABLE);
		NAME(STATUS_HOST_UNREACHABLE);
		NAME(STATUS_CONNECTION_ABORTED);
		NAME(STATUS_NO_MORE_ENTRIES);
		NAME(STATUS_DATA_OVERRUN);
		NAME(STATUS_INVALID_BUFFER_SIZE);
		NAME(STATUS_INVALID_DEVICE_REQUEST);
		NAME(STATUS_INVALID_DEVICE_STATE);
		NAME(STATUS_CONNECTION_ACTIVE);
		NAME(STATUS_DEVICE_REMOVED);
		NAME(STATUS_ACCESS_VIOLATION);
		NAME(STATUS_DEVICE_BUSY);
		NAME(STATUS_IMPLEMENTATION_LIMIT);
		NAME(STATUS_INVALID_PARAMETER_MIX);
		NAME(STATUS_NOT_SUPPORTED);
	default:
		return "status " + std::to_string((UINT32)status);
	}
#undef NAME
}
