// SPDX-License-Identifier: Apache-2.0
#include "latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gnomon {
namespace {

constexpr uint64_t kLongestNs = uint64_t{1} << 42;  // 73 minutes

}  // namespace

Latency::Latency() : buckets_(BucketOf(kLongestNs) + 1) {}

uint32_t Latency::BucketOf(uint64_t ns) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(ns)) - 1 - kSubBits);
  return (static_cast<uint32_t>(shift) << kSubBits) + static_cast<uint32_t>(ns >> shift);
}

uint64_t Latency::MiddleOf(uint32_t bucket) {
  const uint32_t subs = 1u << kSubBits;
  if (bucket < 2 * subs) return bucket;
  const uint32_t shift = bucket / subs - 1;
  return (uint64_t{bucket - shift * subs} << shift) + (uint64_t{1} << shift) / 2;
}

void Latency::Add(std::chrono::nanoseconds took) {
  ++buckets_[BucketOf(std::clamp<uint64_t>(static_cast<uint64_t>(took.count()), 0, kLongestNs))];
  ++count_;
}

double Latency::PercentileUs(double share) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (uint32_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen > 0 && seen >= wanted) return static_cast<double>(MiddleOf(bucket)) / 1000;
  }
  return 0;
}

}  // namespace gnomon
