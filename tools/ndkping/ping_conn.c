// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * One connection of ndkping: its memory, registered or mapped, its QP, and the messages on it.
 *
 * A message is a pattern made of its number, its direction and the seed of the connection, so that a
 * byte out of place, of an older message, or of our own memory is seen as what it is not.
 *
 * Called by the thread of the end only, but for ping_conn_gone().
 */
#include "ping_end.h"

static UCHAR pattern(ULONG seed, ULONG number, enum ping_direction direction, ULONG i)
{
	/* Odd factors: no two bytes within 256 are equal, and blocks of 256 differ from each other. */
	return (UCHAR)(seed + number * 29 + (ULONG)direction * 85 + i * 131 + (i >> 8) * 7);
}

VOID ping_conn_gone(PVOID context)
{
	struct ping_conn *c = context;

	if (!ping_box_post(c->end->box, PING_NEWS_GONE, c, STATUS_SUCCESS))
		ping_complain("%s: the box is full, a disconnect event is lost", c->end->name);
}

/* ---- memory ---- */

static BOOLEAN register_memory(struct ping_conn *c, ULONG bytes)
{
	struct ping_end *e = c->end;
	NDK_MR *mr = NULL;
	NTSTATUS status;

	status = e->pd->Dispatch->NdkCreateMr(e->pd, FALSE, ping_created, e, &mr);
	c->mr = ping_made(e, "NdkCreateMr", status, mr);
	if (!c->mr)
		return FALSE;
	status = c->mr->Dispatch->NdkRegisterMr(c->mr, c->mdl, bytes, NDK_MR_FLAG_ALLOW_LOCAL_WRITE,
						ping_request_done, e);
	if (!ping_done(e, "NdkRegisterMr", status))
		return FALSE;
	c->token = c->mr->Dispatch->NdkGetLocalTokenFromMr(c->mr);
	return TRUE;
}

static BOOLEAN map_memory(struct ping_conn *c, ULONG bytes)
{
	struct ping_end *e = c->end;
	ULONG lam_bytes = 0;
	NTSTATUS status;

	status = e->adapter->Dispatch->NdkBuildLAM(e->adapter, c->mdl, bytes, ping_request_done, e,
						   NULL, &lam_bytes, &c->lam_offset);
	if (status == STATUS_PENDING) {
		ping_fail(e, PING_BAD_PEER, "NdkBuildLAM asked for a size pends", 0);
		return FALSE;
	}
	if (status != STATUS_BUFFER_TOO_SMALL) {
		ping_fail(e, PING_BAD_STATUS, "NdkBuildLAM asked for a size", status);
		return FALSE;
	}
	c->lam = ping_alloc(lam_bytes);
	if (!c->lam) {
		ping_fail(e, PING_BAD_STATUS, "memory", STATUS_INSUFFICIENT_RESOURCES);
		return FALSE;
	}
	status = e->adapter->Dispatch->NdkBuildLAM(e->adapter, c->mdl, bytes, ping_request_done, e,
						   c->lam, &lam_bytes, &c->lam_offset);
	c->lam_built = ping_done(e, "NdkBuildLAM", status);
	e->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(e->pd, &c->token);
	return c->lam_built;
}

/*
 * The pieces of length bytes from offset on; 0: more than fit. By virtual address that is one; by
 * logical address one for each run of pages that follow each other (LAM-3).
 */
static ULONG pieces(const struct ping_conn *c, ULONG offset, ULONG length, NDK_SGE *sgl, ULONG max)
{
	ULONG n = 0, part;
	ULONG64 at;

	if (!c->lam) {
		sgl[0].VirtualAddress = c->memory + offset;
		sgl[0].Length = length;
		sgl[0].MemoryRegionToken = c->token;
		return 1;
	}
	for (offset += c->lam_offset; length; offset += part, length -= part) {
		part = (ULONG)NDK_PAGE_SIZE - offset % (ULONG)NDK_PAGE_SIZE;
		if (part > length)
			part = length;
		at = (ULONG64)c->lam->AdapterPageArray[offset / (ULONG)NDK_PAGE_SIZE].QuadPart +
		     offset % (ULONG)NDK_PAGE_SIZE;
		if (n && (ULONG64)sgl[n - 1].LogicalAddress.QuadPart + sgl[n - 1].Length == at) {
			sgl[n - 1].Length += part;
			continue;
		}
		if (n == max)
			return 0;
		sgl[n].LogicalAddress.QuadPart = (LONGLONG)at;
		sgl[n].Length = part;
		sgl[n].MemoryRegionToken = c->token;
		n++;
	}
	return n;
}

