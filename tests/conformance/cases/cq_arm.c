/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What an arm of a completion queue waits for: its type, two arms in a row, and what satisfies it.
 * Arming again and again is in queue.c. Runs where a case runs.
 */
#include "stages.h"

/* A connection, and on the same CQ a QP that was never connected, whose receives can be flushed. */
struct arm {
	struct staged s;
	struct kit_cq *q;
	NDK_QP *idle;
	long told; /* notifications accounted for */
	BOOLEAN vain; /* in the kernel: there was one that nothing accounts for */
};

enum arm_event { ARM_PLAIN, ARM_SOLICITED, ARM_ERROR, ARM_EVENTS };

static BOOLEAN arm_open(struct arm *a)
{
	memset(a, 0, sizeof(*a));
	if (!stage_to(&a->s, STAGE_UP))
		return FALSE;
	a->q = a->s.b->cq;
	a->idle = kit_another_qp(a->s.b);
	return a->idle != (NDK_QP *)0;
}

static BOOLEAN arm_message(struct arm *a, ULONG flags)
{
	PVOID sent = kit_context();

	return CHECK_STATUS(kit_receive(a->s.b->qp, kit_context(), a->s.b->buffer, 0, 8), STATUS_SUCCESS) &&
	       CHECK_STATUS(kit_send(a->s.a->qp, sent, a->s.a->buffer, 0, 8, flags), STATUS_SUCCESS) &&
	       kit_expect(a->s.a->cq, sent, STATUS_SUCCESS);
}

/* One result of that kind arrives at the CQ. */
static BOOLEAN arm_produce(struct arm *a, enum arm_event event)
{
	if (event == ARM_PLAIN)
		return arm_message(a, 0);
	if (event == ARM_SOLICITED)
		return arm_message(a, NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT);
	if (!CHECK_STATUS(kit_receive(a->idle, kit_context(), a->s.b->buffer, 0, 8), STATUS_SUCCESS))
		return FALSE;
	a->idle->Dispatch->NdkFlush(a->idle);
	return TRUE;
}

/* The result is there, and can be taken; the queue is empty then. */
static BOOLEAN arm_take(struct arm *a, enum arm_event event)
{
	NDK_RESULT_EX r;

	return kit_result(a->q, &r) &&
	       CHECK_STATUS(r.Status, event == ARM_ERROR ? STATUS_CANCELLED : STATUS_SUCCESS) &&
	       CHECK_EQ(kit_poll(a->q, &r, 1), 0);
}

static long arm_heard(struct arm *a)
{
	unsigned long flags = conf_lock();
	long heard = a->q->told.notifications;

	conf_unlock(flags);
	return heard;
}

/*
 * So many and no more. In the kernel an event may be slow enough to meet the next arm, which then is told
 * in vain: such a round is no evidence of anything, and is made again (arm_round).
 */
static BOOLEAN arm_told(struct arm *a, long wanted)
{
	long heard = arm_heard(a);

	a->told = wanted;
	if (conf_place() != NDK_ON_K || heard <= wanted)
		return CHECK_EQ(heard, wanted);
	conf_note("told in vain");
	a->vain = TRUE;
	return FALSE;
}

static BOOLEAN arm_notified(struct arm *a)
{
	return CHECK(kit_notified(a->q, KIT_PATIENCE_MS)) && CHECK_STATUS(a->q->told.status, STATUS_SUCCESS) &&
	       arm_told(a, a->told + 1);
}

/* Nobody was told of what has arrived. */
static BOOLEAN arm_silent(struct arm *a)
{
	conf_settle();
	if (conf_place() != NDK_ON_S)
		conf_sleep(30);
	return arm_told(a, a->told);
}

/* Whatever is armed is used up. */
static BOOLEAN arm_clear(struct arm *a)
{
	kit_arm(a->q, NDK_CQ_NOTIFY_ANY);
	return arm_produce(a, ARM_PLAIN) && arm_notified(a) && arm_take(a, ARM_PLAIN);
}

/* Does an arm of that type wait for this? */
static BOOLEAN arm_meets(ULONG type, enum arm_event event)
{
	return type == NDK_CQ_NOTIFY_ANY || (type == NDK_CQ_NOTIFY_SOLICITED && event != ARM_PLAIN);
}

static ULONG arm_merged(ULONG first, ULONG second)
{
	if (first == NDK_CQ_NOTIFY_ANY || second == NDK_CQ_NOTIFY_ANY)
		return NDK_CQ_NOTIFY_ANY;
	return first == NDK_CQ_NOTIFY_SOLICITED || second == NDK_CQ_NOTIFY_SOLICITED ? NDK_CQ_NOTIFY_SOLICITED :
										     NDK_CQ_NOTIFY_ERRORS;
}

