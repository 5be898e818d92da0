/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * From the errno and reject reasons of the connection manager to NTSTATUS, in one place for all
 * shells: librdmacm and the kernel number them alike. Pure.
 */
#include "connector.h"

/* Linux errno values; the core includes no errno header, and these are ABI. */
enum {
	E_NOMEM = 12,
	E_ACCES = 13,
	E_NODEV = 19,
	E_INVAL = 22,
	E_MFILE = 24,
	E_PIPE = 32,
	E_NODATA = 61,
	E_PROTO = 71,
	E_AFNOSUPPORT = 97,
	E_ADDRINUSE = 98,
	E_ADDRNOTAVAIL = 99,
	E_NETDOWN = 100,
	E_NETUNREACH = 101,
	E_CONNABORTED = 103,
	E_CONNRESET = 104,
	E_NOBUFS = 105,
	E_NOTCONN = 107,
	E_TIMEDOUT = 110,
	E_CONNREFUSED = 111,
	E_HOSTUNREACH = 113
};

static int positive(int err)
{
	return err < 0 ? -err : err;
}

NTSTATUS ndk_status_local(int err)
{
	switch (positive(err)) {
	case E_NOMEM:
	case E_NOBUFS:
	case E_MFILE:
		return STATUS_INSUFFICIENT_RESOURCES;
	case E_NODEV:
		return STATUS_DEVICE_REMOVED;
	case E_TIMEDOUT:
		return STATUS_IO_TIMEOUT;
	case E_INVAL:
		return STATUS_INVALID_PARAMETER;
	default:
		return STATUS_INTERNAL_ERROR;
	}
}

NTSTATUS ndk_status_bind(int err)
{
	switch (positive(err)) {
	case E_ADDRINUSE:
	case E_ADDRNOTAVAIL: /* the address itself was checked before: a wildcard owner has the port */
		return STATUS_SHARING_VIOLATION;
	case E_NODEV:
	case E_AFNOSUPPORT:
	case E_INVAL:
		return STATUS_INVALID_ADDRESS;
	default:
		return ndk_status_local(err);
	}
}

NTSTATUS ndk_status_resolve(int err)
{
	switch (positive(err)) {
	case E_NETUNREACH:
	case E_NETDOWN:
	case E_NODEV: /* the route leaves through something that is no RDMA device */
		return STATUS_NETWORK_UNREACHABLE;
	case E_HOSTUNREACH:
	case E_TIMEDOUT: /* nobody answered address resolution */
	case E_NODATA:
		return STATUS_HOST_UNREACHABLE;
	case E_ADDRNOTAVAIL:
		return STATUS_INVALID_ADDRESS;
	case E_CONNREFUSED:
	case E_CONNRESET:
		return STATUS_CONNECTION_REFUSED;
	default:
		return ndk_status_local(err);
	}
}

NTSTATUS ndk_status_reject_connecting(UCHAR transport, int reason)
{
	if (transport == NDK_TRANSPORT_IWARP)
		return positive(reason) == E_TIMEDOUT ? STATUS_IO_TIMEOUT : STATUS_CONNECTION_REFUSED;
	switch (reason) {
	case NDK_REJ_TIMEOUT:
		return STATUS_IO_TIMEOUT;
	case NDK_REJ_INVALID_GID:
	case NDK_REJ_INVALID_LID:
	case NDK_REJ_PORT_REDIRECT:
	case NDK_REJ_PORT_CM_REDIRECT:
		return STATUS_HOST_UNREACHABLE;
	default:
		return STATUS_CONNECTION_REFUSED;
	}
}

/* The CM gave up asking. A handshake that the peer of a two-way CM broke off has many names, by how far it had got. */
static NTSTATUS unanswered(int err)
{
	switch (positive(err)) {
	case E_INVAL:
	case E_PIPE:
	case E_PROTO:
	case E_CONNABORTED:
	case E_NOTCONN:
		return STATUS_CONNECTION_REFUSED;
	case E_TIMEDOUT:
		return STATUS_IO_TIMEOUT;
	case E_ADDRINUSE: /* a socket that is none of the CM's has the port (CONN-16) */
		return STATUS_SHARING_VIOLATION;
	case E_ADDRNOTAVAIL:
		return STATUS_ADDRESS_ALREADY_EXISTS;
	default:
		return ndk_status_resolve(err);
	}
}

/* Establishment under way, the peer known: what is not a timeout is an abandonment. */
static NTSTATUS midway(int err)
{
	switch (positive(err)) {
	case E_TIMEDOUT:
		return STATUS_IO_TIMEOUT;
	case E_NOMEM:
	case E_NOBUFS:
		return STATUS_INSUFFICIENT_RESOURCES;
	default:
		return STATUS_CONNECTION_ABORTED;
	}
}

/*
 * The one table from (CM event, what the connector is doing) to (event of the machine, status).
 * connecting: the connect request pends. Otherwise the peer has been heard of.
 */
unsigned ndk_cm_translate(UCHAR transport, BOOLEAN connecting, BOOLEAN disconnecting, const struct ndk_cm_news *n,
			  NTSTATUS *status)
{
	switch (n->event) {
	case NDK_CM_RESPONSE:
		*status = STATUS_SUCCESS;
		return NDK_CONN_EV_RESPONSE;
	case NDK_CM_ESTABLISHED:
		*status = STATUS_SUCCESS;
		return NDK_CONN_EV_ESTABLISH;
	case NDK_CM_ADDR_ERROR:
	case NDK_CM_ROUTE_ERROR:
		*status = ndk_status_resolve(n->err);
		return NDK_CONN_EV_UNREACHABLE;
	case NDK_CM_BIND_ERROR:
		*status = ndk_status_bind(n->err);
		return NDK_CONN_EV_UNREACHABLE;
	case NDK_CM_CONNECT_ERROR:
		*status = connecting ? unanswered(n->err) : midway(n->err);
		return NDK_CONN_EV_UNREACHABLE;
	case NDK_CM_UNREACHABLE:
		*status = STATUS_IO_TIMEOUT;
		return NDK_CONN_EV_UNREACHABLE;
	case NDK_CM_REJECTED:
		*status = STATUS_CONNECTION_ABORTED;
		if (connecting)
			*status = ndk_status_reject_connecting(transport, n->err);
		else if (transport == NDK_TRANSPORT_IB && n->err == NDK_REJ_TIMEOUT)
			*status = STATUS_IO_TIMEOUT;
		return NDK_CONN_EV_REJECTED;
	case NDK_CM_DISCONNECTED:
		if (n->err) {
			*status = midway(n->err);
			return NDK_CONN_EV_UNREACHABLE;
		}
		*status = disconnecting ? STATUS_SUCCESS : STATUS_CONNECTION_ABORTED;
		if (connecting)
			*status = STATUS_CONNECTION_REFUSED;
		return NDK_CONN_EV_BYE;
	default:
		*status = connecting ? ndk_status_local(n->err) : midway(n->err);
		return NDK_CONN_EV_FAULT;
	}
}
