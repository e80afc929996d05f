// SPDX-License-Identifier: Apache-2.0
//
// A ForecastFan is what was forecast for some types over a trace's judged part, beside what then came.
//
// Example:
//   ForecastFan fan = FanOf(trace, options, {"web", "db"}, {"web"});
//   fan.types[0].horizons[2].quantiles[0];   // at kFanLevels: of the half hour from fan.types[0].from_s on
//   fan.types[0].horizons[2].actual[0];      // came in it
//
// Threads: free functions. Deterministic. Cost: 100 us a type that is learnt and five minutes of the trace.
// Limits: at most kFanPoints forecasts of each type and horizon: of more, every second, third, ... is kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "forecast/horizon_forecaster.h"
#include "plan/simulation.h"

namespace gnomon {

inline constexpr std::array<size_t, 4> kFanLevels = {0, kMedian, kLevel90, kLevel99};  // of kLevels
inline constexpr size_t kFanPoints = 2016;                                             // a week of five minutes

struct ForecastFan {
  struct Horizon {
    double length_s = 0;
    std::vector<std::array<int64_t, kFanLevels.size()>> quantiles;
    std::vector<int64_t> actual;
  };
  struct Type {
    std::string type;
    double from_s = 0;  // of the trace, where the first horizons begin
    std::vector<Horizon> horizons;
  };

  double step_s = 0;  // from one forecast to the next
  std::vector<Type> types;
};

// The forecaster learns of the types `learnt`, as they have trees in common; the fan is of those `shown` of them.
ForecastFan FanOf(const SimulatedTrace& trace, const SimulationOptions& options, const std::vector<std::string>& learnt,
                  const std::vector<std::string>& shown);

}  // namespace gnomon
