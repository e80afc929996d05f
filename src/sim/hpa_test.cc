// SPDX-License-Identifier: Apache-2.0
//
// The cases that Kubernetes' documentation of the HorizontalPodAutoscaler works out.
#include "sim/hpa.h"

#include <gmock/gmock.h>

#include <vector>

namespace gnomon {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

// The counts after each of `syncs` calls with the same total, from 15 s on.
std::vector<int64_t> Counts(Hpa hpa, double total, int syncs) {
  std::vector<int64_t> counts;
  for (int i = 1; i <= syncs; ++i) counts.push_back(hpa.Sync(i * HpaRules::kSyncS, total));
  return counts;
}

TEST(Hpa, ScalesByTheRatioOfMetricToTarget) {
  const HpaRules rules{.least = 1, .most = 100, .target = 100, .down = {.rules = {{HpaRule::Unit::kPercent, 100, 15}}}};
  EXPECT_THAT(Counts(Hpa(rules, 3), 3 * 200, 1), ElementsAre(6)) << "200m of 100m: doubled";
  EXPECT_THAT(Counts(Hpa(rules, 6), 6 * 50, 1), ElementsAre(3)) << "50m of 100m: halved";
}

TEST(Hpa, PassesOverARatioWithinTheTolerance) {
  const HpaRules rules{.least = 1, .most = 100, .target = 10, .down = {.rules = {{HpaRule::Unit::kPercent, 100, 15}}}};
  EXPECT_THAT(Counts(Hpa(rules, 10), 109, 2), ElementsAre(10, 10));
  EXPECT_THAT(Counts(Hpa(rules, 10), 91, 2), ElementsAre(10, 10));
  EXPECT_THAT(Counts(Hpa(rules, 10), 112, 1), ElementsAre(12)) << "1.12: rounded up";
}

TEST(Hpa, GoesUpByFourPodsOrTwiceTheCountIn15Seconds) {
  const HpaRules rules{.least = 1, .most = 60, .target = 1};
  EXPECT_THAT(Counts(Hpa(rules, 1), 1000, 6), ElementsAre(5, 10, 20, 40, 60, 60));
}

TEST(Hpa, WaitsFiveMinutesBeforeItGoesDown) {
  Hpa hpa({.least = 1, .most = 100, .target = 1}, 50);
  EXPECT_EQ(hpa.Sync(15, 50), 50);
  for (int i = 2; i <= 20; ++i) EXPECT_EQ(hpa.Sync(i * 15, 10), 50) << i;
  EXPECT_EQ(hpa.Sync(21 * 15, 10), 10) << "the last 50 was wanted 300 s ago";
}

// "If there are 80 replicas and the target has to be scaled down to 10": 10 percent or 4 pods a minute, the larger.
TEST(Hpa, GoesDownByTheRuleThatTakesMost) {
  const HpaRules rules{
      .least = 1,
      .most = 100,
      .target = 1,
      .down = {.rules = {{HpaRule::Unit::kPods, 4, 60}, {HpaRule::Unit::kPercent, 10, 60}}}};
  Hpa hpa(rules, 80);
  std::vector<int64_t> counts;
  for (int minute = 1; minute <= 9; ++minute) {
    counts.push_back(hpa.Sync(minute * 60, 10));
    EXPECT_EQ(hpa.Sync(minute * 60 + 30, 10), counts.back()) << "once a period";
  }
  EXPECT_THAT(counts, ElementsAreArray({72, 64, 57, 51, 45, 40, 36, 32, 28}));
}

TEST(Hpa, SelectsTheLeastRuleOrNone) {
  HpaRules rules{.least = 1, .most = 100, .target = 1};
  rules.up.select = HpaRules::Select::kMin;
  EXPECT_THAT(Counts(Hpa(rules, 10), 100, 2), ElementsAre(14, 18));
  rules.up.select = HpaRules::Select::kDisabled;
  EXPECT_THAT(Counts(Hpa(rules, 10), 100, 2), ElementsAre(10, 10));
}

TEST(Hpa, TakesTheLeastThatWasWantedInTheWindowOfGoingUp) {
  HpaRules rules{.least = 1, .most = 100, .target = 1};
  rules.up.stabilization_s = 60;
  Hpa hpa(rules, 10);
  EXPECT_EQ(hpa.Sync(15, 10), 10);
  EXPECT_EQ(hpa.Sync(30, 20), 10);
  EXPECT_EQ(hpa.Sync(45, 20), 10);
  EXPECT_EQ(hpa.Sync(60, 20), 10);
  EXPECT_EQ(hpa.Sync(75, 18), 18) << "10 was wanted 60 s ago, 18 and 20 since";
}

}  // namespace
}  // namespace gnomon
