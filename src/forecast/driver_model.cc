// SPDX-License-Identifier: Apache-2.0
#include "forecast/driver_model.h"

#include <algorithm>
#include <cmath>

namespace gnomon {
namespace {

constexpr double kLineMemory = 11'520;      // steps, two days of 15 s, after which one counts 1/e
constexpr double kResidualMemory = 40'000;  // outcomes
constexpr double kCalm = 0.01;              // of the variance, that a new error makes up
constexpr double kLeastScale = 0.1;         // creations
constexpr size_t kMinute = 4;               // steps, of 15 s

}  // namespace

void DriverModel::Line::Add(double at, double value) {
  const double kept = 1 - 1 / kLineMemory;
  for (double* sum : {&weight, &x, &y, &xx, &xy, &yy}) *sum *= kept;
  weight += 1;
  x += at;
  y += value;
  xx += at * at;
  xy += at * value;
  yy += value * value;
}

double DriverModel::Line::Slope() const {
  const double spread = weight * xx - x * x;
  return spread <= 1e-9 * weight * xx ? 0 : (weight * xy - x * y) / spread;
}

double DriverModel::Line::At(double at) const { return weight == 0 ? 0 : (y + Slope() * (weight * at - x)) / weight; }

double DriverModel::Line::Explained() const {
  const double all = weight * yy - y * y, shared = weight * xy - x * y;
  return all <= 0 ? 0 : std::clamp(Slope() * shared / all, 0.0, 1.0);
}

DriverModel::DriverModel(const Options& options)
    : options_(options), linear_(kFeatures), residuals_(kResidualMemory) {}

std::optional<double> DriverModel::Back(size_t steps) const {
  if (steps >= metrics_.size()) return std::nullopt;
  return metrics_[metrics_.size() - 1 - steps];
}

void DriverModel::Add(const Step& step) {
  metrics_.push_back(step.metric && std::isfinite(*step.metric) ? step.metric : std::nullopt);
  if (metrics_.size() > kLags.back() + options_.horizon + 1) metrics_.pop_front();
  ++steps_;
  for (size_t i = 0; i < kLags.size(); ++i) {
    if (const std::optional<double> then = Back(kLags[i])) lines_[i].Add(*then, step.instances);
  }
  best_ = 0;
  for (size_t i = 1; i < kLags.size(); ++i) {
    if (lines_[i].Explained() > lines_[best_].Explained()) best_ = i;
  }
  Learn(step);
  Forecast(step);
}

void DriverModel::Learn(const Step& step) {
  for (Pending& pending : pending_) pending.created += step.created;
  if (pending_.size() < options_.horizon) return;
  const Pending past = pending_.front();
  pending_.pop_front();
  if (!past.known) return;
  const double error = past.created - past.forecast;
  residuals_.Add(error / past.scale);
  linear_.Learn(past.features, past.created);
  variance_ += kCalm * (error * error - variance_);
}

void DriverModel::Forecast(const Step& step) {
  Pending& next = pending_.emplace_back();
  const std::optional<double> now = Back(0);
  if (!now) return;
  const Line& line = lines_[best_];
  // The most that the line says of the steps to come; beyond the lag, of the metric as it is.
  double wanted = 0;
  for (size_t i = 1; i <= options_.horizon; ++i) {
    const size_t back = kLags[best_] - std::min(kLags[best_], i);
    wanted = std::max(wanted, line.At(Back(back).value_or(*now)));
  }
  const double more = wanted - step.instances, root = std::sqrt(step.instances + 1.0);
  const double moved = line.Slope() * (*now - Back(kMinute).value_or(*now));
  next.features = {1, static_cast<float>(std::max(more, 0.0)), static_cast<float>(std::min(more, 0.0) / root),
                   static_cast<float>(std::max(moved, 0.0)), static_cast<float>(root)};
  next.forecast = std::max(0.0, linear_.Predict(next.features));
  next.scale = std::sqrt(variance_) * std::sqrt(next.forecast + 1) + kLeastScale;
  next.known = true;
}

bool DriverModel::known() const {
  return steps_ >= kFewest && !pending_.empty() && pending_.back().known && explained() >= kExplained;
}

double DriverModel::AtChance(double chance) const {
  const Pending& last = pending_.back();
  return std::max(0.0, last.forecast + residuals_.Quantile(chance) * last.scale);
}

}  // namespace gnomon
