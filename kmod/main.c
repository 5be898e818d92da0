// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The module: a ladder of inits and its mirror. An open adapter holds the module, so exit begins
 * when no consumer has anything open.
 */
#include <linux/init.h>
#include <linux/module.h>

#include "box.h"

static int __init ndk_init(void)
{
	int err = ndk_box_init();

	if (err)
		return err;
	ndk_debugfs_init();
	err = ndk_addr_init();
	if (err)
		goto out_box;
	err = ndk_device_init();
	if (err)
		goto out_addr;
	return 0;

out_addr:
	ndk_events_exit();
	ndk_addr_exit();
out_box:
	ndk_debugfs_exit();
	ndk_box_exit();
	return err;
}

static void __exit ndk_exit(void)
{
	ndk_device_exit();
	ndk_events_exit();
	ndk_addr_exit();
	ndk_debugfs_exit();
	ndk_box_exit();
	rcu_barrier(); /* shelves on their way out */
}

module_init(ndk_init);
module_exit(ndk_exit);

MODULE_DESCRIPTION("Network Direct Kernel Provider Interface over ib_core and rdma_cm");
MODULE_AUTHOR("ndkpi for Linux contributors");
MODULE_LICENSE("Dual BSD/GPL");
