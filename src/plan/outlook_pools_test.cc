// SPDX-License-Identifier: Apache-2.0
#include "plan/outlook_pools.h"

#include <gtest/gtest.h>

#include "base/state.h"

namespace gnomon {
namespace {

constexpr int64_t kStartS = 1'800'000'000, kStepS = 15;

// What is expected in each step, and what comes.
struct Signal {
  uint32_t expected = 0, comes = 0;
};

Outlook Even(uint32_t count) {
  Outlook outlook;
  outlook.fill(count);
  return outlook;
}

// From a tenth of `count` at the least chance to twice as much at the greatest.
Outlook Rising(uint32_t count) {
  Outlook outlook;
  for (size_t i = 0; i < kChances; ++i) outlook[i] = count / 10 + count * static_cast<uint32_t>(2 * i) / kChances;
  return outlook;
}

TEST(OutlookPools, AnOutlookIsHeldUntilItIsCreated) {
  OutlookPools pools(5);
  EXPECT_FALSE(pools.live());
  pools.Expect(kStartS, Even(6), 0);
  EXPECT_TRUE(pools.live());
  EXPECT_EQ(pools.For(0.99).level, 6u);
  pools.Created(kStartS + 7, 4);
  EXPECT_EQ(pools.For(0.99).level, 2u) << "what came is not expected any more";
  EXPECT_EQ(pools.For(0.99).keep, 6u) << "what is there is given back slowly";
  pools.Expect(kStartS + 15, Even(0), 0);
  const uint32_t kept = pools.For(0.99).keep;
  EXPECT_LT(kept, 6u);
  EXPECT_GT(kept, 2u);
  pools.End(kStartS + 30);
  EXPECT_FALSE(pools.live());
}

TEST(OutlookPools, TheChanceIsTheOneThatGaveTheHitRate) {
  OutlookPools pools(5);
  uint32_t random = 1;
  for (int64_t at = kStartS; at < kStartS + 86400; at += kStepS) {
    pools.Expect(at, Rising(20), 0);
    random = random * 1664525 + 1013904223;
    if (random >> 30 == 0) pools.Created(at + 10, 1 + (random >> 8) % 20);  // 1 to 20, evenly
  }
  const uint32_t at_half = pools.For(0.5).level, at_90 = pools.For(0.9).level, at_99 = pools.For(0.99).level;
  EXPECT_LT(at_half, at_90);
  EXPECT_LT(at_90, at_99);
  EXPECT_NEAR(at_90, 14, 3) << "of 1 to 20, these hold nine in ten";
  EXPECT_GE(at_99, 18u);
  EXPECT_LE(at_99, 21u);
}

TEST(OutlookPools, ASignalIsFollowedIfItIsWorthMoreThanHistory) {
  struct Case {
    const char* name;
    Signal quiet, busy;  // of ten steps, nine are quiet
    uint32_t without;
    bool followed;
  };
  constexpr Case kCases[] = {
      {"it knows", {0, 0}, {10, 10}, 10, true},
      {"it always says too much", {90, 0}, {90, 10}, 10, false},
      {"it stands still", {0, 0}, {0, 10}, 10, false},
      {"it says nothing of what history does not know either", {0, 0}, {0, 10}, 0, true},
  };
  for (const Case& one : kCases) {
    OutlookPools pools(5);
    for (int step = 0; step < 400; ++step) {
      const Signal& now = step % 10 == 9 ? one.busy : one.quiet;
      const int64_t at = kStartS + step * kStepS;
      pools.Expect(at, Even(now.expected), one.without);
      if (now.comes > 0) pools.Created(at + 10, now.comes);
    }
    ASSERT_TRUE(pools.worth().known) << one.name;
    EXPECT_EQ(pools.followed(), one.followed)
        << one.name << ": " << pools.worth().with << " with, " << pools.worth().without << " without";
  }
}

TEST(OutlookPools, TheLargerIsHeldWhileNobodyKnows) {
  OutlookPools pools(5);
  const Level history{7, 7, 9};
  EXPECT_EQ(pools.Choose(history, 3, 0.99), history) << "there is no outlook";
  pools.Expect(kStartS, Even(4), 7);
  EXPECT_EQ(pools.Choose(history, 3, 0.99), history);
  pools.Expect(kStartS + kStepS, Even(12), 7);
  EXPECT_EQ(pools.Choose(history, 3, 0.99), (Level{12, 12, 12}));
  EXPECT_EQ(pools.Choose(history, 20, 0.99).fill, 20) << "what is announced is held";
}

TEST(OutlookPools, OneReadAgainGoesOnAlike) {
  OutlookPools kept(5), again(5);
  for (int step = 0; step < 100; ++step) {
    kept.Expect(kStartS + step * kStepS, Rising(9), 4);
    kept.Created(kStartS + step * kStepS + 3, static_cast<uint32_t>(step % 5));
  }
  StateWriter writer;
  writer(kept);
  StateReader reader(writer.bytes());
  reader(again);
  ASSERT_TRUE(reader.ok() && reader.left() == 0);
  for (OutlookPools* pools : {&kept, &again}) pools->Created(kStartS + 2000, 2);
  StateWriter first, second;
  first(kept);
  second(again);
  EXPECT_TRUE(first.bytes() == second.bytes());
}

TEST(OutlookPools, ALongSilenceCostsNothing) {
  OutlookPools pools(5);
  pools.Expect(kStartS, Even(3), 0);
  pools.Created(kStartS + 20LL * 365 * 86400, 3);
  EXPECT_EQ(pools.For(0.99).level, 0u);
}

}  // namespace
}  // namespace gnomon
