// SPDX-License-Identifier: Apache-2.0
//
// A HitCurve knows how often a fleet would have hit at each of a range of multiples of what was forecast.
//
// Each key runs one virtual pool for each multiple, in short ticks: what the asked hit rate needs is read off the
// curve, so that a hit rate is asked for and not a quantile. Older days count less.
//
// Threads: not thread-safe. Deterministic. Cost: about 3 ns a tick and multiple. Memory: of a key's pools, 96 bytes a
// tick of lead and 400 more.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gnomon {

inline constexpr size_t kMultiples = 24;

// What is held at each multiple: `at_one`, `below` less for each 1 less, and `beyond` more for each 1 more. A high hit
// rate of a calm key needs a little more of its forecast, one of a bursty key a pool that does not follow the forecast:
// `beyond` says which. A low one gives up bursts first: `below` says how much of them.
struct Elastic {
  double at_one = 0, below = 0, beyond = 0;
  double most = 1e18;
  double At(double multiple) const {
    return std::clamp(at_one + (multiple - 1) * (multiple <= 1 ? below : beyond), 0.0, most);
  }
  // The multiple at which it is `held`, if that is not above `most`.
  double MultipleOf(double held) const {
    const double slope = held <= at_one ? below : beyond;
    return slope <= 0 ? held / at_one : std::max(0.0, 1 + (held - at_one) / slope);
  }
};

class HitCurve {
 public:
  static constexpr double kMemoryS = 4 * 86400;  // after so long, what happened counts 1/e
  static constexpr double kLeast = 0.3, kRatio = 1.155;

  static double Multiple(size_t index);

  // What happened until now ages by `seconds`.
  void Age(double seconds);
  void Add(double creations, const std::array<double, kMultiples>& misses);
  // The multiple at which the share of hits would have been `hit_rate`; 1 while fewer than kKnown creations are known.
  double MultipleFor(double hit_rate) const;

  // As in base/state.h.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.creations_, self.misses_);
  }

 private:
  static constexpr double kKnown = 1000;
  double creations_ = 0;
  std::array<double, kMultiples> misses_{};
};

// The pools of one key.
class VirtualPools {
 public:
  // A lead takes `lead_ticks` ticks, 1 or more.
  explicit VirtualPools(size_t lead_ticks) : orders_(lead_ticks + 1) {}

  // Lets a tick pass in which `demand` was asked for. Hits and misses are added to `curve`, if there is one.
  void Tick(uint32_t demand, HitCurve* curve);
  // A review: at each multiple, the target is ordered, and what is above it and the multiple times `kept` given back.
  void Review(const Elastic& target, double kept);

  // As in base/state.h; the lead is not stored.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.now_, self.pools_);
    archive.Elements(self.orders_);
    archive.Require(self.now_ < self.orders_.size());
  }

 private:
  struct Pool {
    int32_t ready = 0, ordered = 0;
    int32_t target = 0;

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive(self.ready, self.ordered, self.target);
    }
  };
  void Refill(size_t index);

  size_t now_ = 0;  // of orders_: what arrives with the next tick
  std::array<Pool, kMultiples> pools_{};
  std::vector<std::array<int32_t, kMultiples>> orders_;  // by the tick in which they arrive, in a ring
};

}  // namespace gnomon
