// SPDX-License-Identifier: Apache-2.0
// What the planner does when the future is unlike the past: each adversary begins after ten days that were learnt from.
//
// Usage: adversaries_bench. Prints a table; exits 1 when a bound (in brackets) does not hold. Takes about a minute.
//
// Hits: of the two days before it begins, of the day after and of the one after that. Recovered: when first the last
// hour hit as often as asked for; and when first a creation of the last hour cost at most twice the idle of the days
// before, or, of a series that stops, when no more is held than then. Peak: shadows held and on order, to those of the
// same days without the adversary; orders likewise. All is in virtual time and the same on every machine, but for how
// long a round of 10,000 keys takes.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "plan/even_draw.h"
#include "plan/predictive_pool.h"
#include "plan/simulation.h"

namespace gnomon {
namespace {

constexpr double kMinuteS = 60, kHourS = 3600, kDayS = 86400;
constexpr double kAsked = 0.99;
constexpr double kJudgedS = 8 * kDayS, kBeginS = 10 * kDayS, kEndS = 12 * kDayS;
constexpr double kBinS = 300;
constexpr double kRoundS = 0.25;  // for 10,000 keys

// A type's creations: batches of a mean size that come so often a minute at the day's mean, by night a fifth of that.
struct Series {
  const char* name;
  double batches_a_minute, batch;
};
constexpr Series kFleet[] = {{"web", 4, 1}, {"worker", 0.5, 6}, {"job", 0.05, 40}, {"db", 0.1, 1}};

void AddCreations(const Series& series, size_t type, double begin_s, double end_s, SimulatedTrace* trace) {
  EvenDraw draw(type + 1);
  for (double minute_s = begin_s; minute_s < end_s; minute_s += kMinuteS) {
    const double day = 1 - 0.67 * std::cos(2 * M_PI * minute_s / kDayS);
    // Poisson: as many as exponential waits fit in.
    for (double wait = -std::log(1 - draw.Next()); wait < series.batches_a_minute * day;
         wait -= std::log(1 - draw.Next())) {
      const double size = std::ceil((2 * series.batch - 1) * (1 - draw.Next()));
      trace->demand.push_back({.time_s = minute_s + std::floor(draw.Next() * kMinuteS),
                               .type = type,
                               .count = static_cast<int64_t>(size),
                               .batch = ++trace->batches});
    }
  }
}

void Sort(SimulatedTrace* trace) {
  std::stable_sort(trace->demand.begin(), trace->demand.end(),
                   [](const Demand& a, const Demand& b) { return a.time_s < b.time_s; });
}

SimulatedTrace Calm() {
  SimulatedTrace trace{.types = {}, .demand = {}, .end_s = kEndS};
  for (const Series& series : kFleet) {
    trace.types.push_back(series.name);
    AddCreations(series, trace.types.size() - 1, 0, kEndS, &trace);
  }
  Sort(&trace);
  return trace;
}

// The largest type.
SimulatedTrace Stops() {
  SimulatedTrace trace = Calm();
  std::erase_if(trace.demand, [](const Demand& demand) { return demand.type == 0 && demand.time_s >= kBeginS; });
  return trace;
}

SimulatedTrace Doubles() {
  SimulatedTrace trace = Calm();
  for (Demand& demand : trace.demand) demand.count *= demand.time_s >= kBeginS ? 2 : 1;
  return trace;
}

// From one midnight on all comes an hour earlier in the day.
SimulatedTrace ShiftsByAnHour() {
  SimulatedTrace trace = Calm();
  std::erase_if(trace.demand,
                [](const Demand& demand) { return demand.time_s >= kBeginS && demand.time_s < kBeginS + kHourS; });
  for (Demand& demand : trace.demand) demand.time_s -= demand.time_s >= kBeginS ? kHourS : 0;
  trace.end_s -= kHourS;
  return trace;
}

// 500 types in a day, each once: every tenth a batch of 20.
SimulatedTrace Flood() {
  SimulatedTrace trace = Calm();
  EvenDraw draw(99);
  for (int i = 0; i < 500; ++i) {
    trace.types.push_back("once" + std::to_string(i));
    const double time_s = kBeginS + std::floor(draw.Next() * kDayS);
    trace.demand.push_back({.time_s = time_s, .type = trace.types.size() - 1, .count = i % 10 == 0 ? 20 : 1});
  }
  Sort(&trace);
  return trace;
}

// What was seen of the fleet's types, those of kFleet alone.
struct Seen {
  std::vector<TimeBin> bins;  // of all types together, from kJudgedS on
  int64_t orders = 0, peak = 0;

