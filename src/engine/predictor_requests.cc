// SPDX-License-Identifier: Apache-2.0
//
// What is asked of the engine: announcements, imports of the past, forecasts and their quality.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "engine/predictor.h"

namespace gnomon {
namespace {

std::string TimeText(absl::Time time) { return absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }
std::string TimeText(int64_t time_s) { return TimeText(absl::FromUnixSeconds(time_s)); }

absl::Status PredictionsOff(const std::string& network) {
  return Error(absl::StatusCode::kFailedPrecondition, "PREDICTIONS_OFF",
               absl::StrCat("network ", network, " is not predicted"))
      .Field("prediction_mode")
      .Value("off")
      .Hint("set its prediction_mode to observe or reserve first");
}

absl::Status TooManyNetworks() {
  return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_NETWORKS",
               absl::StrCat("the engine predicts ", Predictor::kMaxNetworks, " networks, the most that it can"));
}

Error InvalidAnnouncement(const char* field, const std::string& value, const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_ANNOUNCEMENT", message).Field(field).Value(value);
}

absl::Status CheckAnnouncement(const Announced& announced, absl::Time now) {
  if (announced.count == 0 || announced.count > Predictor::kMaxAnnounced) {
    return InvalidAnnouncement("count", absl::StrCat(announced.count),
                               absl::StrCat("an announcement cannot be of ", announced.count, " creations"))
        .Hint(absl::StrCat("use a number from 1 to ", Predictor::kMaxAnnounced));
  }
  const absl::Time first = now - absl::Seconds(Announcements::kLateS), last = now + Predictor::kMaxAhead;
  if (announced.at >= first && announced.at <= last) return absl::OkStatus();
  return InvalidAnnouncement("at", TimeText(announced.at),
                             "the announced time is past, or too far ahead")
      .Hint(absl::StrCat("use a time from ", TimeText(first), " to ",
                         TimeText(last)));
}

Announced ViewOf(const Fleet& fleet, const AnnouncementId& id, const Announcements::Known& known) {
  return {.id = id,
          .type = fleet.NameOf(known.type),
          .count = known.count,
          .at = absl::FromUnixSeconds(known.at_s),
          .left = known.left,
          .cancelled = known.cancelled};
}

// Which fields of the known one are others than those announced.
std::string Differences(const Announced& known, const Announced& announced) {
  std::string fields;
  if (known.type != announced.type) absl::StrAppend(&fields, " type ", known.type);
  if (known.count != announced.count) absl::StrAppend(&fields, " count ", known.count);
  if (announced.at != absl::InfinitePast() && known.at != announced.at) {
    absl::StrAppend(&fields, " at ", TimeText(known.at));
  }
  return fields;
}

Error InvalidHistory(size_t row, const char* field, const std::string& value, const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_HISTORY", message)
      .Field(absl::StrCat("creations[", row, "].", field))
      .Value(value);
}

absl::Status CheckPast(const std::vector<PastCreations>& past, int64_t now_s) {
  if (past.empty() || past.size() > Predictor::kMaxPast) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_HISTORY",
                 absl::StrCat("a call cannot import ", past.size(), " rows"))
        .Field("creations")
        .Value(absl::StrCat(past.size()))
        .Hint(absl::StrCat("send 1 to ", Predictor::kMaxPast, " of them a call"));
  }
  for (size_t row = 0; row < past.size(); ++row) {
    const PastCreations& one = past[row];
    if (one.count == 0 || one.count > Predictor::kMaxAnnounced) {
      return InvalidHistory(row, "count", absl::StrCat(one.count), absl::StrCat("no row can be of ", one.count, " creations"))
          .Hint(absl::StrCat("use a number from 1 to ", Predictor::kMaxAnnounced));
    }
    if (row > 0 && one.time_s < past[row - 1].time_s) {
      return InvalidHistory(row, "at", TimeText(one.time_s), "the row is before the one that precedes it")
          .Hint("send creations in the order of their times");
    }
    if (one.time_s > now_s) {
      return InvalidHistory(row, "at", TimeText(one.time_s), "the row is in the future")
          .Hint(absl::StrCat("the server's time is ", TimeText(now_s)));
    }
  }
  if (past.back().time_s - past.front().time_s <= absl::ToInt64Seconds(Predictor::kMaxPastSpan)) return absl::OkStatus();
  return InvalidHistory(past.size() - 1, "at", TimeText(past.back().time_s), "the call spans too much time")
      .Hint(absl::StrCat("send at most ", absl::FormatDuration(Predictor::kMaxPastSpan), " a call"));
}

