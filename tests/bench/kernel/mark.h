/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Marks in the stream of instructions, for an emulator that looks at it (../profile/plugin.c): a no-operation
 * with an address that says what begins. To any processor it is one instruction of nothing. x86 only;
 * elsewhere it is not there.
 */
#ifndef NDK_BENCH_MARK_H
#define NDK_BENCH_MARK_H

#define BENCH_MARK_MAGIC  0x4e444b00u
#define BENCH_MARK_OPCODE "\x0f\x1f\x80" /* nopl disp32(%rax) */
#define BENCH_MARK_SIZE	  7u

enum bench_mark {
	BENCH_MARK_NDK = 1, /* measuring begins: NDKPI */
	BENCH_MARK_RAW,	    /* ... the raw way */
	BENCH_MARK_END,	    /* and ends */
	BENCH_MARK_NEXT	    /* from here on it is the next workload */
};

#ifdef __x86_64__
#define BENCH_MARK(mark) asm volatile("nopl %c0(%%rax)" ::"i"(BENCH_MARK_MAGIC | (mark)))
#else
#define BENCH_MARK(mark) ((void)(mark))
#endif

#endif
