// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/doctor.h"
#include "cli/render.h"

namespace gnomon {
namespace {

struct NoArgs {};

struct CompletionArgs {
  std::string shell;
  const CLI::App* root;
};

struct VersionArgs {
  bool client_only = false;
};

void PrintFindings(Session& session, const std::vector<Finding>& findings) {
  constexpr std::string_view kColors[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m"};
  bool colored = session.colored();
  for (const Finding& finding : findings) {
    session.out() << (colored ? kColors[static_cast<int>(finding.health)] : "") << "[" << HealthName(finding.health)
                  << "]" << (colored ? "\x1b[0m" : "") << " " << finding.check << ": " << finding.detail << "\n";
    if (!finding.fix.empty()) session.out() << "     fix: " << finding.fix << "\n";
  }
}

absl::Status RunDoctor(Session& session, const NoArgs&) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  std::vector<Finding> findings = Examine(*api, GNOMON_VERSION, session.console().clock.Wall());
  if (WantsData(session)) {
    JsonArray checks;
    for (const Finding& finding : findings) {
      checks.push_back(JsonObject{{"check", finding.check},
                                  {"result", std::string(HealthName(finding.health))},
                                  {"detail", finding.detail},
                                  {"fix", finding.fix}});
    }
    PrintData(session, JsonObject{{"checks", std::move(checks)}});
  } else {
    PrintFindings(session, findings);
  }
  int64_t failed = std::count_if(findings.begin(), findings.end(),
                                 [](const Finding& finding) { return finding.health == Health::kFail; });
  if (failed == 0) return absl::OkStatus();
  bool unreachable = findings[0].health == Health::kFail;
  return Error(unreachable ? absl::StatusCode::kUnavailable : absl::StatusCode::kUnknown, "UNHEALTHY",
               absl::StrCat(failed, " of ", findings.size(), " checks failed"))
      .Hint("mend what is marked [fail], then run the doctor again");
}

absl::Status RunResumeExpiry(Session& session, const NoArgs&) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_RETURN_IF_ERROR(api->Call("POST", "/v1/expiry:resume", JsonObject()).status());
  session.err() << "expiry goes on\n";
  return absl::OkStatus();
}

absl::Status RunCompletion(Session& session, const CompletionArgs& args) {
  session.out() << CompletionScript(*args.root, args.shell);
  return absl::OkStatus();
}

absl::Status RunVersion(Session& session, const VersionArgs& args) {
  JsonObject versions = {{"client", GNOMON_VERSION}};
  if (!args.client_only) {
    GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
    absl::StatusOr<JsonValue> answer = api->Get("/version");
    if (answer.ok()) {
      versions["server"] = TextMember(*answer, "version");
    } else {
      session.err() << "the server's version is unknown: " << std::string(answer.status().message()) << "\n";
    }
  }
  if (WantsData(session)) {
    PrintData(session, versions);
  } else {
    session.out() << "gnomon " << GNOMON_VERSION << "\n";
    if (versions.contains("server")) session.out() << "gnomond " << TextMember(versions, "server") << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

void AddSystemCommands(CommandTree& tree) {
  CLI::App* doctor = tree.root.add_subcommand("doctor", "Find out what is wrong, and how to mend it");
  OnRun(doctor, tree, std::make_shared<NoArgs>(), &RunDoctor);

  CLI::App* resume = tree.root.add_subcommand("resume-expiry", "Let deadlines pass again after the clock was set right");
  OnRun(resume, tree, std::make_shared<NoArgs>(), &RunResumeExpiry);

  auto completion_args = std::make_shared<CompletionArgs>();
  completion_args->root = &tree.root;
  CLI::App* completion = tree.root.add_subcommand("completion", "Print the completion script of a shell");
  completion->add_option("shell", completion_args->shell, "For this shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  OnRun(completion, tree, completion_args, &RunCompletion);

  auto version_args = std::make_shared<VersionArgs>();
  CLI::App* version = tree.root.add_subcommand("version", "Print the versions of client and server");
  version->add_flag("--client", version_args->client_only, "Do not ask the server");
  OnRun(version, tree, version_args, &RunVersion);
}

}  // namespace gnomon
