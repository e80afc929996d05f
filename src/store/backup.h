// SPDX-License-Identifier: Apache-2.0
//
// A backup is one file with every key and value of a store, from which a store with a new incarnation is made.
//
// Format: docs/store_format.md. The file is complete and correct or it is refused: its last bytes are the count of its
// records and a checksum over all before them.
//
// Durability: a backup is on the disk under its name, synced, when WriteBackup returns OK; a failed one leaves the file
//   that had the name before. Limits: those of a Store. Cost: reads the store once; needs no memory worth mentioning.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "store/rocksdb_open.h"
#include "store/store.h"

namespace gnomon {

struct BackupSummary {
  uint64_t records = 0;
  uint64_t bytes = 0;        // of the file
  uint64_t incarnation = 0;  // of the store that was saved
};

// Writes one consistent state of `store`, which may go on serving. Uses `path`.partial until it is complete.
// Errors: those of Snapshot; UNAVAILABLE (BACKUP_FAILED) names the file and the system's reason.
absl::StatusOr<BackupSummary> WriteBackup(Store& store, const std::string& path);

// Reads all of the backup and checks it, without storing it. DATA_LOSS (BACKUP_CORRUPT) for a damaged or cut file,
// FAILED_PRECONDITION (BACKUP_TOO_NEW) for a later format, UNAVAILABLE (BACKUP_FAILED) if it cannot be read.
absl::StatusOr<BackupSummary> CheckBackup(const std::string& path);

// Makes a store of the backup, with a new incarnation, in `target.dir`, which must be missing or empty
// (FAILED_PRECONDITION DATA_DIR_NOT_EMPTY). Checks the backup before it writes anything, and on an error removes what
// it wrote. If the process dies meanwhile, RocksDbStore::Open refuses what is there (RESTORE_UNFINISHED).
absl::StatusOr<BackupSummary> RestoreBackup(const std::string& path, const RocksDbOptions& target);

}  // namespace gnomon
