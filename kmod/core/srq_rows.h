/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Notification of a shared receive queue.
 *
 * QUIET   not armed
 * WATCH   armed: fires when the queued receives fall below the threshold
 * FAULTY  lost for good; told once (SRQ-6)
 */
#ifndef NDK_CORE_SRQ_ROWS_H
#define NDK_CORE_SRQ_ROWS_H

#define NDK_SRQ_STATES(x) x(QUIET) x(WATCH) x(FAULTY)
#define NDK_SRQ_EVENTS(x) x(ARM) x(ARM_LOW) x(FELL) x(FAULT)
#define NDK_SRQ_ACTS(x) x(FIRE)

/* ARM_LOW: armed while the queue is below already */
#define NDK_SRQ_ROWS(row) \
	row(QUIET, ARM, WATCH, 0, "SRQ-4 U-37") \
	row(QUIET, ARM_LOW, QUIET, A(FIRE), "SRQ-4") \
	row(QUIET, FAULT, FAULTY, A(FIRE), "SRQ-6") \
	row(WATCH, ARM, WATCH, 0, "SRQ-4") \
	row(WATCH, ARM_LOW, QUIET, A(FIRE), "SRQ-4") \
	row(WATCH, FELL, QUIET, A(FIRE), "SRQ-1 SRQ-5") \
	row(WATCH, FAULT, FAULTY, A(FIRE), "SRQ-6") \
	row(FAULTY, ARM, FAULTY, 0, "SRQ-6") \
	row(FAULTY, ARM_LOW, FAULTY, 0, "SRQ-6")

#endif