static BOOLEAN prepare_memory(struct ping_conn *c)
{
	struct ping_end *e = c->end;
	ULONG bytes;

	c->stride = (c->size + 63) & ~63u;
	bytes = 2 * c->stride;
	c->memory = ping_alloc(bytes);
	if (c->memory)
		c->mdl = IoAllocateMdl(c->memory, bytes, FALSE, FALSE, NULL);
	if (!c->mdl) {
		ping_fail(e, PING_BAD_STATUS, "memory", STATUS_INSUFFICIENT_RESOURCES);
		return FALSE;
	}
	MmBuildMdlForNonPagedPool(c->mdl);
	return e->config->privileged ? map_memory(c, bytes) : register_memory(c, bytes);
}

/* ---- life ---- */

BOOLEAN ping_conn_prepare(struct ping_conn *c, ULONG size, ULONG seed)
{
	struct ping_end *e = c->end;
	ULONG sges = 1, most = PING_MAX_SGES;
	NDK_SGE sgl[PING_MAX_SGES];
	NDK_QP *qp = NULL;
	NTSTATUS status;

	c->closing.end = e;
	c->size = size;
	c->seed = seed;
	if (!prepare_memory(c))
		return FALSE;
	if (c->lam) {
		if (most > e->info.MaxInitiatorRequestSge)
			most = e->info.MaxInitiatorRequestSge;
		if (most > e->info.MaxReceiveRequestSge)
			most = e->info.MaxReceiveRequestSge;
		sges = pieces(c, 0, size, sgl, most);
		if (sges)
			sges = pieces(c, c->stride, size, sgl, most) ? most : 0;
		if (!sges) {
			ping_fail(e, PING_BAD_USAGE,
				  "a message has more pieces than the adapter takes", 0);
			return FALSE;
		}
	}
	status =
		e->pd->Dispatch->NdkCreateQp(e->pd, e->cq, e->cq, c, PING_QUEUE_DEPTH,
					     PING_QUEUE_DEPTH, sges, sges, 0, ping_created, e, &qp);
	c->qp = ping_made(e, "NdkCreateQp", status, qp);
	return c->qp != NULL;
}

VOID ping_conn_close(struct ping_conn *c)
{
	struct ping_end *e = c->end;

	/* The QP first, although the connector is tied to it: the close waits for that (LIFE-3, U-23). */
	if (c->qp)
		ping_close(&c->closing, c->qp->Dispatch->NdkCloseQp, &c->qp->Header);
	if (c->connector)
		ping_close(&c->closing, c->connector->Dispatch->NdkCloseConnector,
			   &c->connector->Header);
	c->qp = NULL;
	c->connector = NULL;
	ping_wait_closed(&c->closing);
	/* Now nothing reads or writes the memory any more. */
	if (c->mr)
		ping_close(&c->closing, c->mr->Dispatch->NdkCloseMr, &c->mr->Header);
	c->mr = NULL;
	ping_wait_closed(&c->closing);
	if (c->lam_built)
		e->adapter->Dispatch->NdkReleaseLAM(e->adapter, c->lam);
	c->lam_built = FALSE;
	IoFreeMdl(c->mdl);
	ping_free(c->lam);
	ping_free(c->memory);
	c->mdl = NULL;
	c->lam = NULL;
	c->memory = NULL;
}

/* ---- messages ---- */

BOOLEAN ping_conn_post_receive(struct ping_conn *c)
{
	NDK_SGE sgl[PING_MAX_SGES];
	ULONG n = pieces(c, c->stride, c->size, sgl, PING_MAX_SGES);
	NTSTATUS status = c->qp->Dispatch->NdkReceive(c->qp, &c->receive, sgl, n);

	if (!NT_SUCCESS(status)) {
		ping_fail(c->end, PING_BAD_STATUS, "NdkReceive", status);
		return FALSE;
	}
	c->receive.posted = TRUE;
	return TRUE;
}

