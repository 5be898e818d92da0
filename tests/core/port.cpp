/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * See port.h. The names the core passes are the very pointers of its tables, so they are found by
 * address.
 */
#include "port.h"

#include "../../kmod/core/object.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <sstream>

namespace {

constexpr unsigned kStates = 32;
constexpr unsigned kEvents = 32;
constexpr unsigned kHistory = 24;

struct Transition {
	const char *machine;
	const char *from;
	const char *event;
	const char *to;
	UINT32 id;
};

struct State {
	port::Reports reports;
	bool expecting;
	bool quiet;
	std::string last;
	std::array<Transition, kHistory> ring;
	unsigned long transitions;
	unsigned long forgotten;
	bool taken[NDK_MACHINES][kStates][kEvents];
};

State &state()
{
	static State s = {};
	return s;
}

unsigned index_of(const char *const *names, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (names[i] == name)
			return i;
	return n;
}

void mark(const char *machine, const char *from, const char *event)
{
	for (unsigned m = 0; m < NDK_MACHINES; m++) {
		const struct ndk_machine *table = ndk_machine(m);
		if (table->name != machine)
			continue;
		unsigned f = index_of(table->state_names, table->states, from);
		unsigned e = index_of(table->event_names, table->events, event);
		if (f < kStates && e < kEvents)
			state().taken[m][f][e] = true;
	}
}

void report(unsigned port::Reports::*counter, const std::string &text)
{
	State &s = state();

	s.reports.*counter += 1;
	s.last = text;
	if (!s.expecting && !s.quiet)
		ADD_FAILURE() << text << "\nlast transitions:\n" << port::history();
}

}

extern "C" void ndk_port_bug(const char *what, const char *file, int line)
{
	std::ostringstream text;

	text << "broken invariant: " << what << " at " << file << ":" << line;
	report(&port::Reports::bugs, text.str());
}

extern "C" void ndk_port_trace(const struct ndk_obj *obj, const char *machine, const char *from,
			       const char *event, const char *to)
{
	State &s = state();

	s.ring[s.transitions++ % kHistory] = { machine, from, event, to, obj ? obj->id : 0 };
	if (!s.quiet)
		mark(machine, from, event);
}

extern "C" void ndk_port_illegal(const struct ndk_obj *obj, const char *machine, const char *from,
				 const char *event)
{
	std::ostringstream text;

	text << "illegal step: " << machine << " " << (obj ? obj->id : 0) << " in " << from << " got "
	     << event;
	report(&port::Reports::illegal, text.str());
}

namespace port {

Expecting::Expecting()
{
	state().expecting = true;
	state().reports = {};
}

Expecting::~Expecting()
{
	state().expecting = false;
	state().reports = {};
}

unsigned Expecting::bugs() const { return state().reports.bugs; }

unsigned Expecting::illegal() const { return state().reports.illegal; }

Reports &quiet_reports() { return state().reports; }

void quiet(bool on)
{
	state().quiet = on;
	state().reports = {};
}

const std::string &last_report() { return state().last; }

std::string history()
{
	State &s = state();
	std::ostringstream out;
	unsigned long first = s.transitions > kHistory ? s.transitions - kHistory : 0;

	if (first < s.forgotten)
		first = s.forgotten;
	for (unsigned long i = first; i < s.transitions; i++) {
		const Transition &t = s.ring[i % kHistory];
		out << "  " << t.machine << " " << t.id << ": " << t.from << " --" << t.event << "--> "
		    << t.to << "\n";
	}
	return out.str();
}

void forget_history() { state().forgotten = state().transitions; }

bool taken(unsigned machine, unsigned from, unsigned event)
{
	return state().taken[machine][from][event];
}

unsigned long transitions() { return state().transitions; }

}
