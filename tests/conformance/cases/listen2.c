/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Listeners on more than one address: wildcards, two addresses of one adapter, both families, scopes;
 * and listeners in great number. Runs where a case runs; what needs a second address is skipped where
 * there is none.
 */
#include "stages.h"
#include "../world.h"

/* A further connection of the sides of s over that listener, with data; TRUE if it stands and its ends agree. */
static BOOLEAN listen_reached(const struct staged *s, struct kit_listener *l, const struct kit_address *from,
			      const struct kit_address *to)
{
	struct kit_address seen;
	struct staged m;

	if (!stage_more(s, &m, STAGE_IDLE))
		return FALSE;
	m.connecting = kit_begin_connect(m.ca, m.a->qp, from, to, NO_PARAMS);
	m.cb = m.b->conn = kit_arrival(l);
	if (!m.cb) {
		CHECK_STATUS(kit_wait(m.connecting), STATUS_SUCCESS);
		return FALSE;
	}
	if (!stage_accept(&m) || !stage_complete(&m) || !kit_send_recv_verify(m.a, m.b, 64))
		return FALSE;
	/* not the wildcard: the address that was asked for */
	seen = kit_local_address(m.cb->connector);
	CHECK(kit_same_address(&seen, to));
	seen = kit_peer_address(m.ca->connector);
	return CHECK(kit_same_address(&seen, to));
}

/* Nobody of ours is there: refused, and no event. */
static void listen_refused(const struct staged *s, struct kit_listener *l, const struct kit_address *from,
			   const struct kit_address *to)
{
	long events = l->events;
	struct staged m;

	REQUIRE(stage_more(s, &m, STAGE_IDLE));
	CHECK_STATUS(kit_connect(m.ca, m.a->qp, from, to, NO_PARAMS), STATUS_CONNECTION_REFUSED);
	CHECK_EQ(l->events, events);
}

static struct kit_listener *listen_at(NDK_ADAPTER *a, const struct kit_address *at)
{
	struct kit_listener *l = kit_create_listener(a);

	return l && CHECK_STATUS(kit_listen(l, at), STATUS_SUCCESS) ? l : (struct kit_listener *)0;
}

/* ---- wildcards ---- */

NDK_CASE(listener_wildcard, "LISTEN-1 U-8 EP-1 CTR-7", NDK_ON_ALL,
	 "T-LS-04 on the wildcard a listener serves every address of its adapter, and of no other")
{
	KIT_EACH_FAMILY(family)
	{
		USHORT port = kit_fresh_port();
		struct kit_address any = kit_wildcard(family, port), to = kit_address(1, family, port), more;
		struct kit_listener *l;
		struct staged s;

		REQUIRE(stage_open(&s, family));
		SKIP_UNLESS(world_address(1, (enum conf_family)family, port, &more.at, &more.len), WORLD_NONE);
		l = listen_at(s.b->adapter, &any);
		REQUIRE(l != (struct kit_listener *)0);
		CHECK(listen_reached(&s, l, &s.from, &to));
		CHECK(listen_reached(&s, l, &s.from, &more));
		/* the port next to it, and the adapter next to it */
		kit_set_port(&to, kit_fresh_port());
		listen_refused(&s, l, &s.from, &to);
		to = kit_address(0, family, port);
		if (strcmp(conf_adapter_name(0), conf_adapter_name(1)) != 0)
			listen_refused(&s, l, &s.from, &to);
	}
}

NDK_CASE(listener_both_wildcards, "LISTEN-1 ADDR-1 U-8", NDK_ON_ALL,
	 "T-LS-06 the wildcards of both families stand side by side on one port, each for its own")
{
	USHORT port = kit_fresh_port();
	struct kit_address at[2], to[2], from[2];
	struct kit_listener *l[2];
	struct staged s;
	int i;

	REQUIRE(stage_to(&s, STAGE_IDLE));
	for (i = 0; i < 2; i++) {
		at[i] = kit_wildcard(i ? NDK_V6 : NDK_V4, port);
		to[i] = kit_address(1, i ? NDK_V6 : NDK_V4, port);
		from[i] = kit_address(0, i ? NDK_V6 : NDK_V4, 0);
		l[i] = listen_at(s.b->adapter, &at[i]);
		REQUIRE(l[i] != (struct kit_listener *)0);
	}
	for (i = 0; i < 2; i++) {
		CHECK(listen_reached(&s, l[i], &from[i], &to[i]));
		CHECK_EQ(l[i]->events, 1);
	}
	/* one goes, its connector still living, and the other does not notice */
	CHECK(kit_pended(KIT_CLOSE(l[0]->listener)));
	listen_refused(&s, l[0], &from[0], &to[0]);
	CHECK(listen_reached(&s, l[1], &from[1], &to[1]));
}

/* ---- two addresses ---- */

NDK_CASE(listener_beside_shared, "LISTEN-2 ADDR-4 ADDR-3 U-52", NDK_ON_ALL,
	 "T-LS-05 where a shared endpoint is: STATUS_SHARING_VIOLATION; on the same port of another address it listens")
{
	KIT_EACH_ANSWER(mode)
	{
		KIT_EACH_FAMILY(family)
		{
			struct kit_address at = kit_address(1, family, kit_fresh_port()), more, other;
			struct kit_listener *l;
			struct staged s;

			REQUIRE(stage_open(&s, family));
			REQUIRE(kit_create_shared(s.b->adapter, &at) != (NDK_SHARED_ENDPOINT *)0);
			l = kit_create_listener(s.b->adapter);
			REQUIRE(l != (struct kit_listener *)0);
			CHECK_STATUS(kit_listen(l, &at), STATUS_SHARING_VIOLATION);
			/* the wildcard would be that address too */
			other = kit_wildcard(family, kit_port(&at));
			CHECK_STATUS(kit_listen(l, &other), STATUS_SHARING_VIOLATION);
			/* any adapter here has an address of the other family */
			other = kit_address(1, family == NDK_V4 ? NDK_V6 : NDK_V4, kit_port(&at));
			REQUIRE(listen_at(s.b->adapter, &other) != (struct kit_listener *)0);
			if (!world_address(1, (enum conf_family)family, kit_port(&at), &more.at, &more.len))
				continue;
			REQUIRE_STATUS(kit_listen(l, &more), STATUS_SUCCESS);
			CHECK(listen_reached(&s, l, &s.from, &more));
		}
	}
}

