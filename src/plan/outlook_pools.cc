// SPDX-License-Identifier: Apache-2.0
#include "plan/outlook_pools.h"

#include <algorithm>
#include <cmath>

#include "forecast/levels.h"

namespace gnomon {
namespace {

constexpr int64_t kTicksALead = 5;       // at least, unless they are shorter than a second
constexpr int64_t kOutlookS = 15;        // that an outlook lasts, beside the lead
constexpr size_t kFirstIndex = kChances - 6;  // while the hit rate of the pools is not known

}  // namespace

OutlookPools::OutlookPools(int64_t lead_s)
    : lead_s_(lead_s),
      tick_s_(std::max<int64_t>(1, lead_s / kTicksALead)),
      orders_(static_cast<size_t>((lead_s + tick_s_ - 1) / tick_s_ + 1)) {}

void OutlookPools::Expect(int64_t time_s, const Outlook& outlook, uint32_t without) {
  const double passed = live_ ? static_cast<double>(time_s - ticked_) : 0;
  PassTo(time_s);
  Judge(time_s);
  live_ = true;
  outlook_ = outlook;
  created_ = 0;
  const double fall = std::exp(-std::max(passed, static_cast<double>(tick_s_)) / kFallS);
  for (size_t i = 0; i < kChances; ++i) {
    Pool& pool = pools_[i];
    pool.keep = std::max(static_cast<double>(outlook[i]), pool.keep * fall);
    const uint32_t keep = static_cast<uint32_t>(std::lround(pool.keep));
    pool.ready = std::min(pool.ready, keep - std::min(keep, pool.ordered));
    Refill(i);
  }
  pending_.push_back({time_s, For(kJudged).level, without, 0});
}

void OutlookPools::Created(int64_t time_s, uint32_t count) {
  if (!live_) return;
  PassTo(time_s);
  Judge(time_s);
  created_ += count;
  creations_ += count;
  for (size_t i = 0; i < kChances; ++i) {
    const uint32_t hits = std::min(pools_[i].ready, count);
    pools_[i].ready -= hits;
    misses_[i] += count - hits;
    Refill(i);
  }
  for (Pending& pending : pending_) pending.created += count;
}

void OutlookPools::End(int64_t time_s) {
  PassTo(time_s);
  live_ = false;
  outlook_ = {};
  pools_ = {};
  for (auto& orders : orders_) orders = {};
  pending_.clear();
}

uint32_t OutlookPools::Left(size_t chance) const { return outlook_[chance] - std::min(outlook_[chance], created_); }

size_t OutlookPools::IndexFor(double hit_rate) const {
  if (creations_ < kFewest) return kFirstIndex;
  const double most = (1 - hit_rate) * creations_;
  const auto enough = std::find_if(misses_.begin(), misses_.end(), [&](double misses) { return misses <= most; });
  return std::min<size_t>(static_cast<size_t>(enough - misses_.begin()), kChances - 1);
}

OutlookPools::Held OutlookPools::For(double hit_rate) const {
  const size_t index = IndexFor(hit_rate);
  const uint32_t level = Left(index);
  return {level, std::max(level, static_cast<uint32_t>(std::lround(pools_[index].keep))), ChanceOf(index)};
}

Level OutlookPools::Choose(const Level& without, int64_t announced, double hit_rate) const {
  if (!live_) return without;
  const Held held = For(hit_rate);
  const int64_t level = std::max<int64_t>(held.level, announced);
  const Level with{level, level, std::max<int64_t>(held.keep, announced)};
  if (worth().known) return followed() ? with : without;
  return {std::max(with.low, without.low), std::max(with.fill, without.fill), std::max(with.keep, without.keep)};
}

OutlookPools::Worth OutlookPools::worth() const {
  if (outcomes_ <= 0) return {};
  return {with_ / outcomes_, without_ / outcomes_, judged_ >= kKnown};
}

// Ticks beyond a lead change nothing, as all that was ordered has come.
void OutlookPools::PassTo(int64_t time_s) {
  if (!live_) ticked_ = std::max(ticked_, time_s);
  const int64_t ticks = std::max<int64_t>(0, (time_s - ticked_) / tick_s_);
  for (int64_t i = std::min(ticks, static_cast<int64_t>(orders_.size())); i > 0; --i) Tick();
  ticked_ += ticks * tick_s_;
  const double kept = std::exp(-static_cast<double>(ticks * tick_s_) / kMemoryS);
  creations_ *= kept;
  for (double& misses : misses_) misses *= kept;
}

void OutlookPools::Tick() {
  now_ = (now_ + 1) % orders_.size();
  for (size_t i = 0; i < kChances; ++i) {
    pools_[i].ready += orders_[now_][i];
    pools_[i].ordered -= orders_[now_][i];
    orders_[now_][i] = 0;
  }
}

void OutlookPools::Refill(size_t chance) {
  Pool& pool = pools_[chance];
  const uint32_t position = pool.ready + pool.ordered, target = Left(chance);
  if (position >= target) return;
  pool.ordered += target - position;
  orders_[(now_ + orders_.size() - 1) % orders_.size()][chance] += target - position;
}

void OutlookPools::Judge(int64_t time_s) {
  while (!pending_.empty() && pending_.front().time_s + lead_s_ + kOutlookS <= time_s) {
    const Pending& past = pending_.front();
    const double kept = std::exp(-static_cast<double>(kOutlookS) / kJudgedMemoryS);
    with_ = with_ * kept + Pinball(kJudged, past.with, past.created);
    without_ = without_ * kept + Pinball(kJudged, past.without, past.created);
    outcomes_ = outcomes_ * kept + 1;
    judged_ = judged_ * kept + past.created;
    pending_.pop_front();
  }
}

}  // namespace gnomon
