// SPDX-License-Identifier: Apache-2.0
//
// Text that people write: names, durations, and words that are nearly right.
//
// Threads: free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gnomon {

// Names and ids: [A-Za-z0-9._~-]{1,128}.
bool IsName(std::string_view text);

// "30s", "15m", "24h", "30d", "1d12h30m"; neither negative nor infinite, and never a bare number but "0". A day has 24
// hours. Errors: INVALID_ARGUMENT "INVALID_DURATION" naming `field`.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view field, std::string_view text);

// "1 address", "2 addresses".
std::string Counted(uint64_t count, std::string_view one, std::string_view many);

// The one of `known` that `text` was probably meant to be: as far from it as a third of its length at most, and always
// as far as one letter. Empty if none is near, and for texts of more than 64 bytes. Cost: the product of the lengths,
// for each word.
std::string_view Suggest(std::string_view text, const std::vector<std::string_view>& known);

// The same as a hint, "did you mean \"shards\"?"; empty if none is near.
std::string SuggestionHint(std::string_view text, const std::vector<std::string_view>& known);

}  // namespace gnomon
