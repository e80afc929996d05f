// SPDX-License-Identifier: Apache-2.0
#include "signals/reach.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

using Unit = ScalingRule::Unit;
using Select = ScalingDirection::Select;

TEST(Reach, FollowsTheDocumentedDefaults) {
  const struct {
    int64_t instances, within_s, want;
  } cases[] = {
      {1, 0, 2}, {1, 15, 6}, {1, 30, 12}, {3, 0, 7}, {10, 0, 20}, {10, 14, 20}, {10, 30, 80}, {10, 45, 100}, {0, 0, 2}, {100, 60, 100}, {150, 0, 100},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(ReachableWithin(ScalingDirection::DefaultUp(), {.least = 2, .most = 100}, test.instances, test.within_s), test.want)
        << test.instances << " " << test.within_s;
  }
  EXPECT_EQ(ReachableWithin({.select = Select::kDisabled, .rules = {{Unit::kInstances, 4, 15}}}, {1, 100}, 7, 3600), 7);
  const ScalingDirection slow = {.select = Select::kLeast, .rules = {{Unit::kPercent, 10, 60}, {Unit::kInstances, 5, 60}}};
  EXPECT_EQ(ReachableWithin(slow, {1, 1000}, 80, 59), 85);
  EXPECT_EQ(ReachableWithin(slow, {1, 1000}, 80, 60), 90);
}

// The controller step by step: events of what was added, as kubernetes keeps them, and the largest count wanted.
int64_t Simulated(const ScalingDirection& up, const ReachBounds& bounds, int64_t instances, int64_t within_s) {
  std::vector<std::pair<int64_t, int64_t>> added;
  int64_t now = instances;
  for (int64_t at = 0; at <= within_s; at += kSyncS) {
    int64_t next = now;
    if (now >= bounds.most) {
      next = bounds.most;
    } else if (now < bounds.least) {
      next = bounds.least;
    } else if (up.select != Select::kDisabled) {
      int64_t limit = -1;
      for (const ScalingRule& rule : up.rules) {
        int64_t before = now;
        for (const auto& [time, count] : added) before -= time > at - rule.period_s ? count : 0;
        const int64_t allowed = rule.unit == Unit::kInstances
                                    ? before + rule.value
                                    : static_cast<int64_t>(std::ceil(static_cast<double>(before) * (1 + static_cast<double>(rule.value) / 100)));
        limit = limit < 0 ? allowed : up.select == Select::kMost ? std::max(limit, allowed) : std::min(limit, allowed);
      }
      next = std::min(bounds.most, std::max(now, limit));
    }
    if (next > now) added.emplace_back(at, next - now);
    now = next;
  }
  return now;
}

TEST(Reach, AgreesWithTheControllerStepByStep) {
  std::mt19937_64 random(11);
  auto draw = [&](int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random); };
  for (int i = 0; i < 3000; ++i) {
    ScalingDirection up;
    up.select = static_cast<Select>(draw(0, 2));
    const int64_t rules = draw(1, 3);
    for (int64_t rule = 0; rule < rules; ++rule) {
      up.rules.push_back({draw(0, 1) == 0 ? Unit::kInstances : Unit::kPercent, draw(1, 150), draw(1, 300)});
    }
    const int64_t least = draw(1, 20);
    const ReachBounds bounds = {.least = least, .most = least + draw(0, 2000)};
    const int64_t instances = draw(0, 200), within_s = draw(0, 1800);
    ASSERT_EQ(ReachableWithin(up, bounds, instances, within_s), Simulated(up, bounds, instances, within_s)) << "case " << i;
  }
}

}  // namespace
}  // namespace gnomon
