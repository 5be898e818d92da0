/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitors watched: each is shown a truthful provider, about which every monitor must be silent,
 * and then lies of the kind it is there for, each of which it must speak about. The provider is
 * selftest_provider.c; M-10, M-13, M-14 and what concerns SRQs and windows are in selftest_queues.c.
 */
#include "selftest_stage.h"

/* ---- M-01 ---- */

NDK_CASE(monitor_01, "", NDK_ON_ALL, "M-01 speaks of requests answered never, twice, or in both ways")
{
	stage_listener();
	f->answer = STATUS_PENDING;
	listen_now();
	answer_request(STATUS_SUCCESS);
	CHECK(silent());
	answer_request(STATUS_SUCCESS);
	CHECK(only(1)); /* twice */

	stage_listener();
	listen_now();
	CHECK(silent());
	answer_request(STATUS_SUCCESS);
	CHECK(only(1)); /* inline and by callback */

	stage_listener();
	f->answer = STATUS_PENDING;
	listen_now();
	CHECK(silent());
	f->request.done.request(f, STATUS_SUCCESS);
	CHECK(only(1)); /* with a context nobody gave */

	stage_listener();
	f->answer = STATUS_PENDING;
	listen_now();
	f->answer = STATUS_SUCCESS;
	close_now(&listener->Header);
	CHECK(only(1)); /* closed before its request was answered */

	stage();
	f->answer = STATUS_PENDING;
	f->store = FALSE;
	f->adapter.Dispatch->NdkCreatePd(&f->adapter, told_created, f, &pd);
	CHECK(silent());
	monitor_end();
	CHECK(monitor_spoke(1) > 0); /* never */
	curtain();
}

/* ---- M-02 ---- */

static VOID close_completes_inside(PVOID context, NTSTATUS status)
{
	(void)context;
	(void)status;
	f->answer = STATUS_SUCCESS;
	close_now(&cq->Header);
}

NDK_CASE(monitor_02, "", NDK_ON_ALL, "M-02 speaks of callbacks after a close, and of closes during callbacks")
{
	stage_qp();
	cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
	close_now(&qp->Header);
	close_now(&cq->Header);
	CHECK(silent());
	f->notify(f->notify_context, STATUS_SUCCESS);
	CHECK(only(2)); /* a notification after the close */

	stage();
	f->adapter.Dispatch->NdkCreateCq(&f->adapter, 8, close_completes_inside, f, (GROUP_AFFINITY *)0,
					 told_created, f, &cq);
	cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
	CHECK(silent());
	f->notify(f->notify_context, STATUS_SUCCESS);
	CHECK(only(2)); /* the close completed inside the object's own callback */

	stage_pd();
	CHECK(silent());
	monitor_end();
	CHECK(monitor_spoke(2) > 0); /* left open */
	curtain();
}

/* ---- M-03 ---- */

static VOID parent_completes_inside(PVOID context)
{
	(void)context;
	f->outer_close.done.close(f->outer_close.context);
}

static void close_at_once(NDK_ADAPTER *a)
{
	(void)a;
}

NDK_CASE(monitor_03, "", NDK_ON_ALL, "M-03 speaks of parents that close before their children are done")
{
	stage_qp();
	close_now(&pd->Header);
	CHECK(only(3)); /* inline, with the QP open */

	stage_qp();
	f->answer = STATUS_PENDING;
	close_now(&qp->Header);
	close_now(&cq->Header);
	answer_close();
	CHECK(only(3)); /* by callback, with the QP's close pending */

	stage_qp();
	f->answer = STATUS_PENDING;
	close_now(&pd->Header);
	qp->Dispatch->NdkCloseQp(&qp->Header, parent_completes_inside, f);
	CHECK(silent());
	answer_close();
	CHECK(only(3)); /* while the QP's close callback runs */

	stage_qp();
	f->answer = STATUS_PENDING;
	close_now(&pd->Header);
	close_now(&qp->Header);
	answer_close();
	f->outer_close.done.close(f->outer_close.context);
	CHECK(silent()); /* as it should be */

	stage_pd();
	monitor_closes_adapters_with(close_at_once);
	monitor_close_adapter(&f->adapter);
	CHECK(only(3)); /* an adapter does not wait for its PD */
	curtain();
}

