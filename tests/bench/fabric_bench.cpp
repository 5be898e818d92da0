/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What a connect costs (NdkConnectWithSharedEndpoint, NdkAccept, NdkCompleteConnect until both sides
 * are established) while a thousand, and while a million other connections live: it should cost the
 * same. Runs on the deterministic fabric, on one thread; the times are CPU time of that thread, so that
 * a busy machine disturbs little.
 *
 * The live ones are full connections, each with two connectors and two QPs, from twenty thousand
 * shared endpoints to fifty listeners. Where memory does not suffice for all, the counter "live" says
 * how many there were.
 */
#include <ndk_fabric.h>
#include <ndkpi/ndkpi.h>

#include <benchmark/benchmark.h>

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace {

constexpr unsigned kEndpoints = 20000, kListeners = 50, kBatch = 50;
constexpr USHORT kListenerPort = 10000, kEndpointPort = 20000;
constexpr long kSpareKb = 2 * 1024 * 1024;

[[noreturn]] void die(const char *what, NTSTATUS status)
{
	fprintf(stderr, "fabric_bench: %s: status 0x%08x\n", what, (unsigned)status);
	exit(1);
}

/* One request, creation or close, and its answer. */
struct Call {
	bool over = false;
	NTSTATUS status = STATUS_PENDING;
	NDK_OBJECT_HEADER *object = nullptr;
};

void requested(PVOID ctx, NTSTATUS status)
{
	Call *c = static_cast<Call *>(ctx);

	c->over = true;
	c->status = status;
}

void created(PVOID ctx, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	static_cast<Call *>(ctx)->object = object;
	requested(ctx, status);
}

void closed(PVOID ctx) { requested(ctx, STATUS_SUCCESS); }

void wait(const char *what, Call *c, NTSTATUS returned)
{
	if (returned != STATUS_PENDING)
		requested(c, returned);
	while (!c->over)
		if (!ndk_fabric_pump())
			die(what, STATUS_PENDING);
	if (c->status != STATUS_SUCCESS)
		die(what, c->status);
}

/* Creates by a call that takes the completion, the context and the output parameter last. */
template <typename T, typename Create> T *create(const char *what, Create f)
{
	Call c;
	T *out = nullptr;

	wait(what, &c, f(created, &c, &out));
	return out ? out : reinterpret_cast<T *>(c.object);
}

template <typename T, typename Close> void close(T *object, Close f)
{
	Call c;

	wait("close", &c, f(&object->Header, closed, &c));
}

void notified(PVOID, NTSTATUS) {}
void disconnected(PVOID) {}

sockaddr_in address(const char *ip, USHORT port)
{
	sockaddr_in a = {};

	a.sin_family = AF_INET;
	a.sin_port = htons(port);
	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

const sockaddr *any(const sockaddr_in *a) { return reinterpret_cast<const sockaddr *>(a); }

double cpu_seconds()
{
	timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

long available_kb()
{
	std::ifstream in("/proc/meminfo");
	std::string name, unit;
	long kb;

	while (in >> name >> kb >> unit)
		if (name == "MemAvailable:")
			return kb;
	return std::numeric_limits<long>::max();
}

/* One side of a connection. */
struct End {
	NDK_CONNECTOR *connector = nullptr;
	NDK_QP *qp = nullptr;
};

struct Connection {
	End active, passive;
};

class World {
public:
	World()
	{
		ndk_fabric_config config;

		ndk_fabric_config_default(&config);
		config.threads = 0;
		if (ndk_fabric_reset(&config))
			die("reset", STATUS_DEVICE_BUSY);
		ndk_fabric_set_callbacks(NDK_FABRIC_CALLBACK_LATER);
		open("fabric:0", &here);
		open("fabric:1", &there);
		for (unsigned i = 0; i <= kEndpoints; i++)
			endpoints.push_back(make_endpoint((USHORT)(kEndpointPort + i)));
		for (unsigned i = 0; i < kListeners; i++)
			listeners.push_back(make_listener((USHORT)(kListenerPort + i)));
	}

	~World()
	{
		for (auto c = live.rbegin(); c != live.rend(); ++c)
			close_connection(&*c);
		for (NDK_SHARED_ENDPOINT *e : endpoints)
			close(e, e->Dispatch->NdkCloseSharedEndpoint);
		for (NDK_LISTENER *l : listeners)
			close(l, l->Dispatch->NdkCloseListener);
		shut(&here);
		shut(&there);
	}

	/* As many live connections as asked for, or as memory allows. */
	void populate(size_t n)
	{
		live.reserve(n);
		while (live.size() < n) {
			size_t i = live.size();
			if (i % 4096 == 0 && available_kb() < kSpareKb)
				return;
			Connection c = prepare();
			establish(&c, (unsigned)(i / kListeners), (unsigned)(i % kListeners));
			live.push_back(c);
		}
	}

	/* CPU seconds that so many connects took. */
	double batch()
	{
		std::vector<Connection> some;
		double began, took;

		for (unsigned i = 0; i < kBatch; i++)
			some.push_back(prepare());
		began = cpu_seconds();
		for (unsigned i = 0; i < kBatch; i++)
			establish(&some[i], kEndpoints, next++ % kListeners);
		took = cpu_seconds() - began;
		for (Connection &c : some)
			close_connection(&c);
		return took;
	}

	size_t population() const { return live.size(); }

private:
	struct Side {
		NDK_ADAPTER *adapter;
		NDK_PD *pd;
		NDK_CQ *cq;
	};

	static void open(const char *name, Side *s)
	{
		NDK_VERSION version = { 2, 1 };
		NTSTATUS status = NdkOpenAdapter(name, version, &s->adapter);

		if (status != STATUS_SUCCESS)
			die(name, status);
		NDK_ADAPTER *a = s->adapter;
		s->pd = create<NDK_PD>("pd", [&](auto fn, auto ctx, auto out) {
			return a->Dispatch->NdkCreatePd(a, fn, ctx, out);
		});
		s->cq = create<NDK_CQ>("cq", [&](auto fn, auto ctx, auto out) {
			return a->Dispatch->NdkCreateCq(a, 1024, notified, nullptr, nullptr, fn, ctx, out);
		});
	}

	static void shut(Side *s)
	{
		close(s->cq, s->cq->Dispatch->NdkCloseCq);
		close(s->pd, s->pd->Dispatch->NdkClosePd);
		NdkCloseAdapter(s->adapter);
	}

	NDK_SHARED_ENDPOINT *make_endpoint(USHORT port)
	{
		sockaddr_in at = address("192.0.2.1", port);

		return create<NDK_SHARED_ENDPOINT>("shared endpoint", [&](auto fn, auto ctx, auto out) {
			return here.adapter->Dispatch->NdkCreateSharedEndpoint(here.adapter, any(&at),
									       sizeof(at), fn, ctx, out);
		});
	}

	NDK_LISTENER *make_listener(USHORT port)
	{
		sockaddr_in at = address("192.0.2.2", port);
		NDK_LISTENER *l = create<NDK_LISTENER>("listener", [&](auto fn, auto ctx, auto out) {
			return there.adapter->Dispatch->NdkCreateListener(there.adapter, on_connect, this,
									  fn, ctx, out);
		});
		Call c;

		wait("listen", &c, l->Dispatch->NdkListen(l, any(&at), sizeof(at), requested, &c));
		return l;
	}

	static NDK_QP *make_qp(Side *s)
	{
		return create<NDK_QP>("qp", [&](auto fn, auto ctx, auto out) {
			return s->pd->Dispatch->NdkCreateQp(s->pd, s->cq, s->cq, nullptr, 1, 1, 1, 1, 0, fn,
							    ctx, out);
		});
	}

	Connection prepare()
	{
		Connection c;
		NDK_ADAPTER *a = here.adapter;

		c.active.qp = make_qp(&here);
		c.passive.qp = make_qp(&there);
		c.active.connector = create<NDK_CONNECTOR>("connector", [&](auto fn, auto ctx, auto out) {
			return a->Dispatch->NdkCreateConnector(a, fn, ctx, out);
		});
		return c;
	}

	/* The connect event of the one connection that is being made. */
	static void on_connect(PVOID ctx, NDK_CONNECTOR *connector)
	{
		World *w = static_cast<World *>(ctx);
		NTSTATUS status;

		w->making->passive.connector = connector;
		status = connector->Dispatch->NdkAccept(connector, w->making->passive.qp, 0, 0, nullptr, 0,
							disconnected, nullptr, requested, &w->accepted);
		if (status != STATUS_PENDING)
			requested(&w->accepted, status);
	}

	void establish(Connection *c, unsigned endpoint, unsigned listener)
	{
		sockaddr_in to = address("192.0.2.2", (USHORT)(kListenerPort + listener));
		NDK_CONNECTOR *a = c->active.connector;
		Call connect, complete;

		making = c;
		accepted = Call();
		wait("connect", &connect,
		     a->Dispatch->NdkConnectWithSharedEndpoint(a, c->active.qp, endpoints[endpoint], any(&to),
							       sizeof(to), 0, 0, nullptr, 0, requested,
							       &connect));
		wait("complete", &complete,
		     a->Dispatch->NdkCompleteConnect(a, disconnected, nullptr, requested, &complete));
		wait("accept", &accepted, STATUS_PENDING);
	}

	static void close_connection(Connection *c)
	{
		for (End *e : { &c->active, &c->passive }) {
			close(e->connector, e->connector->Dispatch->NdkCloseConnector);
			close(e->qp, e->qp->Dispatch->NdkCloseQp);
		}
	}

	Side here, there;
	std::vector<NDK_SHARED_ENDPOINT *> endpoints;
	std::vector<NDK_LISTENER *> listeners;
	std::vector<Connection> live;
	Connection *making = nullptr;
	Call accepted;
	unsigned next = 0;
};

double few; /* seconds per connect among a thousand */

void fabric_connect(benchmark::State &state, World *world)
{
	double sum = 0;
	double connects = 0;

	world->populate((size_t)state.range(0));
	world->batch(); /* the first after a long pause is not typical */
	for (auto _ : state) {
		double took = world->batch();
		state.SetIterationTime(took / kBatch);
		sum += took;
		connects += kBatch;
	}
	state.counters["live"] = (double)world->population();
	state.counters["ns_per_connect"] = sum / connects * 1e9;
	if (few == 0)
		few = sum / connects;
	else
		state.counters["ratio"] = sum / connects / few;
}

}

int main(int argc, char **argv)
{
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 1;
	World world;
	for (long live : { 1000L, 1000000L })
		benchmark::RegisterBenchmark("fabric_connect", fabric_connect, &world)
			->ArgName("live")
			->Arg(live)
			->Iterations(200)
			->UseManualTime()
			->Unit(benchmark::kNanosecond);
	benchmark::RunSpecifiedBenchmarks();
	return 0;
}
