// SPDX-License-Identifier: Apache-2.0
#include "signals/calendar.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "signals/event_sizes.h"

namespace gnomon {
namespace {

CalendarEvent Event(const std::string& start, const std::string& zone, const std::string& rule) {
  CalendarEvent event{.name = "e", .type = "web", .start = ParseCalendarTime(start).value().time, .zone = zone};
  if (!rule.empty()) {
    const absl::StatusOr<RecurrenceRule> parsed = ParseRule(rule);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    event.rule = *parsed;
  }
  EXPECT_TRUE(CheckEvent(event).ok()) << CheckEvent(event);
  return event;
}

// The first `count` from 1970 on, in UTC, as "970902T1300".
std::string First(const CalendarEvent& event, size_t count) {
  std::vector<Occurrence> all = OccurrencesBetween(event, absl::FromUnixSeconds(0), absl::FromUnixSeconds(4'000'000'000));
  const bool more = all.size() > count;
  if (more) all.resize(count);
  const std::string text = absl::StrJoin(all, " ", [](std::string* out, const Occurrence& one) {
    absl::StrAppend(out, absl::FormatTime("%y%m%dT%H%M", one.begin, absl::UTCTimeZone()));
  });
  return more ? text + " ..." : text;
}

// Rules of RFC 5545, 3.8.5.3, with what it says of them, in UTC; New York is four hours behind in September.
TEST(Calendar, RulesGiveWhatTheRfcSaysOfThem) {
  struct Case {
    std::string rule, want;
    std::string start = "19970902T090000";
  };
  for (const Case& c : {
           Case{"", "970902T1300"},
           Case{"FREQ=DAILY;COUNT=3", "970902T1300 970903T1300 970904T1300"},
           Case{"FREQ=DAILY;UNTIL=19970904T130000Z", "970902T1300 970903T1300 970904T1300"},
           Case{"FREQ=DAILY;UNTIL=19970904", "970902T1300 970903T1300 970904T1300"},
           Case{"FREQ=DAILY;INTERVAL=10;COUNT=5", "970902T1300 970912T1300 970922T1300 971002T1300 971012T1300"},
           Case{"FREQ=WEEKLY;COUNT=3", "970902T1300 970909T1300 970916T1300"},
           Case{"FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=4;BYDAY=TU,TH", "970902T1300 970904T1300 970916T1300 970918T1300"},
           Case{"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "970805T1300 970810T1300 970819T1300 970824T1300", "19970805T090000"},
           Case{"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "970805T1300 970817T1300 970819T1300 970831T1300", "19970805T090000"},
           Case{"FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "970905T1300 971003T1300 971107T1400", "19970905T090000"},
           Case{"FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "970907T1300 970928T1300 971102T1400 971130T1400", "19970907T090000"},
           Case{"FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "970922T1300 971020T1300 971117T1400", "19970922T090000"},
           Case{"FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3", "970928T1300 971029T1400 971128T1400", "19970928T090000"},
           Case{"FREQ=MONTHLY;COUNT=4;BYMONTHDAY=2,15", "970902T1300 970915T1300 971002T1300 971015T1300"},
           Case{"FREQ=MONTHLY;COUNT=3", "970131T1400 970331T1400 970531T1300", "19970131T090000"},
           Case{"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "980213T1400 980313T1400 981113T1400"},
           Case{"FREQ=YEARLY;COUNT=4;BYMONTH=6,7", "970610T1300 970710T1300 980610T1300 980710T1300", "19970610T090000"},
           Case{"FREQ=YEARLY;BYDAY=TH;BYMONTH=3;COUNT=4", "970313T1400 970320T1400 970327T1400 980305T1400", "19970313T090000"},
           Case{"FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=2", "961105T1400 001107T1400", "19961105T090000"},
           Case{"FREQ=YEARLY;COUNT=2", "960229T1400 000229T1400", "19960229T090000"},
           Case{"FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2", ""},
       }) {
    EXPECT_EQ(First(Event(c.start, "America/New_York", c.rule), 5), c.want) << c.rule;
  }
}

TEST(Calendar, NineOClockStaysNineWhenTheClocksChange) {
  // Berlin: 2027-03-28 02:00 becomes 03:00, 2027-10-31 03:00 becomes 02:00.
  EXPECT_EQ(First(Event("20270327T090000", "Europe/Berlin", "FREQ=DAILY;COUNT=3"), 5), "270327T0800 270328T0700 270329T0700");
  EXPECT_EQ(First(Event("20270327T023000", "Europe/Berlin", "FREQ=DAILY;COUNT=3"), 5), "270327T0130 270328T0130 270329T0030")
      << "the time that is skipped is taken with the offset before";
  EXPECT_EQ(First(Event("20271030T023000", "Europe/Berlin", "FREQ=DAILY;COUNT=3"), 5), "271030T0030 271031T0030 271101T0130")
      << "the time that comes twice is the first";
  EXPECT_EQ(First(Event("20270327T090000", "Asia/Kolkata", "FREQ=DAILY;COUNT=2"), 5), "270327T0330 270328T0330");
}

TEST(Calendar, AnySpanHoldsWhatTheWholeHoldsOfIt) {
  std::mt19937_64 random(1);
  const auto up_to = [&](int64_t most) { return static_cast<int64_t>(random() % static_cast<uint64_t>(most)); };
  for (const char* rule : {"FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,WE,SU;INTERVAL=2;WKST=SU", "FREQ=MONTHLY;BYDAY=-1FR,2MO",
                           "FREQ=MONTHLY;BYMONTHDAY=31,-1;INTERVAL=5", "FREQ=YEARLY;BYMONTH=2,10;BYDAY=SU", "FREQ=YEARLY;INTERVAL=3",
                           "FREQ=DAILY;COUNT=700", "FREQ=WEEKLY;UNTIL=20290101T000000Z"}) {
    CalendarEvent event = Event("20270115T023000", "Europe/Berlin", rule);
    const absl::Time start = absl::FromUnixSeconds(1'790'000'000);
    const std::vector<Occurrence> all = OccurrencesBetween(event, start, start + absl::Hours(24 * 2000));
    ASSERT_FALSE(all.empty());
    for (int i = 0; i < 200; ++i) {
      const absl::Time from = start + absl::Minutes(up_to(2000 * 1440)), to = from + absl::Minutes(up_to(400 * 1440));
      std::vector<Occurrence> want;
      for (const Occurrence& one : all) {
        if (one.begin >= from && one.begin < to && to < start + absl::Hours(24 * 2000)) want.push_back(one);
      }
      if (to >= start + absl::Hours(24 * 2000)) continue;
      ASSERT_EQ(OccurrencesBetween(event, from, to), want) << rule << " from " << from << " to " << to;
    }
  }
}

TEST(Calendar, WhatCannotBeUsedSaysWhichPartAndWhatWouldBeRight) {
  for (const auto& [rule, field] : {std::pair<std::string, std::string>{"", "FREQ"},
                                    {"COUNT=3", "FREQ"},
                                    {"FREQ=HOURLY", "FREQ"},
                                    {"FREQ=DAILY;COUNT=0", "COUNT"},
                                    {"FREQ=DAILY;COUNT=99999999999", "COUNT"},
                                    {"FREQ=DAILY;INTERVAL=-1", "INTERVAL"},
                                    {"FREQ=DAILY;COUNT=1;UNTIL=20270101", "UNTIL"},
                                    {"FREQ=DAILY;COUNT=1;COUNT=2", "COUNT"},
                                    {"FREQ=DAILY;BYSETPOS=1", "BYSETPOS"},
                                    {"FREQ=WEEKLY;BYDAY=XX", "BYDAY"},
                                    {"FREQ=WEEKLY;BYDAY=1MO", "BYDAY"},
                                    {"FREQ=MONTHLY;BYDAY=6MO", "BYDAY"},
                                    {"FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"},
                                    {"FREQ=MONTHLY;BYMONTHDAY=1,,2", "BYMONTHDAY"},
                                    {"FREQ=YEARLY;BYMONTH=13", "BYMONTH"},
                                    {"FREQ=YEARLY;BYDAY=MO", "BYDAY"},
                                    {"FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"},
                                    {"FREQ=DAILY;UNTIL=tomorrow", "time"}}) {
    const absl::Status status = ParseRule(rule).status();
    EXPECT_EQ(CodeOf(status), "INVALID_CALENDAR") << rule;
    EXPECT_EQ(PartsOf(status).field, field) << rule;
    EXPECT_NE(PartsOf(status).hint, "") << rule;
  }
  for (const char* time : {"", "20270230", "20270115T250000", "20270115T08000", "2027-01-15", "19690101", "22010101", "20270115T0800+0"}) {
    EXPECT_FALSE(ParseCalendarTime(time).ok()) << time;
  }
  const auto field_of = [](auto change) {
    CalendarEvent event{.name = "e", .type = "web", .start = absl::CivilSecond(2027, 1, 15)};
    change(&event);
    return PartsOf(CheckEvent(event)).field;
  };
  EXPECT_EQ(field_of([](CalendarEvent* event) { event->zone = "Mars/Olympus"; }), "zone");
  EXPECT_EQ(field_of([](CalendarEvent* event) { event->zone = "../../etc/passwd"; }), "zone");
  EXPECT_EQ(field_of([](CalendarEvent* event) { event->name = "a b"; }), "name");
  EXPECT_EQ(field_of([](CalendarEvent* event) { event->type = ""; }), "type");
  EXPECT_EQ(field_of([](CalendarEvent* event) { event->count = 0; }), "count");
  EXPECT_EQ(field_of([](CalendarEvent* event) { event->factor = 0.0 / 1; }), "factor");
  EXPECT_EQ(field_of([](CalendarEvent* event) { event->length = -absl::Seconds(1); }), "end");
}

TEST(EventSizes, TheNextIsExpectedAsLargeAsNearlyAllOfTheLast) {
  EventSizes sizes;
  EXPECT_FALSE(sizes.Expected("nightly").has_value());
  for (uint32_t i = 0; i < 30; ++i) EXPECT_TRUE(sizes.Record("nightly", i));
  const EventSize size = *sizes.Expected("nightly");  // of 10 to 29
  EXPECT_EQ(size.count, 27u);
  EXPECT_EQ(size.median, 20u);
  EXPECT_EQ(size.occurrences, EventSizes::kLast);
  sizes.Forget("nightly");
  EXPECT_FALSE(sizes.Expected("nightly").has_value());
}

}  // namespace
}  // namespace gnomon
