// SPDX-License-Identifier: Apache-2.0
#include "plan/simulated_pool.h"

#include "gtest/gtest.h"

namespace gnomon {
namespace {

PoolRules Lead(double lead_s) { return {.lead_min_s = lead_s, .lead_max_s = lead_s}; }

TEST(SimulatedPool, StartsFullAndRefillsAtOnceAfterATake) {
  Space space;
  SimulatedPool pool(Lead(30), &space, Level::Exactly(3), 0, 1);
  pool.Advance(10);
  EXPECT_EQ(pool.Take(10, 2), 2);
  pool.SetLevel(10, Level::Exactly(3));
  EXPECT_EQ(pool.ready(), 1);
  EXPECT_EQ(pool.position(), 3);
  pool.Advance(39.9);
  EXPECT_EQ(pool.ready(), 1);
  pool.Advance(40);
  EXPECT_EQ(pool.ready(), 3);
  EXPECT_EQ(pool.score().orders, 2);
  EXPECT_DOUBLE_EQ(pool.score().idle_s, 3 * 10 + 1 * 30);
  EXPECT_DOUBLE_EQ(pool.score().on_order_s, 2 * 30);
}

TEST(SimulatedPool, AMissTakesNothingAndWaitsForTheNextShadow) {
  Space space;
  SimulatedPool pool(Lead(30), &space, Level::Exactly(1), 0, 1);
  EXPECT_EQ(pool.Take(0, 1), 1);
  pool.SetLevel(0, Level::Exactly(1));
  pool.Advance(20);
  EXPECT_EQ(pool.Take(20, 2), 0);
  EXPECT_EQ(pool.score().miss_waits_s, (std::vector<float>{10, 10}));
  pool.Advance(30);
  EXPECT_EQ(pool.ready(), 1);
  EXPECT_EQ(pool.score().hits, 1);
  EXPECT_EQ(pool.score().creations, 3);
}

TEST(SimulatedPool, AReviewReclaimsOnlyWhatWasReadyForAMinute) {
  Space space;
  SimulatedPool pool(Lead(5), &space, Level::Exactly(2), 0, 1);
  pool.SetLevel(0, Level::Exactly(5));  // three more, ready at 5
  pool.Advance(60);
  pool.Review(60, Level::Exactly(0));  // the first two were ready for 60 s, the others for 55 s
  EXPECT_EQ(pool.ready(), 3);
  EXPECT_EQ(pool.score().reclaims, 2);
  EXPECT_DOUBLE_EQ(pool.score().idle_s, 2 * 60 + 3 * 55 + 2 * PoolRules::kReclaimChargeS);
  pool.Advance(120);
  pool.Review(120, Level::Exactly(0));
  EXPECT_EQ(pool.position(), 0);
  EXPECT_EQ(space.used, 0);
}

TEST(SimulatedPool, WhatIsOnOrderIsNotCancelled) {
  Space space;
  SimulatedPool pool(Lead(120), &space, Level::Exactly(0), 0, 1);
  pool.SetLevel(0, Level::Exactly(4));
  pool.Advance(60);
  pool.Review(60, Level::Exactly(0));
  EXPECT_EQ(pool.position(), 4);
  EXPECT_EQ(pool.score().reclaims, 0);
}

TEST(SimulatedPool, KeepsWhatIsAboveFillButBelowKeep) {
  Space space;
  SimulatedPool pool(Lead(0), &space, Level::Exactly(8), 0, 1);
  pool.Advance(60);
  pool.Review(60, {.low = 2, .fill = 4, .keep = 6});
  EXPECT_EQ(pool.position(), 6);
  EXPECT_EQ(pool.Take(60, 4), 4);
  pool.SetLevel(60, {.low = 2, .fill = 4, .keep = 6});
  EXPECT_EQ(pool.position(), 2);  // not below low
  EXPECT_EQ(pool.Take(60, 1), 1);
  pool.SetLevel(60, {.low = 2, .fill = 4, .keep = 6});
  EXPECT_EQ(pool.position(), 4);
}

TEST(SimulatedPool, PoolsNeverHoldMoreThanTheirSharedSpace) {
  Space space{.capacity = 10};
  SimulatedPool first(Lead(30), &space, Level::Exactly(7), 0, 1);
  SimulatedPool second(Lead(30), &space, Level::Exactly(7), 0, 2);
  EXPECT_EQ(first.position(), 7);
  EXPECT_EQ(second.position(), 3);
  EXPECT_EQ(first.Take(0, 4), 4);
  second.SetLevel(0, Level::Exactly(7));
  first.SetLevel(0, Level::Exactly(7));
  EXPECT_EQ(second.position(), 7);
  EXPECT_EQ(first.position(), 3);
  EXPECT_EQ(space.peak, 10);
}

TEST(SimulatedPool, AFailedReservationIsOrderedAgain) {
  Space space;
  PoolRules rules = Lead(10);
  rules.fail = 0.5;
  SimulatedPool pool(rules, &space, Level::Exactly(0), 0, 1);
  pool.SetLevel(0, Level::Exactly(1000));
  pool.Advance(10);
  EXPECT_NEAR(static_cast<double>(pool.ready()), 500, 60);
  EXPECT_EQ(pool.position(), 1000);
  pool.Advance(1000);
  EXPECT_EQ(pool.ready(), 1000);
  EXPECT_EQ(space.used, 1000);
}

TEST(SimulatedPool, DrawnLeadsStayInTheirRangeAndRepeat) {
  Space space;
  const PoolRules rules{.lead_min_s = 10, .lead_max_s = 60};
  SimulatedPool first(rules, &space, Level::Exactly(0), 0, 7), second(rules, &space, Level::Exactly(0), 0, 7);
  for (int64_t i = 1; i <= 100; ++i) {
    first.SetLevel(0, Level::Exactly(i));
    second.SetLevel(0, Level::Exactly(i));
  }
  first.Advance(9.9);
  EXPECT_EQ(first.ready(), 0);
  first.Advance(35);
  second.Advance(35);
  EXPECT_NEAR(static_cast<double>(first.ready()), 50, 20);
  EXPECT_EQ(first.ready(), second.ready());
  first.Advance(60);
  EXPECT_EQ(first.ready(), 100);
}

}  // namespace
}  // namespace gnomon
