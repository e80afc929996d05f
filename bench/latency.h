// SPDX-License-Identifier: Apache-2.0
//
// A Latency gathers how long each of many things took, and tells percentiles of it to within 1.6 %.
//
// Threads: not thread-safe. Memory: 22 KiB, however many are added. Cost: a few nanoseconds each.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace gnomon {

class Latency {
 public:
  Latency();

  void Add(std::chrono::nanoseconds took);
  uint64_t count() const { return count_; }
  // What `share` of all (0.5, 0.99) did not exceed, in microseconds; 0 if there are none.
  double PercentileUs(double share) const;

 private:
  // For each power of two 64 buckets of equal width: the first 64 are exact.
  static constexpr int kSubBits = 6;
  static uint32_t BucketOf(uint64_t ns);
  static uint64_t MiddleOf(uint32_t bucket);

  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
};

}  // namespace gnomon
