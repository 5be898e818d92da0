// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Listeners at the connection manager, and the connection requests they receive. Starting and
 * stopping runs in the listener's lane with hw held; requests come under the handler mutexes of the
 * listening and of the new identity, in process context.
 *
 * A refused request is answered inside the handler as if nobody listened (LNX-22), and the
 * non-zero result makes the CM destroy the new identity. iWARP cannot tell the peer a reason.
 */
#include <net/ipv6.h>
#include <net/net_namespace.h>

#include "objects.h"

static int refuse(struct rdma_cm_id *id, bool iwarp)
{
	if (!iwarp)
		rdma_reject(id, NULL, 0, NDK_REJ_INVALID_SERVICE_ID);
	return -ECONNREFUSED;
}

/* The core never heard of it. */
static void drop_conn(struct ndk_device *dev, struct ndk_kconn *kc)
{
	ndk_kernel_ops.free(&dev->site.host, &kc->c.obj);
}

static struct ndk_kconn *make_conn(struct ndk_device *dev)
{
	struct ndk_host *h = &dev->site.host;
	struct ndk_kconn *kc;

	if (ndk_api_alloc_fails(h))
		return NULL;
	kc = (struct ndk_kconn *)ndk_kernel_ops.alloc(h, NdkObjectTypeConnector, 0, 0);
	if (!kc)
		return NULL;
	if (!ndk_api_alloc_fails(h))
		kc->c.data = ndk_kernel_ops.alloc_data(h);
	if (!kc->c.data) {
		drop_conn(dev, kc);
		return NULL;
	}
	return kc;
}

/* The request's own header has no scope; both ends of a link-local connection are on the listener's link. */
static void give_scope(const struct rdma_cm_id *id, struct ndk_addr *a)
{
	struct in6_addr v6;

	if (a->family != NDK_FAMILY_V6 || a->scope)
		return;
	memcpy(&v6, a->ip, sizeof(v6));
	if (ipv6_addr_type(&v6) & IPV6_ADDR_LINKLOCAL)
		a->scope = id->route.addr.dev_addr.bound_dev_if;
}

static void describe(struct rdma_cm_id *id, const struct rdma_cm_event *ev, struct ndk_cm_request *r)
{
	memset(r, 0, sizeof(*r));
	ndk_addr_from_sockaddr(&id->route.addr.src_addr, &r->local);
	ndk_addr_from_sockaddr(&id->route.addr.dst_addr, &r->remote);
	give_scope(id, &r->local);
	give_scope(id, &r->remote);
	r->data = ev->param.conn.private_data;
	r->data_len = r->data ? ev->param.conn.private_data_len : 0;
	ndk_cm_limits(id, ev, &r->peer_in, &r->peer_out);
}

static int request(struct ndk_klistener *kl, struct rdma_cm_id *id, const struct rdma_cm_event *ev)
{
	struct ndk_device *dev = ndk_box_of(&kl->l.obj)->dev;
	bool iwarp = dev->site.host.transport == NDK_TRANSPORT_IWARP;
	struct ndk_cm_request r;
	struct ndk_kconn *kc;

	/* a wildcard hears requests of every device */
	if (READ_ONCE(dev->gone) || id->device != READ_ONCE(dev->ib))
		return refuse(id, iwarp);
	kc = make_conn(dev);
	if (!kc)
		return refuse(id, iwarp);
	describe(id, ev, &r);
	/* complete before the core may hand it to the consumer, who may answer or close at once */
	kc->id = id;
	id->context = kc;
	id->event_handler = ndk_cm_event;
	ndk_box_part(ndk_box_of(&kc->c.obj), NDK_PART_CONNECTOR);
	if (ndk_api_request(&kl->l, &kc->c, &r) == NDK_DELIVERED)
		return 0;
	ndk_box_unpart(ndk_box_of(&kc->c.obj));
	drop_conn(dev, kc);
	return refuse(id, iwarp);
}

static int listen_event(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	struct ndk_klistener *kl = id->context;

	ndk_params_jitter();
	if (ev->event == RDMA_CM_EVENT_CONNECT_REQUEST)
		return request(kl, id, ev);
	return 0; /* removal: ib_client.remove destroys the identity */
}

static int start(struct ndk_klistener *kl, struct ndk_device *dev)
{
	struct rdma_cm_id *id;
	int err;

	if (dev->gone)
		return -ENODEV;
	if (ndk_api_alloc_fails(&dev->site.host))
		return -ENOMEM;
	id = rdma_create_id(&init_net, listen_event, kl, RDMA_PS_TCP, IB_QPT_RC);
	if (IS_ERR(id))
		return PTR_ERR(id);
	rdma_set_afonly(id, 1); /* wildcards of the two families do not meet */
	err = ndk_cm_bind(dev, id, &kl->l.ep.addr);
	if (!err)
		/* who waits for an answer is counted by the core, which refuses the next; the CM would only forget it */
		err = rdma_listen(id, max(READ_ONCE(dev->site.host.backlog), (ULONG)NDK_DEFAULT_BACKLOG));
	if (err) {
		rdma_destroy_id(id);
		return err;
	}
	kl->id = id;
	ndk_box_part(ndk_box_of(&kl->l.obj), NDK_PART_LISTENER);
	return 0;
}

void ndk_listen_start(struct ndk_klistener *kl)
{
	ndk_api_listener_answer(&kl->l, start(kl, ndk_box_of(&kl->l.obj)->dev));
}

void ndk_listen_stop(struct ndk_klistener *kl)
{
	struct rdma_cm_id *id = kl->id;

	kl->id = NULL;
	ndk_box_unpart(ndk_box_of(&kl->l.obj));
	if (id)
		rdma_destroy_id(id);
}
