// SPDX-License-Identifier: Apache-2.0
#include "plan/predictive_pool.h"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"
#include "plan/baselines.h"

namespace gnomon {
namespace {

constexpr double kDayS = 86400;

// Two types; each ten minutes a batch of 1 to 30 at a second that differs, by day only.
SimulatedTrace Bursts(int days) {
  SimulatedTrace trace{.types = {"web", "job"}, .demand = {}, .end_s = days * kDayS};
  uint32_t random = 1;
  for (int i = 0; i < days * 144; ++i) {
    random = random * 1664525 + 1013904223;
    const double time_s = 600.0 * i + (random >> 8) % 590;
    const bool day = i % 144 >= 72;
    if (day)
      trace.demand.push_back(
          {.time_s = time_s, .type = i % 2u, .count = 1 + (random >> 20) % 30, .batch = ++trace.batches});
  }
  return trace;
}

SimulationOptions Options(double warmup_s) {
  SimulationOptions options;
  options.warmup_s = warmup_s;
  return options;
}

TEST(PredictivePool, HoldsLessThanAStaticPoolForAsManyHits) {
  const SimulatedTrace trace = Bursts(12);
  PredictivePool predictive(2, Options(9 * kDayS), {0.95});
  const PointScore ours = Simulate(trace, Options(9 * kDayS), &predictive)[0];
  EXPECT_GT(ours.hit_rate(), 0.9);
  std::vector<Level> sizes;
  for (int64_t size = 1; size <= 30; ++size) sizes.push_back(Level::Exactly(size));
  FixedPool fixed(sizes);
  for (const PointScore& score : Simulate(trace, Options(9 * kDayS), &fixed)) {
    if (score.hit_rate() < ours.hit_rate()) continue;
    EXPECT_LT(ours.idle_minutes_per_creation(), 0.8 * score.idle_minutes_per_creation());
    break;
  }
}

// The multiple that was right before the first trees were fitted is not kept for what they forecast.
TEST(PredictivePool, TwoDaysOfHistoryAreEnoughToHoldNoMoreThanAPoolOfItsRollingQuantile) {
  SimulatedTrace trace{.types = {"a", "b", "c", "d"}, .demand = {}, .end_s = 3 * kDayS};
  uint32_t random = 1;
  for (double time_s = 5; time_s < trace.end_s; time_s += 30) {
    random = random * 1664525 + 1013904223;
    const int64_t count = 1 + (random >> 9) % 4 * ((random >> 15) % 16 == 0 ? 10 : 1);
    trace.demand.push_back({.time_s = time_s, .type = (random >> 24) % 4, .count = count, .batch = ++trace.batches});
  }
  for (const double warmup_s : {1.5 * kDayS, 2.5 * kDayS}) {
    PredictivePool predictive(4, Options(warmup_s), {0.99});
    const PointScore ours = Simulate(trace, Options(warmup_s), &predictive)[0];
    RollingPool rolling(4, Options(warmup_s), kDayS, {0.995});
    const PointScore theirs = Simulate(trace, Options(warmup_s), &rolling)[0];
    EXPECT_GT(ours.hit_rate(), 0.98);
    EXPECT_LT(ours.idle_minutes_per_creation(), 1.25 * theirs.idle_minutes_per_creation()) << theirs.hit_rate();
  }
}

TEST(PredictivePool, WhatIsAnnouncedAlwaysHitsAndIsNotAlsoForecast) {
  SimulationOptions options = Options(5 * kDayS);
  options.announce_s = 60;
  PredictivePool predictive(2, options, {0.95});
  const PointScore score = Simulate(Bursts(7), options, &predictive)[0];
  EXPECT_EQ(score.hit_rate(), 1);
  EXPECT_LE(score.idle_minutes_per_creation(), 0.1);
  EXPECT_EQ(score.sum.orders, score.sum.creations);
}

TEST(PredictivePool, AWholeSweepIsOnePass) {
  const SimulatedTrace trace = Bursts(5);
  PredictivePool sweep(2, Options(3 * kDayS), {0.8, 0.9, 0.99}), alone(2, Options(3 * kDayS), {0.9});
  const std::vector<PointScore> scores = Simulate(trace, Options(3 * kDayS), &sweep);
  EXPECT_EQ(scores[1].sum.idle_s, Simulate(trace, Options(3 * kDayS), &alone)[0].sum.idle_s);
  EXPECT_LE(scores[0].sum.hits, scores[1].sum.hits);
  EXPECT_LE(scores[1].sum.hits, scores[2].sum.hits);
}

TEST(PredictivePool, RandomLeadsAndFailuresDoNotRunAway) {
  const SimulatedTrace trace = Bursts(5);
  SimulationOptions options = Options(3 * kDayS);
  PredictivePool calm(2, options, {0.95});
  const PointScore certain = Simulate(trace, options, &calm)[0];
  options.rules = {.lead_min_s = 10, .lead_max_s = 60, .fail = 0.2};
  PredictivePool predictive(2, options, {0.95});
  const PointScore score = Simulate(trace, options, &predictive)[0];
  EXPECT_GT(score.hit_rate(), 0.8);
  EXPECT_LT(score.sum.orders, 2 * certain.sum.orders);
}

TEST(PredictivePool, FaultyAnnouncementsCostLittleAndAreDrawnByTheSeed) {
  const SimulatedTrace trace = Bursts(8);
  SimulationOptions options = Options(5 * kDayS);
  PredictivePool without(2, options, {0.99});
  const PointScore unannounced = Simulate(trace, options, &without)[0];
  options.announce_s = 60;
  options.announce_share = 0.5;
  options.announce_faults = 0.1;
  PredictivePool with(2, options, {0.99}), again(2, options, {0.99});
  const PointScore score = Simulate(trace, options, &with)[0];
  EXPECT_GE(score.hit_rate(), 0.985);
  EXPECT_LT(score.idle_minutes_per_creation(), 1.25 * unannounced.idle_minutes_per_creation());
  EXPECT_EQ(Simulate(trace, options, &again)[0].sum.idle_s, score.sum.idle_s) << "one seed, one answer";
  options.seed = 2;
  PredictivePool other(2, options, {0.99});
  EXPECT_NE(Simulate(trace, options, &other)[0].sum.idle_s, score.sum.idle_s);
}

TEST(PredictivePool, AFloodOfOneOffTypesHoldsLittle) {
  SimulatedTrace trace = Bursts(6);
  for (size_t i = 0; i < 200; ++i) {  // each once, in the fifth day
    trace.types.push_back("once" + std::to_string(i));
    trace.demand.push_back({.time_s = 4 * kDayS + 400.0 * static_cast<double>(i), .type = 2 + i});
  }
  std::stable_sort(trace.demand.begin(), trace.demand.end(),
                   [](const Demand& a, const Demand& b) { return a.time_s < b.time_s; });
  SimulationOptions options = Options(4 * kDayS);
  options.min_creations = 1;
  PredictivePool calm(2, options, {0.99}), flooded(trace.types.size(), options, {0.99});
  const PointScore before = Simulate(Bursts(6), options, &calm)[0];
  const PointScore score = Simulate(trace, options, &flooded)[0];
  const int64_t others = score.types[0].pool.orders + score.types[1].pool.orders;
  EXPECT_LT(static_cast<double>(others), 1.05 * static_cast<double>(before.sum.orders)) << "no forecast could serve them";
  int64_t held = 0;
  for (size_t type = 2; type < trace.types.size(); ++type) held = std::max(held, flooded.LevelOf(type, 0).keep);
  EXPECT_LE(held, 1);
}

TEST(PredictivePool, ADayShiftedByAnHourIsLearntWithinADay) {
  SimulatedTrace trace = Bursts(12);
  for (Demand& demand : trace.demand) demand.time_s -= demand.time_s >= 8 * kDayS ? 3600 : 0;
  SimulationOptions options = Options(9 * kDayS);
  PredictivePool predictive(2, options, {0.95});
  const PointScore score = Simulate(trace, options, &predictive)[0];
  EXPECT_GT(score.hit_rate(), 0.9);
}

}  // namespace
}  // namespace gnomon
