// SPDX-License-Identifier: Apache-2.0
//
// RunCli is the whole of `gnomon`: it parses the words of a command line, carries the command out and says how it went.
//
// Data goes to `out`, messages to `err`. Exit codes are a contract, see cli/failure.h.
//
// Threads: one call at a time.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"

namespace gnomon {

// `words` are those after the program's name. Returns the exit code.
int RunCli(const std::vector<std::string>& words, const Console& console);

}  // namespace gnomon
