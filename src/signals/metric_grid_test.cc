// SPDX-License-Identifier: Apache-2.0
#include "signals/metric_grid.h"

#include <algorithm>
#include <map>
#include <random>

#include "gmock/gmock.h"

namespace gnomon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Taken = MetricGrid::Taken;

constexpr int64_t kBegin = 1'500'000'000;  // a multiple of 15
constexpr int64_t kEver = kBegin + 1'000'000'000;

Sample At(double seconds, double value) { return {kBegin * 1000 + static_cast<int64_t>(seconds * 1000), value}; }
Sample EndAt(double seconds) { return {kBegin * 1000 + static_cast<int64_t>(seconds * 1000), 0, true}; }

// Points as seconds since kBegin, and values.
std::map<int64_t, double> Of(MetricGrid& grid, int64_t until = 600) {
  std::map<int64_t, double> points;
  for (const MetricPoint& point : grid.Points(0, kBegin + until)) points[point.time_s - kBegin] = point.value;
  return points;
}

TEST(MetricGrid, TheLastSampleAtOrBeforeATimeIsItsValue) {
  MetricGrid grid({});
  for (const Sample& sample : {At(1, 1), At(14, 2), At(15, 3), At(15.001, 4), At(31, 5)}) EXPECT_EQ(grid.Add("a", sample), Taken::kTaken);
  EXPECT_EQ(Of(grid, 60), (std::map<int64_t, double>{{15, 3}, {30, 4}, {45, 5}, {60, 5}}));
}

TEST(MetricGrid, ASeriesThatEndedOrIsSilentForFiveMinutesIsAGapAndNoZero) {
  MetricGrid grid({});
  grid.Add("a", At(15, 7));
  grid.Add("b", At(15, 1));
  grid.Add("b", EndAt(40));
  EXPECT_EQ(Of(grid).at(30), 8);
  EXPECT_EQ(Of(grid).at(45), 7) << "b has ended";
  EXPECT_EQ(Of(grid).at(300), 7);
  EXPECT_FALSE(Of(grid).contains(315)) << "a is five minutes old";
  grid.Add("a", At(450, 9));
  EXPECT_EQ(Of(grid, 465), (std::map<int64_t, double>{{15, 8}, {30, 8}, {45, 7}, {60, 7}, {75, 7}, {90, 7}, {105, 7}, {120, 7},
                                                 {135, 7}, {150, 7}, {165, 7}, {180, 7}, {195, 7}, {210, 7}, {225, 7}, {240, 7},
                                                 {255, 7}, {270, 7}, {285, 7}, {300, 7}, {450, 9}, {465, 9}}));
}

TEST(MetricGrid, SeriesAreCombinedAsTheRuleSays) {
  for (const auto& [combine, want] : std::map<MetricCombine, double>{
           {MetricCombine::kSum, 3}, {MetricCombine::kMax, 5}, {MetricCombine::kMean, 1}}) {
    MetricGrid grid({.combine = combine});
    grid.Add("a", At(5, 1));
    grid.Add("b", At(9, 5));
    grid.Add("c", At(15, -3));
    EXPECT_EQ(Of(grid, 15).at(15), want) << NameOf(combine);
  }
}

TEST(MetricGrid, ATotalGivesWhatCameAndBeginsAnewWhenItFalls) {
  MetricGrid grid({.increases = true});
  for (const Sample& sample : {At(15, 100), At(30, 104), At(60, 110), At(75, 3)}) grid.Add("a", sample);
  EXPECT_EQ(Of(grid, 75), (std::map<int64_t, double>{{30, 4}, {45, 0}, {60, 6}, {75, 3}}));
  grid.Add("b", At(75, 1000));
  EXPECT_EQ(Of(grid, 75).at(75), 3) << "where a series begins nothing came";
  grid.Add("b", At(90, 1001));
  grid.Add("a", At(90, 5));
  EXPECT_EQ(Of(grid, 90).at(90), 3);
}

TEST(MetricGrid, IncreasesAreAddedUp) {
  MetricGrid grid({.increases = true});
  for (const Sample& sample : {At(15, 4), At(30, 2), At(45, 7)}) grid.Add("a", sample, true);
  EXPECT_EQ(Of(grid, 45), (std::map<int64_t, double>{{30, 2}, {45, 7}}));
  EXPECT_EQ(grid.Add("a", At(40, 1), true), Taken::kTaken) << "late, and it counts";
  EXPECT_EQ(Of(grid, 45).at(45), 8);
}

