/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkping: what it is asked to do, what it answers, and the three ways to run it.
 *
 * The sources ping_*.c named below are one NDKPI consumer, the same for the kernel and for user space:
 * they include <ndkpi/ndkpi.h> and the headers of this directory and call nothing but NDKPI and
 * ping_port.h. Whoever ports them to Windows replaces ping_port.h's implementation.
 *
 *   ping_end.c     one end: adapter, CQ, PD; waiting for calls; closing
 *   ping_conn.c    one connection: memory, QP, messages and their pattern
 *   ping_client.c  connects, measures, disconnects
 *   ping_server.c  listens, answers
 *   ping_self.c    both in one process
 *   ping_report.c  numbers and names
 *
 * Everything declared here may sleep and is called by one thread per run.
 */
#ifndef NDKPING_PING_H
#define NDKPING_PING_H

#include <ndkpi/ndkpi.h>

#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Limits of the options; whoever reads them enforces them. */
#define PING_MAX_SIZE	     (16u << 20)
#define PING_MAX_COUNT	     100000000u
#define PING_MAX_CONNECTIONS 1000000u
#define PING_MAX_TIMEOUT_MS  400000u /* in units of 100 ns it has to fit 32 bits */

/* Also the exit status of the program. */
enum ping_outcome {
	PING_OK = 0,
	PING_BAD_PEER = 1, /* data, protocol, or no answer: not a status of the provider */
	PING_BAD_USAGE = 2,
	PING_BAD_STATUS = 3, /* a function of the provider failed; see ping_result */
};

/* IPv4 or IPv6 with port. Both families keep the port in bytes 2 and 3, the high one first. */
union ping_address {
	struct sockaddr any;
	UCHAR bytes[28];
	ULONG64 align;
};

ULONG ping_address_length(const union ping_address *a);
USHORT ping_address_port(const union ping_address *a);
VOID ping_address_set_port(union ping_address *a, USHORT port);

struct ping_config {
	const char *adapter; /* as NdkOpenAdapter takes it */
	union ping_address local; /* server: listened on, port 0 picks one; client: connected from */
	union ping_address dest; /* client: the server */
	USHORT second_port; /* client: of the second connection of a pair */
	ULONG size; /* client: bytes of each message */
	ULONG count; /* client: round trips per connection */
	ULONG connections; /* client: one after the other; server: leave after so many, 0 never */
	ULONG timeout_ms; /* longest wait for a message */
	BOOLEAN shared; /* client: connect from a shared endpoint */
	BOOLEAN second; /* pairs of connections, to two ports, from one shared endpoint */
	BOOLEAN poll; /* poll the CQ instead of arming it */
	ULONG corrupt_at;
	BOOLEAN corrupt; /* client: spoil the byte at corrupt_at of each last message */
	BOOLEAN privileged; /* logical addresses and the privileged token, no registration */
};

/* Times are in units of 100 ns, which keeps all arithmetic in 32 bits and is Windows' own unit. */
struct ping_times {
	ULONG samples; /* how many the others are made of */
	ULONG min, median, p99, max;
};

struct ping_result {
	enum ping_outcome outcome;
	const char *step; /* of the first failure: the function or what was expected; else NULL */
	NTSTATUS status; /* of the first failure if outcome is PING_BAD_STATUS */
	UINT64 failed_at; /* ping_now() of the first failure */
	ULONG connections; /* established */
	UINT64 messages, bytes; /* both directions */
	struct ping_times connect, round_trip; /* client only */
	NDK_VERSION version;
	NDK_RDMA_TECHNOLOGY technology;
};

/* Runs a client to its end. */
VOID ping_client(const struct ping_config *config, struct ping_result *result);

struct ping_box;

/* A server, which may be told to stop from any thread. */
struct ping_server {
	const struct ping_config *config;
	struct ping_box *box; /* what its callbacks say */
	struct ping_box *ready; /* not NULL: hears PING_NEWS_READY with the outcome of listening */
	USHORT port[2]; /* in force once ready */
	struct ping_result result;
};

/* FALSE: no memory, nothing to undo. */
BOOLEAN ping_server_init(struct ping_server *s, const struct ping_config *config,
			 struct ping_box *ready);
VOID ping_server_run(PVOID server); /* returns when stopped, when done, or on failure to listen */
VOID ping_server_stop(struct ping_server *s);
VOID ping_server_end(struct ping_server *s);

/*
 * A server and a client in one process; the client's destination ports are filled in. The result is
 * the client's with the first failure of either.
 */
VOID ping_self(const struct ping_config *server, const struct ping_config *client,
	       struct ping_result *result);

/* Why nothing can be done with this configuration, or NULL. */
const char *ping_config_complaint(const struct ping_config *c);
const char *ping_status_name(NTSTATUS status); /* "STATUS_..." or "unknown status" */
const char *ping_technology_name(NDK_RDMA_TECHNOLOGY technology);
const char *ping_outcome_name(enum ping_outcome outcome); /* one word */
/* One line about the failure in result. */
VOID ping_report_failure(const struct ping_result *result);
/* The line that a demonstration ends with, for programs to read. */
VOID ping_report_line(const struct ping_result *result, const char *binding);

#ifdef __cplusplus
}
#endif

#endif /* NDKPING_PING_H */
