// SPDX-License-Identifier: Apache-2.0
#include "cli/forecast.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "client/csv.h"
#include "forecast/series_forecaster.h"

namespace gnomon {
namespace {

constexpr double kMaxSeconds = 10e9;
constexpr double kMaxValue = 1e12;
// Larger values, and those that are not whole, are forecast on a scale on which this is their mean.
constexpr double kMeanOfScaled = 1000;
constexpr size_t kNamedTypes = 10;  // in a hint

struct SeriesRow {
  double time_s = 0, value = 1;
};

bool Has(const CsvReader& csv, std::string_view column) {
  return std::find(csv.columns().begin(), csv.columns().end(), column) != csv.columns().end();
}

std::string_view FirstOf(const CsvReader& csv, std::string_view one, std::string_view other) {
  return Has(csv, one) ? one : other;
}

absl::StatusOr<double> Number(const CsvReader& csv, std::string_view column, double most) {
  double number = 0;
  if (!absl::SimpleAtod(AbslView(csv.Field(column)), &number)) return csv.Bad(column, "not a number");
  if (!(number >= 0 && number <= most)) return csv.Bad(column, absl::StrCat("not between 0 and ", most));
  return number;
}

Error BadSeries(const std::string& path, const std::string& why, const std::string& hint) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_SERIES", absl::StrCat("series ", Excerpt(path), ": ", why))
      .Field("series")
      .Value(Excerpt(path))
      .Hint(hint);
}

absl::StatusOr<std::vector<SeriesRow>> ReadRows(const std::string& path, const std::vector<std::string>& types) {
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<CsvReader> csv, CsvReader::Open(path, {}));
  const std::string_view time = FirstOf(*csv, "time", "epoch_sec"), value = FirstOf(*csv, "count", "value"),
                         type = FirstOf(*csv, "type", "group");
  if (!Has(*csv, time)) {
    return BadSeries(path, absl::StrCat("has no column time; it has ", Excerpt(absl::StrJoin(csv->columns(), ", "))),
                     "name its columns time (or epoch_sec), count (or value) and, for several series, type (or group)");
  }
  const bool has_value = Has(*csv, value);
  std::set<std::string> others;  // types that were not asked for
  std::vector<SeriesRow> rows;
  double last_s = 0;
  while (true) {
    GNOMON_ASSIGN_OR_RETURN(const bool any, csv->Next());
    if (!any) break;
    SeriesRow row;
    GNOMON_ASSIGN_OR_RETURN(row.time_s, Number(*csv, time, kMaxSeconds));
    if (row.time_s < last_s) return csv->Bad(time, "earlier than the row before; rows are sorted by time");
    last_s = row.time_s;
    if (has_value && !csv->Field(value).empty()) {
      GNOMON_ASSIGN_OR_RETURN(row.value, Number(*csv, value, kMaxValue));
    }
    if (types.empty() || std::find(types.begin(), types.end(), csv->Field(type)) != types.end()) {
      rows.push_back(row);
    } else if (others.size() < kNamedTypes) {
      others.insert(std::string(csv->Field(type)));
    }
  }
  if (!rows.empty() || others.empty()) return rows;
  return BadSeries(path, absl::StrCat("has no row of type ", Excerpt(absl::StrJoin(types, ", "))),
                   absl::StrCat("its types are ", Excerpt(absl::StrJoin(others, ", "))));
}

double SmallestGap(const std::vector<SeriesRow>& rows) {
  double smallest = std::numeric_limits<double>::infinity();
  for (size_t i = 1; i < rows.size(); ++i) {
    if (const double gap = rows[i].time_s - rows[i - 1].time_s; gap > 0) smallest = std::min(smallest, gap);
  }
  return smallest;
}

// What values are multiplied by before they are forecast.
double ScaleOf(const FileSeries& series) {
  double sum = 0;
  bool whole = true;
  for (double value : series.values) {
    sum += value;
    whole = whole && value == std::floor(value);
  }
  const double mean = sum / static_cast<double>(series.values.size());
  return (whole && mean <= kMeanOfScaled) || mean <= 0 ? 1 : kMeanOfScaled / mean;
}

}  // namespace

absl::StatusOr<FileSeries> ReadSeries(const std::string& path, double step_s, const std::vector<std::string>& types) {
  GNOMON_ASSIGN_OR_RETURN(const std::vector<SeriesRow> rows, ReadRows(path, types));
  FileSeries series;
  series.step_s = step_s > 0 ? step_s : SmallestGap(rows);
  if (rows.empty() || !std::isfinite(series.step_s)) {
    return BadSeries(path, absl::StrCat("has ", rows.empty() ? "no rows" : "rows of one time alone"),
                     "a series needs rows of two times at least, or one row and --step");
  }
  const double first = std::floor(rows.front().time_s / series.step_s);
  const double steps = std::floor(rows.back().time_s / series.step_s) - first + 1;
  if (steps > static_cast<double>(kMaxSeriesSteps)) {
    return BadSeries(path, absl::StrCat("has ", steps, " steps of ", series.step_s, "s; at most ", kMaxSeriesSteps),
                     "give a longer --step, as 5m");
  }
  series.begin_s = first * series.step_s;
  series.values.resize(static_cast<size_t>(steps), 0);
  for (const SeriesRow& row : rows) {
    series.values[static_cast<size_t>(std::floor(row.time_s / series.step_s) - first)] += row.value;
  }
  return series;
}

