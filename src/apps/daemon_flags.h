// SPDX-License-Identifier: Apache-2.0
//
// DaemonFlags is what the command line of gnomond asks for.
//
// Threads: a value type.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/config.h"

namespace gnomon {

struct DaemonFlags {
  std::optional<std::string> config_file;
  std::vector<std::pair<std::string, std::string>> settings;    // keys of Config with their text
  bool check_store = false;
  std::string restore_file;  // not empty: make a store of this backup
  std::string token_id;      // not empty: make a token
  std::string token_role = "viewer";
  std::vector<std::string> token_networks;
};

// Parses, and answers --help and --version itself: then nullopt. Errors: INVALID_ARGUMENT USAGE.
absl::StatusOr<std::optional<DaemonFlags>> ParseDaemonFlags(int argc, char** argv, const std::string& version);

// Defaults, then the file, then the environment, then the flags; and whether the whole can be run.
absl::StatusOr<Config> MakeConfig(const DaemonFlags& flags);

}  // namespace gnomon
