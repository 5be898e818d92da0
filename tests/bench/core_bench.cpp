/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * How fast the state machines are by themselves, on one core, behind a shell that does nothing: one
 * cycle makes two QPs and two connectors, connects them, disconnects and closes everything. The
 * argument is how many other connections the tables of the host hold meanwhile.
 *
 * items_per_second is transitions per second; the goal is 10 million.
 */
#include "../../kmod/core/connector.h"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

static unsigned long transitions;

extern "C" void ndk_port_bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

extern "C" void ndk_port_trace(const struct ndk_obj *, const char *, const char *, const char *,
			       const char *)
{
	transitions++;
}

extern "C" void ndk_port_illegal(const struct ndk_obj *, const char *machine, const char *state,
				 const char *event)
{
	fprintf(stderr, "illegal step of %s: %s %s\n", machine, state, event);
	abort();
}

namespace {

void requested(PVOID, NTSTATUS) {}
void closed(PVOID) {}
void connected(PVOID, NDK_CONNECTOR *) {}
void disconnected(PVOID) {}

struct ndk_addr address(UINT32 ip, USHORT port)
{
	struct ndk_addr a = {};

	for (unsigned i = 0; i < 4; i++)
		a.ip[i] = (UCHAR)(ip >> (24 - 8 * i));
	a.family = NDK_FAMILY_V4;
	a.port = port;
	return a;
}

constexpr UINT32 kOurs = 0xc0000201, kTheirs = 0xc0000202;

/* Memory of one connection, used again in every cycle. */
struct Pair {
	struct ndk_connector connector;
	struct ndk_conn_data data;
	struct ndk_qp qp;
	struct ndk_slot slots[2];
};

class NullShell {
public:
	explicit NullShell(size_t live) : tuples(live)
	{
		struct ndk_addr a = address(kOurs, 0), at = address(kOurs, 80);
		NDK_VERSION version = { 2, 1 };

		ndk_host_init(&host, NDK_TRANSPORT_IB);
		host.info.MaxInboundReadLimit = 16;
		host.info.MaxOutboundReadLimit = 16;
		ndk_local_add(&host, &local, &a, 0);
		ndk_adapter_init(&adapter, &host, version);
		give(&pd.obj, NdkObjectTypePd);
		give(&cq.obj, NdkObjectTypeCq);
		give(&listener.obj, NdkObjectTypeListener);
		listener.event = connected;
		length = sizeof(sockaddr);
		ndk_addr_give(&at, sockaddr, &length);
		call([&](struct ndk_fx *fx) {
			ndk_listener_listen(&listener, sockaddr, length, requested, nullptr, fx);
		});
		drain();
		for (size_t i = 0; i < live; i++) {
			struct ndk_addr there = address((UINT32)(0x0a000000 + i), 2000);
			ndk_tuple_take(&host, &tuples[i], &a, &there);
			grow(&host.tuples);
		}
	}

	~NullShell()
	{
		for (struct ndk_tuple &t : tuples)
			ndk_tuple_give(&host, &t);
		free(ndk_hash_end(&host.tuples));
		free(ndk_hash_spare(&host.tuples));
	}

	void cycle()
	{
		struct ndk_connector *c = &active.connector, *p = &passive.connector;

		born(&active);
		born(&passive);
		give(&c->obj, NdkObjectTypeConnector);
		connect();
		news(c, NDK_CM_RESPONSE);
		drain();
		struct ndk_accept_args a = arguments(&active);
		call([&](struct ndk_fx *fx) { ndk_connector_complete(c, &a, fx); });
		news(c, NDK_CM_ESTABLISHED);
		news(p, NDK_CM_ESTABLISHED);
		drain();
		call([&](struct ndk_fx *fx) { ndk_connector_disconnect(c, requested, nullptr, fx); });
		news(p, NDK_CM_DISCONNECTED);
		drain();
		call([&](struct ndk_fx *fx) { ndk_connector_disconnect(p, requested, nullptr, fx); });
		news(c, NDK_CM_DISCONNECTED);
		drain();
		for (struct ndk_obj *o : { &c->obj, &p->obj, &active.qp.obj, &passive.qp.obj })
			call([&](struct ndk_fx *fx) { ndk_obj_close(o, closed, nullptr, fx); });
		drain();
	}

	bool clean() const
	{
		return host.live[NdkObjectTypeConnector] == 0 && host.live[NdkObjectTypeQp] == 0 &&
		       host.tuples.count == tuples.size();
	}

private:
	template <typename Call> void call(Call f)
	{
		struct ndk_fx fx;

		ndk_fx_init(&fx);
		f(&fx);
		for (ULONG i = 0; i < fx.count; i++)
			if (fx.e[i].kind < NDK_FX_TIMER_SET)
				due[tail++ % kDue] = fx.e[i];
	}

