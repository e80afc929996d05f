// SPDX-License-Identifier: Apache-2.0
//
// A ReactiveTarget is how many shadows of one type the reactive formula holds, without a forecast.
//
// It is kReactiveMinutes of the type's mean demand, twice: the warm pool "2x" of `gnomon simulate`.
#pragma once

#include <cstdint>
#include <string>

namespace gnomon {

struct ReactiveTarget {
  static constexpr double kReactiveMinutes = 5;
  static constexpr double kTimes = 2;

  std::string network = {}, type = {};
  uint32_t target = 0;
};

}  // namespace gnomon
