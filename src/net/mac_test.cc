// SPDX-License-Identifier: Apache-2.0
#include "net/mac.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace gnomon {
namespace {

using testing::HasSubstr;

TEST(Mac, ValidTextParsesAndPrintsCanonically) {
  struct Case {
    std::string_view input, want;
    uint64_t bits;
  };
  const Case kCases[] = {
      {"02:00:0a:00:00:05", "02:00:0a:00:00:05", 0x02000a000005},
      {"02-00-0A-00-00-05", "02:00:0a:00:00:05", 0x02000a000005},
      {"FE:DC:BA:98:76:54", "fe:dc:ba:98:76:54", 0xfedcba987654},
      {"00:00:00:00:00:01", "00:00:00:00:00:01", 1},
      {"fe:ff:ff:ff:ff:ff", "fe:ff:ff:ff:ff:ff", 0xfeffffffffff},
  };
  for (const Case& c : kCases) {
    absl::StatusOr<Mac> mac = Mac::Parse(c.input);
    ASSERT_TRUE(mac.ok()) << mac.status();
    EXPECT_EQ(mac->ToString(), c.want);
    EXPECT_EQ(mac->bits(), c.bits) << c.input;
    EXPECT_FALSE(mac->IsNone()) << c.input;
  }
}

TEST(Mac, MalformedTextIsRefused) {
  struct Case {
    std::string_view input, why;
  };
  const Case kCases[] = {
      {"", "not six octets"},
      {"02:00:0a:00:00", "not six octets"},
      {"02:00:0a:00:00:5", "not six octets"},
      {"02:00:0a:00:00:05:06", "not six octets"},
      {"02000a000005", "not six octets"},
      {"0200.0a00.0005", "not six octets"},
      {"02.00.0a.00.00.05", "separated by"},
      {"02 00 0a 00 00 05", "separated by"},
      {"02:00-0a:00:00:05", "separators differ"},
      {"02:00:0a:00:00-05", "separators differ"},
      {"0g:00:0a:00:00:05", "not hexadecimal"},
      {"02:00:0a:00:00: 5", "not hexadecimal"},
      {"02:00:0a:00:00:-5", "not hexadecimal"},
      {"02:00:0a:00:00:\xb0\xb1", "not hexadecimal"},
      {std::string_view("02:00:0a:00:00:0\0", 17), "not hexadecimal"},
      {"00:00:00:00:00:00", "zero"},
      {"01:00:5e:00:00:01", "multicast"},
      {"03:00:00:00:00:00", "multicast"},
      {"ff:ff:ff:ff:ff:ff", "multicast"},
  };
  for (const Case& c : kCases) {
    absl::StatusOr<Mac> mac = Mac::Parse(c.input);
    ASSERT_FALSE(mac.ok()) << c.input << " became " << mac->ToString();
    EXPECT_EQ(mac.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(CodeOf(mac.status()), "INVALID_MAC");
    EXPECT_THAT(std::string(mac.status().message()), HasSubstr(c.why)) << c.input;
  }
}

TEST(Mac, DefaultIsNone) {
  EXPECT_TRUE(Mac().IsNone());
  EXPECT_EQ(Mac().ToString(), "00:00:00:00:00:00");
  EXPECT_EQ(Mac(), Mac::FromBits(0));
}

TEST(Mac, FromBitsKeepsFortyEight) {
  EXPECT_EQ(Mac::FromBits(0xffff02000a000005), Mac::FromBits(0x02000a000005));
  EXPECT_EQ(Mac::FromBits(0x02000a000005).ToString(), "02:00:0a:00:00:05");
}

TEST(Mac, OrderIsThatOfItsText) {
  Mac low = Mac::FromBits(0x0200000000ff), high = Mac::FromBits(0x020000000100);
  EXPECT_LT(low, high);
  EXPECT_LT(low.ToString(), high.ToString());
}

}  // namespace
}  // namespace gnomon
