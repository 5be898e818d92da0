/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What a conformance case stands on: places, time, memory, faults and verdicts. One source file of
 * cases runs on the deterministic fabric, on the threaded fabric and inside the kernel; so a case is
 * C that is also C++20, speaks NDKPI, and blocks only through conf_wait() and what the kit (kit.h)
 * builds on it.
 *
 * Consumer callbacks run in the provider's context (atomic in the kernel): they record and signal,
 * they do not wait. Everything a case allocates through the environment is counted.
 *
 * Implemented by env_fabric.cpp (S and T), env_kernel.c (K) and, for verdicts and the run itself,
 * runner.c.
 */
#ifndef CONF_H
#define CONF_H

#include <ndkpi/ndkpi.h>
#include <ndkpi/ndkpi_mdl.h>
#include "../../kmod/api/control.h"

#ifdef __KERNEL__
#include <linux/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/string.h>
#else
#include <netinet/in.h>
#include <string.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Where a case can run. */
#define NDK_ON_S 1u /* deterministic fabric */
#define NDK_ON_T 2u /* threaded fabric */
#define NDK_ON_K 4u /* in the kernel */
#define NDK_ON_ALL 7u
#define NDK_ON_FABRIC 3u
/* In the kernel only on devices that offer it; the soft ones of the test machine do not. */
#define NDK_ON_OFFERED NDK_ON_ALL

struct conf_case {
	const char *name;
	const char *rules; /* blank separated rule ids the case shows */
	const char *title;
	unsigned where;
	void (*run)(void);
	struct conf_case *next;
};

/*
 * NDK_CASE(name, "CONN-13 LISTEN-6", NDK_ON_ALL, "title") { body }
 *
 * Names are unique over all files. At its end each file cases/FILE.c lists its cases; one that is
 * forgotten does not compile (it would be an unused variable). cases/list.h names the files.
 *
 *	CONF_CASES(FILE, CASE(first), CASE(second))
 *
 * Before a case the runner sets the place up anew and starts the monitors, after it kit_end() closes
 * what is still open and the monitors judge; so a case may return at any point (REQUIRE).
 */
#define NDK_CASE(name_, rules_, where_, title_)                                                    \
	static void name_##_run(void);                                                             \
	static struct conf_case name_##_case = { #name_, rules_, title_, where_, name_##_run, 0 }; \
	static void name_##_run(void)

#define CASE(name_) &name_##_case
#define CONF_CASES(file_, ...)                                                       \
	struct conf_case *cases_##file_(void);                                       \
	struct conf_case *cases_##file_(void)                                        \
	{                                                                            \
		static struct conf_case *const list[] = { __VA_ARGS__ };             \
		return conf_chain(list, (unsigned)(sizeof(list) / sizeof(list[0]))); \
	}                                                                            \
	struct conf_case *cases_##file_(void)

struct conf_case *conf_chain(struct conf_case *const *list, unsigned count);

/* ---- environment: where are we ---- */
unsigned conf_place(void); /* NDK_ON_S, _T or _K */
BOOLEAN conf_iwarp(void);
/* A number that depends on the run's seed and on how often it was asked. */
UINT64 conf_random(void);

/*
 * Adapter names: 0 is the active side by custom, 1 the passive. In the kernel both may be one device.
 * 2 is an adapter without the optional parts of the interface, NULL if the place has none.
 */
const char *conf_adapter_name(unsigned which);
/* Address of adapter `which`, family NDK_V4 or NDK_V6, with this port. Returns the length. */
enum conf_family { NDK_V4 = 4, NDK_V6 = 6 };
ULONG conf_address(unsigned which, enum conf_family family, USHORT port, struct sockaddr_storage *out);
/* Addresses with a defined defect, FALSE if the place has none (the case then skips). */
enum conf_bad_address {
	CONF_NO_ROUTE,	    /* no route to its network */
	CONF_NO_NEIGHBOUR,  /* on the link, nobody answers address resolution */
	CONF_SILENT,	    /* resolves, swallows every message */
	CONF_FOREIGN,	    /* valid address, not this adapter's */
	CONF_OTHER_ADAPTER  /* address of another adapter on this machine */
};
BOOLEAN conf_bad(enum conf_bad_address kind, USHORT port, struct sockaddr_storage *out, ULONG *len);

/* ---- environment: waiting ---- */
/*
 * The wait primitive. A signal counts; conf_wait() consumes one and returns TRUE, or FALSE when
 * timeout_ms (virtual time on S, real elsewhere) passed, or when on S nothing can happen any more.
 * conf_signal() is callable in any context. Needs no cleaning up.
 */
struct conf_signal {
	long count; /* guarded by the environment */
};
void conf_signal_init(struct conf_signal *s);
void conf_signal(struct conf_signal *s);
BOOLEAN conf_wait(struct conf_signal *s, ULONG timeout_ms);
void conf_sleep(ULONG ms); /* virtual on S */
/*
 * What a busy or a slow machine needs for what takes an idle one ms; the same on S. For deadlines that
 * something has to be done in, and for sleeps that let something come.
 */
