/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The ten creators and NDK_FN_CREATE_COMPLETION: who hands the new object over, and when; failures;
 * what may be done with an object inside its create completion. Runs where a case runs.
 */
#include "stages.h"

/* What a creator needs to exist before. */
struct workshop {
	NDK_ADAPTER *adapter;
	NDK_PD *pd;
	struct kit_cq *cq;
	struct kit_address at; /* free */
	struct kit_listener *listener; /* of the last creation */
	struct kit_cq *made_cq;
};

enum maker { MAKE_CONNECTOR, MAKE_CQ, MAKE_LISTENER, MAKE_MR, MAKE_PD, MAKE_QP, MAKE_SHARED, MAKERS };

static const NDK_OBJECT_TYPE maker_type[MAKERS] = { NdkObjectTypeConnector, NdkObjectTypeCq, NdkObjectTypeListener,
						    NdkObjectTypeMr,	    NdkObjectTypePd, NdkObjectTypeQp,
						    NdkObjectTypeSharedEndpoint };

static BOOLEAN workshop_open(struct workshop *w)
{
	memset(w, 0, sizeof(*w));
	w->adapter = kit_open(0);
	if (!w->adapter)
		return FALSE;
	w->pd = kit_create_pd(w->adapter);
	w->cq = kit_create_cq(w->adapter, 64);
	w->at = kit_address(0, NDK_V4, 0);
	return w->pd && w->cq;
}

static struct kit_call *make(struct workshop *w, int what, kit_inside inside, PVOID arg)
{
	switch (what) {
	case MAKE_CONNECTOR:
		return kit_begin_connector(w->adapter, inside, arg);
	case MAKE_CQ:
		return kit_begin_cq(&w->made_cq, w->adapter, 8, inside, arg);
	case MAKE_LISTENER:
		return kit_begin_listener(&w->listener, w->adapter, inside, arg);
	case MAKE_MR:
		return kit_begin_mr(w->pd, FALSE, inside, arg);
	case MAKE_PD:
		return kit_begin_pd(w->adapter, inside, arg);
	case MAKE_QP:
		return kit_begin_qp(w->pd, w->cq, w->cq, (struct kit_shape *)0, inside, arg);
	default:
		return kit_begin_shared(w->adapter, &w->at, inside, arg);
	}
}

/* ---- success ---- */

/* The object came one way and not the other. */
static void created_right(struct kit_call *c, int what)
{
	if (kit_pended(c))
		CHECK(c->output == KIT_POISON); /* untouched, and so it stays */
	else
		CHECK(c->output == (PVOID)c->object);
	CHECK(stage_once(c));
	if (CHECK(c->object != (NDK_OBJECT_HEADER *)0))
		CHECK_EQ(c->object->ObjectType, maker_type[what]);
}

NDK_CASE(create_inline_or_later,
	 "CREATE-1 CREATE-2 CREATE-3 CREATE-4 CREATE-5 CREATE-6 CREATE-7 CREATE-8 CREATE-10", NDK_ON_ALL,
	 "T-LC-01 at once through the output parameter, or later through one callback; never both")
{
	KIT_EACH_ANSWER(mode)
	{
		struct workshop w;
		struct kit_call *c;
		int i;

		REQUIRE(workshop_open(&w));
		for (i = 0; i < MAKERS; i++) {
			c = make(&w, i, (kit_inside)0, (PVOID)0);
			if (mode == NDK_ANSWER_PEND)
				CHECK(kit_pended(c));
			CHECK_STATUS(kit_wait(c), STATUS_SUCCESS);
			conf_settle();
			created_right(c, i);
			if (c->object)
				CHECK(kit_closed(c->object));
			conf_settle();
			CHECK(!kit_pended(c) || c->output == KIT_POISON);
		}
	}
}

/* ---- what memory and shared queues add ---- */

static VOID create_unused_srq_event(PVOID context, NTSTATUS status)
{
	(void)context;
	(void)status;
}

#define MADE_KINDS 4

static struct kit_call *make_more(struct workshop *w, int what, NDK_SRQ *srq)
{
	struct kit_call *c;

