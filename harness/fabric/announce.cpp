/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Telling consumers that an adapter came, is to be closed, or went (ndkpi_manage.h). Deterministic: in
 * the pump, like everything else. Threaded: on a thread of the announcement's own, because the
 * fabric's threads run only while an adapter is open. Registry lock held while a consumer is called,
 * so calls come one after the other and who has deregistered is in none.
 */
#include <cstdio>
#include <list>
#include <string>

#include <ndkpi/ndkpi_manage.h>

#include "fabric.hpp"

namespace ndk::fabric
{

struct Registration {
	NDK_FN_ADAPTER_EVENT *fn;
	PVOID context;
	UINT64 since; /* the last announcement before it */
};

struct Announcement : Event {
	UINT64 number;
	unsigned site;
	NDK_ADAPTER_EVENT event;
};

static std::mutex registry_lock; /* before all locks but none of ours is taken while it calls */
static std::list<Registration> &registry = *new std::list<Registration>; /* threads may outlive statics */
static std::mutex number_lock; /* innermost */
static UINT64 numbers;

static std::string name_of(unsigned site)
{
	return "fabric:" + std::to_string(site);
}

static void deliver(const Announcement *a)
{
	std::lock_guard<std::mutex> hold(registry_lock);
	std::string name = name_of(a->site);

	for (const Registration &r : registry)
		if (a->number > r.since)
			r.fn(r.context, name.c_str(), a->event);
}

static void run_announcement(const Upcall &u)
{
	Announcement *a = static_cast<Announcement *>(u.a);

	deliver(a);
	delete a;
}

static void announcement_fire(Event &e, Upcalls &up)
{
	up.add({ run_announcement, static_cast<Announcement *>(&e), nullptr, 0 });
}

bool drop_announcement(Event &e)
{
	if (e.fire != announcement_fire)
		return false;
	delete static_cast<Announcement *>(&e);
	return true;
}

void announce(Site *s, NDK_ADAPTER_EVENT event)
{
	Announcement *a = new Announcement{};
	Loop &loop = world().loop;

	a->fire = announcement_fire;
	a->site = s->number;
	a->event = event;
	{
		std::lock_guard<std::mutex> hold(number_lock);

		a->number = ++numbers;
	}
	if (loop.threaded()) {
		std::thread([a] {
			deliver(a);
			delete a;
		}).detach();
		return;
	}
	std::lock_guard<std::mutex> hold(loop.lock);

	loop.schedule(*a, loop.now());
}

void announce_host(ndk_host *h, int event)
{
	announce(site_of(h), static_cast<NDK_ADAPTER_EVENT>(event));
}

} /* namespace ndk::fabric */

using namespace ndk::fabric;

/* The fabric has adapters for the asking: those that somebody has asked for are there. */
NTSTATUS NdkRegisterAdapterEvents(NDK_FN_ADAPTER_EVENT *Event, PVOID Context, PVOID *pRegistration)
{
	std::vector<unsigned> present;

	if (!Event || !pRegistration)
		return STATUS_INVALID_PARAMETER;
	{
		std::lock_guard<std::mutex> life(world().life);

		for (const std::unique_ptr<Site> &s : world().sites)
			if (s && !s->removed)
				present.push_back(s->number);
	}
	std::lock_guard<std::mutex> hold(registry_lock);
	{
		std::lock_guard<std::mutex> count(number_lock);

		registry.push_back({ Event, Context, numbers });
	}
	for (unsigned n : present)
		Event(Context, name_of(n).c_str(), NdkAdapterArrived);
	*pRegistration = &registry.back();
	return STATUS_SUCCESS;
}

VOID NdkDeregisterAdapterEvents(PVOID Registration)
{
	std::lock_guard<std::mutex> hold(registry_lock);

	registry.remove_if([Registration](const struct Registration &r) { return &r == Registration; });
}
