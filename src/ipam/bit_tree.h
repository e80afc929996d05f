// SPDX-License-Identifier: Apache-2.0
//
// A BitTree is a set of 32-bit numbers below a size, as a bitmap with summaries, 64 to one, above it.
//
// A bit of a summary is set when any bit of the word below it is. So the next member is found in one word a level,
// four levels for 2^24 numbers, wherever it is.
//
// Threads: not thread-safe. Limits: sizes to 2^24. Cost: 1.02 bits a number; every operation that names no range is
// constant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gnomon {

class BitTree {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t size() const { return size_; }
  // The numbers from size() on become members.
  void Grow(uint32_t new_size);

  bool Test(uint32_t i) const { return (levels_[0][i >> 6] >> (i & 63) & 1) != 0; }
  // Whether a word was or becomes empty is a coin's toss in a tree that is nearly so: it is cheaper computed than
  // predicted.
  void Set(uint32_t i) {
    for (size_t level = 0; level < static_cast<size_t>(depth_); ++level, i >>= 6) {
      levels_[level][i >> 6] |= uint64_t{1} << (i & 63);
    }
  }
  void Clear(uint32_t i) {
    uint64_t& word = levels_[0][i >> 6];
    word &= ~(uint64_t{1} << (i & 63));
    if (depth_ == 1) return;
    const uint32_t above = i >> 12;
    levels_[1][above] &= ~(uint64_t{word == 0} << (i >> 6 & 63));
    if (levels_[1][above] == 0) ClearAbove(1, above);
  }

  // Makes Test, Set and Clear of `i` cheap when they come soon.
  void Prefetch(uint32_t i) const { __builtin_prefetch(&levels_[0][i >> 6], 1); }

  // The least member; kNone if there is none.
  uint32_t First() const {
    if (size_ == 0 || levels_[static_cast<size_t>(depth_ - 1)][0] == 0) return kNone;
    uint32_t at = 0;
    for (int level = depth_; level-- > 0;) at = at << 6 | LowestOf(levels_[static_cast<size_t>(level)][at]);
    return at;
  }
  // The least member at or after `from`; kNone if there is none.
  uint32_t FindNext(uint32_t from) const;

  // The 64 numbers from 64 * word on, for work on ranges.
  uint64_t Word(uint32_t word) const { return levels_[0][word]; }
  void SetBits(uint32_t word, uint64_t mask);
  void ClearBits(uint32_t word, uint64_t mask);

  size_t MemoryBytes() const;

 private:
  static constexpr int kMaxLevels = 4;
  void ClearAbove(int level, uint32_t word);                                                        // which is empty
  static uint32_t LowestOf(uint64_t word) { return static_cast<uint32_t>(__builtin_ctzll(word)); }  // of one with a bit

  uint32_t size_ = 0;
  int depth_ = 1;  // levels in use; the last has one word
  std::array<std::vector<uint64_t>, kMaxLevels> levels_;
};

// Calls visit(word, mask) for each word that the numbers [first, first + count) touch, with the bits that are theirs.
template <typename Visit>
void ForEachWord(uint32_t first, uint32_t count, Visit visit) {
  for (uint32_t at = first, end = first + count; at < end;) {
    uint32_t bit = at & 63;
    uint32_t here = end - at < 64 - bit ? end - at : 64 - bit;
    visit(at >> 6, (here == 64 ? ~uint64_t{0} : (uint64_t{1} << here) - 1) << bit);
    at += here;
  }
}

}  // namespace gnomon
