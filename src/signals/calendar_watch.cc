// SPDX-License-Identifier: Apache-2.0
#include "signals/calendar_watch.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"

namespace gnomon {
namespace {

uint64_t CreatedOf(const std::map<std::string, uint64_t>& created, const std::string& type) {
  const auto found = created.find(type);
  return found == created.end() ? 0 : found->second;
}

}  // namespace

void CalendarWatch::Look(absl::Time now, const std::map<std::string, uint64_t>& created) {
  coming_.clear();
  multiplied_.clear();
  for (const CalendarEvent& event : events_) {
    const absl::Duration length = std::max(event.length, kLeastLength);
    for (const Occurrence& one : OccurrencesBetween(event, now - length, now + kAhead)) {
      if (one.begin <= now) {
        under_way_.try_emplace({event.name, one.begin},
                               UnderWay{one.begin + length, CreatedOf(created, event.type), event.type});
        if (event.factor && now < one.begin + event.length) {
          multiplied_.push_back({event.type, *event.factor, absl::StrFormat("%s: %g times as many", event.name, *event.factor)});
        }
        continue;
      }
      const std::optional<EventSize> learnt = sizes_.Expected(event.name);
      const uint32_t count = event.count.value_or(event.factor || !learnt ? 0 : learnt->count);
      if (count > 0) coming_.push_back({event.name, event.type, count, one.begin});
    }
  }
  for (auto one = under_way_.begin(); one != under_way_.end();) {
    if (now < one->second.end) {
      ++one;
      continue;
    }
    const uint64_t brought = CreatedOf(created, one->second.type) - one->second.created;
    sizes_.Record(one->first.first, static_cast<uint32_t>(std::min<uint64_t>(brought, UINT32_MAX)));
    one = under_way_.erase(one);
  }
}

}  // namespace gnomon
