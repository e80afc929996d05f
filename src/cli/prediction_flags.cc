// SPDX-License-Identifier: Apache-2.0
#include "cli/prediction_flags.h"

namespace gnomon {

void AddPredictionFlags(CLI::App* command, PredictionFlags* flags) {
  command
      ->add_option("--prediction-mode", flags->mode,
                   "off: no predictions; observe: the engine plans; reserve: it also reserves")
      ->check(CLI::IsMember({"off", "observe", "reserve"}));
  command->add_option("--target-hit-rate", flags->hit_rate,
                      "The share of creations that should find a shadow, 0.5 to 0.999");
  command->add_option("--miss-cost", flags->miss_cost, "With --idle-cost, instead of the hit rate: what a miss costs");
  command->add_option("--idle-cost", flags->idle_cost, "What an idle shadow costs");
  command->add_option("--min-shadows", flags->min_shadows, "Of each type, at least");
  command->add_option("--max-shadows", flags->max_shadows, "Of each type, at most");
}

void SetGiven(JsonObject* body, const PredictionFlags& flags) {
  SetGiven(body, "prediction_mode", flags.mode);
  SetGiven(body, "target_hit_rate", flags.hit_rate);
  SetGiven(body, "miss_cost", flags.miss_cost);
  SetGiven(body, "idle_cost", flags.idle_cost);
  SetGiven(body, "min_shadows", flags.min_shadows);
  SetGiven(body, "max_shadows", flags.max_shadows);
}

}  // namespace gnomon
