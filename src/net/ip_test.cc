// SPDX-License-Identifier: Apache-2.0
#include "net/ip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/hash/hash_testing.h"
#include "base/error.h"

namespace gnomon {
namespace {

Ip IpOf(std::string_view text) {
  absl::StatusOr<Ip> ip = Ip::Parse(text);
  EXPECT_TRUE(ip.ok()) << ip.status();
  return ip.value_or(Ip());
}

TEST(Ip, ValidTextParsesAndPrintsCanonically) {
  struct Case {
    std::string_view input, want;
    Family family;
  };
  const Case kCases[] = {
      {"0.0.0.0", "0.0.0.0", Family::kIpv4},
      {"10.0.0.1", "10.0.0.1", Family::kIpv4},
      {"255.255.255.255", "255.255.255.255", Family::kIpv4},
      {"::ffff:1.2.3.4", "1.2.3.4", Family::kIpv4},  // IPv4-mapped is IPv4
      {"::FFFF:102:304", "1.2.3.4", Family::kIpv4},
      {"0:0:0:0:0:ffff:0:0", "0.0.0.0", Family::kIpv4},
      {"::", "::", Family::kIpv6},
      {"::1", "::1", Family::kIpv6},
      {"1::", "1::", Family::kIpv6},
      {"::1:0", "::1:0", Family::kIpv6},          // glibc would print ::0.1.0.0
      {"::1.2.3.4", "::102:304", Family::kIpv6},  // IPv4-compatible is IPv6
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221", Family::kIpv6},
      {"::fffe:1.2.3.4", "::fffe:102:304", Family::kIpv6},
      {"::1:ffff:1.2.3.4", "::1:ffff:102:304", Family::kIpv6},
      {"2001:DB8::00A", "2001:db8::a", Family::kIpv6},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", Family::kIpv6},  // RFC 5952, 4.2.2: a lone zero stays
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1", Family::kIpv6},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", Family::kIpv6},        // 4.2.3: the longest run
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", Family::kIpv6},  // 4.2.3: the first of equals
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", Family::kIpv6},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", Family::kIpv6},
      {"fe80:0:0:0:0:0:0:0", "fe80::", Family::kIpv6},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Family::kIpv6},
      {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Family::kIpv6},
  };
  for (const Case& c : kCases) {
    Ip ip = IpOf(c.input);
    EXPECT_EQ(ip.ToString(), c.want) << c.input;
    EXPECT_EQ(ip.family(), c.family) << c.input;
    EXPECT_EQ(ip.IsV4(), c.family == Family::kIpv4) << c.input;
  }
}

TEST(Ip, MalformedTextIsRefused) {
  const std::string_view kCases[] = {
      "",
      " ",
      "10",
      "10.0.0",
      "10.0.0.",
      "10.0.0.1.2",
      "10.0.0.256",
      "10.0.0.-1",
      "10.0.0.01",
      "0x0a.0.0.1",
      " 10.0.0.1",
      "10.0.0.1 ",
      "10.0.0.1/32",
      "10.0.0.1:80",
      ":",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "12345::",
      "g::",
      "fe80::1%eth0",
      "[::1]",
      "::ffff:1.2.3",
      "::1.2.3.256",
      "1.2.3.4::",
      "localhost",
      std::string_view("10.0.0.1\0", 9),
      std::string_view("10.0.0.1\0x", 10),
      "10.0.0.1\n",
      "\xff",
      "00000:0000:0000:0000:0000:0000:0000:0000",
      "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555",
  };
  for (std::string_view input : kCases) {
    absl::StatusOr<Ip> ip = Ip::Parse(input);
    ASSERT_FALSE(ip.ok()) << input << " became " << ip->ToString();
    EXPECT_EQ(ip.status().code(), absl::StatusCode::kInvalidArgument);
    ErrorParts parts = PartsOf(ip.status());
    EXPECT_EQ(parts.code, "INVALID_ADDRESS");
    EXPECT_EQ(parts.value, Excerpt(input));
    EXPECT_FALSE(parts.hint.empty());
  }
}

TEST(Ip, AnErrorDoesNotGrowWithItsInput) {
  EXPECT_LT(Ip::Parse(std::string(1 << 20, '\n')).status().message().size(), 400u);
}

TEST(Ip, DefaultIsTheUnspecifiedIpv6Address) {
  EXPECT_EQ(Ip(), IpOf("::"));
  EXPECT_FALSE(Ip().IsV4());
}

TEST(Ip, V4BitsAreInHostOrder) {
  EXPECT_EQ(Ip::V4(0x0a000001), IpOf("10.0.0.1"));
  EXPECT_EQ(IpOf("10.0.0.1").v4_bits(), 0x0a000001u);
  EXPECT_EQ(IpOf("255.255.255.255").v4_bits(), 0xffffffffu);
}

TEST(Ip, OrderIsNumericWithinAFamily) {
  const std::string_view kAscending[] = {
      "::",        "::1",       "0.0.0.0",         "9.255.255.255", "10.0.0.0",    "10.0.0.2",
      "10.0.0.10", "200.0.0.0", "255.255.255.255", "2001:db8::",    "2001:db8::1", "fe80::"};
  for (size_t i = 0; i + 1 < std::size(kAscending); ++i) {
    Ip low = IpOf(kAscending[i]), high = IpOf(kAscending[i + 1]);
    EXPECT_LT(low, high);
    EXPECT_GT(high, low);
    EXPECT_NE(low, high);
    EXPECT_LE(low, low);
  }
}

TEST(Ip, EqualAddressesHashEqually) {
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {Ip(), IpOf("::1"), IpOf("1.2.3.4"), IpOf("::ffff:1.2.3.4"), IpOf("1::"), Ip::FromBits(absl::Uint128Max())}));
}

// Groups are drawn from few values, so that runs of zeros of every length and place are met.
TEST(Ip, TextOfAnyAddressParsesBackToIt) {
  constexpr uint32_t kSeed = 5952;
  std::mt19937 random(kSeed);
  for (int i = 0; i < 20000; ++i) {
    absl::uint128 bits = 0;
    for (int group = 0; group < 8; ++group) {
      const uint32_t kGroups[] = {0, 0, 0, 1, 0xffff, static_cast<uint32_t>(random()) & 0xffff};
      bits = bits << 16 | kGroups[random() % std::size(kGroups)];
    }
    Ip ip = Ip::FromBits(bits);
    ASSERT_EQ(IpOf(ip.ToString()), ip) << ip.ToString() << ", seed " << kSeed << ", step " << i;
  }
}

}  // namespace
}  // namespace gnomon
