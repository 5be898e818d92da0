/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Opening adapters: versions, what they say of themselves, the limits they promise, several at once.
 * Runs where a case runs.
 */
#include "../kit.h"

#ifdef __KERNEL__
#include <linux/fs.h>
#include <linux/kernel.h>
#include <rdma/ib_verbs.h>
#endif

/* How often the provider's module is held; where it is no module, always 0. */
static long adapter_module_held(void)
{
#ifdef __KERNEL__
	struct file *f = filp_open("/sys/module/ndk/refcnt", O_RDONLY, 0);
	char text[24] = "";
	loff_t at = 0;
	long held = -1;

	if (IS_ERR(f))
		return -1;
	if (kernel_read(f, text, sizeof(text) - 1, &at) <= 0 || kstrtol(strim(text), 10, &held))
		held = -1;
	filp_close(f, NULL);
	return held;
#else
	return 0;
#endif
}

static BOOLEAN adapter_version(const NDK_OBJECT_HEADER *h, NDK_OBJECT_TYPE type, USHORT major, USHORT minor)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		CHECK(!h->NdkReserved.rf[i]);
	return CHECK_EQ(h->ObjectType, type) & CHECK_EQ(h->Version.Major, major) & CHECK_EQ(h->Version.Minor, minor);
}

NDK_CASE(adapter_highest, "VER-5 OBJ-1 OBJ-2 OBJ-3 OBJ-4 ADP-3 ADP-9", NDK_ON_ALL,
	 "T-AD-01 at the highest version, header and information agree and nothing reserved is used")
{
	NDK_ADAPTER *a = kit_open(0);
	NDK_ADAPTER_INFO info;
	ULONG size = sizeof(info);

	REQUIRE(a);
	memset(&info, 0xee, sizeof(info));
	REQUIRE_STATUS(a->Dispatch->NdkQueryAdapterInfo(a, &info, &size), STATUS_SUCCESS);
	CHECK_EQ(size, sizeof(info));
	CHECK_EQ(info.Version.Major, 2);
	CHECK_EQ(info.Version.Minor, 1);
	adapter_version(&a->Header, NdkObjectTypeAdapter, 2, 1);
}

/* One object of each type; what a place does not offer is left out. */
static void adapter_children(NDK_ADAPTER *a, USHORT major, USHORT minor)
{
	struct kit_address at = kit_address(0, NDK_V4, kit_fresh_port());
	NDK_PD *pd = kit_create_pd(a);
	struct kit_cq *cq = kit_create_cq(a, 8);
	NDK_SHARED_ENDPOINT *e = kit_create_shared(a, &at);
	struct kit_listener *l = kit_create_listener(a);
	struct kit_conn *c = kit_create_connector(a);
	struct kit_call *srq;
	NDK_QP *qp;
	NDK_MR *mr, *fast;
	NDK_MW *mw;

	REQUIRE(pd && cq && e && l && c);
	qp = kit_create_qp(pd, cq, cq, (const struct kit_shape *)0);
	mr = kit_create_mr(pd, FALSE);
	fast = kit_create_mr(pd, TRUE);
	mw = kit_create_mw(pd);
	REQUIRE(qp && mr && fast && mw);
	adapter_version(&pd->Header, NdkObjectTypePd, major, minor);
	adapter_version(&cq->cq->Header, NdkObjectTypeCq, major, minor);
	adapter_version(&e->Header, NdkObjectTypeSharedEndpoint, major, minor);
	adapter_version(&l->listener->Header, NdkObjectTypeListener, major, minor);
	adapter_version(&c->connector->Header, NdkObjectTypeConnector, major, minor);
	adapter_version(&qp->Header, NdkObjectTypeQp, major, minor);
	adapter_version(&mr->Header, NdkObjectTypeMr, major, minor);
	adapter_version(&fast->Header, NdkObjectTypeMr, major, minor);
	adapter_version(&mw->Header, NdkObjectTypeMw, major, minor);
	if (!kit_info(a)->MaxSrqDepth)
		return;
	srq = kit_begin_srq(pd, 4, 1, 0, (kit_inside)0, (PVOID)0);
	REQUIRE_STATUS(kit_wait(srq), STATUS_SUCCESS);
	adapter_version(srq->object, NdkObjectTypeSrq, major, minor);
}

