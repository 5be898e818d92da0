/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The management plane: entry points, state, listings, counters, and being told about adapters. Runs
 * where a case runs; what changes the state of an adapter changes it back.
 */
#include <ndkpi/ndkpi_manage.h>

#include "../world.h"
#include "stages.h"

/* ---- being told ---- */
struct manage_ear {
	struct conf_signal heard;
	long count[NdkAdapterRemoved + 1]; /* about adapter 0; with conf_lock */
	PVOID registration;
};

static VOID manage_hear(PVOID Context, const char *Name, NDK_ADAPTER_EVENT Event)
{
	struct manage_ear *ear = (struct manage_ear *)Context;
	unsigned long flags = conf_lock();

	if (!strcmp(Name, conf_adapter_name(0)))
		ear->count[Event]++;
	conf_unlock(flags);
	conf_signal(&ear->heard);
}

static BOOLEAN manage_listen(struct manage_ear *ear)
{
	memset(ear, 0, sizeof(*ear));
	conf_signal_init(&ear->heard);
	return CHECK_STATUS(NdkRegisterAdapterEvents(manage_hear, ear, &ear->registration), STATUS_SUCCESS);
}

static long manage_count(struct manage_ear *ear, NDK_ADAPTER_EVENT event)
{
	unsigned long flags = conf_lock();
	long count = ear->count[event];

	conf_unlock(flags);
	return count;
}

static BOOLEAN manage_heard(struct manage_ear *ear, NDK_ADAPTER_EVENT event, long times)
{
	unsigned tries;

	for (tries = 0; tries < 20 && manage_count(ear, event) < times; tries++)
		conf_wait(&ear->heard, 500);
	return CHECK_EQ(manage_count(ear, event), times);
}

/* ---- entry points and capabilities ---- */
NDK_CASE(manage_entry_points, "MGMT-1 ADP-7 IRQL-2", NDK_ON_ALL,
	 "the provider's two entry points open and close an adapter")
{
	const NDIS_NDK_PROVIDER_CHARACTERISTICS *c = NdkProviderCharacteristics();
	NDIS_HANDLE handle = (NDIS_HANDLE)(ULONG_PTR)conf_adapter_name(0);
	NDIS_OPEN_NDK_ADAPTER_PARAMETERS p = { { 2, 1 }, 0, 0 };
	NDK_ADAPTER *a = (NDK_ADAPTER *)0;

	REQUIRE(c && c->OpenNDKAdapterHandler && c->CloseNDKAdapterHandler);
	CHECK_EQ(c->Flags, 0);
	REQUIRE_STATUS(c->OpenNDKAdapterHandler(handle, &p, &a), NDIS_STATUS_SUCCESS);
	CHECK_EQ(a->Header.ObjectType, NdkObjectTypeAdapter);
	c->CloseNDKAdapterHandler(handle, a);
	p.Version.Minor = 9;
	CHECK_STATUS(c->OpenNDKAdapterHandler(handle, &p, &a), NDIS_STATUS_BAD_VERSION);
	p.Version.Minor = 1;
	CHECK_STATUS(c->OpenNDKAdapterHandler((NDIS_HANDLE)(ULONG_PTR) "no such adapter", &p, &a),
		     NDIS_STATUS_ADAPTER_NOT_FOUND);
}

NDK_CASE(manage_capabilities, "MGMT-2 MGMT-9 MR-17 U-44", NDK_ON_ALL,
	 "capabilities are reported, also while NDK is disabled, and name the technology")
{
	NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES at;
	NDIS_NDK_CAPABILITIES caps;
	NDK_ADAPTER_INFO info;
	BOOLEAN on;

	for (on = TRUE;; on = FALSE) {
		memset(&caps, 0, sizeof(caps));
		caps.NdkInfo = &info;
		REQUIRE_STATUS(NdkSetState(conf_adapter_name(0), on, (ULONG *)0), STATUS_SUCCESS);
		CHECK_STATUS(NdkQueryAttributes(conf_adapter_name(0), &at, &caps), STATUS_SUCCESS);
		CHECK_EQ(at.Enabled, on);
		CHECK(at.NdkCapabilities == &caps && caps.NdkInfo == &info);
		CHECK(caps.MaxQpCount && caps.MaxCqCount && caps.MaxMrCount && caps.MaxPdCount && caps.MaxMwCount);
		CHECK_EQ(caps.MaxSrqCount != 0, info.MaxSrqDepth != 0);
		CHECK(info.FRMRPageCount >= 16);
		CHECK(conf_iwarp() ? info.RdmaTechnology == NdkiWarp : info.RdmaTechnology != NdkiWarp);
		if (!on)
			break;
	}
	CHECK_STATUS(NdkSetState(conf_adapter_name(0), TRUE, (ULONG *)0), STATUS_SUCCESS);
	CHECK_STATUS(NdkQueryAttributes("no such adapter", &at, &caps), NDIS_STATUS_ADAPTER_NOT_FOUND);
}

