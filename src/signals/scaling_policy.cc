// SPDX-License-Identifier: Apache-2.0
#include "signals/scaling_policy.h"

namespace gnomon {

ScalingDirection ScalingDirection::DefaultUp() {
  return {.rules = {{ScalingRule::Unit::kInstances, 4, 15}, {ScalingRule::Unit::kPercent, 100, 15}}};
}

ScalingDirection ScalingDirection::DefaultDown() {
  return {.stabilization_s = 300, .rules = {{ScalingRule::Unit::kPercent, 100, 15}}};
}

std::string_view PrefixOf(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::kAutoscaler: return "hpa";
    case PolicyKind::kWorkload: return "deployment";
    case PolicyKind::kScaledObject: return "scaledobject";
    case PolicyKind::kGroup: return "group";
    case PolicyKind::kScheduledAction: return "scheduled-action";
    case PolicyKind::kScalingPolicy: return "scaling-policy";
  }
  return "";
}

}  // namespace gnomon