NDK_CASE(listener_link_local, "LISTEN-1 CTR-5 CTR-6 CTR-7 ADDR-1", NDK_ON_K,
	 "T-LS-14 a link-local address with its scope: listened on, connected to, and the scope kept on both ends")
{
	struct kit_address at, from, seen[4];
	struct kit_listener *l;
	struct sockaddr_in6 v6;
	unsigned scope, i;
	struct staged s;

	SKIP_UNLESS(world_link_local(1, kit_fresh_port(), &at.at, &at.len) &&
			    world_link_local(0, 0, &from.at, &from.len),
		    "no address here has a scope");
	memcpy(&v6, &at.at, sizeof(v6));
	scope = v6.sin6_scope_id;
	CHECK(scope != 0);
	REQUIRE(stage_open(&s, NDK_V6));
	l = listen_at(s.b->adapter, &at);
	REQUIRE(l != (struct kit_listener *)0);
	seen[0] = kit_listener_address(l->listener);
	s.connecting = kit_begin_connect(s.ca, s.a->qp, &from, &at, NO_PARAMS);
	s.cb = s.b->conn = kit_arrival(l);
	REQUIRE(s.cb && stage_accept(&s) && stage_complete(&s));
	CHECK(kit_send_recv_verify(s.a, s.b, 64));
	seen[1] = kit_local_address(s.ca->connector);
	seen[2] = kit_peer_address(s.ca->connector);
	seen[3] = kit_local_address(s.cb->connector);
	CHECK(kit_same_address(&seen[0], &at) && kit_same_address(&seen[2], &at) && kit_same_address(&seen[3], &at));
	for (i = 0; i < 4; i++) {
		memcpy(&v6, &seen[i].at, sizeof(v6));
		CHECK_EQ(v6.sin6_scope_id, scope);
	}
	seen[0] = kit_peer_address(s.cb->connector);
	CHECK(kit_same_address(&seen[0], &seen[1]));
}

/* ---- in great number ---- */

#define LISTEN_MANY 1000u
#define LISTEN_THREADS 4u

struct many_listeners {
	unsigned count;
	struct kit_listener *l[LISTEN_MANY];
	struct kit_address at[LISTEN_MANY];
	unsigned order[LISTEN_MANY];
};

struct many_part {
	struct many_listeners *all;
	unsigned from, to;
};

static void many_close(PVOID arg)
{
	struct many_part *p = (struct many_part *)arg;
	unsigned i;

	for (i = p->from; i < p->to; i++)
		CHECK(KIT_CLOSED(p->all->l[p->all->order[i]]->listener));
}

/* In random order, from several threads where there are some. */
static void many_close_all(struct many_listeners *m)
{
	struct many_part part[LISTEN_THREADS];
	PVOID thread[LISTEN_THREADS];
	unsigned i, j, t;

	for (i = 0; i < m->count; i++) {
		j = (unsigned)(conf_random() % (i + 1));
		m->order[i] = m->order[j];
		m->order[j] = i;
	}
	for (i = 0; i < LISTEN_THREADS; i++) {
		part[i].all = m;
		part[i].from = m->count / LISTEN_THREADS * i;
		part[i].to = m->count / LISTEN_THREADS * (i + 1);
		thread[i] = conf_spawn(many_close, &part[i]);
		if (!thread[i])
			many_close(&part[i]);
	}
	for (t = 0; t < LISTEN_THREADS; t++)
		conf_join(thread[t]);
}

NDK_CASE(listener_many, "LISTEN-1 LISTEN-12 EP-5 CONC-8 CLOSE-1", NDK_ON_ALL,
	 "T-LS-07 1000 listeners (siw: 100) closed in random order from several threads: every address is free at once")
{
	struct many_listeners *m = (struct many_listeners *)kit_alloc(sizeof(*m));
	struct kit_listener *again;
	struct staged s;
	unsigned i;

	/* over TCP, closing a listener takes its time */
	m->count = conf_iwarp() && conf_place() == NDK_ON_K ? LISTEN_MANY / 10 : LISTEN_MANY;
	REQUIRE(stage_to(&s, STAGE_IDLE));
	for (i = 0; i < m->count; i++) {
		m->at[i] = kit_address(1, i & 1 ? NDK_V6 : NDK_V4, kit_fresh_port());
		m->l[i] = listen_at(s.b->adapter, &m->at[i]);
		REQUIRE(m->l[i] != (struct kit_listener *)0);
	}
	many_close_all(m);
	for (i = 0; i < m->count && !conf_failed(); i += 25) {
		again = listen_at(s.b->adapter, &m->at[i]);
		REQUIRE(again != (struct kit_listener *)0);
	}
	REQUIRE(stage_from_idle(&s, STAGE_UP));
}

CONF_CASES(listen2, CASE(listener_wildcard), CASE(listener_both_wildcards), CASE(listener_beside_shared),
	   CASE(listener_link_local), CASE(listener_many));
