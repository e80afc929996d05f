// SPDX-License-Identifier: Apache-2.0
#include "ipam/free_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <random>
#include <vector>

namespace gnomon {
namespace {

// Takes all that is free, in the order in which it is proposed.
std::vector<uint32_t> Drain(FreeIndex& index, Strategy strategy = Strategy::kLongestIdle) {
  std::vector<uint32_t> order;
  while (std::optional<uint32_t> offset = index.Propose(strategy, 0)) {
    index.Take(*offset);
    order.push_back(*offset);
  }
  return order;
}

TEST(FreeIndexTest, FreshOffsetsAreGivenInAscendingOrder) {
  FreeIndex index(5);
  EXPECT_THAT(Drain(index), testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(index.free_count(), 0u);
}

TEST(FreeIndexTest, FreedOffsetsAreGivenOldestFirst) {
  FreeIndex index(4);
  Drain(index);
  for (uint32_t offset : {2, 0, 3, 1}) index.Free(offset);
  EXPECT_THAT(Drain(index), testing::ElementsAre(2, 0, 3, 1));
}

TEST(FreeIndexTest, AnOffsetTakenFromTheMiddleLosesItsPlace) {
  FreeIndex index(4);
  Drain(index);
  for (uint32_t offset : {2, 0, 3, 1}) index.Free(offset);
  index.Take(0);
  index.Free(0);
  EXPECT_THAT(Drain(index), testing::ElementsAre(2, 3, 1, 0));
}

TEST(FreeIndexTest, AReturnedOffsetIsNextAgain) {
  FreeIndex index(4);
  Drain(index);
  for (uint32_t offset : {2, 0, 3}) index.Free(offset);
  index.Take(2);
  index.Return(2, false);
  EXPECT_THAT(Drain(index), testing::ElementsAre(2, 0, 3));
}

TEST(FreeIndexTest, AReturnedFreshOffsetIsFreshAgain) {
  FreeIndex index(3);
  Drain(index);
  index.Free(0);
  index.Return(2, true);
  EXPECT_TRUE(index.IsFresh(2));
  EXPECT_FALSE(index.IsFresh(0));
  EXPECT_THAT(Drain(index), testing::ElementsAre(2, 0));
}

TEST(FreeIndexTest, AnOffsetReturnedFromTheMiddleKeepsItsPlace) {
  FreeIndex index(4);
  Drain(index);
  for (uint32_t offset : {2, 0, 3}) index.Free(offset);
  index.Take(0);
  index.Return(0, false);
  EXPECT_THAT(Drain(index), testing::ElementsAre(2, 0, 3));
}

TEST(FreeIndexTest, LowestFirstIgnoresTheOrderOfFreeing) {
  FreeIndex index(5);
  Drain(index);
  for (uint32_t offset : {4, 1, 3}) index.Free(offset);
  EXPECT_THAT(Drain(index, Strategy::kLowestFirst), testing::ElementsAre(1, 3, 4));
}

TEST(FreeIndexTest, AnIndexThatBecomesOrderedCountsTheFreeOnesAsFreedNow) {
  FreeIndex index(6);
  index.SetOrdered(false);
  Drain(index, Strategy::kLowestFirst);
  for (uint32_t offset : {4, 1, 3, 0}) index.Free(offset);
  index.Take(3);
  index.Return(3, false);
  index.TakeRun(0, 1);
  index.FreeRun(0, 1);
  index.SetOrdered(true);
  index.Free(2);
  EXPECT_THAT(Drain(index), testing::ElementsAre(0, 1, 3, 4, 2));
}

TEST(FreeIndexTest, RandomIsTheFirstFreeAtOrAfterTheRandomPlace) {
  FreeIndex index(100);
  index.Exclude(40, 60);
  EXPECT_EQ(index.Propose(Strategy::kRandom, 7), 7u);
  EXPECT_EQ(index.Propose(Strategy::kRandom, 139), 39u);
  EXPECT_EQ(index.Propose(Strategy::kRandom, 50), 0u);
}

TEST(FreeIndexTest, ExcludedOffsetsAreNeverProposedUntilIncluded) {
  FreeIndex index(6);
  index.Take(0);
  index.Free(0);
  index.Exclude(0, 2);
  index.Exclude(5, 1);
  EXPECT_THAT(Drain(index), testing::ElementsAre(2, 3, 4));
  index.Include(0, 2);
  EXPECT_TRUE(index.IsFresh(0));
  EXPECT_THAT(Drain(index), testing::ElementsAre(0, 1));
}

TEST(FreeIndexTest, GrowingAddsFreshOffsets) {
  FreeIndex index(0);
  EXPECT_EQ(index.Propose(Strategy::kRandom, 3), std::nullopt);
  std::vector<uint32_t> want;
  for (uint32_t size : {1u, 64u, 65u, 256u, 4096u, 4097u, 70000u, 300000u}) {
    index.Grow(size);
    EXPECT_EQ(index.free_count(), size);
    EXPECT_EQ(index.Propose(Strategy::kRandom, size - 1), size - 1);
  }
  std::vector<uint32_t> order = Drain(index);
  EXPECT_EQ(order.size(), 300000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(FreeIndexTest, RunsAreAlignedAndLowestFirst) {
  struct Case {
    const char* name;
    std::vector<uint32_t> taken;
    uint32_t length_log2;
    std::optional<uint32_t> want;
  };
  const Case kCases[] = {
      {"an empty index", {}, 3, 0},
      {"one offset", {0, 1}, 0, 2},
      {"a pair that is not aligned does not count", {0, 3}, 1, 4},
      {"past a word", {0, 16, 32, 48}, 4, 64},
      {"whole words", {5, 127}, 6, 128},
      {"many words", {0}, 9, 512},
      {"all of it", {}, 10, 0},
      {"all of it, but one is taken", {1023}, 10, std::nullopt},
      {"longer than the index", {}, 11, std::nullopt},
      {"far longer than the index", {}, 40, std::nullopt},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.name);
    FreeIndex index(1024);
    for (uint32_t offset : test.taken) index.Take(offset);
    EXPECT_EQ(index.FindFreeRun(test.length_log2), test.want);
  }
}

TEST(FreeIndexTest, AFreedRunComesLastInAscendingOrder) {
  FreeIndex index(8);
  index.TakeRun(4, 2);
  EXPECT_EQ(index.free_count(), 4u);
  EXPECT_THAT(Drain(index), testing::ElementsAre(0, 1, 2, 3));
  index.Free(1);
  index.FreeRun(4, 2);
  index.Free(0);
  EXPECT_THAT(Drain(index), testing::ElementsAre(1, 4, 5, 6, 7, 0));
}

TEST(FreeIndexTest, MemoryIsSmallWhileNothingWasUsed) {
  FreeIndex index(FreeIndex::kMaxSize);
  EXPECT_LT(static_cast<double>(index.MemoryBytes()), 0.4 * FreeIndex::kMaxSize);
}

TEST(FreeIndexTest, StaleEntriesAreRemoved) {
  FreeIndex index(1000);
  Drain(index);
  for (uint32_t offset = 0; offset < 1000; ++offset) index.Free(offset);
  for (int round = 0; round < 1000000; ++round) {
    index.Take(500);
    index.Free(500);
  }
  EXPECT_LT(index.MemoryBytes(), 64000u);
}

// What a FreeIndex should be, in the plainest form.
struct Model {
  enum State { kFresh, kUsed, kTaken, kExcluded };
  std::vector<State> state;
  std::list<uint32_t> queue;
  std::vector<bool> from_front;  // of taken ones: by Propose, so that Return puts them in front

  std::optional<uint32_t> Next() const {
    auto fresh = std::find(state.begin(), state.end(), kFresh);
    if (fresh != state.end()) return static_cast<uint32_t>(fresh - state.begin());
    if (queue.empty()) return std::nullopt;
    return queue.front();
  }
  void Leave(uint32_t offset, State next) {
    from_front[offset] = state[offset] == kFresh || queue.front() == offset;
    queue.remove(offset);
    state[offset] = next;
  }
};

class FreeIndexModelTest : public testing::TestWithParam<uint32_t> {};

TEST_P(FreeIndexModelTest, BehavesAsTheModel) {
  std::mt19937 random(GetParam());
  const uint32_t size = 64 + random() % 1000;
  FreeIndex index(size);
  Model model{std::vector<Model::State>(size, Model::kFresh), {}, std::vector<bool>(size)};
  for (int step = 0; step < 20000; ++step) {
    uint32_t offset = random() % size;
    switch (random() % 8) {
      case 0:
      case 1:  // take as proposed
        ASSERT_EQ(index.Propose(Strategy::kLongestIdle, random()), model.Next());
        if (std::optional<uint32_t> next = model.Next()) {
          index.Take(*next);
          model.Leave(*next, Model::kTaken);
        }
        break;
      case 2:  // take by name
        ASSERT_EQ(index.IsFree(offset), model.state[offset] <= Model::kUsed);
        if (!index.IsFree(offset)) break;
        index.Take(offset);
        model.Leave(offset, Model::kTaken);
        break;
      case 3:
      case 4:
        if (model.state[offset] != Model::kTaken) break;
        index.Free(offset);
        model.state[offset] = Model::kUsed;
        model.queue.push_back(offset);
        break;
      case 5: {
        if (model.state[offset] != Model::kTaken || !model.from_front[offset]) break;
        bool never_used = random() % 2 == 0;
        index.Return(offset, never_used);
        model.state[offset] = never_used ? Model::kFresh : Model::kUsed;
        if (!never_used) model.queue.push_front(offset);
        break;
      }
      case 6: {  // runs
        uint32_t log2 = random() % 4;
        std::optional<uint32_t> first = index.FindFreeRun(log2);
        if (!first) break;
        ASSERT_EQ(*first % (1u << log2), 0u);
        index.TakeRun(*first, log2);
        for (uint32_t i = 0; i < 1u << log2; ++i) {
          ASSERT_LE(model.state[*first + i], Model::kUsed);
          model.Leave(*first + i, Model::kTaken);
        }
        break;
      }
      case 7: {  // exclude what is free, include it later
        if (random() % 4 != 0) break;
        if (model.state[offset] == Model::kExcluded) {
          index.Include(offset, 1);
          model.state[offset] = Model::kFresh;
        } else if (model.state[offset] != Model::kTaken) {
          index.Exclude(offset, 1);
          model.Leave(offset, Model::kExcluded);
        }
        break;
      }
    }
    ASSERT_EQ(index.IsFresh(offset), model.state[offset] == Model::kFresh);
    if (step % 100 == 0) {
      ASSERT_EQ(index.free_count(), std::count_if(model.state.begin(), model.state.end(),
                                                  [](Model::State s) { return s <= Model::kUsed; }));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FreeIndexModelTest, testing::Range(1u, 21u));

}  // namespace
}  // namespace gnomon
