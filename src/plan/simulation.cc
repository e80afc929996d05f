// SPDX-License-Identifier: Apache-2.0
#include "plan/simulation.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

namespace gnomon {
namespace {

double Rate(int64_t hits, int64_t creations) {
  return creations == 0 ? 1 : static_cast<double>(hits) / static_cast<double>(creations);
}

// All pools of one point.
class Fleet {
 public:
  Fleet(const SimulatedTrace& trace, const SimulationOptions& options, const std::vector<size_t>& judged,
        const Policy& policy, size_t point)
      : policy_(policy), point_(point), pools_(trace.types.size()), batch_of_(trace.batches + 1) {
    space_.capacity = options.capacity;
    for (size_t type : judged) {
      pools_[type].emplace(options.rules, &space_, policy.LevelOf(type, point), options.warmup_s, options.seed + type);
    }
  }

  void Review(double time_s) {
    for (size_t type = 0; type < pools_.size(); ++type) {
      if (!pools_[type]) continue;
      pools_[type]->Advance(time_s);
      pools_[type]->Review(time_s, policy_.LevelOf(type, point_));
    }
  }

  void Take(const Demand& demand) {
    std::optional<SimulatedPool>& pool = pools_[demand.type];
    if (!pool) return;
    pool->Advance(demand.time_s);
    const int64_t hits = pool->Take(demand.time_s, demand.count);
    Tally& hour = hours_[static_cast<int64_t>(demand.time_s / 3600)];
    hour.creations += demand.count;
    hour.hits += hits;
    if (demand.batch == 0) return;
    batch_of_[demand.batch].creations += demand.count;
    batch_of_[demand.batch].hits += hits;
  }

  void Refill(const Demand& demand) {
    if (pools_[demand.type]) pools_[demand.type]->SetLevel(demand.time_s, policy_.LevelOf(demand.type, point_));
  }

  PointScore Finish(const SimulatedTrace& trace) {
    PointScore score;
    for (size_t type = 0; type < pools_.size(); ++type) {
      if (!pools_[type]) continue;
      pools_[type]->Advance(trace.end_s);
      score.types.push_back({trace.types[type], pools_[type]->score()});
      score.sum.Add(pools_[type]->score());
    }
    score.peak_shadows = space_.peak;
    for (const Tally& batch : batch_of_) {
      if (batch.creations < 2) continue;
      ++score.batches;
      score.whole_batches += batch.hits == batch.creations;
    }
    for (const auto& [hour, tally] : hours_) {
      if (tally.creations < PointScore::kJudgedHour) continue;
      score.worst_hour_hit_rate = std::min(score.worst_hour_hit_rate, Rate(tally.hits, tally.creations));
    }
    return score;
  }

 private:
  struct Tally {
    int64_t creations = 0, hits = 0;
  };
  const Policy& policy_;
  const size_t point_;
  Space space_;
  std::vector<std::optional<SimulatedPool>> pools_;  // by type; none where it is not judged
  std::vector<Tally> batch_of_;
  std::map<int64_t, Tally> hours_;
};

}  // namespace

double PointScore::hit_rate() const { return Rate(sum.hits, sum.creations); }

double PointScore::idle_minutes_per_creation() const {
  return sum.creations == 0 ? 0 : sum.idle_s / 60 / static_cast<double>(sum.creations);
}

double PointScore::worst_type_hit_rate() const {
  double worst = 1;
  for (const TypeScore& type : types) worst = std::min(worst, Rate(type.pool.hits, type.pool.creations));
  return worst;
}

std::vector<size_t> JudgedTypes(const SimulatedTrace& trace, const SimulationOptions& options) {
  std::vector<int64_t> creations(trace.types.size(), 0);
  for (const Demand& demand : trace.demand) {
    if (demand.time_s >= options.warmup_s) creations[demand.type] += demand.count;
  }
  std::vector<size_t> judged;
  for (size_t type = 0; type < creations.size(); ++type) {
    if (creations[type] >= std::max<int64_t>(options.min_creations, 1)) judged.push_back(type);
  }
  return judged;
}

std::vector<PointScore> Simulate(const SimulatedTrace& trace, const SimulationOptions& options, Policy* policy) {
  const std::vector<size_t> judged = JudgedTypes(trace, options);
  std::deque<Fleet> fleets;
  auto next = trace.demand.begin();
  double review_s = 0;
  auto tell_until = [&](double end_s) {
    for (; next != trace.demand.end() && next->time_s < end_s; ++next) {
      for (Fleet& fleet : fleets) fleet.Take(*next);
      policy->Created(*next);
      for (Fleet& fleet : fleets) fleet.Refill(*next);
    }
  };
  for (; review_s < options.warmup_s; review_s += options.review_s) {
    tell_until(review_s);
    policy->Review(review_s);
  }
  tell_until(options.warmup_s);
  policy->Review(options.warmup_s);
  for (size_t point = 0; point < policy->points(); ++point) fleets.emplace_back(trace, options, judged, *policy, point);
  for (review_s = options.warmup_s + options.review_s; review_s < trace.end_s; review_s += options.review_s) {
    tell_until(review_s);
    policy->Review(review_s);
    for (Fleet& fleet : fleets) fleet.Review(review_s);
  }
  tell_until(trace.end_s);
  std::vector<PointScore> scores;
  for (Fleet& fleet : fleets) scores.push_back(fleet.Finish(trace));
  return scores;
}

}  // namespace gnomon
