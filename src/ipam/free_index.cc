// SPDX-License-Identifier: Apache-2.0
#include "ipam/free_index.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace gnomon {
namespace {

// Below this many stale entries the queue is not worth compacting.
constexpr size_t kFewStale = 256;

// The bits of `word` from which `length` bits (a power of two, at most 32) are all set, as a shift brings in zeros.
uint64_t RunStarts(uint64_t word, uint32_t length) {
  for (uint32_t shift = 1; shift < length; shift *= 2) word &= word >> shift;
  return word;
}

// The multiples of `length`, as bits.
uint64_t Multiples(uint32_t length) {
  uint64_t bits = 0;
  for (uint32_t bit = 0; bit < 64; bit += length) bits |= uint64_t{1} << bit;
  return bits;
}

}  // namespace

FreeIndex::FreeIndex(uint32_t size) { Grow(size); }

void FreeIndex::Grow(uint32_t new_size) {
  GNOMON_CHECK(new_size >= size() && new_size <= kMaxSize);
  free_count_ += new_size - size();
  free_.Grow(new_size);
  fresh_.Grow(new_size);
}

void FreeIndex::SetOrdered(bool ordered) {
  if (ordered == ordered_) return;
  ordered_ = ordered;
  queue_ = std::deque<uint32_t>();
  stale_ = {};
  stale_total_ = 0;
  if (!ordered) return;
  for (uint32_t offset = free_.FindNext(0); offset != BitTree::kNone; offset = free_.FindNext(offset + 1)) {
    if (!fresh_.Test(offset)) queue_.push_back(offset);
  }
}

void FreeIndex::Take(uint32_t offset) {
  GNOMON_CHECK(offset < size() && free_.Test(offset));
  --free_count_;
  free_.Clear(offset);
  if (stale_total_ == 0 && !queue_.empty() && queue_.front() == offset) {  // so it is not fresh
    queue_.pop_front();
    if (!queue_.empty()) free_.Prefetch(queue_.front());
  } else if (fresh_.Test(offset)) {
    fresh_.Clear(offset);
  } else if (!ordered_) {
    return;
  } else if (queue_.front() == offset) {
    // Right even if that entry was a stale one: its count then passes to the one that was valid.
    queue_.pop_front();
  } else {
    LeaveStale(offset);
  }
}

void FreeIndex::Free(uint32_t offset) {
  GNOMON_CHECK(offset < size() && !free_.Test(offset));
  ++free_count_;
  free_.Set(offset);
  if (ordered_) queue_.push_back(offset);
}

void FreeIndex::Return(uint32_t offset, bool never_used) {
  GNOMON_CHECK(offset < size() && !free_.Test(offset));
  ++free_count_;
  free_.Set(offset);
  if (never_used) {
    fresh_.Set(offset);
  } else if (!ordered_) {
    return;
  } else if (IsStale(offset)) {
    DropStale(offset);  // its last entry, the one that it was taken from, is valid again
  } else {
    queue_.push_front(offset);
  }
}

void FreeIndex::Exclude(uint32_t first, uint32_t count) {
  GNOMON_CHECK(first <= size() && count <= size() - first);
  ForEachWord(first, count, [&](uint32_t word, uint64_t mask) {
    uint64_t taken = free_.Word(word) & mask;
    uint64_t used = ordered_ ? taken & ~fresh_.Word(word) : 0;
    free_count_ -= static_cast<uint32_t>(std::popcount(taken));
    free_.ClearBits(word, taken);
    fresh_.ClearBits(word, taken);
    for (; used != 0; used &= used - 1) LeaveStale(word * 64 + static_cast<uint32_t>(std::countr_zero(used)));
  });
}

void FreeIndex::Include(uint32_t first, uint32_t count) {
  GNOMON_CHECK(first <= size() && count <= size() - first);
  ForEachWord(first, count, [&](uint32_t word, uint64_t mask) {
    GNOMON_CHECK((free_.Word(word) & mask) == 0);
    free_.SetBits(word, mask);
    fresh_.SetBits(word, mask);
  });
  free_count_ += count;
}

