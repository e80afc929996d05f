// SPDX-License-Identifier: Apache-2.0
#include "plan/simulation.h"

#include "gtest/gtest.h"
#include "plan/baselines.h"

namespace gnomon {
namespace {

SimulationOptions Options(double warmup_s = 0) {
  SimulationOptions options;
  options.rules = {.lead_min_s = 30, .lead_max_s = 30};
  options.warmup_s = warmup_s;
  options.min_creations = 1;
  return options;
}

// One type: a creation each minute, at its 10th second.
SimulatedTrace EachMinute(int minutes) {
  SimulatedTrace trace{.types = {"web"}, .demand = {}, .end_s = 60.0 * minutes};
  for (int minute = 0; minute < minutes; ++minute) trace.demand.push_back({.time_s = 60.0 * minute + 10});
  return trace;
}

TEST(Simulate, AStaticPoolIsScoredByHand) {
  FixedPool policy({Level::Exactly(0), Level::Exactly(1), Level::Exactly(2)});
  const std::vector<PointScore> scores = Simulate(EachMinute(10), Options(), &policy);
  ASSERT_EQ(scores.size(), 3u);
  EXPECT_DOUBLE_EQ(scores[0].hit_rate(), 0);
  EXPECT_DOUBLE_EQ(scores[0].idle_minutes_per_creation(), 0);
  // One shadow is away for 30 s of each minute; it is full at the start.
  EXPECT_DOUBLE_EQ(scores[1].hit_rate(), 1);
  EXPECT_DOUBLE_EQ(scores[1].sum.idle_s, 10 * 30);
  EXPECT_DOUBLE_EQ(scores[2].sum.idle_s, 10 * 90);
  EXPECT_EQ(scores[1].sum.orders, 10);
  EXPECT_EQ(scores[2].peak_shadows, 2);
}

TEST(Simulate, OnlyWhatIsAfterTheWarmupIsJudged) {
  FixedPool policy({Level::Exactly(1)});
  const std::vector<PointScore> scores = Simulate(EachMinute(10), Options(240), &policy);
  EXPECT_EQ(scores[0].sum.creations, 6);
}

TEST(Simulate, RareTypesAreNotJudged) {
  SimulatedTrace trace = EachMinute(10);
  trace.types.push_back("rare");
  trace.demand.push_back({.time_s = 599, .type = 1});
  SimulationOptions options = Options();
  options.min_creations = 2;
  FixedPool policy({Level::Exactly(1)});
  const std::vector<PointScore> scores = Simulate(trace, options, &policy);
  ASSERT_EQ(scores[0].types.size(), 1u);
  EXPECT_EQ(scores[0].types[0].type, "web");
}

TEST(Simulate, ABatchIsWholeWhenAllOfItHits) {
  SimulatedTrace trace{.types = {"web"}, .batches = 3, .demand = {}, .end_s = 600};
  trace.demand = {{.time_s = 100, .count = 2, .batch = 1},
                  {.time_s = 101, .count = 3, .batch = 2},
                  {.time_s = 300, .count = 1, .batch = 3}};
  FixedPool policy({Level::Exactly(4)});
  const PointScore score = Simulate(trace, Options(), &policy)[0];
  EXPECT_EQ(score.batches, 2);
  EXPECT_EQ(score.whole_batches, 1);
  EXPECT_EQ(score.sum.hits, 5);
}

// A policy that writes down in which order it is told.
class Recorder : public Policy {
 public:
  size_t points() const override { return 1; }
  void Created(const Demand& demand) override { told.push_back(demand.time_s); }
  void Review(double time_s) override { told.push_back(-time_s); }
  Level LevelOf(size_t, size_t) const override { return {}; }
  std::vector<double> told;
};

TEST(Simulate, APolicyIsToldOfNothingAhead) {
  SimulatedTrace trace{.types = {"web"}, .demand = {}, .end_s = 200};
  for (double time_s : {0, 59, 60, 130}) trace.demand.push_back({.time_s = time_s});
  Recorder recorder;
  Simulate(trace, Options(60), &recorder);
  EXPECT_EQ(recorder.told, (std::vector<double>{-0.0, 0, 59, -60, 60, -120, 130, -180}));
}

TEST(Simulate, EqualInputsGiveEqualScores) {
  SimulationOptions options = Options();
  options.rules = {.lead_min_s = 5, .lead_max_s = 100, .fail = 0.2};
  FixedPool policy({Level::Exactly(2)});
  const PointScore first = Simulate(EachMinute(500), options, &policy)[0];
  const PointScore second = Simulate(EachMinute(500), options, &policy)[0];
  EXPECT_EQ(first.sum.idle_s, second.sum.idle_s);
  EXPECT_EQ(first.sum.hits, second.sum.hits);
  EXPECT_LT(first.sum.hits, first.sum.creations);
}

}  // namespace
}  // namespace gnomon
