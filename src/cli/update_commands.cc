// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "absl/strings/numbers.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/failure.h"

namespace gnomon {
namespace {

// What is not given stays as it is.
struct UpdatePoolArgs {
  std::string name;
  std::optional<bool> draining;
  std::optional<std::string> gateway, strategy, quarantine;
  std::optional<double> headroom;
  std::optional<std::vector<std::string>> exclude;
};

struct UpdateNetworkArgs {
  std::string name;
  std::optional<int64_t> warm_target;
  std::vector<std::string> type_targets;
};

absl::Status NothingGiven(std::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE", "nothing to change was given").Hint(what);
}

absl::Status RunUpdatePool(Session& session, const UpdatePoolArgs& args) {
  JsonObject body;
  SetGiven(&body, "draining", args.draining);
  SetGiven(&body, "strategy", args.strategy);
  SetGiven(&body, "quarantine", args.quarantine);
  SetGiven(&body, "headroom", args.headroom);
  if (args.gateway) body["gateway"] = *args.gateway == "none" ? JsonValue(nullptr) : JsonValue(*args.gateway);
  if (args.exclude) {
    const bool none = args.exclude->size() == 1 && args.exclude->front() == "none";
    body["exclude"] = none ? JsonArray() : JsonArray(args.exclude->begin(), args.exclude->end());
  }
  if (body.empty()) return NothingGiven("name what to change, as --draining or --headroom 0.2");
  return Put(session, "PATCH", ApiPath({"v1", "networks", session.flags().network, "pools", args.name}), body, "pool");
}

absl::Status RunUpdateNetwork(Session& session, const UpdateNetworkArgs& args) {
  session.Concerns(args.name);
  JsonObject body;
  SetGiven(&body, "warm_target", args.warm_target);
  if (!args.type_targets.empty()) {
    JsonObject targets;
    for (const std::string& text : args.type_targets) {
      const size_t equals = text.find('=');
      int64_t target = 0;
      if (text != "none" && (equals == std::string::npos || !absl::SimpleAtoi(text.substr(equals + 1), &target))) {
        return Error(absl::StatusCode::kInvalidArgument, "BAD_TARGET", "a type's target is written TYPE=NUMBER")
            .Field("type-target")
            .Value(Excerpt(text))
            .Hint("as --type-target web=20; --type-target none takes all away");
      }
      if (text != "none") targets[text.substr(0, equals)] = target;
    }
    body["warm_targets"] = std::move(targets);
  }
  if (body.empty()) return NothingGiven("name what to change, as --warm-target 20");
  return Put(session, "PATCH", ApiPath({"v1", "networks", args.name}), body, "network");
}

}  // namespace

void AddUpdateCommands(CommandTree& tree) {
  CLI::App* update = tree.root.add_subcommand("update", "Change a network or a pool; what is not given stays");
  update->require_subcommand(1);
  auto network = std::make_shared<UpdateNetworkArgs>();
  CLI::App* command = update->add_subcommand("network", "Change a network's warm pool");
  command->add_option("name", network->name, "Its name")->required();
  command->add_option("--warm-target", network->warm_target, "Shadows to hold for each type");
  command->add_option("--type-target", network->type_targets, "Of a type, as web=20; may be repeated; replaces them all")
      ->delimiter(',');
  OnRun(command, tree, network, &RunUpdateNetwork);

  auto pool = std::make_shared<UpdatePoolArgs>();
  command = update->add_subcommand("pool", "Change a pool");
  command->add_option("name", pool->name, "Its name")->required();
  AddNetworkFlag(command, tree);
  command->add_flag_callback("--draining", [pool] { pool->draining = true; }, "Give nothing new from it");
  command->add_flag_callback("--no-draining", [pool] { pool->draining = false; }, "Give from it again");
  command->add_option("--quarantine", pool->quarantine, "How long a released address rests, as 30s");
  command->add_option("--headroom", pool->headroom, "The share that shadows leave free, as 0.1");
  command->add_option("--strategy", pool->strategy, "Which free address is given")
      ->check(CLI::IsMember({"longest_idle", "lowest_first", "random"}));
  command->add_option("--gateway", pool->gateway, "An address of the prefix, never given; none takes it away");
  command->add_option("--exclude", pool->exclude, "All addresses and ranges never given, in place of those now; or none")
      ->delimiter(',');
  OnRun(command, tree, pool, &RunUpdatePool);
}

}  // namespace gnomon
