// SPDX-License-Identifier: Apache-2.0
//
// A CommitQueue orders the commits of all shards, decides which of them may be written, and runs their callbacks.
//
// Its thread takes all commits that wait (a group), lets `write` store them, and calls each `done` in order. While it
// writes, the next group gathers: under load one sync serves many commits.
//
// Invariants: a commit is written only while its ticket is the newest of its shard and no write has failed since the
//   ticket was given. A write never runs while a store is being reopened.
// Threads: any; `write` and `done` run on the queue's thread, or in RunQueued() if it was made without one.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "store/store.h"

namespace gnomon {

class CommitQueue {
 public:
  // The transactions of one or more commits, in order. OK: all of them are durable.
  using Group = std::vector<const Transaction*>;
  using Write = absl::AnyInvocable<absl::Status(const Group&)>;

  static constexpr size_t kGroupBytes = size_t{16} << 20;  // no further commit joins a group of this size
  struct Options {
    bool own_thread = true;
    size_t group_commits = kMaxQueuedCommits;  // at most so many commits in one write
  };

  // The right to commit: what a ShardStore holds.
  struct Ticket {
    ShardId shard{};
    uint64_t owner = 0;  // counts the owners of the shard
    uint64_t life = 0;   // counts the reopenings of the store
  };

  CommitQueue(Write write, Options options);
  ~CommitQueue();  // completes what waits; the caller makes sure that nothing more comes

  // Waits for the write under way, fences the owner before, and if a write has failed calls `reopen` while no write and
  // no Read runs. An error of `reopen` is returned; the store stays failed.
  absl::StatusOr<Ticket> Acquire(ShardId shard, absl::FunctionRef<absl::Status()> reopen);

  void Enqueue(const Ticket& ticket, std::vector<Transaction> transactions,
               absl::AnyInvocable<void(absl::Status)> done);

  // OK, or why the next commit of this ticket would fail.
  absl::Status Check(const Ticket& ticket) const;

  // Runs `read` while nothing is reopened.
  absl::Status Read(absl::FunctionRef<absl::Status()> read);
  // As Read, for a long one that must not hold up a reopening: `check` fails as soon as one is wanted, and then `read` is to
  // return.
  absl::Status ReadWhileOpen(absl::FunctionRef<absl::Status(absl::FunctionRef<absl::Status()> check)> read);

  // For a queue without a thread: writes and completes what waits now. Returns how many commits that were.
  size_t RunQueued();

 private:
  struct Pending {
    Ticket ticket;
    std::vector<Transaction> transactions;
    absl::AnyInvocable<void(absl::Status)> done;
    absl::Status result;
  };
  struct Owner {
    uint64_t number = 0;
    bool failed = false;  // a commit of this owner broke a limit
  };

  void Loop();
  std::vector<Pending> TakeGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteGroup(std::vector<Pending>& group) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status CheckLocked(const Ticket& ticket) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return queue_.size() < kMaxQueuedCommits; }
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !queue_.empty(); }
  bool IsQuiet() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !writing_ && !reopening_; }
  bool HasNoReaders() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return readers_ == 0; }
  bool IsOpen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !reopening_; }

  const Options options_;
  Write write_;  // the thread's

  mutable absl::Mutex mutex_;
  std::deque<Pending> queue_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<ShardId, Owner> owners_ ABSL_GUARDED_BY(mutex_);
  uint64_t life_ ABSL_GUARDED_BY(mutex_) = 1;
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;  // a write failed in this life
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool reopening_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> reopen_wanted_{false};  // follows reopening_, for readers under way
  size_t readers_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: starts when all else is there
};

}  // namespace gnomon
