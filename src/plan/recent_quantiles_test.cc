// SPDX-License-Identifier: Apache-2.0
#include "plan/recent_quantiles.h"

#include "gtest/gtest.h"

namespace gnomon {
namespace {

TEST(RecentQuantiles, IsZeroBeforeTheFirstValue) { EXPECT_EQ(RecentQuantiles(100).Quantile(0.99), 0); }

TEST(RecentQuantiles, IsWithinABinOfTheTruth) {
  RecentQuantiles quantiles(1e9);
  for (int i = 0; i < 1000; ++i) quantiles.Add((i * 77) % 1000);
  for (double q : {0.1, 0.5, 0.9, 0.99, 0.999}) EXPECT_NEAR(quantiles.Quantile(q), 1000 * q, 60 * q) << q;
}

TEST(RecentQuantiles, WhatIsOldCountsLess) {
  RecentQuantiles quantiles(1000);
  for (int i = 0; i < 1000; ++i) quantiles.Add(500);
  for (int i = 0; i < 4000; ++i) quantiles.Add(5);
  EXPECT_NEAR(quantiles.Quantile(0.9), 5, 0.6);
  EXPECT_NEAR(quantiles.Quantile(0.999), 500, 50);
  for (int i = 0; i < 60'000; ++i) quantiles.Add(5);  // rescales too
  EXPECT_NEAR(quantiles.Quantile(0.999), 5, 0.6);
}

TEST(RecentQuantiles, WhatIsBeyondTheScaleCountsAsItsEnd) {
  RecentQuantiles quantiles(1000);
  quantiles.Add(1e9);
  EXPECT_GT(quantiles.Quantile(0.99), 3000);
  EXPECT_LT(quantiles.Quantile(0.99), 5000);
}

}  // namespace
}  // namespace gnomon
