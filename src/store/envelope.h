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
#include "base/bytes.h"

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

}  // namespace gnomon
