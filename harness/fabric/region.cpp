/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Tokens and the memory behind them: one table per site, of whatever kind the region is, and walking
 * over memory piece by piece. World's lock held.
 *
 * The privileged token is not in the table: it is for local use only, and names memory by logical
 * address, which on the fabric is a pointer of this process.
 */
#include <algorithm>
#include <cstring>

#include "fabric.hpp"

namespace ndk::fabric
{

/* ---- the table ---- */
static Region **bucket_of(const Site *s, UINT32 token)
{
	size_t n = s->tokens.size();

	return const_cast<Region **>(&s->tokens[(token >> 8) & (n - 1)]);
}

static Region *holder(const Site *s, UINT32 token)
{
	Region *r = *bucket_of(s, token);

	while (r && r->token != token)
		r = r->next;
	return r;
}

/*
 * A counter and eight bits that are nobody's business, as on real devices. A token may come back after
 * sixteen million others, but not while a region has it.
 */
UINT32 new_token(Site *s)
{
	UINT32 n, token;

	do {
		n = s->next_token++;
		token = n << 8 | ((n ^ s->token_salt) * 0x9e3779b9u >> 24);
	} while (!(token >> 8) || token == privileged_token || holder(s, token));
	return token;
}

void enforce(Site *s, Region &r)
{
	Region **at = bucket_of(s, r.token);

	r.next = *at;
	r.prev = at;
	if (r.next)
		r.next->prev = &r.next;
	*at = &r;
}

void revoke(Region &r)
{
	if (!r.prev)
		return;
	*r.prev = r.next;
	if (r.next)
		r.next->prev = r.prev;
	r.prev = nullptr;
}

Region *find_region(const Site *s, UINT32 token, const ndk_pd *pd)
{
	Region *r = holder(s, token);

	return r && r->pd == pd ? r : nullptr;
}

bool covers(const Region *r, UINT64 va, SIZE_T length, ULONG right)
{
	if (!r || (r->rights & right) != right)
		return false;
	return va >= r->base && va - r->base <= r->length && length <= r->length - (va - r->base);
}

/* ---- local access ---- */
static ULONG right_for(const Site *s, Use use)
{
	bool free_sink = (s->core.host.info.AdapterFlags &
			  NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED) != 0;

	switch (use) {
	case Use::sink:
		return right_local_write;
	case Use::read_sink: /* MR-8, MR-9 */
		return right_local_write | (free_sink ? 0 : right_read_sink);
	default:
		return 0;
	}
}

bool allowed(const Qp *qp, const NDK_SGE *sge, ULONG nsge, Use use)
{
	const Site *s = site_of(qp->core.obj);
	ULONG right = right_for(s, use);

	for (; nsge--; sge++) {
		const Region *r;

		if (!sge->Length)
			continue;
		if (sge->MemoryRegionToken == privileged_token) {
			if (right & right_read_sink)
				return false;
			continue; /* PD-2 */
		}
		r = find_region(s, sge->MemoryRegionToken, qp->core.pd);
		if (!r || r->window) /* a window is for the peer */
			return false;
		if (!covers(r, (UINT64)(ULONG_PTR)sge->VirtualAddress, sge->Length, right))
			return false;
	}
	return true;
}

/* ---- walking ---- */
Cursor::Cursor(UCHAR *flat, SIZE_T length)
	: va((UINT64)(ULONG_PTR)flat)
	, left(length)
{
}

Cursor::Cursor(const Region &r, UINT64 first, SIZE_T length)
	: region(r.pages ? &r : nullptr)
	, va(first)
	, left(length)
{
}

Cursor::Cursor(const Qp *qp, const NDK_SGE *sges, ULONG nsge)
	: site(site_of(qp->core.obj))
	, sge(sges)
	, end(sges + nsge)
{
}

void Cursor::load()
{
	region = nullptr;
	left = sge->Length;
	if (sge->MemoryRegionToken == privileged_token) {
		va = (UINT64)sge->LogicalAddress.QuadPart; /* PD-1 */
	} else {
		va = (UINT64)(ULONG_PTR)sge->VirtualAddress;
		const Region *r = holder(site, sge->MemoryRegionToken);

		region = r && r->pages ? r : nullptr;
	}
	sge++;
}

SIZE_T Cursor::run(UCHAR **at)
{
	UINT64 offset;

	while (!left) {
		if (sge == end)
			return 0;
		load();
	}
	if (!region) {
		*at = reinterpret_cast<UCHAR *>((ULONG_PTR)va);
		return left;
	}
	offset = va - region->base + region->fbo;
	*at = reinterpret_cast<UCHAR *>((ULONG_PTR)region->pages->page()[offset / NDK_PAGE_SIZE]) +
	      offset % NDK_PAGE_SIZE;
	return std::min<SIZE_T>(left, NDK_PAGE_SIZE - offset % NDK_PAGE_SIZE);
}

void Cursor::skip(SIZE_T n)
{
	va += n;
	left -= n;
}

/* Lists may overlap, within one process and on a connection to oneself. */
void copy(Cursor to, Cursor from)
{
	UCHAR *source = nullptr;
	UCHAR *target = nullptr;

	while (SIZE_T have = from.run(&source)) {
		SIZE_T n = std::min(have, to.run(&target));

		NDK_ASSERT(n > 0);
		memmove(target, source, n);
		from.skip(n);
		to.skip(n);
	}
}

} /* namespace ndk::fabric */
