// SPDX-License-Identifier: Apache-2.0
#include "signals/calendar_watch.h"

#include <gmock/gmock.h>

namespace gnomon {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

const absl::Time kNine = absl::FromCivil(absl::CivilSecond(2027, 1, 15, 9, 0, 0), absl::UTCTimeZone());

CalendarEvent Daily(const std::string& name) {
  return {.name = name, .type = "web", .start = absl::CivilSecond(2027, 1, 15, 9, 0, 0), .rule = RecurrenceRule()};
}

TEST(CalendarWatch, AnEventIsComingShortlyBefore) {
  CalendarWatch watch;
  CalendarEvent event = Daily("sale");
  event.count = 40;
  watch.SetEvents({event});
  watch.Look(kNine - absl::Minutes(1), {});
  EXPECT_THAT(watch.coming(), IsEmpty());
  watch.Look(kNine - absl::Seconds(20), {});
  ASSERT_THAT(watch.coming(), SizeIs(1));
  EXPECT_EQ(watch.coming()[0].count, 40u);
  EXPECT_EQ(watch.coming()[0].at, kNine);
  watch.Look(kNine, {});
  EXPECT_THAT(watch.coming(), IsEmpty());
}

TEST(CalendarWatch, WhatARecurringEventBringsIsLearnt) {
  CalendarWatch watch;
  watch.SetEvents({Daily("nightly")});
  std::map<std::string, uint64_t> created = {{"web", 100}};
  for (int day = 0; day < 3; ++day) {
    const absl::Time nine = kNine + day * absl::Hours(24);
    watch.Look(nine - absl::Seconds(10), created);
    EXPECT_EQ(watch.coming().size(), day == 0 ? 0u : 1u) << "nothing is known before the first is over";
    watch.Look(nine + absl::Seconds(1), created);
    created["web"] += 30;
    watch.Look(nine + absl::Minutes(2), created);
    watch.Look(nine + absl::Minutes(6), created);
    created["web"] += 500;
  }
  ASSERT_TRUE(watch.Learnt("nightly"));
  EXPECT_EQ(watch.Learnt("nightly")->count, 30u) << "what comes beside it is not its own";
  EXPECT_EQ(watch.Learnt("nightly")->occurrences, 3u);
}

TEST(CalendarWatch, AFactorHoldsWhileItsEventLasts) {
  CalendarWatch watch;
  CalendarEvent event = Daily("match");
  event.factor = 3;
  event.length = absl::Hours(2);
  watch.SetEvents({event});
  watch.Look(kNine + absl::Hours(1), {});
  ASSERT_THAT(watch.multiplied(), SizeIs(1));
  EXPECT_EQ(watch.multiplied()[0].factor, 3);
  EXPECT_THAT(watch.coming(), IsEmpty());
  watch.Look(kNine + absl::Hours(2), {});
  EXPECT_THAT(watch.multiplied(), IsEmpty());
}

}  // namespace
}  // namespace gnomon
