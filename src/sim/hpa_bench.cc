// SPDX-License-Identifier: Apache-2.0
// What policy and metric are worth beside history alone: a Deployment under an HPA that a trace of requests drives.
//
// Usage: hpa_bench FILE [--target N] [--lead S] [--days N]
//   FILE      a CSV (.gz) of requests: epoch_sec, count, a row a minute; a minute without a row has none
//   --target  requests a second that the HPA wants a pod to have (2)
//   --lead    seconds that a shadow takes (30)
//   --days    the last days of the file (all)
//
// The metric is the rate over the last minute, each 15 s, as rate(requests[1m]) would be; the HPA looks at it then, and
// its new pods come half a second later. The first 40 % are learnt from, the rest is judged, by the rules of `gnomon
// simulate`. Both sides are reviewed each 15 s, history also each 60 s, as the engine does. Prints a table.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/csv.h"
#include "forecast/rise_forecast.h"
#include "plan/outlook_pools.h"
#include "plan/predictive_pool.h"
#include "plan/simulation.h"
#include "signals/target_tracking.h"
#include "sim/hpa.h"

namespace gnomon {
namespace {

constexpr double kStepS = HpaRules::kSyncS, kMinuteS = 60;
constexpr double kStartS = 0.5;  // from the HPA's decision to the pods' creation
constexpr double kLearntShare = 0.4;
constexpr int64_t kLeastReplicas = 2, kMostReplicas = 2000;

struct Arguments {
  std::string file;
  double target = 2, lead_s = 30;
  size_t days = 100'000;
};

// What happened under the HPA, by steps of kStepS.
struct Deployment {
  std::vector<double> metric;      // requests a second
  std::vector<int64_t> replicas;   // after the HPA's decision
  SimulatedTrace trace;
};

std::vector<double> RequestsAMinute(const Arguments& arguments) {
  auto csv = CsvReader::Open(arguments.file, {"epoch_sec", "count"});
  if (!csv.ok()) {
    std::fprintf(stderr, "hpa_bench: %s\n", std::string(csv.status().message()).c_str());
    std::exit(2);
  }
  std::vector<double> requests;
  int64_t first = -1;
  for (auto more = (*csv)->Next(); more.ok() && *more; more = (*csv)->Next()) {
    const int64_t minute = std::atoll(std::string((*csv)->Field("epoch_sec")).c_str()) / 60;
    if (first < 0) first = minute;
    if (minute < first) continue;
    requests.resize(std::max(requests.size(), static_cast<size_t>(minute - first + 1)));
    requests[static_cast<size_t>(minute - first)] += std::atof(std::string((*csv)->Field("count")).c_str());
  }
  const size_t wanted = arguments.days * 1440;
  if (requests.size() > wanted) requests.erase(requests.begin(), requests.end() - static_cast<std::ptrdiff_t>(wanted));
  return requests;
}

HpaRules RulesOf(const Arguments& arguments) {
  return {.least = kLeastReplicas, .most = kMostReplicas, .target = arguments.target};
}

Deployment Run(const Arguments& arguments) {
  const std::vector<double> requests = RequestsAMinute(arguments);
  Deployment ran;
  for (size_t minute = 1; minute < requests.size(); ++minute) {
    for (double passed = 0; passed < kMinuteS; passed += kStepS) {
      const double share = passed / kMinuteS;
      ran.metric.push_back((requests[minute - 1] * (1 - share) + requests[minute] * share) / kMinuteS);
    }
  }
  Hpa hpa(RulesOf(arguments), kLeastReplicas);
  ran.trace.types = {"web"};
  for (size_t step = 0; step < ran.metric.size(); ++step) {
    const double time_s = static_cast<double>(step) * kStepS;
    const int64_t before = hpa.replicas(), after = hpa.Sync(time_s, ran.metric[step]);
    ran.replicas.push_back(after);
    if (after > before) ran.trace.demand.push_back({time_s + kStartS, 0, after - before, ++ran.trace.batches});
  }
  ran.trace.end_s = static_cast<double>(ran.metric.size()) * kStepS;
  return ran;
}

// The engine's way of following a signal, beside a planner of the same history.
class FollowingPool : public Policy {
 public:
  FollowingPool(const Deployment& ran, const Arguments& arguments, const SimulationOptions& options,
                std::vector<double> hit_rates)
      : ran_(ran),
        rule_{.target = arguments.target},
        hit_rates_(std::move(hit_rates)),
        history_(1, options, hit_rates_),
        rise_({.step_s = static_cast<int64_t>(kStepS),
               .horizon = static_cast<size_t>(std::ceil((arguments.lead_s + 2 * kStepS) / kStepS))}),
        pools_(static_cast<int64_t>(arguments.lead_s)) {
    const std::vector<double>::iterator judged =
        std::find(hit_rates_.begin(), hit_rates_.end(), OutlookPools::kJudged);
    judged_ = static_cast<size_t>(judged - hit_rates_.begin());
  }

