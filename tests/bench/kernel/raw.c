// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * The raw way: the device, its memory and the listener. Called by the bench's thread.
 */
#define pr_fmt(fmt) "ndk_bench: raw: " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "raw.h"

#define BACKLOG 1024

static void ignore_completion(struct ib_cq *cq, void *context)
{
	/* never armed */
}

static void tell_event(struct ib_event *event, void *context)
{
	pr_err("a queue reports %s\n", ib_event_msg(event->event));
}

/* ---- memory ---- */
static int map_memory(struct raw_bench *b)
{
	void *const *memory = b->host.setup->memory;
	u32 i;

	for (i = 0; i < BENCH_ENDS; i++) {
		b->dma[i] = ib_dma_map_single(b->ib, memory[i], BENCH_BULK, DMA_BIDIRECTIONAL);
		if (ib_dma_mapping_error(b->ib, b->dma[i])) {
			b->dma[i] = 0;
			return -ENOMEM;
		}
	}
	sg_init_table(b->pages, BENCH_PAGES);
	for (i = 0; i < BENCH_PAGES; i++)
		sg_set_buf(&b->pages[i], memory[BENCH_ACTIVE] + i * PAGE_SIZE, PAGE_SIZE);
	return ib_dma_map_sg(b->ib, b->pages, BENCH_PAGES, DMA_BIDIRECTIONAL) == BENCH_PAGES ?
		       0 :
		       -ENXIO;
}

static void unmap_memory(struct raw_bench *b)
{
	int i;

	if (sg_dma_len(&b->pages[0]))
		ib_dma_unmap_sg(b->ib, b->pages, BENCH_PAGES, DMA_BIDIRECTIONAL);
	for (i = 0; i < BENCH_ENDS; i++)
		if (b->dma[i])
			ib_dma_unmap_single(b->ib, b->dma[i], BENCH_BULK, DMA_BIDIRECTIONAL);
}

/* ---- device ---- */
static int make_queues(struct raw_bench *b)
{
	struct ib_cq_init_attr attr = { .cqe = BENCH_CQ_DEPTH };
	struct ib_pd *pd = ib_alloc_pd(b->ib, 0);
	struct ib_cq *cq;
	int i;

	if (IS_ERR(pd))
		return PTR_ERR(pd);
	b->pd = pd;
	for (i = 0; i < BENCH_ENDS; i++) {
		cq = ib_create_cq(b->ib, ignore_completion, tell_event, b, &attr);
		if (IS_ERR(cq))
			return PTR_ERR(cq);
		b->cq[i] = cq;
	}
	b->wq = alloc_workqueue("ndk_bench", WQ_UNBOUND, WQ_MAX_ACTIVE);
	return b->wq ? 0 : -ENOMEM;
}

/* Binding leads to the device that has the address. */
static int find_device(struct raw_bench *b)
{
	struct rdma_cm_id *id =
		rdma_create_id(&init_net, raw_conn_requested, b, RDMA_PS_TCP, IB_QPT_RC);
	int err;

	if (IS_ERR(id))
		return PTR_ERR(id);
	b->listener = id;
	err = rdma_bind_addr(id, (struct sockaddr *)&b->host.setup->local);
	if (err)
		return err;
	if (!id->device || strcmp(dev_name(&id->device->dev), b->host.setup->device)) {
		pr_err("the address is not one of %s\n", b->host.setup->device);
		return -ENODEV;
	}
	b->ib = id->device;
	return 0;
}

static void raw_close(struct bench_host *h)
{
	struct raw_bench *b = raw_bench_of(h);
	int i;

	if (b->wq)
		destroy_workqueue(b->wq);
	for (i = 0; i < BENCH_ENDS; i++)
		if (b->cq[i])
			ib_destroy_cq(b->cq[i]);
	unmap_memory(b);
	if (b->pd)
		ib_dealloc_pd(b->pd);
	if (b->listener)
		rdma_destroy_id(b->listener); /* last: it is what keeps the device */
	kfree(b);
}

static struct bench_host *raw_open_as(const struct bench_setup *setup, const struct bench_way *way)
{
	struct raw_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	int err;

	if (!b)
		return ERR_PTR(-ENOMEM);
	b->host.way = way;
	b->host.setup = setup;
	err = find_device(b);
	if (!err)
		err = make_queues(b);
	if (!err)
		err = map_memory(b);
	if (!err)
		err = rdma_listen(b->listener, BACKLOG);
	if (!err)
		return &b->host;
	raw_close(&b->host);
	return ERR_PTR(err);
}

static struct bench_host *raw_open(const struct bench_setup *setup)
{
	return raw_open_as(setup, &bench_raw);
}

static struct bench_host *bare_open(const struct bench_setup *setup)
{
	return raw_open_as(setup, &bench_bare);
}

const struct bench_way bench_raw = {
	.name = "raw",
	.open = raw_open,
	.close = raw_close,
	.make = raw_conn_make,
	.unmake = raw_conn_unmake,
	.connect = raw_conn_connect,
	.disconnect = raw_conn_disconnect,
	.expose = raw_conn_expose,
	.hide = raw_conn_hide,
	.send = raw_post_send,
	.receive = raw_post_receive,
	.write = raw_post_write,
	.read = raw_post_read,
	.reg = raw_post_reg,
	.invalidate = raw_post_invalidate,
	.poll = raw_poll,
};

const struct bench_way bench_bare = {
	.name = "raw",
	.open = bare_open,
	.close = raw_close,
	.make = raw_conn_make,
	.unmake = raw_conn_unmake,
	.connect = raw_conn_connect,
	.disconnect = raw_conn_disconnect,
	.expose = raw_conn_expose,
	.hide = raw_conn_hide,
	.send = raw_bare_send,
	.receive = raw_bare_receive,
	.write = raw_bare_write,
	.read = raw_bare_read,
	.reg = raw_bare_reg,
	.invalidate = raw_bare_invalidate,
	.poll = raw_poll,
};
