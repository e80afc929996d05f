// SPDX-License-Identifier: Apache-2.0
#include "client/trace.h"

#include <cmath>
#include <memory>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "client/csv.h"

namespace gnomon {
namespace {

constexpr int64_t kMaxCreations = 10'000'000;
constexpr double kMaxSeconds = 10e9;  // 300 years: no sum of two overflows

absl::StatusOr<absl::Duration> ParseSeconds(const CsvReader& csv, std::string_view column) {
  double seconds = 0;
  if (!absl::SimpleAtod(AbslView(csv.Field(column)), &seconds)) return csv.Bad(column, "not a number of seconds");
  if (!(seconds >= 0 && seconds <= kMaxSeconds)) return csv.Bad(column, "not between 0 and 10^10 seconds");
  return absl::Seconds(seconds);
}

absl::StatusOr<TraceRow> ParseRow(const CsvReader& csv) {
  TraceRow row;
  row.line = csv.line();
  GNOMON_ASSIGN_OR_RETURN(row.time, ParseSeconds(csv, "time"));
  row.type = csv.Field("type");
  if (row.type.empty() || row.type.size() > 128) return csv.Bad("type", "not of 1 to 128 characters");
  if (std::string_view count = csv.Field("count"); !count.empty()) {
    if (!absl::SimpleAtoi(AbslView(count), &row.count) || row.count < 1 || row.count > kMaxCreations) {
      return csv.Bad("count", absl::StrCat("not a whole number from 1 to ", kMaxCreations));
    }
  }
  row.batch = csv.Field("batch");
  if (row.batch.size() > 128) return csv.Bad("batch", "longer than 128 characters");
  if (!csv.Field("lifetime").empty()) {
    GNOMON_ASSIGN_OR_RETURN(row.lifetime, ParseSeconds(csv, "lifetime"));
  }
  return row;
}

}  // namespace

absl::StatusOr<std::vector<TraceRow>> ReadTrace(const std::string& path, const TraceWindow& window) {
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<CsvReader> csv, CsvReader::Open(path, {"time", "type"}));
  std::vector<TraceRow> rows;
  absl::Duration last = absl::ZeroDuration();
  int64_t creations = 0;
  while (true) {
    GNOMON_ASSIGN_OR_RETURN(bool any, csv->Next());
    if (!any) break;
    GNOMON_ASSIGN_OR_RETURN(TraceRow row, ParseRow(*csv));
    if (row.time < last) return csv->Bad("time", "earlier than the row before; rows are sorted by time");
    last = row.time;
    if (row.time < window.from || row.time >= window.to) continue;
    creations += row.count;
    if (creations > kMaxCreations)
      return csv->Bad("count", absl::StrCat("more than ", kMaxCreations, " creations in all"));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace gnomon
