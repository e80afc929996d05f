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
}

void SetGiven(JsonObject* body, const PredictionFlags& flags) {
  SetGiven(body, "prediction_mode", flags.mode);
  SetGiven(body, "target_hit_rate", flags.hit_rate);
}

}  // namespace gnomon
