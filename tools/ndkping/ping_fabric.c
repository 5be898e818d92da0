// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Driving a deterministic fabric: the main program and at most one coroutine take turns on one
 * thread, and whoever waits pumps. So a run of ndkping is a function of its seed.
 *
 * All of it belongs to the main thread; no lock.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <ucontext.h>

#include <ndk_fabric.h>

#include "ping_user.h"

#define STACK_BYTES (256u << 10)
/* Pumps without an event after which nobody can have anything left to do. */
#define IDLE_PUMPS 3

struct ping_coroutine {
	ucontext_t self;
	VOID (*run)(PVOID);
	PVOID arg;
	BOOLEAN finished;
	char *stack;
};

static BOOLEAN driven;
static ULONG looked; /* of main program and coroutine, since something happened */
static ULONG idle; /* pumps without an event since then */
static struct ping_coroutine *other;
static ucontext_t main_program;
static BOOLEAN in_main = TRUE;

VOID ping_fabric_drive(VOID)
{
	driven = TRUE;
}

BOOLEAN ping_fabric_driven(VOID)
{
	return driven;
}

static VOID take_turns(VOID)
{
	if (!other || other->finished)
		return;
	in_main = !in_main;
	if (in_main)
		swapcontext(&other->self, &main_program);
	else
		swapcontext(&main_program, &other->self);
}

/*
 * Called by who looked for news and found none. The clock may only move on when all have looked, or it
 * would run past the next event while somebody still has to act on the last one.
 */
BOOLEAN ping_fabric_step(VOID)
{
	if (++looked < (other && !other->finished ? 2u : 1u)) {
		take_turns();
		return TRUE;
	}
	looked = 0;
	idle = ndk_fabric_pump() ? 0 : idle + 1;
	return idle < IDLE_PUMPS;
}

VOID ping_fabric_busy(VOID)
{
	looked = 0;
	idle = 0;
}

/* makecontext() passes no pointers, hence `other`. */
static void coroutine(void)
{
	other->run(other->arg);
	other->finished = TRUE;
	in_main = TRUE;
	setcontext(&main_program);
}

/* Alone, because the compiler keeps no local variable across what may return twice. */
static BOOLEAN prepare_context(ucontext_t *context)
{
	return getcontext(context) == 0;
}

struct ping_coroutine *ping_coroutine_start(VOID (*run)(PVOID), PVOID arg)
{
	struct ping_coroutine *c;

	if (other)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->stack = malloc(STACK_BYTES);
	if (!c->stack || !prepare_context(&c->self)) {
		free(c->stack);
		free(c);
		return NULL;
	}
	c->run = run;
	c->arg = arg;
	c->self.uc_stack.ss_sp = c->stack;
	c->self.uc_stack.ss_size = STACK_BYTES;
	makecontext(&c->self, coroutine, 0);
	other = c;
	return c;
}

VOID ping_coroutine_join(struct ping_coroutine *c)
{
	while (!c->finished)
		ping_fabric_step();
	other = NULL;
	free(c->stack);
	free(c);
}
