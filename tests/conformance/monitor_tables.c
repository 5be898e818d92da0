/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The monitors' dispatch tables: one watched function for each of the interface's, which finds the
 * record, wraps contexts, callbacks and outputs, and calls the provider's function. Any context.
 */
#include "monitor_i.h"

/* Declares o (the record) and real (the provider's table), or returns what. */
#define MON_ENTER(type_, object_, what_)                                   \
	struct mon_object *o = mon_find(&(object_)->Header);               \
	const type_##_DISPATCH *real;                                      \
	if (!o)                                                            \
		return what_;                                              \
	real = (const type_##_DISPATCH *)o->real
#define MON_GONE STATUS_INTERNAL_ERROR /* the case has failed already */

static struct mon_call *request(enum mon_fn fn, struct mon_object *o, NDK_FN_REQUEST_COMPLETION done,
				PVOID context)
{
	struct mon_call *k = mon_call_new(fn, o);

	k->done.request = done;
	k->context = context;
	return k;
}

/* The output parameter is ours, and starts with a value that no object has (M-07). */
static struct mon_call *creation(enum mon_fn fn, struct mon_object *o, NDK_OBJECT_TYPE type,
				 NDK_FN_CREATE_COMPLETION done, PVOID context)
{
	struct mon_call *k = mon_call_new(fn, o);

	k->fresh = mon_object_new(type);
	k->done.create = done;
	k->context = context;
	k->out = k->cookie;
	return k;
}

/* What a function without a completion returned; it was called after mark. */
static NTSTATUS inline_only(enum mon_fn fn, UINT64 mark, NTSTATUS status)
{
	mon_watched(fn, mark);
	mon_check_status(fn, status, TRUE);
	return status;
}

static UINT32 token_of(UINT64 mark, UINT32 token)
{
	mon_watched(MON_NdkGetToken, mark);
	return token;
}

/* The record of an argument, NULL if it is not one of ours. */
static struct mon_object *argument(const VOID *object)
{
	unsigned long flags = conf_lock();
	struct mon_object *o = mon_look((const NDK_OBJECT_HEADER *)object);

	conf_unlock(flags);
	return o;
}

static NTSTATUS mon_query(NDK_OBJECT_HEADER *header, const GUID *id, NDK_VERSION version,
			  NDK_EXTENSION_INTERFACE *extension)
{
	struct mon_object *o = mon_find(header);
	const VOID *before = extension ? extension->Dispatch : (const VOID *)0;
	NTSTATUS status;
	UINT64 mark;

	if (!o)
		return MON_GONE;
	mark = mon_watch();
	status = o->query(header, id, version, extension);
	if (!NT_SUCCESS(status) && extension && extension->Dispatch != before)
		mon_violate(7, "NdkQueryExtension failed and wrote its output (U-43)");
	return inline_only(MON_NdkQueryExtension, mark, status);
}

/* ---- adapter ---- */

static NTSTATUS mon_query_info(NDK_ADAPTER *a, NDK_ADAPTER_INFO *info, ULONG *size)
{
	NDK_ADAPTER_INFO before;
	SIZE_T length = size && info && *size < sizeof(before) ? *size : 0; /* what a failure must leave alone */
	NTSTATUS status;
	MON_ENTER(NDK_ADAPTER, a, MON_GONE);
	if (length)
		memcpy(&before, info, length);
	status = real->NdkQueryAdapterInfo(a, info, size); /* may block */
	if (!NT_SUCCESS(status) && length && memcmp(&before, info, length) != 0)
		mon_violate(7, "NdkQueryAdapterInfo failed and wrote its buffer (ADP-10)");
	mon_check_status(MON_NdkQueryAdapterInfo, status, TRUE);
	return status;
}

static NTSTATUS mon_create_cq(NDK_ADAPTER *a, ULONG depth, NDK_FN_CQ_NOTIFICATION_CALLBACK notify,
			      PVOID notify_context, GROUP_AFFINITY *affinity, NDK_FN_CREATE_COMPLETION done,
			      PVOID context, NDK_CQ **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_ADAPTER, a, MON_GONE);
	k = creation(MON_NdkCreateCq, o, NdkObjectTypeCq, done, context);
	k->fresh->event.cq = notify;
	k->fresh->event_context = notify_context;
	return mon_create_end(k, real->NdkCreateCq(a, depth, mon_cq_event, k->fresh->cookie, affinity,
						   mon_create_done, k->cookie, (NDK_CQ **)&k->out),
			      (PVOID *)out);
}

