// SPDX-License-Identifier: Apache-2.0
//
// A RateBudget says how often something may happen: so often a second on average, and so often at once.
//
// Threads: not thread-safe. Time: told, from any moment on; never going back. Cost: constant.
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace gnomon {

class RateBudget {
 public:
  struct Limits {
    double a_second;
    double at_once;
  };
  explicit RateBudget(Limits limits) : limits_(limits), left_(limits.at_once) {}

  // Whether it may happen now; then it counts.
  bool Take(absl::Duration now) {
    left_ = std::min(limits_.at_once, left_ + absl::ToDoubleSeconds(now - last_) * limits_.a_second);
    last_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  Limits limits_;
  double left_;
  absl::Duration last_ = absl::ZeroDuration();
};

}  // namespace gnomon
