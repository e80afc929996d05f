// SPDX-License-Identifier: Apache-2.0
//
// An Advice is what signals say of one type of one network now, until the next one: telemetry, and autoscaling policies.
//
// It holds for kLasts. What is not said again by then is void: a signal that falls silent is no signal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "plan/outlook.h"

namespace gnomon {

struct Advice {
  static constexpr absl::Duration kLasts = absl::Minutes(1);

  std::string type = {};
  std::optional<Outlook> expected = {};  // creations
  std::optional<uint32_t> most = {};     // creations that the policies still allow: more shadows are of no use
  double factor = 1;                     // of what is planned otherwise, while a declared event lasts
  std::vector<std::string> rules = {};   // which rule says what, for people
};

}  // namespace gnomon
