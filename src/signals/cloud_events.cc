// SPDX-License-Identifier: Apache-2.0
#include "signals/cloud_events.h"

#include <cctype>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/predictor.h"
#include "signals/event_json.h"

namespace gnomon {
namespace {

Error Invalid(const char* code, std::string_view field, std::string_view value, std::string_view message) {
  Error error(absl::StatusCode::kInvalidArgument, code, message);
  error.Field(field).Value(Excerpt(value));
  return error;
}

absl::StatusOr<std::string> NameFrom(const char* field, const std::string& text) {
  if (text.empty()) return Invalid("MISSING_FIELD", field, "", absl::StrCat("the event has no ", field));
  std::string name = NameOfText(text);
  if (IsName(name)) return name;
  return Invalid("INVALID_NAME", field, text, absl::StrCat("the ", field, " is too long"))
      .Hint("use at most 128 bytes, of which each that is none of [A-Za-z0-9._-] counts three times");
}

// "at", or else the event's time, or else now.
absl::StatusOr<absl::Time> TimeOf(const boost::json::value& data, const std::string& event_time) {
  const boost::json::value* at = EventJson::Find(data, {"at"});
  const std::string text = at == nullptr ? event_time : EventJson::Text(data, {"at"});
  if (at == nullptr && text.empty()) return absl::InfinitePast();
  if (const std::optional<absl::Time> time = EventTime(text)) return *time;
  return Invalid("INVALID_TIME", at == nullptr ? "time" : "data.at", text, "the time cannot be read")
      .Hint("use RFC 3339, as 2027-01-15T09:00:00Z");
}

absl::StatusOr<SignalEvent> Decode(const CloudEventHeaders& attributes, const boost::json::value* data) {
  if (attributes.specversion != "1.0") {
    return Invalid("UNKNOWN_VERSION", "specversion", attributes.specversion, "the event is not of CloudEvents 1.0")
        .Hint("send specversion \"1.0\"");
  }
  SignalEvent event{.what = SignalEvent::What::kAnnounce};
  GNOMON_ASSIGN_OR_RETURN(event.id.source, NameFrom("source", attributes.source));
  GNOMON_ASSIGN_OR_RETURN(event.id.id, NameFrom("id", attributes.id));
  if (data == nullptr || !data->is_object()) {
    return Invalid("MISSING_FIELD", "data", "", "the event has no data, or it is not a JSON object")
        .Hint("send {\"type\":\"web\",\"count\":30} as its data");
  }
  event.type = EventJson::Text(*data, {"type"});
  if (!IsName(event.type)) {
    return Invalid("INVALID_NAME", "data.type", event.type, "the type is missing, or not a name")
        .Hint("use 1 to 128 of [A-Za-z0-9._~-]");
  }
  const std::optional<int64_t> count = EventJson::Int(*data, {"count"});
  if (!count || !EventCount(*count)) {
    return Invalid("OUT_OF_RANGE", "data.count", count ? absl::StrCat(*count) : "", "the count is missing, or out of range")
        .Hint(absl::StrCat("use a whole number from 1 to ", Predictor::kMaxAnnounced));
  }
  event.count = *EventCount(*count);
  GNOMON_ASSIGN_OR_RETURN(event.at, TimeOf(*data, attributes.time));
  return event;
}

absl::StatusOr<SignalEvent> DecodeStructured(const boost::json::value& event) {
  return Decode({.specversion = EventJson::Text(event, {"specversion"}),
                 .source = EventJson::Text(event, {"source"}),
                 .id = EventJson::Text(event, {"id"}),
                 .time = EventJson::Text(event, {"time"})},
                EventJson::Find(event, {"data"}));
}

}  // namespace

std::string NameOfText(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool kept = byte < 0x80 && (std::isalnum(byte) != 0 || c == '.' || c == '_' || c == '-');
    if (kept) {
      name.push_back(c);
    } else {
      absl::StrAppendFormat(&name, "~%02X", byte);
    }
  }
  return name;
}

absl::StatusOr<std::vector<SignalEvent>> DecodeCloudEvents(std::string_view body) {
  GNOMON_ASSIGN_OR_RETURN(const EventJson json, EventJson::Parse(body));
  std::vector<SignalEvent> events;
  if (json.value().is_object()) {
    GNOMON_ASSIGN_OR_RETURN(SignalEvent event, DecodeStructured(json.value()));
    events.push_back(std::move(event));
    return events;
  }
  const boost::json::array& batch = json.value().get_array();
  if (batch.size() > kMaxCloudEvents) {
    return Invalid("TOO_MANY_EVENTS", "", absl::StrCat(batch.size()), absl::StrCat("the batch has ", batch.size(), " events"))
        .Hint(absl::StrCat("send at most ", kMaxCloudEvents, " a request"));
  }
  for (const boost::json::value& one : batch) {
    absl::StatusOr<SignalEvent> event = DecodeStructured(one);
    if (!event.ok()) {
      return Error(event.status()).Field(absl::StrCat("[", events.size(), "].", PartsOf(event.status()).field));
    }
    events.push_back(*std::move(event));
  }
  return events;
}

absl::StatusOr<SignalEvent> DecodeBinaryCloudEvent(const CloudEventHeaders& headers, std::string_view body) {
  GNOMON_ASSIGN_OR_RETURN(const EventJson data, EventJson::Parse(body));
  return Decode(headers, &data.value());
}

}  // namespace gnomon
