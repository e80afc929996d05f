// SPDX-License-Identifier: Apache-2.0
//
// A simulation runs a fleet of pools in virtual time, event by event, under one policy, and scores every point of it.
//
// The policy is told of everything from the trace's start on; pools exist and are judged from the warm-up's end on. All
// points of the policy run side by side on what it learned once. What it is told and when is what a server would tell
// it: nothing lies ahead. At equal times: arrivals, the review, demand (see simulated_pool.h for the pools' own rules).
//
// Threads: one. Time: seconds since the trace's start. Cost: about 0.1 us a creation and point, beside the policy's
// own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "plan/policy.h"
#include "plan/simulated_pool.h"

namespace gnomon {

struct SimulatedTrace {
  std::vector<std::string> types;
  uint32_t batches = 0;        // ids are 1 to this
  std::vector<Demand> demand;  // by time
  double end_s = 0;            // judged until then; every time of demand is before it
};

struct SimulationOptions {
  PoolRules rules;
  double review_s = 60;
  double warmup_s = 0;
  int64_t min_creations = 200;  // types with fewer in the judged part are not judged and hold nothing
  int64_t capacity = std::numeric_limits<int64_t>::max();  // of all pools together
  uint64_t seed = 1;
  double announce_s = 0;      // each batch's size becomes known so long before its first creation; 0: never
  double announce_share = 1;  // of the batches, drawn by batch and seed
  // Of the announced ones, this share comes late (kLateS after the time announced), as many never come (an announcement
  // that nothing follows; the batch itself comes unannounced), and of as many only half of what was announced comes.
  double announce_faults = 0;
  double bin_s = 0;  // of TypeScore::bins, at least review_s; 0: there are none
  std::function<void(double)> on_progress = [](double) {};  // told the share of the trace that is done, at reviews

  static constexpr double kLateS = 120;
  static constexpr double kMaxFaults = 0.33;
};

// What happened to one pool in `bin_s` seconds.
struct TimeBin {
  uint32_t creations = 0, misses = 0;
  float held = 0;  // ready shadows, the mean of its reviews
};

struct TypeScore {
  std::string type;
  PoolScore pool;
  std::vector<TimeBin> bins = {};  // from the warm-up's end on
};

// A day of the judged part: 24 hours from its start on, the last one shorter.
struct DayScore {
  int64_t creations = 0, hits = 0;
  double idle_s = 0;  // judged
};

struct PointScore {
  PoolScore sum;
  std::vector<DayScore> days;
  std::vector<TypeScore> types;  // those judged
  int64_t peak_shadows = 0;
  int64_t batches = 0, whole_batches = 0;  // of two creations or more; whole: all of them hits
  double worst_hour_hit_rate = 1;          // of hours with kJudgedHour creations or more

  static constexpr int64_t kJudgedHour = 200;
  double hit_rate() const;
  double idle_minutes_per_creation() const;
  double worst_type_hit_rate() const;
};

// One score for each point.
std::vector<PointScore> Simulate(const SimulatedTrace& trace, const SimulationOptions& options, Policy* policy);

// Of types with `min_creations` or more from `warmup_s` on, by number.
std::vector<size_t> JudgedTypes(const SimulatedTrace& trace, const SimulationOptions& options);

}  // namespace gnomon
