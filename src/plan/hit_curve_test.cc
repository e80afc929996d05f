// SPDX-License-Identifier: Apache-2.0
#include "plan/hit_curve.h"

#include "gtest/gtest.h"

namespace gnomon {
namespace {

TEST(HitCurve, IsOneWhileLittleIsKnown) { EXPECT_EQ(HitCurve().MultipleFor(0.99), 1); }

TEST(HitCurve, FindsTheMultipleThatWouldHaveHitAsOftenAsAsked) {
  HitCurve curve;
  VirtualPools pools(1);
  pools.Review({100, 100, 100}, 0);
  // Each tick asks for 1 to 200, evenly: a pool of s misses what is above s.
  for (int tick = 0; tick < 4000; ++tick) pools.Tick(static_cast<uint32_t>(1 + (tick * 77) % 200), &curve);
  const double multiple = curve.MultipleFor(0.9);
  double misses = 0, all = 0;
  for (int demand = 1; demand <= 200; ++demand) {
    misses += std::max(0.0, demand - 100 * multiple);
    all += demand;
  }
  EXPECT_NEAR(misses / all, 0.1, 0.01);
  EXPECT_GT(curve.MultipleFor(0.99), multiple);
}

TEST(Elastic, FallsBelowOneAndGrowsBeyondItBySlopesOfTheirOwn) {
  const Elastic target{.at_one = 10, .below = 12, .beyond = 4, .most = 20};
  EXPECT_DOUBLE_EQ(target.At(0.5), 4);
  EXPECT_DOUBLE_EQ(target.At(0.1), 0);
  EXPECT_DOUBLE_EQ(target.At(3), 18);
  EXPECT_DOUBLE_EQ(target.At(9), 20);
  for (double held : {4.0, 10.0, 18.0}) EXPECT_DOUBLE_EQ(target.At(target.MultipleOf(held)), held);
}

TEST(VirtualPools, WhatAReviewOrdersArrivesALeadLater) {
  HitCurve curve;
  VirtualPools pools(3);
  pools.Review({10000, 10000, 10000}, 0);
  for (int tick = 0; tick < 3; ++tick) pools.Tick(500, &curve);
  EXPECT_EQ(curve.MultipleFor(0.5), HitCurve::Multiple(kMultiples - 1));  // all were misses
  for (int tick = 0; tick < 300; ++tick) pools.Tick(1, &curve);
  for (int tick = 0; tick < 100; ++tick) pools.Tick(500, &curve);
  EXPECT_LT(curve.MultipleFor(0.5), 1);
}

TEST(HitCurve, ALongerLeadAsksForMore) {
  HitCurve short_curve, long_curve;
  VirtualPools short_pools(1), long_pools(6);
  short_pools.Review({10, 10}, 0);
  long_pools.Review({10, 10}, 0);
  for (int tick = 0; tick < 2000; ++tick) {
    short_pools.Tick(tick % 3, &short_curve);
    long_pools.Tick(tick % 3, &long_curve);
  }
  EXPECT_GT(long_curve.MultipleFor(0.95), short_curve.MultipleFor(0.95));
}

TEST(HitCurve, WhatIsOldCountsLess) {
  HitCurve curve;
  std::array<double, kMultiples> none{}, many{};
  for (size_t i = 0; i < kMultiples; ++i) many[i] = 5000.0 / static_cast<double>(i + 1);
  curve.Add(10000, many);
  const double before = curve.MultipleFor(0.95);
  curve.Age(10 * HitCurve::kMemoryS);
  curve.Add(10000, none);
  EXPECT_LT(curve.MultipleFor(0.95), before);
}

}  // namespace
}  // namespace gnomon
