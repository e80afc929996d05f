// SPDX-License-Identifier: Apache-2.0
//
// LeadTimes are how long the last shadows took, from asking for them until they were held.
//
// Threads: not thread-safe. Memory: kKept times. Cost: Add is constant, Quantile sorts.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "absl/time/time.h"

namespace gnomon {

class LeadTimes {
 public:
  static constexpr size_t kKept = 128;

  void Add(absl::Duration lead) {
    if (times_.size() < kKept) {
      times_.push_back(lead);
    } else {
      times_[next_] = lead;
    }
    next_ = (next_ + 1) % kKept;
  }
  // The smallest that is not below a share `q` of them; `otherwise` before the first.
  absl::Duration Quantile(double q, absl::Duration otherwise) const {
    if (times_.empty()) return otherwise;
    std::vector<absl::Duration> sorted = times_;
    std::sort(sorted.begin(), sorted.end());
    const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
    return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
  }

 private:
  std::vector<absl::Duration> times_;
  size_t next_ = 0;  // the oldest, once there are kKept
};

}  // namespace gnomon
