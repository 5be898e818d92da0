/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What administrators and users see and turn: knobs that are checked, and what needs a device file or a
 * command, which do not exist yet; those cases say so. Runs where a case runs.
 */
#include "stages.h"

/* ---- knobs ---- */

#define KNOB_BAD (-22)
#define KNOB_UNKNOWN (-19)

static void knobs_deadlines(const char *name)
{
	ULONG kept, seen;
	int kind;

	for (kind = 0; kind < NDK_TIME_KINDS; kind++) {
		REQUIRE(ndk_control_get_deadline(name, kind, &kept) == 0);
		CHECK(kept >= 1);
		CHECK_EQ(ndk_control_deadline(name, kind, 0), KNOB_BAD);
		CHECK_EQ(ndk_control_deadline(name, kind, 3600001), KNOB_BAD);
		CHECK_EQ(ndk_control_get_deadline(name, kind, &seen), 0);
		CHECK_EQ(seen, kept);
		CHECK_EQ(ndk_control_deadline(name, kind, 3600000), 0);
		CHECK_EQ(ndk_control_get_deadline(name, kind, &seen), 0);
		CHECK_EQ(seen, 3600000);
		CHECK_EQ(ndk_control_deadline(name, kind, kept), 0);
	}
	CHECK_EQ(ndk_control_deadline(name, NDK_TIME_KINDS, 1000), KNOB_BAD);
	CHECK_EQ(ndk_control_deadline(name, -1, 1000), KNOB_BAD);
}

NDK_CASE(knobs_checked, "LISTEN-6 CONN-14 CONN-15", NDK_ON_ALL,
	 "T-UA-05 backlog and time limits: values out of range are refused and change nothing, others count at once")
{
	const char *name = conf_adapter_name(1);
	struct kit_conn *arrived = (struct kit_conn *)0;
	struct staged s, m;
	struct kit_call *c;
	ULONG limit, room;

	knobs_deadlines(name);
	CHECK_EQ(ndk_control_backlog(name, 0), KNOB_BAD);
	CHECK_EQ(ndk_control_backlog(name, 65537), KNOB_BAD);
	CHECK_EQ(ndk_control_backlog("no such adapter", 1), KNOB_UNKNOWN);
	CHECK_EQ(ndk_control_deadline("no such adapter", NDK_TIME_CONNECT, 1), KNOB_UNKNOWN);
	/* a listener that is there already goes by the new backlog, a connect by the new time limit */
	REQUIRE(stage_to(&s, STAGE_IDLE));
	REQUIRE(ndk_control_backlog(name, 1) == 0);
	REQUIRE(stage_from_idle(&s, STAGE_ANNOUNCED));
	REQUIRE(stage_more(&s, &m, STAGE_IDLE));
	CHECK_STATUS(kit_connect(m.ca, m.a->qp, &m.from, &m.b->listener->at, NO_PARAMS), STATUS_CONNECTION_REFUSED);
	/* for who is slow to get there the limit is raised; what got there too late fills a place */
	for (limit = 500, room = 2; !arrived && limit < KIT_PATIENCE_MS; limit *= 4, room++) {
		REQUIRE(ndk_control_backlog(name, room) == 0);
		attempt_deadline(0, NDK_TIME_CONNECT, limit);
		c = kit_begin_connect(m.ca, m.a->qp, &m.from, &m.b->listener->at, NO_PARAMS);
		arrived = kit_arrival_unless(m.b->listener, c, KIT_PATIENCE_MS);
		REQUIRE_STATUS(kit_wait(c), STATUS_IO_TIMEOUT);
		attempt_in_time(c, limit);
		REQUIRE(arrived || conf_place() != NDK_ON_S);
	}
	CHECK(arrived != (struct kit_conn *)0);
	attempt_deadlines_default();
	ndk_control_backlog(name, NDK_DEFAULT_BACKLOG);
}

/* ---- what is not there yet ---- */

#define USER_DEVICE "there is no user device yet: /dev/ndk comes with a later version"
#define USER_COMMAND "there is no status command yet: ndkctl comes with a later version"

NDK_CASE(user_rights, "", NDK_ON_K, "T-UA-03 an ordinary user reads and may not change, and learns which right is missing")
{
	SKIP(USER_DEVICE);
}

NDK_CASE(user_locked_memory, "", NDK_ON_ALL, "T-UA-04 more memory than a process may lock: the limit and its value are named")
{
	SKIP("memory is locked by user processes only, over the verbs: that binding comes with a later version");
}

NDK_CASE(user_listings, "", NDK_ON_K, "T-UA-01 listings as text and as JSON, connections under way with their stage")
{
	SKIP(USER_COMMAND);
}

NDK_CASE(user_traces, "", NDK_ON_K, "T-UA-06 trace events name object, stage, native reason and status")
{
	SKIP("the module has no trace events yet");
}

NDK_CASE(user_interrupt, "", NDK_ON_K, "T-UA-09 a blocking command ends when it is interrupted")
{
	SKIP("the only blocking command is loading ndkping.ko, which signals do not end; ndkctl comes with a later version");
}

NDK_CASE(user_killed, "", NDK_ON_K, "T-UA-10 a user process with listener and connections is killed")
{
	SKIP(USER_DEVICE);
}

NDK_CASE(user_namespaces, "", NDK_ON_K, "T-UA-11 listener and client in two network namespaces do not meet")
{
	SKIP("the provider works in the initial network namespace only, as rxe in this kernel does");
}

NDK_CASE(user_what_it_waits_for, "", NDK_ON_K, "T-UA-14 the status command tells what a long close or creation waits for")
{
	SKIP(USER_COMMAND);
}

CONF_CASES(user, CASE(knobs_checked), CASE(user_rights), CASE(user_locked_memory), CASE(user_listings),
	   CASE(user_traces), CASE(user_interrupt), CASE(user_killed), CASE(user_namespaces),
	   CASE(user_what_it_waits_for));
