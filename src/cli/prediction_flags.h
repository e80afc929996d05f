// SPDX-License-Identifier: Apache-2.0
//
// PredictionFlags are what `create network` and `update network` both take: whether the engine predicts, and how well.
#pragma once

#include <optional>
#include <string>

#include "cli/commands.h"

namespace gnomon {

struct PredictionFlags {
  std::optional<std::string> mode;
  std::optional<double> hit_rate, miss_cost, idle_cost;
  std::optional<int64_t> min_shadows, max_shadows;
};

// Declares them; `flags` outlives the command.
void AddPredictionFlags(CLI::App* command, PredictionFlags* flags);

// Those that were given, as members of a network.
void SetGiven(JsonObject* body, const PredictionFlags& flags);

}  // namespace gnomon
