// SPDX-License-Identifier: Apache-2.0
//
// What the prediction engine is told: announcements, and the past.
#include <map>

#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/render.h"
#include "client/csv.h"

namespace gnomon {
namespace {

struct AnnounceArgs {
  std::string type, at, source, id;
  int64_t count = 0;
};

struct CancelArgs {
  std::string source, id;
};

struct HistoryArgs {
  std::string file, start;
};

absl::Status RunAnnounce(Session& session, const AnnounceArgs& args) {
  JsonObject body = {{"type", args.type}, {"count", args.count}};
  if (!args.at.empty()) body["at"] = args.at;
  if (!args.source.empty()) body["source"] = args.source;
  if (!args.id.empty()) body["id"] = args.id;
  return Put(session, "POST", ApiPath({"v1", "networks", session.flags().network, "announcements"}), body,
             "announcement");
}

absl::Status RunCancel(Session& session, const CancelArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_RETURN_IF_ERROR(
      api->Delete(ApiPath({"v1", "networks", session.flags().network, "announcements", args.source, args.id})).status());
  session.err() << "announcement " << args.id << " of " << args.source << " cancelled\n";
  return absl::OkStatus();
}

// The limits of one call.
constexpr size_t kMaxRows = 1000;
constexpr absl::Duration kMaxSpan = absl::Hours(24);

// What is sent in one call: creations of one second and type are one row.
class HistoryCall {
 public:
  bool Takes(absl::Time at) const {
    return rows_.empty() || (at - rows_.begin()->first.first <= kMaxSpan && rows_.size() < kMaxRows);
  }
  void Add(absl::Time at, const std::string& type, int64_t count) { rows_[{at, type}] += count; }
  bool empty() const { return rows_.empty(); }

  // Its id comes from what is in it, so that the same file again changes nothing.
  JsonObject Take() {
    JsonArray creations;
    uint32_t crc = 0;
    for (const auto& [key, count] : rows_) {
      const std::string at = absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", key.first, absl::UTCTimeZone());
      crc = Crc32(crc, absl::StrCat(at, " ", key.second, " ", count, "\n"));
      creations.push_back(JsonObject{{"type", key.second}, {"at", at}, {"count", count}});
    }
    const std::string id = absl::StrCat("import-", absl::ToUnixSeconds(rows_.begin()->first.first), "-", absl::Hex(crc));
    rows_.clear();
    return {{"id", id}, {"creations", std::move(creations)}};
  }

 private:
  std::map<std::pair<absl::Time, std::string>, int64_t> rows_;
};

absl::StatusOr<absl::Time> TimeOf(const CsvReader& csv, std::optional<absl::Time> start) {
  const std::string text(csv.Field("time"));
  double seconds = 0;
  absl::Time time;
  std::string ignored;
  if (start && absl::SimpleAtod(text, &seconds) && seconds >= 0 && seconds < 1e10) {
    time = *start + absl::Seconds(seconds);
  } else if (start || !absl::ParseTime(absl::RFC3339_full, text, &time, &ignored)) {
    return csv.Bad("time", start ? "is no number of seconds" : "is no time as 2026-11-24T09:00:00Z; --start reads seconds");
  }
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time));
}

// Calls `row` for each row, in the order of time; the first bad one ends it, by its line and column.
absl::Status ReadPast(const std::string& file, std::optional<absl::Time> start, absl::Time now,
                      absl::FunctionRef<absl::Status(absl::Time at, std::string_view type, int64_t count)> row) {
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<CsvReader> csv, CsvReader::Open(file, {"time", "type"}));
  absl::Time last = absl::InfinitePast();
  for (;;) {
    GNOMON_ASSIGN_OR_RETURN(const bool more, csv->Next());
    if (!more) return absl::OkStatus();
    GNOMON_ASSIGN_OR_RETURN(const absl::Time at, TimeOf(*csv, start));
    if (at < last) return csv->Bad("time", "is before the row that precedes it");
    if (at > now) return csv->Bad("time", start ? "is in the future: give an earlier --start" : "is in the future");
    last = at;
    int64_t count = 1;
    const std::string_view text = csv->Field("count");
    if (!text.empty() && (!absl::SimpleAtoi(AbslView(text), &count) || count < 1)) {
      return csv->Bad("count", "is no number from 1 on");
    }
    if (csv->Field("type").empty()) return csv->Bad("type", "is empty");
    GNOMON_RETURN_IF_ERROR(row(at, csv->Field("type"), count));
  }
}

