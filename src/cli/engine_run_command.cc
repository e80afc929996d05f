// SPDX-License-Identifier: Apache-2.0
//
// The prediction engine as a process of its own.
#include "base/error.h"
#include "cli/commands.h"
#include "cli/remote_engine.h"

namespace gnomon {
namespace {

struct EngineRunArgs {
  std::string state_dir, source = "engine-run";
};

absl::Status RunEngine(Session& session, const EngineRunArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(HttpClientOptions client, session.ClientOptions());
  const std::atomic<bool>* stop = session.console().until_stopped();
  RemoteEngine engine({.client = std::move(client),
                       .network = session.flags().network,
                       .source = args.source,
                       .state_dir = args.state_dir},
                      &session.console().clock, session.err());
  return engine.Run(stop);
}

}  // namespace

void AddEngineRunCommand(CommandTree& tree) {
  auto args = std::make_shared<EngineRunArgs>();
  CLI::App* engine = tree.root.add_subcommand("engine", "The prediction engine as a process of its own");
  engine->require_subcommand(1);
  CLI::App* run =
      engine->add_subcommand("run", "Learn from a network's creations and reserve ahead of them, until stopped");
  AddNetworkFlag(run, tree);
  run->add_option("--state-dir", args->state_dir, "The folder that keeps what it learns")->required();
  run->add_option("--source", args->source, "Of its predictions; no other engine of the network has it")
      ->capture_default_str();
  OnRun(run, tree, args, &RunEngine);
}

}  // namespace gnomon
