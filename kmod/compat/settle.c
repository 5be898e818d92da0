// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Waiting for completion handlers that a driver does not wait for itself. Process context.
 *
 * Up to 6.3, rxe calls the handler from a tasklet that holds no reference to the CQ, and destroying
 * the CQ does not wait for it. Tasklets of one processor run in the order in which they were
 * scheduled, so when one of our own has run on each processor, those scheduled before have too.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/interrupt.h>
#include <linux/smp.h>
#include <rdma/ib_user_ioctl_verbs.h>

#include "compat.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
struct passing {
	struct tasklet_struct tasklet;
	struct completion passed;
};

static void pass(struct tasklet_struct *t)
{
	struct passing *p = from_tasklet(p, t, tasklet);

	complete(&p->passed);
}

static void schedule_here(void *tasklet)
{
	tasklet_schedule(tasklet);
}

static void pass_on(int cpu)
{
	struct passing p;

	init_completion(&p.passed);
	tasklet_setup(&p.tasklet, pass);
	if (!smp_call_function_single(cpu, schedule_here, &p.tasklet, 1))
		wait_for_completion(&p.passed);
	tasklet_kill(&p.tasklet);
}

void ndk_compat_settle_cq(struct ib_cq *cq)
{
	int cpu;

	if (cq->device->ops.driver_id != RDMA_DRIVER_RXE)
		return;
	cpus_read_lock();
	for_each_online_cpu(cpu) pass_on(cpu);
	cpus_read_unlock();
}
#else
void ndk_compat_settle_cq(struct ib_cq *cq) {}
#endif
