// SPDX-License-Identifier: Apache-2.0
#include "store/memory_store.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace gnomon {
namespace {

absl::Status Visit(const MemoryDisk& disk, std::string_view prefix, std::string_view from, KeyVisitor visitor) {
  // A copy: the visitor must not hold up the commits.
  const std::map<std::string, std::string> values = disk.Copy();
  for (auto it = values.lower_bound(std::string(std::max(prefix, from))); it != values.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    GNOMON_RETURN_IF_ERROR(visitor(it->first, it->second));
  }
  return absl::OkStatus();
}

class MemoryShard final : public ShardStore {
 public:
  MemoryShard(CommitQueue& queue, const MemoryDisk& disk, CommitQueue::Ticket ticket)
      : queue_(queue), disk_(disk), ticket_(ticket) {}

  absl::Status Load(std::string_view prefix, std::string_view from, KeyVisitor visitor) override {
    GNOMON_RETURN_IF_ERROR(queue_.Check(ticket_));
    return Visit(disk_, prefix, from, visitor);
  }

  void Commit(std::vector<Transaction> transactions, absl::AnyInvocable<void(absl::Status)> done) override {
    queue_.Enqueue(ticket_, std::move(transactions), std::move(done));
  }

 private:
  CommitQueue& queue_;
  const MemoryDisk& disk_;
  const CommitQueue::Ticket ticket_;
};

}  // namespace

void MemoryDisk::FailCommit(size_t n, size_t stored) {
  absl::MutexLock lock(&mutex_);
  fail_in_ = n;
  stored_ = stored;
}

absl::Status MemoryDisk::Write(const CommitQueue::Group& transactions) {
  absl::MutexLock lock(&mutex_);
  bool fails = fail_in_ > 0 && --fail_in_ == 0;
  size_t left = fails ? stored_ : transactions.size();
  for (const Transaction* transaction : transactions) {
    if (left == 0) break;
    --left;
    for (const Op& op : transaction->ops) {
      if (op.value) {
        values_[op.key] = *op.value;
      } else {
        values_.erase(op.key);
      }
    }
  }
  if (!fails) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "STORE_FAILED", "the write failed, as it was told to");
}

std::map<std::string, std::string> MemoryDisk::Copy() const {
  absl::MutexLock lock(&mutex_);
  return values_;
}

// One commit a group: a fault then hits exactly the n-th.
MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk, Run run)
    : disk_(std::move(disk)),
      queue_([this](const CommitQueue::Group& group) { return disk_->Write(group); },
             CommitQueue::Options{.own_thread = run == Run::kOwnThread, .group_commits = 1}) {}

absl::StatusOr<std::unique_ptr<ShardStore>> MemoryStore::Acquire(ShardId shard) {
  GNOMON_ASSIGN_OR_RETURN(CommitQueue::Ticket ticket, queue_.Acquire(shard, [] { return absl::OkStatus(); }));
  return std::make_unique<MemoryShard>(queue_, *disk_, ticket);
}

absl::Status MemoryStore::Snapshot(KeyVisitor visitor) {
  return queue_.ReadWhileOpen([&](absl::FunctionRef<absl::Status()> check) {
    return Visit(*disk_, "", "", [&](std::string_view key, std::string_view value) -> absl::Status {
      GNOMON_RETURN_IF_ERROR(check());
      return visitor(key, value);
    });
  });
}

}  // namespace gnomon
