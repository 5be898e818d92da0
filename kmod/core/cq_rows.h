/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Arming of a completion queue: what is armed, and what satisfies it. The rows for the three ARM
 * events are the documented 3x3 merge table with NONE in front (CQ-8). FIRE pays the arm with one
 * notification (CQ-4); a notification that falls due while another runs waits for it (CQ-7), which
 * is the business of cq.c, not of this table.
 */
#ifndef NDK_CORE_CQ_ROWS_H
#define NDK_CORE_CQ_ROWS_H

#define NDK_CQ_STATES(x) x(NONE) x(ERRORS) x(SOLICITED) x(ANY)
#define NDK_CQ_EVENTS(x) x(ARM_ERRORS) x(ARM_SOLICITED) x(ARM_ANY) x(GOT_PLAIN) x(GOT_SOLICITED) x(GOT_FAULT)
#define NDK_CQ_ACTS(x) x(FIRE)

#define NDK_CQ_ROWS(row) \
	row(NONE, ARM_ERRORS, ERRORS, 0, "CQ-8 CQ-9") \
	row(NONE, ARM_SOLICITED, SOLICITED, 0, "CQ-8 CQ-11") \
	row(NONE, ARM_ANY, ANY, 0, "CQ-8 CQ-10") \
	row(ERRORS, ARM_ERRORS, ERRORS, 0, "CQ-8") \
	row(ERRORS, ARM_SOLICITED, SOLICITED, 0, "CQ-8") \
	row(ERRORS, ARM_ANY, ANY, 0, "CQ-8") \
	row(SOLICITED, ARM_ERRORS, SOLICITED, 0, "CQ-8") \
	row(SOLICITED, ARM_SOLICITED, SOLICITED, 0, "CQ-8") \
	row(SOLICITED, ARM_ANY, ANY, 0, "CQ-8") \
	row(ANY, ARM_ERRORS, ANY, 0, "CQ-8") \
	row(ANY, ARM_SOLICITED, ANY, 0, "CQ-8") \
	row(ANY, ARM_ANY, ANY, 0, "CQ-8") \
	row(NONE, GOT_PLAIN, NONE, 0, "CQ-3") \
	row(NONE, GOT_SOLICITED, NONE, 0, "CQ-3") \
	row(NONE, GOT_FAULT, NONE, 0, "U-32") \
	row(ERRORS, GOT_PLAIN, ERRORS, 0, "CQ-9") \
	row(ERRORS, GOT_SOLICITED, ERRORS, 0, "CQ-9") \
	row(ERRORS, GOT_FAULT, NONE, A(FIRE), "CQ-4 CQ-9") \
	row(SOLICITED, GOT_PLAIN, SOLICITED, 0, "CQ-11") \
	row(SOLICITED, GOT_SOLICITED, NONE, A(FIRE), "CQ-4 CQ-11 CQ-12") \
	row(SOLICITED, GOT_FAULT, NONE, A(FIRE), "CQ-4 U-32") \
	row(ANY, GOT_PLAIN, NONE, A(FIRE), "CQ-4 CQ-10") \
	row(ANY, GOT_SOLICITED, NONE, A(FIRE), "CQ-4 CQ-10") \
	row(ANY, GOT_FAULT, NONE, A(FIRE), "CQ-4 U-32")

#endif
