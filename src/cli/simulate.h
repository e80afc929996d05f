// SPDX-License-Identifier: Apache-2.0
//
// The names of policies that `gnomon simulate` compares, and the policies that they mean.
//
// | name | policy |
// |---|---|
// | `predictive` | the planner that the server runs, for `--target` |
// | `warm_pool=16`, `warm_pool=2x` | 16 shadows a type; twice the type's mean demand of five minutes in the warm-up |
// | `quantile=0.99` | a quantile of the type's demand in the warm-up |
// | `rolling=24h,0.99` | a quantile of its demand in the last 24 hours |
// | `azure=16,0.5` | batch and minimum free share |
// | `cilium=8,0` | pre-allocated and above the watermark |
// | `oracle` | the true demand ahead |
//
// Errors: INVALID_ARGUMENT (BAD_POLICY) for a name or number that is none of these, INVALID_DURATION for a span.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/judged_trace.h"
#include "plan/simulation.h"

namespace gnomon {

struct NamedPolicy {
  std::unique_ptr<Policy> policy;
  std::vector<std::string> points;  // their names
};

// A policy of one point, or with `sweep` of a grid of them. `target` is the predictive one's hit rate. The trace
// outlives it.
absl::StatusOr<NamedPolicy> MakePolicy(const std::string& name, const SimulatedTrace& trace,
                                       const SimulationOptions& options, double target, bool sweep);

// The rows as a simulation takes them.
SimulatedTrace ToSimulated(const JudgedTrace& judged);

}  // namespace gnomon
