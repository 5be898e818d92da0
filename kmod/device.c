// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * RDMA devices: how one arrives, what it can do, how it goes, and NdkOpenAdapter.
 *
 * Going (U-45): our ib_client.remove runs before that of the connection manager and is the last
 * moment at which anything of ours at the device may be destroyed. So it does everything there, with
 * hw held for writing: no worker is at the device, and whoever comes later finds `gone` and only
 * reports. The objects stay as husks until their consumer closes them.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <rdma/rdma_cm.h>

#include "objects.h"
#include "compat/compat.h"

#define NDK_MAX_QP_DEPTH 16384u
#define NDK_MAX_READS	 255u /* the CM's fields have eight bits */
#define NDK_CQ_ROOM	 64u /* entries of a CQ we keep for ourselves, see ndk_cq_build() */

static atomic_t ndk_devices = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(ndk_devices_wait);

/* ---- life ---- */
static void device_release(struct kref *ref)
{
	struct ndk_device *dev = container_of(ref, struct ndk_device, ref);

	ndk_addr_free(dev);
	ndk_api_host_end(&dev->site.host);
	kfree(dev);
	if (atomic_dec_and_test(&ndk_devices))
		wake_up(&ndk_devices_wait);
}

void ndk_device_put(struct ndk_device *dev)
{
	kref_put(&dev->ref, device_release);
}

static struct ndk_device *device_make(struct ib_device *ib)
{
	struct ndk_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	unsigned int i;

	if (!dev)
		return NULL;
	ndk_host_init(&dev->site.host,
		      rdma_protocol_iwarp(ib, NDK_PORT) ? NDK_TRANSPORT_IWARP : NDK_TRANSPORT_IB);
	dev->site.ops = &ndk_kernel_ops;
	spin_lock_init(&dev->lock);
	kref_init(&dev->ref);
	INIT_LIST_HEAD(&dev->link);
	strscpy(dev->name, dev_name(&ib->dev), sizeof(dev->name));
	dev->ib = ib;
	init_rwsem(&dev->hw);
	spin_lock_init(&dev->part_lock);
	for (i = 0; i < NDK_PARTS; i++)
		INIT_LIST_HEAD(&dev->part[i]);
	INIT_LIST_HEAD(&dev->lams);
	atomic_inc(&ndk_devices);
	return dev;
}

/* ---- capabilities ---- */
static NDK_RDMA_TECHNOLOGY technology(struct ib_device *ib)
{
	if (rdma_protocol_iwarp(ib, NDK_PORT))
		return NdkiWarp;
	if (rdma_protocol_roce_udp_encap(ib, NDK_PORT))
		return NdkRoCEv2;
	return rdma_protocol_roce(ib, NDK_PORT) ? NdkRoCE : NdkInfiniBand;
}

/* Limits of memory: the last page of an unaligned region is one more than its length says. */
static void memory_limits(NDK_ADAPTER_INFO *info, const struct ib_device_attr *attr)
{
	ULONG pages = attr->max_fast_reg_page_list_len;

	info->MaxRegistrationSize = pages > 1 ? (SIZE_T)(pages - 1) * PAGE_SIZE : 0;
	info->FRMRPageCount = pages;
}

static ULONG max_message(struct ib_device *ib)
{
	struct ib_port_attr port;

	/* 2^31 is what a request can name; a port may do with less */
	if (ib_query_port(ib, NDK_PORT, &port) || !port.max_msg_sz)
		return 1u << 20;
	return min_t(ULONG, port.max_msg_sz, 1u << 31);
}

static void fill_info(struct ndk_device *dev)
{
	NDK_ADAPTER_INFO *info = &dev->site.host.info;
	const struct ib_device_attr *attr = &dev->ib->attrs;
	bool iwarp = dev->site.host.transport == NDK_TRANSPORT_IWARP;
	ULONG depth =
		min_t(ULONG, attr->max_qp_wr - 1, NDK_MAX_QP_DEPTH); /* one is the drain marker */

	info->VendorId = attr->vendor_id & 0xffffff;
	info->DeviceId = attr->vendor_part_id;
	memory_limits(info, attr);
	info->MaxInitiatorRequestSge = min_t(ULONG, attr->max_send_sge, NDK_MAX_SGE);
	info->MaxReceiveRequestSge = min_t(ULONG, attr->max_recv_sge, NDK_MAX_SGE);
	info->MaxReadRequestSge = iwarp ? 1 : min_t(ULONG, attr->max_sge_rd, NDK_MAX_SGE);
	info->MaxTransferLength = max_message(dev->ib);
	info->MaxInlineDataSize = NDK_MAX_INLINE;
	info->MaxInboundReadLimit = min_t(ULONG, attr->max_qp_rd_atom, NDK_MAX_READS);
	info->MaxOutboundReadLimit = min_t(ULONG, attr->max_qp_init_rd_atom, NDK_MAX_READS);
	info->MaxReceiveQueueDepth = depth;
	info->MaxInitiatorQueueDepth = depth;
	info->MaxCqDepth = attr->max_cqe - NDK_CQ_ROOM;
	info->LargeRequestThreshold = 8192;
	/* LNX-9; on iWARP one byte less than the length field holds with its control word */
	info->MaxCallerData = iwarp ? 251 : 56;
	info->MaxCalleeData = iwarp ? 251 : 148;
	info->AdapterFlags = NDK_ADAPTER_FLAG_LOOPBACK_CONNECTIONS_SUPPORTED;
	if (!iwarp)
		info->AdapterFlags |= NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED;
	info->RdmaTechnology = technology(dev->ib);
}

/* ---- arrival and removal ---- */
static struct ib_client ndk_client;

