// SPDX-License-Identifier: Apache-2.0
#include "signals/cron.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

int64_t At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text << ": " << error;
  return absl::ToUnixSeconds(time);
}

TEST(Cron, NextIsTheFirstTimeAfter) {
  const struct {
    std::string cron, zone, after, want;
  } cases[] = {
      {"0 8 * * 1-5", "Europe/Berlin", "2026-03-02T06:59:59Z", "2026-03-02T07:00:00Z"},
      {"0 8 * * 1-5", "Europe/Berlin", "2026-03-02T07:00:00Z", "2026-03-03T07:00:00Z"},
      {"0 8 * * mon-FRI", "Europe/Berlin", "2026-03-27T07:00:00Z", "2026-03-30T06:00:00Z"},
      {"*/20 * * * *", "UTC", "2026-01-01T00:20:01Z", "2026-01-01T00:40:00Z"},
      {"5/25 * * * *", "UTC", "2026-01-01T00:05:00Z", "2026-01-01T00:30:00Z"},
      {"30 0 1 1,6,12 *", "UTC", "2026-01-01T00:30:00Z", "2026-06-01T00:30:00Z"},
      {"@daily", "Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01T18:30:00Z"},
      {"@yearly", "UTC", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
      {"CRON_TZ=America/New_York 0 9 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T14:00:00Z"},
      {"0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
      {"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
      {"0 0 13 * 5", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},    // a Friday: either day
      {"0 0 */13 * 5", "UTC", "2026-01-01T00:00:00Z", "2026-02-27T00:00:00Z"},  // the 1st, 14th or 27th, and a Friday
      {"0 0 * * 7", "UTC", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
      {"0 0 ? * SUN", "UTC", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
      // 02:30 is skipped on 29 March, and comes once on 25 October, before clocks are set back.
      {"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
      {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
      {"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.cron);
    absl::StatusOr<CronSchedule> cron = CronSchedule::Parse(test.cron);
    ASSERT_TRUE(cron.ok()) << cron.status();
    const Zone zone = Zone::Find(test.zone).value();
    EXPECT_EQ(cron->Next(At(test.after), zone), At(test.want));
    EXPECT_EQ(cron->Previous(At(test.want), zone), At(test.want));
  }
}

TEST(Cron, WhatIsNotKnownIsRefusedByName) {
  const struct {
    std::string cron, says;
  } cases[] = {
      {"", "0 fields"},
      {"* * * *", "4 fields"},
      {"0 0 8 * * *", "6 fields"},
      {"60 * * * *", "minute \"60\" is not from 0 to 59"},
      {"* 24 * * *", "hour \"24\""},
      {"* * 0 * *", "day of month \"0\""},
      {"* * * 13 *", "month \"13\""},
      {"* * * * 8", "day of week \"8\""},
      {"5-3 * * * *", "ends before it begins"},
      {"*/0 * * * *", "step"},
      {"1-2-3 * * * *", "two hyphens"},
      {"1/2/3 * * * *", "two steps"},
      {"a * * * *", "neither a number nor a name"},
      {"-1 * * * *", "neither a number nor a name"},
      {", * * * *", "neither a number nor a name"},
      {"*-5 * * * *", "range from everything"},
      {"0 0 L * *", "\"L\""},
      {"0 0 15W * *", "\"W\""},
      {"0 0 * * 5#2", "\"#\""},
      {"0 0 * * 5L", "\"L\""},
      {"@every 5m", "@"},
      {"0 0 30 2 *", "no such day"},
      {"0 0 31 4,6 *", "no such day"},
      {std::string(300, '*'), "256 bytes"},
  };
  for (const auto& test : cases) {
    const absl::Status status = CronSchedule::Parse(test.cron).status();
    EXPECT_EQ(CodeOf(status), "INVALID_CRON") << test.cron;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(test.says)) << test.cron;
  }
  EXPECT_EQ(CodeOf(CronSchedule::Parse("TZ=Mars/Base 0 0 * * *").status()), "UNKNOWN_TIME_ZONE");
  EXPECT_TRUE(CronSchedule::Parse("0 0 * JUL,apr wed").ok());
}

TEST(Cron, WhatComesTooRarelyIsNotFound) {
  const CronSchedule cron = CronSchedule::Parse("0 0 29 2 */7").value();  // 29 February, and a Sunday: 2032, 2060
  EXPECT_EQ(cron.Next(At("2033-01-01T00:00:00Z"), Zone()), std::nullopt);
  EXPECT_EQ(cron.Next(CronSchedule::kLastS + 1, Zone()), std::nullopt);
}

// A random field: text such as "3", "*/7", "2-5,40".
std::string RandomField(std::mt19937_64* random, int low, int high) {
  auto draw = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(*random); };
  switch (draw(0, 4)) {
    case 0: return absl::StrCat("*/", draw(1, high));
    case 1: {
      const int first = draw(low, high);
      return absl::StrCat(first, "-", draw(first, high));
    }
    case 2: return absl::StrCat(draw(low, high), ",", draw(low, high));
    case 3: return absl::StrCat(draw(low, high));
    default: return "*";
  }
}

// The reference goes minute by minute, and takes what clocks show for the first time. A seed is all that a failure needs.
TEST(Cron, AgreesWithGoingMinuteByMinute) {
  constexpr int kSchedules = 5;
  const int64_t begin = At("2026-01-01T00:00:00Z"), end = At("2027-01-15T00:00:00Z");
  for (const std::string name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC",
                                 "America/Santiago"}) {
    const Zone zone = Zone::Find(name).value();
    std::vector<std::pair<int64_t, int64_t>> shown;  // an instant, and what clocks show for the first time at it
    int64_t latest = zone.LocalOf(begin) - 1;
    for (int64_t at = begin; at < end; at += 60) {
      const int64_t local = zone.LocalOf(at);
      if (local <= latest) continue;
      latest = local;
      shown.emplace_back(at, local);
    }
    std::mt19937_64 random(7);
    for (int i = 0; i < kSchedules; ++i) {
      const std::string text =
          absl::StrCat(RandomField(&random, 0, 59), " ", RandomField(&random, 0, i % 2 == 0 ? 4 : 23), " ",
                       i % 3 == 0 ? "*" : RandomField(&random, 1, 28), " ", i % 4 == 0 ? "3,4,10,11" : "*", " ",
                       i % 3 == 1 ? "*" : RandomField(&random, 0, 6));
      SCOPED_TRACE(absl::StrCat(name, " ", text));
      const CronSchedule cron = CronSchedule::Parse(text).value();
      int64_t before = begin - 1;
      for (const auto& [at, local] : shown) {
        if (!cron.Matches(local)) continue;
        ASSERT_EQ(cron.Next(before, zone), at) << Zone().Text(before);
        ASSERT_EQ(cron.Previous(at, zone), at);
        if (before >= begin) { ASSERT_EQ(cron.Previous(at - 1, zone), before) << Zone().Text(at); }
        before = at;
      }
    }
  }
}

TEST(Zone, TextHasTheOffsetOfTheInstant) {
  const Zone berlin = Zone::Find("Europe/Berlin").value();
  EXPECT_EQ(berlin.Text(At("2026-03-02T07:00:00Z")), "2026-03-02T08:00+01:00");
  EXPECT_EQ(berlin.Text(At("2026-07-02T07:00:05Z")), "2026-07-02T09:00:05+02:00");
  EXPECT_EQ(Zone::Find("America/New_York")->Text(At("2026-07-01T01:00:00Z")), "2026-06-30T21:00-04:00");
  EXPECT_EQ(Zone().Text(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(CodeOf(Zone::Find("../../etc/passwd").status()), "UNKNOWN_TIME_ZONE");
}

}  // namespace
}  // namespace gnomon
