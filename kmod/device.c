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
#include <ndkpi/ndkpi_manage.h>
#include <rdma/rdma_cm.h>

#include "objects.h"
#include "compat/compat.h"

#define NDK_MAX_QP_DEPTH 16384u
#define NDK_MAX_CQ_DEPTH (16u * NDK_MAX_QP_DEPTH)
#define NDK_MAX_READS	 255u /* the CM's fields have eight bits */
#define NDK_QP_ROOM	 (NDK_REBIND_MAX + 1) /* entries of a QP we keep for ourselves, see send_depth() in qp.c */
#define NDK_MIN_FAST_PAGES 16u
#define NDK_MAX_FAST_PAGES 1024u /* each region has room for them several times */
#define NDK_CQ_ROOM	 64u /* entries of a CQ we keep for ourselves, see room() in cq.c */
#define NDK_REMOVE_MS	 5000 /* for all queue pairs of a device that goes to report what was flushed */

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
	init_waitqueue_head(&dev->closed);
	ndk_watch_init(dev);
	xa_init(&dev->regions);
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
static void memory_limits(NDK_ADAPTER_INFO *info, const struct ib_device *ib)
{
	ULONG pages = ndk_compat_max_pages(ib);

	info->MaxRegistrationSize = (SIZE_T)(pages - 1) * PAGE_SIZE;
	info->MaxWindowSize = (SIZE_T)(min(pages, NDK_MW_PAGES) - 1) * PAGE_SIZE;
	info->FRMRPageCount = min(pages, NDK_MAX_FAST_PAGES);
}

static ULONG max_message(struct ib_device *ib)
{
	struct ib_port_attr port;

	/* 2^31 is what a request can name; a port may do with less */
	if (ib_query_port(ib, NDK_PORT, &port) || !port.max_msg_sz)
		return 1u << 20;
	return min_t(ULONG, port.max_msg_sz, 1u << 31);
}

static void queue_options(NDK_ADAPTER_INFO *info, const struct ib_device *ib)
{
	const struct ib_device_attr *attr = &ib->attrs;

	if (ib->ops.create_srq && attr->max_srq && attr->max_srq_wr > 0 && attr->max_srq_sge > 0) {
		info->MaxSrqDepth = min_t(ULONG, attr->max_srq_wr, NDK_MAX_QP_DEPTH);
		/* one limit is for both kinds of queues */
		info->MaxReceiveRequestSge =
			min_t(ULONG, info->MaxReceiveRequestSge, attr->max_srq_sge);
	}
	if (ib->ops.resize_cq)
		info->AdapterFlags |= NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED;
	if (ib->ops.modify_cq)
		info->AdapterFlags |= NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED;
}

static void fill_info(struct ndk_device *dev)
{
	NDK_ADAPTER_INFO *info = &dev->site.host.info;
	const struct ib_device_attr *attr = &dev->ib->attrs;
	bool iwarp = dev->site.host.transport == NDK_TRANSPORT_IWARP;
	ULONG depth =
		min_t(ULONG, attr->max_qp_wr - NDK_QP_ROOM, NDK_MAX_QP_DEPTH);

	info->VendorId = attr->vendor_id & 0xffffff;
	info->DeviceId = attr->vendor_part_id;
	memory_limits(info, dev->ib);
	info->MaxInitiatorRequestSge = min_t(ULONG, attr->max_send_sge, NDK_MAX_SGE);
	info->MaxReceiveRequestSge = min_t(ULONG, attr->max_recv_sge, NDK_MAX_SGE);
	info->MaxReadRequestSge = iwarp ? 1 : min3(attr->max_sge_rd, attr->max_send_sge, (int)NDK_MAX_SGE);
	info->MaxTransferLength = max_message(dev->ib);
	info->MaxInlineDataSize = NDK_MAX_INLINE;
	info->MaxInboundReadLimit = min_t(ULONG, attr->max_qp_rd_atom, NDK_MAX_READS);
	info->MaxOutboundReadLimit = min_t(ULONG, attr->max_qp_init_rd_atom, NDK_MAX_READS);
	info->MaxReceiveQueueDepth = depth;
	info->MaxInitiatorQueueDepth = depth;
	info->MaxCqDepth = min_t(ULONG, attr->max_cqe - NDK_CQ_ROOM, NDK_MAX_CQ_DEPTH);
	info->LargeRequestThreshold = 8192;
	/* LNX-9; on iWARP one byte less than the length field holds with its control word */
	info->MaxCallerData = iwarp ? 251 : 56;
	info->MaxCalleeData = iwarp ? 251 : 148;
	info->AdapterFlags = NDK_ADAPTER_FLAG_LOOPBACK_CONNECTIONS_SUPPORTED;
	/* what iWARP lacks in the one, it has in the other */
	info->AdapterFlags |= iwarp ? NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED :
				      NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED;
	info->RdmaTechnology = technology(dev->ib);
	queue_options(info, dev->ib);
}

