/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Interrupt moderation of completion queues: what is refused, and when notifications come. Times are
 * those of the place: exact on S, on T only in which order. Runs where a case runs.
 */
#include "stages.h"

#define MOD_OFFERED(info_) ((info_)->AdapterFlags & NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED)
/* What a message takes on its way, on S. */
#define MOD_WAY_US 200u

struct mod {
	struct staged s;
	struct kit_cq *q; /* of b, of depth 32 */
	UINT64 sent_us, told_us;
	ULONG interval; /* one that can be told from no interval here */
	ULONG ages;	/* where time is real, one that nobody waits for: who is told was not told by it */
};

static void mod_told(struct kit_cq *q, NTSTATUS status)
{
	struct mod *m = (struct mod *)q->arg;

	(void)status;
	m->told_us = conf_now_us();
}

static BOOLEAN mod_open(struct mod *m)
{
	memset(m, 0, sizeof(*m));
	m->interval = conf_place() == NDK_ON_S ? 500 : 300000;
	m->ages = conf_place() == NDK_ON_S ? m->interval : 3600000000u;
	if (!stage_to(&m->s, STAGE_IDLE))
		return FALSE;
	if (!MOD_OFFERED(m->s.b->info)) {
		conf_skip("the adapter does not moderate");
		return FALSE;
	}
	m->q = kit_create_cq(m->s.b->adapter, 32);
	if (!m->q)
		return FALSE;
	m->q->inside = mod_told;
	m->q->arg = m;
	m->s.b->qp = kit_create_qp(m->s.b->pd, m->q, m->s.b->cq, (const struct kit_shape *)0);
	return m->s.b->qp && stage_from_idle(&m->s, STAGE_UP);
}

/* That many messages at once, with the CQ armed. */
static BOOLEAN mod_burst(struct mod *m, unsigned count)
{
	unsigned i;

	kit_arm(m->q, NDK_CQ_NOTIFY_ANY);
	for (i = 0; i < count; i++)
		if (!CHECK_STATUS(kit_receive(m->s.b->qp, kit_context(), m->s.b->buffer, 0, 8), STATUS_SUCCESS))
			return FALSE;
	m->sent_us = conf_now_us();
	for (i = 0; i < count; i++)
		if (!CHECK_STATUS(kit_send(m->s.a->qp, kit_context(), m->s.a->buffer, 0, 8, 0), STATUS_SUCCESS))
			return FALSE;
	return TRUE;
}

static BOOLEAN mod_taken(struct mod *m, unsigned count)
{
	NDK_RESULT_EX r;
	unsigned i;

	for (i = 0; i < count; i++)
		if (!kit_result(m->q, &r) || !CHECK_STATUS(r.Status, STATUS_SUCCESS) || !kit_result(m->s.a->cq, &r))
			return FALSE;
	return TRUE;
}

/* A burst is told of before the interval could have passed: exact on S, elsewhere because it was ages. */
static BOOLEAN mod_at_once(struct mod *m, unsigned count)
{
	long before = m->q->told.notifications;

	if (!mod_burst(m, count) || !CHECK(kit_notified(m->q, KIT_PATIENCE_MS)) || !mod_taken(m, count))
		return FALSE;
	conf_settle();
	return CHECK(conf_place() != NDK_ON_S || m->told_us - m->sent_us < MOD_WAY_US) &&
	       CHECK_EQ(m->q->told.notifications, before + 1);
}

/* A burst is told of when the interval has passed, give or take what the place needs. */
static BOOLEAN mod_after_interval(struct mod *m, unsigned count)
{
	long before = m->q->told.notifications;
	UINT64 took;

	if (!mod_burst(m, count) || !CHECK(kit_notified(m->q, KIT_PATIENCE_MS)) || !mod_taken(m, count))
		return FALSE;
	conf_settle();
	took = m->told_us - m->sent_us;
	conf_note("told after %llu us", (unsigned long long)took);
	/* the provider may round the interval down, so there is no lower bound but that of a burst */
	return CHECK(conf_place() != NDK_ON_S || took <= m->interval + MOD_WAY_US) &&
	       CHECK(took > (conf_place() == NDK_ON_S ? MOD_WAY_US : 0u)) &&
	       CHECK_EQ(m->q->told.notifications, before + 1);
}

NDK_CASE(moderation_refused, "CQ-24 CQ-25 CQ-26 CQ-29", NDK_ON_OFFERED,
	 "T-CQ-14 an adapter that moderates takes every pair of limits but two that are both none")
{
	NDK_ADAPTER *a = kit_open(0);
	struct kit_cq *q;

	REQUIRE(a != (NDK_ADAPTER *)0);
	SKIP_UNLESS(MOD_OFFERED(kit_info(a)), "the adapter does not moderate");
	q = kit_create_cq(a, 16);
	REQUIRE(q != (struct kit_cq *)0);
	CHECK_STATUS(kit_moderate(q, KIT_UNLIMITED, KIT_UNLIMITED), STATUS_INVALID_PARAMETER_MIX);
	CHECK_STATUS(kit_moderate(q, KIT_UNLIMITED, 17), STATUS_INVALID_PARAMETER_MIX);
	CHECK_STATUS(kit_moderate(q, KIT_UNLIMITED, 16), STATUS_SUCCESS);
	CHECK_STATUS(kit_moderate(q, KIT_UNLIMITED, 0), STATUS_SUCCESS);
	CHECK_STATUS(kit_moderate(q, 100, KIT_UNLIMITED), STATUS_SUCCESS);
	CHECK_STATUS(kit_moderate(q, 100, 17), STATUS_SUCCESS);
	CHECK_STATUS(kit_moderate(q, 100, 4), STATUS_SUCCESS);
	CHECK_STATUS(kit_moderate(q, 0, KIT_UNLIMITED), STATUS_SUCCESS);
	CHECK_STATUS(kit_moderate(q, 0, 0), STATUS_SUCCESS);
}

