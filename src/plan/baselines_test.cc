// SPDX-License-Identifier: Apache-2.0
#include "plan/baselines.h"

#include "gtest/gtest.h"

namespace gnomon {
namespace {

SimulationOptions Options(double warmup_s) {
  SimulationOptions options;
  options.rules = {.lead_min_s = 30, .lead_max_s = 30};  // windows of two minutes
  options.warmup_s = warmup_s;
  return options;
}

// Tells of `counts` creations, one entry a minute, with a review at each minute's start and one at the end.
void Tell(Policy* policy, const std::vector<int64_t>& counts) {
  double time_s = 0;
  for (int64_t count : counts) {
    policy->Review(time_s);
    if (count > 0) policy->Created({.time_s = time_s + 30, .count = count});
    time_s += 60;
  }
  policy->Review(time_s);
}

TEST(ProportionalPool, IsAFactorOfTheMeanDemandOfFiveMinutes) {
  ProportionalPool pool(1, Options(600), {1, 2, 0.01});
  Tell(&pool, {4, 4, 4, 4, 4, 0, 0, 0, 0, 0});  // 10 in five minutes
  EXPECT_EQ(pool.LevelOf(0, 0), Level::Exactly(10));
  EXPECT_EQ(pool.LevelOf(0, 1), Level::Exactly(20));
  EXPECT_EQ(pool.LevelOf(0, 2), Level::Exactly(1));
}

TEST(QuantilePool, IsAnOrderStatisticOfCompleteWindowsOfTheWarmup) {
  QuantilePool pool(1, Options(360), {0.5, 0.9});
  Tell(&pool, {1, 2, 3, 4, 5, 6, 100, 100});  // windows 3 5 7 9 11
  EXPECT_EQ(pool.LevelOf(0, 0), Level::Exactly(7));
  EXPECT_EQ(pool.LevelOf(0, 1), Level::Exactly(11));
}

TEST(RollingPool, ForgetsWhatIsOlderThanItsSpan) {
  RollingPool pool(1, Options(0), 600, {0.99});
  Tell(&pool, {50, 50, 1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(pool.LevelOf(0, 0), Level::Exactly(100));
  std::vector<int64_t> more(25, 1);
  RollingPool later(1, Options(0), 600, {0.99});
  more[0] = 50;
  Tell(&later, more);
  EXPECT_EQ(later.LevelOf(0, 0), Level::Exactly(2));
}

TEST(AzurePool, RequestsWholeBatchesAroundWhatLives) {
  AzurePool pool(1, {{16, 0.5}});
  pool.Review(0);
  EXPECT_EQ(pool.LevelOf(0, 0), Level::Exactly(16));  // ceil(0.5) batches
  pool.Created({.time_s = 1, .count = 8, .lifetime_s = 100});
  EXPECT_EQ(pool.LevelOf(0, 0), Level::Exactly(8));  // 16 * ceil(0.5 + 0.5) - 8
  pool.Created({.time_s = 2, .count = 1, .lifetime_s = 1000});
  EXPECT_EQ(pool.LevelOf(0, 0), Level::Exactly(23));  // 16 * ceil(0.5 + 9/16) - 9
  pool.Review(120);
  EXPECT_EQ(pool.LevelOf(0, 0), Level::Exactly(15));
}

TEST(OraclePool, SeesItsWindowAndNoFurther) {
  SimulatedTrace trace{.types = {"web"}, .demand = {}, .end_s = 300};
  trace.demand = {{.time_s = 59}, {.time_s = 60, .count = 2}, {.time_s = 149, .count = 4}, {.time_s = 150, .count = 8}};
  OraclePool pool(&trace, Options(0));
  pool.Review(0);
  EXPECT_EQ(pool.LevelOf(0, 0).fill, 3);
  pool.Review(60);
  EXPECT_EQ(pool.LevelOf(0, 0).fill, 6);
  pool.Review(120);
  EXPECT_EQ(pool.LevelOf(0, 0).fill, 12);
}

}  // namespace
}  // namespace gnomon
