/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The management plane (ndkpi_manage.h) as far as it is the same everywhere: state, listings,
 * counters. May sleep; works under the host's lock. Telling consumers is the shell's
 * (ndk_shell_ops.announce).
 */
#include <ndkpi/ndkpi.h>
#include <ndkpi/ndkpi_manage.h>

#include "internal.h"
#include "control.h"

#define BUSY_COUNTERS 0x3c000000ull /* 26..29: what the device moved it does not tell us */

/* ---- entry points as NDIS wants them ---- */
static NDIS_STATUS open_handler(NDIS_HANDLE context, NDIS_OPEN_NDK_ADAPTER_PARAMETERS *p, NDK_ADAPTER **out)
{
	if (!context || !p || !out)
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	return NdkOpenAdapter((const char *)context, p->Version, out);
}

static VOID close_handler(NDIS_HANDLE context, NDK_ADAPTER *adapter)
{
	(void)context;
	NdkCloseAdapter(adapter);
}

const NDIS_NDK_PROVIDER_CHARACTERISTICS *NdkProviderCharacteristics(VOID)
{
	static const NDIS_NDK_PROVIDER_CHARACTERISTICS c = {
		{ 0, 1, (USHORT)sizeof(NDIS_NDK_PROVIDER_CHARACTERISTICS) }, 0, open_handler, close_handler
	};

	return &c;
}

static void header(NDIS_OBJECT_HEADER *h, SIZE_T size)
{
	h->Type = 0;
	h->Revision = 1;
	h->Size = (USHORT)size;
}

/* ---- state ---- */
NTSTATUS NdkQueryAttributes(const char *Name, NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES *pAttributes,
			    NDIS_NDK_CAPABILITIES *pCapabilities)
{
	NDK_ADAPTER_INFO *info;
	struct ndk_site *s;
	struct ndk_call k NDK_UNINIT;

	if (!pAttributes || !pCapabilities)
		return STATUS_INVALID_PARAMETER;
	s = ndk_shell_site_get(Name);
	if (!s)
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	info = pCapabilities->NdkInfo;
	ndk_call_begin(&k, &s->host);
	*pCapabilities = s->host.caps;
	if (info)
		*info = s->host.info;
	pAttributes->Enabled = !s->host.disabled;
	ndk_call_end(&k);
	if (info) {
		info->Version.Major = 2;
		info->Version.Minor = 1;
	}
	pCapabilities->NdkInfo = info;
	pCapabilities->MissingCounterMask = BUSY_COUNTERS;
	header(&pCapabilities->Header, sizeof(*pCapabilities));
	header(&pAttributes->Header, sizeof(*pAttributes));
	pAttributes->NdkCapabilities = pCapabilities;
	ndk_shell_site_put(s);
	return STATUS_SUCCESS;
}

NTSTATUS NdkSetState(const char *Name, BOOLEAN Enable, ULONG *pOpen)
{
	struct ndk_site *s = ndk_shell_site_get(Name);
	NTSTATUS status = STATUS_SUCCESS;
	BOOLEAN changed = FALSE;
	struct ndk_call k NDK_UNINIT;

	if (!s)
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	ndk_call_begin(&k, &s->host);
	if (Enable && s->host.forbidden) {
		status = STATUS_INVALID_DEVICE_STATE;
	} else {
		changed = s->host.disabled == (Enable ? 1 : 0);
		s->host.disabled = Enable ? 0 : 1;
		if (pOpen)
			*pOpen = Enable ? 0 : s->host.live[NdkObjectTypeAdapter];
	}
	ndk_call_end(&k);
	if (changed && s->ops->announce)
		s->ops->announce(&s->host, Enable ? NdkAdapterEnabled : NdkAdapterDisabling);
	ndk_shell_site_put(s);
	return status;
}

