// SPDX-License-Identifier: Apache-2.0
#include "forecast/least_squares.h"

#include <array>
#include <cmath>

#include "gtest/gtest.h"

namespace gnomon {
namespace {

TEST(LeastSquares, FindsTheWeightsOfALinearSeries) {
  LeastSquares linear(3);
  for (int i = 0; i < 500; ++i) {
    const std::array x = {1.0f, static_cast<float>(i % 7), static_cast<float>(i % 11)};
    linear.Learn(x, 2 + 3 * (i % 7) - (i % 11));
  }
  EXPECT_NEAR(linear.Predict(std::array{1.0f, 4.0f, 5.0f}), 9, 0.05);
}

TEST(LeastSquares, FollowsAChange) {
  LeastSquares linear(1);
  for (int i = 0; i < 20000; ++i) linear.Learn(std::array{1.0f}, 5);
  for (int i = 0; i < 40000; ++i) linear.Learn(std::array{1.0f}, 8);
  EXPECT_NEAR(linear.Predict(std::array{1.0f}), 8, 0.1);
}

TEST(LeastSquares, StaysFiniteOnConstantFeatures) {
  LeastSquares linear(4);
  const std::array x = {1.0f, 0.0f, 2.0f, 2.0f};
  for (int i = 0; i < 200000; ++i) linear.Learn(x, 3);
  EXPECT_TRUE(std::isfinite(linear.Predict(std::array{1.0f, 5.0f, 2.0f, 2.0f})));
  EXPECT_NEAR(linear.Predict(x), 3, 1e-6);
}

}  // namespace
}  // namespace gnomon
