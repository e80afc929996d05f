// SPDX-License-Identifier: Apache-2.0
//
// RRULE and the times of RFC 5545, as text.
#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "signals/calendar.h"

namespace gnomon {
namespace {

constexpr absl::string_view kDays[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

Error Invalid(absl::string_view part, absl::string_view value, absl::string_view right) {
  Error error(absl::StatusCode::kInvalidArgument, "INVALID_CALENDAR",
              absl::StrCat(part, " \"", Excerpt(StdView(value)), "\" cannot be used"));
  error.Field(StdView(part)).Value(Excerpt(StdView(value))).Hint(StdView(right));
  return error;
}

std::optional<int> DayOf(absl::string_view text) {
  const auto* found = std::find(std::begin(kDays), std::end(kDays), text);
  return found == std::end(kDays) ? std::nullopt : std::optional(static_cast<int>(found - std::begin(kDays)));
}

// A whole number in [low, high], not 0 if `low` is below it.
std::optional<int> NumberOf(absl::string_view text, int low, int high) {
  int number = 0;
  const bool right = text.size() <= 6 && absl::SimpleAtoi(text, &number) && number >= low && number <= high && number != 0;
  return right ? std::optional(number) : std::nullopt;
}

absl::Status ReadNumbers(absl::string_view part, absl::string_view value, int low, int high, std::vector<int>* out) {
  for (const absl::string_view text : absl::StrSplit(value, ',')) {
    const std::optional<int> number = NumberOf(text, low, high);
    if (!number || out->size() >= kMaxRuleParts) {
      return Invalid(part, value, absl::StrCat("use whole numbers from ", low, " to ", high, ", with commas between"));
    }
    out->push_back(*number);
  }
  return absl::OkStatus();
}

absl::Status ReadDays(absl::string_view value, std::vector<RuleDay>* out) {
  for (const absl::string_view text : absl::StrSplit(value, ',')) {
    const absl::string_view name = text.size() < 2 ? "" : text.substr(text.size() - 2);
    const absl::string_view nth = text.substr(0, text.size() - name.size());
    const std::optional<int> day = DayOf(name);
    const std::optional<int> number = nth.empty() ? std::optional(0) : NumberOf(nth, -5, 5);
    if (!day || !number || out->size() >= kMaxRuleParts) {
      return Invalid("BYDAY", value, "use MO, TU, WE, TH, FR, SA, SU, or of a month 1MO to 5MO and -1MO to -5MO");
    }
    out->push_back({*number, *day});
  }
  return absl::OkStatus();
}

absl::Status ReadPart(absl::string_view name, absl::string_view value, RecurrenceRule* rule, bool* has_every) {
  using Every = RecurrenceRule::Every;
  if (name == "FREQ") {
    static constexpr std::pair<absl::string_view, Every> kNames[] = {
        {"DAILY", Every::kDay}, {"WEEKLY", Every::kWeek}, {"MONTHLY", Every::kMonth}, {"YEARLY", Every::kYear}};
    for (const auto& [known, every] : kNames) {
      if (value != known) continue;
      rule->every = every;
      *has_every = true;
      return absl::OkStatus();
    }
    return Invalid(name, value, "use DAILY, WEEKLY, MONTHLY or YEARLY");
  }
  if (name == "BYDAY") return ReadDays(value, &rule->days);
  if (name == "BYMONTHDAY") return ReadNumbers(name, value, -31, 31, &rule->month_days);
  if (name == "BYMONTH") return ReadNumbers(name, value, 1, 12, &rule->months);
  if (name == "INTERVAL" || name == "COUNT") {
    const int most = name == "COUNT" ? kMaxRuleCount : kMaxRuleInterval;
    const std::optional<int> number = NumberOf(value, 1, most);
    if (!number) return Invalid(name, value, absl::StrCat("use a whole number from 1 to ", most));
    if (name == "COUNT") rule->count = *number;
    if (name == "INTERVAL") rule->interval = *number;
    return absl::OkStatus();
  }
  if (name == "UNTIL") {
    GNOMON_ASSIGN_OR_RETURN(const CalendarTime until, ParseCalendarTime(StdView(value)));
    // Of a date alone, all of its day.
    rule->until = until.date ? absl::CivilSecond(absl::CivilDay(until.time) + 1) - 1 : until.time;
    rule->until_utc = until.utc;
    return absl::OkStatus();
  }
  if (name == "WKST") {
    const std::optional<int> day = DayOf(value);
    if (!day) return Invalid(name, value, "use MO, TU, WE, TH, FR, SA or SU");
    rule->week_start = *day;
    return absl::OkStatus();
  }
  return Invalid(name, value, "the parts that can be used are FREQ, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH and WKST");
}

}  // namespace

absl::StatusOr<RecurrenceRule> ParseRule(std::string_view text) {
  RecurrenceRule rule;
  bool has_every = false;
  std::vector<absl::string_view> seen;
  const std::string upper = absl::AsciiStrToUpper(AbslView(text));
  for (const absl::string_view part : absl::StrSplit(upper, ';', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> named = absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (std::find(seen.begin(), seen.end(), named.first) != seen.end()) {
      return Invalid(named.first, named.second, "say each part once");
    }
    seen.push_back(named.first);
    GNOMON_RETURN_IF_ERROR(ReadPart(named.first, named.second, &rule, &has_every));
  }
  if (!has_every) return Invalid("FREQ", "", "say how often: FREQ=DAILY, WEEKLY, MONTHLY or YEARLY");
  if (rule.count && rule.until) return Invalid("UNTIL", upper, "say COUNT or UNTIL, not both");
  const bool nth = std::any_of(rule.days.begin(), rule.days.end(), [](const RuleDay& day) { return day.nth != 0; });
  const bool in_months = rule.every == RecurrenceRule::Every::kMonth ||
                         (rule.every == RecurrenceRule::Every::kYear && !rule.months.empty());
  if (nth && (!in_months || !rule.month_days.empty())) {
    return Invalid("BYDAY", upper, "count weekdays, as 1MO, within months alone, and not together with BYMONTHDAY");
  }
  if (rule.every == RecurrenceRule::Every::kYear && !rule.days.empty() && rule.months.empty() && rule.month_days.empty()) {
    return Invalid("BYDAY", upper, "say BYMONTH too");
  }
  if (rule.every == RecurrenceRule::Every::kWeek && !rule.month_days.empty()) {
    return Invalid("BYMONTHDAY", upper, "weeks have no days of a month: use FREQ=MONTHLY");
  }
  return rule;
}

absl::StatusOr<CalendarTime> ParseCalendarTime(std::string_view text) {
  CalendarTime time;
  absl::string_view digits = AbslView(text);
  if (digits.size() == 16 && digits.back() == 'Z') {
    time.utc = true;
    digits.remove_suffix(1);
  }
  time.date = digits.size() == 8;
  const bool shaped = time.date || (digits.size() == 15 && digits[8] == 'T');
  int part[6] = {};  // year, month, day, hour, minute, second
  static constexpr size_t kAt[] = {0, 4, 6, 9, 11, 13};
  bool right = shaped;
  for (size_t i = 0; right && i < (time.date ? 3u : 6u); ++i) {
    const absl::string_view number = digits.substr(kAt[i], i == 0 ? 4 : 2);
    right = std::all_of(number.begin(), number.end(), absl::ascii_isdigit) && absl::SimpleAtoi(number, &part[i]);
  }
  if (right) {
    time.time = absl::CivilSecond(part[0], part[1], part[2], part[3], part[4], part[5]);
    // What is no day of the calendar would have been carried over.
    right = time.time.month() == part[1] && time.time.day() == part[2] && part[3] < 24 && part[4] < 60 && part[5] < 60 &&
            part[0] >= kFirstYear && part[0] <= kLastYear;
  }
  if (right) return time;
  return Invalid("time", AbslView(text), absl::StrCat("use as 20270115T080000, 20270115T080000Z or 20270115, of the years ",
                                                      kFirstYear, " to ", kLastYear));
}

}  // namespace gnomon
