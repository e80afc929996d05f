// SPDX-License-Identifier: Apache-2.0
//
// A Mac is a 48-bit EUI-48 hardware address.
//
// Threads: a value type. Text is lower-case hexadecimal with colons: "02:00:0a:00:00:05".
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gnomon {

class Mac {
 public:
  constexpr Mac() = default;  // 00:00:00:00:00:00, "none"
  static constexpr Mac FromBits(uint64_t bits) { return Mac(bits & 0xffffffffffffull); }

  // Six hexadecimal octets with ':' or '-', any case. INVALID_ARGUMENT (code INVALID_MAC) for anything else, and
  // for the zero and for multicast addresses, which no instance can have.
  static absl::StatusOr<Mac> Parse(std::string_view text);

  constexpr uint64_t bits() const { return bits_; }  // the first octet is the most significant of 48 bits
  constexpr bool IsNone() const { return bits_ == 0; }
  std::string ToString() const;

  friend constexpr auto operator<=>(Mac a, Mac b) = default;

 private:
  explicit constexpr Mac(uint64_t bits) : bits_(bits) {}
  uint64_t bits_ = 0;
};

}  // namespace gnomon
