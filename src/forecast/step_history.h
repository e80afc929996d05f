// SPDX-License-Identifier: Apache-2.0
//
// A StepHistory keeps the last values of a series of equal steps, two bytes each.
//
// A value is kept as a float of 11 significant bits: whole numbers up to 2,048 exactly, others within a 4,096th. Steps
// before the first are unknown and read as 0.
//
// Threads: not thread-safe. Limits: values from 0 to kLargest; smaller than kSmallest counts as 0. Memory: 2 bytes a step.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gnomon {

class StepHistory {
 public:
  static constexpr double kSmallest = 0x1p-20;
  static constexpr double kLargest = 0x1p42;

  explicit StepHistory(size_t capacity) : steps_(capacity, 0) {}

  void Push(double value);
  size_t capacity() const { return steps_.size(); }
  // How many were pushed, and of them, how many are kept.
  int64_t pushed() const { return pushed_; }
  int known() const { return static_cast<int>(std::min<int64_t>(pushed_, static_cast<int64_t>(steps_.size()))); }

  // The value `back` steps before the newest, which is 0; 0 for those that are not kept.
  double Back(int back) const {
    if (back < 0 || back >= known()) return 0;
    const size_t newest = newest_, b = static_cast<size_t>(back);
    return Unpack(steps_[newest >= b ? newest - b : newest + steps_.size() - b]);
  }
  // The sum of the `length` values of which the newest is `back` steps before the newest of all.
  double Sum(int back, int length) const;
  // The same over their number, of those that are kept; 0 if none is.
  double Mean(int back, int length) const;

  // The largest of the last `length`.
  double Largest(int length) const;

  // As in base/state.h; the capacity is not stored.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.pushed_, self.newest_);
    archive.Elements(self.steps_);
    archive.Require(self.pushed_ >= 0 && self.newest_ < self.steps_.size());
  }

 private:
  static uint16_t Pack(double value);
  static double Unpack(uint16_t packed) {
    return packed == 0 ? 0 : static_cast<double>(std::bit_cast<float>((uint32_t{packed} << kDropped) + kOffset));
  }
  // A float has 23 bits of fraction; 10 of them are kept, and 6 of the exponent's 8.
  static constexpr uint32_t kDropped = 13;
  static constexpr uint32_t kOffset = uint32_t{127 - 21} << 23;

  std::vector<uint16_t> steps_;  // a ring
  int64_t pushed_ = 0;
  size_t newest_ = 0;
};

}  // namespace gnomon
