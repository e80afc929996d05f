// SPDX-License-Identifier: Apache-2.0
#include "signals/icalendar.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"
#include "signals/cloud_events.h"
#include "signals/event_json.h"

namespace gnomon {
namespace {

struct Property {
  size_t line = 0;
  std::string name = {}, zone = {}, value = {};  // zone: its TZID
};

Error Invalid(size_t line, std::string_view value, std::string_view message) {
  const std::string field = absl::StrCat("line ", line);
  Error error(absl::StatusCode::kInvalidArgument, "INVALID_CALENDAR", absl::StrCat(field, ": ", AbslView(message)));
  error.Field(field).Value(Excerpt(value));
  return error;
}

// The lines of a file, each with its number: a line that begins with a space or a tab goes on the one before.
class Unfolded {
 public:
  explicit Unfolded(std::string_view text) : text_(text) {}

  // False at the end.
  absl::StatusOr<bool> Next(size_t* line, std::string* out) {
    out->clear();
    *line = line_ + 1;
    while (at_ < text_.size()) {
      const size_t end = std::min(text_.find('\n', at_), text_.size());
      std::string_view piece = text_.substr(at_, end - at_);
      if (!piece.empty() && piece.back() == '\r') piece.remove_suffix(1);
      at_ = end + 1;
      ++line_;
      out->append(piece);
      if (out->size() > kMaxCalendarLine) {
        return Invalid(*line, *out, "the line is too long").Hint(absl::StrCat("use at most ", kMaxCalendarLine, " bytes"));
      }
      const bool goes_on = at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t');
      if (!goes_on) return true;
      ++at_;
    }
    return false;
  }

 private:
  std::string_view text_;
  size_t at_ = 0, line_ = 0;
};

// "NAME;PARAM=value;PARAM="quoted":value".
absl::StatusOr<Property> SplitLine(size_t line, const std::string& text) {
  Property property{.line = line};
  size_t at = text.find_first_of(";:");
  if (at == std::string::npos) return Invalid(line, text, "no property, as NAME:value");
  property.name = absl::AsciiStrToUpper(text.substr(0, at));
  while (text[at] == ';') {
    const size_t equals = text.find_first_of("=:", at);
    if (equals == std::string::npos || text[equals] == ':') return Invalid(line, text, "a parameter without a value");
    const std::string name = absl::AsciiStrToUpper(text.substr(at + 1, equals - at - 1));
    const bool quoted = equals + 1 < text.size() && text[equals + 1] == '"';
    const size_t first = quoted ? equals + 2 : equals + 1;
    const size_t end = quoted ? text.find('"', first) : text.find_first_of(";:", first);
    at = quoted && end != std::string::npos ? end + 1 : end;
    if (at == std::string::npos || at >= text.size() || (text[at] != ';' && text[at] != ':')) {
      return Invalid(line, text, "no property, as NAME:value");
    }
    if (name == "TZID") property.zone = text.substr(first, end - first);
  }
  property.value = text.substr(at + 1);
  return property;
}

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain.push_back(text[i]);
      continue;
    }
    ++i;
    plain.push_back(text[i] == 'n' || text[i] == 'N' ? '\n' : text[i]);
  }
  return plain;
}

// "P1DT2H3M4S", "P2W".
std::optional<absl::Duration> ParseSpan(absl::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.empty() || text.front() != 'P') return std::nullopt;
  absl::Duration span;
  bool in_time = false, any = false;
  int64_t number = -1;
  for (const char c : text.substr(1)) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      number = std::max<int64_t>(number, 0) * 10 + (c - '0');
      if (number > 100'000'000) return std::nullopt;
      continue;
    }
    if (c == 'T' && number < 0 && !in_time) {
      in_time = true;
      continue;
    }
    const absl::Duration unit = !in_time && c == 'W'  ? absl::Hours(168)
                                : !in_time && c == 'D' ? absl::Hours(24)
                                : in_time && c == 'H'  ? absl::Hours(1)
                                : in_time && c == 'M'  ? absl::Minutes(1)
                                : in_time && c == 'S'  ? absl::Seconds(1)
                                                       : absl::ZeroDuration();
    if (number < 0 || unit == absl::ZeroDuration()) return std::nullopt;
    span += number * unit;
    number = -1;
    any = true;
  }
  return any && number < 0 ? std::optional(span) : std::nullopt;
}

