// SPDX-License-Identifier: Apache-2.0
#include "cli/replay.h"

#include <fstream>
#include <mutex>
#include <set>

#include "boost/json/parse.hpp"
#include "gtest/gtest.h"
#include "testing/cli_run.h"
#include "testing/scripted_http_server.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

// Answers creations and releases and keeps which instances live.
class FakeNetwork {
 public:
  ScriptedAnswer operator()(const ScriptedRequest& request) {
    std::lock_guard lock(mutex_);
    if (request.method == "POST") {
      JsonValue body = boost::json::parse(request.body);
      std::string type = TextMember(body, "type");
      if (type == "full") return {.status = 409, .body = R"({"code":"POOL_EXHAUSTED","detail":"full"})"};
      live_.insert(TextMember(body, "id"));
      return {.status = 201, .body = type == "hot" ? R"({"source":"shadow"})" : R"({"source":"standard"})"};
    }
    if (request.method == "DELETE") {
      if (live_.erase(request.target.substr(request.target.rfind('/') + 1)) == 0) ++releases_before_creations_;
      return {.body = R"({"released":[]})"};
    }
    if (request.Path() == "/metrics") {
      idle_ += 600;
      return {.body =
                  "gnomon_idle_shadow_seconds_total{network=\"prod\",type=\"web\"} " + std::to_string(idle_) + "\n"};
    }
    return {.body = R"({"name":"prod"})"};
  }
  size_t live() const { return live_.size(); }
  int releases_before_creations() const { return releases_before_creations_; }

 private:
  std::mutex mutex_;
  std::set<std::string> live_;
  int releases_before_creations_ = 0;
  int idle_ = 0;
};

ReplayReport RunOn(FakeNetwork* network, std::vector<TraceRow> rows, double speed, int connections,
                   TraceWindow window = {}) {
  ScriptedHttpServer server([network](const ScriptedRequest& request) { return (*network)(request); });
  SystemClock clock;
  Replay replay({.client = {.server = server.url()},
                 .network = "prod",
                 .id_prefix = "t",
                 .speed = speed,
                 .connections = connections,
                 .window = window},
                std::move(rows), clock);
  return replay.Run(absl::Seconds(1), [] {});
}

TraceRow Row(double seconds, const std::string& type, int64_t count, std::optional<double> lifetime, int64_t line) {
  TraceRow row;
  row.time = absl::Seconds(seconds);
  row.type = type;
  row.count = count;
  if (lifetime) row.lifetime = absl::Seconds(*lifetime);
  row.line = line;
  return row;
}

TEST(Replay, CountsHitsMissesFailuresAndReleases) {
  FakeNetwork network;
  ReplayReport report =
      RunOn(&network, {Row(0, "hot", 3, 1, 2), Row(1, "cold", 2, std::nullopt, 3), Row(2, "full", 4, 1, 4)}, 100, 4);
  EXPECT_EQ(report.creations, 9);
  EXPECT_EQ(report.hits, 3);
  EXPECT_EQ(report.misses, 2);
  EXPECT_EQ(report.creation_failures, (std::map<std::string, int64_t>{{"POOL_EXHAUSTED", 4}}));
  EXPECT_EQ(report.releases, 3);
  EXPECT_TRUE(report.release_failures.empty());
  EXPECT_EQ(report.left, 2);
  EXPECT_EQ(network.live(), 2u);
}

TEST(Replay, OneConnectionKeepsTheTracesOrder) {
  FakeNetwork network;
  std::vector<TraceRow> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(Row(i, "cold", 2, 1.5, i + 2));
  ScriptedHttpServer server([&](const ScriptedRequest& request) { return network(request); });
  SystemClock clock;
  Replay replay(
      {.client = {.server = server.url()}, .network = "prod", .id_prefix = "t", .speed = 200, .connections = 1}, rows,
      clock);
  replay.Run(absl::Seconds(1), [] {});
  std::vector<std::string> created, want;
  for (const ScriptedRequest& request : server.requests()) {
    if (request.method == "POST") created.push_back(TextMember(boost::json::parse(request.body), "id"));
  }
  for (int i = 0; i < 20; ++i) {
    for (int k = 0; k < 2; ++k) want.push_back("t-" + std::to_string(i + 2) + "-" + std::to_string(k));
  }
  EXPECT_EQ(created, want);
  EXPECT_EQ(network.releases_before_creations(), 0);
}

TEST(Replay, TakesTheTracesTimeDividedByTheSpeed) {
  FakeNetwork network;
  ReplayReport report = RunOn(&network, {Row(10, "hot", 1, 5, 2), Row(20, "hot", 1, std::nullopt, 3)}, 50, 2,
                              {.from = absl::Seconds(10), .to = absl::InfiniteDuration()});
  EXPECT_GE(report.took, absl::Milliseconds(200));
  EXPECT_EQ(report.releases, 1);
}

TEST(Replay, NoReleaseGoesBeforeItsCreationIsAnswered) {
  FakeNetwork network;
  std::vector<TraceRow> rows;
  for (int i = 0; i < 500; ++i) rows.push_back(Row(i * 0.001, "hot", 4, 0, i + 2));
  ReplayReport report = RunOn(&network, rows, 10, 16);
  EXPECT_EQ(report.creations, 2000);
  EXPECT_EQ(report.releases, 2000);
  EXPECT_EQ(network.releases_before_creations(), 0);
  EXPECT_EQ(network.live(), 0u);
  EXPECT_GT(report.lag.max, absl::ZeroDuration());
}

