// SPDX-License-Identifier: Apache-2.0
#include "ipam/pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"

namespace gnomon {
namespace {

using Presence = Pool::Presence;

Ip At(const std::string& text) { return Ip::Parse(text).value(); }
Prefix Net(const std::string& text) { return Prefix::Parse(text).value(); }
PoolConfig Config(const std::string& prefix) { return {.prefix = Net(prefix)}; }

std::string Next(Pool& pool, Slot slot = 1) {
  std::optional<Ip> ip = pool.Propose(0);
  if (!ip) return "none";
  pool.Take(*ip, slot);
  return ip->ToString();
}

std::string Text(const std::optional<Prefix>& prefix) { return prefix ? prefix->ToString() : "none"; }

std::vector<Slot> Slots(const Pool& pool, Ip from, size_t budget = std::numeric_limits<size_t>::max()) {
  std::vector<Slot> slots;
  std::optional<Ip> next = from;
  while (next) {
    next = pool.Visit(*next, budget, [&](Slot slot) {
      slots.push_back(slot);
      return true;
    });
  }
  return slots;
}

TEST(PoolTest, ConfigurationsThatCannotBeArePointedOut) {
  struct Case {
    const char* name;
    PoolConfig config;
    std::string field;
  };
  auto with = [](auto change) {
    PoolConfig config = Config("10.0.0.0/24");
    change(config);
    return config;
  };
  const Case kCases[] = {
      {"the default", Config("10.0.0.0/24"), ""},
      {"the largest IPv4", Config("10.0.0.0/8"), ""},
      {"too large an IPv4", Config("10.0.0.0/7"), "prefix"},
      {"one address", Config("10.0.0.1/32"), ""},
      {"the largest IPv6", Config("2001:db8::/48"), ""},
      {"too large an IPv6", Config("2001:db8::/47"), "prefix"},
      {"around the IPv4-mapped addresses", Config("::/64"), "prefix"},
      {"gateway outside", with([](PoolConfig& c) { c.gateway = At("10.0.1.1"); }), "gateway"},
      {"gateway of the other family", with([](PoolConfig& c) { c.gateway = At("fd00::1"); }), "gateway"},
      {"exclusion outside",
       with([](PoolConfig& c) { c.exclude = {{At("10.0.0.1"), At("10.0.0.2")}, {At("10.0.0.9"), At("10.0.1.0")}}; }),
       "exclude[1]"},
      {"exclusion backwards",
       with([](PoolConfig& c) { c.exclude = {{At("10.0.0.9"), At("10.0.0.2")}}; }), "exclude[0]"},
      {"too many exclusions",
       with([](PoolConfig& c) { c.exclude.assign(Pool::kMaxExclusions + 1, {At("10.0.0.1"), At("10.0.0.1")}); }),
       "exclude"},
      {"headroom below 0", with([](PoolConfig& c) { c.headroom = -0.1; }), "headroom"},
      {"headroom above 1", with([](PoolConfig& c) { c.headroom = 1.1; }), "headroom"},
      {"headroom that is no number",
       with([](PoolConfig& c) { c.headroom = std::numeric_limits<double>::quiet_NaN(); }), "headroom"},
      {"quarantine below 0", with([](PoolConfig& c) { c.quarantine = absl::Seconds(-1); }), "quarantine"},
      {"quarantine of 31 days", with([](PoolConfig& c) { c.quarantine = absl::Hours(24 * 31); }), "quarantine"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.name);
    absl::Status status = Pool::Validate(test.config);
    EXPECT_EQ(status.ok(), test.field.empty()) << status;
    if (test.field.empty()) continue;
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    ErrorParts parts = PartsOf(status);
    EXPECT_EQ(parts.code, "INVALID_POOL");
    EXPECT_EQ(parts.field, test.field);
    EXPECT_FALSE(parts.hint.empty());
  }
}

TEST(PoolTest, NetworkBroadcastGatewayAndExclusionsAreNeverGiven) {
  PoolConfig config = Config("10.0.0.0/29");
  config.gateway = At("10.0.0.1");
  config.exclude = {{At("10.0.0.3"), At("10.0.0.4")}, {At("10.0.0.4"), At("10.0.0.4")}};
  Pool pool(config);
  EXPECT_EQ(Next(pool), "10.0.0.2");
  EXPECT_EQ(Next(pool), "10.0.0.5");
  EXPECT_EQ(Next(pool), "10.0.0.6");
  EXPECT_EQ(Next(pool), "none");
  Pool::Counts counts = pool.counts();
  EXPECT_EQ(counts.capacity, 3u);
  EXPECT_EQ(counts.free, 0u);
  EXPECT_EQ(counts.held, 3u);
  EXPECT_EQ(counts.excluded, 5u);
  EXPECT_EQ(pool.Check(At("10.0.0.0")), Presence::kExcluded);
  EXPECT_EQ(pool.Check(At("10.0.0.2")), Presence::kHeld);
  EXPECT_EQ(pool.Check(At("10.0.0.8")), Presence::kOutside);
  EXPECT_EQ(pool.Check(At("fd00::1")), Presence::kOutside);
}

TEST(PoolTest, PoolsOfOneAndTwoAddressesGiveAll) {
  Pool one(Config("10.0.0.1/32"));
  EXPECT_EQ(Next(one), "10.0.0.1");
  EXPECT_EQ(Next(one), "none");
  Pool two(Config("10.0.0.0/31"));
  EXPECT_EQ(Next(two), "10.0.0.0");
  EXPECT_EQ(Next(two), "10.0.0.1");
  EXPECT_EQ(Next(two), "none");
}

TEST(PoolTest, ReleasedAddressesAreGivenOldestFirst) {
  Pool pool(Config("10.0.0.0/29"));
  for (Slot slot = 1; slot <= 6; ++slot) Next(pool, slot);
  for (const char* ip : {"10.0.0.4", "10.0.0.2", "10.0.0.6", "10.0.0.1"}) pool.Free(At(ip));
  pool.Take(At("10.0.0.2"), 9);  // by name, so its place in the order is lost
  pool.Free(At("10.0.0.2"));
  for (const char* want : {"10.0.0.4", "10.0.0.6", "10.0.0.1", "10.0.0.2", "none"}) EXPECT_EQ(Next(pool), want);
}

TEST(PoolTest, AReturnedShadowIsGivenNext) {
  Pool pool(Config("10.0.0.0/29"));
  pool.Take(At("10.0.0.1"), 1);
  EXPECT_TRUE(pool.IsFresh(At("10.0.0.2")));
  pool.Return(At("10.0.0.1"), true);
  EXPECT_TRUE(pool.IsFresh(At("10.0.0.1")));
  EXPECT_EQ(pool.Find(At("10.0.0.1")), 0u);
  EXPECT_EQ(Next(pool), "10.0.0.1");
}

TEST(PoolTest, SlotsAreFoundByAddressAlsoInsideABlock) {
  for (const char* prefix : {"10.0.0.0/16", "2001:db8::/64"}) {
    SCOPED_TRACE(prefix);
    Pool pool(Config(prefix));
    Ip base = pool.config().prefix.base();
    auto plus = [&](uint32_t n) { return Ip::FromBits(base.bits() + n); };
    Prefix small = Prefix::Containing(plus(64), MaxLength(base.family()) - 4);
    Prefix large = Prefix::Containing(plus(1024), MaxLength(base.family()) - 10);
    pool.Take(plus(5), 7);
    pool.TakeBlock(small, 8);
    pool.TakeBlock(large, 9);
    EXPECT_EQ(pool.Find(plus(5)), 7u);
    EXPECT_EQ(pool.Find(plus(64)), 8u);
    EXPECT_EQ(pool.Find(plus(79)), 8u);
    EXPECT_EQ(pool.Find(plus(80)), 0u);
    EXPECT_EQ(pool.Find(plus(1024)), 9u);
    EXPECT_EQ(pool.Find(plus(2047)), 9u);
    EXPECT_EQ(pool.Find(plus(2048)), 0u);
    EXPECT_EQ(pool.Check(plus(1500)), Presence::kHeld);
    EXPECT_EQ(pool.counts().held, 1u + 16u + 1024u);
    pool.SetSlot(plus(5), 17);
    pool.SetSlot(plus(1024), 19);
    EXPECT_THAT(Slots(pool, base), testing::ElementsAre(17, 8, 19));
    EXPECT_THAT(Slots(pool, base, 1), testing::ElementsAre(17, 8, 19));
    EXPECT_THAT(Slots(pool, plus(6)), testing::ElementsAre(8, 19));
    EXPECT_THAT(Slots(pool, plus(65)), testing::ElementsAre(19));
    pool.FreeBlock(small);
    pool.FreeBlock(large);
    EXPECT_EQ(pool.Find(plus(64)), 0u);
    EXPECT_EQ(pool.counts().held, 1u);
    EXPECT_EQ(pool.CheckBlock(large), Presence::kFree);
  }
}

TEST(PoolTest, VisitGoesOnAfterTheOneThatStoppedIt) {
  Pool pool(Config("10.0.0.0/24"));
  for (Slot slot = 1; slot <= 5; ++slot) Next(pool, slot);
  std::vector<Slot> seen;
  std::optional<Ip> next = pool.Visit(At("10.0.0.0"), 1000, [&](Slot slot) {
    seen.push_back(slot);
    return seen.size() < 2;
  });
  EXPECT_THAT(seen, testing::ElementsAre(1, 2));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->ToString(), "10.0.0.3");
}

TEST(PoolTest, BlocksAreTheLowestThatIsWhollyFree) {
  Pool pool(Config("10.0.0.0/24"));
  EXPECT_EQ(Text(pool.ProposeBlock(28)), "10.0.0.16/28");  // the first one holds the network address
  pool.Take(At("10.0.0.20"), 1);
  EXPECT_EQ(Text(pool.ProposeBlock(28)), "10.0.0.32/28");
  EXPECT_EQ(Text(pool.ProposeBlock(24)), "none");
  EXPECT_EQ(Text(pool.ProposeBlock(25)), "none");
  EXPECT_EQ(Text(pool.ProposeBlock(33)), "none");
  EXPECT_EQ(pool.CheckBlock(Net("10.0.0.16/28")), Presence::kHeld);
  EXPECT_EQ(pool.CheckBlock(Net("10.0.0.0/28")), Presence::kExcluded);
  EXPECT_EQ(pool.CheckBlock(Net("10.0.1.0/28")), Presence::kOutside);
}

TEST(PoolTest, ABlockMayStandOverPreemptibleAddresses) {
  Pool pool(Config("10.0.0.0/28"));
  for (Slot slot = 1; slot <= 14; ++slot) Next(pool, slot);
  std::set<std::string> shadows = {"10.0.0.4", "10.0.0.5", "10.0.0.7", "10.0.0.8", "10.0.0.9"};
  auto preemptible = [&](Ip ip) { return shadows.contains(ip.ToString()); };
  EXPECT_EQ(Text(pool.ProposeBlockOver(31, preemptible)), "10.0.0.4/31");
  EXPECT_EQ(Text(pool.ProposeBlockOver(30, preemptible)), "none");
  pool.Free(At("10.0.0.6"));
  EXPECT_EQ(Text(pool.ProposeBlockOver(30, preemptible)), "10.0.0.4/30");
}

TEST(PoolTest, ALargePoolOpensSegmentsInAscendingOrder) {
  PoolConfig config = Config("2001:db8::/64");
  config.gateway = At("2001:db8::1");
  Pool pool(config);
  EXPECT_EQ(Next(pool), "2001:db8::");
  EXPECT_EQ(Next(pool), "2001:db8::2");
  pool.Take(At("2001:db8::1:0"), 5);  // opens its segment
  EXPECT_EQ(pool.Find(At("2001:db8::1:0")), 5u);
  std::set<std::string> given;
  for (int i = 0; i < 253 + 255; ++i) given.insert(Next(pool));
  EXPECT_TRUE(given.contains("2001:db8::ff"));
  EXPECT_TRUE(given.contains("2001:db8::1:ff"));
  EXPECT_EQ(given.size(), 508u);
  EXPECT_EQ(Next(pool), "2001:db8::100");
  EXPECT_EQ(pool.counts().capacity, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(pool.counts().held, 512u);
}

TEST(PoolTest, RandomSpreadsOverALargePool) {
  PoolConfig config = Config("2001:db8::/64");
  config.strategy = Strategy::kRandom;
  Pool pool(config);
  std::set<absl::uint128> segments;
  for (uint64_t i = 0; i < 1000; ++i) {
    Ip ip = *pool.Propose(i * 0x9e3779b97f4a7c15);
    pool.Take(ip, 1);
    segments.insert(ip.bits() >> 8);
  }
  EXPECT_GE(segments.size(), 7u);  // half full at most
  EXPECT_LE(segments.size(), 8u);
}

TEST(PoolTest, LargeBlocksComeFromUntouchedSpace) {
  PoolConfig config = Config("2001:db8::/64");
  config.gateway = At("2001:db8::3:1");
  Pool pool(config);
  Next(pool);
  EXPECT_EQ(Text(pool.ProposeBlock(120)), "2001:db8::100/120");
  EXPECT_EQ(Text(pool.ProposeBlock(112)), "2001:db8::1:0/112");
  pool.TakeBlock(Net("2001:db8::1:0/112"), 2);
  EXPECT_EQ(Text(pool.ProposeBlock(112)), "2001:db8::2:0/112");
  pool.TakeBlock(Net("2001:db8::2:0/112"), 3);
  EXPECT_EQ(Text(pool.ProposeBlock(112)), "2001:db8::4:0/112");  // the gateway is in the way
  EXPECT_EQ(pool.CheckBlock(Net("2001:db8::3:0/112")), Presence::kExcluded);
  EXPECT_EQ(pool.CheckBlock(Net("2001:db8::/111")), Presence::kHeld);
  EXPECT_EQ(Text(pool.ProposeBlock(65)), "2001:db8:0:0:8000::/65");
  pool.FreeBlock(Net("2001:db8::1:0/112"));
  EXPECT_EQ(Text(pool.ProposeBlock(112)), "2001:db8::1:0/112");
}

TEST(PoolTest, ABlockByNameMayCoverOpenSegmentsThatAreFree) {
  Pool pool(Config("2001:db8::/64"));
  pool.Take(At("2001:db8::1:5"), 1);
  EXPECT_EQ(pool.CheckBlock(Net("2001:db8::1:0/112")), Presence::kHeld);
  pool.Free(At("2001:db8::1:5"));
  ASSERT_EQ(pool.CheckBlock(Net("2001:db8::1:0/112")), Presence::kFree);
  pool.TakeBlock(Net("2001:db8::1:0/112"), 2);
  EXPECT_EQ(pool.Find(At("2001:db8::1:5")), 2u);
  EXPECT_EQ(pool.Find(At("2001:db8::1:ffff")), 2u);
  EXPECT_EQ(Next(pool), "2001:db8::");
  pool.FreeBlock(Net("2001:db8::1:0/112"));
  EXPECT_EQ(pool.Check(At("2001:db8::1:5")), Presence::kFree);
  EXPECT_FALSE(pool.IsFresh(At("2001:db8::1:5")));
  EXPECT_TRUE(pool.IsFresh(At("2001:db8::1:ffff")));
  EXPECT_EQ(Text(pool.ProposeBlock(112)), "2001:db8::2:0/112");
}

TEST(PoolTest, OpenSegmentsAreLimited) {
  Pool pool(Config("2001:db8::/64"));
  auto segment = [](uint32_t n) { return Ip::FromBits(At("2001:db8::").bits() + absl::uint128(n) * 512); };
  for (uint32_t n = 0; n < Pool::kMaxSegments; ++n) pool.Take(segment(n), n + 1);
  EXPECT_EQ(pool.Check(segment(Pool::kMaxSegments)), Presence::kExcluded);
  EXPECT_EQ(pool.Find(segment(Pool::kMaxSegments - 1)), Pool::kMaxSegments);
  EXPECT_EQ(Next(pool), "2001:db8::1");
  EXPECT_NE(Text(pool.ProposeBlock(112)), "none");
}

TEST(PoolTest, ExclusionsChange) {
  for (const char* prefix : {"10.0.0.0/16", "2001:db8::/64"}) {
    SCOPED_TRACE(prefix);
    Pool pool(Config(prefix));
    Ip base = pool.config().prefix.base();
    auto plus = [&](uint32_t n) { return Ip::FromBits(base.bits() + n); };
    pool.Take(plus(5), 1);
    PoolConfig config = pool.config();
    config.exclude = {{plus(2), plus(9)}};
    absl::Status refused = pool.SetConfig(config);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(CodeOf(refused), "ADDRESS_HELD");
    EXPECT_EQ(PartsOf(refused).value, plus(5).ToString());
    EXPECT_EQ(pool.Check(plus(2)), Presence::kFree);
    config.exclude = {{plus(6), plus(600)}};
    ASSERT_TRUE(pool.SetConfig(config).ok());
    EXPECT_EQ(pool.Check(plus(6)), Presence::kExcluded);
    EXPECT_EQ(pool.Check(plus(600)), Presence::kExcluded);
    EXPECT_EQ(pool.Check(plus(601)), Presence::kFree);
    config.exclude = {{plus(8), plus(8)}};
    ASSERT_TRUE(pool.SetConfig(config).ok());
    EXPECT_EQ(pool.Check(plus(7)), Presence::kFree);
    EXPECT_EQ(pool.Check(plus(8)), Presence::kExcluded);
    EXPECT_EQ(pool.Check(plus(600)), Presence::kFree);
    config.prefix = Net("10.1.0.0/16");
    config.exclude = {};
    EXPECT_EQ(CodeOf(pool.SetConfig(config)), "INVALID_POOL");
  }
}

TEST(PoolTest, MemoryFollowsUse) {
  Pool large(Config("10.0.0.0/8"));
  EXPECT_LT(large.MemoryBytes(), size_t{16777216} * 4 / 10);
  Pool huge(Config("2001:db8::/48"));
  EXPECT_LT(huge.MemoryBytes(), 4096u);
}

}  // namespace
}  // namespace gnomon
