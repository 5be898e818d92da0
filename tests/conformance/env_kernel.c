// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The environment of cases in the kernel (K). The parameters say which devices and addresses to use;
 * their defaults are those of the test machine. Time is real. One lock, taken with interrupts off,
 * guards what callbacks record; one wait queue serves all signals.
 */
#define pr_fmt(fmt) "ndk_conformance: " fmt

#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/inet.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/umh.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "env.h"
#include "world.h"

static char *dev = "rxe0";
module_param(dev, charp, 0444);
MODULE_PARM_DESC(dev, "device of adapter 0 (rxe0)");
static char *dev2 = "";
module_param(dev2, charp, 0444);
MODULE_PARM_DESC(dev2, "device of adapter 1 (default: that of adapter 0)");
static char *addr4 = "10.9.0.1";
module_param(addr4, charp, 0444);
MODULE_PARM_DESC(addr4, "IPv4 address of adapter 0 (10.9.0.1)");
static char *addr6 = "fd09::1";
module_param(addr6, charp, 0444);
MODULE_PARM_DESC(addr6, "IPv6 address of adapter 0 (fd09::1)");
static char *addr4_2 = "";
module_param(addr4_2, charp, 0444);
MODULE_PARM_DESC(addr4_2, "IPv4 address of adapter 1 (default: that of adapter 0)");
static char *addr6_2 = "";
module_param(addr6_2, charp, 0444);
MODULE_PARM_DESC(addr6_2, "IPv6 address of adapter 1 (default: that of adapter 0)");
static bool iwarp;
module_param(iwarp, bool, 0444);
MODULE_PARM_DESC(iwarp, "the devices speak iWARP (N)");

/* Addresses with a defect; an empty one is not there, and cases that want it are skipped. */
static char *no_route = "203.0.113.9";
module_param(no_route, charp, 0444);
MODULE_PARM_DESC(no_route, "address of a network to which there is no route (203.0.113.9)");
static char *no_neighbour = "";
module_param(no_neighbour, charp, 0444);
MODULE_PARM_DESC(no_neighbour, "address on the link that does not resolve (none)");
static char *silent = "10.9.0.250";
module_param(silent, charp, 0444);
MODULE_PARM_DESC(silent, "address that resolves and never answers (10.9.0.250)");
static char *foreign = "10.9.0.77";
module_param(foreign, charp, 0444);
MODULE_PARM_DESC(foreign, "address that no adapter has (10.9.0.77)");
static char *other = "10.9.1.1";
module_param(other, charp, 0444);
MODULE_PARM_DESC(other, "address of another adapter of this machine (10.9.1.1)");

static unsigned int scale = 100;
module_param(scale, uint, 0444);
MODULE_PARM_DESC(scale, "per cent to which waits, deadlines and rests are stretched (100)");

static char *remove = "";
module_param(remove, charp, 0444);
MODULE_PARM_DESC(remove, "program with its arguments that removes the device of adapter 0 (none: it stays)");
static char *readd = "";
module_param(readd, charp, 0444);
MODULE_PARM_DESC(readd, "program with its arguments that adds it again");

static DEFINE_SPINLOCK(record_lock);
static DEFINE_SPINLOCK(signal_lock);
static DEFINE_SPINLOCK(counter_lock);
static DECLARE_WAIT_QUEUE_HEAD(signalled);
static long blocks;
static u64 random_state;
static bool removed; /* the device is gone at present */
static unsigned int trouble; /* ENV_TROUBLE_*, in this case */

static const char *or_first(const char *second, const char *first)
{
	return *second ? second : first;
}

/* ---- where ---- */

unsigned conf_place(void)
{
	return NDK_ON_K;
}

BOOLEAN conf_iwarp(void)
{
	return iwarp;
}

