// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * ndk_bench.ko: loading it measures, and fails if that failed; what was measured is in the kernel log,
 * one JSON object a line. It holds nothing afterwards.
 *
 *   insmod ndk_bench.ko work=round_trip device=rxe0 local=10.9.0.1        work=A,B,C: one after the other
 *   insmod ndk_bench.ko work=instructions        on a machine whose clock counts them
 *
 * Parameters are read once, at load.
 */
#define pr_fmt(fmt) "ndk_bench: " fmt

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bench.h"

static char *work = "";
module_param(work, charp, 0444);
MODULE_PARM_DESC(work, "what to measure: workloads, with commas between them, or 'instructions'");
static char *device = "rxe0";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "RDMA device (rxe0)");
static char *local = "10.9.0.1";
module_param(local, charp, 0444);
MODULE_PARM_DESC(local, "its IPv4 address, for both ends (10.9.0.1)");
static ushort port = 7481;
module_param(port, ushort, 0444);
MODULE_PARM_DESC(port, "this port and the next one are listened on (7481)");
static uint pairs = 40;
module_param(pairs, uint, 0444);
MODULE_PARM_DESC(pairs, "samples of each way (40)");
static uint target_ms = 50;
module_param(target_ms, uint, 0444);
MODULE_PARM_DESC(target_ms, "about how long each of them takes (50)");

static bool switches;
module_param(switches, bool, 0444);
MODULE_PARM_DESC(switches, "count how often the machine changes threads, too (no)");

static struct bench_setup setup;
static DECLARE_COMPLETION(over);

static bool is(const char *word, const char *name, size_t length)
{
	return strlen(word) == length && !memcmp(name, word, length);
}

static const struct bench_work *find(const char *name, size_t length)
{
	unsigned int i;

	for (i = 0; i < bench_works_count; i++)
		if (is(bench_works[i].name, name, length))
			return &bench_works[i];
	return NULL;
}

/* Calls fn for each name in `work` until one fails. */
static int each_work(int (*fn)(const char *name, size_t length))
{
	const char *name = work;
	size_t length;
	int err;

	for (;; name += length + 1) {
		length = strcspn(name, ",");
		err = fn(name, length);
		if (err || !name[length])
			return err;
	}
}

static int measure_one(const char *name, size_t length)
{
	const struct bench_work *w = find(name, length);

	return w ? bench_measure(w, &setup, pairs, target_ms) : bench_count(&setup, pairs);
}

static int run(void *result)
{
	*(int *)result = each_work(measure_one);
	complete(&over);
	/* stays until it is joined, so that the module's code is not left by a thread that still returns */
	set_current_state(TASK_IDLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_IDLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* The last processor: the first has the timers and most interrupts. */
static int run_thread(void)
{
	struct task_struct *task;
	int result = -EINTR;

	task = kthread_create(run, &result, "ndk_bench");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpumask_last(cpu_online_mask));
	wake_up_process(task);
	/* in slices: a long run is no hung task */
	while (!wait_for_completion_timeout(&over, 10 * HZ))
		;
	kthread_stop(task);
	return result;
}

static int check_work(const char *name, size_t length)
{
	if (find(name, length) || is("instructions", name, length))
		return 0;
	pr_err("work: there is no '%.*s'\n", (int)length, name);
	return -EINVAL;
}

static int check_parameters(void)
{
	int err = each_work(check_work);

	if (err)
		return err;
	if (!in4_pton(local, -1, (u8 *)&setup.local.sin_addr, -1, NULL)) {
		pr_err("local='%s' is no IPv4 address\n", local);
		return -EINVAL;
	}
	if (!pairs || !target_ms || !port || port == U16_MAX) {
		pr_err("pairs and target_ms are above 0, port below 65535\n");
		return -EINVAL;
	}
	setup.local.sin_family = AF_INET;
	setup.local.sin_port = htons(port);
	setup.device = device;
	return 0;
}

static int __init ndk_bench_init(void)
{
	int err = check_parameters();

	if (!err && switches)
		err = bench_switches_begin();
	if (err)
		return err;
	/* of this size, so aligned to it */
	setup.memory[BENCH_ACTIVE] = kzalloc(BENCH_BULK, GFP_KERNEL);
	setup.memory[BENCH_PASSIVE] = kzalloc(BENCH_BULK, GFP_KERNEL);
	err = setup.memory[BENCH_ACTIVE] && setup.memory[BENCH_PASSIVE] ? run_thread() : -ENOMEM;
	kfree(setup.memory[BENCH_ACTIVE]);
	kfree(setup.memory[BENCH_PASSIVE]);
	bench_switches_end();
	return err;
}

static void __exit ndk_bench_exit(void) {}

module_init(ndk_bench_init);
module_exit(ndk_bench_exit);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("NDKPI measured against rdma_cm and ib_core");
