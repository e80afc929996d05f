// SPDX-License-Identifier: Apache-2.0
//
// A backtest tells how good the forecasts of 5, 15 and 30 minutes were, at every origin of a trace's judged part.
//
// The trace is told to a HorizonForecaster in virtual time; each forecast is judged when its horizon is over. Judged is
// the mix, and apart all that is mixed. `yesterday` stands for the plain seasonal naive: what was counted a day before, at
// every level; `seasonal_naive_288` is the same with the errors that it had, and what a comparison with the seasonal naive
// means is the better one of the two. Types with few creations in the judged part are learnt from but not judged.
//
// Threads: free functions. Deterministic. Cost: about 100 us a type and five minutes, most of it fits of trees.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/judged_trace.h"
#include "forecast/horizon_forecaster.h"

namespace gnomon {

using AtLevels = std::array<double, kLevels.size()>;

struct ForecastScore {
  std::string forecast;
  AtLevels pinball{};  // mean, in creations, of whole quantiles
  double crps = 0;     // from the pinball losses, weighted by the width around each level
  double mase = 0;     // the median's absolute error over that of `yesterday` before the judged part; mean of the types
  AtLevels to_seasonal_naive{}, to_rolling{};  // pinball over theirs
  AtLevels coverage{};   // share of the outcomes at most the quantile, ties broken at random (levels.h)
  AtLevels worst_day{};  // of the coverage less the level, the largest of 24 hours from the warm-up's end on
};

// The mix's score of one type.
struct SeriesScore {
  std::string type;
  AtLevels to_seasonal_naive{}, to_rolling{}, coverage{};
};

struct HorizonScore {
  int minutes = 0;
  int64_t outcomes = 0;
  std::vector<ForecastScore> forecasts;  // `yesterday`, all that is mixed, `mix`
  std::vector<SeriesScore> types;        // those judged
};

// What a forecast of a horizon is held to, at one level.
struct Promise {
  int minutes = 0;
  size_t level = 0;      // of kLevels
  std::string what;      // a member of ForecastScore
  double measured = 0;   // of the mix
  double limit = 0;      // of its absolute value
  bool kept() const { return measured <= limit && measured >= -limit; }
};

std::vector<HorizonScore> Backtest(const JudgedTrace& trace, const ForecastParts& parts);

// At 50, 90, 95 and 99 %: a fifth less pinball loss than the seasonal naive and at most 2 % more than the rolling quantile,
// and coverage within 1.5, 1, 1 and 0.4 points of the level, of each day within 5, 3, 2 and 1.
std::vector<Promise> Promises(const std::vector<HorizonScore>& scores);

}  // namespace gnomon
