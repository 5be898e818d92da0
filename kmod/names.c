// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The list of devices, and how to find one by name: that of the RDMA device, or that of a network
 * interface it serves. Process context.
 */
#include <linux/mutex.h>
#include <linux/netdevice.h>

#include "device.h"

static DEFINE_MUTEX(ndk_names_lock);
static LIST_HEAD(ndk_names);

void ndk_names_add(struct ndk_device *dev)
{
	mutex_lock(&ndk_names_lock);
	list_add_tail(&dev->link, &ndk_names);
	mutex_unlock(&ndk_names_lock);
}

void ndk_names_del(struct ndk_device *dev)
{
	mutex_lock(&ndk_names_lock);
	list_del_init(&dev->link);
	mutex_unlock(&ndk_names_lock);
}

void ndk_names_change(struct ndk_device *dev)
{
	mutex_lock(&ndk_names_lock);
	strscpy(dev->name, dev_name(&dev->ib->dev), sizeof(dev->name));
	mutex_unlock(&ndk_names_lock);
}

void ndk_names_copy(struct ndk_device *dev, char *to, size_t size)
{
	mutex_lock(&ndk_names_lock);
	strscpy(to, dev->name, size);
	mutex_unlock(&ndk_names_lock);
}

void ndk_names_each(void (*fn)(struct ndk_device *dev, void *context), void *context)
{
	struct ndk_device *dev;

	mutex_lock(&ndk_names_lock);
	list_for_each_entry(dev, &ndk_names, link)
		fn(dev, context);
	mutex_unlock(&ndk_names_lock);
}

static struct ndk_device *find_by_device(const char *name)
{
	struct ndk_device *dev;

	list_for_each_entry(dev, &ndk_names, link)
		if (!strcmp(dev->name, name))
			return dev;
	return NULL;
}

static struct ndk_device *find_by_interface(const char *name)
{
	struct net_device *ndev = dev_get_by_name(&init_net, name);
	struct ndk_device *dev, *found = NULL;

	if (!ndev)
		return NULL;
	list_for_each_entry(dev, &ndk_names, link) {
		if (!ndk_addr_ours(dev, ndev))
			continue;
		found = dev;
		break;
	}
	dev_put(ndev);
	return found;
}

struct ndk_device *ndk_device_find(const char *name)
{
	struct ndk_device *dev;

	mutex_lock(&ndk_names_lock);
	dev = find_by_device(name);
	if (!dev)
		dev = find_by_interface(name);
	if (dev)
		ndk_device_hold(dev);
	mutex_unlock(&ndk_names_lock);
	return dev;
}
