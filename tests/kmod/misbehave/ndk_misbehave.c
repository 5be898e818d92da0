// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * ndk_misbehave.ko does on purpose what the debug kernel has to notice, one thing per load, in the context
 * of the loading process: `insmod ndk_misbehave.ko how=leak`. debug_self.guest.sh loads it to see that the
 * checkers are awake; nothing else may. It uses none of our code, and each misdeed is arranged so that the
 * machine survives it.
 */
#define pr_fmt(fmt) "ndk_misbehave: " fmt

#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *how = "nothing";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "what to do (nothing)");

static void do_nothing(void)
{
}

/* Several, for a stale pointer on some stack can hide one. */
static void do_leak(void)
{
	void *lost;
	int i;

	for (i = 0; i < 10; i++) {
		lost = kzalloc(100, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(lost);
	}
}

static void do_sleep(void)
{
	static DEFINE_SPINLOCK(lock);
	void *block;

	spin_lock(&lock);
	block = kmalloc(100, GFP_KERNEL);
	spin_unlock(&lock);
	kfree(block);
}

static void do_use_after_free(void)
{
	char *block = kzalloc(100, GFP_KERNEL);
	char *gone = block;

	OPTIMIZER_HIDE_VAR(gone);
	kfree(block);
	pr_info("read %d\n", READ_ONCE(*gone));
}

static void do_shift(void)
{
	int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	pr_info("shifted %d\n", 1 << bits);
}

static void do_list(void)
{
	static LIST_HEAD(list);
	static struct list_head entry;

	list_add(&entry, &list);
	list_del(&entry);
	list_del(&entry);
}

static void expired(struct timer_list *timer)
{
}

/* The checker stops the timer, so that it never runs in freed memory. */
static void do_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, expired, 0);
	mod_timer(timer, jiffies + 60 * HZ);
	kfree(timer);
}

/* Nobody waits here, but the two orders together can deadlock. */
static void do_deadlock(void)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);

	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);
	mutex_lock(&b);
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&b);
}

static const struct {
	const char *name;
	void (*fn)(void);
} misdeeds[] = {
	{ "nothing", do_nothing }, { "leak", do_leak },	  { "sleep", do_sleep }, { "use-after-free", do_use_after_free },
	{ "shift", do_shift },	   { "list", do_list },	  { "timer", do_timer }, { "deadlock", do_deadlock },
};

static int __init misbehave_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(misdeeds); i++) {
		if (!strcmp(how, misdeeds[i].name)) {
			misdeeds[i].fn();
			return 0;
		}
	}
	pr_err("there is no misdeed '%s'\n", how);
	return -EINVAL;
}

static void __exit misbehave_exit(void)
{
}

module_init(misbehave_init);
module_exit(misbehave_exit);

MODULE_DESCRIPTION("Provokes the checkers of a debug kernel");
MODULE_LICENSE("Dual BSD/GPL");
