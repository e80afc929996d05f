// SPDX-License-Identifier: Apache-2.0
//
// A TypePlan is how many shadows of one type the engine would hold now, and why. Numbers of shadows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ipam/catalogue.h"
#include "plan/outlook_pools.h"

namespace gnomon {

// What signals have to do with a plan.
struct SignalPlan {
  uint32_t expected = 0;  // creations, at the chance that the hit rate needs
  double chance = 0;
  bool followed = false;  // the plan is this, and not what history says
  OutlookPools::Worth worth = {};
  std::optional<uint32_t> most = {};    // that policies allow
  std::vector<std::string> rules = {};  // which rule says what
};

struct TypePlan {
  std::string type = {};
  PredictionMode mode = PredictionMode::kOff;  // of the type: nothing is reserved unless kReserve
  uint32_t target = 0;
  uint32_t held = 0;      // of the type, by the last answer to what the engine asked for, and not taken since
  double forecast = 0;    // of the need: what is created while a shadow is replaced
  double spread = 0;      // added to it for what may come above the forecast
  double multiple = 1;    // of the two, for the hit rate that was asked for
  int64_t announced = 0;  // added for creations that are known
  double hit_rate = 0;    // that was asked for
  uint32_t raised = 0;    // added by min_shadows
  uint32_t capped = 0;    // taken away by max_shadows
  double kept = 0;        // above the target, given back slowly
  absl::Duration lead = absl::ZeroDuration();  // from asking for shadows of the network until they are held, measured
  std::optional<SignalPlan> signal = {};  // nullopt: none tells of the type
};

}  // namespace gnomon
