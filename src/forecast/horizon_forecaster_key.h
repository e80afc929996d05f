// SPDX-License-Identifier: Apache-2.0
//
// A HorizonForecaster::Key is what a forecaster keeps of one key. For the forecaster's own files alone.
#pragma once

#include <cstddef>

#include "forecast/horizon_forecaster.h"

namespace gnomon {

struct HorizonForecaster::Key {
  static constexpr double kBatchS = 10;     // creations that come within it
  static constexpr double kBatchLeast = 10;  // and are so many, are a batch

  Key(const SeriesShape& shape, ForecastPool* pool, size_t number, double from_s);

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.begin_s, self.step.value, self.step.batched, self.step.batches, self.group_s, self.group);
  }
  void EndGroup();

  SeriesForecaster series;
  double begin_s;                 // of the step under way
  Step step;                      // so far
  double group_s = 0, group = 0;  // creations that may be a batch: the first one's time, and how many
};

}  // namespace gnomon
