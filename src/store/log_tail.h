// SPDX-License-Identifier: Apache-2.0
//
// CheckLogTails tells a torn write at the end of RocksDB's log from a damaged length inside it.
//
// RocksDB takes a record whose length points behind the end of the log for a write that was cut off, and drops it with
// all that follows. A flipped bit in the length of any record of the log's last block would so drop acknowledged
// commits without a word. Here a whole record behind the cut one proves that it was not the last write.
//
// Threads: any. Limits: damage to the length of the very last record looks as a torn write and cannot be told from one.
// Cost: reads at most 32 KiB of each log.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "rocksdb/env.h"

namespace gnomon {

// DATA_LOSS (STORE_CORRUPT), naming the log, if a log in `dir` is damaged before its end. OK for a directory without
// logs, or without anything.
absl::Status CheckLogTails(rocksdb::Env& env, const std::string& dir);

// Whether `block`, the last block of a log, has a whole record behind one that claims to be longer than the block.
bool HasRecordBehindCut(std::string_view block);

}  // namespace gnomon
