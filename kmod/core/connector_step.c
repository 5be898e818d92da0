/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * One step of a connector: looks the row up and turns its acts into effects. The only writer of
 * ndk_connector.state. Under the host's lock.
 *
 * The order of the acts is fixed and matters: relations and addresses are given back before a
 * request ends, so that a retry from inside the callback finds them free (U-46); the request ends
 * before the disconnect event is raised (U-18).
 */
#include "connector.h"
#include "hooks.h"

#define ACT(name) (step.acts & NDK_CONN_ACT(name))

static void work(struct ndk_connector *c, enum ndk_effect_kind kind, ULONG arg, struct ndk_fx *fx)
{
	ndk_ref_get(&c->obj, NDK_REF_WORK);
	ndk_fx_add(fx, kind, &c->obj)->arg = arg;
}

static void timer_set(struct ndk_connector *c, enum ndk_deadline which, struct ndk_fx *fx)
{
	struct ndk_effect *e = ndk_fx_add(fx, NDK_FX_TIMER_SET, &c->obj);

	e->arg = ++c->timer_gen;
	e->number = c->obj.host->time_ms[which];
}

static void timers(struct ndk_connector *c, struct ndk_step step, struct ndk_fx *fx)
{
	if (ACT(TIME_STOP)) {
		/* the generation lets a shell ignore a stop that arrives after the next deadline was set */
		c->timer_gen++;
		ndk_fx_add(fx, NDK_FX_TIMER_STOP, &c->obj)->arg = c->timer_gen;
	}
	if (ACT(TIME_CONNECT))
		timer_set(c, NDK_TIME_CONNECT, fx);
	if (ACT(TIME_COMPLETE) || ACT(TIME_ACCEPT))
		timer_set(c, NDK_TIME_ACCEPT, fx);
	if (ACT(TIME_DISCONNECT))
		timer_set(c, NDK_TIME_DISCONNECT, fx);
}

static void up(struct ndk_connector *c, struct ndk_fx *fx)
{
	struct ndk_counters *n = &c->obj.host->count;

	c->was_up = 1;
	n->active++;
	if (c->active)
		n->connect++;
	else
		n->accept++;
	c->qp->can_read = c->eff_out != 0;
	ndk_qp_step(c->qp, NDK_QP_EV_CONNECT, fx);
}

static void down(struct ndk_connector *c, struct ndk_fx *fx)
{
	if (c->was_up) {
		c->was_up = 0;
		c->obj.host->count.active--;
	}
	c->event_over = 1;
	if (c->qp)
		ndk_qp_step(c->qp, NDK_QP_EV_END, fx);
}

static void teardown(struct ndk_connector *c, struct ndk_fx *fx)
{
	/* a QP that the handshake never touched keeps its receives and can be connected again (CONN-24) */
	BOOLEAN flush = c->qp && c->engaged;

	if (flush)
		ndk_qp_step(c->qp, NDK_QP_EV_END, fx);
	work(c, NDK_FX_CM_TEARDOWN, flush, fx);
}

static void untie(struct ndk_connector *c, struct ndk_fx *fx)
{
	struct ndk_host *h = c->obj.host;

	ndk_ep_give(h, &c->ep);
	ndk_tuple_give(h, &c->tuple);
	if (c->qp) {
		ndk_qp_step(c->qp, NDK_QP_EV_UNTIE, fx);
		if (c->qp->state == NDK_QP_IDLE && !ndk_obj_live(&c->qp->obj))
			ndk_qp_step(c->qp, NDK_QP_EV_END, fx); /* closed meanwhile, never connected (U-23) */
		c->qp->conn = (struct ndk_connector *)0;
	}
}

/*
 * A failed attempt ends: the relations end for reuse now, for closing when the callback returned
 * (U-24), so the references move into the effect.
 */
