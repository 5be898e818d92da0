// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Telling consumers that an adapter came, is to be closed, or went (ndkpi_manage.h).
 *
 * Announcements are queued from any process context and delivered by one worker, which holds
 * `registry` while it calls: so calls come one after the other, and who has deregistered is not in a
 * call. A registration is told at once what is there; `number` keeps it from hearing of the same
 * arrival again from the queue.
 */
#include <linux/export.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <ndkpi/ndkpi_manage.h>

#include "device.h"

struct listener {
	struct list_head link;
	NDK_FN_ADAPTER_EVENT *fn;
	PVOID context;
	u64 since; /* the last announcement before it */
};

struct news {
	struct list_head link;
	u64 number;
	NDK_ADAPTER_EVENT event;
	char name[IB_DEVICE_NAME_MAX];
};

static DEFINE_MUTEX(registry);
static LIST_HEAD(listeners); /* under registry */
static DEFINE_SPINLOCK(queue_lock);
static LIST_HEAD(queue); /* under queue_lock */
static u64 numbers; /* under queue_lock */

static void deliver(const struct news *n)
{
	struct listener *l;

	mutex_lock(&registry);
	list_for_each_entry(l, &listeners, link)
		if (n->number > l->since)
			l->fn(l->context, n->name, n->event);
	mutex_unlock(&registry);
}

static void work(struct work_struct *unused)
{
	struct news *n;

	for (;;) {
		spin_lock(&queue_lock);
		n = list_first_entry_or_null(&queue, struct news, link);
		if (n)
			list_del(&n->link);
		spin_unlock(&queue_lock);
		if (!n)
			return;
		deliver(n);
		kfree(n);
	}
}

static DECLARE_WORK(announcer, work);

void ndk_events_announce(struct ndk_host *h, int event)
{
	struct ndk_device *dev = ndk_device_of(h);
	struct news *n = kzalloc(sizeof(*n), GFP_KERNEL);

	if (!n) {
		pr_warn("ndk: %s: no memory to announce its change\n", dev->name);
		return;
	}
	n->event = event;
	ndk_names_copy(dev, n->name, sizeof(n->name));
	spin_lock(&queue_lock);
	n->number = ++numbers;
	if (event == NdkAdapterArrived)
		dev->announced = n->number;
	list_add_tail(&n->link, &queue);
	spin_unlock(&queue_lock);
	schedule_work(&announcer);
}

/* ---- registration ---- */
struct snapshot {
	struct list_head news;
	u64 upto;
	bool short_of_memory;
};

/* Those whose arrival is not ahead in the queue for the new one. */
static void note(struct ndk_device *dev, void *context)
{
	struct snapshot *s = context;
	struct news *n;
	u64 announced;

	spin_lock(&queue_lock);
	announced = dev->announced;
	spin_unlock(&queue_lock);
	if (!announced || announced > s->upto)
		return;
	n = kzalloc(sizeof(*n), GFP_KERNEL);
	if (!n) {
		s->short_of_memory = true;
		return;
	}
	strscpy(n->name, dev->name, sizeof(n->name));
	list_add_tail(&n->link, &s->news);
}

static void tell(struct listener *l, struct snapshot *s)
{
	struct news *n, *next;

	list_for_each_entry_safe(n, next, &s->news, link) {
		if (l)
			l->fn(l->context, n->name, NdkAdapterArrived);
		kfree(n);
	}
}

NTSTATUS NdkRegisterAdapterEvents(NDK_FN_ADAPTER_EVENT *Event, PVOID Context, PVOID *pRegistration)
{
	struct snapshot s = { .news = LIST_HEAD_INIT(s.news) };
	struct listener *l;

	if (!Event || !pRegistration)
		return STATUS_INVALID_PARAMETER;
	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return STATUS_INSUFFICIENT_RESOURCES;
	l->fn = Event;
	l->context = Context;
	mutex_lock(&registry);
	spin_lock(&queue_lock);
	l->since = numbers;
	spin_unlock(&queue_lock);
	s.upto = l->since;
	ndk_names_each(note, &s);
	if (!s.short_of_memory)
		list_add_tail(&l->link, &listeners);
	tell(s.short_of_memory ? NULL : l, &s);
	mutex_unlock(&registry);
	if (s.short_of_memory) {
		kfree(l);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	__module_get(THIS_MODULE);
	*pRegistration = l;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(NdkRegisterAdapterEvents);

VOID NdkDeregisterAdapterEvents(PVOID Registration)
{
	struct listener *l = Registration;

	if (!l)
		return;
	mutex_lock(&registry);
	list_del(&l->link);
	mutex_unlock(&registry);
	kfree(l);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_GPL(NdkDeregisterAdapterEvents);

/* Nobody is registered any more: each holds the module. */
void ndk_events_exit(void)
{
	flush_work(&announcer);
}

EXPORT_SYMBOL_GPL(NdkProviderCharacteristics);
EXPORT_SYMBOL_GPL(NdkQueryAttributes);
EXPORT_SYMBOL_GPL(NdkSetState);
EXPORT_SYMBOL_GPL(NdkQueryConnections);
EXPORT_SYMBOL_GPL(NdkQueryLocalEndpoints);
EXPORT_SYMBOL_GPL(NdkQueryStatistics);
EXPORT_SYMBOL_GPL(NdkQueryAddresses);
EXPORT_SYMBOL_GPL(NdkFindAdapter);
