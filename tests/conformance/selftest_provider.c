/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The provider of the self test. One thread, no lock. Its tables are the monitors' own, so that no
 * slot is empty, with the functions put in place that the self test uses.
 */
#include "selftest_provider.h"
#include "monitor_i.h"

static struct fake fake;
static NDK_ADAPTER_DISPATCH adapter_table;
static NDK_PD_DISPATCH pd_table;
static NDK_CQ_DISPATCH cq_table;
static NDK_QP_DISPATCH qp_table;
static NDK_SRQ_DISPATCH srq_table;
static NDK_MR_DISPATCH mr_table;
static NDK_MW_DISPATCH mw_table;
static NDK_LISTENER_DISPATCH listener_table;
static NDK_CONNECTOR_DISPATCH connector_table;

static void make(NDK_OBJECT_HEADER *h, NDK_OBJECT_TYPE type)
{
	memset(h, 0, sizeof(*h));
	h->Version.Major = 2;
	h->Version.Minor = 1;
	h->ObjectType = type;
}

static NTSTATUS creation(NDK_OBJECT_HEADER *object, NDK_FN_CREATE_COMPLETION done, PVOID context, PVOID *out)
{
	fake.create.done.create = done;
	fake.create.context = context;
	if (fake.store)
		*out = object;
	return fake.answer;
}

static NTSTATUS request(NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	fake.request.done.request = done;
	fake.request.context = context;
	if (fake.dawdle_ms)
		conf_sleep(fake.dawdle_ms);
	return fake.answer;
}

static NTSTATUS fake_close(NDK_OBJECT_HEADER *object, NDK_FN_CLOSE_COMPLETION done, PVOID context)
{
	(void)object;
	fake.outer_close = fake.close;
	fake.close.done.close = done;
	fake.close.context = context;
	return fake.answer;
}

static NTSTATUS fake_create_pd(NDK_ADAPTER *a, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_PD **out)
{
	(void)a;
	make(&fake.pd.Header, NdkObjectTypePd);
	fake.pd.Dispatch = &pd_table;
	return creation(&fake.pd.Header, done, context, (PVOID *)out);
}

static NTSTATUS fake_create_cq(NDK_ADAPTER *a, ULONG depth, NDK_FN_CQ_NOTIFICATION_CALLBACK notify,
			       PVOID notify_context, GROUP_AFFINITY *affinity, NDK_FN_CREATE_COMPLETION done,
			       PVOID context, NDK_CQ **out)
{
	(void)a;
	(void)depth;
	(void)affinity;
	make(&fake.cq.Header, NdkObjectTypeCq);
	fake.cq.Dispatch = &cq_table;
	fake.notify = notify;
	fake.notify_context = notify_context;
	return creation(&fake.cq.Header, done, context, (PVOID *)out);
}

static NTSTATUS fake_create_listener(NDK_ADAPTER *a, NDK_FN_CONNECT_EVENT_CALLBACK event, PVOID event_context,
				     NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_LISTENER **out)
{
	(void)a;
	make(&fake.listener.Header, NdkObjectTypeListener);
	fake.listener.Dispatch = &listener_table;
	fake.connect = event;
	fake.connect_context = event_context;
	return creation(&fake.listener.Header, done, context, (PVOID *)out);
}

static NTSTATUS fake_create_connector(NDK_ADAPTER *a, NDK_FN_CREATE_COMPLETION done, PVOID context,
				      NDK_CONNECTOR **out)
{
	(void)a;
	make(&fake.connector.Header, NdkObjectTypeConnector);
	fake.connector.Dispatch = &connector_table;
	return creation(&fake.connector.Header, done, context, (PVOID *)out);
}

static NTSTATUS fake_create_qp(NDK_PD *pd, NDK_CQ *receive, NDK_CQ *initiator, PVOID qp_context,
			       ULONG receive_depth, ULONG initiator_depth, ULONG receive_sge, ULONG initiator_sge,
			       ULONG inline_size, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_QP **out)
{
	(void)pd;
	(void)receive;
	(void)initiator;
	(void)receive_depth;
	(void)initiator_depth;
	(void)receive_sge;
	(void)initiator_sge;
	(void)inline_size;
	make(&fake.qp.Header, NdkObjectTypeQp);
	fake.qp.Dispatch = &qp_table;
	fake.qp_context = qp_context;
	return creation(&fake.qp.Header, done, context, (PVOID *)out);
}

