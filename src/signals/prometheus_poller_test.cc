// SPDX-License-Identifier: Apache-2.0
// Label: real time (a poller's thread, against a server in the test)
#include "signals/prometheus_poller.h"

#include <fstream>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "testing/scripted_http_server.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

constexpr char kNone[] = R"({"status":"success","data":{"resultType":"matrix","result":[]}})";

template <typename Condition>
bool Soon(Condition holds) {
  for (int i = 0; i < 1000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class PrometheusPollerTest : public testing::Test {
 protected:
  MetricRule Asking(const std::string& query) { return {.network = "n", .type = query, .step = absl::Seconds(1), .source = "main", .query = query}; }

  const SystemClock clock;
};

TEST_F(PrometheusPollerTest, HistoryComesInChunksAndThenWhatIsNew) {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    if (request.target == "/base/api/v1/query_range") return ScriptedAnswer{.body = kNone};
    const int64_t time = std::atoll(request.body.substr(request.body.find("&time=") + 6).c_str());
    return ScriptedAnswer{.body = absl::StrCat(R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[)",
                                               time, ",\"", time % 100, "\"]}]}}")};
  });
  MetricBook book({Asking("up")}, {"main"}, &clock);
  PrometheusPoller poller({.name = "main", .url = server.url() + "/base", .headers = {{"X-Scope-OrgID", "acme"}}, .interval = absl::Seconds(1)},
                          &book, &clock);
  poller.Start();
  EXPECT_TRUE(Soon([&] { return book.PointsOf(0, 0).size() >= 2; }));
  poller.Stop();
  for (const MetricPoint& point : book.PointsOf(0, 0)) {
    if (point.time_s * 1000 > *book.StatusOf(0).last_sample_ms) continue;
    EXPECT_EQ(point.value, static_cast<double>(point.time_s % 100));
  }
  const std::vector<ScriptedRequest> requests = server.requests();
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].headers.at("x-scope-orgid"), "acme");
  EXPECT_EQ(requests[0].headers.at("content-type"), "application/x-www-form-urlencoded");
  EXPECT_THAT(requests[0].body, HasSubstr("query=up&timeout=30s&start="));
  // 80,640 steps of a second by 11,000.
  for (int i = 0; i < 8; ++i) EXPECT_EQ(requests[i].target, "/base/api/v1/query_range");
  EXPECT_EQ(requests[8].target, "/base/api/v1/query");
}

TEST_F(PrometheusPollerTest, AQueryThatIsRefusedKeepsNoOtherFromItsAnswers) {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    if (absl::StrContains(request.body, "query=bad")) {
      return ScriptedAnswer{.status = 400, .body = R"({"status":"error","errorType":"bad_data","error":"no such function"})"};
    }
    return ScriptedAnswer{.body = kNone};
  });
  MetricBook book({Asking("bad"), Asking("good")}, {"main"}, &clock);
  PrometheusPoller poller({.name = "main", .url = server.url(), .interval = absl::Seconds(1)}, &book, &clock);
  poller.Start();
  EXPECT_TRUE(Soon([&] { return book.Sources()[0].last_contact_ms.has_value(); }));
  EXPECT_THAT(book.StatusOf(0).last_error, HasSubstr("no such function"));
  EXPECT_EQ(book.StatusOf(1).last_error, "");
  EXPECT_EQ(book.Sources()[0].last_error, "");
}

TEST_F(PrometheusPollerTest, ASecretIsReadAnewAndAWrongOneIsNamed) {
  const TempFolder folder;
  const std::string file = folder.path() + "/secret";
  std::ofstream(file) << "wrong\n";
  const std::string right = "Basic " + absl::Base64Escape("me:right");
  ScriptedHttpServer server([&](const ScriptedRequest& request) {
    if (request.headers.at("authorization") != right) return ScriptedAnswer{.status = 401, .body = "no"};
    return ScriptedAnswer{.body = kNone};
  });
  MetricBook book({Asking("up")}, {"main"}, &clock);
  PrometheusPoller poller({.name = "main", .url = server.url(), .username = "me", .password_file = file, .interval = absl::Seconds(1)},
                          &book, &clock);
  poller.Start();
  EXPECT_TRUE(Soon([&] { return absl::StrContains(book.Sources()[0].last_error, "401"); }));
  std::ofstream(file) << "right\n";
  EXPECT_TRUE(Soon([&] { return book.Sources()[0].last_error.empty(); }));
}

TEST_F(PrometheusPollerTest, ADeadServerIsNamedAndStopIsQuick) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.hang_up = true}; });
  MetricBook book({Asking("up")}, {"main"}, &clock);
  PrometheusPoller poller({.name = "main", .url = server.url(), .interval = absl::Seconds(1)}, &book, &clock);
  poller.Start();
  EXPECT_TRUE(Soon([&] { return !book.Sources()[0].last_error.empty(); }));
  EXPECT_EQ(book.Sources()[0].errors.begin()->first, "server_unreachable");
  const absl::Duration begin = clock.Monotonic();
  poller.Stop();
  EXPECT_LT(clock.Monotonic() - begin, absl::Seconds(5));
}

}  // namespace
}  // namespace gnomon
