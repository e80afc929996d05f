// SPDX-License-Identifier: Apache-2.0
#include "sim/hpa.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gnomon {
namespace {

constexpr double kLongestPeriodS = 1800;

int64_t ChangedSince(const std::deque<std::pair<double, int64_t>>& changes, double time_s) {
  int64_t sum = 0;
  for (const auto& [when, count] : changes) sum += when > time_s ? count : 0;
  return sum;
}

void Keep(std::deque<std::pair<double, int64_t>>* changes, double from_s) {
  while (!changes->empty() && changes->front().first < from_s) changes->pop_front();
}

}  // namespace

int64_t Hpa::Sync(double time_s, double total) {
  int64_t wanted = replicas_;
  if (replicas_ > 0) {
    const double ratio = total / (rules_.target * static_cast<double>(replicas_));
    if (std::abs(ratio - 1) > rules_.tolerance) wanted = static_cast<int64_t>(std::ceil(total / rules_.target));
  }
  const int64_t before = replicas_;
  int64_t next = Stabilized(time_s, wanted);
  if (next > before) next = std::max(before, std::min(next, UpLimit(time_s)));
  if (next < before) next = std::min(before, std::max(next, DownLimit(time_s)));
  replicas_ = std::clamp(next, rules_.least, rules_.most);
  if (replicas_ > before) added_.emplace_back(time_s, replicas_ - before);
  if (replicas_ < before) taken_.emplace_back(time_s, before - replicas_);
  Keep(&added_, time_s - kLongestPeriodS);
  Keep(&taken_, time_s - kLongestPeriodS);
  return replicas_;
}

// The least that was wanted in the window of going up, at most; the most of that of going down, at least.
int64_t Hpa::Stabilized(double time_s, int64_t wanted) {
  wanted_.emplace_back(time_s, wanted);
  Keep(&wanted_, time_s - std::max(rules_.up.stabilization_s, rules_.down.stabilization_s));
  int64_t up = wanted, down = wanted;
  for (const auto& [when, count] : wanted_) {
    if (when > time_s - rules_.up.stabilization_s) up = std::min(up, count);
    if (when > time_s - rules_.down.stabilization_s) down = std::max(down, count);
  }
  return std::clamp(replicas_, std::min(up, down), std::max(up, down));
}

int64_t Hpa::UpLimit(double time_s) const {
  if (rules_.up.select == HpaRules::Select::kDisabled) return replicas_;
  const bool most = rules_.up.select == HpaRules::Select::kMax;
  int64_t limit = most ? 0 : std::numeric_limits<int64_t>::max();
  for (const HpaRule& rule : rules_.up.rules) {
    const int64_t start = replicas_ - ChangedSince(added_, time_s - rule.period_s);
    const int64_t one =
        rule.unit == HpaRule::Unit::kPods
            ? start + rule.value
            : static_cast<int64_t>(std::ceil(static_cast<double>(start) * (1 + static_cast<double>(rule.value) / 100)));
    limit = most ? std::max(limit, one) : std::min(limit, one);
  }
  return limit;
}

int64_t Hpa::DownLimit(double time_s) const {
  if (rules_.down.select == HpaRules::Select::kDisabled) return replicas_;
  const bool most = rules_.down.select == HpaRules::Select::kMax;
  int64_t limit = most ? std::numeric_limits<int64_t>::max() : 0;
  for (const HpaRule& rule : rules_.down.rules) {
    const int64_t start = replicas_ + ChangedSince(taken_, time_s - rule.period_s);
    const int64_t one = rule.unit == HpaRule::Unit::kPods
                            ? start - rule.value
                            : start * (100 - rule.value) / 100;  // rounded down: of 72, a tenth is 8
    limit = most ? std::min(limit, one) : std::max(limit, one);
  }
  return limit;
}

}  // namespace gnomon
