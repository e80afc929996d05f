// SPDX-License-Identifier: Apache-2.0
//
// The daemon's own log, on stderr.
//
// Threads: any, after SetUpLog.
#pragma once

#include <string>

namespace gnomon {

// spdlog's default logger from here on: lines for people if stderr is a terminal, else a JSON object a line. `level`:
// debug, info, warn or error.
void SetUpLog(const std::string& level);

}  // namespace gnomon
