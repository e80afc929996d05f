// SPDX-License-Identifier: Apache-2.0
//
// Calendars of a network: what people know will come. They are kept as they were sent.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/answer.h"
#include "api/api.h"
#include "api/decode.h"
#include "api/name_page.h"
#include "signals/calendar_text.h"

namespace gnomon {
namespace {

constexpr absl::Duration kShown = absl::Hours(24 * 7);  // of occurrences
constexpr size_t kMaxShown = 100;

struct Shown {
  const CalendarEvent* event;
  Occurrence occurrence;
};

void Write(const CalendarEvent& event, JsonWriter* json) {
  json->BeginObject().Key("name").String(event.name).Key("type").String(event.type).Key("zone").String(event.zone);
  json->Key("start").String(absl::FormatCivilTime(event.start));
  if (event.length > absl::ZeroDuration()) json->Key("length").Duration(event.length);
  json->Key("repeats").Bool(event.rule.has_value());
  if (event.count) json->Key("count").Int(*event.count);
  if (event.factor) json->Key("factor").Double(*event.factor);
  json->EndObject();
}

// What a calendar says, and what it brings next.
void Write(const std::string& name, const ParsedCalendar& calendar, absl::Time now, JsonWriter* json) {
  std::vector<Shown> next;
  for (const CalendarEvent& event : calendar.events) {
    for (const Occurrence& one : OccurrencesBetween(event, now, now + kShown)) next.push_back({&event, one});
  }
  std::sort(next.begin(), next.end(), [](const Shown& a, const Shown& b) {
    return std::tie(a.occurrence.begin, a.event->name) < std::tie(b.occurrence.begin, b.event->name);
  });
  if (next.size() > kMaxShown) next.resize(kMaxShown);
  json->BeginObject().Key("name").String(name).Key("events").BeginArray();
  for (const CalendarEvent& event : calendar.events) Write(event, json);
  json->EndArray().Key("passed_over").BeginArray();
  for (const std::string& why : calendar.passed_over) json->String(why);
  json->EndArray().Key("next").BeginArray();
  for (const Shown& one : next) {
    json->BeginObject().Key("event").String(one.event->name).Key("begin").Time(one.occurrence.begin);
    json->Key("end").Time(one.occurrence.end).EndObject();
  }
  json->EndArray().EndObject();
}

absl::Status CalendarNotFound(const std::string& name) {
  return Error(absl::StatusCode::kNotFound, "CALENDAR_NOT_FOUND", absl::StrCat("no calendar ", Excerpt(name), " in this network"))
      .Field("calendar")
      .Value(Excerpt(name));
}

}  // namespace

void Api::PutCalendar(Call call, HttpRequest& request) const {
  const std::string name = call->arguments[1];
  if (absl::Status valid = CheckName("calendar", name); !valid.ok()) return call->Fail(valid);
  absl::StatusOr<ParsedCalendar> calendar = ParseCalendar(request.body);
  if (!calendar.ok()) return call->Fail(calendar.status());
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  call->ids.push_back(name);
  Document document{.kind = std::string(kCalendarKind), .name = name, .text = std::string(request.body)};
  parts_.documents->Change(
      network->id, {.put = {std::move(document)}},
      [this, call, name, calendar = *std::move(calendar)](const absl::StatusOr<Done>& done) {
        if (!done.ok()) return call->Fail(done.status());
        Answer(*call, 200, [&](JsonWriter* json) { Write(name, calendar, parts_.receivers->Now(), json); });
      });
}

void Api::ListCalendars(Call call, HttpRequest& request) const {
  absl::StatusOr<NamePage> page = DecodePage(request);
  if (!page.ok()) return call->Fail(page.status());
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  const std::vector<Document> calendars = parts_.documents->Read(network->id, kCalendarKind);
  call->Send(200, WritePage(
                      "calendars", calendars, *page, [](const Document& one) { return one.name; },
                      [](const Document& one, JsonWriter* json) {
                        json->BeginObject().Key("name").String(one.name);
                        json->Key("bytes").Int(static_cast<int64_t>(one.text.size())).EndObject();
                      }));
}

void Api::GetCalendar(Call call, HttpRequest&) const {
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  for (const Document& one : parts_.documents->Read(network->id, kCalendarKind)) {
    if (one.name != call->arguments[1]) continue;
    const absl::StatusOr<ParsedCalendar> calendar = ParseCalendar(one.text);
    if (!calendar.ok()) return call->Fail(calendar.status());
    return Answer(*call, 200, [&](JsonWriter* json) { Write(one.name, *calendar, parts_.receivers->Now(), json); });
  }
  call->Fail(CalendarNotFound(call->arguments[1]));
}

void Api::DeleteCalendar(Call call, HttpRequest&) const {
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  call->ids.push_back(call->arguments[1]);
  const std::vector<Document> calendars = parts_.documents->Read(network->id, kCalendarKind);
  const bool known = std::any_of(calendars.begin(), calendars.end(),
                                 [&](const Document& one) { return one.name == call->arguments[1]; });
  if (!known) return call->Fail(CalendarNotFound(call->arguments[1]));
  parts_.documents->Change(network->id, {.erase = {{std::string(kCalendarKind), call->arguments[1]}}}, AnsweringNothing(call));
}

}  // namespace gnomon
