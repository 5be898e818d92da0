/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What differs between kernels. Written for 6.1; the only place that looks at LINUX_VERSION_CODE.
 * Anyone in the shell may include it; each helper says in which context it may be called.
 */
#ifndef NDK_COMPAT_H
#define NDK_COMPAT_H

#include <linux/netdevice.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <rdma/ib_verbs.h>

/*
 * The network device under a port, with a reference, or NULL. May sleep.
 * Before 6.12 the core's own helper is not exported: drivers either have an operation for it or
 * leave the device in the port's data.
 */
static inline struct net_device *ndk_compat_port_netdev(struct ib_device *ib, u32 port)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return ib_device_get_netdev(ib, port);
#else
	struct net_device *ndev;

	if (ib->ops.get_netdev)
		return ib->ops.get_netdev(ib, port);
	rcu_read_lock();
	ndev = rcu_dereference(ib->port_data[port].netdev);
	if (ndev)
		dev_hold(ndev);
	rcu_read_unlock();
	return ndev;
#endif
}

/* Any context; does not wait for a handler that runs. */
static inline int ndk_compat_timer_delete(struct timer_list *t)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	return timer_delete(t);
#else
	return del_timer(t);
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define ndk_compat_from_timer(var, timer, field) timer_container_of(var, timer, field)
#else
#define ndk_compat_from_timer(var, timer, field) from_timer(var, timer, field)
#endif

/*
 * Before ib_destroy_cq() of a CQ that gets no completions any more: returns when its completion
 * handler neither runs nor will. May sleep.
 */
void ndk_compat_settle_cq(struct ib_cq *cq);

#endif
