/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The core's host half for the tests: every broken invariant and every illegal step fails the running
 * test unless the test announced it, and every row of every machine that was ever taken is remembered.
 *
 * One thread. Owned by port.cpp; used by the fixture, the matrix test and the exhaustive test.
 */
#ifndef NDK_TESTS_PORT_H
#define NDK_TESTS_PORT_H

#include "../../kmod/core/machines.h"

#include <cstddef>
#include <string>

namespace port {

/* What the core reported since the last take_*(). */
struct Reports {
	unsigned bugs;
	unsigned illegal;
};

/*
 * While one of these lives, reports are counted and do not fail the test. Nesting is not supported:
 * a test that expects trouble says so around the very call.
 */
class Expecting {
public:
	Expecting();
	~Expecting();
	Expecting(const Expecting &) = delete;
	Expecting &operator=(const Expecting &) = delete;
	unsigned bugs() const;
	unsigned illegal() const;
};

/* The exhaustive test looks at the counters itself and wants no message for each. */
Reports &quiet_reports();
void quiet(bool on);
/* Text of the last report, for messages. */
const std::string &last_report();

/* The last transitions, oldest first, one a line. */
std::string history();
void forget_history();

/* Was this row ever taken in this process? */
bool taken(unsigned machine, unsigned state, unsigned event);
/* Transitions seen so far. */
unsigned long transitions();

}

#endif
