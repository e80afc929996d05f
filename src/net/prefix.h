// SPDX-License-Identifier: Apache-2.0
//
// A Prefix is a contiguous, aligned range of addresses of one family, as 10.0.0.0/24 or 2001:db8::/64.
//
// Threads: a value type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "net/ip.h"

namespace gnomon {

class Prefix {
 public:
  Prefix() = default;  // ::/0
  // CHECKs that `length` suits the family and that no host bit is set.
  Prefix(Ip base, int length);

  // "10.0.0.0/24". INVALID_ARGUMENT (code INVALID_PREFIX) when malformed or when host bits are set; the hint then
  // names the prefix that was probably meant. Refused too: the 16 prefixes, as ::/80, whose last address is one
  // that Ip takes for IPv4.
  static absl::StatusOr<Prefix> Parse(std::string_view text);
  // The prefix of `length` that holds `ip`. CHECKs that `length` suits the family.
  static Prefix Containing(Ip ip, int length);

  Ip base() const { return base_; }
  int length() const { return length_; }  // 0 to 32 or 0 to 128, in the family's own terms
  Family family() const { return base_.family(); }
  Ip last() const;
  // Number of addresses is 2^host_bits().
  int host_bits() const { return MaxLength(family()) - length_; }

  // Never across families: ::/0 does not contain 10.0.0.1.
  bool Contains(Ip ip) const {
    if (ip.IsV4() != base_.IsV4()) return false;
    if (ip.IsV4()) return uint64_t{ip.v4_bits() ^ base_.v4_bits()} >> (32 - length_) == 0;
    return length_ == 0 || ((ip.bits() ^ base_.bits()) >> (128 - length_)) == 0;
  }
  bool Contains(const Prefix& other) const;
  bool Overlaps(const Prefix& other) const { return Contains(other.base_) || other.Contains(base_); }

  std::string ToString() const;

  friend bool operator==(const Prefix& a, const Prefix& b) = default;

 private:
  Ip base_;
  int length_ = 0;
};

}  // namespace gnomon
