// SPDX-License-Identifier: Apache-2.0
//
// Reach is how many instances a HorizontalPodAutoscaler's behavior lets there be within a time, whatever its metrics say.
//
// With R(k) the count after the controller's k-th look from now, every kSyncS, and d = period / kSyncS rounded up:
//   R(k) = max(R(k - 1), select over the rules of rule(R(k - d))), where R(k) before the first look is the present count,
// since a rule bounds the growth over what was there before its period. Never above `most`. A count below `least` is first
// raised to that, by no rule.
//
// Source: kubernetes/pkg/controller/podautoscaler/horizontal.go, calculateScaleUpLimitWithScalingRules; a Percent rule is
// rounded up in double, as there.
//
// Threads: free functions. Deterministic. Cost: a step a look of the controller, until `most` is reached.
#pragma once

#include <cstdint>

#include "signals/scaling_policy.h"

namespace gnomon {

struct ReachBounds {
  int64_t least = 1, most = 1;
};

inline constexpr int64_t kSyncS = 15;              // between two looks of the controller, as it comes
inline constexpr int64_t kMaxReachS = 7 * 86400;   // beyond it, as at it

// At most so many `within_s` seconds from now. It takes it that nothing was added before, and that the first look is now,
// so that it is never too few.
int64_t ReachableWithin(const ScalingDirection& up, const ReachBounds& bounds, int64_t instances, int64_t within_s);

}  // namespace gnomon
