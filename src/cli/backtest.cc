// SPDX-License-Identifier: Apache-2.0
#include "cli/backtest.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <unordered_map>

namespace gnomon {
namespace {

constexpr double kMinuteS = 60;
constexpr size_t kHorizons = HorizonForecaster::kHorizonSteps.size();
constexpr int kDaySteps = static_cast<int>(HorizonForecaster::kDayS / HorizonForecaster::kStepS);
constexpr int64_t kFewestOfDay = kDaySteps / 2;  // outcomes of a type that make a day
constexpr const char* kYesterday = "yesterday";

constexpr double kMostOfSeasonalNaive = 0.8, kMostOfRolling = 1.02;
struct LevelLimits {
  size_t level;
  double coverage, worst_day;  // off by
};
constexpr std::array<LevelLimits, 4> kLimits = {
    {{kMedian, 0.015, 0.05}, {kLevel90, 0.01, 0.03}, {kLevel95, 0.01, 0.02}, {kLevel99, 0.004, 0.01}}};

// What is known of one forecast at one horizon while outcomes come.
struct Tally {
  AtLevels pinball{}, covered{};
  double absolute = 0;  // errors of the median

  void Add(const Quantiles& exact, double count, double draw) {
    for (size_t i = 0; i < kLevels.size(); ++i) {
      const double quantile = static_cast<double>(exact[i]), whole = WholeQuantile(quantile);
      pinball[i] += Pinball(kLevels[i], whole, count);
      covered[i] += count + draw <= quantile ? 1 : 0;
      if (i == kMedian) absolute += std::abs(count - whole);
    }
  }
  void Merge(const Tally& other) {
    for (size_t i = 0; i < kLevels.size(); ++i) {
      pinball[i] += other.pinball[i];
      covered[i] += other.covered[i];
    }
  }
};

struct Tallies {
  int64_t outcomes = 0;
  std::vector<Tally> forecasts;

  void Merge(const Tallies& other) {
    outcomes += other.outcomes;
    forecasts.resize(other.forecasts.size());
    for (size_t f = 0; f < forecasts.size(); ++f) forecasts[f].Merge(other.forecasts[f]);
  }
  AtLevels Coverage(size_t f) const {
    AtLevels coverage = forecasts[f].covered;
    for (double& share : coverage) share /= static_cast<double>(outcomes);
    return coverage;
  }
};

struct Made {
  double as_of_s = 0;
  std::vector<Quantiles> forecasts;  // `yesterday`, all that is mixed, the mix
};

// One type at one horizon.
struct Judged {
  std::deque<Made> made;
  Tallies all;
  std::map<int64_t, Tallies> days;
  double naive = 0;  // absolute errors of `yesterday` before the judged part
  int64_t naive_outcomes = 0;
};

struct Type {
  std::string name;
  bool judged = false;
  int64_t creations = 0;      // in the judged part
  double step = 0;            // so far
  std::vector<double> steps;  // the newest last
  int64_t seen = 0;           // steps
  std::array<Judged, kHorizons> horizons;

  // The sum of `length` steps, the newest of them `back` before the newest of all.
  double Sum(size_t back, size_t length) const {
    double sum = 0;
    for (size_t i = back; i < std::min(back + length, steps.size()); ++i) sum += steps[steps.size() - 1 - i];
    return sum;
  }
};

class Backtester {
 public:
  Backtester(const JudgedTrace& trace, const ForecastParts& parts) : trace_(trace), forecaster_(parts) {
    for (const TraceRow& row : trace.rows) {
      if (ids_.emplace(row.type, types_.size()).second) {
        types_.emplace_back().name = row.type;
        forecaster_.AddKey();
      }
      if (absl::ToDoubleSeconds(row.time) >= trace.warmup_s) types_[ids_[row.type]].creations += row.count;
    }
    for (Type& type : types_) type.judged = type.creations >= trace.min_creations;
    names_ = forecaster_.forecasts();
    names_.insert(names_.begin(), kYesterday);
    names_.push_back("mix");
  }