/*
 * A plain completion under an arm for solicited ones. Verbs do not say which kind woke a queue, and a
 * device armed for any completion a moment ago may still wake it: in the kernel it may be told in vain,
 * rather than not at all, but only once. When is up to the machine, so that whoever goes on with another
 * arm begins with another queue (arm_go_on).
 */
static BOOLEAN arm_spared(struct arm *a)
{
	long more;

	if (conf_place() != NDK_ON_K)
		return arm_silent(a);
	stage_rest(0);
	more = arm_heard(a) - a->told;
	if (more)
		conf_note("told in vain");
	return CHECK(more == 0 || more == 1);
}

/* What may have been told in vain is no matter for the next round: the next arm is told of, whoever it was. */
static BOOLEAN arm_go_on(struct arm *a)
{
	if (conf_place() != NDK_ON_K)
		return arm_clear(a);
	kit_arm(a->q, NDK_CQ_NOTIFY_ANY);
	if (!arm_produce(a, ARM_PLAIN) || !CHECK(kit_notified(a->q, KIT_PATIENCE_MS)) || !arm_take(a, ARM_PLAIN))
		return FALSE;
	kit_close_all(KIT_CHILDREN_FIRST);
	return arm_open(a);
}

/* Armed by `count` of the types, one event: told if the arm waits for it, and once. */
static BOOLEAN arm_once(struct arm *a, const ULONG *types, unsigned count, enum arm_event event)
{
	ULONG merged = count == 1 ? types[0] : arm_merged(types[0], types[1]);
	unsigned i;

	for (i = 0; i < count; i++)
		kit_arm(a->q, types[i]);
	if (!arm_produce(a, event))
		return FALSE;
	if (arm_meets(merged, event))
		return arm_notified(a) && arm_take(a, event) && arm_silent(a);
	if (merged == NDK_CQ_NOTIFY_SOLICITED)
		return arm_take(a, event) && arm_spared(a) && arm_go_on(a);
	return arm_take(a, event) && arm_silent(a) && arm_clear(a);
}

static BOOLEAN arm_round(struct arm *a, const ULONG *types, unsigned count, enum arm_event event)
{
	int tries;

	for (tries = 0; tries < STAGE_TRIES; tries++) {
		if (arm_once(a, types, count, event))
			return TRUE;
		if (!a->vain)
			return conf_fail(__FILE__, __LINE__, "a round of arms");
		kit_close_all(KIT_CHILDREN_FIRST);
		if (!arm_open(a))
			return FALSE;
	}
	return conf_fail(__FILE__, __LINE__, "told in vain each time");
}

static const ULONG arm_types[] = { NDK_CQ_NOTIFY_ERRORS, NDK_CQ_NOTIFY_ANY, NDK_CQ_NOTIFY_SOLICITED };

NDK_CASE(arm_each_type, "CQ-9 CQ-10 CQ-11 CQ-12 CQ-4 CQ-13", NDK_ON_ALL,
	 "each type of arm with a plain message, a solicited one and a failure: told of what it waits for")
{
	struct arm a;
	int event;
	ULONG i;

	REQUIRE(arm_open(&a));
	for (i = 0; i < 3; i++)
		for (event = ARM_PLAIN; event < ARM_EVENTS; event++)
			if (!arm_round(&a, &arm_types[i], 1, (enum arm_event)event)) {
				conf_note("type %u, event %d", arm_types[i], event);
				return;
			}
}

NDK_CASE(arm_merge, "CQ-8 CQ-4 CQ-10 CQ-11 CQ-12", NDK_ON_ALL,
	 "T-CQ-06 two arms in a row, in all nine pairs: the wider one holds, and they are told once")
{
	struct arm a;
	ULONG types[2];
	int event;
	ULONG i;

	REQUIRE(arm_open(&a));
	for (i = 0; i < 9; i++)
		for (event = ARM_PLAIN; event < ARM_EVENTS; event++) {
			types[0] = arm_types[i / 3];
			types[1] = arm_types[i % 3];
			if (!arm_round(&a, types, 2, (enum arm_event)event)) {
				conf_note("types %u and %u, event %d", types[0], types[1], event);
				return;
			}
		}
}

NDK_CASE(arm_solicited, "CQ-11 CQ-12 QP-10", NDK_ON_ALL,
	 "T-CQ-07 armed for solicited results: silent for a plain one, told of the solicited one behind it")
{
	struct arm a;

	REQUIRE(arm_open(&a));
	kit_arm(a.q, NDK_CQ_NOTIFY_SOLICITED);
	if (!kit_on_siw()) /* siw tells of no message that it was solicited: any may be */
		REQUIRE(arm_produce(&a, ARM_PLAIN) && arm_silent(&a));
	REQUIRE(arm_produce(&a, ARM_SOLICITED) && arm_notified(&a));
	REQUIRE(kit_take(a.q, kit_on_siw() ? 1 : 2));
	/* the flag changes nothing for who has not asked */
	REQUIRE(arm_produce(&a, ARM_SOLICITED) && arm_silent(&a));
	CHECK(kit_take(a.q, 1));
}

