// SPDX-License-Identifier: Apache-2.0
//
// gnomon get quality: how a network's types were served, how its forecasts came true, and what static pools would have
// cost.
#include "absl/strings/str_format.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/render.h"

namespace gnomon {
namespace {

constexpr const char* kPage = "1000";  // the most types that a network has

struct QualityArgs {
  std::string type;
};

// The number at a JSON pointer, "-" if it is not there.
std::string Number(const JsonValue& quality, const char* pointer, const absl::ParsedFormat<'f'>& format,
                   double scale = 1) {
  boost::json::error_code error;
  const JsonValue* found = quality.find_pointer(pointer, error);
  return found == nullptr || !found->is_number() ? "-" : absl::StrFormat(format, scale * found->to_number<double>());
}

JsonObject RowOf(const JsonValue& quality) {
  static const absl::ParsedFormat<'f'> kWhole("%.0f"), kTwo("%.2f"), kPercent("%.2f %%");
  const std::string type = TextMember(quality, "type");
  auto percent = [&](const char* pointer) { return Number(quality, pointer, kPercent, 100); };
  return {{"type", type.empty() ? "(all)" : type},
          {"creations", Number(quality, "/total/creations", kWhole)},
          {"hits", percent("/total/hit_rate")},
          {"day", percent("/last_day/hit_rate")},
          {"hour", percent("/last_hour/hit_rate")},
          {"idle", Number(quality, "/total/idle_minutes_per_creation", kTwo)},
          {"static_size", Number(quality, "/static_pool/size", kWhole)},
          {"static_idle", Number(quality, "/static_pool/idle_minutes_per_creation", kTwo)},
          {"outcomes", Number(quality, "/forecasts/1800/outcomes", kWhole)},
          {"p50", percent("/forecasts/1800/coverage/p50")},
          {"p99", percent("/forecasts/1800/coverage/p99")},
          {"naive", Number(quality, "/forecasts/1800/pinball_ratio/p50", kTwo)},
          {"missing", TextMember(quality, "missing")}};
}

absl::Status RunQuality(Session& session, const QualityArgs& args) {
  static const std::vector<Column> kColumns = {{"TYPE", "type"},
                                               {"CREATIONS", "creations"},
                                               {"HITS", "hits"},
                                               {"LAST DAY", "day"},
                                               {"LAST HOUR", "hour"},
                                               {"IDLE MIN A CREATION", "idle"},
                                               {"STATIC SIZE", "static_size"},
                                               {"ITS IDLE MIN", "static_idle"},
                                               {"30M OUTCOMES", "outcomes"},
                                               {"WITHIN P50", "p50"},
                                               {"WITHIN P99", "p99"},
                                               {"P50 TO NAIVE", "naive"},
                                               {"MISSING", "missing"}};
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  Query query = {{"page_size", kPage}};
  if (!args.type.empty()) query.emplace_back("type", args.type);
  GNOMON_ASSIGN_OR_RETURN(JsonValue page,
                          api->Get(ApiPath({"v1", "networks", session.flags().network, "quality"}, query)));
  if (WantsData(session)) {
    JsonObject data;
    for (const char* member : {"network", "quality"}) data[member] = Member(page, member);
    PrintData(session, std::move(data));
    return absl::OkStatus();
  }
  JsonArray rows;
  const JsonValue& types = Member(page, "quality");
  if (types.is_array()) {
    for (const JsonValue& one : types.as_array()) rows.push_back(RowOf(one));
  }
  if (session.flags().output == "name") {
    for (const JsonValue& row : rows) session.out() << TextMember(row, "type") << "\n";
    return absl::OkStatus();
  }
  if (args.type.empty()) rows.push_back(RowOf(Member(page, "network")));
  PrintTable(kColumns, rows, session.colored(), session.out());
  return absl::OkStatus();
}

}  // namespace

void AddQualityCommand(CommandTree& tree) {
  auto args = std::make_shared<QualityArgs>();
  CLI::App* command = tree.root.get_subcommand("get")->add_subcommand(
      "quality", "Tell how types were served, how forecasts came true, and what static pools would have cost");
  AddNetworkFlag(command, tree);
  command->add_option("--type", args->type, "Only of this type");
  OnRun(command, tree, args, &RunQuality);
}

}  // namespace gnomon