/* ---- state ---- */
NDK_CASE(manage_disabled, "ADP-2 MGMT-3", NDK_ON_ALL,
	 "T-AD-08 while NDK is switched off an adapter is not ready; switched on, it opens again")
{
	NDK_VERSION v = { 2, 1 };
	NDK_ADAPTER *a = (NDK_ADAPTER *)KIT_POISON;

	REQUIRE_STATUS(NdkSetState(conf_adapter_name(0), FALSE, (ULONG *)0), STATUS_SUCCESS);
	CHECK_STATUS(NdkOpenAdapter(conf_adapter_name(0), v, &a), NDIS_STATUS_ADAPTER_NOT_READY);
	CHECK((PVOID)a == KIT_POISON);
	REQUIRE_STATUS(NdkSetState(conf_adapter_name(0), TRUE, (ULONG *)0), STATUS_SUCCESS);
	CHECK(kit_open(0));
	CHECK_STATUS(NdkSetState("no such adapter", TRUE, (ULONG *)0), NDIS_STATUS_ADAPTER_NOT_FOUND);
}

NDK_CASE(manage_disable_in_use, "MGMT-3 MGMT-4 ADP-2", NDK_ON_ALL,
	 "T-DR-07 disabling waits for what is open, tells its consumers, and keeps others out")
{
	struct kit_pair *p = kit_pair_up(NDK_V4);
	const char *name = conf_adapter_name(0);
	NDK_VERSION v = { 2, 1 };
	struct manage_ear ear;
	NDK_ADAPTER *other;
	ULONG open = 0;

	REQUIRE(p);
	REQUIRE(manage_listen(&ear));
	manage_heard(&ear, NdkAdapterArrived, 1);
	CHECK_STATUS(NdkSetState(name, FALSE, &open), STATUS_SUCCESS);
	CHECK(open >= 1);
	manage_heard(&ear, NdkAdapterDisabling, 1);
	CHECK_STATUS(NdkOpenAdapter(name, v, &other), NDIS_STATUS_ADAPTER_NOT_READY);
	CHECK(kit_send_recv_verify(p->a, p->b, 100)); /* what is open goes on */
	CHECK_STATUS(NdkSetState(name, FALSE, &open), STATUS_SUCCESS);
	CHECK(open >= 1);
	CHECK(kit_part(p));
	kit_close_all(KIT_CHILDREN_FIRST);
	CHECK_STATUS(NdkSetState(name, FALSE, &open), STATUS_SUCCESS);
	CHECK_EQ(open, 0);
	CHECK_EQ(ear.count[NdkAdapterDisabling], 1); /* told once, however often it is asked for */
	CHECK_STATUS(NdkSetState(name, TRUE, &open), STATUS_SUCCESS);
	manage_heard(&ear, NdkAdapterEnabled, 1);
	NdkDeregisterAdapterEvents(ear.registration);
	CHECK(kit_open(0));
}

NDK_CASE(manage_removed_idle, "U-45 ADP-4", NDK_ON_ALL,
	 "T-DR-01 a device goes while an adapter is open and nothing else; its consumer is told")
{
	struct manage_ear ear;
	NDK_ADAPTER *a = kit_open(0);
	NDK_VERSION v = { 2, 1 };
	NDK_ADAPTER *other = (NDK_ADAPTER *)0;
	NDIS_STATUS status;

	REQUIRE(a);
	REQUIRE(manage_listen(&ear));
	if (!conf_remove(0)) {
		NdkDeregisterAdapterEvents(ear.registration);
		SKIP("devices cannot be removed here");
	}
	manage_heard(&ear, NdkAdapterRemoved, 1);
	status = NdkOpenAdapter(conf_adapter_name(0), v, &other);
	CHECK(status == NDIS_STATUS_ADAPTER_NOT_FOUND || status == NDIS_STATUS_ADAPTER_NOT_READY);
	kit_close_adapter(a);
	CHECK(conf_return(0));
	manage_heard(&ear, NdkAdapterArrived, 2);
	NdkDeregisterAdapterEvents(ear.registration);
	CHECK(kit_open(0));
}

