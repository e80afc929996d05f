// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/failure.h"

namespace gnomon {
namespace {

void AddFlags(CLI::App& root, Flags& flags) {
  root.add_option("--server", flags.server, "http://host:port, https://host:port or unix:/path")
      ->envname("GNOMON_SERVER")
      ->capture_default_str();
  root.add_option("--token-file", flags.token_file, "The file that holds your token")->envname("GNOMON_TOKEN_FILE");
  root.add_option("--ca-file", flags.ca_file, "The authority of the server's certificate, PEM")
      ->envname("GNOMON_CA_FILE");
  root.add_option("--cert-file", flags.client_cert_file, "Your certificate, PEM")->envname("GNOMON_CERT_FILE");
  root.add_option("--key-file", flags.client_key_file, "Its key, PEM")->envname("GNOMON_KEY_FILE");
  root.add_option("-o,--output", flags.output, "How to print")
      ->check(CLI::IsMember({"table", "json", "yaml", "name"}))
      ->capture_default_str();
  root.add_option("-n,--network", flags.network, "The network, of commands that work in one");
  root.add_option("--timeout", flags.timeout, "How long to wait for an answer")->capture_default_str();
}

// The command that was named, as far as it was understood, and its words.
const CLI::App* DeepestNamed(const CLI::App& root, std::string* words) {
  const CLI::App* at = &root;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    absl::StrAppend(words, words->empty() ? "" : " ", at->get_name());
  }
  return at;
}

std::vector<std::string> KnownWords(const CLI::App& root, const CLI::App& at, bool options) {
  std::vector<std::string> known;
  if (!options) {
    for (const CLI::App* command : at.get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(command->get_name());
      for (const std::string& alias : command->get_aliases()) known.push_back(alias);
    }
    return known;
  }
  for (const CLI::App* app : {&at, &root}) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  }
  return known;
}

int Finish(const absl::Status& done, const FailedCommand& command, const Console& console) {
  if (!done.ok()) PrintFailure(done, command, console.err);
  return ExitCode(done);
}

int RefuseUsage(const CLI::App& root, const CLI::ParseError& refused, const Console& console) {
  FailedCommand command;
  const CLI::App* at = DeepestNamed(root, &command.words);
  std::vector<std::string> left = root.remaining(true);
  std::string message = refused.what();
  // What is converted are numbers alone.
  if (refused.get_name() == "ConversionError") {
    message = absl::StrCat(absl::StripPrefix(message, "Could not convert: "), ", which is not a number");
  }
  std::string hint;
  if (!left.empty()) {
    const std::string& word = left.front();
    bool option = word.starts_with('-');
    std::vector<std::string> known = KnownWords(root, *at, option);
    bool may_be_command = option || !known.empty();
    message = absl::StrCat(option           ? "unknown option "
                           : may_be_command ? "unknown command "
                                            : "unexpected argument ",
                           Excerpt(word));
    hint = SuggestionHint(word, {known.begin(), known.end()});
  }
  return Finish(Error(absl::StatusCode::kInvalidArgument, "USAGE", message).Hint(hint), command, console);
}

// The network that the command needs, from the environment if no flag gave it; a command that needs none refuses the
// flag.
absl::Status CheckNetwork(bool needed, std::string* network) {
  if (!needed && !network->empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE", "this command takes no --network")
        .Field("--network")
        .Value(*network);
  }
  if (!needed || !network->empty()) return absl::OkStatus();
  if (const char* variable = std::getenv("GNOMON_NETWORK"); variable != nullptr) *network = variable;
  if (!network->empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "USAGE", "--network is required")
      .Hint("name the network with -n, or once for all in GNOMON_NETWORK");
}

}  // namespace

int RunCli(const std::vector<std::string>& words, const Console& console) {
  CLI::App root("gnomon: addresses for instances, ready before they are asked for", "gnomon");
  root.require_subcommand(1);
  root.fallthrough();
  root.footer("Flags of all commands (--server, --token-file, -o ...): gnomon --help");
  root.set_version_flag("--version", "gnomon " GNOMON_VERSION);
  Flags flags;
  AddFlags(root, flags);
  CommandTree tree{root, flags};
  AddReadCommands(tree);
  AddWriteCommands(tree);
  AddUpdateCommands(tree);
  AddEngineCommands(tree);
  AddEngineRunCommand(tree);
  AddQualityCommand(tree);
  AddPolicyCommands(tree);
  AddCalendarCommands(tree);
  AddFileCommands(tree);
  AddReplayCommand(tree);
  AddSimulateCommand(tree);
  AddForecastCommand(tree);
  AddBacktestCommand(tree);
  AddSignalsCommand(tree);
  AddSystemCommands(tree);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    root.parse(reversed);
  } catch (const CLI::Success& asked) {  // --help, --version
    root.exit(asked, console.out, console.err);
    return Finish(FlushOutput(console.out), {}, console);
  } catch (const CLI::ParseError& refused) {
    return RefuseUsage(root, refused, console);
  }
  FailedCommand command;
  const bool in_network = tree.in_network.contains(DeepestNamed(root, &command.words));
  if (absl::Status network = CheckNetwork(in_network, &flags.network); !network.ok())
    return Finish(network, command, console);
  Session session(console, flags);
  absl::Status done = tree.chosen(session);
  if (done.ok()) done = FlushOutput(console.out);
  command.network = session.network();
  command.instance = session.instance();
  return Finish(done, command, console);
}

}  // namespace gnomon
