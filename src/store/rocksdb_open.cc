// SPDX-License-Identifier: Apache-2.0
#include "store/rocksdb_open.h"

#include <algorithm>
#include <cstdarg>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "rocksdb/options.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/table.h"
#include "store/envelope.h"
#include "store/log_tail.h"
#include "store/store.h"

namespace gnomon {
namespace {

// RocksDB's own log tells nothing that our errors do not; a file of it a start would only fill the disk.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options DatabaseOptions(const RocksDbOptions& options) {
  rocksdb::Options db;
  if (options.env != nullptr) db.env = options.env;
  db.create_if_missing = true;
  db.info_log = std::make_shared<SilentLogger>();
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;

  // A commit that was never acknowledged may end in the middle of its log record when the power fails: that tail is
  // dropped. Any other damage (a wrong checksum, also in the last record) fails the open; log_tail.h closes a gap. Not
  // kPointInTimeRecovery, the default: it would silently drop everything behind a damaged record, acknowledged commits
  // too. Not kAbsoluteConsistency: it would refuse to start after every power loss in the middle of a write.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // Must stay off: after a failed sync the log may sit in the page cache alone, marked clean. Recovery then writes
  // what it read into a new, synced table, which makes it durable again before we build upon it.
  db.avoid_flush_during_recovery = false;
  db.recycle_log_file_num = 0;                  // old bytes behind a torn tail would look like damage
  db.track_and_verify_wals_in_manifest = true;  // a log that is missing or too short fails the open
  db.paranoid_checks = true;

  // Few writes, all of them small, and one full scan a start: a large memtable keeps the number of tables low.
  db.write_buffer_size = options.memtable_bytes;
  db.max_write_buffer_number = 3;
  db.max_total_wal_size = 4 * options.memtable_bytes;
  db.max_background_jobs = 2;
  db.max_open_files = 512;
  db.keep_log_file_num = 1;
  db.compression = rocksdb::kNoCompression;
  // One place to begin from for all keys: the last one. A group's keys come in order, each near the one before.
  db.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(0));

  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.block_size = 16 << 10;
  table.no_block_cache = true;  // every read is a scan of the whole store
  db.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return db;
}

bool IsLockMessage(const std::string& message) {
  return absl::StrContains(message, "lock hold by current process") || absl::StrContains(message, "While lock file");
}

}  // namespace

absl::Status Translate(const rocksdb::Status& status, const std::string& doing) {
  if (status.ok()) return absl::OkStatus();
  std::string message = absl::StrCat(doing, ": ", status.ToString());
  if (status.IsCorruption()) {
    return Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT", message).Hint(kCorruptHint);
  }
  if (status.IsIOError() && IsLockMessage(message)) {
    return Error(absl::StatusCode::kFailedPrecondition, "DATA_DIR_LOCKED", message)
        .Hint("another process has this data directory open: stop it, or use a directory of your own");
  }
  return Error(absl::StatusCode::kUnavailable, "STORE_FAILED", message)
      .Hint("look at the disk: free space, permissions, the kernel's log");
}

absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenDatabase(const RocksDbOptions& options) {
  rocksdb::Options db_options = DatabaseOptions(options);
  rocksdb::DB* db = nullptr;
  GNOMON_RETURN_IF_ERROR(CheckLogTails(*db_options.env, options.dir));
  rocksdb::Status opened = rocksdb::DB::Open(db_options, options.dir, &db);
  GNOMON_RETURN_IF_ERROR(Translate(opened, absl::StrCat("opening the store ", options.dir)));
  return std::unique_ptr<rocksdb::DB>(db);
}

absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenDatabaseReadOnly(const RocksDbOptions& options) {
  rocksdb::Options db_options = DatabaseOptions(options);
  db_options.create_if_missing = false;
  GNOMON_RETURN_IF_ERROR(CheckLogTails(*db_options.env, options.dir));
  rocksdb::DB* db = nullptr;
  rocksdb::Status opened = rocksdb::DB::OpenForReadOnly(db_options, options.dir, &db);
  GNOMON_RETURN_IF_ERROR(Translate(opened, absl::StrCat("opening the store ", options.dir, " for reading")));
  return std::unique_ptr<rocksdb::DB>(db);
}

absl::Status VisitDatabase(rocksdb::DB& db, std::string_view prefix, std::string_view from,
                           absl::FunctionRef<absl::Status(std::string_view, std::string_view)> visitor) {
  rocksdb::ReadOptions read;
  read.verify_checksums = true;
  read.fill_cache = false;
  read.readahead_size = 2 << 20;
  // An iterator reads one consistent state: that of its making.
  std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(read));
  std::string last;
  const std::string_view first = std::max(prefix, from);
  for (it->Seek({first.data(), first.size()}); it->Valid(); it->Next()) {
    std::string_view key(it->key().data(), it->key().size());
    if (!key.starts_with(prefix)) break;
    last.assign(key);
    GNOMON_ASSIGN_OR_RETURN(std::string_view value, Unseal(key, {it->value().data(), it->value().size()}));
    if (key[0] != kReservedKeyByte) GNOMON_RETURN_IF_ERROR(visitor(key, value));
  }
  if (it->status().ok()) return absl::OkStatus();
  return Translate(it->status(), absl::StrCat("reading the store behind key \"", PrintableKey(last), "\""));
}

}  // namespace gnomon
