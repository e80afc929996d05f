// SPDX-License-Identifier: Apache-2.0
#include "store/envelope.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "store/store.h"

namespace gnomon {
namespace {

// The key's length comes first, so that bytes cannot move between key and value unseen. The version is in it, so that a
// flipped bit there does not pass for a newer store; every later version must keep this much.
uint32_t Checksum(char version, std::string_view key, std::string_view value) {
  std::string head(1, version);
  AppendU32(&head, static_cast<uint32_t>(key.size()));
  return Crc32(Crc32(Crc32(0, head), key), value);
}

}  // namespace

const char* const kCorruptHint =
    "restore a backup with `gnomon restore`; `gnomond --check-store` lists every damaged record";

std::string Seal(std::string_view key, std::string_view value) {
  std::string stored;
  stored.reserve(kEnvelopeBytes + value.size());
  stored.push_back(static_cast<char>(kEnvelopeVersion));
  AppendU32(&stored, Checksum(stored[0], key, value));
  stored.append(value);
  return stored;
}

absl::StatusOr<std::string_view> Unseal(std::string_view key, std::string_view stored) {
  if (stored.size() < kEnvelopeBytes) {
    return CorruptRecord(key, absl::StrCat("has ", stored.size(), " bytes, fewer than its envelope"));
  }
  std::string_view value = stored.substr(kEnvelopeBytes);
  if (ReadU32(stored.substr(1)) != Checksum(stored[0], key, value)) return CorruptRecord(key, "has a wrong checksum");
  uint8_t version = static_cast<uint8_t>(stored[0]);
  if (version != kEnvelopeVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "STORE_TOO_NEW",
                 absl::StrCat("record \"", PrintableKey(key), "\" has version ", version, ", this program knows ",
                              kEnvelopeVersion))
        .Hint(absl::StrCat("run the program that wrote it, or: ", kCorruptHint));
  }
  return value;
}

absl::Status CorruptRecord(std::string_view key, const std::string& why) {
  return Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT", absl::StrCat("record \"", PrintableKey(key), "\" ", why))
      .Hint(kCorruptHint);
}

}  // namespace gnomon
