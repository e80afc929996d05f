// SPDX-License-Identifier: Apache-2.0
//
// OutlookPools find how much of the outlooks of one type has to be held for a hit rate, and what they are worth.
//
// For each chance a virtual pool holds the outlook at that chance, and what is created is taken from it: so the chance
// that gives an asked hit rate is read off what happened, however right or wrong the outlooks are. What is created is
// taken off the outlook until the next one. What is held above it is given back slowly, as kFallS says.
//
// What an outlook is worth is the pinball loss of what it would have held at kJudged, beside that of what would have been
// held without it (Koenker and Bassett, Econometrica 1978), each of the creations of one lead and a step from then on.
// Until kKnown creations have been judged, nobody knows. A source that lies or stands still loses, and is not followed.
//
// Example:
//   OutlookPools pools(5);
//   pools.Expect(now_s, outlook, held_without);
//   pools.Created(now_s + 1, 4);
//   OutlookPools::Held held = pools.For(0.99);
//
// Threads: not thread-safe. Deterministic. Time: whole seconds, never going back.
// Cost: 0.3 us a tick in which something happens. Memory: 100 bytes a tick of lead and 1 kB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "plan/outlook.h"
#include "plan/policy.h"

namespace gnomon {

class OutlookPools {
 public:
  static constexpr double kFallS = 67;          // in which what is above the outlook falls to 1/e
  static constexpr double kMemoryS = 4 * 86400;  // after which a creation counts 1/e
  static constexpr double kJudged = 0.99;        // hit rate
  static constexpr double kJudgedMemoryS = 6 * 3600;
  static constexpr double kKnown = 20;  // creations
  static constexpr double kFewest = 200;  // from which on the hit rate is that of the pools

  // A shadow takes `lead_s`, 1 or more, to make.
  explicit OutlookPools(int64_t lead_s);

  // `without`: what would be held if there were no outlook.
  void Expect(int64_t time_s, const Outlook& outlook, uint32_t without);
  void Created(int64_t time_s, uint32_t count);
  // Nothing is expected any more: the signal is silent.
  void End(int64_t time_s);

  struct Held {
    uint32_t level = 0, keep = 0;  // above `keep` is given back
    double chance = 0;
  };
  Held For(double hit_rate) const;
  // Whether outlooks have been worth more than going without.
  bool followed() const { return live_ && worth().known && worth().with <= worth().without; }
  // What to hold, of what would be held `without` an outlook and what the outlook says, but at least what is `announced`:
  // the outlook's if it is followed, the larger while nobody knows, and else as if there were none.
  Level Choose(const Level& without, int64_t announced, double hit_rate) const;

  // Whether outlooks come.
  bool live() const { return live_; }
  // Of one outlook, the mean of late; known: enough was judged.
  struct Worth {
    double with = 0, without = 0;
    bool known = false;
  };
  Worth worth() const;

  // As in base/state.h; the lead is not stored.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.live_, self.ticked_, self.outlook_, self.created_, self.now_, self.pools_, self.creations_, self.misses_,
            self.judged_, self.with_, self.without_, self.outcomes_, self.pending_);
    archive.Elements(self.orders_);
    archive.Require(self.now_ < self.orders_.size());
  }

 private:
  struct Pool {
    uint32_t ready = 0, ordered = 0;
    double keep = 0;

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive(self.ready, self.ordered, self.keep);
    }
  };
  // An outlook that is being judged.
  struct Pending {
    int64_t time_s = 0;
    uint32_t with = 0, without = 0, created = 0;

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive(self.time_s, self.with, self.without, self.created);
    }
  };

  uint32_t Left(size_t chance) const;  // of the outlook, less what was created since
  size_t IndexFor(double hit_rate) const;
  void PassTo(int64_t time_s);
  void Tick();
  void Refill(size_t chance);
  void Judge(int64_t time_s);

  const int64_t lead_s_, tick_s_;
  bool live_ = false;
  int64_t ticked_ = 0;  // the end of the last tick
  Outlook outlook_{};
  uint32_t created_ = 0;  // since it
  size_t now_ = 0;
  std::array<Pool, kChances> pools_{};
  std::vector<std::array<uint32_t, kChances>> orders_;  // by the tick in which they are ready
  double creations_ = 0;
  std::array<double, kChances> misses_{};
  // Judging.
  double judged_ = 0;  // creations of late
  double with_ = 0, without_ = 0, outcomes_ = 0;
  std::deque<Pending> pending_;
};

}  // namespace gnomon
