// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "gtest/gtest.h"

namespace gnomon {
namespace {

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(1000);

TEST(CoreTimeTest, StepsOfTheWallClockDoNotMoveIt) {
  ManualClock clock(kStart);
  CoreTime time(clock);
  time.Begin(absl::InfinitePast());
  EXPECT_EQ(time.Now(), kStart);
  clock.Step(-absl::Hours(5));
  EXPECT_EQ(time.Now(), kStart);
  clock.Pass(absl::Seconds(3));
  EXPECT_EQ(time.Now(), kStart + absl::Seconds(3));
}

TEST(CoreTimeTest, GoesOnFromTheLastCommitWhenTheWallClockIsBehindIt) {
  ManualClock clock(kStart);
  CoreTime time(clock);
  time.Begin(kStart + absl::Hours(2));
  clock.Pass(absl::Seconds(1));
  EXPECT_EQ(time.Now(), kStart + absl::Hours(2) + absl::Seconds(1));
  time.AtLeast(kStart);
  EXPECT_EQ(time.Now(), kStart + absl::Hours(2) + absl::Seconds(1));
}

TEST(CoreTimeTest, AJumpOfMoreThanAnHourIsNotFollowedUntilItIsConfirmed) {
  ManualClock clock(kStart);
  CoreTime hour(clock), more(clock);
  hour.Begin(kStart - absl::Hours(1));
  EXPECT_FALSE(hour.behind());
  EXPECT_EQ(hour.Now(), kStart);
  more.Begin(kStart - absl::Hours(1) - absl::Seconds(1));
  EXPECT_TRUE(more.behind());
  clock.Pass(absl::Seconds(5));
  EXPECT_EQ(more.Now(), kStart - absl::Hours(1) + absl::Seconds(4));
  more.CatchUp();
  EXPECT_FALSE(more.behind());
  EXPECT_EQ(more.Now(), kStart + absl::Seconds(5));
}

TEST(SystemClockTest, MonotonicTimeDoesNotGoBack) {
  SystemClock clock;
  const absl::Duration first = clock.Monotonic();
  EXPECT_GE(clock.Monotonic(), first);
}

TEST(ScaledClockTest, StartsAtTheRealTimeAndRunsFaster) {
  ManualClock real(kStart);
  real.Pass(absl::Seconds(7));
  ScaledClock clock(&real, 300);
  EXPECT_EQ(clock.Wall(), kStart + absl::Seconds(7));
  EXPECT_EQ(clock.Monotonic(), absl::ZeroDuration());
  real.Pass(absl::Seconds(2));
  EXPECT_EQ(clock.Wall(), kStart + absl::Seconds(607));
  EXPECT_EQ(clock.Monotonic(), absl::Seconds(600));
}

TEST(ScaledClockTest, SaysHowLongAWaitReallyTakes) {
  ManualClock real(kStart);
  EXPECT_EQ(ScaledClock(&real, 300).Real(absl::Seconds(600)), absl::Seconds(2));
  EXPECT_EQ(real.Real(absl::Seconds(600)), absl::Seconds(600));
}

TEST(ScaledClockTest, StepsOfTheWallClockDoNotMoveIt) {
  ManualClock real(kStart);
  ScaledClock clock(&real, 10);
  real.Step(absl::Hours(5));
  EXPECT_EQ(clock.Wall(), kStart);
}

}  // namespace
}  // namespace gnomon