NDK_CASE(moderation_not_offered, "CQ-26 CQ-29", NDK_ON_ALL,
	 "T-CQ-14 an adapter that does not moderate says so, whatever it is asked for")
{
	NDK_ADAPTER *a = kit_open(conf_adapter_name(2) ? 2 : 0);
	struct kit_cq *q;

	REQUIRE(a != (NDK_ADAPTER *)0);
	SKIP_UNLESS(!MOD_OFFERED(kit_info(a)), "every adapter here moderates");
	q = kit_create_cq(a, 16);
	REQUIRE(q != (struct kit_cq *)0);
	CHECK_STATUS(kit_moderate(q, 100, 4), STATUS_NOT_SUPPORTED);
	CHECK_STATUS(kit_moderate(q, 0, 0), STATUS_NOT_SUPPORTED);
	CHECK_STATUS(kit_moderate(q, KIT_UNLIMITED, KIT_UNLIMITED), STATUS_NOT_SUPPORTED);
}

NDK_CASE(moderation_counts, "CQ-22 CQ-23 CQ-24 CQ-4", NDK_ON_OFFERED,
	 "T-CQ-15 two results are told of when the interval is over, the fourth at once")
{
	struct mod m;

	if (!mod_open(&m))
		return;
	REQUIRE(mod_at_once(&m, 1)); /* none by default */
	REQUIRE_STATUS(kit_moderate(m.q, m.interval, 4), STATUS_SUCCESS);
	REQUIRE(mod_after_interval(&m, 2));
	REQUIRE_STATUS(kit_moderate(m.q, m.ages, 4), STATUS_SUCCESS);
	REQUIRE(mod_at_once(&m, 4));
	REQUIRE_STATUS(kit_moderate(m.q, m.interval, 4), STATUS_SUCCESS);
	REQUIRE(mod_after_interval(&m, 3));
}

NDK_CASE(moderation_one_limit, "CQ-23 CQ-24 CQ-27", NDK_ON_OFFERED,
	 "one limit alone: the count without an interval, the interval without a count; the last call counts")
{
	struct mod m;

	if (!mod_open(&m))
		return;
	REQUIRE_STATUS(kit_moderate(m.q, KIT_UNLIMITED, 3), STATUS_SUCCESS);
	REQUIRE(mod_at_once(&m, 3));
	REQUIRE(mod_burst(&m, 2));
	CHECK(!kit_notified(m.q, m.interval / 1000 + KIT_QUIET_MS));
	REQUIRE_STATUS(kit_receive(m.s.b->qp, kit_context(), m.s.b->buffer, 0, 8), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send(m.s.a->qp, kit_context(), m.s.a->buffer, 0, 8, 0), STATUS_SUCCESS);
	REQUIRE(kit_notified(m.q, KIT_PATIENCE_MS));
	REQUIRE(mod_taken(&m, 3));
	REQUIRE_STATUS(kit_moderate(m.q, m.interval, KIT_UNLIMITED), STATUS_SUCCESS);
	REQUIRE(mod_after_interval(&m, 8));
	REQUIRE_STATUS(kit_moderate(m.q, m.ages, 4), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_moderate(m.q, 0, KIT_UNLIMITED), STATUS_SUCCESS);
	REQUIRE(mod_at_once(&m, 1));
	REQUIRE_STATUS(kit_moderate(m.q, m.ages, 1), STATUS_SUCCESS);
	REQUIRE(mod_at_once(&m, 1));
}

NDK_CASE(moderation_closed, "CQ-19 CLOSE-12 CLOSE-13 CQ-23", NDK_ON_OFFERED,
	 "a CQ closed while results are being gathered: nobody is told, and the close ends")
{
	struct mod m;

	if (!mod_open(&m))
		return;
	m.interval = conf_place() == NDK_ON_S ? 50000 : m.interval;
	REQUIRE_STATUS(kit_moderate(m.q, m.interval, 8), STATUS_SUCCESS);
	REQUIRE(mod_burst(&m, 2));
	REQUIRE(mod_taken(&m, 2));
	REQUIRE(KIT_CLOSED(m.s.ca->connector) && KIT_CLOSED(m.s.cb->connector) && KIT_CLOSED(m.s.b->qp));
	REQUIRE(KIT_CLOSED(m.q->cq));
	conf_sleep(m.interval / 1000 + KIT_QUIET_MS);
	/* the results may have been told of before the close, if the place is slow */
	CHECK(m.q->told.notifications <= (conf_place() == NDK_ON_S ? 0 : 1));
}

CONF_CASES(moderation, CASE(moderation_refused), CASE(moderation_not_offered), CASE(moderation_counts),
	   CASE(moderation_one_limit), CASE(moderation_closed));
