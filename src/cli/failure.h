// SPDX-License-Identifier: Apache-2.0
//
// A failure is how the CLI ends when it did not succeed: an exit code, a message, and the next command to try.
//
// Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 conflict or exhausted, 5 not allowed, 6 unavailable.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace gnomon {

int ExitCode(const absl::Status& status);

struct FailedCommand {
  std::string words;    // of the command, as "create pool"
  std::string network;  // empty: none was named
  std::string instance = {};  // that it was about; empty: none, or many
};

// The command that most likely helps.
std::string NextCommand(const absl::Status& status, const FailedCommand& command);

// Several lines: the error with its code, the numbers and the field, the hint, the next command.
void PrintFailure(const absl::Status& status, const FailedCommand& command, std::ostream& err);

}  // namespace gnomon
