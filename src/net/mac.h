// SPDX-License-Identifier: Apache-2.0
//
// A Mac is a 48-bit EUI-48 hardware address.
//
// Threads: a value type. Text is lower-case hexadecimal with colons: "02:00:0a:00:00:05".
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gnomon {

class Mac {
 public:
  constexpr Mac() = default;  // 00:00:00:00:00:00, "none"
  static constexpr Mac FromBits(uint64_t bits) { return Mac(bits); }  // the low 48

  // Six hexadecimal octets with ':' or '-', any case. INVALID_ARGUMENT (code INVALID_MAC) for anything else, and
  // for the zero and for multicast addresses, which no instance can have.
  static absl::StatusOr<Mac> Parse(std::string_view text);

  // The first octet is the most significant of 48 bits.
  constexpr uint64_t bits() const { return uint64_t{words_[0]} << 32 | uint64_t{words_[1]} << 16 | words_[2]; }
  constexpr bool IsNone() const { return *this == Mac(); }
  std::string ToString() const;

  friend constexpr bool operator==(Mac a, Mac b) { return a.bits() == b.bits(); }
  friend constexpr auto operator<=>(Mac a, Mac b) { return a.bits() <=> b.bits(); }

 private:
  explicit constexpr Mac(uint64_t bits)
      : words_{static_cast<uint16_t>(bits >> 32), static_cast<uint16_t>(bits >> 16), static_cast<uint16_t>(bits)} {}
  std::array<uint16_t, 3> words_{};  // the most significant first; six bytes, so that records stay small
};

}  // namespace gnomon
