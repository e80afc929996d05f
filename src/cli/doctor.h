// SPDX-License-Identifier: Apache-2.0
//
// The doctor looks at a server from outside and says what is wrong and how to mend it, one finding a line.
//
// Checks: reachable, ready (each of /readyz's own), version, clock, access, pools near exhaustion.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/api_client.h"

namespace gnomon {

enum class Health { kOk, kWarn, kFail };

struct Finding {
  Health health;
  std::string check;   // "pool prod/a"
  std::string detail;  // what was found
  std::string fix;     // empty if nothing is wrong
};

// `version` is this program's; `now` the local wall time, read just before the call.
std::vector<Finding> Examine(ApiClient& api, const std::string& version, absl::Time now);

std::string_view HealthName(Health health);  // "ok", "warn", "fail"

}  // namespace gnomon
