/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Control of the in-memory fabric behind the adapter names "fabric:N": its flavour, its clock, and
 * everything that can go wrong in it. For tests and tools; consumers need none of it.
 *
 * Deterministic (threads = 0): nothing happens but inside ndk_fabric_pump() and its relatives, all
 * on the caller's thread, in virtual time; a run is a pure function of seed and calls. Threaded: the
 * fabric has its own threads and the real clock; pumping is not needed. Until ndk_fabric_reset() is called
 * it is threaded, with the defaults, so that a consumer that knows nothing of all this just runs.
 *
 * Callable from any thread (threaded) or the one driving thread (deterministic), never from inside
 * a consumer callback unless noted.
 */
#ifndef NDK_FABRIC_H
#define NDK_FABRIC_H

#include <ndkpi/ndkpi.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ndk_fabric_flavour {
	NDK_FABRIC_IB,
	NDK_FABRIC_IWARP
};

/* When callbacks run relative to the call that caused them (deterministic mode). */
enum ndk_fabric_callbacks {
	NDK_FABRIC_CALLBACK_LATER, /* from the pump */
	NDK_FABRIC_CALLBACK_WITHIN /* before the call returns, where the outcome is known by then (REQ-5) */
};

/* Begin with ndk_fabric_config_default(): here 0 means 0, and a retry after 0 ms is one that nobody waits for. */
struct ndk_fabric_config {
	int flavour; /* enum ndk_fabric_flavour */
	int threads; /* 0: deterministic */
	UINT64 seed; /* of every random choice: loss, delay, start of the ephemeral ports */
	ULONG delay_us; /* one-way delay of a message, default 5 */
	ULONG jitter_us; /* added at random to CM messages */
	ULONG cm_retry_ms; /* CM retransmission interval, default 500 */
	ULONG cm_retries; /* default 130: 65 s, so that deadlines speak first, as on real ones */
	ULONG rnr_retry_ms; /* of a sender without a receiver, default 1; ndk.ko: 82 */
	ULONG rnr_retries; /* default 7, then STATUS_IO_TIMEOUT; ndk.ko: 6 */
};

/*
 * Sets the fabric up anew. Every adapter must be closed: 0, or -16 (EBUSY) naming on stderr what is
 * still open. config NULL: defaults (IB, deterministic, seed 1).
 */
int ndk_fabric_reset(const struct ndk_fabric_config *config);
void ndk_fabric_config_default(struct ndk_fabric_config *config);

/* Carries out the next due event, advancing the virtual clock to it. FALSE: nothing is scheduled. */
BOOLEAN ndk_fabric_pump(void);
/* Pumps until the virtual clock reaches now + us (at most 2^40) or nothing is left; returns events carried out. */
ULONG ndk_fabric_run(UINT64 us);
/* Virtual (deterministic) or real microseconds since reset. Callable anywhere. */
UINT64 ndk_fabric_now(void);
/* enum ndk_fabric_callbacks; -22 (EINVAL) in threaded mode, which has one way only. */
int ndk_fabric_set_callbacks(int when);

/* CM messages, for faults. On iWARP: REQ, REP, REJ and DREQ (FIN) exist. */
enum ndk_fabric_message {
	NDK_FABRIC_REQ = 1,
	NDK_FABRIC_REP = 2,
	NDK_FABRIC_RTU = 4,
	NDK_FABRIC_REJ = 8,
	NDK_FABRIC_DREQ = 16,
	NDK_FABRIC_DREP = 32,
	NDK_FABRIC_ALL_CM = 63
};
enum ndk_fabric_fault {
	NDK_FABRIC_DROP,
	NDK_FABRIC_DUPLICATE,
	NDK_FABRIC_DELAY
};

/*
 * The next count messages of these kinds sent by adapter `from` (-1: any) suffer the fault;
 * delay_us: how late a delayed message or a duplicate comes. Faults queue up in order of the calls.
 * The transport of iWARP repeats a lost FIN by itself, so dropping that delays it by cm_retry_ms.
 * No delay of the fabric is longer than 2^40 us; those who ask for more get -22 (EINVAL).
 */
int ndk_fabric_fault(int from, ULONG messages, int fault, ULONG count, UINT64 delay_us);
/* Probability in 1/1000 of losing, duplicating, and delaying any CM message. */
int ndk_fabric_noise(ULONG drop, ULONG duplicate, ULONG delay, UINT64 max_delay_us);
int ndk_fabric_clear_faults(void);
/* A silent adapter receives nothing and sends nothing, but stays up; FALSE makes it speak again. */
int ndk_fabric_silence(int adapter, BOOLEAN silent);
/* No messages between two adapters. */
int ndk_fabric_partition(int a, int b, BOOLEAN cut);
/* The host vanishes without a word: as silent, and its requests fail as on a dead link. */
int ndk_fabric_kill(int adapter);
/*
 * Answers to reads are late by that much. Sends and writes posted after a read overtake it then, unless
 * they carry NDK_OP_FLAG_READ_FENCE.
 */
int ndk_fabric_read_delay(UINT64 delay_us);
/*
 * Creations of PDs, CQs, QPs, SRQs and MWs of this adapter pend that long, as with a device that has to be asked.
 * Deterministic fabrics only, else -22. Until the adapter is removed, or the fabric reset.
 */
int ndk_fabric_create_delay(int adapter, UINT64 delay_us);
/*
 * A fatal error of a queue: it and its queue pairs are lost, and it says so once, STATUS_INTERNAL_ERROR
 * (CQ-15, SRQ-6). Again: nothing happens, and while it is closing nothing is heard of it (CLOSE-13).
 * Not once its close has completed. -22 if it is none.
 */
int ndk_fabric_cq_fault(NDK_CQ *cq);
int ndk_fabric_srq_fault(NDK_SRQ *srq);
/*
 * Device removal (U-45); open adapters stay as husks. Adding makes the name usable again, and brings
 * a killed host back.
 */
int ndk_fabric_remove(int adapter);
int ndk_fabric_add(int adapter);
/* A second or third address for an adapter, e.g. "192.0.2.201". */
int ndk_fabric_add_address(int adapter, const char *text);
/* An address of the adapter's own subnet at which packets vanish: silent, not unreachable. */
int ndk_fabric_black_hole(const char *text);

/* Statistics of the fabric since reset. */
struct ndk_fabric_stats {
	UINT64 cm_sent, cm_dropped, cm_duplicated, cm_delayed;
	UINT64 messages, bytes, rnr;
	UINT64 reads;	   /* that reached the peer */
	UINT64 most_reads; /* in flight at once on one queue pair */
	UINT64 events;
	UINT64 illegal; /* steps that no table of the core lists */
};
void ndk_fabric_stats(struct ndk_fabric_stats *stats);

/*
 * An illegal step ends the process: it is a defect of the provider or of the consumer. TRUE: it is
 * only reported and counted, for tests that provoke one.
 */
void ndk_fabric_tolerate_illegal(BOOLEAN tolerate);

#ifdef __cplusplus
}
#endif
#endif
