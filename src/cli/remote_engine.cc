// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_engine.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr double kMinHitRate = 0.5, kMaxHitRate = 0.999;

double RealMember(const JsonValue& object, std::string_view name, double otherwise) {
  const JsonValue& value = Member(object, name);
  if (value.is_double()) return value.get_double();
  return value.is_int64() ? static_cast<double>(value.get_int64()) : otherwise;
}

// The bounds that `settings`, of a network or of a type of it, give; what they leave out is as in `otherwise`.
PlanBounds BoundsIn(const JsonValue& settings, PlanBounds bounds) {
  const double miss = RealMember(settings, "miss_cost", 0), idle = RealMember(settings, "idle_cost", 0);
  const double aim =
      miss > 0 && idle > 0 ? miss / (miss + idle) : RealMember(settings, "target_hit_rate", bounds.hit_rate);
  bounds.hit_rate = std::clamp(aim, kMinHitRate, kMaxHitRate);
  bounds.least = static_cast<int64_t>(RealMember(settings, "min_shadows", static_cast<double>(bounds.least)));
  bounds.most = static_cast<int64_t>(RealMember(settings, "max_shadows", static_cast<double>(bounds.most)));
  bounds.least = std::clamp<int64_t>(bounds.least, 0, UINT32_MAX);
  bounds.most = std::clamp<int64_t>(bounds.most, bounds.least, UINT32_MAX);
  return bounds;
}

// The network is gone, or the token is not good for it.
bool Refused(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
}

// A read that will not be otherwise when it is tried again.
bool Ends(const absl::Status& status) {
  return Refused(status) || absl::IsInvalidArgument(status) || absl::IsUnimplemented(status) ||
         absl::IsFailedPrecondition(status);
}

std::string Why(const absl::Status& status) {
  const std::string code = CodeOf(status);
  return absl::StrCat(status.message(), code.empty() ? "" : absl::StrCat(" (", code, ")"));
}

}  // namespace

RemoteEngine::RemoteEngine(RemoteEngineOptions options, const Clock* clock, std::ostream& messages)
    : options_(std::move(options)),
      clock_(clock),
      wall_(clock->Wall()),
      start_(clock->Monotonic()),
      id_prefix_(absl::StrCat(absl::Hex(absl::ToUnixMicros(wall_)), "-")),
      messages_(messages) {}

int64_t RemoteEngine::Now() const { return absl::ToUnixSeconds(wall_ + (clock_->Monotonic() - start_)); }

void RemoteEngine::Say(std::string_view message) {
  absl::MutexLock lock(&messages_mutex_);
  messages_ << message << std::endl;
}

absl::Status RemoteEngine::Run(const std::atomic<bool>* stop) {
  HttpClientOptions client = options_.client;
  client.cancelled = stop;
  api_ = std::make_unique<ApiClient>(std::move(client));
  GNOMON_RETURN_IF_ERROR(Open());
  std::thread watching([this] { Follow(); });
  const absl::Status ended = Loop(stop);
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  watching.join();
  if (ended.ok()) Say("stopped; the shadows that it asked for end within five minutes, or serve the next run");
  return ended;
}

absl::Status RemoteEngine::Open() {
  GNOMON_ASSIGN_OR_RETURN(std::string revision, ReadNetwork());
  GNOMON_ASSIGN_OR_RETURN(folder_, StateFolder::Open(options_.state_dir, options_.network));
  absl::StatusOr<std::string> kept = RestoreFleet();
  if (kept.ok() && !kept->empty()) revision = *std::move(kept);
  const std::string code = CodeOf(kept.status());
  if (code == "ENGINE_STATE_CORRUPT" || code == "ENGINE_STATE_DIFFERS") {
    Say(absl::StrCat("what was learnt cannot be used, is set aside as ", options_.state_dir, "/fleet.unread, and is learnt anew: ",
                     Why(kept.status())));
    GNOMON_RETURN_IF_ERROR(folder_->SetAside());
  } else if (!kept.ok()) {
    return kept.status();
  }
  if (fleet_ == nullptr) fleet_ = std::make_unique<Fleet>(Now(), Pace::Options());
  KnowFloors();
  wanted_.assign(fleet_->size(), true);
  reviewed_s_ = saved_s_ = Now();
  kept_revision_ = revision;
  Say(absl::StrCat("following network ", options_.network, " at ", options_.client.server, " from revision ", revision,
                   "; ", fleet_->size(), " types known"));
  absl::MutexLock lock(&mutex_);
  revision_ = std::move(revision);
  return absl::OkStatus();
}

