// SPDX-License-Identifier: Apache-2.0
//
// DecodeRemoteWrite reads the body of a Prometheus remote-write 1.0 request: a snappy block that holds a WriteRequest.
//
// Labels must be sorted, unique, not empty, and hold a __name__. A stale marker ends its series; any other NaN and the
// infinities are dropped as "not_finite". A series with wrong labels is dropped as "labels", and the others are kept.
//
// Errors: INVALID_ARGUMENT INVALID_SNAPPY or INVALID_PROTOBUF; OUT_OF_RANGE (the caller answers 413) PUSH_TOO_LARGE, TOO_MANY_SAMPLES or
//   TOO_MANY_SERIES. Then nothing is taken.
// Limits: PushLimits; the decompressed length is checked before its memory is asked for.
// Threads: a free function. Cost: linear in the body.
// Source: prometheus.io, "Prometheus Remote-Write 1.0 specification".
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "signals/metric_push.h"

namespace gnomon {

absl::StatusOr<MetricPush> DecodeRemoteWrite(std::string_view body, const PushLimits& limits = {});

}  // namespace gnomon
