// SPDX-License-Identifier: Apache-2.0
//
// DecodeAlerts reads a webhook of Alertmanager: an alert with the label "gnomon_type" announces creations while it fires.
//
// The format is version 4 of prometheus.io/docs/alerting/latest/configuration/#webhook_config. How many come is the label
// or annotation "gnomon_count" (1), when is "gnomon_at", RFC 3339 (the alert's startsAt). The announcement's source is
// "alertmanager", its id the alert's fingerprint and the second of startsAt, as a webhook comes again while the alert
// fires: what began more than Announcements::kLateS ago is expected no more. An alert without the label concerns nobody;
// one that cannot be used is passed over, and says why, as it should not keep others of its group away.
//
// Errors: INVALID_ARGUMENT INVALID_JSON, WRONG_TYPE, MISSING_FIELD, UNKNOWN_VERSION, TOO_MANY_EVENTS.
// Limits: kMaxAlerts a webhook. Threads: a function of its arguments.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signals/event.h"

namespace gnomon {

inline constexpr size_t kMaxAlerts = 1000;

// One event an alert, in their order.
absl::StatusOr<std::vector<SignalEvent>> DecodeAlerts(std::string_view body, absl::Time now);

}  // namespace gnomon
