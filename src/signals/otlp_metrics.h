// SPDX-License-Identifier: Apache-2.0
//
// DecodeOtlpMetrics reads the body of an OTLP/HTTP export of metrics: gauges and sums, in JSON or protobuf, gzipped or
// not.
//
// A point becomes a sample of the series that its labels name. __name__ is the metric's name; the other labels are the
// attributes of the resource and then of the point, the point's where both have one. In names, what Prometheus does not
// allow becomes '_': "service.name" is the label service_name. Values are texts, as "true" or "200".
//
// A sum whose temporality is delta is Series::increases. A point without a recorded value (flags bit 0) ends its series.
// Histograms and summaries are dropped as "kind"; points without a value, and sums without a temporality, as "no_value" and "temporality".
//
// Errors: INVALID_ARGUMENT INVALID_GZIP, INVALID_JSON or INVALID_PROTOBUF; OUT_OF_RANGE (the caller answers 413)
//   PUSH_TOO_LARGE or TOO_MANY_SAMPLES. Then nothing is taken.
// Limits: PushLimits, of which kMaxOtlpBytes are the bytes.
// Threads: free functions.
// Source: opentelemetry.io, "OTLP Specification", OTLP/HTTP; "Metrics Data Model".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "signals/metric_push.h"

namespace gnomon {

constexpr size_t kMaxOtlpBytes = 4 << 20;  // decompressed

struct OtlpEncoding {
  bool json = false;
  bool gzip = false;
};
absl::StatusOr<MetricPush> DecodeOtlpMetrics(std::string_view body, OtlpEncoding encoding,
                                             const PushLimits& limits = {.bytes = kMaxOtlpBytes});

// The answer to an export of which `rejected` points were not taken, for `why`.
std::string OtlpAnswer(bool json, uint64_t rejected, const std::string& why);

}  // namespace gnomon