TEST(MetricGrid, WhatIsLateFindsItsPlaceAndWhatIsTooLateIsTold) {
  MetricGrid grid({});
  EXPECT_EQ(grid.Add("a", At(60, 1)), Taken::kTaken);
  EXPECT_EQ(Of(grid, 75).at(75), 1);
  EXPECT_EQ(grid.Add("b", At(20, 5)), Taken::kTaken);
  EXPECT_EQ(Of(grid, 75).at(30), 5);
  EXPECT_EQ(Of(grid, 75).at(75), 6);
  EXPECT_EQ(grid.Add("a", At(60, 1)), Taken::kSuperseded) << "the same again";
  EXPECT_EQ(grid.Add("a", At(60, 2)), Taken::kDuplicate);
  EXPECT_EQ(grid.Add("a", At(59, 2)), Taken::kSuperseded);
  EXPECT_EQ(grid.Add("a", At(60 + 15.0 * MetricGrid::kWindowSteps, 1)), Taken::kTaken);
  EXPECT_EQ(grid.Add("a", At(60, 2)), Taken::kTooOld);
  EXPECT_EQ(Of(grid, 75).at(75), 6) << "what left the window stands";
  EXPECT_EQ(grid.Add("a", {-5, 1}), Taken::kTooOld);
}

TEST(MetricGrid, HoldsItsLimits) {
  MetricGrid grid({});
  for (size_t i = 0; i < MetricGrid::kMaxSeries; ++i) EXPECT_EQ(grid.Add(std::to_string(i), At(15, 1)), Taken::kTaken);
  EXPECT_EQ(grid.Add("more", At(15, 1)), Taken::kTooManySeries);
  // Those that are silent make room.
  grid.Add("0", At(15 + 15.0 * (MetricGrid::kWindowSteps + 100), 1));
  grid.Points(0, kEver);
  EXPECT_EQ(grid.series(), 1u);
  EXPECT_EQ(grid.Add("more", At(15 + 15.0 * (MetricGrid::kWindowSteps + 100), 1)), Taken::kTaken);
  // Points older than those that are kept go.
  grid.Add("0", At(15.0 * (MetricGrid::kKeptSteps + 500), 1));
  EXPECT_THAT(grid.Points(0, kBegin + 5000), IsEmpty());
}

TEST(MetricGrid, TheLatestIsThatOfTheNewestSampleUntilItIsSilent) {
  MetricGrid grid({});
  EXPECT_EQ(grid.Latest(kBegin * 1000), std::nullopt);
  grid.Add("a", At(17, 4));
  EXPECT_EQ(grid.Latest((kBegin + 18) * 1000), (MetricPoint{kBegin + 17, 4}));
  EXPECT_EQ(grid.Latest((kBegin + 300) * 1000), (MetricPoint{kBegin + 17, 4}));
  EXPECT_EQ(grid.Latest((kBegin + 400) * 1000), std::nullopt);
  EXPECT_EQ(grid.Latest((kBegin + 90'000) * 1000), std::nullopt);
}

// Against the definition, over random series with gaps and ends in a random order within the window.
TEST(MetricGridModel, IsWhatTheDefinitionSays) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::pair<std::string, Sample>> samples;
    for (int second = 0; second < 20'000; second += 1 + static_cast<int>(random() % 40)) {
      if (second % 5000 < 800) continue;
      const std::string series(1, static_cast<char>('a' + random() % 4));
      samples.emplace_back(series, random() % 20 == 0 ? EndAt(second + 0.25) : At(second + 0.25, static_cast<double>(random() % 100)));
    }
    MetricGrid grid({.step_s = 15, .combine = MetricCombine::kSum});
    std::vector<std::pair<std::string, Sample>> sent = samples;
    for (size_t i = 0; i + 20 < sent.size(); i += 20) std::shuffle(sent.begin() + static_cast<long>(i), sent.begin() + static_cast<long>(i) + 20, random);
    for (size_t i = 0; i < sent.size(); ++i) {
      grid.Add(sent[i].first, sent[i].second);
      if (random() % 50 == 0) grid.Points(0, kBegin + static_cast<int64_t>(random() % 20'000));
    }
    const std::map<int64_t, double> points = Of(grid, 19'000);
    for (int64_t time = 15; time <= 19'000; time += 15) {
      std::map<std::string, Sample> last;
      for (const auto& [series, sample] : samples) {
        if (sample.time_ms <= (kBegin + time) * 1000) last[series] = sample;
      }
      double sum = 0;
      bool any = false;
      for (const auto& [series, sample] : last) {
        if (sample.ends || sample.time_ms <= (kBegin + time) * 1000 - MetricGrid::kLookbackMs) continue;
        any = true;
        sum += sample.value;
      }
      ASSERT_EQ(points.contains(time), any) << "seed " << seed << " at " << time;
      if (!any) continue;
      ASSERT_EQ(points.at(time), sum) << "seed " << seed << " at " << time;
    }
  }
}

}  // namespace
}  // namespace gnomon