	switch (what) {
	case 0:
		return kit_begin_mw(w->pd, (kit_inside)0, (PVOID)0);
	case 1:
		return kit_begin_mr(w->pd, TRUE, (kit_inside)0, (PVOID)0);
	case 2:
		c = kit_call("NdkCreateSrq");
		return kit_return(c, w->pd->Dispatch->NdkCreateSrq(w->pd, 16, 1, 0, create_unused_srq_event, (PVOID)0,
								   (GROUP_AFFINITY *)0, kit_create_done, c,
								   (NDK_SRQ **)&c->output));
	default:
		c = kit_call("NdkCreateQpWithSrq");
		return kit_return(c, w->pd->Dispatch->NdkCreateQpWithSrq(w->pd, w->cq->cq, w->cq->cq, srq,
									 kit_context(), 4, 1, 0, kit_create_done, c,
									 (NDK_QP **)&c->output));
	}
}

NDK_CASE(create_the_rest, "CREATE-1 CREATE-2 CREATE-3 CREATE-4 CREATE-5 CREATE-6 CREATE-8 GEN-1", NDK_ON_ALL,
	 "T-LC-01 windows, fast regions, shared queues and their queue pairs: by output parameter or by callback, never both")
{
	static const NDK_OBJECT_TYPE type[MADE_KINDS] = { NdkObjectTypeMw, NdkObjectTypeMr, NdkObjectTypeSrq,
							  NdkObjectTypeQp };

	KIT_EACH_ANSWER(mode)
	{
		NDK_OBJECT_HEADER *made[MADE_KINDS];
		struct workshop w;
		struct kit_call *c;
		int i;

		REQUIRE(workshop_open(&w));
		for (i = 0; i < MADE_KINDS; i++) {
			c = make_more(&w, i, i == 3 ? (NDK_SRQ *)(PVOID)made[2] : (NDK_SRQ *)0);
			REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
			made[i] = c->object;
			CHECK_EQ(made[i]->ObjectType, type[i]);
			CHECK_EQ(c->callbacks, kit_pended(c) ? 1 : 0);
			CHECK(!kit_pended(c) || c->output == KIT_POISON);
		}
		for (i = MADE_KINDS; i-- > 0;)
			CHECK(kit_closed(made[i]));
	}
}

/* ---- the callback is the consumer's ---- */

static struct {
	long calls;
	PVOID context;
	NTSTATUS status;
	NDK_OBJECT_HEADER *object;
	BOOLEAN fits; /* at DISPATCH_LEVEL or below */
	struct conf_signal done;
} own;

static VOID own_create_done(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	unsigned long flags;
	BOOLEAN fits = stage_irql_fits();

	flags = conf_lock();
	own.calls++;
	own.context = context;
	own.status = status;
	own.object = object;
	own.fits = fits;
	conf_unlock(flags);
	conf_signal(&own.done);
}

static void own_create(NDK_ADAPTER *a, PVOID context)
{
	NDK_PD *pd = (NDK_PD *)KIT_POISON;
	NTSTATUS status;

	memset(&own, 0, sizeof(own));
	conf_signal_init(&own.done);
	status = a->Dispatch->NdkCreatePd(a, own_create_done, context, &pd);
	if (status == STATUS_PENDING) {
		REQUIRE(conf_wait(&own.done, KIT_PATIENCE_MS));
		CHECK(own.context == context);
		CHECK_STATUS(own.status, STATUS_SUCCESS);
		CHECK(own.object && own.object->ObjectType == NdkObjectTypePd);
		CHECK(pd == (NDK_PD *)KIT_POISON);
		CHECK(own.fits);
	} else {
		REQUIRE_STATUS(status, STATUS_SUCCESS);
		CHECK(pd != (NDK_PD *)KIT_POISON);
	}
	conf_settle();
	CHECK_EQ(own.calls, status == STATUS_PENDING ? 1 : 0);
}

NDK_CASE(create_callback_and_context,
	 "CREATE-1 CREATE-2 CREATE-3 CREATE-8 CREATE-9 CREATE-10 CREATE-11 CREATE-12 GEN-2 GEN-3", NDK_ON_ALL,
	 "the consumer's own function is called, with its context bit for bit, which may be NULL")
{
	KIT_EACH_ANSWER(mode)
	{
		NDK_ADAPTER *a = kit_open(0);

		REQUIRE(a != (NDK_ADAPTER *)0);
		own_create(a, kit_context());
		own_create(a, (PVOID)0);
		own_create(a, (PVOID)~(ULONG_PTR)0);
	}
}

