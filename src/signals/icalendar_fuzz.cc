// SPDX-License-Identifier: Apache-2.0
//
// Also what comes of the events that were read. See scripts/fuzz.
#include "signals/calendar_text.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gnomon;
  const absl::StatusOr<ParsedCalendar> calendar = ParseCalendar({reinterpret_cast<const char*>(data), size});
  if (!calendar.ok()) return 0;
  for (const CalendarEvent& event : calendar->events) {
    const absl::Time from = absl::FromUnixSeconds(1'800'000'000);
    (void)OccurrencesBetween(event, from, from + absl::Hours(48));
  }
  return 0;
}
