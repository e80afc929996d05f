// SPDX-License-Identifier: Apache-2.0
#include "signals/target_tracking.h"

#include <algorithm>
#include <cmath>

namespace gnomon {

int64_t WantedBy(const TargetTracking& rule, double total, int64_t instances) {
  const double most = static_cast<double>(rule.most);
  const int64_t wanted = static_cast<int64_t>(std::ceil(std::min(total / rule.target, most)));
  if (instances <= 0) return wanted;
  const double ratio = total / (rule.target * static_cast<double>(instances));
  return std::abs(ratio - 1) <= rule.tolerance ? instances : wanted;
}

Outlook ExpectedBy(const TargetTracking& rule, const RiseForecast& metric, int64_t instances) {
  Outlook outlook{};
  for (size_t i = 0; i < kChances; ++i) {
    const int64_t wanted = WantedBy(rule, metric.AtChance(ChanceOf(i)), instances);
    outlook[i] = static_cast<uint32_t>(std::clamp<int64_t>(wanted - instances, i == 0 ? 0 : outlook[i - 1], rule.most));
  }
  return outlook;
}

}  // namespace gnomon
