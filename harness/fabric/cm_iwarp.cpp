/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The two-way handshake of iWARP: REQ, REP, and both sides are connected; REJ; a FIN, sent as DREQ.
 * World's lock held.
 *
 * The passive side is connected when its reply is out, the active side when that arrives; completing
 * is local. A lost reply is asked for by the active side's next REQ. A FIN ends the connection at
 * both ends at once and flushes both (the documented exception to DISC-10); the transport repeats it
 * until it is acknowledged.
 */
#include "fabric.hpp"

namespace ndk::fabric
{

enum {
	E_CONNRESET = -104,
	E_TIMEDOUT = -110,
	E_CONNREFUSED = -111
};

static void over(Connector *c)
{
	world().loop.cancel(c->retry);
	c->cm = Cm::over;
}

static void send_bare(Attempt *a, UCHAR side, ULONG kind, int reason)
{
	Payload p{};

	p.reason = reason;
	send(a, side, kind, p); /* no memory, for the hint MRA: lost */
}

/* The connection is over at this end. */
static void end(Connector *c, int err, Upcalls &up)
{
	over(c);
	if (c->qp)
		kill_qp(c->qp, up);
	goodbye(c, err, up);
}

static void receive_fin(Message &m, Connector *c, Upcalls &up)
{
	send_bare(m.attempt, m.to, message_ack, 0);
	if (c && (c->cm == Cm::up || c->cm == Cm::dreq_sent || c->cm == Cm::req_rcvd))
		end(c, m.payload.reason, up);
}

static void iwarp_receive(Message &m, Connector *c, Upcalls &up)
{
	switch (m.kind) {
	case NDK_FABRIC_REP:
		if (!c) {
			send_bare(m.attempt, 0, NDK_FABRIC_DREQ, 0);
		} else if (c->cm == Cm::req_sent) {
			world().loop.cancel(c->retry);
			c->cm = Cm::up;
			news(c, NDK_CM_RESPONSE, 0, &m.payload, 0, up);
		}
		return;
	case NDK_FABRIC_REJ:
		if (c && (c->cm == Cm::req_sent || c->cm == Cm::req_rcvd)) {
			over(c);
			news(c, NDK_CM_REJECTED, m.payload.reason, &m.payload, 0, up);
		}
		return;
	case NDK_FABRIC_DREQ:
		return receive_fin(m, c, up);
	case message_ack:
		if (c && c->cm == Cm::dreq_sent)
			end(c, 0, up);
		return;
	case message_mra:
		if (c && c->cm == Cm::req_sent)
			c->tries = 0;
		return;
	default:
		return;
	}
}

static void iwarp_request_again(Connector *c, Upcalls &)
{
	if (c->cm == Cm::up)
		repeat(c, NDK_FABRIC_REP);
	else if (c->cm == Cm::req_rcvd)
		send_bare(c->attempt, 1, message_mra, 0);
}

static void iwarp_accept(Connector *c, Upcalls &up)
{
	c->cm = Cm::up;
	news(c, NDK_CM_ESTABLISHED, 0, nullptr, 0, up);
}

/*
 * Completing needs no answer of the peer, but its first frame has to be acknowledged by the peer's
 * transport: where there is no path, that is noticed.
 */
static void iwarp_complete(Connector *c, Upcalls &up)
{
	Loop &loop = world().loop;

	if (c->cm != Cm::up)
		return; /* the peer is gone, and that news is on its way */
	if (path_up(c->attempt)) {
		news(c, NDK_CM_ESTABLISHED, 0, nullptr, 0, up);
		return;
	}
	c->cm = Cm::failing;
	c->fail_event = NDK_CM_UNREACHABLE;
	c->fail_err = E_TIMEDOUT;
	loop.schedule(c->retry, loop.now() + path_patience_us);
}

static void iwarp_reject(Connector *c, std::unique_ptr<Payload> why, Upcalls &)
{
	if (c->cm == Cm::req_rcvd) {
		over(c);
		if (why)
			why->reason = E_CONNREFUSED;
		refuse(c->attempt, 1, std::move(why));
	} else if (c->cm == Cm::up) {
		over(c);
		send_bare(c->attempt, c->side, NDK_FABRIC_DREQ, 0);
	}
}

static void iwarp_disconnect(Connector *c, Upcalls &)
{
	if (c->cm != Cm::up)
		return;
	c->cm = Cm::dreq_sent;
	send_bare(c->attempt, c->side, NDK_FABRIC_DREQ, 0);
}

static void iwarp_teardown(Connector *c, bool, Upcalls &)
{
	switch (c->cm) {
	case Cm::req_rcvd: {
		std::unique_ptr<Payload> why(make<Payload>(c->attempt->site[1]));

		if (why)
			why->reason = E_CONNREFUSED;
		refuse(c->attempt, 1, std::move(why));
		break;
	}
	case Cm::req_sent:
	case Cm::up:
		send_bare(c->attempt, c->side, NDK_FABRIC_DREQ, 0);
		break;
	default:
		break;
	}
}

static void iwarp_retry(Connector *, Upcalls &) {}

/* An error ends the stream, and that is how the peer hears of it. */
static void iwarp_broken(Connector *c, Upcalls &)
{
	if (c->cm != Cm::up)
		return;
	over(c);
	send_bare(c->attempt, c->side, NDK_FABRIC_DREQ, E_CONNRESET);
}

static void iwarp_undelivered(Message &m, Upcalls &up)
{
	Connector *c = m.attempt->end[!m.to];

	if (c && c->cm == Cm::dreq_sent)
		end(c, E_TIMEDOUT, up);
}

const Flavour iwarp_flavour = {
	.request_size = 0,
	.reply_size = 0,
	.reject_size = 0,
	.refused = E_CONNREFUSED,
	.backlog = E_CONNREFUSED,
	.receive = iwarp_receive,
	.request_again = iwarp_request_again,
	.accept = iwarp_accept,
	.complete = iwarp_complete,
	.reject = iwarp_reject,
	.disconnect = iwarp_disconnect,
	.teardown = iwarp_teardown,
	.retry = iwarp_retry,
	.broken = iwarp_broken,
	.undelivered = iwarp_undelivered,
};

} /* namespace ndk::fabric */
