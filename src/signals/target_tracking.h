// SPDX-License-Identifier: Apache-2.0
//
// Target tracking is the rule of most autoscalers: as many instances as keep a metric near a target for each of them.
//
// What it will do within moments follows from how far the metric may rise: the count is the metric over the target,
// rounded up, once their ratio for the present count has left the tolerance; within what the policy allows.
//
// Source: kubernetes.io, Horizontal Pod Autoscaling, "Algorithm details".
//
// Threads: free functions. Deterministic.
#pragma once

#include <cstdint>
#include <limits>

#include "forecast/rise_forecast.h"
#include "plan/outlook.h"

namespace gnomon {

struct TargetTracking {
  double target = 1;       // of the metric, an instance: above zero
  double tolerance = 0.1;  // of the ratio, within which nothing happens
  int64_t most = std::numeric_limits<int32_t>::max();  // instances, that the policy can reach within the horizon
};

// The instances that the rule wants if the metric, summed over all of them, is `total`.
int64_t WantedBy(const TargetTracking& rule, double total, int64_t instances);

// What is created within the horizon of `metric`, which is known().
Outlook ExpectedBy(const TargetTracking& rule, const RiseForecast& metric, int64_t instances);

}  // namespace gnomon
