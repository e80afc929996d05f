// SPDX-License-Identifier: Apache-2.0
//
// An IntervalSet is a set of 128-bit numbers, held as its maximal ranges.
//
// Threads: not thread-safe. Cost: logarithmic in the number of ranges, but where said otherwise.
#pragma once

#include <cstddef>
#include <optional>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/numeric/int128.h"

namespace gnomon {

class IntervalSet {
 public:
  using Number = absl::uint128;
  struct Interval {
    Number first, last;  // both included
  };

  // Add and Remove may name numbers that are, or are not, members already. `last` is below 2^128 - 1.
  void Add(Interval interval);
  void Remove(Interval interval);

  bool empty() const { return intervals_.empty(); }
  size_t interval_count() const { return intervals_.size(); }
  Number size() const;  // linear
  bool Contains(Number number) const { return Overlaps({number, number}); }
  bool Overlaps(Interval interval) const;

  // The least member at or after `from`.
  std::optional<Number> FindNext(Number from) const;
  // The least multiple of 2^log2 from which 2^log2 numbers are all members. Linear.
  std::optional<Number> FindAligned(int log2) const;

  // Each maximal range of members, cut to `within`, in order, until `visit` returns false.
  void ForEach(Interval within, absl::FunctionRef<bool(Interval)> visit) const;
  void ForEach(absl::FunctionRef<bool(Interval)> visit) const;

  // The members that `other` lacks. Linear in both.
  IntervalSet Minus(const IntervalSet& other) const;

  friend bool operator==(const IntervalSet& a, const IntervalSet& b) { return a.intervals_ == b.intervals_; }

 private:
  absl::btree_map<Number, Number> intervals_;  // first -> last; disjoint, and no two adjacent
};

}  // namespace gnomon