static NTSTATUS fake_create_srq(NDK_PD *pd, ULONG depth, ULONG sge, ULONG threshold,
				NDK_FN_SRQ_NOTIFICATION_CALLBACK notify, PVOID notify_context,
				GROUP_AFFINITY *affinity, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_SRQ **out)
{
	(void)pd;
	(void)depth;
	(void)sge;
	(void)threshold;
	(void)affinity;
	make(&fake.srq.Header, NdkObjectTypeSrq);
	fake.srq.Dispatch = &srq_table;
	fake.low = notify;
	fake.low_context = notify_context;
	return creation(&fake.srq.Header, done, context, (PVOID *)out);
}

static NTSTATUS fake_create_qp_with_srq(NDK_PD *pd, NDK_CQ *receive, NDK_CQ *initiator, NDK_SRQ *srq,
					PVOID qp_context, ULONG initiator_depth, ULONG initiator_sge,
					ULONG inline_size, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_QP **out)
{
	(void)srq;
	return fake_create_qp(pd, receive, initiator, qp_context, 0, initiator_depth, 0, initiator_sge, inline_size,
			      done, context, out);
}

static NTSTATUS fake_create_mr(NDK_PD *pd, BOOLEAN fast, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_MR **out)
{
	(void)pd;
	(void)fast;
	make(&fake.mr.Header, NdkObjectTypeMr);
	fake.mr.Dispatch = &mr_table;
	return creation(&fake.mr.Header, done, context, (PVOID *)out);
}

static NTSTATUS fake_create_mw(NDK_PD *pd, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_MW **out)
{
	(void)pd;
	make(&fake.mw.Header, NdkObjectTypeMw);
	fake.mw.Dispatch = &mw_table;
	return creation(&fake.mw.Header, done, context, (PVOID *)out);
}

static UINT32 fake_window_token(NDK_MW *mw)
{
	(void)mw;
	return 77;
}

static NTSTATUS fake_modify(NDK_SRQ *srq, ULONG depth, ULONG threshold, NDK_FN_REQUEST_COMPLETION *done,
			    PVOID context)
{
	(void)srq;
	(void)depth;
	(void)threshold;
	return request(done, context);
}

static VOID fake_arm(NDK_CQ *cq, ULONG type)
{
	(void)cq;
	(void)type;
}

static ULONG fake_results(NDK_CQ *cq, NDK_RESULT_EX *results, ULONG count)
{
	ULONG got = fake.results < count ? fake.results : count;

	(void)cq;
	memcpy(results, fake.result, got * sizeof(*results));
	fake.results = 0;
	return got;
}

static NTSTATUS post(PVOID context)
{
	fake.posted[fake.posts++ % 4] = context;
	return fake.answer;
}

static NTSTATUS fake_send(NDK_QP *qp, PVOID context, const NDK_SGE *sgl, ULONG n, ULONG flags)
{
	(void)qp;
	(void)sgl;
	(void)n;
	(void)flags;
	return post(context);
}

static NTSTATUS fake_bind(NDK_QP *qp, PVOID context, NDK_MR *mr, NDK_MW *mw, PVOID at, SIZE_T length, ULONG flags)
{
	(void)qp;
	(void)mr;
	(void)mw;
	(void)at;
	(void)length;
	(void)flags;
	return post(context);
}

static NTSTATUS fake_invalidate(NDK_QP *qp, PVOID context, NDK_OBJECT_HEADER *object, ULONG flags)
{
	(void)qp;
	(void)object;
	(void)flags;
	return post(context);
}

static NTSTATUS fake_send_invalidate(NDK_QP *qp, PVOID context, const NDK_SGE *sgl, ULONG n, ULONG flags,
				     UINT32 token)
{
	(void)qp;
	(void)sgl;
	(void)n;
	(void)flags;
	(void)token;
	return post(context);
}