  double HitRate(double begin_s, double end_s) const {
    double creations = 0, misses = 0;
    ForBins(begin_s, end_s, [&](const TimeBin& bin) { creations += bin.creations, misses += bin.misses; });
    return creations == 0 ? 1 : 1 - misses / creations;
  }
  double Held(double begin_s, double end_s) const {
    double held = 0;
    ForBins(begin_s, end_s, [&](const TimeBin& bin) { held += static_cast<double>(bin.held); });
    return held * kBinS / (end_s - begin_s);
  }
  double IdleMinutes(double begin_s, double end_s) const {
    double creations = 0;
    ForBins(begin_s, end_s, [&](const TimeBin& bin) { creations += bin.creations; });
    return Held(begin_s, end_s) * (end_s - begin_s) / kMinuteS / std::max(creations, 1.0);
  }
  // Minutes from kBeginS until `holds` of the hour that then ends; negative: never.
  double Recovered(const std::function<bool(double begin_s, double end_s)>& holds) const {
    const double end_s = kJudgedS + kBinS * static_cast<double>(bins.size() - 1);
    for (double at_s = kBeginS + kHourS; at_s <= end_s; at_s += kBinS) {
      if (holds(at_s - kHourS, at_s)) return (at_s - kBeginS) / kMinuteS;
    }
    return -1;
  }

