// SPDX-License-Identifier: Apache-2.0
#include "signals/calendar_text.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"
#include "signals/event_json.h"

namespace gnomon {
namespace {

using Value = boost::json::value;

Error Invalid(std::string_view field, std::string_view value, std::string_view message) {
  Error error(absl::StatusCode::kInvalidArgument, "INVALID_CALENDAR", message);
  error.Field(field).Value(Excerpt(value));
  return error;
}

absl::Status CheckMembers(const boost::json::object& object) {
  static const std::vector<std::string_view> kKnown = {"name", "type", "start", "end", "zone", "rule", "count", "factor"};
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end()) continue;
    return Invalid(Excerpt(name), "", absl::StrCat("an event has no \"", Excerpt(name), "\"")).Hint(SuggestionHint(name, kKnown));
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::CivilSecond> ReadTime(const Value& value, const char* member) {
  const std::string text = EventJson::Text(value, {member});
  absl::CivilSecond time;
  const bool right = text.size() <= 19 && absl::ParseCivilTime(text, &time) && time.year() >= kFirstYear && time.year() <= kLastYear;
  if (right) return time;
  return Invalid(member, text, absl::StrCat("the ", member, " is missing, or cannot be read"))
      .Hint(absl::StrCat("use as 2027-01-15T09:00:00, of the years ", kFirstYear, " to ", kLastYear));
}

absl::StatusOr<CalendarEvent> ReadEvent(const Value& value) {
  if (!value.is_object()) return Invalid("", boost::json::serialize(value), "an event is an object");
  GNOMON_RETURN_IF_ERROR(CheckMembers(value.get_object()));
  CalendarEvent event{.name = EventJson::Text(value, {"name"}), .type = EventJson::Text(value, {"type"})};
  GNOMON_ASSIGN_OR_RETURN(event.start, ReadTime(value, "start"));
  if (EventJson::Find(value, {"zone"}) != nullptr) event.zone = EventJson::Text(value, {"zone"});
  if (EventJson::Find(value, {"rule"}) != nullptr) {
    GNOMON_ASSIGN_OR_RETURN(event.rule, ParseRule(EventJson::Text(value, {"rule"})));
  }
  if (const Value* count = EventJson::Find(value, {"count"})) {
    const std::optional<int64_t> number = EventJson::Int(value, {"count"});
    if (number) event.count = EventCount(*number);
    if (!event.count) return Invalid("count", boost::json::serialize(*count), "the count is out of range").Hint("use a whole number from 1 to 100000");
  }
  if (const Value* factor = EventJson::Find(value, {"factor"})) {
    if (!factor->is_number()) return Invalid("factor", boost::json::serialize(*factor), "the factor is no number");
    event.factor = factor->to_number<double>();
  }
  GNOMON_RETURN_IF_ERROR(CheckEvent(event));
  if (EventJson::Find(value, {"end"}) == nullptr) return event;
  GNOMON_ASSIGN_OR_RETURN(const absl::CivilSecond end, ReadTime(value, "end"));
  event.length = TimeInZone(end, event.zone) - TimeInZone(event.start, event.zone);
  GNOMON_RETURN_IF_ERROR(CheckEvent(event));
  return event;
}

}  // namespace

absl::StatusOr<ParsedCalendar> ParseCalendar(std::string_view text) {
  if (absl::StartsWithIgnoreCase(AbslView(text), "BEGIN:")) return ParseICalendar(text);
  GNOMON_ASSIGN_OR_RETURN(const EventJson json, EventJson::Parse(text));
  const Value* events = json.Find({"events"});
  const bool right = events != nullptr && events->is_array() && json.value().get_object().size() == 1;
  if (!right) return Invalid("events", "", "a calendar is {\"events\":[...]}, or an iCalendar file");
  if (events->get_array().size() > kMaxCalendarEvents) {
    return Invalid("events", absl::StrCat(events->get_array().size()), "there are too many events")
        .Hint(absl::StrCat("use at most ", kMaxCalendarEvents));
  }
  ParsedCalendar calendar;
  std::set<std::string> names;
  for (const Value& one : events->get_array()) {
    const std::string place = absl::StrCat("events[", calendar.events.size(), "]");
    absl::StatusOr<CalendarEvent> event = ReadEvent(one);
    if (event.ok() && !names.insert(event->name).second) {
      event = Invalid("name", event->name, absl::StrCat("another event is called ", event->name));
    }
    if (!event.ok()) {
      return Error(event.status()).Before(place).Field(absl::StrCat(place, ".", PartsOf(event.status()).field));
    }
    calendar.events.push_back(*std::move(event));
  }
  return calendar;
}

}  // namespace gnomon
