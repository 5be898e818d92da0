// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * One end of ndkping: its adapter with a CQ and a PD, waiting for calls and results, and closing.
 *
 * Called by the thread of the end only. The callbacks in this file run wherever the provider likes,
 * in atomic context too, and only leave word in the box.
 */
#include "ping_end.h"

/* How long between two complaints about a call that does not come to its end. */
#define COMPLAIN_MS 30000u

VOID ping_fail(struct ping_end *e, enum ping_outcome outcome, const char *step, NTSTATUS status)
{
	if (e->result->outcome != PING_OK)
		return;
	e->result->outcome = outcome;
	e->result->step = step;
	e->result->status = status;
	e->result->failed_at = ping_now();
}

/* News without which a wait would never end; the box has room for all there can be. */
static VOID must_post(struct ping_end *e, ULONG kind, PVOID who, NTSTATUS status)
{
	if (!ping_box_post(e->box, kind, who, status))
		ping_complain("%s: the box is full, news of kind %u is lost", e->name, kind);
}

VOID ping_request_done(PVOID context, NTSTATUS status)
{
	must_post(context, PING_NEWS_CALL, NULL, status);
}

VOID ping_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	must_post(context, PING_NEWS_CALL, object, status);
}

static VOID cq_event(PVOID context, NTSTATUS cq_status)
{
	must_post(context, PING_NEWS_CQ, NULL, cq_status);
}

static VOID closed(PVOID context)
{
	struct ping_closing *closing = context;

	must_post(closing->end, PING_NEWS_CLOSED, closing, STATUS_SUCCESS);
}

/* A call that pended must be waited for, however long: its callback will use our memory. */
static VOID wait_for(struct ping_end *e, ULONG kinds, struct ping_news *news, const char *what)
{
	while (!ping_box_take(e->box, kinds, news, COMPLAIN_MS))
		ping_complain("%s: still waiting for %s", e->name, what);
}

static PVOID settle(struct ping_end *e, const char *step, NTSTATUS *status)
{
	struct ping_news news = {};

	if (*status != STATUS_PENDING)
		return NULL;
	wait_for(e, PING_NEWS_CALL, &news, step);
	*status = news.status;
	return news.who;
}

BOOLEAN ping_done(struct ping_end *e, const char *step, NTSTATUS status)
{
	settle(e, step, &status);
	if (NT_SUCCESS(status))
		return TRUE;
	ping_fail(e, PING_BAD_STATUS, step, status);
	return FALSE;
}

PVOID ping_made(struct ping_end *e, const char *step, NTSTATUS status, PVOID made)
{
	BOOLEAN pended = status == STATUS_PENDING;
	PVOID object = settle(e, step, &status);

	/* CREATE-4, CREATE-7: one way or the other, never both. */
	if (!pended && NT_SUCCESS(status))
		object = made;
	if (NT_SUCCESS(status) && object)
		return object;
	ping_fail(e, PING_BAD_STATUS, step, status);
	return NULL;
}

VOID ping_close(struct ping_closing *closing, NDK_FN_CLOSE_OBJECT *close, NDK_OBJECT_HEADER *object)
{
	if (close(object, closed, closing) == STATUS_PENDING)
		closing->pending++;
}

VOID ping_turn_away(struct ping_end *e, NDK_CONNECTOR *connector)
{
	connector->Dispatch->NdkReject(connector, NULL, 0);
	ping_close(&e->closing, connector->Dispatch->NdkCloseConnector, &connector->Header);
}

VOID ping_wait_closed(struct ping_closing *closing)
{
	struct ping_end *e = closing->end;
	struct ping_news news = {};
	struct ping_closing *which;
	ULONG kinds = PING_NEWS_CLOSED;

	/* A listener's close waits for what it delivered, also if nobody has looked at it yet (LISTEN-13). */
	if (closing == &e->closing)
		kinds |= PING_NEWS_CONNECT;
	while (closing->pending) {
		wait_for(e, kinds, &news, "a close");
		if (news.kind == PING_NEWS_CONNECT) {
			ping_turn_away(e, news.who);
			continue;
		}
		which = news.who;
		which->pending--;
	}
}

static BOOLEAN open_adapter(struct ping_end *e)
{
	const NDK_VERSION version = { .Major = 2, .Minor = 1 };
	ULONG bytes = sizeof(e->info);
	NTSTATUS status = NdkOpenAdapter(e->config->adapter, version, &e->adapter);

	if (!NT_SUCCESS(status)) {
		e->adapter = NULL;
		ping_fail(e, PING_BAD_STATUS, "NdkOpenAdapter", status);
		return FALSE;
	}
	status = e->adapter->Dispatch->NdkQueryAdapterInfo(e->adapter, &e->info, &bytes);
	if (!NT_SUCCESS(status)) {
		ping_fail(e, PING_BAD_STATUS, "NdkQueryAdapterInfo", status);
		return FALSE;
	}
	e->result->version = e->adapter->Header.Version;
	e->result->technology = e->info.RdmaTechnology;
	return TRUE;
}

