// SPDX-License-Identifier: Apache-2.0
//
// A Planner::Key is what a planner keeps of one key. For the planner's own files alone.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "plan/planner.h"
#include "plan/recent_quantiles.h"

namespace gnomon {

// A forecast whose outcome is not known yet.
struct Planner::Pending {
  double time_s = 0;
  double level = 0;
  std::array<float, kFeatures> features{};

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.time_s, self.level, self.features);
  }
};

struct Planner::Key {
  static constexpr double kNeedsMemory = 1440;  // minutes

  explicit Key(size_t lead_ticks) : linear(kLags), pools(lead_ticks) {}

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.history, self.linear, self.pools, self.needs, self.pending, self.burst_s);
    archive(self.own_score, self.known_minutes, self.level, self.keep, self.seen);
    archive(self.target.at_one, self.target.below, self.target.beyond, self.target.most);
  }

  size_t number = 0;
  DemandHistory history;
  LeastSquares linear;
  VirtualPools pools;
  RecentQuantiles needs{kNeedsMemory};
  std::vector<Pending> pending;  // the newest last
  double own_score = 0;          // the largest of late
  double known_minutes = 0;      // of which the need is known
  double burst_s = -1e18;        // the last one
  double level = 0;              // of the last forecast
  Elastic target;
  double keep = 0;  // at the multiple 1
  bool seen = false;
};

}  // namespace gnomon
