// SPDX-License-Identifier: Apache-2.0
#include "plan/recent_quantiles.h"

#include <algorithm>
#include <cmath>

namespace gnomon {

RecentQuantiles::RecentQuantiles(double memory) : growth_(std::exp(1 / memory)) {}

void RecentQuantiles::Add(double value) {
  constexpr double kLargest = 1e12;  // that a value may count
  const double bin = std::asinh(std::max(0.0, value)) * kBinsAUnit;
  bins_[std::min(static_cast<size_t>(bin), kBins - 1)] += static_cast<float>(next_);
  sum_ += next_;
  next_ *= growth_;
  if (next_ <= kLargest) return;
  for (float& count : bins_) count /= static_cast<float>(next_);
  sum_ /= next_;
  next_ = 1;
}

double RecentQuantiles::Quantile(double q) const {
  double above = (1 - q) * sum_;
  for (size_t bin = kBins; bin-- > 0 && sum_ > 0;) {
    const double count = static_cast<double>(bins_[bin]);
    if (count > above) return std::sinh((static_cast<double>(bin + 1) - above / count) / kBinsAUnit);
    above -= count;
  }
  return 0;
}

}  // namespace gnomon
