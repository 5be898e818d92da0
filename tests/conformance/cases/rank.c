/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Nodes that all listen and all connect to each other at once, and settle by rank which of the two
 * attempts between any two of them stands. Everything is decided inside the connect event. Nodes share
 * the two adapters. Runs where a case runs.
 */
#include "stages.h"

#define RANK_NODES 4

struct rank_node {
	unsigned rank;
	struct kit_side *side;
	struct kit_listener *listener;
	/* towards, and from, the node with that rank */
	struct kit_conn *out[RANK_NODES], *in[RANK_NODES];
	NDK_QP *out_qp[RANK_NODES], *in_qp[RANK_NODES];
	struct kit_call *connecting[RANK_NODES];
	long accepted, rejected, strange; /* with conf_lock() */
};

/* The lower rank's attempt stands, whatever has become of ours by now. */
static void rank_settle(struct kit_listener *l, struct kit_conn *c)
{
	struct rank_node *n = (struct rank_node *)l->arg;
	NDK_CONNECTOR *k = c->connector;
	UCHAR data[256];
	ULONG len = sizeof(data);
	BOOLEAN known;
	unsigned peer;
	unsigned long flags;

	known = k->Dispatch->NdkGetConnectionData(k, (ULONG *)0, (ULONG *)0, data, &len) == STATUS_SUCCESS && len >= 1;
	peer = known ? data[0] : RANK_NODES;
	known = peer < RANK_NODES && peer != n->rank && !n->in[peer];
	flags = conf_lock();
	n->strange += !known;
	n->accepted += known && peer < n->rank;
	n->rejected += known && peer > n->rank;
	conf_unlock(flags);
	if (known && peer < n->rank) {
		n->in[peer] = c;
		kit_begin_accept(c, n->in_qp[peer], NO_PARAMS, KIT_EVENT);
	} else {
		c->answered = kit_reject(c, (const VOID *)0, 0);
	}
}

static BOOLEAN rank_node(struct rank_node *n, unsigned rank, unsigned nodes)
{
	struct kit_address at = kit_address(rank & 1, NDK_V4, kit_fresh_port());
	unsigned i;

	memset(n, 0, sizeof(*n));
	n->rank = rank;
	n->side = kit_side(rank & 1);
	n->listener = n->side ? kit_create_listener(n->side->adapter) : (struct kit_listener *)0;
	if (!n->listener)
		return FALSE;
	n->listener->mode = KIT_CUSTOM;
	n->listener->custom = rank_settle;
	n->listener->arg = n;
	for (i = 0; i < nodes; i++) {
		if (i == rank)
			continue;
		n->out[i] = kit_create_connector(n->side->adapter);
		n->out_qp[i] = kit_another_qp(n->side);
		n->in_qp[i] = kit_another_qp(n->side);
		if (!n->out[i] || !n->out_qp[i] || !n->in_qp[i])
			return FALSE;
	}
	return CHECK_STATUS(kit_listen(n->listener, &at), STATUS_SUCCESS);
}

static void rank_connect_all(struct rank_node *node, unsigned nodes)
{
	unsigned i, j;

	for (i = 0; i < nodes; i++)
		for (j = 0; j < nodes; j++) {
			struct kit_address from = kit_address(i & 1, NDK_V4, 0);
			UCHAR rank = (UCHAR)i;
			struct kit_params p;

			if (i == j)
				continue;
			memset(&p, 0, sizeof(p));
			p.data = &rank;
			p.data_len = 1;
			node[i].connecting[j] = kit_begin_connect(node[i].out[j], node[i].out_qp[j], &from,
								  &node[j].listener->at, &p);
		}
}

/* One message from i to j over the one connection they have. */
static BOOLEAN rank_talks(struct rank_node *from, struct rank_node *to)
{
	struct kit_side a = *from->side, b = *to->side;

	a.qp = from->out_qp[to->rank];
	b.qp = to->in_qp[from->rank];
	return kit_send_recv_verify(&a, &b, 32) && kit_send_recv_verify(&b, &a, 32);
}

static void rank_pair(struct rank_node *low, struct rank_node *high)
{
	struct kit_conn *c = low->out[high->rank], *in;

	CHECK_STATUS(kit_wait(high->connecting[low->rank]), STATUS_CONNECTION_REFUSED);
	REQUIRE_STATUS(kit_wait(low->connecting[high->rank]), STATUS_SUCCESS);
	in = high->in[low->rank];
	REQUIRE(in != (struct kit_conn *)0);
	REQUIRE_STATUS(kit_complete(c), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_wait(in->accepting), STATUS_SUCCESS);
	CHECK(rank_talks(low, high));
}

static void rank_round(unsigned nodes)
{
	struct rank_node *node = (struct rank_node *)kit_alloc(nodes * sizeof(*node));
	unsigned i, j;

	for (i = 0; i < nodes; i++)
		REQUIRE(rank_node(&node[i], i, nodes));
	rank_connect_all(node, nodes);
	for (i = 0; i < nodes; i++)
		for (j = i + 1; j < nodes; j++)
			rank_pair(&node[i], &node[j]);
	for (i = 0; i < nodes; i++) {
		CHECK_EQ(node[i].listener->events, nodes - 1);
		CHECK_EQ(node[i].strange, 0);
		CHECK_EQ(node[i].accepted, i);
		CHECK_EQ(node[i].rejected, nodes - 1 - i);
	}
}

NDK_CASE(rank_settles, "CONN-13 CONN-23 LISTEN-7 LISTEN-8 REJ-5 CTR-1 CONC-8 CONC-9", NDK_ON_ALL,
	 "T-CN-23 two, then four nodes connect to each other at once: one connection for each two, all else refused")
{
	KIT_EACH_ANSWER(mode)
	{
		int round;

		for (round = 0; round < 3; round++) {
			rank_round(2);
			kit_close_all(KIT_ANY_ORDER);
			rank_round(RANK_NODES);
			kit_close_all(KIT_ANY_ORDER);
		}
	}
}

CONF_CASES(rank, CASE(rank_settles));
