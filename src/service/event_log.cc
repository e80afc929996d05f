// SPDX-License-Identifier: Apache-2.0
#include "service/event_log.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {
namespace {

size_t TextBytes(const OwnedRecord& record) {
  return record.instance.size() + record.labels.size() + record.type.size() + record.place.zone.size() +
         record.place.host.size() + record.source.size() + record.prediction.size();
}
size_t TextBytes(const PoolConfig& pool) { return pool.name.size() + pool.exclude.size() * sizeof(IpRange); }
size_t TextBytes(const PredictionKey& key) {
  return key.source.size() + key.type.size() + key.scope.zone.size() + key.scope.host.size();
}
size_t TextBytes(const PredictionRecord& record) { return TextBytes(record.key) + record.id.size(); }
size_t TextBytes(const ErasedPrediction& erased) { return TextBytes(erased.key); }
size_t TextBytes(const ErasedAddress&) { return 0; }
size_t TextBytes(const ErasedPool&) { return 0; }

// What it costs to keep: the same whenever it is asked.
size_t CostOf(const OwnedChange& change) {
  return sizeof(OwnedChange) + std::visit([](const auto& one) { return TextBytes(one); }, change);
}

}  // namespace

void EventLog::Append(uint64_t last, std::vector<OwnedChange> changes) {
  absl::MutexLock lock(&mutex_);
  GNOMON_CHECK(last - last_ == changes.size());
  for (OwnedChange& change : changes) {
    bytes_ += CostOf(change);
    events_.push_back(std::move(change));
  }
  last_ = last;
  while (events_.size() > kMaxEvents || bytes_ > kMaxBytes) {
    bytes_ -= CostOf(events_.front());
    events_.pop_front();
  }
  Wake();
}

void EventLog::Reset(uint64_t revision) {
  absl::MutexLock lock(&mutex_);
  events_.clear();
  bytes_ = 0;
  last_ = revision;
  Wake();
}

absl::StatusOr<std::vector<EventLog::Event>> EventLog::Read(uint64_t after, size_t max) const {
  absl::MutexLock lock(&mutex_);
  const uint64_t oldest = last_ - events_.size();  // the revision before the first that is kept
  if (after < oldest || after > last_) {
    return Error(absl::StatusCode::kOutOfRange, "WATCH_TOO_OLD",
                 absl::StrCat("changes after revision ", after, " are not kept: those after ", oldest, " to ", last_, " are"))
        .Field("revision")
        .Hint("list again, and watch from the revision of the first page");
  }
  std::vector<Event> found;
  for (uint64_t next = after; next < last_ && found.size() < max; ++next) {
    found.push_back({next + 1, events_[next - oldest]});
  }
  return found;
}

EventLog::Token EventLog::Subscribe(absl::AnyInvocable<void()> wake) {
  absl::MutexLock lock(&mutex_);
  watchers_.emplace(next_token_, std::move(wake));
  return next_token_++;
}

void EventLog::Unsubscribe(Token token) {
  absl::MutexLock lock(&mutex_);
  watchers_.erase(token);
}

void EventLog::Wake() {
  for (auto& [token, wake] : watchers_) wake();
}

}  // namespace gnomon
