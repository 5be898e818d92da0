// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The way through NDKPI: calls that are waited for, the device, its memory and the listener. Called by
 * the bench's thread; the completions of calls come from wherever the provider makes them.
 */
#define pr_fmt(fmt) "ndk_bench: ndk: " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "ndk.h"

/* ---- calls ---- */
void ndk_call_begin(struct ndk_call *call)
{
	init_completion(&call->over);
	call->status = STATUS_PENDING;
	call->object = NULL;
}

VOID ndk_call_requested(PVOID context, NTSTATUS status)
{
	struct ndk_call *call = context;

	call->status = status;
	complete(&call->over);
}

VOID ndk_call_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	((struct ndk_call *)context)->object = object;
	ndk_call_requested(context, status);
}

VOID ndk_call_closed(PVOID context)
{
	ndk_call_requested(context, STATUS_SUCCESS);
}

int ndk_call_end(struct ndk_call *call, const char *what, NTSTATUS returned)
{
	if (returned == STATUS_PENDING) {
		wait_for_completion(&call->over);
		returned = call->status;
	}
	if (returned == STATUS_SUCCESS)
		return 0;
	pr_err("%s: status %#x\n", what, returned);
	return -EIO;
}

void *ndk_call_object(struct ndk_call *call, const char *what, NTSTATUS returned,
		      void *inline_object)
{
	if (ndk_call_end(call, what, returned))
		return NULL;
	return returned == STATUS_PENDING ? (void *)call->object : inline_object;
}

void ndk_call_close(NDK_OBJECT_HEADER *object, NDK_FN_CLOSE_OBJECT *close)
{
	struct ndk_call call;

	ndk_call_begin(&call);
	ndk_call_end(&call, "close", close(object, ndk_call_closed, &call));
}

/* ---- memory ---- */
static int map_memory(struct ndk_bench *b, struct ndk_memory *m, void *at)
{
	ULONG bytes = sizeof(*m->lam) + BENCH_PAGES * sizeof(m->lam->AdapterPageArray[0]), offset,
	      i;
	struct ndk_call call;

	m->mdl = IoAllocateMdl(at, BENCH_BULK, FALSE, FALSE, NULL);
	m->lam = kzalloc(bytes, GFP_KERNEL);
	if (!m->mdl || !m->lam)
		return -ENOMEM;
	MmBuildMdlForNonPagedPool(m->mdl);
	ndk_call_begin(&call);
	if (ndk_call_end(&call, "NdkBuildLAM",
			 b->adapter->Dispatch->NdkBuildLAM(b->adapter, m->mdl, BENCH_BULK,
							   ndk_call_requested, &call, m->lam,
							   &bytes, &offset)))
		return -EIO;
	m->mapped = true;
	/* the raw way has one SGE for all of it, so this one needs to be able to */
	for (i = 1; i < BENCH_PAGES; i++)
		if (m->lam->AdapterPageArray[i].QuadPart !=
		    m->lam->AdapterPageArray[0].QuadPart + i * (LONGLONG)PAGE_SIZE)
			return -ENXIO;
	return offset || m->lam->AdapterPageCount != BENCH_PAGES ? -ENXIO : 0;
}

static void unmap_memory(struct ndk_bench *b, struct ndk_memory *m)
{
	if (m->mapped)
		b->adapter->Dispatch->NdkReleaseLAM(b->adapter, m->lam);
	kfree(m->lam);
	IoFreeMdl(m->mdl);
}

/* ---- device ---- */
static VOID notified(PVOID context, NTSTATUS status)
{
	/* never armed */
}

static int make_queues(struct ndk_bench *b)
{
	const NDK_ADAPTER_DISPATCH *d = b->adapter->Dispatch;
	struct ndk_call call;
	NDK_PD *pd = NULL;
	NDK_CQ *cq = NULL;
	NTSTATUS status;
	int i;

	ndk_call_begin(&call);
	status = d->NdkCreatePd(b->adapter, ndk_call_created, &call, &pd);
	b->pd = ndk_call_object(&call, "NdkCreatePd", status, pd);
	if (!b->pd)
		return -EIO;
	b->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(b->pd, &b->token);
	for (i = 0; i < BENCH_ENDS; i++) {
		ndk_call_begin(&call);
		status = d->NdkCreateCq(b->adapter, BENCH_CQ_DEPTH, notified, NULL, NULL,
					ndk_call_created, &call, &cq);
		b->cq[i] = ndk_call_object(&call, "NdkCreateCq", status, cq);
		if (!b->cq[i])
			return -EIO;
	}
	return 0;
}

static int make_listener(struct ndk_bench *b)
{
	const NDK_ADAPTER_DISPATCH *d = b->adapter->Dispatch;
	const struct sockaddr *at = (const struct sockaddr *)&b->host.setup->local;
	NDK_LISTENER *listener = NULL;
	struct ndk_call call;
	NTSTATUS status;

	ndk_call_begin(&call);
	status = d->NdkCreateListener(b->adapter, ndk_conn_requested, b, ndk_call_created, &call,
				      &listener);
	b->listener = ndk_call_object(&call, "NdkCreateListener", status, listener);
	if (!b->listener)
		return -EIO;
	ndk_call_begin(&call);
	status = b->listener->Dispatch->NdkListen(b->listener, at, sizeof(b->host.setup->local),
						  ndk_call_requested, &call);
	return ndk_call_end(&call, "NdkListen", status);
}

static void ndk_close(struct bench_host *h)
{
	struct ndk_bench *b = ndk_bench_of(h);
	int i;

	if (b->listener)
		ndk_call_close(&b->listener->Header, b->listener->Dispatch->NdkCloseListener);
	for (i = 0; i < BENCH_ENDS; i++) {
		if (b->cq[i])
			ndk_call_close(&b->cq[i]->Header, b->cq[i]->Dispatch->NdkCloseCq);
		unmap_memory(b, &b->memory[i]);
	}
	if (b->pd)
		ndk_call_close(&b->pd->Header, b->pd->Dispatch->NdkClosePd);
	if (b->adapter)
		NdkCloseAdapter(b->adapter);
	kfree(b);
}

static struct bench_host *ndk_open(const struct bench_setup *setup)
{
	const NDK_VERSION version = { 2, 1 };
	struct ndk_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	NTSTATUS status;
	int i, err;

	if (!b)
		return ERR_PTR(-ENOMEM);
	b->host.way = &bench_ndk;
	b->host.setup = setup;
	status = NdkOpenAdapter(setup->device, version, &b->adapter);
	err = status == STATUS_SUCCESS ? make_queues(b) : -ENODEV;
	for (i = 0; !err && i < BENCH_ENDS; i++)
		err = map_memory(b, &b->memory[i], setup->memory[i]);
	if (!err)
		err = make_listener(b);
	if (!err)
		return &b->host;
	ndk_close(&b->host);
	return ERR_PTR(err);
}

const struct bench_way bench_ndk = {
	.name = "ndk",
	.open = ndk_open,
	.close = ndk_close,
	.make = ndk_conn_make,
	.unmake = ndk_conn_unmake,
	.connect = ndk_conn_connect,
	.disconnect = ndk_conn_disconnect,
	.expose = ndk_conn_expose,
	.hide = ndk_conn_hide,
	.send = ndk_post_send_way,
	.receive = ndk_post_receive_way,
	.write = ndk_post_write_way,
	.read = ndk_post_read_way,
	.reg = ndk_post_reg_way,
	.invalidate = ndk_post_invalidate_way,
	.poll = ndk_poll_way,
};