	void drain()
	{
		while (head != tail) {
			const struct ndk_effect e = due[head++ % kDue];
			call([&](struct ndk_fx *fx) {
				if (e.kind == NDK_FX_CM_LISTEN)
					ndk_listener_answer(&listener, 0, fx);
				else if (e.kind <= NDK_FX_CALL_LAST)
					ndk_effect_start(&e, fx);
				ndk_effect_done(&e, fx);
			});
		}
	}

	void give(struct ndk_obj *o, NDK_OBJECT_TYPE type)
	{
		ndk_obj_begin(o, &adapter, type, nullptr, nullptr);
		call([&](struct ndk_fx *fx) { ndk_obj_built(o, STATUS_SUCCESS, fx); });
	}

	void born(Pair *p)
	{
		memset(&p->connector, 0, sizeof(p->connector));
		memset(&p->qp, 0, sizeof(p->qp));
		p->connector.data = &p->data;
		p->data.in_len = p->data.out_len = 0;
		p->qp.init.slot = &p->slots[0];
		p->qp.recv.slot = &p->slots[1];
		p->qp.init.depth = p->qp.recv.depth = 1;
		ndk_obj_begin(&p->qp.obj, &adapter, NdkObjectTypeQp, nullptr, nullptr);
		ndk_obj_depend(&p->qp.obj, &pd.obj);
		ndk_obj_depend(&p->qp.obj, &cq.obj);
		ndk_obj_depend(&p->qp.obj, &cq.obj);
		call([&](struct ndk_fx *fx) { ndk_obj_built(&p->qp.obj, STATUS_SUCCESS, fx); });
	}

	struct ndk_accept_args arguments(Pair *p)
	{
		struct ndk_accept_args a = {};

		a.qp = &p->qp.obj.ndk.qp;
		a.event = disconnected;
		a.fn = requested;
		return a;
	}

	void connect()
	{
		struct ndk_addr from = address(kOurs, 0), to = address(kTheirs, 80);
		struct ndk_connect_args a = {};
		UCHAR source[NDK_SOCKADDR_V4_LEN], target[NDK_SOCKADDR_V4_LEN];
		struct ndk_cm_request r = {};

		a.src_len = a.dst_len = NDK_SOCKADDR_V4_LEN;
		ndk_addr_give(&from, source, &a.src_len);
		ndk_addr_give(&to, target, &a.dst_len);
		a.qp = &active.qp.obj.ndk.qp;
		a.src = source;
		a.dst = target;
		a.fn = requested;
		call([&](struct ndk_fx *fx) { ndk_connector_connect(&active.connector, &a, fx); });
		r.local = address(kOurs, 80);
		r.remote = address(kTheirs, 3000);
		call([&](struct ndk_fx *fx) {
			ndk_listener_request(&listener, &passive.connector, &r, fx);
		});
		drain();
		struct ndk_accept_args accept = arguments(&passive);
		call([&](struct ndk_fx *fx) { ndk_connector_accept(&passive.connector, &accept, fx); });
		drain();
	}

	void news(struct ndk_connector *c, enum ndk_cm_event event)
	{
		struct ndk_cm_news n = {};

		n.event = (UCHAR)event;
		call([&](struct ndk_fx *fx) { ndk_connector_cm(c, &n, fx); });
	}

	static void grow(struct ndk_hash *h)
	{
		UINT32 n = ndk_hash_wants(h);

		free(ndk_hash_spare(h));
		if (n)
			ndk_hash_offer(h, static_cast<struct ndk_node **>(calloc(n, sizeof(VOID *))), n);
	}

	static constexpr unsigned kDue = 64;
	struct ndk_host host;
	struct ndk_local local;
	struct ndk_adapter adapter = {};
	struct ndk_pd pd = {};
	struct ndk_cq cq = {};
	struct ndk_listener listener = {};
	Pair active = {}, passive = {};
	struct ndk_effect due[kDue];
	unsigned head = 0, tail = 0;
	UCHAR sockaddr[NDK_SOCKADDR_V6_LEN];
	ULONG length;
	std::vector<struct ndk_tuple> tuples;
};

void core_cycle(benchmark::State &state)
{
	NullShell shell((size_t)state.range(0));
	unsigned long before = transitions;

	for (auto _ : state)
		shell.cycle();
	if (!shell.clean())
		state.SkipWithError("the cycle left something behind");
	state.SetItemsProcessed((int64_t)(transitions - before));
	state.counters["transitions_per_cycle"] =
		(double)(transitions - before) / (double)state.iterations();
}

}

BENCHMARK(core_cycle)->ArgName("live")->Arg(0)->Arg(1000)->Arg(1000000);
BENCHMARK_MAIN();
