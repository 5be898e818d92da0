/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndk_fabric.h: what tests and tools can do to the fabric. Any thread, not inside a callback.
 */
#include <arpa/inet.h>
#include <cstdio>
#include <cstring>

#include "fabric.hpp"
#include "../exec/port.hpp"

using namespace ndk;
using namespace ndk::fabric;

enum {
	BUSY = -16,
	INVALID = -22
};

/* What is late by more would be late by who knows what, after an overflow. */
static constexpr UINT64 longest_delay_us = (UINT64)1 << 40;

static bool known(int adapter)
{
	return adapter >= 0 && (unsigned)adapter < max_sites;
}

/* ---- set-up ---- */
extern "C" void ndk_fabric_config_default(struct ndk_fabric_config *config)
{
	memset(config, 0, sizeof(*config));
	config->flavour = NDK_FABRIC_IB;
	config->seed = 1;
	config->delay_us = 5;
	config->cm_retry_ms = 500;
	config->cm_retries = 130;
	config->rnr_retry_ms = 1;
	config->rnr_retries = 7;
}

static bool busy(Site *s)
{
	HostLock hold(&s->core.host);
	UINT32 open = s->core.host.live[NdkObjectTypeAdapter];

	if (open)
		fprintf(stderr, "ndk: fabric:%u is open (%u adapters)%s\n", s->number, open,
			s->core.host.removed ? ", removed" : "");
	return open || s->holds;
}

static void end_sites()
{
	World &w = world();

	for (std::unique_ptr<Site> &s : w.sites) {
		if (s)
			ndk_api_host_end(&s->core.host);
		s.reset();
	}
	for (std::unique_ptr<Site> &s : w.husks)
		ndk_api_host_end(&s->core.host);
	w.husks.clear();
}

extern "C" int ndk_fabric_reset(const struct ndk_fabric_config *config)
{
	World &w = world();
	std::lock_guard<std::mutex> hold(w.life);
	bool any = w.open != 0;

	if (config && (config->flavour < NDK_FABRIC_IB || config->flavour > NDK_FABRIC_IWARP))
		return INVALID;
	for (std::unique_ptr<Site> &s : w.sites)
		any = (s && busy(s.get())) || any;
	for (std::unique_ptr<Site> &s : w.husks)
		any = busy(s.get()) || any;
	if (any)
		return BUSY;
	{
		std::lock_guard<std::mutex> world_lock(w.loop.lock);

		drop_messages();
	}
	end_sites();
	if (config)
		w.config = *config;
	else
		ndk_fabric_config_default(&w.config);
	w.flavour = w.config.flavour == NDK_FABRIC_IWARP ? &iwarp_flavour : &ib_flavour;
	w.random_state = w.config.seed;
	w.black_holes.clear();
	w.faults.clear();
	w.noise = Noise{};
	w.read_delay_us = 0;
	memset(w.cut, 0, sizeof(w.cut));
	memset(&w.stats, 0, sizeof(w.stats));
	illegal_reset();
	w.loop.reset(w.config.threads != 0);
	return 0;
}

/* ---- time ---- */
extern "C" BOOLEAN ndk_fabric_pump(void)
{
	return world().loop.pump();
}

extern "C" ULONG ndk_fabric_run(UINT64 us)
{
	return world().loop.run(us);
}

extern "C" UINT64 ndk_fabric_now(void)
{
	return world().loop.now();
}

extern "C" int ndk_fabric_set_callbacks(int when)
{
	if (when != NDK_FABRIC_CALLBACK_LATER && when != NDK_FABRIC_CALLBACK_WITHIN)
		return INVALID;
	if (world().loop.threaded())
		return INVALID; /* there they come from threads of their own */
	world().loop.set_within(when == NDK_FABRIC_CALLBACK_WITHIN);
	return 0;
}

/* ---- faults ---- */
extern "C" int ndk_fabric_fault(int from, ULONG messages, int fault, ULONG count, UINT64 delay_us)
{
	World &w = world();
	std::lock_guard<std::mutex> hold(w.loop.lock);

	if (from < -1 || (from >= 0 && !known(from)) || !(messages & NDK_FABRIC_ALL_CM) ||
	    (messages & ~(ULONG)NDK_FABRIC_ALL_CM) || fault < NDK_FABRIC_DROP ||
	    fault > NDK_FABRIC_DELAY || !count || delay_us > longest_delay_us)
		return INVALID;
	w.faults.push_back({ from, messages, fault, count, delay_us });
	return 0;
}

extern "C" int ndk_fabric_noise(ULONG drop, ULONG duplicate, ULONG delay, UINT64 max_delay_us)
{
	World &w = world();
	std::lock_guard<std::mutex> hold(w.loop.lock);

	if (drop > 1000 || duplicate > 1000 || delay > 1000 || max_delay_us > longest_delay_us)
		return INVALID;
	w.noise = { drop, duplicate, delay, max_delay_us };
	return 0;
}

extern "C" int ndk_fabric_clear_faults(void)
{
	World &w = world();
	std::lock_guard<std::mutex> hold(w.loop.lock);

	w.faults.clear();
	w.noise = Noise{};
	return 0;
}

extern "C" int ndk_fabric_silence(int adapter, BOOLEAN silent)
{
	World &w = world();
	std::lock_guard<std::mutex> life(w.life);

	if (!known(adapter))
		return INVALID;
	Site *s = site_at((unsigned)adapter);
	std::lock_guard<std::mutex> hold(w.loop.lock);

	s->silent = silent;
	return 0;
}

