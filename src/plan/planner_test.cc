// SPDX-License-Identifier: Apache-2.0
#include "plan/planner.h"

#include <cmath>
#include <functional>

#include "gtest/gtest.h"

namespace gnomon {
namespace {

constexpr double kHourS = 3600, kDayS = 86400;

// One key whose creations in a minute, at its 20th second, are given by `demand` of the minute's start.
class OneKey {
 public:
  explicit OneKey(std::function<uint32_t(double)> demand) : planner(PlannerOptions()), demand_(std::move(demand)) {
    planner.AddKey();
  }

  void RunTo(double end_s) {
    for (; now_s_ < end_s; now_s_ += 60) {
      planner.Review(now_s_);
      if (const uint32_t count = demand_(now_s_); count > 0) planner.Created(0, now_s_ + 20, count);
    }
    planner.Review(now_s_);
  }
  int64_t Target(double hit_rate = 0.99) const { return planner.PlanFor(0, hit_rate).level.fill; }

  Planner planner;

 private:
  std::function<uint32_t(double)> demand_;
  double now_s_ = 0;
};

uint32_t Noise(double time_s) { return static_cast<uint32_t>(time_s / 60) * 2654435761u >> 28; }  // 0 to 15

TEST(Planner, HoldsNothingForAKeyThatWasNeverSeen) {
  const PlannerOptions options;
  Planner planner(options);
  planner.AddKey();
  planner.Review(0);
  planner.Review(60);
  EXPECT_EQ(planner.PlanFor(0, 0.99).level, Level{});
}

TEST(Planner, HoldsAboutWhatASteadySeriesNeeds) {
  OneKey key([](double) { return 10; });
  key.RunTo(2 * kDayS);
  EXPECT_GE(key.Target(), 10);
  EXPECT_LE(key.Target(), 14);
}

TEST(Planner, AHigherHitRateHoldsMore) {
  OneKey key(Noise);
  key.RunTo(3 * kDayS);
  EXPECT_GT(key.Target(0.99), key.Target(0.9));
  EXPECT_GT(key.Target(0.9), 0);
}

TEST(Planner, KnowsTheTimeOfTheDay) {
  OneKey key([](double t) { return std::fmod(t, kDayS) < 12 * kHourS ? 2 : 40; });
  key.RunTo(8 * kDayS + 6 * kHourS);
  const int64_t morning = key.Target();
  key.RunTo(8 * kDayS + 18 * kHourS);
  EXPECT_GT(key.Target(), 3 * morning);
}

TEST(Planner, GivesBackWhenASeriesStops) {
  OneKey key([](double t) { return t < 3 * kDayS ? 20 : 0; });
  key.RunTo(3 * kDayS);
  EXPECT_GE(key.Target(), 15);
  key.RunTo(3 * kDayS + 3 * kHourS);
  EXPECT_LE(key.Target(), 4);
}

// The trees have seen bursts out of silence, of the other key: they are no reason to hold more of this one.
TEST(Planner, AKeyThatStopsIsNotTakenForOneThatBursts) {
  const PlannerOptions options;
  Planner planner(options);
  const size_t calm = planner.AddKey(), bursty = planner.AddKey();
  auto run = [&](double begin_s, double end_s, bool stopped) {
    for (double now_s = begin_s; now_s < end_s; now_s += 60) {
      planner.Review(now_s);
      if (!stopped) planner.Created(calm, now_s + 20, 4 + Noise(now_s) / 4);
      if (Noise(now_s + 900) == 0 && Noise(now_s) < 8) planner.Created(bursty, now_s + 30, 40);
    }
    planner.Review(end_s);
  };
  run(0, 4 * kDayS, false);
  const int64_t before = planner.PlanFor(calm, 0.99).level.fill;
  for (int hour = 1; hour <= 12; ++hour) {
    run(4 * kDayS + (hour - 1) * kHourS, 4 * kDayS + hour * kHourS, true);
    EXPECT_LE(planner.PlanFor(calm, 0.99).level.fill, before) << "hour " << hour;
  }
}

TEST(Planner, FollowsASeriesThatDoubles) {
  OneKey key([](double t) { return t < 3 * kDayS ? 20 : 40; });
  key.RunTo(3 * kDayS + 12 * kHourS);
  EXPECT_GE(key.Target(), 36);
  EXPECT_LE(key.Target(), 90);
}

TEST(Planner, FallsSlowlyAndRisesAtOnce) {
  OneKey key([](double t) { return t < kDayS ? 30 : 0; });
  key.RunTo(kDayS + 120);
  const Plan plan = key.planner.PlanFor(0, 0.99);
  EXPECT_GT(plan.level.keep, plan.level.fill);
  EXPECT_EQ(plan.level.low, plan.level.fill);
  EXPECT_EQ(plan.kept, static_cast<double>(plan.level.keep - plan.level.fill));
}

TEST(Planner, APlanExplainsItself) {
  OneKey key(Noise);
  key.RunTo(2 * kDayS);
  const Plan plan = key.planner.PlanFor(0, 0.99);
  EXPECT_EQ(plan.level.fill, std::llround(plan.multiple * (plan.forecast + plan.spread)));
}

TEST(Planner, EqualCallsGiveEqualPlans) {
  OneKey first(Noise), second(Noise);
  first.RunTo(2 * kDayS);
  second.RunTo(2 * kDayS);
  EXPECT_EQ(first.planner.PlanFor(0, 0.99).spread, second.planner.PlanFor(0, 0.99).spread);
  EXPECT_EQ(first.planner.PlanFor(0, 0.99).multiple, second.planner.PlanFor(0, 0.99).multiple);
}

TEST(Planner, KeysShareAShortCapacityByTheirForecasts) {
  PlannerOptions options;
  options.capacity = 30;
  Planner planner(options);
  planner.AddKey();
  planner.AddKey();
  for (double now_s = 0; now_s <= kDayS; now_s += 60) {
    planner.Created(0, now_s, 60);
    planner.Created(1, now_s, 20);
    planner.Review(now_s + 60);
  }
  const Plan large = planner.PlanFor(0, 0.99), small = planner.PlanFor(1, 0.99);
  EXPECT_LE(large.level.keep + small.level.keep, 31);  // each is rounded
  EXPECT_GE(large.level.fill + small.level.fill, 29);
  EXPECT_GT(large.level.fill, 2 * small.level.fill);
  EXPECT_EQ(large.multiple, small.multiple);
}

TEST(Planner, ANewKeyBorrowsTheShapeOfTheOthers) {
  const PlannerOptions options;
  Planner planner(options);
  planner.AddKey();
  planner.AddKey();
  double now_s = 0;
  for (; now_s < 3 * kDayS; now_s += 60) {
    planner.Review(now_s);
    planner.Created(0, now_s + 20, 1 + Noise(now_s));
    if (now_s >= 3 * kDayS - kHourS) planner.Created(1, now_s + 25, 1 + Noise(now_s + 600));
  }
  planner.Review(now_s);
  EXPECT_GE(planner.PlanFor(1, 0.99).level.fill, planner.PlanFor(0, 0.99).level.fill / 2);
}

}  // namespace
}  // namespace gnomon
