// SPDX-License-Identifier: Apache-2.0
//
// Commands are added to the tree by one function a group; each says what is to be run when its words are met.
//
// Example:
//   auto args = std::make_shared<ReleaseArgs>();
//   CLI::App* release = tree.root.add_subcommand("release", "End an instance's assignment");
//   release->add_option("id", args->id)->required();
//   AddNetworkFlag(release, tree);
//   OnRun(release, tree, args, &RunRelease);
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "cli/kind.h"
#include "cli/session.h"

namespace gnomon {

struct CommandTree {
  CLI::App& root;
  Flags& flags;
  std::function<absl::Status(Session&)> chosen = {};  // of the command that was parsed
  std::set<const CLI::App*> in_network = {};          // the commands that need a network
};

template <typename Args>
void OnRun(CLI::App* command, CommandTree& tree, std::shared_ptr<Args> args,
           absl::Status (*run)(Session&, const Args&)) {
  command->callback([&tree, args = std::move(args), run] {
    tree.chosen = [args, run](Session& session) { return run(session, *args); };
  });
}

// -n, --network, which is then needed: after the command, before it, or as GNOMON_NETWORK.
inline void AddNetworkFlag(CLI::App* command, CommandTree& tree) {
  command->add_option("-n,--network", tree.flags.network, "The network (GNOMON_NETWORK, if it is not given)");
  tree.in_network.insert(command);
}

// `value` under `name`, if it was given.
template <typename Value>
void SetGiven(JsonObject* body, std::string_view name, const std::optional<Value>& value) {
  if (value) (*body)[boost::json::string_view(name.data(), name.size())] = *value;
}

// Sends `body` and prints the object of the kind `singular` that comes back.
absl::Status Put(Session& session, std::string_view method, const std::string& path, const JsonObject& body,
                 std::string_view singular);

// Whether -o asks for json or yaml, and the printing of them.
bool WantsData(const Session& session);
void PrintData(Session& session, const JsonValue& value);

// One object in the form that -o asks for: a table of one row in the columns of the kind `singular`.
void PrintObject(Session& session, std::string_view singular, const JsonValue& object);

// A list of objects of one kind in the form that -o asks for.
void PrintList(Session& session, const Kind& kind, JsonArray rows);

void AddReadCommands(CommandTree& tree);     // get, describe, watch
void AddWriteCommands(CommandTree& tree);    // create, delete, allocate, release, reassign, predict
void AddUpdateCommands(CommandTree& tree);   // update
void AddEngineCommands(CommandTree& tree);   // announce, delete announcement, import-history
void AddEngineRunCommand(CommandTree& tree);  // engine run
void AddQualityCommand(CommandTree& tree);   // get quality
void AddCalendarCommands(CommandTree& tree);  // calendar apply, get, delete
void AddPolicyCommands(CommandTree& tree);   // policy apply, get, delete, explain
void AddFileCommands(CommandTree& tree);     // backup, restore, check, import, export
void AddReplayCommand(CommandTree& tree);    // replay
void AddSimulateCommand(CommandTree& tree);  // simulate
void AddForecastCommand(CommandTree& tree);  // forecast
void AddBacktestCommand(CommandTree& tree);  // backtest
void AddSignalsCommand(CommandTree& tree);   // signals
void AddSystemCommands(CommandTree& tree);   // doctor, resume-expiry, completion, version

}  // namespace gnomon
