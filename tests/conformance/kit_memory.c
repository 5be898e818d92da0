/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The kit's memory and posting: buffers behind a LAM or an MR, SGEs, patterns. Context: kit.h.
 */
#include "kit.h"
#include "kit_i.h"

#define KIT_SGES 8u

struct kit_buffer *kit_plain(ULONG size)
{
	struct kit_buffer *b = (struct kit_buffer *)kit_alloc(sizeof(*b));
	SIZE_T pages = (size + NDK_PAGE_SIZE - 1) / NDK_PAGE_SIZE;

	b->size = size;
	b->data = (UCHAR *)conf_alloc((pages ? pages : 1) * NDK_PAGE_SIZE);
	b->mdl = IoAllocateMdl(b->data, size, FALSE, FALSE, (PVOID)0);
	if (!CHECK(b->mdl != (MDL *)0)) {
		conf_free(b->data);
		return (struct kit_buffer *)0;
	}
	MmBuildMdlForNonPagedPool(b->mdl);
	b->next = *kit_buffers();
	*kit_buffers() = b;
	return b;
}

MDL *kit_piece(struct kit_buffer *b, unsigned i, ULONG offset, ULONG length)
{
	MDL *mdl = IoAllocateMdl(b->data + offset, length, FALSE, FALSE, (PVOID)0);

	if (CHECK(mdl != (MDL *)0))
		MmBuildMdlForNonPagedPool(mdl);
	return b->piece[i] = mdl;
}

struct kit_buffer *kit_buffer(NDK_ADAPTER *a, NDK_PD *pd, ULONG size)
{
	struct kit_buffer *b = kit_plain(size);
	struct kit_call *c;

	if (!b)
		return b;
	b->lam_size = (ULONG)(__builtin_offsetof(NDK_LOGICAL_ADDRESS_MAPPING, AdapterPageArray) +
			      (size / NDK_PAGE_SIZE + 2) * sizeof(NDK_LOGICAL_ADDRESS));
	b->lam = (NDK_LOGICAL_ADDRESS_MAPPING *)conf_alloc(b->lam_size);
	c = kit_call("NdkBuildLAM");
	kit_return(c, a->Dispatch->NdkBuildLAM(a, b->mdl, size, kit_request_done, c, b->lam, &b->lam_size, &b->fbo));
	if (!CHECK_STATUS(kit_wait(c), STATUS_SUCCESS)) {
		conf_free(b->lam);
		b->lam = (NDK_LOGICAL_ADDRESS_MAPPING *)0;
		return (struct kit_buffer *)0;
	}
	b->adapter = a;
	pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(pd, &b->token);
	return b;
}

struct kit_buffer *kit_buffer_mr(NDK_PD *pd, ULONG size, ULONG flags)
{
	NDK_MR *mr = kit_create_mr(pd, FALSE);
	struct kit_buffer *b = mr ? kit_plain(size) : (struct kit_buffer *)0;
	struct kit_call *c;

	if (!b)
		return b;
	b->mr = mr;
	c = kit_call("NdkRegisterMr");
	kit_return(c, mr->Dispatch->NdkRegisterMr(mr, b->mdl, size, flags, kit_request_done, c));
	if (!CHECK_STATUS(kit_wait(c), STATUS_SUCCESS))
		return (struct kit_buffer *)0;
	b->token = mr->Dispatch->NdkGetLocalTokenFromMr(mr);
	b->remote = mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
	return b;
}

static void buffer_free(struct kit_buffer *b)
{
	unsigned i;

	if (b->adapter)
		b->adapter->Dispatch->NdkReleaseLAM(b->adapter, b->lam);
	if (b->lam)
		conf_free(b->lam);
	IoFreeMdl(b->mdl);
	for (i = 0; i < KIT_PIECES; i++)
		IoFreeMdl(b->piece[i]);
	conf_free(b->data);
}

void kit_release(struct kit_buffer *b)
{
	struct kit_buffer **p = kit_buffers();

	while (*p && *p != b)
		p = &(*p)->next;
	if (!CHECK(*p == b))
		return;
	*p = b->next;
	if (b->mr)
		CHECK(KIT_CLOSED(b->mr));
	buffer_free(b);
}

