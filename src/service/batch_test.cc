// SPDX-License-Identifier: Apache-2.0
#include "service/batch.h"

#include <string>

#include "gtest/gtest.h"

namespace gnomon {
namespace {

Op Meta(uint64_t group) { return Op{"meta" + std::to_string(group), "m"}; }

std::vector<Op> Ops(size_t count) { return std::vector<Op>(count, Op{"k", "v"}); }

std::vector<size_t> SizesOf(const std::vector<Transaction>& transactions) {
  std::vector<size_t> sizes;
  for (const Transaction& transaction : transactions) sizes.push_back(transaction.ops.size());
  return sizes;
}

TEST(BatchTest, CommandsShareATransactionThatEndsWithTheMetaKey) {
  Batch batch;
  batch.Add(1, Ops(2), Meta);
  batch.Add(1, Ops(3), Meta);
  const std::vector<Transaction> all = batch.Finish(Meta);
  ASSERT_EQ(SizesOf(all), (std::vector<size_t>{6}));
  EXPECT_EQ(all[0].ops.back().key, "meta1");
}

TEST(BatchTest, ACommandIsNotSplitWhileItFitsIntoOneTransaction) {
  Batch batch;
  batch.Add(1, Ops(60), Meta);
  batch.Add(1, Ops(60), Meta);
  EXPECT_EQ(SizesOf(batch.Finish(Meta)), (std::vector<size_t>{61, 61}));
}

TEST(BatchTest, ALargerCommandGoesInFullTransactions) {
  Batch batch;
  batch.Add(1, Ops(250), Meta);
  EXPECT_EQ(SizesOf(batch.Finish(Meta)), (std::vector<size_t>{101, 101, 51}));
}

std::vector<Op> LargeOps(size_t count, size_t bytes) { return std::vector<Op>(count, Op{"k", std::string(bytes, 'v')}); }

TEST(BatchTest, NoTransactionHasMoreBytesThanTheStoreTakes) {
  Batch batch;
  for (int i = 0; i < 50; ++i) batch.Add(1, LargeOps(2, 12600), Meta);
  batch.Add(2, LargeOps(90, 12600), Meta);
  const std::vector<Transaction> all = batch.Finish(Meta);
  EXPECT_TRUE(CheckLimits(all).ok()) << CheckLimits(all);
  EXPECT_EQ(SizesOf(all), (std::vector<size_t>{83, 84, 19, 8})) << "by commands if a command fits";
}

TEST(BatchTest, GroupsDoNotShareTransactionsAndNothingGivesNone) {
  Batch batch;
  batch.Add(1, Ops(1), Meta);
  batch.Add(2, Ops(1), Meta);
  batch.Add(3, {}, Meta);
  EXPECT_EQ(SizesOf(batch.Finish(Meta)), (std::vector<size_t>{2, 2}));
  EXPECT_TRUE(Batch().Finish(Meta).empty());
}

}  // namespace
}  // namespace gnomon