BOOLEAN ping_end_open(struct ping_end *e)
{
	ULONG depth = PING_CQ_DEPTH;
	NDK_CQ *cq = NULL;
	NDK_PD *pd = NULL;
	NTSTATUS status;

	e->closing.end = e;
	if (!open_adapter(e))
		return FALSE;
	if (depth > e->info.MaxCqDepth)
		depth = e->info.MaxCqDepth;
	status = e->adapter->Dispatch->NdkCreateCq(e->adapter, depth, cq_event, e, NULL,
						   ping_created, e, &cq);
	e->cq = ping_made(e, "NdkCreateCq", status, cq);
	if (!e->cq)
		return FALSE;
	status = e->adapter->Dispatch->NdkCreatePd(e->adapter, ping_created, e, &pd);
	e->pd = ping_made(e, "NdkCreatePd", status, pd);
	return e->pd != NULL;
}

VOID ping_end_close_parents(struct ping_end *e)
{
	ULONG i;

	for (i = 0; i < 2; i++) {
		if (e->listener[i])
			ping_close(&e->closing, e->listener[i]->Dispatch->NdkCloseListener,
				   &e->listener[i]->Header);
		e->listener[i] = NULL;
	}
	if (e->shared)
		ping_close(&e->closing, e->shared->Dispatch->NdkCloseSharedEndpoint,
			   &e->shared->Header);
	if (e->pd)
		ping_close(&e->closing, e->pd->Dispatch->NdkClosePd, &e->pd->Header);
	if (e->cq)
		ping_close(&e->closing, e->cq->Dispatch->NdkCloseCq, &e->cq->Header);
	e->shared = NULL;
	e->pd = NULL;
	e->cq = NULL;
}

VOID ping_end_close_adapter(struct ping_end *e)
{
	struct ping_news news = {};

	ping_wait_closed(&e->closing);
	/* A closed listener delivers nothing more; what it delivered before is still in the box. */
	while (ping_box_take(e->box, PING_NEWS_CONNECT, &news, 0)) {
		ping_turn_away(e, news.who);
		ping_wait_closed(&e->closing);
	}
	if (e->adapter)
		NdkCloseAdapter(e->adapter);
	e->adapter = NULL;
}

/* FALSE: nothing came before the time was up. */
static BOOLEAN look_around(struct ping_end *e, ULONG kinds, struct ping_news *news, UINT64 began,
			   ULONG timeout_ms)
{
	UINT64 waited = ping_now() - began;

	if (timeout_ms == PING_FOREVER)
		return ping_box_take(e->box, kinds, news, PING_FOREVER);
	if (waited >= (UINT64)timeout_ms * 10000)
		return ping_box_take(e->box, kinds, news, 0);
	return ping_box_take(e->box, kinds, news, timeout_ms - (ULONG)waited / 10000);
}

ULONG ping_results(struct ping_end *e, NDK_RESULT_EX *results, ULONG max, ULONG also,
		   struct ping_news *news, ULONG timeout_ms)
{
	UINT64 began = ping_now();
	ULONG n, looks = 0;

	news->kind = 0;
	for (;;) {
		n = e->cq->Dispatch->NdkGetCqResultsEx(e->cq, results, max);
		if (n)
			return n;
		if (e->config->poll) {
			if (ping_box_take(e->box, also, news, 0))
				return 0;
			if (timeout_ms != PING_FOREVER &&
			    ping_now() - began > (UINT64)timeout_ms * 10000)
				return 0;
			ping_relax(looks++);
			continue;
		}
		/* Arming an empty CQ loses nothing: what came after the last callback satisfies it (CQ-5). */
		if (!e->armed) {
			e->armed = TRUE;
			e->cq->Dispatch->NdkArmCq(e->cq, NDK_CQ_NOTIFY_ANY);
		}
		if (!look_around(e, also | PING_NEWS_CQ, news, began, timeout_ms))
			return 0;
		if (news->kind != PING_NEWS_CQ)
			return 0;
		e->armed = FALSE;
		if (!NT_SUCCESS(news->status)) {
			ping_fail(e, PING_BAD_STATUS, "the CQ", news->status);
			return 0;
		}
		news->kind = 0;
	}
}
