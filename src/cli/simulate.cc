// SPDX-License-Identifier: Apache-2.0
#include "cli/simulate.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/error.h"
#include "cli/duration_flag.h"
#include "plan/baselines.h"
#include "plan/predictive_pool.h"

namespace gnomon {
namespace {

const std::vector<double> kQuantiles = {.5,   .7,  .8,   .9,   .93,  .95,  .96,  .97,  .98,
                                        .985, .99, .993, .995, .997, .998, .999, .9995};

const std::vector<double> kHitRates = {.8, .85, .9, .93, .95, .97, .98, .985, .99, .9925, .995, .997, .998};

Error BadPolicy(const std::string& name, const std::string& why) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_POLICY", absl::StrCat("policy ", Excerpt(name), ": ", why))
      .Field("policy")
      .Value(Excerpt(name))
      .Hint(
          "use predictive, warm_pool=16, warm_pool=2x, quantile=0.99, rolling=24h,0.99, azure=16,0.5, cilium=8,0, "
          "oracle");
}

// `begin`, then `factor` times as much each, below `end`.
std::vector<double> Geometric(double begin, double end, double factor) {
  std::vector<double> grid;
  for (double x = begin; x < end; x *= factor) grid.push_back(x);
  return grid;
}

// Whole numbers from 1, about ten in a doubling.
std::vector<double> Whole() {
  std::vector<double> grid = {1};
  while (grid.back() < 4000) grid.push_back(std::max(grid.back() + 1, std::floor(grid.back() * 1.08)));
  return grid;
}

struct Words {
  std::string name;  // whole
  std::string kind;
  std::vector<std::string> values;
};

absl::Status ParseNumber(const Words& words, size_t at, double low, double high, double* value) {
  if (at < words.values.size() && absl::SimpleAtod(words.values[at], value) && *value >= low && *value <= high) {
    return absl::OkStatus();
  }
  return BadPolicy(words.name, absl::StrCat("value ", at + 1, " is not a number from ", low, " to ", high));
}

// Of pools that are sized by the demand of the warm-up.
absl::Status NeedsWarmup(const Words& words, const SimulationOptions& options) {
  if (options.warmup_s > 0) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "BAD_POLICY",
               absl::StrCat("policy ", Excerpt(words.name), " is sized by the demand of the warm-up, and there is none"))
      .Field("warmup")
      .Value("0s")
      .Hint("give one, as --warmup 24h");
}

template <typename Pool>
NamedPolicy Make(const std::string& prefix, const std::vector<double>& settings, const std::string& suffix, Pool make) {
  NamedPolicy made{make(settings), {}};
  for (double setting : settings) made.points.push_back(absl::StrCat(prefix, setting, suffix));
  return made;
}

absl::StatusOr<NamedPolicy> MakeWarmPool(const Words& words, size_t types, const SimulationOptions& options,
                                         bool sweep) {
  Words number = words;
  const bool proportional = !number.values.empty() && number.values[0].ends_with('x');
  if (proportional) {
    GNOMON_RETURN_IF_ERROR(NeedsWarmup(words, options));
    number.values[0].pop_back();
  }
  std::vector<double> settings(1);
  GNOMON_RETURN_IF_ERROR(ParseNumber(number, 0, 0, 1e6, settings.data()));
  if (proportional) {
    if (sweep) settings = Geometric(0.2, 60, 1.1);
    return Make("warm_pool=", settings, "x", [&](const std::vector<double>& factors) {
      return std::make_unique<ProportionalPool>(types, options, factors);
    });
  }
  if (sweep) settings = Whole();
  return Make("warm_pool=", settings, "", [&](const std::vector<double>& sizes) {
    std::vector<Level> levels;
    for (double size : sizes) levels.push_back(Level::Exactly(std::llround(size)));
    return std::make_unique<FixedPool>(std::move(levels));
  });
}

absl::StatusOr<NamedPolicy> MakeQuantile(const Words& words, size_t types, const SimulationOptions& options,
                                         bool sweep) {
  std::vector<double> settings(1);
  GNOMON_RETURN_IF_ERROR(ParseNumber(words, 0, 0, 1, settings.data()));
  GNOMON_RETURN_IF_ERROR(NeedsWarmup(words, options));
  return Make("quantile=", sweep ? kQuantiles : settings, "", [&](const std::vector<double>& quantiles) {
    return std::make_unique<QuantilePool>(types, options, quantiles);
  });
}

