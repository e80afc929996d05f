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
  Backtester(const std::vector<TraceRow>& rows, const BacktestOptions& options)
      : rows_(rows), options_(options), forecaster_(options.parts) {
    for (const TraceRow& row : rows) {
      if (ids_.emplace(row.type, types_.size()).second) {
        types_.emplace_back();
        forecaster_.AddKey();
      }
      const double time_s = absl::ToDoubleSeconds(row.time);
      if (time_s >= options.from_s && time_s < options.to_s) types_[ids_[row.type]].creations += row.count;
    }
    for (Type& type : types_) type.judged = type.creations >= options.min_creations;
  }

  std::vector<HorizonScore> Run() {
    size_t row = 0;
    for (double now_s = kMinuteS; now_s <= options_.to_s; now_s += kMinuteS) {
      for (; row < rows_.size() && absl::ToDoubleSeconds(rows_[row].time) < now_s; ++row) {
        const size_t key = ids_[rows_[row].type];
        forecaster_.Created(key, absl::ToDoubleSeconds(rows_[row].time), static_cast<uint32_t>(rows_[row].count));
        types_[key].step += static_cast<double>(rows_[row].count);
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
    if (made.as_of_s < options_.from_s) {
      judged->naive += std::abs(count - WholeQuantile(static_cast<double>(made.forecasts.front()[kMedian])));
      ++judged->naive_outcomes;
      return;
    }
    const int64_t day = static_cast<int64_t>((made.as_of_s - options_.from_s) / HorizonForecaster::kDayS);
    for (Tallies* tallies : {&judged->all, &judged->days[day]}) {
      ++tallies->outcomes;
      tallies->forecasts.resize(made.forecasts.size());
      for (size_t f = 0; f < made.forecasts.size(); ++f) tallies->forecasts[f].Add(made.forecasts[f], count, draw);
    }
  }

  HorizonScore ScoreOf(size_t h) const {
    HorizonScore score;
    score.minutes = static_cast<int>(HorizonForecaster::kHorizonSteps[h] * HorizonForecaster::kStepS / kMinuteS);
    std::vector<std::string> names = forecaster_.forecasts();
    names.insert(names.begin(), "yesterday");
    names.push_back("mix");
    for (const Type& type : types_) score.outcomes += type.horizons[h].all.outcomes;
    if (score.outcomes == 0) return score;
    const size_t rolling = static_cast<size_t>(std::find(names.begin(), names.end(), "rolling") - names.begin());
    for (size_t f = 0; f < names.size(); ++f) {
      ForecastScore& one = score.forecasts.emplace_back();
      one.forecast = names[f];
      AddMeans(h, f, score.outcomes, &one);
      AddWorst(h, f, rolling, &one);
    }
    return score;
  }

  void AddMeans(size_t h, size_t f, int64_t outcomes, ForecastScore* score) const {
    Tally sum;
    double types = 0;
    for (const Type& type : types_) {
      const Judged& judged = type.horizons[h];
      if (judged.all.outcomes == 0) continue;
      sum.Merge(judged.all.forecasts[f]);
      if (judged.naive <= 0) continue;
      const double error = judged.all.forecasts[f].absolute / static_cast<double>(judged.all.outcomes);
      score->mase += error / (judged.naive / static_cast<double>(judged.naive_outcomes));
      ++types;
    }
    score->mase /= std::max(1.0, types);
    for (size_t i = 0; i < kLevels.size(); ++i) {
      score->pinball[i] = sum.pinball[i] / static_cast<double>(outcomes);
      score->coverage[i] = sum.covered[i] / static_cast<double>(outcomes);
      const double above = i + 1 < kLevels.size() ? (kLevels[i] + kLevels[i + 1]) / 2 : 1;
      const double below = i > 0 ? (kLevels[i - 1] + kLevels[i]) / 2 : 0;
      score->crps += 2 * (above - below) * score->pinball[i];
    }
  }

  void AddWorst(size_t h, size_t f, size_t rolling, ForecastScore* score) const {
    std::map<int64_t, std::pair<int64_t, Tally>> days;
    int64_t judged = 0;
    for (const Type& type : types_) {
      if (type.horizons[h].all.outcomes > 0) ++judged;
      for (const auto& [day, tallies] : type.horizons[h].days) {
        days[day].first += tallies.outcomes;
        days[day].second.Merge(tallies.forecasts[f]);
      }
    }
    for (size_t i = 0; i < kLevels.size(); ++i) {
      for (const auto& [day, sums] : days) {
        if (sums.first < judged * kFewestOfDay) continue;
        const double off = sums.second.covered[i] / static_cast<double>(sums.first) - kLevels[i];
        if (std::abs(off) > std::abs(score->worst_day[i])) score->worst_day[i] = off;
      }
      for (const Type& type : types_) {
        const Tallies& all = type.horizons[h].all;
        if (all.outcomes == 0 || all.forecasts[rolling].pinball[i] <= 0) continue;
        score->to_rolling[i] =
            std::max(score->to_rolling[i], all.forecasts[f].pinball[i] / all.forecasts[rolling].pinball[i]);
      }
    }
  }

  const std::vector<TraceRow>& rows_;
  const BacktestOptions options_;
  HorizonForecaster forecaster_;
  std::unordered_map<std::string, size_t> ids_;
  std::vector<Type> types_;
};

}  // namespace

std::vector<HorizonScore> Backtest(const std::vector<TraceRow>& rows, const BacktestOptions& options) {
  return Backtester(rows, options).Run();
}

}  // namespace gnomon