static NTSTATUS mon_create_pd(NDK_ADAPTER *a, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_PD **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_ADAPTER, a, MON_GONE);
	k = creation(MON_NdkCreatePd, o, NdkObjectTypePd, done, context);
	return mon_create_end(k, real->NdkCreatePd(a, mon_create_done, k->cookie, (NDK_PD **)&k->out),
			      (PVOID *)out);
}

static NTSTATUS mon_create_shared(NDK_ADAPTER *a, const struct sockaddr *at, ULONG length,
				  NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_SHARED_ENDPOINT **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_ADAPTER, a, MON_GONE);
	k = creation(MON_NdkCreateSharedEndpoint, o, NdkObjectTypeSharedEndpoint, done, context);
	return mon_create_end(k, real->NdkCreateSharedEndpoint(a, at, length, mon_create_done, k->cookie,
							       (NDK_SHARED_ENDPOINT **)&k->out),
			      (PVOID *)out);
}

static NTSTATUS mon_create_connector(NDK_ADAPTER *a, NDK_FN_CREATE_COMPLETION done, PVOID context,
				     NDK_CONNECTOR **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_ADAPTER, a, MON_GONE);
	k = creation(MON_NdkCreateConnector, o, NdkObjectTypeConnector, done, context);
	return mon_create_end(k, real->NdkCreateConnector(a, mon_create_done, k->cookie, (NDK_CONNECTOR **)&k->out),
			      (PVOID *)out);
}

static NTSTATUS mon_create_listener(NDK_ADAPTER *a, NDK_FN_CONNECT_EVENT_CALLBACK event, PVOID event_context,
				    NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_LISTENER **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_ADAPTER, a, MON_GONE);
	k = creation(MON_NdkCreateListener, o, NdkObjectTypeListener, done, context);
	k->fresh->event.connect = event;
	k->fresh->event_context = event_context;
	return mon_create_end(k, real->NdkCreateListener(a, mon_connect_event, k->fresh->cookie, mon_create_done,
							 k->cookie, (NDK_LISTENER **)&k->out),
			      (PVOID *)out);
}

static NTSTATUS mon_build_lam(NDK_ADAPTER *a, MDL *mdl, SIZE_T length, NDK_FN_REQUEST_COMPLETION done,
			      PVOID context, NDK_LOGICAL_ADDRESS_MAPPING *lam, ULONG *size, ULONG *fbo)
{
	const ULONG size_before = size ? *size : 0, fbo_before = fbo ? *fbo : 0;
	struct mon_call *k;
	NTSTATUS status;
	MON_ENTER(NDK_ADAPTER, a, MON_GONE);
	k = request(MON_NdkBuildLAM, o, done, context);
	status = mon_call_end(k, real->NdkBuildLAM(a, mdl, length, mon_request_done, k->cookie, lam, size, fbo));
	/* one that pended owns its outputs till it is answered (U-50); one that failed tells a size or nothing */
	if (!NT_SUCCESS(status) && status != STATUS_BUFFER_TOO_SMALL &&
	    ((size && *size != size_before) || (fbo && *fbo != fbo_before)))
		mon_violate(7, "NdkBuildLAM returned %s and wrote its outputs", conf_status_name(status));
	return status;
}

static VOID mon_release_lam(NDK_ADAPTER *a, NDK_LOGICAL_ADDRESS_MAPPING *lam)
{
	UINT64 mark;
	MON_ENTER(NDK_ADAPTER, a, );
	mark = mon_watch();
	real->NdkReleaseLAM(a, lam);
	mon_watched(MON_NdkReleaseLAM, mark);
}

/* ---- PD ---- */

static NTSTATUS mon_create_mr(NDK_PD *pd, BOOLEAN fast, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_MR **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_PD, pd, MON_GONE);
	k = creation(MON_NdkCreateMr, o, NdkObjectTypeMr, done, context);
	return mon_create_end(k, real->NdkCreateMr(pd, fast, mon_create_done, k->cookie, (NDK_MR **)&k->out),
			      (PVOID *)out);
}

static NTSTATUS mon_create_mw(NDK_PD *pd, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_MW **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_PD, pd, MON_GONE);
	k = creation(MON_NdkCreateMw, o, NdkObjectTypeMw, done, context);
	return mon_create_end(k, real->NdkCreateMw(pd, mon_create_done, k->cookie, (NDK_MW **)&k->out),
			      (PVOID *)out);
}

