// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/duration_flag.h"
#include "cli/judged_trace.h"
#include "cli/render.h"
#include "cli/simulate.h"
#include "cli/simulate_report.h"
#include "cli/whole_file.h"

namespace gnomon {
namespace {

struct SimulateArgs {
  TraceFlags trace;
  std::string lead = "30s", review = "60s", announce = "0s", report;
  std::vector<std::string> policies;
  double target = 0.99, fail = 0, announce_share = 1, announce_faults = 0;
  uint64_t seed = 1;
  std::optional<int64_t> capacity;
  bool sweep = false;
};

absl::Status ParseLead(const std::string& text, PoolRules* rules) {
  const std::pair<std::string, std::string> ends = absl::StrSplit(text, absl::MaxSplits("..", 1));
  GNOMON_ASSIGN_OR_RETURN(const absl::Duration low, DurationFlag("lead", ends.first));
  absl::Duration high = low;
  if (!ends.second.empty()) {
    GNOMON_ASSIGN_OR_RETURN(high, DurationFlag("lead", ends.second, low));
  }
  rules->lead_min_s = absl::ToDoubleSeconds(low);
  rules->lead_max_s = absl::ToDoubleSeconds(high);
  return absl::OkStatus();
}

absl::StatusOr<SimulationOptions> OptionsOf(const SimulateArgs& args) {
  SimulationOptions options;
  GNOMON_RETURN_IF_ERROR(ParseLead(args.lead, &options.rules));
  GNOMON_ASSIGN_OR_RETURN(const absl::Duration review, DurationFlag("review", args.review, absl::Seconds(1)));
  GNOMON_ASSIGN_OR_RETURN(const absl::Duration announce, DurationFlag("announce", args.announce));
  options.announce_s = absl::ToDoubleSeconds(announce);
  options.announce_share = args.announce_share;
  options.announce_faults = args.announce_faults;
  options.seed = args.seed;
  options.rules.fail = args.fail;
  options.review_s = absl::ToDoubleSeconds(review);
  if (args.capacity) options.capacity = *args.capacity;
  return options;
}

double Percentile(std::vector<float> values, double p) {
  if (values.empty()) return 0;
  auto at = values.begin() + static_cast<ptrdiff_t>(std::ceil(p * static_cast<double>(values.size()))) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

JsonObject PoolJson(const PoolScore& pool) {
  const double creations = std::max<double>(static_cast<double>(pool.creations), 1);
  return {{"creations", pool.creations},
          {"hits", pool.hits},
          {"hit_rate", static_cast<double>(pool.hits) / creations},
          {"idle_address_minutes", pool.idle_s / 60},
          {"idle_minutes_per_creation", pool.idle_s / 60 / creations},
          {"on_order_minutes_per_creation", pool.on_order_s / 60 / creations},
          {"reservations_per_creation", static_cast<double>(pool.orders) / creations},
          {"reclaims", pool.reclaims},
          {"miss_wait_p50_s", Percentile(pool.miss_waits_s, 0.5)},
          {"miss_wait_p99_s", Percentile(pool.miss_waits_s, 0.99)}};
}

JsonObject ScoreJson(const std::string& policy, double lead_s, const PointScore& score) {
  JsonObject json = {{"policy", policy}, {"lead_s", lead_s}};
  for (auto& [name, value] : PoolJson(score.sum)) json[name] = value;
  json["whole_batch_rate"] =
      score.batches == 0 ? 1 : static_cast<double>(score.whole_batches) / static_cast<double>(score.batches);
  json["peak_shadows"] = score.peak_shadows;
  json["worst_type_hit_rate"] = score.worst_type_hit_rate();
  json["worst_hour_hit_rate"] = score.worst_hour_hit_rate;
  JsonArray days;
  for (const DayScore& day : score.days) {
    days.push_back({{"creations", day.creations}, {"hits", day.hits}, {"idle_address_minutes", day.idle_s / 60}});
  }
  json["days"] = std::move(days);
  JsonArray types;
  for (const TypeScore& type : score.types) {
    JsonObject one = {{"type", type.type}};
    for (auto& [name, value] : PoolJson(type.pool)) one[name] = value;
    types.push_back(std::move(one));
  }
  json["types"] = std::move(types);
  return json;
}

void PrintScores(Session& session, const JsonArray& scores) {
  if (WantsData(session)) {
    PrintData(session, JsonObject{{"results", scores}});
    return;
  }
  static const std::vector<Column> kColumns = {{"POLICY", "policy"},
                                               {"HITS", "hits_percent"},
                                               {"IDLE MIN A CREATION", "idle"},
                                               {"RESERVATIONS", "reservations"},
                                               {"PEAK SHADOWS", "peak_shadows"},
                                               {"WHOLE BATCHES", "batches"},
                                               {"WORST TYPE", "worst_type"}};
  JsonArray rows;
  for (const JsonValue& score : scores) {
    auto percent = [&](const char* name) {
      return absl::StrFormat("%.2f %%", 100 * score.at(name).to_number<double>());
    };
    auto number = [&](const char* name) { return absl::StrFormat("%.2f", score.at(name).to_number<double>()); };
    rows.push_back(JsonObject{{"policy", score.at("policy")},
                              {"hits_percent", percent("hit_rate")},
                              {"idle", number("idle_minutes_per_creation")},
                              {"reservations", number("reservations_per_creation")},
                              {"peak_shadows", score.at("peak_shadows")},
                              {"batches", percent("whole_batch_rate")},
                              {"worst_type", percent("worst_type_hit_rate")}});
  }
  PrintTable(kColumns, rows, session.colored(), session.out());
}

// Draws a bar on a terminal while one policy after another is run.
class SimulationProgress {
 public:
  SimulationProgress(Session& session, size_t policies) : session_(session), policies_(policies) {}
  ~SimulationProgress() {
    if (shown_ >= 0) session_.err() << "\n";
  }

  void Begin(const std::string& policy) {
    policy_ = policy;
    ++begun_;
    shown_ = -1;
    Show(0);
  }
  void Show(double share) {
    const int percent = static_cast<int>(100 * (static_cast<double>(begun_ - 1) + share) / static_cast<double>(policies_));
    if (!session_.console().err_is_terminal || percent == shown_) return;
    shown_ = percent;
    session_.err() << absl::StrFormat("\r%s %3d %%  %-30s", Bar(percent / 100.0), percent, policy_);
    session_.err().flush();
  }

 private:
  Session& session_;
  const size_t policies_;
  size_t begun_ = 0;
  std::string policy_;
  int shown_ = -1;  // percent
};

absl::StatusOr<std::vector<PolicyScores>> RunPolicies(Session& session, const SimulateArgs& args,
                                                      const SimulatedTrace& trace, SimulationOptions options) {
  std::vector<PolicyScores> scores;
  SimulationProgress progress(session, args.policies.size());
  options.on_progress = [&](double share) { progress.Show(share); };
  for (const std::string& name : args.policies) {
    GNOMON_ASSIGN_OR_RETURN(NamedPolicy named, MakePolicy(name, trace, options, args.target, args.sweep));
    progress.Begin(name);
    scores.push_back({name, named.points, Simulate(trace, options, named.policy.get())});
  }
  progress.Show(1);
  return scores;
}

absl::Status WriteReport(Session& session, const SimulateArgs& args, const SimulatedTrace& trace,
                         const SimulationOptions& options, const std::vector<PolicyScores>& scores, WholeFile* file) {
  const ReportOptions report = {
      .about = absl::StrFormat("%s, judged from %s of the trace on: a shadow is ready %s after it was asked for, targets "
                               "are set every %s. Made by gnomon %s.",
                               args.trace.trace, args.trace.warmup, args.lead, args.review, GNOMON_VERSION),
      .target = args.target};
  GNOMON_RETURN_IF_ERROR(file->Append(SimulateReport(report, trace, options, scores)));
  GNOMON_RETURN_IF_ERROR(file->Finish());
  session.err() << "wrote the report to " << args.report << "\n";
  return absl::OkStatus();
}

absl::Status RunSimulate(Session& session, const SimulateArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(SimulationOptions options, OptionsOf(args));
  std::optional<WholeFile> file;
  if (!args.report.empty()) {
    options.bin_s = ReportBin(options.review_s);
    GNOMON_RETURN_IF_ERROR(file.emplace(args.report).Append({}));  // fails before the work is done
  }
  GNOMON_ASSIGN_OR_RETURN(const JudgedTrace judged, ReadJudgedTrace(args.trace));
  session.err() << judged.note;
  options.warmup_s = judged.warmup_s;
  options.min_creations = judged.min_creations;
  const SimulatedTrace trace = ToSimulated(judged);
  GNOMON_ASSIGN_OR_RETURN(const std::vector<PolicyScores> scores, RunPolicies(session, args, trace, options));
  JsonArray results;
  for (const PolicyScores& policy : scores) {
    for (size_t i = 0; i < policy.scores.size(); ++i) {
      results.push_back(ScoreJson(policy.points[i], options.rules.lead_max_s, policy.scores[i]));
    }
  }
  PrintScores(session, results);
  return file ? WriteReport(session, args, trace, options, scores, &*file) : absl::OkStatus();
}

}  // namespace

void AddSimulateCommand(CommandTree& tree) {
  auto args = std::make_shared<SimulateArgs>();
  CLI::App* simulate =
      tree.root.add_subcommand("simulate", "Compare warm pools and prediction on a trace, without a server");
  AddTraceFlags(simulate, &args->trace);
  simulate
      ->add_option("--policy", args->policies, "predictive, warm_pool=16, warm_pool=2x, quantile=0.99, ... (repeat)")
      ->required();
  simulate->add_option("--lead", args->lead, "From reservation to ready, as 30s or drawn from 10s..60s")
      ->capture_default_str();
  simulate->add_option("--review", args->review, "Between two reviews of all targets")->capture_default_str();
  simulate->add_option("--target", args->target, "The predictive policy's hit rate")
      ->check(CLI::Range(0.5, 0.9999))
      ->capture_default_str();
  simulate->add_option("--fail", args->fail, "Share of reservations that fail")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str();
  simulate->add_option("--capacity", args->capacity, "Addresses that all types share")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 24));
  simulate->add_option("--announce", args->announce, "Each batch's size is known so long before its first creation");
  simulate->add_option("--report", args->report, "Write a page of HTML: hits against idle, what was held, forecasts, worst hours");
  simulate->add_option("--announce-share", args->announce_share, "Share of the batches that are announced")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  simulate
      ->add_option("--announce-faults", args->announce_faults,
                   "Of those announced, this share comes late, as many never, and of as many comes half")
      ->check(CLI::Range(0.0, SimulationOptions::kMaxFaults))
      ->capture_default_str();
  simulate->add_option("--seed", args->seed, "Of all that is drawn: leads, failures, announcements")
      ->capture_default_str();
  simulate->add_flag("--sweep", args->sweep, "Each policy at many settings: hits against idle");
  OnRun(simulate, tree, args, &RunSimulate);
}

}  // namespace gnomon
