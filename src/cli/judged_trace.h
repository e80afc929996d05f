// SPDX-License-Identifier: Apache-2.0
//
// A JudgedTrace is what `simulate` and `backtest` work on: a trace that is learnt from until the warm-up's end and judged
// from there on.
//
// Threads: free functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/commands.h"
#include "client/trace.h"

namespace gnomon {

struct TraceFlags {
  std::string trace = {}, from = {}, to = {}, warmup = "0s";
  std::vector<std::string> types = {};
  int64_t min_creations = 200;
};

struct JudgedTrace {
  std::vector<TraceRow> rows = {};  // of the types asked for, all unless some were; times count from --from
  double warmup_s = 0;
  double end_s = 0;           // --to, or just after the last row
  std::string note = {};      // for who asked, a line; empty: there is none
  int64_t min_creations = 1;  // of a type from warmup_s on, to be judged: one type has so many
};

// --trace, --from, --to, --warmup, --types, --min-creations; `flags` outlives the command.
void AddTraceFlags(CLI::App* command, TraceFlags* flags);

// Errors: those of ReadTrace; INVALID_DURATION; NOTHING_TO_JUDGE for types that the trace does not have, and a warm-up
// after which no type has creations enough.
absl::StatusOr<JudgedTrace> ReadJudgedTrace(const TraceFlags& flags);

}  // namespace gnomon
