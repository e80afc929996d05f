// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/cli_run.h"
#include "testing/scripted_http_server.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

using testing::HasSubstr;

constexpr const char* kCalendar =
    R"({"name":"shop","events":[{"name":"sale","type":"web","zone":"UTC","start":"2027-01-15T09:00:00","repeats":false,"count":40}],)"
    R"("passed_over":["line 9: no type"],"next":[{"event":"sale","begin":"2027-01-15T09:00:00Z","end":"2027-01-15T09:00:00Z"}]})";

TEST(CalendarCommand, AFileIsSentAsWhatItIsAndWhatItBringsIsShown) {
  TempFolder folder;
  const std::string file = folder.path() + "/shop";
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.body = kCalendar}; });
  for (const char* text : {"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", " {\"events\":[]}"}) {
    std::ofstream(file, std::ios::trunc) << text;
    const CliRun run = RunGnomon({"calendar", "apply", "shop", "-f", file, "-n", "prod"}, server.url());
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("sale   web   2027-01-15T09:00:00  UTC   false    40"));
    EXPECT_THAT(run.err, HasSubstr("passed over: line 9: no type"));
  }
  ASSERT_EQ(server.requests().size(), 4U);
  EXPECT_EQ(server.requests()[0].method, "PUT");
  EXPECT_EQ(server.requests()[0].target, "/v1/networks/prod/calendars/shop");
  EXPECT_EQ(server.requests()[2].body, " {\"events\":[]}");
}

TEST(CalendarCommand, WhatTheServerRefusesIsSaidWithItsLine) {
  TempFolder folder;
  const std::string file = folder.path() + "/shop";
  std::ofstream(file) << "BEGIN:VCALENDAR";
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 400, .body = R"({"code":"INVALID_CALENDAR","detail":"line 1: it has no end"})"};
  });
  const CliRun run = RunGnomon({"calendar", "apply", "shop", "-f", file, "-n", "prod"}, server.url());
  EXPECT_NE(run.code, 0);
  EXPECT_THAT(run.err, HasSubstr("line 1: it has no end"));
}

}  // namespace
}  // namespace gnomon