/* Consumers share the device with others, so these are upper bounds. */
static void fill_caps(NDIS_NDK_CAPABILITIES *caps, const struct ib_device_attr *attr)
{
	caps->MaxQpCount = attr->max_qp;
	caps->MaxCqCount = attr->max_cq;
	caps->MaxMrCount = attr->max_mr;
	caps->MaxPdCount = attr->max_pd;
	caps->MaxMwCount = attr->max_mr; /* a window is a region of the device, see mw.c */
	caps->MaxSrqCount = attr->max_srq;
}

/* ---- arrival and removal ---- */
static struct ib_client ndk_client;

static int client_add(struct ib_device *ib)
{
	struct ndk_device *dev;

	if (!rdma_cap_ib_cm(ib, NDK_PORT) && !rdma_cap_iw_cm(ib, NDK_PORT))
		return -EOPNOTSUPP;
	if (ib->attrs.max_qp_wr <= NDK_QP_ROOM || ib->attrs.max_cqe <= NDK_CQ_ROOM)
		return -EOPNOTSUPP;
	if (ib->attrs.max_fast_reg_page_list_len < NDK_MIN_FAST_PAGES)
		return -EOPNOTSUPP; /* MR-17 */
	dev = device_make(ib);
	if (!dev)
		return -ENOMEM;
	fill_info(dev);
	fill_caps(&dev->site.host.caps, &ib->attrs);
	ndk_params_apply(&dev->site.host);
	dev->site.host.heavy = 1u << NdkObjectTypePd | 1u << NdkObjectTypeCq |
			       1u << NdkObjectTypeQp | 1u << NdkObjectTypeSrq |
			       1u << NdkObjectTypeMw |
			       1u << NdkObjectTypeSharedEndpoint;
	ib_set_client_data(ib, &ndk_client, dev);
	ndk_addr_start(dev);
	ndk_debugfs_add(dev);
	ndk_names_add(dev);
	ndk_events_announce(&dev->site.host, NdkAdapterArrived);
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
	case NdkObjectTypeSrq:
		ndk_srq_kill((struct ndk_ksrq *)o);
		break;
	case NdkObjectTypeMr:
		ndk_mr_unbuild((struct ndk_kmr *)o);
		break;
	case NdkObjectTypeMw:
		ndk_mw_kill((struct ndk_kmw *)o);
		break;
	case NdkObjectTypeCq:
		ndk_cq_kill((struct ndk_kcq *)o);
		break;
	default:
		ndk_pd_unbuild((struct ndk_kpd *)o);
		break;
	}
}

/* They flush at the same time: draining one after the other then takes no longer than the slowest. */
static void flush_all(struct ndk_device *dev)
{
	struct ndk_box *box;

	dev->drain_end = jiffies + msecs_to_jiffies(NDK_REMOVE_MS);
	/* nobody changes this list meanwhile: making and ending QPs takes hw */
	list_for_each_entry(box, &dev->part[NDK_PART_QP], part)
		ndk_qp_to_error((struct ndk_kqp *)ndk_box_obj(box));
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
		if (i == NDK_PART_QP)
			flush_all(dev);
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
	ndk_events_announce(&dev->site.host, NdkAdapterRemoved);
	WRITE_ONCE(dev->going, true);
	wake_up_all(&dev->closed);
	ndk_debugfs_del(dev);
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
	if (!data)
		return;
	ndk_names_change(data);
	ndk_debugfs_change(data);
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
	wake_up_all(&dev->closed);
	if (!READ_ONCE(dev->site.host.live[NdkObjectTypeAdapter]))
		ndk_watch_end(dev); /* so that the module can go at once */
	ndk_device_put(dev);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_GPL(NdkCloseAdapter);
