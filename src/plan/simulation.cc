// SPDX-License-Identifier: Apache-2.0
#include "plan/simulation.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "plan/even_draw.h"

namespace gnomon {
namespace {

constexpr double kDayS = 86400;

double Rate(int64_t hits, int64_t creations) {
  return creations == 0 ? 1 : static_cast<double>(hits) / static_cast<double>(creations);
}

// All pools of one point.
class Fleet {
 public:
  Fleet(const SimulatedTrace& trace, const SimulationOptions& options, const std::vector<size_t>& judged,
        const Policy& policy, size_t point)
      : policy_(policy),
        point_(point),
        options_(options),
        day_end_s_(options.warmup_s + kDayS),
        pools_(trace.types.size()),
        batch_of_(trace.batches + 1) {
    space_.capacity = options.capacity;
    if (options.bin_s > 0) bins_.resize(trace.types.size());
    for (size_t type : judged) {
      pools_[type].emplace(options.rules, &space_, policy.LevelOf(type, point), options.warmup_s, options.seed + type);
    }
  }

  void Review(double time_s) {
    for (size_t type = 0; type < pools_.size(); ++type) {
      if (!pools_[type]) continue;
      pools_[type]->Advance(time_s);
      if (TimeBin* bin = BinAt(type, time_s)) {
        bin->held += static_cast<float>(static_cast<double>(pools_[type]->ready()) * options_.review_s / options_.bin_s);
      }
      pools_[type]->Review(time_s, policy_.LevelOf(type, point_));
    }
    if (time_s >= day_end_s_) EndDay();
  }

  void Take(const Demand& demand) {
    std::optional<SimulatedPool>& pool = pools_[demand.type];
    if (!pool) return;
    pool->Advance(demand.time_s);
    const int64_t hits = pool->Take(demand.time_s, demand.count);
    Tally& hour = hours_[static_cast<int64_t>(demand.time_s / 3600)];
    hour.creations += demand.count;
    hour.hits += hits;
    if (TimeBin* bin = BinAt(demand.type, demand.time_s)) {
      bin->creations += static_cast<uint32_t>(demand.count);
      bin->misses += static_cast<uint32_t>(demand.count - hits);
    }
    if (demand.batch == 0) return;
    batch_of_[demand.batch].creations += demand.count;
    batch_of_[demand.batch].hits += hits;
  }

  void Refill(size_t type, double time_s) {
    if (!pools_[type]) return;
    pools_[type]->Advance(time_s);
    pools_[type]->SetLevel(time_s, policy_.LevelOf(type, point_));
  }

  void RefillAll(double time_s) {
    for (size_t type = 0; type < pools_.size(); ++type) Refill(type, time_s);
  }

  PointScore Finish(const SimulatedTrace& trace) {
    PointScore score;
    for (size_t type = 0; type < pools_.size(); ++type) {
      if (!pools_[type]) continue;
      pools_[type]->Advance(trace.end_s);
      score.types.push_back({trace.types[type], pools_[type]->score()});
      if (!bins_.empty()) score.types.back().bins = std::move(bins_[type]);
      score.sum.Add(pools_[type]->score());
    }
    EndDay();
    score.days = std::move(days_);
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
  // None if there are no bins.
  TimeBin* BinAt(size_t type, double time_s) {
    if (bins_.empty()) return nullptr;
    const auto index = static_cast<size_t>((time_s - options_.warmup_s) / options_.bin_s);
    if (bins_[type].size() <= index) bins_[type].resize(index + 1);
    return &bins_[type][index];
  }

  // Since the end of the day before.
  void EndDay() {
    DayScore until;
    for (const std::optional<SimulatedPool>& pool : pools_) {
      if (!pool) continue;
      until.creations += pool->score().creations;
      until.hits += pool->score().hits;
      until.idle_s += pool->score().idle_s;
    }
    days_.push_back({until.creations - until_.creations, until.hits - until_.hits, until.idle_s - until_.idle_s});
    until_ = until;
    day_end_s_ += kDayS;
  }

  const Policy& policy_;
  const size_t point_;
  const SimulationOptions& options_;
  double day_end_s_;
  DayScore until_;  // all days that ended
  std::vector<DayScore> days_;
  Space space_;
  std::vector<std::optional<SimulatedPool>> pools_;  // by type; none where it is not judged
  std::vector<Tally> batch_of_;
  std::map<int64_t, Tally> hours_;
  std::vector<std::vector<TimeBin>> bins_;  // by type
};

using KnownAt = std::pair<double, Announcement>;

// What is announced of a batch that comes at `announcement.at_s`; `unused` is an id of no batch.
std::optional<Announcement> Faulty(Announcement announcement, const SimulationOptions& options, uint32_t unused) {
  EvenDraw draw(options.seed ^ (uint64_t{announcement.batch} << 32) ^ announcement.type);
  if (draw.Next() >= options.announce_share) return std::nullopt;
  const double fault = draw.Next();
  if (fault < options.announce_faults) {
    announcement.at_s -= SimulationOptions::kLateS;
  } else if (fault < 2 * options.announce_faults) {
    announcement.batch = unused;
  } else if (fault < 3 * options.announce_faults) {
    announcement.count *= 2;
  }
  return announcement;
}

// When each batch becomes known, by that time.
std::vector<KnownAt> AnnouncementsOf(const SimulatedTrace& trace, const SimulationOptions& options) {
  std::vector<Announcement> batches;
  std::map<std::pair<uint32_t, size_t>, size_t> index;
  for (const Demand& demand : trace.demand) {
    if (demand.batch == 0) continue;
    auto [at, is_new] = index.emplace(std::pair(demand.batch, demand.type), batches.size());
    if (is_new) batches.push_back({demand.batch, demand.type, 0, demand.time_s});
    batches[at->second].count += demand.count;
  }
  std::vector<KnownAt> known;
  uint32_t unused = trace.batches;
  for (const Announcement& batch : batches) {
    if (std::optional<Announcement> announced = Faulty(batch, options, ++unused)) {
      known.push_back({std::max(0.0, announced->at_s - options.announce_s), *announced});
    }
  }
  std::stable_sort(known.begin(), known.end(), [](const KnownAt& a, const KnownAt& b) { return a.first < b.first; });
  return known;
}

// The events of a trace, told in order.
class Run {
 public:
  Run(const SimulatedTrace& trace, const SimulationOptions& options, Policy* policy)
      : trace_(trace), options_(options), policy_(*policy), next_demand_(trace.demand.begin()) {
    if (options.announce_s > 0) announcements_ = AnnouncementsOf(trace, options);
  }

