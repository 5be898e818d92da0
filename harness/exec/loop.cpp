/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The loop: virtual time on the driving thread, or the steady clock on a thread of its own. See
 * loop.hpp for the locks.
 */
#include <algorithm>

#include "loop.hpp"

namespace ndk
{

/* An event due this soon is due: sleeping for less takes longer than that. */
static constexpr UINT64 slack_us = 60;
static constexpr UINT64 longest_run_us = (UINT64)1 << 40; /* more of it would overflow some day */
static constexpr int max_depth = 8;
static constexpr unsigned callback_threads = 3;

/* ---- upcalls ---- */
void Upcalls::add(const Upcall &u)
{
	if (count < near_size)
		near[count] = u;
	else
		far.push_back(u);
	count++;
}

Upcall *Upcalls::last()
{
	if (!count)
		return nullptr;
	return count <= near_size ? &near[count - 1] : &far.back();
}

void Upcalls::run()
{
	for (size_t i = 0; i < count; i++) {
		Upcall u = i < near_size ? near[i] : far[i - near_size];

		u.fn(u);
	}
	count = 0;
	far.clear();
}

/* ---- queue ---- */
bool EventQueue::before(const Event *a, const Event *b)
{
	return a->when != b->when ? a->when < b->when : a->seq < b->seq;
}

void EventQueue::put(size_t at, Event *e)
{
	heap[at] = e;
	e->place = at + 1;
}

void EventQueue::up(size_t at)
{
	Event *e = heap[at];

	while (at && before(e, heap[(at - 1) / 2])) {
		put(at, heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(at, e);
}

void EventQueue::down(size_t at)
{
	Event *e = heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= heap.size())
			break;
		if (child + 1 < heap.size() && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], e))
			break;
		put(at, heap[child]);
		at = child;
	}
	put(at, e);
}

void EventQueue::add(Event &e, UINT64 when)
{
	e.when = when;
	e.seq = next_seq++;
	heap.push_back(&e);
	up(heap.size() - 1);
}

void EventQueue::remove(Event &e)
{
	size_t at = e.place - 1;
	Event *tail = heap.back();

	e.place = 0;
	heap.pop_back();
	if (tail == &e)
		return;
	put(at, tail);
	up(at);
	down(tail->place - 1);
}

/* ---- loop ---- */
void Loop::reset(bool with_threads)
{
	threads = with_threads;
	within = false;
	virtual_now = 0;
	epoch = std::chrono::steady_clock::now();
	events = 0;
}

bool Loop::direct() const
{
	return !threads && within && depth < max_depth;
}

UINT64 Loop::real_now() const
{
	auto since = std::chrono::steady_clock::now() - epoch;

	return (UINT64)std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

UINT64 Loop::now() const
{
	return threads ? real_now() : virtual_now.load(std::memory_order_relaxed);
}

void Loop::schedule(Event &e, UINT64 when)
{
	if (e.queued())
		queue.remove(e);
	queue.add(e, when);
	if (threads && queue.first() == &e)
		wake.notify_one();
}

void Loop::cancel(Event &e)
{
	if (e.queued())
		queue.remove(e);
}

bool Loop::pump()
{
	Upcalls up;
	Event *e;

	if (threads)
		return false;
	{
		std::lock_guard<std::mutex> hold(lock);

		e = queue.first();
		if (!e)
			return false;
		queue.remove(*e);
		if (e->when > virtual_now)
			virtual_now = e->when;
		events++;
		e->fire(*e, up);
	}
	up.run();
	return true;
}

ULONG Loop::run(UINT64 us)
{
	UINT64 end = now() + std::min(us, longest_run_us);
	ULONG done = 0;

	if (threads) {
		std::this_thread::sleep_for(std::chrono::microseconds(us));
		return 0;
	}
	for (;;) {
		{
			std::lock_guard<std::mutex> hold(lock);
			Event *e = queue.first();

			if (!e || e->when > end) {
				if (virtual_now < end)
					virtual_now = end;
				return done;
			}
		}
		pump();
		done++;
	}
}

/* The thread of a threaded world. */
void Loop::work()
{
	std::unique_lock<std::mutex> hold(lock);

	while (!stopping) {
		Event *e = queue.first();
		Upcalls up;

		if (!e) {
			wake.wait(hold);
			continue;
		}
		if (e->when > real_now() + slack_us) {
			wake.wait_until(hold, epoch + std::chrono::microseconds(e->when));
			continue;
		}
		queue.remove(*e);
		events++;
		e->fire(*e, up);
		hold.unlock();
		up.run();
		change.notify_all();
		hold.lock();
	}
}

/* A thread that calls consumers. */
void Loop::answer()
{
	std::unique_lock<std::mutex> hold(call_lock);

	for (;;) {
		if (calls.empty()) {
			if (calls_stopping)
				return;
			call_wake.wait(hold);
			continue;
		}
		Call c = calls.front();

		calls.pop_front();
		hold.unlock();
		ndk_api_call(c.host, &c.effect);
		change.notify_all();
		hold.lock();
	}
}

void Loop::start()
{
	if (!threads)
		return;
	stopping = false;
	calls_stopping = false;
	worker = std::thread(&Loop::work, this);
	for (unsigned i = 0; i < callback_threads; i++)
		callers.emplace_back(&Loop::answer, this);
}

void Loop::stop()
{
	if (!threads)
		return;
	{
		std::lock_guard<std::mutex> hold(lock);

		stopping = true;
		wake.notify_all();
	}
	worker.join();
	{
		std::lock_guard<std::mutex> hold(call_lock);

		calls_stopping = true;
		call_wake.notify_all();
	}
	for (std::thread &t : callers)
		t.join();
	callers.clear();
}

/* ---- carrying out ---- */
namespace
{

struct CallEvent : Event {
	ndk_host *host;
	ndk_effect effect;
};

} /* namespace */

void Loop::run_call(const Upcall &u)
{
	CallEvent *c = static_cast<CallEvent *>(u.a);
	Loop *loop = static_cast<Loop *>(u.b);

	loop->depth++;
	ndk_api_call(c->host, &c->effect);
	loop->depth--;
	delete c;
}

void Loop::fire_call(Event &e, Upcalls &up)
{
	up.add({ run_call, static_cast<CallEvent *>(&e), e.owner, 0 });
}

/*
 * A callback is owed whatever happens, so its event is not subject to failing allocations, as in the
 * kernel it would be a work item inside the object.
 */
void Loop::call(ndk_host *h, const ndk_effect &e)
{
	if (threads) {
		std::lock_guard<std::mutex> hold(call_lock);

		calls.push_back({ h, e });
		call_wake.notify_one();
		return;
	}
	if (direct()) {
		depth++;
		ndk_api_call(h, &e);
		depth--;
		return;
	}
	CallEvent *c = new CallEvent{};

	c->fire = fire_call;
	c->owner = this;
	c->host = h;
	c->effect = e;
	std::lock_guard<std::mutex> hold(lock);
	schedule(*c, now());
}

bool Loop::progress()
{
	if (!threads)
		return pump();
	std::unique_lock<std::mutex> hold(lock);

	change.wait_for(hold, std::chrono::milliseconds(1));
	return true;
}

} /* namespace ndk */
