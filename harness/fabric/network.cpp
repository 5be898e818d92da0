/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Datagrams of the connection manager between sites, and what becomes of them: loss, repetition,
 * delay, silence, partition. World's lock held throughout.
 *
 * Every message holds its attempt, so a message that comes late meets the attempt as it is then.
 */
#include <cstdio>

#include "fabric.hpp"
#include "../exec/port.hpp"

namespace ndk::fabric
{

static const char *message_name(ULONG kind)
{
	switch (kind) {
	case NDK_FABRIC_REQ:
		return "REQ";
	case NDK_FABRIC_REP:
		return "REP";
	case NDK_FABRIC_RTU:
		return "RTU";
	case NDK_FABRIC_REJ:
		return "REJ";
	case NDK_FABRIC_DREQ:
		return "DREQ";
	case NDK_FABRIC_DREP:
		return "DREP";
	case message_mra:
		return "MRA";
	case message_ack:
		return "ACK";
	default:
		return "?";
	}
}

static void trace(const Attempt *a, UCHAR from, ULONG kind, const char *what)
{
	const Site *to = a->site[!from];

	if (!tracing())
		return;
	fprintf(stderr, "%10llu   %s %u -> %d: %s\n", (unsigned long long)trace_time(),
		message_name(kind), a->site[from]->number, to ? (int)to->number : -1, what);
}

static bool present(const Site *s)
{
	return s && !s->removed && !s->dead;
}

static bool speaks(const Site *s)
{
	return present(s) && !s->silent;
}

bool path_up(const Attempt *a)
{
	return speaks(a->site[0]) && speaks(a->site[1]) &&
	       !world().cut[a->site[0]->number][a->site[1]->number];
}

void attempt_put(Attempt *a)
{
	if (--a->refs == 0)
		delete a;
}

/* ---- what goes wrong on the way ---- */
struct Fate {
	bool lost = false;
	bool twice = false;
	UINT64 late = 0; /* of the message */
	UINT64 second_late = 0; /* of its copy */
};

static bool planned(const Attempt *a, UCHAR from, ULONG kind, Fate &fate)
{
	std::vector<Fault> &faults = world().faults;

	for (size_t i = 0; i < faults.size(); i++) {
		Fault &f = faults[i];

		if (!(f.messages & kind) ||
		    (f.from >= 0 && (unsigned)f.from != a->site[from]->number))
			continue;
		if (f.what == NDK_FABRIC_DROP)
			fate.lost = true;
		else if (f.what == NDK_FABRIC_DUPLICATE)
			fate.twice = true;
		else
			fate.late = f.delay_us;
		fate.second_late = f.delay_us;
		if (--f.count == 0)
			faults.erase(faults.begin() + (ptrdiff_t)i);
		return true;
	}
	return false;
}

static Fate fate_of(const Attempt *a, UCHAR from, ULONG kind)
{
	World &w = world();
	const Noise &n = w.noise;
	UINT64 spread = n.max_delay_us + 1;
	Fate fate;

	if (kind == message_ack)
		return fate; /* the byte stream's own: lost or late together with what it answers */
	if (!planned(a, from, kind, fate) && (n.drop || n.duplicate || n.delay)) {
		fate.lost = w.below(1000) < n.drop;
		fate.twice = w.below(1000) < n.duplicate;
		if (w.below(1000) < n.delay)
			fate.late = w.random() % spread;
		if (fate.twice)
			fate.second_late = w.random() % spread;
	}
	if (w.config.jitter_us)
		fate.late += w.random() % ((UINT64)w.config.jitter_us + 1);
	return fate;
}

/* A FIN travels on a byte stream: what is lost on the way is sent again by the transport. */
static bool transport_repeats(ULONG kind)
{
	return kind == NDK_FABRIC_DREQ && world().flavour == &iwarp_flavour;
}

static void discard(Message *m)
{
	attempt_put(m->attempt);
	delete m;
}

/* ---- arrival ---- */
static void deliver(Message &m, Upcalls &up)
{
	Connector *c = m.attempt->end[m.to];

	trace(m.attempt, !m.to, m.kind, "arrives");
	if (m.kind == NDK_FABRIC_REQ)
		receive_request(m, up);
	else
		world().flavour->receive(m, c, up);
}

static void message_fire(Event &e, Upcalls &up)
{
	World &w = world();
	Message *m = static_cast<Message *>(&e);

	if (path_up(m->attempt)) {
		deliver(*m, up);
	} else if (transport_repeats(m->kind) && present(m->attempt->site[!m->to]) &&
		   m->tries++ < w.config.cm_retries) {
		w.loop.schedule(*m, w.loop.now() + (UINT64)w.config.cm_retry_ms * 1000);
		return;
	} else {
		w.stats.cm_dropped++;
		trace(m->attempt, !m->to, m->kind, "lost: no path");
		if (transport_repeats(m->kind))
			w.flavour->undelivered(*m, up);
	}
	discard(m);
}

/* Without objects there is little in the queue: timers go with their owners. */
void drop_messages()
{
	Loop &loop = world().loop;

	while (Event *e = loop.first()) {
		loop.cancel(*e);
		if (drop_announcement(*e))
			continue;
		NDK_ASSERT(e->fire == message_fire);
		discard(static_cast<Message *>(e));
	}
}

/* ---- departure ---- */
/* What a byte stream says by itself needs no memory of ours. */
static Message *compose(Attempt *a, UCHAR from, ULONG kind, const Payload &p)
{
	bool own = transport_repeats(kind) || kind == message_ack;
	Message *m = own ? new Message{} : make<Message>(a->site[from]);

	if (!m)
		return nullptr;
	m->fire = message_fire;
	m->attempt = a;
	m->to = !from;
	m->kind = kind;
	m->payload = p;
	a->refs++;
	return m;
}

bool send(Attempt *a, UCHAR from, ULONG kind, const Payload &p)
{
	World &w = world();
	UINT64 arrival = w.loop.now() + w.config.delay_us;
	Message *m = compose(a, from, kind, p);
	Fate fate;

	if (!m)
		return false;
	w.stats.cm_sent++;
	fate = fate_of(a, from, kind);
	if (fate.twice) {
		Message *copy = compose(a, from, kind, p);

		if (copy) {
			w.stats.cm_duplicated++;
			trace(a, from, kind, "sent twice");
			w.loop.schedule(*copy, arrival + fate.second_late);
		}
	}
	if (fate.lost && transport_repeats(kind)) {
		w.stats.cm_dropped++;
		m->tries++;
		trace(a, from, kind, "lost, to be repeated");
		w.loop.schedule(*m, arrival + (UINT64)w.config.cm_retry_ms * 1000);
	} else if (fate.lost || (!speaks(a->site[from]) && !transport_repeats(kind))) {
		w.stats.cm_dropped++;
		trace(a, from, kind, "lost");
		discard(m);
	} else {
		if (fate.late)
			w.stats.cm_delayed++;
		w.loop.schedule(*m, arrival + fate.late);
	}
	return true;
}

} /* namespace ndk::fabric */