/* Inside a create completion of any type: in what context it runs, and what it may do. */
struct create_inside {
	struct workshop *w;
	int what;
	BOOLEAN fits;
	NTSTATUS status; /* of what was done with the object */
	struct kit_call *then;
	struct kit_buffer *buffer;
	struct kit_address to;
};

/* Has no result to give; so what it leaves undone must not matter (GEN-3). */
static void create_look(struct kit_call *c)
{
	struct create_inside *in = (struct create_inside *)c->arg;

	in->fits = stage_irql_fits();
	in->status = STATUS_SUCCESS;
}

struct create_atomically {
	struct workshop *w;
	int what;
	struct create_inside *in;
	struct kit_call *call;
};

static void create_in_atomic(PVOID arg)
{
	struct create_atomically *a = (struct create_atomically *)arg;

	a->call = make(a->w, a->what, create_look, a->in);
}

NDK_CASE(create_at_dispatch_level, "CREATE-12 GEN-3 IRQL-1 IRQL-3 IRQL-4", NDK_ON_ALL,
	 "creators may be called at DISPATCH_LEVEL, their completion comes at or below it and has no result")
{
	KIT_EACH_ANSWER(mode)
	{
		struct create_inside in;
		struct create_atomically a;
		struct workshop w;
		int i;

		REQUIRE(workshop_open(&w));
		for (i = 0; i < MAKERS; i++) {
			memset(&in, 0, sizeof(in));
			a.w = &w;
			a.what = i;
			a.in = &in;
			conf_atomic(create_in_atomic, &a);
			REQUIRE_STATUS(kit_wait(a.call), STATUS_SUCCESS);
			created_right(a.call, i);
			if (kit_pended(a.call))
				CHECK(in.fits);
			CHECK(kit_closed(a.call->object));
		}
	}
}

/* ---- the object inside its create completion ---- */

static void create_use(struct kit_call *c)
{
	struct create_inside *in = (struct create_inside *)c->arg;
	NDK_OBJECT_HEADER *o = c->object;

	if (!o)
		return;
	switch (in->what) {
	case MAKE_CONNECTOR:
		in->then = kit_begin_connect(kit_conn_of((NDK_CONNECTOR *)o), (NDK_QP *)0, &in->w->at, &in->to,
					     (struct kit_params *)0);
		break;
	case MAKE_CQ:
		((NDK_CQ *)o)->Dispatch->NdkArmCq((NDK_CQ *)o, NDK_CQ_NOTIFY_ANY);
		break;
	case MAKE_LISTENER:
		in->then = kit_call("NdkListen");
		kit_return(in->then, ((NDK_LISTENER *)o)->Dispatch->NdkListen((NDK_LISTENER *)o, KIT_SA(&in->to),
									      in->to.len, kit_request_done, in->then));
		break;
	case MAKE_MR:
		in->then = kit_call("NdkRegisterMr");
		kit_return(in->then, ((NDK_MR *)o)->Dispatch->NdkRegisterMr(
					     (NDK_MR *)o, in->buffer->mdl, in->buffer->size,
					     NDK_MR_FLAG_ALLOW_LOCAL_WRITE, kit_request_done, in->then));
		break;
	case MAKE_PD:
		in->then = kit_begin_mr((NDK_PD *)o, FALSE, (kit_inside)0, (PVOID)0);
		break;
	case MAKE_QP:
		in->status = kit_receive((NDK_QP *)o, kit_context(), in->buffer, 0, 16);
		break;
	default:
		in->to.len = sizeof(in->to.at);
		in->status = ((NDK_SHARED_ENDPOINT *)o)
				     ->Dispatch->NdkGetLocalAddress((NDK_SHARED_ENDPOINT *)o,
								    (PSOCKADDR)&in->to.at, &in->to.len);
		break;
	}
}

