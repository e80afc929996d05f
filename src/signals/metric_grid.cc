// SPDX-License-Identifier: Apache-2.0
#include "signals/metric_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gnomon {
namespace {

// Both for times after 1970 alone, which Add sees to.
int64_t RoundUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

MetricGrid::Taken MetricGrid::Add(const std::string& series, const Sample& sample, bool adds) {
  if (sample.time_ms <= 0) return Taken::kTooOld;
  const int64_t step = RoundUp(sample.time_ms, step_ms_);
  if (newest_.has_value() && step <= *newest_ - kWindowSteps) return Taken::kTooOld;
  auto found = series_.find(series);
  if (found == series_.end()) {
    if (series_.size() >= kMaxSeries) return Taken::kTooManySeries;
    found = series_.try_emplace(series).first;
  }
  Line& line = found->second;
  Entry entry{step, sample.time_ms, sample.value, sample.ends};
  if (adds && !sample.ends) {
    // Increases that come late still count, from now on.
    if (!line.entries.empty() && line.entries.back().time_ms > entry.time_ms) {
      entry.step = line.entries.back().step;
      entry.time_ms = line.entries.back().time_ms + 1;
    }
    line.total += sample.value;
    entry.value = line.total;
  }
  const Taken taken = Insert(line, entry);
  if (taken != Taken::kTaken) return taken;
  last_sample_ms_ = std::max(last_sample_ms_.value_or(0), sample.time_ms);
  Advance(entry.step);
  return Taken::kTaken;
}

MetricGrid::Taken MetricGrid::Insert(Line& line, const Entry& entry) {
  auto after = line.entries.end();
  while (after != line.entries.begin() && std::prev(after)->step > entry.step) --after;
  if (after == line.entries.begin() || std::prev(after)->step < entry.step) {
    line.entries.insert(after, entry);
    return Taken::kTaken;
  }
  Entry& there = *std::prev(after);
  if (there.time_ms > entry.time_ms) return Taken::kSuperseded;
  if (there.time_ms == entry.time_ms && there.ends == entry.ends && there.value == entry.value) return Taken::kSuperseded;
  if (there.time_ms == entry.time_ms) return Taken::kDuplicate;
  there = entry;
  return Taken::kTaken;
}

// After an insertion at `step`: what is combined from there on is not right any more, and what leaves the window is
// combined while it can be.
void MetricGrid::Advance(int64_t step) {
  if (!newest_.has_value()) {
    newest_ = unsettled_ = step;
    return;
  }
  unsettled_ = std::min(unsettled_, step);
  if (step <= *newest_) return;
  if (unsettled_ <= step - kWindowSteps) {
    Settle(std::min(step - 1, *newest_ + lookback_));
    unsettled_ = std::max(unsettled_, step - kWindowSteps + 1);
  }
  newest_ = step;
}

void MetricGrid::Settle(int64_t until) {
  if (!newest_.has_value() || until < unsettled_) return;
  const int64_t first = unsettled_, oldest = *newest_ - kWindowSteps - lookback_ - 1;
  std::vector<double> values(static_cast<size_t>(until - first + 1));
  std::vector<uint32_t> counts(values.size());
  for (auto at = series_.begin(); at != series_.end();) {
    Combine(at->second, first, &values, &counts);
    std::deque<Entry>& entries = at->second.entries;
    while (!entries.empty() && entries.front().step <= oldest) entries.pop_front();
    if (entries.empty()) {
      series_.erase(at++);
    } else {
      ++at;
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (options_.combine == MetricCombine::kMean && counts[i] > 0) values[i] /= counts[i];
    Keep(first + static_cast<int64_t>(i), counts[i] > 0 ? std::optional<double>(values[i]) : std::nullopt);
  }
  unsettled_ = until + 1;
  while (!blocks_.empty() && (blocks_.begin()->first + 1) * kBlockSteps <= *newest_ - kKeptSteps) blocks_.erase(blocks_.begin());
}

void MetricGrid::Combine(const Line& line, int64_t first, std::vector<double>* values,
                         std::vector<uint32_t>* counts) const {
  size_t next = 0;
  std::optional<double> before;
  for (int64_t step = first - 1; step < first + static_cast<int64_t>(values->size()); ++step) {
    while (next < line.entries.size() && line.entries[next].step <= step) ++next;
    std::optional<double> value;
    if (next > 0) {
      const Entry& last = line.entries[next - 1];
      if (!last.ends && last.time_ms > step * step_ms_ - kLookbackMs) value = last.value;
    }
    std::optional<double> counted = value;
    if (options_.increases) {
      counted = std::nullopt;
      if (value.has_value() && before.has_value()) counted = *value >= *before ? *value - *before : *value;
    }
    before = value;
    if (step < first || !counted.has_value()) continue;
    const auto i = static_cast<size_t>(step - first);
    double& sum = (*values)[i];
    const bool is_first = (*counts)[i]++ == 0;
    if (is_first) {
      sum = *counted;
    } else {
      sum = options_.combine == MetricCombine::kMax ? std::max(sum, *counted) : sum + *counted;
    }
  }
}

void MetricGrid::Keep(int64_t step, std::optional<double> value) {
  const int64_t number = step / kBlockSteps;
  auto block = blocks_.find(number);
  if (block == blocks_.end()) {
    if (!value.has_value()) return;
    block = blocks_.try_emplace(number).first;
    block->second.fill(std::numeric_limits<double>::quiet_NaN());
  }
  block->second[static_cast<size_t>(step % kBlockSteps)] = value.value_or(std::numeric_limits<double>::quiet_NaN());
}

std::optional<double> MetricGrid::At(int64_t step) const {
  const auto block = blocks_.find(step / kBlockSteps);
  if (block == blocks_.end()) return std::nullopt;
  const double value = block->second[static_cast<size_t>(step % kBlockSteps)];
  return std::isnan(value) ? std::nullopt : std::optional<double>(value);
}

std::vector<MetricPoint> MetricGrid::Points(int64_t from_s, int64_t until_s) {
  std::vector<MetricPoint> points;
  if (!newest_.has_value()) return points;
  const int64_t last = std::min(*newest_ + lookback_, until_s / options_.step_s);
  Settle(last);
  const int64_t first = std::max({RoundUp(std::max<int64_t>(from_s, 0), options_.step_s), *newest_ - kKeptSteps + 1, int64_t{0}});
  for (int64_t step = first; step <= last; ++step) {
    if (const std::optional<double> value = At(step)) points.push_back({step * options_.step_s, *value});
  }
  return points;
}

std::optional<MetricPoint> MetricGrid::Latest(int64_t now_ms) {
  if (!newest_.has_value()) return std::nullopt;
  const int64_t step = std::max(*newest_, RoundUp(std::max<int64_t>(now_ms, 0), step_ms_));
  if (step > *newest_ + lookback_) return std::nullopt;
  Settle(step);
  const std::optional<double> value = At(step);
  if (!value.has_value()) return std::nullopt;
  return MetricPoint{*last_sample_ms_ / 1000, *value};
}

}  // namespace gnomon
