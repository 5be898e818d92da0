/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What cases ask of the machine around the provider: addresses that come and go, neighbours that
 * change, a peer that is somebody else's program. FALSE where the place cannot (the case then skips
 * with WORLD_NONE or a better reason). In the kernel they take the module's parameter commands=1: a
 * machine for tests, whose network may be changed.
 *
 * Implemented by world_fabric.cpp and world_kernel.c. May sleep. The runner's environment undoes, at
 * the end of a case, what the case did not.
 */
#ifndef CONF_WORLD_H
#define CONF_WORLD_H

#include "conf.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WORLD_NONE "this place has no network that could be changed (in the kernel: commands=1)"

/* A further address of adapter `which`, the same at each call of a case. */
BOOLEAN world_address(unsigned which, enum conf_family family, USHORT port, struct sockaddr_storage *out, ULONG *len);
/* The link-local IPv6 address of adapter `which`, with its scope. */
BOOLEAN world_link_local(unsigned which, USHORT port, struct sockaddr_storage *out, ULONG *len);
/* The address of adapter 0 in this family leaves its interface, goes to another one, comes back. */
enum world_where { WORLD_AWAY, WORLD_ELSEWHERE, WORLD_BACK };
BOOLEAN world_move_address(enum conf_family family, enum world_where where);
/* The neighbour of that address changes: another link address each turn, none every fourth. */
BOOLEAN world_neighbour(const struct sockaddr_storage *of, unsigned turn);
/*
 * A process of another program (rping) listens there and takes one connection; it reads what it is told
 * to read. It can be frozen, and it is killed without warning.
 */
BOOLEAN world_peer_start(const struct sockaddr_storage *at);
BOOLEAN world_peer_freeze(void);
BOOLEAN world_peer_kill(void);

/* ---- by the environment ---- */
void world_end(void);

#ifdef __cplusplus
}
#endif
#endif