SeriesForecast ForecastSeries(const FileSeries& series, int horizon, const std::vector<int>& seasons) {
  SeriesShape shape{.seasons = seasons, .spans = {}, .parts = {.pooling = false}};
  for (int ahead = 0; ahead < horizon; ++ahead) shape.spans.push_back({ahead, ahead + 1});
  ForecastPool pool = MakePool(shape);
  SeriesForecaster forecaster(shape, &pool, 0);
  const double scale = ScaleOf(series);
  const size_t from = series.values.size() - std::min(series.values.size(), kLearntSteps);
  for (size_t i = from; i < series.values.size(); ++i) forecaster.Add({.value = series.values[i] * scale});
  SeriesForecast forecast;
  for (size_t ahead = 0; ahead < static_cast<size_t>(horizon); ++ahead) {
    std::array<double, kLevels.size()>& step = forecast.steps.emplace_back();
    for (size_t i = 0; i < kLevels.size(); ++i) {
      const double exact = static_cast<double>(forecaster.Forecast(ahead)[i]);
      step[i] = scale == 1 ? WholeQuantile(exact) : std::max(0.0, exact - 0.5) / scale;
    }
  }
  const std::vector<std::string> names = shape.forecasts();
  const std::vector<Quantiles> weights = forecaster.Weights(0);
  for (size_t i = 0; i < names.size(); ++i) {
    forecast.weights.emplace_back(names[i], static_cast<double>(weights[i][kMedian]));
  }
  return forecast;
}

std::string Chart(const FileSeries& series, const SeriesForecast& forecast) {
  constexpr size_t kColumns = 50, kRows = 16;  // columns of the past, and of the future
  const size_t bucket = (forecast.steps.size() + kColumns - 1) / kColumns;  // steps a column
  const size_t past = std::min(kColumns, series.values.size() / bucket);
  const size_t future = (forecast.steps.size() + bucket - 1) / bucket;
  std::vector<double> counted(past, 0);
  for (size_t i = 0; i < past * bucket; ++i) {
    counted[past - 1 - i / bucket] += series.values[series.values.size() - 1 - i] / static_cast<double>(bucket);
  }
  std::vector<std::array<double, kLevels.size()>> coming(future);
  for (size_t i = 0; i < forecast.steps.size(); ++i) {
    const size_t begin = i / bucket * bucket;
    const double steps = static_cast<double>(std::min(bucket, forecast.steps.size() - begin));
    for (size_t level = 0; level < kLevels.size(); ++level) coming[i / bucket][level] += forecast.steps[i][level] / steps;
  }
  double highest = 1e-9;
  for (double value : counted) highest = std::max(highest, value);
  for (const auto& column : coming) highest = std::max(highest, column[kLevel90]);
  auto row_of = [&](double value) { return std::lround(std::min(1.0, value / highest) * (kRows - 1)); };
  std::vector<std::string> lines(kRows, std::string(past + 1 + future, ' '));
  for (std::string& line : lines) line[past] = '|';
  auto fill = [&](size_t column, double low, double high, char mark) {
    for (long row = row_of(low); row <= row_of(high); ++row) lines[static_cast<size_t>(row)][column] = mark;
  };
  for (size_t i = 0; i < past; ++i) fill(i, counted[i], counted[i], '*');
  for (size_t i = 0; i < future; ++i) {
    fill(past + 1 + i, coming[i][0], coming[i][kLevel90], '.');
    fill(past + 1 + i, coming[i][1], coming[i][kMedian + 1], ':');
    fill(past + 1 + i, coming[i][kMedian], coming[i][kMedian], 'o');
  }
  std::string chart;
  for (size_t row = kRows; row-- > 0;) {
    const double value = highest * static_cast<double>(row) / (kRows - 1);
    absl::StrAppend(&chart, row % 5 == 0 ? absl::StrFormat("%10.4g ", value) : std::string(11, ' '), lines[row], "\n");
  }
  absl::StrAppend(&chart, std::string(11, ' '), "* counted; o the median, : from 25 to 75 %, . from 10 to 90 %",
                  bucket > 1 ? absl::StrCat("; a column is the mean of ", bucket, " steps") : "", "\n");
  return chart;
}

}  // namespace gnomon
