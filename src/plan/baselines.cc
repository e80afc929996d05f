// SPDX-License-Identifier: Apache-2.0
#include "plan/baselines.h"

#include <algorithm>
#include <cmath>

namespace gnomon {
namespace {

constexpr double kMinuteS = 60;
constexpr int64_t kRollingRefresh = 5;  // minutes

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const double rank = std::max(1.0, std::ceil(q * static_cast<double>(values.size() + 1)));
  auto at = values.begin() + static_cast<ptrdiff_t>(std::min(rank, static_cast<double>(values.size()))) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

MinutePool::MinutePool(size_t types, const SimulationOptions& options, std::vector<double> settings)
    : warmup_s_(options.warmup_s),
      window_(static_cast<int64_t>(std::ceil((options.review_s + options.rules.lead_max_s) / kMinuteS))),
      settings_(std::move(settings)),
      minutes_(types),
      targets_(types, std::vector<int64_t>(settings_.size(), 1)) {}

void MinutePool::Created(const Demand& demand) {
  std::vector<double>& minutes = minutes_[demand.type];
  const size_t minute = static_cast<size_t>(demand.time_s / kMinuteS);
  if (minutes.size() <= minute) minutes.resize(minute + 1, 0);
  minutes[minute] += static_cast<double>(demand.count);
}

Level MinutePool::LevelOf(size_t type, size_t point) const { return Level::Exactly(targets_[type][point]); }

std::vector<double> MinutePool::Windows(size_t type, int64_t begin, int64_t end) const {
  const std::vector<double>& minutes = minutes_[type];
  std::vector<double> windows;
  for (int64_t start = begin; start < end; ++start) {
    double sum = 0;
    for (int64_t m = std::max<int64_t>(start, 0); m < start + window_; ++m) {
      if (m < static_cast<int64_t>(minutes.size())) sum += minutes[m];
    }
    windows.push_back(sum);
  }
  return windows;
}

void MinutePool::SetTarget(size_t type, size_t point, double target) {
  targets_[type][point] = std::max<int64_t>(1, std::llround(target));
}

void ProportionalPool::Review(double time_s) {
  if (time_s != warmup_s_ || time_s == 0) return;
  for (size_t type = 0; type < minutes_.size(); ++type) {
    double sum = 0;
    for (double count : minutes_[type]) sum += count;
    for (size_t point = 0; point < points(); ++point) SetTarget(type, point, settings_[point] * sum / time_s * 300);
  }
}

void QuantilePool::Review(double time_s) {
  if (time_s != warmup_s_) return;
  for (size_t type = 0; type < minutes_.size(); ++type) {
    const std::vector<double> windows = Windows(type, 0, static_cast<int64_t>(time_s / kMinuteS) - window_ + 1);
    for (size_t point = 0; point < points(); ++point) SetTarget(type, point, Quantile(windows, settings_[point]));
  }
}

void RollingPool::Review(double time_s) {
  const int64_t minute = static_cast<int64_t>(time_s / kMinuteS);
  if (time_s < warmup_s_ || (minute % kRollingRefresh != 0 && time_s != warmup_s_)) return;
  for (size_t type = 0; type < minutes_.size(); ++type) {
    if (minutes_[type].empty()) continue;
    const std::vector<double> windows = Windows(type, minute - window_ - span_ + 1, minute - window_ + 1);
    for (size_t point = 0; point < points(); ++point) SetTarget(type, point, Quantile(windows, settings_[point]));
  }
}

void AzurePool::Created(const Demand& demand) {
  Review(demand.time_s);
  live_[demand.type] += demand.count;
  if (std::isfinite(demand.lifetime_s)) {
    ends_.push({demand.time_s + demand.lifetime_s, demand.type, demand.count});
  }
}

void AzurePool::Review(double time_s) {
  for (; !ends_.empty() && ends_.top().time_s <= time_s; ends_.pop()) live_[ends_.top().type] -= ends_.top().count;
}

Level AzurePool::LevelOf(size_t type, size_t point) const {
  const Point& p = points_[point];
  const double live = static_cast<double>(live_[type]);
  return Level::Exactly(std::llround(p.batch * std::ceil(p.free + live / p.batch) - live));
}

OraclePool::OraclePool(const SimulatedTrace* trace, const SimulationOptions& options)
    : trace_(*trace), window_s_(options.review_s + options.rules.lead_max_s), ahead_(trace->types.size(), 0) {}

void OraclePool::Review(double time_s) {
  const std::vector<Demand>& demand = trace_.demand;
  for (; last_ < demand.size() && demand[last_].time_s < time_s + window_s_; ++last_) {
    ahead_[demand[last_].type] += demand[last_].count;
  }
  for (; first_ < last_ && demand[first_].time_s < time_s; ++first_)
    ahead_[demand[first_].type] -= demand[first_].count;
}

}  // namespace gnomon
