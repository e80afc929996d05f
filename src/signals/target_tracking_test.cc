// SPDX-License-Identifier: Apache-2.0
#include "signals/target_tracking.h"

#include <gtest/gtest.h>

namespace gnomon {
namespace {

TEST(TargetTracking, WantsTheRatioRoundedUpOutsideTheTolerance) {
  struct Case {
    double total;
    int64_t instances, want;
  };
  constexpr TargetTracking kRule{.target = 10, .tolerance = 0.1, .most = 50};
  constexpr Case kCases[] = {{100, 10, 10}, {109, 10, 10}, {111, 10, 12}, {200, 10, 20}, {91, 10, 10},
                             {80, 10, 8},   {0, 10, 0},    {12, 0, 2},    {9999, 10, 50}};
  for (const Case& one : kCases) {
    EXPECT_EQ(WantedBy(kRule, one.total, one.instances), one.want) << one.total << " of " << one.instances;
  }
}

TEST(TargetTracking, NothingIsExpectedWhereTheThresholdIsFar) {
  RiseForecast metric({.step_s = 15, .horizon = 4});
  for (int step = 0; step < 2000; ++step) metric.Add(100 + step % 2);
  constexpr TargetTracking kRule{.target = 10, .tolerance = 0.1};
  const Outlook far = ExpectedBy(kRule, metric, 15);
  EXPECT_EQ(far.back(), 0u) << "15 instances serve 150";
  const Outlook late = ExpectedBy(kRule, metric, 8);
  EXPECT_GE(late.front(), 2u) << "the rule has yet to follow";
  EXPECT_LE(late.back(), 3u);
}

TEST(TargetTracking, ExpectsNoMoreThanThePolicyReaches) {
  RiseForecast metric({.step_s = 15, .horizon = 4});
  for (int step = 0; step < 2000; ++step) metric.Add(step % 50 == 0 ? 1000 : 100);
  const Outlook free = ExpectedBy({.target = 10}, metric, 10);
  const Outlook bound = ExpectedBy({.target = 10, .most = 14}, metric, 10);
  EXPECT_GT(free.back(), 50u);
  EXPECT_EQ(bound.back(), 4u);
  for (size_t i = 1; i < kChances; ++i) EXPECT_LE(free[i - 1], free[i]);
}

}  // namespace
}  // namespace gnomon
