// SPDX-License-Identifier: Apache-2.0
#include "signals/cron.h"

#include <date/date.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr int64_t kDayS = 86400, kMinutesADay = 1440;
constexpr int64_t kMaxDays = CronSchedule::kMaxYears * 366;
// Clocks are not set back by more than this.
constexpr int64_t kMostBackS = 3 * 3600;

int64_t DayOf(int64_t local_s) { return (local_s >= 0 ? local_s : local_s - kDayS + 1) / kDayS; }

bool Has(uint64_t values, unsigned value) { return (values >> value & 1) != 0; }

Error Invalid(std::string_view text, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CRON",
               absl::StrCat("\"", Excerpt(text), "\" is no cron schedule: ", AbslView(why)))
      .Value(Excerpt(text))
      .Hint("minute, hour, day of month, month, day of week, as in \"0 8 * * mon-fri\"");
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNicknames = {{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
}};

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

}  // namespace

struct CronSchedule::Bounds {
  std::string_view name;
  unsigned low, high;
  const std::string_view* names = nullptr;  // of the values from `low` on
  size_t name_count = 0;

  std::optional<unsigned> Value(std::string_view text) const {
    const std::string lower = absl::AsciiStrToLower(AbslView(text));
    for (size_t i = 0; i < name_count; ++i) {
      if (names[i] == lower) return low + static_cast<unsigned>(i);
    }
    unsigned value = 0;
    // SimpleAtoi takes signs and spaces, which no schedule has.
    const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
    if (!digits || !absl::SimpleAtoi(AbslView(text), &value)) return std::nullopt;
    return value;
  }
};

absl::Status CronSchedule::AddRange(std::string_view part, const Bounds& bounds, Field* field) {
  auto wrong = [&](std::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", AbslView(bounds.name), " \"", Excerpt(part), "\" ", AbslView(why)));
  };
  const std::vector<std::string> step_parts = absl::StrSplit(AbslView(part), '/');
  if (step_parts.size() > 2) return wrong("has two steps");
  const std::vector<std::string> ends = absl::StrSplit(step_parts[0], '-');
  unsigned low = bounds.low, high = bounds.high, step = 1;
  if (ends[0] == "*" || ends[0] == "?") {
    if (ends.size() > 1) return wrong("is a range from everything");
    field->star = true;
  } else {
    if (ends.size() > 2) return wrong("has two hyphens");
    const std::optional<unsigned> first = bounds.Value(ends[0]);
    const std::optional<unsigned> last = ends.size() == 2 ? bounds.Value(ends[1]) : first;
    if ((!first || !last) && part.find_first_of("LW#") != part.npos) return wrong("has \"L\", \"W\" or \"#\", which are not known here");
    if (!first || !last) return wrong("is neither a number nor a name that is known here");
    low = *first;
    if (ends.size() == 2 || step_parts.size() == 1) high = *last;
  }
  if (step_parts.size() == 2) {
    const std::optional<unsigned> given = Bounds{"step", 1, 59}.Value(step_parts[1]);
    if (!given || *given == 0) return wrong("has a step that is no number from 1 on");
    step = *given;
  }
  if (low < bounds.low || high > bounds.high || low > bounds.high) {
    return wrong(absl::StrCat("is not from ", bounds.low, " to ", bounds.high));
  }
  if (low > high) return wrong("ends before it begins");
  for (unsigned value = low; value <= high; value += std::min(step, 64U)) field->values |= uint64_t{1} << value;
  return absl::OkStatus();
}

absl::StatusOr<CronSchedule::Field> CronSchedule::ParseField(std::string_view text, const Bounds& bounds) {
  Field field;
  for (absl::string_view part : absl::StrSplit(AbslView(text), ',')) {
    GNOMON_RETURN_IF_ERROR(AddRange(StdView(part), bounds, &field));
  }
  return field;
}