NTSTATUS NdkQueryStatistics(const char *Name, NDIS_NDK_STATISTICS_INFO *pStatistics)
{
	NDIS_NDK_PERFORMANCE_COUNTERS *out;
	struct ndk_counters c;

	if (!pStatistics)
		return STATUS_INVALID_PARAMETER;
	if (ndk_control_counters(Name, &c))
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	ndk_zero(pStatistics, sizeof(*pStatistics));
	header(&pStatistics->Header, sizeof(*pStatistics));
	out = &pStatistics->CounterSet;
	out->Connect = c.connect;
	out->Accept = c.accept;
	out->ConnectFailure = c.connect_fail;
	out->ConnectionError = c.conn_error;
	out->ActiveConnection = c.active;
	out->CQError = c.cq_error;
	return STATUS_SUCCESS;
}

/* ---- listings ---- */
static void give_address(SOCKADDR_INET *to, const struct ndk_addr *from)
{
	ULONG len = (ULONG)sizeof(*to);

	ndk_zero(to, sizeof(*to));
	ndk_addr_give(from, to, &len);
}

static BOOLEAN is_connection(const struct ndk_obj *o)
{
	return o->type == NdkObjectTypeConnector && ((const struct ndk_connector *)o)->state == NDK_CONN_ESTABLISHED;
}

static BOOLEAN is_endpoint(const struct ndk_obj *o)
{
	if (o->type == NdkObjectTypeListener)
		return ((const struct ndk_listener *)o)->state == NDK_LISTENER_LISTENING;
	return o->type == NdkObjectTypeSharedEndpoint && o->life == NDK_LIFE_LIVE;
}

/* Calls fn for every object of the host that is of that kind; returns how many. Under the lock. */
static ULONG each(struct ndk_host *h, BOOLEAN (*is)(const struct ndk_obj *o),
		  void (*fn)(VOID *ctx, ULONG i, const struct ndk_obj *o), VOID *ctx)
{
	struct ndk_link *i, *j;
	struct ndk_adapter *a;
	struct ndk_obj *o;
	ULONG n = 0;

	for (i = h->adapters.next; i != &h->adapters; i = i->next) {
		a = NDK_CONTAINER(i, struct ndk_adapter, link);
		for (j = a->objects.next; j != &a->objects; j = j->next) {
			o = NDK_CONTAINER(j, struct ndk_obj, sibling);
			if (!is(o))
				continue;
			if (fn)
				fn(ctx, n, o);
			n++;
		}
	}
	return n;
}

static void put_connection(VOID *ctx, ULONG i, const struct ndk_obj *o)
{
	NDIS_NDK_CONNECTION_ENTRY *e = &((NDIS_NDK_CONNECTIONS *)ctx)->Connections[i];
	const struct ndk_connector *c = (const struct ndk_connector *)o;
	ULONG len = (ULONG)sizeof(e->Local);

	ndk_zero(e, sizeof(*e));
	ndk_connector_local_address(c, &e->Local, &len);
	len = (ULONG)sizeof(e->Remote);
	ndk_connector_peer_address(c, &e->Remote, &len);
	e->OwnerPid = o->host->owner_pid;
	e->UserModeOwner = o->host->owner_pid != 0;
}

static void put_endpoint(VOID *ctx, ULONG i, const struct ndk_obj *o)
{
	NDIS_NDK_LOCAL_ENDPOINT_ENTRY *e = &((NDIS_NDK_LOCAL_ENDPOINTS *)ctx)->LocalEndpoints[i];

	ndk_zero(e, sizeof(*e));
	e->Listener = o->type == NdkObjectTypeListener;
	give_address(&e->Local, e->Listener ? &((const struct ndk_listener *)o)->ep.addr :
					      &((const struct ndk_shared *)o)->ep.addr);
	e->OwnerPid = o->host->owner_pid;
	e->UserModeOwner = o->host->owner_pid != 0;
}

