// SPDX-License-Identifier: Apache-2.0
//
// A trace is a recording of creations, read from CSV or gzip CSV by the columns of data/README.md.
//
// `time` and `type` are required; without `count` a row is one creation, without `lifetime` nothing is released,
// without `batch` each row is alone.
// Further columns are ignored.
//
// Threads: free functions and value types.
// Errors: CsvReader's; a bad row is INVALID_ARGUMENT (BAD_CSV) and names its line and column. Rows must be sorted by
// time. Limits: at most 10 million creations; 96 bytes a row in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gnomon {

struct TraceRow {
  absl::Duration time;  // since the start of the trace
  std::string type;
  int64_t count = 1;                       // creations
  std::optional<absl::Duration> lifetime;  // none: longer than the trace
  std::string batch;                       // those of one batch were started together; empty: alone
  int64_t line = 0;                        // in its file
};

struct TraceWindow {
  absl::Duration from = absl::ZeroDuration();    // rows before it are left out
  absl::Duration to = absl::InfiniteDuration();  // rows from it on are left out
};

// Reads and checks the whole file; only the rows inside `window` are kept.
absl::StatusOr<std::vector<TraceRow>> ReadTrace(const std::string& path, const TraceWindow& window = {});

}  // namespace gnomon
