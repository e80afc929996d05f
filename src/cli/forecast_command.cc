// SPDX-License-Identifier: Apache-2.0
#include "cli/forecast.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/duration_flag.h"
#include "cli/render.h"

namespace gnomon {
namespace {

struct ForecastArgs {
  std::string series, step;
  std::vector<std::string> types;
  std::vector<int> seasons = {1};
  int horizon = 12;
  bool chart = false;
};

JsonObject Json(const FileSeries& series, const SeriesForecast& forecast, const std::vector<int>& seasons) {
  JsonArray steps;
  double time_s = series.begin_s + series.step_s * static_cast<double>(series.values.size());
  for (const auto& step : forecast.steps) {
    JsonObject quantiles;
    for (size_t i = 0; i < kLevels.size(); ++i) quantiles[absl::StrCat(kLevels[i])] = step[i];
    steps.push_back(JsonObject{{"time", time_s}, {"point", step[kMedian]}, {"quantiles", std::move(quantiles)}});
    time_s += series.step_s;
  }
  JsonObject weights;
  for (const auto& [name, weight] : forecast.weights) weights[name] = weight;
  return {{"step_s", series.step_s},
          {"steps_known", series.values.size()},
          {"seasons", JsonArray(seasons.begin(), seasons.end())},
          {"forecast", std::move(steps)},
          {"weights", std::move(weights)}};
}

void PrintSteps(Session& session, const FileSeries& series, const SeriesForecast& forecast) {
  static const std::vector<Column> kColumns = {{"TIME", "time"}, {"POINT", "point"}, {"10 %", "q0"}, {"25 %", "q1"},
                                               {"75 %", "q3"},   {"90 %", "q4"},     {"95 %", "q5"}, {"99 %", "q6"}};
  JsonArray rows;
  double time_s = series.begin_s + series.step_s * static_cast<double>(series.values.size());
  for (const auto& step : forecast.steps) {
    JsonObject row = {{"time", absl::StrFormat("%.10g", time_s)}, {"point", absl::StrFormat("%.6g", step[kMedian])}};
    for (size_t i = 0; i < kLevels.size(); ++i) row[absl::StrCat("q", i)] = absl::StrFormat("%.6g", step[i]);
    rows.push_back(std::move(row));
    time_s += series.step_s;
  }
  PrintTable(kColumns, rows, session.colored(), session.out());
}

absl::Status RunForecast(Session& session, const ForecastArgs& args) {
  absl::Duration step = absl::ZeroDuration();
  if (!args.step.empty()) {
    GNOMON_ASSIGN_OR_RETURN(step, DurationFlag("step", args.step, absl::Seconds(1), absl::Hours(24 * 366)));
  }
  std::vector<int> seasons = args.seasons;
  std::sort(seasons.begin(), seasons.end());
  seasons.erase(std::unique(seasons.begin(), seasons.end()), seasons.end());
  GNOMON_ASSIGN_OR_RETURN(const FileSeries series, ReadSeries(args.series, absl::ToDoubleSeconds(step), args.types));
  if (seasons.back() > 1 && static_cast<size_t>(seasons.back()) * 2 > series.values.size()) {
    session.err() << absl::StrFormat("note: of a season of %d steps the series has less than two: it has %d steps of %gs\n",
                                     seasons.back(), series.values.size(), series.step_s);
  }
  const SeriesForecast forecast = ForecastSeries(series, args.horizon, seasons);
  if (WantsData(session)) {
    PrintData(session, Json(series, forecast, seasons));
  } else if (args.chart) {
    session.out() << Chart(series, forecast);
  } else {
    PrintSteps(session, series, forecast);
  }
  return absl::OkStatus();
}

}  // namespace

void AddForecastCommand(CommandTree& tree) {
  auto args = std::make_shared<ForecastArgs>();
  CLI::App* forecast = tree.root.add_subcommand("forecast", "Forecast a series of counts from a file, without a server");
  forecast->add_option("--series", args->series, "CSV or CSV.gz, sorted; columns: time or epoch_sec, in seconds; count or value; type or group")->required();
  forecast->add_option("--horizon", args->horizon, "Steps to forecast")
      ->check(CLI::Range(1, kMaxHorizon))
      ->capture_default_str();
  forecast->add_option("--season", args->seasons, "Steps after which the series repeats, as 288,2016 (repeat); 1: it does not")
      ->check(CLI::Range(1, kMaxSeason))
      ->delimiter(',');
  forecast->add_option("--step", args->step, "A step's length, as 5m; without it, the smallest between two rows. One without rows counts 0");
  forecast->add_option("--types", args->types, "Of these types alone, together, as web,db")->delimiter(',');
  forecast->add_flag("--chart", args->chart, "Draw it");
  OnRun(forecast, tree, args, &RunForecast);
}

}  // namespace gnomon