NTSTATUS NdkQueryConnections(const char *Name, NDIS_NDK_CONNECTIONS *pConnections, ULONG *pSize)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct ndk_site *s;
	struct ndk_call k NDK_UNINIT;
	SIZE_T need;
	ULONG n;

	if (!pSize || (*pSize && !pConnections))
		return STATUS_INVALID_PARAMETER;
	s = ndk_shell_site_get(Name);
	if (!s)
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	ndk_call_begin(&k, &s->host);
	n = each(&s->host, is_connection, (void (*)(VOID *, ULONG, const struct ndk_obj *))0, (VOID *)0);
	need = __builtin_offsetof(NDIS_NDK_CONNECTIONS, Connections) + n * sizeof(NDIS_NDK_CONNECTION_ENTRY);
	if (*pSize < need) {
		status = STATUS_BUFFER_TOO_SMALL;
	} else {
		header(&pConnections->Header, sizeof(*pConnections));
		pConnections->Flags = 0;
		pConnections->Count = n;
		pConnections->NDConnectionsMappedtoTCPConnections = FALSE; /* MGMT-7, ADDR-3 */
		each(&s->host, is_connection, put_connection, pConnections);
	}
	*pSize = (ULONG)need;
	ndk_call_end(&k);
	ndk_shell_site_put(s);
	return status;
}

NTSTATUS NdkQueryLocalEndpoints(const char *Name, NDIS_NDK_LOCAL_ENDPOINTS *pEndpoints, ULONG *pSize)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct ndk_site *s;
	struct ndk_call k NDK_UNINIT;
	SIZE_T need;
	ULONG n;

	if (!pSize || (*pSize && !pEndpoints))
		return STATUS_INVALID_PARAMETER;
	s = ndk_shell_site_get(Name);
	if (!s)
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	ndk_call_begin(&k, &s->host);
	n = each(&s->host, is_endpoint, (void (*)(VOID *, ULONG, const struct ndk_obj *))0, (VOID *)0);
	need = __builtin_offsetof(NDIS_NDK_LOCAL_ENDPOINTS, LocalEndpoints) +
	       n * sizeof(NDIS_NDK_LOCAL_ENDPOINT_ENTRY);
	if (*pSize < need) {
		status = STATUS_BUFFER_TOO_SMALL;
	} else {
		header(&pEndpoints->Header, sizeof(*pEndpoints));
		pEndpoints->Flags = 0;
		pEndpoints->Count = n;
		pEndpoints->NDLocalEndpointsMappedtoTCPLocalEndpoints = FALSE;
		each(&s->host, is_endpoint, put_endpoint, pEndpoints);
	}
	*pSize = (ULONG)need;
	ndk_call_end(&k);
	ndk_shell_site_put(s);
	return status;
}

/* ---- addresses ---- */
static ULONG addresses(const struct ndk_host *h, SOCKADDR_INET *out)
{
	const struct ndk_local *l;
	struct ndk_link *i;
	ULONG n = 0;

	for (i = h->locals.next; i != &h->locals; i = i->next) {
		l = NDK_CONTAINER(i, struct ndk_local, link);
		if (l->gone)
			continue;
		if (out)
			give_address(&out[n], &l->addr);
		n++;
	}
	return n;
}

NTSTATUS NdkQueryAddresses(const char *Name, SOCKADDR_INET *pAddresses, ULONG *pSize)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct ndk_site *s;
	struct ndk_call k NDK_UNINIT;
	ULONG need;

	if (!pSize || (*pSize && !pAddresses))
		return STATUS_INVALID_PARAMETER;
	s = ndk_shell_site_get(Name);
	if (!s)
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	ndk_call_begin(&k, &s->host);
	need = addresses(&s->host, (SOCKADDR_INET *)0) * (ULONG)sizeof(SOCKADDR_INET);
	if (*pSize < need)
		status = STATUS_BUFFER_TOO_SMALL;
	else
		addresses(&s->host, pAddresses);
	*pSize = need;
	ndk_call_end(&k);
	ndk_shell_site_put(s);
	return status;
}

NTSTATUS NdkFindAdapter(const struct sockaddr *pAddress, ULONG AddressLength, char *Name, ULONG Size)
{
	struct ndk_addr a;

	if (!Name || !Size)
		return STATUS_INVALID_PARAMETER;
	if (!ndk_addr_parse(pAddress, AddressLength, &a))
		return STATUS_INVALID_ADDRESS;
	return ndk_shell_name_at(&a, Name, Size) ? STATUS_SUCCESS : NDIS_STATUS_ADAPTER_NOT_FOUND;
}
