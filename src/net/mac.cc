// SPDX-License-Identifier: Apache-2.0
#include "net/mac.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr size_t kTextLength = 17;  // xx:xx:xx:xx:xx:xx

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = absl::ascii_tolower(static_cast<unsigned char>(c));
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

absl::StatusOr<Mac> Mac::Parse(std::string_view text) {
  auto invalid = [&](std::string_view why) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_MAC",
                 absl::StrCat("\"", Excerpt(text), "\" is not a MAC address: ", AbslView(why)))
        .Value(Excerpt(text))
        .Hint("write a unicast address as 02:00:0a:00:00:05");
  };
  if (text.size() != kTextLength) return invalid("it is not six octets");
  const char separator = text[2];
  if (separator != ':' && separator != '-') return invalid("octets are separated by ':' or '-'");
  uint64_t bits = 0;
  for (size_t i = 0; i < kTextLength; i += 3) {
    int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return invalid("an octet is not hexadecimal");
    if (i + 2 < kTextLength && text[i + 2] != separator) return invalid("its separators differ");
    bits = bits << 8 | static_cast<uint64_t>(high << 4 | low);
  }
  if (bits == 0) return invalid("it is zero");
  if (bits >> 40 & 1) return invalid("it is a multicast address");
  return Mac(bits);
}

std::string Mac::ToString() const {
  return absl::StrFormat("%02x:%02x:%02x:%02x:%02x:%02x", bits_ >> 40, bits_ >> 32 & 0xff, bits_ >> 24 & 0xff,
                         bits_ >> 16 & 0xff, bits_ >> 8 & 0xff, bits_ & 0xff);
}

}  // namespace gnomon
