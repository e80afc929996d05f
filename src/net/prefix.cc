// SPDX-License-Identifier: Apache-2.0
#include "net/prefix.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {
namespace {

absl::uint128 HostMask(int host_bits) {
  return host_bits >= 128 ? absl::Uint128Max() : (absl::uint128(1) << host_bits) - 1;
}

}  // namespace

Prefix::Prefix(Ip base, int length) : base_(base), length_(length) {
  GNOMON_CHECK(length >= 0 && length <= MaxLength(base.family()));
  GNOMON_CHECK((base.bits() & HostMask(host_bits())) == 0);
}

absl::StatusOr<Prefix> Prefix::Parse(std::string_view text) {
  auto invalid = [&](std::string_view why, std::string_view hint) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_PREFIX",
                 absl::StrCat("\"", Excerpt(text), "\" is not a prefix: ", AbslView(why)))
        .Value(Excerpt(text))
        .Hint(hint);
  };
  size_t slash = text.find('/');
  if (slash == std::string_view::npos) return invalid("it has no length", "write it as 10.0.0.0/24");
  absl::StatusOr<Ip> ip = Ip::Parse(text.substr(0, slash));
  if (!ip.ok()) return invalid("its address is malformed", "write it as 10.0.0.0/24 or 2001:db8::/64");
  std::string_view digits = text.substr(slash + 1);
  int length = -1;
  bool plain =
      !digits.empty() && digits.size() <= 3 && digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (!plain || !absl::SimpleAtoi(AbslView(digits), &length) || length > MaxLength(ip->family())) {
    return invalid("its length is out of range", absl::StrCat("use a length from 0 to ", MaxLength(ip->family())));
  }
  Prefix prefix = Containing(*ip, length);
  if (prefix.base() != *ip) return invalid("host bits are set", absl::StrCat("did you mean ", prefix.ToString(), "?"));
  if (prefix.last().family() != prefix.family()) {
    return invalid("it ends in the IPv4-mapped addresses", "use an IPv4 prefix, or an IPv6 one outside ::/80");
  }
  return prefix;
}

Prefix Prefix::Containing(Ip ip, int length) {
  GNOMON_CHECK(length >= 0 && length <= MaxLength(ip.family()));
  return Prefix(Ip::FromBits(ip.bits() & ~HostMask(MaxLength(ip.family()) - length)), length);
}

Ip Prefix::last() const { return Ip::FromBits(base_.bits() | HostMask(host_bits())); }

bool Prefix::Contains(const Prefix& other) const { return other.length_ >= length_ && Contains(other.base_); }

std::string Prefix::ToString() const { return absl::StrCat(base_.ToString(), "/", length_); }

}  // namespace gnomon
