// SPDX-License-Identifier: Apache-2.0
#include "gtest/gtest.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

class ApiCalendarsTest : public ApiFixture {};

// The clock stands at 2027-01-15T08:00:00Z.
TEST_F(ApiCalendarsTest, ACalendarIsKeptAndShowsWhatItBringsNext) {
  MakeNetwork("10.0.0.0/24");
  const std::string at = "/v1/networks/prod/calendars/nights";
  EXPECT_EQ(Get(at).code(), "404 CALENDAR_NOT_FOUND");
  const std::string body = R"({"events":[{"name":"n","type":"runner","start":"2027-01-15T02:00:00","zone":"Europe/Berlin",)"
                           R"("rule":"FREQ=DAILY","count":12}]})";
  const ApiAnswer kept = Ask("PUT", at, body);
  ASSERT_EQ(kept.code(), "200") << kept.body;
  EXPECT_EQ(kept["/next/0/begin"], "2027-01-16T01:00:00Z");
  EXPECT_EQ(kept.size("next"), 7u);
  EXPECT_EQ(Get(at).body, kept.body);
  EXPECT_EQ(Get("/v1/networks/prod/calendars")["/calendars/0/name"], "nights");
  EXPECT_EQ(Ask("PUT", at, R"({"events":[{"name":"n"}]})").code(), "400 INVALID_CALENDAR");
  EXPECT_EQ(Get(at).body, kept.body) << "what is refused changes nothing";
  EXPECT_EQ(Delete(at).code(), "204");
  EXPECT_EQ(Get("/v1/networks/prod/calendars").size("calendars"), 0u);
  EXPECT_EQ(Delete(at).code(), "404 CALENDAR_NOT_FOUND");
}

TEST_F(ApiCalendarsTest, AnICalendarFileIsACalendarToo) {
  MakeNetwork("10.0.0.0/24");
  const std::string file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nX-GNOMON-TYPE:web\r\nDTSTART:20270116T000000Z\r\nEND:VEVENT\r\n"
                           "BEGIN:VEVENT\r\nUID:lunch\r\nDTSTART:20270116T120000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
  TestSocket socket = Connect();
  socket.Send(absl::StrCat("PUT /v1/networks/prod/calendars/c HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                           "Content-Type: text/calendar\r\nContent-Length: ", file.size(), "\r\n\r\n", file));
  EXPECT_EQ(ParseAnswerHead(socket.ReadAll()).status, 200);
  const ApiAnswer kept = Get("/v1/networks/prod/calendars/c");
  EXPECT_EQ(kept["/next/0/begin"], "2027-01-16T00:00:00Z");
  EXPECT_EQ(kept["/passed_over/0"], "line 7: lunch has no X-GNOMON-TYPE");
}

}  // namespace
}  // namespace gnomon
