// SPDX-License-Identifier: Apache-2.0
//
// The levels are the quantiles that every forecast consists of, and the pinball loss that scores them.
//
// Counts are forecast as Z = count + U, U even in [0, 1): its quantiles are continuous, and those of the count are
// ceil(q - 1) (Machado and Santos Silva, Quantiles for Counts, JASA 2005). A tie of count and quantile is thus broken at
// random, with the probability that the forecast gives it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace gnomon {

inline constexpr std::array<double, 7> kLevels = {0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99};
inline constexpr size_t kMedian = 2, kLevel90 = 4, kLevel95 = 5, kLevel99 = 6;
using Quantiles = std::array<float, kLevels.size()>;  // rising

// Koenker and Bassett, Econometrica 1978.
inline double Pinball(double level, double quantile, double outcome) {
  return outcome >= quantile ? level * (outcome - quantile) : (1 - level) * (quantile - outcome);
}

// The count's quantile, of that of the count plus U.
inline double WholeQuantile(double quantile) { return std::max(0.0, std::ceil(quantile - 1)); }

// U, of the n-th outcome of the series `key`: a hash (splitmix64), so that equal runs draw equally.
inline double Draw(uint64_t key, uint64_t n) {
  uint64_t z = key * 0xd1342543de82ef95 + n * 0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

}  // namespace gnomon
