// SPDX-License-Identifier: Apache-2.0
//
// A DeadlineQueue holds when records may have to end, soonest first.
//
// A deadline is void when its record has changed since; the owner tells (by revision), and void ones are only dropped when
// they come up, or by Compact.
//
// Threads: not thread-safe. Cost: logarithmic; memory 24 bytes a deadline, given back as the queue shrinks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "ipam/pool.h"

namespace gnomon {

struct Deadline {
  int64_t at_us;
  uint64_t revision;  // of the record when the deadline was set
  Slot slot;

  absl::Time at() const { return absl::FromUnixMicros(at_us); }
  // Heaps have the greatest first: the soonest is the greatest here.
  friend bool operator<(const Deadline& a, const Deadline& b) {
    return std::tie(a.at_us, a.slot, a.revision) > std::tie(b.at_us, b.slot, b.revision);
  }
};

class DeadlineQueue {
 public:
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  const Deadline& top() const { return heap_.front(); }

  void Push(Deadline deadline) {
    heap_.push_back(deadline);
    std::push_heap(heap_.begin(), heap_.end());
  }
  void Pop() {
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
    if (heap_.capacity() > kSpare && heap_.size() < heap_.capacity() / 4) heap_.shrink_to_fit();
  }
  // Keeps those that are `live`.
  void Compact(absl::FunctionRef<bool(const Deadline&)> live) {
    std::erase_if(heap_, [&](const Deadline& deadline) { return !live(deadline); });
    heap_.shrink_to_fit();
    std::make_heap(heap_.begin(), heap_.end());
  }
  size_t MemoryBytes() const { return heap_.capacity() * sizeof(Deadline); }

 private:
  static constexpr size_t kSpare = 4096;
  std::vector<Deadline> heap_;
};

}  // namespace gnomon