// One VEVENT, property by property.
class EventReader {
 public:
  EventReader(size_t line, std::string zone) : line_(line), calendar_zone_(std::move(zone)) {}

  absl::Status Take(const Property& property) {
    const std::string& name = property.name;
    if (name == "UID") event_.name = NameOfText(Unescaped(property.value));
    if (name == "SUMMARY") summary_ = Unescaped(property.value);
    if (name == "X-GNOMON-TYPE") event_.type = Unescaped(property.value);
    if (name == "RECURRENCE-ID" || name == "RDATE") unread_ = name;
    if (name == "DTSTART") start_ = property;
    if (name == "DTEND") end_ = property;
    if (name == "EXDATE") {
      if (exceptions_.size() >= kMaxCalendarExceptions) return Invalid(property.line, "", "too many EXDATE");
      exceptions_.push_back(property);
    }
    if (name == "DURATION") {
      const std::optional<absl::Duration> span = ParseSpan(property.value);
      if (!span) return Invalid(property.line, property.value, "no DURATION").Hint("use as PT1H30M");
      event_.length = *span;
    }
    if (name == "RRULE") {
      if (event_.rule) return Invalid(property.line, property.value, "a second RRULE");
      absl::StatusOr<RecurrenceRule> rule = ParseRule(property.value);
      if (!rule.ok()) return InLine(property.line, rule.status());
      event_.rule = *std::move(rule);
    }
    if (name == "X-GNOMON-COUNT") {
      event_.count = EventCount(std::string_view(property.value));
      if (!event_.count) return Invalid(property.line, property.value, "no X-GNOMON-COUNT").Hint("use a whole number from 1 to 100000");
    }
    if (name == "X-GNOMON-FACTOR") {
      double factor = 0;
      if (!absl::SimpleAtod(property.value, &factor)) {
        return Invalid(property.line, property.value, "no X-GNOMON-FACTOR").Hint("use a number above 0, as 1.5");
      }
      event_.factor = factor;
    }
    return absl::OkStatus();
  }

  // The event is whole: takes it up, or passes it over.
  absl::Status Finish(ParsedCalendar* calendar) {
    const std::string called = Excerpt(summary_.empty() ? event_.name : summary_);
    if (event_.type.empty()) {
      return PassOver(calendar, absl::StrCat("line ", line_, ": ", called, " has no X-GNOMON-TYPE"));
    }
    if (!unread_.empty()) {
      return PassOver(calendar, absl::StrCat("line ", line_, ": ", called, " has ", unread_, ", which is not read"));
    }
    if (!start_) return Invalid(line_, called, "the event has no DTSTART");
    event_.zone = start_->zone.empty() ? calendar_zone_ : start_->zone;
    GNOMON_ASSIGN_OR_RETURN(const CalendarTime start, TimeOf(start_->line, start_->value));
    event_.start = start.time;
    if (start.utc) event_.zone = "UTC";
    if (start.date && !end_ && event_.length == absl::ZeroDuration()) event_.length = absl::Hours(24);
    if (absl::Status checked = CheckEvent(event_); !checked.ok()) return InLine(line_, checked);
    if (end_) {
      GNOMON_ASSIGN_OR_RETURN(const absl::Time end, MomentOf(*end_, end_->value));
      event_.length = end - TimeInZone(event_.start, event_.zone);
    }
    for (const Property& property : exceptions_) {
      for (const absl::string_view text : absl::StrSplit(property.value, ',')) {
        if (event_.except.size() >= kMaxCalendarExceptions) return Invalid(property.line, "", "too many EXDATE");
        GNOMON_ASSIGN_OR_RETURN(const absl::Time except, MomentOf(property, StdView(text)));
        event_.except.push_back(except);
      }
    }
    if (absl::Status checked = CheckEvent(event_); !checked.ok()) return InLine(line_, checked);
    calendar->events.push_back(std::move(event_));
    return absl::OkStatus();
  }

