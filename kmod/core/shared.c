/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The shared endpoint. The only writer of ndk_shared.state. Under the host's lock.
 */
#include "connector.h"
#include "hooks.h"

static struct ndk_step step_shared(struct ndk_shared *s, unsigned event)
{
	struct ndk_step step = ndk_step_take(&s->obj, NDK_MACHINE_SHARED, &s->state, event);

	if (step.acts & NDK_SHARED_ACT(GIVE))
		ndk_ep_give(s->obj.host, &s->ep);
	return step;
}

NTSTATUS ndk_shared_reserve(struct ndk_shared *s, const VOID *sockaddr, ULONG len)
{
	struct ndk_addr want;
	NTSTATUS status;

	if (!ndk_addr_parse(sockaddr, len, &want))
		return STATUS_INVALID_ADDRESS; /* U-9 */
	/* TAKE comes before the step: only a taken address makes the endpoint RESERVED */
	status = ndk_ep_take(s->obj.host, &s->ep, NDK_EP_SHARED, &want, (const struct ndk_addr *)0);
	if (status == STATUS_SUCCESS)
		step_shared(s, NDK_SHARED_EV_RESERVE);
	return status;
}

NTSTATUS ndk_shared_bound(struct ndk_shared *s, int err)
{
	step_shared(s, err ? NDK_SHARED_EV_BIND_FAILED : NDK_SHARED_EV_BOUND);
	return err ? ndk_status_bind(err) : STATUS_SUCCESS;
}

void ndk_shared_event(struct ndk_shared *s, unsigned event)
{
	step_shared(s, event);
}

NTSTATUS ndk_shared_local_address(const struct ndk_shared *s, VOID *sockaddr, ULONG *len)
{
	return ndk_addr_give(&s->ep.addr, sockaddr, len);
}
