/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Knobs and gauges by adapter name. Each finds the site, holds it, works under the host's lock.
 */
#include "internal.h"
#include "control.h"

#define NO_DEVICE (-19)
#define BAD_VALUE (-22)

#define MAX_DEADLINE_MS 3600000u
#define MAX_BACKLOG 65536u

int ndk_control_answer(const char *name, int mode)
{
	struct ndk_site *s;
	struct ndk_call k NDK_UNINIT;
	int err = 0;

	if (mode < NDK_ANSWER_NATURAL || mode > NDK_ANSWER_WAIT)
		return BAD_VALUE;
	s = ndk_shell_site_get(name);
	if (!s)
		return NO_DEVICE;
	ndk_call_begin(&k, &s->host);
	if (mode == NDK_ANSWER_WAIT && !s->ops->wait)
		err = BAD_VALUE;
	else
		s->host.answer = (UCHAR)mode;
	ndk_call_end(&k);
	ndk_shell_site_put(s);
	return err;
}

int ndk_control_deadline(const char *name, int which, ULONG ms)
{
	struct ndk_site *s;
	struct ndk_call k NDK_UNINIT;

	if (which < 0 || which >= NDK_TIME_KINDS || ms < 1 || ms > MAX_DEADLINE_MS)
		return BAD_VALUE;
	s = ndk_shell_site_get(name);
	if (!s)
		return NO_DEVICE;
	ndk_call_begin(&k, &s->host);
	s->host.time_ms[which] = ms;
	ndk_call_end(&k);
	ndk_shell_site_put(s);
	return 0;
}

int ndk_control_get_deadline(const char *name, int which, ULONG *ms)
{
	struct ndk_site *s;
	struct ndk_call k NDK_UNINIT;

	if (which < 0 || which >= NDK_TIME_KINDS || !ms)
		return BAD_VALUE;
	s = ndk_shell_site_get(name);
	if (!s)
		return NO_DEVICE;
	ndk_call_begin(&k, &s->host);
	*ms = s->host.time_ms[which];
	ndk_call_end(&k);
	ndk_shell_site_put(s);
	return 0;
}

int ndk_control_backlog(const char *name, ULONG requests)
{
	struct ndk_site *s;
	struct ndk_call k NDK_UNINIT;

	if (requests < 1 || requests > MAX_BACKLOG)
		return BAD_VALUE;
	s = ndk_shell_site_get(name);
	if (!s)
		return NO_DEVICE;
	ndk_call_begin(&k, &s->host);
	s->host.backlog = requests;
	ndk_call_end(&k);
	ndk_shell_site_put(s);
	return 0;
}

int ndk_control_live(const char *name, struct ndk_live *live)
{
	struct ndk_site *s = ndk_shell_site_get(name);
	struct ndk_call k NDK_UNINIT;

	if (!s)
		return NO_DEVICE;
	ndk_call_begin(&k, &s->host);
	ndk_copy(live->objects, s->host.live, sizeof(live->objects));
	live->endpoints = s->host.endpoints.count;
	live->tuples = s->host.tuples.count;
	ndk_call_end(&k);
	ndk_shell_site_put(s);
	return 0;
}

int ndk_control_counters(const char *name, struct ndk_counters *counters)
{
	struct ndk_site *s = ndk_shell_site_get(name);
	struct ndk_call k NDK_UNINIT;

	if (!s)
		return NO_DEVICE;
	ndk_call_begin(&k, &s->host);
	*counters = s->host.count;
	ndk_call_end(&k);
	ndk_shell_site_put(s);
	return 0;
}

int ndk_control_fail_alloc(const char *name, long in, long every)
{
	struct ndk_site *s;

	if (in < 0 || every < 0)
		return BAD_VALUE;
	s = ndk_shell_site_get(name);
	if (!s)
		return NO_DEVICE;
	__atomic_store_n(&s->fail_every, every, __ATOMIC_RELAXED);
	__atomic_store_n(&s->fail_in, in, __ATOMIC_RELAXED);
	ndk_shell_site_put(s);
	return 0;
}

int ndk_control_allocs(const char *name, long *asked, long *failed)
{
	struct ndk_site *s = ndk_shell_site_get(name);

	if (!s)
		return NO_DEVICE;
	if (asked)
		*asked = __atomic_load_n(&s->asked, __ATOMIC_RELAXED);
	if (failed)
		*failed = __atomic_load_n(&s->failed, __ATOMIC_RELAXED);
	ndk_shell_site_put(s);
	return 0;
}
