/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Sites and their life: made when first named, gone with the next reset. Opening and closing
 * adapters. Process context; World::life is held around everything that makes or ends sites,
 * adapters and the loop's threads, except while a close waits.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include "fabric.hpp"
#include "../exec/bindings.hpp"
#include "../exec/port.hpp"

namespace ndk
{

UINT64 trace_time()
{
	return fabric::world().loop.now();
}

namespace fabric
{

/* Never destroyed: threads and late callers may outlive static destruction. */
World &world()
{
	static World *w = new World;

	return *w;
}

World::World()
{
	/* a consumer written for the kernel pumps nothing */
	ndk_fabric_config_default(&config);
	config.threads = 1;
	loop.reset(true);
}

/* splitmix64: the whole state is one word, so a seed is a run. */
UINT64 World::random()
{
	UINT64 z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* ---- sites ---- */
/* fabric:2 is a plain adapter: small, and without anything that an adapter may lack. */
static void make_plain(NDK_ADAPTER_INFO &i)
{
	i.MaxRegistrationSize = (SIZE_T)1 << 30;
	i.MaxWindowSize = (SIZE_T)1 << 24;
	i.FRMRPageCount = 16; /* MR-17 */
	i.MaxInitiatorRequestSge = 3;
	i.MaxReceiveRequestSge = 2;
	i.MaxReadRequestSge = 1;
	i.MaxTransferLength = 1u << 20;
	i.MaxInlineDataSize = 64;
	i.MaxInboundReadLimit = 4;
	i.MaxOutboundReadLimit = 4;
	i.MaxReceiveQueueDepth = 256;
	i.MaxInitiatorQueueDepth = 128;
	i.MaxSrqDepth = 0;
	i.MaxCqDepth = 1024;
	i.AdapterFlags = NDK_ADAPTER_FLAG_IN_ORDER_DMA_SUPPORTED |
			 NDK_ADAPTER_FLAG_LOOPBACK_CONNECTIONS_SUPPORTED;
}

static NDK_ADAPTER_INFO make_info(unsigned number, bool iwarp)
{
	NDK_ADAPTER_INFO i{};

	i.VendorId = 0x4e444b; /* "NDK": no vendor's */
	i.DeviceId = 1 + number;
	i.MaxRegistrationSize = (SIZE_T)1 << 40;
	i.MaxWindowSize = (SIZE_T)1 << 40;
	i.FRMRPageCount = 256;
	i.MaxInitiatorRequestSge = 16;
	i.MaxReceiveRequestSge = 16;
	i.MaxReadRequestSge = 4;
	i.MaxTransferLength = 1u << 30;
	i.MaxInlineDataSize = 256;
	/* neighbours differ, so that it shows which of the two limits a connection */
	i.MaxInboundReadLimit = number % 2 ? 8 : 16;
	i.MaxOutboundReadLimit = number % 2 ? 16 : 8;
	i.MaxReceiveQueueDepth = 4096;
	i.MaxInitiatorQueueDepth = 4096;
	i.MaxSrqDepth = 4096;
	i.MaxCqDepth = 65535;
	i.LargeRequestThreshold = 65536;
	i.MaxCallerData = iwarp ? 251 : ib_flavour.request_size;
	i.MaxCalleeData = iwarp ? 251 : ib_flavour.reject_size;
	i.AdapterFlags = NDK_ADAPTER_FLAG_IN_ORDER_DMA_SUPPORTED |
			 NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED |
			 NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED |
			 NDK_ADAPTER_FLAG_LOOPBACK_CONNECTIONS_SUPPORTED;
	if (number == 2)
		make_plain(i);
	else if (!iwarp)
		i.AdapterFlags |= NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED;
	if (iwarp)
		i.AdapterFlags |= NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED;
	i.RdmaTechnology = iwarp ? NdkiWarp : NdkRoCEv2;
	return i;
}

void add_address(Site *s, const ndk_addr &a)
{
	UINT64 seed = world().random();

	s->locals.push_back(std::make_unique<ndk_local>());
	{
		HostLock hold(&s->core.host);

		ndk_local_add(&s->core.host, s->locals.back().get(), &a, (ULONG)seed);
	}
	std::lock_guard<std::mutex> hold(world().loop.lock);

	s->addresses.push_back(a);
}

static std::unique_ptr<Site> make_site(unsigned number)
{
	std::unique_ptr<Site> s = std::make_unique<Site>();
	bool iwarp = world().flavour == &iwarp_flavour;
	static const UCHAR v4[4] = { 192, 0, 2 };
	static const UCHAR v6[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	ndk_addr a{};

	ndk_host_init(&s->core.host, iwarp ? NDK_TRANSPORT_IWARP : NDK_TRANSPORT_IB);
	s->core.ops = &shell_ops;
	s->core.host.info = make_info(number, iwarp);
	s->core.host.owner_pid = (ULONG)getpid();
	s->core.host.caps.MaxQpCount = s->core.host.caps.MaxCqCount = 1u << 20; /* memory is the limit */
	s->core.host.caps.MaxMrCount = s->core.host.caps.MaxMwCount = 1u << 20;
	s->core.host.caps.MaxPdCount = 1u << 20;
	s->core.host.caps.MaxSrqCount = s->core.host.info.MaxSrqDepth ? 1u << 20 : 0;
	s->number = number;
	s->tokens.resize(token_buckets);
	s->token_salt = (UINT32)world().config.seed + number;
	a.family = NDK_FAMILY_V4;
	ndk_copy(a.ip, v4, sizeof(v4));
	a.ip[3] = (UCHAR)(number + 1);
	add_address(s.get(), a);
	a.family = NDK_FAMILY_V6;
	ndk_copy(a.ip, v6, sizeof(v6));
	a.ip[15] = (UCHAR)(number + 1);
	add_address(s.get(), a);
	return s;
}

Site *site_at(unsigned number)
{
	std::unique_ptr<Site> fresh;

	if (number >= max_sites)
		return nullptr;
	if (!world().sites[number]) {
		fresh = make_site(number);
		std::lock_guard<std::mutex> hold(world().loop.lock);

		world().sites[number] = std::move(fresh);
	}
	return world().sites[number].get();
}

/* "0" to "63", without ornament; -1 for anything else. */
static int number_of(const char *rest)
{
	char *end = nullptr;
	long n;

	if (rest[0] < '0' || rest[0] > '9' || (rest[0] == '0' && rest[1]))
		return -1;
	n = strtol(rest, &end, 10);
	return *end || n >= (long)max_sites ? -1 : (int)n;
}

/* ---- adapters ---- */
static NDIS_STATUS open(const char *rest, NDK_VERSION version, NDK_ADAPTER **adapter)
{
	World &w = world();
	std::lock_guard<std::mutex> hold(w.life);
	ndk_adapter *a = nullptr;
	int n = number_of(rest);
	NDIS_STATUS status;
	Site *s;

	if (n < 0)
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	s = site_at((unsigned)n);
	if (s->removed)
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	status = ndk_api_open(&s->core.host, version, &a);
	if (status != NDIS_STATUS_SUCCESS)
		return status;
	if (w.open++ == 0)
		w.loop.start();
	*adapter = &a->obj.ndk.adapter;
	return NDIS_STATUS_SUCCESS;
}

/* With threads: after which a close that still waits says what it waits for. */
static constexpr std::chrono::seconds close_patience{ 10 };

/* The adapter is still held: by what its consumer did not close. */
static void report_held(ndk_adapter *a, const char *how_long)
{
	HostLock hold(a->obj.host);
	const ndk_link *i;

	fprintf(stderr, "ndk: NdkCloseAdapter waits %s, these objects are not closed:\n", how_long);
	for (i = a->objects.next; i != &a->objects; i = i->next) {
		const ndk_obj *o = NDK_CONTAINER(i, ndk_obj, sibling);

		fprintf(stderr, "  %s#%u %s (successors %u, requests %u, callbacks %u, work %u)\n",
			ndk_type_name(o->type), o->id, ndk_state_name(NDK_MACHINE_LIFE, o->life),
			o->refs[NDK_REF_CHILD], o->refs[NDK_REF_REQUEST], o->refs[NDK_REF_CALLBACK],
			o->refs[NDK_REF_WORK]);
	}
	if (ndk_link_empty(&a->objects))
		fprintf(stderr, "  none, but %u logical address mappings\n",
			a->obj.refs[NDK_REF_CHILD]);
}

static void wait_idle(ndk_adapter *core)
{
	Adapter *a = reinterpret_cast<Adapter *>(core);
	Loop &loop = world().loop;

	if (loop.threaded()) {
		if (!loop.await([a] { return a->idle; }, close_patience)) {
			report_held(core, "for more than 10 s"); /* somebody may still close them */
			while (!loop.await([a] { return a->idle; }, close_patience))
				;
		}
		return;
	}
	while (!a->idle) {
		if (!loop.pump()) {
			report_held(core, "for ever"); /* nothing is scheduled any more */
			abort();
		}
	}
}

static void close(ndk_adapter *a)
{
	World &w = world();

	ndk_api_close_adapter(a, wait_idle);
	std::lock_guard<std::mutex> hold(w.life);

	if (--w.open == 0)
		w.loop.stop();
}

/* ---- control ---- */
static ndk_site *site_get(const char *rest)
{
	std::lock_guard<std::mutex> hold(world().life);
	int n = number_of(rest);
	Site *s = n < 0 ? nullptr : site_at((unsigned)n);

	if (!s)
		return nullptr;
	s->holds++;
	return &s->core;
}

static void site_put(ndk_site *site)
{
	reinterpret_cast<Site *>(site)->holds--;
}

static std::string name_at(const ndk_addr *a)
{
	std::lock_guard<std::mutex> hold(world().life);

	for (const std::unique_ptr<Site> &s : world().sites) {
		if (!s || s->removed)
			continue;
		HostLock host(&s->core.host);
		const ndk_local *l = ndk_local_find(&s->core.host, a);

		if (l && !l->gone)
			return "fabric:" + std::to_string(s->number);
	}
	return "";
}

const Binding binding = { "fabric:", open, close, site_get, site_put, name_at };

} /* namespace fabric */

} /* namespace ndk */
