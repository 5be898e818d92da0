// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * What the core asks of its host when something is worth telling: broken invariants warn once, with a
 * stack; transitions go to the dynamic debug log. Any context, also under the host's lock.
 */
#define pr_fmt(fmt) "ndk: " fmt

#include <linux/bug.h>
#include <linux/printk.h>

#include "device.h"

void ndk_port_bug(const char *what, const char *file, int line)
{
	WARN_ONCE(1, "ndk: %s:%d: broken: %s\n", file, line, what);
}

void ndk_port_trace(const struct ndk_obj *obj, const char *machine, const char *from,
		    const char *event, const char *to)
{
	pr_debug("%s %u: %s %s + %s -> %s\n", ndk_type_name(obj->type), obj->id, machine, from,
		 event, to);
}

void ndk_port_illegal(const struct ndk_obj *obj, const char *machine, const char *state,
		      const char *event)
{
	WARN_ONCE(1, "ndk: %s %u: %s has no row for %s in %s\n", ndk_type_name(obj->type), obj->id,
		  machine, event, state);
}
