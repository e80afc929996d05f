// SPDX-License-Identifier: Apache-2.0
//
// An Outlook is how many creations a signal expects in the next moments: for each of kChances the number that is not
// exceeded with that chance.
//
// The moments are those that a plan made now has to cover: until the next outlook, and one lead from then. Chances are
// dense near certainty, from 0.3 to 0.9999: what is exceeded by each is a constant share of the one before.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace gnomon {

inline constexpr size_t kChances = 24;
using Outlook = std::array<uint32_t, kChances>;  // rising

inline double ChanceOf(size_t index) {
  constexpr double kFirst = 0.7, kLast = 1e-4;  // of being exceeded
  return 1 - kFirst * std::pow(kLast / kFirst, static_cast<double>(index) / (kChances - 1));
}

}  // namespace gnomon
