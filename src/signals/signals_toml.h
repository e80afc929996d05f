// SPDX-License-Identifier: Apache-2.0
//
// ReadSignals reads what the section "signals" of a TOML file says of metrics.
//
// Errors: INVALID_ARGUMENT UNKNOWN_SETTING (with a suggestion), INVALID_SETTING, INVALID_SELECTOR; each message begins
//   with "FILE:LINE: ". Threads: a free function.
#pragma once

#include <toml++/toml.h>

#include <string_view>

#include "absl/status/status.h"
#include "signals/signals_config.h"

namespace gnomon {

// `key`: "signals.prometheus" or "signals.metric", of which `node` is the array.
absl::Status ReadSignals(std::string_view key, const toml::node& node, std::string_view file, SignalsConfig* config);

// Whether each query has a Prometheus to ask. The message has no place.
absl::Status CheckSignals(const SignalsConfig& config);

}  // namespace gnomon
