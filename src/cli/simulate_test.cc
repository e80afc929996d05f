// SPDX-License-Identifier: Apache-2.0
#include "cli/simulate.h"

#include <fstream>
#include <iterator>

#include "boost/json/parse.hpp"
#include "gtest/gtest.h"
#include "testing/cli_run.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

// A creation of `web` each minute for two hours, with a batch each hour.
std::string Trace() {
  static const TempFolder folder;
  const std::string path = folder.path() + "/trace.csv";
  std::ofstream file(path);
  file << "time,type,count,batch\n";
  for (int minute = 0; minute < 120; ++minute) {
    file << 60 * minute + 10 << ",web,1,\n";
    if (minute % 60 == 30) file << 60 * minute + 20 << ",web,5,b" << minute << "\n";
  }
  return path;
}

CliRun Simulated(std::vector<std::string> words) {
  words.insert(words.begin(), {"simulate", "--trace", Trace(), "--min-creations", "1"});
  return RunGnomon(words);
}

TEST(Simulate, ComparesPoliciesAsJson) {
  CliRun run = Simulated({"--policy", "warm_pool=1", "--policy", "oracle", "--lead", "30s", "-o", "json"});
  ASSERT_EQ(run.code, 0) << run.err;
  const JsonArray results = boost::json::parse(run.out).at("results").as_array();
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].at("policy"), "warm_pool=1");
  EXPECT_EQ(results[0].at("creations"), 130);
  EXPECT_EQ(results[0].at("hits"), 120);  // the single ones; each batch finds nothing
  EXPECT_EQ(results[0].at("whole_batch_rate").to_number<double>(), 0);
  EXPECT_EQ(results[0].at("miss_wait_p50_s").to_number<double>(), 20);
  EXPECT_EQ(results[1].at("policy"), "oracle");
  for (const char* name : {"lead_s", "hit_rate", "idle_address_minutes", "idle_minutes_per_creation",
                           "on_order_minutes_per_creation", "peak_shadows", "reservations_per_creation", "reclaims",
                           "miss_wait_p99_s", "worst_type_hit_rate", "worst_hour_hit_rate"}) {
    EXPECT_TRUE(results[1].as_object().contains(name)) << name;
  }
  EXPECT_EQ(results[0].at("types").at(0).at("type"), "web");
}

