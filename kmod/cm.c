// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Connections at the connection manager: the steps a connector asks for. All of them run in the
 * connector's lane with hw held, so two steps of one connector never meet; what the CM has to say
 * arrives in cm_event.c.
 *
 * The QP is not attached to the identity (id->qp stays NULL), because the CM would confirm the
 * connection by itself as soon as the peer accepts, and would force it into the error state before a
 * disconnect or on a rejection; we move the QP and confirm with rdma_accept(id, NULL) when the
 * consumer says so (LNX-1, LNX-2). An identity whose own request or reply is
 * still unanswered is never rejected, only destroyed: rejecting one makes the destruction wait for
 * minutes, and the peer is told just the same.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <net/net_namespace.h>

#include "objects.h"
#include "compat/compat.h"

#define NDK_RETRIES	    7 /* of the transport */
#define NDK_TAKEN_MS	    1000 /* of trying while the addresses seem to be in use */
#define NDK_UNKNOWN_MS	    500 /* of trying while the device does not know its address */
#define NDK_REST_MS	    10

static struct ndk_device *dev_of(const struct ndk_kconn *kc)
{
	return ndk_box_of(&kc->c.obj)->dev;
}

void ndk_cm_fail(struct ndk_kconn *kc, enum ndk_cm_event what, int err)
{
	struct ndk_cm_news n = { .event = what, .err = err };

	ndk_api_cm(&kc->c, &n);
}

/*
 * An address that has just come is in our list a moment before or after it is in the device's, which another work
 * queue fills.
 */
static int bind_soon(struct ndk_device *dev, struct rdma_cm_id *id, struct sockaddr *addr)
{
	unsigned long until = jiffies + msecs_to_jiffies(NDK_UNKNOWN_MS);
	int err;

	while ((err = rdma_bind_addr(id, addr)) == -ENODEV && !READ_ONCE(dev->going) && time_before(jiffies, until))
		msleep(NDK_REST_MS);
	return err;
}

int ndk_cm_bind(struct ndk_device *dev, struct rdma_cm_id *id, const struct ndk_addr *a)
{
	struct sockaddr_storage addr;
	int err;

	ndk_addr_to_sockaddr(a, &addr);
	err = bind_soon(dev, id, (struct sockaddr *)&addr);
	if (err)
		return err;
	/* a wildcard belongs to no device yet; anything else must have led to ours */
	if (!ndk_addr_any(a) && id->device != dev->ib)
		return -ENODEV;
	return 0;
}

/* ---- active side ---- */
static struct rdma_cm_id *make_id(struct ndk_kconn *kc)
{
	struct rdma_cm_id *id;

	if (ndk_api_alloc_fails(kc->c.obj.host))
		return ERR_PTR(-ENOMEM);
	/* a new one for every attempt: one that was refused cannot be used again (LNX-4) */
	id = rdma_create_id(&init_net, ndk_cm_event, kc, RDMA_PS_TCP, IB_QPT_RC);
	if (!IS_ERR(id) && kc->c.shared)
		rdma_set_reuseaddr(id, 1); /* LNX-12 */
	return id;
}

void ndk_cm_connect(struct ndk_kconn *kc)
{
	struct ndk_device *dev = dev_of(kc);
	struct sockaddr_storage to;
	struct rdma_cm_id *id;
	int err;

	kc->asked = false; /* of an earlier attempt: what fails before this one asks costs no receives */
	if (dev->gone) {
		ndk_cm_fail(kc, NDK_CM_LOCAL_ERROR, -ENODEV);
		return;
	}
	id = make_id(kc);
	if (IS_ERR(id)) {
		ndk_cm_fail(kc, NDK_CM_LOCAL_ERROR, PTR_ERR(id));
		return;
	}
	kc->id = id;
	ndk_box_part(ndk_box_of(&kc->c.obj), NDK_PART_CONNECTOR);
	err = ndk_cm_bind(dev, id, &kc->c.local);
	if (err) {
		ndk_cm_fail(kc, NDK_CM_BIND_ERROR, err);
		return;
	}
	err = ndk_route_check(&kc->c.local, &kc->c.remote);
	if (err) {
		ndk_cm_fail(kc, NDK_CM_ROUTE_ERROR, err);
		return;
	}
	ndk_addr_to_sockaddr(&kc->c.remote, &to);
	err = rdma_resolve_addr(id, NULL, (struct sockaddr *)&to,
				READ_ONCE(dev->site.host.time_ms[NDK_TIME_RESOLVE]));
	if (err)
		ndk_cm_fail(kc, NDK_CM_ADDR_ERROR, err);
}

