// SPDX-License-Identifier: Apache-2.0
#include "signals/alertmanager.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"
#include "signals/event_json.h"

namespace gnomon {
namespace {

constexpr const char* kSource = "alertmanager";

// The label, or else the annotation.
std::string Told(const boost::json::value& alert, std::string_view name) {
  std::string label = EventJson::Text(alert, {"labels", name});
  return label.empty() ? EventJson::Text(alert, {"annotations", name}) : label;
}

SignalEvent Refused(const char* what, std::string_view value) {
  return SignalEvent::Nothing(absl::StrCat(what, " \"", Excerpt(value), "\" cannot be used"));
}

SignalEvent DecodeAlert(const boost::json::value& alert, absl::Time now) {
  const std::string type = EventJson::Text(alert, {"labels", "gnomon_type"});
  if (type.empty()) return SignalEvent::Nothing("no label gnomon_type");
  if (!IsName(type)) return Refused("gnomon_type", type);
  const std::string starts = EventJson::Text(alert, {"startsAt"});
  const std::optional<absl::Time> began = EventTime(starts);
  if (!began) return Refused("startsAt", starts);
  const std::string fingerprint = EventJson::Text(alert, {"fingerprint"});
  const std::string id = absl::StrCat(fingerprint, "-", absl::ToUnixSeconds(*began));
  if (fingerprint.empty() || !IsName(id)) return Refused("fingerprint", fingerprint);
  SignalEvent event{.id = {kSource, id}, .type = type, .count = 1, .at = *began};
  const std::string status = EventJson::Text(alert, {"status"});
  if (status == "resolved") {
    event.what = SignalEvent::What::kCancel;
    return event;
  }
  if (status != "firing") return Refused("status", status);
  if (const std::string count = Told(alert, "gnomon_count"); !count.empty()) {
    const std::optional<uint32_t> number = EventCount(count);
    if (!number) return Refused("gnomon_count", count);
    event.count = *number;
  }
  if (const std::string at = Told(alert, "gnomon_at"); !at.empty()) {
    const std::optional<absl::Time> time = EventTime(at);
    if (!time) return Refused("gnomon_at", at);
    event.at = *time;
  }
  if (event.at + absl::Seconds(Announcements::kLateS) < now) {
    return SignalEvent::Nothing("it fires still, and what it told of is expected no more");
  }
  event.what = SignalEvent::What::kAnnounce;
  return event;
}

}  // namespace

absl::StatusOr<std::vector<SignalEvent>> DecodeAlerts(std::string_view body, absl::Time now) {
  GNOMON_ASSIGN_OR_RETURN(const EventJson json, EventJson::Parse(body));
  const std::string version = json.Text({"version"});
  if (version != "4") {
    return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_VERSION",
                 absl::StrCat("a webhook of version \"", Excerpt(version), "\" cannot be read"))
        .Field("version")
        .Value(Excerpt(version))
        .Hint("use Alertmanager 0.6 or later, whose webhooks are of version \"4\"");
  }
  const boost::json::value* alerts = json.Find({"alerts"});
  if (alerts == nullptr || !alerts->is_array()) {
    return Error(absl::StatusCode::kInvalidArgument, "MISSING_FIELD", "the webhook has no array of alerts").Field("alerts");
  }
  if (alerts->get_array().size() > kMaxAlerts) {
    return Error(absl::StatusCode::kInvalidArgument, "TOO_MANY_EVENTS",
                 absl::StrCat("the webhook has ", alerts->get_array().size(), " alerts"))
        .Field("alerts")
        .Value(absl::StrCat(alerts->get_array().size()))
        .Hint(absl::StrCat("set max_alerts of the webhook's configuration to ", kMaxAlerts, " or less"));
  }
  std::vector<SignalEvent> events;
  for (const boost::json::value& alert : alerts->get_array()) events.push_back(DecodeAlert(alert, now));
  return events;
}

}  // namespace gnomon