absl::StatusOr<NamedPolicy> MakeRolling(const Words& words, size_t types, const SimulationOptions& options,
                                        bool sweep) {
  GNOMON_ASSIGN_OR_RETURN(const absl::Duration span,
                          DurationFlag("policy rolling", words.values.empty() ? "" : words.values[0], absl::Hours(1),
                                       absl::Hours(24 * 31)));
  std::vector<double> settings(1);
  GNOMON_RETURN_IF_ERROR(ParseNumber(words, 1, 0, 1, settings.data()));
  return Make(absl::StrCat("rolling=", words.values[0], ","), sweep ? kQuantiles : settings, "",
              [&](const std::vector<double>& quantiles) {
                return std::make_unique<RollingPool>(types, options, absl::ToDoubleSeconds(span), quantiles);
              });
}

absl::StatusOr<NamedPolicy> MakeAzure(const Words& words, size_t types, bool sweep) {
  double batch = 0, free = 0;
  GNOMON_RETURN_IF_ERROR(ParseNumber(words, 0, 1, 1e6, &batch));
  GNOMON_RETURN_IF_ERROR(ParseNumber(words, 1, 0, 100, &free));
  return Make("azure=", sweep ? Whole() : std::vector<double>{batch}, absl::StrCat(",", free),
              [&](const std::vector<double>& batches) {
                std::vector<AzurePool::Point> points;
                for (double size : batches) points.push_back({size, free});
                return std::make_unique<AzurePool>(types, std::move(points));
              });
}

absl::StatusOr<NamedPolicy> MakeCilium(const Words& words, bool sweep) {
  double pre = 0, above = 0;
  GNOMON_RETURN_IF_ERROR(ParseNumber(words, 0, 0, 1e6, &pre));
  GNOMON_RETURN_IF_ERROR(ParseNumber(words, 1, 0, 1e6, &above));
  return Make("cilium=", sweep ? Whole() : std::vector<double>{pre}, absl::StrCat(",", above),
              [&](const std::vector<double>& sizes) {
                std::vector<Level> levels;
                for (double size : sizes)
                  levels.push_back({std::llround(size), std::llround(size + above), std::llround(size + above)});
                return std::make_unique<FixedPool>(std::move(levels));
              });
}

}  // namespace

absl::StatusOr<NamedPolicy> MakePolicy(const std::string& name, const SimulatedTrace& trace,
                                       const SimulationOptions& options, double target, bool sweep) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(name, absl::MaxSplits('=', 1));
  const Words words{name, parts.first, absl::StrSplit(parts.second, ',', absl::SkipEmpty())};
  const size_t types = trace.types.size();
  if (words.kind == "warm_pool") return MakeWarmPool(words, types, options, sweep);
  if (words.kind == "quantile") return MakeQuantile(words, types, options, sweep);
  if (words.kind == "rolling") return MakeRolling(words, types, options, sweep);
  if (words.kind == "azure") return MakeAzure(words, types, sweep);
  if (words.kind == "cilium") return MakeCilium(words, sweep);
  if (name == "predictive") {
    return Make(
        "predictive=", sweep ? kHitRates : std::vector<double>{target}, "",
        [&](const std::vector<double>& rates) { return std::make_unique<PredictivePool>(types, options, rates); });
  }
  if (name == "oracle") return NamedPolicy{std::make_unique<OraclePool>(&trace, options), {name}};
  return BadPolicy(name, "there is none of that name");
}

SimulatedTrace ToSimulated(const JudgedTrace& judged) {
  SimulatedTrace trace;
  trace.end_s = judged.end_s;
  std::unordered_map<std::string, size_t> type_ids;
  std::unordered_map<std::string, uint32_t> batch_ids;
  for (const TraceRow& row : judged.rows) {
    auto [type, is_new] = type_ids.emplace(row.type, trace.types.size());
    if (is_new) trace.types.push_back(row.type);
    Demand demand{.time_s = absl::ToDoubleSeconds(row.time), .type = type->second, .count = row.count};
    if (!row.batch.empty()) {
      demand.batch = batch_ids.emplace(row.batch, static_cast<uint32_t>(batch_ids.size() + 1)).first->second;
    }
    if (row.lifetime) demand.lifetime_s = absl::ToDoubleSeconds(*row.lifetime);
    trace.demand.push_back(demand);
  }
  trace.batches = static_cast<uint32_t>(batch_ids.size());
  return trace;
}

}  // namespace gnomon
