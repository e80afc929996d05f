// SPDX-License-Identifier: Apache-2.0
//
// A ForecastMix weighs several forecasts of one number by how well each did, at each level apart.
//
// The weights fall exponentially in each forecast's pinball loss over about the last kMemory outcomes, relative to the
// best one's (Vovk, 1990; Littlestone and Warmuth, 1994, with forgetting). The mix of quantiles is their weighted mean.
//
// Threads: not thread-safe. Cost: Learn and Weights about 10 ns a forecast and level. Memory: 28 bytes a forecast.
#pragma once

#include <span>
#include <vector>

#include "forecast/levels.h"

namespace gnomon {

class ForecastMix {
 public:
  static constexpr double kMemory = 1000;  // outcomes
  static constexpr double kSharpness = 50;

  explicit ForecastMix(size_t forecasts) : losses_(forecasts) {}

  // `forecasts` said this before `outcome` came.
  void Learn(std::span<const Quantiles> forecasts, double outcome);
  // By forecast, then level; those of one level add up to 1.
  std::vector<Quantiles> Weights() const;
  Quantiles Mix(std::span<const Quantiles> forecasts) const;

  // As in base/state.h; the number of forecasts is not stored.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive.Elements(self.losses_);
    archive(self.outcomes_);
  }

 private:
  std::vector<Quantiles> losses_;  // faded means
  double outcomes_ = 0;
};

}  // namespace gnomon
