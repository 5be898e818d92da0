/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The growing hash table: nothing is lost or found twice while chains move, a few at a time.
 */
#include "../../kmod/core/hash.h"

#include "covers.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace {

struct Entry {
	struct ndk_node node;
	UINT32 key;
};

/* A good enough scatter, so that chains have equal length. */
UINT32 scattered(UINT32 key) { return key * 0x9e3779b1u; }

unsigned found(const struct ndk_hash *h, const Entry *wanted, UINT32 hash)
{
	unsigned n = 0;

	for (struct ndk_node *i = ndk_hash_first(h, hash); i; i = ndk_hash_next(h, i))
		n += i == &wanted->node;
	return n;
}

/* What a shell does after an insertion. */
bool feed(struct ndk_hash *h)
{
	UINT32 n = ndk_hash_wants(h);
	struct ndk_node **spare = ndk_hash_spare(h);
	struct ndk_node **mem;

	free(spare);
	if (!n)
		return false;
	mem = static_cast<struct ndk_node **>(calloc(n, sizeof(*mem)));
	if (!ndk_hash_offer(h, mem, n)) {
		free(mem);
		return false;
	}
	return true;
}

void drop(struct ndk_hash *h)
{
	free(ndk_hash_end(h));
	free(ndk_hash_spare(h));
}

}

TEST(Hash, finds_what_was_added_and_not_what_was_removed)
{
	struct ndk_hash h;
	Entry a = {}, b = {};

	ndk_hash_init(&h);
	EXPECT_EQ(ndk_hash_first(&h, 1), nullptr);
	ndk_hash_add(&h, &a.node, 1);
	ndk_hash_add(&h, &b.node, 1 + NDK_HASH_FIRST); /* the same bucket */
	EXPECT_EQ(found(&h, &a, 1), 1u);
	EXPECT_EQ(found(&h, &b, 1), 0u);
	EXPECT_EQ(h.count, 2u);
	ndk_hash_del(&h, &a.node);
	EXPECT_EQ(found(&h, &a, 1), 0u);
	EXPECT_EQ(found(&h, &b, 1 + NDK_HASH_FIRST), 1u);
	ndk_hash_del(&h, &b.node);
	EXPECT_EQ(h.count, 0u);
	EXPECT_EQ(a.node.linked, 0u);
	EXPECT_EQ(ndk_hash_end(&h), nullptr);
}

TEST(Hash, equal_hashes_are_all_found)
{
	struct ndk_hash h;
	Entry e[5] = {};
	unsigned n = 0;

	ndk_hash_init(&h);
	for (Entry &i : e)
		ndk_hash_add(&h, &i.node, 77);
	for (struct ndk_node *i = ndk_hash_first(&h, 77); i; i = ndk_hash_next(&h, i))
		n++;
	EXPECT_EQ(n, 5u);
	for (const Entry &i : e)
		EXPECT_EQ(found(&h, &i, 77), 1u);
	ndk_hash_del(&h, &e[2].node);
	EXPECT_EQ(found(&h, &e[2], 77), 0u);
	EXPECT_EQ(found(&h, &e[4], 77), 1u);
}

TEST(Hash, grows_without_losing_anybody)
{
	constexpr UINT32 kMany = 20000;
	std::vector<Entry> e(kMany);
	struct ndk_hash h;
	unsigned grown = 0;

	ndk_hash_init(&h);
	for (UINT32 i = 0; i < kMany; i++) {
		ndk_hash_add(&h, &e[i].node, scattered(i));
		grown += feed(&h);
		/* the oldest, the newest and one in the middle of a move */
		EXPECT_EQ(found(&h, &e[0], scattered(0)), 1u);
		EXPECT_EQ(found(&h, &e[i], scattered(i)), 1u);
		EXPECT_EQ(found(&h, &e[i / 2], scattered(i / 2)), 1u);
	}
	EXPECT_GE(grown, 4u); /* 64 buckets times four, again and again */
	EXPECT_GE(h.cur_mask + 1, kMany / 4);
	for (UINT32 i = 0; i < kMany; i++)
		ASSERT_EQ(found(&h, &e[i], scattered(i)), 1u) << i;
	for (UINT32 i = 0; i < kMany; i++)
		ndk_hash_del(&h, &e[i].node);
	EXPECT_EQ(h.count, 0u);
	drop(&h);
}