  std::vector<HorizonScore> Run() {
    size_t row = 0;
    for (double now_s = kMinuteS; now_s <= trace_.end_s; now_s += kMinuteS) {
      for (; row < trace_.rows.size() && absl::ToDoubleSeconds(trace_.rows[row].time) < now_s; ++row) {
        const TraceRow& created = trace_.rows[row];
        const size_t key = ids_[created.type];
        forecaster_.Created(key, absl::ToDoubleSeconds(created.time), static_cast<uint32_t>(created.count));
        types_[key].step += static_cast<double>(created.count);
      }
      forecaster_.Review(now_s);
      for (size_t key = 0; key < types_.size(); ++key) {
        const int64_t steps = forecaster_.series(key).history().pushed();
        if (steps != types_[key].seen && types_[key].judged) EndStep(key, now_s);
        types_[key].seen = steps;
      }
    }
    std::vector<HorizonScore> scores;
    for (size_t h = 0; h < kHorizons; ++h) scores.push_back(ScoreOf(h));
    return scores;
  }

 private:
  void EndStep(size_t key, double now_s) {
    Type& type = types_[key];
    type.steps.push_back(type.step);
    type.step = 0;
    for (size_t h = 0; h < kHorizons; ++h) {
      Judged& judged = type.horizons[h];
      const size_t length = static_cast<size_t>(HorizonForecaster::kHorizonSteps[h]);
      if (judged.made.size() == length) {
        Judge(&judged, type.Sum(0, length), Draw(key * kHorizons + h, type.steps.size()));
        judged.made.pop_front();
      }
      Made made{now_s, {}};
      const double yesterday = type.Sum(static_cast<size_t>(kDaySteps) - length, length);
      made.forecasts.emplace_back().fill(static_cast<float>(yesterday + 1));  // of the count plus U
      const SeriesForecaster& series = forecaster_.series(key);
      made.forecasts.insert(made.forecasts.end(), series.Apart(h).begin(), series.Apart(h).end());
      made.forecasts.push_back(series.Forecast(h));
      judged.made.push_back(std::move(made));
    }
  }

  void Judge(Judged* judged, double count, double draw) {
    const Made& made = judged->made.front();
    if (made.as_of_s < trace_.warmup_s) {
      judged->naive += std::abs(count - WholeQuantile(static_cast<double>(made.forecasts.front()[kMedian])));
      ++judged->naive_outcomes;
      return;
    }
    const int64_t day = static_cast<int64_t>((made.as_of_s - trace_.warmup_s) / HorizonForecaster::kDayS);
    for (Tallies* tallies : {&judged->all, &judged->days[day]}) {
      ++tallies->outcomes;
      tallies->forecasts.resize(made.forecasts.size());
      for (size_t f = 0; f < made.forecasts.size(); ++f) tallies->forecasts[f].Add(made.forecasts[f], count, draw);
    }
  }

  HorizonScore ScoreOf(size_t h) const {
    HorizonScore score;
    score.minutes = static_cast<int>(HorizonForecaster::kHorizonSteps[h] * HorizonForecaster::kStepS / kMinuteS);
    Tallies sums;
    std::map<int64_t, Tallies> days;
    for (const Type& type : types_) {
      const Judged& judged = type.horizons[h];
      if (judged.all.outcomes == 0) continue;
      sums.Merge(judged.all);
      for (const auto& [day, tallies] : judged.days) days[day].Merge(tallies);
      SeriesScore& series = score.types.emplace_back();
      series.type = type.name;
      series.coverage = judged.all.Coverage(names_.size() - 1);
      AddRatios(judged.all, names_.size() - 1, &series);
    }
    score.outcomes = sums.outcomes;
    if (sums.outcomes == 0) return score;
    for (size_t f = 0; f < names_.size(); ++f) {
      ForecastScore& one = score.forecasts.emplace_back();
      one.forecast = names_[f];
      one.coverage = sums.Coverage(f);
      AddMeans(sums, f, &one);
      AddRatios(sums, f, &one);
      one.mase = ScaledError(h, f);
      for (const auto& [day, tallies] : days) {
        if (tallies.outcomes >= kFewestOfDay * static_cast<int64_t>(score.types.size())) AddDay(tallies, f, &one);
      }
    }
    return score;
  }

