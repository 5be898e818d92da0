// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The environment of cases on the in-memory fabric, deterministic (S) and threaded (T).
 *
 * S: one thread does everything; waiting means pumping the fabric in virtual time, in small steps, so
 * that nothing due after the end of a wait happens within it. T: the fabric has threads of its own;
 * waiting is waiting on a condition variable.
 */
#include "env_fabric.hpp"

#include "env.h"
#include "world.h"

#include <ndk_fabric.h>

#include <arpa/inet.h>
#include <malloc.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

namespace
{

fabric_options options;
FILE *output = stdout;
UINT64 random_state;
unsigned troubles;

std::mutex record_lock;	  // conf_lock()
std::mutex output_lock;
std::mutex signal_lock;	  // counts of all signals
std::condition_variable signalled;
std::atomic<long> blocks;

constexpr UINT64 first_step_us = 16, last_step_us = 1000;
constexpr ULONG busy_times = 2; /* so slow threads may be that others keep from running */

/* Lets virtual time pass until something happens, at most for `us`. False: nothing ever will. */
bool advance(UINT64 us)
{
	const UINT64 start = ndk_fabric_now();

	for (UINT64 step = first_step_us;; step = std::min(step * 2, last_step_us)) {
		const UINT64 before = ndk_fabric_now();
		if (before - start >= us)
			return true;
		if (ndk_fabric_run(std::min(step, us - (before - start))) > 0)
			return true;
		if (ndk_fabric_now() == before)
			return false;
	}
}

bool take(struct conf_signal *s)
{
	const std::lock_guard<std::mutex> hold(signal_lock);
	if (s->count == 0)
		return false;
	s->count--;
	return true;
}

ULONG parse(const char *text, USHORT port, sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (strchr(text, ':') != nullptr) {
		auto *in6 = reinterpret_cast<sockaddr_in6 *>(out);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1 ? sizeof(*in6) : 0;
	}
	auto *in = reinterpret_cast<sockaddr_in *>(out);
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	return inet_pton(AF_INET, text, &in->sin_addr) == 1 ? sizeof(*in) : 0;
}

} // namespace

void fabric_environment(const fabric_options &wanted, FILE *sink)
{
	options = wanted;
	output = sink;
}

/* ---- where ---- */

unsigned conf_place(void)
{
	return options.threads ? NDK_ON_T : NDK_ON_S;
}

BOOLEAN conf_iwarp(void)
{
	return options.iwarp;
}

