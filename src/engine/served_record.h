// SPDX-License-Identifier: Apache-2.0
//
// A ServedRecord counts how one type was served: creations, hits and the time that shadows were held unused, since it
// was first told, in the last day and in the last hour.
//
// Example:
//   ServedRecord record;
//   record.Pass(1'800'000'000);        // since then
//   record.Hold(4);
//   record.Pass(1'800'000'060);        // four shadows, idle for a minute
//   record.Created(1'800'000'060, 1);
//   record.Hit(1'800'000'060, 1);      // three are left
//
// Threads: not thread-safe. Deterministic. Time: whole seconds, never going back.
// Limits: a time without a call counts as kMaxPassS at most: shadows end by then if nobody asks for them, and nobody
// was there to see. Windows go by steps: the last hour is 55 to 60 minutes, the last day 23 to 24 hours. Memory: 2 kB.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/static_pools.h"
#include "engine/type_quality.h"

namespace gnomon {

// What came in the last kSteps steps, the one under way included.
template <size_t kSteps, int64_t kStepS>
class ServedWindow {
 public:
  void Add(int64_t time_s, const ServedTally& tally) {
    const int64_t step = time_s / kStepS;
    for (int64_t s = std::max(newest_ + 1, step - static_cast<int64_t>(kSteps) + 1); s <= step; ++s) At(s) = {};
    newest_ = std::max(newest_, step);
    At(newest_).Add(tally);
  }
  static int64_t FromOf(int64_t now_s) { return (now_s / kStepS - static_cast<int64_t>(kSteps) + 1) * kStepS; }
  // Since FromOf(now_s).
  ServedTally SumAt(int64_t now_s) const {
    ServedTally sum;
    for (int64_t s = std::max<int64_t>(FromOf(now_s) / kStepS, newest_ - static_cast<int64_t>(kSteps) + 1);
         s <= newest_; ++s) {
      if (s >= 0) sum.Add(steps_[static_cast<size_t>(s) % kSteps]);
    }
    return sum;
  }

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.newest_, self.steps_);
    archive.Require(self.newest_ >= 0);
  }

 private:
  ServedTally& At(int64_t step) { return steps_[static_cast<size_t>(step) % kSteps]; }

  int64_t newest_ = 0;
  std::array<ServedTally, kSteps> steps_{};
};

class ServedRecord {
 public:
  static constexpr int64_t kMaxPassS = 300;
  using Hour = ServedWindow<12, 300>;
  using Day = ServedWindow<24, 3600>;

  // Time passes, with what is held. The first call is when it begins.
  void Pass(int64_t time_s) {
    if (since_s_ == 0) since_s_ = last_s_ = time_s;
    const int64_t passed_s = std::clamp<int64_t>(time_s - last_s_, 0, kMaxPassS);
    last_s_ = std::max(last_s_, time_s);
    observed_s_ += passed_s;
    if (held_ > 0 && passed_s > 0) Add({.idle_s = static_cast<double>(held_) * static_cast<double>(passed_s)});
  }
  // So many are held from the last Pass on.
  void Hold(uint32_t held) { held_ = held; }
  void Created(int64_t time_s, uint32_t count) {
    Pass(time_s);
    Add({.creations = count});
    pools_.Created(last_s_, count);
  }
  // So many of what was created found a shadow.
  void Hit(int64_t time_s, uint32_t count) {
    Pass(time_s);
    Add({.hits = count});
    held_ -= std::min(held_, count);
  }

  int64_t since_s() const { return since_s_; }  // 0: not begun
  int64_t observed_s() const { return observed_s_; }
  uint32_t held() const { return held_; }
  const ServedTally& total() const { return total_; }
  const Hour& hour() const { return hour_; }
  const Day& day() const { return day_; }
  const StaticPools& pools() const { return pools_; }

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.since_s_, self.last_s_, self.observed_s_, self.held_, self.total_, self.hour_, self.day_, self.pools_);
    archive.Require(self.since_s_ >= 0 && self.last_s_ >= self.since_s_ && self.observed_s_ >= 0);
  }

 private:
  void Add(const ServedTally& tally) {
    total_.Add(tally);
    hour_.Add(last_s_, tally);
    day_.Add(last_s_, tally);
  }

  int64_t since_s_ = 0, last_s_ = 0, observed_s_ = 0;
  uint32_t held_ = 0;
  ServedTally total_;
  Hour hour_;
  Day day_;
  StaticPools pools_;
};

}  // namespace gnomon
