/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Runs the tests of the core, and after all of them the one that asks whether every row of every
 * machine was taken: it must be the last, so it is registered here.
 */
#include "port.h"

#include <gtest/gtest.h>

namespace {

class EveryRow : public testing::Test {
public:
	explicit EveryRow(unsigned machine) : machine_(machine) {}

	void TestBody() override
	{
		const struct ndk_machine *m = ndk_machine(machine_);
		const testing::UnitTest *all = testing::UnitTest::GetInstance();

		if (all->test_to_run_count() != all->total_test_count())
			GTEST_SKIP() << "says something only when all tests ran";
		for (unsigned s = 0; s < m->states; s++)
			for (unsigned e = 0; e < m->events; e++)
				if (m->row(s, e).legal && !port::taken(machine_, s, e))
					ADD_FAILURE() << m->name << ": no test takes " << m->state_names[s]
						      << " --" << m->event_names[e] << "-->";
	}

private:
	unsigned machine_;
};

}

int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	for (unsigned m = 0; m < NDK_MACHINES; m++)
		testing::RegisterTest("EveryRow", ndk_machine(m)->name, nullptr, nullptr, __FILE__, __LINE__,
				      [m]() -> testing::Test * { return new EveryRow(m); });
	return RUN_ALL_TESTS();
}