NDK_CASE(adapter_lower_minor, "VER-1 VER-4 VER-5 VER-6 OBJ-2 OBJ-3 OBJ-4 OBJ-5 GEN-1 U-44", NDK_ON_ALL,
	 "T-AD-02 asking for a lower minor opens at the provider's highest, in every header")
{
	static const USHORT asked[][3] = { { 2, 0, 1 }, { 2, 1, 1 }, { 1, 0, 2 }, { 1, 1, 2 }, { 1, 2, 2 } };
	unsigned i;

	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		NDK_VERSION v;
		NDK_ADAPTER *a = (NDK_ADAPTER *)0;

		v.Major = asked[i][0];
		v.Minor = asked[i][1];
		REQUIRE_STATUS(kit_open_version(0, v, &a), NDIS_STATUS_SUCCESS);
		adapter_version(&a->Header, NdkObjectTypeAdapter, v.Major, asked[i][2]);
		CHECK_EQ(kit_info(a)->Version.Minor, asked[i][2]);
		adapter_children(a, v.Major, asked[i][2]);
		kit_close_all(KIT_CHILDREN_FIRST);
	}
}

NDK_CASE(adapter_bad_version, "VER-2 VER-3 ADP-3", NDK_ON_ALL,
	 "T-AD-03 a minor above the highest and a major nobody knows are refused without a trace")
{
	static const USHORT asked[][2] = { { 2, 2 }, { 2, 0xffff }, { 1, 3 }, { 3, 0 }, { 0, 0 }, { 0xffff, 0 } };
	struct ndk_live before, after;
	long held = adapter_module_held();
	unsigned i;

	CHECK(held >= 0);
	REQUIRE(!ndk_control_live(conf_adapter_name(0), &before));
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		NDK_VERSION v;
		NDK_ADAPTER *a = (NDK_ADAPTER *)KIT_POISON;

		v.Major = asked[i][0];
		v.Minor = asked[i][1];
		CHECK_STATUS(NdkOpenAdapter(conf_adapter_name(0), v, &a), NDIS_STATUS_BAD_VERSION);
		CHECK((PVOID)a == KIT_POISON);
	}
	REQUIRE(!ndk_control_live(conf_adapter_name(0), &after));
	CHECK_EQ(after.objects[NdkObjectTypeAdapter], before.objects[NdkObjectTypeAdapter]);
	CHECK_EQ(adapter_module_held(), held);
}

NDK_CASE(adapter_query_sizes, "ADP-9 ADP-10 U-42", NDK_ON_ALL,
	 "T-AD-04 a buffer too short is told the size needed and stays as it was beyond its length")
{
	ULONG need = sizeof(NDK_ADAPTER_INFO), size = need - 1, i;
	UCHAR buffer[sizeof(NDK_ADAPTER_INFO) + 16];
	NDK_ADAPTER_INFO *info = (NDK_ADAPTER_INFO *)(PVOID)kit_alloc(sizeof(buffer));
	NDK_ADAPTER *a = kit_open(0);

	REQUIRE(a && info);
	memset(info, 0xa5, sizeof(buffer));
	CHECK_STATUS(a->Dispatch->NdkQueryAdapterInfo(a, info, &size), STATUS_BUFFER_TOO_SMALL);
	CHECK_EQ(size, need);
	memcpy(buffer, info, sizeof(buffer));
	for (i = need - 1; i < sizeof(buffer); i++)
		CHECK_EQ(buffer[i], 0xa5);
	size = 0;
	CHECK_STATUS(a->Dispatch->NdkQueryAdapterInfo(a, (NDK_ADAPTER_INFO *)0, &size), STATUS_BUFFER_TOO_SMALL);
	CHECK_EQ(size, need);
	CHECK_STATUS(a->Dispatch->NdkQueryAdapterInfo(a, (NDK_ADAPTER_INFO *)0, &size), STATUS_INVALID_PARAMETER);
	size = need + 8;
	CHECK_STATUS(a->Dispatch->NdkQueryAdapterInfo(a, info, &size), STATUS_SUCCESS);
	CHECK_EQ(size, need);
	memcpy(buffer, info, sizeof(buffer));
	for (i = need; i < sizeof(buffer); i++)
		CHECK_EQ(buffer[i], 0xa5);
}

/* ---- limits ---- */
static void adapter_reached(const char *what, NTSTATUS status)
{
	if (status == STATUS_SUCCESS)
		return;
	conf_note("%s at its maximum: %s", what, conf_status_name(status));
	CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
}

