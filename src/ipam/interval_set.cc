// SPDX-License-Identifier: Apache-2.0
#include "ipam/interval_set.h"

#include <algorithm>
#include <iterator>

namespace gnomon {

void IntervalSet::Add(Interval interval) {
  auto at = intervals_.upper_bound(interval.first);
  if (at != intervals_.begin() && std::prev(at)->second + 1 >= interval.first) --at;
  while (at != intervals_.end() && at->first <= interval.last + 1) {
    interval = {std::min(interval.first, at->first), std::max(interval.last, at->second)};
    at = intervals_.erase(at);
  }
  intervals_.emplace(interval.first, interval.last);
}

void IntervalSet::Remove(Interval interval) {
  auto at = intervals_.upper_bound(interval.first);
  if (at != intervals_.begin() && std::prev(at)->second >= interval.first) --at;
  while (at != intervals_.end() && at->first <= interval.last) {
    Interval old{at->first, at->second};
    intervals_.erase(at);
    if (old.first < interval.first) intervals_.emplace(old.first, interval.first - 1);
    if (old.last > interval.last) intervals_.emplace(interval.last + 1, old.last);
    at = intervals_.upper_bound(interval.first);
  }
}

IntervalSet::Number IntervalSet::size() const {
  Number sum = 0;
  for (const auto& [first, last] : intervals_) sum += last - first + 1;
  return sum;
}

bool IntervalSet::Overlaps(Interval interval) const {
  std::optional<Number> next = FindNext(interval.first);
  return next && *next <= interval.last;
}

std::optional<IntervalSet::Number> IntervalSet::FindNext(Number from) const {
  auto at = intervals_.upper_bound(from);
  if (at != intervals_.begin() && std::prev(at)->second >= from) return from;
  if (at == intervals_.end()) return std::nullopt;
  return at->first;
}

std::optional<IntervalSet::Number> IntervalSet::FindAligned(int log2) const {
  Number mask = (Number(1) << log2) - 1;
  for (const auto& [first, last] : intervals_) {
    Number start = (first + mask) & ~mask;
    if (start >= first && start <= last && last - start >= mask) return start;
  }
  return std::nullopt;
}

void IntervalSet::ForEach(Interval within, absl::FunctionRef<bool(Interval)> visit) const {
  auto at = intervals_.upper_bound(within.first);
  if (at != intervals_.begin() && std::prev(at)->second >= within.first) --at;
  for (; at != intervals_.end() && at->first <= within.last; ++at) {
    if (!visit({std::max(at->first, within.first), std::min(at->second, within.last)})) return;
  }
}

void IntervalSet::ForEach(absl::FunctionRef<bool(Interval)> visit) const { ForEach({0, absl::Uint128Max()}, visit); }

IntervalSet IntervalSet::Minus(const IntervalSet& other) const {
  IntervalSet rest = *this;
  other.ForEach([&](Interval interval) {
    rest.Remove(interval);
    return true;
  });
  return rest;
}

}  // namespace gnomon
