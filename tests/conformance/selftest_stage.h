/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The stage on which the monitors are watched: a consumer that expects nothing, and the fake provider's
 * objects as the monitors show them. For selftest.c and selftest_queues.c, which have one each; one
 * thread.
 */
#ifndef CONF_SELFTEST_STAGE_H
#define CONF_SELFTEST_STAGE_H

#include "kit.h"
#include "selftest_provider.h"

static struct fake *f;
static NDK_PD *pd;
static NDK_CQ *cq;
static NDK_QP *qp;
static NDK_LISTENER *listener;
static NDK_CONNECTOR *connector;

/* ---- a consumer that expects nothing ---- */

static inline VOID told_request(PVOID context, NTSTATUS status)
{
	(void)context;
	(void)status;
}

static inline VOID told_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	(void)context;
	(void)status;
	(void)object;
}

static inline VOID told_closed(PVOID context)
{
	(void)context;
}

static inline VOID told_notified(PVOID context, NTSTATUS status)
{
	(void)context;
	(void)status;
}

static inline VOID told_connect(PVOID context, NDK_CONNECTOR *c)
{
	(void)context;
	(void)c;
}

static inline VOID told_gone(PVOID context)
{
	(void)context;
}

/* ---- the stage ---- */

static inline NDK_ADAPTER *stage(void)
{
	f = fake_begin();
	monitor_end(); /* whatever was left of the lie before */
	monitor_begin();
	monitor_capture(TRUE);
	monitor_adopt(&f->adapter, MONITOR_NOWHERE);
	return &f->adapter;
}

static inline void stage_pd(void)
{
	NDK_ADAPTER *a = stage();

	CHECK_STATUS(a->Dispatch->NdkCreatePd(a, told_created, f, &pd), STATUS_SUCCESS);
	CHECK(pd == &f->pd);
}

static inline void stage_qp(void)
{
	NDK_ADAPTER *a;

	stage_pd();
	a = &f->adapter;
	CHECK_STATUS(a->Dispatch->NdkCreateCq(a, 8, told_notified, f, (GROUP_AFFINITY *)0, told_created, f, &cq),
		     STATUS_SUCCESS);
	CHECK_STATUS(pd->Dispatch->NdkCreateQp(pd, cq, cq, f, 8, 8, 1, 1, 0, told_created, f, &qp), STATUS_SUCCESS);
}

static inline void stage_connector(void)
{
	NDK_ADAPTER *a = stage();

	CHECK_STATUS(a->Dispatch->NdkCreateConnector(a, told_created, f, &connector), STATUS_SUCCESS);
}

static inline void stage_listener(void)
{
	NDK_ADAPTER *a = stage();

	CHECK_STATUS(a->Dispatch->NdkCreateListener(a, told_connect, f, told_created, f, &listener), STATUS_SUCCESS);
}

/* Exactly that monitor spoke since the stage was set. */
static inline BOOLEAN only(unsigned id)
{
	unsigned i;

	for (i = 1; i <= 14; i++)
		if (i != id && monitor_spoke(i))
			return conf_fail("selftest", 0, "M-%02u spoke, but M-%02u should have", i, id);
	return monitor_spoke(id) > 0;
}

static inline BOOLEAN silent(void)
{
	return only(0) == FALSE && !conf_failed();
}

/* Lets the rest of the case be judged as any other. */
static inline void curtain(void)
{
	monitor_end();
	monitor_capture(FALSE);
	monitor_begin();
}

static inline NTSTATUS listen_now(void)
{
	struct kit_address at = kit_wildcard(NDK_V4, 7);

	return listener->Dispatch->NdkListen(listener, KIT_SA(&at), at.len, told_request, f);
}

static inline NTSTATUS close_now(NDK_OBJECT_HEADER *h)
{
	return ((NDK_PD *)h)->Dispatch->NdkClosePd(h, told_closed, f);
}

static inline void answer_request(NTSTATUS status)
{
	f->request.done.request(f->request.context, status);
}

static inline void answer_close(void)
{
	f->close.done.close(f->close.context);
}

static inline ULONG poll_now(void)
{
	NDK_RESULT_EX r[4];

	return cq->Dispatch->NdkGetCqResultsEx(cq, r, 4);
}

static inline NTSTATUS send_now(ULONG flags)
{
	return qp->Dispatch->NdkSend(qp, &f->posts, (const NDK_SGE *)0, 0, flags);
}

#endif
