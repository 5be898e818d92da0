/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * A connector brought to any state of its machine, and any event brought to it, by public calls of the
 * core alone: for the tests that go through the whole table.
 */
#ifndef NDK_TESTS_LAB_H
#define NDK_TESTS_LAB_H

#include "world.h"

class Lab {
public:
	explicit Lab(UCHAR transport = NDK_TRANSPORT_IB) : w(transport) {}

	/* Brings the connector to the state; hint is the event that is to follow (see lab.cpp). */
	void to(unsigned state, unsigned hint);
	void to_the_end(unsigned state, unsigned hint);
	/*
	 * Makes the event happen. FALSE: it cannot happen here whatever the shell does, because it is
	 * the end of work that is not under way.
	 */
	bool event(unsigned event);
	/* The status of the last call of the consumer. */
	NTSTATUS status = STATUS_SUCCESS;

	World w;
	struct ndk_connector *c = nullptr;
	struct ndk_qp *qp = nullptr;
	struct ndk_listener *l = nullptr;

private:
	void active();
	void passive();
};

#endif