/*
 * Software iWARP leaves the end of a connection to TCP, which for a moment may still be about it when the next one
 * between the same addresses begins; ours is the table that says whether they are taken (EP-5).
 */
static int ask(struct ndk_kconn *kc, struct rdma_conn_param *p)
{
	unsigned long until = jiffies + msecs_to_jiffies(NDK_TAKEN_MS);
	bool patient = kc->c.obj.host->transport == NDK_TRANSPORT_IWARP;
	int err;

	while ((err = rdma_connect(kc->id, p)) == -EADDRNOTAVAIL && patient && time_before(jiffies, until) &&
	       !READ_ONCE(dev_of(kc)->going)) {
		msleep(NDK_REST_MS);
		if (READ_ONCE(kc->c.state) != NDK_CONN_CONNECTING)
			break; /* given up or closed meanwhile: nothing may go out any more */
	}
	return err;
}

/* In the lane and not in the CM's handler: over iWARP this is a whole TCP connect. */
void ndk_cm_routed(struct ndk_kconn *kc)
{
	struct rdma_conn_param p = {
		.flow_control = 1,
		.retry_count = NDK_RETRIES,
		.rnr_retry_count = NDK_RNR_TRIES,
	};
	struct ndk_kqp *kqp = (struct ndk_kqp *)kc->c.qp;
	int err;

	if (!kc->id || !kqp)
		return; /* torn down meanwhile */
	p.qp_num = ndk_qp_number(kqp);
	if (!p.qp_num) {
		ndk_cm_fail(kc, NDK_CM_LOCAL_ERROR, -ENODEV);
		return;
	}
	p.private_data = kc->c.data->out;
	p.private_data_len = kc->c.data->out_len;
	p.responder_resources = kc->c.want_in;
	p.initiator_depth = kc->c.want_out;
	err = ask(kc, &p);
	kc->asked = !err;
	if (err)
		ndk_cm_fail(kc, NDK_CM_CONNECT_ERROR, err);
}

static int move_and_confirm(struct ndk_kconn *kc, struct ndk_kqp *kqp, struct rdma_conn_param *p)
{
	int err;

	rdma_lock_handler(kc->id); /* rdma_accept() wants it; rdma_connect() takes it itself (LNX-6) */
	mutex_lock(&kqp->mutex);
	ndk_qp_settle(kqp);
	err = kqp->ib ? ndk_qp_move_rts(kqp, kc->id, kc->c.eff_in, kc->c.eff_out) : -ENODEV;
	mutex_unlock(&kqp->mutex);
	/* the CM finds memory for the message atomically, so this is where it is scarce first */
	if (!err && ndk_api_alloc_fails(kc->c.obj.host))
		err = -ENOMEM;
	if (!err)
		err = rdma_accept(kc->id, p);
	/* before a handler can bring the answer to it: that the peer has left again comes after this (CMPL-6, DISC-6) */
	if (!err && kc->c.active)
		ndk_cm_fail(kc, NDK_CM_ESTABLISHED, 0);
	rdma_unlock_handler(kc->id);
	return err;
}

void ndk_cm_complete(struct ndk_kconn *kc)
{
	struct ndk_kqp *kqp = (struct ndk_kqp *)kc->c.qp;
	int err = kc->id && kqp ? 0 : -ENODEV;

	/* two-way handshake: connected since the peer's reply (LNX-3) */
	if (!err && kc->c.obj.host->transport == NDK_TRANSPORT_IWARP)
		ndk_cm_fail(kc, NDK_CM_ESTABLISHED, 0);
	else if (!err)
		err = move_and_confirm(kc, kqp, NULL);
	if (err)
		ndk_cm_fail(kc, NDK_CM_STEP_FAILED, err);
}

