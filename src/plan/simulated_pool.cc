// SPDX-License-Identifier: Apache-2.0
#include "plan/simulated_pool.h"

#include <algorithm>

namespace gnomon {

void PoolScore::Add(const PoolScore& other) {
  creations += other.creations;
  hits += other.hits;
  orders += other.orders;
  reclaims += other.reclaims;
  idle_s += other.idle_s;
  on_order_s += other.on_order_s;
  miss_waits_s.insert(miss_waits_s.end(), other.miss_waits_s.begin(), other.miss_waits_s.end());
}

SimulatedPool::SimulatedPool(const PoolRules& rules, Space* space, Level level, double start_s, uint64_t seed)
    : rules_(rules), space_(space), level_(level), random_(seed), now_s_(start_s) {
  ready_count_ = std::clamp<int64_t>(space_->capacity - space_->used, 0, level.fill);
  if (ready_count_ > 0) ready_.push_back({start_s, ready_count_});
  space_->used += ready_count_;
  space_->peak = std::max(space_->peak, space_->used);
}

void SimulatedPool::Pass(double time_s) {
  score_.idle_s += static_cast<double>(ready_count_) * (time_s - now_s_);
  score_.on_order_s += static_cast<double>(ordered_count_) * (time_s - now_s_);
  now_s_ = time_s;
}

void SimulatedPool::Advance(double time_s) {
  while (!ordered_.empty() && ordered_.front().at_s <= time_s) {
    Lot lot = ordered_.front();
    ordered_.pop_front();
    Pass(lot.at_s);
    ordered_count_ -= lot.count;
    int64_t failed = Failures(lot.count);
    lot.count -= failed;
    ready_count_ += lot.count;
    if (lot.count > 0) ready_.push_back(lot);
    if (failed > 0) {
      space_->used -= failed;
      Order(lot.at_s);
    }
  }
  Pass(time_s);
}

int64_t SimulatedPool::Take(double time_s, int64_t count) {
  const int64_t taken = std::min(count, ready_count_);
  score_.creations += count;
  score_.hits += taken;
  ready_count_ -= taken;
  space_->used -= taken;
  for (int64_t left = taken; left > 0;) {
    int64_t some = std::min(left, ready_.front().count);
    left -= some;
    if ((ready_.front().count -= some) == 0) ready_.pop_front();
  }
  // A miss is served when the next shadow comes, or after a lead time of its own.
  const double wait_s =
      ordered_.empty() ? rules_.lead_max_s : std::min(rules_.lead_max_s, ordered_.front().at_s - time_s);
  score_.miss_waits_s.insert(score_.miss_waits_s.end(), count - taken, static_cast<float>(wait_s));
  return taken;
}

void SimulatedPool::Review(double time_s, Level level) {
  level_ = level;
  int64_t over = position() - level_.keep;
  while (over > 0 && !ready_.empty() && ready_.front().at_s <= time_s - PoolRules::kHeldS) {
    int64_t some = std::min(over, ready_.front().count);
    over -= some;
    ready_count_ -= some;
    space_->used -= some;
    score_.reclaims += some;
    score_.idle_s += PoolRules::kReclaimChargeS * static_cast<double>(some);
    if ((ready_.front().count -= some) == 0) ready_.pop_front();
  }
  Order(time_s);
}

void SimulatedPool::SetLevel(double time_s, Level level) {
  level_ = level;
  Order(time_s);
}

void SimulatedPool::Order(double time_s) {
  if (position() >= level_.low) return;
  const int64_t need = std::min(level_.fill - position(), space_->capacity - space_->used);
  if (need <= 0) return;
  double lead_s = rules_.lead_min_s;
  if (rules_.lead_max_s > lead_s) lead_s += (rules_.lead_max_s - lead_s) * random_.Next();
  const double at_s = time_s + lead_s;
  auto later =
      std::upper_bound(ordered_.begin(), ordered_.end(), at_s, [](double a, const Lot& b) { return a < b.at_s; });
  ordered_.insert(later, {at_s, need});
  ordered_count_ += need;
  score_.orders += need;
  space_->used += need;
  space_->peak = std::max(space_->peak, space_->used);
}

int64_t SimulatedPool::Failures(int64_t count) {
  if (rules_.fail <= 0) return 0;
  int64_t failed = 0;
  for (int64_t i = 0; i < count; ++i) failed += random_.Next() < rules_.fail;
  return failed;
}

}  // namespace gnomon
