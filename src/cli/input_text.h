// SPDX-License-Identifier: Apache-2.0
//
// ReadInput reads a whole file that a command sends to the server, or what is piped in.
//
// Errors: INVALID_ARGUMENT UNREADABLE_FILE. Limits: kMaxInputBytes, which is what the server takes.
// Threads: free functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/error.h"

namespace gnomon {

inline constexpr size_t kMaxInputBytes = size_t{1} << 20;

// "-": the standard input.
absl::StatusOr<std::string> ReadInput(const std::string& path);

Error UnreadableFile(const std::string& path, std::string_view why);

}  // namespace gnomon
