// SPDX-License-Identifier: Apache-2.0
#include "service/event_log.h"

#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

std::vector<OwnedChange> Erased(size_t count) { return {count, ErasedAddress{Ip::V4(1)}}; }

TEST(EventLogTest, EachChangeIsReadOnceAndInOrder) {
  EventLog log(10);
  log.Append(12, Erased(2));
  log.Append(13, Erased(1));
  std::vector<EventLog::Event> first = log.Read(10, 2).value();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].revision, 11u);
  std::vector<EventLog::Event> rest = log.Read(first[1].revision, 2).value();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].revision, 13u);
  EXPECT_TRUE(log.Read(13, 2)->empty());
}

TEST(EventLogTest, AWatcherThatIsTooOldOrAheadIsToldSo) {
  EventLog log(10);
  EXPECT_EQ(CodeOf(log.Read(9, 1).status()), "WATCH_TOO_OLD");
  EXPECT_EQ(CodeOf(log.Read(11, 1).status()), "WATCH_TOO_OLD");
  log.Append(10 + EventLog::kMaxEvents + 1, Erased(EventLog::kMaxEvents + 1));
  EXPECT_EQ(CodeOf(log.Read(10, 1).status()), "WATCH_TOO_OLD");
  EXPECT_EQ(log.Read(11, 1)->at(0).revision, 12u);
  log.Reset(5);
  EXPECT_EQ(CodeOf(log.Read(12, 1).status()), "WATCH_TOO_OLD");
}

TEST(EventLogTest, LargeChangesAreKeptForShorter) {
  EventLog log(0);
  AddressRecord record;
  const std::string labels(4096, 'x');
  record.labels = labels;
  const std::vector<OwnedChange> changes(100, OwnedRecord(record));
  uint64_t last = 0;
  for (int i = 0; i < 50; ++i) log.Append(last += changes.size(), changes);
  EXPECT_EQ(CodeOf(log.Read(0, 1).status()), "WATCH_TOO_OLD") << "20 MB are more than it keeps";
  EXPECT_EQ(log.Read(last - 3000, 1)->at(0).revision, last - 2999);
}

TEST(EventLogTest, WatchersAreWokenUntilTheyUnsubscribe) {
  EventLog log(0);
  int woken = 0;
  const EventLog::Token token = log.Subscribe([&] { ++woken; });
  log.Append(1, Erased(1));
  log.Reset(7);
  EXPECT_EQ(woken, 2);
  log.Unsubscribe(token);
  log.Append(8, Erased(1));
  EXPECT_EQ(woken, 2);
}

}  // namespace
}  // namespace gnomon
