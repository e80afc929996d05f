// SPDX-License-Identifier: Apache-2.0
//
// A Zone is a time zone of the IANA database, as the system has it (/usr/share/zoneinfo).
//
// Local times are seconds as a wall clock shows them, counted as if the zone were UTC: 08:00 is a multiple of a day plus
// 8 hours.
//
// Threads: a value type; any number may be used at once.
// Errors: INVALID_ARGUMENT "UNKNOWN_TIME_ZONE".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gnomon {

class Zone {
 public:
  Zone() = default;  // UTC

  // "Europe/Berlin", "UTC".
  static absl::StatusOr<Zone> Find(std::string_view name);

  const std::string& name() const { return name_; }

  // What clocks show at an instant.
  int64_t LocalOf(int64_t at_s) const;
  // The first instant at which clocks show `local_s`; nullopt: they skip it, as 02:30 when they go from 02:00 to 03:00.
  std::optional<int64_t> FirstOf(int64_t local_s) const;
  // The same; a time that they skip is taken with the offset before the change, as RFC 5545 (3.3.5) says.
  int64_t InstantOf(int64_t local_s) const;
  // RFC 3339 with the zone's offset at that instant, to the minute if the seconds are 0: "2026-03-02T08:00+01:00".
  std::string Text(int64_t at_s) const;

  friend bool operator==(const Zone&, const Zone&) = default;

 private:
  std::string name_ = "UTC";
  const void* zone_ = nullptr;  // date::time_zone, which is never gone; nullptr: UTC
};

}  // namespace gnomon