 private:
  void ForBins(double begin_s, double end_s, const std::function<void(const TimeBin&)>& tell) const {
    const auto end = static_cast<size_t>((end_s - kJudgedS) / kBinS);
    for (auto i = static_cast<size_t>((begin_s - kJudgedS) / kBinS); i < std::min(end, bins.size()); ++i) tell(bins[i]);
  }
};

// Of the first `types`.
Seen Run(const SimulatedTrace& trace, const PoolRules& rules, size_t types) {
  SimulationOptions options;
  options.rules = rules;
  options.warmup_s = kJudgedS;
  options.min_creations = 1;
  options.bin_s = kBinS;
  PredictivePool pool(trace.types.size(), options, {kAsked});
  const PointScore score = Simulate(trace, options, &pool)[0];
  Seen seen;
  seen.peak = score.peak_shadows;
  for (const TypeScore& type : score.types) {
    const auto number = std::find(trace.types.begin(), trace.types.end(), type.type) - trace.types.begin();
    if (number >= static_cast<ptrdiff_t>(types)) continue;
    seen.orders += type.pool.orders;
    if (seen.bins.size() < type.bins.size()) seen.bins.resize(type.bins.size());
    for (size_t i = 0; i < type.bins.size(); ++i) {
      seen.bins[i].creations += type.bins[i].creations;
      seen.bins[i].misses += type.bins[i].misses;
      seen.bins[i].held += type.bins[i].held;
    }
  }
  return seen;
}

// What must hold.
struct Bounds {
  double first_day, second_day;       // hits, at least
  double hits_minutes, idle_minutes;  // until recovered, at most
  double peak;                        // to the one without, at most
};

struct Adversary {
  const char* name;
  SimulatedTrace (*trace)();
  PoolRules rules;
  size_t types;  // the first ones, that are looked at
  Bounds bounds;
};

// A row of the table; false when a bound does not hold.
bool Judge(const Adversary& adversary, const Seen& calm) {
  const Seen seen = Run(adversary.trace(), adversary.rules, adversary.types);
  const double idle = calm.IdleMinutes(kJudgedS, kBeginS), held = seen.Held(kJudgedS, kBeginS);
  const double hits_minutes =
      seen.Recovered([&](double begin_s, double end_s) { return seen.HitRate(begin_s, end_s) >= kAsked; });
  const double idle_minutes = seen.Recovered([&](double begin_s, double end_s) {
    if (adversary.types == 1) return seen.Held(begin_s, end_s) <= held;
    return seen.IdleMinutes(begin_s, end_s) <= 2 * idle;
  });
  const double before = seen.HitRate(kJudgedS, kBeginS), first_day = seen.HitRate(kBeginS, kBeginS + kDayS);
  const double second_day = seen.HitRate(kBeginS + kDayS, kEndS);
  const double peak = static_cast<double>(seen.peak) / static_cast<double>(calm.peak);
  const Bounds& bounds = adversary.bounds;
  const bool passes = first_day >= bounds.first_day && second_day >= bounds.second_day && hits_minutes >= 0 &&
                      hits_minutes <= bounds.hits_minutes && idle_minutes >= 0 && idle_minutes <= bounds.idle_minutes &&
                      peak <= bounds.peak;
  std::printf("| %s | %.1f | %.1f (%.0f) | %.1f (%.0f) | %.0f (%.0f) | %.0f (%.0f) | %.2f (%.2f) | %.2f | %s |\n",
              adversary.name, 100 * before, 100 * first_day, 100 * bounds.first_day, 100 * second_day,
              100 * bounds.second_day, hits_minutes, bounds.hits_minutes, idle_minutes, bounds.idle_minutes, peak,
              bounds.peak, static_cast<double>(seen.orders) / static_cast<double>(calm.orders),
              passes ? "pass" : "FAIL");
  return passes;
}

// 10,000 types that all begin within five minutes and then come every five minutes, beside the fleet of Calm.
bool JudgeManyKeys() {
  constexpr size_t kKeys = 10'000;
  constexpr double kFromS = 5 * kDayS, kForS = 3 * kHourS;
  constexpr double kPeak = 8, kHits = 0.97;  // shadows a key; share of the last two hours
  SimulatedTrace trace = Calm();
  std::erase_if(trace.demand, [](const Demand& demand) { return demand.time_s >= kFromS; });
  EvenDraw draw(7);
  for (size_t key = 0; key < kKeys; ++key) {
    trace.types.push_back("many" + std::to_string(key));
    for (double time_s = kFromS; time_s < kFromS + kForS; time_s += 5 * kMinuteS) {
      trace.demand.push_back(
          {.time_s = time_s + std::floor(draw.Next() * 5 * kMinuteS), .type = trace.types.size() - 1});
    }
  }
  Sort(&trace);
  trace.end_s = kFromS + kForS + 5 * kMinuteS;
  SimulationOptions options;
  options.warmup_s = kFromS;
  options.min_creations = 1;
  options.bin_s = kHourS;
  std::vector<std::chrono::steady_clock::time_point> rounds;
  options.on_progress = [&](double) { rounds.push_back(std::chrono::steady_clock::now()); };
  PredictivePool pool(trace.types.size(), options, {kAsked});
  const PointScore score = Simulate(trace, options, &pool)[0];
  const size_t measured = 120;
  const double round_s =
      std::chrono::duration<double>(rounds.back() - rounds[rounds.size() - 1 - measured]).count() / measured;
  double creations = 0, misses = 0;
  for (const TypeScore& type : score.types) {
    for (size_t hour = 1; hour < type.bins.size(); ++hour) {
      creations += type.bins[hour].creations;
      misses += type.bins[hour].misses;
    }
  }
  const double hits = 1 - misses / creations, peak = static_cast<double>(score.peak_shadows) / kKeys;
  const bool passes = hits >= kHits && peak <= kPeak && round_s <= kRoundS;
  std::printf(
      "\n10,000 types at once: %.2f %% of the second and third hour hit (%.0f), at most %.2f shadows a type (%.0f), "
      "%.3f s a round, pools in virtual time included (%.2f): %s\n",
      100 * hits, 100 * kHits, peak, kPeak, round_s, kRoundS, passes ? "pass" : "FAIL");
  return passes;
}

bool JudgeAll() {
  const PoolRules rules;
  const Seen calm = Run(Calm(), rules, std::size(kFleet));
  const Adversary adversaries[] = {
      {"none", Calm, rules, 4, {.98, .98, 180, 120, 1}},
      {"the largest type stops", Stops, rules, 1, {.98, .98, 60, 60, 1.1}},
      {"all demand doubles", Doubles, rules, 4, {.94, .97, 480, 120, 3}},
      {"the day comes an hour earlier", ShiftsByAnHour, rules, 4, {.98, .98, 180, 120, 1.2}},
      {"500 types that come once", Flood, rules, 4, {.98, .98, 180, 120, 4}},
      {"leads of 10 to 60 s", Calm, {.lead_min_s = 10, .lead_max_s = 60}, 4, {.98, .98, 180, 120, 1.5}},
      {"5 % of reservations fail", Calm, {.fail = 0.05}, 4, {.98, .98, 180, 120, 1.2}},
  };
  std::printf(
      "| from the tenth day on | hits before, %% | the day after | the second | recovered: hits, min | idle | peak "
      "| orders | |\n|---|---|---|---|---|---|---|---|---|\n");
  bool passes = true;
  for (const Adversary& adversary : adversaries) passes = Judge(adversary, calm) && passes;
  return JudgeManyKeys() && passes;
}

}  // namespace
}  // namespace gnomon

int main() { return gnomon::JudgeAll() ? 0 : 1; }
