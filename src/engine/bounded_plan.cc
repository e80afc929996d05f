// SPDX-License-Identifier: Apache-2.0
#include "engine/bounded_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gnomon {
namespace {

uint32_t AsCount(int64_t number) {
  return static_cast<uint32_t>(std::clamp<int64_t>(number, 0, std::numeric_limits<uint32_t>::max()));
}

}  // namespace

PlannerOptions Pace::Options() {
  return {.lead_s = absl::ToDoubleSeconds(kLead), .review_s = absl::ToDoubleSeconds(kReview)};
}

BoundedPlan PlanWithin(const Fleet& fleet, size_t type, const PlanBounds& bounds, int64_t now_s, int64_t lead_s) {
  BoundedPlan bounded;
  bounded.plan = fleet.PlanFor(type, bounds.hit_rate, now_s, lead_s);
  Level& level = bounded.plan.level;
  for (int64_t* number : {&level.low, &level.fill, &level.keep}) {
    *number = std::llround(std::ceil(static_cast<double>(*number) * bounds.factor));
  }
  bounded.raised = AsCount(bounds.least - level.fill);
  bounded.capped = AsCount(level.fill - bounds.most);
  level.fill = std::clamp(level.fill, bounds.least, bounds.most);
  level.keep = std::clamp(level.keep, level.fill, bounds.most);
  return bounded;
}

uint32_t CountFor(const Plan& plan, uint32_t left) {
  return AsCount(std::max(plan.level.fill, std::min<int64_t>(left, plan.level.keep)));
}

}  // namespace gnomon
