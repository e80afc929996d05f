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
constexpr int64_t kDayS = 86400;

}  // namespace

RiseForecast::RiseForecast(const Options& options)
    : horizon_(options.horizon),
      day_(static_cast<size_t>(kDayS / options.step_s)),
      week_(7 * day_),
      roots_(week_ + horizon_ + 1, kGap),
      linear_(kFeatures),
      residuals_(kMemory) {}

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
  residuals_.Add(error / past.scale);
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
  const Pending& last = pending_.back();
  const double root = now_ + std::max(0.0, last.rise + residuals_.Quantile(chance) * last.scale);
  return root * root;
}

}  // namespace gnomon
