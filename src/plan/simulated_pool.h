// SPDX-License-Identifier: Apache-2.0
//
// A SimulatedPool is the shadows of one type in virtual time, kept at a level that is set from outside.
//
// Rules: at equal times, what was ordered arrives first, then comes the review, then demand. Position = ready + on
// order. Below the level's `low` it is ordered up to `fill` at once: when the level is set, after each take, and when
// reservations failed. An order is ready one lead time later; nothing on order is cancelled. A review reclaims what is
// above `high`, oldest first, of shadows that were ready for kHeld or longer. A creation takes the oldest ready shadow,
// or is a miss and takes nothing. The pool starts full.
//
// Judged idle = the time that shadows are ready and unused + kReclaimCharge for each that is reclaimed unused.
//
// Threads: not thread-safe. Time: seconds, never going back.
// Limits: all pools that share a Space hold and await at most its capacity; what does not fit is not ordered.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "plan/even_draw.h"
#include "plan/policy.h"

namespace gnomon {

struct PoolRules {
  static constexpr double kHeldS = 60;
  static constexpr double kReclaimChargeS = 60;
  double lead_min_s = 30, lead_max_s = 30;  // drawn evenly for each order
  double fail = 0;                          // share of reservations that fail, found out when they would be ready
};

// The addresses that pools share.
struct Space {
  int64_t capacity = std::numeric_limits<int64_t>::max();
  int64_t used = 0, peak = 0;
};

struct PoolScore {
  int64_t creations = 0, hits = 0, orders = 0, reclaims = 0;
  double idle_s = 0;      // judged
  double on_order_s = 0;  // summed over shadows
  std::vector<float> miss_waits_s;

  void Add(const PoolScore& other);
};

class SimulatedPool {
 public:
  // Full at `level` from `start_s` on. The space outlives the pool. Equal seeds draw equal leads and failures.
  SimulatedPool(const PoolRules& rules, Space* space, Level level, double start_s, uint64_t seed);

  // Lets time pass: orders that are due by `time_s` arrive.
  void Advance(double time_s);
  // After Advance to the same time. Returns the hits.
  int64_t Take(double time_s, int64_t count);
  // A review: reclaims and orders.
  void Review(double time_s, Level level);
  // Orders for a level that was set between reviews; nothing is reclaimed.
  void SetLevel(double time_s, Level level);

  const PoolScore& score() const { return score_; }
  int64_t ready() const { return ready_count_; }
  int64_t position() const { return ready_count_ + ordered_count_; }

 private:
  struct Lot {
    double at_s;
    int64_t count;
  };
  void Order(double time_s);
  void Pass(double time_s);
  int64_t Failures(int64_t count);

  const PoolRules rules_;
  Space* const space_;
  Level level_;
  EvenDraw random_;
  std::deque<Lot> ready_, ordered_;  // by time
  int64_t ready_count_ = 0, ordered_count_ = 0;
  double now_s_;
  PoolScore score_;
};

}  // namespace gnomon