static void loosen(struct ndk_connector *c, ULONG before, struct ndk_fx *fx)
{
	struct ndk_obj *on[2];
	struct ndk_effect *e = (struct ndk_effect *)0;
	unsigned i;

	on[0] = c->qp ? &c->qp->obj : (struct ndk_obj *)0;
	on[1] = c->shared ? &c->shared->obj : (struct ndk_obj *)0;
	c->qp = (struct ndk_qp *)0;
	c->shared = (struct ndk_shared *)0;
	if (fx->count > before && fx->e[before].kind == NDK_FX_CALL_REQUEST)
		e = &fx->e[before];
	for (i = 0; i < 2; i++) {
		if (!on[i])
			continue;
		ndk_obj_forget(&c->obj, on[i]);
		if (e)
			e->release[i] = on[i];
		else
			ndk_ref_put(on[i], NDK_REF_CHILD, fx);
	}
}

static void done(struct ndk_connector *c, unsigned from, struct ndk_fx *fx)
{
	ULONG before = fx->count;

	if (c->req.phase == NDK_REQ_IDLE)
		return; /* ended earlier, by a close */
	ndk_req_end(&c->obj, &c->req, c->verdict, fx);
	if (from == NDK_CONN_FAILING) {
		loosen(c, before, fx);
	} else if (c->state == NDK_CONN_ESTABLISHED && fx->count > before) {
		c->establishing = 1;
		fx->e[before].arg = 1;
	}
}

static void raise_event(struct ndk_connector *c, struct ndk_fx *fx)
{
	if (c->event_over || c->event_due)
		return;
	if (!c->event && !c->event_ex) {
		c->event_over = 1;
		return;
	}
	c->event_due = 1;
	if (c->establishing) {
		c->event_held = 1;
		return;
	}
	ndk_ref_get(&c->obj, NDK_REF_CALLBACK);
	ndk_fx_add(fx, NDK_FX_CALL_DISCONNECT, &c->obj);
}

static void cm_acts(struct ndk_connector *c, struct ndk_step step, struct ndk_fx *fx)
{
	if (ACT(CM_CONNECT))
		work(c, NDK_FX_CM_CONNECT, 0, fx);
	if (ACT(CM_ACCEPT) || ACT(CM_COMPLETE))
		c->engaged = 1;
	if (ACT(CM_ACCEPT))
		work(c, NDK_FX_CM_ACCEPT, 0, fx);
	if (ACT(CM_COMPLETE))
		work(c, NDK_FX_CM_COMPLETE, 0, fx);
	if (ACT(CM_REJECT))
		work(c, NDK_FX_CM_REJECT, 0, fx);
	if (ACT(CM_DISCONNECT))
		work(c, NDK_FX_CM_DISCONNECT, 0, fx);
}

void ndk_connector_step(struct ndk_connector *c, unsigned event, NTSTATUS status, struct ndk_fx *fx)
{
	unsigned from = c->state;
	struct ndk_step step = ndk_step_take(&c->obj, NDK_MACHINE_CONNECTOR, &c->state, event);

	if (ACT(VERDICT))
		c->verdict = status;
	if (ACT(COUNT_FAIL))
		c->obj.host->count.connect_fail++;
	if (ACT(COUNT_ERROR))
		c->obj.host->count.conn_error++;
	if (ACT(ANSWERED) && c->unanswered) {
		c->unanswered = 0;
		c->listener->waiting--;
	}
	timers(c, step, fx);
	if (ACT(UP))
		up(c, fx);
	cm_acts(c, step, fx);
	if (ACT(DOWN))
		down(c, fx);
	if (ACT(UNTIE))
		untie(c, fx);
	if (ACT(DONE))
		done(c, from, fx);
	if (ACT(CANCEL) && c->req.phase != NDK_REQ_IDLE)
		ndk_req_end(&c->obj, &c->req, STATUS_CANCELLED, fx);
	if (ACT(EVENT))
		raise_event(c, fx);
	if (ACT(TEARDOWN))
		teardown(c, fx);
	if (ACT(DRAIN))
		work(c, NDK_FX_QP_DRAIN, 0, fx);
}

