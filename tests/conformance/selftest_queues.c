/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitors watched where queues and memory are concerned: results of lost CQs and of wrong types,
 * shared receives, notifications of SRQs, windows and their regions; and the monitors that count:
 * blocking calls, foreign clocks, counters. As selftest.c.
 */
#include "selftest_stage.h"
#include "env.h"

static NDK_SRQ *srq;

/* A QP on an SRQ with a threshold or without. */
static void stage_srq(ULONG threshold)
{
	stage_qp();
	CHECK_STATUS(pd->Dispatch->NdkCreateSrq(pd, 8, 1, threshold, told_notified, f, (GROUP_AFFINITY *)0,
						told_created, f, &srq),
		     STATUS_SUCCESS);
}

static void stage_shared(void)
{
	stage_srq(0);
	close_now(&qp->Header);
	CHECK_STATUS(pd->Dispatch->NdkCreateQpWithSrq(pd, cq, cq, srq, f, 8, 1, 0, told_created, f, &qp),
		     STATUS_SUCCESS);
}

static NTSTATUS shared_receive(void)
{
	return srq->Dispatch->NdkSrqReceive(srq, &f->posts, (const NDK_SGE *)0, 0);
}

static void shared_result(unsigned n, NTSTATUS status)
{
	fake_result_of(f, n, status, NdkOperationTypeReceive);
}

NDK_CASE(monitor_04_shared, "", NDK_ON_ALL,
	 "M-04 and M-05 speak of shared receives that end twice, on a foreign QP, or out of turn")
{
	stage_shared();
	shared_receive();
	shared_receive();
	shared_receive();
	shared_result(0, STATUS_SUCCESS);
	shared_result(1, STATUS_SUCCESS);
	CHECK_EQ(poll_now(), 2);
	close_now(&qp->Header);
	close_now(&srq->Header);
	poll_now();
	CHECK(silent()); /* what is left in an SRQ gives no result, and is not missed */

	shared_result(1, STATUS_SUCCESS);
	poll_now();
	CHECK(only(4)); /* twice */

	stage_shared();
	shared_receive();
	shared_result(0, STATUS_SUCCESS);
	f->result[0].QPContext = &srq;
	poll_now();
	CHECK(only(4)); /* by a QP that is none of the SRQ's */

	stage_shared();
	f->answer = STATUS_NO_MORE_ENTRIES;
	shared_receive();
	CHECK(silent());
	shared_result(0, STATUS_SUCCESS);
	poll_now();
	CHECK(only(4)); /* of a refused one */

	stage_shared();
	shared_receive();
	shared_receive();
	shared_result(1, STATUS_SUCCESS);
	shared_result(0, STATUS_SUCCESS);
	poll_now();
	CHECK(only(5)); /* the younger one first */

	if (conf_place() == NDK_ON_S) {
		stage_shared();
		shared_receive();
		shared_result(0, STATUS_CANCELLED);
		poll_now();
		CHECK(only(4)); /* flushed, though it was no QP's */
	}
	curtain();
}

NDK_CASE(monitor_04_results, "", NDK_ON_ALL,
	 "M-04 speaks of results of the wrong type, of errors in successes, and of lost CQs that go on")
{
	stage_qp();
	send_now(0);
	fake_result_of(f, 0, STATUS_SUCCESS, NdkOperationTypeRead);
	poll_now();
	CHECK(only(4)); /* a send is no read */

	stage_qp();
	send_now(0);
	fake_result_of(f, 0, STATUS_SUCCESS, NdkOperationTypeReceiveAndInvalidate);
	poll_now();
	CHECK(only(4)); /* nor a receive */

	stage_qp();
	send_now(0);
	fake_result(f, 0, STATUS_SUCCESS);
	f->result[0].ProviderErrorCode = 5;
	poll_now();
	CHECK(only(4));

	stage_qp();
	send_now(0);
	fake_result(f, 0, STATUS_CANCELLED);
	f->result[0].ProviderErrorCode = 5;
	poll_now();
	CHECK(silent()); /* errors may have one */

	stage_qp();
	send_now(0);
	cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ERRORS);
	f->notify(f->notify_context, STATUS_BUFFER_OVERFLOW);
	CHECK(silent());
	fake_result(f, 0, STATUS_SUCCESS);
	poll_now();
	CHECK(only(4)); /* after it told that there will be none */
	curtain();
}

NDK_CASE(monitor_06_srq, "", NDK_ON_ALL,
	 "M-06 speaks of SRQ notifications that nobody armed for, and of a loss told twice")
{
	stage_srq(4);
	f->low(f->low_context, STATUS_SUCCESS);
	CHECK(silent()); /* armed by its creation */
	f->low(f->low_context, STATUS_SUCCESS);
	CHECK(only(6));

	stage_srq(0);
	f->low(f->low_context, STATUS_SUCCESS);
	CHECK(only(6)); /* never armed */

	stage_srq(0);
	srq->Dispatch->NdkModifySrq(srq, 0, 3, told_request, f);
	f->low(f->low_context, STATUS_SUCCESS);
	CHECK(silent()); /* armed by a threshold */
	srq->Dispatch->NdkModifySrq(srq, 8, 0, told_request, f);
	f->low(f->low_context, STATUS_SUCCESS);
	CHECK(only(6)); /* not by a depth alone */

	stage_srq(0);
	f->answer = STATUS_BUFFER_OVERFLOW;
	srq->Dispatch->NdkModifySrq(srq, 2, 1, told_request, f);
	f->low(f->low_context, STATUS_SUCCESS);
	CHECK(only(6)); /* not by a call that failed */

	stage_srq(0);
	f->answer = STATUS_PENDING;
	srq->Dispatch->NdkModifySrq(srq, 2, 1, told_request, f);
	answer_request(STATUS_BUFFER_OVERFLOW);
	f->low(f->low_context, STATUS_SUCCESS);
	CHECK(only(6)); /* however it was told */

	stage_srq(0);
	f->low(f->low_context, STATUS_INTERNAL_ERROR);
	CHECK(silent()); /* a loss needs no arm */
	f->low(f->low_context, STATUS_INTERNAL_ERROR);
	CHECK(only(6));

	stage_srq(1);
	f->low(f->low_context, STATUS_BUFFER_OVERFLOW);
	CHECK(only(9)); /* an SRQ does not overrun */
	curtain();
}

