// SPDX-License-Identifier: Apache-2.0
#include "cli/simulate_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "boost/json/serialize.hpp"
#include "cli/forecast_fan.h"
#include "client/api_client.h"

namespace gnomon {
namespace {

constexpr size_t kWorstHours = 10;
constexpr double kDayS = 86400;

JsonObject PointJson(const std::string& name, const PointScore& score, bool chosen) {
  const double creations = std::max<double>(static_cast<double>(score.sum.creations), 1);
  const double batches = std::max<double>(static_cast<double>(score.batches), 1);
  return {{"policy", name},
          {"hit_rate", score.hit_rate()},
          {"idle", score.idle_minutes_per_creation()},
          {"reservations", static_cast<double>(score.sum.orders) / creations},
          {"peak_shadows", score.peak_shadows},
          {"whole_batches", score.batches == 0 ? 1 : static_cast<double>(score.whole_batches) / batches},
          {"worst_type", score.worst_type_hit_rate()},
          {"worst_hour", score.worst_hour_hit_rate},
          {"chosen", chosen}};
}

// The cheapest that reaches the target, or else that with the most hits.
size_t ChosenPoint(const std::vector<PointScore>& scores, double target) {
  auto worse = [target](const PointScore& a, const PointScore& b) {
    const bool a_hits = a.hit_rate() >= target, b_hits = b.hit_rate() >= target;
    if (a_hits != b_hits) return b_hits;
    return a_hits ? a.sum.idle_s > b.sum.idle_s : a.hit_rate() < b.hit_rate();
  };
  return static_cast<size_t>(std::max_element(scores.begin(), scores.end(), worse) - scores.begin());
}

// Creations of each type in the bins of the whole trace; those before the warm-up's end have negative numbers.
using DemandBins = std::map<std::string, std::map<int64_t, int64_t>>;

DemandBins BinDemand(const SimulatedTrace& trace, const SimulationOptions& options) {
  DemandBins bins;
  for (const Demand& demand : trace.demand) {
    if (demand.time_s >= trace.end_s) break;
    const auto bin = static_cast<int64_t>(std::floor((demand.time_s - options.warmup_s) / options.bin_s));
    bins[trace.types[demand.type]][bin] += demand.count;
  }
  return bins;
}

std::string Clock(double time_s) {
  const auto minute = static_cast<int64_t>(std::fmod(time_s, kDayS) / 60);
  return absl::StrFormat("%02d:%02d", minute / 60, minute % 60);
}

// What went wrong in the bin with the most misses of those in [first, last).
std::string Why(const PointScore& score, const SimulationOptions& options, const DemandBins& demand, size_t first,
                size_t last) {
  const TypeScore* worst = nullptr;
  size_t at = first;
  for (const TypeScore& type : score.types) {
    for (size_t i = first; i < std::min(last, type.bins.size()); ++i) {
      if (worst == nullptr || type.bins[i].misses > worst->bins[at].misses) {
        worst = &type;
        at = i;
      }
    }
  }
  if (worst == nullptr) return "";
  const auto bin = static_cast<int64_t>(at);
  int64_t before = 0;  // the most in any bin of the seven days before
  const std::map<int64_t, int64_t>& counts = demand.at(worst->type);
  const auto week = static_cast<int64_t>(7 * kDayS / options.bin_s);
  for (auto count = counts.lower_bound(bin - week); count != counts.end() && count->first < bin; ++count) {
    before = std::max(before, count->second);
  }
  const TimeBin& what = worst->bins[at];
  const std::string burst = absl::StrFormat(
      "%d of %s within %.0f minutes from %s, %d of them misses; %.0f were held on average.", what.creations,
      worst->type, options.bin_s / 60, Clock(options.warmup_s + static_cast<double>(at) * options.bin_s), what.misses,
      what.held);
  return absl::StrCat(burst,
                      before < what.creations ? " More than in any such time of the seven days before, the most was "
                                              : " The most in any such time of the seven days before was ",
                      before, ".");
}

JsonArray WorstHours(const PointScore& score, const SimulationOptions& options, const DemandBins& demand) {
  struct Hour {
    size_t first = 0;  // bin
    int64_t creations = 0, misses = 0;
  };
  const auto bins_an_hour = static_cast<size_t>(std::max(1.0, std::round(3600 / options.bin_s)));
  std::vector<Hour> hours;
  for (const TypeScore& type : score.types) {
    for (size_t i = 0; i < type.bins.size(); ++i) {
      const size_t hour = i / bins_an_hour;
      while (hours.size() <= hour) hours.push_back({.first = hours.size() * bins_an_hour});
      hours[hour].creations += type.bins[i].creations;
      hours[hour].misses += type.bins[i].misses;
    }
  }
  std::stable_sort(hours.begin(), hours.end(), [](const Hour& a, const Hour& b) { return a.misses > b.misses; });
  JsonArray worst;
  for (const Hour& hour : hours) {
    if (hour.misses == 0 || worst.size() == kWorstHours) break;
    worst.push_back(JsonObject{{"at_s", options.warmup_s + static_cast<double>(hour.first) * options.bin_s},
                               {"creations", hour.creations},
                               {"misses", hour.misses},
                               {"why", Why(score, options, demand, hour.first, hour.first + bins_an_hour)}});
  }
  return worst;
}

JsonObject Timeline(const std::string& name, const PointScore& score, const SimulationOptions& options,
                    const DemandBins& demand) {
  JsonArray held, misses;
  for (const TypeScore& type : score.types) {
    JsonArray type_held, type_misses;
    for (const TimeBin& bin : type.bins) {
      type_held.push_back(std::round(bin.held));
      type_misses.push_back(bin.misses);
    }
    held.push_back(std::move(type_held));
    misses.push_back(std::move(type_misses));
  }
  return {{"policy", name}, {"held", held}, {"misses", misses}, {"worst", WorstHours(score, options, demand)}};
}

JsonObject FanJson(const ForecastFan& fan) {
  JsonArray levels, types;
  for (size_t level : kFanLevels) levels.push_back(kLevels[level]);
  for (const ForecastFan::Type& type : fan.types) {
    JsonArray horizons;
    for (const ForecastFan::Horizon& horizon : type.horizons) {
      JsonArray quantiles;
      for (const auto& list : horizon.quantiles) quantiles.push_back(JsonArray(list.begin(), list.end()));
      horizons.push_back(JsonObject{{"horizon_s", horizon.length_s},
                                    {"quantiles", std::move(quantiles)},
                                    {"actual", JsonArray(horizon.actual.begin(), horizon.actual.end())}});
    }
    types.push_back(JsonObject{{"type", type.type}, {"from_s", type.from_s}, {"horizons", std::move(horizons)}});
  }
  return {{"step_s", fan.step_s}, {"quantiles", std::move(levels)}, {"types", std::move(types)}};
}

// Of the types with the most misses.
ForecastFan WorstFan(const PointScore& score, const SimulatedTrace& trace, const SimulationOptions& options) {
  std::vector<const TypeScore*> types;
  for (const TypeScore& type : score.types) types.push_back(&type);
  std::stable_sort(types.begin(), types.end(), [](const TypeScore* a, const TypeScore* b) {
    return a->pool.creations - a->pool.hits > b->pool.creations - b->pool.hits;
  });
  std::vector<std::string> learnt, shown;
  for (const TypeScore* type : types) {
    learnt.push_back(type->type);
    if (shown.size() < kFanTypes) shown.push_back(type->type);
  }
  return FanOf(trace, options, learnt, shown);
}

}  // namespace

double ReportBin(double review_s) { return std::max(300.0, review_s); }

std::string SimulateReport(const ReportOptions& report, const SimulatedTrace& trace, const SimulationOptions& options,
                           const std::vector<PolicyScores>& policies) {
  const DemandBins demand = BinDemand(trace, options);
  JsonArray groups, timelines, types, creations;
  ForecastFan fan;
  for (const PolicyScores& policy : policies) {
    const size_t chosen = ChosenPoint(policy.scores, report.target);
    JsonArray points;
    for (size_t i = 0; i < policy.scores.size(); ++i) {
      points.push_back(PointJson(policy.points[i], policy.scores[i], i == chosen));
    }
    groups.push_back(JsonObject{{"name", policy.name}, {"points", std::move(points)}});
    if (policy.name == "predictive") fan = WorstFan(policy.scores[chosen], trace, options);
    timelines.push_back(Timeline(policy.points[chosen], policy.scores[chosen], options, demand));
  }
  for (const TypeScore& type : policies.front().scores.front().types) {  // the same for every point
    types.push_back(JsonValue(type.type));
    JsonArray counts;
    for (const TimeBin& bin : type.bins) counts.push_back(bin.creations);
    creations.push_back(std::move(counts));
  }
  JsonObject data = {{"about", report.about},
                     {"target", report.target},
                     {"warmup_s", options.warmup_s},
                     {"end_s", trace.end_s},
                     {"bin_s", options.bin_s},
                     {"groups", std::move(groups)},
                     {"types", std::move(types)},
                     {"creations", std::move(creations)},
                     {"timelines", std::move(timelines)}};
  if (!fan.types.empty()) data["fan"] = FanJson(fan);
  // Inside a script nothing of the data may look like a tag.
  const std::string json = absl::StrReplaceAll(boost::json::serialize(data), {{"<", "\\u003c"}});
  return absl::StrCat(std::string(kSimulateReportPage[0]), json, std::string(kSimulateReportPage[1]));
}

}  // namespace gnomon
