/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What tokens do not give: rights that were not asked, bytes outside the region, regions that are gone,
 * regions of another protection domain, and memory behind the privileged token. Each refusal costs a
 * connection (linked.h). Runs where a case runs.
 */
#include "linked.h"

#define ACCESS_PAGE ((ULONG)NDK_PAGE_SIZE)

/* One access over a connection of its own: takes place, or is refused and leaves no trace. */
static BOOLEAN access_goes(const struct kit_pair *p, struct kit_buffer *target, enum linked_access access,
			   BOOLEAN allowed)
{
	struct kit_buffer *mine = kit_sink(p->a->pd, 64);
	struct linked l;
	BOOLEAN fine;

	kit_fill(target, 0, target->size, 0x3c);
	if (!mine)
		return FALSE;
	if (!allowed)
		return linked_refused(p, access, access == LINKED_READ ? 64 : 1, KIT_AT(target, 8), target->remote) &&
		       kit_verify(target, 0, target->size, 0x3c);
	if (!linked_open(&l, p))
		return FALSE;
	kit_fill(mine, 0, 64, 0x99);
	if (access == LINKED_READ)
		fine = kit_read_now(&l.a, mine, 0, 64, KIT_AT(target, 0), target->remote) &&
		       kit_verify(mine, 0, 64, 0x3c);
	else
		fine = kit_write_now(&l.a, mine, 0, 64, KIT_AT(target, 0), target->remote) &&
		       kit_verify(target, 0, 64, 0x99);
	return fine && linked_close(&l);
}

NDK_CASE(access_rights, "MR-7 U-28", NDK_ON_ALL,
	 "T-MM-05 the peer reads only what is open for reading and writes only what is open for writing")
{
	static const struct {
		ULONG flags;
		BOOLEAN read, write;
	} rights[] = {
		{ NDK_MR_FLAG_ALLOW_LOCAL_WRITE, FALSE, FALSE },
		{ NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_ALLOW_REMOTE_READ, TRUE, FALSE },
		{ NDK_MR_FLAG_ALLOW_REMOTE_READ, TRUE, FALSE },
		{ NDK_MR_FLAG_ALLOW_REMOTE_WRITE, FALSE, TRUE },
		{ NDK_MR_FLAG_ALLOW_REMOTE_WRITE | NDK_MR_FLAG_ALLOW_REMOTE_READ, TRUE, TRUE },
	};
	struct kit_pair *p = kit_pair(NDK_V4);
	struct kit_buffer *target;
	unsigned i;

	REQUIRE(p != (struct kit_pair *)0);
	for (i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
		conf_note("rights %u", rights[i].flags);
		target = kit_buffer_mr(p->b->pd, 128, rights[i].flags);
		REQUIRE(target != (struct kit_buffer *)0);
		if (rights[i].read || linked_checks_reading())
			REQUIRE(access_goes(p, target, LINKED_READ, rights[i].read));
		REQUIRE(access_goes(p, target, LINKED_WRITE, rights[i].write));
	}
}

NDK_CASE(access_bounds, "MR-2 MR-6 U-28", NDK_ON_ALL,
	 "T-MM-06 one byte outside the region is refused on either side, and nothing around it changes")
{
	static const struct {
		enum linked_access access;
		ULONG length;
		LONGLONG offset; /* from the region's start */
	} outside[] = {
		{ LINKED_READ, 4097, 0 },    { LINKED_WRITE, 2, 4095 }, { LINKED_READ, 1, -1 },
		{ LINKED_WRITE, 2, -1 },     { LINKED_WRITE, 1, 4096 }, { LINKED_READ, 4096, 1 },
		{ LINKED_WRITE, 1, 1 << 30 },
	};
	struct kit_pair *p = kit_pair(NDK_V4);
	struct kit_buffer *mine, *guarded = kit_plain(3 * 4096 + ACCESS_PAGE);
	const ULONG start = 4096 + 24;
	struct linked l;
	UINT32 token;
	unsigned i;
	NDK_MR *mr;
	MDL *mdl;

	REQUIRE(p && guarded);
	mdl = kit_piece(guarded, 0, start, 4096);
	mr = kit_create_mr(p->b->pd, FALSE);
	REQUIRE(mdl && mr);
	REQUIRE_STATUS(kit_register(mr, mdl, 4096, NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE),
		       STATUS_SUCCESS);
	token = mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
	kit_fill(guarded, 0, guarded->size, 0x66);
	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		conf_note("%u bytes at %lld", outside[i].length, outside[i].offset);
		REQUIRE(linked_refused(p, outside[i].access, outside[i].length,
				       KIT_AT(guarded, start) + (UINT64)outside[i].offset, token));
		REQUIRE(kit_verify(guarded, 0, guarded->size, 0x66));
	}
	/* where adding the length wraps around */
	REQUIRE(linked_refused(p, LINKED_WRITE, 16, ~(UINT64)0 - 7, token));
	REQUIRE(kit_verify(guarded, 0, guarded->size, 0x66));
	REQUIRE(linked_open(&l, p));
	mine = kit_sink(p->a->pd, 4096);
	REQUIRE(mine && kit_read_now(&l.a, mine, 0, 4096, KIT_AT(guarded, start), token));
}

