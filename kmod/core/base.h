/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What every core file stands on: the interface's own types, an intrusive list, byte helpers and
 * the two questions the core may ask of its host (report a bug, trace a transition).
 *
 * Owner: the core. Any context, no lock of its own: whoever calls the core serialises the calls on
 * one struct ndk_host. The core uses no libc, no kernel header, no clock, no allocator.
 */
#ifndef NDK_CORE_BASE_H
#define NDK_CORE_BASE_H

#include <ndkpi/ndkpi.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ndk_link {
	struct ndk_link *next;
	struct ndk_link *prev;
};

static inline void ndk_link_init(struct ndk_link *head)
{
	head->next = head;
	head->prev = head;
}

static inline void ndk_link_add(struct ndk_link *head, struct ndk_link *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void ndk_link_del(struct ndk_link *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->next = node;
	node->prev = node;
}

static inline BOOLEAN ndk_link_empty(const struct ndk_link *head)
{
	return head->next == head;
}

#define NDK_CONTAINER(ptr, type, member) \
	((type *)(VOID *)((char *)(ptr) - __builtin_offsetof(type, member)))

static inline void ndk_copy(VOID *to, const VOID *from, SIZE_T n)
{
	__builtin_memcpy(to, from, n);
}

static inline void ndk_zero(VOID *to, SIZE_T n)
{
	__builtin_memset(to, 0, n);
}

static inline BOOLEAN ndk_same(const VOID *a, const VOID *b, SIZE_T n)
{
	return __builtin_memcmp(a, b, n) == 0;
}

static inline ULONG ndk_min(ULONG a, ULONG b)
{
	return a < b ? a : b;
}

/*
 * The host's half, implemented once per shell. ndk_port_bug() reports a broken invariant: the
 * harness aborts, the kernel warns once; the core then leaves the object as it was (quarantine).
 */
void ndk_port_bug(const char *what, const char *file, int line);

struct ndk_obj;
/* A state changed. machine, from, event, to are names from the row tables. */
void ndk_port_trace(const struct ndk_obj *obj, const char *machine, const char *from, const char *event,
		    const char *to);
/* An event arrived for which the machine has no row. */
void ndk_port_illegal(const struct ndk_obj *obj, const char *machine, const char *state, const char *event);

/*
 * For variables on the stack that are written before they are read, field by field: a kernel may be set
 * to clear them all, and the effect list of a core call is 1.2 KiB.
 */
#if defined(__has_attribute)
#if __has_attribute(__uninitialized__)
#define NDK_UNINIT __attribute__((__uninitialized__))
#endif
#endif
#ifndef NDK_UNINIT
#define NDK_UNINIT
#endif

#define NDK_ASSERT(cond)                                               \
	do {                                                           \
		if (!(cond))                                           \
			ndk_port_bug(#cond, __FILE__, __LINE__);       \
	} while (0)

#ifdef __cplusplus
}
#endif
#endif
