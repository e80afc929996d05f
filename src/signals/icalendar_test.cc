// SPDX-License-Identifier: Apache-2.0
#include "signals/icalendar.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/error.h"
#include "gmock/gmock.h"

namespace gnomon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string File(const std::string& event) {
  return absl::StrCat("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a@b\nX-GNOMON-TYPE:web\n", event, "END:VEVENT\nEND:VCALENDAR\n");
}

// Each with either kind of line's end.
TEST(ICalendar, TheEventsThatConcernUsAreRead) {
  const std::string text = File(
      "SUMMARY:Nightly\\, the lo\n ng one\nDTSTART;X=\"a:b;c\";TZID=Europe/Berlin:20270115T090000\nDTEND;TZID=Europe/Berlin:20270115T10\n"
      "\t3000\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;TZID=Europe/Berlin:20270116T090000,20270117T090000\nX-GNOMON-COUNT:12\n"
      "BEGIN:VALARM\nDTSTART:wrong\nEND:VALARM\n");
  for (const std::string& file : {text, absl::StrReplaceAll(text, {{"\n", "\r\n"}})}) {
    const absl::StatusOr<ParsedCalendar> calendar = ParseICalendar(file);
    ASSERT_TRUE(calendar.ok()) << calendar.status();
    ASSERT_EQ(calendar->events.size(), 1u);
    const CalendarEvent& event = calendar->events.front();
    EXPECT_EQ(event.name, "a~40b");
    EXPECT_EQ(event.type, "web");
    EXPECT_EQ(event.count, 12u);
    EXPECT_EQ(event.length, absl::Minutes(90));
    const absl::Time first = absl::FromUnixSeconds(1'800'000'000);  // 09:00 in Berlin
    EXPECT_THAT(OccurrencesBetween(event, first, first + absl::Hours(24 * 9)),
                ElementsAre(Occurrence{first, first + absl::Minutes(90)},
                            Occurrence{first + absl::Hours(72), first + absl::Hours(72) + absl::Minutes(90)}));
  }
}

TEST(ICalendar, ATimeWithoutAZoneIsInTheCalendarsOrInUtc) {
  for (const auto& [more, want] : {std::pair<std::string, std::string>{"", "UTC"}, {"X-WR-TIMEZONE:Asia/Tokyo\n", "Asia/Tokyo"}}) {
    const auto calendar = ParseICalendar(absl::StrCat("BEGIN:VCALENDAR\n", more, "BEGIN:VEVENT\nUID:1\nX-GNOMON-TYPE:w\n",
                                                      "DTSTART;VALUE=DATE:20270115\nEND:VEVENT\nEND:VCALENDAR\n"));
    ASSERT_TRUE(calendar.ok()) << calendar.status();
    EXPECT_EQ(calendar->events.front().zone, want);
    EXPECT_EQ(calendar->events.front().length, absl::Hours(24)) << "a day";
  }
}

TEST(ICalendar, WhatWouldBeMisunderstoodIsPassedOverAndNamed) {
  const auto calendar = ParseICalendar(File("SUMMARY:Moved\nDTSTART:20270115T080000Z\nRECURRENCE-ID:20270115T080000Z\n"));
  ASSERT_TRUE(calendar.ok()) << calendar.status();
  EXPECT_THAT(calendar->passed_over, ElementsAre("line 2: Moved has RECURRENCE-ID, which is not read"));
  EXPECT_THAT(ParseICalendar("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nEND:VEVENT\nEND:VCALENDAR")->passed_over,
              ElementsAre("line 2: x has no X-GNOMON-TYPE"));
}

TEST(ICalendar, AnErrorNamesItsLine) {
  struct Case {
    std::string text, field, message;
  };
  const std::string start = "DTSTART:20270115T080000Z\n";
  for (const Case& c : {
           Case{"", "line 1", "no calendar"},
           Case{"hello", "line 1", "no property"},
           Case{"BEGIN:VEVENT\n", "line 1", "outside of a calendar"},
           Case{"BEGIN:VCALENDAR\n", "line 1", "ends within VCALENDAR"},
           Case{"BEGIN:VCALENDAR\nEND:VEVENT\n", "line 2", "this ends VEVENT"},
           Case{File(""), "line 2", "no DTSTART"},
           Case{File("DTSTART;TZID:1\n"), "line 5", "parameter"},
           Case{File("DTSTART;TZID=\"a:1\n"), "line 5", "no property"},
           Case{File("DTSTART:2027\n"), "line 5", "cannot be used"},
           Case{File("DTSTART;TZID=Romance Standard Time:20270115T080000\n"), "line 2", "no time zone"},
           Case{File(start + "DTEND:20270114T080000Z\n"), "line 2", "ends before"},
           Case{File(start + "DURATION:P1H\n"), "line 6", "no DURATION"},
           Case{File(start + "DURATION:PT99999999999H\n"), "line 6", "no DURATION"},
           Case{File(start + "RRULE:FREQ=SECONDLY\n"), "line 6", "FREQ"},
           Case{File(start + "EXDATE:x\n"), "line 6", "cannot be used"},
           Case{File(start + "X-GNOMON-COUNT:many\n"), "line 6", "X-GNOMON-COUNT"},
           Case{File(start + "X-GNOMON-FACTOR:nan\n"), "line 2", "factor"},
           Case{File(start + "X-GNOMON-COUNT:1\nX-GNOMON-FACTOR:2\n"), "line 2", "not both"},
           Case{File(start + "SUMMARY:" + std::string(kMaxCalendarLine, 'x') + "\n"), "line 6", "too long"},
           Case{File(start + "END:VEVENT\nBEGIN:VEVENT\nUID:a@b\nX-GNOMON-TYPE:web\n" + start), "line 11", "same UID"},
       }) {
    const absl::Status status = ParseICalendar(c.text).status();
    EXPECT_EQ(CodeOf(status), "INVALID_CALENDAR") << c.text.substr(0, 200);
    EXPECT_EQ(PartsOf(status).field, c.field) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace gnomon
