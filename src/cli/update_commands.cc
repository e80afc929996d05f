// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "absl/strings/numbers.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/labels.h"
#include "cli/pool_flags.h"
#include "cli/prediction_flags.h"

namespace gnomon {
namespace {

// What is not given stays as it is.
struct UpdatePoolArgs {
  std::string name;
  std::optional<bool> draining;
  PoolFlags flags;
};

struct UpdateNetworkArgs {
  std::string name;
  std::optional<int64_t> warm_target;
  std::vector<std::string> type_targets;
  PredictionFlags prediction;
};

struct UpdateInstanceArgs {
  std::string id;
  std::optional<std::string> zone, host, generation;
  std::vector<std::string> labels;
};

absl::Status NothingGiven(std::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE", "nothing to change was given").Hint(what);
}

absl::Status RunUpdatePool(Session& session, const UpdatePoolArgs& args) {
  JsonObject body;
  SetGiven(&body, "draining", args.draining);
  SetGiven(&body, args.flags);
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
  SetGiven(&body, args.prediction);
  if (body.empty()) return NothingGiven("name what to change, as --warm-target 20");
  return Put(session, "PATCH", ApiPath({"v1", "networks", args.name}), body, "network");
}

absl::Status RunUpdateInstance(Session& session, const UpdateInstanceArgs& args) {
  JsonObject body;
  SetGiven(&body, "zone", args.zone);
  SetGiven(&body, "host", args.host);
  if (args.labels == std::vector<std::string>{"none"}) {
    body["labels"] = JsonObject();
  } else if (!args.labels.empty()) {
    GNOMON_ASSIGN_OR_RETURN(body["labels"], ParseLabels(args.labels));
  }
  if (body.empty()) return NothingGiven("name what to change, as --host h7 or --label env=prod");
  SetGiven(&body, "generation", args.generation);
  return Put(session, "PATCH", ApiPath({"v1", "networks", session.flags().network, "instances", args.id}), body,
             "instance");
}

void AddUpdateInstance(CLI::App* update, CommandTree& tree) {
  auto instance = std::make_shared<UpdateInstanceArgs>();
  CLI::App* command = update->add_subcommand("instance", "Say where an instance runs now, or label it anew");
  command->add_option("id", instance->id, "Its id")->required();
  AddNetworkFlag(command, tree);
  // Given as functions, because the library takes an empty text for an option that was not given.
  command->add_option_function<std::string>(
      "--zone", [instance](const std::string& zone) { instance->zone = zone; }, "Its zone; '' for none");
  command->add_option_function<std::string>(
      "--host", [instance](const std::string& host) { instance->host = host; }, "Its host; '' for none");
  command->add_option("--label", instance->labels, "As env=prod; may be repeated; replaces them all; or none");
  command->add_option("--generation", instance->generation, "Only if the assignment is still this one");
  OnRun(command, tree, instance, &RunUpdateInstance);
}

}  // namespace

void AddUpdateCommands(CommandTree& tree) {
  CLI::App* update =
      tree.root.add_subcommand("update", "Change a network, a pool or an instance; what is not given stays");
  update->require_subcommand(1);
  AddUpdateInstance(update, tree);
  auto network = std::make_shared<UpdateNetworkArgs>();
  CLI::App* command = update->add_subcommand("network", "Change a network's warm pool and predictions");
  command->add_option("name", network->name, "Its name")->required();
  command->add_option("--warm-target", network->warm_target, "Shadows to hold for each type");
  command->add_option("--type-target", network->type_targets, "Of a type, as web=20; may be repeated; replaces them all")
      ->delimiter(',');
  AddPredictionFlags(command, &network->prediction);
  OnRun(command, tree, network, &RunUpdateNetwork);

  auto pool = std::make_shared<UpdatePoolArgs>();
  command = update->add_subcommand("pool", "Change a pool");
  command->add_option("name", pool->name, "Its name")->required();
  AddNetworkFlag(command, tree);
  command->add_flag_callback("--draining", [pool] { pool->draining = true; }, "Give nothing new from it");
  command->add_flag_callback("--no-draining", [pool] { pool->draining = false; }, "Give from it again");
  AddPoolFlags(command, &pool->flags);
  OnRun(command, tree, pool, &RunUpdatePool);
}

}  // namespace gnomon
