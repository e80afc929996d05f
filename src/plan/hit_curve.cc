// SPDX-License-Identifier: Apache-2.0
#include "plan/hit_curve.h"

#include <algorithm>
#include <cmath>

namespace gnomon {

double HitCurve::Multiple(size_t index) { return kLeast * std::pow(kRatio, static_cast<double>(index)); }

void HitCurve::Age(double seconds) {
  const double left = std::exp(-seconds / kMemoryS);
  creations_ *= left;
  for (double& misses : misses_) misses *= left;
}

void HitCurve::Add(double creations, const std::array<double, kMultiples>& misses) {
  creations_ += creations;
  for (size_t i = 0; i < kMultiples; ++i) misses_[i] += misses[i];
}

double HitCurve::MultipleFor(double hit_rate) const {
  if (creations_ < kKnown) return 1;
  // Misses fall about exponentially with the multiple: their logarithm is interpolated.
  auto log_share = [&](size_t i) { return std::log(std::max(misses_[i], 1e-3) / creations_); };
  const double asked = std::log(std::max(1 - hit_rate, 1e-6));
  for (size_t i = 0; i + 1 < kMultiples; ++i) {
    if (log_share(i + 1) > asked) continue;
    const double drop = log_share(i) - log_share(i + 1);
    const double along = drop <= 0 ? 0 : std::clamp((log_share(i) - asked) / drop, 0.0, 1.0);
    return kLeast * std::pow(kRatio, static_cast<double>(i) + along);
  }
  return Multiple(kMultiples - 1);
}

void VirtualPools::Tick(uint32_t demand, HitCurve* curve) {
  std::array<double, kMultiples> misses{};
  for (size_t i = 0; i < kMultiples; ++i) {
    Pool& pool = pools_[i];
    pool.ready += orders_[now_][i];
    pool.ordered -= orders_[now_][i];
    orders_[now_][i] = 0;
    if (demand == 0) continue;
    const int32_t hits = std::min(pool.ready, static_cast<int32_t>(demand));
    pool.ready -= hits;
    misses[i] = static_cast<double>(static_cast<int64_t>(demand) - hits);
    Refill(i);
  }
  now_ = (now_ + 1) % orders_.size();
  if (demand > 0 && curve != nullptr) curve->Add(demand, misses);
}

void VirtualPools::Review(const Elastic& target, double kept) {
  for (size_t i = 0; i < kMultiples; ++i) {
    Pool& pool = pools_[i];
    const double multiple = HitCurve::Multiple(i);
    pool.target = static_cast<int32_t>(std::lround(target.At(multiple)));
    const int32_t most = static_cast<int32_t>(std::lround(target.At(multiple) + multiple * kept));
    pool.ready = std::max(0, std::min(pool.ready, most - pool.ordered));
    Refill(i);
  }
}

// What is ordered in a tick, or at the review before it, arrives a lead after that tick began.
void VirtualPools::Refill(size_t index) {
  Pool& pool = pools_[index];
  const int32_t need = pool.target - pool.ready - pool.ordered;
  if (need <= 0) return;
  pool.ordered += need;
  orders_[(now_ + orders_.size() - 1) % orders_.size()][index] += need;
}

}  // namespace gnomon
