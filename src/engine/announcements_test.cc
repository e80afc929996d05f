// SPDX-License-Identifier: Apache-2.0
#include "engine/announcements.h"

#include "base/state.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

constexpr size_t kWeb = 0, kDb = 1;
constexpr int64_t kLeadS = 5;

TEST(Announcements, ShadowsAreDueALeadAndAMarginBeforeAndGivenUpWhenLate) {
  Announcements announcements;
  announcements.Announce({"ci", "1"}, kWeb, 20, 1000, 0);
  EXPECT_EQ(announcements.Due(kWeb, 992, kLeadS), 0);
  EXPECT_EQ(announcements.Due(kWeb, 993, kLeadS), 20);
  EXPECT_EQ(announcements.Due(kDb, 993, kLeadS), 0);
  EXPECT_EQ(announcements.Due(kWeb, 1300, kLeadS), 20);
  EXPECT_EQ(announcements.Due(kWeb, 1301, kLeadS), 0);
  announcements.Expire(1301);
  EXPECT_EQ(announcements.open(), 0u);
  EXPECT_NE(announcements.Find({"ci", "1"}), nullptr) << "announcing it again changes nothing";
  announcements.Expire(1300 + Announcements::kKeptS + 1);
  EXPECT_EQ(announcements.Find({"ci", "1"}), nullptr);
}

TEST(Announcements, CreationsAreTakenOffTheEarliestThatMayBeMeant) {
  Announcements announcements;
  announcements.Announce({"ci", "a"}, kWeb, 5, 1000, 0);
  announcements.Announce({"ci", "b"}, kWeb, 5, 1030, 0);
  announcements.Announce({"ci", "c"}, kWeb, 5, 5000, 0);
  EXPECT_EQ(announcements.Consume(kWeb, 900, 1), 0u) << "too early for any";
  EXPECT_EQ(announcements.Consume(kDb, 1000, 1), 0u);
  EXPECT_EQ(announcements.Consume(kWeb, 1000, 7), 7u);
  EXPECT_EQ(announcements.Find({"ci", "a"})->left, 0u);
  EXPECT_EQ(announcements.Find({"ci", "b"})->left, 3u);
  EXPECT_EQ(announcements.Consume(kWeb, 1031, 10), 3u) << "what is beyond the announced is demand like any other";
  EXPECT_EQ(announcements.Find({"ci", "c"})->left, 5u);
}

TEST(Announcements, SourcesThatSpeakOfTheSameCombineByTheirMaximum) {
  Announcements announcements;
  announcements.Announce({"ci", "1"}, kWeb, 10, 1000, 0);
  announcements.Announce({"hpa", "1"}, kWeb, 12, 1000, 0);
  announcements.Announce({"hpa", "2"}, kWeb, 3, 1000, 0);
  EXPECT_EQ(announcements.Due(kWeb, 1000, kLeadS), 15) << "of one source it adds up";
  EXPECT_EQ(announcements.Consume(kWeb, 1000, 11), 11u);
  EXPECT_EQ(announcements.Due(kWeb, 1000, kLeadS), 4) << "each creation was of both sources";
  EXPECT_EQ(announcements.Consume(kWeb, 1000, 11), 4u);
  EXPECT_EQ(announcements.open(), 0u);
}

TEST(Announcements, ACancelledOneIsNotExpectedButStillKnown) {
  Announcements announcements;
  announcements.Announce({"ci", "1"}, kWeb, 10, 1000, 0);
  announcements.Cancel({"ci", "1"});
  announcements.Cancel({"ci", "1"});
  EXPECT_EQ(announcements.Due(kWeb, 1000, kLeadS), 0);
  EXPECT_TRUE(announcements.Find({"ci", "1"})->cancelled);
  EXPECT_EQ(announcements.Consume(kWeb, 1000, 1), 0u);
}

// Each row: what starts after creations were taken off the earliest, and what is due then.
TEST(Announcements, WhatStartsOutOfOrderLeavesAsManyExpectedAsHaveNotStarted) {
  Announcements jobs;
  for (const char* id : {"1", "2", "3"}) jobs.Announce({"github", id}, kWeb, 1, 1000, 1000);
  jobs.Announce({"github", "db"}, kDb, 1, 1000, 1000);
  EXPECT_EQ(jobs.Consume(kWeb, 1001, 1), 1u) << "the runner of 3, taken off 1";
  jobs.Start({"github", "3"});
  EXPECT_EQ(jobs.Due(kWeb, 1001, kLeadS), 2) << "1 and 2 wait";
  jobs.Start({"github", "3"});
  EXPECT_EQ(jobs.Due(kWeb, 1001, kLeadS), 2) << "told twice";
  jobs.Start({"github", "2"});
  EXPECT_EQ(jobs.Due(kWeb, 1001, kLeadS), 1) << "on a runner that was there";
  EXPECT_EQ(jobs.Consume(kWeb, 1002, 1), 1u);
  jobs.Start({"github", "1"});
  EXPECT_EQ(jobs.Due(kWeb, 1002, kLeadS), 0);
  EXPECT_EQ(jobs.Due(kDb, 1002, kLeadS), 1);
  EXPECT_EQ(jobs.open(), 1u);
}

TEST(Announcements, WhatIsOverIsNotExpectedAgainBecauseAnotherStarts) {
  Announcements jobs;
  jobs.Announce({"github", "1"}, kWeb, 1, 1000, 1000);
  jobs.Announce({"github", "2"}, kWeb, 1, 1400, 1000);
  EXPECT_EQ(jobs.Consume(kWeb, 1001, 1), 1u);
  jobs.Expire(1301);
  jobs.Start({"github", "2"});
  EXPECT_EQ(jobs.Due(kWeb, 1400, kLeadS), 0);
}

TEST(Announcements, OneOfThePastIsDueAtOnceForAsLong) {
  Announcements announcements;
  announcements.Announce({"ci", "1"}, kWeb, 10, 800, 1000);
  EXPECT_EQ(announcements.Due(kWeb, 1000, kLeadS), 10);
  EXPECT_EQ(announcements.Due(kWeb, 1300, kLeadS), 10);
  EXPECT_EQ(announcements.Due(kWeb, 1301, kLeadS), 0);
}

}  // namespace
}  // namespace gnomon