/* ---- windows ---- */

static NDK_MR *mr;
static NDK_MW *mw;

static void stage_window(void)
{
	stage_qp();
	CHECK_STATUS(pd->Dispatch->NdkCreateMr(pd, FALSE, told_created, f, &mr), STATUS_SUCCESS);
	CHECK_STATUS(pd->Dispatch->NdkCreateMw(pd, told_created, f, &mw), STATUS_SUCCESS);
	CHECK_STATUS(qp->Dispatch->NdkBind(qp, f, mr, mw, (PVOID)0, 1, 0), STATUS_SUCCESS);
	fake_result_of(f, 0, STATUS_SUCCESS, NdkOperationTypeBind);
	CHECK_EQ(poll_now(), 1);
}

NDK_CASE(monitor_03_window, "", NDK_ON_ALL, "M-03 speaks of a region that closes while a window is bound to it")
{
	stage_window();
	close_now(&mr->Header);
	CHECK(only(3));

	stage_window();
	close_now(&mw->Header);
	close_now(&mr->Header);
	CHECK(silent());

	stage_window();
	CHECK_STATUS(qp->Dispatch->NdkInvalidate(qp, f, &mw->Header, 0), STATUS_SUCCESS);
	close_now(&mr->Header);
	CHECK(silent()); /* for all we know it is not bound any more */

	stage_window();
	CHECK_STATUS(qp->Dispatch->NdkSendAndInvalidate(qp, f, (const NDK_SGE *)0, 0, 0, 77), STATUS_SUCCESS);
	close_now(&mr->Header);
	CHECK(silent()); /* nor here */

	stage_window();
	CHECK_STATUS(qp->Dispatch->NdkSendAndInvalidate(qp, f, (const NDK_SGE *)0, 0, 0, 76), STATUS_SUCCESS);
	close_now(&mr->Header);
	CHECK(only(3)); /* that was another */
	curtain();
}

/* ---- what is counted ---- */

NDK_CASE(monitor_10, "", NDK_ON_S | NDK_ON_K, "M-10 speaks of calls that block")
{
	if (env_locks_sleep())
		SKIP("this kernel's locks sleep, and so does every call");
	stage_listener();
	listen_now();
	CHECK(silent());
	f->dawdle_ms = 2;
	listen_now();
	CHECK(only(10));

	stage_listener();
	monitor_waits(0, TRUE);
	f->dawdle_ms = 2;
	listen_now();
	CHECK(silent()); /* told to */
	curtain();
}

NDK_CASE(monitor_13, "", NDK_ON_S, "M-13 speaks of every clock and random source that is not the fabric's")
{
	unsigned n;

	stage();
	monitor_end();
	CHECK_EQ(monitor_spoke(13), 0);
	for (n = 0;; n++) {
		stage();
		if (!env_read_foreign(n))
			break;
		monitor_end();
		if (!CHECK(monitor_spoke(13) > 0))
			conf_note("source number %u is read unnoticed", n);
		monitor_begin();
	}
	CHECK(n >= 10);
	curtain();
}

static void stage_counted(void)
{
	f = fake_begin();
	monitor_end();
	monitor_begin();
	monitor_capture(TRUE);
	monitor_adopt(&f->adapter, 0);
	CHECK_STATUS(f->adapter.Dispatch->NdkCreateConnector(&f->adapter, told_created, f, &connector),
		     STATUS_SUCCESS);
}

NDK_CASE(monitor_14, "", NDK_ON_ALL, "M-14 speaks of counters that do not tell what was seen")
{
	stage_counted();
	connector->Dispatch->NdkCompleteConnect(connector, told_gone, f, told_request, f);
	close_now(&connector->Header);
	CHECK(silent());
	monitor_end();
	CHECK(monitor_spoke(14) > 0); /* the real adapter 0 counted no connection */
	monitor_begin();

	stage_counted();
	f->adapter.Dispatch->NdkCreateCq(&f->adapter, 8, told_notified, f, (GROUP_AFFINITY *)0, told_created, f, &cq);
	cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
	f->notify(f->notify_context, STATUS_BUFFER_OVERFLOW);
	CHECK(silent());
	monitor_end();
	CHECK(monitor_spoke(14) > 0); /* nor a lost CQ */
	monitor_begin();

	stage_counted();
	close_now(&connector->Header);
	monitor_end();
	CHECK_EQ(monitor_spoke(14), 0);
	curtain();
}

CONF_CASES(selftest_queues, CASE(monitor_03_window), CASE(monitor_04_shared), CASE(monitor_04_results),
	   CASE(monitor_06_srq), CASE(monitor_10), CASE(monitor_13), CASE(monitor_14));
