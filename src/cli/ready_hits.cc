// SPDX-License-Identifier: Apache-2.0
#include "cli/ready_hits.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {
namespace {

absl::Time SinceOf(const JsonValue& record) { return TimeMember(record, "since").value_or(absl::InfiniteFuture()); }

}  // namespace

ReadyHits::ReadyHits(HttpClientOptions client, std::string network, absl::Duration lead)
    : client_(std::move(client)), network_(std::move(network)), lead_(lead) {
  client_.cancelled = &cancelled_;
}

ReadyHits::~ReadyHits() {
  cancelled_ = true;
  if (thread_.joinable()) thread_.join();
}

absl::Status ReadyHits::Start() {
  ApiClient api(client_);
  GNOMON_ASSIGN_OR_RETURN(std::string revision, api.List({"v1", "networks", network_, "shadows"}, "shadows", {}, 0,
                                                         [this](const JsonValue& shadow) {
                                                           See(shadow);
                                                           return absl::OkStatus();
                                                         }));
  thread_ = std::thread([this, revision = std::move(revision)] {
    ApiClient watching(client_);
    const absl::Status ended = watching.Watch(network_, revision, [this](const JsonObject& event) {
      if (TextMember(event, "type") == "put" && TextMember(event, "kind") == "address") See(Member(event, "object"));
      return absl::OkStatus();
    });
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    why_ = ended;
  });
  return absl::OkStatus();
}

void ReadyHits::See(const JsonValue& record) {
  const std::string state = TextMember(record, "state"), address = TextMember(record, "address");
  if (state != "assigned" && TextMember(record, "instance") == last_) last_.clear();  // its id may come again
  if (state == "shadow") {
    shadows_[address] = SinceOf(record);
    return;
  }
  auto shadow = shadows_.find(address);
  if (shadow == shadows_.end()) return;
  const bool taken = state == "assigned" && TextMember(record, "source") == "shadow" &&
                     std::exchange(last_, TextMember(record, "instance")) != TextMember(record, "instance");
  if (taken && SinceOf(record) - shadow->second >= lead_) ++ready_;
  shadows_.erase(shadow);
  if (!taken) return;
  absl::MutexLock lock(&mutex_);
  ++seen_;
}

absl::StatusOr<int64_t> ReadyHits::CountOf(int64_t hits) {
  absl::Status why;
  {
    absl::MutexLock lock(&mutex_);
    auto done = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ || seen_ >= hits; };
    mutex_.AwaitWithTimeout(absl::Condition(&done), client_.timeout);
    if (seen_ < hits) {
      why = ended_ ? why_
                   : Error(absl::StatusCode::kDeadlineExceeded, "SERVER_TIMEOUT",
                           absl::StrCat("the watch told of ", seen_, " of ", hits, " hits"));
    }
  }
  cancelled_ = true;
  thread_.join();
  if (!why.ok()) return why;
  return count();
}

}  // namespace gnomon
