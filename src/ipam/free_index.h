// SPDX-License-Identifier: Apache-2.0
//
// A FreeIndex knows which offsets of a range are free, and which of them to give next.
//
// Two bitmaps with summaries hold what is free and what of that is fresh (never used); a queue holds the used ones in
// the order in which they were freed. An offset that is taken other than from the queue's front leaves its entry
// behind. Such stale entries are counted by offset and skipped when they reach the front. Strategies other than
// kLongestIdle need no queue; it is kept only while the index is ordered.
//
// Example:
//   FreeIndex index(256);
//   uint32_t offset = index.Propose(Strategy::kLongestIdle, 0).value();   // 0: fresh ones come first, ascending
//   index.Take(offset);
//   index.Free(offset);   // used now: given again when no fresh one and none that was freed earlier is left
//
// Threads: not thread-safe; its pool owns it.
// Limits: at most kMaxSize offsets.
// Cost: constant an operation, but for those that name a range or a run. Memory: 0.26 bytes an offset, and 4.1 more
// for a used and free one (twice that while stale entries wait to be removed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "ipam/bit_tree.h"

namespace gnomon {

enum class Strategy : uint8_t {
  kLongestIdle,  // never used ones first, in ascending order; then those that were freed longest ago
  kLowestFirst,  // the lowest
  kRandom,       // the first free one at or after a random place
};

class FreeIndex {
 public:
  static constexpr uint32_t kMaxSize = 1u << 24;

  // All `size` offsets are free and fresh, and the index is ordered.
  explicit FreeIndex(uint32_t size);
  // Ordered: the order of freeing is kept, which kLongestIdle needs. When that begins anew, the used and free ones
  // count as freed now, ascending. Cost: linear.
  void SetOrdered(bool ordered);
  // Adds the offsets from size() to new_size - 1, free and fresh.
  void Grow(uint32_t new_size);

  uint32_t size() const { return free_.size(); }
  uint32_t free_count() const { return free_count_; }
  bool IsFree(uint32_t offset) const { return free_.Test(offset); }
  bool IsFresh(uint32_t offset) const { return fresh_.Test(offset); }

  // The free offset to give next; nullopt when none is. Takes nothing. `random` is read by kRandom alone.
  // CHECKs that the index is ordered for kLongestIdle.
  std::optional<uint32_t> Propose(Strategy strategy, uint64_t random) {
    if (free_count_ == 0) return std::nullopt;
    switch (strategy) {
      case Strategy::kLongestIdle: {
        const uint32_t fresh = fresh_.First();
        if (fresh != BitTree::kNone) return fresh;
        SkipStaleFront();
        return queue_.front();
      }
      case Strategy::kLowestFirst:
        return free_.First();
      case Strategy::kRandom: {
        const uint32_t offset = free_.FindNext(static_cast<uint32_t>(random % size()));
        return offset != BitTree::kNone ? offset : free_.First();
      }
    }
    return std::nullopt;
  }

  // CHECKs that `offset` is free.
  void Take(uint32_t offset);
  // CHECKs that `offset` is not free. It is used from now on and goes to the end of the queue.
  void Free(uint32_t offset);
  // As Free, for what was taken and never put to use: it is fresh again if it was (`never_used`), else it goes back to
  // where it stood in the queue: the front, or its old place if it was taken from further back.
  void Return(uint32_t offset, bool never_used);

  // Makes those of [first, first + count) that are free not free. The caller remembers which are excluded.
  void Exclude(uint32_t first, uint32_t count);
  // Undoes Exclude. CHECKs that none of them is free. They count as fresh: nobody has had them since.
  void Include(uint32_t first, uint32_t count);

  uint32_t CountFree(uint32_t first, uint32_t count) const;

  // Runs are of 2^length_log2 offsets and aligned to their length. The lowest whose offsets are all free; nullopt when
  // there is none. Cost: reads at most the whole bitmap, a bit an offset.
  std::optional<uint32_t> FindFreeRun(uint32_t length_log2) const;
  // CHECKs that the whole run is free.
  void TakeRun(uint32_t first, uint32_t length_log2);
  // CHECKs that none of the run is free. All go to the end of the queue, ascending.
  void FreeRun(uint32_t first, uint32_t length_log2);

  size_t MemoryBytes() const;

 private:
  bool IsStale(uint32_t offset) const { return stale_total_ != 0 && stale_.contains(offset); }
  void DropStale(uint32_t offset);   // one entry fewer of `offset` is stale
  void LeaveStale(uint32_t offset);  // one more
  void SkipStaleFront();
  void Compact();

  BitTree free_;
  BitTree fresh_;  // a subset of free_
  uint32_t free_count_ = 0;

  bool ordered_ = true;
  // Empty unless ordered_. The entries of an offset in queue_ are stale_[offset] stale ones and then, if it
  // is free and not fresh, a valid one.
  std::deque<uint32_t> queue_;
  absl::flat_hash_map<uint32_t, uint32_t> stale_;  // never holds a zero
  size_t stale_total_ = 0;
};

}  // namespace gnomon