constexpr const char* kModeIsOff = "the network's prediction_mode is off";
constexpr const char* kNeverSeen = "none was created since the network is predicted, and none imported";

// Of a TypeForecast or TypeQuality: why there is none of the type that was asked for.
template <typename T>
std::vector<T> NoneOf(const std::optional<std::string>& type, const char* why) {
  std::vector<T> list;
  if (type) list.push_back({.type = *type, .missing = why});
  return list;
}

// What `of` gives of each type by its name, or of `type` alone.
template <typename T>
std::vector<T> ListOf(const Fleet& fleet, const std::optional<std::string>& type, T (Fleet::*of)(size_t type) const) {
  std::vector<T> list;
  for (size_t number = 0; number < fleet.size(); ++number) {
    if (!type || fleet.NameOf(number) == *type) list.push_back((fleet.*of)(number));
  }
  if (list.empty()) return NoneOf<T>(type, kNeverSeen);
  std::sort(list.begin(), list.end(), [](const T& a, const T& b) { return a.type < b.type; });
  return list;
}

}  // namespace

void Predictor::Submit(Request request) {
  {
    absl::MutexLock lock(&mutex_);
    if (!stopping_) {
      requests_.push_back(std::move(request));
      woken_ = true;
      return;
    }
  }
  request(ShuttingDown());
}

absl::Status Predictor::ShuttingDown() {
  return Error(absl::StatusCode::kUnavailable, "SHUTTING_DOWN", "the server is shutting down")
      .Hint("try again on another, or later");
}

template <typename T>
void Predictor::WhenStored(Member* member, T answer, Reply<T> reply) {
  member->notebook.Add(member->fleet->TakeJournal());
  member->waiters.push_back({member->notebook.Ticket(), [answer = std::move(answer), reply = std::move(reply)](
                                                            const absl::Status& status) mutable {
                               status.ok() ? reply(std::move(answer)) : reply(status);
                             }});
}

void Predictor::Announce(const NetworkEntry& network, Announced announced, Reply<Announced> reply) {
  if (network.warm.mode_of_any() == PredictionMode::kOff) return reply(PredictionsOff(network.name));
  if (announced.at != absl::InfinitePast()) announced.at = absl::FromUnixSeconds(absl::ToUnixSeconds(announced.at));
  Submit([this, id = network.id, name = network.name, announced = std::move(announced),
          reply = std::move(reply)](const absl::Status& refused) mutable {
    if (!refused.ok()) return reply(refused);
    Member* member = Open(id, name);
    if (member == nullptr) return reply(TooManyNetworks());
    absl::StatusOr<Announced> view = TryAnnounce(id, member, announced);
    if (!view.ok()) return reply(view.status());
    WhenStored(member, *std::move(view), std::move(reply));
  });
}

absl::StatusOr<Announced> Predictor::TryAnnounce(NetworkId id, Member* member, Announced announced) {
  Fleet& fleet = *member->fleet;
  if (const Announcements::Known* known = fleet.announcements().Find(announced.id)) {
    const Announced view = ViewOf(fleet, announced.id, *known);
    const std::string differences = Differences(view, announced);
    if (differences.empty()) return view;
    return Error(absl::StatusCode::kAlreadyExists, "ANNOUNCEMENT_DIFFERS",
                 absl::StrCat("announcement ", announced.id.id, " of ", announced.id.source, " is known with", differences))
        .Field("id")
        .Value(announced.id.id)
        .Hint("give the new one an id of its own, and delete this one");
  }
  const int64_t now_s = Now();
  if (announced.at == absl::InfinitePast()) announced.at = absl::FromUnixSeconds(now_s);
  GNOMON_RETURN_IF_ERROR(CheckAnnouncement(announced, absl::FromUnixSeconds(now_s)));
  if (fleet.announcements().known().size() >= Announcements::kMaxKnown) {
    return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_ANNOUNCEMENTS",
                 absl::StrCat("network ", member->network, " has ", Announcements::kMaxKnown,
                              " announcements, the most that it can have"))
        .Hint("announce what comes together as one; what is over goes after an hour");
  }
  const std::optional<size_t> type = fleet.TypeOf(announced.type);
  if (!type) {
    return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_TYPES",
                 absl::StrCat("network ", member->network, " has ", Fleet::kMaxTypes, " types, the most that it can have"))
        .Field("type")
        .Value(announced.type);
  }
  fleet.Announce(announced.id, *type, announced.count, absl::ToUnixSeconds(announced.at), now_s);
  member->asks.resize(fleet.size());
  Publish(id, *member);  // what is due already is asked for in this step
  Announced view = ViewOf(fleet, announced.id, *fleet.announcements().Find(announced.id));
  view.made = true;
  return view;
}

