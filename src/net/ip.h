// SPDX-License-Identifier: Apache-2.0
//
// An Ip is an IPv4 or IPv6 address, held as 128 bits.
//
// An IPv4 address a.b.c.d is held as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so that all code has one type and one
// order; text always shows it as a.b.c.d. Addresses order IPv4 before most IPv6, numerically inside a family.
//
// Example:
//   Ip ip = Ip::Parse("10.0.0.1").value();
//   ip.IsV4();        // true
//   ip.ToString();    // "10.0.0.1"
//
// Threads: a value type. Cost: 16 bytes, no allocation but for text.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"

namespace gnomon {

enum class Family : uint8_t { kIpv4 = 4, kIpv6 = 6 };

class Ip {
 public:
  constexpr Ip() = default;  // "::"
  static constexpr Ip FromBits(absl::uint128 bits) { return Ip(bits); }
  static constexpr Ip V4(uint32_t bits) { return Ip(absl::MakeUint128(0, 0xffff00000000ull | bits)); }

  // IPv4 dotted quad, or IPv6 in any form of RFC 4291; "::ffff:1.2.3.4" becomes the IPv4 address. No zone id.
  // INVALID_ARGUMENT (code INVALID_ADDRESS) for anything else.
  static absl::StatusOr<Ip> Parse(std::string_view text);

  constexpr absl::uint128 bits() const { return bits_; }
  constexpr bool IsV4() const { return (bits_ >> 32) == 0xffff; }
  constexpr Family family() const { return IsV4() ? Family::kIpv4 : Family::kIpv6; }
  constexpr uint32_t v4_bits() const { return static_cast<uint32_t>(absl::Uint128Low64(bits_)); }

  // Canonical text: dotted quad, or RFC 5952 without its mixed form, so "::102:304" and never "::1.2.3.4".
  std::string ToString() const;

  friend constexpr bool operator==(Ip a, Ip b) { return a.bits_ == b.bits_; }
  friend constexpr std::strong_ordering operator<=>(Ip a, Ip b) {
    return a.bits_ < b.bits_ ? std::strong_ordering::less
                             : (a.bits_ == b.bits_ ? std::strong_ordering::equal : std::strong_ordering::greater);
  }
  template <typename H>
  friend H AbslHashValue(H h, Ip ip) {
    return H::combine(std::move(h), absl::Uint128High64(ip.bits_), absl::Uint128Low64(ip.bits_));
  }

 private:
  explicit constexpr Ip(absl::uint128 bits) : bits_(bits) {}
  absl::uint128 bits_ = 0;
};

// 32 or 128.
constexpr std::string_view NameOf(Family family) { return family == Family::kIpv4 ? "IPv4" : "IPv6"; }
constexpr int MaxLength(Family family) { return family == Family::kIpv4 ? 32 : 128; }

}  // namespace gnomon
