// SPDX-License-Identifier: Apache-2.0
#include "forecast/rise_forecast.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gnomon {
namespace {

constexpr double kMemory = 40'000;  // outcomes, after which one counts 1/e
constexpr double kCalm = 0.01;      // of the variance, that a new error makes up
constexpr double kLeastScale = 0.02;
constexpr double kMostWeight = 1e30;
constexpr int64_t kDayS = 86400;
// Bins are even in the inverse hyperbolic sine of kFine times the score: fine near none, 5 % of large ones.
constexpr double kFine = 4, kBinWidth = 0.05;

}  // namespace

RiseForecast::RiseForecast(const Options& options)
    : horizon_(options.horizon),
      day_(static_cast<size_t>(kDayS / options.step_s)),
      week_(7 * day_),
      roots_(week_ + horizon_ + 1, kGap),
      linear_(kFeatures) {}

void RiseForecast::Add(std::optional<double> value) {
  now_ = value && std::isfinite(*value) ? std::sqrt(std::max(0.0, *value)) : static_cast<double>(kGap);
  roots_[count_++ % roots_.size()] = static_cast<float>(now_);
  Learn();
  Forecast();
}

double RiseForecast::Back(size_t steps) const {
  if (steps >= count_ || steps >= roots_.size()) return now_;
  const float root = roots_[(count_ - 1 - steps) % roots_.size()];
  return root < 0 ? now_ : static_cast<double>(root);
}

double RiseForecast::RiseBack(size_t steps) const {
  if (steps >= count_) return 0;
  const double from = Back(steps);
  double most = Back(steps - 1) - from;
  for (size_t i = 2; i <= horizon_; ++i) most = std::max(most, Back(steps - i) - from);
  return most;
}

// From the forecast whose horizon has ended, unless there was a gap in it.
void RiseForecast::Learn() {
  if (pending_.size() < horizon_) return;
  const Pending past = pending_.front();
  pending_.pop_front();
  double most = kGap;
  for (size_t i = 0; i < horizon_; ++i) {
    const float root = roots_[(count_ - 1 - i) % roots_.size()];
    if (root < 0) return;
    most = std::max(most, static_cast<double>(root));
  }
  if (past.now < 0) return;
  const double rise = most - past.now, error = rise - past.rise;
  const double place = std::floor(std::asinh(error / past.scale * kFine) / kBinWidth + kBins / 2);
  bins_[static_cast<size_t>(std::clamp(place, 0.0, kBins - 1.0))] += next_;
  sum_ += next_;
  next_ *= std::exp(1 / kMemory);
  if (next_ > kMostWeight) {
    for (double& bin : bins_) bin /= next_;
    sum_ /= next_;
    next_ = 1;
  }
  linear_.Learn(past.features, rise);
  variance_ += kCalm * (error * error - variance_);
  ++outcomes_;
}

void RiseForecast::Forecast() {
  Pending& next = pending_.emplace_back();
  if (now_ < 0) return;
  constexpr size_t kMinute = 4, kFiveMinutes = 20, kHalfHour = 120;  // at 15 s a step; the forecast learns their worth
  auto moved = [&](size_t steps) { return static_cast<float>(now_ - Back(steps)); };
  next.features = {1,
                   static_cast<float>(now_),
                   moved(1),
                   moved(kMinute),
                   moved(kFiveMinutes),
                   moved(kHalfHour),
                   static_cast<float>(RiseBack(day_)),
                   static_cast<float>(RiseBack(week_))};
  next.rise = linear_.Predict(next.features);
  next.scale = std::sqrt(variance_) + kLeastScale;
  next.now = now_;
}

double RiseForecast::AtChance(double chance) const {
  double left = std::clamp(chance, 0.0, 1.0) * sum_;
  size_t bin = 0;
  for (; bin + 1 < kBins && bins_[bin] < left; ++bin) left -= bins_[bin];
  const double along = bins_[bin] > 0 ? std::min(1.0, left / bins_[bin]) : 0;
  const double place = static_cast<double>(bin) + along - kBins / 2;
  const double score = std::sinh(place * kBinWidth) / kFine;
  const Pending& last = pending_.back();
  const double root = now_ + std::max(0.0, last.rise + score * last.scale);
  return root * root;
}

}  // namespace gnomon