UINT64 conf_random(void)
{
	/* splitmix64 */
	u64 z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

const char *conf_adapter_name(unsigned which)
{
	return which > 1 ? NULL : which ? or_first(dev2, dev) : dev;
}

static ULONG parse(const char *text, USHORT port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (in4_pton(text, -1, (u8 *)&in->sin_addr, -1, NULL)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	if (in6_pton(text, -1, (u8 *)&in6->sin6_addr, -1, NULL)) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return sizeof(*in6);
	}
	pr_info("# '%s' is not an address\n", text);
	return 0;
}

ULONG conf_address(unsigned which, enum conf_family family, USHORT port, struct sockaddr_storage *out)
{
	if (family == NDK_V4)
		return parse(which ? or_first(addr4_2, addr4) : addr4, port, out);
	return parse(which ? or_first(addr6_2, addr6) : addr6, port, out);
}

BOOLEAN conf_bad(enum conf_bad_address kind, USHORT port, struct sockaddr_storage *out, ULONG *len)
{
	const char *const texts[] = { no_route, no_neighbour, silent, foreign, other };
	const char *text = texts[kind];

	*len = *text ? parse(text, port, out) : 0;
	return *len != 0;
}

/* ---- waiting ---- */

static ULONG stretched(ULONG ms)
{
	return (ULONG)((u64)ms * scale / 100);
}

void conf_signal_init(struct conf_signal *s)
{
	s->count = 0;
}

void conf_signal(struct conf_signal *s)
{
	unsigned long flags;

	spin_lock_irqsave(&signal_lock, flags);
	s->count++;
	spin_unlock_irqrestore(&signal_lock, flags);
	wake_up_all(&signalled);
}

static bool take(struct conf_signal *s)
{
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&signal_lock, flags);
	taken = s->count > 0;
	s->count -= taken;
	spin_unlock_irqrestore(&signal_lock, flags);
	return taken;
}

BOOLEAN conf_wait(struct conf_signal *s, ULONG timeout_ms)
{
	return wait_event_timeout(signalled, take(s), msecs_to_jiffies(stretched(timeout_ms))) != 0;
}

void conf_sleep(ULONG ms)
{
	msleep(ms);
}

ULONG conf_patient_ms(ULONG ms)
{
	return stretched(ms);
}

UINT64 conf_now_us(void)
{
	return ktime_to_us(ktime_get());
}

void conf_settle(void)
{
	msleep(stretched(30));
}

BOOLEAN conf_nap(void)
{
	usleep_range(50, 200);
	return TRUE;
}

void conf_stall(ULONG us)
{
	for (; us > 1000; us -= 1000)
		udelay(1000);
	udelay(us);
}

struct spawned {
	void (*fn)(PVOID);
	PVOID arg;
	struct completion done;
};

static int spawned_run(void *data)
{
	struct spawned *s = data;

	s->fn(s->arg);
	kthread_complete_and_exit(&s->done, 0);
}

PVOID conf_spawn(void (*fn)(PVOID), PVOID arg)
{
	struct spawned *s = conf_alloc(sizeof(*s));

	s->fn = fn;
	s->arg = arg;
	init_completion(&s->done);
	if (!IS_ERR(kthread_run(spawned_run, s, "ndk_conformance")))
		return s;
	conf_free(s);
	return NULL;
}

void conf_join(PVOID thread)
{
	struct spawned *s = thread;

	if (!s)
		return;
	wait_for_completion(&s->done);
	conf_free(s);
}

unsigned long conf_lock(void)
{
	unsigned long flags;

	spin_lock_irqsave(&record_lock, flags);
	return flags;
}

void conf_unlock(unsigned long flags)
{
	spin_unlock_irqrestore(&record_lock, flags);
}

/* ---- memory ---- */

PVOID conf_alloc(SIZE_T size)
{
	/* Small ones are asked for in callbacks and under the lock; kmalloc aligns a page by itself. */
	void *p = size <= PAGE_SIZE ? kzalloc(size, GFP_ATOMIC | __GFP_NOWARN) : vzalloc(size);

	if (!p)
		env_out_of_memory("a block");
	env_add(&blocks, 1);
	return p;
}

void conf_free(PVOID p)
{
	if (p)
		env_add(&blocks, -1);
	kvfree(p);
}

long conf_blocks(void)
{
	return env_add(&blocks, 0);
}

void conf_atomic(void (*fn)(PVOID), PVOID arg)
{
	local_bh_disable();
	fn(arg);
	local_bh_enable();
}

BOOLEAN conf_masked(void (*fn)(PVOID), PVOID arg)
{
	unsigned long flags;

	if (env_locks_sleep())
		return FALSE;
	local_irq_save(flags);
	fn(arg);
	local_irq_restore(flags);
	return TRUE;
}

