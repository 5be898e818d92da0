// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The way through NDKPI: connections. From NdkConnect on, everything is done in the completions of the
 * step before, in whatever context they come. The active end disconnects; the passive end answers
 * in its disconnect event; each end's connector is closed as soon as its disconnect is over.
 */
#define pr_fmt(fmt) "ndk_bench: ndk: " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "ndk.h"

#define SHALLOW 16u

/* ---- up ---- */
static void half_up(struct ndk_pair *p, const char *what, NTSTATUS status)
{
	if (status != STATUS_SUCCESS) {
		pr_err("%s: status %#x\n", what, status);
		bench_established(&p->conn, -ECONNABORTED);
	} else if (atomic_inc_return(&p->up) == BENCH_ENDS) {
		bench_established(&p->conn, 0);
	}
}

static VOID completed(PVOID context, NTSTATUS status)
{
	half_up(context, "NdkCompleteConnect", status);
}

static VOID accepted(PVOID context, NTSTATUS status)
{
	half_up(context, "NdkAccept", status);
}

static VOID connected(PVOID context, NTSTATUS status)
{
	struct ndk_pair *p = context;
	NDK_CONNECTOR *c = p->connector[BENCH_ACTIVE];

	if (status != STATUS_SUCCESS) {
		half_up(p, "NdkConnect", status);
		return;
	}
	status = c->Dispatch->NdkCompleteConnect(c, NULL, NULL, completed, p);
	if (status != STATUS_PENDING)
		completed(p, status);
}

static VOID created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	struct ndk_pair *p = context;
	const struct sockaddr_in *to = &p->conn.host->setup->local;
	struct sockaddr_in from = *to;
	NDK_CONNECTOR *c;

	if (status != STATUS_SUCCESS) {
		half_up(p, "NdkCreateConnector", status);
		return;
	}
	c = (NDK_CONNECTOR *)object;
	p->connector[BENCH_ACTIVE] = c;
	from.sin_port = 0;
	status = c->Dispatch->NdkConnect(c, p->qp[BENCH_ACTIVE], (const struct sockaddr *)&from,
					 sizeof(from), (const struct sockaddr *)to, sizeof(*to),
					 BENCH_READS, BENCH_READS, &p->conn.index,
					 sizeof(p->conn.index), connected, p);
	if (status != STATUS_PENDING)
		connected(p, status);
}

int ndk_conn_connect(struct bench_conn *c)
{
	struct ndk_bench *b = ndk_bench_of(c->host);
	NDK_CONNECTOR *connector = NULL;
	NTSTATUS status;

	status = b->adapter->Dispatch->NdkCreateConnector(b->adapter, created, c, &connector);
	if (status != STATUS_PENDING)
		created(c, status, (NDK_OBJECT_HEADER *)connector);
	return 0;
}

/* ---- down ---- */
static VOID closed(PVOID context)
{
	struct ndk_pair *p = context;

	if (atomic_inc_return(&p->gone) == BENCH_ENDS)
		bench_ended(&p->conn);
}

static void close_end(struct ndk_pair *p, enum bench_end end, NTSTATUS status)
{
	NDK_CONNECTOR *c = p->connector[end];

	if (status != STATUS_SUCCESS) {
		pr_err("NdkDisconnect: status %#x\n", status);
		p->conn.error = -EIO;
	}
	p->connector[end] = NULL;
	if (c->Dispatch->NdkCloseConnector(&c->Header, closed, p) != STATUS_PENDING)
		closed(p);
}

static VOID active_over(PVOID context, NTSTATUS status)
{
	close_end(context, BENCH_ACTIVE, status);
}

static VOID passive_over(PVOID context, NTSTATUS status)
{
	close_end(context, BENCH_PASSIVE, status);
}

static VOID disconnected(PVOID context)
{
	struct ndk_pair *p = context;
	NDK_CONNECTOR *c = p->connector[BENCH_PASSIVE];
	NTSTATUS status = c->Dispatch->NdkDisconnect(c, passive_over, p);

	if (status != STATUS_PENDING)
		passive_over(p, status);
}

void ndk_conn_disconnect(struct bench_conn *conn)
{
	struct ndk_pair *p = ndk_pair_of(conn);
	NDK_CONNECTOR *c = p->connector[BENCH_ACTIVE];
	NTSTATUS status = c->Dispatch->NdkDisconnect(c, active_over, p);

	if (status != STATUS_PENDING)
		active_over(p, status);
}

/* ---- the passive end ---- */
static VOID refused(PVOID context)
{
	/* nothing waits for it but the listener's close */
}

