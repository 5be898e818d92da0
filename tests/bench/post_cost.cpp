/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * One connection on the deterministic fabric and many messages on it, to be run by post_cost.py under
 * callgrind, which counts the instructions inside the three functions named measured_*. By itself it
 * only says how many times each was called.
 */
#include <ndk_fabric.h>
#include <ndkpi/ndkpi.h>

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>

namespace
{

constexpr ULONG kMessages = 1000, kBytes = 64, kDepth = 16;
constexpr USHORT kPort = 5000;

[[noreturn]] void die(const char *what, NTSTATUS status)
{
	fprintf(stderr, "post_cost: %s: status 0x%08x\n", what, (unsigned)status);
	exit(1);
}

struct Call {
	NTSTATUS status = STATUS_PENDING;
	NDK_OBJECT_HEADER *object = nullptr;
};

void requested(PVOID ctx, NTSTATUS status)
{
	static_cast<Call *>(ctx)->status = status;
}

void created(PVOID ctx, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	static_cast<Call *>(ctx)->object = object;
	requested(ctx, status);
}

void closed(PVOID ctx)
{
	requested(ctx, STATUS_SUCCESS);
}
void notified(PVOID, NTSTATUS) {}
void disconnected(PVOID) {}

void wait(const char *what, Call *c, NTSTATUS returned)
{
	if (returned != STATUS_PENDING)
		c->status = returned;
	while (c->status == STATUS_PENDING)
		if (!ndk_fabric_pump())
			die(what, STATUS_PENDING);
	if (c->status != STATUS_SUCCESS)
		die(what, c->status);
}

template <typename T, typename Create>
T *create(const char *what, Create f)
{
	Call c;
	T *out = nullptr;

	wait(what, &c, f(created, &c, &out));
	return out ? out : reinterpret_cast<T *>(c.object);
}

template <typename T, typename Close>
void close(T *object, Close f)
{
	Call c;

	wait("close", &c, f(&object->Header, closed, &c));
}

sockaddr_in address(const char *ip, USHORT port)
{
	sockaddr_in a = {};

	a.sin_family = AF_INET;
	a.sin_port = htons(port);
	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

const sockaddr *any(const sockaddr_in *a)
{
	return reinterpret_cast<const sockaddr *>(a);
}

struct End {
	NDK_ADAPTER *adapter;
	NDK_PD *pd;
	NDK_CQ *cq;
	NDK_QP *qp;
	NDK_CONNECTOR *connector;
	Call accepted;
	UCHAR memory[kBytes];
};

void open(const char *name, End *e)
{
	NDK_VERSION version = { 2, 1 };
	NTSTATUS status = NdkOpenAdapter(name, version, &e->adapter);

	if (status != STATUS_SUCCESS)
		die(name, status);
	NDK_ADAPTER *a = e->adapter;
	e->pd = create<NDK_PD>("pd", [&](auto fn, auto ctx, auto out) {
		return a->Dispatch->NdkCreatePd(a, fn, ctx, out);
	});
	e->cq = create<NDK_CQ>("cq", [&](auto fn, auto ctx, auto out) {
		return a->Dispatch->NdkCreateCq(a, 4 * kDepth, notified, nullptr, nullptr, fn, ctx,
						out);
	});
	e->qp = create<NDK_QP>("qp", [&](auto fn, auto ctx, auto out) {
		return e->pd->Dispatch->NdkCreateQp(e->pd, e->cq, e->cq, nullptr, kDepth, kDepth, 1,
						    1, kBytes, fn, ctx, out);
	});
}

void shut(End *e)
{
	close(e->connector, e->connector->Dispatch->NdkCloseConnector);
	close(e->qp, e->qp->Dispatch->NdkCloseQp);
	close(e->cq, e->cq->Dispatch->NdkCloseCq);
	close(e->pd, e->pd->Dispatch->NdkClosePd);
}

void on_connect(PVOID ctx, NDK_CONNECTOR *connector)
{
	End *e = static_cast<End *>(ctx);
	NTSTATUS status;

	e->connector = connector;
	status = connector->Dispatch->NdkAccept(connector, e->qp, 0, 0, nullptr, 0, disconnected,
						nullptr, requested, &e->accepted);
	if (status != STATUS_PENDING)
		requested(&e->accepted, status);
}

NDK_LISTENER *listen(End *e)
{
	sockaddr_in at = address("192.0.2.2", kPort);
	NDK_LISTENER *l = create<NDK_LISTENER>("listener", [&](auto fn, auto ctx, auto out) {
		return e->adapter->Dispatch->NdkCreateListener(e->adapter, on_connect, e, fn, ctx,
							       out);
	});
	Call c;

	wait("listen", &c, l->Dispatch->NdkListen(l, any(&at), sizeof(at), requested, &c));
	return l;
}

void connect(End *from, End *to)
{
	sockaddr_in source = address("192.0.2.1", 0), target = address("192.0.2.2", kPort);
	NDK_CONNECTOR *c;
	Call connected, complete;

	c = create<NDK_CONNECTOR>("connector", [&](auto fn, auto ctx, auto out) {
		return from->adapter->Dispatch->NdkCreateConnector(from->adapter, fn, ctx, out);
	});
	from->connector = c;
	wait("connect", &connected,
	     c->Dispatch->NdkConnect(c, from->qp, any(&source), sizeof(source), any(&target),
				     sizeof(target), 0, 0, nullptr, 0, requested, &connected));
	wait("complete", &complete,
	     c->Dispatch->NdkCompleteConnect(c, disconnected, nullptr, requested, &complete));
	wait("accept", &to->accepted, STATUS_PENDING);
}

} // namespace

/* Empty messages: their cost is that of posting, and no memory has to be registered. */
extern "C" __attribute__((noinline)) NTSTATUS measured_send(NDK_QP *qp, const NDK_SGE *sge)
{
	return qp->Dispatch->NdkSend(qp, nullptr, sge, 1, 0);
}

extern "C" __attribute__((noinline)) NTSTATUS measured_receive(NDK_QP *qp)
{
	return qp->Dispatch->NdkReceive(qp, nullptr, nullptr, 0);
}

extern "C" __attribute__((noinline)) ULONG measured_poll(NDK_CQ *cq, NDK_RESULT *result)
{
	return cq->Dispatch->NdkGetCqResults(cq, result, 1);
}

static void message(End *from, End *to, const NDK_SGE *sge)
{
	NDK_RESULT result;
	NTSTATUS status = measured_receive(to->qp);

	if (status == STATUS_SUCCESS)
		status = measured_send(from->qp, sge);
	if (status != STATUS_SUCCESS)
		die("post", status);
	while (ndk_fabric_pump())
		;
	for (End *e : { from, to })
		if (measured_poll(e->cq, &result) != 1 || result.Status != STATUS_SUCCESS)
			die("poll", result.Status);
}

int main()
{
	static End here, there;
	NDK_LISTENER *listener;
	NDK_SGE sge = {};

	if (ndk_fabric_reset(nullptr))
		die("reset", STATUS_DEVICE_BUSY);
	open("fabric:0", &here);
	open("fabric:1", &there);
	listener = listen(&there);
	connect(&here, &there);
	sge.VirtualAddress = here.memory;
	sge.Length = 0;
	for (ULONG i = 0; i < kMessages; i++)
		message(&here, &there, &sge);
	shut(&here);
	shut(&there);
	close(listener, listener->Dispatch->NdkCloseListener);
	NdkCloseAdapter(here.adapter);
	NdkCloseAdapter(there.adapter);
	printf("%u sends, %u receives, %u polls\n", kMessages, kMessages, 2 * kMessages);
	return 0;
}
