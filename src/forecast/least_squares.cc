// SPDX-License-Identifier: Apache-2.0
#include "forecast/least_squares.h"

#include <cstddef>

namespace gnomon {
namespace {
constexpr double kStart = 10;      // of the inverse covariance's diagonal
constexpr double kMaxTrace = 1e4;  // of the inverse covariance
}  // namespace

LeastSquares::LeastSquares(size_t width) : weights_(width, 0), inverse_(width * (width + 1) / 2, 0) {
  for (size_t i = 0, at = 0; i < width; ++i, at += i + 1) inverse_[at] = kStart;
}

double LeastSquares::Predict(std::span<const float> features) const {
  double sum = 0;
  for (size_t i = 0; i < weights_.size(); ++i) sum += weights_[i] * static_cast<double>(features[i]);
  return sum;
}

void LeastSquares::Learn(std::span<const float> features, double outcome) {
  const size_t width = weights_.size();
  std::vector<double> gain(width, 0);
  for (size_t i = 0, at = 0; i < width; ++i) {
    for (size_t j = 0; j <= i; ++j, ++at) {
      gain[i] += inverse_[at] * static_cast<double>(features[j]);
      if (j < i) gain[j] += inverse_[at] * static_cast<double>(features[i]);
    }
  }
  double divisor = kForgetting;
  for (size_t i = 0; i < width; ++i) divisor += static_cast<double>(features[i]) * gain[i];
  const double error = outcome - Predict(features);
  double trace = 0;
  for (size_t i = 0, at = 0; i < width; ++i) {
    weights_[i] += gain[i] / divisor * error;
    for (size_t j = 0; j <= i; ++j, ++at) inverse_[at] = (inverse_[at] - gain[i] * gain[j] / divisor) / kForgetting;
    trace += inverse_[at - 1];
  }
  if (trace <= kMaxTrace) return;
  for (double& entry : inverse_) entry *= kMaxTrace / trace;
}

}  // namespace gnomon
