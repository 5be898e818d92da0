/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * From a row list to a machine. Each *_rows.h lists NAME_STATES(x), NAME_EVENTS(x), NAME_ACTS(x)
 * and NAME_ROWS(row); this file turns the lists into enums, name tables and a lookup.
 *
 * A row is row(from, event, to, acts, "RULES"). Two rows for one (from, event) pair do not compile:
 * they would be two equal case labels. A pair without a row is illegal, and looking it up says so;
 * for calls of the consumer that is how "wrong state" is decided, for everything else it is a bug.
 *
 * The lists use short words; the prefix keeps the generated enumerators apart and greppable.
 */
#ifndef NDK_CORE_STEP_H
#define NDK_CORE_STEP_H

#include "base.h"

struct ndk_step {
	UCHAR legal;
	UCHAR to;
	UINT32 acts;
	const char *rules;
};

/* one byte each: states and events stay far below 256 */
#define NDK_PAIR(state, event) (((unsigned)(state) << 8) | (unsigned)(event))

#endif