  // All that comes before `time_s`, then the review.
  void Review(double time_s) {
    TellUntil(time_s);
    policy_.Review(time_s);
    for (Fleet& fleet : fleets_) fleet.Review(time_s);
    options_.on_progress(time_s / trace_.end_s);
  }

  // From here on there are pools.
  void Judge(const std::vector<size_t>& judged) {
    for (size_t point = 0; point < policy_.points(); ++point) {
      fleets_.emplace_back(trace_, options_, judged, policy_, point);
    }
  }

  std::vector<PointScore> Finish() {
    TellUntil(trace_.end_s);
    std::vector<PointScore> scores;
    for (Fleet& fleet : fleets_) scores.push_back(fleet.Finish(trace_));
    return scores;
  }

 private:
  void TellUntil(double end_s) {
    for (; next_demand_ != trace_.demand.end() && next_demand_->time_s < end_s; ++next_demand_) {
      Advance(next_demand_->time_s);
      for (Fleet& fleet : fleets_) fleet.Take(*next_demand_);
      policy_.Created(*next_demand_);
      for (Fleet& fleet : fleets_) fleet.Refill(next_demand_->type, next_demand_->time_s);
    }
    Advance(end_s);
  }

  // Announcements and wakes up to `time_s`, in order.
  void Advance(double time_s) {
    while (true) {
      const bool known = next_known_ < announcements_.size() && announcements_[next_known_].first <= time_s;
      const double wake_s = policy_.WakesAt();
      if (wake_s <= time_s && (!known || wake_s < announcements_[next_known_].first)) {
        policy_.Wake(wake_s);
        for (Fleet& fleet : fleets_) fleet.RefillAll(wake_s);
      } else if (known) {
        const auto& [known_s, announcement] = announcements_[next_known_++];
        policy_.Announced(known_s, announcement);
        for (Fleet& fleet : fleets_) fleet.Refill(announcement.type, known_s);
      } else {
        return;
      }
    }
  }

  const SimulatedTrace& trace_;
  const SimulationOptions& options_;
  Policy& policy_;
  std::vector<Demand>::const_iterator next_demand_;
  std::vector<KnownAt> announcements_;  // by the time they become known
  size_t next_known_ = 0;
  std::deque<Fleet> fleets_;  // one a point; none before the judged part
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
  Run run(trace, options, policy);
  double review_s = 0;
  for (; review_s < options.warmup_s; review_s += options.review_s) run.Review(review_s);
  run.Review(options.warmup_s);
  run.Judge(judged);
  for (review_s = options.warmup_s + options.review_s; review_s < trace.end_s; review_s += options.review_s) {
    run.Review(review_s);
  }
  return run.Finish();
}

}  // namespace gnomon
