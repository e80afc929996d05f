// SPDX-License-Identifier: Apache-2.0
#include "cli/pool_flags.h"

namespace gnomon {

void AddPoolFlags(CLI::App* command, PoolFlags* flags) {
  command->add_option("--gateway", flags->gateway, "An address of the prefix, never given; none: there is no gateway");
  command
      ->add_option("--exclude", flags->exclude,
                   "All addresses and ranges never given, as 10.0.0.2 or 10.0.0.5-10.0.0.9; none: there are none")
      ->delimiter(',');
  command->add_option("--strategy", flags->strategy, "Which free address is given")
      ->check(CLI::IsMember({"longest_idle", "lowest_first", "random"}));
  command->add_option("--quarantine", flags->quarantine, "How long a released address rests, as 30s");
  command->add_option("--headroom", flags->headroom, "The share that shadows leave free, as 0.1");
}

void SetGiven(JsonObject* body, const PoolFlags& flags) {
  if (flags.gateway) (*body)["gateway"] = *flags.gateway == "none" ? JsonValue(nullptr) : JsonValue(*flags.gateway);
  if (flags.exclude) {
    const bool none = flags.exclude->size() == 1 && flags.exclude->front() == "none";
    (*body)["exclude"] = none ? JsonArray() : JsonArray(flags.exclude->begin(), flags.exclude->end());
  }
  SetGiven(body, "strategy", flags.strategy);
  SetGiven(body, "quarantine", flags.quarantine);
  SetGiven(body, "headroom", flags.headroom);
}

}  // namespace gnomon