TEST(Hash, moves_a_bounded_number_of_chains_per_insertion)
{
	std::vector<Entry> e(400);
	struct ndk_hash h;
	UINT32 before;
	size_t i = 0;

	ndk_hash_init(&h);
	while (!ndk_hash_wants(&h)) {
		ndk_hash_add(&h, &e[i].node, scattered((UINT32)i));
		i++;
	}
	ASSERT_TRUE(feed(&h));
	while (h.old) {
		before = h.moved;
		ndk_hash_add(&h, &e[i].node, scattered((UINT32)i));
		i++;
		if (h.old) {
			EXPECT_EQ(h.moved, before + NDK_HASH_MOVES);
		}
	}
	/* everything moved: the first array was built in, so there is none to give back */
	EXPECT_EQ(ndk_hash_spare(&h), nullptr);
	for (size_t k = 0; k < i; k++)
		EXPECT_EQ(found(&h, &e[k], scattered((UINT32)k)), 1u);
	for (size_t k = 0; k < i; k++)
		ndk_hash_del(&h, &e[k].node);
	drop(&h);
}

TEST(Hash, removal_works_on_both_sides_of_a_move)
{
	std::vector<Entry> e(80);
	struct ndk_hash h;

	ndk_hash_init(&h);
	for (UINT32 i = 0; i < 65; i++)
		ndk_hash_add(&h, &e[i].node, scattered(i));
	ASSERT_TRUE(feed(&h));
	for (UINT32 i = 65; i < 70; i++) /* some chains moved, most not */
		ndk_hash_add(&h, &e[i].node, scattered(i));
	ASSERT_NE(h.old, nullptr);
	for (UINT32 i = 0; i < 70; i++) {
		ndk_hash_del(&h, &e[i].node);
		EXPECT_EQ(found(&h, &e[i], scattered(i)), 0u);
	}
	EXPECT_EQ(h.count, 0u);
	drop(&h);
}

TEST(Hash, refuses_memory_it_did_not_ask_for)
{
	std::vector<Entry> e(70);
	struct ndk_node *few[8] = {};
	struct ndk_hash h;

	ndk_hash_init(&h);
	EXPECT_EQ(ndk_hash_wants(&h), 0u);
	EXPECT_FALSE(ndk_hash_offer(&h, few, 8));
	for (UINT32 i = 0; i < 65; i++)
		ndk_hash_add(&h, &e[i].node, scattered(i));
	EXPECT_EQ(ndk_hash_wants(&h), NDK_HASH_FIRST * 4);
	EXPECT_FALSE(ndk_hash_offer(&h, few, 8));
	EXPECT_EQ(ndk_hash_wants(&h), NDK_HASH_FIRST * 4);
}

TEST(Hash, asks_again_only_after_the_spare_array_was_taken)
{
	constexpr UINT32 kMany = 300;
	std::vector<Entry> e(2000);
	struct ndk_hash h;
	struct ndk_node **spare;
	UINT32 i = 0;

	ndk_hash_init(&h);
	for (; i < 65; i++)
		ndk_hash_add(&h, &e[i].node, scattered(i));
	ASSERT_TRUE(feed(&h));
	for (; i < kMany; i++)
		ndk_hash_add(&h, &e[i].node, scattered(i));
	ASSERT_TRUE(feed(&h)); /* 256 buckets became too few; now their array moves out */
	for (; i < 1500; i++)
		ndk_hash_add(&h, &e[i].node, scattered(i));
	EXPECT_EQ(h.old, nullptr);
	EXPECT_EQ(ndk_hash_wants(&h), 0u);
	spare = ndk_hash_spare(&h);
	EXPECT_NE(spare, nullptr);
	free(spare);
	EXPECT_NE(ndk_hash_wants(&h), 0u);
	for (UINT32 k = 0; k < i; k++)
		ndk_hash_del(&h, &e[k].node);
	drop(&h);
}

TEST(Hash, end_gives_back_both_arrays_of_an_unfinished_move)
{
	std::vector<Entry> e(400);
	struct ndk_hash h;
	struct ndk_node **one, **two;
	UINT32 i = 0;

	ndk_hash_init(&h);
	for (; i < 65; i++)
		ndk_hash_add(&h, &e[i].node, scattered(i));
	ASSERT_TRUE(feed(&h));
	for (; i < 257; i++)
		ndk_hash_add(&h, &e[i].node, scattered(i));
	ASSERT_TRUE(feed(&h));
	ASSERT_NE(h.old, nullptr);
	for (UINT32 k = 0; k < i; k++)
		ndk_hash_del(&h, &e[k].node);
	one = ndk_hash_end(&h);
	two = ndk_hash_spare(&h);
	EXPECT_NE(one, nullptr);
	EXPECT_NE(two, nullptr);
	EXPECT_NE(one, two);
	free(one);
	free(two);
}
