// SPDX-License-Identifier: Apache-2.0
//
// A SeriesForecaster forecasts the sums of a series over spans of coming steps, as quantiles, and learns from each step.
//
// Its forecasts are a ForecastMix of: the quantile of the last season's sums; each Expert's forecast with the errors that
// it had (ScoreHistogram; while those are few, a negative binomial); and the trees of its ForecastPool, which then
// calibrates the mix. A span is forecast as a whole: quantiles are never added.
//
// Example:
//   SeriesShape shape{.seasons = {288, 2016}, .spans = {{0, 1}, {0, 6}}};   // steps of five minutes
//   ForecastPool pool = MakePool(shape);
//   SeriesForecaster series(shape, &pool, 0);
//   series.Add({.value = 12});
//   series.Forecast(1)[kLevel99];    // creations of the next half hour, plus U (levels.h)
//
// Threads: not thread-safe. Deterministic: equal steps give equal bits. Ownership: the shape and the pool outlive it.
// Cost: 50 us a step with the seasons and spans of HorizonForecaster. Memory: 12 kB then.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "forecast/expert.h"
#include "forecast/forecast_mix.h"
#include "forecast/forecast_pool.h"
#include "forecast/levels.h"
#include "forecast/score_histogram.h"
#include "forecast/step_history.h"

namespace gnomon {

// What forecasts are made of, so that a backtest can tell what each part is good for.
struct ForecastParts {
  bool bursts = true;       // trees see the largest recent steps and how long ago the last burst was
  bool batches = true;      // trees see how much comes in batches, and how large they are
  bool pooling = true;      // trees of all series
  bool mixing = true;       // weights; otherwise all forecasts weigh the same
  bool calibration = true;  // shifts
};

// What the series of one pool have in common.
struct SeriesShape {
  std::vector<int> seasons;  // in steps, rising, at least one
  std::vector<Span> spans;
  ForecastParts parts = {};

  size_t capacity() const;               // of a history
  std::vector<std::string> forecasts() const;  // the names of what is mixed
};

ForecastPool MakePool(const SeriesShape& shape);

// What came in one step.
struct Step {
  double value = 0;
  double batched = 0;  // of it, in batches
  double batches = 0;  // how many those were
};

class SeriesForecaster {
 public:
  // `key` numbers the series of a pool.
  SeriesForecaster(const SeriesShape& shape, ForecastPool* pool, uint64_t key);

  void Add(const Step& step);
  // As of the last step. Of the sum plus U.
  const Quantiles& Forecast(size_t span) const { return mixed_[span]; }
  // By what is mixed, in the order of SeriesShape::forecasts(): its quantiles and weights.
  const std::vector<Quantiles>& Apart(size_t span) const { return spans_[span].made.back().apart; }
  std::vector<Quantiles> Weights(size_t span) const;
  const StepHistory& history() const { return history_; }

  // As in base/state.h.
  void Save(StateWriter& writer) const;
  void Restore(StateReader& reader);

 private:
  struct Made {  // a forecast whose outcome is not known yet
    std::vector<float> expected;    // by expert
    std::vector<Quantiles> apart;   // by what is mixed
    Quantiles mixed{};
    std::vector<float> features;    // for the trees; empty if they do not learn from it

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive(self.expected, self.apart, self.mixed, self.features);
    }
  };
  struct SpanState {
    std::vector<ScoreHistogram> scores;  // by expert
    ForecastMix mix;
    std::deque<Made> made;   // the newest last
    Quantiles own_shifts{};  // besides the class's (ForecastPool)

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive.Elements(self.scores);
      archive(self.mix, self.made, self.own_shifts);
    }
  };
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self);

  void Learn(size_t span);
  Made Make(size_t span, double unevenness) const;
  Quantiles Recent(const Span& span, double unevenness) const;
  Quantiles Scored(const ScoreHistogram& scores, double expected, double unevenness) const;
  std::vector<float> Features(size_t span, std::span<const float> expected) const;
  bool IsWellFormed() const;

  const SeriesShape& shape_;
  ForecastPool* const pool_;
  const uint64_t key_;
  StepHistory history_;
  std::vector<std::unique_ptr<Expert>> experts_;
  std::vector<SpanState> spans_;
  std::vector<Quantiles> mixed_;  // by span
  size_t class_;                  // of size, in the pool
  double batched_ = 0, batches_ = 0, alone_ = 0;  // faded, a step
  double last_batched_ = 0;                       // of the newest step
  int64_t burst_ = 0;                             // steps when the last one came
};

}  // namespace gnomon
