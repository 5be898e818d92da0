// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * ping_port.h in the kernel: boxes, threads, memory and clock.
 *
 * A box has its own spinlock, taken with interrupts off and innermost: posting happens inside the
 * provider's callbacks, in whatever context those run.
 */
#define pr_fmt(fmt) "ndkping: " fmt

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "ping_ring.h"

/* Looks at a CQ before a poller sleeps a little between them. */
#define SPINS 256

struct ping_box {
	spinlock_t lock;
	wait_queue_head_t more;
	struct ping_ring ring; /* under lock */
};

struct ping_box *ping_box_create(void)
{
	struct ping_box *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return NULL;
	spin_lock_init(&b->lock);
	init_waitqueue_head(&b->more);
	return b;
}

VOID ping_box_destroy(struct ping_box *b)
{
	kfree(b);
}

BOOLEAN ping_box_post(struct ping_box *b, ULONG kind, PVOID who, NTSTATUS status)
{
	unsigned long flags;
	BOOLEAN fits;

	spin_lock_irqsave(&b->lock, flags);
	fits = ping_ring_put(&b->ring, kind, who, status);
	/* Under the lock: whoever takes the news may destroy the box at once. */
	wake_up(&b->more);
	spin_unlock_irqrestore(&b->lock, flags);
	return fits;
}

static bool look(struct ping_box *b, ULONG kinds, struct ping_news *news)
{
	unsigned long flags;
	BOOLEAN found;

	spin_lock_irqsave(&b->lock, flags);
	found = ping_ring_get(&b->ring, kinds, news);
	spin_unlock_irqrestore(&b->lock, flags);
	return found;
}

/* Idle waits: a server without clients is neither load nor a hung task. */
BOOLEAN ping_box_take(struct ping_box *b, ULONG kinds, struct ping_news *news, ULONG timeout_ms)
{
	if (timeout_ms == 0)
		return look(b, kinds, news);
	if (timeout_ms != PING_FOREVER)
		return wait_event_idle_timeout(b->more, look(b, kinds, news),
					       msecs_to_jiffies(timeout_ms)) != 0;
	wait_event_idle(b->more, look(b, kinds, news));
	return TRUE;
}

PVOID ping_alloc(SIZE_T bytes)
{
	return kvzalloc(bytes, GFP_KERNEL);
}

VOID ping_free(PVOID memory)
{
	kvfree(memory);
}

UINT64 ping_now(void)
{
	return div_u64(ktime_get_ns(), 100);
}

/*
 * Where both ends, or an end and the device's own thread, share a processor, spinning alone uses up a
 * whole slice in vain, which is far longer than a message takes.
 */
VOID ping_relax(ULONG looks)
{
	cpu_relax();
	if (looks < SPINS)
		cond_resched();
	else
		usleep_range_state(10, 50, TASK_IDLE);
}

/* ---- threads ---- */

struct ping_thread {
	struct task_struct *task;
	struct completion done;
	VOID (*run)(PVOID);
	PVOID arg;
};

/* Stays until it is joined, so that the module's code is not left by a thread that still returns. */
static int enter(void *arg)
{
	struct ping_thread *t = arg;

	t->run(t->arg);
	complete(&t->done);
	set_current_state(TASK_IDLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_IDLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

struct ping_thread *ping_thread_start(VOID (*run)(PVOID), PVOID arg)
{
	struct ping_thread *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	init_completion(&t->done);
	t->run = run;
	t->arg = arg;
	t->task = kthread_run(enter, t, "ndkping");
	if (!IS_ERR(t->task))
		return t;
	kfree(t);
	return NULL;
}

VOID ping_thread_join(struct ping_thread *t)
{
	/* In slices: a long run is no hung task. */
	while (!wait_for_completion_timeout(&t->done, 10 * HZ))
		;
	kthread_stop(t->task);
	kfree(t);
}

/* ---- print ---- */

VOID ping_say(const char *format, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, format);
	vaf.fmt = format;
	vaf.va = &args;
	pr_info("%pV\n", &vaf);
	va_end(args);
}

VOID ping_complain(const char *format, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, format);
	vaf.fmt = format;
	vaf.va = &args;
	pr_err("%pV\n", &vaf);
	va_end(args);
}
