/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The clock and the event queue of a simulated world, and the places where its consequences are
 * carried out: the driving thread (deterministic), or a thread of its own with a few callback
 * threads (threaded).
 *
 * Locks, in the order in which they may be taken:
 *	Loop::lock (the world)	->  a completion queue's lock
 *	the host's lock		->  a completion queue's lock
 * The world's and the host's lock are never held together, and neither is held while the core's
 * shell interface (ndk_api_*) or a consumer is called. An event therefore fires under the world's
 * lock and only notes what is to be done without it, as upcalls.
 */
#ifndef NDK_EXEC_LOOP_HPP
#define NDK_EXEC_LOOP_HPP

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "../../kmod/api/shell.h"

namespace ndk
{

/* Something to be done without any lock. Plain data: noting one on the data path allocates nothing. */
struct Upcall {
	void (*fn)(const Upcall &u);
	void *a;
	void *b;
	UINT64 n;
};

class Upcalls
{
public:
	Upcalls() = default;
	Upcalls(const Upcalls &) = delete;
	Upcalls &operator=(const Upcalls &) = delete;

	void add(const Upcall &u);
	/* The youngest, for those who can merge with it; NULL if there is none. */
	Upcall *last();
	void run();

private:
	static constexpr size_t near_size = 6;
	std::array<Upcall, near_size> near{};
	std::vector<Upcall> far;
	size_t count = 0;
};

/*
 * Something due at a point in time. Embedded in what it is about, or allocated by who schedules it.
 * All fields belong to the loop, under its lock, but for fire and owner.
 */
struct Event {
	void (*fire)(Event &e, Upcalls &up);
	void *owner;
	UINT64 when;
	UINT64 seq;
	size_t place; /* 0: not queued, else index in the heap plus 1 */

	bool queued() const { return place != 0; }
};

/* A binary heap ordered by (time, order of scheduling), with removal from the middle. */
class EventQueue
{
public:
	void add(Event &e, UINT64 when);
	void remove(Event &e);
	Event *first() { return heap.empty() ? nullptr : heap[0]; }

private:
	static bool before(const Event *a, const Event *b);
	void put(size_t at, Event *e);
	void up(size_t at);
	void down(size_t at);

	std::vector<Event *> heap;
	UINT64 next_seq = 1;
};

class Loop
{
public:
	std::mutex lock;

	/* Chooses the mode; no thread may be running, nothing may be queued. Time starts again at 0. */
	void reset(bool with_threads);
	bool threaded() const { return threads; }
	/* Callbacks before the causing call returns (REQ-5), as deep as that may nest. */
	void set_within(bool on) { within = on; }
	bool direct() const;

	/* Threads begin with the first open adapter and end with the last. */
	void start();
	void stop();

	UINT64 now() const;
	void schedule(Event &e, UINT64 when); /* lock held; moves a queued event */
	void cancel(Event &e); /* lock held */
	Event *first() { return queue.first(); } /* lock held */

	/* Deterministic: one event; FALSE when none is left, or in threaded mode. */
	bool pump();
	ULONG run(UINT64 us);
	UINT64 fired() const { return events; }

	/* Without lock. Delivers a consumer callback in the mode's own time. */
	void call(ndk_host *h, const ndk_effect &e);
	/* Lets the world go on while somebody waits; FALSE: it ran dry. */
	bool progress();
	/* Lock held: wakes those in await(). */
	void changed() { change.notify_all(); }
	/* Threaded: sleeps until the condition, evaluated under the lock, holds, or that long: FALSE. */
	template <class Condition>
	bool await(Condition &&met, std::chrono::seconds patience)
	{
		std::unique_lock<std::mutex> hold(lock);

		return change.wait_for(hold, patience, met);
	}

private:
	struct Call {
		ndk_host *host;
		ndk_effect effect;
	};

	UINT64 real_now() const;
	void work();
	void answer();
	static void fire_call(Event &e, Upcalls &up);
	static void run_call(const Upcall &u);

	EventQueue queue;
	std::atomic<UINT64> virtual_now{ 0 };
	std::chrono::steady_clock::time_point epoch = std::chrono::steady_clock::now();
	std::atomic<UINT64> events{ 0 };
	bool threads = false;
	bool within = false;
	int depth = 0; /* deterministic: consumer callbacks on the stack */

	std::condition_variable wake; /* with lock: the queue has a new first event */
	std::condition_variable change; /* with lock */
	bool stopping = false;
	std::thread worker;

	std::mutex call_lock; /* innermost */
	std::condition_variable call_wake;
	std::deque<Call> calls;
	bool calls_stopping = false;
	std::vector<std::thread> callers;
};

} /* namespace ndk */

#endif
