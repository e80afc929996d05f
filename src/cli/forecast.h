// SPDX-License-Identifier: Apache-2.0
//
// A file forecast: a series read from a file, and its next steps as quantiles.
//
// Columns by name: `time` or `epoch_sec` (seconds); `count` or `value` (not negative; without it a row is one);
// `type` or `group`, if the file has several series. Rows are sorted by time. Steps without a row are 0.
//
// Threads: free functions. Deterministic. Limits: kMaxSeriesSteps; the last kLearntSteps of them are learnt from; horizons
// to kMaxHorizon, seasons to kMaxSeason steps. Cost: about 5 us a step learnt from and step of the horizon.
// Errors: CsvReader's; INVALID_ARGUMENT: BAD_CSV with line and column, BAD_SERIES.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "forecast/levels.h"

namespace gnomon {

inline constexpr int64_t kMaxSeriesSteps = 1'000'000;
inline constexpr size_t kLearntSteps = 20'000;
inline constexpr int kMaxHorizon = 500;
inline constexpr int kMaxSeason = 10'000;

struct FileSeries {
  double begin_s = 0;  // of the first step
  double step_s = 0;
  std::vector<double> values;
};

// `step_s` 0: the smallest difference of two times. `types` empty: all together.
absl::StatusOr<FileSeries> ReadSeries(const std::string& path, double step_s, const std::vector<std::string>& types);

struct SeriesForecast {
  std::vector<std::array<double, kLevels.size()>> steps;  // the coming ones; whole if all values are
  std::vector<std::pair<std::string, double>> weights;    // of what is mixed, for the median of the next step
};

// `seasons` in steps, rising, at least one.
SeriesForecast ForecastSeries(const FileSeries& series, int horizon, const std::vector<int>& seasons);

// The end of the series and the forecast, as lines of text, the last of which says what its marks mean.
std::string Chart(const FileSeries& series, const SeriesForecast& forecast);

}  // namespace gnomon
