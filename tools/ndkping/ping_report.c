// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Numbers and names of ndkping: time samples and what they come to, addresses, names of statuses, the
 * lines that kernel and user space print alike. No state of its own; no lock.
 */
#include "ping_end.h"

/* Samples kept at most; 4 MB. */
#define MOST_SAMPLES 1000000u

/* ---- addresses ---- */

ULONG ping_address_length(const union ping_address *a)
{
	return a->any.sa_family == AF_INET6 ? 28 : 16;
}

USHORT ping_address_port(const union ping_address *a)
{
	return (USHORT)(a->bytes[2] << 8 | a->bytes[3]);
}

VOID ping_address_set_port(union ping_address *a, USHORT port)
{
	a->bytes[2] = (UCHAR)(port >> 8);
	a->bytes[3] = (UCHAR)port;
}

/* ---- time ---- */

BOOLEAN ping_samples_init(struct ping_samples *s, ULONG wanted)
{
	s->room = wanted < MOST_SAMPLES ? wanted : MOST_SAMPLES;
	s->time = ping_alloc((SIZE_T)s->room * sizeof(s->time[0]));
	return s->time != NULL;
}

VOID ping_samples_add(struct ping_samples *s, UINT64 time)
{
	ULONG t = time > 0xffffffffu ? 0xffffffffu : (ULONG)time;

	if (!s->used || t < s->min)
		s->min = t;
	if (t > s->max)
		s->max = t;
	s->time[s->next] = t;
	s->next = s->next + 1 == s->room ? 0 : s->next + 1;
	if (s->used < s->room)
		s->used++;
}

/* Restores the heap below `at`; for sort(). */
static VOID sift(ULONG *t, ULONG at, ULONG n)
{
	ULONG child, held = t[at];

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && t[child + 1] > t[child])
			child++;
		if (t[child] <= held)
			break;
		t[at] = t[child];
		at = child;
	}
	t[at] = held;
}

/* Heapsort: in place, no recursion, and the same wherever this source goes. */
static VOID sort(ULONG *t, ULONG n)
{
	ULONG i, last;

	for (i = n / 2; i > 0; i--)
		sift(t, i - 1, n);
	for (i = n; i > 1; i--) {
		last = t[i - 1];
		t[i - 1] = t[0];
		t[0] = last;
		sift(t, 0, i - 1);
	}
}

VOID ping_samples_summary(struct ping_samples *s, struct ping_times *times)
{
	*times = (struct ping_times){ .samples = s->used };
	if (!s->used)
		return;
	sort(s->time, s->used);
	times->min = s->min;
	times->max = s->max;
	times->median = s->time[s->used / 2];
	/* The smallest that 99 of 100 do not exceed. */
	times->p99 = s->time[s->used - 1 - s->used / 100];
}

VOID ping_samples_end(struct ping_samples *s)
{
	ping_free(s->time);
	s->time = NULL;
}

/* ---- names ---- */

#define NAME(status) \
	case status: \
		return #status

const char *ping_status_name(NTSTATUS status)
{
	switch (status) {
		NAME(STATUS_SUCCESS);
		NAME(STATUS_PENDING);
		NAME(STATUS_BUFFER_OVERFLOW);
		NAME(STATUS_ACCESS_VIOLATION);
		NAME(STATUS_INVALID_PARAMETER);
		NAME(STATUS_BUFFER_TOO_SMALL);
		NAME(STATUS_INVALID_PARAMETER_MIX);
		NAME(STATUS_SHARING_VIOLATION);
		NAME(STATUS_INSUFFICIENT_RESOURCES);
		NAME(STATUS_IO_TIMEOUT);
		NAME(STATUS_NOT_SUPPORTED);
		NAME(STATUS_INTERNAL_ERROR);
		NAME(STATUS_CANCELLED);
		NAME(STATUS_REMOTE_RESOURCES);
		NAME(STATUS_INVALID_ADDRESS);
		NAME(STATUS_TOO_MANY_ADDRESSES);
		NAME(STATUS_ADDRESS_ALREADY_EXISTS);
		NAME(STATUS_CONNECTION_REFUSED);
		NAME(STATUS_CONNECTION_INVALID);
		NAME(STATUS_NETWORK_UNREACHABLE);
		NAME(STATUS_HOST_UNREACHABLE);
		NAME(STATUS_CONNECTION_ABORTED);
		NAME(STATUS_IMPLEMENTATION_LIMIT);
		NAME(STATUS_NO_MORE_ENTRIES);
		NAME(STATUS_DEVICE_BUSY);
		NAME(STATUS_INVALID_DEVICE_REQUEST);
		NAME(STATUS_DATA_OVERRUN);
		NAME(STATUS_INVALID_DEVICE_STATE);
		NAME(STATUS_INVALID_BUFFER_SIZE);
		NAME(STATUS_CONNECTION_ACTIVE);
		NAME(STATUS_DEVICE_REMOVED);
		NAME(NDIS_STATUS_BAD_VERSION);
		NAME(NDIS_STATUS_ADAPTER_NOT_FOUND);
		NAME(NDIS_STATUS_ADAPTER_NOT_READY);
	default:
		return "unknown status";
	}
}

const char *ping_technology_name(NDK_RDMA_TECHNOLOGY technology)
{
	switch (technology) {
	case NdkiWarp:
		return "iwarp";
	case NdkInfiniBand:
		return "ib";
	case NdkRoCE:
		return "roce";
	case NdkRoCEv2:
		return "rocev2";
	default:
		return "undefined";
	}
}

const char *ping_outcome_name(enum ping_outcome outcome)
{
	switch (outcome) {
	case PING_OK:
		return "ok";
	case PING_BAD_PEER:
		return "peer-failed";
	case PING_BAD_USAGE:
		return "usage";
	case PING_BAD_STATUS:
		return "provider-failed";
	}
	return "undefined";
}

const char *ping_config_complaint(const struct ping_config *c)
{
	if (!c->adapter || !c->adapter[0])
		return "an adapter is needed";
	if (c->local.any.sa_family != AF_INET && c->local.any.sa_family != AF_INET6)
		return "a local address is needed";
	if (c->size < 1 || c->size > PING_MAX_SIZE)
		return "the size of a message is 1 to 16777216 bytes";
	if (c->count < 1 || c->count > PING_MAX_COUNT)
		return "there are 1 to 100000000 round trips";
	if (c->connections > PING_MAX_CONNECTIONS)
		return "there are at most 1000000 connections";
	if (c->corrupt && c->corrupt_at >= c->size)
		return "the byte to spoil lies outside the message";
	if (c->timeout_ms < 1 || c->timeout_ms > PING_MAX_TIMEOUT_MS)
		return "the timeout is 1 to 400000 milliseconds";
	return NULL;
}

/* ---- lines ---- */

VOID ping_report_failure(const struct ping_result *r)
{
	if (r->outcome == PING_BAD_STATUS)
		ping_complain("%s failed: %s (0x%08x)", r->step, ping_status_name(r->status),
			      (ULONG)r->status);
	else if (r->outcome != PING_OK)
		ping_complain("failed: %s", r->step);
}

VOID ping_report_line(const struct ping_result *r, const char *binding)
{
	ping_say(
		"ndk-demo: binding=%s transport=%s connect_us=%u.%u round_trip_us=%u.%u messages=%llu bytes=%llu result=%s",
		binding, ping_technology_name(r->technology), r->connect.median / 10,
		r->connect.median % 10, r->round_trip.median / 10, r->round_trip.median % 10,
		r->messages, r->bytes, ping_outcome_name(r->outcome));
}