static NTSTATUS mon_create_srq(NDK_PD *pd, ULONG depth, ULONG sge, ULONG threshold,
			       NDK_FN_SRQ_NOTIFICATION_CALLBACK notify, PVOID notify_context,
			       GROUP_AFFINITY *affinity, NDK_FN_CREATE_COMPLETION done, PVOID context,
			       NDK_SRQ **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_PD, pd, MON_GONE);
	k = creation(MON_NdkCreateSrq, o, NdkObjectTypeSrq, done, context);
	k->fresh->event.srq = notify;
	k->fresh->event_context = notify_context;
	k->fresh->arms = threshold > 0;
	return mon_create_end(k, real->NdkCreateSrq(pd, depth, sge, threshold, notify ? mon_srq_event : notify,
						    k->fresh->cookie, affinity, mon_create_done, k->cookie,
						    (NDK_SRQ **)&k->out),
			      (PVOID *)out);
}

static struct mon_call *qp_creation(enum mon_fn fn, struct mon_object *o, NDK_CQ *receive, NDK_CQ *initiator,
				    PVOID qp_context, NDK_FN_CREATE_COMPLETION done, PVOID context)
{
	struct mon_call *k = creation(fn, o, NdkObjectTypeQp, done, context);

	k->fresh->qp_context = qp_context;
	k->fresh->queue[MON_RECEIVE].cq = argument(receive);
	k->fresh->queue[MON_INITIATOR].cq = argument(initiator);
	mon_add_parent(k->fresh, k->fresh->queue[MON_RECEIVE].cq);
	mon_add_parent(k->fresh, k->fresh->queue[MON_INITIATOR].cq);
	return k;
}

static void use_srq(struct mon_object *qp, struct mon_object *srq)
{
	unsigned long flags = conf_lock();

	qp->srq = srq;
	mon_add_parent(qp, srq);
	if (srq) {
		qp->next_user = srq->users;
		srq->users = qp;
	}
	conf_unlock(flags);
}

static NTSTATUS mon_create_qp(NDK_PD *pd, NDK_CQ *receive, NDK_CQ *initiator, PVOID qp_context,
			      ULONG receive_depth, ULONG initiator_depth, ULONG receive_sge, ULONG initiator_sge,
			      ULONG inline_size, NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_QP **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_PD, pd, MON_GONE);
	k = qp_creation(MON_NdkCreateQp, o, receive, initiator, qp_context, done, context);
	return mon_create_end(k, real->NdkCreateQp(pd, receive, initiator, qp_context, receive_depth,
						   initiator_depth, receive_sge, initiator_sge, inline_size,
						   mon_create_done, k->cookie, (NDK_QP **)&k->out),
			      (PVOID *)out);
}

static NTSTATUS mon_create_qp_srq(NDK_PD *pd, NDK_CQ *receive, NDK_CQ *initiator, NDK_SRQ *srq,
				  PVOID qp_context, ULONG initiator_depth, ULONG initiator_sge, ULONG inline_size,
				  NDK_FN_CREATE_COMPLETION done, PVOID context, NDK_QP **out)
{
	struct mon_call *k;
	MON_ENTER(NDK_PD, pd, MON_GONE);
	k = qp_creation(MON_NdkCreateQpWithSrq, o, receive, initiator, qp_context, done, context);
	use_srq(k->fresh, argument(srq));
	return mon_create_end(k, real->NdkCreateQpWithSrq(pd, receive, initiator, srq, qp_context, initiator_depth,
							  initiator_sge, inline_size, mon_create_done, k->cookie,
							  (NDK_QP **)&k->out),
			      (PVOID *)out);
}

static VOID mon_privileged_token(NDK_PD *pd, UINT32 *token)
{
	UINT64 mark;
	MON_ENTER(NDK_PD, pd, );
	mark = mon_watch();
	real->NdkGetPrivilegedMemoryRegionToken(pd, token);
	mon_watched(MON_NdkGetToken, mark);
}

/* ---- MR and MW ---- */

static NTSTATUS mon_register_mr(NDK_MR *mr, MDL *mdl, SIZE_T length, ULONG flags, NDK_FN_REQUEST_COMPLETION done,
				PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_MR, mr, MON_GONE);
	k = request(MON_NdkRegisterMr, o, done, context);
	return mon_call_end(k, real->NdkRegisterMr(mr, mdl, length, flags, mon_request_done, k->cookie));
}

