/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * One RDMA device as this module sees it: the core's host, and what keeps hardware and consumers
 * apart in time.
 *
 * Locks, outermost first:
 *   hw (sleeps)     held for reading by every worker while it touches the device or the CM; held for
 *                   writing while the device goes away. Whoever holds it may rely on `gone`.
 *   kqp->mutex      one state change of a hardware QP at a time (qp.h)
 *   kqp->post, kqp->take, kcq->lock   data path, see objects.h
 *   lock            the host's lock of the core; innermost but for the box lock; no callback, no verb,
 *                   no CM call under it
 *   part_lock, box->lock   lists only
 * The posting path does not take hw: it reads `gone` inside an RCU read section, and removal waits
 * for such sections after setting it.
 *
 * Life: a reference belongs to the ib_client (until removal), to each open adapter, to each block of
 * object memory, and to whoever looked the device up. Any context may put one.
 */
#ifndef NDK_DEVICE_H
#define NDK_DEVICE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <rdma/ib_verbs.h>

#include "api/shell.h"

/* What has hardware or a CM identity, in the order in which it has to go (an index of ndk_device.part). */
enum ndk_part {
	NDK_PART_LISTENER,
	NDK_PART_CONNECTOR,
	NDK_PART_ENDPOINT,
	NDK_PART_QP,
	NDK_PART_SRQ,
	NDK_PART_MW,
	NDK_PART_MR,
	NDK_PART_CQ,
	NDK_PART_PD,
	NDK_PARTS
};

#define NDK_PORT 1u /* an adapter is the first port of its device */

struct ndk_device {
	struct ndk_site site; /* first member */
	spinlock_t lock; /* the host's lock */
	struct kref ref;
	struct list_head link; /* in the list of devices; empty once removed */
	char name[IB_DEVICE_NAME_MAX]; /* under the lock of the list */
	struct ib_device *ib; /* valid until gone */
	bool gone; /* written with hw held for writing */
	unsigned long drain_end; /* in jiffies; by when removal has drained all QPs */
	struct rw_semaphore hw;
	spinlock_t part_lock;
	struct list_head part[NDK_PARTS];
	struct list_head lams; /* mappings not released, under part_lock */
	struct xarray regions; /* struct ndk_region by rkey >> 8; found inside RCU sections */
	bool going; /* its removal has begun */
	wait_queue_head_t closed; /* an adapter was closed, or the device goes */
	struct dentry *dir; /* in debugfs */
	struct work_struct addr_work;
	struct delayed_work watch; /* of closing that takes long; holds a reference while it is due */
	atomic_t vector; /* next completion vector */
	u64 announced; /* number of the announcement of its arrival, see events.c */
};

static inline struct ndk_device *ndk_device_of(const struct ndk_host *h)
{
	return container_of(h, struct ndk_device, site.host);
}

static inline void ndk_device_hold(struct ndk_device *dev)
{
	kref_get(&dev->ref);
}

void ndk_device_put(struct ndk_device *dev);

/* names.c: by RDMA device name or network interface name; a reference, or NULL. May sleep. */
struct ndk_device *ndk_device_find(const char *name);
void ndk_names_add(struct ndk_device *dev);
void ndk_names_del(struct ndk_device *dev);
void ndk_names_change(struct ndk_device *dev);
/* Calls fn for each device in the list. May sleep. */
void ndk_names_each(void (*fn)(struct ndk_device *dev, void *context), void *context);
/* Its present name. May sleep. */
void ndk_names_copy(struct ndk_device *dev, char *to, size_t size);

/* events.c: tells consumers, later; NDK_ADAPTER_EVENT. May sleep. */
void ndk_events_announce(struct ndk_host *h, int event);
void ndk_events_exit(void);

/* addr.c: the device's own addresses. */
int ndk_addr_init(void);
void ndk_addr_exit(void);
void ndk_addr_start(struct ndk_device *dev); /* may sleep */
void ndk_addr_stop(struct ndk_device *dev); /* may sleep */
/* The n-th of them, if there are so many; port 0. Any context. */
bool ndk_addr_get(struct ndk_device *dev, u32 n, struct ndk_addr *out);
void ndk_addr_settle(struct ndk_device *dev); /* waits for changes already announced; may sleep */
void ndk_addr_free(struct ndk_device *dev); /* any context, nothing else uses dev */
bool ndk_addr_ours(struct ndk_device *dev,
		   struct net_device *ndev); /* process context, ndev held */
struct sockaddr_storage;
void ndk_addr_to_sockaddr(const struct ndk_addr *a, struct sockaddr_storage *out);
bool ndk_addr_from_sockaddr(const struct sockaddr_storage *in, struct ndk_addr *out);

/* device.c */
int ndk_device_init(void);
void ndk_device_exit(void);

/* debugfs.c. May sleep. */
void ndk_debugfs_init(void);
void ndk_debugfs_exit(void);
void ndk_debugfs_add(struct ndk_device *dev);
void ndk_debugfs_change(struct ndk_device *dev); /* it has a new name */
void ndk_debugfs_del(struct ndk_device *dev);

/* params.c: the module's parameters become those of a new host. */
void ndk_params_apply(struct ndk_host *h);
/* After how many milliseconds of closing something is said; 0 never. Any context. */
unsigned int ndk_params_close_warn_ms(void);
void ndk_params_jitter(void); /* for tests: now and then sleeps for a moment */

/* watch.c */
void ndk_watch_init(struct ndk_device *dev);
void ndk_watch_begin(struct ndk_device *dev); /* a close pends; any context */
void ndk_watch_end(struct ndk_device *dev); /* nothing is open; any context */

/* dispatch.c, exec.c */
const VOID *ndk_dispatch_of(NDK_OBJECT_TYPE type);
extern const struct ndk_shell_ops ndk_kernel_ops;

#endif
