// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * M-13 on the fabric: the clocks and random sources of the system, with a counter before each. The
 * functions below stand in front of the C and C++ libraries' own for the whole program, libndk and
 * libstdc++ included, because the dynamic linker asks the program first; they count and pass on.
 * Counting is atomic, and all else is the library's.
 */
#include "env.h"

#include <dlfcn.h>
#include <sys/random.h>
#include <sys/time.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <random>

namespace
{

std::atomic<long> reads;

/* The library's own function of that name; found once for each place that asks. */
template <class F> F behind(const char *name)
{
	void *own = dlsym(RTLD_NEXT, name);

	if (own == nullptr)
		env_out_of_memory(name);
	return reinterpret_cast<F>(own);
}

template <class F, class... A> auto pass(const char *name, std::atomic<F> &own, A... args)
{
	F f = own.load(std::memory_order_relaxed);

	reads.fetch_add(1, std::memory_order_relaxed);
	if (f == nullptr) {
		f = behind<F>(name);
		own.store(f, std::memory_order_relaxed);
	}
	return f(args...);
}

std::atomic<int (*)(clockid_t, timespec *)> own_clock_gettime;
std::atomic<int (*)(timeval *, void *)> own_gettimeofday;
std::atomic<time_t (*)(time_t *)> own_time;
std::atomic<int (*)(const timespec *, timespec *)> own_nanosleep;
std::atomic<int (*)()> own_rand;
std::atomic<long (*)()> own_random;
std::atomic<ssize_t (*)(void *, size_t, unsigned)> own_getrandom;
std::atomic<int (*)(void *, size_t)> own_getentropy;
std::atomic<unsigned (*)(void *)> own_random_device;

} // namespace

extern "C" {

int clock_gettime(clockid_t id, timespec *at) noexcept
{
	return pass("clock_gettime", own_clock_gettime, id, at);
}

int gettimeofday(timeval *__restrict at, void *__restrict zone) noexcept
{
	return pass("gettimeofday", own_gettimeofday, at, zone);
}

time_t time(time_t *at) noexcept
{
	return pass("time", own_time, at);
}

int nanosleep(const timespec *wanted, timespec *left)
{
	return pass("nanosleep", own_nanosleep, wanted, left);
}

int rand() noexcept
{
	return pass("rand", own_rand);
}

long random() noexcept
{
	return pass("random", own_random);
}

ssize_t getrandom(void *to, size_t size, unsigned flags)
{
	return pass("getrandom", own_getrandom, to, size, flags);
}

int getentropy(void *to, size_t size)
{
	return pass("getentropy", own_getentropy, to, size);
}

/* std::random_device::operator(), which may ask the processor itself. */
unsigned conf_random_device(void *device) __asm__("_ZNSt13random_device9_M_getvalEv");
unsigned conf_random_device(void *device)
{
	return pass("_ZNSt13random_device9_M_getvalEv", own_random_device, device);
}

} // extern "C"

long env_foreign_reads(void)
{
	return conf_place() == NDK_ON_S ? reads.load() : 0;
}

BOOLEAN env_read_foreign(unsigned n)
{
	volatile UINT64 seen = 0;
	timespec at{};
	timeval now{};
	unsigned char byte = 0;

	switch (n) {
	case 0: /* from inside libstdc++, as libndk would */
		seen = static_cast<UINT64>(std::chrono::steady_clock::now().time_since_epoch().count());
		break;
	case 1:
		seen = std::random_device()();
		break;
	case 2:
		seen = static_cast<UINT64>(clock_gettime(CLOCK_REALTIME, &at));
		break;
	case 3:
		seen = static_cast<UINT64>(gettimeofday(&now, nullptr));
		break;
	case 4:
		seen = static_cast<UINT64>(time(nullptr));
		break;
	case 5:
		seen = static_cast<UINT64>(nanosleep(&at, nullptr));
		break;
	case 6:
		seen = static_cast<UINT64>(rand());
		break;
	case 7:
		seen = static_cast<UINT64>(random());
		break;
	case 8:
		seen = static_cast<UINT64>(getrandom(&byte, 1, 0));
		break;
	case 9:
		seen = static_cast<UINT64>(getentropy(&byte, 1));
		break;
	default:
		return FALSE;
	}
	static_cast<void>(seen);
	return TRUE;
}
