// SPDX-License-Identifier: Apache-2.0
//
// A DurationFlag is a duration on the command line, between two bounds.
//
// Threads: a free function.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gnomon {

// As ParseDuration of base/text.h. Errors: INVALID_ARGUMENT (INVALID_DURATION) naming `flag`, also out of bounds.
absl::StatusOr<absl::Duration> DurationFlag(std::string_view flag, std::string_view text,
                                            absl::Duration low = absl::ZeroDuration(),
                                            absl::Duration high = absl::InfiniteDuration());

}  // namespace gnomon
