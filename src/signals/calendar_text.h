// SPDX-License-Identifier: Apache-2.0
//
// ParseCalendar reads a calendar as people write it: an iCalendar file, or JSON.
//
// In JSON, {"events":[{"name","type","start","end"?,"zone"?,"rule"?,"count"?,"factor"?}]}: start and end as
// "2027-01-15T09:00:00", in the zone ("UTC"), the rule as RRULE has it.
//
// Errors: INVALID_ARGUMENT "INVALID_CALENDAR", naming "events[2].start" or "line 12", or INVALID_JSON. Limits: as
// signals/icalendar.h. Threads: a function of its argument.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "signals/icalendar.h"

namespace gnomon {

// Of the documents that are calendars (signals/document_store.h).
inline constexpr std::string_view kCalendarKind = "calendar";

absl::StatusOr<ParsedCalendar> ParseCalendar(std::string_view text);

}  // namespace gnomon
