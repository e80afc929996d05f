// SPDX-License-Identifier: Apache-2.0
#include "ipam/interval_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <utility>
#include <vector>

namespace gnomon {
namespace {

std::vector<std::pair<uint64_t, uint64_t>> Ranges(const IntervalSet& set) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  set.ForEach([&](IntervalSet::Interval interval) {
    ranges.emplace_back(absl::Uint128Low64(interval.first), absl::Uint128Low64(interval.last));
    return true;
  });
  return ranges;
}

using Want = std::vector<std::pair<uint64_t, uint64_t>>;

TEST(IntervalSetTest, OverlappingAndAdjacentRangesMerge) {
  IntervalSet set;
  set.Add({10, 19});
  set.Add({30, 39});
  set.Add({20, 24});
  EXPECT_EQ(Ranges(set), (Want{{10, 24}, {30, 39}}));
  set.Add({0, 100});
  EXPECT_EQ(Ranges(set), (Want{{0, 100}}));
}

TEST(IntervalSetTest, RemovingSplitsARange) {
  IntervalSet set;
  set.Add({0, 100});
  set.Remove({40, 50});
  set.Remove({90, 200});
  EXPECT_EQ(Ranges(set), (Want{{0, 39}, {51, 89}}));
  EXPECT_EQ(set.FindNext(40), absl::uint128(51));
  EXPECT_EQ(set.FindNext(90), std::nullopt);
}

TEST(IntervalSetTest, AlignedFitIsTheLowest) {
  IntervalSet set;
  set.Add({1, 7});
  set.Add({10, 40});
  EXPECT_EQ(set.FindAligned(2), absl::uint128(4));
  EXPECT_EQ(set.FindAligned(3), absl::uint128(16));
  EXPECT_EQ(set.FindAligned(5), std::nullopt);
}

TEST(IntervalSetTest, BehavesAsASetOfNumbers) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    IntervalSet set;
    std::set<uint64_t> model;
    for (int step = 0; step < 300; ++step) {
      uint64_t first = random() % 200, last = first + random() % 20;
      bool add = random() % 2 == 0;
      add ? set.Add({first, last}) : set.Remove({first, last});
      for (uint64_t i = first; i <= last; ++i) add ? (void)model.insert(i) : (void)model.erase(i);
      ASSERT_EQ(set.size(), absl::uint128(model.size()));
      uint64_t probe = random() % 230;
      ASSERT_EQ(set.Contains(probe), model.contains(probe));
      auto next = model.lower_bound(probe);
      ASSERT_EQ(set.FindNext(probe).value_or(999), absl::uint128(next == model.end() ? 999 : *next));
    }
  }
}

}  // namespace
}  // namespace gnomon
