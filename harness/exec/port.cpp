/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The host's half of the core: broken invariants, transitions, illegal steps. Any thread, usually
 * under the host's lock; takes none of its own.
 *
 * A broken invariant ends the process: a harness that goes on after one proves nothing. An illegal
 * step does too, unless a test announced that it provokes one.
 */
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "port.hpp"

namespace ndk
{

static std::atomic<UINT64> illegal_steps{ 0 };
static std::atomic<bool> illegal_tolerated{ false };

bool tracing()
{
	static const bool on = [] {
		const char *v = getenv("NDK_TRACE");

		return v && *v && *v != '0';
	}();

	return on;
}

UINT64 illegal_count()
{
	return illegal_steps;
}

void illegal_reset()
{
	illegal_steps = 0;
}

void illegal_tolerate(bool on)
{
	illegal_tolerated = on;
}

} /* namespace ndk */

extern "C" void ndk_port_bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "ndk: broken invariant at %s:%d, t=%llu us: %s\n", file, line,
		(unsigned long long)ndk::trace_time(), what);
	abort();
}

extern "C" void ndk_port_trace(const struct ndk_obj *obj, const char *machine, const char *from,
			       const char *event, const char *to)
{
	if (!ndk::tracing())
		return;
	fprintf(stderr, "%10llu %s#%u %s: %s -%s-> %s\n", (unsigned long long)ndk::trace_time(),
		ndk_type_name(obj->type), obj->id, machine, from, event, to);
}

extern "C" void ndk_port_illegal(const struct ndk_obj *obj, const char *machine, const char *state,
				 const char *event)
{
	ndk::illegal_steps++;
	fprintf(stderr, "ndk: illegal step at t=%llu us: %s#%u %s: no row for %s in state %s\n",
		(unsigned long long)ndk::trace_time(), ndk_type_name(obj->type), obj->id, machine,
		event, state);
	if (!ndk::illegal_tolerated)
		abort();
}
