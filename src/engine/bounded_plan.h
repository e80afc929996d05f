// SPDX-License-Identifier: Apache-2.0
//
// A BoundedPlan is what a fleet would hold of a type, within what the settings of its network allow.
//
// Shared by those who run a Fleet: the Predictor in the server, and the engine as a process of its own.
//
// Example:
//   BoundedPlan bounded = PlanWithin(fleet, type, {.hit_rate = 0.99, .most = 50}, now_s, lead_s);
//   uint32_t count = CountFor(bounded.plan, fleet.LeftOf(type));   // to ask for
//
// Threads: free functions. Deterministic.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "engine/fleet.h"

namespace gnomon {

// How often an engine does what.
struct Pace {
  static constexpr absl::Duration kReview = absl::Minutes(1);   // all plans are made anew
  static constexpr absl::Duration kStep = absl::Seconds(1);     // between looking at what was created
  static constexpr absl::Duration kLead = absl::Seconds(5);     // that is planned for: a step, and the store
  static constexpr absl::Duration kHorizon = absl::Minutes(5);  // of what is asked for
  static constexpr absl::Duration kSave = absl::Minutes(10);    // all that was learnt; a journal goes between
  static PlannerOptions Options();
};

struct PlanBounds {
  double hit_rate = 0;          // that is asked for
  int64_t least = 0, most = 0;  // shadows of the type
  double factor = 1;            // of the plan, before it is bounded
};

struct BoundedPlan {
  Plan plan;
  uint32_t raised = 0, capped = 0;  // shadows added, taken away by the bounds
};

// If one shadow takes `lead_s` to make. 0 <= least <= most <= 2^32 - 1.
BoundedPlan PlanWithin(const Fleet& fleet, size_t type, const PlanBounds& bounds, int64_t now_s, int64_t lead_s);

// What to ask for: the target; above it no more than is still there, of what is given back slowly. `left`: of what was
// last asked for, not taken since.
uint32_t CountFor(const Plan& plan, uint32_t left);

}  // namespace gnomon
