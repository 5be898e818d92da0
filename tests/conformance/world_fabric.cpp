// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The world around the fabric: it has further addresses to give and nothing else, neither scopes nor
 * neighbours nor programs of others. The fabric forgets them when it is set up for the next case.
 */
#include "world.h"

#include <ndk_fabric.h>

#include <arpa/inet.h>
#include <string>

BOOLEAN world_address(unsigned which, conf_family family, USHORT port, sockaddr_storage *out, ULONG *len)
{
	const std::string text = (family == NDK_V4 ? "192.0.2." : "2001:db8::") + std::to_string(which + 101);

	*len = conf_address(which, family, port, out);
	if (family == NDK_V4)
		inet_pton(AF_INET, text.c_str(), &reinterpret_cast<sockaddr_in *>(out)->sin_addr);
	else
		inet_pton(AF_INET6, text.c_str(), &reinterpret_cast<sockaddr_in6 *>(out)->sin6_addr);
	/* Refused when it is there already, and that is as good. */
	ndk_fabric_add_address(static_cast<int>(which), text.c_str());
	return TRUE;
}

BOOLEAN world_link_local(unsigned, USHORT, sockaddr_storage *, ULONG *)
{
	return FALSE;
}

BOOLEAN world_move_address(conf_family, world_where)
{
	return FALSE;
}

BOOLEAN world_neighbour(const sockaddr_storage *, unsigned)
{
	return FALSE;
}

BOOLEAN world_peer_start(const sockaddr_storage *)
{
	return FALSE;
}

BOOLEAN world_peer_freeze(void)
{
	return FALSE;
}

BOOLEAN world_peer_kill(void)
{
	return FALSE;
}

void world_end(void)
{
}