absl::StatusOr<CronSchedule> CronSchedule::Parse(std::string_view text) {
  if (text.size() > kMaxBytes) return Invalid(text, absl::StrCat("it has more than ", kMaxBytes, " bytes"));
  CronSchedule cron;
  std::string_view rest = StdView(absl::StripAsciiWhitespace(AbslView(text)));
  for (std::string_view prefix : {"CRON_TZ=", "TZ="}) {
    if (!rest.starts_with(prefix)) continue;
    const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    GNOMON_ASSIGN_OR_RETURN(cron.zone_, Zone::Find(rest.substr(prefix.size(), end - prefix.size())));
    rest = StdView(absl::StripAsciiWhitespace(AbslView(rest.substr(end))));
    break;
  }
  cron.text_ = std::string(rest);
  std::string_view fields_text = rest;
  if (rest.starts_with("@")) {
    const auto* known = std::find_if(kNicknames.begin(), kNicknames.end(), [&](const auto& one) { return one.first == rest; });
    if (known == kNicknames.end()) return Invalid(text, "of the names with @ only hourly, daily, midnight, weekly, monthly, yearly and annually are known");
    fields_text = known->second;
  }
  const std::vector<std::string> fields = absl::StrSplit(AbslView(fields_text), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (fields.size() != 5) return Invalid(text, absl::StrCat("it has ", fields.size(), " fields, not 5"));
  const Bounds bounds[5] = {{"minute", 0, 59},
                            {"hour", 0, 23},
                            {"day of month", 1, 31},
                            {"month", 1, 12, kMonths.data(), kMonths.size()},
                            {"day of week", 0, 7, kWeekdays.data(), kWeekdays.size()}};
  Field* const parsed[5] = {&cron.minute_, &cron.hour_, &cron.day_, &cron.month_, &cron.weekday_};
  for (size_t i = 0; i < 5; ++i) {
    absl::StatusOr<Field> field = ParseField(fields[i], bounds[i]);
    if (!field.ok()) return Invalid(text, StdView(field.status().message()));
    *parsed[i] = *field;
  }
  if (Has(cron.weekday_.values, 7)) cron.weekday_.values |= 1;
  if (!cron.Comes()) return Invalid(text, "there is no such day");
  return cron;
}

bool CronSchedule::Comes() const {
  if (!day_.star && !weekday_.star) return true;  // every month has each day of the week
  constexpr unsigned kLongest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 1; month <= 12; ++month) {
    if (!Has(month_.values, month)) continue;
    for (unsigned day = 1; day <= kLongest[month - 1]; ++day) {
      if (Has(day_.values, day)) return true;
    }
  }
  return false;
}

bool CronSchedule::DayMatches(int64_t local_day) const {
  const date::sys_days day(date::days(static_cast<int>(local_day)));
  const date::year_month_day ymd(day);
  if (!Has(month_.values, unsigned{ymd.month()})) return false;
  const bool by_month = Has(day_.values, unsigned{ymd.day()});
  const bool by_week = Has(weekday_.values, date::weekday(day).c_encoding());
  return day_.star || weekday_.star ? by_month && by_week : by_month || by_week;
}

bool CronSchedule::Matches(int64_t local_s) const {
  const int64_t day = DayOf(local_s), second = local_s - day * kDayS;
  if (second % 60 != 0 || !DayMatches(day)) return false;
  return Has(hour_.values, static_cast<unsigned>(second / 3600)) &&
         Has(minute_.values, static_cast<unsigned>(second / 60 % 60));
}

std::optional<int64_t> CronSchedule::FirstInDay(int64_t local_day, int64_t from_minute, int64_t after_s,
                                                const Zone& zone) const {
  for (int64_t minute = from_minute; minute < kMinutesADay; ++minute) {
    if (!Has(hour_.values, static_cast<unsigned>(minute / 60))) {
      minute += 59 - minute % 60;
      continue;
    }
    if (!Has(minute_.values, static_cast<unsigned>(minute % 60))) continue;
    const std::optional<int64_t> at = zone.FirstOf(local_day * kDayS + minute * 60);
    if (at && *at > after_s) return at;
  }
  return std::nullopt;
}

std::optional<int64_t> CronSchedule::LastInDay(int64_t local_day, int64_t to_minute, int64_t until_s,
                                               const Zone& zone) const {
  for (int64_t minute = to_minute; minute >= 0; --minute) {
    if (!Has(hour_.values, static_cast<unsigned>(minute / 60))) {
      minute -= minute % 60;
      continue;
    }
    if (!Has(minute_.values, static_cast<unsigned>(minute % 60))) continue;
    const std::optional<int64_t> at = zone.FirstOf(local_day * kDayS + minute * 60);
    if (at && *at <= until_s) return at;
  }
  return std::nullopt;
}

// The first instants of local times rise with these, so days and minutes are tried in their order.
std::optional<int64_t> CronSchedule::Next(int64_t after_s, const Zone& zone) const {
  if (after_s < kFirstS || after_s > kLastS) return std::nullopt;
  const Zone& here = zone_ ? *zone_ : zone;
  const int64_t local = here.LocalOf(after_s), first = DayOf(local);
  for (int64_t day = first; day <= first + kMaxDays; ++day) {
    if (!DayMatches(day)) continue;
    const int64_t from = day == first ? (local - first * kDayS) / 60 : 0;
    if (std::optional<int64_t> at = FirstInDay(day, from, after_s, here)) return at;
  }
  return std::nullopt;
}

// What clocks show later on may have been before, if they were just set back.
std::optional<int64_t> CronSchedule::Previous(int64_t until_s, const Zone& zone) const {
  if (until_s < kFirstS || until_s > kLastS) return std::nullopt;
  const Zone& here = zone_ ? *zone_ : zone;
  const int64_t local = here.LocalOf(until_s) + kMostBackS, last = DayOf(local);
  for (int64_t day = last; day >= last - kMaxDays; --day) {
    if (!DayMatches(day)) continue;
    const int64_t to = day == last ? (local - last * kDayS) / 60 : kMinutesADay - 1;
    if (std::optional<int64_t> at = LastInDay(day, to, until_s, here)) return at;
  }
  return std::nullopt;
}

}  // namespace gnomon
