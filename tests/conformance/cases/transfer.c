/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Sends and receives: every size, gathered and scattered, too big for their receive, without one, and
 * outliving the sender. Runs where a case runs.
 */
#include "stages.h"

/* One message between registered buffers. */
static BOOLEAN transfer_one(struct staged *s, struct kit_buffer *from, struct kit_buffer *to, ULONG length)
{
	PVOID sent = kit_context(), received = kit_context();
	UCHAR seed = (UCHAR)(length * 3 + 1);
	NDK_RESULT_EX r;

	kit_fill(from, 0, length, seed);
	if (length)
		to->data[length - 1] = (UCHAR)~from->data[length - 1];
	if (!CHECK_STATUS(kit_receive(s->b->qp, received, to, 0, length), STATUS_SUCCESS) ||
	    !CHECK_STATUS(kit_send(s->a->qp, sent, from, 0, length, 0), STATUS_SUCCESS) || !kit_result(s->b->cq, &r))
		return FALSE;
	return CHECK(r.RequestContext == received) && CHECK_STATUS(r.Status, STATUS_SUCCESS) &&
	       CHECK_EQ(r.BytesTransferred, length) && kit_verify(to, 0, length, seed) &&
	       kit_expect(s->a->cq, sent, STATUS_SUCCESS);
}

