// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/ready_hits.h"
#include "cli/render.h"
#include "cli/replay.h"

namespace gnomon {
namespace {

constexpr std::string_view kIdleCounter = "gnomon_idle_shadow_seconds_total";
constexpr absl::Duration kBarInterval = absl::Milliseconds(200);
constexpr absl::Duration kLineInterval = absl::Seconds(10);

struct ReplayArgs {
  std::string trace, speed = "1x", from, to, id_prefix, lead;
  std::optional<int64_t> warm_target;
  int connections = 32;
};

absl::StatusOr<double> ParseSpeed(std::string_view text) {
  std::string_view number = text;
  if (number.ends_with('x')) number.remove_suffix(1);
  double speed = 0;
  if (absl::SimpleAtod(AbslView(number), &speed) && speed > 0 && speed <= 1e6) return speed;
  return Error(absl::StatusCode::kInvalidArgument, "BAD_SPEED",
               absl::StrCat("speed ", Excerpt(text), " is out of range"))
      .Field("speed")
      .Value(Excerpt(text))
      .Hint("use 1x for the trace's own pace, 600x for ten minutes a second");
}

absl::StatusOr<ReplayOptions> OptionsOf(Session& session, const ReplayArgs& args) {
  ReplayOptions options;
  GNOMON_ASSIGN_OR_RETURN(options.speed, ParseSpeed(args.speed));
  if (!args.from.empty()) {
    GNOMON_ASSIGN_OR_RETURN(options.window.from, ParseDuration("from", args.from));
  }
  if (!args.to.empty()) {
    GNOMON_ASSIGN_OR_RETURN(options.window.to, ParseDuration("to", args.to));
  }
  GNOMON_ASSIGN_OR_RETURN(options.client, session.ClientOptions());
  options.network = session.flags().network;
  options.connections = args.connections;
  options.id_prefix = args.id_prefix;
  if (options.id_prefix.empty()) {  // ids of an earlier run would be answered again instead of created
    options.id_prefix = absl::StrCat("replay-", absl::Hex(absl::ToUnixMillis(session.console().clock.Wall())));
  }
  return options;
}

std::string Milliseconds(absl::Duration time) { return absl::StrFormat("%.2f ms", absl::ToDoubleMilliseconds(time)); }

void PrintProgress(Session& session, const Replay& replay, int64_t hits) {
  int64_t done = replay.creations_done(), due = std::max<int64_t>(replay.creations_due(), 1);
  double hit_percent = done == 0 ? 0 : 100.0 * hits / done;
  if (!session.console().err_is_terminal) {
    session.err() << absl::StrFormat("%d of %d creations, %.1f %% hits\n", done, due, hit_percent);
    return;
  }
  const double share = static_cast<double>(done) / static_cast<double>(due);
  session.err() << absl::StrFormat("\r%s %3d %%  %d of %d creations, %.1f %% hits ", Bar(share), 100 * done / due, done,
                                   due, hit_percent);
  session.err().flush();
}

JsonObject LatencyJson(const Percentiles& latency) {
  return {{"p50_ms", absl::ToDoubleMilliseconds(latency.p50)},
          {"p99_ms", absl::ToDoubleMilliseconds(latency.p99)},
          {"p999_ms", absl::ToDoubleMilliseconds(latency.p999)}};
}

JsonObject CountsJson(const std::map<std::string, int64_t>& counts) {
  JsonObject object;
  for (const auto& [code, count] : counts) object[code] = count;
  return object;
}

// What the server and its watch know beyond the replay's own answers.
struct Around {
  std::optional<double> idle_minutes;
  std::optional<int64_t> ready;  // hits; those of the report, without a lead
};

double HitRate(const ReplayReport& report, const Around& around) {
  return report.creations == 0
             ? 0
             : static_cast<double>(around.ready.value_or(report.hits)) / static_cast<double>(report.creations);
}

JsonObject ReportJson(const ReplayReport& report, const Around& around) {
  JsonObject json = {{"creations", report.creations},
                     {"hits", around.ready.value_or(report.hits)},
                     {"early_hits", around.ready ? report.hits - *around.ready : 0},
                     {"misses", report.misses},
                     {"hit_rate", HitRate(report, around)},
                     {"creation_failures", CountsJson(report.creation_failures)},
                     {"releases", report.releases},
                     {"release_failures", CountsJson(report.release_failures)},
                     {"left", report.left},
                     {"hit_latency", LatencyJson(report.hit_latency)},
                     {"miss_latency", LatencyJson(report.miss_latency)},
                     {"idle_address_minutes", nullptr},
                     {"lag",
                      {{"p99_ms", absl::ToDoubleMilliseconds(report.lag.p99)},
                       {"max_ms", absl::ToDoubleMilliseconds(report.lag.max)}}},
                     {"took_seconds", absl::ToDoubleSeconds(report.took)}};
  if (around.idle_minutes) json["idle_address_minutes"] = *around.idle_minutes;
  return json;
}

std::string FailureText(const std::map<std::string, int64_t>& failures) {
  int64_t sum = 0;
  std::string codes;
  for (const auto& [code, count] : failures) {
    sum += count;
    absl::StrAppend(&codes, codes.empty() ? " (" : ", ", code, " ", count);
  }
  return absl::StrCat(sum, codes, codes.empty() ? "" : ")");
}

std::string LatencyText(const Percentiles& latency, int64_t count) {
  if (count == 0) return "-";
  return absl::StrCat("p50 ", Milliseconds(latency.p50), ", p99 ", Milliseconds(latency.p99), ", p99.9 ",
                      Milliseconds(latency.p999));
}

void PrintReport(const ReplayReport& report, const Around& around, std::ostream& out) {
  const std::pair<std::string_view, std::string> lines[] = {
      {"creations", absl::StrCat(report.creations)},
      {"hits", absl::StrCat(around.ready.value_or(report.hits))},
      {"shadow not ready", around.ready ? absl::StrCat(report.hits - *around.ready) : "-"},
      {"misses", absl::StrCat(report.misses)},
      {"failed creations", FailureText(report.creation_failures)},
      {"hit rate", absl::StrFormat("%.2f %%", 100 * HitRate(report, around))},
      {"latency of hits", LatencyText(report.hit_latency, report.hits)},
      {"latency of misses", LatencyText(report.miss_latency, report.misses)},
      {"releases", absl::StrCat(report.releases)},
      {"failed releases", FailureText(report.release_failures)},
      {"left assigned", absl::StrCat(report.left)},
      {"idle address-minutes", around.idle_minutes ? absl::StrFormat("%.1f", *around.idle_minutes) : "unknown"},
      {"behind schedule", absl::StrCat("p99 ", Milliseconds(report.lag.p99), ", max ", Milliseconds(report.lag.max))},
      {"took", absl::StrFormat("%.1f s", absl::ToDoubleSeconds(report.took))}};
  for (const auto& [name, value] : lines) out << absl::StrFormat("%-22s%s\n", std::string(name), value);
}

std::optional<double> IdleSeconds(ApiClient& api, const std::string& network) {
  absl::StatusOr<std::string> metrics = api.GetText("/metrics");
  if (!metrics.ok()) return std::nullopt;
  return SumOfCounter(*metrics, std::string(kIdleCounter), network);
}

absl::Status RunReplay(Session& session, const ReplayArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ReplayOptions options, OptionsOf(session, args));
  GNOMON_ASSIGN_OR_RETURN(std::vector<TraceRow> rows, ReadTrace(args.trace, options.window));
  if (rows.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_TIME", "the trace has no row between --from and --to")
        .Field("from")
        .Value(Excerpt(args.from))
        .Hint("both are times of the trace, --from the earlier");
  }
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  std::string network_path = ApiPath({"v1", "networks", options.network});
  GNOMON_RETURN_IF_ERROR(api->Get(network_path).status());
  if (args.warm_target) {
    GNOMON_RETURN_IF_ERROR(api->Call("PATCH", network_path, JsonObject{{"warm_target", *args.warm_target}}).status());
  }
  std::unique_ptr<ReadyHits> ready;
  if (!args.lead.empty()) {
    GNOMON_ASSIGN_OR_RETURN(const absl::Duration lead, ParseDuration("lead", args.lead));
    ready = std::make_unique<ReadyHits>(options.client, options.network, lead);
    GNOMON_RETURN_IF_ERROR(ready->Start());
  }
  std::optional<double> idle_before = IdleSeconds(*api, options.network);
  const std::string network = options.network;
  Replay replay(std::move(options), std::move(rows), session.console().clock);
  bool bar = session.console().err_is_terminal;
  ReplayReport report = replay.Run(bar ? kBarInterval : kLineInterval, [&] {
    PrintProgress(session, replay, ready == nullptr ? replay.hits_done() : ready->count());
  });
  if (bar) session.err() << "\n";
  Around around;
  around.idle_minutes = IdleSeconds(*api, network);
  if (around.idle_minutes && idle_before) *around.idle_minutes = (*around.idle_minutes - *idle_before) / 60;
  if (!idle_before) around.idle_minutes.reset();
  if (ready != nullptr) {
    GNOMON_ASSIGN_OR_RETURN(around.ready, ready->CountOf(report.hits));
  }
  if (WantsData(session)) {
    PrintData(session, ReportJson(report, around));
  } else {
    PrintReport(report, around, session.out());
  }
  if (report.creations == 0 || report.hits + report.misses > 0) return absl::OkStatus();
  return Error(
      absl::StatusCode::kUnavailable, "REPLAY_FAILED",
      absl::StrCat("none of ", report.creations, " creations succeeded: ", FailureText(report.creation_failures)));
}

}  // namespace

void AddReplayCommand(CommandTree& tree) {
  auto args = std::make_shared<ReplayArgs>();
  CLI::App* replay = tree.root.add_subcommand("replay", "Send a trace's creations and releases to the server");
  replay->add_option("trace", args->trace, "CSV or CSV.gz; columns: time, type, count, lifetime")->required();
  AddNetworkFlag(replay, tree);
  replay->add_option("--speed", args->speed, "How many times faster than the trace, as 600x")->capture_default_str();
  replay->add_option("--from", args->from, "Start at this time of the trace, as 36h");
  replay->add_option("--to", args->to, "End at this time of the trace");
  replay->add_option("--warm-target", args->warm_target, "First set the network's shadows for each type");
  replay->add_option(
      "--lead", args->lead,
      "How long a shadow takes to be made ready: one taken earlier is no hit. Of the server's time, as 3s");
  replay->add_option("--connections", args->connections, "How many at most")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  replay->add_option("--id-prefix", args->id_prefix, "Of the instances' ids; a fresh one if not given");
  OnRun(replay, tree, args, &RunReplay);
}

}  // namespace gnomon
