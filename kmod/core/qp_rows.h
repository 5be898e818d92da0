/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The queue pair as far as connections need it.
 *
 * IDLE       receives may be posted, no connector
 * TIED       a connector is connecting or accepting with it (LIFE-3, U-24)
 * SPOILED    flushed while tied: it is no longer connecting (CMPL-8)
 * CONNECTED  initiator requests are accepted (QP-3)
 * FLUSHED    flushed or broken while connected: no initiator requests, receives end cancelled (U-25)
 * DEAD       its connection is over (DISC-11)
 */
#ifndef NDK_CORE_QP_ROWS_H
#define NDK_CORE_QP_ROWS_H

#define NDK_QP_STATES(x) x(IDLE) x(TIED) x(SPOILED) x(CONNECTED) x(FLUSHED) x(DEAD)
#define NDK_QP_EVENTS(x) x(TIE) x(UNTIE) x(CONNECT) x(FLUSH) x(BREAK) x(END)
#define NDK_QP_ACTS(x) x(FLUSH) x(RESET)

#define NDK_QP_ROWS(row) \
	row(IDLE, TIE, TIED, 0, "CONN-2 LIFE-3") \
	row(IDLE, FLUSH, IDLE, A(RESET), "FLUSH-1 U-25") \
	row(IDLE, BREAK, DEAD, 0, "U-28") \
	row(IDLE, END, DEAD, A(FLUSH), "U-23") \
	row(TIED, UNTIE, IDLE, 0, "CONN-24 U-24") \
	row(TIED, CONNECT, CONNECTED, 0, "CMPL-6 ACPT-4") \
	row(TIED, FLUSH, SPOILED, A(FLUSH), "FLUSH-1 CMPL-8") \
	row(TIED, BREAK, SPOILED, 0, "CMPL-8") \
	row(TIED, END, DEAD, 0, "CMPL-16") \
	row(SPOILED, UNTIE, DEAD, 0, "U-25") \
	row(SPOILED, CONNECT, FLUSHED, 0, "CMPL-8") \
	row(SPOILED, FLUSH, SPOILED, A(FLUSH), "FLUSH-1") \
	row(SPOILED, BREAK, SPOILED, 0, "late") \
	row(SPOILED, END, DEAD, 0, "CMPL-16") \
	row(CONNECTED, FLUSH, FLUSHED, A(FLUSH), "FLUSH-1 FLUSH-2 U-25") \
	row(CONNECTED, BREAK, FLUSHED, 0, "U-28") \
	row(CONNECTED, END, DEAD, 0, "DISC-5 DISC-11 FLUSH-6") \
	row(FLUSHED, FLUSH, FLUSHED, A(FLUSH), "FLUSH-1") \
	row(FLUSHED, BREAK, FLUSHED, 0, "late") \
	row(FLUSHED, END, DEAD, 0, "DISC-11") \
	row(DEAD, FLUSH, DEAD, A(FLUSH), "FLUSH-1") \
	row(DEAD, BREAK, DEAD, 0, "late") \
	row(DEAD, UNTIE, DEAD, 0, "DISC-11") \
	row(DEAD, END, DEAD, 0, "DISC-11")

#endif
