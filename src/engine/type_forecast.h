// SPDX-License-Identifier: Apache-2.0
//
// A TypeForecast is how many creations of one type the next 5, 15 and 30 minutes are expected to bring.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "forecast/horizon_forecaster.h"

namespace gnomon {

struct TypeForecast {
  struct Horizon {
    absl::Duration length = absl::ZeroDuration();
    // Creations, at kLevels: so many or fewer come with that probability.
    std::array<int64_t, kLevels.size()> quantiles{};
  };

  std::string type = {};
  std::string missing = {};                 // why nothing is forecast; empty: it is, and what follows holds
  absl::Time as_of = absl::InfinitePast();  // where the horizons begin: the end of the newest step
  int64_t steps = 0;                        // of HorizonForecaster::kStepS, that it has learnt from
  std::array<Horizon, HorizonForecaster::kHorizonSteps.size()> horizons = {};
  std::vector<int64_t> recent = {};  // creations of the last steps, the newest first
};

}  // namespace gnomon
