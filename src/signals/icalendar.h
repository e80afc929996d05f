// SPDX-License-Identifier: Apache-2.0
//
// ParseICalendar reads the events of an iCalendar file that concern us: those with an X-GNOMON-TYPE.
//
// Of RFC 5545: folded lines, escaped text, parameters in quotes; VEVENT with UID, DTSTART (UTC, TZID, or a date), DTEND or
// DURATION, RRULE (signals/calendar.h), EXDATE; and of our own X-GNOMON-TYPE, X-GNOMON-COUNT and X-GNOMON-FACTOR. A time
// without a zone is in X-WR-TIMEZONE, or else in UTC. VTIMEZONE is not read: TZID names a zone of the tz database. What is
// not said here is left alone, but RECURRENCE-ID and RDATE, as an event that has them would be misunderstood: it is passed
// over, and named.
//
// Errors: INVALID_ARGUMENT "INVALID_CALENDAR"; the field is "line 12", and of a wrong event, its BEGIN's. Nothing is used of
// a file with an error.
// Limits: kMaxCalendarEvents, kMaxCalendarExceptions of one, kMaxCalendarLine bytes of an unfolded line.
// Threads: a function of its arguments. Cost: linear.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "signals/calendar.h"

namespace gnomon {

inline constexpr size_t kMaxCalendarEvents = 1000;
inline constexpr size_t kMaxCalendarExceptions = 1000;
inline constexpr size_t kMaxCalendarLine = 8192;

struct ParsedCalendar {
  std::vector<CalendarEvent> events;  // each has passed CheckEvent, and each name is there once
  std::vector<std::string> passed_over;  // events that are not used, and why
};

absl::StatusOr<ParsedCalendar> ParseICalendar(std::string_view text);

}  // namespace gnomon
