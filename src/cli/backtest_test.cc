// SPDX-License-Identifier: Apache-2.0
#include "cli/backtest.h"

#include <array>
#include <cmath>
#include <fstream>

#include "boost/json/parse.hpp"
#include "gtest/gtest.h"
#include "testing/cli_run.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

// Four days of `web`: some creations each minute, more by day.
std::string Trace() {
  static const TempFolder folder;
  const std::string path = folder.path() + "/trace.csv";
  std::ofstream file(path);
  file << "time,type,count\n";
  for (int minute = 0; minute < 4 * 1440; ++minute) {
    const double day = 4 + 3 * std::sin(2 * M_PI * minute / 1440);
    file << 60 * minute + 10 << ",web," << 1 + static_cast<int>(2 * day * Draw(1, static_cast<uint64_t>(minute))) << "\n";
  }
  return path;
}

CliRun Tested(std::vector<std::string> words) {
  words.insert(words.begin(), {"backtest", "--trace", Trace()});
  return RunGnomon(words);
}

JsonValue Find(const JsonValue& horizon, std::string_view name) {
  for (const JsonValue& forecast : horizon.at("forecasts").as_array()) {
    if (forecast.at("forecast") == boost::json::string_view(name.data(), name.size())) return forecast;
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(Backtest, JudgesEveryForecastOfEachHorizon) {
  CliRun run = Tested({"--warmup", "60h", "-o", "json"});
  ASSERT_EQ(run.code, 0) << run.err;
  const JsonArray horizons = boost::json::parse(run.out).at("horizons").as_array();
  ASSERT_EQ(horizons.size(), 3u);
  const std::array<int, 3> minutes = {5, 15, 30};
  const HorizonForecaster forecaster;
  for (size_t h = 0; h < 3; ++h) {
    EXPECT_EQ(horizons[h].at("minutes").to_number<int>(), minutes[h]);
    EXPECT_NEAR(horizons[h].at("outcomes").to_number<double>(), 36 * 12, 7);
    const JsonValue mix = Find(horizons[h], "mix"), yesterday = Find(horizons[h], "yesterday");
    EXPECT_LT(mix.at("crps").to_number<double>(), yesterday.at("crps").to_number<double>());
    EXPECT_LT(mix.at("mase").to_number<double>(), 1);
    EXPECT_NEAR(mix.at("coverage").at("0.9").to_number<double>(), 0.9, 0.05);
    EXPECT_EQ(Find(horizons[h], "rolling").at("to_rolling").at("0.5").to_number<double>(), 1);
    const double naive = std::min(yesterday.at("pinball").at("0.9").to_number<double>(),
                                  Find(horizons[h], "seasonal_naive_288").at("pinball").at("0.9").to_number<double>());
    EXPECT_NEAR(mix.at("to_seasonal_naive").at("0.9").to_number<double>(),
                mix.at("pinball").at("0.9").to_number<double>() / naive, 1e-9);
    ASSERT_EQ(horizons[h].at("types").as_array().size(), 1u);  // one type: its scores are those of all
    for (const char* name : {"to_rolling", "to_seasonal_naive", "coverage"}) {
      EXPECT_EQ(horizons[h].at("types").at(0).at(name), mix.at(name)) << name;
    }
    for (const std::string& name : forecaster.forecasts()) Find(horizons[h], name);
  }
}

TEST(Backtest, ThePlainSeasonalNaiveIsScoredAsByHand) {
  CliRun run = Tested({"--warmup", "72h", "--to", "73h", "-o", "json", "--min-creations", "1"});
  ASSERT_EQ(run.code, 0) << run.err;
  auto count = [](int minute) {
    const double day = 4 + 3 * std::sin(2 * M_PI * minute / 1440);
    return 1 + static_cast<int>(2 * day * Draw(1, static_cast<uint64_t>(minute)));
  };
  double loss = 0;
  for (int step = 0; step < 12; ++step) {
    int now = 0, before = 0;
    for (int i = 0; i < 5; ++i) {
      now += count(72 * 60 + 5 * step + i);
      before += count(48 * 60 + 5 * step + i);
    }
    loss += Pinball(0.9, before, now);
  }
  const JsonValue horizon = boost::json::parse(run.out).at("horizons").at(0);
  EXPECT_EQ(horizon.at("outcomes").to_number<int>(), 12);
  EXPECT_NEAR(Find(horizon, "yesterday").at("pinball").at("0.9").to_number<double>(), loss / 12, 1e-9);
}

TEST(Backtest, AblationsChangeTheMix) {
  auto crps = [](const std::vector<std::string>& words) {
    std::vector<std::string> all = {"--warmup", "60h", "-o", "json"};
    all.insert(all.end(), words.begin(), words.end());
    return Find(boost::json::parse(Tested(all).out).at("horizons").at(2), "mix").at("crps").to_number<double>();
  };
  const double whole = crps({});
  EXPECT_NE(crps({"--without", "mixing"}), whole);
  EXPECT_NE(crps({"--without", "calibration", "--without", "pooling"}), whole);
}

TEST(Backtest, PrintsATableAndRefusesWithWhatWouldBeRight) {
  CliRun table = Tested({"--warmup", "80h"});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("TO SEASONAL NAIVE"), std::string::npos) << table.out;
  EXPECT_EQ(Tested({"--warmup", "900h"}).code, 2);
  EXPECT_NE(Tested({"--warmup", "900h"}).err.find("shorter --warmup"), std::string::npos);
  EXPECT_EQ(Tested({"--without", "magic"}).code, 2);
  EXPECT_NE(Tested({"--types", "db"}).err.find("it has 1 type: web"), std::string::npos);
  EXPECT_NE(Tested({"--warmup", "5743m", "--min-creations", "1"}).err.find("before one forecast of"), std::string::npos);
}

TEST(Backtest, NamesThePromisesThatAreKeptAndThoseThatAreBroken) {
  HorizonScore score;
  score.minutes = 15;
  ForecastScore& mix = score.forecasts.emplace_back();
  mix.to_seasonal_naive.fill(0.8);
  mix.to_rolling.fill(1.02);
  mix.to_rolling[kLevel95] = 1.03;
  mix.coverage = kLevels;
  mix.coverage[kLevel99] -= 0.005;
  mix.worst_day[kMedian] = 0.049;
  mix.worst_day[kLevel90] = 0.031;
  std::vector<std::string> broken;
  for (const Promise& promise : Promises({score})) {
    EXPECT_EQ(promise.minutes, 15);
    if (!promise.kept()) broken.push_back(std::to_string(promise.level) + promise.what);
  }
  EXPECT_EQ(broken, (std::vector<std::string>{"4worst_day", "5to_rolling", "6coverage"}));
}

TEST(Backtest, TheSameFromALaterStartIsTheSameWithoutWhatCameBefore) {
  CliRun run = Tested({"--from", "1d", "--warmup", "36h", "--to", "3d", "-o", "json"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_NEAR(boost::json::parse(run.out).at("horizons").at(0).at("outcomes").to_number<double>(), 12 * 12, 2);
}

}  // namespace
}  // namespace gnomon
