// SPDX-License-Identifier: Apache-2.0
#include "cli/judged_trace.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/duration_flag.h"

namespace gnomon {
namespace {

constexpr size_t kNamedTypes = 10;  // in a hint
constexpr double kQuietEndS = 3600;  // after a trace's last row, that asks for no word

Error NothingToJudge(std::string_view field, std::string_view value, const std::string& why) {
  return Error(absl::StatusCode::kInvalidArgument, "NOTHING_TO_JUDGE", why).Field(field).Value(Excerpt(value));
}

// Of the whole trace, as "83h20m8s".
std::string TimeOf(double time_s, const TraceWindow& window) {
  return absl::FormatDuration(absl::Seconds(std::floor(time_s)) + window.from);
}

// Leaves those of `types` alone.
absl::Status KeepTypes(const std::vector<std::string>& types, std::vector<TraceRow>* rows) {
  if (types.empty()) return absl::OkStatus();
  std::set<std::string> known;
  for (const TraceRow& row : *rows) known.insert(row.type);
  for (const std::string& type : types) {
    if (known.contains(type)) continue;
    std::string names;
    size_t named = 0;
    for (const std::string& name : known) {
      if (++named <= kNamedTypes) absl::StrAppend(&names, names.empty() ? "" : ", ", Excerpt(name));
    }
    return NothingToJudge("types", type, absl::StrCat("the trace has no type \"", Excerpt(type), "\""))
        .Hint(absl::StrCat("it has ", Counted(known.size(), "type", "types"), ": ", names,
                           named > kNamedTypes ? " and others" : ""));
  }
  std::erase_if(*rows, [&](const TraceRow& row) { return std::find(types.begin(), types.end(), row.type) == types.end(); });
  return absl::OkStatus();
}

// The creations from the warm-up's end on of the type that has most.
int64_t MostJudged(const JudgedTrace& trace) {
  std::map<std::string_view, int64_t> creations;
  int64_t most = 0;
  for (const TraceRow& row : trace.rows) {
    if (absl::ToDoubleSeconds(row.time) < trace.warmup_s) continue;
    most = std::max(most, creations[row.type] += row.count);
  }
  return most;
}

}  // namespace

void AddTraceFlags(CLI::App* command, TraceFlags* flags) {
  command->add_option("--trace", flags->trace, "CSV or CSV.gz; columns: time, type, count, batch, lifetime")->required();
  command->add_option("--warmup", flags->warmup, "Learn so long from --from on, judge after")->capture_default_str();
  command->add_option("--from", flags->from, "Start at this time of the trace, as 36h");
  command->add_option("--to", flags->to, "End at this time of the trace, as 7d");
  command->add_option("--types", flags->types, "Of these types alone, as web,db")->delimiter(',');
  command->add_option("--min-creations", flags->min_creations, "Of a type in the judged part, to be judged")
      ->check(CLI::Range(int64_t{1}, int64_t{10'000'000}))
      ->capture_default_str();
}

absl::StatusOr<JudgedTrace> ReadJudgedTrace(const TraceFlags& flags) {
  JudgedTrace trace{.min_creations = flags.min_creations};
  TraceWindow window;
  GNOMON_ASSIGN_OR_RETURN(const absl::Duration warmup, DurationFlag("warmup", flags.warmup));
  trace.warmup_s = absl::ToDoubleSeconds(warmup);
  if (!flags.from.empty()) {
    GNOMON_ASSIGN_OR_RETURN(window.from, DurationFlag("from", flags.from));
  }
  if (!flags.to.empty()) {
    GNOMON_ASSIGN_OR_RETURN(window.to, DurationFlag("to", flags.to, window.from));
  }
  GNOMON_ASSIGN_OR_RETURN(trace.rows, ReadTrace(flags.trace, window));
  GNOMON_RETURN_IF_ERROR(KeepTypes(flags.types, &trace.rows));
  for (TraceRow& row : trace.rows) row.time -= window.from;
  if (!trace.rows.empty()) trace.end_s = absl::ToDoubleSeconds(trace.rows.back().time) + 1;
  if (window.to < absl::InfiniteDuration()) {
    const double to_s = absl::ToDoubleSeconds(window.to - window.from);
    if (to_s > trace.end_s + kQuietEndS) {
      trace.note = absl::StrCat("note: the trace ends at ", TimeOf(trace.end_s, window), ", and nothing comes from there to --to ",
                                Excerpt(flags.to), "; what is held then is counted\n");
    }
    trace.end_s = to_s;
  }
  if (const int64_t most = MostJudged(trace); most < flags.min_creations) {
    return NothingToJudge("warmup", flags.warmup,
                          absl::StrCat("no type has ", flags.min_creations, " creations after the warm-up of ",
                                       Excerpt(flags.warmup), "; the one with most has ", most))
        .Hint(absl::StrCat("the trace ends at ", TimeOf(trace.end_s, window),
                           ", and the warm-up begins at --from: use a shorter --warmup or fewer --min-creations"));
  }
  return trace;
}

}  // namespace gnomon
