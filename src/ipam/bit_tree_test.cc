// SPDX-License-Identifier: Apache-2.0
#include "ipam/bit_tree.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace gnomon {
namespace {

TEST(BitTreeTest, AnEmptyTreeHasNoMember) {
  BitTree tree;
  tree.Grow(0);
  EXPECT_EQ(tree.FindNext(0), BitTree::kNone);
  EXPECT_EQ(tree.First(), BitTree::kNone);
}

TEST(BitTreeTest, FindsTheNextMemberAtEveryDepth) {
  for (uint32_t size : {1u, 64u, 65u, 4096u, 4097u, 262144u, 262145u, 1u << 24}) {
    SCOPED_TRACE(size);
    BitTree tree;
    tree.Grow(size);
    for (uint32_t word = 0; word < (size + 63) / 64; ++word) tree.ClearBits(word, ~uint64_t{0});
    EXPECT_EQ(tree.FindNext(0), BitTree::kNone);
    std::mt19937 random(size);
    std::set<uint32_t> model;
    for (int step = 0; step < 1000; ++step) {
      uint32_t i = random() % size, from = random() % size;
      random() % 3 == 0 ? tree.Clear(i) : tree.Set(i);
      tree.Test(i) ? (void)model.insert(i) : (void)model.erase(i);
      auto next = model.lower_bound(from);
      ASSERT_EQ(tree.FindNext(from), next == model.end() ? BitTree::kNone : *next);
      ASSERT_EQ(tree.First(), model.empty() ? BitTree::kNone : *model.begin());
    }
  }
}

}  // namespace
}  // namespace gnomon
