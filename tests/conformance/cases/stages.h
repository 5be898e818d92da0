/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Two sides brought to a given point of a connection's life, for cases that ask what can happen at
 * that point. Everything on the way is checked, so a case begins where its stage is reached.
 *
 * For the files of cases only; runs where a case runs, may sleep unless it says "any context".
 */
#ifndef CONF_STAGES_H
#define CONF_STAGES_H

#include "attempt.h"

#ifdef __KERNEL__
#include <linux/irqflags.h>
#include <linux/preempt.h>
#endif

enum stage {
	STAGE_IDLE,	 /* b listens, a's connector has done nothing */
	STAGE_ANNOUNCED, /* a's connect pends, b holds the connector and has not answered */
	STAGE_ACCEPTED,	 /* b accepted, a's connect succeeded, completing is owed */
	STAGE_UP,	 /* established */
	STAGE_LEAVING,	 /* a's disconnect pends, b has had its event */
	STAGE_PARTED,	 /* both have disconnected */
	STAGES
};

struct staged {
	struct kit_side *a, *b;
	struct kit_conn *ca, *cb; /* cb from STAGE_ANNOUNCED on */
	struct kit_address from;
	struct kit_call *connecting, *accepting, *leaving;
};

/* The next step of each, from the stage before it. */
static inline BOOLEAN stage_announce(struct staged *s)
{
	s->connecting = kit_begin_connect(s->ca, s->a->qp, &s->from, &s->b->listener->at,
					  (const struct kit_params *)0);
	s->cb = s->b->conn = kit_arrival(s->b->listener);
	return s->cb != (struct kit_conn *)0;
}

static inline BOOLEAN stage_accept(struct staged *s)
{
	s->accepting = kit_begin_accept(s->cb, s->b->qp, (const struct kit_params *)0, KIT_EVENT);
	return CHECK_STATUS(kit_wait(s->connecting), STATUS_SUCCESS);
}

static inline BOOLEAN stage_complete(struct staged *s)
{
	return CHECK_STATUS(kit_complete(s->ca), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_wait(s->accepting), STATUS_SUCCESS);
}

static inline BOOLEAN stage_leave(struct staged *s)
{
	s->leaving = kit_begin_disconnect(s->ca);
	return CHECK(kit_disconnected(s->cb, KIT_PATIENCE_MS));
}

static inline BOOLEAN stage_part(struct staged *s)
{
	return CHECK_STATUS(kit_disconnect(s->cb), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_wait(s->leaving), STATUS_SUCCESS);
}

static inline BOOLEAN stage_open(struct staged *s, int family)
{
	struct kit_pair *p = kit_pair(family);

	memset(s, 0, sizeof(*s));
	if (!p)
		return FALSE;
	s->a = p->a;
	s->b = p->b;
	s->ca = p->a->conn;
	s->from = kit_address(0, family, 0);
	return TRUE;
}

static inline BOOLEAN stage_from_idle(struct staged *s, int to)
{
	return (to < STAGE_ANNOUNCED || stage_announce(s)) && (to < STAGE_ACCEPTED || stage_accept(s)) &&
	       (to < STAGE_UP || stage_complete(s)) && (to < STAGE_LEAVING || stage_leave(s)) &&
	       (to < STAGE_PARTED || stage_part(s));
}

/* FALSE: did not get there, and the case has failed. */
static inline BOOLEAN stage_to(struct staged *s, int to)
{
	return stage_open(s, NDK_V4) && stage_from_idle(s, to);
}

/* A further connection between the same sides, up to that stage, with QPs and connectors of its own. */
static inline BOOLEAN stage_more(const struct staged *s, struct staged *m, int to)
{
	static struct kit_side side[2];

	side[0] = *s->a;
	side[1] = *s->b;
	*m = *s;
	m->a = &side[0];
	m->b = &side[1];
	m->a->qp = kit_another_qp(s->a);
	m->b->qp = kit_another_qp(s->b);
	m->ca = m->a->conn = kit_create_connector(s->a->adapter);
	m->cb = m->b->conn = (struct kit_conn *)0;
	return m->a->qp && m->b->qp && m->ca && stage_from_idle(m, to);
}

/* The same sides still connect and carry data: nothing lasting is left of what happened before. */
static inline BOOLEAN stage_still_well(const struct staged *s)
{
	struct staged m;

	return stage_more(s, &m, STAGE_UP) && kit_send_recv_verify(m.a, m.b, 100);
}

/*
 * How the passive side's accept ends after the active side has abandoned the connection: a two-way
 * handshake may have finished it before, and then the loss shows as a disconnect event (N-13).
 */
static inline BOOLEAN stage_accept_ends(struct staged *s, NTSTATUS expected)
{
	NTSTATUS status = kit_wait(s->accepting);

	if (conf_iwarp() && status == STATUS_SUCCESS)
		return CHECK(kit_disconnected(s->cb, KIT_PATIENCE_MS));
	return CHECK_STATUS(status, expected) && CHECK_EQ(s->cb->events, 0);
}

/* Answered once by callback if it pended, else not at all (REQ-1, REQ-2, CREATE-2/3, CLOSE-2/3). */
static inline BOOLEAN stage_once(const struct kit_call *c)
{
	return CHECK_EQ(c->callbacks, kit_pended(c) ? 1 : 0);
}

/* Nothing may pend behind a call that is answered by now: inline in natural mode, later in PEND mode. */
static inline BOOLEAN stage_known(struct kit_call *c, int mode, NTSTATUS expected)
{
	BOOLEAN fine = CHECK_STATUS(kit_wait(c), expected);

	conf_settle();
	if (mode == NDK_ANSWER_PEND)
		return CHECK(kit_pended(c)) && stage_once(c) && fine;
	return CHECK_STATUS(c->returned, expected) && stage_once(c) && fine;
}

/* Any context. At DISPATCH_LEVEL or below: not in an interrupt, and interrupts are not held off. */
static inline BOOLEAN stage_irql_fits(void)
{
#ifdef __KERNEL__
	return !in_hardirq() && !in_nmi() && !irqs_disabled();
#else
	return TRUE;
#endif
}

/*
 * Inside a callback: it stays until another thread has called stage_release(), whenever that gets to
 * run; in the kernel, where it takes a processor away, no longer than a few seconds. Any context.
 */
static inline void stage_hold(const BOOLEAN *released)
{
	UINT64 until = conf_now_us() + (conf_place() == NDK_ON_K ? 5000u : KIT_PATIENCE_MS) * 1000ull;
	unsigned long flags;
	BOOLEAN stay;

	do {
		conf_stall(1000);
		flags = conf_lock();
		stay = !*released;
		conf_unlock(flags);
	} while (stay && conf_place() != NDK_ON_S && conf_now_us() < until);
}

static inline void stage_release(BOOLEAN *released)
{
	unsigned long flags = conf_lock();

	*released = TRUE;
	conf_unlock(flags);
}

/* Time for what the other side said to come in where that shows nowhere; grows with each try. */
#define STAGE_TRIES 4
static inline void stage_rest(int try_)
{
	conf_settle();
	if (conf_place() != NDK_ON_S)
		conf_sleep(conf_patient_ms(100u << (2 * try_)));
}

#endif