TEST(Replay, ReleasesFromTheWindowsEndOnAreNotSent) {
  FakeNetwork network;
  ReplayReport report = RunOn(&network, {Row(0, "hot", 1, 1, 2), Row(1, "hot", 1, 100, 3)}, 100, 2,
                              {.from = absl::ZeroDuration(), .to = absl::Seconds(5)});
  EXPECT_EQ(report.releases, 1);
  EXPECT_EQ(report.left, 1);
}

TEST(Replay, EmptyTraceEndsAtOnce) {
  FakeNetwork network;
  EXPECT_EQ(RunOn(&network, {}, 1, 8).creations, 0);
}

TEST(Replay, StopEndsALongWait) {
  SystemClock clock;
  Replay replay({.client = {}, .network = "prod", .id_prefix = "t", .speed = 1, .connections = 4},
                {Row(100000, "hot", 1, 5, 2)}, clock);
  ReplayReport report = replay.Run(absl::Milliseconds(5), [&] { replay.Stop(); });
  EXPECT_EQ(report.creations, 0);
}

TEST(ReplayCommand, PrintsATableAndReadsGzip) {
  FakeNetwork network;
  ScriptedHttpServer server([&](const ScriptedRequest& request) { return network(request); });
  const TempFolder folder;
  const std::string trace = folder.path() + "/replay.csv";
  std::ofstream(trace) << "time,type,count,batch,lifetime\n0,hot,3,a,1\n1,cold,1,a,\n";
  CliRun run = RunGnomon({"replay", trace, "-n", "prod", "--speed", "100x", "--warm-target", "4"}, server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  for (std::string want : {"creations             4\n", "hits                  3\n", "misses                1\n",
                           "hit rate              75.00 %\n", "failed creations      0\n", "latency of hits       p50 ",
                           "idle address-minutes  10.0\n", "behind schedule       p99 ", "left assigned         1\n"}) {
    EXPECT_NE(run.out.find(want), std::string::npos) << want << "\n" << run.out;
  }
  EXPECT_NE(run.err.find("4 of 4 creations, 75.0 % hits"), std::string::npos) << run.err;
  EXPECT_EQ(server.requests()[1].method, "PATCH");
  EXPECT_EQ(server.requests()[1].body, R"({"warm_target":4})");
}

TEST(ReplayCommand, JsonHasTheSameFigures) {
  FakeNetwork network;
  ScriptedHttpServer server([&](const ScriptedRequest& request) { return network(request); });
  const TempFolder folder;
  const std::string trace = folder.path() + "/replay.csv";
  std::ofstream(trace) << "time,type\n0,hot\n0,full\n";
  CliRun run = RunGnomon({"replay", trace, "-n", "prod", "-o", "json"}, server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  JsonValue report = boost::json::parse(run.out);
  EXPECT_EQ(NumberMember(report, "creations"), 2);
  EXPECT_EQ(NumberMember(Member(report, "creation_failures"), "POOL_EXHAUSTED"), 1);
  EXPECT_EQ(NumberMember(report, "idle_address_minutes"), 10);
  EXPECT_TRUE(Member(Member(report, "lag"), "max_ms").is_double());
}

TEST(ReplayCommand, BadArgumentsAreUsageErrors) {
  for (std::vector<std::string> bad : std::vector<std::vector<std::string>>{
           {"--speed", "fast"}, {"--speed", "0x"}, {"--from", "12"}, {"--connections", "0"}, {"--to", "-1h"}}) {
    bad.insert(bad.begin(), {"replay", "no-such.csv", "-n", "prod"});
    EXPECT_EQ(RunGnomon(bad).code, 2) << bad.back();
  }
  EXPECT_EQ(RunGnomon({"replay", "no-such.csv", "-n", "prod"}).code, 3);
}

TEST(SumOfCounter, TakesTheNetworksSeriesAndThoseOfNoNetwork) {
  std::string text =
      "# TYPE c counter\nc{network=\"a\",type=\"x y\"} 1.5\nc{network=\"b\"} 10\nc{type=\"x\"} 2 1700000000\nc "
      "4\nc_other 100\n";
  EXPECT_EQ(SumOfCounter(text, "c", "a"), 7.5);
  EXPECT_EQ(SumOfCounter("", "c", "a"), 0);
}

TEST(PercentilesOf, AreExact) {
  std::vector<uint32_t> samples;
  for (uint32_t i = 1000; i >= 1; --i) samples.push_back(i);
  Percentiles got = PercentilesOf(samples);
  EXPECT_EQ(got.p50, absl::Microseconds(500));
  EXPECT_EQ(got.p99, absl::Microseconds(990));
  EXPECT_EQ(got.p999, absl::Microseconds(999));
  EXPECT_EQ(got.max, absl::Microseconds(1000));
  EXPECT_EQ(PercentilesOf({7}).p999, absl::Microseconds(7));
  EXPECT_EQ(PercentilesOf({}).max, absl::ZeroDuration());
}

}  // namespace
}  // namespace gnomon
