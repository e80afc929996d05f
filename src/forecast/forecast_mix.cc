// SPDX-License-Identifier: Apache-2.0
#include "forecast/forecast_mix.h"

#include <algorithm>
#include <cmath>

namespace gnomon {

void ForecastMix::Learn(std::span<const Quantiles> forecasts, double outcome) {
  outcomes_ = std::min(outcomes_ + 1, kMemory);
  for (size_t f = 0; f < forecasts.size(); ++f) {
    for (size_t i = 0; i < kLevels.size(); ++i) {
      const double loss = Pinball(kLevels[i], forecasts[f][i], outcome);
      losses_[f][i] += static_cast<float>((loss - losses_[f][i]) / outcomes_);
    }
  }
}

std::vector<Quantiles> ForecastMix::Weights() const {
  // Few outcomes say little about who is best.
  const double sharpness = kSharpness * std::sqrt(outcomes_ / kMemory);
  std::vector<Quantiles> weights(losses_.size());
  for (size_t i = 0; i < kLevels.size(); ++i) {
    float best = losses_[0][i], sum = 0;
    for (const Quantiles& loss : losses_) best = std::min(best, loss[i]);
    const double scale = sharpness / std::max(1e-9, static_cast<double>(best));
    for (size_t f = 0; f < losses_.size(); ++f) {
      weights[f][i] = static_cast<float>(std::exp(-scale * static_cast<double>(losses_[f][i] - best)));
      sum += weights[f][i];
    }
    for (Quantiles& weight : weights) weight[i] /= sum;
  }
  return weights;
}

Quantiles ForecastMix::Mix(std::span<const Quantiles> forecasts) const {
  const std::vector<Quantiles> weights = Weights();
  Quantiles mix{};
  for (size_t f = 0; f < forecasts.size(); ++f) {
    for (size_t i = 0; i < kLevels.size(); ++i) mix[i] += weights[f][i] * forecasts[f][i];
  }
  std::sort(mix.begin(), mix.end());
  return mix;
}

}  // namespace gnomon
