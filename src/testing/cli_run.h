// SPDX-License-Identifier: Apache-2.0
//
// RunGnomon runs one command line of `gnomon` as a test sees it: words in, exit code and both outputs back.
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/cli.h"

namespace gnomon {

struct CliRun {
  int code = -1;
  std::string out, err;
  std::vector<std::string> became;  // the program that it turned into, if it did
};

// The clock is the system's. Neither output is a terminal.
inline CliRun RunGnomon(std::vector<std::string> words, const std::string& server = "",
                        const std::string& gnomon_network = "") {
  for (const char* name : {"GNOMON_SERVER", "GNOMON_NETWORK", "GNOMON_TOKEN_FILE", "GNOMON_CA_FILE"}) unsetenv(name);
  if (!gnomon_network.empty()) setenv("GNOMON_NETWORK", gnomon_network.c_str(), 1);
  if (!server.empty()) words.insert(words.end(), {"--server", server});
  CliRun run;
  std::ostringstream out, err;
  SystemClock clock;
  Console console{.out = out, .err = err, .clock = clock, .program_folder = "/opt/gnomon", .become = {}};
  console.become = [&](const std::vector<std::string>& program) {
    run.became = program;
    return absl::OkStatus();
  };
  run.code = RunCli(words, console);
  run.out = out.str();
  run.err = err.str();
  return run;
}

}  // namespace gnomon