absl::StatusOr<std::string> RemoteEngine::RestoreFleet() {
  GNOMON_ASSIGN_OR_RETURN(StateFolder::Contents contents, folder_->Read());
  if (contents.save.empty()) return std::string();
  GNOMON_ASSIGN_OR_RETURN(Fleet::Restored restored, Fleet::Restore(contents.save, Pace::Options()));
  GNOMON_RETURN_IF_ERROR(restored.fleet->Replay(contents.journal));
  if (!restored.lost_part.ok()) Say(absl::StrCat("a part of what was learnt is lost: ", Why(restored.lost_part)));
  fleet_ = std::move(restored.fleet);
  return contents.revision;
}

absl::Status RemoteEngine::Loop(const std::atomic<bool>* stop) {
  for (;;) {
    if (absl::Status stepped = Step(); !stepped.ok()) return *stop ? absl::OkStatus() : stepped;
    absl::MutexLock lock(&mutex_);
    auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !ended_.ok(); };
    mutex_.AwaitWithTimeout(absl::Condition(&ended), Pace::kStep);
    if (*stop) return absl::OkStatus();
    if (!ended_.ok()) return ended_;
  }
}

absl::Status RemoteEngine::Step() {
  std::vector<Creations> creations;
  {
    absl::MutexLock lock(&mutex_);
    creations.swap(seen_);
    kept_revision_ = revision_;
  }
  const int64_t now_s = Now();
  Learn(creations);
  if (now_s - reviewed_s_ >= absl::ToInt64Seconds(Pace::kReview)) GNOMON_RETURN_IF_ERROR(Review(now_s));
  const absl::Status asked = AskFor();
  Keep(now_s);
  return asked;
}

void RemoteEngine::Learn(const std::vector<Creations>& creations) {
  for (const Creations& some : creations) {
    const std::optional<size_t> type = fleet_->TypeOf(some.type);
    if (!type) {
      if (!std::exchange(passes_over_, true))
        Say(absl::StrCat("types beyond ", Fleet::kMaxTypes, " are not learnt from"));
      continue;
    }
    fleet_->Created(*type, std::min(some.time_s, Now()), some.count);
    wanted_.resize(fleet_->size());
    wanted_[*type] = true;
  }
}

absl::Status RemoteEngine::Review(int64_t now_s) {
  const absl::Status read = ReadNetwork().status();
  if (Ends(read)) return read;
  KnowFloors();
  fleet_->Review(now_s);
  wanted_.assign(fleet_->size(), true);
  reviewed_s_ = now_s;
  return absl::OkStatus();
}

// A floor of a type holds before its first creation.
void RemoteEngine::KnowFloors() {
  for (const auto& [type, bounds] : settings_.types) {
    if (bounds.least > 0) fleet_->TypeOf(type);
  }
}

absl::StatusOr<std::string> RemoteEngine::ReadNetwork() {
  GNOMON_ASSIGN_OR_RETURN(JsonValue network, api_->Get(ApiPath({"v1", "networks", options_.network})));
  bool reserves = TextMember(network, "prediction_mode") == "reserve";
  Settings settings{.all = BoundsIn(network, {.hit_rate = 0.99, .least = 0, .most = UINT32_MAX}), .types = {}};
  if (const JsonValue& types = Member(network, "types"); types.is_object()) {
    for (const auto& type : types.get_object()) {
      reserves |= TextMember(type.value(), "prediction_mode") == "reserve";
      settings.types.emplace_back(std::string(type.key().data(), type.key().size()),
                                  BoundsIn(type.value(), settings.all));
    }
  }
  if (reserves) {
    return Error(absl::StatusCode::kFailedPrecondition, "SERVER_PREDICTS",
                 absl::StrCat("the server itself reserves for network ", options_.network,
                              ", and two engines would hold twice"))
        .Field("prediction_mode")
        .Value("reserve")
        .Hint(absl::StrCat("gnomon update network ", options_.network,
                           " --prediction-mode observe, of its types too, or let the server do it alone"));
  }
  settings_ = std::move(settings);
  return TextMember(network, "revision");
}

const PlanBounds& RemoteEngine::BoundsOf(const std::string& type) const {
  for (const auto& [name, bounds] : settings_.types) {
    if (name == type) return bounds;
  }
  return settings_.all;
}

