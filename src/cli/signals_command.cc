// SPDX-License-Identifier: Apache-2.0
//
// gnomon signals: where telemetry comes from, what it feeds, and what is wrong with it.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/render.h"

namespace gnomon {
namespace {

struct SignalsArgs {
  int points = 0;
};

JsonObject SourceRow(const JsonValue& source) {
  JsonObject row = source.as_object();
  std::string names;
  const JsonValue& unbound = Member(source, "unbound_names");
  constexpr size_t kShown = 5;
  if (unbound.is_array()) {
    for (size_t i = 0; i < unbound.as_array().size() && i <= kShown; ++i) {
      const auto& name = unbound.as_array()[i].as_string();
      absl::StrAppend(&names, i == 0 ? "" : ",", i == kShown ? "..." : std::string(name.data(), name.size()));
    }
  }
  row["unbound_names"] = names;
  return row;
}

JsonObject RuleRow(const JsonValue& rule) {
  JsonObject row = rule.as_object();
  const JsonValue& lag = Member(rule, "lag_seconds");
  row["lag_seconds"] = lag.is_number() ? absl::StrFormat("%.0f s", lag.to_number<double>()) : "-";
  const std::string of = TextMember(rule, "of");
  row["as"] = of.empty() ? TextMember(rule, "as") : absl::StrCat(TextMember(rule, "as"), " (", of, ")");
  return row;
}

absl::Status RunSignals(Session& session, const SignalsArgs& args) {
  static const std::vector<Column> kSources = {{"SOURCE", "name"},       {"LAST SAMPLE", "last_sample"},
                                               {"SAMPLES", "samples"},   {"BOUND", "bound"},
                                               {"UNBOUND", "unbound"},   {"ERRORS", "errors"},
                                               {"LAST ERROR", "last_error"}, {"NAMES THAT FEED NO RULE", "unbound_names"}};
  static const std::vector<Column> kRules = {{"NETWORK", "network"}, {"TYPE", "type"},         {"AS", "as"},
                                             {"FROM", "source|match"}, {"SERIES", "series"},   {"VALUE", "value"},
                                             {"LAG", "lag_seconds"}, {"LAST ERROR", "last_error"}};
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  Query query;
  if (args.points > 0) query.emplace_back("points", absl::StrCat(args.points));
  GNOMON_ASSIGN_OR_RETURN(JsonValue page, api->Get(ApiPath({"v1", "signals"}, query)));
  if (WantsData(session)) {
    PrintData(session, page);
    return absl::OkStatus();
  }
  const JsonValue &sources = Member(page, "sources"), &rules = Member(page, "rules");
  if (!sources.is_array() || !rules.is_array()) {
    return Error(absl::StatusCode::kInternal, "BAD_ANSWER", "the server's answer has no sources and rules");
  }
  if (session.flags().output == "name") {
    for (const JsonValue& source : sources.as_array()) session.out() << TextMember(source, "name") << "\n";
    return absl::OkStatus();
  }
  if (sources.as_array().empty()) session.out() << "no sources: nothing was pushed, and nothing is polled\n";
  JsonArray rows;
  for (const JsonValue& source : sources.as_array()) rows.push_back(SourceRow(source));
  if (!rows.empty()) PrintTable(kSources, rows, session.colored(), session.out());
  rows.clear();
  for (const JsonValue& rule : rules.as_array()) rows.push_back(RuleRow(rule));
  session.out() << "\n";
  if (rows.empty()) session.out() << "no rules: bind metrics by [[signals.metric]] in the server's configuration\n";
  if (!rows.empty()) PrintTable(kRules, rows, session.colored(), session.out());
  return absl::OkStatus();
}

}  // namespace

void AddSignalsCommand(CommandTree& tree) {
  auto args = std::make_shared<SignalsArgs>();
  CLI::App* command = tree.root.add_subcommand("signals", "Tell where telemetry comes from, what it feeds, and what is wrong with it");
  command->add_option("--points", args->points, "Also the values of so many steps, with -o json")->check(CLI::Range(0, 1000));
  OnRun(command, tree, args, &RunSignals);
}

}  // namespace gnomon
