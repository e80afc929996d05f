// SPDX-License-Identifier: Apache-2.0
//
// policy apply, get, delete, explain: the policies of autoscalers, as they are.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/input_text.h"
#include "cli/render.h"

namespace gnomon {
namespace {

constexpr size_t kMaxFiles = 1000;

struct ApplyArgs {
  std::string file, type;
  bool dry_run = false;
};

struct PolicyGetArgs {
  std::string name, type;
};

struct PolicyNameArgs {
  std::string name;
};

struct ExplainArgs {
  std::string type, at;
};

const Kind& PolicyKindOf() {
  static const auto& kind = *new Kind{"policy", "policies", "pol", true, true, {"type"},
                                      {{"NAME", "name"}, {"TYPE", "type"}, {"CHANGE", "change"}, {"NOT UNDERSTOOD", "unknown"}}};
  return kind;
}

// The files that `path` stands for: itself, or the YAML and JSON in a folder, by name.
absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& path) {
  std::error_code failed;
  if (path == "-" || !std::filesystem::is_directory(path, failed)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator entry(path, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string extension = entry->path().extension();
    if (extension != ".yaml" && extension != ".yml" && extension != ".json") continue;
    if (files.size() == kMaxFiles) return UnreadableFile(path, absl::StrCat("it has more than ", kMaxFiles, " files"));
    files.push_back(entry->path());
  }
  if (failed) return UnreadableFile(path, failed.message());
  if (files.empty()) return UnreadableFile(path, "it has no .yaml, .yml or .json");
  std::sort(files.begin(), files.end());
  return files;
}

// A file is applied whole or not at all; those before one that is refused stay applied.
absl::Status RunApply(Session& session, const ApplyArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(const std::vector<std::string> files, FilesOf(args.file));
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  JsonArray rows;
  for (const std::string& file : files) {
    GNOMON_ASSIGN_OR_RETURN(std::string text, ReadInput(file));
    JsonObject body = {{"text", std::move(text)}, {"file", file}};
    if (!args.type.empty()) body["type"] = args.type;
    if (args.dry_run) body["dry_run"] = true;
    GNOMON_ASSIGN_OR_RETURN(const JsonValue answer,
                            api->Call("POST", ApiPath({"v1", "networks", session.flags().network, "policies"}), body));
    if (const JsonArray* applied = Member(answer, "policies").if_array()) rows.insert(rows.end(), applied->begin(), applied->end());
    if (const JsonArray* passed_over = Member(answer, "passed_over").if_array()) {
      for (const JsonValue& one : *passed_over) {
        if (one.is_string()) session.err() << file << ": " << std::string_view(one.get_string().data(), one.get_string().size()) << " is no policy, and passed over\n";
      }
    }
  }
  if (args.dry_run) session.err() << "nothing was stored: a dry run\n";
  PrintList(session, PolicyKindOf(), std::move(rows));
  return absl::OkStatus();
}

absl::Status RunPolicyGet(Session& session, const PolicyGetArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  const std::string& network = session.flags().network;
  if (!args.name.empty()) {
    GNOMON_ASSIGN_OR_RETURN(const JsonValue policy, api->Get(ApiPath({"v1", "networks", network, "policies", args.name})));
    if (WantsData(session)) {
      PrintData(session, policy);
    } else {
      PrintDescription(policy, session.out());
    }
    return absl::OkStatus();
  }
  JsonArray rows;
  Query query;
  if (!args.type.empty()) query.emplace_back("type", args.type);
  GNOMON_RETURN_IF_ERROR(api->List({"v1", "networks", network, "policies"}, "policies", query, 0, [&](JsonValue item) {
                              rows.push_back(std::move(item));
                              return absl::OkStatus();
                            }).status());
  Kind kind = PolicyKindOf();
  kind.columns = {{"NAME", "name"}, {"TYPE", "type"}, {"NOT UNDERSTOOD", "unknown"}};
  PrintList(session, kind, std::move(rows));
  return absl::OkStatus();
}

absl::Status RunPolicyDelete(Session& session, const PolicyNameArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_RETURN_IF_ERROR(api->Delete(ApiPath({"v1", "networks", session.flags().network, "policies", args.name})).status());
  session.err() << "policy " << args.name << " deleted\n";
  return absl::OkStatus();
}

absl::Status RunExplain(Session& session, const ExplainArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  Query query = {{"type", args.type}};
  if (!args.at.empty()) query.emplace_back("at", args.at);
  GNOMON_ASSIGN_OR_RETURN(const JsonValue answer,
                          api->Get(ApiPath({"v1", "networks", session.flags().network, "policies:explain"}, query)));
  if (WantsData(session)) {
    PrintData(session, answer);
    return absl::OkStatus();
  }
  const JsonArray* const rules = Member(answer, "rules").if_array();
  if (rules == nullptr || rules->empty()) {
    session.err() << "no policy is of type " << args.type << "\n";
    return absl::OkStatus();
  }
  for (const JsonValue& line : *rules) session.out() << Cell(line, "rule") << ": " << Cell(line, "effect") << "\n";
  const JsonArray* const steps = Member(answer, "steps").if_array();
  if (steps == nullptr || steps->empty()) return absl::OkStatus();
  session.out() << "\n";
  PrintTable({{"AT", "at"}, {"COUNT", "count"}, {"RULE", "rule"}}, *steps, session.colored(), session.out());
  return absl::OkStatus();
}

}  // namespace

void AddPolicyCommands(CommandTree& tree) {
  CLI::App* policy = tree.root.add_subcommand("policy", "The policies of autoscalers: Kubernetes, KEDA, AWS");
  policy->require_subcommand(1);

  auto apply = std::make_shared<ApplyArgs>();
  CLI::App* command = policy->add_subcommand("apply", "Take policies from files as they are; the same again changes nothing");
  command->add_option("-f,--file", apply->file, "YAML or JSON, a folder of such files, or - for what is piped in")->required();
  command->add_option("--type", apply->type, "The type of instances, whatever the files say");
  command->add_flag("--dry-run", apply->dry_run, "Only say what would be");
  AddNetworkFlag(command, tree);
  OnRun(command, tree, apply, &RunApply);

  auto get = std::make_shared<PolicyGetArgs>();
  command = policy->add_subcommand("get", "List the policies, or show one with its document");
  command->add_option("name", get->name, "Only this one, as hpa.web");
  command->add_option("--type", get->type, "Only those of this type");
  AddNetworkFlag(command, tree);
  OnRun(command, tree, get, &RunPolicyGet);

  auto remove = std::make_shared<PolicyNameArgs>();
  command = policy->add_subcommand("delete", "Forget a policy");
  command->add_option("name", remove->name, "Its name, as hpa.web")->required();
  AddNetworkFlag(command, tree);
  OnRun(command, tree, remove, &RunPolicyDelete);

  auto explain = std::make_shared<ExplainArgs>();
  command = policy->add_subcommand("explain", "Say which rule sets, adds or caps what, and the steps of the next 24 hours");
  command->add_option("type", explain->type, "The type of instances")->required();
  command->add_option("--at", explain->at, "A time, as 2026-03-02T08:00:00Z; now if it is left out");
  AddNetworkFlag(command, tree);
  OnRun(command, tree, explain, &RunExplain);
}

}  // namespace gnomon
