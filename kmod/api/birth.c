/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Creation of objects, see birth.h.
 */
#include "birth.h"

static struct ndk_obj *alloc(struct ndk_birth *b)
{
	struct ndk_host *h = b->adapter->obj.host;

	return ndk_api_alloc_fails(h) ? (struct ndk_obj *)0 :
					ndk_ops(h)->alloc(h, b->type, b->depth[0], b->depth[1]);
}

static void set_dispatch(struct ndk_obj *o)
{
	/* all object structures are { Header; Dispatch }: one store serves them all (OBJ-1, OBJ-5) */
	o->ndk.pd.Dispatch = (const NDK_PD_DISPATCH *)ndk_ops(o->host)->dispatch((NDK_OBJECT_TYPE)o->type);
}

NTSTATUS ndk_birth_finish(struct ndk_obj *o, VOID **handle)
{
	struct ndk_host *h = o->host;
	BOOLEAN heavy = (h->heavy >> o->type & 1) != 0;
	NTSTATUS status;
	struct ndk_call k NDK_UNINIT;

	set_dispatch(o);
	status = ndk_ops(h)->build(o);
	if (heavy)
		return STATUS_PENDING; /* a worker answers; o may be gone */
	ndk_call_begin(&k, h);
	status = ndk_obj_built(o, status, &k.fx);
	if (status == STATUS_SUCCESS)
		*handle = o; /* and not written on failure (U-2) */
	ndk_call_end(&k);
	return status;
}

NTSTATUS ndk_birth_begin(struct ndk_birth *b, struct ndk_obj **out)
{
	struct ndk_host *h = b->adapter->obj.host;
	struct ndk_call k NDK_UNINIT;
	struct ndk_obj *o;

	if (!b->fn)
		return STATUS_INVALID_PARAMETER;
	if (__atomic_load_n(&h->removed, __ATOMIC_RELAXED))
		return STATUS_DEVICE_REMOVED; /* U-45; who comes too late for this is told when building */
	o = alloc(b);
	if (!o)
		return STATUS_INSUFFICIENT_RESOURCES;
	ndk_call_begin(&k, h);
	ndk_obj_begin(o, b->adapter, b->type, b->fn, b->ctx);
	ndk_call_end(&k);
	*out = o;
	return STATUS_SUCCESS;
}

void ndk_birth_depend(struct ndk_obj *o, struct ndk_obj *on)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, o->host);
	ndk_obj_depend(o, on);
	ndk_call_end(&k);
}

/* Known now, so said now; in PEND mode it travels through the callback. */
NTSTATUS ndk_birth_refuse(struct ndk_obj *o, NTSTATUS status)
{
	struct ndk_call k NDK_UNINIT;

	ndk_call_begin(&k, o->host);
	if (o->host->answer != NDK_ANSWER_PEND)
		o->birth.phase = NDK_REQ_CALLING; /* also for a heavy type */
	status = ndk_obj_built(o, status, &k.fx);
	ndk_call_end(&k);
	return status;
}