  const std::string& name() const { return event_.name; }

 private:
  static absl::Status InLine(size_t line, const absl::Status& status) {
    return Error(status).Before(absl::StrCat("line ", line)).Field(absl::StrCat("line ", line));
  }
  static absl::Status PassOver(ParsedCalendar* calendar, std::string why) {
    calendar->passed_over.push_back(std::move(why));
    return absl::OkStatus();
  }
  static absl::StatusOr<CalendarTime> TimeOf(size_t line, std::string_view text) {
    absl::StatusOr<CalendarTime> time = ParseCalendarTime(text);
    if (!time.ok()) return InLine(line, time.status());
    return time;
  }
  // A time of the event: in its own zone, or else the event's.
  absl::StatusOr<absl::Time> MomentOf(const Property& property, std::string_view text) {
    GNOMON_ASSIGN_OR_RETURN(CalendarTime time, TimeOf(property.line, text));
    const std::string& zone = time.utc ? "UTC" : property.zone.empty() ? event_.zone : property.zone;
    if (!IsZone(zone)) {
      return Invalid(property.line, zone, absl::StrCat("there is no time zone \"", Excerpt(zone), "\""))
          .Hint("use a name of the tz database, as Europe/Berlin");
    }
    return TimeInZone(time.time, zone);
  }

  const size_t line_;
  const std::string calendar_zone_;
  CalendarEvent event_;
  std::string summary_, unread_;
  std::optional<Property> start_, end_;
  std::vector<Property> exceptions_;
};

}  // namespace

absl::StatusOr<ParsedCalendar> ParseICalendar(std::string_view text) {
  ParsedCalendar calendar;
  Unfolded lines(text);
  std::vector<std::string> open;  // components, the innermost last
  std::optional<EventReader> event;
  std::set<std::string> names;
  std::string zone = "UTC", line;
  bool any = false;
  for (size_t number = 0;;) {
    GNOMON_ASSIGN_OR_RETURN(const bool more, lines.Next(&number, &line));
    if (!more) break;
    if (line.empty()) continue;
    GNOMON_ASSIGN_OR_RETURN(const Property property, SplitLine(number, line));
    const std::string value = absl::AsciiStrToUpper(property.value);
    if (open.empty() && (property.name != "BEGIN" || value != "VCALENDAR")) {
      return Invalid(number, line, "this is outside of a calendar").Hint("an iCalendar file begins with BEGIN:VCALENDAR");
    }
    if (property.name == "BEGIN") {
      constexpr size_t kDeepest = 8;
      if (open.size() >= kDeepest) return Invalid(number, line, "components are too deep in each other");
      if (open.size() == 1 && value == "VEVENT") {
        if (calendar.events.size() + calendar.passed_over.size() >= kMaxCalendarEvents) {
          return Invalid(number, line, absl::StrCat("more than ", kMaxCalendarEvents, " events"));
        }
        event.emplace(number, zone);
      }
      open.push_back(value);
      any = true;
    } else if (property.name == "END") {
      if (value != open.back()) return Invalid(number, line, absl::StrCat("this ends ", Excerpt(value), " within ", Excerpt(open.back())));
      open.pop_back();
      if (open.size() != 1 || !event) continue;
      const std::string name = event->name();
      const size_t before = calendar.events.size();
      GNOMON_RETURN_IF_ERROR(event->Finish(&calendar));
      if (calendar.events.size() > before && !names.insert(name).second) {
        return Invalid(number, name, "another event has the same UID");
      }
      event.reset();
    } else if (open.size() == 1 && property.name == "X-WR-TIMEZONE") {
      zone = property.value;
    } else if (open.size() == 2 && event) {
      GNOMON_RETURN_IF_ERROR(event->Take(property));
    }
  }
  if (!any) return Invalid(1, text, "no calendar").Hint("an iCalendar file begins with BEGIN:VCALENDAR");
  if (!open.empty()) return Invalid(1, "", absl::StrCat("the file ends within ", Excerpt(open.back())));
  return calendar;
}

}  // namespace gnomon
