// SPDX-License-Identifier: Apache-2.0
//
// An EventSizes learns how many creations each occurrence of a calendar's event has brought.
//
// What the next one brings is taken to be a high quantile of the last kLast: an occurrence that is larger than expected
// misses, one that is smaller leaves shadows idle for minutes.
//
// Example:
//   sizes.Record("nightly", 120);
//   if (std::optional<EventSize> size = sizes.Expected("nightly")) Announce(size->count);
//
// Threads: not thread-safe. Deterministic. Limits: kMaxEvents, the last kLast of each. Cost: a sort of kLast.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gnomon {

struct EventSize {
  uint32_t count = 0;        // to expect
  uint32_t median = 0;
  size_t occurrences = 0;  // that it was learnt from
};

class EventSizes {
 public:
  static constexpr size_t kMaxEvents = 1000;
  static constexpr size_t kLast = 20;
  static constexpr double kQuantile = 0.9;

  // The event's occurrence that is over has brought so many. False: there are kMaxEvents others.
  bool Record(const std::string& event, uint32_t created) {
    auto found = last_.find(event);
    if (found == last_.end()) {
      if (last_.size() >= kMaxEvents) return false;
      found = last_.try_emplace(event).first;
    }
    found->second.push_back(created);
    if (found->second.size() > kLast) found->second.pop_front();
    return true;
  }
  void Forget(const std::string& event) { last_.erase(event); }

  // nullopt: no occurrence is over.
  std::optional<EventSize> Expected(const std::string& event) const {
    const auto found = last_.find(event);
    if (found == last_.end()) return std::nullopt;
    std::vector<uint32_t> sorted(found->second.begin(), found->second.end());
    std::sort(sorted.begin(), sorted.end());
    const auto at = [&](double quantile) { return sorted[static_cast<size_t>(quantile * static_cast<double>(sorted.size() - 1) + 0.5)]; };
    return EventSize{.count = at(kQuantile), .median = at(0.5), .occurrences = sorted.size()};
  }

 private:
  std::map<std::string, std::deque<uint32_t>> last_;  // never empty
};

}  // namespace gnomon
