// SPDX-License-Identifier: Apache-2.0
#include "cli/forecast.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "boost/json/parse.hpp"
#include "gtest/gtest.h"
#include "testing/cli_run.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

std::string File(const std::string& name, const std::string& text) {
  static const TempFolder folder;
  const std::string path = folder.path() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

double Hourly(int hour) { return std::floor(60 + 50 * std::sin(2 * M_PI * hour / 24)); }

// Forty days, by the hour.
std::string Days() {
  std::string text = "time,count\n";
  for (int hour = 0; hour < 960; ++hour) {
    text += std::to_string(3600 * hour) + "," + std::to_string(static_cast<int>(Hourly(hour))) + "\n";
  }
  return File("days.csv", text);
}

TEST(Forecast, FollowsTheSeasonForTwoDays) {
  CliRun run = RunGnomon({"forecast", "--series", Days(), "--horizon", "48", "--season", "24,168", "-o", "json"});
  ASSERT_EQ(run.code, 0) << run.err;
  const JsonValue json = boost::json::parse(run.out);
  EXPECT_EQ(json.at("step_s").to_number<double>(), 3600);
  const JsonArray& steps = json.at("forecast").as_array();
  ASSERT_EQ(steps.size(), 48u);
  EXPECT_EQ(steps[0].at("time").to_number<double>(), 960 * 3600);
  for (int ahead = 0; ahead < 48; ++ahead) {
    const JsonValue& step = steps[static_cast<size_t>(ahead)];
    EXPECT_NEAR(step.at("point").to_number<double>(), Hourly(960 + ahead), 8) << ahead;
    EXPECT_LE(step.at("quantiles").at("0.1").to_number<double>(), step.at("quantiles").at("0.99").to_number<double>());
  }
}

TEST(Forecast, ASeriesThatIsNotWholeStaysOnItsScale) {
  std::string text = "epoch_sec,value,group\n";
  for (int i = 0; i < 400; ++i) text += std::to_string(300 * i) + (i % 2 == 0 ? ",0.25,a\n" : ",0.35,a\n");
  CliRun run = RunGnomon({"forecast", "--series", File("real.csv", text), "--horizon", "4", "--season", "2", "-o", "json"});
  ASSERT_EQ(run.code, 0) << run.err;
  const JsonValue json = boost::json::parse(run.out);
  EXPECT_NEAR(json.at("forecast").at(0).at("point").to_number<double>(), 0.25, 0.03);
  EXPECT_NEAR(json.at("forecast").at(1).at("point").to_number<double>(), 0.35, 0.03);
}

TEST(Forecast, PrintsATableAndAChart) {
  CliRun table = RunGnomon({"forecast", "--series", Days(), "--horizon", "5", "--season", "24"});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("POINT"), std::string::npos) << table.out;
  CliRun chart = RunGnomon({"forecast", "--series", Days(), "--horizon", "120", "--season", "24", "--chart"});
  ASSERT_EQ(chart.code, 0) << chart.err;
  EXPECT_EQ(std::count(chart.out.begin(), chart.out.end(), '\n'), 17);
  for (char mark : {'*', 'o', ':', '.'}) EXPECT_NE(chart.out.find(mark), std::string::npos) << chart.out;
}

TEST(Forecast, SaysThatASeasonIsLongerThanTheSeries) {
  const std::string path = File("short.csv", "time,count\n0,5\n60,6\n120,5\n180,6\n");
  CliRun run = RunGnomon({"forecast", "--series", path, "--season", "3", "--horizon", "1"});
  EXPECT_EQ(run.code, 0);
  EXPECT_NE(run.err.find("less than two"), std::string::npos) << run.err;
  EXPECT_TRUE(RunGnomon({"forecast", "--series", path, "--season", "2", "--horizon", "1"}).err.empty());
}

TEST(Forecast, CreationsAreCountedByStepAndType) {
  const std::string path = File("creations.csv", "time,type\n10,web\n20,web\n70,db\n80,web\n190,web\n");
  const absl::StatusOr<FileSeries> web = ReadSeries(path, 60, {"web"});
  ASSERT_TRUE(web.ok()) << web.status();
  EXPECT_EQ(web->values, (std::vector<double>{2, 1, 0, 1}));
  EXPECT_EQ(ReadSeries(path, 60, {})->values, (std::vector<double>{2, 2, 0, 1}));
}

TEST(Forecast, RefusalsNameLineAndColumnOrTheValue) {
  struct Case {
    std::string text;
    std::vector<std::string> words;
    std::string named;
  };
  for (const Case& c : std::vector<Case>{{"time,count\n0,1\n60,x\n", {}, "bad.csv:3: column count"},
                                         {"time,count\n0,1\n60,-2\n", {}, "bad.csv:3: column count"},
                                         {"time,count\n60,1\n0,2\n", {}, "bad.csv:3: column time"},
                                         {"time,count\n0,1\n", {}, "one time alone"},
                                         {"time,count\n", {}, "no rows"},
                                         {"when,count\n0,1\n", {}, "it has when, count"},
                                         {"time,count,type\n0,1,web\n", {"--types", "db"}, "its types are web"},
                                         {"time,count\n0,1\n60,1\n", {"--step", "2y"}, "INVALID_DURATION"},
                                         {"time,count\n0,1\n60,1\n", {"--step", "400d"}, "too long"},
                                         {"time,count\n0,1\n1,1\n9000000,1\n", {}, "--step"},
                                         {"time,count\n0,1\n60,1\n", {"--step", "soon"}, "soon"},
                                         {"time,count\n0,1\n60,1\n", {"--horizon", "0"}, "horizon"}}) {
    std::vector<std::string> words = {"forecast", "--series", File("bad.csv", c.text)};
    words.insert(words.end(), c.words.begin(), c.words.end());
    CliRun run = RunGnomon(words);
    EXPECT_EQ(run.code, 2) << c.named << run.err;
    EXPECT_NE(run.err.find(c.named), std::string::npos) << run.err;
  }
}

}  // namespace
}  // namespace gnomon
