// SPDX-License-Identifier: Apache-2.0
//
// A ForecastJudge compares the forecasts of one type with what then came.
//
// Each forecast that was made at the end of a step is judged when its horizon is over, and beside it the plain seasonal
// naive: what came a day before, at every level. So the first day is not judged, nor is what spans a time in which the
// engine stood still. Ties of count and quantile are broken as levels.h says, equally in equal runs.
//
// Threads: not thread-safe. Deterministic. Limits: what came is known as StepHistory keeps it, of more than 1,024 to
// one part in 2,048. Memory: 1.1 kB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "forecast/horizon_forecaster.h"

namespace gnomon {

// Of one horizon. Sums over the outcomes, by level.
struct JudgedHorizon {
  int64_t outcomes = 0;
  std::array<int64_t, kLevels.size()> covered{};  // outcomes at most the quantile
  std::array<double, kLevels.size()> pinball{};   // in creations, of whole quantiles
  std::array<double, kLevels.size()> naive{};     // the same of the seasonal naive

  void Add(const JudgedHorizon& other);

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.outcomes, self.covered, self.pinball, self.naive);
  }
};

class ForecastJudge {
 public:
  static constexpr size_t kHorizons = HorizonForecaster::kHorizonSteps.size();

  // Takes in the steps of `key` that have ended since the last call.
  void Look(const HorizonForecaster& forecaster, size_t key);
  const std::array<JudgedHorizon, kHorizons>& horizons() const { return horizons_; }

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.seen_, self.from_, self.as_of_s_, self.made_, self.horizons_);
    archive.Require(self.seen_ >= 0 && self.from_ >= 0);
  }

 private:
  static constexpr size_t kMaxMade = HorizonForecaster::kHorizonSteps.back();
  struct Made {
    Quantiles exact{};
    float naive = 0;

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive(self.exact, self.naive);
    }
  };
  static void Judge(const Made& made, double count, double draw, JudgedHorizon* horizon);

  int64_t seen_ = 0;     // steps
  int64_t from_ = 0;     // forecasts made at this many steps or more are in made_, and no time was passed over since
  double as_of_s_ = -1;  // the end of the last step seen
  std::array<std::array<Made, kMaxMade>, kHorizons> made_{};  // by the steps when it was made, modulo kMaxMade
  std::array<JudgedHorizon, kHorizons> horizons_{};
};

}  // namespace gnomon
