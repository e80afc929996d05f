// SPDX-License-Identifier: Apache-2.0
//
// A MetricGrid keeps the value of one rule at even times, combined over the series that feed it.
//
// The value at a time T is what an instant query of Prometheus at T gives: of each series its last sample at or before T,
// unless that is five minutes old or ended the series; then those are combined. Where no series has a value there is a
// gap, which is no point, and never a zero.
//
// With `increases` the series are totals that only grow, and the value at T is what came since T - step; a total that
// fell began anew at zero. A series counts from its second step on.
//
// Samples may come in any order within kWindowSteps steps of the newest one.
//
// Threads: not thread-safe.
// Limits: kMaxSeries series; kKeptSteps points: 14 days at 15 s. Memory: 8 bytes a point where there are any, and at
//   most 16 kB a series.
// Cost: a sample is an append; points are combined when they are asked for, in the series times the steps since then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "signals/metric_rule.h"
#include "signals/series.h"

namespace gnomon {

struct MetricPoint {
  int64_t time_s = 0;  // of 1970 UTC
  double value = 0;
  friend bool operator==(const MetricPoint&, const MetricPoint&) = default;
};

class MetricGrid {
 public:
  static constexpr size_t kMaxSeries = 1000;
  static constexpr int64_t kKeptSteps = 80'640;
  static constexpr int64_t kWindowSteps = 320;
  static constexpr int64_t kLookbackMs = 300'000;  // as Prometheus' default

  struct Options {
    int64_t step_s = 15;
    MetricCombine combine = MetricCombine::kSum;
    bool increases = false;
  };
  enum class Taken : uint8_t { kTaken, kSuperseded, kDuplicate, kTooOld, kTooManySeries };

  explicit MetricGrid(const Options& options)
      : options_(options), step_ms_(options.step_s * 1000), lookback_(kLookbackMs / step_ms_ + 1) {}

  // `series`: who it is, as TextOf its labels. kSuperseded: its step has a later one. kDuplicate: of the same time, with
  // another value. `adds`: the value is added to those before, as of an OTLP delta.
  Taken Add(const std::string& series, const Sample& sample, bool adds = false);

  // Those at or after `from_s` and at or before `until_s`, ascending, without gaps.
  std::vector<MetricPoint> Points(int64_t from_s, int64_t until_s);
  // The value now, at the time of the newest sample; none if all series have ended or are silent.
  std::optional<MetricPoint> Latest(int64_t now_ms);

  size_t series() const { return series_.size(); }  // that had a sample within the window
  std::optional<int64_t> last_sample_ms() const { return last_sample_ms_; }

 private:
  struct Entry {
    int64_t step, time_ms;
    double value;
    bool ends;
  };
  struct Line {
    std::deque<Entry> entries;  // by step, each once: the last sample in (T - step, T]
    double total = 0;           // of what was added
  };
  static constexpr int64_t kBlockSteps = 240;
  using Block = std::array<double, kBlockSteps>;  // NaN: a gap

  Taken Insert(Line& line, const Entry& entry);
  void Advance(int64_t step);
  void Settle(int64_t until);
  void Combine(const Line& line, int64_t first, std::vector<double>* values, std::vector<uint32_t>* counts) const;
  std::optional<double> At(int64_t step) const;
  void Keep(int64_t step, std::optional<double> value);

  const Options options_;
  const int64_t step_ms_, lookback_;  // lookback in steps, rounded up

  absl::flat_hash_map<std::string, Line> series_;
  std::optional<int64_t> last_sample_ms_;
  std::optional<int64_t> newest_;  // step of the newest sample
  // Steps before it are combined in blocks_; it is never more than kWindowSteps before the newest.
  int64_t unsettled_ = 0;
  std::map<int64_t, Block> blocks_;  // by step / kBlockSteps
};

}  // namespace gnomon