/* Memory behind MRs is freed with the rest, when the MRs have been closed as objects. */
void kit_release_all(NDK_ADAPTER *a)
{
	struct kit_buffer **p = kit_buffers(), *b;

	while ((b = *p) != (struct kit_buffer *)0) {
		if (a && b->adapter != a) {
			p = &b->next;
			continue;
		}
		*p = b->next;
		buffer_free(b);
	}
}

/* With a LAM, one SGE for every run of adjoining pages. */
static ULONG sgl_of_pages(const struct kit_buffer *b, ULONG offset, ULONG length, NDK_SGE *sgl, ULONG max)
{
	ULONG at = b->fbo + offset, n = 0, room;
	LONGLONG where;

	while (length) {
		room = (ULONG)(NDK_PAGE_SIZE - at % NDK_PAGE_SIZE);
		if (room > length)
			room = length;
		where = b->lam->AdapterPageArray[at / NDK_PAGE_SIZE].QuadPart + (LONGLONG)(at % NDK_PAGE_SIZE);
		if (n && sgl[n - 1].LogicalAddress.QuadPart + sgl[n - 1].Length == where) {
			sgl[n - 1].Length += room;
		} else {
			if (n == max)
				return 0;
			sgl[n].LogicalAddress.QuadPart = where;
			sgl[n].Length = room;
			sgl[n++].MemoryRegionToken = b->token;
		}
		at += room;
		length -= room;
	}
	return n;
}

ULONG kit_sgl(const struct kit_buffer *b, ULONG offset, ULONG length, NDK_SGE *sgl, ULONG max)
{
	if (b->lam)
		return sgl_of_pages(b, offset, length, sgl, max);
	if (!max)
		return 0;
	sgl->VirtualAddress = b->data + offset;
	sgl->Length = length;
	sgl->MemoryRegionToken = b->token;
	return 1;
}

/* ---- patterns ---- */

static UCHAR pattern(ULONG i, UCHAR seed)
{
	return (UCHAR)(seed + i * 7 + (i >> 8) * 13);
}

void kit_fill(struct kit_buffer *b, ULONG offset, ULONG length, UCHAR seed)
{
	ULONG i;

	for (i = 0; i < length; i++)
		b->data[offset + i] = pattern(i, seed);
}

/* Over real iWARP a write is done when it is on its way: it is there a little later. FALSE: waited enough. */
static BOOLEAN on_its_way(unsigned *waited)
{
	if (!conf_iwarp() || conf_place() != NDK_ON_K || ++*waited > 1000)
		return FALSE;
	conf_stall(1000);
	return TRUE;
}

BOOLEAN kit_verify(const struct kit_buffer *b, ULONG offset, ULONG length, UCHAR seed)
{
	unsigned waited = 0;
	ULONG i;

	for (i = 0; i < length; i++) {
		while (b->data[offset + i] != pattern(i, seed) && on_its_way(&waited))
			;
		if (b->data[offset + i] != pattern(i, seed))
			return conf_fail("kit", 0, "byte %u of %u is 0x%02x, not 0x%02x", i, length,
					 b->data[offset + i], pattern(i, seed));
	}
	return TRUE;
}

/* ---- posting ---- */

NTSTATUS kit_send(NDK_QP *qp, PVOID context, const struct kit_buffer *b, ULONG offset, ULONG length, ULONG flags)
{
	NDK_SGE sgl[KIT_SGES];
	ULONG n = kit_sgl(b, offset, length, sgl, KIT_SGES);

	return qp->Dispatch->NdkSend(qp, context, sgl, n, flags);
}

NTSTATUS kit_receive(NDK_QP *qp, PVOID context, const struct kit_buffer *b, ULONG offset, ULONG length)
{
	NDK_SGE sgl[KIT_SGES];
	ULONG n = kit_sgl(b, offset, length, sgl, KIT_SGES);

	return qp->Dispatch->NdkReceive(qp, context, sgl, n);
}
