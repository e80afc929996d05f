// SPDX-License-Identifier: Apache-2.0
#include "forecast/horizon_forecaster.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "forecast/horizon_forecaster_key.h"

namespace gnomon {
namespace {

constexpr double kMinuteS = 60, kFitS = 7200;

SeriesShape ShapeOf(const ForecastParts& parts) {
  constexpr int kDaySteps = static_cast<int>(HorizonForecaster::kDayS / HorizonForecaster::kStepS);
  SeriesShape shape{.seasons = {kDaySteps, 7 * kDaySteps}, .spans = {}, .parts = parts};
  for (int steps : HorizonForecaster::kHorizonSteps) shape.spans.push_back({0, steps});
  return shape;
}

}  // namespace

HorizonForecaster::Key::Key(const SeriesShape& shape, ForecastPool* pool, size_t number, double from_s)
    : series(shape, pool, number) {
  const double phase_s = std::fmod(static_cast<double>(number) * kMinuteS, kStepS);
  begin_s = std::floor((from_s - phase_s) / kStepS) * kStepS + phase_s;
}

void HorizonForecaster::Key::EndGroup() {
  if (group >= kBatchLeast) {
    step.batched += group;
    ++step.batches;
  }
  group = 0;
}

HorizonForecaster::HorizonForecaster(const ForecastParts& parts)
    : shape_(ShapeOf(parts)), names_(shape_.forecasts()), pool_(MakePool(shape_)) {}

HorizonForecaster::~HorizonForecaster() = default;

size_t HorizonForecaster::AddKey() {
  keys_.push_back(std::make_unique<Key>(shape_, &pool_, keys_.size(), reviewed_s_));
  return keys_.size() - 1;
}

void HorizonForecaster::Advance(Key* key, double time_s) {
  if (time_s - key->begin_s >= kStepS + kMaxGapS) {
    key->begin_s += std::floor((time_s - key->begin_s) / kStepS - 1) * kStepS;
  }
  for (; key->begin_s + kStepS <= time_s; key->begin_s += kStepS) {
    key->EndGroup();
    key->series.Add(std::exchange(key->step, {}));
  }
}

void HorizonForecaster::Created(size_t key_number, double time_s, uint32_t count) {
  Key* key = keys_[key_number].get();
  Advance(key, time_s);
  if (time_s - key->group_s >= Key::kBatchS) {
    key->EndGroup();
    key->group_s = time_s;
  }
  key->group += count;
  key->step.value += count;
}

void HorizonForecaster::Review(double time_s) {
  for (const std::unique_ptr<Key>& key : keys_) Advance(key.get(), time_s);
  reviewed_s_ = time_s;
  const int64_t fit = static_cast<int64_t>(time_s / kFitS);
  if (fit > fit_ && shape_.parts.pooling) pool_.FitNext();
  fit_ = fit;
}

KeyForecast HorizonForecaster::ForecastOf(size_t key_number) const {
  const Key& key = *keys_[key_number];
  KeyForecast forecast;
  forecast.as_of_s = key.begin_s;
  forecast.steps = key.series.history().pushed();
  for (size_t h = 0; h < kHorizonSteps.size(); ++h) {
    HorizonForecast& horizon = forecast.horizons[h];
    horizon.horizon_s = kHorizonSteps[h] * kStepS;
    horizon.exact = key.series.Forecast(h);
    for (size_t i = 0; i < kLevels.size(); ++i) {
      horizon.quantiles[i] = std::llround(WholeQuantile(static_cast<double>(horizon.exact[i])));
    }
    horizon.weights = key.series.Weights(h);
  }
  const int recent = std::min(key.series.history().known(), static_cast<int>(kRecent));
  for (int i = 0; i < recent; ++i) forecast.recent.push_back(key.series.history().Back(i));
  return forecast;
}

const SeriesForecaster& HorizonForecaster::series(size_t key) const { return keys_[key]->series; }

}  // namespace gnomon