void Predictor::Cancel(const NetworkEntry& network, AnnouncementId id, Reply<Done> reply) {
  End(network, std::move(id), &Fleet::Cancel, std::move(reply));
}

void Predictor::Begun(const NetworkEntry& network, AnnouncementId id, Reply<Done> reply) {
  End(network, std::move(id), &Fleet::Start, std::move(reply));
}

void Predictor::End(const NetworkEntry& network, AnnouncementId id, void (Fleet::*how)(const AnnouncementId& id),
                    Reply<Done> reply) {
  Submit([this, network_id = network.id, id = std::move(id), how,
          reply = std::move(reply)](const absl::Status& refused) mutable {
    if (!refused.ok()) return reply(refused);
    auto found = members_.find(network_id);
    const bool known = found != members_.end() && found->second.fleet != nullptr &&
                       found->second.fleet->announcements().Find(id) != nullptr;
    if (!known) {
      return reply(Error(absl::StatusCode::kNotFound, "ANNOUNCEMENT_NOT_FOUND",
                         absl::StrCat("no announcement ", id.id, " of ", id.source, " in this network"))
                       .Field("id")
                       .Value(id.id));
    }
    (found->second.fleet.get()->*how)(id);
    WhenStored(&found->second, Done(), std::move(reply));
  });
}

void Predictor::ListAnnouncements(const NetworkEntry& network, Reply<std::vector<Announced>> reply) {
  Submit([this, id = network.id, reply = std::move(reply)](const absl::Status& refused) mutable {
    if (!refused.ok()) return reply(refused);
    std::vector<Announced> open;
    auto found = members_.find(id);
    if (found == members_.end() || found->second.fleet == nullptr) return reply(std::move(open));
    const Fleet& fleet = *found->second.fleet;
    for (const auto& [known_id, known] : fleet.announcements().known()) {
      if (known.left > 0 && known.ends_s() >= Now()) open.push_back(ViewOf(fleet, known_id, known));
    }
    WhenStored(&found->second, std::move(open), std::move(reply));
  });
}

template <typename T>
void Predictor::AskFleet(const NetworkEntry& network, std::function<T(const Fleet&)> of, Reply<T> reply) {
  Submit([this, id = network.id, name = network.name, of = std::move(of),
          reply = std::move(reply)](const absl::Status& refused) mutable {
    if (!refused.ok()) return reply(refused);
    Member* member = Open(id, name);
    if (member == nullptr) return reply(TooManyNetworks());
    WhenStored(member, of(*member->fleet), std::move(reply));
  });
}

void Predictor::Forecasts(const NetworkEntry& network, std::optional<std::string> type,
                          Reply<std::vector<TypeForecast>> reply) {
  if (network.warm.mode_of_any() == PredictionMode::kOff) return reply(NoneOf<TypeForecast>(type, kModeIsOff));
  AskFleet<std::vector<TypeForecast>>(
      network, [type = std::move(type)](const Fleet& fleet) { return ListOf(fleet, type, &Fleet::ForecastOf); },
      std::move(reply));
}

void Predictor::Quality(const NetworkEntry& network, std::optional<std::string> type, Reply<NetworkQuality> reply) {
  if (network.warm.mode_of_any() == PredictionMode::kOff) {
    return reply(NetworkQuality{{.missing = kModeIsOff}, NoneOf<TypeQuality>(type, kModeIsOff)});
  }
  AskFleet<NetworkQuality>(
      network,
      [type = std::move(type)](const Fleet& fleet) {
        return NetworkQuality{fleet.QualityOfNetwork(), ListOf(fleet, type, &Fleet::QualityOf)};
      },
      std::move(reply));
}

