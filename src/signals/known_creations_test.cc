// SPDX-License-Identifier: Apache-2.0
#include "signals/known_creations.h"

#include <gmock/gmock.h>

namespace gnomon {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr int64_t kNowS = 1'800'000'000;

KnownCreations::View Desires(int64_t count, uint32_t instances, int64_t now_s = kNowS) {
  return {.now_s = now_s, .desired = {{"metric replicas", "web", count}}, .instances = {{"web", instances}}};
}

TEST(KnownCreations, ARiseOfADesiredCountAnnouncesWhatIsMissing) {
  KnownCreations known;
  EXPECT_THAT(known.Next(Desires(10, 10)).announce, IsEmpty());
  const auto changes = known.Next(Desires(16, 10, kNowS + 5));
  ASSERT_THAT(changes.announce, SizeIs(1));
  EXPECT_EQ(changes.announce[0].type, "web");
  EXPECT_EQ(changes.announce[0].count, 6u);
  EXPECT_EQ(changes.announce[0].at, absl::FromUnixSeconds(kNowS + 5));
  EXPECT_EQ(changes.announce[0].id.source, "desired-count");
  EXPECT_EQ(changes.announce[0].id.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-"), std::string::npos);

  KnownCreations::View again = Desires(16, 12, kNowS + 10);
  again.open = changes.announce;
  again.open[0].left = 4;
  EXPECT_THAT(known.Next(again).announce, IsEmpty()) << "the rest is on its way";
  again.desired[0].count = 20;
  ASSERT_THAT(known.Next(again).announce, SizeIs(1));
}

TEST(KnownCreations, WhatNeverComesIsNotAnnouncedAgain) {
  KnownCreations known;
  EXPECT_THAT(known.Next(Desires(16, 10)).announce, SizeIs(1));
  EXPECT_THAT(known.Next(Desires(16, 10, kNowS + 400)).announce, IsEmpty()) << "given up: nothing is open any more";
  EXPECT_THAT(known.Next(Desires(15, 10, kNowS + 405)).announce, IsEmpty());
  EXPECT_THAT(known.Next(Desires(17, 10, kNowS + 410)).announce, SizeIs(1));
}

TEST(KnownCreations, AFallTakesBackWhatIsTooMuch) {
  KnownCreations known;
  KnownCreations::View view = Desires(16, 10);
  view.open = known.Next(view).announce;
  view.open[0].left = 6;
  view.desired[0].count = 10;
  const auto changes = known.Next(view);
  EXPECT_THAT(changes.announce, IsEmpty());
  ASSERT_THAT(changes.cancel, SizeIs(1));
  EXPECT_EQ(changes.cancel[0], view.open[0].id);
  view.open[0].id.source = "ci";
  EXPECT_THAT(known.Next(view).cancel, IsEmpty()) << "others' are left alone";
}

TEST(KnownCreations, AStepIsAnnouncedOnceShortlyBefore) {
  KnownCreations known;
  KnownCreations::View view{.instances = {{"web", 4}}};
  view.steps = {{"keda cron 0 8 * * *", "web", kNowS, 10}};
  view.now_s = kNowS - 60;
  EXPECT_THAT(known.Next(view).announce, IsEmpty());
  view.now_s = kNowS - KnownCreations::kAheadS;
  const auto changes = known.Next(view);
  ASSERT_THAT(changes.announce, SizeIs(1));
  EXPECT_EQ(changes.announce[0].count, 6u) << "by the instances of then";
  EXPECT_EQ(changes.announce[0].at, absl::FromUnixSeconds(kNowS));
  view.now_s += 5;
  EXPECT_THAT(known.Next(view).announce, IsEmpty());
  view.steps[0].at_s += 86400;
  view.now_s += 86400;
  EXPECT_THAT(known.Next(view).announce, SizeIs(1)) << "the next day's is another";
}

TEST(KnownCreations, AStepDownAnnouncesNothing) {
  KnownCreations known;
  KnownCreations::View view{.now_s = kNowS - 5, .instances = {{"web", 40}}};
  view.steps = {{"keda cron", "web", kNowS, 10}};
  EXPECT_THAT(known.Next(view).announce, IsEmpty());
}

}  // namespace
}  // namespace gnomon
