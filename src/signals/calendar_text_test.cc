// SPDX-License-Identifier: Apache-2.0
#include "signals/calendar_text.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

std::string Events(const std::string& more) {
  return absl::StrCat(R"({"events":[{"name":"a","type":"web","start":"2027-01-15T09:00:00")", more, "}]}");
}

TEST(CalendarText, IsJsonOrAnICalendarFile) {
  const auto json = ParseCalendar(Events(R"(,"end":"2027-01-15T10:30:00","zone":"Europe/Berlin","rule":"FREQ=DAILY","count":3)"));
  ASSERT_TRUE(json.ok()) << json.status();
  const auto file = ParseCalendar("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nX-GNOMON-TYPE:web\nDTSTART;TZID=Europe/Berlin:20270115T090000\n"
                                  "DTEND;TZID=Europe/Berlin:20270115T103000\nRRULE:FREQ=DAILY\nX-GNOMON-COUNT:3\nEND:VEVENT\nEND:VCALENDAR\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::Time from = absl::FromUnixSeconds(1'800'000'000);
  for (const auto& calendar : {json, file}) {
    ASSERT_EQ(calendar->events.size(), 1u);
    EXPECT_EQ(calendar->events[0].count, 3u);
    EXPECT_EQ(OccurrencesBetween(calendar->events[0], from, from + absl::Seconds(1)),
              std::vector<Occurrence>({{from, from + absl::Minutes(90)}}));
  }
}

TEST(CalendarText, AnErrorNamesTheEventAndItsMember) {
  for (const auto& [text, field] : {std::pair<std::string, std::string>{"{}", "events"},
                                    {R"({"events":3})", "events"},
                                    {R"({"events":[3]})", "events[0]."},
                                    {R"({"events":[],"more":1})", "events"},
                                    {R"({"events":[{"name":"a","type":"web"}]})", "events[0].start"},
                                    {Events(R"(,"zone":"Mars")"), "events[0].zone"},
                                    {Events(R"(,"end":"2027-01-14T09:00:00")"), "events[0].end"},
                                    {Events(R"(,"rule":"FREQ=NEVER")"), "events[0].FREQ"},
                                    {Events(R"(,"count":0)"), "events[0].count"},
                                    {Events(R"(,"factor":"2")"), "events[0].factor"},
                                    {Events(R"(,"count":1,"factor":2)"), "events[0].expect"},
                                    {Events(R"(,"ends":1)"), "events[0].ends"}}) {
    const absl::Status status = ParseCalendar(text).status();
    EXPECT_EQ(CodeOf(status), "INVALID_CALENDAR") << text;
    EXPECT_EQ(PartsOf(status).field, field) << status;
  }
  EXPECT_EQ(CodeOf(ParseCalendar("").status()), "INVALID_JSON");
  EXPECT_EQ(CodeOf(ParseCalendar("[]").status()), "INVALID_CALENDAR");
}

}  // namespace
}  // namespace gnomon