UINT64 conf_random(void)
{
	/* splitmix64 */
	UINT64 z = random_state += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

const char *conf_adapter_name(unsigned which)
{
	static const char *const names[] = { "fabric:0", "fabric:1", "fabric:2" };

	return which < 3 ? names[which] : nullptr;
}

ULONG conf_address(unsigned which, conf_family family, USHORT port, sockaddr_storage *out)
{
	const std::string number = std::to_string(which + 1);
	return parse(((family == NDK_V4 ? "192.0.2." : "2001:db8::") + number).c_str(), port, out);
}

BOOLEAN conf_bad(conf_bad_address kind, USHORT port, sockaddr_storage *out, ULONG *len)
{
	const char *text = nullptr;

	switch (kind) {
	case CONF_NO_ROUTE:
		text = "203.0.113.9";
		break;
	case CONF_NO_NEIGHBOUR:
		text = "192.0.2.250";
		break;
	case CONF_SILENT:
		text = "192.0.2.240";
		if (ndk_fabric_black_hole(text) != 0)
			return FALSE;
		break;
	case CONF_FOREIGN:
		text = "192.0.2.77";
		break;
	case CONF_OTHER_ADAPTER:
		text = "192.0.2.2";
		break;
	}
	*len = parse(text, port, out);
	return TRUE;
}

/* ---- waiting ---- */

void conf_signal_init(struct conf_signal *s)
{
	const std::lock_guard<std::mutex> hold(signal_lock);
	s->count = 0;
}

void conf_signal(struct conf_signal *s)
{
	{
		const std::lock_guard<std::mutex> hold(signal_lock);
		s->count++;
	}
	signalled.notify_all();
}

BOOLEAN conf_wait(struct conf_signal *s, ULONG timeout_ms)
{
	if (options.threads) {
		std::unique_lock<std::mutex> hold(signal_lock);
		const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
		if (!signalled.wait_until(hold, until, [s] { return s->count > 0; }))
			return FALSE;
		s->count--;
		return TRUE;
	}
	const UINT64 until = ndk_fabric_now() + timeout_ms * 1000ull;
	while (!take(s)) {
		const UINT64 now = ndk_fabric_now();
		if (now >= until || !advance(until - now))
			return take(s);
	}
	return TRUE;
}

void conf_sleep(ULONG ms)
{
	if (options.threads) {
		std::this_thread::sleep_for(std::chrono::milliseconds(ms));
		return;
	}
	const UINT64 until = ndk_fabric_now() + ms * 1000ull;
	for (UINT64 now = ndk_fabric_now(); now < until && advance(until - now); now = ndk_fabric_now())
		;
}

ULONG conf_patient_ms(ULONG ms)
{
	return options.threads ? ms * busy_times : ms;
}

UINT64 conf_now_us(void)
{
	return ndk_fabric_now();
}

void conf_settle(void)
{
	conf_sleep(options.threads ? 20 : 2);
}

BOOLEAN conf_nap(void)
{
	if (!options.threads)
		return advance(last_step_us);
	std::this_thread::sleep_for(std::chrono::microseconds(50));
	return TRUE;
}

void conf_stall(ULONG us)
{
	if (options.threads)
		std::this_thread::sleep_for(std::chrono::microseconds(us));
}

PVOID conf_spawn(void (*fn)(PVOID), PVOID arg)
{
	return options.threads ? new std::thread(fn, arg) : nullptr;
}

void conf_join(PVOID thread)
{
	auto *t = static_cast<std::thread *>(thread);
	if (t == nullptr)
		return;
	t->join();
	delete t;
}

unsigned long conf_lock(void)
{
	record_lock.lock();
	return 0;
}

void conf_unlock(unsigned long)
{
	record_lock.unlock();
}

/* ---- memory ---- */

PVOID conf_alloc(SIZE_T size)
{
	void *p = nullptr;

	if (size < NDK_PAGE_SIZE)
		p = std::calloc(1, size != 0 ? size : 1);
	else if (posix_memalign(&p, NDK_PAGE_SIZE, size) == 0)
		memset(p, 0, size);
	if (p == nullptr)
		env_out_of_memory("a block");
	blocks++;
	return p;
}

void conf_free(PVOID p)
{
	if (p == nullptr)
		return;
	blocks--;
	/* Whoever still reads it should not find what was there. */
	memset(p, 0x5a, malloc_usable_size(p));
	std::free(p);
}

long conf_blocks(void)
{
	return blocks;
}

void conf_atomic(void (*fn)(PVOID), PVOID arg)
{
	fn(arg);
}

BOOLEAN conf_masked(void (*)(PVOID), PVOID)
{
	return FALSE;
}

/* ---- faults ---- */

/* Notes that the fabric took an order that M-14 has to know of. */
static BOOLEAN trouble(unsigned kind, int refused)
{
	if (refused == 0)
		troubles |= kind;
	return refused == 0;
}

BOOLEAN conf_fault_drop(unsigned from, ULONG messages, ULONG count)
{
	return trouble(ENV_TROUBLE_MESSAGES,
		       ndk_fabric_fault(static_cast<int>(from), messages, NDK_FABRIC_DROP, count, 0));
}

BOOLEAN conf_fault_duplicate(unsigned from, ULONG messages, ULONG count, ULONG late_ms)
{
	return trouble(ENV_TROUBLE_MESSAGES, ndk_fabric_fault(static_cast<int>(from), messages, NDK_FABRIC_DUPLICATE,
							      count, late_ms * 1000ull));
}

BOOLEAN conf_fault_delay(unsigned from, ULONG messages, ULONG count, ULONG late_ms)
{
	return trouble(ENV_TROUBLE_MESSAGES, ndk_fabric_fault(static_cast<int>(from), messages, NDK_FABRIC_DELAY,
							      count, late_ms * 1000ull));
}

BOOLEAN conf_fault_clear(void)
{
	return ndk_fabric_clear_faults() == 0;
}

BOOLEAN conf_callbacks_within(BOOLEAN within)
{
	return !options.threads &&
	       ndk_fabric_set_callbacks(within ? NDK_FABRIC_CALLBACK_WITHIN : NDK_FABRIC_CALLBACK_LATER) == 0;
}

BOOLEAN conf_silence(unsigned which, BOOLEAN silent)
{
	return trouble(ENV_TROUBLE_MESSAGES, ndk_fabric_silence(static_cast<int>(which), silent));
}

BOOLEAN conf_partition(BOOLEAN cut)
{
	return trouble(ENV_TROUBLE_MESSAGES, ndk_fabric_partition(0, 1, cut));
}

BOOLEAN conf_kill(unsigned which)
{
	return trouble(ENV_TROUBLE_MESSAGES, ndk_fabric_kill(static_cast<int>(which)));
}

BOOLEAN conf_remove(unsigned which)
{
	return trouble(ENV_TROUBLE_DEVICE, ndk_fabric_remove(static_cast<int>(which)));
}

BOOLEAN conf_return(unsigned which)
{
	return ndk_fabric_add(static_cast<int>(which)) == 0;
}

BOOLEAN conf_cq_fault(NDK_CQ *cq)
{
	return ndk_fabric_cq_fault(cq) == 0;
}

BOOLEAN conf_srq_fault(NDK_SRQ *srq)
{
	return ndk_fabric_srq_fault(srq) == 0;
}

/* ---- for the runner and the monitors ---- */

unsigned env_troubles(void)
{
	return troubles;
}

UINT64 env_mark(void)
{
	struct ndk_fabric_stats stats;

	if (options.threads)
		return 0;
	ndk_fabric_stats(&stats);
	return ndk_fabric_now() + stats.events;
}

BOOLEAN env_locks_sleep(void)
{
	return FALSE;
}

BOOLEAN env_begin(UINT64 seed)
{
	ndk_fabric_config config;

	ndk_fabric_config_default(&config);
	config.flavour = options.iwarp ? NDK_FABRIC_IWARP : NDK_FABRIC_IB;
	config.threads = options.threads;
	config.seed = seed;
	config.jitter_us = options.jitter_us;
	random_state = seed;
	troubles = 0;
	return ndk_fabric_reset(&config) == 0;
}

void env_end(void)
{
	world_end();
	ndk_fabric_clear_faults();
}

void env_print(const char *line)
{
	const std::lock_guard<std::mutex> hold(output_lock);
	std::fprintf(output, "%s\n", line);
	std::fflush(output);
	/* Who sends the results to a file still wants to see what went wrong. */
	if (output != stdout && (line[0] == '#' || strncmp(line, "not ok", 6) == 0))
		std::printf("%s\n", line);
}

long env_add(long *counter, long by)
{
	return std::atomic_ref<long>(*counter).fetch_add(by) + by;
}

void env_out_of_memory(const char *what)
{
	std::fprintf(stderr, "ndk_conformance: out of memory for %s\n", what);
	std::abort();
}
