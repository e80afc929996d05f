// SPDX-License-Identifier: Apache-2.0
//
// A ForecastPool is what the series of a fleet learn together: quantile trees, and how forecasts are calibrated.
//
// Trees forecast, for each span and level, the score (outcome - base) / sqrt(base + 1) over one expert's forecast, the
// base, from features that say how the other experts and the recent steps differ from it. One tree ensemble is fitted
// at a time, in turn; each is averaged with the one before it.
//
// Calibration shifts the quantiles of all series of a class (by size) so that the share of outcomes below them becomes
// the level's: adaptive conformal inference in the form of quantile tracking (Gibbs and Candes, NeurIPS 2021;
// Angelopoulos et al., Conformal PID Control, NeurIPS 2023). A single series seldom errs at 99 %: a class errs often
// enough to tell. To the shift of its class each series adds one of its own, which follows ten times more slowly.
//
// Threads: not thread-safe. Deterministic. Cost: a fit about 0.1 s; Trees 20 us; Shift and Covered 10 ns.
// Memory: at most kMaxRows rows of kPooledFeatures floats for each span.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "forecast/levels.h"
#include "forecast/quantile_trees.h"

namespace gnomon {

class ForecastPool {
 public:
  static constexpr size_t kMaxRows = 20000;    // a span, that trees are fitted on
  static constexpr size_t kFewestRows = 4000;  // before the first fit
  static constexpr size_t kRowsSpan = 1152;    // forecasts of each series that the rows reach back, at least
  static constexpr size_t kClasses = 4;        // of size

  ForecastPool(size_t spans, size_t features);

  // Whether there are trees for all levels of `span`, and what they say: scores.
  bool HasTrees(size_t span) const;
  Quantiles TreeScores(size_t span, std::span<const float> features) const;
  // Whether the n-th forecast of the series `key` is to be kept: so many that the rows reach back kRowsSpan forecasts.
  bool Keeps(uint64_t key, uint64_t n) const;
  // What came of a forecast made from `features`.
  void Keep(size_t span, std::span<const float> features, double score, double scale);
  // Fits the trees whose turn it is, if there are rows enough.
  void FitNext();

  // The class of series of so many creations a span at the mean; `from` is the class that a series leaves.
  size_t ClassOf(double mean) const;
  void Move(size_t from, size_t to);  // of kClasses: from or to nowhere
  // By the class's shifts and the series' `own`. Each level by itself: what comes out may not rise.
  Quantiles Shift(size_t span, size_t size_class, const Quantiles& own, const Quantiles& quantiles) const;
  // `quantiles` are those of Shift, in the order that it gave; `own` follows too.
  void Covered(size_t span, size_t size_class, const Quantiles& quantiles, double outcome, Quantiles* own);

  // As in base/state.h; spans and features are not stored.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    for (auto& span : self.spans_) {
      archive(span.rows, span.next_row, span.shifts);
      archive.Require(span.rows.size() <= kMaxRows && span.next_row < kMaxRows);
      archive.Require(span.next_row == 0 || span.next_row < span.rows.size());
      for (auto& models : span.models) {
        archive(models);
        archive.Require(models.size() <= kModels);
        for (const QuantileTrees& model : models) archive.Require(model.width() <= span.rows.width());
      }
    }
    archive(self.fits_, self.members_);
  }

 private:
  static constexpr size_t kModels = 2;

  struct SpanPool {
    explicit SpanPool(size_t features) : rows(features) {}
    TreeRows rows;
    size_t next_row = 0;  // the oldest, once there are kMaxRows
    std::array<std::vector<QuantileTrees>, kLevels.size()> models;  // the newest last
    std::array<Quantiles, kClasses> shifts{};                       // in spreads, 25 to 90 %
  };

  std::vector<SpanPool> spans_;
  uint64_t fits_ = 0;
  std::array<uint64_t, kClasses> members_{};
};

}  // namespace gnomon
