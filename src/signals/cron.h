// SPDX-License-Identifier: Apache-2.0
//
// A CronSchedule is a cron expression of five fields: minute, hour, day of month, month, day of week.
//
// As Kubernetes and KEDA read them (robfig/cron) and AWS: lists, ranges, steps ("*/15", "10-40/5", "5/10" from 5 on), names
// ("mon-fri", "JAN"), "?" as "*", 0 and 7 as Sunday, "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly",
// "@annually". If both day fields are restricted either may match; if one begins with "*", both must. "CRON_TZ=zone " or
// "TZ=zone " before them names the zone.
//
// Clocks that change: a time that they skip does not come (as robfig/cron; AWS says only that an action adjusts), and one
// that they show twice comes once, the first time.
//
// Example:
//   CronSchedule cron = CronSchedule::Parse("0 8 * * mon-fri").value();
//   std::optional<int64_t> next = cron.Next(now_s, Zone::Find("Europe/Berlin").value());
//
// Threads: a value type.
// Errors: INVALID_ARGUMENT "INVALID_CRON" that names the part; UNKNOWN_TIME_ZONE. "L", "W", "#", "@every", seconds, years, and
//   what never comes (30 February) are refused.
// Limits: kMaxBytes; times from 1900 to 2200; a search looks kMaxYears far.
// Cost: a step for each day that does not match; one look-up of the zone for each time of the day that it comes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "signals/zone.h"

namespace gnomon {

class CronSchedule {
 public:
  static constexpr size_t kMaxBytes = 256;
  static constexpr int kMaxYears = 9;  // 29 February may be 8 years away
  static constexpr int64_t kFirstS = -2208988800, kLastS = 7258118400;

  static absl::StatusOr<CronSchedule> Parse(std::string_view text);

  // As it was written, without its zone.
  const std::string& text() const { return text_; }
  // Of CRON_TZ; it goes before the one that is given below.
  const std::optional<Zone>& zone() const { return zone_; }

  // The first time after `after_s`; nullopt: none within kMaxYears.
  std::optional<int64_t> Next(int64_t after_s, const Zone& zone) const;
  // The last time until `until_s`, that included.
  std::optional<int64_t> Previous(int64_t until_s, const Zone& zone) const;

  // Whether it comes when clocks show this, on a whole minute.
  bool Matches(int64_t local_s) const;

  friend bool operator==(const CronSchedule& a, const CronSchedule& b) {
    return a.text_ == b.text_ && a.zone_ == b.zone_;
  }

 private:
  struct Field {
    uint64_t values = 0;  // a bit each
    bool star = false;
  };
  struct Bounds;

  static absl::StatusOr<Field> ParseField(std::string_view text, const Bounds& bounds);
  static absl::Status AddRange(std::string_view part, const Bounds& bounds, Field* field);
  bool DayMatches(int64_t local_day) const;
  bool Comes() const;
  // The first time that is due within the day, from the minute on, that is after `after_s`.
  std::optional<int64_t> FirstInDay(int64_t local_day, int64_t from_minute, int64_t after_s, const Zone& zone) const;
  std::optional<int64_t> LastInDay(int64_t local_day, int64_t to_minute, int64_t until_s, const Zone& zone) const;

  std::string text_;
  std::optional<Zone> zone_;
  Field minute_, hour_, day_, month_, weekday_;
};

}  // namespace gnomon
