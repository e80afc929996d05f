// SPDX-License-Identifier: Apache-2.0
#include "signals/zone.h"

#include <date/tz.h>

#include <chrono>
#include <exception>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr int64_t kDayS = 86400;

const date::time_zone* TimeZone(const void* zone) { return static_cast<const date::time_zone*>(zone); }

}  // namespace

absl::StatusOr<Zone> Zone::Find(std::string_view name) {
  Zone zone;
  if (name == "UTC") return zone;
  try {
    zone.zone_ = date::locate_zone(std::string(name));
    zone.name_ = std::string(name);
    return zone;
  } catch (const std::exception&) {
    return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_TIME_ZONE",
                 absl::StrCat("\"", Excerpt(name), "\" is no time zone"))
        .Value(Excerpt(name))
        .Hint("use a name of the IANA database, as \"Europe/Berlin\" or \"UTC\"");
  }
}

int64_t Zone::LocalOf(int64_t at_s) const {
  if (zone_ == nullptr) return at_s;
  const date::sys_info info = TimeZone(zone_)->get_info(date::sys_seconds(std::chrono::seconds(at_s)));
  return at_s + info.offset.count();
}

std::optional<int64_t> Zone::FirstOf(int64_t local_s) const {
  if (zone_ == nullptr) return local_s;
  const date::local_info info = TimeZone(zone_)->get_info(date::local_seconds(std::chrono::seconds(local_s)));
  if (info.result == date::local_info::nonexistent) return std::nullopt;
  return local_s - info.first.offset.count();
}

int64_t Zone::InstantOf(int64_t local_s) const {
  if (zone_ == nullptr) return local_s;
  return local_s - TimeZone(zone_)->get_info(date::local_seconds(std::chrono::seconds(local_s))).first.offset.count();
}

std::string Zone::Text(int64_t at_s) const {
  const int64_t local = LocalOf(at_s), offset = local - at_s;
  const int64_t day = (local >= 0 ? local : local - kDayS + 1) / kDayS, second = local - day * kDayS;
  const date::year_month_day date(date::sys_days(date::days(static_cast<int>(day))));
  std::string text = absl::StrFormat("%04d-%02d-%02dT%02d:%02d", int{date.year()}, unsigned{date.month()},
                                     unsigned{date.day()}, second / 3600, second / 60 % 60);
  if (second % 60 != 0) absl::StrAppendFormat(&text, ":%02d", second % 60);
  if (offset == 0) return text + "Z";
  const int64_t away = offset < 0 ? -offset : offset;
  absl::StrAppendFormat(&text, "%c%02d:%02d", offset < 0 ? '-' : '+', away / 3600, away / 60 % 60);
  return text;
}

}  // namespace gnomon
