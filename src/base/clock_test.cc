// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "gtest/gtest.h"

namespace gnomon {
namespace {

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(1000);

TEST(CoreTimeTest, StepsOfTheWallClockDoNotMoveIt) {
  ManualClock clock(kStart);
  CoreTime time(clock, absl::InfinitePast());
  EXPECT_EQ(time.Now(), kStart);
  clock.Step(-absl::Hours(5));
  EXPECT_EQ(time.Now(), kStart);
  clock.Pass(absl::Seconds(3));
  EXPECT_EQ(time.Now(), kStart + absl::Seconds(3));
}

TEST(CoreTimeTest, GoesOnFromTheLastCommitWhenTheWallClockIsBehindIt) {
  ManualClock clock(kStart);
  CoreTime time(clock, kStart + absl::Hours(2));
  clock.Pass(absl::Seconds(1));
  EXPECT_EQ(time.Now(), kStart + absl::Hours(2) + absl::Seconds(1));
}

TEST(SystemClockTest, MonotonicTimeDoesNotGoBack) {
  SystemClock clock;
  const absl::Duration first = clock.Monotonic();
  EXPECT_GE(clock.Monotonic(), first);
}

}  // namespace
}  // namespace gnomon
