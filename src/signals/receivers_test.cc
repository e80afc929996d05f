// SPDX-License-Identifier: Apache-2.0
#include "signals/receivers.h"

#include "base/error.h"
#include "gmock/gmock.h"

namespace gnomon {
namespace {

TEST(Receivers, WhoSendsTooMuchIsToldToComeAgainAndKeepsNobodyElseAway) {
  ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  Receivers receivers(&clock, {});
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(receivers.Admit("prod", "github").ok());
  const absl::Status busy = receivers.Admit("prod", "github");
  EXPECT_EQ(CodeOf(busy), "RECEIVER_BUSY");
  EXPECT_TRUE(absl::IsUnavailable(busy));
  EXPECT_TRUE(receivers.Admit("prod", "alertmanager").ok());
  EXPECT_TRUE(receivers.Admit("test", "github").ok());
  clock.Pass(absl::Seconds(1));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(receivers.Admit("prod", "github").ok()) << i;
  EXPECT_FALSE(receivers.Admit("prod", "github").ok());
}

TEST(Receivers, EventsAreCountedByWhatBecameOfThem) {
  ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  Receivers receivers(&clock, {});
  receivers.Count("prod", "github", "announced", 2);
  receivers.Count("prod", "github", "announced", 1);
  EXPECT_THAT(receivers.MetricsText(), testing::HasSubstr(
      "gnomon_receiver_events_total{network=\"prod\",receiver=\"github\",outcome=\"announced\"} 3\n"));
}

}  // namespace
}  // namespace gnomon
