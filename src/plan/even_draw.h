// SPDX-License-Identifier: Apache-2.0
//
// An EvenDraw gives numbers evenly from [0, 1), the same ones for the same seed.
//
// Source: splitmix64 (Steele, Lea, Flood, OOPSLA 2014). Threads: not thread-safe.
#pragma once

#include <cstdint>

namespace gnomon {

class EvenDraw {
 public:
  explicit EvenDraw(uint64_t seed) : state_(seed) {}
  double Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
  }

 private:
  uint64_t state_;
};

}  // namespace gnomon
