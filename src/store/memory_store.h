// SPDX-License-Identifier: Apache-2.0
//
// A MemoryStore is a Store for tests and the simulation: its MemoryDisk stands for the disk and outlives it.
//
// Example:
//   auto disk = std::make_shared<MemoryDisk>();
//   auto store = std::make_unique<MemoryStore>(disk);
//   ...
//   store = nullptr;
//   store = std::make_unique<MemoryStore>(disk);  // a restart: what was committed is there
//
// Threads: as Store. With Run::kWhenAsked it has no thread: commits are written, and their callbacks run, in
//   RunQueued(), so that a simulation decides when.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "store/commit_queue.h"
#include "store/store.h"

namespace gnomon {

// The durable part of a MemoryStore, and the controls of its faults. Threads: any.
class MemoryDisk {
 public:
  // A simulation gives the id, so that its runs are equal.
  explicit MemoryDisk(uint64_t incarnation = NewIncarnation()) : incarnation_(incarnation) {}

  uint64_t incarnation() const { return incarnation_; }

  // The n-th commit from now that stores something fails (1: the next), after its first `stored` transactions became
  // durable. 0 takes it back.
  void FailCommit(size_t n, size_t stored = 0);

  // Each is durable when it returns, unless the fault above says otherwise.
  absl::Status Write(const CommitQueue::Group& transactions);

  std::map<std::string, std::string> Copy() const;

 private:
  const uint64_t incarnation_;
  mutable absl::Mutex mutex_;
  std::map<std::string, std::string> values_ ABSL_GUARDED_BY(mutex_);
  size_t fail_in_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t stored_ ABSL_GUARDED_BY(mutex_) = 0;
};

class MemoryStore final : public Store {
 public:
  enum class Run { kOwnThread, kWhenAsked };

  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk, Run run = Run::kOwnThread);

  absl::StatusOr<std::unique_ptr<ShardStore>> Acquire(ShardId shard) override;
  absl::Status Snapshot(KeyVisitor visitor) override;
  uint64_t incarnation() const override { return disk_->incarnation(); }

  // Run::kWhenAsked only: completes the commits that wait now; returns how many.
  size_t RunQueued() { return queue_.RunQueued(); }

 private:
  const std::shared_ptr<MemoryDisk> disk_;
  CommitQueue queue_;
};

}  // namespace gnomon
