// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * A plugin of QEMU's emulator: how often each block of the guest's kernel ran while ndk_bench.ko measured,
 * for each workload and way. The module says when by instructions that do nothing, see ../kernel/mark.h.
 * The addresses get their names from the guest's symbols, by profile.py.
 *
 *   qemu-system-x86_64 -plugin profile.so,out=FILE ...
 *
 * A line for each block: workload, way (0 NDKPI, 1 raw), address, instructions executed in it. Blocks are
 * executed by one thread, that of the only processor.
 *
 * Distributions ship no header of this interface (version 1, QEMU 4.2 and later); declared here is what is used.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kernel/mark.h"

#define VISIBLE __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

VISIBLE extern int qemu_plugin_version;
VISIBLE int qemu_plugin_version = 1;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*fn)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*fn)(unsigned int, void *), int flags,
					  void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*fn)(qemu_plugin_id_t, void *), void *data);
VISIBLE int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

#define BUCKETS 65536u
#define WORKS	16u

struct block {
	struct block *next;
	uint64_t address;
	uint64_t instructions;
	unsigned int mark; /* enum bench_mark, 0: none */
	uint64_t ran[WORKS][2];
};

static struct block *blocks[BUCKETS];
static const char *out;
static unsigned int work;
static int way = -1; /* nothing is being measured */

static void follow(unsigned int mark)
{
	way = mark == BENCH_MARK_NDK ? 0 : mark == BENCH_MARK_RAW ? 1 : -1;
	if (mark == BENCH_MARK_NEXT && work + 1 < WORKS)
		work++;
}

static void ran(unsigned int processor, void *data)
{
	struct block *b = (struct block *)data;

	(void)processor;
	if (b->mark)
		follow(b->mark);
	if (way >= 0)
		b->ran[work][way]++;
}

static unsigned int mark_of(const struct qemu_plugin_insn *insn)
{
	const unsigned char *byte = (const unsigned char *)qemu_plugin_insn_data(insn);
	uint32_t value;

	if (qemu_plugin_insn_size(insn) != BENCH_MARK_SIZE || memcmp(byte, BENCH_MARK_OPCODE, BENCH_MARK_SIZE - 4) != 0)
		return 0;
	memcpy(&value, byte + BENCH_MARK_SIZE - 4, sizeof(value));
	return (value & ~0xffu) == BENCH_MARK_MAGIC ? value & 0xff : 0;
}

static struct block *block_at(uint64_t address, uint64_t instructions)
{
	struct block **bucket = &blocks[(address ^ address >> 16) % BUCKETS];
	struct block *b;

	for (b = *bucket; b; b = b->next)
		if (b->address == address && b->instructions == instructions)
			return b;
	b = (struct block *)calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->address = address;
	b->instructions = instructions;
	b->next = *bucket;
	*bucket = b;
	return b;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	struct block *b;
	unsigned int mark;

	(void)id;
	if (!(address >> 63))
		return; /* a program */
	b = block_at(address, n);
	b->mark = 0;
	for (i = 0; i < n; i++) {
		mark = mark_of(qemu_plugin_tb_get_insn(tb, i));
		if (mark)
			b->mark = mark;
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, ran, 0, b);
}

static void write_blocks(FILE *f)
{
	struct block *b;
	unsigned int i, w, v;

	for (i = 0; i < BUCKETS; i++)
		for (b = blocks[i]; b; b = b->next)
			for (w = 0; w < WORKS; w++)
				for (v = 0; v < 2; v++)
					if (b->ran[w][v])
						fprintf(f, "%u %u %" PRIx64 " %" PRIu64 "\n", w, v, b->address,
							b->ran[w][v] * b->instructions);
}

static void finished(qemu_plugin_id_t id, void *data)
{
	FILE *f = fopen(out, "w");

	(void)id;
	(void)data;
	if (!f) {
		perror(out);
		return;
	}
	write_blocks(f);
	if (fclose(f) != 0)
		perror(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) {
		fprintf(stderr, "profile.so: wants out=FILE\n");
		return -1;
	}
	out = strdup(argv[0] + 4);
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, NULL);
	return 0;
}