TEST(Simulate, AnnouncedBatchesHit) {
  CliRun run = Simulated({"--policy", "predictive", "--announce", "60s", "--types", "web", "-o", "json"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(boost::json::parse(run.out).at("results").at(0).at("whole_batch_rate").to_number<double>(), 1);
}

TEST(Simulate, AnnouncesAShareWithFaultsByItsSeed) {
  auto with_seed = [](const char* seed) {
    CliRun run = Simulated({"--policy", "predictive", "--announce", "60s", "--announce-share", "0.5",
                            "--announce-faults", "0.2", "--seed", seed, "-o", "json"});
    EXPECT_EQ(run.code, 0) << run.err;
    return run.out;
  };
  EXPECT_EQ(with_seed("7"), with_seed("7"));
  EXPECT_EQ(Simulated({"--policy", "oracle", "--announce-faults", "0.5"}).code, 2);
}

TEST(Simulate, DaysAddUp) {
  CliRun run = Simulated({"--policy", "warm_pool=1", "-o", "json"});
  const JsonValue result = boost::json::parse(run.out).at("results").at(0);
  ASSERT_EQ(result.at("days").as_array().size(), 1u);
  for (const char* name : {"creations", "hits", "idle_address_minutes"}) {
    EXPECT_EQ(result.at("days").at(0).at(name), result.at(name)) << name;
  }
}

TEST(Simulate, PrintsATable) {
  CliRun run = Simulated({"--policy", "rolling=24h,0.99", "--sweep"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("rolling=24h,0.9995"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("IDLE MIN A CREATION"), std::string::npos);
}

TEST(Simulate, WritesAReportThatExplainsItsWorstHours) {
  static const TempFolder folder;
  const std::string path = folder.path() + "/report.html";
  CliRun run = Simulated({"--policy", "warm_pool=1", "--policy", "oracle", "--report", path});
  ASSERT_EQ(run.code, 0) << run.err;
  std::ifstream file(path);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  const std::string begin = R"(<script type="application/json" id="data">)";
  const size_t at = page.find(begin) + begin.size();
  const JsonValue data = boost::json::parse(page.substr(at, page.find("</script>", at) - at));
  EXPECT_EQ(data.at("groups").at(0).at("points").at(0).at("policy"), "warm_pool=1");
  const JsonValue& timeline = data.at("timelines").at(0);
  // The batch of five came at 30:20, after a single creation at 30:10 that took the only shadow.
  EXPECT_EQ(timeline.at("misses").at(0).at(6), 5);
  EXPECT_EQ(data.at("creations").at(0).at(6), 10);
  const JsonValue& hour = timeline.at("worst").at(0);
  EXPECT_EQ(hour.at("misses"), 5);
  EXPECT_NE(hour.at("why").as_string().find("10 of web within 5 minutes from 00:30"), std::string::npos)
      << hour.at("why");
  EXPECT_EQ(data.at("timelines").at(1).at("worst").as_array().size(), 0u);  // the oracle's
  EXPECT_EQ(Simulated({"--policy", "oracle", "--report", folder.path()}).code, 2);  // a folder
}

TEST(Simulate, TheReportOfAPredictivePolicyShowsItsForecastsAndWhatCame) {
  static const TempFolder folder;
  const std::string path = folder.path() + "/report.html";
  CliRun run = Simulated({"--policy", "predictive", "--report", path});
  ASSERT_EQ(run.code, 0) << run.err;
  std::ifstream file(path);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  const std::string begin = R"(<script type="application/json" id="data">)";
  const size_t at = page.find(begin) + begin.size();
  const JsonValue data = boost::json::parse(page.substr(at, page.find("</script>", at) - at));
  const JsonValue& type = data.at("fan").at("types").at(0);
  EXPECT_EQ(type.at("type"), "web");
  // What came in 15 minutes is what came in three times five.
  const JsonArray& five = type.at("horizons").at(0).at("actual").as_array();
  const JsonArray& fifteen = type.at("horizons").at(1).at("actual").as_array();
  ASSERT_EQ(five.size(), fifteen.size());
  ASSERT_GT(five.size(), 3u);
  int64_t sum = 0;
  for (size_t i = 0; i < 3; ++i) sum += five[i].as_int64();
  EXPECT_EQ(fifteen[0].as_int64(), sum);
  EXPECT_EQ(type.at("horizons").at(2).at("quantiles").as_array().size(), five.size());
  EXPECT_EQ(type.at("horizons").at(2).at("quantiles").at(0).as_array().size(),
            data.at("fan").at("quantiles").as_array().size());
}

TEST(Simulate, DurationsMayBeDays) {
  CliRun run = Simulated({"--policy", "rolling=7d,0.99", "--to", "1d", "-o", "json"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(boost::json::parse(run.out).at("results").at(0).at("creations"), 130);
}

TEST(Simulate, AnEndLongAfterTheTraceIsSaid) {
  EXPECT_EQ(Simulated({"--policy", "oracle"}).err.find("note:"), std::string::npos);
  EXPECT_NE(Simulated({"--policy", "oracle", "--to", "7d"}).err.find("nothing comes from there to --to 7d"), std::string::npos);
}

TEST(Simulate, EveryPolicyOfTheHelpIsMade) {
  for (const char* name : {"predictive", "warm_pool=16", "warm_pool=2x", "quantile=0.99", "rolling=24h,0.99",
                           "azure=16,0.5", "cilium=8,0", "oracle"}) {
    EXPECT_EQ(Simulated({"--policy", name, "--warmup", "30m"}).code, 0) << name;
  }
}

TEST(Simulate, RefusalsNameTheValueAndWhatWouldBeRight) {
  struct Case {
    std::vector<std::string> words;
    std::string named;
  };
  for (const Case& c : std::vector<Case>{{{"--policy", "magic"}, "magic"},
                                         {{"--policy", "quantile=2"}, "from 0 to 1"},
                                         {{"--policy", "quantile=0.9"}, "give one, as --warmup 24h"},
                                         {{"--policy", "warm_pool=2x"}, "give one, as --warmup 24h"},
                                         {{"--policy", "rolling=5m,0.9"}, "1h"},
                                         {{"--policy", "oracle", "--lead", "60s..10s"}, "at least 1m"},
                                         {{"--policy", "oracle", "--warmup", "9h"}, "9h"},
                                         {{"--policy", "oracle", "--warmup", "soon"}, "INVALID_DURATION"},
                                         {{"--policy", "oracle", "--review", "0s"}, "at least 1s"},
                                         {{"--policy", "oracle", "--types", "db"}, "it has 1 type: web"}}) {
    CliRun run = Simulated(c.words);
    EXPECT_EQ(run.code, 2) << c.named;
    EXPECT_NE(run.err.find(c.named), std::string::npos) << run.err;
    EXPECT_TRUE(run.out.empty());
  }
}

}  // namespace
}  // namespace gnomon
