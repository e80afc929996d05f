// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "boost/json/parse.hpp"
#include "gtest/gtest.h"
#include "testing/cli_run.h"
#include "testing/scripted_http_server.h"

namespace gnomon {
namespace {

// A server that is well but for what a test changes.
struct FakeServer {
  std::string date = "Tue, 24 Nov 2026 07:09:34 GMT";
  int ready = 200;
  std::string ready_text = "[+]store ok\n[+]shards ok\n";
  std::string version = "1.2.3";
  int64_t capacity = 1000, shadow = 0, free = 900;
  int networks = 200;

  ScriptedAnswer operator()(const ScriptedRequest& request) const {
    if (request.Path() == "/livez") return {.body = "ok", .headers = "Date: " + date + "\r\n"};
    if (request.Path() == "/readyz") return {.status = ready, .body = ready_text};
    if (request.Path() == "/version") return {.body = R"({"version":")" + version + "\"}"};
    if (request.Path() == "/v1/networks") {
      if (networks != 200) return {.status = networks, .body = R"({"code":"NO_TOKEN","detail":"a token is needed"})"};
      return {.body = R"({"networks":[{"name":"prod"}],"next_page_token":""})"};
    }
    return {.body = R"({"pools":[{"name":"a","counts":{"excluded":2,"capacity":)" + std::to_string(capacity) + R"(,"shadow":)" +
                    std::to_string(shadow) + R"(,"free":)" + std::to_string(free) + "}}],\"next_page_token\":\"\"}"};
  }
};

std::vector<std::string> Lines(const FakeServer& fake) {
  ScriptedHttpServer server(fake);
  ApiClient api({.server = server.url()});
  std::vector<std::string> lines;
  for (const Finding& finding : Examine(api, "1.2.3", absl::FromUnixSeconds(1795504174))) {
    lines.push_back(std::string(HealthName(finding.health)) + " " + finding.check + ": " + finding.detail);
    EXPECT_EQ(finding.fix.empty(), finding.health == Health::kOk) << lines.back();
  }
  return lines;
}

TEST(Doctor, FindsNothingWrongWithAHealthyServer) {
  std::vector<std::string> lines = Lines({});
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_TRUE(lines[0].starts_with("ok reachable: http://127.0.0.1:"));
  EXPECT_EQ(lines[1], "ok clock: the clocks differ by 0");
  EXPECT_EQ(lines[2], "ok ready: all of the server's own checks pass");
  EXPECT_EQ(lines[3], "ok version: 1.2.3");
  EXPECT_EQ(lines[4], "ok access: 1 network is visible");
  EXPECT_EQ(lines[5], "ok pool prod/a: 900 of 1000 addresses can be given");
}

TEST(Doctor, FindsWhatIsWrong) {
  struct Case {
    FakeServer fake;
    size_t line;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{
           {{.date = "Tue, 24 Nov 2026 07:09:04 GMT"}, 1, "warn clock: the clocks differ by 30s"},
           {{.date = "Tue, 24 Nov 2026 08:09:34 GMT"}, 1, "fail clock: the clocks differ by 1h"},
           {{.ready = 503, .ready_text = "[+]store ok\n[-]shards loading\n"}, 2, "fail ready: shards loading"},
           {{.ready_text = "[+]store ok\n[-]expiry paused: the clock had moved; resume it\n"}, 2,
            "warn ready: expiry paused: the clock had moved"},
           {{.ready = 503, .ready_text = ""}, 2, "fail ready: /readyz answers 503"},
           {{.version = "1.3.0"}, 3, "warn version: gnomon is 1.2.3, gnomond is 1.3.0"},
           {{.networks = 401}, 4, "fail access: a token is needed"},
           {{.free = 100}, 5, "warn pool prod/a: 100 of 1000 addresses can be given"},
           {{.capacity = INT64_MAX, .shadow = 5, .free = INT64_MAX}, 5,
            "ok pool prod/a: 9223372036854775807 of 9223372036854775807 addresses can be given"},
           {{.shadow = 700, .free = 300}, 5, "ok pool prod/a: 1000 of 1000 addresses can be given"},
           {{.free = 0}, 5, "fail pool prod/a: 0 of 1000 addresses can be given"}}) {
    EXPECT_EQ(Lines(c.fake).at(c.line), c.want);
  }
}

TEST(Doctor, DoesNotCallAServerReadyWhoseExpiryIsPaused) {
  const std::vector<std::string> lines = Lines({.ready_text = "[+]store ok\n[-]expiry paused: the clock had moved\n"});
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[2], "warn ready: expiry paused: the clock had moved");
}

TEST(DoctorCommand, UnreachableServerExitsWith6AndSaysHowToMendIt) {
  CliRun run = RunGnomon({"doctor"}, "unix:/no/such.sock");
  EXPECT_EQ(run.code, 6);
  EXPECT_NE(run.out.find("[fail] reachable: cannot reach unix:/no/such.sock"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("     fix: start gnomond"), std::string::npos) << run.out;
}

TEST(DoctorCommand, JsonHoldsEveryCheck) {
  ScriptedHttpServer server(FakeServer{.free = 0});
  CliRun run = RunGnomon({"doctor", "-o", "json"}, server.url());
  EXPECT_EQ(run.code, 1) << run.err;
  JsonValue report = boost::json::parse(run.out);
  EXPECT_EQ(TextMember(Member(report, "checks").as_array().back(), "result"), "fail");
}

}  // namespace
}  // namespace gnomon
