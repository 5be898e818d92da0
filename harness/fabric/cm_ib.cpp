/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The three-way handshake of InfiniBand and RoCE: REQ, REP, RTU; REJ; DREQ, DREP. World's lock held.
 *
 * Whoever waits for an answer repeats its message: the active side the REQ, the passive side the REP,
 * who disconnects the DREQ. A repeated message that finds its addressee still deciding is answered
 * with MRA, which starts the repetitions anew: the time the peer's consumer takes is limited by
 * deadlines, not by retransmission.
 */
#include "fabric.hpp"

namespace ndk::fabric
{

enum {
	E_TIMEDOUT = -110
};

static const Payload nothing{};

static void answer(Connector *c, ULONG kind)
{
	send(c->attempt, c->side, kind, nothing); /* no memory: lost; the peer repeats itself */
}

static void over(Connector *c)
{
	world().loop.cancel(c->retry);
	c->cm = Cm::over;
}

static void refuse_with(Connector *c, int reason, std::unique_ptr<Payload> why)
{
	if (!why)
		why.reset(make<Payload>(c->attempt->site[c->side]));
	if (why)
		why->reason = reason;
	refuse(c->attempt, c->side, std::move(why));
}

/* ---- arrivals ---- */
static void receive_rep(Message &m, Connector *c, Upcalls &up)
{
	Attempt *a = m.attempt;
	Payload stale{};

	if (a->refusal[0]) {
		send(a, 0, NDK_FABRIC_REJ, *a->refusal[0]);
	} else if (!c) {
		stale.reason = NDK_REJ_TIMEOUT; /* the active side is gone */
		send(a, 0, NDK_FABRIC_REJ, stale);
	} else if (c->cm == Cm::req_sent) {
		world().loop.cancel(c->retry);
		c->cm = Cm::rep_rcvd;
		news(c, NDK_CM_RESPONSE, 0, &m.payload, ib_flavour.reply_size, up);
	} else if (c->cm == Cm::rep_rcvd) {
		answer(c, message_mra);
	} else if (c->cm == Cm::up || c->cm == Cm::dreq_sent) {
		answer(c, NDK_FABRIC_RTU); /* the first was lost */
	}
}

static void receive_rej(Message &m, Connector *c, Upcalls &up)
{
	if (!c)
		return;
	switch (c->cm) {
	case Cm::req_sent:
	case Cm::rep_rcvd:
	case Cm::req_rcvd:
	case Cm::rep_sent:
	case Cm::up: /* the passive side gave up before our confirmation came */
		over(c);
		news(c, NDK_CM_REJECTED, m.payload.reason, &m.payload, ib_flavour.reject_size, up);
		break;
	default:
		break;
	}
}

static void receive_dreq(Message &m, Connector *c, Upcalls &up)
{
	if (!c) {
		send(m.attempt, m.to, NDK_FABRIC_DREP, nothing); /* gone is as good as agreed */
		return;
	}
	switch (c->cm) {
	case Cm::rep_sent: /* the confirmation was lost or is late */
	case Cm::up:
	case Cm::dreq_sent: /* crossing: each is the other's goodbye */
		world().loop.cancel(c->retry);
		c->cm = Cm::dreq_rcvd;
		goodbye(c, 0, up);
		break;
	case Cm::over:
		answer(c, NDK_FABRIC_DREP);
		break;
	default:
		break; /* a repetition; the answer is the consumer's (U-54) */
	}
}

static void ib_receive(Message &m, Connector *c, Upcalls &up)
{
	switch (m.kind) {
	case NDK_FABRIC_REP:
		return receive_rep(m, c, up);
	case NDK_FABRIC_RTU:
		if (c && c->cm == Cm::rep_sent) {
			world().loop.cancel(c->retry);
			c->cm = Cm::up;
			news(c, NDK_CM_ESTABLISHED, 0, nullptr, 0, up);
		}
		return;
	case NDK_FABRIC_REJ:
		return receive_rej(m, c, up);
	case NDK_FABRIC_DREQ:
		return receive_dreq(m, c, up);
	case NDK_FABRIC_DREP:
		if (c && c->cm == Cm::dreq_sent) {
			over(c);
			goodbye(c, 0, up);
		}
		return;
	case message_mra:
		if (c && (c->cm == Cm::req_sent || c->cm == Cm::rep_sent))
			c->tries = 0;
		return;
	default:
		return;
	}
}

static void ib_request_again(Connector *c, Upcalls &)
{
	if (c->cm == Cm::req_rcvd)
		answer(c, message_mra);
}

/* ---- the core's wishes ---- */
static void ib_accept(Connector *c, Upcalls &)
{
	c->cm = Cm::rep_sent;
	start_retry(c);
}

static void ib_complete(Connector *c, Upcalls &up)
{
	if (c->cm != Cm::rep_rcvd)
		return; /* the peer gave up meanwhile, and that news is on its way */
	if (!send(c->attempt, 0, NDK_FABRIC_RTU, nothing)) {
		news(c, NDK_CM_STEP_FAILED, -12, nullptr, 0, up);
		return;
	}
	c->cm = Cm::up;
	news(c, NDK_CM_ESTABLISHED, 0, nullptr, 0, up);
}

static void ib_reject(Connector *c, std::unique_ptr<Payload> why, Upcalls &)
{
	if (c->cm != Cm::req_rcvd && c->cm != Cm::rep_rcvd)
		return;
	over(c);
	refuse_with(c, NDK_REJ_CONSUMER_DEFINED, std::move(why));
}

static void ib_disconnect(Connector *c, Upcalls &)
{
	if (c->cm == Cm::up) {
		c->cm = Cm::dreq_sent;
		answer(c, NDK_FABRIC_DREQ);
		start_retry(c);
	} else if (c->cm == Cm::dreq_rcvd) {
		over(c);
		answer(c, NDK_FABRIC_DREP);
	}
}

static void ib_teardown(Connector *c, bool late, Upcalls &)
{
	switch (c->cm) {
	case Cm::req_sent:
		refuse_with(c, NDK_REJ_TIMEOUT, nullptr);
		break;
	case Cm::rep_rcvd:
	case Cm::req_rcvd:
		refuse_with(c, NDK_REJ_CONSUMER_DEFINED, nullptr);
		break;
	case Cm::rep_sent:
		refuse_with(c, late ? NDK_REJ_TIMEOUT : NDK_REJ_CONSUMER_DEFINED, nullptr);
		break;
	case Cm::up:
		answer(c, NDK_FABRIC_DREQ); /* once: nobody is left to repeat it */
		break;
	case Cm::dreq_rcvd:
		answer(c, NDK_FABRIC_DREP);
		break;
	default:
		break;
	}
}

static void ib_retry(Connector *c, Upcalls &up)
{
	if (c->cm == Cm::rep_sent) {
		if (try_again(c)) {
			repeat(c, NDK_FABRIC_REP);
		} else {
			c->cm = Cm::over;
			news(c, NDK_CM_UNREACHABLE, E_TIMEDOUT, nullptr, 0, up);
		}
	} else if (c->cm == Cm::dreq_sent) {
		if (try_again(c)) {
			answer(c, NDK_FABRIC_DREQ);
		} else {
			c->cm = Cm::over;
			goodbye(c, E_TIMEDOUT, up);
		}
	}
}

/* The connection manager does not look at queue pairs: the peer finds out by itself. */
static void ib_broken(Connector *, Upcalls &) {}

static void ib_undelivered(Message &, Upcalls &) {}

const Flavour ib_flavour = {
	.request_size = 56,
	.reply_size = 196,
	.reject_size = 148,
	.refused = NDK_REJ_INVALID_SERVICE_ID,
	.backlog = NDK_REJ_NO_RESOURCES,
	.receive = ib_receive,
	.request_again = ib_request_again,
	.accept = ib_accept,
	.complete = ib_complete,
	.reject = ib_reject,
	.disconnect = ib_disconnect,
	.teardown = ib_teardown,
	.retry = ib_retry,
	.broken = ib_broken,
	.undelivered = ib_undelivered,
};

} /* namespace ndk::fabric */
