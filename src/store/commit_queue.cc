// SPDX-License-Identifier: Apache-2.0
#include "store/commit_queue.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {
namespace {

absl::Status Fenced(ShardId shard) {
  return Error(absl::StatusCode::kAborted, "STORE_FENCED",
               absl::StrCat("shard ", static_cast<uint32_t>(shard), " has a newer owner"));
}

absl::Status Failed(ShardId shard) {
  return Error(
      absl::StatusCode::kUnavailable, "STORE_FAILED",
      absl::StrCat("an earlier commit failed; shard ", static_cast<uint32_t>(shard), " must be acquired anew"));
}

}  // namespace

CommitQueue::CommitQueue(Write write, Options options) : options_(options), write_(std::move(write)) {
  if (options_.own_thread) thread_ = std::thread([this] { Loop(); });
}

CommitQueue::~CommitQueue() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
  while (RunQueued() > 0) {
  }
}

absl::StatusOr<CommitQueue::Ticket> CommitQueue::Acquire(ShardId shard, absl::FunctionRef<absl::Status()> reopen) {
  absl::MutexLock lock(&mutex_);
  // First the fence, then the wait: what still waits in the queue fails when its turn comes.
  uint64_t number = ++owners_[shard].number;
  owners_[shard].failed = false;
  mutex_.Await(absl::Condition(this, &CommitQueue::IsQuiet));
  if (failed_) {
    reopening_ = true;
    reopen_wanted_ = true;
    mutex_.Await(absl::Condition(this, &CommitQueue::HasNoReaders));
    mutex_.Unlock();
    absl::Status reopened = reopen();
    mutex_.Lock();
    reopening_ = false;
    reopen_wanted_ = false;
    if (!reopened.ok()) return reopened;
    failed_ = false;
    ++life_;
  }
  return Ticket{shard, number, life_};
}

void CommitQueue::Enqueue(const Ticket& ticket, std::vector<Transaction> transactions,
                          absl::AnyInvocable<void(absl::Status)> done) {
  absl::MutexLock lock(&mutex_);
  // A `done` that commits must not wait for the thread that it runs on.
  bool may_wait = options_.own_thread && std::this_thread::get_id() != thread_.get_id();
  if (may_wait) mutex_.Await(absl::Condition(this, &CommitQueue::HasRoom));
  queue_.push_back(Pending{ticket, std::move(transactions), std::move(done), absl::OkStatus()});
}

absl::Status CommitQueue::Check(const Ticket& ticket) const {
  absl::MutexLock lock(&mutex_);
  return CheckLocked(ticket);
}

absl::Status CommitQueue::CheckLocked(const Ticket& ticket) const {
  const Owner& owner = owners_.at(ticket.shard);
  if (owner.number != ticket.owner) return Fenced(ticket.shard);
  if (owner.failed || failed_ || life_ != ticket.life) return Failed(ticket.shard);
  return absl::OkStatus();
}

absl::Status CommitQueue::Read(absl::FunctionRef<absl::Status()> read) {
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &CommitQueue::IsOpen));
    ++readers_;
  }
  absl::Status result = read();
  absl::MutexLock lock(&mutex_);
  --readers_;
  return result;
}

absl::Status CommitQueue::ReadWhileOpen(
    absl::FunctionRef<absl::Status(absl::FunctionRef<absl::Status()> check)> read) {
  return Read([&] {
    return read([this]() -> absl::Status {
      if (!reopen_wanted_.load(std::memory_order_relaxed)) return absl::OkStatus();
      return Error(absl::StatusCode::kUnavailable, "STORE_FAILED",
                   "a write has failed, and the store is opened anew: the walk was broken off")
          .Hint("begin again");
    });
  });
}

size_t CommitQueue::RunQueued() {
  GNOMON_CHECK(!thread_.joinable());
  std::vector<Pending> group;
  size_t commits = 0;
  size_t waiting = 0;
  {
    absl::MutexLock lock(&mutex_);
    waiting = queue_.size();
  }
  // Only those that wait now: a `done` that commits again must not keep the caller here for ever.
  while (commits < waiting) {
    {
      absl::MutexLock lock(&mutex_);
      group = TakeGroup();
    }
    commits += group.size();
    WriteGroup(group);
  }
  return commits;
}

void CommitQueue::Loop() {
  while (true) {
    std::vector<Pending> group;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &CommitQueue::HasWork));
      if (queue_.empty()) return;
      group = TakeGroup();
    }
    WriteGroup(group);
  }
}

// Also decides which commits of the group may be written, and claims the store for writing them.
std::vector<CommitQueue::Pending> CommitQueue::TakeGroup() {
  std::vector<Pending> group;
  size_t bytes = 0;
  while (!queue_.empty() && group.size() < options_.group_commits && bytes < kGroupBytes) {
    Pending commit = std::move(queue_.front());
    queue_.pop_front();
    commit.result = CheckLocked(commit.ticket);
    if (commit.result.ok()) {
      commit.result = CheckLimits(commit.transactions);
      if (!commit.result.ok()) owners_[commit.ticket.shard].failed = true;
    }
    if (commit.result.ok()) bytes += BytesOf(commit.transactions);
    group.push_back(std::move(commit));
  }
  writing_ = true;
  return group;
}

void CommitQueue::WriteGroup(std::vector<Pending>& group) {
  Group transactions;
  for (const Pending& commit : group) {
    if (!commit.result.ok()) continue;
    for (const Transaction& transaction : commit.transactions) {
      if (!transaction.ops.empty()) transactions.push_back(&transaction);
    }
  }
  absl::Status written = transactions.empty() ? absl::OkStatus() : write_(transactions);
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!written.ok()) failed_ = true;
  }
  for (Pending& commit : group) {
    if (commit.result.ok()) commit.result = written;
    std::move(commit.done)(std::move(commit.result));
  }
}

}  // namespace gnomon
