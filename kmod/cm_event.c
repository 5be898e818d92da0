// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * What the connection manager has to say about a connector. Process context, under the identity's
 * handler mutex, on work queues the whole system shares: so it copies, tells the core and returns.
 * It never destroys an identity (a teardown in the lane does, LNX-5) and takes no lock of the device
 * but the host's.
 */
#include "objects.h"
#include "compat/compat.h"

/* Effective limits are minima, so "unknown" is the largest. */
#define NDK_READS_ANY 255u

/* Of an iWARP driver we do not know: the smaller non-zero one is safe for both directions. */
static ULONG iwarp_reads(const struct rdma_conn_param *p)
{
	ULONG a = p->responder_resources;
	ULONG b = p->initiator_depth;

	if (!a || !b)
		return a + b ? a + b : NDK_READS_ANY;
	return min(a, b);
}

void ndk_cm_limits(const struct rdma_cm_id *id, const struct rdma_cm_event *ev, ULONG *peer_in, ULONG *peer_out)
{
	const struct rdma_conn_param *p = &ev->param.conn;
	bool request = ev->event == RDMA_CM_EVENT_CONNECT_REQUEST;

	*peer_in = p->initiator_depth; /* LNX-8 */
	*peer_out = p->responder_resources;
	if (!rdma_protocol_iwarp(id->device, NDK_PORT))
		return;
	if (!ndk_compat_reports_reads(id->device))
		*peer_in = *peer_out = iwarp_reads(p);
	else if (!request)
		swap(*peer_in, *peer_out);
}

static void tell(struct ndk_kconn *kc, const struct rdma_cm_id *id, enum ndk_cm_event what,
		 const struct rdma_cm_event *ev)
{
	struct ndk_cm_news n = {
		.event = what,
		.err = ev->status,
		.data = ev->param.conn.private_data,
		.data_len = ev->param.conn.private_data ? ev->param.conn.private_data_len : 0,
	};

	ndk_cm_limits(id, ev, &n.peer_in, &n.peer_out);
	ndk_api_cm(&kc->c, &n);
}

static void addr_resolved(struct ndk_kconn *kc, struct rdma_cm_id *id)
{
	struct ndk_device *dev = ndk_box_of(&kc->c.obj)->dev;
	int err = -ENODEV;

	if (id->device == READ_ONCE(dev->ib))
		err = rdma_resolve_route(id, READ_ONCE(dev->site.host.time_ms[NDK_TIME_RESOLVE]));
	if (err)
		ndk_cm_fail(kc, NDK_CM_ROUTE_ERROR, err);
}

/* Notes that the CM has the connection. */
static void hear(struct ndk_kconn *kc)
{
	unsigned long flags;
	bool parting;

	spin_lock_irqsave(&kc->id_lock, flags);
	kc->heard = true;
	parting = kc->parting;
	kc->parting = false;
	spin_unlock_irqrestore(&kc->id_lock, flags);
	if (parting)
		ndk_box_step(ndk_box_of(&kc->c.obj), NDK_STEP_LEAVE);
}

int ndk_cm_event(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	struct ndk_kconn *kc = id->context;
	bool iwarp = kc->c.obj.host->transport == NDK_TRANSPORT_IWARP;

	ndk_params_jitter();
	switch (ev->event) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
		addr_resolved(kc, id);
		break;
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
		ndk_box_step(ndk_box_of(&kc->c.obj), NDK_STEP_ROUTED);
		break;
	case RDMA_CM_EVENT_ADDR_ERROR:
		ndk_cm_fail(kc, NDK_CM_ADDR_ERROR, ev->status);
		break;
	case RDMA_CM_EVENT_ROUTE_ERROR:
		ndk_cm_fail(kc, NDK_CM_ROUTE_ERROR, ev->status);
		break;
	case RDMA_CM_EVENT_CONNECT_RESPONSE:
		tell(kc, id, NDK_CM_RESPONSE, ev);
		break;
	case RDMA_CM_EVENT_ESTABLISHED:
		hear(kc);
		/*
		 * iWARP knows no response: to the active side this is it (LNX-3). A message may have told of the
		 * connection before; twice does no harm.
		 */
		tell(kc, id, iwarp && kc->c.active ? NDK_CM_RESPONSE : NDK_CM_ESTABLISHED, ev);
		break;
	case RDMA_CM_EVENT_CONNECT_ERROR:
		ndk_cm_fail(kc, NDK_CM_CONNECT_ERROR, ev->status);
		break;
	case RDMA_CM_EVENT_UNREACHABLE:
		ndk_cm_fail(kc, NDK_CM_UNREACHABLE, ev->status);
		break;
	case RDMA_CM_EVENT_REJECTED:
		tell(kc, id, NDK_CM_REJECTED, ev);
		break;
	case RDMA_CM_EVENT_DISCONNECTED:
		ndk_qp_before_end(kc); /* what came before it has to be known before it */
		hear(kc);
		/* the peer's notice, its answer to ours, or no answer: the core's state tells which (LNX-13) */
		ndk_cm_fail(kc, NDK_CM_DISCONNECTED, ev->status);
		break;
	default:
		/* removal is dealt with by ib_client.remove; the rest says nothing we act on */
		break;
	}
	return 0;
}
