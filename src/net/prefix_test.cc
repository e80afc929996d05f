// SPDX-License-Identifier: Apache-2.0
#include "net/prefix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace gnomon {
namespace {

using testing::HasSubstr;

Prefix PrefixOf(std::string_view text) {
  absl::StatusOr<Prefix> prefix = Prefix::Parse(text);
  EXPECT_TRUE(prefix.ok()) << prefix.status();
  return prefix.value_or(Prefix());
}

Ip IpOf(std::string_view text) { return Ip::Parse(text).value(); }

TEST(Prefix, ValidTextGivesItsRange) {
  struct Case {
    std::string_view input, want, last;
    int length, host_bits;
  };
  const Case kCases[] = {
      {"10.0.0.0/24", "10.0.0.0/24", "10.0.0.255", 24, 8},
      {"10.0.0.1/32", "10.0.0.1/32", "10.0.0.1", 32, 0},
      {"10.0.0.2/31", "10.0.0.2/31", "10.0.0.3", 31, 1},
      {"0.0.0.0/0", "0.0.0.0/0", "255.255.255.255", 0, 32},
      {"128.0.0.0/1", "128.0.0.0/1", "255.255.255.255", 1, 31},
      {"10.0.0.0/024", "10.0.0.0/24", "10.0.0.255", 24, 8},
      {"::ffff:10.0.0.0/24", "10.0.0.0/24", "10.0.0.255", 24, 8},
      {"2001:DB8::/64", "2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", 64, 64},
      {"2001:db8::1/128", "2001:db8::1/128", "2001:db8::1", 128, 0},
      {"::/0", "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, 128},
      {"8000::/1", "8000::/1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, 127},
      {"::/79", "::/79", "::1:ffff:ffff:ffff", 79, 49},
      {"::/96", "::/96", "::ffff:ffff", 96, 32},
  };
  for (const Case& c : kCases) {
    Prefix prefix = PrefixOf(c.input);
    EXPECT_EQ(prefix.ToString(), c.want) << c.input;
    EXPECT_EQ(prefix.last().ToString(), c.last) << c.input;
    EXPECT_EQ(prefix.length(), c.length) << c.input;
    EXPECT_EQ(prefix.host_bits(), c.host_bits) << c.input;
    EXPECT_TRUE(prefix.Contains(prefix.base())) << c.input;
    EXPECT_TRUE(prefix.Contains(prefix.last())) << c.input;
  }
}

TEST(Prefix, MalformedTextIsRefused) {
  struct Case {
    std::string_view input, why;
  };
  const Case kCases[] = {
      {"", "no length"},
      {"10.0.0.0", "no length"},
      {"/24", "address is malformed"},
      {"10.0.0/24", "address is malformed"},
      {"10.0.0.0 /24", "address is malformed"},
      {"10.0.0.0/", "length is out of range"},
      {"10.0.0.0/33", "length is out of range"},
      {"10.0.0.0/-1", "length is out of range"},
      {"10.0.0.0/+8", "length is out of range"},
      {"10.0.0.0/ 8", "length is out of range"},
      {"10.0.0.0/8 ", "length is out of range"},
      {"10.0.0.0/8/8", "length is out of range"},
      {"10.0.0.0/0x8", "length is out of range"},
      {"10.0.0.0/255.0.0.0", "length is out of range"},
      {"10.0.0.0/4294967320", "length is out of range"},
      {"::ffff:10.0.0.0/120", "length is out of range"},
      {"2001:db8::/129", "length is out of range"},
      {"10.0.0.1/24", "host bits are set"},
      {"0.0.0.1/0", "host bits are set"},
      {"2001:db8::1/64", "host bits are set"},
      {"::1/0", "host bits are set"},
      {"::/80", "IPv4-mapped"},
      {"::8000:0:0/81", "IPv4-mapped"},
      {"::fffe:0:0/95", "IPv4-mapped"},
  };
  for (const Case& c : kCases) {
    absl::StatusOr<Prefix> prefix = Prefix::Parse(c.input);
    ASSERT_FALSE(prefix.ok()) << c.input << " became " << prefix->ToString();
    EXPECT_EQ(prefix.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(CodeOf(prefix.status()), "INVALID_PREFIX");
    EXPECT_THAT(std::string(prefix.status().message()), HasSubstr(c.why)) << c.input;
  }
}

TEST(Prefix, TheHintNamesWhatWasProbablyMeant) {
  EXPECT_EQ(PartsOf(Prefix::Parse("10.0.0.77/24").status()).hint, "did you mean 10.0.0.0/24?");
  EXPECT_EQ(PartsOf(Prefix::Parse("2001:db8::5/64").status()).hint, "did you mean 2001:db8::/64?");
  EXPECT_EQ(PartsOf(Prefix::Parse("10.0.0.0/33").status()).hint, "use a length from 0 to 32");
  EXPECT_EQ(PartsOf(Prefix::Parse("::/129").status()).hint, "use a length from 0 to 128");
}

TEST(Prefix, ContainsItsAddressesAndNoOthers) {
  struct Case {
    std::string_view prefix, ip;
    bool want;
  };
  const Case kCases[] = {
      {"10.0.0.0/24", "10.0.0.0", true},
      {"10.0.0.0/24", "10.0.0.255", true},
      {"10.0.0.0/24", "10.0.1.0", false},
      {"10.0.0.0/24", "9.255.255.255", false},
      {"0.0.0.0/0", "255.255.255.255", true},
      {"10.0.0.1/32", "10.0.0.1", true},
      {"10.0.0.1/32", "10.0.0.2", false},
      {"::/0", "ffff::", true},
      {"::/0", "10.0.0.1", false},  // never across families
      {"0.0.0.0/0", "::1", false},
      {"::/64", "0.0.0.1", false},
      {"2001:db8::/64", "2001:db8::ffff:0:0:0", true},
      {"2001:db8::/64", "2001:db8:0:1::", false},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(PrefixOf(c.prefix).Contains(IpOf(c.ip)), c.want) << c.prefix << " and " << c.ip;
  }
}

TEST(Prefix, TwoPrefixesAreNestedOrApart) {
  struct Case {
    std::string_view a, b;
    bool a_contains_b, overlap;
  };
  const Case kCases[] = {
      {"10.0.0.0/24", "10.0.0.0/24", true, true},
      {"10.0.0.0/16", "10.0.5.0/24", true, true},
      {"10.0.5.0/24", "10.0.0.0/16", false, true},
      {"10.0.0.0/24", "10.0.1.0/24", false, false},
      {"0.0.0.0/0", "10.0.0.0/8", true, true},
      {"::/0", "10.0.0.0/8", false, false},
      {"::/0", "0.0.0.0/0", false, false},
      {"::/0", "2001:db8::/32", true, true},
      {"2001:db8::/32", "2001:db8:1::/48", true, true},
      {"2001:db8::/48", "2001:db8:1::/48", false, false},
  };
  for (const Case& c : kCases) {
    Prefix a = PrefixOf(c.a), b = PrefixOf(c.b);
    EXPECT_EQ(a.Contains(b), c.a_contains_b) << c.a << " and " << c.b;
    EXPECT_EQ(a.Overlaps(b), c.overlap) << c.a << " and " << c.b;
    EXPECT_EQ(b.Overlaps(a), c.overlap) << c.b << " and " << c.a;
    EXPECT_EQ(a == b, c.a == c.b);
  }
}

TEST(Prefix, ContainingClearsTheHostBits) {
  EXPECT_EQ(Prefix::Containing(IpOf("10.1.2.3"), 8), PrefixOf("10.0.0.0/8"));
  EXPECT_EQ(Prefix::Containing(IpOf("10.1.2.3"), 32), PrefixOf("10.1.2.3/32"));
  EXPECT_EQ(Prefix::Containing(IpOf("255.1.2.3"), 0), PrefixOf("0.0.0.0/0"));
  EXPECT_EQ(Prefix::Containing(IpOf("2001:db8::1"), 0), PrefixOf("::/0"));
  EXPECT_EQ(Prefix::Containing(IpOf("2001:db8::1"), 127), PrefixOf("2001:db8::/127"));
}

TEST(Prefix, DefaultIsAllOfIpv6) { EXPECT_EQ(Prefix(), PrefixOf("::/0")); }

TEST(PrefixDeathTest, ALengthOrHostBitsOfOurOwnThatDoNotSuitStopTheProcess) {
  EXPECT_DEATH(Prefix(IpOf("10.0.0.0"), 33), "CHECK failed");
  EXPECT_DEATH(Prefix(IpOf("10.0.0.0"), -1), "CHECK failed");
  EXPECT_DEATH(Prefix(IpOf("10.0.0.1"), 24), "CHECK failed");
  EXPECT_DEATH(Prefix::Containing(IpOf("10.0.0.1"), 33), "CHECK failed");
  EXPECT_DEATH(Prefix::Containing(IpOf("::"), 129), "CHECK failed");
}

}  // namespace
}  // namespace gnomon