NDK_CASE(transfer_sizes, "QP-8 QP-9 QP-28 POST-1", NDK_ON_ALL,
	 "T-DP-01 every size to 257 (K: every 17th), and around powers of two to 4 MiB (K: 64 KiB), arrives as it was sent")
{
	ULONG most = conf_place() == NDK_ON_K ? 65536 : 4194304, size, step;
	struct kit_buffer *from, *to;
	struct staged s;

	REQUIRE(stage_to(&s, STAGE_UP));
	if (most > s.a->info->MaxTransferLength)
		most = s.a->info->MaxTransferLength;
	from = kit_buffer_mr(s.a->pd, most, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	to = kit_buffer_mr(s.b->pd, most, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REQUIRE(from && to);
	step = conf_place() == NDK_ON_K ? 17 : 1;
	for (size = 0; size <= 257; size += step)
		REQUIRE(transfer_one(&s, from, to, size));
	for (size = 512; size <= most; size *= 2) {
		REQUIRE(transfer_one(&s, from, to, size - 1));
		REQUIRE(transfer_one(&s, from, to, size));
		if (size < most)
			REQUIRE(transfer_one(&s, from, to, size + 1));
	}
	for (size = 301; size < most / 8; size = size * 2 + 13)
		REQUIRE(transfer_one(&s, from, to, size));
}

NDK_CASE(transfer_nothing, "QP-1 QP-28 U-27", NDK_ON_ALL,
	 "T-DP-02 a send without an SGE uses up one receive and touches no memory")
{
	PVOID sent = kit_context(), received = kit_context();
	struct staged s;
	NDK_RESULT_EX r;

	REQUIRE(stage_to(&s, STAGE_UP));
	kit_fill(s.b->buffer, 0, 64, 0x77);
	REQUIRE_STATUS(kit_receive(s.b->qp, received, s.b->buffer, 0, 64), STATUS_SUCCESS);
	REQUIRE_STATUS(s.a->qp->Dispatch->NdkSend(s.a->qp, sent, (NDK_SGE *)0, 0, 0), STATUS_SUCCESS);
	REQUIRE(kit_result(s.b->cq, &r));
	CHECK(r.RequestContext == received);
	CHECK_STATUS(r.Status, STATUS_SUCCESS);
	CHECK_EQ(r.BytesTransferred, 0);
	CHECK(kit_verify(s.b->buffer, 0, 64, 0x77));
	REQUIRE(kit_expect(s.a->cq, sent, STATUS_SUCCESS));
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
}

/* SGEs over consecutive pieces of a buffer. */
static BOOLEAN transfer_pieces(const struct kit_buffer *b, const ULONG *length, unsigned count, NDK_SGE *sgl)
{
	ULONG at = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		if (!CHECK_EQ(kit_sgl(b, at, length[i], &sgl[i], 1), 1))
			return FALSE;
		at += length[i];
	}
	return TRUE;
}

NDK_CASE(transfer_gather_scatter, "QP-7 QP-9 QP-28", NDK_ON_ALL,
	 "T-DP-03 gathered from three uneven pieces, scattered into two: every byte in its place")
{
	static const ULONG out[3] = { 333, 1, 666 }, in[2] = { 617, 400 };
	PVOID sent = kit_context(), received = kit_context();
	struct staged s;
	NDK_SGE sgl[3];
	NDK_RESULT_EX r;

	REQUIRE(stage_to(&s, STAGE_UP));
	kit_fill(s.a->buffer, 0, 1000, 0x11);
	kit_fill(s.b->buffer, 0, 1017, 0x99);
	REQUIRE(transfer_pieces(s.b->buffer, in, 2, sgl));
	REQUIRE_STATUS(s.b->qp->Dispatch->NdkReceive(s.b->qp, received, sgl, 2), STATUS_SUCCESS);
	REQUIRE(transfer_pieces(s.a->buffer, out, 3, sgl));
	REQUIRE_STATUS(s.a->qp->Dispatch->NdkSend(s.a->qp, sent, sgl, 3, 0), STATUS_SUCCESS);
	/* the list itself was only lent (U-49) */
	memset(sgl, 0xff, sizeof(sgl));
	REQUIRE(kit_result(s.b->cq, &r));
	CHECK_STATUS(r.Status, STATUS_SUCCESS);
	CHECK_EQ(r.BytesTransferred, 1000);
	CHECK(kit_verify(s.b->buffer, 0, 1000, 0x11));
	REQUIRE(kit_expect(s.a->cq, sent, STATUS_SUCCESS));
}

/* What a sender learns of the receiver's error: nothing on iWARP, a remote error on InfiniBand. */
static BOOLEAN transfer_unaware(NTSTATUS status)
{
	if (!conf_iwarp())
		return CHECK_STATUS(status, STATUS_REMOTE_RESOURCES);
	/* siw: done when on its way, unless the end that comes of it is there before that is said */
	return (kit_on_siw() && status == STATUS_CANCELLED) || CHECK_STATUS(status, STATUS_SUCCESS);
}

NDK_CASE(transfer_too_big, "U-28 QP-1 DISC-6", NDK_ON_ALL,
	 "T-DP-04 a message bigger than its receive: STATUS_BUFFER_OVERFLOW there, and the connection is over")
{
	PVOID sent = kit_context(), received = kit_context(), behind = kit_context();
	struct staged s;
	NDK_RESULT_EX r;

	REQUIRE(stage_to(&s, STAGE_UP));
	REQUIRE_STATUS(kit_receive(s.b->qp, received, s.b->buffer, 0, 1023), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_receive(s.b->qp, behind, s.b->buffer, 2048, 1024), STATUS_SUCCESS);
	REQUIRE_STATUS(kit_send(s.a->qp, sent, s.a->buffer, 0, 1024, 0), STATUS_SUCCESS);
	REQUIRE(kit_expect(s.b->cq, received, STATUS_BUFFER_OVERFLOW));
	REQUIRE(kit_expect(s.b->cq, behind, STATUS_CANCELLED));
	REQUIRE(kit_result(s.a->cq, &r));
	CHECK(r.RequestContext == sent && transfer_unaware(r.Status));
	CHECK(kit_disconnected(s.cb, KIT_PATIENCE_MS));
	CHECK_STATUS(kit_send(s.b->qp, kit_context(), s.b->buffer, 0, 8, 0), STATUS_CONNECTION_INVALID);
	CHECK(stage_still_well(&s));
}

NDK_CASE(transfer_unexpected, "U-28 QP-1", NDK_ON_ALL,
	 "T-DP-05 a send that meets no receive ends STATUS_IO_TIMEOUT, once the tries are used up")
{
	PVOID sent = kit_context(), behind = kit_context();
	struct staged s;
	NTSTATUS posted;
	NDK_RESULT_EX r;

	REQUIRE(stage_to(&s, STAGE_UP));
	REQUIRE_STATUS(kit_send(s.a->qp, sent, s.a->buffer, 0, 64, 0), STATUS_SUCCESS);
	posted = kit_send(s.a->qp, behind, s.a->buffer, 0, 64, NDK_OP_FLAG_SILENT_SUCCESS);
	/* where time goes on, the end may be known before this is posted */
	CHECK(posted == STATUS_SUCCESS || (conf_place() != NDK_ON_S && posted == STATUS_CONNECTION_INVALID));
	if (kit_on_siw()) { /* done when on its way, if that is before the end that comes of it at once */
		REQUIRE(kit_result(s.a->cq, &r) && r.RequestContext == sent);
		CHECK(r.Status == STATUS_SUCCESS || r.Status == STATUS_CANCELLED);
	} else {
		REQUIRE(kit_expect(s.a->cq, sent, STATUS_IO_TIMEOUT));
		/* silent when it succeeds, not when it is cancelled */
		if (posted == STATUS_SUCCESS)
			REQUIRE(kit_expect(s.a->cq, behind, STATUS_CANCELLED));
	}
	CHECK_EQ(kit_drain(s.b->cq), 0);
	CHECK(kit_disconnected(s.ca, KIT_PATIENCE_MS));
}

/* FALSE: the case has failed. *again: where time is real, we were too late for the sender's patience. */
static BOOLEAN transfer_late(struct staged *s, BOOLEAN *again)
{
	PVOID sent = kit_context(), received = kit_context();
	NDK_RESULT_EX r;

	*again = FALSE;
	if (!stage_to(s, STAGE_UP) ||
	    !CHECK_STATUS(kit_send(s->a->qp, sent, s->a->buffer, 0, 64, 0), STATUS_SUCCESS))
		return FALSE;
	conf_sleep(2);
	if (!CHECK_STATUS(kit_receive(s->b->qp, received, s->b->buffer, 0, 64), STATUS_SUCCESS) ||
	    !kit_result(s->a->cq, &r) || !CHECK(r.RequestContext == sent))
		return FALSE;
	*again = conf_place() != NDK_ON_S && r.Status == STATUS_IO_TIMEOUT;
	return *again || (CHECK_STATUS(r.Status, STATUS_SUCCESS) && kit_expect(s->b->cq, received, STATUS_SUCCESS));
}

NDK_CASE(transfer_expected_late, "QP-1", NDK_ON_S | NDK_ON_K,
	 "T-DP-05 a receive that comes while the sender still tries is in time")
{
	BOOLEAN again = TRUE;
	struct staged s;
	int i;

	SKIP_UNLESS(!kit_on_siw(), "over iWARP a message that meets no receive ends the connection at once");
	for (i = 0; i < 10 && again; i++) {
		if (i)
			kit_close_all(KIT_CHILDREN_FIRST);
		REQUIRE(transfer_late(&s, &again));
	}
	REQUIRE(CHECK(!again));
	REQUIRE(kit_send_recv_verify(s.a, s.b, 64));
}

#define TRANSFER_LARGE 2048u

NDK_CASE(transfer_outlives_sender, "QP-1 U-22 ORD-1", NDK_ON_ALL,
	 "T-DP-16 what was received before the sender closed is there to be taken, whole, then cancellations")
{
	PVOID received[7];
	struct kit_buffer *to;
	struct staged s;
	NDK_RESULT_EX r;
	ULONG i;

	REQUIRE(stage_to(&s, STAGE_UP));
	to = kit_buffer_mr(s.b->pd, 7 * TRANSFER_LARGE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REQUIRE(to != (struct kit_buffer *)0);
	for (i = 0; i < 7; i++) {
		received[i] = kit_context();
		REQUIRE_STATUS(kit_receive(s.b->qp, received[i], to, i * TRANSFER_LARGE, TRANSFER_LARGE),
			       STATUS_SUCCESS);
	}
	for (i = 0; i < 5; i++) {
		PVOID sent = kit_context();

		kit_fill(s.a->buffer, 0, TRANSFER_LARGE, (UCHAR)(i * 40));
		REQUIRE_STATUS(kit_send(s.a->qp, sent, s.a->buffer, 0, TRANSFER_LARGE, 0), STATUS_SUCCESS);
		REQUIRE(kit_expect(s.a->cq, sent, STATUS_SUCCESS));
	}
	REQUIRE(KIT_CLOSED(s.ca->connector));
	REQUIRE(KIT_CLOSED(s.a->qp));
	REQUIRE(kit_disconnected(s.cb, KIT_PATIENCE_MS));
	for (i = 0; i < 5; i++) {
		REQUIRE(kit_result(s.b->cq, &r));
		CHECK(r.RequestContext == received[i]);
		CHECK_STATUS(r.Status, STATUS_SUCCESS);
		CHECK_EQ(r.BytesTransferred, TRANSFER_LARGE);
		CHECK(kit_verify(to, i * TRANSFER_LARGE, TRANSFER_LARGE, (UCHAR)(i * 40)));
	}
	REQUIRE(KIT_CLOSED(s.cb->connector));
	for (i = 5; i < 7; i++)
		REQUIRE(kit_expect(s.b->cq, received[i], STATUS_CANCELLED));
}

CONF_CASES(transfer, CASE(transfer_sizes), CASE(transfer_nothing), CASE(transfer_gather_scatter),
	   CASE(transfer_too_big), CASE(transfer_unexpected), CASE(transfer_expected_late),
	   CASE(transfer_outlives_sender));
