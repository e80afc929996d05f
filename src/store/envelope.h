// SPDX-License-Identifier: Apache-2.0
//
// An envelope is what a stored value carries around it: a version byte and a checksum over its key and itself.
//
// It finds what a disk's or file system's own checks let through, and a value that stands under the wrong key. The
// format is written down in docs/store_format.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gnomon {

inline constexpr uint8_t kEnvelopeVersion = 1;
inline constexpr size_t kEnvelopeBytes = 5;

// What to store for `value` under `key`.
std::string Seal(std::string_view key, std::string_view value);

// The value inside `stored`, pointing into it. DATA_LOSS (STORE_CORRUPT) if it is not what Seal made for this key,
// FAILED_PRECONDITION (STORE_TOO_NEW) if a newer version made it; both name the key.
absl::StatusOr<std::string_view> Unseal(std::string_view key, std::string_view stored);

// DATA_LOSS (STORE_CORRUPT) for the record `key`, with the hint of what to do.
absl::Status CorruptRecord(std::string_view key, const std::string& why);

// What an operator can do about a damaged store.
extern const char* const kCorruptHint;

// CRC-32 (the one of zlib, polynomial 0xEDB88320) of `bytes`, continuing from `crc`; start with 0.
uint32_t Crc32(uint32_t crc, std::string_view bytes);

// Little-endian numbers, as everywhere in the formats of this folder.
void AppendU32(std::string* out, uint32_t number);
void AppendU64(std::string* out, uint64_t number);
uint32_t ReadU32(std::string_view bytes);  // `bytes` has at least 4
uint64_t ReadU64(std::string_view bytes);  // `bytes` has at least 8

}  // namespace gnomon