/* ---- M-04 ---- */

static void lie_about_results(void)
{
	stage_qp();
	send_now(0);
	fake_result(f, 0, STATUS_SUCCESS);
	CHECK_EQ(poll_now(), 1);
	CHECK(silent());
	fake_result(f, 0, STATUS_SUCCESS);
	poll_now();
	CHECK(only(4)); /* twice */

	stage_qp();
	f->answer = STATUS_CONNECTION_INVALID;
	send_now(0);
	CHECK(silent());
	fake_result(f, 0, STATUS_CANCELLED);
	poll_now();
	CHECK(only(4)); /* of a refused request */

	stage_qp();
	send_now(NDK_OP_FLAG_SILENT_SUCCESS);
	fake_result(f, 0, STATUS_SUCCESS);
	poll_now();
	CHECK(only(4)); /* of a silent success */
}

NDK_CASE(monitor_04, "", NDK_ON_ALL, "M-04 speaks of results too many, too few, and foreign")
{
	NDK_RESULT_EX r;

	lie_about_results();

	stage_qp();
	send_now(0);
	fake_result(f, 0, STATUS_SUCCESS);
	f->result[0].QPContext = &r;
	poll_now();
	CHECK(only(4)); /* with another QP's context */

	stage_qp();
	f->posted[0] = &r;
	fake_result(f, 0, STATUS_SUCCESS);
	poll_now();
	CHECK(only(4)); /* of no request at all */

	stage_qp();
	send_now(0);
	send_now(NDK_OP_FLAG_SILENT_SUCCESS);
	fake_result(f, 0, STATUS_SUCCESS);
	fake_result(f, 1, STATUS_CANCELLED);
	CHECK_EQ(cq->Dispatch->NdkGetCqResultsEx(cq, &r, 1), 1);
	CHECK(r.RequestContext == &f->posts);
	close_now(&qp->Header);
	CHECK(silent());
	poll_now();
	CHECK(silent()); /* the silent one need not show up */

	stage_qp();
	send_now(0);
	close_now(&qp->Header);
	CHECK(silent());
	poll_now();
	CHECK(only(4)); /* lost with the QP */
	curtain();
}

NDK_CASE(monitor_05, "", NDK_ON_ALL, "M-05 speaks of results out of order")
{
	stage_qp();
	send_now(0);
	send_now(NDK_OP_FLAG_SILENT_SUCCESS);
	send_now(0);
	fake_result(f, 0, STATUS_SUCCESS);
	fake_result(f, 2, STATUS_SUCCESS);
	CHECK_EQ(poll_now(), 2);
	CHECK(silent()); /* over a silent one is in order */

	stage_qp();
	send_now(0);
	send_now(0);
	fake_result(f, 1, STATUS_SUCCESS);
	fake_result(f, 0, STATUS_SUCCESS);
	poll_now();
	CHECK(only(5));
	curtain();
}

/* ---- M-06 ---- */

static VOID notify_again(PVOID context, NTSTATUS status)
{
	(void)context;
	(void)status;
	if (f->posts++ == 0)
		f->notify(f->notify_context, STATUS_SUCCESS);
}

NDK_CASE(monitor_06, "", NDK_ON_ALL, "M-06 speaks of notifications that overlap or that nobody armed for")
{
	stage_qp();
	cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
	f->notify(f->notify_context, STATUS_SUCCESS);
	CHECK(silent());
	f->notify(f->notify_context, STATUS_SUCCESS);
	CHECK(only(6)); /* one arm, two notifications */

	stage();
	f->adapter.Dispatch->NdkCreateCq(&f->adapter, 8, notify_again, f, (GROUP_AFFINITY *)0, told_created, f, &cq);
	cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
	cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
	f->notify(f->notify_context, STATUS_SUCCESS);
	CHECK(only(6)); /* one inside the other */
	curtain();
}

/* ---- M-07 ---- */

