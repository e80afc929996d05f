// SPDX-License-Identifier: Apache-2.0
#include "plan/expected_creations.h"

#include <cmath>

#include "gtest/gtest.h"

namespace gnomon {
namespace {

constexpr Announcement kTen = {.batch = 7, .type = 1, .count = 10, .at_s = 100};

TEST(ExpectedCreations, AreDueALeadAndAMarginBeforeTheyCome) {
  ExpectedCreations expected(30);
  EXPECT_TRUE(std::isinf(expected.WakesAt()));
  expected.Announce(40, kTen);
  EXPECT_EQ(expected.Due(1), 0);
  EXPECT_EQ(expected.WakesAt(), 100 - 30 - ExpectedCreations::kMarginS);
  expected.Wake(expected.WakesAt());
  EXPECT_EQ(expected.Due(1), 10);
  EXPECT_EQ(expected.Due(0), 0);
}

TEST(ExpectedCreations, WhatIsAnnouncedTooLateIsDueAtOnce) {
  ExpectedCreations expected(300);
  expected.Announce(40, kTen);
  EXPECT_EQ(expected.WakesAt(), 40);
}

TEST(ExpectedCreations, ComeAndAreExpectedNoMore) {
  ExpectedCreations expected(30);
  expected.Announce(40, kTen);
  EXPECT_EQ(expected.Consume(60, 1, 7, 2), 2);  // before they are due
  expected.Wake(70);
  EXPECT_EQ(expected.Due(1), 8);
  EXPECT_EQ(expected.Consume(100, 1, 8, 5), 0);   // another batch
  EXPECT_EQ(expected.Consume(101, 1, 7, 50), 8);  // more than announced
  EXPECT_EQ(expected.Due(1), 0);
  EXPECT_TRUE(std::isinf(expected.WakesAt()));
}

TEST(ExpectedCreations, AreGivenUpWhenTheyDoNotCome) {
  ExpectedCreations expected(30);
  expected.Announce(40, kTen);
  expected.Wake(70);
  EXPECT_EQ(expected.WakesAt(), 100 + ExpectedCreations::kLateS);
  expected.Wake(100 + ExpectedCreations::kLateS);
  EXPECT_EQ(expected.Due(1), 0);
  EXPECT_EQ(expected.Consume(500, 1, 7, 10), 0);
}

TEST(ExpectedCreations, TheRestOfABatchIsGivenUpSoonAfterItsLastCreation) {
  ExpectedCreations expected(30);
  expected.Announce(40, kTen);
  expected.Wake(70);
  EXPECT_EQ(expected.Consume(100, 1, 7, 3), 3);
  EXPECT_EQ(expected.Consume(110, 1, 7, 2), 2);
  EXPECT_EQ(expected.WakesAt(), 110 + ExpectedCreations::kQuietS);
  expected.Wake(110 + ExpectedCreations::kQuietS);
  EXPECT_EQ(expected.Due(1), 0);
  EXPECT_TRUE(std::isinf(expected.WakesAt()));
}

TEST(ExpectedCreations, ANewerAnnouncementOfABatchReplacesTheOlder) {
  ExpectedCreations expected(30);
  expected.Announce(40, kTen);
  expected.Wake(70);
  expected.Announce(71, {.batch = 7, .type = 1, .count = 4, .at_s = 110});
  EXPECT_EQ(expected.Due(1), 0);
  expected.Wake(78);
  EXPECT_EQ(expected.Due(1), 4);
  expected.Announce(80, {.batch = 7, .type = 1, .count = 0, .at_s = 110});  // cancelled
  EXPECT_EQ(expected.Due(1), 0);
}

}  // namespace
}  // namespace gnomon
