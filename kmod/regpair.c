// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The two ends of the connection on which memory is registered over iWARP (LNX-19): there a QP is ready
 * to send only while it has a TCP connection, which the CM makes. So the device is connected to itself,
 * at one of its own addresses and at ports the CM picks.
 *
 * Made and ended by regqp.c, with hw held and reg->lock. The CM's handlers hold neither: they note what
 * they hear and wake whoever waits, and the listener's accepts, because the CM wants
 * that inside the handler. No handler destroys an identity but the one it is told to refuse (LNX-5).
 * Every wait has an end: the identities then go, and no handler runs after that.
 */
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <net/net_namespace.h>

#include "objects.h"

#define NDK_PAIR_MS 3000 /* for all steps of one attempt, on one machine */
#define NDK_PAIR_ADDRESSES 8u /* addresses that are tried */

/* bits of pair->heard */
#define HEARD_ADDRESS	 0u
#define HEARD_ROUTE	 1u
#define HEARD_ACTIVE_UP	 2u
#define HEARD_PASSIVE_UP 3u
#define HEARD_FAILURE	 4u /* also when the connection ends later */

struct ndk_regpair {
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct rdma_cm_id *listener; /* until the connection is there */
	struct rdma_cm_id *active;
	struct rdma_cm_id *passive; /* written by the listener's handler */
	u64 secret; /* others may connect to the listener, too */
	unsigned long heard;
	wait_queue_head_t wait;
	unsigned long end; /* in jiffies */
};

static void hear(struct ndk_regpair *pair, unsigned int what)
{
	set_bit(what, &pair->heard);
	wake_up_all(&pair->wait);
}

static int wait_for(struct ndk_regpair *pair, unsigned int what)
{
	unsigned long now = jiffies;
	unsigned long left = time_before(now, pair->end) ? pair->end - now : 1;

	wait_event_timeout(pair->wait,
			   test_bit(what, &pair->heard) || test_bit(HEARD_FAILURE, &pair->heard), left);
	if (test_bit(HEARD_FAILURE, &pair->heard))
		return -ENOTCONN;
	return test_bit(what, &pair->heard) ? 0 : -ETIMEDOUT;
}

/* ---- what the CM says ---- */
static int pair_event(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	struct ndk_regpair *pair = id->context;

	switch (ev->event) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
		hear(pair, HEARD_ADDRESS);
		break;
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
		hear(pair, HEARD_ROUTE);
		break;
	case RDMA_CM_EVENT_ESTABLISHED:
		hear(pair, id == READ_ONCE(pair->active) ? HEARD_ACTIVE_UP : HEARD_PASSIVE_UP);
		break;
	case RDMA_CM_EVENT_ADDR_ERROR:
	case RDMA_CM_EVENT_ROUTE_ERROR:
	case RDMA_CM_EVENT_CONNECT_ERROR:
	case RDMA_CM_EVENT_UNREACHABLE:
	case RDMA_CM_EVENT_REJECTED:
	case RDMA_CM_EVENT_DISCONNECTED:
		hear(pair, HEARD_FAILURE);
		break;
	default: /* removal is dealt with by ib_client.remove */
		break;
	}
	return 0;
}

static int make_qp(struct ndk_regpair *pair, struct rdma_cm_id *id)
{
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.send_cq = pair->cq,
		.recv_cq = pair->cq,
		.cap = { .max_send_wr = 2, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};

	return rdma_create_qp(id, pair->pd, &attr);
}

static bool is_ours(const struct ndk_regpair *pair, const struct rdma_cm_event *ev)
{
	const struct rdma_conn_param *p = &ev->param.conn;

	return p->private_data && p->private_data_len >= sizeof(pair->secret) &&
	       !memcmp(p->private_data, &pair->secret, sizeof(pair->secret));
}

/* A result other than 0 makes the CM destroy the new identity, which refuses the connection. */
static int listener_event(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	struct rdma_conn_param p = { .responder_resources = 1, .initiator_depth = 1 };
	struct ndk_regpair *pair = id->context; /* inherited from the listener */
	int err;

	if (ev->event != RDMA_CM_EVENT_CONNECT_REQUEST)
		return 0;
	if (pair->passive || !is_ours(pair, ev))
		return -ECONNREFUSED;
	err = make_qp(pair, id);
	if (err) {
		hear(pair, HEARD_FAILURE);
		return err;
	}
	id->event_handler = pair_event;
	pair->passive = id; /* from here on its end is the pair's */
	if (rdma_accept(id, &p))
		hear(pair, HEARD_FAILURE);
	return 0;
}

