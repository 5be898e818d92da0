// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Server and client in one process, for adapters that reach each other only there (the fabric is one
 * per process) and for machines that are alone.
 *
 * ping_self() is called by any thread that may sleep and is the client; the server gets a thread.
 */
#include "ping.h"
#include "ping_port.h"

/* Starts the server and waits until it listens; TRUE: it does. *thread is to be joined if set. */
static BOOLEAN begin(struct ping_server *s, struct ping_box *ready, struct ping_thread **thread)
{
	struct ping_news news;

	*thread = ping_thread_start(ping_server_run, s);
	if (!*thread)
		return FALSE;
	ping_box_take(ready, PING_NEWS_READY, &news, PING_FOREVER);
	return s->result.outcome == PING_OK;
}

static VOID without_memory(struct ping_result *result)
{
	*result = (struct ping_result){ .outcome = PING_BAD_STATUS };
	result->step = "memory";
	result->status = STATUS_INSUFFICIENT_RESOURCES;
}

/* What went wrong first is the cause of what else went wrong. */
static VOID judge(struct ping_result *result, const struct ping_result *server)
{
	if (server->outcome != PING_OK &&
	    (result->outcome == PING_OK || server->failed_at <= result->failed_at)) {
		result->outcome = server->outcome;
		result->step = server->step;
		result->status = server->status;
	} else if (result->outcome == PING_OK && server->messages != result->messages) {
		result->outcome = PING_BAD_PEER;
		result->step = "server and client counted different messages";
	}
}

static VOID run(const struct ping_config *server, const struct ping_config *client,
		struct ping_box *ready, struct ping_result *result)
{
	struct ping_config c = *client;
	struct ping_thread *thread = NULL;
	struct ping_server s;

	if (!ping_server_init(&s, server, ready)) {
		without_memory(result);
		return;
	}
	*result = (struct ping_result){ .outcome = PING_OK };
	if (begin(&s, ready, &thread)) {
		ping_address_set_port(&c.dest, s.port[0]);
		c.second_port = s.port[1];
		ping_client(&c, result);
	} else if (thread) {
		*result = s.result;
	} else {
		without_memory(result);
	}
	ping_server_stop(&s);
	if (thread) {
		ping_thread_join(thread);
		judge(result, &s.result);
	}
	ping_server_end(&s);
}

VOID ping_self(const struct ping_config *server, const struct ping_config *client,
	       struct ping_result *result)
{
	struct ping_box *ready = ping_box_create();

	if (!ready) {
		without_memory(result);
		return;
	}
	run(server, client, ready, result);
	ping_box_destroy(ready);
}