/* A connect without a QP is refused; that it is refused in good order is what is asked for here. */
static NTSTATUS create_use_expected(int what)
{
	return what == MAKE_CONNECTOR ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

NDK_CASE(create_and_use_inside, "CREATE-13 CREATE-14 REQ-8 REQ-9 CONC-9", NDK_ON_ALL,
	 "T-LC-03 inside its create completion an object can do all it can do elsewhere")
{
	struct create_inside in;
	struct kit_call *c;
	struct workshop w;
	int i;

	REQUIRE(workshop_open(&w));
	REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
	memset(&in, 0, sizeof(in));
	in.w = &w;
	in.buffer = kit_buffer(w.adapter, w.pd, 256);
	REQUIRE(in.buffer != (struct kit_buffer *)0);
	for (i = 0; i < MAKERS; i++) {
		in.what = i;
		in.then = (struct kit_call *)0;
		in.status = STATUS_SUCCESS;
		in.to = kit_address(0, NDK_V4, kit_fresh_port());
		c = make(&w, i, create_use, &in);
		REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
		CHECK_STATUS(in.status, STATUS_SUCCESS);
		if (in.then) {
			CHECK_STATUS(kit_wait(in.then), create_use_expected(i));
			/* the function had returned before its object's callback did */
			CHECK(in.then->ended < c->left);
		}
	}
	/* children first: what was made inside included */
	kit_close_all(KIT_CHILDREN_FIRST);
}

static void create_shut(struct kit_call *c)
{
	if (c->object)
		c->then = kit_close(c->object);
}

NDK_CASE(create_and_close_inside, "CREATE-14 CLOSE-1 CLOSE-16 CLOSE-17 REQ-6 REQ-7", NDK_ON_ALL,
	 "T-LC-04 closed inside its create completion, an object ends after that has returned")
{
	struct kit_call *c;
	struct workshop w;
	int i, round;

	REQUIRE(workshop_open(&w));
	REQUIRE(kit_answer(0, NDK_ANSWER_PEND));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < MAKERS; i++) {
			c = make(&w, i, create_shut, (PVOID)0);
			REQUIRE_STATUS(kit_wait(c), STATUS_SUCCESS);
			REQUIRE(c->then != (struct kit_call *)0);
			CHECK_STATUS(kit_wait(c->then), STATUS_SUCCESS);
			CHECK(kit_pended(c->then));
			CHECK(stage_once(c->then));
			CHECK(c->then->entered > c->left);
		}
	}
}

/* ---- failure ---- */

/* No object, no second word; the output parameter as it was. */
static void create_failed(struct kit_call *c, NTSTATUS status)
{
	CHECK_STATUS(kit_wait(c), status);
	conf_settle();
	CHECK(c->object == (NDK_OBJECT_HEADER *)0);
	CHECK(c->output == KIT_POISON);
	CHECK(stage_once(c));
}

static void create_wrong_cqs(struct workshop *w, ULONG max)
{
	struct kit_cq *q;

	create_failed(kit_begin_cq(&q, w->adapter, 0, (kit_inside)0, (PVOID)0), STATUS_INVALID_PARAMETER);
	if (max < 0xffffffffu)
		create_failed(kit_begin_cq(&q, w->adapter, max + 1, (kit_inside)0, (PVOID)0), STATUS_INVALID_PARAMETER);
}

static void create_wrong_qps(struct workshop *w, const NDK_ADAPTER_INFO *info)
{
	struct kit_shape s;
	int i;

	for (i = 0; i < 5; i++) {
		memset(&s, 0, sizeof(s));
		if (i == 0)
			s.receive_depth = info->MaxReceiveQueueDepth + 1;
		else if (i == 1)
			s.initiator_depth = info->MaxInitiatorQueueDepth + 1;
		else if (i == 2)
			s.receive_sge = info->MaxReceiveRequestSge + 1;
		else if (i == 3)
			s.initiator_sge = info->MaxInitiatorRequestSge + 1;
		else
			s.inline_size = info->MaxInlineDataSize + 1;
		create_failed(kit_begin_qp(w->pd, w->cq, w->cq, &s, (kit_inside)0, (PVOID)0), STATUS_INVALID_PARAMETER);
	}
}

static void create_wrong_endpoints(struct workshop *w)
{
	struct kit_address at, taken = kit_address(0, NDK_V4, kit_fresh_port());
	NDK_SHARED_ENDPOINT *first = kit_create_shared(w->adapter, &taken);

	if (CHECK(first != (NDK_SHARED_ENDPOINT *)0))
		create_failed(kit_begin_shared(w->adapter, &taken, (kit_inside)0, (PVOID)0), STATUS_SHARING_VIOLATION);
	memset(&at, 0, sizeof(at));
	if (conf_bad(CONF_FOREIGN, kit_fresh_port(), &at.at, &at.len))
		create_failed(kit_begin_shared(w->adapter, &at, (kit_inside)0, (PVOID)0), STATUS_INVALID_ADDRESS);
}