static NTSTATUS adapter_try_qp(NDK_PD *pd, struct kit_cq *cq, ULONG rd, ULONG id, ULONG rs, ULONG is, ULONG il)
{
	struct kit_shape shape = { rd, id, rs, is, il, (PVOID)0 };
	struct kit_call *c = kit_begin_qp(pd, cq, cq, &shape, (kit_inside)0, (PVOID)0);
	NTSTATUS status = kit_wait(c);

	if (status == STATUS_SUCCESS)
		CHECK(kit_closed(c->object));
	return status;
}

NDK_CASE(adapter_limits_reachable, "PD-5 PD-6 PD-7 CQ-1 SRQ-2", NDK_ON_ALL,
	 "T-AD-05 each advertised maximum, alone, can be had")
{
	NDK_ADAPTER *a = kit_open(0);
	const NDK_ADAPTER_INFO *i;
	struct kit_cq *cq, *big;
	struct kit_call *c;
	NDK_PD *pd;

	REQUIRE(a);
	i = kit_info(a);
	pd = kit_create_pd(a);
	cq = kit_create_cq(a, 4);
	REQUIRE(pd && cq);
	c = kit_begin_cq(&big, a, i->MaxCqDepth, (kit_inside)0, (PVOID)0);
	adapter_reached("MaxCqDepth", kit_wait(c));
	adapter_reached("MaxReceiveQueueDepth", adapter_try_qp(pd, cq, i->MaxReceiveQueueDepth, 1, 1, 1, 1));
	adapter_reached("MaxInitiatorQueueDepth", adapter_try_qp(pd, cq, 1, i->MaxInitiatorQueueDepth, 1, 1, 1));
	adapter_reached("MaxReceiveRequestSge", adapter_try_qp(pd, cq, 1, 1, i->MaxReceiveRequestSge, 1, 1));
	adapter_reached("MaxInitiatorRequestSge", adapter_try_qp(pd, cq, 1, 1, 1, i->MaxInitiatorRequestSge, 1));
	adapter_reached("MaxInlineDataSize", adapter_try_qp(pd, cq, 1, 1, 1, 1, i->MaxInlineDataSize));
	if (i->MaxSrqDepth) {
		c = kit_begin_srq(pd, i->MaxSrqDepth, 1, 0, (kit_inside)0, (PVOID)0);
		adapter_reached("MaxSrqDepth", kit_wait(c));
		c = kit_begin_srq(pd, 1, i->MaxReceiveRequestSge, 0, (kit_inside)0, (PVOID)0);
		adapter_reached("MaxReceiveRequestSge of an SRQ", kit_wait(c));
	}
}

NDK_CASE(adapter_private_sizes, "PRIV-1 CONN-7 ACPT-2", NDK_ON_ALL,
	 "T-AD-05 the advertised sizes of private data can be sent in both directions")
{
	struct kit_pair *p = kit_pair(NDK_V4);
	struct kit_params mine = { 1, 1, (PVOID)0, 0 }, theirs = { 1, 1, (PVOID)0, 0 };

	REQUIRE(p);
	mine.data = kit_alloc(p->a->info->MaxCallerData);
	mine.data_len = p->a->info->MaxCallerData;
	theirs.data = kit_alloc(p->b->info->MaxCalleeData);
	theirs.data_len = p->b->info->MaxCalleeData;
	CHECK(kit_establish(p, &mine, &theirs));
}

NDK_CASE(adapter_limits_true, "MR-17 RDL-1 QP-7", NDK_ON_K, "T-AD-06 no limit is more than the device's own")
{
#ifdef __KERNEL__
	struct ib_device *ib = ib_device_get_by_name(conf_adapter_name(0), RDMA_DRIVER_UNKNOWN);
	NDK_ADAPTER *a = kit_open(0);
	const NDK_ADAPTER_INFO *i;

	SKIP_UNLESS(ib, "the adapter's name is not that of an RDMA device");
	if (CHECK(a)) {
		i = kit_info(a);
		CHECK(i->MaxReceiveQueueDepth <= (ULONG)ib->attrs.max_qp_wr);
		CHECK(i->MaxInitiatorQueueDepth <= (ULONG)ib->attrs.max_qp_wr);
		CHECK(i->MaxCqDepth <= (ULONG)ib->attrs.max_cqe);
		CHECK(i->MaxInitiatorRequestSge <= (ULONG)ib->attrs.max_send_sge);
		CHECK(i->MaxReceiveRequestSge <= (ULONG)ib->attrs.max_recv_sge);
		CHECK(i->MaxReadRequestSge <= (ULONG)ib->attrs.max_sge_rd);
		CHECK(i->MaxInboundReadLimit <= (ULONG)ib->attrs.max_qp_rd_atom);
		CHECK(i->MaxOutboundReadLimit <= (ULONG)ib->attrs.max_qp_init_rd_atom);
		CHECK(i->MaxSrqDepth <= (ULONG)ib->attrs.max_srq_wr);
		CHECK(i->FRMRPageCount <= ib->attrs.max_fast_reg_page_list_len);
		CHECK(i->FRMRPageCount >= 16);
		CHECK(i->MaxRegistrationSize <= (SIZE_T)ib->attrs.max_fast_reg_page_list_len << PAGE_SHIFT);
		CHECK(i->MaxWindowSize <= i->MaxRegistrationSize);
	}
	ib_device_put(ib);
#endif
}

