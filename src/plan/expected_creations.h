// SPDX-License-Identifier: Apache-2.0
//
// ExpectedCreations are those of announcements that have not come yet: known, so that they are added and not forecast.
//
// Shadows for them are due one lead and kMarginS before they are to come. A batch of which nothing has come kLateS after
// that is given up, and of one that has begun what does not follow within kQuietS. What comes beyond the announced count
// is ordinary demand.
//
// Threads: not thread-safe. Time: seconds. Limits: kMaxOpen open announcements; the rest is forecast instead.
// Cost: logarithmic in the open announcements.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "plan/policy.h"

namespace gnomon {

class ExpectedCreations {
 public:
  static constexpr double kMarginS = 2;
  static constexpr double kLateS = 180;
  static constexpr double kQuietS = 60;
  static constexpr size_t kMaxOpen = 100'000;

  explicit ExpectedCreations(double lead_s) : lead_s_(lead_s) {}

  // One of the same type and batch replaces the earlier one. Nothing is due before the next Wake.
  void Announce(double time_s, const Announcement& announcement);
  // How many of these creations were announced; they are expected no more.
  int64_t Consume(double time_s, size_t type, uint32_t batch, int64_t count);

  // When Due may next change without a call; infinite when there is nothing to come.
  double WakesAt() const;
  void Wake(double time_s);
  // Shadows of `type` that are to be held, or on order, for announcements.
  int64_t Due(size_t type) const;

  // As in base/state.h. The lead is not stored. All types are below `types`.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self, size_t types);

 private:
  using Id = std::pair<size_t, uint32_t>;  // type and batch
  struct Open {
    int64_t left = 0;
    bool due = false;
    double changes_s = 0;  // becomes due, or is given up
    double at_s = 0;
  };
  void End(std::map<Id, Open>::iterator open);
  void ChangesAt(double time_s, std::map<Id, Open>::iterator open);

  const double lead_s_;
  std::map<Id, Open> open_;
  std::set<std::pair<double, Id>> changes_;  // one for each open announcement
  std::vector<int64_t> due_;                 // by type
};

}  // namespace gnomon