/* ---- faults: a kernel has none to offer ---- */

BOOLEAN conf_fault_drop(unsigned from, ULONG messages, ULONG count)
{
	return FALSE;
}

BOOLEAN conf_fault_duplicate(unsigned from, ULONG messages, ULONG count, ULONG late_ms)
{
	return FALSE;
}

BOOLEAN conf_fault_delay(unsigned from, ULONG messages, ULONG count, ULONG late_ms)
{
	return FALSE;
}

BOOLEAN conf_fault_clear(void)
{
	return FALSE;
}

BOOLEAN conf_callbacks_within(BOOLEAN within)
{
	return FALSE;
}

BOOLEAN conf_silence(unsigned which, BOOLEAN on)
{
	return FALSE;
}

BOOLEAN conf_partition(BOOLEAN cut)
{
	return FALSE;
}

BOOLEAN conf_kill(unsigned which)
{
	return FALSE;
}

/* A program of the machine we are in, waited for. TRUE if it succeeded. */
static bool run(const char *command)
{
	static char *envp[] = { "HOME=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	char **argv = argv_split(GFP_KERNEL, command, NULL);
	int status = -ENOMEM;

	if (argv && argv[0])
		status = call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
	argv_free(argv);
	if (status)
		pr_info("# '%s' failed with %d\n", command, status);
	return !status;
}

/* There are programs for one device: with a second, adapter 1 cannot be removed. */
BOOLEAN conf_remove(unsigned which)
{
	if (!*remove || !*readd || (which && *dev2))
		return FALSE;
	removed = run(remove);
	trouble |= removed ? ENV_TROUBLE_DEVICE : 0;
	return removed;
}

BOOLEAN conf_return(unsigned which)
{
	if (!removed || (which && *dev2))
		return FALSE;
	removed = !run(readd);
	return !removed;
}

BOOLEAN conf_cq_fault(NDK_CQ *cq)
{
	return FALSE;
}

BOOLEAN conf_srq_fault(NDK_SRQ *srq)
{
	return FALSE;
}

/* ---- for the runner and the monitors ---- */

unsigned env_troubles(void)
{
	return trouble;
}

/* A softirq runs in somebody's name, who cannot give way meanwhile. */
UINT64 env_mark(void)
{
	return env_locks_sleep() ? 0 : current->nvcsw;
}

BOOLEAN env_locks_sleep(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_RT);
}

long env_foreign_reads(void)
{
	return 0;
}

BOOLEAN env_read_foreign(unsigned n)
{
	return FALSE;
}

/* What a case may have changed and the fabric would have anew. */
static const ULONG defaults[NDK_TIME_KINDS] = { NDK_DEFAULT_RESOLVE_MS, NDK_DEFAULT_CONNECT_MS,
						NDK_DEFAULT_ACCEPT_MS, NDK_DEFAULT_DISCONNECT_MS };

BOOLEAN env_begin(UINT64 seed)
{
	const char *name;
	unsigned int which;
	int i;

	random_state = seed;
	trouble = 0;
	for (which = 0; which < 2; which++) {
		name = conf_adapter_name(which);
		if (ndk_control_answer(name, NDK_ANSWER_NATURAL)) {
			pr_info("# there is no NDK device %s\n", name);
			return FALSE;
		}
		for (i = 0; i < NDK_TIME_KINDS; i++)
			ndk_control_deadline(name, i, stretched(defaults[i]));
		ndk_control_backlog(name, NDK_DEFAULT_BACKLOG);
		ndk_control_fail_alloc(name, 0, 0);
	}
	return TRUE;
}

void env_end(void)
{
	world_end();
	if (removed)
		conf_return(0); /* a case that failed in between */
	cond_resched();
}

void env_print(const char *line)
{
	pr_info("%s\n", line);
}

long env_add(long *counter, long by)
{
	unsigned long flags;
	long value;

	spin_lock_irqsave(&counter_lock, flags);
	value = *counter += by;
	spin_unlock_irqrestore(&counter_lock, flags);
	return value;
}

void env_out_of_memory(const char *what)
{
	panic("ndk_conformance: out of memory for %s", what);
}