NDK_CASE(access_stale, "MR-10 MR-15 U-28 U-34", NDK_ON_ALL,
	 "T-MM-07 a token dies with its registration and never reaches what the MR is registered for later")
{
	const ULONG flags = NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE;
	struct kit_buffer *one = kit_plain(ACCESS_PAGE), *two = kit_plain(ACCESS_PAGE), *mine;
	struct kit_pair *p;
	struct linked l;
	UINT32 old, now;
	NDK_MR *mr;

	p = linked_first(&l);
	REQUIRE(p && one && two);
	mr = kit_create_mr(p->b->pd, FALSE);
	mine = kit_sink(p->a->pd, 64);
	REQUIRE(mr && mine);
	REQUIRE_STATUS(kit_register(mr, one->mdl, one->size, flags), STATUS_SUCCESS);
	old = mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
	REQUIRE(kit_write_now(&l.a, mine, 0, 64, KIT_AT(one, 0), old));
	REQUIRE_STATUS(kit_deregister(mr), STATUS_SUCCESS);
	kit_fill(one, 0, one->size, 0x12);
	kit_fill(two, 0, two->size, 0x34);
	REQUIRE(linked_refuses(&l, LINKED_WRITE, 8, KIT_AT(one, 0), old));
	REQUIRE_STATUS(kit_register(mr, two->mdl, two->size, flags), STATUS_SUCCESS);
	now = mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
	CHECK(now != old);
	REQUIRE(linked_refused(p, LINKED_WRITE, 8, KIT_AT(one, 0), old));
	REQUIRE(linked_refused(p, LINKED_WRITE, 8, KIT_AT(two, 0), old));
	REQUIRE(linked_refused(p, LINKED_READ, 8, KIT_AT(two, 0), old));
	REQUIRE(kit_verify(one, 0, one->size, 0x12) && kit_verify(two, 0, two->size, 0x34));
	REQUIRE(linked_open(&l, p));
	REQUIRE(kit_read_now(&l.a, mine, 0, 64, KIT_AT(two, 0), now) && kit_verify(mine, 0, 64, 0x34));
	/* the end of the MR is the end of the registration */
	REQUIRE(KIT_CLOSED(mr));
	REQUIRE(linked_refuses(&l, LINKED_READ, 8, KIT_AT(two, 0), now));
}

/* The next result of the side says that its own memory was refused; what waited behind it is cancelled. */
static BOOLEAN access_own_refused(struct linked *l, NTSTATUS posted, PVOID context)
{
	NDK_RESULT_EX r;

	return CHECK_STATUS(posted, STATUS_SUCCESS) && kit_result(l->a.cq, &r) && CHECK(r.RequestContext == context) &&
	       linked_is_refusal(r.Status) && CHECK(kit_disconnected(l->a.conn, KIT_PATIENCE_MS));
}

