// SPDX-License-Identifier: Apache-2.0
#include "net/mac.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
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
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(kTextLength, ':');
  uint64_t rest = bits_;
  for (size_t byte = 6; byte-- > 0; rest >>= 8) {
    text[3 * byte] = kDigits[rest >> 4 & 0xf];
    text[3 * byte + 1] = kDigits[rest & 0xf];
  }
  return text;
}

}  // namespace gnomon
