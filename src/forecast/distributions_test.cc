// SPDX-License-Identifier: Apache-2.0
// What quantiles are made of: score histograms, negative binomials, mixes, and the pool's calibration.
#include <algorithm>
#include <cmath>

#include "forecast/forecast_mix.h"
#include "forecast/forecast_pool.h"
#include "forecast/negative_binomial.h"
#include "forecast/score_histogram.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

TEST(Levels, ATieIsCoveredAsOftenAsTheForecastSays) {
  // Two thirds of the outcomes are 0 and the rest 1: the level 0.5 lies at three quarters of the tie at 0.
  const double quantile = 0.75;
  int covered = 0;
  for (uint64_t n = 0; n < 30000; ++n) covered += (n % 3 == 0 ? 1 : 0) + Draw(0, n) <= quantile ? 1 : 0;
  EXPECT_NEAR(covered / 30000.0, 0.5, 0.01);
  EXPECT_EQ(WholeQuantile(quantile), 0);
  EXPECT_EQ(WholeQuantile(1.2), 1);
}

TEST(ScoreHistogram, FindsTheQuantilesOfASortedList) {
  ScoreHistogram histogram;
  std::vector<double> scores;
  for (uint64_t n = 0; n < 20000; ++n) {
    scores.push_back(-2 * std::log(1 - Draw(7, n)) - 1);
    histogram.Add(scores.back(), 1e7);
  }
  std::sort(scores.begin(), scores.end());
  const Quantiles found = histogram.AtLevels();
  for (size_t i = 0; i < kLevels.size(); ++i) {
    const double truth = scores[static_cast<size_t>(kLevels[i] * 20000)];
    EXPECT_NEAR(found[i], truth, 0.03 * std::abs(truth) + 0.05) << kLevels[i];
  }
}

TEST(ScoreHistogram, ForgetsOldScoresAndStaysFinite) {
  ScoreHistogram histogram;
  for (int i = 0; i < 5000; ++i) histogram.Add(50, 100);
  for (int i = 0; i < 100000; ++i) histogram.Add(i % 2 == 0 ? -1e12 : 1, 100);
  EXPECT_LT(histogram.AtLevels()[kLevel99], 1.3f);
  EXPECT_NEAR(histogram.weight(), 100, 2);
}

TEST(NegativeBinomial, HasTheMeanVarianceAndTiesOfACountedSample) {
  // A geometric count of mean 3 is a negative binomial of variance 12.
  std::vector<double> counts;
  for (uint64_t n = 0; n < 50000; ++n) counts.push_back(std::floor(std::log(1 - Draw(9, n)) / std::log(0.75)) + Draw(10, n));
  std::sort(counts.begin(), counts.end());
  const Quantiles found = NegativeBinomialQuantiles(3, 12);
  for (size_t i = 0; i < kLevels.size(); ++i) {
    EXPECT_NEAR(found[i], counts[static_cast<size_t>(kLevels[i] * 50000)], 0.02 * (1 + static_cast<double>(found[i])));
  }
  EXPECT_NEAR(NegativeBinomialQuantiles(0, 0)[kLevel90], 0.9, 1e-6);
}

TEST(NegativeBinomial, ItsApproximationJoinsTheExactOne) {
  const Quantiles exact = NegativeBinomialQuantiles(100, 900), gamma = NegativeBinomialQuantiles(100.01, 900);
  for (size_t i = 0; i < kLevels.size(); ++i) EXPECT_NEAR(exact[i], gamma[i], 1.5) << kLevels[i];
}

TEST(ForecastMix, TurnsToTheBestAndBackWhenThatChanges) {
  ForecastMix mix(3);
  Quantiles low{}, right{}, high{};
  low.fill(2);
  right.fill(10);
  high.fill(40);
  const std::vector<Quantiles> says = {low, right, high};
  for (int i = 0; i < 2000; ++i) mix.Learn(says, 10);
  EXPECT_GT(mix.Weights()[1][kMedian], 0.99f);
  EXPECT_NEAR(mix.Mix(says)[kLevel99], 10, 0.2);
  for (int i = 0; i < 5000; ++i) mix.Learn(says, 40);
  EXPECT_GT(mix.Weights()[2][kMedian], 0.99f);
}

