// SPDX-License-Identifier: Apache-2.0
#include "cli/forecast_fan.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace gnomon {
namespace {

constexpr double kMinuteS = 60;
constexpr size_t kLongest = HorizonForecaster::kHorizonSteps.back();

// A type that is shown, step by step.
struct Shown {
  size_t key = 0;
  int64_t steps = 0;  // that have ended
  double from_s = 0;  // the end of the first step kept
  std::vector<decltype(KeyForecast::horizons)> forecasts;  // at the end of each step
  std::vector<int64_t> counts;                             // of the steps
};

void EndStep(const HorizonForecaster& forecaster, double warmup_s, Shown* shown) {
  const int64_t steps = forecaster.series(shown->key).history().pushed();
  if (steps == shown->steps) return;
  shown->steps = steps;
  const KeyForecast forecast = forecaster.ForecastOf(shown->key);
  if (forecast.as_of_s < warmup_s) return;
  if (shown->forecasts.empty()) shown->from_s = forecast.as_of_s;
  shown->forecasts.push_back(forecast.horizons);
  shown->counts.push_back(std::llround(forecast.recent.front()));
}

ForecastFan::Type TypeOf(const std::string& name, const Shown& shown, size_t every) {
  ForecastFan::Type type{name, shown.from_s, {}};
  for (size_t h = 0; h < HorizonForecaster::kHorizonSteps.size(); ++h) {
    const size_t length = static_cast<size_t>(HorizonForecaster::kHorizonSteps[h]);
    ForecastFan::Horizon& horizon = type.horizons.emplace_back();
    horizon.length_s = static_cast<double>(length) * HorizonForecaster::kStepS;
    for (size_t i = 0; i + kLongest < shown.counts.size(); i += every) {
      auto& quantiles = horizon.quantiles.emplace_back();
      for (size_t q = 0; q < kFanLevels.size(); ++q) quantiles[q] = shown.forecasts[i][h].quantiles[kFanLevels[q]];
      int64_t actual = 0;
      for (size_t step = i + 1; step <= i + length; ++step) actual += shown.counts[step];
      horizon.actual.push_back(actual);
    }
  }
  return type;
}

}  // namespace

ForecastFan FanOf(const SimulatedTrace& trace, const SimulationOptions& options, const std::vector<std::string>& learnt,
                  const std::vector<std::string>& shown_names) {
  HorizonForecaster forecaster;
  std::vector<std::optional<size_t>> keys(trace.types.size());
  for (size_t type = 0; type < trace.types.size(); ++type) {
    if (std::find(learnt.begin(), learnt.end(), trace.types[type]) != learnt.end()) keys[type] = forecaster.AddKey();
  }
  std::vector<Shown> shown;
  shown.reserve(shown_names.size());
  for (const std::string& name : shown_names) {
    const size_t type =
        static_cast<size_t>(std::find(trace.types.begin(), trace.types.end(), name) - trace.types.begin());
    shown.emplace_back().key = *keys[type];
  }
  size_t next = 0;
  for (double now_s = kMinuteS; now_s <= trace.end_s; now_s += kMinuteS) {
    for (; next < trace.demand.size() && trace.demand[next].time_s < now_s; ++next) {
      const Demand& demand = trace.demand[next];
      if (!keys[demand.type]) continue;
      forecaster.Created(*keys[demand.type], demand.time_s, static_cast<uint32_t>(demand.count));
    }
    forecaster.Review(now_s);
    for (Shown& one : shown) EndStep(forecaster, options.warmup_s, &one);
  }
  size_t points = 0;
  for (const Shown& one : shown) points = std::max(points, one.counts.size());
  const size_t every = points / kFanPoints + 1;
  ForecastFan fan{static_cast<double>(every) * HorizonForecaster::kStepS, {}};
  for (size_t i = 0; i < shown.size(); ++i) {
    if (shown[i].counts.size() > kLongest) fan.types.push_back(TypeOf(shown_names[i], shown[i], every));
  }
  return fan;
}

}  // namespace gnomon
