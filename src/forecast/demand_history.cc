// SPDX-License-Identifier: Apache-2.0
#include "forecast/demand_history.h"

#include <algorithm>
#include <cmath>

namespace gnomon {

template <size_t kSize>
void DemandHistory::Tier<kSize>::Advance(double time_s, uint32_t total) {
  const int64_t boundary = static_cast<int64_t>(std::floor(time_s / step_s));
  for (int64_t b = std::max(last + 1, boundary - int64_t{kSize} + 1); b <= boundary; ++b) {
    sums[static_cast<size_t>(b) % kSize] = total;
  }
  last = std::max(last, boundary);
}

// Counted from `time_s`, which it covers, up to now.
template <size_t kSize>
double DemandHistory::Tier<kSize>::Since(double time_s, double now_s, uint32_t total) const {
  const int64_t boundary = std::max<int64_t>(0, static_cast<int64_t>(std::floor(time_s / step_s)));
  const uint32_t before = total - sums[static_cast<size_t>(boundary) % kSize];
  const bool has_next = boundary < last;
  const uint32_t after = has_next ? total - sums[static_cast<size_t>(boundary + 1) % kSize] : 0;
  const double from_s = static_cast<double>(boundary) * step_s;
  const double length_s = has_next ? step_s : now_s - from_s;
  const double share = length_s <= 0 ? 0 : std::clamp((time_s - from_s) / length_s, 0.0, 1.0);
  return static_cast<double>(before) + share * (static_cast<double>(after) - static_cast<double>(before));
}

template <size_t kSize>
double DemandHistory::Tier<kSize>::Max(int n) const {
  uint32_t largest = 0;
  for (int64_t b = std::max<int64_t>(0, last - n); b < last; ++b) {
    largest = std::max(largest, sums[static_cast<size_t>(b + 1) % kSize] - sums[static_cast<size_t>(b) % kSize]);
  }
  return largest;
}

void DemandHistory::Advance(double time_s) {
  seconds_.Advance(time_s, total_);
  ticks_.Advance(time_s, total_);
  minutes_.Advance(time_s, total_);
  five_minutes_.Advance(time_s, total_);
  now_s_ = time_s;
}

void DemandHistory::Add(double time_s, uint32_t count) {
  Advance(time_s);
  total_ += count;
}

double DemandHistory::MaxMinute(int n) const { return minutes_.Max(n); }

double DemandHistory::MaxFiveMinutes(int n) const { return five_minutes_.Max(n); }

double DemandHistory::Since(double time_s) const {
  if (time_s >= now_s_) return 0;
  if (seconds_.Covers(time_s)) return seconds_.Since(time_s, now_s_, total_);
  if (ticks_.Covers(time_s)) return ticks_.Since(time_s, now_s_, total_);
  if (minutes_.Covers(time_s)) return minutes_.Since(time_s, now_s_, total_);
  const double oldest_s = five_minutes_.step_s * static_cast<double>(five_minutes_.last - 2311);
  return five_minutes_.Since(std::max(time_s, oldest_s), now_s_, total_);
}

}  // namespace gnomon