ULONG conf_patient_ms(ULONG ms);
UINT64 conf_now_us(void); /* any context */
/* Everything already due gets its chance to happen: for showing that nothing more comes. */
void conf_settle(void);
/* Lets the world go on a little, for loops that poll. FALSE: on S, nothing is left to happen. */
BOOLEAN conf_nap(void);
/* Stays busy without sleeping, for use inside callbacks. Nothing happens meanwhile on S. */
void conf_stall(ULONG us);

/* A second thread; NULL on S, where there is none (the case then does without, or skips). */
PVOID conf_spawn(void (*fn)(PVOID), PVOID arg);
void conf_join(PVOID thread);

/* The lock of everything that callbacks record; not recursive, held for a few instructions. */
unsigned long conf_lock(void);
void conf_unlock(unsigned long flags);

/* ---- environment: memory ---- */
/*
 * Zeroed, any context up to a page, else may sleep. Never NULL: without memory the run ends. What is
 * NDK_PAGE_SIZE long or longer begins on a page and may be described by an MDL.
 */
PVOID conf_alloc(SIZE_T size);
void conf_free(PVOID p);
/* Blocks allocated and not freed. */
long conf_blocks(void);

/* Runs fn(arg) in atomic context (bottom halves disabled in the kernel; plain call elsewhere). */
void conf_atomic(void (*fn)(PVOID), PVOID arg);
/* With interrupts masked as well. FALSE, and fn is not called, where there are none or locks sleep. */
BOOLEAN conf_masked(void (*fn)(PVOID), PVOID arg);

/* ---- environment: faults. FALSE where the place cannot (the case then skips with a reason) ---- */
/* enum ndk_fabric_message, repeated here for the kernel's sake. */
#define CONF_REQ 1u
#define CONF_REP 2u
#define CONF_RTU 4u
#define CONF_REJ 8u
#define CONF_DREQ 16u
#define CONF_DREP 32u
#define CONF_ALL_CM 63u
BOOLEAN conf_fault_drop(unsigned from, ULONG messages, ULONG count);
BOOLEAN conf_fault_duplicate(unsigned from, ULONG messages, ULONG count, ULONG late_ms);
BOOLEAN conf_fault_delay(unsigned from, ULONG messages, ULONG count, ULONG late_ms);
BOOLEAN conf_fault_clear(void);
BOOLEAN conf_callbacks_within(BOOLEAN within); /* REQ-5: callback before the call returns; S only */
BOOLEAN conf_silence(unsigned which, BOOLEAN silent); /* neither sends nor receives, but stays up */
BOOLEAN conf_partition(BOOLEAN cut);		      /* no messages between adapters 0 and 1 */
BOOLEAN conf_kill(unsigned which);		      /* the host vanishes without a word */
BOOLEAN conf_remove(unsigned which);		      /* U-45 */
BOOLEAN conf_return(unsigned which);
BOOLEAN conf_cq_fault(NDK_CQ *cq);   /* the device loses it (CQ-15) */
BOOLEAN conf_srq_fault(NDK_SRQ *srq); /* the device loses it (SRQ-6) */

/* ---- verdicts ---- */
/* Records a failure of the running case, any context; returns FALSE. */
BOOLEAN conf_fail(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void conf_skip(const char *reason); /* then return from the case */
BOOLEAN conf_failed(void);
/* A line in the log of the case, shown when it fails or with --verbose. */
void conf_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What a failure line adds about where the case is: literals, "" for nothing. */
enum conf_scene_slot { CONF_SCENE_ANSWER, CONF_SCENE_FAMILY, CONF_SCENE_CASE, CONF_SCENE_SLOTS };
void conf_scene(enum conf_scene_slot slot, const char *text);
const char *conf_status_name(NTSTATUS status);

/* CHECK records a failure and goes on; REQUIRE also leaves the function. */
#define CHECK(cond) ((cond) ? TRUE : conf_fail(__FILE__, __LINE__, "%s", #cond))
/* As CHECK, for numbers: shows them. */
#define CHECK_EQ(got, want) \
	conf_check_eq(__FILE__, __LINE__, #got, (long long)(got), #want, (long long)(want))
#define CHECK_STATUS(got, want) conf_check_status(__FILE__, __LINE__, #got, (got), (want))
BOOLEAN conf_check_eq(const char *file, int line, const char *what, long long got, const char *wanted,
		      long long want);
BOOLEAN conf_check_status(const char *file, int line, const char *what, NTSTATUS got, NTSTATUS want);
#define REQUIRE(cond)             \
	do {                      \
		if (!CHECK(cond)) \
			return;   \
	} while (0)
#define REQUIRE_STATUS(got, want)                 \
	do {                                      \
		if (!CHECK_STATUS((got), (want))) \
			return;                   \
	} while (0)
/* Leaves the case as skipped. */
#define SKIP(reason)                \
	do {                        \
		conf_skip(reason);  \
		return;             \
	} while (0)
#define SKIP_UNLESS(cond, reason)      \
	do {                           \
		if (!(cond))           \
			SKIP(reason);  \
	} while (0)

#ifdef __cplusplus
}
#endif
#endif