extern "C" int ndk_fabric_partition(int a, int b, BOOLEAN cut)
{
	World &w = world();
	std::lock_guard<std::mutex> hold(w.loop.lock);

	if (!known(a) || !known(b))
		return INVALID;
	w.cut[a][b] = cut;
	w.cut[b][a] = cut;
	return 0;
}

extern "C" int ndk_fabric_kill(int adapter)
{
	World &w = world();
	std::lock_guard<std::mutex> life(w.life);

	if (!known(adapter))
		return INVALID;
	Site *s = site_at((unsigned)adapter);
	std::lock_guard<std::mutex> hold(w.loop.lock);

	s->dead = true;
	return 0;
}

extern "C" int ndk_fabric_read_delay(UINT64 delay_us)
{
	World &w = world();
	std::lock_guard<std::mutex> hold(w.loop.lock);

	if (delay_us > longest_delay_us)
		return INVALID;
	w.read_delay_us = delay_us;
	return 0;
}

extern "C" int ndk_fabric_create_delay(int adapter, UINT64 delay_us)
{
	constexpr UINT32 types = 1u << NdkObjectTypePd | 1u << NdkObjectTypeCq | 1u << NdkObjectTypeQp |
				 1u << NdkObjectTypeSrq | 1u << NdkObjectTypeMw;
	World &w = world();
	std::lock_guard<std::mutex> life(w.life);

	if (!known(adapter) || w.config.threads || delay_us > longest_delay_us)
		return INVALID;
	Site *s = site_at((unsigned)adapter);
	HostLock hold(&s->core.host);

	s->create_delay_us = delay_us;
	s->core.host.heavy = delay_us ? types : 0;
	return 0;
}

/* ---- devices ---- */
extern "C" int ndk_fabric_cq_fault(NDK_CQ *cq)
{
	ndk_obj *o = ndk_obj_of(cq, NdkObjectTypeCq);
	Upcalls up;

	if (!o)
		return INVALID;
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		lose_cq(reinterpret_cast<Cq *>(o), up);
	}
	up.run();
	return 0;
}

extern "C" int ndk_fabric_srq_fault(NDK_SRQ *srq)
{
	ndk_obj *o = ndk_obj_of(srq, NdkObjectTypeSrq);
	Upcalls up;

	if (!o)
		return INVALID;
	{
		std::lock_guard<std::mutex> hold(world().loop.lock);

		lose_srq(reinterpret_cast<Srq *>(o), up);
	}
	up.run();
	return 0;
}

extern "C" int ndk_fabric_remove(int adapter)
{
	World &w = world();
	Site *s;

	if (!known(adapter))
		return INVALID;
	{
		std::lock_guard<std::mutex> life(w.life);

		s = site_at((unsigned)adapter);
		std::lock_guard<std::mutex> hold(w.loop.lock);

		if (s->removed)
			return INVALID;
		s->removed = true;
		s->holds++;
	}
	ndk_api_removed(&s->core.host); /* may call consumers, so without life */
	announce(s, NdkAdapterRemoved);
	s->holds--;
	return 0;
}

extern "C" int ndk_fabric_add(int adapter)
{
	World &w = world();
	std::lock_guard<std::mutex> life(w.life);
	Site *s;

	if (!known(adapter))
		return INVALID;
	s = site_at((unsigned)adapter);
	{
		std::lock_guard<std::mutex> hold(w.loop.lock);

		if (s->removed)
			w.husks.push_back(std::move(w.sites[(unsigned)adapter]));
		else if (s->dead)
			s->dead = false; /* the host comes back */
		else
			return INVALID;
	}
	announce(site_at((unsigned)adapter), NdkAdapterArrived);
	return 0;
}

static bool parse(const char *text, ndk_addr *a)
{
	*a = ndk_addr{};
	if (!text)
		return false;
	if (inet_pton(AF_INET, text, a->ip) == 1)
		a->family = NDK_FAMILY_V4;
	else if (inet_pton(AF_INET6, text, a->ip) == 1)
		a->family = NDK_FAMILY_V6;
	return a->family != NDK_FAMILY_NONE && !ndk_addr_any(a);
}

extern "C" int ndk_fabric_add_address(int adapter, const char *text)
{
	World &w = world();
	std::lock_guard<std::mutex> life(w.life);
	ndk_addr a;

	if (!known(adapter) || !parse(text, &a))
		return INVALID;
	for (unsigned i = 0; i < max_sites; i++) {
		if (!w.sites[i])
			continue;
		for (const ndk_addr &own : w.sites[i]->addresses) {
			if (ndk_addr_same_ip(&own, &a))
				return INVALID; /* one owner per address */
		}
	}
	add_address(site_at((unsigned)adapter), a);
	return 0;
}

extern "C" int ndk_fabric_black_hole(const char *text)
{
	World &w = world();
	std::lock_guard<std::mutex> hold(w.loop.lock);
	ndk_addr a;

	if (!parse(text, &a))
		return INVALID;
	w.black_holes.push_back(a);
	return 0;
}

/* ---- sight ---- */
extern "C" void ndk_fabric_stats(struct ndk_fabric_stats *stats)
{
	World &w = world();
	std::lock_guard<std::mutex> hold(w.loop.lock);

	*stats = w.stats;
	stats->events = w.loop.fired();
	stats->illegal = illegal_count();
}

extern "C" void ndk_fabric_tolerate_illegal(BOOLEAN tolerate)
{
	illegal_tolerate(tolerate);
}
