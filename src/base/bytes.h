// SPDX-License-Identifier: Apache-2.0
//
// Numbers as bytes, little-endian as in every format of ours, and the checksum over bytes.
//
// Threads: free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gnomon {

// CRC-32 (the one of zlib, polynomial 0xEDB88320) of `bytes`, continuing from `crc`; start with 0.
uint32_t Crc32(uint32_t crc, std::string_view bytes);

void AppendU32(std::string* out, uint32_t number);
void AppendU64(std::string* out, uint64_t number);
uint32_t ReadU32(std::string_view bytes);  // `bytes` has at least 4
uint64_t ReadU64(std::string_view bytes);  // `bytes` has at least 8

}  // namespace gnomon
