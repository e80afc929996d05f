// SPDX-License-Identifier: Apache-2.0
//
// StaticPools are warm pools of fixed sizes, run beside what really happens to one type, so that one knows what they
// would have cost.
//
// A pool of n holds n shadows at first. A creation takes one if there is one, and it is replaced kLeadS later: the
// rules of plan/simulated_pool.h, in whole seconds. So a pool's idle time is n times the time, less kLeadS for each
// hit.
//
// Threads: not thread-safe. Deterministic. Cost: 28 pools a call. Memory: 0.8 kB.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace gnomon {

class StaticPools {
 public:
  static constexpr int64_t kLeadS = 5;
  // Each at most a third larger than the one before, from 6 on.
  static constexpr std::array<uint32_t, 28> kSizes = {1,   2,   3,   4,   5,   6,   8,   10,  12,  16,
                                                      20,  24,  32,  40,  48,  64,  80,  96,  128, 160,
                                                      192, 256, 320, 384, 512, 640, 768, 1024};

  // So many are created in the second `time_s`, which never goes back.
  void Created(int64_t time_s, uint32_t count) {
    for (int64_t s = std::max(last_s_ + 1, time_s - kLeadS + 1); s <= time_s; ++s) {
      for (Pool& pool : pools_) pool.out[SlotOf(s)] = 0;
    }
    last_s_ = std::max(last_s_, time_s);
    for (size_t i = 0; i < kSizes.size(); ++i) {
      uint32_t ready = kSizes[i];
      for (uint32_t out : pools_[i].out) ready -= out;
      const uint32_t taken = std::min(ready, count);
      pools_[i].out[SlotOf(last_s_)] += taken;
      pools_[i].hits += taken;
    }
  }
  int64_t hits(size_t size) const { return pools_[size].hits; }

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.last_s_, self.pools_);
    archive.Require(self.last_s_ >= 0);
    for (size_t i = 0; i < kSizes.size(); ++i) {
      uint64_t out = 0;
      for (uint32_t one : self.pools_[i].out) out += one;
      archive.Require(out <= kSizes[i]);
    }
  }

 private:
  struct Pool {
    std::array<uint32_t, kLeadS> out{};  // taken and not replaced yet, by the second modulo kLeadS
    int64_t hits = 0;

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive(self.out, self.hits);
    }
  };
  static size_t SlotOf(int64_t time_s) { return static_cast<size_t>(time_s % kLeadS); }

  int64_t last_s_ = 0;
  std::array<Pool, kSizes.size()> pools_{};
};

}  // namespace gnomon
