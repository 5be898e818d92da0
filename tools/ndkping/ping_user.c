// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * ping_port.h in user space: boxes, threads, memory and clock over POSIX, or over the pumped fabric.
 *
 * A box has its own mutex, which is innermost: posting never waits for anything else, as it happens
 * inside the provider's callbacks.
 */
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ndk_fabric.h>

#include "ping_ring.h"
#include "ping_user.h"

struct ping_box {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct ping_ring ring; /* under lock */
};

struct ping_box *ping_box_create(void)
{
	struct ping_box *b = calloc(1, sizeof(*b));
	pthread_condattr_t attr;

	if (!b)
		return NULL;
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->more, &attr);
	pthread_condattr_destroy(&attr);
	return b;
}

VOID ping_box_destroy(struct ping_box *b)
{
	pthread_cond_destroy(&b->more);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

BOOLEAN ping_box_post(struct ping_box *b, ULONG kind, PVOID who, NTSTATUS status)
{
	BOOLEAN fits;

	pthread_mutex_lock(&b->lock);
	fits = ping_ring_put(&b->ring, kind, who, status);
	/* Under the lock: whoever takes the news may destroy the box at once. */
	pthread_cond_signal(&b->more);
	pthread_mutex_unlock(&b->lock);
	return fits;
}

static struct timespec deadline(ULONG timeout_ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

static BOOLEAN take_threaded(struct ping_box *b, ULONG kinds, struct ping_news *news,
			     ULONG timeout_ms)
{
	struct timespec until = deadline(timeout_ms == PING_FOREVER ? 0 : timeout_ms);
	BOOLEAN found;
	int err = 0;

	pthread_mutex_lock(&b->lock);
	while (!(found = ping_ring_get(&b->ring, kinds, news)) && timeout_ms && !err) {
		if (timeout_ms == PING_FOREVER)
			pthread_cond_wait(&b->more, &b->lock);
		else
			err = pthread_cond_timedwait(&b->more, &b->lock, &until);
	}
	pthread_mutex_unlock(&b->lock);
	return found;
}

/*
 * The time limit counts in virtual time, which stands still when nothing is left to happen: then the
 * wait is over at once. An unlimited wait that nothing can end any more is a lost completion.
 */
static BOOLEAN take_driven(struct ping_box *b, ULONG kinds, struct ping_news *news,
			   ULONG timeout_ms)
{
	UINT64 until = ndk_fabric_now() + (UINT64)timeout_ms * 1000;

	while (!ping_ring_get(&b->ring, kinds, news)) {
		if (timeout_ms != PING_FOREVER && ndk_fabric_now() >= until)
			return FALSE;
		if (ping_fabric_step())
			continue;
		if (timeout_ms != PING_FOREVER)
			return FALSE;
		fprintf(stderr,
			"ndkping: the fabric has nothing left to do, news of kinds 0x%x never came\n",
			kinds);
		abort();
	}
	ping_fabric_busy();
	return TRUE;
}

BOOLEAN ping_box_take(struct ping_box *b, ULONG kinds, struct ping_news *news, ULONG timeout_ms)
{
	if (ping_fabric_driven())
		return take_driven(b, kinds, news, timeout_ms);
	return take_threaded(b, kinds, news, timeout_ms);
}

PVOID ping_alloc(SIZE_T bytes)
{
	return calloc(1, bytes);
}

VOID ping_free(PVOID memory)
{
	free(memory);
}

UINT64 ping_now(void)
{
	struct timespec t;

	if (ping_fabric_driven())
		return ndk_fabric_now() * 10;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (UINT64)t.tv_sec * 10000000 + (UINT64)t.tv_nsec / 100;
}

VOID ping_relax(ULONG looks)
{
	(VOID) looks; /* the scheduler of user space is asked every time */
	if (ping_fabric_driven())
		ping_fabric_step();
	else
		sched_yield();
}

/* ---- threads ---- */

struct ping_thread {
	pthread_t id;
	struct ping_coroutine *coroutine; /* instead, if the fabric is driven */
	VOID (*run)(PVOID);
	PVOID arg;
};

static void *enter(void *arg)
{
	struct ping_thread *t = arg;

	t->run(t->arg);
	return NULL;
}

struct ping_thread *ping_thread_start(VOID (*run)(PVOID), PVOID arg)
{
	struct ping_thread *t = calloc(1, sizeof(*t));
	BOOLEAN started;

	if (!t)
		return NULL;
	t->run = run;
	t->arg = arg;
	if (ping_fabric_driven()) {
		t->coroutine = ping_coroutine_start(run, arg);
		started = t->coroutine != NULL;
	} else {
		started = pthread_create(&t->id, NULL, enter, t) == 0;
	}
	if (started)
		return t;
	free(t);
	return NULL;
}

VOID ping_thread_join(struct ping_thread *t)
{
	if (t->coroutine)
		ping_coroutine_join(t->coroutine);
	else
		pthread_join(t->id, NULL);
	free(t);
}

/* ---- print ---- */

static VOID print(FILE *to, const char *prefix, const char *format, va_list args)
{
	flockfile(to);
	fputs(prefix, to);
	vfprintf(to, format, args);
	fputc('\n', to);
	fflush(to);
	funlockfile(to);
}

VOID ping_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stdout, "", format, args);
	va_end(args);
}

VOID ping_complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, "ndkping: ", format, args);
	va_end(args);
}
