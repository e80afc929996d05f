// SPDX-License-Identifier: Apache-2.0
#include "forecast/quantile_trees.h"

#include <array>

#include "gtest/gtest.h"

namespace gnomon {
namespace {

// Outcomes 0 to 99 where the first feature is below 5, ten times as much above; the second feature says nothing.
TreeRows TwoRegimes() {
  TreeRows rows(2);
  for (int i = 0; i < 20000; ++i) {
    const float regime = static_cast<float>(i % 10), outcome = static_cast<float>((i / 10) % 100);
    rows.Add(std::array{regime, static_cast<float>(i % 7)}, regime < 5 ? outcome : 10 * outcome, 1);
  }
  return rows;
}

TEST(QuantileTrees, FindsAQuantileOfEachRegime) {
  const QuantileTrees trees = QuantileTrees::Fit(TwoRegimes(), TreeOptions{.quantile = 0.9, .trees = 200});
  for (float other : {0.0f, 3.0f, 6.0f}) {
    EXPECT_NEAR(trees.Predict(std::array{2.0f, other}), 90, 8);
    EXPECT_NEAR(trees.Predict(std::array{7.0f, other}), 900, 60);
  }
}

TEST(QuantileTrees, EqualRowsGiveEqualBits) {
  const TreeRows rows = TwoRegimes();
  const QuantileTrees first = QuantileTrees::Fit(rows, TreeOptions{}), second = QuantileTrees::Fit(rows, TreeOptions{});
  const QuantileTrees other = QuantileTrees::Fit(rows, TreeOptions{.seed = 2});
  EXPECT_EQ(first.Predict(std::array{7.0f, 1.0f}), second.Predict(std::array{7.0f, 1.0f}));
  EXPECT_NE(first.Predict(std::array{7.0f, 1.0f}), other.Predict(std::array{7.0f, 1.0f}));
}

TEST(QuantileTrees, WeightsCountAsRows) {
  TreeRows rows(1);
  for (int i = 0; i < 1000; ++i) rows.Add(std::array{0.0f}, static_cast<float>(i % 2), i % 2 == 0 ? 1.0f : 9.0f);
  const QuantileTrees trees = QuantileTrees::Fit(rows, TreeOptions{.quantile = 0.2});
  EXPECT_EQ(trees.Predict(std::array{0.0f}), 1);
}

TEST(QuantileTrees, WithoutRowsForecastsZero) {
  EXPECT_EQ(QuantileTrees::Fit(TreeRows(1), TreeOptions{}).Predict(std::array{3.0f}), 0);
}

TEST(TreeRows, ReplacesOneRowAndNoOther) {
  TreeRows rows(2);
  rows.Add(std::array{1.0f, 2.0f}, 3, 4);
  rows.Add(std::array{5.0f, 6.0f}, 7, 8);
  rows.Replace(0, std::array{9.0f, 10.0f}, 11, 12);
  EXPECT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.feature(0, 1), 10);
  EXPECT_EQ(rows.outcome(0), 11);
  EXPECT_EQ(rows.weight(0), 12);
  EXPECT_EQ(rows.feature(1, 0), 5);
}

}  // namespace
}  // namespace gnomon
