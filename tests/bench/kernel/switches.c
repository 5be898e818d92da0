// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * How often the machine changed threads, by a probe on the scheduler's tracepoint: what connections cost
 * beyond their instructions. Begun and ended by the module's loader; read in any context.
 */
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "bench.h"

static DEFINE_PER_CPU(u64, switches);
static struct tracepoint *point;

static void look(struct tracepoint *t, void *found)
{
	if (!strcmp(t->name, "sched_switch"))
		*(struct tracepoint **)found = t;
}

/* With preemption off. */
static void changed(void *data, bool preempt, struct task_struct *prev, struct task_struct *next,
		    unsigned int prev_state)
{
	__this_cpu_inc(switches);
}

int bench_switches_begin(void)
{
	int err;

	for_each_kernel_tracepoint(look, &point);
	if (!point)
		return -ENOENT;
	err = tracepoint_probe_register(point, changed, NULL);
	if (err)
		point = NULL;
	return err;
}

void bench_switches_end(void)
{
	if (!point)
		return;
	tracepoint_probe_unregister(point, changed, NULL);
	tracepoint_synchronize_unregister();
}

u64 bench_switches(void)
{
	u64 all = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		all += READ_ONCE(*per_cpu_ptr(&switches, cpu));
	return all;
}