static NTSTATUS mon_deregister_mr(NDK_MR *mr, NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_MR, mr, MON_GONE);
	k = request(MON_NdkDeregisterMr, o, done, context);
	return mon_call_end(k, real->NdkDeregisterMr(mr, mon_request_done, k->cookie));
}

static NTSTATUS mon_initialize_mr(NDK_MR *mr, ULONG pages, BOOLEAN remote, NDK_FN_REQUEST_COMPLETION done,
				  PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_MR, mr, MON_GONE);
	k = request(MON_NdkInitializeFastRegisterMr, o, done, context);
	return mon_call_end(k, real->NdkInitializeFastRegisterMr(mr, pages, remote, mon_request_done, k->cookie));
}

static UINT32 mon_remote_token(NDK_MR *mr)
{
	UINT64 mark;
	MON_ENTER(NDK_MR, mr, 0);
	mark = mon_watch();
	return token_of(mark, real->NdkGetRemoteTokenFromMr(mr));
}

static UINT32 mon_local_token(NDK_MR *mr)
{
	UINT64 mark;
	MON_ENTER(NDK_MR, mr, 0);
	mark = mon_watch();
	return token_of(mark, real->NdkGetLocalTokenFromMr(mr));
}

static UINT32 mon_window_token(NDK_MW *mw)
{
	UINT64 mark;
	MON_ENTER(NDK_MW, mw, 0);
	mark = mon_watch();
	return token_of(mark, real->NdkGetRemoteTokenFromMw(mw));
}

/* ---- CQ: results are in monitor_posts.c, arms in monitor_arms.c ---- */

static NTSTATUS mon_resize_cq(NDK_CQ *cq, ULONG depth, NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_CQ, cq, MON_GONE);
	k = request(MON_NdkResizeCq, o, done, context);
	return mon_call_end(k, real->NdkResizeCq(cq, depth, mon_request_done, k->cookie));
}

static NTSTATUS mon_moderation(NDK_CQ *cq, ULONG interval, ULONG count)
{
	UINT64 mark;
	MON_ENTER(NDK_CQ, cq, MON_GONE);
	mark = mon_watch();
	return inline_only(MON_NdkControlCqInterruptModeration, mark,
			   real->NdkControlCqInterruptModeration(cq, interval, count));
}

/* ---- QP ---- */

