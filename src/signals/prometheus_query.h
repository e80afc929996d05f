// SPDX-License-Identifier: Apache-2.0
//
// A PrometheusQuery is one question to the HTTP API of a Prometheus (Thanos, Mimir, VictoriaMetrics): its form, and the
// reading of what is answered.
//
// Values that are no finite number are dropped and counted: they say that there is no value at that time.
//
// Errors of DecodeQueryAnswer: INVALID_ARGUMENT QUERY_REFUSED, with the errorType and text of the server; UNAVAILABLE
//   QUERY_FAILED, of a server that cannot answer now; INTERNAL BAD_QUERY_ANSWER, of one that is no Prometheus.
// Limits: PushLimits' series; the caller bounds the bytes.
// Threads: free functions.
// Source: prometheus.io, "HTTP API".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "signals/metric_push.h"

namespace gnomon {

// Steps from `begin_s` to `end_s`, both included.
struct QueryRange {
  int64_t begin_s = 0, end_s = 0;
  friend bool operator==(const QueryRange&, const QueryRange&) = default;
};

constexpr int64_t kMaxQueryPoints = 11'000;  // that Prometheus answers of a series
constexpr std::string_view kQueryContentType = "application/x-www-form-urlencoded";

// `range` in pieces of at most `most` points.
std::vector<QueryRange> ChunksOf(const QueryRange& range, int64_t step_s, int64_t most = kMaxQueryPoints);

// Where to POST, and the form: of the range, or of the one time if it has no more.
std::string_view QueryPath(const QueryRange& range);
std::string QueryForm(std::string_view query, const QueryRange& range, int64_t step_s, int64_t timeout_s);

struct QueryAnswer {
  MetricPush found;
  std::vector<std::string> warnings;  // at most 10
};
absl::StatusOr<QueryAnswer> DecodeQueryAnswer(int http_status, std::string_view body, const PushLimits& limits = {});

}  // namespace gnomon
