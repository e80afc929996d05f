// SPDX-License-Identifier: Apache-2.0
//
// A backtest tells how good the forecasts of 5, 15 and 30 minutes were, at every origin of a trace's judged part.
//
// The trace is told to a HorizonForecaster in virtual time; each forecast is judged when its horizon is over. Judged is
// the mix, and apart all that is mixed. `yesterday` stands for the plain seasonal naive: what was counted a day before, at
// every level. Types with few creations in the judged part are learnt from but not judged.
//
// Threads: free functions. Deterministic. Cost: about 100 us a type and five minutes, most of it fits of trees.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "client/trace.h"
#include "forecast/horizon_forecaster.h"

namespace gnomon {

struct BacktestOptions {
  double from_s = 0;           // judged from here on
  double to_s = 0;             // the end
  int64_t min_creations = 200;  // of a type in the judged part
  ForecastParts parts = {};
};

using AtLevels = std::array<double, kLevels.size()>;

struct ForecastScore {
  std::string forecast;
  AtLevels pinball{};    // mean, in creations, of whole quantiles
  double crps = 0;       // from the pinball losses, weighted by the width around each level
  double mase = 0;       // the median's absolute error over that of `yesterday` before the judged part; mean of the types
  AtLevels coverage{};   // share of the outcomes at most the quantile, ties broken at random (levels.h)
  AtLevels worst_day{};  // of the coverage less the level, the largest of 24 hours from from_s on
  AtLevels to_rolling{};  // pinball over that of `rolling`, of the type where it is the largest
};

struct HorizonScore {
  int minutes = 0;
  int64_t outcomes = 0;
  std::vector<ForecastScore> forecasts;  // `yesterday`, all that is mixed, `mix`
};

// The types judged are those of `rows` with min_creations in [from_s, to_s); without any, there are no outcomes.
std::vector<HorizonScore> Backtest(const std::vector<TraceRow>& rows, const BacktestOptions& options);

}  // namespace gnomon
