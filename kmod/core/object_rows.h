/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Life of every object: the one table behind CREATE-*, CLOSE-* and LIFE-*.
 *
 * CREATING  memory exists, the device part is being built, the consumer has no handle yet
 * FAILED    building failed; the create callback is still to return, then the memory goes
 * LIVE      handed over
 * CLOSING   close accepted; waits until nothing depends on it and nothing of it is under way
 * UNBUILDING the device part is being destroyed
 * CLOSED    the close completion is being delivered: the last callback (CLOSE-11)
 * GONE      antecedents released, memory given back
 *
 * QUIET means: no child, no pending request, no callback running, no work under way.
 */
#ifndef NDK_CORE_OBJECT_ROWS_H
#define NDK_CORE_OBJECT_ROWS_H

#define NDK_LIFE_STATES(x) \
	x(CREATING) x(FAILED) x(LIVE) x(CLOSING) x(UNBUILDING) x(CLOSED) x(GONE)

#define NDK_LIFE_EVENTS(x) \
	x(CREATED) x(CREATE_FAILED) x(CREATE_REFUSED) x(FAIL_TOLD) \
	x(CLOSE) x(QUIET) x(QUIET_LIGHT) x(UNBUILT) x(CLOSE_TOLD)

#define NDK_LIFE_ACTS(x) \
	x(UNBUILD) x(UNBUILD_NOW) x(TELL_CLOSED) x(RELEASE)

#define NDK_LIFE_ROWS(row) \
	row(CREATING, CREATED, LIVE, 0, "CREATE-14 OBJ-5") \
	row(CREATING, CREATE_FAILED, FAILED, 0, "CREATE-15") \
	row(CREATING, CREATE_REFUSED, GONE, A(RELEASE), "CREATE-16") \
	row(FAILED, FAIL_TOLD, GONE, A(RELEASE), "CREATE-15 REQ-7") \
	row(LIVE, CLOSE, CLOSING, 0, "CLOSE-1 CLOSE-13 LIFE-4") \
	row(CLOSING, QUIET, UNBUILDING, A(UNBUILD), "CLOSE-5 CLOSE-6 CLOSE-7 CLOSE-8 LIFE-4 LIFE-5") \
	row(CLOSING, QUIET_LIGHT, GONE, A(UNBUILD_NOW) | A(RELEASE), "CLOSE-1 CLOSE-12") \
	row(UNBUILDING, UNBUILT, CLOSED, A(TELL_CLOSED), "CLOSE-2 CLOSE-8") \
	row(CLOSED, CLOSE_TOLD, GONE, A(RELEASE), "CLOSE-11 CLOSE-18 LIFE-5")

#endif
