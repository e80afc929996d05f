// SPDX-License-Identifier: Apache-2.0
#include "forecast/negative_binomial.h"

#include <array>
#include <cmath>

namespace gnomon {
namespace {

constexpr double kExactMean = 100;
constexpr int kMostSteps = 20000;
constexpr double kLeastExcess = 1e-6;  // of the variance over the mean, as a share of the mean
// Of the normal distribution, at kLevels.
constexpr std::array<double, kLevels.size()> kNormal = {-1.2815516, -0.6744898, 0,        0.6744898,
                                                        1.2815516,  1.6448536,  2.3263479};

}  // namespace

Quantiles NegativeBinomialQuantiles(double mean, double variance) {
  Quantiles quantiles{};
  if (mean <= 0) {
    for (size_t i = 0; i < kLevels.size(); ++i) quantiles[i] = static_cast<float>(kLevels[i]);
    return quantiles;
  }
  const double excess = std::fmax(variance - mean, kLeastExcess * mean);
  if (mean > kExactMean) {
    const double shape = mean * mean / (mean + excess);
    for (size_t i = 0; i < kLevels.size(); ++i) {
      const double root = std::fmax(0.0, 1 - 1 / (9 * shape) + kNormal[i] / (3 * std::sqrt(shape)));
      quantiles[i] = static_cast<float>(mean * root * root * root + 0.5);
    }
    return quantiles;
  }
  const double size = mean * mean / excess, miss = mean / (mean + size);
  double here = std::exp(size * std::log1p(-miss)), below = 0;  // P(count = n), P(count < n)
  size_t level = 0;
  for (int n = 0; n < kMostSteps && level < kLevels.size(); ++n) {
    for (; level < kLevels.size() && below + here >= kLevels[level]; ++level) {
      quantiles[level] = static_cast<float>(n + (kLevels[level] - below) / here);
    }
    below += here;
    here *= miss * (n + size) / (n + 1);
  }
  for (; level < kLevels.size(); ++level) quantiles[level] = static_cast<float>(kMostSteps);
  return quantiles;
}

}  // namespace gnomon