NDK_CASE(access_own_memory, "QP-9 MR-7 PD-1 U-28", NDK_ON_ALL,
	 "an SGE with a token that is stale or invented, beyond its region, or not writable: STATUS_ACCESS_VIOLATION")
{
	struct kit_buffer *source, *shut, *gone;
	struct kit_pair *p = kit_pair(NDK_V4);
	PVOID context[4];
	struct linked l;
	unsigned i;

	REQUIRE(p != (struct kit_pair *)0);
	source = kit_exposed(p->b->pd, 256);
	shut = kit_buffer_mr(p->a->pd, 64, NDK_MR_FLAG_ALLOW_LOCAL_READ);
	gone = kit_buffer_mr(p->a->pd, 64, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	REQUIRE(source && shut && gone);
	REQUIRE_STATUS(kit_deregister(gone->mr), STATUS_SUCCESS);
	kit_fill(shut, 0, 64, 0x55);
	for (i = 0; i < 4; i++)
		context[i] = kit_context();
	REQUIRE(linked_open(&l, p));
	REQUIRE(access_own_refused(&l, kit_read(l.a.qp, context[0], shut, 0, 64, KIT_AT(source, 0), source->remote, 0),
				   context[0]));
	CHECK(kit_verify(shut, 0, 64, 0x55));
	REQUIRE(linked_open(&l, p));
	REQUIRE(access_own_refused(&l, kit_send(l.a.qp, context[1], gone, 0, 64, 0), context[1]));
	REQUIRE(linked_open(&l, p));
	REQUIRE(access_own_refused(&l, kit_write(l.a.qp, context[2], shut, 1, 64, KIT_AT(source, 0), source->remote, 0),
				   context[2]));
	shut->token ^= 0x5a00;
	REQUIRE(linked_open(&l, p));
	REQUIRE(access_own_refused(&l, kit_write(l.a.qp, context[3], shut, 0, 64, KIT_AT(source, 0), source->remote, 0),
				   context[3]));
}

NDK_CASE(access_strange_domain, "QP-9 U-28", NDK_ON_ALL,
	 "T-MM-13 a region of another protection domain serves neither this side's SGEs nor the peer")
{
	PVOID sent = kit_context(), received = kit_context();
	struct kit_buffer *mine, *theirs;
	struct kit_pair *p;
	struct linked l;
	NTSTATUS status;
	NDK_PD *a, *b;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	a = kit_create_pd(p->a->adapter);
	b = kit_create_pd(p->b->adapter);
	REQUIRE(a && b);
	mine = kit_buffer_mr(a, 64, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	theirs = kit_exposed(b, 64);
	REQUIRE(mine && theirs);
	kit_fill(theirs, 0, 64, 0x77);
	REQUIRE_STATUS(kit_receive(l.b.qp, received, l.b.buffer, 0, 64), STATUS_SUCCESS);
	status = kit_send(l.a.qp, sent, mine, 0, 64, 0);
	if (status == STATUS_SUCCESS)
		REQUIRE(access_own_refused(&l, status, sent));
	/* the peer got nothing */
	REQUIRE(KIT_CLOSED(l.b.conn->connector));
	REQUIRE(kit_expect(l.b.cq, received, STATUS_CANCELLED));
	REQUIRE(linked_refused(p, LINKED_WRITE, 64, KIT_AT(theirs, 0), theirs->remote));
	REQUIRE(linked_refused(p, LINKED_READ, 64, KIT_AT(theirs, 0), theirs->remote));
	CHECK(kit_verify(theirs, 0, 64, 0x77));
}

NDK_CASE(access_privileged, "PD-1 PD-2 PD-3 PD-4 QP-9 LAM-8", NDK_ON_ALL,
	 "T-MM-20 the privileged token serves sends and receives without registration, and no peer at all")
{
	UINT32 token = 0, again = 1;
	struct kit_buffer *b;
	struct kit_pair *p;
	struct linked l;
	UINT64 logical;
	NDK_PD *pd;

	p = linked_first(&l);
	REQUIRE(p != (struct kit_pair *)0);
	b = p->b->buffer;
	pd = p->b->pd;
	pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(pd, &token);
	pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(pd, &again);
	CHECK_EQ(token, again);
	CHECK_EQ(b->token, token);
	REQUIRE(kit_send_recv_verify(&l.a, &l.b, KIT_BUFFER));
	REQUIRE(kit_send_recv_verify(&l.b, &l.a, KIT_BUFFER));
	kit_fill(b, 0, KIT_BUFFER, 0x18);
	logical = (UINT64)b->lam->AdapterPageArray[0].QuadPart + b->fbo;
	REQUIRE(linked_refuses(&l, LINKED_WRITE, 8, logical, token));
	if (linked_checks_reading())
		REQUIRE(linked_refused(p, LINKED_READ, 8, logical, token));
	REQUIRE(linked_refused(p, LINKED_WRITE, 8, KIT_AT(b, 0), token));
	CHECK(kit_verify(b, 0, KIT_BUFFER, 0x18));
}

CONF_CASES(access, CASE(access_rights), CASE(access_bounds), CASE(access_stale), CASE(access_own_memory),
	   CASE(access_strange_domain), CASE(access_privileged));