/* ---- listings ---- */
static ULONG manage_connections(const char *name, const struct kit_address *local, const struct kit_address *peer)
{
	ULONG size = 0, i, found = 0;
	NDIS_NDK_CONNECTIONS *c;
	struct kit_address at;

	if (!CHECK_STATUS(NdkQueryConnections(name, (NDIS_NDK_CONNECTIONS *)0, &size), STATUS_BUFFER_TOO_SMALL))
		return 0;
	c = (NDIS_NDK_CONNECTIONS *)kit_alloc(size);
	if (!c || !CHECK_STATUS(NdkQueryConnections(name, c, &size), STATUS_SUCCESS))
		return 0;
	CHECK(!c->NDConnectionsMappedtoTCPConnections);
	for (i = 0; i < c->Count; i++) {
		memset(&at, 0, sizeof(at));
		memcpy(&at.at, &c->Connections[i].Remote, sizeof(SOCKADDR_INET));
		if (!kit_same_address(&at, peer))
			continue;
		memcpy(&at.at, &c->Connections[i].Local, sizeof(SOCKADDR_INET));
		found += kit_same_address(&at, local);
		CHECK_EQ(c->Connections[i].UserModeOwner, conf_place() != NDK_ON_K);
		CHECK_EQ(c->Connections[i].OwnerPid != 0, conf_place() != NDK_ON_K);
	}
	return found;
}

/* Bit 0: as a listener, bit 1: as a shared endpoint. */
static unsigned manage_endpoints(const char *name, const struct kit_address *where)
{
	NDIS_NDK_LOCAL_ENDPOINTS *e;
	struct kit_address at;
	unsigned found = 0;
	ULONG size = 0, i;

	if (!CHECK_STATUS(NdkQueryLocalEndpoints(name, (NDIS_NDK_LOCAL_ENDPOINTS *)0, &size), STATUS_BUFFER_TOO_SMALL))
		return 0;
	e = (NDIS_NDK_LOCAL_ENDPOINTS *)kit_alloc(size);
	if (!e || !CHECK_STATUS(NdkQueryLocalEndpoints(name, e, &size), STATUS_SUCCESS))
		return 0;
	CHECK(!e->NDLocalEndpointsMappedtoTCPLocalEndpoints);
	for (i = 0; i < e->Count; i++) {
		memset(&at, 0, sizeof(at));
		memcpy(&at.at, &e->LocalEndpoints[i].Local, sizeof(SOCKADDR_INET));
		if (kit_same_address(&at, where))
			found |= e->LocalEndpoints[i].Listener ? 1u : 2u;
	}
	return found;
}

NDK_CASE(manage_listing, "MGMT-5 MGMT-6 MGMT-7 ADDR-3", NDK_ON_ALL,
	 "T-UA-01 listeners, shared endpoints and connections are listed as what they are, when they are")
{
	struct kit_address shared_at = kit_address(0, NDK_V4, kit_fresh_port()), local, peer;
	const char *active = conf_adapter_name(0), *passive = conf_adapter_name(1);
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_ACCEPTED));
	REQUIRE(kit_create_shared(s.a->adapter, &shared_at));
	local = kit_local_address(s.ca->connector);
	peer = kit_peer_address(s.ca->connector);
	CHECK_EQ(manage_endpoints(passive, &s.b->listener->at), 1);
	CHECK_EQ(manage_endpoints(active, &shared_at), 2);
	CHECK_EQ(manage_connections(active, &local, &peer), 0); /* not yet established */
	REQUIRE(stage_complete(&s));
	CHECK_EQ(manage_connections(active, &local, &peer), 1);
	CHECK_EQ(manage_connections(passive, &peer, &local), 1);
	REQUIRE(stage_leave(&s) && stage_part(&s));
	CHECK_EQ(manage_connections(active, &local, &peer), 0);
	CHECK_EQ(manage_connections(passive, &peer, &local), 0);
	CHECK(KIT_CLOSED(s.b->conn->connector));
	CHECK(KIT_CLOSED(s.b->listener->listener));
	CHECK_EQ(manage_endpoints(passive, &s.b->listener->at), 0);
}