/* ---- passive side ---- */
void ndk_cm_accept(struct ndk_kconn *kc)
{
	struct ndk_kqp *kqp = (struct ndk_kqp *)kc->c.qp;
	struct rdma_conn_param p = {
		.flow_control = 1,
		.rnr_retry_count = NDK_RNR_TRIES,
	};
	int err;

	p.qp_num = kc->id && kqp ? ndk_qp_number(kqp) : 0;
	if (!p.qp_num) {
		ndk_cm_fail(kc, NDK_CM_STEP_FAILED, -ENODEV);
		return;
	}
	p.private_data = kc->c.data->out;
	p.private_data_len = kc->c.data->out_len;
	p.responder_resources = kc->c.eff_in;
	p.initiator_depth = kc->c.eff_out;
	err = move_and_confirm(kc, kqp, &p);
	if (err)
		ndk_cm_fail(kc, NDK_CM_STEP_FAILED, err);
}

/* ---- both sides ---- */
void ndk_cm_reject(struct ndk_kconn *kc)
{
	bool iwarp = kc->c.obj.host->transport == NDK_TRANSPORT_IWARP;

	if (!kc->id)
		return;
	if (iwarp && kc->c.active)
		rdma_disconnect(
			kc->id); /* connected already; the data cannot be delivered (LNX-3) */
	else
		rdma_reject(kc->id, kc->c.data->out, kc->c.data->out_len, NDK_REJ_CONSUMER_DEFINED);
}

void ndk_cm_disconnect(struct ndk_kconn *kc)
{
	struct ndk_kqp *kqp = (struct ndk_kqp *)kc->c.qp;
	bool wait;

	spin_lock_irq(&kc->id_lock);
	wait = kc->early && !kc->heard;
	kc->parting = wait;
	spin_unlock_irq(&kc->id_lock);
	if (!kc->id || wait)
		return;
	if (kqp && ndk_compat_closes_by_error(dev_of(kc)->ib))
		ndk_qp_to_error(kqp);
	rdma_disconnect(kc->id); /* our notice, or the answer to the peer's; both when they cross (LNX-14) */
}

void ndk_cm_drop(struct ndk_kconn *kc)
{
	struct rdma_cm_id *id;

	spin_lock_irq(&kc->id_lock);
	id = kc->id;
	kc->id = NULL;
	spin_unlock_irq(&kc->id_lock);
	ndk_box_unpart(ndk_box_of(&kc->c.obj));
	if (id)
		rdma_destroy_id(id); /* no handler runs any more when this returns */
}

/* The QP first, so that nothing is sent or received any more once the peer hears of it. */
void ndk_cm_teardown(struct ndk_kconn *kc, bool flush)
{
	struct ndk_kqp *kqp = flush ? (struct ndk_kqp *)kc->c.qp : NULL;

	if (kqp)
		ndk_qp_to_error(kqp);
	ndk_cm_drop(kc);
	if (kqp)
		ndk_qp_drain_hw(kqp);
	else if (kc->asked && kc->c.qp && kc->c.obj.host->transport == NDK_TRANSPORT_IWARP)
		ndk_qp_revive((struct ndk_kqp *)kc->c.qp);
}

/*
 * The peer's first message is as good as its confirmation, which may be late or lost (LNX-15). The CM is
 * not told: rdma_notify() races with a peer that leaves at once, and then the CM forgets to cancel its
 * reply, for which a later destruction waits a minute. It finds out by itself, because the peer answers
 * the repeated reply with a repeated confirmation; till then it cannot disconnect.
 */
void ndk_cm_comm_est(struct ndk_kconn *kc)
{
	bool early;

	spin_lock_irq(&kc->id_lock);
	early = kc->id && !kc->c.active && !kc->heard;
	kc->early = kc->early || early;
	spin_unlock_irq(&kc->id_lock);
	/* also if it has been noted before: who noted it may not have told the core yet */
	if (early)
		ndk_cm_fail(kc, NDK_CM_ESTABLISHED, 0);
}
