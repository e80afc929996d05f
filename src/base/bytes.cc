// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <zlib.h>

#include "base/check.h"

namespace gnomon {

uint32_t Crc32(uint32_t crc, std::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void AppendU32(std::string* out, uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(number >> shift));
}

void AppendU64(std::string* out, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) out->push_back(static_cast<char>(number >> shift));
}

uint32_t ReadU32(std::string_view bytes) {
  GNOMON_CHECK(bytes.size() >= 4);
  uint32_t number = 0;
  for (int i = 3; i >= 0; --i) number = (number << 8) | static_cast<uint8_t>(bytes[static_cast<size_t>(i)]);
  return number;
}

uint64_t ReadU64(std::string_view bytes) {
  GNOMON_CHECK(bytes.size() >= 8);
  return (uint64_t{ReadU32(bytes.substr(4))} << 32) | ReadU32(bytes);
}

}  // namespace gnomon
