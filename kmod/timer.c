// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Deadlines of connectors. Setting and stopping is possible in any context; expiry runs in softirq
 * and goes straight to the core, which neither sleeps nor calls anyone.
 *
 * A set timer holds the box, so the memory cannot go before the handler has returned; the generation
 * lets the core tell a deadline that lost the race against its own stop. Two callers may carry a stop
 * and a set in the wrong order: a stop is older than what it finds set then, and leaves it alone; a
 * set that comes too late fires once for a generation that is no longer asked for.
 */
#include "objects.h"
#include "compat/compat.h"

static void expired(struct timer_list *t)
{
	struct ndk_kconn *kc = ndk_compat_from_timer(kc, t, timer);
	unsigned long flags;
	ULONG generation;
	bool stale;

	spin_lock_irqsave(&kc->id_lock, flags);
	stale = timer_pending(t); /* set again before we got here: the new one will come */
	generation = kc->timer_gen;
	spin_unlock_irqrestore(&kc->id_lock, flags);
	if (!stale)
		ndk_api_deadline(&kc->c, generation);
	ndk_box_put(ndk_box_of(&kc->c.obj));
}

void ndk_timer_init(struct ndk_kconn *kc)
{
	spin_lock_init(&kc->id_lock);
	timer_setup(&kc->timer, expired, 0);
}

void ndk_timer_set(struct ndk_kconn *kc, ULONG generation, ULONG ms)
{
	unsigned long flags;

	spin_lock_irqsave(&kc->id_lock, flags);
	kc->timer_gen = generation;
	if (!mod_timer(&kc->timer, jiffies + msecs_to_jiffies(ms) + 1))
		ndk_box_get(ndk_box_of(&kc->c.obj));
	spin_unlock_irqrestore(&kc->id_lock, flags);
}

void ndk_timer_stop(struct ndk_kconn *kc, ULONG generation)
{
	unsigned long flags;
	int was_set = 0;

	spin_lock_irqsave(&kc->id_lock, flags);
	if ((LONG)(generation - kc->timer_gen) > 0)
		was_set = ndk_compat_timer_delete(&kc->timer);
	spin_unlock_irqrestore(&kc->id_lock, flags);
	if (was_set)
		ndk_box_put(ndk_box_of(&kc->c.obj));
}
