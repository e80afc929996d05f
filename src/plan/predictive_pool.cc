// SPDX-License-Identifier: Apache-2.0
#include "plan/predictive_pool.h"

#include <utility>

namespace gnomon {

PredictivePool::PredictivePool(size_t types, const SimulationOptions& options, std::vector<double> hit_rates)
    : hit_rates_(std::move(hit_rates)),
      planner_({.lead_s = options.rules.lead_max_s, .review_s = options.review_s, .capacity = options.capacity}),
      levels_(types, std::vector<Level>(hit_rates_.size())) {
  for (size_t type = 0; type < types; ++type) planner_.AddKey();
}

void PredictivePool::Created(const Demand& demand) {
  if (planner_.Created(demand.type, demand.time_s, static_cast<uint32_t>(demand.count), demand.batch)) {
    Plan(demand.type);
  }
}

void PredictivePool::Announced(double time_s, const Announcement& announcement) {
  planner_.Announced(time_s, announcement);
  Plan(announcement.type);
}

void PredictivePool::Wake(double time_s) {
  planner_.Wake(time_s);
  for (size_t type = 0; type < levels_.size(); ++type) Plan(type);
}

void PredictivePool::Review(double time_s) {
  planner_.Review(time_s);
  for (size_t type = 0; type < levels_.size(); ++type) Plan(type);
}

void PredictivePool::Plan(size_t type) {
  for (size_t point = 0; point < hit_rates_.size(); ++point) {
    levels_[type][point] = planner_.PlanFor(type, hit_rates_[point]).level;
  }
}

}  // namespace gnomon
