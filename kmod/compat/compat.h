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
#include <rdma/ib_user_ioctl_verbs.h>
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

/* Returns when a handler that runs has returned. May sleep. */
static inline int ndk_compat_timer_delete_sync(struct timer_list *t)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	return timer_delete_sync(t);
#else
	return del_timer_sync(t);
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define ndk_compat_from_timer(var, timer, field) timer_container_of(var, timer, field)
#else
#define ndk_compat_from_timer(var, timer, field) from_timer(var, timer, field)
#endif

/* A failed request counts as solicited, but not where this is TRUE. Any context. */
static inline bool ndk_compat_failures_unsolicited(const struct ib_device *ib)
{
	return ib->ops.driver_id == RDMA_DRIVER_RXE || ib->ops.driver_id == RDMA_DRIVER_SIW;
}

/* TRUE: a CQ armed for solicited completions hears of no message that was solicited. Any context. */
static inline bool ndk_compat_messages_unsolicited(const struct ib_device *ib)
{
	return ib->ops.driver_id == RDMA_DRIVER_SIW;
}

/*
 * TRUE: whatever it was sending when the connection ended it calls a failure of the request's own, by the same
 * status and the same event as one with a token it refuses (IB_WC_LOC_QP_OP_ERR, IB_EVENT_QP_FATAL). The end
 * of the connection it reports in either case. Any context.
 */
static inline bool ndk_compat_fails_at_end(const struct ib_device *ib)
{
	return ib->ops.driver_id == RDMA_DRIVER_SIW;
}

/* TRUE: over iWARP it takes the answer to a read where the consumer may write, open to the peer or not. Any context. */
static inline bool ndk_compat_sinks_are_local(const struct ib_device *ib)
{
	return ib->ops.driver_id == RDMA_DRIVER_SIW;
}

/*
 * TRUE: closing a connection in order may leave requests in the send queue that nothing flushes any more,
 * and the queue refuses posts from then on. The error state ends the connection just as well and flushes
 * everything. Any context.
 */
static inline bool ndk_compat_closes_by_error(const struct ib_device *ib)
{
	return ib->ops.driver_id == RDMA_DRIVER_SIW;
}

/*
 * iWARP drivers disagree on which of the two read limits of a CM event is whose, and some leave both
 * empty. TRUE: this one reports what the peer says, with the two in the usual places in a request and in
 * each other's in a reply; zero is zero. Any context.
 */
static inline bool ndk_compat_reports_reads(const struct ib_device *ib)
{
	return ib->ops.driver_id == RDMA_DRIVER_SIW;
}

/*
 * Pages that a registration may have, and how many have to be asked for: rxe reads one entry beyond its
 * table when a copy ends with the last page that the table has room for. Any context.
 */
static inline u32 ndk_compat_asked_pages(const struct ib_device *ib, u32 pages)
{
	return pages + (ib->ops.driver_id == RDMA_DRIVER_RXE);
}

static inline u32 ndk_compat_max_pages(const struct ib_device *ib)
{
	return ib->attrs.max_fast_reg_page_list_len - (ib->ops.driver_id == RDMA_DRIVER_RXE);
}

/*
 * TRUE: it reports a request before an earlier read, which is against the order of the queue (ORD-1),
 * unless the request is fenced. Any context.
 */
static inline bool ndk_compat_overtakes_reads(const struct ib_device *ib)
{
	return ib->ops.driver_id == RDMA_DRIVER_SIW;
}

/*
 * Before ib_destroy_cq() of a CQ that gets no completions any more: returns when its completion
 * handler neither runs nor will. May sleep.
 */
void ndk_compat_settle_cq(struct ib_cq *cq);

/*
 * Of a QP with a shared receive queue, in the error state: TRUE when this returns with the receive
 * reported that a message had begun to fill; FALSE when the device tells by an event,
 * IB_EVENT_QP_LAST_WQE_REACHED. May sleep.
 */
bool ndk_compat_settle_begun(struct ib_device *ib);

/*
 * After IB_SRQ_LIMIT has changed: the event of the old one is raised by now, or will not be, on siw and on rxe up to
 * 6.3. May sleep.
 */
void ndk_compat_settle_limit(struct ib_device *ib);

#endif