  static void AddMeans(const Tallies& sums, size_t f, ForecastScore* score) {
    for (size_t i = 0; i < kLevels.size(); ++i) {
      score->pinball[i] = sums.forecasts[f].pinball[i] / static_cast<double>(sums.outcomes);
      const double above = i + 1 < kLevels.size() ? (kLevels[i] + kLevels[i + 1]) / 2 : 1;
      const double below = i > 0 ? (kLevels[i - 1] + kLevels[i]) / 2 : 0;
      score->crps += 2 * (above - below) * score->pinball[i];
    }
  }

  // 1 where both lose nothing.
  template <typename Score>
  void AddRatios(const Tallies& sums, size_t f, Score* score) const {
    auto at = [&](const char* name) { return sums.forecasts[IndexOf(name)].pinball; };
    const AtLevels plain = at(kYesterday), with_errors = at("seasonal_naive_288"), rolling = at("rolling");
    auto ratio = [](double loss, double of) { return loss <= 0 && of <= 0 ? 1 : loss / std::max(of, 1e-9); };
    for (size_t i = 0; i < kLevels.size(); ++i) {
      const double loss = sums.forecasts[f].pinball[i];
      score->to_seasonal_naive[i] = ratio(loss, std::min(plain[i], with_errors[i]));
      score->to_rolling[i] = ratio(loss, rolling[i]);
    }
  }

  double ScaledError(size_t h, size_t f) const {
    double sum = 0, types = 0;
    for (const Type& type : types_) {
      const Judged& judged = type.horizons[h];
      if (judged.all.outcomes == 0 || judged.naive <= 0) continue;
      const double error = judged.all.forecasts[f].absolute / static_cast<double>(judged.all.outcomes);
      sum += error / (judged.naive / static_cast<double>(judged.naive_outcomes));
      ++types;
    }
    return sum / std::max(1.0, types);
  }

  static void AddDay(const Tallies& day, size_t f, ForecastScore* score) {
    const AtLevels coverage = day.Coverage(f);
    for (size_t i = 0; i < kLevels.size(); ++i) {
      const double off = coverage[i] - kLevels[i];
      if (std::abs(off) > std::abs(score->worst_day[i])) score->worst_day[i] = off;
    }
  }

  size_t IndexOf(const char* name) const {
    return static_cast<size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
  }

  const JudgedTrace& trace_;
  HorizonForecaster forecaster_;
  std::vector<std::string> names_;  // of Made::forecasts
  std::unordered_map<std::string, size_t> ids_;
  std::vector<Type> types_;
};

}  // namespace

std::vector<HorizonScore> Backtest(const JudgedTrace& trace, const ForecastParts& parts) {
  return Backtester(trace, parts).Run();
}

std::vector<Promise> Promises(const std::vector<HorizonScore>& scores) {
  std::vector<Promise> promises;
  for (const HorizonScore& score : scores) {
    const ForecastScore& mix = score.forecasts.back();
    for (const LevelLimits& limits : kLimits) {
      const size_t i = limits.level;
      promises.push_back({score.minutes, i, "to_seasonal_naive", mix.to_seasonal_naive[i], kMostOfSeasonalNaive});
      promises.push_back({score.minutes, i, "to_rolling", mix.to_rolling[i], kMostOfRolling});
      promises.push_back({score.minutes, i, "coverage", mix.coverage[i] - kLevels[i], limits.coverage});
      promises.push_back({score.minutes, i, "worst_day", mix.worst_day[i], limits.worst_day});
    }
  }
  return promises;
}

}  // namespace gnomon