NDK_CASE(monitor_07, "", NDK_ON_ALL, "M-07 speaks of outputs written when nothing may be, and of botched objects")
{
	NDK_PD *out = (NDK_PD *)KIT_POISON;

	stage();
	f->answer = STATUS_PENDING;
	f->adapter.Dispatch->NdkCreatePd(&f->adapter, told_created, f, &out);
	CHECK(only(7)); /* pended, and stored */
	CHECK(out == (NDK_PD *)KIT_POISON);

	stage();
	f->answer = STATUS_INSUFFICIENT_RESOURCES;
	f->adapter.Dispatch->NdkCreatePd(&f->adapter, told_created, f, &out);
	CHECK(only(7)); /* failed, and stored */

	stage();
	f->answer = STATUS_PENDING;
	f->store = FALSE;
	f->adapter.Dispatch->NdkCreatePd(&f->adapter, told_created, f, &out);
	CHECK(silent());
	f->create.done.create(f->create.context, STATUS_INSUFFICIENT_RESOURCES, &f->pd.Header);
	CHECK(only(7)); /* failed by callback, with an object */

	stage();
	f->answer = STATUS_PENDING;
	f->store = FALSE;
	f->adapter.Dispatch->NdkCreatePd(&f->adapter, told_created, f, &out);
	f->pd.Header.NdkReserved.rf[2] = f;
	f->create.done.create(f->create.context, STATUS_SUCCESS, &f->pd.Header);
	CHECK(only(7)); /* a reserved word is not zero */
	curtain();
}

/* ---- M-08 ---- */

NDK_CASE(monitor_08, "", NDK_ON_ALL, "M-08 speaks of objects that stay behind")
{
	const NDK_VERSION version = { 2, 1 };
	NDK_ADAPTER *a = (NDK_ADAPTER *)0;

	stage();
	/* A real one, of which the monitors know nothing. */
	REQUIRE_STATUS(NdkOpenAdapter(conf_adapter_name(0), version, &a), NDIS_STATUS_SUCCESS);
	monitor_end();
	CHECK(monitor_spoke(8) > 0);
	NdkCloseAdapter(a);
	curtain();
	monitor_capture(TRUE);
	monitor_end();
	CHECK(silent());
	curtain();
}

/* ---- M-09 ---- */

NDK_CASE(monitor_09, "", NDK_ON_ALL, "M-09 speaks of statuses out of place")
{
	stage_listener();
	f->answer = STATUS_SHARING_VIOLATION;
	listen_now();
	CHECK(silent());
	f->answer = STATUS_CONNECTION_REFUSED;
	listen_now();
	CHECK(only(9)); /* not of this function */

	stage_listener();
	f->answer = STATUS_PENDING;
	listen_now();
	answer_request(STATUS_CANCELLED);
	CHECK(silent()); /* by a close, for all we know */

	stage_listener();
	f->answer = STATUS_PENDING;
	listen_now();
	answer_request(STATUS_PENDING);
	CHECK(only(9)); /* a completion that is none (REQ-11) */

	stage_qp();
	f->answer = STATUS_PENDING;
	send_now(0);
	CHECK(only(9)); /* posts never pend (REQ-10) */

	stage_qp();
	f->answer = STATUS_INSUFFICIENT_RESOURCES;
	close_now(&qp->Header);
	CHECK(monitor_spoke(9) > 0); /* close cannot fail (CLOSE-1) */
	curtain();
}

/* ---- M-11 ---- */

static NTSTATUS complete_now(void)
{
	return connector->Dispatch->NdkCompleteConnect(connector, told_gone, f, told_request, f);
}

NDK_CASE(monitor_11, "", NDK_ON_ALL, "M-11 speaks of disconnect events that come twice, too soon, or for nothing")
{
	stage_connector();
	complete_now();
	f->gone(f->gone_context);
	CHECK(silent());
	f->gone(f->gone_context);
	CHECK(only(11)); /* twice */

	stage_connector();
	f->answer = STATUS_PENDING;
	complete_now();
	CHECK(silent());
	f->gone(f->gone_context);
	CHECK(only(11)); /* before the completion */

	stage_connector();
	f->answer = STATUS_CONNECTION_INVALID;
	complete_now();
	CHECK(silent());
	f->gone(f->gone_context);
	CHECK(only(11)); /* for a registration that failed */
	curtain();
}

CONF_CASES(selftest, CASE(monitor_01), CASE(monitor_02), CASE(monitor_03), CASE(monitor_04), CASE(monitor_05),
	   CASE(monitor_06), CASE(monitor_07), CASE(monitor_08), CASE(monitor_09), CASE(monitor_11));
