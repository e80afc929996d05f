// SPDX-License-Identifier: Apache-2.0
#include "forecast/demand_history.h"

#include "gtest/gtest.h"

namespace gnomon {
namespace {

constexpr double kDayS = 86400;

TEST(DemandHistory, CountsRecentTicksExactly) {
  DemandHistory history;
  history.Add(2, 3);
  history.Add(7, 4);
  history.Advance(20);
  EXPECT_EQ(history.Sum(0, 5), 3);
  EXPECT_EQ(history.Sum(5, 10), 4);
  EXPECT_EQ(history.Sum(0, 20), 7);
  EXPECT_EQ(history.Sum(10, 20), 0);
}

TEST(DemandHistory, CountsTheLastMinuteBySeconds) {
  DemandHistory history;
  history.Add(1001.5, 3);
  history.Add(1003, 4);
  history.Advance(1061);
  EXPECT_EQ(history.Sum(1001, 1002), 3);
  EXPECT_EQ(history.Sum(1002, 1003), 0);
  EXPECT_EQ(history.Sum(1003, 1004), 4);
}

TEST(DemandHistory, NothingLiesBeforeTheStartOrAfterNow) {
  DemandHistory history;
  history.Add(100, 5);
  EXPECT_EQ(history.Sum(-1e6, 0), 0);
  EXPECT_EQ(history.Sum(-1e6, 1e6), 5);
  EXPECT_EQ(history.Sum(200, 300), 0);
}

TEST(DemandHistory, OlderTimesAreCountedInCoarserSteps) {
  DemandHistory history;
  for (int minute = 0; minute < 9 * 1440; ++minute) history.Add(60.0 * minute + 30, 1 + (minute % 5 == 0 ? 5 : 0));
  const double now_s = 9 * kDayS;
  history.Advance(now_s);
  EXPECT_EQ(history.Sum(now_s - 3600, now_s), 60 + 12 * 5);
  EXPECT_EQ(history.Sum(now_s - kDayS, now_s - kDayS + 60), 6);                 // minutes
  EXPECT_EQ(history.Sum(now_s - 7 * kDayS, now_s - 7 * kDayS + 300), 10);       // five minutes
  EXPECT_DOUBLE_EQ(history.Sum(now_s - 7 * kDayS, now_s - 7 * kDayS + 60), 2);  // a fifth of them
}

TEST(DemandHistory, ForgetsAfterEightDays) {
  DemandHistory history;
  history.Add(10, 1000);
  history.Add(9 * kDayS, 1);
  history.Advance(9 * kDayS + 1);
  EXPECT_EQ(history.Sum(-1e9, 1e9), 1);
  EXPECT_EQ(history.Sum(0, kDayS / 2), 0);
}

TEST(DemandHistory, FindsTheLargestWholeSteps) {
  DemandHistory history;
  history.Add(30, 9);
  history.Add(90, 2);
  history.Add(150, 3);
  history.Advance(180);
  EXPECT_EQ(history.MaxMinute(1), 3);
  EXPECT_EQ(history.MaxMinute(2), 3);
  EXPECT_EQ(history.MaxMinute(3), 9);
  EXPECT_EQ(history.MaxFiveMinutes(10), 0);
  history.Advance(300);
  EXPECT_EQ(history.MaxFiveMinutes(10), 14);
}

TEST(DemandHistory, FitsItsBudget) { EXPECT_LE(sizeof(DemandHistory), 16'900u); }

}  // namespace
}  // namespace gnomon