/* ---- several ---- */
NDK_CASE(adapter_instances, "ADP-1 OBJ-6 LIFE-8", NDK_ON_ALL,
	 "T-AD-07 instances on one device are independent, 200 rounds (K: 25)")
{
	unsigned round, rounds = conf_place() == NDK_ON_K ? 25 : 200;
	struct ndk_live before, after;

	REQUIRE(!ndk_control_live(conf_adapter_name(0), &before));
	for (round = 0; round < rounds; round++) {
		NDK_ADAPTER *a = kit_open(0), *b = kit_open(0);
		struct kit_cq *mine, *other;
		NDK_PD *pd;

		REQUIRE(a && b && a != b);
		mine = kit_create_cq(a, 4);
		other = kit_create_cq(b, 4);
		pd = kit_create_pd(b);
		REQUIRE(mine && other && pd);
		CHECK(KIT_CLOSED(mine->cq));
		kit_close_adapter(a);
		REQUIRE(kit_create_qp(pd, other, other, (const struct kit_shape *)0));
		kit_close_all(KIT_CHILDREN_FIRST);
		REQUIRE(!ndk_control_live(conf_adapter_name(0), &after));
		CHECK_EQ(memcmp(&before, &after, sizeof(before)), 0);
	}
}

static void adapter_no_extension(NDK_OBJECT_HEADER *h, NDK_FN_QUERY_EXTENSION_INTERFACE *fn)
{
	static GUID unknown = { 0x12345678, 0x1234, 0x5678, { 1, 2, 3, 4, 5, 6, 7, 8 } };
	NDK_EXTENSION_INTERFACE e;
	NDK_VERSION v = { 1, 0 };

	e.Dispatch = KIT_POISON;
	CHECK_STATUS(fn(h, &unknown, v, &e), STATUS_NOT_SUPPORTED);
	CHECK((PVOID)(ULONG_PTR)e.Dispatch == KIT_POISON);
}

NDK_CASE(adapter_extensions, "EXT-1 EXT-2 EXT-3 EXT-4 U-43", NDK_ON_ALL,
	 "T-AD-10 every type of object knows no extension and leaves the output alone")
{
	struct kit_address at = kit_address(0, NDK_V4, kit_fresh_port());
	NDK_ADAPTER *a = kit_open(0);
	NDK_SHARED_ENDPOINT *e;
	struct kit_listener *l;
	struct kit_conn *c;
	struct kit_call *srq;
	struct kit_cq *cq;
	NDK_MR *mr;
	NDK_MW *mw;
	NDK_PD *pd;
	NDK_QP *qp;

	REQUIRE(a);
	pd = kit_create_pd(a);
	cq = kit_create_cq(a, 8);
	e = kit_create_shared(a, &at);
	l = kit_create_listener(a);
	c = kit_create_connector(a);
	REQUIRE(pd && cq && e && l && c);
	qp = kit_create_qp(pd, cq, cq, (const struct kit_shape *)0);
	mr = kit_create_mr(pd, FALSE);
	mw = kit_create_mw(pd);
	REQUIRE(qp && mr && mw);
	adapter_no_extension(&a->Header, a->Dispatch->NdkQueryExtension);
	adapter_no_extension(&pd->Header, pd->Dispatch->NdkQueryExtension);
	adapter_no_extension(&cq->cq->Header, cq->cq->Dispatch->NdkQueryExtension);
	adapter_no_extension(&e->Header, e->Dispatch->NdkQueryExtension);
	adapter_no_extension(&l->listener->Header, l->listener->Dispatch->NdkQueryExtension);
	adapter_no_extension(&c->connector->Header, c->connector->Dispatch->NdkQueryExtension);
	adapter_no_extension(&qp->Header, qp->Dispatch->NdkQueryExtension);
	adapter_no_extension(&mr->Header, mr->Dispatch->NdkQueryExtension);
	adapter_no_extension(&mw->Header, mw->Dispatch->NdkQueryExtension);
	if (!kit_info(a)->MaxSrqDepth)
		return;
	srq = kit_begin_srq(pd, 4, 1, 0, (kit_inside)0, (PVOID)0);
	REQUIRE_STATUS(kit_wait(srq), STATUS_SUCCESS);
	adapter_no_extension(srq->object, ((NDK_SRQ *)(PVOID)srq->object)->Dispatch->NdkQueryExtension);
}

