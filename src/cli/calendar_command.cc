// SPDX-License-Identifier: Apache-2.0
//
// calendar apply, get, delete: events that people know will come.
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/input_text.h"
#include "cli/render.h"

namespace gnomon {
namespace {

struct CalendarArgs {
  std::string name, file;
};

const Kind& CalendarKind() {
  static const auto& kind =
      *new Kind{"calendar", "calendars", "cal", true, true, {}, {{"NAME", "name"}, {"BYTES", "bytes"}}};
  return kind;
}

std::string PathOf(const Session& session, const std::string& name) {
  return ApiPath({"v1", "networks", session.flags().network, "calendars", name});
}

// Its events and what they bring next.
void PrintCalendar(Session& session, const JsonValue& calendar) {
  if (WantsData(session)) return PrintData(session, calendar);
  const JsonArray* const events = Member(calendar, "events").if_array();
  const JsonArray* const passed_over = Member(calendar, "passed_over").if_array();
  const JsonArray* const next = Member(calendar, "next").if_array();
  for (const JsonValue& why : passed_over == nullptr ? JsonArray() : *passed_over) {
    if (why.is_string()) session.err() << "passed over: " << std::string_view(why.get_string().data(), why.get_string().size()) << "\n";
  }
  if (events != nullptr && !events->empty()) {
    PrintTable({{"EVENT", "name"}, {"TYPE", "type"}, {"START", "start"}, {"ZONE", "zone"}, {"REPEATS", "repeats"},
                {"COUNT", "count"}, {"FACTOR", "factor"}},
               *events, session.colored(), session.out());
  }
  if (next == nullptr || next->empty()) {
    session.err() << "nothing begins within seven days\n";
    return;
  }
  session.out() << "\n";
  PrintTable({{"BEGINS", "begin"}, {"ENDS", "end"}, {"EVENT", "event"}}, *next, session.colored(), session.out());
}

// JSON begins with a brace; an iCalendar file never does.
absl::Status RunCalendarApply(Session& session, const CalendarArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(const std::string text, ReadInput(args.file));
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && text[first] == '{';
  const std::string path = PathOf(session, args.name);
  GNOMON_ASSIGN_OR_RETURN(
      const ClientResponse answer,
      api->http().Send({.method = "PUT", .path = path, .body = text, .content_type = is_json ? "application/json" : "text/calendar"}));
  if (answer.status >= 400) return StatusFromProblem(answer);
  GNOMON_ASSIGN_OR_RETURN(const JsonValue calendar, api->Get(path));
  PrintCalendar(session, calendar);
  return absl::OkStatus();
}

absl::Status RunCalendarGet(Session& session, const CalendarArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  if (!args.name.empty()) {
    GNOMON_ASSIGN_OR_RETURN(const JsonValue calendar, api->Get(PathOf(session, args.name)));
    PrintCalendar(session, calendar);
    return absl::OkStatus();
  }
  JsonArray rows;
  GNOMON_RETURN_IF_ERROR(api->List({"v1", "networks", session.flags().network, "calendars"}, "calendars", {}, 0, [&](JsonValue item) {
                              rows.push_back(std::move(item));
                              return absl::OkStatus();
                            }).status());
  PrintList(session, CalendarKind(), std::move(rows));
  return absl::OkStatus();
}

absl::Status RunCalendarDelete(Session& session, const CalendarArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_RETURN_IF_ERROR(api->Delete(PathOf(session, args.name)).status());
  session.err() << "calendar " << args.name << " deleted\n";
  return absl::OkStatus();
}

}  // namespace

void AddCalendarCommands(CommandTree& tree) {
  CLI::App* calendar = tree.root.add_subcommand("calendar", "Events that you know will come, with what they bring");
  calendar->require_subcommand(1);

  auto apply = std::make_shared<CalendarArgs>();
  CLI::App* command = calendar->add_subcommand("apply", "Keep a calendar, in place of the one of that name");
  command->add_option("name", apply->name, "Its name")->required();
  command->add_option("-f,--file", apply->file, "An iCalendar file (X-GNOMON-TYPE, X-GNOMON-COUNT), JSON, or - for what is piped in")
      ->required();
  AddNetworkFlag(command, tree);
  OnRun(command, tree, apply, &RunCalendarApply);

  auto get = std::make_shared<CalendarArgs>();
  command = calendar->add_subcommand("get", "List the calendars, or show one and what it brings next");
  command->add_option("name", get->name, "Only this one");
  AddNetworkFlag(command, tree);
  OnRun(command, tree, get, &RunCalendarGet);

  auto remove = std::make_shared<CalendarArgs>();
  command = calendar->add_subcommand("delete", "Forget a calendar");
  command->add_option("name", remove->name, "Its name")->required();
  AddNetworkFlag(command, tree);
  OnRun(command, tree, remove, &RunCalendarDelete);
}

}  // namespace gnomon
