/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Walks every order of events of the small world, level by level, to a fixed depth or until there is
 * nothing new. Each new state is checked, and from each the world is driven to its end in two ways:
 * whatever happened, everything must be closable and nothing may remain. The first state that breaks
 * a rule is printed with the shortest way to it.
 *
 * T-FT-11 every order of the events of listening, connecting, sharing and closing, to a bounded depth.
 *
 * NDK_DEPTH in the environment overrides the depth of all variants.
 */
#include "covers.h"
#include "port.h"
#include "small_world.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <unordered_set>

namespace {

/* How a state was found: from which, by which action. */
struct Step {
	UINT32 from;
	Action action;
};

struct Walk {
	explicit Walk(const Variant &v)
		: world(v), at(std::make_unique<Memory>()), origin(std::make_unique<Memory>())
	{
		world.save(origin.get());
		steps.push_back({ 0, {} });
		known.insert(world.hash());
	}

	std::vector<Action> way_to(UINT32 state) const
	{
		std::vector<Action> way;

		for (; state; state = steps[state].from)
			way.push_back(steps[state].action);
		return { way.rbegin(), way.rend() };
	}

	void go_to(UINT32 state)
	{
		world.restore(*origin);
		for (Action a : way_to(state))
			world.apply(a);
	}

	std::string story(UINT32 state, const std::string &end)
	{
		std::string text;

		world.restore(*origin);
		for (Action a : way_to(state)) {
			text += "  " + world.describe(a) + "\n";
			world.apply(a);
		}
		return text + "  => " + end + "\n";
	}

	/* Checks the world as it is now, which is state; empty when all is well. */
	std::string examine(UINT32 state)
	{
		std::string bad = world.wrong();
		Memory *here = at.get();

		if (bad.empty()) {
			world.save(here);
			bad = world.drive_to_end(state & 1);
			if (!bad.empty())
				bad = std::string("on the way to the end: ") + bad;
			world.restore(*here);
		}
		port::quiet(true);
		return bad;
	}

	/* All successors of one state; empty when all is well. */
	std::string expand(UINT32 state)
	{
		std::vector<Action> actions;
		auto here = std::make_unique<Memory>();

		go_to(state);
		world.save(here.get());
		world.possible(&actions);
		for (Action a : actions) {
			world.apply(a);
			orders++;
			std::string bad = world.wrong();
			if (known.insert(world.hash()).second || !bad.empty()) {
				steps.push_back({ state, a });
				if (bad.empty())
					bad = examine((UINT32)steps.size() - 1);
				if (!bad.empty())
					return story((UINT32)steps.size() - 1, bad);
			}
			world.restore(*here);
		}
		return "";
	}

	SmallWorld world;
	std::unique_ptr<Memory> at, origin;
	std::vector<Step> steps;
	std::unordered_set<UINT64> known;
	unsigned long orders = 0;
};

struct Case {
	Variant variant;
	unsigned depth;
};

void PrintTo(const Case &c, std::ostream *out) { *out << c.variant.name; }

}

class Exhaustive : public testing::TestWithParam<Case> {};

TEST_P(Exhaustive, every_order_keeps_the_rules)
{
	NDK_COVERS("REQ-1 REQ-2 REQ-6 REQ-7 REQ-8 REQ-11 REQ-12 CREATE-2 CREATE-3 CREATE-15 "
		   "CLOSE-1 CLOSE-2 CLOSE-3 CLOSE-5 CLOSE-6 CLOSE-7 CLOSE-8 CLOSE-11 CLOSE-12 CLOSE-13 "
		   "CLOSE-14 CLOSE-17 CLOSE-18 LIFE-2 LIFE-4 LIFE-5 ADP-4 ADP-5 "
		   "DISC-7 U-17 U-18 U-19 U-45 EP-5 CONC-8 CONC-9");
	const char *override_depth = getenv("NDK_DEPTH");
	unsigned depth = override_depth ? (unsigned)atoi(override_depth) : GetParam().depth;
	clock_t began = clock();
	Walk walk(GetParam().variant);
	UINT32 level = 0, next = 1;
	unsigned done = 0;

	port::quiet(true);
	for (; done < depth && level < walk.steps.size(); done++) {
		for (; level < next; level++) {
			std::string bad = walk.expand(level);
			if (!bad.empty()) {
				port::quiet(false);
				FAIL() << GetParam().variant.name << ":\n" << bad;
			}
		}
		next = (UINT32)walk.steps.size();
	}
	port::quiet(false);
	printf("   %-22s depth %u%s: %zu states, %lu orders, %.1f s of CPU\n", GetParam().variant.name, done,
	       level == walk.steps.size() ? " (all there are)" : "", walk.steps.size(), walk.orders,
	       (double)(clock() - began) / CLOCKS_PER_SEC);
	EXPECT_GT(walk.steps.size(), 100u);
}

static const Case kCases[] = {
	/*  name              active shared passive life  iwarp  pend   light   depth */
	{ { "active", true, false, false, false, false, false, false }, 11 },
	{ { "active_pend", true, false, false, false, false, true, true }, 9 },
	{ { "active_iwarp_light", true, false, false, false, true, false, true }, 9 },
	{ { "shared", true, true, false, false, false, false, false }, 9 },
	{ { "passive", false, false, true, false, false, false, false }, 10 },
	{ { "passive_iwarp_light", false, false, true, false, true, false, true }, 9 },
	{ { "life", false, false, false, true, false, false, false }, 14 },
	{ { "life_pend_light", false, false, false, true, false, true, true }, 14 },
};

INSTANTIATE_TEST_SUITE_P(Small, Exhaustive, testing::ValuesIn(kCases),
			 [](const auto &info) { return info.param.variant.name; });
