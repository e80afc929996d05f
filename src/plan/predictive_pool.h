// SPDX-License-Identifier: Apache-2.0
//
// A PredictivePool is the Planner as a Policy: one planner for all types, one point for each hit rate that is asked
// for.
//
// Threads, time: as Policy; the trace starts at midnight.
#pragma once

#include <vector>

#include "plan/planner.h"
#include "plan/policy.h"
#include "plan/simulation.h"

namespace gnomon {

class PredictivePool : public Policy {
 public:
  PredictivePool(size_t types, const SimulationOptions& options, std::vector<double> hit_rates);
  size_t points() const override { return hit_rates_.size(); }
  void Created(const Demand& demand) override;
  void Announced(double time_s, const Announcement& announcement) override;
  double WakesAt() const override { return planner_.WakesAt(); }
  void Wake(double time_s) override;
  void Review(double time_s) override;
  Level LevelOf(size_t type, size_t point) const override { return levels_[type][point]; }

 private:
  void Plan(size_t type);

  const std::vector<double> hit_rates_;
  Planner planner_;
  std::vector<std::vector<Level>> levels_;  // by type and point
};

}  // namespace gnomon
