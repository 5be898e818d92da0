/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * A memory region's control state. EMPTY, REGISTERING, REGISTERED and DEREGISTERING belong to regions of
 * NdkRegisterMr, the others to regions for fast registration (MR-1); which of the two a region is, is
 * settled when it is created, and the events of the other kind are refused before they get here.
 *
 * FRESH      no page list yet: cannot be fast-registered
 * PREPARING  NdkInitializeFastRegisterMr pending, the first one
 * READY      may be fast-registered (whether it is: ndk_mr.valid)
 * RENEWING   NdkInitializeFastRegisterMr pending, a later one (MR-14)
 */
#ifndef NDK_CORE_MR_ROWS_H
#define NDK_CORE_MR_ROWS_H

#define NDK_MR_STATES(x) x(EMPTY) x(REGISTERING) x(REGISTERED) x(DEREGISTERING) x(FRESH) x(PREPARING) x(READY) x(RENEWING)
#define NDK_MR_EVENTS(x) x(MADE_FAST) x(REGISTER) x(DEREGISTER) x(INITIALIZE) x(DONE) x(FAILED)
#define NDK_MR_ACTS(x) x(FORGET)

/* FORGET: the tokens are nobody's any more */
#define NDK_MR_ROWS(row) \
	row(EMPTY, MADE_FAST, FRESH, 0, "MR-1") \
	row(EMPTY, REGISTER, REGISTERING, 0, "MR-2") \
	row(REGISTERING, DONE, REGISTERED, 0, "MR-15") \
	row(REGISTERING, FAILED, EMPTY, A(FORGET), "MR-3 REQ-12") \
	row(REGISTERED, DEREGISTER, DEREGISTERING, 0, "MR-10") \
	row(DEREGISTERING, DONE, EMPTY, A(FORGET), "MR-10") \
	row(DEREGISTERING, FAILED, EMPTY, A(FORGET), "U-45") \
	row(FRESH, INITIALIZE, PREPARING, 0, "MR-11") \
	row(PREPARING, DONE, READY, 0, "MR-15") \
	row(PREPARING, FAILED, FRESH, A(FORGET), "REQ-12") \
	row(READY, INITIALIZE, RENEWING, 0, "MR-14 U-35") \
	row(RENEWING, DONE, READY, 0, "MR-14 U-35") \
	row(RENEWING, FAILED, READY, 0, "REQ-12")

#endif