TEST(ForecastMix, WeighsAllAlikeBeforeAnOutcome) {
  for (const Quantiles& weight : ForecastMix(4).Weights()) EXPECT_FLOAT_EQ(weight[kLevel99], 0.25f);
}

// A class of two series whose quantiles are far too low, then far too high.
TEST(ForecastPool, CalibrationFindsTheLevelOfWrongQuantiles) {
  ForecastPool pool(1, 1);
  pool.Move(ForecastPool::kClasses, 2);
  pool.Move(ForecastPool::kClasses, 2);
  uint64_t n = 0;
  Quantiles own{};
  for (const float wrong : {15.0f, 60.0f}) {
    Quantiles fixed{};
    fixed.fill(wrong);
    for (size_t level = kMedian; level < kLevels.size(); ++level) fixed[level] += 5;
    std::array<int, kLevels.size()> covered{};
    for (int i = 0; i < 30000; ++i) {
      const double outcome = 20 + 20 * Draw(5, ++n);
      const Quantiles shifted = pool.Shift(0, 2, own, fixed);
      for (size_t level = 0; level < kLevels.size(); ++level) {
        if (i >= 10000 && outcome <= static_cast<double>(shifted[level])) ++covered[level];
      }
      pool.Covered(0, 2, shifted, outcome, &own);
    }
    for (size_t level = 0; level < kLevels.size(); ++level) {
      EXPECT_NEAR(covered[level] / 20000.0, kLevels[level], 0.01) << wrong;
    }
  }
}

// Two series of a class whose quantiles err on different sides: the class's shifts alone could not serve both.
TEST(ForecastPool, ASeriesThatErrsApartFromItsClassIsCalibratedByItself) {
  ForecastPool pool(1, 1);
  pool.Move(ForecastPool::kClasses, 2);
  pool.Move(ForecastPool::kClasses, 2);
  std::array<Quantiles, 2> own{}, covered{}, fixed{};
  for (size_t series = 0; series < 2; ++series) {
    for (size_t i = 0; i < kLevels.size(); ++i) {
      fixed[series][i] = static_cast<float>(20 + 20 * kLevels[i]) + (series == 0 ? 3.0f : -3.0f);
    }
  }
  uint64_t n = 0;
  for (int step = 0; step < 30000; ++step) {
    for (size_t series = 0; series < 2; ++series) {
      const double outcome = 20 + 20 * Draw(7, ++n);
      const Quantiles shifted = pool.Shift(0, 2, own[series], fixed[series]);
      for (size_t i = 0; i < kLevels.size(); ++i) {
        if (step >= 10000 && outcome <= static_cast<double>(shifted[i])) covered[series][i] += 1 / 20000.0f;
      }
      pool.Covered(0, 2, shifted, outcome, &own[series]);
    }
  }
  for (const Quantiles& share : covered) {
    for (size_t i = 0; i < kLevels.size(); ++i) EXPECT_NEAR(share[i], kLevels[i], 0.015);
  }
}

TEST(ForecastPool, TreesAppearOnceThereAreRowsAndTellSeriesApart) {
  ForecastPool pool(1, 1);
  for (size_t row = 0; row < ForecastPool::kFewestRows; ++row) {
    for (size_t i = 0; i < kLevels.size(); ++i) EXPECT_FALSE(pool.HasTrees(0));
    const float feature = static_cast<float>(row % 2);
    pool.Keep(0, std::array{feature}, 10 * static_cast<double>(feature) + Draw(6, row), 1);
  }
  for (size_t i = 0; i < kLevels.size(); ++i) pool.FitNext();
  ASSERT_TRUE(pool.HasTrees(0));
  EXPECT_NEAR(pool.TreeScores(0, std::array{1.0f})[kMedian], 10.5, 0.6);
  EXPECT_NEAR(pool.TreeScores(0, std::array{0.0f})[kMedian], 0.5, 0.6);
}

}  // namespace
}  // namespace gnomon
