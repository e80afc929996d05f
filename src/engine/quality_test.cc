// SPDX-License-Identifier: Apache-2.0
#include "engine/quality.h"

#include <map>

#include "gtest/gtest.h"
#include "plan/simulated_pool.h"

namespace gnomon {
namespace {

constexpr int64_t kStartS = 1'800'000'000;

uint32_t Noise(int64_t n) { return static_cast<uint32_t>(n) * 2654435761u >> 16; }

TEST(StaticPools, AreThePoolsOfTheSimulator) {
  StaticPools pools;
  std::vector<SimulatedPool> simulated;
  Space space;
  for (uint32_t size : StaticPools::kSizes) {
    simulated.emplace_back(PoolRules{.lead_min_s = StaticPools::kLeadS, .lead_max_s = StaticPools::kLeadS}, &space,
                           Level::Exactly(size), static_cast<double>(kStartS), 1);
  }
  int64_t now_s = kStartS;
  for (int i = 0; i < 3000; ++i, now_s += Noise(i) % 9) {
    const uint32_t count = Noise(i + 7) % 16 == 0 ? 60 : Noise(i + 7) % 4;
    pools.Created(now_s, count);
    for (size_t pool = 0; pool < simulated.size(); ++pool) {
      simulated[pool].Advance(static_cast<double>(now_s));
      simulated[pool].Take(static_cast<double>(now_s), count);
      simulated[pool].SetLevel(static_cast<double>(now_s), Level::Exactly(StaticPools::kSizes[pool]));
    }
  }
  now_s += 60;
  for (size_t i = 0; i < simulated.size(); ++i) {
    simulated[i].Advance(static_cast<double>(now_s));
    EXPECT_EQ(pools.hits(i), simulated[i].score().hits) << StaticPools::kSizes[i];
    const double idle_s =
        static_cast<double>(StaticPools::kSizes[i] * (now_s - kStartS) - StaticPools::kLeadS * pools.hits(i));
    EXPECT_NEAR(idle_s, simulated[i].score().idle_s, 1e-6) << StaticPools::kSizes[i];
  }
}

TEST(ServedRecord, CountsWhatWasHeldWhileSomebodySawIt) {
  ServedRecord record;
  record.Pass(kStartS);
  record.Hold(4);
  record.Pass(kStartS + 60);
  EXPECT_EQ(record.total().idle_s, 240);
  record.Created(kStartS + 60, 3);
  record.Hit(kStartS + 60, 1);
  EXPECT_EQ(record.held(), 3u);
  record.Pass(kStartS + 86400);
  EXPECT_EQ(record.total().idle_s, 240 + 3 * 300) << "nobody saw the rest";
  EXPECT_EQ(record.observed_s(), 360);
  EXPECT_EQ(record.total().creations, 3);
  EXPECT_EQ(record.total().hits, 1);
}

TEST(ServedRecord, AWindowForgetsWhatIsOlder) {
  ServedRecord record;
  for (int minute = 0; minute < 3 * 1440; ++minute) record.Created(kStartS + minute * 60, 1);
  const int64_t now_s = kStartS + (3 * 1440 - 1) * 60;
  const int64_t hour = record.hour().SumAt(now_s).creations, day = record.day().SumAt(now_s).creations;
  EXPECT_EQ(hour, (now_s - ServedRecord::Hour::FromOf(now_s)) / 60 + 1);
  EXPECT_GT(hour, 54);
  EXPECT_LE(hour, 60);
  EXPECT_EQ(day, (now_s - ServedRecord::Day::FromOf(now_s)) / 60 + 1);
  EXPECT_GT(day, 23 * 60 - 1);
  EXPECT_EQ(record.hour().SumAt(now_s + 7200).creations, 0);
  EXPECT_EQ(record.total().creations, 3 * 1440);
}

// Tells the forecaster `days`, and looks each minute, but not from the minute `gap` on for an hour.
ForecastJudge Judged(int days, int gap, JudgedHorizon* expected) {
  HorizonForecaster forecaster;
  const size_t key = forecaster.AddKey();
  ForecastJudge judge;
  std::vector<double> counts;         // by step
  std::map<int64_t, Quantiles> made;  // by the steps when it was made
  constexpr int64_t kLength = 3;
  for (int minute = 0; minute < days * 1440; ++minute) {
    if (minute >= gap && minute < gap + 60) continue;
    forecaster.Review(minute * 60);
    judge.Look(forecaster, key);
    const SeriesForecaster& series = forecaster.series(key);
    const int64_t steps = series.history().pushed();
    if (steps > static_cast<int64_t>(counts.size()) && gap > days * 1440) {
      counts.resize(static_cast<size_t>(steps), series.history().Back(0));
      if (made.contains(steps - kLength)) {
        const double count = series.history().Sum(0, kLength);
        ++expected->outcomes;
        for (size_t i = 0; i < kLevels.size(); ++i) {
          const double quantile = static_cast<double>(made[steps - kLength][i]);
          expected->covered[i] += count + Draw(key * 3 + 1, static_cast<uint64_t>(steps)) <= quantile;
          expected->pinball[i] += Pinball(kLevels[i], WholeQuantile(quantile), count);
          expected->naive[i] += Pinball(kLevels[i], series.history().Sum(288, kLength), count);
        }
      }
      if (steps >= 288) made[steps] = series.Forecast(1);
    }
    const uint32_t count = Noise(minute) % 8 == 0 ? 5 + minute / 60 % 24 : 0;
    if (count > 0) forecaster.Created(key, minute * 60 + 20, count);
  }
  return judge;
}

TEST(ForecastJudge, TellsWhatABacktestTells) {
  JudgedHorizon expected;
  const ForecastJudge judge = Judged(4, 1 << 30, &expected);
  const JudgedHorizon& judged = judge.horizons()[1];
  ASSERT_GT(judged.outcomes, 3 * 288 - 10);
  EXPECT_EQ(judged.outcomes, expected.outcomes);
  EXPECT_EQ(judged.covered, expected.covered);
  EXPECT_EQ(judged.pinball, expected.pinball);
  EXPECT_EQ(judged.naive, expected.naive);
  EXPECT_LT(judged.pinball[kLevel90], judged.naive[kLevel90]);
  EXPECT_NEAR(static_cast<double>(judged.covered[kLevel90]) / static_cast<double>(judged.outcomes), 0.9, 0.05);
}

TEST(ForecastJudge, ATimeInWhichNobodyLookedIsNotJudged) {
  JudgedHorizon ignored;
  const int64_t all = Judged(3, 1 << 30, &ignored).horizons()[1].outcomes;
  const int64_t gapped = Judged(3, 2 * 1440, &ignored).horizons()[1].outcomes;
  EXPECT_LE(gapped, all - 14) << "twelve steps, and two whose forecasts were not made";
  EXPECT_GE(gapped, all - 18);
}

TEST(Quality, TheStaticPoolIsTheCheapestThatHitsAsOften) {
  QualityRecord record;
  for (int minute = 0; minute < 1440; ++minute) {
    record.served.Created(kStartS + minute * 60, 10);
    record.served.Hit(kStartS + minute * 60, 7);
  }
  const TypeQuality quality = QualityOfType("web", record, kStartS + 1440 * 60);
  ASSERT_TRUE(quality.fixed);
  EXPECT_EQ(quality.fixed->setting, 8) << "six hit too seldom";
  EXPECT_EQ(quality.fixed->hits, 8 * 1440);
  EXPECT_EQ(quality.fixed->idle_s, 8.0 * 1439 * 60 - 5.0 * 8 * 1440);
  const TypeQuality all = QualityOfAll({record, record}, kStartS + 1440 * 60);
  EXPECT_EQ(all.total.served.creations, 2 * 14400);
  EXPECT_EQ(all.fixed->idle_s, 2 * quality.fixed->idle_s);
  ASSERT_TRUE(all.proportional);
  EXPECT_NEAR(all.proportional->setting, 7.0 / 50, 0.2);
  EXPECT_FALSE(QualityOfType("web", QualityRecord(), kStartS).fixed);
}

}  // namespace
}  // namespace gnomon
