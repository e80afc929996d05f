// SPDX-License-Identifier: Apache-2.0
#include "net/ip.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {

absl::StatusOr<Ip> Ip::Parse(std::string_view text) {
  // inet_pton wants a terminated string; the longest valid text has 45 characters (INET6_ADDRSTRLEN less the end).
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (!text.empty() && text.size() < buffer.size() && text.find('\0') == std::string_view::npos) {
    std::memcpy(buffer.data(), text.data(), text.size());
    std::array<unsigned char, 16> raw{};
    if (inet_pton(AF_INET, buffer.data(), raw.data()) == 1) {
      return V4(uint32_t{raw[0]} << 24 | uint32_t{raw[1]} << 16 | uint32_t{raw[2]} << 8 | raw[3]);
    }
    if (inet_pton(AF_INET6, buffer.data(), raw.data()) == 1) {
      absl::uint128 bits = 0;
      for (unsigned char byte : raw) bits = bits << 8 | byte;
      return FromBits(bits);
    }
  }
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_ADDRESS",
               absl::StrCat("\"", Excerpt(text), "\" is not an IP address"))
      .Value(Excerpt(text))
      .Hint("write an IPv4 address as 10.0.0.1 or an IPv6 address as 2001:db8::1");
}

std::string Ip::ToString() const {
  if (IsV4()) {
    uint32_t v4 = v4_bits();
    return absl::StrCat(v4 >> 24, ".", v4 >> 16 & 0xff, ".", v4 >> 8 & 0xff, ".", v4 & 0xff);
  }
  // Not inet_ntop: glibc's writes ::/96 in the mixed form, as "::0.1.0.0", which other tools do not.
  std::array<uint32_t, 8> groups{};
  for (size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<uint32_t>(absl::Uint128Low64(bits() >> static_cast<int>(112 - 16 * i))) & 0xffff;
  }
  // RFC 5952, 4.2: "::" stands for the longest run of zero groups, the first of equals, and never for a single one.
  size_t zeros_at = groups.size(), zeros = 1;
  for (size_t i = 0, run = 0; i < groups.size(); ++i) {
    run = groups[i] == 0 ? run + 1 : 0;
    if (run > zeros) zeros = run, zeros_at = i + 1 - run;
  }
  std::string text;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i == zeros_at) {
      text += "::";
      i += zeros - 1;
      continue;
    }
    absl::StrAppend(&text, text.empty() || text.back() == ':' ? "" : ":", absl::Hex(groups[i]));
  }
  return text;
}

}  // namespace gnomon