void Predictor::Advise(const NetworkEntry& network, std::vector<Advice> advices) {
  if (network.warm.mode_of_any() == PredictionMode::kOff) return;
  Submit([this, id = network.id, name = network.name, advices = std::move(advices)](const absl::Status& refused) {
    Member* member = refused.ok() ? Open(id, name) : nullptr;
    if (member == nullptr || member->mode == PredictionMode::kOff) return;
    const int64_t now_s = Now();
    for (const Advice& advice : advices) {
      const std::optional<size_t> type = member->fleet->TypeOf(advice.type);
      if (!type) continue;
      member->asks.resize(member->fleet->size());
      Ask& ask = member->asks[*type];
      ask.advice = advice;
      ask.advised_s = now_s;
      ask.wanted = true;
      const OutlookPools* outlooks = member->fleet->OutlooksOf(*type);
      if (advice.expected) {
        member->fleet->Expect(*type, now_s, *advice.expected);
      } else if (outlooks != nullptr && outlooks->live()) {
        member->fleet->ExpectNothing(*type, now_s);
      }
    }
    Publish(id, *member);
  });
}

void Predictor::DropOldAdvice(NetworkId id, Member* member, int64_t now_s) {
  bool changed = false;
  for (size_t type = 0; type < member->asks.size(); ++type) {
    Ask& ask = member->asks[type];
    const OutlookPools* outlooks = member->fleet->OutlooksOf(type);
    const bool live = outlooks != nullptr && outlooks->live();
    if ((ask.advised_s == 0 && !live) || now_s - ask.advised_s <= absl::ToInt64Seconds(Advice::kLasts)) continue;
    if (live) member->fleet->ExpectNothing(type, now_s);
    ask.advised_s = 0;
    ask.wanted = true;
    changed = true;
  }
  if (changed && member->mode != PredictionMode::kOff) Publish(id, *member);
}

void Predictor::Import(const NetworkEntry& network, std::string id, std::vector<PastCreations> past,
                       Reply<ImportView> reply) {
  Submit([this, network_id = network.id, name = network.name, id = std::move(id), past = std::move(past),
          reply = std::move(reply)](const absl::Status& refused) mutable {
    if (!refused.ok()) return reply(refused);
    if (absl::Status valid = CheckPast(past, Now()); !valid.ok()) return reply(valid);
    Member* member = Open(network_id, name);
    if (member == nullptr) return reply(TooManyNetworks());
    if (member->mode != PredictionMode::kOff) {
      return reply(Error(absl::StatusCode::kFailedPrecondition, "PREDICTIONS_ON",
                         absl::StrCat("network ", name, " has learnt up to ", TimeText(member->fleet->last_s()),
                                      ": what was before can no longer be put before it"))
                       .Field("prediction_mode")
                       .Hint("set it to off, wait a minute until what was learnt is forgotten, import, then switch it on again"));
    }
    absl::StatusOr<ImportView> view = TryImport(member, id, past);
    if (!view.ok()) return reply(view.status());
    WhenStored(member, *std::move(view), std::move(reply));
  });
}

absl::StatusOr<ImportView> Predictor::TryImport(Member* member, const std::string& id,
                                                const std::vector<PastCreations>& past) {
  ImportView view;
  for (const PastCreations& one : past) view.creations += one.count;
  if (member->fleet->Imported(id)) return view;
  // What was learnt before predictions were switched off is to be forgotten; a planner's time begins with the first that it
  // is told of.
  if (member->fleet->live() || member->fleet->size() == 0) {
    member->fleet = std::make_unique<Fleet>(past.front().time_s, Pace::Options());
    member->asks.clear();
    member->notebook.Restart();
  }
  if (past.front().time_s < member->fleet->last_s()) {
    return Error(absl::StatusCode::kFailedPrecondition, "HISTORY_TOO_LATE",
                 absl::StrCat("network ", member->network, " has learnt up to ", TimeText(member->fleet->last_s())))
        .Field("creations[0].at")
        .Value(TimeText(past.front().time_s))
        .Hint("send older creations first");
  }
  view.passed_over = member->fleet->Import(id, past);
  view.creations -= view.passed_over;
  member->asks.resize(member->fleet->size());
  return view;
}

}  // namespace gnomon
