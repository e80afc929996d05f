// SPDX-License-Identifier: Apache-2.0
#include "signals/calendar.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/predictor.h"
#include "signals/zone.h"

namespace gnomon {
namespace {

using Every = RecurrenceRule::Every;

absl::Time TimeIn(const absl::CivilSecond& time, const Zone& zone) {
  return absl::FromUnixSeconds(zone.InstantOf(time - absl::CivilSecond(1970, 1, 1)));
}

int WeekdayOf(const absl::CivilDay& day) { return static_cast<int>(absl::GetWeekday(day)); }

template <typename T>
bool Has(const std::vector<T>& list, const T& one) {
  return list.empty() || std::find(list.begin(), list.end(), one) != list.end();
}

bool HasWeekday(const RecurrenceRule& rule, const absl::CivilDay& day) { return Has(rule.days, RuleDay{0, WeekdayOf(day)}); }

bool HasMonthDay(const RecurrenceRule& rule, const absl::CivilDay& day) {
  const auto last = static_cast<int>(absl::CivilDay(absl::CivilMonth(day) + 1) - absl::CivilDay(absl::CivilMonth(day)));
  return Has(rule.month_days, day.day()) || Has(rule.month_days, day.day() - last - 1);
}

// Whether one of the rule's counted weekdays is that day, as "-1FR".
bool HasNthDay(const RecurrenceRule& rule, const absl::CivilDay& day) {
  if (rule.days.empty()) return true;
  const auto after = static_cast<int>(absl::CivilDay(absl::CivilMonth(day) + 1) - day);  // days to the month's end, with it
  const int nth = (day.day() - 1) / 7 + 1, from_end = -((after - 1) / 7 + 1);
  return std::any_of(rule.days.begin(), rule.days.end(), [&](const RuleDay& one) {
    return one.weekday == WeekdayOf(day) && (one.nth == 0 || one.nth == nth || one.nth == from_end);
  });
}

void AddMonth(const RecurrenceRule& rule, const absl::CivilDay& start, const absl::CivilMonth& month,
              std::vector<absl::CivilDay>* days) {
  if (!Has(rule.months, month.month())) return;
  for (absl::CivilDay day(month); absl::CivilMonth(day) == month; ++day) {
    const bool plain = rule.days.empty() && rule.month_days.empty();
    const bool taken = plain ? day.day() == start.day() : HasMonthDay(rule, day) && HasNthDay(rule, day);
    if (taken) days->push_back(day);
  }
}

// The days of the rule's period number `k`, from the one that `start` is in, in order.
std::vector<absl::CivilDay> DaysOfPeriod(const RecurrenceRule& rule, const absl::CivilDay& start, int64_t k) {
  std::vector<absl::CivilDay> days;
  switch (rule.every) {
    case Every::kDay: {
      const absl::CivilDay day = start + k * rule.interval;
      if (Has(rule.months, day.month()) && HasMonthDay(rule, day) && HasWeekday(rule, day)) days.push_back(day);
      return days;
    }
    case Every::kWeek: {
      const absl::CivilDay first = start - (WeekdayOf(start) - rule.week_start + 7) % 7 + 7 * k * rule.interval;
      for (int i = 0; i < 7; ++i) {
        const absl::CivilDay day = first + i;
        const bool taken = rule.days.empty() ? WeekdayOf(day) == WeekdayOf(start) : HasWeekday(rule, day);
        if (taken && Has(rule.months, day.month())) days.push_back(day);
      }
      return days;
    }
    case Every::kMonth:
      AddMonth(rule, start, absl::CivilMonth(start) + k * rule.interval, &days);
      return days;
    case Every::kYear: {
      const absl::CivilMonth january(absl::CivilYear(start) + k * rule.interval);
      const bool all_months = !rule.months.empty() || !rule.month_days.empty();
      for (int month = 1; month <= 12; ++month) {
        if (all_months || month == start.month()) AddMonth(rule, start, january + (month - 1), &days);
      }
      return days;
    }
  }
  return days;
}

// The last period that cannot hold anything after `day`: where to begin to look.
int64_t PeriodBefore(const RecurrenceRule& rule, const absl::CivilDay& start, const absl::CivilDay& day) {
  int64_t periods = 0;
  switch (rule.every) {
    case Every::kDay: periods = day - start; break;
    case Every::kWeek: periods = (day - start) / 7; break;
    case Every::kMonth: periods = absl::CivilMonth(day) - absl::CivilMonth(start); break;
    case Every::kYear: periods = absl::CivilYear(day) - absl::CivilYear(start); break;
  }
  return std::max<int64_t>(0, periods / rule.interval - 2);
}

Error Invalid(const char* field, std::string_view value, std::string_view message) {
  Error error(absl::StatusCode::kInvalidArgument, "INVALID_CALENDAR", message);
  error.Field(field).Value(Excerpt(value));
  return error;
}

}  // namespace

bool IsZone(const std::string& zone) { return Zone::Find(zone).ok(); }

absl::Time TimeInZone(const absl::CivilSecond& time, const std::string& zone) { return TimeIn(time, Zone::Find(zone).value()); }

absl::Status CheckEvent(const CalendarEvent& event) {
  if (!IsName(event.name)) return Invalid("name", event.name, "the name is missing, or not a name").Hint("use 1 to 128 of [A-Za-z0-9._~-]");
  if (!IsName(event.type)) return Invalid("type", event.type, "the type is missing, or not a name").Hint("use 1 to 128 of [A-Za-z0-9._~-]");
  if (!IsZone(event.zone)) {
    return Invalid("zone", event.zone, absl::StrCat("there is no time zone \"", Excerpt(event.zone), "\""))
        .Hint("use a name of the tz database, as Europe/Berlin");
  }
  if (event.start.year() < kFirstYear || event.start.year() > kLastYear) {
    return Invalid("start", absl::FormatCivilTime(event.start), "the start is out of range")
        .Hint(absl::StrCat("use the years ", kFirstYear, " to ", kLastYear));
  }
  if (event.length < absl::ZeroDuration() || event.length > kMaxEventLength) {
    return Invalid("end", absl::FormatDuration(event.length), "the event ends before it begins, or lasts too long")
        .Hint(absl::StrCat("use at most ", absl::FormatDuration(kMaxEventLength)));
  }
  if (event.count && event.factor) return Invalid("expect", "", "an event has a count or a factor, not both");
  if (event.count && (*event.count == 0 || *event.count > Predictor::kMaxAnnounced)) {
    return Invalid("count", absl::StrCat(*event.count), "the count is out of range")
        .Hint(absl::StrCat("use a whole number from 1 to ", Predictor::kMaxAnnounced));
  }
  if (event.factor && !(*event.factor > 0 && *event.factor <= kMaxFactor)) {
    return Invalid("factor", absl::StrCat(*event.factor), "the factor is out of range")
        .Hint(absl::StrCat("use a number above 0, up to ", kMaxFactor));
  }
  return absl::OkStatus();
}

std::vector<Occurrence> OccurrencesBetween(const CalendarEvent& event, absl::Time from, absl::Time to) {
  const Zone zone = Zone::Find(event.zone).value();
  std::vector<Occurrence> found;
  const auto add = [&](absl::Time begin) {
    const bool except = std::find(event.except.begin(), event.except.end(), begin) != event.except.end();
    if (begin >= from && begin < to && !except) found.push_back({begin, begin + event.length});
  };
  if (!event.rule) {
    add(TimeIn(event.start, zone));
    return found;
  }
  const RecurrenceRule& rule = *event.rule;
  const absl::CivilDay start(event.start);
  const int64_t of_day = event.start - absl::CivilSecond(start);
  // A zone is less than two days away from UTC.
  const absl::CivilDay earliest = std::max(start, absl::ToCivilDay(std::max(from, absl::FromUnixSeconds(0)), absl::UTCTimeZone()) - 2);
  const absl::CivilDay latest = absl::ToCivilDay(std::min(to, absl::FromCivil(absl::CivilSecond(kLastYear + 1), absl::UTCTimeZone())),
                                                 absl::UTCTimeZone()) + 2;
  // With a COUNT, all since the start are counted.
  const int64_t first = rule.count ? 0 : PeriodBefore(rule, start, earliest);
  int taken = 0;
  for (int64_t k = first; k < first + kMaxPeriods; ++k) {
    const std::vector<absl::CivilDay> days = DaysOfPeriod(rule, start, k);
    for (const absl::CivilDay& day : days) {
      if (day < start) continue;
      if (day > latest || (rule.count && taken >= *rule.count)) return found;
      const absl::CivilSecond local = absl::CivilSecond(day) + of_day;
      const absl::Time begin = TimeIn(local, zone);
      if (rule.until) {
        const bool past = rule.until_utc ? begin > absl::FromCivil(*rule.until, absl::UTCTimeZone()) : local > *rule.until;
        if (past) return found;
      }
      ++taken;
      add(begin);
      if (found.size() >= kMaxOccurrences) return found;
    }
    // No period that is empty for ever may be walked beyond what was asked for.
    const absl::CivilDay next = start + (k + 1) * rule.interval * (rule.every == Every::kDay ? 1 : rule.every == Every::kWeek ? 7 : 28) *
                                            (rule.every == Every::kYear ? 13 : 1);
    if (next - 7 > latest) return found;
  }
  return found;
}

}  // namespace gnomon
