// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Waiting for what a driver does in tasklets and does not wait for itself. Process context.
 *
 * Up to 6.3, rxe calls a CQ's handler from a tasklet that holds no reference to the CQ, and destroying
 * the CQ does not wait for it; and a tasklet of the QP flushes, without an event at its end. Tasklets
 * of one processor run in the order in which they were scheduled, so when one of our own has run on
 * each processor, those scheduled before have too. siw flushes within the change of state.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/interrupt.h>
#include <linux/workqueue.h>
#include <rdma/ib_user_ioctl_verbs.h>

#include "compat.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
struct passing {
	struct work_struct work;
	struct tasklet_struct tasklet;
	struct completion scheduled, passed;
};

static void pass(struct tasklet_struct *t)
{
	struct passing *p = from_tasklet(p, t, tasklet);

	complete(&p->passed);
}

/* In a thread: PREEMPT_RT wants no tasklet scheduled from a call between processors. */
static void schedule_here(struct work_struct *work)
{
	struct passing *p = container_of(work, struct passing, work);

	local_bh_disable();
	tasklet_schedule(&p->tasklet);
	local_bh_enable(); /* it runs now, not when ksoftirqd gets its turn */
	complete(&p->scheduled);
}

static void pass_on(int cpu)
{
	struct passing p;

	init_completion(&p.scheduled);
	init_completion(&p.passed);
	tasklet_setup(&p.tasklet, pass);
	INIT_WORK_ONSTACK(&p.work, schedule_here);
	/* waited for, not flushed: the caller's queue promises progress without memory, this one does not */
	queue_work_on(cpu, system_highpri_wq, &p.work);
	wait_for_completion(&p.scheduled);
	wait_for_completion(&p.passed);
	tasklet_kill(&p.tasklet);
	destroy_work_on_stack(&p.work);
}

static bool settle(struct ib_device *ib)
{
	int cpu;

	if (ib->ops.driver_id != RDMA_DRIVER_RXE)
		return false;
	cpus_read_lock();
	for_each_online_cpu(cpu) pass_on(cpu);
	cpus_read_unlock();
	return true;
}
#else
static bool settle(struct ib_device *ib)
{
	return false;
}
#endif

void ndk_compat_settle_cq(struct ib_cq *cq)
{
	settle(cq->device);
}

bool ndk_compat_settle_begun(struct ib_device *ib)
{
	return ib->ops.driver_id == RDMA_DRIVER_SIW || settle(ib);
}

/* siw takes receives under a lock of its socket, which makes it a section of RCU, on PREEMPT_RT too. */
void ndk_compat_settle_limit(struct ib_device *ib)
{
	if (!settle(ib))
		synchronize_rcu();
}
