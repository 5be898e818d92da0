// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The device part of a shared endpoint: an anchor identity that owns the address and port for as
 * long as the endpoint lives and never connects. Its connectors bind identities of their own to the
 * same port, which the CM allows because all of them ask for reuse (LNX-12). With hw held.
 */
#include <net/net_namespace.h>

#include "objects.h"

static int anchor_event(struct rdma_cm_id *id, struct rdma_cm_event *ev)
{
	return 0;
}

int ndk_endpoint_build(struct ndk_kshared *ks)
{
	struct ndk_box *box = ndk_box_of(&ks->s.obj);
	struct rdma_cm_id *id;
	int err;

	if (ndk_api_alloc_fails(&box->dev->site.host))
		return -ENOMEM;
	id = rdma_create_id(&init_net, anchor_event, ks, RDMA_PS_TCP, IB_QPT_RC);
	if (IS_ERR(id))
		return PTR_ERR(id);
	rdma_set_reuseaddr(id, 1);
	err = ndk_cm_bind(box->dev, id, &ks->s.ep.addr);
	if (err) {
		rdma_destroy_id(id);
		return err;
	}
	ks->id = id;
	ndk_box_part(box, NDK_PART_ENDPOINT);
	return 0;
}

void ndk_endpoint_unbuild(struct ndk_kshared *ks)
{
	struct rdma_cm_id *id = ks->id;

	ks->id = NULL;
	ndk_box_unpart(ndk_box_of(&ks->s.obj));
	if (id)
		rdma_destroy_id(id);
}
