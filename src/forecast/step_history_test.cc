// SPDX-License-Identifier: Apache-2.0
#include "forecast/step_history.h"

#include <cmath>
#include <deque>

#include "base/state.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

TEST(StepHistory, KeepsSmallWholeNumbersExactlyAndOthersClosely) {
  StepHistory history(1);
  for (int value = 0; value <= 2048; ++value) {
    history.Push(value);
    EXPECT_EQ(history.Back(0), value);
  }
  for (double value = 1e-4; value < 1e12; value *= 1.37) {
    history.Push(value);
    EXPECT_NEAR(history.Back(0), value, value / 2048) << value;
  }
  history.Push(1e300);
  EXPECT_EQ(history.Back(0), StepHistory::kLargest);
}

TEST(StepHistory, SumsLikeAListOfTheLastValues) {
  constexpr size_t kCapacity = 7;
  StepHistory history(kCapacity);
  std::deque<int> list;  // the newest first
  for (int step = 0; step < 40; ++step) {
    history.Push(step * step % 11);
    list.push_front(step * step % 11);
    if (list.size() > kCapacity) list.pop_back();
    ASSERT_EQ(history.known(), static_cast<int>(list.size()));
    for (int back = 0; back < 9; ++back) {
      for (int length = 1; length < 9; ++length) {
        double sum = 0, largest = 0, kept = 0;
        for (int i = back; i < std::min(back + length, history.known()); ++i, ++kept) sum += list[static_cast<size_t>(i)];
        for (int i = 0; i < std::min(length, history.known()); ++i) {
          largest = std::max<double>(largest, list[static_cast<size_t>(i)]);
        }
        EXPECT_EQ(history.Sum(back, length), sum);
        EXPECT_EQ(history.Mean(back, length), kept == 0 ? 0 : sum / kept);
        EXPECT_EQ(history.Largest(length), largest);
      }
    }
  }
}

}  // namespace
}  // namespace gnomon
