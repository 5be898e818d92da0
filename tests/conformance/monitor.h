/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitors M-01 to M-11, M-13 and M-14: what must hold in every case, watched from between the
 * consumer and the provider. (M-12 is the sanitizers and the checkers of a debug kernel.) An adopted adapter has its Dispatch repointed to the monitors' table
 * (OBJ-6); every object that comes out of it, by any road, is adopted before the consumer sees it.
 *
 *   M-01 a pended call gets exactly one callback, any other none
 *   M-02 nothing is called back for an object after its close has completed (nor while it runs)
 *   M-03 a parent's close does not complete before its successors' close callbacks have returned
 *   M-04 each accepted work request gives one result, or none if silent and successful
 *   M-05 results of one queue of one QP come in post order
 *   M-06 notifications of one CQ never overlap, each is paid for by an arm
 *   M-07 output parameters are untouched when a call pends or fails; what is handed over is as OBJ-2
 *        to OBJ-5 and GEN-1 want it
 *   M-08 live objects, endpoints and 4-tuples are back at their numbers when the case ends
 *   M-09 every status is in the documented list of its call, or in our list of further ones
 *   M-10 no provider call blocks, except opening, closing and querying an adapter: on the
 *        deterministic fabric nothing happens meanwhile, in the kernel nobody else runs
 *   M-11 no disconnect event comes twice, none before the establishing completion returned
 *   M-13 on the deterministic fabric nothing reads a clock or random source but the fabric's
 *   M-14 the provider's counters say what the monitors saw
 *
 * A violation fails the case, naming the monitor. Context: any, unless it says otherwise.
 */
#ifndef CONF_MONITOR_H
#define CONF_MONITOR_H

#include "conf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An adapter from NdkOpenAdapter(conf_adapter_name(which)), before its first use. */
void monitor_adopt(NDK_ADAPTER *adapter, unsigned which);
/* NdkCloseAdapter, watched. May sleep. */
void monitor_close_adapter(NDK_ADAPTER *adapter);

/* The live, adopted object number n (0 the oldest), or NULL behind the last. Not those closing. */
NDK_OBJECT_HEADER *monitor_open_object(unsigned n);
/* Calls of consumers that are pending at this moment. */
long monitor_pending_calls(void);

/*
 * From here on in this case that monitor is silent: for cases that provoke, on purpose, what it
 * would take for the provider's fault. id as in the list above, e.g. 4.
 */
void monitor_excuse(unsigned id, const char *reason);

/* By the kit: adapter `which` was told to answer inside its calls, however long that takes (M-10). */
void monitor_waits(unsigned which, BOOLEAN waits);

/* ---- by the runner ---- */
void monitor_begin(void); /* takes the starting numbers of M-08 */
void monitor_end(void);	  /* judges what can only be judged at the end; frees */

/* ---- by the self test: violations are counted here instead of failing the case ---- */
void monitor_capture(BOOLEAN on);
/* How often monitor id spoke since monitor_capture(TRUE). */
long monitor_spoke(unsigned id);
/* To monitor_adopt() an adapter of which no counter tells. */
#define MONITOR_NOWHERE 0xffffu
/* In place of NdkCloseAdapter, until the case ends. */
void monitor_closes_adapters_with(void (*fn)(NDK_ADAPTER *adapter));

#ifdef __cplusplus
}
#endif
#endif
