// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The local addresses of a device: the IP addresses of the network interfaces it serves. Notifiers
 * may come in atomic context, so they only ask for a scan; a scan takes RTNL and makes the core's
 * list equal to what it finds. The initial network namespace is the only one (software devices know
 * no other).
 */
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/inetdevice.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>

#include "device.h"
#include "compat/compat.h"

/* ---- addresses and sockaddrs ---- */
void ndk_addr_to_sockaddr(const struct ndk_addr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (a->family == NDK_FAMILY_V4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(a->port);
		memcpy(&v4->sin_addr, a->ip, sizeof(v4->sin_addr));
	} else {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(a->port);
		v6->sin6_scope_id = a->scope;
		memcpy(&v6->sin6_addr, a->ip, sizeof(v6->sin6_addr));
	}
}

bool ndk_addr_from_sockaddr(const struct sockaddr_storage *in, struct ndk_addr *out)
{
	return ndk_addr_parse(in, sizeof(*in), out);
}

/* ---- whose interface is it ---- */
/*
 * The port's own interface, a VLAN on it, or the bond it belongs to; on InfiniBand an IPoIB interface
 * of the same parent.
 */
bool ndk_addr_ours(struct ndk_device *dev, struct net_device *ndev)
{
	struct net_device *port;
	bool ours = false;

	if (READ_ONCE(dev->gone))
		return false;
	if (rdma_protocol_ib(dev->ib, NDK_PORT))
		return ndev->type == ARPHRD_INFINIBAND && ndev->dev.parent == dev->ib->dev.parent &&
		       ndev->dev_port + 1 == NDK_PORT;
	port = ndk_compat_port_netdev(dev->ib, NDK_PORT);
	if (!port)
		return false;
	rcu_read_lock();
	if (ndev == port)
		ours = true;
	else if (is_vlan_dev(ndev))
		ours = vlan_dev_real_dev(ndev) == port;
	else
		ours = netdev_master_upper_dev_get_rcu(port) == ndev;
	rcu_read_unlock();
	dev_put(port);
	return ours;
}

/* ---- a scan ---- */
/* What a scan found, before the core hears of it. */
struct scan {
	struct ndk_link found; /* struct ndk_local */
};

static struct ndk_local *find(const struct ndk_link *list, const struct ndk_addr *a)
{
	struct ndk_local *l;
	struct ndk_link *i;

	for (i = list->next; i != list; i = i->next) {
		l = NDK_CONTAINER(i, struct ndk_local, link);
		if (ndk_addr_same_ip(&l->addr, a))
			return l;
	}
	return NULL;
}

static void found(struct scan *s, const struct ndk_addr *a, gfp_t gfp)
{
	struct ndk_local *l;

	if (find(&s->found, a))
		return;
	l = kzalloc(sizeof(*l), gfp);
	if (!l)
		return; /* the next scan may have more luck */
	l->addr = *a;
	ndk_link_add(&s->found, &l->link);
}

static void scan_v4(struct scan *s, struct net_device *ndev)
{
	struct in_device *in = __in_dev_get_rtnl(ndev);
	const struct in_ifaddr *ifa;
	struct ndk_addr a;

	if (!in)
		return;
	in_dev_for_each_ifa_rtnl(ifa, in)
	{
		memset(&a, 0, sizeof(a));
		a.family = NDK_FAMILY_V4;
		memcpy(a.ip, &ifa->ifa_local, sizeof(ifa->ifa_local));
		found(s, &a, GFP_KERNEL);
	}
}

#if IS_ENABLED(CONFIG_IPV6)
/* Addresses whose uniqueness is still being checked count: nobody tells when the check is over. */
static void scan_v6(struct scan *s, struct net_device *ndev)
{
	struct inet6_dev *in6 = __in6_dev_get(ndev);
	const struct inet6_ifaddr *ifa;
	struct ndk_addr a;

	if (!in6)
		return;
	read_lock_bh(&in6->lock);
	list_for_each_entry(ifa, &in6->addr_list, if_list) {
		if (ifa->flags & IFA_F_DADFAILED)
			continue;
		memset(&a, 0, sizeof(a));
		a.family = NDK_FAMILY_V6;
		memcpy(a.ip, &ifa->addr, sizeof(ifa->addr));
		if (ipv6_addr_type(&ifa->addr) & IPV6_ADDR_LINKLOCAL)
			a.scope = ndev->ifindex;
		found(s, &a, GFP_ATOMIC);
	}
	read_unlock_bh(&in6->lock);
}
#else
static void scan_v6(struct scan *s, struct net_device *ndev) {}
#endif

