// SPDX-License-Identifier: Apache-2.0
//
// A CalendarWatch follows the events of a network's calendars: which begin now, what they are expected to bring, and what
// they then brought.
//
// An event with a count brings that; one with neither count nor factor what it brought before (signals/event_sizes.h),
// and nothing until one occurrence is over. An event with a factor multiplies what is planned while it lasts.
//
// Example:
//   CalendarWatch watch;
//   watch.SetEvents(events);              // whenever calendars change
//   watch.Look(now, created_so_far);
//   for (const CalendarWatch::Coming& one : watch.coming()) Announce(one);
//
// Threads: not thread-safe. Deterministic.
// Limits: EventSizes::kMaxEvents events are learnt of. What was learnt is in memory alone: a restart learns it anew.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "signals/calendar.h"
#include "signals/event_sizes.h"
#include "signals/known_creations.h"

namespace gnomon {

class CalendarWatch {
 public:
  static constexpr absl::Duration kAhead = absl::Seconds(KnownCreations::kAheadS);
  // What a moment's event brings is counted for so long.
  static constexpr absl::Duration kLeastLength = absl::Minutes(5);

  struct Coming {
    std::string event = {};
    std::string type = {};
    uint32_t count = 0;
    absl::Time at = {};
  };
  struct Multiplied {
    std::string type = {};
    double factor = 1;
    std::string rule = {};
  };

  // Their names are unique; they have passed CheckEvent.
  void SetEvents(std::vector<CalendarEvent> events) { events_ = std::move(events); }
  const std::vector<CalendarEvent>& events() const { return events_; }
  // `created`: of each type since any moment, never less than before.
  void Look(absl::Time now, const std::map<std::string, uint64_t>& created);

  // As of the last Look: what begins within kAhead, and factors that hold now.
  const std::vector<Coming>& coming() const { return coming_; }
  const std::vector<Multiplied>& multiplied() const { return multiplied_; }
  std::optional<EventSize> Learnt(const std::string& event) const { return sizes_.Expected(event); }

 private:
  struct UnderWay {
    absl::Time end;
    uint64_t created = 0;  // when it began
    std::string type = {};
  };

  std::vector<CalendarEvent> events_;
  EventSizes sizes_;
  std::map<std::pair<std::string, absl::Time>, UnderWay> under_way_;  // by event and begin
  std::vector<Coming> coming_;
  std::vector<Multiplied> multiplied_;
};

}  // namespace gnomon
