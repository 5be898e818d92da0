// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Knobs and gauges for other modules: exports what api/control.h declares, and finds its sites.
 * Process context.
 */
#include <linux/export.h>

#include "api/control.h"
#include "device.h"

struct ndk_site *ndk_shell_site_get(const char *name)
{
	struct ndk_device *dev = name ? ndk_device_find(name) : NULL;

	return dev ? &dev->site : NULL;
}

void ndk_shell_site_put(struct ndk_site *s)
{
	ndk_device_put(container_of(s, struct ndk_device, site));
}

struct by_address {
	const struct ndk_addr *addr;
	char *name;
	ULONG size;
	bool found;
};

static void look(struct ndk_device *dev, void *context)
{
	struct by_address *by = context;
	struct ndk_local *l;
	unsigned long flags;

	if (by->found)
		return;
	flags = ndk_kernel_ops.lock(&dev->site.host);
	l = ndk_local_find(&dev->site.host, by->addr);
	by->found = l && !l->gone && strscpy(by->name, dev->name, by->size) >= 0;
	ndk_kernel_ops.unlock(&dev->site.host, flags);
}

BOOLEAN ndk_shell_name_at(const struct ndk_addr *a, char *name, ULONG size)
{
	struct by_address by = { a, name, size };

	ndk_names_each(look, &by);
	return by.found;
}

EXPORT_SYMBOL_GPL(ndk_control_answer);
EXPORT_SYMBOL_GPL(ndk_control_deadline);
EXPORT_SYMBOL_GPL(ndk_control_get_deadline);
EXPORT_SYMBOL_GPL(ndk_control_backlog);
EXPORT_SYMBOL_GPL(ndk_control_live);
EXPORT_SYMBOL_GPL(ndk_control_counters);
EXPORT_SYMBOL_GPL(ndk_control_fail_alloc);
EXPORT_SYMBOL_GPL(ndk_control_allocs);