/* ---- mappings ---- */
#define ADAPTER_PAGES 7u

struct adapter_map {
	NDK_ADAPTER *adapter;
	MDL *mdl;
	ULONG length;
	NDK_LOGICAL_ADDRESS_MAPPING *lam;
	ULONG size, fbo;
};

static NTSTATUS adapter_build(struct adapter_map *m, ULONG size)
{
	struct kit_call *c = kit_call("NdkBuildLAM");

	m->size = size;
	kit_return(c, m->adapter->Dispatch->NdkBuildLAM(m->adapter, m->mdl, m->length, kit_request_done, c, m->lam,
							&m->size, &m->fbo));
	return kit_wait(c);
}

NDK_CASE(adapter_mapping, "LAM-1 LAM-2 LAM-3 LAM-4 LAM-6 LAM-7 LAM-9 LAM-12 U-50", NDK_ON_ALL,
	 "T-AD-11 seven pages entered at an odd offset: too small, each page failing in turn, then mapped page by page")
{
	ULONG need = __builtin_offsetof(NDK_LOGICAL_ADDRESS_MAPPING, AdapterPageArray) +
		     ADAPTER_PAGES * sizeof(NDK_LOGICAL_ADDRESS);
	const char *name = conf_adapter_name(0);
	struct adapter_map m;
	UCHAR *memory;
	ULONG i;

	m.adapter = kit_open(0);
	REQUIRE(m.adapter != (NDK_ADAPTER *)0);
	memory = (UCHAR *)conf_alloc(ADAPTER_PAGES * NDK_PAGE_SIZE);
	m.lam = (NDK_LOGICAL_ADDRESS_MAPPING *)kit_alloc(need);
	m.length = ADAPTER_PAGES * NDK_PAGE_SIZE - 77 - 5;
	m.mdl = IoAllocateMdl(memory + 77, m.length, FALSE, FALSE, (PVOID)0);
	if (CHECK(m.mdl)) {
		MmBuildMdlForNonPagedPool(m.mdl);
		CHECK_STATUS(adapter_build(&m, need - 4 * sizeof(NDK_LOGICAL_ADDRESS)), STATUS_BUFFER_TOO_SMALL);
		CHECK_EQ(m.size, need);
		/* the record, then each page in turn */
		for (i = 0; i <= ADAPTER_PAGES; i++) {
			CHECK(!ndk_control_fail_alloc(name, i + 1, 0));
			CHECK_STATUS(adapter_build(&m, need), STATUS_INSUFFICIENT_RESOURCES);
			CHECK(!m.lam->AdapterContext && !m.lam->AdapterPageCount);
		}
		CHECK(!ndk_control_fail_alloc(name, 0, 0));
		if (CHECK_STATUS(adapter_build(&m, need), STATUS_SUCCESS)) {
			CHECK_EQ(m.size, need);
			CHECK_EQ(m.fbo, 77);
			CHECK_EQ(m.lam->AdapterPageCount, ADAPTER_PAGES);
			for (i = 0; i < ADAPTER_PAGES; i++)
				CHECK_EQ(m.lam->AdapterPageArray[i].QuadPart % NDK_PAGE_SIZE, 0);
			m.adapter->Dispatch->NdkReleaseLAM(m.adapter, m.lam);
		}
		IoFreeMdl(m.mdl);
	}
	conf_free(memory);
}

CONF_CASES(adapter, CASE(adapter_highest), CASE(adapter_lower_minor), CASE(adapter_bad_version),
	   CASE(adapter_query_sizes), CASE(adapter_limits_reachable), CASE(adapter_private_sizes),
	   CASE(adapter_limits_true), CASE(adapter_instances), CASE(adapter_extensions), CASE(adapter_mapping));