void ndk_connector_incoming(struct ndk_connector *c)
{
	/* the one state that no step leads to: memory is zeroed, and zero is IDLE */
	NDK_ASSERT(c->state == NDK_CONN_IDLE);
	ndk_connector_step(c, NDK_CONN_EV_DELIVER, STATUS_SUCCESS, (struct ndk_fx *)0);
}

/* ---- hooks of the object's life ---- */
void ndk_hook_told(const struct ndk_effect *e, struct ndk_fx *fx)
{
	struct ndk_connector *c = (struct ndk_connector *)e->obj;

	if (!e->arg)
		return;
	c->establishing = 0;
	if (c->event_held) {
		c->event_held = 0;
		c->event_due = 0;
		raise_event(c, fx);
	}
}

BOOLEAN ndk_hook_disconnect_start(const struct ndk_effect *e)
{
	struct ndk_connector *c = (struct ndk_connector *)e->obj;

	if (c->event_over || !ndk_obj_live(&c->obj))
		return FALSE;
	c->event_over = 1;
	return TRUE;
}

/* ---- news ---- */
static void keep_data(struct ndk_connector *c, const struct ndk_cm_news *n)
{
	ULONG len = ndk_min(n->data_len, NDK_PRIVATE_MAX);

	c->data->in_len = len;
	if (len)
		ndk_copy(c->data->in, n->data, len);
}

void ndk_connector_cm(struct ndk_connector *c, const struct ndk_cm_news *n, struct ndk_fx *fx)
{
	BOOLEAN connecting = c->state == NDK_CONN_CONNECTING;
	NTSTATUS status = STATUS_SUCCESS;
	unsigned event;

	event = ndk_cm_translate(c->obj.host->transport, connecting, c->state == NDK_CONN_DISCONNECTING, n, &status);
	if (event == NDK_CONN_EV_REJECTED && !c->active)
		status = STATUS_CONNECTION_ABORTED; /* ACPT-6: out of its time or patience, it gave up */
	if (c->shared && status == STATUS_SHARING_VIOLATION)
		status = STATUS_ADDRESS_ALREADY_EXISTS; /* what its list has for it (CONN-33) */
	if (connecting && event == NDK_CONN_EV_RESPONSE) {
		keep_data(c, n);
		c->peer_in = n->peer_in;
		c->peer_out = n->peer_out;
		c->eff_in = ndk_min(c->want_in, n->peer_out);	/* RDL-4 */
		c->eff_out = ndk_min(c->want_out, n->peer_in);	/* RDL-5 */
		c->readable = 1;
		c->refused = 0;
		/* a two-way handshake has connected the QP before the consumer confirmed (LNX-3) */
		c->engaged = c->obj.host->transport == NDK_TRANSPORT_IWARP;
	} else if (connecting && event == NDK_CONN_EV_REJECTED && n->data_len &&
		   (c->obj.host->transport == NDK_TRANSPORT_IWARP || n->err == NDK_REJ_CONSUMER_DEFINED)) {
		keep_data(c, n); /* U-12 */
		c->readable = 1;
		c->refused = 1;
	}
	ndk_connector_step(c, event, status, fx);
}

void ndk_connector_deadline(struct ndk_connector *c, ULONG generation, struct ndk_fx *fx)
{
	if (generation == c->timer_gen)
		ndk_connector_step(c, NDK_CONN_EV_DEADLINE, STATUS_IO_TIMEOUT, fx);
}

void ndk_connector_removed(struct ndk_connector *c, struct ndk_fx *fx)
{
	ndk_connector_step(c, NDK_CONN_EV_REMOVED, STATUS_DEVICE_REMOVED, fx);
}

void ndk_connector_qp_event(struct ndk_connector *c, unsigned event, struct ndk_fx *fx)
{
	NTSTATUS status = STATUS_CONNECTION_ABORTED;

	if (event == NDK_CONN_EV_SPOILED && c->active)
		status = STATUS_CONNECTION_INVALID;
	ndk_connector_step(c, event, status, fx);
}
