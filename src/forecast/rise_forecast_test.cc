// SPDX-License-Identifier: Apache-2.0
#include "forecast/rise_forecast.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gnomon {
namespace {

constexpr RiseForecast::Options kOptions{.step_s = 15, .horizon = 4};

// A day's wave with a little noise; equal for equal steps.
double Wave(size_t step) {
  const uint32_t noise = static_cast<uint32_t>(step) * 2654435761u;
  const double wave = 300 + 250 * std::sin(static_cast<double>(step) * 2 * M_PI / 5760);
  return wave + std::sqrt(wave) * (static_cast<double>(noise >> 16) / 65536 - 0.5);
}

TEST(RiseForecast, KnowsNothingBeforeItHasSeenOutcomes) {
  RiseForecast rise(kOptions);
  EXPECT_FALSE(rise.known());
  for (size_t step = 0; step < RiseForecast::kFewest; ++step) rise.Add(10);
  EXPECT_FALSE(rise.known());
  for (size_t step = 0; step < kOptions.horizon; ++step) rise.Add(10);
  EXPECT_TRUE(rise.known());
  EXPECT_NEAR(rise.now(), 10, 1e-9);
}

TEST(RiseForecast, TheShareThatItSaysStaysBelow) {
  RiseForecast rise(kOptions);
  constexpr double kAsked[] = {0.5, 0.9, 0.99};
  int below[3] = {}, all = 0;
  for (size_t step = 0; step < 10 * 5760; ++step) {
    rise.Add(Wave(step));
    if (step < 3 * 5760) continue;
    double most = 0;
    for (size_t i = 1; i <= kOptions.horizon; ++i) most = std::max(most, Wave(step + i));
    ++all;
    for (int i = 0; i < 3; ++i) below[i] += std::max(most, Wave(step)) <= rise.AtChance(kAsked[i]) + 1e-9 ? 1 : 0;
  }
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(below[i] / static_cast<double>(all), kAsked[i], 0.06) << kAsked[i];
}

TEST(RiseForecast, ARampIsSeenToGoOn) {
  RiseForecast rise(kOptions);
  double value = 0;
  for (int ramp = 0; ramp < 200; ++ramp) {
    for (int step = 0; step < 40; ++step) rise.Add(value = 100);
    for (int step = 0; step < 20; ++step) rise.Add(value += 20);
  }
  for (int step = 0; step < 20; ++step) rise.Add(value = 100);
  const double calm = rise.AtChance(0.5);
  for (int step = 0; step < 10; ++step) rise.Add(value += 20);
  EXPECT_LT(calm, 115);
  EXPECT_GT(rise.AtChance(0.5), value + 40) << "20 a step";
}

TEST(RiseForecast, AGapIsAGapAndNotAZero) {
  RiseForecast rise(kOptions), gapped(kOptions);
  for (int step = 0; step < 2000; ++step) {
    rise.Add(100 + step % 3);
    gapped.Add(100 + step % 3);
    for (int gap = 0; step % 100 == 50 && gap < 8; ++gap) gapped.Add(std::nullopt);
    EXPECT_TRUE(step % 100 != 50 || !gapped.known()) << "nothing is known of now";
  }
  EXPECT_NEAR(gapped.AtChance(0.99), rise.AtChance(0.99), 3) << "a rise from zero would be large";
}

TEST(RiseForecast, WhatIsNoNumberIsAGap) {
  RiseForecast rise(kOptions);
  for (int step = 0; step < 200; ++step) rise.Add(7);
  rise.Add(std::nan(""));
  EXPECT_FALSE(rise.known());
  rise.Add(INFINITY);
  EXPECT_FALSE(rise.known());
  rise.Add(-3);
  EXPECT_EQ(rise.now(), 0) << "nothing measured here is below zero";
}

}  // namespace
}  // namespace gnomon