NDK_CASE(manage_statistics, "MGMT-8 DISC-6", NDK_ON_ALL,
	 "T-UA-02 counters move by exactly what was done, and what is not counted is announced as missing")
{
	struct kit_address nowhere = kit_address(1, NDK_V4, kit_fresh_port());
	NDIS_NDK_STATISTICS_INFO before, up, after;
	NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES at;
	const char *name = conf_adapter_name(0);
	NDIS_NDK_CAPABILITIES caps;
	struct kit_pair *p;
	struct kit_conn *c;
	ULONG64 both = conf_adapter_name(1) == name || !strcmp(name, conf_adapter_name(1));
	NDK_QP *qp;

	p = kit_pair(NDK_V4);
	REQUIRE(p);
	REQUIRE_STATUS(NdkQueryStatistics(name, &before), STATUS_SUCCESS);
	REQUIRE(kit_establish(p, (const struct kit_params *)0, (const struct kit_params *)0));
	REQUIRE_STATUS(NdkQueryStatistics(name, &up), STATUS_SUCCESS);
	CHECK_EQ(up.CounterSet.Connect - before.CounterSet.Connect, 1);
	CHECK_EQ(up.CounterSet.Accept - before.CounterSet.Accept, both);
	CHECK_EQ(up.CounterSet.ActiveConnection - before.CounterSet.ActiveConnection, 1 + both);
	c = kit_create_connector(p->a->adapter);
	qp = kit_another_qp(p->a);
	REQUIRE(c && qp);
	{
		struct kit_address from = kit_address(0, NDK_V4, 0);

		CHECK_STATUS(kit_connect(c, qp, &from, &nowhere, (const struct kit_params *)0),
			     STATUS_CONNECTION_REFUSED);
	}
	CHECK(kit_part(p));
	REQUIRE_STATUS(NdkQueryStatistics(name, &after), STATUS_SUCCESS);
	CHECK_EQ(after.CounterSet.ConnectFailure - before.CounterSet.ConnectFailure, 1);
	CHECK_EQ(after.CounterSet.ConnectionError, before.CounterSet.ConnectionError);
	CHECK_EQ(after.CounterSet.ActiveConnection, before.CounterSet.ActiveConnection);
	CHECK_EQ(after.CounterSet.Reserved01 | after.CounterSet.Reserved20, 0);
	memset(&caps, 0, sizeof(caps));
	REQUIRE_STATUS(NdkQueryAttributes(name, &at, &caps), STATUS_SUCCESS);
	CHECK_EQ(caps.MissingCounterMask, 0x3c000000); /* octets and frames */
	CHECK_EQ(after.CounterSet.RDMAInOctets | after.CounterSet.RDMAOutFrames, 0);
}

/* The host part alone: a list of addresses has no ports, and may know scopes. */
static BOOLEAN manage_same(const SOCKADDR_INET *one, const struct kit_address *other)
{
	if (one->si_family != other->at.ss_family)
		return FALSE;
	if (one->si_family == AF_INET)
		return !memcmp(&one->Ipv4.sin_addr, &((const struct sockaddr_in *)&other->at)->sin_addr, 4);
	return !memcmp(&one->Ipv6.sin6_addr, &((const struct sockaddr_in6 *)&other->at)->sin6_addr, 16);
}

NDK_CASE(manage_addresses, "ADP-8 ADDR-1", NDK_ON_ALL,
	 "T-AD-09 two addresses of each family: the list tells its size, names each once, each finds and opens the adapter")
{
	NDK_VERSION v = { 2, 1 };
	SOCKADDR_INET *list;
	ULONG size = 0, i, j, v4 = 0, v6 = 0, there = 0;
	struct kit_address second[2];
	char name[64];

	if (!world_address(0, NDK_V4, 0, &second[0].at, &second[0].len) ||
	    !world_address(0, NDK_V6, 0, &second[1].at, &second[1].len))
		SKIP(WORLD_NONE);
	REQUIRE_STATUS(NdkQueryAddresses(conf_adapter_name(0), (SOCKADDR_INET *)0, &size), STATUS_BUFFER_TOO_SMALL);
	list = (SOCKADDR_INET *)kit_alloc(size);
	REQUIRE(list);
	REQUIRE_STATUS(NdkQueryAddresses(conf_adapter_name(0), list, &size), STATUS_SUCCESS);
	for (i = 0; i < size / sizeof(*list); i++) {
		NDK_ADAPTER *a = (NDK_ADAPTER *)0;

		v4 += list[i].si_family == AF_INET;
		v6 += list[i].si_family == AF_INET6;
		there += manage_same(&list[i], &second[list[i].si_family == AF_INET6]);
		for (j = 0; j < i; j++)
			CHECK(memcmp(&list[i], &list[j], sizeof(*list)) != 0);
		REQUIRE_STATUS(NdkFindAdapter((struct sockaddr *)(PVOID)&list[i], (ULONG)sizeof(*list), name,
					      (ULONG)sizeof(name)),
			       STATUS_SUCCESS);
		CHECK(!strcmp(name, conf_adapter_name(0)));
		REQUIRE_STATUS(NdkOpenAdapter(name, v, &a), STATUS_SUCCESS);
		NdkCloseAdapter(a);
	}
	CHECK(v4 >= 2 && v6 >= 2);
	CHECK_EQ(there, 2);
	CHECK_EQ(v4 + v6, size / sizeof(*list));
	CHECK_STATUS(NdkFindAdapter((struct sockaddr *)(PVOID)list, 3, name, (ULONG)sizeof(name)),
		     STATUS_INVALID_ADDRESS);
	CHECK_STATUS(NdkFindAdapter((struct sockaddr *)(PVOID)list, (ULONG)sizeof(*list), name, 2),
		     NDIS_STATUS_ADAPTER_NOT_FOUND);
}

CONF_CASES(manage, CASE(manage_addresses), CASE(manage_entry_points), CASE(manage_capabilities), CASE(manage_disabled),
	   CASE(manage_disable_in_use), CASE(manage_removed_idle), CASE(manage_listing), CASE(manage_statistics));
