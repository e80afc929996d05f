// SPDX-License-Identifier: Apache-2.0
//
// PoolFlags are what `create pool` and `update pool` both take: what a pool may be given and may be changed to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace gnomon {

struct PoolFlags {
  std::optional<std::vector<std::string>> exclude;
  std::optional<std::string> gateway, strategy, quarantine;
  std::optional<double> headroom;
};

// Declares them; `flags` outlives the command.
void AddPoolFlags(CLI::App* command, PoolFlags* flags);

// Those that were given, as members of a pool.
void SetGiven(JsonObject* body, const PoolFlags& flags);

}  // namespace gnomon