NDK_CASE(create_refused, "CREATE-3 CREATE-10 CREATE-15 CREATE-16 CQ-1 PD-6 REQ-12", NDK_ON_ALL,
	 "a creation that fails, in the call or later, leaves no object and writes nothing")
{
	KIT_EACH_ANSWER(mode)
	{
		struct ndk_live before, after;
		const NDK_ADAPTER_INFO *info;
		struct workshop w;
		int i;

		REQUIRE(workshop_open(&w));
		info = kit_info(w.adapter);
		REQUIRE(ndk_control_live(conf_adapter_name(0), &before) == 0);
		create_wrong_cqs(&w, info->MaxCqDepth);
		create_wrong_qps(&w, info);
		REQUIRE(ndk_control_live(conf_adapter_name(0), &after) == 0);
		for (i = 0; i < NdkObjectTypeMax; i++)
			CHECK_EQ(after.objects[i], before.objects[i]);
		create_wrong_endpoints(&w);
	}
}

static BOOLEAN create_as_many(const struct ndk_live *before)
{
	struct ndk_live now;
	BOOLEAN more;
	int i;

	ndk_control_live(conf_adapter_name(0), &now);
	more = now.endpoints > before->endpoints;
	for (i = 0; i < NdkObjectTypeMax; i++)
		more = more || now.objects[i] > before->objects[i];
	return !more;
}

/* What failed goes behind its callback, by a worker that may be late. */
static BOOLEAN create_left_nothing(const struct ndk_live *before)
{
	UINT64 until = conf_now_us() + conf_patient_ms(2000) * 1000ull;

	while (!create_as_many(before) && conf_now_us() < until)
		conf_settle();
	return create_as_many(before);
}

/* Fails allocation n of one creation; FALSE when there was no n-th. */
static BOOLEAN create_without(struct workshop *w, int what, long n)
{
	const char *name = conf_adapter_name(0);
	struct ndk_live before;
	long failed, failed_after;
	struct kit_call *c;
	NTSTATUS status;

	conf_settle(); /* what was closed a moment ago has gone */
	ndk_control_live(name, &before);
	ndk_control_allocs(name, (long *)0, &failed);
	ndk_control_fail_alloc(name, n, 0);
	c = make(w, what, (kit_inside)0, (PVOID)0);
	status = kit_wait(c);
	ndk_control_fail_alloc(name, 0, 0);
	ndk_control_allocs(name, (long *)0, &failed_after);
	conf_settle();
	if (failed_after == failed || status == STATUS_SUCCESS) {
		/* a failed allocation that could be done without is as good as none */
		CHECK_STATUS(status, STATUS_SUCCESS);
		created_right(c, what);
		CHECK(c->object && kit_closed(c->object));
		return failed_after != failed;
	}
	create_failed(c, STATUS_INSUFFICIENT_RESOURCES);
	CHECK(create_left_nothing(&before));
	return TRUE;
}

NDK_CASE(create_without_memory, "CREATE-10 CREATE-15 CREATE-16 LIFE-9", NDK_ON_ALL,
	 "T-LC-02 every allocation of every creator fails in turn: its status, no object, nothing left behind")
{
	KIT_EACH_ANSWER(mode)
	{
		struct workshop w;
		BOOLEAN more;
		long n;
		int i;

		REQUIRE(workshop_open(&w));
		for (i = 0; i < MAKERS; i++) {
			more = TRUE;
			for (n = 1; n < 100 && more && !conf_failed(); n++)
				more = create_without(&w, i, n);
			CHECK(!more);
			CHECK(n > 2); /* there was at least one to fail */
		}
	}
}

CONF_CASES(create, CASE(create_inline_or_later), CASE(create_the_rest), CASE(create_callback_and_context),
	   CASE(create_at_dispatch_level), CASE(create_and_use_inside), CASE(create_and_close_inside),
	   CASE(create_refused), CASE(create_without_memory));
