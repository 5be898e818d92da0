/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * T-CQ-16: one producer of results and one consumer that arms only after it found the queue empty,
 * in every order of their steps. There must be no state in which a result waits, the consumer waits
 * too, and nobody is going to call it.
 *
 * The steps are those of a shell: a result is in the ring before the core hears of it, taking the last
 * one and telling the core that the ring is empty are two, and a callback is two, its start and its
 * return. Each state is reached by carrying out its way anew, so the core's own structures are used.
 */
#include "world.h"

#include <gtest/gtest.h>

#include <array>

namespace {

constexpr unsigned kResults = 4;

enum Move { INSERT, NOTICE, CONSUME, CALL, RETURN, MOVES };
const char *const kNames[MOVES] = { "a result is put into the ring", "the core hears of one",
				    "the consumer's next step", "the callback starts", "the callback returns" };

/* Where the one consumer is. */
enum Phase : UCHAR { TAKE, EMPTIED, ARM, WAIT };

/* What tells states apart. */
using Key = std::array<unsigned, 10>;

class Model {
public:
	/* forgetful: the core does not remember what arrived before an arm (against CQ-5). */
	Model(const std::vector<Move> &way, bool forgetful) : cq(w.cq()), forgets(forgetful)
	{
		for (Move m : way)
			step(m);
	}

	bool possible(Move m) const
	{
		switch (m) {
		case INSERT:
			return inserted < kResults;
		case NOTICE:
			return notices > 0;
		case CONSUME:
			return phase != WAIT;
		case CALL:
			return !running && w.due(NDK_FX_CALL_CQ);
		default:
			return running;
		}
	}

	void step(Move m)
	{
		switch (m) {
		case INSERT:
			inserted++;
			ring++;
			notices++;
			break;
		case NOTICE:
			notices--;
			w.call([&](struct ndk_fx *fx) {
				ndk_cq_arrived(cq, FALSE, fx);
				if (!ring)
					ndk_cq_emptied(cq);
			});
			break;
		case CONSUME:
			consume();
			break;
		case CALL:
			start();
			break;
		default:
			running = false;
			w.call([&](struct ndk_fx *fx) { ndk_effect_done(&call, fx); });
			break;
		}
	}

	/* Nobody would ever wake the consumer, and there is something to take. */
	bool lost() const
	{
		return phase == WAIT && ring && !notices && !running && !w.due(NDK_FX_CALL_CQ);
	}

	Key key() const
	{
		return { inserted, ring, notices, phase, running, w.count(NDK_FX_CALL_CQ), cq->armed, cq->calling,
			 cq->fire_again, cq->fresh };
	}

	unsigned calls = 0, arms = 0, taken = 0;

private:
	void consume()
	{
		switch (phase) {
		case TAKE:
			if (!ring) {
				phase = ARM;
				break;
			}
			taken++;
			if (--ring == 0)
				phase = EMPTIED;
			break;
		case EMPTIED:
			if (!ring)
				ndk_cq_emptied(cq);
			phase = TAKE;
			break;
		default:
			arms++;
			phase = WAIT;
			if (forgets)
				ndk_cq_emptied(cq);
			w.call([&](struct ndk_fx *fx) { ndk_cq_arm(cq, NDK_CQ_NOTIFY_ANY, fx); });
			break;
		}
	}

	void start()
	{
		for (auto e = w.effects.begin(); e != w.effects.end(); ++e) {
			if (e->kind != NDK_FX_CALL_CQ)
				continue;
			call = *e;
			w.effects.erase(e);
			break;
		}
		EXPECT_TRUE(w.call([&](struct ndk_fx *fx) { return ndk_effect_start(&call, fx); }));
		running = true;
		calls++;
		if (phase == WAIT)
			phase = TAKE;
	}

	World w;
	struct ndk_cq *cq;
	const bool forgets;
	struct ndk_effect call = {};
	unsigned inserted = 0, ring = 0, notices = 0;
	Phase phase = TAKE;
	bool running = false;
};

std::string story(const std::vector<Move> &way)
{
	std::string text;

	for (Move m : way)
		text += std::string("  ") + kNames[m] + "\n";
	return text;
}

/* So that the world at the end of a way can be closed. */
void finish(Model *m)
{
	if (m->possible(RETURN))
		m->step(RETURN);
}

/* From here to the end, consumer first or producer first: everything is taken. */
void run_out(Model *m, const std::vector<Move> &way, bool consumer_first)
{
	const std::array<Move, MOVES> order = consumer_first ?
						      std::array<Move, MOVES>{ CONSUME, CALL, RETURN, NOTICE, INSERT } :
						      std::array<Move, MOVES>{ INSERT, NOTICE, RETURN, CALL, CONSUME };
	unsigned steps = 0;

	for (bool moved = true; moved && steps < 1000; steps++) {
		moved = false;
		for (Move next : order) {
			if (!m->possible(next))
				continue;
			m->step(next);
			moved = true;
			break;
		}
	}
	EXPECT_LT(steps, 1000u) << "it does not come to rest after\n" << story(way);
	EXPECT_EQ(m->taken, kResults) << "results were forgotten after\n" << story(way);
	EXPECT_LE(m->calls, m->arms) << story(way);
}

/* All orders; the first that loses a wake-up, or an empty one. */
std::vector<Move> explore(bool forgetful, size_t *states)
{
	std::vector<std::vector<Move>> ways = { {} };
	std::set<Key> known;

	for (size_t i = 0; i < ways.size(); i++) {
		for (int m = 0; m < MOVES; m++) {
			Model model(ways[i], forgetful);
			std::vector<Move> way = ways[i];
			bool lost = false;

			if (model.possible((Move)m)) {
				way.push_back((Move)m);
				model.step((Move)m);
				lost = model.lost();
				if (!lost && known.insert(model.key()).second) {
					ways.push_back(way);
					if (!forgetful)
						run_out(&model, way, ways.size() & 1);
				}
			}
			finish(&model);
			if (lost || testing::Test::HasFailure())
				return way;
		}
	}
	*states = known.size();
	return {};
}

}

TEST(LostWakeup, no_order_leaves_a_result_and_its_consumer_waiting)
{
	NDK_COVERS("CQ-4 CQ-5 CQ-7 CQ-10 CONC-7 CONC-11");
	size_t states = 0;
	std::vector<Move> way = explore(false, &states);

	EXPECT_TRUE(way.empty()) << "nobody wakes the consumer after\n" << story(way);
	EXPECT_GT(states, 200u);
}

/* The walk finds what it is there for. */
TEST(LostWakeup, a_core_that_forgot_would_be_noticed)
{
	size_t states = 0;
	std::vector<Move> way = explore(true, &states);

	ASSERT_FALSE(way.empty());
	EXPECT_EQ(way.back(), CONSUME) << "the arm that came too late:\n" << story(way);
}
