// SPDX-License-Identifier: Apache-2.0
#include "forecast/score_histogram.h"

#include <algorithm>
#include <cmath>

namespace gnomon {
namespace {

constexpr double kUnit = 0.5;                      // below it bins are even, above it they widen
constexpr double kLowest = -5, kHighest = 7;       // of asinh(score / kUnit)
constexpr float kMostNext = 1000;

double Place(double score) { return (std::asinh(score / kUnit) - kLowest) / (kHighest - kLowest); }
double ScoreAt(double place) { return kUnit * std::sinh(kLowest + place * (kHighest - kLowest)); }

}  // namespace

double ScoreHistogram::Score(double outcome, double forecast) {
  return (outcome - forecast) / std::sqrt(forecast + 1);
}

double ScoreHistogram::Outcome(double score, double forecast) {
  return forecast + score * std::sqrt(forecast + 1);
}

void ScoreHistogram::Add(double score, double memory) {
  const double at = std::clamp(Place(score), 0.0, 1.0) * static_cast<double>(kBins);
  bins_[std::min(static_cast<size_t>(at), kBins - 1)] += next_;
  sum_ += next_;
  next_ *= static_cast<float>(memory / (memory - 1));
  if (next_ < kMostNext) return;
  sum_ = 0;
  for (float& bin : bins_) sum_ += bin /= next_;
  next_ = 1;
}

Quantiles ScoreHistogram::AtLevels() const {
  Quantiles scores{};
  if (sum_ <= 0) return scores;
  double below = 0;
  size_t level = 0;
  for (size_t bin = 0; bin < kBins && level < kLevels.size(); ++bin) {
    const double here = static_cast<double>(bins_[bin] / sum_);
    for (; level < kLevels.size() && below + here >= kLevels[level]; ++level) {
      const double inside = here <= 0 ? 0 : std::clamp((kLevels[level] - below) / here, 0.0, 1.0);
      scores[level] =
          static_cast<float>(ScoreAt((static_cast<double>(bin) + inside) / static_cast<double>(kBins)));
    }
    below += here;
  }
  for (; level < kLevels.size(); ++level) scores[level] = static_cast<float>(ScoreAt(1));  // rounding
  return scores;
}

}  // namespace gnomon
