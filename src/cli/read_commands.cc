// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "boost/json/serialize.hpp"
#include "cli/commands.h"
#include "cli/kind.h"
#include "cli/render.h"

namespace gnomon {
namespace {

struct GetArgs {
  const Kind* kind;
  std::string name;
  std::map<std::string, std::string> filters = {};  // by the argument's name
  int64_t limit = 0;
};

struct DescribeArgs {
  const Kind* kind;
  std::string name;
};

struct WatchArgs {
  std::string revision;
};

absl::Status RunGet(Session& session, const GetArgs& args) {
  const std::string& network = session.flags().network;
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  if (!args.name.empty()) {
    GNOMON_ASSIGN_OR_RETURN(JsonValue object, api->Get(ApiPath(KindSegments(*args.kind, network, args.name))));
    PrintObject(session, args.kind->singular, object);
    return absl::OkStatus();
  }
  JsonArray rows;
  const Query query(args.filters.begin(), args.filters.end());
  GNOMON_RETURN_IF_ERROR(api->List(KindSegments(*args.kind, network), args.kind->plural, query, static_cast<size_t>(args.limit),
                                   [&](JsonValue item) {
                                     rows.push_back(std::move(item));
                                     return absl::OkStatus();
                                   })
                             .status());
  PrintList(session, *args.kind, std::move(rows));
  return absl::OkStatus();
}

absl::Status RunDescribe(Session& session, const DescribeArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_ASSIGN_OR_RETURN(JsonValue object,
                          api->Get(ApiPath(KindSegments(*args.kind, session.flags().network, args.name))));
  if (session.flags().output == "table") {
    PrintDescription(object, session.out());
  } else {
    PrintObject(session, args.kind->singular, object);
  }
  return absl::OkStatus();
}

absl::Status PrintEvent(Session& session, const JsonObject& event) {
  const std::string& form = session.flags().output;
  if (form == "json") {
    session.out() << boost::json::serialize(event) << "\n";
  } else if (form == "yaml") {
    session.out() << "---\n";
    PrintYaml(event, session.out());
  } else {
    std::string type = TextMember(event, "type");
    if (type == "heartbeat") return absl::OkStatus();
    const JsonValue& object = Member(event, "object");
    session.out() << type << " " << TextMember(event, "kind") << " " << Cell(object, "address|name");
    if (form == "table") {
      session.out() << " " << Cell(object, "state|prefix") << " " << Cell(object, "instance") << " "
                    << TextMember(event, "revision");
    }
    session.out() << "\n";
  }
  return FlushOutput(session.out());
}

absl::Status RunWatch(Session& session, const WatchArgs& args) {
  const std::string& network = session.flags().network;
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  std::string revision = args.revision;
  if (revision.empty()) {  // from now on
    GNOMON_ASSIGN_OR_RETURN(revision, api->List(KindSegments(KindNamed("address"), network), "addresses", {}, 1,
                                                [](JsonValue) { return absl::OkStatus(); }));
  }
  absl::Status ended = api->Watch(network, revision, [&](const JsonObject& event) {
    std::string at = TextMember(event, "revision");
    if (!at.empty()) revision = at;
    return PrintEvent(session, event);
  });
  if (CodeOf(ended) != "WATCH_ENDED") return ended;
  return Error(absl::StatusCode::kUnavailable, "WATCH_ENDED",
               absl::StrCat("the server ended the watch at revision ", revision))
      .Hint(absl::StrCat("go on where it ended with --revision ", revision));
}

void AddGet(CommandTree& tree) {
  CLI::App* get = tree.root.add_subcommand("get", "List objects, or show one");
  get->require_subcommand(1);
  for (const Kind& kind : AllKinds()) {
    auto args = std::make_shared<GetArgs>();
    args->kind = &kind;
    CLI::App* command = get->add_subcommand(std::string(kind.plural), absl::StrCat("List the ", AbslView(kind.plural)));
    command->alias(std::string(kind.singular))->alias(std::string(kind.alias));
    if (kind.by_name) command->add_option("name", args->name, "Only this one");
    if (kind.in_network) AddNetworkFlag(command, tree);
    for (std::string_view filter : kind.filters) {
      const std::string name(filter);
      command->add_option("--" + name, args->filters[name], absl::StrCat("Only those with this ", name));
    }
    command->add_option("--limit", args->limit, "At most so many; 0 is all")->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
    OnRun(command, tree, args, &RunGet);
  }
}

}  // namespace

bool WantsData(const Session& session) {
  const std::string& form = session.flags().output;
  return form == "json" || form == "yaml";
}

void PrintData(Session& session, const JsonValue& value) {
  (session.flags().output == "json" ? PrintJson : PrintYaml)(value, session.out());
}

void PrintObject(Session& session, std::string_view singular, const JsonValue& object) {
  const Kind& kind = KindNamed(singular);
  const std::string& form = session.flags().output;
  if (form == "table") {
    PrintTable(kind.columns, {object}, session.colored(), session.out());
  } else if (form == "name") {
    session.out() << Cell(object, kind.columns[0].path) << "\n";
  } else {
    PrintData(session, object);
  }
}

void PrintList(Session& session, const Kind& kind, JsonArray rows) {
  const std::string& form = session.flags().output;
  if (form == "table") {
    if (rows.empty()) session.err() << "no " << kind.plural << (kind.if_none.empty() ? "" : ": ") << kind.if_none << "\n";
    if (!rows.empty()) PrintTable(kind.columns, rows, session.colored(), session.out());
  } else if (form == "name") {
    for (const JsonValue& row : rows) session.out() << Cell(row, kind.columns[0].path) << "\n";
  } else {
    JsonObject list;
    list[boost::json::string_view(kind.plural.data(), kind.plural.size())] = std::move(rows);
    PrintData(session, std::move(list));
  }
}

void AddReadCommands(CommandTree& tree) {
  AddGet(tree);
  CLI::App* describe = tree.root.add_subcommand("describe", "Show all that is known of one object");
  describe->require_subcommand(1);
  for (const Kind& kind : AllKinds()) {
    if (!kind.by_name) continue;
    auto args = std::make_shared<DescribeArgs>();
    args->kind = &kind;
    CLI::App* command =
        describe->add_subcommand(std::string(kind.singular), absl::StrCat("Show one ", AbslView(kind.singular)));
    command->alias(std::string(kind.plural))->alias(std::string(kind.alias));
    command->add_option("name", args->name, "Its name, id or address")->required();
    if (kind.in_network) AddNetworkFlag(command, tree);
    OnRun(command, tree, args, &RunDescribe);
  }
  auto args = std::make_shared<WatchArgs>();
  CLI::App* watch = tree.root.add_subcommand("watch", "Print the changes of a network as they happen");
  AddNetworkFlag(watch, tree);
  watch->add_option("--revision", args->revision, "Start after this revision instead of now");
  OnRun(watch, tree, args, &RunWatch);
}

}  // namespace gnomon