VOID ndk_conn_requested(PVOID context, NDK_CONNECTOR *connector)
{
	const NDK_CONNECTOR_DISPATCH *d = connector->Dispatch;
	struct ndk_bench *b = context;
	UCHAR data[256];
	ULONG bytes = sizeof(data);
	struct ndk_pair *p = NULL;
	NTSTATUS status;
	u32 index;

	status = d->NdkGetConnectionData(connector, NULL, NULL, data, &bytes);
	memcpy(&index, data, sizeof(index));
	if (status == STATUS_SUCCESS && bytes >= sizeof(index) && index < BENCH_CONNECTIONS)
		p = READ_ONCE(b->pair[index]);
	if (!p) {
		pr_err("a request from nobody: status %#x\n", status);
		d->NdkCloseConnector(&connector->Header, refused, NULL);
		return;
	}
	p->connector[BENCH_PASSIVE] = connector;
	status = d->NdkAccept(connector, p->qp[BENCH_PASSIVE], BENCH_READS, BENCH_READS, NULL, 0,
			      disconnected, p, accepted, p);
	if (status != STATUS_PENDING)
		accepted(p, status);
}

/* ---- the pair ---- */
void ndk_conn_unmake(struct bench_conn *c)
{
	struct ndk_bench *b = ndk_bench_of(c->host);
	struct ndk_pair *p = ndk_pair_of(c);
	int i;

	/* left by a failure: closing ends what is under way */
	for (i = 0; i < BENCH_ENDS; i++)
		if (p->connector[i])
			ndk_call_close(&p->connector[i]->Header,
				       p->connector[i]->Dispatch->NdkCloseConnector);
	for (i = 0; i < BENCH_ENDS; i++)
		if (p->qp[i])
			ndk_call_close(&p->qp[i]->Header, p->qp[i]->Dispatch->NdkCloseQp);
	WRITE_ONCE(b->pair[c->index], NULL);
	kfree(p);
}

struct bench_conn *ndk_conn_make(struct bench_host *h, u32 index, bool deep)
{
	struct ndk_bench *b = ndk_bench_of(h);
	struct ndk_pair *p = kzalloc(sizeof(*p), GFP_KERNEL);
	ULONG depth = deep ? BENCH_DEPTH : SHALLOW;
	struct ndk_call call;
	NDK_QP *qp = NULL;
	NTSTATUS status;
	int i;

	if (!p)
		return ERR_PTR(-ENOMEM);
	bench_conn_init(&p->conn, h, index);
	for (i = 0; i < BENCH_ENDS; i++) {
		ndk_call_begin(&call);
		status = b->pd->Dispatch->NdkCreateQp(b->pd, b->cq[i], b->cq[i], NULL, depth, depth,
						      1, 1, 0, ndk_call_created, &call, &qp);
		p->qp[i] = ndk_call_object(&call, "NdkCreateQp", status, qp);
		if (!p->qp[i]) {
			ndk_conn_unmake(&p->conn);
			return ERR_PTR(-EIO);
		}
	}
	WRITE_ONCE(b->pair[index], p);
	return &p->conn;
}

/* ---- memory of a connection ---- */
static NDK_MR *make_mr(struct ndk_bench *b, BOOLEAN fast)
{
	struct ndk_call call;
	NDK_MR *mr = NULL;
	NTSTATUS status;

	ndk_call_begin(&call);
	status = b->pd->Dispatch->NdkCreateMr(b->pd, fast, ndk_call_created, &call, &mr);
	return ndk_call_object(&call, "NdkCreateMr", status, mr);
}

int ndk_conn_expose(struct bench_conn *c)
{
	struct ndk_bench *b = ndk_bench_of(c->host);
	struct ndk_pair *p = ndk_pair_of(c);
	struct ndk_call call;
	NTSTATUS status;
	int i, err;

	p->mr = make_mr(b, FALSE);
	if (!p->mr)
		return -EIO;
	ndk_call_begin(&call);
	status = p->mr->Dispatch->NdkRegisterMr(p->mr, b->memory[BENCH_PASSIVE].mdl, BENCH_BULK,
						NDK_MR_FLAG_ALLOW_REMOTE_READ |
							NDK_MR_FLAG_ALLOW_REMOTE_WRITE,
						ndk_call_requested, &call);
	err = ndk_call_end(&call, "NdkRegisterMr", status);
	if (err)
		return err;
	p->rkey = p->mr->Dispatch->NdkGetRemoteTokenFromMr(p->mr);
	for (i = 0; !err && i < BENCH_REGIONS; i++) {
		p->region[i] = make_mr(b, TRUE);
		if (!p->region[i])
			return -EIO;
		ndk_call_begin(&call);
		status = p->region[i]->Dispatch->NdkInitializeFastRegisterMr(
			p->region[i], BENCH_PAGES, TRUE, ndk_call_requested, &call);
		err = ndk_call_end(&call, "NdkInitializeFastRegisterMr", status);
	}
	return err;
}

void ndk_conn_hide(struct bench_conn *c)
{
	struct ndk_pair *p = ndk_pair_of(c);
	int i;

	for (i = 0; i < BENCH_REGIONS; i++)
		if (p->region[i])
			ndk_call_close(&p->region[i]->Header, p->region[i]->Dispatch->NdkCloseMr);
	if (p->mr)
		ndk_call_close(&p->mr->Header, p->mr->Dispatch->NdkCloseMr);
}
