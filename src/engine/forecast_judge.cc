// SPDX-License-Identifier: Apache-2.0
#include "engine/forecast_judge.h"

namespace gnomon {
namespace {

constexpr int kDaySteps = static_cast<int>(HorizonForecaster::kDayS / HorizonForecaster::kStepS);

}  // namespace

void JudgedHorizon::Add(const JudgedHorizon& other) {
  outcomes += other.outcomes;
  for (size_t i = 0; i < kLevels.size(); ++i) {
    covered[i] += other.covered[i];
    pinball[i] += other.pinball[i];
    naive[i] += other.naive[i];
  }
}

void ForecastJudge::Look(const HorizonForecaster& forecaster, size_t key) {
  const SeriesForecaster& series = forecaster.series(key);
  const StepHistory& history = series.history();
  const int64_t steps = history.pushed();
  if (steps == seen_) return;
  const double as_of_s = forecaster.ForecastOf(key).as_of_s;
  if (steps != seen_ + 1 || as_of_s - as_of_s_ != HorizonForecaster::kStepS) from_ = steps;
  if (steps < kDaySteps) from_ = steps + 1;
  seen_ = steps;
  as_of_s_ = as_of_s;
  for (size_t h = 0; h < kHorizons; ++h) {
    const int length = HorizonForecaster::kHorizonSteps[h];
    if (const int64_t made = steps - length; made >= from_) {
      Judge(made_[h][static_cast<size_t>(made) % kMaxMade], history.Sum(0, length),
            Draw(key * kHorizons + h, static_cast<uint64_t>(steps)), &horizons_[h]);
    }
    made_[h][static_cast<size_t>(steps) % kMaxMade] = {series.Forecast(h),
                                                       static_cast<float>(history.Sum(kDaySteps - length, length))};
  }
}

void ForecastJudge::Judge(const Made& made, double count, double draw, JudgedHorizon* horizon) {
  ++horizon->outcomes;
  for (size_t i = 0; i < kLevels.size(); ++i) {
    const double quantile = static_cast<double>(made.exact[i]);
    horizon->covered[i] += count + draw <= quantile ? 1 : 0;
    horizon->pinball[i] += Pinball(kLevels[i], WholeQuantile(quantile), count);
    horizon->naive[i] += Pinball(kLevels[i], static_cast<double>(made.naive), count);
  }
}

}  // namespace gnomon
