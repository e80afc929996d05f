// SPDX-License-Identifier: Apache-2.0
//
// Events of other systems: GitHub, Alertmanager, CloudEvents. Each becomes an announcement, or the end of one.
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/answer.h"
#include "api/api.h"
#include "api/decode.h"
#include "ipam/refusals.h"
#include "signals/alertmanager.h"
#include "signals/cloud_events.h"

namespace gnomon {
namespace {

using What = SignalEvent::What;

std::string Decoded(std::string_view text) {
  std::string decoded;
  return PercentDecode(text, false, &decoded) ? decoded : std::string(text);
}

// What becomes of the events of one request. It answers when the last is known and nobody holds it any more.
//
// Threads: any.
class Outcomes {
 public:
  Outcomes(std::shared_ptr<Exchange> call, Receivers* receivers, std::string receiver)
      : call_(std::move(call)), receivers_(receivers), receiver_(std::move(receiver)) {}
  Outcomes(const Outcomes&) = delete;
  Outcomes& operator=(const Outcomes&) = delete;
  ~Outcomes() { Answer(); }

  void Ignored(std::string why) {
    absl::MutexLock lock(&mutex_);
    ++ignored_;
    if (whys_.size() < kMaxWhys) whys_.push_back(std::move(why));
  }
  // An event that comes again changes nothing, though it may be told with another time.
  void Announced(const absl::StatusOr<gnomon::Announced>& view) {
    absl::MutexLock lock(&mutex_);
    if (view.ok()) {
      ++(view->made ? announced_ : unchanged_);
    } else if (CodeOf(view.status()) == "ANNOUNCEMENT_DIFFERS") {
      ++unchanged_;
    } else {
      Refuse(view.status());
    }
  }
  void Ended(const absl::StatusOr<Done>& done) {
    absl::MutexLock lock(&mutex_);
    if (done.ok()) {
      ++cancelled_;
    } else if (absl::IsNotFound(done.status())) {
      ++unchanged_;
    } else {
      Refuse(done.status());
    }
  }

 private:
  static constexpr size_t kMaxWhys = 10;

  void Refuse(const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++refused_;
    if (refusal_.ok()) refusal_ = why;
  }
  // One that was refused makes the sender try again, and what was used already is then left as it is.
  void Answer() {
    absl::MutexLock lock(&mutex_);
    const std::pair<const char*, uint64_t> counts[] = {
        {"announced", announced_}, {"cancelled", cancelled_}, {"unchanged", unchanged_}, {"ignored", ignored_}};
    for (const auto& [name, count] : counts) {
      if (count > 0) receivers_->Count(call_->network, receiver_, name, count);
    }
    if (refused_ > 0) {
      receivers_->Count(call_->network, receiver_, "refused", refused_);
      return call_->Fail(refusal_);
    }
    gnomon::Answer(*call_, 200, [&](JsonWriter* json) {
      json->BeginObject();
      for (const auto& [name, count] : counts) json->Key(name).Int(static_cast<int64_t>(count));
      json->Key("why").BeginArray();
      for (const std::string& why : whys_) json->String(why);
      json->EndArray().EndObject();
    });
  }

  const std::shared_ptr<Exchange> call_;
  Receivers* const receivers_;
  const std::string receiver_;
  absl::Mutex mutex_;
  uint64_t announced_ ABSL_GUARDED_BY(mutex_) = 0, cancelled_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t unchanged_ ABSL_GUARDED_BY(mutex_) = 0, ignored_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> whys_ ABSL_GUARDED_BY(mutex_);  // the first of what was ignored
};

}  // namespace

void Api::ReceiveGithub(Call call, HttpRequest& request) const {
  if (parts_.receivers == nullptr) return call->Fail(404, "PATH_NOT_FOUND", "this server receives no events");
  GithubEvents& github = parts_.receivers->github();
  const std::string& network = call->arguments[0];
  if (absl::Status authentic = github.CheckSignature(network, request.body, request.Header("X-Hub-Signature-256"));
      !authentic.ok()) {
    return call->Fail(authentic);
  }
  absl::StatusOr<SignalEvent> event =
      github.Decode(network, request.Header("X-GitHub-Event"), request.body, parts_.receivers->Now());
  if (!event.ok()) return call->Fail(event.status());
  Receive(call, "github", std::vector<SignalEvent>{*std::move(event)});
}

void Api::ReceiveAlerts(Call call, HttpRequest& request) const {
  if (parts_.receivers == nullptr) return call->Fail(404, "PATH_NOT_FOUND", "this server receives no events");
  Receive(call, "alertmanager", DecodeAlerts(request.body, parts_.receivers->Now()));
}

void Api::ReceiveCloudEvents(Call call, HttpRequest& request) const {
  if (absl::StartsWithIgnoreCase(AbslView(request.Header("Content-Type")), "application/cloudevents")) {
    return Receive(call, "cloudevents", DecodeCloudEvents(request.body));
  }
  absl::StatusOr<SignalEvent> event = DecodeBinaryCloudEvent({.specversion = Decoded(request.Header("ce-specversion")),
                                                              .source = Decoded(request.Header("ce-source")),
                                                              .id = Decoded(request.Header("ce-id")),
                                                              .time = Decoded(request.Header("ce-time"))},
                                                             request.body);
  if (!event.ok()) return call->Fail(event.status());
  Receive(call, "cloudevents", std::vector<SignalEvent>{*std::move(event)});
}

void Api::Receive(const Call& call, const std::string& receiver, absl::StatusOr<std::vector<SignalEvent>> events) const {
  if (!events.ok()) return call->Fail(events.status());
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  if (parts_.receivers == nullptr) return call->Fail(404, "PATH_NOT_FOUND", "this server receives no events");
  if (absl::Status admitted = parts_.receivers->Admit(call->network, receiver); !admitted.ok()) return call->Fail(admitted);
  for (const SignalEvent& event : *events) {
    if (event.what != What::kNothing && call->ids.size() < Exchange::kMaxIds) {
      call->ids.push_back(absl::StrCat(event.id.source, "/", event.id.id));
    }
  }
  const auto outcomes = std::make_shared<Outcomes>(call, parts_.receivers, receiver);
  for (SignalEvent& event : *events) {
    switch (event.what) {
      case What::kNothing:
        outcomes->Ignored(std::move(event.why));
        break;
      case What::kAnnounce:
        parts_.engine->Announce(
            *network, {.id = std::move(event.id), .type = std::move(event.type), .count = event.count, .at = event.at},
            [outcomes](const absl::StatusOr<Announced>& view) { outcomes->Announced(view); });
        break;
      case What::kStarted:
        parts_.engine->Begun(*network, std::move(event.id),
                             [outcomes](const absl::StatusOr<Done>& done) { outcomes->Ended(done); });
        break;
      case What::kCancel:
        parts_.engine->Cancel(*network, std::move(event.id),
                              [outcomes](const absl::StatusOr<Done>& done) { outcomes->Ended(done); });
        break;
    }
  }
}

}  // namespace gnomon
