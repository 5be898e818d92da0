// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * What the administrator sees and sets of each device: /sys/kernel/debug/ndk/DEVICE/enabled. Process
 * context; debugfs keeps a file's device from going while someone reads or writes it.
 *
 * Reading tells the state, and what a disabling waits for. Writing 1 enables. Writing 0 disables and
 * returns at once: what is open goes on until it is closed (MGMT-4). 0 with a number of milliseconds
 * waits so long for that, and fails with EBUSY if it was too short; the adapter stays disabled.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <ndkpi/ndkpi_manage.h>

#include "device.h"

#define NDK_MAX_WAIT_MS 3600000u

static struct dentry *ndk_root;

static const char *state_of(const struct ndk_host *h, u32 open)
{
	if (h->forbidden)
		return "forbidden";
	if (!h->disabled)
		return "enabled";
	return open ? "disabling" : "disabled";
}

static int enabled_show(struct seq_file *m, void *unused)
{
	struct ndk_device *dev = m->private;
	struct ndk_host *h = &dev->site.host;
	u32 live[NdkObjectTypeMax];
	unsigned long flags;
	unsigned int i;

	flags = ndk_kernel_ops.lock(h);
	memcpy(live, h->live, sizeof(live));
	ndk_kernel_ops.unlock(h, flags);
	seq_printf(m, "%s\n", state_of(h, live[NdkObjectTypeAdapter]));
	for (i = 0; h->disabled && i < NdkObjectTypeMax; i++)
		if (live[i])
			seq_printf(m, "open: %u %s\n", live[i], ndk_type_name(i));
	return 0;
}

static int enabled_open(struct inode *inode, struct file *file)
{
	return single_open(file, enabled_show, inode->i_private);
}

/* Removal waits for us, and its consumers may take their time to close. */
static bool over(struct ndk_device *dev)
{
	return READ_ONCE(dev->going) || !READ_ONCE(dev->site.host.live[NdkObjectTypeAdapter]);
}

static int wait_closed(struct ndk_device *dev, unsigned int ms)
{
	long left;

	left = wait_event_interruptible_timeout(dev->closed, over(dev), msecs_to_jiffies(ms));
	if (left < 0)
		return left;
	if (READ_ONCE(dev->going))
		return -ENODEV;
	return left ? 0 : -EBUSY;
}

static ssize_t enabled_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct ndk_device *dev = file_inode(file)->i_private;
	unsigned int on, ms = 0;
	char text[32] = {}, name[IB_DEVICE_NAME_MAX];
	int fields, err;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, len))
		return -EFAULT;
	fields = sscanf(text, "%u %u", &on, &ms);
	if (fields < 1 || on > 1 || ms > NDK_MAX_WAIT_MS || (on && fields > 1))
		return -EINVAL;
	ndk_names_copy(dev, name, sizeof(name));
	switch (NdkSetState(name, on, NULL)) {
	case STATUS_SUCCESS:
		break;
	case STATUS_INVALID_DEVICE_STATE:
		return -EPERM;
	default:
		return -ENODEV;
	}
	err = fields > 1 ? wait_closed(dev, ms) : 0;
	return err ? err : len;
}

static const struct file_operations enabled_ops = {
	.owner = THIS_MODULE,
	.open = enabled_open,
	.read = seq_read,
	.write = enabled_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* No debugfs is no misfortune: none of these fails. A name cannot change while its device is added. */
void ndk_debugfs_add(struct ndk_device *dev)
{
	dev->dir = debugfs_create_dir(dev->name, ndk_root);
	debugfs_create_file("enabled", 0644, dev->dir, dev, &enabled_ops);
}

void ndk_debugfs_change(struct ndk_device *dev)
{
	char name[IB_DEVICE_NAME_MAX];

	ndk_names_copy(dev, name, sizeof(name));
	if (!IS_ERR_OR_NULL(dev->dir))
		debugfs_rename(ndk_root, dev->dir, ndk_root, name);
}

/* Waits for those who read or write: dev->going has ended a wait for adapters to be closed. */
void ndk_debugfs_del(struct ndk_device *dev)
{
	debugfs_remove_recursive(dev->dir);
	dev->dir = NULL;
}

void ndk_debugfs_init(void)
{
	ndk_root = debugfs_create_dir("ndk", NULL);
}

void ndk_debugfs_exit(void)
{
	debugfs_remove_recursive(ndk_root);
}
