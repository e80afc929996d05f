// SPDX-License-Identifier: Apache-2.0
//
// A DemandHistory answers how much was counted between two moments of the last eight days, in constant memory.
//
// It keeps the running sum at the boundaries of seconds for a minute, of ticks of 5 s for 20 minutes, of minutes for 25
// hours, and of five minutes for eight days; between boundaries it interpolates, so that the older, the smoother.
//
// Threads: not thread-safe. Time: seconds, never going back. Before the first call, and beyond eight days: nothing
// counted. Limits: 2^32 counted in eight days. Memory: 16.8 kB. Cost: Sum takes about 10 ns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gnomon {

class DemandHistory {
 public:
  static constexpr double kTickS = 5;
  static constexpr double kSpanS = 8 * 86400;

  void Add(double time_s, uint32_t count);
  // Nothing more comes before `time_s`.
  void Advance(double time_s);

  // Counted in [begin, end); what lies after the last call counts as nothing.
  double Sum(double begin_s, double end_s) const { return Since(begin_s) - Since(end_s); }
  // The largest of the last `n` whole minutes before the last Advance, at most 1440; of whole five minutes, at most
  // 2304.
  double MaxMinute(int n) const;
  double MaxFiveMinutes(int n) const;

  // As in base/state.h: about a byte for each sum, as most differ little from the next.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.now_s_, self.total_);
    archive.Require(self.now_s_ >= 0 && self.now_s_ <= kLargestS);
    self.seconds_.Fields(archive, self.seconds_, self.total_);
    self.ticks_.Fields(archive, self.ticks_, self.total_);
    self.minutes_.Fields(archive, self.minutes_, self.total_);
    self.five_minutes_.Fields(archive, self.five_minutes_, self.total_);
  }

 private:
  static constexpr double kLargestS = 1e12;  // that is a time

  template <size_t kSize>
  struct Tier {
    explicit Tier(double s) : step_s(s) {}
    void Advance(double time_s, uint32_t total);
    double Since(double time_s, double now_s, uint32_t total) const;
    double Max(int n) const;
    bool Covers(double time_s) const { return time_s >= step_s * static_cast<double>(last - int64_t{kSize} + 1); }

    // The sums as steps, from the newest back.
    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self, uint32_t total) {
      archive(self.last);
      archive.Require(self.last >= -1 && static_cast<double>(self.last) <= kLargestS);
      for (int64_t back = 0; back < int64_t{kSize}; ++back) {
        auto& sum = self.sums[static_cast<size_t>(self.last - back + int64_t{kSize}) % kSize];
        uint32_t step = total - sum;
        archive(step);
        if constexpr (Archive::kReads) sum = total - step;
        total = sum;
      }
    }

    double step_s;
    int64_t last = -1;                   // the boundary last passed, in steps
    std::array<uint32_t, kSize> sums{};  // at boundary b: sums[b % kSize]
  };
  double Since(double time_s) const;

  double now_s_ = 0;
  uint32_t total_ = 0;  // wraps: only differences count
  Tier<64> seconds_{1};
  Tier<256> ticks_{kTickS};
  Tier<1504> minutes_{60};
  Tier<2312> five_minutes_{300};
};

}  // namespace gnomon
