// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The reports of the user-space program: text for people, JSON for programs. Both say the same. No
 * state; called at the end of a run.
 */
#include <stdio.h>

#include "ping_user.h"

static VOID print_times(const char *what, const struct ping_times *t)
{
	if (t->samples)
		printf("%-12s %10.1f %10.1f %10.1f %10.1f   us\n", what, t->min / 10.0,
		       t->median / 10.0, t->p99 / 10.0, t->max / 10.0);
}

VOID ping_print_text(const struct ping_view *v, const struct ping_result *r)
{
	if (!r->version.Major) {
		printf("%s%s%s: not opened\n", v->from, v->to ? " to " : "", v->to ? v->to : "");
		return;
	}
	printf("%s%s%s: %s, NDKPI %u.%u, %u connection%s, %llu messages, %llu bytes%s\n", v->from,
	       v->to ? " to " : "", v->to ? v->to : "", ping_technology_name(r->technology),
	       r->version.Major, r->version.Minor, r->connections, r->connections == 1 ? "" : "s",
	       r->messages, r->bytes, v->virtual_time ? ", virtual time" : "");
	if (r->round_trip.samples) {
		printf("%-12s %10s %10s %10s %10s\n", "", "min", "median", "p99", "max");
		print_times("connect", &r->connect);
		print_times("round trip", &r->round_trip);
	}
	printf("result       %s\n", ping_outcome_name(r->outcome));
}

/* A JSON string. Names of adapters come from the command line and may hold anything. */
static VOID print_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", (unsigned char)*s);
		else
			putchar(*s);
	}
	putchar('"');
}

static VOID print_member(const char *name, const char *value)
{
	printf("\"%s\": ", name);
	if (value)
		print_string(value);
	else
		printf("null");
	printf(", ");
}

static VOID print_json_times(const char *what, const struct ping_times *t)
{
	printf("\"%s\": {\"samples\": %u, \"min\": %.1f, \"median\": %.1f, \"p99\": %.1f, \"max\": %.1f}, ",
	       what, t->samples, t->min / 10.0, t->median / 10.0, t->p99 / 10.0, t->max / 10.0);
}

VOID ping_print_json(const struct ping_view *v, const struct ping_result *r)
{
	printf("{");
	print_member("adapter", v->from);
	print_member("server_adapter", v->to);
	print_member("transport", ping_technology_name(r->technology));
	printf("\"version\": \"%u.%u\", \"size\": %u, \"connections\": %u, ", r->version.Major,
	       r->version.Minor, v->config->size, r->connections);
	printf("\"messages\": %llu, \"bytes\": %llu, \"virtual_time\": %s, ", r->messages, r->bytes,
	       v->virtual_time ? "true" : "false");
	print_json_times("connect_us", &r->connect);
	print_json_times("round_trip_us", &r->round_trip);
	print_member("failed_step", r->outcome == PING_OK ? NULL : r->step);
	print_member("status", r->outcome == PING_BAD_STATUS ? ping_status_name(r->status) : NULL);
	printf("\"result\": ");
	print_string(ping_outcome_name(r->outcome));
	printf("}\n");
}