/* Each post in one line: its record, then the provider's function with the cookie as context. */
#define MON_POST_CALL(name_, flags_, ...)                                                          \
	struct mon_post *p;                                                                        \
	UINT64 mark;                                                                               \
	MON_ENTER(NDK_QP, qp, MON_GONE);                                                           \
	p = mon_post_begin(MON_##name_, o, MON_INITIATOR, context, flags_);                        \
	mark = mon_watch();                                                                        \
	return mon_post_end(p, MON_##name_, mark, real->name_(qp, p->cookie, __VA_ARGS__))

static VOID mon_flush(NDK_QP *qp)
{
	UINT64 mark;
	MON_ENTER(NDK_QP, qp, );
	mark = mon_watch();
	real->NdkFlush(qp);
	mon_watched(MON_NdkFlush, mark);
}

static NTSTATUS mon_send(NDK_QP *qp, PVOID context, const NDK_SGE *sgl, ULONG n, ULONG flags)
{
	MON_POST_CALL(NdkSend, flags, sgl, n, flags);
}

static NTSTATUS mon_receive(NDK_QP *qp, PVOID context, const NDK_SGE *sgl, ULONG n)
{
	struct mon_post *p;
	UINT64 mark;
	MON_ENTER(NDK_QP, qp, MON_GONE);
	p = mon_post_begin(MON_NdkReceive, o, MON_RECEIVE, context, 0);
	mark = mon_watch();
	return mon_post_end(p, MON_NdkReceive, mark, real->NdkReceive(qp, p->cookie, sgl, n));
}

static NTSTATUS mon_bind_mw(NDK_QP *qp, PVOID context, NDK_MR *mr, NDK_MW *mw, PVOID at, SIZE_T length, ULONG flags)
{
	struct mon_object *window, *region = argument(mr);
	struct mon_post *p;
	NTSTATUS status;
	UINT64 mark;
	MON_ENTER(NDK_QP, qp, MON_GONE);
	window = argument(mw);
	p = mon_post_begin(MON_NdkBind, o, MON_INITIATOR, context, flags);
	if (window && region) {
		mon_unsettle(window);
		p->mw = window;
		p->mr = region;
		p->turn = window->turn;
	}
	mark = mon_watch();
	status = mon_post_end(p, MON_NdkBind, mark, real->NdkBind(qp, p->cookie, mr, mw, at, length, flags));
	if (status == STATUS_SUCCESS && window)
		window->token = ((const NDK_MW_DISPATCH *)window->real)->NdkGetRemoteTokenFromMw(mw);
	return status;
}

static NTSTATUS mon_fast_register(NDK_QP *qp, PVOID context, NDK_MR *mr, ULONG pages,
				  const NDK_LOGICAL_ADDRESS *page, ULONG fbo, SIZE_T length, PVOID base, ULONG flags)
{
	MON_POST_CALL(NdkFastRegister, flags, mr, pages, page, fbo, length, base, flags);
}

static NTSTATUS mon_invalidate(NDK_QP *qp, PVOID context, NDK_OBJECT_HEADER *object, ULONG flags)
{
	struct mon_object *named = argument(object);

	if (named && named->type == NdkObjectTypeMw)
		mon_unsettle(named);
	MON_POST_CALL(NdkInvalidate, flags, object, flags);
}

static NTSTATUS mon_read(NDK_QP *qp, PVOID context, const NDK_SGE *sgl, ULONG n, UINT64 remote, UINT32 token,
			 ULONG flags)
{
	MON_POST_CALL(NdkRead, flags, sgl, n, remote, token, flags);
}

static NTSTATUS mon_write(NDK_QP *qp, PVOID context, const NDK_SGE *sgl, ULONG n, UINT64 remote, UINT32 token,
			  ULONG flags)
{
	MON_POST_CALL(NdkWrite, flags, sgl, n, remote, token, flags);
}

static NTSTATUS mon_send_invalidate(NDK_QP *qp, PVOID context, const NDK_SGE *sgl, ULONG n, ULONG flags,
				    UINT32 token)
{
	mon_unsettle_token(token);
	MON_POST_CALL(NdkSendAndInvalidate, flags, sgl, n, flags, token);
}

/* ---- SRQ ---- */

static NTSTATUS mon_modify_srq(NDK_SRQ *srq, ULONG depth, ULONG threshold, NDK_FN_REQUEST_COMPLETION done,
			       PVOID context)
{
	struct mon_call *k;
	unsigned long flags;
	MON_ENTER(NDK_SRQ, srq, MON_GONE);
	k = request(MON_NdkModifySrq, o, done, context);
	flags = conf_lock();
	k->arming = threshold > 0;
	o->arms += k->arming;
	conf_unlock(flags);
	return mon_call_end(k, real->NdkModifySrq(srq, depth, threshold, mon_request_done, k->cookie));
}

static NTSTATUS mon_srq_receive(NDK_SRQ *srq, PVOID context, const NDK_SGE *sgl, ULONG n)
{
	struct mon_post *p;
	UINT64 mark;
	MON_ENTER(NDK_SRQ, srq, MON_GONE);
	p = mon_post_begin(MON_NdkSrqReceive, o, MON_RECEIVE, context, 0);
	mark = mon_watch();
	return mon_post_end(p, MON_NdkSrqReceive, mark, real->NdkSrqReceive(srq, p->cookie, sgl, n));
}

/* ---- listener ---- */

static NTSTATUS mon_listen(NDK_LISTENER *l, const struct sockaddr *at, ULONG length,
			   NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_LISTENER, l, MON_GONE);
	k = request(MON_NdkListen, o, done, context);
	return mon_call_end(k, real->NdkListen(l, at, length, mon_request_done, k->cookie));
}

static NTSTATUS mon_listener_address(NDK_LISTENER *l, PSOCKADDR at, ULONG *length)
{
	UINT64 mark;
	MON_ENTER(NDK_LISTENER, l, MON_GONE);
	mark = mon_watch();
	return inline_only(MON_NdkGetLocalAddress, mark, real->NdkGetLocalAddress(l, at, length));
}

static VOID mon_control_events(NDK_LISTENER *l, BOOLEAN pause)
{
	UINT64 mark;
	MON_ENTER(NDK_LISTENER, l, );
	mark = mon_watch();
	real->NdkControlConnectEvents(l, pause);
	mon_watched(MON_NdkControlConnectEvents, mark);
}

/* ---- connector ---- */

static NTSTATUS mon_connect(NDK_CONNECTOR *c, NDK_QP *qp, const struct sockaddr *from, ULONG from_length,
			    const struct sockaddr *to, ULONG to_length, ULONG in_limit, ULONG out_limit,
			    const VOID *data, ULONG length, NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	k = request(MON_NdkConnect, o, done, context);
	k->tied[0] = argument(qp);
	return mon_call_end(k, real->NdkConnect(c, qp, from, from_length, to, to_length, in_limit, out_limit, data,
						length, mon_request_done, k->cookie));
}

static NTSTATUS mon_connect_shared(NDK_CONNECTOR *c, NDK_QP *qp, NDK_SHARED_ENDPOINT *e, const struct sockaddr *to,
				   ULONG to_length, ULONG in_limit, ULONG out_limit, const VOID *data, ULONG length,
				   NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	k = request(MON_NdkConnectWithSharedEndpoint, o, done, context);
	k->tied[0] = argument(qp);
	k->tied[1] = argument(e);
	return mon_call_end(k, real->NdkConnectWithSharedEndpoint(c, qp, e, to, to_length, in_limit, out_limit, data,
								  length, mon_request_done, k->cookie));
}

static NTSTATUS mon_complete(NDK_CONNECTOR *c, NDK_FN_DISCONNECT_EVENT_CALLBACK event, PVOID event_context,
			     NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	k = request(MON_NdkCompleteConnect, o, done, context);
	k->gone = event;
	k->gone_context = event_context;
	return mon_call_end(k, real->NdkCompleteConnect(c, event ? mon_disconnect_event : event, k->cookie,
							mon_request_done, k->cookie));
}

static NTSTATUS mon_complete_ex(NDK_CONNECTOR *c, NDK_FN_DISCONNECT_EVENT_CALLBACK_EX event, PVOID event_context,
				NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	k = request(MON_NdkCompleteConnect, o, done, context);
	k->gone_ex = event;
	k->gone_context = event_context;
	return mon_call_end(k, real->NdkCompleteConnectEx(c, event ? mon_disconnect_event_ex : event, k->cookie,
							  mon_request_done, k->cookie));
}

static NTSTATUS mon_accept(NDK_CONNECTOR *c, NDK_QP *qp, ULONG in_limit, ULONG out_limit, const VOID *data,
			   ULONG length, NDK_FN_DISCONNECT_EVENT_CALLBACK event, PVOID event_context,
			   NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	k = request(MON_NdkAccept, o, done, context);
	k->tied[0] = argument(qp);
	k->gone = event;
	k->gone_context = event_context;
	return mon_call_end(k, real->NdkAccept(c, qp, in_limit, out_limit, data, length,
					       event ? mon_disconnect_event : event, k->cookie, mon_request_done,
					       k->cookie));
}

static NTSTATUS mon_accept_ex(NDK_CONNECTOR *c, NDK_QP *qp, ULONG in_limit, ULONG out_limit, const VOID *data,
			      ULONG length, NDK_FN_DISCONNECT_EVENT_CALLBACK_EX event, PVOID event_context,
			      NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	k = request(MON_NdkAccept, o, done, context);
	k->tied[0] = argument(qp);
	k->gone_ex = event;
	k->gone_context = event_context;
	return mon_call_end(k, real->NdkAcceptEx(c, qp, in_limit, out_limit, data, length,
						 event ? mon_disconnect_event_ex : event, k->cookie, mon_request_done,
						 k->cookie));
}

static NTSTATUS mon_reject(NDK_CONNECTOR *c, const VOID *data, ULONG length)
{
	UINT64 mark;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	mark = mon_watch();
	return inline_only(MON_NdkReject, mark, real->NdkReject(c, data, length));
}

static NTSTATUS mon_connection_data(NDK_CONNECTOR *c, ULONG *in_limit, ULONG *out_limit, PVOID data, ULONG *length)
{
	UINT64 mark;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	mark = mon_watch();
	return inline_only(MON_NdkGetConnectionData, mark,
			   real->NdkGetConnectionData(c, in_limit, out_limit, data, length));
}

static NTSTATUS mon_local_address(NDK_CONNECTOR *c, PSOCKADDR at, ULONG *length)
{
	UINT64 mark;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	mark = mon_watch();
	return inline_only(MON_NdkGetLocalAddress, mark, real->NdkGetLocalAddress(c, at, length));
}

static NTSTATUS mon_peer_address(NDK_CONNECTOR *c, PSOCKADDR at, ULONG *length)
{
	UINT64 mark;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	mark = mon_watch();
	return inline_only(MON_NdkGetPeerAddress, mark, real->NdkGetPeerAddress(c, at, length));
}

static NTSTATUS mon_disconnect(NDK_CONNECTOR *c, NDK_FN_REQUEST_COMPLETION done, PVOID context)
{
	struct mon_call *k;
	MON_ENTER(NDK_CONNECTOR, c, MON_GONE);
	k = request(MON_NdkDisconnect, o, done, context);
	return mon_call_end(k, real->NdkDisconnect(c, mon_request_done, k->cookie));
}

/* ---- shared endpoint ---- */

static NTSTATUS mon_shared_address(NDK_SHARED_ENDPOINT *e, PSOCKADDR at, ULONG *length)
{
	UINT64 mark;
	MON_ENTER(NDK_SHARED_ENDPOINT, e, MON_GONE);
	mark = mon_watch();
	return inline_only(MON_NdkGetLocalAddress, mark, real->NdkGetLocalAddress(e, at, length));
}

/* ---- the tables ---- */

static const NDK_ADAPTER_DISPATCH adapter_table = { mon_query, mon_query_info, mon_create_cq, mon_create_pd,
						    mon_create_shared, mon_create_connector, mon_create_listener,
						    mon_build_lam, mon_release_lam };
static const NDK_PD_DISPATCH pd_table = { mon_close, mon_query, mon_create_mr, mon_create_mw, mon_create_srq,
					  mon_create_qp, mon_create_qp_srq, mon_privileged_token };
static const NDK_MR_DISPATCH mr_table = { mon_close, mon_query, mon_register_mr, mon_deregister_mr,
					  mon_initialize_mr, mon_remote_token, mon_local_token };
static const NDK_MW_DISPATCH mw_table = { mon_close, mon_query, mon_window_token };
static const NDK_CQ_DISPATCH cq_table = { mon_close, mon_query, mon_resize_cq, mon_arm_cq, mon_get_results,
					  mon_moderation, mon_get_results_ex };
static const NDK_QP_DISPATCH qp_table = { mon_close, mon_query, mon_flush, mon_send, mon_receive, mon_bind_mw,
					  mon_fast_register, mon_invalidate, mon_read, mon_write,
					  mon_send_invalidate };
static const NDK_SRQ_DISPATCH srq_table = { mon_close, mon_query, mon_modify_srq, mon_srq_receive };
static const NDK_LISTENER_DISPATCH listener_table = { mon_close, mon_query, mon_listen, mon_listener_address,
						      mon_control_events };
static const NDK_CONNECTOR_DISPATCH connector_table = { mon_close, mon_query, mon_connect, mon_connect_shared,
							mon_complete, mon_accept, mon_reject, mon_connection_data,
							mon_local_address, mon_peer_address, mon_disconnect,
							mon_complete_ex, mon_accept_ex };
static const NDK_SHARED_ENDPOINT_DISPATCH shared_table = { mon_close, mon_query, mon_shared_address };

#define MON_TABLE(type_, table_)                             \
	case type_:                                          \
		*slots = sizeof(table_) / sizeof(PVOID);     \
		return &(table_)

const VOID *mon_table(NDK_OBJECT_TYPE type, unsigned *slots)
{
	switch (type) {
		MON_TABLE(NdkObjectTypeAdapter, adapter_table);
		MON_TABLE(NdkObjectTypePd, pd_table);
		MON_TABLE(NdkObjectTypeMr, mr_table);
		MON_TABLE(NdkObjectTypeMw, mw_table);
		MON_TABLE(NdkObjectTypeCq, cq_table);
		MON_TABLE(NdkObjectTypeQp, qp_table);
		MON_TABLE(NdkObjectTypeSrq, srq_table);
		MON_TABLE(NdkObjectTypeListener, listener_table);
		MON_TABLE(NdkObjectTypeConnector, connector_table);
		MON_TABLE(NdkObjectTypeSharedEndpoint, shared_table);
	case NdkObjectTypeUndefined:
	case NdkObjectTypeMax:
		break;
	}
	*slots = 0;
	return (const VOID *)0;
}
