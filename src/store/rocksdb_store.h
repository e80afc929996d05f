// SPDX-License-Identifier: Apache-2.0
//
// A RocksDbStore is the embedded Store: a directory of this machine, with one synced write for many commits.
//
// Example:
//   auto store = RocksDbStore::Open({.dir = "/var/lib/gnomon"});
//
// Threads: as Store; its own one thread writes and runs the callbacks.
// Durability: a commit is done after its bytes were written to the log and synced. All transactions of a group are one
//   write of RocksDB: after a crash all of them are there or none.
// Limits: one process a directory, held by a lock file. Memory: about three memtables.
// Cost: a group costs one fdatasync, whatever its size.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/commit_queue.h"
#include "store/rocksdb_open.h"
#include "store/store.h"

namespace gnomon {

class RocksDbStore final : public Store {
 public:
  // Makes an empty store if the directory is empty or missing. Errors: Translate's, and FAILED_PRECONDITION
  // (RESTORE_UNFINISHED) for a directory in which a restore was interrupted.
  static absl::StatusOr<std::unique_ptr<RocksDbStore>> Open(RocksDbOptions options);

  absl::StatusOr<std::unique_ptr<ShardStore>> Acquire(ShardId shard) override;
  absl::Status Snapshot(KeyVisitor visitor) override;
  uint64_t incarnation() const override { return incarnation_; }

 private:
  RocksDbStore(RocksDbOptions options, std::unique_ptr<rocksdb::DB> db, uint64_t incarnation);

  absl::Status Write(const CommitQueue::Group& transactions);
  absl::Status Reopen();

  const RocksDbOptions options_;
  const uint64_t incarnation_;
  std::unique_ptr<rocksdb::DB> db_;  // replaced in Reopen, while the queue neither writes nor reads; null: it failed
  CommitQueue queue_;                // last: its destructor still writes
};

// One damaged place of a store.
struct BadRecord {
  std::string key;  // printable; for a damaged block the last key before it
  std::string reason;
};

struct CheckReport {
  uint64_t good = 0;  // records that could be read and are whole
  uint64_t bad = 0;
  std::vector<BadRecord> records;  // the first kMaxReportedRecords of the bad ones
};

inline constexpr size_t kMaxReportedRecords = 1000;

// Reads all of the store in `options.dir`, and every checksum in its files, without changing it. Damage is in the
// report, not in the status; DATA_LOSS if it cannot even be opened, DATA_DIR_LOCKED if a process uses it.
absl::StatusOr<CheckReport> CheckStore(const RocksDbOptions& options);

}  // namespace gnomon
