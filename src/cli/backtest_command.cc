// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/error.h"
#include "cli/backtest.h"
#include "cli/commands.h"
#include "cli/judged_trace.h"
#include "cli/render.h"

namespace gnomon {
namespace {

struct BacktestArgs {
  TraceFlags trace{.warmup = "168h"};
  std::vector<std::string> without;
};

constexpr std::array<size_t, 4> kShown = {kMedian, kLevel90, kLevel95, kLevel99};

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

JsonObject Json(const ForecastScore& score) {
  return {{"forecast", score.forecast},
          {"pinball", ByLevel(score.pinball)},
          {"crps", score.crps},
          {"mase", score.mase},
          {"to_seasonal_naive", ByLevel(score.to_seasonal_naive)},
          {"to_rolling", ByLevel(score.to_rolling)},
          {"coverage", ByLevel(score.coverage)},
          {"worst_day", ByLevel(score.worst_day)}};
}

JsonObject Json(const SeriesScore& score) {
  return {{"type", score.type},
          {"to_seasonal_naive", ByLevel(score.to_seasonal_naive)},
          {"to_rolling", ByLevel(score.to_rolling)},
          {"coverage", ByLevel(score.coverage)}};
}

JsonObject Json(const Promise& promise) {
  return {{"minutes", promise.minutes},   {"level", kLevels[promise.level]}, {"promise", promise.what},
          {"measured", promise.measured}, {"limit", promise.limit},          {"kept", promise.kept()}};
}

JsonObject Json(const HorizonScore& score);

template <typename Item>
JsonArray JsonOf(const std::vector<Item>& items) {
  JsonArray json;
  for (const Item& item : items) json.push_back(Json(item));
  return json;
}

JsonObject Json(const HorizonScore& score) {
  return {{"minutes", score.minutes},
          {"outcomes", score.outcomes},
          {"forecasts", JsonOf(score.forecasts)},
          {"types", JsonOf(score.types)}};
}

// The shown levels' numbers.
std::string Row(const AtLevels& numbers) {
  std::string row;
  for (size_t level : kShown) absl::StrAppend(&row, row.empty() ? "" : " ", absl::StrFormat("%.3f", numbers[level]));
  return row;
}

void PrintScores(Session& session, const std::vector<HorizonScore>& scores) {
  static const std::vector<Column> kColumns = {{"MINUTES", "minutes"},       {"FORECAST", "forecast"},
                                               {"PINBALL 50 90 95 99 %", "pinball"}, {"CRPS", "crps"},
                                               {"MASE", "mase"},             {"TO SEASONAL NAIVE", "to_seasonal_naive"},
                                               {"TO ROLLING", "to_rolling"}, {"COVERED", "coverage"}};
  JsonArray rows;
  for (const HorizonScore& score : scores) {
    for (const ForecastScore& one : score.forecasts) {
      rows.push_back(JsonObject{{"minutes", score.minutes},
                                {"forecast", one.forecast},
                                {"pinball", Row(one.pinball)},
                                {"crps", absl::StrFormat("%.3f", one.crps)},
                                {"mase", absl::StrFormat("%.3f", one.mase)},
                                {"to_seasonal_naive", Row(one.to_seasonal_naive)},
                                {"to_rolling", Row(one.to_rolling)},
                                {"coverage", Row(one.coverage)}});
    }
  }
  PrintTable(kColumns, rows, session.colored(), session.out());
}

// The type where the mix is worst beside the rolling quantile.
std::string WorstType(const HorizonScore& score, size_t level) {
  auto less = [&](const SeriesScore& a, const SeriesScore& b) { return a.to_rolling[level] < b.to_rolling[level]; };
  const auto worst = std::max_element(score.types.begin(), score.types.end(), less);
  return absl::StrFormat("%.3f %s", worst->to_rolling[level], worst->type);
}

// A row for each horizon and level: the promises in the order that they are made in, and which of them is broken.
void PrintPromises(Session& session, const std::vector<HorizonScore>& scores, const std::vector<Promise>& promises) {
  static const std::vector<Column> kColumns = {{"MINUTES", "minutes"},
                                               {"LEVEL", "level"},
                                               {"TO SEASONAL NAIVE", "to_seasonal_naive"},
                                               {"TO ROLLING", "to_rolling"},
                                               {"COVERED, POINTS OFF", "coverage"},
                                               {"ON THE WORST DAY", "worst_day"},
                                               {"WORST TYPE TO ROLLING", "type"},
                                               {"BROKEN", "broken"}};
  JsonArray rows;
  auto promise = promises.begin();
  for (const HorizonScore& score : scores) {
    for (size_t level : kShown) {
      JsonObject row = {{"minutes", score.minutes},
                        {"level", absl::StrFormat("%.0f %%", 100 * kLevels[level])},
                        {"type", WorstType(score, level)}};
      std::string broken;
      for (; promise != promises.end() && promise->minutes == score.minutes && promise->level == level; ++promise) {
        const bool ratio = promise->what.starts_with("to_");
        row[promise->what] = ratio ? absl::StrFormat("%.3f <= %.2f", promise->measured, promise->limit)
                                   : absl::StrFormat("%+.2f <= %.1f", 100 * promise->measured, 100 * promise->limit);
        if (!promise->kept()) absl::StrAppend(&broken, broken.empty() ? "" : ", ", promise->what);
      }
      row["broken"] = broken.empty() ? "none" : broken;
      rows.push_back(std::move(row));
    }
  }
  PrintTable(kColumns, rows, session.colored(), session.out());
}

absl::Status RunBacktest(Session& session, const BacktestArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(const JudgedTrace trace, ReadJudgedTrace(args.trace));
  session.err() << trace.note;
  const std::vector<HorizonScore> scores = Backtest(trace, PartsWithout(args.without));
  for (const HorizonScore& score : scores) {
    if (score.outcomes > 0) continue;
    return Error(absl::StatusCode::kInvalidArgument, "NOTHING_TO_JUDGE",
                 absl::StrCat("the judged part ends before one forecast of ", score.minutes, " minutes"))
        .Field("warmup")
        .Value(Excerpt(args.trace.warmup))
        .Hint(absl::StrCat("the trace ends at ", trace.end_s, "s: use a shorter --warmup"));
  }
  const std::vector<Promise> promises = Promises(scores);
  if (WantsData(session)) {
    PrintData(session, JsonObject{{"horizons", JsonOf(scores)}, {"promises", JsonOf(promises)}});
    return absl::OkStatus();
  }
  PrintScores(session, scores);
  session.out() << "\nThe mix:\n";
  PrintPromises(session, scores, promises);
  return absl::OkStatus();
}

}  // namespace

void AddBacktestCommand(CommandTree& tree) {
  auto args = std::make_shared<BacktestArgs>();
  CLI::App* backtest =
      tree.root.add_subcommand("backtest", "Judge the forecasts of 5, 15 and 30 minutes on a trace, without a server");
  AddTraceFlags(backtest, &args->trace);
  backtest->add_option("--without", args->without, "Leave out: bursts, calibration, mixing, batches, pooling (repeat)")
      ->check(CLI::IsMember({"bursts", "calibration", "mixing", "batches", "pooling"}))
      ->delimiter(',');
  OnRun(backtest, tree, args, &RunBacktest);
}

}  // namespace gnomon