/* ---- making ---- */
static int listen_at(struct ndk_regpair *pair, struct ndk_device *dev, const struct ndk_addr *at)
{
	struct rdma_cm_id *id =
		rdma_create_id(&init_net, listener_event, pair, RDMA_PS_TCP, IB_QPT_RC);
	int err;

	if (IS_ERR(id))
		return PTR_ERR(id);
	pair->listener = id;
	rdma_set_afonly(id, 1);
	err = ndk_cm_bind(dev, id, at);
	return err ? err : rdma_listen(id, 1);
}

static int resolve(struct ndk_regpair *pair, struct ndk_device *dev, const struct ndk_addr *at)
{
	struct sockaddr_storage to = pair->listener->route.addr.src_addr; /* with its port */
	struct rdma_cm_id *id = rdma_create_id(&init_net, pair_event, pair, RDMA_PS_TCP, IB_QPT_RC);
	int err;

	if (IS_ERR(id))
		return PTR_ERR(id);
	WRITE_ONCE(pair->active, id);
	err = ndk_cm_bind(dev, id, at);
	if (!err)
		err = rdma_resolve_addr(id, NULL, (struct sockaddr *)&to, NDK_PAIR_MS);
	if (!err)
		err = wait_for(pair, HEARD_ADDRESS);
	if (!err && id->device != dev->ib)
		err = -ENODEV;
	if (!err)
		err = rdma_resolve_route(id, NDK_PAIR_MS);
	return err ? err : wait_for(pair, HEARD_ROUTE);
}

static int connect(struct ndk_regpair *pair)
{
	struct rdma_conn_param p = {
		.private_data = &pair->secret,
		.private_data_len = sizeof(pair->secret),
		.responder_resources = 1,
		.initiator_depth = 1,
	};
	int err = make_qp(pair, pair->active);

	if (!err)
		err = rdma_connect(pair->active, &p);
	if (!err)
		err = wait_for(pair, HEARD_ACTIVE_UP);
	return err ? err : wait_for(pair, HEARD_PASSIVE_UP);
}

static void end_id(struct rdma_cm_id *id)
{
	if (!id)
		return;
	if (id->qp)
		rdma_destroy_qp(id);
	rdma_destroy_id(id);
}

void ndk_regpair_end(struct ndk_regpair *pair)
{
	/* first: its handler makes the passive end */
	end_id(pair->listener);
	if (pair->active && pair->active->qp)
		rdma_disconnect(pair->active);
	end_id(pair->active);
	end_id(pair->passive);
	if (pair->cq)
		ib_destroy_cq(pair->cq);
	kfree(pair);
}

static struct ndk_regpair *make_at(struct ndk_device *dev, struct ib_pd *pd, const struct ndk_addr *at)
{
	struct ib_cq_init_attr attr = { .cqe = 8 };
	struct ndk_regpair *pair = kzalloc(sizeof(*pair), GFP_KERNEL);
	struct ib_cq *cq;
	int err;

	if (!pair)
		return ERR_PTR(-ENOMEM);
	pair->pd = pd;
	pair->secret = get_random_u64();
	init_waitqueue_head(&pair->wait);
	pair->end = jiffies + msecs_to_jiffies(NDK_PAIR_MS);
	cq = ib_create_cq(dev->ib, NULL, NULL, NULL, &attr);
	err = PTR_ERR_OR_ZERO(cq);
	if (!err)
		pair->cq = cq;
	if (!err)
		err = listen_at(pair, dev, at);
	if (!err)
		err = resolve(pair, dev, at);
	if (!err)
		err = connect(pair);
	if (err) {
		ndk_regpair_end(pair);
		return ERR_PTR(err);
	}
	end_id(pair->listener);
	pair->listener = NULL;
	return pair;
}

struct ndk_regpair *ndk_regpair_make(struct ndk_device *dev, struct ib_pd *pd)
{
	struct ndk_regpair *pair = ERR_PTR(-EADDRNOTAVAIL);
	struct ndk_addr at;
	u32 i;

	for (i = 0; i < NDK_PAIR_ADDRESSES && ndk_addr_get(dev, i, &at); i++) {
		pair = make_at(dev, pd, &at);
		if (!IS_ERR(pair) || PTR_ERR(pair) == -ENOMEM)
			return pair;
	}
	pr_warn_ratelimited("ndk: %s: cannot connect to itself to register memory (error %ld)\n",
			    dev->name, PTR_ERR(pair));
	return pair;
}

/* ---- use ---- */
struct ib_qp *ndk_regpair_qp(const struct ndk_regpair *pair)
{
	return test_bit(HEARD_FAILURE, &pair->heard) ? NULL : pair->active->qp;
}

struct ib_cq *ndk_regpair_cq(const struct ndk_regpair *pair)
{
	return pair->cq;
}
