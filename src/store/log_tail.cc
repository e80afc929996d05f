// SPDX-License-Identifier: Apache-2.0
#include "store/log_tail.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "store/envelope.h"
#include "store/rocksdb_open.h"

namespace gnomon {
namespace {

// https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format: blocks of 32 KiB hold records of checksum (4),
// length (2), type (1), payload; the checksum is over type and payload.
constexpr uint64_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;
constexpr uint8_t kFull = 1;
constexpr uint8_t kFirst = 2;

constexpr std::array<uint32_t, 256> MakeCrc32cTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    table[byte] = crc;
  }
  return table;
}

// CRC-32C as RocksDB stores it, "masked" so that a checksum over checksums is no special case.
uint32_t MaskedCrc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = MakeCrc32cTable();
  uint32_t crc = 0xffffffff;
  for (char c : bytes) crc = kTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  crc ^= 0xffffffff;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

size_t LengthOf(std::string_view record) {
  return static_cast<uint8_t>(record[4]) | (size_t{static_cast<uint8_t>(record[5])} << 8);
}

// A record that begins a write: the other types may be left over from the torn write itself.
bool BeginsWithWholeRecord(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || bytes.size() - kHeaderBytes < LengthOf(bytes)) return false;
  uint8_t type = static_cast<uint8_t>(bytes[6]);
  if (type != kFull && type != kFirst) return false;
  return ReadU32(bytes) == MaskedCrc32c(bytes.substr(6, 1 + LengthOf(bytes)));
}

absl::Status CheckLogTail(rocksdb::Env& env, const std::string& path) {
  const std::string doing = absl::StrCat("reading the log ", path);
  uint64_t size = 0;
  GNOMON_RETURN_IF_ERROR(Translate(env.GetFileSize(path, &size), doing));
  if (size == 0) return absl::OkStatus();
  uint64_t start = (size - 1) / kBlockBytes * kBlockBytes;
  std::unique_ptr<rocksdb::RandomAccessFile> file;
  GNOMON_RETURN_IF_ERROR(Translate(env.NewRandomAccessFile(path, &file, rocksdb::EnvOptions()), doing));
  std::string scratch(static_cast<size_t>(size - start), '\0');
  rocksdb::Slice block;
  GNOMON_RETURN_IF_ERROR(Translate(file->Read(start, scratch.size(), &block, scratch.data()), doing));
  if (!HasRecordBehindCut({block.data(), block.size()})) return absl::OkStatus();
  return Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT",
               absl::StrCat("the log ", path, " has a damaged record before its end"))
      .Hint(kCorruptHint);
}

}  // namespace

bool HasRecordBehindCut(std::string_view block) {
  while (block.size() >= kHeaderBytes) {
    size_t length = LengthOf(block);
    if (length <= block.size() - kHeaderBytes) {
      block.remove_prefix(kHeaderBytes + length);  // whether it is whole RocksDB finds out
      continue;
    }
    for (size_t at = 1; at < block.size(); ++at) {
      if (BeginsWithWholeRecord(block.substr(at))) return true;
    }
    return false;
  }
  return false;
}

absl::Status CheckLogTails(rocksdb::Env& env, const std::string& dir) {
  std::vector<std::string> names;
  rocksdb::Status listed = env.GetChildren(dir, &names);
  if (listed.IsNotFound()) return absl::OkStatus();
  GNOMON_RETURN_IF_ERROR(Translate(listed, absl::StrCat("listing ", dir)));
  for (const std::string& name : names) {
    if (name.ends_with(".log")) GNOMON_RETURN_IF_ERROR(CheckLogTail(env, absl::StrCat(dir, "/", name)));
  }
  return absl::OkStatus();
}

}  // namespace gnomon