static NTSTATUS fake_srq_receive(NDK_SRQ *srq, PVOID context, const NDK_SGE *sgl, ULONG n)
{
	(void)srq;
	(void)sgl;
	(void)n;
	return post(context);
}

static NTSTATUS fake_complete(NDK_CONNECTOR *c, NDK_FN_DISCONNECT_EVENT_CALLBACK event, PVOID event_context,
			      NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	(void)c;
	fake.gone = event;
	fake.gone_context = event_context;
	return request(done, context);
}

static NTSTATUS fake_listen(NDK_LISTENER *l, const struct sockaddr *at, ULONG length,
			    NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	(void)l;
	(void)at;
	(void)length;
	return request(done, context);
}

#define FAKE_TABLE(table_, type_)                                        \
	do {                                                             \
		unsigned slots;                                          \
		memcpy(&(table_), mon_table(type_, &slots), sizeof(table_)); \
	} while (0)

static void make_tables(void)
{
	FAKE_TABLE(adapter_table, NdkObjectTypeAdapter);
	adapter_table.NdkCreatePd = fake_create_pd;
	adapter_table.NdkCreateCq = fake_create_cq;
	adapter_table.NdkCreateListener = fake_create_listener;
	adapter_table.NdkCreateConnector = fake_create_connector;
	FAKE_TABLE(pd_table, NdkObjectTypePd);
	pd_table.NdkClosePd = fake_close;
	pd_table.NdkCreateQp = fake_create_qp;
	pd_table.NdkCreateQpWithSrq = fake_create_qp_with_srq;
	pd_table.NdkCreateSrq = fake_create_srq;
	pd_table.NdkCreateMr = fake_create_mr;
	pd_table.NdkCreateMw = fake_create_mw;
	FAKE_TABLE(cq_table, NdkObjectTypeCq);
	cq_table.NdkCloseCq = fake_close;
	cq_table.NdkArmCq = fake_arm;
	cq_table.NdkGetCqResultsEx = fake_results;
	FAKE_TABLE(qp_table, NdkObjectTypeQp);
	qp_table.NdkCloseQp = fake_close;
	qp_table.NdkSend = fake_send;
	qp_table.NdkBind = fake_bind;
	qp_table.NdkInvalidate = fake_invalidate;
	qp_table.NdkSendAndInvalidate = fake_send_invalidate;
	FAKE_TABLE(srq_table, NdkObjectTypeSrq);
	srq_table.NdkCloseSrq = fake_close;
	srq_table.NdkModifySrq = fake_modify;
	srq_table.NdkSrqReceive = fake_srq_receive;
	FAKE_TABLE(mr_table, NdkObjectTypeMr);
	mr_table.NdkCloseMr = fake_close;
	FAKE_TABLE(mw_table, NdkObjectTypeMw);
	mw_table.NdkCloseMw = fake_close;
	mw_table.NdkGetRemoteTokenFromMw = fake_window_token;
	FAKE_TABLE(listener_table, NdkObjectTypeListener);
	listener_table.NdkCloseListener = fake_close;
	listener_table.NdkListen = fake_listen;
	FAKE_TABLE(connector_table, NdkObjectTypeConnector);
	connector_table.NdkCloseConnector = fake_close;
	connector_table.NdkCompleteConnect = fake_complete;
}

struct fake *fake_begin(void)
{
	memset(&fake, 0, sizeof(fake));
	make_tables();
	fake.answer = STATUS_SUCCESS;
	fake.store = TRUE;
	make(&fake.adapter.Header, NdkObjectTypeAdapter);
	fake.adapter.Dispatch = &adapter_table;
	return &fake;
}

void fake_result(struct fake *f, unsigned n, NTSTATUS status)
{
	fake_result_of(f, n, status, NdkOperationTypeSend);
}

void fake_result_of(struct fake *f, unsigned n, NTSTATUS status, NDK_OPERATION_TYPE type)
{
	NDK_RESULT_EX *r = &f->result[f->results++];

	memset(r, 0, sizeof(*r));
	r->Status = status;
	r->Type = type;
	r->RequestContext = f->posted[n];
	r->QPContext = f->qp_context;
}