uint32_t FreeIndex::CountFree(uint32_t first, uint32_t count) const {
  GNOMON_CHECK(first <= size() && count <= size() - first);
  uint32_t free = 0;
  ForEachWord(first, count, [&](uint32_t word, uint64_t mask) {
    free += static_cast<uint32_t>(std::popcount(free_.Word(word) & mask));
  });
  return free;
}

std::optional<uint32_t> FreeIndex::FindFreeRun(uint32_t length_log2) const {
  if (length_log2 >= 32 || (uint64_t{1} << length_log2) > free_count_) return std::nullopt;
  const uint32_t length = 1u << length_log2;
  if (length < 64) {
    const uint64_t aligned = Multiples(length);
    for (uint32_t at = free_.FindNext(0); at != BitTree::kNone;) {
      uint32_t word = at >> 6, end = (size() + 63) >> 6;
      for (; word < end && free_.Word(word) != 0; ++word) {
        uint64_t starts = RunStarts(free_.Word(word), length) & aligned;
        if (starts != 0) return word * 64 + static_cast<uint32_t>(std::countr_zero(starts));
      }
      at = free_.FindNext(word * 64);
    }
    return std::nullopt;
  }
  for (uint32_t at = free_.FindNext(0); at != BitTree::kNone;) {
    uint32_t first = (at + length - 1) & ~(length - 1);
    if (first > size() - length) return std::nullopt;
    uint32_t word = first >> 6, end = (first + length) >> 6;
    while (word < end && free_.Word(word) == ~uint64_t{0}) ++word;
    if (word == end) return first;
    at = free_.FindNext(first + length);
  }
  return std::nullopt;
}

void FreeIndex::TakeRun(uint32_t first, uint32_t length_log2) {
  uint32_t length = 1u << length_log2;
  GNOMON_CHECK(first % length == 0 && CountFree(first, length) == length);
  Exclude(first, length);
}

void FreeIndex::FreeRun(uint32_t first, uint32_t length_log2) {
  uint32_t length = 1u << length_log2;
  GNOMON_CHECK(first % length == 0 && CountFree(first, length) == 0);
  ForEachWord(first, length, [&](uint32_t word, uint64_t mask) { free_.SetBits(word, mask); });
  free_count_ += length;
  if (!ordered_) return;
  for (uint32_t i = 0; i < length; ++i) queue_.push_back(first + i);
}

void FreeIndex::DropStale(uint32_t offset) {
  auto found = stale_.find(offset);
  if (--found->second == 0) stale_.erase(found);
  --stale_total_;
}

void FreeIndex::LeaveStale(uint32_t offset) {
  ++stale_[offset];
  if (++stale_total_ >= kFewStale && stale_total_ > queue_.size() / 2) Compact();
}

void FreeIndex::SkipStaleFront() {
  GNOMON_CHECK(ordered_);
  while (IsStale(queue_.front())) {
    DropStale(queue_.front());
    queue_.pop_front();
  }
}

void FreeIndex::Compact() {
  // Of each offset the first entries are the stale ones, and the counts say how many.
  auto valid = std::remove_if(queue_.begin(), queue_.end(), [&](uint32_t offset) {
    if (!IsStale(offset)) return false;
    DropStale(offset);
    return true;
  });
  queue_.erase(valid, queue_.end());
  GNOMON_CHECK(stale_total_ == 0);
  stale_ = {};
}

size_t FreeIndex::MemoryBytes() const {
  return sizeof(*this) + free_.MemoryBytes() + fresh_.MemoryBytes() + (queue_.size() + 128) * sizeof(uint32_t) +
         stale_.capacity() * (sizeof(std::pair<const uint32_t, uint32_t>) + 1);
}

}  // namespace gnomon
