// SPDX-License-Identifier: Apache-2.0
//
// How a RocksDB database is opened here: its options, its lock, and the translation of its errors.
//
// Threads: any. Errors: see Translate.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"

namespace gnomon {

struct RocksDbOptions {
  std::string dir;              // made if missing; its parent must exist
  rocksdb::Env* env = nullptr;  // nullptr: the system's. Not owned, must outlive the store
  size_t memtable_bytes = size_t{64} << 20;
};

// The store's own keys.
inline constexpr std::string_view kIncarnationKey("\0incarnation", 12);

// The only place where a rocksdb::Status becomes an absl::Status; `doing` begins the message.
//   DATA_LOSS STORE_CORRUPT            something stored is damaged
//   FAILED_PRECONDITION DATA_DIR_LOCKED another process has the directory open
//   UNAVAILABLE STORE_FAILED           the disk refused (full, read-only, broken)
absl::Status Translate(const rocksdb::Status& status, const std::string& doing);

// Opens for reading and writing; the database stays locked against other processes while it is open.
absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenDatabase(const RocksDbOptions& options);

// Opens for reading and changes nothing on the disk. Does not lock.
absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenDatabaseReadOnly(const RocksDbOptions& options);

// Visits the stored keys with `prefix` from `from` on, but not the store's own, checks each envelope and passes the value inside.
// DATA_LOSS names the damaged record, or the last good one before a damaged block.
absl::Status VisitDatabase(rocksdb::DB& db, std::string_view prefix, std::string_view from,
                           absl::FunctionRef<absl::Status(std::string_view key, std::string_view value)> visitor);

}  // namespace gnomon