static int client_add(struct ib_device *ib)
{
	struct ndk_device *dev;

	if (!rdma_cap_ib_cm(ib, NDK_PORT) && !rdma_cap_iw_cm(ib, NDK_PORT))
		return -EOPNOTSUPP;
	if (ib->attrs.max_qp_wr < 2 || ib->attrs.max_cqe <= NDK_CQ_ROOM)
		return -EOPNOTSUPP;
	dev = device_make(ib);
	if (!dev)
		return -ENOMEM;
	fill_info(dev);
	ndk_params_apply(&dev->site.host);
	dev->site.host.heavy = 1u << NdkObjectTypePd | 1u << NdkObjectTypeCq |
			       1u << NdkObjectTypeQp | 1u << NdkObjectTypeSharedEndpoint;
	ib_set_client_data(ib, &ndk_client, dev);
	ndk_addr_start(dev);
	ndk_names_add(dev);
	schedule_work(&dev->addr_work); /* for an address that came before we could be found by name */
	return 0;
}

static void kill(struct ndk_obj *o)
{
	switch (o->type) {
	case NdkObjectTypeListener:
		ndk_listen_stop((struct ndk_klistener *)o);
		break;
	case NdkObjectTypeConnector:
		ndk_cm_drop((struct ndk_kconn *)o);
		break;
	case NdkObjectTypeSharedEndpoint:
		ndk_endpoint_unbuild((struct ndk_kshared *)o);
		break;
	case NdkObjectTypeQp:
		ndk_qp_kill((struct ndk_kqp *)o);
		break;
	case NdkObjectTypeMr:
		ndk_mr_unbuild((struct ndk_kmr *)o);
		break;
	case NdkObjectTypeCq:
		ndk_cq_kill((struct ndk_kcq *)o);
		break;
	default:
		ndk_pd_unbuild((struct ndk_kpd *)o);
		break;
	}
}

/*
 * Each list is emptied before the next is looked at. Nothing can join one meanwhile but connectors
 * of requests that a listener is just delivering, and listeners go first. The objects stay: freeing
 * one takes a worker with hw held.
 */
static void kill_parts(struct ndk_device *dev)
{
	struct ndk_box *box;
	unsigned int i;

	for (i = 0; i < NDK_PARTS; i++) {
		for (;;) {
			spin_lock_irq(&dev->part_lock);
			box = list_first_entry_or_null(&dev->part[i], struct ndk_box, part);
			if (box)
				list_del_init(&box->part);
			spin_unlock_irq(&dev->part_lock);
			if (!box)
				break;
			kill(ndk_box_obj(box));
		}
	}
}

static void client_remove(struct ib_device *ib, void *data)
{
	struct ndk_device *dev = data;

	if (!dev)
		return;
	ndk_names_del(dev);
	ndk_addr_stop(dev);
	down_write(&dev->hw);
	WRITE_ONCE(dev->gone, true);
	synchronize_rcu(); /* posts that have not seen it are over */
	/* first, so that what the connections see during the killing is not mistaken for the cause */
	ndk_api_removed(&dev->site.host);
	kill_parts(dev);
	ndk_lam_drop_all(dev);
	dev->ib = NULL;
	up_write(&dev->hw);
	ndk_device_put(dev);
}

static void client_rename(struct ib_device *ib, void *data)
{
	if (data)
		ndk_names_change(data);
}

static struct ib_client ndk_client = {
	.name = "ndk",
	.add = client_add,
	.remove = client_remove,
	.rename = client_rename,
};

int ndk_device_init(void)
{
	return ib_register_client(&ndk_client);
}

/* No adapter is open (each holds the module), so what is left are timers and workers on their way out. */
void ndk_device_exit(void)
{
	ib_unregister_client(&ndk_client);
	wait_event(ndk_devices_wait, atomic_read(&ndk_devices) == 0);
	synchronize_rcu(); /* a timer's handler may still have to return */
}

/* ---- adapters ---- */
NTSTATUS NdkOpenAdapter(const char *Name, NDK_VERSION Version, NDK_ADAPTER **ppNdkAdapter)
{
	struct ndk_adapter *a = NULL;
	struct ndk_device *dev;
	NDIS_STATUS status;

	if (!Name || !ppNdkAdapter)
		return STATUS_INVALID_PARAMETER;
	dev = ndk_device_find(Name);
	if (!dev)
		return NDIS_STATUS_ADAPTER_NOT_FOUND;
	if (!try_module_get(THIS_MODULE)) {
		ndk_device_put(dev);
		return NDIS_STATUS_ADAPTER_NOT_READY;
	}
	ndk_addr_settle(dev); /* an address just added may be listened on */
	status = ndk_api_open(&dev->site.host, Version, &a);
	if (status != NDIS_STATUS_SUCCESS) {
		ndk_device_put(dev);
		module_put(THIS_MODULE);
		return status;
	}
	*ppNdkAdapter = &a->obj.ndk.adapter;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(NdkOpenAdapter);

static void wait_idle(struct ndk_adapter *a)
{
	wait_for_completion(&((struct ndk_kadapter *)a)->idle);
}

VOID NdkCloseAdapter(NDK_ADAPTER *pNdkAdapter)
{
	struct ndk_obj *o = ndk_obj_of(pNdkAdapter, NdkObjectTypeAdapter);
	struct ndk_device *dev;

	if (WARN_ON_ONCE(!o))
		return;
	dev = ndk_device_of(o->host);
	ndk_api_close_adapter((struct ndk_adapter *)o, wait_idle);
	ndk_device_put(dev);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_GPL(NdkCloseAdapter);