absl::Status RunImportHistory(Session& session, const HistoryArgs& args) {
  std::optional<absl::Time> start;
  if (!args.start.empty()) {
    std::string ignored;
    if (!absl::ParseTime(absl::RFC3339_full, args.start, &start.emplace(), &ignored)) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_TIME", absl::StrCat("\"", Excerpt(args.start), "\" is no time"))
          .Field("start")
          .Value(args.start)
          .Hint("use one as 2026-11-24T09:00:00Z");
    }
  }
  GNOMON_RETURN_IF_ERROR(ReadPast(args.file, start, session.console().clock.Wall(),
                                  [](absl::Time, std::string_view, int64_t) { return absl::OkStatus(); }));
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  const std::string path = ApiPath({"v1", "networks", session.flags().network, "history"});
  HistoryCall call;
  int64_t creations = 0, calls = 0;
  auto send = [&]() -> absl::Status {
    if (call.empty()) return absl::OkStatus();
    GNOMON_ASSIGN_OR_RETURN(JsonValue answer, api->Call("POST", path, call.Take()));
    const JsonValue& learnt = Member(answer, "creations");
    if (learnt.is_int64()) creations += learnt.get_int64();
    ++calls;
    return absl::OkStatus();
  };
  auto add = [&](absl::Time at, std::string_view type, int64_t count) -> absl::Status {
    if (!call.Takes(at)) GNOMON_RETURN_IF_ERROR(send());
    call.Add(at, std::string(type), count);
    return absl::OkStatus();
  };
  absl::Status sent = ReadPast(args.file, start, session.console().clock.Wall(), add);
  if (sent.ok()) sent = send();
  if (!sent.ok()) {
    if (calls > 0) session.err() << creations << " creations are learnt already; the same file again goes on from there\n";
    return sent;
  }
  session.err() << "learnt from " << creations << " creations in " << calls << " calls\n";
  return absl::OkStatus();
}

}  // namespace

void AddEngineCommands(CommandTree& tree) {
  auto announce = std::make_shared<AnnounceArgs>();
  CLI::App* command = tree.root.add_subcommand("announce", "Tell that so many instances of a type are coming");
  command->add_option("type", announce->type, "Their type")->required();
  command->add_option("count", announce->count, "How many")->required();
  AddNetworkFlag(command, tree);
  command->add_option("--at", announce->at, "When the first comes, as 2026-11-24T09:00:00Z; now if it is left out");
  command->add_option("--source", announce->source, "Who announces it; of several the largest counts");
  command->add_option("--id", announce->id, "The same one again changes nothing");
  OnRun(command, tree, announce, &RunAnnounce);

  auto cancel = std::make_shared<CancelArgs>();
  command = tree.root.get_subcommand("delete")->add_subcommand("announcement", "Expect the rest of it no more");
  command->alias("announcements")->alias("ann");
  command->add_option("source", cancel->source, "Who announced it")->required();
  command->add_option("id", cancel->id, "Its id")->required();
  AddNetworkFlag(command, tree);
  OnRun(command, tree, cancel, &RunCancel);

  auto history = std::make_shared<HistoryArgs>();
  command = tree.root.add_subcommand("import-history", "Let the engine learn from past creations, before it is switched on");
  command->add_option("file", history->file, "CSV or CSV.gz with columns time, type and maybe count")->required();
  AddNetworkFlag(command, tree);
  command->add_option("--start", history->start, "When time is in seconds: since when, as 2026-11-01T00:00:00Z");
  OnRun(command, tree, history, &RunImportHistory);
}

}  // namespace gnomon
