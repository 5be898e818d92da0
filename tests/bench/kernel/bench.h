/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What the two ways of doing the same work have in common. A way is a table of functions; the workloads
 * know nothing else of it, so both do the same things in the same order, with the same depths, the
 * same requests signalled, and one request per posting call.
 *
 * Both ends of every connection are on one device, driven by one thread that is bound to a processor.
 * The thread makes all calls; only bench_established() and bench_ended() come from elsewhere, from
 * whatever context a way learns of it.
 *
 * Functions return 0 or a negative errno and say in the log what went wrong.
 */
#ifndef NDK_BENCH_H
#define NDK_BENCH_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/in.h>
#include <linux/types.h>

#define BENCH_SMALL	  64u /* bytes of a message */
#define BENCH_BULK	  65536u /* bytes of an RDMA read or write, and of a fast registration */
#define BENCH_PAGES	  (BENCH_BULK / PAGE_SIZE)
#define BENCH_DEPTH	  256u /* requests of each queue of a connection */
#define BENCH_READS	  8u /* RDMA reads in progress, each way */
#define BENCH_REGIONS	  8u /* fast registrations in turn */
#define BENCH_CONNECTIONS 256u /* at a time */
#define BENCH_CQ_DEPTH	  2048u
#define BENCH_BATCH	  16 /* results taken in one poll */

enum bench_end {
	BENCH_ACTIVE,
	BENCH_PASSIVE,
	BENCH_ENDS
};

/* What a request was, so that a result can be told: the way carries it from post to poll. */
enum bench_kind {
	BENCH_RECEIVE = 1,
	BENCH_REQUEST
};

struct bench_result {
	int error; /* 0: it succeeded */
	enum bench_kind kind;
	u32 bytes; /* of a receive */
};

struct bench_setup {
	const char *device;
	struct sockaddr_in
		local; /* where the listener listens; connections come from this address too */
	void *memory[BENCH_ENDS]; /* BENCH_BULK bytes each, contiguous, page aligned */
};

/* What a way has open: device, protection domain, one CQ for each end, memory, listener. */
struct bench_host {
	const struct bench_way *way;
	const struct bench_setup *setup;
};

/* A pair of QPs that is to be connected once. */
struct bench_conn {
	struct bench_host *host;
	u32 index; /* below BENCH_CONNECTIONS; travels as private data */
	int error;
	atomic_t reported; /* bits of what was reported */
	void (*established)(struct bench_conn *c);
	struct completion up;
	struct completion over;
};

struct bench_way {
	const char *name;
	struct bench_host *(*open)(const struct bench_setup *setup); /* or ERR_PTR */
	void (*close)(struct bench_host *h);
	/* The QPs, in INIT, with BENCH_DEPTH requests in each queue if deep, else 16. */
	struct bench_conn *(*make)(struct bench_host *h, u32 index, bool deep); /* or ERR_PTR */
	void (*unmake)(struct bench_conn *c);
	/* From nothing to both ends established; bench_established() tells. */
	int (*connect)(struct bench_conn *c);
	/* Of an established connection, to no identity being left at the CM; bench_ended() tells. Any context. */
	void (*disconnect)(struct bench_conn *c);
	/* Of an established connection: the passive end's memory for the peer to read and write, and regions. */
	int (*expose)(struct bench_conn *c);
	void (*hide)(struct bench_conn *c);
	/* One request. Bottom halves are off while the device has it. */
	int (*send)(struct bench_conn *c, enum bench_end end, bool signalled);
	int (*receive)(struct bench_conn *c, enum bench_end end, u32 slot);
	int (*write)(struct bench_conn *c);
	int (*read)(struct bench_conn *c);
	/* of the first `pages` of the active end's memory, at most BENCH_PAGES */
	int (*reg)(struct bench_conn *c, u32 region, u32 pages, bool signalled);
	int (*invalidate)(struct bench_conn *c, u32 region);
	/* At most BENCH_BATCH results; how many. */
	int (*poll)(struct bench_host *h, enum bench_end end, struct bench_result *out);
};

extern const struct bench_way bench_ndk;
extern const struct bench_way bench_raw;
/* bench_raw, but for posts that leave bottom halves as they are: what ib_core costs by itself. */
extern const struct bench_way bench_bare;

/* stage.c: what ways report, and what workloads stand on */
void bench_conn_init(struct bench_conn *c, struct bench_host *h, u32 index);
void bench_established(struct bench_conn *c, int error);
void bench_ended(struct bench_conn *c);

struct bench_stage {
	const struct bench_way *way;
	struct bench_host *host;
	struct bench_conn *conn; /* NULL where the workload makes its own */
	bool stands; /* conn is established */
	u32 received[BENCH_ENDS]; /* results taken */
	u32 done[BENCH_ENDS];
	u64 switches; /* threads changed during the last sample */
	u64 pieces; /* of all samples, trials included */
};

int bench_stage_open(struct bench_stage *s, const struct bench_way *way,
		     const struct bench_setup *setup, bool connected);
void bench_stage_close(struct bench_stage *s);
/* Takes results until so many receives and requests of that end have been counted, in all. */
int bench_await(struct bench_stage *s, enum bench_end end, u32 received, u32 done);
int bench_look(struct bench_stage *s, enum bench_end end);

/* work.c */
struct bench_work {
	const char *name;
	bool connected; /* on one connection that stands; else it makes its own */
	u32 start; /* count of the first trial */
	u32 most;
	/* Does the work count times; *ns is the time it took. */
	int (*run)(struct bench_stage *s, u32 count, u64 *ns);
	/* What a person or a table needs: of `count` in `ns`. */
	const char *unit;
	u32 bytes; /* moved by each */
	bool time; /* the result is time per piece, and less is better; else pieces per time */
};

extern const struct bench_work bench_works[];
extern const unsigned int bench_works_count;

/* measure.c: one workload, both ways in turn. target_ms: how long a sample is to take. */
int bench_measure(const struct bench_work *w, const struct bench_setup *setup, u32 pairs,
		  u32 target_ms);

/* switches.c: -ENOENT where the kernel has no such tracepoint; bench_switches() stays 0 then */
int bench_switches_begin(void);
void bench_switches_end(void);
u64 bench_switches(void);

/* count.c: instructions, where the machine's clock counts them */
int bench_count(const struct bench_setup *setup, u32 samples);

#endif
