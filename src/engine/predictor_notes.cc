// SPDX-License-Identifier: Apache-2.0
//
// What is stored of what was learnt: read once, and written after each step.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "base/error.h"
#include "engine/predictor.h"

namespace gnomon {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(100);  // before a read that failed is tried again
// A fleet that was told of a later time than this from now on stands still until then: rather it learns anew.
constexpr absl::Duration kMostAhead = absl::Hours(1);

}  // namespace

void Predictor::OpenAll() {
  for (const NetworkEntry& network : service_->ListNetworks()) {
    if (network.warm.mode_of_any() == PredictionMode::kOff) continue;
    Member* member = Open(network.id, network.name);
    if (member == nullptr || member->fleet == nullptr) continue;
    for (Ask& ask : member->asks) ask.wanted = true;
    Publish(network.id, *member);
  }
}

Predictor::Member* Predictor::Open(NetworkId id, const std::string& network) {
  auto found = members_.find(id);
  if (found == members_.end()) {
    if (members_.size() >= kMaxNetworks) return nullptr;
    absl::StatusOr<Notebook::Reader> reader = Read(id);
    if (!reader.ok()) return nullptr;
    found = members_.try_emplace(id).first;
    Member& member = found->second;
    member.network = network;
    Restore(&member, &*reader);
    member.notebook = reader->notebook();
  }
  Member& member = found->second;
  if (!Follow(id, &member)) return nullptr;
  if (member.fleet == nullptr) member.fleet = std::make_unique<Fleet>(Now(), Pace::Options());
  member.asks.resize(member.fleet->size());
  return &member;
}

// Blocks, and tries again as long as the store cannot be read.
absl::StatusOr<Notebook::Reader> Predictor::Read(NetworkId id) {
  Notebook::Reader reader;
  std::optional<uint64_t> from = Notebook::Reader::kFirst;
  while (from) {
    absl::Notification done;
    absl::StatusOr<std::vector<Note>> notes = absl::UnknownError("no reply");
    service_->ReadNotes(id, *from, [&](absl::StatusOr<std::vector<Note>> result) {
      notes = std::move(result);
      done.Notify();
    });
    done.WaitForNotification();
    if (notes.ok()) {
      from = reader.Take(*notes);
    } else if (absl::IsNotFound(notes.status())) {
      return notes.status();
    } else if (!absl::IsUnavailable(notes.status())) {
      reader.Lose(static_cast<uint64_t>(absl::ToUnixMicros(wall_)), notes.status());
      from = std::nullopt;
    } else {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kPause)) return notes.status();
    }
  }
  return reader;
}

void Predictor::Restore(Member* member, Notebook::Reader* reader) {
  absl::StatusOr<std::optional<Notebook::Reader::Contents>> contents = reader->contents();
  absl::Status why = contents.status();
  if (why.ok() && *contents) {
    absl::StatusOr<Fleet::Restored> restored = Fleet::Restore((*contents)->save, Pace::Options());
    why = restored.status();
    if (why.ok()) {
      why = restored->fleet->Replay((*contents)->journal);
      if (why.ok() && restored->fleet->last_s() > Now() + absl::ToInt64Seconds(kMostAhead)) {
        why = Error(absl::StatusCode::kFailedPrecondition, "ENGINE_STATE_DIFFERS",
                    absl::StrCat("it was told of ", restored->fleet->last_s() - Now(), " s after the clock's time"));
      }
    }
    if (why.ok()) {
      if (!restored->lost_part.ok()) Warn(member->network, restored->lost_part);
      member->fleet = std::move(restored->fleet);
      member->saved_s = Now();
    }
  }
  if (why.ok()) return;
  Warn(member->network, why);
  reader->GiveUp(why);
}

void Predictor::Warn(const std::string& network, const absl::Status& why) {
  if (warn_) {
    warn_(absl::StrCat("network ", network, ": what the engine had learnt is lost, and learnt anew: ", why.message(),
                       " (", CodeOf(why), ")"));
  }
  absl::MutexLock lock(&mutex_);
  ++lost_;
}

void Predictor::Write(NetworkId id, Member* member, int64_t now_s) {
  if (member->fleet != nullptr) {
    member->notebook.Add(member->fleet->TakeJournal());
    const bool due = now_s - member->saved_s >= absl::ToInt64Seconds(kSave);
    if (!member->notebook.writing() && (due || member->notebook.wants_save())) {
      member->notebook.Save(member->fleet->Save());
      member->saved_s = now_s;
    }
  }
  AnswerWaiters(member, absl::OkStatus());
  std::vector<NoteChange> changes = member->notebook.Begin();
  if (changes.empty()) return;
  {
    absl::MutexLock lock(&mutex_);
    ++in_flight_;
  }
  service_->WriteNotes(id, std::move(changes), [this, id](absl::StatusOr<Done> done) {
    absl::MutexLock lock(&mutex_);
    --in_flight_;
    if (!done.ok() && !absl::IsNotFound(done.status())) ++failed_writes_;  // a network that has gone is no failure
    written_.push_back({id, done.status()});
    woken_ |= waited_for_;
  });
}

void Predictor::TakeWritten(const Written& written) {
  auto found = members_.find(written.network);
  if (found == members_.end()) return;
  found->second.notebook.End(written.status.ok());
  AnswerWaiters(&found->second, written.status);
}

void Predictor::AnswerWaiters(Member* member, const absl::Status& status) {
  auto answered = [&](Waiter& waiter) {
    if (status.ok() && !member->notebook.Stored(waiter.ticket)) return false;
    waiter.run(status);
    return true;
  };
  std::erase_if(member->waiters, answered);
}

// A last step, until all of it is stored or cannot be.
void Predictor::Flush() {
  std::vector<Request> requests;
  {
    absl::MutexLock lock(&mutex_);
    requests.swap(requests_);
  }
  for (Request& request : requests) request(ShuttingDown());
  for (;;) {
    std::vector<Event> events;
    std::vector<Written> written;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](size_t* in_flight) { return *in_flight == 0; }, &in_flight_));
      events.swap(queue_);
      written.swap(written_);
    }
    bool failed = false;
    for (const Written& one : written) {
      TakeWritten(one);
      failed |= !one.status.ok();
    }
    if (opened_) Learn(std::move(events));
    bool more = false;
    for (auto& [id, member] : members_) {
      if (member.fleet == nullptr) continue;
      const uint64_t ticket = (member.notebook.Add(member.fleet->TakeJournal()), member.notebook.Ticket());
      if (member.notebook.Stored(ticket) || failed) continue;
      Write(id, &member, member.saved_s);
      more = true;
    }
    if (!more) break;
  }
  for (auto& [id, member] : members_) AnswerWaiters(&member, ShuttingDown());
}

}  // namespace gnomon
