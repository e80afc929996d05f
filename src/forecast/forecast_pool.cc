// SPDX-License-Identifier: Apache-2.0
#include "forecast/forecast_pool.h"

#include <algorithm>
#include <cmath>

#include "forecast/score_histogram.h"

namespace gnomon {
namespace {

// How fast shifts follow, by level: so many spreads for an outcome that all series of a class had.
constexpr std::array<double, kLevels.size()> kRates = {0.03, 0.03, 0.03, 0.04, 0.07, 0.1, 0.15};
constexpr double kOwnPace = 0.1;  // of a series' own shift, of that rate
constexpr double kMostShift = 10;
constexpr double kLeastSpread = 0.1;

}  // namespace

ForecastPool::ForecastPool(size_t spans, size_t features) : spans_(spans, SpanPool(features)) {}

bool ForecastPool::HasTrees(size_t span) const {
  for (const auto& models : spans_[span].models) {
    if (models.empty()) return false;
  }
  return true;
}

Quantiles ForecastPool::TreeScores(size_t span, std::span<const float> features) const {
  Quantiles scores{};
  for (size_t i = 0; i < kLevels.size(); ++i) {
    const std::vector<QuantileTrees>& models = spans_[span].models[i];
    double sum = 0;
    for (const QuantileTrees& model : models) sum += model.Predict(features);
    scores[i] = static_cast<float>(sum / static_cast<double>(models.size()));
  }
  std::sort(scores.begin(), scores.end());
  return scores;
}

bool ForecastPool::Keeps(uint64_t key, uint64_t n) const {
  uint64_t series = 0;
  for (uint64_t members : members_) series += members;
  const uint64_t stride = (series * kRowsSpan + kMaxRows - 1) / kMaxRows;
  return (n + key) % std::max<uint64_t>(1, stride) == 0;
}

void ForecastPool::Keep(size_t span, std::span<const float> features, double score, double scale) {
  SpanPool& pool = spans_[span];
  if (pool.rows.size() < kMaxRows) {
    pool.rows.Add(features, static_cast<float>(score), static_cast<float>(scale));
    return;
  }
  pool.rows.Replace(pool.next_row, features, static_cast<float>(score), static_cast<float>(scale));
  pool.next_row = (pool.next_row + 1) % kMaxRows;
}

void ForecastPool::FitNext() {
  const size_t turn = fits_ % (spans_.size() * kLevels.size());
  SpanPool& pool = spans_[turn / kLevels.size()];
  if (pool.rows.size() < kFewestRows) return;
  const size_t level = turn % kLevels.size();
  std::vector<QuantileTrees>& models = pool.models[level];
  ++fits_;
  models.push_back(QuantileTrees::Fit(pool.rows, TreeOptions{.quantile = kLevels[level], .seed = fits_}));
  if (models.size() > kModels) models.erase(models.begin());
}

size_t ForecastPool::ClassOf(double mean) const {
  constexpr std::array<double, kClasses - 1> kUpTo = {0.3, 3, 30};
  return static_cast<size_t>(std::upper_bound(kUpTo.begin(), kUpTo.end(), mean) - kUpTo.begin());
}

void ForecastPool::Move(size_t from, size_t to) {
  if (from < kClasses) --members_[from];
  if (to < kClasses) ++members_[to];
}

Quantiles ForecastPool::Shift(size_t span, size_t size_class, const Quantiles& own, const Quantiles& quantiles) const {
  Quantiles shifted{};
  const double spread = std::max(kLeastSpread, static_cast<double>(quantiles[kLevel90] - quantiles[1]));
  for (size_t i = 0; i < kLevels.size(); ++i) {
    const double q = static_cast<double>(quantiles[i]);
    const double shift = static_cast<double>(spans_[span].shifts[size_class][i] + own[i]);
    shifted[i] = static_cast<float>(std::max(0.0, q + shift * spread));
  }
  return shifted;
}

void ForecastPool::Covered(size_t span, size_t size_class, const Quantiles& quantiles, double outcome, Quantiles* own) {
  const double members = static_cast<double>(std::max<uint64_t>(1, members_[size_class]));
  auto follow = [](float* shift, double by) {
    *shift = static_cast<float>(std::clamp(static_cast<double>(*shift) + by, -kMostShift, kMostShift));
  };
  for (size_t i = 0; i < kLevels.size(); ++i) {
    const double error = (outcome > static_cast<double>(quantiles[i]) ? 1 : 0) - (1 - kLevels[i]);
    follow(&spans_[span].shifts[size_class][i], kRates[i] * error / members);
    follow(&(*own)[i], kOwnPace * kRates[i] * error);
  }
}

}  // namespace gnomon
