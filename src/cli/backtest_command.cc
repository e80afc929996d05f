// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/error.h"
#include "cli/backtest.h"
#include "cli/commands.h"
#include "cli/render.h"

namespace gnomon {
namespace {

struct BacktestArgs {
  std::string trace, warmup = "168h", to;
  std::vector<std::string> without, types;
  int64_t min_creations = 200;
};

constexpr std::array<size_t, 4> kShown = {kMedian, kLevel90, kLevel95, kLevel99};

absl::Status ParseTime(const std::string& flag, const std::string& text, double* time_s) {
  absl::Duration time;
  if (!absl::ParseDuration(text, &time) || time < absl::ZeroDuration() || time == absl::InfiniteDuration()) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_TIME",
                 absl::StrCat(flag, " ", Excerpt(text), " is not a duration"))
        .Field(flag)
        .Value(Excerpt(text))
        .Hint("as 168h or 1800000s");
  }
  *time_s = absl::ToDoubleSeconds(time);
  return absl::OkStatus();
}

ForecastParts PartsWithout(const std::vector<std::string>& without) {
  auto has = [&](const char* part) { return std::find(without.begin(), without.end(), part) == without.end(); };
  return {.bursts = has("bursts"),
          .batches = has("batches"),
          .pooling = has("pooling"),
          .mixing = has("mixing"),
          .calibration = has("calibration")};
}

JsonObject ByLevel(const AtLevels& numbers) {
  JsonObject json;
  for (size_t i = 0; i < kLevels.size(); ++i) json[absl::StrCat(kLevels[i])] = numbers[i];
  return json;
}

JsonArray Json(const std::vector<HorizonScore>& scores) {
  JsonArray horizons;
  for (const HorizonScore& score : scores) {
    JsonArray forecasts;
    for (const ForecastScore& one : score.forecasts) {
      forecasts.push_back(JsonObject{{"forecast", one.forecast},
                                     {"pinball", ByLevel(one.pinball)},
                                     {"crps", one.crps},
                                     {"mase", one.mase},
                                     {"coverage", ByLevel(one.coverage)},
                                     {"worst_day", ByLevel(one.worst_day)},
                                     {"worst_type_to_rolling", ByLevel(one.to_rolling)}});
    }
    horizons.push_back(
        JsonObject{{"minutes", score.minutes}, {"outcomes", score.outcomes}, {"forecasts", std::move(forecasts)}});
  }
  return horizons;
}

// The shown levels' numbers, times `factor`.
std::string Row(const AtLevels& numbers, double factor, const char* sign) {
  std::string row;
  for (size_t level : kShown) {
    const double number = factor * numbers[level];
    absl::StrAppend(&row, row.empty() ? "" : " ", sign[0] == '+' ? absl::StrFormat("%+.2f", number)
                                                                : absl::StrFormat("%.3f", number));
  }
  return row;
}

void PrintScores(Session& session, const std::vector<HorizonScore>& scores) {
  static const std::vector<Column> kColumns = {{"MINUTES", "minutes"},
                                               {"FORECAST", "forecast"},
                                               {"PINBALL 50 90 95 99 %", "pinball"},
                                               {"CRPS", "crps"},
                                               {"MASE", "mase"},
                                               {"COVERED, POINTS OFF", "coverage"},
                                               {"WORST DAY", "worst_day"},
                                               {"WORST TYPE TO ROLLING", "to_rolling"}};
  JsonArray rows;
  for (const HorizonScore& score : scores) {
    for (const ForecastScore& one : score.forecasts) {
      AtLevels off{};
      for (size_t i = 0; i < kLevels.size(); ++i) off[i] = one.coverage[i] - kLevels[i];
      rows.push_back(JsonObject{{"minutes", score.minutes},
                                {"forecast", one.forecast},
                                {"pinball", Row(one.pinball, 1, "")},
                                {"crps", absl::StrFormat("%.3f", one.crps)},
                                {"mase", absl::StrFormat("%.3f", one.mase)},
                                {"coverage", Row(off, 100, "+")},
                                {"worst_day", Row(one.worst_day, 100, "+")},
                                {"to_rolling", Row(one.to_rolling, 1, "")}});
    }
  }
  PrintTable(kColumns, rows, session.colored(), session.out());
}

absl::Status RunBacktest(Session& session, const BacktestArgs& args) {
  BacktestOptions options{.min_creations = args.min_creations, .parts = PartsWithout(args.without)};
  GNOMON_RETURN_IF_ERROR(ParseTime("warmup", args.warmup, &options.from_s));
  GNOMON_ASSIGN_OR_RETURN(std::vector<TraceRow> rows, ReadTrace(args.trace));
  if (!args.types.empty()) {
    std::erase_if(rows, [&](const TraceRow& row) {
      return std::find(args.types.begin(), args.types.end(), row.type) == args.types.end();
    });
  }
  if (!rows.empty()) options.to_s = absl::ToDoubleSeconds(rows.back().time) + 1;
  if (!args.to.empty()) GNOMON_RETURN_IF_ERROR(ParseTime("to", args.to, &options.to_s));
  const std::vector<HorizonScore> scores = Backtest(rows, options);
  if (scores.back().outcomes == 0) {
    return Error(absl::StatusCode::kInvalidArgument, "NOTHING_TO_JUDGE",
                 absl::StrCat("no type has ", options.min_creations, " creations after the warm-up of ", args.warmup))
        .Field("warmup")
        .Value(args.warmup)
        .Hint(absl::StrCat("the trace ends at ", options.to_s, "s: use a shorter --warmup or fewer --min-creations"));
  }
  if (WantsData(session)) {
    PrintData(session, JsonObject{{"horizons", Json(scores)}});
  } else {
    PrintScores(session, scores);
  }
  return absl::OkStatus();
}

}  // namespace

void AddBacktestCommand(CommandTree& tree) {
  auto args = std::make_shared<BacktestArgs>();
  CLI::App* backtest =
      tree.root.add_subcommand("backtest", "Judge the forecasts of 5, 15 and 30 minutes on a trace, without a server");
  backtest->add_option("--trace", args->trace, "CSV or CSV.gz; columns: time, type, count")->required();
  backtest->add_option("--warmup", args->warmup, "Learn until then, judge after")->capture_default_str();
  backtest->add_option("--to", args->to, "End at this time of the trace");
  backtest->add_option("--types", args->types, "Of these types alone, as web,db")->delimiter(',');
  backtest->add_option("--min-creations", args->min_creations, "Of a type in the judged part, to be judged")
      ->check(CLI::Range(int64_t{1}, int64_t{10'000'000}))
      ->capture_default_str();
  backtest->add_option("--without", args->without, "Leave out: bursts, calibration, mixing, batches, pooling (repeat)")
      ->check(CLI::IsMember({"bursts", "calibration", "mixing", "batches", "pooling"}))
      ->delimiter(',');
  OnRun(backtest, tree, args, &RunBacktest);
}

}  // namespace gnomon