NDK_CASE(arm_failed_requests, "CQ-12 U-28 QP-2", NDK_ON_ALL,
	 "T-CQ-07 armed for solicited results on both sides of a connection: told when its requests fail")
{
	PVOID sent = kit_context(), received = kit_context();
	struct staged s;
	NDK_RESULT_EX r;

	REQUIRE(stage_to(&s, STAGE_UP));
	kit_arm(s.a->cq, NDK_CQ_NOTIFY_SOLICITED);
	kit_arm(s.b->cq, NDK_CQ_NOTIFY_SOLICITED);
	/* too long for its receive */
	REQUIRE_STATUS(kit_receive(s.b->qp, received, s.b->buffer, 0, 16), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send(s.a->qp, sent, s.a->buffer, 0, 64, 0), STATUS_SUCCESS);
	REQUIRE(kit_notified(s.b->cq, KIT_PATIENCE_MS));
	REQUIRE(kit_expect(s.b->cq, received, STATUS_BUFFER_OVERFLOW));
	/*
	 * The transport tells the sender (T-DP-04), but over iWARP. Who takes the failure before it is told of it need
	 * not be told any more.
	 */
	if (!conf_iwarp())
		REQUIRE(kit_notified(s.a->cq, KIT_PATIENCE_MS));
	REQUIRE(kit_result(s.a->cq, &r));
	CHECK(r.RequestContext == sent);
	if (conf_iwarp() && r.Status != STATUS_SUCCESS)
		CHECK(kit_notified(s.a->cq, KIT_PATIENCE_MS));
	CHECK(kit_disconnected(s.cb, KIT_PATIENCE_MS));
}

NDK_CASE(arm_late_by_type, "CQ-5 CQ-11 CQ-12", NDK_ON_ALL,
	 "what waits already satisfies an arm at once if it is what the arm waits for, and not otherwise")
{
	struct arm a;
	int event;
	ULONG i;

	REQUIRE(arm_open(&a));
	/* what is solicited a device may only tell a provider that asked: it cannot know of what came before */
	REQUIRE(arm_round(&a, &arm_types[2], 1, ARM_SOLICITED));
	for (i = 0; i < 3; i++)
		for (event = ARM_PLAIN; event < ARM_EVENTS; event++) {
			REQUIRE(arm_produce(&a, (enum arm_event)event));
			stage_rest(0);
			kit_arm(a.q, arm_types[i]);
			if (arm_meets(arm_types[i], (enum arm_event)event)) {
				REQUIRE(arm_notified(&a) && arm_take(&a, (enum arm_event)event));
			} else {
				/* of what siw has received any may have been solicited */
				BOOLEAN vain = kit_on_siw() || arm_types[i] == NDK_CQ_NOTIFY_SOLICITED;

				REQUIRE(vain ? arm_spared(&a) : arm_silent(&a));
				REQUIRE(arm_take(&a, (enum arm_event)event));
				REQUIRE(vain ? arm_go_on(&a) : arm_clear(&a));
			}
		}
}

NDK_CASE(arm_after_another_closed, "CQ-5 CQ-11", NDK_ON_ALL,
	 "what came unarmed and was set aside while another queue pair of the queue closed satisfies the next arm")
{
	const ULONG types[] = { NDK_CQ_NOTIFY_SOLICITED, NDK_CQ_NOTIFY_ANY };
	struct arm a;
	ULONG i;

	REQUIRE(arm_open(&a));
	for (i = 0; i < 2 * 3; i++) {
		/* told of, and then not armed */
		REQUIRE(arm_round(&a, types, 1, ARM_SOLICITED));
		REQUIRE(arm_produce(&a, ARM_SOLICITED));
		REQUIRE(KIT_CLOSED(a.idle));
		REQUIRE(arm_silent(&a));
		kit_arm(a.q, types[i % 2]);
		REQUIRE(arm_notified(&a) && arm_take(&a, ARM_SOLICITED));
		a.idle = kit_another_qp(a.s.b);
		REQUIRE(a.idle);
	}
}

CONF_CASES(cq_arm, CASE(arm_each_type), CASE(arm_merge), CASE(arm_solicited), CASE(arm_failed_requests),
	   CASE(arm_late_by_type), CASE(arm_after_another_closed));
