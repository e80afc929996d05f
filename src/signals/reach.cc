// SPDX-License-Identifier: Apache-2.0
#include "signals/reach.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace gnomon {
namespace {

int64_t Allowed(const ScalingRule& rule, int64_t before, int64_t most) {
  if (rule.unit == ScalingRule::Unit::kInstances) return std::min(most, before + std::min(rule.value, most));
  const double grown = std::ceil(static_cast<double>(before) * (1 + static_cast<double>(rule.value) / 100));
  return grown >= static_cast<double>(most) ? most : static_cast<int64_t>(grown);
}

}  // namespace

int64_t ReachableWithin(const ScalingDirection& up, const ReachBounds& bounds, int64_t instances, int64_t within_s) {
  const int64_t most = bounds.most;
  if (instances >= most) return most;
  const int64_t looks = std::clamp(within_s, int64_t{0}, kMaxReachS) / kSyncS;
  std::vector<int64_t> reached;  // at each look
  auto before = [&](int64_t look) { return look < 0 ? instances : reached[static_cast<size_t>(look)]; };
  for (int64_t look = 0; look <= looks; ++look) {
    int64_t now = before(look - 1);
    if (look == 0 && now < bounds.least) {
      now = std::min(bounds.least, most);
    } else if (up.select != ScalingDirection::Select::kDisabled && !up.rules.empty()) {
      int64_t limit = -1;
      for (const ScalingRule& rule : up.rules) {
        const int64_t allowed = Allowed(rule, before(look - (rule.period_s + kSyncS - 1) / kSyncS), most);
        const bool first = limit < 0;
        limit = first ? allowed : up.select == ScalingDirection::Select::kMost ? std::max(limit, allowed) : std::min(limit, allowed);
      }
      now = std::max(now, limit);
    }
    if (now >= most) return most;
    reached.push_back(now);
  }
  return reached.back();
}

}  // namespace gnomon
