// SPDX-License-Identifier: Apache-2.0
//
// A CalendarEvent is something that a person knows will come, once or again and again, and what it brings to a type.
//
// A recurrence is the subset of RFC 5545's RRULE that people's calendars hold: FREQ DAILY, WEEKLY, MONTHLY and YEARLY with
// INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH and WKST. It is reckoned in the event's own zone: nine o'clock stays nine
// o'clock when the clocks change. A time that the change skips is taken with the offset before it, one that comes twice is
// the first, as RFC 5545 (3.3.5) says.
//
// Example:
//   GNOMON_ASSIGN_OR_RETURN(event.rule, ParseRule("FREQ=WEEKLY;BYDAY=MO,FR"));
//   GNOMON_RETURN_IF_ERROR(CheckEvent(event));
//   for (const Occurrence& one : OccurrencesBetween(event, now, now + absl::Hours(1))) ...
//
// Threads: value types and functions of their arguments; the tables of time zones are the system's, read once.
// Limits: kMaxOccurrences a call, kMaxPeriods of a rule looked at, years kFirstYear to kLastYear.
// Errors: INVALID_ARGUMENT "INVALID_CALENDAR", naming the field and what would be right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace gnomon {

// A weekday of a rule: "MO" is every Monday, "-1FR" the last Friday of the month.
struct RuleDay {
  int nth = 0;      // -5 to 5; 0: every one
  int weekday = 0;  // 0: Monday, to 6: Sunday
  friend bool operator==(const RuleDay&, const RuleDay&) = default;
};

struct RecurrenceRule {
  enum class Every : uint8_t { kDay, kWeek, kMonth, kYear };
  Every every = Every::kDay;
  int interval = 1;
  std::optional<int> count;
  std::optional<absl::CivilSecond> until;  // the last that may begin
  bool until_utc = false;                  // until is in UTC, not in the event's zone
  std::vector<RuleDay> days;
  std::vector<int> month_days;  // 1 to 31, or from the month's end -1 to -31
  std::vector<int> months;      // 1 to 12
  int week_start = 0;           // as RuleDay::weekday
};

struct CalendarEvent {
  std::string name = {};  // unique in its calendar
  std::string type = {};
  absl::CivilSecond start = {};     // in `zone`
  std::string zone = "UTC";         // an IANA name
  absl::Duration length = absl::ZeroDuration();
  std::optional<RecurrenceRule> rule = {};
  std::vector<absl::Time> except = {};  // occurrences that begin then do not take place
  // What it brings: so many creations, or so many times what comes otherwise; neither: what it brought before.
  std::optional<uint32_t> count = {};
  std::optional<double> factor = {};
};

struct Occurrence {
  absl::Time begin, end;
  friend bool operator==(const Occurrence&, const Occurrence&) = default;
};

inline constexpr size_t kMaxOccurrences = 10'000;
inline constexpr int kMaxPeriods = 80'000;  // more than the days of two centuries
inline constexpr int kMaxRuleCount = 10'000;
inline constexpr int kMaxRuleInterval = 1000;
inline constexpr size_t kMaxRuleParts = 400;  // numbers of one BY... part
inline constexpr int64_t kFirstYear = 1970, kLastYear = 2200;
inline constexpr absl::Duration kMaxEventLength = absl::Hours(24 * 31);
inline constexpr double kMaxFactor = 1000;

// The value of an RRULE property.
absl::StatusOr<RecurrenceRule> ParseRule(std::string_view text);

// "20270115T080000", "20270115T080000Z" or "20270115"; `utc`: whether it ended in Z, `date`: it was a date alone.
struct CalendarTime {
  absl::CivilSecond time;
  bool utc = false, date = false;
};
absl::StatusOr<CalendarTime> ParseCalendarTime(std::string_view text);

// Whether its parts can be used, and together.
absl::Status CheckEvent(const CalendarEvent& event);

// When a clock of the zone shows `time`. The zone is known (IsZone).
bool IsZone(const std::string& zone);
absl::Time TimeInZone(const absl::CivilSecond& time, const std::string& zone);

// Those that begin in [from, to), in order. `event` has passed CheckEvent. Cost: of a rule with a COUNT, linear in what came
// before; else in the span.
std::vector<Occurrence> OccurrencesBetween(const CalendarEvent& event, absl::Time from, absl::Time to);

}  // namespace gnomon