/* The way to see that the check sees: one wrong bit in the client's last message. */
static BOOLEAN spoil(const struct ping_conn *c, ULONG number, enum ping_direction direction)
{
	const struct ping_config *config = c->end->config;

	return config->corrupt && direction == PING_THERE && number + 1 == config->count;
}

BOOLEAN ping_conn_post_send(struct ping_conn *c, ULONG number, enum ping_direction direction)
{
	NDK_SGE sgl[PING_MAX_SGES];
	ULONG n = pieces(c, 0, c->size, sgl, PING_MAX_SGES), i;
	NTSTATUS status;

	for (i = 0; i < c->size; i++)
		c->memory[i] = pattern(c->seed, number, direction, i);
	if (spoil(c, number, direction))
		c->memory[c->end->config->corrupt_at] ^= 1;
	status = c->qp->Dispatch->NdkSend(c->qp, &c->send, sgl, n, 0);
	if (!NT_SUCCESS(status)) {
		ping_fail(c->end, PING_BAD_STATUS, "NdkSend", status);
		return FALSE;
	}
	c->send.posted = TRUE;
	return TRUE;
}

BOOLEAN ping_conn_check(struct ping_conn *c, ULONG number, enum ping_direction direction,
			ULONG bytes)
{
	const UCHAR *seen = c->memory + c->stride;
	ULONG i;

	if (bytes != c->size) {
		ping_complain("%s: message %u has %u bytes, expected %u", c->end->name, number,
			      bytes, c->size);
		ping_fail(c->end, PING_BAD_PEER, "the length of a message", 0);
		return FALSE;
	}
	for (i = 0; i < bytes; i++)
		if (seen[i] != pattern(c->seed, number, direction, i))
			break;
	if (i == bytes) {
		c->end->result->messages++;
		c->end->result->bytes += bytes;
		return TRUE;
	}
	ping_complain("%s: message %u of %u bytes: at offset %u expected 0x%02x, seen 0x%02x",
		      c->end->name, number, bytes, i, pattern(c->seed, number, direction, i),
		      seen[i]);
	ping_fail(c->end, PING_BAD_PEER, "the content of a message", 0);
	return FALSE;
}

/* ---- private data ---- */

static VOID put32(UCHAR *at, ULONG value)
{
	at[0] = (UCHAR)(value >> 24);
	at[1] = (UCHAR)(value >> 16);
	at[2] = (UCHAR)(value >> 8);
	at[3] = (UCHAR)value;
}

static ULONG get32(const UCHAR *at)
{
	return (ULONG)at[0] << 24 | (ULONG)at[1] << 16 | (ULONG)at[2] << 8 | at[3];
}

#define ASK_MAGIC    0x4e445031u /* "NDP1" */
#define ANSWER_MAGIC 0x4e445032u /* "NDP2" */

VOID ping_ask_write(UCHAR data[PING_ASK_BYTES], ULONG size, ULONG count, ULONG seed)
{
	put32(data, ASK_MAGIC);
	put32(data + 4, size);
	put32(data + 8, count);
	put32(data + 12, seed);
}

/* The peer's data may be followed by padding (PRIV-4), so longer is fine. */
BOOLEAN ping_ask_read(const UCHAR *data, ULONG bytes, ULONG *size, ULONG *seed)
{
	if (bytes < PING_ASK_BYTES || get32(data) != ASK_MAGIC)
		return FALSE;
	*size = get32(data + 4);
	*seed = get32(data + 12);
	return *size >= 1 && *size <= PING_MAX_SIZE;
}

VOID ping_answer_write(UCHAR data[PING_ANSWER_BYTES], ULONG size)
{
	put32(data, ANSWER_MAGIC);
	put32(data + 4, size);
}

BOOLEAN ping_answer_read(const UCHAR *data, ULONG bytes, ULONG *size)
{
	if (bytes < PING_ANSWER_BYTES || get32(data) != ANSWER_MAGIC)
		return FALSE;
	*size = get32(data + 4);
	return TRUE;
}
