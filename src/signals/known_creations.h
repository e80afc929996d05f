// SPDX-License-Identifier: Apache-2.0
//
// KnownCreations are announcements that follow from counts that are known: a desired count that has risen, a step of a
// schedule.
//
// A desired count speaks of instances, an announcement of creations: what is announced is what is missing of it, less
// what is announced already. A count that has not risen since announces nothing, so that what never comes is given up; one
// that falls takes back what is too much. A step is announced kAheadS before its time, by the instances of then.
//
// Example:
//   KnownCreations known;
//   KnownCreations::Changes changes = known.Next(view);   // announce them, cancel those
//
// Threads: not thread-safe. Deterministic. Time: whole seconds.
// Limits: of rules that are not seen any more nothing is kept.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/announced.h"

namespace gnomon {

class KnownCreations {
 public:
  static constexpr const char* kDesiredSource = "desired-count";
  static constexpr const char* kScheduleSource = "schedule";
  // More than an engine's lead and margin, and how often it is asked; less than a minute, so that nothing is held longer.
  static constexpr int64_t kAheadS = 25;

  struct Desired {
    std::string rule = {};  // unique among those of a network
    std::string type = {};
    int64_t count = 0;
  };
  struct Step {
    std::string rule = {};
    std::string type = {};
    int64_t at_s = 0;
    int64_t count = 0;  // instances from then on
  };
  struct View {
    int64_t now_s = 0;
    std::vector<Desired> desired = {};
    std::vector<Step> steps = {};
    std::map<std::string, uint32_t> instances = {};  // by type
    std::vector<Announced> open = {};                // of all sources
  };
  struct Changes {
    std::vector<Announced> announce = {};
    std::vector<AnnouncementId> cancel = {};
  };
  Changes Next(const View& view);

 private:
  void Follow(const Desired& desired, const View& view, Changes* changes);

  std::map<std::string, int64_t> seen_;             // desired counts, by rule
  std::map<std::string, int64_t> announced_steps_;  // by id; its time
};

}  // namespace gnomon
