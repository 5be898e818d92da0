/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitors that count: M-10 (no call blocks), M-13 (no foreign clock or random source), M-14 (the
 * provider's counters say what was seen). Any context; locking as monitor_i.h says.
 *
 * M-14. Connections and acceptances are known exactly: each is the success of one NdkCompleteConnect
 * or NdkAccept; none is active when the case has closed everything. Of failures the consumer does not
 * see all: a listener refuses some by itself, and a broken connection may be closed before that was
 * told. So there is a number below which the counter cannot be, and one above which it cannot be.
 */
#include "monitor_i.h"
#include "env.h"

static struct {
	struct ndk_counters start[MON_ADAPTERS];
	BOOLEAN there[MON_ADAPTERS];
	BOOLEAN waits[MON_ADAPTERS];
	/* NdkConnect calls of this case that failed as attempts do, that may have, and all; by adapter */
	UINT64 failed[MON_ADAPTERS], doubtful[MON_ADAPTERS], begun[MON_ADAPTERS];
	long foreign;
} count;

/* ---- M-10 ---- */

void monitor_waits(unsigned which, BOOLEAN waits)
{
	if (which < MON_ADAPTERS)
		count.waits[which] = waits;
}

UINT64 mon_watch(void)
{
	return env_mark();
}

void mon_watched(enum mon_fn fn, UINT64 mark)
{
	unsigned i;

	if (env_mark() == mark)
		return;
	for (i = 0; i < MON_ADAPTERS; i++)
		if (count.waits[i])
			return;
	mon_violate(10, "%s blocked", mon_fn_name(fn));
}

/* ---- M-14: what is seen ---- */

static BOOLEAN attempt_failed(NTSTATUS status)
{
	switch (status) {
	case STATUS_CONNECTION_REFUSED:
	case STATUS_HOST_UNREACHABLE:
	case STATUS_NETWORK_UNREACHABLE:
	case STATUS_IO_TIMEOUT:
	case STATUS_CANCELLED:
	case STATUS_SHARING_VIOLATION:
	case STATUS_TOO_MANY_ADDRESSES:
	case STATUS_ADDRESS_ALREADY_EXISTS:
		return TRUE;
	default:
		return FALSE;
	}
}

/* A malformed address and one that is not ours look alike, and so do the two ways to have no memory. */
static BOOLEAN attempt_doubtful(NTSTATUS status)
{
	return status == STATUS_INVALID_ADDRESS || status == STATUS_INSUFFICIENT_RESOURCES ||
	       status == STATUS_DEVICE_REMOVED;
}

static void count_connect(struct mon_object *c, NTSTATUS status)
{
	unsigned which = c->adapter->which;

	if (status == STATUS_SUCCESS)
		c->accepted = TRUE;
	if (which >= MON_ADAPTERS)
		return;
	count.begun[which]++;
	count.failed[which] += attempt_failed(status);
	count.doubtful[which] += attempt_doubtful(status);
}

static void count_disconnect(struct mon_object *c, NTSTATUS status, BOOLEAN event_had)
{
	if (status == STATUS_SUCCESS || status == STATUS_IO_TIMEOUT)
		c->parted = TRUE;
	else if (status == STATUS_CONNECTION_ABORTED && event_had)
		c->broken = TRUE;
}

void mon_count(struct mon_call *k, NTSTATUS status)
{
	switch ((int)k->fn) {
	case MON_NdkConnect:
	case MON_NdkConnectWithSharedEndpoint:
		count_connect(k->object, status);
		break;
	case MON_NdkCompleteConnect:
	case MON_NdkAccept:
		if (status == STATUS_SUCCESS)
			k->object->up = TRUE;
		break;
	case MON_NdkDisconnect:
		count_disconnect(k->object, status, k->event_had);
		break;
	default:
		break;
	}
}

/* ---- M-14: what is said ---- */

struct mon_sum {
	UINT64 connect, accept;
	UINT64 fail_least, fail_most;
	UINT64 error_least, error_most;
	UINT64 cq_least, cq_most;
};

/* One host may have several names. */
static BOOLEAN same_host(unsigned a, unsigned b)
{
	return a == b || (count.there[a] && count.there[b] &&
			  strcmp(conf_adapter_name(a), conf_adapter_name(b)) == 0);
}

static void sum_connector(struct mon_sum *s, const struct mon_object *c)
{
	if (c->up) {
		s->connect += !c->delivered;
		s->accept += c->delivered;
		s->error_least += c->broken;
		s->error_most += !c->parted;
	} else if (c->delivered || c->accepted) {
		s->fail_least++;
	}
}

static struct mon_sum sum_of(unsigned which)
{
	const struct mon_object *o;
	struct mon_sum s;
	UINT64 unseen = 0;
	BOOLEAN listens = FALSE;
	unsigned i;

	memset(&s, 0, sizeof(s));
	for (o = mon_all(); o; o = o->next_all) {
		if (!o->adapter || o->adapter->which >= MON_ADAPTERS || !same_host(o->adapter->which, which))
			continue;
		listens |= o->type == NdkObjectTypeListener;
		if (o->type == NdkObjectTypeConnector)
			sum_connector(&s, o);
		else if (o->type == NdkObjectTypeCq) {
			s.cq_least += o->dead;
			s.cq_most++;
		}
	}
	s.fail_most = s.fail_least;
	for (i = 0; i < MON_ADAPTERS; i++) {
		/* a listener may have refused any of them by itself */
		unseen += listens ? count.begun[i] : 0;
		if (!same_host(i, which))
			continue;
		s.fail_least += count.failed[i];
		s.fail_most += count.failed[i] + count.doubtful[i];
	}
	s.fail_most += unseen;
	return s;
}

static void between(unsigned which, const char *what, UINT64 rise, UINT64 least, UINT64 most)
{
	if (rise < least || rise > most)
		mon_violate(14, "%s: counter %s rose by %llu, and %llu to %llu were seen", conf_adapter_name(which),
			    what, (unsigned long long)rise, (unsigned long long)least, (unsigned long long)most);
}

static void judge_counters(unsigned which)
{
	const struct ndk_counters *start = &count.start[which];
	const UINT64 any = ~0ull;
	unsigned troubles = env_troubles();
	struct ndk_counters now;
	struct mon_sum s;

	if ((troubles & ENV_TROUBLE_DEVICE) || ndk_control_counters(conf_adapter_name(which), &now) != 0)
		return; /* another device may have taken its name */
	s = sum_of(which);
	between(which, "connect", now.connect - start->connect, s.connect, s.connect);
	between(which, "accept", now.accept - start->accept, s.accept, s.accept);
	between(which, "active", now.active - start->active, 0, 0);
	between(which, "connect_fail", now.connect_fail - start->connect_fail, s.fail_least,
		troubles & ENV_TROUBLE_MESSAGES ? any : s.fail_most);
	between(which, "conn_error", now.conn_error - start->conn_error, s.error_least, s.error_most);
	between(which, "cq_error", now.cq_error - start->cq_error, s.cq_least, s.cq_most);
}

/* ---- by monitor.c ---- */

void mon_count_begin(void)
{
	unsigned i;

	memset(&count, 0, sizeof(count));
	for (i = 0; i < MON_ADAPTERS; i++) {
		count.there[i] = conf_adapter_name(i) != (const char *)0;
		if (count.there[i])
			ndk_control_counters(conf_adapter_name(i), &count.start[i]); /* zeroes if it fails */
	}
	count.foreign = env_foreign_reads();
}

void mon_count_end(void)
{
	long foreign = env_foreign_reads() - count.foreign;
	unsigned i, j;

	if (foreign)
		mon_violate(13, "clocks or random sources other than the fabric's were read %ld times", foreign);
	for (i = 0; i < MON_ADAPTERS; i++) {
		for (j = 0; j < i && !same_host(i, j); j++)
			;
		if (count.there[i] && j == i)
			judge_counters(i);
	}
}