/*
 * Makes the core's list equal to what was found, in one step, so that an address that stays is never
 * missed. One that left stays hidden while an endpoint still holds a port of it.
 */
static void settle(struct ndk_device *dev, struct scan *s)
{
	struct ndk_host *h = &dev->site.host;
	struct ndk_link *i, *next;
	struct ndk_local *l;

	for (i = h->locals.next; i != &h->locals; i = next) {
		next = i->next;
		l = NDK_CONTAINER(i, struct ndk_local, link);
		l->gone = !find(&s->found, &l->addr);
		if (l->gone && ndk_local_idle(l)) {
			ndk_link_del(i);
			kfree(l);
		}
	}
	for (i = s->found.next; i != &s->found; i = next) {
		struct ndk_addr a;

		next = i->next;
		l = NDK_CONTAINER(i, struct ndk_local, link);
		if (find(&h->locals, &l->addr))
			continue;
		a = l->addr;
		ndk_link_del(i);
		ndk_local_add(h, l, &a, get_random_u32());
	}
}

static void drop_list(struct ndk_link *list)
{
	struct ndk_link *i;

	while (!ndk_link_empty(list)) {
		i = list->next;
		ndk_link_del(i);
		kfree(NDK_CONTAINER(i, struct ndk_local, link));
	}
}

static void scan_device(struct ndk_device *dev)
{
	struct net_device *ndev;
	struct scan s;

	ndk_link_init(&s.found);
	rtnl_lock();
	for_each_netdev(&init_net, ndev)
	{
		if (!ndk_addr_ours(dev, ndev))
			continue;
		scan_v4(&s, ndev);
		scan_v6(&s, ndev);
	}
	spin_lock_irq(&dev->lock);
	settle(dev, &s);
	spin_unlock_irq(&dev->lock);
	rtnl_unlock();
	drop_list(&s.found);
}

bool ndk_addr_get(struct ndk_device *dev, u32 n, struct ndk_addr *out)
{
	struct ndk_host *h = &dev->site.host;
	const struct ndk_local *l;
	unsigned long flags;
	struct ndk_link *i;
	bool got = false;

	spin_lock_irqsave(&dev->lock, flags);
	for (i = h->locals.next; i != &h->locals && !got; i = i->next) {
		l = NDK_CONTAINER(i, struct ndk_local, link);
		if (l->gone || n--)
			continue;
		*out = l->addr;
		got = true;
	}
	spin_unlock_irqrestore(&dev->lock, flags);
	if (got)
		out->port = 0;
	return got;
}

/* ---- when to scan ---- */
static void device_work(struct work_struct *work)
{
	scan_device(container_of(work, struct ndk_device, addr_work));
}

static void ask_device(struct ndk_device *dev, void *unused)
{
	schedule_work(&dev->addr_work);
}

static void all_work(struct work_struct *work)
{
	ndk_names_each(ask_device, NULL);
}

static DECLARE_WORK(ndk_addr_all, all_work);

static int changed(struct notifier_block *nb, unsigned long event, void *data)
{
	schedule_work(&ndk_addr_all);
	return NOTIFY_DONE;
}

static struct notifier_block ndk_v4_notifier = { .notifier_call = changed };
static struct notifier_block ndk_v6_notifier = { .notifier_call = changed };

void ndk_addr_start(struct ndk_device *dev)
{
	INIT_WORK(&dev->addr_work, device_work);
	scan_device(dev);
}

void ndk_addr_settle(struct ndk_device *dev)
{
	flush_work(&ndk_addr_all);
	flush_work(&dev->addr_work);
}

/* The device is out of the list of names: nobody asks for a scan any more, once this one is over. */
void ndk_addr_stop(struct ndk_device *dev)
{
	cancel_work_sync(&dev->addr_work);
}

void ndk_addr_free(struct ndk_device *dev)
{
	drop_list(&dev->site.host.locals);
}

int ndk_addr_init(void)
{
	int err = register_inetaddr_notifier(&ndk_v4_notifier);

	if (err)
		return err;
	err = register_inet6addr_notifier(&ndk_v6_notifier);
	if (err)
		unregister_inetaddr_notifier(&ndk_v4_notifier);
	return err;
}

void ndk_addr_exit(void)
{
	unregister_inet6addr_notifier(&ndk_v6_notifier);
	unregister_inetaddr_notifier(&ndk_v4_notifier);
	cancel_work_sync(&ndk_addr_all);
}
