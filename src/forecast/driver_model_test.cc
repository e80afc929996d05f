// SPDX-License-Identifier: Apache-2.0
#include "forecast/driver_model.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gnomon {
namespace {

// A queue that swings with a period of 500 steps, and jumps now and then.
double Queue(size_t step) {
  const uint32_t noise = static_cast<uint32_t>(step / 50) * 2654435761u;
  return 200 + 100 * std::sin(static_cast<double>(step) / 80) + static_cast<double>(noise >> 28) * 10;
}

struct Fleet {
  uint32_t instances = 0;
  // One instance for ten of the queue, `lag` steps later; others end.
  DriverModel::Step Next(size_t step, size_t lag) {
    const auto wanted = static_cast<uint32_t>(Queue(step - std::min(step, lag)) / 10);
    const uint32_t created = wanted - std::min(wanted, instances);
    instances = wanted;
    return {.metric = Queue(step), .instances = instances, .created = created};
  }
};

TEST(DriverModel, TheLagIsLearntAndWhatIsOnItsWayIsSeen) {
  constexpr size_t kLag = 20, kHorizon = 4;
  DriverModel driver({.step_s = 15, .horizon = kHorizon});
  Fleet fleet, ahead;
  double sure = 0, missed = 0, needed = 0, held = 0;
  for (size_t step = 0; step < 20'000; ++step) {
    driver.Add(fleet.Next(step, kLag));
    if (step < 10'000) continue;
    ASSERT_TRUE(driver.known());
    ahead = fleet;
    double comes = 0;
    for (size_t i = 1; i <= kHorizon; ++i) comes += ahead.Next(step + i, kLag).created;
    const double most = std::ceil(driver.AtChance(0.95));
    needed += comes;
    held += most;
    missed += std::max(0.0, comes - most);
    sure += comes <= most ? 1 : 0;
  }
  EXPECT_EQ(driver.lag_s(), 300);
  EXPECT_NEAR(driver.instances_per_unit(), 0.1, 0.01);
  EXPECT_GT(driver.explained(), 0.95);
  EXPECT_GE(sure / 10'000, 0.93);
  EXPECT_LE(missed / needed, 0.05);
  EXPECT_LE(held, 3.5 * needed) << "few are held for nothing, as they are known five minutes ahead";
}

TEST(DriverModel, AMetricThatExplainsNothingIsNotUsed) {
  DriverModel driver({.step_s = 15, .horizon = 4});
  Fleet fleet;
  for (size_t step = 0; step < 5000; ++step) {
    DriverModel::Step next = fleet.Next(step, 0);
    next.metric = static_cast<double>((static_cast<uint32_t>(step) * 2654435761u) >> 20);
    driver.Add(next);
  }
  EXPECT_LT(driver.explained(), 0.1);
  EXPECT_FALSE(driver.known());
}

TEST(DriverModel, OneThatStandsStillIsNotUsedEither) {
  DriverModel driver({.step_s = 15, .horizon = 4});
  Fleet fleet;
  for (size_t step = 0; step < 2000; ++step) {
    DriverModel::Step next = fleet.Next(step, 0);
    next.metric = 7;
    driver.Add(next);
  }
  EXPECT_FALSE(driver.known());
}

TEST(DriverModel, AGapSaysNothingOfNow) {
  DriverModel driver({.step_s = 15, .horizon = 4});
  Fleet fleet;
  for (size_t step = 0; step < 5000; ++step) driver.Add(fleet.Next(step, 0));
  ASSERT_TRUE(driver.known());
  driver.Add({.metric = std::nullopt, .instances = fleet.instances});
  EXPECT_FALSE(driver.known());
}

}  // namespace
}  // namespace gnomon
