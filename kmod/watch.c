// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Closing that takes long: once per object a line in the kernel log that names it and what it waits for.
 * A close pends for as long as its consumer keeps a successor open, or the device has not answered; who
 * waits for it finds out here which it is.
 *
 * While any close pends, the device's objects are looked at every close_warn_ms (params.c). An object found
 * closing twice, so far apart, is told of; that is after one to two such times. Begun under the host's lock,
 * in any context; the looking is done by a worker, in process context, under the host's lock.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "objects.h"

#define NDK_TOLD_AT_ONCE 4u /* lines of one look; the others follow with the next */
#define NDK_NAMED	 3u /* successors that are named */

/* What the line says, copied under the lock. */
struct late {
	u8 type;
	u32 id;
	u32 refs[NDK_REF_KINDS];
	unsigned int named;
	struct {
		u8 type;
		u32 id;
	} successor[NDK_NAMED];
};

static bool depends(const struct ndk_obj *o, const struct ndk_obj *on)
{
	unsigned int i;

	for (i = 0; i < o->parents; i++)
		if (o->parent[i] == on)
			return true;
	return &o->adapter->obj == on;
}

static void name_successors(struct late *l, struct ndk_adapter *a, const struct ndk_obj *of)
{
	struct ndk_link *i;
	struct ndk_obj *o;

	for (i = a->objects.next; i != &a->objects && l->named < NDK_NAMED; i = i->next) {
		o = NDK_CONTAINER(i, struct ndk_obj, sibling);
		if (!depends(o, of))
			continue;
		l->successor[l->named].type = o->type;
		l->successor[l->named++].id = o->id;
	}
}

/* TRUE: it has not been told of and is to be looked at again. */
static bool look(struct ndk_obj *o, struct ndk_adapter *a, unsigned long since, struct late *late, unsigned int *n)
{
	struct ndk_box *box = ndk_box_of(o);
	struct late *l = &late[*n];

	if (o->life <= NDK_LIFE_LIVE || box->told)
		return false;
	if (!box->closing) {
		box->closing = jiffies | 1; /* 0 is for one that was not seen closing */
		return true;
	}
	if (time_after(box->closing, since) || *n == NDK_TOLD_AT_ONCE)
		return true;
	box->told = true;
	memset(l, 0, sizeof(*l));
	l->type = o->type;
	l->id = o->id;
	memcpy(l->refs, o->refs, sizeof(l->refs));
	name_successors(l, a, o);
	++*n;
	return false;
}

/* TRUE: there is more to look at. */
static bool look_at_all(struct ndk_host *h, unsigned int ms, struct late *late, unsigned int *n)
{
	unsigned long since = jiffies - msecs_to_jiffies(ms) / 2; /* works do not start to the tick */
	struct ndk_link *i, *j;
	struct ndk_adapter *a;
	unsigned long flags;
	bool more = false;

	flags = ndk_kernel_ops.lock(h);
	for (i = h->adapters.next; i != &h->adapters; i = i->next) {
		a = NDK_CONTAINER(i, struct ndk_adapter, link);
		more |= look(&a->obj, a, since, late, n);
		for (j = a->objects.next; j != &a->objects; j = j->next)
			more |= look(NDK_CONTAINER(j, struct ndk_obj, sibling), a, since, late, n);
	}
	ndk_kernel_ops.unlock(h, flags);
	return more;
}

static void tell(struct ndk_device *dev, const struct late *l, unsigned int ms)
{
	char device[IB_DEVICE_NAME_MAX], names[96] = "";
	unsigned int i;
	size_t at = 0;

	for (i = 0; i < l->named; i++)
		at += scnprintf(names + at, sizeof(names) - at, "%s%s %u", i ? ", " : ": ",
				ndk_type_name(l->successor[i].type), l->successor[i].id);
	ndk_names_copy(dev, device, sizeof(device));
	pr_warn("ndk: %s: closing %s %u takes more than %u ms; it waits for %u open successors%s%s, %u requests, %u callbacks, %u works of the device\n",
		device, ndk_type_name(l->type), l->id, ms, l->refs[NDK_REF_CHILD], names,
		l->refs[NDK_REF_CHILD] > l->named && l->named ? ", ..." : "", l->refs[NDK_REF_REQUEST],
		l->refs[NDK_REF_CALLBACK], l->refs[NDK_REF_WORK]);
}

static void watch(struct work_struct *work)
{
	struct ndk_device *dev = container_of(to_delayed_work(work), struct ndk_device, watch);
	unsigned int ms = ndk_params_close_warn_ms(), n = 0, i;
	struct late late[NDK_TOLD_AT_ONCE];
	bool more = ms && look_at_all(&dev->site.host, ms, late, &n);

	for (i = 0; i < n; i++)
		tell(dev, &late[i], ms);
	if (more)
		ndk_watch_begin(dev);
	ndk_device_put(dev);
}

void ndk_watch_init(struct ndk_device *dev)
{
	INIT_DELAYED_WORK(&dev->watch, watch);
}

void ndk_watch_begin(struct ndk_device *dev)
{
	unsigned int ms = ndk_params_close_warn_ms();

	if (!ms || delayed_work_pending(&dev->watch))
		return;
	ndk_device_hold(dev);
	if (!ndk_box_later(&dev->watch, msecs_to_jiffies(ms)))
		ndk_device_put(dev);
}

void ndk_watch_end(struct ndk_device *dev)
{
	if (cancel_delayed_work(&dev->watch))
		ndk_device_put(dev);
}