absl::Status RemoteEngine::AskFor() {
  size_t type = 0;
  while (type < wanted_.size()) {
    JsonArray predictions;
    std::vector<std::pair<size_t, uint32_t>> asked;
    for (; type < wanted_.size() && asked.size() < kMaxPredictionsACall; ++type) {
      if (!wanted_[type]) continue;
      wanted_[type] = false;
      const std::string& name = fleet_->NameOf(type);
      const int64_t lead_s = absl::ToInt64Seconds(Pace::kLead);
      const uint32_t left = fleet_->LeftOf(type);
      const uint32_t count = CountFor(PlanWithin(*fleet_, type, BoundsOf(name), Now(), lead_s).plan, left);
      if (count == 0 && left == 0) continue;  // what was there ends by itself
      predictions.push_back(JsonObject{
          {"type", name}, {"count", count}, {"horizon", absl::StrCat(absl::ToInt64Seconds(Pace::kHorizon), "s")}});
      asked.emplace_back(type, count);
    }
    if (asked.empty()) break;
    const JsonObject call = {{"network", options_.network},
                             {"source", options_.source},
                             {"id", absl::StrCat(id_prefix_, ++last_id_)},
                             {"predictions", std::move(predictions)}};
    const absl::Status done = api_->Call("POST", "/v1/predict_instances", call).status();
    if (Refused(done)) return done;
    if (!done.ok()) {  // all is asked for again at the next review
      if (!std::exchange(asks_fail_, true) && !absl::IsCancelled(done))
        Say(absl::StrCat("cannot ask for shadows: ", Why(done)));
      return absl::OkStatus();
    }
    if (std::exchange(asks_fail_, false)) Say("shadows are asked for again");
    for (const auto& [one, count] : asked) {
      if (count != fleet_->LeftOf(one)) fleet_->Asked(one, count);
    }
  }
  return absl::OkStatus();
}

// A write that fails is said, and made good by a save of all.
void RemoteEngine::Keep(int64_t now_s) {
  const std::string journal = fleet_->TakeJournal();
  absl::Status kept;
  if (folder_->wants_save() || now_s - saved_s_ >= absl::ToInt64Seconds(Pace::kSave)) {
    kept = folder_->Save(kept_revision_, fleet_->Save());
    if (kept.ok()) saved_s_ = now_s;
  } else if (!journal.empty()) {
    kept = folder_->Append(kept_revision_, journal);
  }
  if (kept.ok() == !keeping_fails_) return;
  keeping_fails_ = !kept.ok();
  Say(kept.ok() ? "what is learnt is kept again" : absl::StrCat("what is learnt cannot be kept: ", Why(kept)));
}

void RemoteEngine::Follow() {
  HttpClientOptions client = options_.client;
  client.cancelled = &ending_;
  ApiClient api(std::move(client));
  absl::Duration pause = absl::ZeroDuration();  // not zero: the server is away
  for (;;) {
    std::string revision;
    {
      absl::MutexLock lock(&mutex_);
      revision = revision_;
    }
    const absl::Status ended = api.Watch(options_.network, revision, [&](const JsonObject& event) {
      if (std::exchange(pause, absl::ZeroDuration()) > absl::ZeroDuration()) Say("the server is back");
      See(event);
      return absl::OkStatus();
    });
    if (ending_ || !GoOn(ended, api, &pause)) return;
  }
}

void RemoteEngine::See(const JsonObject& event) {
  const JsonValue& record = Member(event, "object");
  const bool put = TextMember(event, "type") == "put" && TextMember(event, "kind") == "address";
  const bool assigned = put && TextMember(record, "state") == "assigned";
  const std::string instance = TextMember(record, "instance"), revision = TextMember(event, "revision");
  if (!assigned) last_instance_.clear();
  // A later change of the record keeps its generation; the addresses of one instance follow each other.
  const bool created = assigned && TextMember(record, "generation") == TextMember(record, "revision") &&
                       std::exchange(last_instance_, instance) != instance;
  const absl::Time since = TimeMember(record, "since").value_or(clock_->Wall());
  absl::MutexLock lock(&mutex_);
  auto room = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return seen_.size() < kMaxQueued || ending_; };
  mutex_.Await(absl::Condition(&room));
  if (created) {
    const int64_t time_s = absl::ToUnixSeconds(since);
    const std::string type = TextMember(record, "type");
    if (!seen_.empty() && seen_.back().type == type && seen_.back().time_s == time_s) {
      ++seen_.back().count;
    } else {
      seen_.push_back({type, time_s, 1});
    }
  }
  if (!revision.empty()) revision_ = revision;
}

bool RemoteEngine::GoOn(const absl::Status& ended, ApiClient& api, absl::Duration* pause) {
  absl::Status why = ended;
  if (absl::IsOutOfRange(ended)) {
    const absl::StatusOr<JsonValue> network = api.Get(ApiPath({"v1", "networks", options_.network}));
    why = network.status();
    if (why.ok()) {
      Say(absl::StrCat("cannot go on where it was, and goes on from now; creations between were not learnt from: ",
                       Why(ended)));
      absl::MutexLock lock(&mutex_);
      revision_ = TextMember(*network, "revision");
      return true;
    }
  }
  if (Ends(why)) {
    absl::MutexLock lock(&mutex_);
    ended_ = why;
    return false;
  }
  if (*pause == absl::ZeroDuration()) Say(absl::StrCat("waiting for the server: ", Why(why)));
  *pause = std::clamp(*pause * 2, kFirstPause, kLongestPause);
  absl::MutexLock lock(&mutex_);
  auto ending = [this] { return ending_.load(); };
  mutex_.AwaitWithTimeout(absl::Condition(&ending), *pause);
  return !ending_;
}

}  // namespace gnomon
