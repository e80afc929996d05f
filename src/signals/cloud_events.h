// SPDX-License-Identifier: Apache-2.0
//
// CloudEvents 1.0 as announcements: an event's data {"type","count","at"} tells of creations to come.
//
// Of github.com/cloudevents/spec 1.0 the HTTP binding in all its modes: structured, a batch, and binary, where the
// attributes are headers. The event's source and id become those of the announcement. They may be any text, and names may
// not: each byte that is none of [A-Za-z0-9._-] becomes "~" and two hex digits, so that no two become one. What is longer
// than 128 bytes then is refused. Without "at" the event's time counts, and without that, now.
//
// Errors: INVALID_ARGUMENT INVALID_JSON, WRONG_TYPE, MISSING_FIELD, INVALID_NAME, INVALID_TIME, OUT_OF_RANGE,
//   UNKNOWN_VERSION, TOO_MANY_EVENTS; the field of the one of a batch is "[3].data.count". Nothing of a batch with an error is used.
// Limits: kMaxCloudEvents a batch. Threads: functions of their arguments.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "signals/event.h"

namespace gnomon {

inline constexpr size_t kMaxCloudEvents = 1000;

// One event, or an array of them: application/cloudevents+json and application/cloudevents-batch+json.
absl::StatusOr<std::vector<SignalEvent>> DecodeCloudEvents(std::string_view body);

// The headers ce-specversion, ce-source, ce-id and ce-time, percent-decoded; `body` is the data.
struct CloudEventHeaders {
  std::string specversion, source, id, time;
};
absl::StatusOr<SignalEvent> DecodeBinaryCloudEvent(const CloudEventHeaders& headers, std::string_view body);

// `text` as a name, as above; it may be too long for one.
std::string NameOfText(std::string_view text);

}  // namespace gnomon