  size_t points() const override { return hit_rates_.size(); }
  void Created(const Demand& demand) override {
    history_.Created(demand);
    instances_ += demand.count;
    pools_.Created(static_cast<int64_t>(demand.time_s), static_cast<uint32_t>(demand.count));
  }
  void Review(double time_s) override {
    history_.Review(time_s);
    for (; step_ < ran_.metric.size() && static_cast<double>(step_) * kStepS < time_s; ++step_) {
      rise_.Add(ran_.metric[step_]);
    }
    if (step_ > 0) instances_ = ran_.replicas[step_ - 1];
    if (!rise_.known()) return;
    const auto without = static_cast<uint32_t>(history_.LevelOf(0, judged_).fill);
    pools_.Expect(static_cast<int64_t>(time_s), ExpectedBy(rule_, rise_, instances_), without);
  }
  Level LevelOf(size_t type, size_t point) const override {
    return pools_.Choose(history_.LevelOf(type, point), 0, hit_rates_[point]);
  }
  OutlookPools::Worth worth() const { return pools_.worth(); }

 private:
  const Deployment& ran_;
  const TargetTracking rule_;
  std::vector<double> hit_rates_;
  PredictivePool history_;
  RiseForecast rise_;
  OutlookPools pools_;
  size_t judged_ = 0;
  size_t step_ = 0;
  int64_t instances_ = kLeastReplicas;
};

void Print(const char* name, double review_s, const std::vector<double>& asked, const std::vector<PointScore>& scores) {
  for (size_t i = 0; i < scores.size(); ++i) {
    const PointScore& score = scores[i];
    const double creations = static_cast<double>(score.sum.creations);
    std::printf("%-22s %4.0f s  %5.1f %%  %6.2f %%  %7.2f  %6.2f\n", name, review_s, asked[i] * 100,
                score.hit_rate() * 100, score.idle_minutes_per_creation(), static_cast<double>(score.sum.orders) / creations);
  }
}

int Main(const Arguments& arguments) {
  const Deployment ran = Run(arguments);
  SimulationOptions options;
  options.rules.lead_min_s = options.rules.lead_max_s = arguments.lead_s;
  options.review_s = kStepS;
  options.warmup_s = std::floor(ran.trace.end_s * kLearntShare / kMinuteS) * kMinuteS;
  options.min_creations = 1;
  const std::vector<double> asked = {0.9, 0.95, 0.99, 0.995, 0.999};
  int64_t created = 0;
  for (const Demand& demand : ran.trace.demand) created += demand.count;
  std::printf("%zu days, %lld creations in %u steps of the HPA, up to %lld replicas; lead %.0f s\n\n",
              ran.metric.size() / 5760, static_cast<long long>(created), ran.trace.batches,
              static_cast<long long>(*std::max_element(ran.replicas.begin(), ran.replicas.end())), arguments.lead_s);
  std::printf("%-22s %6s  %7s  %8s  %7s  %6s\n", "", "review", "asked", "hits", "idle", "orders");
  FollowingPool following(ran, arguments, options, asked);
  Print("policy and metric", options.review_s, asked, Simulate(ran.trace, options, &following));
  for (const double review_s : {kStepS, kMinuteS}) {
    SimulationOptions alone = options;
    alone.review_s = review_s;
    PredictivePool history(1, alone, asked);
    Print("history alone", review_s, asked, Simulate(ran.trace, alone, &history));
  }
  std::printf("\nidle: judged address-minutes a creation; orders: reservations a creation\n");
  std::printf("worth of the signal at the end: pinball loss %.4f with it, %.4f without\n", following.worth().with,
              following.worth().without);
  return 0;
}

int Usage() {
  std::fprintf(stderr, "usage: hpa_bench FILE [--target N] [--lead S] [--days N]\n");
  return 2;
}

}  // namespace
}  // namespace gnomon

int main(int argc, char** argv) {
  gnomon::Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (!flag.starts_with("--")) {
      arguments.file = flag;
      continue;
    }
    const double value = i + 1 < argc ? std::atof(argv[++i]) : 0;
    if (value <= 0) return gnomon::Usage();
    if (flag == "--target") {
      arguments.target = value;
    } else if (flag == "--lead") {
      arguments.lead_s = value;
    } else if (flag == "--days") {
      arguments.days = static_cast<size_t>(value);
    } else {
      return gnomon::Usage();
    }
  }
  return arguments.file.empty() ? gnomon::Usage() : gnomon::Main(arguments);
}
